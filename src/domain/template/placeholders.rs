//! `{{name}}` in a template's texts; `{{{{` is a plain `{{`.

/// A text, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    Placeholder(&'a str),
}

/// A `{{` without its `}}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unclosed;

pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Unclosed> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        if let Some(after) = after.strip_prefix("{{") {
            pieces.push(Piece::Text("{{"));
            rest = after;
        } else {
            let (name, after) = after.split_once("}}").ok_or(Unclosed)?;
            pieces.push(Piece::Placeholder(name.trim()));
            rest = after;
        }
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

/// `text` so that [`pieces`] finds no placeholder in it.
pub(super) fn escape(text: &str) -> String {
    text.replace("{{", "{{{{")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_is_taken_apart() {
        assert_eq!(pieces(""), Ok(vec![]));
        assert_eq!(
            pieces("a {{ b }}c{{d}}"),
            Ok(vec![
                Piece::Text("a "),
                Piece::Placeholder("b"),
                Piece::Text("c"),
                Piece::Placeholder("d"),
            ])
        );
        assert_eq!(
            pieces("{{{{x}} }}"),
            Ok(vec![Piece::Text("{{"), Piece::Text("x}} }}")])
        );
        assert_eq!(pieces("{{x}"), Err(Unclosed));
    }

    proptest! {
        #[test]
        fn an_escaped_text_says_what_it_said(text in "[{}a ]{0,20}") {
            let escaped = escape(&text);
            let plain: String = pieces(&escaped)
                .expect("nothing is open")
                .into_iter()
                .map(|piece| match piece {
                    Piece::Text(text) => text,
                    Piece::Placeholder(name) => panic!("{{{{{name}}}}} was not there before"),
                })
                .collect();
            prop_assert_eq!(plain, text);
        }
    }
}
