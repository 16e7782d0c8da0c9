//! Draws charts, one at a time and away from the threads that answer people.

use std::{sync::Arc, time::Duration};

use tokio::{task::spawn_blocking, time::timeout};

use super::Pulse;
use crate::{
    chart,
    ops::{Ops, studio::Order},
};

const BEAT_EVERY: Duration = Duration::from_mins(1);

pub(super) async fn draw(ops: Arc<Ops>, pulse: Pulse) {
    loop {
        pulse.beat();
        if let Ok(order) = timeout(BEAT_EVERY, ops.studio.next()).await {
            carry_out(order).await;
        }
    }
}

async fn carry_out(Order { picture, done }: Order) {
    let drawn = spawn_blocking(move || chart::draw(&picture)).await;
    match drawn {
        // Whoever asked may have gone.
        Ok(Ok(png)) => drop(done.send(png)),
        Ok(Err(error)) => tracing::error!(error = %error, "a chart could not be drawn"),
        Err(error) => tracing::error!(error = %error, "drawing a chart fell over"),
    }
}
