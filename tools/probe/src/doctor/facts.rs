//! What is so, as far as it could be found out: gathered before anything is judged, with no secret among it.

use std::net::{IpAddr, SocketAddr};

use seatkeeper::client::discover::PathKind;
use seatkeeper::client::ways::{Verdict, Way};
use seatkeeper::domain::ids::Mac;

use crate::skew::Skew;

/// Everything that the checks look at.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) asked: Asked,
    /// The network interfaces, or why they are not known.
    pub(super) interfaces: Gathered<Vec<Interface>>,
    /// The address that an agent would be counted by.
    pub(super) mac: Gathered<Machine>,
    /// The components that have asked for a seat from this machine.
    pub(super) components: Gathered<Vec<Component>>,
    /// The servers that every component of this machine trusts, by fingerprint.
    pub(super) trusted: Vec<String>,
    /// The ways on which everybody was asked, or why nobody could be.
    pub(super) paths: Gathered<Vec<Path>>,
    /// What came of each path by which servers are looked for here; none for those that are switched off.
    pub(super) ways: Vec<Verdict>,
    /// Whether agents of this machine do not go by what they remember.
    pub(super) remembers_off: bool,
    /// What cannot be understood of what the site says, one sentence each.
    pub(super) site_faults: Vec<String>,
    /// Where the named server is; nothing where none was named.
    pub(super) named: Option<Gathered<Vec<SocketAddr>>>,
    /// Everybody who answered everybody's question.
    pub(super) offers: Vec<Offered>,
    /// The servers that were visited.
    pub(super) servers: Vec<Server>,
}

/// What the user asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// The server, as it was typed.
    pub(super) server: Option<String>,
    pub(super) port: u16,
    pub(super) product: Option<String>,
    /// What the servers were asked as.
    pub(super) identity: AskedAs,
}

/// Whose identity the servers were shown.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) enum AskedAs {
    /// That of a component of this machine.
    Component(String),
    /// The one that the user gave.
    Given,
    /// One that was made for this and is known nowhere.
    #[default]
    Throwaway,
}

/// Something that was found out, or why it could not be.
#[derive(Clone, Debug)]
pub(super) enum Gathered<T> {
    Known(T),
    Unknown(String),
}

impl<T: Default> Default for Gathered<T> {
    fn default() -> Self {
        Self::Known(T::default())
    }
}

impl<T> Gathered<T> {
    pub(super) const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }
}

/// A network interface.
#[derive(Clone, Debug, Default)]
pub(super) struct Interface {
    pub(super) name: String,
    pub(super) up: bool,
    /// Whether it has a carrier.
    pub(super) running: bool,
    pub(super) loopback: bool,
    pub(super) addresses: Vec<IpAddr>,
    /// What questions it carries.
    pub(super) carries: Vec<PathKind>,
}

/// The address that names this machine.
#[derive(Clone, Debug, Default)]
pub(super) struct Machine {
    pub(super) mac: Option<Mac>,
    pub(super) why: String,
    /// Whether an agent chose it already.
    pub(super) kept: bool,
}

/// What a component of this machine remembers.
#[derive(Clone, Debug, Default)]
pub(super) struct Component {
    pub(super) vendor: String,
    pub(super) product: String,
    pub(super) id: String,
    /// Its fingerprint, where this user may read it.
    pub(super) identity: Option<String>,
    /// Why its memory cannot be read.
    pub(super) fault: Option<String>,
    /// The servers that it trusts, by fingerprint.
    pub(super) pins: Vec<String>,
    /// Where they answered last.
    pub(super) addresses: Vec<SocketAddr>,
    /// Its last seat: machine, license, renew date.
    pub(super) grant: Option<Grant>,
    /// How its last exchange was refused: status, what it was told, and when.
    pub(super) denied: Option<Denied>,
}

/// The last seat of a component.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) mac: Mac,
    pub(super) serial: String,
    /// For people; nothing where it never idles out.
    pub(super) renew_by: Option<String>,
}

/// The last refusal of a component.
#[derive(Clone, Debug)]
pub(super) struct Denied {
    /// The status's name in the registry.
    pub(super) status: String,
    pub(super) text: String,
    pub(super) at: String,
}

/// A way on which everybody was asked.
#[derive(Clone, Debug)]
pub(super) struct Path {
    pub(super) interface: String,
    /// Whether it leads to this machine alone.
    pub(super) loopback: bool,
    pub(super) kind: PathKind,
    /// For people.
    pub(super) destination: String,
    /// Why the question could not be sent.
    pub(super) unsent: Option<String>,
    /// Who answered on it, by name.
    pub(super) answered: Vec<String>,
}

/// What a server says of itself before anything is proven.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Offered {
    pub(super) name: String,
    pub(super) server: String,
    pub(super) fingerprint: String,
    pub(super) address: Option<SocketAddr>,
    pub(super) version: String,
    pub(super) protocol_min: u16,
    pub(super) protocol_max: u16,
}

/// How it was known that there may be a server.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Lead {
    /// It answered everybody's question.
    #[default]
    Discovered,
    /// The user named it.
    Named,
    /// The site of this machine names it, or its DNS does.
    Told(Way),
    /// A component of this machine met it there.
    Remembered,
}

/// A server that was visited.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) lead: Lead,
    /// Where it was visited over TCP.
    pub(super) address: SocketAddr,
    /// What it said when everybody was asked, or it alone.
    pub(super) offer: Option<Offered>,
    /// Whether it answered a question that was sent to it alone.
    pub(super) unicast: bool,
    /// How far the way over TCP led.
    pub(super) reached: Reached,
}

/// How far the way to a server led.
#[derive(Clone, Debug)]
pub(super) enum Reached {
    /// The host refused the connection: nothing listens there.
    TcpClosed,
    /// Nobody answered the connection.
    TcpSilent,
    /// The system of this machine would not connect.
    TcpFailed(String),
    /// A connection, and no TLS session.
    Tls(TlsFault),
    /// A TLS session, and no answer to HELLO.
    Hello { fault: HelloFault, fingerprint: String },
    /// All the way.
    Met(Box<Met>),
}

/// Why there is no TLS session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum TlsFault {
    /// Closed without a word.
    Closed,
    /// What listens there speaks no TLS.
    NotTls,
    /// What listens there speaks TLS, and nothing of ours in it.
    OtherProtocol,
    /// What listens there says nothing.
    Silent,
    /// What listens there speaks an older TLS.
    Version,
    /// Something else.
    Other(String),
}

/// Why HELLO was not answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum HelloFault {
    /// The server has too much to do.
    Busy,
    /// The server stops.
    GoingAway,
    /// What was said is not what a server of this protocol says.
    NotOurs(String),
    /// Neither side speaks a version of the other.
    Version(String),
    /// Silence, a broken connection, or another reason.
    Other(String),
}

/// A server that answered HELLO.
#[derive(Clone, Debug, Default)]
pub(super) struct Met {
    pub(super) name: String,
    pub(super) server: String,
    /// Its identity, proven.
    pub(super) fingerprint: String,
    /// The identities in whose place its own stands, proven.
    pub(super) succeeds: Vec<String>,
    pub(super) version: String,
    pub(super) protocol: u16,
    /// Of the identity that asked.
    pub(super) role: String,
    /// Whether that role may see everything.
    pub(super) may_view: bool,
    pub(super) skew: Skew,
    /// What it has of the product, or how it answers those who ask for one that nobody has.
    pub(super) availability: Option<Availability>,
    /// What viewers are told.
    pub(super) seen: Option<Seen>,
}

/// What a server has of a product.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Availability {
    Ambiguous,
    Counts(Counts),
    /// Only the enrolled are served, and who asked is not.
    NotEnrolled,
    /// No answer: the connection broke.
    Silent(String),
    Unknown,
    /// Another refusal, with its text.
    Refused(String),
}

/// A product's seats, and its units for deployments.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Counts {
    pub(super) licenses: u32,
    pub(super) total: u64,
    pub(super) used: u64,
    pub(super) available: u64,
    /// Licenses for deployments alone.
    pub(super) unit_licenses: u32,
}

/// What a viewer is told.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// The server's warnings, in words: code and text.
    pub(super) warnings: Vec<(String, String)>,
    /// The seats of this machine; nothing where it has no address.
    pub(super) seats: Option<Vec<Seat>>,
    /// The licenses, as far as they were read.
    pub(super) serials: Vec<String>,
    /// How a checkout would be decided: whether it is granted, why, and what to do.
    pub(super) explained: Option<Explained>,
}

/// A seat of this machine.
#[derive(Clone, Debug, Default)]
pub(super) struct Seat {
    pub(super) product: String,
    pub(super) serial: String,
    pub(super) renew_by: Option<String>,
    /// The components on which a conflict stands.
    pub(super) conflicts: Vec<String>,
    /// The components of which an identity waits for approval.
    pub(super) waiting: Vec<String>,
}

/// How a checkout would be decided.
#[derive(Clone, Debug, Default)]
pub(super) struct Explained {
    /// The status's name in the registry.
    pub(super) status: String,
    pub(super) granted: bool,
    pub(super) text: String,
    pub(super) remedy: String,
    /// When a seat comes free at the earliest, if a machine does not renew.
    pub(super) next_free: Option<String>,
}
