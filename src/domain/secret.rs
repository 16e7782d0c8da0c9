//! Secrets: what is known of them without their values.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    agent::Name,
    ids::{AgentId, FleetId, UserId},
};

/// Characters in a secret's name: with an agent's number it fits into the id of a form, which Discord cuts at 100.
pub const NAME_MAX: usize = 56;
/// Bytes in a value: what an engine takes as one environment variable is 128 KiB.
pub const VALUE_MAX: usize = 65_536;

/// Which key sealed something: the beginning of a hash of the key, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub String);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A value that only the key can open, and only in the place that it was sealed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub key: KeyId,
    /// The nonce, then the ciphertext.
    pub bytes: Vec<u8>,
}

/// A row of `secrets`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretId(pub i64);

/// Who is given a secret. The nearest scope wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Agent(AgentId),
    Fleet(FleetId),
    All,
}

impl Scope {
    /// Whether an agent is within it; one that is still to be made has no id.
    fn holds(self, agent: Option<AgentId>, fleet: FleetId) -> bool {
        match self {
            Self::Agent(id) => agent == Some(id),
            Self::Fleet(id) => fleet == id,
            Self::All => true,
        }
    }

    const fn distance(self) -> u8 {
        match self {
            Self::Agent(_) => 0,
            Self::Fleet(_) => 1,
            Self::All => 2,
        }
    }
}

/// A secret as a request means it: by name, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    pub name: String,
    pub scope: Scope,
    /// What the agent or the fleet is called, for people.
    pub whose: Option<Name>,
    /// Who outside of Discord is told by means of it, if that is worth knowing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outlets: Vec<String>,
    /// `secret rotate`: agents that are not made anew, and have the old value as a variable until they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keeping: Vec<Name>,
}

impl Subject {
    pub const fn new(name: String, scope: Scope, whose: Option<Name>) -> Self {
        Self {
            name,
            scope,
            whose,
            outlets: Vec::new(),
            keeping: Vec::new(),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` for ", self.name)?;
        match (self.scope, &self.whose) {
            (Scope::Agent(_), Some(agent)) => write!(f, "`{agent}`"),
            (Scope::Fleet(_), Some(fleet)) => write!(f, "fleet `{fleet}`"),
            (Scope::Agent(_) | Scope::Fleet(_), None) => f.write_str("somebody who is gone"),
            (Scope::All, _) => f.write_str("all agents"),
        }?;
        if !self.outlets.is_empty() {
            write!(f, ", used by {}", self.outlets.join(", "))?;
        }
        if self.keeping.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = self
            .keeping
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        let names = names.join(", ");
        write!(f, ", kept as it was by {names}, stopped, until `/redeploy`")
    }
}

/// Where a secret came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Chat,
    /// It was in the environment of an adopted container.
    Adopted,
}

impl Origin {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Adopted => "adopted",
        }
    }

    /// The inverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Chat, Self::Adopted]
            .into_iter()
            .find(|origin| origin.as_str() == text)
    }
}

/// A secret that is in force, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    pub id: SecretId,
    pub name: String,
    pub scope: Scope,
    pub origin: Origin,
    pub version: i64,
    pub set_by: Option<UserId>,
    pub set_at: DateTime<Utc>,
}

/// What people may know of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub subject: Subject,
    /// None if it comes from Yardarm's environment.
    pub set: Option<Set>,
    /// The agents that are given it.
    pub users: Vec<Name>,
    /// Who outside of Discord is told by means of it.
    pub outlets: Vec<String>,
}

/// When a secret was last set, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set {
    pub at: DateTime<Utc>,
    pub by: Option<UserId>,
    pub origin: Origin,
}

/// The secret of that name that an agent is given, if there is one.
pub fn nearest<'a>(
    secrets: impl IntoIterator<Item = &'a Secret>,
    name: &str,
    agent: Option<AgentId>,
    fleet: FleetId,
) -> Option<&'a Secret> {
    let named = |secret: &&Secret| secret.name == name && secret.scope.holds(agent, fleet);
    secrets
        .into_iter()
        .filter(named)
        .min_by_key(|secret| secret.scope.distance())
}

/// Where an agent's value for a name comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Vault(SecretId, Scope),
    /// A variable of Yardarm's own environment.
    Environment,
    /// Nowhere: it is not set.
    Unset,
}

/// Whether this image and this command were given the secret before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Nobody was given it before, and whoever asks set it, or it is the host's.
    Own,
    /// Nobody was given it before, and somebody else set it.
    Fresh,
    Known,
    /// Others were, and not these.
    Other,
}

/// One secret of a spec, as an agent would be given it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    pub name: String,
    pub source: Source,
    pub binding: Binding,
}

impl Use {
    /// It reaches something that it did not reach before, and that whoever set it did not choose: people must be asked.
    pub fn loosens(&self) -> bool {
        self.source != Source::Unset && matches!(self.binding, Binding::Fresh | Binding::Other)
    }
}

/// That a plan gives a secret to what did not get it before, in words for people.
pub fn given_anew(name: &str) -> String {
    format!("secret `{name}` to an image or command that did not get it before")
}

/// Why a text is no name of a secret, in words that end a sentence.
pub fn check_name(name: &str) -> Result<(), String> {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let fits = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(letter)
        && name.len() <= NAME_MAX;
    if fits {
        return Ok(());
    }
    Err(format!(
        "is no name of a secret: use A–Z, a–z, 0–9 and `_`, beginning with a letter, at most {NAME_MAX}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(id: i64, name: &str, scope: Scope) -> Secret {
        Secret {
            id: SecretId(id),
            name: name.to_owned(),
            scope,
            origin: Origin::Chat,
            version: 1,
            set_by: None,
            set_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_nearest_scope_wins_whatever_the_order() {
        let (scout, north) = (AgentId(1), FleetId(1));
        let mut all = vec![
            secret(1, "KEY", Scope::All),
            secret(2, "KEY", Scope::Fleet(north)),
            secret(3, "KEY", Scope::Agent(scout)),
            secret(4, "OTHER", Scope::Agent(scout)),
        ];
        for _ in 0..all.len() {
            all.rotate_left(1);
            let of = |agent, fleet| nearest(&all, "KEY", agent, fleet).map(|found| found.id.0);
            assert_eq!(of(Some(scout), north), Some(3));
            assert_eq!(of(Some(AgentId(2)), north), Some(2));
            assert_eq!(of(None, north), Some(2));
            assert_eq!(of(Some(AgentId(2)), FleetId(2)), Some(1));
        }
        assert_eq!(nearest(&all, "NONE", Some(scout), north), None);
    }

    #[test]
    fn what_people_are_told_names_the_secret_and_the_key() {
        assert_eq!(KeyId("ab12".to_owned()).to_string(), "ab12");
        assert_eq!(
            given_anew("KEY"),
            "secret `KEY` to an image or command that did not get it before"
        );
    }

    #[test]
    fn names_are_those_of_variables() {
        for name in ["KEY", "_k", "Api_Key2"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", "2KEY", "A-B", "a b", "A/../B", "É", &"A".repeat(57)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn only_a_use_that_nobody_chose_loosens() {
        let loosens = |source, binding| {
            let name = "KEY".to_owned();
            Use {
                name,
                source,
                binding,
            }
            .loosens()
        };
        assert!(loosens(Source::Environment, Binding::Other));
        assert!(!loosens(Source::Environment, Binding::Known));
        assert!(!loosens(Source::Environment, Binding::Own));
        assert!(loosens(
            Source::Vault(SecretId(1), Scope::All),
            Binding::Fresh
        ));
        assert!(!loosens(Source::Unset, Binding::Other));
    }

    #[test]
    fn a_secret_is_named_with_whom_it_is_for() {
        let named = |scope, whose: Option<&str>| {
            let whose = whose.map(|name| Name::parse(name).unwrap());
            Subject::new("KEY".to_owned(), scope, whose)
        };
        let said = |scope, whose| named(scope, whose).to_string();
        assert_eq!(said(Scope::All, None), "`KEY` for all agents");
        assert_eq!(
            said(Scope::Agent(AgentId(1)), Some("scout")),
            "`KEY` for `scout`"
        );
        assert_eq!(
            said(Scope::Fleet(FleetId(1)), Some("prod")),
            "`KEY` for fleet `prod`"
        );
        assert_eq!(
            said(Scope::Fleet(FleetId(1)), None),
            "`KEY` for somebody who is gone"
        );
        let kept = Subject {
            outlets: vec!["pager".to_owned(), "hook".to_owned()],
            keeping: vec![Name::parse("scout").unwrap(), Name::parse("guide").unwrap()],
            ..named(Scope::All, None)
        };
        insta::assert_snapshot!(kept, @"`KEY` for all agents, used by pager, hook, kept as it was by `scout`, `guide`, stopped, until `/redeploy`");
    }
}
