//! The answers other than "done". The first four are the person's business, `Unavailable` is a dependency's,
//! `Internal` is ours: its cause goes to the log, the person gets a number.

pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller may not.
    #[error("{0}")]
    Denied(String),
    /// No such agent, fleet, template …; names the nearest.
    #[error("{0}")]
    NotFound(String),
    /// Somebody is at it already.
    #[error("{0}")]
    Busy(String),
    /// The request makes no sense as it stands.
    #[error("{0}")]
    Invalid(String),
    /// Too late: it was decided, by whom and when.
    #[error("{0}")]
    AlreadyDecided(String),
    /// What would be done is not what was planned any more; nothing was changed.
    #[error("{0}")]
    Drifted(String),
    /// Docker or Discord failed; says whether anything was changed.
    #[error("{0}")]
    Unavailable(String),
    #[error(transparent)]
    Internal(#[from] anyhow::Error),
}
