use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::Args;

use crate::config;

/// Write the JSON Schemas that editors complete settings and templates by
#[derive(Args, Debug)]
pub struct Schema {
    /// The folder to write to
    #[arg(default_value = "configs/schema")]
    folder: PathBuf,
}

pub fn run(args: &Schema) -> anyhow::Result<ExitCode> {
    for (file, text) in config::schema::all() {
        let path = args.folder.join(file);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}
