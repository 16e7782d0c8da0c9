//! Ways out of Discord: one request per piece of news, built from what is true when it is sent.
//!
//! Nothing here may hold up anything else, and no target is trusted: a request is cut after `TIMEOUT`, no redirect is
//! followed, and no more than `ANSWER_MAX` bytes of an answer are read. Addresses and keys stand in no error.

mod render;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac as _};
use reqwest::{Client, Response, StatusCode, Url, header::RETRY_AFTER, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sha2::Sha256;

use self::render::News;
use crate::{
    config::{SecretUrl, Target},
    domain::{
        outbox::{ASKED_MAX, OutboxRow, Subject},
        redact::Redactor,
        vitals::Signal,
    },
    error::Error,
    ops::{
        Ops,
        deliver::{Notify, Undelivered},
    },
};

/// For a whole request, from the name's look-up to the end of the answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer.
const ANSWER_MAX: usize = 4096;
/// Characters of an answer that are worth keeping.
const SHOWN_MAX: usize = 200;

/// The `[[notify]]` entries of the settings in force.
pub struct Targets {
    ops: Arc<Ops>,
    client: Client,
}

/// What goes over the wire.
struct Request<'a> {
    url: &'a SecretUrl,
    body: Value,
    headers: Vec<(&'static str, String)>,
    bearer: Option<&'a SecretString>,
    /// What must not be repeated, should the answer do so.
    secrets: Vec<&'a str>,
    /// It may be sent twice: the other side knows it again.
    repeatable: bool,
}

impl Targets {
    pub fn new(ops: Arc<Ops>) -> reqwest::Result<Self> {
        let client = Client::builder()
            .use_rustls_tls()
            .timeout(TIMEOUT)
            .redirect(Policy::none())
            .no_proxy()
            .user_agent(concat!("yardarm/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { ops, client })
    }

    async fn news(&self, row: &OutboxRow) -> Result<News, Error> {
        let (view, why) = match row.subject {
            Subject::Nudge(id) => {
                let (view, why) = self.ops.nudge_view(id).await?;
                (view, Some(why))
            }
            Subject::Alert(id) => (self.ops.alert_view(id).await?, None),
            other => {
                let what = format!("{} is told in Discord alone.", other.mark());
                return Err(Error::Invalid(what));
            }
        };
        let instance = self.ops.instance.as_str().to_owned();
        Ok(News {
            id: format!("{instance}-{}-{}", row.id, row.version),
            link: self.ops.link_to_alert(view.alert.id).await?,
            instance,
            view,
            why,
            now: self.ops.now(),
        })
    }

    async fn send(&self, request: Request<'_>) -> Result<(), Undelivered> {
        let mut builder = self
            .client
            .post(request.url.expose().clone())
            .header("Content-Type", "application/json")
            .body(request.body.to_string());
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        if let Some(token) = request.bearer {
            builder = builder.bearer_auth(token.expose_secret());
        }
        match builder.send().await {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => Err(refused(response, &request.secrets, self.ops.now()).await),
            Err(error) => Err(failed(&error, request.repeatable)),
        }
    }
}

#[async_trait]
impl Notify for Targets {
    async fn notify(&self, row: &OutboxRow, target: &str) -> Result<(), Undelivered> {
        let target = self.ops.target(target).await?;
        let news = self.news(row).await.map_err(|error| {
            Undelivered::Later(format!("its subject could not be read: {error}"))
        })?;
        self.send(request(&target, &news)).await
    }

    async fn ping(&self, signal: Signal, report: String) -> Result<(), Undelivered> {
        let Some(url) = self.ops.ping_url().await? else {
            return Ok(());
        };
        let asked = self.client.post(signal_url(&url, signal)).body(report);
        match asked.send().await {
            Ok(response) if response.status().is_success() => Ok(()),
            Ok(response) => Err(refused(response, &parts(&url), self.ops.now()).await),
            Err(error) => Err(failed(&error, true)),
        }
    }
}

/// As Healthchecks has it, and those who do like it: what is no success stands at the end of the path.
fn signal_url(url: &SecretUrl, signal: Signal) -> Url {
    let mut url = url.expose().clone();
    let end = match signal {
        Signal::Start => "/start",
        Signal::Alive => return url,
        Signal::Ill => "/fail",
    };
    let path = format!("{}{end}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url
}

fn request<'a>(target: &'a Target, news: &News) -> Request<'a> {
    let plain = |url: &'a SecretUrl, body| Request {
        url,
        body,
        headers: Vec::new(),
        bearer: None,
        secrets: parts(url),
        repeatable: target.keeps_state(),
    };
    match target {
        Target::Webhook { url, key } => {
            let body = render::webhook(news);
            Request {
                headers: signed(news, key, &body),
                secrets: [parts(url), vec![key.expose_secret()]].concat(),
                ..plain(url, body)
            }
        }
        Target::Slack { url } => plain(url, render::slack(news)),
        Target::PagerDuty { url, key } => Request {
            secrets: [parts(url), vec![key.expose_secret()]].concat(),
            ..plain(url, render::pagerduty(news, key.expose_secret()))
        },
        Target::Ntfy {
            server,
            topic,
            token,
        } => Request {
            bearer: token.as_ref(),
            secrets: parts(server)
                .into_iter()
                .chain([topic.expose_secret()])
                .chain(token.as_ref().map(SecretString::expose_secret))
                .collect(),
            ..plain(server, render::ntfy(news, topic.expose_secret()))
        },
    }
}

/// What of an address an answer may repeat.
fn parts(url: &SecretUrl) -> Vec<&str> {
    let url = url.expose();
    vec![url.as_str(), url.path(), url.query().unwrap_or_default()]
}

/// Whoever has the key can tell that it is from us, and when it was sent: docs/operations.md says how.
fn signed(news: &News, key: &SecretString, body: &Value) -> Vec<(&'static str, String)> {
    let timestamp = news.now.timestamp().to_string();
    let signature = sign(key, &timestamp, &body.to_string());
    vec![
        ("Idempotency-Key", news.id.clone()),
        ("X-Yardarm-Timestamp", timestamp),
        ("X-Yardarm-Signature", format!("sha256={signature}")),
    ]
}

#[expect(clippy::expect_used, reason = "any length of key will do")]
fn sign(key: &SecretString, timestamp: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes())
        .expect("a key of any length");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// What an answer other than yes asks for.
async fn refused(response: Response, secrets: &[&str], now: DateTime<Utc>) -> Undelivered {
    let status = response.status();
    let asked = response.headers().get(RETRY_AFTER);
    let asked = asked.and_then(|value| wait(value.to_str().ok()?, now));
    let said = said(response, secrets).await;
    let why = format!("it answered {status}{said}");
    if let (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(wait)) =
        (status, asked)
    {
        return Undelivered::LaterBy(why, wait);
    }
    match status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
            Undelivered::Later(why)
        }
        status if status.is_server_error() => Undelivered::Later(why),
        status if status.is_redirection() => Undelivered::Never(format!(
            "{why}: redirects are not followed, give the address they lead to"
        )),
        _ => Undelivered::Never(why),
    }
}

/// What `Retry-After` asks for, in seconds or as a date (RFC 9110, 10.2.3), within reason.
fn wait(text: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
    let text = text.trim();
    let wait = match text.parse::<u32>() {
        Ok(seconds) => TimeDelta::seconds(seconds.into()),
        Err(_) => DateTime::parse_from_rfc2822(text).ok()?.to_utc() - now,
    };
    Some(wait.clamp(TimeDelta::zero(), ASKED_MAX))
}

/// The beginning of an answer, which often says what was wrong.
async fn said(mut response: Response, secrets: &[&str]) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() >= ANSWER_MAX {
            bytes.truncate(ANSWER_MAX);
            break;
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    // What cannot be searched for secrets is not repeated.
    let text = Redactor::new(secrets.iter().copied()).map(|redactor| redactor.redact(&text));
    let line: String = text
        .unwrap_or_default()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SHOWN_MAX)
        .collect();
    if line.trim().is_empty() {
        String::new()
    } else {
        format!(": {}", line.trim())
    }
}

/// No answer came.
fn failed(error: &reqwest::Error, repeatable: bool) -> Undelivered {
    if error.is_builder() {
        return Undelivered::Never("the request could not be made".to_owned());
    }
    if error.is_connect() {
        return Undelivered::Later(format!("it was not reached: {}", root(error)));
    }
    let why = if error.is_timeout() {
        format!("it did not answer in {} s", TIMEOUT.as_secs())
    } else {
        format!("the connection broke: {}", root(error))
    };
    if repeatable {
        Undelivered::Later(why)
    } else {
        Undelivered::InDoubt(why)
    }
}

/// The first cause; what wraps it repeats the address.
fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    if cause.is::<reqwest::Error>() {
        "no more is known".to_owned()
    } else {
        cause.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_seconds_or_a_date_and_never_too_long() {
        let now = DateTime::from_timestamp(1_795_262_400, 0).unwrap();
        for (text, expected) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("86400", Some(3600)),
            ("Sat, 21 Nov 2026 12:10:00 GMT", Some(600)),
            ("Sat, 21 Nov 2026 11:00:00 GMT", Some(0)),
            ("Sun, 22 Nov 2026 12:00:00 GMT", Some(3600)),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            let wait = wait(text, now).map(|wait| wait.num_seconds());
            assert_eq!(wait, expected, "{text}");
        }
    }
}
