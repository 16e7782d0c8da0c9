//! All commands, a line each.

use super::Rendered;

pub fn list<'a>(commands: impl Iterator<Item = (&'a str, &'a str)>) -> Rendered {
    let mut lines = vec!["**Yardarm** runs this server's agents.".to_owned()];
    lines.extend(commands.map(|(name, description)| format!("`/{name}` {}", brief(description))));
    lines.push("Where a name is asked, a pattern such as `scout-*` or a fleet will do. Start typing: names complete.".to_owned());
    Rendered::text(lines.join("\n"))
}

/// What stands before the first pause: all commands have to fit into one message, and Discord shows the rest.
fn brief(description: &str) -> &str {
    description
        .split([';', ':', ','])
        .next()
        .unwrap_or(description)
}
