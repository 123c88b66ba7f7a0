//! One direction of a connection: bytes on their way, late, in pieces, and now and then damaged.

use std::collections::VecDeque;

use bytes::Bytes;
use seatkeeper_model::Random;

/// Bytes on their way, in order.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    pieces: VecDeque<Piece>,
    /// Whether nothing follows what is on its way.
    is_ended: bool,
    /// Whether what was on its way is lost, and what is still sent is too.
    is_cut: bool,
    /// Whether a piece was duplicated, exchanged or changed.
    pub(crate) is_damaged: bool,
}

#[derive(Debug)]
struct Piece {
    /// In milliseconds.
    due: u64,
    bytes: Bytes,
}

/// What comes out.
#[derive(Debug)]
pub(crate) enum Arrival {
    Bytes(Bytes),
    /// The other side sends nothing more.
    End,
    /// The connection is gone.
    Cut,
}

impl Pipe {
    /// Sends bytes that arrive at `due` and not before those that were sent earlier.
    pub(crate) fn send(&mut self, bytes: Bytes, due: u64) {
        if self.is_cut || self.is_ended || bytes.is_empty() {
            return;
        }
        let due = self.pieces.back().map_or(due, |last| last.due.max(due));
        self.pieces.push_back(Piece { due, bytes });
    }

    /// Nothing follows.
    pub(crate) const fn end(&mut self) {
        self.is_ended = true;
    }

    /// Some of what is on its way still arrives, and then the news that the connection is gone.
    pub(crate) fn cut(&mut self, dice: &mut Random) {
        let kept = dice.below(self.pieces.len() as u64 + 1);
        self.pieces.truncate(usize::try_from(kept).unwrap_or(0));
        self.is_cut = true;
    }

    /// The next piece, or a part of it.
    pub(crate) fn arrive(&mut self, now: u64, dice: &mut Random) -> Option<Arrival> {
        let Some(first) = self.pieces.front_mut() else {
            if self.is_cut {
                return Some(Arrival::Cut);
            }
            return self.is_ended.then_some(Arrival::End);
        };
        if first.due > now {
            return None;
        }
        if first.bytes.len() > 1 && dice.percent(30) {
            let part = 1 + dice.below(first.bytes.len() as u64 - 1);
            return Some(Arrival::Bytes(first.bytes.split_to(usize::try_from(part).unwrap_or(1))));
        }
        self.pieces.pop_front().map(|piece| Arrival::Bytes(piece.bytes))
    }

    /// Duplicates a piece, exchanges two, or changes a byte.
    pub(crate) fn damage(&mut self, dice: &mut Random) {
        let len = self.pieces.len();
        if len == 0 {
            return;
        }
        let place = usize::try_from(dice.below(len as u64)).unwrap_or(0);
        match dice.below(4) {
            0 => {
                let again = Piece {
                    due: self.pieces[place].due,
                    bytes: self.pieces[place].bytes.clone(),
                };
                self.pieces.insert(place, again);
            }
            1 if len > 1 => {
                let other = if place == 0 { 1 } else { place - 1 };
                let bytes = self.pieces[other].bytes.clone();
                self.pieces[other].bytes = std::mem::replace(&mut self.pieces[place].bytes, bytes);
            }
            _ => {
                let mut bytes = self.pieces[place].bytes.to_vec();
                let at = usize::try_from(dice.below(bytes.len() as u64)).unwrap_or(0);
                // One bit, so that numbers stay near and lengths often hold.
                bytes[at] ^= 1 << dice.below(8);
                self.pieces[place].bytes = bytes.into();
            }
        }
        self.is_damaged = true;
    }
}
