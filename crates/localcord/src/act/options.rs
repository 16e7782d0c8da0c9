//! A command's options, checked and converted as the client does before it sends anything.

use serde_json::{Value, json};

use super::{
    Input, Refused,
    resolve::{Resolver, Target},
};
use crate::{
    discord::Discord,
    ids::Id,
    model::{File, State},
    objects::list,
    rest::{Upload, attached},
    rules::LARGEST,
};

pub(super) struct Form<'a> {
    pub(super) discord: &'a Discord,
    pub(super) state: &'a mut State,
    pub(super) resolver: Resolver<'a>,
    pub(super) channel: Id,
    /// Kept once nothing is refused.
    pub(super) uploads: Vec<(Id, File)>,
    /// While somebody types, nothing is required and nothing refused.
    pub(super) focus: Option<(&'a str, &'a str)>,
}

impl Form<'_> {
    /// The options as the interaction carries them.
    pub(super) fn fill(
        &mut self,
        defined: &[Value],
        given: &[(String, Input)],
    ) -> Result<Vec<Value>, Refused> {
        let known = |name: &str| defined.iter().any(|option| option["name"] == name);
        if let Some((name, _)) = given.iter().find(|(name, _)| !known(name)) {
            return Err(Refused::new(format!("the command has no option `{name}`")));
        }
        let mut filled = Vec::new();
        for option in defined {
            let name = option["name"].as_str().unwrap_or_default();
            let input = given
                .iter()
                .rev()
                .find(|(given, _)| given == name)
                .map(|(_, input)| input);
            if let Some((_, partial)) = self.focus.filter(|(focus, _)| *focus == name) {
                filled.push(json!({ "name": name, "type": option["type"], "value": partial, "focused": true }));
            } else if let Some(input) = input {
                let value = self
                    .convert(option, input)
                    .map_err(|refused| Refused(format!("{name}: {refused}")))?;
                filled.push(json!({ "name": name, "type": option["type"], "value": value }));
            } else if option["required"] == true && self.focus.is_none() {
                return Err(Refused::new(format!("`{name}` is required")));
            }
        }
        Ok(filled)
    }

    fn convert(&mut self, option: &Value, input: &Input) -> Result<Value, Refused> {
        match option["type"].as_u64() {
            Some(3) => text(option, input),
            Some(4) => integer(option, input),
            Some(5) => boolean(input),
            Some(6) => self.named(Target::User, input),
            Some(7) => self.named(Target::Channel, input),
            Some(8) => self.named(Target::Role, input),
            Some(9) => self.named(Target::Mentionable, input),
            Some(10) => number(option, input),
            Some(11) => self.upload(input),
            _ => Err(Refused::new("localcord does not know this type of option")),
        }
    }

    fn named(&mut self, target: Target, input: &Input) -> Result<Value, Refused> {
        let Input::Text(name) = input else {
            return Err(Refused::new("a name or an id is needed"));
        };
        self.resolver.find(target, name).map(|id| json!(id))
    }

    fn upload(&mut self, input: &Input) -> Result<Value, Refused> {
        let Input::File { name, bytes } = input else {
            return Err(Refused::new("a file is needed"));
        };
        let upload = Upload {
            number: 0,
            name: name.clone(),
            content_type: None,
            bytes: bytes.clone(),
        };
        let id = self.state.next_id(self.discord.now());
        let (file, attachment) = attached(self.discord, (self.channel, id), &upload);
        self.uploads.push((id, file));
        self.resolver.add("attachments", id, attachment);
        Ok(json!(id))
    }
}

fn text(option: &Value, input: &Input) -> Result<Value, Refused> {
    let text = match input {
        Input::Text(text) => text.clone(),
        Input::Integer(number) => number.to_string(),
        Input::Number(number) => number.to_string(),
        Input::Boolean(value) => value.to_string(),
        Input::File { .. } => return Err(Refused::new("text is needed")),
    };
    let count = text.chars().count() as u64;
    let (min, max) = (
        option["min_length"].as_u64().unwrap_or(0),
        option["max_length"].as_u64().unwrap_or(6000),
    );
    if !(min..=max).contains(&count) {
        return Err(Refused::new(format!(
            "must be {min} to {max} characters long"
        )));
    }
    choice(option, &text, json!(text))
}

fn integer(option: &Value, input: &Input) -> Result<Value, Refused> {
    if let (Input::Text(text), false) = (input, list(&option["choices"]).is_empty()) {
        return choice(option, text, Value::Null);
    }
    let number = match input {
        Input::Integer(number) => Some(*number),
        Input::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    let number = number.filter(|number| (-LARGEST..=LARGEST).contains(number));
    let number = number.ok_or_else(|| Refused::new("a whole number is needed"))?;
    in_range(option, number.to_string().parse().unwrap_or_default())?;
    choice(option, &number.to_string(), json!(number))
}

fn number(option: &Value, input: &Input) -> Result<Value, Refused> {
    let number: Option<f64> = match input {
        Input::Number(number) => Some(*number),
        Input::Integer(number) => number.to_string().parse().ok(),
        Input::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    let number = number
        .filter(|number| number.is_finite())
        .ok_or_else(|| Refused::new("a number is needed"))?;
    in_range(option, number)?;
    choice(option, &number.to_string(), json!(number))
}

fn in_range(option: &Value, number: f64) -> Result<(), Refused> {
    let min = option["min_value"].as_f64().unwrap_or(f64::MIN);
    let max = option["max_value"].as_f64().unwrap_or(f64::MAX);
    if (min..=max).contains(&number) {
        return Ok(());
    }
    let limits = (&option["min_value"], &option["max_value"]);
    Err(Refused::new(format!(
        "must be between {} and {}",
        limits.0, limits.1
    )))
}

fn boolean(input: &Input) -> Result<Value, Refused> {
    match input {
        Input::Boolean(value) => Ok(json!(value)),
        Input::Text(text) if text.eq_ignore_ascii_case("true") => Ok(json!(true)),
        Input::Text(text) if text.eq_ignore_ascii_case("false") => Ok(json!(false)),
        _ => Err(Refused::new("true or false is needed")),
    }
}

/// Where an option has choices, only one of them will do: by its name or its value.
fn choice(option: &Value, typed: &str, value: Value) -> Result<Value, Refused> {
    let choices = list(&option["choices"]);
    if choices.is_empty() {
        return Ok(value);
    }
    let meant = |choice: &&Value| {
        choice["name"] == typed || choice["value"] == value || choice["value"] == typed
    };
    if let Some(choice) = choices.iter().find(meant) {
        return Ok(choice["value"].clone());
    }
    let names: Vec<&str> = choices
        .iter()
        .filter_map(|choice| choice["name"].as_str())
        .collect();
    Err(Refused::new(format!("must be one of {}", names.join(", "))))
}
