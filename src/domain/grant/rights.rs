//! The one decision: may this caller do that there, now?

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use chrono::{DateTime, Utc};

use super::{Caller, Grant, Holder, Level, Team};
use crate::domain::{
    agent::Name,
    ids::{GuildId, RoleId, UserId},
    pattern::Pattern,
};

/// Names told in a refusal; more help nobody.
const HOLDERS_TOLD: usize = 5;

/// Where a level is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// What concerns the whole instance: only a grant on `*` counts.
    Everything,
    /// Each of these. None of them is as good as everything.
    Fleets(Vec<Name>),
    /// Some fleet, whichever.
    Anywhere,
}

/// What something takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    pub level: Level,
    pub on: Scope,
}

impl Need {
    pub const fn everything(level: Level) -> Self {
        Self {
            level,
            on: Scope::Everything,
        }
    }

    pub fn fleet(level: Level, fleet: Name) -> Self {
        Self {
            level,
            on: Scope::Fleets(vec![fleet]),
        }
    }

    /// To look around; what is shown then is what may be seen.
    pub const fn look() -> Self {
        Self {
            level: Level::Viewer,
            on: Scope::Anywhere,
        }
    }
}

/// Why somebody may not. The text is for that person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    #[error("Yardarm works in its server, not in direct messages. Ask there.")]
    DirectMessage,
    #[error(
        "Yardarm serves another server. Ask its owner to set `discord.guild` if this should be the one."
    )]
    OtherGuild,
    #[error("Yardarm takes orders from people, not from programs. Press or type it yourself.")]
    Program,
    #[error(
        "Nobody may use Yardarm yet. On its host, run `yardarm claim`; then type `/claim` here and enter the code it prints."
    )]
    Unclaimed,
    #[error(
        "You need {level} {there}; {}. {}",
        who_has_it(holders),
        way_out(*owned)
    )]
    Missing {
        level: Level,
        there: Place,
        /// Who has it: people and roles.
        holders: Vec<Holder>,
        /// Whether there is an owner to ask.
        owned: bool,
    },
}

/// Where a level is missing, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(pub Scope);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Scope::Everything => f.write_str("on all fleets (`*`)"),
            Scope::Fleets(fleets) => {
                let quoted: Vec<String> = fleets.iter().map(|fleet| format!("`{fleet}`")).collect();
                write!(f, "on {}", quoted.join(" and "))
            }
            Scope::Anywhere => f.write_str("on some fleet"),
        }
    }
}

const fn way_out(owned: bool) -> &'static str {
    if owned {
        "An owner can grant it: `/grant add`."
    } else {
        "There is no owner to grant it: on the host, run `yardarm claim`, then type `/claim` here."
    }
}

fn who_has_it(holders: &[Holder]) -> String {
    let told: Vec<String> = holders
        .iter()
        .take(HOLDERS_TOLD)
        .map(Holder::to_string)
        .collect();
    match holders.len() {
        0 => "nobody has it".to_owned(),
        1 => format!("{} has it", told.join("")),
        count if count > HOLDERS_TOLD => {
            format!("{} and others have it", told.join(", "))
        }
        _ => format!("{} have it", told.join(", ")),
    }
}

/// All grants and teams, from the settings and the database, and the one guild in which roles count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    pub home: GuildId,
    pub grants: Vec<Grant>,
    pub teams: BTreeMap<Name, Team>,
}

impl Rights {
    /// What the settings say and what the database keeps. Of two teams with one name the file's counts.
    pub fn new(
        home: GuildId,
        (grants, teams): (Vec<Grant>, Vec<Team>),
        (kept_grants, kept_teams): (Vec<Grant>, Vec<Team>),
    ) -> Self {
        let teams = kept_teams.into_iter().chain(teams);
        Self {
            home,
            grants: grants.into_iter().chain(kept_grants).collect(),
            teams: teams.map(|team| (team.name.clone(), team)).collect(),
        }
    }

    /// The one rule for commands, buttons, selects, modals, autocomplete and schedules. Returns the caller's level
    /// there: on several fleets the lowest, anywhere the highest.
    pub fn authorise(
        &self,
        caller: &Caller,
        need: &Need,
        now: DateTime<Utc>,
    ) -> Result<Level, Forbidden> {
        self.admit(caller, now)?;
        let held = self.level_in(caller, &need.on, now);
        held.filter(|level| *level >= need.level)
            .ok_or_else(|| self.missing(caller, need, now))
    }

    /// What a caller may do on a fleet; None means not even see it.
    pub fn level_on(&self, caller: &Caller, fleet: &Name, now: DateTime<Utc>) -> Option<Level> {
        self.admit(caller, now).ok()?;
        let granted = self
            .of(caller, now)
            .filter(|grant| grant.fleets.matches(fleet.as_str()))
            .map(|grant| grant.level);
        let owned = self.teams_of(caller).filter(|team| team.owns(fleet));
        granted.chain(owned.map(|_| Level::Maintainer)).max()
    }

    pub fn sees(&self, caller: &Caller, fleet: &Name, now: DateTime<Utc>) -> bool {
        self.level_on(caller, fleet, now).is_some()
    }

    /// People and roles that have at least this level there, roles first. Teams stand as their members.
    pub fn holders(&self, level: Level, on: &Scope, now: DateTime<Utc>) -> Vec<Holder> {
        let granted = self
            .grants
            .iter()
            .filter(|grant| grant.level >= level && grant.is_live(now) && covers(grant, on))
            .flat_map(|grant| self.mentionable(&grant.holder));
        let owning = self
            .teams
            .values()
            .filter(|team| level <= Level::Maintainer && owns_all(team, on))
            .flat_map(Team::members);
        let found: BTreeSet<Holder> = granted.chain(owning).collect();
        let (roles, people): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|holder| matches!(holder, Holder::Role(_)));
        roles.into_iter().chain(people).collect()
    }

    /// Whether somebody could have the level there: nobody tells us which roles they have, so they may have all.
    pub fn can_reach(&self, user: UserId, need: &Need, now: DateTime<Utc>) -> bool {
        let with_all = Caller {
            user,
            bot: false,
            guild: Some(self.home),
            roles: self.roles(now).into_iter().collect(),
        };
        self.authorise(&with_all, need, now).is_ok()
    }

    /// The people and roles of the teams that own all that is touched: they are asked first.
    pub fn members_owning(&self, on: &Scope) -> BTreeSet<Holder> {
        let owning = self.teams.values().filter(|team| owns_all(team, on));
        owning.flat_map(Team::members).collect()
    }

    /// Somebody decides who may do what, at least for now.
    pub fn has_owner(&self, now: DateTime<Utc>) -> bool {
        self.grants.iter().any(|grant| {
            grant.owns_everything(now) && self.mentionable(&grant.holder).next().is_some()
        })
    }

    /// Somebody known owns everything without an end. Roles do not count: nobody tells us who has one.
    pub fn has_lasting_owner(&self) -> bool {
        self.grants.iter().any(|grant| {
            grant.level == Level::Owner
                && grant.fleets.is_everything()
                && grant.until.is_none()
                && self
                    .mentionable(&grant.holder)
                    .any(|holder| matches!(holder, Holder::User(_)))
        })
    }

    /// Every role that was granted something or is in a team.
    pub fn roles(&self, now: DateTime<Utc>) -> BTreeSet<RoleId> {
        let granted = self.grants.iter().filter(|grant| grant.is_live(now));
        let granted = granted.filter_map(|grant| match grant.holder {
            Holder::Role(role) => Some(role),
            Holder::User(_) | Holder::Team(_) => None,
        });
        let teams = self.teams.values().flat_map(|team| &team.roles).copied();
        granted.chain(teams).collect()
    }

    /// A holder as people and roles. A team that is gone is nobody.
    fn mentionable(&self, holder: &Holder) -> impl Iterator<Item = Holder> {
        let team = match holder {
            Holder::Team(name) => self.teams.get(name),
            Holder::User(_) | Holder::Role(_) => None,
        };
        let own = (!matches!(holder, Holder::Team(_))).then(|| holder.clone());
        own.into_iter()
            .chain(team.into_iter().flat_map(Team::members))
    }

    /// What nobody gets past, whatever they are granted: a person in the served guild.
    pub fn greet(&self, caller: &Caller) -> Result<(), Forbidden> {
        match caller.guild {
            None => Err(Forbidden::DirectMessage),
            Some(guild) if guild != self.home => Err(Forbidden::OtherGuild),
            Some(_) if caller.bot => Err(Forbidden::Program),
            Some(_) => Ok(()),
        }
    }

    fn admit(&self, caller: &Caller, now: DateTime<Utc>) -> Result<(), Forbidden> {
        self.greet(caller)?;
        if !self.grants.iter().any(|grant| grant.is_live(now)) && self.no_team_owns() {
            return Err(Forbidden::Unclaimed);
        }
        Ok(())
    }

    fn no_team_owns(&self) -> bool {
        self.teams.values().all(|team| team.owns.is_empty())
    }

    fn level_in(&self, caller: &Caller, on: &Scope, now: DateTime<Utc>) -> Option<Level> {
        match on {
            Scope::Fleets(fleets) if !fleets.is_empty() => {
                let levels = fleets.iter().map(|fleet| self.level_on(caller, fleet, now));
                // None, which is no level, is the lowest.
                levels.min().flatten()
            }
            Scope::Everything | Scope::Fleets(_) => {
                let granted = self.of(caller, now);
                let granted = granted
                    .filter(|grant| grant.fleets.is_everything())
                    .map(|grant| grant.level);
                let owned = self.teams_of(caller).filter(|team| owns_all(team, on));
                granted.chain(owned.map(|_| Level::Maintainer)).max()
            }
            Scope::Anywhere => {
                let granted = self.of(caller, now).map(|grant| grant.level);
                let owned = self.teams_of(caller).filter(|team| !team.owns.is_empty());
                granted.chain(owned.map(|_| Level::Maintainer)).max()
            }
        }
    }

    /// The grants that count for a caller now.
    fn of<'a>(&'a self, caller: &'a Caller, now: DateTime<Utc>) -> impl Iterator<Item = &'a Grant> {
        let held = |grant: &&Grant| match &grant.holder {
            Holder::User(id) => *id == caller.user,
            Holder::Role(id) => caller.roles.contains(id),
            Holder::Team(name) => self
                .teams
                .get(name)
                .is_some_and(|team| team.includes(caller)),
        };
        self.grants
            .iter()
            .filter(move |grant| grant.is_live(now))
            .filter(held)
    }

    fn teams_of<'a>(&'a self, caller: &'a Caller) -> impl Iterator<Item = &'a Team> {
        self.teams.values().filter(|team| team.includes(caller))
    }

    /// Of several fleets only those that lack it are told.
    fn missing(&self, caller: &Caller, need: &Need, now: DateTime<Utc>) -> Forbidden {
        let on = match &need.on {
            Scope::Fleets(fleets) => {
                let lacks = |fleet: &&Name| self.level_on(caller, fleet, now) < Some(need.level);
                let mut lacking: Vec<Name> = fleets.iter().filter(lacks).cloned().collect();
                lacking.sort();
                lacking.dedup();
                if lacking.is_empty() {
                    Scope::Everything
                } else {
                    Scope::Fleets(lacking)
                }
            }
            other => other.clone(),
        };
        Forbidden::Missing {
            level: need.level,
            holders: self.holders(need.level, &on, now),
            owned: self.has_owner(now),
            there: Place(on),
        }
    }
}

impl Forbidden {
    /// The level that is missing, if one would help.
    pub const fn level(&self) -> Option<Level> {
        match self {
            Self::Missing { level, .. } => Some(*level),
            _ => None,
        }
    }
}

fn covers(grant: &Grant, on: &Scope) -> bool {
    match on {
        Scope::Fleets(fleets) if !fleets.is_empty() => fleets
            .iter()
            .all(|fleet| grant.fleets.matches(fleet.as_str())),
        Scope::Everything | Scope::Fleets(_) => grant.fleets.is_everything(),
        Scope::Anywhere => true,
    }
}

fn owns_all(team: &Team, on: &Scope) -> bool {
    match on {
        Scope::Fleets(fleets) if !fleets.is_empty() => fleets.iter().all(|fleet| team.owns(fleet)),
        Scope::Everything | Scope::Fleets(_) => team.owns.iter().any(Pattern::is_everything),
        Scope::Anywhere => !team.owns.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{
        grant::Source,
        ids::{RoleId, UserId},
    };

    const HOME: GuildId = GuildId(1);
    const OLGA: UserId = UserId(10);
    const RAVI: UserId = UserId(11);
    const MINA: UserId = UserId(12);
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

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn by(user: UserId, roles: &[RoleId]) -> Caller {
        Caller {
            user,
            bot: false,
            guild: Some(HOME),
            roles: roles.to_vec(),
        }
    }

    /// Olga owns all, the crew operates `prod-*`, the night watch (Mina) owns `night`.
    fn rights() -> Rights {
        let grants = vec![
            grant(Holder::User(OLGA), Level::Owner, "*"),
            grant(Holder::Role(CREW), Level::Operator, "prod-*"),
            grant(Holder::Team(name("watch")), Level::Viewer, "*"),
        ];
        let watch = Team {
            name: name("watch"),
            users: BTreeSet::from([MINA]),
            roles: BTreeSet::new(),
            owns: BTreeSet::from([Pattern::parse("night").unwrap()]),
            source: Source::File,
        };
        Rights::new(HOME, (grants, vec![watch]), Default::default())
    }

    fn on(level: Level, fleets: &[&str]) -> Need {
        Need {
            level,
            on: Scope::Fleets(fleets.iter().map(|fleet| name(fleet)).collect()),
        }
    }

    fn decide(caller: &Caller, need: &Need) -> Result<Level, String> {
        rights()
            .authorise(caller, need, NOW)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_level_counts_where_it_was_granted() {
        let ravi = by(RAVI, &[CREW]);
        let operate = on(Level::Operator, &["prod-eu"]);
        assert_eq!(decide(&ravi, &operate), Ok(Level::Operator));
        insta::assert_snapshot!(decide(&ravi, &on(Level::Maintainer, &["prod-eu"])).unwrap_err(), @"You need maintainer on `prod-eu`; <@10> has it. An owner can grant it: `/grant add`.");
        insta::assert_snapshot!(decide(&ravi, &on(Level::Operator, &["prod-eu", "night", "night"])).unwrap_err(), @"You need operator on `night`; <@10>, <@12> have it. An owner can grant it: `/grant add`.");
        insta::assert_snapshot!(decide(&ravi, &Need::everything(Level::Owner)).unwrap_err(), @"You need owner on all fleets (`*`); <@10> has it. An owner can grant it: `/grant add`.");
        insta::assert_snapshot!(decide(&by(RAVI, &[]), &Need::look()).unwrap_err(), @"You need viewer on some fleet; <@&20>, <@10>, <@12> have it. An owner can grant it: `/grant add`.");
    }

    #[test]
    fn of_many_who_have_it_some_are_told() {
        let people: Vec<Holder> = (1..=6).map(|id| Holder::User(UserId(id))).collect();
        assert_eq!(
            who_has_it(&people[..5]),
            "<@1>, <@2>, <@3>, <@4>, <@5> have it"
        );
        assert_eq!(
            who_has_it(&people),
            "<@1>, <@2>, <@3>, <@4>, <@5> and others have it"
        );
    }

    #[test]
    fn a_level_would_help_only_who_is_known_here() {
        let refused = |caller: &Caller| rights().authorise(caller, &Need::look(), NOW).unwrap_err();
        let stranger = by(RAVI, &[]);
        assert_eq!(refused(&stranger).level(), Some(Level::Viewer));
        let program = Caller {
            bot: true,
            ..stranger
        };
        assert_eq!(refused(&program).level(), None);
    }

    #[test]
    fn what_is_in_no_fleet_is_theirs_who_have_all() {
        let nowhere = Scope::Fleets(Vec::new());
        let rights = rights();
        assert_eq!(
            rights.holders(Level::Operator, &nowhere, NOW),
            [Holder::User(OLGA)]
        );
        assert_eq!(rights.members_owning(&nowhere), BTreeSet::new());
        let watch = BTreeSet::from([Holder::User(MINA)]);
        assert_eq!(rights.members_owning(&Scope::Anywhere), watch);
    }

    #[test]
    fn an_owner_may_everywhere() {
        let olga = by(OLGA, &[]);
        for need in [
            Need::everything(Level::Owner),
            Need::look(),
            on(Level::Maintainer, &["main", "other"]),
            on(Level::Owner, &[]),
        ] {
            assert_eq!(decide(&olga, &need), Ok(Level::Owner), "{need:?}");
        }
        assert!(rights().sees(&olga, &name("main"), NOW));
    }

    #[test]
    fn a_team_maintains_what_it_owns_and_has_what_it_was_granted() {
        let mina = by(MINA, &[]);
        let level = |fleet| rights().level_on(&mina, &name(fleet), NOW);
        assert_eq!(level("night"), Some(Level::Maintainer));
        assert_eq!(level("day"), Some(Level::Viewer));
        let anywhere = Need {
            level: Level::Maintainer,
            on: Scope::Anywhere,
        };
        assert_eq!(decide(&mina, &anywhere), Ok(Level::Maintainer));
        let rights = rights();
        let first = rights.members_owning(&Scope::Fleets(vec![name("night")]));
        let watch = rights.teams[&name("watch")].members();
        assert_eq!(first, watch.collect());
    }

    #[test]
    fn elsewhere_and_as_a_program_nobody_may() {
        let need = Need::look();
        let olga = by(OLGA, &[]);
        let direct = Caller {
            guild: None,
            ..olga.clone()
        };
        let other = Caller {
            guild: Some(GuildId(2)),
            ..olga.clone()
        };
        let program = Caller { bot: true, ..olga };
        for (caller, why) in [
            (direct, Forbidden::DirectMessage),
            (other, Forbidden::OtherGuild),
            (program, Forbidden::Program),
        ] {
            assert_eq!(rights().authorise(&caller, &need, NOW), Err(why));
            assert!(!rights().sees(&caller, &name("main"), NOW));
        }
    }

    #[test]
    fn nobody_granted_means_nobody_may() {
        let empty = Rights::new(HOME, Default::default(), Default::default());
        let refused = empty.authorise(&by(OLGA, &[CREW]), &Need::look(), NOW);
        assert_eq!(refused, Err(Forbidden::Unclaimed));
        let viewers = vec![grant(Holder::Role(CREW), Level::Viewer, "*")];
        let ownerless = Rights::new(HOME, (viewers, Vec::new()), Default::default());
        let refused = ownerless.authorise(&by(OLGA, &[CREW]), &Need::everything(Level::Owner), NOW);
        insta::assert_snapshot!(refused.unwrap_err(), @"You need owner on all fleets (`*`); nobody has it. There is no owner to grant it: on the host, run `yardarm claim`, then type `/claim` here.");
    }

    #[test]
    fn an_end_counts_to_the_instant() {
        let mut rights = rights();
        let until = NOW + TimeDelta::hours(1);
        rights.grants[1].until = Some(until);
        let level = |now| rights.level_on(&by(RAVI, &[CREW]), &name("prod-eu"), now);
        assert_eq!(
            level(until - TimeDelta::milliseconds(1)),
            Some(Level::Operator)
        );
        assert_eq!(level(until), None);
    }

    #[test]
    fn who_counts_as_the_last_owner() {
        let cases = [
            (Holder::User(OLGA), None, true),
            (Holder::User(OLGA), Some(NOW + TimeDelta::days(1)), false),
            (Holder::Role(CREW), None, false),
            (Holder::Team(name("watch")), None, true),
            (Holder::Team(name("gone")), None, false),
        ];
        for (holder, until, expected) in cases {
            let mut rights = rights();
            rights.grants = vec![Grant {
                until,
                ..grant(holder.clone(), Level::Owner, "*")
            }];
            assert_eq!(rights.has_lasting_owner(), expected, "{holder} {until:?}");
        }
    }

    fn levels() -> impl Strategy<Value = Level> {
        prop::sample::select(Level::ALL.to_vec())
    }

    fn grants() -> impl Strategy<Value = Vec<Grant>> {
        let holder = prop_oneof![
            Just(Holder::User(OLGA)),
            Just(Holder::Role(CREW)),
            Just(Holder::Team(name("watch"))),
        ];
        let fleets = prop::sample::select(vec!["*", "prod-*", "prod-eu", "night"]);
        let one = (holder, levels(), fleets, prop::option::of(-2_i64..2));
        let one = one.prop_map(|(holder, level, fleets, until)| Grant {
            until: until.map(|hours| NOW + TimeDelta::hours(hours)),
            ..grant(holder, level, fleets)
        });
        prop::collection::vec(one, 0..6)
    }

    proptest! {
        /// Whoever is let in is among those who are told to have it, by id, by role or by team.
        #[test]
        fn who_may_is_who_is_told(grants in grants(), level in levels(), fleet in "prod-eu|night|main") {
            let rights = Rights { grants, ..rights() };
            for caller in [by(OLGA, &[]), by(RAVI, &[CREW]), by(MINA, &[])] {
                let on = Scope::Fleets(vec![name(&fleet)]);
                let holders = rights.holders(level, &on, NOW);
                let told = holders.iter().any(|holder| match holder {
                    Holder::User(id) => *id == caller.user,
                    Holder::Role(id) => caller.roles.contains(id),
                    Holder::Team(_) => false,
                });
                let may = rights.authorise(&caller, &Need { level, on }, NOW).is_ok();
                prop_assert_eq!(may, told, "{:?} {:?}", caller, holders);
            }
        }

        /// More grants never take anything away.
        #[test]
        fn a_grant_only_adds(grants in grants(), more in grants(), fleet in "prod-eu|night|main") {
            let few = Rights { grants: grants.clone(), ..rights() };
            let many = Rights { grants: [grants, more].concat(), ..rights() };
            let caller = by(RAVI, &[CREW]);
            let fleet = name(&fleet);
            prop_assert!(few.level_on(&caller, &fleet, NOW) <= many.level_on(&caller, &fleet, NOW));
        }
    }
}
