//! Copies of the whole database, and the way back from one.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use super::{OpenError, Store, Tx, lock, owned, writer};
use crate::files;

/// What lies beside a database that was not closed in good order; see <https://www.sqlite.org/tempfiles.html>.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

impl Store {
    /// Copies the database as it is now into a file that is not there yet. Others write meanwhile.
    pub async fn copy_into(&self, file: &Path) -> sqlx::Result<()> {
        let file = file.to_string_lossy().into_owned();
        sqlx::query!("VACUUM INTO ?", file)
            .execute(&self.reader)
            .await?;
        Ok(())
    }

    /// The first thing that is wrong with the file itself, if anything is.
    pub async fn damage(&self) -> sqlx::Result<Option<String>> {
        // As an expression, because the checked macro would ask for the table of a plain column.
        let said = sqlx::query_scalar!(
            r#"SELECT integrity_check || '' AS "said!: String" FROM pragma_integrity_check"#
        )
        .fetch_one(&self.reader)
        .await?;
        Ok(Some(said).filter(|said| said != "ok"))
    }
}

/// A place for a database that nobody serves, held for as long as this lives.
#[derive(Debug)]
pub struct Vacancy {
    path: PathBuf,
    _lock: fs::File,
}

impl Vacancy {
    pub fn hold(path: &Path) -> Result<Self, OpenError> {
        Ok(Self {
            path: path.to_owned(),
            _lock: lock(path)?,
        })
    }

    /// A copy of a file beside the place, which only whoever serves the database may read.
    pub fn take_in(&self, file: &Path) -> io::Result<PathBuf> {
        let beside = with(&self.path, ".restoring");
        for end in ["", ".lock"].into_iter().chain(BESIDE) {
            gone(fs::remove_file(with(&beside, end)))?;
        }
        let mut from = fs::File::open(file)?;
        let mut copy = files::make(&beside, owned(&self.path))?;
        io::copy(&mut from, &mut copy)?;
        copy.sync_all()?;
        Ok(beside)
    }

    /// Puts a database that was closed into the place. What was there stays under the name `aside`; it is returned.
    /// Cut off anywhere, one of the two is in the place, whole.
    pub async fn fill(&self, from: &Path, aside: &str) -> Result<Option<PathBuf>, OpenError> {
        let kept = with(&self.path, aside);
        let was_there = self.path.exists();
        if was_there {
            self.tidy().await;
        }
        let put = || {
            if was_there {
                fs::hard_link(&self.path, &kept)?;
            }
            // A log of the old one would be taken for the new one's.
            for end in BESIDE {
                gone(fs::rename(with(&self.path, end), with(&kept, end)))?;
            }
            fs::rename(from, &self.path)?;
            gone(fs::remove_file(with(from, ".lock")))?;
            fs::File::open(files::folder_of(&self.path))?.sync_all()
        };
        put().map_err(|error| OpenError::Unwritable {
            path: self.path.clone(),
            cause: error.to_string(),
        })?;
        Ok(was_there.then_some(kept))
    }

    /// Brings what its log holds into the old database; a broken one stays as it is.
    async fn tidy(&self) {
        match writer(&self.path).await {
            Ok(old) => old.close().await,
            Err(error) => {
                tracing::debug!(error = %error, "the database that is replaced does not open");
            }
        }
    }
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn gone(answer: io::Result<()>) -> io::Result<()> {
    match answer {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        answer => answer,
    }
}

/// Numbers that were given since a backup was made are on messages, containers and volumes: they are not given again.
/// The audit has no gaps, and counts on.
pub async fn leave_numbers_out(tx: &mut Tx, count: i64) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO sqlite_sequence (name, seq)
         SELECT name, 0 FROM sqlite_schema
         WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%' AND name NOT IN (SELECT name FROM sqlite_sequence)"
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "UPDATE sqlite_sequence SET seq = seq + ? WHERE name <> 'audit'",
        count
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
