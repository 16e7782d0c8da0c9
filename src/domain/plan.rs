//! The exact effect of an action. People approve its digest; what would be done otherwise is another plan.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    action::Details,
    agent::Name,
    ids::ContainerId,
    spec::{Mount, Network, Port, Privileges, Spec},
};

/// What an action would do, and to what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// As [`super::action::Kind`] is written.
    pub kind: String,
    /// By name of the agent.
    pub parts: Vec<Part>,
    /// What is changed beside agents: a fleet, a grant, the name of a secret.
    pub details: Details,
}

/// What it would do to one agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub agent: Name,
    pub fleet: Name,
    /// The container it is about, and that it replaces if `then` is there.
    pub container: Option<ContainerId>,
    /// What that is made from; None before the first deployment.
    pub now: Option<Made>,
    /// What the new one is to be made from; None if none is made.
    pub then: Option<Made>,
    /// What the new one may that the old one may not, in words for people.
    pub loosens: Vec<String>,
}

/// What a container is made from, without any value of its environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// `sha256:…` as its registry knows it, or its id if it was never pushed; None if nobody could tell.
    pub image: Option<String>,
    /// Its `env` holds keyed hashes instead of values: they can be compared and not be read.
    pub spec: Spec,
}

impl Made {
    /// `seal` hides a value of the environment, given its name.
    pub fn new(spec: &Spec, image: Option<String>, seal: impl Fn(&str, &str) -> String) -> Self {
        let mut spec = spec.clone();
        for (name, value) in &mut spec.env {
            *value = seal(name, value);
        }
        Self { image, spec }
    }
}

impl Plan {
    /// A fingerprint of the whole plan.
    pub fn digest(&self) -> PlanDigest {
        // Struct fields keep their order and maps are sorted, so equal plans give equal bytes.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        PlanDigest(hex::encode(Sha256::digest(&bytes)))
    }

    /// Everything that it loosens, once each.
    pub fn loosens(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for why in self.parts.iter().flat_map(|part| &part.loosens) {
            if !all.contains(why) {
                all.push(why.clone());
            }
        }
        all
    }

    /// The image that an agent's container is to be made from, if the plan makes one.
    pub fn image_for(&self, agent: &Name) -> Option<&str> {
        let part = self.parts.iter().find(|part| part.agent == *agent)?;
        part.then.as_ref()?.image.as_deref()
    }

    /// What has changed since this plan was made, in words for people; empty if nothing has.
    pub fn drift(&self, today: &Self) -> Vec<String> {
        let mut drift = Vec::new();
        for part in &self.parts {
            match today.parts.iter().find(|other| other.agent == part.agent) {
                None => drift.push(format!("`{}` is gone", part.agent)),
                Some(other) => drift.extend(part.drift(other)),
            }
        }
        if drift.is_empty() && self != today {
            drift.push("what it is about has changed".to_owned());
        }
        drift
    }
}

impl Part {
    /// What the new container differs in from the one it replaces, a line each.
    pub fn changes(&self) -> Vec<String> {
        let Some(then) = &self.then else {
            return Vec::new();
        };
        let Some(now) = &self.now else {
            return first(then);
        };
        changes(now, then)
    }

    fn drift(&self, today: &Self) -> Vec<String> {
        let mut drift = Vec::new();
        if self.fleet != today.fleet {
            drift.push(format!(
                "`{}` moved from `{}` to `{}`",
                self.agent, self.fleet, today.fleet
            ));
        }
        if self.container != today.container {
            drift.push(format!("`{}` has another container by now", self.agent));
        }
        for (planned, found) in [(&self.now, &today.now), (&self.then, &today.then)] {
            if let (Some(planned), Some(found)) = (planned, found) {
                for line in changes(planned, found) {
                    let line = format!("`{}`: {line}", self.agent);
                    // What was and what is to be mostly change alike.
                    if !drift.contains(&line) {
                        drift.push(line);
                    }
                }
            }
        }
        drift
    }
}

/// SHA-256 of a plan, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlanDigest(pub String);

impl PlanDigest {
    /// Enough for people to tell two plans apart.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for PlanDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a new container may that one made from `before` may not (design.md, section 1).
pub fn loosens(before: &Spec, after: &Spec) -> Vec<String> {
    let mut all = Vec::new();
    let (had, has) = (&before.limits, &after.limits);
    // 0 stands for a container without a limit, as adopted ones can be.
    if had.memory_mb != 0 && (has.memory_mb > had.memory_mb || has.memory_mb == 0) {
        all.push(format!("memory {} → {} MiB", had.memory_mb, has.memory_mb));
    }
    if had.cpus > 0.0 && (has.cpus > had.cpus || has.cpus <= 0.0) {
        all.push(format!("CPUs {} → {}", had.cpus, has.cpus));
    }
    if had.pids != 0 && (has.pids > had.pids || has.pids == 0) {
        all.push(format!("processes {} → {}", had.pids, has.pids));
    }
    let (from, to) = (repository(&before.image), repository(&after.image));
    if from != to {
        all.push(format!("image repository `{from}` → `{to}`"));
    }
    all.extend(added("mount", &before.mounts, &after.mounts, mount));
    all.extend(added("port", &before.ports, &after.ports, port));
    all.extend(privileges(&before.privileges, &after.privileges));
    let switches = [
        (
            reach(after) > reach(before),
            format!("network {:?}", after.network).to_lowercase(),
        ),
        (
            after.internet && !before.internet,
            "reaches the internet".to_owned(),
        ),
        (
            before.read_only_root && !after.read_only_root,
            "a writable root file system".to_owned(),
        ),
        (
            may_be_root(after) && !may_be_root(before),
            "may run as root".to_owned(),
        ),
    ];
    all.extend(
        switches
            .into_iter()
            .filter_map(|(is, words)| is.then_some(words)),
    );
    all
}

const fn reach(spec: &Spec) -> u8 {
    match spec.network {
        Network::None => 0,
        Network::Fleet => 1,
        Network::Host => 2,
    }
}

/// The image's own user is nobody knows whom.
fn may_be_root(spec: &Spec) -> bool {
    let user = spec
        .user
        .as_deref()
        .map(|user| user.split(':').next().unwrap_or(user));
    user.is_none_or(|user| user == "0" || user == "root")
}

fn privileges(before: &Privileges, after: &Privileges) -> Vec<String> {
    let switches = [
        (before.privileged, after.privileged, "no confinement at all"),
        (before.host_pid, after.host_pid, "the host's processes"),
        (before.host_ipc, after.host_ipc, "the host's shared memory"),
    ];
    let new = switches.into_iter().filter(|(had, has, _)| *has && !had);
    let mut all: Vec<String> = new.map(|(_, _, words)| words.to_owned()).collect();
    all.extend(added(
        "capability",
        &before.capabilities,
        &after.capabilities,
        String::clone,
    ));
    all.extend(added(
        "device",
        &before.devices,
        &after.devices,
        String::clone,
    ));
    all
}

fn added<T: PartialEq>(
    what: &str,
    before: &[T],
    after: &[T],
    words: impl Fn(&T) -> String,
) -> Vec<String> {
    let new = after.iter().filter(|item| !before.contains(item));
    new.map(|item| format!("{what} `{}`", words(item)))
        .collect()
}

fn mount(mount: &Mount) -> String {
    let from = mount.host.as_deref().or(mount.volume.as_deref());
    let how = if mount.read_only { " (read-only)" } else { "" };
    format!("{} at {}{how}", from.unwrap_or("?"), mount.target)
}

fn port(port: &Port) -> String {
    format!("{}:{} to {}", port.address, port.host, port.container)
}

/// An image reference without its tag and digest.
pub fn repository(reference: &str) -> &str {
    let bare = reference
        .split_once('@')
        .map_or(reference, |(bare, _)| bare);
    let name = bare.rfind('/').map_or(0, |slash| slash + 1);
    let tag = bare.get(name..).and_then(|last| last.find(':'));
    tag.and_then(|colon| bare.get(..name + colon))
        .unwrap_or(bare)
}

/// What a first container is made from, in the fewest lines.
fn first(made: &Made) -> Vec<String> {
    let spec = &made.spec;
    let mut lines = vec![format!("image `{}`", spec.image)];
    if !spec.command.is_empty() {
        lines.push(format!("command `{}`", spec.command.join(" ")));
    }
    lines.push(format!("limits {}", limits(spec)));
    lines.extend(
        spec.mounts
            .iter()
            .map(|one| format!("mount `{}`", mount(one))),
    );
    lines.extend(spec.ports.iter().map(|one| format!("port `{}`", port(one))));
    if spec.all_secrets().next().is_some() {
        lines.push(format!("secrets {}", secrets(spec)));
    }
    if !spec.env.is_empty() {
        let names: Vec<&str> = spec.env.keys().map(String::as_str).collect();
        lines.push(format!("env {}", names.join(", ")));
    }
    lines
}

/// Files first, and those given as variables marked as such: whoever may inspect containers reads these.
fn secrets(spec: &Spec) -> String {
    let files = spec.secret_files.iter().cloned();
    let variables = spec.secrets.iter().map(|name| format!("{name} (env)"));
    files.chain(variables).collect::<Vec<_>>().join(", ")
}

fn limits(spec: &Spec) -> String {
    let limits = &spec.limits;
    format!(
        "{} MiB, {} CPUs, {} processes",
        limits.memory_mb, limits.cpus, limits.pids
    )
}

/// What `then` differs in, a line each.
pub fn changes(now: &Made, then: &Made) -> Vec<String> {
    let (before, after) = (&now.spec, &then.spec);
    let mut lines = Vec::new();
    let mut line = |what: &str, old: String, new: String| {
        if old != new {
            lines.push(format!("{what} `{old}` → `{new}`"));
        }
    };
    line("image", before.image.clone(), after.image.clone());
    if let (Some(old), Some(new)) = (&now.image, &then.image) {
        line("image digest", short_image(old), short_image(new));
    }
    line("command", before.command.join(" "), after.command.join(" "));
    line("limits", limits(before), limits(after));
    line("secrets", secrets(before), secrets(after));
    line(
        "mounts",
        list(&before.mounts, mount),
        list(&after.mounts, mount),
    );
    line("ports", list(&before.ports, port), list(&after.ports, port));
    line(
        "network",
        format!("{:?}", before.network).to_lowercase(),
        format!("{:?}", after.network).to_lowercase(),
    );
    line(
        "user",
        before.user.clone().unwrap_or_default(),
        after.user.clone().unwrap_or_default(),
    );
    lines.extend(env_changes(&before.env, &after.env));
    if lines.is_empty() && before != after {
        lines.push("smaller settings of the container".to_owned());
    }
    lines
}

fn list<T>(items: &[T], words: impl Fn(&T) -> String) -> String {
    let all: Vec<String> = items.iter().map(words).collect();
    all.join(", ")
}

fn env_changes(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    let changed = after
        .iter()
        .filter_map(|(name, value)| match before.get(name) {
            None => Some(format!("env +{name}")),
            Some(old) if old != value => Some(format!("env {name} has another value")),
            Some(_) => None,
        });
    gone.map(|name| format!("env −{name}"))
        .chain(changed)
        .collect()
}

/// The beginning of a digest tells people as much as all of it.
pub fn short_image(image: &str) -> String {
    match image.split_once("sha256:") {
        Some((_, digest)) => format!("sha256:{}", digest.get(..12).unwrap_or(digest)),
        None => image.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::spec::tests::spec;

    fn made(more: &str, image: Option<&str>) -> Made {
        let seal = |name: &str, value: &str| format!("{name}/{value}");
        Made::new(&spec(more), image.map(str::to_owned), seal)
    }

    fn part(agent: &str, now: Option<Made>, then: Option<Made>) -> Part {
        Part {
            agent: Name::parse(agent).unwrap(),
            fleet: Name::parse("harbour").unwrap(),
            container: Some(ContainerId("c1".to_owned())),
            now,
            then,
            loosens: Vec::new(),
        }
    }

    fn plan(parts: Vec<Part>) -> Plan {
        Plan {
            kind: "redeploy".to_owned(),
            parts,
            details: Details::default(),
        }
    }

    #[test]
    fn a_value_of_the_environment_is_in_no_plan() {
        let made = made(r#", "env": { "MODE": "fast" }"#, None);
        assert_eq!(made.spec.env["MODE"], "MODE/fast");
    }

    #[test]
    fn equal_plans_have_one_fingerprint_and_others_another() {
        let one = plan(vec![part("scout", None, Some(made("", None)))]);
        let other = plan(vec![part(
            "scout",
            None,
            Some(made(r#", "user": "7""#, None)),
        )]);
        assert_eq!(one.digest(), one.clone().digest());
        assert_ne!(one.digest(), other.digest());
        assert_eq!(one.digest().to_string().len(), 64);
        assert!(one.digest().to_string().starts_with(one.digest().short()));
        assert_eq!(one.digest().short().len(), 12);
    }

    #[test]
    fn what_several_agents_loosen_is_told_once() {
        let with = |agent: &str, loosens: &[&str]| Part {
            loosens: loosens.iter().map(|why| (*why).to_owned()).collect(),
            ..part(agent, None, None)
        };
        let both = plan(vec![with("scout", &["a", "b"]), with("guide", &["b", "c"])]);
        assert_eq!(both.loosens(), ["a", "b", "c"]);
    }

    #[test]
    fn the_image_is_that_of_the_agent_who_is_asked_for() {
        let to = |image: &str| Some(made("", Some(image)));
        let plan = plan(vec![
            part("guide", None, to("sha256:1")),
            part("scout", to("sha256:0"), to("sha256:2")),
            part("stray", to("sha256:0"), None),
        ]);
        let image_for = |agent: &str| plan.image_for(&Name::parse(agent).unwrap());
        assert_eq!(image_for("scout"), Some("sha256:2"));
        assert_eq!(image_for("stray"), None);
        assert_eq!(image_for("nobody"), None);
    }

    /// Going from `less` to `more` loosens in these words, and going back loosens nothing.
    fn check_loosens(less: &str, more: &str, words: &str) {
        let (less, more) = (spec(less), spec(more));
        assert_eq!(loosens(&less, &more), [words]);
        assert_eq!(loosens(&more, &less), [""; 0], "back from {words}");
    }

    #[test]
    fn a_higher_limit_loosens_and_a_lower_one_does_not() {
        let limits = |memory: u32, cpus: f64, pids: u32| {
            format!(r#", "limits": {{ "memory_mb": {memory}, "cpus": {cpus}, "pids": {pids} }}"#)
        };
        let small = limits(512, 1.0, 256);
        check_loosens(&small, &limits(513, 1.0, 256), "memory 512 → 513 MiB");
        check_loosens(&small, &limits(512, 1.5, 256), "CPUs 1 → 1.5");
        check_loosens(&small, &limits(512, 1.0, 257), "processes 256 → 257");
    }

    #[test]
    fn a_wider_reach_loosens() {
        check_loosens(r#", "network": "none""#, "", "network fleet");
        check_loosens("", r#", "network": "host""#, "network host");
        let shut = r#", "internet": false"#;
        check_loosens(shut, "", "reaches the internet");
        let port = r#", "ports": [{ "container": 80, "host": 8080 }]"#;
        check_loosens("", port, "port `127.0.0.1:8080 to 80`");
        let folder = r#", "mounts": [{ "host": "/srv", "target": "/data", "read_only": true }]"#;
        check_loosens("", folder, "mount `/srv at /data (read-only)`");
        let volume = r#", "mounts": [{ "volume": "data", "target": "/data" }]"#;
        check_loosens("", volume, "mount `data at /data`");
    }

    #[test]
    fn another_user_loosens_only_if_it_may_be_root() {
        let words = "may run as root";
        check_loosens(r#", "user": "1000:0""#, r#", "user": "0:1000""#, words);
        check_loosens(r#", "user": "1000""#, r#", "user": "root""#, words);
        check_loosens(r#", "user": "1000""#, "", words);
    }

    #[test]
    fn each_privilege_loosens() {
        let words = "a writable root file system";
        check_loosens(r#", "read_only_root": true"#, "", words);
        let privileges = [
            (r#""privileged": true"#, "no confinement at all"),
            (r#""host_pid": true"#, "the host's processes"),
            (r#""host_ipc": true"#, "the host's shared memory"),
            (r#""capabilities": ["NET_ADMIN"]"#, "capability `NET_ADMIN`"),
            (r#""devices": ["/dev/kvm"]"#, "device `/dev/kvm`"),
        ];
        for (privilege, words) in privileges {
            let more = format!(r#", "privileges": {{ {privilege} }}"#);
            check_loosens("", &more, words);
        }
    }

    #[test]
    fn no_limit_is_more_than_any_limit() {
        let limited = spec("");
        let mut free = limited.clone();
        (free.limits.memory_mb, free.limits.cpus, free.limits.pids) = (0, 0.0, 0);
        let all = ["memory 512 → 0 MiB", "CPUs 1 → 0", "processes 256 → 0"];
        assert_eq!(loosens(&limited, &free), all);
        assert_eq!(loosens(&free, &limited), [""; 0]);
    }

    #[test]
    fn another_tag_does_not_loosen_and_another_repository_does() {
        let of = |image: &str| Spec {
            image: image.to_owned(),
            ..spec("")
        };
        assert_eq!(loosens(&of("demo:1"), &of("demo:2")), [""; 0]);
        let words = ["image repository `demo` → `shop/demo`"];
        assert_eq!(loosens(&of("demo:1"), &of("shop/demo:1")), words);
    }

    #[test]
    fn a_repository_is_a_reference_without_tag_and_digest() {
        for reference in [
            "reg.example:5000/team/demo",
            "reg.example:5000/team/demo:1",
            "reg.example:5000/team/demo@sha256:00",
            "reg.example:5000/team/demo:1@sha256:00",
        ] {
            assert_eq!(repository(reference), "reg.example:5000/team/demo");
        }
        assert_eq!(repository("demo:1"), "demo");
    }

    #[test]
    fn of_a_first_container_everything_that_matters_is_told() {
        let full = r#", "command": ["serve", "--all"], "env": { "A": "1", "B": "2" },
            "secrets": [{ "name": "KEY", "description": "k" }, { "name": "TOKEN", "description": "t", "as": "env" }],
            "mounts": [{ "volume": "data", "target": "/data" }], "ports": [{ "container": 80 }]"#;
        let lines = part("scout", None, Some(made(full, None))).changes();
        insta::assert_snapshot!(lines.join("\n"), @"
        image `demo:1`
        command `serve --all`
        limits 512 MiB, 1 CPUs, 256 processes
        mount `data at /data`
        port `127.0.0.1:0 to 80`
        secrets KEY, TOKEN (env)
        env A, B
        ");
        let plain = part("scout", None, Some(made("", None))).changes();
        insta::assert_snapshot!(plain.join("\n"), @"
        image `demo:1`
        limits 512 MiB, 1 CPUs, 256 processes
        ");
        assert_eq!(part("scout", Some(made("", None)), None).changes(), [""; 0]);
    }

    #[test]
    fn of_a_new_container_only_what_differs_is_told() {
        let changed = |now: &str, then: &str| {
            let part = part("scout", Some(made(now, None)), Some(made(then, None)));
            part.changes().join("\n")
        };
        let env = changed(
            r#", "env": { "GONE": "1", "KEPT": "1", "NEW": "1" }"#,
            r#", "env": { "KEPT": "1", "MORE": "1", "NEW": "2" }"#,
        );
        insta::assert_snapshot!(env, @"
        env −GONE
        env +MORE
        env NEW has another value
        ");
        let rest = r#", "command": ["serve"], "user": "7", "network": "none""#;
        insta::assert_snapshot!(changed("", rest), @"
        command `` → `serve`
        network `fleet` → `none`
        user `` → `7`
        ");
        let volume = |target: &str| {
            format!(
                r#", "mounts": [{{ "volume": "data", "target": "{target}" }}], "ports": [{{ "container": 80 }}]"#
            )
        };
        insta::assert_snapshot!(changed(&volume("/old"), &volume("/new")), @"mounts `data at /old` → `data at /new`");
        insta::assert_snapshot!(changed("", &volume("/new")), @"
        mounts `` → `data at /new`
        ports `` → `127.0.0.1:0 to 80`
        ");
        assert_eq!(changed("", ""), "");
        let small = changed("", r#", "stop_grace_s": 77"#);
        assert_eq!(small, "smaller settings of the container");
    }

    #[test]
    fn an_image_that_was_pushed_anew_is_told_by_its_digest() {
        let by = |digit: &str| Some(made("", Some(&format!("demo@sha256:{}", digit.repeat(64)))));
        let moved = part("scout", by("1"), by("2"));
        let words = "image digest `sha256:111111111111` → `sha256:222222222222`";
        assert_eq!(moved.changes(), [words]);
        assert_eq!(part("scout", by("1"), by("1")).changes(), [""; 0]);
        assert_eq!(
            part("scout", by("1"), Some(made("", None))).changes(),
            [""; 0]
        );
        assert_eq!(short_image("latest"), "latest");
    }

    #[test]
    fn a_plan_that_still_holds_has_not_drifted() {
        let plan = plan(vec![part(
            "scout",
            Some(made("", None)),
            Some(made("", None)),
        )]);
        assert_eq!(plan.drift(&plan), [""; 0]);
    }

    #[test]
    fn what_has_changed_since_is_told_agent_by_agent() {
        let planned = plan(vec![
            part("gone", None, None),
            part("moved", None, None),
            part("newer", None, None),
            part("other", Some(made("", None)), Some(made("", None))),
        ]);
        let user = || Some(made(r#", "user": "7""#, None));
        let today = plan(vec![
            Part {
                fleet: Name::parse("shore").unwrap(),
                ..part("moved", None, None)
            },
            Part {
                container: None,
                ..part("newer", None, None)
            },
            part("other", user(), user()),
        ]);
        insta::assert_snapshot!(planned.drift(&today).join("\n"), @"
        `gone` is gone
        `moved` moved from `harbour` to `shore`
        `newer` has another container by now
        `other`: user `` → `7`
        ");
    }

    #[test]
    fn a_change_beside_the_agents_is_a_drift_too() {
        let planned = plan(vec![part("scout", None, None)]);
        let mut today = planned.clone();
        today.details.volumes = true;
        assert_eq!(planned.drift(&today), ["what it is about has changed"]);
    }
}
