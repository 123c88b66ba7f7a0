//! What people write for people: it goes to the server and is shown by others, so it is text of the protocol.

use crate::wire::limits::{LABEL_LEN_MAX, REASON_LEN_MAX};

/// Reads whose or what something is.
pub(super) fn label(text: &str) -> Result<String, String> {
    of_protocol(text, LABEL_LEN_MAX)
}

/// Reads why something is done.
pub(super) fn reason(text: &str) -> Result<String, String> {
    of_protocol(text, REASON_LEN_MAX)
}

/// What the wire refuses is refused here, where it can be said which option it is about.
fn of_protocol(text: &str, len_max: usize) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err("it has a control character, such as the end of a line or a tab; write it in one line".to_owned());
    }
    if text.len() > len_max {
        return Err(format!("it has {} bytes; at most {len_max} are kept", text.len()));
    }
    Ok(text.to_owned())
}
