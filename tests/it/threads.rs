//! Alerts with a thread: what follows the card is told there, once, and in the channel where that cannot be.

use chrono::TimeDelta;
use localcord::{Channel, Fault, Injected, Thread};
use tokio::sync::broadcast::error::RecvError;
use yardarm::{engine::LogSource, ops::Ops};

use crate::support::{
    alarm::{card, cards, die},
    test_app::TestApp,
};

const THREAD: &str = "scout in main is blocked";
const ESCALATED: &str = "📣 Nobody has acknowledged this for 16 min";
const REPEATED: &str = "⏰ Nobody has acknowledged this for 1 h 17 min";
const OVER: &str = "✅ Over after";

/// Nothing is restarted by itself after that line.
const TEMPLATE: &str = r#"{
    "description": "ticks", "image": "demo:1", "stop_grace_s": 1,
    "log_patterns": [{ "pattern": "no credit", "means": "blocked", "note": "The account is empty" }]
}"#;

impl TestApp {
    /// An app whose alerts have threads and notify ravi, with `scout` at work.
    async fn threaded() -> Self {
        let mut test = Self::prepare(&[]).await;
        let ravi = test.cord.user("ravi").id();
        let route = format!(
            "[[route]]\nname = \"all\"\nthread = true\nusers = [{ravi}]\ngroup_wait_s = 0\n\
             repeat_interval_s = 3600\nescalate = [{{ after_s = 900, most = 1 }}]\n"
        );
        let file = test.path("yardarm.toml");
        std::fs::write(&file, route).unwrap();
        test.write_template("demo", TEMPLATE);
        test.up_from(&file).await;
        test.deploy("scout").await;
        test.delivered().await;
        test
    }

    fn alerts(&self) -> Channel {
        self.cord.channel("ops")
    }

    fn block(&self) {
        let container = self.engine.id_of("yardarm-scout");
        self.engine
            .say(&container, LogSource::Stderr, "no credit left");
        self.engine.kill(&container, 3);
    }

    /// Something goes wrong and is told, with a thread.
    async fn told_with_thread(&self) -> Thread {
        self.block();
        card(self, "is blocked").await;
        let thread = self.alerts().wait_for_thread(THREAD).await.unwrap();
        self.quiet().await;
        thread
    }

    /// Long enough for the escalation.
    fn nobody_comes(&self) {
        self.pass(TimeDelta::minutes(16));
    }

    /// It shall not run any more, so that all is over.
    async fn let_it_be(&self) {
        self.done("stop agent:scout").await;
        card(self, "well again").await;
        self.pass(TimeDelta::minutes(3));
        card(self, "resolved").await;
    }

    /// Waits until nothing waits to be sent.
    async fn quiet(&self) {
        let nothing_waits = async |ops: &Ops| ops.store.outbox_counts().await.unwrap().0 == 0;
        self.until_outbox(nothing_waits).await;
    }

    fn refuse_threads(&self, fault: Fault) -> Injected {
        let path = "/channels/*/messages/*/threads";
        self.cord.inject(fault.on("POST", path))
    }

    /// What notifies people of the alert in the channel itself, the card left out.
    fn replies(&self) -> Vec<String> {
        let mut texts = self.alerts().texts();
        texts.retain(|text| text.contains("-# nudge"));
        texts
    }
}

async fn heard(channel: &Channel, text: &str) -> String {
    channel.wait_for_text(text).await.unwrap().text()
}

#[tokio::test]
async fn what_follows_an_alert_is_told_in_its_thread() {
    let test = TestApp::threaded().await;
    let ravi = test.cord.user("ravi");
    let thread = test.told_with_thread().await;
    assert_eq!(
        thread.name(),
        "scout in main is blocked: The account is empty"
    );
    assert_eq!(thread.id(), cards(&test)[0].id());
    assert_eq!(thread.texts(), [""; 0]);

    test.nobody_comes();
    let told = thread.channel().wait_for_text(ESCALATED).await.unwrap();
    insta::assert_snapshot!(test.said(&told.text()), @"
    📣 Nobody has acknowledged this for 16 min 0 s, so you are told as well: **scout** is blocked: The account is empty.
    <@ravi>
    -# nudge 1
    ");
    // A mention brings people into the thread: they are notified as in the channel.
    assert_eq!(told.json()["mentions"][0]["username"], "ravi");
    assert!(thread.has_member(ravi.id()));
    test.pass(TimeDelta::minutes(61));
    heard(&thread.channel(), REPEATED).await;

    test.let_it_be().await;
    insta::assert_snapshot!(test.said(&heard(&thread.channel(), OVER).await), @"
    ✅ Over after 1 h 20 min: **scout** is blocked: The account is empty.
    -# nudge 3
    ");
    assert_eq!(thread.texts().len(), 3);
    assert_eq!((cards(&test).len(), test.replies()), (1, Vec::new()));
    test.finish().await;
}

#[tokio::test]
async fn which_alerts_have_threads_is_told() {
    let test = TestApp::threaded().await;
    let told = test.done("alerts test kind:down agent:scout").await;
    let line = told.lines().find(|line| line.starts_with("thread"));
    assert_eq!(
        line,
        Some("thread: what follows is told in a thread of the message")
    );
    test.finish().await;
}

/// Ends once so many things have happened.
async fn happened(test: &TestApp, count: usize) {
    let mut events = test.ops().events();
    for _ in 0..count {
        assert_ne!(events.recv().await, Err(RecvError::Closed));
    }
}

#[tokio::test]
async fn killed_at_each_step_there_is_one_thread_and_each_is_told_once() {
    for events in 1.. {
        let mut test = TestApp::threaded().await;
        // It ends again after each start: what was not told before the end of the process is told after it.
        test.engine.crash_on_start("demo:1", 3);
        let told = async {
            die(&test, "scout", 3);
            let thread = test.alerts().wait_for_thread("scout in main").await;
            test.quiet().await;
            thread
        };
        let was_cut_off = tokio::select! {
            biased;
            () = happened(&test, events) => true,
            _ = told => false,
        };
        test.crash().await;
        test.up().await;
        let thread = test
            .alerts()
            .wait_for_thread("scout in main")
            .await
            .unwrap();
        test.quiet().await;
        test.nobody_comes();
        heard(&thread.channel(), ESCALATED).await;
        test.quiet().await;
        let texts = thread.texts();
        let escalated = texts.iter().filter(|text| text.contains(ESCALATED));
        assert_eq!(
            escalated.count(),
            1,
            "killed after {events} events: {texts:?}"
        );
        assert_eq!((cards(&test).len(), test.alerts().threads().len()), (1, 1));
        test.finish().await;
        if !was_cut_off {
            assert!(events > 5, "it was told after {events} events");
            return;
        }
    }
}

#[tokio::test]
async fn killed_while_the_thread_is_started_it_is_found_started() {
    let mut test = TestApp::threaded().await;
    let held = test.refuse_threads(Fault::slow(std::time::Duration::from_secs(9)).times(1));
    test.block();
    let thread = test.alerts().wait_for_thread(THREAD).await.unwrap();
    test.crash().await;
    held.release();
    test.up().await;
    test.quiet().await;
    test.nobody_comes();
    heard(&thread.channel(), ESCALATED).await;
    assert_eq!(
        (test.alerts().threads().len(), test.replies()),
        (1, Vec::new())
    );
    test.finish().await;
}

#[tokio::test]
async fn lost_answers_neither_start_nor_tell_twice() {
    let test = TestApp::threaded().await;
    let _lost = test.refuse_threads(Fault::lose_answer().times(1));
    test.block();
    let thread = test.alerts().wait_for_thread(THREAD).await.unwrap();
    test.served().await;
    test.pass(TimeDelta::seconds(2));
    test.quiet().await;

    let lost = Fault::lose_answer().on("POST", "/channels/*/messages");
    test.cord.inject(lost.times(1));
    test.nobody_comes();
    heard(&thread.channel(), ESCALATED).await;
    test.served().await;
    test.pass(TimeDelta::minutes(10));
    test.quiet().await;
    assert_eq!((thread.texts().len(), test.replies()), (1, Vec::new()));
    test.finish().await;
}

#[tokio::test]
async fn where_threads_are_forbidden_the_channel_hears_all() {
    for lacking in ["CREATE_PUBLIC_THREADS", "SEND_MESSAGES_IN_THREADS"] {
        let test = TestApp::threaded().await;
        let everyone = |deny: &[&str]| test.alerts().set_permissions("yardarm", &[], deny).unwrap();
        everyone(&[lacking]);
        test.block();
        card(&test, "is blocked").await;
        test.quiet().await;
        test.nobody_comes();
        heard(&test.alerts(), ESCALATED).await;
        test.pass(TimeDelta::minutes(61));
        heard(&test.alerts(), REPEATED).await;
        test.let_it_be().await;
        test.quiet().await;
        // The card says that it is over; nobody is told twice.
        assert_eq!(test.replies().len(), 2, "{lacking}");
        assert!(
            test.alerts()
                .threads()
                .iter()
                .all(|thread| thread.texts().is_empty())
        );
        test.finish().await;
    }
}

#[tokio::test]
async fn a_thread_that_is_deleted_or_locked_is_done_without() {
    for end in [Thread::delete, Thread::lock] {
        let test = TestApp::threaded().await;
        let thread = test.told_with_thread().await;
        end(&thread);
        test.nobody_comes();
        heard(&test.alerts(), ESCALATED).await;
        test.let_it_be().await;
        test.quiet().await;
        assert_eq!((test.replies().len(), thread.texts()), (1, Vec::new()));
        test.finish().await;
    }
}

#[tokio::test]
async fn an_archived_thread_is_taken_up_again() {
    let test = TestApp::threaded().await;
    let thread = test.told_with_thread().await;
    thread.archive();
    test.nobody_comes();
    heard(&thread.channel(), ESCALATED).await;
    assert!(!thread.is_archived());
    test.finish().await;
}

#[tokio::test]
async fn a_thread_that_cannot_be_started_holds_nobody_up() {
    let test = TestApp::threaded().await;
    let broken = test.refuse_threads(Fault::status(500));
    test.block();
    card(&test, "is blocked").await;
    for _ in 0..2 {
        test.served().await;
        test.pass(TimeDelta::seconds(3));
    }
    test.quiet().await;
    broken.release();
    test.nobody_comes();
    heard(&test.alerts(), ESCALATED).await;
    assert!(test.alerts().threads().is_empty());
    test.finish().await;
}

#[tokio::test]
async fn hours_without_discord_end_in_card_and_thread() {
    let test = TestApp::threaded().await;
    let away = test.cord.inject(Fault::refuse().path("/channels/**"));
    test.block();
    test.until_outbox(async |ops| ops.store.outbox_counts().await.unwrap().0 == 2)
        .await;
    test.nobody_comes();
    test.pass(TimeDelta::hours(2));
    away.release();
    test.pass(TimeDelta::minutes(6));
    let thread = test.alerts().wait_for_thread(THREAD).await.unwrap();
    heard(&thread.channel(), "📣").await;
    test.quiet().await;
    assert_eq!((cards(&test).len(), test.replies()), (1, Vec::new()));
    test.finish().await;
}

#[tokio::test]
async fn a_card_posted_anew_has_a_thread_of_its_own() {
    let test = TestApp::threaded().await;
    let first = test.told_with_thread().await;
    test.alerts().delete(&cards(&test)[0]);
    test.nobody_comes();
    card(&test, "is blocked").await;
    test.quiet().await;
    let threads = test.alerts().threads();
    assert_eq!((threads.len(), threads[0].id()), (2, first.id()));
    assert_eq!(threads[1].id(), cards(&test)[0].id());
    test.pass(TimeDelta::minutes(61));
    heard(&threads[1].channel(), "⏰").await;
    test.finish().await;
}
