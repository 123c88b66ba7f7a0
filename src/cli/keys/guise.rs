//! Texts that are something else: HTML and RTF, files that somebody put into a text by uuencoding them, and
//! what is encrypted.

/// What begins a document in RTF.
const RTF: &str = "{\\rtf";

/// Why a document in RTF is not searched to its end.
const RTF_TOLD: &str = "it is an RTF document, in which formatting may stand inside of a key: only keys in one piece were found \
                        in it; save it as plain text";

/// What begins a message that is encrypted in a text.
const PGP: &str = "-----BEGIN PGP MESSAGE-----";

/// Why it is not searched.
const PGP_TOLD: &str =
    "a message that is encrypted (PGP) stands in it: decrypt it, or save what your mail program shows as a text file";

pub(super) fn is_rtf(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with(RTF)
}

/// Whether it begins with a tag and closes one: a page that was saved, or pasted.
pub(super) fn is_html(text: &str) -> bool {
    let begin = text.trim_start_matches('\u{feff}').trim_start();
    let is_tag = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!');
    begin.strip_prefix('<').is_some_and(is_tag) && begin.contains("</")
}

/// What in a text is not searched, and what to do about it.
pub(super) fn hidden_in(text: &str) -> Vec<String> {
    let rtf = is_rtf(text).then(|| RTF_TOLD.to_owned());
    let mut lines = text.lines().map(|line| line.trim_end_matches('\r')).peekable();
    let mut hidden: Vec<String> = rtf.into_iter().collect();
    while let Some(line) = lines.next() {
        // Perhaps in a mail that is quoted.
        if line.trim_start_matches(['>', ' ']).starts_with(PGP) {
            hidden.push(PGP_TOLD.to_owned());
        }
        if let Some((name, is_encoded)) = encoded(line)
            && lines.peek().is_some_and(|next| is_encoded(next))
        {
            hidden.push(format!(
                "{name} is a file that is uuencoded in it: decode it (`uudecode`), and import it by itself"
            ));
        }
    }
    hidden
}

/// Whether a line is one of an encoded file.
type IsEncoded = fn(&str) -> bool;

/// The name of the file that begins behind a line, if it is one like `begin 644 keys.txt`, and what tells its lines.
fn encoded(line: &str) -> Option<(&str, IsEncoded)> {
    let (rest, is_encoded): (_, IsEncoded) = match line.strip_prefix("begin-base64 ") {
        Some(rest) => (rest, is_base64),
        None => (line.strip_prefix("begin ")?, is_uuencoded),
    };
    let (mode, name) = rest.split_once(' ')?;
    let is_mode = (3..=4).contains(&mode.len()) && mode.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    (is_mode && !name.trim().is_empty()).then_some((name.trim(), is_encoded))
}

/// Whether a line has as many characters as its first one tells; some programs leave out blanks at its end, or add one.
fn is_uuencoded(line: &str) -> bool {
    let Some(first @ b' '..=b'`') = line.bytes().next() else {
        return false;
    };
    let told = usize::from((first - b' ') & 0x3f).div_ceil(3) * 4 + 1;
    line.len().abs_diff(told) <= 2
}

fn is_base64(line: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    !line.is_empty() && line.len().is_multiple_of(4) && line.bytes().all(is_digit)
}
