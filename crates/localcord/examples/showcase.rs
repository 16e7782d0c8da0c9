//! A bot that shows what the page can show, on a Discord of its own: `cargo run -p localcord --example showcase`.
//!
//! The page's address is printed; Ctrl-C stops both. The page's tests drive this one.

use std::time::Duration;

use localcord::{Localcord, Options, RateLimits};
use poise::serenity_prelude as serenity;
use serenity::{
    CreateActionRow, CreateAttachment, CreateButton, CreateEmbed, CreateInputText,
    CreateInteractionResponse, CreateInteractionResponseMessage, CreateModal, CreateSelectMenu,
    CreateSelectMenuKind, CreateSelectMenuOption, FullEvent, Interaction,
};

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Context<'a> = poise::Context<'a, (), Failure>;
type Outcome = Result<(), Failure>;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the address is for who started it")]
async fn main() -> Outcome {
    let cord = Localcord::start(Options {
        rate_limits: RateLimits::Headers,
        ..Options::default()
    })
    .await?;
    let mut bot = bot(&cord).await?;
    let announced = async {
        cord.wait_for_command("stop").await?;
        println!("{}", cord.people_url());
        Ok::<_, Failure>(tokio::signal::ctrl_c().await?)
    };
    tokio::select! {
        ended = bot.start() => ended?,
        stopped = announced => stopped?,
    }
    Ok(cord.finish()?)
}

async fn bot(cord: &Localcord) -> Result<serenity::Client, Failure> {
    let client = reqwest::Client::builder()
        .resolve("discord.com", cord.rest_addr())
        .add_root_certificate(reqwest::Certificate::from_pem(cord.ca_pem().as_bytes())?)
        .timeout(Duration::from_secs(10))
        .build()?;
    let http = serenity::HttpBuilder::new(cord.token())
        .client(client)
        .build();
    let framework = poise::Framework::builder()
        .options(poise::FrameworkOptions {
            commands: vec![
                stop(),
                panel(),
                report(),
                load(),
                whisper(),
                think(),
                sleep(),
                pick(),
                fleet(),
                prose(),
            ],
            event_handler: |framework, event| Box::pin(on_event(framework.serenity_context, event)),
            ..Default::default()
        })
        .setup(|ctx, _, framework| {
            Box::pin(async move {
                poise::builtins::register_globally(ctx, &framework.options().commands).await?;
                Ok(())
            })
        })
        .build();
    let intents = serenity::GatewayIntents::non_privileged();
    let client = serenity::ClientBuilder::new_with_http(http, intents);
    Ok(client.framework(framework).await?)
}

#[expect(clippy::unused_async, reason = "poise wants a future")]
async fn agents(_: Context<'_>, typed: &str) -> serenity::CreateAutocompleteResponse {
    let known = ["scout", "scribe", "smith"].into_iter();
    let choices = known
        .filter(|name| name.starts_with(typed))
        .map(|name| serenity::AutocompleteChoice::new(format!("{name} (running)"), name));
    serenity::CreateAutocompleteResponse::new().set_choices(choices.collect())
}

/// Stops an agent.
#[poise::command(slash_command)]
async fn stop(
    ctx: Context<'_>,
    #[description = "Which one"]
    #[autocomplete = "agents"]
    agent: String,
    #[description = "Why"] reason: Option<String>,
    #[description = "How long to wait"]
    #[min = 1]
    #[max = 60]
    seconds: Option<u32>,
) -> Outcome {
    let reply = ctx.say(format!("Stopping **{agent}**…")).await?;
    let why = reason.map_or_else(String::new, |reason| format!(" because of _{reason}_"));
    let text = format!(
        "Stopped **{agent}** within {} s{why}.",
        seconds.unwrap_or(10)
    );
    reply
        .edit(ctx, poise::CreateReply::default().content(text))
        .await?;
    Ok(())
}

/// Buttons and selects.
#[poise::command(slash_command)]
async fn panel(ctx: Context<'_>) -> Outcome {
    let buttons = vec![
        CreateButton::new("restart").label("Restart"),
        CreateButton::new("details")
            .label("Details")
            .style(serenity::ButtonStyle::Secondary),
        CreateButton::new("explain")
            .label("Explain")
            .style(serenity::ButtonStyle::Success),
        CreateButton::new("remove")
            .label("Remove")
            .style(serenity::ButtonStyle::Danger)
            .disabled(true),
        CreateButton::new_link("https://example.org").label("Manual"),
    ];
    let sizes = [("Small", "256 MB"), ("Large", "4 GB")];
    let options = sizes
        .map(|(name, memory)| CreateSelectMenuOption::new(name, name).description(memory))
        .to_vec();
    let days = ["Monday", "Tuesday", "Friday"]
        .map(|day| CreateSelectMenuOption::new(day, day))
        .to_vec();
    let rows = vec![
        CreateActionRow::Buttons(buttons),
        select("size", CreateSelectMenuKind::String { options }, 1),
        select("days", CreateSelectMenuKind::String { options: days }, 3),
        select(
            "people",
            CreateSelectMenuKind::User {
                default_users: None,
            },
            2,
        ),
        select(
            "channel",
            CreateSelectMenuKind::Channel {
                channel_types: None,
                default_channels: None,
            },
            1,
        ),
    ];
    let reply = poise::CreateReply::default().content("What shall be done?");
    ctx.send(reply.components(rows)).await?;
    Ok(())
}

fn select(name: &str, kind: CreateSelectMenuKind, most: u8) -> CreateActionRow {
    let menu = CreateSelectMenu::new(name, kind).placeholder(format!("Choose {name}"));
    CreateActionRow::SelectMenu(menu.max_values(most))
}

/// An embed and a file.
#[poise::command(slash_command)]
async fn report(ctx: Context<'_>) -> Outcome {
    let embed = CreateEmbed::new()
        .title("Fleet")
        .description("2 agents, `1` in trouble")
        .colour(0x0030_a0e0)
        .field("scout", "running", true)
        .field("smith", "~~running~~ stopped", true)
        .footer(serenity::CreateEmbedFooter::new("as of now"));
    let lines: Vec<String> = (1..=9).map(|number| format!("line {number}")).collect();
    let file = CreateAttachment::bytes(lines.join("\n"), "scout.log");
    ctx.send(poise::CreateReply::default().embed(embed).attachment(file))
        .await?;
    Ok(())
}

/// Takes a file.
#[poise::command(slash_command)]
async fn load(ctx: Context<'_>, #[description = "What"] file: serenity::Attachment) -> Outcome {
    ctx.say(format!("{} has {} bytes.", file.filename, file.size))
        .await?;
    Ok(())
}

/// Says something to you alone.
#[poise::command(slash_command, ephemeral)]
async fn whisper(ctx: Context<'_>) -> Outcome {
    ctx.say("Between us.").await?;
    Ok(())
}

/// Defers, and never comes to an end.
#[poise::command(slash_command)]
async fn think(ctx: Context<'_>) -> Outcome {
    ctx.defer().await?;
    std::future::pending().await
}

/// Never answers.
#[poise::command(slash_command)]
async fn sleep(_: Context<'_>) -> Outcome {
    std::future::pending().await
}

#[derive(poise::ChoiceParameter)]
enum Level {
    #[name = "viewer"]
    Viewer,
    #[name = "owner"]
    Owner,
}

/// Choices, and names of people.
#[poise::command(slash_command)]
async fn pick(
    ctx: Context<'_>,
    #[description = "Level"] level: Level,
    #[description = "Whom"] person: serenity::User,
    #[description = "For certain"] sure: Option<bool>,
) -> Outcome {
    use poise::ChoiceParameter as _;
    let sure = sure.unwrap_or_default();
    ctx.say(format!("<@{}> is {} ({sure})", person.id, level.name()))
        .await?;
    Ok(())
}

/// Groups of agents.
#[poise::command(slash_command, subcommands("create"))]
async fn fleet(_: Context<'_>) -> Outcome {
    std::future::ready(Ok(())).await
}

/// Makes a group.
#[poise::command(slash_command)]
async fn create(ctx: Context<'_>, #[description = "Its name"] name: String) -> Outcome {
    ctx.say(format!("Fleet {name} is made.")).await?;
    Ok(())
}

/// Everything that text can be.
#[poise::command(slash_command)]
async fn prose(ctx: Context<'_>) -> Outcome {
    let now = serenity::Timestamp::now().unix_timestamp();
    let text = format!(
        "## Heading\n**bold** _italic_ __under__ ~~gone~~ `code` ||secret||\n> quoted\n- one\n- two\n\
         ```rust\nfn main() {{}}\n```\nStarted <t:{now}:R>; <@{}> knows.\n-# small",
        ctx.author().id
    );
    ctx.say(text).await?;
    Ok(())
}

async fn on_event(ctx: &serenity::Context, event: &FullEvent) -> Outcome {
    let FullEvent::InteractionCreate { interaction } = event else {
        return Ok(());
    };
    match interaction {
        Interaction::Component(press) => {
            let answer = answer(press);
            press.create_response(ctx, answer).await?;
        }
        Interaction::Modal(modal) => {
            let text = format!("Because: {}", entered(modal));
            let message = CreateInteractionResponseMessage::new().content(text);
            modal
                .create_response(ctx, CreateInteractionResponse::Message(message))
                .await?;
        }
        _ => {}
    }
    Ok(())
}

fn answer(press: &serenity::ComponentInteraction) -> CreateInteractionResponse {
    use serenity::ComponentInteractionDataKind as Kind;
    let message = CreateInteractionResponseMessage::new();
    let chosen = match &press.data.kind {
        Kind::StringSelect { values } => values.join(" and "),
        Kind::UserSelect { values } => format!("{} people", values.len()),
        Kind::ChannelSelect { values } => format!("{} channel", values.len()),
        _ if press.data.custom_id == "explain" => {
            return CreateInteractionResponse::Modal(why());
        }
        _ if press.data.custom_id == "details" => {
            return CreateInteractionResponse::Message(
                message.content("Only for you.").ephemeral(true),
            );
        }
        _ => "restarted".to_owned(),
    };
    CreateInteractionResponse::UpdateMessage(message.content(format!("Done: {chosen}")))
}

fn why() -> CreateModal {
    let reason =
        CreateInputText::new(serenity::InputTextStyle::Short, "Reason", "reason").min_length(3);
    let more =
        CreateInputText::new(serenity::InputTextStyle::Paragraph, "More", "more").required(false);
    let rows = [reason, more].map(CreateActionRow::InputText).to_vec();
    CreateModal::new("why", "Why?").components(rows)
}

fn entered(modal: &serenity::ModalInteraction) -> String {
    let inputs = modal.data.components.iter().flat_map(|row| &row.components);
    let values = inputs.filter_map(|input| match input {
        serenity::ActionRowComponent::InputText(input) => input.value.clone(),
        _ => None,
    });
    values
        .filter(|value| !value.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}
