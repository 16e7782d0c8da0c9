//! Rules that ask for more people than there are.

use chrono::{DateTime, Utc};

use super::{
    action::{Kind, Origin},
    agent::Name,
    approval::{Asked, can_be_met, deciders},
    finding::{Finding, Topic},
    grant::{Holder, Level, Need, Place, Rights, Scope},
    policy::{Ask, Effect, Match, Policy},
};

/// What nobody can have approved, whoever asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    pub rule: String,
    pub kinds: Vec<Kind>,
    pub short: Short,
}

/// How far the present grants go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Short {
    pub level: Level,
    pub on: Scope,
    /// People that have to approve, and how many could.
    pub wanted: u32,
    pub named: usize,
}

/// Every rule whose question the present grants cannot answer on some of these fleets.
pub fn unmet(
    policies: &[Policy],
    fleets: &[Name],
    (rights, now): (&Rights, DateTime<Utc>),
) -> Vec<Unmet> {
    let owners = rights.holders(Level::Owner, &Scope::Everything, now);
    let sole_owner = matches!(owners[..], [Holder::User(_)]);
    let mut found: Vec<Unmet> = Vec::new();
    for (index, policy) in policies.iter().enumerate() {
        let Effect::Ask(ask) = &policy.effect else {
            continue;
        };
        for kind in Kind::ALL {
            let mut before = policies.iter().take(index);
            let is_decided_before = before.any(|one| decides(one, kind, sole_owner));
            if is_decided_before || !may_decide(&policy.when, kind) {
                continue;
            }
            let fleets = fleets.iter().filter(|fleet| is_about(&policy.when, fleet));
            let Some(short) = short(ask, (kind, fleets.collect()), (rights, now)) else {
                continue;
            };
            let known = found
                .iter_mut()
                .find(|one| one.rule == policy.name && one.short == short);
            match known {
                Some(unmet) => unmet.kinds.push(kind),
                None => found.push(Unmet {
                    rule: policy.name.clone(),
                    kinds: vec![kind],
                    short,
                }),
            }
        }
    }
    found
}

/// None if the question can be answered everywhere, at least if the right person asks it.
fn short(
    ask: &Ask,
    (kind, fleets): (Kind, Vec<&Name>),
    (rights, now): (&Rights, DateTime<Utc>),
) -> Option<Short> {
    let named = |on: &Scope| most_deciders(ask, (kind, on), (rights, now));
    let (on, named) = if kind.concerns_everything() {
        (Scope::Everything, named(&Scope::Everything)?)
    } else if fleets.is_empty() {
        (Scope::Anywhere, named(&Scope::Anywhere)?)
    } else {
        let short = fleets.into_iter().filter_map(|fleet| {
            let on = Scope::Fleets(vec![fleet.clone()]);
            Some((fleet.clone(), named(&on)?))
        });
        let (fleets, counts): (Vec<Name>, Vec<usize>) = short.unzip();
        (Scope::Fleets(fleets), counts.into_iter().min()?)
    };
    Some(Short {
        level: ask.by.level.unwrap_or(kind.level()),
        on,
        wanted: ask.approvals,
        named,
    })
}

/// How many could answer at most, if that is too few whoever asks. Where nobody may ask, nothing lacks.
fn most_deciders(
    ask: &Ask,
    (kind, on): (Kind, &Scope),
    (rights, now): (&Rights, DateTime<Utc>),
) -> Option<usize> {
    let level = kind.level();
    let mut most = None;
    for asking in rights.holders(level, on, now) {
        let asked = Asked {
            requester: match asking {
                Holder::User(user) => Some(user),
                // Whoever asks, others have the role.
                Holder::Role(_) | Holder::Team(_) => None,
            },
            need: Need {
                level,
                on: on.clone(),
            },
        };
        let deciders = deciders(ask, &asked, (rights, now));
        if can_be_met(ask, &deciders) {
            return None;
        }
        most = most.max(Some(deciders.len()));
    }
    most
}

/// Whether a rule decides all of a kind that people ask for, so that later ones never do.
fn decides(policy: &Policy, kind: Kind, sole_owner: bool) -> bool {
    let when = &policy.when;
    let all = Match {
        actions: when.actions.clone(),
        sole_owner: when.sole_owner,
        ..Match::default()
    };
    let by_whoever_asks = when
        .sole_owner
        .is_none_or(|wanted| wanted == sole_owner && kind.level() == Level::Owner);
    *when == all && by_whoever_asks && may_decide(when, kind)
}

fn may_decide(when: &Match, kind: Kind) -> bool {
    let people_ask = when.origins.is_empty() || when.origins.contains(&Origin::Chat);
    // What concerns everything is about no fleet and no agent.
    let about_none = when.fleets.is_empty() && when.agents.is_empty();
    let about_it = about_none || !kind.concerns_everything();
    people_ask && about_it && (when.actions.is_empty() || when.actions.contains(&kind))
}

fn is_about(when: &Match, fleet: &Name) -> bool {
    when.fleets.is_empty()
        || when
            .fleets
            .iter()
            .any(|pattern| pattern.matches(fleet.as_str()))
}

impl Unmet {
    pub fn finding(&self) -> Finding {
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.as_str()).collect();
        let Short {
            level,
            on,
            wanted,
            named,
        } = &self.short;
        let there = Place(on.clone());
        let people = if *wanted == 1 { "person" } else { "people" };
        let named = match named {
            0 => "nobody".to_owned(),
            some => some.to_string(),
        };
        Finding::warn(
            Topic::Policy,
            format!(
                "{wanted} other {people} must approve {} {there}, and the present grants name {named}",
                kinds.join(", ")
            ),
            format!(
                "grant `{level}` to more people (`/grant add`, `[[grant]]`) or ask fewer; who works alone sets \
                 `access.preset = \"solo\"`"
            ),
        )
        .about(format!("policy {}", self.rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        grant::{Grant, Source},
        ids::{GuildId, RoleId, UserId},
        pattern::Pattern,
        policy::Preset,
    };

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

    fn owner() -> Grant {
        grant(Holder::User(UserId(1)), Level::Owner, "*")
    }

    fn said(policies: &[Policy], grants: Vec<Grant>) -> String {
        let rights = Rights::new(GuildId(1), (grants, Vec::new()), Default::default());
        let fleets = ["main", "prod"].map(|name| Name::parse(name).unwrap());
        let found = unmet(policies, &fleets, (&rights, NOW));
        let lines: Vec<String> = found.iter().map(|one| one.finding().to_string()).collect();
        lines.join("\n")
    }

    #[test]
    fn who_works_alone_can_have_nothing_approved() {
        insta::assert_snapshot!(said(&Preset::Team.policies(), vec![owner()]), @r#"
        warn  policy team: several at once: 1 other person must approve stop, restart, pause on `main` and `prod`, and the present grants name nobody → grant `operator` to more people (`/grant add`, `[[grant]]`) or ask fewer; who works alone sets `access.preset = "solo"`
        warn  policy team: what loosens: 1 other person must approve deploy, redeploy, rollback on `main` and `prod`, and the present grants name nobody → grant `maintainer` to more people (`/grant add`, `[[grant]]`) or ask fewer; who works alone sets `access.preset = "solo"`
        warn  policy team: grave: 1 other person must approve remove, secret set, secret delete, secret rotate, unfreeze on `main` and `prod`, and the present grants name nobody → grant `maintainer` to more people (`/grant add`, `[[grant]]`) or ask fewer; who works alone sets `access.preset = "solo"`
        warn  policy team: grave: 1 other person must approve grant remove, team delete on all fleets (`*`), and the present grants name nobody → grant `owner` to more people (`/grant add`, `[[grant]]`) or ask fewer; who works alone sets `access.preset = "solo"`
        "#);
        assert_eq!(said(&Preset::Solo.policies(), vec![owner()]), "");
    }

    #[test]
    fn it_is_enough_that_somebody_can_ask_and_another_answer() {
        let second = grant(Holder::User(UserId(2)), Level::Owner, "*");
        assert_eq!(said(&Preset::Team.policies(), vec![owner(), second]), "");
        // Nobody tells how many have a role.
        let crew = grant(Holder::Role(RoleId(3)), Level::Owner, "*");
        assert_eq!(said(&Preset::Team.policies(), vec![owner(), crew]), "");
    }

    #[test]
    fn each_fleet_counts_by_itself() {
        let second = grant(Holder::User(UserId(2)), Level::Maintainer, "prod");
        let removals = |approvals| Policy {
            name: "removals".to_owned(),
            when: Match {
                actions: vec![Kind::Remove],
                ..Match::default()
            },
            effect: Effect::Ask(Ask::of(approvals)),
        };
        let grants = || vec![owner(), second.clone()];
        insta::assert_snapshot!(said(&[removals(1)], grants()), @r#"warn  policy removals: 1 other person must approve remove on `main`, and the present grants name nobody → grant `maintainer` to more people (`/grant add`, `[[grant]]`) or ask fewer; who works alone sets `access.preset = "solo"`"#);
        insta::assert_snapshot!(said(&[removals(2)], grants()), @r#"warn  policy removals: 2 other people must approve remove on `main` and `prod`, and the present grants name nobody → grant `maintainer` to more people (`/grant add`, `[[grant]]`) or ask fewer; who works alone sets `access.preset = "solo"`"#);
        let only = Policy {
            when: Match {
                fleets: vec![Pattern::parse("prod*").unwrap()],
                ..removals(1).when
            },
            ..removals(1)
        };
        assert_eq!(said(&[only], grants()), "");
    }

    #[test]
    fn what_an_earlier_rule_decides_is_not_asked() {
        let all_goes = Policy {
            name: "all goes".to_owned(),
            when: Match::default(),
            effect: Effect::Allow,
        };
        let rules = [vec![all_goes], Preset::Team.policies()].concat();
        assert_eq!(said(&rules, vec![owner()]), "");
    }

    #[test]
    fn what_a_rule_decides_it_decides_for_whoever_asks() {
        let decides = |when: Match, kind, sole_owner| {
            let rule = Policy {
                name: "rule".to_owned(),
                when,
                effect: Effect::Allow,
            };
            (
                decides(&rule, kind, sole_owner),
                may_decide(&rule.when, kind),
            )
        };
        let alone = Match {
            sole_owner: Some(true),
            ..Match::default()
        };
        assert_eq!(
            decides(alone.clone(), Kind::GrantRemove, true),
            (true, true)
        );
        assert_eq!(
            decides(alone.clone(), Kind::GrantRemove, false),
            (false, true)
        );
        // Others ask for that, too.
        assert_eq!(decides(alone, Kind::Remove, true), (false, true));
        let prod = Match {
            fleets: vec![Pattern::parse("prod").unwrap()],
            ..Match::default()
        };
        assert_eq!(decides(prod.clone(), Kind::Remove, true), (false, true));
        assert_eq!(decides(prod, Kind::Reload, true), (false, false));
    }

    #[test]
    fn where_nobody_may_ask_nothing_lacks() {
        assert_eq!(said(&Preset::Team.policies(), Vec::new()), "");
    }
}
