//! The questions of a deployment.

use serenity::all::{
    ButtonStyle, CreateActionRow, CreateInputText, CreateModal, CreateSelectMenu,
    CreateSelectMenuKind, CreateSelectMenuOption, InputTextStyle,
};

use super::{Rendered, button, row, text::clip};
use crate::{
    discord::press::Press,
    domain::{
        ids::InteractionId,
        template::{ARGUMENT_MAX, DeployForm, Parameter, ParameterKind},
    },
};

/// Discord's limits for a modal's title and an input's label.
const TITLE_MAX: usize = 45;
/// Discord's limit for a placeholder of an input and of a select.
const PLACEHOLDER_MAX: usize = 100;

pub fn modal(form: &DeployForm, texts: &[&Parameter], draft: InteractionId) -> CreateModal {
    let rows = texts
        .iter()
        .map(|parameter| CreateActionRow::InputText(input(parameter)))
        .collect();
    let title = clip(
        &format!("Deploy {} from {}", form.name, form.template),
        TITLE_MAX,
    );
    CreateModal::new(Press::Form(draft).to_string(), title).components(rows)
}

fn input(parameter: &Parameter) -> CreateInputText {
    let long = parameter.kind == ParameterKind::String;
    let style = if long {
        InputTextStyle::Paragraph
    } else {
        InputTextStyle::Short
    };
    let most = u16::try_from(ARGUMENT_MAX).unwrap_or(u16::MAX);
    CreateInputText::new(style, clip(&parameter.name, TITLE_MAX), &parameter.name)
        .placeholder(clip(&parameter.description, PLACEHOLDER_MAX))
        .max_length(if long { most } else { 20 })
        .required(true)
}

/// One select per choice, and a button that waits until all are made.
pub fn choices(form: &DeployForm, asked: &[&Parameter], draft: InteractionId) -> Rendered {
    let open = asked
        .iter()
        .any(|parameter| !form.given.contains_key(&parameter.name));
    let mut rows: Vec<CreateActionRow> = asked
        .iter()
        .map(|parameter| select(form, parameter, draft))
        .collect();
    let go = button(
        Press::Deploy(draft).to_string(),
        "Deploy",
        ButtonStyle::Primary,
    )
    .disabled(open);
    rows.push(row(vec![go]));
    Rendered {
        content: format!(
            "Deploy `{}` from `{}`: what it still needs.",
            form.name, form.template
        ),
        rows,
        ..Rendered::default()
    }
}

fn select(form: &DeployForm, parameter: &Parameter, draft: InteractionId) -> CreateActionRow {
    let chosen = form.given.get(&parameter.name);
    let values = match parameter.kind {
        ParameterKind::Boolean => vec!["true".to_owned(), "false".to_owned()],
        _ => parameter.choices.clone(),
    };
    let option = |value: String| {
        CreateSelectMenuOption::new(&value, &value).default_selection(chosen == Some(&value))
    };
    let options = values.into_iter().map(option).collect();
    let id = Press::Choose(draft, parameter.name.clone()).to_string();
    let hint = format!("{}: {}", parameter.name, parameter.description);
    let menu = CreateSelectMenu::new(id, CreateSelectMenuKind::String { options });
    CreateActionRow::SelectMenu(menu.placeholder(clip(&hint, PLACEHOLDER_MAX)))
}
