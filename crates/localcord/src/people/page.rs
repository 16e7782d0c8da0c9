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

/// Built from `page/src` by `make page`, so that a Rust build needs no Node.
const INDEX: &str = include_str!("../../page/dist/index.html");
const FILES: [(&str, &str, &str); 2] = [
    ("/app.js", SCRIPT, include_str!("../../page/dist/app.js")),
    ("/app.css", STYLE, include_str!("../../page/dist/app.css")),
];

/// Nothing but our own files runs or is shown, nobody frames the page, and text never becomes markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

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
    fn the_page_names_only_files_that_are_served() {
        let quoted = INDEX.split('"').filter(|text| text.starts_with('/'));
        let named: Vec<&str> = quoted.collect();
        assert_eq!(named, FILES.map(|(path, _, _)| path));
    }
}
