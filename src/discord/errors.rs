//! Every way a command can fail → one polite answer, to the asker only.

use poise::{CommandInteractionType, FrameworkError};
use serenity::all::{Builder as _, CreateAutocompleteResponse, CreateInteractionResponse};

use super::{Answer, Bot, Error, gateway, render::Rendered, reply::Asker};

/// Discord's codes for an interaction that is gone or was answered before: nobody waits any more.
const UNKNOWN_INTERACTION: isize = 10062;
const ALREADY_ACKNOWLEDGED: isize = 40060;

/// By that name Discord offers something else than we do, as for a while after an upgrade.
pub(super) const CHANGED: &str =
    "This command has changed since Discord loaded it. Reload Discord (Ctrl+R) and try again.";

/// poise's own errors and those of our commands.
pub async fn on_error(error: FrameworkError<'_, Bot, Error>) {
    match error {
        FrameworkError::Command { error, ctx, .. }
        | FrameworkError::CommandCheckFailed {
            error: Some(error),
            ctx,
            ..
        } => {
            gateway::note_command(ctx, Some(&error)).await;
            tell_context(ctx, error).await;
        }
        // Delivered twice: the first delivery answers.
        FrameworkError::CommandCheckFailed { error: None, .. } => {}
        FrameworkError::CommandPanic { payload, ctx, .. } => {
            let why = payload.unwrap_or_else(|| "no message".to_owned());
            tell_context(
                ctx,
                Answer::Internal(anyhow::anyhow!("a command panicked: {why}")).into(),
            )
            .await;
        }
        FrameworkError::ArgumentParse {
            error, input, ctx, ..
        } => {
            let input = input.unwrap_or_default();
            tell_context(
                ctx,
                Answer::Invalid(format!("`{input}` does not fit: {error}.")).into(),
            )
            .await;
        }
        FrameworkError::CommandStructureMismatch {
            ctx, description, ..
        } => {
            tracing::warn!(description, "Discord's commands differ from ours");
            tell_context(ctx.into(), Answer::Invalid(CHANGED.to_owned()).into()).await;
        }
        FrameworkError::UnknownInteraction {
            framework,
            interaction,
            ..
        } => {
            let asker = Asker::from(interaction);
            if interaction.data.autocomplete().is_some() {
                return offer_nothing(framework.user_data, &asker).await;
            }
            let gone = Answer::NotFound(
                "Yardarm has no such command any more. `/help` lists all.".to_owned(),
            );
            tell(framework.user_data, &asker, gone.into()).await;
        }
        other => tracing::error!(error = %other, "the framework failed"),
    }
}

async fn tell_context(ctx: poise::Context<'_, Bot, Error>, error: Error) {
    let poise::Context::Application(ctx) = ctx else {
        return;
    };
    if ctx.interaction_type == CommandInteractionType::Autocomplete {
        let denied = denial(&error);
        let asker = Asker::from(ctx.interaction);
        offer_nothing(ctx.framework.user_data, &asker).await;
        note(ctx.framework.user_data, &asker, denied).await;
        return;
    }
    tell(
        ctx.framework.user_data,
        &Asker::from(ctx.interaction),
        error,
    )
    .await;
}

/// There is no room for words in a list of choices; an empty one ends the wait.
async fn offer_nothing(bot: &Bot, asker: &Asker) {
    let nothing = CreateInteractionResponse::Autocomplete(CreateAutocompleteResponse::new());
    if let Err(error) = asker.respond(bot, nothing).await {
        tracing::debug!(error = %error, "an empty list of choices was not taken");
    }
}

/// Answers the asker, whether they were acknowledged before or not.
pub async fn tell(bot: &Bot, asker: &Asker, error: Error) {
    let denied = denial(&error);
    tell_asker(bot, asker, error).await;
    note(bot, asker, denied).await;
}

/// What somebody is told who may not.
fn denial(error: &Error) -> Option<String> {
    match error {
        Error::Answer(Answer::Denied(why)) => Some(why.clone()),
        Error::Answer(_) | Error::Discord(_) => None,
    }
}

/// Counts a refusal and tells the audit, once the person was answered.
pub async fn note(bot: &Bot, asker: &Asker, denied: Option<String>) {
    let Some(why) = denied else { return };
    if let Err(error) = bot.ops.note_refusal(asker.caller.user, &why).await {
        tracing::error!(interaction.id = asker.interaction.0, error = %error, "a refusal could not be noted");
    }
}

async fn tell_asker(bot: &Bot, asker: &Asker, error: Error) {
    let error = match error {
        Error::Answer(answer) => answer,
        Error::Discord(error) if nobody_waits(&error) => return,
        Error::Discord(error) => {
            tracing::warn!(interaction.id = asker.interaction.0, error = %error, "Discord did not take an answer");
            return;
        }
    };
    let rendered = Rendered::text(advice(asker, error));
    let response = CreateInteractionResponse::Message(rendered.response(true));
    let told = match asker.call_back(bot, &response).await {
        Err(error) if nobody_waits(&error) => rendered
            .followup(true)
            .execute(&bot.replies, (None, &asker.token))
            .await
            .map(drop),
        told => told,
    };
    if let Err(error) = told {
        tracing::warn!(interaction.id = asker.interaction.0, error = %error, "a refusal could not be told");
    }
}

/// What the asker reads. What is ours to mend is logged under a number that they can quote.
pub fn advice(asker: &Asker, error: Answer) -> String {
    match error {
        Answer::Internal(error) => {
            let id = asker.interaction.0;
            tracing::error!(
                interaction.id = id,
                error = format!("{error:#}"),
                "a command failed"
            );
            format!("⚠️ Yardarm itself failed. Its log tells more under interaction `{id}`.")
        }
        answer => answer.to_string(),
    }
}

fn nobody_waits(error: &serenity::Error) -> bool {
    let serenity::Error::Http(serenity::http::HttpError::UnsuccessfulRequest(response)) = error
    else {
        return false;
    };
    [UNKNOWN_INTERACTION, ALREADY_ACKNOWLEDGED].contains(&response.error.code)
}
