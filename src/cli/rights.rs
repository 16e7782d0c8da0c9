//! What `check` and `doctor` say of who may do what.

use chrono::{DateTime, Utc};

use crate::{
    config::Settings,
    domain::{
        finding::{Finding, Topic},
        quorum,
    },
    ops::access::Known,
    store::OpenError,
};

const TOPIC: Topic = Topic::Access;

/// Whether somebody decides, and whether what the rules ask can be answered; with what is known of rights. Where a
/// database is there and cannot be read, that is all there is to say.
pub async fn examine(settings: &Settings, now: DateTime<Utc>) -> (Known, Vec<Finding>) {
    let known = match Known::look_up(settings).await {
        Ok(known) => known,
        Err(error) => return (Known::of_settings(settings), vec![unread(&error)]),
    };
    let owned = if known.rights.has_owner(now) {
        Finding::ok(TOPIC, "somebody owns everything")
    } else {
        Finding::warn(
            TOPIC,
            "nobody is an owner",
            "run `yardarm claim`, then type `/claim` in the server; or name somebody in `access.owners`",
        )
    };
    let unmet = quorum::unmet(&settings.policies, &known.fleets, (&known.rights, now));
    let unmet = unmet.iter().map(quorum::Unmet::finding);
    let findings = std::iter::once(owned).chain(unmet).collect();
    (known, findings)
}

fn unread(error: &OpenError) -> Finding {
    let why = error.to_string();
    let why = why.lines().next().unwrap_or_default();
    Finding::warn(
        TOPIC,
        format!("what was granted in chat cannot be read: {why}"),
        "a database of an older version is brought up to date by `yardarm up`; a broken one comes from a backup",
    )
}
