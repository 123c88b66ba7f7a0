//! Each kind of event and its bytes, drawn from `FORMAT.md` and not from what the code writes. Once a release has
//! written them they are never changed: if a test finds them different, it is the code that is wrong.

use std::num::NonZeroU32;

use super::*;
use crate::domain::backup::Backup;
use crate::domain::blacklist::Listed;
use crate::domain::change::SetAside;
use crate::domain::event_log::Refused;
use crate::domain::ids::{ComponentId, Mac, ProductKey, ReservationId, ServerId, TokenId, VendorId};
use crate::domain::reason::Reason;
use crate::domain::seat::{ConflictKind, SeatKey};

pub(super) const AT: u64 = 0x0102_0304_0506_0708;
pub(super) const VENDOR: [u8; 16] = [0x11; 16];
pub(super) const MAC: [u8; 6] = [0x00, 0x1a, 0x2b, 0x3c, 0x4d, 0x5e];
pub(super) const SERIAL: [u8; 16] = *b"0123456789ABCDEF";
const OTHER_SERIAL: [u8; 16] = *b"GHJKMNPQRSTVWXYZ";
const IDENTITY: [u8; 32] = [0xa1; 32];
const OTHER_IDENTITY: [u8; 32] = [0xb2; 32];
const RESERVATION: [u8; 16] = [0x55; 16];
const AGENT: &[u8] = b"\x05\0\0\0\0\0\0\0agent";
const PRODUCT: &[u8] = b"\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x05\0\0\0\0\0\0\0BKSRV";

/// The product and the machine.
const KEY: [&[u8]; 2] = [PRODUCT, &MAC];

fn key() -> SeatKey {
    let ProductKey { vendor, product } = product();
    let mac = Mac::new(MAC).unwrap();
    SeatKey { vendor, product, mac }
}

fn product() -> ProductKey {
    ProductKey {
        vendor: VendorId(VENDOR),
        product: "BKSRV".parse().unwrap(),
    }
}

fn component() -> ComponentId {
    "agent".parse().unwrap()
}

fn serial(bytes: [u8; 16]) -> Serial {
    Serial::from_canonical(&bytes).unwrap()
}

/// An event that the server caused, and its bytes.
fn one(kind: EventKind, number: u8, fields: &[&[u8]]) -> (Event, Vec<u8>) {
    let start = [1, number, 8, 7, 6, 5, 4, 3, 2, 1, 2, 0];
    let event = Event {
        at: Timestamp(AT),
        actor: Actor::Server,
        kind,
    };
    (event, [&start, fields.concat().as_slice()].concat())
}

/// The same with the seat first.
fn of_seat(kind: EventKind, number: u8, fields: &[&[u8]]) -> (Event, Vec<u8>) {
    one(kind, number, &[&KEY, fields].concat())
}

/// The same with the seat and its component first.
fn of_component(kind: EventKind, number: u8, fields: &[&[u8]]) -> (Event, Vec<u8>) {
    of_seat(kind, number, &[&[AGENT], fields].concat())
}

/// Each kind at least once, and each shape that an event has.
pub(super) fn frozen() -> Vec<(Event, Vec<u8>)> {
    [
        peers(),
        administration(),
        clock(),
        components(),
        copies(),
        deployments(),
        enrolment(),
        licenses(),
        seats(),
        refusals(),
    ]
    .concat()
}

fn peers() -> Vec<(Event, Vec<u8>)> {
    let by = |address: IpAddr| Event {
        at: Timestamp(AT),
        actor: Actor::Peer {
            identity: Fingerprint(IDENTITY),
            address,
        },
        kind: EventKind::VendorTrusted {
            vendor: VendorId(VENDOR),
        },
    };
    let bytes = |address: &[u8]| {
        let start = [1, 28, 8, 7, 6, 5, 4, 3, 2, 1, 1, 1];
        [&start, &IDENTITY[..], address, &VENDOR].concat()
    };
    let v4 = b"\x04\0\0\0\0\0\0\0\xc0\x00\x02\x01";
    let v6 = b"\x10\0\0\0\0\0\0\0\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01";
    vec![
        (by([192, 0, 2, 1].into()), bytes(v4)),
        (by("fd00::1".parse().unwrap()), bytes(v6)),
    ]
}

fn administration() -> Vec<(Event, Vec<u8>)> {
    let fingerprint = Fingerprint(IDENTITY);
    let vendor = VendorId(VENDOR);
    let added = |role, number| {
        let kind = EventKind::AdminAdded { fingerprint, role };
        one(kind, 1, &[&IDENTITY, &[number]])
    };
    let id = ServerId([0x77; 16]);
    let version = 0x0203;
    vec![
        added(Role::Agent, 1),
        added(Role::Deployer, 2),
        added(Role::Viewer, 3),
        added(Role::Administrator, 4),
        one(EventKind::AdminRemoved { fingerprint }, 2, &[&IDENTITY]),
        one(
            EventKind::BlacklistImported { vendor, version },
            4,
            &[&VENDOR, b"\x03\x02\0\0\0\0\0\0"],
        ),
        one(
            EventKind::CatalogueImported { vendor, version },
            5,
            &[&VENDOR, b"\x03\x02\0\0\0\0\0\0"],
        ),
        one(EventKind::ServerFounded { id }, 27, &[&[0x77; 16]]),
        one(
            EventKind::ServerRestored {
                epoch: 0x0203,
                made_at: Timestamp(AT),
            },
            34,
            &[b"\x03\x02\0\0", &AT.to_le_bytes()],
        ),
        one(
            EventKind::ServerIdentityReplaced {
                from: fingerprint,
                to: Fingerprint(OTHER_IDENTITY),
            },
            35,
            &[&IDENTITY, &OTHER_IDENTITY],
        ),
        one(EventKind::VendorTrusted { vendor }, 28, &[&VENDOR]),
        one(EventKind::ConfigReloaded { applied: 513 }, 36, &[&[1, 2, 0, 0]]),
        backed_up(true, 37),
        backed_up(false, 38),
    ]
}

fn backed_up(has_identities: bool, number: u8) -> (Event, Vec<u8>) {
    let backup = Backup {
        made_at: Timestamp(AT),
        round: 513,
        bytes: 0x0003_0201,
        has_identities,
    };
    let fields: [&[u8]; 3] = [&AT.to_le_bytes(), b"\x01\x02\0\0\0\0\0\0", b"\x01\x02\x03\0\0\0\0\0"];
    one(EventKind::BackedUp(backup), number, &fields)
}

fn enrolment() -> Vec<(Event, Vec<u8>)> {
    let token = TokenId([0xc1; 8]);
    let added = EventKind::TokenAdded {
        token,
        uses: 1_000,
        expires_at: Timestamp(AT),
    };
    let identity = Fingerprint(IDENTITY);
    let enrolled = EventKind::IdentityEnrolled { token, identity };
    let removed = EventKind::IdentityRemoved { token, identity };
    vec![
        one(added, 29, &[&[0xc1; 8], &[0xe8, 3, 0, 0], &[8, 7, 6, 5, 4, 3, 2, 1]]),
        one(
            EventKind::TokenRevoked { token, identities: 513 },
            30,
            &[&[0xc1; 8], &[1, 2, 0, 0]],
        ),
        one(enrolled, 31, &[&[0xc1; 8], &IDENTITY]),
        one(removed, 32, &[&[0xc1; 8], &IDENTITY]),
    ]
}

fn clock() -> Vec<(Event, Vec<u8>)> {
    let jump = Jump {
        size_secs: 172_800,
        began_at: Timestamp(6),
    };
    let of_jump = |event, number| {
        let fields: [&[u8]; 2] = [b"\0\xa3\x02\0\0\0\0\0", b"\x06\0\0\0\0\0\0\0"];
        one(EventKind::ClockChanged(event), number, &fields)
    };
    let reset = ClockEvent::Reset {
        from: Timestamp(9),
        to: Timestamp(4),
    };
    vec![
        one(
            EventKind::ClockChanged(reset),
            6,
            &[b"\x09\0\0\0\0\0\0\0", b"\x04\0\0\0\0\0\0\0"],
        ),
        of_jump(ClockEvent::JumpAccepted(jump), 14),
        of_jump(ClockEvent::JumpPending(jump), 15),
        of_jump(ClockEvent::JumpRejected(jump), 16),
    ]
}

fn components() -> Vec<(Event, Vec<u8>)> {
    let (key, component) = (key(), component());
    let released = |reason: Option<&str>, bytes: &[u8]| {
        let reason = reason.map(str::to_owned);
        let kind = EventKind::ComponentReleased { key, component, reason };
        of_component(kind, 8, &[bytes])
    };
    vec![
        of_component(EventKind::BindingForgotten { key, component }, 3, &[]),
        of_component(EventKind::ComponentAdded { key, component }, 7, &[]),
        released(None, &[0]),
        released(Some("gone"), b"\x01\x04\0\0\0\0\0\0\0gone"),
    ]
}

fn copies() -> Vec<(Event, Vec<u8>)> {
    let (key, component) = (key(), component());
    let (from, to) = (Fingerprint(IDENTITY), Fingerprint(OTHER_IDENTITY));
    let seen = |kind, number| {
        let kind = EventKind::ConflictSeen { key, component, kind };
        of_component(kind, 9, &[&[number]])
    };
    let approved = EventKind::IdentityApproved {
        key,
        component,
        from,
        to,
    };
    let waits = EventKind::IdentityWaits {
        key,
        component,
        identity: to,
    };
    let rebound = EventKind::Rebound {
        key,
        component,
        from,
        to,
    };
    vec![
        seen(ConflictKind::AlternatingIdentity, 1),
        seen(ConflictKind::StaleContinuation, 2),
        of_component(approved, 12, &[&IDENTITY, &OTHER_IDENTITY]),
        of_component(waits, 13, &[&OTHER_IDENTITY]),
        of_component(rebound, 20, &[&IDENTITY, &OTHER_IDENTITY]),
    ]
}

fn deployments() -> Vec<(Event, Vec<u8>)> {
    let (reservation, serial, mac) = (ReservationId(RESERVATION), serial(SERIAL), key().mac);
    let aborted = EventKind::DeploymentAborted {
        reservation,
        mac,
        serial,
    };
    let committed = EventKind::DeploymentCommitted {
        reservation,
        mac,
        serial,
    };
    let reserved = |what, number| {
        let kind = EventKind::Reserved {
            reservation,
            product: product(),
            what,
            count: 0x0203,
        };
        one(kind, number, &[&RESERVATION, PRODUCT, b"\x03\x02\0\0"])
    };
    let ended = |lapsed, number| {
        let kind = EventKind::ReservationEnded { reservation, lapsed };
        one(kind, 21, &[&RESERVATION, &[number]])
    };
    vec![
        one(aborted, 10, &[&RESERVATION, &MAC, &SERIAL]),
        one(committed, 11, &[&RESERVATION, &MAC, &SERIAL]),
        ended(false, 0),
        ended(true, 1),
        reserved(SetAside::UnitsOrHeldSeats, 22),
        reserved(SetAside::HeldSeats, 39),
        reserved(SetAside::Machines, 40),
        reserved(SetAside::Units, 41),
    ]
}

fn licenses() -> Vec<(Event, Vec<u8>)> {
    let serial = serial(SERIAL);
    let product = product();
    let imported = |seats, bytes: &[u8]| {
        let kind = EventKind::LicenseImported { serial, product, seats };
        one(kind, 17, &[&SERIAL, PRODUCT, bytes])
    };
    let listed = |listed, bytes: &[u8]| one(EventKind::LicenseListed { serial, listed }, 18, &[&SERIAL, bytes]);
    let removed = EventKind::LicenseRemoved { serial, seats_ended: 7 };
    vec![
        imported(1, b"\x01\0\0\0"),
        imported(10_000_000, b"\x80\x96\x98\0"),
        listed(None, &[0]),
        listed(Some(Listed::Blacklisted), &[1, 1]),
        listed(Some(Listed::Superseded), &[1, 2]),
        one(removed, 19, &[&SERIAL, b"\x07\0\0\0"]),
    ]
}

fn seats() -> Vec<(Event, Vec<u8>)> {
    let (key, serial, other) = (key(), serial(SERIAL), serial(OTHER_SERIAL));
    let ended = |cause, reason: Option<&str>, spent, bytes: &[u8]| {
        let kind = EventKind::SeatEnded {
            key,
            serial,
            cause,
            reason: reason.map(str::to_owned),
            spent,
        };
        of_seat(kind, 23, &[&SERIAL, bytes])
    };
    let engaged = |again, number| {
        let kind = EventKind::SeatEngaged {
            key,
            serial,
            again,
            host_name: None,
        };
        of_seat(kind, 24, &[&SERIAL, &[number]])
    };
    let engaged_by_host = EventKind::SeatEngaged {
        key,
        serial,
        again: true,
        host_name: Some("srv-4".into()),
    };
    let moved = EventKind::SeatMoved {
        key,
        from: serial,
        to: other,
    };
    vec![
        ended(
            EndCause::Administrator,
            Some("gone"),
            true,
            b"\x01\x01\x04\0\0\0\0\0\0\0gone\x01",
        ),
        ended(EndCause::Idle, None, false, &[2, 0, 0]),
        ended(EndCause::LicenseRemoved, None, true, &[3, 0, 1]),
        ended(EndCause::Released, None, false, &[4, 0, 0]),
        engaged(false, 0),
        engaged(true, 1),
        of_seat(engaged_by_host, 42, &[&SERIAL, b"\x01\x05\0\0\0\0\0\0\0srv-4"]),
        of_seat(moved, 25, &[&SERIAL, &OTHER_SERIAL]),
        of_seat(EventKind::SeatRenewed { key }, 26, &[]),
    ]
}

fn refusals() -> Vec<(Event, Vec<u8>)> {
    let nameless = Refused {
        vendor: None,
        product: None,
        mac: None,
        host_name: String::new(),
        reason: Reason::NotAuthorized,
        count: 1,
        since: Timestamp(AT),
    };
    let since = AT.to_le_bytes();
    let fields: [&[u8]; 5] = [&[0; 11], &[16, 0], b"\x01\0\0\0", &since, &[]];
    let of_machine = Refused {
        vendor: Some(VendorId(VENDOR)),
        product: Some(product().product),
        mac: Some(key().mac),
        host_name: "srv-4".to_owned(),
        reason: Reason::SeatsExhausted,
        count: 5,
        since: Timestamp(7),
    };
    let (vendor, product) = PRODUCT.split_at(16);
    let name = b"\x05\0\0\0\0\0\0\0srv-4";
    let rest = b"\x17\0\x05\0\0\0\x07\0\0\0\0\0\0\0";
    let of_machine_fields: [&[u8]; 8] = [&[1], vendor, &[1], product, &[1], &MAC, name, rest];
    let refused = |refused, lacked| EventKind::Refused {
        refused: Box::new(refused),
        lacked: NonZeroU32::new(lacked),
    };
    vec![
        one(refused(nameless, 0), 33, &fields),
        one(refused(of_machine.clone(), 0), 33, &of_machine_fields),
        one(
            refused(of_machine, 0x0102),
            43,
            &[&of_machine_fields[..], &[b"\x02\x01\0\0"]].concat(),
        ),
    ]
}
