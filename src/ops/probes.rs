//! Asking agents how they are, one question at a time. What the answers in a row are worth, the roster keeps.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt as _;
use tokio::time::timeout;

use super::Ops;
use crate::{
    domain::{
        agent::{Desired, Phase},
        event::Event,
        ids::{AgentId, ContainerId},
        log::{LogLine, LogQuery},
        probe::{Answer, Asked, Probe, Question},
        recovery::Cause,
        spec::{LogMeaning, LogPattern, Network, Spec},
        view::View,
    },
    engine::{self, EngineError, ExecOutcome},
};

/// What an agent's probes are asked of: an answer about another run of it tells nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub container: ContainerId,
    pub started_at: Option<DateTime<Utc>>,
    /// Of its spec.
    pub version: i64,
}

/// What is done for one run again and again.
#[derive(Clone, Debug)]
pub enum Errand {
    /// A probe, by its place in the spec.
    Ask(usize, Probe),
    /// Whether the log says that it waits for a person or is blocked.
    ReadLog,
}

impl Errand {
    pub fn interval(&self) -> TimeDelta {
        match self {
            Self::Ask(_, probe) => TimeDelta::seconds(probe.pace.interval_s.into()),
            Self::ReadLog => READ_EVERY,
        }
    }
}

/// What waits for a person waits for longer than this.
const READ_EVERY: TimeDelta = TimeDelta::seconds(20);
/// Lines of the log that its meaning is told by.
const LINES: u32 = 20;
/// A log that does not come within this time tells nothing.
const LOG_DEADLINE: Duration = Duration::from_secs(2);

fn errands(spec: &Spec) -> Vec<Errand> {
    let probes = spec.probes.iter().cloned().enumerate();
    let mut all: Vec<Errand> = probes
        .map(|(index, probe)| Errand::Ask(index, probe))
        .collect();
    let means_something = |pattern: &LogPattern| pattern.means != LogMeaning::Failed;
    if spec.log_patterns.iter().any(means_something) {
        all.push(Errand::ReadLog);
    }
    all
}

impl Ops {
    /// The run of an agent that is to be looked after now, and how; None while nothing is asked of it.
    pub fn errands_for(&self, agent: AgentId) -> Option<(Run, Vec<Errand>)> {
        self.roster.read(|board| {
            let view = board.by_id(agent)?;
            let quiet = view.busy.is_some() || board.is_frozen(view.agent.fleet);
            let (run, version) = (run_of(view)?, view.version.as_ref()?);
            (!quiet).then(|| (run, errands(&version.spec)))
        })
    }

    /// Every agent of which anything is asked.
    pub fn agents_with_errands(&self) -> Vec<AgentId> {
        self.roster.read(|board| {
            let with = board.views().filter(|view| {
                let version = view.version.as_ref();
                version.is_some_and(|one| !errands(&one.spec).is_empty())
            });
            with.map(|view| view.agent.id).collect()
        })
    }

    /// Asks one question and notes the answer, unless the agent has been started anew or is at work by then.
    pub async fn run_errand(&self, agent: AgentId, run: &Run, errand: &Errand) {
        let Some(view) = self.roster.view_of(agent) else {
            return;
        };
        let turned = match errand {
            Errand::Ask(index, probe) => {
                let asked = self.probe(&view, probe).await;
                self.roster.note_probe(agent, run, (*index, asked))
            }
            Errand::ReadLog => match self.read_log(&view, run).await {
                Some(says) => self.roster.note_log(agent, run, says, self.now()),
                None => false,
            },
        };
        if turned {
            self.publish(Event::Agent(agent));
        }
    }

    async fn probe(&self, view: &View, probe: &Probe) -> Asked {
        let began = Instant::now();
        let answer = self.put_question(view, probe).await;
        let took = began.elapsed();
        self.meters.probe(probe.kind(), answer.as_str(), took);
        Asked {
            at: self.now(),
            took,
            answer,
        }
    }

    /// What the last line of this run means that the template knows; None if the log cannot be read.
    async fn read_log(&self, view: &View, run: &Run) -> Option<Option<LogMeaning>> {
        let query = LogQuery {
            tail: LINES,
            since: None,
            stdout: true,
            stderr: true,
            follow: false,
        };
        let read = async {
            let lines = self.engine.logs(&run.container, &query).await?;
            let lines: Vec<_> = lines.collect().await;
            lines.into_iter().collect::<engine::Result<Vec<LogLine>>>()
        };
        let lines = timeout(LOG_DEADLINE, read).await.ok()?.ok()?;
        // Docker keeps the lines of earlier runs.
        let of_this_run = |line: &LogLine| line.at >= run.started_at;
        let texts = lines.into_iter().filter(of_this_run).map(|line| line.text);
        let patterns = &view.version.as_ref()?.spec.log_patterns;
        Some(Cause::told_by(patterns, &texts.collect::<Vec<_>>()))
    }

    async fn put_question(&self, view: &View, probe: &Probe) -> Answer {
        let most = probe.pace.timeout();
        match &probe.question {
            Question::Http(http) => match address_of(view) {
                Some(address) => self.prober.http(address, http, most).await,
                None => no_address(),
            },
            Question::Tcp { port } => match address_of(view) {
                Some(address) => self.prober.tcp(address, *port, most).await,
                None => no_address(),
            },
            Question::Exec { command } => self.run_inside(view, command, most).await,
            Question::Log { silent_s } => self.listen_for(view, *silent_s, most).await,
        }
    }

    async fn run_inside(&self, view: &View, command: &[String], most: Duration) -> Answer {
        let Some(container) = &view.agent.container else {
            return no_container();
        };
        match self.engine.exec(container, command, most).await {
            Ok(ExecOutcome {
                exit_code: Some(0), ..
            }) => Answer::Well,
            Ok(outcome) => Answer::Ill(self.failed(view, &outcome, most).await),
            Err(error) => Answer::Unasked(error.to_string()),
        }
    }

    /// How a command failed, with the first line that it wrote, without secrets.
    async fn failed(&self, view: &View, outcome: &ExecOutcome, most: Duration) -> String {
        let how = match outcome.exit_code {
            Some(code) => format!("exit code {code}"),
            None => format!("did not end within {} s", most.as_secs()),
        };
        let first = outcome.output.lines().find(|line| !line.trim().is_empty());
        let redactor = self.redactor_of(view).await;
        match (first, redactor) {
            (Some(line), Ok(redactor)) => {
                let lines = redactor.redact_lines(&[line.trim().to_owned()]);
                format!("{how}: {}", lines.join(" "))
            }
            _ => how,
        }
    }

    /// Whether its last line is young enough; before the first one the start counts.
    async fn listen_for(&self, view: &View, silent_s: u32, most: Duration) -> Answer {
        let Some(container) = &view.agent.container else {
            return no_container();
        };
        let query = LogQuery {
            tail: 1,
            since: None,
            stdout: true,
            stderr: true,
            follow: false,
        };
        let read = async {
            let lines = self.engine.logs(container, &query).await?;
            let lines: Vec<_> = lines.collect().await;
            let lines: engine::Result<Vec<LogLine>> = lines.into_iter().collect();
            Ok::<_, EngineError>(lines?.pop().and_then(|line| line.at))
        };
        let last = match timeout(most, read).await {
            Ok(Ok(last)) => last,
            Ok(Err(error)) => return Answer::Unasked(error.to_string()),
            Err(_) => return Answer::Unasked("the log did not come in time".to_owned()),
        };
        let started_at = view.observed.as_ref().and_then(|seen| seen.started_at);
        let last = last.max(started_at);
        let allowed = TimeDelta::seconds(silent_s.into());
        let now = self.now() + self.noted.engine_ahead();
        match last.map(|last| now - last) {
            Some(silent) if silent > allowed => {
                Answer::Ill(format!("no line for {} s", silent.num_seconds()))
            }
            _ => Answer::Well,
        }
    }
}

/// The run of an agent that should run and does, as far as anybody knows.
pub(super) fn run_of(view: &View) -> Option<Run> {
    let seen = view.observed.as_ref()?;
    let runs = view.agent.desired == Desired::Running && seen.phase == Phase::Running;
    runs.then(|| Run {
        container: seen.container.clone(),
        started_at: seen.started_at,
        version: view.agent.version,
    })
}

/// In its fleet's network, or on loopback if the host's network is its own.
fn address_of(view: &View) -> Option<IpAddr> {
    let network = view.version.as_ref()?.spec.network;
    if network == Network::Host {
        return Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    view.observed.as_ref()?.addresses.first().copied()
}

fn no_container() -> Answer {
    Answer::Unasked("it has no container".to_owned())
}

fn no_address() -> Answer {
    Answer::Unasked("it has no address in any network".to_owned())
}
