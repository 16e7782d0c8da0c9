//! What every interaction carries, whatever it is about.

use serde_json::{Value, json};

use super::{Refused, sees};
use crate::{
    discord::Discord,
    model::{Interaction, State},
    objects,
};

/// Discord's limit for a guild without boosts.
const ATTACHMENT_SIZE_LIMIT: u32 = 10 * 1024 * 1024;
const LOCALE: &str = "en-US";

/// Registers the interaction and dispatches it.
pub(super) fn send(
    discord: &Discord,
    state: &mut State,
    interaction: Interaction,
    data: &Value,
    extra: Value,
) {
    let object = objects::merged(envelope(discord, &interaction, data), extra);
    state.begin(interaction, discord.now());
    discord.dispatch(state, "INTERACTION_CREATE", &object);
}

/// Refuses what happens where the person cannot be.
pub(super) fn admit(discord: &Discord, interaction: &Interaction) -> Result<(), Refused> {
    if sees(discord, interaction.person, interaction.place.channel) {
        return Ok(());
    }
    Err(Refused::new("you do not see that channel"))
}

/// The message with the component that led to it, if there is one.
pub(super) fn on_message(discord: &Discord, state: &State, interaction: &Interaction) -> Value {
    let source = interaction
        .source
        .and_then(|id| state.message(interaction.place.channel, id));
    source.map_or_else(
        || json!({}),
        |message| json!({ "message": state.shown(message, &discord.world()) }),
    )
}

fn envelope(discord: &Discord, interaction: &Interaction, data: &Value) -> Value {
    let world = &discord.world();
    let channel = world.channel(interaction.place.channel);
    let user = world
        .user(interaction.person)
        .map(objects::user)
        .unwrap_or_default();
    let permissions = channel
        .as_ref()
        .map(|channel| world.permissions(interaction.person, channel));
    let mut channel_object = channel
        .as_ref()
        .map(|channel| objects::channel(world, channel))
        .unwrap_or_default();
    channel_object["permissions"] = json!(permissions);
    let object = json!({
        "id": interaction.id,
        "application_id": world.bot.id,
        "type": interaction.kind as u8,
        "token": interaction.token,
        "version": 1,
        "data": data,
        "channel_id": interaction.place.channel,
        "channel": channel_object,
        "app_permissions": channel.as_ref().map(|channel| world.permissions(world.bot.id, channel)),
        "locale": LOCALE,
        "entitlements": [],
        "attachment_size_limit": ATTACHMENT_SIZE_LIMIT,
    });
    let place = match interaction.place.guild.and_then(|id| world.guild(id)) {
        Some(guild) => {
            let member = objects::member(guild, &user, interaction.person);
            json!({
                "guild_id": guild.id,
                "guild": { "id": guild.id, "locale": LOCALE, "features": [] },
                "guild_locale": LOCALE,
                "member": objects::merged(member, json!({ "permissions": permissions })),
                "authorizing_integration_owners": { "0": guild.id },
                "context": 0,
            })
        }
        None => {
            json!({ "user": user, "authorizing_integration_owners": { "0": "0" }, "context": 1 })
        }
    };
    objects::merged(object, place)
}
