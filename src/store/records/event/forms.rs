//! The frozen form of each value that an event tells.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::domain::blacklist::Listed;
use crate::domain::command::Role;
use crate::domain::event_log::Refused;
use crate::domain::ids::{
    ComponentId, Fingerprint, Mac, ProductId, ProductKey, ReservationId, Serial, ServerId, TokenId, VendorId,
};
use crate::domain::license::SEATS_MAX;
use crate::domain::reason::Reason;
use crate::domain::seat::{ConflictKind, EndCause, HOST_NAME_LEN_MAX, SeatKey};
use crate::domain::time::Timestamp;
use crate::domain::timekeeper::Jump;
use crate::store::envelope::RecordError;

use super::super::blacklist::{listed_number, listed_of};
use super::super::seat::{cause_number, cause_of, conflict_number, conflict_of};
use super::super::{JumpV1, check, role_number, role_of};

/// The longest reason that an administrator gives, in bytes.
const REASON_LEN_MAX: usize = 256;

/// A value of the domain that is `Form` at rest.
pub(super) trait AtRest<Form>: Sized {
    fn at_rest(&self) -> Form;

    /// The value that has this form; refuses what is none.
    fn restored(form: Form) -> Result<Self, RecordError>;
}

/// The product stands in it by name, not filled up as in a key.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct SeatKeyV1 {
    vendor: [u8; 16],
    product: String,
    mac: [u8; 6],
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct ProductKeyV1 {
    vendor: [u8; 16],
    product: String,
}

/// An administrator's reason.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct ReasonV1(String);

/// What a machine calls itself.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct HostNameV1(String);

/// The seats of a license.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct SeatsV1(u32);

/// Requests that were refused.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct RefusedV1 {
    vendor: Option<[u8; 16]>,
    product: Option<String>,
    mac: Option<[u8; 6]>,
    host_name: String,
    reason: u16,
    count: u32,
    since: u64,
}

impl AtRest<RefusedV1> for Box<Refused> {
    fn at_rest(&self) -> RefusedV1 {
        RefusedV1 {
            vendor: self.vendor.map(|vendor| vendor.0),
            product: self.product.map(|product| product.as_str().to_owned()),
            mac: self.mac.map(Mac::bytes),
            host_name: self.host_name.clone(),
            reason: self.reason.number(),
            count: self.count,
            since: self.since.0,
        }
    }

    fn restored(form: RefusedV1) -> Result<Self, RecordError> {
        let product = form.product.map(|id| ProductId::from_canonical(id.as_bytes()));
        check("host name", form.host_name.is_empty() || is_host_name(&form.host_name))?;
        check("count", form.count > 0)?;
        Ok(Self::new(Refused {
            vendor: form.vendor.map(VendorId),
            product: product.transpose()?,
            mac: form.mac.map(Mac::new).transpose()?,
            host_name: form.host_name,
            reason: Reason::of_number(form.reason).ok_or(RecordError::Field("reason"))?,
            count: form.count,
            since: Timestamp(form.since),
        }))
    }
}

impl AtRest<SeatKeyV1> for SeatKey {
    fn at_rest(&self) -> SeatKeyV1 {
        SeatKeyV1 {
            vendor: self.vendor.0,
            product: self.product.as_str().to_owned(),
            mac: self.mac.bytes(),
        }
    }

    fn restored(form: SeatKeyV1) -> Result<Self, RecordError> {
        Ok(Self {
            vendor: VendorId(form.vendor),
            product: ProductId::from_canonical(form.product.as_bytes())?,
            mac: Mac::new(form.mac)?,
        })
    }
}

impl AtRest<ProductKeyV1> for ProductKey {
    fn at_rest(&self) -> ProductKeyV1 {
        ProductKeyV1 {
            vendor: self.vendor.0,
            product: self.product.as_str().to_owned(),
        }
    }

    fn restored(form: ProductKeyV1) -> Result<Self, RecordError> {
        Ok(Self {
            vendor: VendorId(form.vendor),
            product: ProductId::from_canonical(form.product.as_bytes())?,
        })
    }
}

impl AtRest<ReasonV1> for String {
    fn at_rest(&self) -> ReasonV1 {
        ReasonV1(self.clone())
    }

    fn restored(ReasonV1(reason): ReasonV1) -> Result<Self, RecordError> {
        check("reason", (1..=REASON_LEN_MAX).contains(&reason.len()))?;
        Ok(reason)
    }
}

impl AtRest<HostNameV1> for Box<str> {
    fn at_rest(&self) -> HostNameV1 {
        HostNameV1(self.to_string())
    }

    fn restored(HostNameV1(name): HostNameV1) -> Result<Self, RecordError> {
        check("host name", is_host_name(&name))?;
        Ok(name.into())
    }
}

fn is_host_name(name: &str) -> bool {
    (1..=HOST_NAME_LEN_MAX).contains(&name.len()) && !name.contains(char::is_control)
}

impl AtRest<SeatsV1> for u32 {
    fn at_rest(&self) -> SeatsV1 {
        SeatsV1(*self)
    }

    fn restored(SeatsV1(seats): SeatsV1) -> Result<Self, RecordError> {
        check("seats", (1..=SEATS_MAX).contains(&seats))?;
        Ok(seats)
    }
}

impl<Form, T: AtRest<Form>> AtRest<Option<Form>> for Option<T> {
    fn at_rest(&self) -> Option<Form> {
        self.as_ref().map(T::at_rest)
    }

    fn restored(form: Option<Form>) -> Result<Self, RecordError> {
        form.map(T::restored).transpose()
    }
}

/// The forms that are one expression: of `value`, and back.
macro_rules! forms {
    ($($value:ident: $domain:ty as $form:ty = $at_rest:expr, $restored:expr;)+) => {
        $(impl AtRest<$form> for $domain {
            fn at_rest(&self) -> $form {
                let $value = self;
                $at_rest
            }

            fn restored($value: $form) -> Result<Self, RecordError> {
                $restored
            }
        })+
    };
}

forms! {
    flag: bool as bool = *flag, Ok(flag);
    count: u32 as u32 = *count, Ok(count);
    number: u64 as u64 = *number, Ok(number);
    lacked: NonZeroU32 as u32 = lacked.get(), Self::new(lacked).ok_or(RecordError::Field("lacked"));
    at: Timestamp as u64 = at.0, Ok(Self(at));
    jump: Jump as JumpV1 = (*jump).into(), Ok(jump.into());
    identity: Fingerprint as [u8; 32] = identity.0, Ok(Self(identity));
    vendor: VendorId as [u8; 16] = vendor.0, Ok(Self(vendor));
    server: ServerId as [u8; 16] = server.0, Ok(Self(server));
    reservation: ReservationId as [u8; 16] = reservation.0, Ok(Self(reservation));
    token: TokenId as [u8; 8] = token.0, Ok(Self(token));
    serial: Serial as [u8; 16] = serial.bytes(), Ok(Self::from_canonical(&serial)?);
    mac: Mac as [u8; 6] = mac.bytes(), Ok(Self::new(mac)?);
    component: ComponentId as String = component.as_str().to_owned(), Ok(Self::from_canonical(component.as_bytes())?);
    role: Role as u8 = role_number(*role), role_of(role);
    kind: ConflictKind as u8 = conflict_number(*kind), conflict_of(kind);
    cause: EndCause as u8 = cause_number(*cause), cause_of(cause);
    listed: Listed as u8 = listed_number(*listed), listed_of(listed);
}
