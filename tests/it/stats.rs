//! What agents and the host use: kept by the minute, seen in cards and charts.

use chrono::{DateTime, TimeDelta, Utc};
use yardarm::{
    clock::Clock as _,
    domain::{
        history::{HostMinute, HostTotal, Minute, Range, minute},
        ids::AgentId,
    },
    store::{
        Store,
        samples::{self, Span},
    },
};

use crate::support::{clock::FixedClock, test_app::TestApp};

const MIB: u64 = 1024 * 1024;

/// Lets so many minutes pass, each with two samples.
async fn run(test: &TestApp, minutes: u32) {
    for _ in 0..minutes * 2 {
        test.pass(TimeDelta::seconds(30));
        test.ops().sample().await;
        test.ops().measure_host();
        test.ops().write_samples().await.unwrap();
    }
}

fn is_png(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG\r\n")
}

#[tokio::test]
async fn a_card_shows_the_last_hour() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    assert!(!test.done("status agent:scout").await.contains("Last hour"));
    test.engine.burn("yardarm-scout", 5, 40 * MIB);
    run(&test, 10).await;
    test.engine.burn("yardarm-scout", 40, 80 * MIB);
    run(&test, 10).await;
    let card = test.done("status agent:scout").await;
    let lines: Vec<&str> = card
        .lines()
        .filter(|line| line.contains("at most") || line.contains("/s"))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    network ↓ 0 KiB/s ↑ 0 KiB/s
    disk reads 0 KiB/s, writes 0 KiB/s
    Last hour: CPU `             ▂▂▂▅███` at most 40 %
    Memory `             ▅▅▅▆███` at most 80 MiB
    ");
    test.finish().await;
}

#[tokio::test]
async fn a_chart_comes_with_who_uses_most() {
    let test = TestApp::start().await;
    test.done("fleet create name:north").await;
    for (name, fleet, percent, memory) in [
        ("ant", "main", 10, 900),
        ("bee", "main", 150, 20),
        ("cat", "north", 50, 300),
    ] {
        test.done(&format!("deploy template:demo name:{name} fleet:{fleet}"))
            .await;
        test.engine
            .burn(&format!("yardarm-{name}"), percent, memory * MIB);
    }
    test.done("deploy template:demo name:idler").await;
    test.done("stop agent:idler").await;
    run(&test, 5).await;

    let all = test
        .send("stats")
        .await
        .until_text("Most CPU")
        .await
        .unwrap();
    assert!(all.is_ephemeral());
    insta::assert_snapshot!(test.said(&all.text()), @"
    📈 **Last hour, all agents**
    Most CPU: `bee` 150 % (peak 150 %), `cat` 50 % (peak 50 %), `ant` 10 % (peak 10 %)
    Most memory: `ant` 900 MiB (peak 900 MiB), `cat` 300 MiB (peak 300 MiB), `bee` 20 MiB (peak 20 MiB)
    -# 1 of 4 agents did not run in this time.
    Host: …
    ");
    let files = all.attachments();
    assert_eq!(files.len(), 1);
    assert!(is_png(&files[0].bytes));
    insta::assert_snapshot!(test.said(&test.done("stats fleet:north range:day").await), @"
    📈 **Last day, fleet north**
    Most CPU: `cat` 50 % (peak 50 %)
    Most memory: `cat` 300 MiB (peak 300 MiB)
    Host: …
    ");
    insta::assert_snapshot!(test.said(&test.done("stats agent:idler range:week").await), @"
    📈 **Last week, agent idler**
    Nothing is known of this time: the first figures come two minutes after an agent's start.
    Host: …
    ");
    test.finish().await;
}

#[tokio::test]
async fn the_host_is_shown_as_it_is() {
    let test = TestApp::start().await;
    test.gauge.set(|host| {
        host.swap_total_bytes = 4 << 30;
        host.swap_used_bytes = 1 << 30;
        host.memory_pressure = Some(12.4);
        host.io_pressure = Some(0.2);
    });
    test.ops().measure_host();
    let status = test.send("status").await.text();
    let host = status.lines().find(|line| line.starts_with("Host"));
    insta::assert_snapshot!(host.unwrap(), @"Host: CPU 12 % · memory 2.0 GiB of 8.0 GiB · swap 1.0 GiB of 4.0 GiB · disk 40.0 GiB of 100.0 GiB · load 0.5 on 4 CPUs · memory pressure 12 %");
    test.finish().await;
}

#[tokio::test]
async fn what_is_known_outlives_a_restart_and_a_clock_that_is_set_back() {
    let mut test = TestApp::start().await;
    test.deploy("scout").await;
    run(&test, 5).await;
    test.restart().await;
    test.clock.advance(TimeDelta::minutes(-3));
    test.ops().resync().await.unwrap();
    run(&test, 3).await;
    let scout = test.ops().roster.view("scout").unwrap().agent.id;
    let until = test.clock.now();
    let span = Span::between(until - TimeDelta::hours(1), until);
    let points = test.ops().store.usage_points(scout, span, 1).await.unwrap();
    let mut minutes: Vec<DateTime<Utc>> = points.iter().map(|point| point.at).collect();
    minutes.dedup();
    assert_eq!(minutes.len(), points.len());
    assert!(points.len() >= 4, "{points:?}");
    test.finish().await;
}

fn used(agent: i64, at: i64, cpu: i64) -> Minute {
    Minute {
        agent,
        at,
        cpu,
        memory_kib: 100 + cpu,
        pids: 3,
        received: 1,
        sent: 2,
        read: 3,
        written: 4,
    }
}

#[tokio::test]
async fn what_is_older_than_a_day_becomes_quarters_of_an_hour() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("yardarm.db"))
        .await
        .unwrap();
    let now = FixedClock::new().now();
    let old = minute(now - TimeDelta::hours(30));
    let ancient = minute(now - TimeDelta::days(40));
    let mut tx = store.begin().await.unwrap();
    let minutes: Vec<Minute> = (0..30)
        .map(|index| used(7, old + index, index * 10))
        .collect();
    samples::insert(&mut tx, &minutes, &[]).await.unwrap();
    samples::insert(
        &mut tx,
        &[used(7, ancient, 5), used(7, minute(now), 50)],
        &[],
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let week = Span::between(now - Range::Week.length(), now);
    let all = Span {
        from: 0,
        to: minute(now),
    };
    let before = store.usage_totals(&[AgentId(7)], week).await.unwrap();

    for _ in 0..2 {
        roll_up(&store, now).await;
    }
    let after = store.usage_totals(&[AgentId(7)], week).await.unwrap();
    assert_eq!(after.len(), 1);
    assert!(
        (before[0].cpus - after[0].cpus).abs() < 0.001,
        "{before:?} {after:?}"
    );
    assert!((before[0].cpus_peak - after[0].cpus_peak).abs() < f64::EPSILON);
    // The present minute, and two or three quarters: the first one may begin before the first minute.
    let points = store.usage_points(AgentId(7), all, 1).await.unwrap();
    assert!((3..=4).contains(&points.len()), "{points:?}");
    store.close().await;
}

/// As the nightly retention does.
async fn roll_up(store: &Store, now: DateTime<Utc>) {
    let mut tx = store.begin().await.unwrap();
    samples::roll_up(&mut tx, now - TimeDelta::days(1), now - TimeDelta::days(30))
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn minutes_of_the_host_become_quarters_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("yardarm.db"))
        .await
        .unwrap();
    let now = FixedClock::new().now();
    let old = minute(now - TimeDelta::hours(30));
    let ancient = minute(now - TimeDelta::days(40));
    let host = HostMinute {
        at: ancient,
        cpu: 1,
        memory_kib: 1,
        swap_kib: 0,
        disk: 1,
        load: 1,
        memory_pressure: None,
        io_pressure: None,
    };
    let yesterday = (0..30).map(|index| HostMinute {
        at: old + index,
        cpu: index,
        memory_kib: 100 + index,
        memory_pressure: Some(index),
        io_pressure: Some(2 * index),
        ..host.clone()
    });
    let hosts: Vec<HostMinute> = yesterday.chain([host.clone()]).collect();
    let mut tx = store.begin().await.unwrap();
    samples::insert(&mut tx, &[], &hosts).await.unwrap();
    tx.commit().await.unwrap();
    let week = Span::between(now - Range::Week.length(), now);
    let host_before = store.host_total(week).await.unwrap().unwrap();
    assert_eq!(
        (host_before.memory_pressure, host_before.io_pressure),
        (Some(2.9), Some(5.8))
    );
    for _ in 0..2 {
        roll_up(&store, now).await;
    }
    let all = Span {
        from: 0,
        to: minute(now),
    };
    // What is older than all that is kept is gone, and the rest tells the same but for the rounding.
    let host_after = store.host_total(all).await.unwrap().unwrap();
    assert!((host_before.cpu_percent - host_after.cpu_percent).abs() < 0.1);
    let rounded = HostTotal {
        cpu_percent: host_before.cpu_percent,
        memory_bytes: host_before.memory_bytes,
        ..host_after
    };
    assert_eq!(rounded, host_before);
    store.close().await;
}

/// A thousand agents for two days, as it is between two nights.
#[tokio::test]
async fn a_thousand_agents_stay_small() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("yardarm.db");
    let store = Store::open(&path).await.unwrap();
    let now = FixedClock::new().now();
    // With so many, each is sampled every seventh minute.
    let first = minute(now) - 2 * 24 * 60;
    for at in (first..minute(now)).step_by(7) {
        let minutes: Vec<Minute> = (1..=100).map(|agent| used(agent, at, agent)).collect();
        let mut tx = store.begin().await.unwrap();
        samples::insert(&mut tx, &minutes, &[]).await.unwrap();
        tx.commit().await.unwrap();
    }
    roll_up(&store, now).await;
    store.close().await;
    let bytes = std::fs::metadata(&path).unwrap().len();
    assert!(bytes < 6_000_000, "{bytes} bytes for a tenth of it");
}

#[tokio::test]
async fn the_nightly_retention_moves_and_drops() {
    let test = TestApp::start().await;
    let now = test.clock.now();
    let (old, ancient) = (
        minute(now - TimeDelta::hours(30)).div_euclid(15) * 15,
        minute(now - TimeDelta::days(31)),
    );
    let store = &test.ops().store;
    let mut tx = store.begin().await.unwrap();
    let minutes = [used(7, old, 10), used(7, old + 1, 30), used(7, ancient, 50)];
    samples::insert(&mut tx, &minutes, &[]).await.unwrap();
    tx.commit().await.unwrap();
    let span = Span {
        from: ancient - 15,
        to: old + 15,
    };
    let mut events = test.ops().events();
    test.done("schedule run schedule:retention").await;
    loop {
        let points = store.usage_points(AgentId(7), span, 1).await.unwrap();
        if let [point] = points[..] {
            assert_eq!(minute(point.at), old);
            assert!((point.cpus - 0.02).abs() < 1e-9, "{point:?}");
            break;
        }
        events.recv().await.unwrap();
    }
    test.finish().await;
}
