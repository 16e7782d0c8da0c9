//! `/deploy` when the template lacks something: a modal for text, selects for choices, and a button.

use localcord::{Error, Reply};
use yardarm::domain::ids::InteractionId;

use crate::support::test_app::TestApp;

const ASKER: &str = r#"{
    "description": "asks", "image": "demo:1", "command": ["{{goal}}"],
    "env": { "EVERY": "{{every}}", "TONE": "{{tone}}", "LOUD": "{{loud}}" },
    "parameters": [
        { "name": "goal", "type": "string", "description": "what it is to do", "required": true },
        { "name": "every", "type": "integer", "description": "seconds", "required": true, "min": 1, "max": 60 },
        { "name": "tone", "type": "choice", "description": "how it speaks", "choices": ["warm", "cold"], "required": true },
        { "name": "loud", "type": "boolean", "description": "whether it shouts", "required": true }
    ]
}"#;

async fn asker() -> TestApp {
    with("asker", ASKER).await
}

async fn with(name: &str, template: &str) -> TestApp {
    let mut test = TestApp::prepare(&[]).await;
    test.write_template(name, template);
    test.up().await;
    test
}

/// Waits until a form is in the database with `part` in it; people are answered before that.
async fn kept(test: &TestApp, custom_id: &str, part: &str) {
    let id = custom_id.rsplit(':').next().unwrap().parse().unwrap();
    let is_kept = async {
        while !matches!(test.ops().store.draft(InteractionId(id)).await.unwrap(), Some(body) if body.contains(part))
        {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(std::time::Duration::from_secs(20), is_kept).await;
    waited.expect("the form was never kept");
}

fn button_id(form: &Reply) -> String {
    form.message().unwrap().buttons()[0].custom_id.clone()
}

fn parameters(kind: &str, count: usize) -> String {
    let one = |number: usize| {
        format!(
            r#"{{ "name": "p{number}", "type": {kind}, "description": "number {number}", "required": true }}"#
        )
    };
    let all: Vec<String> = (1..=count).map(one).collect();
    format!(
        r#"{{ "description": "asks a lot", "image": "demo:1", "parameters": [{}] }}"#,
        all.join(", ")
    )
}

#[tokio::test]
async fn text_is_asked_by_a_modal_and_choices_by_selects() {
    let test = asker().await;
    let modal = test
        .send("deploy template:asker name:scout reason:trial")
        .await
        .modal()
        .unwrap();
    assert_eq!(modal.title(), "Deploy scout from asker");
    assert_eq!(modal.fields(), ["goal", "every"]);

    let form = modal
        .fill("goal", "watch the sea")
        .fill("every", "7")
        .submit()
        .await
        .unwrap();
    assert!(form.is_ephemeral());
    insta::assert_snapshot!(form.text(), @"Deploy `scout` from `asker`: what it still needs.");
    assert_eq!(TestApp::labels(&form), ["(Deploy)"]);

    form.choose("tone: how it speaks", ["cold"]).await.unwrap();
    assert_eq!(TestApp::labels(&form), ["(Deploy)"]);
    form.choose("loud: whether it shouts", ["true"])
        .await
        .unwrap();
    assert_eq!(TestApp::labels(&form), ["Deploy"]);
    assert_eq!(test.engine.changes(), [""; 0]);

    let deployed = form.press("Deploy").await.unwrap();
    insta::assert_snapshot!(test.end_of(&deployed).await, @"
    ✅ deploy `scout`: running after 0.0 s
    -# action 1 · by <@olga>, because: trial
    ");
    let spec = test.engine.spec_of("yardarm-scout");
    assert_eq!(spec.command, ["watch the sea"]);
    let env: Vec<String> = spec
        .env
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(env, ["EVERY=7", "LOUD=true", "TONE=cold"]);

    let again = form.press("Deploy").await.unwrap();
    insta::assert_snapshot!(test.refusal(&again).await, @"`scout` is taken. Choose another name, or `/redeploy agent:scout`.");
    test.finish().await;
}

#[tokio::test]
async fn only_what_is_not_given_is_asked() {
    let test = asker().await;
    let modal = test
        .send("deploy template:asker set:'every=7 loud=no'")
        .await
        .modal()
        .unwrap();
    assert_eq!(modal.fields(), ["goal"]);
    let form = modal.fill("goal", "x").submit().await.unwrap();
    let selects = |form: &Reply| form.json()["components"].as_array().unwrap().len() - 1;
    assert_eq!(selects(&form), 1);
    form.choose("tone: how it speaks", ["warm"]).await.unwrap();
    // The form does not grow by what was given before.
    assert_eq!(selects(&form), 1);
    let deployed = form.press("Deploy").await.unwrap();
    test.end_of(&deployed).await;
    assert!(
        test.engine
            .env_of("yardarm-asker")
            .contains(&("LOUD".to_owned(), "false".to_owned()))
    );
    test.finish().await;
}

#[tokio::test]
async fn choices_alone_need_no_modal() {
    let test = asker().await;
    let form = test
        .send("deploy template:asker set:'goal=x every=1'")
        .await;
    assert!(form.is_ephemeral());
    assert_eq!(TestApp::labels(&form), ["(Deploy)"]);
    test.finish().await;
}

#[tokio::test]
async fn a_form_survives_a_restart_between_its_steps() {
    let mut test = asker().await;
    let modal = test
        .send("deploy template:asker name:scout")
        .await
        .modal()
        .unwrap();
    kept(&test, modal.json()["custom_id"].as_str().unwrap(), "scout").await;
    test.restart().await;
    let modal = modal.fill("goal", "x").fill("every", "7");
    let form = modal.submit().await.unwrap();
    form.choose("tone: how it speaks", ["cold"]).await.unwrap();
    kept(&test, &button_id(&form), "cold").await;
    test.restart().await;
    form.choose("loud: whether it shouts", ["false"])
        .await
        .unwrap();
    kept(&test, &button_id(&form), "false").await;
    test.restart().await;
    let deployed = form.press("Deploy").await.unwrap();
    test.end_of(&deployed).await;
    assert_eq!(test.engine.spec_of("yardarm-scout").command, ["x"]);
    test.finish().await;
}

#[tokio::test]
async fn text_that_does_not_fit_is_refused_with_what_would() {
    let test = with(
        "every",
        r#"{ "description": "x", "image": "demo:1", "parameters": [
            { "name": "goal", "type": "string", "description": "what it is to do", "required": true },
            { "name": "every", "type": "integer", "description": "seconds", "required": true, "min": 1, "max": 60 }
        ] }"#,
    )
    .await;
    let modal = test.send("deploy template:every").await.modal().unwrap();
    let refused = modal
        .clone()
        .fill("goal", "x")
        .fill("every", "soon")
        .submit()
        .await
        .unwrap();
    insta::assert_snapshot!(test.refusal(&refused).await, @"
    every: `soon` does not fit
    hint: use an integer from 1 to 60
    ");
    // The form is still open to another try.
    let deployed = modal
        .fill("goal", "x")
        .fill("every", "5")
        .submit()
        .await
        .unwrap();
    insta::assert_snapshot!(test.end_of(&deployed).await, @"
    ✅ deploy `every`: running after 0.0 s
    -# action 1 · by <@olga>
    ");
    test.finish().await;
}

#[tokio::test]
async fn what_is_wrong_already_is_said_before_the_form() {
    let test = asker().await;
    test.deploy("scout").await;
    let mut said = Vec::new();
    for command in [
        "deploy template:asker name:scout",
        "deploy template:asker name:Scout",
        "deploy template:asker fleet:nowhere",
        "deploy template:asker set:goaal=x",
        "deploy template:asker set:every=100",
    ] {
        said.push(test.refused(command).await);
    }
    insta::assert_snapshot!(said.join("\n"), @"
    `scout` is taken. Choose another name, or `/redeploy agent:scout`.
    `Scout` is no name: use 1 to 32 of a–z, 0–9, `-` and `_`, beginning with a letter or a digit.
    There is no fleet `nowhere`. The only one is `main`.
    `goaal`: template `asker` has no such parameter
    hint: did you mean `goal`?
    every: `100` does not fit
    hint: use an integer from 1 to 60
    ");
    test.finish().await;
}

#[tokio::test]
async fn a_form_is_its_authors_alone() {
    let mut test = TestApp::prepare(&[]).await;
    test.write_template("asker", ASKER);
    let owners = format!(
        "[\"{}\", \"{}\"]",
        test.cord.user("olga").id(),
        test.cord.user("mina").id()
    );
    test.set("access.owners", &owners);
    test.up().await;
    let form = test
        .send("deploy template:asker name:scout set:'goal=x every=1 loud=on tone=warm'")
        .await;
    test.end_of(&form).await;
    let card = test
        .cord
        .channel("ops")
        .wait_for_text("running after")
        .await
        .unwrap();
    let open = test
        .send("deploy template:asker name:two set:'goal=x every=1'")
        .await;
    let mina = test.cord.user("mina").in_channel("ops");
    let stolen = mina.forge(&card, &button_id(&open)).await.unwrap();
    assert_eq!(
        test.whisper(&stolen).await,
        "This form is <@olga>'s. Send `/deploy` for one of your own."
    );
    test.finish().await;
}

#[tokio::test]
async fn a_form_that_lapsed_says_so() {
    let mut test = asker().await;
    let open = test
        .send("deploy template:asker set:'goal=x every=1'")
        .await;
    kept(&test, &button_id(&open), "goal").await;
    test.clock.advance(chrono::TimeDelta::minutes(16));
    test.ops().drop_old_drafts().await.unwrap();
    test.restart().await;
    let late = open.choose("tone: how it speaks", ["warm"]).await.unwrap();
    assert_eq!(
        test.whisper(&late).await,
        "This form has lapsed. Send `/deploy` again."
    );
    test.finish().await;
}

#[tokio::test]
async fn a_form_holds_five_texts_or_four_choices() {
    let test = with("texts", &parameters("\"string\"", 5)).await;
    let modal = test.send("deploy template:texts").await.modal().unwrap();
    assert_eq!(modal.fields().len(), 5);
    test.write_template("texts", &parameters("\"string\"", 7));
    test.write_template("choices", &parameters("\"boolean\"", 5));
    test.done("reload").await;
    insta::assert_snapshot!(test.refused("deploy template:texts").await, @"Discord's form is too small for all of it. Give `p6=…` `p7=…` by `set:`.");
    insta::assert_snapshot!(test.refused("deploy template:choices").await, @"Discord's form is too small for all of it. Give `p5=…` by `set:`.");

    let form = test.send("deploy template:choices set:p5=true").await;
    for number in 1..=4 {
        form.choose(&format!("p{number}: number {number}"), ["true"])
            .await
            .unwrap();
    }
    let deployed = form.press("Deploy").await.unwrap();
    assert!(test.end_of(&deployed).await.contains("running after"));
    test.finish().await;
}

#[tokio::test]
async fn a_modal_asks_for_every_text() {
    let test = asker().await;
    let modal = test.send("deploy template:asker").await.modal().unwrap();
    let refused = modal.fill("goal", "x").submit().await;
    assert!(matches!(refused, Err(Error::Refused(_))));
    test.finish().await;
}
