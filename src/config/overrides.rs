//! `--set docker.parallel=8`: one key, whatever the file says.

use toml::{Table, Value};

use crate::domain::problem::{Problem, shown};

/// As TOML would read it (`8`, `true`, `["a", "b"]`), else as a plain text (`127.0.0.1:8443`).
pub(super) fn value(text: &str) -> Value {
    let parsed: Option<Table> = format!("value = {text}").parse().ok();
    parsed
        // A text with a line end in it could bring keys of its own.
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Puts `value` at the dotted `key`, making the sections on the way.
pub(super) fn set(table: &mut Table, key: &str, value: Value) -> Result<(), Problem> {
    let no_key = || {
        let message = format!("{} is no key that can be set", shown(key));
        Problem::new(key, message, "use a dotted key such as `docker.parallel`")
    };
    let (sections, last) = key.rsplit_once('.').ok_or_else(no_key)?;
    let mut section = table;
    for name in sections.split('.') {
        section = section
            .entry(name)
            .or_insert_with(|| Value::Table(Table::new()))
            .as_table_mut()
            .ok_or_else(no_key)?;
    }
    section.insert(last.to_owned(), value);
    Ok(())
}

/// The value at the dotted `key`.
pub(super) fn get<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    let mut names = key.split('.');
    let first = table.get(names.next()?)?;
    names.try_fold(first, |value, name| value.as_table()?.get(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_toml_or_plain_texts() {
        assert_eq!(value("8"), Value::Integer(8));
        assert_eq!(value("true"), Value::Boolean(true));
        assert_eq!(value("[1, 2]").as_array().map(Vec::len), Some(2));
        assert_eq!(value("\"8\""), Value::String("8".to_owned()));
        for text in ["127.0.0.1:8443", "", "info", "1\nother = 2", "a # b"] {
            assert_eq!(value(text), Value::String(text.to_owned()));
        }
    }

    #[test]
    fn a_key_is_put_where_its_dots_say() {
        let mut table = Table::new();
        set(&mut table, "docker.allow.privileged", Value::Boolean(true)).expect("a good key");
        assert_eq!(
            get(&table, "docker.allow.privileged"),
            Some(&Value::Boolean(true))
        );
        assert_eq!(get(&table, "docker.deny"), None);
        for key in ["docker", "", "docker.allow.privileged.more"] {
            assert!(set(&mut table, key, Value::Integer(1)).is_err(), "{key}");
        }
    }
}
