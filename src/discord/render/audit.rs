//! The audit, for people: rows, the way of an agent, and what is noted down once a day.

use chrono::NaiveDate;

use crate::domain::audit::chain::Anchor;

/// One line and a hint; the whole of it stands in the channel's history, out of the database's reach.
pub fn anchor(day: NaiveDate, anchor: &Anchor) -> String {
    format!(
        "⚓ The audit on {day}: `{anchor}`\nWhether it was rewritten up to there: `yardarm audit verify --anchor {anchor}`"
    )
}
