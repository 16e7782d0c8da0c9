//! What JSON's shape cannot say: everything that would otherwise fail when somebody deploys.

mod probes;

use std::{collections::BTreeSet, fmt::Display, net::IpAddr, ops::RangeInclusive, path::Path};

use super::{
    CPUS, LIMIT_NAMES, MEMORY_MB, PIDS, Parameter, ParameterKind, TemplateBody,
    placeholders::{Piece, pieces},
};
use crate::domain::{
    agent::Name,
    nearest::did_you_mean,
    problem::{Problem, shown},
    spec::{HealthCheck, LogPattern, Network},
};

/// Discord cuts or refuses longer ones in lists and modals.
const DESCRIPTION: RangeInclusive<usize> = 1..=100;
/// Discord's selects and autocomplete lists hold 25 entries.
const CHOICES_MAX: usize = 25;
const PATTERN_MAX: usize = 500;
/// So that a refusal can show it whole.
const BUILD_MAX: usize = 300;

pub(super) fn check(body: &TemplateBody) -> Vec<Problem> {
    let mut problems = Vec::new();
    let found = &mut problems;
    check_length("description", &body.description, &DESCRIPTION, found);
    check_image(body, found);
    check_environment(body, found);
    check_parameters(body, found);
    check_placeholders(body, found);
    check_limits(body, found);
    check_folders(body, found);
    check_ports(body, found);
    check_user(body, found);
    check_range("stop_grace_s", body.stop_grace_s, &(0..=600), found);
    if let Some(health) = &body.health {
        check_health(health, found);
    }
    for (index, pattern) in body.log_patterns.iter().enumerate() {
        check_log_pattern(&format!("log_patterns[{index}]"), pattern, found);
    }
    for (code, exit) in &body.exit_codes {
        let at = format!("exit_codes.{code}.note");
        check_length(&at, &exit.note, &(0..=200), found);
    }
    probes::check(body, found);
    check_recovery(body, found);
    check_privileges(body, found);
    problems
}

fn check_recovery(body: &TemplateBody, found: &mut Vec<Problem>) {
    if let Some(recovery) = &body.recovery {
        check_range("recovery.attempts", recovery.attempts, &(1..=20), found);
        check_range(
            "recovery.window_s",
            recovery.window_s,
            &(60..=86_400),
            found,
        );
        check_range(
            "recovery.healthy_s",
            recovery.healthy_s,
            &(10..=86_400),
            found,
        );
    }
    if let Some(idle) = &body.idle {
        check_range("idle.cpu_percent", idle.cpu_percent, &(0.1..=100.0), found);
        check_range("idle.minutes", idle.minutes, &(5..=1380), found);
    }
    for (index, name) in body.depends_on.iter().enumerate() {
        if let Err(bad) = Name::parse(name) {
            let hint = "give the name of an agent in the same fleet";
            found.push(Problem::new(
                format!("depends_on[{index}]"),
                bad.to_string(),
                hint,
            ));
        }
    }
}

fn check_image(body: &TemplateBody, found: &mut Vec<Problem>) {
    let default_of = |name: &str| {
        let parameter = body.parameters.iter().find(|known| known.name == name);
        parameter
            .and_then(|parameter| parameter.default.as_ref())
            .map_or_else(|| "x".to_owned(), ToString::to_string)
    };
    // An unclosed placeholder is told by `check_placeholders`.
    let Ok(pieces) = pieces(&body.image) else {
        return;
    };
    let example: String = pieces
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Placeholder(name) => default_of(name),
        })
        .collect();
    if !is_image_reference(&example) {
        found.push(Problem::new(
            "image",
            format!("{} is no image reference", shown(&example)),
            "use `repository:tag`, with no spaces and a repository in lower case",
        ));
    }
    if let Some(build) = &body.build {
        check_length("build", build, &(1..=BUILD_MAX), found);
        // Chat shows it between backticks, to be copied.
        if build.contains(|c: char| c == '`' || c.is_control()) {
            found.push(Problem::new(
                "build",
                format!("{} cannot be shown as one command", shown(build)),
                "use one line without backticks, such as `docker build -t NAME FOLDER`",
            ));
        }
    }
}

/// The grammar of `docker pull`, near enough to catch what a person mistypes.
pub(super) fn is_image_reference(text: &str) -> bool {
    if let Some(id) = text.strip_prefix("sha256:") {
        return is_hex(id, 64);
    }
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    let is_port = |tail: &str| tail.contains('/');
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !is_port(tag) => (path, Some(tag)),
        _ => (name, None),
    };
    let digest_fits = digest.is_none_or(|digest| {
        digest
            .strip_prefix("sha256:")
            .is_some_and(|hex| is_hex(hex, 64))
    });
    let tag_fits = tag.is_none_or(|tag| {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        tag.len() <= 128
            && tag.starts_with(word)
            && tag.chars().all(|c| word(c) || c == '.' || c == '-')
    });
    digest_fits && tag_fits && path.len() <= 255 && is_repository(path)
}

fn is_repository(path: &str) -> bool {
    let is_host = |part: &str| part.contains(['.', ':']) || part == "localhost";
    let parts = match path.split_once('/') {
        Some((host, rest)) if is_host(host) => {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-');
            if !host.chars().all(plain) {
                return false;
            }
            rest
        }
        _ => path,
    };
    parts.split('/').all(|part| {
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        part.starts_with(letter)
            && part.ends_with(letter)
            && part
                .chars()
                .all(|c| letter(c) || matches!(c, '.' | '_' | '-'))
    })
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.chars().all(|c| c.is_ascii_hexdigit())
}

fn check_environment(body: &TemplateBody, found: &mut Vec<Problem>) {
    const HINT: &str = "use letters, digits and `_`, not beginning with a digit";
    for (key, value) in &body.env {
        let at = format!("env.{key}");
        if !is_variable(key) {
            found.push(Problem::new(&at, "is no name of a variable", HINT));
        }
        if value.contains('\0') {
            found.push(Problem::new(&at, "holds a NUL character", "leave it out"));
        }
    }
    let mut seen = BTreeSet::new();
    for (index, secret) in body.secrets.iter().enumerate() {
        let at = format!("secrets[{index}].name");
        let name = shown(&secret.name);
        if !is_variable(&secret.name) {
            found.push(Problem::new(
                &at,
                format!("{name} is no name of a variable"),
                HINT,
            ));
        }
        if body.env.contains_key(&secret.name) {
            let hint = "a secret's value stands in no file: leave it out of `env`";
            found.push(Problem::new(&at, format!("{name} is in `env`, too"), hint));
        }
        if !seen.insert(&secret.name) {
            found.push(Problem::new(
                &at,
                format!("{name} is there twice"),
                "keep one",
            ));
        }
        let at = format!("secrets[{index}].description");
        check_length(&at, &secret.description, &(0..=*DESCRIPTION.end()), found);
    }
}

fn is_variable(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.len() <= 128
        && name.starts_with(letter)
        && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

fn check_parameters(body: &TemplateBody, found: &mut Vec<Problem>) {
    if body.parameters.len() > CHOICES_MAX {
        let message = format!("{} parameters are too many", body.parameters.len());
        found.push(Problem::new(
            "parameters",
            message,
            format!("use at most {CHOICES_MAX}"),
        ));
    }
    let mut seen = BTreeSet::new();
    for (index, parameter) in body.parameters.iter().enumerate() {
        let at = format!("parameters[{index}]");
        if !seen.insert(&parameter.name) {
            let message = format!("{} is there twice", shown(&parameter.name));
            found.push(Problem::new(format!("{at}.name"), message, "keep one"));
        }
        check_parameter(&at, parameter, found);
    }
}

fn check_parameter(at: &str, parameter: &Parameter, found: &mut Vec<Problem>) {
    let name = &parameter.name;
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let begins_well = name.starts_with(|c: char| c.is_ascii_lowercase());
    if !(begins_well && name.len() <= 32 && name.chars().all(letter)) {
        found.push(Problem::new(
            format!("{at}.name"),
            format!("{} is no name of a parameter", shown(name)),
            "use 1 to 32 of a–z, 0–9 and `_`, beginning with a letter",
        ));
    }
    if LIMIT_NAMES.contains(&name.as_str()) {
        found.push(Problem::new(
            format!("{at}.name"),
            format!("{} is reserved", shown(name)),
            "leave it out: everybody who deploys may override the limits by these names",
        ));
    }
    check_length(
        &format!("{at}.description"),
        &parameter.description,
        &DESCRIPTION,
        found,
    );
    check_choices(at, parameter, found);
    let bounded = parameter.min.is_some() || parameter.max.is_some();
    if bounded && parameter.kind != ParameterKind::Integer {
        let message = format!("type `{}` has no `min` or `max`", parameter.kind.as_str());
        found.push(Problem::new(at, message, "only `integer` has them"));
    }
    if parameter
        .min
        .zip(parameter.max)
        .is_some_and(|(min, max)| min > max)
    {
        found.push(Problem::new(at, "`min` is above `max`", "exchange them"));
    }
    if let Some(default) = &parameter.default
        && let Err(problem) = parameter.accept(default.clone())
    {
        found.push(Problem {
            at: format!("{at}.default"),
            ..problem
        });
    }
}

fn check_choices(at: &str, parameter: &Parameter, found: &mut Vec<Problem>) {
    let at = format!("{at}.choices");
    let count = parameter.choices.len();
    if parameter.kind != ParameterKind::Choice {
        if count > 0 {
            let message = format!("type `{}` has no choices", parameter.kind.as_str());
            found.push(Problem::new(
                at,
                message,
                "leave them out or use type `choice`",
            ));
        }
        return;
    }
    if !(1..=CHOICES_MAX).contains(&count) {
        let hint = format!("give 1 to {CHOICES_MAX}");
        found.push(Problem::new(
            &at,
            format!("there are {count} choices"),
            hint,
        ));
    }
    let mut seen = BTreeSet::new();
    for (index, choice) in parameter.choices.iter().enumerate() {
        let at = format!("{at}[{index}]");
        check_length(&at, choice, &DESCRIPTION, found);
        if !seen.insert(choice) {
            let message = format!("{} is there twice", shown(choice));
            found.push(Problem::new(at, message, "keep one"));
        }
    }
}

fn check_placeholders(body: &TemplateBody, found: &mut Vec<Problem>) {
    let known: Vec<&str> = body
        .parameters
        .iter()
        .map(|parameter| parameter.name.as_str())
        .chain(LIMIT_NAMES)
        .collect();
    let command = body.command.iter().enumerate();
    let texts = std::iter::once(("image".to_owned(), &body.image))
        .chain(command.map(|(index, text)| (format!("command[{index}]"), text)))
        .chain(
            body.env
                .iter()
                .map(|(key, text)| (format!("env.{key}"), text)),
        );
    for (at, text) in texts {
        let Ok(pieces) = pieces(text) else {
            let hint = "close it with `}}`, or write `{{{{` for a plain `{{`";
            found.push(Problem::new(at, "a `{{` is not closed", hint));
            continue;
        };
        for piece in pieces {
            if let Piece::Placeholder(name) = piece
                && !known.contains(&name)
            {
                let message = format!("{} is no parameter", shown(name));
                found.push(Problem::new(&at, message, did_you_mean(name, &known)));
            }
        }
    }
}

fn check_limits(body: &TemplateBody, found: &mut Vec<Problem>) {
    let limits = &body.limits;
    check_range("limits.memory_mb", limits.memory_mb, &MEMORY_MB, found);
    check_range("limits.cpus", limits.cpus, &CPUS, found);
    check_range("limits.pids", limits.pids, &PIDS, found);
}

fn check_folders(body: &TemplateBody, found: &mut Vec<Problem>) {
    let mut targets = BTreeSet::new();
    let mounts = body.mounts.iter().enumerate();
    let tmpfs = body.tmpfs.iter().enumerate();
    let all = mounts
        .map(|(index, mount)| (format!("mounts[{index}]"), &mount.target))
        .chain(tmpfs.map(|(index, tmpfs)| (format!("tmpfs[{index}]"), &tmpfs.target)));
    for (at, target) in all {
        let at = format!("{at}.target");
        let path = Path::new(target);
        if !(is_plain_path(target) && path.is_absolute() && path.parent().is_some()) {
            let hint = "use an absolute path below `/`, without `..`";
            found.push(Problem::new(
                &at,
                format!("{} does not fit", shown(target)),
                hint,
            ));
        }
        if !targets.insert(path) {
            let message = format!("{} is taken by another one", shown(target));
            found.push(Problem::new(&at, message, "give each its own folder"));
        }
    }
    for (index, mount) in body.mounts.iter().enumerate() {
        let at = format!("mounts[{index}]");
        match (&mount.volume, &mount.host) {
            (Some(volume), None) => {
                if let Err(error) = Name::parse(volume) {
                    found.push(Problem::new(
                        format!("{at}.volume"),
                        format!("{} does not fit", shown(&error.0)),
                        "use 1 to 32 of a–z, 0–9, `-` and `_`; for a folder of the host use `host`",
                    ));
                }
            }
            (None, Some(host)) if is_plain_path(host) && Path::new(host).is_absolute() => {}
            (None, Some(host)) => found.push(Problem::new(
                format!("{at}.host"),
                format!("{} does not fit", shown(host)),
                "use an absolute path without `..`",
            )),
            _ => found.push(Problem::new(
                at,
                "needs one of `volume` and `host`",
                "`volume` is the agent's own, `host` is a folder of the host",
            )),
        }
    }
    for (index, tmpfs) in body.tmpfs.iter().enumerate() {
        check_range(
            &format!("tmpfs[{index}].size_mb"),
            tmpfs.size_mb,
            &(1..=65_536),
            found,
        );
    }
}

fn is_plain_path(text: &str) -> bool {
    let climbs = |path: &Path| {
        path.components()
            .any(|part| part == std::path::Component::ParentDir)
    };
    // Docker splits its short mount syntax at colons.
    !text.is_empty() && !text.contains(['\0', ':']) && !climbs(Path::new(text))
}

fn check_ports(body: &TemplateBody, found: &mut Vec<Problem>) {
    if !body.ports.is_empty() && body.network != Network::Fleet {
        let hint = "use `\"network\": \"fleet\"` or leave the ports out";
        found.push(Problem::new("ports", "this network publishes none", hint));
    }
    if !body.ports.is_empty() && !body.internet {
        // Docker takes ports on an internal network, says nothing and publishes none.
        let hint = "set `internet` to true or leave the ports out";
        found.push(Problem::new(
            "ports",
            "an agent without a way out publishes none",
            hint,
        ));
    }
    let mut taken = BTreeSet::new();
    for (index, port) in body.ports.iter().enumerate() {
        let at = format!("ports[{index}]");
        check_range(
            &format!("{at}.container"),
            port.container,
            &(1..=u16::MAX),
            found,
        );
        if port.address.parse::<IpAddr>().is_err() {
            let message = format!("{} is no address", shown(&port.address));
            let hint = "use an IP address of the host, such as `127.0.0.1`";
            found.push(Problem::new(format!("{at}.address"), message, hint));
        }
        let is_udp = port.protocol == crate::domain::spec::Protocol::Udp;
        if port.host != 0 && !taken.insert((&port.address, port.host, is_udp)) {
            let message = format!("`{}` is there twice", port.host);
            found.push(Problem::new(
                format!("{at}.host"),
                message,
                "use 0 for any free port",
            ));
        }
    }
}

fn check_user(body: &TemplateBody, found: &mut Vec<Problem>) {
    let Some(user) = &body.user else { return };
    let word = |part: &str| {
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        !part.is_empty() && part.len() <= 32 && part.chars().all(letter)
    };
    let fits = match user.split_once(':') {
        Some((user, group)) => word(user) && word(group),
        None => word(user),
    };
    if !fits {
        let hint = "use `uid:gid`, such as `65534:65534`";
        found.push(Problem::new(
            "user",
            format!("{} does not fit", shown(user)),
            hint,
        ));
    }
}

fn check_health(health: &HealthCheck, found: &mut Vec<Problem>) {
    if health.command.is_empty() {
        let hint = "give the program and its arguments, each a string of its own";
        found.push(Problem::new("health.command", "is empty", hint));
    }
    check_range("health.interval_s", health.interval_s, &(1..=3600), found);
    check_range("health.timeout_s", health.timeout_s, &(1..=600), found);
    check_range("health.retries", health.retries, &(1..=100), found);
    check_range(
        "health.start_period_s",
        health.start_period_s,
        &(0..=3600),
        found,
    );
}

fn check_log_pattern(at: &str, pattern: &LogPattern, found: &mut Vec<Problem>) {
    check_length(
        &format!("{at}.pattern"),
        &pattern.pattern,
        &(1..=PATTERN_MAX),
        found,
    );
    check_length(&format!("{at}.note"), &pattern.note, &(0..=200), found);
    check_regex(&format!("{at}.pattern"), &pattern.pattern, found);
}

fn check_regex(at: &str, pattern: &str, found: &mut Vec<Problem>) {
    if let Err(error) = regex::Regex::new(pattern) {
        // The first lines of the error draw the pattern with a mark below it; the last one says why.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default();
        let reason = reason.strip_prefix("error: ").unwrap_or(reason);
        found.push(Problem::new(
            at,
            format!("{}: {reason}", shown(pattern)),
            "use a regular expression without look-around and back-references",
        ));
    }
}

fn check_privileges(body: &TemplateBody, found: &mut Vec<Problem>) {
    for (index, capability) in body.privileges.capabilities.iter().enumerate() {
        let plain = |c: char| c.is_ascii_uppercase() || c == '_';
        if capability.is_empty() || capability.starts_with("CAP_") || !capability.chars().all(plain)
        {
            found.push(Problem::new(
                format!("privileges.capabilities[{index}]"),
                format!("{} is no capability", shown(capability)),
                "use its name without `CAP_`, such as `NET_ADMIN`",
            ));
        }
    }
    for (index, device) in body.privileges.devices.iter().enumerate() {
        if !(is_plain_path(device) && Path::new(device).starts_with("/dev/")) {
            found.push(Problem::new(
                format!("privileges.devices[{index}]"),
                format!("{} is no device", shown(device)),
                "use its path, such as `/dev/kvm`",
            ));
        }
    }
}

fn check_length(at: &str, text: &str, allowed: &RangeInclusive<usize>, found: &mut Vec<Problem>) {
    let count = text.chars().count();
    if !allowed.contains(&count) {
        found.push(Problem::new(
            at,
            format!("has {count} characters"),
            format!("use {} to {}", allowed.start(), allowed.end()),
        ));
    }
    if text.contains('\0') {
        found.push(Problem::new(at, "holds a NUL character", "leave it out"));
    }
}

fn check_range<T: PartialOrd + Display>(
    at: &str,
    value: T,
    allowed: &RangeInclusive<T>,
    found: &mut Vec<Problem>,
) {
    if !allowed.contains(&value) {
        found.push(Problem::out_of_range(at, value, allowed));
    }
}
