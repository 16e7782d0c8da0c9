//! Template and arguments make a spec.

use std::{collections::BTreeMap, fmt::Display, ops::RangeInclusive, str::FromStr};

use super::{
    CPUS, Form, LIMIT_NAMES, MEMORY_MB, PIDS, Parameter, Template,
    checks::is_image_reference,
    placeholders::{Piece, pieces},
};
use crate::domain::{
    nearest::did_you_mean,
    problem::{Problem, shown},
    spec::{Limits, Spec},
};

impl Template {
    /// The parameters somebody must still be asked for.
    pub fn missing(&self, given: &BTreeMap<String, String>) -> Vec<&Parameter> {
        self.body
            .parameters
            .iter()
            .filter(|parameter| parameter.required && parameter.default.is_none())
            .filter(|parameter| !given.contains_key(&parameter.name))
            .collect()
    }

    /// What the template and these arguments make. Every argument that does not fit is told, not only the first.
    pub fn resolve(&self, given: &BTreeMap<String, String>) -> Result<Spec, Vec<Problem>> {
        let mut problems = self.unknown_arguments(given);
        let mut values = self.values(given, &mut problems);
        let limits = override_limits(self.body.limits, given, &mut problems);
        values.insert("memory_mb", limits.memory_mb.to_string());
        values.insert("cpus", limits.cpus.to_string());
        values.insert("pids", limits.pids.to_string());

        let image = substitute(&self.body.image, &values).unwrap_or_default();
        if problems.is_empty() && !is_image_reference(&image) {
            problems.push(Problem::new(
                "image",
                format!("{} is no image reference", shown(&image)),
                "use `repository:tag`, with no spaces and a repository in lower case",
            ));
        }
        if problems.is_empty() {
            Ok(self.spec(image, &values, limits))
        } else {
            Err(problems)
        }
    }

    /// What does not fit among the arguments given so far; that some still lack is no problem.
    pub fn misfits(&self, given: &BTreeMap<String, String>) -> Vec<Problem> {
        let mut problems = self.unknown_arguments(given);
        let wrong = |parameter: &Parameter| parameter.parse(given.get(&parameter.name)?).err();
        problems.extend(self.body.parameters.iter().filter_map(wrong));
        override_limits(self.body.limits, given, &mut problems);
        problems
    }

    /// Whether it understands an argument of this name.
    pub fn takes(&self, name: &str) -> bool {
        LIMIT_NAMES.contains(&name) || self.body.parameters.iter().any(|known| known.name == name)
    }

    fn unknown_arguments(&self, given: &BTreeMap<String, String>) -> Vec<Problem> {
        let known: Vec<&str> = self
            .body
            .parameters
            .iter()
            .map(|parameter| parameter.name.as_str())
            .chain(LIMIT_NAMES)
            .collect();
        given
            .keys()
            .filter(|name| !self.takes(name))
            .map(|name| {
                let message = format!("template `{}` has no such parameter", self.name);
                Problem::new(shown(name), message, did_you_mean(name, &known))
            })
            .collect()
    }

    /// Each parameter's text; those without one are left out.
    fn values(
        &self,
        given: &BTreeMap<String, String>,
        problems: &mut Vec<Problem>,
    ) -> BTreeMap<&str, String> {
        let mut values = BTreeMap::new();
        for parameter in &self.body.parameters {
            let argument = match (given.get(&parameter.name), &parameter.default) {
                (Some(text), _) => parameter.parse(text),
                (None, Some(default)) => Ok(default.clone()),
                (None, None) if parameter.required => Err(Problem::new(
                    &parameter.name,
                    "is required",
                    format!("give {}: {}", parameter.allowed(), parameter.description),
                )),
                (None, None) => continue,
            };
            match argument {
                Ok(argument) => {
                    values.insert(parameter.name.as_str(), argument.to_string());
                }
                Err(problem) => problems.push(problem),
            }
        }
        values
    }

    fn secrets(&self, form: Form) -> Vec<String> {
        let given = self
            .body
            .secrets
            .iter()
            .filter(|secret| secret.form == form);
        given.map(|secret| secret.name.clone()).collect()
    }

    fn spec(&self, image: String, values: &BTreeMap<&str, String>, limits: Limits) -> Spec {
        let body = &self.body;
        Spec {
            template: Some(self.name.to_string()),
            image,
            build: body.build.clone(),
            command: body
                .command
                .iter()
                .filter_map(|text| substitute(text, values))
                .collect(),
            env: body
                .env
                .iter()
                .filter_map(|(key, text)| Some((key.clone(), substitute(text, values)?)))
                .collect(),
            secrets: self.secrets(Form::Env),
            secret_files: self.secrets(Form::File),
            limits,
            mounts: body.mounts.clone(),
            tmpfs: body.tmpfs.clone(),
            ports: body.ports.clone(),
            network: body.network,
            internet: body.internet,
            user: body.user.clone(),
            read_only_root: body.read_only_root,
            health: body.health.clone(),
            stop_grace_s: body.stop_grace_s,
            log_patterns: body.log_patterns.clone(),
            exit_codes: body.exit_codes.clone(),
            probes: body.probes.clone(),
            recovery: body.recovery,
            idle: body.idle,
            depends_on: body.depends_on.clone(),
            privileges: body.privileges.clone(),
        }
    }
}

/// `text` with its placeholders filled, once: a value that looks like a placeholder stays as it is.
/// None if the text is one placeholder without a value.
fn substitute(text: &str, values: &BTreeMap<&str, String>) -> Option<String> {
    let pieces = pieces(text).unwrap_or_default();
    if let [Piece::Placeholder(name)] = pieces.as_slice() {
        return values.get(name).cloned();
    }
    let filled = pieces.into_iter().map(|piece| match piece {
        Piece::Text(text) => text,
        Piece::Placeholder(name) => values.get(name).map_or("", String::as_str),
    });
    Some(filled.collect())
}

fn override_limits(
    limits: Limits,
    given: &BTreeMap<String, String>,
    problems: &mut Vec<Problem>,
) -> Limits {
    Limits {
        memory_mb: within("memory_mb", given, &MEMORY_MB, problems).unwrap_or(limits.memory_mb),
        cpus: within("cpus", given, &CPUS, problems).unwrap_or(limits.cpus),
        pids: within("pids", given, &PIDS, problems).unwrap_or(limits.pids),
    }
}

fn within<T: FromStr + PartialOrd + Display>(
    name: &str,
    given: &BTreeMap<String, String>,
    allowed: &RangeInclusive<T>,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let text = given.get(name)?;
    let value = text
        .trim()
        .parse()
        .ok()
        .filter(|value| allowed.contains(value));
    if value.is_none() {
        let message = format!("{} is no limit that can be set", shown(text));
        let hint = format!("use {} to {}", allowed.start(), allowed.end());
        problems.push(Problem::new(name, message, hint));
    }
    value
}
