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

#[derive(Debug, Default)]
pub(crate) struct Record {
    unknown_routes: Mutex<Vec<String>>,
    violations: Mutex<Vec<Violation>>,
}

impl Record {
    pub(crate) fn unknown_route(&self, name: String) {
        tracing::warn!(route = %name, "unknown route");
        self.unknown_routes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(name);
    }

    pub(crate) fn violation(&self, violation: Violation) {
        tracing::warn!(%violation, "OpenAPI violation");
        self.violations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(violation);
    }

    pub(crate) fn unknown_routes(&self) -> Vec<String> {
        self.unknown_routes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn violations(&self) -> Vec<Violation> {
        self.violations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
