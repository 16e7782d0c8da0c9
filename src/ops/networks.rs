//! Networks of fleets, and ourselves in them: if Yardarm runs in a container, that container joins them, because only there
//! are agents reached by their addresses. Whatever it listens on is reached by agents as well then, so nothing of ours may
//! listen on all addresses.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::OnceCell;

use super::Ops;
use crate::{
    domain::ids::ContainerId,
    engine::{self, EngineError, NetworkSpec},
    error::{Error, Result},
};

/// The container that we run in.
#[derive(Debug, Default)]
pub(super) struct Own {
    container: OnceCell<Option<ContainerId>>,
    /// That it could not join was told already.
    told: AtomicBool,
}

impl Ops {
    /// Asked once the engine answers: it does not change while we run.
    async fn own_container(&self) -> engine::Result<Option<&ContainerId>> {
        let own = self
            .own
            .container
            .get_or_try_init(|| self.engine.own_container());
        Ok(own.await?.as_ref())
    }

    /// An agent can be stopped, frozen and removed from chat: we would end with it, and nobody could start us again.
    pub(super) async fn refuse_ourselves(&self, container: &ContainerId) -> Result<()> {
        if self.own_container().await? != Some(container) {
            return Ok(());
        }
        Err(Error::Invalid(
            "Yardarm itself runs in that container: stopped as an agent, it would take the chat along. Look after it on the host."
                .to_owned(),
        ))
    }

    /// Makes a network unless it is there, with us in it.
    pub(super) async fn ensure_network(&self, network: &NetworkSpec) -> Result<()> {
        match self.engine.ensure_network(network).await {
            Err(EngineError::Conflict(why)) => return Err(not_ours(network, &why)),
            made => made?,
        }
        let joined = self.join(std::slice::from_ref(&network.name)).await;
        self.note_joining(joined);
        Ok(())
    }

    /// Joins all networks of this instance that are there.
    pub(super) async fn join_networks(&self) {
        let joined = async {
            if self.own_container().await?.is_none() {
                return Ok(());
            }
            self.join(&self.engine.networks(&self.instance).await?)
                .await
        };
        self.note_joining(joined.await);
    }

    async fn join(&self, networks: &[String]) -> engine::Result<()> {
        let Some(own) = self.own_container().await? else {
            return Ok(());
        };
        // Its id is a name that no agent has.
        let alias: String = own.as_str().chars().take(12).collect();
        for network in networks {
            gone_is_fine(self.engine.connect(own, network, &alias).await)?;
        }
        Ok(())
    }

    /// Agents work all the same: whoever asks them says what it cannot reach.
    fn note_joining(&self, joined: engine::Result<()>) {
        match joined {
            Ok(()) => self.own.told.store(false, Ordering::Relaxed),
            Err(error) => {
                if !self.own.told.swap(true, Ordering::Relaxed) {
                    tracing::warn!(error = %error, "Yardarm's container could not join the networks of fleets; this is told once");
                }
            }
        }
    }

    /// Removes a network, which nobody may be in.
    pub(super) async fn remove_network(&self, network: &str) -> engine::Result<()> {
        if let Some(own) = self.own_container().await? {
            gone_is_fine(self.engine.disconnect(own, network).await)?;
        }
        self.engine.remove_network(network).await
    }

    /// At the end: Docker does not start a container again of which a network was removed meanwhile.
    pub async fn leave_networks(&self) {
        let left = async {
            let Some(own) = self.own_container().await? else {
                return Ok(());
            };
            for network in self.engine.networks(&self.instance).await? {
                gone_is_fine(self.engine.disconnect(own, &network).await)?;
            }
            Ok::<(), EngineError>(())
        };
        if let Err(error) = left.await {
            tracing::warn!(error = %error, "Yardarm's container could not leave the networks of fleets");
        }
    }
}

/// One of this name is there. An engine may serve others of us, or one before whose database was lost.
fn not_ours(network: &NetworkSpec, why: &str) -> Error {
    Error::Invalid(format!(
        "Docker will not have it: {why}. If it is another Yardarm's, give this one a `docker.name_prefix` of its own; if it is left from one before, `docker network rm {}` on the host.",
        network.name
    ))
}

fn gone_is_fine(answer: engine::Result<()>) -> engine::Result<()> {
    match answer {
        Err(EngineError::NotFound(_) | EngineError::Conflict(_)) => Ok(()),
        answer => answer,
    }
}
