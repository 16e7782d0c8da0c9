//! `/reload`: everything anew, or nothing.

use crate::support::test_app::TestApp;

#[tokio::test]
async fn templates_are_read_again() {
    let test = TestApp::start().await;
    test.write_template(
        "fresh",
        r#"{ "description": "new here", "image": "demo:1" }"#,
    );
    insta::assert_snapshot!(test.done("reload reason:\"new template\"").await, @"
    ✅ reload settings and templates: done in 0.0 s
    Templates: 2.
    -# action 1 · by <@olga>, because: new template
    ");
    test.done("deploy template:fresh").await;
    test.finish().await;
}

#[tokio::test]
async fn a_bad_template_leaves_everything_as_it_was_and_says_what_is_wrong() {
    let test = TestApp::start().await;
    test.write_template(
        "fresh",
        r#"{ "description": "new here", "image": "demo:1" }"#,
    );
    test.write_template(
        "broken",
        r#"{ "description": "x", "image": "Not An Image", "limits": { "memory_mb": 1 } }"#,
    );
    let said = test.done("reload").await;
    insta::assert_snapshot!(said.replace(&test.path("").display().to_string(), "FOLDER/"), @"
    ❌ reload settings and templates: failed after 0.0 s
    Nothing was changed; everything stays as it was.
    ```
    FOLDER/agents/broken.json: limits: `cpus` is missing
    hint: add `cpus`
    ```
    -# action 1 · by <@olga>
    ");
    assert!(
        test.refused("deploy template:fresh")
            .await
            .starts_with("There is no template `fresh`.")
    );
    test.deploy("scout").await;
    test.finish().await;
}

#[tokio::test]
async fn an_unknown_key_leaves_the_settings_as_they_were() {
    let mut test = TestApp::prepare(&[]).await;
    let file = test.path("yardarm.toml");
    std::fs::write(&file, "[docker]\nparallel = 2\n").unwrap();
    test.up_from(&file).await;
    std::fs::write(&file, "[docker]\nparalel = 3\n").unwrap();
    let said = test.done("reload").await;
    insta::assert_snapshot!(said.replace(&file.display().to_string(), "yardarm.toml"), @"
    ❌ reload settings and templates: failed after 0.0 s
    Nothing was changed; everything stays as it was.
    ```
    yardarm.toml: docker.paralel: unknown key `paralel`
    hint: did you mean `parallel`?
    ```
    -# action 1 · by <@olga>
    ");
    assert_eq!(test.ops().settings().docker.parallel, 2);

    std::fs::write(&file, "[docker]\nparallel = 3\n[log]\nlevel = \"debug\"\n").unwrap();
    insta::assert_snapshot!(test.done("reload").await, @"
    ✅ reload settings and templates: done in 0.0 s
    Templates: 1. These take effect at the next start: `log`.
    -# action 2 · by <@olga>
    ");
    assert_eq!(test.ops().settings().docker.parallel, 3);
    test.finish().await;
}

#[tokio::test]
async fn an_owner_who_was_dropped_is_refused_from_then_on() {
    let mut test = TestApp::prepare(&[]).await;
    let file = test.path("yardarm.toml");
    let owners = |name: &str| format!("[access]\nowners = [\"{}\"]\n", test.cord.user(name).id());
    let (olga, mina) = (owners("olga"), owners("mina"));
    std::fs::write(&file, olga).unwrap();
    test.unset("access.owners");
    test.up_from(&file).await;
    std::fs::write(&file, mina).unwrap();
    test.done("reload").await;
    assert!(
        test.refused("status")
            .await
            .starts_with("You need viewer on some fleet")
    );
    test.finish().await;
}

#[tokio::test]
async fn who_takes_the_last_owner_away_is_told() {
    let mut test = TestApp::prepare(&[("access.owners", "[]")]).await;
    let file = test.path("yardarm.toml");
    let owner = |holder: String| format!("[[grant]]\n{holder}\nlevel = \"owner\"\nfleet = \"*\"\n");
    let olga = owner(format!("user = {}", test.olga().id()));
    std::fs::write(&file, &olga).unwrap();
    test.up_from(&file).await;
    let crew = owner(format!("role = {}", test.cord.role_id("crew")));
    std::fs::write(&file, format!("{crew}{olga}")).unwrap();
    let said = test.done("reload").await;
    assert!(said.contains("Templates: 1.\n"), "{said}");
    std::fs::write(&file, crew).unwrap();
    let said = test.done("reload").await;
    assert!(
        said.contains("No person owns `*` without an end any more, by name or in a team."),
        "{said}"
    );
    std::fs::write(&file, "").unwrap();
    let ravi = test.cord.user("ravi").in_channel("ops");
    let reply = ravi.slash("reload").send().await.unwrap();
    let said = test.end_of(&reply).await;
    assert!(
        said.contains("Nobody owns `*` any more: `yardarm grant` on the host names somebody."),
        "{said}"
    );
    test.finish().await;
}
