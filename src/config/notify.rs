//! `[[notify]]`: ways out of Discord. Addresses are secrets, since whoever has one can write there. What the vault holds
//! of them is looked up when something is sent: it may be set, changed and deleted meanwhile.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
};

use reqwest::Url;
use schemars::JsonSchema;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use super::{Environment, policy::Reader};
use crate::domain::{
    problem::{Problem, shown},
    secret::check_name,
};

/// Where `PagerDuty` takes events, unless the entry names its European service.
const PAGERDUTY: &str = "https://events.pagerduty.com/v2/enqueue";
/// Bytes of a file with an address or a key; one that is longer is another file.
const FILE_MAX: usize = 4096;
/// Good for an address as well as for a key.
const PLAUSIBLE: &str = "https://vault.invalid/topic";

/// The targets by their names.
pub type Targets = BTreeMap<String, Outlet>;

/// A target as the settings have it.
#[derive(Clone, Debug)]
pub enum Outlet {
    Open(Target),
    /// The vault holds its address, its key or both.
    Locked(Locked),
}

impl Outlet {
    /// It knows an alert from its beginning to its end, and takes the same news twice as once.
    pub const fn keeps_state(&self) -> bool {
        match self {
            Self::Open(target) => target.keeps_state(),
            Self::Locked(locked) => matches!(locked.kind, Kind::Webhook | Kind::Pagerduty),
        }
    }

    /// The secrets that open it.
    pub fn secrets(&self) -> Vec<&str> {
        match self {
            Self::Open(_) => Vec::new(),
            Self::Locked(locked) => locked.secrets(),
        }
    }
}

/// What is to be completed from the vault.
#[derive(Clone, Debug)]
pub struct Locked {
    kind: Kind,
    url: Part,
    key: Part,
}

impl Locked {
    pub fn secrets(&self) -> Vec<&str> {
        let parts = [&self.url, &self.key].into_iter();
        parts.filter_map(Part::secret).collect()
    }

    /// With the values of [`Self::secrets`]; or what is wrong with them, without repeating any.
    pub fn open(&self, values: &BTreeMap<String, SecretString>) -> Result<Target, String> {
        let mut problems = Vec::new();
        let mut reader = Reader::new("it".to_owned(), &mut problems);
        let parts = (self.url.with(values), self.key.with(values));
        let target = put_together(&mut reader, self.kind, parts);
        target.ok_or_else(|| {
            let told = problems
                .iter()
                .map(|one| format!("`{}` {}", one.at, one.message));
            told.collect::<Vec<_>>().join(", ")
        })
    }
}

/// Where an address or a key stands.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Nowhere,
    Here(SecretString),
    /// In the vault, under this name, for all.
    Vault(String),
}

impl Part {
    fn secret(&self) -> Option<&str> {
        match self {
            Self::Vault(name) => Some(name),
            Self::Nowhere | Self::Here(_) => None,
        }
    }

    fn with(&self, values: &BTreeMap<String, SecretString>) -> Option<SecretString> {
        match self {
            Self::Nowhere => None,
            Self::Here(value) => Some(value.clone()),
            Self::Vault(name) => values.get(name).cloned(),
        }
    }
}

/// Where somebody says that an address or a key stands.
pub(super) struct Said<'a> {
    /// `url` or `key`.
    pub(super) what: &'static str,
    pub(super) variable: Option<&'a str>,
    pub(super) file: Option<&'a Path>,
    pub(super) secret: Option<&'a str>,
}

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
    /// See [`Outlet::keeps_state`].
    pub const fn keeps_state(&self) -> bool {
        matches!(self, Self::Webhook { .. } | Self::PagerDuty { .. })
    }
}

/// An address that is shown to nobody.
#[derive(Clone)]
pub struct SecretUrl(Url);

impl SecretUrl {
    /// None if it is no address of the web.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        url.map(Self)
    }

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

/// A way out of Discord, for `notify` of routes. What is secret of it stands in the environment, in files or in the vault.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NotifyEntry {
    /// What routes call it.
    name: String,
    kind: Kind,
    /// The environment variable that holds the address: required unless one of the next two is given or it is
    /// `pagerduty`.
    url_env: Option<String>,
    /// A file that holds the address, instead.
    url_file: Option<PathBuf>,
    /// The name of a secret for all (`/secret set all:True`) that is the address, instead.
    url_secret: Option<String>,
    /// The environment variable that holds the key: what a `webhook` is signed with, the routing key of `pagerduty`,
    /// the access token of `ntfy` if it asks for one.
    key_env: Option<String>,
    /// A file that holds the key, instead.
    key_file: Option<PathBuf>,
    /// The name of a secret for all that is the key, instead.
    key_secret: Option<String>,
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

fn read(reader: &mut Reader<'_>, entry: &NotifyEntry, environment: &Environment) -> Option<Outlet> {
    let url = Said {
        what: "url",
        variable: entry.url_env.as_deref(),
        file: entry.url_file.as_deref(),
        secret: entry.url_secret.as_deref(),
    };
    let key = Said {
        what: "key",
        variable: entry.key_env.as_deref(),
        file: entry.key_file.as_deref(),
        secret: entry.key_secret.as_deref(),
    };
    let (url, key) = (
        given(reader, &url, environment),
        given(reader, &key, environment),
    );
    let (url, key) = (url?, key?);
    let locked = Locked {
        kind: entry.kind,
        url,
        key,
    };
    // What the vault holds is taken to be right until it is looked up.
    let right = locked.secrets().into_iter();
    let right = right.map(|name| (name.to_owned(), SecretString::from(PLAUSIBLE)));
    let right: BTreeMap<String, SecretString> = right.collect();
    let parts = (locked.url.with(&right), locked.key.with(&right));
    let target = put_together(reader, entry.kind, parts)?;
    Some(if right.is_empty() {
        Outlet::Open(target)
    } else {
        Outlet::Locked(locked)
    })
}

/// A target from its address and its key, each as far as it is given.
fn put_together(
    reader: &mut Reader<'_>,
    kind: Kind,
    (url, key): (Option<SecretString>, Option<SecretString>),
) -> Option<Target> {
    let url = match (url, kind) {
        (Some(url), _) => address(reader, url.expose_secret()),
        (None, Kind::Pagerduty) => address(reader, PAGERDUTY),
        (None, _) => missing(reader, "url", "the address"),
    };
    match (kind, key) {
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

/// Where it stands, with what a variable or a file holds; None if that cannot be had.
pub(super) fn given(
    reader: &mut Reader<'_>,
    said: &Said<'_>,
    environment: &Environment,
) -> Option<Part> {
    let what = said.what;
    let places = [
        ("env", said.variable.is_some()),
        ("file", said.file.is_some()),
        ("secret", said.secret.is_some()),
    ];
    let mut named = places.iter().filter(|(_, is_named)| *is_named);
    if let (Some((first, _)), Some((second, _))) = (named.next(), named.next()) {
        let message = format!("stands beside `{what}_{second}`");
        reader.refuse(&format!("{what}_{first}"), message, "keep one of them");
        return None;
    }
    if let Some(variable) = said.variable {
        return of_environment(reader, (what, variable), environment).map(Part::Here);
    }
    if let Some(file) = said.file {
        return of_file(reader, (what, file)).map(Part::Here);
    }
    let Some(name) = said.secret else {
        return Some(Part::Nowhere);
    };
    if let Err(why) = check_name(name) {
        let message = format!("{} {why}", shown(name));
        reader.refuse(
            &format!("{what}_secret"),
            message,
            "name one of `/secret list`",
        );
        return None;
    }
    Some(Part::Vault(name.to_owned()))
}

fn of_environment(
    reader: &mut Reader<'_>,
    (what, variable): (&str, &str),
    environment: &Environment,
) -> Option<SecretString> {
    let value = environment.get(variable);
    if value.is_none() {
        let message = format!("{} is not set", shown(variable));
        let hint = "export it: `set -a; . ./.env; set +a`, if `.env` has it";
        reader.refuse(&format!("{what}_env"), message, hint);
    }
    value.map(|value| SecretString::from(value.trim()))
}

fn of_file(reader: &mut Reader<'_>, (what, path): (&str, &Path)) -> Option<SecretString> {
    let key = format!("{what}_file");
    match std::fs::read_to_string(path) {
        Ok(text) if text.len() <= FILE_MAX && !text.trim().is_empty() => {
            Some(SecretString::from(text.trim()))
        }
        Ok(_) => {
            let message = format!("`{}` is empty or too long", path.display());
            reader.refuse(&key, message, "put it there, on one line");
            None
        }
        Err(error) => {
            let message = format!("`{}` cannot be read: {error}", path.display());
            reader.refuse(&key, message, "name a file that is there");
            None
        }
    }
}

fn missing<T>(reader: &mut Reader<'_>, what: &str, meant: &str) -> Option<T> {
    let hint = format!(
        "name the variable, the file or the secret that holds {meant}: `{what}_env`, `{what}_file` or `{what}_secret`"
    );
    reader.refuse(what, "is missing", &hint);
    None
}

/// The address is not repeated: it is a secret even where it is wrong.
pub(super) fn address(reader: &mut Reader<'_>, text: &str) -> Option<SecretUrl> {
    let url = SecretUrl::parse(text);
    if url.is_none() {
        let hint = "it begins with `https://`, or with `http://` in a network that you trust";
        reader.refuse("url", "does not hold an address", hint);
    }
    url
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
