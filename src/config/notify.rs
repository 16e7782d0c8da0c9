//! `[[notify]]`: ways out of Discord. Addresses are secrets, since whoever has one can write there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
};

use reqwest::Url;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{Environment, policy::Reader};
use crate::domain::problem::{Problem, shown};

/// Where `PagerDuty` takes events, unless the entry names its European service.
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";
/// Bytes of a file with an address or a key; one that is longer is another file.
const FILE_MAX: usize = 4096;

/// The targets by their names.
pub type Targets = BTreeMap<String, Target>;

/// One target, with what it takes to write to it.
#[derive(Clone, Debug)]
pub enum Target {
    /// JSON, signed with the key.
    Webhook { url: SecretUrl, key: SecretString },
    /// What Slack, Mattermost and their like take.
    Slack { url: SecretUrl },
    /// Events API v2, with the routing key of a service.
    PagerDuty { url: SecretUrl, key: SecretString },
    /// A topic of a server, with its access token if it asks for one.
    Ntfy {
        server: SecretUrl,
        topic: SecretString,
        token: Option<SecretString>,
    },
}

impl Target {
    /// It knows an alert from its beginning to its end, and takes the same news twice as once.
    pub const fn keeps_state(&self) -> bool {
        matches!(self, Self::Webhook { .. } | Self::PagerDuty { .. })
    }
}

/// An address that is shown to nobody.
#[derive(Clone)]
pub struct SecretUrl(Url);

impl SecretUrl {
    pub const fn expose(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretUrl([redacted])")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Webhook,
    Slack,
    Pagerduty,
    Ntfy,
}

/// A way out of Discord, for `notify` of routes. What is secret of it stands in the environment or in files.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NotifyEntry {
    /// What routes call it.
    name: String,
    kind: Kind,
    /// The environment variable that holds the address: required unless `url_file` is given or it is `pagerduty`.
    url_env: Option<String>,
    /// A file that holds the address, instead.
    url_file: Option<PathBuf>,
    /// The environment variable that holds the key: what a `webhook` is signed with, the routing key of `pagerduty`,
    /// the access token of `ntfy` if it asks for one.
    key_env: Option<String>,
    /// A file that holds the key, instead.
    key_file: Option<PathBuf>,
}

/// What routes may name, be the rest of it right or wrong.
pub(super) fn names(entries: &[NotifyEntry]) -> Vec<&str> {
    let names: BTreeSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    names.into_iter().collect()
}

/// Reads all entries, or tells everything that is wrong with them.
pub(super) fn settle(
    entries: &[NotifyEntry],
    environment: &Environment,
) -> Result<Targets, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    let mut targets = Targets::new();
    for (position, entry) in entries.iter().enumerate() {
        let mut reader = Reader::new(format!("notify[{position}]"), &mut problems);
        if entry.name.trim().is_empty() || !names.insert(&entry.name) {
            let message = format!("{} is taken or empty", shown(&entry.name));
            reader.refuse("name", message, "give each target a name of its own");
        }
        if let Some(target) = read(&mut reader, entry, environment) {
            targets.insert(entry.name.clone(), target);
        }
    }
    if problems.is_empty() {
        Ok(targets)
    } else {
        Err(problems)
    }
}

fn read(reader: &mut Reader<'_>, entry: &NotifyEntry, environment: &Environment) -> Option<Target> {
    let url = (entry.url_env.as_deref(), entry.url_file.as_deref());
    let url = given(reader, "url", url, environment);
    let key = (entry.key_env.as_deref(), entry.key_file.as_deref());
    let key = given(reader, "key", key, environment).map(|key| key.map(SecretString::from));
    let url = match (url?, entry.kind) {
        (Some(url), _) => address(reader, &url),
        (None, Kind::Pagerduty) => address(reader, PAGERDUTY),
        (None, _) => missing(reader, "url", "the address"),
    };
    match (entry.kind, key?) {
        (Kind::Webhook, None) => missing(reader, "key", "what to sign with"),
        (Kind::Pagerduty, None) => missing(reader, "key", "the routing key of the service"),
        (Kind::Slack, Some(_)) => {
            reader.refuse("key", "has no use", "leave it out: the address is all");
            None
        }
        (Kind::Webhook, Some(key)) => Some(Target::Webhook { url: url?, key }),
        (Kind::Slack, None) => Some(Target::Slack { url: url? }),
        (Kind::Pagerduty, Some(key)) => Some(Target::PagerDuty { url: url?, key }),
        (Kind::Ntfy, token) => ntfy(reader, url?, token),
    }
}

/// What a variable or a file holds; the outer None if that cannot be had.
#[expect(clippy::option_option, reason = "refused, not given, given")]
pub(super) fn given(
    reader: &mut Reader<'_>,
    what: &str,
    (variable, file): (Option<&str>, Option<&Path>),
    environment: &Environment,
) -> Option<Option<String>> {
    match (variable, file) {
        (None, None) => Some(None),
        (Some(_), Some(_)) => {
            let message = format!("stands beside `{what}_file`");
            reader.refuse(&format!("{what}_env"), message, "keep one of them");
            None
        }
        (Some(variable), None) => {
            let value = environment
                .get(variable)
                .map(|value| value.trim().to_owned());
            if value.is_none() {
                let message = format!("{} is not set", shown(variable));
                let hint = "set that variable in `.env` or in your shell";
                reader.refuse(&format!("{what}_env"), message, hint);
            }
            value.map(Some)
        }
        (None, Some(path)) => match std::fs::read_to_string(path) {
            Ok(text) if text.len() <= FILE_MAX && !text.trim().is_empty() => {
                Some(Some(text.trim().to_owned()))
            }
            Ok(_) => {
                let message = format!("`{}` is empty or too long", path.display());
                reader.refuse(
                    &format!("{what}_file"),
                    message,
                    "put it there, on one line",
                );
                None
            }
            Err(error) => {
                let message = format!("`{}` cannot be read: {error}", path.display());
                reader.refuse(
                    &format!("{what}_file"),
                    message,
                    "name a file that is there",
                );
                None
            }
        },
    }
}

fn missing<T>(reader: &mut Reader<'_>, what: &str, meant: &str) -> Option<T> {
    let hint =
        format!("name the variable or the file that holds {meant}: `{what}_env` or `{what}_file`");
    reader.refuse(what, "is missing", &hint);
    None
}

/// The address is not repeated: it is a secret even where it is wrong.
pub(super) fn address(reader: &mut Reader<'_>, text: &str) -> Option<SecretUrl> {
    let url = Url::parse(text).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if url.is_none() {
        let hint = "it begins with `https://`, or with `http://` in a network that you trust";
        reader.refuse("url", "does not hold an address", hint);
    }
    url.map(SecretUrl)
}

/// ntfy takes JSON at its root; the topic is the last part of the address.
fn ntfy(
    reader: &mut Reader<'_>,
    SecretUrl(mut url): SecretUrl,
    token: Option<SecretString>,
) -> Option<Target> {
    let path = url.path().to_owned();
    let (folder, topic) = path.rsplit_once('/').unwrap_or(("", ""));
    if topic.is_empty() {
        let hint = "end it with the topic, such as `https://ntfy.sh/my-topic`";
        reader.refuse("url", "names no topic", hint);
        return None;
    }
    url.set_path(&format!("{folder}/"));
    Some(Target::Ntfy {
        server: SecretUrl(url),
        topic: SecretString::from(topic),
        token,
    })
}
