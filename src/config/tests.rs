use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use secrecy::ExposeSecret;

use super::*;
use crate::domain::{
    ids::{ChannelId, GuildId, UserId},
    pattern::Pattern,
    policy::{Ask, Effect, Preset},
    squelch::{Destination, GroupBy, Pace},
};

const TOKEN: &str = "MTIzNDU2Nzg5.GhIjKl.a-signature_of_Discord";
const LOCAL_TOKEN: &str = "localcord.123456789.abcdefgh";

fn environment(variables: &[(&str, &str)]) -> Environment {
    let owned = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    owned.collect()
}

fn pairs(overrides: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = overrides
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    owned.collect()
}

/// Loads `text` as `yardarm.toml`; errors name the file without its folder.
fn load(
    text: &str,
    overrides: &[(&str, &str)],
    environment: &Environment,
) -> Result<Settings, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("yardarm.toml");
    std::fs::write(&path, text).expect("a file");
    let here = format!("{}/", folder.path().display());
    Settings::load(Some(&path), &pairs(overrides), environment)
        .map_err(|error| error.to_string().replace(&here, ""))
}

fn good(text: &str) -> Settings {
    load(
        text,
        &[("discord.guild", "7")],
        &environment(&[("DISCORD_TOKEN", TOKEN)]),
    )
    .unwrap_or_else(|error| panic!("{error}"))
}

fn refused(text: &str, overrides: &[(&str, &str)]) -> String {
    let with_guild = [&[("discord.guild", "7")], overrides].concat();
    match load(text, &with_guild, &environment(&[("DISCORD_TOKEN", TOKEN)])) {
        Ok(settings) => panic!("accepted: {settings:?}"),
        Err(error) => error,
    }
}

#[test]
fn an_empty_file_gives_the_defaults() {
    let settings = good("");
    assert_eq!(settings.discord.guild, GuildId(7));
    assert_eq!(settings.discord.token.expose_secret(), TOKEN);
    assert_eq!(settings.database.path, PathBuf::from("yardarm.db"));
    assert_eq!(settings.docker.call_deadline, Duration::from_secs(10));
    assert_eq!(settings.agents.default_fleet.as_str(), "main");
    assert_eq!(settings.log.level, Level::Info);
}

#[test]
fn a_file_is_read_and_overridden() {
    let text = r#"
        [discord]
        guild = "1234567890123456789"
        ops_channel = 8
        [access]
        owners = [1, "2"]
        [docker]
        settle_s = 0
        parallel = 2
        [docker.allow]
        mounts = ["/srv"]
        [log]
        format = "json"
    "#;
    let overrides = [("docker.parallel", "8"), ("log.level", "debug")];
    let settings =
        load(text, &overrides, &environment(&[("DISCORD_TOKEN", TOKEN)])).expect("good settings");
    assert_eq!(settings.discord.guild, GuildId(1_234_567_890_123_456_789));
    assert_eq!(settings.discord.ops_channel, Some(ChannelId(8)));
    assert_eq!(settings.access.owners, [UserId(1), UserId(2)]);
    assert_eq!(settings.docker.settle, Duration::ZERO);
    assert_eq!(settings.docker.parallel, 8);
    assert_eq!(settings.docker.allow.mounts, ["/srv"]);
    assert_eq!(
        (settings.log.level, settings.log.format),
        (Level::Debug, Format::Json)
    );
}

#[test]
fn shapes_are_refused_by_key_and_place() {
    insta::assert_snapshot!(refused("[docker]\nparalel = 2", &[]), @r"
    yardarm.toml: docker.paralel: unknown key `paralel`
    hint: did you mean `parallel`?
    ");
    insta::assert_snapshot!(refused("[dokcer]\nparallel = 2", &[]), @r"
    yardarm.toml: dokcer: unknown key `dokcer`
    hint: did you mean `docker`?
    ");
    let nameless = refused("\"\" = 1", &[]);
    assert!(
        nameless.starts_with("yardarm.toml: the file: unknown key ``"),
        "{nameless}"
    );
    insta::assert_snapshot!(refused("[docker.allow]\nprivileged = 1", &[]), @r"
    yardarm.toml: docker.allow.privileged: invalid type: integer `1`
    hint: expected a boolean
    ");
    insta::assert_snapshot!(refused("", &[("docker.parallel", "many")]), @r#"
    --set: docker.parallel: invalid type: string "many"
    hint: expected a whole number, not below 0
    "#);
    insta::assert_snapshot!(refused("", &[("parallel", "8"), ("docker.host.x", "8")]), @r"
    --set: parallel: `parallel` is no key that can be set
    hint: use a dotted key such as `docker.parallel`
    ");
    insta::assert_snapshot!(refused("[docker]\n\nhost = unix", &[]), @r"
    yardarm.toml: line 3: no TOML: string values must be quoted, expected literal string
    hint: mend the syntax; texts stand in double quotes
    ");
    insta::assert_snapshot!(refused("[access]\nowners = [1, \"olga\"]", &[]), @r#"
    yardarm.toml: access.owners[1]: invalid value: string "olga"
    hint: expected an id as Discord shows it: in Developer Mode, right-click and Copy ID
    "#);
    insta::assert_snapshot!(refused("[agents]\ndefault_fleet = \"Main\"", &[]), @r"
    yardarm.toml: agents.default_fleet: `Main` is no name
    hint: use 1 to 32 of a–z, 0–9, `-` and `_`, beginning with a letter or a digit
    ");
    insta::assert_snapshot!(refused("[discord]\nops_channel = 0\n", &[]), @r"
    yardarm.toml: discord.ops_channel: invalid value: integer `0`
    hint: expected an id as Discord shows it: in Developer Mode, right-click and Copy ID
    ");
    insta::assert_snapshot!(refused("[log]\nlevel = \"verbose\"", &[]), @r"
    yardarm.toml: log.level: unknown value `verbose`
    hint: use one of `error`, `warn`, `info`, `debug`, `trace`
    ");
}

#[test]
fn every_value_out_of_range_is_told_at_once() {
    let text = r#"
        [docker]
        host = "/var/run/docker.sock"
        name_prefix = "Yard arm"
        call_deadline_s = 0
        pull_deadline_s = 9
        settle_s = 601
        health_deadline_s = 0
        parallel = 65
        [docker.allow]
        mounts = ["srv"]
        [secrets]
        dir = "run/secrets"
        [agents]
        secrets_env_prefix = "DISCORD_"
        [roster]
        resync_s = 4
        sample_s = 1
        [outbox]
        max_attempts = 0
        digest_after_s = 86401
    "#;
    insta::assert_snapshot!(refused(text, &[("shutdown.grace_s", "601")]), @"
    yardarm.toml: docker.call_deadline_s: `0` is out of range
    hint: use 1 to 600
    yardarm.toml: docker.pull_deadline_s: `9` is out of range
    hint: use 10 to 86400
    yardarm.toml: docker.settle_s: `601` is out of range
    hint: use 0 to 600
    yardarm.toml: docker.health_deadline_s: `0` is out of range
    hint: use 1 to 3600
    yardarm.toml: docker.host: `/var/run/docker.sock` is no address of an engine
    hint: use `unix:///var/run/docker.sock`, `tcp://HOST:PORT` or `ssh://USER@HOST`
    yardarm.toml: docker.name_prefix: `Yard arm` does not fit
    hint: use 1 to 32 of a–z, 0–9, `-`, `_` and `.`, beginning with a letter or a digit
    yardarm.toml: docker.parallel: `65` is out of range
    hint: use 1 to 64
    yardarm.toml: docker.allow.mounts: `srv` is no absolute path
    hint: begin it with `/`
    yardarm.toml: secrets.dir: `run/secrets` is no absolute path
    hint: begin it with `/`
    yardarm.toml: agents.secrets_env_prefix: `DISCORD_` would hand the bot's token to agents
    hint: use A–Z, 0–9 and `_`, such as `AGENT_`
    yardarm.toml: roster.resync_s: `4` is out of range
    hint: use 5 to 3600
    yardarm.toml: roster.sample_s: `1` is out of range
    hint: use 2 to 3600
    yardarm.toml: outbox.digest_after_s: `86401` is out of range
    hint: use 0 to 86400
    yardarm.toml: outbox.max_attempts: `0` is out of range
    hint: use 1 to 100
    --set: shutdown.grace_s: `601` is out of range
    hint: use 0 to 600
    ");
}

#[test]
fn limits_of_our_own_life_out_of_range_are_told() {
    let text = r#"
        [ping]
        url_env = "PING_URL"
        interval_s = 9
        gateway_s = 86401
        [discord]
        gateway_dead_s = 86401
    "#;
    insta::assert_snapshot!(refused(text, &[]), @"
    yardarm.toml: discord.gateway_dead_s: `86401` is out of range
    hint: use 0 to 86400
    yardarm.toml: ping.interval_s: `9` is out of range
    hint: use 10 to 3600
    yardarm.toml: ping.gateway_s: `86401` is out of range
    hint: use 10 to 86400
    yardarm.toml: ping.url_env: `PING_URL` is not set
    hint: export it: `set -a; . ./.env; set +a`, if `.env` has it
    ");
}

#[test]
fn a_missing_file_is_told() {
    let error = Settings::load(Some(Path::new("nowhere.toml")), &[], &environment(&[]));
    insta::assert_snapshot!(error.unwrap_err(), @r"
    nowhere.toml: the file: cannot be read: No such file or directory (os error 2)
    hint: name the settings file with `--config PATH`
    ");
}

#[test]
fn what_must_be_set_is_told_at_once() {
    let error = load("", &[], &environment(&[("DISCORD_TOKEN", "")])).unwrap_err();
    insta::assert_snapshot!(error, @r"
    yardarm.toml: discord.guild: is missing
    hint: give the id of your server: in Developer Mode, right-click it and Copy Server ID
    environment: DISCORD_TOKEN: is not set
    hint: export `DISCORD_TOKEN` (`set -a; . ./.env; set +a`, if `.env` has it), or name a file that holds the token by `discord.token_file` or `DISCORD_TOKEN_FILE`
    ");
}

#[test]
fn a_command_on_the_host_needs_neither_a_token_nor_the_keys_of_others() {
    let text = r#"
        [discord]
        guild = 7
        token_file = "/no/token"
        [ping]
        url_env = "PING_URL"
        [[notify]]
        name = "pager"
        kind = "pagerduty"
        key_env = "PAGER_KEY"
        [[route]]
        name = "nights"
        notify = ["pager"]
    "#;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("yardarm.toml");
    std::fs::write(&file, text).expect("a file");
    let bare = environment(&[]);
    let settings = Settings::load_for_host(Some(&file), &[], &bare).expect("good settings");
    assert_eq!(settings.discord.guild, GuildId(7));
    assert_eq!(
        settings.squelch.routes.len(),
        2,
        "its own and the usual one"
    );
    let refused = Settings::load(Some(&file), &[], &bare).expect_err("nothing is set");
    assert_eq!(refused.0.len(), 3, "{refused}");
}

#[test]
fn a_token_in_the_settings_is_refused_and_not_repeated() {
    let error = refused(&format!("[discord]\ntoken = \"{TOKEN}\""), &[]);
    insta::assert_snapshot!(error, @r"
    yardarm.toml: discord.token: a token does not belong into settings, where it is copied and committed
    hint: export `DISCORD_TOKEN` (`set -a; . ./.env; set +a`, if `.env` has it), or name a file that holds the token by `discord.token_file` or `DISCORD_TOKEN_FILE`
    ");
    let error = refused("", &[("discord.token", TOKEN)]);
    assert!(!error.contains(TOKEN), "{error}");
}

#[test]
fn what_is_no_token_is_refused_and_not_repeated() {
    let error = load(
        "",
        &[("discord.guild", "7")],
        &environment(&[("DISCORD_TOKEN", "Bot s3cret")]),
    );
    insta::assert_snapshot!(error.unwrap_err(), @r"
    environment: DISCORD_TOKEN: does not hold a bot's token
    hint: it has three parts with dots between them: Developer Portal → your application → Bot → Reset Token
    ");
}

#[test]
fn a_token_may_stand_in_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).expect("a file");
    let path = file.display().to_string();
    let guild = ("discord.guild", "7");

    let by_variable = load("", &[guild], &environment(&[("DISCORD_TOKEN_FILE", &path)]));
    let by_key = load(
        "",
        &[guild, ("discord.token_file", &path)],
        &environment(&[]),
    );
    for settings in [by_variable, by_key] {
        let settings = settings.expect("good settings");
        assert_eq!(settings.discord.token.expose_secret(), TOKEN);
    }
    let gone = load(
        "",
        &[guild],
        &environment(&[("DISCORD_TOKEN_FILE", "/no/token")]),
    );
    insta::assert_snapshot!(gone.unwrap_err(), @r"
    environment (DISCORD_TOKEN_FILE): discord.token_file: `/no/token` cannot be read: No such file or directory (os error 2)
    hint: export `DISCORD_TOKEN` (`set -a; . ./.env; set +a`, if `.env` has it), or name a file that holds the token by `discord.token_file` or `DISCORD_TOKEN_FILE`
    ");
}

#[test]
fn a_local_endpoint_and_a_local_token_go_together() {
    let local = [
        ("discord.guild", "7"),
        ("discord.endpoint", "127.0.0.1:8443"),
        ("discord.ca_file", "ca.pem"),
    ];
    let settings = load("", &local, &environment(&[("DISCORD_TOKEN", LOCAL_TOKEN)]));
    assert_eq!(
        settings.expect("good settings").discord.endpoint,
        Some(Endpoint {
            address: "127.0.0.1:8443".parse().expect("an address"),
            ca_file: PathBuf::from("ca.pem"),
        })
    );
    let real = load("", &local, &environment(&[("DISCORD_TOKEN", TOKEN)]));
    insta::assert_snapshot!(real.unwrap_err(), @r"
    --set: discord.endpoint: `127.0.0.1:8443` would be sent the token of a real bot
    hint: leave `discord.endpoint` and `discord.ca_file` out, or use localcord's token
    ");
    let away = load(
        "",
        &local[..1],
        &environment(&[("DISCORD_TOKEN", LOCAL_TOKEN)]),
    );
    insta::assert_snapshot!(away.unwrap_err(), @r"
    environment: DISCORD_TOKEN: holds a token of a local Discord, and `discord.endpoint` is not set
    hint: set `discord.endpoint` and `discord.ca_file`, or use the token of a real bot
    ");
    let half = load(
        "",
        &local[..2],
        &environment(&[("DISCORD_TOKEN", LOCAL_TOKEN)]),
    );
    insta::assert_snapshot!(half.unwrap_err(), @r"
    --set: discord.endpoint: needs `discord.ca_file`
    hint: set both or none
    ");
}

#[test]
fn the_environment_names_the_engine_unless_the_file_does() {
    let variables = environment(&[
        ("DISCORD_TOKEN", TOKEN),
        ("DOCKER_HOST", "tcp://proxy:2375"),
    ]);
    let guild = [("discord.guild", "7")];
    let host = |text| {
        load(text, &guild, &variables)
            .expect("good settings")
            .docker
            .host
    };
    assert_eq!(host(""), "tcp://proxy:2375");
    assert_eq!(
        host("[docker]\nhost = \"unix:///d.sock\""),
        "unix:///d.sock"
    );

    let odd = environment(&[
        ("DISCORD_TOKEN", TOKEN),
        ("DOCKER_HOST", "npipe:////./pipe"),
    ]);
    insta::assert_snapshot!(load("", &guild, &odd).unwrap_err(), @r"
    environment (DOCKER_HOST): docker.host: `npipe:////./pipe` is no address of an engine
    hint: use `unix:///var/run/docker.sock`, `tcp://HOST:PORT` or `ssh://USER@HOST`
    ");
}

#[test]
fn an_address_that_cannot_be_connected_to_is_no_setting() {
    insta::assert_snapshot!(refused("[docker]\nhost = \"tcp://engine\"", &[]), @r"
    yardarm.toml: docker.host: `tcp://engine` is no address of an engine
    hint: use `unix:///var/run/docker.sock`, `tcp://HOST:PORT` or `ssh://USER@HOST`
    ");
    insta::assert_snapshot!(refused("[docker]\nhost = \"ssh://me@engine:2222\"", &[]), @r"
    yardarm.toml: docker.host: `ssh://me@engine:2222` is no address of an engine
    hint: use `ssh://USER@HOST`; the port stands in the settings of ssh
    ");
}

#[test]
fn the_environment_names_the_files_of_an_engine_that_speaks_tls() {
    let variables = environment(&[
        ("DISCORD_TOKEN", TOKEN),
        ("DOCKER_HOST", "tcp://engine:2376"),
        ("DOCKER_TLS_VERIFY", "1"),
        ("DOCKER_CERT_PATH", "/certs"),
    ]);
    let guild = [("discord.guild", "7")];
    let key = |text| {
        let docker = load(text, &guild, &variables)
            .expect("good settings")
            .docker;
        docker.tls_key
    };
    assert_eq!(key(""), Some("/certs/key.pem".into()));
    assert_eq!(key("[docker]\nhost = \"unix:///d.sock\""), None);
    let files = "[docker]\ntls_ca = \"a\"\ntls_cert = \"c\"\ntls_key = \"k\"";
    assert_eq!(key(files), Some("k".into()));

    insta::assert_snapshot!(refused("[docker]\ntls_ca = \"ca.pem\"", &[]), @r"
    yardarm.toml: docker.tls_ca: authority, certificate and key belong together
    hint: set `docker.tls_ca`, `docker.tls_cert` and `docker.tls_key`, or none
    ");
    let socket = format!("{files}\nhost = \"unix:///d.sock\"");
    insta::assert_snapshot!(refused(&socket, &[]), @r"
    yardarm.toml: docker.host: `unix:///d.sock` is no address of an engine
    hint: with `docker.tls_ca` use `tcp://HOST:PORT`
    ");
}

const GRANTED: &str = r#"
    [access]
    owners = [1]
    [[team]]
    name = "watch"
    roles = ["20"]
    users = [12]
    owns = ["night", "prod-*"]
    [[grant]]
    role = 20
    level = "operator"
    fleet = "prod-*"
    until = 2026-12-31T19:00:00+01:00
    [[grant]]
    team = "watch"
    level = "viewer"
    fleet = "*"
    until = "2026-12-31T18:00:00Z"
"#;

#[test]
fn grants_and_teams_are_taken_over() {
    let access = good(GRANTED).access;
    let lines: Vec<String> = access
        .grants
        .iter()
        .map(|grant| {
            let until = grant.until.map(|until| until.to_string());
            format!(
                "{} {} {} {until:?}",
                grant.holder, grant.level, grant.fleets
            )
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    <@1> owner * None
    <@&20> operator prod-* Some("2026-12-31 18:00:00 UTC")
    team `watch` viewer * Some("2026-12-31 18:00:00 UTC")
    "#);
    let team = &access.teams[0];
    let owns: Vec<&str> = team.owns.iter().map(Pattern::as_str).collect();
    assert_eq!(
        (team.name.as_str(), owns),
        ("watch", vec!["night", "prod-*"])
    );
}

#[test]
fn a_door_into_the_networks_of_fleets_is_refused() {
    for everywhere in ["0.0.0.0:9464", "[::]:9464"] {
        let text = format!("[http]\nlisten = \"{everywhere}\"");
        let refused = refused(&text, &[]);
        let expected =
            format!("http.listen: `{everywhere}` listens in the networks of all fleets too");
        assert!(refused.contains(&expected), "{refused}");
    }
    insta::assert_snapshot!(refused("[http]\nlisten = \"9464\"", &[]), @"
    yardarm.toml: http.listen: invalid socket address syntax
    hint: see the comments and the schema in `configs`
    ");
}

#[test]
fn grants_that_mean_nobody_are_refused() {
    let wrong = r#"
        [[team]]
        name = "watch"
        roles = [7]
        [[team]]
        name = "watch"
        [[grant]]
        team = "wacth"
        level = "viewer"
        fleet = "*"
        [[grant]]
        role = 20
        user = 12
        level = "viewer"
        fleet = "*"
        [[grant]]
        role = 7
        level = "viewer"
        fleet = "*"
        [[grant]]
        user = 12
        level = "viewer"
        fleet = "*"
        until = "tomorrow"
    "#;
    insta::assert_snapshot!(refused(wrong, &[]), @r"
    yardarm.toml: team[0].roles: is the server's own id, which stands for @everyone
    hint: make a role that people are given, and use its id
    yardarm.toml: team[1].name: `watch` is there twice
    hint: give each team a name of its own
    yardarm.toml: grant[0].team: there is no team `wacth`
    hint: did you mean `watch`?
    yardarm.toml: grant[1]: is for nobody or for several
    hint: give one of `role`, `user` and `team`
    yardarm.toml: grant[2].role: is the server's own id, which stands for @everyone
    hint: make a role that people are given, and use its id
    yardarm.toml: grant[3].until: `tomorrow` is no instant
    hint: write date, time and zone: `2026-12-31T18:00:00Z`
    ");
    let level = "[[grant]]\nuser = 1\nlevel = \"admin\"\nfleet = \"*\"";
    insta::assert_snapshot!(refused(level, &[]), @r"
    yardarm.toml: grant[0].level: unknown value `admin`
    hint: use one of `viewer`, `operator`, `maintainer`, `owner`
    ");
    let fleet = "[[grant]]\nuser = 1\nlevel = \"owner\"\nfleet = \"Prod\"";
    insta::assert_snapshot!(refused(fleet, &[]), @r"
    yardarm.toml: grant[0].fleet: `Prod` is no pattern
    hint: use a–z, 0–9, `-`, `_`, and `*` for any characters
    ");
    insta::assert_snapshot!(refused("[[grant]]\nuser = 1\nlevel = \"owner\"", &[]), @r"
    yardarm.toml: grant[0]: `fleet` is missing
    hint: add `fleet`
    ");
}

#[test]
fn agents_get_the_secrets_with_their_prefix_only() {
    let variables = environment(&[
        ("DISCORD_TOKEN", TOKEN),
        ("AGENT_API_KEY", "sk-1"),
        ("AGENT_EMPTY", ""),
        ("AGENT_", "nameless"),
        ("HOME", "/root"),
    ]);
    let settings = load("", &[("discord.guild", "7")], &variables).expect("good settings");
    let names: Vec<&String> = settings.agents.secrets.keys().collect();
    assert_eq!(names, ["API_KEY"]);
}

#[test]
fn the_vaults_key_is_beside_the_database_unless_told_otherwise() {
    let settings = good("[database]\npath = \"/var/lib/y.db\"");
    assert_eq!(settings.vault.key_file, PathBuf::from("/var/lib/y.key"));
    assert!(settings.vault.key.is_none());
    let elsewhere = good("[vault]\nkey_file = \"/etc/key\"");
    assert_eq!(elsewhere.vault.key_file, PathBuf::from("/etc/key"));
}

#[test]
fn secrets_are_never_printed() {
    let variables = environment(&[
        ("DISCORD_TOKEN", TOKEN),
        ("YARDARM_VAULT_KEY", "a-key-of-32-bytes"),
        ("AGENT_API_KEY", "sk-very-secret"),
    ]);
    let settings = load("", &[("discord.guild", "7")], &variables).expect("good settings");
    let printed = format!("{settings:#?}");
    assert!(printed.contains("API_KEY"), "{printed}");
    assert!(!printed.contains(TOKEN), "{printed}");
    assert!(!printed.contains("sk-very-secret"), "{printed}");
    assert!(settings.vault.key.is_some());
    assert!(!printed.contains("a-key-of-32-bytes"), "{printed}");
}

/// The keys in `configs/yardarm.toml` and the values shown there.
fn documented() -> BTreeMap<String, toml::Value> {
    let mut keys = leaves(&uncommented().parse().expect("TOML"));
    // What a template is given has the template's keys.
    if let Some(given) = keys.remove("schedule.set.greeting") {
        keys.insert("schedule.set".to_owned(), given);
    }
    keys
}

/// The shipped file, its examples included.
fn uncommented() -> String {
    let text = std::fs::read_to_string(repository("configs/yardarm.toml")).expect("the file");
    let is_key =
        |line: &str| line.starts_with(|c: char| c.is_ascii_lowercase()) && line.contains(" = ");
    let uncommented: Vec<&str> = text
        .lines()
        .map(|line| {
            line.strip_prefix('#')
                .filter(|rest| is_key(rest) || rest.starts_with("[["))
                .unwrap_or(line)
        })
        .collect();
    uncommented.join("\n")
}

/// Dotted keys; those of a list of tables stand for all its tables.
fn leaves(table: &toml::Table) -> BTreeMap<String, toml::Value> {
    let mut found = BTreeMap::new();
    for (key, value) in table {
        match value {
            toml::Value::Table(section) => found.extend(
                leaves(section)
                    .into_iter()
                    .map(|(inner, value)| (format!("{key}.{inner}"), value)),
            ),
            toml::Value::Array(entries) if entries.iter().any(toml::Value::is_table) => {
                let tables = entries.iter().filter_map(toml::Value::as_table);
                let inner = tables.flat_map(leaves);
                found.extend(inner.map(|(inner, value)| (format!("{key}.{inner}"), value)));
            }
            value => {
                found.insert(key.clone(), value.clone());
            }
        }
    }
    found
}

/// The dotted keys that a schema describes.
fn described(schema: &serde_json::Value, root: &serde_json::Value) -> BTreeSet<String> {
    let reference = schema
        .get("$ref")
        .or_else(|| schema.pointer("/allOf/0/$ref"))
        // An array of tables.
        .or_else(|| schema.pointer("/items/$ref"));
    let schema = match reference.and_then(serde_json::Value::as_str) {
        Some(reference) => root
            .pointer(reference.trim_start_matches('#'))
            .expect("a definition"),
        None => schema,
    };
    if let Some(items) = schema.get("items") {
        return described(items, root);
    }
    // An optional table: itself or null.
    if let Some(table) = schema.pointer("/anyOf/0/$ref") {
        return described(&serde_json::json!({ "$ref": table }), root);
    }
    let Some(properties) = schema
        .get("properties")
        .and_then(serde_json::Value::as_object)
    else {
        return BTreeSet::from([String::new()]);
    };
    let nested = properties.iter().flat_map(|(key, inner)| {
        let keys = described(inner, root).into_iter();
        keys.map(move |rest| {
            if rest.is_empty() {
                key.clone()
            } else {
                format!("{key}.{rest}")
            }
        })
    });
    nested.collect()
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_shipped_file_shows_every_key_and_its_default() {
    const WITHOUT_DEFAULT: [&str; 38] = [
        "audit.anchor_channel",
        "backup.dir",
        "backup.passphrase_file",
        "discord.ca_file",
        "discord.endpoint",
        "discord.guild",
        "discord.ops_channel",
        "discord.token_file",
        "docker.tls_ca",
        "docker.tls_cert",
        "docker.tls_key",
        "grant.fleet",
        "grant.level",
        "grant.role",
        "grant.team",
        "grant.until",
        "grant.user",
        "http.listen",
        "ping.url_env",
        "ping.url_file",
        "ping.url_secret",
        "schedule.action",
        "schedule.agent",
        "schedule.cron",
        "schedule.fleet",
        "schedule.missed",
        "schedule.name",
        "schedule.overlap",
        "schedule.set",
        "schedule.template",
        "schedule.until",
        "schedule.up_to",
        "schedule.zone",
        "team.name",
        "team.owns",
        "team.roles",
        "team.users",
        "vault.key_file",
    ];
    let documented = documented();
    let schema = schemars::schema_for!(File).to_value();
    let keys: BTreeSet<String> = documented.keys().cloned().collect();
    assert_eq!(keys, described(&schema, &schema), "every key, and no other");

    let defaults = leaves(&toml::Table::try_from(File::default()).expect("TOML"));
    let (shown, examples): (BTreeMap<_, _>, BTreeMap<_, _>) = documented
        .into_iter()
        // Rules, routes and the like are examples through and through.
        .filter(|(key, _)| {
            !["policy.", "route.", "notify.", "maintenance.", "threshold."]
                .iter()
                .any(|list| key.starts_with(list))
        })
        .partition(|(key, _)| !WITHOUT_DEFAULT.contains(&key.as_str()));
    assert_eq!(shown, defaults, "the file shows the defaults of the code");
    let examples: Vec<&str> = examples.keys().map(String::as_str).collect();
    assert_eq!(examples, WITHOUT_DEFAULT);
}

#[test]
fn the_shipped_file_is_accepted_once_the_guild_is_given() {
    let path = repository("configs/yardarm.toml");
    let variables = environment(&[("DISCORD_TOKEN", TOKEN)]);
    let loaded = Settings::load(Some(&path), &pairs(&[("discord.guild", "7")]), &variables);
    assert!(loaded.is_ok(), "{}", loaded.unwrap_err());
}

#[test]
fn the_rules_shown_as_examples_are_rules() {
    let text = uncommented();
    let rules = text.split("\n[[policy]]").skip(1).map(|rule| {
        let rule = rule.split("\n[").next().unwrap_or_default();
        format!("[[policy]]{rule}")
    });
    let settings = good(&rules.collect::<Vec<_>>().join("\n"));
    let names: Vec<&str> = settings
        .policies
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    let shown = ["two for production", "not while nobody is awake"];
    assert_eq!(names[..2], shown);
    assert_eq!(names[2], "team: on the host", "the preset comes after them");
}

#[test]
fn a_rule_is_read_with_all_it_says() {
    let settings = good(
        r#"
        [access]
        preset = "solo"
        [[team]]
        name = "sre"
        [[policy]]
        name = "nights"
        actions = ["secret set", "stop"]
        levels = ["operator"]
        origins = ["chat"]
        loosens = false
        window = { days = ["fri", "Sat"], from = "22:00", to = "06:00", zone = "Europe/Berlin" }
        effect = "ask"
        ask = { approvals = 1, level = "owner", users = ["5"], roles = [6], teams = ["sre"], expires_s = 60, requester_counts = true, reason_required = true, allow_for_s = 3600, channel = 8 }
        [[policy]]
        name = "asked"
        effect = "ask"
    "#,
    );
    insta::assert_snapshot!(format!("{:?}", settings.policies[0]), @r#"Policy { name: "nights", when: Match { actions: [SecretSet, Stop], fleets: [], agents: [], templates: [], levels: [Operator], origins: [Chat], loosens: Some(false), several: None, sole_owner: None, window: Some(Window { days: [Fri, Sat], from: 22:00:00, to: 06:00:00, zone: Europe/Berlin }) }, effect: Ask(Ask { approvals: 1, by: Approvers { level: Some(Owner), users: [UserId(5)], roles: [RoleId(6)], teams: [Name("sre")] }, expires: TimeDelta { secs: 60, nanos: 0 }, requester_counts: true, reason_required: true, allow_for: Some(TimeDelta { secs: 3600, nanos: 0 }), channel: Some(ChannelId(8)) }) }"#);
    assert_eq!(settings.policies[1].effect, Effect::Ask(Ask::of(1)));
    let preset = Preset::Solo.policies();
    assert_eq!(settings.policies[2..], preset);
}

#[test]
fn the_shape_of_a_rule_is_checked() {
    insta::assert_snapshot!(refused("[[policy]]\nname = \"x\"\neffect = \"ask\"\naction = []", &[]), @r"
    yardarm.toml: policy[0].action: unknown key `action`
    hint: did you mean `actions`?
    ");
    insta::assert_snapshot!(refused("[[policy]]\nname = \"x\"\neffect = \"perhaps\"", &[]), @r"
    yardarm.toml: policy[0].effect: unknown value `perhaps`
    hint: use one of `allow`, `deny`, `confirm`, `ask`
    ");
    insta::assert_snapshot!(refused("[[policy]]\neffect = \"allow\"", &[]), @r"
    yardarm.toml: policy[0]: `name` is missing
    hint: add `name`
    ");
}

#[test]
fn everything_wrong_with_rules_is_told_at_once() {
    let text = r#"
        [[policy]]
        name = "x"
        actions = ["stop", "stops"]
        fleets = ["Prod"]
        origins = ["somewhere"]
        effect = "allow"
        reason = "because"
        ask = { approvals = 0, teams = ["S R E"] }
        [[policy]]
        name = "x"
        effect = "deny"
        [[policy]]
        name = ""
        effect = "ask"
        ask = { approvals = 0, teams = ["S R E"], expires_s = 59, allow_for_s = 604801 }
        window = { days = ["Mo"], from = "24:00", to = "6", zone = "Europe/Berln" }
        [[policy]]
        name = "y"
        effect = "ask"
        ask = { approvals = 2, allow_for_s = 3600 }
    "#;
    insta::assert_snapshot!(refused(text, &[]), @r#"
    yardarm.toml: policy[0].actions[1]: unknown value `stops`
    hint: did you mean `stop`?
    yardarm.toml: policy[0].fleets[0]: `Prod` is no pattern
    hint: use a–z, 0–9, `-`, `_`, and `*` for any characters
    yardarm.toml: policy[0].origins[0]: unknown value `somewhere`
    hint: use one of `chat`, `converge`, `host`, `schedule`, `recovery`
    yardarm.toml: policy[0].ask: belongs to another effect
    hint: set `effect = "ask"`
    yardarm.toml: policy[0].reason: belongs to another effect
    hint: set `effect = "deny"`, or `ask.reason_required` if people must give one
    yardarm.toml: policy[1].name: `x` is the name of another rule too
    hint: give each rule a name of its own
    yardarm.toml: policy[1].reason: is missing
    hint: say why, and what people can do instead
    yardarm.toml: policy[2].name: `` does not fit
    hint: use 1 to 60 characters
    yardarm.toml: policy[2].window.days[0]: `Mo` is no day
    hint: use `Mon` to `Sun`
    yardarm.toml: policy[2].window.from: `24:00` is no time of day
    hint: use `HH:MM`, from `00:00` to `23:59`
    yardarm.toml: policy[2].window.to: `6` is no time of day
    hint: use `HH:MM`, from `00:00` to `23:59`
    yardarm.toml: policy[2].window.zone: `Europe/Berln` is no time zone
    hint: did you mean `Europe/Berlin`?
    yardarm.toml: policy[2].ask.approvals: `0` is out of range
    hint: use 1 to 20
    yardarm.toml: policy[2].ask.expires_s: `59` is out of range
    hint: use 60 to 2592000
    yardarm.toml: policy[2].ask.allow_for_s: `604801` is out of range
    hint: use 60 to 604800
    yardarm.toml: policy[2].ask.teams[0]: unknown value `S R E`
    hint: there is none
    yardarm.toml: policy[3].ask.allow_for_s: needs `approvals = 1`
    hint: leave one of them out: whoever answers last would waive for all
    "#);
}

#[test]
fn the_committed_schemas_are_current() {
    for (file, current) in schema::all() {
        let committed = std::fs::read_to_string(repository("configs/schema").join(file));
        assert!(
            committed.is_ok_and(|committed| committed == current),
            "configs/schema/{file} is not current: run `cargo run -- schema`"
        );
    }
}

#[test]
fn targets_take_their_secrets_from_elsewhere_and_show_them_to_nobody() {
    let text = r#"
        [[notify]]
        name = "pager"
        kind = "pagerduty"
        key_env = "PAGER_KEY"
        [[notify]]
        name = "phone"
        kind = "ntfy"
        url_env = "PHONE_URL"
        [[route]]
        name = "nights"
        notify = ["phone"]
        escalate = [{ after_s = 900, notify = ["pager"] }]
    "#;
    let variables = [
        ("DISCORD_TOKEN", TOKEN),
        ("PAGER_KEY", "planted-key"),
        ("PHONE_URL", "https://ntfy.example.org/base/planted-topic"),
    ];
    let settings = load(text, &[("discord.guild", "7")], &environment(&variables));
    let settings = settings.unwrap_or_else(|error| panic!("{error}"));
    let Some(Outlet::Open(Target::PagerDuty { url, key })) = settings.notify.get("pager") else {
        panic!("{:?}", settings.notify);
    };
    assert_eq!(
        (url.expose().as_str(), key.expose_secret()),
        ("https://events.pagerduty.com/v2/enqueue", "planted-key")
    );
    let Some(Outlet::Open(Target::Ntfy { server, topic, .. })) = settings.notify.get("phone")
    else {
        panic!("{:?}", settings.notify);
    };
    assert_eq!(
        (server.expose().as_str(), topic.expose_secret()),
        ("https://ntfy.example.org/base/", "planted-topic")
    );
    assert!(!format!("{settings:?}").contains("planted"));
    let route = &settings.squelch.routes[0];
    assert_eq!(route.to, [Destination::Target("phone".to_owned())]);
    assert_eq!(
        route.escalation[0].to,
        [Destination::Target("pager".to_owned())]
    );
}

#[test]
fn what_the_vault_holds_is_named_and_looked_up_later() {
    let text = r#"
        [discord]
        guild = "7"
        [ping]
        url_secret = "PING_URL"
        [[notify]]
        name = "hook"
        kind = "webhook"
        url_secret = "HOOK_URL"
        key_env = "HOOK_KEY"
    "#;
    let variables = [("DISCORD_TOKEN", TOKEN), ("HOOK_KEY", "planted-key")];
    let settings = load(text, &[], &environment(&variables));
    let settings = settings.unwrap_or_else(|error| panic!("{error}"));
    let named = |secret: &str, user: &str| (secret.to_owned(), user.to_owned());
    assert_eq!(
        settings.outlet_secrets(),
        [named("HOOK_URL", "target hook"), named("PING_URL", "ping")]
    );
    let Some(Outlet::Locked(locked)) = settings.notify.get("hook") else {
        panic!("{:?}", settings.notify);
    };
    let open = |url: &str| {
        let value = secrecy::SecretString::from(url);
        locked.open(&BTreeMap::from([("HOOK_URL".to_owned(), value)]))
    };
    assert!(matches!(
        open("https://example.org/planted"),
        Ok(Target::Webhook { .. })
    ));
    let wrong = open("planted").expect_err("no address");
    assert_eq!(wrong, "`it.url` does not hold an address");
    assert!(!format!("{settings:?}").contains("planted"));
}

#[test]
fn a_target_names_one_place_and_a_secret_by_its_name() {
    let text = r#"
        [discord]
        guild = "7"
        [ping]
        url_secret = "ping url"
        [[notify]]
        name = "chat"
        kind = "slack"
        url_env = "CHAT_URL"
        url_secret = "CHAT_URL"
        [[notify]]
        name = "hook"
        kind = "webhook"
        url_secret = "HOOK_URL"
        [[notify]]
        name = "talk"
        kind = "slack"
        url_secret = "TALK_URL"
        key_secret = "TALK_KEY"
    "#;
    let refused = load(text, &[], &environment(&[("DISCORD_TOKEN", TOKEN)]));
    insta::assert_snapshot!(refused.map(drop).expect_err("wrong settings"), @"
    yardarm.toml: notify[0].url_env: stands beside `url_secret`
    hint: keep one of them
    yardarm.toml: notify[1].key: is missing
    hint: name the variable, the file or the secret that holds what to sign with: `key_env`, `key_file` or `key_secret`
    yardarm.toml: notify[2].key: has no use
    hint: leave it out: the address is all
    yardarm.toml: ping.url_secret: `ping url` is no name of a secret: use A–Z, a–z, 0–9 and `_`, beginning with a letter, at most 56
    hint: name one of `/secret list`
    ");
}

#[test]
fn wrong_targets_are_refused_by_key_and_without_their_secrets() {
    let text = r#"
        [[notify]]
        name = "pager"
        kind = "pagerduty"
        [[notify]]
        name = "pager"
        kind = "slack"
        url_env = "BROKEN_URL"
        [[notify]]
        name = "hook"
        kind = "webhook"
        url_env = "NO_SUCH_URL"
        url_file = "/no/such/file"
        key_env = "NO_SUCH_KEY"
        [[notify]]
        name = "phone"
        kind = "ntfy"
        url_file = "/no/such/file"
        [[route]]
        name = "nights"
        notify = ["pagr"]
        escalate = [{ after_s = 900, notify = ["nobody"] }]
    "#;
    let variables = [
        ("DISCORD_TOKEN", TOKEN),
        ("BROKEN_URL", "planted.example.org"),
    ];
    let refused = load(text, &[("discord.guild", "7")], &environment(&variables));
    insta::assert_snapshot!(refused.map(drop).expect_err("wrong settings"), @"
    yardarm.toml: route[0].notify: there is no `[[notify]]` entry `pagr`
    hint: did you mean `pager`?
    yardarm.toml: route[0].escalate[0].notify: there is no `[[notify]]` entry `nobody`
    hint: use one of `hook`, `pager`, `phone`
    yardarm.toml: notify[0].key: is missing
    hint: name the variable, the file or the secret that holds the routing key of the service: `key_env`, `key_file` or `key_secret`
    yardarm.toml: notify[1].name: `pager` is taken or empty
    hint: give each target a name of its own
    yardarm.toml: notify[1].url: does not hold an address
    hint: it begins with `https://`, or with `http://` in a network that you trust
    yardarm.toml: notify[2].url_env: stands beside `url_file`
    hint: keep one of them
    yardarm.toml: notify[2].key_env: `NO_SUCH_KEY` is not set
    hint: export it: `set -a; . ./.env; set +a`, if `.env` has it
    yardarm.toml: notify[3].url_file: `/no/such/file` cannot be read: No such file or directory (os error 2)
    hint: name a file that is there
    ");
}

#[test]
fn thresholds_that_cannot_be_are_refused_by_key() {
    let refused = |entry: &str| refused(&format!("[[threshold]]\n{entry}"), &[]);
    insta::assert_snapshot!(refused("on = \"agents\"\nmeasure = \"disk\"\nabove = 0.0\nbelow = 5.0"), @"
    yardarm.toml: threshold[0].measure: `disk` is not measured of `agents`
    hint: use `cpu`, `memory`, `pids`
    yardarm.toml: threshold[0].above: `0` is out of range
    hint: use 1 to 10000
    yardarm.toml: threshold[0].below: is more than `above`
    hint: leave it out, or set a little less than `above`
    ");
    insta::assert_snapshot!(refused("on = \"host\"\nmeasure = \"disk\"\nabove = 90.0\nfor_s = 90000\nfleets = [\"x\"]"), @"
    yardarm.toml: threshold[0].fleets: does not fit the host, which is of no fleet
    hint: leave `fleets` and `agents` out
    yardarm.toml: threshold[0].for_s: `90000` is out of range
    hint: use 0 to 86400
    ");
}

#[test]
fn a_route_is_read_with_all_it_says() {
    let settings = good(
        r#"
        [alerts]
        repeats = 5
        [[route]]
        name = "nights"
        severities = ["critical", "warning"]
        kinds = ["down"]
        fleets = ["prod-*"]
        agents = ["scout"]
        window = { days = ["fri"], from = "22:00", to = "06:00", zone = "Europe/Berlin" }
        channels = [8]
        users = [5]
        roles = [6]
        thread = true
        group_by = "route"
        group_wait_s = 0
        group_interval_s = 60
        repeat_interval_s = 3600
        escalate = [{ after_s = 900, channels = [9], most = 2 }, { after_s = 60 }]
        [[maintenance]]
        name = "sundays"
        fleets = ["main"]
        window = { days = ["Sun"], from = "02:00", to = "04:00", zone = "UTC" }
        "#,
    );
    let route = &settings.squelch.routes[0];
    let here = |id| vec![Destination::Channel(ChannelId(id))];
    assert_eq!(
        route.matcher.to_string(),
        "agent scout, fleet prod-*, kind down, severity critical or warning"
    );
    assert_eq!(
        route.window.as_ref().map(ToString::to_string).as_deref(),
        Some("Fri 22:00–06:00 Europe/Berlin")
    );
    assert_eq!((&route.to, &route.users), (&here(8), &vec![UserId(5)]));
    assert_eq!((route.thread, route.group_by), (true, GroupBy::Route));
    let seconds = chrono::Duration::seconds;
    let pace = Pace {
        group_wait: seconds(0),
        group_interval: seconds(60),
        repeat_interval: seconds(3600),
        repeats: 5,
    };
    assert_eq!(route.pace, pace);
    // A rung that names nobody is for those of the route.
    let ladder = route.escalation.iter();
    let ladder = ladder.map(|rung| (rung.after, rung.to.clone(), rung.most));
    assert_eq!(
        ladder.collect::<Vec<_>>(),
        [(seconds(900), here(9), 2), (seconds(60), here(8), 1)]
    );
    let maintenance = &settings.squelch.maintenance[0];
    assert_eq!(maintenance.matcher.to_string(), "fleet main");
    assert_eq!(settings.squelch.routes[1].name, "ops", "the last resort");
}

#[test]
fn routes_and_maintenance_that_cannot_be_are_refused_by_key() {
    let told = refused(
        r#"
        [[route]]
        name = "ops"
        fleets = ["Prod"]
        group_wait_s = 4000
        group_interval_s = 90000
        repeat_interval_s = 5
        escalate = [{ after_s = 900 }, { after_s = 5, most = 0 }]
        [[route]]
        name = "long"
        escalate = [
            { after_s = 60 }, { after_s = 60 }, { after_s = 60 }, { after_s = 60 }, { after_s = 60 },
            { after_s = 60 }, { after_s = 60 }, { after_s = 60 }, { after_s = 60 },
        ]
        [[maintenance]]
        name = "never"
        agents = ["S*"]
        window = { days = ["Someday"], from = "25:00", to = "08:00", zone = "Mars/Olympus" }
        "#,
        &[("alerts.keep_days", "30")],
    );
    for wrong in [
        "alerts.keep_days: `30` is out of range",
        "route[0].name: `ops` is taken or empty",
        "route[0].fleets[0]: `Prod` is no pattern",
        "route[0].group_wait_s: `4000` is out of range",
        "route[0].group_interval_s: `90000` is out of range",
        "route[0].repeat_interval_s: `5` is out of range",
        "route[0].escalate[1].after_s: `5` is out of range",
        "route[0].escalate[1].most: `0` is out of range",
        "route[1].escalate: is too long",
        "maintenance[0].agents[0]: `S*` is no pattern",
        "maintenance[0].window.days[0]: `Someday` is no day",
        "maintenance[0].window.from: `25:00` is no time of day",
        "maintenance[0].window.zone: ",
    ] {
        assert!(told.contains(wrong), "{wrong}:\n{told}");
    }
    for wrong in [
        "severities = [\"grave\"]",
        "kinds = [\"odd\"]",
        "group_by = \"agent\"",
    ] {
        let told = refused(&format!("[[route]]\nname = \"one\"\n{wrong}"), &[]);
        assert!(told.contains("route[0]"), "{told}");
    }
}
