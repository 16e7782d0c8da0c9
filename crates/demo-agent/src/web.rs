//! The agent's few words of HTTP: enough for a health check and a browser.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::settings::Settings;

/// Requests are answered one after another; a client that stalls may hold up a health check for so long, no longer.
const PATIENCE: Duration = Duration::from_secs(1);
const LONGEST_HEAD: u64 = 16 * 1024;

pub(crate) fn serve(settings: Settings, started: Instant) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, settings.port))?;
    thread::Builder::new().name("web".into()).spawn(move || {
        for stream in listener.incoming().flatten() {
            // The client is gone; the next one may not be.
            answer(&stream, &settings, started).ok();
        }
    })?;
    Ok(())
}

/// The status line of our own `/healthz`.
pub(crate) fn ask_health(port: u16) -> io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE * 2))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    read_head(&stream)
}

fn answer(mut stream: &TcpStream, settings: &Settings, started: Instant) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let line = read_head(stream)?;
    let (status, body) = respond(&line, settings, started.elapsed());
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes())
}

/// The first line. The headers are read as well: closing a socket with unread input resets it, and the answer is lost.
fn read_head(stream: &TcpStream) -> io::Result<String> {
    let mut lines = BufReader::new(stream.take(LONGEST_HEAD)).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    Ok(first)
}

fn respond(line: &str, settings: &Settings, uptime: Duration) -> (&'static str, String) {
    match line.split(' ').nth(1) {
        Some("/healthz") if settings.is_healthy_after(uptime) => ("200 OK", "ok\n".into()),
        Some("/healthz") => ("503 Service Unavailable", "unhealthy\n".into()),
        Some("/") => {
            let seconds = uptime.as_secs();
            (
                "200 OK",
                format!("{} Up for {seconds} s.\n", settings.greeting()),
            )
        }
        _ => ("404 Not Found", "not found\n".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(line: &str, uptime_s: u64) -> &'static str {
        let settings = Settings {
            unhealthy_after: Some(Duration::from_secs(10)),
            ..Settings::default()
        };
        respond(line, &settings, Duration::from_secs(uptime_s)).0
    }

    #[test]
    fn answers_by_path() {
        assert_eq!(status("GET / HTTP/1.1", 0), "200 OK");
        assert_eq!(status("GET /healthz HTTP/1.1", 9), "200 OK");
        assert_eq!(
            status("GET /healthz HTTP/1.1", 10),
            "503 Service Unavailable"
        );
        assert_eq!(status("GET /secrets HTTP/1.1", 0), "404 Not Found");
        assert_eq!(status("", 0), "404 Not Found");
    }
}
