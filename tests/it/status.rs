//! `/status`: the fleet at a glance, and one agent.

use yardarm::{
    domain::agent::{Health, State},
    ops::Ops,
};

use crate::support::{fake_engine::Behaviour, test_app::TestApp};

#[tokio::test]
async fn an_empty_fleet_says_what_to_do() {
    let test = TestApp::start().await;
    let status = test.send("status").await;
    assert!(status.is_ephemeral());
    insta::assert_snapshot!(test.said(&status.text()), @"
    No agents yet. `/deploy` makes the first one.
    All fleets
    Host: …
    ");
    assert_eq!(TestApp::labels(&status), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn states_are_counted_worst_first_and_grouped_by_fleet() {
    let mut test = TestApp::prepare(&[]).await;
    test.write_template(
        "checked",
        r#"{ "description": "x", "image": "demo:1", "health": { "command": ["true"] } }"#,
    );
    test.engine.behaves(
        "demo:1",
        Behaviour {
            health: Some(Health::Healthy),
            ..Behaviour::default()
        },
    );
    test.up().await;
    test.done("fleet create name:north").await;
    for command in [
        "deploy template:demo name:runner",
        "deploy template:demo name:sleeper",
        "deploy template:demo name:waiter fleet:north",
        "deploy template:checked name:patient fleet:north",
        "stop agent:sleeper",
        "pause agent:waiter",
    ] {
        test.done(command).await;
    }
    test.engine
        .set_health(&test.engine.id_of("yardarm-patient"), Health::Unhealthy);
    test.until(|ops| ops.roster.view("patient").unwrap().state == State::Unhealthy)
        .await;
    insta::assert_snapshot!(test.done("status").await, @"
    4 agents: 🟠 1 unhealthy, 🟢 1 running, ⏸️ 1 paused, ⚫ 1 stopped
    All fleets
    **main**
    🟢 `runner` running, <t:1795262400:R>
    ⚫ `sleeper` stopped, <t:1795262400:R>
    **north**
    🟠 `patient` unhealthy, <t:1795262400:R>
    ⏸️ `waiter` paused, <t:1795262400:R>
    Host: …
    ");
    insta::assert_snapshot!(test.done("status fleet:north").await, @"
    2 agents: 🟠 1 unhealthy, ⏸️ 1 paused
    Fleet north
    **north**
    🟠 `patient` unhealthy, <t:1795262400:R>
    ⏸️ `waiter` paused, <t:1795262400:R>
    Host: …
    ");
    test.finish().await;
}

#[tokio::test]
async fn one_agents_card() {
    let test = TestApp::start().await;
    test.write_template(
        "web",
        r#"{ "description": "x", "image": "demo:1", "limits": { "memory_mb": 64, "cpus": 0.5, "pids": 32 },
             "ports": [{ "container": 80, "host": 8080 }] }"#,
    );
    test.done("reload").await;
    test.done("deploy template:web name:scout").await;
    let version = test.ops().roster.view("scout").unwrap().version.unwrap();
    let plain = |text: String| {
        text.replace(version.image.short(), "IMAGE")
            .replace(version.spec.digest().short(), "SPEC")
    };
    insta::assert_snapshot!(plain(test.done("status agent:scout").await), @"
    🟢 **scout** is running
    scout
    State: running, since <t:1795262400:R>
    wanted: running
    Fleet: main
    Made from: template `web`, version 1
    image `demo:1`
    digest `IMAGE`, spec `SPEC`
    Uses: at most 0.5 CPUs, 64 MiB
    Last end: never
    Ports: 127.0.0.1:8080 → 80
    ");
    test.done("stop agent:scout").await;
    insta::assert_snapshot!(plain(test.done("status agent:scout").await), @"
    ⚫ **scout** is stopped
    scout
    State: stopped, since <t:1795262400:R>
    wanted: stopped
    Fleet: main
    Made from: template `web`, version 1
    image `demo:1`
    digest `IMAGE`, spec `SPEC`
    Uses: at most 0.5 CPUs, 64 MiB
    Last end: exit code 143, <t:1795262400:R>
    ");
    test.finish().await;
}

#[tokio::test]
async fn a_card_says_why_an_agent_ended() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    // It may not be started again while somebody looks.
    test.engine.refuse("start", "driver failed");
    test.engine.forget_calls();
    test.engine
        .run_out_of_memory(&test.engine.id_of("yardarm-scout"));
    test.until(|ops| {
        let view = ops.roster.view("scout").unwrap();
        view.state == State::Down && !test.engine.changes().is_empty()
    })
    .await;
    let card = test.done("status agent:scout").await;
    assert!(card.starts_with("🔴 **scout** is down"), "{card}");
    assert!(card.contains("out of memory"), "{card}");
    test.engine.mend("start");
    test.finish().await;
}

#[tokio::test]
async fn forty_five_agents_come_in_three_pages() {
    let test = TestApp::start().await;
    for number in 0..45 {
        test.ops_deploy(&format!("agent-{number:02}")).await;
    }
    let status = test.send("status").await;
    assert_eq!(TestApp::labels(&status), ["(◀)", "▶"]);
    let text = test.said(&status.text());
    assert!(
        text.starts_with("45 agents: 🟢 45 running\nAll fleets, page 1 of 3\n"),
        "{text}"
    );
    assert!(
        text.contains("`agent-00`") && text.contains("`agent-19`") && !text.contains("`agent-20`"),
        "{text}"
    );

    status.press("▶").await.unwrap();
    assert_eq!(TestApp::labels(&status), ["◀", "▶"]);
    assert!(status.text().contains("`agent-20`"));
    status.press("▶").await.unwrap();
    assert_eq!(TestApp::labels(&status), ["◀", "(▶)"]);
    assert!(status.text().contains("`agent-44`"));
    status.press("◀").await.unwrap();
    assert!(status.text().contains("page 2 of 3"));
    test.finish().await;
}

#[tokio::test]
async fn while_docker_is_away_states_are_unknown_and_the_card_says_since_when() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    test.engine.go_away();
    test.until(|ops| !ops.knows_engine()).await;
    insta::assert_snapshot!(test.done("status").await, @"
    1 agent: ❔ 1 unknown
    ⚠️ Docker has not answered since <t:1795262400:R>: the engine cannot be reached: there is no socket `/var/run/docker.sock`. States are as they were.
    All fleets
    **main**
    ❔ `scout` unknown, <t:1795262400:R>
    Host: …
    ");
    insta::assert_snapshot!(test.done("status agent:scout").await.lines().next().unwrap(), @"❔ **scout** is unknown");
    test.engine.come_back();
    test.until(Ops::knows_engine).await;
    assert!(
        test.done("status")
            .await
            .starts_with("1 agent: 🟢 1 running")
    );
    test.finish().await;
}

#[tokio::test]
async fn yardarm_starts_while_docker_is_away() {
    let mut test = TestApp::start().await;
    test.deploy("scout").await;
    test.down().await;
    test.engine.go_away();
    test.up().await;
    test.until(|ops| {
        !ops.knows_engine() && ops.roster.view("scout").unwrap().state == State::Unknown
    })
    .await;
    let status = test.done("status").await;
    assert!(status.contains("❔ 1 unknown"), "{status}");
    test.engine.come_back();
    test.until(|ops| ops.roster.view("scout").unwrap().state == State::Running)
        .await;
    test.finish().await;
}

#[tokio::test]
async fn help_lists_every_command() {
    let test = TestApp::start().await;
    let help = test.send("help").await;
    assert!(help.is_ephemeral());
    insta::assert_snapshot!(help.text(), @"
    **Yardarm** runs this server's agents.
    `/status` The fleet at a glance
    `/stats` A chart of CPU and memory
    `/deploy` Make an agent from a template and start it
    `/redeploy` Replace agents by new containers of their templates
    `/rollback` Return to what an agent was made from before
    `/start` Start agents that are stopped
    `/stop` Stop agents
    `/restart` Stop and start agents
    `/pause` Make agents stand still
    `/resume` Let paused agents go on
    `/remove` Delete agents
    `/logs` An agent's last log lines
    `/alerts` What is wrong
    `/silence` Hear nothing of an agent
    `/silences` What nobody hears of now
    `/board` The live picture of a fleet
    `/freeze` Stop everything at once
    `/unfreeze` Let what is frozen go on as it was
    `/fleet` Groups of agents
    `/templates` What agents are made from
    `/schedule` What is done again and again
    `/secret` Values that agents are given
    `/adopt` Take over a container that runs already
    `/approve` What waits for you
    `/breakglass` Act on one agent at once and ask nobody
    `/policy` Rules that say what is allowed
    `/grant` Who may do what
    `/team` Named sets of people and roles
    `/claim` Become the first owner
    `/audit` What happened
    `/why` How an agent came to be as it is
    `/backup` Copy the database into the backup folder now
    `/reload` Read settings and templates again
    `/help` All commands
    Where a name is asked, a pattern such as `scout-*` or a fleet will do. Start typing: names complete.
    ");
    test.finish().await;
}
