//! Tells a service outside, again and again, that we live: only it can tell people that we do not.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{Pulse, news};
use crate::{
    domain::event::Event,
    ops::{Ops, deliver::Notify},
};

pub(super) async fn ping(ops: Arc<Ops>, notify: Arc<dyn Notify>, pulse: Pulse) {
    let mut events = ops.events();
    loop {
        pulse.beat();
        ops.ping(&*notify).await;
        let wait = spread(ops.settings().ping.interval, rand::random());
        let news = news(&mut events, |event| matches!(event, Event::Connected));
        // Time is as good a reason to tell as news.
        drop(timeout(wait, news).await);
    }
}

/// Up to a tenth sooner, so that many of us do not knock at once.
fn spread(interval: Duration, chance: f64) -> Duration {
    interval.mul_f64(1.0 - chance / 10.0)
}
