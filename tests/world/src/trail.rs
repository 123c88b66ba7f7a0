//! Which states on the way to this one may be durable by themselves.

use crate::judge::State;

/// The states at which a commit may have ended, and whether one must have come after them.
///
/// What was decided is durable before anybody is answered, refusals alone excepted, whose notes wait for the next commit. So
/// once everybody is answered the states before the last grant are out, and so is what was durable before it: a writer
/// that answers first and commits later, or never, is found out by the first answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trail {
    parts: Vec<State>,
    /// So many of the parts are older than something that must be durable.
    outdated: usize,
    /// Whether there is any such thing.
    is_owed: bool,
}

impl Trail {
    /// A commit may have ended here.
    pub(crate) fn may_end_at(&mut self, part: State) {
        self.parts.push(part);
    }

    /// Something was decided that must be durable before it is answered.
    pub(crate) const fn owe(&mut self) {
        self.outdated = self.parts.len();
        self.is_owed = true;
    }

    /// All states that may be durable where the last commit failed.
    pub(crate) fn parts(&self) -> &[State] {
        &self.parts
    }

    /// Those that may be where all went well.
    pub(crate) fn ends(&self) -> &[State] {
        &self.parts[self.outdated..]
    }

    /// Whether something that is not all of it may be durable where all went well.
    pub(crate) const fn may_end_in_part(&self) -> bool {
        self.outdated < self.parts.len()
    }

    /// Whether something must be durable.
    pub(crate) const fn is_owed(&self) -> bool {
        self.is_owed
    }
}
