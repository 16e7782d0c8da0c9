//! What the environment asks of the agent. An empty value counts as none: templates pass empty parameters so.

use std::str::FromStr;
use std::time::Duration;

const NAMELESS: &str = "demo";

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Run,
    HealthCheck,
}

impl Command {
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let arguments: Vec<String> = arguments.collect();
        match arguments.as_slice() {
            [] => Ok(Self::Run),
            [word] if word == "healthcheck" => Ok(Self::HealthCheck),
            other => Err(format!(
                "unknown arguments `{}`\nhint: none, or `healthcheck`",
                other.join(" ")
            )),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// `AGENT_NAME`, else `HOSTNAME`, which the engine sets.
    pub(crate) name: String,
    /// `DEMO_PORT`
    pub(crate) port: u16,
    /// `DEMO_INTERVAL_S`: between two ticks; decimals are fine here and below.
    pub(crate) interval: Duration,
    /// `DEMO_EXIT_AFTER_S`
    pub(crate) exit_after: Option<Duration>,
    /// `DEMO_EXIT_CODE`: 1 unless told, as leaving is a crash here.
    pub(crate) exit_code: u8,
    /// `DEMO_UNHEALTHY_AFTER_S`: from then on `/healthz` answers 503.
    pub(crate) unhealthy_after: Option<Duration>,
    /// `DEMO_SAY`: one line printed after the greeting, for log patterns.
    pub(crate) say: Option<String>,
    /// `DEMO_LOG_LINES`: lines printed at once at the start.
    pub(crate) log_lines: u64,
    /// `DEMO_LOG_BYTES`: at least so many bytes, printed at once at the start.
    pub(crate) log_bytes: usize,
    /// `DEMO_QUIET`: no ticks in the log.
    pub(crate) quiet: bool,
    /// `DEMO_STDERR_EVERY`: every n-th tick goes to stderr; 0 is never.
    pub(crate) stderr_every: u64,
    /// `DEMO_EAT_MB`: memory taken at the start and kept.
    pub(crate) eat_mb: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: NAMELESS.into(),
            port: 8080,
            interval: Duration::from_secs(5),
            exit_after: None,
            exit_code: 1,
            unhealthy_after: None,
            say: None,
            log_lines: 0,
            log_bytes: 0,
            quiet: false,
            stderr_every: 0,
            eat_mb: 0,
        }
    }
}

impl Settings {
    pub(crate) fn parse(variables: impl Iterator<Item = (String, String)>) -> Result<Self, String> {
        let mut settings = Self::default();
        for (name, value) in variables.filter(|(_, value)| !value.is_empty()) {
            settings.set(&name, value)?;
        }
        if settings.interval.is_zero() {
            return Err("DEMO_INTERVAL_S must be more than 0".into());
        }
        Ok(settings)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), String> {
        match name {
            "AGENT_NAME" => self.name = value,
            "HOSTNAME" if self.name == NAMELESS => self.name = value,
            "DEMO_PORT" => self.port = number(name, &value)?,
            "DEMO_INTERVAL_S" => self.interval = seconds(name, &value)?,
            "DEMO_EXIT_AFTER_S" => self.exit_after = Some(seconds(name, &value)?),
            "DEMO_EXIT_CODE" => self.exit_code = number(name, &value)?,
            "DEMO_UNHEALTHY_AFTER_S" => self.unhealthy_after = Some(seconds(name, &value)?),
            "DEMO_SAY" => self.say = Some(value),
            "DEMO_LOG_LINES" => self.log_lines = number(name, &value)?,
            "DEMO_LOG_BYTES" => self.log_bytes = number(name, &value)?,
            "DEMO_QUIET" => self.quiet = truth(name, &value)?,
            "DEMO_STDERR_EVERY" => self.stderr_every = number(name, &value)?,
            "DEMO_EAT_MB" => self.eat_mb = number(name, &value)?,
            _ if name.starts_with("DEMO_") => return Err(format!("unknown variable `{name}`")),
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn greeting(&self) -> String {
        format!(
            "Hello, I am {}. I tick every {:?}.",
            self.name, self.interval
        )
    }

    pub(crate) fn is_healthy_after(&self, uptime: Duration) -> bool {
        self.unhealthy_after.is_none_or(|after| uptime < after)
    }

    pub(crate) fn is_for_stderr(&self, tick: u64) -> bool {
        tick.checked_rem(self.stderr_every) == Some(0)
    }
}

fn number<T: FromStr>(name: &str, value: &str) -> Result<T, String> {
    value
        .parse()
        .map_err(|_| format!("{name}: `{value}` is not a whole number in range"))
}

fn truth(name: &str, value: &str) -> Result<bool, String> {
    value
        .parse()
        .map_err(|_| format!("{name}: `{value}` is neither `true` nor `false`"))
}

fn seconds(name: &str, value: &str) -> Result<Duration, String> {
    let seconds: Option<f64> = value.parse().ok();
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| format!("{name}: `{value}` is not a number of seconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(arguments: &[&str]) -> Result<Command, String> {
        Command::parse(arguments.iter().map(ToString::to_string))
    }

    fn settings(variables: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::parse(
            variables
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into())),
        )
    }

    #[test]
    fn runs_unless_asked_for_health() {
        assert_eq!(command(&[]), Ok(Command::Run));
        assert_eq!(command(&["healthcheck"]), Ok(Command::HealthCheck));
        assert_eq!(
            command(&["healthcheck", "now"]),
            Err("unknown arguments `healthcheck now`\nhint: none, or `healthcheck`".into())
        );
    }

    #[test]
    fn reads_every_variable() {
        let read = settings(&[
            ("AGENT_NAME", "scout"),
            ("DEMO_PORT", "9000"),
            ("DEMO_INTERVAL_S", "0.25"),
            ("DEMO_EXIT_AFTER_S", "3"),
            ("DEMO_EXIT_CODE", "137"),
            ("DEMO_UNHEALTHY_AFTER_S", "0"),
            ("DEMO_SAY", "waiting for input"),
            ("DEMO_LOG_LINES", "200"),
            ("DEMO_LOG_BYTES", "4096"),
            ("DEMO_QUIET", "true"),
            ("DEMO_STDERR_EVERY", "2"),
            ("DEMO_EAT_MB", "8"),
            ("PATH", "/"),
        ]);
        assert_eq!(
            read,
            Ok(Settings {
                name: "scout".into(),
                port: 9000,
                interval: Duration::from_millis(250),
                exit_after: Some(Duration::from_secs(3)),
                exit_code: 137,
                unhealthy_after: Some(Duration::ZERO),
                say: Some("waiting for input".into()),
                log_lines: 200,
                log_bytes: 4096,
                quiet: true,
                stderr_every: 2,
                eat_mb: 8,
            })
        );
    }

    #[test]
    fn its_own_name_beats_the_host_name() {
        let host = ("HOSTNAME", "3f2a");
        let own = ("AGENT_NAME", "scout");
        assert_eq!(settings(&[host]).unwrap().name, "3f2a");
        assert_eq!(settings(&[host, own]).unwrap().name, "scout");
        assert_eq!(settings(&[own, host]).unwrap().name, "scout");
    }

    #[test]
    fn an_empty_value_is_none() {
        assert_eq!(
            settings(&[("AGENT_NAME", ""), ("DEMO_EXIT_AFTER_S", "")]),
            Ok(Settings::default())
        );
    }

    #[test]
    fn refuses_what_it_cannot_follow() {
        for (name, value, message) in [
            (
                "DEMO_EXIT_CODE",
                "256",
                "DEMO_EXIT_CODE: `256` is not a whole number in range",
            ),
            (
                "DEMO_EXIT_AFTER_S",
                "-1",
                "DEMO_EXIT_AFTER_S: `-1` is not a number of seconds",
            ),
            (
                "DEMO_QUIET",
                "yes",
                "DEMO_QUIET: `yes` is neither `true` nor `false`",
            ),
            (
                "DEMO_INTERVAL_S",
                "0",
                "DEMO_INTERVAL_S must be more than 0",
            ),
            (
                "DEMO_NONSENSE",
                "1",
                "unknown variable `DEMO_NONSENSE`",
            ),
        ] {
            assert_eq!(settings(&[(name, value)]), Err(message.into()));
        }
    }

    #[test]
    fn turns_unhealthy_when_told() {
        let read = settings(&[("DEMO_UNHEALTHY_AFTER_S", "2")]).unwrap();
        assert!(read.is_healthy_after(Duration::from_secs(1)));
        assert!(!read.is_healthy_after(Duration::from_secs(2)));
        assert!(Settings::default().is_healthy_after(Duration::MAX));
    }

    #[test]
    fn sends_every_nth_tick_to_stderr() {
        let read = settings(&[("DEMO_STDERR_EVERY", "3")]).unwrap();
        assert!(read.is_for_stderr(3) && !read.is_for_stderr(4));
        assert!(!Settings::default().is_for_stderr(3));
    }
}
