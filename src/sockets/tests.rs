use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::time::timeout;

use super::Groups;
use super::ask::Asker;
use super::interfaces::{self, Interface, V4Address, V6Address};
use super::paths::{self, Path, PathKind};
use super::server::{BindError, ServerSockets};
use super::udp::{Received, UdpSocket};

const GROUPS: Groups = Groups {
    v4: Ipv4Addr::new(239, 255, 73, 28),
    v6: std::net::Ipv6Addr::new(0xff12, 0, 0, 0, 0, 0, 0, 0x5ea7),
};
const WAIT: Duration = Duration::from_secs(5);

fn server() -> (ServerSockets, u16) {
    let sockets = ServerSockets::bind(0).unwrap();
    sockets.join(GROUPS, &interfaces::list().unwrap(), |_, _| ());
    let port = sockets.port().unwrap();
    (sockets, port)
}

async fn heard(socket: &UdpSocket) -> Received {
    let mut buffer = [0; 64];
    let received = timeout(WAIT, socket.receive(&mut buffer)).await.unwrap().unwrap();
    assert_eq!(&buffer[..received.len], b"question");
    received
}

fn lo() -> Interface {
    let all = interfaces::list().unwrap();
    all.into_iter().find(|interface| interface.loopback).unwrap()
}

#[tokio::test]
async fn the_answer_comes_from_the_address_that_was_asked() {
    let (sockets, port) = server();
    let v4 = sockets.v4.as_ref().unwrap();
    for asked in [Ipv4Addr::LOCALHOST, Ipv4Addr::new(127, 0, 0, 2)] {
        let path = Path::to((asked, port).into());
        let mut asker = Asker::new(std::slice::from_ref(&path));
        assert!(asker.ask(b"question", std::slice::from_ref(&path)).is_empty());
        let received = heard(v4).await;
        assert_eq!(received.destination, Some(IpAddr::V4(asked)));
        assert_eq!(received.interface, lo().index);
        assert!(received.is_unicast());
        v4.send(b"answer", received.source, received.way_back()).unwrap();
        let mut buffer = [0; 64];
        let (kind, answer) = timeout(WAIT, asker.receive(&mut buffer)).await.unwrap().unwrap();
        assert_eq!((kind, &buffer[..answer.len]), (PathKind::Unicast, &b"answer"[..]));
        assert_eq!(answer.source, SocketAddr::from((asked, port)));
    }
}

#[tokio::test]
async fn questions_to_everybody_on_this_host_are_heard_and_answered() {
    let (sockets, port) = server();
    let v4 = sockets.v4.as_ref().unwrap();
    let paths = paths::everywhere(&[lo()], GROUPS, port);
    for kind in [PathKind::DirectedBroadcast, PathKind::MulticastV4] {
        let path = paths.iter().find(|path| path.kind == kind).unwrap();
        let mut asker = Asker::new(std::slice::from_ref(path));
        let failures = asker.ask(b"question", std::slice::from_ref(path));
        assert!(failures.is_empty(), "{failures:?}");
        let received = heard(v4).await;
        assert_eq!(received.destination, Some(path.destination.ip()));
        assert!(!received.is_unicast());
        v4.send(b"answer", received.source, received.way_back()).unwrap();
        let mut buffer = [0; 64];
        let (answered, answer) = timeout(WAIT, asker.receive(&mut buffer)).await.unwrap().unwrap();
        assert_eq!(answered, kind);
        assert_eq!(answer.source, SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        assert_eq!(answer.interface, lo().index);
    }
}

#[tokio::test]
async fn a_second_server_on_the_port_is_refused_and_told_by_whom() {
    let (_sockets, port) = server();
    let error = ServerSockets::bind(port).unwrap_err();
    let BindError::PortTaken { owner, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(owner.as_ref().unwrap().pid, std::process::id());
    assert!(error.to_string().contains("is taken by"), "{error}");
}

#[tokio::test]
async fn a_failing_path_does_not_stop_the_others() {
    let (sockets, port) = server();
    let mut broken = Path::to((Ipv4Addr::LOCALHOST, port).into());
    broken.route.source = Some(Ipv4Addr::new(192, 0, 2, 250).into());
    let paths = [broken.clone(), Path::to((Ipv4Addr::LOCALHOST, port).into())];
    let failures = Asker::new(&paths).ask(b"question", &paths);
    assert_eq!(
        failures.iter().map(|failure| &failure.path).collect::<Vec<_>>(),
        [&broken]
    );
    heard(sockets.v4.as_ref().unwrap()).await;
}

#[tokio::test]
async fn questions_over_ipv6_are_answered_from_the_address_that_was_asked() {
    let (sockets, port) = server();
    let (Some(v6), true) = (sockets.v6.as_ref(), lo().holds(std::net::Ipv6Addr::LOCALHOST.into())) else {
        return;
    };
    let path = Path::to((std::net::Ipv6Addr::LOCALHOST, port).into());
    let mut asker = Asker::new(std::slice::from_ref(&path));
    assert!(asker.ask(b"question", std::slice::from_ref(&path)).is_empty());
    let received = heard(v6).await;
    assert!(received.is_unicast());
    v6.send(b"answer", received.source, received.way_back()).unwrap();
    let mut buffer = [0; 64];
    let (_, answer) = timeout(WAIT, asker.receive(&mut buffer)).await.unwrap().unwrap();
    assert_eq!(answer.source, path.destination);
}

#[tokio::test]
async fn groups_can_be_joined_again() {
    let (sockets, _) = server();
    let mut failures: Vec<(String, io::Error)> = Vec::new();
    sockets.join(GROUPS, &[lo()], |interface, error| {
        failures.push((interface.name.clone(), error));
    });
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn every_interface_is_asked_on_every_path_it_has() {
    let eth0 = Interface {
        name: "eth0".to_owned(),
        index: 2,
        up: true,
        running: true,
        broadcast: true,
        multicast: true,
        v4: [[192, 168, 1, 5], [10, 0, 0, 5]]
            .map(|address| V4Address {
                address: address.into(),
                prefix_len: 24,
                broadcast: Some([address[0], address[1], address[2], 255].into()),
            })
            .to_vec(),
        v6: vec![V6Address {
            address: "fe80::1".parse().unwrap(),
            prefix_len: 64,
        }],
        ..Interface::default()
    };
    let unplugged = Interface {
        running: false,
        ..eth0.clone()
    };
    let paths = paths::everywhere(&[eth0, unplugged], GROUPS, 17_328);
    let told: Vec<String> = paths.iter().map(Path::to_string).collect();
    assert_eq!(
        told,
        [
            "directed broadcast to 192.168.1.255:17328 on eth0",
            "directed broadcast to 10.0.0.255:17328 on eth0",
            "limited broadcast to 255.255.255.255:17328 on eth0",
            "IPv4 multicast to 239.255.73.28:17328 on eth0",
            "IPv6 multicast to [ff12::5ea7%2]:17328 on eth0",
        ]
    );
    assert_eq!(paths[1].route.source, Some(IpAddr::from([10, 0, 0, 5])));
    assert_eq!(paths[4].route.interface, 2);
}
