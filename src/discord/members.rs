//! Members of the guild, as Discord has them now.

use std::sync::Arc;

use async_trait::async_trait;
use serenity::http::{Http, HttpError};

use crate::{
    domain::{
        grant::Caller,
        ids::{GuildId, RoleId, UserId},
    },
    ops::members::Members,
};

/// Discord's codes: nobody of that id is in the guild, or anywhere.
const UNKNOWN_MEMBER: isize = 10007;
const UNKNOWN_USER: isize = 10013;

/// The guild that is served, asked over REST: its events would need a privileged intent.
pub struct Guild {
    http: Arc<Http>,
    id: GuildId,
}

impl Guild {
    pub const fn new(http: Arc<Http>, id: GuildId) -> Self {
        Self { http, id }
    }
}

#[async_trait]
impl Members for Guild {
    async fn member(&self, user: UserId) -> Result<Option<Caller>, String> {
        match self.http.get_member(self.id.0.into(), user.0.into()).await {
            Ok(member) => Ok(Some(Caller {
                user,
                bot: member.user.bot,
                guild: Some(self.id),
                roles: member.roles.iter().map(|role| RoleId(role.get())).collect(),
            })),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn is_gone(error: &serenity::Error) -> bool {
    matches!(error, serenity::Error::Http(HttpError::UnsuccessfulRequest(response))
        if [UNKNOWN_MEMBER, UNKNOWN_USER].contains(&response.error.code))
}
