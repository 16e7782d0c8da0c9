//! All SQL, and nothing but SQL.
//!
//! One writer (`synchronous = FULL`: what we said happened has happened, even after a power cut) and a few
//! readers. Writes begin `IMMEDIATE`, because a transaction that reads first and writes later would be refused
//! at once when another has written meanwhile, whatever the busy timeout. No transaction awaits Docker or Discord.

pub mod actions;
pub mod agents;
pub mod alerts;
pub mod allowances;
pub mod anchors;
pub mod approvals;
pub mod audit;
pub mod backup;
pub mod boards;
pub mod breakers;
pub mod drafts;
pub mod fleets;
pub mod freezes;
pub mod grants;
pub mod incidents;
pub mod ledger;
pub mod outbox;
mod past;
pub mod process;
mod report;
pub mod samples;
pub mod schedules;
pub mod secrets;
pub mod silences;
pub mod templates;

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use futures::future::BoxFuture;
use sqlx::{
    Connection as _, Sqlite, SqlitePool, Transaction,
    migrate::MigrateError,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::files;

/// What the database refuses with; nobody else names its crate.
pub type Error = sqlx::Error;

pub type Result<T, E = Error> = std::result::Result<T, E>;

pub type Tx = Transaction<'static, Sqlite>;

/// How long a write waits for the database before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const READERS: u32 = 4;

#[derive(Debug)]
pub struct Store {
    writer: SqlitePool,
    reader: SqlitePool,
    /// Held as long as we live: one process serves a database. None for one that stands beside it.
    _lock: Option<File>,
}

/// Why a database could not be opened; the text is for whoever starts the process.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("there is no database `{}`\nhint: `yardarm up` makes it; `--config` and `--set database.path=PATH` say which one is meant", .0.display())]
    Absent(PathBuf),
    #[error("`{}` is in use by another Yardarm\nhint: stop that one, or give this one a `database.path` of its own", .0.display())]
    InUse(PathBuf),
    #[error("`{}` was written by a newer Yardarm (migration {migration})\nhint: start that version, or restore a backup made by this one", .path.display())]
    Newer { path: PathBuf, migration: i64 },
    #[error("`{}` cannot be written: {cause}\nhint: give the user that runs Yardarm write access to the file and its folder", .path.display())]
    Unwritable { path: PathBuf, cause: String },
    #[error("`{}` cannot be used now: {cause}\nhint: the next start tries again; it takes room on the disk, leave to open more files, or an end of what holds this one", .path.display())]
    Unready { path: PathBuf, cause: String },
    #[error("`{}` cannot be opened as a database", .path.display())]
    Broken { path: PathBuf, source: sqlx::Error },
}

impl Store {
    /// Opens or makes the database, and brings it up to date.
    pub async fn open(path: &Path) -> Result<Self, OpenError> {
        let lock = lock(path)?;
        make(path)?;
        let writer = writer(path).await?;
        migrate(&writer, path).await?;
        Self::with_readers(path, writer, Some(lock)).await
    }

    /// For a command on the host: as [`Self::open`], but makes none. One that is not there is another than was meant, and
    /// what is done to it nobody would notice.
    pub async fn open_there(path: &Path) -> Result<Self, OpenError> {
        is_there(path)?;
        Self::open(path).await
    }

    /// As [`Self::open_there`], or beside the process that serves the database. Beside it only what that process does not
    /// keep in memory may be written.
    pub async fn open_or_join(path: &Path) -> Result<Self, OpenError> {
        match Self::open_there(path).await {
            Err(OpenError::InUse(_)) => {
                let writer = writer(path).await?;
                Self::with_readers(path, writer, None).await
            }
            opened => opened,
        }
    }

    /// For a copy: as it is, even if an older Yardarm wrote it, and beside whoever serves it or alone.
    pub async fn open_as_it_is(path: &Path) -> Result<Self, OpenError> {
        is_there(path)?;
        let lock = match lock(path) {
            Err(OpenError::InUse(_)) => None,
            locked => Some(locked?),
        };
        let writer = writer(path).await?;
        Self::with_readers(path, writer, lock).await
    }

    async fn with_readers(
        path: &Path,
        writer: SqlitePool,
        lock: Option<File>,
    ) -> Result<Self, OpenError> {
        let reader = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options(path).read_only(true))
            .await
            .map_err(|error| explain(path, error))?;
        Ok(Self {
            writer,
            reader,
            _lock: lock,
        })
    }

    /// Begins a write. Only one is under way at any time.
    pub async fn begin(&self) -> sqlx::Result<Tx> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }

    /// Does one thing in small transactions, as others want to write meanwhile, until `part` finds nothing left to do.
    async fn in_parts(
        &self,
        part: impl Fn(&mut Tx) -> BoxFuture<'_, sqlx::Result<bool>>,
    ) -> sqlx::Result<()> {
        loop {
            let mut tx = self.begin().await?;
            let more = part(&mut tx).await?;
            tx.commit().await?;
            if !more {
                return Ok(());
            }
        }
    }

    /// Ends both pools, so that the last write is in the file.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
}

async fn writer(path: &Path) -> Result<SqlitePool, OpenError> {
    SqlitePoolOptions::new()
        .max_connections(1)
        // What SQLite has rolled back by itself, because its disk is full, sqlx takes for under way and cannot end: nothing
        // could be begun on that connection any more.
        .before_acquire(|connection, _| {
            Box::pin(async move { Ok(!connection.is_in_transaction()) })
        })
        .connect_with(options(path))
        .await
        .map_err(|error| explain(path, error))
}

fn is_there(path: &Path) -> Result<(), OpenError> {
    match path.try_exists() {
        Ok(false) => Err(OpenError::Absent(path.to_owned())),
        // What else keeps us from it is told where it is opened.
        Ok(true) | Err(_) => Ok(()),
    }
}

/// A connection that stands beside whoever serves the database.
async fn beside(path: &Path) -> Result<SqlitePool, OpenError> {
    is_there(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(BUSY_TIMEOUT);
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect_with(options).await;
    pool.map_err(|error| explain(path, error))
}

/// What people wrote and agents said stands in it: nobody else may read it. `SQLite` takes an empty file for a new database,
/// and gives what it puts beside it the same mode and owner.
fn make(path: &Path) -> Result<(), OpenError> {
    match files::make(path, files::folder_of(path)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop).map_err(refused(path)),
    }
}

fn refused(path: &Path) -> impl Fn(io::Error) -> OpenError {
    |error| {
        let (path, cause) = (path.to_owned(), error.to_string());
        if passes(&error) {
            OpenError::Unready { path, cause }
        } else {
            OpenError::Unwritable { path, cause }
        }
    }
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let refused = refused(path);
    std::fs::create_dir_all(files::folder_of(path)).map_err(&refused)?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let beside = PathBuf::from(beside);
    let file = match files::make(&beside, owned(path)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => File::open(&beside),
        made => made,
    };
    let file = file.map_err(&refused)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(refused(error)),
    }
}

/// What tells by its owner who serves the database.
fn owned(path: &Path) -> &Path {
    if path.exists() {
        path
    } else {
        files::folder_of(path)
    }
}

async fn migrate(writer: &SqlitePool, path: &Path) -> Result<(), OpenError> {
    match sqlx::migrate!().run(writer).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _)) => {
            Err(OpenError::Newer {
                path: path.to_owned(),
                migration: version,
            })
        }
        Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => {
            Err(explain(path, error))
        }
        Err(error) => Err(OpenError::Broken {
            path: path.to_owned(),
            source: sqlx::Error::Migrate(Box::new(error)),
        }),
    }
}

fn explain(path: &Path, error: sqlx::Error) -> OpenError {
    let code = primary_code(&error);
    // SQLite does not tell why it may not open a file; the system does.
    let told = File::open(path).err().filter(passes);
    let lack = told.filter(|_| code == Some(CANTOPEN));
    let cause = lack
        .as_ref()
        .map_or_else(|| error.to_string(), ToString::to_string);
    let path = path.to_owned();
    match code {
        _ if lack.is_some() || is_passing(&error) => OpenError::Unready { path, cause },
        Some(READONLY | CANTOPEN) => OpenError::Unwritable { path, cause },
        _ => OpenError::Broken {
            path,
            source: error,
        },
    }
}

// Codes of <https://www.sqlite.org/rescode.html>.
const BUSY: u32 = 5;
const READONLY: u32 = 8;
const IOERR: u32 = 10;
const FULL: u32 = 13;
const CANTOPEN: u32 = 14;

/// `SQLite`'s extended codes keep the primary one in the low byte.
fn primary_code(error: &Error) -> Option<u32> {
    let error = error.as_database_error()?;
    let code: u32 = error.code()?.parse().ok()?;
    Some(code & 0xff)
}

/// Whether it is the disk's or another process's doing, and may be over the next time.
fn is_passing(error: &Error) -> bool {
    matches!(error, Error::PoolTimedOut) || matches!(primary_code(error), Some(BUSY | IOERR | FULL))
}

/// As [`is_passing`], of files beside the database.
fn passes(error: &io::Error) -> bool {
    const TOO_MANY_OPEN: [i32; 2] = [23, 24];
    let kind = error.kind();
    matches!(
        kind,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    ) || error
        .raw_os_error()
        .is_some_and(|code| TOO_MANY_OPEN.contains(&code))
}

/// Whether the database refused a row because one like it is there.
pub fn is_taken(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

impl From<Error> for crate::error::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::PoolClosed => Self::Unavailable(
                "Yardarm is being stopped. What it has accepted is finished or reported at its next start."
                    .to_owned(),
            ),
            error if is_passing(&error) || primary_code(&error) == Some(CANTOPEN) => Self::Unavailable(format!(
                "Yardarm's database does not take it now ({error}). Try again once its disk has room and nobody else holds it."
            )),
            error => Self::Internal(anyhow::Error::new(error).context("the database refused")),
        }
    }
}

/// A word or a JSON text in a row that this version does not know: the row is whole, we are not.
fn unreadable(column: &str, value: &str) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: format!("`{value}` is not understood").into(),
    }
}

fn json<T: serde::de::DeserializeOwned>(column: &str, text: &str) -> sqlx::Result<T> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: error.into(),
    })
}

fn to_json<T: serde::Serialize>(value: &T) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}
