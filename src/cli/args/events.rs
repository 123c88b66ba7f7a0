//! What administrators and viewers type to read the event log.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

use super::views::{Shape, Sorting, names};
use super::whose::Whose;
use crate::cli::denials::Row as DenialRow;
use crate::cli::view::{Listed, View};
use crate::domain::ids::{Fingerprint, Mac, ProductId};
use crate::domain::reason::Reason;
use crate::domain::time::Timestamp;
use crate::session::translate::status_of_reason;
use crate::wire::messages::events::EventRow;
use crate::wire::{EventKind, Status};

/// Events that `--last` takes at most: they are held until the oldest of them is known.
const LAST_MAX: i64 = 10_000;

#[derive(Args, Debug)]
pub(in crate::cli) struct EventsOptions {
    #[command(flatten)]
    pub(in crate::cli) shown: Shown,
    #[command(subcommand)]
    pub(in crate::cli) command: Option<EventsCommand>,
}

/// Which events, and how.
#[derive(Args, Debug, Default, PartialEq)]
pub(in crate::cli) struct Shown {
    /// From this moment on: 90s, 30m, 2h, 7d ago, or 2026-01-31, or 2026-01-31T12:00, UTC.
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) since: Option<When>,
    /// Before this moment, likewise.
    #[arg(long, value_name = "TIME", conflicts_with = "follow")]
    pub(in crate::cli) until: Option<When>,
    /// Only what is about this machine.
    #[arg(long)]
    pub(in crate::cli) mac: Option<Mac>,
    /// Only what is about this product.
    #[arg(long)]
    pub(in crate::cli) product: Option<ProductId>,
    /// Only events of this kind; several with commas between, or by repeating the option. `reserved` has those of
    /// `machines-reserved`, `units-reserved` and `seats-held` with it.
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = kinds())]
    pub(in crate::cli) kind: Vec<EventKind>,
    /// Only what was caused by this identity, its fingerprint or as many digits of it as events show, or by the server
    /// itself: `server`.
    #[arg(long, value_name = "WHO")]
    pub(in crate::cli) actor: Option<Who>,
    /// Only the last N of them.
    #[arg(long, short = 'n', value_name = "N", value_parser = clap::value_parser!(u32).range(1..=LAST_MAX))]
    pub(in crate::cli) last: Option<u32>,
    /// The newest first.
    #[arg(long, short, conflicts_with = "follow")]
    pub(in crate::cli) reverse: bool,
    /// Wait for new ones, until interrupted. Begins with the last ten unless told otherwise; with --json an object a line.
    #[arg(long, short)]
    pub(in crate::cli) follow: bool,
    /// Show these columns, in this order: names separated by commas; time, kind and event if absent.
    #[arg(long, value_delimiter = ',', conflicts_with = "json", value_parser = names(EventRow::COLUMNS))]
    columns: Vec<String>,
    /// Sort by these columns, `-NAME` from the largest down. What has nothing in a column counts as largest. The rows are
    /// held in memory for it, so it is not for --follow, which has no end.
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, conflicts_with = "follow",
        value_parser = Sorting::by(EventRow::COLUMNS))]
    sort: Vec<String>,
    #[command(flatten)]
    shape: Shape,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum EventsCommand {
    /// Check that nothing in the log was changed or taken out: each round holds the SHA-256 of the one before it.
    ///
    /// It says how far the chain goes, and which file is damaged where. Whoever can rewrite everything that follows a round can
    /// change it unseen, unless an anchor of a later round is kept elsewhere.
    Verify {
        /// Compare with what `seatkeeper events anchor` printed earlier: that text, or a file with it. The round's hash and
        /// time are compared.
        #[arg(long, value_name = "TEXT|FILE")]
        anchor: Option<String>,
    },
    /// Print the newest round and its hash, a line to be kept elsewhere: on paper, in a ticket, on another machine.
    Anchor,
}

#[derive(Args, Debug)]
pub(in crate::cli) struct DenialsOptions {
    /// From this moment on: 90s, 30m, 2h, 7d ago, or 2026-01-31, or 2026-01-31T12:00, UTC; 30d if absent.
    #[arg(long, value_name = "TIME", default_value = "30d")]
    pub(in crate::cli) since: When,
    /// Before this moment, likewise.
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) until: Option<When>,
    /// Only refusals of this product.
    #[arg(long)]
    pub(in crate::cli) product: Option<ProductId>,
    /// Only refusals for this reason, by the name of its status.
    #[arg(long, value_name = "REASON", value_parser = reasons())]
    pub(in crate::cli) reason: Option<Status>,
    /// Show these columns, in this order: names separated by commas.
    #[arg(long, value_delimiter = ',', conflicts_with = "json", value_parser = names(DenialRow::COLUMNS))]
    columns: Vec<String>,
    /// Sort by these columns, `-NAME` from the largest down. What has nothing in a column counts as largest.
    #[arg(long, value_delimiter = ',', allow_hyphen_values = true, value_parser = Sorting::by(DenialRow::COLUMNS))]
    sort: Vec<String>,
    #[command(flatten)]
    shape: Shape,
}

impl Shown {
    /// How the rows are listed.
    pub(in crate::cli) fn view(&self, json: bool) -> View<EventRow> {
        let Self {
            columns, sort, shape, ..
        } = self;
        shape.view(json, columns, sort)
    }
}

impl DenialsOptions {
    /// How the rows are listed.
    pub(in crate::cli) fn view(&self, json: bool) -> View<DenialRow> {
        let Self {
            columns, sort, shape, ..
        } = self;
        shape.view(json, columns, sort)
    }
}

/// Who caused an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::cli) enum Who {
    /// Whose fingerprint begins so: small digits.
    Begins(String),
    Identity(Fingerprint),
    Server,
}

impl FromStr for Who {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "server" {
            return Ok(Self::Server);
        }
        match text.parse() {
            Ok(Whose::Begins(digits)) => Ok(Self::Begins(digits)),
            Ok(Whose::Whole(fingerprint)) => Ok(Self::Identity(fingerprint)),
            Err(error) => Err(format!("{error}, or `server` for the server itself")),
        }
    }
}

/// A moment as people say it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::cli) enum When {
    /// So many seconds ago.
    Ago(u64),
    At(Timestamp),
}

impl When {
    /// The moment, where it is `now`.
    pub(in crate::cli) const fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(secs) => Timestamp(now.0.saturating_sub(secs)),
            Self::At(at) => at,
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ago(secs) => write!(f, "{secs}s"),
            Self::At(at) => at.fmt(f),
        }
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str =
            "write 90s, 30m, 2h or 7d for so long ago, or a moment in UTC as 2026-01-31 or 2026-01-31T12:00";
        let text = text.trim();
        if let Ok(moment) = text.parse::<jiff::Timestamp>() {
            return timestamp(moment);
        }
        if let Ok(moment) = text.parse::<jiff::civil::DateTime>() {
            let moment = moment.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| FORM.to_owned())?;
            return timestamp(moment.timestamp());
        }
        let span: jiff::Span = text.parse().map_err(|_| FORM.to_owned())?;
        let duration = span
            .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
            .map_err(|_| FORM.to_owned())?;
        u64::try_from(duration.as_secs())
            .map(Self::Ago)
            .map_err(|_| format!("it is not a time that has passed; {FORM}"))
    }
}

fn timestamp(moment: jiff::Timestamp) -> Result<When, String> {
    u64::try_from(moment.as_second())
        .map(|secs| When::At(Timestamp(secs)))
        .map_err(|_| "it is before 1970".to_owned())
}

/// A code's name as it is typed and printed.
pub(in crate::cli) fn typed(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}

static KINDS: LazyLock<Vec<(&str, EventKind)>> = LazyLock::new(|| {
    let kinds = EventKind::TABLE
        .iter()
        .filter(|(kind, _)| *kind != EventKind::SEAT_RENEWED);
    // Held for as long as the process runs, as the parser wants it.
    kinds
        .map(|(kind, name)| (&*Box::leak(typed(name).into_boxed_str()), *kind))
        .collect()
});

/// Statuses of refusals, in the order of the registry.
static REASONS: LazyLock<Vec<(&str, Status)>> = LazyLock::new(|| {
    let told = |status: Status| Reason::ALL.iter().any(|reason| status_of_reason(*reason) == status);
    let reasons = Status::TABLE.iter().filter(|(status, _)| told(*status));
    reasons
        .map(|(status, name)| (&*Box::leak(typed(name).into_boxed_str()), *status))
        .collect()
});

fn kinds() -> impl TypedValueParser<Value = EventKind> {
    let names = PossibleValuesParser::new(KINDS.iter().map(|(name, _)| *name));
    names.map(|name| {
        KINDS
            .iter()
            .find(|(one, _)| *one == name)
            .map(|(_, kind)| *kind)
            .unwrap_or_default()
    })
}

fn reasons() -> impl TypedValueParser<Value = Status> {
    let names = PossibleValuesParser::new(REASONS.iter().map(|(name, _)| *name));
    names.map(|name| {
        REASONS
            .iter()
            .find(|(one, _)| *one == name)
            .map(|(_, status)| *status)
            .unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::DAY_SECS;

    #[test]
    fn what_requests_are_refused_for_can_be_typed_and_nothing_else() {
        let names: Vec<&str> = REASONS.iter().map(|(name, _)| *name).collect();
        assert!(
            names.contains(&"seats-exhausted") && names.contains(&"slow-down"),
            "{names:?}"
        );
        assert!(!names.contains(&"ok") && !names.contains(&"text-damaged"), "{names:?}");
        assert!(KINDS.iter().any(|(name, _)| *name == "refused") && KINDS.len() == EventKind::TABLE.len() - 1);
    }

    #[test]
    fn who_caused_an_event_is_named_by_a_fingerprint_by_its_first_digits_or_as_the_server() {
        assert_eq!("server".parse(), Ok(Who::Server));
        assert_eq!("AB".repeat(32).parse(), Ok(Who::Identity(Fingerprint([0xab; 32]))));
        for digits in ["ABABABAB", "abababababababab", &"ab".repeat(31)] {
            assert_eq!(digits.parse(), Ok(Who::Begins(digits.to_lowercase())));
        }
        for wrong in ["", "abababa", "abababag", &"ab".repeat(33), "Server"] {
            let told = wrong.parse::<Who>().unwrap_err();
            assert!(
                told.contains("8 at least") && told.contains("`server`"),
                "{wrong}: {told}"
            );
        }
    }

    #[test]
    fn moments_are_read_as_people_write_them() {
        let day = 20_454 * DAY_SECS;
        for (text, expected) in [
            ("2h", When::Ago(7_200)),
            ("90s", When::Ago(90)),
            ("7d", When::Ago(7 * DAY_SECS)),
            ("2026-01-01", When::At(Timestamp(day))),
            ("2026-01-01T12:30", When::At(Timestamp(day + 45_000))),
            ("2026-01-01 12:30:01", When::At(Timestamp(day + 45_001))),
            ("2026-01-01T12:30:00Z", When::At(Timestamp(day + 45_000))),
            ("2026-01-01T12:30:00+01:00", When::At(Timestamp(day + 41_400))),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for text in ["", "yesterdayish", "2026-13-01", "-2h", "1969-01-01", "1 year"] {
            assert!(text.parse::<When>().is_err(), "{text}");
        }
        assert_eq!(When::Ago(60).at(Timestamp(100)), Timestamp(40));
    }
}
