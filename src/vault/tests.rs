use proptest::prelude::*;

use super::*;

const PLACE: Place = Place {
    secret: 1,
    version: 1,
    column: "value",
};

fn instance(id: &str) -> InstanceId {
    InstanceId(id.to_owned())
}

fn vault() -> Vault {
    Vault::new(&Key::from([7; KEY_BYTES]), &instance("one"))
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("yardarm.key")
    }

    fn unlock(&self, sealed_with: &[KeyId]) -> Result<Vault, KeyError> {
        let file = self.file();
        let source = KeySource {
            file: &file,
            given: None,
        };
        Vault::unlock(source, &instance("one"), sealed_with)
    }

    /// What is said, without the folder, which differs from run to run.
    fn refused(&self, sealed_with: &[KeyId]) -> String {
        let error = self.unlock(sealed_with).unwrap_err().to_string();
        error.replace(&self.0.path().display().to_string(), "")
    }
}

#[test]
fn a_value_opens_in_its_place_and_in_no_other() {
    let vault = vault();
    let sealed = vault.seal(PLACE, &SecretString::from("s3cret"));
    assert_eq!(
        vault.open(PLACE, &sealed).unwrap().expose_secret(),
        "s3cret"
    );
    let others = [
        Place { secret: 2, ..PLACE },
        Place {
            version: 2,
            ..PLACE
        },
        Place {
            column: "other",
            ..PLACE
        },
    ];
    for place in others {
        assert_eq!(
            vault.open(place, &sealed).unwrap_err(),
            Tampered,
            "{place:?}"
        );
    }
    let elsewhere = Vault::new(&Key::from([7; KEY_BYTES]), &instance("two"));
    assert_eq!(elsewhere.open(PLACE, &sealed).unwrap_err(), Tampered);
    let other_key = Vault::new(&Key::from([8; KEY_BYTES]), &instance("one"));
    assert_eq!(other_key.open(PLACE, &sealed).unwrap_err(), Tampered);
}

proptest! {
    #[test]
    fn whatever_is_sealed_opens_and_whatever_is_changed_does_not(value in ".*", at in any::<prop::sample::Index>()) {
        let vault = vault();
        let mut sealed = vault.seal(PLACE, &SecretString::from(value.clone()));
        let opened = vault.open(PLACE, &sealed).unwrap();
        prop_assert_eq!(opened.expose_secret(), value.as_str());
        let at = at.index(sealed.bytes.len());
        sealed.bytes[at] ^= 1;
        prop_assert_eq!(vault.open(PLACE, &sealed).unwrap_err(), Tampered);
        sealed.bytes.truncate(at);
        prop_assert_eq!(vault.open(PLACE, &sealed).unwrap_err(), Tampered);
    }
}

#[test]
fn the_same_value_is_never_sealed_the_same() {
    let value = SecretString::from("s3cret");
    assert_ne!(vault().seal(PLACE, &value), vault().seal(PLACE, &value));
}

#[test]
fn fingerprints_tell_equal_from_different_and_nothing_else() {
    let vault = vault();
    assert_eq!(vault.hmac("KEY", "value"), vault.hmac("KEY", "value"));
    assert_ne!(vault.hmac("KEY", "value"), vault.hmac("KEY", "other"));
    assert_ne!(vault.hmac("KEY", "Xvalue"), vault.hmac("KEYX", "value"));
    let other_key = Vault::new(&Key::from([8; KEY_BYTES]), &instance("one"));
    assert_ne!(vault.hmac("KEY", "value"), other_key.hmac("KEY", "value"));
}

#[test]
fn neither_key_nor_value_is_printed() {
    let vault = vault();
    let printed = format!("{vault:?}");
    assert_eq!(printed, format!("Vault {{ id: {:?}, .. }}", vault.id()));
    assert!(!printed.contains(&hex::encode([7; KEY_BYTES])));
}

#[test]
fn a_key_is_made_once_for_our_eyes_only() {
    let folder = Folder::new();
    let made = folder.unlock(&[]).unwrap();
    let mode = fs::metadata(folder.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = folder.unlock(&[made.id().clone()]).unwrap();
    assert_eq!(again.id(), made.id());
}

#[test]
fn a_missing_key_is_never_made_anew_over_sealed_secrets() {
    let folder = Folder::new();
    insta::assert_snapshot!(folder.refused(&[KeyId("00ff".to_owned())]), @r"
    the vault's key file `/yardarm.key` is missing, and secrets are sealed with key 00ff
    hint: put it back from your backup, or name it by `vault.key_file`
    ");
    assert!(!folder.file().exists());
}

#[test]
fn a_wrong_key_is_told_from_the_right_one() {
    let folder = Folder::new();
    fs::write(folder.file(), "07".repeat(KEY_BYTES)).unwrap();
    insta::assert_snapshot!(folder.refused(&[KeyId("00ff".to_owned())]), @r"
    the vault's key file `/yardarm.key` holds key 148a9d25c996e913, and secrets are sealed with key 00ff
    hint: put the right key back from your backup, or name its file by `vault.key_file`
    ");
    fs::write(folder.file(), "no key at all").unwrap();
    insta::assert_snapshot!(folder.refused(&[]), @r"
    the vault's key file `/yardarm.key` holds no key
    hint: a key is 32 bytes in hexadecimal or base64: `openssl rand -hex 32` makes one
    ");
}

#[test]
fn keys_are_written_in_hexadecimal_or_base64() {
    let bytes = [0xfb; KEY_BYTES];
    let ways = [
        hex::encode(bytes),
        hex::encode_upper(bytes),
        general_purpose::STANDARD.encode(bytes),
        general_purpose::URL_SAFE_NO_PAD.encode(bytes),
        format!(" {}\n", general_purpose::URL_SAFE.encode(bytes)),
    ];
    for text in ways {
        assert_eq!(decode(&text, "here").unwrap(), Key::from(bytes), "{text}");
    }
    for text in ["", "00", &"0".repeat(63), &"0".repeat(66)] {
        let said = decode(text, "here").unwrap_err().to_string();
        assert!(said.starts_with("here holds no key"), "{said}");
    }
}

#[test]
fn a_key_from_the_environment_beats_the_file() {
    let folder = Folder::new();
    let file = folder.file();
    let given = SecretString::from("07".repeat(KEY_BYTES));
    let source = KeySource {
        file: &file,
        given: Some(&given),
    };
    let opened = Vault::unlock(source, &instance("one"), &[]).unwrap();
    assert_eq!(opened.id(), vault().id());
    assert!(!file.exists());
}
