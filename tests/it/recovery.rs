//! `kill -9` at every call an action makes to the engine, before it is carried out and after.
//!
//! Whatever was cut off is finished, undone or reported; no container is orphaned or lost; nothing is done twice.

use chrono::TimeDelta;
use localcord::{Message, Reply};
use yardarm::domain::{
    action::State as Fate,
    agent::State::{self, Paused, Running, Stopped},
    ids::ActionId,
};

use crate::support::{
    fake_engine::Moment::{self, After, Before},
    test_app::TestApp,
};

/// Cuts the app off at each call of a command in turn, until the command passes without meeting one. The agents are
/// `prepare`d before; `after` tells what one must be when all is settled, None if it must be gone. Returns how the
/// actions ended.
async fn cut_at_each_call(
    test: &mut TestApp,
    moment: Moment,
    prepare: impl AsyncFn(&TestApp, &str),
    command: impl AsyncFn(&TestApp, &str) -> Reply,
    after: fn(Fate) -> Option<State>,
) -> Vec<Fate> {
    let mut fates = Vec::new();
    for calls in 0.. {
        let agent = format!("scout-{calls}");
        prepare(test, &agent).await;
        test.engine.freeze_after(calls, moment);
        let reply = command(test, &agent).await;
        let is_cut = tokio::select! {
            () = test.engine.frozen() => true,
            reply = reply.until(is_final) => { reply.unwrap(); false },
        };
        test.engine.thaw();
        if !is_cut {
            break;
        }
        let running = test.ops().store.actions_in(Fate::Running).await.unwrap();
        let made_before = creations(test);
        test.crash().await;
        test.up().await;
        let Some(id) = running.first() else {
            // Nothing was begun: the command can be sent again.
            let again = command(test, &agent).await;
            again.until(is_final).await.unwrap();
            continue;
        };
        let fate = told(test, *id, &reply).await;
        test.ops().resync().await.unwrap();
        match after(fate) {
            Some(state) => settled(test, &agent, state).await,
            None => assert!(
                test.ops().roster.view(&agent).is_none(),
                "{agent} is still there"
            ),
        }
        assert_no_orphans(test);
        assert_eq!(creations(test), made_before, "a container was made again");
        fates.push(fate);
    }
    fates
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

const fn runs(_: Fate) -> Option<State> {
    Some(Running)
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
        let fates = cut_at_each_call(&mut test, moment, async |_, _| (), command, after).await;
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
        let fates = cut_at_each_call(&mut test, moment, deploy, redeploy, runs).await;
        assert!(fates.contains(&Fate::Interrupted), "{fates:?}");
        assert!(fates.contains(&Fate::Succeeded), "{fates:?}");
        test.finish().await;
    }
}

#[tokio::test]
async fn a_rollback_is_finished_or_undone() {
    for moment in [Before, After] {
        let mut test = TestApp::start().await;
        let prepare = async |test: &TestApp, agent: &str| deploy_and(test, agent, "redeploy").await;
        let rollback = async |test: &TestApp, agent: &str| send(test, "rollback", agent).await;
        cut_at_each_call(&mut test, moment, prepare, rollback, runs).await;
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
            _ => runs,
        };
        let fates = cut_at_each_call(&mut test, moment, prepare, send, after).await;
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
            question.press("Remove").await.unwrap()
        };
        let fates = cut_at_each_call(&mut test, moment, deploy, remove, |_| None).await;
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
        let fates = cut_at_each_call(&mut test, moment, deploy, add, runs).await;
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
        let fates = cut_at_each_call(&mut test, moment, prepare, adopt, runs).await;
        assert!(
            fates.iter().all(|fate| *fate == Fate::Succeeded),
            "{fates:?}"
        );
        test.finish().await;
    }
}
