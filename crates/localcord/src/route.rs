use axum::http::Method;

/// One call, as faults, rate limits and the checks against `OpenAPI` look at it.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) method: Method,
    /// As Discord's `OpenAPI` file writes it: `/channels/{channel_id}/messages`.
    pub(crate) template: String,
    /// As it was called, without `/api/v10`.
    pub(crate) path: String,
}

impl Route {
    /// The path up to and with its major parameter, which Discord counts separately: the channel, the guild,
    /// the webhook with its token, the interaction.
    pub(crate) fn major(&self) -> String {
        let keep = match self.segment(0) {
            "channels" | "guilds" => 2,
            "webhooks" | "interactions" => 3,
            _ => 0,
        };
        self.path
            .trim_matches('/')
            .split('/')
            .take(keep)
            .collect::<Vec<_>>()
            .join("/")
    }

    pub(crate) fn segment(&self, index: usize) -> &str {
        self.path
            .trim_matches('/')
            .split('/')
            .nth(index)
            .unwrap_or_default()
    }
}
