//! A visit to one server: over UDP, and over TCP as far as the way leads.

use std::io;
use std::net::SocketAddr;

use seatkeeper::client::connect::{Connection, Fault, Step, connect_in_steps};
use seatkeeper::client::discover::{Scope, Search, discover};
use seatkeeper::client::{Deadline, Target, with_causes};
use seatkeeper::domain::ids::Fingerprint;
use seatkeeper::session::ClientError;
use seatkeeper::tls::{self, HandshakeFault, PinRule};
use seatkeeper::wire::Status;

use super::{Errand, SEARCH, Stop, ask, network, view};
use crate::doctor::facts::{HelloFault, Met, Offered, Reached, Server, TlsFault};
use crate::skew::Skew;

/// Visits one server.
pub(super) async fn visit(stop: Stop, errand: &Errand, deadline: Deadline) -> Server {
    let Stop { lead, address, offer } = stop;
    let (answered, mut reached) = tokio::join!(alone(address), reach(address, errand, deadline));
    // An offer names the TCP port; where none had come before, that of UDP was taken for it, which it is nearly always.
    let told = answered.as_ref().and_then(|offer| offer.address);
    if let Some(told) = told.filter(|told| offer.is_none() && *told != address) {
        reached = reach(told, errand, deadline).await;
    }
    Server {
        lead,
        address: answered.as_ref().and_then(|offer| offer.address).unwrap_or(address),
        unicast: answered.is_some(),
        offer: answered.or(offer),
        reached,
    }
}

/// What the server at this address answers when it is asked alone.
async fn alone(address: SocketAddr) -> Option<Offered> {
    let search = Search {
        wanted: None,
        scope: Scope::Server(address),
        deadline: SEARCH,
        every_path: false,
    };
    let found = discover(&search).ok()?.next().await?;
    Some(network::offered(&found))
}

async fn reach(address: SocketAddr, errand: &Errand, deadline: Deadline) -> Reached {
    let mut last = None;
    let told = |step| last = Some(step);
    let connected = connect_in_steps(Target::from(address), &errand.identity, PinRule::Any, deadline, told).await;
    match connected {
        Ok(mut connection) => {
            let met = meet(&mut connection, errand, deadline).await;
            connection.close(deadline).await;
            Reached::Met(Box::new(met))
        }
        Err(error) => match last {
            None => no_tcp(&error.fault),
            Some(Step::Connected(_)) => Reached::Tls(no_tls(&error.fault)),
            Some(Step::Secured(fingerprint)) => Reached::Hello {
                fault: no_hello(&error.fault),
                fingerprint: fingerprint.to_string(),
            },
        },
    }
}

fn no_tcp(fault: &Fault) -> Reached {
    match fault {
        Fault::Silent(_) => Reached::TcpSilent,
        Fault::Unreachable(error) if error.kind() == io::ErrorKind::ConnectionRefused => Reached::TcpClosed,
        Fault::Unreachable(error) if error.kind() == io::ErrorKind::TimedOut => Reached::TcpSilent,
        Fault::Unreachable(error) => Reached::TcpFailed(error.to_string()),
        other => Reached::TcpFailed(with_causes(other)),
    }
}

fn no_tls(fault: &Fault) -> TlsFault {
    match fault {
        Fault::Silent(_) => TlsFault::Silent,
        Fault::Tls(error) => match tls::handshake_fault(error) {
            Some(HandshakeFault::NotTls) => TlsFault::NotTls,
            Some(HandshakeFault::OtherProtocol) => TlsFault::OtherProtocol,
            Some(HandshakeFault::Version) => TlsFault::Version,
            None if closes(error.kind()) => TlsFault::Closed,
            None => TlsFault::Other(error.to_string()),
        },
        other => TlsFault::Other(with_causes(other)),
    }
}

fn closes(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof].contains(&kind)
}

fn no_hello(fault: &Fault) -> HelloFault {
    let Fault::Session(error) = fault else {
        return HelloFault::Other(with_causes(fault));
    };
    match error {
        ClientError::Ended { status, text } => match *status {
            Status::BUSY => HelloFault::Busy,
            Status::GOING_AWAY => HelloFault::GoingAway,
            Status::VERSION_MISMATCH => HelloFault::Version(text.clone()),
            status => HelloFault::Other(format!("{text} ({status:?})")),
        },
        ClientError::Version { .. } => HelloFault::Version(error.to_string()),
        other => HelloFault::NotOurs(with_causes(other)),
    }
}

async fn meet(connection: &mut Connection, errand: &Errand, deadline: Deadline) -> Met {
    let skew = Skew::of(connection.server_time());
    let availability = match connection.request(&errand.query.availability(), deadline).await {
        Ok(response) => errand.query.counted(&response),
        Err(error) => {
            let silent = crate::doctor::facts::Availability::Silent(with_causes(&error.fault));
            return Met {
                availability: Some(silent),
                ..greeted(connection, skew)
            };
        }
    };
    let may_view = ask::may_view(connection.hello().role);
    let seen = if may_view {
        view::see(connection, errand.query, deadline).await
    } else {
        None
    };
    Met {
        availability,
        seen,
        ..greeted(connection, skew)
    }
}

fn greeted(connection: &Connection, skew: Skew) -> Met {
    let hello = connection.hello();
    Met {
        name: hello.name.clone(),
        server: connection.server().to_string(),
        fingerprint: connection.fingerprint().to_string(),
        succeeds: connection.succeeds().iter().map(Fingerprint::to_string).collect(),
        version: hello.server_version.clone(),
        protocol: hello.version,
        role: hello.role.name().unwrap_or("unknown").to_lowercase(),
        may_view: ask::may_view(hello.role),
        skew,
        availability: None,
        seen: None,
    }
}
