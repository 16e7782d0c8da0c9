//! The last hundred lines of a log of 500 MB, as `/logs` shows them.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context as _, Result};
use bollard::{
    container::LogOutput,
    models::{ContainerCreateBody, HostConfig, HostConfigLogConfig},
    query_parameters::{
        CreateContainerOptions, LogsOptions, StartContainerOptions, StopContainerOptions,
    },
};
use futures::TryStreamExt as _;

use crate::{
    Counts,
    cord::{PATIENCE, finished, succeeded},
    figures::Figures,
    process,
    site::{Site, Yardarm},
};

const IMAGE: &str = "yardarm/demo-agent:latest";
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub(crate) async fn measure(
    figures: &mut Figures,
    site: &Site,
    yardarm: &Yardarm,
    counts: &Counts,
) -> Result<()> {
    let name = format!("{}scribe", site.prefix);
    write_log(site, &name, counts.log_bytes).await?;
    let person = site.people().into_iter().next().context("nobody")?;
    let adopt = person
        .slash("adopt")
        .option("container", &name)
        .option("name", "scribe");
    succeeded(&adopt.send().await?).await?;
    process::forget_peak(yardarm.pid)?;
    let mut samples = Vec::new();
    for _ in 0..counts.logs {
        let logs = person
            .slash("logs")
            .option("agent", "scribe")
            .option("lines", 100);
        samples.push(finished(&logs.send().await?).await?);
    }
    figures.spread("logs_ms", &samples)?;
    figures.number("logs_rss_mb", process::peak_rss_mb(yardarm.pid)?);
    site.docker
        .stop_container(&name, None::<StopContainerOptions>)
        .await?;
    crate::deploy::remove(&person, "scribe").await
}

/// A container that writes `bytes` at once and then a line each second; returns when the first of those is there.
async fn write_log(site: &Site, name: &str, bytes: usize) -> Result<()> {
    let log = HostConfigLogConfig {
        typ: Some("json-file".to_owned()),
        config: Some(HashMap::from([("max-size".to_owned(), "2g".to_owned())])),
    };
    let body = ContainerCreateBody {
        image: Some(IMAGE.to_owned()),
        env: Some(vec![
            format!("DEMO_LOG_BYTES={bytes}"),
            "DEMO_INTERVAL_S=1".to_owned(),
        ]),
        host_config: Some(HostConfig {
            log_config: Some(log),
            network_mode: Some("none".to_owned()),
            init: Some(true),
            ..Default::default()
        }),
        ..Default::default()
    };
    let options = CreateContainerOptions {
        name: Some(name.to_owned()),
        ..Default::default()
    };
    site.docker.create_container(Some(options), body).await?;
    site.docker
        .start_container(name, None::<StartContainerOptions>)
        .await?;
    let written = async {
        while !last_line(site, name).await?.starts_with("tick") {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, written)
        .await
        .context("the log was not written in time")?
}

async fn last_line(site: &Site, name: &str) -> Result<String> {
    let options = LogsOptions {
        stdout: true,
        tail: "1".to_owned(),
        ..Default::default()
    };
    let lines: Vec<LogOutput> = site.docker.logs(name, Some(options)).try_collect().await?;
    Ok(lines.first().map(ToString::to_string).unwrap_or_default())
}
