//! Secret values and a text, with NUL between them, the text last: no value is left in it, and its lines stay.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yardarm::domain::redact::{REDACTED, Redactor};

/// Shorter ones are no secrets; see `VALUE_MIN` there.
const SHORTEST: usize = 6;

fuzz_target!(|input: &str| {
    let mut values: Vec<&str> = input.split('\0').collect();
    let text = values.pop().unwrap_or_default();
    let Ok(redactor) = Redactor::new(values.iter().copied()) else {
        return;
    };
    let said = redactor.redact(text);
    assert_eq!(said.matches('\n').count(), text.matches('\n').count());
    // The mark itself may look like a value, and what stands on both sides of it was never one text.
    let left: Vec<String> = said.split(REDACTED).map(on_one_line).collect();
    for secret in values.iter().flat_map(|value| secrets(value)) {
        let found = left.iter().find(|part| part.contains(&secret));
        assert_eq!(found, None, "{secret:?} of {text:?} is in {said:?}");
    }
});

/// The whole value however it is wrapped, and each of its lines.
fn secrets(value: &str) -> Vec<String> {
    let lines = value.lines().map(|line| line.trim().to_owned());
    let mut all: Vec<String> = lines.chain([on_one_line(value)]).collect();
    all.retain(|secret| secret.len() >= SHORTEST);
    all
}

fn on_one_line(text: &str) -> String {
    text.replace(['\n', '\r'], "")
}
