//! A disk of its own, on a loop device, that can be filled.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

/// Of 24 MB; gone with its value.
pub(crate) struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let disk = Self { folder };
        let image = disk.folder.path().join("image");
        std::fs::create_dir(disk.path()).unwrap();
        File::create(&image).unwrap().set_len(24 << 20).unwrap();
        run("mkfs.ext4", &["-q", "-F"], &[&image]);
        run("mount", &["-o", "loop"], &[&image, &disk.path()]);
        disk
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// As a setting: the database on it.
    pub(crate) fn database(&self) -> String {
        format!("database.path={}", self.path().join("yardarm.db").display())
    }

    /// Takes so many bytes, or what there is.
    pub(crate) fn fill(&self, bytes: usize) {
        let filled = std::fs::write(self.path().join("ballast"), vec![0; bytes]);
        drop(filled);
    }

    /// Takes all there is. What is written is made sure of again and again: that frees what was set aside for it.
    pub(crate) fn fill_up(&self) {
        let path = self.path().join("ballast");
        let mut ballast = File::options()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
        for size in [1 << 20, 1 << 14, 1 << 10] {
            let bytes = vec![0; size];
            while ballast
                .write_all(&bytes)
                .and_then(|()| ballast.sync_all())
                .is_ok()
            {}
        }
    }

    pub(crate) fn free(&self) {
        std::fs::remove_file(self.path().join("ballast")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run("umount", &["--lazy"], &[&self.path()]);
    }
}

fn run(program: &str, options: &[&str], paths: &[&Path]) {
    let done = Command::new(program).args(options).args(paths).output();
    let done = done.unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{program}: {said}");
}
