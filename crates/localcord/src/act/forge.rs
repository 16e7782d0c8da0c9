use serde_json::Value;

use super::{
    Refused,
    envelope::{admit, on_message, send},
};
use crate::{
    discord::Discord,
    ids::Id,
    model::{Interaction, Kind, Place},
};

/// Sends an interaction with data of any shape, as a forger would, perhaps as if a component of that message had led to it.
pub(crate) fn forge(
    discord: &Discord,
    (person, place): (Id, Place),
    (kind, source): (Kind, Option<Id>),
    data: &Value,
) -> Result<Id, Refused> {
    let now = discord.now();
    discord.change(|state| {
        let mut begin = |kind| Interaction::new(state.next_id(now), kind, person, place, now);
        let opener = begin(Kind::Command).metadata(&discord.world());
        let mut interaction = begin(kind);
        interaction.opened_by = Some(opener);
        interaction.source = source;
        admit(discord, &interaction)?;
        let id = interaction.id;
        let extra = on_message(discord, state, &interaction);
        send(discord, state, interaction, data, extra);
        Ok(id)
    })
}
