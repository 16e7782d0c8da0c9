//! What must not happen in a test, written down when it does.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

/// A request or response that Discord's `OpenAPI` file does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The HTTP method.
    pub method: String,
    /// The path as the `OpenAPI` file writes it.
    pub path: String,
    /// `request` or `response 200`.
    pub part: String,
    /// Where in the body, as a JSON pointer.
    pub at: String,
    /// What the schema says.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            method,
            path,
            part,
            at,
            message,
        } = self;
        write!(formatter, "{method} {path}, {part}, at `{at}`: {message}")
    }
}

/// What a server that runs for weeks remembers of each kind.
const KEPT: usize = 1000;

#[derive(Debug, Default)]
pub(crate) struct Record {
    unknown_routes: Mutex<Vec<String>>,
    violations: Mutex<Vec<Violation>>,
}

impl Record {
    pub(crate) fn unknown_route(&self, name: String) {
        tracing::warn!(route = %name, "unknown route");
        note(&self.unknown_routes, name);
    }

    pub(crate) fn violation(&self, violation: Violation) {
        tracing::warn!(%violation, "OpenAPI violation");
        note(&self.violations, violation);
    }

    pub(crate) fn unknown_routes(&self) -> Vec<String> {
        self.unknown_routes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// All of it, line by line, if there is anything.
    pub(crate) fn verdict(&self) -> Result<(), String> {
        let routes = self.unknown_routes().into_iter();
        let routes = routes.map(|route| format!("unknown route: {route}"));
        let violations = self.violations().into_iter();
        let violations = violations.map(|violation| format!("violation: {violation}"));
        let all: Vec<String> = routes.chain(violations).collect();
        if all.is_empty() {
            Ok(())
        } else {
            Err(all.join("\n"))
        }
    }

    pub(crate) fn violations(&self) -> Vec<Violation> {
        self.violations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn note<T>(list: &Mutex<Vec<T>>, entry: T) {
    let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
    if list.len() < KEPT {
        list.push(entry);
    }
}
