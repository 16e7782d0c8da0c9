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

fn json_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
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
