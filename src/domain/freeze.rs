//! The one stop for everything: while a fleet is frozen nothing is begun in it, and what runs stands still.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    action::Kind,
    agent::Name,
    ids::{ActionId, AgentId, ContainerId, FleetId, FreezeId, UserId},
};

/// How agents are made harmless.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Their processes stand still.
    #[default]
    Pause,
    /// They run on and reach nobody.
    Cut,
}

impl Mode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Cut => "cut",
        }
    }

    /// The inverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pause, Self::Cut]
            .into_iter()
            .find(|mode| mode.as_str() == text)
    }
}

/// Who froze what when, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freeze {
    pub id: FreezeId,
    /// None: everything.
    pub fleet: Option<(FleetId, Name)>,
    pub mode: Mode,
    pub action: ActionId,
    pub actor: Option<UserId>,
    pub reason: Option<String>,
    pub since: DateTime<Utc>,
    /// It holds nothing any more; what was is being restored.
    pub thawing: bool,
}

/// An agent that ran when it was frozen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub agent: AgentId,
    /// The container that is stilled; another that comes after it is not yet.
    pub container: Option<ContainerId>,
    pub paused: bool,
    pub cut: bool,
}

impl Freeze {
    pub fn covers(&self, fleet: FleetId) -> bool {
        self.fleet.as_ref().is_none_or(|(id, _)| *id == fleet)
    }

    /// Why something is not done, and the way on.
    pub fn refusal(&self) -> String {
        let fleet = self.fleet.as_ref();
        let fleet = fleet.map_or_else(String::new, |(_, name)| format!(" fleet:{name}"));
        format!(
            "{self} Nothing was changed. `/unfreeze{fleet}` lets it go on; `/stop` and `/remove` work meanwhile."
        )
    }
}

impl fmt::Display for Freeze {
    /// A sentence with who froze it when and why.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fleet {
            Some((_, name)) => write!(f, "`{name}` is frozen")?,
            None => f.write_str("Everything is frozen")?,
        }
        write!(f, " since <t:{}:R>", self.since.timestamp())?;
        if let Some(actor) = self.actor {
            write!(f, " by <@{actor}>")?;
        }
        match &self.reason {
            Some(reason) => write!(f, ", because: {}.", plain(reason).trim_end_matches('.')),
            None => f.write_str("."),
        }
    }
}

/// A reason in somebody else's sentence: short, on one line, and without marks of its own.
fn plain(text: &str) -> String {
    let quiet = |c: char| {
        if c.is_control() {
            ' '
        } else if matches!(c, '`' | '*' | '_' | '~' | '|' | '<' | '@') {
            '\''
        } else {
            c
        }
    };
    text.chars().take(200).map(quiet).collect()
}

impl Kind {
    /// Whether it must wait while its fleet is frozen: all that makes, starts or moves. What only ends agents goes on,
    /// because it serves the same purpose; so does what touches no container, because chat must stay alive.
    pub const fn is_held_by_freeze(self) -> bool {
        matches!(
            self,
            Self::Deploy
                | Self::Redeploy
                | Self::Rollback
                | Self::Start
                | Self::Restart
                | Self::Pause
                | Self::Resume
                | Self::Adopt
                | Self::FleetAdd
                | Self::FleetDelete
                | Self::SecretRotate
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn freeze(fleet: Option<i64>) -> Freeze {
        let name = Name::parse("prod").expect("a name");
        Freeze {
            id: FreezeId(1),
            fleet: fleet.map(|id| (FleetId(id), name)),
            mode: Mode::Pause,
            action: ActionId(1),
            actor: Some(UserId(7)),
            reason: Some("it <spends>\n`money`.".to_owned()),
            since: DateTime::UNIX_EPOCH,
            thawing: false,
        }
    }

    #[test]
    fn it_tells_who_froze_what_when_why_and_the_way_on() {
        insta::assert_snapshot!(freeze(Some(2)).refusal(), @"`prod` is frozen since <t:0:R> by <@7>, because: it 'spends> 'money'. Nothing was changed. `/unfreeze fleet:prod` lets it go on; `/stop` and `/remove` work meanwhile.");
        insta::assert_snapshot!(freeze(None), @"Everything is frozen since <t:0:R> by <@7>, because: it 'spends> 'money'.");
    }

    #[test]
    fn everything_covers_each_fleet() {
        assert!(freeze(None).covers(FleetId(3)));
        assert!(freeze(Some(3)).covers(FleetId(3)));
        assert!(!freeze(Some(2)).covers(FleetId(3)));
    }

    #[test]
    fn what_ends_agents_goes_on() {
        let held: Vec<&str> = Kind::ALL
            .into_iter()
            .filter(|kind| kind.is_held_by_freeze())
            .map(Kind::as_str)
            .collect();
        insta::assert_snapshot!(held.join(", "), @"deploy, redeploy, rollback, start, restart, pause, resume, adopt, fleet delete, fleet add, secret rotate");
    }
}
