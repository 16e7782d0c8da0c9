use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::problem::Problem;

/// The door for machines.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// Where `/metrics`, `/healthz` and `/readyz` are answered: one address and a port. Without it nobody listens.
    pub listen: Option<SocketAddr>,
}

impl Http {
    pub(super) fn problems(&self) -> Option<Problem> {
        // In a container we are in the network of every fleet: agents would be let in.
        let everywhere = self
            .listen
            .filter(|address| address.ip().is_unspecified())?;
        let message = format!("`{everywhere}` listens in the networks of all fleets too");
        let hint = "name one address, such as `127.0.0.1:9464`";
        Some(Problem::new("http.listen", message, hint))
    }
}
