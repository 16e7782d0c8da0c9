//! A Discord for the bench: twenty people, rate-limit headers as the real one sends them.

use std::{fmt::Write as _, path::Path, time::Duration};

use anyhow::{Context as _, Result, ensure};
use localcord::{Localcord, Options, Person, RateLimits, Reply};

/// So many people at once.
pub(crate) const PEOPLE: usize = 20;

/// How long anything may take before the bench gives up.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) async fn start() -> Result<Localcord> {
    let options = Options {
        guild: guild(),
        rate_limits: RateLimits::Headers,
        // The check costs more than what is measured here.
        validate: false,
        patience: PATIENCE,
        ..Options::default()
    };
    Ok(Localcord::start(options).await?)
}

pub(crate) fn people(cord: &Localcord) -> Vec<Person> {
    (0..PEOPLE)
        .map(|number| cord.user(&person(number)))
        .collect()
}

fn person(number: usize) -> String {
    format!("person-{number:02}")
}

fn guild() -> String {
    let mut text = "[bot]\nname = \"yardarm\"\n".to_owned();
    let mut members = String::new();
    for number in 0..PEOPLE {
        let name = person(number);
        // Writing to a text cannot fail.
        let _written = writeln!(text, "[[person]]\nname = \"{name}\"");
        let _written = writeln!(members, "{name} = []");
    }
    let rights = r#"["VIEW_CHANNEL", "SEND_MESSAGES", "READ_MESSAGE_HISTORY", "ATTACH_FILES", "EMBED_LINKS", "USE_APPLICATION_COMMANDS"]"#;
    format!(
        "{text}[[guild]]\nname = \"bench\"\nowner = \"{}\"\neveryone = {rights}\nbot = {rights}\n\
         [guild.members]\n{members}[[guild.channel]]\nname = \"ops\"\n",
        person(0)
    )
}

/// Settings that lead Yardarm here, as `--set` takes them; `folder` gets the files they name.
pub(crate) fn settings(cord: &Localcord, folder: &Path) -> Result<Vec<(String, String)>> {
    std::fs::write(folder.join("ca.pem"), cord.ca_pem())?;
    std::fs::create_dir_all(folder.join("agents"))?;
    let path = |name: &str| folder.join(name).display().to_string();
    let owners: Vec<String> = people(cord)
        .iter()
        .map(|person| format!("\"{}\"", person.id()))
        .collect();
    let settings = [
        ("discord.guild", format!("\"{}\"", cord.guild_id())),
        ("discord.endpoint", cord.rest_addr().to_string()),
        ("discord.ca_file", path("ca.pem")),
        (
            "discord.ops_channel",
            format!("\"{}\"", cord.channel("ops").id()),
        ),
        ("access.owners", format!("[{}]", owners.join(", "))),
        ("database.path", path("yardarm.db")),
        ("agents.templates", path("agents")),
    ];
    Ok(settings.map(|(key, value)| (key.to_owned(), value)).into())
}

/// How long the first answer took, by localcord's own watch.
pub(crate) fn acknowledged(reply: &Reply) -> Result<Duration> {
    let took = reply.acknowledged_after();
    took.context("nobody answered in time")
}

/// Waits for the final content and tells how long it took, by localcord's own watch: waiting here costs nobody time.
pub(crate) async fn finished(reply: &Reply) -> Result<Duration> {
    let is_final = |text: &str| !text.is_empty() && !text.starts_with('⏳');
    let took = reply.until(is_final).await?.changed_after();
    took.context("nobody answered in time")
}

/// As [`finished`], for an action that must go well.
pub(crate) async fn succeeded(reply: &Reply) -> Result<Duration> {
    let took = finished(reply).await?;
    let text = reply.text();
    ensure!(text.starts_with('✅'), "an action did not go well: {text}");
    Ok(took)
}
