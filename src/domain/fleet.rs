//! A named group of agents: one private network, one ops channel, deployed and stopped together.

use chrono::{DateTime, Utc};

use super::{
    agent::Name,
    ids::{ChannelId, FleetId},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fleet {
    pub id: FleetId,
    pub name: Name,
    /// Where its people are told; None means `discord.ops_channel`.
    pub channel: Option<ChannelId>,
    pub created_at: DateTime<Utc>,
}
