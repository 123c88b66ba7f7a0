use std::io;
use std::net::UdpSocket;

use seatkeeper::wire::limits::QUESTION_LEN;

use super::say_ready;
use crate::args::ListenArgs;
use crate::error::SwarmError;

/// Sends every datagram of a question's length back to where it came from, one after the other, until it is killed: two
/// system calls each, and nothing between them.
pub(super) fn serve(at: ListenArgs) -> Result<(), SwarmError> {
    echo(at).map_err(|error| SwarmError::of("echoing datagrams")(&error))
}

fn echo(at: ListenArgs) -> io::Result<()> {
    let socket = UdpSocket::bind(at.listen)?;
    say_ready(socket.local_addr()?)?;
    let mut datagram = [0; QUESTION_LEN];
    loop {
        let (len, from) = socket.recv_from(&mut datagram)?;
        // Where it is lost, it is asked for again.
        drop(socket.send_to(datagram.get(..len).unwrap_or_default(), from));
    }
}
