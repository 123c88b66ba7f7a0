//! A stream that gives out only so many bytes until it is allowed more.
//!
//! TLS takes what it is given until something comes of it: parts of a message of its own, which may be long, or records
//! without content. What comes of it is a finished handshake, then bytes to read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A TCP connection that fails once a peer has sent more than it may.
#[derive(Debug)]
pub(super) struct Metered {
    tcp: TcpStream,
    /// Bytes that may still be read.
    left: usize,
}

impl Metered {
    /// Lets `len` bytes be read.
    pub(super) const fn new(tcp: TcpStream, len: usize) -> Self {
        Self { tcp, left: len }
    }

    /// Lets `len` more bytes be read, whatever was left.
    pub(super) const fn allow(&mut self, len: usize) {
        self.left = len;
    }

    /// The connection itself.
    pub(super) const fn tcp(&mut self) -> &mut TcpStream {
        &mut self.tcp
    }
}

impl AsyncRead for Metered {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.tcp).poll_read(context, buffer))?;
        let read = buffer.filled().len() - before;
        let Some(left) = this.left.checked_sub(read) else {
            let error = "the peer sends and sends, and nothing comes of it";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
        };
        this.left = left;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Metered {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tcp).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tcp).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn no_more_is_given_out_than_was_allowed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (tcp, _) = listener.accept().await.unwrap();
        peer.write_all(&[7; 100]).await.unwrap();
        let mut metered = Metered::new(tcp, 50);
        let mut bytes = [0; 20];
        for _ in 0..2 {
            metered.read_exact(&mut bytes).await.unwrap();
        }
        metered.allow(20);
        metered.read_exact(&mut bytes).await.unwrap();
        let error = metered.read_exact(&mut bytes).await.expect_err("nothing is left");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
