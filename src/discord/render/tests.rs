//! Every state of an action's card, and Discord's limits whatever a card is made from.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::Value;

use super::{Rendered, action, agent, alert, approval, audit, board, logs, secrets, start, status};
use crate::domain::{
    action::{Action, Arguments, Details, Kind, Origin, State, Step, Target},
    agent::{self as agents, Agent, Desired, Name, Observation, Phase},
    approval::{Answer as Choice, Approval, Vote},
    audit::{Record, search::Page},
    board::{Board, BoardView, Line, Picture, Question as Open, Trouble},
    grant::Holder,
    ids::{
        ActionId, AgentId, AlertId, BoardId, ChannelId, ContainerId, FleetId, ImageId, IncidentId,
        InteractionId, NudgeId, RoleId, SilenceId, UserId,
    },
    incident::{self, About, Evidence, Incident, Severity},
    outbox::{Subject as Topic, digest_mark},
    pattern::Pattern,
    plan::{Part, Plan},
    policy::Ask,
    probe::{Answer, Asked, Pace, Probe, Probed, Question},
    secret::{Listed, Scope, Subject},
    spec::Version,
    squelch::{Alert, Matcher, Mute, Nudge, Quiet, Silence},
    stats::{Io, Usage},
    template::Template,
    view::{AlertView, Backlog, Busy, EngineState, Glance, Host, View},
};

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_262_400, 0).unwrap()
}

fn target(name: &str, state: State, step: Step, note: Option<&str>) -> Target {
    Target {
        agent: AgentId(1),
        name: Name::parse(name).unwrap(),
        state,
        step,
        spec: None,
        arguments: Arguments::new(),
        image: None,
        note: note.map(str::to_owned),
        finished_at: None,
    }
}

fn of(kind: Kind, state: State, targets: Vec<Target>) -> Action {
    Action {
        id: ActionId(7),
        kind,
        actor: Some(UserId(42)),
        origin: Origin::Chat,
        reason: None,
        details: Details::default(),
        state,
        created_at: noon(),
        started_at: Some(noon()),
        finished_at: state
            .is_over()
            .then(|| noon() + TimeDelta::milliseconds(2300)),
        outcome: None,
        reply: None,
        plan: None,
        approval: None,
        targets,
    }
}

fn shown(action: &Action) -> String {
    action::card(action, noon()).content()
}

const LIFE: [(State, Step, Option<&str>); 12] = [
    (State::Asked, Step::Waiting, None),
    (State::Pending, Step::Waiting, None),
    (State::Running, Step::Resolving, None),
    (State::Running, Step::Pulling(None), None),
    (State::Running, Step::Pulling(Some(43)), None),
    (State::Running, Step::Proving, None),
    (State::Running, Step::Undoing, None),
    (State::Succeeded, Step::Done, None),
    (
        State::Failed,
        Step::Done,
        Some("It ended at once.\nno key\ngiving up"),
    ),
    (
        State::Interrupted,
        Step::Done,
        Some("Yardarm was ended in the middle of it."),
    ),
    (State::Cancelled, Step::Done, None),
    (State::Expired, Step::Done, None),
];

#[test]
fn a_card_through_its_life() {
    let cards = LIFE.map(|(state, step, note)| {
        shown(&of(
            Kind::Redeploy,
            state,
            vec![target("scout", state, step, note)],
        ))
    });
    insta::assert_snapshot!(cards.join("\n"), @"
    ❔ **redeploy** `scout`?
    -# action 7 · by <@42>
    ⏳ redeploy `scout`: waiting for its turn
    -# action 7 · by <@42>
    ⏳ redeploy `scout`: looking up the image
    -# action 7 · by <@42>
    ⏳ redeploy `scout`: pulling
    -# action 7 · by <@42>
    ⏳ redeploy `scout`: pulling 43 %
    -# action 7 · by <@42>
    ⏳ redeploy `scout`: proving the new container
    -# action 7 · by <@42>
    ⏳ redeploy `scout`: putting everything back
    -# action 7 · by <@42>
    ✅ redeploy `scout`: running after 2.3 s
    -# action 7 · by <@42>
    ❌ redeploy `scout`: failed after 2.3 s
    It ended at once.
    ```
    no key
    giving up
    ```
    -# action 7 · by <@42>
    ⚠️ redeploy `scout`: interrupted
    Yardarm was ended in the middle of it.
    -# action 7 · by <@42>
    ✖️ redeploy `scout`: cancelled
    -# action 7 · by <@42>
    ⌛ redeploy `scout`: lapsed, nothing was changed
    -# action 7 · by <@42>
    ");
}

#[test]
fn a_card_of_several() {
    let targets = vec![
        target("one", State::Succeeded, Step::Done, None),
        target("two", State::Failed, Step::Done, Some("no room\nand more")),
        target("three", State::Running, Step::Starting, None),
    ];
    let mut running = of(Kind::Stop, State::Running, targets);
    running.reason = Some("night *shift*".to_owned());
    running.actor = None;
    insta::assert_snapshot!(shown(&running), @r"
    ⏳ stop 3 agents: 2 of 3 done
    ❌ `two`: no room
    ▫️ `three`: starting
    ✅ `one`
    -# action 7 · by Yardarm, because: night \*shift\*
    ");
    let many = (0..15).map(|number| {
        target(
            &format!("agent-{number}"),
            State::Asked,
            Step::Waiting,
            None,
        )
    });
    insta::assert_snapshot!(shown(&of(Kind::Remove, State::Asked, many.collect())), @"
    ❔ **remove** 15 agents? Their containers are deleted; the data in their volumes stays.
    ▫️ `agent-0`
    ▫️ `agent-1`
    ▫️ `agent-2`
    ▫️ `agent-3`
    ▫️ `agent-4`
    ▫️ `agent-5`
    ▫️ `agent-6`
    ▫️ `agent-7`
    ▫️ `agent-8`
    ▫️ `agent-9`
    ▫️ `agent-10`
    ▫️ `agent-11`
    … and 3 more
    -# action 7 · by <@42>
    ");
}

/// Discord's limits, from its documentation of messages, embeds and components.
fn check(rendered: &Rendered) {
    let message = serde_json::to_value(rendered.response(true)).unwrap();
    let units = |text: &Value| text.as_str().unwrap_or_default().encode_utf16().count();
    let content = message["content"].as_str().unwrap();
    assert!(units(&message["content"]) <= 2000, "{content}");
    assert!(
        content.matches("```").count().is_multiple_of(2),
        "an open block: {content}"
    );
    assert!(!content.contains(['\u{202e}', '\u{1b}']), "{content:?}");
    let mut whole = 0;
    for embed in message["embeds"].as_array().into_iter().flatten() {
        assert!(units(&embed["title"]) <= 256 && units(&embed["description"]) <= 4096);
        whole += units(&embed["title"]) + units(&embed["description"]);
        let fields: &[Value] = embed["fields"].as_array().map_or(&[], Vec::as_slice);
        assert!(fields.len() <= 25);
        for field in fields {
            assert!((1..=1024).contains(&units(&field["value"])), "{field}");
            whole += units(&field["name"]) + units(&field["value"]);
        }
    }
    assert!(whole <= 6000, "{whole}");
    let rows = message["components"].as_array().unwrap();
    assert!(rows.len() <= 5);
    for row in rows {
        let buttons = row["components"].as_array().unwrap();
        assert!((1..=5).contains(&buttons.len()));
        for button in buttons {
            assert!((1..=100).contains(&units(&button["custom_id"])), "{button}");
            if button["type"] == 3 {
                let options = button["options"].as_array().unwrap();
                assert!((1..=25).contains(&options.len()));
                assert!(options.iter().all(|one| units(&one["description"]) <= 100));
                continue;
            }
            assert!((1..=80).contains(&units(&button["label"])), "{button}");
        }
    }
}

/// A board of so many agents, everything about which is as long as it may be.
fn crowded(agents: usize, said: &str) -> BoardView {
    let longest = |number: usize| Name::parse(&format!("{number:0>32}")).unwrap();
    let line = |number: usize| Line {
        id: AgentId(i64::MAX),
        name: longest(number),
        fleet: longest(number),
        state: agents::State::CrashLooping,
        since: noon(),
        busy: Some(Kind::TemplateDelete),
        is_frozen: true,
    };
    let trouble = Trouble {
        severity: Severity::Critical,
        subject: longest(0).to_string(),
        cause: said.to_owned(),
        since: noon(),
        standing: "acknowledged",
    };
    let question = Open {
        action: ActionId(i64::MAX),
        kind: Kind::TemplateDelete,
        agents: Ok(longest(0)),
        channel: Some(ChannelId(u64::MAX)),
        until: noon(),
    };
    BoardView {
        board: Board {
            id: BoardId(7),
            channel: ChannelId(1),
            fleet: None,
            repost_after: None,
            created_by: UserId(42),
            shown: None,
            old_message: None,
            ended: None,
        },
        picture: Picture {
            counts: agents::State::ALL.map(|state| (state, agents)).into(),
            agents: (0..agents.min(Picture::AGENTS)).map(line).collect(),
            troubles: vec![trouble; Picture::TROUBLES],
            troubles_more: 900,
            questions: vec![question; Picture::QUESTIONS],
            questions_more: 900,
            freezes: vec![said.chars().take(300).collect(); 9],
            silent: Some((noon(), said.to_owned())),
        },
        host: Host::default(),
    }
}

#[test]
fn a_board_of_a_thousand_agents_fits_and_tells_how_many_it_leaves_out() {
    let view = crowded(1000, &"x".repeat(3000));
    let rendered = board::message(&view, noon());
    check(&rendered);
    let json = serde_json::to_value(rendered.response(true)).unwrap();
    let embed = &json["embeds"][0];
    let listed = embed["description"].as_str().unwrap();
    let told_of = |text: &str| {
        let (lines, last) = text.rsplit_once("\n… and ").unwrap();
        let more: usize = last.strip_suffix(" more").unwrap().parse().unwrap();
        lines.lines().count() + more
    };
    assert_eq!(told_of(listed), view.picture.total());
    for field in embed["fields"].as_array().unwrap().iter().take(2) {
        assert_eq!(told_of(field["value"].as_str().unwrap()), 908);
    }
    let content = json["content"].as_str().unwrap();
    assert!(content.contains("-# board 7 · as of"), "{content}");
    let select = &json["components"][0]["components"][0];
    assert_eq!(select["options"].as_array().unwrap().len(), 25);
}

/// Whatever people type and containers say.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        "[`@*\n#<>|\u{202e}\u{1b}a🦀-]{0,400}",
        "(x{500}\n){1,12}",
        ".{0,200}"
    ]
}

fn name() -> impl Strategy<Value = Name> {
    "[a-z0-9][a-z0-9_-]{0,31}".prop_map(|text| Name::parse(&text).unwrap())
}

prop_compose! {
    fn any_target()(name in name(), state in 0_usize..8, note in proptest::option::of(hostile())) -> Target {
        Target { note, ..target(name.as_str(), State::ALL[state], Step::Starting, None) }
    }
}

prop_compose! {
    fn any_action()(
        kind in 0..Kind::ALL.len(), state in 0_usize..8, targets in proptest::collection::vec(any_target(), 0..40),
        reason in proptest::option::of(hostile()), outcome in hostile(), into in name(),
    ) -> Action {
        let mut action = of(Kind::ALL[kind], State::ALL[state], targets);
        action.reason = reason;
        // Of several targets only a count is told.
        action.outcome = action.targets.is_empty().then_some(outcome);
        action.details.name = Some(into);
        action
    }
}

prop_compose! {
    fn any_view()(
        name in name(), fleet in name(), state in 0..agents::State::ALL.len(), error in proptest::option::of(hostile()),
        ports in proptest::collection::vec("[0-9a-f:]{3,45}", 0..60), image in "[a-z0-9/.:-]{1,500}", busy: bool,
        said in hostile(),
    ) -> View {
        let body = format!(r#"{{ "description": "x", "image": "{}" }}"#, "demo:1");
        let mut spec = Template::parse(name.clone(), &body).unwrap().resolve(&Arguments::new()).unwrap();
        spec.image = image;
        spec.probes = vec![Probe { question: Question::Exec { command: vec![said.clone()] }, pace: Pace::default() }; 10];
        let mut probed = Probed::new(noon());
        let asked = Asked { at: noon(), took: Duration::MAX, answer: Answer::Ill(said) };
        probed.note(asked, &Pace::default(), None);
        View {
            agent: Agent {
                id: AgentId(i64::MAX), name, fleet: FleetId(1), desired: Desired::Running, container: None, version: 1,
                adopted: false, created_at: noon(),
            },
            fleet,
            version: Some(Arc::new(Version {
                number: 1, spec, image: ImageId("sha256:0".to_owned()), arguments: Arguments::new(), created_at: noon(),
            })),
            observed: Some(Observation {
                container: ContainerId("c".to_owned()), name: "c".to_owned(), phase: Phase::Exited,
                image: ImageId("sha256:0".to_owned()), started_at: Some(noon()), finished_at: Some(noon()),
                exit_code: Some(1), oom_killed: false, error, health: None, health_said: None,
                restarts: u32::MAX, ports, addresses: Vec::new(),
            }),
            probed: vec![probed; 10], log_says: None, broken: false,
            usage: Some(Usage { cpus: 512.0, memory_bytes: u64::MAX, pids: u64::MAX, io: Io::default() }),
            busy: busy.then_some(Busy { action: ActionId(1), kind: Kind::TemplateDelete, actor: None, since: noon() }),
            state: agents::State::ALL[state],
            since: noon(),
        }
    }
}

prop_compose! {
    fn any_incident()(
        name in name(), cause in hostile(), note in hostile(), said in hostile(), severity in 0..Severity::ALL.len(),
        heeded: bool,
    ) -> Incident {
        Incident {
            id: IncidentId(1), about: About::Agent(AgentId(1)), agent: Some(name.clone()),
            fleet: Some((FleetId(1), name)), kind: incident::Kind::Down, severity: Severity::ALL[severity], cause,
            evidence: Evidence {
                exit_code: Some(1), lines: vec![said], changed: Some(note.clone()), notes: vec![note; 9],
            },
            opened_at: noon(), changed_at: noon(), gone_since: None, resolved_at: None,
            acknowledged: heeded.then_some((UserId(u64::MAX), noon())), returns: vec![noon(); 99], flapping: true,
            alert: None, joined_at: None, untold: None, told_at: None, told_severity: None,
        }
    }
}

prop_compose! {
    fn any_alert()(
        incidents in proptest::collection::vec(any_incident(), 0..40), mute in proptest::option::of(hostile()),
        users in 0_u64..60, roles in 0_u64..60,
    ) -> AlertView {
        AlertView {
            alert: Alert {
                id: AlertId(i64::MAX), route: "ops".to_owned(), group: String::new(), opened_at: noon(), due_at: noon(),
                announced_at: None, told_at: None, told_severity: None, unheeded_since: None, repeats: 0, escalations: 0,
                closed_at: None,
            },
            incidents, attempts: None, mute: mute.map(Mute::Maintenance),
            users: (0..users).map(|number| UserId(u64::MAX - number)).collect(),
            roles: (0..roles).map(|number| RoleId(u64::MAX - number)).collect(),
        }
    }
}

/// Whatever is cut off, it is found by its mark, and names whom it notifies.
fn check_foot(rendered: &Rendered, topic: Topic) {
    check(rendered);
    let content = rendered.content();
    let last = content.lines().last().unwrap_or_default();
    assert!(
        last.starts_with(&format!("-# {}", topic.mark())),
        "{content}"
    );
    for user in &rendered.mentions.users {
        assert!(content.contains(&format!("<@{user}>")), "{content}");
    }
    for role in &rendered.mentions.roles {
        assert!(content.contains(&format!("<@&{role}>")), "{content}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_action_fits(action in any_action()) {
        check_foot(&action::card(&action, noon()), Topic::Action(action.id));
    }

    #[test]
    fn any_alert_fits(view in any_alert(), why in 0..Nudge::ALL.len()) {
        check_foot(&alert::card(&view), Topic::Alert(view.alert.id));
        let nudge = (NudgeId(7), Nudge::ALL[why]);
        check_foot(&alert::nudge(nudge, &view, noon()), Topic::Nudge(nudge.0));
    }

    #[test]
    fn any_agent_fits(view in any_view()) {
        check(&agent::card(&view, None, noon()));
    }

    #[test]
    fn any_fleet_fits(views in proptest::collection::vec(any_view(), 0..=20), why in hostile(), fleet in proptest::option::of(name())) {
        let mut counts = BTreeMap::new();
        for view in &views {
            *counts.entry(view.state).or_default() += 1;
        }
        let glance = Glance {
            freezes: Vec::new(),
            fleet, counts, total: views.len(), page: 1, pages: 3, views,
            engine: EngineState::Silent { since: noon(), why },
            host: Host::default(), backlog: Backlog { waiting: 99, dead: 99 }, refused: 99,
        };
        check(&status::fleet(&glance, noon()));
    }

    #[test]
    fn any_board_fits(agents in 0_usize..60, said in hostile()) {
        check(&board::message(&crowded(agents, &said), noon()));
    }

    #[test]
    fn any_log_fits(lines in proptest::collection::vec(hostile(), 0..60), filter in proptest::option::of(hostile()), name in name()) {
        let extract = logs::Extract { agent: AgentId(1), name, lines, filter };
        check(&logs::extract(&extract));
        check(&logs::following(&extract, noon()));
        check(&logs::followed(&extract, "the container ended"));
    }
}

/// One that others have to approve.
fn question(votes: Vec<Vote>, reason: &str) -> Action {
    let approval = Approval {
        ask: Ask::of(2),
        rule: "careful".to_owned(),
        channel: None,
        asked_at: noon(),
        expires_at: noon() + TimeDelta::hours(24),
        decided: None,
        votes,
    };
    Action {
        approval: Some(Box::new(approval)),
        reason: Some(reason.to_owned()),
        ..of(
            Kind::Remove,
            State::Asked,
            vec![target("scout", State::Asked, Step::Waiting, None)],
        )
    }
}

#[test]
fn a_question_to_very_many_notifies_those_it_names_and_fits() {
    let answer = |number| Vote {
        user: UserId(number),
        answer: Choice::Approve,
        reason: Some("*because* ".repeat(40)),
        at: noon(),
    };
    let action = question((0..12).map(answer).collect(), &"*why* ".repeat(200));
    let many: Vec<Holder> = (0..300)
        .map(|number| Holder::User(UserId(1_000_000_000_000_000_000 + number)))
        .collect();
    let card = approval::card(&action, &many, noon());
    assert_eq!(card.mentions.users.len(), 20);
    let text = card.content();
    for user in &card.mentions.users {
        assert!(text.contains(&format!("<@{user}>")), "{user}");
    }
    assert!(text.contains("and 280 more"), "{text}");
    assert!(text.contains("more answers"), "{text}");
    assert!(text.ends_with("-# approval 7"), "{text}");
    assert!(text.encode_utf16().count() <= 2000);
}

/// An action about so many agents that no message could name them all.
fn silence_of_many() -> Action {
    let agent = |number| Pattern::parse(&format!("an-agent-with-a-name-{number}")).unwrap();
    let matcher = Matcher {
        agents: (0..500).map(agent).collect(),
        ..Matcher::default()
    };
    let mut action = question(Vec::new(), "night shift");
    action.kind = Kind::Silence;
    action.targets = Vec::new();
    action.details.quiet = Some(Box::new(Quiet::For { matcher, hours: 1 }));
    action
}

#[test]
fn what_concerns_very_many_agents_is_found_again() {
    let action = silence_of_many();
    let olga = [Holder::User(UserId(42))];
    check_foot(&action::card(&action, noon()), Topic::Action(action.id));
    let card = approval::card(&action, &olga, noon());
    check_foot(&card, Topic::Approval(action.id));
    let reminder = approval::reminder(&action, &olga);
    check_foot(&reminder, Topic::Reminder(action.id));

    let subjects: Vec<Topic> = (0..40).map(Topic::Start).collect();
    let digest = start::digest(&subjects, (&vec![action; 15], &[]), noon());
    check(&digest);
    let marks = format!("\n-# {}", digest_mark(&subjects));
    assert!(digest.content().ends_with(&marks), "{}", digest.content());
}

/// A plan about one agent in each of these fleets.
fn plan_in(fleets: impl Iterator<Item = String>) -> Plan {
    let part = |(number, fleet): (usize, String)| Part {
        agent: Name::parse(&format!("an-agent-with-a-long-name-{number}")).unwrap(),
        fleet: Name::parse(&fleet).unwrap(),
        container: None,
        now: None,
        then: None,
        loosens: vec!["memory 512 → 2048 MiB".to_owned()],
    };
    Plan {
        kind: "redeploy".to_owned(),
        parts: fleets.enumerate().map(part).collect(),
        details: Details::default(),
    }
}

#[test]
fn a_question_about_very_many_fleets_is_found_again() {
    let fleets = (100..160).map(|number| format!("a-fleet-with-a-long-name-{number}"));
    let mut action = question(Vec::new(), &"*".repeat(300));
    action.plan = Some(Box::new(plan_in(fleets)));
    let many: Vec<Holder> = (0..30)
        .map(|id| Holder::User(UserId(u64::MAX - id)))
        .collect();
    let card = approval::card(&action, &many, noon());
    check_foot(&card, Topic::Approval(action.id));
    let text = card.content();
    assert!(
        text.contains("`a-fleet-with-a-long-name-107` and 52 more fleets."),
        "{text}"
    );
}

#[test]
fn what_a_long_plan_loosens_is_never_left_out() {
    let mut action = question(Vec::new(), "more");
    let fleets = std::iter::repeat_n("main".to_owned(), 60);
    action.plan = Some(Box::new(plan_in(fleets)));
    let card = approval::card(&action, &[], noon()).content();
    assert!(card.contains("more lines: press Details"), "{card}");
    assert!(
        card.contains("⚠️ Loosens: memory 512 → 2048 MiB\n"),
        "{card}"
    );
}

#[test]
fn of_a_long_list_all_comes_as_a_file() {
    let entry = |number: usize| Listed {
        subject: Subject::new(format!("KEY_{number}"), Scope::All, None),
        set: None,
        users: Vec::new(),
        outlets: Vec::new(),
    };
    let entries: Vec<Listed> = (0..30).map(entry).collect();
    assert_eq!(secrets::list(&entries[..20]).files, []);
    let all = secrets::list(&entries);
    assert!(
        all.content
            .ends_with("… and 10 more: `secrets.txt` has all"),
        "{}",
        all.content
    );
    let file = String::from_utf8(all.files[0].bytes.clone()).unwrap();
    assert_eq!(file.lines().count(), 30);
    assert!(file.contains("`KEY_29` for all agents"), "{file}");
}

/// The numbers on the buttons that begin with this word, in order.
fn numbers_on(rendered: &Rendered, word: &str) -> Vec<i64> {
    let message = serde_json::to_value(rendered.response(true)).unwrap();
    let rows = message["components"].as_array().unwrap();
    let buttons = rows
        .iter()
        .flat_map(|row| row["components"].as_array().unwrap());
    let labels = buttons.filter_map(|button| button["label"].as_str()?.strip_prefix(word));
    labels.map(|number| number.parse().unwrap()).collect()
}

#[test]
fn what_a_list_has_buttons_for_stands_in_it() {
    let asked = |number: i64| Action {
        id: ActionId(number),
        ..question(Vec::new(), &"*".repeat(300))
    };
    let waiting: Vec<Action> = (995..1003).map(asked).collect();
    let list = approval::list(&waiting, noon());
    check(&list);
    let text = list.content();
    let answered = numbers_on(&list, "Approve ");
    assert_eq!(answered, [995, 996, 997, 998, 999]);
    for number in answered {
        let entry = format!("**{number}** · remove `scout` · by <@42>");
        assert!(text.contains(&entry), "{text}");
    }
    assert!(text.ends_with("… and 3 more; they follow once these are answered."));
}

#[test]
fn a_list_tells_whose_data_would_be_deleted() {
    let mut action = question(Vec::new(), "done with it");
    let list = |action: &Action| approval::list(std::slice::from_ref(action), noon()).content();
    let kept = list(&action);
    assert!(kept.contains("the data in its volumes stays."), "{kept}");
    action.details.volumes = true;
    let deleted = list(&action);
    assert!(
        deleted.contains("R> · Its container and **the data in its volumes** are deleted.\nWhy: "),
        "{deleted}"
    );
}

#[test]
fn each_silence_can_be_ended_or_is_counted() {
    let silence = |number: i64| Silence {
        id: SilenceId(number),
        matcher: Matcher {
            agents: vec![Pattern::parse("an-agent-with-a-long-name-*").unwrap(); 40],
            ..Matcher::default()
        },
        reason: "*because* ".repeat(40),
        author: UserId(u64::MAX),
        since: noon(),
        until: noon(),
    };
    let all: Vec<Silence> = (1001..1017).map(silence).collect();
    let list = alert::silences(&all);
    check(&list);
    let text = list.content();
    let ended = numbers_on(&list, "End ");
    assert_eq!(ended, (1001..1016).collect::<Vec<_>>());
    for number in ended {
        assert!(text.contains(&format!("🔕 {number} **agent")), "{text}");
    }
    assert!(text.ends_with("… and 1 more; they follow once these are over."));
}

/// A row of the audit whose texts are as long as they may be.
fn told(number: i64) -> Record {
    Record {
        number,
        at: noon().to_rfc3339(),
        what: "failed".to_owned(),
        actor: Some(i64::MAX),
        origin: "chat".to_owned(),
        agent_id: Some(1),
        agent_name: Some("an_agent_with_a_long_name_of_32".to_owned()),
        fleet_id: Some(1),
        fleet_name: None,
        action_id: Some(number),
        kind: Some("redeploy".to_owned()),
        plan: None,
        text: Some("*no* ".repeat(60)),
        details: "{}".to_owned(),
        hash: Vec::new(),
    }
}

#[test]
fn a_page_of_the_audit_shows_every_row_of_it() {
    let page = Page {
        search: InteractionId(u64::MAX),
        number: 0,
        records: (1_000_001..1_000_011).rev().map(told).collect(),
        is_last: false,
    };
    let shown = audit::page(&page);
    check(&shown);
    let text = shown.content();
    assert_eq!(text.lines().count(), 10);
    for record in &page.records {
        let row = format!("`{}` <t:1795262400:f>", record.number);
        assert!(text.contains(&row), "{text}");
        let end = format!("” · action {}", record.number);
        assert!(text.contains(&end), "{text}");
    }
    assert!(
        text.contains(" `an_agent_with_a_long_name_of_32` "),
        "{text}"
    );
}
