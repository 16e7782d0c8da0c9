//! Whatever is known, made from bytes: its cards are within what Discord takes, notify nobody but those they are meant for,
//! and hold what is repeated in its place.
#![no_main]

use std::{collections::BTreeSet, sync::LazyLock};

use arbitrary::{Result, Unstructured};
use chrono::TimeDelta;
use libfuzzer_sys::fuzz_target;
use reqwest::Method;
use serde_json::Value;
use yardarm::{
    discord::render::{
        Mentions, Rendered, action, agent, alert, approval, audit, board, logs, secrets, start,
        status, templates,
    },
    domain::{ids::NudgeId, squelch::Nudge},
};
use yardarm_fuzz::{
    cord::Cord,
    values::{self, NOON},
};

static CORD: LazyLock<Cord> = LazyLock::new(|| Cord::start(false));

fuzz_target!(|input: &[u8]| {
    let Ok(cards) = cards(&mut Unstructured::new(input)) else {
        return;
    };
    for card in cards {
        judge(&CORD, &card);
    }
});

fn cards(u: &mut Unstructured<'_>) -> Result<Vec<Rendered>> {
    Ok(match u.int_in_range(0..=11)? {
        0 => vec![action::card(&values::action(u)?, NOON)],
        1 => questions(u)?,
        2 => {
            let actions = values::numbered(u, values::action, |action| action.id)?;
            vec![
                approval::list(&actions, NOON),
                start::report(1, &actions, NOON),
            ]
        }
        3 => {
            let freeze = values::maybe(u, values::freeze)?;
            vec![agent::card(&values::view(u)?, freeze.as_ref(), NOON)]
        }
        4 => vec![status::fleet(&values::glance(u)?, NOON)],
        5 => vec![board::message(&values::board(u)?, NOON)],
        6 => alerts(u)?,
        7 => vec![alert::list(
            &values::list(u, values::incident)?,
            TimeDelta::days(1),
        )],
        8 => {
            let extract = values::extract(u)?;
            let why = values::text(u)?;
            vec![
                logs::extract(&extract),
                logs::following(&extract, NOON),
                logs::followed(&extract, &why),
            ]
        }
        9 => vec![audit::page(&values::page(u)?)],
        10 => vec![secrets::list(&values::list(u, values::secret)?)],
        _ => {
            let templates = values::list(u, values::template)?;
            let cards = templates.iter().map(templates::card);
            cards.chain([templates::list(templates.iter())]).collect()
        }
    })
}

fn questions(u: &mut Unstructured<'_>) -> Result<Vec<Rendered>> {
    let action = values::action(u)?;
    let deciders = values::holders(u)?;
    Ok(vec![
        approval::card(&action, &deciders, NOON),
        approval::result(&action, NOON),
        approval::reminder(&action, &deciders),
        approval::break_glass(&action, &deciders, NOON),
        approval::details(&action),
        approval::counted(&action),
    ])
}

fn alerts(u: &mut Unstructured<'_>) -> Result<Vec<Rendered>> {
    let view = values::alert(u)?;
    let why = *u.choose(Nudge::ALL)?;
    let name = alert::thread_name(&view);
    assert!(name.encode_utf16().count() <= 100, "{name}");
    Ok(vec![
        alert::card(&view),
        alert::nudge((NudgeId(1), why), &view, NOON),
    ])
}

/// Discord's limits are localcord's to know.
fn judge(cord: &Cord, card: &Rendered) {
    // Files go beside the JSON.
    let bare = Rendered {
        files: Vec::new(),
        ..card.clone()
    };
    let message = serde_json::to_value(bare.message()).expect("JSON");
    let place = format!("{}/messages", cord.channel());
    let (status, answer) = cord.call(Method::POST, &place, message.to_string());
    assert_eq!(status, 200, "{answer} {message:#}");
    let id = answer["id"].as_str().unwrap_or_default();
    cord.call(Method::DELETE, &format!("{place}/{id}"), "");

    assert_eq!(answer["mention_everyone"], false, "{message:#}");
    assert_eq!(
        message["allowed_mentions"]["parse"],
        Value::Array(Vec::new())
    );
    assert_notifies(&answer, &card.mentions);
    for answer in [card.response(true), card.response(false)] {
        let answer = serde_json::to_value(answer).expect("JSON");
        let allowed = &answer["allowed_mentions"];
        for kind in ["parse", "users", "roles"] {
            assert_eq!(allowed[kind], Value::Array(Vec::new()), "{answer:#}");
        }
    }
    for text in texts(&message) {
        let fences = text.matches("```").count();
        assert!(fences.is_multiple_of(2), "an open block: {text}");
        // What turns the direction of writing, and what a terminal obeys.
        assert!(!text.contains(['\u{202e}', '\u{1b}', '\0']), "{text:?}");
    }
}

/// Discord notifies whom the text names, if it is allowed to.
fn assert_notifies(message: &Value, meant: &Mentions) {
    let listed = message["mentions"].as_array().into_iter().flatten();
    let notified: BTreeSet<String> = listed
        .filter_map(|user| user["id"].as_str().map(str::to_owned))
        .collect();
    let meant: BTreeSet<String> = meant.users.iter().map(ToString::to_string).collect();
    assert!(notified.is_subset(&meant), "{notified:?} of {meant:?}");
}

/// All that can hold a code block.
fn texts(message: &Value) -> Vec<&str> {
    let embeds = message["embeds"].as_array().into_iter().flatten();
    let inside = embeds.flat_map(|embed| {
        let fields = embed["fields"].as_array().into_iter().flatten();
        let fields = fields.flat_map(|field| [&field["name"], &field["value"]]);
        fields.chain([&embed["title"], &embed["description"]])
    });
    let all = inside.chain([&message["content"]]);
    all.filter_map(Value::as_str).collect()
}
