//! From what a person typed to a request: validated from memory alone, so that refusals come at once.

mod changes;
mod deployments;
mod groups;
pub mod secrets;

use super::{Ops, actions::Request, catalog::Entry, sight::Sight};
use crate::{
    domain::{
        action::{Details, Kind},
        agent::Name,
        fleet::Fleet,
        nearest::did_you_mean,
        pattern::matches,
        problem::{Problem, capitalised},
        view::{EngineState, View},
    },
    error::{Error, Result},
    store::actions::NewTarget,
};

/// Whom a command is about: one agent, a pattern with `*`, a fleet, or a pattern within a fleet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection<'a> {
    pub agent: Option<&'a str>,
    pub fleet: Option<&'a str>,
}

impl Sight<'_> {
    /// The agents a selection means, by name; at least one.
    pub fn select(&self, selection: Selection<'_>) -> Result<Vec<View>> {
        let fleet = selection.fleet.map(|name| self.fleet(name)).transpose()?;
        let pattern = selection.agent.unwrap_or("*");
        if fleet.is_none() && selection.agent.is_none() {
            return Err(Error::Invalid(
                "Say which: `agent:` (a name or a pattern such as `scout-*`) or `fleet:`."
                    .to_owned(),
            ));
        }
        if fleet.is_none() && !pattern.contains('*') {
            return self.agent(pattern).map(|view| vec![view]);
        }
        let found: Vec<View> = self.roster.read(|board| {
            // A fleet that is named is refused by name; a pattern means what is seen.
            let within = |view: &&View| match &fleet {
                Some(fleet) => view.agent.fleet == fleet.id,
                None => self.sees(&view.fleet),
            };
            let named = |view: &&View| matches(pattern, view.agent.name.as_str());
            board
                .views()
                .filter(within)
                .filter(named)
                .cloned()
                .collect()
        });
        if found.is_empty() {
            return Err(Error::NotFound(match fleet {
                Some(fleet) if selection.agent.is_none() => format!(
                    "Nobody is in `{0}`. `/deploy fleet:{0} template:` makes an agent in it.",
                    fleet.name
                ),
                Some(fleet) => format!(
                    "No agent of `{}` is called `{}`. `/fleet list` shows who is in it.",
                    fleet.name,
                    plain(pattern)
                ),
                None => format!(
                    "No agent is called `{}`. `/status` shows all.",
                    plain(pattern)
                ),
            }));
        }
        Ok(found)
    }

    pub fn agent(&self, name: &str) -> Result<View> {
        self.roster.view(name).ok_or_else(|| {
            let known: Vec<String> = self.roster.read(|board| {
                board
                    .views()
                    .filter(|view| self.sees(&view.fleet))
                    .map(|view| view.agent.name.to_string())
                    .collect()
            });
            Error::NotFound(format!(
                "There is no agent `{}`. {}",
                plain(name),
                suggest(name, &known, "`/deploy` makes the first one.")
            ))
        })
    }

    pub fn fleet(&self, name: &str) -> Result<Fleet> {
        self.roster
            .read(|board| board.fleet(name).cloned())
            .ok_or_else(|| {
                let known: Vec<String> = self.roster.read(|board| {
                    let names = board.fleets().map(|fleet| &fleet.name);
                    names
                        .filter(|name| self.sees(name))
                        .map(Name::to_string)
                        .collect()
                });
                Error::NotFound(format!(
                    "There is no fleet `{}`. {}",
                    plain(name),
                    suggest(name, &known, "`/fleet create` makes one.")
                ))
            })
    }
}

impl Ops {
    pub fn template(&self, name: &str) -> Result<Entry> {
        self.catalog.get(name).ok_or_else(|| {
            let known: Vec<String> = self.catalog.all().keys().map(Name::to_string).collect();
            let advice = suggest(
                name,
                &known,
                "Put one into the folder `agents.templates`, then `/reload`.",
            );
            Error::NotFound(format!("There is no template `{}`. {advice}", plain(name)))
        })
    }

    fn free_name(&self, name: &str) -> Result<Name> {
        let name = parse_name(name)?;
        if self.roster.view(name.as_str()).is_some() {
            return Err(Error::Invalid(format!(
                "`{name}` is taken. Choose another name, or `/redeploy agent:{name}`."
            )));
        }
        Ok(name)
    }

    /// Docker's silence is known from memory: nobody waits to learn it.
    fn engine_answers(&self) -> Result<()> {
        self.roster.read(|board| match &board.engine {
            EngineState::Silent { since, why } => Err(Error::Unavailable(format!(
                "Docker has not answered since <t:{}:R>: {}. Nothing was changed. It is asked again all the time; check `systemctl status docker` on the host.",
                since.timestamp(),
                plain(why)
            ))),
            EngineState::Unasked | EngineState::Answers { .. } => Ok(()),
        })
    }
}

fn request(kind: Kind, targets: Vec<NewTarget>) -> Request {
    Request {
        kind,
        targets,
        newcomer: None,
        secret: None,
        details: Details::default(),
    }
}

pub(super) const fn change_of(kind: Kind, details: Details) -> Request {
    Request {
        kind,
        targets: Vec::new(),
        newcomer: None,
        secret: None,
        details,
    }
}

fn refuse_busy(view: &View) -> Result<()> {
    let Some(busy) = view.busy else { return Ok(()) };
    let by = busy
        .actor
        .map_or_else(|| "Yardarm".to_owned(), |actor| format!("<@{actor}>"));
    Err(Error::Busy(format!(
        "`{}` is busy: {} by {by}, <t:{}:R>. Wait for it, then send the command again.",
        view.agent.name,
        busy.kind,
        busy.since.timestamp()
    )))
}

pub(super) fn parse_name(text: &str) -> Result<Name> {
    Name::parse(text).map_err(|error| Error::Invalid(format!("{error}.")))
}

fn invalid(problems: &[Problem]) -> Error {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    Error::Invalid(lines.join("\n"))
}

/// A sentence that helps on from an unknown name.
pub(super) fn suggest<S: AsRef<str>>(name: &str, known: &[S], none: &str) -> String {
    if known.is_empty() {
        return none.to_owned();
    }
    let advice = did_you_mean(name, known);
    let end = if advice.ends_with('?') { "" } else { "." };
    format!("{}{end}", capitalised(&advice))
}

/// Typed text in an answer: short, and unable to leave its code span.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .take(80)
        .map(|c| if c == '`' { '\'' } else { c })
        .collect()
}
