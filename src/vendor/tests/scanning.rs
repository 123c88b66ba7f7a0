use proptest::prelude::*;

use super::*;

fn keys(count: u8) -> Vec<String> {
    let signer = signer(1);
    let draft = |number| Claims {
        serial: Serial::from_random([number; 10]),
        ..claims(&signer)
    };
    (0..count)
        .map(|number| sign_key(&signer, &draft(number).into(), [number; 16]).expect("sound"))
        .collect()
}

fn found(text: &str) -> Vec<(u32, String)> {
    let found = find_keys(text).expect("within the bounds");
    found.into_iter().map(|key| (key.line, key.text)).collect()
}

// proves K3
#[test]
fn keys_are_found_in_any_text_with_their_lines() {
    let keys = keys(3);
    let text = format!(
        "\u{feff}# Order 4711, ten seats each\r\n\r\nServer: \"{}\" (for the cellar),{};\r\n\r\n<{}>\r\nThank you.",
        keys[0],
        keys[1].to_lowercase(),
        keys[2],
    );
    let wanted = vec![(3, keys[0].clone()), (3, keys[1].clone()), (5, keys[2].clone())];
    assert_eq!(found(&text), wanted);
}

// proves K3
#[test]
fn words_and_keys_behind_a_key_are_no_part_of_it() {
    let keys = keys(2);
    // Every letter of the comment could be a digit of a key.
    let text = format!("{} and a spare: {} {}\tseats 10", keys[0], keys[1], keys[0]);
    let wanted = vec![(1, keys[0].clone()), (1, keys[1].clone()), (1, keys[0].clone())];
    assert_eq!(found(&text), wanted);
    assert_eq!(found(&keys.join("\n")).len(), 2);
}

// proves K3
#[test]
fn a_key_is_found_though_nothing_stands_between_it_and_the_words_around_it() {
    let keys = keys(2);
    let wanted: Vec<_> = keys.iter().map(|key| (1, key.clone())).collect();
    for text in [
        keys.concat(),
        format!("Key{}and{}Seats", keys[0], keys[1]),
        format!("key:{}/{}.", keys[0], keys[1]),
        format!("<td>{}</td><td>{}</td>", keys[0], keys[1]),
        format!("10{}\u{fc}{}\u{fc}", keys[0], keys[1]),
    ] {
        assert_eq!(found(&text), wanted, "{text}");
    }
    // A damaged one is told; a word is not.
    let damaged = found(&format!("Key{}", &keys[0][..60]));
    assert!(
        matches!(&damaged[..], [(1, shown)] if LicenseKey::parse(shown).is_err()),
        "{damaged:?}"
    );
    assert_eq!(found("task1-2026-and-risk1-none"), []);
}

// proves K1, K3
#[test]
fn a_whole_key_is_found_whatever_stands_behind_its_prefix_and_nothing_else_is_told() {
    let key = keys(1).remove(0);
    let full = |text: &str| -> String {
        let wide = |c: char| char::from_u32(u32::from(c) + 0xfee0).expect("a full-width form");
        text.chars().map(wide).collect()
    };
    for text in [
        key.replace('-', " "),
        key.replacen('-', " ", 1),
        key.replacen('-', "\n", 1),
        key.replace('-', "_"),
        key.replacen('-', "_", 1),
        key.replace('-', ""),
        key.replace('-', "").to_lowercase(),
        key.replacen('-', "", 1),
        full(&key),
        full(&key.replace('-', "")),
        format!("Key{}Seats", key.replace('-', "")),
        format!("SK1 or SK1 034 {}", key.replace('-', " ")),
    ] {
        assert_eq!(found(&text), [(1, key.clone())], "{text}");
        if base32::digit(text.chars().next().expect("a key")) == Some('S') && !text.contains("or") {
            assert_eq!(
                LicenseKey::parse(&text).map(|read| read.to_text()).as_ref(),
                Ok(&key),
                "{text}"
            );
        }
    }
    for other in [" ", "_", ""] {
        let damaged = key[..key.len() - 3].replacen('-', other, 1);
        assert_eq!(found(&damaged), [], "{damaged}");
        assert_eq!(found(&format!("{damaged}\n{key}")), [(2, key.clone())], "{damaged}");
    }
}

#[test]
fn a_prefix_that_no_key_can_follow_costs_nothing() {
    let many = "SK1 SK1ZZZZ SK1_A ".repeat(KEYS_MAX);
    assert_eq!(find_keys(&many), Ok(Vec::new()));
    let costly = "SK1 034G0? ".repeat(KEYS_MAX + 1);
    assert_eq!(find_keys(&costly), Err(ScanError::TooManyKeys));
}

// proves K3
#[test]
fn keys_wrapped_over_lines_are_found_wherever_the_break_falls() {
    let keys = keys(2);
    for width in 5..80 {
        for (line_break, first) in [("\n", ""), ("\r\n    ", ""), ("\n> ", "> "), ("-\r\n", "")] {
            let wrap = |key: &str| {
                let chars: Vec<char> = key.chars().collect();
                let lines: Vec<String> = chars.chunks(width).map(|line| line.iter().collect()).collect();
                lines.join(line_break)
            };
            let text = format!("{first}{}\n\n{first}{}\n", wrap(&keys[0]), wrap(&keys[1]));
            let texts: Vec<String> = found(&text).into_iter().map(|(_, key)| key).collect();
            assert_eq!(texts, keys, "width {width}, break {line_break:?}");
        }
    }
}

// proves K3, K4
#[test]
fn a_damaged_key_is_reported_with_its_line_and_hides_no_good_one() {
    let keys = keys(2);
    for place in 4..keys[0].len() {
        for change in [Some('?'), Some('Z'), None] {
            let mut damaged: Vec<char> = keys[0].chars().collect();
            match change {
                Some(c) if damaged[place] == c => continue,
                Some(c) => damaged[place] = c,
                None if damaged[place] == '-' => continue,
                None => drop(damaged.remove(place)),
            }
            let damaged: String = damaged.into_iter().collect();
            for between in ["\n", " ", ",\n"] {
                let found = found(&format!("first line\n{damaged}{between}{}\n", keys[1]));
                if LicenseKey::parse(&damaged).is_ok() {
                    continue; // a hyphen became a digit's neighbour: the key reads the same
                }
                let good = if between.contains('\n') { 3 } else { 2 };
                assert_eq!(
                    found.last(),
                    Some(&(good, keys[1].clone())),
                    "{place} {change:?} {between:?}"
                );
                let [(2, shown), _] = &found[..] else {
                    // A damaged place can be the first behind the prefix: then nothing there begins like a key.
                    assert!(place == 4 && change == Some('?'), "{place} {change:?}: {found:?}");
                    continue;
                };
                assert!(LicenseKey::parse(shown).is_err(), "{shown}");
            }
        }
    }
}

#[test]
fn text_without_keys_has_none() {
    for text in [
        "",
        "\n\n",
        "Keys begin with SK1- as you know.",
        "TASK1-ABCDE",
        "SK1",
        "SK12-ABCDE",
        "ß SK\u{131}-A",
    ] {
        assert_eq!(found(text), [], "{text}");
    }
    assert_eq!(found("see SK1-XXXXX-XXXXX below"), [(1, "SK1-XXXXX-XXXXX".to_owned())]);
}

#[test]
fn a_search_has_bounds() {
    let long = " ".repeat(SCAN_LEN_MAX + 1);
    assert_eq!(find_keys(&long), Err(ScanError::TextTooLong { len: SCAN_LEN_MAX + 1 }));
    let many = "SK1-A ".repeat(KEYS_MAX);
    assert_eq!(find_keys(&many).map(|keys| keys.len()), Ok(KEYS_MAX));
    assert_eq!(find_keys(&format!("{many}SK1-B")), Err(ScanError::TooManyKeys));
    let shown = found(&format!("SK1-{}", "A".repeat(5000)));
    assert_eq!(shown[0].1.chars().count(), 1024);
}

proptest! {
    #[test]
    fn a_key_is_found_in_any_text(before in "(?s).{0,60}", after in "(?s).{0,60}") {
        let key = keys(1).remove(0);
        let texts: Vec<String> = found(&format!("{before} {key} {after}")).into_iter().map(|(_, key)| key).collect();
        prop_assert!(texts.contains(&key), "{texts:?}");
    }
}
