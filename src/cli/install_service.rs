//! `yardarm install-service`: a unit for systemd, with as few rights as Yardarm can do with.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::Args;

use super::{
    report::BAD_SETTINGS,
    up::{BAD_DATABASE, TOKEN_REFUSED},
};
use crate::config::Environment;

const SYSTEM: &str = include_str!("../../configs/systemd/yardarm.service");
const USER: &str = include_str!("../../configs/systemd/yardarm-user.service");
const SYSUSERS: &str = include_str!("../../configs/systemd/yardarm.sysusers");
/// The command line is not understood; clap ends the process with it.
const MISUSED: u8 = 2;
/// What `ProtectHome=` and `PrivateTmp=` of the host's unit keep the service from.
const HIDDEN: [&str; 5] = ["/home", "/root", "/run/user", "/tmp", "/var/tmp"];
/// Exit codes after which starting again changes nothing.
const FINAL: [u8; 4] = [MISUSED, BAD_SETTINGS, BAD_DATABASE, TOKEN_REFUSED];

/// Write a systemd unit that runs this program; it starts nothing
#[derive(Args, Debug)]
pub struct InstallService {
    /// For the service manager of whoever calls this, beside a rootless Docker
    #[arg(long)]
    user: bool,
    /// Print the unit and write nothing
    #[arg(long)]
    print: bool,
    /// Where `configs/`, `discord_token` and `environment` are; `/etc/yardarm`, or `~/.config/yardarm` with `--user`
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// The program that it runs, if not this one
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
    /// Put files below this folder instead of `/`, for a package
    #[arg(long, value_name = "FOLDER", default_value = "/")]
    root: PathBuf,
}

/// Where one of its files goes, and what is in it.
type Part = (PathBuf, String);

impl InstallService {
    #[expect(clippy::print_stdout, reason = "this is what a person asked for")]
    pub fn run(&self) -> anyhow::Result<ExitCode> {
        let program = match &self.program {
            Some(program) => program.clone(),
            None => fs::read_link("/proc/self/exe").context("cannot tell what this program is")?,
        };
        let (parts, next) = if self.user {
            self.for_one_person(&program)?
        } else {
            self.for_the_host(&program)?
        };
        if self.print {
            let unit = parts.last().map(|(_, text)| text.as_str());
            print!("{}", unit.unwrap_or_default());
            return Ok(ExitCode::SUCCESS);
        }
        for (path, text) in &parts {
            put(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
            println!("wrote {}", path.display());
        }
        println!("{next}");
        Ok(ExitCode::SUCCESS)
    }

    /// The unit is the last part, as that of the other.
    fn for_the_host(&self, program: &Path) -> anyhow::Result<(Vec<Part>, String)> {
        let default = || PathBuf::from("/etc/yardarm");
        let folder = self.folder.clone().unwrap_or_else(default);
        let shown = program.display();
        let hint = format!(
            "sudo install -m 0755 {shown} /usr/local/bin/yardarm && sudo /usr/local/bin/yardarm install-service"
        );
        visible(program, &hint)?;
        visible(&folder, "name another `--folder`, such as /etc/yardarm")?;
        let users = self.root.join("etc/sysusers.d/yardarm.conf");
        let unit = self.root.join("etc/systemd/system/yardarm.service");
        let parts = vec![
            (users, SYSUSERS.to_owned()),
            (unit, fill_in(SYSTEM, program, &folder)?),
        ];
        let next = format!(
            "hint: put configs/ and discord_token into {}, and what agents need into environment there (both files mode 0600), then:\n  sudo systemd-sysusers && sudo systemctl daemon-reload && sudo systemctl enable --now yardarm",
            folder.display()
        );
        Ok((parts, next))
    }

    fn for_one_person(&self, program: &Path) -> anyhow::Result<(Vec<Part>, String)> {
        let home = Environment::of_process()
            .config_home()
            .context("nothing says where your settings are\nhint: set `HOME`")?;
        let folder = self.folder.clone().unwrap_or_else(|| home.join("yardarm"));
        let below = home.strip_prefix("/").unwrap_or(&home);
        let unit = self.root.join(below).join("systemd/user/yardarm.service");
        let parts = vec![(unit, fill_in(USER, program, &folder)?)];
        let next = format!(
            "hint: put configs/ and discord_token into {}, and what agents need into environment there (both files mode 0600), then:\n  systemctl --user daemon-reload && systemctl --user enable --now yardarm\n  loginctl enable-linger   # so that it runs while you are not logged in",
            folder.display()
        );
        Ok((parts, next))
    }
}

fn fill_in(unit: &str, program: &Path, folder: &Path) -> anyhow::Result<String> {
    let codes = FINAL.map(|code| code.to_string()).join(" ");
    Ok(unit
        .replace("@program@", plain(program)?)
        .replace("@folder@", plain(folder)?)
        .replace("@final@", &codes))
}

/// The host's unit would be started again and again with "203/EXEC", for ever.
fn visible(path: &Path, hint: &str) -> anyhow::Result<()> {
    let hidden = HIDDEN.iter().find(|folder| path.starts_with(folder));
    hidden.map_or(Ok(()), |folder| {
        anyhow::bail!(
            "`{}` is below {folder}, where the service sees nothing\nhint: {hint}",
            path.display()
        )
    })
}

/// A path that systemd takes literally wherever it stands.
fn plain(path: &Path) -> anyhow::Result<&str> {
    let literal = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    let text = path.to_str().filter(|text| text.chars().all(literal));
    let text = text.filter(|text| text.starts_with('/'));
    text.with_context(|| {
        format!(
            "`{}` cannot stand in a unit\nhint: use an absolute path of a–z, 0–9, `.`, `_`, `-` and `+`",
            path.display()
        )
    })
}

fn put(path: &Path, text: &str) -> std::io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
    fs::write(path, text)
}
