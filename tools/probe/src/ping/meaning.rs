//! What a failure of a step means, and what to check.

use std::io::{self, ErrorKind};

use seatkeeper::client::connect::Fault;
use seatkeeper::session::ClientError;
use seatkeeper::wire::Status;

use super::report::Name;

/// No offer came.
pub(super) const NO_OFFER: &str = "the server is not running, it does not listen on this address, or a firewall drops \
                                   UDP on this port; agents do not find it by themselves then";

/// The question could not be sent.
pub(super) const NOT_SENT: &str = "this machine cannot send there: check its network, routes and firewall";

/// The identity of the TLS session is not the one that was offered.
pub(super) const ANOTHER_IDENTITY: &str = "something else answers over UDP than over TCP: two servers behind one \
                                           address, or somebody forges offers; agents trust the one that they pinned";

/// A query was answered, but not with what was asked for.
pub(super) const REFUSED: &str = "the way to the server is good; the refusal says what to do";

/// What the failure of `step` means.
pub(super) fn of(step: Name, fault: &Fault) -> &'static str {
    match fault {
        Fault::Unreachable(error) => unreachable(error),
        Fault::Session(error) => session(error),
        Fault::TlsSetup(_) => "this machine's identity, or the server's, cannot be used; try another --identity",
        Fault::NotTrusted(_) => "the server has another identity than the one that was asked for",
        Fault::OutOfTurn => "what listens there is no seatkeeper server, or of a very different version",
        _ => match step {
            Name::Udp | Name::Tcp => "no answer at all: the host is off, or a firewall drops TCP to this port",
            Name::Tls => tls(fault),
            Name::Hello | Name::Query => {
                "the server took the connection and went silent or away: it may be stopping or overloaded; see its log"
            }
        },
    }
}

fn unreachable(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::ConnectionRefused => {
            "the host is there, but nothing listens on this port: is the server running, and on this port and address?"
        }
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            "no way leads there: check the address, this machine's network and its routes"
        }
        ErrorKind::PermissionDenied => "a firewall on this machine forbids it",
        ErrorKind::TimedOut => "no answer at all: the host is off, or a firewall drops TCP to this port",
        _ => "the system of this machine says so; check its network",
    }
}

fn tls(fault: &Fault) -> &'static str {
    match fault {
        Fault::Tls(error) if error.kind() == ErrorKind::InvalidData => {
            "what listens there speaks no TLS 1.3 of ours: another program has the port, or a device in between opens \
             TLS connections"
        }
        Fault::Silent(_) => "something listens there but does not speak TLS: another program has the port, or it hangs",
        _ => {
            "closed at once: the server has too many connections (of this address or in all), or another program has \
             the port"
        }
    }
}

fn session(error: &ClientError) -> &'static str {
    match error {
        ClientError::Ended { status, .. } => match *status {
            Status::VERSION_MISMATCH => "client and server are of unlike versions: upgrade the older of both",
            Status::BUSY => "the server has too much to do: try again shortly",
            Status::GOING_AWAY => "the server is stopping",
            Status::SILENCE_LIMIT => "this machine said nothing for too long",
            _ => "the server ended the connection; see its log",
        },
        ClientError::Version { .. } | ClientError::Reply { .. } => {
            "client and server are of unlike versions: upgrade the older of both"
        }
        _ => "what listens there is no seatkeeper server",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_port_is_told_from_a_host_that_says_nothing() {
        let refused = Fault::Unreachable(ErrorKind::ConnectionRefused.into());
        assert!(of(Name::Tcp, &refused).contains("nothing listens"));
        assert!(of(Name::Tcp, &Fault::Silent("the connection")).contains("firewall"));
    }

    #[test]
    fn silence_means_something_else_at_each_step() {
        let silent = Fault::Silent("it");
        let [_, tcp, tls, hello, _] = Name::ALL.map(|step| of(step, &silent));
        assert_ne!(tcp, tls);
        assert_ne!(tls, hello);
    }

    #[test]
    fn a_server_of_another_version_is_said_to_be_one() {
        let ended = Fault::Session(ClientError::Ended {
            status: Status::VERSION_MISMATCH,
            text: String::new(),
        });
        assert!(of(Name::Hello, &ended).contains("upgrade"));
    }
}
