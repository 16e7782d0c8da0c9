//! What the fields of a body may hold, before anything looks at how much it is.

use std::collections::HashSet;

use serde_json::Value;

use crate::{ids::Id, rest::Form};

/// `null` is as good as absence everywhere.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Text,
    /// A number without a fraction.
    Whole,
    Number,
    Truth,
    Object,
    List,
    Snowflake,
    TextOrWhole,
    /// A whole number from one to the other.
    Within(i64, i64),
    /// Text of so many characters at most.
    UpTo(usize),
    /// Some of these numbers, none of them twice.
    Numbers(&'static [u64]),
    /// A bit set, as a number or as decimal text.
    Permissions,
    /// A translation of so many characters at most for each language.
    Translations(usize),
    /// What localcord does not have: an empty list at most.
    Nothing,
    /// A custom emoji by its id, or another by its character.
    Emoji,
}

/// What is said of a part of Discord that localcord leaves out.
pub(super) const NOT_HERE: (&str, &str) = (
    "LOCALCORD_DOES_NOT",
    "localcord does not have this, see its README",
);
/// Beyond them Discord defines no permission.
const LAST_PERMISSIONS: u64 = (1 << 54) - 1;
const LANGUAGES: usize = 34;
const EMOJI_NAME: usize = 32;

/// Refuses each field that holds something else.
pub(super) fn check(form: &mut Form, path: &str, body: &Value, fields: &[(&str, Kind)]) {
    for (name, kind) in fields {
        let value = &body[*name];
        if !value.is_null() && !kind.fits(value) {
            let place = match path {
                "" => (*name).to_owned(),
                path => format!("{path}.{name}"),
            };
            let (code, message) = kind.refusal(value);
            form.refuse(&place, code, message);
        }
    }
}

impl Kind {
    fn fits(self, value: &Value) -> bool {
        let whole = value.is_u64() || whole_number(value).is_some();
        match self {
            Self::Text => value.is_string(),
            Self::Whole => whole,
            Self::Number => value.is_number(),
            Self::Truth => value.is_boolean(),
            Self::Object => value.is_object(),
            Self::List => value.is_array(),
            Self::Snowflake => Id::read(value).is_some(),
            Self::TextOrWhole => value.is_string() || value.is_i64(),
            Self::Within(first, last) => {
                whole_number(value).is_some_and(|n| (first..=last).contains(&n))
            }
            Self::UpTo(longest) => fits_in(value, longest),
            Self::Numbers(known) => are_of(value, known),
            Self::Permissions => permissions(value).is_some_and(|bits| bits <= LAST_PERMISSIONS),
            Self::Translations(longest) => value.as_object().is_some_and(|texts| {
                let fits = |text: &Value| !is_empty(text) && fits_in(text, longest);
                texts.len() <= LANGUAGES && texts.values().all(fits)
            }),
            Self::Nothing => value.as_array().is_some_and(Vec::is_empty),
            Self::Emoji => {
                let id = &value["id"];
                fits_in(&value["name"], EMOJI_NAME) && (id.is_null() || Id::read(id).is_some())
            }
        }
    }

    /// Discord's code and its words.
    fn refusal(self, value: &Value) -> (&'static str, String) {
        let shown = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match self {
            Self::Text | Self::TextOrWhole => (
                "STRING_TYPE_CONVERT",
                format!("Could not interpret \"{shown}\" as string."),
            ),
            Self::Whole => (
                "NUMBER_TYPE_COERCE",
                format!("Value \"{shown}\" is not int."),
            ),
            Self::Number => (
                "NUMBER_TYPE_COERCE",
                format!("Value \"{shown}\" is not float."),
            ),
            Self::Snowflake => (
                "NUMBER_TYPE_COERCE",
                format!("Value \"{shown}\" is not snowflake."),
            ),
            Self::Truth => (
                "BOOLEAN_TYPE_CONVERT",
                "Must be either true or false.".to_owned(),
            ),
            Self::Within(first, last) => (
                "NUMBER_TYPE_MAX",
                format!("int value should be between {first} and {last}."),
            ),
            Self::UpTo(longest) => (
                "BASE_TYPE_MAX_LENGTH",
                format!("Must be text of {longest} or fewer in length."),
            ),
            Self::Numbers(known) => (
                "BASE_TYPE_CHOICES",
                format!("Values must be some of {known:?}, each once."),
            ),
            Self::Permissions => (
                "BITFIELD_TYPE_CONVERT",
                format!("Value \"{shown}\" is not a set of permissions."),
            ),
            Self::Translations(longest) => (
                "BASE_TYPE_BAD_LENGTH",
                format!("Translations must be between 1 and {longest} in length."),
            ),
            Self::Nothing => (NOT_HERE.0, NOT_HERE.1.to_owned()),
            Self::Emoji => ("BUTTON_COMPONENT_INVALID_EMOJI", "Invalid emoji".to_owned()),
            Self::Object => (
                "DICT_TYPE_CONVERT",
                "Only dictionaries may be used in a DictType".to_owned(),
            ),
            Self::List => (
                "LIST_TYPE_CONVERT",
                "Only iterables may be used in a ListType".to_owned(),
            ),
        }
    }
}

fn fits_in(value: &Value, longest: usize) -> bool {
    value
        .as_str()
        .is_some_and(|text| text.chars().count() <= longest)
}

fn is_empty(value: &Value) -> bool {
    value.as_str() == Some("")
}

fn are_of(value: &Value, known: &[u64]) -> bool {
    let Some(entries) = value.as_array() else {
        return false;
    };
    let mut seen = HashSet::new();
    entries.iter().all(|entry| {
        entry
            .as_u64()
            .is_some_and(|number| known.contains(&number) && seen.insert(number))
    })
}

fn permissions(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.parse().ok(),
        number => number.as_u64(),
    }
}

/// Some libraries write whole numbers as `1.0`.
fn whole_number(value: &Value) -> Option<i64> {
    let fraction = || value.as_f64().filter(|number| number.fract() == 0.0);
    value
        .as_i64()
        .or_else(|| format!("{:.0}", fraction()?).parse().ok())
}
