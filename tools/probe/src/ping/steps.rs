//! The steps themselves.

use std::net::SocketAddr;
use std::time::Duration;

use seatkeeper::client::connect::{Connection, Step, connect_in_steps};
use seatkeeper::client::discover::{Found, Scope, Search, discover};
use seatkeeper::client::{Deadline, Target, with_causes};
use seatkeeper::clock::monotonic_micros;
use seatkeeper::domain::ids::Fingerprint;
use seatkeeper::domain::time::Timestamp;
use seatkeeper::tls::{Identity, PinRule};

use super::meaning;
use super::query::Query;
use super::report::{Greeting, Name, Report};
use crate::skew::Skew;

/// Goes as far as the way leads; each answer may take `wait`.
pub(super) async fn walk(report: &mut Report, identity: &Identity, query: Option<Query>, wait: Duration) {
    let found = ask(report, wait).await;
    // An offer names the TCP port; without one it is the same as the UDP port nearly always.
    let port = found
        .as_ref()
        .map_or_else(|| report.address.port(), |found| found.offer.port);
    let address = SocketAddr::new(report.address.ip(), port);
    let address = match (report.address, address) {
        // Keeps the scope of a link-local address.
        (SocketAddr::V6(mut scoped), _) => {
            scoped.set_port(port);
            scoped.into()
        }
        (_, address) => address,
    };
    let offered = found.map(|found| Fingerprint(found.offer.fingerprint));
    if let Some(mut connection) = connect(report, address, identity, offered, wait).await {
        let query = query.unwrap_or_else(|| Query::for_role(connection.hello().role));
        inquire(report, &mut connection, query, wait).await;
        connection.close(Deadline::after(wait)).await;
    }
    report.skip_rest();
}

async fn ask(report: &mut Report, wait: Duration) -> Option<Found> {
    let began = monotonic_micros();
    let took = |began: u64| monotonic_micros().saturating_sub(began);
    let search = Search {
        wanted: None,
        scope: Scope::Server(report.address),
        deadline: wait,
        every_path: false,
    };
    let mut discovery = match discover(&search) {
        Ok(discovery) => discovery,
        Err(error) => {
            report.failed(Name::Udp, took(began), with_causes(&error), meaning::NOT_SENT);
            return None;
        }
    };
    // There is one path only: if it fails, no answer can come.
    if let Some(failure) = discovery.failures().first() {
        let text = format!("the question could not be sent: {}", failure.error);
        report.failed(Name::Udp, took(began), text, meaning::NOT_SENT);
        return None;
    }
    let Some(found) = discovery.next().await else {
        let text = format!("no offer from UDP port {}", report.address.port());
        report.failed(Name::Udp, took(began), text, meaning::NO_OFFER);
        return None;
    };
    let skew = Skew::of(Timestamp(found.offer.server_time));
    let offer = &found.offer;
    let text = format!(
        "offer of {} (seatkeeper {}), TCP port {}, clock skew {skew}",
        offer.name, offer.server_version, offer.port
    );
    report.good(Name::Udp, took(began), text);
    Some(found)
}

async fn connect(
    report: &mut Report,
    address: SocketAddr,
    identity: &Identity,
    offered: Option<Fingerprint>,
    wait: Duration,
) -> Option<Connection> {
    let mut began = monotonic_micros();
    let mut next = Name::Tcp;
    let reached = |step| {
        let now = monotonic_micros();
        let took = now.saturating_sub(began);
        began = now;
        next = tell(report, step, took, address, offered);
    };
    let connected = connect_in_steps(
        Target::from(address),
        identity,
        PinRule::Any,
        Deadline::after(wait),
        reached,
    )
    .await;
    let took = monotonic_micros().saturating_sub(began);
    match connected {
        Ok(connection) => {
            greeted(report, &connection, took);
            Some(connection)
        }
        Err(error) => {
            let meaning = meaning::of(next, &error.fault);
            report.failed(next, took, with_causes(&error.fault), meaning);
            None
        }
    }
}

/// Tells a step of the connection; the next one is what it returns.
fn tell(report: &mut Report, step: Step, took: u64, address: SocketAddr, offered: Option<Fingerprint>) -> Name {
    match step {
        Step::Connected(local) => {
            report.good(Name::Tcp, took, format!("{address} from {local}"));
            Name::Tls
        }
        Step::Secured(shown) => {
            match offered.filter(|offered| *offered != shown) {
                None => report.good(Name::Tls, took, format!("identity {shown}")),
                Some(offered) => {
                    let text = format!("identity {shown}, but {offered} was offered over UDP");
                    report.failed(Name::Tls, took, text, meaning::ANOTHER_IDENTITY);
                }
            }
            Name::Hello
        }
    }
}

fn greeted(report: &mut Report, connection: &Connection, took: u64) {
    let hello = connection.hello();
    let skew = Skew::of(connection.server_time());
    let role = hello.role.name().unwrap_or("unknown").to_lowercase();
    let text = format!(
        "{} (seatkeeper {}), protocol {}, role {role}, epoch {}, clock skew {skew}",
        hello.name, hello.server_version, hello.version, hello.epoch
    );
    report.good(Name::Hello, took, text);
    report
        .warnings
        .extend(skew.warning(&seatkeeper::client::harmless::text(&hello.name)));
    report.server = Some(Greeting {
        name: hello.name.clone(),
        server: connection.server().to_string(),
        fingerprint: connection.fingerprint().to_string(),
        version: hello.server_version.clone(),
        protocol: hello.version,
        epoch: hello.epoch,
        role,
        skew_secs: skew,
    });
}

async fn inquire(report: &mut Report, connection: &mut Connection, query: Query, wait: Duration) {
    let began = monotonic_micros();
    let answer = connection.request(&query.request(), Deadline::after(wait)).await;
    let took = monotonic_micros().saturating_sub(began);
    let asked = query.asked();
    match answer.as_ref().map(|response| query.judge(response)) {
        Ok(Ok(told)) => report.good(Name::Query, took, format!("{asked}: {told}")),
        Ok(Err(told)) => report.failed(Name::Query, took, format!("{asked}: {told}"), meaning::REFUSED),
        Err(error) => {
            let text = format!("{asked}: {}", with_causes(&error.fault));
            report.failed(Name::Query, took, text, meaning::of(Name::Query, &error.fault));
        }
    }
}
