//! What was bought: the claims of a license key and the license that it is on this server.

use bytes::Bytes;

use super::blacklist::Listed;
use super::ids::{ProductId, ProductKey, Serial, VendorId};
use super::time::{DAY_SECS, Timestamp};

/// Seats on one license key, at most.
pub const SEATS_MAX: u32 = 10_000_000;

/// How a license was bought.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Bought.
    Commercial,
    /// Bought for a period.
    Subscription,
    /// For trying the product.
    Trial,
}

/// What a license is for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Usage {
    /// Its seats are for machines and come back.
    Machine,
    /// Its units are spent by deployments and never come back (rule X1); they are not seats.
    Deployment,
}

/// Until when a license serves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Validity {
    /// `n` x 86,400 seconds from its first import on this server (rule K5).
    Days(u32),
    /// Without end.
    Forever,
    /// While the calendar is before the day after this one, 00:00 UTC (rule K5). Counted in days since 1970-01-01.
    ThroughDay(u32),
}

impl Validity {
    /// The first moment at which a license first imported at `imported_at` no longer serves.
    #[must_use]
    pub fn ends_at(self, imported_at: Timestamp) -> Timestamp {
        match self {
            Self::Days(days) => imported_at.after_secs(u64::from(days) * DAY_SECS),
            Self::Forever => Timestamp::MAX,
            Self::ThroughDay(day) => Timestamp((u64::from(day) + 1) * DAY_SECS),
        }
    }
}

/// What the vendor signed into a license key (rule K1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claims {
    /// Who signed it.
    pub vendor: VendorId,
    /// Its short name.
    pub serial: Serial,
    /// The product that it is for.
    pub product: ProductId,
    /// How many seats it has, 1 to [`SEATS_MAX`].
    pub seats: u32,
    /// How it was bought.
    pub kind: Kind,
    /// What it is for.
    pub usage: Usage,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// Until when it serves.
    pub validity: Validity,
    /// Until when the vendor supports the product, in days since 1970-01-01; stored and shown, not enforced.
    pub support_until_day: Option<u32>,
    /// Whether the vendor renews it by itself; stored and shown, not enforced.
    pub auto_renew: bool,
}

impl Claims {
    /// The product with its vendor.
    #[must_use]
    pub const fn product_key(&self) -> ProductKey {
        ProductKey {
            vendor: self.vendor,
            product: self.product,
        }
    }
}

/// A license key whose signature and import secret were checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifiedKey {
    /// What it claims.
    pub claims: Claims,
    /// The certificate: claims and signature, without the import secret.
    pub certificate: Bytes,
}

/// An imported key on this server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct License {
    /// What the vendor signed.
    pub claims: Claims,
    /// When the key was first imported on this server; survives removal and re-import.
    pub imported_at: Timestamp,
    /// The certificate, shown to agents with every grant (rule K9).
    pub certificate: Bytes,
    /// That its vendor's list names it, as of the last list that was imported (rule C3).
    pub listed: Option<Listed>,
}

impl License {
    /// The first moment at which it no longer serves.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.claims.validity.ends_at(self.imported_at)
    }

    /// The first moment at which it does not serve: a license that its vendor's list names never does.
    #[must_use]
    pub fn serves_until(&self) -> Timestamp {
        match self.listed {
            Some(_) => Timestamp(0),
            None => self.ends_at(),
        }
    }

    /// Whether it serves at `now`, the later of the two times (rule T1).
    #[must_use]
    pub fn status(&self, now: Timestamp) -> LicenseStatus {
        match self.listed {
            Some(Listed::Blacklisted) => LicenseStatus::Blacklisted,
            Some(Listed::Superseded) => LicenseStatus::Superseded,
            None if now < self.ends_at() => LicenseStatus::Valid,
            None => LicenseStatus::Expired,
        }
    }

    /// Days until its end, rounded up (rule K5); nothing where it serves without end.
    #[must_use]
    pub fn days_left(&self, now: Timestamp) -> Option<u32> {
        let ends_at = self.ends_at();
        let days = ends_at.secs_since(now).div_ceil(DAY_SECS);
        (ends_at != Timestamp::MAX).then(|| u32::try_from(days).unwrap_or(u32::MAX))
    }
}

/// Whether a license serves (rule S2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LicenseStatus {
    /// Its vendor has taken it back (rule C3).
    Blacklisted,
    /// Its time is over.
    Expired,
    /// Another license has taken its place, says its vendor (rule C3).
    Superseded,
    /// It serves.
    Valid,
}

/// What stays of a license that was removed, so that importing its key again does not start it anew (rule S12).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tombstone {
    /// Whose license it was: a serial belongs to the vendor that used it first here.
    pub vendor: VendorId,
    /// The product that it was for.
    pub product: ProductId,
    /// What it was for.
    pub usage: Usage,
    /// Its seats: a key that is smaller in one respect and larger in none is superseded (rule K6).
    pub seats: u32,
    /// Until when it served, for the same reason.
    pub validity: Validity,
    /// When the key was first imported.
    pub imported_at: Timestamp,
    /// When the license was removed.
    pub removed_at: Timestamp,
}

impl Tombstone {
    /// The product with its vendor.
    #[must_use]
    pub const fn product_key(&self) -> ProductKey {
        ProductKey {
            vendor: self.vendor,
            product: self.product,
        }
    }
}
