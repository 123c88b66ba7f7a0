//! Opcodes: what a frame asks, and the least role that may ask it.

use std::fmt;

use super::codes::Role;
use super::limits::{BODY_LEN_MAX, SHORT_ANSWER_LEN};

/// What a frame asks; in replies with [`Opcode::REPLY`] added.
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Opcode(pub u16);

/// A row of the opcode table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OpcodeRow {
    /// The code.
    pub opcode: Opcode,
    /// Its name in the registry.
    pub name: &'static str,
    /// The least roles that may ask it, any of which will do; the ledger checks it, in the order of the requests.
    pub roles: &'static [Role],
}

macro_rules! opcodes {
    ($( $(#[$meta:meta])* $name:ident = $value:literal, $($role:ident)|+; )*) => {
        impl Opcode {
            $( $(#[$meta])* pub const $name: Self = Self($value); )*

            /// All known opcodes, in the order of the registry.
            pub const TABLE: &'static [OpcodeRow] = &[ $(
                OpcodeRow { opcode: Self::$name, name: stringify!($name), roles: &[$(Role::$role),+] },
            )* ];
        }
    };
}

opcodes! {
    /// Names the versions that the client speaks; the first request of every connection.
    HELLO = 0x0001, NONE;
    /// Asks for the machine's seat at a component's start.
    CHECKOUT = 0x0010, AGENT;
    /// The same decision as CHECKOUT, asked by a component that runs on.
    RENEW = 0x0011, AGENT;
    /// Lets go of a component's hold on the seat.
    RELEASE = 0x0012, AGENT;
    /// Asks how many seats of a product are available; engages none.
    AVAILABILITY = 0x0013, AGENT;
    /// Sets seats or units aside, for a deployment or a rollout.
    RESERVE = 0x0014, DEPLOYER;
    /// Machines of a reservation were deployed.
    COMMIT = 0x0015, DEPLOYER;
    /// Gives back what a reservation has for machines, or all of it.
    ABORT = 0x0016, DEPLOYER;
    /// A page of the reservations.
    RESERVATIONS = 0x0017, DEPLOYER | VIEWER;
    /// Brings a token that enrols the identity. Whoever connects may ask it, also where a site has agents enrol.
    ENROL = 0x0018, AGENT;
    /// Counts over everything.
    STATUS = 0x0020, VIEWER;
    /// A page of the licenses.
    LICENSES = 0x0021, VIEWER;
    /// A page of the seats.
    SEATS = 0x0022, VIEWER;
    /// A page of the products.
    PRODUCTS = 0x0023, VIEWER;
    /// A page of the identities with a role.
    ADMIN_LIST = 0x0024, VIEWER;
    /// A page of the tokens that enrol identities.
    ENROL_TOKENS = 0x0025, ADMINISTRATOR;
    /// A page of the event log.
    EVENTS = 0x0026, VIEWER;
    /// How a checkout would be decided, step by step; changes nothing.
    EXPLAIN = 0x0028, VIEWER;
    /// A page of the identities that tokens enrolled.
    ENROL_IDENTITIES = 0x0029, ADMINISTRATOR;
    /// Tells the server of a backup that was made of it.
    BACKED_UP = 0x002a, ADMINISTRATOR;
    /// Checks a portion of the event log's chain.
    EVENTS_VERIFY = 0x002f, VIEWER;
    /// Trusts a vendor's public key.
    VENDOR_TRUST = 0x0030, ADMINISTRATOR;
    /// Imports a signed catalogue.
    CATALOGUE_IMPORT = 0x0031, ADMINISTRATOR;
    /// Imports license keys.
    IMPORT = 0x0032, ADMINISTRATOR;
    /// Takes a license off the server.
    LICENSE_REMOVE = 0x0033, ADMINISTRATOR;
    /// Takes a seat back, or one component of it.
    SEAT_END = 0x0034, ADMINISTRATOR;
    /// Gives an identity a role.
    ADMIN_ADD = 0x0035, ADMINISTRATOR;
    /// Takes an identity's role away.
    ADMIN_REMOVE = 0x0036, ADMINISTRATOR;
    /// Imports a vendor's signed list of serials that do not serve.
    BLACKLIST_IMPORT = 0x0037, ADMINISTRATOR;
    /// Forgets bindings that have a conflict or an identity that waits.
    BINDING_RESOLVE = 0x0038, ADMINISTRATOR;
    /// Accepts the clock's pending jump.
    CLOCK_ACCEPT = 0x0039, ADMINISTRATOR;
    /// Makes what the calendar says the highest accepted time.
    CLOCK_RESET = 0x003a, ADMINISTRATOR;
    /// Lets a token enrol identities.
    ENROL_TOKEN_ADD = 0x003b, ADMINISTRATOR;
    /// Ends a token, and takes back whom it enrolled if that is asked.
    ENROL_TOKEN_REVOKE = 0x003c, ADMINISTRATOR;
    /// Takes back the enrolment of one identity.
    ENROL_REMOVE = 0x003d, ADMINISTRATOR;
    /// Has the server read its configuration again.
    RELOAD = 0x003e, ADMINISTRATOR;
}

impl Opcode {
    /// The bit that tells a reply from a request.
    pub const REPLY: u16 = 0x8000;

    /// The opcode of a parting: what a server says before it closes for a reason that belongs to no request.
    pub const PARTING: Self = Self(0x8000);

    /// The opcode of the reply to this request.
    #[must_use]
    pub const fn reply(self) -> Self {
        Self(self.0 | Self::REPLY)
    }

    /// The opcode of the request that this reply answers.
    #[must_use]
    pub const fn request(self) -> Self {
        Self(self.0 & !Self::REPLY)
    }

    /// Whether this is the opcode of a reply.
    #[must_use]
    pub const fn is_reply(self) -> bool {
        self.0 & Self::REPLY != 0
    }

    /// What the answer to this request is taken to weigh, in bytes, while it is not given: no bound of the answer. Those to
    /// what every agent may ask are short, but for a grant's where the product's catalogue entry is long; the others may
    /// fill a frame, as listings and imports do.
    #[must_use]
    pub fn answer_len(self) -> usize {
        let everybodys = [Role::NONE, Role::AGENT];
        match self.row() {
            Some(row) if !row.roles.iter().any(|role| everybodys.contains(role)) => BODY_LEN_MAX,
            Some(_) | None => SHORT_ANSWER_LEN,
        }
    }

    /// The row of the table for this request; nothing where this version does not know it.
    #[must_use]
    pub fn row(self) -> Option<&'static OpcodeRow> {
        Self::TABLE.iter().find(|row| row.opcode == self)
    }
}

impl fmt::Debug for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.request().row() {
            Some(row) if self.is_reply() => write!(f, "{} reply", row.name),
            Some(row) => f.write_str(row.name),
            None if *self == Self::PARTING => f.write_str("PARTING"),
            None => write!(f, "Opcode({:#06x})", self.0),
        }
    }
}
