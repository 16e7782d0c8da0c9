//! All commands, a line each.

use super::Rendered;

pub fn list<'a>(commands: impl Iterator<Item = (&'a str, &'a str)>) -> Rendered {
    let mut lines = vec!["**Yardarm** runs this server's agents.".to_owned()];
    lines.extend(commands.map(|(name, description)| format!("`/{name}` {description}")));
    lines.push("Where a name is asked, a pattern such as `scout-*` or a fleet will do. Start typing: names complete.".to_owned());
    Rendered::text(lines.join("\n"))
}
