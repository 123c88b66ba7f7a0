//! Clocks that disagree (rule T3). Servers never use an agent's clock; a person who compares dates does.

use std::fmt;

use seatkeeper::clock::Clock;
use seatkeeper::domain::time::Timestamp;
use serde::Serialize;

use crate::output::Warning;

/// A skew of more seconds than this is warned of.
const WARN_ABOVE_SECS: u64 = 60;

/// A server's clock against this machine's, in seconds; positive where the server's is ahead. Both clocks are read in
/// whole seconds, so it may be off by one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub(crate) struct Skew(i64);

impl Skew {
    /// The skew of a server that just said it is `server`.
    pub(crate) fn of(server: Timestamp) -> Self {
        Self::between(server, Clock::system().calendar())
    }

    fn between(server: Timestamp, here: Timestamp) -> Self {
        let ahead = i128::from(server.0) - i128::from(here.0);
        Self(i64::try_from(ahead).unwrap_or(if ahead < 0 { i64::MIN } else { i64::MAX }))
    }

    /// What to say of the skew of the server `name`, if it is large.
    pub(crate) fn warning(self, name: &str) -> Option<Warning> {
        let off = self.0.unsigned_abs();
        let which = if self.0 < 0 { "behind" } else { "ahead of" };
        (off > WARN_ABOVE_SECS).then(|| Warning {
            code: "clock_skew",
            text: format!(
                "the clock of {name} is {off} s {which} this machine's; set both by NTP, since licenses expire by the \
                 server's clock"
            ),
        })
    }
}

impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0 s");
        }
        write!(f, "{:+} s", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves T3
    #[test]
    fn skew_is_signed_and_positive_where_the_server_is_ahead() {
        let skew = |server, here| Skew::between(Timestamp(server), Timestamp(here));
        assert_eq!(skew(1_000, 1_000), Skew(0));
        assert_eq!(skew(1_090, 1_000), Skew(90));
        assert_eq!(skew(910, 1_000), Skew(-90));
        assert_eq!(skew(u64::MAX, 0), Skew(i64::MAX));
        assert_eq!(skew(0, u64::MAX), Skew(i64::MIN));
    }

    // proves T3
    #[test]
    fn skew_is_warned_of_above_a_minute_both_ways() {
        for (skew, warned) in [(0, false), (60, false), (-60, false), (61, true), (-61, true)] {
            assert_eq!(Skew(skew).warning("office").is_some(), warned, "{skew}");
        }
        let text = |skew| Skew(skew).warning("office").expect("large").text;
        assert!(text(3_600).starts_with("the clock of office is 3600 s ahead of this machine's"));
        assert!(text(-3_600).starts_with("the clock of office is 3600 s behind this machine's"));
    }

    #[test]
    fn skew_is_shown_with_its_sign() {
        assert_eq!(
            [Skew(0), Skew(5), Skew(-5)].map(|skew| skew.to_string()),
            ["0 s", "+5 s", "-5 s"]
        );
    }
}
