//! What the fields of a body may hold, before anything looks at how much it is.

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
}

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
        let whole = value.is_i64() || value.is_u64();
        match self {
            Self::Text => value.is_string(),
            Self::Whole => whole,
            Self::Number => value.is_number(),
            Self::Truth => value.is_boolean(),
            Self::Object => value.is_object(),
            Self::List => value.is_array(),
            Self::Snowflake => Id::read(value).is_some(),
            Self::TextOrWhole => value.is_string() || whole,
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
