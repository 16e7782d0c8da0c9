//! Commands from the menu of a person or of a message.

use serde_json::{Value, json};

use super::{
    Refused,
    envelope::{admit, send},
    resolve::{Resolver, Target},
    slash::find,
};
use crate::{
    discord::Discord,
    ids::Id,
    model::{Interaction, Kind, Place, State},
};

const ON_USER: u64 = 2;
const ON_MESSAGE: u64 = 3;

/// What was clicked.
#[derive(Clone, Debug)]
pub(crate) enum On {
    /// By name or id.
    User(String),
    Message(Id),
}

/// Sends a command from the menu of what was clicked.
pub(crate) fn menu(
    discord: &Discord,
    (person, place): (Id, Place),
    name: &str,
    on: &On,
) -> Result<Id, Refused> {
    discord.change(|state| {
        let kind = match on {
            On::User(_) => ON_USER,
            On::Message(_) => ON_MESSAGE,
        };
        let command = find(discord, state, (person, place), (name, kind))?.clone();
        let now = discord.now();
        let mut interaction =
            Interaction::new(state.next_id(now), Kind::Command, person, place, now);
        admit(discord, &interaction)?;
        interaction.command = Some(name.to_owned());
        let (target, resolved) = target(discord, state, (person, place), on)?;
        let mut data = json!({
            "id": command["id"],
            "name": name,
            "type": kind,
            "target_id": target,
            "resolved": resolved,
        });
        if command["guild_id"].is_string() {
            data["guild_id"] = command["guild_id"].clone();
        }
        let id = interaction.id;
        send(discord, state, interaction, &data, json!({}));
        Ok(id)
    })
}

fn target(
    discord: &Discord,
    state: &State,
    (person, place): (Id, Place),
    on: &On,
) -> Result<(Id, Value), Refused> {
    let world = discord.world();
    let mut resolver = Resolver::new(&world, place);
    let id = match on {
        On::User(name) => resolver.find(Target::User, name)?,
        On::Message(id) => {
            let message = state.message(place.channel, *id);
            let message = message.filter(|message| message.is_visible_to(person));
            let message = message.ok_or_else(|| Refused::new("you do not see that message"))?;
            resolver.add("messages", *id, state.shown(message, &world));
            *id
        }
    };
    Ok((id, resolver.resolved))
}
