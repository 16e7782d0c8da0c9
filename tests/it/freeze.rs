//! `/freeze` and `/unfreeze`: everything stands still at once, and goes on as it was.

use futures::poll;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use yardarm::{
    clock::Clock as _,
    domain::{
        action::{Origin, Step},
        agent::{
            Phase,
            State::{self, Down, Frozen, Paused, Running, Stopped},
        },
    },
    engine::Engine as _,
    ops::{
        Ops,
        actions::{Request, Requester},
    },
    store::{Tx, actions, agents},
};

use crate::{
    secrets::{own_together, set},
    support::{fake_engine::Moment, test_app::TestApp},
};

/// `runner` runs, `sleeper` was stopped and `waiter` was paused; `north` is a fleet with `guard` in it.
async fn scene() -> TestApp {
    let test = TestApp::start().await;
    fill(&test).await;
    test
}

async fn fill(test: &TestApp) {
    test.done("fleet create name:north").await;
    for name in ["runner", "sleeper", "waiter"] {
        test.deploy(name).await;
    }
    test.done("deploy template:demo name:guard fleet:north")
        .await;
    test.done("stop agent:sleeper").await;
    test.done("pause agent:waiter").await;
    test.engine.forget_calls();
}

/// Asks, presses the button, and returns the card once it has ended.
async fn freeze(test: &TestApp, options: &str) -> String {
    let question = test
        .send(&format!("freeze reason:\"it spends\"{options}"))
        .await;
    let card = question.press("Freeze").await.unwrap();
    test.end_of(&card).await
}

/// Past the policy, which would ask somebody.
async fn unfreeze(test: &TestApp, fleet: Option<&str>) {
    let request = test.ops().own_sight().request_unfreeze(fleet).unwrap();
    on_the_host(test, request).await;
    test.until(|ops| ops.roster.read(|board| board.freezes.is_empty()))
        .await;
}

async fn on_the_host(test: &TestApp, request: Request) {
    let requester = Requester {
        caller: None,
        origin: Origin::Host,
        reason: None,
        reply: None,
    };
    test.ops().submit(request, requester).await.unwrap();
}

async fn settled(test: &TestApp, agent: &str, state: State) {
    test.until(|ops| {
        ops.roster
            .view(agent)
            .is_some_and(|view| view.state == state)
    })
    .await;
}

fn phase(test: &TestApp, agent: &str) -> Phase {
    test.engine.phase_of(&format!("yardarm-{agent}"))
}

fn changes(test: &TestApp) -> Vec<String> {
    let mut changes = test.engine.changes();
    changes.sort_unstable();
    changes
}

/// What is said below the question.
async fn warning(test: &TestApp) -> String {
    let question = test.send("freeze reason:drill").await;
    let text = test.said(&question.text());
    text.lines().skip(1).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn who_freezes_is_warned_if_nobody_could_end_it() {
    let mut test = TestApp::prepare(&[("access.preset", "\"team\"")]).await;
    test.up().await;
    insta::assert_snapshot!(warning(&test).await, @r#"⚠️ As things are, nobody could end it: The policy `team: grave` wants another person to approve this, and the present grants name 0. An owner can grant `maintainer` to somebody (`/grant add`); who works alone sets `access.preset = "solo"` on the host."#);
    own_together(&mut test).await;
    assert_eq!(warning(&test).await, "");
    test.finish().await;
}

#[tokio::test]
async fn what_runs_stands_still_and_goes_on_as_it_was() {
    let test = scene().await;
    let question = test.send("freeze reason:\"it spends\"").await;
    assert!(question.is_ephemeral());
    insta::assert_snapshot!(test.said(&question.text()), @"❔ **freeze** everything? Of its agents 2 run: their processes will stand still. Actions under way end, and none begins: no deployment, start, schedule or healing, until `/unfreeze`. Chat stays alive.");
    assert_eq!(TestApp::labels(&question), ["Freeze"]);
    assert_eq!(changes(&test), [""; 0]);

    let card = question.press("Freeze").await.unwrap();
    insta::assert_snapshot!(test.end_of(&card).await, @r"
    ✅ freeze everything: done in 0.0 s
    Agents paused: 2 of 2.
    -# action 8 · by <@olga>, because: it spends
    ");
    assert_eq!(
        changes(&test),
        ["pause yardarm-guard", "pause yardarm-runner"]
    );
    insta::assert_snapshot!(test.done("status").await, @"
    4 agents: 🧊 2 frozen, ⏸️ 1 paused, ⚫ 1 stopped
    🧊 Everything is frozen since <t:1795262400:R> by <@olga>, because: it spends.
    All fleets
    **main**
    🧊 `runner` frozen, <t:1795262400:R>
    ⚫ `sleeper` stopped, <t:1795262400:R> · 🧊
    ⏸️ `waiter` paused, <t:1795262400:R> · 🧊
    **north**
    🧊 `guard` frozen, <t:1795262400:R>
    Host: …
    ");

    test.engine.forget_calls();
    unfreeze(&test, None).await;
    assert_eq!(
        changes(&test),
        ["unpause yardarm-guard", "unpause yardarm-runner"]
    );
    assert_eq!(test.state("runner"), Running);
    assert_eq!(test.state("waiter"), Paused);
    assert_eq!(test.state("sleeper"), Stopped);
    assert!(!test.done("status").await.contains('🧊'));
    test.finish().await;
}

#[tokio::test]
async fn what_would_begin_is_refused_with_who_froze_it_and_the_way_on() {
    let test = scene().await;
    freeze(&test, "").await;
    insta::assert_snapshot!(test.refused("start agent:sleeper").await, @"Everything is frozen since <t:1795262400:R> by <@olga>, because: it spends. Nothing was changed. `/unfreeze` lets it go on; `/stop` and `/remove` work meanwhile.");
    for command in [
        "deploy template:demo name:newcomer",
        "redeploy agent:runner",
        "restart agent:runner",
        "resume agent:waiter",
        "fleet add fleet:north agent:runner",
        "deploy fleet:main",
    ] {
        let refused = test.refused(command).await;
        assert!(
            refused.starts_with("Everything is frozen"),
            "{command}: {refused}"
        );
    }
    assert_eq!(
        changes(&test),
        ["pause yardarm-guard", "pause yardarm-runner"]
    );
    test.finish().await;
}

#[tokio::test]
async fn ending_and_looking_work_meanwhile() {
    let test = scene().await;
    freeze(&test, "").await;
    test.engine.forget_calls();
    let said = test.done("stop agent:runner").await;
    assert!(said.starts_with("✅ stop `runner`"), "{said}");
    assert!(test.done("logs agent:guard").await.contains("guard"));
    test.done("fleet create name:south").await;
    unfreeze(&test, None).await;
    assert_eq!(test.state("runner"), Stopped, "somebody stopped it");
    assert_eq!(
        changes(&test),
        ["stop yardarm-runner", "unpause yardarm-guard"]
    );
    test.finish().await;
}

#[tokio::test]
async fn one_fleet_is_frozen_and_the_others_go_on() {
    let test = scene().await;
    insta::assert_snapshot!(freeze(&test, " fleet:north").await, @r"
    ✅ freeze `north`: done in 0.0 s
    Agents paused: 1 of 1.
    -# action 8 · by <@olga>, because: it spends
    ");
    assert_eq!(changes(&test), ["pause yardarm-guard"]);
    insta::assert_snapshot!(test.done("status").await, @"
    4 agents: 🟢 1 running, 🧊 1 frozen, ⏸️ 1 paused, ⚫ 1 stopped
    🧊 `north` is frozen since <t:1795262400:R> by <@olga>, because: it spends.
    All fleets
    **main**
    🟢 `runner` running, <t:1795262400:R>
    ⚫ `sleeper` stopped, <t:1795262400:R>
    ⏸️ `waiter` paused, <t:1795262400:R>
    **north**
    🧊 `guard` frozen, <t:1795262400:R>
    Host: …
    ");
    assert!(
        test.done("status agent:guard")
            .await
            .contains("🧊 `north` is frozen since")
    );
    insta::assert_snapshot!(test.refused("restart agent:guard").await, @"`north` is frozen since <t:1795262400:R> by <@olga>, because: it spends. Nothing was changed. `/unfreeze fleet:north` lets it go on; `/stop` and `/remove` work meanwhile.");
    insta::assert_snapshot!(test.refused("fleet add fleet:north agent:runner").await, @"`north` is frozen since <t:1795262400:R> by <@olga>, because: it spends. Nothing was changed. `/unfreeze fleet:north` lets it go on; `/stop` and `/remove` work meanwhile.");
    test.done("restart agent:runner").await;
    unfreeze(&test, Some("north")).await;
    assert_eq!(test.state("guard"), Running);
    test.finish().await;
}

#[tokio::test]
async fn what_is_cut_off_runs_on_and_rejoins_under_its_name() {
    let test = scene().await;
    let before = test.engine.networks_of("yardarm-runner");
    insta::assert_snapshot!(freeze(&test, " mode:cut").await, @r"
    ✅ freeze everything: done in 0.0 s
    Agents cut off: 2 of 2.
    -# action 8 · by <@olga>, because: it spends
    ");
    assert_eq!(phase(&test, "runner"), Phase::Running);
    assert_eq!(test.engine.networks_of("yardarm-runner"), [""; 0]);
    unfreeze(&test, None).await;
    assert_eq!(test.engine.networks_of("yardarm-runner"), before);
    assert_eq!(
        changes(&test),
        [
            "connect yardarm-guard",
            "connect yardarm-runner",
            "disconnect yardarm-guard",
            "disconnect yardarm-runner",
        ]
    );
    test.finish().await;
}

#[tokio::test]
async fn another_container_that_an_agent_has_by_now_is_cut_off_too() {
    let test = scene().await;
    let networks = test.engine.networks_of("yardarm-runner");
    freeze(&test, " mode:cut").await;
    // As if a redeploy had moved the agent on in the very moment in which its old container was cut off.
    let fresh = test.engine.foreign("yardarm-runner-fresh");
    let joined = test.engine.connect(&fresh, &networks[0], "runner").await;
    joined.unwrap();
    let moved = format!("UPDATE agents SET container_id = '{fresh}' WHERE name = 'runner'");
    let address = format!("sqlite://{}", test.path("yardarm.db").display());
    let mut database = SqliteConnection::connect(&address).await.unwrap();
    let done = sqlx::raw_sql(AssertSqlSafe(moved)).execute(&mut database);
    done.await.unwrap();
    database.close().await.unwrap();
    test.ops().load().await.unwrap();
    test.ops().resync().await.unwrap();
    assert!(test.ops().keep_frozen(false).await.unwrap());
    assert_eq!(test.engine.networks_of("yardarm-runner-fresh"), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn a_freeze_of_everything_takes_over_what_a_fleets_held() {
    let test = scene().await;
    freeze(&test, " fleet:north mode:cut").await;
    insta::assert_snapshot!(test.refused("freeze reason:again fleet:north").await, @"`north` is frozen since <t:1795262400:R> by <@olga>, because: it spends. It stays so.");
    freeze(&test, "").await;
    assert_eq!(phase(&test, "guard"), Phase::Paused);
    insta::assert_snapshot!(test.refused("unfreeze fleet:north").await, @"Everything is frozen since <t:1795262400:R> by <@olga>, because: it spends. `/unfreeze` without a fleet lets all go on.");
    insta::assert_snapshot!(test.refused("freeze reason:again fleet:north").await, @"Everything is frozen since <t:1795262400:R> by <@olga>, because: it spends. It stays so.");
    unfreeze(&test, None).await;
    assert_eq!(phase(&test, "guard"), Phase::Running);
    assert_eq!(test.engine.networks_of("yardarm-guard").len(), 1);
    insta::assert_snapshot!(test.refused("unfreeze").await, @"Nothing is frozen.");
    insta::assert_snapshot!(test.refused("unfreeze fleet:north").await, @"`north` is not frozen.");
    test.finish().await;
}

#[tokio::test]
async fn a_deployment_under_way_is_ended_and_not_waited_for() {
    let test = scene().await;
    test.engine.add_remote_image("far:1");
    test.write_template("far", r#"{ "description": "x", "image": "far:1" }"#);
    test.done("reload").await;
    test.engine.hold("pull");
    let deploying = test.send("deploy template:far name:newcomer").await;
    test.engine.holding("pull", 1).await;
    freeze(&test, "").await;
    insta::assert_snapshot!(test.end_of(&deploying).await, @r"
    ✖️ deploy `newcomer`: cancelled
    Everything is frozen since <t:1795262400:R> by <@olga>, because: it spends. This was ended in the middle. Nothing of it is left.
    -# action 9 · by <@olga>
    ");
    assert!(test.ops().roster.view("newcomer").is_none());
    test.engine.release("pull");
    unfreeze(&test, None).await;
    test.finish().await;
}

#[tokio::test]
async fn an_adoption_under_way_leaves_a_container_that_can_be_adopted_later() {
    let test = scene().await;
    test.engine.foreign("web");
    test.engine.hold("describe");
    let adopting = test.send("adopt container:web").await;
    test.engine.holding("describe", 1).await;
    freeze(&test, "").await;
    insta::assert_snapshot!(test.end_of(&adopting).await, @"
    ✖️ adopt `web`: cancelled
    Everything is frozen since <t:1795262400:R> by <@olga>, because: it spends. This was ended in the middle. The container is nobody's, as before.
    -# action 8 · by <@olga>
    ");
    assert!(test.ops().roster.view("web").is_none());
    test.engine.release("describe");
    unfreeze(&test, None).await;
    test.done("adopt container:web").await;
    settled(&test, "web", Running).await;
    test.finish().await;
}

#[tokio::test]
async fn an_adoption_that_is_done_stays_done() {
    let test = scene().await;
    test.engine.foreign("web");
    test.engine.hold("image");
    let adopting = test.send("adopt container:web").await;
    test.engine.holding("image", 1).await;
    // It is looked at once more when it is an agent.
    test.engine.hold("observe");
    test.engine.release("image");
    test.engine.holding("observe", 1).await;
    let question = test.send("freeze reason:\"it spends\"").await;
    let card = question.press("Freeze").await.unwrap();
    insta::assert_snapshot!(test.end_of(&adopting).await, @"
    ✅ adopt `web`: done in 0.0 s
    Frozen right after it. Everything is frozen since <t:1795262400:R> by <@olga>, because: it spends.
    -# action 8 · by <@olga>
    ");
    test.engine.release("observe");
    test.end_of(&card).await;
    settled(&test, "web", Frozen).await;
    unfreeze(&test, None).await;
    settled(&test, "web", Running).await;
    test.finish().await;
}

#[tokio::test]
async fn a_redeploy_under_way_leaves_the_old_container_which_starts_again_later() {
    let test = scene().await;
    let old = test.engine.id_of("yardarm-runner");
    test.engine.hold("start");
    let redeploying = test.send("redeploy agent:runner").await;
    test.engine.holding("start", 1).await;
    freeze(&test, "").await;
    insta::assert_snapshot!(test.end_of(&redeploying).await, @r"
    ✖️ redeploy `runner`: cancelled
    Everything is frozen since <t:1795262400:R> by <@olga>, because: it spends. This was ended in the middle. Its container is the one it was, and runs again after the `/unfreeze` if it should.
    -# action 8 · by <@olga>
    ");
    test.engine.release("start");
    assert_eq!(test.engine.id_of("yardarm-runner"), old);
    assert_eq!(phase(&test, "runner"), Phase::Exited);
    unfreeze(&test, None).await;
    settled(&test, "runner", Running).await;
    assert_eq!(test.engine.id_of("yardarm-runner"), old);
    test.finish().await;
}

/// Whoever may write right after a freeze.
async fn next_after_a_freeze(test: &TestApp) -> Tx {
    let store = &test.ops().store;
    let mut tx = store.begin().await.unwrap();
    while store.freezes().await.unwrap().is_empty() {
        // In line before it gives way, so that nobody but the freeze comes in between.
        let mut next = Box::pin(store.begin());
        assert!(poll!(&mut next).is_pending());
        tx.rollback().await.unwrap();
        tx = next.await.unwrap();
    }
    tx
}

#[tokio::test]
async fn a_redeploy_that_is_being_committed_stays_done() {
    let test = scene().await;
    test.engine.hold("start");
    let redeploying = test.send("redeploy agent:runner").await;
    test.engine.holding("start", 1).await;
    let question = test.send("freeze reason:\"it spends\"").await;
    // What runs is stilled after what is under way was ended.
    test.engine.hold("pause");
    let card = question.press("Freeze").await.unwrap();
    let mut tx = next_after_a_freeze(&test).await;
    test.engine.holding("pause", 1).await;
    test.done("status").await;

    // As a commit goes on whose future was dropped.
    let view = test.ops().roster.view("runner").unwrap();
    let (agent, version) = (view.agent.id, view.version.unwrap());
    let fresh = test.engine.id_of("yardarm-runner");
    let body = (&version.spec, &version.image, &version.arguments);
    let now = test.clock.now();
    agents::swap(&mut tx, agent, &fresh, body, now)
        .await
        .unwrap();
    let busy = view.busy.unwrap().action;
    let done = actions::set_step(&mut tx, busy, agent, Step::Swapped).await;
    done.unwrap();
    tx.commit().await.unwrap();

    insta::assert_snapshot!(test.end_of(&redeploying).await, @"
    ✅ redeploy `runner`: running after 0.0 s
    Frozen right after it. Everything is frozen since <t:1795262400:R> by <@olga>, because: it spends.
    -# action 8 · by <@olga>
    ");
    test.engine.release("start");
    test.engine.release("pause");
    test.end_of(&card).await;
    assert_eq!(test.engine.id_of("yardarm-runner"), fresh);
    unfreeze(&test, None).await;
    settled(&test, "runner", Running).await;
    test.finish().await;
}

#[tokio::test]
async fn what_was_asked_before_waits_until_it_is_thawed() {
    let test = scene().await;
    let question = test.send("restart agent:*er").await;
    test.end_of(&question).await;
    freeze(&test, "").await;
    test.engine.forget_calls();
    let pressed = question.press("Restart 3 agents").await.unwrap();
    insta::assert_snapshot!(test.whisper(&pressed).await, @"Everything is frozen since <t:1795262400:R> by <@olga>, because: it spends. Nothing was changed. `/unfreeze` lets it go on; `/stop` and `/remove` work meanwhile.");
    assert_eq!(changes(&test), [""; 0]);
    unfreeze(&test, None).await;
    assert_eq!(test.state("sleeper"), Stopped);
    TestApp::confirm(&question, "Restart 3 agents").await;
    question.until_text("3 of 3 done").await.unwrap();
    test.finish().await;
}

/// Olga and Ravi own all, and have to ask each other.
async fn team() -> TestApp {
    let mut test = TestApp::prepare(&[("access.preset", "\"team\"")]).await;
    let owners = ["olga", "ravi"].map(|name| format!("\"{}\"", test.cord.user(name).id()));
    test.set("access.owners", &format!("[{}]", owners.join(", ")));
    test.up().await;
    fill(&test).await;
    test
}

#[tokio::test]
async fn a_newcomer_that_others_are_asked_about_waits_until_its_fleet_is_thawed() {
    let test = team().await;
    test.send("deploy template:demo name:big fleet:north set:memory_mb=2048")
        .await;
    let ops = test.cord.channel("ops");
    let question = ops.wait_for_text("-# approval").await.unwrap();
    freeze(&test, " fleet:north").await;
    let ravi = test.cord.user("ravi").in_channel("ops");
    let refused = ravi.press(&question, "Approve").await.unwrap();
    let said = test.whisper(&refused).await;
    assert!(said.starts_with("`north` is frozen"), "{said}");
    unfreeze(&test, Some("north")).await;
    ravi.press(&question, "Approve").await.unwrap();
    ops.wait_for_text("deploy `big`: running after")
        .await
        .unwrap();
    test.finish().await;
}

#[tokio::test]
async fn what_others_are_asked_about_is_not_approved_meanwhile() {
    let test = team().await;
    test.send("restart agent:*er").await;
    let ops = test.cord.channel("ops");
    let question = ops.wait_for_text("-# approval").await.unwrap();
    freeze(&test, "").await;
    test.engine.forget_calls();
    let ravi = test.cord.user("ravi").in_channel("ops");
    let refused = ravi.press(&question, "Approve").await.unwrap();
    let said = test.whisper(&refused).await;
    assert!(said.starts_with("Everything is frozen"), "{said}");
    assert_eq!(changes(&test), [""; 0]);
    unfreeze(&test, None).await;
    ravi.press(&question, "Approve").await.unwrap();
    ops.wait_for_text("3 of 3 done").await.unwrap();
    test.finish().await;
}

/// An agent that is given `API_KEY`; whether it is rotated, owners are asked.
async fn rotation() -> TestApp {
    let mut test = TestApp::prepare(&[]).await;
    let owners = ["olga", "ravi"].map(|name| format!("\"{}\"", test.cord.user(name).id()));
    test.set("access.owners", &format!("[{}]", owners.join(", ")));
    let needy = r#"{ "description": "x", "image": "demo:1", "secrets": [{ "name": "API_KEY", "as": "env" }] }"#;
    test.write_template("needy", needy);
    let file = test.path("yardarm.toml");
    let rule = "[[policy]]\nname = \"careful\"\nactions = [\"secret rotate\"]\neffect = \"ask\"\n";
    std::fs::write(&file, rule).unwrap();
    test.up_from(&file).await;
    set(&test, "secret set name:API_KEY all:true", "old").await;
    test.done("deploy template:needy name:scout").await;
    test
}

#[tokio::test]
async fn a_rotation_that_a_freeze_forestalls_leaves_its_agents_to_others() {
    let test = rotation().await;
    let form = test.send("secret rotate name:API_KEY all:true").await;
    let form = form.modal().unwrap().fill("value", "new");
    form.submit().await.unwrap();
    let ops = test.cord.channel("ops");
    let question = ops.wait_for_text("-# approval").await.unwrap();
    // The answer asks three times who somebody is; the fourth time is the execution's.
    let execution = test.hang_members_after(3);
    let ravi = test.cord.user("ravi").in_channel("ops");
    ravi.press(&question, "Approve").await.unwrap();
    execution.met().await.unwrap();
    freeze(&test, "").await;
    execution.release();
    let told = ops.wait_for_text("-# result").await.unwrap();
    insta::assert_snapshot!(test.said(told.content()), @"
    ❌ secret rotate `API_KEY` for all agents: failed after 0.0 s
    Everything is frozen since <t:1795262400:R> by <@olga>, because: it spends. Nothing was changed. `/unfreeze` lets it go on; `/stop` and `/remove` work meanwhile.
    Asked for by <@olga>.
    -# result 3
    ");

    unfreeze(&test, None).await;
    settled(&test, "scout", Running).await;
    insta::assert_snapshot!(test.done("restart agent:scout").await, @"
    ✅ restart `scout`: running after 0.0 s
    -# action 6 · by <@olga>
    ");
    test.finish().await;
}

#[tokio::test]
async fn what_dies_stays_down_and_what_comes_up_is_stilled() {
    let test = scene().await;
    freeze(&test, "").await;
    test.engine.kill(&test.engine.id_of("yardarm-runner"), 137);
    settled(&test, "runner", Down).await;
    test.ops().converge().await.unwrap();
    assert_eq!(phase(&test, "runner"), Phase::Exited);
    test.engine
        .start_behind_our_back(&test.engine.id_of("yardarm-sleeper"));
    settled(&test, "sleeper", Frozen).await;
    unfreeze(&test, None).await;
    settled(&test, "runner", Running).await;
    settled(&test, "sleeper", Running).await;
    test.finish().await;
}

#[tokio::test]
async fn it_outlives_a_restart_and_a_reboot() {
    let mut test = scene().await;
    freeze(&test, "").await;
    test.down().await;
    // The host was switched off: paused containers are exited then.
    for agent in ["runner", "guard", "waiter"] {
        test.engine
            .kill(&test.engine.id_of(&format!("yardarm-{agent}")), 255);
    }
    test.up().await;
    settled(&test, "runner", Down).await;
    test.ops().converge().await.unwrap();
    assert!(
        test.done("status")
            .await
            .contains("🧊 Everything is frozen")
    );
    assert_eq!(phase(&test, "runner"), Phase::Exited);
    unfreeze(&test, None).await;
    settled(&test, "runner", Running).await;
    settled(&test, "guard", Running).await;
    assert_eq!(phase(&test, "sleeper"), Phase::Exited);
    test.finish().await;
}

#[tokio::test]
async fn a_crash_between_the_decision_and_the_pause_is_made_good_at_start() {
    let mut test = scene().await;
    test.engine.hold("pause");
    let question = test.send("freeze reason:now").await;
    question.press("Freeze").await.unwrap();
    test.engine.holding("pause", 2).await;
    test.crash().await;
    test.engine.release("pause");
    assert_eq!(phase(&test, "runner"), Phase::Running);
    test.up().await;
    settled(&test, "runner", Frozen).await;
    settled(&test, "guard", Frozen).await;
    unfreeze(&test, None).await;
    assert_eq!(test.state("runner"), Running);
    test.finish().await;
}

#[tokio::test]
async fn a_crash_in_the_middle_of_thawing_is_made_good_at_start() {
    let mut test = scene().await;
    freeze(&test, "").await;
    test.engine.hold("unpause");
    let request = test.ops().own_sight().request_unfreeze(None).unwrap();
    on_the_host(&test, request).await;
    test.engine.holding("unpause", 2).await;
    test.crash().await;
    test.engine.release("unpause");
    assert_eq!(phase(&test, "runner"), Phase::Paused);
    test.up().await;
    settled(&test, "runner", Running).await;
    settled(&test, "guard", Running).await;
    settled(&test, "waiter", Paused).await;
    test.until(|ops| ops.frozen(None).is_none()).await;
    let told = test.ops().store.ledger().rows(1, 1000).await.unwrap();
    let told = told.iter().filter(|row| row.what == "unfrozen");
    assert_eq!(told.count(), 1);
    test.finish().await;
}

#[tokio::test]
async fn one_that_cannot_be_paused_is_told_and_tried_again() {
    let test = scene().await;
    test.engine.refuse("pause", "cgroup busy");
    insta::assert_snapshot!(freeze(&test, "").await, @r"
    ✅ freeze everything: done in 0.0 s
    Agents paused: 0 of 2. `runner` not yet: refused: cgroup busy; it is tried again. `guard` not yet: refused: cgroup busy; it is tried again.
    -# action 8 · by <@olga>, because: it spends
    ");
    test.engine.mend("pause");
    test.ops().resync().await.unwrap();
    settled(&test, "runner", Frozen).await;
    settled(&test, "guard", Frozen).await;
    unfreeze(&test, None).await;
    test.finish().await;
}

#[tokio::test]
async fn only_who_may_can_freeze() {
    let test = scene().await;
    let mina = test.cord.user("mina").in_channel("ops");
    let refused = mina.slash("freeze").option("reason", "x").send().await;
    insta::assert_snapshot!(test.refusal(&refused.unwrap()).await, @"You need viewer on some fleet; <@olga> has it. An owner can grant it: `/grant add`.");
    let refused = mina.slash("unfreeze").send().await;
    insta::assert_snapshot!(test.refusal(&refused.unwrap()).await, @"You need viewer on some fleet; <@olga> has it. An owner can grant it: `/grant add`.");
    assert_eq!(changes(&test), [""; 0]);
    assert_eq!(test.state("runner"), Running);
    test.finish().await;
}

#[tokio::test]
async fn a_kill_after_the_first_stands_still_is_made_good_at_start() {
    let mut test = scene().await;
    let question = test.send("freeze reason:now").await;
    question.until_text("?").await.unwrap();
    test.engine.freeze_after(0, Moment::Before);
    question.press("Freeze").await.unwrap();
    test.engine.frozen().await;
    let stands_still = |ops: &Ops, agent| ops.roster.view(agent).unwrap().state == Frozen;
    test.until(|ops| stands_still(ops, "runner") || stands_still(ops, "guard"))
        .await;
    test.crash().await;
    test.engine.thaw();
    let phases = ["runner", "guard"].map(|agent| phase(&test, agent));
    assert!(phases.contains(&Phase::Paused), "{phases:?}");
    assert!(phases.contains(&Phase::Running), "{phases:?}");
    test.up().await;
    settled(&test, "runner", Frozen).await;
    settled(&test, "guard", Frozen).await;
    let status = test.done("status").await;
    assert!(status.contains("🧊 Everything is frozen"), "{status}");
    unfreeze(&test, None).await;
    as_it_was(&test).await;
    test.finish().await;
}

#[tokio::test]
async fn an_end_without_grace_while_work_is_backed_out_leaves_all_frozen() {
    let mut test = TestApp::prepare(&[("shutdown.grace_s", "0")]).await;
    test.up().await;
    fill(&test).await;
    let old = test.engine.id_of("yardarm-runner");
    test.engine.hold("start");
    let redeploying = test.send("redeploy agent:runner").await;
    test.engine.holding("start", 1).await;
    test.engine.hold("remove");
    let question = test.send("freeze reason:now").await;
    question.press("Freeze").await.unwrap();
    test.engine.holding("remove", 1).await;
    settled(&test, "guard", Frozen).await;
    test.down().await;
    test.engine.release("remove");
    test.engine.release("start");
    assert_eq!(phase(&test, "guard"), Phase::Paused);
    test.up().await;
    let told = redeploying.until(|text| !text.starts_with('⏳')).await;
    insta::assert_snapshot!(test.said(&told.unwrap().text()), @"
    ✖️ redeploy `runner`: cancelled
    Everything is frozen since <t:1795262400:R> by <@olga>, because: now. This was ended in the middle. Its container is the one it was, and runs again after the `/unfreeze` if it should.
    -# action 8 · by <@olga>
    ");
    test.until(|ops| ops.roster.view("runner").unwrap().busy.is_none())
        .await;
    assert_eq!(test.engine.id_of("yardarm-runner"), old);
    assert_eq!(phase(&test, "runner"), Phase::Exited);
    assert_eq!(phase(&test, "guard"), Phase::Paused);
    unfreeze(&test, None).await;
    as_it_was(&test).await;
    assert_eq!(test.engine.id_of("yardarm-runner"), old);
    test.finish().await;
}

/// As [`fill`] left it.
async fn as_it_was(test: &TestApp) {
    settled(test, "runner", Running).await;
    settled(test, "guard", Running).await;
    settled(test, "waiter", Paused).await;
    assert_eq!(phase(test, "sleeper"), Phase::Exited);
}
