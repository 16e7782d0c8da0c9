//! From `/deploy` to "running", beside the same container by two plain calls to the engine.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use bollard::{
    models::{ContainerCreateBody, ContainerInspectResponse, EndpointSettings, NetworkingConfig},
    query_parameters::{CreateContainerOptions, InspectContainerOptions, StartContainerOptions},
};
use localcord::Person;

use crate::{Counts, cord::succeeded, figures::Figures, site::Site};

const LABEL: &str = "yardarm-bench";

pub(crate) async fn measure(figures: &mut Figures, site: &Site, counts: &Counts) -> Result<()> {
    let (mut own, mut raw) = (Vec::new(), Vec::new());
    let person = site.people().into_iter().next().context("nobody")?;
    // The first one makes the fleet's network, and shows what is to be made without us.
    deploy(&person, "first").await?;
    let first = format!("{}first", site.prefix);
    let first = site
        .docker
        .inspect_container(&first, None::<InspectContainerOptions>);
    let body = same_as(first.await?)?;
    for number in 0..counts.deploys {
        let name = format!("own-{number}");
        own.push(deploy(&person, &name).await?);
        remove(&person, &name).await?;
        let name = format!("{}raw-{number}", site.prefix);
        raw.push(by_hand(site, &name, body.clone()).await?);
        site.remove(&name).await?;
    }
    remove(&person, "first").await?;
    figures.spread("deploy_ms", &own)?;
    figures.spread("deploy_raw_ms", &raw)
}

async fn deploy(person: &Person, name: &str) -> Result<Duration> {
    let command = person
        .slash("deploy")
        .option("template", "deployed")
        .option("name", name);
    succeeded(&command.send().await?).await
}

pub(crate) async fn remove(person: &Person, agent: &str) -> Result<()> {
    let command = person.slash("remove").option("agent", agent);
    succeeded(&command.send().await?).await?;
    Ok(())
}

async fn by_hand(site: &Site, name: &str, body: ContainerCreateBody) -> Result<Duration> {
    let options = CreateContainerOptions {
        name: Some(name.to_owned()),
        ..Default::default()
    };
    let began = Instant::now();
    site.docker.create_container(Some(options), body).await?;
    site.docker
        .start_container(name, None::<StartContainerOptions>)
        .await?;
    Ok(began.elapsed())
}

/// All that a container was made with, but for its labels: Yardarm must not take the copy for one of its own.
pub(crate) fn same_as(made: ContainerInspectResponse) -> Result<ContainerCreateBody> {
    let config = made.config.context("a container without a configuration")?;
    let host_config = made
        .host_config
        .context("a container without a host configuration")?;
    let network = host_config
        .network_mode
        .clone()
        .context("a container without a network")?;
    let endpoints = HashMap::from([(network, EndpointSettings::default())]);
    Ok(ContainerCreateBody {
        image: config.image,
        cmd: config.cmd,
        env: config.env,
        user: config.user,
        exposed_ports: config.exposed_ports,
        healthcheck: config.healthcheck,
        stop_timeout: config.stop_timeout,
        labels: Some(HashMap::from([(LABEL.to_owned(), String::new())])),
        host_config: Some(host_config),
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some(endpoints),
        }),
        ..Default::default()
    })
}
