//! `make up` beside a real installation: `scripts/up` with programs in the place of ours that only say how they were called.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

/// What localcord would say of its people, channels and roles.
const WORLD: &str = r#"{"id":"11111","name":"olga"}{"id":"22222","name":"mina"}{"id":"33333","name":"ops"}
    {"id":"44444","managed":false,"mentionable":true,"name":"crew"}{"connected":1}"#;

struct Checkout(tempfile::TempDir);

impl Checkout {
    fn new() -> Self {
        let checkout = Self(tempfile::tempdir().unwrap());
        let up = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/up");
        checkout.program("scripts/up", &fs::read_to_string(up).unwrap());
        for idle in ["scripts/demo-image", "bin/cargo"] {
            checkout.program(idle, "#!/bin/sh\n");
        }
        checkout.program(
            "bin/curl",
            &format!("#!/bin/sh\ncat <<'END'\n{WORLD}\nEND\n"),
        );
        let localcord = "#!/bin/sh\necho '{\"token\": \"localcord.1.2\"}' >\"$4\"\nexec sleep 60\n";
        checkout.program("target/debug/localcord", localcord);
        let yardarm = "#!/bin/sh\nenv >said\necho \"$@\" >>said\ncat \"$3\" >>said\n";
        checkout.program("target/debug/yardarm", yardarm);
        checkout
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    fn program(&self, name: &str, text: &str) {
        self.write(name, text);
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// What Yardarm is given: its environment, its arguments and its settings.
    fn up(&self) -> String {
        let path = std::env::var_os("PATH").unwrap();
        let all = std::iter::once(self.path("bin")).chain(std::env::split_paths(&path));
        let output = Command::new(self.path("scripts/up"))
            .env("PATH", std::env::join_paths(all).unwrap())
            .env("YARDARM_VAULT_KEY", "of-the-shell")
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("DISCORD_OPENAPI")
            .output()
            .unwrap();
        let said = fs::read_to_string(self.path("said"));
        said.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    }
}

#[test]
fn what_belongs_to_the_real_discord_stays_out_of_a_local_one() {
    let checkout = Checkout::new();
    checkout.write("configs/yardarm.toml", "[ping]\nurl_env = \"PING_URL\"\n");
    let keys = "DISCORD_TOKEN=from-production\nYARDARM_VAULT_KEY=from-production\nPING_URL=https://from-production.example\n\
                AGENT_KEY='two words'\nAGENT_OTHER=1\n";
    checkout.write(".env", keys);
    let said = checkout.up();
    for given in [
        "AGENT_KEY=two words",
        "AGENT_OTHER=1",
        "DISCORD_TOKEN=localcord.1.2",
    ] {
        assert!(said.lines().any(|line| line == given), "{given}: {said}");
    }
    for foreign in ["from-production", "of-the-shell", "PING_URL"] {
        assert!(!said.contains(foreign), "{foreign}: {said}");
    }
    assert!(said.contains("level = \"maintainer\""), "{said}");
}
