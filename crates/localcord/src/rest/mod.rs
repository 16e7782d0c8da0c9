//! REST, version 10: what a bot calls.

mod applications;
mod callback;
mod channels;
mod compose;
mod failure;
mod guard;
mod guilds;
mod messages;
mod payload;
mod threads;
mod webhooks;
mod witness;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{OriginalUri, Request, State},
    middleware,
    response::IntoResponse,
    routing::{get, post, put},
};
use serde_json::Value;

pub(crate) use self::{
    compose::attached,
    failure::{Failure, Form},
    guard::Cut,
    payload::{Payload, Upload},
};
use crate::discord::Discord;

pub(crate) const PREFIX: &str = "/api/v10";

type Answer = Result<Json<Value>, Failure>;
type Shared = State<Arc<Discord>>;

/// What is served over TLS.
pub(crate) fn router(discord: Arc<Discord>) -> Router {
    Router::new()
        .nest(PREFIX, routes(&discord))
        .fallback(unknown)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&discord),
            witness::witness,
        ))
        .with_state(discord)
}

/// The same below [`PREFIX`] for a server that serves other things too.
pub(crate) fn below_prefix(discord: &Arc<Discord>) -> Router<Arc<Discord>> {
    routes(discord).layer(middleware::from_fn_with_state(
        Arc::clone(discord),
        witness::witness,
    ))
}

/// The routes, written as in Discord's `OpenAPI` file, by which they are checked.
fn routes(discord: &Arc<Discord>) -> Router<Arc<Discord>> {
    Router::new()
        .merge(about_the_bot())
        .merge(guild_routes())
        .merge(channel_routes())
        .merge(thread_routes())
        .merge(interaction_routes())
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .route_layer(middleware::from_fn_with_state(
            Arc::clone(discord),
            guard::guard,
        ))
}

fn about_the_bot() -> Router<Arc<Discord>> {
    use applications as on;
    Router::new()
        .route("/gateway", get(on::gateway))
        .route("/gateway/bot", get(on::gateway_bot))
        .route("/users/@me", get(on::current_user))
        .route("/users/@me/guilds", get(on::current_guilds))
        .route("/users/@me/channels", post(channels::open_direct))
        .route("/users/{user_id}", get(on::user))
        .route("/applications/@me", get(on::application))
        .route("/oauth2/applications/@me", get(on::application))
        .route(
            "/applications/{application_id}/commands",
            get(on::list_global)
                .put(on::replace_global)
                .post(on::create_global),
        )
        .route(
            "/applications/{application_id}/commands/{command_id}",
            get(on::read_global)
                .patch(on::edit_global)
                .delete(on::delete_global),
        )
        .route(
            "/applications/{application_id}/guilds/{guild_id}/commands",
            get(on::list_guild)
                .put(on::replace_guild)
                .post(on::create_guild),
        )
        .route(
            "/applications/{application_id}/guilds/{guild_id}/commands/{command_id}",
            get(on::read_guild)
                .patch(on::edit_guild)
                .delete(on::delete_guild),
        )
}

fn guild_routes() -> Router<Arc<Discord>> {
    Router::new()
        .route("/guilds/{guild_id}", get(guilds::read))
        .route("/guilds/{guild_id}/channels", get(guilds::channels))
        .route("/guilds/{guild_id}/roles", get(guilds::roles))
        .route("/guilds/{guild_id}/members/{user_id}", get(guilds::member))
}

fn channel_routes() -> Router<Arc<Discord>> {
    Router::new()
        .route(
            "/channels/{channel_id}",
            get(channels::read)
                .patch(channels::edit)
                .delete(channels::delete),
        )
        .route("/channels/{channel_id}/typing", post(channels::typing))
        .route(
            "/channels/{channel_id}/messages",
            get(messages::history).post(messages::create),
        )
        .route(
            "/channels/{channel_id}/messages/{message_id}",
            get(messages::read)
                .patch(messages::edit)
                .delete(messages::delete),
        )
}

fn thread_routes() -> Router<Arc<Discord>> {
    Router::new()
        .route("/guilds/{guild_id}/threads/active", get(threads::active))
        .route("/channels/{channel_id}/threads", post(threads::start))
        .route(
            "/channels/{channel_id}/messages/{message_id}/threads",
            post(threads::start_from_message),
        )
        .route(
            "/channels/{channel_id}/threads/archived/public",
            get(threads::archived_public),
        )
        .route(
            "/channels/{channel_id}/threads/archived/private",
            get(threads::archived_private),
        )
        .route(
            "/channels/{channel_id}/thread-members",
            get(threads::members),
        )
        .route(
            "/channels/{channel_id}/thread-members/@me",
            put(threads::join).delete(threads::leave),
        )
        .route(
            "/channels/{channel_id}/thread-members/{user_id}",
            get(threads::member)
                .put(threads::add_member)
                .delete(threads::remove_member),
        )
}

fn interaction_routes() -> Router<Arc<Discord>> {
    Router::new()
        .route(
            "/interactions/{interaction_id}/{interaction_token}/callback",
            post(callback::answer),
        )
        .route(
            "/webhooks/{webhook_id}/{webhook_token}",
            post(webhooks::follow_up),
        )
        .route(
            "/webhooks/{webhook_id}/{webhook_token}/messages/@original",
            get(webhooks::read_original)
                .patch(webhooks::edit_original)
                .delete(webhooks::delete_original),
        )
        .route(
            "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}",
            get(webhooks::read)
                .patch(webhooks::edit)
                .delete(webhooks::delete),
        )
}

/// A route that localcord does not have: recorded by name, so that a test fails by it.
async fn unknown(State(discord): Shared, uri: OriginalUri, request: Request) -> impl IntoResponse {
    discord
        .record
        .unknown_route(format!("{} {}", request.method(), uri.path()));
    Failure::NOT_FOUND
}
