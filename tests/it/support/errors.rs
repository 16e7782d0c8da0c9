//! Errors logged by the app: a background error fails the test that caused it.

use std::{
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex},
};

use tokio::sync::Notify;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    subscriber::DefaultGuard,
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
};

/// Everything logged at `ERROR` on the threads it listens on, and what is said of each action's end.
#[derive(Clone, Default)]
pub(crate) struct Errors {
    logged: Arc<Mutex<Vec<String>>>,
    ended: Arc<Mutex<Vec<String>>>,
    news: Arc<Notify>,
}

impl Errors {
    /// Listens on this thread as long as the guard lives.
    pub(crate) fn listen() -> (Self, DefaultGuard) {
        let errors = Self::default();
        let guard = errors.subscribe();
        (errors, guard)
    }

    /// Listens on this thread to its end.
    pub(crate) fn listen_here(&self) {
        std::mem::forget(self.subscribe());
    }

    fn subscribe(&self) -> DefaultGuard {
        let subscriber = tracing_subscriber::registry().with(self.clone());
        tracing::subscriber::set_default(subscriber)
    }

    /// What was logged so far; forgets it.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.logged.lock().unwrap())
    }

    /// Waits until something with that in it was logged; forgets all that was so far.
    pub(crate) async fn until(&self, text: &str) {
        loop {
            let news = self.news.notified();
            if self.take().iter().any(|error| error.contains(text)) {
                return;
            }
            news.await;
        }
    }

    /// A line for each action that has ended.
    pub(crate) fn ended(&self) -> Vec<String> {
        self.ended.lock().unwrap().clone()
    }
}

impl<S: Subscriber> Layer<S> for Errors {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let ours = metadata.target().starts_with("yardarm");
        let ends = metadata.fields().field("action.state").is_some();
        let lines = match *metadata.level() {
            Level::ERROR => &self.logged,
            Level::INFO if ends => &self.ended,
            _ => return,
        };
        if ours {
            let mut text = Text::default();
            event.record(&mut text);
            let line = text.0.trim_end().to_owned();
            lines.lock().unwrap().push(line);
            self.news.notify_waiters();
        }
    }
}

#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}
