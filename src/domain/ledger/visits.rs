//! How many rows lists look at: what a page costs, counted instead of timed. Outside of tests nothing is counted.

/// The same rows, each counted when it is taken.
pub(super) fn counted<T>(rows: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    rows.inspect(|_| note())
}

#[cfg(not(test))]
const fn note() {}

#[cfg(test)]
fn note() {
    SO_FAR.with(|so_far| so_far.set(so_far.get() + 1));
}

#[cfg(test)]
thread_local! {
    static SO_FAR: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Rows that this thread has looked at.
#[cfg(test)]
pub(super) fn so_far() -> u64 {
    SO_FAR.with(std::cell::Cell::get)
}
