//! Buttons, selects and modals: one versioned `custom_id`, one dispatcher. They work after a restart, because all
//! they know stands in their id and in the database.

use std::{fmt, str::FromStr};

use serenity::all::{
    ActionRowComponent, ComponentInteraction, ComponentInteractionDataKind,
    CreateInteractionResponse, ModalInteraction,
};

use super::{
    Answer, Bot, Result,
    commands::{deploy, logs},
    errors,
    render::{self, Rendered},
    reply::{self, Asker},
};
use crate::domain::{
    action::{Arguments, Kind},
    agent::Name,
    ids::{ActionId, AgentId, InteractionId},
};

/// The version of the ids below; a press on an older card is answered as stale.
const VERSION: &str = "v1";

/// What a component asks for. Its text is the `custom_id`, at most 100 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Press {
    Confirm(ActionId),
    ConfirmWithVolumes(ActionId),
    Cancel(ActionId),
    /// `start`, `stop` or `restart` on a card.
    Change(Kind, AgentId),
    Logs(AgentId),
    Follow(AgentId),
    /// A page of `/status`, of one fleet or of all.
    Page(usize, Option<Name>),
    /// The modal of a deployment.
    Form(InteractionId),
    /// A choice of a deployment: which parameter.
    Choose(InteractionId, String),
    Deploy(InteractionId),
}

impl fmt::Display for Press {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}:")?;
        match self {
            Self::Confirm(id) => write!(f, "confirm:{id}"),
            Self::ConfirmWithVolumes(id) => write!(f, "confirm-volumes:{id}"),
            Self::Cancel(id) => write!(f, "cancel:{id}"),
            Self::Change(kind, id) => write!(f, "{kind}:{id}"),
            Self::Logs(id) => write!(f, "logs:{id}"),
            Self::Follow(id) => write!(f, "follow:{id}"),
            Self::Page(page, None) => write!(f, "page:{page}"),
            Self::Page(page, Some(fleet)) => write!(f, "page:{page}:{fleet}"),
            Self::Form(id) => write!(f, "form:{id}"),
            Self::Choose(id, parameter) => write!(f, "choose:{id}:{parameter}"),
            Self::Deploy(id) => write!(f, "deploy:{id}"),
        }
    }
}

/// A `custom_id` that no card of this version bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale;

impl FromStr for Press {
    type Err = Stale;

    fn from_str(text: &str) -> std::result::Result<Self, Stale> {
        let mut parts = text.splitn(4, ':');
        if parts.next() != Some(VERSION) {
            return Err(Stale);
        }
        let (what, id, rest) = (
            parts.next().ok_or(Stale)?,
            parts.next().ok_or(Stale)?,
            parts.next(),
        );
        let number = || id.parse::<i64>().map_err(|_| Stale);
        let interaction = || id.parse().map(InteractionId).map_err(|_| Stale);
        match (what, rest) {
            ("confirm", None) => Ok(Self::Confirm(ActionId(number()?))),
            ("confirm-volumes", None) => Ok(Self::ConfirmWithVolumes(ActionId(number()?))),
            ("cancel", None) => Ok(Self::Cancel(ActionId(number()?))),
            ("logs", None) => Ok(Self::Logs(AgentId(number()?))),
            ("follow", None) => Ok(Self::Follow(AgentId(number()?))),
            ("page", fleet) => {
                let fleet = fleet.map(Name::parse).transpose().map_err(|_| Stale)?;
                Ok(Self::Page(id.parse().map_err(|_| Stale)?, fleet))
            }
            ("form", None) => Ok(Self::Form(interaction()?)),
            ("choose", Some(parameter)) => Ok(Self::Choose(interaction()?, parameter.to_owned())),
            ("deploy", None) => Ok(Self::Deploy(interaction()?)),
            (kind, None) => match Kind::parse(kind) {
                Some(kind @ (Kind::Start | Kind::Stop | Kind::Restart)) => {
                    Ok(Self::Change(kind, AgentId(number()?)))
                }
                _ => Err(Stale),
            },
            _ => Err(Stale),
        }
    }
}

/// A press on a button or a choice in a select.
pub async fn pressed(bot: &Bot, press: &ComponentInteraction) {
    if !bot.is_first(press.id.get()) {
        return;
    }
    if let Err(error) = dispatch(bot, press).await {
        errors::tell(bot, &Asker::from(press), error).await;
    }
}

async fn dispatch(bot: &Bot, press: &ComponentInteraction) -> Result {
    let user = bot.authorise(press.user.id, press.guild_id)?;
    let stale = |_| {
        Answer::NotFound("This card is from an older Yardarm. Send the command again.".to_owned())
    };
    let asked = press.data.custom_id.parse::<Press>().map_err(stale)?;
    match asked {
        Press::Confirm(id) => confirm(bot, press, id, false).await,
        Press::ConfirmWithVolumes(id) => confirm(bot, press, id, true).await,
        Press::Cancel(id) => {
            press
                .create_response(&bot.http, CreateInteractionResponse::Acknowledge)
                .await?;
            let action = bot.ops.cancel(id, user).await?;
            reply::show(
                bot,
                &press.token,
                &render::action::card(&action, bot.ops.now()),
            )
            .await?;
            Ok(())
        }
        Press::Change(kind, agent) => change(bot, press, kind, agent).await,
        Press::Logs(agent) => logs::open(bot, press, agent).await,
        Press::Follow(agent) => logs::follow(bot, press, agent).await,
        Press::Page(page, fleet) => {
            let glance = bot.ops.roster.glance(fleet.as_ref(), page);
            update(bot, press, &render::status::fleet(&glance, bot.ops.now())).await
        }
        Press::Choose(draft, parameter) => {
            let ComponentInteractionDataKind::StringSelect { values } = &press.data.kind else {
                return Ok(());
            };
            let value = values.first().cloned().unwrap_or_default();
            deploy::choose(bot, press, draft, Arguments::from([(parameter, value)])).await
        }
        Press::Deploy(draft) => deploy::go(bot, press, draft).await,
        // A form is submitted, never pressed.
        Press::Form(_) => Ok(()),
    }
}

/// A modal that was filled in.
pub async fn submitted(bot: &Bot, modal: &ModalInteraction) {
    if !bot.is_first(modal.id.get()) {
        return;
    }
    if let Err(error) = fill(bot, modal).await {
        errors::tell(bot, &Asker::from(modal), error).await;
    }
}

async fn fill(bot: &Bot, modal: &ModalInteraction) -> Result {
    bot.authorise(modal.user.id, modal.guild_id)?;
    let Ok(Press::Form(draft)) = modal.data.custom_id.parse() else {
        return Err(Answer::NotFound(
            "This form is from an older Yardarm. Send the command again.".to_owned(),
        )
        .into());
    };
    let inputs = modal.data.components.iter().flat_map(|row| &row.components);
    let given: Arguments = inputs
        .filter_map(|input| match input {
            ActionRowComponent::InputText(text) => {
                Some((text.custom_id.clone(), text.value.clone()?))
            }
            _ => None,
        })
        .collect();
    deploy::fill(bot, modal, draft, given).await
}

/// Answers a press by changing the message it stands on.
pub async fn update(bot: &Bot, press: &ComponentInteraction, rendered: &Rendered) -> Result {
    let response = CreateInteractionResponse::UpdateMessage(rendered.response(false));
    Ok(press.create_response(&bot.http, response).await?)
}

async fn confirm(bot: &Bot, press: &ComponentInteraction, id: ActionId, volumes: bool) -> Result {
    press
        .create_response(&bot.http, CreateInteractionResponse::Acknowledge)
        .await?;
    let action = bot
        .ops
        .confirm(id, crate::domain::ids::UserId(press.user.id.get()), volumes)
        .await?;
    reply::follow(bot, &press.token, action).await
}

async fn change(bot: &Bot, press: &ComponentInteraction, kind: Kind, agent: AgentId) -> Result {
    let gone = || Answer::NotFound("That agent is gone. `/status` shows who is there.".to_owned());
    let view = bot.ops.roster.view_of(agent).ok_or_else(gone)?;
    let selection = crate::ops::resolve::Selection {
        agent: Some(view.agent.name.as_str()),
        fleet: None,
    };
    let request = bot.ops.request_change(kind, selection)?;
    reply::carry_out(bot, &Asker::from(press), request, None).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_press_survives_its_custom_id() {
        let draft = InteractionId(u64::MAX);
        let longest = "p".repeat(32);
        let fleet = Name::parse(&"f".repeat(32)).unwrap();
        for press in [
            Press::Confirm(ActionId(i64::MAX)),
            Press::ConfirmWithVolumes(ActionId(7)),
            Press::Cancel(ActionId(7)),
            Press::Change(Kind::Restart, AgentId(i64::MAX)),
            Press::Logs(AgentId(7)),
            Press::Follow(AgentId(7)),
            Press::Page(3, None),
            Press::Page(3, Some(fleet)),
            Press::Form(draft),
            Press::Choose(draft, longest),
            Press::Deploy(draft),
        ] {
            let text = press.to_string();
            assert!(text.len() <= 100, "{text}");
            assert_eq!(text.parse(), Ok(press));
        }
    }

    #[test]
    fn other_ids_are_stale() {
        for text in [
            "",
            "v0:confirm:1",
            "v1:confirm",
            "v1:confirm:x",
            "v1:deploy:1:2",
            "v1:remove:1",
            "v1:page:-1",
        ] {
            assert_eq!(text.parse::<Press>(), Err(Stale), "{text}");
        }
    }
}
