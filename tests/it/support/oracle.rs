//! What must hold of an instance, whatever happened to it: a pure function over what database, engine and Discord say.

use std::collections::{BTreeMap, BTreeSet};

use yardarm::domain::{
    action::{Kind, State},
    ids::MessageId,
    outbox::{Subject, sent_by},
};

/// Everything that can be known of an instance from outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    /// The living.
    pub(crate) agents: Vec<Agent>,
    pub(crate) actions: BTreeMap<i64, Action>,
    /// Problems that are there.
    pub(crate) problems: Vec<Problem>,
    /// What is to be told in channels, or was.
    pub(crate) outbox: Vec<Outgoing>,
    /// What is wrong with the audit.
    pub(crate) audit: Vec<String>,
    /// What carries the instance's label on the engine.
    pub(crate) containers: Vec<Container>,
    /// Every container that was ever made.
    pub(crate) creations: Vec<Creation>,
    /// Every message of every channel and thread.
    pub(crate) messages: Vec<Message>,
}

#[derive(Clone, Debug)]
pub(crate) struct Agent {
    pub(crate) id: i64,
    /// What its container is called on the engine.
    pub(crate) name: String,
    pub(crate) container: Option<String>,
    /// People want it to run, or to stand still.
    pub(crate) is_up: bool,
    /// Its fleet is frozen: whatever ends in it stays down until people end that.
    pub(crate) is_frozen: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Action {
    pub(crate) kind: Kind,
    pub(crate) state: State,
    /// People were asked, and somebody's answer decided.
    pub(crate) decided: bool,
    /// How often the audit tells that it was begun.
    pub(crate) begun: i64,
    /// A start found it in the middle.
    pub(crate) cut_off: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// `agent 1 down`.
    pub(crate) about: String,
    /// Its alert, once it has one.
    pub(crate) alert: Option<Subject>,
}

#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) channel: u64,
    pub(crate) subject: Subject,
    pub(crate) stage: Stage,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Not due yet.
    Waits,
    Due,
    Sent,
    Dead,
}

#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub(crate) id: String,
    pub(crate) name: String,
    /// It runs, or stands still.
    pub(crate) is_up: bool,
}

/// That the engine made a container, and for whom, as its labels say.
#[derive(Clone, Debug)]
pub(crate) struct Creation {
    pub(crate) instance: String,
    pub(crate) agent: String,
    pub(crate) action: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) channel: u64,
    pub(crate) text: String,
}

impl Evidence {
    /// What is wrong at any moment, however much is under way.
    pub(crate) fn wrong(&self) -> Vec<String> {
        let rules = [
            Self::twice,
            Self::made_twice,
            Self::unknown,
            Self::told_twice,
            Self::never_told,
        ];
        let found = rules.iter().flat_map(|rule| rule(self));
        self.audit.iter().cloned().chain(found).collect()
    }

    /// What is wrong once nothing is under way.
    pub(crate) fn wrong_at_rest(&self) -> Vec<String> {
        let rules = [
            Self::orphans,
            Self::lost,
            Self::contrary,
            Self::unfinished,
            Self::untold,
        ];
        let found = rules.iter().flat_map(|rule| rule(self));
        self.wrong().into_iter().chain(found).collect()
    }

    /// Actions that are in a state.
    pub(crate) fn in_state(&self, state: State) -> Vec<i64> {
        let there = self.actions.iter();
        there
            .filter(|(_, action)| action.state == state)
            .map(|(id, _)| *id)
            .collect()
    }

    /// How many actions a start found in the middle.
    pub(crate) fn cut_off(&self) -> usize {
        let cut_off = self.actions.values().filter(|action| action.cut_off);
        cut_off.count()
    }

    fn twice(&self) -> Vec<String> {
        let wrong = self.actions.iter().filter(|(_, action)| {
            action.begun > 1 || (action.state == State::Succeeded && action.begun == 0)
        });
        wrong
            .map(|(id, action)| {
                let Action { kind, begun, .. } = action;
                format!("action {id}, a {kind}, was begun {begun} times")
            })
            .collect()
    }

    /// A replacement that was cut off is undone, never done again: it makes one container for each agent.
    fn made_twice(&self) -> Vec<String> {
        let once = |creation: &&Creation| {
            let action = self.actions.get(&creation.action);
            action.is_some_and(|action| {
                matches!(action.kind, Kind::Deploy | Kind::Redeploy | Kind::Rollback)
            })
        };
        let made = self.creations.iter().filter(once);
        let made = count(made.map(|creation| (creation.action, creation.agent.as_str())));
        several(made)
            .map(|((action, agent), times)| {
                format!("action {action} made {times} containers for agent {agent}")
            })
            .collect()
    }

    /// Whatever was made or told belongs to an action that is written down.
    fn unknown(&self) -> Vec<String> {
        let made = self.creations.iter().map(|creation| creation.action);
        let told = self.messages.iter().filter_map(|one| match one.subject()? {
            Subject::Action(id) | Subject::Approval(id) | Subject::Result(id) => Some(id.0),
            _ => None,
        });
        let named: BTreeSet<i64> = made.chain(told).collect();
        let unknown = named.iter().filter(|id| !self.actions.contains_key(*id));
        unknown.map(|id| format!("action {id} is lost")).collect()
    }

    fn told_twice(&self) -> Vec<String> {
        let told = self.messages.iter().filter_map(|message| {
            let subject = message.subject()?;
            Some((message.channel, subject.mark()))
        });
        several(count(told))
            .map(|((_, mark), times)| format!("`{mark}` is {times} messages"))
            .collect()
    }

    /// Given up, or believed to stand where it does not.
    fn never_told(&self) -> Vec<String> {
        let is_lost = |one: &&Outgoing| match one.stage {
            Stage::Sent => one.has_its_own_message() && !self.stands(one),
            Stage::Dead => true,
            Stage::Waits | Stage::Due => false,
        };
        let lost = self.outbox.iter().filter(is_lost);
        lost.map(|one| format!("`{}` was never told", one.subject.mark()))
            .collect()
    }

    fn stands(&self, outgoing: &Outgoing) -> bool {
        let mut there = self.messages.iter();
        there.any(|one| one.channel == outgoing.channel && one.tells(outgoing.subject))
    }

    /// What should have been told by now. Whoever has just ended may have left some of it to the next start.
    pub(crate) fn late(&self) -> Vec<String> {
        let due = self.outbox.iter().filter(|one| one.stage == Stage::Due);
        due.map(|one| format!("`{}` waits to be told", one.subject.mark()))
            .collect()
    }

    fn orphans(&self) -> Vec<String> {
        let known: BTreeSet<&str> = self.agents.iter().filter_map(Agent::container).collect();
        let orphans = self
            .containers
            .iter()
            .filter(|container| !known.contains(container.id.as_str()));
        orphans
            .map(|container| format!("container `{}` is no agent's", container.name))
            .collect()
    }

    fn lost(&self) -> Vec<String> {
        let lost = self.agents.iter().filter(|agent| self.own(agent).is_none());
        lost.map(|agent| format!("agent `{}` has no container of its name", agent.name))
            .collect()
    }

    fn own(&self, agent: &Agent) -> Option<&Container> {
        let id = agent.container()?;
        let mut there = self.containers.iter();
        there.find(|one| one.id == id && one.name == agent.name)
    }

    /// One that is up though people stopped it, or down without anybody knowing of a problem.
    fn contrary(&self) -> Vec<String> {
        let contrary = |agent: &Agent| match (agent.is_up, self.own(agent)?.is_up) {
            (true, false) if !agent.is_frozen && !self.has_problem(agent) => {
                Some(format!("`{}` is down", agent.name))
            }
            (false, true) => Some(format!("`{}` is up, and was stopped", agent.name)),
            _ => None,
        };
        self.agents.iter().filter_map(contrary).collect()
    }

    pub(crate) fn frozen(&self) -> Vec<String> {
        let frozen = self.agents.iter().filter(|agent| agent.is_frozen);
        frozen
            .map(|agent| format!("`{}` is frozen", agent.name))
            .collect()
    }

    fn has_problem(&self, agent: &Agent) -> bool {
        let of_it = format!("agent {} ", agent.id);
        let mut known = self.problems.iter();
        known.any(|problem| problem.about.starts_with(&of_it))
    }

    fn unfinished(&self) -> Vec<String> {
        let open = self.actions.iter().filter(|(_, action)| {
            matches!(action.state, State::Pending | State::Running)
                || (action.state == State::Asked && action.decided)
        });
        open.map(|(id, action)| {
            let Action { kind, state, .. } = action;
            format!("action {id}, a {kind}, is still {}", state.as_str())
        })
        .collect()
    }

    fn untold(&self) -> Vec<String> {
        let is_told = |problem: &&Problem| {
            let told = |alert| self.messages.iter().any(|one| one.tells(alert));
            problem.alert.is_some_and(told)
        };
        let untold = self.problems.iter().filter(|problem| !is_told(problem));
        untold
            .map(|problem| format!("nobody was told of `{}`", problem.about))
            .collect()
    }
}

impl Agent {
    fn container(&self) -> Option<&str> {
        self.container.as_deref()
    }
}

impl Outgoing {
    /// A thread has none, a board may be gone, and what comes too late to notify of is left out.
    fn has_its_own_message(&self) -> bool {
        !matches!(
            self.subject,
            Subject::Thread(_) | Subject::Board(_) | Subject::Nudge(_)
        )
    }
}

impl Message {
    /// What it is a message of its own about.
    fn subject(&self) -> Option<Subject> {
        self.text.lines().find_map(|line| {
            let mut words = line.strip_prefix("-# ")?.split(' ');
            Subject::parse(words.next()?, words.next()?.parse().ok()?)
        })
    }

    pub(crate) fn is_alert(&self) -> bool {
        matches!(self.subject(), Some(Subject::Alert(_)))
    }

    fn tells(&self, subject: Subject) -> bool {
        tells(&self.text, subject)
    }
}

/// Whether a message tells of something, alone or among others.
pub(crate) fn tells(text: &str, subject: Subject) -> bool {
    let marks = |line| sent_by(line, subject, MessageId(1)).is_some();
    text.lines().any(marks)
}

fn count<T: Ord>(items: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    counts
}

fn several<T>(counts: BTreeMap<T, usize>) -> impl Iterator<Item = (T, usize)> {
    counts.into_iter().filter(|(_, times)| *times > 1)
}
