//! The templates: those from files, and those saved from chat that no file shadows.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use super::Ops;
use crate::{
    domain::{agent::Name, template::Template},
    error::Result,
};

/// Where a template came from. What a file says is changed in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    File,
    Chat,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub template: Template,
    pub source: Source,
}

#[derive(Debug, Default)]
pub struct Catalog {
    entries: RwLock<Arc<BTreeMap<Name, Entry>>>,
}

impl Catalog {
    pub fn all(&self) -> Arc<BTreeMap<Name, Entry>> {
        Arc::clone(&self.entries.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn get(&self, name: &str) -> Option<Entry> {
        Name::parse(name)
            .ok()
            .and_then(|name| self.all().get(&name).cloned())
    }

    fn replace(&self, entries: BTreeMap<Name, Entry>) {
        *self.entries.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(entries);
    }
}

impl Ops {
    /// Takes over the templates of the files, and what the database keeps beside them.
    pub async fn stock(&self, files: BTreeMap<Name, Template>) -> Result<()> {
        let mut entries: BTreeMap<Name, Entry> = BTreeMap::new();
        for (name, body) in self.store.templates().await? {
            if let Some(template) = Name::parse(&name)
                .ok()
                .and_then(|name| Template::parse(name, &body).ok())
            {
                let source = Source::Chat;
                entries.insert(template.name.clone(), Entry { template, source });
            } else {
                tracing::warn!(
                    template.name = name,
                    "a saved template is not understood; it is left out"
                );
            }
        }
        for (name, template) in files {
            let source = Source::File;
            entries.insert(name, Entry { template, source });
        }
        self.catalog.replace(entries);
        Ok(())
    }

    /// The templates of the files as they are in memory.
    pub(super) fn file_templates(&self) -> BTreeMap<Name, Template> {
        let from_files = |entry: &&Entry| entry.source == Source::File;
        let all = self.catalog.all();
        all.values()
            .filter(from_files)
            .map(|entry| (entry.template.name.clone(), entry.template.clone()))
            .collect()
    }
}
