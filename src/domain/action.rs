//! One requested change, from birth to end.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    agent::Name,
    approval::{Allowance, Approval},
    freeze::Mode,
    grant::{Grant, Level, Team},
    ids::{
        ActionId, AgentId, ChannelId, ContainerId, FleetId, ImageId, InteractionId, MessageId,
        RunId, ScheduleId, UserId,
    },
    plan::Plan,
    schedule::Order,
    secret,
    spec::Spec,
    squelch::Quiet,
};

/// What a template was given: parameter → text.
pub type Arguments = BTreeMap<String, String>;

/// What may be done. The text is how the database and people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "&str", try_from = "String")]
pub enum Kind {
    Deploy,
    Redeploy,
    Rollback,
    Start,
    Stop,
    Restart,
    Pause,
    Resume,
    Remove,
    Adopt,
    FleetCreate,
    FleetDelete,
    FleetAdd,
    TemplateSave,
    TemplateDelete,
    Reload,
    GrantAdd,
    GrantRemove,
    TeamSave,
    TeamDelete,
    SecretSet,
    SecretDelete,
    SecretRotate,
    Freeze,
    Unfreeze,
    AuditExport,
    Silence,
    SilenceEnd,
    Board,
    BoardRemove,
    ScheduleAdd,
    ScheduleRemove,
    SchedulePause,
    ScheduleResume,
    Report,
    Backup,
    Purge,
}

impl Kind {
    pub const ALL: [Self; 37] = [
        Self::Deploy,
        Self::Redeploy,
        Self::Rollback,
        Self::Start,
        Self::Stop,
        Self::Restart,
        Self::Pause,
        Self::Resume,
        Self::Remove,
        Self::Adopt,
        Self::FleetCreate,
        Self::FleetDelete,
        Self::FleetAdd,
        Self::TemplateSave,
        Self::TemplateDelete,
        Self::Reload,
        Self::GrantAdd,
        Self::GrantRemove,
        Self::TeamSave,
        Self::TeamDelete,
        Self::SecretSet,
        Self::SecretDelete,
        Self::SecretRotate,
        Self::Freeze,
        Self::Unfreeze,
        Self::AuditExport,
        Self::Silence,
        Self::SilenceEnd,
        Self::Board,
        Self::BoardRemove,
        Self::ScheduleAdd,
        Self::ScheduleRemove,
        Self::SchedulePause,
        Self::ScheduleResume,
        Self::Report,
        Self::Backup,
        Self::Purge,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Redeploy => "redeploy",
            Self::Rollback => "rollback",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Remove => "remove",
            Self::Adopt => "adopt",
            Self::FleetCreate => "fleet create",
            Self::FleetDelete => "fleet delete",
            Self::FleetAdd => "fleet add",
            Self::TemplateSave => "template save",
            Self::TemplateDelete => "template delete",
            Self::Reload => "reload",
            Self::GrantAdd => "grant add",
            Self::GrantRemove => "grant remove",
            Self::TeamSave => "team save",
            Self::TeamDelete => "team delete",
            Self::SecretSet => "secret set",
            Self::SecretDelete => "secret delete",
            Self::SecretRotate => "secret rotate",
            Self::Freeze => "freeze",
            Self::Unfreeze => "unfreeze",
            Self::AuditExport => "audit export",
            Self::Silence => "silence",
            Self::SilenceEnd => "silence end",
            Self::Board => "board",
            Self::BoardRemove => "board remove",
            Self::ScheduleAdd => "schedule add",
            Self::ScheduleRemove => "schedule remove",
            Self::SchedulePause => "schedule pause",
            Self::ScheduleResume => "schedule resume",
            Self::Report => "report",
            Self::Backup => "backup",
            Self::Purge => "purge",
        }
    }

    /// Whether it concerns everybody, whatever agent it was made from or name it bears: only a grant on `*` counts.
    pub const fn concerns_everything(self) -> bool {
        match self {
            Self::TemplateSave
            | Self::TemplateDelete
            | Self::Reload
            | Self::GrantAdd
            | Self::GrantRemove
            | Self::TeamSave
            | Self::TeamDelete
            | Self::AuditExport
            | Self::Report
            | Self::Backup
            | Self::Purge => true,
            // Of a schedule it matters what it does where.
            Self::ScheduleAdd
            | Self::ScheduleRemove
            | Self::SchedulePause
            | Self::ScheduleResume
            | Self::Deploy
            | Self::Redeploy
            | Self::Rollback
            | Self::Start
            | Self::Stop
            | Self::Restart
            | Self::Pause
            | Self::Resume
            | Self::Remove
            | Self::Adopt
            | Self::FleetCreate
            | Self::FleetDelete
            | Self::FleetAdd
            | Self::Silence
            | Self::SilenceEnd
            | Self::Board
            | Self::BoardRemove
            | Self::SecretSet
            | Self::SecretDelete
            | Self::SecretRotate
            | Self::Freeze
            | Self::Unfreeze => false,
        }
    }

    /// Whether it is about all fleets if none is named, and could be about one.
    pub const fn may_concern_all_fleets(self) -> bool {
        matches!(
            self,
            Self::Freeze
                | Self::Unfreeze
                | Self::SecretSet
                | Self::SecretDelete
                | Self::SecretRotate
                | Self::Silence
                | Self::SilenceEnd
                | Self::Board
                | Self::BoardRemove
        )
    }

    /// The inverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether all it does is done to agents where they are, and all that is to be known of it stands in its plan.
    pub const fn is_about_agents_alone(self) -> bool {
        matches!(
            self,
            Self::Deploy
                | Self::Redeploy
                | Self::Rollback
                | Self::Start
                | Self::Stop
                | Self::Restart
                | Self::Pause
                | Self::Resume
                | Self::Remove
        )
    }

    /// The least level that may ask for it (design.md, section 1).
    pub const fn level(self) -> Level {
        match self {
            Self::Start
            | Self::Restart
            | Self::Resume
            | Self::Stop
            | Self::Pause
            | Self::Freeze => Level::Operator,
            Self::Deploy
            | Self::Redeploy
            | Self::Rollback
            | Self::Remove
            | Self::Adopt
            | Self::FleetCreate
            | Self::FleetDelete
            | Self::FleetAdd
            | Self::TemplateSave
            | Self::TemplateDelete
            | Self::SecretSet
            | Self::SecretDelete
            | Self::SecretRotate
            | Self::Unfreeze
            | Self::Silence
            | Self::SilenceEnd
            | Self::Board
            | Self::BoardRemove
            | Self::ScheduleAdd
            | Self::ScheduleRemove
            | Self::SchedulePause
            | Self::ScheduleResume
            | Self::Report => Level::Maintainer,
            Self::Reload
            | Self::GrantAdd
            | Self::GrantRemove
            | Self::TeamSave
            | Self::TeamDelete
            | Self::AuditExport
            | Self::Backup
            | Self::Purge => Level::Owner,
        }
    }

    /// Whether doing it a second time ends in the same state, so that one cut off may be finished at start.
    pub const fn is_idempotent(self) -> bool {
        matches!(
            self,
            Self::Start
                | Self::Stop
                | Self::Pause
                | Self::Resume
                | Self::Remove
                | Self::FleetAdd
                | Self::Adopt
                | Self::SilenceEnd
                | Self::Board
                | Self::BoardRemove
                | Self::SecretSet
                | Self::SecretDelete
                | Self::ScheduleRemove
                | Self::SchedulePause
                | Self::ScheduleResume
                | Self::Freeze
                | Self::Unfreeze
                | Self::Report
                | Self::Backup
                | Self::Purge
        )
    }
}

impl From<Kind> for &str {
    fn from(kind: Kind) -> Self {
        kind.as_str()
    }
}

impl TryFrom<String> for Kind {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("there is no action `{text}`"))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A person in Discord.
    Chat,
    /// Yardarm itself: what should run and did not.
    Converge,
    /// The command line on Yardarm's host.
    Host,
    /// A schedule that was due.
    Schedule,
    /// Yardarm itself: what was ill.
    Recovery,
}

impl Origin {
    pub const ALL: [Self; 5] = [
        Self::Chat,
        Self::Converge,
        Self::Host,
        Self::Schedule,
        Self::Recovery,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Converge => "converge",
            Self::Host => "host",
            Self::Schedule => "schedule",
            Self::Recovery => "recovery",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.as_str() == text)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The life of an action: `asked` → `pending` → `running` → one of the ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Waits for people: for its requester to confirm, or for others to approve.
    Asked,
    /// Accepted; waits for its turn.
    Pending,
    Running,
    Succeeded,
    Failed,
    /// Yardarm ended in the middle of it.
    Interrupted,
    /// The requester thought better of it.
    Cancelled,
    /// Nobody answered in time.
    Expired,
    /// Somebody who was asked said no.
    Denied,
    /// What was asked for is not what would be done any more.
    Void,
}

impl State {
    pub const ALL: [Self; 10] = [
        Self::Asked,
        Self::Pending,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::Interrupted,
        Self::Cancelled,
        Self::Expired,
        Self::Denied,
        Self::Void,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Denied => "denied",
            Self::Void => "void",
        }
    }

    /// The inverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Nothing more will happen to it.
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Asked | Self::Pending | Self::Running)
    }
}

/// What a kind needs to know beyond its targets. Kept as JSON in the action's row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of one or two kinds"
)]
pub struct Details {
    /// `remove`: the volumes too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub volumes: bool,
    /// An owner takes it without asking anybody.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub break_glass: bool,
    /// Its requester typed what it is about to confirm it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub typed: bool,
    /// Nobody asked for it: people decide, although the rules would let it go.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub proposed: bool,
    /// `deploy`, `redeploy`: fetch the image although it is present.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pull: bool,
    /// `adopt`: whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<ContainerId>,
    /// `fleet …`: which one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fleet: Option<FleetId>,
    /// What the fleet or the template is called, for people and for creation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// `fleet create`: its ops channel. `board …`: where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// `board`: so many messages below it bury it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repost_after: Option<u8>,
    /// `freeze`: how.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// `template save`: the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// `secret …`: which one. Its value is sealed, and elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Box<secret::Subject>>,
    /// `grant …`: which one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    /// `grant remove`: one that an approval gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowance: Option<Allowance>,
    /// By what nobody was asked although the rules would have others asked; one for each fleet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_by: Vec<Allowance>,
    /// `team save`: what it becomes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamChange>,
    /// `silence`, `silence end`: of what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Box<Quiet>>,
    /// `schedule …`: which one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Box<ScheduleChange>>,
    /// `restart`: because this one, which it depends on, was restarted by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<AgentId>,
    /// The run of a schedule that it is: one run is one action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
}

impl Details {
    /// What it is about besides agents, in words for people.
    pub fn subject(&self, kind: Kind) -> Option<String> {
        let said = [
            self.secret.as_ref().map(ToString::to_string),
            self.grant.as_ref().map(ToString::to_string),
            self.allowance.as_ref().map(ToString::to_string),
            self.quiet.as_ref().map(ToString::to_string),
        ];
        said.into_iter()
            .flatten()
            .next()
            .or_else(|| match (kind, self.channel, &self.name) {
                (Kind::Board | Kind::BoardRemove, Some(channel), of) => {
                    let of = of.as_ref().map(|fleet| format!("`{fleet}`"));
                    let of = of.unwrap_or_else(|| "all fleets".to_owned());
                    Some(format!("of {of} in <#{channel}>"))
                }
                (Kind::FleetAdd, _, Some(fleet)) => Some(format!("to `{fleet}`")),
                (_, _, name) => name.as_ref().map(|name| format!("`{name}`")),
            })
    }

    /// Whom it concerns if it has no targets, as far as it is known by a number.
    pub fn scope(&self) -> secret::Scope {
        let allowed = self.allowance.as_ref().map(|allowance| allowance.fleet);
        match (&self.secret, self.fleet.or(allowed)) {
            (Some(subject), _) => subject.scope,
            (None, Some(fleet)) => secret::Scope::Fleet(fleet),
            (None, None) => secret::Scope::All,
        }
    }
}

/// A schedule that is asked for, or one that is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleChange {
    /// None for one that is to be.
    pub id: Option<ScheduleId>,
    pub order: Order,
}

/// A team as it was asked for, and as it was then: nothing is changed if somebody else was faster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamChange {
    pub was: Option<Team>,
    pub to: Team,
}

/// The whole row with its targets: what every card is rendered from.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    pub id: ActionId,
    pub kind: Kind,
    /// None when Yardarm itself asked.
    pub actor: Option<UserId>,
    pub origin: Origin,
    pub reason: Option<String>,
    pub details: Details,
    pub state: State,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    /// One sentence for people once it is over.
    pub outcome: Option<String>,
    pub reply: Option<Reply>,
    /// What it was to do when it was asked for.
    pub plan: Option<Box<Plan>>,
    /// The question to others than the requester, if there is one.
    pub approval: Option<Box<Approval>>,
    pub targets: Vec<Target>,
}

impl Action {
    /// What its requester types where the policy wants that: what it is about, or how many that are.
    pub fn phrase(&self) -> String {
        if let Some(secret) = &self.details.secret {
            return secret.name.clone();
        }
        match (self.targets.as_slice(), &self.details.name) {
            ([only], _) => only.name.to_string(),
            ([], Some(name)) => name.to_string(),
            ([], None) => self.kind.to_string(),
            (several, _) => format!("{} {}", self.kind, several.len()),
        }
    }

    /// Accepted and not over.
    pub const fn is_live(&self) -> bool {
        matches!(self.state, State::Pending | State::Running)
    }
}

/// The message that answers an interaction; it outlives the interaction's token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    pub interaction: InteractionId,
    pub channel: ChannelId,
    /// Unknown until Discord has told it.
    pub message: Option<MessageId>,
}

/// One agent an action is about, and how far it is with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub agent: AgentId,
    pub name: Name,
    pub state: State,
    pub step: Step,
    /// `deploy`, `redeploy`, `rollback`: what it is to become.
    pub spec: Option<Box<Spec>>,
    /// What its template was given, to resolve it anew later.
    pub arguments: Arguments,
    /// `rollback`: the very image of then, although its tag may have moved.
    pub image: Option<ImageId>,
    /// Why it failed, or what people should know.
    pub note: Option<String>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// Where the work on one target stands. Only `Swapped` decides anything at recovery: the registry has moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Waiting,
    Resolving,
    /// Percent, or None while Docker does not know the size.
    Pulling(Option<u8>),
    Creating,
    Stopping,
    Starting,
    Proving,
    Swapped,
    Undoing,
    Done,
}

impl Step {
    /// As the database writes it; percentages are for people only.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Resolving => "resolving",
            Self::Pulling(_) => "pulling",
            Self::Creating => "creating",
            Self::Stopping => "stopping",
            Self::Starting => "starting",
            Self::Proving => "proving",
            Self::Swapped => "swapped",
            Self::Undoing => "undoing",
            Self::Done => "done",
        }
    }

    /// The inverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Waiting,
            Self::Resolving,
            Self::Pulling(None),
            Self::Creating,
            Self::Stopping,
            Self::Starting,
            Self::Proving,
            Self::Swapped,
            Self::Undoing,
            Self::Done,
        ]
        .into_iter()
        .find(|step| step.as_str() == text)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn those(which: impl Fn(Kind) -> bool) -> String {
        let names = Kind::ALL.into_iter().filter(|kind| which(*kind));
        names.map(Kind::as_str).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn each_kind_has_its_least_level() {
        let of = |level: Level| those(|kind| kind.level() == level);
        assert_eq!(of(Level::Viewer), "");
        insta::assert_snapshot!(of(Level::Operator), @"start, stop, restart, pause, resume, freeze");
        insta::assert_snapshot!(of(Level::Maintainer), @"deploy, redeploy, rollback, remove, adopt, fleet create, fleet delete, fleet add, template save, template delete, secret set, secret delete, secret rotate, unfreeze, silence, silence end, board, board remove, schedule add, schedule remove, schedule pause, schedule resume, report");
        insta::assert_snapshot!(of(Level::Owner), @"reload, grant add, grant remove, team save, team delete, audit export, backup, purge");
    }

    #[test]
    fn each_kind_says_what_it_concerns() {
        insta::assert_snapshot!(those(Kind::concerns_everything), @"template save, template delete, reload, grant add, grant remove, team save, team delete, audit export, report, backup, purge");
        insta::assert_snapshot!(those(Kind::may_concern_all_fleets), @"secret set, secret delete, secret rotate, freeze, unfreeze, silence, silence end, board, board remove");
        insta::assert_snapshot!(those(Kind::is_about_agents_alone), @"deploy, redeploy, rollback, start, stop, restart, pause, resume, remove");
    }

    #[test]
    fn what_is_cut_off_is_finished_only_if_twice_is_like_once() {
        insta::assert_snapshot!(those(Kind::is_idempotent), @"start, stop, pause, resume, remove, adopt, fleet add, secret set, secret delete, freeze, unfreeze, silence end, board, board remove, schedule remove, schedule pause, schedule resume, report, backup, purge");
    }

    #[test]
    fn a_kind_stands_in_files_as_people_write_it() {
        let kind = Kind::try_from("silence end".to_owned());
        assert_eq!(kind, Ok(Kind::SilenceEnd));
        assert_eq!(<&str>::from(Kind::SilenceEnd), "silence end");
        assert_eq!(Kind::SilenceEnd.to_string(), "silence end");
        assert_eq!(Origin::Schedule.to_string(), "schedule");
        let none = Kind::try_from("dance".to_owned());
        assert_eq!(none, Err("there is no action `dance`".to_owned()));
    }

    #[test]
    fn only_what_waits_or_works_is_not_over() {
        let open: Vec<State> = State::ALL
            .into_iter()
            .filter(|state| !state.is_over())
            .collect();
        assert_eq!(open, [State::Asked, State::Pending, State::Running]);
    }

    fn named(name: &str) -> Details {
        Details {
            name: Some(Name::parse(name).unwrap()),
            ..Details::default()
        }
    }

    #[test]
    fn what_it_is_about_is_told_in_words() {
        assert_eq!(Details::default().subject(Kind::Reload), None);
        let fleet = named("prod");
        assert_eq!(fleet.subject(Kind::FleetCreate).unwrap(), "`prod`");
        assert_eq!(fleet.subject(Kind::FleetAdd).unwrap(), "to `prod`");
        let mut board = Details {
            channel: Some(ChannelId(7)),
            ..fleet
        };
        assert_eq!(board.subject(Kind::Board).unwrap(), "of `prod` in <#7>");
        assert_eq!(board.subject(Kind::FleetCreate).unwrap(), "`prod`");
        board.name = None;
        assert_eq!(
            board.subject(Kind::BoardRemove).unwrap(),
            "of all fleets in <#7>"
        );
    }

    pub(crate) fn action(kind: Kind, details: Details, targets: &[&str]) -> Action {
        let target = |name: &&str| Target {
            agent: AgentId(1),
            name: Name::parse(name).unwrap(),
            state: State::Asked,
            step: Step::Waiting,
            spec: None,
            arguments: Arguments::new(),
            image: None,
            note: None,
            finished_at: None,
        };
        Action {
            id: ActionId(1),
            kind,
            actor: None,
            origin: Origin::Chat,
            reason: None,
            details,
            state: State::Asked,
            created_at: DateTime::UNIX_EPOCH,
            started_at: None,
            finished_at: None,
            outcome: None,
            reply: None,
            plan: None,
            approval: None,
            targets: targets.iter().map(target).collect(),
        }
    }

    #[test]
    fn whoever_confirms_types_what_it_is_about() {
        let phrase = |kind, details, targets: &[&str]| action(kind, details, targets).phrase();
        assert_eq!(
            phrase(Kind::Remove, Details::default(), &["scout"]),
            "scout"
        );
        assert_eq!(
            phrase(Kind::Stop, Details::default(), &["scout", "guide"]),
            "stop 2"
        );
        assert_eq!(phrase(Kind::FleetDelete, named("prod"), &[]), "prod");
        assert_eq!(phrase(Kind::Unfreeze, Details::default(), &[]), "unfreeze");
    }

    #[test]
    fn an_action_is_live_between_being_accepted_and_its_end() {
        let live = State::ALL.into_iter().filter(|state| {
            let action = action(Kind::Stop, Details::default(), &["scout"]);
            Action {
                state: *state,
                ..action
            }
            .is_live()
        });
        assert_eq!(live.collect::<Vec<_>>(), [State::Pending, State::Running]);
    }

    #[test]
    fn one_without_targets_concerns_whom_it_names() {
        assert_eq!(Details::default().scope(), secret::Scope::All);
        let fleet = Details {
            fleet: Some(FleetId(7)),
            ..Details::default()
        };
        assert_eq!(fleet.scope(), secret::Scope::Fleet(FleetId(7)));
        let scope = secret::Scope::Agent(AgentId(1));
        let subject = secret::Subject::new("KEY".to_owned(), scope, None);
        let secret = Details {
            secret: Some(Box::new(subject)),
            ..fleet
        };
        assert_eq!(secret.scope(), scope);
        assert_eq!(action(Kind::SecretSet, secret, &["scout"]).phrase(), "KEY");
    }
}
