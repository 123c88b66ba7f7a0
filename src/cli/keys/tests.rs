use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::vendor::LicenseKey;

fn mails() -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mails");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut mails: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
        .map(|path| {
            let bytes = std::fs::read(&path).unwrap();
            (path, bytes)
        })
        .collect();
    mails.sort();
    mails
}

/// What the file beside a mail says of it: its keys, how many damaged ones follow, how many parts cannot be searched.
fn expected(mail: &Path) -> (Vec<String>, usize, usize) {
    let text = std::fs::read_to_string(mail.with_extension("keys")).unwrap();
    let (mut keys, mut damaged, mut unsearched) = (Vec::new(), 0, 0);
    for line in text.lines() {
        match line.split_once(' ') {
            Some(("damaged", count)) => damaged = count.parse().unwrap(),
            Some(("unsearched", count)) => unsearched = count.parse().unwrap(),
            _ => keys.push(LicenseKey::parse(line).unwrap().to_text()),
        }
    }
    (keys, damaged, unsearched)
}

fn texts(found: &Found) -> Vec<String> {
    found.keys.iter().map(|key| key.text.clone()).collect()
}

// proves K3
#[test]
fn every_mail_of_the_corpus_has_exactly_its_keys() {
    let mails = mails();
    assert!(mails.len() >= 15, "{} mails", mails.len());
    for (path, bytes) in mails {
        let (keys, damaged, unsearched) = expected(&path);
        // Also where nothing but its beginning tells that it is a mail.
        for name in [path.as_path(), Path::new("-")] {
            let found = find(name, &bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let whole = found.keys.len() - damaged;
            assert_eq!(texts(&found)[..whole], keys, "{} as {}", path.display(), name.display());
            for key in &found.keys[whole..] {
                assert!(LicenseKey::parse(&key.text).is_err(), "{}", path.display());
            }
            assert_eq!(
                found.unsearched.len(),
                unsearched,
                "{}: {:?}",
                path.display(),
                found.unsearched
            );
        }
    }
}

fn one_key() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mails/base64-with-bom.eml");
    expected(&path).0.remove(0)
}

// proves K3
#[test]
fn a_text_is_read_whatever_encoded_it() {
    let key = one_key();
    let text = format!("# B\u{fc}ro \u{2013} Schl\u{fc}ssel\r\n\r\n{key}\r\n");
    let utf16 = |order: fn(u16) -> [u8; 2], mark: bool| -> Vec<u8> {
        let mark = mark.then_some(0xfeff);
        mark.into_iter().chain(text.encode_utf16()).flat_map(order).collect()
    };
    let utf32 = |order: fn(u32) -> [u8; 4]| -> Vec<u8> {
        let characters = text.chars().map(u32::from);
        std::iter::once(0xfeff).chain(characters).flat_map(order).collect()
    };
    let windows: Vec<u8> = encoding_rs::WINDOWS_1252.encode(&text).0.into_owned();
    let files = [
        text.clone().into_bytes(),
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        utf16(u16::to_le_bytes, true),
        utf16(u16::to_be_bytes, true),
        utf16(u16::to_le_bytes, false),
        utf16(u16::to_be_bytes, false),
        utf32(u32::to_le_bytes),
        utf32(u32::to_be_bytes),
        windows,
    ];
    for bytes in files {
        let found = find(Path::new("keys.txt"), &bytes).unwrap();
        let place = Place { part: None, line: 3 };
        let text = key.clone();
        assert_eq!(found.keys, [Candidate { place, text }], "{:?}", &bytes[..8]);
    }
}

// proves K3
#[test]
fn a_text_in_utf_16_without_a_mark_is_read_whatever_script_its_words_are_in() {
    let key = one_key();
    for words in [
        "\u{41a}\u{43b}\u{44e}\u{447}\u{438} \u{434}\u{43b}\u{44f} \u{432}\u{430}\u{441}\n",
        "\u{60a8}\u{7684}\u{8bb8}\u{53ef}\u{8bc1}\u{5bc6}\u{94a5}",
    ] {
        // Many of them: the key stands behind what is looked at to tell the encoding.
        let text = format!("{}\n{key}\n", words.repeat(500));
        for order in [u16::to_le_bytes, u16::to_be_bytes] {
            let bytes: Vec<u8> = text.encode_utf16().flat_map(order).collect();
            let found = find(Path::new("keys.txt"), &bytes).unwrap();
            assert_eq!(texts(&found), std::slice::from_ref(&key), "{:?}", &bytes[..8]);
        }
    }
}

#[test]
fn what_is_no_text_is_named_with_the_remedy() {
    for (bytes, remedy) in [
        (&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest"[..], ".eml"),
        (b"PK\x03\x04rest", "unpack"),
        (b"%PDF-1.7", "copy the keys"),
        (b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0", "text file"),
    ] {
        let error = find(Path::new("keys.txt"), bytes).unwrap_err();
        assert!(error.to_string().contains(remedy), "{error}");
    }
}

#[test]
fn a_text_that_is_called_a_mail_or_begins_like_one_is_searched_all_the_same() {
    let key = one_key();
    for (name, text) in [
        ("keys.eml", format!("{key}\n")),
        ("keys.txt", format!("From: the vendor\nDate: today\n{key}\n")),
        ("keys.txt", format!("Subject: keys\nTo: me\n\n{key}\n")),
        ("keys.txt", format!("order: 4711\ncustomer: us\n\n{key}\n")),
    ] {
        assert_eq!(
            texts(&find(Path::new(name), text.as_bytes()).unwrap()),
            std::slice::from_ref(&key),
            "{text}"
        );
    }
}

// proves K3
#[test]
fn a_page_is_searched_as_it_shows_and_for_what_it_does_not_show() {
    let key = one_key();
    let (first, last) = key.split_at(30);
    for page in [
        format!("<table><tr><td>Key</td><td>{key}</td></tr></table>"),
        format!("<html><body>Key<b>{key}</b>10 seats</body></html>"),
        format!("<table><tr><td>{}</td></tr></table>", key.replace('-', "</td><td>")),
        format!("<table><tr><td>SK1</td><td>{}</td></tr></table>", &key[4..]),
        format!("<!DOCTYPE html>\n<p>{first}<br>{last}<br>Thanks</p>"),
        format!("<p>SK1-<span>{}</span></p>", &key[4..]),
        format!("<a href=\"https://vendor.example/?key={key}\">your key</a>"),
        format!("<?xml version=\"1.0\"?><!-- --><order><license key=\"{key}\"/></order>"),
    ] {
        let found = find(Path::new("page.html"), page.as_bytes()).unwrap();
        assert_eq!(texts(&found), std::slice::from_ref(&key), "{page}");
        assert_eq!(found.unsearched, [], "{page}");
    }
}

// proves K3
#[test]
fn a_document_in_rtf_and_an_encoded_file_are_told_and_what_is_whole_in_them_is_found() {
    let key = one_key();
    let (first, last) = key.split_at(30);
    let rtf = |key: &str| format!("{{\\rtf1\\ansi\\deff0 {{\\b Keys:}}\\par {key}\\par}}");
    let encoded = "begin 644 keys.txt\nM4TLQ+4%!04%!+4)\"0D)\"+4-#0T-#+41$1$1$+45%145%+49&1D9&+4='1T='\n`\nend\n";
    for (text, keys, told) in [
        (rtf(&key), 1, "save it as plain text"),
        (rtf(&format!("{first}\\b0 {last}")), 0, "save it as plain text"),
        (format!("Hello\n\n{encoded}"), 0, "keys.txt is a file that is uuencoded"),
        (format!("{key}\n{encoded}"), 1, "keys.txt is a file that is uuencoded"),
        (
            format!("begin-base64 644 k\n{}\n====\n", "QUJD".repeat(9)),
            0,
            "k is a file that",
        ),
    ] {
        let mail = format!("From: a@b.example\r\nSubject: keys\r\nTo: c@d.example\r\n\r\n{text}");
        for (file, bytes) in [("keys.txt", text.clone()), ("keys.eml", mail)] {
            let found = find(Path::new(file), bytes.as_bytes()).unwrap();
            assert_eq!(found.keys.len(), keys, "{file}: {text}");
            let reasons: Vec<_> = found.unsearched.iter().map(|one| one.reason.as_str()).collect();
            assert!(
                matches!(reasons[..], [reason] if reason.contains(told)),
                "{file}: {reasons:?} of {text}"
            );
        }
    }
    let prose = format!("begin 644 times\n\n{key}\nbegin again\n");
    assert_eq!(find(Path::new("keys.txt"), prose.as_bytes()).unwrap().unsearched, []);
}

#[test]
fn a_refused_key_is_placed_in_its_part_of_the_mail() {
    let mail = mails()
        .into_iter()
        .find(|(path, _)| path.ends_with("damaged-beside-a-good-one.eml"));
    let (path, bytes) = mail.unwrap();
    let found = find(&path, &bytes).unwrap();
    assert_eq!(found.keys[1].place.to_string(), "text, line 4");
    for (name, key, place) in [
        ("attached-text-utf-16.eml", 1, "attachment keys.txt, line 3"),
        ("three-mails-in-one-file.eml", 0, "mail 1: text, line 2"),
        ("three-mails-in-one-file.eml", 1, "mail 2: attachment keys.txt, line 2"),
        ("three-mails-in-one-file.eml", 2, "mail 3: text, line 4"),
        ("behind-the-last-part.eml", 0, "source, line 17"),
    ] {
        let mail = mails().into_iter().find(|(path, _)| path.ends_with(name));
        let (path, bytes) = mail.unwrap();
        assert_eq!(
            find(&path, &bytes).unwrap().keys[key].place.to_string(),
            place,
            "{name}"
        );
    }
}

#[test]
fn what_is_damaged_signed_or_encrypted_is_told_in_its_own_words() {
    for (name, words) in [
        (
            "cut-in-base64.eml",
            "not all of attachment keys.txt was searched: it is damaged or cut",
        ),
        (
            "cut-in-quoted-printable.eml",
            "not all of attachment keys.txt was searched: it is damaged or cut",
        ),
        (
            "damaged-base64.eml",
            "not all of attachment keys.txt was searched: it is damaged or cut",
        ),
        (
            "signed-and-packed.eml",
            "not all of attachment smime.p7m was searched: it is signed",
        ),
        (
            "encrypted-in-the-text.eml",
            "not all of text was searched: a message that is encrypted (PGP)",
        ),
    ] {
        let mail = mails().into_iter().find(|(path, _)| path.ends_with(name));
        let (path, bytes) = mail.unwrap();
        let told = find(&path, &bytes).unwrap().unsearched[0].to_string();
        assert!(told.starts_with(words), "{told}");
    }
    // S/MIME that does hide its content.
    let mail = "From: a@b.example\r\nSubject: x\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\
                Content-Transfer-Encoding: base64\r\n\r\nMIAGCSqGSIb3DQEHA6CAMIACAQA=\r\n";
    let told = find(Path::new("m.eml"), mail.as_bytes()).unwrap().unsearched[0].to_string();
    assert!(told.contains("was not searched: it is encrypted"), "{told}");
}

#[test]
fn logos_that_do_not_say_what_they_are_are_counted_and_told_once() {
    let key = one_key();
    let logo = |bytes: &[u8]| {
        format!(
            "--b\r\nContent-Type: application/octet-stream; name=\"logo\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n",
            data_encoding::BASE64_MIME.encode(bytes)
        )
    };
    let (png, jpeg) = (
        logo(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        logo(b"\xff\xd8\xff\xe0\0\x10JFIF\0"),
    );
    let mail = |text: &str| {
        format!(
            "From ada@x.example Thu Jan  1 00:00:00 2026\nFrom: a@b.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n{text}\r\n{png}{jpeg}--b--\r\n"
        )
    };
    let mails = mail(&key) + &mail("no key here");
    let found = find(Path::new("box"), mails.as_bytes()).unwrap();
    assert_eq!((texts(&found), found.unsearched.len()), (vec![key], 0), "{found:?}");
    assert_eq!(
        found.told_unsearched(),
        ["pictures among the attachments were not searched (2 JPEG, 2 PNG): a key that one shows has to be typed"]
    );
    // Where there is no key at all, they are what may have it.
    let found = find(Path::new("m.eml"), mail("no key here").as_bytes()).unwrap();
    assert_eq!((found.keys.len(), found.told_unsearched().len()), (0, 1));
}

#[test]
fn mails_that_are_nested_without_end_are_told_and_not_followed() {
    let key = one_key();
    let mut mail = format!("From: a@b.example\r\nSubject: x\r\n\r\n{key}\r\n");
    for depth in 0..40 {
        let encoded = data_encoding::BASE64_MIME.encode(mail.as_bytes());
        mail = format!(
            "From: a@b.example\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b{depth}\r\n\r\n\
             --b{depth}\r\nContent-Type: application/octet-stream; name=\"m.eml\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\
             {encoded}\r\n--b{depth}--\r\n"
        );
        if depth == 3 {
            assert_eq!(
                texts(&find(Path::new("m.eml"), mail.as_bytes()).unwrap()),
                std::slice::from_ref(&key)
            );
        }
        if mail.len() > 1_000_000 {
            break;
        }
    }
    let found = find(Path::new("m.eml"), mail.as_bytes()).unwrap();
    assert!(found.keys.is_empty());
    assert!(found.unsearched[0].reason.contains("nested"), "{found:?}");
}

proptest! {
    #[test]
    fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        for name in ["keys.txt", "mail.eml"] {
            drop(find(Path::new(name), &bytes));
        }
    }

    #[test]
    fn no_damaged_mail_does_harm(which in 0..15_usize, cut in any::<prop::sample::Index>(), flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8)) {
        let (path, mut bytes) = mails().swap_remove(which);
        bytes.truncate(cut.index(bytes.len()) + 1);
        for (place, byte) in flips {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        drop(find(&path, &bytes));
    }
}
