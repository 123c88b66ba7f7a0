//! What a deployment tool embeds: sets seats and units aside, commits what was deployed, gives back what failed (rules
//! X1 to X5). Its identity needs the role `deployer`.
//!
//! ```no_run
//! use seatkeeper::client::deploy::{Deployer, Wanted, new_reservation};
//! # use seatkeeper::client::deploy::DeployError;
//! # use seatkeeper::domain::ids::Mac;
//! # fn deploy(_: &Mac) -> bool { true }
//! # async fn embed(mut deployer: Deployer, macs: Vec<Mac>) -> Result<(), DeployError> {
//! let id = new_reservation()?; // asked again under the same name, nothing more is reserved
//! deployer.reserve(id, &Wanted::Machines(macs.clone())).await?;
//! let (done, failed): (Vec<Mac>, Vec<Mac>) = macs.into_iter().partition(deploy);
//! deployer.commit(id, &done).await?; // can be repeated: no unit is spent twice
//! deployer.abort(id, &failed).await?;
//! # Ok(())
//! # }
//! ```

#[cfg(test)]
mod tests;

use std::time::Duration;

use thiserror::Error;

use super::connect::{ConnectError, Connection};
use super::deadline::Deadline;
use crate::domain::command::ProductName;
use crate::domain::ids::{Mac, ProductId, ReservationId, Serial, VendorId};
use crate::domain::reservation::{MACHINES_MAX, RESERVE_SECS_DEFAULT};
use crate::domain::time::Timestamp;
use crate::wire::messages::deploy::{self, ReservationRow, ReservedRow, SettledRow};
use crate::wire::messages::hello::Refusal;
use crate::wire::messages::{Request, Response};
use crate::wire::{self, Status};

/// Why a deployment's request was not carried out. Each says what to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeployError {
    /// The server could not be asked, or did not answer. Whether it carried the request out is not known: connect
    /// anew and ask the same again, which does no harm.
    #[error(transparent)]
    Connection(#[from] ConnectError),
    /// The server answered what this version does not know.
    #[error("the server answers what this program does not know ({0}); upgrade the program")]
    Newer(&'static str),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
    /// The server refused; nothing changed.
    #[error("{}", .1.text)]
    Refused(Status, Box<Refusal>),
    /// More machines than one reservation takes.
    #[error("{0} machines are more than the {MACHINES_MAX} of one reservation; reserve for fewer at a time")]
    TooMany(usize),
}

/// What is to be set aside.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// A seat or a unit for each of these machines, all or none; at most [`MACHINES_MAX`].
    Machines(Vec<Mac>),
    /// So many seats for machines that check out, 1 and more.
    Seats(u32),
}

/// What is set aside for a machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reserved {
    /// Nothing: the machine held a seat already. Its license, if it still does.
    Covered(Option<Serial>),
    /// A seat, which the machine holds from then on. Its license, if it still does.
    Seat(Option<Serial>),
    /// A unit of this deployment license.
    Unit(Serial),
}

/// A reservation and what it still has.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reservation {
    /// Its name.
    pub id: ReservationId,
    /// Its product.
    pub product: ProductName,
    /// From when on nothing of it is set aside any more, by the server's time.
    pub lapses_at: Timestamp,
    /// The machines that are neither committed nor aborted.
    pub machines: Vec<(Mac, Reserved)>,
    /// The seats that no machine has taken yet, by license.
    pub held: Vec<(Serial, u32)>,
}

/// What became of a machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Settled {
    /// It was committed before: a unit of this license was spent then.
    AlreadyCommitted(Serial),
    /// A unit of this license is spent.
    Committed(Serial),
    /// It holds a seat of this license, which covers it.
    Covered(Serial),
    /// It was given a seat of this license.
    Engaged(Serial),
    /// The unit of this license is free again.
    GivenBack(Serial),
    /// Nothing was set aside for it.
    NothingReserved,
    /// Refused by the rules, for this reason.
    Refused(Status),
}

/// A name for a new reservation.
///
/// # Errors
/// [`DeployError::Random`].
pub fn new_reservation() -> Result<ReservationId, DeployError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(DeployError::Random)?;
    Ok(ReservationId(bytes))
}

/// Deploys one product over one connection.
#[derive(Debug)]
pub struct Deployer {
    connection: Connection,
    product: ProductName,
    wait: Duration,
    lasts_secs: u32,
    preferred_only: bool,
}

impl Deployer {
    /// Asks over `connection` and waits for each answer at most so long.
    #[must_use]
    pub const fn new(connection: Connection, product: ProductName, wait: Duration) -> Self {
        Self {
            connection,
            product,
            wait,
            lasts_secs: RESERVE_SECS_DEFAULT,
            preferred_only: false,
        }
    }

    /// For how many seconds reservations are made: 1 to 2,592,000, 48 hours unless it is set.
    #[must_use]
    pub const fn lasting(mut self, secs: u32) -> Self {
        self.lasts_secs = secs;
        self
    }

    /// Uses licenses of the usage alone that the product prefers (rule X5).
    #[must_use]
    pub const fn preferred_only(mut self) -> Self {
        self.preferred_only = true;
        self
    }

    /// Sets aside what is wanted, all or none. The same name again answers what it still has.
    ///
    /// # Errors
    /// [`DeployError`]; after [`DeployError::Refused`] nothing is reserved.
    pub async fn reserve(&mut self, id: ReservationId, wanted: &Wanted) -> Result<Reservation, DeployError> {
        let (macs, count) = match wanted {
            Wanted::Machines(macs) => (bytes_of(macs)?, None),
            Wanted::Seats(count) => (Vec::new(), Some(*count)),
        };
        let request = Request::Reserve(deploy::Reserve {
            reservation: id.0,
            vendor: self.product.vendor.map(|vendor| vendor.0),
            product: self.product.product.to_string(),
            secs: Some(self.lasts_secs),
            macs,
            count,
            preferred_only: Some(self.preferred_only),
        });
        match self.ask(&request).await? {
            Response::Reserve(reply) => reservation(&reply.reservation),
            _ => Err(DeployError::Newer("another reply")),
        }
    }

    /// Commits machines that were deployed; all that the reservation still has if there are none. Can be repeated.
    ///
    /// # Errors
    /// [`DeployError`]; each machine is decided on its own, and refused ones are told in their row.
    pub async fn commit(&mut self, id: ReservationId, macs: &[Mac]) -> Result<Vec<(Mac, Settled)>, DeployError> {
        let request = Request::Commit(deploy::Commit {
            reservation: id.0,
            vendor: self.product.vendor.map(|vendor| vendor.0),
            product: self.product.product.to_string(),
            macs: bytes_of(macs)?,
            preferred_only: Some(self.preferred_only),
        });
        self.settle(&request).await
    }

    /// Gives back what is set aside for machines whose deployment failed; all that the reservation still has if there
    /// are none. Can be repeated.
    ///
    /// # Errors
    /// [`DeployError`].
    pub async fn abort(&mut self, id: ReservationId, macs: &[Mac]) -> Result<Vec<(Mac, Settled)>, DeployError> {
        let request = Request::Abort(deploy::Abort {
            reservation: id.0,
            vendor: self.product.vendor.map(|vendor| vendor.0),
            product: self.product.product.to_string(),
            macs: bytes_of(macs)?,
        });
        self.settle(&request).await
    }

    /// Every reservation on the server, of all products.
    ///
    /// # Errors
    /// [`DeployError`].
    pub async fn reservations(&mut self) -> Result<Vec<Reservation>, DeployError> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let request = Request::Reservations(deploy::Reservations { after, limit: None });
            let Response::Reservations(page) = self.ask(&request).await? else {
                return Err(DeployError::Newer("another reply"));
            };
            after = page.rows.last().map(|row| row.reservation).or(after);
            let ends = !page.more || page.rows.is_empty();
            for row in &page.rows {
                all.push(reservation(row)?);
            }
            if ends {
                return Ok(all);
            }
        }
    }

    async fn settle(&mut self, request: &Request) -> Result<Vec<(Mac, Settled)>, DeployError> {
        match self.ask(request).await? {
            Response::Settle(reply) => reply.rows.iter().map(settled).collect(),
            _ => Err(DeployError::Newer("another reply")),
        }
    }

    async fn ask(&mut self, request: &Request) -> Result<Response, DeployError> {
        match self.connection.request(request, Deadline::after(self.wait)).await? {
            Response::Refused(status, refusal) => Err(DeployError::Refused(status, Box::new(refusal))),
            response => Ok(response),
        }
    }
}

fn bytes_of(macs: &[Mac]) -> Result<Vec<[u8; 6]>, DeployError> {
    if macs.len() > MACHINES_MAX {
        return Err(DeployError::TooMany(macs.len()));
    }
    Ok(macs.iter().map(|mac| mac.bytes()).collect())
}

fn reservation(row: &ReservationRow) -> Result<Reservation, DeployError> {
    let held = row.held.iter().map(|held| Ok((serial(&held.serial)?, held.count)));
    Ok(Reservation {
        id: ReservationId(row.reservation),
        product: ProductName {
            vendor: Some(VendorId(row.vendor)),
            product: ProductId::from_canonical(row.product.as_bytes())
                .map_err(|_| DeployError::Newer("a product id"))?,
        },
        lapses_at: Timestamp(row.lapses_at),
        machines: row.machines.iter().map(reserved).collect::<Result<_, _>>()?,
        held: held.collect::<Result<_, DeployError>>()?,
    })
}

fn reserved(row: &ReservedRow) -> Result<(Mac, Reserved), DeployError> {
    let license = row.serial.as_deref().map(serial).transpose()?;
    let has = match (row.reserved, license) {
        (wire::Reserved::COVERED, license) => Reserved::Covered(license),
        (wire::Reserved::SEAT, license) => Reserved::Seat(license),
        (wire::Reserved::UNIT, Some(license)) => Reserved::Unit(license),
        _ => return Err(DeployError::Newer("what is set aside")),
    };
    Ok((mac(row.mac)?, has))
}

fn settled(row: &SettledRow) -> Result<(Mac, Settled), DeployError> {
    let license = row.serial.as_deref().map(serial).transpose()?;
    let settled = match (row.outcome, license, row.status) {
        (wire::Settled::ALREADY_COMMITTED, Some(serial), _) => Settled::AlreadyCommitted(serial),
        (wire::Settled::COMMITTED, Some(serial), _) => Settled::Committed(serial),
        (wire::Settled::COVERED, Some(serial), _) => Settled::Covered(serial),
        (wire::Settled::ENGAGED, Some(serial), _) => Settled::Engaged(serial),
        (wire::Settled::GIVEN_BACK, Some(serial), _) => Settled::GivenBack(serial),
        (wire::Settled::NOTHING_RESERVED, ..) => Settled::NothingReserved,
        (wire::Settled::REFUSED, _, Some(status)) => Settled::Refused(status),
        _ => return Err(DeployError::Newer("what became of a machine")),
    };
    Ok((mac(row.mac)?, settled))
}

fn serial(text: &str) -> Result<Serial, DeployError> {
    Serial::from_canonical(text.as_bytes()).map_err(|_| DeployError::Newer("a serial"))
}

fn mac(bytes: [u8; 6]) -> Result<Mac, DeployError> {
    Mac::new(bytes).map_err(|_| DeployError::Newer("a MAC address"))
}
