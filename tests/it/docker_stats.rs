//! What real Docker counts, beside what its own command line makes of it.

use yardarm::{
    domain::{
        ids::ContainerId,
        stats::{Sample, Usage},
    },
    engine::LogQuery,
};

use crate::support::{
    docker_host::{DockerHost, docker},
    scene::{Lines, World as _, last_lines},
};

/// `12.5MiB`, `1.2kB` or `3%` as a number of bytes or percent.
fn number(text: &str) -> f64 {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    let factor = match text.strip_prefix(digits).unwrap() {
        "B" | "%" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        unit => panic!("`{unit}` of `{text}` is no unit"),
    };
    digits.parse::<f64>().unwrap() * factor
}

/// A test's containers count no more than 32 bits can.
fn bytes(count: u64) -> f64 {
    u32::try_from(count).unwrap().into()
}

fn near(ours: f64, theirs: f64, slack: f64) -> bool {
    (ours - theirs).abs() <= slack
}

#[tokio::test]
async fn a_sample_says_what_docker_stats_says() {
    let host = DockerHost::new().await;
    let script = "head -c 3000000 /dev/zero > /kept; sync
        wget -q -T 1 http://192.0.2.1:9/ 2> /dev/null
        echo ready
        while :; do :; done";
    let limits = ["--cpus", "0.5", "--memory", "64m"];
    let name = host.run_foreign("busy", &limits, &["sh", "-c", script]);
    let id = ContainerId(name);
    let following = LogQuery {
        follow: true,
        ..last_lines(1)
    };
    let mut lines = Lines::open(host.engine(), &id, &following).await;
    assert_eq!(lines.next().await.unwrap().text, "ready");

    let first = host.engine().sample(&id).await.unwrap();
    let told = docker(&[
        "stats",
        "--no-stream",
        "--format",
        "{{.CPUPerc}} {{.MemUsage}} {{.PIDs}} {{.NetIO}} {{.BlockIO}}",
        id.as_str(),
    ]);
    let second: Sample = host.engine().sample(&id).await.unwrap();
    let words: Vec<&str> = told
        .split_whitespace()
        .filter(|word| *word != "/")
        .collect();
    let [cpu, memory, _limit, pids, received, sent, read, written] = words[..] else {
        panic!("`docker stats` says `{told}`");
    };
    let usage = Usage::between(&first, &second).unwrap();
    assert!(
        near(usage.cpus * 100.0, number(cpu), 15.0),
        "{usage:?} {told}"
    );
    assert!(
        near(bytes(second.memory_bytes), number(memory), 300_000.0),
        "{second:?} {told}"
    );
    assert_eq!(second.pids.to_string(), pids);
    for (ours, theirs) in [
        (second.io.received, received),
        (second.io.sent, sent),
        (second.io.read, read),
        (second.io.written, written),
    ] {
        // Three digits are all that it prints.
        let theirs = number(theirs);
        assert!(
            near(bytes(ours), theirs, theirs / 100.0 + 200.0),
            "{second:?} {told}"
        );
    }
}
