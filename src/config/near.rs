//! Unknown keys: which one was meant.

/// How alike two names must be for one to be taken for the other mistyped; 1 is the same.
const ALIKE: f64 = 0.8;

/// What to say behind the message of an unknown key or value: the known one that is most like it, if one is. The parser
/// quotes the unknown one first and the known ones behind it.
pub(super) fn remedy(message: &str) -> Option<String> {
    let rest = message
        .split_once("unknown field ")
        .or_else(|| message.split_once("unknown variant "))?
        .1;
    let mut quoted = rest.split('`').skip(1).step_by(2);
    let unknown = quoted.next()?;
    let likest = quoted
        .map(|known| (strsim::jaro_winkler(unknown, known), known))
        .max_by(|one, other| one.0.total_cmp(&other.0))?;
    (likest.0 >= ALIKE).then(|| format!("did you mean `{}`?", likest.1))
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
}
