//! What the rules speak of.

/// Seconds of a day.
pub const DAY: u64 = 86_400;

/// A vendor.
pub type Vendor = u8;
/// A machine's address.
pub type Mac = [u8; 6];
/// The key pair of an installed component.
pub type Identity = u16;
/// The name of a license; they sort as numbers do.
pub type Serial = u32;
/// The name of a reservation; they sort as numbers do.
pub type ReservationId = u128;

/// The time of a decision, in UTC seconds (rule T1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Now {
    /// Never goes back; passes over a forward jump only when it is accepted.
    pub steady: u64,
    /// What the calendar shows.
    pub calendar: u64,
}

impl Now {
    /// Both at the same moment.
    #[must_use]
    pub const fn at(secs: u64) -> Self {
        Self {
            steady: secs,
            calendar: secs,
        }
    }

    /// The later of the two: dates are set from it and expiry is tested against it.
    #[must_use]
    pub const fn later(self) -> u64 {
        if self.steady > self.calendar {
            self.steady
        } else {
            self.calendar
        }
    }
}

/// A product is named by its vendor and its id.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ProductKey {
    /// Whose.
    pub vendor: Vendor,
    /// Its id.
    pub id: &'static str,
}

/// A seat is keyed by vendor, product and MAC (rule I1).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct SeatKey {
    /// Of which product.
    pub product: ProductKey,
    /// Of which machine.
    pub mac: Mac,
}

/// What a license is for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Usage {
    /// Seats of machines.
    Machine,
    /// Units that deployments spend.
    Deployment,
}

/// How a license was sold. Nothing is decided by it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Bought.
    Commercial,
    /// To try.
    Trial,
    /// Rented.
    Subscription,
}

/// How long a license serves (rule K5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Validity {
    /// Without end.
    Forever,
    /// So many times 86,400 s from its first import.
    Days(u32),
    /// Through this day, counted from 1970-01-01.
    ThroughDay(u32),
}

/// A license key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Key {
    /// Its name.
    pub serial: Serial,
    /// For what.
    pub product: ProductKey,
    /// Seats or units.
    pub seats: u32,
    /// Which of the two.
    pub usage: Usage,
    /// How it was sold.
    pub kind: Kind,
    /// How long it serves.
    pub validity: Validity,
    /// Stands for the text of the certificate: equal where the text is.
    pub certificate: u64,
}

/// An installable part of a product.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Component {
    /// Its id.
    pub id: &'static str,
    /// Whether it holds a seat.
    pub counted: bool,
    /// Whether it runs without a server.
    pub lenient: bool,
    /// Boot media: it binds nothing.
    pub ephemeral: bool,
}

/// A product of a catalogue.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Product {
    /// Its name.
    pub key: ProductKey,
    /// Seconds from a renewal to the end of the seat; none where it never idles out.
    pub idle_secs: Option<u64>,
    /// Whether its seats never come back.
    pub single_use: bool,
    /// The usages that its licenses may have, the preferred one first (rule X5).
    pub offers: Vec<Usage>,
    /// A product of the same vendor that the machine must hold a seat of (rule S15).
    pub required: Option<&'static str>,
    /// `on_conflict = refuse` (rule I7).
    pub refuse_conflicts: bool,
    /// Days that a strict component may run without a server (rule O3).
    pub offline_days: u8,
    /// Its parts.
    pub components: Vec<Component>,
}

/// Why a vendor's blacklist names a serial (rule C3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Blacklisting {
    /// Not good any more.
    Blacklisted,
    /// Another key came in its place.
    Superseded,
}
