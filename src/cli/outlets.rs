//! What `check` and `doctor` say of secrets that targets and `[ping]` take from the vault.

use crate::{
    config::Settings,
    domain::finding::{Finding, Topic},
    ops::access::Known,
};

/// Those that are not set. Where the database cannot be read, nothing is said: that is told by itself.
pub fn examine(settings: &Settings, known: &Known) -> Vec<Finding> {
    let Some(set) = &known.secrets else {
        return Vec::new();
    };
    let wanted = settings.outlet_secrets().into_iter();
    let unset = wanted.filter(|(secret, _)| !set.contains(secret));
    unset
        .map(|(secret, user)| {
            Finding::warn(
                Topic::Outlet,
                format!(
                    "the secret `{secret}` is not set for all: nothing is sent there until it is"
                ),
                format!("type `/secret set name:{secret} all:True` in the server"),
            )
            .about(user)
        })
        .collect()
}
