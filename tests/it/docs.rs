//! The documents tell what people really find.

use std::{collections::BTreeMap, fs, path::Path};

use yardarm::discord::commands;

/// `fleet add` → its options in order, those that must be given with a `*`.
type Commands = BTreeMap<String, Vec<String>>;

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

fn registered() -> Commands {
    let mut found = Commands::new();
    for command in commands::all() {
        for leaf in &command.subcommands {
            found.insert(format!("{} {}", command.name, leaf.name), options(leaf));
        }
        if command.subcommands.is_empty() {
            found.insert(command.name.to_string(), options(&command));
        }
    }
    found
}

fn options<Bot, Error>(command: &poise::Command<Bot, Error>) -> Vec<String> {
    let named = |option: &poise::CommandParameter<Bot, Error>| {
        format!("{}{}", option.name, if option.required { "*" } else { "" })
    };
    command.parameters.iter().map(named).collect()
}

fn described() -> Commands {
    let mut found = Commands::new();
    let mut command = String::new();
    for line in read("docs/commands.md").lines() {
        if let Some(name) = line.strip_prefix("### /") {
            name.clone_into(&mut command);
            found.insert(command.clone(), Vec::new());
        } else if let Some((option, meaning)) = line
            .strip_prefix("| `")
            .and_then(|row| row.split_once("` | "))
        {
            let star = if meaning.starts_with("required") {
                "*"
            } else {
                ""
            };
            let options = found
                .get_mut(&command)
                .expect("a heading before the options");
            options.push(format!("{option}{star}"));
        }
    }
    found
}

#[test]
fn every_command_is_described_with_its_options() {
    assert_eq!(described(), registered());
}

#[test]
fn the_readme_lists_every_command() {
    let readme = read("README.md");
    for command in commands::all() {
        let name = format!("`/{}`", command.name);
        assert!(readme.contains(&name), "README.md lacks {name}");
    }
}

#[test]
fn links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in [
        "README.md",
        "CHANGELOG.md",
        "docs/architecture.md",
        "docs/commands.md",
        "docs/operations.md",
        "docs/security.md",
        "docs/testing.md",
    ] {
        let text = read(file);
        let targets = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'));
        for (target, _) in targets.filter(|(target, _)| !target.starts_with("http")) {
            let page = target.split('#').next().unwrap();
            let path = root.join(file).parent().unwrap().join(page);
            // The picture of the page is taken from a running one.
            assert!(
                path.exists() || target == "docs/page.png",
                "{file} leads to {target}"
            );
        }
    }
}
