//! Whose checkouts were refused lately: what EXPLAIN supposes where nobody is named (rule V2).
//!
//! A refusal points to its explanation, and most of those who are refused have left nothing else behind here.

use std::collections::BTreeMap;

use crate::domain::event_log::HOUR_SECS;
use crate::domain::explain::RefusedCheckout;
use crate::domain::ids::{ComponentId, Fingerprint};
use crate::domain::seat::SeatKey;

/// Components of a machine and product that are remembered, at most; of the rest the refusals are counted all the same.
const COMPONENTS_MAX: usize = 8;

/// The last refusal of each component, as long as it is counted. Those of one machine and product have a place among what is
/// counted, so there are no more of them than places.
#[derive(Debug, Default)]
pub(super) struct Lately {
    /// The newest stands last.
    by_seat: BTreeMap<SeatKey, Vec<RefusedCheckout>>,
}

impl Lately {
    /// A checkout was refused.
    pub(super) fn note(&mut self, key: SeatKey, refused: RefusedCheckout) {
        let of_seat = self.by_seat.entry(key).or_default();
        of_seat.retain(|one| one.component != refused.component);
        if of_seat.len() >= COMPONENTS_MAX {
            of_seat.remove(0);
        }
        of_seat.push(refused);
    }

    /// A checkout was granted: what the same identity was refused before explains nothing any more. What another one was
    /// refused, as a copy of the machine is, still does.
    pub(super) fn granted(&mut self, key: &SeatKey, component: ComponentId, identity: Fingerprint) {
        self.keep(key, |one| one.component != component || one.identity != identity);
    }

    /// What was refused in an hour is not counted any more.
    pub(super) fn forget(&mut self, key: SeatKey, hour: u64) {
        self.keep(&key, |one| one.at.0 / HOUR_SECS != hour);
    }

    /// The newest of a machine and product, of a component if that is named.
    pub(super) fn newest(&self, key: &SeatKey, component: Option<ComponentId>) -> Option<RefusedCheckout> {
        let mut of_seat = self.by_seat.get(key)?.iter().rev();
        of_seat
            .find(|one| component.is_none_or(|wanted| wanted == one.component))
            .copied()
    }

    fn keep(&mut self, key: &SeatKey, is_kept: impl Fn(&RefusedCheckout) -> bool) {
        let Some(of_seat) = self.by_seat.get_mut(key) else {
            return;
        };
        of_seat.retain(is_kept);
        if of_seat.is_empty() {
            self.by_seat.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{Mac, VendorId};
    use crate::domain::time::Timestamp;

    fn key() -> SeatKey {
        SeatKey {
            vendor: VendorId([7; 16]),
            product: "BKSRV".parse().expect("good"),
            mac: Mac::new([2, 0, 0, 0, 0, 1]).expect("unicast"),
        }
    }

    fn component(name: &str) -> ComponentId {
        name.parse().expect("good")
    }

    fn refused(name: &str, identity: u8, at: u64) -> RefusedCheckout {
        RefusedCheckout {
            component: component(name),
            identity: Fingerprint([identity; 32]),
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            continuation: 0,
            at: Timestamp(at),
        }
    }

    #[test]
    fn the_newest_of_a_component_is_known_until_it_is_granted_or_counted_no_more() {
        let mut lately = Lately::default();
        for one in [refused("agent", 1, 5), refused("agent", 2, 6), refused("gui", 3, 7)] {
            lately.note(key(), one);
        }
        let agent = Some(component("agent"));
        assert_eq!(lately.newest(&key(), None), Some(refused("gui", 3, 7)));
        assert_eq!(lately.newest(&key(), agent), Some(refused("agent", 2, 6)));
        lately.granted(&key(), component("agent"), Fingerprint([1; 32]));
        assert_eq!(lately.newest(&key(), agent), Some(refused("agent", 2, 6)), "another's");
        lately.granted(&key(), component("agent"), Fingerprint([2; 32]));
        assert_eq!(lately.newest(&key(), agent), None);
        lately.forget(key(), 1);
        assert_eq!(
            lately.newest(&key(), None),
            Some(refused("gui", 3, 7)),
            "of another hour"
        );
        lately.forget(key(), 0);
        assert!(lately.by_seat.is_empty());
    }

    #[test]
    fn a_machine_that_asks_for_ever_new_components_takes_no_more_room() {
        let mut lately = Lately::default();
        for number in 0..100 {
            lately.note(key(), refused(&format!("c{number}"), 1, 5));
        }
        assert_eq!(lately.by_seat.get(&key()).map(Vec::len), Some(COMPONENTS_MAX));
        assert_eq!(lately.newest(&key(), None), Some(refused("c99", 1, 5)));
    }
}
