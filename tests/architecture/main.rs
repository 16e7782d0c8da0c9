//! Keeps the house of docs/architecture.md: who may name whom, and what only one place may do.

// For clippy, which is easier on what it knows to be tests.
#![cfg(test)]

mod rules;
mod source;

use std::path::{Path, PathBuf};

use rules::{bad_habits, breaches, unused_excuses};

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_sources_keep_the_rules() {
    let breaches = breaches(&source::read(&folder("src")));
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn every_excuse_is_needed() {
    assert_eq!(
        unused_excuses(&source::read(&folder("src"))),
        Vec::<String>::new()
    );
}

#[test]
fn the_other_packages_have_no_bad_habits() {
    for package in ["crates/localcord/src", "crates/demo-agent/src"] {
        let breaches = bad_habits(&source::read(&folder(package)));
        assert!(breaches.is_empty(), "{package}\n{}\n", breaches.join("\n"));
    }
}

/// What is said of a house of these files, `name: text` each.
fn said(files: &[(&str, &str)]) -> String {
    let files: Vec<(String, String)> = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    breaches(&source::parse(&files)).join("\n")
}

#[test]
fn arrows_that_run_backwards_are_reported() {
    insta::assert_snapshot!(said(&[("domain/agent.rs", "use crate::ops::Ops;")]), @"src/domain/agent.rs:1: `domain` may not name `ops` (crate::ops::Ops)");
    insta::assert_snapshot!(said(&[("discord/render/mod.rs", "fn f(\n_: &crate::ops::Form) {}")]), @"src/discord/render/mod.rs:2: `discord::render` may not name `ops` (crate::ops::Form)");
    insta::assert_snapshot!(said(&[("discord/commands/logs.rs", "use crate::engine::{LogLine, docker::Docker};")]), @r"
    src/discord/commands/logs.rs:1: `discord::commands` may not name `engine` (crate::engine::LogLine)
    src/discord/commands/logs.rs:1: `discord::commands` may not name `engine::docker` (crate::engine::docker::Docker)
    ");
    insta::assert_snapshot!(said(&[("novelty.rs", "")]), @"src/novelty.rs:1: `novelty` is in no row of ARROWS");
}

#[test]
fn detours_are_followed() {
    let through_a_parent = [
        ("discord/mod.rs", "mod commands; use crate::ops::Ops;"),
        (
            "discord/render/mod.rs",
            "pub mod status; use super::Ops as Everything;",
        ),
        ("discord/render/status.rs", "fn f(_: &super::Everything) {}"),
    ];
    insta::assert_snapshot!(said(&through_a_parent), @r"
    src/discord/render/mod.rs:1: `discord::render` may not name `ops` (crate::ops::Ops)
    src/discord/render/status.rs:1: `discord::render` may not name `ops` (crate::ops::Ops)
    ");
    insta::assert_snapshot!(said(&[("ops/mod.rs", "use tokio as runtime; fn f() { runtime::spawn(g()); }")]), @"src/ops/mod.rs:1: only `workers` spawns (tokio::spawn)");
    insta::assert_snapshot!(said(&[("discord/commands/status.rs", "fn f(ctx: C) { ctx.data().ops.store.agents(); }")]), @"src/discord/commands/status.rs:1: `discord::commands` may not name `store` (ops.store)");
    insta::assert_snapshot!(said(&[("discord/commands/status.rs", "fn f() { join!(bot.ops.engine.list(), x) }")]), @"src/discord/commands/status.rs:1: `discord::commands` may not name `engine` (ops.engine)");
}

#[test]
fn crates_outside_their_module_are_reported() {
    insta::assert_snapshot!(said(&[("ops/mod.rs", "fn f() -> sqlx::Result<()> { todo!() }")]), @"src/ops/mod.rs:1: only `store` holds SQL (sqlx::Result)");
    insta::assert_snapshot!(said(&[("engine/mod.rs", "use bollard::Docker;")]), @"src/engine/mod.rs:1: only `engine::docker` names bollard (bollard::Docker)");
    insta::assert_snapshot!(said(&[("workers/outbox.rs", "use {poise::Context, serenity::all::Message};")]), @r"
    src/workers/outbox.rs:1: only `discord` names serenity or poise (poise::Context)
    src/workers/outbox.rs:1: only `discord` names serenity or poise (serenity::all::Message)
    ");
    insta::assert_snapshot!(said(&[("cli/up.rs", "fn f() { std::env::var(\"HOME\"); }")]), @"src/cli/up.rs:1: only `config` reads the environment (std::env::var)");
    insta::assert_snapshot!(said(&[("ops/mod.rs", "use chrono::Utc;\nfn f() { tracing::info!(at = %Utc::now(), \"x\"); }")]), @"src/ops/mod.rs:2: only `clock` reads the time (chrono::Utc::now)");
    insta::assert_snapshot!(said(&[("store/mod.rs", "fn f(_: std::time::SystemTime) {}")]), @"src/store/mod.rs:1: only `clock` reads the time (std::time::SystemTime)");
    insta::assert_snapshot!(said(&[("discord/reply.rs", "fn f() { tokio::task::spawn_blocking(g); }")]), @"src/discord/reply.rs:1: only `workers` spawns (tokio::task::spawn_blocking)");
}

#[test]
fn impure_rules_and_cards_are_reported() {
    insta::assert_snapshot!(said(&[("domain/agent.rs", "async fn f() { g().await }")]), @"src/domain/agent.rs:1: `domain` waits for nothing");
    insta::assert_snapshot!(said(&[("domain/agent.rs", "use std::{fs, time::{Duration, Instant}};")]), @r"
    src/domain/agent.rs:1: `domain` does no I/O and is the same at every time (std::fs)
    src/domain/agent.rs:1: `domain` does no I/O and is the same at every time (std::time::Instant)
    ");
    insta::assert_snapshot!(said(&[("discord/render/mod.rs", "fn f() { tokio::select! { x = g() => x.await } }")]), @r"
    src/discord/render/mod.rs:1: `render` does no I/O and gives the same bytes for the same input (tokio::select)
    src/discord/render/mod.rs:1: `discord::render` waits for nothing
    ");
    insta::assert_snapshot!(said(&[("discord/render/mod.rs", "use serenity::{all::CreateEmbed, http::Http};")]), @"src/discord/render/mod.rs:1: `render` does no I/O and gives the same bytes for the same input (serenity::http::Http)");
}

#[test]
fn changes_of_the_engine_are_reported() {
    let stop = "fn f(ops: &Ops) { ops.engine.stop(c); }";
    insta::assert_snapshot!(said(&[("workers/watcher.rs", stop)]), @"src/workers/watcher.rs:1: only ops::execute, ops::replace, ops::freeze, ops::networks, ops::tidy change the engine (`stop`)");
    insta::assert_snapshot!(said(&[("ops/execute.rs", stop)]), @"src/ops/execute.rs:1: `f` changes the engine (`stop`) without a TargetGuard");
    let too_late = "fn f(&self) {\nself.engine.stop(c);\nlet _guard = self.locks.lock(a).await; }";
    insta::assert_snapshot!(said(&[("ops/execute.rs", too_late)]), @"src/ops/execute.rs:2: `f` changes the engine (`stop`) without a TargetGuard");
    insta::assert_snapshot!(said(&[("ops/observe.rs", "fn f() { join!(self.engine.rename(a, b)) }")]), @"src/ops/observe.rs:1: only ops::execute, ops::replace, ops::freeze, ops::networks, ops::tidy change the engine (`rename`)");
    insta::assert_snapshot!(said(&[("ops/observe.rs", "use crate::engine::Engine; fn f() { Engine::start(x, c); }")]), @"src/ops/observe.rs:1: only ops::execute, ops::replace, ops::freeze, ops::networks, ops::tidy change the engine (`start`)");
    insta::assert_snapshot!(said(&[("ops/mod.rs", "fn f(other: &dyn Engine) { let it = Arc::clone(&ops.engine); }")]), @r"
    src/ops/mod.rs:1: an engine is called `engine`, so that changes by it are seen, and not `other`
    src/ops/mod.rs:1: an engine is called `engine`, so that changes by it are seen, and not `it`
    ");
}

#[test]
fn changes_under_a_guard_are_fine() {
    let guarded = [
        "fn f(ops: &Ops, _: &TargetGuard) { ops.engine.stop(c); }",
        "async fn f(&self) { let _guard = self.locks.lock(a).await; self.engine.stop(c); }",
        "fn f(&self) { let Some(_guard) = self.locks.try_lock(a) else { return }; self.engine.stop(c); }",
        "struct Work { guard: TargetGuard } impl Work { fn f(&self) { self.ops.engine.stop(c); } }",
    ];
    for text in guarded {
        assert_eq!(said(&[("ops/execute.rs", text)]), "", "{text}");
    }
}

#[test]
fn bad_habits_are_reported() {
    insta::assert_snapshot!(said(&[("ops/mod.rs", "#[allow(dead_code)] fn f() {}")]), @r#"src/ops/mod.rs:1: `#[expect(…, reason = "…")]`, never `#[allow]`"#);
    insta::assert_snapshot!(said(&[("ops/mod.rs", "m! { #[allow(dead_code)] fn f() {} }")]), @r#"src/ops/mod.rs:1: `#[expect(…, reason = "…")]`, never `#[allow]`"#);
    insta::assert_snapshot!(said(&[("ops/mod.rs", "#[cfg(test)] fn f() {}\nfn g() { if cfg!(test) {} }")]), @r"
    src/ops/mod.rs:1: only modules are compiled for tests alone
    src/ops/mod.rs:2: only modules are compiled for tests alone
    ");
    let test_module =
        "#[cfg(test)] mod tests { use sqlx::query; #[allow(dead_code)] async fn f() {} }";
    assert_eq!(said(&[("domain/ids.rs", test_module)]), "");
    let test_file = [
        ("domain/ids.rs", "#[cfg(test)] mod tests;"),
        ("domain/ids/tests.rs", "use sqlx::query;"),
    ];
    assert_eq!(said(&test_file), "");
}
