//! Something a person wrote that cannot be used, said so that they can mend it.

use std::ops::RangeInclusive;

use super::nearest::did_you_mean;

/// What is wrong at one place, and what is allowed there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {message}\nhint: {hint}")]
pub struct Problem {
    /// A key, a JSON path or the name of a parameter.
    pub at: String,
    pub message: String,
    pub hint: String,
}

/// As much of a wrong value as is worth repeating, in characters.
const SHOWN_MAX: usize = 60;

impl Problem {
    pub fn new(at: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            at: at.into(),
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// From serde's error about the value at `at`.
    ///
    /// serde puts the unknown word first and those it knows after it, all in backticks.
    pub fn from_serde(at: impl Into<String>, error: &str) -> Self {
        let words: Vec<&str> = error.split('`').skip(1).step_by(2).collect();
        if let [unknown, known @ ..] = words.as_slice()
            && (error.starts_with("unknown field") || error.starts_with("unknown variant"))
        {
            let kind = if error.starts_with("unknown field") {
                "key"
            } else {
                "value"
            };
            return Self::new(
                at,
                format!("unknown {kind} {}", shown(unknown)),
                did_you_mean(unknown, known),
            );
        }
        if let (Some(key), true) = (words.first(), error.starts_with("missing field")) {
            return Self::new(at, format!("`{key}` is missing"), format!("add `{key}`"));
        }
        if let Some((message, expected)) = error.split_once(", expected ") {
            return Self::new(at, message, format!("expected {}", in_words(expected)));
        }
        match error.split_once(": use ") {
            Some((message, advice)) => Self::new(at, message, format!("use {advice}")),
            None => Self::new(at, error, "see the comments and the schema in `configs`"),
        }
    }

    /// `value` is outside of `allowed`.
    pub fn out_of_range<T: std::fmt::Display>(
        at: impl Into<String>,
        value: impl std::fmt::Display,
        allowed: &RangeInclusive<T>,
    ) -> Self {
        Self::new(
            at,
            format!("`{value}` is out of range"),
            format!("use {} to {}", allowed.start(), allowed.end()),
        )
    }
}

/// serde calls a number by the type it is kept in.
fn in_words(expected: &str) -> &str {
    match expected {
        "u16" | "u32" | "u64" => "a whole number, not below 0",
        "i64" => "a whole number",
        "f64" => "a number",
        other => other,
    }
}

/// A wrong value as it may be repeated to people: cut, on one line, in backticks.
pub fn shown(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(SHOWN_MAX)
        .map(|c| {
            if c.is_control() || c == '`' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect();
    if text.chars().nth(SHOWN_MAX).is_some() {
        short.push('…');
    }
    format!("`{short}`")
}

/// Advice as a sentence of its own.
pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serde_errors_become_advice() {
        let said = |error| Problem::from_serde("docker", error).to_string();
        assert_eq!(
            said("unknown field `paralel`, expected one of `host`, `parallel`"),
            "docker: unknown key `paralel`\nhint: did you mean `parallel`?"
        );
        assert_eq!(
            said("unknown variant `xml`, expected `text` or `json`"),
            "docker: unknown value `xml`\nhint: use one of `text`, `json`"
        );
        assert_eq!(
            said("missing field `guild`"),
            "docker: `guild` is missing\nhint: add `guild`"
        );
        assert_eq!(
            said("invalid type: string \"x\", expected u32"),
            "docker: invalid type: string \"x\"\nhint: expected a whole number, not below 0"
        );
        assert_eq!(
            said("`Main` is no name: use a–z"),
            "docker: `Main` is no name\nhint: use a–z"
        );
    }

    #[test]
    fn a_shown_value_is_short_and_on_one_line() {
        assert_eq!(shown("a`b\nc"), "`a\u{fffd}b\u{fffd}c`");
        assert_eq!(shown(&"x".repeat(61)), format!("`{}…`", "x".repeat(60)));
    }

    #[test]
    fn advice_becomes_a_sentence() {
        assert_eq!(capitalised("über die Kante"), "Über die Kante");
        assert_eq!(capitalised(""), "");
    }

    #[test]
    fn a_number_that_is_expected_is_called_one() {
        let said = |error| Problem::from_serde("at", error).hint;
        assert_eq!(
            said("invalid type: null, expected i64"),
            "expected a whole number"
        );
        assert_eq!(
            said("invalid type: null, expected f64"),
            "expected a number"
        );
        assert_eq!(said("invalid type: null, expected a map"), "expected a map");
        assert_eq!(
            said("recursion limit"),
            "see the comments and the schema in `configs`"
        );
    }
}
