//! Lists as administrators ask for them: columns, order, filters, hostile names, bursts (rule V1).

use std::net::SocketAddr;

use seatkeeper::domain::license::{Kind, Validity};
use seatkeeper::tls::{self, Identity, PinRule};
use seatkeeper::wire::messages::{Request, Response, seat};
use serde_json::Value;
use tokio::net::TcpSocket;

use crate::site::Site;
use crate::wire::{Wire, checkout, hello, mac};

/// Every machine of a test comes from here.
const LIMITS: &str = "[limits]\nnew_macs_per_identity_and_day = 1000\nnew_seats_per_source_and_minute = 1000\n";

/// A site with three licenses: of two products, one a trial that its vendor renews by itself, one expired.
fn three_licenses() -> (Site, [String; 3]) {
    let site = Site::open();
    let first = site.buy(1, "BKSRV", 3);
    let trial = seatkeeper::domain::license::Claims {
        kind: Kind::Trial,
        validity: Validity::Days(30),
        auto_renew: true,
        support_until_day: Some(20_600),
        ..site.vendor.claims(2, "BKWS", 20)
    };
    site.admin(["import", &site.vendor.sign(trial)]).ok();
    let third = site.buy(3, "PRIV", 100);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    (site, [first, crate::vendor::serial(2).to_string(), third])
}

/// The values of one column of a CSV list, without its head.
fn column(csv: &str, place: usize) -> Vec<&str> {
    let cells = csv.lines().skip(1).map(|line| line.split(',').nth(place));
    cells.map(|cell| cell.expect("a cell")).collect()
}

// proves V1
#[test]
fn every_column_of_a_list_has_its_head_in_csv() {
    let (site, _) = three_licenses();
    for (list, usual, all) in [
        (
            "licenses",
            "product,name,serial,imported,expires,days-left,total,used,free,available,kind,usage,status,auto-renew,\
             support-until",
            "product,name,vendor,serial,issued,imported,expires,days-left,total,used,free,available,kind,usage,status,\
             auto-renew,support-until",
        ),
        (
            "seats",
            "product,name,host,address,mac,serial,acquired,renew-by,components,conflict",
            "product,name,vendor,host,address,mac,other-macs,serial,acquired,renewed,renew-by,single-use,components,conflict",
        ),
        (
            "events",
            "time,kind,by,address,product,mac,host,component,serial,reason,count,event",
            "time,kind,by,address,product,mac,host,component,serial,reason,count,event",
        ),
        (
            "denials",
            "day,product,reason,refused,machines,seats-more",
            "day,product,vendor,reason,refused,machines,seats-more",
        ),
        (
            "products",
            "product,name,vendor,components,idle-days,offline-days,sold-by,requires,on-conflict,total,used,free,available,\
             units,never-bought",
            "product,name,vendor,components,idle-days,offline-days,sold-by,requires,on-conflict,total,used,free,available,\
             units,never-bought",
        ),
        (
            "reservations",
            "reservation,product,name,reserved,lapses,by,machines,units,seats-held,licenses",
            "reservation,product,name,reserved,lapses,by,machines,units,seats-held,licenses",
        ),
    ] {
        let csv = site.admin([list, "--csv"]).ok();
        assert_eq!(csv.lines().next(), Some(usual), "{list}");
        // As --columns takes them.
        let csv = site.admin([list, "--csv", "--columns", all]).ok();
        assert_eq!(csv.lines().next(), Some(all), "{list}");
        // No column is left out above: a name of none is refused with all that there are.
        let refused = site.admin([list, "--columns", "nothing"]).failed_with(2);
        let known = format!("[possible values: {}]", all.replace(',', ", "));
        assert!(refused.stderr.contains(&known), "{refused:?}");
    }
}

// proves V1
#[test]
fn lists_have_the_columns_that_are_chosen_in_the_order_that_is_chosen() {
    let (site, [first, trial, third]) = three_licenses();
    let csv = site
        .admin([
            "licenses",
            "--csv",
            "--columns",
            "serial,auto-renew,support-until,total",
            "--sort",
            "-total",
        ])
        .ok();
    let expected = [
        "serial,auto-renew,support-until,total".to_owned(),
        format!("{third},,,100"),
        format!("{trial},yes,2026-05-27,20"),
        format!("{first},,,3"),
    ];
    // Numbers sort as numbers: by their digits 100 would stand behind 20.
    assert_eq!(csv.lines().collect::<Vec<_>>(), expected);
    let csv = site
        .admin([
            "licenses",
            "--csv",
            "--columns",
            "expires,serial",
            "--sort",
            "expires,-serial",
        ])
        .ok();
    assert_eq!(column(&csv, 1), [&trial, &third, &first], "never comes last: {csv}");
    for (args, near) in [
        (["licenses", "--columns", "product,serail"], "serial"),
        (["licenses", "--sort", "-totl"], "total"),
        (["seats", "--sort", "adress"], "address"),
    ] {
        let refused = site.admin(args);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains("possible values: product, name"), "{refused:?}");
        assert!(
            refused.stderr.contains(&format!("similar value exists: '{near}'")),
            "{refused:?}"
        );
    }
}

// proves V1
#[test]
fn the_filters_of_a_list_combine() {
    let (site, [first, trial, third]) = three_licenses();
    let serials = |args: &[&str]| -> Vec<String> {
        let rows = site.json(["licenses"].iter().chain(args));
        let rows = rows.as_array().expect("rows").iter();
        rows.map(|row| row["serial"].as_str().expect("a serial").to_owned())
            .collect()
    };
    assert_eq!(serials(&[]), [first.as_str(), &trial, &third]);
    assert_eq!(serials(&["--kind", "trial"]), [trial.as_str()]);
    assert_eq!(
        serials(&["--kind", "trial,commercial", "--unused"]),
        [trial.as_str(), &third]
    );
    assert_eq!(serials(&["--auto-renew"]), [trial.as_str()]);
    assert_eq!(serials(&["--auto-renew", "--used"]), [""; 0]);
    assert_eq!(serials(&["--status", "expired,blacklisted"]), [""; 0]);
    assert_eq!(
        serials(&["--status", "valid", "--search", "backup"]),
        [first.as_str(), &trial]
    );
    assert_eq!(serials(&["--search", "BACKUP work"]), [trial.as_str()]);
    assert_eq!(serials(&["--product", "priv", "--search", "backup"]), [""; 0]);
    let narrowed = site.admin(["licenses", "--auto-renew"]).ok();
    assert!(
        narrowed.contains("BKWS in all") && !narrowed.contains("never bought"),
        "{narrowed}"
    );
    // What is looked for is what is shown.
    let csv = site
        .admin(["licenses", "--csv", "--columns", "serial", "--search", "backup"])
        .ok();
    assert_eq!(csv.lines().count(), 1, "{csv}");
    let table = site.admin(["licenses", "--product", "BKSRV"]).ok();
    assert!(
        table.contains("BKSRV in all: 3 seats, 1 used, 2 free, 2 available, of 1 license"),
        "{table}"
    );
}

/// A checkout by a machine that calls itself so, from an address of this host.
async fn engage(site: &Site, from: &str, number: u16, host_name: &str) {
    let identity = Identity::generate().expect("an identity");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .bind(format!("{from}:0").parse::<SocketAddr>().unwrap())
        .expect("an address of this host");
    let tcp = socket.connect(site.server().address()).await.expect("connected");
    let config = tls::client_config(&identity, PinRule::Any).expect("a configuration");
    let mut wire = Wire::connect_over(tcp, config).await.expect("TLS");
    wire.ask(&hello()).await.expect("HELLO");
    let Request::Checkout(asked) = checkout(site.vendor.id(), "BKSRV", "agent", mac(number)) else {
        panic!("no checkout");
    };
    let request = Request::Checkout(seat::Checkout {
        host_name: Some(host_name.to_owned()),
        ..asked
    });
    let reply = wire.ask(&request).await.expect("an answer");
    assert!(matches!(reply, Response::Checkout(_)), "{reply:?}");
}

// proves V1
#[tokio::test]
async fn a_hostile_host_name_harms_neither_spreadsheet_nor_terminal_nor_page() {
    // What else would do harm, control characters and newlines, does not come past the wire: see `names`.
    const NAMES: [&str; 8] = [
        "=HYPERLINK(\"http://example.com\")",
        "+1",
        "-1",
        "@SUM(A1)",
        "a;=1+1",
        "\u{202e}gpj.exe",
        "\u{200b}a\u{2028}b",
        "</script><script>alert(1)</script>",
    ];
    let site = Site::open_with(LIMITS);
    site.buy(1, "BKSRV", 100);
    for (number, name) in (1..).zip(NAMES) {
        engage(&site, "127.0.0.1", number, name).await;
    }
    let csv = site.admin(["seats", "--csv", "--columns", "host"]).ok();
    assert_eq!(csv.lines().count(), 1 + NAMES.len(), "{csv}");
    for cell in csv.split(['\n', ';']) {
        let cell = cell.trim_start_matches(['"', ' ']);
        assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell:?} of {csv}");
    }
    let json = site.admin(["seats", "--json"]).ok();
    let table = site.admin(["seats"]).ok();
    for (form, text) in [("CSV", &csv), ("JSON", &json), ("a table", &table)] {
        let harmful = ['\u{202e}', '\u{200b}', '\u{2028}'];
        assert!(!text.contains(harmful), "{form}: {text:?}");
    }
    assert!(!json.contains(['<', '>']), "{json}");
    let rows: Vec<Value> = serde_json::from_str(&json).expect("JSON");
    let told: Vec<&str> = rows.iter().map(|row| row["host_name"].as_str().unwrap()).collect();
    assert_eq!(told, NAMES, "programs read the names as they are");
}

// proves V1
// proves S11
#[tokio::test]
async fn a_burst_from_one_address_is_shown_and_ended_at_once() {
    let site = Site::open_with(LIMITS);
    site.buy(1, "BKSRV", 100);
    for number in 1..=5 {
        engage(&site, "127.0.0.2", number, "made-up").await;
    }
    engage(&site, "127.0.0.1", 9, "honest").await;
    let shown = site.admin(["seats", "--new", "--since", "1h"]).ok();
    assert!(shown.contains("5 new seats from 127.0.0.2 since"), "{shown}");
    assert!(
        shown.contains("seatkeeper release --new --since 1h --from 127.0.0.2"),
        "{shown}"
    );
    let csv = site.admin(["seats", "--new", "--csv", "--columns", "address"]).ok();
    assert_eq!(
        column(&csv, 0),
        [
            "127.0.0.1",
            "127.0.0.2",
            "127.0.0.2",
            "127.0.0.2",
            "127.0.0.2",
            "127.0.0.2"
        ]
    );

    let release = |more: &[&str]| {
        let words = ["release", "--new", "--from", "127.0.0.2", "--reason", "made up"];
        site.admin(words.iter().chain(more))
    };
    let planned = release(&["--dry-run"]).ok();
    assert!(
        planned.contains("5 seats from 127.0.0.2") && planned.contains("nothing was done"),
        "{planned}"
    );
    let unasked = release(&[]);
    assert_eq!(unasked.code, Some(2), "{unasked:?}");
    assert_eq!(
        site.json(["seats"]).as_array().unwrap().len(),
        6,
        "nothing was done yet"
    );
    let ended = release(&["--since", "1h", "--yes"]).ok();
    assert!(ended.contains("5 seats ended"), "{ended}");
    let rows = site.json(["seats"]);
    assert_eq!(
        (rows.as_array().unwrap().len(), &rows[0]["host_name"]),
        (1, &"honest".into())
    );
    assert!(
        release(&["--yes"]).ok().contains("no seat was engaged from 127.0.0.2"),
        "it can be repeated"
    );
    let json = site.json([
        "release",
        "--new",
        "--from",
        "127.0.0.1",
        "--product",
        "PRIV",
        "--reason",
        "x",
        "--yes",
    ]);
    assert_eq!(
        (&json["ended"], &json["more"], &json["seats"]),
        (&0.into(), &false.into(), &Value::Array(Vec::new()))
    );
}

// proves V1
#[tokio::test]
async fn a_list_of_several_pages_is_one_list_in_every_form() {
    const SEATS: u16 = 300;
    let site = Site::open_with(LIMITS);
    site.buy(1, "BKSRV", 1_000);
    let identity = Identity::generate().expect("an identity");
    let (mut wire, _) = Wire::hello(site.server().address(), &identity).await.expect("HELLO");
    for number in 1..=SEATS {
        let reply = wire
            .ask(&checkout(site.vendor.id(), "BKSRV", "agent", mac(number)))
            .await
            .expect("an answer");
        assert!(matches!(reply, Response::Checkout(_)), "{reply:?}");
    }
    let macs: Vec<String> = (1..=SEATS).map(|number| site.machine(number).mac).collect();
    let rows = site.json(["seats"]);
    let listed: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["mac"].as_str().unwrap())
        .collect();
    assert_eq!(listed, macs, "in the order of their keys, as they come");
    let csv = site.admin(["seats", "--csv", "--columns", "mac"]).ok();
    assert_eq!(column(&csv, 0), macs);
    let csv = site
        .admin(["seats", "--csv", "--columns", "mac", "--sort", "-mac"])
        .ok();
    assert!(column(&csv, 0).iter().eq(macs.iter().rev()));
    let table = site.admin(["seats"]).ok();
    assert!(macs.iter().all(|mac| table.matches(mac.as_str()).count() == 1));
    assert!(table.contains("300 seats listed; 300 engaged in all at "), "{table}");
    assert_eq!(site.json(["seats", "--search", "nobody"]), Value::Array(Vec::new()));
    let last = site.json(["seats", "--search", macs.last().unwrap()]);
    assert_eq!(
        last.as_array().unwrap().len(),
        1,
        "nothing of the first page is wanted: {last}"
    );
}

#[test]
fn new_seats_are_released_of_one_address_only() {
    let site = Site::open();
    for wrong in [
        &["release", "--new", "--reason", "x"][..],
        &["release", "--from", "127.0.0.1", "--reason", "x"],
        &["release", "--reason", "x"],
        &["seats", "--since", "1h"],
    ] {
        assert_eq!(site.admin(wrong.iter().copied()).code, Some(2), "{wrong:?}");
    }
}
