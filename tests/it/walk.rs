//! Every way in, as somebody who may not: nothing is changed, nobody else reads the answer, and what may not be seen is
//! neither named nor offered.

use std::collections::{BTreeMap, BTreeSet};

use localcord::{Message, Person, Reply};
use yardarm::{
    discord::{
        commands,
        press::{Press, SecretForm},
    },
    domain::{
        action::Kind,
        agent::Name,
        ids::{ActionId, AgentId, AlertId, BoardId, FleetId, InteractionId, SilenceId},
        incident::{self, About, Evidence, Problem, Severity},
        secret::Scope,
    },
    store::{alerts, incidents},
};

use crate::support::{tables::tables, talk::slash, test_app::TestApp};

/// What changes nothing. What ends in `-1` does not exist: the nearest name is told.
const READING: [&str; 44] = [
    "schedule list",
    "stats",
    "stats agent:scout range:day",
    "stats agent:hidden-agent",
    "stats fleet:hidden-fleet",
    "status",
    "status agent:scout",
    "status fleet:main",
    "status agent:hidden-agent",
    "status agent:hidden-agent-1",
    "status fleet:hidden-fleet",
    "status fleet:hidden-fleet-1",
    "logs agent:scout",
    "logs agent:hidden-agent",
    "fleet list",
    "templates list",
    "templates show template:demo",
    "secret list",
    "approve",
    "policy test action:stop",
    "policy test action:start agent:scout",
    "policy test action:start agent:hidden-agent",
    "grant list",
    "team list",
    "team activity team:seen",
    "team activity team:hidden-team",
    "team activity team:hidden-team-1",
    "audit",
    "audit agent:hidden-agent",
    "audit text:hidden",
    "audit what:granted",
    "audit action:remove",
    "audit what:asked",
    "why agent:scout",
    "why agent:hidden-agent",
    "why agent:hidden-agent-1",
    "help",
    "status agent:hidden-*",
    "approve id:99",
    "audit text:KEY",
    "alerts list",
    "alerts test kind:down agent:hidden-agent",
    "silences",
    "alerts list fleet:hidden-fleet",
];

const CHANGING: [&str; 85] = [
    "board here",
    "board here fleet:main",
    "board here fleet:hidden-fleet",
    "board remove",
    "schedule add name:new cron:@daily action:start agent:scout",
    "schedule add name:new cron:@daily action:start agent:hidden-agent",
    "schedule add name:new cron:@daily action:backup",
    "schedule pause schedule:hidden-nightly",
    "schedule pause schedule:backup",
    "schedule resume schedule:hidden-nightly",
    "schedule remove schedule:hidden-nightly",
    "schedule run schedule:hidden-nightly",
    "schedule run schedule:backup",
    "backup",
    "deploy template:demo name:new",
    "deploy template:demo name:new fleet:hidden-fleet",
    "deploy template:choosy name:new",
    "deploy fleet:main",
    "deploy fleet:hidden-fleet",
    "redeploy agent:scout",
    "redeploy agent:hidden-agent",
    "redeploy fleet:main",
    "rollback agent:scout",
    "rollback agent:hidden-agent",
    "start agent:scout",
    "start agent:hidden-agent",
    "stop agent:scout",
    "stop agent:*",
    "stop agent:hidden-*",
    "stop agent:hidden-agent",
    "stop fleet:main",
    "stop fleet:hidden-fleet",
    "restart agent:scout",
    "restart agent:hidden-agent",
    "pause agent:scout",
    "pause fleet:hidden-fleet",
    "resume agent:scout",
    "resume agent:hidden-agent",
    "remove agent:scout",
    "remove agent:hidden-agent",
    "freeze reason:x",
    "freeze reason:x fleet:main",
    "freeze reason:x fleet:hidden-fleet",
    "unfreeze",
    "unfreeze fleet:main",
    "unfreeze fleet:hidden-fleet",
    "fleet create name:new",
    "fleet add fleet:main agent:scout",
    "fleet add fleet:main agent:hidden-agent",
    "fleet add fleet:hidden-fleet agent:scout",
    "fleet remove fleet:main agent:scout",
    "fleet remove fleet:hidden-fleet agent:hidden-agent",
    "fleet delete fleet:main",
    "fleet delete fleet:hidden-fleet",
    "templates save agent:scout name:saved",
    "templates save agent:hidden-agent name:saved",
    "templates delete template:demo",
    "secret set name:KEY all:true",
    "secret set name:KEY agent:scout",
    "secret set name:KEY agent:hidden-agent",
    "secret rotate name:MAIN_KEY fleet:main",
    "secret rotate name:HIDDEN_KEY fleet:hidden-fleet",
    "secret delete name:MAIN_KEY fleet:main",
    "secret delete name:HIDDEN_KEY fleet:hidden-fleet",
    "adopt container:elsewhere",
    "adopt container:elsewhere fleet:hidden-fleet",
    "breakglass agent:scout action:stop reason:x",
    "breakglass agent:hidden-agent action:stop reason:x",
    "grant add level:owner fleet:* user:mina",
    "grant add level:viewer fleet:main team:hidden-team",
    "grant remove grant:1",
    "team create name:new",
    "team add team:seen user:mina",
    "team add team:hidden-team user:mina",
    "team remove team:seen user:hugo",
    "team delete team:seen",
    "team delete team:hidden-team",
    "approve id:7",
    "approve id:8 decision:deny",
    "silence hours:1 reason:x",
    "silence hours:1 reason:x agent:scout",
    "silence hours:1 reason:x agent:hidden-agent",
    "silence hours:1 reason:x fleet:hidden-fleet",
    "claim",
    "reload",
];

/// Questions of the scene, about what is seen and about what is hidden: for others, and for Olga herself.
const ASKED: [ActionId; 2] = [ActionId(7), ActionId(8)];
const TYPED: [ActionId; 2] = [ActionId(9), ActionId(10)];
const AGENTS: [AgentId; 2] = [AgentId(1), AgentId(2)];

const RULES: &str = r#"
[[policy]]
name = "secrets are not asked about"
actions = ["secret set"]
effect = "allow"
[[policy]]
name = "hidden rule"
actions = ["start"]
fleets = ["hidden-*"]
effect = "deny"
reason = "hidden"
[[policy]]
name = "stops are asked about"
actions = ["stop"]
effect = "ask"
ask = { approvals = 1, allow_for_s = 3600 }
"#;

/// Asked for a choice, and for a text.
const TEMPLATES: [(&str, &str); 2] = [
    ("choosy", r#""type": "choice", "choices": ["warm", "cold"]"#),
    ("wordy", r#""type": "string""#),
];

struct Scene {
    test: TestApp,
    /// Olga's card in the channel of all.
    card: Message,
    /// Her forms and searches, by the word in their id.
    forms: BTreeMap<&'static str, InteractionId>,
}

impl Scene {
    /// Olga and Wim own all. Mina sees `main`, Tess owns `north` and nothing else, Ravi has no rights. The names of the
    /// rest begin with `hidden`.
    async fn new() -> Self {
        let mut test = TestApp::prepare(&[]).await;
        write_settings(&mut test);
        let file = test.path("yardarm.toml");
        test.up_from(&file).await;
        test.engine.foreign("elsewhere");
        for command in [
            "deploy template:demo name:scout",
            "fleet create name:hidden-fleet",
            "fleet create name:north",
            "deploy template:demo name:hidden-agent fleet:hidden-fleet",
        ] {
            test.done(command).await;
        }
        set_secret(&test, "name:MAIN_KEY fleet:main").await;
        set_secret(&test, "name:HIDDEN_KEY fleet:hidden-fleet").await;
        for (command, id) in [
            ("stop agent:scout", ASKED[0]),
            ("stop agent:hidden-agent", ASKED[1]),
            ("remove agent:scout", TYPED[0]),
            ("remove agent:hidden-agent", TYPED[1]),
        ] {
            let said = test.done(command).await;
            assert!(said.contains(&format!("-# action {id} ")), "{said}");
        }
        let ops = test.cord.channel("ops");
        let card = ops.wait_for_text("-# approval 7").await.unwrap();
        ops.wait_for_text("-# approval 8").await.unwrap();
        let forms = open_forms(&test).await;
        test.done("schedule add name:hidden-nightly cron:@daily action:start agent:hidden-agent")
            .await;
        for agent in AGENTS {
            tell_of(&test, agent).await;
        }
        // What was said last is written down by then, and nothing is known from before.
        test.restart().await;
        test.engine.forget_calls();
        Self { test, card, forms }
    }

    fn person(&self, name: &str) -> Person {
        self.test.cord.user(name).in_channel("ops")
    }

    /// What was told, a line each, with names for people.
    fn all(&self, told: Told) -> String {
        let all: Vec<String> = told.into_iter().collect();
        let cord = &self.test.cord;
        ["wim", "tess", "hugo"]
            .into_iter()
            .fold(all.join("\n"), |all, name| {
                all.replace(&cord.user(name).id().to_string(), name)
            })
    }

    /// All that could be changed: what is kept, what was asked of the engine, and what everybody reads.
    async fn everything(&self) -> (BTreeMap<String, Vec<String>>, Vec<String>, Vec<String>) {
        let kept = tables(&self.test.path("yardarm.db")).await;
        (kept, self.test.engine.changes(), self.test.seen())
    }
}

fn write_settings(test: &mut TestApp) {
    let id = |name: &str| test.cord.invite(name).id();
    let [olga, wim, mina, tess, hugo] = ["olga", "wim", "mina", "tess", "hugo"].map(id);
    let rights = format!(
        "[[grant]]\nuser = {mina}\nlevel = \"viewer\"\nfleet = \"main\"\n\
         [[grant]]\nuser = {tess}\nlevel = \"owner\"\nfleet = \"north\"\n\
         [[team]]\nname = \"seen\"\nusers = [{hugo}]\n\
         [[grant]]\nteam = \"seen\"\nlevel = \"operator\"\nfleet = \"main\"\n\
         [[team]]\nname = \"hidden-team\"\nusers = [{hugo}]\nowns = [\"hidden-*\"]\n"
    );
    std::fs::write(test.path("yardarm.toml"), rights + RULES).unwrap();
    test.set("access.owners", &format!("[\"{olga}\", \"{wim}\"]"));
    for (name, kind) in TEMPLATES {
        let parameter =
            format!(r#"{{ "name": "tone", {kind}, "description": "x", "required": true }}"#);
        let template =
            format!(r#"{{ "description": "x", "image": "demo:1", "parameters": [{parameter}] }}"#);
        test.write_template(name, &template);
    }
}

async fn set_secret(test: &TestApp, options: &str) {
    let form = test.send(&format!("secret set {options}")).await;
    let sent = form.modal().unwrap().fill("value", "s3cret").submit().await;
    let said = test.end_of(&sent.unwrap()).await;
    assert!(said.starts_with('✅'), "{said}");
}

/// An alert about an agent that is over, so that nothing changes it but a press.
async fn tell_of(test: &TestApp, agent: AgentId) {
    let (store, now) = (&test.ops().store, test.ops().now());
    let problem = Problem {
        about: About::Agent(agent),
        kind: incident::Kind::Down,
        severity: Severity::Warning,
        cause: "was over".to_owned(),
        evidence: Evidence::default(),
    };
    let mut tx = store.begin().await.unwrap();
    let id = incidents::insert(&mut tx, &problem, now).await.unwrap();
    let alert = alerts::insert(&mut tx, ("ops", "", now), &[id], now).await;
    let mut over = incidents::get(&mut tx, id).await.unwrap().unwrap();
    (over.gone_since, over.resolved_at) = (Some(now), Some(now));
    incidents::update(&mut tx, &over).await.unwrap();
    alerts::close(&mut tx, alert.unwrap(), now).await.unwrap();
    tx.commit().await.unwrap();
}

/// Olga begins what asks for more.
async fn open_forms(test: &TestApp) -> BTreeMap<&'static str, InteractionId> {
    let mut forms = BTreeMap::new();
    for (word, command) in [
        ("choose", "deploy template:choosy name:new"),
        ("form", "deploy template:wordy name:new"),
        ("freeze", "freeze reason:x"),
        ("audit", "audit"),
    ] {
        let reply = test.send(command).await;
        let json = if let Ok(modal) = reply.modal() {
            modal.json().to_string()
        } else {
            test.end_of(&reply).await;
            reply.json().to_string()
        };
        let (_, id) = json
            .split_once(&format!("\"v1:{word}:"))
            .unwrap_or_else(|| panic!("{word}: {json}"));
        let digits: String = id.chars().take_while(char::is_ascii_digit).collect();
        forms.insert(word, InteractionId(digits.parse().unwrap()));
    }
    forms
}

/// The examples of every variant. One that is new does not compile until it stands here.
macro_rules! presses {
    ($scene:ident: $($variant:pat => [$($example:expr),+ $(,)?],)+) => {
        fn presses($scene: &Scene) -> Vec<Press> {
            const fn is_listed(press: &Press) -> bool {
                match press {
                    $($variant => true,)+
                }
            }
            let all = vec![$($($example),+),+];
            assert!(all.iter().all(is_listed));
            all
        }
    };
}

presses! { scene:
    Press::Confirm(_) => [Press::Confirm(TYPED[0]), Press::Confirm(TYPED[1])],
    Press::ConfirmWithVolumes(_) => [Press::ConfirmWithVolumes(TYPED[0]), Press::ConfirmWithVolumes(TYPED[1])],
    Press::Cancel(_) => [Press::Cancel(TYPED[0]), Press::Cancel(ASKED[0]), Press::Cancel(ASKED[1])],
    Press::TypedForm(..) => [Press::TypedForm(TYPED[0], false), Press::TypedForm(TYPED[0], true), Press::TypedForm(TYPED[1], false)],
    Press::Approve(_) => [Press::Approve(ASKED[0]), Press::Approve(ASKED[1]), Press::Approve(ActionId(1))],
    Press::ApproveAndAllow(_) => [Press::ApproveAndAllow(ASKED[0]), Press::ApproveAndAllow(ASKED[1])],
    Press::Deny(_) => [Press::Deny(ASKED[0]), Press::Deny(ASKED[1]), Press::Deny(ActionId(4))],
    Press::DenyForm(_) => [Press::DenyForm(ASKED[0]), Press::DenyForm(ASKED[1])],
    Press::Plan(_) => [Press::Plan(ASKED[0]), Press::Plan(ASKED[1]), Press::Plan(ActionId(4))],
    Press::BreakGlass(..) => [Press::BreakGlass(Kind::Stop, AGENTS[0]), Press::BreakGlass(Kind::Stop, AGENTS[1])],
    Press::Change(..) => [Press::Change(Kind::Stop, AGENTS[0]), Press::Change(Kind::Start, AGENTS[1]), Press::Change(Kind::Restart, AGENTS[0])],
    Press::Logs(_) => [Press::Logs(AGENTS[0]), Press::Logs(AGENTS[1])],
    Press::Follow(_) => [Press::Follow(AGENTS[1])],
    Press::Page(..) => [Press::Page(0, Some(Name::parse("hidden-fleet").unwrap()))],
    Press::Form(_) => [Press::Form(scene.forms["form"])],
    Press::Choose(..) => [Press::Choose(scene.forms["choose"], "tone".to_owned())],
    Press::Deploy(_) => [Press::Deploy(scene.forms["choose"])],
    Press::Freeze(_) => [Press::Freeze(scene.forms["freeze"])],
    Press::Audit(..) => [Press::Audit(scene.forms["audit"], 1)],
    Press::Secret(_) => [secret("KEY", Scope::All), secret("MAIN_KEY", Scope::Fleet(FleetId(1))), secret("HIDDEN_KEY", Scope::Fleet(FleetId(2))), secret("KEY", Scope::Agent(AGENTS[1]))],
    Press::Claim => [Press::Claim],
    Press::Acknowledge(_) => [Press::Acknowledge(AlertId(1)), Press::Acknowledge(AlertId(2)), Press::Acknowledge(AlertId(99))],
    Press::Silence(_) => [Press::Silence(AlertId(1)), Press::Silence(AlertId(2))],
    Press::EndSilence(_) => [Press::EndSilence(SilenceId(1)), Press::EndSilence(SilenceId(2))],
    Press::Open(_) => [Press::Open(BoardId(1))],
    Press::OpenOf(_) => [Press::OpenOf(AlertId(1))],
}

fn secret(name: &str, scope: Scope) -> Press {
    let name = name.to_owned();
    Press::Secret(SecretForm {
        rotate: false,
        scope,
        name,
    })
}

/// What is typed into forms that were not opened: all that any of them asks for.
const TYPED_IN: [(&str, &str); 5] = [
    ("phrase", "scout"),
    ("reason", "x"),
    ("value", "x"),
    ("code", "x"),
    ("tone", "warm"),
];

/// Nothing that is not seen is named, except by who asks and in saying which level is missing there.
fn assert_nothing_hidden(asked: &str, said: &str) {
    let own = asked
        .split([' ', ':'])
        .filter(|word| word.contains("hidden") || word.contains("HIDDEN"));
    let said = own.fold(said.replace("on `hidden-fleet`;", ""), |said, word| {
        said.replace(word, "")
    });
    assert!(!said.to_lowercase().contains("hidden"), "{asked}: {said}");
}

/// Everything somebody is told, as often as it may be.
type Told = BTreeSet<String>;

async fn type_all(scene: &Scene, name: &str, commands: &[&str]) -> Told {
    let mut told = Told::new();
    for command in commands {
        let reply = slash(&scene.person(name), command).send().await.unwrap();
        let said = said_to_one(&reply, command).await;
        assert_nothing_hidden(command, &said);
        told.insert(scene.test.said(&said));
    }
    told
}

/// The answer to a command, which only the asker reads.
async fn said_to_one(reply: &Reply, command: &str) -> String {
    assert!(reply.is_ephemeral(), "/{command}: {reply:?}");
    reply.until(|text| !text.is_empty()).await.unwrap().text()
}

async fn press_all(scene: &Scene, name: &str) -> Told {
    let person = scene.person(name);
    let mut told = Told::new();
    for press in presses(scene) {
        let id = press.to_string();
        let pressed = person.forge(&scene.card, &id).await.unwrap();
        told.insert(whispered(scene, &id, &pressed).await);
        for choice in choices(&press) {
            let chosen = person.forge_choice(&scene.card, &id, &[choice]).await;
            told.insert(whispered(scene, &id, &chosen.unwrap()).await);
        }
        let filled = person
            .forge_modal_on(&scene.card, &id, &TYPED_IN)
            .await
            .unwrap();
        told.insert(whispered(scene, &id, &filled).await);
    }
    told
}

/// Of a board: agents, by their numbers.
const fn choices(press: &Press) -> &'static [&'static str] {
    match press {
        Press::Open(_) => &["1", "2", "99"],
        _ => &["warm"],
    }
}

async fn whispered(scene: &Scene, id: &str, reply: &Reply) -> String {
    let said = scene.test.whisper(reply).await;
    assert_nothing_hidden(id, &said);
    said
}

/// `fleet add`, and each option of it that offers something.
fn leaves() -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    let mut add = |path: String, command: &poise::Command<_, _>| {
        let offering = command
            .parameters
            .iter()
            .filter(|option| option.autocomplete_callback.is_some());
        found.insert(
            path,
            offering.map(|option| option.name.to_string()).collect(),
        );
    };
    for command in commands::all() {
        for leaf in &command.subcommands {
            add(format!("{} {}", command.name, leaf.name), leaf);
        }
        if command.subcommands.is_empty() {
            add(command.name.to_string(), &command);
        }
    }
    found
}

#[test]
fn every_command_is_walked() {
    let path = |line: &&str| {
        let words = line.split(' ').filter(|word| !word.contains(':'));
        words.collect::<Vec<_>>().join(" ")
    };
    let walked: BTreeSet<String> = READING.iter().chain(&CHANGING).map(path).collect();
    let registered: BTreeSet<String> = leaves().into_keys().collect();
    assert_eq!(walked, registered);
}

#[tokio::test]
async fn a_stranger_changes_and_learns_nothing() {
    let scene = Scene::new().await;
    let before = scene.everything().await;
    let mut told = type_all(&scene, "ravi", &READING).await;
    told.extend(type_all(&scene, "ravi", &CHANGING).await);
    told.extend(press_all(&scene, "ravi").await);
    insta::assert_snapshot!(scene.all(told), @"
    There is an owner already: <@wim>, <@olga>. They can grant you something: `/grant add`.
    You need viewer on some fleet; <@wim>, <@hugo>, <@tess>, <@olga>, <@mina> have it. An owner can grant it: `/grant add`.
    ");
    assert_eq!(scene.everything().await, before);
    scene.test.finish().await;
}

#[tokio::test]
async fn a_viewer_reads_what_is_seen_and_changes_nothing() {
    let scene = Scene::new().await;
    let before = scene.everything().await;
    let mut told = type_all(&scene, "mina", &CHANGING).await;
    told.extend(press_all(&scene, "mina").await);
    insta::assert_snapshot!(scene.all(told), @"
    No agent is called `hidden-*`. `/status` shows all.
    Nobody is asked to approve action 1. `/approve` lists what waits for you.
    Only <@olga> can answer this: it is their request.
    That agent is gone. `/status` shows who is there.
    The log of `scout` has no line.
    There is an owner already: <@wim>, <@olga>. They can grant you something: `/grant add`.
    There is no board in this channel. `/board here` puts one.
    There is no schedule `backup`. `/schedule add` makes one.
    There is no schedule `hidden-nightly`. `/schedule add` makes one.
    There is no silence 1 any more. `/silences` lists those that count.
    There is no silence 2 any more. `/silences` lists those that count.
    There is no team `hidden-team`. The only one is `seen`.
    This card is from an older Yardarm. Send the command again.
    This form is <@olga>'s. Send `/deploy` for one of your own.
    This form is from an older Yardarm. Send the command again.
    This is over already: there is nothing left to silence.
    This question is somebody else's. Send `/freeze` for one of your own.
    This search is <@olga>'s. Send `/audit` for one of your own.
    You need maintainer on `hidden-fleet`; <@wim>, <@hugo>, <@olga> have it. An owner can grant it: `/grant add`.
    You need maintainer on `main`; <@wim>, <@olga> have it. An owner can grant it: `/grant add`.
    You need maintainer on `new`; <@wim>, <@olga> have it. An owner can grant it: `/grant add`.
    You need maintainer on all fleets (`*`); <@wim>, <@olga> have it. An owner can grant it: `/grant add`.
    You need operator on `hidden-fleet`; <@wim>, <@hugo>, <@olga> have it. An owner can grant it: `/grant add`.
    You need operator on `main`; <@wim>, <@hugo>, <@olga> have it. An owner can grant it: `/grant add`.
    You need operator on all fleets (`*`); <@wim>, <@olga> have it. An owner can grant it: `/grant add`.
    You need owner on `main`; <@wim>, <@olga> have it. An owner can grant it: `/grant add`.
    You need owner on all fleets (`*`); <@wim>, <@olga> have it. An owner can grant it: `/grant add`.
    You need viewer on `hidden-fleet`; <@wim>, <@hugo>, <@olga> have it. An owner can grant it: `/grant add`.
    🗳️ <@olga> asks to **stop** `scout` in `main`.
    🟢 **scout** is running
    scout
    State: running, since <t:1795262400:R>
    wanted: running
    Fleet: main
    Made from: template `demo`, version 1
    image `demo:1`
    digest `9e3779b97f4a`, spec `390abe3cfbd2`
    Uses: at most 1 CPUs, 512 MiB
    Last end: never
    ");
    assert_eq!(scene.everything().await, before);

    type_all(&scene, "mina", &READING).await;
    let mut after = scene.everything().await;
    // What is searched for is kept as long as its pages can be turned.
    after
        .0
        .insert("drafts".to_owned(), before.0["drafts"].clone());
    assert_eq!(after, before);
    scene.test.finish().await;
}

#[tokio::test]
async fn rights_elsewhere_are_none_here() {
    let scene = Scene::new().await;
    let before = scene.everything().await;
    let told = press_all(&scene, "tess").await;
    insta::assert_snapshot!(scene.all(told), @"
    That agent is gone. `/status` shows who is there.
    There is an owner already: <@wim>, <@olga>. They can grant you something: `/grant add`.
    There is no silence 1 any more. `/silences` lists those that count.
    There is no silence 2 any more. `/silences` lists those that count.
    This card is from an older Yardarm. Send the command again.
    This form is <@olga>'s. Send `/deploy` for one of your own.
    This form is from an older Yardarm. Send the command again.
    This is over already: there is nothing left to silence.
    This question is somebody else's. Send `/freeze` for one of your own.
    This search is <@olga>'s. Send `/audit` for one of your own.
    You need maintainer on `hidden-fleet`; <@wim>, <@hugo>, <@olga> have it. An owner can grant it: `/grant add`.
    You need maintainer on `main`; <@wim>, <@olga> have it. An owner can grant it: `/grant add`.
    You need maintainer on all fleets (`*`); <@wim>, <@olga> have it. An owner can grant it: `/grant add`.
    You need operator on `hidden-fleet`; <@wim>, <@hugo>, <@olga> have it. An owner can grant it: `/grant add`.
    You need operator on `main`; <@wim>, <@hugo>, <@olga> have it. An owner can grant it: `/grant add`.
    You need operator on all fleets (`*`); <@wim>, <@olga> have it. An owner can grant it: `/grant add`.
    You need viewer on `hidden-fleet`; <@wim>, <@hugo>, <@olga> have it. An owner can grant it: `/grant add`.
    You need viewer on `main`; <@wim>, <@hugo>, <@olga>, <@mina> have it. An owner can grant it: `/grant add`.
    ");
    assert_eq!(scene.everything().await, before);
    scene.test.finish().await;
}

#[tokio::test]
async fn nothing_hidden_is_offered() {
    let scene = Scene::new().await;
    for (path, options) in leaves() {
        for option in options {
            for (name, unseen) in [
                ("ravi", &[""][..]),
                ("mina", &["hidden"]),
                ("tess", &["hidden", "scout", "main"]),
            ] {
                let typing = scene.person(name).autocomplete(&path);
                let offers = typing.focus(&option, "").send().await.unwrap();
                let offers: Vec<String> = offers
                    .into_iter()
                    .map(|offer| format!("{} {}", offer.name, offer.value).to_lowercase())
                    .collect();
                let found = offers
                    .iter()
                    .find(|offer| unseen.iter().any(|word| offer.contains(word)));
                assert_eq!(found, None, "/{path} {option}: to {name}");
            }
        }
    }
    // What the agent beside it was made from would tell that it is there.
    let typing = scene.person("mina").autocomplete("redeploy");
    let typing = typing.option("agent", "hidden-agent");
    assert_eq!(typing.focus("set", "").send().await.unwrap(), []);
    scene.test.finish().await;
}
