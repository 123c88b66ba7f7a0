//! What viewers ask and are answered.

use seatkeeper::wire::messages::{Request, Response, admin, views};
use seatkeeper::wire::{Kind, LicenseStatus, Offers, OnConflict, Opcode, Role, Usage, Warning};

use super::{Group, MAC, NOW, OTHER_MAC, SERIAL, Said, VENDOR, conflict, counts, reply, text, units};

pub(super) fn status() -> Group {
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
        licenses_blacklisted: 1,
        licenses_superseded: 1,
        waiting: 2,
        reservations: 3,
        clock: views::ClockRow {
            mark: NOW - 172_800,
            jump_secs: Some(172_800),
            accepted_in_secs: Some(7_200),
            ..Default::default()
        },
        disk_left: None,
        enrolment: true,
        approval: false,
        ..Default::default()
    };
    let set_back = views::StatusOk {
        server_time: NOW,
        name: text("license-1"),
        server_version: text("0.1.0"),
        clock: views::ClockRow {
            mark: NOW + 3_600,
            set_back_secs: Some(3_600),
            ..Default::default()
        },
        disk_left: Some(5 << 20),
        approval: true,
        ..Default::default()
    };
    let well = healthy();
    vec![
        ("status", Said::Request(Request::Status(views::Status {}))),
        ("status_ok", reply(Opcode::STATUS, Response::Status(answer))),
        ("status_ok_set_back", reply(Opcode::STATUS, Response::Status(set_back))),
        ("status_ok_health", reply(Opcode::STATUS, Response::Status(well))),
        ("status_ok_backup", reply(Opcode::STATUS, Response::Status(backed_up()))),
    ]
}

/// A server that was backed up.
fn backed_up() -> views::StatusOk {
    views::StatusOk {
        server_time: NOW,
        name: text("license-1"),
        server_version: text("0.1.0"),
        clock: views::ClockRow {
            mark: NOW,
            ..Default::default()
        },
        backup: Some(views::BackupRow {
            made_at: NOW - 600,
            round: 812,
            bytes: 2 << 20,
            identities: true,
        }),
        warnings: vec![views::WarningRow {
            code: Warning::NO_RECENT_BACKUP,
            number: Some(40),
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// How a server is, with what it warns of.
fn healthy() -> views::StatusOk {
    views::StatusOk {
        server_time: NOW,
        name: text("license-1"),
        server_version: text("0.1.0"),
        clock: views::ClockRow {
            mark: NOW,
            ..Default::default()
        },
        checkpoint: Some(views::CheckpointRow {
            generation: 7,
            made_at: Some(NOW - 600),
            failed_at: Some(NOW - 60),
            failure: Some(text("no room")),
        }),
        disk: Some(views::DiskRow {
            free: 1 << 30,
            total: 100 << 30,
            data: 50 << 20,
            journal: 16 << 20,
        }),
        connections: Some(12),
        connections_max: Some(20_000),
        ending: vec![views::EndingRow {
            serial: text(SERIAL),
            vendor: VENDOR,
            product: text("BKSRV"),
            product_name: text("Backup Server"),
            kind: Kind::TRIAL,
            usage: Usage::MACHINE,
            seats: 10,
            ends_at: NOW + 86_400,
            days_left: 1,
            licenses: 2,
        }],
        scarce: vec![views::ScarceRow {
            vendor: VENDOR,
            product: text("BKSRV"),
            product_name: text("Backup Server"),
            usage: Usage::MACHINE,
            used: 20,
            available: 0,
        }],
        warnings: vec![
            views::WarningRow {
                code: Warning::LICENSE_ENDS_AT_ONCE,
                number: Some(1),
                vendor: Some(VENDOR),
                product: Some(text("BKSRV")),
                serial: Some(text(SERIAL)),
                at: Some(NOW + 86_400),
            },
            views::WarningRow {
                code: Warning::NO_VENDOR,
                ..Default::default()
            },
        ],
        ..Default::default()
    }
}

pub(super) fn licenses() -> Group {
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
        days_left: Some(1),
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

pub(super) fn used_seats() -> Group {
    let ask = views::Seats {
        after: Some(views::SeatName {
            vendor: VENDOR,
            product: text("BKSRV"),
            mac: MAC,
        }),
        limit: Some(256),
        mac: Some(MAC),
        product: None,
    };
    let of_product = views::Seats {
        limit: Some(256),
        product: Some(text("BKSRV")),
        ..views::Seats::default()
    };
    let bound = views::Holder {
        component: text("agent"),
        identity: Some([0x66; 32]),
        rebound_at: Some(NOW - 60),
        conflict: Some(conflict()),
        waiting: Some(views::Waiting {
            identity: [0x67; 32],
            since: NOW - 30,
        }),
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
        ("seats_product", Said::Request(Request::Seats(of_product))),
        ("seats_ok", reply(Opcode::SEATS, Response::Seats(answer))),
    ]
}

pub(super) fn products() -> Group {
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
        units: units(),
        offline_days: 7,
        offers: Offers::MACHINE_FIRST,
        on_conflict: OnConflict::REFUSE,
        required: Some(text("HOSTMGR")),
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

pub(super) fn admins() -> Group {
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
