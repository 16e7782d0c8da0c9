//! Findings, as `check` and `doctor` print them.

use std::process::ExitCode;

use crate::{
    config::ConfigError,
    domain::finding::{Finding, Topic, Verdict},
};

/// Bad settings (`EX_USAGE` of sysexits.h); the same in every sub-command.
pub const BAD_SETTINGS: u8 = 64;

/// One finding for each thing that is wrong.
pub(super) fn failures(error: &ConfigError) -> Vec<Finding> {
    let wrong = error.0.iter().map(|located| {
        let problem = &located.problem;
        let subject = format!("{}: {}", located.place, problem.at);
        Finding::fail(Topic::Settings, &problem.message, &problem.hint).about(subject)
    });
    wrong.collect()
}

/// `failed` is the exit code if there is anything that fails.
#[expect(clippy::print_stdout, reason = "this is what a person asked for")]
pub(super) fn print(findings: &[Finding], failed: u8) -> ExitCode {
    for finding in findings {
        println!("{finding}");
    }
    let fails = findings
        .iter()
        .any(|finding| finding.verdict == Verdict::Fail);
    if fails {
        ExitCode::from(failed)
    } else {
        ExitCode::SUCCESS
    }
}
