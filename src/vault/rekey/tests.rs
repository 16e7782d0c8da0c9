use std::os::unix::fs::PermissionsExt as _;

use secrecy::SecretString;

use super::*;

/// A key in force, and what is beside it.
struct Scene {
    file: PathBuf,
    vault: Vault,
    _folder: tempfile::TempDir,
}

fn instance() -> InstanceId {
    InstanceId("one".to_owned())
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("yardarm.key");
        Self {
            vault: unlock(&file, &[]).unwrap(),
            file,
            _folder: folder,
        }
    }

    fn source(&self) -> KeySource<'_> {
        KeySource {
            file: &self.file,
            given: None,
        }
    }

    fn successor(&self) -> Successor {
        Successor::of(&self.vault, self.source(), None).unwrap()
    }

    fn unlocks_with(&self, sealed_with: &KeyId) -> KeyId {
        let vault = unlock(&self.file, std::slice::from_ref(sealed_with)).unwrap();
        vault.id().clone()
    }
}

fn unlock(file: &Path, sealed_with: &[KeyId]) -> Result<Vault, KeyError> {
    Vault::unlock(KeySource { file, given: None }, &instance(), sealed_with)
}

#[test]
fn a_new_key_takes_the_place_of_the_old_one() {
    let scene = Scene::new();
    let next = scene.successor();
    next.write().unwrap();
    let mode = fs::metadata(beside(&scene.file)).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    assert_eq!(
        next.take_over().unwrap(),
        Some(settled(&scene.file).as_path())
    );
    assert!(!beside(&scene.file).exists());
    assert_eq!(scene.unlocks_with(next.vault.id()), *next.vault.id());
    assert!(unlock(&scene.file, &[scene.vault.id().clone()]).is_err());
}

#[test]
fn cut_off_before_anything_was_sealed_the_old_key_counts_and_nothing_is_deleted() {
    let scene = Scene::new();
    scene.successor().write().unwrap();
    assert_eq!(scene.unlocks_with(scene.vault.id()), *scene.vault.id());
    assert!(beside(&scene.file).exists());
    let again = scene.successor().write().unwrap_err().to_string();
    assert!(again.contains("left by a rekeying"), "{again}");
}

#[test]
fn cut_off_after_all_was_sealed_the_new_key_counts_even_without_the_old_file() {
    let scene = Scene::new();
    let next = scene.successor();
    next.write().unwrap();
    fs::remove_file(&scene.file).unwrap();
    assert_eq!(scene.unlocks_with(next.vault.id()), *next.vault.id());
    assert!(!beside(&scene.file).exists());
}

#[test]
fn cut_off_in_the_middle_of_the_file_the_old_key_counts() {
    let scene = Scene::new();
    fs::write(beside(&scene.file), "00ff").unwrap();
    assert_eq!(scene.unlocks_with(scene.vault.id()), *scene.vault.id());
    assert!(beside(&scene.file).exists());
}

#[test]
fn behind_a_link_the_file_itself_is_replaced() {
    let scene = Scene::new();
    let link = scene.file.with_extension("link");
    std::os::unix::fs::symlink(&scene.file, &link).unwrap();
    let source = KeySource {
        file: &link,
        given: None,
    };
    let next = Successor::of(&scene.vault, source, None).unwrap();
    next.write().unwrap();
    next.take_over().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(scene.unlocks_with(next.vault.id()), *next.vault.id());
}

#[test]
fn a_key_of_the_environment_is_followed_by_one_that_is_given() {
    let scene = Scene::new();
    let key = SecretString::from("07".repeat(32));
    let source = KeySource {
        file: Path::new("/nowhere"),
        given: Some(&key),
    };
    let vault = Vault::unlock(source, &instance(), &[]).unwrap();
    let none = Successor::of(&vault, source, None).err().unwrap();
    assert!(none.to_string().contains("--new-key-file"), "{none}");
    let next = Successor::of(&vault, source, Some(&scene.file)).unwrap();
    assert_eq!(next.vault.id(), scene.vault.id());
    next.write().unwrap();
    assert_eq!(next.take_over().unwrap(), None);
}

#[test]
fn a_given_key_has_to_be_there_and_to_be_another() {
    let scene = Scene::new();
    let given = |file: &Path| {
        let refused = Successor::of(&scene.vault, scene.source(), Some(file));
        refused.err().unwrap().to_string()
    };
    assert!(given(&scene.file).contains("which is the one in force"));
    assert!(given(Path::new("/nowhere")).contains("cannot be read"));
}
