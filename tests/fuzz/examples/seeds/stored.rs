//! What a store writes: rows and events of every kind, rounds, journals, manifests.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use seatkeeper::domain::time::Now;
use seatkeeper::store::Round;
use seatkeeper::store::fuzz::{event_bytes, round_bytes, row};
use seatkeeper_fuzz::step;

use crate::seed;
use crate::story::{facts, story};

/// Version and checksum, which the target puts before a record.
const ENVELOPE_LEN: usize = 5;

/// The first bytes of keys of facts.
const KINDS: std::ops::RangeInclusive<u8> = 1..=13;

pub(crate) fn seeds(here: &Path) -> io::Result<()> {
    records(here)?;
    rounds(here)?;
    journals(here)?;
    segments(here)?;
    manifests(here)
}

fn records(here: &Path) -> io::Result<()> {
    let mut all = Vec::new();
    let mut by_kind: BTreeMap<u8, u8> = BTreeMap::new();
    for fact in facts() {
        let Some((key, record)) = row(fact).map_err(io::Error::other)? else {
            continue;
        };
        let key_len = u8::try_from(key.len()).map_err(io::Error::other)?;
        let written = match &record {
            Some(record) => step(0, &[&[key_len], key.as_slice(), &record[ENVELOPE_LEN..]].concat()),
            None => step(2, &key),
        };
        all.extend(&written);
        let count = by_kind.entry(key[0]).or_default();
        *count += 1;
        if *count <= 4 {
            let name = format!("kind-{:02x}-{count}", key[0]);
            seed(here, "stored_records", &name, &written)?;
            if let Some(record) = record {
                let whole = [&[key_len], key.as_slice(), &record].concat();
                seed(here, "stored_records", &format!("whole-{name}"), &step(1, &whole))?;
            }
        }
    }
    if let Some(missing) = KINDS.into_iter().find(|kind| !by_kind.contains_key(kind)) {
        return Err(io::Error::other(format!("no record of kind {missing} in the story")));
    }
    let mut events: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    for event in story().iter().flatten().flat_map(|change| &change.events) {
        let bytes = event_bytes(event).map_err(io::Error::other)?;
        events.insert(bytes[1], bytes);
    }
    for (kind, bytes) in &events {
        let written = step(3, bytes);
        all.extend(&written);
        seed(here, "stored_records", &format!("event-{kind:02}"), &written)?;
    }
    seed(here, "stored_records", "ledger", &all)
}

fn rounds(here: &Path) -> io::Result<()> {
    for (number, changes) in (1..).zip(story()) {
        let round = Round {
            number,
            now: Now::at(number),
            changes: &changes,
        };
        let payload = round_bytes(&round).map_err(io::Error::other)?;
        seed(here, "rounds", &format!("round-{number:02}"), &payload)?;
    }
    let everything: Vec<_> = story().concat();
    let round = Round {
        number: 1,
        now: Now::at(1),
        changes: &everything,
    };
    let payload = round_bytes(&round).map_err(io::Error::other)?;
    seed(here, "rounds", "everything", &payload)
}

/// A round with a payload of so many bytes.
fn append(len: u16) -> Vec<u8> {
    step(0, &[len.to_le_bytes().as_slice(), b"payload"].concat())
}

/// Damage at a place of a segment.
fn damage(kind: u8, segment: u8, place: u32, by: &[u8]) -> Vec<u8> {
    step(kind, &[&[segment], place.to_le_bytes().as_slice(), by].concat())
}

fn journals(here: &Path) -> io::Result<()> {
    let sound = [
        append(0),
        append(100),
        append(2_000),
        step(2, &[]),
        append(448),
        append(449),
        step(3, &[]),
        append(9_000),
        append(3_000),
        step(1, &[]),
        append(1_500),
    ]
    .concat();
    seed(here, "journal", "sound", &sound)?;
    let sealed = [sound.as_slice(), &step(1, &[])].concat();
    seed(here, "journal", "sealed", &sealed)?;
    let damages = [
        ("changed", damage(16, 0, 700, &[1])),
        ("header", damage(16, 0, 8, &[1])),
        ("zeroed", damage(17, 3, 5, &[])),
        ("cut", damage(18, 1, 512, &[])),
        ("longer", damage(19, 1, 0, &[0; 16])),
        ("exchanged", damage(20, 0, 3, &[1, 2])),
        ("gone", damage(21, 1, 0, &[])),
        ("renamed", damage(22, 0, 2, &[])),
        ("earlier", damage(23, 0, 1, &[])),
    ];
    for (name, damage) in damages {
        for (kind, journal) in [("", &sound), ("sealed-", &sealed)] {
            let steps = [journal.as_slice(), &damage].concat();
            seed(here, "journal", &format!("{kind}{name}"), &steps)?;
        }
    }
    Ok(())
}

fn segments(here: &Path) -> io::Result<()> {
    let record = |len: u32, round: u64, payload: &[u8]| {
        let told = [len.to_le_bytes().as_slice(), &round.to_le_bytes(), payload].concat();
        step(1, &told)
    };
    let sector = |place: u32, round: u64| step(2, &[place.to_le_bytes().as_slice(), &round.to_le_bytes()].concat());
    let start = |segment: u64, sector: u32, round: u64| {
        let place = [
            segment.to_le_bytes().as_slice(),
            &sector.to_le_bytes(),
            &round.to_le_bytes(),
        ]
        .concat();
        step(9, &place)
    };
    let inputs = [
        ("record", step(0, b"payload")),
        ("long", step(0, &[7; 2_000])),
        ("sealed", [step(0, b"payload"), step(3, &[])].concat()),
        (
            "marked",
            [step(0, b"1"), step(4, &2_u64.to_le_bytes()), step(0, b"2")].concat(),
        ),
        (
            "last-number",
            [step(0, b"1"), step(4, &u64::MAX.to_le_bytes()), step(0, b"2")].concat(),
        ),
        ("length-max", record(u32::MAX, 1, b"payload")),
        ("length-bound", record(1 << 30, 1, b"payload")),
        ("length-short", record(3, 1, b"payload")),
        ("torn", sector(1, 1)),
        ("late", sector(0, 2)),
        ("started", [start(7, 3, 41), step(7, &7_u64.to_le_bytes())].concat()),
        (
            "started-last",
            [start(1, 1, u64::MAX - 1), step(0, b"1"), step(0, b"2")].concat(),
        ),
        ("told", [step(0, b"1"), step(8, &u32::MAX.to_le_bytes())].concat()),
        ("raw", [step(5, b"raw"), step(6, &[3])].concat()),
    ];
    for (name, steps) in inputs {
        seed(here, "segments", name, &steps)?;
    }
    Ok(())
}

fn manifests(here: &Path) -> io::Result<()> {
    let line = |number: u64, round: u64, segment: u64, sector: u32| {
        let (digest, hash) = ("5f".repeat(16), "a9".repeat(32));
        format!(
            "generation {number} records 7 digest {digest} after {round} {hash} at {segment}:{sector} through {round}\n"
        )
    };
    let title = "seatkeeper manifest 1\n";
    let texts = [
        ("first", format!("{title}{}", line(0, 0, 1, 1))),
        (
            "two",
            format!("{title}{}{}", line(12, 5_012, 4, 120), line(11, 4_900, 3, 7)),
        ),
        (
            "last",
            format!("{title}{}", line(u64::MAX, u64::MAX, u64::MAX, u32::MAX)),
        ),
        ("none", title.to_owned()),
    ];
    for (name, text) in texts {
        for number in [1, u64::MAX] {
            let bytes = [number.to_le_bytes().as_slice(), text.as_bytes()].concat();
            seed(here, "manifests", &format!("{name}-{}", number & 1_023), &bytes)?;
        }
    }
    Ok(())
}
