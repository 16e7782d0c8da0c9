//! What was done to an agent shortly before something went wrong with it: often the cause, and always the first question.

use chrono::{DateTime, Utc};

use super::{
    action::{Kind, Origin},
    ids::{ActionId, UserId},
    plan::{self, Made},
    spec::Version,
};

/// Differences that are told; more are counted.
const TOLD: usize = 3;

/// An action that was done to an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub action: ActionId,
    pub kind: Kind,
    pub actor: Option<UserId>,
    pub origin: Origin,
    pub at: DateTime<Utc>,
}

impl Change {
    /// The container is another one since.
    pub const fn is_new_container(&self) -> bool {
        matches!(self.kind, Kind::Redeploy | Kind::Rollback)
    }

    fn told(&self) -> String {
        let by = match self.actor {
            Some(user) => format!("by <@{user}>"),
            None => format!("by {}", self.origin.as_str()),
        };
        let at = self.at.timestamp();
        format!("{} <t:{at}:R> {by} (action {})", self.kind, self.action)
    }
}

/// What a container differs in from the one before it. Of its environment names are told, and no values.
pub fn differences(before: &Version, after: &Version) -> Vec<String> {
    // Compared here and thrown away: nobody sees these values.
    let made = |version: &Version| {
        let image = version.image.as_str().to_owned();
        Made::new(&version.spec, Some(image), |_, value| value.to_owned())
    };
    plan::changes(&made(before), &made(after))
}

/// All of it in one line, latest first; `differences` are those of the latest new container.
pub fn told(changes: &[Change], differences: &[String]) -> Option<String> {
    let newest = changes.iter().position(Change::is_new_container);
    let told = changes.iter().enumerate().map(|(index, change)| {
        let mut text = change.told();
        if Some(index) == newest && !differences.is_empty() {
            let shown = differences.get(..TOLD).unwrap_or(differences);
            text = format!("{text}: {}", shown.join(", "));
            if differences.len() > TOLD {
                text = format!("{text} and {} more", differences.len() - TOLD);
            }
        }
        text
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| format!("Shortly before: {}.", told.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ids::ImageId, view::tests::view};

    fn change(action: i64, kind: Kind, actor: Option<u64>, origin: Origin) -> Change {
        Change {
            action: ActionId(action),
            kind,
            actor: actor.map(UserId),
            origin,
            at: DateTime::from_timestamp(60 * action, 0).unwrap(),
        }
    }

    #[test]
    fn one_line_tells_who_did_what_and_what_differs() {
        let redeploy = change(12, Kind::Redeploy, Some(7), Origin::Chat);
        let restart = change(11, Kind::Restart, None, Origin::Schedule);
        let image = vec!["image `demo:1` → `demo:2`".to_owned()];
        insta::assert_snapshot!(told(&[redeploy, restart], &image).unwrap(), @"Shortly before: redeploy <t:720:R> by <@7> (action 12): image `demo:1` → `demo:2`; restart <t:660:R> by schedule (action 11).");
        insta::assert_snapshot!(told(&[restart], &image).unwrap(), @"Shortly before: restart <t:660:R> by schedule (action 11).");
        assert_eq!(told(&[], &image), None);
    }

    #[test]
    fn only_the_first_differences_are_told() {
        let redeploy = change(12, Kind::Rollback, Some(7), Origin::Chat);
        let five: Vec<String> = (1..=5).map(|one| format!("env +N{one}")).collect();
        insta::assert_snapshot!(told(&[redeploy], &five[..3]).unwrap(), @"Shortly before: rollback <t:720:R> by <@7> (action 12): env +N1, env +N2, env +N3.");
        insta::assert_snapshot!(told(&[redeploy, redeploy], &five).unwrap(), @"Shortly before: rollback <t:720:R> by <@7> (action 12): env +N1, env +N2, env +N3 and 2 more; rollback <t:720:R> by <@7> (action 12).");
    }

    #[test]
    fn what_differs_between_two_versions_is_told() {
        let before = view("").version.unwrap();
        let after = view(r#", "user": "7", "env": { "MODE": "fast" }"#)
            .version
            .unwrap();
        assert_eq!(differences(&before, &after), ["user `` → `7`", "env +MODE"]);
        let rebuilt = Version {
            image: ImageId(format!("sha256:{}", "1".repeat(64))),
            ..Version::clone(&before)
        };
        assert_eq!(
            differences(&before, &rebuilt),
            ["image digest `sha256:0` → `sha256:111111111111`"]
        );
        assert_eq!(differences(&before, &before), [""; 0]);
    }
}
