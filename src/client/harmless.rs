//! What peers call themselves, made harmless for whoever reads it: on a terminal, in a spreadsheet, in a page.
//!
//! The wire admits no control characters (`wire/messages/field.rs`). That is not enough: other characters turn the
//! direction of a line or cannot be seen, and what is harmless in one place calculates in another. All that is shown of
//! names goes through here.

/// What takes the place of a character that is not shown.
const HIDDEN: char = char::REPLACEMENT_CHARACTER;

/// What a spreadsheet takes for the beginning of a formula, the wide forms that some turn into them included.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// What a spreadsheet may take for the end of a cell, whatever the file says.
const SEPARATORS: [char; 4] = [',', ';', '|', '\t'];

/// Text on one line that neither moves the cursor of its reader nor turns or hides what stands beside it.
#[must_use]
pub fn text(text: &str) -> String {
    text.chars().map(|c| if is_shown(c) { c } else { HIDDEN }).collect()
}

/// As [`text`], of several lines.
#[must_use]
pub fn lines(text: &str) -> String {
    let shown = |c| if c == '\n' || is_shown(c) { c } else { HIDDEN };
    text.chars().map(shown).collect()
}

/// A cell of a CSV file: as [`text`], with an apostrophe before whatever a spreadsheet would calculate, also where it
/// reads the file with another separator than the comma.
#[must_use]
pub fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    let mut begins = true;
    for c in text.chars().map(|c| if is_shown(c) { c } else { HIDDEN }) {
        if begins && FORMULA.contains(&c) {
            cell.push('\'');
        }
        // Blanks and quotes in front of a formula do not stop it.
        begins = SEPARATORS.contains(&c) || (begins && (c.is_whitespace() || c == '"'));
        cell.push(c);
    }
    cell
}

/// JSON that says the same with escapes: it can be looked at on a terminal and put into a page. Nothing but texts holds
/// such characters, apart from the ends of lines between values.
#[must_use]
pub fn json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || (is_shown(c) && !['<', '>', '&'].contains(&c)) {
            escaped.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                escaped.extend(format!("\\u{unit:04x}").chars());
            }
        }
    }
    escaped
}

/// Whether the character shows itself and nothing else: no control, format (direction, width), private or unassigned one,
/// and no separator but the blank. It is the standard library's own table that says so.
fn is_shown(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    let mut pair = [b'.'; 5];
    let len = 1 + c.encode_utf8(&mut pair[1..]).len();
    // Behind another character, or it would not take accents for printable.
    let pair = pair.get(..len).and_then(|bytes| std::str::from_utf8(bytes).ok());
    pair.is_some_and(|pair| pair.escape_debug().count() == 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a machine may call itself so as to do harm, and what its reader sees of it.
    const HOSTILE: [(&str, &str); 16] = [
        ("host-1", "host-1"),
        ("=cmd|'/c calc'!A1", "=cmd|'/c calc'!A1"),
        ("+1", "+1"),
        ("-2+3", "-2+3"),
        ("@SUM(A1)", "@SUM(A1)"),
        ("\u{ff1d}1+1", "\u{ff1d}1+1"),
        ("a;=1+1", "a;=1+1"),
        ("a\nb,c\r\n=1", "a\u{fffd}b,c\u{fffd}\u{fffd}=1"),
        ("\t=1", "\u{fffd}=1"),
        ("\u{1b}[2J\u{1b}]0;title\u{7}", "\u{fffd}[2J\u{fffd}]0;title\u{fffd}"),
        ("\u{9b}31mred", "\u{fffd}31mred"),
        ("a\u{202e}gpj.exe", "a\u{fffd}gpj.exe"),
        ("a\u{200b}\u{feff}\u{2066}b", "a\u{fffd}\u{fffd}\u{fffd}b"),
        ("a\u{2028}b\u{2029}c\u{85}d", "a\u{fffd}b\u{fffd}c\u{fffd}d"),
        ("</script><script>x&y", "</script><script>x&y"),
        ("\u{e0041}\u{e000}\"quoted\"", "\u{fffd}\u{fffd}\"quoted\""),
    ];

    #[test]
    fn what_a_machine_calls_itself_moves_no_cursor_and_hides_or_turns_nothing() {
        for (name, shown) in HOSTILE {
            assert_eq!(text(name), shown, "{name:?}");
        }
        assert_eq!(lines("a\nb\r\u{1b}"), "a\nb\u{fffd}\u{fffd}");
        // Names of people and places are left as they are.
        for name in [
            "b\u{fc}ro-\u{43f}\u{43a}",
            "\u{91cd}\u{8981}",
            "e\u{301}",
            "\u{939}\u{93f}\u{928}\u{94d}",
            "it's",
        ] {
            assert_eq!(text(name), name);
        }
    }

    #[test]
    fn what_a_machine_calls_itself_is_calculated_by_no_spreadsheet() {
        for (name, _) in HOSTILE {
            for piece in cell(name).split(SEPARATORS) {
                let begins = piece.trim_start_matches(|c: char| c.is_whitespace() || c == '"');
                assert!(!begins.starts_with(FORMULA), "{name:?} becomes {piece:?}");
            }
        }
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell(" \"=1"), " \"'=1");
        assert_eq!(cell("a;=1"), "a;'=1");
        assert_eq!(cell("web-1.example"), "web-1.example");
    }

    #[test]
    fn json_says_the_same_to_programs_and_nothing_to_terminals_and_pages() {
        let names: Vec<&str> = HOSTILE.iter().map(|(name, _)| *name).collect();
        let escaped = json(&serde_json::to_string_pretty(&names).expect("JSON"));
        let read: Vec<String> = serde_json::from_str(&escaped).expect("JSON still");
        assert_eq!(read, names);
        let harmful = |c: char| c != '\n' && (!is_shown(c) || ['<', '>', '&'].contains(&c));
        assert!(!escaped.contains(harmful), "{escaped}");
    }
}
