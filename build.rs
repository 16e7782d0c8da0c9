//! Embeds the migrations, and the commit that this is built from.

use std::{env, process::Command};

fn main() {
    // `migrate!` embeds them; without this a new one would not be noticed.
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-env-changed=YARDARM_COMMIT");
    println!("cargo:rustc-env=YARDARM_COMMIT={}", commit());
}

/// From the environment, for a build without `.git`, or else from Git. A debug build does not ask: it would be compiled
/// anew after each commit.
fn commit() -> String {
    let given = env::var_os("YARDARM_COMMIT").and_then(|commit| commit.into_string().ok());
    if let Some(given) = given.filter(|commit| !commit.is_empty()) {
        return given;
    }
    if env::var_os("PROFILE").is_none_or(|profile| profile != "release") {
        return "debug build".to_owned();
    }
    println!("cargo:rerun-if-changed=src");
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo:rerun-if-changed={log}");
    }
    // Of the checkout alone: a tag does not change what is built.
    let described = git(&[
        "describe",
        "--always",
        "--dirty",
        "--abbrev=12",
        "--exclude=*",
    ]);
    described.unwrap_or_else(|| "unknown commit".to_owned())
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| said.trim().to_owned())
}
