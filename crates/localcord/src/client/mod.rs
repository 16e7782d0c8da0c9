//! The test API: start a Discord, talk to the bot as people do, look at what they see.

mod channel;
mod entry;
mod error;
mod forged;
mod message;
mod options;
mod person;
mod reply;
mod thread;
mod wire;

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::panicking,
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::sync::watch;

pub use self::{
    channel::Channel,
    entry::{Autocomplete, Choice, SlashCommand},
    error::Error,
    forged::Forged,
    message::{Attachment, Button, Message},
    options::Options,
    person::Person,
    reply::{Modal, Reply},
    thread::Thread,
    wire::{Away, Gateway, Injected},
};
use crate::{
    act,
    clock::Clock,
    discord::Discord,
    faults::{Fault, Faults},
    guild::{Guild, World},
    ids::Id,
    journal::Journal,
    limits::Limits,
    model::{Saved, Scope, State},
    openapi::Checker,
    people, random,
    record::{Record, Violation},
    rest, serve,
    tasks::Tasks,
    tls::Identity,
};

/// A running Discord. It ends when the last handle is dropped, or by [`Localcord::stop`].
#[derive(Clone)]
pub struct Localcord {
    shared: Arc<Running>,
}

struct Running {
    discord: Arc<Discord>,
    ca_pem: String,
    patience: Duration,
    /// Whether calls are checked, and what is recorded must be looked at.
    strict: bool,
    check_skipped: bool,
    finished: AtomicBool,
}

impl fmt::Debug for Localcord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Localcord")
            .field(&self.people_addr())
            .finish()
    }
}

impl Drop for Running {
    #[expect(
        clippy::panic,
        reason = "a test that forgot to look at what was recorded must not pass"
    )]
    fn drop(&mut self) {
        self.discord.tasks.stop();
        let looked_at = !self.strict || self.finished.load(Ordering::SeqCst);
        if looked_at || panicking() {
            return;
        }
        if let Err(error) = self.discord.record.verdict() {
            panic!("{error}");
        }
    }
}

impl Localcord {
    /// Starts a server on loopback. It answers when this returns.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let mut world = World::parse(&options.guild)?;
        let saved = Saved::read(options.messages.as_deref())?;
        world.take_up(saved.threads);
        let identity = Identity::generate()?;
        let rest_listener =
            serve::bind(SocketAddr::from(([127, 0, 0, 1], options.rest_port))).await?;
        let people_listener =
            serve::bind(SocketAddr::from(([127, 0, 0, 1], options.people_port))).await?;
        let checker = if options.validate {
            Checker::load()?
        } else {
            None
        };
        let check_skipped = options.validate && checker.is_none();
        let state = State::with_messages(saved.messages);
        let discord = Arc::new(Discord {
            bot_token: options.token.unwrap_or_else(|| local_token(&world)),
            people_token: options.people_token.unwrap_or_else(|| random::letters(40)),
            people_addr: people_listener.local_addr().map_err(anyhow::Error::from)?,
            rest_addr: rest_listener.local_addr().map_err(anyhow::Error::from)?,
            world: RwLock::new(Arc::new(world)),
            checker,
            clock: Clock::default(),
            tasks: Tasks::default(),
            faults: Faults::default(),
            limits: Limits::new(options.rate_limits),
            record: Record::default(),
            journal: Journal::default(),
            heartbeat: options.heartbeat,
            silence: options.silence,
            state: Mutex::new(state),
            changes: watch::Sender::new(0),
        });
        let routes = rest::router(Arc::clone(&discord));
        discord.tasks.spawn(serve::rest(
            Arc::clone(&discord),
            rest_listener,
            identity.acceptor,
            routes,
        ));
        let routes = people::router(Arc::clone(&discord));
        discord
            .tasks
            .spawn(serve::people(Arc::clone(&discord), people_listener, routes));
        let patience = options.patience;
        Ok(Self {
            shared: Arc::new(Running {
                discord,
                ca_pem: identity.ca_pem,
                patience,
                strict: options.validate,
                check_skipped,
                finished: AtomicBool::new(false),
            }),
        })
    }

    /// Where REST is served over TLS: let your HTTP client resolve `discord.com` to it.
    pub fn rest_addr(&self) -> SocketAddr {
        self.discord().rest_addr
    }

    /// The certificate authority that your HTTP client must trust, as PEM.
    pub fn ca_pem(&self) -> &str {
        &self.shared.ca_pem
    }

    /// The gateway's address, as `GET /gateway` gives it.
    pub fn gateway_url(&self) -> String {
        self.discord().gateway_url()
    }

    /// The bot's token; it begins with `localcord`, and no real one does.
    pub fn token(&self) -> &str {
        &self.discord().bot_token
    }

    /// The address of the page, with its start-up token.
    pub fn people_url(&self) -> String {
        self.discord().people_url()
    }

    /// The address of the script interface, without a token.
    pub fn people_addr(&self) -> SocketAddr {
        self.discord().people_addr
    }

    /// The token that pages and scripts must show.
    pub fn people_token(&self) -> &str {
        &self.discord().people_token
    }

    /// The first guild of the guild file.
    pub fn guild_id(&self) -> Id {
        self.discord().world().home().id
    }

    /// A guild by name.
    pub fn guild_named(&self, name: &str) -> Id {
        self.find_guild(name).id
    }

    /// The bot's user, which is also its application.
    pub fn bot_id(&self) -> Id {
        self.discord().world().bot.id
    }

    /// A role of the first guild.
    pub fn role_id(&self, name: &str) -> Id {
        let world = self.discord().world();
        let role = world.home().role(name);
        error::known("role", name, role).id
    }

    /// A person of the guild file.
    pub fn user(&self, name: &str) -> Person {
        let world = self.discord().world();
        let user = error::known("person", name, world.person(name));
        Person::new(self.clone(), user.id)
    }

    /// Somebody new in the first guild, without roles; who had left is back.
    pub fn invite(&self, name: &str) -> Person {
        Person::new(self.clone(), act::invite(self.discord(), name, false))
    }

    /// Another bot in the first guild, which can do here what people do.
    pub fn invite_bot(&self, name: &str) -> Person {
        Person::new(self.clone(), act::invite(self.discord(), name, true))
    }

    /// A new role in a guild. One that is made again has another id than before.
    pub fn add_role(&self, guild: &str, name: &str) -> Result<Id, Error> {
        let guild = self.find_guild(guild).id;
        Ok(act::add_role(self.discord(), guild, name)?)
    }

    /// Deletes a role; whoever holds it loses it.
    pub fn delete_role(&self, guild: &str, name: &str) -> Result<(), Error> {
        let guild = self.find_guild(guild).id;
        Ok(act::delete_role(self.discord(), guild, name)?)
    }

    /// A channel or thread of the first guild, by name or id.
    pub fn channel(&self, name: &str) -> Channel {
        let world = self.discord().world();
        let channel = error::known("channel", name, world.home().channel(name));
        Channel::new(self.clone(), channel.id)
    }

    /// All channels of the first guild, then all its threads, the archived ones too.
    pub fn channels(&self) -> Vec<Channel> {
        let world = self.discord().world();
        let home = world.home();
        let all = home.channels.iter().chain(home.threads.values());
        all.map(|channel| Channel::new(self.clone(), channel.id))
            .collect()
    }

    /// The commands registered for everybody, as Discord lists them.
    pub fn global_commands(&self) -> Vec<Value> {
        self.discord()
            .read(|state| state.commands.list(Scope::Global).to_vec())
    }

    /// The commands registered for one guild, as Discord lists them.
    pub fn guild_commands(&self, guild: Id) -> Vec<Value> {
        self.discord()
            .read(|state| state.commands.list(Scope::Guild(guild)).to_vec())
    }

    /// Waits until a bot is connected to the gateway and `name` can be chosen in the first guild.
    pub async fn wait_for_command(&self, name: &str) -> Result<(), Error> {
        let guild = self.guild_id();
        let offers = |state: &State| {
            let offered = state
                .commands
                .offered(Some(guild))
                .iter()
                .any(|command| command["name"] == name);
            (offered && state.sessions.connected() > 0).then_some(())
        };
        let found = self.wait(|| self.discord().read(offers));
        found.await.ok_or_else(|| {
            let known = self.discord().read(|state| {
                let offered = state.commands.offered(Some(guild));
                let names = offered
                    .iter()
                    .filter_map(|command| command["name"].as_str().map(str::to_owned));
                format!(
                    "{} connections, commands: {}",
                    state.sessions.connected(),
                    names.collect::<Vec<_>>().join(", ")
                )
            });
            Error::TimedOut {
                wanted: format!("the command `/{name}`"),
                seen: known,
            }
        })
    }

    /// Turns localcord's clock on, by ten years in all at most: deadlines, tokens and rate limits follow it.
    pub fn advance(&self, by: Duration) {
        self.discord().clock.advance(by);
        self.discord().changed();
    }

    /// localcord's own time.
    pub fn now(&self) -> DateTime<Utc> {
        self.discord().now()
    }

    /// Lets REST calls go wrong until the fault is used up, over or released.
    pub fn inject(&self, fault: Fault) -> Injected {
        let number = self.discord().faults.inject(fault, self.now());
        Injected::new(self.clone(), number)
    }

    /// Lets Discord be away, REST and gateway, until the returned value's `end`.
    pub fn go_away(&self) -> Away {
        Away::begin(self)
    }

    /// The gateway's connections and their faults.
    pub fn gateway(&self) -> Gateway {
        Gateway::new(self.clone())
    }

    /// Routes that were called and do not exist here, such as `GET /api/v10/voice/regions`.
    pub fn unknown_routes(&self) -> Vec<String> {
        self.discord().record.unknown_routes()
    }

    /// Calls that Discord's `OpenAPI` file does not allow.
    pub fn violations(&self) -> Vec<Violation> {
        self.discord().record.violations()
    }

    /// Whether the check against the `OpenAPI` file was asked for and had no file.
    pub fn check_skipped(&self) -> bool {
        self.shared.check_skipped
    }

    /// Fails if anything happened that a test must not let pass: unknown routes, violations of the `OpenAPI` file.
    ///
    /// A server that checks calls and is dropped without it panics then.
    pub fn finish(&self) -> Result<(), Error> {
        self.shared.finished.store(true, Ordering::SeqCst);
        self.discord().record.verdict().map_err(Error::Recorded)
    }

    /// All messages and threads, for a later server with the same guild file. Files and ephemeral messages are not
    /// kept.
    pub fn messages_json(&self) -> String {
        let world = self.discord().world();
        self.discord().read(|state| Saved::write(state, &world))
    }

    /// Ends every connection and frees the ports.
    pub fn stop(&self) {
        self.discord().tasks.stop();
    }

    pub(crate) fn discord(&self) -> &Arc<Discord> {
        &self.shared.discord
    }

    pub(crate) fn find_guild(&self, name: &str) -> Guild {
        let world = self.discord().world();
        let found = world.guilds.iter().find(|guild| guild.name == name);
        error::known("guild", name, found).clone()
    }

    pub(crate) async fn wait<T>(&self, look: impl FnMut() -> Option<T>) -> Option<T> {
        self.discord().wait(self.shared.patience, look).await
    }
}

/// Three parts as serenity wants them; the first says where it is good.
fn local_token(world: &World) -> String {
    format!("localcord.{}.{}", world.bot.id, random::letters(38))
}
