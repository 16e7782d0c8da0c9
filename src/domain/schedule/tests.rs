use chrono::{Datelike as _, Offset as _, Timelike as _};
use chrono_tz::{
    America::New_York,
    Australia::Lord_Howe,
    Europe::{Berlin, London},
};
use proptest::prelude::*;

use super::*;

const ZONES: [Tz; 3] = [Berlin, New_York, Lord_Howe];

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect(text)
}

fn cron(text: &str) -> Cron {
    Cron::parse(text).expect(text)
}

/// The next times after an instant, as a clock in the zone shows them.
fn times(line: &str, zone: Tz, after: &str, count: usize) -> Vec<String> {
    let line = cron(line);
    let mut now = at(after);
    let mut times = Vec::new();
    for _ in 0..count {
        now = line.next(now, zone).expect("a next time");
        let shown = now.with_timezone(&zone);
        times.push(shown.format("%a %d %b %H:%M %:z").to_string());
    }
    times
}

#[test]
fn a_line_means_what_it_means_on_unix() {
    // Saturday, noon.
    let after = "2026-11-21T12:00:00Z";
    for (line, expected) in [
        ("30 2 * * *", ["Sun 22 Nov 02:30", "Mon 23 Nov 02:30"]),
        ("0 9 * * 1-5", ["Mon 23 Nov 09:00", "Tue 24 Nov 09:00"]),
        ("0 9 * * 0", ["Sun 22 Nov 09:00", "Sun 29 Nov 09:00"]),
        ("0 9 * * 7", ["Sun 22 Nov 09:00", "Sun 29 Nov 09:00"]),
        ("0 9 * * 5-7", ["Sun 22 Nov 09:00", "Fri 27 Nov 09:00"]),
        ("0 9 * * fri-sun", ["Sun 22 Nov 09:00", "Fri 27 Nov 09:00"]),
        ("0 9 * * sun-mon", ["Sun 22 Nov 09:00", "Mon 23 Nov 09:00"]),
        ("0 9 1 * *", ["Tue 01 Dec 09:00", "Fri 01 Jan 09:00"]),
        // Either kind of day suffices if both are restricted …
        ("0 9 25 * 1", ["Mon 23 Nov 09:00", "Wed 25 Nov 09:00"]),
        // … and both are needed if one of them begins with a star.
        ("0 9 */2 * 1", ["Mon 23 Nov 09:00", "Mon 07 Dec 09:00"]),
        ("0 9 25 * */7", ["Sun 25 Apr 09:00", "Sun 25 Jul 09:00"]),
        ("*/20 9-10 * * *", ["Sun 22 Nov 09:00", "Sun 22 Nov 09:20"]),
        ("5/25 9 * * *", ["Sun 22 Nov 09:05", "Sun 22 Nov 09:30"]),
        ("0 9 * feb,apr *", ["Mon 01 Feb 09:00", "Tue 02 Feb 09:00"]),
        ("0 0 29 2 *", ["Tue 29 Feb 00:00", "Sun 29 Feb 00:00"]),
        ("0 0 30 2 1", ["Mon 01 Feb 00:00", "Mon 08 Feb 00:00"]),
        ("@hourly", ["Sat 21 Nov 13:00", "Sat 21 Nov 14:00"]),
        ("@daily", ["Sun 22 Nov 00:00", "Mon 23 Nov 00:00"]),
        ("@weekly", ["Sun 22 Nov 00:00", "Sun 29 Nov 00:00"]),
        ("@Monthly", ["Tue 01 Dec 00:00", "Fri 01 Jan 00:00"]),
        ("@yearly", ["Fri 01 Jan 00:00", "Sat 01 Jan 00:00"]),
    ] {
        let expected = expected.map(|time| format!("{time} +00:00"));
        assert_eq!(times(line, Tz::UTC, after, 2), expected, "{line}");
    }
}

#[test]
fn a_line_that_is_none_is_refused_with_the_reason() {
    for (line, told) in [
        (
            "0 0 30 2 *",
            "`0 0 30 2 *` never comes: none of its months has that day",
        ),
        (
            "0 0 31 4,6,9,11 *",
            "`0 0 31 4,6,9,11 *` never comes: none of its months has that day",
        ),
        (
            "0 9 * *",
            "`0 9 * *` has 4 fields, and a line has five: minute, hour, day of the month, month, day of the week; as in `30 2 * * 1-5`",
        ),
        (
            "",
            "`` has 0 fields, and a line has five: minute, hour, day of the month, month, day of the week; as in `30 2 * * 1-5`",
        ),
        (
            "60 * * * *",
            "`60` is no minute: use 0–59, `*`, a range `a-b` that goes up, steps `*/n`, or several with commas",
        ),
        (
            "0 17-9 * * *",
            "`17-9` is no hour: use 0–23, `*`, a range `a-b` that goes up, steps `*/n`, or several with commas",
        ),
        (
            "0 0 0 * *",
            "`0` is no day of the month: use 1–31, `*`, a range `a-b` that goes up, steps `*/n`, or several with commas",
        ),
        (
            "0 0 * foo *",
            "`foo` is no month: use 1–12 or jan–dec, `*`, a range `a-b` that goes up, steps `*/n`, or several with commas",
        ),
        (
            "0 0 * * 8",
            "`8` is no day of the week: use 0–7 or sun–sat, `*`, a range `a-b` that goes up, steps `*/n`, or several with commas",
        ),
        (
            "*/0 * * * *",
            "`*/0` is no minute: use 0–59, `*`, a range `a-b` that goes up, steps `*/n`, or several with commas",
        ),
        (
            "@reboot",
            "`@reboot` is not known: use @hourly, @daily, @weekly, @monthly or @yearly",
        ),
    ] {
        let error = Cron::parse(line).expect_err(line);
        assert_eq!(error.to_string(), told);
    }
}

#[test]
fn a_line_has_a_length_at_which_it_is_none() {
    let padded = |length: usize| format!("0{}0 * * *", " ".repeat(length - 8));
    assert_eq!(
        Cron::parse(&padded(120)).expect("a line").to_string().len(),
        120
    );
    let refused = Cron::parse(&padded(121)).expect_err("too long");
    assert_eq!(
        refused.to_string(),
        "the line is longer than 120 characters"
    );
}

#[test]
fn two_lines_are_one_if_they_are_written_so() {
    assert_eq!(cron("@Daily"), cron("@daily"));
    assert_ne!(cron("@daily"), cron("@hourly"));
}

#[test]
fn what_only_other_crons_know_is_no_line() {
    for line in [
        "0 0 L * *",
        "0 0 * * 5#2",
        "? * * * *",
        "1,,2 * * * *",
        "-1 * * * *",
        "+1 * * * *",
        "1- * * * *",
        "*/999999 * * * *",
    ] {
        assert!(Cron::parse(line).is_err(), "{line}");
    }
    assert!(Cron::parse(&"1,".repeat(100)).is_err());
}

#[test]
fn a_time_that_is_skipped_comes_when_the_clocks_have_skipped() {
    for (line, zone, after, expected) in [
        (
            "30 2 * * *",
            Berlin,
            "2026-03-28T12:00:00Z",
            ["Sun 29 Mar 03:00 +02:00", "Mon 30 Mar 02:30 +02:00"],
        ),
        (
            "30 2 * * *",
            New_York,
            "2026-03-07T18:00:00Z",
            ["Sun 08 Mar 03:00 -04:00", "Mon 09 Mar 02:30 -04:00"],
        ),
        (
            "15 2 * * *",
            Lord_Howe,
            "2026-10-03T06:00:00Z",
            ["Sun 04 Oct 02:30 +11:00", "Mon 05 Oct 02:15 +11:00"],
        ),
        // Several times of a gap are one.
        (
            "0,30 2,3 * * *",
            Berlin,
            "2026-03-28T12:00:00Z",
            ["Sun 29 Mar 03:00 +02:00", "Sun 29 Mar 03:30 +02:00"],
        ),
    ] {
        assert_eq!(times(line, zone, after, 2), expected, "{line} {zone}");
    }
}

#[test]
fn a_time_that_comes_twice_counts_once() {
    for (line, zone, after, expected) in [
        (
            "30 2 * * *",
            Berlin,
            "2026-10-24T12:00:00Z",
            ["Sun 25 Oct 02:30 +02:00", "Mon 26 Oct 02:30 +01:00"],
        ),
        (
            "30 1 * * *",
            New_York,
            "2026-10-31T12:00:00Z",
            ["Sun 01 Nov 01:30 -04:00", "Mon 02 Nov 01:30 -05:00"],
        ),
        (
            "45 1 * * *",
            Lord_Howe,
            "2026-04-04T06:00:00Z",
            ["Sun 05 Apr 01:45 +11:00", "Mon 06 Apr 01:45 +10:30"],
        ),
        // Asked in between, the second time is still none of its own.
        (
            "30 2 * * *",
            Berlin,
            "2026-10-25T00:45:00Z",
            ["Mon 26 Oct 02:30 +01:00", "Tue 27 Oct 02:30 +01:00"],
        ),
    ] {
        assert_eq!(times(line, zone, after, 2), expected, "{line} {zone}");
    }
}

#[test]
fn steps_within_an_hour_that_comes_twice_come_twice_and_in_order() {
    assert_eq!(
        times("*/30 1-3 25 10 *", Berlin, "2026-10-24T12:00:00Z", 8),
        [
            "Sun 25 Oct 01:00 +02:00",
            "Sun 25 Oct 01:30 +02:00",
            "Sun 25 Oct 02:00 +02:00",
            "Sun 25 Oct 02:30 +02:00",
            "Sun 25 Oct 02:00 +01:00",
            "Sun 25 Oct 02:30 +01:00",
            "Sun 25 Oct 03:00 +01:00",
            "Sun 25 Oct 03:30 +01:00",
        ]
    );
    assert_eq!(
        times("*/15 1 5 4 *", Lord_Howe, "2026-04-04T06:00:00Z", 6),
        [
            "Sun 05 Apr 01:00 +11:00",
            "Sun 05 Apr 01:15 +11:00",
            "Sun 05 Apr 01:30 +11:00",
            "Sun 05 Apr 01:45 +11:00",
            "Sun 05 Apr 01:30 +10:30",
            "Sun 05 Apr 01:45 +10:30",
        ]
    );
    assert_eq!(
        times("*/20 * * * 0", New_York, "2026-03-08T06:30:00Z", 3),
        [
            "Sun 08 Mar 01:40 -05:00",
            "Sun 08 Mar 03:00 -04:00",
            "Sun 08 Mar 03:20 -04:00",
        ]
    );
}

/// A line goes by the clock on the wall, in summer as in winter, and only the day of the change is another.
#[test]
fn steps_go_by_the_clock_on_the_wall() {
    for zone in ZONES {
        for after in ["2026-01-15T00:00:00Z", "2026-07-15T00:00:00Z"] {
            let walls = |line| {
                let times = times(line, zone, after, 24).into_iter();
                times
                    .filter_map(|time| time.split(' ').nth(3).map(str::to_owned))
                    .collect::<Vec<_>>()
            };
            assert!(walls("17 * * * *").iter().all(|time| time.ends_with(":17")));
            let mut sixths = walls("0 */6 * * *");
            sixths.sort();
            sixths.dedup();
            assert_eq!(
                sixths,
                ["00:00", "06:00", "12:00", "18:00"],
                "{zone} {after}"
            );
        }
    }
}

/// A line, where, and when the next three times come that day after an instant.
type Day = (&'static str, Tz, &'static str, [&'static str; 3]);

fn come_so(days: &[Day]) {
    for (line, zone, after, expected) in days {
        let times = times(line, *zone, after, 3);
        let shown = times.iter().filter_map(|time| time.splitn(4, ' ').nth(3));
        assert_eq!(shown.collect::<Vec<_>>(), expected, "{line} {zone}");
    }
}

#[test]
fn on_a_day_of_23_hours_steps_leave_out_what_is_skipped_or_come_after_it() {
    come_so(&[
        // What comes in every hour is left out in the one that is skipped.
        (
            "17 * * * *",
            Berlin,
            "2026-03-29T00:00:00Z",
            ["01:17 +01:00", "03:17 +02:00", "04:17 +02:00"],
        ),
        (
            "5/20 * * * *",
            New_York,
            "2026-03-08T06:30:00Z",
            ["01:45 -05:00", "03:05 -04:00", "03:25 -04:00"],
        ),
        (
            "17 * * * *",
            Lord_Howe,
            "2026-10-03T14:30:00Z",
            ["01:17 +10:30", "03:17 +11:00", "04:17 +11:00"],
        ),
        // What steps by hours comes at the first valid instant.
        (
            "30 */2 * * *",
            Berlin,
            "2026-03-28T23:00:00Z",
            ["00:30 +01:00", "03:00 +02:00", "04:30 +02:00"],
        ),
        (
            "0 */2 * * *",
            Lord_Howe,
            "2026-10-03T13:45:00Z",
            ["02:30 +11:00", "04:00 +11:00", "06:00 +11:00"],
        ),
        (
            "0 */6 * * *",
            New_York,
            "2026-03-08T04:30:00Z",
            ["00:00 -05:00", "06:00 -04:00", "12:00 -04:00"],
        ),
    ]);
}

#[test]
fn on_a_day_of_25_hours_steps_come_twice_if_they_come_in_every_hour() {
    come_so(&[
        (
            "17 * * * *",
            Berlin,
            "2026-10-25T00:00:00Z",
            ["02:17 +02:00", "02:17 +01:00", "03:17 +01:00"],
        ),
        (
            "17 * * * *",
            New_York,
            "2026-11-01T05:00:00Z",
            ["01:17 -04:00", "01:17 -05:00", "02:17 -05:00"],
        ),
        (
            "45 * * * *",
            Lord_Howe,
            "2026-04-04T14:30:00Z",
            ["01:45 +11:00", "01:45 +10:30", "02:45 +10:30"],
        ),
        // What steps by hours counts once.
        (
            "30 */2 * * *",
            Berlin,
            "2026-10-25T00:00:00Z",
            ["02:30 +02:00", "04:30 +01:00", "06:30 +01:00"],
        ),
        (
            "30 */1 * * *",
            New_York,
            "2026-11-01T05:00:00Z",
            ["01:30 -04:00", "01:30 -05:00", "02:30 -05:00"],
        ),
    ]);
}

fn order(line: &str, missed: Missed, up_to: u8) -> Order {
    Order {
        missed,
        up_to,
        ..Order::built_in(
            Name::parse("nightly").expect("a name"),
            (cron(line), Tz::UTC),
            Job::Backup,
        )
    }
}

#[test]
fn what_was_missed_is_made_up_for_by_the_rule() {
    let (planned, now) = (at("2026-11-21T03:00:00Z"), at("2026-11-24T12:00:00Z"));
    let last = at("2026-11-24T03:00:00Z");
    let due = |missed, up_to| order("0 3 * * *", missed, up_to).due(planned, now);
    let none = Due {
        runs: Vec::new(),
        missed: Some(last),
    };
    assert_eq!(due(Missed::Skip, 10), none);
    assert_eq!(due(Missed::Once, 10).runs, [last]);
    let days = |from: i64| {
        (from..=0)
            .map(|day| last + Duration::days(day))
            .collect::<Vec<_>>()
    };
    assert_eq!(due(Missed::All, 2).runs, days(-1));
    assert_eq!(due(Missed::All, 10).runs, days(-3));
    // What comes a moment late was not missed, whatever came before.
    let soon = order("0 3 * * *", Missed::Skip, 10).due(planned, last + GRACE);
    assert_eq!(soon.runs, [last]);
}

#[test]
fn ten_years_away_are_not_walked_through() {
    let (planned, now) = (at("2016-11-21T03:00:00Z"), at("2026-11-21T12:00:30Z"));
    let due = order("* * * * *", Missed::All, 3).due(planned, now);
    let minute = at("2026-11-21T12:00:00Z");
    let expected: Vec<_> = (-2..=0)
        .map(|back| minute + Duration::minutes(back))
        .collect();
    assert_eq!(due.runs, expected);
    let yearly = order("@yearly", Missed::All, 10).due(at("2017-01-01T00:00:00Z"), now);
    assert_eq!(yearly.runs.len(), 10);
}

#[test]
fn it_ends_with_its_last_time() {
    let ends = Order {
        until: Some(at("2026-11-22T03:00:00Z")),
        ..order("0 3 * * *", Missed::Skip, 1)
    };
    let last = ends.next(at("2026-11-21T12:00:00Z")).expect("one more");
    assert_eq!(last, at("2026-11-22T03:00:00Z"));
    assert_eq!(ends.next(last), None);
}

fn written() -> Written {
    Written {
        name: "nightly".to_owned(),
        cron: "0 3 * * *".to_owned(),
        action: "restart".to_owned(),
        agent: Some("scout".to_owned()),
        ..Written::default()
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_key() {
    let wrong = Written {
        name: "Nightly!".to_owned(),
        cron: "0 0 30 2 *".to_owned(),
        zone: Some("Europe/Berln".to_owned()),
        until: Some("tomorrow".to_owned()),
        template: Some("demo".to_owned()),
        agent: None,
        up_to: Some(11),
        ..written()
    };
    let problems = Order::read(&wrong, Tz::UTC).expect_err("wrong");
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    name: `Nightly!` is no name
    hint: use 1 to 32 of a–z, 0–9, `-` and `_`, beginning with a letter or a digit
    cron: `0 0 30 2 *` never comes: none of its months has that day
    hint: minute, hour, day of the month, month, day of the week, as in `30 2 * * 1-5`; or @hourly, @daily, @weekly, @monthly, @yearly
    zone: `Europe/Berln` is no time zone
    hint: did you mean `Europe/Berlin`?
    until: `tomorrow` is no instant
    hint: write it as `2026-12-31T18:00:00Z`
    agent: a restart needs `agent`
    hint: add `agent` or `fleet`
    template: a restart has no use for `template`
    hint: leave `template` out
    up_to: it counts together with `missed` `all` only
    hint: leave it out, or ask for all
    up_to: `11` is out of range
    hint: use 1 to 10
    ");
    let unknown = Written {
        action: "freeze".to_owned(),
        ..written()
    };
    let problems = Order::read(&unknown, Tz::UTC).expect_err("wrong");
    insta::assert_snapshot!(problems[0], @"
    action: `freeze` cannot be scheduled
    hint: use one of `deploy`, `start`, `stop`, `restart`, `report`, `backup`, `purge`
    ");
}

#[test]
fn a_fleet_is_enough_and_what_a_job_has_no_use_for_is_refused() {
    let all = Written {
        agent: None,
        fleet: Some("lab".to_owned()),
        ..written()
    };
    assert_eq!(
        Order::read(&all, Tz::UTC).expect("an order").does(),
        "restart in `lab`"
    );
    let idle = Written {
        template: Some("demo".to_owned()),
        ..written()
    };
    let problems = Order::read(&idle, Tz::UTC).expect_err("wrong");
    let told: Vec<&str> = problems.iter().map(|problem| problem.at.as_str()).collect();
    assert_eq!(told, ["template"]);
}

#[test]
fn an_order_is_read_as_it_was_written() {
    let order = Order::read(&written(), London).expect("an order");
    assert_eq!(order.zone, London);
    let again = Order::read(&Written::from(order.clone()), Tz::UTC);
    assert_eq!(again, Ok(order));
}

/// Lines that are possible, of all paces.
fn any_line() -> impl Strategy<Value = String> {
    let minute = prop_oneof![
        Just("*".to_owned()),
        (1_u8..60).prop_map(|step| format!("*/{step}")),
        (0_u8..60).prop_map(|one| one.to_string()),
        (0_u8..30, 30_u8..60).prop_map(|(from, to)| format!("{from}-{to}")),
    ];
    let hour = prop_oneof![
        Just("*".to_owned()),
        (1_u8..24).prop_map(|step| format!("*/{step}")),
        (0_u8..24).prop_map(|one| one.to_string()),
        (0_u8..6, 6_u8..24).prop_map(|(from, to)| format!("{from},{to}")),
    ];
    let day =
        prop_oneof![3 => Just("*".to_owned()), 1 => (1_u8..29).prop_map(|day| day.to_string())];
    let week_day =
        prop_oneof![3 => Just("*".to_owned()), 1 => (0_u8..8).prop_map(|day| day.to_string())];
    (minute, hour, day, week_day)
        .prop_map(|(minute, hour, day, week_day)| format!("{minute} {hour} {day} * {week_day}"))
}

proptest! {
    /// Nothing between an instant and the next time is a next time for anybody who asks in between.
    #[test]
    fn the_next_time_is_the_next_whenever_one_asks(
        line in any_line(), zone in 0..3_usize, second in 0_i64..63_072_000, share in 0.0..1.0_f64,
    ) {
        let (line, zone) = (cron(&line), ZONES[zone]);
        let after = at("2026-01-01T00:00:00Z") + Duration::seconds(second);
        let next = line.next(after, zone).expect("a next time");
        prop_assert!(next > after);
        let span = (next - after).num_seconds();
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a moment in between, wherever")]
        let between = after + Duration::seconds((span as f64 * share) as i64);
        prop_assert_eq!(line.next(between, zone), Some(next));
    }

    /// Each time is one that the line names, as the clock on the wall shows it, unless that was skipped.
    #[test]
    fn each_time_is_one_that_the_line_names(
        hour in 0_u32..24, minute in 0_u32..60, zone in 0..3_usize, second in 0_i64..63_072_000,
    ) {
        let (line, zone) = (cron(&format!("{minute} {hour} * * *")), ZONES[zone]);
        let after = at("2026-01-01T00:00:00Z") + Duration::seconds(second);
        let next = line.next(after, zone).expect("a next time").with_timezone(&zone);
        let just_before = next - Duration::seconds(1);
        let skipped = just_before.offset().fix().local_minus_utc() < next.offset().fix().local_minus_utc();
        prop_assert!((next.hour(), next.minute()) == (hour, minute) || skipped, "{next}");
        // Once a day, on each day.
        let following = line.next(next.to_utc(), zone).expect("a next time").with_timezone(&zone);
        prop_assert_eq!(following.date_naive().num_days_from_ce() - next.date_naive().num_days_from_ce(), 1);
    }

    /// Text of any kind is read or refused, and asks for nothing impossible.
    #[test]
    fn any_text_is_read_or_refused(text in "[0-9*/, @a-z-]{0,24}") {
        if let Ok(line) = Cron::parse(&text) {
            prop_assert!(line.next(at("2026-01-01T00:00:00Z"), Berlin).is_some());
        }
    }
}

#[test]
fn everything_built_in_is_there() {
    let names = |posts| {
        let all = built_in(Berlin, posts).into_iter();
        all.map(|order| order.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(true), BUILT_IN);
    assert_eq!(names(false), BUILT_IN[..4]);
}

#[test]
fn a_job_is_an_action_unless_it_is_yardarms_own() {
    for job in Job::OFFERED {
        assert_eq!(job.kind().map(Kind::as_str), Some(job.as_str()));
    }
    assert_eq!(Job::StaleCheck.kind(), None);
    assert_eq!(Job::Anchor.kind(), None);
}

#[test]
fn what_an_order_does_is_told_in_words() {
    let does = |written: &Written| Order::read(written, Tz::UTC).expect("an order").does();
    assert_eq!(does(&written()), "restart `scout`");
    let deploy = Written {
        action: "deploy".to_owned(),
        template: Some("demo".to_owned()),
        fleet: Some("lab".to_owned()),
        ..written()
    };
    assert_eq!(does(&deploy), "deploy `scout` from `demo` in `lab`");
    let report = Written {
        action: "report".to_owned(),
        agent: None,
        ..written()
    };
    assert_eq!(does(&report), "report");
}

#[test]
fn an_order_that_the_database_kept_is_read_whole_or_not_at_all() {
    let own = Written {
        action: "stale check".to_owned(),
        agent: None,
        ..written()
    };
    assert_eq!(Order::try_from(own).expect("an order").job, Job::StaleCheck);
    let wrong = Written {
        name: "Nightly!".to_owned(),
        cron: "never".to_owned(),
        ..written()
    };
    let told = Order::try_from(wrong).expect_err("wrong");
    assert!(told.contains("name: `Nightly!` is no name"), "{told}");
    assert!(told.contains("; cron: `never`"), "{told}");
}
