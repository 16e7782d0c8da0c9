//! What settings and templates were read from, as hashes: the audit tells which file changed, not what was in it.

use std::{collections::BTreeMap, path::Path};

use sha2::{Digest as _, Sha256};

use super::{Settings, Source, templates::json_files};

/// File → SHA-256 of its bytes, in hexadecimal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprints(pub BTreeMap<String, String>);

impl Fingerprints {
    /// Of the files that `source` and `settings` name. One that cannot be read is as good as absent.
    pub fn take(source: &Source, settings: &Settings) -> Self {
        let templates = json_files(&settings.agents.templates).unwrap_or_default();
        let files = source.path.iter().chain(&templates);
        Self(
            files
                .filter_map(|file| Some((file.display().to_string(), hash(file)?)))
                .collect(),
        )
    }

    /// What has come, gone or changed since `before`.
    pub fn since(&self, before: &Self) -> Vec<String> {
        let here = self.0.iter().filter_map(|(file, hash)| {
            let old = before.0.get(file);
            (old != Some(hash)).then(|| {
                let how = if old.is_some() { "changed" } else { "new" };
                format!("{file} {how}")
            })
        });
        let gone = before.0.keys().filter(|file| !self.0.contains_key(*file));
        here.chain(gone.map(|file| format!("{file} gone")))
            .collect()
    }
}

fn hash(file: &Path) -> Option<String> {
    let bytes = std::fs::read(file).ok()?;
    Some(hex::encode(Sha256::digest(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_went_and_changed_is_named() {
        let prints = |files: &[(&str, &str)]| {
            let pairs = files
                .iter()
                .map(|(file, hash)| ((*file).to_owned(), (*hash).to_owned()));
            Fingerprints(pairs.collect())
        };
        let before = prints(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let after = prints(&[("a", "1"), ("b", "2"), ("d", "1")]);
        assert_eq!(after.since(&before), ["b changed", "d new", "c gone"]);
        assert_eq!(after.since(&after), Vec::<String>::new());
    }
}
