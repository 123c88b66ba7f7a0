//! The writer and its store: rounds that are decided, encoded and appended to a journal in a temporary directory.

use std::hint::black_box;

use seatkeeper::domain::command::Actor;
use seatkeeper::domain::reply::Reply;
use seatkeeper::domain::time::{Monotonic, Reading, Timestamp};
use seatkeeper::service::{NewSeatLimits, Request, Writer};
use seatkeeper::store::{DiskStore, Options};

use super::Piece;
use super::ledger::{self, Site};
use super::signed::Vendor;

pub(super) const PIECES: [Piece; 2] = [
    Piece::new("writer: a round of one renewal, durable", || rounds(1)),
    Piece {
        name: "writer: a round of 256 renewals, durable",
        prepare: || rounds(256),
        requests: 256,
    },
];

const READING: Reading = Reading {
    calendar: Timestamp(1_800_000_000),
    counted: Monotonic(1_000),
};

fn rounds(of: u32) -> Box<dyn FnMut()> {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        // None comes in between.
        checkpoint_bytes: u64::MAX,
        ..Options::default()
    };
    let store = DiskStore::open_with(&dir.path().join("data"), options).unwrap();
    let limits = NewSeatLimits {
        macs_per_identity: u32::MAX,
        seats_per_source: u32::MAX,
    };
    let mut writer = Writer::load(store, limits).unwrap();
    let site = Site::with(0);
    let stock = Vendor::new().commands(of).map(|command| Request {
        actor: Actor::Server,
        command,
    });
    writer.round(&stock, READING).unwrap();
    let mut numbers = vec![0; of as usize];
    Box::new(move || {
        // Behind the writer, which goes first.
        let _dir = &dir;
        let machines = (0..).zip(&numbers);
        let requests: Vec<_> = machines
            .map(|(machine, number)| Request {
                actor: ledger::actor(machine),
                command: site.checkout(machine, *number),
            })
            .collect();
        let replies = writer.round(&requests, READING).unwrap();
        for (number, reply) in numbers.iter_mut().zip(&replies) {
            let Reply::Seat(grant) = reply else { panic!("{reply:?}") };
            *number = grant.continuation;
        }
        black_box(replies);
    })
}
