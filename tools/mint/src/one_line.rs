//! Text for people in the TOML files: one line, as the signed forms want it.

/// Returns `text` if it may be the `what` of a signed text; `max` is in bytes.
pub(crate) fn check(text: String, what: &str, max: usize) -> Result<String, String> {
    let fits = (1..=max).contains(&text.len());
    if fits && text.trim() == text && !text.chars().any(char::is_control) {
        Ok(text)
    } else {
        Err(format!(
            "a {what} is 1 to {max} bytes without spaces around it and without control characters"
        ))
    }
}
