//! Whatever comes as a `custom_id`: what is taken for one of ours is one that we could have written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yardarm::discord::press::Press;

fuzz_target!(|text: &str| {
    let Ok(press) = text.parse::<Press>() else {
        return;
    };
    let written = press.to_string();
    assert_eq!(written.parse(), Ok(press), "{written}");
    // So what Discord let through is never longer than the 100 characters that it takes.
    assert!(written.len() <= text.len(), "{written}");
});
