use std::error::Error;
use std::fmt::Write;

/// An error with its causes behind it, in one line: messages do not repeat their causes themselves.
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(told, ": {error}").expect("a string takes all that is written");
        cause = error.source();
    }
    told
}
