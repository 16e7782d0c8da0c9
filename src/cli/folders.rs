//! What `doctor` says of the folders that we write to. A file is made there and taken away again.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::fchown,
    path::Path,
};

use crate::{
    config::{Backup, Passphrase},
    domain::finding::{Finding, Topic, Verdict},
    ops::backup,
};

/// The folder, or what it would be made in, takes a new file, as `SQLite` needs, and the database itself may be changed.
pub fn database(path: &Path) -> Finding {
    const TOPIC: Topic = Topic::Database;
    let folder = path.parent().unwrap_or(path);
    let appended = || match OpenOptions::new().append(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        opened => opened.map(drop),
    };
    match try_in(folder, |_| ()).and_then(|()| appended()) {
        Ok(()) => Finding::ok(TOPIC, format!("{} can be written", path.display())),
        Err(error) => Finding::fail(
            TOPIC,
            format!("{} cannot be written: {error}", path.display()),
            "give its folder to the user we run as, or set `database.path`",
        ),
    }
}

/// Whether secrets can be laid out as files, for whichever user an agent is, and stay in memory.
pub fn secret_files(dir: &Path) -> Finding {
    /// Whoever is not that user may give it a file only if he may give one to all.
    const SOMEBODY: u32 = 65_534;
    let given = match try_in(dir, |file| fchown(file, Some(SOMEBODY), None)) {
        Err(error) => return unwritable(dir, &error),
        Ok(given) => given,
    };
    match (in_memory(dir), given) {
        (
            Finding {
                verdict: Verdict::Ok,
                ..
            },
            Err(error),
        ) => ungiven(dir, &error),
        (found, _) => found,
    }
}

fn unwritable(dir: &Path, error: &io::Error) -> Finding {
    Finding::fail(
        Topic::SecretFiles,
        format!(
            "{} cannot be written: {error}: no agent gets a secret as a file",
            dir.display()
        ),
        "give it to the user we run as, or name a folder of that user in memory: `secrets.dir = \"/run/user/UID/yardarm\"`",
    )
}

fn ungiven(dir: &Path, error: &io::Error) -> Finding {
    Finding::warn(
        Topic::SecretFiles,
        format!(
            "files in {} cannot be given to other users: {error}: only an agent that runs as our own gets its secrets",
            dir.display()
        ),
        "run us as root or with CAP_CHOWN, as the service and the composition do, or have templates say `\"as\": \"env\"`",
    )
}

fn in_memory(dir: &Path) -> Finding {
    const TOPIC: Topic = Topic::SecretFiles;
    // As `statfs` tells a tmpfs and its elder brother, ramfs.
    const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];
    match rustix::fs::statfs(there(dir)) {
        Ok(system) if IN_MEMORY.contains(&system.f_type) => {
            Finding::ok(TOPIC, format!("{} is in memory", dir.display()))
        }
        Ok(_) => Finding::warn(
            TOPIC,
            format!(
                "{} is on a disk, and secrets given as files would be, too",
                dir.display()
            ),
            "mount a tmpfs there, or name a folder on one",
        ),
        Err(error) => Finding::warn(
            TOPIC,
            format!("{} cannot be looked at: {error}", dir.display()),
            "name a folder on a tmpfs",
        ),
    }
}

/// Whether a copy of the database can be made.
pub fn backups(backup: &Backup) -> Finding {
    const TOPIC: Topic = Topic::Backup;
    let read = backup.passphrase.as_ref().map(Passphrase::read);
    if let Some(Err(error)) = read {
        return Finding::fail(
            TOPIC,
            format!("no copy can be made: the passphrase cannot be read: {error}"),
            "let the user we run as read the file that `backup.passphrase_file` names",
        );
    }
    match try_in(&backup.dir, |_| ()) {
        Ok(()) => Finding::ok(TOPIC, format!("{} takes copies", backup.dir.display())),
        Err(error) => Finding::fail(
            TOPIC,
            format!("{} cannot be written: {error}", backup.dir.display()),
            backup::let_us_write(&error),
        ),
    }
}

/// Makes a file in a folder, or in what that would be made in, asks about it, and takes it away.
fn try_in<T>(folder: &Path, ask: impl FnOnce(&File) -> T) -> io::Result<T> {
    let probe = there(folder).join(format!(".yardarm-doctor-{}", std::process::id()));
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&probe)?;
    let answer = ask(&file);
    fs::remove_file(&probe)?;
    Ok(answer)
}

/// The folder, or the nearest one above it.
fn there(folder: &Path) -> &Path {
    let mut all = folder.ancestors();
    all.find(|folder| folder.exists())
        .unwrap_or_else(|| Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_cannot_be_given_away_are_told() {
        let refused = io::Error::from_raw_os_error(1);
        insta::assert_snapshot!(ungiven(Path::new("/run/x"), &refused), @r#"warn  secrets.dir: files in /run/x cannot be given to other users: Operation not permitted (os error 1): only an agent that runs as our own gets its secrets → run us as root or with CAP_CHOWN, as the service and the composition do, or have templates say `"as": "env"`"#);
    }

    #[test]
    fn a_folder_that_a_sandbox_shuts_is_told_with_what_opens_it() {
        insta::assert_snapshot!(backup::let_us_write(&io::Error::from_raw_os_error(30)), @"open `backup.dir` to Yardarm: `ReadWritePaths=` by `systemctl edit yardarm`, or a mount of it in docker-compose.yml");
    }

    #[test]
    fn a_copy_needs_a_folder_and_its_passphrase() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("passphrase");
        let mut backup = Backup {
            dir: file.join("backups"),
            keep: 1,
            passphrase: Some(Passphrase::File(file.clone())),
        };
        let said = |backup: &Backup| {
            let line = backups(backup).to_string();
            line.replace(&folder.path().display().to_string(), "FOLDER")
        };
        insta::assert_snapshot!(said(&backup), @"fail  backup: no copy can be made: the passphrase cannot be read: `FOLDER/passphrase` No such file or directory (os error 2) → let the user we run as read the file that `backup.passphrase_file` names");
        fs::write(&file, "open").unwrap();
        insta::assert_snapshot!(said(&backup), @"fail  backup: FOLDER/passphrase/backups cannot be written: Not a directory (os error 20) → give the user that runs Yardarm write access to `backup.dir`");
        backup.dir = folder.path().join("to/be/made");
        insta::assert_snapshot!(said(&backup), @"ok    backup: FOLDER/to/be/made takes copies");
    }
}
