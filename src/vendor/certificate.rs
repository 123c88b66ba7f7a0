//! The certificate of a license: its claims and the vendor's signature over all of them (rules K1, K9).

use super::error::{KeyError, Unsupported};
use super::signed::{Purpose, SKIPPABLE_FROM, Signed, VENDOR};
use super::signed::{exact, fields, flag, id, invalid, name, needed, number_u32, time};
use super::vendor_key::VendorKey;
use crate::codec::DecodeError;
use crate::domain::ids::{ProductId, Serial, VendorId};
use crate::domain::license::{Claims, Kind, SEATS_MAX, Usage, Validity};
use crate::domain::time::Timestamp;

/// The longest certificate, in bytes.
pub const CERTIFICATE_LEN_MAX: usize = 508;

/// The longest trial or period from the first import, in days: a hundred years.
pub(super) const DAYS_MAX: u32 = 36_525;

/// 9999-12-31 in days since 1970-01-01: no day of a certificate is later.
pub(super) const DAY_MAX: u32 = 2_932_896;

/// The longest name of a pool, in bytes.
pub(super) const POOL_LEN_MAX: usize = 64;

pub(super) const SERIAL: u16 = 0x0002;
pub(super) const PRODUCT: u16 = 0x0003;
pub(super) const SEATS: u16 = 0x0004;
pub(super) const KIND: u16 = 0x0005;
pub(super) const USAGE: u16 = 0x0006;
pub(super) const ISSUED_AT: u16 = 0x0007;
pub(super) const THROUGH_DAY: u16 = 0x0008;
pub(super) const DAYS: u16 = 0x0009;
pub(super) const SECRET_HASH: u16 = 0x000a;
pub(super) const MUST_ACTIVATE: u16 = 0x000b;
pub(super) const POOL: u16 = 0x000c;
pub(super) const SUPPORT_UNTIL_DAY: u16 = 0x8001;
pub(super) const AUTO_RENEW: u16 = 0x8002;

/// Checks that `certificate` is the vendor's and returns what it claims: what a server shows to prove that it holds a
/// genuine key (rule K9).
///
/// # Errors
/// [`KeyError`], never [`KeyError::Damaged`]: the license counts for nothing.
pub fn verify_certificate(certificate: &[u8], key: &VendorKey) -> Result<Claims, KeyError> {
    verify(certificate, key).map(|checked| checked.claims)
}

/// Checked claims, with what proves that somebody holds the key and not only the certificate.
pub(super) struct Checked {
    pub(super) claims: Claims,
    pub(super) secret_hash: [u8; 32],
}

pub(super) fn verify(certificate: &[u8], key: &VendorKey) -> Result<Checked, KeyError> {
    if certificate.len() > CERTIFICATE_LEN_MAX {
        return Err(KeyError::Impossible(DecodeError::TooLong {
            field: "the certificate",
            len: certificate.len(),
            max: CERTIFICATE_LEN_MAX,
        }));
    }
    let signed = Signed::split(certificate)?;
    let vendor = signed.vendor()?;
    if vendor != key.id() {
        return Err(KeyError::UnknownVendor { vendor });
    }
    if !signed.is_by(key, Purpose::Certificate) {
        return Err(KeyError::BadSignature);
    }
    read(signed.body)
}

/// What a certificate claims, whoever signed it.
pub(super) fn unverified(certificate: &[u8]) -> Result<Claims, KeyError> {
    read(Signed::split(certificate)?.body).map(|checked| checked.claims)
}

/// The vendor and the serial that a certificate names, before its signature is checked.
pub(super) fn peek(certificate: &[u8]) -> Result<(VendorId, Serial), DecodeError> {
    let signed = Signed::split(certificate)?;
    let vendor = signed.vendor()?;
    for field in fields(signed.body, None) {
        let field = field?;
        if field.tag == SERIAL {
            return Ok((vendor, id(Serial::from_canonical(field.value))?));
        }
    }
    Err(DecodeError::Missing { field: "serial" })
}

#[derive(Default)]
struct Claimed {
    vendor: Option<VendorId>,
    serial: Option<Serial>,
    product: Option<ProductId>,
    seats: Option<u32>,
    kind: Option<Kind>,
    usage: Option<Usage>,
    issued_at: Option<u64>,
    through_day: Option<u32>,
    days: Option<u32>,
    secret_hash: Option<[u8; 32]>,
    support_until_day: Option<u32>,
    auto_renew: bool,
}

fn read(body: &[u8]) -> Result<Checked, KeyError> {
    let mut claimed = Claimed::default();
    for field in fields(body, None) {
        let field = field?;
        claimed.take(field.tag, field.value)?;
    }
    Ok(claimed.whole()?)
}

impl Claimed {
    fn take(&mut self, tag: u16, value: &[u8]) -> Result<(), KeyError> {
        match tag {
            VENDOR => self.vendor = Some(VendorId(exact(value, "vendor id")?)),
            SERIAL => self.serial = Some(id(Serial::from_canonical(value))?),
            PRODUCT => self.product = Some(id(ProductId::from_canonical(value))?),
            SEATS => self.seats = Some(bounded(value, "seats", SEATS_MAX)?),
            KIND => self.kind = Some(kind(value)?),
            USAGE => self.usage = Some(usage(value)?),
            ISSUED_AT => self.issued_at = Some(time(value, "issue date")?),
            THROUGH_DAY => self.through_day = Some(day(value, "expiry date")?),
            DAYS => self.days = Some(bounded(value, "days from first import", DAYS_MAX)?),
            SECRET_HASH => self.secret_hash = Some(exact(value, "import secret's hash")?),
            MUST_ACTIVATE => {
                flag(value)?;
                return Err(Unsupported::MustActivate.into());
            }
            POOL => {
                name(value, "pool", POOL_LEN_MAX)?;
                return Err(Unsupported::Pool.into());
            }
            SUPPORT_UNTIL_DAY => self.support_until_day = Some(day(value, "support-until date")?),
            AUTO_RENEW => self.auto_renew = flag(value)?,
            SKIPPABLE_FROM.. => {}
            unknown => return Err(Unsupported::Field(unknown).into()),
        }
        Ok(())
    }

    fn whole(self) -> Result<Checked, DecodeError> {
        let validity = match (self.through_day, self.days) {
            (None, None) => Validity::Forever,
            (Some(day), None) => Validity::ThroughDay(day),
            (None, Some(days)) => Validity::Days(days),
            (Some(_), Some(_)) => return Err(invalid("expiry", "both a date and days from first import")),
        };
        Ok(Checked {
            claims: Claims {
                vendor: needed(self.vendor, "vendor id")?,
                serial: needed(self.serial, "serial")?,
                product: needed(self.product, "product id")?,
                seats: needed(self.seats, "seats")?,
                kind: needed(self.kind, "kind")?,
                usage: needed(self.usage, "usage")?,
                issued_at: Timestamp(needed(self.issued_at, "issue date")?),
                validity,
                support_until_day: self.support_until_day,
                auto_renew: self.auto_renew,
            },
            secret_hash: needed(self.secret_hash, "import secret's hash")?,
        })
    }
}

fn bounded(value: &[u8], field: &'static str, max: u32) -> Result<u32, DecodeError> {
    match number_u32(value, field)? {
        0 => Err(invalid(field, "0")),
        count if count <= max => Ok(count),
        _ => Err(invalid(field, "more than its bound")),
    }
}

fn day(value: &[u8], field: &'static str) -> Result<u32, DecodeError> {
    match number_u32(value, field)? {
        day if day <= DAY_MAX => Ok(day),
        _ => Err(invalid(field, "later than the year 9999")),
    }
}

fn kind(value: &[u8]) -> Result<Kind, KeyError> {
    match exact(value, "kind")? {
        [1] => Ok(Kind::Commercial),
        [2] => Ok(Kind::Subscription),
        [3] => Ok(Kind::Trial),
        [unknown] => Err(Unsupported::Kind(unknown).into()),
    }
}

fn usage(value: &[u8]) -> Result<Usage, KeyError> {
    match exact(value, "usage")? {
        [1] => Ok(Usage::Machine),
        [2] => Ok(Usage::Deployment),
        [unknown] => Err(Unsupported::Usage(unknown).into()),
    }
}
