//! One answer of `yardarm check` and `yardarm doctor`.

use std::fmt;

/// What is looked at. Each has a section in docs/troubleshooting.md, as a test keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    Access,
    Backup,
    Channel,
    Commands,
    Database,
    Discord,
    Docker,
    Endpoint,
    Gateway,
    Guild,
    Interactions,
    OpsChannel,
    Outlet,
    Policy,
    Probes,
    Role,
    Schedule,
    SecretFiles,
    Settings,
    Template,
    Templates,
    Threads,
    Token,
}

impl Topic {
    pub const ALL: [Self; 23] = [
        Self::Access,
        Self::Backup,
        Self::Channel,
        Self::Commands,
        Self::Database,
        Self::Discord,
        Self::Docker,
        Self::Endpoint,
        Self::Gateway,
        Self::Guild,
        Self::Interactions,
        Self::OpsChannel,
        Self::Outlet,
        Self::Policy,
        Self::Probes,
        Self::Role,
        Self::Schedule,
        Self::SecretFiles,
        Self::Settings,
        Self::Template,
        Self::Templates,
        Self::Threads,
        Self::Token,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Backup => "backup",
            Self::Channel => "channel",
            Self::Commands => "commands",
            Self::Database => "database",
            Self::Discord => "Discord",
            Self::Docker => "Docker",
            Self::Endpoint => "endpoint",
            Self::Gateway => "gateway",
            Self::Guild => "guild",
            Self::Interactions => "interactions",
            Self::OpsChannel => "ops channel",
            Self::Outlet => "target or ping",
            Self::Policy => "policy",
            Self::Probes => "probes",
            Self::Role => "role",
            Self::Schedule => "schedule",
            Self::SecretFiles => "secrets.dir",
            Self::Settings => "settings",
            Self::Template => "template",
            Self::Templates => "templates",
            Self::Threads => "threads",
            Self::Token => "token",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub topic: Topic,
    pub verdict: Verdict,
    /// Which one, if there may be several; the topic's own name if not.
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
    pub fn ok(topic: Topic, detail: impl Into<String>) -> Self {
        Self {
            topic,
            verdict: Verdict::Ok,
            subject: topic.as_str().to_owned(),
            detail: detail.into(),
            next: None,
        }
    }

    /// It works, but not as somebody may expect.
    pub fn warn(topic: Topic, detail: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warn,
            next: Some(next.into()),
            ..Self::ok(topic, detail)
        }
    }

    pub fn fail(topic: Topic, detail: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Fail,
            ..Self::warn(topic, detail, next)
        }
    }

    /// Says which one of several it is.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
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
            Finding::ok(Topic::Token, "it is Yardarm's").to_string(),
            "ok    token: it is Yardarm's"
        );
        assert_eq!(
            Finding::fail(Topic::Docker, "no\nanswer", "start it").to_string(),
            "fail  Docker: no answer → start it"
        );
    }
}
