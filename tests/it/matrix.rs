//! Every command against what must never matter to only some of them: who asks, and whether Docker answers.

use serenity::all::Command;
use yardarm::{
    config::Settings,
    discord::{commands, connect},
    domain::{agent::State, ids::ActionId},
    ops::Ops,
};

use crate::support::{talk::slash, test_app::TestApp};

/// Each fits the scene of [`scene`].
const CHANGING: [&str; 21] = [
    "deploy template:demo name:new",
    "deploy fleet:main",
    "redeploy agent:scout",
    "rollback agent:scout",
    "start agent:scout",
    "stop agent:scout",
    "restart agent:scout",
    "pause agent:scout",
    "resume agent:scout",
    "remove agent:scout",
    "adopt container:web",
    "fleet create name:north",
    "fleet add fleet:spare agent:scout",
    "fleet remove fleet:main agent:scout",
    "fleet delete fleet:spare",
    "templates save agent:scout name:saved",
    "templates delete template:demo",
    "secret set name:API_KEY all:true",
    "secret rotate name:API_KEY all:true",
    "secret delete name:API_KEY all:true",
    "reload",
];

const READING: [&str; 10] = [
    "audit",
    "why agent:scout",
    "status",
    "status agent:scout",
    "logs agent:scout",
    "fleet list",
    "secret list",
    "templates list",
    "templates show template:demo",
    "help",
];

/// One agent, an empty fleet, and somebody else's container.
async fn scene() -> TestApp {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    test.done("fleet create name:spare").await;
    test.engine.foreign("web");
    test.engine.forget_calls();
    test
}

#[tokio::test]
async fn a_stranger_is_refused_everything_and_changes_nothing() {
    let test = scene().await;
    let ravi = test.cord.user("ravi").in_channel("ops");
    for command in CHANGING.into_iter().chain(READING) {
        let reply = slash(&ravi, command).send().await.unwrap();
        assert!(reply.is_ephemeral(), "{command}");
        assert_eq!(
            test.said(&reply.text()),
            "You need viewer on some fleet; <@olga> has it. An owner can grant it: `/grant add`.",
            "{command}"
        );
    }
    assert_eq!(test.engine.changes(), [""; 0]);
    assert_eq!(test.ops().store.action(ActionId(3)).await.unwrap(), None);
    test.finish().await;
}

#[tokio::test]
async fn nobody_may_anything_while_no_owner_is_named() {
    let test = TestApp::start_with(&[("access.owners", "[]")]).await;
    for command in READING {
        let said = test.refused(command).await;
        insta::allow_duplicates! { insta::assert_snapshot!(said, @"Nobody may use Yardarm yet. On its host, run `yardarm claim`; then type `/claim` here and enter the code it prints."); }
    }
    test.finish().await;
}

#[tokio::test]
async fn an_owner_elsewhere_is_refused_too() {
    let test = scene().await;
    // Commands that an older set-up registered for everybody.
    let settings: Settings = test.source().read().unwrap().0;
    let http = connect::http(
        &settings.discord,
        connect::client(&settings.discord).unwrap(),
    );
    http.set_application_id(test.cord.bot_id().to_string().parse().unwrap());
    let all = poise::builtins::create_application_commands(&commands::all());
    Command::set_global_commands(&http, all).await.unwrap();

    let olga = test.cord.user("olga");
    for command in CHANGING.into_iter().chain(READING) {
        let direct = slash(&olga.dm(), command).send().await.unwrap();
        assert_eq!(
            direct.text(),
            "Yardarm works in its server, not in direct messages. Ask there.",
            "{command}"
        );
        let other = slash(&olga.in_guild("other"), command)
            .send()
            .await
            .unwrap();
        assert_eq!(
            other.text(),
            "Yardarm serves another server. Ask its owner to set `discord.guild` if this should be the one.",
            "{command}"
        );
        assert!(other.is_ephemeral(), "{command}");
    }
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn while_docker_is_away_people_are_told_at_once_and_it_works_again_by_itself() {
    let test = scene().await;
    test.engine.go_away();
    test.until(|ops| !ops.knows_engine()).await;
    let needing = [
        "deploy template:demo name:new",
        "deploy fleet:main",
        "redeploy agent:scout",
        "rollback agent:scout",
        "start agent:scout",
        "stop agent:scout",
        "restart agent:scout",
        "pause agent:scout",
        "resume agent:scout",
        "remove agent:scout",
        "adopt container:web",
        "fleet add fleet:spare agent:scout",
        "fleet remove fleet:main agent:scout",
    ];
    for command in needing {
        let said = test.refused(command).await;
        insta::allow_duplicates! { insta::assert_snapshot!(said, @"Docker has not answered since <t:1795262400:R>: the engine cannot be reached: there is no socket '/var/run/docker.sock'. Nothing was changed. It is asked again all the time; check `systemctl status docker` on the host."); }
    }
    insta::assert_snapshot!(test.refused("logs agent:scout").await, @"Docker does not answer (the engine cannot be reached: there is no socket `/var/run/docker.sock`). Check `systemctl status docker` on the host; this works again by itself once it does.");
    assert_eq!(test.engine.changes(), [""; 0]);
    for command in [
        "fleet create name:north",
        "templates save agent:scout name:saved",
        "reload",
    ] {
        let said = test.done(command).await;
        assert!(said.starts_with("✅"), "{command}: {said}");
    }
    for command in [
        "fleet list",
        "templates show template:saved",
        "help",
        "status agent:scout",
    ] {
        let said = test.done(command).await;
        assert!(
            !said.contains("Docker has not answered"),
            "{command}: {said}"
        );
    }

    test.engine.come_back();
    test.until(Ops::knows_engine).await;
    assert!(test.done("stop agent:scout").await.contains("done in"));
    test.until(|ops| ops.roster.view("scout").unwrap().state == State::Stopped)
        .await;
    test.finish().await;
}

const MISSING: [&str; 24] = [
    "status agent:scuot",
    "status fleet:maim",
    "deploy template:dmeo name:new",
    "deploy template:demo name:new fleet:maim",
    "deploy fleet:maim",
    "redeploy agent:scuot",
    "rollback agent:scuot",
    "stop agent:Scout",
    "pause agent:nobody",
    "resume fleet:maim",
    "remove agent:nobody-*",
    "remove fleet:spare",
    "stop fleet:main agent:nobody-*",
    "logs agent:scuot",
    "fleet add fleet:spaer agent:scout",
    "fleet add fleet:spare agent:scuot",
    "fleet remove fleet:spare agent:scout",
    "fleet delete fleet:spaer",
    "templates show template:dmeo",
    "templates save agent:scuot name:saved",
    "templates delete template:dmeo",
    "adopt container:nothing",
    "stop",
    "deploy",
];

#[tokio::test]
async fn what_does_not_exist_is_said_with_the_nearest_names() {
    let test = scene().await;
    let mut said = Vec::new();
    for command in MISSING {
        said.push(format!("/{command}\n    {}", test.refused(command).await));
    }
    insta::assert_snapshot!(said.join("\n"), @"
    /status agent:scuot
        There is no agent `scuot`. Did you mean `scout`?
    /status fleet:maim
        There is no fleet `maim`. Did you mean `main`?
    /deploy template:dmeo name:new
        There is no template `dmeo`. Did you mean `demo`?
    /deploy template:demo name:new fleet:maim
        There is no fleet `maim`. Did you mean `main`?
    /deploy fleet:maim
        There is no fleet `maim`. Did you mean `main`?
    /redeploy agent:scuot
        There is no agent `scuot`. Did you mean `scout`?
    /rollback agent:scuot
        There is no agent `scuot`. Did you mean `scout`?
    /stop agent:Scout
        There is no agent `Scout`. Did you mean `scout`?
    /pause agent:nobody
        There is no agent `nobody`. The only one is `scout`.
    /resume fleet:maim
        There is no fleet `maim`. Did you mean `main`?
    /remove agent:nobody-*
        No agent is called `nobody-*`. `/status` shows all.
    /remove fleet:spare
        Nobody is in `spare`. `/deploy fleet:spare template:` makes an agent in it.
    /stop fleet:main agent:nobody-*
        No agent of `main` is called `nobody-*`. `/fleet list` shows who is in it.
    /logs agent:scuot
        There is no agent `scuot`. Did you mean `scout`?
    /fleet add fleet:spaer agent:scout
        There is no fleet `spaer`. Did you mean `spare`?
    /fleet add fleet:spare agent:scuot
        There is no agent `scuot`. Did you mean `scout`?
    /fleet remove fleet:spare agent:scout
        No agent of `spare` is called `scout`. `/fleet list` shows who is in it.
    /fleet delete fleet:spaer
        There is no fleet `spaer`. Did you mean `spare`?
    /templates show template:dmeo
        There is no template `dmeo`. Did you mean `demo`?
    /templates save agent:scuot name:saved
        There is no agent `scuot`. Did you mean `scout`?
    /templates delete template:dmeo
        There is no template `dmeo`. Did you mean `demo`?
    /adopt container:nothing
        There is no container `nothing` on this host.
    /stop
        Say which: `agent:` (a name or a pattern such as `scout-*`) or `fleet:`.
    /deploy
        Say what: `template:` for a new agent, or `fleet:` to start all its stopped ones.
    ");
    assert_eq!(test.engine.changes(), [""; 0]);
    assert_eq!(test.ops().store.action(ActionId(3)).await.unwrap(), None);
    test.finish().await;
}

#[tokio::test]
async fn every_change_of_one_agent_names_the_nearest() {
    let test = scene().await;
    for command in ["start", "restart", "pause", "resume", "remove"] {
        assert_eq!(
            test.refused(&format!("{command} agent:scuot")).await,
            "There is no agent `scuot`. Did you mean `scout`?",
            "{command}"
        );
    }
    test.finish().await;
}

#[tokio::test]
async fn an_interaction_that_is_delivered_twice_is_carried_out_once() {
    let mut test = scene().await;
    let before = test.seen().len();
    let commands = [
        "deploy template:demo name:new",
        "redeploy agent:new",
        "rollback agent:new",
        "stop agent:scout",
        "start agent:scout",
        "restart agent:scout",
        "pause agent:scout",
        "resume agent:scout",
        "adopt container:web",
        "fleet create name:north",
        "fleet add fleet:spare agent:new",
        "fleet remove fleet:spare agent:new",
        "fleet delete fleet:spare",
        "templates save agent:scout name:saved",
        "templates delete template:saved",
        "reload",
        "status",
        "logs agent:scout",
        "help",
    ];
    for command in commands {
        test.cord.gateway().duplicate_next();
        let said = test.done(command).await;
        assert!(!said.contains('❌'), "{command}: {said}");
    }
    test.down().await;
    // One answer each, and nobody is told that it was there already.
    let seen = test.seen();
    assert_eq!(seen.len() - before, commands.len(), "{seen:#?}");
    let starts = test
        .engine
        .calls()
        .iter()
        .filter(|call| *call == "start yardarm-scout")
        .count();
    assert_eq!(starts, 2, "{:#?}", test.engine.changes());
    test.finish().await;
}

#[tokio::test]
async fn while_somebody_is_at_it_others_are_told_who() {
    let test = scene().await;
    test.engine.hold("stop");
    let stop = test.send("stop agent:scout").await;
    test.engine.holding("stop", 1).await;
    for command in [
        "redeploy agent:scout",
        "rollback agent:scout",
        "start agent:scout",
        "stop agent:scout",
        "restart agent:scout",
        "pause agent:scout",
        "resume agent:scout",
        "remove agent:scout",
        "stop fleet:main",
        "fleet add fleet:spare agent:scout",
    ] {
        let said = test.refused(command).await;
        insta::allow_duplicates! { insta::assert_snapshot!(said, @"`scout` is busy: stop by <@olga>, <t:1795262400:R>. Wait for it, then send the command again."); }
    }
    let card = test.send("status agent:scout").await;
    assert_eq!(TestApp::labels(&card), ["(Restart)", "(Stop)", "Logs"]);
    insta::assert_snapshot!(test.said(&card.text()), @"
    ⏳ **scout** is changing
    scout
    State: changing, since <t:1795262400:R>
    wanted: stopped
    stop since <t:1795262400:R>
    Fleet: main
    Made from: template `demo`, version 1
    image `demo:1`
    digest `9e3779b97f4a`, spec `390abe3cfbd2`
    Uses: at most 1 CPUs, 512 MiB
    Last end: never
    ");
    test.engine.release("stop");
    test.end_of(&stop).await;
    assert_eq!(test.engine.changes(), ["stop yardarm-scout"]);
    test.finish().await;
}
