//! Discord's refusals: status, code, message, and for forms the nested `errors`.

use std::borrow::Cow;

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use serde_json::{Map, Value, json};

#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    code: u32,
    message: Cow<'static, str>,
    errors: Option<Value>,
    /// In seconds, for who asks too often.
    retry_after: Option<f64>,
}

impl Failure {
    /// More edits of messages older than an hour than Discord allows.
    pub(crate) fn too_many_old_edits(wait: TimeDelta) -> Self {
        Self {
            retry_after: Some(wait.to_std().unwrap_or_default().as_secs_f64()),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                30_046,
                "Maximum number of edits to messages older than 1 hour reached. Try again later.",
            )
        }
    }

    /// More application commands than a scope may have.
    pub(crate) fn too_many_commands(max: usize) -> Self {
        let message = format!("Maximum number of application commands reached ({max})");
        Self {
            message: message.into(),
            ..Self::new(StatusCode::BAD_REQUEST, 30_032, "")
        }
    }

    const fn new(status: StatusCode, code: u32, message: &'static str) -> Self {
        Self {
            status,
            code,
            message: Cow::Borrowed(message),
            errors: None,
            retry_after: None,
        }
    }

    pub(crate) const UNAUTHORIZED: Self =
        Self::new(StatusCode::UNAUTHORIZED, 0, "401: Unauthorized");
    pub(crate) const NOT_FOUND: Self = Self::new(StatusCode::NOT_FOUND, 0, "404: Not Found");
    pub(crate) const TIMED_OUT: Self =
        Self::new(StatusCode::REQUEST_TIMEOUT, 0, "408: Request Timeout");
    pub(crate) const TOO_LARGE: Self = Self::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        40_005,
        "Request entity too large",
    );
    pub(crate) const UNKNOWN_APPLICATION: Self =
        Self::new(StatusCode::NOT_FOUND, 10_002, "Unknown Application");
    pub(crate) const UNKNOWN_CHANNEL: Self =
        Self::new(StatusCode::NOT_FOUND, 10_003, "Unknown Channel");
    pub(crate) const UNKNOWN_GUILD: Self =
        Self::new(StatusCode::NOT_FOUND, 10_004, "Unknown Guild");
    pub(crate) const UNKNOWN_MEMBER: Self =
        Self::new(StatusCode::NOT_FOUND, 10_007, "Unknown Member");
    pub(crate) const UNKNOWN_MESSAGE: Self =
        Self::new(StatusCode::NOT_FOUND, 10_008, "Unknown Message");
    pub(crate) const UNKNOWN_USER: Self = Self::new(StatusCode::NOT_FOUND, 10_013, "Unknown User");
    pub(crate) const UNKNOWN_WEBHOOK: Self =
        Self::new(StatusCode::NOT_FOUND, 10_015, "Unknown Webhook");
    pub(crate) const UNKNOWN_INTERACTION: Self =
        Self::new(StatusCode::NOT_FOUND, 10_062, "Unknown interaction");
    pub(crate) const UNKNOWN_COMMAND: Self =
        Self::new(StatusCode::NOT_FOUND, 10_063, "Unknown application command");
    pub(crate) const ALREADY_ACKNOWLEDGED: Self = Self::new(
        StatusCode::BAD_REQUEST,
        40_060,
        "Interaction has already been acknowledged.",
    );
    pub(crate) const MISSING_ACCESS: Self =
        Self::new(StatusCode::FORBIDDEN, 50_001, "Missing Access");
    pub(crate) const NOT_THE_AUTHOR: Self = Self::new(
        StatusCode::FORBIDDEN,
        50_005,
        "Cannot edit a message authored by another user",
    );
    pub(crate) const EMPTY_MESSAGE: Self = Self::new(
        StatusCode::BAD_REQUEST,
        50_006,
        "Cannot send an empty message",
    );
    pub(crate) const MISSING_PERMISSIONS: Self =
        Self::new(StatusCode::FORBIDDEN, 50_013, "Missing Permissions");
    pub(crate) const CHANNEL_TYPE: Self = Self::new(
        StatusCode::BAD_REQUEST,
        50_024,
        "Cannot execute action on this channel type",
    );
    pub(crate) const ARCHIVED: Self =
        Self::new(StatusCode::BAD_REQUEST, 50_083, "Thread is archived");
    pub(crate) const HAS_THREAD: Self = Self::new(
        StatusCode::BAD_REQUEST,
        160_004,
        "A thread has already been created for this message",
    );
    pub(crate) const LOCKED: Self = Self::new(StatusCode::BAD_REQUEST, 160_005, "Thread is locked");
    pub(crate) const INVALID_WEBHOOK_TOKEN: Self =
        Self::new(StatusCode::UNAUTHORIZED, 50_027, "Invalid Webhook Token");
    pub(crate) const UNREADABLE_REPLY: Self = Self::new(
        StatusCode::BAD_REQUEST,
        160_002,
        "Cannot reply without permission to read message history",
    );
    pub(crate) const INVALID_JSON: Self = Self::new(
        StatusCode::BAD_REQUEST,
        50_109,
        "The request body contains invalid JSON.",
    );
}

impl Failure {
    /// The failure of a list of one, told as the failure of the one.
    pub(crate) fn of_only_item(mut self) -> Self {
        if let Some(errors) = self.errors.as_mut().and_then(|errors| errors.get_mut("0")) {
            self.errors = Some(errors.take());
        }
        self
    }
}

impl Failure {
    /// The failure of what stands in a part of the body.
    pub(crate) fn inside(mut self, part: &str) -> Self {
        self.errors = self.errors.map(|errors| json!({ part: errors }));
        self
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut body = json!({ "code": self.code, "message": self.message });
        if let Some(errors) = self.errors {
            body["errors"] = errors;
        }
        if let Some(wait) = self.retry_after {
            body["retry_after"] = json!(wait);
            body["global"] = json!(false);
            let headers = [(header::RETRY_AFTER, format!("{wait:.3}"))];
            return (self.status, headers, Json(body)).into_response();
        }
        (self.status, Json(body)).into_response()
    }
}

/// Collects what is wrong with a body, each by its path, for one "Invalid Form Body".
#[derive(Debug, Default)]
pub(crate) struct Form {
    errors: Map<String, Value>,
}

impl Form {
    /// `path` is dotted: `embeds.0.title`. A place holds its own errors or those of its parts, whichever came first.
    pub(crate) fn refuse(&mut self, path: &str, code: &str, message: impl Into<String>) {
        let mut place = &mut self.errors;
        for segment in path.split('.') {
            let next = place
                .entry(segment)
                .or_insert_with(|| Value::Object(Map::new()));
            match next {
                Value::Object(next) if !next.contains_key("_errors") => place = next,
                _ => return,
            }
        }
        if place.is_empty() {
            place.insert(
                "_errors".to_owned(),
                json!([{ "code": code, "message": message.into() }]),
            );
        }
    }

    pub(crate) fn require(&mut self, path: &str) {
        self.refuse(path, "BASE_TYPE_REQUIRED", "This field is required");
    }

    /// Text of `min` to `max` characters; absent text is no matter of this check.
    pub(crate) fn length(&mut self, path: &str, value: &Value, min: usize, max: usize) {
        let Some(text) = value.as_str() else { return };
        let count = text.chars().count();
        if count > max && min == 0 {
            self.refuse(
                path,
                "BASE_TYPE_MAX_LENGTH",
                format!("Must be {max} or fewer in length."),
            );
        } else if !(min..=max).contains(&count) {
            self.refuse(
                path,
                "BASE_TYPE_BAD_LENGTH",
                format!("Must be between {min} and {max} in length."),
            );
        }
    }

    /// The entries of a list; what is no list is refused, and nothing is an empty one.
    pub(crate) fn list<'a>(&mut self, path: &str, value: &'a Value) -> &'a [Value] {
        match value {
            Value::Array(entries) => {
                for (index, _) in entries
                    .iter()
                    .enumerate()
                    .filter(|(_, entry)| !entry.is_object())
                {
                    let message = "Only dictionaries may be used in a DictType";
                    self.refuse(&format!("{path}.{index}"), "DICT_TYPE_CONVERT", message);
                }
                entries
            }
            Value::Null => &[],
            _ => {
                self.refuse(
                    path,
                    "LIST_TYPE_CONVERT",
                    "Only iterables may be used in a ListType",
                );
                &[]
            }
        }
    }

    pub(crate) fn text(&mut self, path: &str, value: &Value) {
        if !value.is_string() && !value.is_null() {
            self.refuse(
                path,
                "STRING_TYPE_CONVERT",
                format!("Could not interpret \"{value}\" as string."),
            );
        }
    }

    pub(crate) fn count(&mut self, path: &str, count: usize, min: usize, max: usize) {
        if count > max && min == 0 {
            self.refuse(
                path,
                "BASE_TYPE_MAX_LENGTH",
                format!("Must be {max} or fewer in length."),
            );
        } else if !(min..=max).contains(&count) {
            self.refuse(
                path,
                "BASE_TYPE_BAD_LENGTH",
                format!("Must be between {min} and {max} in length."),
            );
        }
    }

    pub(crate) fn choice(&mut self, path: &str, allowed: &str) {
        self.refuse(
            path,
            "BASE_TYPE_CHOICES",
            format!("Value must be one of {{{allowed}}}."),
        );
    }

    pub(crate) fn finish(self) -> Result<(), Failure> {
        if self.errors.is_empty() {
            return Ok(());
        }
        let errors = Some(Value::Object(self.errors));
        Err(Failure {
            errors,
            ..Failure::new(StatusCode::BAD_REQUEST, 50_035, "Invalid Form Body")
        })
    }
}
