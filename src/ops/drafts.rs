//! Forms that people are filling in. Memory answers at once; the database remembers them over a restart.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use chrono::Duration;
use serde::{Deserialize, Serialize};

use super::Ops;
use crate::{
    domain::{
        ids::{InteractionId, UserId},
        template::DeployForm,
    },
    error::{Error, Result},
};

/// Forms in memory; older ones are read from the database.
const IN_MEMORY: usize = 256;
/// Discord forgets a form's message no later than its token.
const KEPT_FOR: Duration = Duration::minutes(15);

/// A deployment that still lacks something.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Draft {
    pub form: DeployForm,
    pub reason: Option<String>,
    pub author: UserId,
    /// The parameters whose choices stand in its selects.
    pub asked: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct Drafts(Mutex<BTreeMap<InteractionId, Draft>>);

impl Ops {
    /// Remembers a form at once; [`Self::keep_draft`] makes that last.
    pub fn remember_draft(&self, id: InteractionId, draft: Draft) {
        let mut drafts = self.drafts.0.lock().unwrap_or_else(PoisonError::into_inner);
        drafts.insert(id, draft);
        if drafts.len() > IN_MEMORY {
            // Interaction ids grow with time.
            drafts.pop_first();
        }
    }

    /// To be called once the person was answered.
    pub async fn keep_draft(&self, id: InteractionId) -> Result<()> {
        let Some(draft) = self.draft_in_memory(id) else {
            return Ok(());
        };
        let body = serde_json::to_string(&draft).map_err(anyhow::Error::new)?;
        Ok(self.store.put_draft(id, &body, self.now()).await?)
    }

    /// The form as it stands; only its author may go on with it.
    pub async fn draft(&self, id: InteractionId, by: UserId) -> Result<Draft> {
        let draft = match self.draft_in_memory(id) {
            Some(draft) => draft,
            None => self.draft_in_store(id).await?,
        };
        if draft.author == by {
            Ok(draft)
        } else {
            Err(Error::Denied(format!(
                "This form is <@{}>'s. Send `/deploy` for one of your own.",
                draft.author
            )))
        }
    }

    fn draft_in_memory(&self, id: InteractionId) -> Option<Draft> {
        self.drafts
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&id)
            .cloned()
    }

    async fn draft_in_store(&self, id: InteractionId) -> Result<Draft> {
        let lapsed = || Error::NotFound("This form has lapsed. Send `/deploy` again.".to_owned());
        let body = self.store.draft(id).await?.ok_or_else(lapsed)?;
        Ok(serde_json::from_str(&body).map_err(anyhow::Error::new)?)
    }

    /// Forgets forms nobody can go on with.
    pub async fn drop_old_drafts(&self) -> Result<()> {
        Ok(self.store.drop_drafts(self.now() - KEPT_FOR).await?)
    }
}
