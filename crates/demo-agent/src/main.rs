//! An agent to deploy where no registry is reachable. It greets, ticks, answers HTTP, and misbehaves on request, so that
//! people and tests have something to watch. Linked statically, it is the only file of its image.
//!
//! It installs no signal handler. Under the engine's `init` it is not process 1, so SIGTERM ends it at once; without
//! `init` the kernel ignores the signal for process 1, and the engine kills it after the grace period.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what an agent prints is its log"
)]

mod settings;
mod web;

use std::env;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use settings::{Command, Settings};

/// `EX_USAGE` of sysexits.h.
const BAD_USAGE: u8 = 64;

fn main() -> ExitCode {
    match read_request() {
        Ok((Command::Run, settings)) => run(&settings),
        Ok((Command::HealthCheck, settings)) => health_check(&settings),
        Err(message) => {
            eprintln!("demo-agent: {message}");
            ExitCode::from(BAD_USAGE)
        }
    }
}

fn read_request() -> Result<(Command, Settings), String> {
    let command = Command::parse(env::args().skip(1))?;
    let settings = Settings::parse(env::vars())?;
    Ok((command, settings))
}

fn run(settings: &Settings) -> ExitCode {
    let started = Instant::now();
    println!("{}", settings.greeting());
    if let Err(error) = web::serve(settings.clone(), started) {
        eprintln!("cannot listen on port {}: {error}", settings.port);
        return ExitCode::FAILURE;
    }
    if let Err(error) = fill_log(settings) {
        eprintln!("cannot write the log: {error}");
        return ExitCode::FAILURE;
    }
    let _eaten = eat_memory(settings.eat_mb);
    tick_until_exit(settings, started);
    println!("leaving with code {}", settings.exit_code);
    ExitCode::from(settings.exit_code)
}

fn health_check(settings: &Settings) -> ExitCode {
    match web::ask_health(settings.port) {
        Ok(status) if status.contains(" 200 ") => {
            println!("ok");
            ExitCode::SUCCESS
        }
        Ok(status) => {
            println!("unhealthy: {status}");
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("no answer: {error}");
            ExitCode::FAILURE
        }
    }
}

fn fill_log(settings: &Settings) -> io::Result<()> {
    let mut log = BufWriter::new(io::stdout().lock());
    if let Some(line) = &settings.say {
        writeln!(log, "{line}")?;
    }
    for number in 1..=settings.log_lines {
        writeln!(log, "line {number}")?;
    }
    let mut written = 0;
    while written < settings.log_bytes {
        let line = format!("{written:>12} {:.<114}\n", "");
        log.write_all(line.as_bytes())?;
        written += line.len();
    }
    log.flush()
}

/// Pages count against the memory limit only once they are written, hence the 1.
fn eat_memory(megabytes: usize) -> Vec<u8> {
    vec![1; megabytes * 1024 * 1024]
}

/// Returns when `exit_after` has passed; never, if there is none.
fn tick_until_exit(settings: &Settings, started: Instant) {
    for number in 1_u64.. {
        let left = settings.exit_after.map_or(Duration::MAX, |after| {
            after.saturating_sub(started.elapsed())
        });
        sleep(settings.interval.min(left));
        if left <= settings.interval {
            return;
        }
        if settings.quiet {
            continue;
        }
        if settings.is_for_stderr(number) {
            eprintln!("tick {number}");
        } else {
            println!("tick {number}");
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this program is one loop; it has no runtime to wait in"
)]
fn sleep(time: Duration) {
    std::thread::sleep(time);
}
