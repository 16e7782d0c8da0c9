//! What agents and the host used, a row a minute and later a row a quarter of an hour.

use chrono::{DateTime, Utc};

use super::{Store, Tx};
use crate::domain::{
    history::{HostMinute, HostTotal, Minute, Point, Total, minute},
    idle::Quiet,
    ids::AgentId,
};

/// A time as minutes, from its first to its last one.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub from: i64,
    pub to: i64,
}

impl Span {
    pub const fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> Self {
        Self {
            from: minute(from),
            to: minute(to),
        }
    }
}

const KIB: f64 = 1024.0;

impl Store {
    /// What each of these used over a time; those of which nothing is known are left out.
    pub async fn usage_totals(&self, agents: &[AgentId], span: Span) -> sqlx::Result<Vec<Total>> {
        let agents = list(agents);
        let rows = sqlx::query!(
            r#"WITH known AS (
                   SELECT agent_id, 1 AS weight, cpu, cpu AS cpu_max, memory, memory AS memory_max FROM minutes
                   WHERE agent_id IN (SELECT value FROM json_each(?1)) AND at BETWEEN ?2 AND ?3
                   UNION ALL
                   SELECT agent_id, minutes, cpu, cpu_max, memory, memory_max FROM quarters
                   WHERE agent_id IN (SELECT value FROM json_each(?1)) AND at BETWEEN ?2 AND ?3)
               SELECT agent_id AS "agent!: i64",
                      sum(cpu * weight) * 1.0 / sum(weight) AS "cpu!: f64", max(cpu_max) * 1.0 AS "cpu_max!: f64",
                      sum(memory * weight) * 1.0 / sum(weight) AS "memory!: f64", max(memory_max) * 1.0 AS "memory_max!: f64"
               FROM known GROUP BY agent_id"#,
            agents,
            span.from,
            span.to
        )
        .fetch_all(&self.reader)
        .await?;
        let total = rows.into_iter().map(|row| Total {
            agent: AgentId(row.agent),
            cpus: row.cpu / 1000.0,
            cpus_peak: row.cpu_max / 1000.0,
            memory_bytes: row.memory * KIB,
            memory_peak: row.memory_max * KIB,
        });
        Ok(total.collect())
    }

    /// What one agent used, a point for each `step` minutes of which something is known.
    pub async fn usage_points(
        &self,
        agent: AgentId,
        span: Span,
        step: i64,
    ) -> sqlx::Result<Vec<Point>> {
        let rows = sqlx::query!(
            r#"WITH known AS (
                   SELECT at, 1 AS weight, cpu, memory FROM minutes WHERE agent_id = ?1 AND at BETWEEN ?2 AND ?3
                   UNION ALL
                   SELECT at, minutes, cpu, memory FROM quarters WHERE agent_id = ?1 AND at BETWEEN ?2 AND ?3)
               SELECT at / ?4 * ?4 AS "at!: i64", sum(cpu * weight) * 1.0 / sum(weight) AS "cpu!: f64",
                      sum(memory * weight) * 1.0 / sum(weight) AS "memory!: f64"
               FROM known GROUP BY 1 ORDER BY 1"#,
            agent.0,
            span.from,
            span.to,
            step
        )
        .fetch_all(&self.reader)
        .await?;
        let points = rows.into_iter().map(|row| Point {
            at: DateTime::from_timestamp(row.at * 60, 0).unwrap_or_default(),
            cpus: row.cpu / 1000.0,
            memory_bytes: row.memory * KIB,
        });
        Ok(points.collect())
    }

    /// None if nothing is known of that time.
    pub async fn host_total(&self, span: Span) -> sqlx::Result<Option<HostTotal>> {
        let row = sqlx::query!(
            r#"WITH known AS (
                   SELECT 1 AS weight, cpu, cpu AS cpu_max, memory, memory AS memory_max, memory_pressure, io_pressure
                   FROM host_minutes WHERE at BETWEEN ?1 AND ?2
                   UNION ALL
                   SELECT minutes, cpu, cpu_max, memory, memory_max, memory_pressure, io_pressure
                   FROM host_quarters WHERE at BETWEEN ?1 AND ?2)
               SELECT sum(cpu * weight) * 1.0 / sum(weight) AS "cpu: f64", max(cpu_max) * 1.0 AS "cpu_max: f64",
                      sum(memory * weight) * 1.0 / sum(weight) AS "memory: f64", max(memory_max) * 1.0 AS "memory_max: f64",
                      max(memory_pressure) / 10.0 AS "memory_pressure: f64", max(io_pressure) / 10.0 AS "io_pressure: f64"
               FROM known"#,
            span.from,
            span.to
        )
        .fetch_one(&self.reader)
        .await?;
        let (Some(cpu), Some(cpu_max), Some(memory), Some(memory_max)) =
            (row.cpu, row.cpu_max, row.memory, row.memory_max)
        else {
            return Ok(None);
        };
        Ok(Some(HostTotal {
            cpu_percent: cpu / 10.0,
            cpu_peak: cpu_max / 10.0,
            memory_bytes: memory * KIB,
            memory_peak: memory_max * KIB,
            memory_pressure: row.memory_pressure,
            io_pressure: row.io_pressure,
        }))
    }

    /// How quiet an agent was over a time; None if nothing is known of it.
    pub async fn quiet(&self, agent: AgentId, span: Span) -> sqlx::Result<Option<Quiet>> {
        let row = sqlx::query!(
            r#"SELECT min(at) AS "first: i64", max(at) AS "last: i64", max(cpu) * 1.0 AS "cpu: f64",
                      coalesce(max(gap), 0) AS "gap!: i64"
               FROM (SELECT at, cpu, at - lag(at) OVER (ORDER BY at) AS gap FROM minutes
                     WHERE agent_id = ? AND at BETWEEN ? AND ?)"#,
            agent.0,
            span.from,
            span.to
        )
        .fetch_one(&self.reader)
        .await?;
        let (Some(first), Some(last), Some(cpu)) = (row.first, row.last, row.cpu) else {
            return Ok(None);
        };
        Ok(Some(Quiet {
            first,
            last,
            gap: row.gap,
            cpus: cpu / 1000.0,
        }))
    }
}

fn list(agents: &[AgentId]) -> String {
    let ids: Vec<String> = agents.iter().map(ToString::to_string).collect();
    format!("[{}]", ids.join(","))
}

/// Writes minutes; one that is there already is written over.
pub async fn insert(tx: &mut Tx, minutes: &[Minute], host: &[HostMinute]) -> super::Result<()> {
    let (minutes, host) = (json(minutes)?, json(host)?);
    sqlx::query!(
        "INSERT OR REPLACE INTO minutes (agent_id, at, cpu, memory, pids, received, sent, read, written)
         SELECT value ->> 'agent', value ->> 'at', value ->> 'cpu', value ->> 'memory_kib', value ->> 'pids',
                value ->> 'received', value ->> 'sent', value ->> 'read', value ->> 'written'
         FROM json_each(?)",
        minutes
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "INSERT OR REPLACE INTO host_minutes (at, cpu, memory, swap, disk, load, memory_pressure, io_pressure)
         SELECT value ->> 'at', value ->> 'cpu', value ->> 'memory_kib', value ->> 'swap_kib', value ->> 'disk',
                value ->> 'load', value ->> 'memory_pressure', value ->> 'io_pressure'
         FROM json_each(?)",
        host
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn json<T: serde::Serialize>(rows: &[T]) -> super::Result<String> {
    serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// Makes quarters of an hour of all minutes before a time, and drops what is older than another.
pub async fn roll_up(
    tx: &mut Tx,
    before: DateTime<Utc>,
    oldest: DateTime<Utc>,
) -> super::Result<()> {
    // A quarter that is not over would be cut in two.
    let before = minute(before).div_euclid(15) * 15;
    let oldest = minute(oldest);
    sqlx::query!(
        "INSERT OR REPLACE INTO quarters
             (agent_id, at, minutes, cpu, cpu_max, memory, memory_max, pids_max, received, sent, read, written)
         SELECT agent_id, at / 15 * 15, count(*), CAST(avg(cpu) AS INTEGER), max(cpu), CAST(avg(memory) AS INTEGER),
                max(memory), max(pids), CAST(avg(received) AS INTEGER), CAST(avg(sent) AS INTEGER),
                CAST(avg(read) AS INTEGER), CAST(avg(written) AS INTEGER)
         FROM minutes WHERE at < ? GROUP BY agent_id, at / 15",
        before
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!("DELETE FROM minutes WHERE at < ?", before)
        .execute(&mut **tx)
        .await?;
    sqlx::query!("DELETE FROM quarters WHERE at < ?", oldest)
        .execute(&mut **tx)
        .await?;
    sqlx::query!(
        "INSERT OR REPLACE INTO host_quarters
             (at, minutes, cpu, cpu_max, memory, memory_max, swap_max, disk_max, load_max, memory_pressure, io_pressure)
         SELECT at / 15 * 15, count(*), CAST(avg(cpu) AS INTEGER), max(cpu), CAST(avg(memory) AS INTEGER), max(memory),
                max(swap), max(disk), max(load), max(memory_pressure), max(io_pressure)
         FROM host_minutes WHERE at < ? GROUP BY at / 15",
        before
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!("DELETE FROM host_minutes WHERE at < ?", before)
        .execute(&mut **tx)
        .await?;
    sqlx::query!("DELETE FROM host_quarters WHERE at < ?", oldest)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
