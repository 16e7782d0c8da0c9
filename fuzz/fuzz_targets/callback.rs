//! A word for where it goes, then, on the next line, the body that a bot sends there: localcord takes it, and it is right by
//! Discord's own description, or refuses it in Discord's words.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use localcord::Message;
use reqwest::Method;
use serde_json::{Value, json};
use yardarm_fuzz::cord::Cord;

struct Bench {
    cord: Cord,
    message: Message,
}

static BENCH: LazyLock<Bench> = LazyLock::new(|| {
    let cord = Cord::start(true);
    let message = cord.message();
    Bench { cord, message }
});

fuzz_target!(|input: &[u8]| {
    let Some(end) = input.iter().position(|byte| *byte == b'\n') else {
        return;
    };
    let (place, body) = (&input[..end], &input[end + 1..]);
    let Some((method, path)) = BENCH.address(place) else {
        return;
    };
    let (status, answer) = BENCH.cord.call(method, &path, body.to_vec());
    assert!(is_discords(status, &answer), "{path}: {status} {answer}");
    let violations = BENCH.cord.discord.violations();
    assert!(violations.is_empty(), "{violations:?}");
});

impl Bench {
    fn address(&self, place: &[u8]) -> Option<(Method, String)> {
        let channel = self.cord.channel();
        let bot = self.cord.discord.bot_id();
        Some(match place {
            b"command" => self.callback(2, &json!({ "id": "1", "name": "stop", "type": 1 })),
            b"component" => self.callback(3, &json!({ "custom_id": "x", "component_type": 2 })),
            b"autocomplete" => self.callback(4, &json!({ "id": "1", "name": "stop", "type": 1 })),
            b"modal" => self.callback(5, &json!({ "custom_id": "x", "components": [] })),
            b"message" => (Method::POST, format!("{channel}/messages")),
            b"edit" => {
                let id = self.message.id();
                (Method::PATCH, format!("{channel}/messages/{id}"))
            }
            b"thread" => (Method::POST, format!("{channel}/threads")),
            b"commands" => (Method::PUT, format!("/applications/{bot}/commands")),
            _ => return None,
        })
    }

    /// Where an interaction of that type waits for its answer.
    fn callback(&self, kind: u8, data: &Value) -> (Method, String) {
        let olga = self.cord.discord.user("olga").in_channel("ops");
        let forged = olga.forge_interaction(&self.message, kind, data);
        (Method::POST, forged.expect("an interaction").callback())
    }
}

/// Done, or refused in Discord's words.
fn is_discords(status: u16, answer: &Value) -> bool {
    let refused = answer["code"].is_u64() && answer["message"].is_string();
    (200..300).contains(&status) || (400..500).contains(&status) && refused
}
