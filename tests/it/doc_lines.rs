//! Every command line of the documents is run, names what is there, or says what runs it or why nothing does.

use std::{fs, path::Path, process::Command};

use clap::CommandFactory as _;
use yardarm::cli::Cli;

use crate::{
    docs::documents,
    support::test_app::{TestApp, said},
};

/// Stands before a block that cannot be run here.
const MARK: &str = "<!-- needs real Discord -->";

/// Whether the line before a block says that it is run elsewhere, or cannot be.
fn is_mark(line: &str) -> bool {
    let elsewhere = line
        .strip_prefix("<!-- run by ")
        .and_then(|rest| rest.strip_suffix(" -->"));
    if let Some(file) = elsewhere {
        assert!(root().join(file).exists(), "`{file}` runs nothing");
    }
    line == MARK || elsewhere.is_some()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The lines of the shell blocks that can be run here, without their comments.
fn command_lines(document: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut inside, mut marked) = (None, false);
    for line in document.lines().map(str::trim) {
        match (inside, line) {
            (None, "```sh") => inside = Some(!marked),
            (None, line) => marked = is_mark(line),
            (Some(_), "```") => (inside, marked) = (None, false),
            (Some(true), line) => {
                let command = line.split("  #").next().unwrap().trim();
                found.push(command.to_owned());
            }
            (Some(false), _) => {}
        }
    }
    found
}

/// The blocks of docs/operations.md that are marked as run by this file of tests.
pub(crate) fn blocks_run_by(test: &str) -> Vec<String> {
    let page = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let begins = format!("<!-- run by {test} -->\n```sh\n");
    let blocks = page.split(&begins).skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.collect()
}

fn all_lines() -> Vec<String> {
    let texts = documents()
        .into_iter()
        .map(|page| fs::read_to_string(page).unwrap());
    texts.flat_map(|text| command_lines(&text)).collect()
}

/// What comes after `yardarm`, without where its output goes.
fn asked_of_yardarm(line: &str) -> Option<&str> {
    let words = line.strip_prefix("yardarm ")?;
    Some(words.split(" > ").next().unwrap_or(words))
}

/// The one file in a folder.
fn only_file(folder: &Path) -> String {
    let file = fs::read_dir(folder).unwrap().next().unwrap().unwrap();
    file.file_name().into_string().unwrap()
}

/// Runs a line where its files would be, and fails if it does.
fn run(test: &TestApp, words: &str) -> String {
    let words = shlex::split(words).unwrap();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut command: Command = test.command(&words);
    let output = command.current_dir(test.path("")).output().unwrap();
    let (code, text) = said(&output);
    assert_eq!(code, Some(0), "yardarm {words:?}: {text}");
    text
}

#[tokio::test]
async fn what_is_asked_of_yardarm_on_its_host_is_answered() {
    let mut test = TestApp::start().await;
    test.deploy("scout").await;
    test.done("backup").await;
    test.down().await;
    fs::write(test.path("next.key"), "07".repeat(32)).unwrap();
    let backup = format!("backups/{}", only_file(&test.path("backups")));
    let verified = run(&test, "audit verify");
    let mut words = verified.split_whitespace();
    let is_anchor = |word: &&str| {
        word.split_once(':')
            .is_some_and(|(_, hash)| hash.len() == 64)
    };
    let anchor = words.find(is_anchor).expect("a row and its hash");
    let mut count = 0;
    for line in all_lines() {
        let Some(words) = asked_of_yardarm(&line) else {
            continue;
        };
        let words = words
            .replace("1234:ab12…", anchor)
            .replace("backups/yardarm-20261121T033000Z.db", &backup);
        run(&test, &words);
        count += 1;
    }
    assert!(count > 5, "only {count} lines were found");
    test.cord.finish().unwrap();
}

#[test]
fn every_other_line_names_what_is_there() {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    for line in all_lines() {
        if asked_of_yardarm(&line).is_some() {
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_there = match words.as_slice() {
            ["make", target] => makefile.contains(&format!("\n{target}: ")),
            ["cargo", "test", "--lib", module] => is_module("src", module),
            ["cargo", "test", "--test", "it", module]
            | [
                "scripts/with-docker",
                "cargo",
                "test",
                "--test",
                "it",
                module,
            ] => is_module("tests/it", module),
            ["cargo", "test", "--test", name] => root().join("tests").join(name).exists(),
            ["cargo", "test", "--package", name] => root().join("crates").join(name).exists(),
            ["scripts/browser", file] => {
                let tests = root().join("crates/localcord/page/tests");
                root().join("scripts/browser").exists() && tests.join(file).exists()
            }
            _ => false,
        };
        assert!(is_there, "`{line}`: neither run nor known");
    }
}

/// Whether a filter of tests names a module in this folder, or begins the names of some.
fn is_module(folder: &str, filter: &str) -> bool {
    let begins = filter.split("::").next().unwrap();
    let mut files = fs::read_dir(root().join(folder)).unwrap();
    files.any(|file| {
        let name = file.unwrap().file_name().into_string().unwrap();
        name.starts_with(begins)
    })
}

/// What sentences hold between backticks.
fn spans(document: &str) -> Vec<String> {
    let mut inside = false;
    let sentences = document.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        inside ^= is_fence;
        !inside && !is_fence
    });
    let in_code = |line: &str| {
        let parts = line.split('`').skip(1).step_by(2);
        parts.map(str::to_owned).collect::<Vec<_>>()
    };
    sentences.flat_map(in_code).collect()
}

/// Whether these are sub-commands of `yardarm` and options that they have.
fn is_understood(words: &[&str]) -> bool {
    let mut cli = Cli::command();
    cli.build();
    let mut at = &cli;
    words.iter().all(|word| {
        if let Some(deeper) = at.find_subcommand(word) {
            at = deeper;
            return true;
        }
        match word.strip_prefix("--") {
            Some(option) => {
                let mut known = at.get_arguments();
                known.any(|argument| argument.get_long() == option.split('=').next())
            }
            None => !at.has_subcommands(),
        }
    })
}

#[test]
fn what_a_sentence_tells_people_to_type_is_there() {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let texts = documents()
        .into_iter()
        .map(|page| fs::read_to_string(page).unwrap());
    let mut count = 0;
    for line in texts.flat_map(|text| spans(&text)) {
        let mut ways = ["docker compose exec yardarm ", "sudo "].into_iter();
        let typed = ways.find_map(|way| line.strip_prefix(way)).unwrap_or(&line);
        let words: Vec<&str> = typed.split_whitespace().collect();
        let is_there = match words.as_slice() {
            // Whatever command it is.
            ["yardarm", "…", ..] => continue,
            ["yardarm", asked @ ..] => is_understood(asked),
            ["make", target, ..] => makefile.contains(&format!("\n{target}: ")),
            [script, ..] if script.starts_with("scripts/") => root().join(script).exists(),
            _ => continue,
        };
        assert!(is_there, "`{line}`: nothing like it is there");
        count += 1;
    }
    assert!(count > 60, "only {count} were found");
}

#[test]
fn what_yardarm_does_not_know_is_found_in_a_sentence() {
    let spans = spans("a `yardarm up --set a=b` b `c`\n```sh\n`no`\n```\n`d`");
    assert_eq!(spans, ["yardarm up --set a=b", "c", "d"]);
    assert!(is_understood(&["audit", "verify", "--anchor", "ROW:HASH"]));
    for wrong in [&["audit", "very"][..], &["up", "--sett"], &["rise"]] {
        assert!(!is_understood(wrong), "{wrong:?}");
    }
}

#[test]
fn a_marked_block_is_left_out_and_no_other() {
    let page = "a\n```sh\nmake up  # look\n```\n<!-- needs real Discord -->\n```sh\nyardarm up\n```\n```sh\nmake test\n```";
    assert_eq!(command_lines(page), ["make up", "make test"]);
}
