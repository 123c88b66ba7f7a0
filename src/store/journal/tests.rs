mod full;

use std::fs;

use tempfile::TempDir;

use super::reader::Reader;
use super::*;
use crate::store::os_disk::OsDisk;

/// Small segments, so that a few rounds fill several.
const SHAPE: Shape = Shape {
    segment_bytes: 16 * 512,
};

fn disk() -> Arc<dyn Disk> {
    Arc::new(OsDisk)
}

fn start() -> (TempDir, Journal) {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::create(disk(), dir.path(), SHAPE, Link::default()).unwrap();
    (dir, journal)
}

/// The payload of a round: of some length, and no two alike.
fn payload(round: u64) -> Vec<u8> {
    let len = usize::try_from(round * 331 % 2_300).unwrap();
    (0..len)
        .map(|n| u8::try_from(n % 251).unwrap() ^ round.to_le_bytes()[0])
        .collect()
}

type Rounds = Vec<(u64, Vec<u8>)>;

fn read_from(data: &Path) -> Result<(Rounds, End), StoreError> {
    let mut rounds = Vec::new();
    let end = Found::look(disk(), data)?.read(Position::FIRST, Link::default(), &mut |round, payload| {
        rounds.push((round, payload.to_vec()));
        Ok(())
    })?;
    Ok((rounds, end))
}

fn resume(data: &Path) -> Journal {
    let (_, end) = read_from(data).unwrap();
    Journal::resume(Found::look(disk(), data).unwrap(), SHAPE, None, &end).unwrap()
}

fn assert_rounds(data: &Path, last: u64) {
    let (rounds, end) = read_from(data).unwrap();
    let expected: Vec<_> = (1..=last).map(|round| (round, payload(round))).collect();
    assert!(rounds == expected, "expected {last} rounds, found {}", rounds.len());
    assert_eq!(end.link.round, last);
}

fn assert_damaged(data: &Path, what: &str) {
    match read_from(data) {
        Err(StoreError::Journal { .. }) => {}
        Err(error) => panic!("{what}: {error}"),
        Ok((rounds, _)) => panic!("{what}: taken for a journal of {} rounds", rounds.len()),
    }
}

fn segment_paths(data: &Path) -> Vec<PathBuf> {
    let found = Found::look(disk(), data).unwrap();
    found
        .numbers()
        .iter()
        .map(|&number| data.join(DIR).join(segment_name(number)))
        .collect()
}

/// Rounds of a journal that goes over three segments.
const USED_ROUNDS: u64 = 14;

/// A journal of some segments, closed without a seal.
fn used() -> TempDir {
    let (dir, mut journal) = start();
    for round in 1..=USED_ROUNDS {
        journal.append(&payload(round)).unwrap();
    }
    dir
}

#[test]
fn rounds_come_back_in_order_over_segments_and_reopenings() {
    let (dir, mut journal) = start();
    for round in 1..=60 {
        journal.append(&payload(round)).unwrap();
        assert_rounds(dir.path(), round);
        if round % 7 == 0 {
            journal.seal().unwrap();
        }
        if round % 5 == 0 {
            drop(journal);
            journal = resume(dir.path());
        }
    }
    assert!(segment_paths(dir.path()).len() > 8);
}

#[test]
fn a_round_that_is_longer_than_a_segment_gets_one_of_its_own() {
    let (dir, mut journal) = start();
    let long = vec![7; 40_000];
    for payload in [b"first".as_slice(), &long, b"third", &long, &long, b"last"] {
        journal.append(payload).unwrap();
    }
    drop(journal);
    let mut journal = resume(dir.path());
    journal.append(b"after").unwrap();
    let (rounds, _) = read_from(dir.path()).unwrap();
    let lens: Vec<_> = rounds.iter().map(|(_, payload)| payload.len()).collect();
    assert_eq!(lens, [5, 40_000, 5, 40_000, 40_000, 4, 5]);
}

/// The bytes of the segment in use before and after the last of some rounds, and the sectors that it wrote.
fn last_write(rounds: u64) -> (TempDir, PathBuf, Vec<u8>, Vec<u8>, Vec<usize>) {
    let (dir, mut journal) = start();
    for round in 1..rounds {
        journal.append(&payload(round)).unwrap();
    }
    let path = journal.current.path.clone();
    let before = fs::read(&path).unwrap();
    journal.append(&payload(rounds)).unwrap();
    assert_eq!(journal.current.path, path, "in the same segment");
    let after = fs::read(&path).unwrap();
    let is_new =
        |&sector: &usize| before[sector * SECTOR_LEN..][..SECTOR_LEN] != after[sector * SECTOR_LEN..][..SECTOR_LEN];
    let written = (0..after.len() / SECTOR_LEN).filter(is_new).collect();
    (dir, path, before, after, written)
}

#[test]
fn a_record_of_which_any_sector_was_not_written_counts_as_never_written() {
    let (dir, path, before, after, written) = last_write(4);
    assert_eq!(written.len(), 3);
    for kept in 0..(1_u32 << written.len()) - 1 {
        let mut torn = before.clone();
        for (bit, sector) in written.iter().enumerate() {
            if kept & 1 << bit != 0 {
                let range = sector * SECTOR_LEN..(sector + 1) * SECTOR_LEN;
                torn[range.clone()].copy_from_slice(&after[range]);
            }
        }
        fs::write(&path, &torn).unwrap();
        assert_rounds(dir.path(), 3);
        let mut journal = resume(dir.path());
        assert_eq!(fs::read(&path).unwrap(), before, "what was torn is cut off");
        journal.append(&payload(4)).unwrap();
        assert_rounds(dir.path(), 4);
        assert_eq!(fs::read(&path).unwrap(), after, "and written anew");
    }
}

#[test]
fn a_sector_of_the_last_record_that_is_lost_after_a_seal_is_damage() {
    let (dir, mut journal) = start();
    journal.append(&payload(1)).unwrap();
    journal.append(&payload(2)).unwrap();
    journal.seal().unwrap();
    let Position { sector, .. } = journal.position();
    let path = journal.current.path.clone();
    drop(journal);
    assert_rounds(dir.path(), 2);
    let whole = fs::read(&path).unwrap();
    for lost in 1..sector as usize - 1 {
        let mut bytes = whole.clone();
        bytes[lost * SECTOR_LEN..][..SECTOR_LEN].fill(0);
        fs::write(&path, &bytes).unwrap();
        assert_damaged(dir.path(), &format!("sector {lost}"));
    }
}

#[test]
fn a_last_record_that_fills_its_segment_to_the_end_is_sealed_as_well() {
    // Header and mark take a sector each.
    let room = SHAPE.sectors() - FIRST_SECTOR - LAST_SECTORS;
    let one = vec![7; 300];
    assert_eq!(record::sectors_of(one.len()), 1);
    let (dir, mut journal) = start();
    for _ in 0..room {
        journal.append(&one).unwrap();
    }
    assert_eq!(journal.sectors_left(), 0);
    let path = journal.current.path.clone();
    journal.seal().unwrap();
    drop(journal);
    let (rounds, end) = read_from(dir.path()).unwrap();
    assert!(
        rounds.len() == room as usize && end.is_sealed,
        "{} rounds",
        rounds.len()
    );
    let whole = fs::read(&path).unwrap();
    for lost in FIRST_SECTOR as usize..=room as usize {
        let mut bytes = whole.clone();
        bytes[lost * SECTOR_LEN..][..SECTOR_LEN].fill(0);
        fs::write(&path, &bytes).unwrap();
        assert_damaged(dir.path(), &format!("sector {lost}"));
    }
    fs::write(&path, &whole).unwrap();
    let mut journal = resume(dir.path());
    journal.append(&one).unwrap();
    let (rounds, _) = read_from(dir.path()).unwrap();
    assert_eq!(rounds.len(), room as usize + 1);
}

#[test]
fn no_changed_byte_of_any_segment_is_taken_for_something_else() {
    let dir = used();
    for path in segment_paths(dir.path()) {
        let whole = fs::read(&path).unwrap();
        for at in (0..whole.len()).step_by(9) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at / 9 % 8);
            fs::write(&path, &bytes).unwrap();
            assert_damaged(dir.path(), &format!("byte {at} of {}", path.display()));
        }
        fs::write(&path, &whole).unwrap();
    }
    assert_rounds(dir.path(), USED_ROUNDS);
}

#[test]
fn a_lost_sector_before_the_last_record_is_damage() {
    let dir = used();
    let (_, end) = read_from(dir.path()).unwrap();
    let mut rounds_at = Vec::new();
    for path in segment_paths(dir.path()) {
        let whole = fs::read(&path).unwrap();
        let is_last = path.ends_with(segment_name(end.at.segment));
        let last_record = record::sectors_of(payload(USED_ROUNDS).len()) as usize;
        let until = if is_last {
            end.at.sector as usize - last_record
        } else {
            whole.len() / SECTOR_LEN
        };
        for lost in 0..until {
            let mut bytes = whole.clone();
            bytes[lost * SECTOR_LEN..][..SECTOR_LEN].fill(0);
            if bytes != whole {
                fs::write(&path, &bytes).unwrap();
                assert_damaged(dir.path(), &format!("sector {lost} of {}", path.display()));
                rounds_at.push(lost);
            }
        }
        fs::write(&path, &whole).unwrap();
        if is_last {
            break;
        }
    }
    assert!(rounds_at.len() > 20);
}

#[test]
fn a_segment_that_is_cut_longer_or_gone_is_missed() {
    let dir = used();
    let (_, end) = read_from(dir.path()).unwrap();
    let in_use = usize::try_from(end.at.segment).unwrap();
    assert!(in_use > 2);
    for path in segment_paths(dir.path()).into_iter().take(in_use) {
        let whole = fs::read(&path).unwrap();
        for len in (0..whole.len()).step_by(256) {
            fs::write(&path, &whole[..len]).unwrap();
            assert_damaged(dir.path(), &format!("{} cut at {len}", path.display()));
        }
        fs::write(&path, [whole.as_slice(), &[0; 512]].concat()).unwrap();
        assert_damaged(dir.path(), "a sector more");
        fs::remove_file(&path).unwrap();
        assert_damaged(dir.path(), "gone");
        fs::write(&path, &whole).unwrap();
    }
    // The last one in use, with those that were made ahead of need behind it.
    for path in segment_paths(dir.path()).into_iter().skip(in_use - 1) {
        fs::rename(&path, path.with_extension("gone")).unwrap();
    }
    assert_damaged(dir.path(), "the end gone");
    for path in fs::read_dir(dir.path().join(DIR))
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        fs::rename(&path, path.with_extension("journal")).unwrap();
    }
    assert_rounds(dir.path(), USED_ROUNDS);
}

#[test]
fn segments_that_are_exchanged_or_of_another_journal_are_found() {
    let dir = used();
    let paths = segment_paths(dir.path());
    let [first, second] = [0, 1].map(|n: usize| fs::read(&paths[n]).unwrap());
    fs::write(&paths[0], &second).unwrap();
    fs::write(&paths[1], &first).unwrap();
    assert_damaged(dir.path(), "exchanged");
    fs::write(&paths[0], &first).unwrap();

    let (other, mut journal) = start();
    for round in 1..=USED_ROUNDS {
        journal.append(&[payload(round), vec![1]].concat()).unwrap();
    }
    fs::copy(&segment_paths(other.path())[1], &paths[1]).unwrap();
    assert_damaged(dir.path(), "of another journal");
}

#[test]
fn segments_made_ahead_are_used_and_what_was_half_made_goes() {
    let (dir, journal) = start();
    drop(journal);
    let half_made = dir.path().join(DIR).join("0000000009.journal.new");
    fs::write(&half_made, [0; 700]).unwrap();
    assert_eq!(segment_paths(dir.path()).len(), 1 + stock::READY);
    Found::look(disk(), dir.path()).unwrap().remove_drafts().unwrap();
    let mut journal = resume(dir.path());
    assert!(!half_made.exists());
    for round in 1..=USED_ROUNDS {
        journal.append(&payload(round)).unwrap();
    }
    let (_, end) = read_from(dir.path()).unwrap();
    let numbers: Vec<_> = Found::look(disk(), dir.path()).unwrap().numbers().to_vec();
    assert_eq!(
        numbers,
        (1..=end.at.segment + 2).collect::<Vec<_>>(),
        "none was left out"
    );
}

#[test]
fn a_thread_keeps_segments_ready() {
    let (dir, journal) = start();
    drop(journal);
    let lock = Arc::new(Lock::take(dir.path()).unwrap());
    let (_, end) = read_from(dir.path()).unwrap();
    let found = Found::look(disk(), dir.path()).unwrap();
    let mut journal = Journal::resume(found, SHAPE, Some(lock), &end).unwrap();
    for round in 1..=200 {
        journal.append(&payload(round)).unwrap();
    }
    assert_eq!(journal.room(), Room::Enough);
    drop(journal);
    assert_rounds(dir.path(), 200);
}

/// Reads the bytes of the first segment.
fn read_segment(bytes: &[u8]) -> Result<u64, ReadError> {
    let mut reader = Reader::new(Position::FIRST, Link::default());
    let mut count = 0;
    reader.segment(1, bytes, &mut |_, _| {
        count += 1;
        Ok(())
    })?;
    Ok(count)
}

#[test]
fn a_segment_that_is_cut_at_any_byte_is_refused() {
    let dir = used();
    let whole = fs::read(&segment_paths(dir.path())[0]).unwrap();
    assert!(read_segment(&whole).unwrap() > 2);
    for len in 0..whole.len() {
        assert!(
            matches!(read_segment(&whole[..len]), Err(ReadError::Damaged(_))),
            "cut at {len}"
        );
    }
}

/// Numbers at and beside each power of two.
fn numbers() -> impl Iterator<Item = u32> {
    (0..32)
        .flat_map(|power| [(1_u32 << power) - 1, 1 << power, (1 << power) + 1])
        .chain([u32::MAX - 1, u32::MAX])
}

#[test]
fn a_record_that_tells_another_length_is_refused_though_its_sectors_hold() {
    let sectors = 16;
    let segment = |record: &[u8]| {
        let dir = tempfile::tempdir().unwrap();
        let made = Segment::create(&*disk(), dir.path(), 1, sectors).unwrap();
        let mut bytes = fs::read(&made.path).unwrap();
        bytes.truncate(SECTOR_LEN);
        sector::write(1, FIRST_SECTOR, 1, record, &mut bytes);
        bytes.resize(sectors as usize * SECTOR_LEN, 0);
        bytes
    };
    for payload in [vec![], vec![7; 300], vec![7; 2_000]] {
        let (record, _) = record::write(&Link::default(), &payload);
        assert_eq!(read_segment(&segment(&record)).unwrap(), 1);
        let beside = [payload.len() - usize::from(!payload.is_empty()), payload.len() + 1];
        let beside = beside.map(|len| u32::try_from(len).unwrap());
        for len in numbers().chain(beside).filter(|&len| len as usize != payload.len()) {
            let mut told = record.clone();
            told[..4].copy_from_slice(&len.to_le_bytes());
            let read = read_segment(&segment(&told));
            // More sectors than were written look like a record that was being written.
            let is_torn = matches!(read, Ok(0));
            let would_fit =
                record::sectors_of(len as usize & (PAYLOAD_MAX - 1)) < sectors && (len as usize) < PAYLOAD_MAX;
            assert!(
                is_torn && would_fit || matches!(read, Err(ReadError::Damaged(_))),
                "{len}: {read:?}"
            );
        }
    }
}

#[test]
fn a_segment_that_tells_another_number_of_sectors_is_refused() {
    let dir = used();
    let whole = fs::read(&segment_paths(dir.path())[0]).unwrap();
    for sectors in numbers().filter(|&sectors| sectors as usize * SECTOR_LEN != whole.len()) {
        let mut told = Vec::new();
        let first = [b"SKJRNL\x00\x01", sectors.to_le_bytes().as_slice()].concat();
        sector::write_one(1, 0, 0, sector::SEAL, &first, &mut told);
        told.extend(&whole[SECTOR_LEN..]);
        assert!(matches!(read_segment(&told), Err(ReadError::Damaged(_))), "{sectors}");
    }
}

#[test]
fn nothing_stands_where_a_mark_must_find_room() {
    let (record, link) = record::write(&Link::default(), &[7; 300]);
    let segment = |sectors: u32, seal: bool| {
        let mut bytes = Vec::new();
        let first = [b"SKJRNL\x00\x01", sectors.to_le_bytes().as_slice()].concat();
        sector::write_one(1, 0, 0, sector::SEAL, &first, &mut bytes);
        sector::write(1, FIRST_SECTOR, 1, &record, &mut bytes);
        if seal {
            sector::write_one(1, FIRST_SECTOR + 1, 1, sector::SEAL, &link.hash, &mut bytes);
        }
        bytes.resize(sectors as usize * SECTOR_LEN, 0);
        bytes
    };
    for (sectors, seal, holds) in [(2, false, false), (3, false, true), (3, true, false), (4, true, true)] {
        let read = read_segment(&segment(sectors, seal));
        assert_eq!(read.is_ok(), holds, "{sectors} sectors: {read:?}");
    }
    for sector in [3, 4, u32::MAX] {
        let mut reader = Reader::new(Position { segment: 1, sector }, Link::default());
        let read = reader.segment(1, &segment(3, false), &mut |_, _| Ok(()));
        assert!(matches!(read, Err(ReadError::Damaged(_))), "from sector {sector}");
    }
}

#[test]
fn a_cut_where_a_segment_has_no_such_sector_makes_the_segment_anew() {
    let (dir, journal) = start();
    drop(journal);
    let place = Position { segment: 1, sector: 40 };
    let found = Found::look(disk(), dir.path()).unwrap();
    let (end, damage) = found.read_to_damage(place, Link::default(), &mut |_, _| Ok(()));
    assert!(damage.is_some());
    found.cut(&end, SHAPE).unwrap();
    let found = Found::look(disk(), dir.path()).unwrap();
    let (_, damage) = found.read_to_damage(place, Link::default(), &mut |_, _| Ok(()));
    assert!(damage.is_none(), "{damage:?}");
}
