//! Whatever people do in whatever order, and wherever the process is killed: an action is done at most once, with its quorum,
//! and as it was planned.

use std::time::Duration;

use chrono::TimeDelta;
use localcord::{Fault, Injected, Person};
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use yardarm::{
    domain::{
        action::{Action, State},
        approval::Answer,
        event::Event,
        grant::Caller,
        ids::{ActionId, RoleId, UserId},
    },
    error::Error,
    ops::approvals::Ballot,
};

use crate::support::{fake_engine::Moment, talk::slash, test_app::TestApp};

const CREW: [&str; 3] = ["ravi", "gus", "tess"];
const REQUESTER: &str = "uma";
const NEEDED: usize = 2;
/// How long a question waits if its rule says nothing else.
const OPEN_FOR: i64 = 24;
/// Each on an app of its own, which forgets nothing between its sequences.
const APPS: usize = 4;
const SEQUENCES: usize = 16;

/// What people do while the app runs.
#[derive(Clone, Copy, Debug)]
enum Move {
    Answer(usize, Answer),
    /// An approval, and the process is killed in the middle of what comes of it; before it is started again, something
    /// may happen.
    Killed(usize, Cut, Option<Change>),
    OwnAnswer,
    Withdraw,
    Wait(i64),
    Restart,
    Meanwhile(Change),
    /// Somebody else makes the container anew: what was planned is not what is there any more.
    Drift,
}

/// Where it is killed.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// As soon as the answer was taken.
    Decided,
    /// While Discord does not say who somebody is, when it is asked for the first time but so many.
    Asking(u32),
    /// In the engine's next call but so many, before or after that is carried out.
    Calling(usize, Moment),
    /// When it is over and Discord does not take what is said of it.
    Reporting,
}

/// What may happen without the app.
#[derive(Clone, Copy, Debug)]
enum Change {
    Role(usize, bool),
    Requester(Standing),
    /// Whether the rule asks for as many as it did.
    Rule(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Member,
    Roleless,
    Gone,
}

fn any_change() -> impl Strategy<Value = Change> {
    let standing = prop_oneof![
        Just(Standing::Member),
        Just(Standing::Roleless),
        Just(Standing::Gone)
    ];
    prop_oneof![
        2 => (0..CREW.len(), any::<bool>()).prop_map(|(who, has)| Change::Role(who, has)),
        1 => standing.prop_map(Change::Requester),
        1 => any::<bool>().prop_map(Change::Rule),
    ]
}

fn any_cut() -> impl Strategy<Value = Cut> {
    let moment = prop_oneof![Just(Moment::Before), Just(Moment::After)];
    prop_oneof![
        1 => Just(Cut::Decided),
        3 => (0_u32..8).prop_map(Cut::Asking),
        3 => (0_usize..4, moment).prop_map(|(calls, moment)| Cut::Calling(calls, moment)),
        1 => Just(Cut::Reporting),
    ]
}

fn any_move() -> impl Strategy<Value = Move> {
    let person = 0..CREW.len();
    let killed = (
        person.clone(),
        any_cut(),
        proptest::option::of(any_change()),
    );
    prop_oneof![
        8 => person.clone().prop_map(|who| Move::Answer(who, Answer::Approve)),
        6 => killed.prop_map(|(who, cut, change)| Move::Killed(who, cut, change)),
        1 => person.prop_map(|who| Move::Answer(who, Answer::Deny)),
        1 => Just(Move::OwnAnswer),
        1 => Just(Move::Withdraw),
        2 => (1_i64..20).prop_map(Move::Wait),
        1 => Just(Move::Restart),
        4 => any_change().prop_map(Move::Meanwhile),
        1 => Just(Move::Drift),
    ]
}

/// What must hold, kept beside the app.
struct Model {
    approving: [bool; CREW.len()],
    roles: [bool; CREW.len()],
    requester: Standing,
    rule: bool,
    hours: i64,
    /// Somebody ended it, or the plan is not what it was.
    closed: bool,
    /// It was begun while it might be: a start may end that.
    begun: bool,
}

impl Model {
    const fn new() -> Self {
        Self {
            approving: [false; CREW.len()],
            roles: [true; CREW.len()],
            requester: Standing::Member,
            rule: true,
            hours: 0,
            closed: false,
            begun: false,
        }
    }

    fn may_begin(&self) -> bool {
        let valid = self.approving.iter().zip(self.roles);
        let quorum = valid.filter(|(yes, role)| **yes && *role).count() >= NEEDED;
        quorum
            && self.requester == Standing::Member
            && self.rule
            && self.hours < OPEN_FOR
            && !self.closed
    }
}

/// One sequence: an agent, and the question whether to remove it.
struct Play<'a> {
    test: &'a mut TestApp,
    name: String,
    id: ActionId,
    model: Model,
    done: bool,
    moves: &'a [Move],
}

fn write_rules(test: &TestApp, approvals: usize) {
    let crew = test.cord.role_id("crew");
    let text = format!(
        "[[grant]]\nrole = {crew}\nlevel = \"maintainer\"\nfleet = \"*\"\n\
         [[policy]]\nname = \"careful\"\nactions = [\"remove\"]\neffect = \"ask\"\n\
         [policy.ask]\napprovals = {approvals}\n"
    );
    std::fs::write(test.path("yardarm.toml"), text).unwrap();
}

async fn stage() -> TestApp {
    let mut test = TestApp::prepare(&[("access.preset", "\"team\"")]).await;
    for name in ["gus", "tess", REQUESTER] {
        test.cord.invite(name).set_roles(&["crew"]).unwrap();
    }
    write_rules(&test, NEEDED);
    let file = test.path("yardarm.toml");
    test.up_from(&file).await;
    test
}

fn person(test: &TestApp, name: &str) -> Person {
    test.cord.user(name).in_channel("ops")
}

fn user(test: &TestApp, name: &str) -> UserId {
    UserId(person(test, name).id().into())
}

impl<'a> Play<'a> {
    /// The requester has asked to remove an agent that nobody else has to do with.
    async fn begin(test: &'a mut TestApp, number: usize, moves: &'a [Move]) -> Self {
        let name = format!("scout-{number}");
        test.ops_deploy(&name).await;
        let request = format!("remove agent:{name}");
        let reply = slash(&person(test, REQUESTER), &request).send().await;
        reply
            .unwrap()
            .until_text("others have to approve")
            .await
            .unwrap();
        let open = test.ops().store.open_approvals().await.unwrap();
        Self {
            test,
            name,
            id: *open.last().unwrap(),
            model: Model::new(),
            done: false,
            moves,
        }
    }

    async fn play(&mut self, step: Move) {
        match step {
            Move::Answer(who, answer) => {
                if vote(self.test, self.id, (CREW[who], answer)).await.is_ok() {
                    self.model.approving[who] = answer == Answer::Approve;
                    self.model.closed |= answer == Answer::Deny;
                }
            }
            Move::Killed(who, cut, change) => self.kill(who, cut, change).await,
            Move::OwnAnswer => {
                let own = vote(self.test, self.id, (REQUESTER, Answer::Approve)).await;
                assert!(own.is_err(), "nobody approves their own request");
            }
            Move::Withdraw => {
                let requester = self.requester();
                let withdrawn = self.test.ops().cancel(self.id, &requester).await;
                self.model.closed |= withdrawn.is_ok();
            }
            Move::Wait(hours) => {
                self.model.hours += hours;
                self.test.pass(TimeDelta::hours(hours));
                self.test.ops().remind().await.unwrap();
                self.test.ops().expire().await.unwrap();
            }
            Move::Restart => self.test.restart().await,
            Move::Meanwhile(change) => {
                self.change(change);
                self.test.ops().reload(None).await.unwrap();
            }
            Move::Drift if !self.done => {
                self.test
                    .done(&format!("redeploy agent:{}", self.name))
                    .await;
                self.model.closed = true;
            }
            Move::Drift => {}
        }
    }

    async fn kill(&mut self, who: usize, cut: Cut, change: Option<Change>) {
        // Whoever wants it counts, whether that was still written down or not.
        let before = self.model.approving[who];
        self.model.approving[who] = true;
        let silences = self.silence(cut);
        let refused = self.cut_off(who, (cut, silences.last())).await;
        if refused {
            self.model.approving[who] = before;
        }
        self.test.crash().await;
        self.test.engine.thaw();
        for silence in silences {
            silence.release();
        }
        self.look();
        let is_running = self.state_on_disk().await == State::Running;
        assert!(
            !is_running || self.model.begun || self.model.may_begin(),
            "begun without leave: {:?}",
            self.moves
        );
        self.model.begun |= is_running;
        if let Some(change) = change {
            self.change(change);
        }
        self.test.up().await;
    }

    /// What Discord does not do before the process is killed.
    fn silence(&self, cut: Cut) -> Vec<Injected> {
        let members = "/guilds/*/members/*";
        let faults = match cut {
            Cut::Decided | Cut::Calling(..) => Vec::new(),
            Cut::Reporting => vec![Fault::hang().on("POST", "/channels/*/messages")],
            Cut::Asking(0) => vec![Fault::hang().on("GET", members)],
            Cut::Asking(answered) => vec![
                Fault::slow(Duration::ZERO)
                    .times(answered)
                    .on("GET", members),
                Fault::hang().on("GET", members),
            ],
        };
        let faults = faults.into_iter();
        faults.map(|fault| self.test.cord.inject(fault)).collect()
    }

    /// Approves, up to the cut; true if the answer was refused.
    async fn cut_off(&self, who: usize, (cut, silence): (Cut, Option<&Injected>)) -> bool {
        let approve = || vote(self.test, self.id, (CREW[who], Answer::Approve));
        let to_its_end = async {
            let refused = approve().await.is_err();
            self.settled().await;
            refused
        };
        match cut {
            Cut::Decided => approve().await.is_err(),
            Cut::Reporting => to_its_end.await,
            Cut::Asking(_) => tokio::select! {
                met = silence.unwrap().met() => { met.unwrap(); false }
                refused = to_its_end => refused,
            },
            Cut::Calling(calls, moment) => {
                self.test.engine.freeze_after(calls, moment);
                tokio::select! {
                    () = self.test.engine.frozen() => false,
                    refused = to_its_end => refused,
                }
            }
        }
    }

    fn change(&mut self, change: Change) {
        let test = &*self.test;
        match change {
            Change::Role(who, has) => {
                let roles: &[&str] = if has { &["crew"] } else { &[] };
                person(test, CREW[who]).set_roles(roles).unwrap();
                self.model.roles[who] = has;
            }
            Change::Requester(standing) => {
                let requester = person(test, REQUESTER);
                match standing {
                    Standing::Member => requester.set_roles(&["crew"]).unwrap(),
                    Standing::Roleless => requester.set_roles(&[]).unwrap(),
                    Standing::Gone if self.model.requester == Standing::Gone => {}
                    Standing::Gone => requester.leave().unwrap(),
                }
                self.model.requester = standing;
            }
            Change::Rule(same) => {
                write_rules(test, if same { NEEDED } else { NEEDED + 1 });
                self.model.rule = same;
            }
        }
    }

    fn requester(&self) -> Caller {
        let is_crew = self.model.requester == Standing::Member;
        let crew = RoleId(self.test.cord.role_id("crew").into());
        Caller {
            user: user(self.test, REQUESTER),
            bot: false,
            guild: Some(self.test.ops().rights().home),
            roles: is_crew.then_some(crew).into_iter().collect(),
        }
    }

    async fn state_on_disk(&self) -> State {
        let path = self.test.path("yardarm.db");
        let store = yardarm::store::Store::open(&path).await.unwrap();
        let action = store.action(self.id).await.unwrap().unwrap();
        store.close().await;
        action.state
    }

    /// Waits until nobody is at it.
    async fn settled(&self) {
        let mut events = self.test.ops().events();
        let wait = async {
            while self.test.ops().action(self.id).await.unwrap().is_live() {
                let _: Event = events.recv().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(20), wait).await;
        waited.unwrap_or_else(|_| panic!("it never came to an end: {:?}", self.moves));
    }

    /// Whether it was done since the last look, and might be.
    fn look(&mut self) {
        let container = format!("yardarm-{}", self.name);
        let calls = self.test.engine.changes();
        let removals = calls
            .iter()
            .filter(|call| **call == format!("remove {container}"));
        assert!(removals.count() <= 1, "done twice: {:?}", self.moves);
        if self.test.engine.names().contains(&container) {
            // What was cut off before it was carried out is no removal.
            self.test.engine.forget_calls();
        } else if !self.done {
            let might = self.model.begun || self.model.may_begin();
            assert!(might, "done without leave: {:?}", self.moves);
            self.done = true;
        }
    }

    /// Plays it to the end; true if it was done.
    async fn hold(mut self) -> bool {
        for step in self.moves {
            self.play(*step).await;
            self.settled().await;
            self.look();
        }
        if self.done {
            let result = format!("-# result {}", self.id);
            let ops = self.test.cord.channel("ops");
            ops.wait_for_text(&result).await.unwrap();
            let told = ops.texts();
            let told = told.iter().filter(|text| text.ends_with(&result));
            assert_eq!(told.count(), 1, "told twice: {:?}", self.moves);
        }
        // Nothing of it is left for the next one.
        for who in 0..CREW.len() {
            self.change(Change::Role(who, true));
        }
        self.change(Change::Requester(Standing::Member));
        self.change(Change::Rule(true));
        self.test.ops().reload(None).await.unwrap();
        self.play(Move::Wait(OPEN_FOR)).await;
        self.look();
        self.done
    }
}

async fn vote(
    test: &TestApp,
    id: ActionId,
    (name, answer): (&str, Answer),
) -> Result<Action, Error> {
    let ballot = Ballot {
        user: user(test, name),
        answer,
        reason: None,
        allow: false,
    };
    test.ops().vote(id, ballot).await
}

#[tokio::test]
async fn no_sequence_does_it_twice_or_without_its_quorum_or_against_its_plan() {
    let mut runner = TestRunner::deterministic();
    let sequences = proptest::collection::vec(any_move(), 1..12);
    let mut done = 0;
    for _ in 0..APPS {
        let mut test = stage().await;
        for number in 0..SEQUENCES {
            let moves = sequences.new_tree(&mut runner).unwrap().current();
            let play = Play::begin(&mut test, number, &moves).await;
            done += usize::from(play.hold().await);
        }
        test.finish().await;
    }
    let all = APPS * SEQUENCES;
    assert!(done >= all / 4, "only {done} of {all} were ever done");
    assert!(done <= all * 3 / 4, "as many as {done} of {all} were done");
}
