use std::io;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::tls::listen;
use crate::args::ListenArgs;
use crate::error::SwarmError;
use crate::files::allow_files;

/// Takes connections, has both sides prove who they are, and closes, until it is killed.
pub(super) async fn serve(at: ListenArgs) -> Result<(), SwarmError> {
    allow_files()?;
    listen(at, shake_hands).await
}

async fn shake_hands(tcp: TcpStream, acceptor: TlsAcceptor) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    // Done once the client's proof was seen: not before does it learn that it is served.
    acceptor.accept(tcp).await?.shutdown().await
}
