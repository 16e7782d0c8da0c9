//! Commands, autocomplete, buttons, selects, modals, files: each as a person meets it.

use crate::support::{Context, Failure, Outcome, start};

pub(crate) fn options() -> poise::FrameworkOptions<(), Failure> {
    poise::FrameworkOptions {
        commands: vec![ping(), stop()],
        ..Default::default()
    }
}

/// Defers, then follows up: the follow-up fills the deferred answer.
#[poise::command(slash_command)]
async fn ping(ctx: Context<'_>) -> Outcome {
    ctx.defer_ephemeral().await?;
    ctx.say("pong").await?;
    Ok(())
}

/// Stops an agent, and says so in two steps.
#[poise::command(slash_command)]
async fn stop(
    ctx: Context<'_>,
    #[description = "Which one"] agent: String,
    #[description = "How long to wait"] seconds: Option<u32>,
) -> Outcome {
    let reply = ctx.say(format!("stopping {agent}")).await?;
    let text = format!("stopped {agent} in {} s", seconds.unwrap_or(10));
    reply
        .edit(ctx, poise::CreateReply::default().content(text))
        .await?;
    Ok(())
}

#[tokio::test]
async fn a_person_gets_an_answer_that_changes() {
    let (cord, _bot) = start().await;
    let olga = cord.user("olga");
    let reply = olga
        .slash("stop")
        .option("agent", "scout")
        .option("seconds", 3)
        .send()
        .await
        .unwrap();
    let reply = reply
        .until(|text| text.starts_with("stopped"))
        .await
        .unwrap();
    assert_eq!(reply.text(), "stopped scout in 3 s");
    assert!(!reply.is_ephemeral());
    assert!(reply.acknowledged_after().is_some());
    cord.finish().unwrap();
}

#[tokio::test]
async fn a_deferred_answer_is_filled_by_the_first_follow_up() {
    let (cord, _bot) = start().await;
    let reply = cord
        .user("ravi")
        .in_channel("ops")
        .slash("ping")
        .send()
        .await
        .unwrap();
    assert_eq!(reply.final_text().await.unwrap(), "pong");
    assert!(reply.is_ephemeral());
    assert!(reply.followups().is_empty());
    assert_eq!(cord.user("mina").in_channel("ops").messages().len(), 0);
    assert_eq!(cord.user("ravi").in_channel("ops").messages().len(), 1);
    cord.finish().unwrap();
}
