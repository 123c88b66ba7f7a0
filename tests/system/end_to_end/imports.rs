//! Keys: imported once, refused each with its reason, still there afterwards.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use seatkeeper::vendor::LicenseKey;
use serde_json::Value;

use crate::site::Site;
use crate::vendor::{Vendor, serial};
use seatkeeper::domain::license::{Claims, Validity};

/// A key with one character mistyped.
fn mistyped(key: &str) -> String {
    let place = key.len() - 8;
    let other = if key.as_bytes()[place] == b'7' { "8" } else { "7" };
    format!("{}{other}{}", &key[..place], &key[place + 1..])
}

fn refusals(summary: &Value) -> Vec<(u64, &str)> {
    let rows = summary["refused"].as_array().expect("rows");
    rows.iter()
        .map(|row| {
            (
                row["line"].as_u64().expect("line"),
                row["status"].as_str().expect("status"),
            )
        })
        .collect()
}

// proves K3
#[test]
fn a_mail_is_imported_with_all_that_it_carries_and_a_dry_run_imports_nothing() {
    let site = Site::open();
    let ours = &site.vendor;
    let [one, two] = [ours.license(1, "BKSRV", 3), ours.license(2, "BKWS", 10)];
    let (first, second) = one.split_at(70);
    let attached = data_encoding::BASE64_MIME.encode(
        [
            b"\xff\xfe".to_vec(),
            two.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ]
        .concat()
        .as_slice(),
    );
    let wrong = mistyped(&ours.license(3, "BKSRV", 5));
    let mail = format!(
        "From: licenses@vendor.example\r\nSubject: keys\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
         <p>Your key:<br>{first}=\r\n{second}</p><p>{wrong}</p>\r\n\
         --b\r\nContent-Type: application/octet-stream; name=\"keys.txt\"\r\nContent-Transfer-Encoding: base64\r\n\r\n\
         {attached}\r\n\
         --b\r\nContent-Type: application/pdf; name=\"invoice.pdf\"\r\n\r\n%PDF-1.7\r\n\
         --b\r\nContent-Type: application/octet-stream; name=\"logo\"\r\n\r\nGIF89a\x01\r\n--b--\r\n"
    );
    let path = site.dir.path().join("keys.eml");
    std::fs::write(&path, mail).unwrap();
    let path = path.to_str().unwrap();
    for (args, dry_run, seats) in [
        (&["import-file", path, "--dry-run", "--json"][..], true, 0),
        (&["import-file", path, "--json"], false, 2),
    ] {
        let output = site.admin(args.iter().copied()).failed_with(4);
        let summary: Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(summary["dry_run"], dry_run);
        assert_eq!(
            (&summary["added"], &summary["already_present"]),
            (&2.into(), &0.into()),
            "{summary}"
        );
        assert_eq!(summary["licenses_added"], serde_json::json!({"BKSRV": 1, "BKWS": 1}));
        assert_eq!(summary["seats_added"], serde_json::json!({"BKSRV": 3, "BKWS": 10}));
        assert_eq!(refusals(&summary).len(), 1);
        assert_eq!(summary["refused"][0]["part"], "HTML text");
        assert_eq!(summary["unsearched"].as_array().unwrap().len(), 1, "{summary}");
        assert_eq!(summary["unsearched"][0]["part"], "attachment invoice.pdf");
        assert_eq!(summary["pictures"], serde_json::json!({"GIF": 1}));
        assert_eq!(site.audit().len(), seats);
    }
    let said = site.admin(["import-file", path, "--dry-run"]).failed_with(4);
    for words in [
        "would be: added 0, already present 2, refused 1",
        "HTML text, line",
        "invoice.pdf was not searched",
        "pictures among the attachments were not searched (1 GIF)",
    ] {
        assert!(said.text().contains(words), "{said:?}");
    }
}

/// What the file beside a mail of the corpus says of it: the serials of its keys, and how many damaged ones follow.
fn expected(mail: &Path) -> (BTreeSet<String>, u64) {
    let text = std::fs::read_to_string(mail.with_extension("keys")).unwrap();
    let damaged = text.lines().find_map(|line| line.strip_prefix("damaged "));
    let keys = text.lines().filter(|line| line.starts_with("SK1-"));
    let serials = keys.map(|key| LicenseKey::parse(key).unwrap().serial().to_string());
    (serials.collect(), damaged.map_or(0, |count| count.parse().unwrap()))
}

// proves K3
#[test]
fn every_mail_of_the_corpus_is_imported_and_its_licenses_are_listed() {
    let site = Site::bare("");
    // The vendor that signed the keys of the corpus, and its catalogue.
    let vendor = Vendor::new(77);
    let word = |path: PathBuf| path.to_str().unwrap().to_owned();
    let public = word(vendor.write_public_key(site.dir.path()));
    site.admin(["vendor", "trust", &public]).ok();
    let catalogue = word(vendor.write_catalogue(site.dir.path(), 1));
    site.admin(["catalogue", "import", &catalogue]).ok();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/mails");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut mails: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
        .collect();
    mails.sort();
    assert!(mails.len() >= 15, "{} mails", mails.len());
    let mut all = BTreeSet::new();
    for mail in mails {
        let (serials, damaged) = expected(&mail);
        let name = word(mail);
        let output = site.admin(["import-file", &name, "--json"]);
        assert_eq!(output.code, Some(if damaged > 0 { 4 } else { 0 }), "{name}: {output:?}");
        let summary: Value = serde_json::from_str(&output.stdout).unwrap();
        let new = serials.difference(&all).count();
        // The same keys are in several mails.
        let known = serials.len() - new;
        assert_eq!(
            (&summary["added"], &summary["already_present"]),
            (&new.into(), &known.into()),
            "{name}: {summary}"
        );
        assert_eq!(refusals(&summary).len() as u64, damaged, "{name}: {summary}");
        all.extend(serials);
        let listed = site.json(["licenses"]);
        let listed = listed.as_array().unwrap().iter();
        let listed: BTreeSet<String> = listed.map(|row| row["serial"].as_str().unwrap().to_owned()).collect();
        assert_eq!(listed, all, "after {name}");
    }
    assert!(all.len() > 4 && site.audit().len() == all.len());
}

// proves K3
// proves K4
#[test]
fn a_file_is_imported_with_line_and_reason_of_each_refused_key() {
    let site = Site::open();
    let (ours, theirs) = (&site.vendor, Vendor::new(2));
    let good = ours.license(1, "BKSRV", 3);
    let expired = Claims {
        validity: Validity::ThroughDay(20_000),
        ..ours.claims(4, "BKSRV", 1)
    };
    let text = format!(
        "\u{feff}# Licenses of March\r\n{good}\r\nplease keep: \"{}\" (workstations)\r\n\r\n{}\r\n{}\r\n{}\r\n{}\r\n{good}\r\n",
        ours.license(2, "BKWS", 10),
        mistyped(&ours.license(3, "BKSRV", 5)),
        theirs.license(9, "BKSRV", 5),
        ours.license(5, "UNHEARD", 5),
        ours.sign(expired),
    );
    let path = site.dir.path().join("keys.txt");
    std::fs::write(&path, text).unwrap();
    let output = site
        .admin(["import-file", path.to_str().unwrap(), "--json"])
        .failed_with(4);
    let summary: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(
        (&summary["added"], &summary["already_present"]),
        (&2.into(), &1.into()),
        "{summary}"
    );
    assert_eq!(
        refusals(&summary),
        [
            (5, "TEXT_DAMAGED"),
            (6, "UNKNOWN_VENDOR"),
            (7, "UNKNOWN_PRODUCT"),
            (8, "KEY_EXPIRED")
        ]
    );
    for row in summary["refused"].as_array().unwrap() {
        assert!(!row["reason"].as_str().unwrap().is_empty(), "{row}");
    }
    let again = site
        .admin(["import-file", path.to_str().unwrap(), "--json"])
        .failed_with(4);
    let summary: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(
        (&summary["added"], &summary["already_present"]),
        (&0.into(), &3.into()),
        "{summary}"
    );
    assert_eq!(site.audit().len(), 2);
}

// proves K3
// proves K6
#[test]
fn a_dry_run_tells_of_a_license_and_its_renewal_in_one_file_what_importing_them_does() {
    let site = Site::open();
    // More than the server is asked about at once lies between a license and its renewal.
    let mut keys: Vec<String> = (1..=70).map(|number| site.vendor.license(number, "BKSRV", 3)).collect();
    keys.insert(0, mistyped(&keys[2]));
    keys.push(site.vendor.license(1, "BKSRV", 5));
    keys.push(mistyped(&keys[3]));
    let file = site.dir.path().join("keys.txt");
    std::fs::write(&file, keys.join("\n")).unwrap();
    let file = file.to_str().unwrap();
    let told = |args: &[&str]| {
        let output = site
            .admin(["import-file", file, "--json"].iter().chain(args))
            .failed_with(4);
        let mut summary: Value = serde_json::from_str(&output.stdout).unwrap();
        summary.as_object_mut().unwrap().remove("dry_run");
        summary
    };
    let would_be = told(&["--dry-run"]);
    assert_eq!(site.json(["status"])["licenses"], 0);
    let is = told(&[]);
    assert_eq!(would_be, is);
    assert_eq!((&is["added"], &is["renewed"]), (&71.into(), &1.into()), "{is}");
    let lines: Vec<u64> = refusals(&is).iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [1, 73], "as they stand in the file");
    assert_eq!(is["licenses_renewed"], serde_json::json!({"BKSRV": 1}));
    // A file of renewals alone says what they are of.
    let renewal = site.vendor.license(2, "BKSRV", 7);
    let file = site.dir.path().join("renewals.txt");
    std::fs::write(&file, renewal.replacen('-', " ", 1)).unwrap();
    let told = site.admin(["import-file", file.to_str().unwrap()]).ok();
    assert!(told.contains("(of which 1 renewed a license)"), "{told}");
    assert!(told.contains("\n  BKSRV: 1 license renewed\n"), "{told}");
}

// proves K1
// proves K3
#[test]
fn pasted_keys_are_read_in_any_case_and_grouping() {
    let site = Site::open();
    let key = site.vendor.license(1, "BKSRV", 3).to_lowercase().replace('-', " ");
    let other = site.vendor.license(2, "PRIV", 1).replace('-', "");
    let summary = site.json(["import", &key, &other]);
    assert_eq!(summary["added"], 2, "{summary}");
    let summary = site.json(["import", &key]);
    assert_eq!(
        (&summary["added"], &summary["already_present"]),
        (&0.into(), &1.into()),
        "{summary}"
    );
}

// proves K4
#[test]
fn a_forged_key_is_refused_as_not_genuine() {
    let site = Site::open();
    // The trusted vendor's id in a text that another vendor signed cannot be minted: the signer checks it. A key whose
    // certificate belongs to one secret and whose text carries another can be made by anybody who saw both.
    let key = site.vendor.license(1, "BKSRV", 3);
    let forged = crate::forge::with_another_secret(&key);
    let output = site.admin(["import", &forged, "--json"]).failed_with(4);
    let summary: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(refusals(&summary), [(1, "BAD_SIGNATURE")], "{summary}");
}

// proves K4
#[test]
fn a_key_that_asks_for_more_than_this_version_can_is_refused_as_needing_a_newer_server() {
    let site = Site::open();
    let mut draft = seatkeeper::vendor::KeyDraft::from(site.vendor.claims(1, "BKSRV", 3));
    draft.must_activate = true;
    let output = site
        .admin(["import", &site.vendor.sign(draft), "--json"])
        .failed_with(4);
    let summary: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(refusals(&summary), [(1, "NEEDS_NEWER_SERVER")], "{summary}");
}

// proves K3
#[test]
fn a_file_can_come_from_standard_input_and_one_without_keys_is_an_error() {
    let site = Site::open();
    let text = format!("{}\n", site.vendor.license(1, "BKSRV", 3));
    site.admin_with_input(["import-file", "-"], &text).ok();
    assert_eq!(site.audit().len(), 1);
    site.admin_with_input(["import-file", "-"], "nothing here\n")
        .failed_with(1);
}

// proves K2
#[test]
fn two_vendors_products_of_one_id_are_told_apart() {
    let site = Site::open();
    let other = Vendor::new(2);
    let dir = site.dir.path();
    site.admin(["vendor", "trust", other.write_public_key(dir).to_str().unwrap()])
        .ok();
    site.admin(["catalogue", "import", other.write_catalogue(dir, 1).to_str().unwrap()])
        .ok();
    site.buy(1, "BKSRV", 1);
    site.admin(["import", &other.license(2, "BKSRV", 1)]).ok();
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    site.agent(2, "checkout", "BKSRV", "agent").failed_with(4);
    let mut of_other = site.machine(3);
    of_other.vendor_key = other.write_public_key(dir);
    of_other
        .agent("checkout", "BKSRV", "agent", &["--server", &site.server().server_arg()])
        .ok();
    let mac = site.machine(3).mac;
    site.admin(["release", &mac, "BKSRV", "--reason", "which one?"])
        .failed_with(4);
    let vendor = other.id().to_string();
    site.admin(["release", &mac, "BKSRV", "--reason", "that one", "--vendor", &vendor])
        .ok();
    site.audit();
}

// proves K7
#[test]
fn keys_and_seats_are_still_there_after_a_restart() {
    let mut site = Site::open();
    site.buy(1, "BKSRV", 3);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let before = (site.audit(), site.json(["seats"]));
    site.stop();
    site.start();
    assert_eq!((site.audit(), site.json(["seats"])), before);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    assert_eq!(site.audit()[0]["used"], 1);
}

// proves K2
#[test]
fn a_catalogue_of_a_vendor_that_is_not_trusted_is_refused_and_so_is_an_older_one() {
    let site = Site::open();
    let dir = site.dir.path();
    let other = Vendor::new(2);
    site.admin(["catalogue", "import", other.write_catalogue(dir, 1).to_str().unwrap()])
        .failed_with(4);
    site.admin([
        "catalogue",
        "import",
        site.vendor.write_catalogue(dir, 3).to_str().unwrap(),
    ])
    .ok();
    site.admin([
        "catalogue",
        "import",
        site.vendor.write_catalogue(dir, 2).to_str().unwrap(),
    ])
    .failed_with(4);
}

// proves S12
#[test]
fn a_license_in_use_is_removed_only_with_its_seats() {
    let site = Site::open();
    site.buy(1, "BKSRV", 3);
    let serial = serial(1).to_string();
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    site.admin(["remove", &serial]).failed_with(4);
    assert_eq!(site.audit().len(), 1);
    let told = site.json(["remove", &serial, "--end-seats"]);
    assert_eq!(told["seats_ended"], 1, "{told}");
    assert!(site.audit().is_empty());
    site.agent(1, "checkout", "BKSRV", "agent").failed_with(4);
    site.admin(["remove", &serial]).failed_with(4);
}
