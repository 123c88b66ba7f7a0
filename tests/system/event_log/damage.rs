//! The log on a disk that was edited or damaged: what is told of it, and what is still read.

use super::*;

/// The first file of the history, unpacked: its name, its number and its bytes.
fn oldest(log: &Log) -> (String, u64, Vec<u8>) {
    let name = log.place.names("history")[0].clone();
    let number = name[..10].parse().unwrap();
    let mut bytes = Vec::new();
    let packed = log.place.file(&format!("history/{name}"));
    GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).unwrap();
    (format!("history/{name}"), number, bytes)
}

fn pack(log: &Log, name: &str, bytes: &[u8]) {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    log.place.put_file(name, &encoder.finish().unwrap());
}

/// The first sector of a record that has only that one, behind at least one other record.
fn single(bytes: &[u8]) -> (usize, u64) {
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let is_start = |sector: &usize| number(sector * SECTOR + 4) == 0 && number(sector * SECTOR) != 0;
    let is_single = |sector: &usize| is_start(sector) && number(sector * SECTOR + 16) <= 496 - 48;
    let sector = (2..bytes.len() / SECTOR)
        .find(is_single)
        .expect("a record of one sector");
    let round = u64::from_le_bytes(bytes[sector * SECTOR + 8..][..8].try_into().unwrap());
    (sector, round)
}

/// Makes every checksum of a record of one sector hold again.
fn reseal(segment: u64, sector: usize, bytes: &mut [u8]) {
    let at = sector * SECTOR;
    let len = u32::from_le_bytes(bytes[at + 16..at + 20].try_into().unwrap()) as usize;
    let record = &bytes[at + 16..];
    let sum = crc32c::crc32c(&record[8..16]);
    let sum = crc32c::crc32c_append(sum, &record[16..48]);
    let sum = crc32c::crc32c_append(sum, &record[48..48 + len]);
    bytes[at + 20..at + 24].copy_from_slice(&sum.to_le_bytes());
    let sum = crc32c::crc32c(&segment.to_le_bytes());
    let sum = crc32c::crc32c_append(sum, &u32::try_from(sector).unwrap().to_le_bytes());
    let sum = crc32c::crc32c_append(sum, &bytes[at + 4..at + SECTOR]);
    bytes[at..at + 4].copy_from_slice(&sum.to_le_bytes());
}

// proves V3
#[test]
fn an_edit_whose_checksums_were_made_to_hold_is_found_by_the_round_behind_it() {
    let log = Log::of(300);
    let (name, number, mut bytes) = oldest(&log);
    let (sector, round) = single(&bytes);
    let at = sector * SECTOR + 16;
    let len = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    // The last byte of its last event: another vendor was trusted.
    bytes[at + 48 + len - 1] ^= 0xff;
    reseal(number, sector, &mut bytes);
    pack(&log, &name, &bytes);
    let segment = &log.check()[0];
    let [gap] = segment.gaps.as_slice() else {
        panic!("{:?}", segment.gaps)
    };
    assert_eq!((gap.file.as_str(), gap.after), (name.as_str(), round), "{gap:?}");
    assert!(gap.what.contains("does not follow the one before it"), "{gap:?}");
    assert_eq!(gap.byte, (sector as u64 + 1) * SECTOR as u64);
    assert_eq!(
        segment.span.unwrap().last,
        segment.rounds,
        "everything behind it is read"
    );
}

#[test]
fn whatever_is_damaged_nothing_is_told_that_was_not_written_and_each_answer_is_a_step_ahead() {
    let log = Log::of(200);
    let in_dir = |dir: &str| {
        log.place
            .names(dir)
            .into_iter()
            .map(|name| format!("{dir}/{name}"))
            .collect::<Vec<_>>()
    };
    let files = [in_dir("history"), in_dir("journal")].concat();
    assert!(files.len() > 8);
    let mut dice = 1_u64;
    let mut told = 0;
    for harm in 0..40 {
        let mut roll = |below: usize| {
            dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(dice >> 33).unwrap() % below
        };
        let name = &files[roll(files.len())];
        let whole = log.place.file(name);
        let mut bytes = whole.clone();
        match harm % 4 {
            0 => bytes.truncate(roll(whole.len())),
            1 => bytes[roll(whole.len())] ^= 1 << roll(8),
            2 => {
                let at = roll(whole.len()) / SECTOR * SECTOR;
                let end = whole.len().min(at + SECTOR * (1 + roll(3)));
                bytes[at..end].fill(0);
            }
            _ => bytes.clear(),
        }
        log.place.put_file(name, &bytes);
        let fresh = log.store.chronicle().unwrap();
        for newest_first in [false, true] {
            // That each answer is a step ahead is checked there.
            let mut found = all(&fresh, &asking(60, newest_first), log.round, false);
            if newest_first {
                found.reverse();
            }
            assert!(found.is_sorted_by_key(|(place, _)| *place), "{name}");
            assert!(found.iter().all(|one| log.written.contains(one)), "{name}");
            assert!(
                found.len() > log.written.len() / 2,
                "{name}, harm {harm}, newest first {newest_first}: {} of {}",
                found.len(),
                log.written.len()
            );
        }
        let checked = fresh.check(&ChainPage::default(), log.round).unwrap();
        told += usize::from(checked.segments.iter().any(|segment| !segment.gaps.is_empty()));
        log.place.put_file(name, &whole);
    }
    assert!(told > 13, "{told}");
}

#[test]
fn a_header_that_hides_events_is_found() {
    let log = Log::of(300);
    let (name, _, bytes) = oldest(&log);
    let second = format!("history/{}", log.place.names("history")[1]);
    let kinds = EventsPage {
        filter: EventFilter {
            kinds: [28].into(),
            ..EventFilter::default()
        },
        ..asking(256, false)
    };
    // Another segment's header in front of this one's bytes: both hold, and yet some rounds are not found by it.
    let other = log.place.file(&second);
    let mut decoder = GzDecoder::new(other.as_slice());
    decoder.read_exact(&mut [0]).unwrap();
    let extra = decoder.header().unwrap().extra().unwrap().to_vec();
    let mut encoder = GzBuilder::new().extra(extra).write(Vec::new(), Compression::fast());
    encoder.write_all(&bytes).unwrap();
    log.place.put_file(&name, &encoder.finish().unwrap());
    let fresh = log.store.chronicle().unwrap();
    let read = fresh.check(&ChainPage::default(), log.round).unwrap();
    let [gap] = read.segments[0].gaps.as_slice() else {
        panic!("{:?}", read.segments[0].gaps)
    };
    assert!(
        gap.file == name && gap.what.contains("its header does not say"),
        "{gap:?}"
    );
    // One without any is read instead.
    pack(&log, &name, &bytes);
    let fresh = log.store.chronicle().unwrap();
    assert_eq!(all(&fresh, &kinds, log.round, true), log.written);
}

#[test]
fn damage_is_named_and_what_stands_beside_it_is_read() {
    let log = Log::of(300);
    let (name, _, whole) = oldest(&log);
    let (sector, round) = single(&whole);
    let of_round = |wanted: u64| log.written.iter().filter(|(place, _)| place.round == wanted).count();
    let read = |newest_first| {
        let read = log.page(&asking(10_000, newest_first));
        let count = if read.more {
            // A page ends before it has read all.
            all(&log.chronicle, &asking(10_000, newest_first), log.round, false).len()
        } else {
            read.rows.len()
        };
        (count, read.gaps)
    };
    // A byte of a record.
    let mut bytes = whole.clone();
    bytes[sector * SECTOR + 100] ^= 1;
    pack(&log, &name, &bytes);
    let gaps = &log.check()[0].gaps;
    let place = (gaps[0].file.as_str(), gaps[0].byte, gaps[0].after);
    assert_eq!(
        (gaps.len(), place),
        (1, (name.as_str(), (sector * SECTOR) as u64, round - 1))
    );
    for newest_first in [false, true] {
        let (count, gaps) = read(newest_first);
        assert_eq!(count, log.written.len() - of_round(round));
        assert!(gaps.iter().any(|gap| gap.file == name), "{gaps:?}");
    }
    // The end of the packed file is gone.
    pack(&log, &name, &whole);
    let packed = log.place.file(&name);
    log.place.put_file(&name, &packed[..packed.len() - 9]);
    log.chronicle.page(&asking(1, false), 0).unwrap();
    let fresh = log.store.chronicle().unwrap();
    let read = fresh.check(&ChainPage::default(), log.round).unwrap();
    assert!(
        read.segments[0].gaps.iter().any(|gap| gap.what.contains("unpacked")),
        "{:?}",
        read.segments[0].gaps
    );
    // A file in the midst is gone.
    pack(&log, &name, &whole);
    let second = format!("history/{}", log.place.names("history")[1]);
    log.place.remove_file(&second);
    let fresh = log.store.chronicle().unwrap();
    let page = fresh.page(&asking(10_000, false), log.round).unwrap();
    assert!(
        page.gaps.iter().any(|gap| gap.what.contains("are missing")),
        "{:?}",
        page.gaps
    );
}

/// Found by fuzzing: each thousand of the missing rounds was looked for in the segment before them.
#[test]
fn however_many_rounds_are_missing_at_the_end_that_is_told_once_and_ends() {
    let log = Log::of(50);
    let last = u64::MAX / 2;
    let mut ask = asking(256, true);
    let read = log.chronicle.page(&ask, last).unwrap();
    let newest_first: Vec<_> = log.written.iter().rev().cloned().collect();
    assert_eq!(read.rows, newest_first[..read.rows.len()]);
    let missing: Vec<_> = read
        .gaps
        .iter()
        .filter(|gap| gap.what.contains("are missing"))
        .collect();
    let [gap] = missing.as_slice() else {
        panic!("{:?}", read.gaps)
    };
    assert_eq!((gap.after, gap.what.contains(&last.to_string())), (log.round, true));
    ask.newest_first = false;
    let read = log.chronicle.page(&ask, last).unwrap();
    assert_eq!(read.rows, log.written[..read.rows.len()]);
}
