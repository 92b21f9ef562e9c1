//! The request behind an error, and what can be said of it.

use alloc::boxed::Box;
use core::fmt::{self, Write as _};

use crate::attr::{Attrs, Parts, Row, Scope, Shape, Wiped};
use crate::layout::Field as _;
use crate::message::{HEADER_LEN, Message, MessageFlags, Messages};
use crate::request::MessageInfo;
use crate::trace::Tree;

/// Bytes of text that name an object, and that list what was sent.
const SUBJECT: usize = 200;
const LIST: usize = 400;

/// What was asked: the request's bytes and what its message is. There may be a key in it.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(super) info: &'static MessageInfo,
    pub(super) bytes: Wiped,
}

impl Asked {
    pub(crate) fn new(info: &'static MessageInfo, bytes: &[u8]) -> Self {
        let mut bytes: Box<[u8]> = bytes.into();
        // What was never sent has no length yet.
        if let Ok(length) = u32::try_from(bytes.len()) {
            length.store(&mut bytes, 0);
        }
        Self { info, bytes: bytes.into() }
    }

    fn message(&self) -> Option<Message<'_>> {
        Messages::new(&self.bytes).next()?.ok()
    }

    pub(super) fn has(&self, flags: MessageFlags) -> bool {
        self.message().is_some_and(|message| message.header.flags.contains(flags))
    }

    fn attrs(&self) -> (&[u8], &[u8]) {
        let body = self.bytes.get(HEADER_LEN..).unwrap_or_default();
        let fixed = self.info.header.size.next_multiple_of(4).min(body.len());
        body.split_at_checked(fixed).unwrap_or_default()
    }

    /// Writes which object it is about, behind a space; whether anything is known of that.
    pub(super) fn subject(&self, f: &mut fmt::Formatter<'_>) -> Result<bool, fmt::Error> {
        bounded(f, " ", SUBJECT, Subject(self))
    }

    /// Lists what was sent; keys show as their length.
    pub(super) fn list(&self, f: &mut fmt::Formatter<'_>) -> Result<bool, fmt::Error> {
        bounded(f, "; sent: ", LIST, Sent(self))
    }

    /// The names the kernel was given to look up; whether there were any.
    pub(super) fn names(&self, f: &mut fmt::Formatter<'_>) -> Result<bool, fmt::Error> {
        let mut any = false;
        for attr in Attrs::new(self.attrs().1).flatten() {
            if let Some(Row { c_name, shape: Shape::Named(show), .. }) = self.info.table.row(attr.number) {
                write!(f, "; with {c_name} = ")?;
                show(attr.payload, f)?;
                any = true;
            }
        }
        Ok(any)
    }

    /// The error, and where a tree is wanted (`{:#?}`) the whole request.
    pub(super) fn debug(&self, error: &dyn fmt::Display, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{error}")?;
        if f.alternate() { write!(f, "\n{}", Tree::new(&self.bytes, Some(self.info))) } else { Ok(()) }
    }
}

/// The object's own name or address. A list is about none.
struct Subject<'a>(&'a Asked);

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.info.subject, self.0.message()) {
            (Some(subject), Some(message)) if !message.header.flags.contains(MessageFlags::DUMP) => {
                subject(&message, f)
            }
            _ => Ok(()),
        }
    }
}

/// `IFLA_IFNAME "cni0", IFLA_LINKINFO { IFLA_INFO_KIND "bridge" }`.
struct Sent<'a>(&'a Asked);

impl fmt::Display for Sent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (header, attrs) = self.0.attrs();
        let scope = Scope::new(header, Attrs::new(attrs));
        attributes(f, Parts::new(Shape::Set(self.0.info.table), scope))
    }
}

fn attributes(f: &mut fmt::Formatter<'_>, parts: Parts<'_>) -> fmt::Result {
    let mut gap = "";
    for part in parts.flatten() {
        f.write_str(core::mem::replace(&mut gap, ", "))?;
        match (part.attr, part.row) {
            (_, Some(row)) => write!(f, "{} ", row.c_name)?,
            (Some(attr), None) => write!(f, "[{}] ", attr.number)?,
            (None, None) => {}
        }
        match (part.shape, part.parts()) {
            (Some(Shape::Value(show) | Shape::Named(show)), _) => show(part.payload(), f)?,
            (_, Some(parts)) => {
                f.write_str("{ ")?;
                attributes(f, parts)?;
                f.write_str(if part.payload().is_empty() { "}" } else { " }" })?;
            }
            // What is not known may be a key.
            _ => write!(f, "<{} bytes>", part.payload().len())?,
        }
    }
    Ok(())
}

/// Writes at most so many bytes of a text, behind what introduces it; whether there is any text.
fn bounded(
    f: &mut fmt::Formatter<'_>,
    before: &'static str,
    most: usize,
    text: impl fmt::Display,
) -> Result<bool, fmt::Error> {
    let mut out = Bounded { f, before: Some(before), left: most };
    let whole = write!(out, "{text}");
    let any = out.before.is_none();
    if whole.is_err() {
        f.write_str("…")?;
    }
    Ok(any)
}

/// Fails where the room ends, so that nobody goes on with a text that is not shown.
struct Bounded<'f, 'o> {
    f: &'f mut fmt::Formatter<'o>,
    before: Option<&'static str>,
    left: usize,
}

impl fmt::Write for Bounded<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.is_empty() {
            return Ok(());
        }
        self.f.write_str(self.before.take().unwrap_or_default())?;
        let mut end = self.left.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.f.write_str(text.get(..end).unwrap_or_default())?;
        self.left -= end;
        if end < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}
