use std::collections::BTreeMap;

use serde_json::Value;

use crate::{ids::Id, rules};

/// Where a command is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    Global,
    Guild(Id),
}

/// The registered application commands, as Discord would list them.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    by_scope: BTreeMap<Scope, Vec<Value>>,
}

impl Commands {
    pub(crate) fn list(&self, scope: Scope) -> &[Value] {
        self.by_scope
            .get(&scope)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    pub(crate) fn replace(&mut self, scope: Scope, commands: Vec<Value>) {
        self.by_scope.insert(scope, commands);
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Value> {
        self.by_scope.values().flatten()
    }

    /// What a person can choose from: a guild's own commands hide global ones of the same kind and name.
    pub(crate) fn offered(&self, guild: Option<Id>) -> Vec<&Value> {
        let own = guild
            .map(|id| self.list(Scope::Guild(id)))
            .unwrap_or_default();
        let hidden = |command: &&Value| {
            own.iter()
                .any(|other| rules::is_same_command(other, command))
        };
        own.iter()
            .chain(
                self.list(Scope::Global)
                    .iter()
                    .filter(|command| !hidden(command)),
            )
            .collect()
    }
}
