//! Reading the audit for people: only what they may see.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Ops;
use crate::{
    domain::{
        action::Kind,
        audit::{
            Entry, Origin, Record, What,
            search::{Page, Search, Sight},
        },
        grant::{Caller, Level, Need},
        ids::{InteractionId, UserId},
    },
    error::{Error, Result},
    store::audit,
};

/// Rows on one page.
const PAGE: u32 = 10;
/// Rows that the way of one agent is told from.
const WAY: i64 = 200;
/// Rows in one file for chat; `yardarm audit export` has no such bound.
const EXPORTED: i64 = 10_000;

/// What somebody searches for, kept as long as its pages can be turned.
#[derive(Serialize, Deserialize)]
struct Searched {
    by: UserId,
    search: Search,
}

impl Ops {
    /// An owner sees all, others what is about the fleets they see.
    fn sight_of_audit(&self, caller: &Caller) -> Sight {
        let owner = Need::everything(Level::Owner);
        if self.authorise(caller, &owner).is_ok() {
            return Sight::Everything;
        }
        let (rights, now) = (self.rights(), self.now());
        Sight::Fleets(self.roster.read(|board| {
            let seen = board
                .fleets()
                .filter(|fleet| rights.sees(caller, &fleet.name, now));
            seen.map(|fleet| fleet.id).collect()
        }))
    }

    /// The first page of what is searched for.
    pub async fn search_audit(
        &self,
        id: InteractionId,
        caller: &Caller,
        search: Search,
    ) -> Result<Page> {
        let head = self.store.ledger().head().await?;
        let search = Search {
            through: head.map(|head| head.number),
            ..search
        };
        let searched = Searched {
            by: caller.user,
            search,
        };
        let body = serde_json::to_string(&searched).map_err(anyhow::Error::new)?;
        self.store.put_draft(id, &body, self.now()).await?;
        self.found(id, caller, &searched.search, 0).await
    }

    /// Another page of it; rights are looked up anew.
    pub async fn turn_audit(&self, id: InteractionId, caller: &Caller, page: u32) -> Result<Page> {
        let lapsed = || Error::NotFound("This search has lapsed. Send `/audit` again.".to_owned());
        let body = self.store.draft(id).await?.ok_or_else(lapsed)?;
        let searched: Searched = serde_json::from_str(&body).map_err(|_| lapsed())?;
        if searched.by != caller.user {
            return Err(Error::Denied(format!(
                "This search is <@{}>'s. Send `/audit` for one of your own.",
                searched.by
            )));
        }
        self.found(id, caller, &searched.search, page).await
    }

    async fn found(
        &self,
        id: InteractionId,
        caller: &Caller,
        search: &Search,
        page: u32,
    ) -> Result<Page> {
        let (offset, most) = (i64::from(page) * i64::from(PAGE), i64::from(PAGE));
        let sight = self.sight_of_audit(caller);
        let ledger = self.store.ledger();
        let mut numbers = ledger.search(search, &sight, (offset, most + 1)).await?;
        let is_last = numbers.len() <= PAGE as usize;
        numbers.truncate(PAGE as usize);
        let mut records = ledger.numbered(&numbers).await?;
        records.reverse();
        Ok(Page {
            search: id,
            number: page,
            records,
            is_last,
        })
    }

    /// What is searched for, the oldest first, for owners; that they take it away is told.
    pub async fn export_audit(&self, caller: &Caller, search: &Search) -> Result<Vec<Record>> {
        self.authorise(caller, &Need::everything(Kind::AuditExport.level()))?;
        self.refuse_unless_allowed(Kind::AuditExport, caller)?;
        let ledger = self.store.ledger();
        let sight = Sight::Everything;
        let numbers = ledger.search(search, &sight, (0, EXPORTED)).await?;
        let entry = Entry {
            actor: Some(caller.user),
            kind: Some(Kind::AuditExport),
            details: json!({ "rows": numbers.len(), "search": search }),
            ..Entry::new(What::Exported, Origin::CHAT)
        };
        let mut tx = self.store.begin().await?;
        audit::append(&mut tx, &entry, self.now()).await?;
        tx.commit().await?;
        Ok(ledger.numbered(&numbers).await?)
    }

    /// How an agent came to its present state, the oldest first.
    pub async fn way_of(
        &self,
        agent: crate::domain::ids::AgentId,
        caller: &Caller,
    ) -> Result<Vec<Record>> {
        let sight = self.sight_of_audit(caller);
        Ok(self.store.ledger().of_agent(agent, &sight, WAY).await?)
    }
}
