//! What goes wrong, and how people read of it.

use chrono::TimeDelta;
use localcord::{Fault, Person};
use yardarm::{domain::agent::State, engine::LogSource, ops::Ops};

use crate::support::{
    alarm::{card, cards, die, prompt, running, starts},
    test_app::{TestApp, said},
};

fn ravi(test: &TestApp) -> Person {
    test.cord.user("ravi").in_channel("ops")
}

#[tokio::test]
async fn a_card_tells_what_was_done_shortly_before() {
    let test = prompt(&[]).await;
    test.engine.add_image("demo:2");
    test.write_template(
        "demo",
        r#"{ "description": "ticks", "image": "demo:2", "stop_grace_s": 1 }"#,
    );
    test.ops().reload(None).await.unwrap();
    test.done("redeploy agent:scout").await;
    test.pass(TimeDelta::minutes(4));
    die(&test, "scout", 3);
    card(&test, "🔧").await;
    running(&test, "scout").await;
    insta::assert_snapshot!(card(&test, "well again").await, @"
    🟢 **scout** in main exited with code 3
    well again since <t:1795262640:R>, held open a while
    🔧 Shortly before: redeploy <t:1795262400:R> by <@olga> (action 2): image `demo:1` → `demo:2`, image digest `sha256:9e3779b97f4a` → `sha256:daa66d2c7ddf`.
    -# alert 1
    ");

    // An hour later it is no answer any more.
    test.pass(TimeDelta::hours(2));
    card(&test, "resolved").await;
    die(&test, "scout", 4);
    let told = card(&test, "exited with code 4").await;
    assert!(!told.contains('🔧'), "{told}");
    running(&test, "scout").await;
    test.finish().await;
}

#[tokio::test]
async fn an_end_is_told_mended_and_ended_in_one_message() {
    let test = prompt(&[]).await;
    let container = test.engine.id_of("yardarm-scout");
    test.engine
        .say(&container, LogSource::Stderr, "panic: no such file");
    die(&test, "scout", 3);
    let told = card(&test, "exited with code 3").await;
    assert!(
        told.starts_with("🟠 **scout** in main exited with code 3") || told.starts_with('🟢'),
        "{told}"
    );
    running(&test, "scout").await;
    insta::assert_snapshot!(card(&test, "well again").await, @"
    🟢 **scout** in main exited with code 3
    well again since <t:1795262400:R>, held open a while
    -# alert 1
    ");
    let seen = &cards(&test)[0];
    assert!(
        seen.json()["embeds"][0]["description"]
            .as_str()
            .unwrap()
            .contains("panic: no such file")
    );
    assert_eq!(test.engine.changes(), ["start yardarm-scout"]);

    test.pass(TimeDelta::minutes(3));
    insta::assert_snapshot!(card(&test, "resolved").await, @"
    ✅ **scout** in main exited with code 3
    resolved <t:1795262580:R> after 3 min 0 s
    -# alert 1
    ");
    assert_eq!(cards(&test).len(), 1);
    test.finish().await;
}

#[tokio::test]
async fn what_heals_before_it_was_told_is_never_told() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    test.engine.forget_calls();
    die(&test, "scout", 1);
    starts(&test, 1).await;
    running(&test, "scout").await;
    test.ops().tell_incidents().await.unwrap();
    for _ in 0..10 {
        test.pass(TimeDelta::minutes(1));
        test.ops().tell_incidents().await.unwrap();
    }
    assert_eq!(cards(&test).len(), 0);
    test.finish().await;
}

#[tokio::test]
async fn restarts_are_spaced_then_people_are_asked() {
    let mut test = prompt(&[]).await;
    test.engine.crash_on_start("demo:1", 1);
    die(&test, "scout", 1);
    for attempts in 1..=5 {
        starts(&test, attempts).await;
        test.restart().await;
        test.pass(TimeDelta::seconds(6 << attempts));
    }
    let told = card(&test, "not restarted by itself any more").await;
    insta::assert_snapshot!(told, @"
    🔴 **scout** in main exited with code 1
    since <t:1795262400:R>
    🧯 It is not restarted by itself any more: somebody has to look. **Restart** tries once more.
    Its restarts are used up. It may be restarted by itself again once it has run well for a while.
    -# alert 1
    ");
    assert_eq!(test.state("scout"), State::CrashLooping);
    test.pass(TimeDelta::minutes(6));
    test.ops().mend().await.unwrap();
    assert_eq!(
        test.ops()
            .store
            .actions_in(yardarm::domain::action::State::Pending)
            .await
            .unwrap(),
        []
    );
    test.finish().await;
}

#[tokio::test]
async fn what_is_not_restarted_any_more_calls_those_for_critical_things() {
    let mut test = TestApp::prepare(&[("alerts.group_wait_s", "0")]).await;
    let (pager, ravi) = (test.cord.channel("general").id(), ravi(&test).id());
    let file = test.path("yardarm.toml");
    let route = format!(
        "[[route]]\nname = \"pager\"\nseverities = [\"critical\"]\nchannels = [{pager}]\nusers = [{ravi}, {ravi}]\n"
    );
    std::fs::write(&file, route).unwrap();
    test.up_from(&file).await;
    test.deploy("scout").await;
    test.engine.forget_calls();
    test.engine.crash_on_start("demo:1", 1);
    die(&test, "scout", 1);
    for attempts in 1..=5 {
        starts(&test, attempts).await;
        let general = test.cord.channel("general").texts();
        assert!(
            !general.iter().any(|text| text.contains("-# alert")),
            "{general:?}"
        );
        test.pass(TimeDelta::seconds(6 << attempts));
    }
    let general = test.cord.channel("general");
    let called = general.wait_for_text("-# alert").await.unwrap();
    assert!(
        called.text().starts_with("🔴 **scout**"),
        "{}",
        called.text()
    );
    let mentioned = called.allowed_mentions().unwrap();
    // Discord refuses a message that names one twice.
    assert_eq!(mentioned["users"], serde_json::json!([ravi.to_string()]));
    // Where it was told before they read of it, too, in the same card.
    test.cord
        .channel("ops")
        .wait_for_text("🚨 It got worse")
        .await
        .unwrap();
    card(&test, "not restarted by itself any more").await;
    assert_eq!(cards(&test).len(), 1);
    test.finish().await;
}

#[tokio::test]
async fn many_at_once_are_one_message() {
    let test = TestApp::start().await;
    for number in 0..12 {
        test.ops_deploy(&format!("agent-{number}")).await;
    }
    test.engine.crash_on_start("demo:1", 1);
    for number in 0..12 {
        die(&test, &format!("agent-{number}"), 1);
    }
    test.until(|ops| {
        ops.roster.read(|board| {
            board
                .views()
                .all(|view| view.state == State::Down && view.busy.is_none())
        })
    })
    .await;
    test.pass(TimeDelta::seconds(31));
    let told = card(&test, "12 problems").await;
    assert!(told.contains("**agent-7** exited with code 1"), "{told}");
    assert_eq!(cards(&test).len(), 1);
    // Each has its own buttons a choice away.
    let message = cards(&test).remove(0);
    let id = message.json()["components"][1]["components"][0]["custom_id"].clone();
    let agent = test
        .ops()
        .roster
        .view("agent-7")
        .unwrap()
        .agent
        .id
        .to_string();
    let opened = test
        .olga()
        .choose(&message, id.as_str().unwrap(), [agent.as_str()])
        .await
        .unwrap();
    assert!(opened.is_ephemeral());
    assert!(opened.text().contains("**agent-7**"), "{}", opened.text());
    assert!(TestApp::labels(&opened).contains(&"Logs".to_owned()));
    test.finish().await;
}

#[tokio::test]
async fn who_acknowledges_stops_the_nagging() {
    let test = prompt(&[("access.preset", "\"team\"")]).await;
    test.engine.crash_on_start("demo:1", 1);
    die(&test, "scout", 1);
    card(&test, "exited with code 1").await;
    test.pass(TimeDelta::hours(4));
    test.cord
        .channel("ops")
        .wait_for_text("⏰ Nobody has acknowledged this")
        .await
        .unwrap();

    let alert = cards(&test).remove(0);
    let refused = ravi(&test).press(&alert, "Acknowledge").await.unwrap();
    insta::assert_snapshot!(test.refusal(&refused).await, @"You need viewer on some fleet; <@olga> has it. An owner can grant it: `/grant add`.");
    test.olga().press(&alert, "Acknowledge").await.unwrap();
    card(&test, "looks after it").await;
    let before = test.cord.channel("ops").messages().len();
    for _ in 0..3 {
        test.pass(TimeDelta::hours(5));
        test.ops().tell_incidents().await.unwrap();
    }
    assert_eq!(test.cord.channel("ops").messages().len(), before);
    test.finish().await;
}

#[tokio::test]
async fn who_acknowledges_is_answered_before_that_is_written() {
    let test = prompt(&[]).await;
    test.engine.crash_on_start("demo:1", 1);
    die(&test, "scout", 1);
    card(&test, "exited with code 1").await;
    let alert = cards(&test).remove(0);
    let writer = test.ops().store.begin().await.unwrap();
    let pressed = test.olga().press(&alert, "Acknowledge").await.unwrap();
    assert!(!pressed.is_failed(), "{pressed:?}");
    drop(writer);
    card(&test, "looks after it").await;
    test.finish().await;
}

#[tokio::test]
async fn a_silence_has_a_reason_an_author_and_an_end() {
    let test = prompt(&[]).await;
    insta::assert_snapshot!(
        test.done("silence agent:scout hours:2 reason:new-key-at-noon").await,
        @"
    ✅ silence agent scout, fleet main for 2 h: done in 0.0 s
    It ends <t:1795269600:R>.
    -# action 2 · by <@olga>, because: new-key-at-noon
    "
    );
    test.engine.crash_on_start("demo:1", 1);
    die(&test, "scout", 1);
    starts(&test, 1).await;
    test.pass(TimeDelta::seconds(1));
    test.ops().tell_incidents().await.unwrap();
    insta::assert_snapshot!(test.done("silences").await, @"🔕 1 **agent scout, fleet main** until <t:1795269600:f>, by <@olga>: new-key-at-noon");
    assert_eq!(cards(&test).len(), 0);
    let listed = test.done("alerts list").await;
    assert!(listed.starts_with("1 incident open"), "{listed}");
    assert!(listed.contains("**scout** exited with code 1"), "{listed}");

    let list = test.send("silences").await;
    let ended = list.press("End 1").await.unwrap();
    insta::assert_snapshot!(test.end_of(&ended).await, @"
    ✅ silence end 1: agent scout, fleet main: done in 0.0 s
    It is heard of again.
    -# action 4 · by <@olga>
    ");
    card(&test, "exited with code 1").await;
    test.finish().await;
}

#[tokio::test]
async fn a_silence_may_be_about_a_pattern_and_a_severity() {
    let test = prompt(&[]).await;
    let told = test
        .done("silence agent:sc*t severity:warning hours:2 reason:known")
        .await;
    assert!(
        told.contains("agent sc*t, severity warning for 2 h"),
        "{told}"
    );
    let tried = async |what: &str| test.done(&format!("alerts test {what}")).await;
    let quiet = tried("kind:down agent:scout").await;
    assert!(quiet.contains("nobody is told now (silence 1)"), "{quiet}");
    for loud in ["kind:down agent:scout severity:critical", "kind:loop"] {
        let told = tried(loud).await;
        assert!(told.contains("nothing keeps it quiet"), "{told}");
    }
    let wrong = test.refused("silence agent:S* hours:2 reason:known").await;
    assert!(wrong.contains("is no pattern"), "{wrong}");
    test.finish().await;
}

#[tokio::test]
async fn a_card_is_silenced_by_its_button_and_says_so() {
    let test = prompt(&[]).await;
    test.engine.crash_on_start("demo:1", 1);
    die(&test, "scout", 1);
    card(&test, "exited with code 1").await;
    let alert = cards(&test).remove(0);
    test.olga().press(&alert, "Silence 1 h").await.unwrap();
    card(&test, "🔕 Nobody is told of it now: silence 1.").await;
    test.finish().await;
}

/// What is down in `main` goes to #general, to Ravi; `lookout` is in maintenance. Both are at work.
async fn routed() -> TestApp {
    let mut test = TestApp::prepare(&[]).await;
    let night = test.cord.channel("general").id();
    let ravi = ravi(&test).id();
    std::fs::write(
        test.path("yardarm.toml"),
        format!(
            "[[route]]\nname = \"down\"\nkinds = [\"down\"]\nfleets = [\"main\"]\nchannels = [{night}]\nusers = [{ravi}]\n\
             group_by = \"incident\"\ngroup_wait_s = 0\nescalate = [{{ after_s = 900, most = 1 }}]\n\
             [[maintenance]]\nname = \"sundays\"\nagents = [\"lookout\"]\n\
             window = {{ from = \"00:00\", to = \"23:59\", zone = \"UTC\" }}\n"
        ),
    )
    .unwrap();
    let file = test.path("yardarm.toml");
    test.up_from(&file).await;
    test.deploy("scout").await;
    test.deploy("lookout").await;
    test
}

#[tokio::test]
async fn which_way_an_alert_would_take_is_told() {
    let test = routed().await;
    let night = test.cord.channel("general").id();
    let tried = |told: String| told.replace(&night.to_string(), "general");
    insta::assert_snapshot!(tried(test.done("alerts test kind:down agent:scout").await), @"
    inhibit, silence: nothing keeps it quiet
    group: route `down`, one message per incident, 0 s after the first
    damp: once within 60 min unless it gets worse; reminded every 240 min, 3 times at most; over after 120 s without it
    notify: <#general> <@ravi>
    escalate: <#general> after 15 min without an acknowledgement, 1 times at most
    ");
    insta::assert_snapshot!(tried(test.done("alerts test kind:down agent:lookout").await), @"
    inhibit, silence: nobody is told now (maintenance `sundays`)
    group: route `down`, one message per incident, 0 s after the first
    damp: once within 60 min unless it gets worse; reminded every 240 min, 3 times at most; over after 120 s without it
    notify: <#general> <@ravi>
    escalate: <#general> after 15 min without an acknowledgement, 1 times at most
    ");
    insta::assert_snapshot!(test.done("alerts test kind:engine severity:critical").await, @"
    inhibit, silence: nothing keeps it quiet
    group: route `ops`, one message per fleet, 30 s after the first
    damp: once within 60 min unless it gets worse; reminded every 240 min, 3 times at most; over after 120 s without it
    notify: the ops channel
    ");
    test.finish().await;
}

#[tokio::test]
async fn the_host_tells_which_way_an_alert_would_take() {
    let test = TestApp::prepare(&[("alerts.repeats", "2")]).await;
    let tried = |more: &[&str]| {
        let words = [&["alerts", "test"], more].concat();
        said(&test.command(&words).output().unwrap())
    };
    let (code, told) = tried(&[
        "--kind",
        "blocked",
        "--agent",
        "scout",
        "--severity",
        "critical",
    ]);
    assert_eq!(code, Some(0), "{told}");
    insta::assert_snapshot!(told, @"
    inhibit, silence: nothing keeps it quiet
    group: route `ops`, one message per fleet, 30 s after the first
    damp: once within 60 min unless it gets worse; reminded every 240 min, 2 times at most; over after 120 s without it
    notify: the ops channel
    ");
    let (code, told) = tried(&["--kind", "blockd"]);
    assert_eq!(code, Some(2));
    assert!(told.contains("did you mean `blocked`?"), "{told}");
    test.finish().await;
}

#[tokio::test]
async fn routes_say_who_is_told_where() {
    let test = routed().await;
    let ravi = ravi(&test).id();
    test.engine.crash_on_start("demo:1", 1);
    die(&test, "lookout", 1);
    die(&test, "scout", 1);
    let general = test.cord.channel("general");
    let told = general.wait_for_text("-# alert").await.unwrap();
    assert!(told.text().contains("**scout**"), "{}", told.text());
    assert_eq!(
        told.allowed_mentions().unwrap()["users"][0],
        ravi.to_string()
    );
    test.pass(TimeDelta::minutes(16));
    general
        .wait_for_text("📣 Nobody has acknowledged this for 16 min")
        .await
        .unwrap();
    let lookout = test
        .engine
        .changes()
        .into_iter()
        .filter(|one| one == "start yardarm-lookout");
    assert_eq!(lookout.count(), 1, "not restarted in maintenance");
    test.finish().await;
}

#[tokio::test]
async fn an_engine_that_is_away_is_one_message() {
    let test = prompt(&[]).await;
    test.engine.go_away();
    let told = card(&test, "the engine").await;
    assert!(
        told.starts_with("🔴 **the engine** does not answer"),
        "{told}"
    );
    test.engine.come_back();
    test.ops().resync().await.unwrap();
    card(&test, "well again").await;
    test.pass(TimeDelta::minutes(3));
    card(&test, "resolved").await;
    assert_eq!(cards(&test).len(), 1);
    test.finish().await;
}

#[tokio::test]
async fn what_was_opened_before_a_crash_is_told_after_it() {
    let mut test = TestApp::start().await;
    test.deploy("scout").await;
    test.engine.forget_calls();
    test.engine.crash_on_start("demo:1", 1);
    die(&test, "scout", 1);
    starts(&test, 1).await;
    test.crash().await;
    test.up().await;
    test.pass(TimeDelta::seconds(31));
    card(&test, "exited with code 1").await;
    test.crash().await;
    test.up().await;
    test.pass(TimeDelta::seconds(31));
    test.ops().tell_incidents().await.unwrap();
    assert_eq!(cards(&test).len(), 1, "told twice");
    test.finish().await;
}

#[tokio::test]
async fn more_memory_is_put_to_the_vote() {
    let mut test = TestApp::prepare(&[("alerts.group_wait_s", "0")]).await;
    test.set("access.preset", "\"team\"");
    let owners = ["olga", "ravi"].map(|name| format!("\"{}\"", test.cord.user(name).id()));
    test.set("access.owners", &format!("[{}]", owners.join(", ")));
    test.up().await;
    test.deploy("scout").await;
    let container = test.engine.id_of("yardarm-scout");
    test.engine.run_out_of_memory(&container);
    let told = card(&test, "ran out of memory").await;
    assert!(
        told.contains("`/redeploy agent:scout set:memory_mb=768` gives it more"),
        "{told}"
    );
    let question = test
        .cord
        .channel("ops")
        .wait_for_text("-# approval")
        .await
        .unwrap();
    insta::assert_snapshot!(test.said(question.content()), @"
    🗳️ Yardarm asks to **redeploy** `scout` in `main`.
    Why: it ran out of memory with 512 MiB
    • limits `512 MiB, 1 CPUs, 256 processes` → `768 MiB, 1 CPUs, 256 processes`
    ⚠️ Loosens: memory 512 → 768 MiB
    0 of 1 approvals, from <@ravi>, <@olga> · lapses <t:1795348800:R>
    -# approval 2 · plan 518ccd7bc181
    ");
    test.engine.run_on_start("demo:1");
    running(&test, "scout").await;
    ravi(&test).press(&question, "Approve").await.unwrap();
    test.cord
        .channel("ops")
        .wait_for_text("✅ redeploy `scout`: running")
        .await
        .unwrap();
    assert_eq!(test.engine.spec_of("yardarm-scout").limits.memory_mb, 768);
    test.finish().await;
}

#[tokio::test]
async fn what_depends_on_a_restarted_agent_is_restarted_after_it() {
    let test = TestApp::start().await;
    for (name, needs) in [("store", ""), ("brain", "store"), ("face", "brain")] {
        let needs = if needs.is_empty() {
            String::new()
        } else {
            format!("\"{needs}\"")
        };
        let template = format!(
            r#"{{ "description": "x", "image": "demo:1", "stop_grace_s": 1, "depends_on": [{needs}] }}"#
        );
        test.write_template(name, &template);
    }
    test.done("reload").await;
    for name in ["store", "brain", "face"] {
        test.done(&format!("deploy template:{name} name:{name}"))
            .await;
    }
    test.engine.forget_calls();
    test.clock.advance(TimeDelta::seconds(10));
    die(&test, "store", 1);
    test.until(|_| test.engine.changes().len() >= 3).await;
    test.clock.advance(TimeDelta::seconds(10));
    test.ops().publish(yardarm::domain::event::Event::Resynced);
    test.until(|ops| {
        test.engine.changes().len() >= 5
            && ops
                .roster
                .read(|board| board.views().all(|view| view.busy.is_none()))
    })
    .await;
    insta::assert_snapshot!(test.engine.changes().join("\n"), @"
    start yardarm-store
    stop yardarm-brain
    start yardarm-brain
    stop yardarm-face
    start yardarm-face
    ");
    test.finish().await;
}

#[tokio::test]
async fn a_worker_that_had_to_be_begun_again_is_told() {
    let test = prompt(&[]).await;
    test.ops().note_stall("watcher", "stood still");
    insta::assert_snapshot!(card(&test, "Yardarm's watcher").await, @"
    🔴 **Yardarm's watcher** stood still and was begun again, 1× since the start; the log tells more
    since <t:1795262400:R>
    -# alert 1
    ");
    test.pass(TimeDelta::minutes(11));
    card(&test, "well again").await;
    test.finish().await;
}

#[tokio::test]
async fn a_clock_that_jumps_an_hour_back_tells_nothing_twice_and_holds_nothing_up() {
    let mut test = TestApp::prepare(&[]).await;
    let fragile = r#"{ "description": "x", "image": "demo:1", "recovery": { "restart": false } }"#;
    test.write_template("demo", fragile);
    test.up().await;
    test.deploy("scout").await;
    die(&test, "scout", 1);
    let opened = async |ops: &Ops| ops.store.open_incidents().await.unwrap().len() == 1;
    test.until_outbox(opened).await;
    test.ops().tell_incidents().await.unwrap();
    assert_eq!(cards(&test).len(), 0, "it waits for others to follow");
    test.clock.advance(TimeDelta::hours(-1));
    test.pass(TimeDelta::seconds(1));
    card(&test, "exited with code 1").await;
    test.done("start agent:scout").await;
    card(&test, "well again").await;
    test.clock.advance(TimeDelta::hours(-1));
    test.pass(TimeDelta::seconds(1));
    test.ops().tell_incidents().await.unwrap();
    test.pass(TimeDelta::minutes(3));
    card(&test, "resolved").await;
    // The hours come a second time.
    for _ in 0..2 {
        test.pass(TimeDelta::hours(1));
        test.ops().tell_incidents().await.unwrap();
    }
    assert_eq!(cards(&test).len(), 1);
    test.finish().await;
}

#[tokio::test]
async fn a_clock_that_jumps_an_hour_ahead_or_back_hides_nobody() {
    let mut test = TestApp::prepare(&[]).await;
    let fragile = r#"{ "description": "x", "image": "demo:1", "recovery": { "restart": false } }"#;
    test.write_template("demo", fragile);
    test.up().await;
    test.deploy("scout").await;
    test.deploy("lookout").await;
    let open = async |count: usize| {
        let open = async |ops: &Ops| ops.store.open_incidents().await.unwrap().len() == count;
        test.until_outbox(open).await;
        test.ops().tell_incidents().await.unwrap();
    };
    die(&test, "scout", 1);
    open(1).await;
    test.clock.advance(TimeDelta::hours(1));
    test.pass(TimeDelta::seconds(1));
    card(&test, "**scout**").await;
    // What comes to a message that is sent only later would never be told.
    test.clock.advance(TimeDelta::hours(-1));
    die(&test, "lookout", 1);
    open(2).await;
    test.pass(TimeDelta::seconds(31));
    test.ops().tell_incidents().await.unwrap();
    card(&test, "**lookout**").await;
    assert_eq!(cards(&test).len(), 2);
    test.finish().await;
}

#[tokio::test]
async fn a_card_shows_the_log_restarts_and_stops() {
    let test = prompt(&[]).await;
    let container = test.engine.id_of("yardarm-scout");
    test.engine
        .say(&container, LogSource::Stderr, "panic: no such file");
    test.engine.crash_on_start("demo:1", 1);
    die(&test, "scout", 1);
    card(&test, "exited with code 1").await;
    starts(&test, 1).await;
    let alert = cards(&test).remove(0);
    let logs = test.olga().press(&alert, "Logs").await.unwrap();
    let told = test.end_of(&logs).await;
    assert!(told.starts_with("Log of `scout`"), "{told}");
    test.engine.run_on_start("demo:1");
    let restarted = test.olga().press(&alert, "Restart").await.unwrap();
    let told = test.end_of(&restarted).await;
    assert!(told.starts_with("✅ restart `scout`: running"), "{told}");
    let stopped = test.olga().press(&alert, "Stop").await.unwrap();
    let told = test.end_of(&stopped).await;
    assert!(told.starts_with("✅ stop `scout`: done"), "{told}");
    card(&test, "well again").await;
    test.finish().await;
}

#[tokio::test]
async fn an_alert_whose_channel_is_gone_is_told_in_the_ops_channel() {
    let mut test = TestApp::prepare(&[("alerts.group_wait_s", "0")]).await;
    let gone = test.cord.channel("general").id();
    let file = test.path("yardarm.toml");
    let route = format!("[[route]]\nname = \"gone\"\nchannels = [{gone}]\n");
    std::fs::write(&file, route).unwrap();
    test.up_from(&file).await;
    test.deploy("scout").await;
    let path = format!("/channels/{gone}/messages");
    let _deleted = test
        .cord
        .inject(Fault::refusal(404, 10003).on("POST", &path));
    test.engine.crash_on_start("demo:1", 1);
    die(&test, "scout", 1);
    card(&test, "exited with code 1").await;
    test.finish_with_dead(1).await;
}
