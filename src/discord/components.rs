//! Buttons, selects and modals: one dispatcher. They work after a restart, because all
//! they know stands in their id and in the database.

use std::time::Instant;

use secrecy::SecretString;
use serenity::all::{
    ActionRowComponent, ComponentInteraction, ComponentInteractionDataKind,
    CreateInteractionResponse, ModalInteraction,
};

use super::{
    Answer, Bot, Result,
    commands::{
        alerts, approvals, audit, board, break_glass, claim, deploy, freeze, logs, secret, silences,
    },
    errors,
    press::Press,
    render::{
        self, Rendered,
        approval::PHRASE,
        grants::CODE,
        secrets::{REASON, VALUE},
    },
    reply::{self, Asker},
};
use crate::domain::{
    action::{Arguments, Kind},
    ids::{ActionId, AgentId},
};

/// A press on a button or a choice in a select.
pub async fn pressed(bot: &Bot, press: &ComponentInteraction) {
    if !bot.is_first(press.id.get()) {
        return;
    }
    let began = Instant::now();
    let done = dispatch(bot, press).await;
    let name = word(&press.data.custom_id);
    bot.note(("press", name), done.as_ref().err(), began);
    if let Err(error) = done {
        errors::tell(bot, &Asker::from(press), error).await;
    }
}

async fn dispatch(bot: &Bot, press: &ComponentInteraction) -> Result {
    let asker = Asker::from(press);
    bot.authorise(&asker.caller)?;
    let asked = press.data.custom_id.parse::<Press>();
    let asked = asked.map_err(|_| stale())?;
    match asked {
        Press::Confirm(id) => ask_to_type(bot, &asker, id, false).await,
        Press::ConfirmWithVolumes(id) => ask_to_type(bot, &asker, id, true).await,
        Press::Approve(id) => approvals::approve_press(bot, press, (id, false)).await,
        Press::ApproveAndAllow(id) => approvals::approve_press(bot, press, (id, true)).await,
        Press::Deny(id) => approvals::ask_why(bot, &asker, id).await,
        Press::Plan(id) => approvals::details(bot, &asker, id).await,
        Press::Cancel(id) => {
            asker
                .respond(bot, CreateInteractionResponse::Acknowledge)
                .await?;
            let action = bot.ops.cancel(id, &asker.caller).await?;
            if action.approval.is_some() {
                // Its cards are the outbox's.
                return Ok(());
            }
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
            let sight = bot.ops.sight(asker.caller);
            if let Some(fleet) = &fleet {
                sight.look_into(fleet.as_str())?;
            }
            let glance = sight.glance(fleet.as_ref(), page);
            update(bot, press, &render::status::fleet(&glance, bot.ops.now())).await
        }
        Press::Audit(id, page) => audit::turn(bot, press, id, page).await,
        Press::Choose(draft, parameter) => {
            let value = chosen(press)?.to_owned();
            deploy::choose(bot, press, draft, Arguments::from([(parameter, value)])).await
        }
        Press::Deploy(draft) => deploy::go(bot, press, draft).await,
        Press::Acknowledge(alert) => alerts::acknowledge(bot, press, alert).await,
        Press::Silence(alert) => silences::silence_press(bot, press, alert).await,
        Press::EndSilence(silence) => silences::end_press(bot, press, silence).await,
        Press::Open(_) | Press::OpenOf(_) => board::open(bot, press, chosen(press)?).await,
        Press::Freeze(question) => freeze::go(bot, press, question).await,
        // Forms are submitted, never pressed.
        Press::Form(_)
        | Press::Secret(_)
        | Press::TypedForm(..)
        | Press::DenyForm(_)
        | Press::Claim
        | Press::BreakGlass(..) => Err(stale().into()),
    }
}

/// An id that no component of ours bears there.
fn stale() -> Answer {
    Answer::NotFound("This card is from an older Yardarm. Send the command again.".to_owned())
}

/// What was chosen in a select.
fn chosen(press: &ComponentInteraction) -> Result<&str> {
    let ComponentInteractionDataKind::StringSelect { values } = &press.data.kind else {
        return Err(stale().into());
    };
    Ok(values.first().map_or("", String::as_str))
}

/// A modal that was filled in.
pub async fn submitted(bot: &Bot, modal: &ModalInteraction) {
    if !bot.is_first(modal.id.get()) {
        return;
    }
    let began = Instant::now();
    let done = Box::pin(fill(bot, modal)).await;
    let name = word(&modal.data.custom_id);
    bot.note(("form", name), done.as_ref().err(), began);
    if let Err(error) = done {
        errors::tell(bot, &Asker::from(modal), error).await;
    }
}

/// What a component asks for, without what it is about; ids that are none of ours are all one.
fn word(custom_id: &str) -> String {
    let is_ours = custom_id.parse::<Press>().is_ok();
    let word = custom_id.split(':').nth(1).filter(|_| is_ours);
    word.unwrap_or("stale").to_owned()
}

async fn fill(bot: &Bot, modal: &ModalInteraction) -> Result {
    let asker = Asker::from(modal);
    let asked = modal.data.custom_id.parse();
    // The one form for somebody without rights; it is judged by its code.
    if asked != Ok(Press::Claim) {
        bot.authorise(&asker.caller)?;
    }
    let inputs = modal.data.components.iter().flat_map(|row| &row.components);
    let mut given: Arguments = inputs
        .filter_map(|input| match input {
            ActionRowComponent::InputText(text) => {
                Some((text.custom_id.clone(), text.value.clone()?))
            }
            _ => None,
        })
        .collect();
    let mut text = |name: &str| given.remove(name).unwrap_or_default();
    match asked {
        Ok(Press::Claim) => claim::fill(bot, modal, &text(CODE)).await,
        Ok(Press::Form(draft)) => deploy::fill(bot, modal, draft, given).await,
        Ok(Press::TypedForm(id, volumes)) => {
            confirm(bot, &asker, id, (&text(PHRASE), volumes)).await
        }
        Ok(Press::BreakGlass(kind, agent)) => {
            let typed = (text(PHRASE), text(REASON));
            break_glass::fill(bot, modal, (kind, agent), typed).await
        }
        Ok(Press::DenyForm(id)) => approvals::deny(bot, modal, id, text(REASON)).await,
        Ok(Press::Secret(form)) => {
            let value = SecretString::from(text(VALUE));
            let reason = Some(text(REASON)).filter(|reason| !reason.is_empty());
            let sight = bot.ops.sight(asker.caller);
            let subject = sight.secret_of_form(&form.name, form.scope)?;
            secret::fill(bot, modal, (subject, form.rotate), (value, reason)).await
        }
        _ => Err(Answer::NotFound(
            "This form is from an older Yardarm. Send the command again.".to_owned(),
        )
        .into()),
    }
}

/// Answers a press by changing the message it stands on.
pub async fn update(bot: &Bot, press: &ComponentInteraction, rendered: &Rendered) -> Result {
    let response = CreateInteractionResponse::UpdateMessage(rendered.response(false));
    Asker::from(press).respond(bot, response).await
}

/// The modal in which the requester types what it is about. It is looked up before: a modal is the first answer.
async fn ask_to_type(bot: &Bot, asker: &Asker, id: ActionId, volumes: bool) -> Result {
    let action = bot.ops.own_question(id, &asker.caller).await?;
    let modal = render::approval::typing(&action, volumes);
    asker
        .respond(bot, CreateInteractionResponse::Modal(modal))
        .await
}

async fn confirm(bot: &Bot, asker: &Asker, id: ActionId, typed: (&str, bool)) -> Result {
    asker
        .respond(bot, CreateInteractionResponse::Acknowledge)
        .await?;
    let action = bot.ops.confirm(id, &asker.caller, typed).await?;
    reply::follow(bot, &asker.token, action).await
}

async fn change(bot: &Bot, press: &ComponentInteraction, kind: Kind, agent: AgentId) -> Result {
    let asker = Asker::from(press);
    let sight = bot.ops.sight(asker.caller.clone());
    let view = sight.look_at_id(agent)?;
    let selection = crate::ops::resolve::Selection {
        agent: Some(view.agent.name.as_str()),
        fleet: None,
    };
    let request = sight.request_change(kind, selection)?;
    reply::carry_out(bot, &asker, request, None).await
}
