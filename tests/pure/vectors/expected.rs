//! What each accepted vector says.

use std::collections::BTreeMap;

use bytes::Bytes;
use seatkeeper::wire::discovery::{Offer, Question, Wanted};
use seatkeeper::wire::messages::{Request, Response, admin, hello, seat, views};
use seatkeeper::wire::{
    ConflictKind, EndCause, ImportOutcome, Kind, LicenseStatus, Opcode, Outcome, ReleaseOutcome, Role, Status, Usage,
};

use super::Said;

const NOW: u64 = 1_800_000_000;
const VENDOR: [u8; 16] = [0x11; 16];
const MAC: [u8; 6] = [0x00, 0x1a, 0x2b, 0x3c, 0x4d, 0x5e];
const OTHER_MAC: [u8; 6] = [0x02, 0x1a, 0x2b, 0x3c, 0x4d, 0x5e];
const SERIAL: &str = "0123456789ABCDEF";

pub(crate) fn all() -> BTreeMap<&'static str, Said> {
    let groups = [
        datagrams(),
        beginning(),
        checkouts(),
        leases(),
        seats(),
        status(),
        licenses(),
        used_seats(),
        products(),
        admins(),
        imports(),
    ];
    groups.into_iter().flatten().collect()
}

type Group = Vec<(&'static str, Said)>;

fn reply(opcode: Opcode, response: Response) -> Said {
    Said::Response(opcode, response)
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn datagrams() -> Group {
    let nonce = std::array::from_fn(|place| u8::try_from(place).expect("16 bytes"));
    let wanted = Wanted {
        vendor: VENDOR,
        product: text("BKSRV"),
    };
    let offer = |holds| {
        Said::Offer(Offer {
            nonce,
            server: [0x22; 16],
            fingerprint: [0x99; 32],
            port: 17_328,
            epoch: 1,
            priority: 100,
            server_time: NOW,
            version_min: 1,
            version_max: 1,
            holds,
            name: text("license-1"),
            server_version: text("0.1.0"),
        })
    };
    vec![
        ("question_any", Said::Question(Question { nonce, wanted: None })),
        (
            "question_product",
            Said::Question(Question {
                nonce,
                wanted: Some(wanted),
            }),
        ),
        ("offer_any", offer(None)),
        ("offer_holds", offer(Some(true))),
    ]
}

fn hello_ok() -> hello::HelloOk {
    hello::HelloOk {
        server_time: NOW,
        version: 1,
        server: [0x22; 16],
        name: text("license-1"),
        server_version: text("0.1.0"),
        epoch: 1,
        body_len_max: 65_536,
        in_flight_max: 64,
        silence_ms: 30_000,
        role: Role::AGENT,
        succession: None,
        lease_key: None,
    }
}

fn beginning() -> Group {
    let hello = hello::Hello {
        version_min: 1,
        version_max: 1,
        client: text("example 1.0"),
        in_flight_max: 64,
    };
    let succession = hello::HelloOk {
        role: Role::ADMINISTRATOR,
        succession: Some(hello::Succession {
            old_spki: Bytes::from_static(b"\x30\x03old"),
            signature: Bytes::from_static(b"\x30\x03sig"),
        }),
        lease_key: Some([0x33; 32]),
        ..hello_ok()
    };
    let parting = hello::Refusal {
        text: text("the server is stopping"),
        ..Default::default()
    };
    vec![
        ("hello", Said::Request(Request::Hello(hello))),
        ("hello_ok", reply(Opcode::HELLO, Response::Hello(hello_ok()))),
        ("hello_ok_succession", reply(Opcode::HELLO, Response::Hello(succession))),
        ("parting", Said::Parting(Status::GOING_AWAY, parting)),
        (
            "refusal",
            reply(Opcode::CHECKOUT, Response::Refused(Status::SEATS_EXHAUSTED, refusal())),
        ),
        (
            "refusal_rare",
            reply(
                Opcode::RELEASE,
                Response::Refused(Status::REBOUND_RECENTLY, rare_refusal()),
            ),
        ),
    ]
}

fn refusal() -> hello::Refusal {
    hello::Refusal {
        server_time: Some(NOW),
        text: text("no seat of BKSRV is available"),
        used: Some(10),
        total: Some(10),
        earliest_renew_by: Some(NOW + 3_600),
        former: Some(former()),
        product: Some(text("BKSRV")),
        mac: Some(MAC),
        ..Default::default()
    }
}

fn rare_refusal() -> hello::Refusal {
    hello::Refusal {
        text: text("later"),
        retry_secs: Some(60),
        until: Some(NOW + 1),
        component: Some(text("agent")),
        serial: Some(text(SERIAL)),
        catalogue_version: Some(5),
        version_min: Some(1),
        version_max: Some(1),
        ..Default::default()
    }
}

fn former() -> seat::Former {
    seat::Former {
        ended_at: NOW - 86_400,
        cause: EndCause::IDLE,
    }
}

fn conflict() -> seat::Conflict {
    seat::Conflict {
        kind: ConflictKind::STALE_CONTINUATION,
        since: NOW - 200,
        last_seen: NOW - 100,
        count: 2,
    }
}

fn counts() -> seat::Counts {
    seat::Counts {
        licenses: 1,
        total: 10,
        used: 4,
        free: 6,
        available: 6,
    }
}

fn checkouts() -> Group {
    let bare = seat::Checkout {
        vendor: VENDOR,
        product: text("BKSRV"),
        component: text("agent"),
        mac: MAC,
        ..Default::default()
    };
    let full = seat::Checkout {
        continuation: 7,
        host_name: Some(text("host-1")),
        other_macs: vec![OTHER_MAC, [0x00, 0x1a, 0x2b, 0x3c, 0x4d, 0x5f]],
        ..bare.clone()
    };
    let reserved = seat::Checkout {
        continuation: 7,
        os_class: Some(3),
        instance: Some([0x44; 16]),
        cpus: Some(8),
        ..bare.clone()
    };
    let granted = seat::CheckoutOk {
        server_time: NOW,
        outcome: Outcome::GRANTED,
        catalogue_entry: Bytes::from_static(b"entry"),
        serial: Some(text(SERIAL)),
        acquired_at: Some(NOW),
        renew_by: Some(NOW + 2_592_000),
        continuation: Some(8),
        certificate: Some(Bytes::from_static(b"certificate")),
        ..Default::default()
    };
    let again = seat::CheckoutOk {
        outcome: Outcome::ENGAGED_AGAIN,
        renew_by: None,
        continuation: Some(9),
        conflict: Some(conflict()),
        former: Some(former()),
        ..granted.clone()
    };
    let not_counted = seat::CheckoutOk {
        server_time: NOW,
        outcome: Outcome::NOT_COUNTED,
        catalogue_entry: Bytes::from_static(b"entry"),
        counts: Some(counts()),
        ..Default::default()
    };
    vec![
        ("checkout", Said::Request(Request::Checkout(full))),
        ("checkout_bare", Said::Request(Request::Checkout(bare))),
        ("renew_reserved", Said::Request(Request::Renew(reserved))),
        (
            "checkout_ok_granted",
            reply(Opcode::CHECKOUT, Response::Checkout(granted)),
        ),
        (
            "checkout_ok_engaged_again",
            reply(Opcode::RENEW, Response::Checkout(again)),
        ),
        (
            "checkout_ok_not_counted",
            reply(Opcode::CHECKOUT, Response::Checkout(not_counted)),
        ),
    ]
}

fn leases() -> Group {
    let lease = seat::Lease {
        vendor: VENDOR,
        product: text("BKSRV"),
        component: text("agent"),
        mac: MAC,
        identity: [0x77; 32],
        server: [0x22; 16],
        days: 7,
        client_time: NOW - 10,
        server_time: NOW,
    };
    let asked = seat::Checkout {
        vendor: VENDOR,
        product: text("BKSRV"),
        component: text("agent"),
        mac: MAC,
        continuation: 7,
        client_time: Some(NOW - 10),
        ..Default::default()
    };
    let granted = seat::CheckoutOk {
        server_time: NOW,
        outcome: Outcome::GRANTED,
        catalogue_entry: Bytes::from_static(b"entry"),
        serial: Some(text(SERIAL)),
        acquired_at: Some(NOW),
        renew_by: Some(NOW + 2_592_000),
        continuation: Some(8),
        certificate: Some(Bytes::from_static(b"certificate")),
        lease: Some(super::lease_key().sign(&lease).expect("in bounds")),
        ..Default::default()
    };
    vec![
        ("checkout_leased", Said::Request(Request::Checkout(asked))),
        (
            "checkout_ok_leased",
            reply(Opcode::CHECKOUT, Response::Checkout(granted)),
        ),
        ("lease", Said::Lease(lease)),
    ]
}

fn seats() -> Group {
    let release = seat::Release {
        vendor: VENDOR,
        product: text("BKSRV"),
        component: text("agent"),
        mac: MAC,
    };
    let released = |outcome, components_left| {
        Response::Release(seat::ReleaseOk {
            server_time: NOW,
            outcome,
            components_left,
        })
    };
    let availability = seat::Availability {
        vendor: Some(VENDOR),
        product: text("BKSRV"),
    };
    let available = seat::AvailabilityOk {
        server_time: NOW,
        counts: counts(),
    };
    let end = admin::SeatEnd {
        mac: MAC,
        vendor: Some(VENDOR),
        product: text("BKSRV"),
        component: Some(text("agent")),
        reason: text("scrapped"),
    };
    vec![
        ("release", Said::Request(Request::Release(release))),
        (
            "release_ok",
            reply(Opcode::RELEASE, released(ReleaseOutcome::SEAT_FREED, 0)),
        ),
        ("seat_end", Said::Request(Request::SeatEnd(end))),
        (
            "seat_end_ok",
            reply(Opcode::SEAT_END, released(ReleaseOutcome::COMPONENT_RELEASED, 1)),
        ),
        ("availability", Said::Request(Request::Availability(availability))),
        (
            "availability_ok",
            reply(Opcode::AVAILABILITY, Response::Availability(available)),
        ),
    ]
}

fn status() -> Group {
    let answer = views::StatusOk {
        server_time: NOW,
        name: text("license-1"),
        server_version: text("0.1.0"),
        uptime_secs: 3_600,
        server: Some([0x22; 16]),
        epoch: Some(1),
        founded_at: Some(NOW - 3_600),
        products: 5,
        licenses: 4,
        licenses_expired: 1,
        seats: 12,
        conflicts: 1,
        admins: 1,
        vendors: vec![views::VendorRow {
            vendor: VENDOR,
            public_key: [0x55; 32],
            trusted_at: NOW - 3_600,
            name: text("Example"),
            catalogue_version: 3,
        }],
    };
    vec![
        ("status", Said::Request(Request::Status(views::Status {}))),
        ("status_ok", reply(Opcode::STATUS, Response::Status(answer))),
    ]
}

fn licenses() -> Group {
    let ask = views::Licenses {
        after: Some(text(SERIAL)),
        limit: Some(100),
    };
    let row = views::LicenseRow {
        serial: text(SERIAL),
        vendor: VENDOR,
        vendor_name: text("Example"),
        product: text("BKSRV"),
        product_name: text("Backup Server"),
        imported_at: NOW - 100,
        issued_at: NOW - 200,
        ends_at: Some(NOW + 86_400),
        total: 10,
        used: 4,
        free: 6,
        available: 6,
        kind: Kind::TRIAL,
        usage: Usage::MACHINE,
        status: LicenseStatus::VALID,
        auto_renew: false,
        support_until_day: Some(21_000),
    };
    let answer = views::LicensesOk {
        server_time: NOW,
        more: false,
        rows: vec![row],
    };
    vec![
        ("licenses", Said::Request(Request::Licenses(ask))),
        ("licenses_ok", reply(Opcode::LICENSES, Response::Licenses(answer))),
    ]
}

fn used_seats() -> Group {
    let ask = views::Seats {
        after: Some(views::SeatName {
            vendor: VENDOR,
            product: text("BKSRV"),
            mac: MAC,
        }),
        limit: Some(256),
        mac: Some(MAC),
    };
    let bound = views::Holder {
        component: text("agent"),
        identity: Some([0x66; 32]),
        rebound_at: Some(NOW - 60),
        conflict: Some(conflict()),
    };
    let ephemeral = views::Holder {
        component: text("rescue"),
        ..Default::default()
    };
    let row = views::SeatRow {
        vendor: VENDOR,
        product: text("BKSRV"),
        product_name: text("Backup Server"),
        mac: MAC,
        serial: text(SERIAL),
        acquired_at: NOW - 500,
        renewed_at: NOW - 50,
        renew_by: Some(NOW + 2_592_000),
        single_use: false,
        host_name: Some(text("host-1")),
        address: Some([10, 0, 0, 7].into()),
        other_macs: vec![OTHER_MAC],
        components: vec![bound, ephemeral],
    };
    let answer = views::SeatsOk {
        server_time: NOW,
        more: true,
        rows: vec![row],
    };
    vec![
        ("seats", Said::Request(Request::Seats(ask))),
        ("seats_ok", reply(Opcode::SEATS, Response::Seats(answer))),
    ]
}

fn products() -> Group {
    let ask = views::Products {
        after: Some(views::ProductName {
            vendor: VENDOR,
            product: text("BKSRV"),
        }),
        limit: Some(1),
    };
    let row = views::ProductRow {
        vendor: VENDOR,
        vendor_name: text("Example"),
        product: text("BKSRV"),
        product_name: text("Backup Server"),
        idle_days: 30,
        single_use: false,
        counts: counts(),
        components: vec![views::ComponentRow {
            component: text("agent"),
            counted: true,
            lenient: true,
            ephemeral: false,
        }],
    };
    let answer = views::ProductsOk {
        server_time: NOW,
        more: false,
        rows: vec![row],
    };
    vec![
        ("products", Said::Request(Request::Products(ask))),
        ("products_ok", reply(Opcode::PRODUCTS, Response::Products(answer))),
    ]
}

fn admins() -> Group {
    let list = views::AdminList {
        after: Some([0x66; 32]),
        limit: Some(10),
    };
    let row = views::AdminRow {
        fingerprint: [0x77; 32],
        role: Role::VIEWER,
        label: text("reception"),
        added_at: NOW - 10,
    };
    let listed = views::AdminListOk {
        server_time: NOW,
        more: false,
        rows: vec![row],
    };
    let add = admin::AdminAdd {
        fingerprint: [0x77; 32],
        role: Role::VIEWER,
        label: text("reception"),
    };
    let remove = admin::AdminRemove {
        fingerprint: [0x77; 32],
    };
    vec![
        ("admin_list", Said::Request(Request::AdminList(list))),
        ("admin_list_ok", reply(Opcode::ADMIN_LIST, Response::AdminList(listed))),
        ("admin_add", Said::Request(Request::AdminAdd(add))),
        ("admin_remove", Said::Request(Request::AdminRemove(remove))),
    ]
}

fn imports() -> Group {
    let added = admin::ImportRow {
        index: 0,
        outcome: ImportOutcome::ADDED,
        serial: Some(text(SERIAL)),
        vendor: Some(VENDOR),
        product: Some(text("BKSRV")),
        seats: Some(10),
        ..Default::default()
    };
    let refused = admin::ImportRow {
        index: 1,
        outcome: ImportOutcome::REFUSED,
        status: Some(Status::TEXT_DAMAGED),
        text: Some(text("damaged text")),
        ..Default::default()
    };
    let import = admin::Import {
        keys: vec![text("SK1-AAAAA-BBBBB"), text("SK1-CCCCC")],
    };
    let imported = admin::ImportOk {
        server_time: NOW,
        rows: vec![added, refused],
    };
    let catalogue = admin::CatalogueImport {
        catalogue: Bytes::from_static(b"catalogue"),
    };
    let catalogue_ok = admin::CatalogueImportOk {
        server_time: NOW,
        products: 5,
    };
    let remove = admin::LicenseRemove {
        serial: text(SERIAL),
        end_seats: true,
    };
    let removed = admin::LicenseRemoveOk {
        server_time: NOW,
        seats_ended: 4,
    };
    let trust = admin::VendorTrust { public_key: [0x55; 32] };
    let done = admin::Done { server_time: NOW };
    vec![
        ("import", Said::Request(Request::Import(import))),
        ("import_ok", reply(Opcode::IMPORT, Response::Import(imported))),
        ("catalogue_import", Said::Request(Request::CatalogueImport(catalogue))),
        (
            "catalogue_import_ok",
            reply(Opcode::CATALOGUE_IMPORT, Response::CatalogueImport(catalogue_ok)),
        ),
        ("license_remove", Said::Request(Request::LicenseRemove(remove))),
        (
            "license_remove_ok",
            reply(Opcode::LICENSE_REMOVE, Response::LicenseRemove(removed)),
        ),
        ("vendor_trust", Said::Request(Request::VendorTrust(trust))),
        ("done", reply(Opcode::VENDOR_TRUST, Response::Done(done))),
    ]
}
