//! What root writes into a data directory belongs to whoever runs the server on it.

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::Mode;

use super::error::CliError;

/// What in a data directory is not the server's: states of agents and users whose directory lies inside it, and what a file
/// system of its own has.
const OTHERS: [&str; 3] = ["agent", "lost+found", "user"];

/// Directories of a data directory lie so deep, at most.
const DEPTH_MAX: u32 = 8;

/// Another user than root, who has a directory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Owner {
    uid: u32,
    gid: u32,
}

impl Owner {
    /// Whose a directory is. Nobody where this process is not root, or where it is root's.
    pub(super) fn of(dir: &Path) -> io::Result<Option<Self>> {
        if !nix::unistd::Uid::effective().is_root() {
            return Ok(None);
        }
        let metadata = fs::metadata(dir)?;
        let (uid, gid) = (metadata.uid(), metadata.gid());
        Ok((uid != 0).then_some(Self { uid, gid }))
    }

    /// Gives a directory and what root has in it to the owner: files and directories, and nothing that a link leads to or that
    /// has a name elsewhere, since the owner may have made those.
    pub(super) fn take(self, dir: &Path) -> io::Result<()> {
        let top = File::from(open(dir, flags(), Mode::empty())?);
        self.take_one(&top, &top.metadata()?)?;
        self.take_inside(top.into(), 0)
    }

    fn take_inside(self, dir: OwnedFd, depth: u32) -> io::Result<()> {
        let mut dir = Dir::from_fd(dir)?;
        let names = dir.iter().map(|entry| Ok(entry?.file_name().to_owned()));
        let names: Vec<CString> = names.collect::<Result<_, Errno>>()?;
        for name in names {
            let is_others = depth == 0 && OTHERS.iter().any(|other| name.as_bytes() == other.as_bytes());
            if is_others || [&b"."[..], b".."].contains(&name.as_bytes()) {
                continue;
            }
            let file = match openat(&dir, name.as_c_str(), flags(), Mode::empty()) {
                Ok(file) => File::from(file),
                // A link, a socket, or gone meanwhile.
                Err(Errno::ELOOP | Errno::ENXIO | Errno::ENOENT) => continue,
                Err(error) => return Err(error.into()),
            };
            let metadata = file.metadata()?;
            let is_dir = metadata.is_dir();
            if is_dir || metadata.is_file() && metadata.nlink() == 1 {
                self.take_one(&file, &metadata)?;
            }
            if is_dir && depth < DEPTH_MAX {
                self.take_inside(file.into(), depth + 1)?;
            }
        }
        Ok(())
    }

    fn take_one(self, file: &File, metadata: &fs::Metadata) -> io::Result<()> {
        if metadata.uid() == 0 {
            fchown(file, Some(self.uid), Some(self.gid))?;
        }
        Ok(())
    }
}

/// Nothing that is opened is waited for or followed.
fn flags() -> OFlag {
    OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC
}

/// Gives what root has in a data directory to the user that has the directory. Nothing is done where that is root, by
/// anybody else, and where it is no data directory.
pub(super) fn hand_over(data: &Path) -> Result<(), CliError> {
    if !data.join("FORMAT").exists() {
        return Ok(());
    }
    let cannot = |error| {
        let data = data.display();
        CliError::because(
            format!("cannot give what was written in {data} to the user that has it; run: chown -R USER: {data}"),
            error,
        )
    };
    // Where a link leads, as in a directory of a dynamic user of systemd.
    let data = fs::canonicalize(data).map_err(cannot)?;
    match Owner::of(&data).map_err(cannot)? {
        Some(owner) => owner.take(&data).map_err(cannot),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is made here, and belongs to somebody else where root runs the test.
    fn site() -> (tempfile::TempDir, u32) {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        for made in ["journal", "agent"] {
            fs::create_dir_all(data.join(made)).unwrap();
        }
        for made in ["FORMAT", "LOCK", "journal/one", "agent/identity.pem"] {
            fs::write(data.join(made), made).unwrap();
        }
        fs::write(dir.path().join("outside"), "").unwrap();
        std::os::unix::fs::symlink("../outside", data.join("link")).unwrap();
        fs::hard_link(dir.path().join("outside"), data.join("second-name")).unwrap();
        let own = fs::metadata(&data).unwrap().uid();
        let owner = if own == 0 { 65_534 } else { own };
        std::os::unix::fs::chown(&data, Some(owner), Some(owner)).unwrap();
        (dir, owner)
    }

    #[test]
    fn what_root_wrote_goes_to_the_directorys_owner_and_nothing_that_leads_elsewhere_does() {
        let (dir, owner) = site();
        let own = fs::metadata(dir.path()).unwrap().uid();
        let uid = |name: &str| fs::symlink_metadata(dir.path().join(name)).unwrap().uid();
        // Where it is no data directory nothing is touched.
        fs::rename(dir.path().join("data/FORMAT"), dir.path().join("FORMAT")).unwrap();
        hand_over(&dir.path().join("data")).unwrap();
        assert_eq!(uid("data/LOCK"), own);
        fs::rename(dir.path().join("FORMAT"), dir.path().join("data/FORMAT")).unwrap();
        hand_over(&dir.path().join("data")).unwrap();
        for given in ["data", "data/FORMAT", "data/LOCK", "data/journal", "data/journal/one"] {
            assert_eq!(uid(given), owner, "{given}");
        }
        for kept in [
            "outside",
            "data/link",
            "data/second-name",
            "data/agent",
            "data/agent/identity.pem",
        ] {
            assert_eq!(uid(kept), own, "{kept}");
        }
    }
}
