//! `/logs`: in the message if they fit, else as a file, and followed for a while.

use chrono::TimeDelta;
use localcord::Fault;
use yardarm::{
    clock::Clock as _,
    engine::LogSource::{Stderr, Stdout},
};

use crate::support::{talk::slash, test_app::TestApp};

async fn talker() -> TestApp {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    let id = test.engine.id_of("yardarm-scout");
    for (source, line) in [
        (Stdout, "up"),
        (Stdout, "working on it"),
        (Stderr, "oh no"),
        (Stdout, "done"),
    ] {
        test.engine.say(&id, source, line);
    }
    test
}

#[tokio::test]
async fn they_stand_in_the_message_if_they_fit() {
    let test = talker().await;
    let reply = test.send("logs agent:scout").await;
    assert!(reply.is_ephemeral());
    insta::assert_snapshot!(test.end_of(&reply).await, @"
    Log of `scout`: 4 lines
    ```
    up
    working on it
    oh no
    done
    ```
    ");
    assert_eq!(TestApp::labels(&reply), ["Follow"]);
    assert_eq!(reply.attachments(), []);
    test.finish().await;
}

#[tokio::test]
async fn they_are_cut_filtered_and_chosen() {
    let test = talker().await;
    let mut said = Vec::new();
    for options in [
        "lines:1",
        "filter:on",
        "stream:stderr",
        "stream:stdout",
        "filter:absent",
        "since:5",
    ] {
        said.push(format!(
            "{options}\n{}",
            test.done(&format!("logs agent:scout {options}")).await
        ));
    }
    insta::assert_snapshot!(said.join("\n"), @"
    lines:1
    Log of `scout`: 1 line
    ```
    done
    ```
    filter:on
    Log of `scout`: 2 lines with “on”
    ```
    working on it
    done
    ```
    stream:stderr
    Log of `scout`: 1 line
    ```
    oh no
    ```
    stream:stdout
    Log of `scout`: 3 lines
    ```
    up
    working on it
    done
    ```
    filter:absent
    The log of `scout` has no line with “absent”.
    since:5
    Log of `scout`: 4 lines
    ```
    up
    working on it
    oh no
    done
    ```
    ");
    test.clock.advance(TimeDelta::minutes(6));
    insta::assert_snapshot!(test.done("logs agent:scout since:5").await, @"The log of `scout` has no line.");
    test.finish().await;
}

#[tokio::test]
async fn what_does_not_fit_comes_as_a_file() {
    let test = talker().await;
    let id = test.engine.id_of("yardarm-scout");
    for number in 0..200 {
        test.engine
            .say(&id, Stdout, &format!("line {number} of a long story"));
    }
    let reply = test.send("logs agent:scout lines:150").await;
    let text = test.end_of(&reply).await;
    assert!(
        text.starts_with("Log of `scout`: 150 lines, in the file. The last of them:\n```\n…"),
        "{text}"
    );
    assert!(text.ends_with("line 199 of a long story\n```"), "{text}");
    let files = reply.attachments();
    assert_eq!(files[0].name, "scout.log");
    let lines: Vec<String> = files[0].text().lines().map(str::to_owned).collect();
    assert_eq!(
        (lines.len(), lines[0].as_str()),
        (150, "line 50 of a long story")
    );
    test.finish().await;
}

#[tokio::test]
async fn a_file_that_discord_does_not_take_is_told_of() {
    let test = talker().await;
    let id = test.engine.id_of("yardarm-scout");
    let line = "of a long story ".repeat(8);
    for _ in 0..200 {
        test.engine.say(&id, Stdout, &line);
    }
    let too_large = Fault::refusal(413, 40005).on("PATCH", "/webhooks/**");
    test.cord.inject(too_large.times(1));
    let reply = test.send("logs agent:scout lines:150").await;
    let text = test.end_of(&reply).await;
    assert!(
        text.starts_with("Log of `scout`: 150 lines, in the file."),
        "{text}"
    );
    let told = "\n⚠️ `scout.log` (0.0 MiB) could not be sent. Ask for less of it.";
    assert!(text.ends_with(told), "{text}");
    assert_eq!(reply.attachments().len(), 0);
    test.finish().await;
}

#[tokio::test]
async fn an_agent_without_words_or_without_a_container() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    insta::assert_snapshot!(test.done("logs agent:scout").await, @"The log of `scout` has no line.");
    test.done("stop agent:scout").await;
    test.engine
        .remove_behind_our_back(&test.engine.id_of("yardarm-scout"));
    insta::assert_snapshot!(test.done("logs agent:scout").await, @"`scout` has no container, so it has no log. `/redeploy agent:scout` makes one.");
    test.finish().await;
}

#[tokio::test]
async fn follow_edits_the_message_until_the_container_ends() {
    let test = talker().await;
    let reply = test.send("logs agent:scout").await;
    test.end_of(&reply).await;
    reply.press("Follow").await.unwrap();
    let reply = reply.until_text("Following").await.unwrap();
    insta::assert_snapshot!(test.said(&reply.text()), @"
    Following the log of `scout`, until <t:1795262700:R>
    ```
    up
    working on it
    oh no
    done
    ```
    ");
    assert_eq!(TestApp::labels(&reply), [""; 0]);

    test.engine
        .say(&test.engine.id_of("yardarm-scout"), Stdout, "one more");
    reply.until_text("one more").await.unwrap();
    test.done("stop agent:scout").await;
    let reply = reply.until_text("Followed").await.unwrap();
    insta::assert_snapshot!(test.said(&reply.text()), @"
    Followed the log of `scout`; the container ended
    ```
    up
    working on it
    oh no
    done
    one more
    ```
    ");
    assert_eq!(TestApp::labels(&reply), ["Follow again"]);
    test.finish().await;
}

#[tokio::test]
async fn who_may_not_see_an_agent_any_more_follows_it_no_longer() {
    let mut test = TestApp::prepare(&[]).await;
    let file = test.path("yardarm.toml");
    let mina = test.cord.user("mina").in_channel("ops");
    let until = (test.clock.now() + TimeDelta::hours(1)).to_rfc3339();
    let grant = format!(
        "[[grant]]\nuser = {}\nlevel = \"viewer\"\nfleet = \"main\"\nuntil = {until}\n",
        mina.id()
    );
    std::fs::write(&file, grant).unwrap();
    test.up_from(&file).await;
    test.deploy("scout").await;
    let reply = slash(&mina, "logs agent:scout").send().await.unwrap();
    test.end_of(&reply).await;
    reply.press("Follow").await.unwrap();
    reply.until_text("Following").await.unwrap();
    test.clock.advance(TimeDelta::hours(1));
    let id = test.engine.id_of("yardarm-scout");
    test.engine.say(&id, Stdout, "not for her");
    let reply = reply.until_text("Followed").await.unwrap();
    insta::assert_snapshot!(test.said(&reply.text()), @"
    Followed the log of `scout`; you may not see it any more
    ```
     
    ```
    ");
    test.finish().await;
}

#[tokio::test]
async fn following_an_agent_that_says_nothing_is_shown_at_once() {
    let test = TestApp::start().await;
    test.deploy("scout").await;
    let reply = test.send("logs agent:scout").await;
    test.end_of(&reply).await;
    reply.press("Follow").await.unwrap();
    reply.until_text("Following").await.unwrap();
    test.engine.go_away();
    let reply = reply.until_text("Followed").await.unwrap();
    insta::assert_snapshot!(test.said(&reply.text()), @"
    Followed the log of `scout`; Docker broke it off
    ```
     
    ```
    ");
    test.finish().await;
}

#[tokio::test]
async fn the_button_of_a_card_shows_them() {
    let test = talker().await;
    let card = test.send("status agent:scout").await;
    let logs = card.press("Logs").await.unwrap();
    assert!(logs.is_ephemeral());
    assert!(
        test.end_of(&logs)
            .await
            .starts_with("Log of `scout`: 4 lines")
    );
    test.finish().await;
}
