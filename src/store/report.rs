//! Figures of a time, for a report.

use chrono::{DateTime, Utc};

use super::{Store, unreadable};
use crate::domain::{
    action::{Kind, State},
    agent::Name,
    audit::stamp,
    ids::AgentId,
    report::{Report, Turn, uptimes},
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
            restarts: self.restarts_between(from, to).await?,
            runs: self.runs_between(from, to).await?,
            uptimes: uptimes(&self.turns_until(to).await?, from, to),
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

    async fn restarts_between(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> sqlx::Result<Vec<(Name, i64)>> {
        let rows = sqlx::query!(
            r#"SELECT agents.name, count(*) AS "count!: i64"
               FROM actions JOIN action_targets ON action_id = actions.id JOIN agents ON agents.id = agent_id
               WHERE actions.created_at >= ? AND actions.created_at < ? AND action_targets.state = 'succeeded'
                 AND (kind = 'restart' OR (kind = 'start' AND origin IN ('converge', 'recovery')))
               GROUP BY agent_id ORDER BY count(*) DESC, agents.name"#,
            from,
            to
        )
        .fetch_all(&self.reader)
        .await?;
        rows.into_iter()
            .map(|row| Ok((name(&row.name)?, row.count)))
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
