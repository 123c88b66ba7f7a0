//! Bytes are a manifest exactly as it would be written, or none; and whatever one says, another can follow it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seatkeeper::store::fuzz::{ReadManifest, manifest};
use seatkeeper_fuzz::forms::manifest_sum;
use seatkeeper_fuzz::number;

fn check(number: u64, bytes: &[u8]) {
    let Some(ReadManifest { text, next }) = manifest(number, bytes) else {
        return;
    };
    assert_eq!(text.as_bytes(), bytes, "no two texts are one manifest");
    let again = manifest(next.0, next.1.as_bytes()).map(|next| next.text);
    if again.as_ref() != Some(&next.1) {
        // Only at the end of all numbers does nothing follow.
        let last = format!(" {}", i64::MAX);
        let is_last = number == i64::MAX.unsigned_abs() || text.contains(&last);
        assert!(is_last, "{} cannot be followed", text);
    }
}

fuzz_target!(|input: &[u8]| {
    let (number, text) = number::<8>(input);
    check(number, text);
    // Most texts that are close to a manifest only lack a sum that holds.
    check(number, &[text, manifest_sum(text).as_bytes()].concat());
});
