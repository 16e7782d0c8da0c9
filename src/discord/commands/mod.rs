//! The slash commands: read the options, validate from memory, answer or submit, render. One file per group.

mod adopt;
mod agents;
pub mod alerts;
pub mod approvals;
pub mod audit;
mod backup;
pub mod board;
pub mod break_glass;
pub mod claim;
pub mod deploy;
mod fleet;
pub mod freeze;
mod grant;
mod help;
pub mod logs;
mod policy;
mod reload;
mod schedule;
pub mod secret;
pub mod silences;
mod stats;
mod status;
mod team;
mod templates;

use super::{
    Bot, Context, Error, Result,
    render::{Rendered, text::code},
    reply::{self, Asker},
};
use crate::{
    error::Error as Answer,
    ops::{actions::Request, resolve::Selection, sight::Sight},
};

type Command = poise::Command<Bot, Error>;

/// The one command for somebody without rights.
pub const CLAIM: &str = "claim";

/// All of them, in the order `/help` lists them.
pub fn all() -> Vec<Command> {
    vec![
        status::status(),
        stats::stats(),
        deploy::deploy(),
        agents::redeploy(),
        agents::rollback(),
        agents::start(),
        agents::stop(),
        agents::restart(),
        agents::pause(),
        agents::resume(),
        agents::remove(),
        logs::logs(),
        alerts::alerts(),
        silences::silence(),
        silences::silences(),
        board::board(),
        freeze::freeze(),
        freeze::unfreeze(),
        fleet::fleet(),
        templates::templates(),
        schedule::schedule(),
        secret::secret(),
        adopt::adopt(),
        approvals::approve(),
        break_glass::breakglass(),
        policy::policy(),
        grant::grant(),
        team::team(),
        claim::claim(),
        audit::audit(),
        audit::why(),
        backup::backup(),
        reload::reload(),
        help::help(),
    ]
}

/// An answer from memory, in the callback itself.
async fn answer(ctx: Context<'_>, rendered: &Rendered) -> Result {
    let asker = Asker::from(ctx.interaction);
    asker.answer(ctx.data(), rendered).await
}

/// A change: acknowledged, submitted, and followed to its end.
async fn carry_out(ctx: Context<'_>, request: Request, reason: Option<String>) -> Result {
    reply::carry_out(ctx.data(), &Asker::from(ctx.interaction), request, reason).await
}

/// What the caller of a command sees and may ask for.
fn sight(ctx: Context<'_>) -> Sight<'_> {
    ctx.data().ops.sight(Asker::from(ctx.interaction).caller)
}

fn selection<'a>(agent: Option<&'a String>, fleet: Option<&'a String>) -> Selection<'a> {
    Selection {
        agent: agent.map(String::as_str),
        fleet: fleet.map(String::as_str),
    }
}

/// What somebody typed, as a refusal repeats it.
fn typed(text: &str) -> String {
    code(text, 100)
}

/// `key=value key="two words"` as typed into `set:`.
fn arguments(text: Option<&str>) -> Result<crate::domain::action::Arguments> {
    let Some(text) = text else {
        return Ok(crate::domain::action::Arguments::new());
    };
    let quotes = || {
        Answer::Invalid(
            "A quote in `set:` is not closed. Write `key=value other=\"two words\"`.".to_owned(),
        )
    };
    let pairs = shlex::split(text).ok_or_else(quotes)?;
    let pair = |pair: String| {
        let (key, value) = pair.split_once('=').ok_or_else(|| {
            Answer::Invalid(format!(
                "{} is no `key=value`. Write `key=value other=\"two words\"`.",
                typed(&pair)
            ))
        })?;
        Ok((key.to_owned(), value.to_owned()))
    };
    pairs.into_iter().map(pair).collect()
}
