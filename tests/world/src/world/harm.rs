//! What the network and the disk do.

use std::io;

use seatkeeper::store::StoreError;
use seatkeeper_harm::Event;

use super::World;

/// What the disk does, for the report.
const fn name(event: Event) -> &'static str {
    match event {
        Event::PowerCut => "PowerCut",
        Event::Fail(_) => "Fails",
        Event::Full => "IsFull",
        Event::Gone => "IsGone",
    }
}

impl World {
    pub(super) fn cut_a_line(&mut self) {
        let Some(id) = self.some_line() else { return };
        let Some(line) = self.lines.get_mut(&id) else { return };
        line.up.cut(&mut self.dice);
        line.down.cut(&mut self.dice);
        self.report.count("cuts");
    }

    /// Nothing arrives for a while: at one line, or at all of them.
    pub(super) fn block_lines(&mut self) {
        let until = self.ms + self.dice.pick(&[300, 2_000, 7_000]);
        if self.dice.percent(40) {
            for line in self.lines.values_mut() {
                line.blocked_until = until;
            }
            self.report.count("partitions of all");
        } else if let Some(line) = self.some_line().and_then(|id| self.lines.get_mut(&id)) {
            line.blocked_until = until;
            self.report.count("partitions of one");
        }
        if self.dice.percent(50) {
            // Nobody waits for the end of it step by step.
            self.pass(until - self.ms);
        }
    }

    pub(super) fn damage_a_line(&mut self) {
        let bad: Vec<u64> = self
            .lines
            .iter()
            .filter(|(_, line)| line.is_bad)
            .map(|(id, _)| *id)
            .collect();
        if bad.is_empty() {
            return;
        }
        let id = self.dice.pick(&bad);
        let Some(line) = self.lines.get_mut(&id) else { return };
        let is_up = self.dice.percent(75);
        let pipe = if is_up { &mut line.up } else { &mut line.down };
        let before = pipe.is_damaged;
        pipe.damage(&mut self.dice);
        if pipe.is_damaged && !before {
            self.report.count(if is_up { "damaged up" } else { "damaged down" });
        }
    }

    pub(super) fn plan_harm(&mut self) {
        if self.harm.is_some() {
            return;
        }
        let within = self.dice.pick(&[4, 20, 60, 200]);
        self.plan(within);
    }

    pub(super) fn plan_harm_of_a_start(&mut self) {
        self.plan(90);
    }

    pub(super) fn plan_harm_of_a_stop(&mut self) {
        if self.harm.is_none() && self.dice.percent(25) {
            self.plan(6);
        }
    }

    fn plan(&mut self, within: u64) {
        let event = match self.dice.below(10) {
            0..4 => Event::PowerCut,
            4..6 => Event::Fail(io::ErrorKind::Other),
            6 => Event::Fail(io::ErrorKind::StorageFull),
            _ => Event::Full,
        };
        self.place.disk.plan(1 + self.dice.below(within), event);
        self.harm = Some(event);
    }

    /// The disk is well again.
    pub(super) fn heal(&mut self) {
        self.place.disk.no_plan();
        self.harm = None;
    }

    /// The process ended over its disk: `error` is what it said, if it noticed that the power went.
    pub(super) fn fail(&mut self, doing: &str, error: Option<&StoreError>) {
        if let Some(error) = error {
            self.place.disk.blame(error);
        }
        let harm = self.harm.expect("a disk that is well fails nobody");
        self.report.count(&format!("{} in {doing}", name(harm)));
        self.end_process();
        if self.place.disk.is_dead() {
            self.place.disk.power_on();
        }
        self.heal();
        // A start tries again by itself.
        if doing != "a start" {
            self.start();
        }
    }
}
