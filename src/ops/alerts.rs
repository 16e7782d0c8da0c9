//! From incidents to messages: runs the pipeline of [`crate::domain::squelch`] and writes what it says.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Ops;
use crate::{
    config::Outlet,
    domain::{
        agent::Name,
        event::Event,
        ids::{AlertId, ChannelId, MessageId, NudgeId},
        incident::{Incident, Kind, Severity},
        outbox::Subject,
        pattern::Pattern,
        squelch::{Change, Destination, Mute, Nudge, Pace, Pipeline, Route, Rules, Silence, Steps},
        view::{AlertView, Attempts},
    },
    error::{Error, Result},
    store::{Tx, alerts, incidents, outbox},
};

/// Opening, announcing and nudging follow each other at most so often in one go.
const ROUNDS: usize = 6;

impl Ops {
    /// Compares incidents with what is, then writes what people are to be told; tells when something is due next.
    pub async fn tell_incidents(&self) -> Result<Option<DateTime<Utc>>> {
        self.survey().await?;
        self.squelch().await
    }

    /// Writes whatever is due, and tells when something is due next.
    pub(super) async fn squelch(&self) -> Result<Option<DateTime<Utc>>> {
        let (now, rules) = (self.now(), self.squelch_rules());
        let silences = self.store.silences(now).await?;
        let mut tx = self.store.begin().await?;
        let mut wrote = false;
        let mut next = None;
        for _ in 0..ROUNDS {
            let steps = self.step(&mut tx, (&rules, &silences), now).await?;
            next = steps.next;
            if steps.changes.is_empty() {
                break;
            }
            wrote = true;
        }
        if wrote {
            tx.commit().await?;
            self.publish(Event::Outbox);
        }
        Ok(next)
    }

    async fn step(
        &self,
        tx: &mut Tx,
        (rules, silences): (&Rules, &[Silence]),
        now: DateTime<Utc>,
    ) -> Result<Steps> {
        let (incidents, alerts) = (incidents::picture(tx).await?, alerts::open(tx).await?);
        let pipeline = Pipeline {
            rules,
            silences,
            incidents: &incidents,
            alerts: &alerts,
            now,
        };
        let steps = pipeline.step();
        for change in &steps.changes {
            self.write_change(tx, &pipeline, change).await?;
        }
        Ok(steps)
    }

    async fn write_change(
        &self,
        tx: &mut Tx,
        pipeline: &Pipeline<'_>,
        change: &Change,
    ) -> Result<()> {
        let now = pipeline.now;
        match change {
            Change::Open {
                route,
                group,
                due_at,
                incidents,
            } => {
                alerts::insert(tx, (route, group, *due_at), incidents, now).await?;
            }
            Change::Join(alert, incident) => {
                alerts::join(tx, (*alert, *incident), now).await?;
                outbox::touch(tx, Subject::Alert(*alert), now).await?;
            }
            Change::Reopen(id, due_at) => {
                alerts::reopen(tx, *id, *due_at).await?;
                outbox::touch(tx, Subject::Alert(*id), now).await?;
                self.tell_targets(tx, *id, Outlet::keeps_state).await?;
            }
            Change::Announce(id, severity) => {
                self.announce_alert(tx, pipeline, (*id, *severity)).await?;
            }
            Change::Reroute {
                alert,
                route,
                group,
            } => {
                alerts::reroute(tx, *alert, (route, group), now).await?;
                let to = pipeline.beyond(*alert, route);
                let taken = pipeline.rules.route_named(route);
                let to = (to.as_slice(), taken.is_some_and(|route| route.thread));
                self.put_alert(tx, pipeline, (Subject::Alert(*alert), *alert), to)
                    .await?;
            }
            Change::Nudge(id, nudge, severity) => {
                self.nudge_again(tx, pipeline, (*id, *nudge, *severity))
                    .await?;
            }
            Change::Unheed(id) => alerts::unheed(tx, *id, now).await?,
            Change::Heed(id) => alerts::heed(tx, *id).await?,
            Change::Close(id) => {
                alerts::close(tx, *id, now).await?;
                outbox::touch(tx, Subject::Alert(*id), now).await?;
                end_threads(tx, *id, now).await?;
                self.tell_targets(tx, *id, |_| true).await?;
            }
        }
        Ok(())
    }

    async fn announce_alert(
        &self,
        tx: &mut Tx,
        pipeline: &Pipeline<'_>,
        (id, severity): (AlertId, Severity),
    ) -> Result<()> {
        alerts::announce(tx, (id, severity), pipeline.now).await?;
        incidents::note_told(tx, &pipeline.heard(id), pipeline.now).await?;
        let to = (pipeline.destinations(id, None), pipeline.has_thread(id));
        self.put_alert(tx, pipeline, (Subject::Alert(id), id), to)
            .await
    }

    async fn nudge_again(
        &self,
        tx: &mut Tx,
        pipeline: &Pipeline<'_>,
        (id, nudge, severity): (AlertId, Nudge, Severity),
    ) -> Result<()> {
        let number = alerts::nudge(tx, (id, nudge, severity), pipeline.now).await?;
        incidents::note_told(tx, &pipeline.heard(id), pipeline.now).await?;
        let to = (pipeline.destinations(id, Some(nudge)), false);
        self.put_alert(tx, pipeline, (Subject::Nudge(number), id), to)
            .await?;
        Ok(outbox::touch(tx, Subject::Alert(id), pipeline.now).await?)
    }

    async fn put_alert(
        &self,
        tx: &mut Tx,
        pipeline: &Pipeline<'_>,
        (subject, alert): (Subject, AlertId),
        (to, threaded): (&[Destination], bool),
    ) -> Result<()> {
        let now = pipeline.now;
        let first = pipeline
            .incidents
            .iter()
            .find(|one| one.alert == Some(alert));
        for destination in to {
            if let Destination::Target(name) = destination {
                outbox::put_target(tx, (subject, name), now).await?;
                continue;
            }
            let Some(channel) = self.channel_for(destination, first) else {
                tracing::warn!(
                    alert.id = alert.0,
                    "an alert has no channel: set `discord.ops_channel`"
                );
                continue;
            };
            outbox::tell(tx, (subject, channel), now).await?;
            if threaded {
                outbox::tell(tx, (Subject::Thread(alert), channel), now).await?;
            }
        }
        Ok(())
    }

    /// Tells those outside of Discord who know of an alert how it stands now. Messages cannot be edited there, so that
    /// some are not bothered with everything.
    pub(super) async fn tell_targets(
        &self,
        tx: &mut Tx,
        alert: AlertId,
        concerns: impl Fn(&Outlet) -> bool,
    ) -> Result<()> {
        let settings = self.settings();
        for name in outbox::targets_of(tx, alert).await? {
            if settings.notify.get(&name).is_some_and(&concerns) {
                outbox::put_target(tx, (Subject::Alert(alert), &name), self.now()).await?;
            }
        }
        Ok(())
    }

    /// Where the message about an alert stands in Discord.
    pub async fn link_to_alert(&self, id: AlertId) -> Result<Option<String>> {
        let place = self.store.outbox_place(Subject::Alert(id)).await?;
        let guild = self.settings().discord.guild;
        Ok(place.map(|(channel, message)| {
            format!("https://discord.com/channels/{guild}/{channel}/{message}")
        }))
    }

    fn channel_for(&self, to: &Destination, incident: Option<&Incident>) -> Option<ChannelId> {
        match to {
            Destination::Channel(channel) => Some(*channel),
            Destination::Ops => {
                let fleet = incident.and_then(|one| one.fleet.as_ref());
                let own = fleet.and_then(|(id, _)| {
                    self.roster
                        .read(|board| board.fleet_by_id(*id).and_then(|fleet| fleet.channel))
                });
                own.or(self.settings().discord.ops_channel)
            }
            Destination::Target(_) => None,
        }
    }

    /// Everything that the message about a group of incidents shows.
    pub async fn alert_view(&self, id: AlertId) -> Result<AlertView> {
        let missing = || Error::NotFound(format!("There is no alert {id}."));
        let alert = self.store.alert(id).await?.ok_or_else(missing)?;
        let incidents = self.store.incidents_of(id).await?;
        let attempts = match incidents.as_slice() {
            [only] if only.is_present() => self.attempts_of(only).await?,
            _ => None,
        };
        let route = self.route_named(&alert.route);
        let mute = self.mute_of(&incidents).await?;
        Ok(AlertView {
            mute,
            alert,
            incidents,
            attempts,
            users: route.users,
            roles: route.roles,
        })
    }

    /// Why people are notified once more, and of what.
    pub async fn nudge_view(&self, id: NudgeId) -> Result<(AlertView, Nudge)> {
        let missing = || Error::NotFound(format!("There is no nudge {id}."));
        let (alert, nudge) = self.store.nudge(id).await?.ok_or_else(missing)?;
        Ok((self.alert_view(alert).await?, nudge))
    }

    /// The message that tells of an alert people are notified of once more.
    pub async fn card_of_nudge(
        &self,
        id: NudgeId,
        channel: ChannelId,
    ) -> Result<Option<MessageId>> {
        let Some((alert, _)) = self.store.nudge(id).await? else {
            return Ok(None);
        };
        let card = self.store.outbox_message(Subject::Alert(alert), channel);
        Ok(card.await?)
    }

    /// What is tried by itself, and when next.
    async fn attempts_of(&self, incident: &Incident) -> Result<Option<Attempts>> {
        // Using much is nothing that a restart mends.
        let mended = incident.kind != Kind::Resources;
        let Some(view) = incident
            .about
            .agent()
            .filter(|_| mended)
            .and_then(|id| self.roster.view_of(id))
        else {
            return Ok(None);
        };
        let (rule, past) = self.recovery_of(&view).await?;
        let cause = view.cause(&incident.evidence.lines);
        Ok(Some(Attempts {
            done: past.attempts,
            most: rule.attempts,
            course: rule.course(&cause, &past, view.agent.id, self.now()),
        }))
    }

    /// Why nobody is told of any of these that is still there.
    async fn mute_of(&self, incidents: &[Incident]) -> Result<Option<Mute>> {
        let (now, rules) = (self.now(), self.squelch_rules());
        let (silences, all) = (
            self.store.silences(now).await?,
            self.store.open_incidents().await?,
        );
        let pipeline = Pipeline {
            rules: &rules,
            silences: &silences,
            incidents: &all,
            alerts: &[],
            now,
        };
        let mut mutes = incidents
            .iter()
            .filter(|one| one.is_present())
            .map(|one| pipeline.mute(one));
        let first = mutes.next().flatten();
        Ok(first.filter(|_| mutes.all(|mute| mute.is_some())))
    }

    fn route_named(&self, name: &str) -> Route {
        let rules = self.squelch_rules();
        let route = rules.route_named(name).cloned();
        route.unwrap_or_else(|| Route::fallback(Pace::default()))
    }

    /// The rules in force.
    pub(super) fn squelch_rules(&self) -> Arc<Rules> {
        Arc::clone(&self.settings().squelch)
    }
}

/// Says in each thread of an alert that it is over.
async fn end_threads(tx: &mut Tx, alert: AlertId, now: DateTime<Utc>) -> Result<()> {
    let channels = outbox::threads_of(tx, alert).await?;
    if channels.is_empty() {
        return Ok(());
    }
    let number = alerts::say_over(tx, alert, now).await?;
    for channel in channels {
        outbox::tell(tx, (Subject::Nudge(number), channel), now).await?;
    }
    Ok(())
}

/// Exactly this name.
pub(super) fn pattern_of(name: &Name) -> Pattern {
    // What a name is made of, a pattern is, too.
    Pattern::parse(name.as_str()).unwrap_or_else(|_| Pattern::everything())
}
