//! `/schedule`: what is done again and again.

use poise::ChoiceParameter;

use super::{
    super::{Context, Result, autocomplete, render},
    answer, arguments, carry_out, sight,
};
use crate::domain::{
    action::Kind,
    schedule::{self, Written},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ChoiceParameter)]
pub(super) enum Missed {
    #[name = "skip"]
    Skip,
    #[name = "once"]
    Once,
    #[name = "all"]
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ChoiceParameter)]
pub(super) enum Overlap {
    #[name = "skip"]
    Skip,
    #[name = "queue"]
    Queue,
}

/// What is done again and again, at which times
#[poise::command(
    slash_command,
    subcommands("add", "list", "pause", "resume", "remove", "run"),
    subcommand_required
)]
#[expect(
    clippy::unused_async,
    reason = "poise asks for it; Discord never sends a group by itself"
)]
pub(super) async fn schedule(_: Context<'_>) -> Result {
    Ok(())
}

/// Do something again and again, with your rights; shows the next three times
#[poise::command(slash_command)]
#[expect(
    clippy::too_many_arguments,
    reason = "each is an option of the command"
)]
async fn add(
    ctx: Context<'_>,
    #[description = "What the schedule is called"] name: String,
    #[description = "Minute, hour, day, month, weekday, as 30 2 * * 1-5; or @daily and the like"]
    cron: String,
    #[description = "What is done"]
    #[autocomplete = "autocomplete::job"]
    action: String,
    #[description = "Whom it is about; with deploy the name of the agent"]
    #[autocomplete = "autocomplete::agent"]
    agent: Option<String>,
    #[description = "The fleet it is about; with deploy where the agent comes into"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: Option<String>,
    #[description = "With deploy: the template"]
    #[autocomplete = "autocomplete::template"]
    template: Option<String>,
    #[description = "With deploy: key=value other=\"two words\""]
    #[autocomplete = "autocomplete::set"]
    set: Option<String>,
    #[description = "A time zone such as Europe/Berlin"]
    #[autocomplete = "autocomplete::zone"]
    zone: Option<String>,
    #[description = "Times at which Yardarm was down: skip, once, all"] missed: Option<Missed>,
    #[description = "With missed:all how many of the last ones"]
    #[min = 1]
    #[max = 10]
    up_to: Option<u8>,
    #[description = "A time that comes while the run before is not over: skip or queue"]
    overlap: Option<Overlap>,
    #[description = "When it ends, as 2026-12-31T18:00:00Z"] until: Option<String>,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let written = Written {
        name,
        cron,
        zone,
        action,
        agent,
        fleet,
        template,
        set: arguments(set.as_deref())?,
        missed: match missed {
            Some(Missed::Once) => schedule::Missed::Once,
            Some(Missed::All) => schedule::Missed::All,
            Some(Missed::Skip) | None => schedule::Missed::Skip,
        },
        up_to,
        overlap: match overlap {
            Some(Overlap::Queue) => schedule::Overlap::Queue,
            Some(Overlap::Skip) | None => schedule::Overlap::Skip,
        },
        until,
    };
    carry_out(ctx, sight(ctx).request_schedule_add(&written)?, reason).await
}

/// All schedules: what they do, when they run next and how the last run ended
#[poise::command(slash_command)]
async fn list(ctx: Context<'_>) -> Result {
    let seen = sight(ctx).schedules_seen().await?;
    answer(ctx, &render::schedules::list(&seen)).await
}

/// Keep a schedule from running until it is resumed
#[poise::command(slash_command)]
async fn pause(
    ctx: Context<'_>,
    #[description = "Which one"]
    #[autocomplete = "autocomplete::schedule"]
    schedule: String,
    #[description = "Why; the list shows it"] reason: Option<String>,
) -> Result {
    let request = sight(ctx).request_schedule_change(Kind::SchedulePause, &schedule)?;
    carry_out(ctx, request, reason).await
}

/// Let a paused schedule run again
#[poise::command(slash_command)]
async fn resume(
    ctx: Context<'_>,
    #[description = "Which one"]
    #[autocomplete = "autocomplete::schedule"]
    schedule: String,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let request = sight(ctx).request_schedule_change(Kind::ScheduleResume, &schedule)?;
    carry_out(ctx, request, reason).await
}

/// Take a schedule away
#[poise::command(slash_command)]
async fn remove(
    ctx: Context<'_>,
    #[description = "Which one"]
    #[autocomplete = "autocomplete::schedule"]
    schedule: String,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let request = sight(ctx).request_schedule_change(Kind::ScheduleRemove, &schedule)?;
    carry_out(ctx, request, reason).await
}

/// Do now what a schedule does, as a request of your own
#[poise::command(slash_command)]
async fn run(
    ctx: Context<'_>,
    #[description = "Which one"]
    #[autocomplete = "autocomplete::schedule"]
    schedule: String,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let request = sight(ctx).request_schedule_run(&schedule)?;
    carry_out(ctx, request, reason).await
}
