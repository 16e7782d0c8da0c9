//! What is done again and again: asked for in chat, run by the clock, through the same door as everything.

use chrono::{DateTime, TimeDelta, Utc};
use localcord::{Fault, Person};
use yardarm::{
    clock::Clock as _,
    domain::{
        action::{Kind, Origin, State},
        agent,
        ids::ActionId,
        schedule::{Run, Schedule, Source, Stage},
    },
};

use crate::support::{talk::slash, test_app::TestApp};

impl TestApp {
    async fn schedule(&self, name: &str) -> Schedule {
        let all = self.ops().store.schedules().await.unwrap();
        let found = all.into_iter().find(|one| one.order.name.as_str() == name);
        found.unwrap_or_else(|| panic!("no schedule `{name}`"))
    }

    /// Lets the clock come to an instant; what is due then is rung for.
    fn come(&self, at: &str) {
        let at: DateTime<Utc> = at.parse().unwrap();
        self.pass(at - self.clock.now());
    }

    /// Waits until the last run of a schedule is that far.
    async fn until_run(&self, name: &str, is_far: impl Fn(&Run) -> bool) {
        self.until_schedule(name, |schedule| schedule.last.as_ref().is_some_and(&is_far))
            .await;
    }

    async fn until_schedule(&self, name: &str, is_so: impl Fn(&Schedule) -> bool) {
        let mut events = self.ops().events();
        let wait = async {
            loop {
                if is_so(&self.schedule(name).await) {
                    return;
                }
                drop(
                    tokio::time::timeout(std::time::Duration::from_millis(200), events.recv())
                        .await,
                );
            }
        };
        let waited = tokio::time::timeout(std::time::Duration::from_secs(20), wait).await;
        waited.unwrap_or_else(|_| panic!("`{name}` never came that far"));
    }

    /// Waits until the last run of a schedule without an action is done.
    pub(crate) async fn until_ran(&self, name: &str) {
        self.until_run(name, |run| run.stage == Stage::Done).await;
    }

    async fn until_done(&self, name: &str) {
        let done = |run: &Run| run.action.is_some_and(|(_, state)| state.is_over());
        self.until_run(name, done).await;
    }

    /// The actions that people's schedules have asked for.
    async fn scheduled(&self) -> Vec<(ActionId, Kind, State)> {
        let mut found = Vec::new();
        for number in 1.. {
            let Some(action) = self.ops().store.action(ActionId(number)).await.unwrap() else {
                break;
            };
            if action.origin == Origin::Schedule && action.actor.is_some() {
                found.push((action.id, action.kind, action.state));
            }
        }
        found
    }

    async fn says_of(&self, person: &Person, command: &str) -> String {
        let reply = slash(person, command).send().await.unwrap();
        self.said(&reply.text())
    }
}

/// Noon, and an agent that stands.
async fn scene() -> TestApp {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    test.done("stop agent:scout").await;
    test
}

#[tokio::test]
async fn what_is_due_is_done_and_the_list_tells() {
    let test = scene().await;
    let added = test
        .done("schedule add name:morning cron:\"0 8 * * *\" action:start agent:scout zone:Europe/Berlin reason:coffee")
        .await;
    insta::assert_snapshot!(added, @"
    ✅ schedule add `morning`: done in 0.0 s
    Next, in Europe/Berlin:
    - Sun 22 Nov 2026 08:00 · <t:1795330800:F> (<t:1795330800:R>)
    - Mon 23 Nov 2026 08:00 · <t:1795417200:F> (<t:1795417200:R>)
    - Tue 24 Nov 2026 08:00 · <t:1795503600:F> (<t:1795503600:R>)
    -# action 3 · by <@olga>, because: coffee
    ");
    test.come("2026-11-22T06:59:59Z");
    test.until_done("backup").await;
    assert_eq!(test.scheduled().await, []);
    test.come("2026-11-22T07:00:00Z");
    test.until_done("morning").await;
    assert_eq!(test.state("scout"), agent::State::Running);
    let scheduled = test.scheduled().await;
    let [(_, Kind::Start, State::Succeeded)] = scheduled[..] else {
        panic!("{scheduled:?}");
    };
    let listed = test.says_of(&test.olga(), "schedule list").await;
    insta::assert_snapshot!(listed, @"
    ⏰ **audit-anchor** audit anchor · `0 0 * * *` UTC · built-in
    -# next <t:1795392000:F> (<t:1795392000:R>) · last <t:1795305600:R> done
    ⏰ **backup** backup · `30 3 * * *` UTC · built-in
    -# next <t:1795404600:F> (<t:1795404600:R>) · last <t:1795318200:R> done (action 5)
    ⏰ **morning** start `scout` · `0 8 * * *` Europe/Berlin · by <@olga>
    -# next <t:1795417200:F> (<t:1795417200:R>) · last <t:1795330800:R> done (action 6)
    ⏰ **retention** purge · `15 3 * * *` UTC · built-in
    -# next <t:1795403700:F> (<t:1795403700:R>) · last <t:1795317300:R> done (action 4)
    ⏰ **stale-check** stale check · `*/5 * * * *` UTC · built-in
    -# next <t:1795331100:F> (<t:1795331100:R>) · last <t:1795330800:R> done
    ⏰ **weekly-report** report · `0 9 * * 1` UTC · built-in
    -# next <t:1795424400:F> (<t:1795424400:R>)
    ");
    test.finish().await;
}

/// What cannot be used is refused at once, and with the next step.
#[tokio::test]
async fn what_cannot_be_a_schedule_is_refused_with_the_reason() {
    let test = scene().await;
    test.done("schedule add name:taken cron:@daily action:report")
        .await;
    let mut said = Vec::new();
    for command in [
        "schedule add name:x cron:\"0 0 30 2 *\" action:start agent:scout",
        "schedule add name:x cron:\"61 * * * *\" action:start agent:scout",
        "schedule add name:x cron:@daily action:start agent:scout zone:Europe/Berln",
        "schedule add name:x cron:@daily action:freeze",
        "schedule add name:x cron:@daily action:start",
        "schedule add name:x cron:@daily action:deploy agent:new",
        "schedule add name:x cron:@daily action:backup agent:scout",
        "schedule add name:\"X y\" cron:@daily action:backup",
        "schedule add name:x cron:@daily action:backup until:2026-11-21T13:00:00Z",
        "schedule add name:x cron:@daily action:backup until:tomorrow",
        "schedule add name:x cron:@daily action:backup missed:once up_to:3",
        "schedule add name:taken cron:@daily action:backup",
        "schedule add name:backup cron:@daily action:backup",
        "schedule pause schedule:tkaen",
        "schedule resume schedule:taken",
        "schedule remove schedule:nobody",
        "schedule run schedule:nobody",
        "schedule run schedule:stale-check",
        "schedule remove schedule:backup",
    ] {
        said.push(test.refused(command).await);
    }
    insta::assert_snapshot!(said.join("\n"), @"
    cron: `0 0 30 2 *` never comes: none of its months has that day
    hint: minute, hour, day of the month, month, day of the week, as in `30 2 * * 1-5`; or @hourly, @daily, @weekly, @monthly, @yearly
    cron: `61` is no minute: use 0–59, `*`, a range `a-b` that goes up, steps `*/n`, or several with commas
    hint: minute, hour, day of the month, month, day of the week, as in `30 2 * * 1-5`; or @hourly, @daily, @weekly, @monthly, @yearly
    zone: `Europe/Berln` is no time zone
    hint: did you mean `Europe/Berlin`?
    action: `freeze` cannot be scheduled
    hint: use one of `deploy`, `start`, `stop`, `restart`, `report`, `backup`, `purge`
    agent: a start needs `agent`
    hint: add `agent` or `fleet`
    template: a deploy needs `template`
    hint: add `template`
    agent: a backup has no use for `agent`
    hint: leave `agent` out
    name: `X y` is no name
    hint: use 1 to 32 of a–z, 0–9, `-` and `_`, beginning with a letter or a digit
    It would never run: its end comes before its first time. Give a later `until:`.
    until: `tomorrow` is no instant
    hint: write it as `2026-12-31T18:00:00Z`
    up_to: it counts together with `missed` `all` only
    hint: leave it out, or ask for all
    `taken` is taken. Choose another name, or `/schedule remove schedule:taken` first.
    `backup` is built in. Choose another name.
    There is no schedule `tkaen`. Did you mean `taken`?
    `taken` is not paused.
    There is no schedule `nobody`. Use one of `audit-anchor`, `backup`, `retention`, `stale-check`, `taken`, `weekly-report`.
    There is no schedule `nobody`. Use one of `audit-anchor`, `backup`, `retention`, `stale-check`, `taken`, `weekly-report`.
    `stale-check` runs by itself and changes nothing that could be asked for.
    `backup` is built in. `/schedule pause` keeps it from running.
    ");
    test.finish().await;
}

#[tokio::test]
async fn whoever_may_not_have_it_done_may_not_have_it_scheduled() {
    let test = people("").await;
    let (ravi, mina) = (test.person("ravi"), test.person("mina"));
    let added = slash(
        &ravi,
        "schedule add name:his cron:@daily action:start agent:scout",
    );
    test.end_of(&added.send().await.unwrap()).await;
    let mut said = Vec::new();
    for (person, command) in [
        (&ravi, "schedule add name:x cron:@daily action:backup"),
        (
            &ravi,
            "schedule add name:x cron:@daily action:stop fleet:hidden",
        ),
        (&ravi, "schedule pause schedule:backup"),
        (
            &mina,
            "schedule add name:x cron:@daily action:start agent:scout",
        ),
        (&mina, "schedule pause schedule:his"),
        (&mina, "schedule resume schedule:his"),
        (&mina, "schedule remove schedule:his"),
        (&mina, "schedule run schedule:his"),
        (&mina, "schedule list"),
    ] {
        said.push(test.says_of(person, command).await);
    }
    insta::assert_snapshot!(said.join("\n"), @"
    You need owner on all fleets (`*`); <@841171300377200703>, <@olga> have it. An owner can grant it: `/grant add`.
    You need maintainer on `hidden`; <@841171300377200703>, <@olga> have it. An owner can grant it: `/grant add`.
    There is no schedule `backup`. The only one is `his`.
    You need maintainer on `main`; <@&922635462827934232>, <@841171300377200703>, <@olga> have it. An owner can grant it: `/grant add`.
    You need maintainer on `main`; <@&922635462827934232>, <@841171300377200703>, <@olga> have it. An owner can grant it: `/grant add`.
    You need maintainer on `main`; <@&922635462827934232>, <@841171300377200703>, <@olga> have it. An owner can grant it: `/grant add`.
    You need maintainer on `main`; <@&922635462827934232>, <@841171300377200703>, <@olga> have it. An owner can grant it: `/grant add`.
    You need maintainer on `main`; <@&922635462827934232>, <@841171300377200703>, <@olga> have it. An owner can grant it: `/grant add`.
    ⏰ **his** start `scout` · `@daily` UTC · by <@ravi>
    -# next <t:1795305600:F> (<t:1795305600:R>)
    ");
    test.finish().await;
}

#[tokio::test]
async fn pausing_resuming_running_and_removing() {
    let test = scene().await;
    test.done("schedule add name:noon cron:\"0 12 * * *\" action:start agent:scout")
        .await;
    insta::assert_snapshot!(test.done("schedule pause schedule:noon reason:holiday").await, @"
    ✅ schedule pause `noon`: done in 0.0 s
    -# action 4 · by <@olga>, because: holiday
    ");
    insta::assert_snapshot!(test.refused("schedule pause schedule:noon").await, @"`noon` is paused already. `/schedule resume` lets it run.");
    test.come("2026-11-22T12:00:00Z");
    test.until_run("stale-check", |run| run.planned == test.clock.now())
        .await;
    test.until_done("retention").await;
    test.until_done("backup").await;
    assert_eq!(test.schedule("noon").await.last, None);
    insta::assert_snapshot!(test.done("schedule resume schedule:noon").await, @"
    ✅ schedule resume `noon`: done in 0.0 s
    Next, in UTC:
    - Mon 23 Nov 2026 12:00 · <t:1795435200:F> (<t:1795435200:R>)
    - Tue 24 Nov 2026 12:00 · <t:1795521600:F> (<t:1795521600:R>)
    - Wed 25 Nov 2026 12:00 · <t:1795608000:F> (<t:1795608000:R>)
    -# action 7 · by <@olga>
    ");
    let run = test.done("schedule run schedule:noon").await;
    assert!(run.starts_with("✅ start `scout`"), "{run}");
    insta::assert_snapshot!(test.done("schedule remove schedule:noon").await, @"
    ✅ schedule remove `noon`: done in 0.0 s
    -# action 9 · by <@olga>
    ");
    test.come("2026-11-23T12:00:00Z");
    test.until_run("stale-check", |run| run.planned == test.clock.now())
        .await;
    assert_eq!(test.scheduled().await, []);
    // Its name is free again.
    test.done("schedule add name:noon cron:@daily action:report")
        .await;
    test.finish().await;
}

#[tokio::test]
async fn what_was_missed_is_made_up_for_as_it_was_asked() {
    let mut test = scene().await;
    for (name, rule) in [
        ("none", ""),
        ("last", "missed:once"),
        ("two", "missed:all up_to:2"),
    ] {
        let add = format!("schedule add name:{name} cron:@hourly action:report {rule}");
        test.done(&add).await;
    }
    test.down().await;
    test.clock.advance(TimeDelta::minutes(330));
    test.up().await;
    test.until_run("last", |run| {
        run.action.is_some_and(|(_, state)| state.is_over())
    })
    .await;
    test.until_run("two", |run| {
        run.planned == "2026-11-21T17:00:00Z".parse::<DateTime<Utc>>().unwrap()
            && run.action.is_some_and(|(_, state)| state.is_over())
    })
    .await;
    let skipped = test.schedule("none").await.last.unwrap();
    assert_eq!(skipped.stage, Stage::Skipped);
    assert_eq!(test.scheduled().await.len(), 3);
    let next = test.schedule("none").await.next;
    assert_eq!(next, Some("2026-11-21T18:00:00Z".parse().unwrap()));
    test.finish().await;
}

#[tokio::test]
async fn a_run_that_waits_for_people_holds_up_the_next_or_is_passed_over() {
    let test = people(ASKS).await;
    for (name, rule) in [("passes", "skip"), ("queues", "queue")] {
        let add =
            format!("schedule add name:{name} cron:@hourly action:stop agent:scout overlap:{rule}");
        test.done(&add).await;
    }
    test.come("2026-11-21T13:00:00Z");
    let asked = |run: &Run| run.action.is_some_and(|(_, state)| state == State::Asked);
    test.until_run("passes", asked).await;
    test.until_run("queues", asked).await;
    test.come("2026-11-21T14:00:00Z");
    test.until_run("passes", |run| run.stage == Stage::Skipped)
        .await;
    test.until_run("queues", |run| run.stage == Stage::Claimed)
        .await;
    assert_eq!(test.scheduled().await.len(), 2);
    let question = test
        .cord
        .channel("ops")
        .wait_for_text("schedule queues")
        .await
        .unwrap();
    let denied = test.person("wim").press(&question, "Deny").await.unwrap();
    denied.modal().unwrap().submit().await.unwrap();
    // The one that was over makes room for the next.
    test.until_run("queues", asked).await;
    assert_eq!(test.scheduled().await.len(), 3);
    test.finish().await;
}

#[tokio::test]
async fn on_the_day_of_the_change_a_time_in_the_gap_comes_after_it_and_a_doubled_one_once() {
    let test = scene().await;
    test.done("schedule add name:night cron:\"30 2 * * *\" action:report zone:Europe/Berlin")
        .await;
    test.come("2027-03-28T00:59:59Z");
    test.until_run("night", |run| run.stage == Stage::Skipped)
        .await;
    test.come("2027-03-28T01:00:00Z");
    test.until_done("night").await;
    assert_eq!(test.scheduled().await.len(), 1);
    test.come("2027-10-31T00:30:00Z");
    test.until_run("night", |run| run.planned == test.clock.now())
        .await;
    test.until_done("night").await;
    test.come("2027-10-31T01:30:00Z");
    test.until_run("stale-check", |run| run.planned == test.clock.now())
        .await;
    assert_eq!(test.scheduled().await.len(), 2);
    test.finish().await;
}

/// Ravi maintains and Mina sees `main`, Wim owns all.
async fn people(more: &str) -> TestApp {
    let mut test = TestApp::prepare(&[]).await;
    write_settings(&test, more);
    let file = test.path("yardarm.toml");
    test.up_from(&file).await;
    test.deploy("scout").await;
    test
}

fn write_settings(test: &TestApp, more: &str) {
    let crew = test.cord.role_id("crew");
    let (mina, wim) = (test.cord.user("mina").id(), test.cord.invite("wim").id());
    let text = format!(
        "[[grant]]\nrole = {crew}\nlevel = \"maintainer\"\nfleet = \"main\"\n\
         [[grant]]\nuser = {mina}\nlevel = \"viewer\"\nfleet = \"main\"\n\
         [[grant]]\nuser = {wim}\nlevel = \"owner\"\nfleet = \"*\"\n{more}"
    );
    std::fs::write(test.path("yardarm.toml"), text).unwrap();
}

const ASKS: &str = r#"
[[policy]]
name = "stops are asked about"
actions = ["stop"]
effect = "ask"
"#;

impl TestApp {
    fn person(&self, name: &str) -> Person {
        self.cord.user(name).in_channel("ops")
    }
}

#[tokio::test]
async fn an_owner_who_lost_the_right_has_the_schedule_paused_and_people_told() {
    let test = people("").await;
    test.done("stop agent:scout").await;
    let ravi = test.person("ravi");
    let added = slash(
        &ravi,
        "schedule add name:his cron:@hourly action:start agent:scout",
    );
    test.end_of(&added.send().await.unwrap()).await;
    ravi.set_roles(&["guest"]).unwrap();
    test.come("2026-11-21T13:00:00Z");
    let told = test
        .cord
        .channel("ops")
        .wait_for_text("is paused")
        .await
        .unwrap();
    insta::assert_snapshot!(test.said(&told.text()), @"
    ⏸️ Schedule **his** (start `scout`) is paused: its owner <@ravi> may not have it done any more: You need operator on `main`; <@&922635462827934232>, <@841171300377200703>, <@olga> have it. An owner can grant it: `/grant add`.
    Whoever may have it done removes it and adds it anew, or `/schedule resume` once its owner may again.
    -# schedule 2
    ");
    assert_eq!(test.scheduled().await, []);
    let listed = test.says_of(&test.olga(), "schedule list").await;
    let line = listed.lines().skip_while(|line| !line.contains("**his**"));
    insta::assert_snapshot!(line.take(2).collect::<Vec<_>>().join("\n"), @"
    ⏸️ **his** start `scout` · `@hourly` UTC · by <@ravi>
    -# paused: its owner <@ravi> may not have it done any more: You need operator on `main`; <@&922635462827934232>, <@841171300377200703>, <@olga> have it. An owner can grant it: `/grant add`. · l…
    ");
    // Resumed, it has its owner's rights as they are then.
    test.done("schedule resume schedule:his").await;
    ravi.set_roles(&["crew"]).unwrap();
    test.come("2026-11-21T14:00:00Z");
    test.until_done("his").await;
    ravi.leave().unwrap();
    test.come("2026-11-21T15:00:00Z");
    let left = test
        .cord
        .channel("ops")
        .wait_for_text("has left the server")
        .await
        .unwrap();
    assert!(left.text().contains("**his**"), "{}", left.text());
    test.finish().await;
}

#[tokio::test]
async fn while_discord_does_not_say_who_the_owner_is_a_run_waits() {
    let mut test = scene().await;
    test.done("schedule add name:hourly cron:@hourly action:start agent:scout")
        .await;
    let silent = test
        .cord
        .inject(Fault::status(500).on("GET", "/guilds/*/members/*"));
    test.come("2026-11-21T13:00:00Z");
    let waits = |run: &Run| {
        let why = run.outcome.as_deref().unwrap_or_default();
        run.stage == Stage::Claimed && why.contains("Discord did not say")
    };
    test.until_run("hourly", waits).await;
    // Claimed and without an action, it is submitted by the next start: once.
    test.crash().await;
    test.up().await;
    test.until_run("hourly", waits).await;
    assert_eq!(test.scheduled().await, []);
    silent.release();
    test.come("2026-11-21T13:00:10Z");
    test.until_done("hourly").await;
    test.crash().await;
    test.up().await;
    test.come("2026-11-21T13:00:20Z");
    test.until_done("hourly").await;
    assert_eq!(test.scheduled().await.len(), 1);
    test.finish().await;
}

#[tokio::test]
async fn while_discord_hangs_the_owner_of_many_is_asked_for_once() {
    let test = scene().await;
    let names: Vec<String> = (0..30).map(|number| format!("hourly-{number}")).collect();
    for name in &names {
        test.done(&format!(
            "schedule add name:{name} cron:@hourly action:purge"
        ))
        .await;
    }
    let slow = Fault::slow(std::time::Duration::from_secs(1));
    let slow = test.cord.inject(slow.on("GET", "/guilds/*/members/*"));
    // One after another, they would take longer than anybody waits here.
    test.come("2026-11-21T13:00:00Z");
    for name in &names {
        test.until_run(name, |run| run.action.is_some()).await;
    }
    slow.release();
    for name in &names {
        test.until_done(name).await;
    }
    test.finish().await;
}

#[tokio::test]
async fn a_run_that_could_not_begin_for_a_day_is_given_up() {
    let test = scene().await;
    // Not every day: whether the next is due before this one is given up would be chance.
    test.done("schedule add name:rare cron:\"0 13 21,25 * *\" action:start agent:scout")
        .await;
    let silent = test
        .cord
        .inject(Fault::status(500).on("GET", "/guilds/*/members/*"));
    test.come("2026-11-21T13:00:00Z");
    let waits = |run: &Run| run.stage == Stage::Claimed && run.outcome.is_some();
    test.until_run("rare", waits).await;
    test.come("2026-11-22T12:59:00Z");
    test.come("2026-11-22T13:01:00Z");
    let ops = test.cord.channel("ops");
    let told = ops.wait_for_text("it waited for a day").await.unwrap();
    assert!(
        told.text().contains("Discord did not say which roles"),
        "{}",
        told.text()
    );
    assert_eq!(test.scheduled().await, []);
    silent.release();
    test.come("2026-11-25T13:00:00Z");
    test.until_done("rare").await;
    test.finish().await;
}

#[tokio::test]
async fn so_many_runs_wait_for_their_turn_and_no_more() {
    let test = people(ASKS).await;
    test.done("schedule add name:queues cron:@hourly action:stop agent:scout overlap:queue")
        .await;
    let noon = test.clock.now();
    // The first one waits for people, and ten for that one.
    for hour in 1..=12 {
        test.come(&(noon + TimeDelta::hours(hour)).to_rfc3339());
        let now = test.clock.now();
        let far = |run: &Run| {
            run.planned == now && (run.stage != Stage::Claimed || (2..=11).contains(&hour))
        };
        test.until_run("queues", far).await;
    }
    let last = test.schedule("queues").await.last.unwrap();
    assert_eq!(last.stage, Stage::Skipped);
    assert_eq!(last.outcome.as_deref(), Some("too many runs wait already"));
    test.finish().await;
}

#[tokio::test]
async fn nobody_is_there_to_type() {
    let test = scene().await;
    test.deploy("lookout").await;
    let failed = test
        .done("schedule add name:all cron:@hourly action:restart fleet:main")
        .await;
    insta::assert_snapshot!(failed, @r#"
    ❌ schedule add `all`: failed after 0.0 s
    The policy `solo: several at once` wants whoever asks to type what it is about, and nobody is there to type when a schedule runs. Put a `[[policy]]` with `origins = ["schedule"]` before it that allows this or asks people.
    -# action 4 · by <@olga>
    "#);
    // One agent needs no confirmation; by the time it runs there are two.
    test.done("schedule add name:some cron:@hourly action:stop agent:look*")
        .await;
    test.deploy("look-2").await;
    test.come("2026-11-21T13:00:00Z");
    let told = test
        .cord
        .channel("ops")
        .wait_for_text("could not")
        .await
        .unwrap();
    insta::assert_snapshot!(test.said(&told.text()), @r#"
    ⚠️ Schedule **some** could not stop `look*`: The policy `solo: several at once` wants whoever asks to type what it is about, and nobody is there to type when a schedule runs. Put a `[[policy]]` with `origins = ["schedule"]` before it that allows this or asks people.
    It is tried again at its next time; `/schedule list` shows it.
    -# schedule 2
    "#);
    // The same again is not told again.
    test.come("2026-11-21T14:00:00Z");
    test.until_run("some", |run| {
        run.stage == Stage::Refused && run.planned == test.clock.now()
    })
    .await;
    let told = test.seen();
    assert_eq!(
        told.iter()
            .filter(|text| text.contains("could not"))
            .count(),
        1
    );
    test.finish().await;
}

#[tokio::test]
async fn what_a_schedule_did_in_vain_is_told() {
    let test = scene().await;
    test.done("schedule add name:hourly cron:@hourly action:start agent:scout")
        .await;
    test.engine.refuse("start", "driver failed");
    test.come("2026-11-21T13:00:00Z");
    let told = test
        .cord
        .channel("ops")
        .wait_for_text("start `scout`: failed")
        .await
        .unwrap();
    insta::assert_snapshot!(test.said(&told.text()), @"
    ❌ start `scout`: failed after 0.0 s
    Docker says: driver failed.
    -# action 4 · by <@olga>, because: schedule hourly
    ");
    test.engine.mend("start");
    test.finish().await;
}

const ENTRY: &str = r#"
[[schedule]]
name = "filed"
cron = "@hourly"
action = "start"
agent = "scout"
"#;

#[tokio::test]
async fn entries_of_the_file_are_changed_there_and_run_without_a_person() {
    let test = people(ENTRY).await;
    test.done("stop agent:scout").await;
    let mut said = Vec::new();
    for command in [
        "schedule add name:filed cron:@daily action:report",
        "schedule pause schedule:filed",
        "schedule remove schedule:filed",
    ] {
        said.push(test.refused(command).await);
    }
    insta::assert_snapshot!(said.join("\n"), @"
    `filed` stands in the settings file already. Choose another name.
    `filed` stands in the settings file. Change it there, then `/reload`.
    `filed` stands in the settings file. Change it there, then `/reload`.
    ");
    test.come("2026-11-21T13:00:00Z");
    test.until_done("filed").await;
    let (id, state) = test.schedule("filed").await.last.unwrap().action.unwrap();
    let action = test.ops().action(id).await.unwrap();
    assert_eq!(
        (action.actor, action.origin, state),
        (None, Origin::Schedule, State::Succeeded)
    );
    write_settings(&test, "");
    test.done("reload").await;
    assert!(
        !test
            .says_of(&test.olga(), "schedule list")
            .await
            .contains("filed")
    );
    // One of chat gives way to one of the file.
    test.done("schedule add name:filed cron:@daily action:report")
        .await;
    write_settings(&test, ENTRY);
    test.done("reload").await;
    assert_eq!(test.schedule("filed").await.source, Source::File);
    test.finish().await;
}

#[tokio::test]
async fn what_is_built_in_runs_and_can_be_paused() {
    let mut test = TestApp::start_with(&[("backup.keep", "2")]).await;
    let copies = |test: &TestApp| {
        let mut names: Vec<String> = std::fs::read_dir(test.path("backups"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    for day in ["2026-11-22", "2026-11-23", "2026-11-24"] {
        test.come(&format!("{day}T09:00:00Z"));
        test.until_run("backup", |run| {
            run.planned.date_naive().to_string() == day
                && run.action.is_some_and(|(_, state)| state.is_over())
        })
        .await;
    }
    assert_eq!(
        copies(&test),
        ["yardarm-20261123T090000Z.db", "yardarm-20261124T090000Z.db"]
    );
    let copy = test.path("backups").join("yardarm-20261124T090000Z.db");
    let ledger = yardarm::store::ledger::Ledger::open(&copy).await.unwrap();
    assert_eq!(ledger.verify(&[]).await.unwrap().broken, None);
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&copy).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    test.cord
        .channel("ops")
        .wait_for_text("The audit on 2026-11-24")
        .await
        .unwrap();
    test.done("schedule pause schedule:backup").await;
    // A pause outlives a start.
    test.restart().await;
    test.come("2026-11-25T09:00:00Z");
    test.until_run("stale-check", |run| run.planned == test.clock.now())
        .await;
    assert_eq!(copies(&test).len(), 2);
    let said = test.done("backup reason:before").await;
    assert!(said.contains("yardarm-20261125T090000Z.db"), "{said}");
    assert_eq!(
        copies(&test),
        ["yardarm-20261124T090000Z.db", "yardarm-20261125T090000Z.db"]
    );
    test.finish().await;
}

#[tokio::test]
async fn what_a_clock_that_was_ahead_has_done_holds_no_schedule_up() {
    let test = scene().await;
    test.done("schedule add name:hourly cron:@hourly action:report until:2026-11-21T20:30:00Z")
        .await;
    let ran = |at: &str| {
        let at: DateTime<Utc> = at.parse().unwrap();
        move |run: &Run| run.planned == at && run.action.is_some_and(|(_, state)| state.is_over())
    };
    // Local time instead of UTC: even its end has come.
    test.come("2026-11-21T21:00:00Z");
    test.until_run("stale-check", |run| run.planned == test.clock.now())
        .await;
    test.until_run("hourly", |run| run.stage == Stage::Skipped)
        .await;
    assert_eq!(test.schedule("hourly").await.next, None);

    test.clock.advance(TimeDelta::hours(-9));
    test.pass(TimeDelta::seconds(1));
    let called_back = async |at: &str| {
        let at = Some(at.parse().unwrap());
        test.until_schedule("hourly", |schedule| schedule.next == at)
            .await;
    };
    called_back("2026-11-21T13:00:00Z").await;
    test.come("2026-11-21T13:00:00Z");
    test.until_run("hourly", ran("2026-11-21T13:00:00Z")).await;
    // What ran is not done again when its hour comes a second time.
    test.clock.advance(TimeDelta::minutes(-30));
    test.pass(TimeDelta::seconds(1));
    called_back("2026-11-21T13:00:00Z").await;
    test.come("2026-11-21T13:00:00Z");
    called_back("2026-11-21T14:00:00Z").await;
    assert_eq!(test.scheduled().await.len(), 1);
    test.finish().await;
}

#[tokio::test]
async fn a_copy_of_a_clock_that_was_ahead_is_the_first_to_go() {
    let test = TestApp::start_with(&[("backup.keep", "2")]).await;
    let copies = || {
        let there = std::fs::read_dir(test.path("backups")).unwrap();
        let names = there.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect::<std::collections::BTreeSet<String>>()
    };
    // The nightly one would come between.
    test.done("schedule pause schedule:backup").await;
    test.clock.advance(TimeDelta::days(365));
    test.done("backup").await;
    test.clock.advance(TimeDelta::days(-365));
    for _ in 0..2 {
        let said = test.done("backup").await;
        assert!(copies().iter().any(|name| said.contains(name)), "{said}");
        test.clock.advance(TimeDelta::minutes(1));
    }
    let both = ["yardarm-20261121T120000Z.db", "yardarm-20261121T120100Z.db"];
    assert_eq!(copies(), both.map(str::to_owned).into());
    test.finish().await;
}

#[tokio::test]
async fn a_backup_that_cannot_be_written_says_so() {
    let test = TestApp::start().await;
    std::fs::write(test.path("backups"), "no folder").unwrap();
    let said = test.done("backup").await;
    let folder = test.path("backups").display().to_string();
    insta::assert_snapshot!(said.replace(&folder, "backups"), @"
    ❌ backup of the database: failed after 0.0 s
    No copy was made: `backups` cannot be written: Not a directory (os error 20). Nothing else was changed; give the user that runs Yardarm write access to `backup.dir`.
    -# action 1 · by <@olga>
    ");
    test.finish().await;
}

#[tokio::test]
async fn nothing_is_run_in_a_frozen_fleet() {
    let test = scene().await;
    test.done("schedule add name:morning cron:\"0 8 * * *\" action:start agent:scout")
        .await;
    let question = test.send("freeze reason:storm").await;
    let card = question.press("Freeze").await.unwrap();
    test.end_of(&card).await;
    test.engine.forget_calls();
    test.come("2026-11-22T08:00:00Z");
    test.until_run("morning", |run| run.stage == Stage::Refused)
        .await;
    let ops = test.cord.channel("ops");
    let told = ops.wait_for_text("-# schedule").await.unwrap().text();
    assert!(told.contains("because: storm"), "{told}");
    assert_eq!(test.engine.changes(), [""; 0]);
    assert_eq!(test.state("scout"), agent::State::Stopped);
    test.finish().await;
}

#[tokio::test]
async fn the_week_is_reported_on_monday() {
    let test = scene().await;
    test.done("start agent:scout").await;
    test.done("schedule add name:twice cron:\"0 18 * * *\" action:restart agent:scout")
        .await;
    for day in ["2026-11-21", "2026-11-22"] {
        test.come(&format!("{day}T18:00:00Z"));
        test.until_run("twice", |run| {
            run.planned.date_naive().to_string() == day
                && run.action.is_some_and(|(_, state)| state.is_over())
        })
        .await;
    }
    test.person("mina").slash("status").send().await.unwrap();
    test.until(|ops| ops.roster.glance(|_| true, None, 0).refused == 1)
        .await;
    test.come("2026-11-23T09:00:00Z");
    let report = test
        .cord
        .channel("ops")
        .wait_for_text("**Report**")
        .await
        .unwrap();
    insta::assert_snapshot!(test.said(&report.text()), @"
    📋 **Report**, <t:1794819600:D> to <t:1795424400:D>
    **Actions** 8, 8 well, 0 failed: restart 2, backup 1, deploy 1, purge 1, schedule add 1, start 1, stop 1
    **Approvals** 0 asked: none
    **Refusals** 1
    **Schedules** 10 runs, 0 refused, 0 failed, 0 left out
    **Incidents** 0 opened, 0 still open: none
    **Restarts** `scout` 2
    **Uptime** `scout` 100.0 %
    **In trouble** nobody
    -# report 11
    ");
    test.finish().await;
}

#[tokio::test]
async fn the_report_tells_of_trouble_and_forgets_who_is_gone() {
    let mut test = TestApp::prepare(&[]).await;
    let fragile = r#"{ "description": "x", "image": "demo:1", "recovery": { "restart": false } }"#;
    test.write_template("demo", fragile);
    test.up().await;
    for name in ["scout", "gone"] {
        test.deploy(name).await;
        let container = test.engine.id_of(&format!("yardarm-{name}"));
        test.engine.kill(&container, 1);
    }
    test.until_outbox(async |ops| ops.store.open_incidents().await.unwrap().len() == 2)
        .await;
    let card = test.send("remove agent:gone").await;
    let card = card.until_text("❔").await.unwrap();
    TestApp::confirm(&card, "Remove").await;
    test.until(|ops| ops.roster.view("gone").is_none()).await;
    test.come("2026-11-21T18:00:00Z");
    test.done("start agent:scout").await;
    test.ops().tell_incidents().await.unwrap();
    test.come("2026-11-22T12:00:00Z");
    test.ops().tell_incidents().await.unwrap();
    test.come("2026-11-22T12:01:00Z");
    test.done("schedule run schedule:weekly-report").await;
    let report = test.cord.channel("ops");
    let report = report.wait_for_text("**Report**").await.unwrap();
    let told = report.text();
    let wanted = ["**Incidents", "**Restarts", "**Uptime", "**In trouble"];
    let lines = told
        .lines()
        .filter(|line| wanted.iter().any(|one| line.starts_with(one)));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"
    **Incidents** 1 opened, 0 still open: down 1
    **Restarts** none
    **Uptime** `scout` 75.0 %
    **In trouble** `scout` 6 h 0 min (75.0 % well)
    ");
    test.finish().await;
}

#[tokio::test]
async fn a_deployment_is_made_the_first_time_and_anew_from_then_on() {
    let test = TestApp::start().await;
    test.done("schedule add name:nightly cron:@daily action:deploy agent:night template:demo")
        .await;
    for (day, version) in [("2026-11-22", 1), ("2026-11-23", 2)] {
        test.come(&format!("{day}T00:00:00Z"));
        test.until_run("nightly", |run| {
            run.planned.date_naive().to_string() == day
                && run
                    .action
                    .is_some_and(|(_, state)| state == State::Succeeded)
        })
        .await;
        assert_eq!(test.state("night"), agent::State::Running);
        let view = test.ops().roster.view("night").unwrap();
        assert_eq!(view.version.unwrap().number, version);
        test.engine.id_of("yardarm-night");
    }
    let kinds: Vec<Kind> = test.scheduled().await.iter().map(|one| one.1).collect();
    assert_eq!(kinds, [Kind::Deploy, Kind::Redeploy]);
    test.finish().await;
}

#[tokio::test]
async fn a_clock_that_jumps_an_hour_either_way_does_nothing_twice() {
    let test = scene().await;
    test.done("schedule add name:hourly cron:@hourly action:report")
        .await;
    test.come("2026-11-21T13:00:00Z");
    test.until_done("hourly").await;
    // Back: the hour comes a second time.
    test.clock.advance(TimeDelta::hours(-1));
    test.come("2026-11-21T13:00:00Z");
    test.come("2026-11-21T13:05:00Z");
    test.until_run("stale-check", |run| run.planned == test.clock.now())
        .await;
    assert_eq!(test.scheduled().await.len(), 1);
    // Ahead: what was jumped over was missed, and by default is not made up for.
    test.come("2026-11-21T14:05:01Z");
    test.until_run("hourly", |run| run.stage == Stage::Skipped)
        .await;
    assert_eq!(test.scheduled().await.len(), 1);
    test.come("2026-11-21T15:00:00Z");
    test.until_done("hourly").await;
    assert_eq!(test.scheduled().await.len(), 2);
    test.finish().await;
}

#[tokio::test]
async fn why_tells_who_approved_and_what_a_schedule_did() {
    let mut test = TestApp::prepare(&[("access.preset", "\"team\"")]).await;
    let owners = ["olga", "ravi"].map(|name| format!("\"{}\"", test.cord.user(name).id()));
    test.set("access.owners", &format!("[{}]", owners.join(", ")));
    test.up().await;
    test.deploy("scout").await;
    test.done("schedule add name:nightly cron:@daily action:restart agent:scout reason:fresh")
        .await;
    test.come("2026-11-22T00:00:00Z");
    test.until_done("nightly").await;
    test.send("redeploy agent:scout set:memory_mb=2048 reason:hungry")
        .await;
    let ops = test.cord.channel("ops");
    let question = ops.wait_for_text("-# approval").await.unwrap();
    let ravi = test.cord.user("ravi").in_channel("ops");
    ravi.press(&question, "Approve").await.unwrap();
    ops.wait_for_text("-# result").await.unwrap();
    insta::assert_snapshot!(test.done("why agent:scout").await, @"
    **scout** is running. How it came to that:
    <t:1795262400:f> **deploy** by <@olga> · accepted · running · succeeded · action 1
    <t:1795305600:f> **restart** by <@olga> · because “schedule nightly” · accepted · running · succeeded · action 3
    <t:1795305600:f> **redeploy** by <@olga> · because “hungry” · asked · voted by <@ravi> · accepted · approved by <@ravi> · running · succeeded · action 4
    ");
    test.finish().await;
}
