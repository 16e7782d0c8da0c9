use super::Ops;
use std::sync::Arc;
use crate::domain::grant::*;
use crate::domain::policy::*;
impl Ops {
    pub fn rights(&self) -> Arc<Rights> {
        let settings = self.settings();
        let grants = settings.access.owners.iter().map(|user| Grant { id: None, holder: Holder::User(*user), level: Level::Owner, fleets: crate::domain::pattern::Pattern::everything(), until: None, source: Source::File, granted_by: None, created_at: None }).collect();
        Arc::new(Rights::new(settings.discord.guild, (grants, vec![]), (vec![], vec![])))
    }
    pub fn policies(&self) -> Arc<Vec<Policy>> { Arc::new(Preset::Solo.policies()) }
}
