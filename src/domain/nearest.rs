//! "Did you mean": the known names closest to one that is not known.

/// At most three of `candidates`, closest first: a slip of a few letters, or a part of the name.
pub fn nearest<'a, S: AsRef<str> + 'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a S>,
) -> Vec<&'a str> {
    // Longer names are not worth comparing, and comparing costs the product of both lengths.
    const LONGEST: usize = 64;
    let wanted: String = name
        .chars()
        .take(LONGEST)
        .collect::<String>()
        .to_lowercase();
    let slips_allowed = (wanted.chars().count() / 3).max(1);
    let mut close: Vec<(usize, &str)> = candidates
        .into_iter()
        .map(AsRef::as_ref)
        .filter_map(|candidate| {
            let slips = strsim::damerau_levenshtein(&wanted, candidate);
            let is_part = wanted.len() > 1 && candidate.contains(&wanted);
            (slips <= slips_allowed || is_part).then_some((slips, candidate))
        })
        .collect();
    close.sort_unstable();
    close.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Advice for an unknown name: the nearest ones, else all that are known.
pub fn did_you_mean<S: AsRef<str>>(name: &str, known: &[S]) -> String {
    let quoted = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    let near = nearest(name, known);
    if !near.is_empty() {
        return format!("did you mean {}?", quoted(&near));
    }
    let all: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
    match all.as_slice() {
        [] => "there is none".to_owned(),
        [only] => format!("the only one is `{only}`"),
        several => format!("use one of {}", quoted(several)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_parts_are_found_closest_first() {
        let names = [
            "scout",
            "scout-2",
            "builder",
            "night-scout",
            "shout",
            "scoot",
        ];
        assert_eq!(nearest("scotu", &names), ["scout"]);
        assert_eq!(nearest("scout", &names), ["scout", "scoot", "shout"]);
        assert_eq!(nearest("night", &names), ["night-scout"]);
        assert_eq!(nearest("Builder", &names), ["builder"]);
        assert_eq!(nearest("zzz", &names), [""; 0]);
    }

    #[test]
    fn advice_names_the_nearest_or_all() {
        assert_eq!(
            did_you_mean("intervall", &["interval", "greeting"]),
            "did you mean `interval`?"
        );
        assert_eq!(
            did_you_mean("x-ray", &["interval", "greeting"]),
            "use one of `interval`, `greeting`"
        );
        assert_eq!(did_you_mean::<&str>("x", &[]), "there is none");
    }
}
