//! A command inside a container, and the beginning of what it says.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bollard::{
    Docker,
    exec::{CreateExecOptions, StartExecOptions, StartExecResults},
};
use futures::StreamExt as _;
use tokio::time::timeout;

use crate::engine::{EXEC_OUTPUT_MAX, EngineError, ExecOutcome, Result};

/// A container and a command in it.
type Place = (String, Vec<String>);

/// Commands that were not seen to end, by their ids. Docker cannot end what it began: if they were begun again and again,
/// each would be one process more, until the limit of the container ends it.
#[derive(Debug, Default)]
pub(super) struct Unended(Mutex<HashMap<Place, String>>);

/// More than that are forgotten: their containers are likely gone.
const KEPT: usize = 4096;

impl Unended {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<Place, String>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, place: &Place, exec: &str) {
        self.with(|unended| {
            if unended.len() >= KEPT {
                unended.clear();
            }
            unended.insert(place.clone(), exec.to_owned());
        });
    }

    fn forget(&self, place: &Place) {
        self.with(|unended| unended.remove(place));
    }

    async fn runs(&self, docker: &Docker, place: &Place) -> Result<bool> {
        let Some(exec) = self.with(|unended| unended.get(place).cloned()) else {
            return Ok(false);
        };
        match docker.inspect_exec(&exec).await.map_err(EngineError::from) {
            Ok(seen) => Ok(seen.running == Some(true)),
            Err(EngineError::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Runs a command for `most`. One that has not ended by then runs on, and is not begun again before it ends.
pub(super) async fn run(
    docker: &Docker,
    unended: &Unended,
    (container, command): (&str, &[String]),
    most: Duration,
) -> Result<ExecOutcome> {
    let place = (container.to_owned(), command.to_vec());
    if unended.runs(docker, &place).await? {
        return Ok(ExecOutcome {
            exit_code: None,
            output: String::new(),
        });
    }
    let options = CreateExecOptions {
        cmd: Some(command.to_vec()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..Default::default()
    };
    let exec = docker.create_exec(container, options).await?.id;
    unended.note(&place, &exec);
    let mut said = Vec::new();
    let in_time = timeout(most, listen(docker, &exec, &mut said)).await;
    let exit_code = match in_time {
        Err(_) => None,
        Ok(ended) => {
            ended?;
            let exit_code = docker.inspect_exec(&exec).await?.exit_code;
            unended.forget(&place);
            exit_code
        }
    };
    Ok(ExecOutcome {
        exit_code,
        output: String::from_utf8_lossy(&said).into_owned(),
    })
}

/// Listens to the end: the exit code is not known before.
async fn listen(docker: &Docker, exec: &str, said: &mut Vec<u8>) -> Result<()> {
    let attached = docker.start_exec(exec, None::<StartExecOptions>).await?;
    let StartExecResults::Attached { mut output, .. } = attached else {
        return Err(EngineError::Lost(
            "nobody listens to the command".to_owned(),
        ));
    };
    while let Some(frame) = output.next().await {
        let bytes = frame?.into_bytes();
        let room = EXEC_OUTPUT_MAX.saturating_sub(said.len());
        said.extend(bytes.iter().take(room));
    }
    Ok(())
}
