//! Silences: what people do not want to hear of, each with a reason, an author and an end.

use chrono::TimeDelta;

use super::{Ops, actions::Request, alerts::pattern_of, sight::Sight};
use crate::{
    domain::{
        action::{Action, Details, Kind},
        fleet::Fleet,
        grant::{Level, Need},
        ids::{AlertId, FleetId, SilenceId},
        incident::{self, Incident, Severity},
        outbox::Subject,
        pattern::{BadPattern, Pattern},
        squelch::{Matcher, Quiet, Silence},
    },
    error::{Error, Result},
    store::{
        alerts, outbox,
        silences::{self, NewSilence},
    },
};

impl Sight<'_> {
    /// Of one agent or those a pattern matches, one fleet, or everything; of all kinds and severities, or one.
    pub fn request_silence(
        &self,
        (agent, fleet): (Option<&str>, Option<&str>),
        (kind, severity): (Option<incident::Kind>, Option<Severity>),
        hours: u32,
    ) -> Result<Request> {
        let mut matcher = Matcher {
            kinds: kind.into_iter().collect(),
            severities: severity.into_iter().collect(),
            ..Matcher::default()
        };
        let within = match (agent, fleet) {
            (Some(pattern), fleet) if pattern.contains('*') => {
                let wrong = |error: BadPattern| Error::Invalid(format!("{error}."));
                matcher.agents.push(Pattern::parse(pattern).map_err(wrong)?);
                fleet.map(|fleet| self.fleet(fleet)).transpose()?
            }
            (Some(agent), _) => {
                let view = self.look_at(agent)?;
                matcher.agents.push(pattern_of(&view.agent.name));
                Some(self.fleet(view.fleet.as_str())?)
            }
            (None, Some(fleet)) => Some(self.fleet(fleet)?),
            (None, None) => None,
        };
        matcher.fleets = within.iter().map(|fleet| pattern_of(&fleet.name)).collect();
        self.quiet(
            Kind::Silence,
            within.as_ref(),
            Quiet::For { matcher, hours },
        )
    }

    /// Of what is open in the message about it.
    pub async fn request_silence_of(&self, id: AlertId, hours: u32) -> Result<Request> {
        let incidents = self.store.incidents_of(id).await?;
        let open: Vec<&Incident> = incidents.iter().filter(|one| one.is_open()).collect();
        let Some(first) = open.first() else {
            return Err(Error::AlreadyDecided(
                "This is over already: there is nothing left to silence.".to_owned(),
            ));
        };
        let mut kinds: Vec<incident::Kind> = open.iter().map(|one| one.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let fleet = first.fleet.as_ref().filter(|(id, _)| {
            let same = |one: &&Incident| one.fleet.as_ref().is_some_and(|(other, _)| other == id);
            open.iter().all(same)
        });
        let matcher = Matcher {
            kinds,
            agents: open
                .iter()
                .filter_map(|one| one.agent.as_ref().map(pattern_of))
                .collect(),
            fleets: fleet.iter().map(|(_, name)| pattern_of(name)).collect(),
            ..Matcher::default()
        };
        let within = fleet
            .map(|(_, name)| self.fleet(name.as_str()))
            .transpose()?;
        self.quiet(
            Kind::Silence,
            within.as_ref(),
            Quiet::For { matcher, hours },
        )
    }

    /// That one is heard of again.
    pub async fn request_silence_end(&self, id: SilenceId) -> Result<Request> {
        let missing = || {
            Error::NotFound(format!(
                "There is no silence {id} any more. `/silences` lists those that count."
            ))
        };
        let all = self.silences_seen().await?;
        let found = all
            .into_iter()
            .find(|one| one.id == id)
            .ok_or_else(missing)?;
        let within = self.fleet_of(&found.matcher);
        let quiet = Quiet::End {
            silence: id,
            matcher: found.matcher,
        };
        self.quiet(Kind::SilenceEnd, within.as_ref(), quiet)
    }

    /// Those that count now and are about what the caller sees, the first to end first.
    pub async fn silences_seen(&self) -> Result<Vec<Silence>> {
        let mut all = self.store.silences(self.now()).await?;
        all.retain(|one| match one.matcher.fleets.as_slice() {
            [] => {
                one.matcher.agents.is_empty()
                    || self.permit(&Need::everything(Level::Viewer)).is_ok()
            }
            fleets => self.roster.read(|board| {
                let mut known = board.fleets().filter(|fleet| self.sees(&fleet.name));
                known.any(|fleet| fleets.iter().any(|one| one.matches(fleet.name.as_str())))
            }),
        });
        Ok(all)
    }

    /// The one fleet that a silence is confined to.
    fn fleet_of(&self, matcher: &Matcher) -> Option<Fleet> {
        let [only] = matcher.fleets.as_slice() else {
            return None;
        };
        self.fleet(only.as_str()).ok()
    }

    fn quiet(&self, kind: Kind, within: Option<&Fleet>, quiet: Quiet) -> Result<Request> {
        let fleet: Option<FleetId> = within.map(|fleet| fleet.id);
        match within {
            Some(fleet) => self.permit_in(kind, fleet)?,
            None => self.permit(&Need::everything(kind.level()))?,
        }
        Ok(Request {
            kind,
            targets: Vec::new(),
            newcomer: None,
            secret: None,
            details: Details {
                fleet,
                quiet: Some(Box::new(quiet)),
                ..Details::default()
            },
        })
    }
}

impl Ops {
    pub(super) async fn apply_silence(&self, action: &Action) -> Result<Option<String>> {
        let now = self.now();
        let mut tx = self.store.begin().await?;
        let note = match (action.details.quiet.as_deref(), action.actor) {
            (Some(Quiet::For { matcher, hours }), Some(author)) => {
                let until = now + TimeDelta::hours(i64::from(*hours));
                let silence = NewSilence {
                    matcher,
                    reason: action.reason.as_deref().unwrap_or_default(),
                    author,
                    since: now,
                    until,
                };
                silences::insert(&mut tx, action.id, &silence).await?;
                format!("It ends <t:{}:R>.", until.timestamp())
            }
            (Some(Quiet::End { silence, .. }), _) => {
                if silences::end(&mut tx, *silence, now).await? {
                    "It is heard of again.".to_owned()
                } else {
                    "It was over already.".to_owned()
                }
            }
            _ => return Err(super::execute::unfit(action)),
        };
        for alert in alerts::open(&mut tx).await? {
            outbox::touch(&mut tx, Subject::Alert(alert.id), now).await?;
        }
        self.put_in_force(tx, action).await?;
        self.ring();
        Ok(Some(note))
    }
}
