//! The first owner, and grants and teams that people make: in chat, on the host, in files.

use chrono::TimeDelta;
use localcord::{Person, Reply};
use yardarm::{
    clock::Clock,
    domain::{
        grant::{Grant, Holder, Level, Source},
        ids::{GrantId, RoleId, UserId},
        pattern::Pattern,
    },
    ops::{claims, grants},
    store::Store,
};

use crate::support::{talk::slash, test_app::TestApp};

/// Nobody may do anything.
async fn unclaimed() -> TestApp {
    TestApp::start_with(&[("access.owners", "[]")]).await
}

/// Where grants and teams are nobody else's matter: what approvals are is tested elsewhere.
async fn unasked(overrides: &[(&str, &str)]) -> TestApp {
    let mut test = TestApp::prepare(overrides).await;
    let file = test.path("yardarm.toml");
    let rule = "[[policy]]\nname = \"unasked\"\nactions = [\"grant add\", \"grant remove\", \"team save\", \"team delete\"]\neffect = \"allow\"\n";
    std::fs::write(&file, rule).unwrap();
    test.up_from(&file).await;
    test
}

/// An owner of everything, as `yardarm grant` makes one.
fn by_host(holder: Holder) -> Grant {
    Grant {
        id: None,
        holder,
        level: Level::Owner,
        fleets: Pattern::everything(),
        until: None,
        source: Source::Host,
        granted_by: None,
        created_at: None,
    }
}

impl TestApp {
    /// As `yardarm claim` does beside the running process.
    pub(crate) async fn code(&self) -> Result<String, yardarm::error::Error> {
        let store = Store::open_or_join(&self.path("yardarm.db")).await.unwrap();
        let settings = self.source().read().unwrap().0;
        let code = claims::make_code(&store, &settings, self.clock.now()).await;
        store.close().await;
        code
    }

    pub(crate) async fn claims(&self, person: &Person, code: &str) -> Reply {
        let form = slash(person, "claim").send().await.unwrap();
        let modal = form.modal().unwrap();
        modal.fill("Code", code).submit().await.unwrap()
    }

    async fn reads(&self, person: &Person, command: &str) -> String {
        let reply = slash(person, command).send().await.unwrap();
        self.end_of(&reply).await
    }
}

#[tokio::test]
async fn a_code_makes_the_first_owner_once() {
    let mut test = unclaimed().await;
    let code = test.code().await.unwrap();
    assert_eq!(code.replace('-', "").len(), 32, "128 bits");
    let olga = test.olga();
    let early = slash(&test.cord.user("mina"), "claim")
        .send()
        .await
        .unwrap();
    let early = early.modal().unwrap();
    let told = test.claims(&olga, &code.to_uppercase()).await;
    insta::assert_snapshot!(test.refusal(&told).await, @"⚓ You own this Yardarm now. `/grant add` lets others in, `/deploy` makes the first agent, `/help` lists all.");
    test.deploy("scout").await;
    insta::assert_snapshot!(test.done("grant list").await, @"`#1` owner on `*` for <@olga>, claim");

    // A form that was open meanwhile, with the same code.
    let second = early.fill("Code", &code).submit().await.unwrap();
    insta::assert_snapshot!(test.refusal(&second).await, @"There is an owner already: <@olga>. They can grant you something: `/grant add`.");
    insta::assert_snapshot!(test.refused("claim").await, @"There is an owner already: <@olga>. They can grant you something: `/grant add`.");
    insta::assert_snapshot!(test.code().await.unwrap_err(), @r"
    there is an owner already
    hint: they grant others by `/grant add`; if they are lost, use `yardarm grant add --user ID --level owner --fleet '*'`
    ");
    test.restart().await;
    assert!(test.done("status").await.contains("scout"), "it stays");
    test.finish().await;
}

#[tokio::test]
async fn a_wrong_code_is_counted_and_ends_in_nothing() {
    let test = unclaimed().await;
    let olga = test.olga();
    let none = test.claims(&olga, "0000-0000").await;
    insta::assert_snapshot!(test.refusal(&none).await, @"There is no code to claim with: it was used, or ten minutes have passed. Run `yardarm claim` on the host.");
    let code = test.code().await.unwrap();
    let wrong = test.claims(&olga, "0000-0000").await;
    insta::assert_snapshot!(test.refusal(&wrong).await, @"That is not the code. You can try 4 more times.");
    for _ in 0..4 {
        let wrong = test.claims(&olga, &code.replace(|_| true, "f")).await;
        test.refusal(&wrong).await;
    }
    let right = test.claims(&olga, &code).await;
    insta::assert_snapshot!(test.refusal(&right).await, @"You have tried too often with this code. Run `yardarm claim` on the host again.");
    // Others are not shut out by that.
    let ravi = test.cord.user("ravi").in_channel("ops");
    let told = test.claims(&ravi, &code).await;
    assert!(test.refusal(&told).await.starts_with('⚓'));
    test.finish().await;
}

#[tokio::test]
async fn too_many_wrong_codes_void_the_right_one() {
    let test = unclaimed().await;
    let code = test.code().await.unwrap();
    for number in 0..4 {
        let person = test
            .cord
            .invite(&format!("guest-{number}"))
            .in_channel("ops");
        for _ in 0..5 {
            let wrong = test.claims(&person, "nothing").await;
            test.refusal(&wrong).await;
        }
    }
    let right = test.claims(&test.olga(), &code).await;
    insta::assert_snapshot!(test.refusal(&right).await, @"There is no code to claim with: it was used, or ten minutes have passed. Run `yardarm claim` on the host.");
    test.finish().await;
}

#[tokio::test]
async fn a_code_ends_after_ten_minutes_and_a_newer_one_replaces_it() {
    let test = unclaimed().await;
    let old = test.code().await.unwrap();
    let new = test.code().await.unwrap();
    let told = test.claims(&test.olga(), &old).await;
    assert!(
        test.refusal(&told)
            .await
            .starts_with("That is not the code.")
    );
    test.pass(TimeDelta::minutes(10));
    let told = test.claims(&test.olga(), &new).await;
    insta::assert_snapshot!(test.refusal(&told).await, @"There is no code to claim with: it was used, or ten minutes have passed. Run `yardarm claim` on the host.");
    test.finish().await;
}

#[tokio::test]
async fn nobody_claims_from_elsewhere_or_as_a_program() {
    let test = unclaimed().await;
    let code = test.code().await.unwrap();
    let fields = [("code", code.as_str())];
    let gull = test.cord.invite_bot("gull").in_channel("ops");
    let other = test.olga().in_guild("other");
    for person in [gull, other, test.olga().dm()] {
        let forged = person.forge_modal("v1:claim:code", &fields).await.unwrap();
        let said = forged.until(|text| !text.is_empty()).await.unwrap().text();
        assert!(said.starts_with("Yardarm "), "{said}");
    }
    assert!(!test.ops().rights().has_owner(test.clock.now()));
    test.finish().await;
}

#[tokio::test]
async fn grants_are_given_listed_and_taken_back() {
    let mut test = unasked(&[]).await;
    test.deploy("scout").await;
    let ravi = test.cord.user("ravi").in_channel("ops");
    insta::assert_snapshot!(test.done("grant add level:operator fleet:main user:ravi reason:trusted").await, @r"
    ✅ grant add operator on `main` for <@ravi>: done in 0.0 s
    -# action 2 · by <@olga>, because: trusted
    ");
    insta::assert_snapshot!(test.done("grant add level:viewer fleet:prod-* role:guest hours:2").await, @r"
    ✅ grant add viewer on `prod-*` for <@&855737368479755363> until <t:1795269600:f>: done in 0.0 s
    -# action 3 · by <@olga>
    ");
    assert!(
        test.reads(&ravi, "stop agent:scout")
            .await
            .starts_with('✅')
    );
    insta::assert_snapshot!(test.done("grant list").await, @r"
    `file` owner on `*` for <@olga>
    `#1` operator on `main` for <@ravi>, chat by <@olga>
    `#2` viewer on `prod-*` for <@&855737368479755363> until <t:1795269600:f>, chat by <@olga>
    ");
    test.restart().await;
    assert!(
        test.reads(&ravi, "start agent:scout")
            .await
            .starts_with('✅')
    );
    let offers = test
        .olga()
        .autocomplete("grant remove")
        .focus("grant", "")
        .send()
        .await
        .unwrap();
    let offers: Vec<_> = offers.into_iter().map(|offer| offer.name).collect();
    assert_eq!(offers, ["#1 operator on main", "#2 viewer on prod-*"]);
    insta::assert_snapshot!(test.done("grant remove grant:1").await, @r"
    ✅ grant remove operator on `main` for <@ravi>: done in 0.0 s
    -# action 6 · by <@olga>
    ");
    insta::assert_snapshot!(test.reads(&ravi, "stop agent:scout").await, @"You need viewer on some fleet; <@&855737368479755363>, <@olga> have it. An owner can grant it: `/grant add`.");
    for wrong in [
        "grant add level:viewer fleet:main",
        "grant add level:viewer fleet:Main user:ravi",
        "grant add level:viewer fleet:main role:@everyone",
        "grant add level:viewer fleet:main team:nobody",
        "grant add level:viewer fleet:main user:yardarm",
        "grant remove grant:7",
    ] {
        // Only who asked reads why.
        test.refused(wrong).await;
    }
    test.pass(TimeDelta::hours(2));
    assert!(test.done("grant list").await.contains("(ended)"));
    test.finish().await;
}

#[tokio::test]
async fn the_last_owner_stays() {
    let test = unasked(&[("access.owners", "[]")]).await;
    let code = test.code().await.unwrap();
    test.claims(&test.olga(), &code)
        .await
        .until_text("⚓")
        .await
        .unwrap();
    insta::assert_snapshot!(test.refused("grant remove grant:1").await, @"That would take away the last owner: a person who owns `*` without an end must remain, by name or in a team. Grant owner to somebody else first.");
    // Neither a role nor somebody for a time is enough.
    test.done("grant add level:owner fleet:* role:crew").await;
    test.done("grant add level:owner fleet:* user:ravi hours:1")
        .await;
    assert!(
        test.refused("grant remove grant:1")
            .await
            .contains("the last owner")
    );
    test.done("grant add level:owner fleet:* user:mina").await;
    assert!(test.done("grant remove grant:1").await.starts_with('✅'));
    assert!(test.refused("status").await.starts_with("You need viewer"));
    test.finish().await;
}

#[tokio::test]
async fn the_last_owner_stays_although_it_is_a_role() {
    let test = unclaimed().await;
    let store = Store::open_or_join(&test.path("yardarm.db")).await.unwrap();
    let settings = test.source().read().unwrap().0;
    let now = test.clock.now();
    let crew: u64 = test.cord.role_id("crew").into();
    let grant = by_host(Holder::Role(RoleId(crew)));
    grants::grant_on_host(&store, &settings, grant, now)
        .await
        .unwrap();
    test.ops().refresh_rights().await.unwrap();
    let ravi = test.cord.user("ravi").in_channel("ops");
    let refused = slash(&ravi, "grant remove grant:1").send().await.unwrap();
    insta::assert_snapshot!(test.refusal(&refused).await, @"That would take away the last owner: somebody who owns `*` must remain. Grant owner to somebody else first.");
    let last = grants::revoke_on_host(&store, &settings, GrantId(1), now).await;
    assert!(last.unwrap_err().to_string().contains("the last owner"));
    store.close().await;
    test.finish().await;
}

#[tokio::test]
async fn a_team_is_made_holds_a_grant_and_goes_with_it() {
    let test = unasked(&[]).await;
    test.deploy("scout").await;
    let ravi = test.cord.user("ravi").in_channel("ops");
    insta::assert_snapshot!(test.done("team create name:crew").await, @r"
    ✅ team save `crew`: done in 0.0 s
    -# action 2 · by <@olga>
    ");
    test.done("team add team:crew user:ravi").await;
    test.done("team add team:crew fleet:crew-*").await;
    test.done("grant add level:operator fleet:main team:crew")
        .await;
    insta::assert_snapshot!(test.done("team list").await, @"**crew**: <@ravi>; owns `crew-*`");
    assert!(
        test.reads(&ravi, "stop agent:scout")
            .await
            .starts_with('✅')
    );
    assert!(
        test.reads(&ravi, "fleet create name:crew-1")
            .await
            .starts_with('✅')
    );
    insta::assert_snapshot!(test.done("team activity team:crew").await, @r"
    <t:1795262400:R> fleet create crew-1: succeeded by <@ravi>
    <t:1795262400:R> stop scout: succeeded by <@ravi>
    ");
    assert!(test.done("team delete team:crew").await.starts_with('✅'));
    assert!(
        test.reads(&ravi, "status")
            .await
            .starts_with("You need viewer")
    );
    // One that bears its name later inherits nothing.
    test.done("team create name:crew").await;
    test.done("team add team:crew user:ravi").await;
    assert!(
        test.reads(&ravi, "status")
            .await
            .starts_with("You need viewer")
    );
    insta::assert_snapshot!(test.refused("team remove team:crew user:mina").await, @"That changes nothing in `crew`.");
    insta::assert_snapshot!(test.refused("team add team:crwe user:mina").await, @"There is no team `crwe`. Did you mean `crew`?");
    let everyone = test.refused("team add team:crew role:@everyone").await;
    assert!(everyone.starts_with("That is @everyone"), "{everyone}");
    test.finish().await;
}

#[tokio::test]
async fn what_a_file_says_is_read_only_here_and_goes_with_the_file() {
    let mut test = TestApp::prepare(&[]).await;
    let file = test.path("yardarm.toml");
    let ravi = test.cord.user("ravi").in_channel("ops");
    let text = format!(
        "[[team]]\nname = \"crew\"\nusers = [{}]\n[[grant]]\nteam = \"crew\"\nlevel = \"viewer\"\nfleet = \"*\"\n",
        ravi.id()
    );
    std::fs::write(&file, text).unwrap();
    test.up_from(&file).await;
    assert!(!test.reads(&ravi, "status").await.starts_with("You need"));
    insta::assert_snapshot!(test.done("grant list").await, @r"
    `file` owner on `*` for <@olga>
    `file` viewer on `*` for team `crew`
    ");
    insta::assert_snapshot!(test.refused("team add team:crew user:mina").await, @"`crew` comes from the settings file: change it there, then `/reload`.");
    insta::assert_snapshot!(test.refused("team create name:crew").await, @"There is a team `crew` already.");
    std::fs::write(&file, "").unwrap();
    test.done("reload").await;
    assert!(test.reads(&ravi, "status").await.starts_with("You need"));
    test.finish().await;
}

#[tokio::test]
async fn what_the_host_grants_counts_without_a_restart() {
    let test = unclaimed().await;
    let store = Store::open_or_join(&test.path("yardarm.db")).await.unwrap();
    let settings = test.source().read().unwrap().0;
    let now = test.clock.now();
    let olga: u64 = test.olga().id().into();
    let grant = by_host(Holder::User(UserId(olga)));
    let said = grants::grant_on_host(&store, &settings, grant, now)
        .await
        .unwrap();
    insta::assert_snapshot!(test.said(&said), @"#1 owner on `*` for <@olga>");
    test.ops().refresh_rights().await.unwrap();
    assert!(!test.done("status").await.starts_with("Nobody"));
    let last = grants::revoke_on_host(&store, &settings, GrantId(1), now).await;
    assert!(last.unwrap_err().to_string().contains("the last owner"));
    let listed = grants::listed_on_host(&store, &settings, now)
        .await
        .unwrap();
    insta::assert_snapshot!(test.said(&listed), @"#1 owner on `*` for <@olga>, host");
    store.close().await;
    test.finish().await;
}
