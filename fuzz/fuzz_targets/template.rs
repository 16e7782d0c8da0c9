//! A template's JSON, then, after a NUL, arguments as `name=text`: what is accepted can be written, read and deployed.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use yardarm::domain::{agent::Name, problem::Problem, template::Template};

fuzz_target!(|input: &str| {
    let (json, arguments) = input.split_once('\0').unwrap_or((input, ""));
    let name = Name::parse("fuzzed").expect("a good name");
    let template = match Template::parse(name.clone(), json) {
        Ok(template) => template,
        Err(problems) => return assert_helpful(&problems),
    };
    let again = Template::parse(name.clone(), &template.to_json());
    assert_eq!(again.as_ref(), Ok(&template), "it is not what it says");

    let given: BTreeMap<String, String> = arguments
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect();
    let spec = match template.resolve(&given) {
        Ok(spec) => spec,
        Err(problems) => return assert_helpful(&problems),
    };
    assert_eq!(template.misfits(&given), [], "and yet it is resolved");
    assert!(
        template.missing(&given).is_empty(),
        "and yet it is resolved"
    );
    // `/templates save` makes a template of any agent.
    let saved = Template::from_spec(name, "saved", &spec, |_| true);
    let saved = saved.unwrap_or_else(|problems| panic!("{problems:?} of {spec:?}"));
    assert_eq!(saved.resolve(&BTreeMap::new()), Ok(spec));
});

/// Somebody has to mend it by these words.
fn assert_helpful(problems: &[Problem]) {
    assert!(!problems.is_empty());
    for Problem { at, message, hint } in problems {
        let all = [at, message, hint];
        assert!(all.iter().all(|text| !text.is_empty()), "{all:?}");
    }
}
