//! What one agent can do to another's seat: nothing that keeps it from running.

use seatkeeper::domain::catalogue::OnConflict;

use crate::process::{Machine, Output};
use crate::site::Site;

/// An agent of its own that claims the first machine's MAC address.
fn impostor(site: &Site) -> Machine {
    Machine {
        state: site.dir.path().join("impostor"),
        ..site.machine(1)
    }
}

fn by(site: &Site, machine: &Machine, verb: &str) -> Output {
    machine.agent(verb, "BKSRV", "agent", &["--server", &site.server().server_arg()])
}

/// When the first machine's seat was engaged, and until when it lasts.
fn dates(site: &Site) -> (String, String) {
    let seats = site.json(["seats"]);
    assert_eq!(seats.as_array().unwrap().len(), 1, "{seats}");
    let text = |column: &str| seats[0][column].as_str().expect(column).to_owned();
    (text("acquired_at"), text("renew_by"))
}

// proves I7
// proves S11
#[test]
fn another_agent_with_the_same_mac_neither_releases_the_seat_nor_makes_its_renewals_fail() {
    let site = Site::open();
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let engaged = dates(&site).0;
    let impostor = impostor(&site);
    for _ in 0..3 {
        // It is taken for the machine installed anew: honoured, and told to the administrator.
        by(&site, &impostor, "checkout").ok();
        by(&site, &impostor, "release").failed_with(4);
        for verb in ["renew", "checkout"] {
            site.agent(1, verb, "BKSRV", "agent").ok();
        }
        by(&site, &impostor, "release").failed_with(4);
    }
    assert_eq!(dates(&site).0, engaged, "it is the same seat");
    assert_eq!(site.audit()[0]["used"], 1);
    assert_eq!(site.json(["status"])["conflicts"], 1, "and it shows");
}

// proves I7
#[test]
fn where_identities_are_approved_another_agent_changes_nothing_at_all() {
    let site = Site::open_with("rebind = \"approve\"\n");
    // The stricter of the vendor's two policies: with it a conflict would be refused.
    let changed = site.vendor.write_changed_catalogue(site.dir.path(), 2, |products| {
        products.get_mut(&"BKSRV".parse().unwrap()).unwrap().on_conflict = OnConflict::Refuse;
    });
    site.admin(["catalogue", "import", changed.to_str().unwrap()]).ok();
    site.buy(1, "BKSRV", 1);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let bound = site.json(["seats"])[0]["components"][0]["identity"].clone();
    let impostor = impostor(&site);
    for _ in 0..3 {
        for verb in ["checkout", "renew"] {
            let before = dates(&site);
            by(&site, &impostor, verb).failed_with(4);
            assert_eq!(dates(&site), before, "{verb}");
        }
        // It was never granted anything, and knows it.
        assert!(by(&site, &impostor, "release").ok().contains("nothing was held"));
        for verb in ["renew", "checkout"] {
            site.agent(1, verb, "BKSRV", "agent").ok();
        }
    }
    assert_eq!(site.json(["seats"])[0]["components"][0]["identity"], bound);
    assert_eq!(site.json(["status"])["conflicts"], 0);
    site.agent(1, "release", "BKSRV", "agent").ok();
    assert_eq!(site.audit()[0]["used"], 0);
}

// proves I7
// proves S11
#[test]
fn where_copies_are_refused_another_agent_stops_the_holder_until_it_is_resolved_and_takes_nothing() {
    let site = Site::open();
    let changed = site.vendor.write_changed_catalogue(site.dir.path(), 2, |products| {
        products.get_mut(&"BKSRV".parse().unwrap()).unwrap().on_conflict = OnConflict::Refuse;
    });
    site.admin(["catalogue", "import", changed.to_str().unwrap()]).ok();
    site.buy(1, "BKSRV", 2);
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    let engaged = dates(&site).0;
    let identity = |site: &Site| site.json(["seats"])[0]["components"][0]["identity"].clone();
    let conflicts = |site: &Site| site.json(["status"])["conflicts"].clone();
    let holder = identity(&site);
    let impostor = impostor(&site);

    // Taken for the machine installed anew: it runs on the other's seat, which is an event and no conflict yet.
    by(&site, &impostor, "checkout").ok();
    let replaced = site.json(["events", "--kind", "identity-replaced"]);
    assert_eq!(replaced.as_array().unwrap().len(), 1, "{replaced}");
    assert_ne!(identity(&site), holder);
    assert_eq!(conflicts(&site), 0);

    // Seen with one identity, another and the first again: a copied machine. It is refused from then on, whatever it
    // asks; what is asked and refused changes no date, and the seat is neither ended nor anybody else's.
    let lasts = dates(&site);
    for verb in ["renew", "checkout", "checkout"] {
        let refused = site.agent(1, verb, "BKSRV", "agent").failed_with(4);
        let told = super::cause(&refused);
        assert!(
            told.contains(&format!("seatkeeper resolve {}", impostor.mac)),
            "{verb}: {told}"
        );
        assert_eq!(dates(&site), lasts, "{verb}");
    }
    assert_eq!(conflicts(&site), 1);
    site.agent(1, "release", "BKSRV", "agent").failed_with(4);
    // The impostor goes on, and cannot give the seat up.
    by(&site, &impostor, "renew").ok();
    by(&site, &impostor, "release").failed_with(4);
    assert_eq!(dates(&site).0, engaged, "it is the same seat");
    assert_eq!(site.audit()[0]["used"], 1);
    // No other machine hears of it.
    site.agent(2, "checkout", "BKSRV", "agent").ok();
    site.agent(2, "release", "BKSRV", "agent").ok();

    site.admin(["resolve", &impostor.mac, "--yes"]).ok();
    site.agent(1, "checkout", "BKSRV", "agent").ok();
    assert_eq!((identity(&site), conflicts(&site)), (holder, 0.into()));
    assert_eq!(dates(&site).0, engaged);
    site.agent(1, "release", "BKSRV", "agent").ok();
    assert_eq!(site.audit()[0]["used"], 0);
}
