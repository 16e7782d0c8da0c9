//! Background tasks end with the server that started them.

use std::future::Future;

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

#[derive(Clone, Debug, Default)]
pub(crate) struct Tasks {
    stop: CancellationToken,
}

impl Tasks {
    #[expect(
        clippy::disallowed_methods,
        reason = "the place that starts tasks; each ends at `stop`"
    )]
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        tokio::spawn(async move {
            stop.run_until_cancelled_owned(task).await;
        });
    }

    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    pub(crate) fn stopped(&self) -> WaitForCancellationFutureOwned {
        self.stop.clone().cancelled_owned()
    }
}
