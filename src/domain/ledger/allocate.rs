//! Takes seats and units of licenses for one command, in the order in which licenses serve (rules S3, X5).

use std::iter::Peekable;

use super::Ledger;
use crate::domain::ids::{ProductKey, Serial};
use crate::domain::license::Usage;
use crate::domain::time::Now;

/// Hands out what is free on the serving licenses of a product, each unit once. What one command takes is not in the
/// ledger before the command is decided: this remembers it.
pub(super) struct Allocator<'a> {
    lanes: Vec<Lane<'a>>,
}

/// The serving licenses of one usage that have a free unit, with how many.
struct Lane<'a> {
    usage: Usage,
    open: Peekable<Box<dyn Iterator<Item = (Serial, u32)> + 'a>>,
}

impl<'a> Allocator<'a> {
    /// Of the usages given, the first one first; never of the license `except`.
    pub(super) fn new(
        ledger: &'a Ledger,
        product: ProductKey,
        usages: &[Usage],
        now: Now,
        except: Option<Serial>,
    ) -> Self {
        let lane = |usage: &Usage| {
            let open: Box<dyn Iterator<Item = (Serial, u32)> + 'a> = Box::new(
                ledger
                    .open_licenses(product, *usage, now)
                    .filter(move |(serial, _)| Some(*serial) != except),
            );
            Lane {
                usage: *usage,
                open: open.peekable(),
            }
        };
        Self {
            lanes: usages.iter().map(lane).collect(),
        }
    }

    /// One unit of the next license; nothing where none is left.
    pub(super) fn take(&mut self) -> Option<(Usage, Serial)> {
        self.take_up_to(1).map(|(usage, serial, _)| (usage, serial))
    }

    /// Up to `count` units of the next license.
    pub(super) fn take_up_to(&mut self, count: u32) -> Option<(Usage, Serial, u32)> {
        for lane in &mut self.lanes {
            if let Some((serial, free)) = lane.open.peek_mut() {
                let taken = count.min(*free);
                *free -= taken;
                let (serial, is_used_up) = (*serial, *free == 0);
                if is_used_up {
                    lane.open.next();
                }
                return Some((lane.usage, serial, taken));
            }
        }
        None
    }
}
