//! Secrets as files: laid out for a container before it starts, taken away when it stops.
//!
//! Each agent has a folder that its container sees read-only at `/run/secrets`. It is a folder of the host, because
//! an engine that is given files before a start loses them in the container's own memory, and cannot write into a
//! read-only one; it belongs on a tmpfs, so that no value reaches a disk.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};

use crate::domain::ids::{AgentId, InstanceId};

/// The folders of one instance's agents.
#[derive(Debug)]
pub struct Handout {
    root: PathBuf,
}

impl Handout {
    /// Below `dir`, which the engine must see under the same path.
    pub fn new(dir: &Path, instance: &InstanceId) -> Self {
        Self {
            root: dir.join(instance.as_str()),
        }
    }

    /// The agent's folder, made if it is not there: a container is bound to it when it is made.
    pub fn folder(&self, agent: AgentId) -> io::Result<PathBuf> {
        // Only the engine goes through here; it is root.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.root)?;
        let folder = self.of(agent);
        // Whoever is in the container may see which files there are, and only its user what is in them.
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => {
                made?;
                fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
            }
        }
        Ok(folder)
    }

    /// Exactly these files, readable by `uid` and nobody else.
    pub fn lay_out(
        &self,
        agent: AgentId,
        uid: u32,
        values: &BTreeMap<String, SecretString>,
    ) -> io::Result<()> {
        let folder = self.folder(agent)?;
        for there in fs::read_dir(&folder)? {
            fs::remove_file(there?.path())?;
        }
        for (name, value) in values {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o400)
                .open(folder.join(name))?;
            fchown(&file, Some(uid), None)?;
            file.write_all(value.expose_secret().as_bytes())?;
        }
        Ok(())
    }

    /// Takes them away; that nothing is there is fine.
    pub fn clear(&self, agent: AgentId) -> io::Result<()> {
        match fs::remove_dir_all(self.of(agent)) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(())
            }
            removed => removed,
        }
    }

    /// Takes away what is there for others than these: what a crash left.
    pub fn keep_only(&self, agents: &[AgentId]) -> io::Result<()> {
        let there = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            there => there?,
        };
        for folder in there {
            let folder = folder?;
            let known = agents
                .iter()
                .any(|agent| folder.file_name() == agent.to_string().as_str());
            if !known {
                fs::remove_dir_all(folder.path())?;
            }
        }
        Ok(())
    }

    fn of(&self, agent: AgentId) -> PathBuf {
        self.root.join(agent.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    const SCOUT: AgentId = AgentId(1);

    struct Scene {
        handout: Handout,
        uid: u32,
        _folder: tempfile::TempDir,
    }

    fn scene() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        Scene {
            handout: Handout::new(folder.path(), &InstanceId("one".to_owned())),
            uid: fs::metadata(folder.path()).unwrap().uid(),
            _folder: folder,
        }
    }

    fn values(values: &[(&str, &str)]) -> BTreeMap<String, SecretString> {
        let owned = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), SecretString::from(*value)));
        owned.collect()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn files_are_its_users_alone_and_exactly_those_laid_out_last() {
        let Scene { handout, uid, .. } = scene();
        handout
            .lay_out(SCOUT, uid, &values(&[("OLD", "1"), ("KEY", "old")]))
            .unwrap();
        handout
            .lay_out(SCOUT, uid, &values(&[("KEY", "new")]))
            .unwrap();
        let folder = handout.folder(SCOUT).unwrap();
        let names: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|there| there.unwrap().file_name())
            .collect();
        assert_eq!(names, ["KEY"]);
        let file = folder.join("KEY");
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(
            (mode(&file), fs::metadata(&file).unwrap().uid()),
            (0o400, uid)
        );
        assert_eq!(
            (mode(&folder), mode(folder.parent().unwrap())),
            (0o755, 0o700)
        );
    }

    #[test]
    fn what_is_not_needed_any_more_is_taken_away() {
        let Scene { handout, uid, .. } = scene();
        handout.keep_only(&[]).unwrap();
        for agent in [SCOUT, AgentId(2), AgentId(12)] {
            handout
                .lay_out(agent, uid, &values(&[("KEY", "1")]))
                .unwrap();
        }
        handout.clear(SCOUT).unwrap();
        handout.clear(SCOUT).unwrap();
        assert!(!handout.of(SCOUT).exists());
        handout.keep_only(&[AgentId(12)]).unwrap();
        assert!(!handout.of(AgentId(2)).exists() && handout.of(AgentId(12)).exists());
    }
}
