//! `/logs`: the last lines, cut to what fits or as a file, and for a while those still to come.

use std::{collections::VecDeque, time::Duration};

use chrono::TimeDelta;
use futures::{StreamExt as _, TryStreamExt as _};
use poise::ChoiceParameter;
use serenity::all::{ComponentInteraction, CreateInteractionResponse};
use tokio::time::{Instant, timeout_at};

use super::super::{
    Answer, Bot, Context, Result, autocomplete, errors,
    render::{self, Rendered, logs::Extract},
    reply::{self, Asker},
};
use crate::{
    domain::{
        agent::Name,
        ids::AgentId,
        log::{LogLine, LogQuery},
        view::View,
    },
    error::Result as OpsResult,
};

const DEFAULT_LINES: u32 = 50;
/// Lines a file holds at most.
const MOST_LINES: u32 = 5000;
/// Discord gives an edit every second; a reader needs no more than this.
const FOLLOW_EVERY: Duration = Duration::from_secs(3);
const FOLLOW_FOR: Duration = Duration::from_mins(5);
/// Lines kept while following: the message shows no more.
const FOLLOW_LINES: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ChoiceParameter)]
pub enum Stream {
    #[name = "stdout"]
    Stdout,
    #[name = "stderr"]
    Stderr,
}

/// An agent's last log lines
#[poise::command(slash_command)]
#[expect(
    clippy::too_many_arguments,
    reason = "each is an option of the command"
)]
pub(super) async fn logs(
    ctx: Context<'_>,
    #[description = "Whose"]
    #[autocomplete = "autocomplete::agent"]
    agent: String,
    #[description = "How many lines from the end (50)"]
    #[min = 1]
    #[max = 5000]
    lines: Option<u32>,
    #[description = "Only the last minutes"]
    #[min = 1]
    #[max = 10080]
    since: Option<u32>,
    #[description = "Only lines that contain this"] filter: Option<String>,
    #[description = "Only one of the two streams"] stream: Option<Stream>,
) -> Result {
    let (bot, asker) = (ctx.data(), Asker::from(ctx.interaction));
    let view = bot.ops.sight(asker.caller.clone()).look_at(&agent)?;
    let query = LogQuery {
        tail: lines.unwrap_or(DEFAULT_LINES).min(MOST_LINES),
        since: since.map(|minutes| bot.ops.now() - TimeDelta::minutes(minutes.into())),
        stdout: stream != Some(Stream::Stderr),
        stderr: stream != Some(Stream::Stdout),
        follow: false,
    };
    asker.defer(bot, true).await?;
    present(bot, &asker, &view, &query, filter.as_deref()).await
}

/// The button Logs on a card.
pub async fn open(bot: &Bot, press: &ComponentInteraction, agent: AgentId) -> Result {
    let asker = Asker::from(press);
    let view = view(bot, &asker, agent)?;
    asker.defer(bot, true).await?;
    present(bot, &asker, &view, &last_lines(DEFAULT_LINES, false), None).await
}

async fn present(
    bot: &Bot,
    asker: &Asker,
    view: &View,
    query: &LogQuery,
    filter: Option<&str>,
) -> Result {
    let rendered = match collect(bot, view, query).await {
        Ok(mut lines) => {
            // After secrets were taken out: nobody finds out a value by filtering for its beginnings.
            lines.retain(|line| filter.is_none_or(|text| line.contains(text)));
            render::logs::extract(&extract(view, lines, filter))
        }
        Err(error) => Rendered::text(errors::advice(asker, error)),
    };
    reply::show(bot, &asker.token, &rendered).await.map(drop)
}

async fn collect(bot: &Bot, view: &View, query: &LogQuery) -> OpsResult<Vec<String>> {
    let redactor = bot.ops.redactor_of(view).await?;
    let lines: Vec<LogLine> = bot.ops.logs(view, query).await?.try_collect().await?;
    let lines: Vec<String> = lines.into_iter().map(|line| line.text).collect();
    Ok(redactor.redact_lines(&lines))
}

/// The button Follow: the message is edited as lines come, for five minutes.
pub async fn follow(bot: &Bot, press: &ComponentInteraction, agent: AgentId) -> Result {
    let asker = Asker::from(press);
    let view = view(bot, &asker, agent)?;
    asker
        .respond(bot, CreateInteractionResponse::Acknowledge)
        .await?;
    let redactor = bot.ops.redactor_of(&view).await?;
    let mut stream = bot.ops.logs(&view, &last_lines(20, true)).await?;
    let mut lines: VecDeque<String> = VecDeque::new();
    let end = Instant::now() + FOLLOW_FOR;
    let until = bot.ops.now() + TimeDelta::minutes(5);
    let mut next_edit = Instant::now() + Duration::from_millis(300);
    // All lines together, and each time anew: a secret may be split between them.
    let shown = |lines: &VecDeque<String>| {
        let lines: Vec<String> = lines.iter().cloned().collect();
        extract(&view, redactor.redact_lines(&lines), None)
    };
    // That it is followed is news by itself.
    let mut news = true;
    loop {
        while let Ok(line) = timeout_at(next_edit, stream.next()).await {
            let line = match line {
                Some(Ok(line)) => line,
                Some(Err(_)) => {
                    return finish_following(bot, press, &shown(&lines), "Docker broke it off")
                        .await;
                }
                None => {
                    return finish_following(bot, press, &shown(&lines), "the container ended")
                        .await;
                }
            };
            lines.push_back(line.text);
            if lines.len() > FOLLOW_LINES {
                lines.pop_front();
            }
            news = true;
        }
        if Instant::now() >= end {
            return finish_following(bot, press, &shown(&lines), "five minutes are over").await;
        }
        if let Err(Answer::Denied(_)) = self::view(bot, &asker, agent) {
            let nothing = extract(&view, Vec::new(), None);
            return finish_following(bot, press, &nothing, "you may not see it any more").await;
        }
        // An edit that changes nothing would cost budget for nothing.
        if news {
            let rendered = render::logs::following(&shown(&lines), until);
            reply::show(bot, &press.token, &rendered).await?;
            news = false;
        }
        next_edit = Instant::now() + FOLLOW_EVERY;
    }
}

async fn finish_following(
    bot: &Bot,
    press: &ComponentInteraction,
    shown: &Extract,
    why: &str,
) -> Result {
    let rendered = render::logs::followed(shown, why);
    reply::show(bot, &press.token, &rendered).await.map(drop)
}

fn extract(view: &View, lines: Vec<String>, filter: Option<&str>) -> Extract {
    Extract {
        agent: view.agent.id,
        name: Name::clone(&view.agent.name),
        lines,
        filter: filter.map(str::to_owned),
    }
}

const fn last_lines(tail: u32, follow: bool) -> LogQuery {
    LogQuery {
        tail,
        since: None,
        stdout: true,
        stderr: true,
        follow,
    }
}

fn view(bot: &Bot, asker: &Asker, agent: AgentId) -> OpsResult<View> {
    bot.ops.sight(asker.caller.clone()).look_at_id(agent)
}
