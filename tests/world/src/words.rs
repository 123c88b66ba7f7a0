//! The model's words in those of the wire.

use std::collections::BTreeMap;

use seatkeeper::domain::catalogue::{Component, Offers, OnConflict};
use seatkeeper::domain::ids::{Serial, VendorId};
use seatkeeper::domain::license::{Claims, Kind, Usage, Validity};
use seatkeeper::domain::time::Timestamp;
use seatkeeper::vendor::{BlacklistDraft, CatalogueDraft, KeyDraft, LicenseKey, ProductDraft, SigningKey};
use seatkeeper::vendor::{SignedBlacklist, SignedCatalogue, sign_blacklist, sign_catalogue, sign_key};
use seatkeeper::wire;
use seatkeeper::wire::limits::COMPONENTS_MAX;
use seatkeeper_model as model;
use seatkeeper_model::{Ask, Blacklisting};

use crate::error::Untranslatable;

/// When everything is signed: before all histories begin.
pub const SIGNED_AT: u64 = 1_767_139_200;

/// Vendors of the histories; the last one is not trusted.
const VENDORS: u8 = 3;

/// The vendors and their keys; the same numbers give the same ones.
#[derive(Debug)]
pub struct Vendors {
    keys: BTreeMap<model::Vendor, SigningKey>,
}

impl Default for Vendors {
    fn default() -> Self {
        let keys = (1..=VENDORS).map(|number| (number, SigningKey::from_seed([number; 32])));
        Self { keys: keys.collect() }
    }
}

impl Vendors {
    /// A vendor's signing key.
    ///
    /// # Errors
    /// There is no such vendor.
    pub fn key(&self, vendor: model::Vendor) -> Result<&SigningKey, Untranslatable> {
        let key = self.keys.get(&vendor);
        key.ok_or_else(|| Untranslatable::Impossible(format!("vendor {vendor}")))
    }

    /// A vendor's id.
    ///
    /// # Errors
    /// There is no such vendor.
    pub fn id(&self, vendor: model::Vendor) -> Result<[u8; 16], Untranslatable> {
        Ok(self.key(vendor)?.vendor_key().id().0)
    }

    /// The text of a license key; the certificate's number is its import secret, so that equal numbers are equal texts.
    ///
    /// # Errors
    /// No vendor could sign it.
    pub fn license_key(&self, key: &model::Key) -> Result<String, Untranslatable> {
        let signer = self.key(key.product.vendor)?;
        let claims = claims(key, signer.vendor_key().id())?;
        let secret = u128::from(key.certificate).to_be_bytes();
        Ok(sign_key(signer, &KeyDraft::from(claims), secret)?)
    }

    /// The certificate that is in a license key.
    ///
    /// # Errors
    /// No vendor could sign it.
    pub fn certificate(&self, key: &model::Key) -> Result<Vec<u8>, Untranslatable> {
        let verified =
            LicenseKey::parse(&self.license_key(key)?)?.verify(&self.key(key.product.vendor)?.vendor_key())?;
        Ok(verified.certificate.to_vec())
    }

    /// The signed catalogue in binary.
    ///
    /// # Errors
    /// No vendor could sign it.
    pub fn catalogue(
        &self,
        vendor: model::Vendor,
        version: u64,
        products: &[model::Product],
    ) -> Result<bytes::Bytes, Untranslatable> {
        let products = products.iter().map(|one| Ok((parsed(one.key.id)?, product(one)?)));
        let draft = CatalogueDraft {
            vendor_name: vendor_name(vendor),
            version,
            issued_at: Timestamp(SIGNED_AT),
            products: products.collect::<Result<_, Untranslatable>>()?,
        };
        let text = sign_catalogue(self.key(vendor)?, &draft)?;
        Ok(SignedCatalogue::parse(&text)?.bytes().clone())
    }

    /// The signed blacklist in binary.
    ///
    /// # Errors
    /// No vendor could sign it.
    pub fn blacklist(
        &self,
        vendor: model::Vendor,
        version: u64,
        entries: &[(model::Serial, Blacklisting)],
    ) -> Result<bytes::Bytes, Untranslatable> {
        use seatkeeper::domain::blacklist::Listed;
        let listed = |why| match why {
            Blacklisting::Blacklisted => Listed::Blacklisted,
            Blacklisting::Superseded => Listed::Superseded,
        };
        let draft = BlacklistDraft {
            version,
            issued_at: Timestamp(SIGNED_AT),
            contact: vendor_name(vendor),
            serials: entries.iter().map(|entry| (serial(entry.0), listed(entry.1))).collect(),
        };
        let text = sign_blacklist(self.key(vendor)?, &draft)?;
        Ok(SignedBlacklist::parse(&text)?.bytes().clone())
    }
}

/// What a license key claims.
///
/// # Errors
/// No vendor could sign it.
pub fn claims(key: &model::Key, vendor: VendorId) -> Result<Claims, Untranslatable> {
    Ok(Claims {
        vendor,
        serial: serial(key.serial),
        product: parsed(key.product.id)?,
        seats: key.seats,
        kind: match key.kind {
            model::Kind::Commercial => Kind::Commercial,
            model::Kind::Subscription => Kind::Subscription,
            model::Kind::Trial => Kind::Trial,
        },
        usage: match key.usage {
            model::Usage::Machine => Usage::Machine,
            model::Usage::Deployment => Usage::Deployment,
        },
        issued_at: Timestamp(SIGNED_AT),
        validity: match key.validity {
            model::Validity::Forever => Validity::Forever,
            model::Validity::Days(days) => Validity::Days(days),
            model::Validity::ThroughDay(day) => Validity::ThroughDay(day),
        },
        support_until_day: None,
        auto_renew: false,
    })
}

/// What a vendor calls itself.
#[must_use]
pub fn vendor_name(vendor: model::Vendor) -> String {
    format!("Vendor {vendor}")
}

/// What a catalogue calls a product.
#[must_use]
pub fn product_name(id: &str) -> String {
    format!("The product {id}")
}

/// Makes of an ask what a vendor could sign and a client could send; to be done before the model decides it.
pub fn make_real(ask: &mut Ask) {
    match ask {
        // A trial of no days cannot be signed.
        Ask::Import(key) if key.validity == model::Validity::Days(0) => key.validity = model::Validity::Days(1),
        Ask::ImportCatalogue { products, .. } => {
            let names: Vec<_> = products.iter().map(|one| one.key.id).collect();
            for one in products {
                one.components.truncate(COMPONENTS_MAX);
                // Nor a catalogue with a product that requires one which is not in it.
                one.required = one.required.filter(|id| names.contains(id));
            }
        }
        _ => {}
    }
}

/// Serials sort as the numbers do.
#[must_use]
pub fn serial(serial: model::Serial) -> Serial {
    let [a, b, c, d] = serial.to_be_bytes();
    Serial::from_random([0, 0, 0, 0, 0, 0, a, b, c, d])
}

/// A serial as it is written.
#[must_use]
pub fn serial_text(number: model::Serial) -> String {
    serial(number).as_str().to_owned()
}

/// The number that a serial was made of; nothing where it was made of none.
#[must_use]
pub fn serial_number(text: &str) -> Option<model::Serial> {
    const DIGITS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let number = text.chars().try_fold(0_u128, |number, digit| {
        let digit = u128::try_from(DIGITS.find(digit)?).ok()?;
        Some(number << 5 | digit)
    });
    u32::try_from(number?).ok()
}

/// Reservations sort as the numbers do.
#[must_use]
pub const fn reservation(id: model::ReservationId) -> [u8; 16] {
    id.to_be_bytes()
}

/// The usages of a product's licenses; nothing where no catalogue can say them.
#[must_use]
pub const fn offers(one: &model::Product) -> Option<Offers> {
    match one.offers.as_slice() {
        [model::Usage::Machine] => Some(Offers::MachineOnly),
        [model::Usage::Deployment] => Some(Offers::DeploymentOnly),
        [model::Usage::Machine, model::Usage::Deployment] => Some(Offers::MachineFirst),
        [model::Usage::Deployment, model::Usage::Machine] => Some(Offers::DeploymentFirst),
        _ => None,
    }
}

/// Days from a renewal to the end of a seat; 0 for a product that never idles out.
#[must_use]
pub fn idle_days(one: &model::Product) -> u16 {
    u16::try_from(one.idle_secs.unwrap_or(0) / model::DAY).unwrap_or(u16::MAX)
}

fn product(one: &model::Product) -> Result<ProductDraft, Untranslatable> {
    let component = |part: &model::Component| {
        let flags = Component {
            counted: part.counted,
            lenient: part.lenient,
            ephemeral: part.ephemeral,
        };
        Ok((parsed(part.id)?, flags))
    };
    Ok(ProductDraft {
        name: product_name(one.key.id),
        idle_days: idle_days(one),
        single_use: one.single_use,
        offline_days: one.offline_days,
        components: one
            .components
            .iter()
            .map(component)
            .collect::<Result<_, Untranslatable>>()?,
        required_product: one.required.map(parsed).transpose()?,
        on_conflict: if one.refuse_conflicts {
            OnConflict::Refuse
        } else {
            OnConflict::Flag
        },
        offers: offers(one).ok_or_else(|| Untranslatable::Impossible(format!("{one:?}")))?,
    })
}

fn parsed<T: std::str::FromStr>(id: &str) -> Result<T, Untranslatable> {
    id.parse()
        .map_err(|_| Untranslatable::Impossible(format!("{id} is no id on the wire")))
}

/// How a copy showed itself; nothing for a code that the rules do not know.
#[must_use]
pub const fn conflict_kind(code: wire::ConflictKind) -> Option<model::ConflictKind> {
    match code {
        wire::ConflictKind::ALTERNATING_IDENTITY => Some(model::ConflictKind::AlternatingIdentity),
        wire::ConflictKind::STALE_CONTINUATION => Some(model::ConflictKind::StaleContinuation),
        _ => None,
    }
}

/// Why a seat ended; nothing for a code that the rules do not know.
#[must_use]
pub const fn end_cause(code: wire::EndCause) -> Option<model::EndCause> {
    match code {
        wire::EndCause::ADMINISTRATOR => Some(model::EndCause::Administrator),
        wire::EndCause::IDLE => Some(model::EndCause::Idle),
        wire::EndCause::LICENSE_REMOVED => Some(model::EndCause::LicenseRemoved),
        wire::EndCause::RELEASED => Some(model::EndCause::Released),
        _ => None,
    }
}
