//! Questions to people and their answers. Whether one is open, its action's state says.

use chrono::{DateTime, Utc};

use super::{Store, Tx, audit, json, to_json, unreadable};
use crate::domain::{
    approval::{Answer, Approval, Vote},
    audit::{Origin, What},
    ids::{ActionId, ChannelId, UserId},
    policy::Ask,
};

/// A question about to be asked.
#[derive(Clone, Debug)]
pub struct NewApproval {
    pub ask: Ask,
    pub rule: String,
    pub channel: Option<ChannelId>,
    pub expires_at: DateTime<Utc>,
}

impl Store {
    pub(super) async fn approval(&self, action: ActionId) -> sqlx::Result<Option<Approval>> {
        let row = sqlx::query!(
            r#"SELECT rule, ask, channel_id, decided_by,
                      asked_at AS "asked_at: DateTime<Utc>", expires_at AS "expires_at: DateTime<Utc>",
                      decided_at AS "decided_at: DateTime<Utc>"
               FROM approvals WHERE action_id = ?"#,
            action.0
        )
        .fetch_optional(&self.reader)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Approval {
            ask: json("ask", &row.ask)?,
            rule: row.rule,
            channel: row.channel_id.map(ChannelId::from_db),
            asked_at: row.asked_at,
            expires_at: row.expires_at,
            decided: row.decided_by.map(UserId::from_db).zip(row.decided_at),
            votes: self.votes(action).await?,
        }))
    }

    async fn votes(&self, action: ActionId) -> sqlx::Result<Vec<Vote>> {
        let rows = sqlx::query_as!(
            VoteRow,
            r#"SELECT user_id, answer, reason, at AS "at: DateTime<Utc>"
               FROM votes WHERE action_id = ? ORDER BY first_at, user_id"#,
            action.0
        )
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter().map(VoteRow::read).collect()
    }

    /// Actions that wait for people other than their requester, oldest first.
    pub async fn open_approvals(&self) -> sqlx::Result<Vec<ActionId>> {
        let ids = sqlx::query_scalar!(
            r#"SELECT action_id AS "id!" FROM approvals JOIN actions ON actions.id = action_id
               WHERE state = 'asked' ORDER BY asked_at, action_id"#
        )
        .fetch_all(&self.reader)
        .await?;
        Ok(ids.into_iter().map(ActionId).collect())
    }
}

pub async fn insert(
    tx: &mut Tx,
    action: ActionId,
    new: &NewApproval,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let ask = to_json(&new.ask)?;
    let channel = new.channel.map(ChannelId::to_db);
    let remind_at = now + (new.expires_at - now) / 2;
    sqlx::query!(
        "INSERT INTO approvals (action_id, rule, ask, channel_id, asked_at, expires_at, remind_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
        action.0,
        new.rule,
        ask,
        channel,
        now,
        new.expires_at,
        remind_at
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// All answers so far, in the transaction that counts them.
pub async fn votes(tx: &mut Tx, action: ActionId) -> sqlx::Result<Vec<Vote>> {
    let rows = sqlx::query_as!(
        VoteRow,
        r#"SELECT user_id, answer, reason, at AS "at: DateTime<Utc>"
           FROM votes WHERE action_id = ? ORDER BY first_at, user_id"#,
        action.0
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter().map(VoteRow::read).collect()
}

struct VoteRow {
    user_id: i64,
    answer: String,
    reason: Option<String>,
    at: DateTime<Utc>,
}

impl VoteRow {
    fn read(self) -> sqlx::Result<Vote> {
        Ok(Vote {
            user: UserId::from_db(self.user_id),
            answer: Answer::parse(&self.answer)
                .ok_or_else(|| unreadable("answer", &self.answer))?,
            reason: self.reason,
            at: self.at,
        })
    }
}

/// Takes an answer, in place of the person's earlier one; false if the question is not open any more.
pub async fn vote(tx: &mut Tx, action: ActionId, vote: &Vote) -> sqlx::Result<bool> {
    let (user, answer) = (vote.user.to_db(), vote.answer.as_str());
    let taken = sqlx::query!(
        "INSERT INTO votes (action_id, user_id, answer, reason, first_at, at)
         SELECT action_id, ?2, ?3, ?4, ?5, ?5 FROM approvals JOIN actions ON actions.id = action_id
         WHERE action_id = ?1 AND state = 'asked' AND approvals.expires_at > ?5
         ON CONFLICT (action_id, user_id) DO UPDATE SET answer = excluded.answer, reason = excluded.reason,
             at = excluded.at",
        action.0,
        user,
        answer,
        vote.reason,
        vote.at
    )
    .execute(&mut **tx)
    .await?;
    if taken.rows_affected() == 0 {
        return Ok(false);
    }
    let mut entry = audit::about(tx, action, What::Voted).await?;
    entry.actor = Some(vote.user);
    entry.text.clone_from(&vote.reason);
    entry.details["answer"] = answer.into();
    audit::append(tx, &entry, vote.at).await?;
    Ok(true)
}

/// Takes back the answer of somebody who may not answer any more.
pub async fn drop_vote(
    tx: &mut Tx,
    action: ActionId,
    user: UserId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let mut entry = audit::about(tx, action, What::VoteDropped).await?;
    (entry.actor, entry.origin) = (None, Origin::Yardarm);
    entry.text = Some(format!("<@{user}> may not answer any more"));
    entry.details["user"] = user.0.into();
    let user = user.to_db();
    let dropped = sqlx::query!(
        "DELETE FROM votes WHERE action_id = ? AND user_id = ?",
        action.0,
        user
    )
    .execute(&mut **tx)
    .await?;
    if dropped.rows_affected() > 0 {
        audit::append(tx, &entry, now).await?;
    }
    Ok(())
}

/// Its card, and what replies to it, stands in another channel from now on.
pub async fn move_to(tx: &mut Tx, action: ActionId, channel: ChannelId) -> sqlx::Result<()> {
    let channel = channel.to_db();
    sqlx::query!(
        "UPDATE approvals SET channel_id = ? WHERE action_id = ?",
        channel,
        action.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Notes whose answer decided. That it is the first, the change of the action's state in the same transaction says.
pub async fn decided(
    tx: &mut Tx,
    action: ActionId,
    (by, answer): (UserId, Answer),
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    if answer == Answer::Approve {
        let mut entry = audit::about(tx, action, What::Approved).await?;
        entry.actor = Some(by);
        audit::append(tx, &entry, now).await?;
    }
    let by = by.to_db();
    sqlx::query!(
        "UPDATE approvals SET decided_by = ?, decided_at = ? WHERE action_id = ?",
        by,
        now,
        action.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Open questions at half time of which nobody was reminded yet; they count as reminded from now on.
pub async fn remind(tx: &mut Tx, now: DateTime<Utc>) -> sqlx::Result<Vec<ActionId>> {
    let ids = sqlx::query_scalar!(
        r#"UPDATE approvals SET reminded_at = ?1
           WHERE reminded_at IS NULL AND remind_at <= ?1 AND expires_at > ?1
             AND action_id IN (SELECT id FROM actions WHERE state = 'asked')
           RETURNING action_id AS "id!""#,
        now
    )
    .fetch_all(&mut **tx)
    .await?;
    for id in &ids {
        let entry = audit::about(tx, ActionId(*id), What::Reminded).await?;
        audit::append(tx, &entry, now).await?;
    }
    Ok(ids.into_iter().map(ActionId).collect())
}
