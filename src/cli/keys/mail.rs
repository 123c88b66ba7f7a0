//! Mails as mail programs write them: parts, encodings, HTML, mails inside mails.

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::{Found, KeyFileError, Search, charset};

/// Mails inside mails, at most.
const DEPTH_MAX: usize = 8;

/// Fields that a mail's header begins with; two of them make a mail of a file.
const FIELDS: [&str; 14] = [
    "cc",
    "content-type",
    "date",
    "delivered-to",
    "from",
    "message-id",
    "mime-version",
    "received",
    "reply-to",
    "return-path",
    "subject",
    "to",
    "x-mozilla-status",
    "x-received",
];

/// Lines that are looked at for them: servers put many before them.
const LINES_MAX: usize = 200;

/// The first line of a mail that was cut from a mailbox file.
const MBOX: &[u8] = b"From ";

/// Whether bytes begin like a mail.
pub(super) fn begins_like_one(bytes: &[u8]) -> bool {
    let lines = without_mbox_line(bytes).split(|byte| *byte == b'\n').take(LINES_MAX);
    let mut fields = 0;
    for line in lines {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let is_continued = line.first().is_some_and(|first| *first == b' ' || *first == b'\t');
        if line.is_empty() || fields >= 2 {
            break;
        }
        if is_continued {
            continue;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return false;
        };
        let name = line.get(..colon).unwrap_or_default();
        if !name.iter().all(u8::is_ascii_graphic) {
            return false;
        }
        let is_known = FIELDS.iter().any(|field| name.eq_ignore_ascii_case(field.as_bytes()));
        fields += usize::from(is_known);
    }
    fields >= 2
}

/// All keys in a mail, in whatever part of it, each once.
pub(super) fn find(bytes: &[u8]) -> Result<Found, KeyFileError> {
    let mut search = Search::default();
    if let Some(mail) = MessageParser::default().parse(without_mbox_line(bytes)) {
        search.mail(&mail, "", 0)?;
    }
    Ok(search.found)
}

fn without_mbox_line(bytes: &[u8]) -> &[u8] {
    if !bytes.starts_with(MBOX) {
        return bytes;
    }
    let end = bytes.iter().position(|byte| *byte == b'\n');
    end.and_then(|end| bytes.get(end + 1..)).unwrap_or_default()
}

impl Search {
    /// Searches a mail's parts in their order; `within` says which mail it is in one of.
    fn mail(&mut self, mail: &Message<'_>, within: &str, depth: usize) -> Result<(), KeyFileError> {
        for part in &mail.parts {
            let name = format!("{within}{}", name_of(part));
            match &part.body {
                PartType::Text(text) => self.text(Some(&name), &cleared(text))?,
                PartType::Html(html) => self.html(&name, html)?,
                PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
                    self.attachment(&name, part, bytes, depth)?;
                }
                PartType::Message(inner) => self.inner(&name, inner, depth)?,
                PartType::Multipart(_) => {}
            }
        }
        Ok(())
    }

    fn inner(&mut self, name: &str, mail: &Message<'_>, depth: usize) -> Result<(), KeyFileError> {
        if depth + 1 == DEPTH_MAX {
            self.pass_over(name, "mails are nested too deep; save the inner one by itself");
            return Ok(());
        }
        self.mail(mail, &format!("{name}: "), depth + 1)
    }

    /// Searches what a mail carries without saying that it is text.
    fn attachment(
        &mut self,
        name: &str,
        part: &MessagePart<'_>,
        bytes: &[u8],
        depth: usize,
    ) -> Result<(), KeyFileError> {
        let kind = part
            .content_type()
            .map(|kind| (kind.ctype(), kind.subtype().unwrap_or_default()));
        match kind {
            // What no key was ever sent in; a logo below each mail is nothing to tell of.
            Some(
                ("image" | "audio" | "video" | "font", _)
                | ("application", "pkcs7-signature" | "x-pkcs7-signature" | "pgp-signature"),
            ) => return Ok(()),
            Some(("application", "pkcs7-mime" | "x-pkcs7-mime" | "pgp-encrypted")) => {
                self.pass_over(
                    name,
                    "it is encrypted; save what your mail program shows as a text file",
                );
                return Ok(());
            }
            Some(_) | None => {}
        }
        if begins_like_one(bytes)
            && let Some(mail) = MessageParser::default().parse(without_mbox_line(bytes))
        {
            return self.inner(name, &mail, depth);
        }
        match charset::decode(bytes) {
            Ok(text) => self.text(Some(name), &text)?,
            Err(what) => self.pass_over(name, what),
        }
        Ok(())
    }
}

/// A part in words: the name of an attachment, or what kind of text it is.
fn name_of(part: &MessagePart<'_>) -> String {
    if let Some(name) = part.attachment_name() {
        return format!("attachment {name}");
    }
    match &part.body {
        PartType::Text(_) => "text".to_owned(),
        PartType::Html(_) => "HTML text".to_owned(),
        PartType::Message(_) => "attached mail".to_owned(),
        PartType::Binary(_) | PartType::InlineBinary(_) | PartType::Multipart(_) => "attachment".to_owned(),
    }
}

/// Text without zeros: UTF-16 that does not say so is taken for another encoding, and its ASCII is there between zeros.
pub(super) fn cleared(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains('\0') {
        text.replace('\0', "").into()
    } else {
        text.into()
    }
}
