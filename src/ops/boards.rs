//! Boards: what they show, when their messages are edited, and how they end. All of it may be done twice.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};

use super::{
    Ops,
    actions::Request,
    deliver::{Deliver, Undelivered},
    resolve::change_of,
    roster,
    sight::Sight,
};
use crate::{
    domain::{
        action::{Action, Details, Kind},
        agent::Name,
        board::{Board, BoardView, Line, Picture, Question, Trouble},
        event::Event,
        fleet::Fleet,
        grant::{Need, Scope},
        ids::{BoardId, ChannelId, MessageId},
        incident::Incident,
        outbox::{OutboxRow, Subject},
        view::{EngineState, View},
    },
    error::{Error, Result},
    store::{
        boards::{self, Message, NewBoard},
        outbox,
    },
};

/// When an action of somebody's last began or ended. It only makes boards hurry, so that nothing is lost with it.
#[derive(Debug, Default)]
pub(super) struct Acted(Mutex<Option<DateTime<Utc>>>);

impl Acted {
    pub(super) fn note(&self, action: &Action, now: DateTime<Utc>) {
        if action.actor.is_some() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        }
    }

    fn last(&self) -> Option<DateTime<Utc>> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sight<'_> {
    /// A board of one fleet or of all in a channel, in place of the one that stands there.
    pub async fn request_board(
        &self,
        channel: ChannelId,
        fleet: Option<&str>,
        repost_after: Option<u8>,
    ) -> Result<Request> {
        let fleet = fleet.map(|name| self.fleet(name)).transpose()?;
        self.permit_board(Kind::Board, fleet.as_ref())?;
        // Who may not change the one that stands there may not put another in its place.
        if let Some(board) = self.store.board_in(channel).await? {
            self.permit(&need(Kind::Board, &board))?;
        }
        let details = Details {
            channel: Some(channel),
            name: fleet.as_ref().map(|fleet| fleet.name.clone()),
            fleet: fleet.map(|fleet| fleet.id),
            repost_after,
            ..Details::default()
        };
        Ok(change_of(Kind::Board, details))
    }

    /// That the board of a channel ends.
    pub async fn request_board_remove(&self, channel: ChannelId) -> Result<Request> {
        let missing = || {
            Error::NotFound("There is no board in this channel. `/board here` puts one.".to_owned())
        };
        let board = self.store.board_in(channel).await?.ok_or_else(missing)?;
        self.permit(&need(Kind::BoardRemove, &board))?;
        let details = Details {
            channel: Some(channel),
            name: board.fleet.as_ref().map(|(_, name)| name.clone()),
            // One that is gone concerns nobody but who may everything.
            fleet: board.fleet.map(|(id, _)| id),
            ..Details::default()
        };
        Ok(change_of(Kind::BoardRemove, details))
    }

    fn permit_board(&self, kind: Kind, fleet: Option<&Fleet>) -> Result<()> {
        match fleet {
            Some(fleet) => self.permit_in(kind, fleet),
            None => self.permit(&Need::everything(kind.level())),
        }
    }
}

fn need(kind: Kind, board: &Board) -> Need {
    match &board.fleet {
        Some((_, name)) => Need::fleet(kind.level(), name.clone()),
        None => Need::everything(kind.level()),
    }
}

impl Ops {
    pub(super) async fn apply_board(&self, action: &Action) -> Result<Option<String>> {
        let (Some(channel), Some(by)) = (action.details.channel, action.actor) else {
            return Err(super::execute::unfit(action));
        };
        let now = self.now();
        let mut tx = self.store.begin().await?;
        let is_new = action.kind == Kind::Board;
        let why = if is_new {
            format!("<@{by}> put another in its place")
        } else {
            format!("<@{by}> removed it")
        };
        let before = boards::end_in(&mut tx, channel, &why, now).await?;
        if let Some(before) = before {
            outbox::touch(&mut tx, Subject::Board(before), now).await?;
        }
        if is_new {
            let new = NewBoard {
                channel,
                fleet: action.details.fleet,
                repost_after: action.details.repost_after,
                created_by: by,
            };
            if let Some(id) = boards::insert(&mut tx, action.id, &new, now).await? {
                outbox::tell(&mut tx, (Subject::Board(id), channel), now).await?;
            }
        }
        self.put_in_force(tx, action).await?;
        self.publish(Event::Outbox);
        let was_gone = !is_new && before.is_none();
        Ok(was_gone.then(|| "It was gone already.".to_owned()))
    }

    /// Has each board edited that shows what is not so any more, and tells when to look next.
    pub async fn tend_boards(&self) -> Result<Option<DateTime<Utc>>> {
        let mut next = None;
        for (board, message) in self.store.boards().await? {
            if let Some(why) = self.why_over(&board, &message) {
                self.end_board(&board, &why).await?;
            } else if let Message::Sent(version) = message {
                let due = self.tend(&board, version).await?;
                next = [next, due].into_iter().flatten().min();
            }
        }
        Ok(next)
    }

    /// Why a board cannot go on.
    fn why_over(&self, board: &Board, message: &Message) -> Option<String> {
        let is_there = |fleet| self.roster.read(|known| known.fleet_by_id(fleet).is_some());
        match (message, &board.fleet) {
            (Message::Dead(error), _) => {
                Some(format!("its channel does not take it any more: {error}"))
            }
            (_, Some((fleet, name))) if !is_there(*fleet) => Some(format!("`{name}` was deleted")),
            _ => None,
        }
    }

    async fn end_board(&self, board: &Board, why: &str) -> Result<()> {
        let now = self.now();
        let mut tx = self.store.begin().await?;
        if boards::end(&mut tx, board, why, now).await? {
            outbox::touch(&mut tx, Subject::Board(board.id), now).await?;
            tracing::warn!(
                board.id = board.id.0,
                channel.id = board.channel.0,
                why,
                "a board has ended"
            );
        }
        tx.commit().await?;
        self.publish(Event::Outbox);
        Ok(())
    }

    /// Has one edited if it is time; returns when it is time next.
    async fn tend(&self, board: &Board, version: i64) -> Result<Option<DateTime<Utc>>> {
        let (now, acted_at) = (self.now(), self.acted.last());
        let Some(shown) = &board.shown else {
            return Ok(None);
        };
        let earliest = shown.earliest(acted_at, now);
        if earliest > now {
            return Ok(Some(earliest));
        }
        let refresh_at = shown.refresh_at(now);
        if refresh_at > now && self.picture(board).await?.digest() == shown.picture {
            return Ok(Some(refresh_at));
        }
        let mut tx = self.store.begin().await?;
        boards::touch(&mut tx, (board.id, version), now).await?;
        tx.commit().await?;
        self.publish(Event::Outbox);
        Ok(None)
    }

    /// Everything that the message of a board shows.
    pub async fn board_view(&self, id: BoardId) -> Result<BoardView> {
        let missing = || Error::NotFound(format!("There is no board {id}."));
        let board = self.store.board(id).await?.ok_or_else(missing)?;
        Ok(BoardView {
            picture: self.picture(&board).await?,
            host: self.roster.read(|known| known.host.clone()),
            board,
        })
    }

    async fn picture(&self, board: &Board) -> Result<Picture> {
        let fleet = board.fleet.as_ref().map(|(_, name)| name);
        let (mut troubles, mut questions) = (
            self.troubles(fleet).await?,
            self.open_questions(fleet).await?,
        );
        let more = |all: usize, most: usize| all.saturating_sub(most);
        let troubles_more = more(troubles.len(), Picture::TROUBLES);
        let questions_more = more(questions.len(), Picture::QUESTIONS);
        troubles.truncate(Picture::TROUBLES);
        questions.truncate(Picture::QUESTIONS);
        Ok(self.roster.read(|known| {
            let (counts, agents) = agents(known, fleet);
            let silent = match &known.engine {
                EngineState::Silent { since, why } => Some((*since, why.clone())),
                _ => None,
            };
            let covers = board.fleet.as_ref().map(|(id, _)| *id);
            let freezes = known
                .frozen()
                .filter(|freeze| covers.is_none_or(|fleet| freeze.covers(fleet)));
            Picture {
                counts,
                agents,
                troubles,
                troubles_more,
                questions,
                questions_more,
                freezes: freezes.map(ToString::to_string).collect(),
                silent,
            }
        }))
    }

    /// What is wrong in a fleet, or anywhere, gravest first. What is about no fleet concerns everybody.
    async fn troubles(&self, fleet: Option<&Name>) -> Result<Vec<Trouble>> {
        let mut open = self.store.open_incidents().await?;
        open.retain(|one| match (&one.fleet, fleet) {
            (Some((_, name)), Some(fleet)) => name == fleet,
            _ => true,
        });
        open.sort_by_key(|one| (std::cmp::Reverse(one.severity), one.id));
        Ok(open.iter().map(trouble).collect())
    }

    /// What waits for people and is about nothing but a fleet, or about anything.
    async fn open_questions(&self, fleet: Option<&Name>) -> Result<Vec<Question>> {
        let mut questions = Vec::new();
        for id in self.store.open_approvals().await? {
            let action = self.action(id).await?;
            let within = match (&self.need_of(&action).on, fleet) {
                (_, None) => true,
                (Scope::Fleets(fleets), Some(fleet)) => {
                    !fleets.is_empty() && fleets.iter().all(|one| one == fleet)
                }
                _ => false,
            };
            questions.extend(question(&action).filter(|_| within));
        }
        Ok(questions)
    }

    /// As any row, and: one that is buried is posted anew, what it shows is remembered, and what it took the place of
    /// is deleted.
    pub(super) async fn deliver_board(
        &self,
        (row, id): (&OutboxRow, BoardId),
        by: &dyn Deliver,
    ) -> Result<()> {
        let board = self.store.board(id).await?;
        let board = board.ok_or_else(|| anyhow::anyhow!("there is no board {id}"))?;
        let mut row = row.clone();
        if let Some(message) = row.message
            && is_buried(&board, message, by).await
        {
            self.store.board_repost((id, row.id), message).await?;
            row.message = None;
        }
        let picture = self.picture(&board).await?.digest();
        self.store.outbox_begin(row.id).await?;
        match (by.deliver(&row).await, row.message) {
            (Ok(message), _) => {
                let shown = (picture.as_str(), message);
                self.store
                    .board_shown((id, &row), shown, self.now())
                    .await?;
                self.retract_old((id, row.channel), message, by).await
            }
            (Err(Undelivered::MessageGone(_)), Some(message)) => {
                Ok(self.store.board_repost((id, row.id), message).await?)
            }
            (Err(error), _) => self.undelivered(&row, &error).await,
        }
    }

    /// Tries again with the next edit if Discord does not take it now.
    async fn retract_old(
        &self,
        (id, channel): (BoardId, ChannelId),
        present: MessageId,
        by: &dyn Deliver,
    ) -> Result<()> {
        let board = self.store.board(id).await?;
        let Some(old) = board.and_then(|board| board.old_message) else {
            return Ok(());
        };
        if old != present
            && let Err(Undelivered::Later(why) | Undelivered::InDoubt(why)) =
                by.retract(channel, old).await
        {
            tracing::info!(
                board.id = id.0,
                why,
                "the message before cannot be deleted now"
            );
            return Ok(());
        }
        Ok(self.store.board_is_alone(id).await?)
    }
}

/// If Discord does not tell, it is not.
async fn is_buried(board: &Board, message: MessageId, by: &dyn Deliver) -> bool {
    let Some(most) = board.repost_after.filter(|_| board.ended.is_none()) else {
        return false;
    };
    let below = by.count_below((board.channel, message), most).await;
    below.is_ok_and(|count| count >= usize::from(most))
}

/// How many agents are in which state, and those that are shown.
fn agents(
    known: &roster::Board,
    fleet: Option<&Name>,
) -> (BTreeMap<crate::domain::agent::State, usize>, Vec<Line>) {
    let is_meant = |view: &&View| fleet.is_none_or(|fleet| view.fleet == *fleet);
    let mut views: Vec<&View> = known.views().filter(is_meant).collect();
    let mut counts = BTreeMap::new();
    for view in &views {
        *counts.entry(view.state).or_default() += 1;
    }
    // Names are sorted already and the sort is stable.
    views.sort_by_key(|view| view.state);
    let line = |view: &&View| Line::of(view, known.is_frozen(view.agent.fleet));
    let lines = views.iter().take(Picture::AGENTS).map(line);
    (counts, lines.collect())
}

fn trouble(incident: &Incident) -> Trouble {
    Trouble {
        severity: incident.severity,
        subject: incident.subject(),
        cause: incident.cause.clone(),
        since: incident.opened_at,
        standing: incident.standing(),
    }
}

fn question(action: &Action) -> Option<Question> {
    let approval = action.approval.as_deref()?;
    let agents = match action.targets.as_slice() {
        [only] => Ok(only.name.clone()),
        several => Err(several.len()),
    };
    Some(Question {
        action: action.id,
        kind: action.kind,
        agents,
        channel: approval.channel,
        until: approval.expires_at,
    })
}
