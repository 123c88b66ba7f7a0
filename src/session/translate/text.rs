//! What a refusal says: the cause, then the remedy (rule V2).

use crate::domain::catalogue::VENDORS_MAX;
use crate::domain::denial::{Denial, Denied, KeyRefusal, Subject};
use crate::domain::enrolment::TOKENS_MAX;
use crate::domain::reservation::{HELD_LICENSES_MAX, RESERVATIONS_MAX};

/// What stands for no moment at which to ask again: the limit is 0.
pub(super) const NEVER: u32 = crate::domain::denial::RETRY_NEVER;

/// What to do about a limit of 0.
pub(super) const RAISE_LIMITS: &str = "have an administrator raise limits.new_macs_per_identity_and_day or \
                                       limits.new_seats_per_source_and_minute in the server's configuration";

/// The words for what a refusal is about.
struct Names {
    product: String,
    component: String,
    serial: String,
    mac: String,
}

/// The cause and the remedy of a denial.
pub(super) fn text(denied: &Denied) -> String {
    let subject = denied.subject;
    let names = Names {
        product: subject.product.map_or("the product".to_owned(), |id| id.to_string()),
        component: subject
            .component
            .map_or("the component".to_owned(), |id| id.to_string()),
        serial: subject
            .serial
            .map_or("this serial".to_owned(), |serial| serial.to_string()),
        mac: subject.mac.map_or("MAC".to_owned(), |mac| mac.to_string()),
    };
    about_seats(denied, &names)
        .or_else(|| about_reservations(denied.denial, &names))
        .or_else(|| about_enrolment(denied))
        .or_else(|| about_names(denied.denial, &names))
        .unwrap_or_else(|| about_the_server(denied.denial, &names))
}

/// What checkouts and releases are refused for.
fn about_seats(denied: &Denied, names: &Names) -> Option<String> {
    let Names {
        product,
        component,
        mac,
        ..
    } = names;
    Some(match denied.denial {
        Denial::Conflict => format!(
            "another copy of this machine uses {component} of {product} too, and the vendor's catalogue has such refused; \
             install one of the two anew, then have an administrator run `seatkeeper resolve {mac}`"
        ),
        Denial::DeploymentOnly => format!(
            "the licenses of {product} here are for deployments, and this needs a machine license; import its key: \
             `seatkeeper import KEY`"
        ),
        Denial::IdentityNotBound => format!(
            "{component} of {product} is bound to another identity; release it from the installation that holds it, or \
             have an administrator run `seatkeeper release MAC PRODUCT COMPONENT --reason TEXT`"
        ),
        Denial::LicenseBlacklisted => {
            let contact = denied.contact.as_deref().unwrap_or("the vendor");
            format!("the vendor has taken back the license of {product}; contact {contact}")
        }
        Denial::LicenseExpired => format!(
            "every license of {product} that could serve this machine has expired; import a key that is valid: \
             `seatkeeper import KEY`"
        ),
        Denial::LicenseSuperseded => format!(
            "another license has taken the place of that of {product}, says the vendor; import its key: \
             `seatkeeper import KEY`"
        ),
        Denial::NoLicense => {
            format!("no license for {product} was ever imported here; import its key: `seatkeeper import KEY`")
        }
        Denial::RebindPending => format!(
            "{component} of {product} is bound to another identity on this machine, and an administrator has to approve \
             the new one: `seatkeeper resolve {mac}`"
        ),
        Denial::DiskFull => {
            "the disk of the license server is full, so it takes nothing new; seats that are held go on: make room on it, \
             then ask again"
                .to_owned()
        }
        Denial::ReboundRecently { .. } => format!(
            "this identity took the place of another one at {component} less than 30 days ago and cannot release it yet; \
             wait, or have an administrator run `seatkeeper release MAC PRODUCT --reason TEXT`"
        ),
        Denial::RequiredProduct { product: required } => format!(
            "{product} needs a seat of {required} on the same machine first; start {required} on {mac}, then ask again"
        ),
        Denial::SeatsExhausted => exhausted(denied, product),
        Denial::SlowDown { retry_secs: NEVER } => {
            format!("nobody engages a new seat here: a limit of new seats is 0; {RAISE_LIMITS}")
        }
        Denial::SlowDown { retry_secs } => {
            format!(
                "too many new machines from here at once; ask again in {}",
                waiting(retry_secs)
            )
        }
        Denial::TooManyComponents => {
            format!("{product} has as many components on this machine as it may; release one that is not used any more")
        }
        _ => return None,
    })
}

/// What deployers are refused for.
fn about_reservations(denial: Denial, names: &Names) -> Option<String> {
    let product = &names.product;
    Some(match denial {
        Denial::ReservationTaken => {
            "a reservation of this name is for something else; reserve under another name, see `seatkeeper reservations`"
                .to_owned()
        }
        Denial::ReservationTooLarge => format!(
            "the seats of {product} would have to be held on more than {HELD_LICENSES_MAX} licenses; reserve fewer at a \
             time"
        ),
        Denial::ReservationTooLong => {
            "a reservation lasts from 1 second to 30 days; say for how long with `--for`".to_owned()
        }
        Denial::TooManyReservations => format!(
            "{RESERVATIONS_MAX} reservations are here already, as many as may be; commit or abort some, see \
             `seatkeeper reservations`"
        ),
        Denial::UnknownReservation => "no such reservation is here: it lapsed, or all of it is settled, so there is nothing to \
             give back; to commit machines all the same, name them: they are decided anew"
            .to_owned(),
        _ => return None,
    })
}

/// What those are refused for who are to enrol, and whoever hands out tokens.
fn about_enrolment(denied: &Denied) -> Option<String> {
    let Subject { product, component, .. } = denied.subject;
    let (product, component) = (
        product.map_or("PRODUCT".to_owned(), |id| id.to_string()),
        component.map_or("COMPONENT".to_owned(), |id| id.to_string()),
    );
    Some(match denied.denial {
        Denial::EnrolmentRequired => format!(
            "this license server serves only what has been enrolled; ask its administrator for an enrolment token, then \
             run `seatkeeper agent enrol {product} {component} TOKEN`, or check out with SEATKEEPER_ENROL_TOKEN set to it"
        ),
        Denial::TokenRefused => {
            "this enrolment token enrols nobody here: it is wrong, expired, used up or revoked; ask the \
             administrator of the license server for another one"
                .to_owned()
        }
        Denial::TooManyTokens => format!(
            "{TOKENS_MAX} tokens are here already, as many as may be; those that have ended are forgotten after 30 days, \
             see `seatkeeper enrol list`"
        ),
        Denial::TooManyWrongTokens { retry_secs } => {
            let wait = waiting(retry_secs);
            format!("too many wrong enrolment tokens from here; ask again in {wait}")
        }
        Denial::UnknownIdentity => {
            "this identity is not enrolled here (any more); see `seatkeeper enrol list --identities`. \
             What runs here since before tokens were asked for is ended with `seatkeeper release`"
                .to_owned()
        }
        Denial::UnknownToken => "no such token is here; see `seatkeeper enrol list`".to_owned(),
        _ => return None,
    })
}

/// What is not here, or here more than once.
fn about_names(denial: Denial, names: &Names) -> Option<String> {
    let Names {
        product,
        component,
        serial,
        ..
    } = names;
    Some(match denial {
        Denial::AmbiguousProduct => format!(
            "more than one vendor has a product {product}; name the vendor with `--vendor ID`, see `seatkeeper status`"
        ),
        Denial::UnknownComponent => format!(
            "{product} has no component {component} in the catalogue that is here; check its name, or import the vendor's \
             newer catalogue: `seatkeeper catalogue import FILE`"
        ),
        Denial::UnknownProduct => format!(
            "no catalogue here has {product}; check its name, or import the vendor's catalogue: \
             `seatkeeper catalogue import FILE`"
        ),
        Denial::UnknownSerial => format!("no license {serial} is here; see `seatkeeper licenses`"),
        Denial::UnknownVendor => {
            "the vendor is not trusted here; trust its public key: `seatkeeper vendor trust FILE`".to_owned()
        }
        _ => return None,
    })
}

/// What administrators are refused for, and what concerns everybody.
fn about_the_server(denial: Denial, names: &Names) -> String {
    let serial = &names.serial;
    match denial {
        Denial::BlacklistNotNewer { held } => {
            format!("the list is not newer than number {held}, which is here; import a newer one")
        }
        Denial::CatalogueNotNewer { held } => {
            format!("the catalogue is not newer than number {held}, which is here; import a newer one")
        }
        Denial::LastAdministrator => {
            "this is the last administrator; add another one first: `seatkeeper admin add FINGERPRINT`".to_owned()
        }
        Denial::LicenseInUse { seats: 1 } => format!(
            "1 seat or reserved unit of {serial} is in use and finds no room on other licenses; release it first, or end \
             it with `seatkeeper remove {serial} --end-seats`"
        ),
        Denial::LicenseInUse { seats } => format!(
            "{seats} seats or reserved units of {serial} are in use and find no room on other licenses; release them \
             first, or end them with `seatkeeper remove {serial} --end-seats`"
        ),
        Denial::NoJumpPending => {
            "no jump of the clock is pending; see `seatkeeper status`, and `seatkeeper clock reset` to set the time back"
                .to_owned()
        }
        Denial::NotAuthorized => "this identity's role does not include the request; have an administrator run \
             `seatkeeper admin add FINGERPRINT --role ROLE` with what `seatkeeper identity show` prints here"
            .to_owned(),
        Denial::TooManyVendors => {
            format!("{VENDORS_MAX} vendors are trusted here already, as many as may be; another server has room")
        }
        Denial::UnknownAdministrator => "the identity has no role; see `seatkeeper admin list`".to_owned(),
        // Told above; listed so that a new denial does not compile until it has words.
        Denial::AmbiguousProduct
        | Denial::Conflict
        | Denial::DeploymentOnly
        | Denial::DiskFull
        | Denial::EnrolmentRequired
        | Denial::IdentityNotBound
        | Denial::LicenseBlacklisted
        | Denial::LicenseExpired
        | Denial::LicenseSuperseded
        | Denial::NoLicense
        | Denial::RebindPending
        | Denial::ReboundRecently { .. }
        | Denial::RequiredProduct { .. }
        | Denial::ReservationTaken
        | Denial::ReservationTooLarge
        | Denial::ReservationTooLong
        | Denial::SeatsExhausted
        | Denial::SlowDown { .. }
        | Denial::TokenRefused
        | Denial::TooManyComponents
        | Denial::TooManyReservations
        | Denial::TooManyTokens
        | Denial::TooManyWrongTokens { .. }
        | Denial::UnknownComponent
        | Denial::UnknownIdentity
        | Denial::UnknownProduct
        | Denial::UnknownReservation
        | Denial::UnknownSerial
        | Denial::UnknownToken
        | Denial::UnknownVendor => String::new(),
    }
}

/// How long to wait, for people: `1 second`, `90 seconds`, `5 min`, `3 h 20 min`, `1 d`. Rounded up, so that whoever waits so
/// long has waited long enough.
pub(super) fn waiting(secs: u32) -> String {
    let minutes = secs.div_ceil(60);
    let hours = minutes / 60;
    let two = |major: u32, name: &str, minor: u32, minor_name: &str| match minor {
        0 => format!("{major} {name}"),
        minor => format!("{major} {name} {minor} {minor_name}"),
    };
    match (secs, hours) {
        (1, _) => "1 second".to_owned(),
        (0..120, _) => format!("{secs} seconds"),
        (_, 0) => format!("{minutes} min"),
        (_, 1..24) => two(hours, "h", minutes % 60, "min"),
        _ => {
            let hours = minutes.div_ceil(60);
            two(hours / 24, "d", hours % 24, "h")
        }
    }
}

/// One that asked for more than a seat may find some, but not enough. Seats that are not in use need not be available:
/// their licenses may serve no more.
fn exhausted(denied: &Denied, product: &str) -> String {
    let in_use = denied.seats.map_or(String::new(), |seats| {
        let are = if seats.used == 1 { "is" } else { "are" };
        format!(": {} of {} {are} in use", seats.used, seats.total)
    });
    let is_for_one = denied.subject.component.is_some();
    let none = is_for_one || denied.seats.is_none_or(|seats| seats.used >= seats.total);
    let cause = if none {
        format!("no seat of {product} is available")
    } else {
        format!("not enough seats of {product} are available")
    };
    let remedy = "import another key with `seatkeeper import KEY`, or release a machine that is not used any more with \
                  `seatkeeper release MAC PRODUCT --reason TEXT`";
    let lacked = denied
        .lacked
        .map_or_else(String::new, |lacked| format!(", {lacked} more would be enough"));
    format!("{cause}{in_use}{lacked}; {remedy}")
}

/// The cause and the remedy of a key that the ledger refused.
pub(super) fn key_refusal_text(refusal: &KeyRefusal) -> String {
    match refusal {
        KeyRefusal::Blacklisted { contact } => return format!("its vendor has taken it back; contact {contact}"),
        KeyRefusal::Expired => "the key's time is over; ask the vendor for one that is valid",
        KeyRefusal::FewerSeatsThanUsed { used } => {
            return format!(
                "{used} of its seats are in use already, more than it has; release some first, or ask the vendor for a \
                 key with more"
            );
        }
        KeyRefusal::NotARenewal => {
            "it lasts longer but has fewer seats than the license of its serial, or the other way round; ask the vendor \
             for a renewal that is smaller in neither"
        }
        KeyRefusal::SerialTaken => {
            "a license of this serial of another vendor, product or usage is or was here; ask the vendor for a key with a \
             serial of its own"
        }
        KeyRefusal::Superseded => {
            "a newer key has taken its place; import that one, or ask the vendor for it"
        }
        KeyRefusal::UnknownProduct => {
            "no catalogue of its vendor has the product; import the catalogue first: `seatkeeper catalogue import FILE`"
        }
        KeyRefusal::UnknownVendor => {
            "its vendor is not trusted here; trust its public key first: `seatkeeper vendor trust FILE`"
        }
        KeyRefusal::UsageNotOffered => {
            "the vendor's catalogue has no licenses of its usage (machine or deployment) for the product; import the \
             vendor's newer catalogue, or ask for another key"
        }
    }
    .to_owned()
}
