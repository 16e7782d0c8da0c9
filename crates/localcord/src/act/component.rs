use serde_json::{Value, json};

use super::{
    Refused,
    envelope::{admit, send},
    resolve::{Resolver, Target},
};
use crate::{
    discord::Discord,
    ids::Id,
    model::{Interaction, Kind, Message, Place},
    objects::list,
};

const BUTTON: u64 = 2;
const STRING_SELECT: u64 = 3;
const LINK: u64 = 5;

/// What a person does with a component.
#[derive(Clone, Debug)]
pub(crate) enum Pick {
    /// Presses a button, by label or custom id.
    Press(String),
    /// Chooses in a select, by placeholder or custom id.
    Choose(String, Vec<String>),
    /// Sends the press of a button that no message shows, as a forger would.
    Forge(String),
    /// Sends a choice in a select that no message shows.
    ForgeChoice(String, Vec<String>),
}

/// Uses a component of a message that the person sees.
pub(crate) fn use_component(
    discord: &Discord,
    person: Id,
    (channel, id): (Id, Id),
    pick: &Pick,
) -> Result<Id, Refused> {
    let now = discord.now();
    discord.change(|state| {
        let message = state
            .message(channel, id)
            .filter(|message| message.is_visible_to(person));
        let message = message
            .ok_or_else(|| Refused::new("you do not see that message"))?
            .clone();
        let place = Place {
            guild: message.guild,
            channel,
        };
        let data = data(discord, &message, place, pick)?;
        let mut interaction =
            Interaction::new(state.next_id(now), Kind::Component, person, place, now);
        admit(discord, &interaction)?;
        interaction.source = Some(id);
        let interaction_id = interaction.id;
        let extra = json!({ "message": state.shown(&message, &discord.world()) });
        send(discord, state, interaction, &data, extra);
        Ok(interaction_id)
    })
}

fn data(discord: &Discord, message: &Message, place: Place, pick: &Pick) -> Result<Value, Refused> {
    match pick {
        Pick::Forge(custom_id) => Ok(json!({ "custom_id": custom_id, "component_type": BUTTON })),
        Pick::ForgeChoice(custom_id, values) => {
            Ok(json!({ "custom_id": custom_id, "component_type": STRING_SELECT, "values": values }))
        }
        Pick::Press(name) => {
            let is_meant =
                |component: &&Value| component["label"] == *name || component["custom_id"] == *name;
            let buttons = shown(message).filter(|component| component["type"] == BUTTON);
            let button = enabled(buttons.filter(is_meant), "button", name)?;
            if button["style"] == LINK {
                return Err(Refused::new(format!("`{name}` is a link")));
            }
            Ok(
                json!({ "custom_id": button["custom_id"], "component_type": BUTTON, "id": button["id"] }),
            )
        }
        Pick::Choose(name, wanted) => {
            let is_meant = |component: &&Value| {
                component["placeholder"] == *name || component["custom_id"] == *name
            };
            let selects = shown(message).filter(|component| component["type"] != BUTTON);
            let select = enabled(selects.filter(is_meant), "select", name)?;
            choose(discord, place, select, wanted)
        }
    }
}

fn shown(message: &Message) -> impl Iterator<Item = &Value> {
    message
        .components
        .iter()
        .flat_map(|row| list(&row["components"]))
}

/// The first that can be used; a message may show a disabled twin.
fn enabled<'a>(
    found: impl Iterator<Item = &'a Value>,
    kind: &str,
    name: &str,
) -> Result<&'a Value, Refused> {
    let mut disabled = false;
    for component in found {
        if component["disabled"] != true {
            return Ok(component);
        }
        disabled = true;
    }
    let why = if disabled {
        "is disabled"
    } else {
        "is not on this message"
    };
    Err(Refused::new(format!("the {kind} `{name}` {why}")))
}

fn choose(
    discord: &Discord,
    place: Place,
    select: &Value,
    wanted: &[String],
) -> Result<Value, Refused> {
    let min = select["min_values"].as_u64().unwrap_or(1);
    let max = select["max_values"].as_u64().unwrap_or(1);
    if !(min..=max).contains(&(wanted.len() as u64)) {
        return Err(Refused::new(format!("{min} to {max} choices are needed")));
    }
    let kind = select["type"].as_u64().unwrap_or_default();
    let world = discord.world();
    let mut resolver = Resolver::new(&world, place);
    let mut values = Vec::new();
    for name in wanted {
        values.push(match kind {
            STRING_SELECT => option_value(select, name)?,
            5 => json!(resolver.find(Target::User, name)?),
            6 => json!(resolver.find(Target::Role, name)?),
            7 => json!(resolver.find(Target::Mentionable, name)?),
            _ => json!(resolver.find(Target::Channel, name)?),
        });
    }
    let mut data = json!({
        "custom_id": select["custom_id"],
        "component_type": kind,
        "id": select["id"],
        "values": values,
    });
    if kind != STRING_SELECT {
        data["resolved"] = resolver.resolved;
    }
    Ok(data)
}

fn option_value(select: &Value, name: &str) -> Result<Value, Refused> {
    let options = list(&select["options"]);
    let option = options
        .iter()
        .find(|option| option["value"] == name || option["label"] == name);
    let option =
        option.ok_or_else(|| Refused::new(format!("the select has no option `{name}`")))?;
    Ok(option["value"].clone())
}
