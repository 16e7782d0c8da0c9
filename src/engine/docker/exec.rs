//! A command inside a container, and the beginning of what it says.

use std::time::Duration;

use bollard::{
    Docker,
    exec::{CreateExecOptions, StartExecOptions, StartExecResults},
};
use futures::StreamExt as _;
use tokio::time::timeout;

use crate::engine::{EXEC_OUTPUT_MAX, EngineError, ExecOutcome, Result};

pub(super) async fn run(
    docker: &Docker,
    container: &str,
    command: &[String],
    most: Duration,
) -> Result<ExecOutcome> {
    let options = CreateExecOptions {
        cmd: Some(command.to_vec()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..Default::default()
    };
    let exec = docker.create_exec(container, options).await?.id;
    let mut said = Vec::new();
    let in_time = timeout(most, listen(docker, &exec, &mut said)).await;
    let exit_code = match in_time {
        Err(_) => None,
        Ok(ended) => {
            ended?;
            docker.inspect_exec(&exec).await?.exit_code
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
