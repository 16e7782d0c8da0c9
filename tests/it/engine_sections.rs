//! The filtering proxy of docker-compose.yml opens what the engine module asks for, and nothing else.

use std::collections::BTreeSet;

use crate::{
    engine_contract,
    support::{detour::Detour, docker_host::DockerHost, scene::World as _},
};

/// What the proxy opens unless told: <https://github.com/Tecnativa/docker-socket-proxy#grant-or-revoke-access-to-certain-api-sections>.
const BY_DEFAULT: [&str; 3] = ["EVENTS", "PING", "VERSION"];
/// For `exec` probes only, which the file says how to allow.
const LEFT_OUT: &str = "EXEC";

fn composition() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docker-compose.yml");
    std::fs::read_to_string(path).unwrap()
}

/// The proxy's variables that are set to 1, or are 1 unless told.
fn opened() -> BTreeSet<String> {
    let text = composition();
    let (_, proxy) = text.split_once("  engine-proxy:").unwrap();
    let (_, environment) = proxy.split_once("    environment:\n").unwrap();
    let mut opened: BTreeSet<String> = BY_DEFAULT.map(str::to_owned).into();
    for line in environment
        .lines()
        .take_while(|line| line.starts_with("      "))
    {
        match line.trim().split_once(": ") {
            _ if line.trim().starts_with('#') => false,
            Some((section, "1")) => opened.insert(section.to_owned()),
            Some((section, "0")) => opened.remove(section),
            _ => panic!("{line}"),
        };
    }
    opened
}

/// The proxy goes by the first part of a path, whatever the version before it. All but reading takes `POST`.
fn section((method, path): &(String, String)) -> Vec<String> {
    let mut parts = path.split(['/', '?']).filter(|part| !part.is_empty());
    let is_version = |part: &&str| part.starts_with('v') && part.contains('.');
    let first = parts.find(|part| !is_version(part)).unwrap();
    let mut sections = vec![first.trim_start_matches('_').to_uppercase()];
    if !["GET", "HEAD"].contains(&method.as_str()) {
        sections.push("POST".to_owned());
    }
    sections
}

#[tokio::test]
async fn the_proxy_opens_what_is_asked_for_and_nothing_else() {
    let detour = Detour::start();
    engine_contract::docker_through(&detour).await;
    // A registry is no part of the contract; nobody need answer there.
    let host = DockerHost::through(&detour).await;
    let nowhere = "127.0.0.1:9/nothing:1";
    assert!(host.engine().resolve(nowhere).await.is_err());
    assert!(host.engine().pull(nowhere, &|_| ()).await.is_err());
    let mut asked: BTreeSet<String> = detour.calls().iter().flat_map(section).collect();
    assert!(asked.remove(LEFT_OUT), "{asked:?}");
    assert_eq!(opened(), asked);
    assert!(composition().contains("# EXEC: 1"));
}
