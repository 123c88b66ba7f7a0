//! A progress bar on standard error, where somebody watches.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use super::args::Global;

/// How far a long command is.
#[derive(Debug)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Shown where standard error is a terminal; never beside JSON.
    pub(super) fn over(global: &Global, total: usize) -> Self {
        if global.json || !std::io::stderr().is_terminal() {
            return Self::hidden();
        }
        let bar = ProgressBar::new(total as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos} of {len} keys, {eta} left") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Over so many bytes, likewise; over as many as there will be where `total` is 0.
    pub(super) fn of_bytes(json: bool, total: u64) -> Self {
        if json || !std::io::stderr().is_terminal() {
            return Self::hidden();
        }
        let bar = match total {
            0 => ProgressBar::no_length(),
            total => ProgressBar::new(total),
        };
        let template = match total {
            0 => "{bytes} copied",
            _ => "{bar:40} {bytes} of {total_bytes}, {eta} left",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub(super) fn bytes(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// Shown nowhere.
    pub(super) fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    pub(super) fn step(&self, steps: usize) {
        self.0.inc(steps as u64);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        // Whatever is told next begins on a clean line, also after an interruption.
        self.0.finish_and_clear();
    }
}
