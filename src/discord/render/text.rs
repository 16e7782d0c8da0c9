//! Small texts: cut by what Discord counts, and unable to become anything but text.

use chrono::{DateTime, TimeDelta, Utc};

/// Shortens to `max` UTF-16 units, which is what Discord counts, and shows that it did.
pub fn clip(text: &str, max: usize) -> String {
    if text.encode_utf16().count() <= max {
        return text.to_owned();
    }
    let mut room = max.saturating_sub(1);
    let kept: String = text
        .chars()
        .take_while(|c| {
            let fits = c.len_utf16() <= room;
            room = room.saturating_sub(c.len_utf16());
            fits
        })
        .collect();
    format!("{kept}…")
}

/// The end of a text, for logs: the last lines matter.
pub fn clip_front(text: &str, max: usize) -> String {
    if text.encode_utf16().count() <= max {
        return text.to_owned();
    }
    let mut room = max.saturating_sub(1);
    let mut start = text.len();
    for (at, c) in text.char_indices().rev() {
        if c.len_utf16() > room {
            break;
        }
        room -= c.len_utf16();
        start = at;
    }
    format!("…{}", text.get(start..).unwrap_or_default())
}

/// What is invisible and does something: control characters, and those that turn the direction of writing.
fn is_tricky(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text from outside, on one line, that must not format or mention anything.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\*_~`|<>#[]()@".contains(c) {
            escaped.push('\\');
        }
        escaped.push(if is_tricky(c) { ' ' } else { c });
    }
    escaped
}

/// A sentence of ours that repeats words of Docker's, on one line: our code spans stay, nothing opens a block.
pub fn sentence(text: &str, max: usize) -> String {
    let line: String = text
        .chars()
        .map(|c| if is_tricky(c) { ' ' } else { c })
        .collect();
    clip(&line.replace("``", "`\u{200b}`"), max)
}

/// Text from outside as a code span, on one line; `max` counts the text alone.
pub fn code(text: &str, max: usize) -> String {
    let tame = |c| match c {
        '`' => '\'',
        c if is_tricky(c) => ' ',
        c => c,
    };
    let line = clip(&text.chars().map(tame).collect::<String>(), max);
    format!("`{}`", if line.is_empty() { " " } else { &line })
}

/// Text from outside in a code block, its end kept if it is too long. `max` counts the fences.
pub fn code_block(text: &str, max: usize) -> String {
    const FENCES: usize = 8;
    let clean: String = text
        .chars()
        .filter(|c| !is_tricky(*c) || *c == '\n' || *c == '\t')
        .collect();
    // A zero-width space between two keeps three backticks from ever standing together.
    let tame = clean.replace("``", "`\u{200b}`");
    let body = clip_front(&tame, max.saturating_sub(FENCES));
    format!("```\n{}\n```", if body.is_empty() { " " } else { &body })
}

/// `2.3 s`, `4 min 10 s`, `3 h 5 min`, `2 d 4 h`.
pub fn duration(time: TimeDelta) -> String {
    let milliseconds = time.num_milliseconds().max(0);
    let seconds = milliseconds / 1000;
    match seconds {
        0..=9 => format!("{}.{} s", seconds, milliseconds % 1000 / 100),
        10..=59 => format!("{seconds} s"),
        60..=3599 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..=86_399 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// As [`duration`], of a length that somebody set: `1 h`, `1 h 30 min`.
pub fn length(time: TimeDelta) -> String {
    let text = duration(time);
    let zeros = [" 0 s", " 0 min", " 0 h"];
    let whole = zeros.iter().find_map(|zero| text.strip_suffix(zero));
    whole.unwrap_or(&text).to_owned()
}

/// A time that Discord shows as "5 minutes ago", in the reader's own zone.
pub fn ago(at: DateTime<Utc>) -> String {
    format!("<t:{}:R>", at.timestamp())
}

/// `1 agent`, `7 agents`.
pub fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// `312 MiB`, `1.5 GiB`.
#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
pub fn bytes(bytes: u64) -> String {
    const MIB: f64 = 1024.0 * 1024.0;
    let mib = bytes as f64 / MIB;
    match mib {
        mib if mib >= 1024.0 => format!("{:.1} GiB", mib / 1024.0),
        mib if mib >= 10.0 => format!("{mib:.0} MiB"),
        mib => format!("{mib:.1} MiB"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_read_well() {
        let shown: Vec<String> = [2345, 61_000, 3_725_000, 180_000_000]
            .map(|ms| duration(TimeDelta::milliseconds(ms)))
            .into();
        assert_eq!(shown, ["2.3 s", "1 min 1 s", "1 h 2 min", "2 d 2 h"]);
    }

    proptest! {
        #[test]
        fn clipped_text_fits(text in ".{0,300}", max in 1_usize..200) {
            prop_assert!(clip(&text, max).encode_utf16().count() <= max);
            prop_assert!(clip_front(&text, max).encode_utf16().count() <= max);
        }

        #[test]
        fn a_code_span_holds_whatever_is_put_in(text in "[`a\n\u{1b}\u{202e}]{0,50}", max in 1_usize..40) {
            let span = code(&text, max);
            prop_assert!(span.encode_utf16().count() <= max.max(1) + 2);
            prop_assert_eq!(span.matches('`').count(), 2);
            prop_assert!(span.len() > 2 && !span.contains(is_tricky));
        }

        #[test]
        fn a_code_block_holds_whatever_is_put_in(text in "[`a\n@]{0,300}", max in 20_usize..200) {
            let block = code_block(&text, max);
            prop_assert!(block.encode_utf16().count() <= max);
            prop_assert_eq!(block.matches("```").count(), 2);
        }
    }
}
