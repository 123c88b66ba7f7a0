//! Rows and events as they may stand on disk, with sums that hold: what is read is written as it was, and a ledger made
//! of it can be judged, however little its facts fit together.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use seatkeeper::domain::change::Fact;
use seatkeeper::domain::ledger::Ledger;
use seatkeeper::domain::time::{Now, Timestamp};
use seatkeeper::store::fuzz::{DiskRow, event, event_bytes, read_round, row, stored, told};
use seatkeeper_fuzz::{Steps, forms, number};

/// Reads a row of a generation, which is written as it was read.
fn row_of(key: &[u8], record: &[u8]) -> Option<(DiskRow, Fact)> {
    let read = (key.to_vec(), Some(record.to_vec()));
    let fact = stored(key, record).ok().flatten()?;
    let written = row(fact.clone()).expect("it was read, so it can be stored");
    assert_eq!(written.as_ref(), Some(&read), "{fact:?}");
    assert_eq!(told(key, Some(record)).expect("it reads the same in the journal"), fact);
    Some((read, fact))
}

fn deletion_of(key: &[u8]) -> Option<(DiskRow, Fact)> {
    let read = (key.to_vec(), None);
    let fact = told(key, None).ok()?;
    assert_eq!(
        row(fact.clone()).expect("it was read, so it can be stored"),
        Some(read.clone())
    );
    Some((read, fact))
}

fuzz_target!(|input: &[u8]| {
    let mut ledger = Ledger::default();
    let mut rows = BTreeMap::new();
    let mut events = Vec::new();
    for (kind, taken) in Steps::of(input) {
        let (key_len, rest) = number::<1>(taken);
        let (key, value) = rest.split_at(rest.len().min(usize::try_from(key_len).expect("a byte")));
        let read = match kind % 4 {
            0 => row_of(key, &forms::envelope(key, 1, value)),
            1 => row_of(key, value),
            2 => deletion_of(taken),
            _ => {
                if let Ok(event) = event(taken) {
                    assert_eq!(event_bytes(&event).expect("it was read, so it can be stored"), taken);
                    events.push(taken.to_vec());
                }
                None
            }
        };
        if let Some(((key, record), fact)) = read {
            ledger.record(&fact);
            rows.insert(key, (record, fact));
        }
    }
    drop(ledger.audit());

    let on_disk = rows
        .iter()
        .map(|(key, (record, _))| (key.as_slice(), record.as_deref()));
    let payload = forms::round([3, 4], on_disk, &events);
    let (now, facts) = read_round(&payload).expect("a round of rows that can be read");
    let time = Now {
        steady: Timestamp(3),
        calendar: Timestamp(4),
    };
    assert_eq!(now, time);
    assert!(facts.iter().eq(rows.values().map(|(_, fact)| fact)));
});
