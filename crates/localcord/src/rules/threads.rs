use serde_json::Value;

use super::shape::{self, Kind};
use crate::rest::{Failure, Form};

const NAME: usize = 100;
/// In minutes.
const AUTO_ARCHIVE: [u64; 4] = [60, 1440, 4320, 10_080];
/// In seconds: six hours.
const SLOW_MODE: u64 = 21_600;
const SHORTEST_PAGE: usize = 2;

/// A thread to be made: it needs a name.
pub(crate) fn new_thread(body: &Value) -> Result<(), Failure> {
    let mut form = Form::default();
    if body["name"].is_null() {
        form.require("name");
    }
    check(&mut form, body);
    form.finish()
}

/// The parts of a thread that are to be changed.
pub(crate) fn thread(body: &Value) -> Result<(), Failure> {
    let mut form = Form::default();
    check(&mut form, body);
    form.finish()
}

/// A page of archived threads.
pub(crate) fn page(limit: usize, longest: usize) -> Result<(), Failure> {
    let mut form = Form::default();
    if !(SHORTEST_PAGE..=longest).contains(&limit) {
        let message = format!("int value should be between {SHORTEST_PAGE} and {longest}.");
        form.refuse("limit", "NUMBER_TYPE_MAX", message);
    }
    form.finish()
}

fn check(form: &mut Form, body: &Value) {
    let fields = [
        ("name", Kind::Text),
        ("invitable", Kind::Truth),
        ("type", Kind::Within(10, 12)),
    ];
    shape::check(form, "", body, &fields);
    form.length("name", &body["name"], 1, NAME);
    let minutes = &body["auto_archive_duration"];
    let allowed = minutes
        .as_u64()
        .is_some_and(|given| AUTO_ARCHIVE.contains(&given));
    if !minutes.is_null() && !allowed {
        form.choice("auto_archive_duration", "60, 1440, 4320, 10080");
    }
    let seconds = &body["rate_limit_per_user"];
    if !seconds.is_null() && seconds.as_u64().is_none_or(|given| given > SLOW_MODE) {
        let message = format!("int value should be between 0 and {SLOW_MODE}.");
        form.refuse("rate_limit_per_user", "NUMBER_TYPE_MAX", message);
    }
}
