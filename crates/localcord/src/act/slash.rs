use serde_json::{Value, json};

use super::{
    Input, Refused,
    envelope::{admit, send},
    options::Form,
    resolve::Resolver,
    sees,
};
use crate::{
    discord::Discord,
    ids::Id,
    model::{Interaction, Kind, Place, State},
    objects::list,
    permissions::{ADMINISTRATOR, Permissions, USE_APPLICATION_COMMANDS},
};

const CHAT_INPUT: u64 = 1;

/// A slash command as a person enters it.
#[derive(Clone, Debug)]
pub(crate) struct Slash {
    pub(crate) person: Id,
    pub(crate) place: Place,
    /// The command, then group and sub-command where it has them.
    pub(crate) path: Vec<String>,
    pub(crate) options: Vec<(String, Input)>,
}

/// Sends a slash command.
pub(crate) fn slash(discord: &Discord, entry: &Slash) -> Result<Id, Refused> {
    discord.change(|state| invoke(discord, state, entry, None))
}

/// Asks for the choices of the option that is being typed.
pub(crate) fn autocomplete(
    discord: &Discord,
    entry: &Slash,
    focus: (&str, &str),
) -> Result<Id, Refused> {
    discord.change(|state| invoke(discord, state, entry, Some(focus)))
}

fn invoke(
    discord: &Discord,
    state: &mut State,
    entry: &Slash,
    focus: Option<(&str, &str)>,
) -> Result<Id, Refused> {
    let name = entry.path.first().map(String::as_str).unwrap_or_default();
    let who = (entry.person, entry.place);
    let command = find(discord, state, who, (name, CHAT_INPUT))?.clone();
    let now = discord.now();
    let kind = if focus.is_some() {
        Kind::Autocomplete
    } else {
        Kind::Command
    };
    let mut interaction =
        Interaction::new(state.next_id(now), kind, entry.person, entry.place, now);
    admit(discord, &interaction)?;
    interaction.command = Some(entry.path.join(" "));
    let defined = defined_options(&command, &entry.path)?;
    if let Some((name, _)) = focus {
        let option = defined.iter().find(|option| option["name"] == name);
        if option.is_none_or(|option| option["autocomplete"] != true) {
            return Err(Refused::new(format!("`{name}` has no autocomplete")));
        }
    }
    let world = discord.world();
    let resolver = Resolver::new(&world, entry.place);
    let mut form = Form {
        discord,
        state,
        resolver,
        channel: entry.place.channel,
        uploads: Vec::new(),
        focus,
    };
    let filled = form.fill(&defined, &entry.options)?;
    let (resolved, uploads) = (form.resolver.resolved, form.uploads);
    interaction.uploads = uploads.iter().map(|(id, _)| *id).collect();
    state.files.extend(uploads);
    let data = json!({
        "id": command["id"],
        "name": command["name"],
        "type": CHAT_INPUT,
        "guild_id": command["guild_id"],
        "options": nested(&command, &entry.path, filled),
        "resolved": resolved,
    });
    let id = interaction.id;
    send(discord, state, interaction, &without_nulls(data), json!({}));
    Ok(id)
}

/// A command that is not registered where the person is, but elsewhere, can be sent all the same: so that a test
/// can see a bot refuse what reaches it from a strange guild or a direct message.
pub(super) fn find<'a>(
    discord: &Discord,
    state: &'a State,
    (person, place): (Id, Place),
    (name, kind): (&str, u64),
) -> Result<&'a Value, Refused> {
    let named = |command: &&Value| command["name"] == name && command["type"] == kind;
    let offered = state.commands.offered(place.guild).into_iter().find(named);
    let command = offered.or_else(|| state.commands.all().find(named));
    let command = command.ok_or_else(|| Refused::new(format!("there is no command `/{name}`")))?;
    if !sees(discord, person, place.channel) {
        return Err(Refused::new("you do not see that channel"));
    }
    if may_use(discord, (person, place), command) {
        return Ok(command);
    }
    Err(Refused::new(format!(
        "you do not see `/{name}`: it needs other permissions"
    )))
}

/// Whether a person may use commands here, and has the permissions this one asks for. One that asks for none of
/// them is for administrators.
pub(crate) fn may_use(discord: &Discord, (person, place): (Id, Place), command: &Value) -> bool {
    let needed = command["default_member_permissions"]
        .as_str()
        .and_then(Permissions::from_text);
    let world = discord.world();
    let guild = place.guild.and_then(|id| world.guild(id));
    let channel = world.channel(place.channel);
    let here = channel.map(|channel| world.permissions(person, &channel));
    if here.is_none_or(|here| !here.contains(USE_APPLICATION_COMMANDS)) {
        return false;
    }
    match (needed, guild) {
        (Some(needed), Some(guild)) => {
            let held = guild.permissions_of(person);
            let nobodys = needed == Permissions::default();
            held.contains(if nobodys { ADMINISTRATOR } else { needed })
        }
        _ => true,
    }
}

fn defined_options(command: &Value, path: &[String]) -> Result<Vec<Value>, Refused> {
    let mut options = &command["options"];
    for name in path.iter().skip(1) {
        let nested = list(options)
            .iter()
            .find(|option| option["name"] == *name && is_nested(option));
        options = &nested
            .ok_or_else(|| Refused::new(format!("there is no sub-command `{name}`")))?["options"];
    }
    if let Some(first) = list(options).iter().find(|option| is_nested(option)) {
        let example = first["name"].as_str().unwrap_or_default();
        return Err(Refused::new(format!(
            "a sub-command is needed, such as `{example}`"
        )));
    }
    Ok(list(options).to_vec())
}

fn is_nested(option: &Value) -> bool {
    matches!(option["type"].as_u64(), Some(1 | 2))
}

/// Wraps the values in their sub-command and group.
fn nested(command: &Value, path: &[String], filled: Vec<Value>) -> Vec<Value> {
    let mut kinds = Vec::new();
    let mut options = &command["options"];
    for name in path.iter().skip(1) {
        let Some(option) = list(options).iter().find(|option| option["name"] == *name) else {
            break;
        };
        kinds.push((name, option["type"].clone()));
        options = &option["options"];
    }
    let wrap = |inner: Vec<Value>, (name, kind): (&String, Value)| {
        vec![json!({ "name": name, "type": kind, "options": inner })]
    };
    kinds.into_iter().rev().fold(filled, wrap)
}

fn without_nulls(mut data: Value) -> Value {
    if let Some(object) = data.as_object_mut() {
        object.retain(|_, value| !value.is_null());
    }
    data
}
