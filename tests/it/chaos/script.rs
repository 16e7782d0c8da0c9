//! What happens, drawn by a seed.

use std::time::Duration;

use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

pub(super) const AGENTS: usize = 6;

/// What somebody does, or what happens.
#[derive(Clone, Copy, Debug)]
pub(super) enum Move {
    Deploys(usize),
    Redeploys(usize),
    Stops(usize),
    Starts(usize),
    /// Which somebody else has to approve.
    Removes(usize),
    /// Whatever waits for it.
    Approves,
    Freezes,
    /// Which somebody else has to approve, and does at once.
    Unfreezes,
    /// Its container is killed past Yardarm.
    Dies(usize),
    /// What the schedule does is wanted now.
    RunsSchedule,
}

/// How Yardarm is ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Killed,
    /// And once more, so long after it was started again: it may be settling what the first kill cut off.
    KilledTwice(Duration),
    /// In good order.
    Terminated,
}

/// Some moves at the same time, and an end in the middle of them.
#[derive(Clone, Debug)]
pub(super) struct Round {
    pub(super) moves: Vec<Move>,
    pub(super) lasts: Duration,
    pub(super) end: End,
}

fn any_move() -> impl Strategy<Value = Move> {
    let agent = 0..AGENTS;
    prop_oneof![
        6 => agent.clone().prop_map(Move::Deploys),
        8 => agent.clone().prop_map(Move::Redeploys),
        3 => agent.clone().prop_map(Move::Stops),
        3 => agent.clone().prop_map(Move::Starts),
        2 => agent.clone().prop_map(Move::Removes),
        3 => Just(Move::Approves),
        1 => Just(Move::Freezes),
        3 => Just(Move::Unfreezes),
        5 => agent.prop_map(Move::Dies),
        2 => Just(Move::RunsSchedule),
    ]
}

fn any_end() -> impl Strategy<Value = End> {
    prop_oneof![
        5 => Just(End::Killed),
        3 => (0_u64..1000).prop_map(|after| End::KilledTwice(Duration::from_millis(after))),
        2 => Just(End::Terminated),
    ]
}

fn any_round() -> impl Strategy<Value = Round> {
    let moves = proptest::collection::vec(any_move(), 3..9);
    (moves, 50_u64..2500, any_end()).prop_map(|(moves, lasts, end)| Round {
        moves,
        lasts: Duration::from_millis(lasts),
        end,
    })
}

/// The same rounds for the same seed.
pub(super) fn rounds(seed: u64) -> impl Iterator<Item = Round> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    std::iter::repeat_with(move || any_round().new_tree(&mut runner).unwrap().current())
}
