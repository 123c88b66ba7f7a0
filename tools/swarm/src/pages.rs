//! What an administrator's views take while a server has so many seats: the first page of each, asked by itself.

use seatkeeper::wire::EventKind;
use seatkeeper::wire::messages::{Request, Response, deploy, enrol, events, explain, seat, views};
use serde::Serialize;

use crate::clock::Moment;
use crate::error::SwarmError;
use crate::latency::{Latencies, Summary};
use crate::line::Line;
use crate::machine::Machine;
use crate::site::{COMPONENT, PRODUCT, Site};

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
    let failed = |error: std::io::Error| SwarmError::of("asking for pages")(&error);
    let mut line = site.administrator().await?;
    let mut pages = Vec::new();
    for (view, request) in views_of(site, machines) {
        let took = ask(&mut line, &request).await.map_err(failed)?;
        pages.push(Page { view, took });
    }
    line.close().await;
    Ok(pages)
}

async fn ask(line: &mut Line, request: &Request) -> std::io::Result<Summary> {
    let mut took = Latencies::new();
    for _ in 0..TIMES {
        let begun = Moment::now();
        let answer = line.request(request).await?;
        took.note(begun.ago());
        if let Response::Refused(status, refusal) = answer {
            return Err(std::io::Error::other(format!("{status:?}: {}", refusal.text)));
        }
    }
    Ok(took.summary())
}

/// What is asked; of a single machine, one in the middle.
fn views_of(site: &Site, machines: u32) -> [(&'static str, Request); 14] {
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
        (
            "available seats",
            Request::Availability(seat::Availability {
                vendor: Some(site.vendor.0),
                product: PRODUCT.to_owned(),
            }),
        ),
        (
            "explain",
            Request::Explain(explain::Explain {
                vendor: Some(site.vendor.0),
                product: PRODUCT.to_owned(),
                component: Some(COMPONENT.to_owned()),
                mac,
                ..explain::Explain::default()
            }),
        ),
    ]
}
