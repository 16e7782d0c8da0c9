//! Files that nobody but whoever runs Yardarm may read. A command on the host may be root's, for a service that is another
//! user's: what root makes belongs to that user, who could not even open it otherwise.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::Path,
};

/// Who may give a file away.
const ROOT: u32 = 0;

/// An empty file where none is, for the owner of `like`.
pub fn make(file: &Path, like: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let made = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    hand_over(&made, like)?;
    Ok(made)
}

/// The same with a folder and those above it, unless it is there.
pub fn make_folder(folder: &Path, like: &Path) -> io::Result<()> {
    if folder.try_exists()? {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    hand_over(&File::open(folder)?, like)
}

/// Gives what root made to the owner of `like`.
pub fn hand_over(made: &File, like: &Path) -> io::Result<()> {
    let (owner, now) = (fs::metadata(like)?, made.metadata()?);
    if now.uid() != ROOT || owner.uid() == ROOT {
        return Ok(());
    }
    fchown(made, Some(owner.uid()), Some(owner.gid()))
}

/// Where a file is.
pub fn folder_of(file: &Path) -> &Path {
    let folder = file.parent();
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or_else(|| Path::new("."))
}
