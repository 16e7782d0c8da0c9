//! One answer of `yardarm check` and `yardarm doctor`.

use std::fmt;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub verdict: Verdict,
    pub subject: String,
    pub detail: String,
    /// What to do; None if there is nothing to be done.
    pub next: Option<String>,
}

/// The worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Ok,
    Warn,
    Fail,
}

impl Verdict {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

impl Finding {
    pub fn ok(subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Ok,
            subject: subject.into(),
            detail: detail.into(),
            next: None,
        }
    }

    /// It works, but not as somebody may expect.
    pub fn warn(
        subject: impl Into<String>,
        detail: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            verdict: Verdict::Warn,
            next: Some(next.into()),
            ..Self::ok(subject, detail)
        }
    }

    pub fn fail(
        subject: impl Into<String>,
        detail: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            verdict: Verdict::Fail,
            ..Self::warn(subject, detail, next)
        }
    }
}

impl fmt::Display for Finding {
    /// One line, whatever the texts hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = self.verdict.as_str();
        let line = format!("{verdict:<5} {}: {}", self.subject, self.detail);
        let line = match &self.next {
            Some(next) => format!("{line} → {next}"),
            None => line,
        };
        f.write_str(&line.replace(['\n', '\r'], " "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line() {
        assert_eq!(
            Finding::ok("token", "it is Yardarm's").to_string(),
            "ok    token: it is Yardarm's"
        );
        assert_eq!(
            Finding::fail("Docker", "no\nanswer", "start it").to_string(),
            "fail  Docker: no answer → start it"
        );
    }
}
