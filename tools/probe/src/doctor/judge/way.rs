//! The way to each server: UDP, TCP, TLS, HELLO.

use seatkeeper::client::ways::{SITE_FILE, Way};
use seatkeeper::wire::limits::{VERSION_MAX, VERSION_MIN};

use crate::doctor::facts::{Facts, HelloFault, Lead, Met, Offered, Reached, Server, TlsFault};
use crate::doctor::finding::{Check, Finding};

/// How far the way to each server leads.
pub(super) fn servers(facts: &Facts) -> Vec<Finding> {
    let of = |server| {
        let counts = facts.counts(server);
        let mut findings = vec![udp(server, facts)];
        findings.extend(reached(server, counts));
        findings.extend(offered_versions(server, counts));
        findings
    };
    facts.servers.iter().flat_map(of).collect()
}

/// The question that was sent to the server alone.
fn udp(server: &Server, facts: &Facts) -> Finding {
    let (check, about) = (Check::Udp, server.shown());
    let port = server.address.port();
    let tcp_is_open = !matches!(
        server.reached,
        Reached::TcpClosed | Reached::TcpSilent | Reached::TcpFailed(_)
    );
    match (&server.offer, server.unicast, tcp_is_open) {
        (_, true, _) => Finding::pass(check, about, "answers the question that is sent to it alone"),
        (Some(_), false, _) => {
            let cause = "answers questions to everybody, and not the one that was sent to it alone";
            let remedy = format!("have the firewalls let UDP port {port} pass both ways, to the server's address too");
            Finding::warn(check, about, cause, remedy)
        }
        (None, false, true) => {
            let cause = "TCP is open and UDP is silent: agents reach it when they are told where it is, and do not find it by \
                         themselves";
            let remedy = format!(
                "have the firewall of the server, and any on the way, let UDP port {} pass, and see that [discovery] in the \
                 server's configuration leaves no questions out; until then give the agents --server {}",
                facts.asked.port,
                server.address.ip()
            );
            Finding::warn(check, about, cause, remedy)
        }
        (None, false, false) => Finding::warn(
            check,
            about,
            "nobody answered over UDP",
            "see what TCP says of this server: the line below",
        ),
    }
}

/// The way over TCP, as far as it leads.
fn reached(server: &Server, counts: bool) -> Vec<Finding> {
    let about = server.shown();
    let tcp = || Finding::pass(Check::Tcp, &about, "takes connections");
    let tls = |fingerprint: &str| Finding::pass(Check::Tls, &about, format!("proves the identity {fingerprint}"));
    match &server.reached {
        Reached::TcpClosed => vec![closed(server).fail_if(counts)],
        Reached::TcpSilent => vec![silent(server).fail_if(counts)],
        Reached::TcpFailed(reason) => {
            let remedy = "check this machine's network, its routes and its firewall: its own system refuses";
            let cause = format!("this machine cannot connect: {reason}");
            vec![Finding::fail(Check::Tcp, about, cause, remedy).fail_if(counts)]
        }
        Reached::Tls(fault) => {
            let (cause, remedy) = no_tls(fault);
            vec![tcp(), Finding::fail(Check::Tls, about, cause, remedy).fail_if(counts)]
        }
        Reached::Hello { fault, fingerprint } => {
            vec![tcp(), tls(fingerprint), no_hello(fault, &about).fail_if(counts)]
        }
        Reached::Met(met) => {
            let mut findings = vec![tcp(), tls(&met.fingerprint)];
            findings.extend(forged(server.offer.as_ref(), met, &about, counts));
            let told = format!(
                "seatkeeper {}, protocol {}; it takes this identity for {}",
                met.version, met.protocol, met.role
            );
            findings.push(Finding::pass(Check::Hello, about, told));
            findings
        }
    }
}

fn closed(server: &Server) -> Finding {
    let port = server.address.port();
    let (cause, remedy) = if server.offer.is_some() {
        (
            format!("UDP is answered and TCP port {port} is closed: the server is found, and nobody can connect to it"),
            format!("have the server's firewall let TCP port {port} pass, as it does UDP; it rejects it now"),
        )
    } else {
        (
            format!("the host is there, and nothing listens on TCP port {port}"),
            format!(
                "start the server on that host (`seatkeeper status` there tells whether it runs); if it has another port, name \
                 it: --server HOST:PORT; a firewall that rejects port {port} looks the same"
            ),
        )
    };
    Finding::fail(Check::Tcp, server.shown(), cause, remedy)
}

fn silent(server: &Server) -> Finding {
    let port = server.address.port();
    let (cause, remedy) = if server.offer.is_some() {
        (
            format!("UDP is answered and TCP port {port} is silent: a firewall drops it, on the server or on the way"),
            format!("have that firewall let TCP port {port} pass, as it does UDP"),
        )
    } else {
        let way = match server.lead {
            Lead::Remembered => {
                "this is where a component met its server last; it may have another address now.".to_owned()
            }
            Lead::Told(Way::Dns) => "is the record of the site's DNS right, is the host switched on?".to_owned(),
            Lead::Told(_) => {
                format!("is the address in {SITE_FILE} (or SEATKEEPER_SERVERS) right, is the host switched on?")
            }
            Lead::Discovered | Lead::Named => "is the address right, is the host switched on?".to_owned(),
        };
        (
            format!(
                "no answer at all from TCP port {port}: the host is off or not there, or a firewall drops both TCP and UDP"
            ),
            format!("{way} Then have the firewalls let UDP and TCP port {port} pass"),
        )
    };
    Finding::fail(Check::Tcp, server.shown(), cause, remedy)
}

fn no_tls(fault: &TlsFault) -> (String, String) {
    let text = |cause: &str, remedy: &str| (cause.to_owned(), remedy.to_owned());
    match fault {
        TlsFault::Closed => text(
            "the connection is closed at once",
            "the server may have as many connections as it takes, of this address or in all: see its log and try again; or \
             another program has the port",
        ),
        TlsFault::NotTls => text(
            "what listens there does not speak TLS: another program has the port",
            "check the server's address and port; on that host `ss -lntp` tells which program listens",
        ),
        TlsFault::OtherProtocol => text(
            "what listens there speaks TLS, and is no license server: another program has the port, or a device on the way \
             opens TLS connections",
            "check the server's address and port, and except this port from TLS inspection",
        ),
        TlsFault::Silent => text(
            "the connection is taken and then nothing is said: another program has the port, or the server hangs",
            "check the server's address and port; see its log, and restart it if it hangs",
        ),
        TlsFault::Version => text(
            "TLS is refused for its version: what listens there speaks only TLS older than 1.3",
            "a license server speaks TLS 1.3: check address and port, and except this port from TLS inspection on the way",
        ),
        TlsFault::Other(reason) => (
            format!("TLS is refused: {reason}"),
            "check the server's address and port, see its log, and except this port from TLS inspection on the way"
                .to_owned(),
        ),
    }
}

fn no_hello(fault: &HelloFault, about: &str) -> Finding {
    match fault {
        HelloFault::Version(text) => Finding::fail(
            Check::Protocol,
            about,
            format!("client and server speak no common protocol version: {text}"),
            "upgrade the older of both",
        ),
        HelloFault::Busy => Finding::fail(
            Check::Hello,
            about,
            "the server has too much to do",
            "try again in a few seconds; if it stays so, see its log",
        ),
        HelloFault::GoingAway => Finding::fail(
            Check::Hello,
            about,
            "the server is stopping",
            "wait until it has started again, or start it",
        ),
        HelloFault::NotOurs(reason) => Finding::fail(
            Check::Hello,
            about,
            format!("what answers is no license server, or of a very different version: {reason}"),
            "check address and port; upgrade the older of both",
        ),
        HelloFault::Other(reason) => Finding::fail(
            Check::Hello,
            about,
            format!("the server took the connection and did not greet: {reason}"),
            "see its log; it may be overloaded or stopping",
        ),
    }
}

/// An offer that names another identity than the one that was proven.
fn forged(offer: Option<&Offered>, met: &Met, about: &str, counts: bool) -> Option<Finding> {
    let offer = offer.filter(|offer| offer.fingerprint != met.fingerprint)?;
    let cause = format!(
        "the identity {} was offered over UDP, and another one was proven over TCP",
        offer.fingerprint
    );
    let remedy = "two servers answer behind one address, or somebody forges answers: find out who sends them (`seatprobe scan`); \
                  agents trust what is proven";
    Some(Finding::fail(Check::Identity, about, cause, remedy).fail_if(counts))
}

/// The protocol versions that a server offers.
fn offered_versions(server: &Server, counts: bool) -> Option<Finding> {
    let offer = server.offer.as_ref()?;
    let (min, max) = (offer.protocol_min, offer.protocol_max);
    let older = |name: &str| format!("upgrade {name}: it is the older one");
    let told_already = matches!(
        &server.reached,
        Reached::Hello {
            fault: HelloFault::Version(_),
            ..
        }
    );
    let remedy = match () {
        () if told_already => return None,
        () if min > VERSION_MAX => older("this program and the agents of this machine"),
        () if max < VERSION_MIN => older("the server"),
        () => return None,
    };
    let cause = format!(
        "the server speaks protocol versions {min} to {max}, and this machine's programs {VERSION_MIN} to {VERSION_MAX}"
    );
    Some(Finding::fail(Check::Protocol, server.shown(), cause, remedy).fail_if(counts))
}

/// The clocks of the servers against this machine's.
pub(super) fn clocks(facts: &Facts) -> Vec<Finding> {
    let met = facts.servers.iter().filter_map(|server| Some((server, server.met()?)));
    met.map(|(server, met)| {
        let about = server.shown();
        match met.skew.warning("the server") {
            None => Finding::pass(Check::Clock, about, format!("agrees with this machine's ({})", met.skew)),
            Some(_) => Finding::warn(
                Check::Clock,
                about,
                format!("{} against this machine's", met.skew),
                "set the clocks of both by NTP; the server goes by its own, so licenses end and seats come free by that one",
            ),
        }
    })
    .collect()
}
