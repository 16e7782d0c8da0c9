//! What people are asked about, where, and whom: the card says all that is approved, and the rule's wishes count.

use localcord::{Channel, Fault, Message, Person, Reply};

use crate::support::test_app::TestApp;

/// Olga and Ravi own all; Gus alone has the role `crew`, which is granted nothing unless `rules` say so.
async fn team(rules: impl FnOnce(&TestApp) -> String) -> TestApp {
    let mut test = TestApp::prepare(&[("access.preset", "\"team\"")]).await;
    test.cord.invite("gus").set_roles(&["crew"]).unwrap();
    test.cord.user("ravi").set_roles(&[]).unwrap();
    let owners = ["olga", "ravi"].map(|name| format!("\"{}\"", test.cord.user(name).id()));
    test.set("access.owners", &format!("[{}]", owners.join(", ")));
    let file = test.path("yardarm.toml");
    std::fs::write(&file, rules(&test)).unwrap();
    test.up_from(&file).await;
    test
}

fn person(test: &TestApp, name: &str) -> Person {
    test.cord.user(name).in_channel("ops")
}

async fn question(channel: &Channel, about: &str) -> Message {
    let asks = |message: &Message| {
        message.text().contains("-# approval") && message.text().contains(about)
    };
    channel.wait_for(asks).await.unwrap()
}

/// The card about something in the ops channel, once it says `text`.
async fn card(test: &TestApp, about: &str, text: &str) -> String {
    let asks = |message: &Message| {
        let said = message.text();
        said.contains("-# approval") && said.contains(about) && said.contains(text)
    };
    let found = test.cord.channel("ops").wait_for(asks).await.unwrap();
    test.said(found.content())
}

/// Without the line that changes with every plan.
fn body(content: &str) -> String {
    let lines = content.lines().filter(|line| !line.starts_with("-# "));
    lines.collect::<Vec<_>>().join("\n")
}

async fn fill(test: &TestApp, command: &str) -> Reply {
    let form = test.send(command).await.modal().unwrap();
    form.fill("value", "a-value-of-it").submit().await.unwrap()
}

#[tokio::test]
async fn what_is_about_a_fleet_is_asked_in_its_own_channel() {
    let test = team(|_| String::new()).await;
    test.done("fleet create name:north channel:alerts").await;
    fill(&test, "secret set name:KEY fleet:north").await;
    let alerts = test.cord.channel("alerts");
    let asked = question(&alerts, "secret set").await;
    assert!(
        asked.text().contains("`KEY` for fleet `north`"),
        "{}",
        asked.text()
    );
    fill(&test, "secret set name:KEY all:true").await;
    question(&test.cord.channel("ops"), "`KEY` for all agents").await;
    test.finish().await;
}

#[tokio::test]
async fn who_comes_and_goes_stands_on_the_card_of_a_team() {
    let test = team(|_| String::new()).await;
    test.send("team create name:crew").await;
    let ops = test.cord.channel("ops");
    let asked = question(&ops, "team save").await;
    insta::assert_snapshot!(body(&test.said(asked.content())), @"
    🗳️ <@olga> asks to **team save** `crew`.
    • a team without anybody
    0 of 1 approvals, from <@ravi> · lapses <t:1795348800:R>
    ");
    person(&test, "ravi")
        .press(&asked, "Approve")
        .await
        .unwrap();
    card(&test, "team save", "done in").await;
    test.send("team add team:crew user:mina").await;
    let asked = card(&test, "team save", "+ <@").await;
    insta::assert_snapshot!(body(&asked), @"
    🗳️ <@olga> asks to **team save** `crew`.
    • + <@mina>
    0 of 1 approvals, from <@ravi> · lapses <t:1795348800:R>
    ");
    test.finish().await;
}

#[tokio::test]
async fn what_a_schedule_does_and_when_stands_on_its_card() {
    let rule = "[[policy]]\nname = \"asked\"\nactions = [\"schedule add\", \"template save\", \"fleet create\"]\neffect = \"ask\"\nask = { approvals = 1 }\n";
    let test = team(|_| rule.to_owned()).await;
    test.deploy("scout").await;
    test.send("schedule add name:nightly cron:\"30 2 * * 1-5\" action:stop agent:scout zone:Europe/Berlin missed:once until:2026-12-31T18:00:00Z")
        .await;
    let ops = test.cord.channel("ops");
    let asked = question(&ops, "schedule add").await;
    insta::assert_snapshot!(body(&test.said(asked.content())), @"
    🗳️ <@olga> asks to **schedule add** `nightly`.
    • stop `scout`
    • at `30 2 * * 1-5` in Europe/Berlin
    • a missed run is made up for
    • until <t:1798740000:f>
    0 of 1 approvals, from <@ravi> · lapses <t:1795348800:R>
    ");
    test.send("templates save agent:scout name:saved").await;
    let asked = question(&ops, "template save").await;
    insta::assert_snapshot!(body(&test.said(asked.content())), @r#"
    🗳️ <@olga> asks to **template save** `saved`.
    • description `"saved from scout"`
    • image `"demo:1"`
    • internet `true`
    • limits `{"cpus":1.0,"memory_mb":512,"pids":256}`
    • network `"fleet"`
    • read_only_root `false`
    • stop_grace_s `1`
    0 of 1 approvals, from <@ravi> · lapses <t:1795348800:R>
    "#);
    test.send("fleet create name:north channel:alerts").await;
    let asked = question(&ops, "fleet create").await;
    let alerts = test.cord.channel("alerts").id();
    assert!(
        asked
            .content()
            .contains(&format!("ops channel <#{alerts}>")),
        "{}",
        asked.content()
    );
    test.finish().await;
}

#[tokio::test]
async fn a_question_whose_channel_is_gone_is_asked_in_the_ops_channel() {
    let test = team(|_| String::new()).await;
    test.done("fleet create name:north channel:general").await;
    test.done("deploy template:demo name:scout fleet:north")
        .await;
    let gone = test.cord.channel("general").id();
    let path = format!("/channels/{gone}/messages");
    let deleted = Fault::refusal(404, 10003).on("POST", &path);
    let _deleted = test.cord.inject(deleted);
    test.send("remove agent:scout").await;
    let asked = question(&test.cord.channel("ops"), "remove").await;
    person(&test, "ravi")
        .press(&asked, "Approve")
        .await
        .unwrap();
    card(&test, "remove", "done in").await;
    test.cord
        .channel("ops")
        .wait_for_text("-# result")
        .await
        .unwrap();
    test.finish_with_dead(1).await;
}

/// One rule for each agent, with what it asks.
fn rules(asks: &[(&str, String)]) -> String {
    let rule = |(agent, ask): &(&str, String)| {
        format!(
            "[[policy]]\nname = \"{agent}\"\nactions = [\"stop\"]\nagents = [\"{agent}\"]\neffect = \"ask\"\nask = {{ approvals = 1, {ask} }}\n"
        )
    };
    asks.iter().map(rule).collect()
}

#[tokio::test]
async fn what_a_rule_wishes_of_a_question_counts() {
    let test = team(|test| {
        let (gus, crew) = (test.cord.user("gus").id(), test.cord.role_id("crew"));
        let alerts = test.cord.channel("alerts").id();
        let grant = format!("[[grant]]\nrole = {crew}\nlevel = \"operator\"\nfleet = \"*\"\n");
        let watch = format!("[[team]]\nname = \"watch\"\nusers = [{gus}]\n");
        let deny = "[[policy]]\nname = \"never\"\nactions = [\"stop\"]\nagents = [\"never\"]\neffect = \"deny\"\nreason = \"it must run\"\n";
        let asks = [
            ("why", "reason_required = true".to_owned()),
            ("own", "requester_counts = true".to_owned()),
            ("user", format!("users = [{gus}]")),
            ("role", format!("roles = [{crew}]")),
            ("team", "teams = [\"watch\"]".to_owned()),
            ("short", format!("expires_s = 60, channel = {alerts}")),
        ];
        [grant, watch, deny.to_owned(), rules(&asks)].concat()
    })
    .await;
    for agent in ["why", "own", "user", "role", "team", "short", "never"] {
        test.ops_deploy(agent).await;
    }

    insta::assert_snapshot!(test.refused("stop agent:never").await, @"The policy `never` denies this: it must run");
    insta::assert_snapshot!(test.refused("stop agent:why").await, @"The policy `why` wants to know why. Send the command again with `reason:`.");
    test.send("stop agent:why reason:\"it spends\"").await;
    card(&test, "`why`", "Why: it spends").await;

    let ops = test.cord.channel("ops");
    test.send("stop agent:own").await;
    let asked = question(&ops, "`own`").await;
    test.olga().press(&asked, "Approve").await.unwrap();
    card(&test, "`own`", "done in").await;

    for agent in ["user", "role", "team"] {
        test.send(&format!("stop agent:{agent}")).await;
        let asked = question(&ops, &format!("`{agent}`")).await;
        let other = person(&test, "ravi")
            .press(&asked, "Approve")
            .await
            .unwrap();
        let said = test.whisper(&other).await;
        assert!(
            said.starts_with("Others were named to decide this: <@"),
            "{said}"
        );
        person(&test, "gus").press(&asked, "Approve").await.unwrap();
        card(&test, &format!("`{agent}`"), "done in").await;
    }

    test.send("stop agent:short").await;
    let asked = question(&test.cord.channel("alerts"), "`short`").await;
    test.pass(chrono::TimeDelta::seconds(60));
    let late = test.cord.user("ravi").in_channel("alerts");
    let late = late.press(&asked, "Approve").await.unwrap();
    let said = test.whisper(&late).await;
    assert!(said.starts_with("This question lapsed"), "{said}");
    test.finish().await;
}

#[tokio::test]
async fn who_is_named_and_cannot_have_the_level_makes_no_quorum() {
    let test = team(|test| {
        let ask = format!("users = [{}]", test.cord.user("mina").id());
        rules(&[("scout", ask)])
    })
    .await;
    test.deploy("scout").await;
    insta::assert_snapshot!(test.refused("stop agent:scout").await, @r#"The policy `scout` wants another person to approve this, and the present grants name 0. An owner can grant `operator` to somebody (`/grant add`); who works alone sets `access.preset = "solo"` on the host."#);
    test.finish().await;
}
