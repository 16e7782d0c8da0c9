//! Every line that the README offers to scripts does what it says.

use std::fs;

use localcord::Localcord;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::{self, Bot};

const README: &str = include_str!("../../README.md");
const CALL: &str = "call ";

/// Somebody at a shell, as the README leads there.
struct Shell {
    _cord: Localcord,
    _bot: Bot,
    folder: TempDir,
    /// What makes `call`.
    preamble: String,
}

impl Shell {
    async fn open(preamble: String) -> Self {
        let (cord, bot) = support::start().await;
        let folder = tempfile::tempdir().unwrap();
        let ready = json!({ "people_url": cord.people_url() });
        fs::write(folder.path().join("ready.json"), ready.to_string()).unwrap();
        // What is refused is an end without success.
        fs::write(folder.path().join(".curlrc"), "fail-with-body\n").unwrap();
        Self {
            _cord: cord,
            _bot: bot,
            folder,
            preamble,
        }
    }

    async fn run(&self, line: &str) -> Value {
        let (taken, said) = self.try_run(line).await;
        assert!(taken, "{line}: {said}");
        serde_json::from_str(&said).unwrap_or_default()
    }

    async fn try_run(&self, line: &str) -> (bool, String) {
        let mut bash = Command::new("bash");
        bash.args(["-euc", &format!("{}\n{line}", self.preamble)]);
        bash.current_dir(self.folder.path());
        bash.env("CURL_HOME", self.folder.path());
        let output = bash.output().await.unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        (output.status.success(), said)
    }

    /// The line with what it is about in the place of `ID`.
    async fn filled(&self, line: &str, started: &Value) -> String {
        let id = if line.contains("/api/threads/ID") {
            started["thread"].as_str().unwrap().to_owned()
        } else if line.contains(r#""interaction":"ID""#) || line.contains("/interactions/ID") {
            let asked = self.says("ask").await;
            asked["interaction"].as_str().unwrap().to_owned()
        } else if line.contains("ID") {
            let shown = self.says("panel").await;
            shown["message"]["id"].as_str().unwrap().to_owned()
        } else {
            return line.to_owned();
        };
        line.replace("ID", &id)
    }

    async fn says(&self, command: &str) -> Value {
        let said = json!({ "as": "olga", "channel": "ops", "command": command });
        self.run(&format!("call /api/slash -d '{said}'")).await
    }
}

/// The lines of the README's shell blocks: those before the first call, and all calls.
fn lines() -> (String, Vec<&'static str>) {
    let blocks = README.split("```sh\n").skip(1);
    let shell = blocks.filter_map(|block| block.split("\n```").next());
    let lines: Vec<&str> = shell.flat_map(str::lines).collect();
    let first = lines
        .iter()
        .position(|line| line.starts_with("ready="))
        .unwrap();
    let (_, ours) = lines.split_at(first);
    let preamble = ours.iter().take_while(|line| !line.starts_with(CALL));
    let preamble: Vec<&str> = preamble.copied().collect();
    let calls = ours.iter().filter(|line| line.starts_with(CALL));
    (preamble.join("\n"), calls.copied().collect())
}

#[tokio::test]
async fn every_line_for_scripts_is_taken() {
    let (preamble, calls) = lines();
    let shell = Shell::open(preamble).await;
    let (taken, said) = shell
        .try_run("call /api/slash -d '{\"as\":\"nobody\"}'")
        .await;
    assert!(!taken, "{said}");
    // What the line that starts a thread told.
    let mut started = Value::Null;
    for line in calls {
        let filled = shell.filled(line, &started).await;
        let answer = shell.run(&filled).await;
        if line.starts_with("call /api/threads -d") {
            started = answer;
        }
    }
}
