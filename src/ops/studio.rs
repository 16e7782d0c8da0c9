//! Charts to be drawn: a worker takes them, so that none holds up an answer and no more than a few wait.

use std::time::Duration;

use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time::timeout,
};

use super::Ops;
use crate::{
    domain::history::Picture,
    error::{Error, Result},
};

const WAITING_MAX: usize = 16;
/// One chart takes far less than a second.
const PATIENCE: Duration = Duration::from_secs(20);

/// A chart that somebody waits for.
#[derive(Debug)]
pub struct Order {
    pub picture: Picture,
    /// Takes the PNG.
    pub done: oneshot::Sender<Vec<u8>>,
}

#[derive(Debug)]
pub struct Studio {
    door: mpsc::Sender<Order>,
    orders: Mutex<mpsc::Receiver<Order>>,
}

impl Default for Studio {
    fn default() -> Self {
        let (door, orders) = mpsc::channel(WAITING_MAX);
        Self {
            door,
            orders: Mutex::new(orders),
        }
    }
}

impl Studio {
    /// The next order; whoever carries it out asks again.
    pub async fn next(&self) -> Order {
        let mut orders = self.orders.lock().await;
        match orders.recv().await {
            Some(order) => order,
            // We hold a sender ourselves.
            None => std::future::pending().await,
        }
    }
}

impl Ops {
    /// A PNG of a chart.
    pub async fn draw(&self, picture: Picture) -> Result<Vec<u8>> {
        let (done, drawn) = oneshot::channel();
        let order = Order { picture, done };
        self.studio.door.try_send(order).map_err(|_| {
            Error::Busy("Too many charts are being drawn. Ask again in a few seconds.".to_owned())
        })?;
        let undrawn = || {
            Error::Unavailable(
                "The chart could not be drawn; the log says why. Nothing was changed.".to_owned(),
            )
        };
        let drawn = timeout(PATIENCE, drawn).await.map_err(|_| undrawn())?;
        drawn.map_err(|_| undrawn())
    }
}
