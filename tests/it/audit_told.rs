//! Whatever changes who may do what, or what is done, is told with who did it and to what.

use yardarm::domain::{
    action::State,
    audit::{Record, What},
};

use crate::support::test_app::TestApp;

const RULES: &str = r#"
[[policy]]
name = "stops are asked about"
actions = ["stop"]
effect = "ask"
ask = { approvals = 1 }
[[policy]]
name = "all else goes"
effect = "allow"
"#;

/// Nobody owns it yet.
async fn unclaimed() -> TestApp {
    let mut test = TestApp::prepare(&[("access.owners", "[]")]).await;
    write_settings(&test, RULES);
    let file = test.path("yardarm.toml");
    test.up_from(&file).await;
    test
}

fn write_settings(test: &TestApp, text: &str) {
    std::fs::write(test.path("yardarm.toml"), text).unwrap();
}

impl TestApp {
    /// Olga becomes the first owner.
    async fn claim(&self) {
        let code = self.code().await.unwrap();
        let claimed = self.claims(&self.olga(), &code).await;
        claimed.until_text("⚓").await.unwrap();
    }

    /// A command whose form takes a secret's value.
    async fn fill_in_secret(&self, command: &str) {
        let modal = self.send(command).await.modal().unwrap();
        let sent = modal.fill("value", "s3cret").submit().await.unwrap();
        assert!(self.end_of(&sent).await.starts_with('✅'));
    }

    async fn records(&self) -> Vec<Record> {
        self.ops().store.ledger().rows(1, 1000).await.unwrap()
    }

    /// What was told since `first`, without the lives of actions and without numbers.
    async fn told_since(&self, first: usize) -> String {
        let records = self.records().await;
        let is_of_an_action = |record: &&Record| {
            State::ALL
                .iter()
                .any(|state| What::from(*state).as_str() == record.what)
        };
        let others = records
            .iter()
            .skip(first)
            .filter(|record| !is_of_an_action(record));
        let lines = others.map(|record| {
            let line = self.line(record);
            line.split_once(' ').unwrap().1.to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[tokio::test]
async fn who_may_do_what_is_told() {
    let test = unclaimed().await;
    test.claim().await;
    test.done("grant add level:operator fleet:prod-* user:ravi hours:2")
        .await;
    test.done("grant remove grant:2").await;
    test.done("team create name:crew").await;
    test.done("team add team:crew user:ravi").await;
    test.done("team delete team:crew").await;
    let mina = test.cord.user("mina").in_channel("ops");
    test.refusal(&mina.slash("status").send().await.unwrap())
        .await;
    test.until(|ops| ops.roster.glance(|_| true, None, 0).refused == 1)
        .await;
    insta::assert_snapshot!(test.told_since(1).await, @r#"
    claim code, from host, {}
    claimed, by olga, from chat, “owner on `*` for <@olga>”, {"grant":{"created_at":null,"fleets":"*","granted_by":null,"holder":{"user":olga},"id":null,"level":"owner","source":"claim","until":null}}
    granted, grant add, by olga, from chat, “operator on `prod-*` for <@ravi> until <t:1795269600:f>”, {"allowance":null,"grant":{"created_at":null,"fleets":"prod-*","granted_by":null,"holder":{"user":ravi},"id":null,"level":"operator","source":"chat","until":"2026-11-21T14:00:00Z"},"name":null,"team":null}
    revoked, grant remove, by olga, from chat, “operator on `prod-*` for <@ravi> until <t:1795269600:f>”, {"allowance":null,"grant":{"created_at":"2026-11-21T12:00:00Z","fleets":"prod-*","granted_by":olga,"holder":{"user":ravi},"id":2,"level":"operator","source":"chat","until":"2026-11-21T14:00:00Z"},"name":null,"team":null}
    team set, team save, by olga, from chat, “crew”, {"allowance":null,"grant":null,"name":"crew","team":{"to":{"name":"crew","owns":[],"roles":[],"source":"chat","users":[]},"was":null}}
    team set, team save, by olga, from chat, “crew”, {"allowance":null,"grant":null,"name":"crew","team":{"to":{"name":"crew","owns":[],"roles":[],"source":"chat","users":[ravi]},"was":{"name":"crew","owns":[],"roles":[],"source":"chat","users":[]}}}
    team deleted, team delete, by olga, from chat, “crew”, {"allowance":null,"grant":null,"name":"crew","team":null}
    refused, by mina, from chat, “You need viewer on some fleet; <@olga> has it. An owner can grant it: `/grant add`.”, {"held_back":0}
    "#);
    test.finish().await;
}

#[tokio::test]
async fn what_people_decide_and_freeze_is_told() {
    let test = unclaimed().await;
    test.claim().await;
    test.deploy("scout").await;
    test.done("grant add level:operator fleet:* user:ravi")
        .await;
    let first = test.records().await.len();
    test.send("stop agent:scout reason:lunch").await;
    let card = test
        .cord
        .channel("ops")
        .wait_for_text("-# approval")
        .await
        .unwrap();
    let ravi = test.cord.user("ravi").in_channel("ops");
    ravi.press(&card, "Approve").await.unwrap();
    test.cord
        .channel("ops")
        .wait_for_text("-# result")
        .await
        .unwrap();
    let question = test.send("freeze fleet:main reason:fire").await;
    let button = TestApp::labels(&question)[0].clone();
    let frozen = question.press(&button).await.unwrap();
    test.end_of(&frozen).await;
    test.done("unfreeze fleet:main").await;
    insta::assert_snapshot!(test.told_since(first).await, @r#"
    voted, stop, agent scout, fleet main, by ravi, from chat, {"answer":"approve"}
    approved, stop, agent scout, fleet main, by ravi, from chat, {}
    frozen, freeze, fleet main, by olga, from chat, “fire”, {}
    unfrozen, unfreeze, fleet main, by olga, from chat, {}
    "#);
    test.finish().await;
}

#[tokio::test]
async fn secrets_exports_and_the_process_itself_are_told() {
    let mut test = unclaimed().await;
    test.claim().await;
    let first = test.records().await.len();
    test.fill_in_secret("secret set name:KEY all:true").await;
    test.fill_in_secret("secret rotate name:KEY all:true").await;
    test.done("secret delete name:KEY all:true").await;
    let export = test.send("audit what:claimed export:true").await;
    test.end_of(&export).await;
    test.restart().await;
    let told = test.told_since(first).await;
    let (told, started) = told.rsplit_once('\n').unwrap();
    insta::assert_snapshot!(told, @r#"
    secret set, secret set, by olga, from chat, “`KEY` for all agents”, {}
    secret rotated, secret rotate, by olga, from chat, “`KEY` for all agents”, {}
    secret deleted, secret delete, by olga, from chat, “`KEY` for all agents”, {}
    exported, audit export, by olga, from chat, {"rows":1,"search":{"actor":null,"agent":null,"kind":null,"since":null,"text":null,"through":null,"until":null,"what":"claimed"}}
    stopped, from yardarm, {}
    "#);
    assert!(started.starts_with("started, from yardarm, "), "{started}");
    test.finish().await;
}

#[tokio::test]
async fn each_rule_grant_and_team_that_a_reload_changes_is_told() {
    let test = unclaimed().await;
    test.claim().await;
    let ravi = test.cord.user("ravi").id();
    let first = test.records().await.len();
    let rights = format!(
        "[[team]]\nname = \"crew\"\nusers = [{ravi}]\n[[grant]]\nteam = \"crew\"\nlevel = \"viewer\"\nfleet = \"*\"\n"
    );
    let denied = "[[policy]]\nname = \"nothing is removed\"\nactions = [\"remove\"]\neffect = \"deny\"\nreason = \"no\"\n";
    write_settings(
        &test,
        &format!(
            "{rights}{denied}{}",
            RULES.replace("approvals = 1", "approvals = 2")
        ),
    );
    test.done("reload").await;
    // The first rule comes last, and what was new goes.
    let (asked, all_else) = RULES.split_at(RULES.rfind("[[policy]]").unwrap());
    write_settings(
        &test,
        &format!(
            "{all_else}{}",
            asked.replace("approvals = 1", "approvals = 2")
        ),
    );
    test.done("reload").await;
    test.done("reload").await;
    let told = test.told_since(first).await;
    let told: Vec<&str> = told
        .lines()
        .filter(|line| !line.starts_with("reloaded"))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    policy set, by olga, from file, “nothing is removed”, {"effect":"deny: no"}
    policy set, by olga, from file, “stops are asked about”, {"effect":"ask 2 other people"}
    granted, by olga, from file, “viewer on `*` for team `crew`”, {"grant":{"created_at":null,"fleets":"*","granted_by":null,"holder":{"team":"crew"},"id":null,"level":"viewer","source":"file","until":null}}
    team set, by olga, from file, “crew”, {"team":{"name":"crew","owns":[],"roles":[],"source":"file","users":[ravi]}}
    policy deleted, by olga, from file, “nothing is removed”, {"effect":"deny: no"}
    policy set, by olga, from file, “all else goes”, {"effect":"allow"}
    policy set, by olga, from file, “stops are asked about”, {"effect":"ask 2 other people"}
    revoked, by olga, from file, “viewer on `*` for team `crew`”, {"grant":{"created_at":null,"fleets":"*","granted_by":null,"holder":{"team":"crew"},"id":null,"level":"viewer","source":"file","until":null}}
    team deleted, by olga, from file, “crew”, {"team":{"name":"crew","owns":[],"roles":[],"source":"file","users":[ravi]}}
    "#);
    test.finish().await;
}

impl TestApp {
    /// What was told of actions that were asked for, and of how they ended, since `first`.
    async fn lives_since(&self, first: usize) -> String {
        let records = self.records().await;
        let tells = |record: &&Record| {
            ["asked", "accepted", "cancelled", "denied", "void"].contains(&record.what.as_str())
        };
        let told = records.iter().skip(first).filter(tells);
        let lines = told.map(|record| {
            let line = self.line(record);
            line.split_once(' ').unwrap().1.to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[tokio::test]
async fn what_is_asked_for_is_told_with_what_it_is_about() {
    let test = unclaimed().await;
    test.claim().await;
    test.deploy("scout").await;
    test.done("fleet create name:north").await;
    let first = test.records().await.len();
    test.done("grant add level:operator fleet:prod-* user:ravi")
        .await;
    test.fill_in_secret("secret set name:KEY fleet:north").await;
    test.fill_in_secret("secret set name:KEY agent:scout").await;
    test.done("silence fleet:north hours:2 reason:noon").await;
    test.done("board here fleet:north").await;
    test.done("schedule add name:nightly cron:@daily action:report")
        .await;
    test.done("fleet add agent:scout fleet:north").await;
    let question = test.send("freeze fleet:north reason:fire").await;
    let frozen = question.press("Freeze").await.unwrap();
    test.end_of(&frozen).await;
    insta::assert_snapshot!(test.lives_since(first).await, @r#"
    accepted, grant add, by olga, from chat, {"about":"operator on `prod-*` for <@ravi>"}
    accepted, secret set, fleet north, by olga, from chat, {"about":"`KEY` for fleet `north`"}
    accepted, secret set, agent scout, fleet main, by olga, from chat, {"about":"`KEY` for `scout`"}
    accepted, silence, fleet north, by olga, from chat, “noon”, {"about":"fleet north for 2 h"}
    accepted, board, fleet north, by olga, from chat, {"about":"of `north` in #ops"}
    accepted, schedule add, by olga, from chat, {"about":"`nightly`"}
    accepted, fleet add, agent scout, fleet main, by olga, from chat, {"about":"to `north`"}
    accepted, freeze, fleet north, by olga, from chat, “fire”, {"about":"`north`"}
    "#);
    insta::assert_snapshot!(test.done("audit action:\"secret set\"").await, @r"
    `21` <t:1795262400:f> **succeeded** secret set `KEY` for `scout` · by <@olga> · action 5
    `20` <t:1795262400:f> **secret set** secret set `scout` · by <@olga> “\`KEY\` for \`scout\`” · action 5
    `19` <t:1795262400:f> **running** secret set `KEY` for `scout` · by <@olga> · action 5
    `18` <t:1795262400:f> **accepted** secret set `KEY` for `scout` · by <@olga> · action 5
    `17` <t:1795262400:f> **succeeded** secret set `KEY` for fleet `north` · by <@olga> · action 4
    `16` <t:1795262400:f> **secret set** secret set `north` · by <@olga> “\`KEY\` for fleet \`north\`” · action 4
    `15` <t:1795262400:f> **running** secret set `KEY` for fleet `north` · by <@olga> · action 4
    `14` <t:1795262400:f> **accepted** secret set `KEY` for fleet `north` · by <@olga> · action 4
    ");
    test.finish().await;
}

#[tokio::test]
async fn why_something_is_void_or_denied_is_told() {
    let test = unclaimed().await;
    test.claim().await;
    test.deploy("scout").await;
    test.done("grant add level:operator fleet:* user:ravi")
        .await;
    let ravi = test.cord.user("ravi").in_channel("ops");
    let ops = test.cord.channel("ops");
    let first = test.records().await.len();
    test.send("stop agent:scout").await;
    let card = ops.wait_for_text("-# approval").await.unwrap();
    test.done("redeploy agent:scout").await;
    let void = ravi.press(&card, "Approve").await.unwrap();
    test.whisper(&void).await;
    test.send("stop agent:scout").await;
    ops.wait_for_text("-# approval 5").await.unwrap();
    let denied = ravi.slash("approve").option("id", 5);
    let denied = denied.option("decision", "deny").option("reason", "busy");
    let denied = denied.send().await.unwrap();
    denied.until_text("Denied.").await.unwrap();
    insta::assert_snapshot!(test.lives_since(first).await, @r#"
    asked, stop, agent scout, fleet main, by olga, from chat, {}
    accepted, redeploy, agent scout, fleet main, by olga, from chat, {"image":"demo:1","template":"demo"}
    void, stop, agent scout, fleet main, by olga, from chat, “the plan has changed: `scout` has another container by now”, {}
    asked, stop, agent scout, fleet main, by olga, from chat, {}
    denied, stop, agent scout, fleet main, by olga, from chat, “busy”, {}
    "#);
    test.finish().await;
}

#[tokio::test]
async fn what_the_files_said_otherwise_while_nobody_ran_is_told_by_the_next_start() {
    let mut test = unclaimed().await;
    test.claim().await;
    test.restart().await;
    let first = test.records().await.len();
    test.down().await;
    let ravi = test.cord.user("ravi").id();
    let grant = format!("[[grant]]\nuser = {ravi}\nlevel = \"viewer\"\nfleet = \"*\"\n");
    let rules = RULES.replace("approvals = 1", "approvals = 2");
    write_settings(&test, &format!("{grant}{rules}"));
    test.up().await;
    test.restart().await;
    let told = test.told_since(first).await;
    let told: Vec<&str> = told
        .lines()
        .filter(|line| !line.starts_with("started") && !line.starts_with("stopped"))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    policy set, from file, “stops are asked about”, {"effect":"ask 2 other people"}
    granted, from file, “viewer on `*` for <@ravi>”, {"grant":{"created_at":null,"fleets":"*","granted_by":null,"holder":{"user":ravi},"id":null,"level":"viewer","source":"file","until":null}}
    "#);
    test.finish().await;
}
