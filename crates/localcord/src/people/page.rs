//! The page for people: a few files in the binary.

use std::{future::ready, sync::Arc};

use axum::{
    Router,
    extract::{Query, State},
    http::{HeaderName, header},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing::get,
};

use super::{
    Shared,
    gate::{Shown, cookie_name},
};
use crate::discord::Discord;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

const INDEX: &str = include_str!("../../page/index.html");
const FILES: [(&str, &str, &str); 8] = [
    ("/api.js", SCRIPT, include_str!("../../page/api.js")),
    ("/app.js", SCRIPT, include_str!("../../page/app.js")),
    (
        "/composer.js",
        SCRIPT,
        include_str!("../../page/composer.js"),
    ),
    ("/dom.js", SCRIPT, include_str!("../../page/dom.js")),
    (
        "/markdown.js",
        SCRIPT,
        include_str!("../../page/markdown.js"),
    ),
    (
        "/messages.js",
        SCRIPT,
        include_str!("../../page/messages.js"),
    ),
    ("/modal.js", SCRIPT, include_str!("../../page/modal.js")),
    ("/style.css", STYLE, include_str!("../../page/style.css")),
];

/// Nothing but our own files runs or is shown, and nobody frames the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) fn router() -> Router<Arc<Discord>> {
    FILES.into_iter().fold(
        Router::new().route("/", get(index)),
        |router, (path, kind, text)| router.route(path, get(move || ready(file(kind, text)))),
    )
}

/// The printed address becomes a cookie and leaves the address bar.
async fn index(State(discord): Shared, Query(shown): Query<Shown>) -> Response {
    match shown.token {
        Some(token) => {
            let cookie = format!(
                "{}={token}; Path=/; HttpOnly; SameSite=Strict",
                cookie_name(&discord)
            );
            (
                AppendHeaders([(header::SET_COOKIE, cookie)]),
                Redirect::to("/"),
            )
                .into_response()
        }
        None => file(HTML, INDEX),
    }
}

fn file(content_type: &'static str, text: &'static str) -> Response {
    let headers: [(HeaderName, &str); 5] = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::{FILES, INDEX};

    #[test]
    fn data_never_becomes_markup() {
        for (path, _, text) in FILES {
            for way in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "new Function",
            ] {
                assert!(!text.contains(way), "{path} uses {way}");
            }
        }
    }

    #[test]
    fn every_import_is_served() {
        let served = |name: &str| FILES.iter().any(|(path, _, _)| *path == format!("/{name}"));
        for (path, _, text) in FILES {
            let imports = text
                .lines()
                .filter_map(|line| line.strip_prefix("import ")?.split_once("from \"./"));
            for (_, name) in imports {
                assert!(
                    served(name.trim_end_matches("\";")),
                    "{path} imports {name}"
                );
            }
        }
        assert!(
            INDEX.contains("/app.js")
                && served("app.js")
                && INDEX.contains("/style.css")
                && served("style.css")
        );
    }
}
