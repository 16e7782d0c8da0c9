use std::collections::HashSet;

use serde_json::Value;

use super::shape::{self, Kind};
use crate::{ids::Id, objects::list, rest::Form};

const NAMED: usize = 100;
const PLACE: &str = "allowed_mentions";

/// Either all of a kind are mentioned, or those that are named.
pub(super) fn check(form: &mut Form, allowed: &Value) {
    let fields = [
        ("parse", Kind::List),
        ("users", Kind::List),
        ("roles", Kind::List),
        ("replied_user", Kind::Truth),
    ];
    shape::check(form, PLACE, allowed, &fields);
    let parsed = list(&allowed["parse"]);
    for name in ["parse", "users", "roles"] {
        let mut seen = HashSet::new();
        if !list(&allowed[name])
            .iter()
            .all(|entry| seen.insert(entry.to_string()))
        {
            let message = "This value is already contained in the set";
            form.refuse(
                &format!("{PLACE}.{name}"),
                "SET_TYPE_ALREADY_CONTAINS_VALUE",
                message,
            );
        }
    }
    for (index, kind) in parsed.iter().enumerate() {
        if !matches!(kind.as_str(), Some("users" | "roles" | "everyone")) {
            form.choice(
                &format!("{PLACE}.parse.{index}"),
                "'everyone', 'roles', 'users'",
            );
        }
    }
    for kind in ["users", "roles"] {
        let named = list(&allowed[kind]);
        form.count(&format!("{PLACE}.{kind}"), named.len(), 0, NAMED);
        for (index, id) in named.iter().enumerate() {
            if Id::read(id).is_none() {
                let message = format!("Value {id} is not snowflake.");
                form.refuse(
                    &format!("{PLACE}.{kind}.{index}"),
                    "NUMBER_TYPE_COERCE",
                    message,
                );
            }
        }
        if !named.is_empty() && parsed.iter().any(|parsed| parsed == kind) {
            let message =
                format!("parse:[\"{kind}\"] and {kind}: [ids...] are mutually exclusive.");
            form.refuse(PLACE, "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message);
        }
    }
}
