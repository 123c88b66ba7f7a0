//! What no start shows of itself: whatever a power cut left, the newest manifest and the newest generation can be done
//! without, and no event is missing between those that are kept.

use seatkeeper::domain::event_log::{EventFilter, EventsPage};
use seatkeeper::store::Store;
use seatkeeper_model::Random;

use crate::store::Site;

/// More events than there are.
const EVENTS_MAX: usize = 100_000;

/// The newest generation that the newest manifest of a site names; 0 is the empty one, which has no directory. Nothing
/// where there is no manifest yet.
pub(crate) fn newest_generation(site: &Site) -> Option<u64> {
    let text = site.place.file(&format!("manifest.{}", newest_manifest(site)?));
    let text = String::from_utf8(text).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("generation "))?;
    line.split(' ').next()?.parse().ok()
}

fn newest_manifest(site: &Site) -> Option<u64> {
    let names = site.place.names("");
    let numbers = names.iter().filter_map(|name| name.strip_prefix("manifest."));
    numbers.filter_map(|number| number.parse().ok()).max()
}

/// Damages the newest manifest or the newest generation of a copy of the site, and starts it: everything is there all the
/// same, since the one before it and the journal since then are. Nothing is done where there is nothing before it; whether
/// there was.
///
/// # Panics
/// Something is missing.
pub(crate) fn does_without_the_newest(site: &Site, dice: &mut Random) -> bool {
    let mut site = site.fork();
    let (Some(manifest), Some(generation)) = (newest_manifest(&site), newest_generation(&site)) else {
        return false;
    };
    if manifest == 1 || generation == 0 {
        return false;
    }
    let name = if dice.percent(50) {
        format!("manifest.{manifest}")
    } else {
        format!("state.{generation}/rows")
    };
    let whole = site.place.file(&name);
    let left = usize::try_from(dice.below(whole.len() as u64)).unwrap_or(0);
    site.place.put_file(&name, &whole[..left]);
    if let Err(error) = site.start() {
        panic!("without {name}: {error}");
    }
    true
}

/// Starts a copy of the site, which takes one short round, and starts it again: nothing that the cut left is behind that
/// round. What happened is read, too: of the rounds from the first that is kept up to the last none is missing.
///
/// # Panics
/// Something is in the way of the second start, or a round is missing.
pub(crate) fn goes_on(site: &Site) {
    let well = "on a disk that is well";
    let mut site = site.fork();
    let mut store = site.start().unwrap_or_else(|error| panic!("{well}: {error}"));
    let outcome = site.step_shortly(&mut store);
    outcome.unwrap_or_else(|error| panic!("{well}: {error}"));
    drop(store);
    let store = site.start();
    let store = store.unwrap_or_else(|error| panic!("{well}, after a round: {error}"));
    let page = EventsPage {
        filter: EventFilter::default(),
        newest_first: false,
        after: None,
        limit: EVENTS_MAX,
    };
    let chronicle = store.chronicle().expect("events are kept");
    let read = chronicle.page(&page, site.round).expect("they can be read");
    assert!(read.gaps.is_empty(), "events are missing: {:?}", read.gaps);
}
