use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const DEMO: &str = r#"{
  "description": "says hello at intervals",
  "image": "yardarm/demo-agent:{{tag}}",
  "command": ["--greet", "{{greeting}}", "{{extra}}", "--every={{interval}}s"],
  "env": {
    "MODE": "{{mode}}", "LOUD": "{{loud}}", "EXTRA": "{{extra}}", "NOTE": "[{{extra}}]",
    "HEAP_MB": "{{memory_mb}}", "BRACES": "{{{{plain}}"
  },
  "secrets": [{ "name": "API_KEY", "description": "for the model" }],
  "parameters": [
    { "name": "tag", "type": "string", "description": "image tag", "default": "latest" },
    { "name": "greeting", "type": "string", "description": "what to say", "required": true },
    { "name": "interval", "type": "integer", "description": "seconds", "default": 5, "min": 1, "max": 60 },
    { "name": "loud", "type": "boolean", "description": "whether to shout", "default": false },
    { "name": "mode", "type": "choice", "description": "how", "choices": ["calm", "busy"], "default": "calm" },
    { "name": "extra", "type": "string", "description": "anything else" }
  ],
  "limits": { "memory_mb": 64, "cpus": 0.5, "pids": 32 }
}"#;

fn name(text: &str) -> Name {
    Name::parse(text).expect("a good name")
}

fn demo() -> Template {
    Template::parse(name("demo"), DEMO).expect("a good template")
}

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    owned.collect()
}

fn said(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// What is said about a template that has `fields` besides what it must have.
fn refused(fields: &str) -> String {
    let json = format!(r#"{{ "description": "d", "image": "i", {fields} }}"#);
    match Template::parse(name("t"), &json) {
        Ok(template) => panic!("accepted: {}", template.to_json()),
        Err(problems) => said(&problems),
    }
}

#[test]
fn only_what_has_no_default_is_missing() {
    let names = |given: &BTreeMap<String, String>| -> Vec<String> {
        let demo = demo();
        demo.missing(given)
            .into_iter()
            .map(|missing| missing.name.clone())
            .collect()
    };
    assert_eq!(names(&given(&[])), ["greeting"]);
    assert_eq!(names(&given(&[("greeting", "ahoy")])), [""; 0]);
}

#[test]
fn defaults_and_arguments_fill_the_placeholders() {
    let spec = demo()
        .resolve(&given(&[
            ("greeting", "ahoy"),
            ("loud", "yes"),
            ("interval", "7"),
        ]))
        .expect("it resolves");
    assert_eq!(spec.template.as_deref(), Some("demo"));
    assert_eq!(spec.image, "yardarm/demo-agent:latest");
    // `{{extra}}` has no value: alone it goes, within a text it is empty.
    assert_eq!(spec.command, ["--greet", "ahoy", "--every=7s"]);
    let env: Vec<String> = spec
        .env
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(
        env,
        [
            "BRACES={{plain}}",
            "HEAP_MB=64",
            "LOUD=true",
            "MODE=calm",
            "NOTE=[]"
        ]
    );
    assert_eq!(spec.secret_files, ["API_KEY"]);
    assert_eq!((spec.internet, spec.stop_grace_s), (true, 10));
}

#[test]
fn a_value_is_not_expanded_again() {
    let spec = demo()
        .resolve(&given(&[("greeting", "{{interval}}")]))
        .expect("it resolves");
    assert_eq!(
        spec.command.get(1).map(String::as_str),
        Some("{{interval}}")
    );
}

#[test]
fn limits_are_overridden_within_their_range() {
    let limits = |pairs: &[(&str, &str)]| {
        let mut all = given(pairs);
        all.insert("greeting".to_owned(), "ahoy".to_owned());
        demo().resolve(&all).map(|spec| spec.limits)
    };
    assert_eq!(
        limits(&[("memory_mb", "256"), ("cpus", "1.5"), ("pids", "9")]),
        Ok(Limits {
            memory_mb: 256,
            cpus: 1.5,
            pids: 9
        })
    );
    let problems = limits(&[("memory_mb", "5"), ("cpus", "NaN"), ("pids", "many")]).unwrap_err();
    insta::assert_snapshot!(said(&problems), @r"
    memory_mb: `5` is no limit that can be set
    hint: use 6 to 1048576
    cpus: `NaN` is no limit that can be set
    hint: use 0.01 to 512
    pids: `many` is no limit that can be set
    hint: use 1 to 65536
    ");
}

#[test]
fn every_argument_that_does_not_fit_is_told() {
    let problems = demo()
        .resolve(&given(&[
            ("intervall", "5"),
            ("interval", "61"),
            ("loud", "perhaps"),
            ("mode", "bussy"),
        ]))
        .unwrap_err();
    insta::assert_snapshot!(said(&problems), @r"
    `intervall`: template `demo` has no such parameter
    hint: did you mean `interval`?
    greeting: is required
    hint: give a text: what to say
    interval: `61` does not fit
    hint: use an integer from 1 to 60
    loud: `perhaps` does not fit
    hint: use `true` or `false`
    mode: `bussy` does not fit
    hint: did you mean `busy`?
    ");
}

#[test]
fn an_argument_cannot_make_something_else_of_the_image() {
    let problems = demo()
        .resolve(&given(&[("greeting", "x"), ("tag", "latest evil:1")]))
        .unwrap_err();
    insta::assert_snapshot!(said(&problems), @r"
    image: `yardarm/demo-agent:latest evil:1` is no image reference
    hint: use `repository:tag`, with no spaces and a repository in lower case
    ");
}

#[test]
fn image_references_are_told_from_other_texts() {
    let digest = "a".repeat(64);
    let good = [
        "demo",
        "yardarm/demo-agent:latest",
        "ghcr.io/org/agent:v1.2-rc_1",
        "localhost:5000/a/b",
        "127.0.0.1:5000/a:1",
        &format!("sha256:{digest}"),
        &format!("repo/x@sha256:{digest}"),
        &format!("repo/x:1@sha256:{digest}"),
    ];
    for text in good {
        assert!(checks::is_image_reference(text), "{text}");
    }
    let bad = [
        "",
        "Demo",
        "a b",
        "a:",
        ":1",
        "a//b",
        "/a",
        "a/",
        "a:b:c",
        "a@sha256:12",
        "-a",
        "a:ü",
        "http://x/y",
        "sha256:12",
    ];
    for text in bad {
        assert!(!checks::is_image_reference(text), "{text}");
    }
}

#[test]
fn a_template_keeps_what_hardening_would_refuse() {
    let mut template = demo();
    template.body.privileges.host_pid = true;
    let read = Template::parse(name("demo"), &template.to_json()).expect("a good template");
    assert!(read.body.privileges.host_pid);
}

#[test]
fn a_spec_saved_as_a_template_makes_the_same_spec_again() {
    let spec = demo()
        .resolve(&given(&[("greeting", "{{tag}} {{{{"), ("extra", "{{{")]))
        .expect("it resolves");
    let saved =
        Template::from_spec(name("saved"), "kept", &spec, |_| true).expect("a good template");
    let read = Template::parse(name("saved"), &saved.to_json()).expect("a good template");
    assert_eq!(read, saved);
    assert!(!saved.to_json().contains("privileges"));
    let again = read.resolve(&given(&[])).expect("it resolves");
    assert_eq!(
        again,
        Spec {
            template: Some("saved".to_owned()),
            ..spec
        }
    );
}

#[test]
fn json_is_refused_by_path() {
    let parse = |json: &str| said(&Template::parse(name("t"), json).unwrap_err());
    insta::assert_snapshot!(parse("{"), @r"
    line 1 column 1: no JSON: EOF while parsing an object
    hint: mend the syntax
    ");
    insta::assert_snapshot!(parse(r#"{ "description": "d" }"#), @r"
    line 1 column 22: `image` is missing
    hint: add `image`
    ");
    insta::assert_snapshot!(refused(r#""comand": []"#), @r"
    comand: unknown key `comand`
    hint: did you mean `command`?
    ");
    let nameless = parse(r#"{ "": 1 }"#);
    assert!(
        nameless.starts_with("line 1 column 4: unknown key ``"),
        "{nameless}"
    );
    insta::assert_snapshot!(refused(r#""limits": { "memory_mb": "1g", "cpus": 1, "pids": 1 }"#), @r#"
    limits.memory_mb: invalid type: string "1g"
    hint: expected a whole number, not below 0
    "#);
    insta::assert_snapshot!(refused(r#""ports": [{ "container": 80, "protocol": "http" }]"#), @r"
    ports[0].protocol: unknown value `http`
    hint: use one of `tcp`, `udp`
    ");
}

#[test]
fn an_image_is_judged_by_the_defaults_of_what_it_names() {
    let json = r#"{
      "description": "d", "image": "i:{{the_tag2}}", "parameters": [
        { "name": "other", "type": "string", "description": "d", "default": "no tag" },
        { "name": "the_tag2", "type": "string", "description": "d", "default": "1" }
      ]
    }"#;
    Template::parse(name("t"), json).expect("a good template");
    let other = json.replace("\"i:{{the_tag2}}\"", "\"i:{{other}}\"");
    Template::parse(name("t"), &other).expect_err("its default is no tag");
}

#[test]
fn a_user_is_a_word_or_two() {
    for user in ["1:", ":1", "a:b c", "a b:c", "", "a:b:c"] {
        let said = refused(&format!(r#""user": "{user}""#));
        assert!(said.contains("does not fit"), "{user}: {said}");
    }
}

#[test]
fn parameters_are_checked() {
    let parameter = |fields: &str| {
        refused(&format!(
            r#""parameters": [{{ "name": "p", "description": "d", {fields} }}]"#
        ))
    };
    insta::assert_snapshot!(parameter(r#""type": "integer", "default": "5", "max": 3"#), @r"
    parameters[0].default: `5` does not fit
    hint: use an integer of at most 3
    ");
    insta::assert_snapshot!(parameter(r#""type": "string", "min": 1, "choices": ["a"]"#), @r"
    parameters[0].choices: type `string` has no choices
    hint: leave them out or use type `choice`
    parameters[0]: type `string` has no `min` or `max`
    hint: only `integer` has them
    ");
    insta::assert_snapshot!(parameter(r#""type": "choice", "choices": ["a", "a"], "default": "b""#), @r"
    parameters[0].choices[1]: `a` is there twice
    hint: keep one
    parameters[0].default: `b` does not fit
    hint: did you mean `a`, `a`?
    ");
    insta::assert_snapshot!(refused(
        r#""parameters": [
            { "name": "cpus", "type": "string", "description": "" },
            { "name": "Bad-Name", "type": "string", "description": "d" },
            { "name": "Bad-Name", "type": "string", "description": "d" }
        ]"#
    ), @r"
    parameters[0].name: `cpus` is reserved
    hint: leave it out: everybody who deploys may override the limits by these names
    parameters[0].description: has 0 characters
    hint: use 1 to 100
    parameters[1].name: `Bad-Name` is no name of a parameter
    hint: use 1 to 32 of a–z, 0–9 and `_`, beginning with a letter
    parameters[2].name: `Bad-Name` is there twice
    hint: keep one
    parameters[2].name: `Bad-Name` is no name of a parameter
    hint: use 1 to 32 of a–z, 0–9 and `_`, beginning with a letter
    ");
}

#[test]
fn texts_and_secrets_are_checked() {
    insta::assert_snapshot!(refused(
        r#""command": ["{{a", "{{b}}"], "env": { "1X": "{{}}", "KEY": "v" },
           "secrets": [{ "name": "KEY" }, { "name": "a-b" }, { "name": "a-b" }]"#
    ), @r"
    env.1X: is no name of a variable
    hint: use letters, digits and `_`, not beginning with a digit
    secrets[0].name: `KEY` is in `env`, too
    hint: a secret's value stands in no file: leave it out of `env`
    secrets[1].name: `a-b` is no name of a variable
    hint: use letters, digits and `_`, not beginning with a digit
    secrets[2].name: `a-b` is no name of a variable
    hint: use letters, digits and `_`, not beginning with a digit
    secrets[2].name: `a-b` is there twice
    hint: keep one
    command[0]: a `{{` is not closed
    hint: close it with `}}`, or write `{{{{` for a plain `{{`
    command[1]: `b` is no parameter
    hint: use one of `memory_mb`, `cpus`, `pids`
    env.1X: `` is no parameter
    hint: use one of `memory_mb`, `cpus`, `pids`
    ");
}

#[test]
fn folders_ports_and_users_are_checked() {
    insta::assert_snapshot!(refused(
        r#""build": "make `it`", "user": "a b", "stop_grace_s": 601,
           "mounts": [
             { "target": "/a" },
             { "volume": "v", "host": "/h", "target": "/b" },
             { "volume": "Data", "target": "c" },
             { "host": "/h/../etc", "target": "/d" }
           ],
           "tmpfs": [{ "target": "/d/", "size_mb": 0 }, { "target": "/", "size_mb": 1 }],
           "network": "none", "internet": false,
           "ports": [{ "container": 0, "host": 80 }, { "container": 1, "host": 80, "address": "here" },
                     { "container": 2, "host": 80 }]"#
    ), @r#"
    build: `make �it�` cannot be shown as one command
    hint: use one line without backticks, such as `docker build -t NAME FOLDER`
    mounts[2].target: `c` does not fit
    hint: use an absolute path below `/`, without `..`
    tmpfs[0].target: `/d/` is taken by another one
    hint: give each its own folder
    tmpfs[1].target: `/` does not fit
    hint: use an absolute path below `/`, without `..`
    mounts[0]: needs one of `volume` and `host`
    hint: `volume` is the agent's own, `host` is a folder of the host
    mounts[1]: needs one of `volume` and `host`
    hint: `volume` is the agent's own, `host` is a folder of the host
    mounts[2].volume: `�Data�` does not fit
    hint: use 1 to 32 of a–z, 0–9, `-` and `_`; for a folder of the host use `host`
    mounts[3].host: `/h/../etc` does not fit
    hint: use an absolute path without `..`
    tmpfs[0].size_mb: `0` is out of range
    hint: use 1 to 65536
    ports: this network publishes none
    hint: use `"network": "fleet"` or leave the ports out
    ports: an agent without a way out publishes none
    hint: set `internet` to true or leave the ports out
    ports[0].container: `0` is out of range
    hint: use 1 to 65535
    ports[1].address: `here` is no address
    hint: use an IP address of the host, such as `127.0.0.1`
    ports[2].host: `80` is there twice
    hint: use 0 for any free port
    user: `a b` does not fit
    hint: use `uid:gid`, such as `65534:65534`
    stop_grace_s: `601` is out of range
    hint: use 0 to 600
    "#);
}

#[test]
fn limits_probes_patterns_and_privileges_are_checked() {
    insta::assert_snapshot!(refused(
        r#""limits": { "memory_mb": 5, "cpus": 0, "pids": 65537 },
           "health": { "command": [], "interval_s": 0, "timeout_s": 601, "retries": 0, "start_period_s": 3601 },
           "log_patterns": [{ "pattern": "(", "means": "waiting" }, { "pattern": "", "means": "failed" }],
           "probes": [{ "kind": "http", "port": 0, "path": "ok", "body": "(" },
                      { "kind": "exec", "command": [], "interval_s": 0, "timeout_s": 601 },
                      { "kind": "log", "silent_s": 4, "failures": 0, "successes": 101, "start_grace_s": 3601 }],
           "privileges": { "capabilities": ["CAP_NET_ADMIN", "net"], "devices": ["/etc/passwd"] }"#
    ), @r"
    limits.memory_mb: `5` is out of range
    hint: use 6 to 1048576
    limits.cpus: `0` is out of range
    hint: use 0.01 to 512
    limits.pids: `65537` is out of range
    hint: use 1 to 65536
    health.command: is empty
    hint: give the program and its arguments, each a string of its own
    health.interval_s: `0` is out of range
    hint: use 1 to 3600
    health.timeout_s: `601` is out of range
    hint: use 1 to 600
    health.retries: `0` is out of range
    hint: use 1 to 100
    health.start_period_s: `3601` is out of range
    hint: use 0 to 3600
    log_patterns[0].pattern: `(`: unclosed group
    hint: use a regular expression without look-around and back-references
    log_patterns[1].pattern: has 0 characters
    hint: use 1 to 500
    probes[0].port: `0` is out of range
    hint: use 1 to 65535
    probes[0].path: `ok` does not fit
    hint: begin with `/`, escape what is no plain letter, use at most 500 characters
    probes[0].body: `(`: unclosed group
    hint: use a regular expression without look-around and back-references
    probes[1].command: is empty
    hint: give the program and its arguments, each a string of its own
    probes[1].interval_s: `0` is out of range
    hint: use 1 to 3600
    probes[1].timeout_s: `601` is out of range
    hint: use 1 to 600
    probes[2].silent_s: `4` is out of range
    hint: use 5 to 604800
    probes[2].failures: `0` is out of range
    hint: use 1 to 100
    probes[2].successes: `101` is out of range
    hint: use 1 to 100
    probes[2].start_grace_s: `3601` is out of range
    hint: use 0 to 3600
    privileges.capabilities[0]: `CAP_NET_ADMIN` is no capability
    hint: use its name without `CAP_`, such as `NET_ADMIN`
    privileges.capabilities[1]: `net` is no capability
    hint: use its name without `CAP_`, such as `NET_ADMIN`
    privileges.devices[0]: `/etc/passwd` is no device
    hint: use its path, such as `/dev/kvm`
    ");
}

#[test]
fn a_probe_needs_what_its_kind_asks_for_and_somewhere_to_ask() {
    insta::assert_snapshot!(refused(r#""probes": [{ "kind": "tcp" }]"#), @"
    probes[0]: `port` is missing
    hint: add `port`
    ");
    insta::assert_snapshot!(refused(r#""network": "none", "probes": [{ "kind": "tcp", "port": 80 }]"#), @"
    probes[0]: nobody reaches it without a network
    hint: use a probe of kind `exec` or `log`, or another network
    ");
}

proptest! {
    #[test]
    fn no_argument_panics_or_reaches_another_field(greeting in "\\PC{0,40}", tag in "\\PC{0,20}") {
        let arguments = given(&[("greeting", &greeting), ("tag", &tag)]);
        if let Ok(spec) = demo().resolve(&arguments) {
            prop_assert_eq!(spec.command.get(1), Some(&greeting));
            prop_assert_eq!(spec.image, format!("yardarm/demo-agent:{tag}"));
        }
    }
}

/// Whether a template may have `fields` besides what it must have.
fn fits(fields: &str) -> bool {
    let json = format!(r#"{{ "description": "d", "image": "i", {fields} }}"#);
    Template::parse(name("t"), &json).is_ok()
}

/// A probe of which one number is left open.
fn paced(key: &str) -> String {
    format!(r#""probes": [{{ "kind": "tcp", "port": 80, "{key}": % }}]"#)
}

#[test]
fn every_range_holds_its_ends_and_nothing_beyond() {
    let ranges = [
        (r#""stop_grace_s": %"#, 0, 600),
        (
            r#""limits": { "memory_mb": %, "cpus": 1, "pids": 1 }"#,
            6,
            1_048_576,
        ),
        (
            r#""limits": { "memory_mb": 6, "cpus": 1, "pids": % }"#,
            1,
            65_536,
        ),
        (r#""recovery": { "attempts": % }"#, 1, 20),
        (r#""recovery": { "window_s": % }"#, 60, 86_400),
        (r#""recovery": { "healthy_s": % }"#, 10, 86_400),
        (
            r#""idle": { "cpu_percent": 1, "minutes": %, "then": "stop" }"#,
            5,
            1380,
        ),
        (
            r#""tmpfs": [{ "target": "/tmp", "size_mb": % }]"#,
            1,
            65_536,
        ),
        (r#""ports": [{ "container": % }]"#, 1, 65_535),
        (
            r#""health": { "command": ["x"], "interval_s": % }"#,
            1,
            3600,
        ),
        (r#""health": { "command": ["x"], "timeout_s": % }"#, 1, 600),
        (r#""health": { "command": ["x"], "retries": % }"#, 1, 100),
        (
            r#""health": { "command": ["x"], "start_period_s": % }"#,
            0,
            3600,
        ),
        (
            r#""probes": [{ "kind": "http", "port": %, "path": "/" }]"#,
            1,
            65_535,
        ),
        (r#""probes": [{ "kind": "tcp", "port": % }]"#, 1, 65_535),
        (
            r#""probes": [{ "kind": "log", "silent_s": % }]"#,
            5,
            604_800,
        ),
        (&paced("interval_s"), 1, 3600),
        (&paced("timeout_s"), 1, 600),
        (&paced("failures"), 1, 100),
        (&paced("successes"), 1, 100),
        (&paced("start_grace_s"), 0, 3600),
    ];
    for (field, least, most) in ranges {
        let with = |number: i64| fits(&field.replace('%', &number.to_string()));
        assert!(with(least) && with(most), "{field}");
        assert!(!with(least - 1) && !with(most + 1), "{field}");
    }
}

#[test]
fn every_text_holds_so_many_characters_and_no_more() {
    let texts = [
        (
            r#""secrets": [{ "name": "K", "description": "%" }]"#,
            0,
            100,
        ),
        (
            r#""log_patterns": [{ "pattern": "%", "means": "failed" }]"#,
            1,
            500,
        ),
        (
            r#""log_patterns": [{ "pattern": "x", "means": "failed", "note": "%" }]"#,
            0,
            200,
        ),
        (
            r#""exit_codes": { "1": { "means": "failed", "note": "%" } }"#,
            0,
            200,
        ),
        (
            r#""parameters": [{ "name": "p", "description": "%", "type": "string" }]"#,
            1,
            100,
        ),
        (
            r#""parameters": [{ "name": "p", "description": "d", "type": "choice", "choices": ["%"] }]"#,
            1,
            100,
        ),
        (
            r#""parameters": [{ "name": "%", "description": "d", "type": "string" }]"#,
            1,
            32,
        ),
        (
            r#""probes": [{ "kind": "http", "port": 80, "path": "/%" }]"#,
            0,
            499,
        ),
        (
            r#""probes": [{ "kind": "http", "port": 80, "path": "/", "body": "%" }]"#,
            1,
            500,
        ),
        (
            r#""probes": [{ "kind": "exec", "command": ["%"] }]"#,
            1,
            4096,
        ),
        (r#""user": "%""#, 1, 32),
        (r#""secrets": [{ "name": "%" }]"#, 1, 128),
    ];
    for (field, least, most) in texts {
        let with = |count: usize| fits(&field.replace('%', &"x".repeat(count)));
        assert!(with(least) && with(most), "{field}");
        assert!(!with(most + 1), "{field}");
        assert!(least == 0 || !with(least - 1), "{field}");
    }
}

#[test]
fn so_many_parameters_and_choices_and_no_more() {
    let list = |count: usize, one: &dyn Fn(usize) -> String| {
        (0..count).map(one).collect::<Vec<_>>().join(", ")
    };
    let parameters = |count| {
        let one =
            |index| format!(r#"{{ "name": "p{index}", "description": "d", "type": "string" }}"#);
        fits(&format!(r#""parameters": [{}]"#, list(count, &one)))
    };
    assert!(parameters(25) && !parameters(26));
    let choices = |count| {
        let one = |index| format!(r#""c{index}""#);
        let choices = list(count, &one);
        fits(&format!(
            r#""parameters": [{{ "name": "p", "description": "d", "type": "choice", "choices": [{choices}] }}]"#
        ))
    };
    assert!(!choices(0) && choices(1) && choices(25) && !choices(26));
}

#[test]
fn what_makes_an_image_is_one_line_that_can_be_copied() {
    let build = |build: &str| fits(&format!(r#""build": "{build}""#));
    assert!(build("docker build -t demo:1 images/demo"));
    assert!(build(&"x".repeat(300)) && !build(&"x".repeat(301)));
    for wrong in ["", "make `it`", "make\\nit", "make\\u001bit"] {
        assert!(!build(wrong), "{wrong}");
    }
}

#[test]
fn so_many_probes_and_no_more() {
    let probes = |count: usize| {
        let one = r#"{ "kind": "tcp", "port": 80 }"#;
        format!(r#""probes": [{}]"#, vec![one; count].join(", "))
    };
    assert!(fits(&probes(0)) && fits(&probes(10)));
    insta::assert_snapshot!(refused(&probes(11)), @"
    probes: there are 11
    hint: give at most 10
    ");
}

#[test]
fn a_path_is_what_a_request_may_ask_for() {
    let path = |path: &str| {
        fits(&format!(
            r#""probes": [{{ "kind": "http", "port": 80, "path": "{path}" }}]"#
        ))
    };
    assert!(path("/health?deep=1&of=%20"));
    for wrong in ["", "health", "/a b", "/a#b", "/ä", "/a\\n"] {
        assert!(!path(wrong), "{wrong}");
    }
}

#[test]
fn what_needs_no_network_is_asked_without_one() {
    let alone = |probe: &str| fits(&format!(r#""network": "none", "probes": [{probe}]"#));
    assert!(alone(r#"{ "kind": "exec", "command": ["true"] }"#));
    assert!(alone(r#"{ "kind": "log", "silent_s": 60 }"#));
    assert!(!alone(r#"{ "kind": "http", "port": 80, "path": "/" }"#));
}

#[test]
fn bounds_that_hold_nothing_are_refused_and_those_that_hold_one_are_not() {
    let bounds = |min: i64, max: i64| {
        fits(&format!(
            r#""parameters": [{{ "name": "p", "description": "d", "type": "integer", "min": {min}, "max": {max} }}]"#
        ))
    };
    assert!(bounds(1, 1) && !bounds(2, 1));
}

#[test]
fn what_it_depends_on_is_a_name() {
    insta::assert_snapshot!(refused(r#""depends_on": ["scout", "Big Guide"]"#), @"
    depends_on[1]: `Big Guide` is no name: use 1 to 32 of a–z, 0–9, `-` and `_`, beginning with a letter or a digit
    hint: give the name of an agent in the same fleet
    ");
}

#[test]
fn arguments_alone_are_checked_without_those_that_are_missing() {
    let misfits = |pairs: &[(&str, &str)]| said(&demo().misfits(&given(pairs)));
    assert_eq!(misfits(&[]), "");
    insta::assert_snapshot!(misfits(&[("interval", "0"), ("speed", "9"), ("memory_mb", "1")]), @"
    `speed`: template `demo` has no such parameter
    hint: use one of `tag`, `greeting`, `interval`, `loud`, `mode`, `extra`, `memory_mb`, `cpus`, `pids`
    interval: `0` does not fit
    hint: use an integer from 1 to 60
    memory_mb: `1` is no limit that can be set
    hint: use 6 to 1048576
    ");
}
