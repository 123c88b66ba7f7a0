//! `seatmint blacklist`

use seatkeeper::domain::blacklist::Listed;
use seatkeeper::vendor::SignedBlacklist;
use serde_json::Value;

use super::{json, refusal, seatmint, vendor};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/withdrawn.toml");

#[test]
fn the_example_of_a_blacklist_is_signed_and_checks_out() {
    let (dir, key) = vendor();
    let path = dir.path();
    let sign = ["blacklist", "sign", EXAMPLE, "--key", "vendor.key"];
    let made = json(path, &[&sign[..], &["--out", "suite.blacklist"]].concat());
    assert_eq!(
        (&made["version"], &made["blacklisted"], &made["superseded"]),
        (
            &1.into(),
            &serde_json::json!(["0123456789ABCDEF"]),
            &serde_json::json!(["0W3GE1R70W3GE1R7"])
        )
    );
    let text = std::fs::read_to_string(path.join("suite.blacklist")).expect("written");
    assert_eq!(made["blacklist"], text);
    let blacklist = SignedBlacklist::parse(&text)
        .and_then(|signed| signed.verify(&key))
        .expect("genuine");
    assert_eq!(blacklist.contact, "Example Backup Software, licenses@example.com");
    let listed: Vec<_> = blacklist.serials.values().copied().collect();
    assert_eq!(listed, [Listed::Blacklisted, Listed::Superseded]);

    let shown = json(path, &["show", "suite.blacklist", "--vendor-key", "vendor.pub"]);
    let item = &shown["items"][0];
    assert_eq!(
        (&item["type"], &item["genuine"], &item["error"], &item["superseded"][0]),
        (
            &"blacklist".into(),
            &true.into(),
            &Value::Null,
            &"0W3GE1R70W3GE1R7".into()
        )
    );
    let text = String::from_utf8(seatmint(path, &["show", "suite.blacklist"]).stdout).expect("UTF-8");
    assert!(
        text.contains("blacklisted    0123456789ABCDEF") && text.contains("licenses@example.com"),
        "{text}"
    );
    json(path, &["keygen", "--out", "other.key"]);
    refusal(path, &["show", "suite.blacklist", "--vendor-key", "other.pub"], 1);
    assert!(refusal(path, &[&sign[..], &["--out", "suite.blacklist"]].concat(), 1).contains("not overwritten"));
}

#[test]
fn a_blacklist_without_a_version_has_the_time_and_may_be_empty() {
    let (dir, key) = vendor();
    std::fs::write(dir.path().join("none.toml"), "contact = \"Sales\"\n").expect("written");
    let output = seatmint(dir.path(), &["blacklist", "sign", "none.toml", "--key", "vendor.key"]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let blacklist = SignedBlacklist::parse(&text)
        .and_then(|signed| signed.verify(&key))
        .expect("genuine");
    assert_eq!(blacklist.version, blacklist.issued_at.0);
    assert!(blacklist.serials.is_empty());
    std::fs::write(dir.path().join("none.blacklist"), text).expect("written");
    let shown = String::from_utf8(seatmint(dir.path(), &["show", "none.blacklist"]).stdout).expect("UTF-8");
    assert!(shown.contains("nothing is listed any more"), "{shown}");
}

#[test]
fn a_mistake_in_a_blacklist_is_named_with_its_line() {
    let (dir, _) = vendor();
    let attempt = |text: &str| {
        std::fs::write(dir.path().join("bad.toml"), text).expect("written");
        refusal(dir.path(), &["blacklist", "sign", "bad.toml", "--key", "vendor.key"], 1)
    };
    let good = "version = 1\ncontact = \"Sales\"\nblacklisted = [\n  \"0123456789ABCDEF\",\n]\nsuperseded = []\n";
    for (change, line, field) in [
        (("version", "vresion"), "line 1", "vresion"),
        (("superseded", "replaced"), "line 6", "replaced"),
        (("\"Sales\"", "\"\""), "line 2", "contact is 1 to 128"),
        (("\"Sales\"", "\"a\\nb\""), "line 2", "contact is 1 to 128"),
        (("0123456789ABCDEF", "0123456789ABCDEU"), "line 4", "0123456789ABCDEU"),
        (("DEF\",", "DEF\",\n\"0123-4567-89ab-cdef\","), "line 5", "there twice"),
        (("[]", "[\"0123456789ABCDEF\"]"), "line 6", "there twice"),
    ] {
        let said = attempt(&good.replacen(change.0, change.1, 1));
        assert!(said.contains(line) && said.contains(field), "{change:?}: {said}");
    }
    assert!(attempt("blacklisted = []").contains("contact"));
    let many: Vec<String> = (0..2_049).map(|number| format!("\"{number:0>16}\"")).collect();
    let said = attempt(&format!("contact = \"Sales\"\nsuperseded = [{}]", many.join(",")));
    assert!(said.contains("2048") && said.contains("leave out"), "{said}");
}
