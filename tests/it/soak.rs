//! Two days in which engine, Discord, agents and Yardarm itself fail now and then: nothing is lost, nothing is told twice,
//! and in the end all is well.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use localcord::{Fault, Injected};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use sqlx::{Connection as _, SqliteConnection};
use yardarm::{
    domain::{
        agent::{Health, State},
        ids::AlertId,
        outbox::Subject,
    },
    ops::Ops,
};

use crate::support::{
    alarm::{cards, is_card},
    oracle::tells,
    test_app::TestApp,
};

const AGENTS: usize = 6;
const IMAGE: &str = "demo:1";
/// The squelch of the settings.
const WINDOW: TimeDelta = TimeDelta::hours(1);
/// Longer than two steps of time and the wait of a group.
const LASTING: TimeDelta = TimeDelta::hours(2);

#[derive(Clone, Copy, Debug)]
enum Event {
    Nothing,
    Ends(usize, i64),
    Sickens(usize),
    Recovers(usize),
    /// From now on whatever is started ends at once, or runs.
    Breaks,
    Works,
    EngineLeaves,
    EngineReturns,
    DiscordLeaves,
    DiscordReturns,
    GatewayDrops,
    Killed,
    Restarted,
    /// A person starts it.
    Started(usize),
    Acknowledged,
    /// The clock is set, by so many minutes.
    ClockSet(i64),
}

fn any_event() -> impl Strategy<Value = Event> {
    let agent = 0..AGENTS;
    prop_oneof![
        6 => Just(Event::Nothing),
        8 => (agent.clone(), 0_i64..140).prop_map(|(agent, code)| Event::Ends(agent, code)),
        2 => agent.clone().prop_map(Event::Sickens),
        2 => agent.clone().prop_map(Event::Recovers),
        1 => Just(Event::Breaks),
        2 => Just(Event::Works),
        1 => Just(Event::EngineLeaves),
        3 => Just(Event::EngineReturns),
        1 => Just(Event::DiscordLeaves),
        3 => Just(Event::DiscordReturns),
        1 => Just(Event::GatewayDrops),
        1 => Just(Event::Killed),
        1 => Just(Event::Restarted),
        2 => agent.prop_map(Event::Started),
        1 => Just(Event::Acknowledged),
        1 => (-90_i64..90).prop_map(Event::ClockSet),
    ]
}

struct Soak {
    test: TestApp,
    discord_away: Option<Injected>,
    /// So much the clock was set ahead in all: nothing lasted for as long as it seems.
    set_ahead: TimeDelta,
    sets_clock: bool,
}

impl Soak {
    async fn begin(sets_clock: bool) -> Self {
        let test = TestApp::start().await;
        for number in 0..AGENTS {
            test.deploy(&agent(number)).await;
        }
        Self {
            test,
            discord_away: None,
            set_ahead: TimeDelta::zero(),
            sets_clock,
        }
    }

    async fn happen(&mut self, event: Event) {
        let engine = &self.test.engine;
        let container = |number: usize| engine.id_of(&format!("yardarm-{}", agent(number)));
        match event {
            Event::Nothing => {}
            Event::Ends(number, code) => engine.kill(&container(number), code),
            Event::Sickens(number) => engine.set_health(&container(number), Health::Unhealthy),
            Event::Recovers(number) => engine.set_health(&container(number), Health::Healthy),
            Event::Breaks => engine.crash_on_start(IMAGE, 1),
            Event::Works => engine.run_on_start(IMAGE),
            Event::EngineLeaves => engine.go_away(),
            Event::EngineReturns => engine.come_back(),
            Event::DiscordLeaves if self.discord_away.is_some() => {}
            Event::DiscordLeaves => {
                let refusal = Fault::refuse().path("/channels/**");
                self.discord_away = Some(self.test.cord.inject(refusal));
            }
            Event::DiscordReturns => self.let_discord_back(),
            Event::GatewayDrops => self.test.cord.gateway().drop_connections(),
            Event::Killed => {
                self.test.crash().await;
                self.test.up().await;
            }
            Event::Restarted => self.test.restart().await,
            Event::Started(number) => self.start(number).await,
            Event::Acknowledged => self.acknowledge().await,
            Event::ClockSet(_) if !self.sets_clock => {}
            Event::ClockSet(minutes) => {
                let by = TimeDelta::minutes(minutes);
                self.test.clock.advance(by);
                self.set_ahead += by.max(TimeDelta::zero());
            }
        }
    }

    fn let_discord_back(&mut self) {
        if let Some(away) = self.discord_away.take() {
            away.release();
        }
    }

    async fn start(&self, number: usize) {
        let name = agent(number);
        let olga = self.test.olga();
        let start = olga.slash("start").option("agent", &name);
        start
            .send()
            .await
            .unwrap()
            .until(|text| !text.starts_with('⏳'))
            .await
            .unwrap();
    }

    /// The latest card that still has its button.
    async fn acknowledge(&self) {
        let mut cards = cards(&self.test);
        cards.retain(|card| {
            let buttons = card.buttons();
            let mut enabled = buttons.iter().filter(|button| button.enabled);
            enabled.any(|button| button.label == "Acknowledge")
        });
        if let Some(card) = cards.last() {
            // It may be over at this very moment.
            drop(self.test.olga().press(card, "Acknowledge").await);
        }
    }

    /// Time passes, and whatever falls due is done.
    async fn pass(&self, minutes: i64) {
        self.test.pass(TimeDelta::minutes(minutes));
        let ops = self.test.ops();
        if ops.knows_engine() {
            ops.mend().await.unwrap();
        }
        ops.tell_incidents().await.unwrap();
    }

    /// Everything works again, and somebody looks after what was given up.
    async fn end_well(&mut self) {
        self.let_discord_back();
        self.test.engine.come_back();
        self.test.engine.run_on_start(IMAGE);
        self.test.until(Ops::knows_engine).await;
        for number in 0..AGENTS {
            let container = self
                .test
                .engine
                .id_of(&format!("yardarm-{}", agent(number)));
            self.test.engine.set_health(&container, Health::Healthy);
        }
        // Longer than anything is held open or waits to be tried again.
        for _ in 0..8 {
            for number in 0..AGENTS {
                self.start(number).await;
            }
            self.pass(30).await;
        }
        self.test.until(all_run).await;
        self.told_everything().await;
    }

    async fn told_everything(&self) {
        let ops = self.test.ops();
        let mut events = ops.events();
        while ops.store.outbox_counts().await.unwrap().0 > 0 {
            events.recv().await.unwrap();
        }
    }
}

fn all_run(ops: &Ops) -> bool {
    ops.roster.read(|board| {
        board
            .views()
            .all(|view| view.state == State::Running && view.busy.is_none())
    })
}

fn agent(number: usize) -> String {
    format!("agent-{number}")
}

/// What was told of a problem, and when.
struct Told {
    about: String,
    alert: Option<i64>,
    opened: DateTime<Utc>,
    /// When it began or was last back.
    since: DateTime<Utc>,
    gone: DateTime<Utc>,
    announced: Option<DateTime<Utc>>,
}

impl TestApp {
    async fn database(&self) -> SqliteConnection {
        let address = format!("sqlite://{}", self.path("yardarm.db").display());
        SqliteConnection::connect(&address).await.unwrap()
    }

    /// Every problem there was, told or not.
    async fn all_problems(&self) -> Vec<Told> {
        let mut connection = self.database().await;
        let rows = sqlx::query!(
            r#"SELECT about || ' ' || kind AS "about!: String", incidents.opened_at AS "opened: DateTime<Utc>", returns,
                      gone_since AS "gone: DateTime<Utc>", resolved_at, alert_id,
                      announced_at AS "announced?: DateTime<Utc>", closed_at AS "closed?"
               FROM incidents LEFT JOIN alerts ON alerts.id = alert_id ORDER BY incidents.id"#
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        connection.close().await.unwrap();
        let read = rows.into_iter().map(|row| {
            assert!(row.resolved_at.is_some(), "{} is not over", row.about);
            let is_over = row.alert_id.is_none() || row.closed.is_some();
            assert!(is_over, "alert {:?} is not over", row.alert_id);
            let returns: Vec<DateTime<Utc>> = serde_json::from_str(&row.returns).unwrap();
            Told {
                about: row.about,
                alert: row.alert_id,
                opened: row.opened,
                since: returns.last().copied().unwrap_or(row.opened),
                gone: row.gone.unwrap(),
                announced: row.announced,
            }
        });
        read.collect()
    }

    /// When people were notified of each alert, by its message and by what followed it. That others came to it or that it is
    /// worse is news, which the squelch lets through.
    async fn all_told(&self) -> BTreeMap<i64, Vec<DateTime<Utc>>> {
        let mut connection = self.database().await;
        let rows = sqlx::query!(
            r#"SELECT id AS "alert!: i64", announced_at AS "at!: DateTime<Utc>" FROM alerts WHERE announced_at IS NOT NULL
               UNION ALL
               SELECT alert_id, created_at FROM nudges WHERE kind IN ('back', 'repeat')"#
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        connection.close().await.unwrap();
        let mut told = BTreeMap::<i64, Vec<DateTime<Utc>>>::new();
        for row in rows {
            told.entry(row.alert).or_default().push(row.at);
        }
        told
    }
}

/// Neither by two messages nor by what follows one.
fn assert_told_once(all: &[Told], told: BTreeMap<i64, Vec<DateTime<Utc>>>) {
    for (index, first) in all.iter().enumerate() {
        for second in &all[index + 1..] {
            let (Some(one), Some(other)) = (first.announced, second.announced) else {
                continue;
            };
            let again = first.about == second.about && first.alert != second.alert;
            assert!(
                !again || (other - one).abs() >= WINDOW,
                "{} was told by alert {:?} and, {} later, by alert {:?}",
                first.about,
                first.alert,
                other - one,
                second.alert
            );
        }
    }
    for (alert, mut times) in told {
        times.sort_unstable();
        for pair in times.windows(2) {
            let pause = pair[1] - pair[0];
            assert!(
                pause >= WINDOW,
                "alert {alert} was told again after {pause}"
            );
        }
    }
}

/// What lasted was told of, unless the engine was away, which explains it.
fn assert_told_at_all(all: &[Told], lasting: TimeDelta) {
    let engine: Vec<&Told> = all
        .iter()
        .filter(|one| one.about == "engine engine")
        .collect();
    for one in all {
        let explained = engine.iter().map(|engine| {
            let (from, to) = (engine.opened.max(one.since), engine.gone.min(one.gone));
            (to - from).max(TimeDelta::zero())
        });
        let explained = explained.sum::<TimeDelta>();
        let is_agent = one.about.starts_with("agent");
        let lasted = one.gone
            - one.since
            - if is_agent {
                explained
            } else {
                TimeDelta::zero()
            };
        assert!(
            lasted <= lasting || one.announced.is_some(),
            "{} lasted from {} to {} and nobody was told",
            one.about,
            one.since,
            one.gone
        );
    }
}

/// In a message of its own that says in the end that it is over, or in a digest.
fn assert_delivered_once(test: &TestApp, all: &[Told]) {
    let announced = all.iter().filter(|one| one.announced.is_some());
    for alert in announced
        .filter_map(|one| one.alert)
        .collect::<BTreeSet<_>>()
    {
        let subject = Subject::Alert(AlertId(alert));
        let mut telling = test.cord.channel("ops").messages();
        telling.retain(|message| tells(&message.text(), subject));
        assert_eq!(telling.len(), 1, "messages of alert {alert}");
        let text = telling[0].text();
        assert!(!is_card(&telling[0]) || text.starts_with('✅'), "{text}");
    }
}

async fn soak(seed: u8, sets_clock: bool) {
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let mut soak = Soak::begin(sets_clock).await;
    let (mut passed, mut history) = (0, Vec::new());
    while passed < 2 * 24 * 60 {
        let drawn = (any_event(), 1_i64..40).new_tree(&mut runner).unwrap();
        let (event, minutes) = drawn.current();
        history.push((passed, event));
        soak.happen(event).await;
        soak.pass(minutes).await;
        passed += minutes;
    }
    soak.end_well().await;
    let all = soak.test.all_problems().await;
    if !sets_clock {
        // By a clock that is set nobody knows how long ago something was.
        assert_told_once(&all, soak.test.all_told().await);
    }
    assert_told_at_all(&all, LASTING + soak.set_ahead);
    assert_eq!(soak.test.ops().store.outbox_counts().await.unwrap(), (0, 0));
    assert_delivered_once(&soak.test, &all);
    soak.test.finish().await;
}

#[tokio::test]
async fn two_days_of_trouble_end_well() {
    soak(1, false).await;
}

#[tokio::test]
async fn two_other_days_of_trouble_end_well() {
    soak(2, false).await;
}

#[tokio::test]
async fn two_days_of_trouble_by_a_clock_that_is_set_end_well() {
    soak(3, true).await;
}
