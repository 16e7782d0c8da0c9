//! The first owner: a code that is printed on the host and typed in the served guild.

use chrono::{DateTime, TimeDelta, Utc};
use rand::RngCore as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{Ops, access};
use crate::{
    config::Settings,
    domain::{
        audit::{self, Entry, What},
        grant::{Caller, Grant, Holder, Level, Scope, Source},
        pattern::Pattern,
    },
    error::{Error, Result},
    store::{self, Store, Tx, grants},
};

/// How long a code is good.
pub const CODE_FOR: TimeDelta = TimeDelta::minutes(10);
/// Wrong codes of one person, and of all together, before the code is void. Of 2^128 they find none.
const OWN_FAILURES: i64 = 5;
const ALL_FAILURES: i64 = 20;
const CODE_BYTES: usize = 16;

/// A new code for the first owner, printed once and kept as its digest. Refused while there is an owner. It may be
/// made beside a running Yardarm: that one keeps nothing of it in memory.
pub async fn make_code(store: &Store, settings: &Settings, now: DateTime<Utc>) -> Result<String> {
    let mut tx = store.begin().await?;
    if access::of(settings, grants::access(&mut tx).await?).has_owner(now) {
        return Err(Error::Denied(
            "there is an owner already\nhint: they grant others by `/grant add`; if they are lost, use `yardarm grant \
             add --user ID --level owner --fleet '*'`"
                .to_owned(),
        ));
    }
    let mut bytes = [0_u8; CODE_BYTES];
    rand::rng().fill_bytes(&mut bytes);
    let code = hex::encode(bytes);
    grants::put_code(&mut tx, &digest(&code), now + CODE_FOR).await?;
    let entry = Entry::new(What::ClaimCode, audit::Origin::HOST);
    store::audit::append(&mut tx, &entry, now).await?;
    tx.commit().await?;
    let groups: Vec<String> = code
        .as_bytes()
        .chunks(4)
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect();
    Ok(groups.join("-"))
}

impl Ops {
    /// Whether `/claim` makes sense for this caller: at home, a person, and no owner yet.
    pub fn may_claim(&self, caller: &Caller) -> Result<()> {
        let (rights, now) = (self.rights(), self.now());
        rights.greet(caller)?;
        if rights.has_owner(now) {
            let holders = rights.holders(Level::Owner, &Scope::Everything, now);
            let told: Vec<String> = holders.iter().take(5).map(Holder::to_string).collect();
            return Err(Error::Denied(format!(
                "There is an owner already: {}. They can grant you something: `/grant add`.",
                told.join(", ")
            )));
        }
        Ok(())
    }

    /// Makes the caller the first owner, if the code is right.
    pub async fn claim(&self, caller: &Caller, typed: &str) -> Result<Grant> {
        self.may_claim(caller)?;
        let now = self.now();
        let mut tx = self.store.begin().await?;
        // Also what a neighbour on the host has written since.
        if self.rights_in(&mut tx).await?.has_owner(now) {
            grants::void_code(&mut tx).await?;
            tx.commit().await?;
            self.refresh_rights().await?;
            return self.may_claim(caller).and(Err(too_late()));
        }
        let code = grants::code(&mut tx).await?;
        let Some((wanted, _)) = code.filter(|(_, expires)| now < *expires) else {
            return Err(too_late());
        };
        let (own, _) = grants::failures(&mut tx, caller.user).await?;
        if own >= OWN_FAILURES {
            return Err(Error::Denied(
                "You have tried too often with this code. Run `yardarm claim` on the host again."
                    .to_owned(),
            ));
        }
        if !bool::from(digest(typed).ct_eq(&wanted)) {
            return self.claim_failed(tx, caller, now).await;
        }
        let grant = Grant {
            id: None,
            holder: Holder::User(caller.user),
            level: Level::Owner,
            fleets: Pattern::everything(),
            until: None,
            source: Source::Claim,
            granted_by: None,
            created_at: None,
        };
        grants::insert(&mut tx, &grant, now).await?;
        grants::void_code(&mut tx).await?;
        let entry = Entry {
            actor: Some(caller.user),
            text: Some(grant.to_string()),
            details: json!({ "grant": grant }),
            ..Entry::new(What::Claimed, audit::Origin::CHAT)
        };
        store::audit::append(&mut tx, &entry, now).await?;
        tx.commit().await?;
        self.refresh_rights().await?;
        Ok(grant)
    }

    async fn claim_failed(&self, mut tx: Tx, caller: &Caller, now: DateTime<Utc>) -> Result<Grant> {
        grants::note_failure(&mut tx, caller.user).await?;
        let (own, all) = grants::failures(&mut tx, caller.user).await?;
        if all >= ALL_FAILURES {
            grants::void_code(&mut tx).await?;
        }
        let entry = Entry {
            actor: Some(caller.user),
            details: json!({ "failures": own, "of_all": all }),
            ..Entry::new(What::ClaimFailed, audit::Origin::CHAT)
        };
        store::audit::append(&mut tx, &entry, now).await?;
        tx.commit().await?;
        Err(Error::Denied(if all >= ALL_FAILURES {
            "That is not the code, and it is void now: too many wrong ones. Run `yardarm claim` on the host again."
                .to_owned()
        } else {
            format!(
                "That is not the code. You can try {} more times.",
                (OWN_FAILURES - own).max(0)
            )
        }))
    }
}

fn too_late() -> Error {
    Error::Denied(
        "There is no code to claim with: it was used, or ten minutes have passed. Run `yardarm claim` on the host."
            .to_owned(),
    )
}

/// Of the code without what people put between its digits.
fn digest(code: &str) -> [u8; 32] {
    let digits = code.chars().filter(char::is_ascii_alphanumeric);
    let digits: String = digits.map(|c| c.to_ascii_lowercase()).collect();
    Sha256::digest(digits.as_bytes()).into()
}
