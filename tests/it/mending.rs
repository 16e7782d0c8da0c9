//! What is mended by itself: how much at a time, how often, and what else people are told of it.

use std::time::Duration;

use chrono::TimeDelta;
use localcord::Message;
use yardarm::{
    domain::{action, agent::State, event::Event, view::Host},
    engine::EngineError,
};

use crate::support::{
    alarm::{card, cards, die, prompt, running, starts},
    test_app::TestApp,
};

fn count(test: &TestApp, change: &str) -> usize {
    let changes = test.engine.changes();
    changes.iter().filter(|one| *one == change).count()
}

/// Waits until something was done to an agent so often, and nobody is at work on it.
async fn done(test: &TestApp, change: &str, agent: &str, times: usize) {
    test.until(|ops| {
        count(test, change) == times && ops.roster.view(agent).unwrap().busy.is_none()
    })
    .await;
}

async fn under_way(test: &TestApp) -> usize {
    let store = &test.ops().store;
    let pending = store.actions_in(action::State::Pending).await.unwrap();
    let running = store.actions_in(action::State::Running).await.unwrap();
    pending.len() + running.len()
}

#[tokio::test]
async fn no_more_than_so_many_are_restarted_at_a_time() {
    let test = TestApp::start_with(&[("recovery.parallel", "2")]).await;
    let names: Vec<String> = (0..10).map(|number| format!("agent-{number}")).collect();
    for name in &names {
        test.ops_deploy(name).await;
    }
    // The look at the first end is held up until all are down: the next one sees the others together.
    test.engine.hold("logs");
    test.engine.hold("start");
    for name in &names {
        die(&test, name, 1);
    }
    test.until(|ops| {
        ops.roster
            .read(|board| board.views().all(|view| view.state != State::Running))
    })
    .await;
    test.engine.release("logs");
    test.engine.holding("start", 2).await;
    test.ops().mend().await.unwrap();
    assert_eq!(under_way(&test).await, 2);
    test.engine.release("start");
    for name in &names {
        running(&test, name).await;
    }
    test.finish().await;
}

/// Adds `store`, and `brain` that depends on it; its template says this besides.
async fn add_pair(test: &TestApp, more: &str) {
    let plain = r#""description": "x", "image": "demo:1", "stop_grace_s": 1"#;
    test.write_template("store", &format!("{{ {plain} }}"));
    test.write_template(
        "brain",
        &format!(r#"{{ {plain}, "depends_on": ["store"]{more} }}"#),
    );
    test.done("reload").await;
    for name in ["store", "brain"] {
        test.done(&format!("deploy template:{name} name:{name}"))
            .await;
    }
    test.delivered().await;
    test.engine.forget_calls();
    test.clock.advance(TimeDelta::seconds(10));
}

#[tokio::test]
async fn a_dependent_that_cannot_be_restarted_is_tried_as_seldom_as_any_other() {
    let test = TestApp::start().await;
    add_pair(&test, "").await;
    test.engine.refuse("stop", "device or resource busy");
    die(&test, "store", 1);
    for attempts in 1..=5 {
        done(&test, "stop yardarm-brain", "brain", attempts).await;
        test.ops().mend().await.unwrap();
        // 5 s after the first, doubling, and a fifth more at most.
        test.pass(TimeDelta::seconds(6 << (attempts - 1)));
    }
    test.ops().mend().await.unwrap();
    assert_eq!(count(&test, "stop yardarm-brain"), 5);
    assert_eq!(test.state("brain"), State::Running);
    // Half an hour later those do not count any more.
    test.engine.mend("stop");
    test.pass(TimeDelta::minutes(31));
    done(&test, "start yardarm-brain", "brain", 1).await;
    running(&test, "brain").await;
    test.finish().await;
}

#[tokio::test]
async fn what_it_depends_on_uses_up_none_of_its_own_restarts() {
    let test = TestApp::start().await;
    add_pair(&test, r#", "recovery": { "attempts": 1 }"#).await;
    die(&test, "store", 1);
    done(&test, "start yardarm-brain", "brain", 1).await;
    running(&test, "brain").await;
    die(&test, "brain", 1);
    done(&test, "start yardarm-brain", "brain", 2).await;
    running(&test, "brain").await;
    test.finish().await;
}

/// An app in which agents of that name are in maintenance all the time.
async fn maintained(name: &str) -> TestApp {
    let mut test = TestApp::prepare(&[("alerts.group_wait_s", "0")]).await;
    let file = test.path("yardarm.toml");
    let window = r#"window = { from = "00:00", to = "23:59", zone = "UTC" }"#;
    let all = format!("[[maintenance]]\nname = \"works\"\nagents = [\"{name}\"]\n{window}\n");
    std::fs::write(&file, all).unwrap();
    test.up_from(&file).await;
    test
}

#[tokio::test]
async fn a_dependent_in_maintenance_is_left_alone() {
    let test = maintained("brain").await;
    add_pair(&test, "").await;
    die(&test, "store", 1);
    done(&test, "start yardarm-store", "store", 1).await;
    running(&test, "store").await;
    for _ in 0..2 {
        test.ops().mend().await.unwrap();
    }
    assert_eq!(test.engine.changes(), ["start yardarm-store"]);
    test.finish().await;
}

#[tokio::test]
async fn what_is_ill_in_maintenance_is_left_alone_and_not_told() {
    let test = maintained("scout").await;
    test.deploy("scout").await;
    test.deploy("lookout").await;
    test.engine.forget_calls();
    let container = |name: &str| test.engine.id_of(&format!("yardarm-{name}"));
    for name in ["scout", "lookout"] {
        test.engine.fail_health(&container(name), "stuck");
    }
    card(&test, "**lookout**").await;
    running(&test, "lookout").await;
    test.ops().mend().await.unwrap();
    assert_eq!(
        test.engine.changes(),
        ["stop yardarm-lookout", "start yardarm-lookout"]
    );
    assert_eq!(test.state("scout"), State::Unhealthy);
    assert!(
        cards(&test)
            .iter()
            .all(|card| !card.text().contains("scout"))
    );
    test.finish().await;
}

#[tokio::test]
async fn what_has_run_well_for_long_enough_may_be_restarted_by_itself_again() {
    let test = prompt(&[]).await;
    test.write_template(
        "demo",
        r#"{ "description": "x", "image": "demo:1", "stop_grace_s": 1,
             "recovery": { "attempts": 1, "window_s": 3600, "healthy_s": 60 } }"#,
    );
    test.done("reload").await;
    test.done("redeploy agent:scout").await;
    running(&test, "scout").await;
    test.engine.forget_calls();
    test.engine.crash_on_start("demo:1", 1);
    die(&test, "scout", 1);
    starts(&test, 1).await;
    card(&test, "not restarted by itself any more").await;
    // The card knows that by counting, a moment before it is written down.
    test.until(|ops| ops.roster.view("scout").unwrap().broken)
        .await;
    test.engine.run_on_start("demo:1");
    test.done("start agent:scout").await;
    running(&test, "scout").await;
    // Since when it runs well is noted, and a minute later that is long enough.
    for _ in 0..2 {
        test.ops().mend().await.unwrap();
        test.pass(TimeDelta::seconds(61));
    }
    test.ops().mend().await.unwrap();
    test.engine.forget_calls();
    die(&test, "scout", 2);
    starts(&test, 1).await;
    running(&test, "scout").await;
    test.finish().await;
}

#[tokio::test]
async fn what_ends_unseen_a_moment_after_it_healed_is_started_again() {
    let test = prompt(&[]).await;
    die(&test, "scout", 1);
    starts(&test, 1).await;
    running(&test, "scout").await;
    card(&test, "well again").await;
    test.engine.go_away();
    test.until(|ops| ops.roster.view("scout").unwrap().state == State::Unknown)
        .await;
    die(&test, "scout", 137);
    test.engine.come_back();
    test.ops().resync().await.unwrap();
    test.pass(TimeDelta::seconds(7));
    starts(&test, 2).await;
    running(&test, "scout").await;
    test.finish().await;
}

fn is_question(message: &Message) -> bool {
    message.text().contains("-# approval")
}

/// An app in which Olga and Ravi decide, with `scout` at work.
async fn two_owners() -> TestApp {
    two_owners_by("").await
}

/// The same with these settings.
async fn two_owners_by(settings: &str) -> TestApp {
    let mut test = TestApp::prepare(&[("alerts.group_wait_s", "0")]).await;
    test.set("access.preset", "\"team\"");
    let owners = ["olga", "ravi"].map(|name| format!("\"{}\"", test.cord.user(name).id()));
    test.set("access.owners", &format!("[{}]", owners.join(", ")));
    let file = test.path("yardarm.toml");
    std::fs::write(&file, settings).unwrap();
    test.up_from(&file).await;
    test.deploy("scout").await;
    test.engine.forget_calls();
    test
}

fn run_out(test: &TestApp) {
    let container = test.engine.id_of("yardarm-scout");
    test.engine.run_out_of_memory(&container);
}

#[tokio::test]
async fn more_memory_is_asked_for_once_while_nobody_has_answered() {
    let test = two_owners().await;
    for times in 1..=2 {
        run_out(&test);
        starts(&test, times).await;
        running(&test, "scout").await;
        let ops = test.cord.channel("ops");
        ops.wait_for(is_question).await.unwrap();
        test.pass(TimeDelta::hours(2));
        test.ops().mend().await.unwrap();
    }
    let messages = test.cord.channel("ops").messages();
    assert_eq!(messages.iter().filter(|one| is_question(one)).count(), 1);
    test.finish().await;
}

#[tokio::test]
async fn more_memory_is_asked_for_although_we_ended_before_it_was() {
    let mut test = two_owners().await;
    test.engine.hold("image");
    run_out(&test);
    test.engine.holding("image", 1).await;
    test.crash().await;
    test.engine.release("image");
    test.up().await;
    let ops = test.cord.channel("ops");
    ops.wait_for(is_question).await.unwrap();
    running(&test, "scout").await;
    test.finish().await;
}

const ASKED: &str = r#"
[[policy]]
name = "main is asked about"
actions = ["start", "restart"]
fleets = ["main"]
effect = "ask"
"#;

async fn open_questions(test: &TestApp) -> usize {
    let asked = test.ops().store.actions_in(action::State::Asked).await;
    asked.unwrap().len()
}

/// Looks after what is ill for so many minutes.
async fn mend_for(test: &TestApp, minutes: u32) {
    for _ in 0..minutes {
        test.pass(TimeDelta::minutes(1));
        test.ops().mend().await.unwrap();
    }
}

#[tokio::test]
async fn people_are_asked_about_a_restart_once_and_not_soon_after_a_no() {
    let test = two_owners_by(ASKED).await;
    die(&test, "scout", 1);
    let ops = test.cord.channel("ops");
    let question = ops.wait_for(is_question).await.unwrap();
    mend_for(&test, 5).await;
    assert_eq!(open_questions(&test).await, 1);
    assert!(!test.ops().roster.view("scout").unwrap().broken);
    let list = test.done("alerts list").await;
    assert!(list.contains("scout"), "{list}");

    let ravi = test.cord.user("ravi").in_channel("ops");
    let form = ravi.press(&question, "Deny").await.unwrap();
    let form = form.modal().unwrap().fill("reason", "let it rest");
    form.submit().await.unwrap();
    let denied = |one: &Message| is_question(one) && one.text().contains("denied");
    ops.wait_for(denied).await.unwrap();
    mend_for(&test, 30).await;
    assert_eq!(open_questions(&test).await, 0);

    test.pass(TimeDelta::minutes(31));
    let is_another = |one: &Message| is_question(one) && one.id() != question.id();
    let question = ops.wait_for(is_another).await.unwrap();
    ravi.press(&question, "Approve").await.unwrap();
    starts(&test, 1).await;
    running(&test, "scout").await;
    test.finish().await;
}

/// `scout` ends, and nobody sees that.
async fn end_unseen(test: &TestApp) {
    test.engine.go_away();
    test.until(|ops| ops.roster.view("scout").unwrap().state == State::Unknown)
        .await;
    die(test, "scout", 137);
    test.engine.come_back();
    test.ops().resync().await.unwrap();
}

#[tokio::test]
async fn people_are_asked_once_about_what_ended_unseen_and_told_of_it() {
    let test = two_owners_by(ASKED).await;
    end_unseen(&test).await;
    let ops = test.cord.channel("ops");
    ops.wait_for(is_question).await.unwrap();
    mend_for(&test, 5).await;
    card(&test, "was killed by signal 9").await;
    assert_eq!(open_questions(&test).await, 1);
    test.finish().await;
}

#[tokio::test]
async fn what_nobody_can_type_is_not_asked_for_and_people_are_told() {
    for is_seen in [true, false] {
        let test = two_owners_by(&ASKED.replace("\"ask\"", "\"confirm\"")).await;
        if is_seen {
            die(&test, "scout", 137);
        } else {
            end_unseen(&test).await;
        }
        card(&test, "was killed by signal 9").await;
        mend_for(&test, 5).await;
        assert_eq!(open_questions(&test).await, 0);
        assert_eq!(test.engine.changes(), [""; 0]);
        assert!(!test.ops().roster.view("scout").unwrap().broken);
        test.finish().await;
    }
}

#[tokio::test]
async fn who_works_alone_is_not_asked_for_memory() {
    let test = prompt(&[]).await;
    run_out(&test);
    starts(&test, 1).await;
    running(&test, "scout").await;
    assert_eq!(open_questions(&test).await, 0);
    test.finish().await;
}

#[tokio::test]
async fn how_it_ended_is_forgotten_once_it_runs_again() {
    let test = prompt(&[]).await;
    test.write_template(
        "demo",
        r#"{ "description": "x", "image": "demo:1", "stop_grace_s": 1, "recovery": { "restart": false } }"#,
    );
    test.done("reload").await;
    test.done("redeploy agent:scout").await;
    running(&test, "scout").await;
    test.engine.forget_calls();
    die(&test, "scout", 0);
    test.until(|ops| ops.roster.view("scout").unwrap().state == State::Exited)
        .await;
    test.done("start agent:scout").await;
    running(&test, "scout").await;
    // It is simply started.
    end_unseen(&test).await;
    starts(&test, 2).await;
    running(&test, "scout").await;
    test.finish().await;
}

#[tokio::test]
async fn one_container_that_is_not_looked_at_in_time_says_nothing_of_the_engine() {
    let test = prompt(&[]).await;
    let mut events = test.ops().events();
    let late = EngineError::TimedOut {
        what: "inspect",
        after: Duration::from_secs(10),
    };
    test.engine.fail("observe", late);
    die(&test, "scout", 1);
    loop {
        match events.recv().await.unwrap() {
            Event::Engine { answers } => assert!(answers, "all are unknown for one"),
            Event::Resynced => break,
            _ => {}
        }
    }
    test.engine.mend("observe");
    test.ops().resync().await.unwrap();
    starts(&test, 1).await;
    running(&test, "scout").await;
    test.finish().await;
}

#[tokio::test]
async fn a_card_tells_what_the_health_check_says_without_secrets() {
    let test = prompt(&[]).await;
    let container = test.engine.id_of("yardarm-scout");
    test.engine.fail_health(
        &container,
        "refused by the store\nAuthorization: Bearer hunter2hunter2hunter2hunter2",
    );
    let told = card(&test, "Its health check says: refused by the store").await;
    assert!(!told.contains("hunter2"), "{told}");
    running(&test, "scout").await;
    test.finish().await;
}

#[tokio::test]
async fn a_card_tells_that_the_host_was_in_trouble_then() {
    let test = prompt(&[]).await;
    test.gauge
        .set(|host: &mut Host| host.memory_used_bytes = host.memory_total_bytes);
    for _ in 0..12 {
        test.pass(TimeDelta::seconds(30));
        test.ops().measure_host();
        test.ops().look_at_thresholds().await.unwrap();
    }
    card(&test, "the host's memory").await;
    die(&test, "scout", 137);
    let note = "At that time the host was in trouble: memory is at 100 %";
    test.until_outbox(async |ops| {
        let open = ops.store.open_incidents().await.unwrap();
        let mut notes = open.iter().flat_map(|one| &one.evidence.notes);
        notes.any(|one| one.starts_with(note))
    })
    .await;
    running(&test, "scout").await;
    test.finish().await;
}
