//! Writes a backup's archive: a tar file that any `tar` lists, whose list is filled in last.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::form::{LIST, LIST_SUM, Listing, Member, PACKED};

/// The unit of a tar file, in bytes.
const BLOCK_LEN: usize = 512;
pub(super) const BLOCK: u64 = BLOCK_LEN as u64;

/// Bytes of a member in the list, at most, without its name: the rest of its object in JSON.
const MEMBER_LIST_LEN: u64 = 208;

/// Bytes of the list without its members, at most.
const LIST_LEN: u64 = 2 << 10;

/// Bytes that are taken at a time.
const CHUNK: usize = 256 << 10;

/// An archive that is being written.
pub(super) struct Writer {
    file: BufWriter<File>,
    made_at: u64,
    list_len: u64,
    members: Vec<Member>,
}

impl Writer {
    /// Begins an archive in an empty file, with room for a list of as many members as `names`.
    pub(super) fn begin(file: File, made_at: u64, names: impl Iterator<Item = usize>) -> io::Result<Self> {
        let list_len = LIST_LEN + names.map(|len| len as u64 + MEMBER_LIST_LEN).sum::<u64>();
        let mut writer = Self {
            file: BufWriter::new(file),
            made_at,
            list_len: list_len.next_multiple_of(BLOCK),
            members: Vec::new(),
        };
        // Its place; what it says is not known yet.
        let room = BLOCK + writer.list_len + BLOCK + padded(sum_len());
        io::copy(&mut io::repeat(0).take(room), &mut writer.file)?;
        Ok(writer)
    }

    /// Adds a file, compressed unless it is already; `told` is told of its bytes.
    pub(super) fn add(
        &mut self,
        name: &str,
        is_packed: bool,
        from: &mut dyn Read,
        told: &mut dyn FnMut(u64),
    ) -> io::Result<()> {
        let at = self.file.stream_position()?;
        self.file.write_all(&[0; BLOCK_LEN])?;
        let mut counted = Counted::new(&mut self.file);
        let (member, unpacked_length) = if is_packed {
            let mut packing = GzEncoder::new(&mut counted, Compression::fast());
            let len = copy(from, &mut packing, told)?;
            packing.finish()?;
            (format!("{name}{PACKED}"), Some(len))
        } else {
            copy(from, &mut counted, told)?;
            (name.to_owned(), None)
        };
        let (length, sha256) = counted.end();
        io::copy(&mut io::repeat(0).take(padded(length) - length), &mut self.file)?;
        let end = self.file.stream_position()?;
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(&header(&member, length, self.made_at)?)?;
        self.file.seek(SeekFrom::Start(end))?;
        self.members.push(Member {
            name: member,
            length,
            sha256,
            unpacked_length,
        });
        Ok(())
    }

    /// Ends the archive, fills in the list, and returns when all of it is on stable storage.
    pub(super) fn end(mut self, mut listing: Listing) -> io::Result<(File, Listing)> {
        self.file.write_all(&[0; 2 * BLOCK_LEN])?;
        listing.members = self.members;
        let mut text = serde_json::to_string_pretty(&listing)?.into_bytes();
        let missing = usize::try_from(self.list_len)
            .ok()
            .and_then(|len| len.checked_sub(text.len()));
        let missing =
            missing.ok_or_else(|| io::Error::other("the list is longer than the room that is kept for it"))?;
        // Empty lines fill up what is not needed.
        text.extend(std::iter::repeat_n(b'\n', missing));
        let sum = sum_text(&text);
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&header(LIST, text.len() as u64, self.made_at)?)?;
        self.file.write_all(&text)?;
        self.file
            .write_all(&header(LIST_SUM, sum.len() as u64, self.made_at)?)?;
        self.file.write_all(sum.as_bytes())?;
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok((file, listing))
    }
}

/// What the second member says of the first.
pub(super) fn sum_text(list: &[u8]) -> String {
    format!("{}  {LIST}\n", data_encoding::HEXLOWER.encode(&Sha256::digest(list)))
}

/// Bytes of that text.
pub(super) fn sum_len() -> u64 {
    64 + 2 + LIST.len() as u64 + 1
}

/// Bytes that a member of so many takes up, without its header.
pub(super) const fn padded(len: u64) -> u64 {
    len.next_multiple_of(BLOCK)
}

fn header(name: &str, len: u64, made_at: u64) -> io::Result<[u8; BLOCK_LEN]> {
    let mut header = tar::Header::new_gnu();
    header.set_path(name)?;
    header.set_mode(0o600);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(len);
    header.set_mtime(made_at);
    header.set_entry_type(tar::EntryType::Regular);
    header.set_cksum();
    Ok(*header.as_bytes())
}

fn copy(from: &mut dyn Read, to: &mut dyn Write, told: &mut dyn FnMut(u64)) -> io::Result<u64> {
    let mut chunk = vec![0; CHUNK];
    let mut total = 0;
    loop {
        let len = from.read(&mut chunk)?;
        let Some(read) = chunk.get(..len).filter(|read| !read.is_empty()) else {
            return Ok(total);
        };
        to.write_all(read)?;
        total += len as u64;
        told(len as u64);
    }
}

/// Counts and hashes what is written through it.
struct Counted<W> {
    to: W,
    len: u64,
    hash: Sha256,
}

impl<W: Write> Counted<W> {
    fn new(to: W) -> Self {
        Self {
            to,
            len: 0,
            hash: Sha256::new(),
        }
    }

    fn end(self) -> (u64, String) {
        (self.len, data_encoding::HEXLOWER.encode(&self.hash.finalize()))
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = self.to.write(bytes)?;
        self.len += len as u64;
        self.hash.update(bytes.get(..len).unwrap_or_default());
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
