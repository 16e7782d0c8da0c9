//! localcord as a program.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    net::TcpStream,
    process::{Child, ChildStdout, Command},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_localcord");

/// A running program with a folder of its own, which goes with it.
struct Program {
    child: Child,
    /// It goes on writing there.
    _stdout: Lines<BufReader<ChildStdout>>,
    folder: PathBuf,
    ready: Value,
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("localcord-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The program with ports of its own, below a shell that sets its limits.
fn command(folder: &Path, limits: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("{limits} exec \"$0\" \"$@\""), PROGRAM])
        .args(["--people-port=0", "--rest-port=0"])
        .arg("--state-dir")
        .arg(folder)
        .arg("--ready-file")
        .arg(folder.join("ready.json"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Program {
    async fn start(name: &str, limits: &str, arguments: &[&str]) -> Self {
        let folder = folder(name);
        let mut child = command(&folder, limits).args(arguments).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap().unwrap();
        assert!(
            first.starts_with("localcord is up: http://127.0.0.1:"),
            "{first}"
        );
        let text = fs::read_to_string(folder.join("ready.json")).unwrap();
        Self {
            child,
            _stdout: lines,
            folder,
            ready: serde_json::from_str(&text).unwrap(),
        }
    }

    fn told(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap()
    }

    /// Its end, as by Ctrl-C.
    async fn stop(mut self) {
        let id = self.child.id().unwrap().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(asked.unwrap().success());
        assert!(self.child.wait().await.unwrap().success());
        assert!(!self.folder.join("ready.json").exists());
    }
}

async fn output(arguments: &[&str]) -> Output {
    Command::new(PROGRAM)
        .args(arguments)
        .output()
        .await
        .unwrap()
}

#[tokio::test]
async fn it_says_what_it_can_do() {
    let help = output(&["--help"]).await;
    assert!(help.status.success());
    let text = String::from_utf8(help.stdout).unwrap();
    for option in [
        "--guild",
        "--people-port",
        "--state-dir",
        "--token",
        "--people-token",
        "--quiet",
    ] {
        assert!(text.contains(option), "{option}");
    }
    let wrong = output(&["--token", "two words"]).await;
    assert!(!wrong.status.success());
    let told = String::from_utf8(wrong.stderr).unwrap();
    assert!(told.contains("a token has letters"), "{told}");
}

#[tokio::test]
async fn a_wrong_guild_file_is_named() {
    let folder = folder("guild");
    let file = folder.join("guild.toml");
    fs::write(&file, "[bot]\nname = 7").unwrap();
    for (path, part) in [
        (file.clone(), "name = 7"),
        (folder.join("none.toml"), "none.toml"),
    ] {
        let guild = format!("--guild={}", path.display());
        let ended = command(&folder, "").arg(&guild).output();
        let ended = ended.await.unwrap();
        assert!(!ended.status.success());
        let told = String::from_utf8(ended.stderr).unwrap();
        assert!(told.contains(part), "{told}");
        assert!(!folder.join("ready.json").exists());
    }
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn tokens_are_given_or_kept_and_the_ready_file_goes_with_it() {
    let tokens = ["--token=localcord.mine.1", "--people-token=people-1"];
    let program = Program::start("tokens", "", &tokens).await;
    assert_eq!(program.told("token"), "localcord.mine.1");
    assert!(program.told("people_url").ends_with("/?token=people-1"));
    program.stop().await;

    let folder = folder("kept");
    fs::write(folder.join("token"), "localcord.kept.1\n").unwrap();
    let program = Program::start("kept", "", &[]).await;
    assert_eq!(program.told("token"), "localcord.kept.1");
    program.stop().await;
}

#[tokio::test]
async fn quiet_means_nothing_but_errors() {
    let folder = folder("quiet");
    // It writes the ready file under another name first: a pipe of that name tells when it is up.
    let pipe = folder.join("ready.json.new");
    let made = Command::new("mkfifo").arg(&pipe).status().await.unwrap();
    assert!(made.success());
    let child = command(&folder, "").arg("--quiet").spawn().unwrap();
    let id = child.id().unwrap().to_string();
    let ready = tokio::fs::read_to_string(&pipe).await.unwrap();
    assert!(ready.contains("people_url"), "{ready}");
    Command::new("kill")
        .args(["-TERM", &id])
        .status()
        .await
        .unwrap();
    let ended = child.wait_with_output().await.unwrap();
    assert!(ended.status.success());
    assert_eq!((ended.stdout, ended.stderr), (Vec::new(), Vec::new()));
    fs::remove_dir_all(folder).unwrap();
}

/// A flood of connections takes all descriptors; once it is over, localcord serves as before.
#[tokio::test]
async fn it_outlives_a_lack_of_descriptors() {
    let mut program = Program::start("flood", "ulimit -n 64;", &[]).await;
    let stderr = program.child.stderr.take().unwrap();
    let mut errors = BufReader::new(stderr).lines();
    let address = program
        .told("people_url")
        .split('/')
        .nth(2)
        .unwrap()
        .to_owned();
    let mut flood = Vec::new();
    for _ in 0..100 {
        flood.push(TcpStream::connect(&address).await.unwrap());
    }
    let told = errors.next_line().await.unwrap().unwrap();
    assert!(told.contains("accepting a connection failed"), "{told}");
    drop(flood);
    let client = reqwest::Client::builder().timeout(Duration::from_secs(20));
    let gateway = client.build().unwrap();
    let gateway = gateway.get(format!("http://{address}/api/v10/gateway"));
    assert_eq!(gateway.send().await.unwrap().status(), 200);
    program.stop().await;
}
