use super::deploy::lasting;
use super::*;
use crate::client::ways::Way;

fn parses(line: &str) -> bool {
    Cli::try_parse_from(line.split(' ')).is_ok()
}

#[test]
fn what_a_command_asks_with_is_offered_behind_it_and_only_where_it_asks() {
    const REACH: &str = "--server license:99 --server other --paths servers,lan --identity me.pem --timeout 5";
    for command in [
        "list",
        "status",
        "vendor trust v.pub",
        "catalogue import c --dry-run",
        "blacklist import b",
        "clock show",
        "clock accept --dry-run",
        "clock reset --yes",
        "resolve 00:1a:2b:3c:4d:5e --yes",
        "reserve A --count 3 --for 7d",
        "commit 000102030405060708090a0b0c0d0e0f A",
        "abort 000102030405060708090a0b0c0d0e0f",
        "reservations",
        "import SK1-X",
        "import-file -",
        "licenses",
        "seats",
        "products",
        "release 00:1a:2b:3c:4d:5e A --reason sold",
        "remove 0123456789ABCDEF",
        "admin list",
        "identity show",
        "agent checkout A b",
    ] {
        assert!(
            parses(&format!("seatkeeper {command} --json --data d {REACH}")),
            "{command}"
        );
    }
    assert!(parses(&format!("seatkeeper run A b {REACH} -- program")));
    for command in ["serve", "completions bash", "man d"] {
        assert!(parses(&format!("seatkeeper {command} --data d")), "{command}");
        for option in ["--server license", "--paths lan", "--identity me.pem", "--timeout 5"] {
            assert!(!parses(&format!("seatkeeper {command} {option}")), "{command} {option}");
        }
    }
}

#[test]
fn what_stands_in_front_of_the_command_counts_unless_it_stands_behind_it_too() {
    let reach = |line: &str| {
        let cli = Cli::try_parse_from(line.split(' ')).expect("good");
        let Command::Products(asked) = cli.command else {
            panic!("another command")
        };
        let global = cli.everywhere.reaching(asked.reach);
        let paths: Vec<_> = global.paths.into_iter().flatten().map(Way::code).collect();
        (
            global.server.unwrap_or_default().join(" "),
            paths.join(" "),
            global.timeout,
        )
    };
    let told = |server: &str, paths: &str, timeout| (server.to_owned(), paths.to_owned(), timeout);
    assert_eq!(reach("seatkeeper products"), told("", "", 3));
    assert_eq!(
        reach("seatkeeper --server one --paths lan --timeout 9 products"),
        told("one", "lan", 9)
    );
    assert_eq!(
        reach("seatkeeper --server one --paths lan products --server two --server three --paths servers,lan"),
        told("two three", "servers lan", 3)
    );
    assert!(!parses("seatkeeper products --paths wan"));
}

#[test]
fn how_long_a_reservation_lasts_is_read_as_people_write_it_and_checked() {
    for (text, secs) in [
        ("90s", 90),
        ("30m", 1_800),
        ("48h", 172_800),
        ("7d", 604_800),
        ("30d", 2_592_000),
        ("1h 30m", 5_400),
    ] {
        assert_eq!(lasting(text), Ok(secs), "{text}");
    }
    for text in ["", "7", "0s", "-1h", "31d", "721h", "1y", "soon"] {
        assert!(lasting(text).is_err(), "{text}");
    }
}

#[test]
fn a_reservation_is_for_machines_or_for_a_number_and_needs_one_of_them() {
    assert!(parses("seatkeeper reserve A --macs f --preferred-only"));
    for wrong in [
        "seatkeeper reserve A",
        "seatkeeper reserve A --macs f --count 3",
        "seatkeeper reserve A --count 0",
        "seatkeeper reserve A --count 3 --for 31d",
        "seatkeeper reserve A --count 3 --preferred-only",
    ] {
        assert!(!parses(wrong), "{wrong}");
    }
}

#[test]
fn the_product_of_a_reservation_can_be_left_out_before_its_machines() {
    const ID: &str = "000102030405060708090a0b0c0d0e0f";
    let settled = |rest: &str| {
        let line = format!("seatkeeper commit {ID}{rest}");
        let Command::Commit(asked) = Cli::try_parse_from(line.split(' ')).expect("good").command else {
            panic!("another command")
        };
        (asked.options.settle.named, asked.options.settle.macs.len())
    };
    let mac = "00:1a:2b:3c:4d:5e";
    let machine = Some(Named::Machine(mac.parse().expect("a MAC")));
    let product = Some(Named::Product("BKSRV".parse().expect("a product")));
    assert_eq!(settled(""), (None, 0));
    assert_eq!(settled(" BKSRV"), (product, 0));
    assert_eq!(settled(&format!(" BKSRV {mac}")), (product, 1));
    assert_eq!(settled(&format!(" {mac} {mac}")), (machine, 1));
}

#[test]
fn a_release_is_of_one_machine_or_of_what_is_new_from_one_address() {
    let mac = "00:1a:2b:3c:4d:5e";
    for good in [
        &format!("release {mac} A --reason x --vendor 000102030405060708090a0b0c0d0e0f"),
        "release --new --from 10.0.0.1 --reason x",
        "release --new --since 1h --from 2001:db8::1 --product A --reason x --yes",
    ] {
        assert!(parses(&format!("seatkeeper {good}")), "{good}");
    }
    for wrong in [
        &format!("release {mac} --reason x"),
        &format!("release {mac} A --new --from 10.0.0.1 --reason x"),
        &format!("release {mac} A --reason x --yes"),
        "release --new --reason x",
        "release --new --from somewhere --reason x",
        "release --new --from 10.0.0.1 --reason x --yes --dry-run",
        "release --since 1h --from 10.0.0.1 --reason x",
    ] {
        assert!(!parses(&format!("seatkeeper {wrong}")), "{wrong}");
    }
}

// proves V1
#[test]
fn events_that_have_no_end_are_not_sorted() {
    for good in [
        "events --follow --columns time,host,event --search desk",
        "events --sort -count,host --csv --last 5",
        "events --sort kind --json",
        "denials --columns day,seats-more --sort -seats-more --search bksrv",
    ] {
        assert!(parses(&format!("seatkeeper {good}")), "{good}");
    }
    for wrong in [
        "events --follow --sort host",
        "events --columns host --json",
        "events --columns hots",
        "denials --sort seats",
        "denials --columns day --json",
    ] {
        assert!(!parses(&format!("seatkeeper {wrong}")), "{wrong}");
    }
}

#[test]
fn a_label_or_a_reason_that_no_server_would_take_is_wrong_usage_of_the_option() {
    let id = "ab".repeat(32);
    let admin = ["admin", "add", &id, "--role", "viewer", "--label"];
    let release = ["release", "00:1a:2b:3c:4d:5e", "A", "--reason"];
    let told = |command: &[&str], text: &str| {
        let line = ["seatkeeper"].iter().chain(command).copied().chain([text]);
        Cli::try_parse_from(line)
            .err()
            .map(|error| (error.exit_code(), error.to_string()))
    };
    for (command, option, len_max) in [
        (&admin[..], "--label", 64),
        (&["enrol", "token", "--label"], "--label", 64),
        (&release, "--reason", 256),
    ] {
        assert_eq!(told(command, "Zoë's desk, 2nd floor"), None);
        assert_eq!(told(command, &"x".repeat(len_max)), None);
        for (wrong, why) in [
            ("two\nlines".to_owned(), "control character"),
            ("a\u{9b}b".to_owned(), "control character"),
            ("x".repeat(len_max + 1), "at most"),
        ] {
            let (code, text) = told(command, &wrong).expect("refused");
            assert_eq!(code, 2);
            assert!(text.contains(option) && text.contains(why), "{text}");
        }
    }
}
