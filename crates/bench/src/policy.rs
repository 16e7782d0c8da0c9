//! What the rules cost that every action asks.

use std::time::Instant;

use anyhow::{Context as _, Result};
use yardarm::domain::{
    action::{Kind, Origin},
    grant::Level,
    pattern::Pattern,
    policy::{Effect, Match, Policy, Preset, Question, Subject, decide},
};

use crate::figures::Figures;

/// Rules before those of the preset, none of which matches: the longest way to a decision.
const RULES: usize = 200;
const SAMPLES: usize = 2000;

pub(crate) fn measure(figures: &mut Figures) -> Result<()> {
    let mut policies = (0..RULES).map(rule).collect::<Result<Vec<Policy>>>()?;
    policies.extend(Preset::Team.policies());
    let subjects = [Subject {
        agent: Some("scout-7-of-many"),
        fleet: Some("production-eu"),
        template: Some("claude"),
    }];
    let question = Question {
        kind: Kind::Stop,
        subjects: &subjects,
        several: false,
        level: Some(Level::Operator),
        origin: Origin::Chat,
        loosens: false,
        sole_owner: false,
        now: chrono::DateTime::UNIX_EPOCH,
    };
    let mut samples = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let began = Instant::now();
        std::hint::black_box(decide(
            std::hint::black_box(&policies),
            std::hint::black_box(&question),
        ));
        samples.push(began.elapsed());
    }
    samples.sort_unstable();
    let median = samples.get(SAMPLES / 2).context("nothing was measured")?;
    figures.number("policy_us", median.as_secs_f64() * 1e6);
    Ok(())
}

fn rule(number: usize) -> Result<Policy> {
    Ok(Policy {
        name: format!("rule {number}"),
        when: Match {
            fleets: vec![Pattern::parse(&format!("*eu-{number}"))?],
            agents: vec![Pattern::parse("*of*")?],
            ..Match::default()
        },
        effect: Effect::Confirm,
    })
}
