//! `export`: how everything stands that a viewer may see and what happened, as one JSON document for other programs, read and
//! written a page at a time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::args::{ExportOptions, Global};
use super::error::CliError;
use super::files::place;
use super::output::{self, rfc3339};
use super::session::Session;
use super::{admin, events, licenses, products, reservations, seats, status};
use crate::domain::time::Timestamp;
use crate::whole_file;

/// The version of the document's form. It is raised where something is renamed or taken out; what is added does not.
const FORM: u32 = 1;

/// How the document begins; the lists follow.
#[derive(Serialize)]
struct Head {
    export_form: u32,
    exported_at: Option<String>,
    status: status::Told,
    vendors: Vec<status::Vendor>,
}

pub(super) async fn run(global: &Global, options: ExportOptions) -> Result<(), CliError> {
    let mut session = Session::open(global).await?;
    let mut document = Document::begin(options.out.as_deref(), options.force)?;
    let status = status::ask(&mut session).await?;
    let wanting = status::Wanting::ask(&mut session, &status).await?;
    document.head(&Head {
        export_form: FORM,
        exported_at: rfc3339(Some(Timestamp(status.server_time))),
        vendors: status::vendors(&status),
        status: status::told(global, &session, (&status, &wanting), None),
    })?;
    document.list("products")?;
    products::pages(&mut session, |page| document.rows(page.iter().map(products::Row::from))).await?;
    document.list("licenses")?;
    licenses::pages(&mut session, |page| document.rows(page.iter().map(licenses::Row::from))).await?;
    document.list("seats")?;
    seats::pages(&mut session, (None, None), |page| {
        document.rows(page.iter().map(seats::Row::from))
    })
    .await?;
    document.list("reservations")?;
    reservations::pages(&mut session, |page| {
        document.rows(page.iter().map(reservations::Row::from))
    })
    .await?;
    document.list("administrators")?;
    admin::pages(&mut session, |page| document.rows(page.iter().map(admin::Row::from))).await?;
    if !options.without_events {
        document.list("events")?;
        events::pages(&mut session, |page| document.rows(page.iter().map(events::Row::from))).await?;
    }
    document.end()
}

/// A document that is being written. Cut off by a failure it is not closed, so that nobody takes it for the whole; a file
/// gets its name only when it is.
struct Document {
    to: Place,
    /// Rows of the list that is open; nothing where none is.
    rows: Option<u64>,
}

enum Place {
    Out,
    File {
        draft: BufWriter<File>,
        name: DraftName,
        path: PathBuf,
        /// Whether it may take the place of another file.
        force: bool,
    },
}

/// The name of a file that is not whole. After a rename there is none; else it goes with this.
struct DraftName(PathBuf);

impl Drop for DraftName {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

impl Document {
    fn begin(out: Option<&Path>, force: bool) -> Result<Self, CliError> {
        let Some(path) = out else {
            return Ok(Self {
                to: Place::Out,
                rows: None,
            });
        };
        if !force && fs::symlink_metadata(path).is_ok() {
            return Err(is_there(path));
        }
        let mut draft_path = path.as_os_str().to_owned();
        draft_path.push(format!(".{}.new", std::process::id()));
        let draft_path = PathBuf::from(draft_path);
        let mut options = OpenOptions::new();
        // Nobody else's file, and not where a link leads.
        options.write(true).create_new(true);
        // It tells who holds what.
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        // One of the same name is from a process that died: this process id is ours now.
        drop(fs::remove_file(&draft_path));
        let draft = options
            .open(&draft_path)
            .map_err(|error| CliError::because(format!("cannot write {}", path.display()), error))?;
        Ok(Self {
            to: Place::File {
                draft: BufWriter::new(draft),
                name: DraftName(draft_path),
                path: path.to_owned(),
                force,
            },
            rows: None,
        })
    }

    fn head(&mut self, head: &Head) -> Result<(), CliError> {
        if matches!(self.to, Place::Out) {
            output::json_begins();
        }
        let text = output::json_text(head, true)?;
        // The lists go on where its last brace is.
        let open = text.trim_end().strip_suffix('}').unwrap_or(&text).trim_end();
        self.write(open)
    }

    fn list(&mut self, name: &str) -> Result<(), CliError> {
        let end = self.list_end();
        self.rows = Some(0);
        self.write(&format!("{end},\n  \"{name}\": ["))
    }

    /// A row on each line; whether to go on.
    fn rows<T: Serialize>(&mut self, rows: impl Iterator<Item = T>) -> Result<bool, CliError> {
        let mut text = String::new();
        for row in rows {
            let written = self.rows.get_or_insert(0);
            text.push_str(if *written == 0 { "\n    " } else { ",\n    " });
            *written += 1;
            text.push_str(&output::json_text(&row, false)?);
        }
        self.write(&text)?;
        Ok(!matches!(self.to, Place::Out) || output::is_read())
    }

    const fn list_end(&self) -> &'static str {
        match self.rows {
            None => "",
            Some(0) => "]",
            Some(_) => "\n  ]",
        }
    }

    fn end(mut self) -> Result<(), CliError> {
        let end = self.list_end();
        self.write(&format!("{end}\n}}\n"))?;
        let Place::File {
            draft,
            name,
            path,
            force,
        } = self.to
        else {
            return Ok(());
        };
        draft
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .and_then(|()| place(&name.0, &path, force))
            .and_then(|()| whole_file::sync_directory_of(&path))
            .map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => is_there(&path),
                _ => CliError::because(format!("cannot write {}", path.display()), error),
            })
    }

    fn write(&mut self, text: &str) -> Result<(), CliError> {
        match &mut self.to {
            Place::Out => output::write(text),
            Place::File { draft, path, .. } => draft
                .write_all(text.as_bytes())
                .map_err(|error| CliError::because(format!("cannot write {}", path.display()), error)),
        }
    }
}

fn is_there(path: &Path) -> CliError {
    CliError::failed(format!(
        "{} is there already; name another file, or say --force to replace it",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_where_the_draft_goes_is_not_written_through() {
        let dir = tempfile::tempdir().unwrap();
        let [victim, out] = ["victim", "out.json"].map(|name| dir.path().join(name));
        fs::write(&victim, "theirs").unwrap();
        let planted = dir.path().join(format!("out.json.{}.new", std::process::id()));
        std::os::unix::fs::symlink(&victim, &planted).unwrap();
        let mut document = Document::begin(Some(&out), false).unwrap();
        document.write("{").unwrap();
        document.end().unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "theirs");
        assert_eq!(fs::read_to_string(&out).unwrap(), "{\n}\n");
        assert!(!fs::symlink_metadata(&out).unwrap().is_symlink());
        assert_eq!(whole_file::exposure(&File::open(&out).unwrap()).unwrap(), None);
    }
}
