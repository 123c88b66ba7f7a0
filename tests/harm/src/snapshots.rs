//! Generations in one plain file each, on the simulated disk: whole or garbage until they are synced.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use seatkeeper::store::{Disk, DiskFile, Draft, Row, Snapshot, Snapshots, StoreError};

/// Keeps generations as lists of rows.
#[derive(Clone, Debug)]
pub struct PlainSnapshots {
    disk: Arc<dyn Disk>,
}

impl PlainSnapshots {
    /// On this disk.
    #[must_use]
    pub fn on(disk: Arc<dyn Disk>) -> Self {
        Self { disk }
    }
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io {
        doing: "keeping",
        path,
        source,
    }
}

impl Snapshots for PlainSnapshots {
    fn begin(&self, dir: &Path) -> Result<Box<dyn Draft>, StoreError> {
        self.disk.make_dir(dir).map_err(failed(dir))?;
        let path = dir.join("rows");
        let file = self.disk.create(&path).map_err(failed(&path))?;
        Ok(Box::new(PlainDraft { file, path, end: 0 }))
    }

    fn missing(&self, dir: &Path) -> Result<Option<PathBuf>, StoreError> {
        let path = dir.join("rows");
        match self.disk.len(&path) {
            Ok(_) => Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Some(path)),
            Err(error) => Err(failed(&path)(error)),
        }
    }

    fn open(&self, dir: &Path, _scratch: &Path) -> Result<Box<dyn Snapshot>, StoreError> {
        let path = dir.join("rows");
        let bytes = self.disk.read(&path).map_err(failed(&path))?;
        let mut rows = Vec::new();
        let mut rest = bytes.as_slice();
        while let Some((row, after)) = take(rest).and_then(|(key, rest)| {
            let (record, rest) = take(rest)?;
            Some(((key, record), rest))
        }) {
            rows.push(row);
            rest = after;
        }
        rows.sort();
        Ok(Box::new(PlainCopy { rows }))
    }
}

fn take(bytes: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    let (value, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
    Some((value.to_vec(), rest))
}

#[derive(Debug)]
struct PlainDraft {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    end: u64,
}

impl Draft for PlainDraft {
    fn put(&mut self, rows: Vec<Row>) -> Result<(), StoreError> {
        let mut bytes = Vec::new();
        for (key, record) in rows {
            for part in [key, record] {
                bytes.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
                bytes.extend(part);
            }
        }
        self.file.write_at(self.end, &bytes).map_err(failed(&self.path))?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    fn close(self: Box<Self>) -> Result<(), StoreError> {
        Ok(())
    }
}

#[derive(Debug)]
struct PlainCopy {
    rows: Vec<Row>,
}

impl Snapshot for PlainCopy {
    fn rows_after(&mut self, key: Option<Vec<u8>>) -> Result<Vec<Row>, StoreError> {
        let after = |row: &&Row| key.as_ref().is_none_or(|key| row.0 > *key);
        Ok(self.rows.iter().filter(after).take(7).cloned().collect())
    }
}
