use super::{Localcord, Reply};
use crate::ids::Id;

/// An interaction that no client would have sent, before anybody answers it.
#[derive(Clone, Debug)]
#[must_use = "nobody waits for its answer before `answered`"]
pub struct Forged {
    cord: Localcord,
    id: Id,
}

impl Forged {
    pub(super) const fn new(cord: Localcord, id: Id) -> Self {
        Self { cord, id }
    }

    /// Where its first answer goes, below `/api/v10`.
    pub fn callback(&self) -> String {
        let token = self.cord.discord().read(|state| {
            let interaction = state.interactions.get(&self.id);
            interaction.map(|interaction| interaction.token.clone())
        });
        let token = token.unwrap_or_default();
        format!("/interactions/{}/{token}/callback", self.id)
    }

    /// Waits for the bot's first answer, or for the moment when it is too late.
    pub async fn answered(self) -> Reply {
        Reply::receive(self.cord, self.id).await
    }
}
