//! Bad days of the real program: each fault is said, and everything goes on by itself once it is over.

use std::{collections::BTreeSet, process::Command, time::Duration};

use localcord::{Fault, Reply};
use sqlx::{Connection as _, SqliteConnection};

use crate::support::{
    detour::{Detour, Mood},
    disk::Disk,
    docker_host::{docker, tools},
    program::Program,
    told::assert_told,
};

/// What the log says when the end of an action does not get into the database.
const NOT_WRITTEN: &str = "an action's progress could not be written";
/// The disk or another process keeps us from the database.
const UNREADY: i32 = 74;

impl Program {
    /// Of a template that does not listen when it is asked to end: for 3 s a stop is under way.
    async fn deploy_deaf(&self) {
        let reply = self.deploy("deaf", "scout").await;
        reply.until_text("running after").await.unwrap();
    }

    /// Begins to stop it; returns as soon as the engine does.
    async fn begin_stop(&self) -> Reply {
        let mut happenings = self.watch();
        let stop = self.send("stop", "scout").await;
        assert_eq!(happenings.nth(1).await, "kill");
        stop
    }

    /// It starts and stops agents as if nothing had been, and has told all that it did.
    async fn assert_well(&mut self, database: &std::path::Path) {
        let start = self.send("start", "scout").await;
        start.until_text("✅ start `scout`").await.unwrap();
        assert_eq!(self.containers("{{.State}}"), ["running"]);
        assert_eq!(self.terminate().await.code(), Some(0));
        assert_told(database).await;
    }

    async fn fails_to_start(&mut self, why: &str) {
        let token = self.cord.token().to_owned();
        self.spawn(&token);
        assert_eq!(self.exit().await.code(), Some(UNREADY), "{}", self.log());
        let log = self.log();
        assert!(log.lines().last().unwrap().contains(why), "{log}");
    }

    /// Has room for no more open files than there are, or for as many as before.
    fn limit_files(&self, most: usize) {
        let process = format!("--pid={}", self.process_id());
        let limit = format!("--nofile={most}:");
        let limited = Command::new("prlimit").args([process, limit]).status();
        assert!(limited.unwrap().success());
    }

    fn open_files(&self) -> usize {
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.process_id()));
        files.unwrap().count()
    }
}

async fn with_deaf(settings: &[&str]) -> Program {
    let program = Program::new(settings).await;
    program.write_template("deaf", "trap '' TERM; while :; do sleep 1; done");
    program
}

async fn hold(database: &std::path::Path) -> SqliteConnection {
    let address = format!("sqlite://{}", database.display());
    let mut other = SqliteConnection::connect(&address).await.unwrap();
    let held = sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await;
    held.unwrap();
    other
}

#[tokio::test]
async fn an_engine_that_hangs_is_said_and_found_again() {
    let engine = Detour::start();
    let host = format!("docker.host={}", engine.host());
    let settings = [&host, "docker.call_deadline_s=1", "roster.resync_s=5"];
    engine.turn(Mood::Hung);
    let mut program = Program::new(&settings).await;
    program.up().await;
    program.until_status("Docker has not answered since").await;
    engine.turn(Mood::Well);
    program.until_logged("\"engine.answers\":true", 0).await;
    let deployed = program.deploy("calm", "scout").await;
    deployed.until_text("running after").await.unwrap();

    // Idle: nobody asks for anything.
    engine.turn(Mood::Hung);
    program.until_status("Docker has not answered since").await;
    let refused = program.send("pause", "scout").await;
    refused.until_text("Nothing was changed").await.unwrap();
    engine.turn(Mood::Well);
    program.until_status("1 agent: 🟢 1 running").await;

    // In the middle of a call, which then comes late.
    engine.turn(Mood::HungFrom("/pause"));
    let pause = program.send("pause", "scout").await;
    engine.hangs().await;
    pause.until_text("❌").await.unwrap();
    engine.turn(Mood::Well);
    program.until_status("1 paused").await;
    let resume = program.send("resume", "scout").await;
    resume.until_text("✅ resume `scout`").await.unwrap();
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_told(&program.path("yardarm.db")).await;
}

#[tokio::test]
async fn an_engine_that_is_slow_or_loses_its_answers_is_borne() {
    let engine = Detour::start();
    let mut program = Program::new(&[&format!("docker.host={}", engine.host())]).await;
    engine.turn(Mood::Slow(Duration::from_millis(200)));
    program.up().await;
    let deployed = program.deploy("calm", "ant").await;
    deployed.until_text("running after").await.unwrap();

    engine.turn(Mood::Mute);
    let deployed = program.deploy("calm", "bee").await;
    deployed.until_text("running after").await.unwrap();
    for (command, states) in [
        ("stop", ["exited", "running"]),
        ("start", ["running", "running"]),
    ] {
        let reply = program.send(command, "ant").await;
        let done = format!("✅ {command} `ant`");
        reply.until_text(&done).await.unwrap();
        let mut seen = program.containers("{{.State}}");
        seen.sort_unstable();
        assert_eq!(seen, states);
    }
    engine.turn(Mood::Well);
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_told(&program.path("yardarm.db")).await;
}

#[tokio::test]
async fn discord_may_be_away_at_the_start_and_in_the_middle() {
    let settings = ["alerts.group_wait_s=0", "alerts.group_interval_s=0"];
    let mut program = Program::new(&settings).await;
    program.write_template("deaf", "trap '' TERM; while :; do sleep 1; done");
    let away = program.cord.go_away();
    let token = program.cord.token().to_owned();
    program.spawn(&token);
    program.until_logged("Discord does not answer", 0).await;
    away.end();
    program.identified().await;
    program.deploy_deaf().await;

    let stop = program.begin_stop().await;
    let away = program.cord.go_away();
    program.until_logged("\"action ended\"", 1).await;
    assert_eq!(program.containers("{{.State}}"), ["exited"]);
    away.end();
    stop.until_text("✅ stop `scout`").await.unwrap();
    program.identified().await;
    let database = program.path("yardarm.db");
    program.assert_well(&database).await;
}

#[tokio::test]
async fn a_storm_of_refusals_delays_and_loses_nothing() {
    let settings = ["alerts.group_wait_s=0", "alerts.group_interval_s=0"];
    let mut program = Program::new(&settings).await;
    program.up().await;
    let short = Duration::from_millis(100);
    for (fault, method, path) in [
        (
            Fault::rate_limit(short),
            "POST",
            "/interactions/*/*/callback",
        ),
        (Fault::global_rate_limit(short), "PATCH", "/webhooks/**"),
        (
            Fault::global_rate_limit(short),
            "POST",
            "/channels/*/messages",
        ),
    ] {
        program.cord.inject(fault.on(method, path).times(2));
    }
    let deployed = program.deploy("calm", "scout").await;
    let deployed = deployed.until_text("running after").await.unwrap();
    let waited = deployed.acknowledged_after().unwrap();
    assert!(waited < Duration::from_secs(3), "{waited:?}");

    docker(&["kill", &format!("{}scout", program.prefix)]);
    program.card(&["**scout**", "🟢"]).await;
    assert_eq!(program.terminate().await.code(), Some(0));
}

#[tokio::test]
async fn what_is_delivered_twice_or_loses_its_answer_is_done_and_told_once() {
    let settings = ["alerts.group_wait_s=0", "alerts.group_interval_s=0"];
    let mut program = Program::new(&settings).await;
    program.up().await;
    for (method, path) in [
        ("POST", "/interactions/*/*/callback"),
        ("PATCH", "/webhooks/**"),
        ("POST", "/channels/*/messages"),
    ] {
        program
            .cord
            .inject(Fault::lose_answer().on(method, path).times(1));
    }
    program.cord.gateway().duplicate_next();
    let deployed = program.deploy("calm", "scout").await;
    deployed.until_text("running after").await.unwrap();
    assert_eq!(program.containers("{{.State}}"), ["running"]);

    docker(&["kill", &format!("{}scout", program.prefix)]);
    program.card(&["**scout**", "🟢"]).await;
    for mark in ["-# action 1 ", "-# alert 1"] {
        let posted = program.cord.channel("ops").texts();
        let same = posted.iter().filter(|text| text.contains(mark)).count();
        assert_eq!(same, 1, "{mark} in {posted:#?}");
    }
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_eq!(program.log().matches("\"action ended\"").count(), 2);
    assert_told(&program.path("yardarm.db")).await;
}

#[tokio::test]
async fn a_full_disk_ends_a_start_with_74_and_holds_an_action_until_there_is_room() {
    let disk = Disk::new();
    let database = disk.path().join("yardarm.db");
    let mut program = with_deaf(&[&disk.database()]).await;
    disk.fill_up();
    program.fails_to_start("room on the disk").await;
    disk.free();
    program.up().await;
    program.deploy_deaf().await;
    assert_eq!(program.terminate().await.code(), Some(0));
    disk.fill_up();
    program.fails_to_start("room on the disk").await;
    disk.free();

    program.up().await;
    let stop = program.begin_stop().await;
    disk.fill_up();
    program.until_logged(NOT_WRITTEN, 0).await;
    let status = program.olga().slash("status").send().await.unwrap();
    status.until_text("changing").await.unwrap();
    let second = program.send("start", "scout").await;
    second.until_text("is busy").await.unwrap();
    // This refusal comes after an acknowledgement, which Discord lets go of only at the third try.
    let limit = Fault::rate_limit(Duration::from_millis(100)).on("DELETE", "/webhooks/**");
    program.cord.inject(limit.times(2));
    let deploy = program.deploy("calm", "bee").await;
    let refused = deploy.until_followup(|text| text.contains("once its disk has room"));
    refused.await.unwrap();
    disk.free();
    stop.until_text("✅ stop `scout`").await.unwrap();
    program.assert_well(&database).await;
}

#[tokio::test]
async fn a_database_that_another_process_holds_is_waited_for() {
    let mut program = with_deaf(&[]).await;
    let database = program.path("yardarm.db");
    program.up().await;
    program.deploy_deaf().await;
    assert_eq!(program.terminate().await.code(), Some(0));
    let other = hold(&database).await;
    program.fails_to_start("is locked").await;
    other.close().await.unwrap();

    program.up().await;
    let stop = program.begin_stop().await;
    let other = hold(&database).await;
    program.until_logged(NOT_WRITTEN, 0).await;
    other.close().await.unwrap();
    stop.until_text("✅ stop `scout`").await.unwrap();
    program.assert_well(&database).await;
}

#[tokio::test]
async fn without_files_to_open_nothing_is_begun_and_it_goes_on_once_there_are_some() {
    let mut program = with_deaf(&["roster.resync_s=5"]).await;
    program.up().await;
    program.deploy_deaf().await;

    // Idle: what is open serves on.
    let before = program.open_files();
    program.limit_files(before);
    program.until_status("Docker has not answered since").await;
    let refused = program.send("restart", "scout").await;
    refused.until_text("Nothing was changed").await.unwrap();
    program.limit_files(1024);
    program.until_status("1 agent: 🟢 1 running").await;

    let stop = program.begin_stop().await;
    program.limit_files(program.open_files());
    // It is carried out; whether anybody can look what became of it depends on which files are closed meanwhile.
    let ended = stop.until(|text| text.starts_with(['✅', '❌']));
    ended.await.unwrap();
    program.limit_files(1024);
    program.until_status("1 stopped").await;
    let database = program.path("yardarm.db");
    program.assert_well(&database).await;
}

#[tokio::test]
async fn a_start_without_files_to_open_ends_and_says_so() {
    let mut program = Program::new(&[]).await;
    program.start_under(&["prlimit", "--nofile=14:"]);
    let token = program.cord.token().to_owned();
    program.spawn(&token);
    let code = program.exit().await.code();
    assert!(
        [Some(1), Some(UNREADY)].contains(&code),
        "{}",
        program.log()
    );
    assert!(
        program.log().contains("Too many open files"),
        "{}",
        program.log()
    );
    program.start_under(&[]);
    program.up().await;
}

#[tokio::test]
async fn a_clock_that_jumps_ends_nothing() {
    let mut program = Program::new(&[]).await;
    let library = tools().join("libfaketime.so.1").display().to_string();
    let clock = program.path("clock").display().to_string();
    let set = |to: &str| std::fs::write(&clock, to).unwrap();
    set("+0");
    program.start_under(&[
        "env",
        &format!("LD_PRELOAD={library}"),
        &format!("FAKETIME_TIMESTAMP_FILE={clock}"),
        "FAKETIME_NO_CACHE=1",
        // As with the kernel's: setting the clock leaves that of time-outs alone.
        "FAKETIME_DONT_FAKE_MONOTONIC=1",
    ]);
    program.up().await;
    let deployed = program.deploy("calm", "scout").await;
    deployed.until_text("running after").await.unwrap();
    for to in ["+2d", "-2d", "+0"] {
        set(to);
        for (command, state) in [("stop", "exited"), ("start", "running")] {
            let reply = program.send(command, "scout").await;
            let done = format!("✅ {command} `scout`");
            reply.until_text(&done).await.unwrap();
            assert_eq!(program.containers("{{.State}}"), [state], "{to}");
        }
    }
    let log = program.log();
    let day_of = |line: &'_ str| line.split(['"', 'T']).nth(3).map(str::to_owned);
    let days: BTreeSet<String> = log.lines().filter_map(day_of).collect();
    assert!(days.len() >= 3, "{days:?}");
    // Nobody is told of trouble where there was none.
    let ops = program.cord.channel("ops").texts();
    assert!(
        ops.iter().all(|text| !text.contains("-# alert")),
        "{ops:#?}"
    );
    assert_eq!(program.terminate().await.code(), Some(0));
    assert_told(&program.path("yardarm.db")).await;
}
