//! The file layer over the operating system.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::disk::{Disk, DiskFile};

/// The operating system's files, each for its owner alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsDisk;

/// The directory in which a path has its name.
fn whereabouts(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

fn is_missing(path: &Path) -> bool {
    !path.as_os_str().is_empty()
        && fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

impl Disk for OsDisk {
    fn names(&self, dir: &Path) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        // A name that is not text is none of ours.
        entries
            .filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose())
            .collect()
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn read_start(&self, path: &Path, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(len as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        Ok(fs::metadata(path)?.len())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut options = owner_only();
        options.create(true).truncate(true);
        Ok(Box::new(OsFile(options.open(path)?)))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OsFile(owner_only().open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        absent_is_fine(fs::remove_file(path))
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        let made: Vec<&Path> = dir.ancestors().take_while(|one| is_missing(one)).collect();
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(dir)?;
        // What lies in a directory is not there before its name is.
        for one in made.into_iter().rev() {
            self.sync_dir(whereabouts(one))?;
        }
        Ok(())
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        absent_is_fine(fs::remove_dir_all(dir))
    }

    #[cfg(unix)]
    fn room(&self, dir: &Path) -> io::Result<u64> {
        let told = nix::sys::statvfs::statvfs(dir)?;
        // The types of the two differ from one system to another.
        #[expect(clippy::useless_conversion, reason = "they are the same on Linux")]
        let (blocks, bytes) = (u64::from(told.blocks_available()), u64::from(told.fragment_size()));
        Ok(blocks.saturating_mul(bytes))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn sync_tree(&self, dir: &Path) -> io::Result<()> {
        let mut open = vec![dir.to_owned()];
        while let Some(dir) = open.pop() {
            for path in paths_in(&dir)? {
                if path.is_dir() {
                    open.push(path);
                } else {
                    File::open(&path)?.sync_all()?;
                }
            }
            self.sync_dir(&dir)?;
        }
        Ok(())
    }
}

fn paths_in(dir: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(dir)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect()
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// How a file of ours is opened; a new one is for its owner alone.
pub(super) fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[derive(Debug)]
struct OsFile(File);

impl DiskFile for OsFile {
    #[cfg(unix)]
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.0, bytes, at)
    }

    #[cfg(not(unix))]
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        use std::io::{Seek, SeekFrom, Write};
        self.0.seek(SeekFrom::Start(at))?;
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        // `fdatasync`: with the length where it changed, without the times.
        self.0.sync_data()
    }
}
