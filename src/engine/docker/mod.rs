//! Docker on one host. The only place that knows bollard.

mod connection;
mod convert;
mod create;
mod describe;
mod exec;
mod logs;
mod own;
mod pull;

use std::{collections::HashMap, pin::pin, time::Duration};

use async_trait::async_trait;
use bollard::{
    models::{
        ContainerInspectResponse, ImageConfig, NetworkConnectRequest, NetworkCreateRequest,
        NetworkDisconnectRequest, NetworkInspect,
    },
    query_parameters::{
        CreateContainerOptions, CreateImageOptions, EventsOptions, InspectContainerOptions,
        InspectNetworkOptions, ListContainersOptions, ListNetworksOptions, ListVolumesOptions,
        LogsOptions, RemoveContainerOptions, RemoveVolumeOptions, RenameContainerOptions,
        StartContainerOptions, StatsOptions, StopContainerOptions,
    },
};
use futures::{
    StreamExt as _,
    future::ready,
    stream::{self, BoxStream},
};
use tokio::{sync::Mutex, time::timeout};

pub use self::connection::Deadlines;
use self::{
    connection::Connection,
    convert::{plain, plain_image},
    own::Trace,
    pull::Layers,
};
use super::{
    About, Creation, Described, Engine, EngineError, EngineEvent, ExecOutcome, Image, Labels,
    Listed, LogLine, LogQuery, NetworkSpec, PullProgress, Result,
};
use crate::domain::{
    address::{Address, BadAddress},
    agent::Observation,
    ids::{AgentId, ContainerId, InstanceId},
    stats::Sample,
};

/// One Docker daemon. It need not run yet, and may come and go: each call finds it anew.
#[derive(Debug)]
pub struct Docker {
    connection: Connection,
    deadlines: Deadlines,
    /// Held while a network is looked for and made: Docker 20.10 makes a second one of the same name.
    networks: Mutex<()>,
    unended: exec::Unended,
}

impl Docker {
    /// `host` is an address as `DOCKER_HOST` gives it; None is the usual socket. What begins with `ssh://` takes the
    /// program `ssh` here and `docker` there.
    pub fn new(host: Option<&str>, deadlines: Deadlines) -> std::result::Result<Self, BadAddress> {
        let address = host.map_or_else(|| Ok(Address::usual()), Address::parse)?;
        Ok(Self::at(address, deadlines))
    }

    pub fn at(address: Address, deadlines: Deadlines) -> Self {
        Self {
            connection: Connection::new(address),
            deadlines,
            networks: Mutex::new(()),
            unended: exec::Unended::default(),
        }
    }

    async fn inspect(&self, container: &ContainerId) -> Result<ContainerInspectResponse> {
        let id = plain(container.as_str())?;
        self.connection
            .call("inspect", self.deadlines.answer, |docker| async move {
                Ok(docker
                    .inspect_container(id, None::<InspectContainerOptions>)
                    .await?)
            })
            .await
    }

    async fn inspect_network(&self, name: &str) -> Result<NetworkInspect> {
        let name = plain(name)?;
        self.connection
            .call(
                "inspect network",
                self.deadlines.answer,
                |docker| async move {
                    Ok(docker
                        .inspect_network(name, None::<InspectNetworkOptions>)
                        .await?)
                },
            )
            .await
    }

    async fn is_connected(&self, container: &ContainerId, network: &str) -> Result<bool> {
        let settings = self.inspect(container).await?.network_settings;
        Ok(settings
            .and_then(|settings| settings.networks)
            .is_some_and(|networks| networks.contains_key(network)))
    }

    /// The container of this engine's that a process with these mounts runs in.
    pub async fn container_of(&self, mountinfo: &str) -> Result<Option<ContainerId>> {
        let Some(trace) = Trace::find(mountinfo) else {
            return Ok(None);
        };
        match self.inspect(&trace.container).await {
            Ok(inspected) if trace.is_of(&inspected) => Ok(Some(trace.container)),
            Ok(_) | Err(EngineError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Docker takes ports on an internal network, says nothing and publishes none.
    async fn refuse_ports_without_way_out(&self, creation: &Creation<'_>) -> Result<()> {
        let Some(network) = creation.network else {
            return Ok(());
        };
        if creation.spec.ports.is_empty()
            || self.inspect_network(network).await?.internal != Some(true)
        {
            return Ok(());
        }
        Err(EngineError::Refused(format!(
            "network `{network}` has no way out, so Docker would publish no port of `{}`",
            creation.name
        )))
    }

    /// A client whose streams wait for the first answer no longer than any other call does.
    fn impatient(&self, docker: bollard::Docker) -> bollard::Docker {
        // bollard counts whole seconds, and 0 of them would be over at once.
        docker.with_timeout(self.deadlines.answer.max(Duration::from_secs(1)))
    }
}

#[async_trait]
impl Engine for Docker {
    async fn about(&self) -> Result<About> {
        self.connection
            .call("about", self.deadlines.answer, |docker| async move {
                let (version, info) = tokio::try_join!(docker.version(), docker.info())?;
                Ok(convert::about(version, &info))
            })
            .await
    }

    async fn list(&self) -> Result<Vec<Listed>> {
        let all = ListContainersOptions {
            all: true,
            ..Default::default()
        };
        self.connection
            .call("list", self.deadlines.answer, |docker| async move {
                let found = docker.list_containers(Some(all)).await?;
                Ok(found.into_iter().filter_map(convert::listed).collect())
            })
            .await
    }

    async fn observe(&self, container: &ContainerId) -> Result<Option<Observation>> {
        match self.inspect(container).await {
            Ok(inspected) => Ok(convert::observation(inspected)),
            Err(EngineError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn describe(&self, container: &ContainerId) -> Result<Described> {
        let inspected = self.inspect(container).await?;
        let image = inspected.image.clone().unwrap_or_default();
        let image = self
            .connection
            .call(
                "inspect image",
                self.deadlines.answer,
                |docker| async move { Ok(docker.inspect_image(plain_image(&image)?).await?) },
            )
            .await;
        let image = match image {
            Ok(image) => image.config.unwrap_or_default(),
            Err(EngineError::NotFound(_)) => ImageConfig::default(),
            Err(error) => return Err(error),
        };
        Ok(describe::described(inspected, &image))
    }

    async fn events(&self) -> Result<BoxStream<'static, Result<EngineEvent>>> {
        // bollard sends the request at the first poll, which may be after the caller's listing. What happens in between is
        // asked for by the daemon's own clock.
        let (docker, now) = self
            .connection
            .call("events", self.deadlines.answer, |docker| async move {
                let now = docker.info().await?.system_time;
                Ok((docker, now))
            })
            .await?;
        let now = convert::time(now.as_deref())
            .ok_or_else(|| EngineError::Lost("the engine does not tell its time".to_owned()))?;
        let options = EventsOptions {
            since: Some(now.format("%s.%f").to_string()),
            filters: Some(convert::event_filters()),
            ..Default::default()
        };
        let gone = EngineError::Lost("the stream of events ended".to_owned());
        Ok(self
            .impatient(docker)
            .events(Some(options))
            .filter_map(|message| {
                ready(match message {
                    Ok(message) => convert::event(message).map(Ok),
                    Err(error) => Some(Err(EngineError::from(error))),
                })
            })
            .chain(stream::once(ready(Err(gone))))
            .boxed())
    }

    async fn image(&self, reference: &str) -> Result<Option<Image>> {
        let inspected = self
            .connection
            .call(
                "inspect image",
                self.deadlines.answer,
                |docker| async move { Ok(docker.inspect_image(plain_image(reference)?).await?) },
            )
            .await;
        match inspected {
            Ok(inspected) => Ok(convert::image(inspected)),
            Err(EngineError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn resolve(&self, reference: &str) -> Result<String> {
        let found = self
            .connection
            .call(
                "ask the registry",
                self.deadlines.answer,
                |docker| async move {
                    let reference = convert::with_tag(plain_image(reference)?);
                    Ok(docker.inspect_registry_image(&reference, None).await?)
                },
            )
            .await?;
        let digest = found.descriptor.digest;
        digest.ok_or_else(|| EngineError::Lost("the registry told no digest".to_owned()))
    }

    async fn pull(
        &self,
        reference: &str,
        progress: &(dyn Fn(PullProgress) + Send + Sync),
    ) -> Result<()> {
        let options = CreateImageOptions {
            from_image: Some(convert::with_tag(plain_image(reference)?)),
            ..Default::default()
        };
        let stall = self.deadlines.pull_stall;
        self.connection
            .call("pull", self.deadlines.pull, |docker| async move {
                let mut messages = pin!(docker.create_image(Some(options), None, None));
                let mut layers = Layers::default();
                loop {
                    let message = timeout(stall, messages.next()).await;
                    let Some(message) = message.map_err(|_| EngineError::TimedOut {
                        what: "pull without progress",
                        after: stall,
                    })?
                    else {
                        return Ok(());
                    };
                    if let Some(news) = layers.note(message.map_err(convert::pull_error)?) {
                        progress(news);
                    }
                }
            })
            .await
    }

    async fn create(&self, creation: &Creation<'_>) -> Result<ContainerId> {
        self.refuse_ports_without_way_out(creation).await?;
        let body = create::body(creation)?;
        let options = CreateContainerOptions {
            name: Some(creation.name.to_owned()),
            ..Default::default()
        };
        self.connection
            .call("create", self.deadlines.start, |docker| async move {
                for mount in &creation.spec.mounts {
                    let volume = mount.volume.as_ref();
                    if let Some(name) = volume.and_then(|name| creation.volumes.get(name)) {
                        ensure_volume(&docker, name, creation.labels).await?;
                    }
                }
                let created = docker.create_container(Some(options), body).await?;
                Ok(ContainerId(created.id))
            })
            .await
    }

    async fn start(&self, container: &ContainerId) -> Result<()> {
        let id = plain(container.as_str())?;
        self.connection
            .call("start", self.deadlines.start, |docker| async move {
                Ok(docker
                    .start_container(id, None::<StartContainerOptions>)
                    .await?)
            })
            .await
    }

    async fn stop(&self, container: &ContainerId, grace: Duration) -> Result<()> {
        let id = plain(container.as_str())?;
        let seconds = grace.as_millis().div_ceil(1000);
        let options = StopContainerOptions {
            t: Some(i32::try_from(seconds).unwrap_or(i32::MAX)),
            ..Default::default()
        };
        let deadline = grace.saturating_add(self.deadlines.stop_margin);
        self.connection
            .call("stop", deadline, |docker| async move {
                Ok(docker.stop_container(id, Some(options)).await?)
            })
            .await
    }

    async fn pause(&self, container: &ContainerId) -> Result<()> {
        let id = plain(container.as_str())?;
        self.connection
            .call("pause", self.deadlines.answer, |docker| async move {
                Ok(docker.pause_container(id).await?)
            })
            .await
    }

    async fn unpause(&self, container: &ContainerId) -> Result<()> {
        let id = plain(container.as_str())?;
        let unpaused = self
            .connection
            .call("unpause", self.deadlines.answer, |docker| async move {
                Ok(docker.unpause_container(id).await?)
            })
            .await;
        // Docker 20.10 answers 500 where it answers 409 to the second pause.
        unpaused.map_err(|error| match error {
            EngineError::Refused(words) if words.contains("not paused") => {
                EngineError::Conflict(words)
            }
            other => other,
        })
    }

    async fn rename(&self, container: &ContainerId, name: &str) -> Result<()> {
        let id = plain(container.as_str())?;
        let options = RenameContainerOptions {
            name: name.to_owned(),
        };
        self.connection
            .call("rename", self.deadlines.answer, |docker| async move {
                Ok(docker.rename_container(id, options).await?)
            })
            .await
    }

    async fn remove(&self, container: &ContainerId) -> Result<()> {
        let inspected = match self.inspect(container).await {
            Ok(inspected) => inspected,
            Err(EngineError::NotFound(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let options = RemoveContainerOptions {
            force: true,
            v: convert::is_ours(&inspected),
            ..Default::default()
        };
        let id = inspected.id.unwrap_or_default();
        let removed = self
            .connection
            .call("remove", self.deadlines.start, |docker| async move {
                Ok(docker.remove_container(&id, Some(options)).await?)
            })
            .await;
        gone_is_fine(removed)
    }

    async fn ensure_network(&self, network: &NetworkSpec) -> Result<()> {
        let _alone = self.networks.lock().await;
        match self.inspect_network(&network.name).await {
            Ok(found) => return check_network(&found, network),
            Err(EngineError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        let request = NetworkCreateRequest {
            name: network.name.clone(),
            internal: Some(network.internal),
            labels: Some(HashMap::from([(
                convert::INSTANCE.to_owned(),
                network.instance.to_string(),
            )])),
            ..Default::default()
        };
        self.connection
            .call(
                "create network",
                self.deadlines.start,
                |docker| async move {
                    docker.create_network(request).await?;
                    Ok(())
                },
            )
            .await
    }

    async fn remove_network(&self, name: &str) -> Result<()> {
        let removed = self
            .connection
            .call(
                "remove network",
                self.deadlines.answer,
                |docker| async move { Ok(docker.remove_network(plain(name)?).await?) },
            )
            .await;
        gone_is_fine(removed).map_err(|error| match error {
            EngineError::Refused(words) if words.contains("active endpoints") => {
                EngineError::Conflict(words)
            }
            other => other,
        })
    }

    async fn connect(&self, container: &ContainerId, network: &str, alias: &str) -> Result<()> {
        let (id, name) = (plain(container.as_str())?, plain(network)?);
        if self.is_connected(container, network).await? {
            return Ok(());
        }
        let request = NetworkConnectRequest {
            container: id.to_owned(),
            endpoint_config: Some(create::endpoint_settings(alias)),
        };
        self.connection
            .call("connect", self.deadlines.answer, |docker| async move {
                Ok(docker.connect_network(name, request).await?)
            })
            .await
    }

    async fn disconnect(&self, container: &ContainerId, network: &str) -> Result<()> {
        let (id, name) = (plain(container.as_str())?, plain(network)?);
        if !self.is_connected(container, network).await? {
            return Ok(());
        }
        let request = NetworkDisconnectRequest {
            container: id.to_owned(),
            force: None,
        };
        self.connection
            .call("disconnect", self.deadlines.answer, |docker| async move {
                Ok(docker.disconnect_network(name, request).await?)
            })
            .await
    }

    async fn networks(&self, instance: &InstanceId) -> Result<Vec<String>> {
        let labels = vec![format!("{}={instance}", convert::INSTANCE)];
        let options = ListNetworksOptions {
            filters: Some(HashMap::from([("label".to_owned(), labels)])),
        };
        self.connection
            .call(
                "list networks",
                self.deadlines.answer,
                |docker| async move {
                    let found = docker.list_networks(Some(options)).await?;
                    let mut names: Vec<String> =
                        found.into_iter().filter_map(|one| one.name).collect();
                    names.sort_unstable();
                    Ok(names)
                },
            )
            .await
    }

    async fn own_container(&self) -> Result<Option<ContainerId>> {
        // Not there: not on Linux, so in no container of its.
        let mounts = tokio::fs::read_to_string(own::MOUNTS).await;
        self.container_of(&mounts.unwrap_or_default()).await
    }

    async fn volumes(&self, instance: &InstanceId, agent: AgentId) -> Result<Vec<String>> {
        let labels = vec![
            format!("{}={instance}", convert::INSTANCE),
            format!("{}={agent}", convert::AGENT),
        ];
        let options = ListVolumesOptions {
            filters: Some(HashMap::from([("label".to_owned(), labels)])),
        };
        self.connection
            .call("list volumes", self.deadlines.answer, |docker| async move {
                let found = docker.list_volumes(Some(options)).await?.volumes;
                let mut names: Vec<String> = found
                    .unwrap_or_default()
                    .into_iter()
                    .map(|volume| volume.name)
                    .collect();
                names.sort_unstable();
                Ok(names)
            })
            .await
    }

    async fn remove_volume(&self, name: &str) -> Result<()> {
        let removed = self
            .connection
            .call(
                "remove volume",
                self.deadlines.answer,
                |docker| async move {
                    Ok(docker
                        .remove_volume(plain(name)?, None::<RemoveVolumeOptions>)
                        .await?)
                },
            )
            .await;
        gone_is_fine(removed)
    }

    async fn logs(
        &self,
        container: &ContainerId,
        query: &LogQuery,
    ) -> Result<BoxStream<'static, Result<LogLine>>> {
        // bollard asks at the first poll; what is wrong should be said now.
        let id = self.inspect(container).await?.id.unwrap_or_default();
        let docker = self
            .connection
            .call("logs", self.deadlines.answer, |docker| ready(Ok(docker)))
            .await?;
        let since = query.since.map_or(0, |since| since.timestamp());
        let options = LogsOptions {
            follow: query.follow,
            stdout: query.stdout,
            stderr: query.stderr,
            since: i32::try_from(since).unwrap_or(i32::MAX),
            timestamps: true,
            tail: query.tail.to_string(),
            ..Default::default()
        };
        let frames = self.impatient(docker).logs(&id, Some(options)).boxed();
        let patience = (!query.follow).then_some(self.deadlines.answer);
        Ok(logs::lines(frames, query, patience))
    }

    async fn exec(
        &self,
        container: &ContainerId,
        command: &[String],
        most: Duration,
    ) -> Result<ExecOutcome> {
        let id = plain(container.as_str())?;
        let deadline = self.deadlines.answer.saturating_add(most);
        let unended = &self.unended;
        self.connection
            .call("exec", deadline, |docker| async move {
                exec::run(&docker, unended, (id, command), most).await
            })
            .await
    }

    async fn sample(&self, container: &ContainerId) -> Result<Sample> {
        let id = plain(container.as_str())?;
        let options = StatsOptions {
            stream: false,
            one_shot: true,
        };
        self.connection
            .call("sample", self.deadlines.answer, |docker| async move {
                let stats = pin!(docker.stats(id, Some(options))).next().await;
                let stats = stats
                    .ok_or_else(|| EngineError::Lost("the engine sent no sample".to_owned()))??;
                convert::sample(&stats)
                    .ok_or_else(|| EngineError::Conflict(format!("{container} is not running")))
            })
            .await
    }
}

/// Docker keeps an existing volume as it is, so a stranger's must not be taken for ours.
async fn ensure_volume(docker: &bollard::Docker, name: &str, labels: &Labels) -> Result<()> {
    let volume = docker
        .create_volume(create::volume_request(name, labels))
        .await?;
    if create::may_use(&volume.labels, labels) {
        Ok(())
    } else {
        Err(EngineError::Conflict(format!(
            "volume `{name}` belongs to another agent"
        )))
    }
}

fn check_network(found: &NetworkInspect, wanted: &NetworkSpec) -> Result<()> {
    let owner = found
        .labels
        .as_ref()
        .and_then(|labels| labels.get(convert::INSTANCE));
    if owner != Some(&wanted.instance.0) {
        return Err(EngineError::Conflict(format!(
            "network `{}` is there and not ours",
            wanted.name
        )));
    }
    if found.internal.unwrap_or_default() != wanted.internal {
        return Err(EngineError::Conflict(format!(
            "network `{}` is there with internal = {}",
            wanted.name, !wanted.internal
        )));
    }
    Ok(())
}

fn gone_is_fine(result: Result<()>) -> Result<()> {
    match result {
        Err(EngineError::NotFound(_)) => Ok(()),
        other => other,
    }
}
