//! What containers write, and which of it somebody asks for.

use chrono::{DateTime, Utc};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogQuery {
    /// Lines from the end; always given, because Docker reads the whole file otherwise.
    pub tail: u32,
    pub since: Option<DateTime<Utc>>,
    pub stdout: bool,
    pub stderr: bool,
    pub follow: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    pub source: LogSource,
    pub at: Option<DateTime<Utc>>,
    /// Without its line end; what is no UTF-8 is replaced.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogSource {
    Stdout,
    Stderr,
}
