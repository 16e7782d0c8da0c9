//! A probe as a template writes it: flat, with the keys of its kind.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Http, Pace, Probe, Question, Statuses, Tls};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProbeKind {
    /// A GET request; its status and, if wanted, its body tell.
    Http,
    /// A connection to a port.
    Tcp,
    /// A command inside the container that ends with code 0.
    Exec,
    /// The log: it must not fall silent.
    Log,
}

impl ProbeKind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tcp => "tcp",
            Self::Exec => "exec",
            Self::Log => "log",
        }
    }
}

/// One question that is asked of an agent again and again.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Probe")]
pub struct Written {
    kind: ProbeKind,
    /// `http` and `tcp`: the container's port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    port: Option<u16>,
    /// `http`: path and query; `/` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500), regex(pattern = "^/"))]
    path: Option<String>,
    /// `http`: ask by HTTPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tls: Option<bool>,
    /// `http` with `tls`: take any certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    insecure: Option<bool>,
    /// `http`: the status codes that are well, such as `200, 401`; `200-399` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// `http`: a regular expression that the first 64 KiB of the answer must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    body: Option<String>,
    /// `exec`: the program and its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    command: Option<Vec<String>>,
    /// `log`: unhealthy if no line was written for so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 5, max = 604_800))]
    silent_s: Option<u32>,
    /// Seconds between two questions.
    #[serde(default = "interval")]
    #[schemars(range(min = 1, max = 3600))]
    interval_s: u32,
    /// Seconds an answer may take.
    #[serde(default = "timeout")]
    #[schemars(range(min = 1, max = 600))]
    timeout_s: u32,
    /// Failures in a row that make it unhealthy.
    #[serde(default = "failures")]
    #[schemars(range(min = 1, max = 100))]
    failures: u32,
    /// Successes in a row that make it healthy again.
    #[serde(default = "successes")]
    #[schemars(range(min = 1, max = 100))]
    successes: u32,
    /// Seconds after the start during which failures do not count, until the first success.
    #[serde(default = "start_grace")]
    #[schemars(range(max = 3600))]
    start_grace_s: u32,
}

fn interval() -> u32 {
    Pace::default().interval_s
}

fn timeout() -> u32 {
    Pace::default().timeout_s
}

fn failures() -> u32 {
    Pace::default().failures
}

fn successes() -> u32 {
    Pace::default().successes
}

fn start_grace() -> u32 {
    Pace::default().start_grace_s
}

impl Written {
    fn blank(kind: ProbeKind, pace: Pace) -> Self {
        let Pace {
            interval_s,
            timeout_s,
            failures,
            successes,
            start_grace_s,
        } = pace;
        Self {
            kind,
            port: None,
            path: None,
            tls: None,
            insecure: None,
            status: None,
            body: None,
            command: None,
            silent_s: None,
            interval_s,
            timeout_s,
            failures,
            successes,
            start_grace_s,
        }
    }

    /// A key that another kind has, if one is given.
    fn stray(&self) -> Option<&'static str> {
        use ProbeKind::{Exec, Http, Log, Tcp};
        let given: [(&str, bool, &[ProbeKind]); 8] = [
            ("port", self.port.is_some(), &[Http, Tcp]),
            ("path", self.path.is_some(), &[Http]),
            ("tls", self.tls.is_some(), &[Http]),
            ("insecure", self.insecure.is_some(), &[Http]),
            ("status", self.status.is_some(), &[Http]),
            ("body", self.body.is_some(), &[Http]),
            ("command", self.command.is_some(), &[Exec]),
            ("silent_s", self.silent_s.is_some(), &[Log]),
        ];
        given
            .into_iter()
            .find(|(_, given, kinds)| *given && !kinds.contains(&self.kind))
            .map(|(key, ..)| key)
    }
}

impl TryFrom<Written> for Probe {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let kind = written.kind.as_str();
        if let Some(key) = written.stray() {
            return Err(format!(
                "`{key}` does not belong to a probe of kind `{kind}`: use it with another kind"
            ));
        }
        let pace = Pace {
            interval_s: written.interval_s,
            timeout_s: written.timeout_s,
            failures: written.failures,
            successes: written.successes,
            start_grace_s: written.start_grace_s,
        };
        // As serde says it of a key that every kind needs.
        let lacks = |key: &str| format!("missing field `{key}`");
        let question = match written.kind {
            ProbeKind::Http => Question::Http(http(written)?),
            ProbeKind::Tcp => Question::Tcp {
                port: written.port.ok_or_else(|| lacks("port"))?,
            },
            ProbeKind::Exec => Question::Exec {
                command: written.command.ok_or_else(|| lacks("command"))?,
            },
            ProbeKind::Log => Question::Log {
                silent_s: written.silent_s.ok_or_else(|| lacks("silent_s"))?,
            },
        };
        Ok(Self { question, pace })
    }
}

fn http(written: Written) -> Result<Http, String> {
    let status = match written.status {
        None => Statuses::default(),
        Some(text) => Statuses::parse(&text).ok_or_else(|| {
            format!("`{text}` are no status codes: use codes and ranges, such as `200-299, 401`")
        })?,
    };
    let tls = match (written.tls, written.insecure) {
        (Some(true), Some(true)) => Tls::Unchecked,
        (Some(true), _) => Tls::Checked,
        (_, Some(true)) => return Err("`insecure` stands without `tls`: use both".to_owned()),
        _ => Tls::Off,
    };
    let lacks = || "missing field `port`".to_owned();
    Ok(Http {
        port: written.port.ok_or_else(lacks)?,
        path: written.path.unwrap_or_else(|| "/".to_owned()),
        tls,
        status,
        body: written.body,
    })
}

impl From<Probe> for Written {
    fn from(Probe { question, pace }: Probe) -> Self {
        let blank = |kind| Self::blank(kind, pace);
        match question {
            Question::Http(http) => Self {
                port: Some(http.port),
                path: Some(http.path),
                tls: (http.tls != Tls::Off).then_some(true),
                insecure: (http.tls == Tls::Unchecked).then_some(true),
                status: Some(http.status.to_string()),
                body: http.body,
                ..blank(ProbeKind::Http)
            },
            Question::Tcp { port } => Self {
                port: Some(port),
                ..blank(ProbeKind::Tcp)
            },
            Question::Exec { command } => Self {
                command: Some(command),
                ..blank(ProbeKind::Exec)
            },
            Question::Log { silent_s } => Self {
                silent_s: Some(silent_s),
                ..blank(ProbeKind::Log)
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Probe, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_probe_survives_being_written() {
        for json in [
            r#"{ "kind": "http", "port": 80 }"#,
            r#"{ "kind": "http", "port": 443, "path": "/ok?x=1", "tls": true, "insecure": true, "status": "200, 401",
                 "body": "fine", "interval_s": 5, "timeout_s": 1, "failures": 1, "successes": 2, "start_grace_s": 0 }"#,
            r#"{ "kind": "tcp", "port": 5432 }"#,
            r#"{ "kind": "exec", "command": ["true"] }"#,
            r#"{ "kind": "log", "silent_s": 60 }"#,
        ] {
            let probe = read(json).unwrap();
            let again = serde_json::to_string(&probe).unwrap();
            assert_eq!(read(&again).unwrap(), probe, "{again}");
        }
    }

    #[test]
    fn what_is_left_out_is_usual() {
        let probe = read(r#"{ "kind": "tcp", "port": 80 }"#).unwrap();
        assert_eq!(probe.pace, Pace::default());
    }

    #[test]
    fn a_certificate_counts_unless_it_is_to_be_left_alone() {
        for (keys, expected) in [
            ("", Tls::Off),
            (r#", "tls": true"#, Tls::Checked),
            (r#", "tls": true, "insecure": false"#, Tls::Checked),
            (r#", "tls": true, "insecure": true"#, Tls::Unchecked),
        ] {
            let probe = read(&format!(r#"{{ "kind": "http", "port": 1{keys} }}"#)).unwrap();
            let Question::Http(http) = probe.question else {
                panic!("{probe:?}");
            };
            assert_eq!(http.tls, expected, "{keys}");
        }
    }

    #[test]
    fn what_does_not_fit_its_kind_is_refused_by_name() {
        for (json, expected) in [
            (r#"{ "kind": "http" }"#, "missing field `port`"),
            (
                r#"{ "kind": "tcp", "port": 1, "path": "/" }"#,
                "`path` does not belong to a probe of kind `tcp`",
            ),
            (
                r#"{ "kind": "http", "port": 1, "silent_s": 9 }"#,
                "of kind `http`",
            ),
            (r#"{ "kind": "exec", "port": 1 }"#, "of kind `exec`"),
            (r#"{ "kind": "log", "port": 1 }"#, "of kind `log`"),
            (r#"{ "kind": "exec" }"#, "missing field `command`"),
            (r#"{ "kind": "log" }"#, "missing field `silent_s`"),
            (
                r#"{ "kind": "http", "port": 1, "insecure": true }"#,
                "without `tls`",
            ),
            (
                r#"{ "kind": "http", "port": 1, "status": "2xx" }"#,
                "`2xx` are no status codes",
            ),
            (
                r#"{ "kind": "http", "port": 1, "method": "POST" }"#,
                "unknown field `method`",
            ),
            (r#"{ "kind": "ping" }"#, "unknown variant `ping`"),
        ] {
            let refused = read(json).unwrap_err();
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
