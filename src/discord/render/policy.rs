//! Which rule would decide.

use super::{CONTENT_MAX, Rendered, text::clip};
use crate::domain::policy::Explanation;

pub fn explanation(explanation: &Explanation) -> Rendered {
    let lines = explanation.to_string().replace('`', "'");
    // The decision is the last line: what does not fit is left out before it.
    let (way, decision) = lines.rsplit_once('\n').unwrap_or(("", &lines));
    let decision = clip(decision, 400);
    let way = clip(way, CONTENT_MAX - 500);
    Rendered::text(format!("```\n{way}\n{decision}\n```"))
}
