//! Figures of a time, for a report.

use chrono::{DateTime, Utc};

use super::{Store, unreadable};
use crate::domain::{
    action::{Kind, State},
    agent::Name,
    audit::stamp,
    ids::AgentId,
    incident,
    report::{Report, Restarts, Spell, Turn, troubled, uptimes},
    schedule::Stage,
};

impl Store {
    pub async fn report(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> sqlx::Result<Report> {
        Ok(Report {
            from,
            to,
            actions: self.actions_between(from, to).await?,
            approvals: self.approvals_between(from, to).await?,
            refusals: self.refusals_between(from, to).await?,
            incidents: self.incidents_between(from, to).await?,
            still_open: self.open_at(to).await?,
            restarts: self.restarts_between(from, to).await?,
            runs: self.runs_between(from, to).await?,
            uptimes: uptimes(&self.turns_until(to).await?, from, to),
            troubled: troubled(&self.spells_between(from, to).await?, from, to),
        })
    }

    async fn actions_between(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> sqlx::Result<Vec<(Kind, State, i64)>> {
        let rows = sqlx::query!(
            r#"SELECT kind, state, count(*) AS "count!: i64" FROM actions
               WHERE created_at >= ? AND created_at < ? GROUP BY kind, state ORDER BY count(*) DESC, kind, state"#,
            from,
            to
        )
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter()
            .map(|row| {
                let kind = Kind::parse(&row.kind).ok_or_else(|| unreadable("kind", &row.kind))?;
                Ok((kind, state(&row.state)?, row.count))
            })
            .collect()
    }

    async fn approvals_between(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> sqlx::Result<Vec<(State, i64)>> {
        let rows = sqlx::query!(
            r#"SELECT state, count(*) AS "count!: i64" FROM actions JOIN approvals ON approvals.action_id = actions.id
               WHERE created_at >= ? AND created_at < ? GROUP BY state ORDER BY count(*) DESC, state"#,
            from,
            to
        )
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter()
            .map(|row| Ok((state(&row.state)?, row.count)))
            .collect()
    }

    async fn refusals_between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> sqlx::Result<i64> {
        let (from, to) = (stamp(from), stamp(to));
        sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!: i64" FROM audit WHERE what = 'refused' AND at >= ? AND at < ?"#,
            from,
            to
        )
        .fetch_one(&self.reader)
        .await
    }

    /// Of agents that are there still, and of what is no agent.
    async fn incidents_between(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> sqlx::Result<Vec<(incident::Kind, i64)>> {
        let rows = sqlx::query!(
            r#"SELECT kind, count(*) AS "count!: i64" FROM incidents LEFT JOIN agents ON agents.id = agent_id
               WHERE opened_at >= ? AND opened_at < ? AND agents.removed_at IS NULL
               GROUP BY kind ORDER BY count(*) DESC, kind"#,
            from,
            to
        )
        .fetch_all(&self.reader)
        .await?;
        let kind = |word: &str| incident::Kind::parse(word).ok_or_else(|| unreadable("kind", word));
        rows.into_iter()
            .map(|row| Ok((kind(&row.kind)?, row.count)))
            .collect()
    }

    async fn open_at(&self, to: DateTime<Utc>) -> sqlx::Result<i64> {
        sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!: i64" FROM incidents LEFT JOIN agents ON agents.id = agent_id
               WHERE opened_at < ?1 AND (resolved_at IS NULL OR resolved_at >= ?1) AND agents.removed_at IS NULL"#,
            to
        )
        .fetch_one(&self.reader)
        .await
    }

    /// What kept agents that are there still from their work. One that came back is one spell, from its opening until it
    /// was last gone.
    async fn spells_between(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> sqlx::Result<Vec<Spell>> {
        let rows = sqlx::query!(
            r#"SELECT agents.id AS "agent!", agents.name AS "name!", agents.created_at AS "made_at!: DateTime<Utc>",
                      opened_at AS "opened_at!: DateTime<Utc>", gone_since AS "gone_at: DateTime<Utc>"
               FROM incidents JOIN agents ON agents.id = agent_id
               WHERE agents.removed_at IS NULL AND kind IN ('down', 'unhealthy', 'blocked')
                 AND opened_at < ? AND (gone_since IS NULL OR gone_since > ?)"#,
            to,
            from
        )
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(Spell {
                    agent: AgentId(row.agent),
                    name: name(&row.name)?,
                    made_at: row.made_at,
                    opened_at: row.opened_at,
                    gone_at: row.gone_at,
                })
            })
            .collect()
    }

    async fn restarts_between(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> sqlx::Result<Vec<Restarts>> {
        let rows = sqlx::query!(
            r#"SELECT agents.name, count(*) AS "count!: i64", sum(origin = 'recovery') AS "by_recovery!: i64"
               FROM actions JOIN action_targets ON action_id = actions.id JOIN agents ON agents.id = agent_id
               WHERE actions.created_at >= ? AND actions.created_at < ? AND action_targets.state = 'succeeded'
                 AND agents.removed_at IS NULL
                 AND (kind = 'restart' OR (kind = 'start' AND origin IN ('converge', 'recovery')))
               GROUP BY agent_id ORDER BY count(*) DESC, agents.name"#,
            from,
            to
        )
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(Restarts {
                    name: name(&row.name)?,
                    count: row.count,
                    by_recovery: row.by_recovery,
                })
            })
            .collect()
    }

    async fn runs_between(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> sqlx::Result<Vec<(Stage, Option<State>, i64)>> {
        let rows = sqlx::query!(
            r#"SELECT stage, actions.state AS "state?", count(*) AS "count!: i64"
               FROM runs LEFT JOIN actions ON actions.id = action_id
               WHERE planned_at >= ? AND planned_at < ? GROUP BY stage, actions.state ORDER BY stage, actions.state"#,
            from,
            to
        )
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter()
            .map(|row| {
                let stage =
                    Stage::parse(&row.stage).ok_or_else(|| unreadable("stage", &row.stage))?;
                Ok((
                    stage,
                    row.state.as_deref().map(state).transpose()?,
                    row.count,
                ))
            })
            .collect()
    }

    /// When the agents that are there came up and went down, as the audit tells.
    async fn turns_until(&self, to: DateTime<Utc>) -> sqlx::Result<Vec<Turn>> {
        let to = stamp(to);
        let rows = sqlx::query!(
            r#"SELECT agents.id AS "agent!", agents.name AS "name!", at,
                      (what = 'came up' OR kind IN ('deploy', 'redeploy', 'rollback', 'start', 'restart', 'resume'))
                      AS "up!: bool"
               FROM audit JOIN agents ON agents.id = audit.agent_id
               WHERE agents.removed_at IS NULL AND at < ?
                 AND (what IN ('exited', 'came up')
                      OR (what = 'succeeded' AND kind IN ('deploy', 'redeploy', 'rollback', 'start', 'restart', 'resume',
                                                          'stop', 'pause')))
               ORDER BY audit.id"#,
            to
        )
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter()
            .map(|row| {
                let at = DateTime::parse_from_rfc3339(&row.at);
                Ok(Turn {
                    agent: AgentId(row.agent),
                    name: name(&row.name)?,
                    up: row.up,
                    at: at.map_err(|_| unreadable("at", &row.at))?.to_utc(),
                })
            })
            .collect()
    }
}

fn state(word: &str) -> sqlx::Result<State> {
    State::parse(word).ok_or_else(|| unreadable("state", word))
}

fn name(text: &str) -> sqlx::Result<Name> {
    Name::parse(text).map_err(|_| unreadable("name", text))
}
