//! A zone and an instant, then a cron line: its times follow one another, and it says the same from wherever it is asked.
#![no_main]

use chrono::{DateTime, Datelike as _, Duration, Utc};
use chrono_tz::Tz;
use libfuzzer_sys::fuzz_target;
use yardarm::domain::{schedule::Cron, zone};

/// Times looked at of each line; two changes of the clocks fit between few of them.
const TIMES: usize = 8;

fuzz_target!(|input: &str| {
    let Some((zone, mut at, cron)) = read(input) else {
        return;
    };
    let again = Cron::parse(&cron.to_string());
    assert_eq!(again.as_ref(), Ok(&cron), "it is not what it says");
    for _ in 0..TIMES {
        let Some(next) = cron.next(at, zone) else {
            return;
        };
        assert!(next > at, "{cron} after {at} comes at {next}");
        for between in [at + (next - at) / 2, next - Duration::seconds(1)] {
            if between > at {
                let said = cron.next(between, zone);
                assert_eq!(said, Some(next), "{cron} after {at} and after {between}");
            }
        }
        at = next;
    }
});

/// `Europe/Berlin 2026-10-25T00:30:00Z 30 2 * * *`
fn read(input: &str) -> Option<(Tz, DateTime<Utc>, Cron)> {
    let (zone, rest) = input.split_once(' ')?;
    let (at, line) = rest.split_once(' ')?;
    let at: DateTime<Utc> = at.parse().ok()?;
    // What a clock of ours may show.
    if !(1970..2100).contains(&at.year()) {
        return None;
    }
    Some((zone::parse(zone).ok()?, at, Cron::parse(line).ok()?))
}
