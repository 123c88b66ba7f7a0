//! Unknown keys: which one was meant, or where it belongs.

use super::Config;

/// How alike two names must be for one to be taken for the other mistyped; 1 is the same.
const ALIKE: f64 = 0.8;

/// A key that there is not.
const NO_KEY: &str = "no_such_key";

/// What to say behind the message of an unknown key or value: where it belongs if another section has it, or the known one
/// that is most like it, if one is. The parser quotes the unknown one first and the known ones behind it.
pub(super) fn remedy(message: &str) -> Option<String> {
    let (unknown, known) = quoted(message)?;
    if message.contains("unknown field ")
        && let Some(place) = place_of(unknown)
    {
        return Some(format!("`{unknown}` belongs {place}"));
    }
    let likest = known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(unknown, known), known))
        .max_by(|one, other| one.0.total_cmp(&other.0))?;
    (likest.0 >= ALIKE).then(|| format!("did you mean `{}`?", likest.1))
}

/// The unknown name in what the parser says, and the known ones.
fn quoted(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message
        .split_once("unknown field ")
        .or_else(|| message.split_once("unknown variant "))?
        .1;
    let mut quoted = rest.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    Some((unknown, quoted.collect()))
}

/// Where a key of this name stands.
fn place_of(key: &str) -> Option<String> {
    let top = keys_of("");
    if top.iter().any(|known| known == key) {
        return Some(if keys_of(key).is_empty() {
            "at the top of the file, above the first line in [brackets]".to_owned()
        } else {
            format!("in brackets, on a line of its own: [{key}]")
        });
    }
    let section = top
        .into_iter()
        .find(|section| keys_of(section).iter().any(|known| known == key))?;
    Some(format!("below the line [{section}]"))
}

/// The keys of a section, or those above all sections; none where it is no section. The parser knows them.
fn keys_of(section: &str) -> Vec<String> {
    let head = match section {
        "" => String::new(),
        section => format!("[{section}]\n"),
    };
    let Err(error) = toml::from_str::<Config>(&format!("{head}{NO_KEY} = 1")) else {
        return Vec::new();
    };
    match quoted(error.message()) {
        Some((NO_KEY, known)) => known.into_iter().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_that_was_meant_is_named_and_none_where_nothing_is_like_it() {
        let message =
            |unknown: &str| format!("unknown field `{unknown}`, expected one of `name`, `data`, `listen`, `limits`");
        for (unknown, meant) in [("lisen", Some("listen")), ("limit", Some("limits")), ("colour", None)] {
            let expected = meant.map(|meant| format!("did you mean `{meant}`?"));
            assert_eq!(remedy(&message(unknown)), expected, "{unknown}");
        }
        assert_eq!(remedy("invalid type: string, expected u16"), None);
    }

    #[test]
    fn a_key_in_the_wrong_section_is_told_where_it_belongs() {
        for (text, told) in [
            ("[limits]\nlisten = []", "`listen` belongs at the top of the file"),
            ("connections = 5", "`connections` belongs below the line [limits]"),
            ("[log]\nkeep_days = 5", "`keep_days` belongs below the line [events]"),
            (
                "[events.limits]\nconnections = 5",
                "`limits` belongs in brackets, on a line of its own: [limits]",
            ),
        ] {
            let error = toml::from_str::<Config>(text).unwrap_err();
            let remedy = remedy(error.message()).unwrap_or_default();
            assert!(remedy.starts_with(told), "{text}: {remedy}");
        }
    }
}
