//! The log of one container.

use futures::{
    StreamExt as _,
    channel::mpsc::{self, UnboundedSender},
    future::ready,
    stream::BoxStream,
};
use yardarm::engine::{EngineError, LogLine, LogQuery, LogSource, Result};

#[derive(Default)]
pub(super) struct Log {
    lines: Vec<LogLine>,
    followers: Vec<UnboundedSender<Result<LogLine>>>,
}

impl Log {
    pub(super) fn add(&mut self, line: LogLine) {
        self.followers
            .retain(|follower| follower.unbounded_send(Ok(line.clone())).is_ok());
        self.lines.push(line);
    }

    /// As Docker does it: the tail is cut over both sources, and then one of them may be left out.
    pub(super) fn read(&self, query: &LogQuery) -> Vec<LogLine> {
        let tail = usize::try_from(query.tail).unwrap();
        let skipped = self.lines.len().saturating_sub(tail);
        self.lines
            .iter()
            .skip(skipped)
            .filter(|line| wants(query, line))
            .cloned()
            .collect()
    }

    pub(super) fn follow(&mut self, query: &LogQuery) -> BoxStream<'static, Result<LogLine>> {
        let (follower, lines) = mpsc::unbounded();
        self.followers.push(follower);
        let query = query.clone();
        lines
            .filter(move |line| ready(line.as_ref().map_or(true, |line| wants(&query, line))))
            .boxed()
    }

    /// The container stopped.
    pub(super) fn end(&mut self) {
        self.followers.clear();
    }

    /// The engine went away.
    pub(super) fn break_off(&mut self, error: &EngineError) {
        for follower in self.followers.drain(..) {
            let _gone = follower.unbounded_send(Err(error.clone()));
        }
    }
}

fn wants(query: &LogQuery, line: &LogLine) -> bool {
    let source = match line.source {
        LogSource::Stdout => query.stdout,
        LogSource::Stderr => query.stderr,
    };
    source && query.since.is_none_or(|since| line.at >= Some(since))
}
