//! The bot's commands: one for each thing a bot does.

use poise::serenity_prelude as serenity;
use serenity::{
    CreateActionRow, CreateAttachment, CreateButton, CreateEmbed, CreateInputText,
    CreateInteractionResponse, CreateInteractionResponseFollowup, CreateInteractionResponseMessage,
    CreateModal, CreateSelectMenu, CreateSelectMenuKind, CreateSelectMenuOption,
    EditInteractionResponse, FullEvent, Interaction,
};

use crate::support::{Context, Data, Failure, Outcome};

pub(crate) fn options() -> poise::FrameworkOptions<Data, Failure> {
    poise::FrameworkOptions {
        commands: vec![
            ping(),
            stop(),
            echo(),
            pick(),
            fleet(),
            panel(),
            ask(),
            report(),
            chat(),
            sleep(),
            twice(),
            late(),
            edit_later(),
            wrong(),
            load(),
            explain(),
        ],
        event_handler: |framework, event| Box::pin(on_event(framework.serenity_context, event)),
        on_error: |error| Box::pin(async move { tracing::debug!(%error, "the bot failed") }),
        ..Default::default()
    }
}

/// Defers, then follows up: the follow-up fills the deferred answer.
#[poise::command(slash_command)]
async fn ping(ctx: Context<'_>) -> Outcome {
    ctx.defer_ephemeral().await?;
    ctx.say("pong").await?;
    Ok(())
}

#[expect(clippy::unused_async, reason = "poise wants a future")]
async fn agents(_: Context<'_>, typed: &str) -> serenity::CreateAutocompleteResponse {
    let known = ["scout", "scribe", "smith"]
        .into_iter()
        .filter(|name| name.starts_with(typed));
    let choices =
        known.map(|name| serenity::AutocompleteChoice::new(format!("agent {name}"), name));
    serenity::CreateAutocompleteResponse::new().set_choices(choices.collect())
}

/// Stops an agent, and says so in two steps.
#[poise::command(slash_command)]
async fn stop(
    ctx: Context<'_>,
    #[description = "Which one"]
    #[autocomplete = "agents"]
    agent: String,
    #[description = "How long to wait"]
    #[min = 1]
    #[max = 60]
    seconds: Option<u32>,
) -> Outcome {
    let reply = ctx.say(format!("stopping {agent}")).await?;
    let text = format!("stopped {agent} in {} s", seconds.unwrap_or(10));
    reply
        .edit(ctx, poise::CreateReply::default().content(text))
        .await?;
    Ok(())
}

/// Repeats what it was given.
#[poise::command(slash_command)]
#[expect(clippy::too_many_arguments, reason = "one option of each type")]
async fn echo(
    ctx: Context<'_>,
    #[description = "Whole"] count: i64,
    #[description = "Part"] share: f64,
    #[description = "Truth"] sure: bool,
    #[description = "Person"] who: serenity::User,
    #[description = "Role"] role: serenity::Role,
    #[description = "Channel"] place: serenity::GuildChannel,
    #[description = "File"] file: serenity::Attachment,
) -> Outcome {
    let bytes = file.download().await?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (name, role, place) = (who.name, role.name, place.name);
    ctx.say(format!(
        "{count} {share} {sure} {name} {role} {place} {}={text}",
        file.filename
    ))
    .await?;
    Ok(())
}

/// Takes a file.
#[poise::command(slash_command)]
async fn load(ctx: Context<'_>, #[description = "What"] file: serenity::Attachment) -> Outcome {
    ctx.say(format!("{} loaded", file.filename)).await?;
    Ok(())
}

/// In the menu of a message.
#[poise::command(context_menu_command = "Explain")]
async fn explain(ctx: Context<'_>, #[description = "Which"] message: serenity::Message) -> Outcome {
    ctx.say(format!("it says {}", message.content)).await?;
    Ok(())
}

#[derive(poise::ChoiceParameter)]
enum Level {
    #[name = "viewer"]
    Viewer,
    #[name = "owner"]
    Owner,
}

/// A choice.
#[poise::command(slash_command)]
async fn pick(ctx: Context<'_>, #[description = "Level"] level: Level) -> Outcome {
    use poise::ChoiceParameter as _;
    ctx.say(level.name()).await?;
    Ok(())
}

/// Groups of agents.
#[poise::command(slash_command, subcommands("create", "member"))]
async fn fleet(_: Context<'_>) -> Outcome {
    std::future::ready(Ok(())).await
}

/// Makes a group.
#[poise::command(slash_command)]
async fn create(ctx: Context<'_>, #[description = "Its name"] name: String) -> Outcome {
    ctx.say(format!("fleet {name} created")).await?;
    Ok(())
}

/// Who is in it.
#[poise::command(slash_command, subcommands("add"))]
async fn member(_: Context<'_>) -> Outcome {
    std::future::ready(Ok(())).await
}

/// Adds one.
#[poise::command(slash_command)]
async fn add(ctx: Context<'_>, #[description = "Whom"] agent: String) -> Outcome {
    ctx.say(format!("{agent} added")).await?;
    Ok(())
}

/// Buttons and selects.
#[poise::command(slash_command)]
async fn panel(ctx: Context<'_>) -> Outcome {
    let buttons = vec![
        CreateButton::new("v1:restart").label("Restart"),
        CreateButton::new("v1:secret").label("Details"),
        CreateButton::new("v1:modal").label("Explain"),
        CreateButton::new("v1:off").label("Off").disabled(true),
        CreateButton::new_link("https://example.org").label("Manual"),
    ];
    let select = |id: &str, kind, placeholder: &str| {
        CreateActionRow::SelectMenu(CreateSelectMenu::new(id, kind).placeholder(placeholder))
    };
    let sizes = ["small", "large"]
        .map(|size| CreateSelectMenuOption::new(size.to_uppercase(), size))
        .to_vec();
    let rows = vec![
        CreateActionRow::Buttons(buttons),
        select(
            "v1:size",
            CreateSelectMenuKind::String { options: sizes },
            "Size",
        ),
        select(
            "v1:who",
            CreateSelectMenuKind::User {
                default_users: None,
            },
            "Who",
        ),
        select(
            "v1:role",
            CreateSelectMenuKind::Role {
                default_roles: None,
            },
            "Role",
        ),
        select(
            "v1:place",
            CreateSelectMenuKind::Channel {
                channel_types: None,
                default_channels: None,
            },
            "Place",
        ),
    ];
    ctx.send(
        poise::CreateReply::default()
            .content("panel")
            .components(rows),
    )
    .await?;
    Ok(())
}

/// Opens a modal at once.
#[poise::command(slash_command)]
async fn ask(ctx: poise::ApplicationContext<'_, Data, Failure>) -> Outcome {
    ctx.interaction
        .create_response(ctx.http(), CreateInteractionResponse::Modal(reason_modal()))
        .await?;
    Ok(())
}

fn reason_modal() -> CreateModal {
    let reason =
        CreateInputText::new(serenity::InputTextStyle::Short, "Reason", "reason").min_length(3);
    let more =
        CreateInputText::new(serenity::InputTextStyle::Paragraph, "More", "more").required(false);
    let rows = [reason, more].map(CreateActionRow::InputText).to_vec();
    CreateModal::new("v1:reason", "Why?").components(rows)
}

/// An embed and a file.
#[poise::command(slash_command)]
async fn report(ctx: Context<'_>) -> Outcome {
    let embed = CreateEmbed::new()
        .title("Fleet")
        .description("2 agents")
        .field("scout", "running", true);
    let file = CreateAttachment::bytes("line 1\nline 2", "log.txt");
    ctx.send(poise::CreateReply::default().embed(embed).attachment(file))
        .await?;
    Ok(())
}

/// Answers, follows up twice and deletes the first.
#[poise::command(slash_command)]
async fn chat(ctx: Context<'_>) -> Outcome {
    let first = ctx.say("one").await?;
    ctx.say("two").await?;
    ctx.send(
        poise::CreateReply::default()
            .content("three")
            .ephemeral(true),
    )
    .await?;
    first.delete(ctx).await?;
    Ok(())
}

/// Never answers.
#[poise::command(slash_command)]
async fn sleep(_: Context<'_>) -> Outcome {
    std::future::pending().await
}

/// Answers twice, which is once too often.
#[poise::command(slash_command)]
async fn twice(ctx: poise::ApplicationContext<'_, Data, Failure>) -> Outcome {
    let answer = |text: &str| {
        CreateInteractionResponse::Message(CreateInteractionResponseMessage::new().content(text))
    };
    ctx.interaction
        .create_response(ctx.http(), answer("first"))
        .await?;
    let second = ctx
        .interaction
        .create_response(ctx.http(), answer("second"))
        .await;
    tell(ctx.into(), &format!("second: {}", code(second))).await
}

/// Answers when the test says so.
#[poise::command(slash_command)]
async fn late(ctx: Context<'_>) -> Outcome {
    ctx.data().gate.notified().await;
    let outcome = ctx.say("at last").await.map(drop);
    tell(ctx, &format!("late: {}", code(outcome))).await
}

/// Answers at once and edits when the test says so.
#[poise::command(slash_command)]
async fn edit_later(ctx: Context<'_>) -> Outcome {
    let reply = ctx.say("early").await?;
    ctx.data().gate.notified().await;
    let outcome = reply
        .edit(ctx, poise::CreateReply::default().content("edited"))
        .await;
    tell(ctx, &format!("edit: {}", code(outcome))).await
}

/// Opens modals that are too much.
#[poise::command(slash_command)]
async fn wrong(ctx: poise::ApplicationContext<'_, Data, Failure>) -> Outcome {
    let input = |id: usize| {
        CreateActionRow::InputText(CreateInputText::new(
            serenity::InputTextStyle::Short,
            "Reason",
            id.to_string(),
        ))
    };
    let long = CreateModal::new("v1:long", "x".repeat(46)).components(vec![input(1)]);
    let full = CreateModal::new("v1:full", "Full").components((0..6).map(input).collect());
    let mut codes = Vec::new();
    for modal in [long, full] {
        let outcome = ctx
            .interaction
            .create_response(ctx.http(), CreateInteractionResponse::Modal(modal))
            .await;
        codes.push(code(outcome).to_string());
    }
    ctx.say(codes.join(" ")).await?;
    Ok(())
}

/// Discord's error code, or 0.
fn code(outcome: serenity::Result<()>) -> isize {
    match outcome {
        Err(serenity::Error::Http(serenity::HttpError::UnsuccessfulRequest(response))) => {
            response.error.code
        }
        Err(other) => panic!("another error: {other}"),
        Ok(()) => 0,
    }
}

async fn tell(ctx: Context<'_>, text: &str) -> Outcome {
    ctx.channel_id().say(ctx.http(), text).await?;
    Ok(())
}

fn ids(roles: &[serenity::RoleId]) -> String {
    let ids: Vec<_> = roles.iter().map(ToString::to_string).collect();
    ids.join("+")
}

async fn on_event(ctx: &serenity::Context, event: &FullEvent) -> Outcome {
    let FullEvent::InteractionCreate { interaction } = event else {
        return Ok(());
    };
    match interaction {
        Interaction::Component(component) => on_component(ctx, component).await,
        Interaction::Modal(modal) => on_modal(ctx, modal).await,
        _ => Ok(()),
    }
}

async fn on_component(ctx: &serenity::Context, press: &serenity::ComponentInteraction) -> Outcome {
    use serenity::ComponentInteractionDataKind as Kind;
    let message = CreateInteractionResponseMessage::new();
    let response = match (&*press.data.custom_id, &press.data.kind) {
        ("v1:restart", _) => {
            press
                .create_response(ctx, CreateInteractionResponse::Acknowledge)
                .await?;
            let text = EditInteractionResponse::new()
                .content("restarted")
                .components(Vec::new());
            press.edit_response(ctx, text).await?;
            let whisper = CreateInteractionResponseFollowup::new()
                .content("by you")
                .ephemeral(true);
            press.create_followup(ctx, whisper).await?;
            return Ok(());
        }
        ("v1:secret", _) => {
            CreateInteractionResponse::Message(message.content("for you").ephemeral(true))
        }
        ("v1:whoami", _) => {
            let member = press.member.as_ref();
            let roles = member.map(|member| member.roles.clone());
            let text = format!(
                "{} bot {} in {:?} roles {}",
                press.user.name,
                press.user.bot,
                press.guild_id.map(serenity::GuildId::get),
                ids(&roles.unwrap_or_default()),
            );
            CreateInteractionResponse::Message(message.content(text).ephemeral(true))
        }
        ("v1:modal", _) => CreateInteractionResponse::Modal(reason_modal()),
        (_, Kind::StringSelect { values }) => {
            updated(message, format!("size {}", values.join("+")))
        }
        (_, Kind::UserSelect { values }) => updated(message, format!("user {}", values[0].get())),
        (_, Kind::RoleSelect { values }) => updated(message, format!("role {}", values[0].get())),
        (_, Kind::ChannelSelect { values }) => {
            updated(message, format!("place {}", values[0].get()))
        }
        (other, _) => CreateInteractionResponse::Message(
            message.content(format!("stale: {other}")).ephemeral(true),
        ),
    };
    press.create_response(ctx, response).await?;
    Ok(())
}

fn updated(message: CreateInteractionResponseMessage, text: String) -> CreateInteractionResponse {
    CreateInteractionResponse::UpdateMessage(message.content(text))
}

async fn on_modal(ctx: &serenity::Context, modal: &serenity::ModalInteraction) -> Outcome {
    let inputs = modal.data.components.iter().flat_map(|row| &row.components);
    let values = inputs.filter_map(|input| match input {
        serenity::ActionRowComponent::InputText(input) => input.value.clone(),
        _ => None,
    });
    let text = format!("because {}", values.collect::<Vec<_>>().join("|"));
    let message = CreateInteractionResponseMessage::new().content(text);
    modal
        .create_response(ctx, CreateInteractionResponse::Message(message))
        .await?;
    Ok(())
}
