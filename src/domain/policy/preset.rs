//! What counts where the settings say nothing: the table of default policies in docs/security.md.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Ask, Effect, Match, Policy};
use crate::domain::action::{Kind, Origin};

/// How many people there are to ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// What is grave needs one other person.
    #[default]
    Team,
    /// What is grave is confirmed by typing the name.
    Solo,
}

impl Preset {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Team => "team",
            Self::Solo => "solo",
        }
    }

    /// Rules for every kind of action.
    pub fn policies(self) -> Vec<Policy> {
        let rule = |name: &str, when: Match, effect: Effect| Policy {
            name: format!("{}: {name}", self.as_str()),
            when,
            effect,
        };
        vec![
            rule("on the host", on_the_host(), Effect::Allow),
            rule("Yardarm itself", by_yardarm(), Effect::Allow),
            rule("a second person", second_person(), Effect::Confirm),
            rule("several at once", several(), self.grave()),
            rule("what loosens", loosening(), self.grave()),
            rule("grave", grave(), self.grave()),
            rule("everyday", everyday(), Effect::Allow),
        ]
    }

    fn grave(self) -> Effect {
        match self {
            Self::Team => Effect::Ask(Ask::of(1)),
            Self::Solo => Effect::Confirm,
        }
    }
}

/// Whoever sits there holds the database and the engine anyway.
fn on_the_host() -> Match {
    Match {
        origins: vec![Origin::Host],
        ..Match::default()
    }
}

/// What should run is started without asking: that was decided when it was deployed.
fn by_yardarm() -> Match {
    Match {
        actions: vec![Kind::Start, Kind::Restart, Kind::Resume],
        origins: vec![Origin::Converge, Origin::Recovery],
        ..Match::default()
    }
}

/// An only owner has nobody to ask, and must be able to change that; for all else there is somebody then.
fn second_person() -> Match {
    Match {
        actions: vec![Kind::GrantAdd, Kind::TeamSave],
        sole_owner: Some(true),
        ..Match::default()
    }
}

fn several() -> Match {
    Match {
        actions: vec![Kind::Stop, Kind::Pause, Kind::Restart],
        several: Some(true),
        ..Match::default()
    }
}

fn loosening() -> Match {
    Match {
        actions: vec![Kind::Deploy, Kind::Redeploy, Kind::Rollback],
        loosens: Some(true),
        ..Match::default()
    }
}

fn grave() -> Match {
    Match {
        actions: vec![
            Kind::Remove,
            Kind::SecretSet,
            Kind::SecretDelete,
            Kind::SecretRotate,
            Kind::GrantAdd,
            Kind::GrantRemove,
            Kind::TeamSave,
            Kind::TeamDelete,
            Kind::Unfreeze,
        ],
        ..Match::default()
    }
}

/// By name, so that a kind that is new is denied until somebody has thought about it.
fn everyday() -> Match {
    Match {
        actions: vec![
            Kind::Start,
            Kind::Restart,
            Kind::Resume,
            Kind::Stop,
            Kind::Pause,
            Kind::Freeze,
            Kind::Deploy,
            Kind::Redeploy,
            Kind::Rollback,
            Kind::Adopt,
            Kind::FleetCreate,
            Kind::FleetDelete,
            Kind::FleetAdd,
            Kind::TemplateSave,
            Kind::TemplateDelete,
            Kind::Reload,
            Kind::AuditExport,
            Kind::Silence,
            Kind::SilenceEnd,
            Kind::Board,
            Kind::BoardRemove,
            Kind::ScheduleAdd,
            Kind::ScheduleRemove,
            Kind::SchedulePause,
            Kind::ScheduleResume,
            Kind::Report,
            Kind::Backup,
            Kind::Purge,
        ],
        ..Match::default()
    }
}
