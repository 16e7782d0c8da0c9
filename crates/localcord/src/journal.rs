//! What passes between the bot and Discord, as it happens: the inspector reads it.
//!
//! Bodies are shared, not copied, and looked into only when somebody reads: nobody pays for an inspector that is closed.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::body::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

use crate::{faults::Effect, ids::Id, limits::Reading, record::Violation, route::Route};

/// The oldest entries go when there are more, or when their bodies need more room.
const KEPT: usize = 1000;
const ROOM: usize = 4 * 1024 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Journal {
    book: Mutex<Book>,
    last: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Book {
    entries: VecDeque<Entry>,
    size: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) at: DateTime<Utc>,
    pub(crate) event: Event,
}

#[derive(Clone, Debug)]
pub(crate) enum Event {
    Call(Box<Call>),
    /// A gateway payload for the bot.
    Sent(Bytes),
    /// A gateway payload of the bot.
    Received(Bytes),
    Connected,
    /// With the code that localcord closed with, if it did.
    Disconnected(Option<u16>),
}

/// A REST call and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// Without `/api/v10`; tokens in it are left out.
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) response: Bytes,
    pub(crate) took: Duration,
    /// The connection was cut instead of an answer.
    pub(crate) cut: bool,
    /// The interaction that it is the first answer to, and the time since the person acted.
    pub(crate) answers: Option<(Id, TimeDelta)>,
    /// What the guard learnt on the way.
    pub(crate) trace: Trace,
}

/// What the guard learns about a call, for the inspector.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    /// The JSON of the body, as it came.
    pub(crate) sent: Bytes,
    pub(crate) fault: Option<Effect>,
    pub(crate) limit: Option<Reading>,
    /// `None` if nothing was checked.
    pub(crate) violations: Option<Vec<Violation>>,
}

impl Journal {
    pub(crate) fn write(&self, at: DateTime<Utc>, event: Event) {
        let number = {
            let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
            let number = book.entries.back().map_or(1, |entry| entry.number + 1);
            book.size += event.size();
            book.entries.push_back(Entry { number, at, event });
            book.make_room();
            number
        };
        self.last.send_replace(number);
    }

    /// The entries after a number.
    pub(crate) fn after(&self, number: u64) -> Vec<Entry> {
        let book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let start = book.entries.partition_point(|entry| entry.number <= number);
        book.entries.range(start..).cloned().collect()
    }

    /// Tells the number of the last entry, whenever there is another one.
    pub(crate) fn last(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }
}

impl Book {
    /// The last entry stays, however big it is: the next one is numbered after it.
    fn make_room(&mut self) {
        while self.entries.len() > KEPT || (self.size > ROOM && self.entries.len() > 1) {
            if let Some(entry) = self.entries.pop_front() {
                self.size -= entry.event.size();
            }
        }
    }
}

impl Event {
    /// Only the bodies count: a thousand of what is around them is little.
    fn size(&self) -> usize {
        match self {
            Self::Call(call) => call.trace.sent.len() + call.response.len(),
            Self::Sent(text) | Self::Received(text) => text.len(),
            Self::Connected | Self::Disconnected(_) => 0,
        }
    }
}

/// A path that can be shown: an interaction's or a webhook's token opens doors.
pub(crate) fn without_token(route: &Route) -> String {
    if !matches!(route.segment(0), "interactions" | "webhooks") {
        return route.path.clone();
    }
    let hidden = |(index, segment): (usize, &str)| {
        if index == 3 {
            "…".to_owned()
        } else {
            segment.to_owned()
        }
    };
    route
        .path
        .split('/')
        .enumerate()
        .map(hidden)
        .collect::<Vec<_>>()
        .join("/")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::{body::Bytes, http::Method};
    use chrono::DateTime;

    use super::{Call, Event, Journal, KEPT, ROOM, Trace, without_token};
    use crate::route::Route;

    fn write(journal: &Journal, size: usize) {
        let text = Bytes::from(vec![b' '; size]);
        journal.write(DateTime::UNIX_EPOCH, Event::Sent(text));
    }

    fn numbers(journal: &Journal, after: u64) -> Vec<u64> {
        journal
            .after(after)
            .iter()
            .map(|entry| entry.number)
            .collect()
    }

    #[test]
    fn the_oldest_entries_make_room() {
        let journal = Journal::default();
        for _ in 0..KEPT + 2 {
            write(&journal, 1);
        }
        assert_eq!(journal.after(0).len(), KEPT);
        assert_eq!(numbers(&journal, 1000), [1001, 1002]);
        write(&journal, ROOM + 1);
        assert_eq!(numbers(&journal, 0), [1003]);
        write(&journal, 1);
        assert_eq!(numbers(&journal, 0), [1004]);
        assert_eq!(*journal.last().borrow(), 1004);
    }

    #[test]
    fn what_a_bot_sent_needs_room_too() {
        let journal = Journal::default();
        write(&journal, 1);
        let trace = Trace {
            sent: Bytes::from(vec![b' '; ROOM]),
            ..Trace::default()
        };
        let call = Call {
            method: "POST".to_owned(),
            path: "/channels/1/messages".to_owned(),
            status: 413,
            response: Bytes::new(),
            took: Duration::ZERO,
            cut: false,
            answers: None,
            trace,
        };
        journal.write(DateTime::UNIX_EPOCH, Event::Call(Box::new(call)));
        assert_eq!(numbers(&journal, 0), [2]);
    }

    #[test]
    fn tokens_are_left_out_of_paths() {
        let shown = |path: &str| {
            without_token(&Route {
                method: Method::GET,
                template: String::new(),
                path: path.to_owned(),
            })
        };
        assert_eq!(
            shown("/webhooks/1/secret/messages/@original"),
            "/webhooks/1/…/messages/@original"
        );
        assert_eq!(
            shown("/interactions/1/secret/callback"),
            "/interactions/1/…/callback"
        );
        assert_eq!(shown("/channels/1/messages/2"), "/channels/1/messages/2");
    }
}
