//! Messages that could not be sent at once: nothing is lost, nothing is said twice.

use std::time::Duration;

use chrono::TimeDelta;
use localcord::{Fault, Injected, Message, Reply};
use yardarm::{
    domain::{
        agent::State::{self, Running, Stopped},
        ids::ActionId,
        outbox::Exit,
    },
    engine::LogSource,
    ops::Ops,
};

use crate::support::{
    alarm::{card, die},
    fake_engine::Behaviour,
    test_app::TestApp,
};

/// How long whoever follows an action comes first.
const FOLLOWED: TimeDelta = TimeDelta::seconds(11);
/// Longer than any wait between two tries, and than Discord remembers a nonce.
const LONG: TimeDelta = TimeDelta::minutes(10);

impl TestApp {
    /// No answer to an interaction can be edited by its token.
    fn lose_tokens(&self) -> Injected {
        self.cord
            .inject(Fault::status(500).method("PATCH").path("/webhooks/**"))
    }

    async fn over(&self, action: i64, agent: &str, state: State) {
        self.until(|ops| {
            let is_so = ops
                .roster
                .view(agent)
                .is_some_and(|view| view.state == state);
            is_so && ops.follow(ActionId(action)).is_none()
        })
        .await;
    }

    /// Deploys an agent whose answer still says "thinking…" when it runs.
    async fn deploy_unseen(&self, action: i64, agent: &str) -> Reply {
        let slash = self.olga().slash("deploy").option("template", "demo");
        let reply = slash.option("name", agent).send().await.unwrap();
        self.over(action, agent, Running).await;
        assert!(reply.is_deferred());
        reply
    }

    /// The same, and the answer is deleted: a new message is needed.
    async fn deploy_unheard(&self, action: i64, agent: &str) {
        let reply = self.deploy_unseen(action, agent).await;
        self.cord.channel("ops").delete(&reply.message().unwrap());
    }

    /// Restarts an agent, crashes in the middle, and starts again: there is something to report. So many messages
    /// wait then.
    async fn cut_off(&mut self, agent: &str, waiting: i64) -> Reply {
        self.engine.hold("stop");
        let slash = self.olga().slash("restart").option("agent", agent);
        let reply = slash.send().await.unwrap();
        self.engine.holding("stop", 1).await;
        self.crash().await;
        self.engine.release("stop");
        self.up().await;
        self.until_outbox(async |ops| ops.store.outbox_counts().await.unwrap().0 == waiting)
            .await;
        reply
    }

    /// The first lines of what stands in the ops channel.
    fn lines(&self) -> Vec<String> {
        let texts = self.cord.channel("ops").texts();
        texts
            .iter()
            .map(|text| text.lines().next().unwrap_or_default().to_owned())
            .collect()
    }

    /// Waits until everything that is due was tried.
    pub(crate) async fn served(&self) {
        let nothing_due = async |ops: &Ops| {
            ops.store
                .outbox_due(Exit::Channels, ops.now())
                .await
                .unwrap()
                .is_empty()
        };
        self.until_outbox(nothing_due).await;
    }

    /// Waits until nothing waits to be sent.
    pub(crate) async fn delivered(&self) {
        let nothing_waits = async |ops: &Ops| ops.store.outbox_counts().await.unwrap().0 == 0;
        self.until_outbox(nothing_waits).await;
    }

    pub(crate) async fn until_outbox(&self, is_so: impl AsyncFn(&Ops) -> bool) {
        let mut events = self.ops().events();
        let wait = async {
            while !is_so(self.ops()).await {
                events.recv().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait)
            .await
            .expect("the outbox did not come so far");
    }
}

fn posts() -> (&'static str, &'static str) {
    ("POST", "/channels/*/messages")
}

const A_RUNS: &str = "✅ deploy `a`: running after 0.0 s";
const B_RUNS: &str = "✅ deploy `b`: running after 0.0 s";
const C_RUNS: &str = "✅ deploy `c`: running after 0.0 s";

#[tokio::test]
async fn an_end_that_no_follower_could_show_is_shown_in_the_same_message() {
    let test = TestApp::start().await;
    let _lost = test.lose_tokens();
    let reply = test.deploy_unseen(1, "a").await;
    test.pass(FOLLOWED);
    reply.until_text(A_RUNS).await.unwrap();
    assert_eq!(test.lines(), [A_RUNS]);
    test.finish().await;
}

#[tokio::test]
async fn what_a_follower_showed_is_not_shown_again() {
    let test = TestApp::start().await;
    let reply = test.deploy("a").await;
    test.delivered().await;
    let _refused = test.cord.inject(Fault::status(500).path("/channels/**"));
    test.pass(LONG);
    assert_eq!(test.ops().store.outbox_counts().await.unwrap(), (0, 0));
    assert_eq!(test.lines(), [A_RUNS]);
    assert!(!reply.message().unwrap().is_edited());
    test.finish().await;
}

#[tokio::test]
async fn a_deleted_message_is_posted_anew() {
    let test = TestApp::start().await;
    let _lost = test.lose_tokens();
    test.deploy_unheard(1, "a").await;
    test.pass(FOLLOWED);
    test.cord
        .channel("ops")
        .wait_for_text(A_RUNS)
        .await
        .unwrap();
    test.finish().await;
}

#[tokio::test]
async fn a_message_too_old_to_be_edited_is_posted_anew() {
    let test = TestApp::start().await;
    let _lost = test.lose_tokens();
    let reply = test.deploy_unseen(1, "a").await;
    let too_old = Fault::refusal(429, 30046).on("PATCH", "/channels/*/messages/*");
    let _too_old = test.cord.inject(too_old);
    test.pass(FOLLOWED);
    test.cord
        .channel("ops")
        .wait_for_text(A_RUNS)
        .await
        .unwrap();
    assert!(reply.is_deferred());
    test.finish().await;
}

#[tokio::test]
async fn failures_are_tried_again_in_the_order_of_the_channel() {
    let faults = [
        Fault::refuse(),
        Fault::status(503),
        Fault::status(429),
        Fault::rate_limit(Duration::from_millis(20)),
    ];
    for fault in faults {
        let test = TestApp::start().await;
        let _lost = test.lose_tokens();
        for (action, agent) in [(1, "a"), (2, "b"), (3, "c")] {
            test.deploy_unheard(action, agent).await;
        }
        let (method, path) = posts();
        let _failing = test.cord.inject(fault.on(method, path).times(2));
        // Each deleted message is learnt of first, then each post fails once or waits.
        let mut passed = TimeDelta::zero();
        while test.lines().len() < 3 && passed < LONG {
            test.pass(FOLLOWED);
            passed += FOLLOWED;
            test.served().await;
        }
        assert_eq!(test.lines(), [A_RUNS, B_RUNS, C_RUNS]);
        test.finish().await;
    }
}

#[tokio::test]
async fn a_post_whose_answer_was_lost_is_found_again() {
    let test = TestApp::start().await;
    let _lost = test.lose_tokens();
    test.deploy_unheard(1, "a").await;
    let (method, path) = posts();
    test.cord
        .inject(Fault::lose_answer().on(method, path).times(1));
    test.pass(FOLLOWED);
    test.cord
        .channel("ops")
        .wait_for_text(A_RUNS)
        .await
        .unwrap();
    test.served().await;

    // A look into the history that fails is no proof that nothing was sent.
    test.cord
        .inject(Fault::status(429).on("GET", path).times(1));
    test.pass(LONG);
    test.served().await;
    test.pass(LONG);
    test.delivered().await;
    assert_eq!(test.lines(), [A_RUNS]);
    test.finish().await;
}

#[tokio::test]
async fn what_others_wrote_and_agents_said_is_no_mark_of_ours() {
    let test = TestApp::start().await;
    let last_words = Behaviour {
        crash: Some(1),
        says: vec![(LogSource::Stderr, "-# digest: action 2")],
        ..Behaviour::default()
    };
    test.engine.behaves("demo:1", last_words);
    let failed = test.done("deploy template:demo name:a").await;
    assert!(failed.contains("\n-# digest: action 2\n"), "{failed}");
    let staging = test.cord.invite_bot("staging").in_channel("ops");
    let theirs = "✅ deploy `z`: running after 0.0 s\n-# action 2 · by Yardarm";
    staging.says(theirs).unwrap();

    test.engine.behaves("demo:1", Behaviour::default());
    let _lost = test.lose_tokens();
    test.deploy_unheard(2, "b").await;
    let (method, path) = posts();
    let refused = Fault::status(500).on(method, path).times(1);
    let refused = test.cord.inject(refused);
    test.pass(FOLLOWED);
    refused.met().await.unwrap();
    test.served().await;
    test.pass(LONG);
    test.delivered().await;
    assert_eq!(test.lines().last().unwrap(), B_RUNS);
    test.finish().await;
}

#[tokio::test]
async fn a_post_cut_off_by_a_crash_is_found_again() {
    let mut test = TestApp::start().await;
    let _lost = test.lose_tokens();
    test.deploy_unheard(1, "a").await;
    let (method, path) = posts();
    test.cord.inject(
        Fault::slow(Duration::from_secs(9))
            .on(method, path)
            .times(1),
    );
    test.pass(FOLLOWED);
    test.cord
        .channel("ops")
        .wait_for_text(A_RUNS)
        .await
        .unwrap();
    test.crash().await;
    test.up().await;
    test.pass(LONG);
    test.delivered().await;
    assert_eq!(test.lines(), [A_RUNS]);
    test.finish().await;
}

#[tokio::test]
async fn hours_without_discord_end_in_one_digest() {
    let mut test = TestApp::start().await;
    test.deploy("a").await;
    let away = test.cord.inject(Fault::refuse().path("/channels/**"));
    let mut replies = Vec::new();
    for waiting in [2, 4, 6] {
        replies.push(test.cut_off("a", waiting).await);
    }
    test.pass(TimeDelta::hours(3));
    test.served().await;
    away.release();
    test.pass(LONG);
    test.delivered().await;
    for reply in replies {
        // Edits make no noise: each message tells its own end.
        reply.until_text("✅ restart `a`").await.unwrap();
    }
    let texts = test.cord.channel("ops").texts();
    assert_eq!(texts.len(), 5, "{texts:?}");
    insta::assert_snapshot!(texts[4], @r"
    Discord was away. Meanwhile 3 actions ended:
    ✅ restart `a`: running after 0.0 s · action 2
    ✅ restart `a`: running after 0.0 s · action 3
    ✅ restart `a`: running after 0.0 s · action 4
    -# digest: start 2, start 3, start 4
    ");
    test.finish().await;
}

#[tokio::test]
async fn a_digest_whose_answer_was_lost_is_found_again() {
    let mut test = TestApp::start().await;
    test.deploy("a").await;
    let (method, path) = posts();
    let away = test.cord.inject(Fault::refuse().on(method, path));
    for waiting in [1, 3] {
        test.cut_off("a", waiting).await;
    }
    test.pass(TimeDelta::hours(3));
    test.served().await;
    away.release();
    test.cord
        .inject(Fault::lose_answer().on(method, path).times(1));
    test.pass(LONG);
    let ops = test.cord.channel("ops");
    ops.wait_for_text("Discord was away").await.unwrap();
    test.served().await;
    test.pass(LONG);
    test.delivered().await;
    assert_eq!(ops.texts().len(), 4, "{:?}", ops.texts());
    test.finish().await;
}

#[tokio::test]
async fn a_message_nobody_may_have_is_a_dead_letter() {
    let test = TestApp::start().await;
    let _lost = test.lose_tokens();
    let notices = test.cord.user("olga").in_channel("notices");
    let slash = notices.slash("deploy").option("template", "demo");
    let reply = slash.option("name", "a").send().await.unwrap();
    test.over(1, "a", Running).await;
    test.cord
        .channel("notices")
        .delete(&reply.message().unwrap());
    test.pass(FOLLOWED);
    test.until(|ops| ops.own_sight().glance(None, 0).backlog.dead == 1)
        .await;

    let status = test.olga().slash("status").send().await.unwrap();
    assert!(
        status
            .text()
            .contains("⚠️ 1 messages could not be delivered"),
        "{}",
        status.text()
    );
    let _open = test.cord.inject(Fault::status(500).path("/channels/**"));
    test.pass(LONG);
    assert_eq!(test.ops().store.outbox_counts().await.unwrap(), (0, 1));
    test.finish_with_dead(1).await;
}

#[tokio::test]
async fn a_refusal_that_tells_nothing_of_a_message_buries_none() {
    let fragile = r#"{ "description": "x", "image": "demo:1", "recovery": { "restart": false } }"#;
    let refusals = [
        // A token that was reset, and two of somebody who stands before Discord.
        Fault::status(401),
        Fault::status(403),
        Fault::refusal(403, 40333),
    ];
    for refusal in refusals {
        let mut test = TestApp::prepare(&[("alerts.group_wait_s", "0")]).await;
        test.write_template("demo", fragile);
        test.up().await;
        test.deploy("scout").await;
        test.done("board here").await;
        test.delivered().await;
        let refused = test.cord.inject(refusal.path("/channels/**"));
        die(&test, "scout", 1);
        test.until_outbox(async |ops| ops.store.open_incidents().await.unwrap().len() == 1)
            .await;
        for _ in 0..12 {
            test.pass(LONG);
            test.served().await;
        }
        refused.release();
        test.pass(LONG);
        card(&test, "exited with code 1").await;
        let ops = test.cord.channel("ops");
        let shows = |message: &Message| message.text().contains("1 down");
        ops.wait_for(shows).await.unwrap();
        test.delivered().await;
        test.finish().await;
    }
}

#[tokio::test]
async fn a_message_refused_too_often_is_a_dead_letter() {
    let test = TestApp::start_with(&[("outbox.max_attempts", "2")]).await;
    let _lost = test.lose_tokens();
    test.deploy_unheard(1, "a").await;
    let (method, path) = posts();
    let _broken = test.cord.inject(Fault::status(500).on(method, path));
    for _ in 0..2 {
        test.pass(LONG);
        test.served().await;
    }
    test.until(|ops| ops.own_sight().glance(None, 0).backlog.dead == 1)
        .await;
    test.finish_with_dead(1).await;
}

#[tokio::test]
async fn a_stop_in_good_order_leaves_what_waits_to_the_next_start() {
    let mut test = TestApp::start().await;
    let lost = test.lose_tokens();
    let reply = test.deploy_unseen(1, "a").await;
    test.restart().await;
    lost.release();
    test.pass(FOLLOWED);
    reply.until_text(A_RUNS).await.unwrap();
    assert_eq!(test.state("a"), Running);
    let stop = test
        .olga()
        .slash("stop")
        .option("agent", "a")
        .send()
        .await
        .unwrap();
    stop.until_text("✅ stop `a`").await.unwrap();
    test.over(2, "a", Stopped).await;
    test.finish().await;
}
