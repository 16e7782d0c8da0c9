//! A little web server on loopback, for probes to ask.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};

/// What it answers from now on.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    Status(u16, String),
    RedirectTo(String),
    /// Bytes without an end.
    Floods,
    /// Takes the request and says nothing.
    Nothing,
}

/// It ends when it is dropped.
pub(crate) struct Web {
    pub(crate) port: u16,
    says: Arc<Mutex<Says>>,
    heard: watch::Sender<Vec<String>>,
    _serving: JoinSet<()>,
}

impl Web {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let says = Arc::new(Mutex::new(Says::Status(200, "fine".to_owned())));
        let heard = watch::Sender::new(Vec::new());
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Arc::clone(&says), heard.clone()));
        Self {
            port,
            says,
            heard,
            _serving: serving,
        }
    }

    pub(crate) fn says(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    pub(crate) fn status(&self, status: u16) {
        self.says(Says::Status(status, String::new()));
    }

    /// The paths that were asked for.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.borrow().clone()
    }

    /// Waits until it was asked so often.
    pub(crate) async fn asked(&self, count: usize) {
        let mut heard = self.heard.subscribe();
        let wait = heard.wait_for(|heard| heard.len() >= count);
        let waited = timeout(Duration::from_secs(20), wait).await;
        drop(waited.expect("it was not asked").unwrap());
    }
}

async fn serve(listener: TcpListener, says: Arc<Mutex<Says>>, heard: watch::Sender<Vec<String>>) {
    let mut answers = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let says = says.lock().unwrap_or_else(PoisonError::into_inner).clone();
        answers.spawn(answer(stream, says, heard.clone()));
    }
}

/// Whoever asked may hang up at any time.
async fn answer(
    mut stream: TcpStream,
    says: Says,
    heard: watch::Sender<Vec<String>>,
) -> Option<()> {
    let mut request = vec![0; 4096];
    let length = stream.read(&mut request).await.ok()?;
    let request = String::from_utf8_lossy(&request[..length]).into_owned();
    let path = request.split(' ').nth(1)?.to_owned();
    heard.send_modify(|heard| heard.push(path));
    let head = match &says {
        Says::Status(status, body) => format!(
            "HTTP/1.1 {status} So\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ),
        Says::RedirectTo(place) => format!(
            "HTTP/1.1 302 Found\r\nlocation: {place}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        ),
        Says::Floods => "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_owned(),
        Says::Nothing => String::new(),
    };
    stream.write_all(head.as_bytes()).await.ok()?;
    match says {
        Says::Status(..) | Says::RedirectTo(_) => {}
        Says::Floods => loop {
            stream.write_all(&[b'x'; 16 * 1024]).await.ok()?;
        },
        Says::Nothing => {
            stream.read_exact(&mut [0]).await.ok()?;
        }
    }
    Some(())
}
