use std::collections::BTreeMap;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use data_encoding::HEXLOWER_PERMISSIVE;
use seatkeeper::tls;
use seatkeeper::wire::limits::HEADER_LEN;
use seatkeeper::wire::{Opcode, Status, peek_header};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::rounds::Rounds;
use super::{Answers, say_ready};
use crate::args::{FloorTls, ListenArgs};
use crate::error::SwarmError;
use crate::files::allow_files;
use crate::site::identity;

/// How much is read at a time, in bytes: as much as the server reads.
const READ_LEN: usize = 4_096;

/// Connections that wait to be accepted, at most.
const BACKLOG: u32 = 4_096;

/// The bodies that are answered.
struct Bodies {
    hello: Bytes,
    by_opcode: BTreeMap<Opcode, Bytes>,
    other: Bytes,
}

impl Bodies {
    fn of(&self, opcode: Opcode) -> &Bytes {
        if opcode == Opcode::HELLO {
            &self.hello
        } else {
            self.by_opcode.get(&opcode).unwrap_or(&self.other)
        }
    }
}

/// Takes connections and answers each request with the same bytes, until it is killed. It has no limits, no deadlines and
/// no state: what is under way on a connection is all that it knows. What it may be told to sync says nothing.
pub(super) async fn serve(args: &FloorTls) -> Result<(), SwarmError> {
    let answers = if args.answers { told()? } else { Answers::usual()? };
    let bodies = Arc::new(bodies(&answers)?);
    let rounds = args.sync_in.as_deref().map(Rounds::start).transpose();
    let rounds = rounds.map_err(|error| SwarmError::of("making a file to sync")(&error))?;
    allow_files()?;
    listen(args.listen, move |tcp, acceptor| {
        let (bodies, rounds) = (Arc::clone(&bodies), rounds.clone());
        async move { answer(tcp, &acceptor, &bodies, rounds.as_ref()).await }
    })
    .await
}

/// Says where, and has `serve` serve each connection with the server's own TLS.
pub(super) async fn listen<F>(at: ListenArgs, serve: impl Fn(TcpStream, TlsAcceptor) -> F) -> Result<(), SwarmError>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let config = tls::server_config(&identity()?).map_err(|error| SwarmError::of("setting up TLS")(&error))?;
    let acceptor = TlsAcceptor::from(config);
    accept_all(at, acceptor, serve)
        .await
        .map_err(|error| SwarmError::of("listening")(&error))
}

async fn accept_all<F>(
    at: ListenArgs,
    acceptor: TlsAcceptor,
    serve: impl Fn(TcpStream, TlsAcceptor) -> F,
) -> io::Result<()>
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let socket = match at.listen {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(at.listen)?;
    let listener = socket.listen(BACKLOG)?;
    say_ready(listener.local_addr()?)?;
    loop {
        match listener.accept().await {
            Ok((tcp, _)) => {
                let serving = serve(tcp, acceptor.clone());
                tokio::spawn(async move {
                    // Whoever breaks off has nobody to be told.
                    drop(serving.await);
                });
            }
            // Out of files, or a connection that was gone at once: the next may do better.
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

async fn answer(tcp: TcpStream, acceptor: &TlsAcceptor, bodies: &Bodies, rounds: Option<&Rounds>) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let mut stream = acceptor.accept(tcp).await?;
    let mut input = BytesMut::with_capacity(READ_LEN);
    let mut output = BytesMut::new();
    loop {
        input.reserve(READ_LEN);
        if stream.read_buf(&mut input).await? == 0 {
            return stream.shutdown().await;
        }
        let mut asked = 0;
        while let Some(header) = peek_header(&input).map_err(io::Error::other)? {
            let len = HEADER_LEN + header.body_len;
            if input.len() < len {
                break;
            }
            input.advance(len);
            if header.opcode != Opcode::HELLO {
                asked += len;
            }
            let body = bodies.of(header.opcode);
            output.put_u32(u32::try_from(body.len()).map_err(io::Error::other)?);
            output.put_u16(header.opcode.reply().0);
            output.put_u16(Status::OK.0);
            output.put_u32(header.request);
            output.put_slice(body);
        }
        if let Some(rounds) = rounds.filter(|_| asked > 0) {
            rounds.durable(asked).await?;
        }
        stream.write_all(&output).await?;
        stream.flush().await?;
        output.clear();
    }
}

/// What to answer, from standard input.
fn told() -> Result<Answers, SwarmError> {
    let doing = "reading what to answer from standard input";
    let mut text = String::new();
    io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| SwarmError::of(doing)(&error))?;
    serde_json::from_str(&text).map_err(|error| SwarmError::of(doing)(&error))
}

fn bodies(answers: &Answers) -> Result<Bodies, SwarmError> {
    let bytes = |hexadecimal: &str| {
        let bytes = HEXLOWER_PERMISSIVE.decode(hexadecimal.as_bytes());
        bytes
            .map(Bytes::from)
            .map_err(|error| SwarmError::of("reading what to answer")(&error))
    };
    let by_opcode = answers.by_opcode.iter();
    Ok(Bodies {
        hello: bytes(&answers.hello)?,
        by_opcode: by_opcode
            .map(|(opcode, body)| Ok((Opcode(*opcode), bytes(body)?)))
            .collect::<Result<_, SwarmError>>()?,
        other: bytes(&answers.other)?,
    })
}
