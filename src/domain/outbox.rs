//! Messages to be sent, as rows that name a subject; what is true is rendered when it is delivered.

use chrono::{DateTime, TimeDelta, Utc};

use super::ids::{ActionId, AlertId, BoardId, ChannelId, MessageId, NudgeId, OutboxId, RunId};

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The card of an action.
    Action(ActionId),
    /// What the start with this number found cut off.
    Start(i64),
    /// The question to people about an action.
    Approval(ActionId),
    /// How an action ended that people were asked about: a reply to that question.
    Result(ActionId),
    /// That a question is still open at half time: another reply to it.
    Reminder(ActionId),
    /// An action that an owner took without asking.
    BreakGlass(ActionId),
    /// The last row of the audit on a day.
    Anchor(i64),
    /// A run of a schedule that could not be, or that had the schedule paused.
    Schedule(RunId),
    /// The report that an action asked for.
    Report(ActionId),
    /// The card of a group of incidents.
    Alert(AlertId),
    /// The thread that card has: no message of its own.
    Thread(AlertId),
    /// That people are notified of it once more: in that thread, or as a reply to that card.
    Nudge(NudgeId),
    /// The live picture of a fleet.
    Board(BoardId),
}

impl Subject {
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Action(_) => "action",
            Self::Start(_) => "start",
            Self::Approval(_) => "approval",
            Self::Result(_) => "result",
            Self::Reminder(_) => "reminder",
            Self::BreakGlass(_) => "break-glass",
            Self::Anchor(_) => "anchor",
            Self::Schedule(_) => "schedule",
            Self::Report(_) => "report",
            Self::Alert(_) => "alert",
            Self::Thread(_) => "thread",
            Self::Nudge(_) => "nudge",
            Self::Board(_) => "board",
        }
    }

    pub const fn number(self) -> i64 {
        match self {
            Self::Action(id)
            | Self::Approval(id)
            | Self::Result(id)
            | Self::Reminder(id)
            | Self::BreakGlass(id)
            | Self::Report(id) => id.0,
            Self::Start(number) | Self::Anchor(number) => number,
            Self::Schedule(id) => id.0,
            Self::Alert(id) | Self::Thread(id) => id.0,
            Self::Nudge(id) => id.0,
            Self::Board(id) => id.0,
        }
    }

    pub fn parse(kind: &str, number: i64) -> Option<Self> {
        match kind {
            "action" => Some(Self::Action(ActionId(number))),
            "start" => Some(Self::Start(number)),
            "approval" => Some(Self::Approval(ActionId(number))),
            "result" => Some(Self::Result(ActionId(number))),
            "reminder" => Some(Self::Reminder(ActionId(number))),
            "break-glass" => Some(Self::BreakGlass(ActionId(number))),
            "anchor" => Some(Self::Anchor(number)),
            "report" => Some(Self::Report(ActionId(number))),
            "schedule" => Some(Self::Schedule(RunId(number))),
            "alert" => Some(Self::Alert(AlertId(number))),
            "thread" => Some(Self::Thread(AlertId(number))),
            "nudge" => Some(Self::Nudge(NudgeId(number))),
            "board" => Some(Self::Board(BoardId(number))),
            _ => None,
        }
    }

    /// What its message carries, so that one sent just before a crash is found in the channel again.
    pub fn mark(self) -> String {
        format!("{} {}", self.kind(), self.number())
    }
}

/// What the message about several subjects carries.
pub fn digest_mark(subjects: &[Subject]) -> String {
    let marks: Vec<String> = subjects.iter().map(|subject| subject.mark()).collect();
    format!("digest: {}", marks.join(", "))
}

/// A message that tells of a subject already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Its own, to be edited.
    Own(MessageId),
    /// One about several.
    Digest,
}

/// What the last line of a message of ours tells of a subject.
pub fn sent_by(line: &str, subject: Subject, message: MessageId) -> Option<Sent> {
    let line = line.strip_prefix("-# ")?;
    let mark = subject.mark();
    if let Some(marks) = line.strip_prefix("digest: ") {
        return marks
            .split(", ")
            .any(|one| one == mark)
            .then_some(Sent::Digest);
    }
    let rest = line.strip_prefix(&mark)?;
    (rest.is_empty() || rest.starts_with(' ')).then_some(Sent::Own(message))
}

/// Where rows leave: a target that is slow must not hold up Discord, nor the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Channels,
    /// The `[[notify]]` entries.
    Targets,
}

/// However long a target asks us to wait: it may be well before that.
pub const ASKED_MAX: TimeDelta = TimeDelta::hours(1);

impl Exit {
    /// No message is put off for so long: if one is due only after that, the clock was set back meanwhile.
    pub const fn latest(self) -> TimeDelta {
        match self {
            Self::Channels => TimeDelta::minutes(10),
            Self::Targets => TimeDelta::minutes(ASKED_MAX.num_minutes() + 1),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    pub id: OutboxId,
    /// 0 if it goes to a target.
    pub channel: ChannelId,
    /// The `[[notify]]` entry that it goes to instead of a channel.
    pub target: Option<String>,
    pub subject: Subject,
    /// Grows whenever the subject changes; a delivery settles the version it began with.
    pub version: i64,
    /// The message to edit; None to send a new one.
    pub message: Option<MessageId>,
    pub attempts: i64,
    /// A send was begun whose end nobody knows.
    pub in_doubt: bool,
    pub created_at: DateTime<Utc>,
}

/// How long to wait before the next try: 1 s doubling to 5 min.
pub fn backoff(attempts: i64) -> chrono::Duration {
    let doublings = u32::try_from(attempts.clamp(0, 9)).unwrap_or(9);
    chrono::Duration::seconds((1_i64 << doublings).min(300))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_where_it_stands_alone() {
        let (subject, message) = (Subject::Action(ActionId(1)), MessageId(7));
        let sent = |line: &str| sent_by(line, subject, message);
        assert_eq!(sent("-# action 1"), Some(Sent::Own(message)));
        assert_eq!(sent("-# action 1 · by Yardarm"), Some(Sent::Own(message)));
        assert_eq!(sent("-# action 12 · by Yardarm"), None);
        assert_eq!(sent("action 1"), None);
        let digest = digest_mark(&[Subject::Start(1), subject]);
        assert_eq!(sent(&format!("-# {digest}")), Some(Sent::Digest));
        assert_eq!(sent("-# digest: action 12, start 1"), None);
    }

    #[test]
    fn backoff_doubles_and_is_capped() {
        let seconds: Vec<_> = [0, 1, 2, 8, 9, 50].map(|n| backoff(n).num_seconds()).into();
        assert_eq!(seconds, [1, 2, 4, 256, 300, 300]);
    }

    #[test]
    fn every_subject_is_read_as_it_is_written() {
        let kinds = [
            "action",
            "start",
            "approval",
            "result",
            "reminder",
            "break-glass",
            "anchor",
            "schedule",
            "report",
            "alert",
            "thread",
            "nudge",
            "board",
        ];
        for kind in kinds {
            let subject = Subject::parse(kind, 7).unwrap();
            assert_eq!((subject.kind(), subject.number()), (kind, 7));
        }
        assert_eq!(Subject::parse("gossip", 7), None);
    }
}
