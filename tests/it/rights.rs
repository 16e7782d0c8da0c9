//! Who may do what, as people meet it: levels on fleets, roles that come and go, ends, teams, other guilds, bots.

use chrono::TimeDelta;
use localcord::Person;
use yardarm::clock::Clock;

use crate::support::{talk::slash, test_app::TestApp};

/// `scout` is in `main`, `web` in `prod`. Olga owns all; the crew, which is Ravi, operates `prod`; Mina sees it.
async fn scene() -> TestApp {
    scene_with("").await
}

async fn scene_with(more: &str) -> TestApp {
    let mut test = TestApp::prepare(&[]).await;
    let file = test.path("yardarm.toml");
    let crew = test.cord.role_id("crew");
    let mina = test.cord.user("mina").id();
    let text = format!(
        "[[grant]]\nrole = {crew}\nlevel = \"operator\"\nfleet = \"prod\"\n\
         [[grant]]\nuser = {mina}\nlevel = \"viewer\"\nfleet = \"prod*\"\n{more}"
    );
    std::fs::write(&file, text).unwrap();
    test.up_from(&file).await;
    test.done("fleet create name:prod").await;
    test.deploy("scout").await;
    test.done("deploy template:demo name:web fleet:prod").await;
    test.engine.forget_calls();
    test
}

impl TestApp {
    fn ravi(&self) -> Person {
        self.cord.user("ravi").in_channel("ops")
    }

    fn mina(&self) -> Person {
        self.cord.user("mina").in_channel("ops")
    }

    /// What somebody reads at the end of a command.
    async fn says_to(&self, person: &Person, command: &str) -> String {
        let reply = slash(person, command).send().await.unwrap();
        self.end_of(&reply).await
    }
}

#[tokio::test]
async fn a_level_counts_on_its_fleet_and_says_what_lacks_elsewhere() {
    let test = scene().await;
    let ravi = test.ravi();
    insta::assert_snapshot!(test.says_to(&ravi, "stop agent:web").await, @r"
    ✅ stop `web`: done in 0.0 s
    -# action 4 · by <@ravi>
    ");
    insta::assert_snapshot!(test.says_to(&ravi, "stop agent:scout").await, @"You need operator on `main`; <@olga> has it. An owner can grant it: `/grant add`.");
    insta::assert_snapshot!(test.says_to(&ravi, "remove agent:web").await, @"You need maintainer on `prod`; <@olga> has it. An owner can grant it: `/grant add`.");
    insta::assert_snapshot!(test.says_to(&ravi, "fleet add fleet:prod agent:scout").await, @"You need maintainer on `prod`; <@olga> has it. An owner can grant it: `/grant add`.");
    insta::assert_snapshot!(test.says_to(&ravi, "reload").await, @"You need owner on all fleets (`*`); <@olga> has it. An owner can grant it: `/grant add`.");
    insta::assert_snapshot!(test.says_to(&test.mina(), "start agent:web").await, @"You need operator on `prod`; <@&922635462827934232>, <@olga> have it. An owner can grant it: `/grant add`.");
    assert_eq!(test.engine.changes(), ["stop yardarm-web"]);
    test.finish().await;
}

#[tokio::test]
async fn who_sees_no_fleet_is_told_so() {
    let mut test = TestApp::prepare(&[]).await;
    let (file, mina) = (test.path("yardarm.toml"), test.mina());
    let grant = format!(
        "[[grant]]\nuser = {}\nlevel = \"viewer\"\nfleet = \"night-*\"\n",
        mina.id()
    );
    std::fs::write(&file, grant).unwrap();
    test.up_from(&file).await;
    insta::assert_snapshot!(test.says_to(&mina, "fleet list").await, @"There is no fleet that you may see. `/grant list` shows what you were granted; an owner can grant more: `/grant add`.");
    test.finish().await;
}

#[tokio::test]
async fn what_may_not_be_seen_is_neither_shown_nor_offered_nor_meant() {
    let test = scene().await;
    let mina = test.mina();
    let status = test.says_to(&mina, "status").await;
    assert!(
        status.contains("web") && !status.contains("scout"),
        "{status}"
    );
    let fleets = test.says_to(&mina, "fleet list").await;
    assert!(
        fleets.contains("prod") && !fleets.contains("main"),
        "{fleets}"
    );
    insta::assert_snapshot!(test.says_to(&mina, "logs agent:scout").await, @"You need viewer on `main`; <@olga> has it. An owner can grant it: `/grant add`.");
    insta::assert_snapshot!(test.says_to(&mina, "status fleet:main").await, @"You need viewer on `main`; <@olga> has it. An owner can grant it: `/grant add`.");
    insta::assert_snapshot!(test.says_to(&mina, "status agent:scoot").await, @"There is no agent `scoot`. The only one is `web`.");
    let offers = mina
        .autocomplete("stop")
        .focus("agent", "")
        .send()
        .await
        .unwrap();
    let offers: Vec<_> = offers.into_iter().map(|choice| choice.value).collect();
    assert_eq!(offers, ["web"]);
    let fleets = mina
        .autocomplete("stop")
        .focus("fleet", "")
        .send()
        .await
        .unwrap();
    assert_eq!(fleets.len(), 1);
    // A pattern means what is seen: `scout` is not among them.
    insta::assert_snapshot!(test.says_to(&test.ravi(), "pause agent:*").await, @r"
    ✅ pause `web`: done in 0.0 s
    -# action 4 · by <@ravi>
    ");
    test.finish().await;
}

#[tokio::test]
async fn a_button_on_a_card_is_judged_by_who_presses_it() {
    let test = scene().await;
    let card = test.send("status agent:web").await;
    let message = card.message().unwrap();
    let refused = test.mina().forge(&message, "v1:stop:2").await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "the client refuses: you do not see that message"
    );

    let posted = test.send("restart agent:web").await;
    test.end_of(&posted).await;
    let message = posted.message().unwrap();
    let pressed = test.mina().forge(&message, "v1:stop:2").await.unwrap();
    insta::assert_snapshot!(test.whisper(&pressed).await, @"You need operator on `prod`; <@&922635462827934232>, <@olga> have it. An owner can grant it: `/grant add`.");
    let pressed = test.ravi().forge(&message, "v1:logs:1").await.unwrap();
    insta::assert_snapshot!(test.whisper(&pressed).await, @"You need viewer on `main`; <@olga> has it. An owner can grant it: `/grant add`.");
    let page = test.mina().forge(&message, "v1:page:0:main").await.unwrap();
    insta::assert_snapshot!(test.whisper(&page).await, @"You need viewer on `main`; <@olga> has it. An owner can grant it: `/grant add`.");
    test.finish().await;
}

#[tokio::test]
async fn a_role_that_is_taken_or_deleted_counts_no_more() {
    let test = scene().await;
    let ravi = test.ravi();
    ravi.set_roles(&["guest"]).unwrap();
    insta::assert_snapshot!(test.says_to(&ravi, "status").await, @"You need viewer on some fleet; <@&922635462827934232>, <@olga>, <@mina> have it. An owner can grant it: `/grant add`.");
    ravi.set_roles(&["crew"]).unwrap();
    assert!(test.says_to(&ravi, "status").await.contains("web"));
    test.cord.delete_role("harbour", "crew").unwrap();
    // One that is made again under the same name is another role.
    test.cord.add_role("harbour", "crew").unwrap();
    ravi.set_roles(&["crew"]).unwrap();
    assert!(
        test.says_to(&ravi, "status")
            .await
            .starts_with("You need viewer")
    );
    test.finish().await;
}

#[tokio::test]
async fn a_role_of_another_guild_and_a_bot_with_the_role_are_nobody() {
    let test = scene().await;
    let gull = test.cord.invite_bot("gull").in_channel("ops");
    gull.set_roles(&["crew"]).unwrap();
    insta::assert_snapshot!(test.says_to(&gull, "stop agent:web").await, @"Yardarm takes orders from people, not from programs. Press or type it yourself.");

    test.cord.add_role("other", "crew").unwrap();
    let mina = test.cord.user("mina").in_guild("other");
    mina.set_roles(&["crew"]).unwrap();
    let there = mina.says("over here").unwrap();
    let pressed = mina.forge(&there, "v1:stop:2").await.unwrap();
    insta::assert_snapshot!(test.whisper(&pressed).await, @"Yardarm serves another server. Ask its owner to set `discord.guild` if this should be the one.");
    let olga = test.olga().dm();
    let direct = olga.says("psst").unwrap();
    let pressed = olga.forge(&direct, "v1:stop:2").await.unwrap();
    insta::assert_snapshot!(test.whisper(&pressed).await, @"Yardarm works in its server, not in direct messages. Ask there.");
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}

#[tokio::test]
async fn a_grant_counts_until_its_end() {
    let mut test = TestApp::prepare(&[]).await;
    let file = test.path("yardarm.toml");
    let ravi = test.ravi();
    let now = Clock::now(&test.clock);
    let text = format!(
        "[[grant]]\nuser = {}\nlevel = \"viewer\"\nfleet = \"*\"\nuntil = {}\n",
        ravi.id(),
        (now + TimeDelta::hours(1)).to_rfc3339()
    );
    std::fs::write(&file, text).unwrap();
    test.up_from(&file).await;
    assert!(!test.says_to(&ravi, "status").await.starts_with("You need"));
    test.pass(TimeDelta::hours(1));
    insta::assert_snapshot!(test.says_to(&ravi, "status").await, @"You need viewer on some fleet; <@olga> has it. An owner can grant it: `/grant add`.");
    test.finish().await;
}

#[tokio::test]
async fn a_team_maintains_what_it_owns() {
    // Ids are derived from names: they are the same at every start.
    let ravi = TestApp::prepare(&[]).await.cord.user("ravi").id();
    let team = format!("[[team]]\nname = \"west\"\nusers = [{ravi}]\nowns = [\"west-*\"]\n");
    let test = scene_with(&team).await;
    let ravi = test.ravi();
    let said = test.says_to(&ravi, "fleet create name:west-1").await;
    assert!(said.starts_with("✅"), "{said}");
    let said = test
        .says_to(&ravi, "deploy template:demo name:dock fleet:west-1")
        .await;
    assert!(said.contains("running"), "{said}");
    insta::assert_snapshot!(test.says_to(&ravi, "fleet create name:east").await, @"You need maintainer on `east`; <@olga> has it. An owner can grant it: `/grant add`.");
    insta::assert_snapshot!(test.says_to(&test.mina(), "stop fleet:west-1").await, @"You need operator on `west-1`; <@ravi>, <@olga> have it. An owner can grant it: `/grant add`.");
    test.finish().await;
}

#[tokio::test]
async fn a_form_is_judged_again_when_it_comes_back() {
    let probe = TestApp::prepare(&[]).await;
    let guest = probe.cord.role_id("guest");
    let grant = format!("[[grant]]\nrole = {guest}\nlevel = \"maintainer\"\nfleet = \"*\"\n");
    let test = scene_with(&grant).await;
    test.write_template(
        "asking",
        r#"{ "description": "x", "image": "demo:1",
             "parameters": [{ "name": "word", "type": "string", "description": "x", "required": true }] }"#,
    );
    test.done("reload").await;
    let ravi = test.ravi();
    ravi.set_roles(&["guest"]).unwrap();
    let command = slash(&ravi, "deploy template:asking name:new");
    let form = command.send().await.unwrap().modal().unwrap();
    ravi.set_roles(&["crew"]).unwrap();
    let sent = form.fill("word", "hello").submit().await.unwrap();
    insta::assert_snapshot!(test.refusal(&sent).await, @"You need maintainer on `main`; <@&855737368479755363>, <@olga> have it. An owner can grant it: `/grant add`.");
    assert_eq!(test.engine.changes(), [""; 0]);
    test.finish().await;
}
