//! Who may do what, in memory: built from the settings and the database, and built anew when either changes.

use std::sync::{Arc, PoisonError};

use super::Ops;
use crate::{
    config::Settings,
    domain::grant::{Caller, Forbidden, Level, Need, Rights},
    error::{Error, Result},
};

impl Ops {
    /// Everybody's rights as they are now.
    pub fn rights(&self) -> Arc<Rights> {
        Arc::clone(&self.rights.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The one question for commands, buttons, selects, modals and autocomplete; answered from memory.
    pub fn authorise(&self, caller: &Caller, need: &Need) -> Result<Level> {
        Ok(self.rights().authorise(caller, need, self.now())?)
    }

    /// Takes over what the settings and the database say.
    pub fn refresh_rights(&self) {
        let rights = of_files(&self.settings());
        *self.rights.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rights);
    }
}

/// What the settings say.
pub(super) fn of_files(settings: &Settings) -> Rights {
    let access = &settings.access;
    let files = (access.grants.clone(), access.teams.clone());
    Rights::new(settings.discord.guild, files, (Vec::new(), Vec::new()))
}

impl From<Forbidden> for Error {
    fn from(forbidden: Forbidden) -> Self {
        Self::Denied(forbidden.to_string())
    }
}
