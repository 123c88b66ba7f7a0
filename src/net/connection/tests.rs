use std::net::Ipv4Addr;

use bytes::BytesMut;
use tokio_rustls::TlsConnector;
use tokio_rustls::client;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::clock::Clock;
use crate::domain::command::{Actor, Command, Rebind};
use crate::domain::ids::ServerId;
use crate::domain::time::Timestamp;
use crate::net::{ConnectionLimits, Connections, NetLimits, listen};
use crate::service::{NewSeatLimits, Writer, spawn};
use crate::session::LeaseKey;
use crate::store::MemoryStore;
use crate::tls::{Identity, PinRule, client_config, server_name};
use crate::wire::messages::Request;
use crate::wire::messages::hello::Hello;
use crate::wire::{Frame, Opcode, Status, decode_frame};

/// What takes longer hangs.
const WATCHDOG: Duration = Duration::from_secs(20);

/// A server whose connections may hold so many bytes together, and where it listens; it ends with the token's guard.
fn server(held_len: usize) -> (SocketAddr, tokio_util::sync::DropGuard) {
    let clock = Clock::manual(Timestamp(1_800_000_000));
    let mut writer = Writer::load(MemoryStore::default(), NewSeatLimits::default()).expect("empty");
    let found = crate::service::Request {
        actor: Actor::Server,
        command: Command::Found { id: ServerId([1; 16]) },
    };
    writer.round(&[found], clock.reading()).expect("commits");
    let (service, _thread) = spawn(writer, clock).expect("a thread");
    let limits = NetLimits {
        connections: ConnectionLimits {
            held_len,
            ..ConnectionLimits::default()
        },
        hello_ms: 5_000,
        frame_ms: 5_000,
        silence_agent_ms: 600_000,
        silence_administrator_ms: 600_000,
        rebind: Rebind::default(),
    };
    let identity = Identity::generate().expect("an identity");
    let lease_key = LeaseKey::from_seed([7; 32]);
    let shared = Shared::new(service, &identity, lease_key, "test".to_owned(), limits).expect("TLS");
    let listener = listen((Ipv4Addr::LOCALHOST, 0).into()).expect("a port");
    let address = listener.local_addr().expect("its address");
    let stop = CancellationToken::new();
    let _connections = Connections::start(vec![listener], shared, &stop);
    (address, stop.drop_guard())
}

struct Client {
    stream: client::TlsStream<TcpStream>,
    inbox: BytesMut,
}

impl Client {
    /// Connects and says HELLO.
    async fn greeted(server: SocketAddr) -> Self {
        let config = client_config(&Identity::generate().expect("an identity"), PinRule::Any).expect("TLS");
        let tcp = TcpStream::connect(server).await.expect("a connection");
        let stream = TlsConnector::from(config).connect(server_name(), tcp).await;
        let mut client = Self {
            stream: stream.expect("TLS"),
            inbox: BytesMut::new(),
        };
        let hello = Request::Hello(Hello {
            version_min: 1,
            version_max: 1,
            ..Hello::default()
        });
        let body = hello.to_body().expect("short");
        client.asks(Opcode::HELLO, body, 1).await.expect("greeted");
        client
    }

    /// Sends a request so many times at once, and reads the answers.
    async fn asks(&mut self, opcode: Opcode, body: Bytes, times: usize) -> io::Result<()> {
        let frame = Frame {
            opcode,
            status: Status::OK,
            request: 1,
            body,
        };
        let asking = async {
            let bytes = frame.encode().expect("in bounds").repeat(times);
            self.stream.write_all(&bytes).await?;
            self.stream.flush().await?;
            for _ in 0..times {
                while decode_frame(&mut self.inbox).expect("frames").is_none() {
                    if self.stream.read_buf(&mut self.inbox).await? == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
            }
            Ok(())
        };
        tokio::time::timeout(WATCHDOG, asking).await.expect("in time")
    }
}

#[tokio::test]
async fn answers_that_were_written_are_not_held_against_a_peer_that_says_no_more() {
    // Frames that the server answers at once: as many as it reads together, with answers of 70 bytes or more each.
    const TOGETHER: usize = 300;
    const { assert!(TOGETHER * 12 < READ_LEN) };
    let (server, _stop) = server(2 * (TOGETHER * 70 - FREE_LEN));
    let unknown = Opcode(0x0777);
    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut client = Client::greeted(server).await;
        client.asks(unknown, Bytes::new(), TOGETHER).await.expect("answered");
        clients.push(client);
    }
    for mut client in clients {
        client.asks(unknown, Bytes::new(), 1).await.expect("still there");
    }
}

#[tokio::test]
async fn all_that_came_in_one_record_of_tls_is_answered_however_much_is_read_at_once() {
    const TOGETHER: usize = 1_300;
    const { assert!(TOGETHER * 12 > 3 * READ_LEN && TOGETHER * 12 < TLS_SEND_LEN) };
    let (server, _stop) = server(16 << 20);
    let mut client = Client::greeted(server).await;
    for times in [TOGETHER, 1, TOGETHER] {
        client
            .asks(Opcode(0x0777), Bytes::new(), times)
            .await
            .expect("answered");
    }
}
