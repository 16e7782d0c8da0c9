//! The composition root: builds everything, starts it, drains it.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use rand::Rng as _;
use tokio::net::TcpListener;

use crate::{
    clock::Clock,
    config::{Settings, Source},
    discord::{
        connect::ConnectError,
        deliver::Channels,
        gateway::{self, GatewayFailure, Rest},
        members::Guild,
    },
    domain::{agent::Name, ids::InstanceId, template::Template},
    engine::{Engine, metered::Metered},
    error::Error,
    host::Gauge,
    http,
    meters::Meters,
    notify::Targets,
    ops::Ops,
    probe::Prober,
    store::{OpenError, Store},
    vault::{KeyError, KeySource, Vault},
    workers::Workers,
};

/// What the outside gives us.
pub struct Parts {
    pub settings: Settings,
    pub templates: BTreeMap<Name, Template>,
    /// Where settings and templates came from, for `/reload`.
    pub source: Source,
    pub engine: Arc<dyn Engine>,
    pub gauge: Arc<dyn Gauge>,
    pub clock: Arc<dyn Clock>,
}

/// Why it does not start, or does not go on.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Database(#[from] OpenError),
    #[error(transparent)]
    Vault(#[from] KeyError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Gateway(#[from] GatewayFailure),
    #[error(
        "`http.listen`: {address} cannot be listened on: {cause}\nhint: name another address or port, or leave it out"
    )]
    Door {
        address: SocketAddr,
        cause: std::io::Error,
    },
    /// The database does not take what a start writes; nothing else is asked before that is done.
    #[error("{0}")]
    Unready(String),
    #[error(transparent)]
    Internal(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Unavailable(why) => Self::Unready(why),
            other => Self::Internal(other),
        }
    }
}

/// Yardarm at work.
pub struct App {
    pub ops: Arc<Ops>,
    /// Where machines are answered, if they are.
    pub door: Option<SocketAddr>,
    workers: Workers,
    gateway: tokio::sync::oneshot::Receiver<Result<(), GatewayFailure>>,
}

impl App {
    /// Opens the database, fills the memory and starts all work. Needs neither Docker nor Discord to answer.
    pub async fn start(parts: Parts) -> Result<Self, Failure> {
        let settings = &parts.settings;
        let rest = Rest::new(&settings.discord)?;
        let store = Store::open(&settings.database.path).await?;
        let instance = store
            .instance(&fresh_instance(), parts.clock.now())
            .await
            .map_err(Error::from)?;
        let source = KeySource {
            file: &settings.vault.key_file,
            given: settings.vault.key.as_ref(),
        };
        let sealed_with = store.sealing_keys().await.map_err(Error::from)?;
        let vault = Vault::unlock(source, &instance, &sealed_with)?;
        let members = Guild::new(Arc::clone(&rest.http), parts.settings.discord.guild);
        let prober = Prober::new().map_err(ConnectError::Client)?;
        let meters = Arc::new(Meters::default());
        let engine = Metered::new(parts.engine, Arc::clone(&meters));
        let ops = Ops::new(
            (store, vault, prober),
            (Arc::new(engine), parts.gauge, meters),
            (parts.clock, Arc::new(members)),
            (parts.settings, parts.source),
            instance,
        );
        let ops = Arc::new(ops);
        ops.stock(parts.templates).await?;
        ops.load().await?;
        let start = ops.note_start().await?;
        tracing::info!(
            instance.id = ops.instance.as_str(),
            start = start.number,
            cut_off = start.cut_off.len(),
            "started"
        );
        ops.log_head().await?;

        let workers = Workers::default();
        let channels = Channels::new(Arc::clone(&ops), Arc::clone(&rest.http));
        let targets =
            Targets::new(Arc::clone(&ops)).map_err(|error| Error::Internal(error.into()))?;
        workers.start(&ops, (Arc::new(channels), Arc::new(targets)), start);
        let (ended, gateway) = tokio::sync::oneshot::channel();
        let serving = gateway::serve(Arc::clone(&ops), rest, workers.stop());
        workers.spawn_to_end("gateway", async move {
            // Nobody listens any more once the process drains.
            drop(ended.send(serving.await));
        });
        let door = open_door(&ops, &workers).await?;
        Ok(Self {
            ops,
            door,
            workers,
            gateway,
        })
    }

    /// Ends when Discord will have no more of us.
    pub async fn refused(&mut self) -> GatewayFailure {
        match (&mut self.gateway).await {
            Ok(Err(failure)) => failure,
            Ok(Ok(())) | Err(_) => {
                GatewayFailure::Refused("the connection was closed for good".to_owned())
            }
        }
    }

    /// Stops listening, waits for what is under way up to the grace period, and closes the database. What is not
    /// done by then is settled at the next start.
    pub async fn stop(self) {
        let grace = self.ops.settings().shutdown.grace;
        let drained = self.workers.drain(grace).await;
        self.ops.leave_networks().await;
        if !drained {
            tracing::warn!("actions are still under way; the next start settles them");
        }
        if let Err(error) = self.ops.note_stop(drained).await {
            tracing::error!(error = %error, "the end could not be noted in the audit");
        }
        self.ops.store.close().await;
        tracing::info!("stopped");
    }
}

async fn open_door(ops: &Arc<Ops>, workers: &Workers) -> Result<Option<SocketAddr>, Failure> {
    let Some(address) = ops.settings().http.listen else {
        return Ok(None);
    };
    let closed = |cause| Failure::Door { address, cause };
    let listener = TcpListener::bind(address).await.map_err(closed)?;
    let door = listener.local_addr().map_err(closed)?;
    workers.spawn("http", http::serve(listener, Arc::clone(ops)));
    tracing::info!(http.listen = %door, "answering machines");
    Ok(Some(door))
}

fn fresh_instance() -> InstanceId {
    let number: u64 = rand::rng().random();
    InstanceId(format!("{number:016x}"))
}
