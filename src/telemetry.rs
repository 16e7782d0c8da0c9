//! Logs to standard error: for people or, a line of JSON each, for machines.

use tracing_subscriber::{
    Layer as _, filter::Targets, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::config::{Format, Log};

/// To be called once. Libraries are heard from `warn` on, whatever our own level.
pub fn start(log: &Log) {
    let filter = Targets::new()
        .with_default(tracing::Level::WARN)
        .with_target("yardarm", tracing::Level::from(log.level));
    let layer = fmt::layer().with_writer(std::io::stderr);
    let layer = match log.format {
        Format::Text => layer.with_target(false).boxed(),
        Format::Json => layer.json().flatten_event(true).boxed(),
    };
    // A second call, as in tests, finds the first one's subscriber: nothing is lost.
    drop(
        tracing_subscriber::registry()
            .with(layer.with_filter(filter))
            .try_init(),
    );
}
