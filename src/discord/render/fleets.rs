//! Fleets and who is in them.

use super::{Rendered, text::clip};
use crate::domain::{agent::Name, fleet::Fleet};

/// Room for the names of one fleet's agents.
const NAMES_MAX: usize = 300;

pub fn list(fleets: &[(Fleet, Vec<Name>)]) -> Rendered {
    if fleets.is_empty() {
        return Rendered::text(
            "There is no fleet that you may see. `/grant list` shows what you were granted; an owner can grant more: `/grant add`.",
        );
    }
    let lines: Vec<String> = fleets
        .iter()
        .map(|(fleet, agents)| line(fleet, agents))
        .collect();
    Rendered::text(lines.join("\n"))
}

fn line(fleet: &Fleet, agents: &[Name]) -> String {
    let names: Vec<&str> = agents.iter().map(Name::as_str).collect();
    let who = if names.is_empty() {
        "nobody".to_owned()
    } else {
        clip(&names.join(", "), NAMES_MAX)
    };
    let channel = fleet
        .channel
        .map_or_else(String::new, |channel| format!(" · <#{channel}>"));
    format!("**{}** ({}){channel}: {who}", fleet.name, agents.len())
}
