//! Why a command was refused, without the numbers that a reply adds: what refusals are counted by.

use super::denial::Denial;

macro_rules! reasons {
    ($($name:ident = $number:literal,)*) => {
        /// A [`Denial`] without its numbers and names.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Reason {
            $(
                #[doc = concat!("As [`Denial::", stringify!($name), "`].")]
                $name,
            )*
        }

        impl Reason {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its number on disk.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self {
                    $(Self::$name => $number,)*
                }
            }

            /// The one with this number on disk; nothing where this version knows none.
            #[must_use]
            pub const fn of_number(number: u16) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _ => None,
                }
            }
        }

        impl Denial {
            /// Why, without numbers and names.
            #[must_use]
            pub const fn reason(&self) -> Reason {
                match self {
                    $(Self::$name { .. } => Reason::$name,)*
                }
            }
        }
    };
}

// A number is never changed and never used again: it is on disk.
reasons! {
    AmbiguousProduct = 1,
    BlacklistNotNewer = 2,
    CatalogueNotNewer = 3,
    Conflict = 4,
    DeploymentOnly = 5,
    DiskFull = 6,
    EnrolmentRequired = 7,
    IdentityNotBound = 8,
    LastAdministrator = 9,
    LicenseBlacklisted = 10,
    LicenseExpired = 11,
    LicenseInUse = 12,
    LicenseSuperseded = 13,
    NoLicense = 14,
    NoJumpPending = 15,
    NotAuthorized = 16,
    RebindPending = 17,
    ReboundRecently = 18,
    RequiredProduct = 19,
    ReservationTaken = 20,
    ReservationTooLarge = 21,
    ReservationTooLong = 22,
    SeatsExhausted = 23,
    SlowDown = 24,
    TokenRefused = 25,
    TooManyComponents = 26,
    TooManyReservations = 27,
    TooManyTokens = 28,
    TooManyVendors = 29,
    TooManyWrongTokens = 30,
    UnknownAdministrator = 31,
    UnknownComponent = 32,
    UnknownProduct = 33,
    UnknownReservation = 34,
    UnknownSerial = 35,
    UnknownToken = 36,
    UnknownVendor = 37,
    UnknownIdentity = 38,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_one_reason() {
        for reason in Reason::ALL {
            assert_eq!(Reason::of_number(reason.number()), Some(*reason));
        }
        assert_eq!((Reason::of_number(0), Reason::of_number(39)), (None, None));
    }
}
