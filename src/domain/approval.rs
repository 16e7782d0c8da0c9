//! The question to people, and their answers.

use chrono::{DateTime, Utc};

use super::{
    ids::{ChannelId, UserId},
    policy::Ask,
};

/// What was asked, and what has been answered so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    pub ask: Ask,
    /// The rule that asks.
    pub rule: String,
    /// Where its card stands.
    pub channel: Option<ChannelId>,
    pub asked_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// Whose answer decided, and when.
    pub decided: Option<(UserId, DateTime<Utc>)>,
    /// The latest answer of each person, in the order of their first one.
    pub votes: Vec<Vote>,
}

/// One person's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    pub user: UserId,
    pub answer: Answer,
    pub reason: Option<String>,
    pub at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Approve,
    Deny,
}

impl Answer {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
        }
    }

    /// The inverse of [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Approve, Self::Deny]
            .into_iter()
            .find(|answer| answer.as_str() == text)
    }
}

/// What the answers so far amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tally {
    /// So many more have to approve.
    Open(u32),
    Approved,
    Denied,
}

impl Approval {
    /// Counts the answers of those who may answer now. One denial decides; nobody counts twice.
    pub fn tally(&self, may_answer: impl Fn(UserId) -> bool) -> Tally {
        let mut valid = self.votes.iter().filter(|vote| may_answer(vote.user));
        if valid.clone().any(|vote| vote.answer == Answer::Deny) {
            return Tally::Denied;
        }
        let mut people: Vec<UserId> = valid.by_ref().map(|vote| vote.user).collect();
        people.sort_unstable();
        people.dedup();
        let approving = u32::try_from(people.len()).unwrap_or(u32::MAX);
        match self.ask.approvals.saturating_sub(approving) {
            0 => Tally::Approved,
            more => Tally::Open(more),
        }
    }

    /// The one reminder comes at half time.
    pub fn remind_at(&self) -> DateTime<Utc> {
        self.asked_at + (self.expires_at - self.asked_at) / 2
    }

    pub fn approvers(&self) -> impl Iterator<Item = UserId> {
        self.votes
            .iter()
            .filter(|vote| vote.answer == Answer::Approve)
            .map(|vote| vote.user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn approval(approvals: u32, answers: &[(u64, Answer)]) -> Approval {
        let now = DateTime::UNIX_EPOCH;
        let vote = |(user, answer): &(u64, Answer)| Vote {
            user: UserId(*user),
            answer: *answer,
            reason: None,
            at: now,
        };
        Approval {
            ask: Ask { approvals, ..Ask::default() },
            rule: "team".to_owned(),
            channel: None,
            asked_at: now,
            expires_at: now + chrono::Duration::hours(24),
            decided: None,
            votes: answers.iter().map(vote).collect(),
        }
    }

    #[test]
    fn one_denial_decides_and_the_reminder_comes_at_half_time() {
        let both = approval(1, &[(1, Answer::Approve), (2, Answer::Deny)]);
        assert_eq!(both.tally(|_| true), Tally::Denied);
        assert_eq!(both.tally(|user| user == UserId(1)), Tally::Approved);
        assert_eq!(both.remind_at(), DateTime::UNIX_EPOCH + chrono::Duration::hours(12));
    }

    proptest! {
        #[test]
        fn nothing_is_approved_without_its_quorum(
            needed in 1_u32..5,
            voters in proptest::collection::vec(0_u64..6, 0..12),
            allowed in proptest::collection::btree_set(0_u64..6, 0..6),
        ) {
            let answers: Vec<_> = voters.iter().map(|user| (*user, Answer::Approve)).collect();
            let tally = approval(needed, &answers).tally(|user| allowed.contains(&user.0));
            let people: std::collections::BTreeSet<_> =
                voters.iter().filter(|user| allowed.contains(user)).collect();
            prop_assert_eq!(tally == Tally::Approved, people.len() >= needed as usize);
        }
    }
}
