//! `yardarm doctor` against a Discord and an engine that are well, and against those that are not.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use localcord::{Fault, Localcord, Options};
use yardarm::{
    cli::{
        doctor::{channels, channels_with_threads, examine_host},
        rights,
    },
    clock::Clock as _,
    config::{Environment, Settings},
    discord::doctor::examine,
    domain::{
        agent::Name,
        finding::Finding,
        grant::{Grant, Holder, Level, Source},
        ids::{ChannelId, RoleId, UserId},
        pattern::Pattern,
    },
    ops::access::Known,
    store::{Store, fleets, grants},
};

use crate::support::{
    clock::FixedClock,
    fake_engine::FakeEngine,
    talk::slash,
    test_app::{TestApp, said},
};

/// No channel but the ops channel.
const NOWHERE: (&BTreeMap<ChannelId, String>, &BTreeSet<ChannelId>) =
    (&BTreeMap::new(), &BTreeSet::new());

struct Clinic {
    cord: Localcord,
    folder: tempfile::TempDir,
}

impl Clinic {
    async fn open() -> Self {
        Self::open_with(str::to_owned).await
    }

    async fn open_with(guild: impl FnOnce(&str) -> String) -> Self {
        let mut options = Options::default();
        options.guild = guild(&options.guild);
        let cord = Localcord::start(options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), cord.ca_pem()).unwrap();
        Self { cord, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn settings(&self, overrides: &[(&str, String)]) -> Settings {
        self.settings_of(None, overrides)
    }

    fn settings_of(&self, file: Option<&Path>, overrides: &[(&str, String)]) -> Settings {
        let token = ("DISCORD_TOKEN".to_owned(), self.cord.token().to_owned());
        let mut set = vec![
            ("discord.guild", format!("\"{}\"", self.cord.guild_id())),
            ("discord.endpoint", self.cord.rest_addr().to_string()),
            ("discord.ca_file", self.path("ca.pem").display().to_string()),
            ("secrets.dir", "/dev/shm/yardarm-secrets".to_owned()),
        ];
        set.extend_from_slice(overrides);
        let set: Vec<(String, String)> = set
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        Settings::load(file, &set, &Environment::from_iter([token])).unwrap()
    }

    async fn ask_discord(&self, overrides: &[(&str, String)]) -> String {
        let settings = self.settings(overrides);
        self.said(&examine(&settings.discord, &BTreeSet::new(), NOWHERE).await)
    }

    /// As another program does with the same bot, or an older one of ours.
    async fn register_everywhere(&self, command: &str) {
        let authority = reqwest::Certificate::from_pem(self.cord.ca_pem().as_bytes()).unwrap();
        let client = reqwest::Client::builder()
            .no_proxy()
            .add_root_certificate(authority)
            .resolve("discord.com", self.cord.rest_addr());
        let bot = self.cord.bot_id();
        let url = format!("https://discord.com/api/v10/applications/{bot}/commands");
        let body = serde_json::json!({ "name": command, "description": "another's" });
        let call = client.build().unwrap().post(url).json(&body);
        let token = format!("Bot {}", self.cord.token());
        let answer = call.header("authorization", token).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// What is said last if alerts have threads in #ops.
    async fn ask_for_threads(&self) -> String {
        let ops = self.cord.channel("ops").id();
        let file = self.path("yardarm.toml");
        std::fs::write(&file, "[[route]]\nname = \"all\"\nthread = true\n").unwrap();
        let settings = self.settings_of(Some(&file), &[ops_channel(&ops)]);
        let threaded = channels_with_threads(&settings);
        let said =
            self.said(&examine(&settings.discord, &BTreeSet::new(), (NOWHERE.0, &threaded)).await);
        said.lines().last().unwrap_or_default().to_owned()
    }

    /// What is said of who may do what.
    async fn look_at_rights(&self, settings: &Settings) -> String {
        let (_, findings) = rights::examine(settings, FixedClock::new().now()).await;
        self.said(&findings)
    }

    fn said(&self, findings: &[Finding]) -> String {
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        lines
            .join("\n")
            .replace(&self.cord.people_addr().to_string(), "LOCAL")
            .replace(&self.folder.path().display().to_string(), "FOLDER")
            .replace(&self.cord.bot_id().to_string(), "BOT")
            .replace(&self.cord.guild_id().to_string(), "GUILD")
    }
}

fn ops_channel(id: &impl ToString) -> (&'static str, String) {
    ("discord.ops_channel", format!("\"{}\"", id.to_string()))
}

#[tokio::test]
async fn a_good_set_up_is_well() {
    let clinic = Clinic::open().await;
    let ops = clinic.cord.channel("ops").id();
    insta::assert_snapshot!(clinic.ask_discord(&[ops_channel(&ops)]).await, @r"
    ok    token: the bot is yardarm (BOT)
    ok    interactions: they come over the gateway
    ok    gateway: ws://LOCAL/gateway answers
    ok    guild: the bot is in harbour
    ok    commands: none yet: `yardarm up` registers them
    ok    ops channel: the bot may write in #ops
    ");
    insta::assert_snapshot!(clinic.ask_discord(&[]).await, @r"
    ok    token: the bot is yardarm (BOT)
    ok    interactions: they come over the gateway
    ok    gateway: ws://LOCAL/gateway answers
    ok    guild: the bot is in harbour
    ok    commands: none yet: `yardarm up` registers them
    warn  ops channel: none: reports of interrupted actions go nowhere → set `discord.ops_channel`
    ");
    clinic.cord.finish().unwrap();
}

#[tokio::test]
async fn a_token_that_is_refused_ends_the_questions() {
    let clinic = Clinic::open().await;
    let _fault = clinic.cord.inject(Fault::status(401).path("/users/@me"));
    insta::assert_snapshot!(clinic.ask_discord(&[]).await, @"fail  token: Discord refuses it → make a new one: Developer Portal → your application → Bot → Reset Token");
}

#[tokio::test]
async fn a_bot_that_is_not_in_the_guild_gets_its_invitation() {
    let clinic = Clinic::open().await;
    insta::assert_snapshot!(clinic.ask_discord(&[("discord.guild", "7".to_owned())]).await, @r"
    ok    token: the bot is yardarm (BOT)
    ok    interactions: they come over the gateway
    ok    gateway: ws://LOCAL/gateway answers
    fail  guild: the bot is not in the server 7 → check `discord.guild`, and invite it: https://discord.com/oauth2/authorize?client_id=BOT&scope=bot%20applications.commands&permissions=117760&guild_id=7
    ");
}

#[tokio::test]
async fn a_channel_must_be_there_seen_and_written_to() {
    let clinic = Clinic::open().await;
    let private = clinic.cord.channel("private").id();
    let last = |said: String| said.lines().last().unwrap_or_default().to_owned();
    insta::assert_snapshot!(last(clinic.ask_discord(&[ops_channel(&private)]).await), @"fail  ops channel: the bot cannot see 808972007134676701 → check `discord.ops_channel`, and that the bot may see it");
    insta::assert_snapshot!(last(clinic.ask_discord(&[ops_channel(&7)]).await), @"fail  ops channel: the bot cannot see 7 → check `discord.ops_channel`, and that the bot may see it");
}

#[tokio::test]
async fn permissions_that_lack_are_named() {
    let deny = "name = \"ops\"\ndeny = { yardarm = [\"EMBED_LINKS\", \"ATTACH_FILES\"] }";
    let clinic = Clinic::open_with(|guild| guild.replacen("name = \"ops\"", deny, 1)).await;
    let ops = clinic.cord.channel("ops").id();
    let said = clinic.ask_discord(&[ops_channel(&ops)]).await;
    insta::assert_snapshot!(said.lines().last().unwrap_or_default(), @"fail  ops channel: the bot lacks Embed Links and Attach Files in #ops → Edit Channel → Permissions → add the bot's role and allow these");
}

#[tokio::test]
async fn commands_that_lack_or_are_too_many_are_told() {
    let clinic = Clinic::open().await;
    let said = || async {
        let all = clinic.ask_discord(&[]).await;
        let lines = all.lines().filter(|line| line.contains(" commands:"));
        lines.collect::<Vec<_>>().join("\n")
    };
    clinic.register_everywhere("forecast").await;
    insta::assert_snapshot!(said().await, @"
    ok    commands: none yet: `yardarm up` registers them
    warn  commands: /forecast are registered for all servers, not by Yardarm → take them away with the program that registered them, or give Yardarm a bot of its own
    ");
    let list = "/applications/*/guilds/*/commands";
    let _unasked = clinic.cord.inject(Fault::status(403).on("GET", list));
    insta::assert_snapshot!(said().await, @"
    fail  commands: the bot was invited without `applications.commands` → invite it again: https://discord.com/oauth2/authorize?client_id=BOT&scope=bot%20applications.commands&permissions=117760&guild_id=GUILD
    warn  commands: /forecast are registered for all servers, not by Yardarm → take them away with the program that registered them, or give Yardarm a bot of its own
    ");
}

#[tokio::test]
async fn every_channel_that_is_written_to_is_looked_at() {
    let mut test = TestApp::prepare(&[]).await;
    let file = test.path("yardarm.toml");
    let [private, general] = ["private", "general"].map(|name| test.cord.channel(name).id());
    let route = format!(
        "[[route]]\nname = \"night\"\nchannels = [7]\n[audit]\nanchor_channel = {private}\n"
    );
    std::fs::write(&file, route).unwrap();
    test.up_from(&file).await;
    test.done("fleet create name:north channel:alerts").await;
    let board = slash(&test.cord.user("olga").in_channel("general"), "board here");
    test.end_of(&board.send().await.unwrap()).await;
    let alerts = test.cord.channel("alerts");
    let deny = ["EMBED_LINKS"];
    alerts.set_permissions("yardarm", &[], &deny).unwrap();

    let settings = test.ops().settings();
    let known = Known::look_up(&settings).await.unwrap();
    let written = channels(&settings, &known);
    let at = (&written, NOWHERE.1);
    let findings = examine(&settings.discord, &BTreeSet::new(), at).await;
    let mut lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    lines.retain(|line| line.contains("channel of"));
    lines.sort_unstable();
    let said = lines.join("\n").replace(&private.to_string(), "PRIVATE");
    assert!(
        written.contains_key(&ChannelId(general.into())),
        "{written:?}"
    );
    insta::assert_snapshot!(said, @"
    fail  channel of fleet north: the bot lacks Embed Links in #alerts → Edit Channel → Permissions → add the bot's role and allow these
    fail  channel of route night: the bot cannot see 7 → correct its number where it is named, or let the bot see it
    fail  channel of the audit's anchor: the bot cannot see PRIVATE → correct its number where it is named, or let the bot see it
    ok    channel of a board: the bot may write in #general
    ");
    test.finish().await;
}

#[tokio::test]
async fn where_alerts_can_have_threads_is_told() {
    let clinic = Clinic::open().await;
    assert_eq!(
        clinic.ask_for_threads().await,
        "ok    threads: alerts have threads in #ops"
    );
    let ops = clinic.cord.channel("ops");
    let lacking = ["CREATE_PUBLIC_THREADS", "SEND_MESSAGES_IN_THREADS"];
    ops.set_permissions("yardarm", &[], &lacking).unwrap();
    insta::assert_snapshot!(clinic.ask_for_threads().await, @"warn  threads: the bot lacks Create Public Threads and Send Messages in Threads in #ops: what follows an alert is told in the channel itself → Edit Channel → Permissions → add the bot's role and allow these");
    ops.set_permissions("yardarm", &[], &["VIEW_CHANNEL"])
        .unwrap();
    let said = clinic.ask_for_threads().await;
    assert!(said.contains("the bot sees no such channel"), "{said}");
}

#[tokio::test]
async fn a_discord_that_does_not_answer_is_told() {
    let clinic = Clinic::open().await;
    clinic.cord.stop();
    let said = clinic.ask_discord(&[]).await;
    // Refused or reset, as the kernel likes.
    assert!(
        said.starts_with("fail  Discord: no answer: Connection re"),
        "{said}"
    );
    assert!(said.ends_with("whether localcord runs"), "{said}");
}

#[tokio::test]
async fn only_the_named_authority_is_trusted() {
    let clinic = Clinic::open().await;
    let other = Localcord::start(Options::default()).await.unwrap();
    std::fs::write(clinic.path("ca.pem"), other.ca_pem()).unwrap();
    insta::assert_snapshot!(clinic.ask_discord(&[]).await, @"fail  Discord: no answer: invalid peer certificate: BadSignature → check network, DNS and firewall; with `discord.endpoint`, whether localcord runs");
    std::fs::write(clinic.path("ca.pem"), "no certificate").unwrap();
    insta::assert_snapshot!(clinic.ask_discord(&[]).await, @"fail  endpoint: `FOLDER/ca.pem` holds no certificate → name localcord's certificate authority by `discord.ca_file`");
    std::fs::remove_file(clinic.path("ca.pem")).unwrap();
    insta::assert_snapshot!(clinic.ask_discord(&[]).await, @"fail  endpoint: `FOLDER/ca.pem` cannot be read → name localcord's certificate authority by `discord.ca_file`; it is made anew at each start");
}

#[tokio::test]
async fn the_host_is_looked_at() {
    let clinic = Clinic::open().await;
    let engine = FakeEngine::new();
    let at = |folder: &str| {
        vec![
            (
                "database.path",
                clinic.path(folder).join("y.db").display().to_string(),
            ),
            (
                "agents.templates",
                clinic.path(folder).display().to_string(),
            ),
        ]
    };
    std::fs::create_dir(clinic.path("here")).unwrap();
    let well = examine_host(&clinic.settings(&at("here")), &engine).await;
    insta::assert_snapshot!(clinic.said(&well), @r"
    ok    database: FOLDER/here/y.db can be written
    ok    Docker: 20.10.24 (API 1.41) at unix:///var/run/docker.sock
    ok    secrets.dir: /dev/shm/yardarm-secrets is in memory
    ok    backup: FOLDER/here/backups takes copies
    ok    templates: 0 in FOLDER/here
    ");
    assert_eq!(
        std::fs::read_dir(clinic.path("here")).unwrap().count(),
        0,
        "nothing is left"
    );

    let to_be = examine_host(&clinic.settings(&at("gone")), &engine).await;
    assert_eq!(
        clinic.said(&to_be[..1]),
        "ok    database: FOLDER/gone/y.db can be written"
    );

    engine.go_away();
    std::fs::write(clinic.path("file"), "").unwrap();
    let unwell = examine_host(&clinic.settings(&at("file")), &engine).await;
    insta::assert_snapshot!(clinic.said(&unwell), @r"
    fail  database: FOLDER/file/y.db cannot be written: Not a directory (os error 20) → give its folder to the user we run as, or set `database.path`
    fail  Docker: unix:///var/run/docker.sock: the engine cannot be reached: there is no socket `/var/run/docker.sock` → start it (`scripts/ensure-docker` does), or set `docker.host`
    ok    secrets.dir: /dev/shm/yardarm-secrets is in memory
    fail  backup: FOLDER/file/backups cannot be written: Not a directory (os error 20) → give the user that runs Yardarm write access to `backup.dir`
    fail  FOLDER/file: the folder: cannot be read: Not a directory (os error 20) → name a readable folder by `agents.templates`
    ");
}

#[tokio::test]
async fn a_folder_where_no_secret_can_be_laid_out_is_told() {
    let clinic = Clinic::open().await;
    std::fs::write(clinic.path("file"), "").unwrap();
    let dir = clinic.path("file/secrets").display().to_string();
    let settings = clinic.settings(&[("secrets.dir", dir)]);
    let said = clinic.said(&examine_host(&settings, &FakeEngine::new()).await);
    let line = said.lines().find(|line| line.contains("secrets.dir:"));
    insta::assert_snapshot!(line.unwrap(), @r#"fail  secrets.dir: FOLDER/file/secrets cannot be written: Not a directory (os error 20): no agent gets a secret as a file → give it to the user we run as, or name a folder of that user in memory: `secrets.dir = "/run/user/UID/yardarm"`"#);
}

#[tokio::test]
async fn an_engine_that_runs_no_commands_inside_agents_is_told() {
    let clinic = Clinic::open().await;
    let engine = FakeEngine::new();
    let folder = clinic.path("agents");
    std::fs::create_dir(&folder).unwrap();
    let template = r#"{ "description": "x", "image": "demo:1", "probes": [{ "kind": "exec", "command": ["true"] }] }"#;
    std::fs::write(folder.join("demo.json"), template).unwrap();
    let settings = clinic.settings(&[("agents.templates", folder.display().to_string())]);
    let of_probes = async || {
        let findings = examine_host(&settings, &engine).await;
        let said = clinic.said(&findings);
        let line = said.lines().find(|line| line.contains("probes"));
        line.unwrap().trim().to_owned()
    };
    assert_eq!(
        of_probes().await,
        "ok    probes: Docker runs commands inside agents"
    );
    engine.refuse("exec", "403 Forbidden");
    assert_eq!(
        of_probes().await,
        "warn  probes: those of kind `exec` cannot be asked in demo: 403 Forbidden → have the proxy before Docker let `exec` through, or use another kind"
    );
}

/// As a database keeps it: some grants, and a fleet.
async fn keep(path: &Path, grants: &[Grant]) {
    let store = Store::open(path).await.unwrap();
    let now = FixedClock::new().now();
    let mut tx = store.begin().await.unwrap();
    let main = Name::parse("main").unwrap();
    fleets::insert(&mut tx, &main, None, now).await.unwrap();
    for grant in grants {
        grants::insert(&mut tx, grant, now).await.unwrap();
    }
    tx.commit().await.unwrap();
    store.close().await;
}

fn grant(holder: Holder, level: Level) -> Grant {
    Grant {
        id: None,
        holder,
        level,
        fleets: Pattern::everything(),
        until: None,
        source: Source::Chat,
        granted_by: None,
        created_at: None,
    }
}

#[tokio::test]
async fn who_may_decide_is_looked_up_in_settings_and_database() {
    let clinic = Clinic::open().await;
    let database = clinic.path("yardarm.db");
    let at = ("database.path", database.display().to_string());
    let settings = clinic.settings(std::slice::from_ref(&at));
    insta::assert_snapshot!(clinic.look_at_rights(&settings).await, @"warn  access: nobody is an owner → run `yardarm claim`, then type `/claim` in the server; or name somebody in `access.owners`");
    assert!(!database.exists(), "it only looks");

    keep(&database, &[grant(Holder::User(UserId(7)), Level::Owner)]).await;
    insta::assert_snapshot!(clinic.look_at_rights(&settings).await, @r#"
    ok    access: somebody owns everything
    warn  policy team: several at once: 1 other person must approve stop, restart, pause on `main`, and the present grants name nobody → grant `operator` to more people (`/grant add`, `[[grant]]`) or ask fewer; who works alone sets `access.preset = "solo"`
    warn  policy team: what loosens: 1 other person must approve deploy, redeploy, rollback on `main`, and the present grants name nobody → grant `maintainer` to more people (`/grant add`, `[[grant]]`) or ask fewer; who works alone sets `access.preset = "solo"`
    warn  policy team: grave: 1 other person must approve remove, secret set, secret delete, secret rotate, unfreeze on `main`, and the present grants name nobody → grant `maintainer` to more people (`/grant add`, `[[grant]]`) or ask fewer; who works alone sets `access.preset = "solo"`
    warn  policy team: grave: 1 other person must approve grant remove, team delete on all fleets (`*`), and the present grants name nobody → grant `owner` to more people (`/grant add`, `[[grant]]`) or ask fewer; who works alone sets `access.preset = "solo"`
    "#);
    let alone = clinic.settings(&[at, ("access.preset", "\"solo\"".to_owned())]);
    insta::assert_snapshot!(clinic.look_at_rights(&alone).await, @"ok    access: somebody owns everything");

    std::fs::write(&database, "no database").unwrap();
    insta::assert_snapshot!(clinic.look_at_rights(&alone).await, @"warn  access: what was granted in chat cannot be read: `FOLDER/yardarm.db` cannot be opened as a database → a database of an older version is brought up to date by `yardarm up`; a broken one comes from a backup");
}

#[tokio::test]
async fn a_granted_role_that_the_guild_has_no_more_is_named() {
    let clinic = Clinic::open().await;
    let database = clinic.path("yardarm.db");
    let crew = RoleId(clinic.cord.role_id("crew").into());
    let grants = [
        grant(Holder::Role(crew), Level::Owner),
        grant(Holder::Role(RoleId(7)), Level::Viewer),
    ];
    keep(&database, &grants).await;
    let settings = clinic.settings(&[("database.path", database.display().to_string())]);
    let now = FixedClock::new().now();
    let (known, _) = rights::examine(&settings, now).await;
    let granted = known.rights.roles(now);
    let said = clinic.said(&examine(&settings.discord, &granted, NOWHERE).await);
    let last = said.lines().last().unwrap();
    insta::assert_snapshot!(last, @"warn  role 7: it is granted something or in a team, and harbour has no such role → grant it to one that is there, and take this one out: `/grant remove`, `/team remove`, or the settings");
}

#[tokio::test]
async fn an_address_that_no_engine_can_have_is_told_by_each_command() {
    let mut test = TestApp::prepare(&[]).await;
    for address in ["tcp://engine", "ssh://me@engine:2222"] {
        test.set("docker.host", address);
        for command in ["check", "doctor", "up"] {
            let (code, text) = said(&test.command(&[command]).output().unwrap());
            assert_eq!(code, Some(64), "{command}: {text}");
            let wrong = format!("docker.host: `{address}` is no address of an engine");
            assert!(text.contains(&wrong), "{command}: {text}");
        }
    }
    test.finish().await;
}
