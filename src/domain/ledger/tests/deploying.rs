//! Deployments: reserved all or none, then committed or aborted machine by machine (rules X1 to X5).

use std::num::NonZeroU32;

use super::fixture::*;
use crate::domain::catalogue::Offers;
use crate::domain::command::{Command, Reserve, Settle, Wanted};
use crate::domain::denial::Denial;
use crate::domain::ids::{Mac, ReservationId};
use crate::domain::license::Validity;
use crate::domain::reply::{GrantKind, Reply, ReservationRow, Settled};
use crate::domain::reservation::{Hold, RESERVE_SECS_DEFAULT, Reserved};

const ID: ReservationId = ReservationId([7; 16]);

pub(super) fn ask(id: ReservationId, wanted: Wanted) -> Reserve {
    Reserve {
        id,
        product: named("SERVER"),
        secs: RESERVE_SECS_DEFAULT,
        wanted,
        preferred_only: false,
    }
}

pub(super) fn machines(machines: &[u16]) -> Wanted {
    Wanted::Machines(machines.iter().map(|number| mac(*number)).collect())
}

pub(super) fn reserved(reply: &Reply) -> &ReservationRow {
    match reply {
        Reply::Reserved(row) => row,
        other => panic!("{other:?}"),
    }
}

/// What a refused reservation lacked.
pub(super) fn lacked(reply: &Reply) -> Option<u32> {
    match reply {
        Reply::Denied(denied) => denied.lacked.map(NonZeroU32::get),
        other => panic!("{other:?}"),
    }
}

fn has(reply: &Reply) -> Vec<(Mac, Reserved)> {
    match &reserved(reply).reservation.hold {
        Hold::Machines(machines) => machines.iter().map(|(mac, has)| (*mac, *has)).collect(),
        Hold::Seats(_) => panic!("a count"),
    }
}

fn settle(macs: &[u16]) -> Settle {
    Settle {
        id: ID,
        product: named("SERVER"),
        macs: macs.iter().map(|number| mac(*number)).collect(),
        preferred_only: false,
    }
}

fn rows(reply: Reply) -> Vec<(Mac, Settled)> {
    match reply {
        Reply::Settled { rows, .. } => rows,
        other => panic!("{other:?}"),
    }
}

impl Site {
    fn reserve(&mut self, machines_wanted: &[u16]) -> Reply {
        self.serve(&Command::Reserve(ask(ID, machines(machines_wanted))))
    }

    fn commit(&mut self, macs: &[u16]) -> Vec<(Mac, Settled)> {
        rows(self.serve(&Command::Commit(settle(macs))))
    }

    fn abort(&mut self, macs: &[u16]) -> Vec<(Mac, Settled)> {
        rows(self.serve(&Command::Abort(settle(macs))))
    }
}

// proves X1
// proves X2
#[test]
fn a_deployment_spends_a_unit_for_good_once_it_is_committed() {
    let mut site = Site::with(&[deployment_key(1, "SERVER", 3)]);
    let reply = site.reserve(&[1, 2]);
    let unit = Reserved::Unit(serial(1));
    assert_eq!(has(&reply), [(mac(1), unit), (mac(2), unit)]);
    let row = site.license(1);
    assert_eq!((row.used, row.free()), (2, 1), "reserved units are used");
    assert_eq!(site.commit(&[1]), [(mac(1), Settled::Committed(serial(1)))]);
    assert_eq!(site.abort(&[2]), [(mac(2), Settled::GivenBack(serial(1)))]);
    assert_eq!(site.units("SERVER").used, 1, "an aborted unit is free again");
    assert_eq!(site.seat(1, "SERVER"), None, "units are not seats");
    site.at(400 * DAY).remove(1, true);
    site.import(&deployment_key(1, "SERVER", 3));
    assert_eq!(site.units("SERVER").used, 1, "a spent one never is");
}

// proves X2
#[test]
fn a_reservation_is_made_for_all_machines_or_for_none() {
    let mut site = Site::with(&[deployment_key(1, "SERVER", 2), key(2, "SERVER", 1)]);
    let before = site.ledger.clone();
    let reply = site.reserve(&[1, 2, 3, 4]);
    assert_eq!(denial(&reply), Denial::SeatsExhausted);
    assert!(matches!(reply, Reply::Denied(denied) if denied.seats.unwrap().total == 3));
    assert_eq!(site.ledger, before);
    assert_eq!(has(&site.reserve(&[1, 2, 3])).len(), 3);
}

// proves X2
#[test]
fn asking_again_reserves_nothing_more_and_committing_again_spends_nothing_more() {
    let mut site = Site::with(&[deployment_key(1, "SERVER", 3)]);
    let reply = site.reserve(&[1, 2]);
    assert_eq!(site.at(60).reserve(&[1, 2]), reply);
    for _ in 0..3 {
        site.commit(&[1]);
    }
    assert_eq!(site.commit(&[1]), [(mac(1), Settled::AlreadyCommitted(serial(1)))]);
    assert_eq!(site.units("SERVER").used, 2);
    // Also long after the reservation is over.
    assert_eq!(
        site.at(100 * DAY).commit(&[1]),
        [(mac(1), Settled::AlreadyCommitted(serial(1)))]
    );
    assert_eq!(site.abort(&[1]), [(mac(1), Settled::AlreadyCommitted(serial(1)))]);
    assert_eq!(site.units("SERVER").used, 1);
    // A name under which units were spent is used up, or the next deployment would cost nothing.
    assert_eq!(denial(&site.reserve(&[1])), Denial::ReservationTaken);
}

// proves X1
// proves X2
// proves X3
#[test]
fn a_machine_license_gives_its_machine_a_seat_that_covers_it() {
    let mut site = Site::with(&[key(1, "SERVER", 2)]);
    assert_eq!(has(&site.reserve(&[1])), [(mac(1), Reserved::Seat)]);
    let seat = site.seat(1, "SERVER").unwrap();
    assert!(seat.components.is_empty());
    // Deployed again, under another name: nothing more is taken, and the seat stays either way.
    let again = Command::Reserve(ask(ReservationId([8; 16]), machines(&[1])));
    assert_eq!(has(&site.serve(&again)), [(mac(1), Reserved::Covered)]);
    assert_eq!(site.commit(&[]), [(mac(1), Settled::Covered(serial(1)))]);
    let aborted = Settle {
        id: ReservationId([8; 16]),
        ..settle(&[])
    };
    let aborted = rows(site.serve(&Command::Abort(aborted)));
    assert_eq!(aborted, [(mac(1), Settled::Covered(serial(1)))]);
    assert_eq!(site.counts("SERVER").used, 1);
    // Its agent's first checkout binds and renews it.
    let grant = site.at(DAY).grant(agent(1));
    assert_eq!((grant.kind, grant.acquired_at.0), (GrantKind::Renewed, START));
}

// proves X3
#[test]
fn a_machine_under_a_deployment_license_pays_for_each_deployment_and_for_its_management() {
    let mut site = Site::with(&[deployment_key(1, "SERVER", 3)]);
    site.reserve(&[1]);
    site.commit(&[1]);
    let again = Command::Reserve(ask(ReservationId([8; 16]), machines(&[1])));
    assert_eq!(has(&site.serve(&again)), [(mac(1), Reserved::Unit(serial(1)))]);
    assert_eq!(site.units("SERVER").used, 2);
    assert_eq!(site.denied(agent(1)).denial, Denial::DeploymentOnly);
    site.import(&key(2, "SERVER", 1));
    site.grant(agent(1));
    assert_eq!(site.counts("SERVER").used, 1);
}

// proves X2
#[test]
fn a_name_is_of_one_product_and_of_machines_or_a_number() {
    let mut site = Site::with(&[deployment_key(1, "SERVER", 3)]);
    site.reserve(&[5]);
    let work = Reserve {
        product: named("WORK"),
        ..ask(ID, machines(&[5]))
    };
    for other in [work, ask(ID, Wanted::Seats(1))] {
        assert_eq!(denial(&site.serve(&Command::Reserve(other))), Denial::ReservationTaken);
    }
}

// proves X4
#[test]
fn what_is_neither_committed_nor_aborted_lapses_and_a_late_commit_is_decided_anew() {
    let mut site = Site::with(&[deployment_key(1, "SERVER", 1)]);
    site.reserve(&[1]);
    let lapses = u64::from(RESERVE_SECS_DEFAULT);
    site.at(lapses - 1).serve(&Command::Status);
    assert_eq!(site.units("SERVER").free, 0, "one second before");
    site.at(lapses).serve(&Command::Status);
    assert_eq!(site.units("SERVER").free, 1, "at its end");
    assert_eq!(
        denial(&site.serve(&Command::Commit(settle(&[])))),
        Denial::UnknownReservation
    );
    assert_eq!(site.abort(&[1]), [(mac(1), Settled::NothingReserved)]);
    // Somebody else took the unit meanwhile.
    let other = Command::Reserve(ask(ReservationId([8; 16]), machines(&[2])));
    site.serve(&other);
    assert_eq!(site.commit(&[1]), [(mac(1), Settled::Refused(Denial::SeatsExhausted))]);
    site.import(&deployment_key(2, "SERVER", 1));
    assert_eq!(site.commit(&[1]), [(mac(1), Settled::Committed(serial(2)))]);
}

// proves X4
#[test]
fn a_reservation_lasts_as_long_as_asked_and_thirty_days_at_most() {
    let mut site = Site::with(&[deployment_key(1, "SERVER", 1)]);
    for (secs, good) in [(0, false), (1, true), (2_592_000, true), (2_592_001, false)] {
        let asked = Reserve {
            secs,
            ..ask(
                ReservationId(secs.to_be_bytes().repeat(4).try_into().unwrap()),
                machines(&[1]),
            )
        };
        let reply = site.serve(&Command::Reserve(asked));
        if good {
            let row = reserved(&reply).clone();
            assert_eq!(row.reservation.lapses_at.secs_since(site.now.latest()), u64::from(secs));
            let aborted = Settle {
                id: row.id,
                ..settle(&[])
            };
            site.serve(&Command::Abort(aborted));
        } else {
            assert_eq!(denial(&reply), Denial::ReservationTooLong, "{secs}");
        }
    }
}

// proves X5
#[test]
fn the_preferred_kind_is_used_first_and_alone_if_asked_so() {
    let keys = [key(1, "SERVER", 1), deployment_key(2, "SERVER", 1)];
    let unit = Reserved::Unit(serial(2));
    let mut site = Site::with(&keys);
    assert_eq!(
        has(&site.reserve(&[1, 2])),
        [(mac(1), Reserved::Seat), (mac(2), unit)],
        "machine licenses unless the catalogue says otherwise"
    );
    let mut site = Site::with(&keys);
    site.serve(&importing(changed(|server| server.offers = Offers::DeploymentFirst)));
    assert_eq!(has(&site.reserve(&[1, 2])), [(mac(1), unit), (mac(2), Reserved::Seat)]);
    let mut site = Site::with(&keys);
    let alone = Reserve {
        preferred_only: true,
        ..ask(ID, machines(&[1, 2]))
    };
    assert_eq!(denial(&site.serve(&Command::Reserve(alone))), Denial::SeatsExhausted);
    let late = Settle {
        preferred_only: true,
        ..settle(&[1, 2])
    };
    assert_eq!(
        rows(site.serve(&Command::Commit(late))),
        [
            (mac(1), Settled::Engaged(serial(1))),
            (mac(2), Settled::Refused(Denial::SeatsExhausted))
        ]
    );
}

// proves X2
// proves X4
#[test]
fn a_unit_of_a_license_that_ended_meanwhile_is_decided_anew() {
    let mut ending = deployment_key(1, "SERVER", 1);
    ending.claims.validity = Validity::Days(1);
    let mut site = Site::with(&[ending]);
    site.reserve(&[1]);
    assert_eq!(
        site.at(DAY).commit(&[1]),
        [(mac(1), Settled::Refused(Denial::LicenseExpired))]
    );
    site.import(&deployment_key(2, "SERVER", 1));
    assert_eq!(site.commit(&[1]), [(mac(1), Settled::Committed(serial(2)))]);
    assert_eq!(site.license(1).used, 0);
}

// proves S15
// proves X2
#[test]
fn a_machine_that_lacks_what_the_product_requires_is_not_reserved_for() {
    let mut site = Site::with(&[deployment_key(1, "SERVER", 2), key(2, "WORK", 1)]);
    site.serve(&importing(changed(|server| {
        server.required = Some("WORK".parse().unwrap());
    })));
    site.grant(agent(1).of("WORK"));
    let reply = site.reserve(&[1, 2]);
    assert!(matches!(
        reply,
        Reply::Denied(denied) if matches!(denied.denial, Denial::RequiredProduct { .. }) && denied.subject.mac == Some(mac(2))
    ));
    site.reserve(&[1]);
}

// proves X1
// proves X3
#[test]
fn a_seat_whose_license_does_not_serve_covers_no_deployment() {
    let mut site = Site::with(&[key_for(1, "SERVER", 1, 10)]);
    let acquired_at = site.grant(agent(1)).acquired_at;
    let before = site.seat(1, "SERVER").unwrap();
    site.at(10 * DAY);
    assert_eq!(denial(&site.reserve(&[1])), Denial::LicenseExpired);
    assert_eq!(site.commit(&[1]), [(mac(1), Settled::Refused(Denial::LicenseExpired))]);
    // Under a deployment license it pays like any other machine.
    site.import(&deployment_key(2, "SERVER", 2));
    assert_eq!(has(&site.reserve(&[1])), [(mac(1), Reserved::Unit(serial(2)))]);
    site.abort(&[1]);
    // Where a machine license has room its seat goes there, and is not renewed by that.
    site.import(&key(3, "SERVER", 1));
    assert_eq!(site.commit(&[1]), [(mac(1), Settled::Engaged(serial(3)))]);
    let seat = site.seat(1, "SERVER").unwrap();
    assert_eq!((seat.serial, seat.acquired_at), (serial(3), acquired_at));
    assert_eq!((seat.renew_by, seat.components), (before.renew_by, before.components));
    assert_eq!(site.units("SERVER").used, 0);
}

// proves S9
// proves X2
#[test]
fn several_single_use_seats_that_move_in_one_command_each_leave_a_unit_spent() {
    let mut site = Site::with(&[key_for(1, "WIPE", 3, 10), key(2, "WIPE", 3)]);
    for machine in 1..=3 {
        site.grant(agent(machine).of("WIPE"));
    }
    let wanted = Reserve {
        product: named("WIPE"),
        ..ask(ID, machines(&[1, 2, 3]))
    };
    let reply = site.at(10 * DAY).serve(&Command::Reserve(wanted));
    assert_eq!(has(&reply).len(), 3);
    assert_eq!((site.license(1).used, site.license(2).used), (3, 3));
}
