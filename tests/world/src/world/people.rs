//! What clients do.

use seatkeeper::session::{ClientError, ClientEvent, ClientSession, ServerSession};
use seatkeeper::wire::Outcome;
use seatkeeper::wire::messages::{Request, Response, views};
use seatkeeper_model::Proposal;

use super::World;
use crate::desk::Desk;
use crate::line::{Line, peer};
use crate::network::Arrival;
use crate::report::first_word;
use crate::request::Speaker;
use crate::seen::as_understood;
use crate::words::make_real;

/// So many in a hundred lines are damaged.
const BAD_LINES: u64 = 15;

impl World {
    /// Some people ask something, whether or not what they asked before was answered.
    pub(super) fn ask(&mut self) {
        if self.dice.percent(3) {
            return self.look();
        }
        for _ in 0..=self.dice.below(6) {
            let mut proposal = self.history.propose();
            make_real(&mut proposal.ask);
            let speaker = Speaker::of(proposal.identity, &proposal.ask);
            self.send(speaker, proposal);
        }
    }

    /// The administrator looks at something: no answer of it is compared here, but it takes its turn like any other.
    fn look(&mut self) {
        let Some(id) = self.line_of(Speaker::Administrator) else {
            return;
        };
        let Some(line) = self.lines.get_mut(&id) else { return };
        let Some(client) = &mut line.client else { return };
        // Nobody asked it, as far as answers are compared.
        if client.request(&Request::Status(views::Status {})).is_ok() {
            self.report.count("looks");
        }
        self.transmit(id);
    }

    fn send(&mut self, speaker: Speaker, mut proposal: Proposal) {
        let Some(id) = self.line_of(speaker) else { return };
        self.history.refresh(&mut proposal);
        let Some(line) = self.lines.get_mut(&id) else { return };
        let waiting = line.asked.iter().filter(|(request, _)| !line.heard.contains(request));
        // A component waits for its answer; the very same once more is one whose answer was lost.
        if waiting
            .map(|(_, one)| one)
            .any(|one| proposal.hangs_on(one) && proposal.ask != one.ask)
        {
            return;
        }
        let Some(client) = &mut line.client else { return };
        let asked = self.seen.request(&proposal.ask);
        match client.request(&asked) {
            Ok(number) => {
                let meant = as_understood(&proposal.ask, &self.history);
                line.meant.insert(number.0, meant);
                line.asked.insert(number.0, proposal);
                self.report.count("requests");
            }
            Err(ClientError::Full) => self.report.count("a client waits"),
            Err(error) => panic!("{speaker:?}: {error}"),
        }
        self.transmit(id);
    }

    fn transmit(&mut self, id: u64) {
        let Some(line) = self.lines.get_mut(&id) else { return };
        let Some(client) = &mut line.client else { return };
        while let Some(bytes) = client.poll_transmit() {
            line.up.send(bytes, self.ms + 1 + self.dice.below(150));
        }
    }

    /// The line that somebody speaks over; a new one where there is none. Nothing while no server is there.
    fn line_of(&mut self, speaker: Speaker) -> Option<u64> {
        let mut lines = self.lines.iter();
        let known = lines.find(|(_, line)| line.speaker == speaker && line.client.is_some());
        if let Some((id, _)) = known {
            return Some(*id);
        }
        let server = self.server.as_ref()?;
        let id = self.next_line;
        self.next_line += 1;
        let session = ServerSession::new(server.config.clone(), peer(speaker), self.at());
        let client = ClientSession::new("the world").expect("a short name");
        let line = Line::new(speaker, client, Desk::new(id, session), self.dice.percent(BAD_LINES));
        self.lines.insert(id, line);
        self.report.count("connections");
        // Now and then it says HELLO and nothing more, or not even that.
        if !self.dice.percent(2) {
            self.transmit(id);
        }
        Some(id)
    }

    pub(super) fn arrive_down(&mut self, id: u64, arrival: Arrival) {
        let Some(line) = self.lines.get_mut(&id) else { return };
        let Some(client) = &mut line.client else { return };
        let outcome = match arrival {
            Arrival::Bytes(bytes) => client.handle_bytes(&bytes),
            Arrival::End | Arrival::Cut => {
                line.hang_up();
                return;
            }
        };
        let mut events = Vec::new();
        while let Some(event) = client.poll_event() {
            events.push(event);
        }
        if let Err(error) = outcome {
            assert!(
                line.is_damaged() || matches!(error, ClientError::Ended { .. }),
                "{:?}: {error}",
                line.speaker
            );
            self.report.count(&format!("client: {}", first_word(&error)));
            line.hang_up();
        }
        for event in events {
            self.hear(id, &event);
        }
    }

    fn hear(&mut self, id: u64, event: &ClientEvent) {
        let Some(line) = self.lines.get_mut(&id) else { return };
        let (number, response) = match event {
            ClientEvent::Greeted(_) => return self.report.count("greeted"),
            ClientEvent::Answered { request, response } => (request.0, &**response),
        };
        let is_look =
            !line.asked.contains_key(&number) && matches!(response, Response::Status(_) | Response::Refused(..));
        if is_look && !line.is_damaged() {
            return;
        }
        line.check_heard(number, response);
        assert!(line.heard.insert(number), "{:?} hears of {number} twice", line.speaker);
        self.report.count("heard");
        if let Response::Refused(seatkeeper::wire::Status::BUSY, _) = response {
            self.report.count("heard BUSY");
        }
        if line.is_damaged() {
            return;
        }
        if let (Response::Checkout(reply), Some(proposal)) = (response, line.asked.get(&number))
            && reply.outcome != Outcome::NOT_COUNTED
            && let Some(continuation) = reply.continuation.filter(|number| *number != 0)
        {
            self.history.heard(proposal, continuation);
        }
    }

    pub(super) fn leave_a_line(&mut self) {
        let Some(line) = self.some_line().and_then(|id| self.lines.get_mut(&id)) else {
            return;
        };
        line.hang_up();
        self.report.count("a client leaves");
    }
}
