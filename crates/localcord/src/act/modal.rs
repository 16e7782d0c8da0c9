use serde_json::{Value, json};

use super::{
    Refused,
    envelope::{on_message, send},
    forge::forge,
};
use crate::{
    discord::Discord,
    ids::Id,
    model::{Answer, Interaction, Kind, Place},
    objects::list,
};

/// Submits the modal that an interaction was answered with.
pub(crate) fn submit(
    discord: &Discord,
    opener: Id,
    values: &[(String, String)],
) -> Result<Id, Refused> {
    let now = discord.now();
    discord.change(|state| {
        let opener = state
            .interactions
            .get(&opener)
            .ok_or_else(|| Refused::new("there is no such interaction"))?;
        let Some(Answer::Modal(modal)) = &opener.answer else {
            return Err(Refused::new(
                "the interaction was not answered with a modal",
            ));
        };
        let opener = opener.clone();
        let rows = rows(modal, values)?;
        let data = json!({ "custom_id": modal["custom_id"], "components": rows });
        let mut interaction = Interaction::new(
            state.next_id(now),
            Kind::Modal,
            opener.person,
            opener.place,
            now,
        );
        interaction.source = opener.source;
        interaction.opened_by = Some(opener.metadata(&discord.world()));
        let id = interaction.id;
        let extra = on_message(discord, state, &interaction);
        send(discord, state, interaction, &data, extra);
        Ok(id)
    })
}

/// Submits a modal that no bot opened, as a forger would, perhaps as if it had been opened on a message.
pub(crate) fn forge_modal(
    discord: &Discord,
    whose: (Id, Place),
    (custom_id, source): (&str, Option<Id>),
    values: &[(String, String)],
) -> Result<Id, Refused> {
    let rows = values.iter().map(|(name, value)| {
        let input = json!({ "type": 4, "custom_id": name, "value": value });
        json!({ "type": 1, "components": [input] })
    });
    let data = json!({ "custom_id": custom_id, "components": rows.collect::<Vec<_>>() });
    forge(discord, whose, (Kind::Modal, source), &data)
}

fn rows(modal: &Value, values: &[(String, String)]) -> Result<Vec<Value>, Refused> {
    let inputs = || {
        list(&modal["components"])
            .iter()
            .flat_map(|row| list(&row["components"]))
    };
    let is = |input: &Value, name: &str| input["custom_id"] == name || input["label"] == name;
    if let Some((name, _)) = values
        .iter()
        .find(|(name, _)| !inputs().any(|input| is(input, name)))
    {
        return Err(Refused::new(format!("the modal has no field `{name}`")));
    }
    let filled = inputs().map(|input| {
        let entered = values
            .iter()
            .rev()
            .find(|(name, _)| is(input, name))
            .map(|(_, value)| value.as_str());
        let value = entered
            .or_else(|| input["value"].as_str())
            .unwrap_or_default();
        check(input, value)?;
        let input = json!({ "type": 4, "custom_id": input["custom_id"], "value": value });
        Ok(json!({ "type": 1, "components": [input] }))
    });
    filled.collect()
}

fn check(input: &Value, value: &str) -> Result<(), Refused> {
    let label = input["label"].as_str().unwrap_or_default();
    let count = value.chars().count() as u64;
    if count == 0 {
        let required = input["required"].as_bool().unwrap_or(true);
        return if required {
            Err(Refused::new(format!("`{label}` is required")))
        } else {
            Ok(())
        };
    }
    let (min, max) = (
        input["min_length"].as_u64().unwrap_or(0),
        input["max_length"].as_u64().unwrap_or(4000),
    );
    if !(min..=max).contains(&count) {
        return Err(Refused::new(format!(
            "`{label}` must be {min} to {max} characters long"
        )));
    }
    Ok(())
}
