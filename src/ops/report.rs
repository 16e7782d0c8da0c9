//! Reports: asked for like anything else, and worked out when they are sent.

use super::Ops;
use crate::{
    domain::{
        action::Action,
        event::Event,
        ids::ActionId,
        outbox::Subject,
        report::{Report, SPAN},
    },
    error::{Error, Result},
    store::outbox,
};

impl Ops {
    /// Has the report of the days before an action posted, in the ops channel or where it was asked for.
    pub(super) async fn post_report(&self, action: &Action) -> Result<Option<String>> {
        let asked_in = action.reply.as_ref().map(|reply| reply.channel);
        let Some(channel) = self.settings().discord.ops_channel.or(asked_in) else {
            return Err(Error::Invalid(
                "There is no channel to post it in. Set `discord.ops_channel`.".to_owned(),
            ));
        };
        let now = self.now();
        let mut tx = self.store.begin().await?;
        outbox::tell(&mut tx, (Subject::Report(action.id), channel), now).await?;
        tx.commit().await?;
        self.publish(Event::Outbox);
        Ok(Some(format!("It is posted in <#{channel}>.")))
    }

    /// The figures of the days before an action.
    pub async fn report_of(&self, id: ActionId) -> Result<Report> {
        let to = self.action(id).await?.created_at;
        Ok(self.store.report(to - SPAN, to).await?)
    }
}
