//! Clients that fall silent where something is due are let go.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use localcord::{Localcord, Options};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::raw::Raw;

const SILENCE: Duration = Duration::from_millis(200);

async fn impatient() -> Localcord {
    let options = Options {
        silence: SILENCE,
        ..Options::default()
    };
    Localcord::start(options).await.unwrap()
}

/// All that comes back for this, until the other side ends the connection.
async fn answer_to(addr: SocketAddr, said: &[u8]) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let began = Instant::now();
    stream.write_all(said).await.unwrap();
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).await.unwrap();
    assert!(began.elapsed() >= SILENCE, "{:?}", began.elapsed());
    String::from_utf8_lossy(&heard).into_owned()
}

#[tokio::test]
async fn in_a_handshake_in_headers_and_in_a_body() {
    let cord = impatient().await;
    assert_eq!(answer_to(cord.rest_addr(), b"").await, "");
    let people = cord.people_addr();
    assert_eq!(answer_to(people, b"GET /api/v10/gateway HT").await, "");
    let half = format!(
        "POST /api/v10/channels/{}/messages HTTP/1.1\r\nhost: {people}\r\nauthorization: Bot {}\r\n\
         content-type: application/json\r\ncontent-length: 20\r\n\r\n{{\"content\":",
        cord.channel("ops").id(),
        cord.token()
    );
    let heard = answer_to(people, half.as_bytes()).await;
    assert!(heard.starts_with("HTTP/1.1 408"), "{heard}");
    assert!(cord.channel("ops").messages().is_empty());
    cord.finish().unwrap();
}

/// In messages of two thousand letters: more than the sockets of both sides hold.
const MUCH: usize = 6000;

#[tokio::test]
async fn who_takes_nothing_from_the_gateway() {
    let options = Options {
        silence: SILENCE,
        // It would take longer than all the rest.
        validate: false,
        ..Options::default()
    };
    let cord = Localcord::start(options).await.unwrap();
    let idle = Raw::identified(&cord, 1 << 9).await;
    let ravi = cord.user("ravi").in_channel("ops");
    let text = format!("<@{}> {}", cord.bot_id(), "x".repeat(1900));
    for _ in 0..MUCH {
        ravi.says(&text).unwrap();
    }
    cord.gateway().wait_connected(0).await.unwrap();
    drop(idle);
}
