//! The real program in a container of the engine, as a composition runs it.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener},
    os::fd::AsFd as _,
};

use localcord::Localcord;
use rustix::{
    fs::{CWD, FileType, Mode, mknodat},
    thread::{LinkNameSpaceType, move_into_link_name_space},
};
use tokio::task::JoinSet;

use super::{
    docker_host::{FOREIGN_LABEL, IMAGE, docker, try_docker},
    program::Program,
};

/// Waits until the roads to Discord are open, then becomes the program.
const ENTRY: &str = "read _ < go; exec \"$@\" >> log 2>&1";

/// Gone when it is dropped, after a failure too.
pub(crate) struct Contained {
    pub(crate) name: String,
    _roads: JoinSet<()>,
}

impl Program {
    /// As `up`. What it is made of is lent by this machine, and its loopback leads to ours, where the local Discord is.
    pub(crate) async fn up_in_container(&mut self) -> Contained {
        let name = format!("{}yardarm", self.prefix);
        let folder = self.path("").display().to_string();
        let fifo = self.path("go");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RWXU, 0).unwrap();
        let program = env!("CARGO_BIN_EXE_yardarm");
        let token = format!("DISCORD_TOKEN={}", self.cord.token());
        let mut run = vec!["run".to_owned(), "--detach".to_owned()];
        let options = [
            ("--name", name.clone()),
            ("--label", format!("{FOREIGN_LABEL}={name}")),
            ("--workdir", folder.clone()),
            ("--env", token),
            ("--volume", format!("{folder}:{folder}")),
            ("--volume", format!("{program}:{program}:ro")),
            ("--volume", "/lib:/lib:ro".to_owned()),
            ("--volume", "/lib64:/lib64:ro".to_owned()),
            (
                "--volume",
                "/var/run/docker.sock:/var/run/docker.sock".to_owned(),
            ),
        ];
        run.extend(
            options
                .into_iter()
                .flat_map(|(key, value)| [key.to_owned(), value]),
        );
        run.extend([IMAGE, "sh", "-c", ENTRY, "sh", program].map(str::to_owned));
        run.extend(self.arguments());
        docker(&run.iter().map(String::as_str).collect::<Vec<_>>());
        let contained = Contained {
            _roads: roads(&name, &self.cord),
            name,
        };
        std::fs::write(fifo, "\n").unwrap();
        self.identified().await;
        contained
    }
}

impl Contained {
    /// Asks it to leave, and returns its exit code.
    pub(crate) fn stop(&self) -> String {
        docker(&["stop", "--time", "30", &self.name]);
        docker(&["inspect", "--format", "{{.State.ExitCode}}", &self.name])
    }

    /// The networks it is in, sorted.
    pub(crate) fn networks(&self) -> Vec<String> {
        let format = "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}";
        let listed = docker(&["inspect", "--format", format, &self.name]);
        listed.split_whitespace().map(str::to_owned).collect()
    }
}

impl Drop for Contained {
    fn drop(&mut self) {
        try_docker(&["rm", "--force", &self.name]);
    }
}

/// From the loopback of a container to ours, where the local Discord is and nowhere else, for as long as they are kept. They need
/// no port that others could reach, and nothing inside the container.
pub(crate) fn roads(container: &str, cord: &Localcord) -> JoinSet<()> {
    let pid = docker(&["inspect", "--format", "{{.State.Pid}}", container]);
    let mut roads = JoinSet::new();
    for address in [cord.rest_addr(), cord.people_addr()] {
        roads.spawn(lead(listen_in(pid.clone(), address), address));
    }
    roads
}

/// A listener in the network of another process: a socket stays where it was made.
fn listen_in(pid: String, address: SocketAddr) -> TcpListener {
    let listen = move || {
        let network = File::open(format!("/proc/{pid}/ns/net")).unwrap();
        move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        TcpListener::bind(address).unwrap()
    };
    // Only the thread moves.
    std::thread::spawn(listen).join().unwrap()
}

/// Whoever comes in there comes out at this address here.
async fn lead(from: TcpListener, to: SocketAddr) {
    from.set_nonblocking(true).unwrap();
    let from = tokio::net::TcpListener::from_std(from).unwrap();
    let mut guests = JoinSet::new();
    while let Ok((mut guest, _)) = from.accept().await {
        guests.spawn(async move {
            let mut host = tokio::net::TcpStream::connect(to).await?;
            tokio::io::copy_bidirectional(&mut guest, &mut host).await
        });
    }
}
