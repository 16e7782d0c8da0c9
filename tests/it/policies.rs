//! Rules: what they say, and where they come from.

use std::path::Path;

use yardarm::{
    domain::{
        action::{Arguments, Details, Kind, Origin, ScheduleChange},
        agent::Name,
        fleet::Fleet,
        grant::Caller,
        ids::{GuildId, UserId},
        pattern::Pattern,
        policy::Trial,
        schedule::{Order, Written},
        secret::{Scope, Subject},
        squelch::{Matcher, Quiet},
    },
    error::Error,
    ops::actions::{Newcomer, Request, Requester},
    store::actions::NewTarget,
};

use crate::support::{talk::slash, test_app::TestApp};

const NIGHTS: &str = r#"
[[policy]]
name = "scouts are asked about"
actions = ["stop"]
fleets = ["main"]
templates = ["demo"]
effect = "ask"
ask = { approvals = 2 }
"#;

#[tokio::test]
async fn policy_test_explains_with_what_is_known_of_the_agent() {
    let mut test = TestApp::prepare(&[("access.preset", "team")]).await;
    let file = test.path("yardarm.toml");
    std::fs::write(&file, NIGHTS).unwrap();
    test.up_from(&file).await;
    test.deploy("scout").await;
    let reply = test.send("policy test action:stop agent:scout").await;
    assert!(reply.is_ephemeral());
    insta::assert_snapshot!(test.said(&reply.text()), @r"
    ```
    stop agent scout fleet main template demo, by operator, from chat
      yes scouts are asked about | ask 2 other people
    → ask 2 other people (scouts are asked about)
    ```
    ");
    insta::assert_snapshot!(test.done("policy test action:stop agent:stranger several:true").await, @r"
    ```
    stop agent stranger, several, by operator, from chat
      no  scouts are asked about | it has no fleet, and needs main
      no  team: on the host | chat is not host
      no  team: Yardarm itself | it is about start or restart or resume
      no  team: a second person | it is about grant add or team save
      yes team: several at once | ask 1 other person
    → ask 1 other person (team: several at once)
    ```
    ");
    test.finish().await;
}

#[tokio::test]
async fn policy_test_says_what_it_does_not_understand() {
    let test = TestApp::start().await;
    insta::assert_snapshot!(test.refused("policy test action:stops").await, @"`stops` is unknown: did you mean `stop`?");
    insta::assert_snapshot!(test.refused("policy test action:stop level:king").await, @"`king` is unknown: use one of `viewer`, `operator`, `maintainer`, `owner`");
    let offered = test
        .olga()
        .autocomplete("policy test")
        .focus("action", "secret")
        .send()
        .await;
    let offered: Vec<String> = offered
        .unwrap()
        .into_iter()
        .map(|choice| choice.value)
        .collect();
    assert_eq!(offered, ["secret set", "secret delete", "secret rotate"]);
    test.finish().await;
}

#[tokio::test]
async fn a_reload_takes_rules_over() {
    let mut test = TestApp::prepare(&[("access.preset", "team")]).await;
    let file = test.path("yardarm.toml");
    std::fs::write(&file, "").unwrap();
    test.up_from(&file).await;
    assert_eq!(decision(&test).await, "→ allow (team: everyday)");
    std::fs::write(
        &file,
        "[[policy]]\nname = \"never\"\neffect = \"deny\"\nreason = \"no\"\n",
    )
    .unwrap();
    test.done("reload").await;
    assert_eq!(decision(&test).await, "→ deny: no (never)");
    test.finish().await;
}

async fn decision(test: &TestApp) -> String {
    let said = test.done("policy test action:stop").await;
    let last = said.lines().rev().find(|line| line.starts_with('→'));
    last.expect("a decision").to_owned()
}

#[test]
fn the_command_line_explains_from_the_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("yardarm.toml");
    std::fs::write(&file, NIGHTS).unwrap();
    let said = |arguments: &[&str]| program(&file, arguments);
    insta::assert_snapshot!(said(&["--action", "stop", "--fleet", "main", "--template", "demo"]), @r"
    stop fleet main template demo, by operator, from chat
      yes scouts are asked about | ask 2 other people
    → ask 2 other people (scouts are asked about)
    ");
    insta::assert_snapshot!(said(&["--action", "stop", "--several", "--level", "viewer"]), @r"
    stop, several, by viewer, from chat
      refused before any rule: it needs operator
      no  scouts are asked about | it has no fleet, and needs main
      no  team: on the host | chat is not host
      no  team: Yardarm itself | it is about start or restart or resume
      no  team: a second person | it is about grant add or team save
      yes team: several at once | ask 1 other person
    → ask 1 other person (team: several at once)
    ");
    insta::assert_snapshot!(said(&["--action", "stops"]), @r"
    error: invalid value 'stops' for '--action <ACTION>': did you mean `stop`?

    For more information, try '--help'.
    ");
}

/// What `yardarm policy test` prints.
fn program(file: &Path, arguments: &[&str]) -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_yardarm"))
        .args(["policy", "test", "--set", "discord.guild=7", "--config"])
        .arg(file)
        .args(arguments)
        .env_remove("DISCORD_TOKEN")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).unwrap()
}

/// What every kind of action is about here: the agent `scout` in the fleet `north`, or that fleet.
struct North {
    test: TestApp,
    fleet: Fleet,
}

impl North {
    /// A rule for each kind says no; about `north`, where a kind can be about one fleet.
    async fn new() -> Self {
        let mut test = TestApp::prepare(&[]).await;
        let file = test.path("yardarm.toml");
        std::fs::write(&file, "").unwrap();
        test.up_from(&file).await;
        test.done("fleet create name:north").await;
        test.done("deploy template:demo name:scout fleet:north")
            .await;
        test.done("redeploy agent:scout").await;
        test.deploy("loner").await;
        let rules = Kind::ALL.map(|kind| {
            let fleets = if kind.concerns_everything() {
                ""
            } else {
                "fleets = [\"north\"]\n"
            };
            format!(
                "[[policy]]\nname = \"no {kind}\"\nactions = [\"{kind}\"]\n{fleets}effect = \"deny\"\nreason = \"no\"\n"
            )
        });
        std::fs::write(&file, rules.concat()).unwrap();
        test.done("reload").await;
        let fleet = test.ops().own_sight().look_into("north").unwrap();
        Self { test, fleet }
    }

    fn olga(&self) -> Caller {
        let number = |id: localcord::Id| id.to_string().parse().unwrap();
        Caller {
            user: UserId(number(self.test.olga().id())),
            bot: false,
            guild: Some(GuildId(number(self.test.cord.guild_id()))),
            roles: Vec::new(),
        }
    }

    fn request(&self, kind: Kind) -> Request {
        let mut request = Request::plain(kind);
        request.details = self.details(kind);
        let scout = self.test.ops().roster.view("scout").unwrap().agent.id;
        match kind {
            Kind::Deploy | Kind::Adopt => {
                request.newcomer = Some(Newcomer {
                    name: Name::parse("second").unwrap(),
                    fleet: self.fleet.id,
                    spec: None,
                    arguments: Arguments::new(),
                });
            }
            Kind::FleetAdd => request.targets.push(NewTarget::as_it_is(scout)),
            kind if kind.is_about_agents_alone() => {
                request.targets.push(NewTarget::as_it_is(scout));
            }
            _ => {}
        }
        request
    }

    fn details(&self, kind: Kind) -> Details {
        let mut details = Details::default();
        match kind {
            Kind::SecretSet | Kind::SecretDelete | Kind::SecretRotate => {
                details.secret = Some(Box::new(key(Scope::Fleet(self.fleet.id))));
            }
            Kind::Silence | Kind::SilenceEnd => {
                details.quiet = Some(Box::new(quiet(&["north"])));
                details.fleet = Some(self.fleet.id);
            }
            Kind::ScheduleAdd
            | Kind::ScheduleRemove
            | Kind::SchedulePause
            | Kind::ScheduleResume => {
                let written = Written {
                    name: "nightly".to_owned(),
                    cron: "@daily".to_owned(),
                    action: "stop".to_owned(),
                    fleet: Some("north".to_owned()),
                    ..Written::default()
                };
                let order = Order::read(&written, chrono_tz::Tz::UTC).unwrap();
                details.schedule = Some(Box::new(ScheduleChange { id: None, order }));
            }
            Kind::FleetAdd => {
                let main = self.test.ops().own_sight().look_into("main").unwrap();
                details.name = Some(main.name);
                details.fleet = Some(main.id);
            }
            Kind::FleetCreate
            | Kind::FleetDelete
            | Kind::Freeze
            | Kind::Unfreeze
            | Kind::Board
            | Kind::BoardRemove => {
                details.name = Some(self.fleet.name.clone());
                details.fleet = Some(self.fleet.id);
            }
            _ => {}
        }
        details
    }

    /// What somebody types into `/policy test` about the same.
    fn trial(&self, kind: Kind) -> Trial {
        let of_agent =
            kind == Kind::FleetAdd || kind.is_about_agents_alone() && kind != Kind::Deploy;
        let fleet = (!of_agent && !kind.concerns_everything()).then(|| "north".to_owned());
        Trial {
            kind,
            agent: of_agent.then(|| "scout".to_owned()),
            fleet: fleet.or_else(|| (kind == Kind::FleetAdd).then(|| "main".to_owned())),
            fleets: Vec::new(),
            template: None,
            level: None,
            origin: Origin::Chat,
            loosens: false,
            several: false,
            sole_owner: false,
            now: self.test.ops().now(),
        }
    }

    /// The door and the explanation name the same rule.
    async fn assert_denied(&self, request: Request, trial: Trial) {
        let kind = trial.kind;
        let ops = self.test.ops();
        let requester = Requester {
            caller: Some(self.olga()),
            origin: Origin::Chat,
            reason: None,
            reply: None,
        };
        let Err(Error::Denied(why)) = ops.submit(request, requester).await else {
            panic!("{kind} was not denied");
        };
        assert_eq!(why, format!("The policy `no {kind}` denies this: no"));
        let sight = ops.sight(self.olga());
        let explained = sight.explain(&sight.complete(trial));
        assert_eq!(explained.decision.rule, format!("no {kind}"), "{explained}");
        let told = explained.considered.last().unwrap();
        assert!(
            told.matched && told.rule == explained.decision.rule,
            "{explained}"
        );
    }
}

fn key(scope: Scope) -> Subject {
    Subject::new("KEY".to_owned(), scope, None)
}

fn quiet(fleets: &[&str]) -> Quiet {
    let patterns = fleets.iter().map(|name| Pattern::parse(name).unwrap());
    Quiet::For {
        matcher: Matcher {
            fleets: patterns.collect(),
            ..Matcher::default()
        },
        hours: 1,
    }
}

#[tokio::test]
async fn what_policy_test_says_is_what_counts_for_every_kind() {
    let north = North::new().await;
    for kind in Kind::ALL {
        north
            .assert_denied(north.request(kind), north.trial(kind))
            .await;
    }
    north.test.finish().await;
}

#[tokio::test]
async fn no_rule_about_a_fleet_is_got_around_by_asking_for_all() {
    let north = North::new().await;
    for kind in Kind::ALL
        .into_iter()
        .filter(|kind| kind.may_concern_all_fleets())
    {
        let mut request = Request::plain(kind);
        match kind {
            Kind::SecretSet | Kind::SecretDelete => {
                request.details.secret = Some(Box::new(key(Scope::All)));
            }
            Kind::SecretRotate => {
                // All that use it are elsewhere.
                request.details.secret = Some(Box::new(key(Scope::All)));
                let loner = north.test.ops().roster.view("loner").unwrap();
                request.targets.push(NewTarget::as_it_is(loner.agent.id));
            }
            Kind::Silence | Kind::SilenceEnd => {
                request.details.quiet = Some(Box::new(quiet(&[])));
            }
            _ => {}
        }
        let trial = Trial {
            fleet: None,
            ..north.trial(kind)
        };
        north.assert_denied(request, trial).await;
    }
    north.test.finish().await;
}

#[tokio::test]
async fn who_maintains_one_fleet_is_judged_as_its_maintainer() {
    let mut test = TestApp::prepare(&[]).await;
    let mina = test.cord.user("mina").in_channel("ops");
    let rules = format!(
        "[[grant]]\nuser = {}\nlevel = \"maintainer\"\nfleet = \"north\"\n\
         [[policy]]\nname = \"not alone\"\nactions = [\"fleet delete\"]\nlevels = [\"maintainer\"]\n\
         effect = \"deny\"\nreason = \"ask an owner\"\n",
        mina.id()
    );
    let file = test.path("yardarm.toml");
    std::fs::write(&file, rules).unwrap();
    test.up_from(&file).await;
    test.done("fleet create name:north").await;
    let refused = slash(&mina, "fleet delete fleet:north")
        .send()
        .await
        .unwrap();
    insta::assert_snapshot!(test.refusal(&refused).await, @"The policy `not alone` denies this: ask an owner");
    test.done("fleet delete fleet:north").await;
    test.finish().await;
}

#[tokio::test]
async fn an_export_is_given_at_once_or_not_at_all() {
    let mut test = TestApp::prepare(&[]).await;
    let file = test.path("yardarm.toml");
    let rule =
        "[[policy]]\nname = \"careful\"\nactions = [\"audit export\"]\neffect = \"confirm\"\n";
    std::fs::write(&file, rule).unwrap();
    test.up_from(&file).await;
    insta::assert_snapshot!(test.refused("audit export:true").await, @"The policy `careful` denies this: it would have it asked about, and this is answered at once or not at all.");
    test.finish().await;
}
