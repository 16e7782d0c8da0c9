use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::snowflake::Snowflake;
use crate::domain::{
    agent::Name,
    grant::{Grant, Holder, Level, Source, Team},
    ids::{RoleId, UserId},
    nearest::did_you_mean,
    pattern::Pattern,
    policy::Preset,
    problem::{Problem, shown},
};

/// Who may act.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Access {
    /// User ids of those who may do everything: each is short for a `[[grant]]` of `owner` on `*`.
    #[serde(deserialize_with = "users")]
    #[schemars(with = "Vec<Snowflake>")]
    pub owners: Vec<UserId>,
    /// The rules that count where no `[[policy]]` does.
    pub preset: Preset,
    /// The owners and every `[[grant]]`.
    #[serde(skip)]
    pub grants: Vec<Grant>,
    /// Every `[[team]]`.
    #[serde(skip)]
    pub teams: Vec<Team>,
}

/// A level on some fleets, for one role, user or team.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantEntry {
    /// The id of a role of the served guild.
    role: Option<Snowflake>,
    /// The id of a user.
    user: Option<Snowflake>,
    /// The name of a `[[team]]`.
    team: Option<String>,
    level: Level,
    /// The name of a fleet, a pattern such as `prod-*`, or `*` for everything.
    #[schemars(with = "String")]
    fleet: Pattern,
    /// When it ends, as in `2026-12-31T18:00:00Z`.
    #[schemars(with = "Option<String>")]
    until: Option<Until>,
}

/// A named set of roles and users.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TeamEntry {
    #[schemars(with = "String")]
    name: Name,
    /// Ids of roles of the served guild.
    #[serde(default)]
    roles: Vec<Snowflake>,
    /// Ids of users.
    #[serde(default)]
    users: Vec<Snowflake>,
    /// Names or patterns of fleets: its members are maintainers there, and stand first among those asked.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    owns: BTreeSet<Pattern>,
}

/// An instant as TOML writes it, or as a text.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Until {
    Native(toml::value::Datetime),
    Text(String),
}

impl Access {
    /// Takes over the entries, or tells what is wrong with them. `home` is the served guild.
    pub(super) fn settle(
        mut self,
        grants: Vec<GrantEntry>,
        teams: Vec<TeamEntry>,
        home: Option<Snowflake>,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        for (index, entry) in teams.into_iter().enumerate() {
            let at = format!("team[{index}]");
            if self.teams.iter().any(|team| team.name == entry.name) {
                let message = format!("`{}` is there twice", entry.name);
                let hint = "give each team a name of its own";
                problems.push(Problem::new(format!("{at}.name"), message, hint));
            }
            let everyone = entry.roles.iter().any(|role| Some(*role) == home);
            problems.extend(everyone.then(|| no_everyone(&format!("{at}.roles"))));
            self.teams.push(entry.team());
        }
        self.grants = self.owners.iter().map(|owner| owned_by(*owner)).collect();
        for (index, entry) in grants.into_iter().enumerate() {
            match entry.grant(&format!("grant[{index}]"), &self.teams, home) {
                Ok(grant) => self.grants.push(grant),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            Ok(self)
        } else {
            Err(problems)
        }
    }
}

impl GrantEntry {
    fn grant(self, at: &str, teams: &[Team], home: Option<Snowflake>) -> Result<Grant, Problem> {
        let until = self.until.as_ref().map(|until| until.instant(at));
        if self.role.is_some() && self.role == home {
            return Err(no_everyone(&format!("{at}.role")));
        }
        Ok(Grant {
            holder: self.holder(at, teams)?,
            until: until.transpose()?,
            level: self.level,
            fleets: self.fleet,
            ..from_file()
        })
    }

    fn holder(&self, at: &str, teams: &[Team]) -> Result<Holder, Problem> {
        match (self.role, self.user, &self.team) {
            (Some(role), None, None) => Ok(Holder::Role(RoleId(role.0))),
            (None, Some(user), None) => Ok(Holder::User(UserId(user.0))),
            (None, None, Some(team)) => {
                let known = teams.iter().find(|known| known.name.as_str() == team);
                known
                    .map(|team| Holder::Team(team.name.clone()))
                    .ok_or_else(|| unknown_team(at, team, teams))
            }
            _ => Err(Problem::new(
                at,
                "is for nobody or for several",
                "give one of `role`, `user` and `team`",
            )),
        }
    }
}

impl TeamEntry {
    fn team(self) -> Team {
        Team {
            name: self.name,
            users: self.users.iter().map(|id| UserId(id.0)).collect(),
            roles: self.roles.iter().map(|id| RoleId(id.0)).collect(),
            owns: self.owns,
            source: Source::File,
        }
    }
}

impl Until {
    fn instant(&self, at: &str) -> Result<DateTime<Utc>, Problem> {
        let text = match self {
            Self::Native(instant) => instant.to_string(),
            Self::Text(text) => text.clone(),
        };
        let parsed = DateTime::parse_from_rfc3339(&text);
        parsed.map(|instant| instant.to_utc()).map_err(|_| {
            let message = format!("{} is no instant", shown(&text));
            let hint = "write date, time and zone: `2026-12-31T18:00:00Z`";
            Problem::new(format!("{at}.until"), message, hint)
        })
    }
}

fn owned_by(user: UserId) -> Grant {
    Grant {
        holder: Holder::User(user),
        ..from_file()
    }
}

/// Owner of everything, by nobody in particular.
fn from_file() -> Grant {
    Grant {
        id: None,
        holder: Holder::User(UserId(0)),
        level: Level::Owner,
        fleets: Pattern::everything(),
        until: None,
        source: Source::File,
        granted_by: None,
        created_at: None,
    }
}

fn unknown_team(at: &str, team: &str, teams: &[Team]) -> Problem {
    let known: BTreeSet<&str> = teams.iter().map(|team| team.name.as_str()).collect();
    let known: Vec<&str> = known.into_iter().collect();
    let hint = if known.is_empty() {
        "add a `[[team]]` with that name".to_owned()
    } else {
        did_you_mean(team, &known)
    };
    Problem::new(
        format!("{at}.team"),
        format!("there is no team {}", shown(team)),
        hint,
    )
}

/// Its id is the guild's, and Discord does not list it among a member's roles: it would give nobody anything.
fn no_everyone(at: &str) -> Problem {
    Problem::new(
        at,
        "is the server's own id, which stands for @everyone",
        "make a role that people are given, and use its id",
    )
}

fn users<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<UserId>, D::Error> {
    let ids = Vec::<Snowflake>::deserialize(deserializer)?;
    Ok(ids.into_iter().map(|id| UserId(id.0)).collect())
}
