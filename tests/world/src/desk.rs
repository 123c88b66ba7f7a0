//! The server's end of a connection: the automaton, and what `net::connection` does around it, without a socket.

use std::collections::VecDeque;

use bytes::Bytes;
use seatkeeper::domain::command::{Actor, Command};
use seatkeeper::domain::time::{Monotonic, Timestamp};
use seatkeeper::net::{Prepared, prepare};
use seatkeeper::service::{Facts, Service, SubmitError};
use seatkeeper::session::{Action, Answer, Reason, RequestTag, ServerSession, Work};
use seatkeeper::wire::limits::{BODY_LEN_MAX, HEADER_LEN, UNANSWERED_LEN_MAX};

use crate::server::{Queue, Submitted};

/// Weight of a command in a round, about.
const WEIGHT: usize = 256;

/// The longest that a peer may have the server hold: what is not answered, a frame that is not whole, and what came with it.
const HELD_LEN_MAX: usize = UNANSWERED_LEN_MAX + 4 * (HEADER_LEN + BODY_LEN_MAX);

#[derive(Debug)]
pub(crate) struct Desk {
    line: u64,
    pub(crate) session: ServerSession,
    pending: VecDeque<Pending>,
}

#[derive(Debug)]
struct Pending {
    tag: RequestTag,
    /// Whether it begins when its turn comes: see `net::connection`.
    waits: bool,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Waits(Work),
    Asked(Prepared),
    Answered(Answer),
}

/// What a desk needs of the server.
#[derive(Debug)]
pub(crate) struct Office<'a> {
    pub(crate) service: &'a Service,
    pub(crate) queue: &'a mut Queue,
    pub(crate) at: Monotonic,
    pub(crate) calendar: Timestamp,
}

/// What a desk wants done.
#[derive(Debug, Default)]
pub(crate) struct Wants {
    pub(crate) send: Vec<Bytes>,
    pub(crate) close: Option<Reason>,
}

impl Desk {
    pub(crate) const fn new(line: u64, session: ServerSession) -> Self {
        Self {
            line,
            session,
            pending: VecDeque::new(),
        }
    }

    /// The writer answered.
    pub(crate) fn answered(&mut self, tag: RequestTag, answer: Answer) {
        let Some(pending) = self.pending.iter_mut().find(|one| one.tag == tag) else {
            return;
        };
        let stage = std::mem::replace(&mut pending.stage, Stage::Answered(Answer::Failed));
        pending.stage = match stage {
            Stage::Asked(prepared) => Stage::Answered(prepared.answer(answer)),
            other => panic!("answered and not asked: {other:?}"),
        };
    }

    /// Does what the session says until there is nothing to do.
    pub(crate) fn go_on(&mut self, office: &mut Office<'_>) -> Wants {
        let mut wants = Wants::default();
        loop {
            while let Some(action) = self.session.poll_action() {
                assert!(wants.close.is_none(), "{action:?} behind the close");
                match action {
                    Action::Send(bytes) => wants.send.push(bytes),
                    Action::Submit { tag, work } => self.start(tag, work, office),
                    Action::Close(reason) => wants.close = Some(reason),
                }
            }
            let held = self.session.held_len();
            assert!(held <= HELD_LEN_MAX, "{held} bytes are held for a peer");
            if !self.answer_first(office) {
                return wants;
            }
        }
    }

    fn start(&mut self, tag: RequestTag, work: Work, office: &mut Office<'_>) {
        let waits = !matches!(work, Work::Command(_)) || self.pending.iter().any(|before| before.waits);
        let stage = match work {
            Work::Command(command) if !waits => self.ask(tag, Prepared::Ask(command), office),
            work => Stage::Waits(work),
        };
        self.pending.push_back(Pending { tag, waits, stage });
    }

    fn ask(&self, tag: RequestTag, prepared: Prepared, office: &mut Office<'_>) -> Stage {
        let command: Command = match prepared.command() {
            Ok(command) => command,
            Err(answer) => return Stage::Answered(answer.clone()),
        };
        let actor = self.session.peer().actor();
        match office.service.submit(actor, command.clone(), WEIGHT) {
            Ok(reply) => {
                office.queue.push(Submitted {
                    line: Some((self.line, tag)),
                    actor,
                    command,
                    reply,
                });
                Stage::Asked(prepared)
            }
            Err(SubmitError::Busy) => {
                office.queue.busy += 1;
                Stage::Answered(Answer::Busy)
            }
            Err(SubmitError::Stopped) => Stage::Answered(Answer::Stopping),
        }
    }

    /// Gives the oldest request its answer, if it has one. Whether something happened.
    fn answer_first(&mut self, office: &mut Office<'_>) -> bool {
        let Some(first) = self.pending.pop_front() else {
            return false;
        };
        let Pending { tag, waits, stage } = first;
        match stage {
            Stage::Answered(answer) => {
                self.session.handle_reply(tag, answer, office.calendar, office.at);
                true
            }
            Stage::Waits(work) => {
                let facts: Facts = office.service.facts();
                let actor: Actor = self.session.peer().actor();
                let stage = self.ask(tag, prepare(&facts, actor, work), office);
                self.pending.push_front(Pending { tag, waits, stage });
                true
            }
            asked @ Stage::Asked(_) => {
                self.pending.push_front(Pending {
                    tag,
                    waits,
                    stage: asked,
                });
                false
            }
        }
    }
}
