//! How agents are asked how they are, and what becomes of the answers.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use chrono::TimeDelta;
use localcord::{Localcord, Options};
use yardarm::{
    domain::{
        agent::State,
        probe::{Answer, Http, Statuses, Tls, Verdict},
    },
    engine::LogSource,
    probe::Prober,
};

use crate::support::{
    alarm::card,
    test_app::TestApp,
    web::{Says, Web},
};

/// An app that tells at once what goes wrong, with `scout` at work, of which this is asked every 10 s.
async fn probed(probes: &str) -> TestApp {
    let mut test = TestApp::prepare(&[("alerts.group_wait_s", "0")]).await;
    write(&test, &format!(r#""probes": [{probes}]"#));
    test.up().await;
    test.deploy_unproven("scout").await;
    test.engine.forget_calls();
    test
}

/// An app with `scout` at work, whose template says this.
async fn template(more: &str) -> TestApp {
    let mut test = TestApp::prepare(&[("alerts.group_wait_s", "0")]).await;
    write(&test, more);
    test.up().await;
    test.deploy("scout").await;
    test.engine.forget_calls();
    test
}

fn write(test: &TestApp, more: &str) {
    let json =
        format!(r#"{{ "description": "ticks", "image": "demo:1", "stop_grace_s": 1, {more} }}"#);
    test.write_template("demo", &json);
}

/// Asked every 10 s; two failures in a row are one too many.
fn http(web: &Web, more: &str) -> String {
    format!(
        r#"{{ "kind": "http", "port": {}, "path": "/healthz", "interval_s": 10, "timeout_s": 1, "failures": 2,
             "start_grace_s": 0{more} }}"#,
        web.port
    )
}

/// Lets enough time pass for one more question to every probe.
fn round(test: &TestApp) {
    test.pass(TimeDelta::seconds(12));
}

/// Lets time pass until the engine is asked for this.
async fn asked_after(test: &TestApp, call: &'static str, seconds: i64) {
    test.engine.hold(call);
    test.pass(TimeDelta::seconds(seconds));
    test.engine.holding(call, 1).await;
    test.engine.release(call);
}

async fn becomes(test: &TestApp, agent: &str, state: State) {
    test.until(|ops| {
        ops.roster
            .view(agent)
            .is_some_and(|view| view.state == state && view.busy.is_none())
    })
    .await;
}

#[tokio::test]
async fn what_fails_its_probe_is_told_and_restarted() {
    let web = Web::start().await;
    let test = probed(&http(&web, "")).await;
    round(&test);
    becomes(&test, "scout", State::Running).await;

    web.status(503);
    round(&test);
    web.asked(2).await;
    assert_eq!(test.state("scout"), State::Running, "one failure is none");
    round(&test);
    let told = card(&test, "status 503").await;
    assert!(told.contains("is unhealthy: http :"), "{told}");
    test.until(|_| test.engine.changes().len() == 2).await;
    assert_eq!(
        test.engine.changes(),
        ["stop yardarm-scout", "start yardarm-scout"]
    );
    web.status(200);
    becomes(&test, "scout", State::Starting).await;
    round(&test);
    becomes(&test, "scout", State::Running).await;
    card(&test, "well again").await;
    assert!(web.heard().iter().all(|path| path == "/healthz"));
    test.finish().await;
}

#[tokio::test]
async fn who_waits_for_a_person_is_told_and_never_restarted() {
    let test = template(
        r#""log_patterns": [{ "pattern": "may I", "means": "waiting", "note": "it asks for leave" }]"#,
    )
    .await;
    let container = test.engine.id_of("yardarm-scout");
    test.engine
        .say(&container, LogSource::Stdout, "may I delete it?");
    test.pass(TimeDelta::seconds(30));
    becomes(&test, "scout", State::Waiting).await;
    card(&test, "waits for a person: it asks for leave").await;
    for _ in 0..25 {
        test.engine.say(&container, LogSource::Stdout, "deleting");
    }
    test.pass(TimeDelta::seconds(30));
    becomes(&test, "scout", State::Running).await;
    card(&test, "well again").await;
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn an_exit_code_may_mean_that_a_restart_does_not_help() {
    let test = template(
        r#""exit_codes": { "42": { "means": "blocked", "note": "the account is empty" } }"#,
    )
    .await;
    test.engine.kill(&test.engine.id_of("yardarm-scout"), 42);
    becomes(&test, "scout", State::Blocked).await;
    let told = card(&test, "is blocked: the account is empty").await;
    assert!(told.starts_with('🔴'), "{told}");
    test.pass(TimeDelta::minutes(10));
    test.ops().mend().await.unwrap();
    test.ops().converge().await.unwrap();
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn who_may_end_by_itself_does_so_in_peace() {
    let test = template(r#""recovery": { "restart": false }"#).await;
    test.engine.kill(&test.engine.id_of("yardarm-scout"), 0);
    becomes(&test, "scout", State::Exited).await;
    test.ops().mend().await.unwrap();
    test.ops().converge().await.unwrap();
    test.ops().tell_incidents().await.unwrap();
    assert_eq!(test.engine.changes(), [""; 0]);
    let messages = test.cord.channel("ops").messages();
    assert!(
        messages
            .iter()
            .all(|message| !message.text().contains("-# alert"))
    );
    test.finish().await;
}

/// What asking `/start` brings to light.
async fn answer_to(web: &Web, says: Says) -> Answer {
    web.says(says);
    let asked = Http {
        port: web.port,
        path: "/start".to_owned(),
        tls: Tls::Off,
        status: Statuses::default(),
        body: Some("fine".to_owned()),
    };
    let prober = Prober::new().unwrap();
    prober.http(LOOPBACK, &asked, Duration::from_secs(1)).await
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[tokio::test]
async fn an_answer_neither_leads_astray_nor_takes_for_ever() {
    let web = Web::start().await;
    let ill = |why: &str| Answer::Ill(why.to_owned());
    let fine = Says::Status(200, "all is fine".to_owned());
    assert_eq!(answer_to(&web, fine).await, Answer::Well);
    let other = Says::Status(200, "ill".to_owned());
    assert_eq!(
        answer_to(&web, other).await,
        ill("the answer does not match `fine`")
    );
    assert_eq!(
        answer_to(&web, Says::Floods).await,
        ill("the answer does not match `fine`")
    );
    let nothing = Answer::Unreachable("no answer within 1 s".to_owned());
    assert_eq!(answer_to(&web, Says::Nothing).await, nothing);

    let before = web.heard().len();
    let around = Says::RedirectTo("/again".to_owned());
    assert_eq!(
        answer_to(&web, around).await,
        ill("redirects more than 3 times")
    );
    assert_eq!(web.heard().len() - before, 4);
    for place in [
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[fd00:ec2::254]/".to_owned(),
        format!("http://127.0.0.2:{}/", web.port),
        "http://127.0.0.1:1/".to_owned(),
    ] {
        let astray = answer_to(&web, Says::RedirectTo(place)).await;
        assert_eq!(astray, ill("redirects to another place"));
    }
}

#[tokio::test]
async fn who_does_not_listen_is_unreachable() {
    let web = Web::start().await;
    let (prober, second) = (Prober::new().unwrap(), Duration::from_secs(1));
    assert_eq!(prober.tcp(LOOPBACK, web.port, second).await, Answer::Well);
    let metadata = "169.254.169.254".parse().unwrap();
    assert_eq!(
        prober.tcp(metadata, 80, second).await,
        Answer::Unreachable("169.254.169.254 is no address of an agent".to_owned())
    );
    let free = std::net::TcpListener::bind((LOOPBACK, 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let refused = prober.tcp(LOOPBACK, port, second).await;
    assert!(matches!(refused, Answer::Unreachable(_)), "{refused:?}");
}

#[tokio::test]
async fn a_certificate_is_checked_unless_it_may_be_anybodys() {
    // A Discord of our own has a certificate of its own.
    let cord = Localcord::start(Options::default()).await.unwrap();
    let (prober, patience) = (Prober::new().unwrap(), Duration::from_secs(5));
    let ask = async |tls| {
        let asked = Http {
            port: cord.rest_addr().port(),
            path: "/api/v10/gateway".to_owned(),
            tls,
            status: Statuses::parse("100-599").unwrap(),
            body: None,
        };
        prober.http(LOOPBACK, &asked, patience).await
    };
    assert_eq!(ask(Tls::Unchecked).await, Answer::Well);
    let checked = ask(Tls::Checked).await;
    assert!(
        checked
            .trouble()
            .is_some_and(|why| why.contains("certificate")),
        "{checked:?}"
    );
    assert_ne!(ask(Tls::Off).await, Answer::Well);
}

#[tokio::test]
async fn who_says_nothing_for_too_long_is_unhealthy() {
    let test = probed(
        r#"{ "kind": "log", "silent_s": 60, "interval_s": 10, "failures": 1, "start_grace_s": 0 }"#,
    )
    .await;
    asked_after(&test, "logs", 40).await;
    becomes(&test, "scout", State::Running).await;
    let container = test.engine.id_of("yardarm-scout");
    test.engine.say(&container, LogSource::Stdout, "at work");
    asked_after(&test, "logs", 40).await;
    becomes(&test, "scout", State::Running).await;
    test.pass(TimeDelta::seconds(70));
    let told = card(&test, "no line for 110 s").await;
    assert!(told.contains("is unhealthy: log within 60 s"), "{told}");
    becomes(&test, "scout", State::Starting).await;
    round(&test);
    becomes(&test, "scout", State::Running).await;
    test.finish().await;
}

#[tokio::test]
async fn an_engine_whose_clock_is_behind_makes_nobody_silent() {
    let mut test = TestApp::prepare(&[("alerts.group_wait_s", "0")]).await;
    test.engine.fall_behind(TimeDelta::minutes(5));
    let log =
        r#"{ "kind": "log", "silent_s": 60, "interval_s": 10, "failures": 1, "start_grace_s": 0 }"#;
    write(&test, &format!(r#""probes": [{log}]"#));
    test.up().await;
    test.deploy_unproven("scout").await;
    let container = test.engine.id_of("yardarm-scout");
    for _ in 0..3 {
        test.engine.say(&container, LogSource::Stdout, "at work");
        asked_after(&test, "logs", 40).await;
        becomes(&test, "scout", State::Running).await;
    }
    test.pass(TimeDelta::seconds(70));
    card(&test, "no line for 110 s").await;
    test.finish().await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_nobody_blind() {
    let web = Web::start().await;
    let test = probed(&http(&web, "")).await;
    round(&test);
    becomes(&test, "scout", State::Running).await;
    test.clock.advance(TimeDelta::hours(-1));
    web.status(503);
    for asked in 2..=3 {
        round(&test);
        web.asked(asked).await;
    }
    card(&test, "status 503").await;
    web.status(200);
    test.finish().await;
}

#[tokio::test]
async fn who_does_not_answer_holds_up_nobody() {
    let (silent, quick) = (Web::start().await, Web::start().await);
    silent.says(Says::Nothing);
    let slow = http(&silent, "").replace(r#""timeout_s": 1"#, r#""timeout_s": 600"#);
    let mut test = TestApp::prepare(&[("probes.parallel", "1")]).await;
    write(
        &test,
        &format!(r#""probes": [{slow}, {slow}, {}]"#, http(&quick, "")),
    );
    test.up().await;
    test.deploy_unproven("scout").await;
    for asked in 1..=2 {
        round(&test);
        quick.asked(asked).await;
    }
    test.finish().await;
}

#[tokio::test]
async fn what_cannot_be_asked_is_shown() {
    let mut test = TestApp::prepare(&[]).await;
    write(
        &test,
        r#""probes": [{ "kind": "exec", "command": ["true"], "interval_s": 10, "failures": 1, "start_grace_s": 0 }]"#,
    );
    test.engine.refuse("exec", "403 Forbidden");
    test.up().await;
    test.deploy_unproven("scout").await;
    round(&test);
    becomes(&test, "scout", State::Degraded).await;
    let slash = test.olga().slash("status").option("agent", "scout");
    let told = slash.send().await.unwrap().text();
    assert!(told.contains("`exec true` cannot be asked since"), "{told}");
    assert!(told.contains("403 Forbidden"), "{told}");
    test.engine.mend("exec");
    round(&test);
    becomes(&test, "scout", State::Running).await;
    test.finish().await;
}

#[tokio::test]
async fn some_that_fail_are_shown_and_nothing_else() {
    let asked = |words: &str| {
        format!(r#"{{ "kind": "exec", "command": [{words}], "failures": 1, "start_grace_s": 0 }}"#)
    };
    let endless = asked(r#""sleep", "600""#);
    let probes = [asked(r#""true""#), asked(r#""cat", "/nowhere""#), endless];
    let test = probed(&probes.join(", ")).await;
    round(&test);
    test.until(|ops| {
        let view = ops.roster.view("scout").unwrap();
        view.probed
            .iter()
            .all(|one| one.streak.verdict != Verdict::Starting)
    })
    .await;
    assert_eq!(test.state("scout"), State::Degraded);
    let slash = test.olga().slash("status").option("agent", "scout");
    let told = slash.send().await.unwrap().text();
    assert!(told.contains("is degraded"), "{told}");
    assert!(told.contains("`exec true` healthy since"), "{told}");
    assert!(told.contains("exit code 1: cat: can't open"), "{told}");
    assert!(told.contains("did not end within 5 s"), "{told}");
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}
