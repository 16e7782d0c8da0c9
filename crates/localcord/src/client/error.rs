use crate::act::Refused;

/// Why the test API could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Discord's client would not have let the person do it.
    #[error("the client refuses: {0}")]
    Refused(#[from] Refused),
    /// What was waited for did not come.
    #[error("timed out waiting for {wanted}; last seen: {seen}")]
    TimedOut {
        /// What was waited for.
        wanted: String,
        /// What was there instead.
        seen: String,
    },
    /// The bot answered with something else, such as a message where a modal was expected.
    #[error("{0}")]
    Unexpected(String),
    /// Unknown routes and violations of the `OpenAPI` file.
    #[error("{0}")]
    Recorded(String),
    /// The server could not start.
    #[error("localcord cannot start")]
    Start(#[from] anyhow::Error),
}

/// A name that a test took from its guild file. A wrong one is a mistake in the test.
#[expect(
    clippy::panic,
    reason = "a test that names nobody cannot go on, and a `?` after every name says nothing"
)]
pub(super) fn known<T>(kind: &str, name: &str, found: Option<T>) -> T {
    found.unwrap_or_else(|| panic!("the guild file has no {kind} `{name}`"))
}
