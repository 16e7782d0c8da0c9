//! Templates: a list, and one whole.

use super::{Rendered, text::escape};
use crate::domain::{
    problem::shown,
    template::{Parameter, Template},
};

pub fn list<'a>(templates: impl Iterator<Item = &'a Template>) -> Rendered {
    let line =
        |template: &Template| format!("`{}` {}", template.name, escape(&template.body.description));
    let lines: Vec<String> = templates.map(line).collect();
    if lines.is_empty() {
        return Rendered::text(
            "There is no template. Put one into the folder `agents.templates`, then `/reload`.",
        );
    }
    Rendered::text(format!(
        "{}\n`/deploy template:` makes an agent from one.",
        lines.join("\n")
    ))
}

pub fn card(template: &Template) -> Rendered {
    let body = &template.body;
    let limits = body.limits;
    let mut lines = vec![
        format!("**{}**: {}", template.name, escape(&body.description)),
        format!("image `{}`", body.image),
        format!(
            "at most {} MiB, {} CPUs, {} processes",
            limits.memory_mb, limits.cpus, limits.pids
        ),
    ];
    lines.extend(body.parameters.iter().map(parameter));
    let secrets: Vec<String> = body
        .secrets
        .iter()
        .map(|secret| {
            let optional = if secret.required { "" } else { " (optional)" };
            format!("`{}`{optional}", secret.name)
        })
        .collect();
    if !secrets.is_empty() {
        lines.push(format!("secrets: {}", secrets.join(", ")));
    }
    Rendered::text(lines.join("\n"))
}

fn parameter(parameter: &Parameter) -> String {
    let default = match (&parameter.default, parameter.required) {
        (Some(default), _) => format!(", else {}", shown(&default.to_string())),
        (None, true) => ", must be given".to_owned(),
        (None, false) => ", may be left out".to_owned(),
    };
    format!(
        "▫️ `{}` ({}): {}{default}",
        parameter.name,
        parameter.allowed(),
        escape(&parameter.description)
    )
}
