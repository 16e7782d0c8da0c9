use super::{PATTERN_MAX, TemplateBody, check_length, check_range, check_regex};
use crate::domain::{
    probe::{Http, Pace, Question},
    problem::{Problem, shown},
    spec::Network,
};

/// More tell people nothing new, and each costs something again and again.
const PROBES_MAX: usize = 10;
const PATH_MAX: usize = 500;

pub(super) fn check(body: &TemplateBody, found: &mut Vec<Problem>) {
    let count = body.probes.len();
    if count > PROBES_MAX {
        let hint = format!("give at most {PROBES_MAX}");
        found.push(Problem::new("probes", format!("there are {count}"), hint));
    }
    for (index, probe) in body.probes.iter().enumerate() {
        let at = format!("probes[{index}]");
        check_question(&at, &probe.question, body.network, found);
        check_pace(&at, &probe.pace, found);
    }
}

fn check_question(at: &str, question: &Question, network: Network, found: &mut Vec<Problem>) {
    match question {
        Question::Http(http) => {
            check_port(at, http.port, network, found);
            check_http(at, http, found);
        }
        Question::Tcp { port } => check_port(at, *port, network, found),
        Question::Exec { command } => {
            if command.first().is_none_or(String::is_empty) {
                let hint = "give the program and its arguments, each a string of its own";
                found.push(Problem::new(format!("{at}.command"), "is empty", hint));
            }
            for (index, word) in command.iter().enumerate() {
                check_length(&format!("{at}.command[{index}]"), word, &(0..=4096), found);
            }
        }
        Question::Log { silent_s } => {
            check_range(&format!("{at}.silent_s"), *silent_s, &(5..=604_800), found);
        }
    }
}

fn check_port(at: &str, port: u16, network: Network, found: &mut Vec<Problem>) {
    check_range(&format!("{at}.port"), port, &(1..=u16::MAX), found);
    if network == Network::None {
        let hint = "use a probe of kind `exec` or `log`, or another network";
        found.push(Problem::new(
            at,
            "nobody reaches it without a network",
            hint,
        ));
    }
}

fn check_http(at: &str, http: &Http, found: &mut Vec<Problem>) {
    let path = &http.path;
    let plain = |c: char| c.is_ascii_graphic() && c != '#';
    if !(path.starts_with('/') && path.len() <= PATH_MAX && path.chars().all(plain)) {
        found.push(Problem::new(
            format!("{at}.path"),
            format!("{} does not fit", shown(path)),
            format!(
                "begin with `/`, escape what is no plain letter, use at most {PATH_MAX} characters"
            ),
        ));
    }
    if let Some(pattern) = &http.body {
        let at = format!("{at}.body");
        check_length(&at, pattern, &(1..=PATTERN_MAX), found);
        check_regex(&at, pattern, found);
    }
}

fn check_pace(at: &str, pace: &Pace, found: &mut Vec<Problem>) {
    for (key, value, allowed) in [
        ("interval_s", pace.interval_s, 1..=3600),
        ("timeout_s", pace.timeout_s, 1..=600),
        ("failures", pace.failures, 1..=100),
        ("successes", pace.successes, 1..=100),
        ("start_grace_s", pace.start_grace_s, 0..=3600),
    ] {
        check_range(&format!("{at}.{key}"), value, &allowed, found);
    }
}
