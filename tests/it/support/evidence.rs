//! What the oracle judges, gathered from the database, the engine and the local Discord.

use std::{collections::BTreeMap, path::Path, time::SystemTime};

use chrono::{DateTime, Utc};
use sqlx::{Connection as _, SqliteConnection};
use yardarm::domain::{
    action::{Kind, State},
    ids::{AlertId, ChannelId},
    outbox::Subject,
};

use super::{
    oracle::{Action, Agent, Container, Creation, Evidence, Message, Outgoing, Problem, Stage},
    program::Program,
    told,
};

impl Program {
    /// All that there is to know. While the process runs, parts of it may be older than others.
    pub(crate) async fn evidence(&self, creations: Vec<Creation>) -> Evidence {
        let database = self.path("yardarm.db");
        let mut evidence = read(&database, &self.prefix).await;
        evidence.audit = told::complaints(&database).await;
        evidence.containers = self.own_containers();
        let instance = self.instance().expect("it was started");
        evidence.creations = creations;
        evidence.creations.retain(|one| one.instance == instance);
        evidence.messages = self.all_messages();
        evidence
    }

    fn own_containers(&self) -> Vec<Container> {
        let listed = self.containers("{{.ID}} {{.Names}} {{.State}}");
        let container = |line: &String| {
            let (id, rest) = line.split_once(' ').unwrap();
            let (name, state) = rest.split_once(' ').unwrap();
            Container {
                id: id.to_owned(),
                name: name.to_owned(),
                is_up: ["running", "paused", "restarting"].contains(&state),
            }
        };
        listed.iter().map(container).collect()
    }

    fn all_messages(&self) -> Vec<Message> {
        let channels = self.cord.channels();
        let all = channels.iter().flat_map(localcord::Channel::messages);
        all.map(|message| Message {
            channel: message.channel_id().into(),
            text: message.text(),
        })
        .collect()
    }
}

/// What the database says, of one moment.
async fn read(database: &Path, prefix: &str) -> Evidence {
    let address = format!("sqlite://{}", database.display());
    let mut connection = SqliteConnection::connect(&address).await.unwrap();
    let mut moment = connection.begin().await.unwrap();
    let evidence = Evidence {
        agents: agents(&mut moment, prefix).await,
        actions: actions(&mut moment).await,
        problems: problems(&mut moment).await,
        outbox: outbox(&mut moment).await,
        ..Evidence::default()
    };
    moment.rollback().await.unwrap();
    connection.close().await.unwrap();
    evidence
}

async fn agents(moment: &mut SqliteConnection, prefix: &str) -> Vec<Agent> {
    let rows = sqlx::query!(
        r#"SELECT id, name, container_id, desired,
                  EXISTS (SELECT 1 FROM freezes WHERE state = 'frozen' AND coalesce(fleet_id = agents.fleet_id, TRUE))
                      AS "is_frozen!: bool"
           FROM agents WHERE removed_at IS NULL"#
    )
    .fetch_all(moment)
    .await
    .unwrap();
    let agents = rows.into_iter().map(|row| Agent {
        id: row.id,
        name: format!("{prefix}{}", row.name),
        container: row.container_id,
        is_up: row.desired != "stopped",
        is_frozen: row.is_frozen,
    });
    agents.collect()
}

async fn actions(moment: &mut SqliteConnection) -> BTreeMap<i64, Action> {
    let rows = sqlx::query!(
        r#"SELECT id AS "id!", kind AS "kind!", state AS "state!",
                  EXISTS (SELECT 1 FROM approvals WHERE action_id = actions.id AND decided_at IS NOT NULL) AS "decided!: bool",
                  (SELECT count(*) FROM audit WHERE action_id = actions.id AND what = 'running') AS "begun!: i64",
                  found_by_start IS NOT NULL AS "cut_off!: bool"
           FROM actions"#
    )
    .fetch_all(moment)
    .await
    .unwrap();
    let action = rows.into_iter().map(|row| {
        let action = Action {
            kind: Kind::parse(&row.kind).unwrap(),
            state: State::parse(&row.state).unwrap(),
            decided: row.decided,
            begun: row.begun,
            cut_off: row.cut_off,
        };
        (row.id, action)
    });
    action.collect()
}

async fn problems(moment: &mut SqliteConnection) -> Vec<Problem> {
    let rows = sqlx::query!(
        r#"SELECT about || ' ' || kind AS "about!: String", alert_id
           FROM incidents WHERE gone_since IS NULL AND resolved_at IS NULL"#
    )
    .fetch_all(moment)
    .await
    .unwrap();
    rows.into_iter()
        .map(|row| Problem {
            about: row.about,
            alert: row.alert_id.map(|id| Subject::Alert(AlertId(id))),
        })
        .collect()
}

async fn outbox(moment: &mut SqliteConnection) -> Vec<Outgoing> {
    let now = DateTime::<Utc>::from(SystemTime::now());
    let rows = sqlx::query!(
        r#"SELECT channel_id, subject_kind, subject_id, state, due_at AS "due_at: DateTime<Utc>"
           FROM outbox WHERE target = ''"#
    )
    .fetch_all(moment)
    .await
    .unwrap();
    let outgoing = rows.into_iter().map(|row| Outgoing {
        channel: ChannelId::from_db(row.channel_id).0,
        subject: Subject::parse(&row.subject_kind, row.subject_id).unwrap(),
        stage: match row.state.as_str() {
            "sent" => Stage::Sent,
            "waiting" if row.due_at <= now => Stage::Due,
            "waiting" => Stage::Waits,
            _ => Stage::Dead,
        },
    });
    outgoing.collect()
}
