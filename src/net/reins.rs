//! What ends a connection from outside. A connection looks at its own end with every request: each has one to itself, so that
//! no lock is asked for by all of them.

use tokio::sync::oneshot;

/// Held by whoever may end a connection. When it is dropped, the connection is cut off where it stands.
#[derive(Debug)]
pub(super) struct Reins {
    finish: Option<oneshot::Sender<()>>,
    _cut: oneshot::Sender<()>,
}

/// A connection's own end.
#[derive(Debug)]
pub(super) struct Orders {
    /// Ready once the connection is to answer what it was asked, and end.
    pub(super) finish: oneshot::Receiver<()>,
    /// Ready once it is to end where it stands.
    pub(super) cut: oneshot::Receiver<()>,
}

/// Both ends of what ends a connection.
pub(super) fn reins() -> (Reins, Orders) {
    let (finish, finishes) = oneshot::channel();
    let (cut, cuts) = oneshot::channel();
    let reins = Reins {
        finish: Some(finish),
        _cut: cut,
    };
    let orders = Orders {
        finish: finishes,
        cut: cuts,
    };
    (reins, orders)
}

impl Reins {
    /// Has the connection answer what it was asked, and end.
    pub(super) fn finish(&mut self) {
        if let Some(finish) = self.finish.take() {
            // It may have ended by itself.
            let _told = finish.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;

    #[test]
    fn a_connection_is_told_to_finish_once_and_cut_when_the_reins_are_dropped() {
        let (mut reins, mut orders) = reins();
        let mut seen = |finish| {
            let told = orders.finish.try_recv();
            assert_eq!(told, finish);
            orders.cut.try_recv()
        };
        assert_eq!(seen(Err(TryRecvError::Empty)), Err(TryRecvError::Empty));
        reins.finish();
        reins.finish();
        assert_eq!(seen(Ok(())), Err(TryRecvError::Empty));
        drop(reins);
        assert_eq!(seen(Err(TryRecvError::Closed)), Err(TryRecvError::Closed));
    }
}
