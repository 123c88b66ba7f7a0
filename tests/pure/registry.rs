//! The registry says what the code says: opcodes with roles, statuses, codes and the fields of every message.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use seatkeeper::domain::blacklist::Blacklist;
use seatkeeper::domain::catalogue::Catalogue;
use seatkeeper::domain::command::{Command, Rebind};
use seatkeeper::domain::ids::{Fingerprint, VendorId};
use seatkeeper::domain::time::Timestamp;
use seatkeeper::session::Peer;
use seatkeeper::session::translate::{Work, role_code, work_of};
use seatkeeper::wire::messages::{self, Place};
use seatkeeper::wire::{
    Altered, Check, ConfigEffect, ConflictKind, EndCause, EventKind, Finding, ImportOutcome, Kind, LicenseStatus,
    Offers, OnConflict, Opcode, Outcome, ReleaseOutcome, Reserved, Role, Settled, Status, Usage, Warning,
};

use crate::vectors::{Said, expected};

fn registry() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto-spec/registry.md");
    fs::read_to_string(path).expect("proto-spec/registry.md")
}

/// The table under the heading `## NAME` or `### NAME`, as it stands in the registry.
fn section(registry: &str, name: &str) -> String {
    let mut lines = registry
        .lines()
        .skip_while(|line| line.trim_start_matches('#').trim() != name)
        .skip(1);
    let table: Vec<_> = lines
        .by_ref()
        .take_while(|line| !line.starts_with('#'))
        .filter(|line| line.starts_with('|'))
        .collect();
    table.join("\n")
}

fn codes<C: Debug + Copy>(table: &[(C, &str)], digits: usize, number: impl Fn(C) -> u16) -> String {
    let mut out = "| code | name |\n|---|---|".to_owned();
    for (code, name) in table {
        let number = number(*code);
        write!(out, "\n| {number:#0digits$x} | {name} |").expect("a string takes all");
    }
    out
}

fn opcodes() -> String {
    let mut out = "| opcode | name | role | request | reply |\n|---|---|---|---|---|".to_owned();
    for row in Opcode::TABLE {
        let name_of = |wanted: fn(Place) -> &'static [Opcode]| {
            messages::TABLE
                .iter()
                .find(|message| wanted(message.place).contains(&row.opcode))
                .map(|message| message.name)
        };
        let request = name_of(|place| match place {
            Place::Request(opcodes) => opcodes,
            Place::Reply(_) | Place::Refusal | Place::Field => &[],
        });
        let reply = name_of(|place| match place {
            Place::Reply(opcodes) => opcodes,
            Place::Request(_) | Place::Refusal | Place::Field => &[],
        });
        let (request, reply) = (request.expect("a request"), reply.expect("a reply"));
        let (number, name) = (row.opcode.0, row.name);
        let roles: Vec<_> = row.roles.iter().filter_map(|role| role.name()).collect();
        let roles = roles.join(", ").to_lowercase();
        write!(out, "\n| {number:#06x} | {name} | {roles} | {request} | {reply} |").expect("a string takes all");
    }
    out
}

fn fields(message: &messages::MessageRow) -> String {
    let mut out =
        "| tag | name | type | presence | bytes at most | times at most |\n|---|---|---|---|---|---|".to_owned();
    for field in message.fields {
        let (tag, name, kind, presence) = (field.tag, field.name, field.kind, field.presence.name());
        let (len, count) = (field.len_max, field.count_max);
        write!(out, "\n| {tag:#06x} | {name} | {kind} | {presence} | {len} | {count} |").expect("a string takes all");
    }
    out
}

/// The table of a code of one byte, under its heading.
macro_rules! code_sections {
    ($($code:ident),+) => {
        [ $( (format!("Code {}", stringify!($code)), codes($code::TABLE, 4, |code| code.0.into())), )+ ]
    };
}

/// Everything that the registry must have: headings and their tables.
fn expected() -> Vec<(String, String)> {
    let mut sections = vec![
        ("Opcodes".to_owned(), opcodes()),
        ("Statuses".to_owned(), codes(Status::TABLE, 6, |code| code.0)),
    ];
    sections.extend(code_sections![
        Altered,
        Check,
        ConfigEffect,
        ConflictKind,
        EndCause,
        Finding,
        EventKind,
        ImportOutcome,
        Kind,
        LicenseStatus,
        Offers,
        OnConflict,
        Outcome,
        ReleaseOutcome,
        Reserved,
        Role,
        Settled,
        Usage,
        Warning
    ]);
    sections.extend(
        messages::TABLE
            .iter()
            .map(|message| (format!("Message {}", message.name), fields(message))),
    );
    sections
}

#[test]
fn every_table_of_the_registry_is_the_codes_table() {
    let registry = registry();
    for (name, table) in expected() {
        assert_eq!(
            section(&registry, &name),
            table,
            "section {name} of proto-spec/registry.md"
        );
    }
}

#[test]
fn the_registry_has_no_table_that_the_code_lacks() {
    let known = expected();
    let registry = registry();
    let names = registry
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .filter(|name| name.starts_with("Code ") || name.starts_with("Message "));
    for name in names {
        assert!(
            known.iter().any(|(known, _)| known == name),
            "{name} is in the registry and not in the code"
        );
    }
}

/// What the server makes of the request that the vectors have for an opcode, and what it then asks the ledger.
fn command_asked_by(opcode: Opcode) -> Option<Command> {
    let request = expected::all().into_values().find_map(|said| match said {
        Said::Request(request) if request.opcode() == opcode => Some(request),
        _ => None,
    });
    let request = request.unwrap_or_else(|| panic!("no vector asks {opcode:?}"));
    let peer = Peer {
        identity: Fingerprint([0x77; 32]),
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    match work_of(request, peer, Rebind::Honour).expect("a request that can be carried out") {
        Work::Command(command) => Some(command),
        Work::Events(page) => Some(Command::Events(page)),
        Work::EventsVerify(page) => Some(Command::EventsVerify(page)),
        Work::Hello => None,
        Work::Reload { dry_run } => Some(Command::NoteReload { applied: 0, dry_run }),
        Work::TrustVendor(public_key) => Some(Command::TrustVendor {
            public_key,
            vendor: VendorId([0x11; 16]),
        }),
        Work::VerifyBlacklist { signed, dry_run } => Some(Command::ImportBlacklist {
            list: Box::new(Blacklist {
                vendor: VendorId([0x11; 16]),
                version: 1,
                issued_at: Timestamp(0),
                contact: "Sales".to_owned(),
                serials: BTreeMap::new(),
                signed,
            }),
            dry_run,
        }),
        Work::VerifyCatalogue { signed, dry_run } => Some(Command::ImportCatalogue {
            catalogue: Box::new(Catalogue {
                vendor: VendorId([0x11; 16]),
                vendor_name: "Vendor".to_owned(),
                version: 1,
                issued_at: Timestamp(0),
                products: BTreeMap::new(),
                signed,
            }),
            dry_run,
        }),
        Work::VerifyKeys { dry_run: false, .. } => Some(Command::Import(Vec::new())),
        Work::VerifyKeys { dry_run: true, .. } => Some(Command::JudgeKeys(Vec::new())),
    }
}

#[test]
fn the_role_column_is_the_roles_that_the_ledger_checks() {
    for row in Opcode::TABLE {
        let needed = command_asked_by(row.opcode).map_or(vec![Role::NONE], |command| {
            command.roles().iter().copied().map(role_code).collect()
        });
        assert_eq!(row.roles, needed, "{}", row.name);
    }
}
