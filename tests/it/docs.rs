//! The documents tell what people really find.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use yardarm::{
    discord::commands,
    domain::{agent::Name, finding::Topic, template::Template},
};

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

/// The README and all of docs/.
pub(crate) fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = fs::read_dir(root.join("docs")).unwrap();
    let pages = pages.map(|page| page.unwrap().path());
    let pages = pages.filter(|path| path.extension().is_some_and(|end| end == "md"));
    std::iter::once(root.join("README.md"))
        .chain(pages)
        .collect()
}

#[test]
fn links_lead_somewhere() {
    for file in documents() {
        let text = fs::read_to_string(&file).unwrap();
        let targets = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split_once(')'));
        for (target, _) in targets.filter(|(target, _)| !target.starts_with("http")) {
            let page = target.split('#').next().unwrap();
            let leads = page.is_empty() || file.with_file_name(page).exists();
            assert!(leads, "{} leads to {target}", file.display());
        }
    }
}

#[test]
fn each_finding_of_doctor_has_its_section() {
    let page = read("docs/troubleshooting.md");
    let mut sections: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    sections.sort_unstable();
    let mut topics = Topic::ALL.map(Topic::as_str);
    topics.sort_unstable();
    assert_eq!(sections, topics);
}

#[test]
fn the_template_of_the_page_is_a_good_one() {
    let page = read("docs/templates.md");
    let json = page
        .split("```json\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let name = Name::parse("librarian").unwrap();
    Template::parse(name, json).unwrap();
}
