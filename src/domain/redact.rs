//! What containers and engines say, without secrets: those we know by value, and those that look like one.
//!
//! Known values are found across line ends too, because logs wrap and split them. The search is linear in the text,
//! whatever the text is.

use std::{fmt, ops::Range, sync::LazyLock};

use aho_corasick::{AhoCorasick, BuildError};
use regex::Regex;

/// What stands in place of a secret.
pub const REDACTED: &str = "[redacted]";

/// Bytes: shorter values would blot out half of every text, and are no secrets worth the name.
const VALUE_MIN: usize = 6;

/// Shapes of secrets that somebody may have put anywhere.
const SHAPES: &[&str] = &[
    // Discord: tokens of bots, and webhooks.
    r"\b[A-Za-z0-9_-]{23,28}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}",
    r"https?://(?:[a-z]+\.)?discord(?:app)?\.com/api/(?:v[0-9]+/)?webhooks/[0-9]+/[A-Za-z0-9_-]+",
    // Anthropic, OpenAI, OpenRouter and their like.
    r"\bsk-[A-Za-z0-9_-]{20,}",
    // xAI, Groq, Hugging Face, Google.
    r"\bxai-[A-Za-z0-9]{20,}",
    r"\bgsk_[A-Za-z0-9]{20,}",
    r"\bhf_[A-Za-z0-9]{20,}",
    r"\bAIza[A-Za-z0-9_-]{35}",
    // GitHub, GitLab, npm.
    r"\bgh[oprsu]_[A-Za-z0-9]{36,}",
    r"\bgithub_pat_[A-Za-z0-9_]{22,}",
    r"\bglpat-[A-Za-z0-9_-]{20,}",
    r"\bnpm_[A-Za-z0-9]{36}",
    // Slack: tokens and webhooks.
    r"\bx(?:ox[a-z]|app)-[A-Za-z0-9-]{10,}",
    r"https://hooks\.slack\.com/[A-Za-z0-9/_-]+",
    // Amazon: the key's id, and the key by its name.
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    r"(?i)aws_secret_access_key\W{1,4}[A-Za-z0-9/+=]{40}",
    // Stripe, Telegram.
    r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",
    r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}",
    // JSON Web Tokens, whatever is sent as a bearer, and passwords in addresses.
    r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    r"(?i)\bbearer\s+[A-Za-z0-9._~+/-]{16,}=*",
    r"://[^/\s:@]*:[^/\s@]+@",
    // Private keys, to their end or to that of the text.
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)",
];

static SHAPE: LazyLock<Regex> = LazyLock::new(|| {
    let all: Vec<String> = SHAPES.iter().map(|shape| format!("(?:{shape})")).collect();
    #[expect(clippy::expect_used, reason = "constant, and compiled by every test")]
    Regex::new(&all.join("|")).expect("a regular expression")
});

/// Takes known values and shapes of secrets out of texts.
pub struct Redactor {
    /// Values without their line ends; texts are searched without theirs.
    known: AhoCorasick,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

impl Redactor {
    /// Knows these values, and each long line of those that have several. Fails if they are too many to be searched.
    pub fn new<'a>(values: impl IntoIterator<Item = &'a str>) -> Result<Self, BuildError> {
        let mut needles: Vec<String> = Vec::new();
        for value in values {
            needles.push(without_line_ends(value).0);
            needles.extend(value.lines().map(|line| line.trim().to_owned()));
        }
        needles.retain(|needle| needle.len() >= VALUE_MIN);
        Ok(Self {
            known: AhoCorasick::new(needles)?,
        })
    }

    /// The text without secrets, with as many lines as before.
    pub fn redact(&self, text: &str) -> String {
        let (flat, removed) = without_line_ends(text);
        let known = self.known.find_overlapping_iter(&flat).map(|found| {
            // The bytes taken out before and within it are counted in again.
            original(&removed, found.start())..original(&removed, found.end() - 1) + 1
        });
        cut(text, known.chain(shapes(text)).collect())
    }

    /// Lines of one text: what is split between two of them is found as well.
    pub fn redact_lines(&self, lines: &[String]) -> Vec<String> {
        let text = self.redact(&lines.join("\n"));
        text.split('\n')
            .take(lines.len())
            .map(str::to_owned)
            .collect()
    }
}

/// What looks like a secret taken out, where no values are known.
pub fn by_shape(text: &str) -> String {
    cut(text, shapes(text).collect())
}

fn shapes(text: &str) -> impl Iterator<Item = Range<usize>> {
    SHAPE.find_iter(text).map(|found| found.range())
}

/// The text without line ends, and where in the text these were.
fn without_line_ends(text: &str) -> (String, Vec<usize>) {
    let removed: Vec<usize> = text
        .bytes()
        .enumerate()
        .filter(|(_, byte)| matches!(byte, b'\n' | b'\r'))
        .map(|(at, _)| at)
        .collect();
    (text.replace(['\n', '\r'], ""), removed)
}

/// Where in the text with line ends a byte of the one without them is.
fn original(removed: &[usize], at: usize) -> usize {
    // How many line ends stand before it: the first count that puts none of the rest before it.
    let (mut low, mut high) = (0, removed.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        if removed.get(middle).is_some_and(|end| *end <= at + middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    at + low
}

fn cut(text: &str, mut found: Vec<Range<usize>>) -> String {
    found.sort_by_key(|range| range.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut ranges = found.into_iter().peekable();
    while let Some(mut range) = ranges.next() {
        while let Some(next) = ranges.next_if(|next| next.start < range.end) {
            range.end = range.end.max(next.end);
        }
        out.push_str(text.get(at..range.start).unwrap_or_default());
        out.push_str(REDACTED);
        let inside = text.get(range.clone()).unwrap_or_default();
        out.extend(inside.chars().filter(|c| *c == '\n'));
        at = range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redactor(values: &[&str]) -> Redactor {
        Redactor::new(values.iter().copied()).unwrap()
    }

    /// A key of the shape, put together here so that no scanner takes this file for a leak.
    fn key(prefix: &str, length: usize) -> String {
        format!("{prefix}{}", "a1B2c3D4e5".repeat(20).get(..length).unwrap())
    }

    #[test]
    fn known_values_go_wherever_they_stand() {
        let redactor = redactor(&["planted-1", "planted-1-longer", "line-one\nline-two"]);
        for (text, expected) in [
            ("planted-1", "[redacted]"),
            ("KEY=planted-1;", "KEY=[redacted];"),
            ("planted-1-longer", "[redacted]"),
            ("plan\nted-1 and", "[redacted]\n and"),
            ("a plan\r\nted\n-1", "a [redacted]\n\n"),
            ("only line-two", "only [redacted]"),
            ("line-one\nline-two", "[redacted]\n"),
            ("nothing here", "nothing here"),
        ] {
            assert_eq!(redactor.redact(text), expected, "{text}");
        }
    }

    #[test]
    fn overlapping_values_leave_nothing_over_and_touching_ones_are_two() {
        let redactor = redactor(&["abcdXY", "XYefgh"]);
        assert_eq!(redactor.redact("abcdXYefgh"), "[redacted]");
        assert_eq!(redactor.redact("abcdXYXYefgh"), "[redacted][redacted]");
    }

    #[test]
    fn short_values_are_left_alone() {
        assert_eq!(
            redactor(&["", "8080", "\n\n"]).redact("port 8080"),
            "port 8080"
        );
    }

    #[test]
    fn shapes_go_without_being_known() {
        let bot = format!("{}.{}.{}", key("M", 23), key("", 6), key("", 38));
        let jwt = format!("{}.{}.{}", key("eyJ", 20), key("eyJ", 30), key("", 43));
        let secrets = [
            bot,
            jwt,
            key("sk-ant-api03-", 90),
            key("sk-proj-", 40),
            key("xai-", 80),
            key("ghp_", 36),
            key("github_pat_", 60),
            key("glpat-", 20),
            key("xoxb-", 40),
            key("AIza", 35),
            key("hf_", 34),
            format!("AKIA{}", "A2B3C4D5E6F7G8H9"),
            format!("aws_secret_access_key = {}", key("", 40)),
            format!("https://discord.com/api/webhooks/123/{}", key("", 60)),
            format!(
                "https://ptb.discord.com/api/v10/webhooks/123/{}",
                key("", 60)
            ),
            format!("https://hooks.slack.com/services/T0/B0/{}", key("", 24)),
            format!("Bearer {}", key("", 40)),
            format!(
                "-----BEGIN RSA PRIVATE {}-----\nMII\n-----END RSA PRIVATE KEY-----",
                "KEY"
            ),
        ];
        for secret in secrets {
            let said = by_shape(&format!("see \"{secret}\" there"));
            let rest: String = said.chars().filter(|c| *c != '\n').collect();
            assert_eq!(rest, "see \"[redacted]\" there", "{secret}");
        }
        let address = "postgres://me:hunter2@db/x";
        assert_eq!(by_shape(address), "postgres[redacted]db/x");
        let cut_off = format!("-----BEGIN PRIVATE {}-----\nMII", "KEY");
        assert_eq!(by_shape(&cut_off), "[redacted]\n");
    }

    #[test]
    fn plain_talk_stays() {
        for text in [
            "task 4f1e9c00-0000-4000-8000-000000000000: done in 3.2 s",
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "https://discord.com/channels/1/2 · https://example.org:8080/a@b",
            "desk-top, risk-free, the task-force of yardarm.dev",
            "ask-me-anything-about-it-whenever-you-like",
        ] {
            assert_eq!(by_shape(text), text);
        }
    }

    #[test]
    fn neither_values_nor_a_search_for_them_is_printed() {
        assert_eq!(format!("{:?}", redactor(&["planted-1"])), "Redactor { .. }");
    }

    proptest! {
        #[test]
        fn a_value_is_gone_wherever_lines_break_it(
            before in "[a-z \n]{0,30}", value in "[A-Z0-9]{6,24}", after in "[a-z \n]{0,30}",
            breaks in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        ) {
            let mut broken = value.clone();
            for at in breaks {
                broken.insert(at.index(broken.len() + 1), '\n');
            }
            let text = format!("{before}{broken}{after}");
            let said = redactor(&[&value]).redact(&text);
            prop_assert!(!said.replace('\n', "").contains(&value), "{said}");
            prop_assert_eq!(said.matches('\n').count(), text.matches('\n').count());
            prop_assert!(said.starts_with(&before) && said.ends_with(after.trim_start_matches('\n')));
        }

        #[test]
        fn any_text_survives_and_keeps_its_lines(
            text in "(?s).{0,200}", values in prop::collection::vec("(?s).{0,8}", 0..4),
        ) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
            let said = redactor(&values).redact_lines(&lines);
            prop_assert_eq!(said.len(), lines.len());
        }
    }
}
