//! Files as `import-file` takes them: each sound key is found on its line, whatever stands around it and however it is
//! wrapped; what is no UTF-8 is no file of keys.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use seatkeeper::domain::ids::Serial;
use seatkeeper::domain::license::{Claims, Kind, Usage, Validity};
use seatkeeper::domain::time::Timestamp;
use seatkeeper::vendor::{KEY_LEN_MAX, KeyDraft, SigningKey, find_keys, sign_key};
use seatkeeper_fuzz::{Steps, number};

/// Keys of several lengths.
static KEYS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let signer = SigningKey::from_seed([1; 32]);
    let key = |(place, product): (u8, &str)| {
        let claims = Claims {
            vendor: signer.vendor_key().id(),
            serial: Serial::from_random([place; 10]),
            product: product.parse().expect("an id"),
            seats: 10,
            kind: Kind::Commercial,
            usage: Usage::Machine,
            issued_at: Timestamp(1_767_225_600),
            validity: Validity::Forever,
            support_until_day: (place & 1 == 0).then_some(20_500),
            auto_renew: false,
        };
        sign_key(&signer, &KeyDraft::from(claims), [place; 16]).expect("sound")
    };
    (0..).zip(["A", "BKSRV", "SERVER-EXTENDED"]).map(key).collect()
});

/// What may stand between the lines of a wrapped key.
const BREAKS: [&str; 5] = ["\n", "\r\n", "\r\n    ", "\n> ", "-\r\n"];

/// A key as people have it in a file.
fn shaped(key: &str, shape: u8, width: usize) -> String {
    let line_break = BREAKS[usize::from(shape >> 3) % BREAKS.len()];
    let wrap = |key: &str| {
        let chars: Vec<char> = key.chars().collect();
        let lines: Vec<String> = chars.chunks(width).map(|line| line.iter().collect()).collect();
        lines.join(line_break)
    };
    match shape % 12 {
        0 => key.to_owned(),
        1 => key.to_lowercase(),
        2 => format!("SK1-{}", key[4..].replace('-', "")),
        3 => format!("\"{key}\";"),
        4 => format!("<{key}>"),
        5 => key.replace('-', " "),
        6 => key.replace('-', "_"),
        7 => key.replace('-', ""),
        8 => key.chars().map(full_width).collect(),
        _ => wrap(key),
    }
}

/// The form of a printable ASCII character among wide ones.
fn full_width(c: char) -> char {
    char::from_u32(u32::from(c) + 0xfee0).expect("a character of a key")
}

fuzz_target!(|input: &[u8]| {
    let mut file = Vec::new();
    let mut wanted = Vec::new();
    for (kind, taken) in Steps::of(input) {
        let (place, rest) = number::<1>(taken);
        let key = &KEYS[usize::try_from(place).expect("a byte") % KEYS.len()];
        match kind % 4 {
            0 => file.extend(taken),
            // A key whose characters from some place on are other ones.
            1 => {
                let (from, other) = number::<2>(rest);
                file.push(b'\n');
                file.extend(&key.as_bytes()[..usize::try_from(from).expect("two bytes") % key.len()]);
                file.extend(other);
            }
            2 => file.extend(b"\r\n"),
            _ => {
                let (shape, rest) = number::<1>(rest);
                let width = 5 + usize::try_from(number::<1>(rest).0 % 80).expect("a byte");
                let shape = u8::try_from(shape).expect("a byte");
                // Behind the beginning of a key it might be taken for what that key lacks.
                file.push(b'\n');
                let line = 1 + file.iter().filter(|&&byte| byte == b'\n').count();
                wanted.push((u32::try_from(line).expect("few"), key.clone()));
                file.extend(shaped(key, shape, width).as_bytes());
                file.push(b'\n');
            }
        }
    }
    let Ok(text) = String::from_utf8(file) else { return };
    let found = find_keys(&text).expect("within the bounds");
    let lines = u32::try_from(text.lines().count()).expect("few") + 1;
    assert!(found.is_sorted_by_key(|key| key.line), "in the order of the text");
    for key in &found {
        assert!((1..=lines).contains(&key.line) && key.text.chars().count() <= KEY_LEN_MAX);
    }
    let mut rest = found.iter();
    for (line, key) in &wanted {
        assert!(
            rest.any(|found| found.line == *line && found.text == *key),
            "{key} on line {line} is not found in {text:?}"
        );
    }
});
