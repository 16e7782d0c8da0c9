//! Questions to Discord that tell why a set-up does not work.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error as _,
    time::Duration,
};

use serenity::{
    all::{
        Channel, ChannelId, CurrentApplicationInfo, CurrentUser, GuildChannel, GuildId,
        PartialGuild, Permissions,
    },
    http::{Http, HttpError},
};
use tokio::{net::TcpStream, time::timeout};

use super::connect;
use crate::{
    config::Discord,
    domain::{
        finding::{Finding, Topic},
        ids::{self, RoleId},
    },
};

/// What the bot needs in every channel it writes to.
pub const NEEDED: Permissions = Permissions::VIEW_CHANNEL
    .union(Permissions::SEND_MESSAGES)
    .union(Permissions::EMBED_LINKS)
    .union(Permissions::ATTACH_FILES)
    .union(Permissions::READ_MESSAGE_HISTORY);

/// What it needs besides where alerts have threads.
const THREADS: Permissions =
    Permissions::CREATE_PUBLIC_THREADS.union(Permissions::SEND_MESSAGES_IN_THREADS);

/// What to do about a channel that is not seen, of whatever kind.
const ELSEWHERE: &str = "correct its number where it is named, or let the bot see it";

/// Longer than the HTTP client's own time-out; it ends a wait for a rate limit.
const PATIENCE: Duration = Duration::from_secs(15);

/// Asks one thing after the other; what depends on an answer that did not come is left out.
///
/// `granted` are the roles that were granted something; `written` are channels that we write to, each with whose it is,
/// and in `threaded` alerts have threads.
pub async fn examine(
    discord: &Discord,
    granted: &BTreeSet<RoleId>,
    (written, threaded): (&BTreeMap<ids::ChannelId, String>, &BTreeSet<ids::ChannelId>),
) -> Vec<Finding> {
    let client = match connect::client(discord) {
        Ok(client) => client,
        Err(error) => {
            let text = error.to_string();
            let (message, hint) = text
                .split_once("\nhint: ")
                .unwrap_or((&text, "see the cause"));
            return vec![Finding::fail(Topic::Endpoint, message, hint)];
        }
    };
    let http = connect::http(discord, client);
    let me = match ask(http.get_current_user()).await {
        Ok(me) => me,
        Err(failure) => return vec![token_failed(&failure)],
    };
    let mut findings = vec![Finding::ok(
        Topic::Token,
        format!("the bot is {} ({})", me.name, me.id),
    )];
    let application = ask(http.get_current_application_info()).await;
    findings.push(interactions(&application));
    findings.push(gateway(&http).await);

    let guild_id = GuildId::new(discord.guild.0);
    let application_id = application
        .as_ref()
        .map_or(me.id.get(), |info| info.id.get());
    http.set_application_id(application_id.into());
    match ask(http.get_guild(guild_id)).await {
        Ok(guild) => {
            findings.push(Finding::ok(
                Topic::Guild,
                format!("the bot is in {}", guild.name),
            ));
            findings.extend(commands(&http, (application_id, guild_id)).await);
            findings.push(ops_channel(&http, (&me, &guild), discord.ops_channel).await);
            for (id, whose) in written {
                let found = channel(&http, (&me, &guild), (Topic::Channel, ELSEWHERE), *id).await;
                findings.push(found.about(format!("channel of {whose}")));
            }
            for channel in threaded {
                findings.push(threads(&http, &me, &guild, *channel).await);
            }
            findings.extend(granted.iter().filter_map(|role| gone(*role, &guild)));
        }
        Err(failure) => findings.push(guild_failed(&failure, application_id, guild_id)),
    }
    findings
}

/// The page where an administrator adds the bot, with all that it needs.
pub fn invite(application_id: u64, guild_id: u64) -> String {
    let permissions = NEEDED.bits();
    format!(
        "https://discord.com/oauth2/authorize?client_id={application_id}&scope=bot%20applications.commands&permissions={permissions}&guild_id={guild_id}"
    )
}

/// Nobody has a role that was deleted, and one that is made again under its name is another.
fn gone(role: RoleId, guild: &PartialGuild) -> Option<Finding> {
    let is_there = guild.roles.contains_key(&role.0.into());
    (!is_there).then(|| {
        let detail = format!("it is granted something or in a team, and {} has no such role", guild.name);
        let next = "grant it to one that is there, and take this one out: `/grant remove`, `/team remove`, or the settings";
        Finding::warn(Topic::Role, detail, next).about(format!("role {role}"))
    })
}

fn token_failed(failure: &Failure) -> Finding {
    match failure {
        Failure::Refused { status: 401, .. } => Finding::fail(
            Topic::Token,
            "Discord refuses it",
            "make a new one: Developer Portal → your application → Bot → Reset Token",
        ),
        other => Finding::fail(
            Topic::Discord,
            other.to_string(),
            "check network, DNS and firewall; with `discord.endpoint`, whether localcord runs",
        ),
    }
}

fn interactions(application: &Result<CurrentApplicationInfo, Failure>) -> Finding {
    const TOPIC: Topic = Topic::Interactions;
    match application {
        Ok(info) => match info.interactions_endpoint_url.as_deref() {
            None | Some("") => Finding::ok(TOPIC, "they come over the gateway"),
            Some(url) => Finding::fail(
                TOPIC,
                format!("Discord sends them to {url} and not to us"),
                "Developer Portal → General Information → empty Interactions Endpoint URL",
            ),
        },
        Err(failure) => Finding::warn(TOPIC, failure.to_string(), "try again"),
    }
}

async fn gateway(http: &Http) -> Finding {
    const TOPIC: Topic = Topic::Gateway;
    /// Discord takes a bot's token away when its sessions of a day are used up.
    const FEW_SESSIONS: u64 = 50;
    let gateway = match ask(http.get_bot_gateway()).await {
        Ok(gateway) => gateway,
        Err(failure) => return Finding::fail(TOPIC, failure.to_string(), "try again"),
    };
    if let Err(reason) = reach(&gateway.url).await {
        let next = "let outgoing connections to it through the firewall";
        return Finding::fail(TOPIC, format!("{}: {reason}", gateway.url), next);
    }
    let left = gateway.session_start_limit.remaining;
    if left < FEW_SESSIONS {
        let detail = format!("only {left} sessions may be started today");
        return Finding::warn(
            TOPIC,
            detail,
            "find out what restarts the bot again and again",
        );
    }
    Finding::ok(TOPIC, format!("{} answers", gateway.url))
}

/// Opens a connection and closes it; the rest of the handshake is `yardarm up`'s.
async fn reach(url: &str) -> Result<(), String> {
    let url = reqwest::Url::parse(url).map_err(|error| error.to_string())?;
    let host = url.host_str().ok_or("it names no host")?;
    let port = url.port_or_known_default().ok_or("it names no port")?;
    match timeout(PATIENCE, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

fn guild_failed(failure: &Failure, application_id: u64, guild_id: GuildId) -> Finding {
    match failure {
        Failure::Refused {
            status: 403 | 404, ..
        } => Finding::fail(
            Topic::Guild,
            format!("the bot is not in the server {guild_id}"),
            format!(
                "check `discord.guild`, and invite it: {}",
                invite(application_id, guild_id.get())
            ),
        ),
        other => Finding::fail(Topic::Guild, other.to_string(), "try again"),
    }
}

/// Whether our commands are there, and no others. What we served once without a server of our own, or another program
/// did with the same bot, is offered beside them and answered by nobody.
async fn commands(http: &Http, (application, guild): (u64, GuildId)) -> Vec<Finding> {
    const TOPIC: Topic = Topic::Commands;
    let ours = match ask(http.get_guild_commands(guild)).await {
        Ok(ours) if ours.is_empty() => Finding::ok(TOPIC, "none yet: `yardarm up` registers them"),
        Ok(ours) => Finding::ok(TOPIC, format!("{} are registered", ours.len())),
        Err(Failure::Refused { status: 403, .. }) => Finding::fail(
            TOPIC,
            "the bot was invited without `applications.commands`",
            format!("invite it again: {}", invite(application, guild.get())),
        ),
        Err(failure) => Finding::warn(TOPIC, failure.to_string(), "try again"),
    };
    let others = ask(http.get_global_commands()).await.unwrap_or_default();
    let others: Vec<String> = others.iter().map(|one| format!("/{}", one.name)).collect();
    let stray = (!others.is_empty()).then(|| {
        Finding::warn(
            TOPIC,
            format!("{} are registered for all servers, not by Yardarm", others.join(", ")),
            "take them away with the program that registered them, or give Yardarm a bot of its own",
        )
    });
    std::iter::once(ours).chain(stray).collect()
}

async fn ops_channel(
    http: &Http,
    whose: (&CurrentUser, &PartialGuild),
    configured: Option<ids::ChannelId>,
) -> Finding {
    const TOPIC: Topic = Topic::OpsChannel;
    const NEXT: &str = "check `discord.ops_channel`, and that the bot may see it";
    let Some(id) = configured else {
        let next = "set `discord.ops_channel`";
        return Finding::warn(
            TOPIC,
            "none: reports of interrupted actions go nowhere",
            next,
        );
    };
    channel(http, whose, (TOPIC, NEXT), id).await
}

/// Whether the bot may write there.
async fn channel(
    http: &Http,
    (me, guild): (&CurrentUser, &PartialGuild),
    (topic, next): (Topic, &str),
    id: ids::ChannelId,
) -> Finding {
    let channel = match ask(http.get_channel(ChannelId::new(id.0))).await {
        Ok(Channel::Guild(channel)) if channel.guild_id == guild.id => channel,
        Ok(_) => {
            let detail = format!("{id} is no channel of {}", guild.name);
            return Finding::fail(topic, detail, next);
        }
        Err(Failure::Refused {
            status: 403 | 404, ..
        }) => {
            return Finding::fail(topic, format!("the bot cannot see {id}"), next);
        }
        Err(failure) => return Finding::fail(topic, failure.to_string(), "try again"),
    };
    match ask(http.get_member(guild.id, me.id)).await {
        Ok(member) => permissions(
            topic,
            guild.user_permissions_in(&channel, &member),
            &channel,
        ),
        Err(failure) => Finding::fail(topic, failure.to_string(), "try again"),
    }
}

/// Whether alerts can have threads there: without, what follows them is told in the channel.
async fn threads(
    http: &Http,
    me: &CurrentUser,
    guild: &PartialGuild,
    id: ids::ChannelId,
) -> Finding {
    const TOPIC: Topic = Topic::Threads;
    let channel = match ask(http.get_channel(ChannelId::new(id.0))).await {
        Ok(Channel::Guild(channel)) if channel.guild_id == guild.id => channel,
        Ok(_) | Err(Failure::Refused { .. }) => {
            let detail = format!("a `[[route]]` names {id}, and the bot sees no such channel");
            return Finding::warn(
                TOPIC,
                detail,
                "correct its `channels`, or let the bot see it",
            );
        }
        Err(failure) => return Finding::warn(TOPIC, failure.to_string(), "try again"),
    };
    let name = &channel.name;
    let missing = match ask(http.get_member(guild.id, me.id)).await {
        Ok(member) => THREADS - guild.user_permissions_in(&channel, &member),
        Err(failure) => return Finding::warn(TOPIC, failure.to_string(), "try again"),
    };
    if missing.is_empty() {
        return Finding::ok(TOPIC, format!("alerts have threads in #{name}"));
    }
    Finding::warn(
        TOPIC,
        format!(
            "the bot lacks {missing} in #{name}: what follows an alert is told in the channel itself"
        ),
        "Edit Channel → Permissions → add the bot's role and allow these",
    )
}

fn permissions(topic: Topic, held: Permissions, channel: &GuildChannel) -> Finding {
    let missing = NEEDED - held;
    if missing.is_empty() {
        return Finding::ok(topic, format!("the bot may write in #{}", channel.name));
    }
    Finding::fail(
        topic,
        format!("the bot lacks {missing} in #{}", channel.name),
        "Edit Channel → Permissions → add the bot's role and allow these",
    )
}

/// Why a question got no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Failure {
    #[error("Discord answered {status}: {message}")]
    Refused { status: u16, message: String },
    #[error("no answer: {0}")]
    Unreachable(String),
}

async fn ask<T>(question: impl Future<Output = serenity::Result<T>>) -> Result<T, Failure> {
    match timeout(PATIENCE, question).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Failure::from(&error)),
        Err(_) => Err(Failure::Unreachable(format!(
            "none within {} s",
            PATIENCE.as_secs()
        ))),
    }
}

impl From<&serenity::Error> for Failure {
    fn from(error: &serenity::Error) -> Self {
        match error {
            serenity::Error::Http(HttpError::UnsuccessfulRequest(response)) => Self::Refused {
                status: response.status_code.as_u16(),
                message: response.error.message.clone(),
            },
            serenity::Error::Http(HttpError::Request(error)) if error.is_timeout() => {
                Self::Unreachable("it took too long".to_owned())
            }
            other => Self::Unreachable(root_cause(other)),
        }
    }
}

/// reqwest says only which URL it failed at; the reason is at the end of the chain.
fn root_cause(error: &serenity::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interactions_endpoint_set_by_mistake_is_found() {
        let application = |url: Option<&str>| {
            let json = serde_json::json!({
                "id": "1", "name": "yardarm", "icon": null, "description": "", "bot_public": true,
                "bot_require_code_grant": false, "verify_key": "", "interactions_endpoint_url": url,
            });
            Ok(serde_json::from_value(json).expect("an application"))
        };
        insta::assert_snapshot!(interactions(&application(None)), @"ok    interactions: they come over the gateway");
        insta::assert_snapshot!(interactions(&application(Some("https://old.example/"))), @"fail  interactions: Discord sends them to https://old.example/ and not to us → Developer Portal → General Information → empty Interactions Endpoint URL");
    }
}
