//! Agents whose restarts are used up, and how often they were restarted: the actions are the count.

use chrono::{DateTime, Utc};

use super::{Store, Tx, unreadable};
use crate::domain::{
    action::{Kind, Origin},
    change::Change,
    ids::{ActionId, AgentId, UserId},
    recovery::{NO_COUNTS, Past, Reason},
};

impl Store {
    /// What we tried for an agent by ourselves between two moments, but for what was before its breaker closed. What was
    /// not begun was not tried. Its part of an action ends before the action does, and so it is the part that counts:
    /// otherwise the attempt after it would not wait.
    pub async fn past_of(
        &self,
        agent: AgentId,
        reason: Reason,
        (since, now): (DateTime<Utc>, DateTime<Utc>),
    ) -> sqlx::Result<Past> {
        let follows = reason == Reason::Need;
        let asked_since = now - NO_COUNTS;
        let row = sqlx::query!(
            r#"SELECT count(*) AS "attempts!: i64", max(coalesce(action_targets.finished_at, actions.started_at)) AS "last: DateTime<Utc>",
                      EXISTS (SELECT 1 FROM breakers WHERE breakers.agent_id = ?1 AND closed_at IS NULL) AS "broken!: bool",
                      EXISTS (SELECT 1 FROM actions JOIN approvals ON approvals.action_id = actions.id
                                  JOIN action_targets ON action_targets.action_id = actions.id
                              WHERE action_targets.agent_id = ?1 AND origin IN ('converge', 'recovery')
                                AND kind IN ('start', 'restart') AND (details ->> 'after' IS NOT NULL) = ?2
                                AND (actions.state = 'asked' OR actions.finished_at > ?5
                                     AND (actions.state = 'denied'
                                          OR actions.state IN ('expired', 'cancelled') AND decided_at IS NULL))) AS "asked!: bool"
               FROM actions JOIN action_targets ON action_id = actions.id
               WHERE action_targets.agent_id = ?1 AND origin IN ('converge', 'recovery')
                 AND kind IN ('start', 'restart') AND (details ->> 'after' IS NOT NULL) = ?2
                 AND actions.started_at > ?3
                 -- One that closes only later was written before the clock was set back.
                 AND NOT EXISTS (SELECT 1 FROM breakers WHERE breakers.agent_id = ?1
                                 AND closed_at <= ?4 AND closed_at >= actions.started_at)"#,
            agent.0,
            follows,
            since,
            now,
            asked_since
        )
        .fetch_one(&self.reader)
        .await?;
        Ok(Past {
            attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
            last: row.last,
            broken: row.broken,
            disk_full: false,
            asked: row.asked,
        })
    }

    /// What was done to an agent since `since`, latest first: all but our own starts, and what made it, before which there
    /// was nothing to compare with.
    pub async fn changes_of(
        &self,
        agent: AgentId,
        since: DateTime<Utc>,
        most: i64,
    ) -> sqlx::Result<Vec<Change>> {
        let rows = sqlx::query!(
            r#"SELECT actions.id AS "id!: i64", kind, actor, origin, action_targets.finished_at AS "at!: DateTime<Utc>"
               FROM actions JOIN action_targets ON action_id = actions.id
               WHERE agent_id = ?1 AND action_targets.state = 'succeeded' AND action_targets.finished_at > ?2
                 AND kind NOT IN ('deploy', 'adopt')
                 AND (origin NOT IN ('converge', 'recovery') OR kind NOT IN ('start', 'restart'))
               ORDER BY actions.id DESC LIMIT ?3"#,
            agent.0,
            since,
            most
        )
        .fetch_all(&self.reader)
        .await?;
        let changes = rows.into_iter().map(|row| {
            Ok(Change {
                action: ActionId(row.id),
                kind: Kind::parse(&row.kind).ok_or_else(|| unreadable("kind", &row.kind))?,
                actor: row.actor.map(UserId::from_db),
                origin: Origin::parse(&row.origin)
                    .ok_or_else(|| unreadable("origin", &row.origin))?,
                at: row.at,
            })
        });
        changes.collect()
    }

    /// Whether its last start that went well was ours, because it was ill.
    pub async fn was_started_by_recovery(&self, agent: AgentId) -> sqlx::Result<bool> {
        let origin = sqlx::query_scalar!(
            "SELECT origin FROM actions JOIN action_targets ON action_id = actions.id
             WHERE agent_id = ? AND action_targets.state = 'succeeded'
               AND kind IN ('deploy', 'redeploy', 'rollback', 'start', 'restart', 'resume', 'secret rotate')
             ORDER BY actions.id DESC LIMIT 1",
            agent.0
        )
        .fetch_optional(&self.reader)
        .await?;
        Ok(origin.as_deref() == Some("recovery"))
    }

    /// Whether we wanted to stop it by ourselves, and that is open or was over only after `since`.
    pub async fn was_to_be_stopped(
        &self,
        agent: AgentId,
        since: DateTime<Utc>,
    ) -> sqlx::Result<bool> {
        sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT 1 FROM actions JOIN action_targets ON action_id = actions.id
                              WHERE agent_id = ? AND kind = 'stop' AND origin = 'recovery'
                                AND (actions.finished_at IS NULL OR actions.finished_at > ?)) AS "was!: bool""#,
            agent.0,
            since
        )
        .fetch_one(&self.reader)
        .await
    }

    /// Whether people are asked to redeploy it because of us, or did not want that after `since`.
    pub async fn was_offered(&self, agent: AgentId, since: DateTime<Utc>) -> sqlx::Result<bool> {
        sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT 1 FROM actions JOIN action_targets ON action_id = actions.id
                              WHERE agent_id = ? AND kind = 'redeploy' AND origin = 'recovery'
                                AND (actions.finished_at IS NULL
                                     OR (actions.state <> 'succeeded' AND actions.finished_at > ?))) AS "was!: bool""#,
            agent.0,
            since
        )
        .fetch_one(&self.reader)
        .await
    }

    /// Agents that are not restarted by themselves, and since when they run well.
    pub async fn breakers(&self) -> sqlx::Result<Vec<(AgentId, Option<DateTime<Utc>>)>> {
        let rows = sqlx::query!(
            r#"SELECT agent_id AS "agent!", healthy_since AS "healthy_since: DateTime<Utc>" FROM breakers WHERE closed_at IS NULL"#
        )
        .fetch_all(&self.reader)
        .await?;
        let broken = rows.into_iter();
        Ok(broken
            .map(|row| (AgentId(row.agent), row.healthy_since))
            .collect())
    }
}

/// From now on people decide about this agent; false if it is so already.
pub async fn open(tx: &mut Tx, agent: AgentId, now: DateTime<Utc>) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "INSERT INTO breakers (agent_id, opened_at) VALUES (?, ?)
         ON CONFLICT DO UPDATE SET opened_at = excluded.opened_at, healthy_since = NULL, closed_at = NULL
         WHERE closed_at IS NOT NULL",
        agent.0,
        now
    )
    .execute(&mut **tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Since when it runs well; None: it does not.
pub async fn set_healthy(
    tx: &mut Tx,
    agent: AgentId,
    since: Option<DateTime<Utc>>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE breakers SET healthy_since = ? WHERE agent_id = ?",
        since,
        agent.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// It may be restarted by itself again, and its restarts are counted anew.
pub async fn close(tx: &mut Tx, agent: AgentId, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE breakers SET closed_at = ? WHERE agent_id = ?",
        now,
        agent.0
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
