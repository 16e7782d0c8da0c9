//! The question to people, and their answers.

use std::{collections::BTreeSet, fmt};

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::{
    action::{Action, Kind},
    agent::Name,
    grant::{Caller, Forbidden, Holder, Need, Rights, Team},
    ids::{ActionId, AllowanceId, ChannelId, FleetId, UserId},
    plan::Plan,
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
        let valid: Vec<&Vote> = self
            .votes
            .iter()
            .filter(|vote| may_answer(vote.user))
            .collect();
        if valid.iter().any(|vote| vote.answer == Answer::Deny) {
            return Tally::Denied;
        }
        let people: BTreeSet<UserId> = valid.iter().map(|vote| vote.user).collect();
        let approving = u32::try_from(people.len()).unwrap_or(u32::MAX);
        match self.ask.approvals.saturating_sub(approving) {
            0 => Tally::Approved,
            more => Tally::Open(more),
        }
    }

    pub fn approvers(&self) -> impl Iterator<Item = UserId> {
        self.votes
            .iter()
            .filter(|vote| vote.answer == Answer::Approve)
            .map(|vote| vote.user)
    }
}

/// What is asked about, as far as it matters who answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub requester: Option<UserId>,
    /// What the action takes of whoever asks for it.
    pub need: Need,
}

/// Why somebody's answer does not count. The text is for that person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("You asked for it yourself: somebody else has to decide. You can withdraw it.")]
    Requester,
    #[error("Others were named to decide this: {}.", list(.0))]
    NotNamed(Vec<Holder>),
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
}

impl Asked {
    fn need(&self, ask: &Ask) -> Need {
        Need {
            level: ask.by.level.unwrap_or(self.need.level),
            on: self.need.on.clone(),
        }
    }
}

/// Whether somebody may answer now: a person of the guild with the level there, one of those named if some are, and
/// not the requester unless the rule says so.
pub fn may_answer(
    ask: &Ask,
    asked: &Asked,
    voter: &Caller,
    (rights, now): (&Rights, DateTime<Utc>),
) -> Result<(), Unfit> {
    if asked.requester == Some(voter.user) && !ask.requester_counts {
        return Err(Unfit::Requester);
    }
    rights.authorise(voter, &asked.need(ask), now)?;
    let named = named(ask, rights);
    let is_named = named.iter().any(|holder| match holder {
        Holder::User(user) => *user == voter.user,
        Holder::Role(role) => voter.roles.contains(role),
        Holder::Team(_) => false,
    });
    if ask.by.is_named() && !is_named {
        return Err(Unfit::NotNamed(named));
    }
    Ok(())
}

/// Those who can answer, people and roles: whom the card mentions. Of those a rule names, people who cannot have the
/// level, whatever roles they may have, are left out. The team that owns the fleet stands first.
pub fn deciders(ask: &Ask, asked: &Asked, (rights, now): (&Rights, DateTime<Utc>)) -> Vec<Holder> {
    let need = asked.need(ask);
    let mut holders = if ask.by.is_named() {
        named(ask, rights)
    } else {
        rights.holders(need.level, &need.on, now)
    };
    holders.retain(|holder| match holder {
        Holder::User(user) => rights.can_reach(*user, &need, now),
        Holder::Role(_) | Holder::Team(_) => true,
    });
    let own = asked
        .requester
        .filter(|_| !ask.requester_counts)
        .map(Holder::User);
    holders.retain(|holder| Some(holder) != own.as_ref());
    let owning = rights.members_owning(&need.on);
    holders.sort_by_key(|holder| !owning.contains(holder));
    holders
}

/// Whether there are enough people to answer. Nobody tells us who has a role: one may stand for any number.
pub fn can_be_met(ask: &Ask, deciders: &[Holder]) -> bool {
    let roles = deciders
        .iter()
        .any(|holder| matches!(holder, Holder::Role(_)));
    roles || u32::try_from(deciders.len()).is_ok_and(|people| people >= ask.approvals)
}

/// Those a rule names, teams as their members.
fn named(ask: &Ask, rights: &Rights) -> Vec<Holder> {
    let teams = ask
        .by
        .teams
        .iter()
        .filter_map(|name| rights.teams.get(name));
    let roles = ask.by.roles.iter().copied().map(Holder::Role);
    let users = ask.by.users.iter().copied().map(Holder::User);
    roles
        .chain(users)
        .chain(teams.flat_map(Team::members))
        .collect()
}

fn list(holders: &[Holder]) -> String {
    let all: Vec<String> = holders.iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// "Approve and allow": somebody may do the same again on a fleet without others being asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    pub id: AllowanceId,
    /// The action whose approval gave it.
    pub action: ActionId,
    pub user: UserId,
    pub kind: Kind,
    pub fleet: FleetId,
    pub fleet_name: Name,
    pub given_by: UserId,
    pub ends_at: DateTime<Utc>,
}

impl fmt::Display for Allowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` in `{}` for <@{}> without asking until <t:{}:R>",
            self.kind,
            self.fleet_name,
            self.user,
            self.ends_at.timestamp()
        )
    }
}

impl Allowance {
    /// As people write which one they mean; grants are plain numbers.
    pub fn label(&self) -> String {
        format!("a{}", self.id)
    }

    fn covers(&self, user: UserId, kind: Kind, fleet: &Name) -> bool {
        self.user == user && self.kind == kind && self.fleet_name == *fleet
    }
}

/// Whether somebody can be allowed to do such a thing again, or does it because they were. What loosens, deletes data,
/// or reaches beyond the agents of the fleets in its plan is asked about each time.
pub fn can_be_allowed(kind: Kind, plan: &Plan) -> bool {
    kind.is_about_agents_alone()
        && !plan.parts.is_empty()
        && !plan.details.volumes
        && plan.loosens().is_empty()
}

/// For how long its requester can be allowed to do the same again, if the rule that asks leaves room for that.
pub fn allowable_for(action: &Action) -> Option<Duration> {
    let plan = action.plan.as_deref()?;
    let length = action.approval.as_deref()?.ask.allowable()?;
    can_be_allowed(action.kind, plan).then_some(length)
}

/// Those of `live` by which nobody has to be asked about what `user` wants: one for each fleet, or none at all.
pub fn covering(live: &[Allowance], (user, kind): (UserId, Kind), plan: &Plan) -> Vec<Allowance> {
    if !can_be_allowed(kind, plan) {
        return Vec::new();
    }
    let fleets: BTreeSet<&Name> = plan.parts.iter().map(|part| &part.fleet).collect();
    let found = fleets.into_iter().map(|fleet| {
        let mut fitting = live.iter().filter(|one| one.covers(user, kind, fleet));
        fitting.next_back().cloned()
    });
    found.collect::<Option<Vec<_>>>().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        action::{Details, tests::action},
        grant::{Grant, Level, Source},
        ids::{GuildId, RoleId},
        pattern::Pattern,
        plan::Part,
    };
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
            ask: Ask::of(approvals),
            rule: "team".to_owned(),
            channel: None,
            asked_at: now,
            expires_at: now + Duration::hours(24),
            decided: None,
            votes: answers.iter().map(vote).collect(),
        }
    }

    #[test]
    fn one_denial_decides() {
        let both = approval(1, &[(1, Answer::Approve), (2, Answer::Deny)]);
        assert_eq!(both.tally(|_| true), Tally::Denied);
        assert_eq!(both.tally(|user| user == UserId(1)), Tally::Approved);
    }

    fn plan(fleets: &[&str], loosens: &[&str]) -> Plan {
        let part = |fleet: &&str| Part {
            agent: Name::parse("scout").unwrap(),
            fleet: Name::parse(fleet).unwrap(),
            container: None,
            now: None,
            then: None,
            loosens: loosens.iter().map(|why| (*why).to_owned()).collect(),
        };
        Plan {
            kind: "remove".to_owned(),
            parts: fleets.iter().map(part).collect(),
            details: Details::default(),
        }
    }

    fn allowance(fleet: &str) -> Allowance {
        Allowance {
            id: AllowanceId(1),
            action: ActionId(1),
            user: UserId(1),
            kind: Kind::Remove,
            fleet: FleetId(1),
            fleet_name: Name::parse(fleet).unwrap(),
            given_by: UserId(2),
            ends_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn an_allowance_covers_all_the_fleets_of_a_plan_or_nothing() {
        let live = [allowance("main"), allowance("spare")];
        let covered = |fleets: &[&str]| {
            let who = (UserId(1), Kind::Remove);
            covering(&live, who, &plan(fleets, &[])).len()
        };
        assert_eq!(covered(&["main"]), 1);
        assert_eq!(covered(&["main", "spare"]), 2);
        assert_eq!(covered(&["main", "prod"]), 0);
        assert_eq!(covered(&[]), 0);
    }

    #[test]
    fn what_loosens_deletes_data_or_reaches_further_is_never_allowed_ahead() {
        let mut data = plan(&["main"], &[]);
        assert!(can_be_allowed(Kind::Remove, &data));
        data.details.volumes = true;
        assert!(!can_be_allowed(Kind::Remove, &data));
        let looser = plan(&["main"], &["memory 1 → 2 MiB"]);
        assert!(!can_be_allowed(Kind::Redeploy, &looser));
        for kind in [
            Kind::SecretRotate,
            Kind::FleetAdd,
            Kind::Adopt,
            Kind::GrantAdd,
        ] {
            assert!(!can_be_allowed(kind, &plan(&["main"], &[])), "{kind}");
        }
    }

    const OLGA: UserId = UserId(1);
    const RAVI: UserId = UserId(2);
    const MINA: UserId = UserId(3);
    const CREW: RoleId = RoleId(20);
    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn grant(holder: Holder, level: Level, fleets: &str) -> Grant {
        Grant {
            id: None,
            holder,
            level,
            fleets: Pattern::parse(fleets).unwrap(),
            until: None,
            source: Source::File,
            granted_by: None,
            created_at: None,
        }
    }

    /// Olga owns all, the crew operates the night, and the team `watch` is Ravi.
    fn rights(more: Vec<Grant>) -> Rights {
        let mut watch = Team::named(Name::parse("watch").unwrap());
        watch.users.insert(RAVI);
        let mut grants = vec![
            grant(Holder::User(OLGA), Level::Owner, "*"),
            grant(Holder::User(RAVI), Level::Maintainer, "main"),
        ];
        grants.extend(more);
        Rights::new(GuildId(1), (grants, vec![watch]), Default::default())
    }

    /// Olga asks to remove something in `main`.
    fn asked() -> Asked {
        Asked {
            requester: Some(OLGA),
            need: Need::fleet(Level::Maintainer, Name::parse("main").unwrap()),
        }
    }

    fn by(users: &[UserId], roles: &[RoleId], teams: &[&str]) -> Ask {
        let mut ask = Ask::of(1);
        ask.by.users = users.to_vec();
        ask.by.roles = roles.to_vec();
        let teams = teams.iter().map(|team| Name::parse(team).unwrap());
        ask.by.teams = teams.collect();
        ask
    }

    fn voter(user: UserId, roles: &[RoleId]) -> Caller {
        Caller {
            user,
            bot: false,
            guild: Some(GuildId(1)),
            roles: roles.to_vec(),
        }
    }

    #[test]
    fn who_may_answer_has_the_level_is_named_if_some_are_and_did_not_ask() {
        let rights = rights(vec![grant(Holder::Role(CREW), Level::Operator, "*")]);
        let answers = |ask: &Ask, voter: &Caller| {
            let answer = may_answer(ask, &asked(), voter, (&rights, NOW));
            match answer {
                Ok(()) => "may",
                Err(Unfit::Requester) => "asked",
                Err(Unfit::NotNamed(_)) => "is not named",
                Err(Unfit::Forbidden(_)) => "lacks the level",
            }
        };
        let own = Ask {
            requester_counts: true,
            ..Ask::of(1)
        };
        let mut high = Ask::of(1);
        high.by.level = Some(Level::Owner);
        let (olga, ravi) = (voter(OLGA, &[]), voter(RAVI, &[CREW]));
        let (mina, program) = (
            voter(MINA, &[CREW]),
            Caller {
                bot: true,
                ..voter(RAVI, &[])
            },
        );
        for (ask, voter, expected) in [
            (&Ask::of(1), &olga, "asked"),
            (&own, &olga, "may"),
            (&Ask::of(1), &ravi, "may"),
            (&Ask::of(1), &mina, "lacks the level"),
            (&Ask::of(1), &program, "lacks the level"),
            (&high, &ravi, "lacks the level"),
            (&by(&[MINA], &[], &[]), &ravi, "is not named"),
            (&by(&[MINA], &[], &[]), &mina, "lacks the level"),
            (&by(&[RAVI], &[], &[]), &ravi, "may"),
            (&by(&[], &[CREW], &[]), &ravi, "may"),
            (&by(&[], &[CREW], &[]), &voter(RAVI, &[]), "is not named"),
            (&by(&[], &[], &["watch"]), &ravi, "may"),
            (&by(&[], &[], &["gone"]), &ravi, "is not named"),
        ] {
            assert_eq!(answers(ask, voter), expected, "{ask} by {voter:?}");
        }
    }

    #[test]
    fn of_those_a_rule_names_only_they_count_who_could_have_the_level() {
        let counted = |ask: &Ask, rights: &Rights| {
            let found = deciders(ask, &asked(), (rights, NOW));
            let names: Vec<String> = found.iter().map(Holder::to_string).collect();
            names.join(" ")
        };
        let named = by(&[OLGA, RAVI, MINA], &[CREW], &[]);
        assert_eq!(counted(&named, &rights(Vec::new())), "<@&20> <@2>");
        // Whoever has that role has the level, and nobody tells us who has it.
        let crew = grant(Holder::Role(CREW), Level::Maintainer, "main");
        assert_eq!(counted(&named, &rights(vec![crew])), "<@&20> <@2> <@3>");
        let elsewhere = grant(Holder::Role(CREW), Level::Owner, "prod");
        assert_eq!(counted(&named, &rights(vec![elsewhere])), "<@&20> <@2>");
        let mut owned = rights(Vec::new());
        let watch = owned.teams.values_mut().next().unwrap();
        watch.owns.insert(Pattern::parse("main").unwrap());
        assert_eq!(
            counted(&named, &owned),
            "<@2> <@&20>",
            "the owning team is first"
        );
        let alone = by(&[MINA], &[], &[]);
        let nobody = deciders(&alone, &asked(), (&rights(Vec::new()), NOW));
        assert!(!can_be_met(&alone, &nobody));
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
            let people: BTreeSet<_> =
                voters.iter().filter(|user| allowed.contains(user)).collect();
            prop_assert_eq!(tally == Tally::Approved, people.len() >= needed as usize);
        }
    }

    #[test]
    fn what_one_is_allowed_is_told_with_its_end() {
        let allowance = allowance("prod");
        assert_eq!(allowance.label(), "a1");
        insta::assert_snapshot!(allowance, @"`remove` in `prod` for <@1> without asking until <t:0:R>");
    }

    #[test]
    fn those_who_approved_are_no_others() {
        let answers = [
            (1, Answer::Approve),
            (2, Answer::Deny),
            (3, Answer::Approve),
        ];
        let approvers: Vec<UserId> = approval(2, &answers).approvers().collect();
        assert_eq!(approvers, [UserId(1), UserId(3)]);
    }

    #[test]
    fn only_what_agents_are_done_in_place_can_be_allowed() {
        assert!(can_be_allowed(Kind::Remove, &plan(&["prod"], &[])));
        assert!(!can_be_allowed(Kind::Reload, &plan(&["prod"], &[])));
        assert!(!can_be_allowed(Kind::Remove, &plan(&[], &[])));
        assert!(!can_be_allowed(Kind::Remove, &plan(&["prod"], &["a port"])));
        let mut volumes = plan(&["prod"], &[]);
        volumes.details.volumes = true;
        assert!(!can_be_allowed(Kind::Remove, &volumes));
    }

    #[test]
    fn one_may_be_allowed_as_much_as_the_rule_that_asks_leaves_room_for() {
        let hour = Duration::hours(1);
        let allowable = |approvals, plan: Plan| {
            let mut question = approval(approvals, &[]);
            question.ask.allow_for = Some(hour);
            allowable_for(&Action {
                plan: Some(Box::new(plan)),
                approval: Some(Box::new(question)),
                ..action(Kind::Remove, Details::default(), &["scout"])
            })
        };
        assert_eq!(allowable(1, plan(&["prod"], &[])), Some(hour));
        assert_eq!(allowable(2, plan(&["prod"], &[])), None);
        assert_eq!(allowable(1, plan(&["prod"], &["a port"])), None);
    }

    #[test]
    fn who_is_not_asked_reads_who_is() {
        let named = Unfit::NotNamed(vec![Holder::User(UserId(7)), Holder::Role(RoleId(8))]);
        insta::assert_snapshot!(named, @"Others were named to decide this: <@7>, <@&8>.");
    }
}
