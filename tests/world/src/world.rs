//! Everything that happens, one thing after the other, as the dice say.

mod harm;
mod people;
mod rounds;

use std::collections::BTreeMap;

use seatkeeper::domain::time::Monotonic;
use seatkeeper_harm::{Event, Options, Place};
use seatkeeper_model::{History, Random};

use crate::compare::Shown;
use crate::desk::{Desk, Office};
use crate::judge::{Judge, Moment, domain};
use crate::line::Line;
use crate::network::Arrival;
use crate::report::{Report, first_word};
use crate::seen::Seen;
use crate::server::{Server, found};
use crate::tap::Book;

/// Steps from one comparison of all views to the next.
const STEPS_BETWEEN_VIEWS: u64 = 25;

/// A world under way.
#[derive(Debug)]
pub(crate) struct World {
    dice: Random,
    history: History,
    seen: Seen,
    place: Place,
    book: Book,
    judge: Judge,
    server: Option<Server>,
    lines: BTreeMap<u64, Line>,
    next_line: u64,
    /// The time of the network, in milliseconds.
    ms: u64,
    /// What the disk has in store.
    harm: Option<Event>,
    report: Report,
}

impl World {
    /// A world whose server has started.
    pub(crate) fn new(number: u64) -> Self {
        let history = History::new(number);
        let seen = Seen::new();
        let place = Place::new(Options::new(number));
        let book = Book::default();
        found(&place, &book, &seen);
        let mut model = history.model().clone();
        let (calendar, counted) = history.reading();
        model.read_clock(calendar, counted);
        let mut world = Self {
            dice: Random::new(number ^ 0x0030_771d),
            history,
            seen,
            place,
            book,
            judge: Judge::new(model),
            server: None,
            lines: BTreeMap::new(),
            next_line: 1,
            ms: 1_000,
            harm: None,
            report: Report::default(),
        };
        world.start();
        world
    }

    /// Goes through so many steps; `at` is told each.
    pub(crate) fn run(mut self, steps: u64, mut at: impl FnMut(u64)) -> Report {
        for step in 0..steps {
            at(step);
            self.step();
            if step % STEPS_BETWEEN_VIEWS == 0 {
                self.compare();
            }
        }
        self.heal();
        self.stop();
        self.start();
        self.compare();
        self.report
    }

    fn step(&mut self) {
        let what = self.dice.below(1_000);
        self.report.trace(&what.to_be_bytes());
        match what {
            0..400 => self.ask(),
            400..620 => self.decide(),
            620..650 => self.take(),
            650..740 => self.checkpoint(),
            740..775 => self.let_time_pass(),
            800..830 => self.cut_a_line(),
            830..850 => self.block_lines(),
            850..870 => self.leave_a_line(),
            870..900 => self.damage_a_line(),
            900..920 => self.plan_harm(),
            920..930 => self.heal(),
            930..940 => {
                self.plan_harm_of_a_stop();
                self.stop();
                self.start();
            }
            940..945 => self.kill(),
            945..955 => self.keep_time(),
            _ => {}
        }
        self.pass(0);
        for _ in 0..12 {
            self.carry();
        }
        self.time_out();
        self.lines.retain(|_, line| !line.is_over());
    }

    /// A moment of the network goes by, and these milliseconds.
    fn pass(&mut self, ms: u64) {
        let before = self.ms / 1_000;
        self.ms += ms + self.dice.below(60);
        self.history.pass(self.ms / 1_000 - before - ms / 1_000);
        self.turn_clocks();
    }

    fn turn_clocks(&mut self) {
        if let Some(server) = &mut self.server {
            server.turn_clocks(self.history.reading());
        }
    }

    fn let_time_pass(&mut self) {
        let (_, before) = self.history.reading();
        self.history.let_time_pass();
        let (calendar, counted) = self.history.reading();
        self.report.count(if counted == before {
            "a look at the clock"
        } else {
            "time passes"
        });
        if calendar > 4_000_000_000 {
            self.report.count("2099");
        }
        self.ms += (counted - before) * 1_000;
        self.turn_clocks();
    }

    fn at(&self) -> Monotonic {
        Monotonic(self.ms)
    }

    fn moment(&self) -> Moment {
        let (calendar, counted) = self.history.reading();
        Moment {
            calendar,
            counted,
            rooms: self.book.look().rooms,
        }
    }

    /// Some line, if there is one.
    fn some_line(&mut self) -> Option<u64> {
        let lines: Vec<u64> = self.lines.keys().copied().collect();
        if lines.is_empty() {
            None
        } else {
            Some(self.dice.pick(&lines))
        }
    }

    /// Something arrives somewhere, if anything is due.
    fn carry(&mut self) {
        let Some(id) = self.some_line() else { return };
        let is_up = self.dice.percent(50);
        let (now, Some(line)) = (self.ms, self.lines.get_mut(&id)) else {
            return;
        };
        if line.blocked_until > now {
            return;
        }
        if is_up {
            let wants = line.desk.as_ref().is_some_and(|desk| desk.session.wants_input());
            if wants && let Some(arrival) = line.up.arrive(now, &mut self.dice) {
                self.arrive_up(id, arrival);
            }
        } else if line.client.is_some()
            && let Some(arrival) = line.down.arrive(now, &mut self.dice)
        {
            self.arrive_down(id, arrival);
        }
    }

    fn arrive_up(&mut self, id: u64, arrival: Arrival) {
        let at = self.at();
        let Some(line) = self.lines.get_mut(&id) else { return };
        let Some(desk) = &mut line.desk else { return };
        match arrival {
            Arrival::Bytes(bytes) => {
                self.report.trace(&bytes);
                desk.session.handle_bytes(&bytes, at);
            }
            Arrival::End => desk.session.handle_end(at),
            Arrival::Cut => {
                line.desk = None;
                return;
            }
        }
        desk.session.handle_timeout(at);
        self.attend(id);
    }

    /// Does what the session of a line wants.
    fn attend(&mut self, id: u64) {
        let due = self.ms + 1 + self.dice.below(150);
        let at = self.at();
        let (Some(line), Some(server)) = (self.lines.get_mut(&id), &mut self.server) else {
            return;
        };
        let Some(desk): Option<&mut Desk> = line.desk.as_mut() else {
            return;
        };
        let calendar = server.calendar();
        let wants = desk.go_on(&mut Office {
            service: &server.service,
            queue: &mut server.queue,
            at,
            calendar,
        });
        for bytes in wants.send {
            self.report.trace(&bytes);
            line.down.send(bytes, due);
        }
        if let Some(reason) = wants.close {
            self.report.count(&first_word(&reason));
            if line.up.is_damaged {
                self.report.count("a damaged line ended");
            }
            line.down.end();
            line.desk = None;
        }
    }

    /// Whose time is up is told so.
    fn time_out(&mut self) {
        let at = self.at();
        let ids: Vec<u64> = self.lines.keys().copied().collect();
        for id in ids {
            let desk = self.lines.get_mut(&id).and_then(|line| line.desk.as_mut());
            if let Some(desk) = desk
                && desk.session.poll_timeout().is_some_and(|due| due <= at)
            {
                desk.session.handle_timeout(at);
                self.attend(id);
            }
        }
    }

    /// Compares what the server holds with what the rules say, after a round of nothing has freed what is overdue.
    fn compare(&mut self) {
        self.keep_time();
        self.decide();
        self.compare_now();
        self.report.count("views compared");
    }

    /// The same where nothing can be overdue.
    fn compare_now(&mut self) {
        let Some(server) = &self.server else { return };
        let ledger = server.rounds.writer().ledger();
        let (seen, config) = (&self.seen, &server.config);
        self.judge
            .keep(|state| Shown::of(ledger, config, domain(state.time()))?.is_of(state, seen));
        if self.judge.now.len() > 1 {
            self.report.count("more than one state");
        }
    }
}
