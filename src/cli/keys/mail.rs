//! Mails as mail programs write them: parts, encodings, HTML, mails inside mails.

use mail_parser::{Encoding, Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::{Found, KeyFileError, Search, Wanted, charset, picture, salvage};

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

/// How the line before a mail begins in a mailbox file.
const MBOX: &[u8] = b"From ";

/// Stands near the beginning of S/MIME that is signed and not encrypted: 1.2.840.113549.1.7.2 in DER.
const SIGNED_DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

/// Where it does, in bytes from the beginning.
const SIGNED_DATA_WITHIN: usize = 32;

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

/// All keys in a mail, in whatever part of it, each once; in all mails of a mailbox file.
pub(super) fn find(bytes: &[u8]) -> Result<Found, KeyFileError> {
    let mut search = Search::default();
    let mails = split(bytes);
    for (place, bytes) in (1..).zip(&mails) {
        let within = if mails.len() == 1 {
            String::new()
        } else {
            format!("mail {place}: ")
        };
        if let Some(mail) = MessageParser::default().parse(*bytes) {
            search.mail(&mail, &within, 0)?;
            search.source(bytes, &within)?;
        }
    }
    Ok(search.found)
}

/// The mails of a mailbox file, each behind a line `From ` that a header follows; else the one that the bytes are.
fn split(bytes: &[u8]) -> Vec<&[u8]> {
    let mut mails = Vec::new();
    let (mut begin, mut at) = (0, 0);
    if bytes.starts_with(MBOX) {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let rest = bytes.get(at..).unwrap_or_default();
            if at > 0 && line.starts_with(MBOX) && begins_like_one(rest) {
                mails.push(without_mbox_line(bytes.get(begin..at).unwrap_or_default()));
                begin = at;
            }
            at += line.len();
        }
    }
    mails.push(without_mbox_line(bytes.get(begin..).unwrap_or_default()));
    mails
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
            let raw = mail
                .raw_message
                .get(part.offset_body as usize..part.offset_end as usize);
            match &part.body {
                PartType::Text(_) | PartType::Html(_) if part.is_encoding_problem => {
                    self.damaged(&name, part, raw.unwrap_or_default(), depth)?;
                }
                PartType::Text(text) => self.text(Some(&name), &cleared(text))?,
                PartType::Html(html) => self.html(&name, html)?,
                PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
                    self.attachment(&name, part, bytes, depth)?;
                }
                PartType::Message(inner) => {
                    self.inner(&name, inner, depth)?;
                    // Else it is in the source of the outer one.
                    if part.encoding != Encoding::None {
                        self.source(&inner.raw_message, &format!("{name}: "))?;
                    }
                }
                PartType::Multipart(_) => {}
            }
        }
        Ok(())
    }

    /// Searches a mail as it stands in the file for whole keys: in its header, before its first part and behind its last one.
    fn source(&mut self, bytes: &[u8], within: &str) -> Result<(), KeyFileError> {
        // What is only named like a mail is searched as a text.
        if begins_like_one(bytes) {
            self.keys(
                Some(&format!("{within}source")),
                &charset::as_it_is(bytes),
                Wanted::Whole,
            )?;
        }
        Ok(())
    }

    /// Searches what is left of a part that could not be decoded, or has no end.
    fn damaged(&mut self, name: &str, part: &MessagePart<'_>, raw: &[u8], depth: usize) -> Result<(), KeyFileError> {
        let is_text = !raw.trim_ascii().is_empty() && !is_never_searched(part);
        if !is_text {
            return Ok(());
        }
        self.note_partly(name, "it is damaged or cut; have it sent or save it again");
        let bytes = salvage::decoded(raw, part.content_transfer_encoding());
        if part.content_type().is_some_and(|kind| kind.subtype() == Some("html")) {
            return Ok(self.html(name, &charset::as_it_is(&bytes))?);
        }
        self.attachment(name, part, &bytes, depth)
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
        if is_never_searched(part) {
            return Ok(());
        }
        if let Some("pkcs7-mime" | "x-pkcs7-mime") = part.content_type().and_then(|kind| kind.subtype()) {
            return self.smime(name, bytes);
        }
        if begins_like_one(bytes)
            && let Some(mail) = MessageParser::default().parse(without_mbox_line(bytes))
        {
            self.inner(name, &mail, depth)?;
            return self.source(without_mbox_line(bytes), &format!("{name}: "));
        }
        if let Some(kind) = picture::kind(bytes) {
            *self.found.pictures.entry(kind).or_default() += 1;
            return Ok(());
        }
        match charset::decode(bytes) {
            Ok(text) => self.text(Some(name), &text)?,
            Err(what) => self.pass_over(name, what),
        }
        Ok(())
    }

    /// Searches S/MIME for keys in one piece, where it is only signed.
    fn smime(&mut self, name: &str, bytes: &[u8]) -> Result<(), KeyFileError> {
        let begin = bytes.get(..SIGNED_DATA_WITHIN.min(bytes.len())).unwrap_or_default();
        if !begin.windows(SIGNED_DATA.len()).any(|some| *some == SIGNED_DATA) {
            self.pass_over(
                name,
                "it is encrypted; save what your mail program shows as a text file",
            );
            return Ok(());
        }
        self.note_partly(
            name,
            "it is signed and packed at once (S/MIME): only keys in one piece were found in it; save what your mail program \
             shows as a text file",
        );
        Ok(self.keys(Some(name), &charset::as_it_is(bytes), Wanted::Whole)?)
    }
}

/// Whether no key was ever sent in such a part; a logo below each mail is nothing to tell of, nor is what says that the
/// next part is encrypted.
fn is_never_searched(part: &MessagePart<'_>) -> bool {
    let kind = part
        .content_type()
        .map(|kind| (kind.ctype(), kind.subtype().unwrap_or_default()));
    matches!(
        kind,
        Some(
            ("image" | "audio" | "video" | "font", _)
                | (
                    "application",
                    "pkcs7-signature" | "x-pkcs7-signature" | "pgp-signature" | "pgp-encrypted"
                )
        )
    )
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
