//! The arrows between modules and the invariants of docs/architecture.md, as data.

use crate::source::{Fact, Source, What};

/// Which module may name which, besides itself. A path belongs to the longest row that it begins with.
pub(crate) const ARROWS: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    ("cli", &["app", "config", "domain", "telemetry"]),
    (
        "app",
        &[
            "discord", "http", "notify", "workers", "ops", "engine", "probe", "host", "store",
            "vault", "config", "domain", "clock", "error", "meters",
        ],
    ),
    (
        "discord",
        &[
            "discord::commands",
            "discord::components",
            "discord::render",
            "ops",
            "domain",
            "error",
            "meters",
        ],
    ),
    (
        "discord::commands",
        &[
            "discord",
            "discord::components",
            "discord::render",
            "ops",
            "domain",
            "error",
        ],
    ),
    (
        "discord::components",
        &[
            "discord",
            "discord::commands",
            "discord::press",
            "discord::render",
            "ops",
            "domain",
            "error",
        ],
    ),
    ("discord::render", &["discord::press", "domain"]),
    ("discord::press", &["domain"]),
    ("notify", &["notify::render", "ops", "domain", "error"]),
    ("notify::render", &["domain"]),
    ("workers", &["ops", "chart", "domain"]),
    (
        "ops",
        &[
            "store", "engine", "probe", "host", "vault", "domain", "clock", "error", "files",
            "meters",
        ],
    ),
    ("http", &["ops", "error", "meters"]),
    ("store", &["domain", "error", "files"]),
    ("probe", &["domain"]),
    ("host", &["domain"]),
    ("chart", &["domain"]),
    ("vault", &["domain", "files"]),
    ("engine", &["domain", "error", "meters"]),
    ("engine::docker", &["engine", "domain"]),
    ("config", &["domain"]),
    ("telemetry", &["config"]),
    ("domain", &[]),
    ("error", &[]),
    ("files", &[]),
    ("clock", &[]),
    ("meters", &["domain"]),
];

/// Arrows that jump a layer, each with the reason why the code needs it.
pub(crate) const EXTRA: &[(&str, &str, &str)] = &[
    (
        "cli",
        "discord",
        "`doctor` asks Discord; `up` tells a refused token by its exit code",
    ),
    (
        "cli",
        "engine",
        "`doctor` asks the engine through its trait",
    ),
    (
        "cli",
        "engine::docker",
        "`up` and `doctor` choose which engine there is",
    ),
    (
        "cli",
        "store",
        "`audit` reads and purges beside a running process; `up` tells a database in use by its exit code",
    ),
    (
        "cli",
        "clock",
        "`up` gives the app the machine's clock, tests give it another",
    ),
    (
        "cli",
        "host",
        "`up` measures the machine it runs on, tests set what is measured",
    ),
    (
        "cli",
        "ops",
        "`claim` and `grant` do on the host what chat asks for, by the same rules",
    ),
    (
        "discord",
        "config",
        "address, certificate authority and token of the connection",
    ),
    ("notify", "config", "addresses and keys of the targets"),
    (
        "ops",
        "config",
        "the settings in force, and where to read them again",
    ),
    (
        "workers",
        "engine",
        "the watcher holds the stream of events, which fails as the engine does",
    ),
    (
        "workers",
        "store",
        "a worker asks the queue itself what is due",
    ),
];

/// Names that only these modules may use. `*::` stands for any beginning.
const ONLY: &[(&[&str], &[&str], &str)] = &[
    (&["sqlx"], &["store"], "only `store` holds SQL"),
    (
        &["bollard"],
        &["engine::docker"],
        "only `engine::docker` names bollard",
    ),
    (
        &["serenity", "poise"],
        &["discord"],
        "only `discord` names serenity or poise",
    ),
    (
        &["prometheus_client"],
        &["meters"],
        "only `meters` names prometheus_client",
    ),
    (&["axum"], &["http"], "only `http` listens"),
    (
        &["std::env"],
        &["config"],
        "only `config` reads the environment",
    ),
    (
        &[
            "*::Utc::now",
            "*::Local",
            "*::Timestamp::now",
            "*::SystemTime",
        ],
        &["clock"],
        "only `clock` reads the time",
    ),
    (
        &[
            "tokio::spawn",
            "tokio::task",
            "tokio::runtime",
            "tokio_util::task",
            "std::thread",
        ],
        &["workers"],
        "only `workers` spawns",
    ),
];

/// Names that a module may not use at all.
const NEVER: &[(&str, &[&str], &str)] = &[
    (
        "domain",
        &[
            "tokio",
            "tokio_util",
            "futures",
            "sqlx",
            "serenity",
            "poise",
            "bollard",
            "reqwest",
            "axum",
            "hyper",
            "sysinfo",
            "rand",
            "std::fs",
            "std::net::TcpStream",
            "std::net::TcpListener",
            "std::net::UdpSocket",
            "std::net::ToSocketAddrs",
            "std::env",
            "std::process",
            "std::thread",
            "std::io",
            "std::time::Instant",
        ],
        "`domain` does no I/O and is the same at every time",
    ),
    (
        "discord::render",
        &[
            "tokio",
            "tokio_util",
            "futures",
            "reqwest",
            "rand",
            "std::fs",
            "std::net",
            "std::process",
            "std::io",
            "std::time::Instant",
            "serenity::http",
            "serenity::client",
            "serenity::gateway",
        ],
        "`render` does no I/O and gives the same bytes for the same input",
    ),
];

const NOT_ASYNC: &[&str] = &["domain", "discord::render", "notify::render"];

/// What changes something on the engine's host.
const CHANGING: &[&str] = &[
    "start",
    "stop",
    "create",
    "remove",
    "rename",
    "pause",
    "unpause",
    "connect",
    "disconnect",
    "ensure_network",
    "remove_volume",
    "remove_network",
];

const CHANGERS: &[&str] = &[
    "ops::execute",
    "ops::replace",
    "ops::freeze",
    "ops::networks",
    "ops::tidy",
];

/// Functions that change the engine without a `TargetGuard`, and why that is right.
const UNGUARDED: &[(&str, &str)] = &[
    (
        "Ops::remove_network",
        "a network of a fleet without agents: there is no target to lock",
    ),
    (
        "Ops::ensure_network",
        "a network is no agent's; whoever puts an agent into it holds the guard",
    ),
    ("Ops::join", "our own container, which is no agent's"),
    (
        "Ops::leave_networks",
        "our own container, which is no agent's",
    ),
    (
        "Ops::still_one",
        "a freeze waits for nobody: whoever holds the guard may be what must be stopped",
    ),
    (
        "Ops::discard",
        "a container that is no agent's and whose action is over: nobody else acts on it",
    ),
];

/// One sentence for each fact that breaks a rule, with file and line.
pub(crate) fn breaches(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        if row(&source.module).is_none() && !source.module.is_empty() {
            let file = &source.file;
            found.push(format!(
                "src/{file}:1: `{}` is in no row of ARROWS",
                source.module
            ));
        }
        for fact in &source.facts {
            let broken = [
                arrow(source, fact),
                foreign(source, fact),
                forbidden(source, fact),
                not_async(source, fact),
                engine_change(source, fact),
                hidden_engine(source, fact),
                habit(fact),
            ];
            let place = format!("src/{}:{}", source.file, fact.line);
            found.extend(
                broken
                    .into_iter()
                    .flatten()
                    .map(|rule| format!("{place}: {rule}")),
            );
        }
    }
    found.dedup();
    found
}

/// The rules for packages that are no part of the house: how code is written at all.
pub(crate) fn bad_habits(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        for fact in &source.facts {
            found.extend(habit(fact).map(|rule| format!("{}:{}: {rule}", source.file, fact.line)));
        }
    }
    found
}

/// Extra arrows along which nobody goes any more, and excused functions that need no excuse.
pub(crate) fn unused_excuses(sources: &[Source]) -> Vec<String> {
    let used = |from: &str, to: &str| {
        sources.iter().any(|source| {
            row(&source.module) == Some(from)
                && source
                    .facts
                    .iter()
                    .any(|fact| target(&fact.what) == Some(to))
        })
    };
    let needs_excuse = |function: &str| {
        let facts = sources.iter().flat_map(|source| source.facts.iter());
        facts
            .filter(|fact| fact.function == function && !fact.guarded)
            .any(|fact| changes_engine(&fact.what).is_some())
    };
    let arrows = EXTRA.iter().filter(|(from, to, _)| !used(from, to));
    let functions = UNGUARDED
        .iter()
        .filter(|(function, _)| !needs_excuse(function));
    arrows
        .map(|(from, to, _)| format!("{from} → {to}"))
        .chain(functions.map(|(function, _)| (*function).to_owned()))
        .collect()
}

/// The longest row that a module stands in.
fn row(module: &str) -> Option<&'static str> {
    let rows = ARROWS.iter().map(|(row, _)| *row);
    rows.filter(|row| begins_with(module, row))
        .max_by_key(|row| row.len())
}

/// Which row a fact points at.
fn target(what: &What) -> Option<&'static str> {
    match what {
        What::Path(path) => row(path.strip_prefix("crate::")?),
        // Through `ops` one reaches what it combines.
        What::Field { of, name } if of == "ops" && name == "store" => Some("store"),
        What::Field { of, name } if of == "ops" && name == "engine" => Some("engine"),
        _ => None,
    }
}

fn arrow(source: &Source, fact: &Fact) -> Option<String> {
    // lib.rs lists the modules and does nothing else.
    let from = row(&source.module)?;
    let to = target(&fact.what)?;
    let allowed = ARROWS
        .iter()
        .any(|(row, to_rows)| *row == from && to_rows.contains(&to))
        || EXTRA
            .iter()
            .any(|(row, to_row, _)| *row == from && *to_row == to);
    (from != to && !allowed)
        .then(|| format!("`{from}` may not name `{to}` ({})", shown(&fact.what)))
}

fn foreign(source: &Source, fact: &Fact) -> Option<String> {
    let What::Path(path) = &fact.what else {
        return None;
    };
    let (_, _, rule) = ONLY.iter().find(|(names, modules, _)| {
        names.iter().any(|name| is_named(path, name))
            && !modules
                .iter()
                .any(|module| begins_with(&source.module, module))
    })?;
    Some(format!("{rule} ({path})"))
}

fn forbidden(source: &Source, fact: &Fact) -> Option<String> {
    let What::Path(path) = &fact.what else {
        return None;
    };
    let (_, _, rule) = NEVER.iter().find(|(module, names, _)| {
        begins_with(&source.module, module) && names.iter().any(|name| is_named(path, name))
    })?;
    Some(format!("{rule} ({path})"))
}

fn not_async(source: &Source, fact: &Fact) -> Option<String> {
    let module = NOT_ASYNC
        .iter()
        .find(|module| begins_with(&source.module, module))?;
    (fact.what == What::Async).then(|| format!("`{module}` waits for nothing"))
}

fn engine_change(source: &Source, fact: &Fact) -> Option<String> {
    let method = changes_engine(&fact.what)?;
    if begins_with(&source.module, "engine") {
        return None;
    }
    if !CHANGERS.contains(&source.module.as_str()) {
        let changers = CHANGERS.join(", ");
        return Some(format!("only {changers} change the engine (`{method}`)"));
    }
    let function = &fact.function;
    let excused = UNGUARDED.iter().any(|(excused, _)| excused == function);
    (!fact.guarded && !excused)
        .then(|| format!("`{function}` changes the engine (`{method}`) without a TargetGuard"))
}

/// The method by which a call changes something on the engine's host.
fn changes_engine(what: &What) -> Option<&str> {
    let method = match what {
        What::Call { on, method } if on == "engine" => method.as_str(),
        What::Path(path) => path.split_once("Engine::")?.1,
        _ => return None,
    };
    CHANGING.contains(&method).then_some(method)
}

fn hidden_engine(source: &Source, fact: &Fact) -> Option<String> {
    let What::HiddenEngine(name) = &fact.what else {
        return None;
    };
    (!begins_with(&source.module, "engine")).then(|| {
        format!("an engine is called `engine`, so that changes by it are seen, and not `{name}`")
    })
}

fn habit(fact: &Fact) -> Option<String> {
    match fact.what {
        What::Allow => Some("`#[expect(…, reason = \"…\")]`, never `#[allow]`".to_owned()),
        What::TestSeam => Some("only modules are compiled for tests alone".to_owned()),
        _ => None,
    }
}

fn begins_with(path: &str, beginning: &str) -> bool {
    path.strip_prefix(beginning)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn is_named(path: &str, name: &str) -> bool {
    match name.strip_prefix("*::") {
        None => begins_with(path, name),
        Some(end) => format!("::{path}::").contains(&format!("::{end}::")),
    }
}

fn shown(what: &What) -> String {
    match what {
        What::Path(path) => path.clone(),
        What::Field { of, name } => format!("{of}.{name}"),
        other => format!("{other:?}"),
    }
}
