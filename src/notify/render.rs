//! What each kind of target is told, as its protocol has it. Pure: the same news is the same bytes.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::domain::{
    incident::{Incident, Severity},
    squelch::Nudge,
    view::AlertView,
};

/// Incidents that are listed; more are counted.
const LISTED: usize = 20;
/// `PagerDuty`: characters of a summary.
const SUMMARY_MAX: usize = 1024;
/// Slack: characters of a section, less than its 3000 because it counts what it escapes.
const SECTION_MAX: usize = 2000;
/// ntfy: bytes of a message, beyond which it becomes an attachment; four for each character at most.
const MESSAGE_MAX: usize = 1000;

/// What is to be told of an alert.
#[derive(Clone, Debug)]
pub(crate) struct News {
    /// Of this piece of news: the same if it is sent again.
    pub(crate) id: String,
    pub(crate) instance: String,
    pub(crate) view: AlertView,
    /// Why it is told once more.
    pub(crate) why: Option<Nudge>,
    /// Where its card stands in Discord.
    pub(crate) link: Option<String>,
    pub(crate) now: DateTime<Utc>,
}

/// How an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Firing,
    /// Somebody looks after all that is open.
    Acknowledged,
    Resolved,
}

impl Stage {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

impl News {
    fn stage(&self) -> Stage {
        if self.view.alert.closed_at.is_some() {
            return Stage::Resolved;
        }
        let mut open = self.view.incidents.iter().filter(|one| one.is_open());
        if open.all(|one| one.acknowledged.is_some()) {
            Stage::Acknowledged
        } else {
            Stage::Firing
        }
    }

    /// Of what is open, or else of all.
    fn severity(&self) -> Severity {
        let worst = self.view.incidents.iter();
        let worst = worst.max_by_key(|one| (one.is_open(), one.severity));
        worst.map_or(Severity::Info, |one| one.severity)
    }

    /// The same for all that is told of one alert.
    fn key(&self) -> String {
        format!("yardarm-{}-alert-{}", self.instance, self.view.alert.id)
    }

    /// What is wrong, in one line.
    fn title(&self) -> String {
        match self.view.incidents.as_slice() {
            [only] => line(only),
            several => {
                let open = several.iter().filter(|one| one.is_open()).count();
                let fleet = self
                    .fleet()
                    .map_or_else(String::new, |name| format!(" in {name}"));
                format!("{} problems{fleet}, {open} of them open", several.len())
            }
        }
    }

    /// The title, with how it stands.
    fn headline(&self) -> String {
        let title = self.title();
        match (self.stage(), self.why) {
            (Stage::Resolved, _) => format!("Resolved: {title}"),
            (Stage::Acknowledged, _) => format!("Acknowledged: {title}"),
            (Stage::Firing, None | Some(Nudge::Over)) => title,
            (Stage::Firing, Some(Nudge::More)) => format!("More came to it: {title}"),
            (Stage::Firing, Some(Nudge::Back)) => format!("Back again: {title}"),
            (Stage::Firing, Some(Nudge::Worse)) => format!("Got worse: {title}"),
            (Stage::Firing, Some(Nudge::Repeat | Nudge::Escalation)) => {
                format!("Nobody has acknowledged this: {title}")
            }
        }
    }

    /// What the title does not say.
    fn details(&self) -> Vec<String> {
        match self.view.incidents.as_slice() {
            [only] => only.evidence.notes.clone(),
            several => {
                let mut lines: Vec<String> = several.iter().take(LISTED).map(line).collect();
                if several.len() > LISTED {
                    lines.push(format!("… and {} more", several.len() - LISTED));
                }
                lines
            }
        }
    }

    /// The one fleet that all of it is in.
    fn fleet(&self) -> Option<String> {
        let mut names = self.view.incidents.iter().map(|one| one.fleet.as_ref());
        let (_, first) = names.next()??;
        names
            .all(|other| other.is_some_and(|(_, name)| name == first))
            .then(|| first.to_string())
    }

    fn opened(&self) -> String {
        time(self.view.alert.opened_at)
    }
}

/// A JSON document of our own; docs/operations.md describes it.
pub(crate) fn webhook(news: &News) -> Value {
    let alert = &news.view.alert;
    let incidents = news.view.incidents.iter().take(LISTED).map(incident);
    json!({
        "version": 1,
        "id": news.id,
        "key": news.key(),
        "instance": news.instance,
        "state": news.stage().as_str(),
        "reason": news.why.map(Nudge::as_str),
        "severity": news.severity().as_str(),
        "title": news.title(),
        "route": alert.route,
        "opened_at": news.opened(),
        "resolved_at": alert.closed_at.map(time),
        "link": news.link,
        "incident_count": news.view.incidents.len(),
        "incidents": incidents.collect::<Vec<_>>(),
    })
}

/// Events API v2. What is unknown there by its `dedup_key` and acknowledged or resolved is ignored by `PagerDuty`.
pub(crate) fn pagerduty(news: &News, routing_key: &str) -> Value {
    let action = match news.stage() {
        Stage::Firing => "trigger",
        Stage::Acknowledged => "acknowledge",
        Stage::Resolved => "resolve",
    };
    let incidents = &news.view.incidents;
    let source = incidents
        .first()
        .map_or_else(String::new, Incident::subject);
    let links = news.link.iter();
    let links = links.map(|link| json!({ "href": link, "text": "The card in Discord" }));
    json!({
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": news.key(),
        "client": "Yardarm",
        "client_url": news.link,
        "links": links.collect::<Vec<_>>(),
        "payload": {
            "summary": clip(&news.title(), SUMMARY_MAX),
            "source": source,
            "severity": severity(news.severity()),
            "timestamp": news.opened(),
            "group": news.fleet(),
            "class": incidents.first().map(|one| one.kind.as_str()),
            "custom_details": {
                "route": news.view.alert.route,
                "incident_count": incidents.len(),
                "incidents": incidents.iter().take(LISTED).map(incident).collect::<Vec<_>>(),
            },
        },
    })
}

/// `text` is what notifications show, and all that some servers read.
pub(crate) fn slack(news: &News) -> Value {
    let text = format!("{} {}", mark(news), escaped(&news.headline()));
    let mut lines = vec![format!("*{text}*")];
    lines.extend(news.details().iter().map(|line| escaped(line)));
    let mut small = vec![format!(
        "alert {} · since {}",
        news.view.alert.id,
        news.opened()
    )];
    small.extend(
        news.link
            .iter()
            .map(|link| format!("<{link}|open in Discord>")),
    );
    json!({
        "text": clip(&text, SECTION_MAX),
        "blocks": [
            { "type": "section", "text": { "type": "mrkdwn", "text": clip(&lines.join("\n"), SECTION_MAX) } },
            { "type": "context", "elements": [{ "type": "mrkdwn", "text": small.join(" · ") }] },
        ],
    })
}

/// As JSON, which takes any letters; headers would not.
pub(crate) fn ntfy(news: &News, topic: &str) -> Value {
    let (priority, tag) = match (news.stage(), news.severity()) {
        (Stage::Resolved, _) => (2, "white_check_mark"),
        (Stage::Acknowledged, _) => (2, "eyes"),
        (Stage::Firing, Severity::Critical) => (5, "rotating_light"),
        (Stage::Firing, Severity::Warning) => (4, "warning"),
        (Stage::Firing, Severity::Info) => (3, "information_source"),
    };
    let mut lines = vec![news.headline()];
    lines.extend(news.details());
    let mut body = json!({
        "topic": topic,
        "title": format!("Yardarm: {}", news.fleet().unwrap_or_else(|| "alert".to_owned())),
        "message": clip(&lines.join("\n"), MESSAGE_MAX),
        "priority": priority,
        "tags": [tag],
    });
    if let Some(link) = &news.link {
        body["click"] = json!(link);
    }
    body
}

fn incident(one: &Incident) -> Value {
    json!({
        "id": one.id.0,
        "subject": one.subject(),
        "agent": one.agent.as_ref().map(ToString::to_string),
        "fleet": one.fleet.as_ref().map(|(_, name)| name.to_string()),
        "kind": one.kind.as_str(),
        "severity": one.severity.as_str(),
        "standing": one.standing(),
        "cause": one.cause,
        "opened_at": time(one.opened_at),
        "resolved_at": one.resolved_at.map(time),
        "evidence": one.evidence,
    })
}

fn line(one: &Incident) -> String {
    let fleet = one.fleet.as_ref();
    let fleet = fleet.map_or_else(String::new, |(_, name)| format!(" in {name}"));
    format!("{}{fleet} {}", one.subject(), one.cause)
}

fn mark(news: &News) -> &'static str {
    match (news.stage(), news.severity()) {
        (Stage::Resolved, _) => "✅",
        (Stage::Acknowledged, _) => "👀",
        (Stage::Firing, Severity::Critical) => "🔴",
        (Stage::Firing, Severity::Warning) => "🟠",
        (Stage::Firing, Severity::Info) => "🔵",
    }
}

/// `PagerDuty` has these three and `error`.
const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

/// Slack's three letters with a meaning: without them nobody is notified by a log line.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

fn clip(text: &str, characters: usize) -> String {
    if text.chars().nth(characters).is_none() {
        return text.to_owned();
    }
    let short: String = text.chars().take(characters - 1).collect();
    format!("{short}…")
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
