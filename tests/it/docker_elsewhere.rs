//! An engine that is not just the one of this host: asked through TLS, through ssh, and one that is nobody here.

use std::{
    ffi::OsString,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    net::{TcpListener, UnixStream},
    process::{Child, ChildStderr, Command},
    task::JoinSet,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
        server::WebPkiClientVerifier,
    },
};
use yardarm::{
    domain::address::{Address, TlsFiles},
    engine::{
        Engine as _, EngineError,
        docker::{Deadlines, Docker},
    },
};

use crate::support::{
    docker_host::{IMAGE, docker, tools},
    program::Program,
    test_app::said,
};

const SOCKET: &str = "/var/run/docker.sock";
const HOST: &str = "unix:///var/run/docker.sock";

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// The machine's engine behind an encrypted port, as a daemon with `--tlsverify` has it.
struct Encrypted {
    folder: tempfile::TempDir,
    authority: Authority,
    address: String,
    _gate: JoinSet<()>,
}

impl Encrypted {
    async fn open() -> Self {
        tools();
        let authority = authority();
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("tcp://{}", listener.local_addr().unwrap());
        let mut gate = JoinSet::new();
        gate.spawn(serve(listener, acceptor(&authority)));
        let encrypted = Self {
            folder,
            authority,
            address,
            _gate: gate,
        };
        std::fs::write(encrypted.path("ca.pem"), encrypted.authority.pem()).unwrap();
        encrypted.let_in(&encrypted.authority);
        encrypted
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a client's certificate that somebody vouches for, and its key.
    fn let_in(&self, authority: &Authority) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["yardarm".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, authority).unwrap();
        std::fs::write(self.path("cert.pem"), certificate.pem()).unwrap();
        std::fs::write(self.path("key.pem"), key.serialize_pem()).unwrap();
    }

    async fn ask(&self) -> Result<(), EngineError> {
        let files = TlsFiles {
            ca: self.path("ca.pem"),
            cert: self.path("cert.pem"),
            key: self.path("key.pem"),
        };
        let address = Address::with_tls(&self.address, files).unwrap();
        let engine = Docker::at(address, Deadlines::default());
        engine.about().await.map(drop)
    }
}

fn acceptor(authority: &Authority) -> TlsAcceptor {
    let provider = Arc::new(ring::default_provider());
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients.build().unwrap())
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor) {
    let mut guests = JoinSet::new();
    while let Ok((guest, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        guests.spawn(async move {
            let mut guest = acceptor.accept(guest).await?;
            let mut engine = UnixStream::connect(SOCKET).await?;
            tokio::io::copy_bidirectional(&mut guest, &mut engine).await
        });
    }
}

#[tokio::test]
async fn an_engine_behind_tls_runs_agents() {
    let engine = Encrypted::open().await;
    let file = |key: &str, name: &str| format!("docker.{key}={}", engine.path(name).display());
    let settings = [
        format!("docker.host={}", engine.address),
        file("tls_ca", "ca.pem"),
        file("tls_cert", "cert.pem"),
        file("tls_key", "key.pem"),
        "alerts.group_wait_s=0".to_owned(),
    ];
    let program = Program::new(&settings.each_ref().map(String::as_str)).await;
    runs_agents(program, HOST).await;
}

/// Changes reach the engine, and its events come the same way.
async fn runs_agents(mut program: Program, host: &str) {
    program.up().await;
    let reply = program.deploy("calm", "scout").await;
    reply.until_text("running after").await.unwrap();
    let container = format!("{}scout", program.prefix);
    docker(&["--host", host, "kill", &container]);
    program
        .card(&["**scout** in main was killed by signal 9"])
        .await;
    assert_eq!(program.terminate().await.code(), Some(0));
}

#[tokio::test]
async fn who_is_not_vouched_for_is_not_talked_to() {
    let engine = Encrypted::open().await;
    engine.ask().await.unwrap();

    engine.let_in(&authority());
    let stranger = engine.ask().await.unwrap_err().to_string();
    assert!(stranger.contains("fatal alert"), "{stranger}");
    engine.let_in(&engine.authority);
    engine.ask().await.unwrap();

    std::fs::write(engine.path("ca.pem"), authority().pem()).unwrap();
    let impostor = engine.ask().await.unwrap_err();
    assert!(
        matches!(impostor, EngineError::Unreachable(_)),
        "{impostor}"
    );
    let impostor = impostor.to_string();
    assert!(impostor.contains("invalid peer certificate"), "{impostor}");

    std::fs::remove_file(engine.path("ca.pem")).unwrap();
    let nobody = engine.ask().await.unwrap_err().to_string();
    let file = engine.path("ca.pem").display().to_string();
    assert!(
        nobody.contains(&format!("`{file}` holds no certificate")),
        "{nobody}"
    );
}

/// A host that lets us in by a key of its own: this machine, through a daemon that only this test knows.
struct Shell {
    folder: tempfile::TempDir,
    _daemon: Child,
    /// Kept open, for a daemon that cannot log ends.
    _log: Lines<BufReader<ChildStderr>>,
}

impl Shell {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        for key in ["host", "user"] {
            let arguments = ["-q", "-t", "ed25519", "-N", "", "-f", &path(key)];
            let made = Command::new("ssh-keygen").args(arguments).status().await;
            assert!(made.unwrap().success());
        }
        std::fs::rename(path("user.pub"), path("authorized")).unwrap();
        let port = free_port().await;
        // Whoever connects is told by the settings of ssh which key to show, and where the engine is.
        let settings = format!(
            "Host engine\nHostName 127.0.0.1\nPort {port}\nIdentityFile {}\nIdentitiesOnly yes\nUserKnownHostsFile {}\n",
            path("user"),
            path("known")
        );
        std::fs::write(path("settings"), settings).unwrap();
        std::fs::create_dir(path("bin")).unwrap();
        let ssh = format!(
            "#!/bin/sh\nexec /usr/bin/ssh -F {} \"$@\"\n",
            path("settings")
        );
        std::fs::write(path("bin/ssh"), ssh).unwrap();
        std::fs::set_permissions(path("bin/ssh"), std::fs::Permissions::from_mode(0o700)).unwrap();
        let (daemon, log) = daemon(folder.path(), port).await;
        Self {
            folder,
            _daemon: daemon,
            _log: log,
        }
    }

    async fn program(&self) -> Program {
        let settings = ["docker.host=ssh://root@engine", "alerts.group_wait_s=0"];
        let mut program = Program::new(&settings).await;
        let mut path = OsString::from(self.folder.path().join("bin"));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        program.set_variable("PATH", path);
        program.set_variable("XDG_STATE_HOME", self.folder.path());
        program
    }
}

async fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

/// Debian's own, where nothing but its mount of the users is changed: it wants one of its own.
async fn daemon(folder: &Path, port: u16) -> (Child, Lines<BufReader<ChildStderr>>) {
    let path = |name: &str| folder.join(name).display().to_string();
    let settings = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nPidFile none\nUsePAM no\n",
        path("host"),
        path("authorized")
    );
    std::fs::write(path("daemon"), settings).unwrap();
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let users = users + "sshd:x:65533:65534::/nonexistent:/usr/sbin/nologin\n";
    std::fs::write(path("users"), users).unwrap();
    let script =
        "mount --bind \"$1\" /etc/passwd && mkdir -p /run/sshd && exec \"$2/sshd\" -D -e -f \"$3\"";
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(path("users"))
        .arg(tools())
        .arg(path("daemon"))
        .env("LD_LIBRARY_PATH", tools())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut daemon = command.spawn().unwrap();
    let mut log = BufReader::new(daemon.stderr.take().unwrap()).lines();
    let first = log.next_line().await.unwrap().unwrap();
    assert!(first.starts_with("Server listening"), "{first}");
    (daemon, log)
}

#[tokio::test]
async fn an_engine_behind_ssh_runs_agents() {
    let shell = Shell::open().await;
    runs_agents(shell.program().await, HOST).await;
}

#[tokio::test]
async fn who_is_not_let_in_by_ssh_reads_what_to_do() {
    let shell = Shell::open().await;
    std::fs::write(shell.folder.path().join("authorized"), "").unwrap();
    let program = shell.program().await;
    let (_, said) = said(&program.run(&["doctor"]).await);
    let line = said.lines().find(|line| line.contains("Docker:")).unwrap();
    assert!(line.starts_with("fail"), "{line}");
    assert!(line.contains("Permission denied"), "{line}");
    assert!(
        line.contains("make `ssh` reach that host without a question"),
        "{line}"
    );
}

/// Becomes a daemon of the user 70000, who is root in a world of its own. What it runs ends with it. $1 is its folder.
const ROOTLESS: &str = r#"
    mount --bind "$1/users" /etc/passwd && touch /etc/subuid /etc/subgid
    mount --bind "$1/ranges" /etc/subuid && mount --bind "$1/ranges" /etc/subgid
    exec setpriv --reuid=70000 --regid=70000 --clear-groups env -i HOME="$1/home" XDG_RUNTIME_DIR="$1/run" \
        PATH="$1/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
        rootlesskit --net=host --pidns --state-dir="$1/run/kit" --copy-up=/etc --copy-up=/run \
        sh -c 'rm -f /run/docker /run/containerd; exec dockerd --rootless --bridge none --iptables=false --ip6tables=false \
            --storage-driver vfs --config-file "$HOME/daemon.json" --data-root "$HOME/data" --exec-root "$XDG_RUNTIME_DIR/exec" \
            --pidfile "$XDG_RUNTIME_DIR/pid" --host "unix://$XDG_RUNTIME_DIR/docker.sock"'
"#;
const NOBODY: u32 = 70_000;

/// A daemon that is not root.
struct Rootless {
    daemon: Child,
    /// Kept open, for a daemon that cannot log ends.
    _log: Lines<BufReader<ChildStderr>>,
    folder: tempfile::TempDir,
}

impl Rootless {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        furnish(folder.path());
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c", ROOTLESS, "sh"])
            .arg(folder.path())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut daemon = command.spawn().unwrap();
        let mut log = BufReader::new(daemon.stderr.take().unwrap()).lines();
        let mut said = Vec::new();
        while !said
            .last()
            .is_some_and(|line: &String| line.contains("API listen on"))
        {
            let line = log.next_line().await.unwrap();
            said.push(line.unwrap_or_else(|| panic!("{}", said.join("\n"))));
        }
        let rootless = Self {
            daemon,
            _log: log,
            folder,
        };
        let image = rootless
            .folder
            .path()
            .join("image.tar")
            .display()
            .to_string();
        docker(&["save", "--output", &image, IMAGE]);
        docker(&["--host", &rootless.host(), "load", "--input", &image]);
        rootless
    }

    fn host(&self) -> String {
        format!("unix://{}/run/docker.sock", self.folder.path().display())
    }
}

/// What it needs where it may read, and two programs that give it users of its own.
fn furnish(folder: &Path) {
    let may = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    may(folder, 0o755);
    for name in ["bin", "home", "run"] {
        std::fs::create_dir(folder.join(name)).unwrap();
    }
    for (program, mode) in [
        ("rootlesskit", 0o755),
        ("rootlesskit-docker-proxy", 0o755),
        ("newuidmap", 0o4755),
        ("newgidmap", 0o4755),
    ] {
        let there = folder.join("bin").join(program);
        std::fs::copy(tools().join(program), &there).unwrap();
        may(&there, mode);
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let user = format!("rootless:x:{NOBODY}:{NOBODY}::/nonexistent:/bin/sh\n");
    std::fs::write(folder.join("users"), users + &user).unwrap();
    std::fs::write(folder.join("ranges"), "rootless:200000:65536\n").unwrap();
    std::fs::write(folder.join("home/daemon.json"), "{}").unwrap();
    for name in ["home", "home/daemon.json", "run"] {
        chown(folder.join(name), Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

#[tokio::test]
async fn a_rootless_engine_runs_agents() {
    let mut rootless = Rootless::start().await;
    let host = rootless.host();
    let setting = format!("docker.host={host}");
    let program = Program::new(&[&setting, "alerts.group_wait_s=0"]).await;
    runs_agents(program, &host).await;
    rootless.daemon.kill().await.unwrap();
}
