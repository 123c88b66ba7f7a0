//! A server for tests that answers what the test says, over the real sockets, TLS and frames.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::client::connect::Target;
use crate::domain::ids::Fingerprint;
use crate::tls::{self, Identity};
use crate::wire::messages::hello::HelloOk;
use crate::wire::messages::{Request, Response};
use crate::wire::{Frame, Opcode, decode_frame};

pub(super) struct Peer {
    stream: TlsStream<TcpStream>,
    pub(super) inbox: BytesMut,
}

impl Peer {
    pub(super) async fn accept(listener: &TcpListener, identity: &Identity) -> std::io::Result<Self> {
        let (tcp, _) = listener.accept().await?;
        Self::begin(tcp, &acceptor(identity)).await
    }

    async fn begin(tcp: TcpStream, acceptor: &TlsAcceptor) -> std::io::Result<Self> {
        let stream = acceptor.accept(tcp).await?;
        let inbox = BytesMut::new();
        Ok(Self { stream, inbox })
    }

    pub(super) async fn read(&mut self) -> Option<(u32, Request)> {
        loop {
            if let Some(frame) = decode_frame(&mut self.inbox).unwrap() {
                let request = Request::decode(frame.opcode, &frame.body).unwrap().unwrap();
                return Some((frame.request, request));
            }
            if self.stream.read_buf(&mut self.inbox).await.ok()? == 0 {
                return None;
            }
        }
    }

    pub(super) async fn answer(&mut self, request: u32, opcode: Opcode, response: &Response) {
        let frame = Frame {
            opcode: opcode.reply(),
            status: response.status(),
            request,
            body: response.to_body().unwrap(),
        };
        self.stream.write_all(&frame.encode().unwrap()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    pub(super) async fn greet(&mut self, hello: HelloOk) {
        let (request, asked) = self.read().await.unwrap();
        assert_eq!(asked.opcode(), Opcode::HELLO);
        self.answer(request, Opcode::HELLO, &Response::Hello(hello)).await;
    }
}

fn acceptor(identity: &Identity) -> TlsAcceptor {
    TlsAcceptor::from(tls::server_config(identity).unwrap())
}

/// A server that takes any number of connections and answers each request with what the test says; `None` is silence.
pub(crate) struct Stub {
    pub(crate) address: SocketAddr,
    pub(super) fingerprint: Fingerprint,
    asked: Arc<Mutex<Vec<Request>>>,
    resumed: Arc<Mutex<Vec<bool>>>,
    task: JoinHandle<()>,
}

impl Stub {
    pub(crate) async fn start(
        identity: &Arc<Identity>,
        hello: HelloOk,
        answer: impl FnMut(&Request) -> Option<Response> + Send + 'static,
    ) -> Self {
        // On every address, since offers come from the address at which the question arrived.
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], listener.local_addr().unwrap().port()));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let fingerprint = Fingerprint(identity.fingerprint());
        let answer = Arc::new(Mutex::new(answer));
        let resumed = Arc::new(Mutex::new(Vec::new()));
        let (acceptor, seen, kinds) = (acceptor(identity), asked.clone(), resumed.clone());
        let task = tokio::spawn(async move {
            let mut sessions = tokio::task::JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                let (acceptor, hello, seen, answer) = (acceptor.clone(), hello.clone(), seen.clone(), answer.clone());
                let kinds = kinds.clone();
                sessions.spawn(async move {
                    let Ok(mut peer) = Peer::begin(tcp, &acceptor).await else {
                        return;
                    };
                    kinds.lock().unwrap().push(tls::is_resumed(peer.stream.get_ref().1));
                    while let Some((number, request)) = peer.read().await {
                        if let Request::Hello(_) = &request {
                            peer.answer(number, Opcode::HELLO, &Response::Hello(hello.clone()))
                                .await;
                            continue;
                        }
                        seen.lock().unwrap().push(request.clone());
                        let response = answer.lock().unwrap()(&request);
                        if let Some(response) = response {
                            peer.answer(number, request.opcode(), &response).await;
                        }
                    }
                });
            }
        });
        Self {
            address,
            fingerprint,
            asked,
            resumed,
            task,
        }
    }

    /// Whether each connection resumed a session, in order.
    pub(super) fn resumed(&self) -> Vec<bool> {
        self.resumed.lock().unwrap().clone()
    }

    /// Everything that was asked but HELLO, in order.
    pub(super) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn hello_ok() -> HelloOk {
    HelloOk {
        server_time: 1_000,
        version: 1,
        server: [5; 16],
        name: "office".to_owned(),
        server_version: "0.1.0".to_owned(),
        epoch: 3,
        body_len_max: 65_536,
        in_flight_max: 4,
        silence_ms: 30_000,
        ..HelloOk::default()
    }
}

pub(super) async fn listening() -> (TcpListener, Target) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target::from(listener.local_addr().unwrap());
    (listener, target)
}

pub(crate) fn identities<const N: usize>() -> [Arc<Identity>; N] {
    [(); N].map(|()| Arc::new(Identity::generate().unwrap()))
}
