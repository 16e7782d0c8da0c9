//! Too much at once, and the end of the process in the middle of it.

use chrono::TimeDelta;
use localcord::{Fault, Message};
use tokio::sync::broadcast::error::RecvError;
use yardarm::{
    domain::{agent::State, event::Event, view::View},
    ops::Ops,
};

use crate::support::{
    alarm::{card, cards, die, prompt, said_in_ops, starts},
    test_app::TestApp,
};

fn down(ops: &Ops) -> usize {
    let is_down = |view: &&View| view.state == State::Down;
    ops.roster
        .read(|board| board.views().filter(is_down).count())
}

#[tokio::test]
async fn five_hundred_ends_in_one_second_are_one_message() {
    let test = TestApp::start().await;
    for number in 0..500 {
        test.ops_deploy(&format!("agent-{number}")).await;
    }
    test.engine.crash_on_start("demo:1", 1);
    let before = said_in_ops(&test);
    for number in 0..500 {
        die(&test, &format!("agent-{number}"), 1);
    }
    // In steps, because each has but 20 s.
    for count in [100, 200, 300, 400, 500] {
        test.until(|ops| down(ops) >= count).await;
    }
    test.pass(TimeDelta::seconds(31));
    card(&test, "500 problems").await;
    test.pass(TimeDelta::minutes(20));
    test.ops().tell_incidents().await.unwrap();
    assert!(
        said_in_ops(&test) - before <= 3,
        "{} messages",
        said_in_ops(&test) - before
    );
    test.finish().await;
}

#[tokio::test]
async fn an_hour_without_discord_in_a_storm_loses_nothing_and_floods_nobody() {
    let test = prompt(&[]).await;
    for number in 0..5 {
        test.ops_deploy(&format!("agent-{number}")).await;
    }
    test.engine.forget_calls();
    test.engine.crash_on_start("demo:1", 1);
    let before = said_in_ops(&test);
    let away = test.cord.inject(Fault::refuse().path("/channels/**"));
    die(&test, "scout", 1);
    starts(&test, 1).await;
    for number in 0..5 {
        die(&test, &format!("agent-{number}"), 1);
        test.pass(TimeDelta::minutes(12));
        test.ops().tell_incidents().await.unwrap();
    }
    away.release();
    test.pass(TimeDelta::minutes(6));
    for name in [
        "scout", "agent-0", "agent-1", "agent-2", "agent-3", "agent-4",
    ] {
        card(&test, name).await;
    }
    assert!(said_in_ops(&test) - before <= 12);
    test.finish().await;
}

/// So often a second, by something that is not us.
const TIMES: usize = 20;

#[tokio::test]
async fn a_container_that_restarts_twenty_times_a_second_is_one_message() {
    let test = prompt(&[]).await;
    let container = test.engine.id_of("yardarm-scout");
    let before = said_in_ops(&test);
    for _ in 0..5 * TIMES {
        test.engine.kill(&container, 1);
        test.engine.start_behind_our_back(&container);
        test.pass(TimeDelta::milliseconds(50));
    }
    test.engine.kill(&container, 1);
    card(&test, "exited with code 1").await;
    test.pass(TimeDelta::minutes(5));
    test.ops().tell_incidents().await.unwrap();
    assert_eq!(said_in_ops(&test) - before, 1);
    let mut ours = test.engine.changes();
    ours.retain(|change| change.starts_with("start "));
    assert!(ours.len() <= 5, "{ours:?}");
    test.finish().await;
}

/// Ends once so many things have happened.
async fn happened(events: &mut tokio::sync::broadcast::Receiver<Event>, count: usize) {
    for _ in 0..count {
        assert_ne!(events.recv().await, Err(RecvError::Closed));
    }
}

#[tokio::test]
async fn killed_at_each_step_of_telling_it_is_told_once() {
    for events in 1.. {
        let mut test = prompt(&[]).await;
        test.engine.crash_on_start("demo:1", 1);
        let mut heard = test.ops().events();
        die(&test, "scout", 1);
        let was_cut_off = tokio::select! {
            () = happened(&mut heard, events) => true,
            _ = card(&test, "exited with code 1") => false,
        };
        test.crash().await;
        test.up().await;
        card(&test, "exited with code 1").await;
        test.pass(TimeDelta::hours(1));
        test.ops().tell_incidents().await.unwrap();
        assert_eq!(cards(&test).len(), 1, "killed after {events} events");
        test.finish().await;
        if !was_cut_off {
            assert!(events > 3, "it was told after {events} events");
            return;
        }
    }
}

#[tokio::test]
async fn killed_at_each_step_of_a_reminder_it_is_told_once() {
    // It ends again after each start, and so it may be back instead.
    let reminds = |message: &Message| {
        let text = message.text();
        text.starts_with('⏰') || text.starts_with('🔁')
    };
    for events in 1.. {
        let mut test = prompt(&[]).await;
        test.engine.crash_on_start("demo:1", 1);
        die(&test, "scout", 1);
        card(&test, "exited with code 1").await;
        starts(&test, 1).await;
        test.delivered().await;
        let mut heard = test.ops().events();
        test.pass(TimeDelta::hours(4));
        let ops = test.cord.channel("ops");
        let was_cut_off = tokio::select! {
            biased;
            () = happened(&mut heard, events) => true,
            told = ops.wait_for(reminds) => told.is_err(),
        };
        test.crash().await;
        test.up().await;
        test.cord.channel("ops").wait_for(reminds).await.unwrap();
        test.delivered().await;
        test.ops().tell_incidents().await.unwrap();
        test.delivered().await;
        let mut told = test.cord.channel("ops").messages();
        told.retain(reminds);
        assert_eq!(told.len(), 1, "killed after {events} events");
        assert_eq!(cards(&test).len(), 1, "killed after {events} events");
        test.finish().await;
        if !was_cut_off {
            assert!(events > 3, "it was told after {events} events");
            return;
        }
    }
}
