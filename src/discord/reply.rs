//! Answering: acknowledge, submit, and show one message through the whole life of the action.

use std::{future::Future, time::Duration};

use serde::Deserialize;
use serenity::{
    all::{
        Builder as _, CommandInteraction, ComponentInteraction, CreateInteractionResponse,
        CreateInteractionResponseMessage, Message, ModalInteraction,
    },
    http::{HttpError, LightMethod, Request as Call, Route},
};
use tokio::time::{Instant, timeout_at};

use super::{
    Answer, Bot, Result,
    render::{self, Rendered},
};
use crate::{
    domain::{
        action::{Action, Origin, Reply, State},
        grant::Caller,
        ids::{ChannelId, GuildId, InteractionId, MessageId, RoleId, UserId},
    },
    ops::actions::{Request, Requester},
};

/// Discord takes five edits in five seconds; progress needs no more than this.
const EDIT_EVERY: Duration = Duration::from_millis(1200);
/// What is over sooner is shown once, as it ended.
const FIRST_EDIT: Duration = Duration::from_millis(400);
/// Tries of one call; if it was an edit, the outbox goes on after that.
const TRIES: u32 = 4;
/// The first of the waits between them: for an answer that comes too late after 3 s, and for what follows it.
const WITHIN_3_S: Duration = Duration::from_millis(200);
const AT_LEISURE: Duration = Duration::from_secs(1);

/// The interaction somebody waits on, whatever its kind.
#[derive(Clone, Debug)]
pub struct Asker {
    pub caller: Caller,
    pub channel: ChannelId,
    pub interaction: InteractionId,
    pub token: String,
    /// When we began to answer.
    pub(super) began: std::time::Instant,
}

macro_rules! asker_from {
    ($($kind:ty),*) => {$(
        impl From<&$kind> for Asker {
            fn from(interaction: &$kind) -> Self {
                Self {
                    caller: Caller {
                        user: UserId(interaction.user.id.get()),
                        bot: interaction.user.bot,
                        guild: interaction.guild_id.map(|guild| GuildId(guild.get())),
                        roles: interaction.member.iter().flat_map(|member| &member.roles)
                            .map(|role| RoleId(role.get()))
                            .collect(),
                    },
                    channel: ChannelId(interaction.channel_id.get()),
                    interaction: InteractionId(interaction.id.get()),
                    token: interaction.token.clone(),
                    began: std::time::Instant::now(),
                }
            }
        }
    )*};
}

asker_from!(CommandInteraction, ComponentInteraction, ModalInteraction);

impl Asker {
    /// The first answer, which must come within three seconds.
    pub async fn respond(&self, bot: &Bot, response: CreateInteractionResponse) -> Result {
        Ok(self.call_back(bot, &response).await?)
    }

    pub(super) async fn call_back(
        &self,
        bot: &Bot,
        response: &CreateInteractionResponse,
    ) -> serenity::Result<()> {
        let ids = (self.interaction.0.into(), self.token.as_str());
        past_limits(WITHIN_3_S, || response.clone().execute(&bot.replies, ids)).await?;
        bot.ops.meters.acknowledged(self.began.elapsed());
        Ok(())
    }

    /// "Yardarm is thinking…", to all or to the asker only. Returns the id of that message: with it, its end is
    /// shown even if we crash before the first edit. serenity does not ask for it.
    pub async fn defer(&self, bot: &Bot, ephemeral: bool) -> Result<Option<MessageId>> {
        let message = CreateInteractionResponseMessage::new().ephemeral(ephemeral);
        let body = serde_json::to_vec(&CreateInteractionResponse::Defer(message))
            .map_err(serenity::Error::Json)?;
        let route = Route::InteractionResponse {
            interaction_id: self.interaction.0.into(),
            token: &self.token,
        };
        let call = Call::new(route, LightMethod::Post)
            .body(Some(body))
            .params(Some(vec![("with_response", "true".to_owned())]));
        let called = past_limits(WITHIN_3_S, || bot.replies.fire::<Callback>(call.clone()));
        match called.await {
            Ok(callback) => {
                bot.ops.meters.acknowledged(self.began.elapsed());
                let message = callback.interaction.response_message_id;
                Ok(message.map(|id| MessageId(id.get())))
            }
            // It may have arrived: going on loses nothing, giving up would leave "thinking…" for ever.
            Err(error) if is_in_doubt(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// An answer from memory, in the callback itself.
    pub async fn answer(&self, bot: &Bot, rendered: &Rendered) -> Result {
        self.respond(
            bot,
            CreateInteractionResponse::Message(rendered.response(true)),
        )
        .await
    }
}

/// What Discord tells of a callback, as far as we ask.
#[derive(Debug, Deserialize)]
struct Callback {
    interaction: Called,
}

#[derive(Debug, Deserialize)]
struct Called {
    response_message_id: Option<serenity::all::MessageId>,
}

/// Acknowledges, submits and follows. What memory could refuse has been refused before.
pub async fn carry_out(
    bot: &Bot,
    asker: &Asker,
    request: Request,
    reason: Option<String>,
) -> Result {
    bot.ops.permit(&asker.caller, &request)?;
    bot.ops.refuse_frozen(&request)?;
    let message = asker.defer(bot, false).await?;
    submit(bot, (asker, message), request, reason).await
}

/// Submits for somebody who was acknowledged before by `message`, and follows.
pub async fn submit(
    bot: &Bot,
    (asker, message): (&Asker, Option<MessageId>),
    request: Request,
    reason: Option<String>,
) -> Result {
    let requester = Requester {
        caller: Some(asker.caller.clone()),
        origin: Origin::Chat,
        reason,
        reply: Some(Reply {
            interaction: asker.interaction,
            channel: asker.channel,
            message,
        }),
    };
    match bot.ops.submit(request, requester).await {
        Ok(action) => follow(bot, &asker.token, action).await,
        Err(error) => refuse(bot, asker, error).await,
    }
}

/// A refusal after a public acknowledgement: that is taken back, and only the asker sees why.
pub async fn refuse(bot: &Bot, asker: &Asker, error: Answer) -> Result {
    let denied = match &error {
        Answer::Denied(why) => Some(why.clone()),
        _ => None,
    };
    let text = super::errors::advice(asker, error);
    past_limits(AT_LEISURE, || {
        bot.replies
            .delete_original_interaction_response(&asker.token)
    })
    .await?;
    let followup = Rendered::text(text).followup(true);
    past_limits(AT_LEISURE, || {
        let whom = (None, asker.token.as_str());
        followup.clone().execute(&bot.replies, whom)
    })
    .await?;
    super::errors::note(bot, asker, denied).await;
    Ok(())
}

/// Shows an action until it is over. If that fails, the outbox shows its end.
pub async fn follow(bot: &Bot, token: &str, action: Action) -> Result {
    let id = action.id;
    let Some(mut progress) = bot.ops.follow(id) else {
        let action = bot.ops.action(id).await?;
        return show_end(bot, token, &action).await;
    };
    let mut next_edit = Instant::now() + FIRST_EDIT;
    let mut known = action.reply.is_some_and(|reply| reply.message.is_some());
    loop {
        let action = progress.borrow_and_update().clone();
        if action.state.is_over() {
            return show_end(bot, token, &action).await;
        }
        if Instant::now() < next_edit {
            // Whatever comes first: news, or the time to show the last of it.
            if let Ok(Err(_ended)) = timeout_at(next_edit, progress.changed()).await {
                return show_end(bot, token, &bot.ops.action(id).await?).await;
            }
            continue;
        }
        let message = show(bot, token, &render::action::card(&action, bot.ops.now())).await?;
        if !known {
            bot.ops.answered_by(id, MessageId(message.id.get())).await?;
            known = true;
        }
        next_edit = Instant::now() + EDIT_EVERY;
        if progress.changed().await.is_err() {
            return show_end(bot, token, &bot.ops.action(id).await?).await;
        }
    }
}

async fn show_end(bot: &Bot, token: &str, action: &Action) -> Result {
    let message = show(bot, token, &render::action::card(action, bot.ops.now())).await?;
    let message = MessageId(message.id.get());
    let noted = if action.state == State::Asked {
        bot.ops.answered_by(action.id, message).await
    } else {
        bot.ops.shown(action.id, message).await
    };
    // People have read it: that it may be shown once more is nothing to tell them.
    if let Err(error) = noted {
        tracing::warn!(action.id = action.id.0, error = %error, "a shown card could not be noted");
    }
    Ok(())
}

/// Edits the answer. Files that Discord does not take, or not in time over a slow line, are told of instead.
pub async fn show(bot: &Bot, token: &str, rendered: &Rendered) -> Result<Message> {
    match Box::pin(edit(bot, token, rendered)).await {
        Err(error) if !rendered.files.is_empty() => {
            tracing::info!(error = %error, "files did not get through");
            let text = rendered.without_files();
            Ok(Box::pin(edit(bot, token, &text)).await?)
        }
        shown => Ok(shown?),
    }
}

async fn edit(bot: &Bot, token: &str, rendered: &Rendered) -> serenity::Result<Message> {
    let edit = rendered.edit_response();
    past_limits(AT_LEISURE, || edit.clone().execute(&bot.replies, token)).await
}

/// Makes a call again while Discord says 429. The limiter is off here, and serenity does not tell how long Discord wants
/// us to wait: so it is `wait`, doubling.
async fn past_limits<T, F>(mut wait: Duration, call: impl Fn() -> F) -> serenity::Result<T>
where
    F: Future<Output = serenity::Result<T>>,
{
    for _ in 1..TRIES {
        match call().await {
            Err(error) if is_rate_limit(&error) => tokio::time::sleep(wait).await,
            answer => return answer,
        }
        wait *= 2;
    }
    call().await
}

/// A connection was made and its answer lost.
fn is_in_doubt(error: &serenity::Error) -> bool {
    matches!(error, serenity::Error::Http(HttpError::Request(request)) if !request.is_connect())
}

fn is_rate_limit(error: &serenity::Error) -> bool {
    matches!(error, serenity::Error::Http(error) if error.status_code().is_some_and(|code| code.as_u16() == 429))
}
