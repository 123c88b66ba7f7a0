//! What the server does.

use seatkeeper::domain::command::{Actor, Rebind};
use seatkeeper::domain::reply::Reply;
use seatkeeper::service::StartError;
use seatkeeper::session::Answer;
use seatkeeper_model::Role;

use super::World;
use crate::compare::Sums;
use crate::judge::{Asked, Heard, Kept, State, Told, domain};
use crate::request::Speaker;
use crate::seen::{Meant, fingerprint};
use crate::server::{Server, Submitted};
use crate::tap::{Found, Rooms};

fn role_of(actor: Actor) -> Role {
    match actor {
        Actor::Server => Role::Administrator,
        Actor::Peer { identity, .. } if identity == fingerprint(Speaker::Administrator) => Role::Administrator,
        Actor::Peer { identity, .. } if identity == fingerprint(Speaker::Deployer) => Role::Deployer,
        Actor::Peer { .. } => Role::Agent,
    }
}

impl World {
    /// The writer takes what waits, and does not come to decide it yet.
    pub(super) fn take(&mut self) {
        if let Some(server) = &mut self.server {
            assert!(server.rounds.take(), "the service is there");
            server.queue.taken = server.rounds.taken();
        }
    }

    /// A round.
    pub(super) fn decide(&mut self) {
        self.take();
        let round = self.book.look().round;
        let Some(server) = &mut self.server else { return };
        let count = server.rounds.taken();
        if count == 0 {
            return;
        }
        let asked: Vec<_> = server.queue.first(count).map(asked).collect();
        assert_eq!(asked.len(), count, "something is to be decided that nobody asked");
        // Only where the disk may fail is there something to find out afterwards.
        let before = self.harm.map(|_| server.rounds.writer().ledger().clone());
        self.book.look().rooms = Rooms::default();
        let outcome = server.rounds.decide();
        self.report.count("rounds");
        let moment = self.moment();
        let Some(server) = &mut self.server else { return };
        let is_committed = self.book.look().round > round;
        match outcome {
            Ok(decided) => {
                assert_eq!(decided, count, "all that was taken makes a round");
                let submitted = server.queue.take(count);
                server.queue.taken = server.rounds.taken();
                let (submitted, replies): (Vec<_>, Vec<_>) = submitted.into_iter().map(received).unzip();
                let told = self.judge.round(&asked, Heard::All(&replies), &mut self.seen, moment);
                self.settle(is_committed);
                self.answer(submitted, replies, told);
                self.lose_power("a round");
            }
            Err(error) => {
                for one in server.queue.iter_mut() {
                    let reply = one.reply.try_recv();
                    assert!(reply.is_err(), "answered after a failed commit: {reply:?}");
                }
                let Some(before) = &before else {
                    panic!("a round failed on a disk that is well: {error}");
                };
                self.judge
                    .round(&asked, Heard::Nothing { before }, &mut self.seen, moment);
                self.judge.failed(is_committed);
                self.fail("a round", Some(&error));
            }
        }
    }

    /// What was done went well: what of it is durable?
    fn settle(&mut self, is_committed: bool) {
        let Some(server) = &self.server else { return };
        let kept = if is_committed {
            let book = self.book.look();
            // What a start mends it commits at the time before its first reading.
            let is_of_now = |state: &State| domain(state.time()) == book.now;
            if book.ledger == *server.rounds.writer().ledger() && self.judge.now.iter().any(is_of_now) {
                Kept::All(book.now)
            } else {
                Kept::Some
            }
        } else {
            Kept::Nothing
        };
        self.judge.done(kept);
        if matches!(kept, Kept::Some) {
            self.report.count("noted behind a commit");
        }
        for state in &self.judge.now {
            state.model.assert_s2();
        }
        let ledger = server.rounds.writer().ledger();
        assert_eq!(ledger.audit(), Ok(()));
        let sums = Sums::of(ledger);
        self.judge.keep(|state| sums.are_of(state));
        self.history.look_at(self.judge.model());
    }

    fn answer(&mut self, submitted: Vec<Submitted>, replies: Vec<Reply>, told: Vec<Told>) {
        for ((one, reply), told) in submitted.into_iter().zip(replies).zip(told) {
            self.report.tell(&told);
            let Some((id, tag)) = one.line else { continue };
            let Some(line) = self.lines.get_mut(&id) else {
                self.report.count("decided for nobody");
                continue;
            };
            if !line.up.is_damaged {
                // HELLO is the first request, and the first that is submitted.
                let request = u32::try_from(tag.0 + 1).expect("few requests");
                let understood = self.seen.meant(one.actor, &one.command, self.judge.model());
                if let Some(ask) = line.meant.get(&request) {
                    match &understood {
                        Meant::Rules(_, understood) => assert_eq!(understood, ask, "asked and understood"),
                        // A key of a vendor that nobody trusts.
                        other => assert_eq!(other, &Meant::Nothing, "{ask:?}"),
                    }
                    let told = line.told.insert(request, (ask.clone(), told));
                    assert!(told.is_none(), "decided twice: {ask:?}");
                }
            }
            if let Some(desk) = &mut line.desk {
                desk.answered(tag, Answer::Reply(Box::new(reply)));
                self.attend(id);
            }
        }
    }

    pub(super) fn checkpoint(&mut self) {
        let (round, checkpoints) = self.progress();
        let Some(server) = &mut self.server else { return };
        let outcome = server.rounds.checkpoint();
        let (now, made) = self.progress();
        self.report.add("checkpoints", made - checkpoints);
        match outcome {
            Ok(_) => {
                self.settle(now > round);
                self.lose_power("a checkpoint");
            }
            Err(error) => {
                self.judge.failed(now > round);
                self.fail("a checkpoint", Some(&error));
            }
        }
    }

    fn progress(&self) -> (u64, u64) {
        let book = self.book.look();
        (book.round, book.checkpoints)
    }

    pub(super) fn keep_time(&mut self) {
        if let Some(server) = &mut self.server {
            server.keep_time();
        }
    }

    /// The server stops in good order: what it accepted is answered.
    pub(super) fn stop(&mut self) {
        let at = self.at();
        let ids: Vec<u64> = self.lines.keys().copied().collect();
        for id in ids {
            if let Some(desk) = self.lines.get_mut(&id).and_then(|line| line.desk.as_mut()) {
                desk.session.begin_stop(at);
                self.attend(id);
            }
        }
        while self.server.as_ref().is_some_and(|server| server.queue.len() > 0) {
            self.decide();
        }
        let moment = self.moment();
        let round = self.book.look().round;
        let Some(server) = self.server.take() else { return };
        for line in self.lines.values() {
            assert!(line.desk.is_none(), "a connection outlives the server's graceful stop");
        }
        self.judge.finish(moment);
        match server.finish() {
            Ok(()) => {
                // Notes and the time are kept; where nothing was committed, they were kept already.
                self.judge.end();
                self.report.count("graceful stops");
                self.lose_power("a stop");
            }
            Err(error) => {
                self.judge.failed(self.book.look().round > round);
                self.fail("a stop", Some(&error));
            }
        }
    }

    /// The process ends, whatever it is at.
    pub(super) fn kill(&mut self) {
        if self.dice.percent(50) {
            self.take();
        }
        if let Some(server) = &self.server {
            let at = if server.rounds.taken() > 0 {
                "with a round taken"
            } else {
                "at rest"
            };
            self.report.count(&format!("killed {at}"));
            self.end_process();
            self.start();
        }
    }

    /// Nobody hears anything of the process any more, but for what is on its way.
    pub(super) fn end_process(&mut self) {
        self.server = None;
        for line in self.lines.values_mut() {
            line.desk = None;
            line.down.cut(&mut self.dice);
        }
    }

    /// The server starts, however often that fails; one that runs goes on.
    pub(super) fn start(&mut self) {
        for tries in 0.. {
            if self.server.is_some() {
                return;
            }
            assert!(tries < 40, "the server does not start");
            if self.harm.is_none() && tries < 6 && self.dice.percent(20) {
                self.plan_harm_of_a_start();
            }
            self.history.start_again();
            self.try_start();
        }
    }

    fn try_start(&mut self) {
        let rebind = if self.history.approve() {
            Rebind::Approve
        } else {
            Rebind::Honour
        };
        let round = self.book.look().round;
        let reading = self.history.reading();
        let server = Server::start(&self.place, &self.book, reading, rebind, self.at());
        // A store that was not loaded has told nothing of what was in flight.
        let found = self.book.look().found.take();
        let mut is_committed = false;
        if let Some(Found { survived, mark }) = found {
            self.judge.start(survived, mark, self.moment());
            is_committed = self.book.look().round > round + u64::from(survived);
        }
        match server {
            Ok(server) => {
                self.server = Some(server);
                self.report.count("starts");
                self.compare_now();
                self.settle(is_committed);
                self.lose_power("a start");
            }
            Err(error) => {
                if found.is_some() {
                    self.judge.failed(is_committed);
                }
                match error {
                    StartError::Store(error) => self.fail("a start", Some(&error)),
                    other => panic!("a start found what cannot be: {other:?}"),
                }
            }
        }
    }

    /// Where the power went and nobody noticed, the process is gone all the same.
    pub(super) fn lose_power(&mut self, doing: &str) {
        if self.place.disk.is_dead() {
            self.fail(doing, None);
        }
    }
}

fn asked(submitted: &Submitted) -> Asked {
    Asked {
        actor: submitted.actor,
        role: role_of(submitted.actor),
        command: submitted.command.clone(),
    }
}

fn received(mut submitted: Submitted) -> (Submitted, Reply) {
    match submitted.reply.try_recv() {
        Ok(reply) => (submitted, reply),
        Err(error) => panic!("decided and not answered: {:?}: {error}", submitted.command),
    }
}
