//! What a release is made of, and that CI calls what everybody calls.

use std::{path::Path, process::Command};

use crate::support::test_app::said;

fn run(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    let (code, text) = said(&command.args(arguments).output().unwrap());
    assert_eq!(code, Some(0), "{text}");
    text
}

fn yardarm(arguments: &[&str]) -> String {
    run(env!("CARGO_BIN_EXE_yardarm"), arguments)
}

fn read(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

#[test]
fn the_version_says_where_it_comes_from() {
    let said = yardarm(&["--version"]);
    let version = format!("yardarm {} (", env!("CARGO_PKG_VERSION"));
    assert!(said.starts_with(&version), "{said}");
    assert!(said.trim_end().ends_with("debug build)"), "{said}");
}

#[test]
fn bash_completes_commands_and_their_options() {
    let script = yardarm(&["completions", "bash"]);
    let complete = "COMP_WORDS=(yardarm \"$@\"); COMP_CWORD=$#
        _yardarm yardarm \"${!#}\" \"${COMP_WORDS[-2]}\"; echo \"${COMPREPLY[*]}\"";
    let script = format!("{script}\n{complete}");
    let bash = |words: &[&str]| run("bash", &[&["-c", script.as_str(), "bash"], words].concat());
    assert_eq!(bash(&["rest"]).trim(), "restore");
    assert_eq!(bash(&["audit", "ver"]).trim(), "verify");
    assert_eq!(bash(&["backup", "--conf"]).trim(), "--config");
}

#[test]
fn the_list_of_licences_names_what_is_in_the_program() {
    let list = run("scripts/licences", &[]);
    let (parts, texts) = list.split_once("\n---- ").unwrap();
    for part in ["\nserenity v0.12", "\nbollard v", "\npreact 11", "SQLite"] {
        assert!(parts.contains(part), "{part} is missing");
    }
    assert!(
        !parts.contains("\nproptest "),
        "a test's part is in no release"
    );
    for text in [
        "Bitstream Vera",
        "Apache License",
        "serenity-0.12.5/LICENSE",
    ] {
        assert!(texts.contains(text), "{text} is missing");
    }
    let crates = parts.lines().filter(|line| line.contains(" v"));
    let bare = crates.filter(|line| line.split_whitespace().count() < 3);
    assert_eq!(bare.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn ci_calls_targets_that_everybody_can_call() {
    let workflow = read(".github/workflows/ci.yml");
    let (_, rest) = workflow.split_once("target: [").unwrap();
    let (called, _) = rest.split_once(']').unwrap();
    let targets: Vec<&str> = called.split(", ").collect();
    let ours = read(".ci/run");
    let line = format!("\nmake {} ", targets.join(" "));
    assert!(
        ours.contains(&line),
        "`.ci/run` has no line `{}`",
        line.trim()
    );
    let calls = workflow.lines().any(|line| {
        line.trim_start().starts_with("- run: ") && line.ends_with(" make ${{ matrix.target }}")
    });
    assert!(calls, "the workflow does not call them");
    let makefile = read("Makefile");
    for target in targets {
        assert!(
            makefile.contains(&format!("\n{target}: ## ")),
            "make {target}"
        );
    }
}
