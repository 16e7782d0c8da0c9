//! Whatever people do in whatever order, an action is done at most once, with its quorum, and as it was planned.

use chrono::TimeDelta;
use localcord::Person;
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use yardarm::{
    domain::{
        approval::Answer,
        grant::Caller,
        ids::{ActionId, UserId},
    },
    error::Error,
    ops::approvals::Ballot,
};

use crate::support::test_app::TestApp;

const CREW: [&str; 3] = ["ravi", "gus", "tess"];
const NEEDED: usize = 2;
const CASES: u32 = 12;

#[derive(Clone, Copy, Debug)]
enum Move {
    Answer(usize, Answer),
    OwnAnswer,
    Withdraw,
    Wait(i64),
    Restart,
    Crash,
    LoseRole(usize),
    RegainRole(usize),
    /// Somebody else makes the container anew: what was planned is not what is there any more.
    Drift,
}

fn any_move() -> impl Strategy<Value = Move> {
    let person = 0..CREW.len();
    prop_oneof![
        6 => person.clone().prop_map(|who| Move::Answer(who, Answer::Approve)),
        1 => person.clone().prop_map(|who| Move::Answer(who, Answer::Deny)),
        1 => Just(Move::OwnAnswer),
        1 => Just(Move::Withdraw),
        2 => (1_i64..20).prop_map(Move::Wait),
        1 => Just(Move::Restart),
        1 => Just(Move::Crash),
        2 => person.clone().prop_map(Move::LoseRole),
        1 => person.prop_map(Move::RegainRole),
        1 => Just(Move::Drift),
    ]
}

/// What must hold, kept beside the app.
#[derive(Default)]
struct Model {
    approving: [bool; CREW.len()],
    role: [bool; CREW.len()],
    /// Nothing may be done any more.
    over: bool,
}

impl Model {
    fn quorum(&self) -> bool {
        let valid = self.approving.iter().zip(self.role);
        valid.filter(|(yes, role)| **yes && *role).count() >= NEEDED
    }
}

async fn scene() -> TestApp {
    let mut test = TestApp::prepare(&[("access.preset", "\"team\"")]).await;
    for name in ["gus", "tess"] {
        test.cord.invite(name).set_roles(&["crew"]).unwrap();
    }
    let crew = test.cord.role_id("crew");
    let text = format!(
        "[[grant]]\nrole = {crew}\nlevel = \"maintainer\"\nfleet = \"*\"\n\
         [[policy]]\nname = \"careful\"\nactions = [\"remove\"]\neffect = \"ask\"\n\
         [policy.ask]\napprovals = {NEEDED}\n"
    );
    let file = test.path("yardarm.toml");
    std::fs::write(&file, text).unwrap();
    test.up_from(&file).await;
    test.deploy("scout").await;
    test.engine.forget_calls();
    test.send("remove agent:scout").await;
    let ops = test.cord.channel("ops");
    ops.wait_for_text("-# approval").await.unwrap();
    test
}

fn person(test: &TestApp, name: &str) -> Person {
    test.cord.user(name).in_channel("ops")
}

async fn vote(test: &TestApp, name: &str, answer: Answer) -> Result<(), Error> {
    let ballot = Ballot {
        user: UserId(person(test, name).id().to_string().parse().unwrap()),
        answer,
        reason: None,
        allow: false,
    };
    test.ops().vote(ActionId(2), ballot).await.map(drop)
}

async fn play(test: &mut TestApp, model: &mut Model, step: Move) {
    match step {
        Move::Answer(who, answer) => {
            if vote(test, CREW[who], answer).await.is_ok() {
                model.approving[who] = answer == Answer::Approve;
                model.over |= answer == Answer::Deny;
            }
        }
        Move::OwnAnswer => {
            let own = vote(test, "olga", Answer::Approve).await;
            assert!(own.is_err(), "nobody approves their own request");
        }
        Move::Withdraw => {
            let olga = Caller {
                user: UserId(test.olga().id().into()),
                bot: false,
                guild: Some(test.ops().rights().home),
                roles: Vec::new(),
            };
            model.over |= test.ops().cancel(ActionId(2), &olga).await.is_ok();
        }
        Move::Wait(hours) => {
            test.pass(TimeDelta::hours(hours));
            test.ops().remind().await.unwrap();
            test.ops().expire().await.unwrap();
        }
        Move::Restart => test.restart().await,
        Move::Crash => {
            test.crash().await;
            test.up().await;
        }
        Move::LoseRole(who) => {
            person(test, CREW[who]).set_roles(&[]).unwrap();
            model.role[who] = false;
        }
        Move::RegainRole(who) => {
            person(test, CREW[who]).set_roles(&["crew"]).unwrap();
            model.role[who] = true;
        }
        Move::Drift if test.ops().roster.view("scout").is_some() => {
            test.done("redeploy agent:scout").await;
            model.over = true;
        }
        Move::Drift => {}
    }
}

/// Removals of the agent itself; a redeploy removes the container it has replaced.
fn removals(test: &TestApp) -> usize {
    let calls = test.engine.changes();
    calls
        .iter()
        .filter(|call| *call == "remove yardarm-scout")
        .count()
}

async fn hold(moves: &[Move]) {
    let mut test = scene().await;
    let mut model = Model {
        role: [true; CREW.len()],
        ..Model::default()
    };
    let mut done = 0;
    for step in moves {
        play(&mut test, &mut model, *step).await;
        test.until(|ops| {
            ops.roster
                .view("scout")
                .is_none_or(|view| view.busy.is_none())
        })
        .await;
        let now = removals(&test);
        assert!(now <= 1, "done twice: {moves:?}");
        if now > done {
            assert!(model.quorum(), "done without its quorum: {moves:?}");
            assert!(!model.over, "done although it was over: {moves:?}");
            done = now;
        }
    }
    test.down().await;
    assert!(removals(&test) <= 1, "done twice: {moves:?}");
}

#[tokio::test]
async fn no_sequence_does_it_twice_or_without_its_quorum_or_against_its_plan() {
    let mut runner = TestRunner::deterministic();
    let sequences = proptest::collection::vec(any_move(), 1..9);
    for _ in 0..CASES {
        let moves = sequences.new_tree(&mut runner).unwrap().current();
        hold(&moves).await;
    }
}
