//! A connection: the client's automaton at one end, the server's at the other, and the network in between.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use seatkeeper::session::translate::status_of;
use seatkeeper::session::{ClientSession, Peer};
use seatkeeper::wire::Status;
use seatkeeper::wire::messages::Response;
use seatkeeper_model::{Answer, Ask, ImportOutcome, KeyRefusal, Proposal};

use crate::answer::{answer, comparable};
use crate::desk::Desk;
use crate::judge::Told;
use crate::network::Pipe;
use crate::request::Speaker;
use crate::seen::fingerprint;

/// Vendors above this one are trusted by nobody: the server checks no text of theirs.
const LAST_TRUSTED: u8 = 2;

#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) speaker: Speaker,
    /// Nothing once the client has left it.
    pub(crate) client: Option<ClientSession>,
    /// Nothing once the server has.
    pub(crate) desk: Option<Desk>,
    pub(crate) up: Pipe,
    pub(crate) down: Pipe,
    /// Whether the network damages what goes over it.
    pub(crate) is_bad: bool,
    /// Until when nothing arrives, in milliseconds.
    pub(crate) blocked_until: u64,
    /// What the client asked, by the number of the request.
    pub(crate) asked: BTreeMap<u32, Proposal>,
    /// The same as the server has to understand it.
    pub(crate) meant: BTreeMap<u32, Ask>,
    /// What the writer answered, by the number of the request.
    pub(crate) told: BTreeMap<u32, (Ask, Told)>,
    /// The requests whose answers arrived.
    pub(crate) heard: BTreeSet<u32>,
}

/// Who is at the client's end: some agents are behind one address.
pub(crate) fn peer(speaker: Speaker) -> Peer {
    let address = match speaker {
        Speaker::Agent(number) => Ipv4Addr::new(10, 0, 0, u8::try_from(number % 5).unwrap_or(0)),
        Speaker::Administrator => Ipv4Addr::new(10, 0, 1, 1),
        Speaker::Deployer => Ipv4Addr::new(10, 0, 1, 2),
    };
    Peer {
        identity: fingerprint(speaker),
        address: IpAddr::V4(address),
    }
}

impl Line {
    pub(crate) fn new(speaker: Speaker, client: ClientSession, desk: Desk, is_bad: bool) -> Self {
        Self {
            speaker,
            client: Some(client),
            desk: Some(desk),
            up: Pipe::default(),
            down: Pipe::default(),
            is_bad,
            blocked_until: 0,
            asked: BTreeMap::new(),
            meant: BTreeMap::new(),
            told: BTreeMap::new(),
            heard: BTreeSet::new(),
        }
    }

    /// The client sends nothing more and reads nothing more.
    pub(crate) fn hang_up(&mut self) {
        self.client = None;
        self.up.end();
    }

    pub(crate) const fn is_damaged(&self) -> bool {
        self.up.is_damaged || self.down.is_damaged
    }

    /// Whether neither side has anything to do with it any more.
    pub(crate) const fn is_over(&self) -> bool {
        self.client.is_none() && self.desk.is_none()
    }

    /// Panics unless what the client heard is what the writer said to its request.
    pub(crate) fn check_heard(&self, request: u32, response: &Response) {
        if self.is_damaged() {
            return;
        }
        let Some(asked) = self.asked.get(&request) else {
            panic!("an answer to what nobody asked: {response:?}");
        };
        match self.told.get(&request) {
            None => assert!(
                is_unasked(&asked.ask, response),
                "the writer did not decide {:?}, and {:?} heard {response:?}",
                asked.ask,
                self.speaker
            ),
            Some((ask, Told::Rules(told))) => assert_eq!(
                answer(ask, response),
                Some(comparable(told)),
                "{ask:?} of {:?}, who heard {response:?}",
                self.speaker
            ),
            Some((ask, Told::Denied(denial))) => assert!(
                matches!(response, Response::Refused(status, _) if *status == status_of(denial)),
                "{ask:?} of {:?} was refused by {denial:?}, who heard {response:?}",
                self.speaker
            ),
            // Refused before the writer, who has nothing to import and answers that for all of it.
            Some((ask @ Ask::Import(_), Told::Anything)) => assert!(
                matches!(response, Response::Refused(Status::DISK_FULL, _))
                    || answer(ask, response)
                        == Some(Answer::Imported(ImportOutcome::Refused(KeyRefusal::UnknownVendor))),
                "{ask:?} of a vendor that nobody trusts, who heard {response:?}"
            ),
            Some((_, Told::Anything)) => {}
        }
    }
}

/// Whether a server may answer this without asking the writer.
fn is_unasked(ask: &Ask, response: &Response) -> bool {
    let Response::Refused(status, _) = response else {
        return false;
    };
    match *status {
        Status::BUSY | Status::GOING_AWAY => true,
        Status::UNKNOWN_VENDOR => matches!(
            ask,
            Ask::ImportCatalogue { vendor, .. } | Ask::ImportBlacklist { vendor, .. } if *vendor > LAST_TRUSTED
        ),
        _ => false,
    }
}
