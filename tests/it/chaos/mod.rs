//! The real program on the real engine: people, the clock and the engine do what they like, and it is killed in the middle
//! of it, again and again. Nothing is lost and nothing is done twice; the oracle tells.

mod planted;
mod script;

use std::{collections::BTreeMap, time::Duration};

use futures::future::join_all;
use localcord::{Message, Person, Reply};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};
use yardarm::domain::action::State;

use self::script::{AGENTS, End, Move, Round, rounds};
use crate::support::{
    docker_host::try_docker, oracle::Evidence, program::Program, witness::Witness,
};

/// How long what was cut off may take until all is well again.
const PATIENCE: Duration = Duration::from_mins(1);
/// It is looked again at least this often: not everything that is written is said.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Seconds; beyond them, what a process takes to leave on a busy machine.
const GRACE: u64 = 10;
const MARGIN: Duration = Duration::from_secs(5);

/// Ends when it is told to.
const POLITE: &str = "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done";
/// Has to be killed.
const DEAF: &str = "trap '' TERM; while :; do sleep 1; done";

struct Chaos {
    program: Program,
    witness: Witness,
    seed: u64,
    kills: usize,
    /// How long each end in good order took.
    ends: Vec<Duration>,
    history: Vec<Round>,
}

impl Chaos {
    /// Two owners, two fleets, and a schedule.
    async fn begin(seed: u64) -> Self {
        let grace = format!("shutdown.grace_s={GRACE}");
        let prompt = ["group_wait_s=0", "group_interval_s=0", "hold_s=0"];
        let prompt = prompt.map(|setting| format!("alerts.{setting}"));
        let settings = [&grace, &prompt[0], &prompt[1], &prompt[2]];
        let program = Program::new(&settings.map(String::as_str)).await;
        let ravi = program.cord.user("ravi").id();
        let text = format!(
            "[[grant]]\nuser = {ravi}\nlevel = \"owner\"\nfleet = \"*\"\n\
             [[schedule]]\nname = \"tidy\"\ncron = \"* * * * *\"\naction = \"restart\"\nagent = \"agent-1\"\n"
        );
        std::fs::write(program.path("yardarm.toml"), text).unwrap();
        let hasty = json!({ "stop_grace_s": 1 });
        program.write_template_with("polite", POLITE, hasty.clone());
        program.write_template_with("deaf", DEAF, hasty.clone());
        let frail = json!({ "stop_grace_s": 1, "recovery": { "restart": false } });
        program.write_template_with("frail", POLITE, frail);
        let mut chaos = Self {
            program,
            witness: Witness::begin(),
            seed,
            kills: 0,
            ends: Vec::new(),
            history: Vec::new(),
        };
        chaos.program.up().await;
        let fleet = chaos.program.olga().slash("fleet create");
        let made = fleet.option("name", "north").send().await.unwrap();
        made.until_text("✅").await.unwrap();
        chaos
    }

    /// So many kills, and on until one of them was in the middle of something.
    async fn run(mut self, kills: usize) {
        println!("chaos: CHAOS_SEED={} CHAOS_KILLS={kills}", self.seed);
        self.deploy_all().await;
        for round in rounds(self.seed).take(10 * kills) {
            self.history.push(round.clone());
            self.play(&round).await;
            self.end(round.end).await;
            self.program.up().await;
            let evidence = self.settle().await;
            if self.kills >= kills && evidence.cut_off() > 0 {
                break;
            }
        }
        self.thaw().await;
        self.terminate().await;
        self.summarise(kills, &self.evidence().await);
    }

    /// Something has to be there that can be lost.
    async fn deploy_all(&self) {
        let deployed = join_all((0..AGENTS).map(|number| self.deploy(number))).await;
        for reply in deployed {
            reply.unwrap().until_text("running after").await.unwrap();
        }
    }

    /// Everything at once, for so long.
    async fn play(&self, round: &Round) {
        let moves = round.moves.iter().map(|step| self.make(*step));
        let unless_later = async {
            join_all(moves).await;
            std::future::pending::<()>().await;
        };
        drop(timeout(round.lasts, unless_later).await);
    }

    async fn end(&mut self, end: End) {
        match end {
            End::Killed => self.kill().await,
            End::KilledTwice(after) => {
                self.kill().await;
                let token = self.program.cord.token().to_owned();
                self.program.spawn(&token);
                // The instant at which it is killed is what is random here: nothing is waited for.
                sleep(after).await;
                self.kill().await;
            }
            End::Terminated => self.terminate().await,
        }
    }

    async fn kill(&mut self) {
        self.program.kill().await;
        self.kills += 1;
    }

    /// It waits for what is under way, but not for longer than it may.
    async fn terminate(&mut self) {
        let asked = Instant::now();
        let status = self.program.terminate().await;
        let took = asked.elapsed();
        self.ends.push(took);
        let evidence = self.evidence().await;
        let mut wrong = evidence.wrong();
        if !status.success() || took > Duration::from_secs(GRACE) + MARGIN {
            wrong.push(format!("it left with {status} after {took:?}"));
        }
        let running = evidence.in_state(State::Running);
        if !running.is_empty() {
            wrong.push(format!("it left while {running:?} were running"));
        }
        self.judge(&wrong);
    }

    async fn evidence(&self) -> Evidence {
        self.program.evidence(self.witness.creations()).await
    }

    /// What was cut off is finished, undone or reported, and then all is well.
    async fn settle(&mut self) -> Evidence {
        self.settle_without(|_| Vec::new()).await
    }

    /// Nothing stays down because it was frozen once.
    async fn thaw(&mut self) {
        if self.evidence().await.frozen().is_empty() {
            return;
        }
        drop(self.program.olga().slash("unfreeze").send().await);
        let ops = self.program.cord.channel("ops");
        let asks = |card: &Message| waits(card) && card.text().contains("to **unfreeze**");
        ops.wait_for(asks).await.unwrap();
        self.approve().await;
        self.settle_without(Evidence::frozen).await;
    }

    async fn settle_without(&mut self, unwanted: fn(&Evidence) -> Vec<String>) -> Evidence {
        let asked = Instant::now();
        loop {
            let evidence = self.evidence().await;
            let wrong = [
                evidence.wrong_at_rest(),
                evidence.late(),
                unwanted(&evidence),
            ]
            .concat();
            if wrong.is_empty() || asked.elapsed() > PATIENCE {
                self.judge(&wrong);
                return evidence;
            }
            self.witness.look_again(LOOK_EVERY).await;
        }
    }

    fn judge(&mut self, wrong: &[String]) {
        if wrong.is_empty() {
            return;
        }
        let (log, seed) = (self.program.log(), self.seed);
        let kept = self.program.keep();
        let lines: Vec<&str> = log.lines().collect();
        panic!(
            "after {} kills with seed {seed}: {wrong:#?}\ndatabase and log are kept in {}\nthe last rounds: {:#?}\n\
             the end of the log:\n{}",
            self.kills,
            kept.display(),
            last(&self.history, 3),
            last(&lines, 80).join("\n")
        );
    }

    fn summarise(&self, kills: usize, evidence: &Evidence) {
        let mut actions: BTreeMap<String, usize> = BTreeMap::new();
        for action in evidence.actions.values() {
            let ended = format!("{} {}", action.kind, action.state.as_str());
            *actions.entry(ended).or_default() += 1;
        }
        let cut_off = evidence.cut_off();
        let alerts = evidence.messages.iter().filter(|one| one.is_alert());
        println!(
            "chaos: {} kills, {cut_off} actions cut off by them; {} ends in good order, the longest {:?}; {} containers \
             made, {} messages, {} of them alerts; nothing lost, nothing twice\nchaos: actions: {actions:?}",
            self.kills,
            self.ends.len(),
            self.ends.iter().max().unwrap_or(&Duration::ZERO),
            evidence.creations.len(),
            evidence.messages.len(),
            alerts.count(),
        );
        assert!(cut_off > 0, "nothing was ever cut off: nothing was tried");
        assert!(self.kills >= kills, "it was killed too rarely");
    }
}

/// What people do. Whatever they are told, or that they are told nothing because it ended, is not looked at: the oracle
/// knows better.
impl Chaos {
    async fn make(&self, step: Move) {
        let olga = self.program.olga();
        match step {
            Move::Deploys(number) => drop(self.deploy(number).await),
            Move::Redeploys(number) => send(&olga, "redeploy", &agent(number)).await,
            Move::Stops(number) => send(&olga, "stop", &agent(number)).await,
            Move::Starts(number) => send(&olga, "start", &agent(number)).await,
            Move::Removes(number) => send(&olga, "remove", &agent(number)).await,
            Move::Approves => self.approve().await,
            Move::Freezes => self.freeze().await,
            Move::Unfreezes => {
                drop(olga.slash("unfreeze").send().await);
                self.approve().await;
            }
            Move::Dies(number) => {
                let name = format!("{}{}", self.program.prefix, agent(number));
                // It may not be there, or not run.
                try_docker(&["kill", &name]);
            }
            Move::RunsSchedule => {
                let run = olga.slash("schedule run").option("schedule", "tidy");
                drop(run.send().await);
            }
        }
    }

    async fn deploy(&self, number: usize) -> Result<Reply, localcord::Error> {
        let template = ["polite", "deaf", "frail"][number % 3];
        let fleet = ["main", "north"][number % 2];
        let olga = self.program.olga();
        let deploy = olga.slash("deploy").option("template", template);
        let deploy = deploy.option("fleet", fleet).option("name", agent(number));
        deploy.send().await
    }

    async fn freeze(&self) {
        let olga = self.program.olga();
        let freeze = olga.slash("freeze").option("reason", "it spends");
        if let Ok(question) = freeze.option("fleet", "north").send().await {
            drop(question.press("Freeze").await);
        }
    }

    async fn approve(&self) {
        let ravi = self.program.cord.user("ravi").in_channel("ops");
        for card in ravi.messages().iter().filter(|card| waits(card)) {
            drop(ravi.press(card, "Approve").await);
        }
    }
}

/// For somebody's answer.
fn waits(message: &Message) -> bool {
    let mut buttons = message.buttons().into_iter();
    buttons.any(|button| button.enabled && button.label == "Approve")
}

async fn send(person: &Person, command: &str, agent: &str) {
    drop(person.slash(command).option("agent", agent).send().await);
}

fn last<T>(all: &[T], count: usize) -> &[T] {
    &all[all.len().saturating_sub(count)..]
}

fn agent(number: usize) -> String {
    assert!(number < AGENTS);
    format!("agent-{number}")
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_nothing_is_lost_and_nothing_done_twice() {
    Chaos::begin(1).await.run(6).await;
}

/// A number from the environment.
fn given(name: &str) -> Option<u64> {
    let text = std::env::var_os(name)?.into_string().unwrap();
    Some(text.parse().unwrap_or_else(|_| panic!("{name}: a number")))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: make chaos"]
async fn killed_two_hundred_times() {
    let seed = given("CHAOS_SEED").unwrap_or_else(rand::random);
    let kills = given("CHAOS_KILLS").unwrap_or(200);
    Chaos::begin(seed)
        .await
        .run(usize::try_from(kills).unwrap())
        .await;
}
