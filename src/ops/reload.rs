//! Reading settings and templates again. If anything is wrong with them, everything stays as it is.

use super::Ops;
use crate::{
    config::Settings,
    error::{Error, Result},
};

impl Ops {
    /// Returns what people should know, or refuses with everything that is wrong.
    pub async fn reload(&self) -> Result<Option<String>> {
        let (mut fresh, templates) = self.source.read().map_err(|error| {
            Error::Invalid(format!(
                "Nothing was changed; everything stays as it was.\n{error}"
            ))
        })?;
        let old = self.settings();
        let kept = keep_fixed(&mut fresh, &old);
        let count = templates.len();
        self.replace_settings(fresh);
        self.stock(templates).await?;
        tracing::info!(
            templates = count,
            kept = kept.join(" "),
            "settings reloaded"
        );
        let later = if kept.is_empty() {
            String::new()
        } else {
            format!(" These take effect at the next start: {}.", kept.join(", "))
        };
        Ok(Some(format!("Templates: {count}.{later}")))
    }
}

/// What the process was built with stays until its next start; returns the keys that differ.
fn keep_fixed(fresh: &mut Settings, old: &Settings) -> Vec<&'static str> {
    let mut kept = Vec::new();
    let mut keep = |differs: bool, key: &'static str| {
        if differs {
            kept.push(key);
        }
    };
    keep(fresh.discord.guild != old.discord.guild, "`discord.guild`");
    keep(
        fresh.discord.endpoint != old.discord.endpoint,
        "`discord.endpoint`",
    );
    keep(fresh.database.path != old.database.path, "`database.path`");
    keep(
        fresh.vault.key_file != old.vault.key_file,
        "`vault.key_file`",
    );
    keep(fresh.docker.host != old.docker.host, "`docker.host`");
    keep(
        fresh.docker.name_prefix != old.docker.name_prefix,
        "`docker.name_prefix`",
    );
    keep(
        fresh.log.level != old.log.level || fresh.log.format != old.log.format,
        "`log`",
    );
    let ops_channel = fresh.discord.ops_channel;
    fresh.discord = old.discord.clone();
    fresh.discord.ops_channel = ops_channel;
    fresh.database = old.database.clone();
    fresh.vault = old.vault.clone();
    fresh.docker.host.clone_from(&old.docker.host);
    fresh.docker.name_prefix.clone_from(&old.docker.name_prefix);
    fresh.log = old.log.clone();
    kept
}
