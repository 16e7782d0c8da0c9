//! `/breakglass`: an owner acts at once, without asking anybody, and all owners are told.

use serenity::all::{CreateInteractionResponse, ModalInteraction};

use super::{
    super::{
        Answer, Bot, Context, Result, autocomplete, render,
        reply::{self, Asker},
    },
    sight,
};
use crate::{
    domain::{
        action::{Arguments, Kind},
        grant::{Level, Need},
        ids::AgentId,
    },
    ops::resolve::Selection,
};

/// What an owner may do to an agent without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, poise::ChoiceParameter)]
pub enum Urgent {
    #[name = "start"]
    Start,
    #[name = "stop"]
    Stop,
    #[name = "restart"]
    Restart,
    #[name = "pause"]
    Pause,
    #[name = "resume"]
    Resume,
    #[name = "redeploy"]
    Redeploy,
    #[name = "rollback"]
    Rollback,
    #[name = "remove"]
    Remove,
}

impl Urgent {
    const fn kind(self) -> Kind {
        match self {
            Self::Start => Kind::Start,
            Self::Stop => Kind::Stop,
            Self::Restart => Kind::Restart,
            Self::Pause => Kind::Pause,
            Self::Resume => Kind::Resume,
            Self::Redeploy => Kind::Redeploy,
            Self::Rollback => Kind::Rollback,
            Self::Remove => Kind::Remove,
        }
    }
}

/// Act on one agent at once and ask nobody; for owners, and all owners are told
#[poise::command(slash_command)]
pub(super) async fn breakglass(
    ctx: Context<'_>,
    #[description = "Its name"]
    #[autocomplete = "autocomplete::agent"]
    agent: String,
    #[description = "What to do to it"] action: Urgent,
    #[description = "Why it cannot wait"] reason: String,
) -> Result {
    let view = sight(ctx).look_at(&agent)?;
    sight(ctx).permit(&Need::fleet(Level::Owner, view.fleet.clone()))?;
    let modal = render::approval::breaking((action.kind(), &view), &reason);
    let asker = Asker::from(ctx.interaction);
    asker
        .respond(ctx.data(), CreateInteractionResponse::Modal(modal))
        .await
}

/// The name came back.
pub async fn fill(
    bot: &Bot,
    modal: &ModalInteraction,
    (kind, agent): (Kind, AgentId),
    (typed, reason): (String, String),
) -> Result {
    let asker = Asker::from(modal);
    let sight = bot.ops.sight(asker.caller.clone());
    let view = sight.look_at_id(agent)?;
    let name = view.agent.name.as_str();
    if typed.trim() != name {
        return Err(Answer::Invalid(format!(
            "That is not what was to be typed: `{name}`. Nothing was changed; send the command again."
        ))
        .into());
    }
    if reason.trim().is_empty() {
        return Err(Answer::Invalid("Say why: all owners read it.".to_owned()).into());
    }
    let selected = Selection {
        agent: Some(name),
        fleet: None,
    };
    let mut request = match kind {
        Kind::Redeploy => sight.request_redeploy(selected, &Arguments::new(), false)?,
        Kind::Rollback => sight.request_rollback(name)?,
        Kind::Remove => sight.request_remove(selected)?,
        kind => sight.request_change(kind, selected)?,
    };
    request.details.break_glass = true;
    reply::carry_out(bot, &asker, request, Some(reason)).await
}
