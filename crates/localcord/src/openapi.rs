//! Discord's own `OpenAPI` file as the judge of every request and response.
//!
//! The file is read once for a process and validators are built when first needed: tests start many servers.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use anyhow::{Context as _, Result};
use axum::http::{Method, StatusCode};
use jsonschema::{Draft, Registry, ValidationError, Validator, error::ValidationErrorKind};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;

use crate::{dispatches, record::Violation, route::Route};

const DEFAULT_PATH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/discord-openapi.json"
);
const BASE: &str = "https://localcord.invalid/openapi.json";
/// What a JSON pointer must not hold in a URI.
const FRAGMENT: &AsciiSet = &CONTROLS
    .add(b'{')
    .add(b'}')
    .add(b' ')
    .add(b'%')
    .add(b'"')
    .add(b'<')
    .add(b'>');
/// One cause often shows in many places.
const REPORTED: usize = 3;
const LONGEST_MESSAGE: usize = 400;

static SPEC: OnceLock<Option<Spec>> = OnceLock::new();

struct Spec {
    document: Value,
    registry: Registry<'static>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// Checks calls against the file.
#[derive(Clone, Copy)]
pub(crate) struct Checker {
    spec: &'static Spec,
}

impl Checker {
    /// `None` if there is no file; an error if it must be there, or is not what it should be.
    pub(crate) fn load() -> Result<Option<Self>> {
        let spec = if let Some(spec) = SPEC.get() {
            spec
        } else {
            let spec = Spec::read()?;
            SPEC.get_or_init(|| spec)
        };
        Ok(spec.as_ref().map(|spec| Self { spec }))
    }

    pub(crate) fn request(self, route: &Route, body: &Value) -> Vec<Violation> {
        let Some(operation) = self.operation(route) else {
            return vec![violation(
                route,
                "request",
                "",
                "the file has no such operation".to_owned(),
            )];
        };
        let content = &self
            .spec
            .document
            .pointer(&operation)
            .unwrap_or(&Value::Null)["requestBody"]["content"];
        let Some((media, _)) = content
            .as_object()
            .and_then(|content| content.iter().next())
        else {
            return Vec::new();
        };
        if body.is_null() {
            return Vec::new();
        }
        let pointer = format!("{operation}/requestBody/content/{}/schema", escaped(media));
        self.validate(route, "request", &pointer, &sent_as_the_file_has_it(body))
    }

    /// Checks what stands behind the `?`; text there may stand for a number or a truth value.
    pub(crate) fn query(self, route: &Route, query: &str) -> Vec<Violation> {
        let Some(operation) = self.operation(route) else {
            return Vec::new();
        };
        let pairs = form_urlencoded::parse(query.as_bytes());
        let violations = pairs.flat_map(|(name, text)| {
            let Some(pointer) = self.parameter(&operation, &name) else {
                let message = "the file has no such parameter".to_owned();
                return vec![violation(route, "query", &format!("/{name}"), message)];
            };
            let value = self.as_typed(&pointer, &text);
            let mut violations = self.validate(route, "query", &pointer, &value);
            for violation in &mut violations {
                violation.at.insert_str(0, &format!("/{name}"));
            }
            violations
        });
        violations.collect()
    }

    /// Where the schema of a query parameter stands.
    fn parameter(self, operation: &str, name: &str) -> Option<String> {
        let list = format!("{operation}/parameters");
        let parameters = self.spec.document.pointer(&list)?.as_array()?;
        let is_meant = |entry: &Value| entry["in"] == "query" && entry["name"] == name;
        let index = parameters.iter().position(is_meant)?;
        Some(format!("{list}/{index}/schema"))
    }

    fn as_typed(self, pointer: &str, text: &str) -> Value {
        let kind = self.spec.document.pointer(pointer).unwrap_or(&Value::Null);
        let is = |name: &str| {
            kind["type"] == name
                || kind["type"]
                    .as_array()
                    .is_some_and(|types| types.iter().any(|known| known == name))
        };
        if is("boolean") && matches!(text, "0" | "1") {
            return Value::Bool(text == "1");
        }
        let literal = is("integer") || is("boolean") || is("number");
        let value = literal.then(|| serde_json::from_str(text).ok()).flatten();
        value.unwrap_or_else(|| Value::String(text.to_owned()))
    }

    pub(crate) fn response(
        self,
        route: &Route,
        status: StatusCode,
        body: &Value,
    ) -> Vec<Violation> {
        let part = format!("response {}", status.as_u16());
        if status.is_server_error() {
            return Vec::new();
        }
        let Some(operation) = self.operation(route) else {
            return Vec::new();
        };
        let exact = format!("{operation}/responses/{}", status.as_u16());
        let class = format!("{operation}/responses/{}XX", status.as_u16() / 100);
        let found = [exact, class]
            .into_iter()
            .find(|pointer| self.spec.document.pointer(pointer).is_some());
        let Some(pointer) = found else {
            return vec![violation(
                route,
                &part,
                "",
                "the file has no such status".to_owned(),
            )];
        };
        let pointer = self.followed(pointer);
        let schema = format!("{pointer}/content/application~1json/schema");
        if self.spec.document.pointer(&schema).is_some() {
            return self.validate(route, &part, &schema, &given_as_the_file_has_it(body));
        }
        let empty = body.is_null();
        if empty {
            Vec::new()
        } else {
            vec![violation(
                route,
                &part,
                "",
                "the file has no body here".to_owned(),
            )]
        }
    }

    /// Checks the objects in a dispatch against the file's component schemas.
    pub(crate) fn dispatched(self, event: &str, object: &Value) -> Vec<Violation> {
        let route = Route {
            method: Method::GET,
            template: event.to_owned(),
            path: String::new(),
        };
        let found = dispatches::objects(event, object).into_iter();
        let violations = found.flat_map(|(place, component, object)| {
            let pointer = format!("/components/schemas/{component}");
            let mut violations = self.validate(&route, "dispatch", &pointer, &object);
            for violation in &mut violations {
                violation.at.insert_str(0, &place);
            }
            violations
        });
        violations.collect()
    }

    /// Checks what a gateway payload carries; `None` if the file describes no such thing.
    pub(crate) fn payload(self, payload: &Value) -> Option<Vec<Violation>> {
        let event = payload["t"].as_str()?;
        let described = !dispatches::objects(event, &payload["d"]).is_empty();
        described.then(|| self.dispatched(event, &payload["d"]))
    }

    fn operation(self, route: &Route) -> Option<String> {
        let method = route.method.as_str().to_lowercase();
        let pointer = format!("/paths/{}/{method}", escaped(&route.template));
        self.spec.document.pointer(&pointer).map(|_| pointer)
    }

    /// Goes on where a response is described elsewhere.
    fn followed(self, pointer: String) -> String {
        let reference = self
            .spec
            .document
            .pointer(&pointer)
            .and_then(|value| value["$ref"].as_str());
        reference
            .and_then(|reference| reference.strip_prefix('#'))
            .map_or(pointer, str::to_owned)
    }

    fn validate(self, route: &Route, part: &str, pointer: &str, body: &Value) -> Vec<Violation> {
        let validator = match self.spec.validator(pointer) {
            Ok(validator) => validator,
            Err(error) => {
                return vec![violation(
                    route,
                    part,
                    "",
                    format!("the file's schema fails: {error:#}"),
                )];
            }
        };
        let errors = validator.iter_errors(body).take(REPORTED);
        errors
            .map(|error| explained(&error))
            .map(|(at, message)| violation(route, part, &at, message))
            .collect()
    }
}

impl Spec {
    #[expect(
        clippy::disallowed_methods,
        reason = "two variables that only tests and CI set"
    )]
    #[expect(
        clippy::print_stderr,
        reason = "a test run must show that a check did not take place"
    )]
    fn read() -> Result<Option<Self>> {
        let path = std::env::var("DISCORD_OPENAPI")
            .map_or_else(|_| PathBuf::from(DEFAULT_PATH), PathBuf::from);
        if !path.exists() {
            let hint = "hint: set DISCORD_OPENAPI to Discord's OpenAPI file";
            anyhow::ensure!(
                std::env::var("CI").as_deref() != Ok("true"),
                "the OpenAPI check has no file at `{}`; {hint}",
                path.display()
            );
            eprintln!(
                "localcord: the OpenAPI check is skipped: no file at `{}`; {hint}",
                path.display()
            );
            return Ok(None);
        }
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("read `{}`", path.display()))?;
        let document: Value =
            serde_json::from_str(&text).with_context(|| format!("parse `{}`", path.display()))?;
        let registry = Registry::new()
            .draft(Draft::Draft202012)
            .add(BASE, document.clone())?
            .prepare()?;
        Ok(Some(Self {
            document,
            registry,
            validators: Mutex::default(),
        }))
    }

    fn validator(&self, pointer: &str) -> Result<Arc<Validator>> {
        let mut validators = self
            .validators
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = validators.get(pointer) {
            return Ok(Arc::clone(validator));
        }
        let reference = format!("{BASE}#{}", utf8_percent_encode(pointer, FRAGMENT));
        let schema = serde_json::json!({ "$ref": reference });
        let options = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_registry(&self.registry);
        let validator = options
            .build(&schema)
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        let validator = Arc::new(validator);
        validators.insert(pointer.to_owned(), Arc::clone(&validator));
        Ok(validator)
    }
}

/// A key inside a JSON pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Where the file and the real service are known to differ; ten such places at most.
///
/// 1. The codes in the nested `errors` of an invalid form are words, as Discord's documentation shows them; the file
///    has numbers.
/// 2. A bot may send an id as a number, as discord.py and serenity do, also the number of a new file as the id of its
///    attachment; the file has text only.
/// 3. Permissions are decimal text, as in all of Discord's documentation; for new commands the file has numbers only.
fn given_as_the_file_has_it(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(errors) = body.pointer_mut("/errors") {
        number_codes(errors);
    }
    body
}

/// What a bot sends, see [`given_as_the_file_has_it`].
fn sent_as_the_file_has_it(body: &Value) -> Value {
    let mut body = body.clone();
    match &mut body {
        Value::Array(commands) => commands.iter_mut().for_each(number_permissions),
        command => number_permissions(command),
    }
    spell_ids(&mut body);
    if let Some(data) = body.get_mut("data") {
        spell_ids(data);
    }
    body
}

/// Writes those ids of a message as text that were sent as numbers.
fn spell_ids(message: &mut Value) {
    let spell = |id: &mut Value| {
        if let Some(number) = id.as_u64() {
            *id = Value::String(number.to_string());
        }
    };
    for place in [
        "/recipient_id",
        "/message_reference/message_id",
        "/message_reference/channel_id",
        "/message_reference/guild_id",
    ] {
        message.pointer_mut(place).into_iter().for_each(spell);
    }
    for place in ["/allowed_mentions/users", "/allowed_mentions/roles"] {
        let ids = message.pointer_mut(place).and_then(Value::as_array_mut);
        ids.into_iter().flatten().for_each(spell);
    }
    let attachments = message.get_mut("attachments").and_then(Value::as_array_mut);
    let ids = attachments.into_iter().flatten();
    ids.filter_map(|entry| entry.get_mut("id")).for_each(spell);
}

fn number_permissions(command: &mut Value) {
    let named = command.get_mut("default_member_permissions");
    if let Some(permissions) = named
        && let Some(number) = permissions
            .as_str()
            .and_then(|text| text.parse::<u64>().ok())
    {
        *permissions = Value::from(number);
    }
}

fn number_codes(errors: &mut Value) {
    for (name, value) in errors.as_object_mut().into_iter().flatten() {
        if name == "_errors" {
            value
                .as_array_mut()
                .into_iter()
                .flatten()
                .for_each(|error| error["code"] = Value::from(0));
        } else {
            number_codes(value);
        }
    }
}

/// Place and message of an error; where several schemas were tried, of the one that came closest.
fn explained(error: &ValidationError<'_>) -> (String, String) {
    let tried = match error.kind() {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            context.as_slice()
        }
        _ => &[],
    };
    let depth =
        |error: &ValidationError<'_>| error.instance_path().to_string().matches('/').count();
    let closest = tried
        .iter()
        .max_by_key(|errors| errors.iter().map(depth).min());
    match closest.and_then(|errors| errors.first()) {
        Some(cause) => explained(cause),
        None => (
            error.instance_path().to_string(),
            error.to_string().chars().take(LONGEST_MESSAGE).collect(),
        ),
    }
}

fn violation(route: &Route, part: &str, at: &str, message: String) -> Violation {
    Violation {
        method: route.method.to_string(),
        path: route.template.clone(),
        part: part.to_owned(),
        at: at.to_owned(),
        message,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::{Value, json};

    use super::{Checker, Violation};
    use crate::route::Route;

    /// `None` without the file, of which `load` tells.
    fn checker() -> Option<Checker> {
        Checker::load().unwrap()
    }

    fn route(method: Method, template: &str) -> Route {
        Route {
            method,
            template: template.to_owned(),
            path: String::new(),
        }
    }

    fn places(violations: &[Violation]) -> Vec<(&str, &str)> {
        violations
            .iter()
            .map(|violation| (violation.part.as_str(), violation.at.as_str()))
            .collect()
    }

    fn user() -> Value {
        json!({
            "id": "1", "username": "olga", "discriminator": "0", "global_name": null, "avatar": null,
            "public_flags": 0, "flags": 0, "primary_guild": null,
        })
    }

    #[test]
    fn a_planted_mismatch_is_told_by_its_place() {
        let Some(checker) = checker() else { return };
        let send = route(Method::POST, "/channels/{channel_id}/messages");
        let embed =
            json!({ "fields": [{ "name": "a", "value": "b" }, { "name": 7, "value": "b" }] });
        let sent = json!({ "content": "x", "embeds": [embed] });
        let violations = checker.request(&send, &sent);
        assert_eq!(
            places(&violations),
            [("request", "/embeds/0/fields/1/name")]
        );

        let read = route(Method::GET, "/users/{user_id}");
        assert!(checker.response(&read, StatusCode::OK, &user()).is_empty());
        let mut planted = user();
        planted["id"] = json!(1);
        let violations = checker.response(&read, StatusCode::OK, &planted);
        assert_eq!(places(&violations), [("response 200", "/id")]);

        let list = route(Method::GET, "/channels/{channel_id}/messages");
        let violations = checker.query(&list, "limit=many&before=7");
        assert_eq!(places(&violations), [("query", "/limit")]);
    }

    #[test]
    fn a_planted_mismatch_in_a_dispatch_is_told_by_its_place() {
        let Some(checker) = checker() else { return };
        let mut event =
            json!({ "user": user(), "data": { "resolved": { "users": { "1": user() } } } });
        assert!(checker.dispatched("INTERACTION_CREATE", &event).is_empty());
        event["data"]["resolved"]["users"]["1"]["flags"] = json!("none");
        let violations = checker.dispatched("INTERACTION_CREATE", &event);
        assert_eq!(
            places(&violations),
            [("dispatch", "/data/resolved/users/1/flags")]
        );
    }
}
