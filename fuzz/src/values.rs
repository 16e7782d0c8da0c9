//! Whatever the domain can say, made from bytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use arbitrary::{Result, Unstructured};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use yardarm::{
    discord::render::logs::Extract,
    domain::{
        action::{self, Action, Arguments, Details, Origin, Step, Target},
        agent::{self, Agent, Desired, Health, Name, Observation, Phase},
        approval::{Answer, Approval, Vote},
        audit::{Record, search::Page},
        board::{self, Board, BoardView, Picture},
        freeze::{Freeze, Mode},
        grant::Holder,
        ids::{
            ActionId, AgentId, AlertId, BoardId, ChannelId, ContainerId, FleetId, FreezeId,
            ImageId, IncidentId, InteractionId, RoleId, UserId,
        },
        incident::{About, Evidence, Incident, Kind, Severity},
        plan::{Made, Part, Plan},
        policy::Ask,
        probe::{self, Asked, Pace, Probe, Probed, Question},
        recovery::Course,
        secret::{Listed, Scope, Subject},
        spec::{Spec, Version},
        squelch::{Alert, Mute},
        stats::{Io, Usage},
        template::Template,
        view::{AlertView, Attempts, Backlog, Busy, EngineState, Glance, Host, View},
    },
};

/// When all of it is shown.
pub const NOON: DateTime<Utc> = DateTime::from_timestamp(1_795_262_400, 0).expect("a time");

/// Bytes of a text: ten times what fits into a message, because nothing outside of Discord keeps to that.
const LONGEST: usize = 20_000;
/// Of a list.
const MOST: u64 = 40;

/// Short texts are told byte for byte; long ones repeat themselves.
pub fn text(u: &mut Unstructured<'_>) -> Result<String> {
    let piece: String = u.arbitrary()?;
    let times = if u.ratio(1_u8, 4)? {
        u.arbitrary::<u16>()?
    } else {
        1
    };
    let most = LONGEST / piece.len().max(1);
    Ok(piece.repeat(usize::from(times).min(most)))
}

pub fn list<T>(
    u: &mut Unstructured<'_>,
    one: impl Fn(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let many = u.int_in_range(0..=MOST)?;
    (0..many).map(|_| one(u)).collect()
}

/// As [`list`], of things that the database gives each a number of its own.
pub fn numbered<T, K: Ord>(
    u: &mut Unstructured<'_>,
    one: impl Fn(&mut Unstructured<'_>) -> Result<T>,
    number: impl Fn(&T) -> K,
) -> Result<Vec<T>> {
    let mut seen = BTreeSet::new();
    let mut all = list(u, one)?;
    all.retain(|one| seen.insert(number(one)));
    Ok(all)
}

pub fn maybe<T>(
    u: &mut Unstructured<'_>,
    one: impl Fn(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Option<T>> {
    u.arbitrary::<bool>()?.then(|| one(u)).transpose()
}

pub fn name(u: &mut Unstructured<'_>) -> Result<Name> {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789-_";
    let length = u.int_in_range(1..=32)?;
    let letters = (0..length).map(|_| Ok(char::from(*u.choose(LETTERS)?)));
    let text = letters.collect::<Result<String>>()?;
    Ok(Name::parse(&text).unwrap_or_else(|_| Name::parse("scout").expect("a good name")))
}

/// What engines and registries take for a reference: nothing in it is anything but text.
fn image(u: &mut Unstructured<'_>) -> Result<String> {
    let parts = list(u, name)?;
    let parts: Vec<&str> = parts.iter().map(Name::as_str).collect();
    Ok(format!("demo{}:1", parts.join("/")))
}

fn at(u: &mut Unstructured<'_>) -> Result<DateTime<Utc>> {
    Ok(NOON + TimeDelta::seconds(i64::from(u.arbitrary::<i32>()?)))
}

fn user(u: &mut Unstructured<'_>) -> Result<UserId> {
    // Discord's ids are no zeros.
    Ok(UserId(u.int_in_range(1..=u64::MAX)?))
}

pub fn action(u: &mut Unstructured<'_>) -> Result<Action> {
    let kind = *u.choose(&action::Kind::ALL)?;
    let state = *u.choose(&action::State::ALL)?;
    let targets = list(u, |u| target(u, state))?;
    let details = Details {
        name: maybe(u, name)?,
        channel: maybe(u, |u| Ok(ChannelId(u.arbitrary()?)))?,
        volumes: u.arbitrary()?,
        break_glass: u.arbitrary()?,
        typed: u.arbitrary()?,
        proposed: u.arbitrary()?,
        ..Details::default()
    };
    let plan = maybe(u, |u| plan(u, kind, &details))?.map(Box::new);
    Ok(Action {
        id: ActionId(u.arbitrary()?),
        kind,
        actor: maybe(u, user)?,
        origin: *u.choose(&Origin::ALL)?,
        reason: maybe(u, text)?,
        state,
        created_at: at(u)?,
        started_at: maybe(u, at)?,
        finished_at: if state.is_over() { Some(at(u)?) } else { None },
        // Of several targets only a count is told.
        outcome: if targets.is_empty() {
            maybe(u, text)?
        } else {
            None
        },
        reply: None,
        approval: maybe(u, approval)?.map(Box::new),
        details,
        plan,
        targets,
    })
}

fn target(u: &mut Unstructured<'_>, state: action::State) -> Result<Target> {
    Ok(Target {
        agent: AgentId(u.arbitrary()?),
        name: name(u)?,
        state,
        step: *u.choose(&[
            Step::Waiting,
            Step::Pulling(Some(43)),
            Step::Undoing,
            Step::Done,
        ])?,
        spec: None,
        arguments: Arguments::new(),
        image: None,
        note: maybe(u, text)?,
        finished_at: None,
    })
}

fn plan(u: &mut Unstructured<'_>, kind: action::Kind, details: &Details) -> Result<Plan> {
    let made = |u: &mut Unstructured<'_>| {
        let image = maybe(u, image)?;
        let spec = spec(u)?;
        Ok(Made { image, spec })
    };
    let part = |u: &mut Unstructured<'_>| {
        Ok(Part {
            agent: name(u)?,
            fleet: name(u)?,
            container: None,
            now: maybe(u, made)?,
            then: maybe(u, made)?,
            loosens: list(u, text)?,
        })
    };
    Ok(Plan {
        kind: kind.to_string(),
        parts: list(u, part)?,
        details: details.clone(),
    })
}

fn approval(u: &mut Unstructured<'_>) -> Result<Approval> {
    let vote = |u: &mut Unstructured<'_>| {
        Ok(Vote {
            user: user(u)?,
            answer: *u.choose(&[Answer::Approve, Answer::Deny])?,
            reason: maybe(u, text)?,
            at: at(u)?,
        })
    };
    Ok(Approval {
        ask: Ask::of(u.int_in_range(1..=9)?),
        rule: text(u)?,
        channel: None,
        asked_at: at(u)?,
        expires_at: at(u)?,
        decided: maybe(u, |u| Ok((user(u)?, at(u)?)))?,
        votes: list(u, vote)?,
    })
}

pub fn holders(u: &mut Unstructured<'_>) -> Result<Vec<Holder>> {
    list(u, |u| {
        Ok(match u.int_in_range(0..=2)? {
            0 => Holder::User(user(u)?),
            1 => Holder::Role(RoleId(u.int_in_range(1..=u64::MAX)?)),
            _ => Holder::Team(name(u)?),
        })
    })
}

/// What resolves to a spec, with all that people write into one.
pub fn template(u: &mut Unstructured<'_>) -> Result<Template> {
    let parameter = |u: &mut Unstructured<'_>| {
        Ok(json!({
            "name": name(u)?.as_str().replace('-', "_"),
            "type": u.choose(&["string", "integer", "boolean"])?,
            "description": text(u)?,
            "required": u.arbitrary::<bool>()?,
        }))
    };
    let variable = |u: &mut Unstructured<'_>| Ok((text(u)?, json!(text(u)?)));
    let body = json!({
        "description": text(u)?,
        "image": "demo:1",
        "command": list(u, text)?,
        "env": serde_json::Map::from_iter(list(u, variable)?),
        "parameters": list(u, parameter)?,
        "depends_on": list(u, name)?,
    });
    let name = name(u)?;
    // Most are refused; a plain one takes their place.
    let parsed = Template::parse(name.clone(), &body.to_string());
    let plain = r#"{ "description": "ticks", "image": "demo:1" }"#;
    Ok(parsed.unwrap_or_else(|_| Template::parse(name, plain).expect("a good template")))
}

fn spec(u: &mut Unstructured<'_>) -> Result<Spec> {
    let template = template(u)?;
    let spec = template.resolve(&Arguments::new());
    let mut spec = spec.map_err(|_| arbitrary::Error::IncorrectFormat)?;
    spec.image = image(u)?;
    spec.probes = list(u, |u| {
        let command = vec![text(u)?];
        Ok(Probe {
            question: Question::Exec { command },
            pace: Pace::default(),
        })
    })?;
    Ok(spec)
}

pub fn view(u: &mut Unstructured<'_>) -> Result<View> {
    let spec = maybe(u, spec)?;
    let probes = spec.as_ref().map_or(0, |spec| spec.probes.len());
    Ok(View {
        agent: Agent {
            id: AgentId(u.arbitrary()?),
            name: name(u)?,
            fleet: FleetId(1),
            desired: *u.choose(&[Desired::Running, Desired::Paused, Desired::Stopped])?,
            container: None,
            version: 1,
            adopted: u.arbitrary()?,
            created_at: at(u)?,
        },
        fleet: name(u)?,
        version: spec.map(|spec| Arc::new(version(spec))),
        observed: maybe(u, observation)?,
        usage: maybe(u, usage)?,
        probed: (0..probes).map(|_| probed(u)).collect::<Result<_>>()?,
        log_says: None,
        broken: u.arbitrary()?,
        busy: maybe(u, busy)?,
        state: *u.choose(&agent::State::ALL)?,
        since: at(u)?,
    })
}

fn version(spec: Spec) -> Version {
    Version {
        number: 1,
        spec,
        image: ImageId("sha256:0".to_owned()),
        arguments: Arguments::new(),
        created_at: NOON,
    }
}

fn observation(u: &mut Unstructured<'_>) -> Result<Observation> {
    Ok(Observation {
        container: ContainerId("c".to_owned()),
        name: text(u)?,
        phase: *u.choose(&[Phase::Created, Phase::Running, Phase::Exited, Phase::Dead])?,
        image: ImageId(image(u)?),
        started_at: maybe(u, at)?,
        finished_at: maybe(u, at)?,
        exit_code: u.arbitrary()?,
        oom_killed: u.arbitrary()?,
        error: maybe(u, text)?,
        health: *u.choose(&[None, Some(Health::Healthy), Some(Health::Unhealthy)])?,
        health_said: maybe(u, text)?,
        restarts: u.arbitrary()?,
        ports: list(u, |u| Ok(format!("[::]:{} → 80", u.arbitrary::<u16>()?)))?,
        addresses: Vec::new(),
    })
}

fn usage(u: &mut Unstructured<'_>) -> Result<Usage> {
    Ok(Usage {
        cpus: f64::from(u.arbitrary::<u16>()?),
        memory_bytes: u.arbitrary()?,
        pids: u.arbitrary()?,
        io: Io::default(),
    })
}

fn probed(u: &mut Unstructured<'_>) -> Result<Probed> {
    let mut probed = Probed::new(at(u)?);
    let asked = Asked {
        at: at(u)?,
        took: Duration::from_millis(u.arbitrary()?),
        answer: probe::Answer::Ill(text(u)?),
    };
    probed.note(asked, &Pace::default(), None);
    Ok(probed)
}

fn busy(u: &mut Unstructured<'_>) -> Result<Busy> {
    Ok(Busy {
        action: ActionId(u.arbitrary()?),
        kind: *u.choose(&action::Kind::ALL)?,
        actor: maybe(u, user)?,
        since: at(u)?,
    })
}

pub fn freeze(u: &mut Unstructured<'_>) -> Result<Freeze> {
    Ok(Freeze {
        id: FreezeId(1),
        fleet: maybe(u, |u| Ok((FleetId(1), name(u)?)))?,
        mode: *u.choose(&[Mode::Pause, Mode::Cut])?,
        action: ActionId(1),
        actor: maybe(u, user)?,
        reason: maybe(u, text)?,
        since: at(u)?,
        thawing: u.arbitrary()?,
    })
}

pub fn glance(u: &mut Unstructured<'_>) -> Result<Glance> {
    let mut views = numbered(u, view, |view| view.agent.id)?;
    // A page of `/status`.
    views.truncate(20);
    let mut counts = BTreeMap::new();
    for view in &views {
        *counts.entry(view.state).or_default() += 1;
    }
    Ok(Glance {
        fleet: maybe(u, name)?,
        counts,
        total: views.len(),
        page: u.int_in_range(0..=99)?,
        pages: u.int_in_range(1..=100)?,
        views,
        engine: engine(u)?,
        host: Host::default(),
        freezes: list(u, freeze)?,
        backlog: Backlog {
            waiting: u.arbitrary()?,
            dead: u.arbitrary()?,
        },
        refused: u.arbitrary()?,
    })
}

fn engine(u: &mut Unstructured<'_>) -> Result<EngineState> {
    let since = at(u)?;
    Ok(match u.int_in_range(0..=2)? {
        0 => EngineState::Unasked,
        1 => EngineState::Answers {
            since,
            version: text(u)?,
        },
        _ => EngineState::Silent {
            since,
            why: text(u)?,
        },
    })
}

pub fn board(u: &mut Unstructured<'_>) -> Result<BoardView> {
    let line = |u: &mut Unstructured<'_>| {
        Ok(board::Line {
            id: AgentId(u.arbitrary()?),
            name: name(u)?,
            fleet: name(u)?,
            state: *u.choose(&agent::State::ALL)?,
            since: at(u)?,
            busy: None,
            is_frozen: u.arbitrary()?,
        })
    };
    let trouble = |u: &mut Unstructured<'_>| {
        Ok(board::Trouble {
            severity: *u.choose(Severity::ALL)?,
            subject: text(u)?,
            cause: text(u)?,
            since: at(u)?,
            standing: "acknowledged",
        })
    };
    let mut agents = numbered(u, line, |line| line.id)?;
    agents.truncate(Picture::AGENTS);
    let mut troubles = list(u, trouble)?;
    troubles.truncate(Picture::TROUBLES);
    Ok(BoardView {
        board: Board {
            id: BoardId(u.arbitrary()?),
            channel: ChannelId(1),
            fleet: None,
            repost_after: None,
            created_by: user(u)?,
            shown: None,
            old_message: None,
            ended: None,
        },
        picture: Picture {
            counts: agent::State::ALL.map(|state| (state, agents.len())).into(),
            agents,
            troubles,
            troubles_more: u.arbitrary::<u16>()?.into(),
            questions: Vec::new(),
            questions_more: u.arbitrary::<u16>()?.into(),
            freezes: list(u, text)?,
            silent: maybe(u, |u| Ok((at(u)?, text(u)?)))?,
        },
        host: Host::default(),
    })
}

pub fn alert(u: &mut Unstructured<'_>) -> Result<AlertView> {
    Ok(AlertView {
        alert: Alert {
            id: AlertId(u.arbitrary()?),
            route: text(u)?,
            group: text(u)?,
            opened_at: at(u)?,
            due_at: at(u)?,
            announced_at: maybe(u, at)?,
            told_at: maybe(u, at)?,
            told_severity: None,
            unheeded_since: maybe(u, at)?,
            repeats: u.arbitrary()?,
            escalations: u.arbitrary()?,
            closed_at: maybe(u, at)?,
        },
        incidents: list(u, incident)?,
        attempts: maybe(u, attempts)?,
        mute: maybe(u, |u| Ok(Mute::Maintenance(text(u)?)))?,
        users: list(u, user)?,
        roles: list(u, |u| Ok(RoleId(u.int_in_range(1..=u64::MAX)?)))?,
    })
}

fn attempts(u: &mut Unstructured<'_>) -> Result<Attempts> {
    Ok(Attempts {
        done: u.arbitrary()?,
        most: u.arbitrary()?,
        course: if u.arbitrary()? {
            Course::Restart(at(u)?)
        } else {
            Course::Break
        },
    })
}

pub fn incident(u: &mut Unstructured<'_>) -> Result<Incident> {
    Ok(Incident {
        id: IncidentId(u.arbitrary()?),
        about: match u.int_in_range(0..=2)? {
            0 => About::Agent(AgentId(u.arbitrary()?)),
            1 => About::Engine,
            _ => About::Host(text(u)?),
        },
        agent: maybe(u, name)?,
        fleet: maybe(u, |u| Ok((FleetId(1), name(u)?)))?,
        kind: *u.choose(Kind::ALL)?,
        severity: *u.choose(Severity::ALL)?,
        cause: text(u)?,
        evidence: Evidence {
            exit_code: u.arbitrary()?,
            lines: list(u, text)?,
            // Sentences of our own.
            changed: maybe(u, |u| Ok(format!("restarted {}", name(u)?)))?,
            notes: list(u, |u| Ok(format!("it depends on {}", name(u)?)))?,
        },
        opened_at: at(u)?,
        changed_at: at(u)?,
        gone_since: maybe(u, at)?,
        resolved_at: maybe(u, at)?,
        acknowledged: maybe(u, |u| Ok((user(u)?, at(u)?)))?,
        returns: list(u, at)?,
        flapping: u.arbitrary()?,
        alert: None,
        joined_at: maybe(u, at)?,
        untold: None,
        told_at: maybe(u, at)?,
        told_severity: None,
    })
}

pub fn extract(u: &mut Unstructured<'_>) -> Result<Extract> {
    Ok(Extract {
        agent: AgentId(u.arbitrary()?),
        name: name(u)?,
        lines: list(u, text)?,
        filter: maybe(u, text)?,
    })
}

pub fn page(u: &mut Unstructured<'_>) -> Result<Page> {
    let mut records = list(u, record)?;
    records.truncate(10);
    Ok(Page {
        search: InteractionId(u.arbitrary()?),
        number: u.int_in_range(0..=u32::MAX - 1)?,
        records,
        is_last: u.arbitrary()?,
    })
}

fn record(u: &mut Unstructured<'_>) -> Result<Record> {
    Ok(Record {
        number: u.arbitrary()?,
        at: if u.arbitrary()? {
            NOON.to_rfc3339()
        } else {
            text(u)?
        },
        what: text(u)?,
        actor: u.arbitrary()?,
        origin: text(u)?,
        agent_id: u.arbitrary()?,
        agent_name: maybe(u, text)?,
        fleet_id: u.arbitrary()?,
        fleet_name: maybe(u, text)?,
        action_id: u.arbitrary()?,
        kind: maybe(u, text)?,
        plan: maybe(u, text)?,
        text: maybe(u, text)?,
        details: text(u)?,
        hash: vec![0; 32],
    })
}

pub fn secret(u: &mut Unstructured<'_>) -> Result<Listed> {
    Ok(Listed {
        subject: Subject::new(
            text(u)?,
            Scope::Agent(AgentId(u.arbitrary()?)),
            maybe(u, name)?,
        ),
        set: None,
        users: list(u, name)?,
        outlets: list(u, text)?,
    })
}
