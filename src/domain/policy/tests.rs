use chrono::{NaiveTime, TimeZone, Weekday};
use chrono_tz::Europe::Berlin;
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment")
}

fn question<'a>(kind: Kind, subjects: &'a [Subject<'a>]) -> Question<'a> {
    Question {
        kind,
        subjects,
        several: subjects.len() > 1,
        level: Some(Level::Maintainer),
        origin: Origin::Chat,
        loosens: false,
        sole_owner: false,
        now: at("2026-11-21T12:00:00Z"),
    }
}

const SCOUT: Subject<'static> = Subject {
    agent: Some("scout"),
    fleet: Some("prod"),
    template: Some("claude"),
};

const ROBIN: Subject<'static> = Subject {
    agent: Some("robin"),
    fleet: Some("lab"),
    template: None,
};

fn policy(name: &str, when: Match, effect: Effect) -> Policy {
    Policy {
        name: name.to_owned(),
        when,
        effect,
    }
}

fn fleets(pattern: &str) -> Match {
    Match {
        fleets: vec![Pattern::parse(pattern).expect("a pattern")],
        ..Match::default()
    }
}

fn of_team(team: &str, approvals: u32) -> Effect {
    let mut ask = Ask::of(approvals);
    ask.by.teams = vec![Name::parse(team).expect("a name")];
    Effect::Ask(ask)
}

/// One line for each kind: alone, on several, and where it loosens something.
fn table(preset: Preset) -> String {
    let policies = preset.policies();
    let said = |question: Question<'_>| decide(&policies, &question).effect.to_string();
    let lines = Kind::ALL.map(|kind| {
        let alone = question(kind, &[SCOUT]);
        let loosens = Question {
            loosens: true,
            ..alone
        };
        let words = [
            said(alone),
            said(question(kind, &[SCOUT, ROBIN])),
            said(loosens),
        ];
        format!("{kind}, {}: {}", kind.level(), words.join(" / "))
    });
    lines.join("\n")
}

#[test]
fn the_preset_of_a_team_is_the_table_of_the_design() {
    insta::assert_snapshot!(table(Preset::Team), @"
    deploy, maintainer: allow / allow / ask 1 other person
    redeploy, maintainer: allow / allow / ask 1 other person
    rollback, maintainer: allow / allow / ask 1 other person
    start, operator: allow / allow / allow
    stop, operator: allow / ask 1 other person / allow
    restart, operator: allow / ask 1 other person / allow
    pause, operator: allow / ask 1 other person / allow
    resume, operator: allow / allow / allow
    remove, maintainer: ask 1 other person / ask 1 other person / ask 1 other person
    adopt, maintainer: allow / allow / allow
    fleet create, maintainer: allow / allow / allow
    fleet delete, maintainer: allow / allow / allow
    fleet add, maintainer: allow / allow / allow
    template save, maintainer: allow / allow / allow
    template delete, maintainer: allow / allow / allow
    reload, owner: allow / allow / allow
    grant add, owner: ask 1 other person / ask 1 other person / ask 1 other person
    grant remove, owner: ask 1 other person / ask 1 other person / ask 1 other person
    team save, owner: ask 1 other person / ask 1 other person / ask 1 other person
    team delete, owner: ask 1 other person / ask 1 other person / ask 1 other person
    secret set, maintainer: ask 1 other person / ask 1 other person / ask 1 other person
    secret delete, maintainer: ask 1 other person / ask 1 other person / ask 1 other person
    secret rotate, maintainer: ask 1 other person / ask 1 other person / ask 1 other person
    freeze, operator: allow / allow / allow
    unfreeze, maintainer: ask 1 other person / ask 1 other person / ask 1 other person
    audit export, owner: allow / allow / allow
    silence, maintainer: allow / allow / allow
    silence end, maintainer: allow / allow / allow
    board, maintainer: allow / allow / allow
    board remove, maintainer: allow / allow / allow
    schedule add, maintainer: allow / allow / allow
    schedule remove, maintainer: allow / allow / allow
    schedule pause, maintainer: allow / allow / allow
    schedule resume, maintainer: allow / allow / allow
    report, maintainer: allow / allow / allow
    backup, owner: allow / allow / allow
    purge, owner: allow / allow / allow
    ");
}

#[test]
fn alone_what_is_asked_of_others_is_confirmed() {
    let solo = table(Preset::Team).replace(
        "ask 1 other person",
        "the requester confirms by typing the name",
    );
    assert_eq!(table(Preset::Solo), solo);
}

#[test]
fn an_only_owner_can_let_a_second_person_in_and_nothing_else() {
    let policies = Preset::Team.policies();
    let confirmed = Kind::ALL.into_iter().filter(|kind| {
        let alone = Question {
            sole_owner: true,
            ..question(*kind, &[])
        };
        decide(&policies, &alone).effect == Effect::Confirm
    });
    assert_eq!(
        confirmed.collect::<Vec<_>>(),
        [Kind::GrantAdd, Kind::TeamSave]
    );
}

#[test]
fn yardarm_starts_what_should_run_without_asking() {
    let policies = Preset::Team.policies();
    for (origin, kind, effect) in [
        (Origin::Converge, Kind::Start, "allow"),
        (Origin::Recovery, Kind::Restart, "allow"),
        (Origin::Recovery, Kind::Remove, "ask 1 other person"),
        (Origin::Schedule, Kind::Restart, "ask 1 other person"),
        (Origin::Host, Kind::Remove, "allow"),
    ] {
        let asked = Question {
            level: None,
            origin,
            ..question(kind, &[SCOUT, ROBIN])
        };
        assert_eq!(
            decide(&policies, &asked).effect.to_string(),
            effect,
            "{kind} by {origin}"
        );
    }
}

#[test]
fn nothing_is_allowed_where_no_rule_speaks() {
    let decision = decide(&[], &question(Kind::Stop, &[SCOUT]));
    assert_eq!(decision.rule, "no rule");
    assert!(matches!(decision.effect, Effect::Deny { .. }));
}

#[test]
fn the_way_to_a_decision_is_explained() {
    let night = Window {
        days: vec![Weekday::Sat],
        from: hour(22),
        to: hour(6),
        zone: Berlin,
    };
    let is = |when: Match| policy("p", when, Effect::Allow);
    let mut policies = vec![
        is(Match {
            actions: vec![Kind::Remove, Kind::Deploy],
            ..Match::default()
        }),
        is(fleets("lab-*")),
        is(Match {
            levels: vec![Level::Operator],
            ..Match::default()
        }),
        is(Match {
            origins: vec![Origin::Schedule],
            ..Match::default()
        }),
        is(Match {
            loosens: Some(true),
            ..Match::default()
        }),
        is(Match {
            several: Some(true),
            ..Match::default()
        }),
        is(Match {
            sole_owner: Some(true),
            ..Match::default()
        }),
        is(Match {
            window: Some(night),
            ..Match::default()
        }),
    ];
    policies.push(policy("prod", fleets("prod"), of_team("sre", 2)));
    policies.push(is(Match::default()));
    let lines: Vec<String> = consider(&policies, &question(Kind::Stop, &[SCOUT]), &SCOUT)
        .into_iter()
        .map(|one| format!("{} {} {}", one.matched, one.rule, one.why))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    false p it is about remove or deploy
    false p fleet `prod` is not lab-*
    false p maintainer is not operator
    false p chat is not schedule
    false p it loosens nothing
    false p it is not about several
    false p the requester is not the only owner
    false p Sat 13:00 is outside of Sat 22:00–06:00 Europe/Berlin
    true prod ask 2 other people, of team sre
    ");
}

#[test]
fn a_trial_says_who_asks_for_what_and_how_it_would_end() {
    let trial = Trial {
        kind: Kind::Remove,
        agent: Some("scout".to_owned()),
        fleet: Some("prod".to_owned()),
        fleets: Vec::new(),
        template: None,
        level: Some(Level::Operator),
        origin: Origin::Chat,
        loosens: false,
        several: true,
        sole_owner: false,
        now: at("2026-11-21T12:00:00Z"),
    };
    let policies = Preset::Team.policies();
    insta::assert_snapshot!(trial.explain(&policies), @r"
    remove agent scout fleet prod, several, by operator, from chat
      refused before any rule: it needs maintainer
      no  team: on the host | chat is not host
      no  team: Yardarm itself | it is about start or restart or resume
      no  team: a second person | it is about grant add or team save
      no  team: several at once | it is about stop or pause or restart
      no  team: what loosens | it is about deploy or redeploy or rollback
      yes team: grave | ask 1 other person
    → ask 1 other person (team: grave)
    ");
    // Whoever has just what it takes is not refused, and its fleet counts.
    let enough = Trial {
        level: Some(Level::Maintainer),
        ..trial.clone()
    };
    let careful = policy("careful", fleets("prod"), Effect::Confirm);
    let told = enough.explain(std::slice::from_ref(&careful));
    assert_eq!(
        (told.too_low, told.decision.rule.as_str()),
        (None, "careful")
    );
    // Of several fleets the one is told that the strictest rule is about.
    let moved = Trial {
        fleet: Some("lab".to_owned()),
        fleets: vec!["prod".to_owned()],
        ..enough
    };
    let rest = policy("rest", Match::default(), Effect::Allow);
    assert!(moved.explain(&[careful, rest]).considered[0].matched);
    let by_itself = Trial {
        kind: Kind::Start,
        level: None,
        origin: Origin::Converge,
        loosens: true,
        ..trial
    };
    insta::assert_snapshot!(by_itself.explain(&policies), @r"
    start agent scout fleet prod, several, loosening, by Yardarm itself, from converge
      no  team: on the host | converge is not host
      yes team: Yardarm itself | allow
    → allow (team: Yardarm itself)
    ");
}

#[test]
fn several_agents_get_what_satisfies_the_rules_of_each() {
    let both = [SCOUT, ROBIN];
    let decided = |prod: Effect, lab: Effect| {
        let policies = [
            policy("prod", fleets("prod"), prod),
            policy("lab", fleets("lab"), lab),
        ];
        let decision = decide(&policies, &question(Kind::Stop, &both));
        format!("{}: {}", decision.rule, decision.effect)
    };
    let denied = || Effect::Deny {
        reason: "never".to_owned(),
    };
    let asked = |approvals| Effect::Ask(Ask::of(approvals));
    assert_eq!(
        decided(Effect::Allow, Effect::Confirm),
        "lab: the requester confirms by typing the name"
    );
    assert_eq!(
        decided(asked(1), Effect::Confirm),
        "prod: ask 1 other person"
    );
    assert_eq!(decided(asked(1), denied()), "lab: deny: never");
    assert_eq!(
        decided(denied(), denied()),
        "prod: deny: never",
        "the first"
    );
    assert_eq!(
        decided(of_team("sre", 1), asked(2)),
        "prod, lab: ask 2 other people, operator or above, of team sre"
    );
    insta::assert_snapshot!(decided(of_team("sre", 1), of_team("lab", 1)), @"prod, lab: deny: Different people are asked for these agents (rules `prod` and `lab`). Send one command for each of the groups.");
}

#[test]
fn a_joined_question_is_as_strict_as_either() {
    let one = Ask {
        expires: Duration::hours(1),
        requester_counts: true,
        allow_for: Some(Duration::hours(2)),
        ..Ask::of(1)
    };
    let mut two = Ask {
        requester_counts: true,
        reason_required: true,
        allow_for: Some(Duration::hours(1)),
        ..Ask::of(3)
    };
    two.by.level = Some(Level::Owner);
    let mut both = two.clone();
    both.expires = Duration::hours(1);
    assert_eq!(one.and(&two, Level::Operator), Some(both.clone()));
    assert_eq!(two.and(&one, Level::Operator), Some(both));
    let never = one.and(&Ask::of(1), Level::Operator).expect("anybody");
    assert_eq!((never.allow_for, never.requester_counts), (None, false));
    assert_eq!(one.allowable(), Some(Duration::hours(2)));
    assert_eq!(two.allowable(), None, "one of three would waive for all");
}

fn hour(hour: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, 0, 0).expect("an hour")
}

fn window(days: &[Weekday], from: u32, to: u32) -> Window {
    Window {
        days: days.to_vec(),
        from: hour(from),
        to: hour(to),
        zone: Berlin,
    }
}

#[test]
fn a_window_is_told_with_its_days() {
    let said = |days: &[Weekday]| window(days, 22, 6).to_string();
    assert_eq!(
        said(&[Weekday::Fri, Weekday::Sat]),
        "Fri, Sat 22:00–06:00 Europe/Berlin"
    );
    assert_eq!(said(&[]), "22:00–06:00 Europe/Berlin");
}

#[test]
fn a_night_belongs_to_the_day_it_begins_on() {
    let friday_night = window(&[Weekday::Fri], 22, 6);
    for (moment, inside) in [
        ("2026-11-20T20:59:00Z", false),
        ("2026-11-20T21:00:00Z", true),
        ("2026-11-21T04:59:59Z", true),
        ("2026-11-21T05:00:00Z", false),
        ("2026-11-20T02:00:00Z", false),
        ("2026-11-21T22:00:00Z", false),
    ] {
        assert_eq!(friday_night.contains(at(moment)), inside, "{moment}");
    }
    let day = window(&[Weekday::Sat], 0, 0);
    assert!(day.contains(at("2026-11-20T23:00:00Z")));
    assert!(!day.contains(at("2026-11-21T23:00:00Z")));
}

#[test]
fn an_hour_shown_twice_is_inside_twice_and_one_skipped_never() {
    let early = window(&[], 2, 3);
    let minutes = |from: &str| {
        let minute = |minute| at(from) + Duration::minutes(minute);
        (0..24 * 60).filter(|n| early.contains(minute(*n))).count()
    };
    assert_eq!(minutes("2026-03-27T23:00:00Z"), 60);
    assert_eq!(minutes("2026-03-28T23:00:00Z"), 0, "spring forward");
    assert_eq!(minutes("2026-10-24T22:00:00Z"), 120, "fall back");
}

fn effects() -> impl Strategy<Value = Effect> {
    let deny = || Effect::Deny {
        reason: "no".to_owned(),
    };
    let asked = (1..4_u32, any::<bool>(), any::<bool>(), 0..3_u8).prop_map(
        |(approvals, requester_counts, reason_required, team)| {
            let mut ask = Ask {
                requester_counts,
                reason_required,
                ..Ask::of(approvals)
            };
            if team > 0 {
                ask.by.teams = vec![Name::parse(&format!("team-{team}")).expect("a name")];
            }
            Effect::Ask(ask)
        },
    );
    prop_oneof![
        Just(Effect::Allow),
        Just(Effect::Confirm),
        Just(deny()),
        asked
    ]
}

fn matches() -> impl Strategy<Value = Match> {
    let some = |items: &'static [&'static str]| {
        prop::collection::vec(prop::sample::select(items), 0..2).prop_map(|items| {
            items
                .into_iter()
                .map(|item| Pattern::parse(item).expect("a pattern"))
                .collect::<Vec<_>>()
        })
    };
    (
        prop::collection::vec(prop::sample::select(&Kind::ALL[..4]), 0..3),
        some(&["prod", "lab", "*"]),
        some(&["a*", "b*", "*c"]),
        prop::option::of(any::<bool>()),
    )
        .prop_map(|(actions, fleets, agents, several)| Match {
            actions,
            fleets,
            agents,
            several,
            ..Match::default()
        })
}

fn policies() -> impl Strategy<Value = Vec<Policy>> {
    let numbered = |rules: Vec<(Match, Effect)>| {
        let rule = |(n, (when, effect)): (usize, (Match, Effect))| Policy {
            name: n.to_string(),
            when,
            effect,
        };
        rules.into_iter().enumerate().map(rule).collect()
    };
    prop::collection::vec((matches(), effects()), 0..8).prop_map(numbered)
}

fn subjects() -> impl Strategy<Value = Vec<Subject<'static>>> {
    let agents = prop::sample::select(&["a", "ac", "b", "bc", "d"][..]);
    let subject =
        (agents, prop::sample::select(&["prod", "lab"][..])).prop_map(|(agent, fleet)| Subject {
            agent: Some(agent),
            fleet: Some(fleet),
            template: None,
        });
    prop::collection::vec(subject, 2..6)
}

fn is_as_strict(effect: &Effect, than: &Effect) -> bool {
    match (effect, than) {
        (Effect::Ask(ask), Effect::Ask(than)) => {
            ask.approvals >= than.approvals
                && (!ask.requester_counts || than.requester_counts)
                && (ask.reason_required || !than.reason_required)
                && (!than.by.is_named() || ask.by.teams == than.by.teams)
        }
        _ => effect.strictness() >= than.strictness(),
    }
}

proptest! {
    #[test]
    fn the_first_rule_that_matches_decides(
        policies in policies(),
        kind in prop::sample::select(&Kind::ALL[..4]),
        subjects in subjects(),
    ) {
        let question = question(kind, &subjects[..1]);
        let decision = decide(&policies, &question);
        let considered = consider(&policies, &question, &subjects[0]);
        let first = considered.last().filter(|last| last.matched);
        prop_assert!(considered.iter().rev().skip(1).all(|before| !before.matched));
        prop_assert_eq!(first.map_or("no rule", |last| last.rule.as_str()), decision.rule);
    }

    #[test]
    fn several_are_decided_as_strictly_as_each_in_any_order(
        policies in policies(),
        kind in prop::sample::select(&Kind::ALL[..4]),
        subjects in subjects(),
    ) {
        let together = decide(&policies, &question(kind, &subjects));
        for subject in &subjects {
            // As one of several: twice itself.
            let alone = decide(&policies, &question(kind, &[*subject, *subject]));
            prop_assert!(is_as_strict(&together.effect, &alone.effect), "{:?} {:?}", together, alone);
        }
        let mut turned = subjects.clone();
        turned.reverse();
        prop_assert_eq!(decide(&policies, &question(kind, &turned)), together);
    }

    #[test]
    fn a_window_and_its_complement_part_every_moment(
        minutes in 0..2 * 366 * 24 * 60_i64,
        from in 0..24_u32,
        to in 0..24_u32,
    ) {
        prop_assume!(from != to);
        let moment = Berlin.with_ymd_and_hms(2026, 1, 1, 0, 0, 0).unwrap().to_utc() + Duration::minutes(minutes);
        prop_assert_ne!(window(&[], from, to).contains(moment), window(&[], to, from).contains(moment));
    }
}

#[test]
fn why_a_rule_does_not_fit_is_told_either_way() {
    let alone = question(Kind::Stop, &[ROBIN]);
    let otherwise = Question {
        level: None,
        loosens: true,
        several: true,
        sole_owner: true,
        ..alone
    };
    let why = |when: &Match, question: &Question<'_>| {
        let policies = [policy("it", when.clone(), Effect::Allow)];
        let considered = consider(&policies, question, &ROBIN);
        considered
            .iter()
            .map(|one| one.why.clone())
            .collect::<String>()
    };
    let rules = |loosens, several, sole_owner| Match {
        loosens,
        several,
        sole_owner,
        ..Match::default()
    };
    let told = [
        why(&rules(Some(true), None, None), &alone),
        why(&rules(Some(false), None, None), &otherwise),
        why(&rules(None, Some(true), None), &alone),
        why(&rules(None, Some(false), None), &otherwise),
        why(&rules(None, None, Some(true)), &alone),
        why(&rules(None, None, Some(false)), &otherwise),
        why(
            &Match {
                levels: vec![Level::Owner],
                ..Match::default()
            },
            &otherwise,
        ),
        why(
            &Match {
                templates: vec![Pattern::parse("gpt-*").expect("a pattern")],
                ..Match::default()
            },
            &alone,
        ),
    ];
    insta::assert_snapshot!(told.join("\n"), @"
    it loosens nothing
    it loosens something
    it is not about several
    it is about several
    the requester is not the only owner
    there is no other owner
    Yardarm itself is not owner
    it has no template, and needs gpt-*
    ");
}

#[test]
fn an_ask_is_kept_with_its_times_in_seconds() {
    let mut ask = Ask::of(2);
    (ask.expires, ask.allow_for) = (Duration::minutes(5), Some(Duration::hours(1)));
    let kept = serde_json::to_value(&ask).expect("JSON");
    assert_eq!(
        (&kept["expires"], &kept["allow_for"]),
        (&300.into(), &3600.into())
    );
    assert_eq!(serde_json::from_value::<Ask>(kept).expect("an ask"), ask);
}
