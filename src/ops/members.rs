//! Who somebody is in the guild now: asked when it counts, never remembered.

use async_trait::async_trait;

use crate::domain::{grant::Caller, ids::UserId};

#[async_trait]
pub trait Members: Send + Sync {
    /// The member with their roles as Discord has them now; None if they are not in the guild any more. An error
    /// says why Discord did not tell.
    async fn member(&self, user: UserId) -> Result<Option<Caller>, String>;
}
