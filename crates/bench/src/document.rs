//! The document that keeps the last whole run.

use std::path::Path;

use anyhow::{Context as _, Result};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/performance.md");
/// What stands between them is written by us.
const BEGIN: &str = "<!-- figures -->\n";
const END: &str = "<!-- end of figures -->";

/// Puts a run in the place of the last one.
pub(crate) fn keep(run: &str) -> Result<()> {
    let path = Path::new(FILE);
    let text = std::fs::read_to_string(path)?;
    let text = with(&text, run).context("docs/performance.md has no place for figures")?;
    Ok(std::fs::write(path, text)?)
}

fn with(text: &str, run: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    let run = run.trim_end();
    Some(format!("{before}{BEGIN}```text\n{run}\n```\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_takes_the_place_of_the_last_one() {
        let text = format!("# Figures\n{BEGIN}old\n{END}\nWhy\n");
        let new = with(&text, "ack 1\n").unwrap();
        assert_eq!(
            new,
            format!("# Figures\n{BEGIN}```text\nack 1\n```\n{END}\nWhy\n")
        );
        assert_eq!(with(&new, "ack 1").as_ref(), Some(&new));
        assert_eq!(with("# Figures", "ack 1"), None);
    }
}
