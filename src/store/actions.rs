//! Actions and their targets. Every change of state is a compare-and-set: the caller learns whether it was first.

use chrono::{DateTime, Utc};

use super::{
    Store, Tx,
    approvals::{self, NewApproval},
    audit, json, to_json, unreadable,
};
use crate::domain::{
    action::{Action, Arguments, Details, Kind, Origin, Reply, State, Step, Target},
    agent::Name,
    approval::Approval,
    audit::What,
    ids::{ActionId, AgentId, ChannelId, ImageId, InteractionId, MessageId, UserId},
    plan::Plan,
    spec::Spec,
};

/// An action about to be written.
#[derive(Clone, Debug)]
pub struct NewAction {
    pub kind: Kind,
    pub actor: Option<UserId>,
    pub origin: Origin,
    pub reason: Option<String>,
    pub details: Details,
    pub state: State,
    /// When it lapses if nobody confirms it.
    pub expires_at: Option<DateTime<Utc>>,
    pub reply: Option<Reply>,
    pub plan: Option<Plan>,
    /// What others are asked, if `state` is `Asked` and they are.
    pub approval: Option<NewApproval>,
    pub targets: Vec<NewTarget>,
}

#[derive(Clone, Debug)]
pub struct NewTarget {
    pub agent: AgentId,
    pub spec: Option<Box<Spec>>,
    pub arguments: Arguments,
    pub image: Option<ImageId>,
}

impl NewTarget {
    /// One whose spec stays as it is.
    pub const fn as_it_is(agent: AgentId) -> Self {
        Self {
            agent,
            spec: None,
            arguments: Arguments::new(),
            image: None,
        }
    }
}

impl Store {
    /// The last `limit` actions that any of these asked for, newest first.
    pub async fn actions_by(&self, users: &[UserId], limit: i64) -> sqlx::Result<Vec<ActionId>> {
        let users: Vec<i64> = users.iter().map(|user| user.to_db()).collect();
        let users = to_json(&users)?;
        let ids = sqlx::query_scalar!(
            "SELECT id FROM actions WHERE actor IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT ?",
            users,
            limit
        )
        .fetch_all(&self.reader)
        .await?;
        Ok(ids.into_iter().map(ActionId).collect())
    }

    pub async fn action(&self, id: ActionId) -> sqlx::Result<Option<Action>> {
        let row = sqlx::query_as!(
            ActionRow,
            r#"SELECT id, kind, actor, origin, reason, details, state, outcome, plan, interaction_id, channel_id, message_id,
                      created_at AS "created_at: DateTime<Utc>", started_at AS "started_at: DateTime<Utc>",
                      finished_at AS "finished_at: DateTime<Utc>"
               FROM actions WHERE id = ?"#,
            id.0
        )
        .fetch_optional(&self.reader)
        .await?;
        match row {
            Some(row) => {
                let approval = self.approval(id).await?.map(Box::new);
                Ok(Some(row.read(self.targets(id).await?, approval)?))
            }
            None => Ok(None),
        }
    }

    /// The action that an interaction made, if it made one.
    pub async fn action_of(&self, interaction: InteractionId) -> sqlx::Result<Option<ActionId>> {
        let interaction = interaction.to_db();
        let id = sqlx::query_scalar!(
            r#"SELECT id AS "id!" FROM actions WHERE interaction_id = ?"#,
            interaction
        )
        .fetch_optional(&self.reader)
        .await?;
        Ok(id.map(ActionId))
    }

    /// Oldest first.
    pub async fn actions_in(&self, state: State) -> sqlx::Result<Vec<ActionId>> {
        let state = state.as_str();
        let ids = sqlx::query_scalar!(
            r#"SELECT id AS "id!" FROM actions WHERE state = ? ORDER BY id"#,
            state
        )
        .fetch_all(&self.reader)
        .await?;
        Ok(ids.into_iter().map(ActionId).collect())
    }

    /// Whether what an action does was committed, although it has not ended.
    pub async fn is_in_force(&self, action: ActionId) -> sqlx::Result<bool> {
        sqlx::query_scalar!(
            r#"SELECT in_force AS "in_force!: bool" FROM actions WHERE id = ?"#,
            action.0
        )
        .fetch_one(&self.reader)
        .await
    }

    /// What a start found cut off, oldest first.
    pub async fn actions_found_by(&self, start: i64) -> sqlx::Result<Vec<ActionId>> {
        let ids = sqlx::query_scalar!(
            r#"SELECT id AS "id!" FROM actions WHERE found_by_start = ? ORDER BY id"#,
            start
        )
        .fetch_all(&self.reader)
        .await?;
        Ok(ids.into_iter().map(ActionId).collect())
    }

    async fn targets(&self, action: ActionId) -> sqlx::Result<Vec<Target>> {
        let rows = sqlx::query!(
            r#"SELECT agent_id, agents.name, state, step, spec, arguments, image_id, note,
                      finished_at AS "finished_at: DateTime<Utc>"
               FROM action_targets JOIN agents ON agents.id = agent_id
               WHERE action_id = ? ORDER BY agents.name"#,
            action.0
        )
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(Target {
                    agent: AgentId(row.agent_id),
                    name: Name::parse(&row.name).map_err(|_| unreadable("name", &row.name))?,
                    state: State::parse(&row.state)
                        .ok_or_else(|| unreadable("state", &row.state))?,
                    step: Step::parse(&row.step).ok_or_else(|| unreadable("step", &row.step))?,
                    spec: row
                        .spec
                        .as_deref()
                        .map(|text| json("spec", text))
                        .transpose()?,
                    arguments: row
                        .arguments
                        .as_deref()
                        .map_or_else(|| Ok(Arguments::new()), |text| json("arguments", text))?,
                    image: row.image_id.map(ImageId),
                    note: row.note,
                    finished_at: row.finished_at,
                })
            })
            .collect()
    }
}

struct ActionRow {
    id: i64,
    kind: String,
    actor: Option<i64>,
    origin: String,
    reason: Option<String>,
    details: String,
    state: String,
    outcome: Option<String>,
    plan: Option<String>,
    interaction_id: Option<i64>,
    channel_id: Option<i64>,
    message_id: Option<i64>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

impl ActionRow {
    fn read(self, targets: Vec<Target>, approval: Option<Box<Approval>>) -> sqlx::Result<Action> {
        let reply = self
            .interaction_id
            .zip(self.channel_id)
            .map(|(interaction, channel)| Reply {
                interaction: InteractionId::from_db(interaction),
                channel: ChannelId::from_db(channel),
                message: self.message_id.map(MessageId::from_db),
            });
        Ok(Action {
            id: ActionId(self.id),
            kind: Kind::parse(&self.kind).ok_or_else(|| unreadable("kind", &self.kind))?,
            actor: self.actor.map(UserId::from_db),
            origin: Origin::parse(&self.origin)
                .ok_or_else(|| unreadable("origin", &self.origin))?,
            reason: self.reason,
            details: json("details", &self.details)?,
            state: State::parse(&self.state).ok_or_else(|| unreadable("state", &self.state))?,
            created_at: self.created_at,
            started_at: self.started_at,
            finished_at: self.finished_at,
            outcome: self.outcome,
            reply,
            plan: self
                .plan
                .as_deref()
                .map(|text| json("plan", text))
                .transpose()?,
            approval,
            targets,
        })
    }
}

/// Writes an action with its targets. A unique violation means that the interaction has made one already, or that
/// a target is busy.
pub async fn insert(tx: &mut Tx, new: &NewAction, now: DateTime<Utc>) -> sqlx::Result<ActionId> {
    let (kind, origin, state) = (new.kind.as_str(), new.origin.as_str(), new.state.as_str());
    let actor = new.actor.map(UserId::to_db);
    let details = to_json(&new.details)?;
    let interaction = new.reply.as_ref().map(|reply| reply.interaction.to_db());
    let channel = new.reply.as_ref().map(|reply| reply.channel.to_db());
    let message = new
        .reply
        .as_ref()
        .and_then(|reply| reply.message)
        .map(MessageId::to_db);
    let plan = new.plan.as_ref().map(to_json).transpose()?;
    let digest = new.plan.as_ref().map(|plan| plan.digest().0);
    let id = sqlx::query_scalar!(
        r#"INSERT INTO actions (interaction_id, kind, actor, origin, reason, details, state, created_at, expires_at,
                                plan, plan_digest, channel_id, message_id)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id AS "id!""#,
        interaction,
        kind,
        actor,
        origin,
        new.reason,
        details,
        state,
        now,
        new.expires_at,
        plan,
        digest,
        channel,
        message
    )
    .fetch_one(&mut **tx)
    .await?;
    for target in &new.targets {
        insert_target(tx, ActionId(id), state, target).await?;
    }
    if let Some(approval) = &new.approval {
        approvals::insert(tx, ActionId(id), approval, now).await?;
    }
    tell_birth(tx, ActionId(id), new, now).await?;
    if new.details.break_glass {
        let mut entry = audit::about(tx, ActionId(id), What::BrokeGlass).await?;
        entry.text.clone_from(&new.reason);
        audit::append(tx, &entry, now).await?;
    }
    Ok(ActionId(id))
}

/// What an action does is part of this transaction: should it be cut off now, it is done all the same.
pub async fn put_in_force(tx: &mut Tx, action: ActionId) -> sqlx::Result<()> {
    sqlx::query!("UPDATE actions SET in_force = 1 WHERE id = ?", action.0)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// Names what people asked for. Arguments and environments are not repeated: they may hold what is nobody's business.
async fn tell_birth(
    tx: &mut Tx,
    id: ActionId,
    new: &NewAction,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let mut entry = audit::about(tx, id, What::from(new.state)).await?;
    let allowed = new.details.allowed_by.iter();
    let allowed = allowed.map(|one| format!("allowed by action {} ({})", one.action, one.label()));
    let words: Vec<String> = new.reason.iter().cloned().chain(allowed).collect();
    entry.text = Some(words.join("; ")).filter(|text| !text.is_empty());
    let details = &mut entry.details;
    if new.targets.len() > 1 {
        details["targets"] = audit::names(tx, id).await?.into();
    }
    if new.details.volumes {
        details["volumes"] = true.into();
    }
    if let [
        NewTarget {
            spec: Some(spec), ..
        },
    ] = new.targets.as_slice()
    {
        details["image"] = spec.image.as_str().into();
        details["template"] = spec.template.as_deref().into();
    }
    audit::append(tx, &entry, now).await?;
    Ok(())
}

/// Only the first line of a note is ours: what follows are a container's words.
async fn tell_end(
    tx: &mut Tx,
    action: ActionId,
    agent: Option<AgentId>,
    ending: &Ending,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let mut entry = audit::about(tx, action, What::from(ending.state)).await?;
    if let Some(agent) = agent {
        if entry.agent.is_some() {
            // The end of its only target is the end of the action, which is told next.
            return Ok(());
        }
        entry = audit::about_agent(tx, agent, entry).await?;
    }
    let note = ending.note.as_deref();
    entry.text = note.and_then(|note| note.lines().next()).map(str::to_owned);
    audit::append(tx, &entry, now).await?;
    Ok(())
}

async fn insert_target(
    tx: &mut Tx,
    action: ActionId,
    state: &str,
    target: &NewTarget,
) -> sqlx::Result<()> {
    let spec = target.spec.as_ref().map(to_json).transpose()?;
    let arguments = to_json(&target.arguments)?;
    let image = target.image.as_ref().map(ImageId::as_str);
    sqlx::query!(
        "INSERT INTO action_targets (action_id, agent_id, state, spec, arguments, image_id) VALUES (?, ?, ?, ?, ?, ?)",
        action.0,
        target.agent.0,
        state,
        spec,
        arguments,
        image
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// One action at a time on an agent: who is at it now.
pub async fn busy_with(tx: &mut Tx, agent: AgentId) -> sqlx::Result<Option<ActionId>> {
    let id = sqlx::query_scalar!(
        "SELECT action_id FROM action_targets WHERE agent_id = ? AND state IN ('pending', 'running')",
        agent.0
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(id.map(ActionId))
}

/// Moves an action and its targets on; false if it was not in state `from`, or if `now` is past its time.
pub async fn advance(
    tx: &mut Tx,
    action: ActionId,
    from: State,
    to: State,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let moved = move_on(tx, action, (from, to), now).await?;
    if moved {
        let entry = audit::about(tx, action, What::from(to)).await?;
        audit::append(tx, &entry, now).await?;
    }
    Ok(moved)
}

async fn move_on(
    tx: &mut Tx,
    action: ActionId,
    (from, to): (State, State),
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let (from_text, to_text) = (from.as_str(), to.as_str());
    let started = (to == State::Running).then_some(now);
    let finished = to.is_over().then_some(now);
    let confirms = from == State::Asked && to == State::Pending;
    let moved = sqlx::query!(
        "UPDATE actions SET state = ?, started_at = coalesce(?, started_at), finished_at = ?
         WHERE id = ? AND state = ? AND (NOT ? OR expires_at > ?)",
        to_text,
        started,
        finished,
        action.0,
        from_text,
        confirms,
        now
    )
    .execute(&mut **tx)
    .await?;
    if moved.rows_affected() == 0 {
        return Ok(false);
    }
    move_targets(tx, action, (from, to), finished).await?;
    Ok(true)
}

/// Those of an action's targets that are in state `from` follow it.
async fn move_targets(
    tx: &mut Tx,
    action: ActionId,
    (from, to): (State, State),
    finished: Option<DateTime<Utc>>,
) -> sqlx::Result<()> {
    let (from, to) = (from.as_str(), to.as_str());
    sqlx::query!(
        "UPDATE action_targets SET state = ?, finished_at = ? WHERE action_id = ? AND state = ?",
        to,
        finished,
        action.0,
        from
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends an action that never began, with its targets; false if it was not in state `from`.
pub async fn close(
    tx: &mut Tx,
    action: ActionId,
    (from, ending): (State, &Ending),
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    if !move_on(tx, action, (from, ending.state), now).await? {
        return Ok(false);
    }
    sqlx::query!(
        "UPDATE actions SET outcome = ? WHERE id = ?",
        ending.note,
        action.0
    )
    .execute(&mut **tx)
    .await?;
    tell_end(tx, action, None, ending, now).await?;
    Ok(true)
}

/// `remove`, confirmed with its volumes.
pub async fn set_details(
    tx: &mut Tx,
    action: ActionId,
    details: &Details,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let mut entry = audit::about(tx, action, What::Altered).await?;
    entry.details["volumes"] = details.volumes.into();
    entry.details["typed"] = details.typed.into();
    audit::append(tx, &entry, now).await?;
    let details = to_json(details)?;
    sqlx::query!(
        "UPDATE actions SET details = ? WHERE id = ?",
        details,
        action.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Asked ones whose time is over.
pub async fn overdue(tx: &mut Tx, now: DateTime<Utc>) -> sqlx::Result<Vec<ActionId>> {
    let ids = sqlx::query_scalar!(
        r#"SELECT id AS "id!" FROM actions WHERE state = 'asked' AND expires_at <= ?"#,
        now
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids.into_iter().map(ActionId).collect())
}

/// How far the work on one target is.
pub async fn set_step(
    tx: &mut Tx,
    action: ActionId,
    agent: AgentId,
    step: Step,
) -> sqlx::Result<()> {
    let step = step.as_str();
    sqlx::query!(
        "UPDATE action_targets SET step = ? WHERE action_id = ? AND agent_id = ?",
        step,
        action.0,
        agent.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// How the work on one target ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    pub state: State,
    pub note: Option<String>,
}

/// Ends one target; false if it had ended before.
pub async fn finish_target(
    tx: &mut Tx,
    action: ActionId,
    agent: AgentId,
    ending: &Ending,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let state = ending.state.as_str();
    let done = sqlx::query!(
        "UPDATE action_targets SET state = ?, note = ?, finished_at = ?
         WHERE action_id = ? AND agent_id = ? AND state = 'running'",
        state,
        ending.note,
        now,
        action.0,
        agent.0
    )
    .execute(&mut **tx)
    .await?;
    let ended = done.rows_affected() == 1;
    if ended {
        tell_end(tx, action, Some(agent), ending, now).await?;
    }
    Ok(ended)
}

/// Remembers which message answers, as soon as Discord has told it.
pub async fn set_reply_message(
    tx: &mut Tx,
    action: ActionId,
    message: MessageId,
) -> sqlx::Result<()> {
    let message = message.to_db();
    sqlx::query!(
        "UPDATE actions SET message_id = ? WHERE id = ?",
        message,
        action.0
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "UPDATE outbox SET message_id = ? WHERE subject_kind = 'action' AND subject_id = ? AND message_id IS NULL",
        message,
        action.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends a running action, and with it those of its targets that nobody came to: their agents would be busy for ever.
/// False if it had ended before.
pub async fn finish(
    tx: &mut Tx,
    action: ActionId,
    ending: &Ending,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let state = ending.state.as_str();
    let done = sqlx::query!(
        "UPDATE actions SET state = ?, outcome = ?, finished_at = ? WHERE id = ? AND state = 'running'",
        state,
        ending.note,
        now,
        action.0
    )
    .execute(&mut **tx)
    .await?;
    let ended = done.rows_affected() == 1;
    if ended {
        move_targets(tx, action, (State::Running, ending.state), Some(now)).await?;
        tell_end(tx, action, None, ending, now).await?;
    }
    Ok(ended)
}

/// Ties an action to the start that found it cut off.
pub async fn note_found(tx: &mut Tx, action: ActionId, start: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE actions SET found_by_start = ? WHERE id = ?",
        start,
        action.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
