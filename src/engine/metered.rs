//! An engine whose calls are timed.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures::stream::BoxStream;

use super::{
    About, Creation, Described, Engine, EngineError, EngineEvent, ExecOutcome, Image, Listed,
    LogLine, LogQuery, NetworkSpec, PullProgress, Result,
};
use crate::{
    domain::{
        agent::Observation,
        ids::{AgentId, ContainerId, InstanceId},
        stats::Sample,
    },
    meters::Meters,
};

/// Passes every call on. Of a stream its beginning is timed.
pub struct Metered {
    engine: Arc<dyn Engine>,
    meters: Arc<Meters>,
}

impl Metered {
    pub fn new(engine: Arc<dyn Engine>, meters: Arc<Meters>) -> Self {
        Self { engine, meters }
    }

    async fn timed<T>(
        &self,
        call: &'static str,
        work: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let began = Instant::now();
        let answer = work.await;
        let outcome = answer.as_ref().err().map_or("ok", outcome);
        self.meters.call(call, outcome, began.elapsed());
        answer
    }
}

const fn outcome(error: &EngineError) -> &'static str {
    match error {
        EngineError::Unreachable(_) => "unreachable",
        EngineError::TimedOut { .. } => "timed_out",
        EngineError::NotFound(_) => "not_found",
        EngineError::Conflict(_) => "conflict",
        EngineError::Refused(_) => "refused",
        EngineError::Lost(_) => "lost",
    }
}

#[async_trait]
impl Engine for Metered {
    async fn about(&self) -> Result<About> {
        self.timed("about", self.engine.about()).await
    }

    async fn list(&self) -> Result<Vec<Listed>> {
        self.timed("list", self.engine.list()).await
    }

    async fn observe(&self, container: &ContainerId) -> Result<Option<Observation>> {
        self.timed("observe", self.engine.observe(container)).await
    }

    async fn describe(&self, container: &ContainerId) -> Result<Described> {
        self.timed("describe", self.engine.describe(container))
            .await
    }

    async fn events(&self) -> Result<BoxStream<'static, Result<EngineEvent>>> {
        self.timed("events", self.engine.events()).await
    }

    async fn image(&self, reference: &str) -> Result<Option<Image>> {
        self.timed("image", self.engine.image(reference)).await
    }

    async fn resolve(&self, reference: &str) -> Result<String> {
        self.timed("resolve", self.engine.resolve(reference)).await
    }

    async fn pull(
        &self,
        reference: &str,
        progress: &(dyn Fn(PullProgress) + Send + Sync),
    ) -> Result<()> {
        self.timed("pull", self.engine.pull(reference, progress))
            .await
    }

    async fn create(&self, creation: &Creation<'_>) -> Result<ContainerId> {
        self.timed("create", self.engine.create(creation)).await
    }

    async fn start(&self, container: &ContainerId) -> Result<()> {
        self.timed("start", self.engine.start(container)).await
    }

    async fn stop(&self, container: &ContainerId, grace: Duration) -> Result<()> {
        self.timed("stop", self.engine.stop(container, grace)).await
    }

    async fn pause(&self, container: &ContainerId) -> Result<()> {
        self.timed("pause", self.engine.pause(container)).await
    }

    async fn unpause(&self, container: &ContainerId) -> Result<()> {
        self.timed("unpause", self.engine.unpause(container)).await
    }

    async fn rename(&self, container: &ContainerId, name: &str) -> Result<()> {
        self.timed("rename", self.engine.rename(container, name))
            .await
    }

    async fn remove(&self, container: &ContainerId) -> Result<()> {
        self.timed("remove", self.engine.remove(container)).await
    }

    async fn ensure_network(&self, network: &NetworkSpec) -> Result<()> {
        self.timed("ensure_network", self.engine.ensure_network(network))
            .await
    }

    async fn remove_network(&self, name: &str) -> Result<()> {
        self.timed("remove_network", self.engine.remove_network(name))
            .await
    }

    async fn connect(&self, container: &ContainerId, network: &str, alias: &str) -> Result<()> {
        self.timed("connect", self.engine.connect(container, network, alias))
            .await
    }

    async fn disconnect(&self, container: &ContainerId, network: &str) -> Result<()> {
        self.timed("disconnect", self.engine.disconnect(container, network))
            .await
    }

    async fn networks(&self, instance: &InstanceId) -> Result<Vec<String>> {
        self.timed("networks", self.engine.networks(instance)).await
    }

    async fn own_container(&self) -> Result<Option<ContainerId>> {
        self.timed("own_container", self.engine.own_container())
            .await
    }

    async fn volumes(&self, instance: &InstanceId, agent: AgentId) -> Result<Vec<String>> {
        self.timed("volumes", self.engine.volumes(instance, agent))
            .await
    }

    async fn remove_volume(&self, name: &str) -> Result<()> {
        self.timed("remove_volume", self.engine.remove_volume(name))
            .await
    }

    async fn logs(
        &self,
        container: &ContainerId,
        query: &LogQuery,
    ) -> Result<BoxStream<'static, Result<LogLine>>> {
        self.timed("logs", self.engine.logs(container, query)).await
    }

    async fn exec(
        &self,
        container: &ContainerId,
        command: &[String],
        most: Duration,
    ) -> Result<ExecOutcome> {
        self.timed("exec", self.engine.exec(container, command, most))
            .await
    }

    async fn sample(&self, container: &ContainerId) -> Result<Sample> {
        self.timed("sample", self.engine.sample(container)).await
    }
}
