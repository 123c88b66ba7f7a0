//! What administrators import, remove and set right.

use bytes::Bytes;
use seatkeeper::wire::messages::{Request, Response, admin};
use seatkeeper::wire::{Altered, ImportOutcome, Opcode, Status};

use super::{Group, MAC, NOW, SERIAL, Said, VENDOR, reply, text};

pub(super) fn keys() -> Group {
    let added = admin::ImportRow {
        index: 0,
        outcome: ImportOutcome::ADDED,
        serial: Some(text(SERIAL)),
        vendor: Some(VENDOR),
        product: Some(text("BKSRV")),
        seats: Some(10),
        renewal: Some(true),
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
        dry_run: None,
    };
    let import_dry_run = admin::Import {
        keys: vec![text("SK1-AAAAA-BBBBB")],
        dry_run: Some(true),
    };
    let imported = admin::ImportOk {
        server_time: NOW,
        rows: vec![added, refused],
    };
    let remove = admin::LicenseRemove {
        serial: text(SERIAL),
        end_seats: true,
    };
    let removed = admin::LicenseRemoveOk {
        server_time: NOW,
        seats_ended: 4,
        seats_moved: 6,
        spent: 1,
        dropped: 2,
    };
    let trust = admin::VendorTrust { public_key: [0x55; 32] };
    let done = admin::Done { server_time: NOW };
    vec![
        ("import", Said::Request(Request::Import(import))),
        ("import_dry_run", Said::Request(Request::Import(import_dry_run))),
        ("import_ok", reply(Opcode::IMPORT, Response::Import(imported))),
        ("license_remove", Said::Request(Request::LicenseRemove(remove))),
        (
            "license_remove_ok",
            reply(Opcode::LICENSE_REMOVE, Response::LicenseRemove(removed)),
        ),
        ("vendor_trust", Said::Request(Request::VendorTrust(trust))),
        ("done", reply(Opcode::VENDOR_TRUST, Response::Done(done))),
    ]
}

/// What is told of a catalogue that has a product less.
fn without_a_product() -> admin::CatalogueImportOk {
    let product = admin::Effect {
        product: text("BKWKS"),
        component: None,
        what: Altered::PRODUCT,
        before: text("Backup"),
        after: text(""),
        seats: 7,
        licenses: Some(2),
    };
    admin::CatalogueImportOk {
        server_time: NOW,
        products: 4,
        effects: vec![product],
        more: false,
    }
}

pub(super) fn lists() -> Group {
    let catalogue = |dry_run| {
        Said::Request(Request::CatalogueImport(admin::CatalogueImport {
            catalogue: Bytes::from_static(b"catalogue"),
            dry_run,
        }))
    };
    let idle_days = admin::Effect {
        product: text("BKSRV"),
        component: None,
        what: Altered::IDLE_DAYS,
        before: text("30"),
        after: text("14"),
        seats: 12,
        licenses: None,
    };
    let component = admin::Effect {
        product: text("BKSRV"),
        component: Some(text("rescue")),
        what: Altered::COMPONENT,
        before: text(""),
        after: text("counted, strict, ephemeral"),
        seats: 0,
        licenses: None,
    };
    let catalogue_ok = admin::CatalogueImportOk {
        server_time: NOW,
        products: 5,
        effects: vec![idle_days, component],
        more: false,
    };
    let blacklist = admin::BlacklistImport {
        list: Bytes::from_static(b"list"),
        dry_run: None,
    };
    let tried = admin::BlacklistImport {
        dry_run: Some(true),
        ..blacklist.clone()
    };
    let blacklist_ok = admin::BlacklistImportOk {
        server_time: NOW,
        serials: 12,
        licenses: 2,
        used: 7,
    };
    vec![
        ("catalogue_import", catalogue(None)),
        ("catalogue_import_dry_run", catalogue(Some(true))),
        (
            "catalogue_import_ok",
            reply(Opcode::CATALOGUE_IMPORT, Response::CatalogueImport(catalogue_ok)),
        ),
        (
            "catalogue_import_ok_gone",
            reply(Opcode::CATALOGUE_IMPORT, Response::CatalogueImport(without_a_product())),
        ),
        (
            "blacklist_import_dry_run",
            Said::Request(Request::BlacklistImport(tried)),
        ),
        ("blacklist_import", Said::Request(Request::BlacklistImport(blacklist))),
        (
            "blacklist_import_ok",
            reply(Opcode::BLACKLIST_IMPORT, Response::BlacklistImport(blacklist_ok)),
        ),
    ]
}

pub(super) fn bindings_and_clock() -> Group {
    let resolve = admin::BindingResolve {
        mac: MAC,
        vendor: Some(VENDOR),
        product: Some(text("BKSRV")),
    };
    let resolve_all = admin::BindingResolve {
        mac: MAC,
        ..Default::default()
    };
    let resolved = admin::BindingResolveOk {
        server_time: NOW,
        components: 1,
    };
    let accept = Request::ClockAccept(admin::ClockAccept {});
    let reset = Request::ClockReset(admin::ClockReset {});
    let backed_up = admin::BackedUp {
        made_at: NOW - 600,
        round: 812,
        bytes: 2 << 20,
        identities: true,
    };
    vec![
        ("binding_resolve", Said::Request(Request::BindingResolve(resolve))),
        (
            "binding_resolve_all",
            Said::Request(Request::BindingResolve(resolve_all)),
        ),
        (
            "binding_resolve_ok",
            reply(Opcode::BINDING_RESOLVE, Response::BindingResolve(resolved)),
        ),
        ("backed_up", Said::Request(Request::BackedUp(backed_up))),
        ("clock_accept", Said::Request(accept)),
        ("clock_reset", Said::Request(reset)),
    ]
}
