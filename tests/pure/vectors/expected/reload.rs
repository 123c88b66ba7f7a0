//! What administrators ask of a configuration and are answered.

use seatkeeper::wire::messages::{Request, Response, reload};
use seatkeeper::wire::{ConfigEffect, Opcode};

use super::{Group, NOW, Said, reply, text};

pub(super) fn all() -> Group {
    let ask = |dry_run| Said::Request(Request::Reload(reload::Reload { dry_run }));
    let file = text("/etc/seatkeeper/seatkeeper.toml");
    let row = |key, before: Option<&str>, after, effect, by: Option<&str>| reload::ConfigRow {
        key: text(key),
        before: before.map(text),
        after: Some(text(after)),
        effect,
        by: by.map(text),
    };
    let read = reload::ReloadOk {
        server_time: NOW,
        file: file.clone(),
        wrong: Vec::new(),
        rows: vec![
            row("limits.connections", Some("20000"), "50", ConfigEffect::APPLIED, None),
            row("log.format", Some("text"), "json", ConfigEffect::NEEDS_RESTART, None),
            row("name", None, "license-1", ConfigEffect::OVERRULED, Some("--name")),
        ],
    };
    let wrong = reload::ReloadOk {
        server_time: NOW,
        file,
        wrong: vec![text("unknown field `lisen`"), text("did you mean `listen`?")],
        rows: Vec::new(),
    };
    vec![
        ("reload", ask(Some(true))),
        ("reload_at_once", ask(None)),
        ("reload_ok", reply(Opcode::RELOAD, Response::Reload(read))),
        ("reload_ok_wrong", reply(Opcode::RELOAD, Response::Reload(wrong))),
    ]
}
