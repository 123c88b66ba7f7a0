//! What an administrator's views take while a server has so many seats: the first page of each, asked by itself.

use std::io;

use seatkeeper::wire::EventKind;
use seatkeeper::wire::messages::{Request, Response, deploy, enrol, events, views};
use serde::Serialize;

use crate::clock::Moment;
use crate::error::SwarmError;
use crate::latency::{Latencies, Summary};
use crate::line::Line;
use crate::machine::Machine;
use crate::site::Site;

/// How often each is asked.
const TIMES: u32 = 200;

/// A view and how long its first page took.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    /// What was asked.
    pub(crate) view: &'static str,
    /// How long each answer took, one at a time.
    pub(crate) took: Summary,
}

/// Asks for the first page of every view, as the server's administrator.
pub(crate) async fn measure(site: &Site, machines: u32) -> Result<Vec<Page>, SwarmError> {
    let failed = |error: io::Error| SwarmError::of("asking for pages")(&error);
    let mut line = site.administrator().await?;
    let mut pages = Vec::new();
    for (view, request) in views_of(machines) {
        let requests = (0..TIMES).map(|_| request.clone());
        let took = asked(&mut line, requests).await.map_err(failed)?.summary();
        pages.push(Page { view, took });
    }
    line.close().await;
    Ok(pages)
}

/// Asks one after the other, each when the one before it is answered: how long they took.
pub(crate) async fn asked(line: &mut Line, requests: impl IntoIterator<Item = Request>) -> io::Result<Latencies> {
    let mut took = Latencies::new();
    for request in requests {
        let begun = Moment::now();
        let answer = line.request(&request).await?;
        took.note(begun.ago());
        if let Response::Refused(status, refusal) = answer {
            return Err(io::Error::other(format!("{status:?}: {}", refusal.text)));
        }
    }
    Ok(took)
}

/// What is asked; of a single machine, one in the middle.
fn views_of(machines: u32) -> [(&'static str, Request); 12] {
    let mac = Machine::new(machines / 2).mac();
    [
        ("status", Request::Status(views::Status {})),
        ("licenses", Request::Licenses(views::Licenses::default())),
        ("seats", Request::Seats(views::Seats::default())),
        (
            "seats of a machine",
            Request::Seats(views::Seats {
                mac: Some(mac),
                ..views::Seats::default()
            }),
        ),
        ("products", Request::Products(views::Products::default())),
        ("reservations", Request::Reservations(deploy::Reservations::default())),
        ("administrators", Request::AdminList(views::AdminList::default())),
        ("tokens", Request::EnrolTokens(enrol::EnrolTokens::default())),
        (
            "enrolled identities",
            Request::EnrolIdentities(enrol::EnrolIdentities::default()),
        ),
        ("events, oldest first", Request::Events(events::Events::default())),
        (
            "events, newest first",
            Request::Events(events::Events {
                newest_first: Some(true),
                ..events::Events::default()
            }),
        ),
        (
            "denials",
            Request::Events(events::Events {
                kinds: vec![EventKind::REFUSED],
                ..events::Events::default()
            }),
        ),
    ]
}
