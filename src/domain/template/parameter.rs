//! What a template asks for, and what of an answer is accepted.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{
    nearest::did_you_mean,
    problem::{Problem, shown},
};

/// The longest argument, in characters: Discord's text inputs hold no more.
pub const ARGUMENT_MAX: usize = 4000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Lower-case letters, digits and `_`.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{0,31}$"))]
    pub name: String,
    #[serde(rename = "type")]
    pub kind: ParameterKind,
    /// Discord shows at most 100 characters.
    #[schemars(length(min = 1, max = 100))]
    pub description: String,
    #[serde(default)]
    pub required: bool,
    /// Taken if nothing is given; then nobody is asked, required or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Argument>,
    /// Only with type `choice`; Discord's selects hold 25.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 25))]
    pub choices: Vec<String>,
    /// Only with type `integer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// Only with type `integer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ParameterKind {
    String,
    Integer,
    Boolean,
    Choice,
}

impl ParameterKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Choice => "choice",
        }
    }
}

/// A value of a parameter's type; choices are strings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a string, an integer or a boolean")]
pub enum Argument {
    Boolean(bool),
    Integer(i64),
    String(String),
}

impl fmt::Display for Argument {
    /// As it stands in the place of its placeholder.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::String(value) => value.fmt(f),
        }
    }
}

impl Parameter {
    /// What a person typed, as a value of this parameter's type.
    pub fn parse(&self, text: &str) -> Result<Argument, Problem> {
        let refuse = |hint: String| Problem::new(&self.name, unfit(text), hint);
        if text.contains('\0') {
            return Err(refuse("leave out the NUL character".to_owned()));
        }
        if text.chars().nth(ARGUMENT_MAX).is_some() {
            return Err(refuse(format!("use at most {ARGUMENT_MAX} characters")));
        }
        let argument = match self.kind {
            ParameterKind::String | ParameterKind::Choice => Argument::String(text.to_owned()),
            ParameterKind::Integer => Argument::Integer(
                text.trim()
                    .parse()
                    .map_err(|_| refuse(format!("use {}", self.allowed())))?,
            ),
            ParameterKind::Boolean => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Argument::Boolean(true),
                "false" | "no" | "off" => Argument::Boolean(false),
                _ => return Err(refuse(format!("use {}", self.allowed()))),
            },
        };
        self.accept(argument)
    }

    /// `argument`, if it has this parameter's type and is within its bounds.
    pub(super) fn accept(&self, argument: Argument) -> Result<Argument, Problem> {
        let fits = match (self.kind, &argument) {
            (ParameterKind::String, Argument::String(_))
            | (ParameterKind::Boolean, Argument::Boolean(_)) => true,
            (ParameterKind::Integer, Argument::Integer(value)) => {
                self.min.is_none_or(|min| min <= *value) && self.max.is_none_or(|max| *value <= max)
            }
            (ParameterKind::Choice, Argument::String(value)) => self.choices.contains(value),
            _ => false,
        };
        if fits {
            return Ok(argument);
        }
        let text = argument.to_string();
        let hint = match self.kind {
            ParameterKind::Choice => did_you_mean(&text, &self.choices),
            _ => format!("use {}", self.allowed()),
        };
        Err(Problem::new(&self.name, unfit(&text), hint))
    }

    /// What may be given, in words: `an integer from 1 to 3600`.
    pub fn allowed(&self) -> String {
        match (self.kind, self.min, self.max) {
            (ParameterKind::String, ..) => "a text".to_owned(),
            (ParameterKind::Boolean, ..) => "`true` or `false`".to_owned(),
            (ParameterKind::Choice, ..) => {
                let choices: Vec<String> = self.choices.iter().map(|text| shown(text)).collect();
                format!("one of {}", choices.join(", "))
            }
            (ParameterKind::Integer, None, None) => "an integer".to_owned(),
            (ParameterKind::Integer, Some(min), None) => format!("an integer of at least {min}"),
            (ParameterKind::Integer, None, Some(max)) => format!("an integer of at most {max}"),
            (ParameterKind::Integer, Some(min), Some(max)) => {
                format!("an integer from {min} to {max}")
            }
        }
    }
}

fn unfit(text: &str) -> String {
    format!("{} does not fit", shown(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(kind: ParameterKind) -> Parameter {
        Parameter {
            name: "it".to_owned(),
            kind,
            description: "a parameter".to_owned(),
            required: false,
            default: None,
            choices: Vec::new(),
            min: None,
            max: None,
        }
    }

    #[test]
    fn integers_keep_their_bounds() {
        let interval = Parameter {
            min: Some(1),
            max: Some(3600),
            ..parameter(ParameterKind::Integer)
        };
        assert_eq!(interval.parse(" 60 "), Ok(Argument::Integer(60)));
        for text in ["0", "3601", "5.5", "", "99999999999999999999"] {
            assert_eq!(
                interval.parse(text).unwrap_err().to_string(),
                format!("it: `{text}` does not fit\nhint: use an integer from 1 to 3600")
            );
        }
    }

    #[test]
    fn booleans_are_what_people_type() {
        let switch = parameter(ParameterKind::Boolean);
        assert_eq!(switch.parse("Yes"), Ok(Argument::Boolean(true)));
        assert_eq!(switch.parse("off"), Ok(Argument::Boolean(false)));
        assert_eq!(
            switch.parse("maybe").unwrap_err().hint,
            "use `true` or `false`"
        );
    }

    #[test]
    fn choices_are_exact_and_a_slip_gets_the_nearest() {
        let model = Parameter {
            choices: vec!["opus".to_owned(), "sonnet".to_owned()],
            ..parameter(ParameterKind::Choice)
        };
        assert_eq!(model.parse("opus"), Ok(Argument::String("opus".to_owned())));
        assert_eq!(
            model.parse("sonet").unwrap_err().hint,
            "did you mean `sonnet`?"
        );
        assert_eq!(
            model.parse("x").unwrap_err().hint,
            "use one of `opus`, `sonnet`"
        );
    }

    #[test]
    fn texts_are_bounded() {
        let text = parameter(ParameterKind::String);
        assert!(text.parse(&"ü".repeat(ARGUMENT_MAX)).is_ok());
        assert_eq!(
            text.parse(&"ü".repeat(ARGUMENT_MAX + 1)).unwrap_err().hint,
            "use at most 4000 characters"
        );
        assert!(text.parse("a\0b").is_err());
    }

    #[test]
    fn what_may_be_given_is_told_in_words() {
        let integer = |min, max| {
            let integer = Parameter {
                min,
                max,
                ..parameter(ParameterKind::Integer)
            };
            integer.allowed()
        };
        assert_eq!(integer(None, None), "an integer");
        assert_eq!(integer(Some(1), None), "an integer of at least 1");
        assert_eq!(integer(None, Some(9)), "an integer of at most 9");
        assert_eq!(integer(Some(1), Some(9)), "an integer from 1 to 9");
        let choice = Parameter {
            choices: vec!["calm".to_owned(), "busy".to_owned()],
            ..parameter(ParameterKind::Choice)
        };
        assert_eq!(choice.allowed(), "one of `calm`, `busy`");
    }
}
