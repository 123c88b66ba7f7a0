//! Bytes are the payload of a round exactly as it would be written, or none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seatkeeper::domain::change::Change;
use seatkeeper::store::fuzz::{read_round, round_bytes};
use seatkeeper::store::{RECORD_LEN_MAX, Round};
use seatkeeper_fuzz::number;

/// The lengths of the events that `bytes` are, all of them.
fn event_lens(bytes: &[u8]) -> Vec<usize> {
    let (count, mut rest) = number::<4>(bytes);
    let mut lens = Vec::new();
    for _ in 0..count {
        let (len, behind) = number::<4>(rest);
        let len = usize::try_from(len).expect("four bytes");
        rest = behind.split_at_checked(len).expect("a whole event").1;
        lens.push(len);
    }
    assert!(rest.is_empty(), "nothing follows the last event");
    lens
}

fuzz_target!(|payload: &[u8]| {
    let Ok((now, facts)) = read_round(payload) else { return };
    let changes: Vec<_> = facts.into_iter().map(Change::from).collect();
    let round = Round {
        number: 1,
        now,
        changes: &changes,
    };
    let written = round_bytes(&round).expect("it was read, so it can be stored");
    // All but the number of events, of which none is written here.
    let rows = written.len() - 4;
    assert_eq!(written[..rows], payload[..rows]);
    assert!(event_lens(&payload[rows..]).iter().all(|&len| len <= RECORD_LEN_MAX));
});
