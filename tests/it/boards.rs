//! The live picture of a fleet, one message in a channel.

use chrono::TimeDelta;
use localcord::{Fault, Message, Person};
use sqlx::{Connection as _, SqliteConnection};
use yardarm::{
    domain::{agent::State, outbox::Exit, view::View},
    ops::Ops,
};

use crate::support::{alarm::die, talk::slash, test_app::TestApp};

/// A template of what is not restarted by itself.
const FRAGILE: &str =
    r#"{ "description": "x", "image": "demo:1", "recovery": { "restart": false } }"#;
/// As long as something may take to be shown.
const BETWEEN: TimeDelta = TimeDelta::seconds(15);

fn boards(test: &TestApp) -> Vec<Message> {
    let mut all = test.cord.channel("ops").messages();
    all.retain(|message| message.content().contains("-# board"));
    all
}

/// Waits until a board says this; returns all of it.
async fn board(test: &TestApp, text: &str) -> String {
    let shows =
        |message: &Message| message.content().contains("-# board") && message.text().contains(text);
    let found = test.cord.channel("ops").wait_for(shows).await.unwrap();
    settled(test).await;
    said(test, &found)
}

fn said(test: &TestApp, message: &Message) -> String {
    let text = test.said(&message.text());
    let lines = text.lines().map(|line| {
        if line.contains(" of ") && line.starts_with("CPU") {
            "…"
        } else {
            line
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// An app with `scout` at work and a board in the ops channel.
async fn watched(more: &[(&str, &str)]) -> TestApp {
    let test = TestApp::start_with(more).await;
    test.deploy("scout").await;
    test.done("board here").await;
    board(&test, "scout").await;
    test
}

/// Waits until nothing is to be sent.
async fn settled(test: &TestApp) {
    test.until_outbox(async |ops| ops.store.outbox_counts().await.unwrap().0 == 0)
        .await;
}

/// How often the message of a board was written or edited.
async fn edits(test: &TestApp, board: i64) -> i64 {
    let address = format!("sqlite://{}", test.path("yardarm.db").display());
    let mut database = SqliteConnection::connect(&address).await.unwrap();
    let version = sqlx::query_scalar!(
        "SELECT version FROM outbox WHERE subject_kind = 'board' AND subject_id = ?",
        board
    )
    .fetch_one(&mut database)
    .await;
    database.close().await.unwrap();
    version.unwrap()
}

/// Looks at all boards as often as one likes.
async fn look(test: &TestApp) {
    for _ in 0..5 {
        test.ops().tend_boards().await.unwrap();
    }
    settled(test).await;
}

async fn freeze(test: &TestApp, whom: &str) {
    let question = test.send(&format!("freeze reason:lunch {whom}")).await;
    let pressed = question.press("Freeze").await.unwrap();
    pressed.until_text("✅ freeze").await.unwrap();
}

fn person(test: &TestApp, name: &str) -> Person {
    test.cord.user(name).in_channel("ops")
}

#[tokio::test]
async fn a_board_shows_the_fleet_and_follows_it() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    insta::assert_snapshot!(test.done("board here").await, @"
    ✅ board of all fleets in #ops: done in 0.0 s
    -# action 2 · by <@olga>
    ");
    insta::assert_snapshot!(board(&test, "scout").await, @"
    🪧 Board of all fleets: 1 agent: 🟢 1 running
    -# board 1 · as of <t:1795262400:R>
    🟢 `scout` in main running, <t:1795262400:R>
    Host: …
    ");
    test.deploy("lookout").await;
    freeze(&test, "").await;
    test.pass(BETWEEN);
    insta::assert_snapshot!(board(&test, "lookout").await, @"
    🪧 Board of all fleets: 2 agents: 🧊 2 frozen
    🧊 Everything is frozen since <t:1795262400:R> by <@olga>, because: lunch.
    -# board 1 · as of <t:1795262415:R>
    🧊 `lookout` in main frozen, <t:1795262400:R>
    🧊 `scout` in main frozen, <t:1795262400:R>
    Host: …
    ");
    assert_eq!(boards(&test).len(), 1);
    test.finish().await;
}

#[tokio::test]
async fn nothing_new_is_no_edit_but_it_says_as_of_when_it_is_true() {
    let test = watched(&[]).await;
    let before = edits(&test, 1).await;
    look(&test).await;
    test.pass(TimeDelta::seconds(59));
    look(&test).await;
    assert_eq!(edits(&test, 1).await, before);
    test.pass(TimeDelta::seconds(2));
    board(&test, "as of <t:1795262461:R>").await;
    // Ever seldomer.
    for _ in 0..60 {
        test.pass(TimeDelta::minutes(1));
        look(&test).await;
    }
    let more = edits(&test, 1).await - before;
    assert!((6..=10).contains(&more), "{more} edits");
    test.finish().await;
}

#[tokio::test]
async fn what_somebody_does_is_shown_sooner_than_what_happens() {
    let test = watched(&[]).await;
    let wanted = (TimeDelta::seconds(4), TimeDelta::seconds(16));
    test.pass(TimeDelta::minutes(2));
    board(&test, "as of <t:1795262520:R>").await;
    test.engine.crash_on_start("demo:1", 1);
    die(&test, "scout", 1);
    test.until(|ops| ops.roster.view("scout").unwrap().state == State::Down)
        .await;
    let before = edits(&test, 1).await;
    test.pass(wanted.0);
    look(&test).await;
    assert_eq!(edits(&test, 1).await, before, "it was shown a moment ago");
    test.pass(wanted.1 - wanted.0);
    board(&test, "1 down").await;
    test.done("stop agent:scout").await;
    test.pass(wanted.0);
    board(&test, "1 stopped").await;
    test.finish().await;
}

#[tokio::test]
async fn it_is_found_again_after_a_restart_and_after_a_crash() {
    let mut test = watched(&[]).await;
    let message = boards(&test).remove(0).id();
    test.restart().await;
    test.deploy("lookout").await;
    test.pass(BETWEEN);
    board(&test, "lookout").await;
    test.crash().await;
    test.up().await;
    test.deploy("third").await;
    test.pass(BETWEEN);
    board(&test, "third").await;
    let after: Vec<_> = boards(&test).iter().map(Message::id).collect();
    assert_eq!(after, [message]);
    test.finish().await;
}

#[tokio::test]
async fn a_crash_before_discord_answered_makes_no_second_one() {
    let mut test = TestApp::start().await;
    test.deploy("scout").await;
    let posts = Fault::hang().on("POST", "/channels/*/messages");
    let posting = test.cord.inject(posts);
    test.send("board here").await;
    posting.met().await.unwrap();
    test.crash().await;
    posting.release();
    test.up().await;
    // What was cut off is told by then, too.
    test.pass(BETWEEN);
    board(&test, "scout").await;
    let lost = Fault::lose_answer().on("POST", "/channels/*/messages");
    let losing = test.cord.inject(lost.times(1));
    let old = boards(&test).remove(0);
    test.cord.channel("ops").delete(&old);
    test.pass(TimeDelta::minutes(2));
    losing.met().await.unwrap();
    test.crash().await;
    test.up().await;
    test.pass(TimeDelta::minutes(2));
    settled(&test).await;
    assert_eq!(boards(&test).len(), 1);
    test.finish().await;
}

#[tokio::test]
async fn one_that_was_deleted_or_is_too_old_is_posted_anew() {
    let test = watched(&[]).await;
    let first = boards(&test).remove(0);
    test.cord.channel("ops").delete(&first);
    test.pass(TimeDelta::minutes(2));
    let second = test.cord.channel("ops");
    let second = second.wait_for_text("-# board 1").await.unwrap();
    settled(&test).await;
    assert_ne!(second.id(), first.id());
    let too_old = Fault::refusal(429, 30046).on("PATCH", "/channels/*/messages/*");
    let _too_old = test.cord.inject(too_old.times(1));
    test.pass(TimeDelta::minutes(2));
    replaced(&test, &second).await;
    test.finish().await;
}

/// Waits until the only board is a newer message than this.
async fn replaced(test: &TestApp, old: &Message) {
    let is_new_alone = |all: &[Message]| {
        let mut boards = all.iter().filter(|one| one.content().contains("-# board"));
        boards.next().is_some_and(|one| one.id() > old.id()) && boards.next().is_none()
    };
    let ops = test.cord.channel("ops");
    ops.until(is_new_alone).await.unwrap();
}

#[tokio::test]
async fn one_that_is_buried_is_posted_anew_below() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    test.done("board here repost:3").await;
    board(&test, "scout").await;
    let first = boards(&test).remove(0);
    test.deploy("b").await;
    test.deploy("c").await;
    test.pass(BETWEEN);
    board(&test, "`c`").await;
    let still = boards(&test).remove(0);
    assert_eq!(still.id(), first.id(), "two messages do not bury it");
    test.deploy("d").await;
    let deletions = Fault::hang().on("DELETE", "/channels/*/messages/*");
    let deletion = test.cord.inject(deletions);
    test.pass(BETWEEN);
    deletion.met().await.unwrap();
    let both = boards(&test);
    assert_eq!(both.len(), 2, "the old one stays until the new one stands");
    assert!(both[1].text().contains("`d`"));
    deletion.release();
    replaced(&test, &first).await;
    test.finish().await;
}

#[tokio::test]
async fn an_agent_is_opened_by_the_rights_of_who_opens_it() {
    let test = watched(&[]).await;
    let message = boards(&test).remove(0);
    let id = message.json()["components"][0]["components"][0]["custom_id"].clone();
    let id = id.as_str().unwrap().to_owned();
    let opened = test.olga().choose(&message, &id, ["1"]).await.unwrap();
    assert!(opened.is_ephemeral());
    assert!(opened.text().starts_with("🟢 **scout** is running"));
    let refused = person(&test, "mina").choose(&message, &id, ["1"]).await;
    insta::assert_snapshot!(test.refusal(&refused.unwrap()).await, @"You need viewer on some fleet; <@olga> has it. An owner can grant it: `/grant add`.");
    let gone = test.olga().forge_choice(&message, &id, &["99"]).await;
    insta::assert_snapshot!(test.refusal(&gone.unwrap()).await, @"That agent is gone. `/status` shows who is there.");
    test.finish().await;
}

#[tokio::test]
async fn a_board_of_a_fleet_shows_nothing_of_others() {
    let mut test = TestApp::prepare(&[("access.preset", "\"team\"")]).await;
    let owners = ["olga", "ravi"].map(|name| format!("\"{}\"", test.cord.user(name).id()));
    test.set("access.owners", &format!("[{}]", owners.join(", ")));
    test.write_template("fragile", FRAGILE);
    test.up().await;
    test.done("deploy template:fragile name:scout").await;
    test.done("fleet create name:north").await;
    test.done("deploy template:demo name:polar fleet:north")
        .await;
    test.done("board here fleet:north").await;
    board(&test, "polar").await;
    die(&test, "scout", 1);
    let opened = async |ops: &Ops| ops.store.open_incidents().await.unwrap().len() == 1;
    test.until_outbox(opened).await;
    test.send("remove agent:scout").await;
    test.send("remove agent:polar").await;
    freeze(&test, "fleet:main").await;
    test.pass(BETWEEN);
    let shown = board(&test, "remove `polar`").await;
    assert!(
        !shown.contains("scout") && !shown.contains("main"),
        "{shown}"
    );
    test.done("board here").await;
    insta::assert_snapshot!(board(&test, "scout").await, @"
    🪧 Board of all fleets: 2 agents: 🔴 1 down, 🟢 1 running
    🧊 `main` is frozen since <t:1795262400:R> by <@olga>, because: lunch.
    -# board 2 · as of <t:1795262415:R>
    🔴 `scout` in main down, <t:1795262400:R> · 🧊
    🟢 `polar` in north running, <t:1795262400:R>
    Incidents: 🟠 **scout** exited with code 1, open, <t:1795262400:R>
    Waiting for approval: 🗳️ remove `scout`: action 5 in #ops, lapses <t:1795348800:R>
    🗳️ remove `polar`: action 6 in #ops, lapses <t:1795348800:R>
    Host: …
    ");
    test.finish().await;
}

#[tokio::test]
async fn one_that_is_removed_or_replaced_says_so() {
    let test = watched(&[]).await;
    insta::assert_snapshot!(test.done("board here fleet:main").await, @"
    ✅ board of `main` in #ops: done in 0.0 s
    -# action 3 · by <@olga>
    ");
    insta::assert_snapshot!(board(&test, "has ended").await, @"
    🪧 This board of all fleets has ended <t:1795262400:R>: <@olga> put another in its place.
    -# board 1
    ");
    board(&test, "Board of **main**").await;
    insta::assert_snapshot!(test.done("board remove").await, @"
    ✅ board remove of `main` in #ops: done in 0.0 s
    -# action 4 · by <@olga>
    ");
    let ended = test.cord.channel("ops");
    let is_over = |all: &[Message]| {
        let ended = all.iter().filter(|one| one.text().contains("has ended"));
        ended.count() == 2
    };
    ended.until(is_over).await.unwrap();
    insta::assert_snapshot!(test.refused("board remove").await, @"There is no board in this channel. `/board here` puts one.");
    let mina = slash(&person(&test, "mina"), "board here").send().await;
    insta::assert_snapshot!(test.refusal(&mina.unwrap()).await, @"You need viewer on some fleet; <@olga> has it. An owner can grant it: `/grant add`.");
    settled(&test).await;
    test.finish().await;
}

#[tokio::test]
async fn one_whose_channel_or_fleet_is_gone_ends_by_itself() {
    let test = watched(&[]).await;
    test.done("fleet create name:north").await;
    let general = test.cord.user("olga").in_channel("general");
    let sent = slash(&general, "board here fleet:north").send().await;
    test.end_of(&sent.unwrap()).await;
    test.done("fleet delete fleet:north").await;
    test.pass(BETWEEN);
    let over = test
        .cord
        .channel("general")
        .wait_for_text("has ended")
        .await;
    insta::assert_snapshot!(over.unwrap().content(), @"
    🪧 This board of **north** has ended <t:1795262415:R>: `north` was deleted.
    -# board 2
    ");

    let path = format!("/channels/{}/messages/*", test.cord.channel("ops").id());
    let _deleted = test
        .cord
        .inject(Fault::refusal(404, 10003).on("PATCH", &path));
    test.pass(TimeDelta::minutes(2));
    test.until_outbox(async |ops| ops.store.boards().await.unwrap().is_empty())
        .await;
    insta::assert_snapshot!(test.done("audit text:board").await, @r"
    `18` <t:1795262535:f> **board ended** · by Yardarm (yardarm) “its channel does not take it any more: 404: Not Found”
    `17` <t:1795262415:f> **board ended** `north` · by Yardarm (yardarm) “\`north\` was deleted”
    ");
    test.finish_with_dead(1).await;
}

#[tokio::test]
async fn refusals_make_it_wait_and_do_not_end_it() {
    let test = watched(&[]).await;
    let edits_fail = Fault::status(503).on("PATCH", "/channels/*/messages/*");
    let failing = test.cord.inject(edits_fail);
    test.deploy("lookout").await;
    for _ in 0..20 {
        test.pass(TimeDelta::minutes(6));
        test.until_outbox(async |ops| {
            let now = ops.now();
            let due = ops.store.outbox_due(Exit::Channels, now);
            due.await.unwrap().is_empty()
        })
        .await;
    }
    failing.release();
    test.pass(TimeDelta::minutes(6));
    board(&test, "lookout").await;
    test.finish().await;
}

#[tokio::test]
async fn a_clock_that_jumps_an_hour_back_holds_no_board_up() {
    let test = watched(&[]).await;
    test.pass(TimeDelta::minutes(2));
    board(&test, "as of <t:1795262520:R>").await;
    test.clock.advance(TimeDelta::hours(-1));
    test.deploy("lookout").await;
    test.pass(BETWEEN);
    board(&test, "lookout").await;
    let before = edits(&test, 1).await;
    look(&test).await;
    assert_eq!(edits(&test, 1).await, before, "nothing new since");
    assert_eq!(boards(&test).len(), 1);
    test.finish().await;
}

#[tokio::test]
async fn five_hundred_agents_that_change_cost_few_edits() {
    let mut test = TestApp::prepare(&[]).await;
    test.write_template("demo", FRAGILE);
    test.up().await;
    test.deploy("scout").await;
    test.done("board here").await;
    board(&test, "scout").await;
    for number in 0..500 {
        test.ops_deploy(&format!("agent-{number}")).await;
    }
    test.pass(TimeDelta::minutes(2));
    board(&test, "501 agents").await;
    let before = edits(&test, 1).await;
    for number in 0..500 {
        die(&test, &format!("agent-{number}"), 1);
        if number % 10 == 9 {
            test.pass(TimeDelta::seconds(1));
            look(&test).await;
        }
    }
    for left in [300, 150, 1] {
        test.until(|ops| running(ops) <= left).await;
    }
    test.pass(BETWEEN);
    board(&test, "🟢 1 running").await;
    let more = edits(&test, 1).await - before;
    assert!((1..=6).contains(&more), "{more} edits in a minute");
    test.finish().await;
}

fn running(ops: &Ops) -> usize {
    let runs = |view: &&View| view.state == State::Running;
    ops.roster.read(|known| known.views().filter(runs).count())
}
