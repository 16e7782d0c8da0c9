//! The versioned `custom_id` of buttons, selects and modals: all that a component knows.

use std::{fmt, str::FromStr};

use crate::domain::{
    action::Kind,
    agent::Name,
    ids::{ActionId, AgentId, AlertId, BoardId, FleetId, InteractionId, SilenceId},
    secret::Scope,
};

/// The version of the ids below; a press on an older card is answered as stale.
const VERSION: &str = "v1";

/// What a component asks for. Its text is the `custom_id`, at most 100 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Press {
    Confirm(ActionId),
    ConfirmWithVolumes(ActionId),
    Cancel(ActionId),
    /// What was typed to confirm, perhaps with the volumes.
    TypedForm(ActionId, bool),
    Approve(ActionId),
    ApproveAndAllow(ActionId),
    /// Asks why by a modal.
    Deny(ActionId),
    DenyForm(ActionId),
    /// The whole plan.
    Plan(ActionId),
    /// The modal in which an owner types the agent's name.
    BreakGlass(Kind, AgentId),
    /// `start`, `stop` or `restart` on a card.
    Change(Kind, AgentId),
    Logs(AgentId),
    Follow(AgentId),
    /// A page of `/status`, of one fleet or of all.
    Page(usize, Option<Name>),
    /// The modal of a deployment.
    Form(InteractionId),
    /// A choice of a deployment: which parameter.
    Choose(InteractionId, String),
    Deploy(InteractionId),
    /// The question of `/freeze`.
    Freeze(InteractionId),
    /// A page of what an `/audit` found.
    Audit(InteractionId, u32),
    /// The modal for a secret's value.
    Secret(SecretForm),
    /// The modal for the first owner's code.
    Claim,
    /// Somebody looks after what an alert tells of.
    Acknowledge(AlertId),
    /// Nobody wants to hear of that for an hour.
    Silence(AlertId),
    EndSilence(SilenceId),
    /// An agent chosen on a board.
    Open(BoardId),
    /// An agent chosen on the card of several problems.
    OpenOf(AlertId),
}

/// Which secret a modal asks the value of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretForm {
    /// Its users are made anew.
    pub rotate: bool,
    pub scope: Scope,
    pub name: String,
}

impl fmt::Display for SecretForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.rotate { "rotate" } else { "set" };
        match self.scope {
            Scope::Agent(id) => write!(f, "secret-{verb}:agent-{id}:{}", self.name),
            Scope::Fleet(id) => write!(f, "secret-{verb}:fleet-{id}:{}", self.name),
            Scope::All => write!(f, "secret-{verb}:all:{}", self.name),
        }
    }
}

impl SecretForm {
    fn parse(rotate: bool, whose: &str, name: &str) -> Result<Self, Stale> {
        let number = |id: &str| id.parse().map_err(|_| Stale);
        let scope = match whose.split_once('-') {
            None if whose == "all" => Scope::All,
            Some(("agent", id)) => Scope::Agent(AgentId(number(id)?)),
            Some(("fleet", id)) => Scope::Fleet(FleetId(number(id)?)),
            _ => return Err(Stale),
        };
        Ok(Self {
            rotate,
            scope,
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for Press {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}:")?;
        match self {
            Self::Confirm(id) => write!(f, "confirm:{id}"),
            Self::ConfirmWithVolumes(id) => write!(f, "confirm-volumes:{id}"),
            Self::Cancel(id) => write!(f, "cancel:{id}"),
            Self::TypedForm(id, false) => write!(f, "typed:{id}"),
            Self::TypedForm(id, true) => write!(f, "typed-volumes:{id}"),
            Self::Approve(id) => write!(f, "approve:{id}"),
            Self::ApproveAndAllow(id) => write!(f, "approve-allow:{id}"),
            Self::Deny(id) => write!(f, "deny:{id}"),
            Self::DenyForm(id) => write!(f, "deny-form:{id}"),
            Self::Plan(id) => write!(f, "plan:{id}"),
            Self::BreakGlass(kind, id) => write!(f, "break-glass:{id}:{kind}"),
            Self::Change(kind, id) => write!(f, "{kind}:{id}"),
            Self::Logs(id) => write!(f, "logs:{id}"),
            Self::Follow(id) => write!(f, "follow:{id}"),
            Self::Page(page, None) => write!(f, "page:{page}"),
            Self::Page(page, Some(fleet)) => write!(f, "page:{page}:{fleet}"),
            Self::Form(id) => write!(f, "form:{id}"),
            Self::Choose(id, parameter) => write!(f, "choose:{id}:{parameter}"),
            Self::Deploy(id) => write!(f, "deploy:{id}"),
            Self::Freeze(id) => write!(f, "freeze:{id}"),
            Self::Audit(id, page) => write!(f, "audit:{id}:{page}"),
            Self::Secret(form) => form.fmt(f),
            Self::Claim => f.write_str("claim:code"),
            Self::Acknowledge(id) => write!(f, "acknowledge:{id}"),
            Self::Silence(id) => write!(f, "silence:{id}"),
            Self::EndSilence(id) => write!(f, "end-silence:{id}"),
            Self::Open(id) => write!(f, "open:{id}"),
            Self::OpenOf(id) => write!(f, "open-of:{id}"),
        }
    }
}

/// A `custom_id` that no card of this version bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale;

impl FromStr for Press {
    type Err = Stale;

    fn from_str(text: &str) -> Result<Self, Stale> {
        let mut parts = text.splitn(4, ':');
        if parts.next() != Some(VERSION) {
            return Err(Stale);
        }
        let (what, id, rest) = (
            parts.next().ok_or(Stale)?,
            parts.next().ok_or(Stale)?,
            parts.next(),
        );
        let number = || id.parse::<i64>().map_err(|_| Stale);
        let interaction = || id.parse().map(InteractionId).map_err(|_| Stale);
        match (what, rest) {
            ("confirm", None) => Ok(Self::Confirm(ActionId(number()?))),
            ("confirm-volumes", None) => Ok(Self::ConfirmWithVolumes(ActionId(number()?))),
            ("cancel", None) => Ok(Self::Cancel(ActionId(number()?))),
            ("typed", None) => Ok(Self::TypedForm(ActionId(number()?), false)),
            ("typed-volumes", None) => Ok(Self::TypedForm(ActionId(number()?), true)),
            ("approve", None) => Ok(Self::Approve(ActionId(number()?))),
            ("approve-allow", None) => Ok(Self::ApproveAndAllow(ActionId(number()?))),
            ("deny", None) => Ok(Self::Deny(ActionId(number()?))),
            ("deny-form", None) => Ok(Self::DenyForm(ActionId(number()?))),
            ("plan", None) => Ok(Self::Plan(ActionId(number()?))),
            ("break-glass", Some(kind)) => {
                let kind = Kind::parse(kind)
                    .filter(|kind| kind.is_about_agents_alone() && *kind != Kind::Deploy);
                Ok(Self::BreakGlass(kind.ok_or(Stale)?, AgentId(number()?)))
            }
            ("logs", None) => Ok(Self::Logs(AgentId(number()?))),
            ("follow", None) => Ok(Self::Follow(AgentId(number()?))),
            ("page", fleet) => {
                let fleet = fleet.map(Name::parse).transpose().map_err(|_| Stale)?;
                Ok(Self::Page(id.parse().map_err(|_| Stale)?, fleet))
            }
            ("form", None) => Ok(Self::Form(interaction()?)),
            ("choose", Some(parameter)) => Ok(Self::Choose(interaction()?, parameter.to_owned())),
            ("deploy", None) => Ok(Self::Deploy(interaction()?)),
            ("claim", None) if id == "code" => Ok(Self::Claim),
            ("acknowledge", None) => Ok(Self::Acknowledge(AlertId(number()?))),
            ("silence", None) => Ok(Self::Silence(AlertId(number()?))),
            ("end-silence", None) => Ok(Self::EndSilence(SilenceId(number()?))),
            ("open", None) => Ok(Self::Open(BoardId(number()?))),
            ("open-of", None) => Ok(Self::OpenOf(AlertId(number()?))),
            ("freeze", None) => Ok(Self::Freeze(interaction()?)),
            ("audit", Some(page)) => Ok(Self::Audit(
                interaction()?,
                page.parse().map_err(|_| Stale)?,
            )),
            ("secret-set", Some(name)) => SecretForm::parse(false, id, name).map(Self::Secret),
            ("secret-rotate", Some(name)) => SecretForm::parse(true, id, name).map(Self::Secret),
            (kind, None) => match Kind::parse(kind) {
                Some(kind @ (Kind::Start | Kind::Stop | Kind::Restart)) => {
                    Ok(Self::Change(kind, AgentId(number()?)))
                }
                _ => Err(Stale),
            },
            _ => Err(Stale),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::NAME_MAX;

    fn secret(scope: Scope) -> Press {
        Press::Secret(SecretForm {
            rotate: true,
            scope,
            name: "N".repeat(NAME_MAX),
        })
    }

    #[test]
    fn every_press_survives_its_custom_id() {
        let draft = InteractionId(u64::MAX);
        let longest = "p".repeat(32);
        let fleet = Name::parse(&"f".repeat(32)).unwrap();
        for press in [
            Press::Confirm(ActionId(i64::MAX)),
            Press::ConfirmWithVolumes(ActionId(7)),
            Press::Cancel(ActionId(7)),
            Press::Claim,
            Press::Acknowledge(AlertId(i64::MAX)),
            Press::Silence(AlertId(7)),
            Press::EndSilence(SilenceId(7)),
            Press::Open(BoardId(i64::MAX)),
            Press::OpenOf(AlertId(i64::MAX)),
            Press::TypedForm(ActionId(7), false),
            Press::TypedForm(ActionId(7), true),
            Press::Approve(ActionId(7)),
            Press::ApproveAndAllow(ActionId(7)),
            Press::Deny(ActionId(7)),
            Press::DenyForm(ActionId(7)),
            Press::Plan(ActionId(i64::MAX)),
            Press::BreakGlass(Kind::Redeploy, AgentId(7)),
            Press::Change(Kind::Restart, AgentId(i64::MAX)),
            Press::Logs(AgentId(7)),
            Press::Follow(AgentId(7)),
            Press::Page(3, None),
            Press::Page(3, Some(fleet)),
            Press::Form(draft),
            Press::Choose(draft, longest),
            Press::Deploy(draft),
            Press::Freeze(draft),
            Press::Audit(draft, u32::MAX),
            secret(Scope::Agent(AgentId(i64::MAX))),
            secret(Scope::Fleet(FleetId(7))),
            secret(Scope::All),
        ] {
            let text = press.to_string();
            assert!(text.len() <= 100, "{text}");
            assert_eq!(text.parse(), Ok(press));
        }
    }

    #[test]
    fn other_ids_are_stale() {
        for text in [
            "",
            "v0:confirm:1",
            "v1:confirm",
            "v1:confirm:x",
            "v1:deploy:1:2",
            "v1:remove:1",
            "v1:page:-1",
            "v1:break-glass:7:deploy",
            "v1:break-glass:7:grant add",
            "v1:secret-set:KEY",
            "v1:secret-set:agent:KEY",
            "v1:secret-set:role-7:KEY",
        ] {
            assert_eq!(text.parse::<Press>(), Err(Stale), "{text}");
        }
    }
}
