//! Rounds without a server: whoever asks waits until its bytes are synced together with those of everybody who asked meanwhile.

use std::io;
use std::path::Path;
use std::thread;

use tokio::sync::{mpsc, oneshot};

use crate::syncs::Appended;

/// Askers that are synced at once, at most, and that wait for it: as a server has it.
const ROUND_MAX: usize = 1_024;
const WAITING_MAX: usize = 4_096;

/// Bytes, and whom to tell that they are on the disk.
type Asked = (usize, oneshot::Sender<()>);

/// A thread that appends and syncs.
#[derive(Clone, Debug)]
pub(super) struct Rounds(mpsc::Sender<Asked>);

impl Rounds {
    /// Into a file in this directory, which has no name.
    pub(super) fn start(dir: &Path) -> io::Result<Self> {
        let appended = Appended::new(Some(dir))?;
        let (asking, asked) = mpsc::channel(WAITING_MAX);
        thread::Builder::new()
            .name("rounds".into())
            .spawn(|| sync(appended, asked))?;
        Ok(Self(asking))
    }

    /// Waits until so many bytes are on the disk.
    pub(super) async fn durable(&self, len: usize) -> io::Result<()> {
        let (done, told) = oneshot::channel();
        let gone = |_| io::Error::other("the disk failed");
        self.0
            .send((len, done))
            .await
            .map_err(|_| io::Error::other("the disk failed"))?;
        told.await.map_err(gone)
    }
}

/// Ends when nobody asks any more, or with the disk: whoever waits then is told nothing, and hangs up.
fn sync(mut appended: Appended, mut asked: mpsc::Receiver<Asked>) {
    let mut round = Vec::new();
    while asked.blocking_recv_many(&mut round, ROUND_MAX) > 0 {
        if appended.append(round.iter().map(|(len, _)| len).sum()).is_err() {
            return;
        }
        for (_, done) in round.drain(..) {
            // Whoever hung up needs no answer.
            let _gone = done.send(());
        }
    }
}
