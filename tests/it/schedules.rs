//! What is done again and again: asked for in chat, run by the clock, through the same door as everything.

use chrono::{DateTime, Utc};
use localcord::Person;
use yardarm::{
    clock::Clock as _,
    domain::{
        action::{Kind, Origin, State},
        agent,
        ids::ActionId,
        schedule::{Run, Schedule},
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
        let mut events = self.ops().events();
        let wait = async {
            loop {
                let run = self.schedule(name).await.last;
                if run.as_ref().is_some_and(&is_far) {
                    return;
                }
                drop(
                    tokio::time::timeout(std::time::Duration::from_millis(200), events.recv())
                        .await,
                );
            }
        };
        let waited = tokio::time::timeout(std::time::Duration::from_secs(20), wait).await;
        waited.unwrap_or_else(|_| panic!("the run of `{name}` never came that far"));
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
