//! Templates from files: `configs/agents/demo.json` is the template `demo`.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    path::{Path, PathBuf},
};

use super::error::{ConfigError, Located};
use crate::domain::{agent::Name, problem::Problem, template::Template};

/// Every `*.json` in `folder`. What is wrong in any of them is told at once.
pub fn load(folder: &Path) -> Result<BTreeMap<Name, Template>, ConfigError> {
    let mut templates = BTreeMap::new();
    let mut wrong = Vec::new();
    let files = json_files(folder).map_err(|error| {
        let message = format!("cannot be read: {error}");
        let hint = "name a readable folder by `agents.templates`";
        ConfigError(vec![at(folder, Problem::new("the folder", message, hint))])
    })?;
    for file in files {
        match read(&file) {
            Ok(template) => {
                templates.insert(template.name.clone(), template);
            }
            Err(problems) => {
                wrong.extend(problems.into_iter().map(|problem| at(&file, problem)));
            }
        }
    }
    if wrong.is_empty() {
        Ok(templates)
    } else {
        Err(ConfigError(wrong))
    }
}

pub(super) fn json_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension() == Some(OsStr::new("json")) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(file: &Path) -> Result<Template, Vec<Problem>> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let name = Name::parse(&stem).map_err(|error| {
        let hint = "rename the file: templates are called as their files are";
        vec![Problem::new("the file's name", error.to_string(), hint)]
    })?;
    let json = std::fs::read_to_string(file).map_err(|error| {
        let message = format!("cannot be read: {error}");
        let hint = "make it a readable text file, or give it another ending than `.json`";
        vec![Problem::new("the file", message, hint)]
    })?;
    Template::parse(name, &json)
}

fn at(path: &Path, problem: Problem) -> Located {
    Located {
        place: path.display().to_string(),
        problem,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::spec::Allow;

    fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("a file");
        }
        folder
    }

    fn said(folder: &Path) -> String {
        let error = load(folder).expect_err("something is wrong");
        error
            .to_string()
            .replace(&folder.display().to_string(), "agents")
    }

    fn repository(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
    }

    fn shipped() -> BTreeMap<Name, Template> {
        load(&repository("configs/agents")).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_template_is_called_as_its_file() {
        let folder = folder_with(&[
            ("one.json", r#"{ "description": "d", "image": "i" }"#),
            ("two.json", r#"{ "description": "d", "image": "i" }"#),
            ("notes.md", "no template"),
        ]);
        let templates = load(folder.path()).expect("good templates");
        let names: Vec<&str> = templates.keys().map(Name::as_str).collect();
        assert_eq!(names, ["one", "two"]);
    }

    #[test]
    fn all_bad_files_are_told_at_once() {
        let folder = folder_with(&[
            ("Big.json", "{}"),
            (
                "bad.json",
                r#"{ "description": "d", "image": "a b", "user": "" }"#,
            ),
            ("good.json", r#"{ "description": "d", "image": "i" }"#),
            (
                "shape.json",
                r#"{ "description": "d", "image": "i", "ports": [{ "port": 80 }] }"#,
            ),
            ("syntax.json", "{,}"),
        ]);
        insta::assert_snapshot!(said(folder.path()), @r"
        agents/Big.json: the file's name: `Big` is no name: use 1 to 32 of a–z, 0–9, `-` and `_`, beginning with a letter or a digit
        hint: rename the file: templates are called as their files are
        agents/bad.json: image: `a b` is no image reference
        hint: use `repository:tag`, with no spaces and a repository in lower case
        agents/bad.json: user: `` does not fit
        hint: use `uid:gid`, such as `65534:65534`
        agents/shape.json: ports[0].port: unknown key `port`
        hint: use one of `container`, `host`, `protocol`, `address`
        agents/syntax.json: line 1 column 2: no JSON: key must be a string
        hint: mend the syntax
        ");
    }

    #[test]
    fn a_folder_that_is_not_there_is_told() {
        let folder = folder_with(&[]);
        insta::assert_snapshot!(said(&folder.path().join("gone")), @r"
        agents: the folder: cannot be read: No such file or directory (os error 2)
        hint: name a readable folder by `agents.templates`
        ");
    }

    #[test]
    fn the_shipped_templates_resolve_without_any_privilege() {
        for (name, template) in shipped() {
            let missing = template.missing(&BTreeMap::new());
            let given = missing
                .iter()
                .map(|missing| (missing.name.clone(), "x".to_owned()));
            let spec = template.resolve(&given.collect());
            let spec = spec.unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
            assert_eq!(Allow::default().refusals(&spec), [""; 0], "{name}");
        }
    }

    #[test]
    fn the_shipped_templates_name_their_schema_and_how_their_image_is_made() {
        let makefile = std::fs::read_to_string(repository("Makefile")).unwrap();
        for (name, template) in shipped() {
            let schema = template.body.schema.as_deref();
            assert_eq!(schema, Some("../schema/agent-template.json"), "{name}");
            let Some(build) = &template.body.build else {
                continue;
            };
            let is_there = match build.split(' ').collect::<Vec<_>>().as_slice() {
                ["docker", "build", "-t", image, folder] => {
                    *image == template.body.image && repository(folder).join("Dockerfile").is_file()
                }
                ["make", target] => makefile.contains(&format!("\n{target}: ")),
                _ => false,
            };
            assert!(is_there, "{name}: {build}");
        }
    }

    #[test]
    fn env_example_lists_every_secret_and_nothing_else() {
        let prefix = crate::config::Agents::default().secrets_env_prefix;
        let of_agents = shipped()
            .into_values()
            .flat_map(|template| template.body.secrets);
        let mut read: BTreeSet<String> = of_agents
            .map(|secret| format!("{prefix}{}", secret.name))
            .collect();
        let ours = [
            "DISCORD_TOKEN",
            "YARDARM_BACKUP_PASSPHRASE",
            "YARDARM_VAULT_KEY",
        ];
        read.extend(ours.map(str::to_owned));

        let text = std::fs::read_to_string(repository(".env.example")).expect(".env.example");
        let listed = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty());
        let listed: BTreeSet<String> = listed
            .map(|line| {
                line.strip_suffix('=')
                    .expect("no value is shipped")
                    .to_owned()
            })
            .collect();
        assert_eq!(listed, read);
    }
}
