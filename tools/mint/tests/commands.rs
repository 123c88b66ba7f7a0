//! Runs the real `seatmint` and reads what it printed and wrote.

mod blacklists;

use std::path::Path;
use std::process::{Command, Output};

use seatkeeper::domain::catalogue::{Offers, OnConflict};
use seatkeeper::domain::license::{Claims, Usage, Validity};
use seatkeeper::vendor::{LicenseKey, SignedCatalogue, VendorKey, find_keys};
use serde_json::Value;
use tempfile::TempDir;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/backup-suite.toml");

fn seatmint(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_seatmint"))
        .current_dir(dir)
        .args(args)
        .output()
        .expect("seatmint starts")
}

fn json(dir: &Path, args: &[&str]) -> Value {
    let output = seatmint(dir, &[&["--json"], args].concat());
    assert_eq!(
        output.status.code(),
        Some(0),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Runs a command that must fail and returns what it said.
fn refusal(dir: &Path, args: &[&str], code: i32) -> String {
    let output = seatmint(dir, args);
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    said
}

/// A directory with a vendor's key pair.
fn vendor() -> (TempDir, VendorKey) {
    let dir = TempDir::new().expect("a directory");
    json(dir.path(), &["keygen", "--out", "."]);
    let pem = std::fs::read_to_string(dir.path().join("vendor.pub")).expect("written");
    (dir, VendorKey::from_pem(&pem).expect("a public key"))
}

#[test]
fn a_key_pair_is_made_for_its_owner_only_and_never_overwritten() {
    let (dir, key) = vendor();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |name| {
            std::fs::metadata(dir.path().join(name))
                .expect("there")
                .permissions()
                .mode()
        };
        assert_eq!(mode("vendor.key") & 0o777, 0o600);
    }
    let before = std::fs::read(dir.path().join("vendor.key")).expect("there");
    assert!(refusal(dir.path(), &["keygen", "--out", "."], 1).contains("not overwritten"));
    assert_eq!(std::fs::read(dir.path().join("vendor.key")).expect("there"), before);
    let made = json(dir.path(), &["keygen", "--out", "other.key"]);
    assert_eq!(
        (made["private_key"].as_str(), made["public_key"].as_str()),
        (Some("other.key"), Some("other.pub"))
    );
    assert_ne!(made["vendor"], key.id().to_string());
    let shown = json(dir.path(), &["show", "vendor.pub"]);
    assert_eq!(shown["items"][0]["vendor"], key.id().to_string());
    refusal(dir.path(), &["keygen", "--out", ".", "--name", "../x"], 2);
}

#[cfg(unix)]
#[test]
fn nothing_is_signed_with_a_private_key_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, _) = vendor();
    let key = dir.path().join("vendor.key");
    let sign = ["catalogue", "sign", EXAMPLE, "--key", "vendor.key", "--out", "x"];
    for mode in [0o640, 0o604, 0o620] {
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).expect("set");
        let told = refusal(dir.path(), &sign, 1);
        assert!(told.contains("chmod 600 vendor.key"), "{told}");
        assert!(!dir.path().join("x").exists());
    }
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("set");
    json(dir.path(), &sign);
}

#[test]
fn a_private_key_is_named_and_not_shown() {
    let (dir, _) = vendor();
    let output = seatmint(dir.path(), &["show", "vendor.key"]);
    let shown = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(shown.starts_with("Private key: not shown"), "{shown}");
    let secret = std::fs::read_to_string(dir.path().join("vendor.key")).expect("there");
    assert!(secret.lines().all(|line| !shown.contains(line)));
    assert!(refusal(dir.path(), &["show", "x", "--vendor-key", "vendor.key"], 1).contains("private key"));
}

#[test]
fn the_example_is_signed_and_checks_out() {
    let (dir, key) = vendor();
    let path = dir.path();
    json(
        path,
        &[
            "catalogue",
            "sign",
            EXAMPLE,
            "--key",
            "vendor.key",
            "--out",
            "suite.catalogue",
        ],
    );
    let text = std::fs::read_to_string(path.join("suite.catalogue")).expect("written");
    let catalogue = SignedCatalogue::parse(&text)
        .and_then(|signed| signed.verify(&key))
        .expect("genuine");
    let ids: Vec<String> = catalogue.products.keys().map(ToString::to_string).collect();
    assert_eq!(ids, ["BKSRV", "BKWKS", "CRYPT", "DEPLOY", "MGMT", "PRIVACY", "RESCUE"]);
    let policies = |id: &str| {
        let product = &catalogue.products[&id.parse().expect("an id")];
        (product.offers, product.required, product.on_conflict)
    };
    let bksrv = "BKSRV".parse().expect("an id");
    assert_eq!(policies("BKSRV"), (Offers::MachineFirst, None, OnConflict::Flag));
    assert_eq!(policies("CRYPT"), (Offers::MachineFirst, Some(bksrv), OnConflict::Flag));
    assert_eq!(policies("PRIVACY"), (Offers::MachineFirst, None, OnConflict::Refuse));
    assert_eq!(policies("RESCUE"), (Offers::DeploymentOnly, None, OnConflict::Flag));
    let shown = json(path, &["show", "suite.catalogue", "--vendor-key", "vendor.pub"]);
    let item = &shown["items"][0];
    assert_eq!(
        (&item["type"], &item["genuine"], &item["version"]),
        (&"catalogue".into(), &true.into(), &1.into())
    );
    let add_on = &item["products"][2];
    assert_eq!(
        (&add_on["requires"], &add_on["on_conflict"], &add_on["licenses"][0]),
        (&"BKSRV".into(), &"flag".into(), &"machine".into())
    );
    assert_eq!(item["products"][5]["on_conflict"], "refuse");
    assert_eq!(item["products"][6]["licenses"], serde_json::json!(["deployment"]));
    let product = &item["products"][3];
    assert_eq!(
        (&product["id"], &product["single_use"]),
        (&"DEPLOY".into(), &true.into())
    );
    assert_eq!(product["components"][1]["id"], "bootmedia");
    let text = String::from_utf8(seatmint(path, &["show", "suite.catalogue"]).stdout).expect("UTF-8");
    assert!(
        text.contains("bootmedia: counted, strict, ephemeral") && text.contains("not checked"),
        "{text}"
    );
    for line in [
        "- requires a seat of BKSRV",
        "- refuses copies of a machine",
        "- licenses: machine, then deployment",
        "- licenses: deployment\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    // Genuine, but of somebody else.
    json(path, &["keygen", "--out", "other.key"]);
    let said = refusal(path, &["show", "suite.catalogue", "--vendor-key", "other.pub"], 1);
    assert!(said.contains("1 of 1"), "{said}");
}

#[test]
fn a_mistake_in_a_catalogue_is_named_with_its_line() {
    let (dir, _) = vendor();
    let attempt = |text: &str| {
        std::fs::write(dir.path().join("bad.toml"), text).expect("written");
        refusal(dir.path(), &["catalogue", "sign", "bad.toml", "--key", "vendor.key"], 1)
    };
    let good = "vendor = \"V\"\n[products.A]\nname = \"A\"\ncomponents.agent = { counted = true }\n";
    for (change, line, field) in [
        (("name = ", "nmae = "), "line 3", "nmae"),
        (("counted = true", "counted = 1"), "line 4", "counted"),
        (("counted", "counted = true, lenent"), "line 4", "lenent"),
        (("products.A", "products.a"), "line 2", "upper case"),
        (("agent", "Agent"), "line 4", "lower case"),
        (
            ("name = \"A\"", "name = \"A\"\noffline_days = 61"),
            "line 4",
            "offline_days",
        ),
        (
            ("name = \"A\"", "name = \"A\"\nlicenses = []"),
            "line 4",
            "licenses are",
        ),
        (
            ("name = \"A\"", "name = \"A\"\nlicenses = [\"machine\", \"machine\"]"),
            "line 4",
            "licenses are",
        ),
        (
            ("name = \"A\"", "name = \"A\"\nlicenses = [\"user\"]"),
            "line 4",
            "deployment",
        ),
        (
            ("name = \"A\"", "name = \"A\"\nrequires = \"b\""),
            "line 4",
            "upper case",
        ),
        (
            ("name = \"A\"", "name = \"A\"\non_conflict = \"ask\""),
            "line 4",
            "refuse",
        ),
    ] {
        let said = attempt(&good.replacen(change.0, change.1, 1));
        assert!(said.contains(line) && said.contains(field), "{change:?}: {said}");
    }
    assert!(attempt("vendor = \"V\"\nproducts = {}").contains("no product"));
}

#[test]
fn a_product_that_requires_what_cannot_be_had_is_named() {
    let (dir, _) = vendor();
    let attempt = |a: &str, b: &str| {
        let part = "components.agent = { counted = true }";
        let text =
            format!("vendor = \"V\"\n[products.A]\nname = \"A\"\n{a}\n{part}\n[products.B]\nname = \"B\"\n{b}\n");
        std::fs::write(dir.path().join("bad.toml"), text).expect("written");
        let args = ["catalogue", "sign", "bad.toml", "--key", "vendor.key"];
        seatmint(dir.path(), &args)
    };
    let counted = "components.agent = { counted = true }";
    assert!(attempt("requires = \"B\"", counted).status.success());
    for (a, b, said) in [
        ("requires = \"C\"", counted, "product C is required but not in the file"),
        ("requires = \"A\"", counted, "product A requires itself"),
        (
            "requires = \"B\"",
            "requires = \"A\"\ncomponents.agent = { counted = true }",
            "product A requires itself",
        ),
        (
            "requires = \"B\"",
            "components.agent = { counted = false }",
            "no machine can hold a seat",
        ),
        (
            "requires = \"B\"",
            "licenses = [\"deployment\"]\ncomponents.agent = { counted = true }",
            "no machine can hold a seat",
        ),
    ] {
        let output = attempt(a, b);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{a} {b}");
        assert!(text.contains(said), "{a} {b}: {text}");
    }
}

#[test]
fn a_renewal_has_the_serial_of_the_license_that_it_renews() {
    let (dir, key) = vendor();
    let issue = |more: &[&str]| -> Claims {
        let issued = json(
            dir.path(),
            &[&["issue", "--key", "vendor.key", "--product", "BKSRV"], more].concat(),
        );
        let text = issued["keys"][0]["key"].as_str().expect("a key");
        let verified = LicenseKey::parse(text).and_then(|text| text.verify(&key));
        verified.expect("genuine").claims
    };
    let first = issue(&["--seats", "10", "--expires", "2998-12-31"]);
    let renewal = issue(&[
        "--seats",
        "20",
        "--expires",
        "2999-12-31",
        "--serial",
        first.serial.as_str(),
    ]);
    assert_eq!(
        (renewal.serial, renewal.product, renewal.usage),
        (first.serial, first.product, first.usage)
    );
    assert!(renewal.seats > first.seats && renewal.issued_at >= first.issued_at);
    match (first.validity, renewal.validity) {
        (Validity::ThroughDay(before), Validity::ThroughDay(after)) => assert_eq!(after - before, 365),
        other => panic!("{other:?}"),
    }
    let help = String::from_utf8(seatmint(dir.path(), &["issue", "--help"]).stdout).expect("UTF-8");
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        help.contains("A renewal is a key with the --serial of the license that it renews"),
        "{help}"
    );
}

#[test]
fn a_key_is_issued_for_a_usage_that_the_catalogue_sells_only() {
    let (dir, key) = vendor();
    let sign = ["catalogue", "sign", EXAMPLE, "--key", "vendor.key", "--out", "suite"];
    json(dir.path(), &sign);
    let args = |product, usage| {
        [
            ["issue", "--key", "vendor.key", "--seats", "5", "--catalogue", "suite"].as_slice(),
            &["--product", product, "--usage", usage],
        ]
        .concat()
    };
    for product in ["RESCUE", "DEPLOY"] {
        let issued = json(dir.path(), &args(product, "deployment"));
        let text = issued["keys"][0]["key"].as_str().expect("a key");
        let verified = LicenseKey::parse(text).and_then(|text| text.verify(&key));
        assert_eq!(verified.expect("genuine").claims.usage, Usage::Deployment);
    }
    json(dir.path(), &args("DEPLOY", "machine"));
    assert!(refusal(dir.path(), &args("RESCUE", "machine"), 1).contains("not sold by"));
}

// proves K1
#[test]
fn keys_are_issued_with_what_was_asked_for() {
    let (dir, key) = vendor();
    let path = dir.path();
    let issue = |more: &[&str]| {
        let args = [
            &["issue", "--key", "vendor.key", "--product", "bksrv", "--seats", "3"],
            more,
        ]
        .concat();
        json(path, &args)
    };
    let issued = issue(&["--kind", "trial", "--days", "30", "--serial", "0123-4567-89AB-CDEF"]);
    let text = issued["keys"][0]["key"].as_str().expect("a key");
    let claims = LicenseKey::parse(text)
        .and_then(|text| text.verify(&key))
        .expect("genuine")
        .claims;
    assert_eq!((claims.seats, claims.serial.as_str()), (3, "0123456789ABCDEF"));
    let shown = json(path, &["show", text, "--vendor-key", "vendor.pub"]);
    let item = &shown["items"][0];
    assert_eq!(
        (&item["genuine"], &item["claims"]["kind"]),
        (&true.into(), &"trial".into())
    );
    assert_eq!(
        (&item["claims"]["days"], &item["claims"]["product"]),
        (&30.into(), &"BKSRV".into())
    );

    let many = issue(&[
        "--count",
        "5",
        "--expires",
        "2999-12-31",
        "--usage",
        "deployment",
        "--out",
        "keys.txt",
    ]);
    let file = std::fs::read_to_string(path.join("keys.txt")).expect("written");
    let found = find_keys(&file).expect("short");
    assert_eq!(found.len(), 5);
    for (found, issued) in found.iter().zip(many["keys"].as_array().expect("keys")) {
        assert_eq!(found.text, issued["key"].as_str().expect("a key"));
    }
    let shown = json(path, &["show", "keys.txt"]);
    assert_eq!(shown["items"][4]["claims"]["expires"], "2999-12-31");
    assert!(
        refusal(
            path,
            &[
                "issue",
                "--key",
                "vendor.key",
                "--product",
                "A",
                "--seats",
                "1",
                "--out",
                "keys.txt"
            ],
            1
        )
        .contains("not overwritten")
    );
}

#[test]
fn what_cannot_be_issued_is_a_usage_error() {
    let (dir, _) = vendor();
    let attempt = |more: &[&str], code| {
        let args = [&["issue", "--key", "vendor.key", "--product", "BKSRV"], more].concat();
        refusal(dir.path(), &args, code)
    };
    attempt(&[], 2);
    attempt(&["--seats", "0"], 2);
    attempt(&["--seats", "1", "--days", "1", "--expires", "2999-12-31"], 2);
    attempt(&["--seats", "1", "--expires", "2999-02-29"], 2);
    attempt(&["--seats", "1", "--expires", "2001-01-01"], 2);
    attempt(&["--seats", "1", "--count", "2", "--serial", "0123456789ABCDEF"], 2);
    json(
        dir.path(),
        &["catalogue", "sign", EXAMPLE, "--key", "vendor.key", "--out", "suite"],
    );
    json(
        dir.path(),
        &[
            "issue",
            "--key",
            "vendor.key",
            "--product",
            "BKSRV",
            "--seats",
            "1",
            "--catalogue",
            "suite",
        ],
    );
    let args = [
        "issue",
        "--key",
        "vendor.key",
        "--product",
        "BKSVR",
        "--seats",
        "1",
        "--catalogue",
        "suite",
    ];
    assert!(refusal(dir.path(), &args, 1).contains("BKSRV"));
}

// proves K4
#[test]
fn a_damaged_key_is_shown_with_its_line_among_good_ones() {
    let (dir, _) = vendor();
    let path = dir.path();
    json(
        path,
        &[
            "issue",
            "--key",
            "vendor.key",
            "--product",
            "A",
            "--seats",
            "1",
            "--out",
            "good.txt",
        ],
    );
    let good = std::fs::read_to_string(path.join("good.txt")).expect("written");
    let damaged = good.replacen("SK1-0", "SK1-1", 1);
    assert_ne!(good, damaged);
    std::fs::write(path.join("mixed.txt"), format!("# keys\r\n{damaged}\r\n{good}")).expect("written");
    let output = seatmint(path, &["--json", "show", "mixed.txt"]);
    assert_eq!(output.status.code(), Some(1));
    let shown: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(
        (&shown["items"][0]["type"], &shown["items"][0]["line"]),
        (&"damaged".into(), &2.into())
    );
    assert_eq!(shown["items"][1]["type"], "license_key");
    assert!(refusal(path, &["show", EXAMPLE], 1).contains("no license key"));
    let nowhere: Value =
        serde_json::from_slice(&seatmint(path, &["--json", "show", "nowhere"]).stdout).expect("one JSON object");
    assert!(nowhere["error"]["message"].as_str().expect("text").contains("nowhere"));
    assert_eq!(nowhere["error"]["exit_code"], 1);
}
