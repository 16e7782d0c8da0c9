//! `kill -9` at every call an action makes to the engine, before it is carried out and after.
//!
//! Whatever was cut off is finished, undone or reported; no container is orphaned or lost; nothing is done twice.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use localcord::{Message, Reply};
use yardarm::{
    clock::Clock as _,
    domain::{
        action::{Details, Kind, Origin, Reply as Answer, State as Fate},
        agent::{
            Name,
            State::{self, Paused, Running, Stopped},
        },
        ids::{ActionId, ChannelId, InteractionId},
        incident::About,
        view::EngineState,
    },
    engine::EngineError,
    ops::{Ops, actions::Requester, resolve::Selection},
    store::{
        Store,
        actions::{self, NewAction, NewTarget},
        agents,
    },
};

use crate::support::{
    fake_engine::Moment::{self, After, Before},
    test_app::TestApp,
};

/// A command whose call to the engine does not end. It may be the watcher's call instead: then the command goes on, and
/// is perhaps over before it is cut off.
struct Frozen {
    agent: String,
    reply: Reply,
    /// The newest action when the command was sent.
    before: Option<ActionId>,
}

/// Freezes the engine at each call of a command in turn, until the command passes without meeting one. The agents are
/// `prepare`d before; `cut` decides what becomes of it.
async fn at_each_call(
    test: &mut TestApp,
    moment: Moment,
    prepare: impl AsyncFn(&TestApp, &str),
    command: impl AsyncFn(&TestApp, &str) -> Reply,
    mut cut: impl AsyncFnMut(&mut TestApp, Frozen),
) {
    for calls in 0.. {
        let agent = format!("scout-{calls}");
        prepare(test, &agent).await;
        let before = newest_action(test).await;
        test.engine.freeze_after(calls, moment);
        let reply = command(test, &agent).await;
        let is_frozen = tokio::select! {
            () = test.engine.frozen() => true,
            reply = reply.until(is_final) => { reply.unwrap(); false },
        };
        if !is_frozen {
            test.engine.thaw();
            break;
        }
        let frozen = Frozen {
            agent,
            reply,
            before: before.map(|(id, _)| id),
        };
        cut(test, frozen).await;
        assert_no_orphans(test);
    }
}

/// Ends the app at each call of a command. `after` tells what an agent must be when all is settled, None if it must be
/// gone. Returns how the actions ended.
async fn crash_at_each_call(
    test: &mut TestApp,
    moment: Moment,
    prepare: impl AsyncFn(&TestApp, &str),
    command: impl AsyncFn(&TestApp, &str) -> Reply,
    after: fn(Fate) -> Option<State>,
) -> Vec<Fate> {
    let mut fates = Vec::new();
    let crash = async |test: &mut TestApp, frozen: Frozen| {
        test.crash().await;
        let left = newest_action(test).await;
        let made_before = creations(test);
        test.engine.thaw();
        test.up().await;
        match left.filter(|(id, _)| Some(*id) != frozen.before) {
            // Nothing was accepted: the command can be sent again.
            None | Some((_, Fate::Asked)) => {
                let again = command(test, &frozen.agent).await;
                again.until(is_final).await.unwrap();
            }
            // It was accepted, and is carried out now.
            Some((id, Fate::Pending)) => until_over(test, id).await,
            Some((id, _)) => {
                let fate = told(test, id, &frozen.reply).await;
                test.ops().resync().await.unwrap();
                becomes(test, &frozen.agent, after(fate)).await;
                assert_eq!(creations(test), made_before, "a container was made again");
                fates.push(fate);
            }
        }
    };
    at_each_call(test, moment, prepare, &command, crash).await;
    fates
}

/// As [`crash_at_each_call`], but it is the engine that goes away, and comes back when people have been told.
async fn lose_engine_at_each_call(
    test: &mut TestApp,
    moment: Moment,
    prepare: impl AsyncFn(&TestApp, &str),
    command: impl AsyncFn(&TestApp, &str) -> Reply,
    after: fn(bool) -> Option<State>,
) {
    let lose_engine = async |test: &mut TestApp, Frozen { agent, reply, .. }: Frozen| {
        test.engine.go_away();
        test.engine.thaw();
        let told = reply.until(is_final).await.unwrap().text();
        test.engine.come_back();
        test.ops().resync().await.unwrap();
        becomes(test, &agent, after(told.starts_with('✅'))).await;
        test.ops().resync().await.unwrap();
    };
    at_each_call(test, moment, prepare, command, lose_engine).await;
}

/// The action that was accepted last and its state, whether the app runs or not.
async fn newest_action(test: &TestApp) -> Option<(ActionId, Fate)> {
    let store = Store::open_or_join(&test.path("yardarm.db")).await.unwrap();
    let mut all = Vec::new();
    for state in Fate::ALL {
        let found = store.actions_in(state).await.unwrap();
        all.extend(found.into_iter().map(|id| (id, state)));
    }
    store.close().await;
    all.into_iter().max_by_key(|(id, _)| *id)
}

/// What an agent is in the end; None if it must be gone.
async fn becomes(test: &TestApp, agent: &str, state: Option<State>) {
    match state {
        Some(state) => settled(test, agent, state).await,
        None => assert!(
            test.ops().roster.view(agent).is_none(),
            "{agent} is still there"
        ),
    }
}

async fn until_over(test: &TestApp, id: ActionId) {
    let mut events = test.ops().events();
    while !test.ops().action(id).await.unwrap().state.is_over() {
        events.recv().await.unwrap();
    }
}

/// Waits until no action is under way: what is being changed is not tidied.
async fn until_idle(test: &TestApp) {
    let mut events = test.ops().events();
    loop {
        let store = &test.ops().store;
        let pending = store.actions_in(Fate::Pending).await.unwrap();
        let running = store.actions_in(Fate::Running).await.unwrap();
        if pending.is_empty() && running.is_empty() {
            return;
        }
        events.recv().await.unwrap();
    }
}

/// Everybody learns how it ended, and by one message each.
async fn told(test: &TestApp, id: ActionId, reply: &Reply) -> Fate {
    let ops = test.cord.channel("ops");
    let report = |message: &Message| {
        let text = message.text();
        text.starts_with("Yardarm was restarted in the middle of one action")
            && text.contains(&format!("action {id}\n"))
    };
    if was_cut_off(test, id).await {
        ops.wait_for(report).await.unwrap();
    } else {
        // It ended between the cut and the crash: whoever showed that may be gone.
        test.pass(TimeDelta::seconds(11));
    }
    reply.until(is_final).await.unwrap();
    let messages = ops.messages();
    assert!(messages.iter().filter(|message| report(message)).count() <= 1);
    let cards = messages.iter().map(Message::text);
    let cards: Vec<String> = cards
        .filter(|text| text.contains(&format!("-# action {id} ")))
        .collect();
    assert_eq!(cards.len(), 1, "one card: {cards:?}");
    let action = test.ops().action(id).await.unwrap();
    assert!(
        action
            .targets
            .iter()
            .all(|target| target.state == action.state)
    );
    action.state
}

/// Whether any start found it running.
async fn was_cut_off(test: &TestApp, id: ActionId) -> bool {
    for start in 1..100 {
        if test.ops().found_by(start).await.unwrap().contains(&id) {
            return true;
        }
    }
    false
}

async fn settled(test: &TestApp, agent: &str, state: State) {
    let is_settled = |view: &yardarm::domain::view::View| view.state == state;
    test.until(|ops| ops.roster.view(agent).as_ref().is_some_and(is_settled))
        .await;
}

/// Each agent has its container under its own name, and there are no others.
fn assert_no_orphans(test: &TestApp) {
    let mut expected: Vec<String> = test.ops().roster.read(|board| {
        board
            .views()
            .map(|view| {
                let name = format!("yardarm-{}", view.agent.name);
                assert_eq!(view.agent.container, Some(test.engine.id_of(&name)));
                name
            })
            .collect()
    });
    expected.sort_unstable();
    assert_eq!(test.engine.names(), expected);
}

fn creations(test: &TestApp) -> usize {
    let changes = test.engine.changes();
    changes
        .iter()
        .filter(|change| change.starts_with("create "))
        .count()
}

fn is_final(text: &str) -> bool {
    text.starts_with(['✅', '❌', '⚠'])
}

async fn send(test: &TestApp, command: &str, agent: &str) -> Reply {
    let slash = test.olga().slash(command).option("agent", agent);
    slash.send().await.unwrap()
}

async fn deploy(test: &TestApp, agent: &str) {
    test.deploy(agent).await;
}

async fn deploy_and(test: &TestApp, agent: &str, command: &str) {
    test.deploy(agent).await;
    let reply = send(test, command, agent).await;
    reply.until(is_final).await.unwrap();
}

#[tokio::test]
async fn a_deploy_is_finished_or_leaves_nothing() {
    for moment in [Before, After] {
        let mut test = TestApp::start().await;
        let command = async |test: &TestApp, agent: &str| {
            let slash = test.olga().slash("deploy").option("template", "demo");
            slash.option("name", agent).send().await.unwrap()
        };
        let after = |fate| (fate == Fate::Succeeded).then_some(Running);
        let fates = crash_at_each_call(&mut test, moment, async |_, _| (), command, after).await;
        assert!(fates.contains(&Fate::Interrupted), "{fates:?}");
        assert!(fates.contains(&Fate::Succeeded), "{fates:?}");
        test.finish().await;
    }
}

#[tokio::test]
async fn a_redeploy_is_finished_or_undone() {
    for moment in [Before, After] {
        let mut test = TestApp::start().await;
        let redeploy = async |test: &TestApp, agent: &str| send(test, "redeploy", agent).await;
        let fates =
            crash_at_each_call(&mut test, moment, deploy, redeploy, |_| Some(Running)).await;
        assert!(fates.contains(&Fate::Interrupted), "{fates:?}");
        assert!(fates.contains(&Fate::Succeeded), "{fates:?}");
        test.finish().await;
    }
}

/// An agent with data.
const VAULT: &str = r#"{
    "description": "keeps data", "image": "demo:1", "stop_grace_s": 1,
    "mounts": [{ "volume": "data", "target": "/data" }]
}"#;

#[tokio::test]
async fn a_deploy_whose_engine_is_lost_leaves_nothing_or_an_agent() {
    for moment in [Before, After] {
        let mut test = TestApp::prepare(&[]).await;
        test.write_template("vault", VAULT);
        test.up().await;
        let deploy = async |test: &TestApp, agent: &str| {
            let slash = test.olga().slash("deploy").option("template", "vault");
            slash.option("name", agent).send().await.unwrap()
        };
        let after = |succeeded: bool| succeeded.then_some(Running);
        lose_engine_at_each_call(&mut test, moment, async |_, _| (), deploy, after).await;
        let agents = test.engine.names().len();
        assert_eq!(
            test.engine.volume_names().len(),
            agents,
            "data of agents that never were"
        );
        test.finish().await;
    }
}

#[tokio::test]
async fn a_redeploy_whose_engine_is_lost_leaves_an_agent() {
    for moment in [Before, After] {
        let mut test = TestApp::start().await;
        let redeploy = async |test: &TestApp, agent: &str| send(test, "redeploy", agent).await;
        lose_engine_at_each_call(&mut test, moment, deploy, redeploy, |_| Some(Running)).await;
        test.finish().await;
    }
}

#[tokio::test]
async fn a_rollback_is_finished_or_undone() {
    for moment in [Before, After] {
        let mut test = TestApp::start().await;
        let prepare = async |test: &TestApp, agent: &str| deploy_and(test, agent, "redeploy").await;
        let rollback = async |test: &TestApp, agent: &str| send(test, "rollback", agent).await;
        crash_at_each_call(&mut test, moment, prepare, rollback, |_| Some(Running)).await;
        test.finish().await;
    }
}

/// A command that may be repeated: it is always finished.
async fn is_finished(before: &[&str], command: &str, state: State) {
    for moment in [Before, After] {
        let mut test = TestApp::start().await;
        let prepare = async |test: &TestApp, agent: &str| {
            test.deploy(agent).await;
            for command in before {
                send(test, command, agent)
                    .await
                    .until(is_final)
                    .await
                    .unwrap();
            }
        };
        let send = async |test: &TestApp, agent: &str| send(test, command, agent).await;
        let after: fn(Fate) -> Option<State> = match state {
            Stopped => |_| Some(Stopped),
            Paused => |_| Some(Paused),
            _ => |_| Some(Running),
        };
        let fates = crash_at_each_call(&mut test, moment, prepare, send, after).await;
        assert!(!fates.is_empty());
        assert!(
            fates.iter().all(|fate| *fate == Fate::Succeeded),
            "{fates:?}"
        );
        test.finish().await;
    }
}

#[tokio::test]
async fn a_stop_is_finished() {
    is_finished(&[], "stop", Stopped).await;
}

#[tokio::test]
async fn a_start_is_finished() {
    is_finished(&["stop"], "start", Running).await;
}

#[tokio::test]
async fn a_restart_is_finished() {
    is_finished(&[], "restart", Running).await;
}

#[tokio::test]
async fn a_pause_is_finished() {
    is_finished(&[], "pause", Paused).await;
}

#[tokio::test]
async fn a_resume_is_finished() {
    is_finished(&["pause"], "resume", Running).await;
}

#[tokio::test]
async fn a_removal_is_finished() {
    for moment in [Before, After] {
        let mut test = TestApp::start().await;
        let remove = async |test: &TestApp, agent: &str| {
            let question = send(test, "remove", agent).await;
            let question = question
                .until_text("Its container is deleted")
                .await
                .unwrap();
            TestApp::confirm(&question, "Remove").await
        };
        let fates = crash_at_each_call(&mut test, moment, deploy, remove, |_| None).await;
        assert!(!fates.is_empty());
        assert!(
            fates.iter().all(|fate| *fate == Fate::Succeeded),
            "{fates:?}"
        );
        test.finish().await;
    }
}

#[tokio::test]
async fn a_move_to_another_fleet_is_finished() {
    for moment in [Before, After] {
        let mut test = TestApp::start().await;
        let create = test.olga().slash("fleet create").option("name", "crew");
        create.send().await.unwrap().until(is_final).await.unwrap();
        let add = async |test: &TestApp, agent: &str| {
            let slash = test.olga().slash("fleet add").option("fleet", "crew");
            slash.option("agent", agent).send().await.unwrap()
        };
        let fates = crash_at_each_call(&mut test, moment, deploy, add, |_| Some(Running)).await;
        assert!(!fates.is_empty());
        assert!(
            fates.iter().all(|fate| *fate == Fate::Succeeded),
            "{fates:?}"
        );
        for name in test.engine.names() {
            assert_eq!(test.engine.networks_of(&name), ["yardarm-crew"], "{name}");
        }
        test.finish().await;
    }
}

#[tokio::test]
async fn an_adoption_is_finished() {
    for moment in [Before, After] {
        let mut test = TestApp::start().await;
        let prepare = async |test: &TestApp, agent: &str| {
            test.engine.foreign(&format!("yardarm-{agent}"));
        };
        let adopt = async |test: &TestApp, agent: &str| {
            let container = format!("yardarm-{agent}");
            let slash = test.olga().slash("adopt").option("container", container);
            slash.option("name", agent).send().await.unwrap()
        };
        let fates = crash_at_each_call(&mut test, moment, prepare, adopt, |_| Some(Running)).await;
        assert!(
            fates.iter().all(|fate| *fate == Fate::Succeeded),
            "{fates:?}"
        );
        test.finish().await;
    }
}

#[tokio::test]
async fn what_was_cut_off_waits_for_an_engine_that_is_away() {
    let mut test = TestApp::start().await;
    test.deploy("scout").await;
    test.engine.hold("stop");
    let reply = send(&test, "stop", "scout").await;
    test.engine.holding("stop", 1).await;
    test.crash().await;
    test.engine.go_away();
    test.engine.release("stop");
    test.up().await;
    test.until(|ops| {
        ops.roster
            .read(|board| matches!(board.engine, EngineState::Silent { .. }))
    })
    .await;
    assert!(!is_final(&reply.text()));

    test.engine.come_back();
    test.ops().resync().await.unwrap();
    reply
        .until_text("Finished after Yardarm was restarted")
        .await
        .unwrap();
    settled(&test, "scout", Stopped).await;
    test.finish().await;
}

#[tokio::test]
async fn what_runs_at_the_start_is_left_alone_until_the_engine_has_told_of_it() {
    let mut test = TestApp::start().await;
    test.deploy("scout").await;
    test.down().await;
    test.engine.forget_calls();
    test.engine.hold("about");
    let (engine, cord) = (test.engine.clone(), test.cord.clone());
    let told = async {
        engine.holding("about", 1).await;
        cord.gateway().wait_connected(1).await.unwrap();
        engine.release("about");
    };
    tokio::join!(test.up(), told);
    assert_eq!(test.state("scout"), Running);
    assert_eq!(test.engine.changes(), [""; 0]);
    assert!(test.ops().action(ActionId(2)).await.is_err());
    test.finish().await;
}

#[tokio::test]
async fn what_died_while_the_engine_was_away_at_the_start_is_simply_started() {
    let mut test = TestApp::start().await;
    test.deploy("scout").await;
    test.down().await;
    test.engine.kill(&test.engine.id_of("yardarm-scout"), 1);
    test.engine.go_away();
    test.up().await;
    let is_silent = |ops: &Ops| {
        ops.roster
            .read(|board| matches!(board.engine, EngineState::Silent { .. }))
    };
    test.until(is_silent).await;
    test.pass(TimeDelta::minutes(1));
    test.engine.come_back();
    test.ops().resync().await.unwrap();
    settled(&test, "scout", Running).await;
    test.ops().mend().await.unwrap();
    let open = test.ops().store.open_incidents().await.unwrap();
    let about: Vec<About> = open.into_iter().map(|incident| incident.about).collect();
    assert_eq!(about, [About::Engine]);
    assert!(test.ops().action(ActionId(3)).await.is_err());
    test.finish().await;
}

#[tokio::test]
async fn a_container_that_does_not_stop_holds_up_nothing_else() {
    let mut test = TestApp::start().await;
    for agent in ["stuck", "waiter", "runner"] {
        test.deploy(agent).await;
    }
    test.engine.hold("stop");
    let stop = send(&test, "stop", "stuck").await;
    test.engine.holding("stop", 1).await;
    test.engine.hold("pause");
    let pause = send(&test, "pause", "waiter").await;
    test.engine.holding("pause", 1).await;
    test.crash().await;
    test.engine.hold("stop");
    test.engine.release("pause");
    test.engine.kill(&test.engine.id_of("yardarm-runner"), 1);
    test.up().await;
    test.engine.holding("stop", 1).await;
    let paused = pause.until_text("Finished after Yardarm was restarted");
    paused.await.unwrap();
    settled(&test, "runner", Running).await;
    assert_eq!(test.state("stuck"), State::Changing);

    let hangs = EngineError::TimedOut {
        what: "stopping a container",
        after: Duration::from_secs(40),
    };
    test.engine.fail("stop", hangs);
    test.engine.release("stop");
    test.pass(TimeDelta::minutes(15));
    insta::assert_snapshot!(test.end_of(&stop).await, @"
    ❌ stop `stuck`: failed after 15 min 0 s
    Docker's answer is missing: stopping a container did not end within 40 s.
    -# action 4 · by <@olga>
    ");
    let ops = test.cord.channel("ops");
    let report = ops.wait_for_text("restarted in the middle of").await;
    insta::assert_snapshot!(test.said(&report.unwrap().text()), @"
    Yardarm was restarted in the middle of 2 actions:
    ❌ stop `stuck`: failed after 15 min 0 s · action 4
    ✅ pause `waiter`: done in 0.0 s · action 5
    -# start 2
    ");
    test.engine.mend("stop");
    test.done("stop agent:stuck").await;
    test.finish().await;
}

/// In the ops channel, to nothing that anybody sent.
fn answer(test: &TestApp) -> Answer {
    Answer {
        interaction: InteractionId(1),
        channel: ChannelId(test.cord.channel("ops").id().to_string().parse().unwrap()),
        message: None,
    }
}

#[tokio::test]
async fn an_action_that_nobody_began_for_a_quarter_of_an_hour_lapses() {
    let mut test = TestApp::start().await;
    test.down().await;
    let store = Store::open(&test.path("yardarm.db")).await.unwrap();
    let now = test.clock.now();
    let fleet = store.fleets().await.unwrap()[0].id;
    let mut tx = store.begin().await.unwrap();
    let name = Name::parse("scout").unwrap();
    let agent = agents::insert(&mut tx, &name, fleet, false, now)
        .await
        .unwrap();
    let deploy = NewAction {
        kind: Kind::Deploy,
        actor: None,
        origin: Origin::Chat,
        reason: None,
        details: Details::default(),
        state: Fate::Pending,
        expires_at: None,
        reply: Some(answer(&test)),
        plan: None,
        approval: None,
        targets: vec![NewTarget::as_it_is(agent)],
    };
    actions::insert(&mut tx, &deploy, now).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    drop(store);

    test.clock.advance(TimeDelta::minutes(16));
    test.up().await;
    let ops = test.cord.channel("ops");
    ops.wait_for_text("⌛ deploy `scout`: lapsed, nothing was changed")
        .await
        .unwrap();
    assert!(test.ops().roster.view("scout").is_none());
    test.deploy("scout").await;
    test.finish().await;
}

/// Accepted when the process ends, so that nobody is left to begin it.
async fn accepted_and_crashed(test: &mut TestApp, kind: Kind, agent: &str) {
    let ops = Arc::clone(test.ops());
    test.crash().await;
    let selection = Selection {
        agent: Some(agent),
        fleet: None,
    };
    let request = ops.own_sight().request_change(kind, selection).unwrap();
    let requester = Requester {
        caller: None,
        origin: Origin::Chat,
        reason: None,
        reply: Some(answer(test)),
    };
    let accepted = ops.submit(request, requester).await.unwrap();
    assert_eq!(accepted.state, Fate::Pending);
}

#[tokio::test]
async fn what_was_accepted_before_the_end_makes_no_problem_of_its_own_stop() {
    let mut test = TestApp::start().await;
    test.deploy("scout").await;
    accepted_and_crashed(&mut test, Kind::Restart, "scout").await;
    test.engine.hold("stop");
    test.up().await;
    test.engine.holding("stop", 1).await;
    assert_eq!(test.state("scout"), State::Changing);
    test.engine.release("stop");
    until_idle(&test).await;
    settled(&test, "scout", Running).await;
    insta::assert_snapshot!(test.done("audit agent:scout what:exited").await, @"Nothing of that kind was told, or nothing that you may see. Ask for less: `/audit agent:` alone, for example.");
    test.finish().await;
}

#[tokio::test]
async fn what_lapsed_before_it_began_is_not_wanted_either() {
    let mut test = TestApp::start().await;
    test.deploy("scout").await;
    accepted_and_crashed(&mut test, Kind::Stop, "scout").await;
    test.clock.advance(TimeDelta::minutes(16));
    test.engine.kill(&test.engine.id_of("yardarm-scout"), 1);
    test.up().await;
    let ops = test.cord.channel("ops");
    ops.wait_for_text("⌛ stop `scout`: lapsed, nothing was changed")
        .await
        .unwrap();
    settled(&test, "scout", Running).await;
    test.finish().await;
}

#[tokio::test]
async fn what_should_run_is_started_at_boot() {
    let mut test = TestApp::start().await;
    test.deploy("scout").await;
    test.down().await;
    test.engine.kill(&test.engine.id_of("yardarm-scout"), 1);
    test.up().await;
    settled(&test, "scout", Running).await;
    test.finish().await;
}

#[tokio::test]
async fn what_should_run_is_started_when_the_engine_is_back() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    let stopped = test.deploy("sleeper").await;
    stopped.until(is_final).await.unwrap();
    send(&test, "stop", "sleeper")
        .await
        .until(is_final)
        .await
        .unwrap();
    test.engine.go_away();
    settled(&test, "scout", State::Unknown).await;
    test.engine.kill(&test.engine.id_of("yardarm-scout"), 137);
    test.engine.come_back();
    test.ops().resync().await.unwrap();
    settled(&test, "scout", Running).await;
    assert_eq!(test.state("sleeper"), Stopped);
    test.finish().await;
}

#[tokio::test]
async fn attempts_to_start_are_spaced_across_restarts() {
    let mut test = TestApp::start().await;
    test.deploy("scout").await;
    test.engine.forget_calls();
    test.engine.crash_on_start("demo:1", 1);
    // Unseen, so that it is no incident.
    test.engine.go_away();
    settled(&test, "scout", State::Unknown).await;
    test.engine.kill(&test.engine.id_of("yardarm-scout"), 1);
    test.engine.come_back();
    // The first start is no incident; what ends it again is, and from then on the waits double.
    for attempts in 1..=4 {
        until_starts(&test, attempts).await;
        settled(&test, "scout", State::Down).await;
        test.restart().await;
        test.ops().converge().await.unwrap();
        test.ops().mend().await.unwrap();
        assert_eq!(
            test.ops().store.actions_in(Fate::Pending).await.unwrap(),
            []
        );
        assert_eq!(starts(&test), attempts, "too early");
        // 5 s after the first, doubling, and a fifth more at most.
        test.pass(TimeDelta::seconds(6 << (attempts - 1)));
    }
    until_starts(&test, 5).await;
    settled(&test, "scout", State::CrashLooping).await;
    let ops = test.cord.channel("ops");
    ops.wait_for_text("Its restarts are used up").await.unwrap();
    test.finish().await;
}

fn starts(test: &TestApp) -> usize {
    let changes = test.engine.changes();
    changes
        .iter()
        .filter(|change| *change == "start yardarm-scout")
        .count()
}

async fn until_starts(test: &TestApp, count: usize) {
    test.until(|ops| {
        let view = ops.roster.view("scout").unwrap();
        starts(test) == count && view.busy.is_none()
    })
    .await;
}

#[tokio::test]
async fn what_was_adopted_or_is_being_changed_is_not_started() {
    let test = TestApp::start().await;
    let foreign = test.engine.foreign("old-bot");
    let slash = test.olga().slash("adopt").option("container", "old-bot");
    slash.send().await.unwrap().until_text("✅").await.unwrap();
    test.deploy("scout").await;
    test.engine.hold("stop");
    let restart = send(&test, "restart", "scout").await;
    test.engine.holding("stop", 1).await;
    test.engine.forget_calls();
    test.engine.kill(&foreign, 1);
    test.engine.kill(&test.engine.id_of("yardarm-scout"), 1);
    settled(&test, "old-bot", State::Down).await;

    test.ops().converge().await.unwrap();
    assert_eq!(
        test.ops().store.actions_in(Fate::Pending).await.unwrap(),
        []
    );
    assert_eq!(
        test.ops()
            .store
            .actions_in(Fate::Running)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(test.engine.changes(), Vec::<String>::new());
    test.engine.release("stop");
    restart.until_text("✅").await.unwrap();
    test.finish().await;
}

#[tokio::test]
async fn what_cannot_be_removed_hides_nothing() {
    let mut test = TestApp::start().await;
    test.deploy("scout").await;
    test.engine.hold("start");
    let reply = send(&test, "redeploy", "scout").await;
    test.engine.holding("start", 1).await;
    test.crash().await;
    test.engine.release("start");
    test.engine.refuse("remove", "device or resource busy");
    test.up().await;
    reply.until(is_final).await.unwrap();
    let id = test
        .ops()
        .roster
        .view("scout")
        .unwrap()
        .agent
        .container
        .unwrap();
    test.engine.kill(&id, 1);
    test.ops().resync().await.unwrap();
    // Attempts to start are spaced, and one may have been made while the start before was settled.
    test.pass(TimeDelta::hours(1));
    test.ops().converge().await.unwrap();
    settled(&test, "scout", Running).await;
    until_idle(&test).await;
    test.engine.mend("remove");
    test.ops().resync().await.unwrap();
    test.ops().resync().await.unwrap();
    assert_no_orphans(&test);
    test.finish().await;
}
