//! The outbox's way into channels: render the subject as it is now, send it or edit its message.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serenity::{
    all::{AutoArchiveDuration, Builder as _, CreateThread, GetMessages, MessageReference, Nonce},
    http::{Http, HttpError},
};
use tokio::{sync::OnceCell, time::timeout};

use super::render::{self, Rendered};
use crate::{
    domain::{
        action::Action,
        ids::{ActionId, AlertId, BoardId, ChannelId, MessageId, RunId, UserId},
        outbox::{OutboxRow, Sent, Subject, sent_by},
    },
    ops::{
        Ops,
        deliver::{Deliver, Undelivered},
    },
};

/// How far back a message sent just before a crash is looked for.
const HISTORY: u8 = 50;
/// Discord's codes: the message is gone; it may not be edited any more.
const UNKNOWN_MESSAGE: isize = 10008;
const TOO_MANY_OLD_EDITS: isize = 30046;
/// The token does not count, or whoever stands before Discord lets nobody through: it is no word about the message.
const UNAUTHORIZED: isize = 40001;
const BLOCKED: isize = 40333;
/// The message has a thread already.
const HAS_THREAD: isize = 160_004;
/// How long Discord may take to start a thread.
const PATIENCE: Duration = Duration::from_secs(10);

pub struct Channels {
    ops: Arc<Ops>,
    http: Arc<Http>,
    own_id: OnceCell<UserId>,
}

impl Channels {
    pub const fn new(ops: Arc<Ops>, http: Arc<Http>) -> Self {
        Self {
            ops,
            http,
            own_id: OnceCell::const_new(),
        }
    }

    /// As whom we write.
    async fn own_id(&self) -> Result<UserId, Undelivered> {
        let known = self.own_id.get_or_try_init(|| async {
            let user = self.http.get_current_user().await;
            user.map(|user| UserId(user.id.get()))
        });
        known.await.copied().map_err(|error| judge(&error))
    }

    async fn render(&self, subject: Subject) -> Result<Rendered, Undelivered> {
        let now = self.ops.now();
        match subject {
            Subject::Action(id) => Ok(render::action::card(&self.action(id).await?, now)),
            Subject::Approval(id) => {
                let action = self.action(id).await?;
                Ok(render::approval::card(
                    &action,
                    &self.ops.deciders(&action),
                    now,
                ))
            }
            Subject::Result(id) => Ok(render::approval::result(&self.action(id).await?, now)),
            Subject::Reminder(id) => {
                let action = self.action(id).await?;
                Ok(render::approval::reminder(
                    &action,
                    &self.ops.deciders(&action),
                ))
            }
            Subject::BreakGlass(id) => {
                let action = self.action(id).await?;
                Ok(render::approval::break_glass(
                    &action,
                    &self.ops.owners(),
                    now,
                ))
            }
            Subject::Start(number) => self.start(number).await,
            Subject::Schedule(id) => self.run(id).await,
            Subject::Report(id) => self.report(id).await,
            Subject::Alert(id) => {
                let view = self.ops.alert_view(id).await;
                let view = view.map_err(|error| unreadable(&error))?;
                Ok(render::alert::card(&view))
            }
            Subject::Nudge(id) => {
                let view = self.ops.nudge_view(id).await;
                let (view, why) = view.map_err(|error| unreadable(&error))?;
                Ok(render::alert::nudge((id, why), &view, now))
            }
            Subject::Thread(id) => Err(Undelivered::Never(format!(
                "the thread of {id} is no message"
            ))),
            Subject::Board(id) => self.board(id).await,
            Subject::Anchor(id) => Ok(Rendered::text(format!(
                "{}\n-# {}",
                self.anchor(id).await?,
                subject.mark()
            ))),
        }
    }

    async fn start(&self, number: i64) -> Result<Rendered, Undelivered> {
        let ids = self.ops.found_by(number).await;
        let ids = ids.map_err(|error| unreadable(&error))?;
        let actions = self.actions(ids).await?;
        Ok(render::start::report(number, &actions, self.ops.now()))
    }

    async fn board(&self, id: BoardId) -> Result<Rendered, Undelivered> {
        let view = self.ops.board_view(id).await;
        let view = view.map_err(|error| unreadable(&error))?;
        Ok(render::board::message(&view, self.ops.now()))
    }

    async fn run(&self, id: RunId) -> Result<Rendered, Undelivered> {
        let run = self.ops.run(id).await;
        let (schedule, run) = run.map_err(|error| unreadable(&error))?;
        Ok(render::schedules::notice(&schedule, &run))
    }

    async fn report(&self, id: ActionId) -> Result<Rendered, Undelivered> {
        let report = self.ops.report_of(id).await;
        let report = report.map_err(|error| unreadable(&error))?;
        Ok(render::report::report(id, &report))
    }

    /// The message a row's own is a reply to.
    async fn replies_to(&self, row: &OutboxRow) -> Result<Option<MessageId>, Undelivered> {
        let card = match row.subject {
            Subject::Result(id) | Subject::Reminder(id) => self.ops.card_of(id, row.channel).await,
            Subject::Nudge(id) => self.ops.card_of_nudge(id, row.channel).await,
            _ => return Ok(None),
        };
        card.map_err(|error| unreadable(&error))
    }

    async fn anchor(&self, id: i64) -> Result<String, Undelivered> {
        let anchor = self.ops.anchor(id).await;
        let (day, anchor) = anchor.map_err(|error| unreadable(&error))?;
        Ok(render::audit::anchor(day, &anchor))
    }

    async fn actions(&self, ids: Vec<ActionId>) -> Result<Vec<Action>, Undelivered> {
        let mut actions = Vec::new();
        for id in ids {
            actions.push(self.action(id).await?);
        }
        Ok(actions)
    }

    async fn action(&self, id: ActionId) -> Result<Action, Undelivered> {
        self.ops
            .action(id)
            .await
            .map_err(|error| unreadable(&error))
    }

    async fn send(
        &self,
        channel: ChannelId,
        (rendered, replies_to): (&Rendered, Option<MessageId>),
        nonce: String,
    ) -> Result<MessageId, Undelivered> {
        let mut message = rendered
            .message()
            .nonce(Nonce::String(nonce))
            .enforce_nonce(true);
        if let Some(card) = replies_to {
            let reference = MessageReference::from((
                serenity::all::ChannelId::new(channel.0),
                serenity::all::MessageId::new(card.0),
            ));
            // The card may be gone: what is to be told is told all the same.
            message = message.reference_message(reference.fail_if_not_exists(false));
        }
        let sent = message.execute(&self.http, (channel.0.into(), None)).await;
        sent.map(|message| MessageId(message.id.get()))
            .map_err(|error| judge(&error))
    }
}

#[async_trait]
impl Deliver for Channels {
    async fn deliver(&self, row: &OutboxRow) -> Result<MessageId, Undelivered> {
        let rendered = self.render(row.subject).await?;
        let Some(message) = row.message else {
            return self
                .send(
                    row.channel,
                    (&rendered, self.replies_to(row).await?),
                    format!("{}-{}", row.id, row.version),
                )
                .await;
        };
        let edit = rendered.edit_message();
        let edited = edit
            .execute(&self.http, (row.channel.0.into(), message.0.into(), None))
            .await;
        edited.map(|_| message).map_err(|error| judge(&error))
    }

    async fn open_thread(
        &self,
        alert: AlertId,
        (channel, card): (ChannelId, MessageId),
    ) -> Result<(), Undelivered> {
        let view = self.ops.alert_view(alert).await;
        let view = view.map_err(|error| unreadable(&error))?;
        let thread = CreateThread::new(render::alert::thread_name(&view))
            .auto_archive_duration(AutoArchiveDuration::ThreeDays);
        let place = (channel.0.into(), Some(card.0.into()));
        // A limit that Discord sets on threads must not hold up messages.
        match timeout(PATIENCE, thread.execute(&self.http, place)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if code(&error) == Some(HAS_THREAD) => Ok(()),
            Ok(Err(error)) => Err(match judge(&error) {
                Undelivered::InDoubt(why) => Undelivered::Later(why),
                other => other,
            }),
            Err(_) => Err(Undelivered::Later("it took too long".to_owned())),
        }
    }

    async fn digest(&self, channel: ChannelId, subjects: &[Subject]) -> Result<(), Undelivered> {
        let (mut actions, mut anchors) = (Vec::new(), Vec::new());
        for subject in subjects {
            match subject {
                Subject::Anchor(id) => anchors.push(self.anchor(*id).await?),
                // Each has a message of its own, however late.
                Subject::Alert(_)
                | Subject::Thread(_)
                | Subject::Nudge(_)
                | Subject::Schedule(_)
                | Subject::Board(_) => {}
                Subject::Action(id)
                | Subject::Approval(id)
                | Subject::Result(id)
                | Subject::Reminder(id)
                | Subject::BreakGlass(id)
                | Subject::Report(id) => actions.push(self.action(*id).await?),
                Subject::Start(number) => {
                    let ids = self
                        .ops
                        .found_by(*number)
                        .await
                        .map_err(|error| unreadable(&error))?;
                    actions.extend(self.actions(ids).await?);
                }
            }
        }
        let first = subjects.first().map_or(0, |subject| subject.number());
        let nonce = format!("digest-{first}-{}", subjects.len());
        let rendered = render::start::digest(subjects, (&actions, &anchors), self.ops.now());
        self.send(channel, (&rendered, None), nonce).await.map(drop)
    }

    async fn retract(&self, channel: ChannelId, message: MessageId) -> Result<(), Undelivered> {
        let channel = serenity::all::ChannelId::new(channel.0);
        let deleted = channel.delete_message(&self.http, message.0).await;
        deleted.map_err(|error| judge(&error))
    }

    async fn count_below(
        &self,
        (channel, message): (ChannelId, MessageId),
        most: u8,
    ) -> Result<usize, Undelivered> {
        let channel = serenity::all::ChannelId::new(channel.0);
        let below = GetMessages::new().after(message.0).limit(most);
        let below = channel.messages(&self.http, below).await;
        Ok(below.map_err(|error| judge(&error))?.len())
    }

    async fn find(
        &self,
        channel: ChannelId,
        subjects: &[Subject],
    ) -> Result<Vec<(Subject, Sent)>, Undelivered> {
        let channel = serenity::all::ChannelId::new(channel.0);
        let recent = channel
            .messages(&self.http, GetMessages::new().limit(HISTORY))
            .await;
        let recent = recent.map_err(|error| judge(&error))?;
        let own_id = self.own_id().await?;
        let find = |subject: &Subject| {
            let mut own = recent
                .iter()
                .filter(|message| message.author.id.get() == own_id.0);
            own.find_map(|message| {
                // What stands above may be what an agent said.
                let mark = message.content.lines().last()?;
                let sent = sent_by(mark, *subject, MessageId(message.id.get()))?;
                Some((*subject, sent))
            })
        };
        Ok(subjects.iter().filter_map(find).collect())
    }
}

fn unreadable(error: &crate::error::Error) -> Undelivered {
    Undelivered::Later(format!("its subject could not be read: {error}"))
}

/// Discord's own number for what went wrong.
fn code(error: &serenity::Error) -> Option<isize> {
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(response)) => {
            Some(response.error.code)
        }
        _ => None,
    }
}

/// What Discord's answer means for a message.
fn judge(error: &serenity::Error) -> Undelivered {
    let why = error.to_string();
    match error {
        serenity::Error::Http(HttpError::UnsuccessfulRequest(response)) => {
            match (response.status_code.as_u16(), response.error.code) {
                (_, UNKNOWN_MESSAGE | TOO_MANY_OLD_EDITS) => Undelivered::MessageGone(why),
                (401 | 429, _) | (_, UNAUTHORIZED | BLOCKED) => Undelivered::Later(why),
                // Without a code of Discord's own it may be anybody's answer.
                (500.., _) | (_, ..=0) => Undelivered::InDoubt(why),
                _ => Undelivered::Never(why),
            }
        }
        serenity::Error::Http(HttpError::Request(request)) if request.is_connect() => {
            Undelivered::Later(why)
        }
        serenity::Error::Model(_) => Undelivered::Never(why),
        _ => Undelivered::InDoubt(why),
    }
}
