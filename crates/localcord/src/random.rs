use rand::{Rng as _, distr::Alphanumeric};

/// Letters and digits that nobody can guess.
pub(crate) fn letters(count: usize) -> String {
    rand::rng()
        .sample_iter(&Alphanumeric)
        .take(count)
        .map(char::from)
        .collect()
}
