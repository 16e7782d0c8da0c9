//! `/deploy`: what the template lacks is asked, text by a modal and choices by selects, then it goes.

use serenity::all::{
    CommandInteraction, ComponentInteraction, CreateInteractionResponse, ModalInteraction,
};

use super::{
    super::{
        Answer, Bot, Context, Result, autocomplete, components, render,
        reply::{self, Asker},
    },
    arguments, carry_out, selection, sight,
};
use crate::{
    domain::{
        action::{Arguments, Kind},
        ids::{InteractionId, UserId},
        template::{DeployForm, Parameter, ParameterKind, Template},
    },
    ops::drafts::Draft,
};

/// Discord's limit for inputs in a modal, and for selects beside a row of buttons.
const TEXTS_MAX: usize = 5;
const CHOICES_MAX: usize = 4;

/// Make an agent from a template and start it, or start all stopped agents of a fleet
#[poise::command(slash_command)]
#[expect(
    clippy::too_many_arguments,
    reason = "each is an option of the command"
)]
pub(super) async fn deploy(
    ctx: Context<'_>,
    #[description = "What to make it from"]
    #[autocomplete = "autocomplete::template"]
    template: Option<String>,
    #[description = "Its name; the template's if left out"] name: Option<String>,
    #[description = "Into which fleet; alone: start all its stopped agents"]
    #[autocomplete = "autocomplete::fleet"]
    fleet: Option<String>,
    #[description = "Arguments: key=value key=\"two words\""]
    #[autocomplete = "autocomplete::set"]
    set: Option<String>,
    #[description = "Fetch the image even if it is present"] pull: Option<bool>,
    #[description = "Why, for the record"] reason: Option<String>,
) -> Result {
    let Some(template) = template else {
        if fleet.is_none() {
            return Err(Answer::Invalid(
                "Say what: `template:` for a new agent, or `fleet:` to start all its stopped ones."
                    .to_owned(),
            )
            .into());
        }
        return carry_out(
            ctx,
            sight(ctx).request_change(Kind::Start, selection(None, fleet.as_ref()))?,
            reason,
        )
        .await;
    };
    let form = DeployForm {
        name: name.unwrap_or_else(|| template.clone()),
        template,
        fleet,
        given: arguments(set.as_deref())?,
        pull: pull.unwrap_or(false),
    };
    let author = UserId(ctx.interaction.user.id.get());
    Box::pin(begin(
        ctx.data(),
        ctx.interaction,
        Draft {
            form,
            reason,
            author,
            asked: Vec::new(),
        },
    ))
    .await
}

/// Deploys at once if nothing lacks; asks for text first, then for choices.
async fn begin(bot: &Bot, command: &CommandInteraction, mut draft: Draft) -> Result {
    let template = bot.ops.template(&draft.form.template)?.template;
    let (texts, choices) = missing(&template, &draft.form.given);
    let asker = Asker::from(command);
    let sight = bot.ops.sight(asker.caller.clone());
    if texts.is_empty() && choices.is_empty() {
        return reply::carry_out(
            bot,
            &asker,
            sight.request_deploy(&draft.form)?,
            draft.reason,
        )
        .await;
    }
    // What is wrong already is said before anybody fills in a form.
    sight.check_deploy(&draft.form)?;
    refuse_too_many(&texts, TEXTS_MAX)?;
    refuse_too_many(&choices, CHOICES_MAX)?;
    let id = asker.interaction;
    let response = if texts.is_empty() {
        CreateInteractionResponse::Message(
            render::deploy::choices(&draft.form, &choices, id).response(true),
        )
    } else {
        CreateInteractionResponse::Modal(render::deploy::modal(&draft.form, &texts, id))
    };
    draft.asked = names(&choices);
    bot.ops.remember_draft(id, draft);
    asker.respond(bot, response).await?;
    Ok(bot.ops.keep_draft(id).await?)
}

/// The modal came back.
pub async fn fill(
    bot: &Bot,
    modal: &ModalInteraction,
    id: InteractionId,
    given: Arguments,
) -> Result {
    let asker = Asker::from(modal);
    let sight = bot.ops.sight(asker.caller.clone());
    let mut draft = bot.ops.draft(id, asker.caller.user).await?;
    draft.form.given.extend(given);
    let template = bot.ops.template(&draft.form.template)?.template;
    let (_, choices) = missing(&template, &draft.form.given);
    if choices.is_empty() {
        return reply::carry_out(
            bot,
            &asker,
            sight.request_deploy(&draft.form)?,
            draft.reason,
        )
        .await;
    }
    let rendered = render::deploy::choices(&draft.form, &choices, id);
    draft.asked = names(&choices);
    bot.ops.remember_draft(id, draft);
    asker.answer(bot, &rendered).await?;
    Ok(bot.ops.keep_draft(id).await?)
}

/// A select was used; the button works once none is left open.
pub async fn choose(
    bot: &Bot,
    press: &ComponentInteraction,
    id: InteractionId,
    given: Arguments,
) -> Result {
    let mut draft = bot.ops.draft(id, UserId(press.user.id.get())).await?;
    let template = bot.ops.template(&draft.form.template)?.template;
    draft.form.given.extend(given);
    let asked: Vec<&Parameter> = template
        .body
        .parameters
        .iter()
        .filter(|parameter| draft.asked.contains(&parameter.name))
        .collect();
    let rendered = render::deploy::choices(&draft.form, &asked, id);
    bot.ops.remember_draft(id, draft);
    components::update(bot, press, &rendered).await?;
    Ok(bot.ops.keep_draft(id).await?)
}

/// The button below the selects.
pub async fn go(bot: &Bot, press: &ComponentInteraction, id: InteractionId) -> Result {
    let asker = Asker::from(press);
    let draft = bot.ops.draft(id, asker.caller.user).await?;
    let sight = bot.ops.sight(asker.caller.clone());
    let request = sight.request_deploy(&draft.form)?;
    reply::carry_out(bot, &asker, request, draft.reason).await
}

fn missing<'a>(
    template: &'a Template,
    given: &Arguments,
) -> (Vec<&'a Parameter>, Vec<&'a Parameter>) {
    template
        .missing(given)
        .into_iter()
        .partition(|parameter| !is_choice(parameter))
}

const fn is_choice(parameter: &Parameter) -> bool {
    matches!(
        parameter.kind,
        ParameterKind::Boolean | ParameterKind::Choice
    )
}

fn names(parameters: &[&Parameter]) -> Vec<String> {
    parameters
        .iter()
        .map(|parameter| parameter.name.clone())
        .collect()
}

fn refuse_too_many(asked: &[&Parameter], most: usize) -> Result {
    if asked.len() <= most {
        return Ok(());
    }
    let names: Vec<String> = asked
        .iter()
        .skip(most)
        .map(|parameter| format!("`{}=…`", parameter.name))
        .collect();
    Err(Answer::Invalid(format!(
        "Discord's form is too small for all of it. Give {} by `set:`.",
        names.join(" ")
    ))
    .into())
}
