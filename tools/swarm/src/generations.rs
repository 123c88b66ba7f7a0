//! Checkpoints of a server that is ours: when one is made, and what it leaves.

use std::path::{Path, PathBuf};
use std::time::Duration;

use seatkeeper::wire::messages::{Request, Response, views};

use crate::clock::Moment;
use crate::error::SwarmError;
use crate::line::Line;
use crate::own::Home;
use crate::site::{MANY_MACHINES, Site, granted};

/// How often is looked whether a checkpoint begins or has ended: nothing tells that by itself.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// How long a checkpoint may take to begin, and then to end.
const PATIENCE: Duration = Duration::from_mins(10);

/// What stands before the number in the name of a generation's directory.
const PREFIX: &str = "state.";

/// When a server makes a checkpoint.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Due {
    /// As late as a configuration can have it: after a GiB of journal.
    Late,
    /// As soon as the journal is as long as the generation before it.
    Soon,
    /// After so many KiB of journal, or when it is as long as the generation before it.
    After(u32),
}

impl Due {
    /// The whole configuration of such a server, which is that of many machines besides.
    pub(crate) fn config(self) -> String {
        let kib = match self {
            Self::Late => 1 << 20,
            Self::Soon => 16,
            Self::After(kib) => kib,
        };
        format!("{MANY_MACHINES}[journal]\ncheckpoint_kib = {kib}\n")
    }
}

/// Looks at a server's generations.
pub(crate) struct Generations {
    data: PathBuf,
    line: Line,
}

impl Generations {
    /// Those of a server whose data directory can be seen.
    pub(crate) async fn of(site: &Site) -> Result<Self, SwarmError> {
        let data = site.data();
        Ok(Self {
            data: data.ok_or_else(|| SwarmError::because("looking at generations", "there is no data directory"))?,
            line: site.administrator().await?,
        })
    }

    /// Waits until a server makes no checkpoint; whether that could be seen.
    pub(crate) async fn settled(site: &Site) -> Result<bool, SwarmError> {
        if site.data().is_none() {
            return Ok(false);
        }
        let mut generations = Self::of(site).await?;
        if let Some(newest) = newest(&generations.data)? {
            generations.made_up_to(newest).await?;
        }
        generations.close().await;
        Ok(true)
    }

    /// The number of the last checkpoint that was made; 0 before the first.
    ///
    /// # Errors
    /// One failed.
    pub(crate) async fn made(&mut self) -> Result<u64, SwarmError> {
        let asked = "how checkpoints go";
        let answer = self.line.request(&Request::Status(views::Status {})).await;
        match granted(asked, answer)? {
            Response::Status(status) => match status.checkpoint {
                Some(views::CheckpointRow { failure: Some(why), .. }) => {
                    Err(SwarmError::because("making a checkpoint", why))
                }
                row => Ok(row.map_or(0, |row| row.generation)),
            },
            other => Err(SwarmError::because(asked, format!("{other:?}"))),
        }
    }

    /// Waits until a checkpoint above this one is being made: its number.
    pub(crate) async fn begun_after(&self, number: u64) -> Result<u64, SwarmError> {
        let began = Moment::now();
        while began.ago() < PATIENCE {
            if let Some(newest) = newest(&self.data)?.filter(|&newest| newest > number) {
                return Ok(newest);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err(SwarmError::because("waiting for a checkpoint", "none began"))
    }

    /// Waits until checkpoint `number` counts, and what it makes needless is gone.
    pub(crate) async fn made_up_to(&mut self, number: u64) -> Result<(), SwarmError> {
        let began = Moment::now();
        while began.ago() < PATIENCE {
            if self.made().await? >= number {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Err(SwarmError::because("waiting for a checkpoint", "it did not end"))
    }

    /// The data directory.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The directory of generation `number`.
    pub(crate) fn dir(&self, number: u64) -> PathBuf {
        self.data.join(format!("{PREFIX}{number}"))
    }

    /// Hangs up.
    pub(crate) async fn close(self) {
        self.line.close().await;
    }
}

/// Has a server of ours that makes none by itself make a checkpoint now, and waits until it is made: its number. Its journal
/// is as long as its last generation.
pub(crate) async fn make_one(site: &Site) -> Result<u64, SwarmError> {
    let mut generations = Generations::of(site).await?;
    let before = generations.made().await?;
    site.reconfigure(&Due::Soon.config()).await?;
    let number = generations.begun_after(before).await?;
    generations.made_up_to(number).await?;
    site.reconfigure(&Due::Late.config()).await?;
    generations.close().await;
    Ok(number)
}

/// The directory of the newest generation of a server that is not running.
pub(crate) fn newest_dir(home: &Home) -> Result<PathBuf, SwarmError> {
    let number =
        newest(home.data())?.ok_or_else(|| SwarmError::because("looking for a generation", "there is none"))?;
    Ok(home.data().join(format!("{PREFIX}{number}")))
}

/// The number of the newest generation of which there is anything.
fn newest(data: &Path) -> Result<Option<u64>, SwarmError> {
    let looking = || -> std::io::Result<Option<u64>> {
        let mut newest = None;
        for entry in std::fs::read_dir(data)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
            newest = newest.max(number);
        }
        Ok(newest)
    };
    looking().map_err(|error| SwarmError::of("looking for generations")(&error))
}

/// Bytes of all files in a directory and below it.
pub(crate) fn len_of(dir: &Path) -> std::io::Result<u64> {
    let mut len = 0;
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        len += if path.is_dir() {
            len_of(&path)?
        } else {
            path.metadata()?.len()
        };
    }
    Ok(len)
}
