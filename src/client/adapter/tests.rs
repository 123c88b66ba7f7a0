use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::machine::{MachineFile, Places, stored_choice};
use super::rules::{self, Adapter};
use super::{AdapterError, Wish, choose, of_this_machine};
use crate::domain::ids::Mac;

struct Table {
    about: String,
    mac: Option<Mac>,
    others: Vec<Mac>,
    adapters: Vec<Adapter>,
}

fn mac(text: &str) -> Mac {
    text.parse().unwrap()
}

fn text(link: &Value, field: &str) -> Option<String> {
    link[field].as_str().map(str::to_owned)
}

/// A link as `ip -d -j link` prints it. `wireless` is added to those that `iw dev` lists.
fn adapter(link: &Value) -> Adapter {
    let kind = text(&link["linkinfo"], "info_kind");
    let current: Option<Mac> = text(link, "address").and_then(|mac| mac.parse().ok());
    Adapter {
        name: text(link, "ifname").unwrap(),
        index: u32::try_from(link["ifindex"].as_u64().unwrap()).unwrap(),
        ethernet: link["link_type"] == "ether",
        device: text(link, "parentdev"),
        bus: text(link, "parentbus"),
        wireless: link["wireless"] == true,
        // `ip` prints the permanent address only where it differs from the current one.
        permanent: text(link, "permaddr")
            .map(|permanent| mac(&permanent))
            .or(current.filter(|_| kind.is_none())),
        current,
        kind,
    }
}

fn tables() -> BTreeMap<String, Table> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/adapters");
    let read = |path: &Path| {
        let document: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        Table {
            about: text(&document, "about").unwrap(),
            mac: document["mac"].as_str().map(mac),
            others: document["others"]
                .as_array()
                .unwrap()
                .iter()
                .map(|other| mac(other.as_str().unwrap()))
                .collect(),
            adapters: document["links"].as_array().unwrap().iter().map(adapter).collect(),
        }
    };
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), read(&path)))
        .collect()
}

fn table(name: &str) -> Vec<Adapter> {
    tables().remove(name).unwrap().adapters
}

// proves I5
#[test]
fn every_recorded_machine_is_named_by_the_adapter_it_should_be() {
    let tables = tables();
    assert!(tables.len() >= 15, "the tables were not found");
    for (name, table) in tables {
        match (table.mac, choose(&table.adapters)) {
            (Some(mac), Ok(choice)) => {
                assert_eq!(choice.mac, mac, "{name}: {}; {}", table.about, choice.why);
                assert_eq!(choice.others, table.others, "{name}");
            }
            (None, Err(AdapterError::NoMac)) => {}
            (expected, found) => panic!("{name}: {}: {expected:?}, not {found:?}", table.about),
        }
    }
}

// proves I5
#[test]
fn the_order_in_which_adapters_are_listed_does_not_matter() {
    for (name, table) in tables() {
        let mut adapters = table.adapters;
        let first = choose(&adapters).ok();
        adapters.reverse();
        assert_eq!(choose(&adapters).ok().map(|c| c.mac), first.map(|c| c.mac), "{name}");
    }
}

// proves I5
#[test]
fn without_a_candidate_the_refusal_names_both_options() {
    let told = choose(&table("container")).unwrap_err().to_string();
    for word in ["NO_MAC", "--mac", "--interface"] {
        assert!(told.contains(word), "{told}");
    }
}

// proves I5
#[test]
fn the_choice_stays_while_any_address_seen_then_is_still_there() {
    let directory = tempfile::tempdir().unwrap();
    let places = Places::of(vec![directory.path().join("state")]);
    let dock = mac("00:e0:4c:68:01:23");
    let wifi = mac("3c:58:c2:aa:01:02");
    assert_eq!(stored_choice(&table("laptop-docked"), &places).unwrap().mac, wifi);
    assert_eq!(stored_choice(&table("laptop-undocked"), &places).unwrap().mac, wifi);
    // Wi-Fi is gone, but the dock was seen when the choice was made.
    let kept = stored_choice(&table("laptop-dock-only"), &places).unwrap();
    assert_eq!((kept.mac, kept.others), (wifi, vec![dock]));
    // Nothing that was seen then is left: another machine (a cloned disk, say).
    assert_eq!(
        stored_choice(&table("kvm"), &places).unwrap().mac,
        mac("52:54:00:12:34:56")
    );
    assert_eq!(
        stored_choice(&table("laptop-docked"), &places).unwrap().mac,
        wifi,
        "remade again"
    );
}

// proves I5
#[test]
fn a_choice_made_at_the_dock_alone_outlives_the_return_of_wifi() {
    let directory = tempfile::tempdir().unwrap();
    let places = Places::of(vec![directory.path().to_owned()]);
    let dock = mac("00:e0:4c:68:01:23");
    assert_eq!(stored_choice(&table("laptop-dock-only"), &places).unwrap().mac, dock);
    assert_eq!(stored_choice(&table("laptop-docked"), &places).unwrap().mac, dock);
    assert_eq!(
        stored_choice(&table("laptop-undocked"), &places).unwrap().mac,
        mac("3c:58:c2:aa:01:02"),
        "none of the addresses seen then is left"
    );
}

// proves I5
#[cfg(unix)]
#[test]
fn every_user_can_read_the_choice_and_nothing_else_is_left_behind() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let places = Places::of(vec![directory.path().to_owned()]);
    stored_choice(&table("server"), &places).unwrap();
    let names: Vec<_> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["machine.json"]);
    let path = directory.path().join("machine.json");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    let kept = MachineFile::from_json(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(kept.mac, mac("b0:7b:25:f0:1a:10"));
    assert_eq!(kept.seen.len(), 5);
}

// proves I5
#[test]
fn the_machines_choice_comes_before_the_users() {
    let directory = tempfile::tempdir().unwrap();
    let [shared, own] = ["shared", "own"].map(|name| directory.path().join(name));
    let dock_first = Places::of(vec![own.clone()]);
    stored_choice(&table("laptop-dock-only"), &dock_first).unwrap();
    stored_choice(&table("laptop-docked"), &Places::of(vec![shared.clone()])).unwrap();
    let both = Places::of(vec![shared, own]);
    let choice = stored_choice(&table("laptop-docked"), &both).unwrap();
    assert_eq!(choice.mac, mac("3c:58:c2:aa:01:02"));
}

// proves I5
#[test]
fn an_unwritable_directory_leaves_the_next_one() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let own = directory.path().join("own");
    let places = Places::of(vec![file.join("below"), own.clone()]);
    stored_choice(&table("server"), &places).unwrap();
    assert!(own.join("machine.json").is_file());
}

// proves I5
#[test]
fn a_damaged_choice_is_made_anew() {
    let directory = tempfile::tempdir().unwrap();
    let places = Places::of(vec![directory.path().to_owned()]);
    let path = directory.path().join("machine.json");
    for damage in ["", "{}", "{\"version\":2,\"mac\":\"\",\"why\":\"\",\"seen\":[]}"] {
        fs::write(&path, damage).unwrap();
        let choice = stored_choice(&table("server"), &places).unwrap();
        assert_eq!(choice.mac, mac("b0:7b:25:f0:1a:10"));
        assert!(MachineFile::from_json(&fs::read_to_string(&path).unwrap()).is_some());
    }
}

// proves I5
#[test]
fn a_named_interface_counts_whatever_its_kind() {
    let adapters = table("bond-vlan-bridge");
    let bridge = rules::of_interface("br0", &adapters).unwrap();
    assert_eq!(bridge.mac, mac("00:00:5e:00:00:0b"));
    let port = rules::of_interface("eno2", &adapters).unwrap();
    assert_eq!(
        port.mac,
        mac("b4:96:91:00:00:0a"),
        "its permanent address, not the bond's"
    );
    assert!(matches!(
        rules::of_interface("eth9", &adapters),
        Err(AdapterError::NoInterface { .. })
    ));
    assert!(matches!(
        rules::of_interface("wg0", &table("docker-host")),
        Err(AdapterError::NoAddress { .. })
    ));
}

// proves I5
#[test]
fn an_address_that_is_given_is_taken_and_not_kept() {
    let directory = tempfile::tempdir().unwrap();
    let places = Places::of(vec![directory.path().to_owned()]);
    let given = mac("00:1a:2b:3c:4d:5e");
    assert_eq!(of_this_machine(&Wish::Mac(given), &places).unwrap().mac, given);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

// proves I5
#[test]
fn at_most_sixteen_other_addresses_travel_along() {
    let adapters: Vec<Adapter> = (0..40)
        .map(|number| Adapter {
            name: format!("eth{number}"),
            ethernet: true,
            device: Some(format!("0000:00:{number:02x}.0")),
            permanent: Some(Mac::new([0, 1, 2, 3, 4, number]).unwrap()),
            ..Adapter::default()
        })
        .collect();
    assert_eq!(choose(&adapters).unwrap().others.len(), rules::OTHERS_MAX);
}

#[cfg(target_os = "linux")]
#[test]
fn this_machines_adapters_are_listed() {
    let adapters = super::list().unwrap();
    let lo = adapters.iter().find(|adapter| adapter.name == "lo").unwrap();
    assert!(!lo.ethernet);
    assert_eq!(lo.address(), None);
}
