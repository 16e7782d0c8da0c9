//! The question before everything is stopped.

use serenity::all::ButtonStyle;

use super::{Rendered, button, row};
use crate::{
    discord::press::Press,
    domain::{agent::Name, freeze::Mode, ids::InteractionId},
};

/// What is to be frozen how, how many agents run there, and why nobody could end it, if so.
pub fn question(
    (fleet, mode, running): (Option<&Name>, Mode, usize),
    no_way_back: Option<&str>,
    id: InteractionId,
) -> Rendered {
    let whom = fleet.map_or_else(|| "everything".to_owned(), |fleet| format!("`{fleet}`"));
    let fate = match mode {
        Mode::Pause => "their processes will stand still",
        Mode::Cut => "they will run on and reach nobody",
    };
    let warning = no_way_back
        .map(|why| format!("\n⚠️ As things are, nobody could end it: {why}"))
        .unwrap_or_default();
    let content = format!(
        "❔ **freeze** {whom}? Of its agents {running} run: {fate}. Actions under way end, and none begins: no deployment, \
         start, schedule or healing, until `/unfreeze`. Chat stays alive.{warning}"
    );
    let freeze = button(Press::Freeze(id).to_string(), "Freeze", ButtonStyle::Danger);
    Rendered {
        content,
        rows: vec![row(vec![freeze])],
        ..Rendered::default()
    }
}
