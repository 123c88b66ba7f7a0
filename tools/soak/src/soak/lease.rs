//! Leases: what the wire tells of rule O3.

use seatkeeper::session::lease::verify;
use seatkeeper::wire::messages::seat::{Checkout, Lease};
use seatkeeper::wire::messages::{Request, Response};

use crate::server::{SERVER, lease_key};

/// What agents' clocks say: a time of their own, that the server repeats and never goes by.
const AGENTS_TIME: u64 = 4_000_000_000;

/// Has a checkout tell its agent's time, of most machines.
pub(super) const fn tell_time(request: &mut Request) {
    if let Request::Checkout(Checkout { mac, client_time, .. }) = request {
        let [.., last] = *mac;
        if !last.is_multiple_of(4) {
            *client_time = Some(AGENTS_TIME + last as u64);
        }
    }
}

/// Whether a response carries the lease that a grant with so many days calls for, and none that it does not.
pub(super) fn is_right(days: u8, request: &Request, response: &Response, identity: [u8; 32]) -> bool {
    let (Request::Checkout(asked), Response::Checkout(reply)) = (request, response) else {
        return true;
    };
    let due = asked.client_time.filter(|_| days > 0).map(|client_time| Lease {
        vendor: asked.vendor,
        product: asked.product.clone(),
        component: asked.component.clone(),
        mac: asked.mac,
        identity,
        server: SERVER.0,
        days,
        client_time,
        server_time: reply.server_time,
    });
    let read = reply.lease.as_ref().map(|signed| verify(signed, &lease_key().public()));
    match (due, read) {
        (Some(due), Some(Ok(read))) => due == read,
        (None, None) => true,
        _ => false,
    }
}
