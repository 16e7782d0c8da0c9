//! Frames of a container's log into lines.

use std::{collections::VecDeque, mem, time::Duration};

use bollard::container::LogOutput;
use chrono::{DateTime, Utc};
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use tokio::time::timeout;

use crate::engine::{EngineError, LogLine, LogQuery, LogSource, Result};

/// Bytes kept of one line. Docker itself cuts longer ones into pieces of 16 KiB.
const LINE_MAX: usize = 16 * 1024;
/// The end of a line that was cut.
const CUT: &str = " […]";

type Frame = std::result::Result<LogOutput, bollard::errors::Error>;

/// `patience` is how long one frame may take; None waits as long as it takes, to follow.
pub(super) fn lines(
    frames: BoxStream<'static, Frame>,
    query: &LogQuery,
    patience: Option<Duration>,
) -> BoxStream<'static, Result<LogLine>> {
    let reading = Reading {
        frames,
        patience,
        since: query.since,
        partial: [None, None],
        ready: VecDeque::new(),
        ended: false,
    };
    stream::unfold(reading, |mut reading| async move {
        reading.next().await.map(|line| (line, reading))
    })
    .boxed()
}

struct Reading {
    frames: BoxStream<'static, Frame>,
    patience: Option<Duration>,
    /// Docker takes whole seconds; the rest is left out here.
    since: Option<DateTime<Utc>>,
    /// The line not ended yet of stdout and of stderr.
    partial: [Option<Partial>; 2],
    ready: VecDeque<Result<LogLine>>,
    ended: bool,
}

#[derive(Default)]
struct Partial {
    at: Option<DateTime<Utc>>,
    bytes: Vec<u8>,
    cut: bool,
}

impl Reading {
    async fn next(&mut self) -> Option<Result<LogLine>> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(line);
            }
            if self.ended {
                return None;
            }
            match self.frame().await {
                Ok(Some(frame)) => self.take(&frame),
                Ok(None) => self.end(),
                Err(error) => {
                    self.end();
                    self.ready.push_back(Err(error));
                }
            }
        }
    }

    async fn frame(&mut self) -> Result<Option<LogOutput>> {
        let next = self.frames.next();
        let frame = match self.patience {
            None => next.await,
            Some(patience) => timeout(patience, next)
                .await
                .map_err(|_| EngineError::TimedOut {
                    what: "reading the log",
                    after: patience,
                })?,
        };
        frame.transpose().map_err(EngineError::from)
    }

    fn take(&mut self, frame: &LogOutput) {
        let source = match frame {
            LogOutput::StdErr { .. } => LogSource::Stderr,
            LogOutput::StdOut { .. } | LogOutput::StdIn { .. } | LogOutput::Console { .. } => {
                LogSource::Stdout
            }
        };
        if let Some(words) = engines_own_error(frame) {
            self.ready.push_back(Err(EngineError::Refused(words)));
            return;
        }
        // Each frame, a piece of a line too, begins with its time.
        let (at, bytes) = split_time(frame.as_ref());
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.append(source, at, piece);
        }
    }

    fn append(&mut self, source: LogSource, at: Option<DateTime<Utc>>, piece: &[u8]) {
        let partial = self.partial[source as usize].get_or_insert_with(|| Partial {
            at,
            ..Partial::default()
        });
        let text = piece.strip_suffix(b"\n").unwrap_or(piece);
        let room = LINE_MAX - partial.bytes.len();
        partial
            .bytes
            .extend_from_slice(text.get(..room).unwrap_or(text));
        partial.cut |= text.len() > room;
        if piece.ends_with(b"\n") {
            self.finish(source);
        }
    }

    fn finish(&mut self, source: LogSource) {
        let Some(partial) = mem::take(&mut self.partial[source as usize]) else {
            return;
        };
        let too_old = self
            .since
            .is_some_and(|since| partial.at.is_some_and(|at| at < since));
        if !too_old {
            self.ready.push_back(Ok(partial.line(source)));
        }
    }

    fn end(&mut self) {
        self.ended = true;
        self.finish(LogSource::Stdout);
        self.finish(LogSource::Stderr);
    }
}

impl Partial {
    fn line(self, source: LogSource) -> LogLine {
        let text = String::from_utf8_lossy(&self.bytes);
        let text = text.strip_suffix('\r').unwrap_or(&text);
        LogLine {
            source,
            at: self.at,
            text: if self.cut {
                // The cut may have gone through a character.
                format!("{}{CUT}", text.trim_end_matches('\u{fffd}'))
            } else {
                text.to_owned()
            },
        }
    }
}

/// Docker marks an error of its own by a frame of kind 3, which bollard does not know and hands out raw.
fn engines_own_error(frame: &LogOutput) -> Option<String> {
    let LogOutput::Console { message } = frame else {
        return None;
    };
    let words = message.strip_prefix(&[3, 0, 0, 0])?.get(4..)?;
    Some(String::from_utf8_lossy(words).trim().to_owned())
}

fn split_time(frame: &[u8]) -> (Option<DateTime<Utc>>, &[u8]) {
    let stamped = frame.iter().position(|byte| *byte == b' ').and_then(|end| {
        let (stamp, rest) = frame.split_at(end);
        let at = std::str::from_utf8(stamp).ok()?.parse().ok()?;
        Some((Some(at), rest.get(1..)?))
    });
    stamped.unwrap_or((None, frame))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: &str = "2026-11-21T10:00:00.500000000Z";

    fn out(text: &str) -> LogOutput {
        let message = format!("{STAMP} {text}").into();
        LogOutput::StdOut { message }
    }

    fn err(text: &str) -> LogOutput {
        let message = format!("{STAMP} {text}").into();
        LogOutput::StdErr { message }
    }

    fn query(since: Option<&str>) -> LogQuery {
        LogQuery {
            tail: 100,
            since: since.map(|text| text.parse().unwrap()),
            stdout: true,
            stderr: true,
            follow: false,
        }
    }

    async fn read(frames: Vec<LogOutput>, query: &LogQuery) -> Vec<Result<LogLine>> {
        lines(stream::iter(frames).map(Ok).boxed(), query, None)
            .collect()
            .await
    }

    async fn texts(frames: Vec<LogOutput>) -> Vec<(LogSource, String)> {
        read(frames, &query(None))
            .await
            .into_iter()
            .map(|line| {
                let line = line.unwrap();
                (line.source, line.text)
            })
            .collect()
    }

    #[tokio::test]
    async fn joins_pieces_of_each_source_by_itself() {
        let read = texts(vec![
            out("one "),
            err("bad"),
            out("line\r\ntwo\n"),
            err(" luck\n"),
            out("no end"),
        ])
        .await;
        let stdout = |text: &str| (LogSource::Stdout, text.to_owned());
        assert_eq!(
            read,
            [
                stdout("one line"),
                stdout("two"),
                (LogSource::Stderr, "bad luck".to_owned()),
                stdout("no end"),
            ]
        );
    }

    #[tokio::test]
    async fn cuts_a_long_line_visibly_and_between_characters() {
        let read = texts(vec![
            out(&"x".repeat(LINE_MAX - 1)),
            out("ä and more\n"),
            out("next\n"),
        ])
        .await;
        let [(_, cut), (_, next)] = &read[..] else {
            panic!("not two lines: {read:?}");
        };
        assert_eq!(*cut, format!("{}{CUT}", "x".repeat(LINE_MAX - 1)));
        assert_eq!(next, "next");
    }

    #[tokio::test]
    async fn tells_the_time_and_leaves_out_what_is_older() {
        let read = read(
            vec![
                out("old\n"),
                LogOutput::Console {
                    message: "2026-11-21T10:00:00.700Z new\r\n".into(),
                },
            ],
            &query(Some("2026-11-21T10:00:00.600Z")),
        )
        .await;
        assert_eq!(
            read,
            [Ok(LogLine {
                source: LogSource::Stdout,
                at: Some("2026-11-21T10:00:00.700Z".parse().unwrap()),
                text: "new".to_owned(),
            })]
        );
    }

    #[tokio::test]
    async fn an_error_of_the_engine_is_no_line() {
        let mut message = vec![3, 0, 0, 0, 0, 0, 0, 9];
        message.extend_from_slice(b"bad disk\n");
        let frame = LogOutput::Console {
            message: message.into(),
        };
        assert_eq!(
            read(vec![frame], &query(None)).await,
            [Err(EngineError::Refused("bad disk".to_owned()))]
        );
    }
}
