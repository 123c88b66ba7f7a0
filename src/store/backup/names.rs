//! Which files of a data directory a backup holds, by name.

use crate::store::format::FORMAT_NAME;
use crate::store::history;
use crate::store::journal::{DIR, segment_number};
use crate::store::manifest::{Generation, Manifest};

/// Names below a generation's directory have so many parts, at most.
const DEPTH_MAX: usize = 3;

/// The longest part of a name, in bytes.
const PART_LEN_MAX: usize = 64;

/// Whether `name`, from the data directory and with `/` between its parts, can be a file of a backup. No other is written
/// by a restore: none of these leads out of the directory, or to a file that is not the store's.
#[must_use]
pub fn is_part(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    match parts.as_slice() {
        [file] => *file == FORMAT_NAME || Manifest::is_name(file),
        [DIR, file] => segment_number(file).is_some(),
        [history::HISTORY, _] => history::is_file(name),
        [generation, rest @ ..] => {
            Generation::is_dir_name(generation) && rest.len() <= DEPTH_MAX && rest.iter().all(|part| is_plain(part))
        }
        [] => false,
    }
}

/// Whether a part of a name is one that the engine chooses: letters, digits, dots; no dot first.
fn is_plain(part: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
    !part.is_empty() && part.len() <= PART_LEN_MAX && !part.starts_with('.') && part.bytes().all(is_plain)
}
