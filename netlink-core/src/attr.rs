//! Attributes: walking them, reading and writing their payloads, and the tables that describe them.

mod index;
mod parts;
mod rule;
mod set;
mod table;
mod writer;

use core::fmt;

pub use index::Places;
pub(crate) use parts::{Part, Parts};
pub(crate) use rule::split;
pub use rule::{Check, Rule};
pub use set::Fields;
pub(crate) use table::Chosen;
pub use table::{Choose, Content, Row, Shape, Table, debug, same};
pub(crate) use writer::Wiped;
pub use writer::{Unsendable, Writer};

/// Set on an attribute that holds attributes. Kernels since 5.2 demand it where they check strictly.
pub const NLA_F_NESTED: u16 = 1 << 15;
/// Set by a few families on integers in network byte order.
pub const NLA_F_NET_BYTEORDER: u16 = 1 << 14;
/// The bits of `nla_type` that are the attribute's number.
pub const NLA_TYPE_MASK: u16 = !(NLA_F_NESTED | NLA_F_NET_BYTEORDER);

const ATTR_HEADER: usize = 4;

/// Sets that may stand around one another. No table nests deeper, so a message that does was not made by one: it can't
/// be read, and what only looks at it shows the sets further in as bytes.
pub const MAX_DEPTH: u8 = 16;

pub(crate) const fn align4(length: usize) -> usize {
    length.saturating_add(3) & !3
}

/// One attribute: number, flags and payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attr<'a> {
    /// The number, without flags.
    pub number: u16,
    /// `NLA_F_NESTED` and `NLA_F_NET_BYTEORDER`, as they came.
    pub flags: u16,
    /// What it carries.
    pub payload: &'a [u8],
}

/// Walks a run of attributes.
///
/// Up to three bytes of rest are padding, whatever they are: the kernel's own walk passes over them. A header that claims more than there is, or less than itself,
/// is an error and ends the walk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attrs<'a> {
    rest: &'a [u8],
}

impl<'a> Attrs<'a> {
    /// Walks `bytes`.
    #[inline]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The bytes not walked yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The payload of the attribute of this number, if the run holds one; of the last one where there are several, as in
    /// the kernel.
    pub fn find(self, number: u16) -> Option<&'a [u8]> {
        let mut found = None;
        walk(self.rest, self.rest, |other, payload, _| {
            if other == usize::from(number) {
                found = Some(payload);
            }
            true
        });
        found
    }
}

impl<'a> Iterator for Attrs<'a> {
    type Item = Result<Attr<'a>, Malformed>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let (header, rest) = self.rest.split_first_chunk::<ATTR_HEADER>()?;
        let (length, kind) = split_header(*header);
        let Some(payload) = rest.get(..length) else {
            let (claims, left) = (length.wrapping_add(ATTR_HEADER), self.rest.len());
            self.rest = &[];
            return Some(Err(Malformed::Attribute { claims, left }));
        };
        self.rest = rest.get(align4(length)..).unwrap_or_default();
        Some(Ok(Attr { number: kind & NLA_TYPE_MASK, flags: kind & !NLA_TYPE_MASK, payload }))
    }
}

/// Why bytes could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// A message header whose length cannot be.
    #[error("a message claims {claims} bytes where {left} are left")]
    Message {
        /// Its length field.
        claims: u32,
        /// The bytes there are.
        left: usize,
    },
    /// An attribute header whose length cannot be.
    #[error("an attribute claims {claims} bytes where {left} are left")]
    Attribute {
        /// Its length field.
        claims: usize,
        /// The bytes there are.
        left: usize,
    },
    /// Too few or too many bytes for the type.
    #[error("{want} bytes wanted, {got} given")]
    Length {
        /// What the type needs.
        want: usize,
        /// What came.
        got: usize,
    },
    /// The bytes have the right length and still mean nothing.
    #[error("{0}")]
    Value(&'static str),
}

/// A [`Malformed`] payload, and the attribute it was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// C name of the innermost attribute or struct; empty while it is not known.
    pub at: &'static str,
    /// What is wrong with it.
    pub why: Malformed,
}

impl DecodeError {
    /// Names the place, unless a place further in is known already.
    #[cold]
    #[must_use]
    pub fn within(self, at: &'static str) -> Self {
        if self.at.is_empty() { Self { at, ..self } } else { self }
    }
}

impl From<Malformed> for DecodeError {
    fn from(why: Malformed) -> Self {
        Self { at: "", why }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.at.is_empty() {
            write!(f, "{}: ", self.at)?;
        }
        self.why.fmt(f)
    }
}

impl core::error::Error for DecodeError {}

/// Length of the payload and type, of a `struct nlattr`. A length field that does not even cover the header
/// wraps around: no set is so long, so the one question whether the payload lies in the set settles both.
#[inline(always)]
#[allow(clippy::cast_possible_truncation)]
const fn split_header(header: [u8; ATTR_HEADER]) -> (usize, u16) {
    // One load.
    let word = u32::from_ne_bytes(header);
    let (low, high) = (word & 0xffff, word >> 16);
    let (length, kind) = if cfg!(target_endian = "little") { (low, high) } else { (high, low) };
    ((length as usize).wrapping_sub(ATTR_HEADER), kind as u16)
}

/// Walks what is left of a set: `each` gets the number, the payload, and where the header stands. The end is
/// `None`; else it stopped at a header that lies, or one that `each` was not content with.
#[inline(always)]
fn walk<'a>(
    set: &'a [u8],
    mut rest: &'a [u8],
    mut each: impl FnMut(usize, &'a [u8], usize) -> bool,
) -> Option<&'a [u8]> {
    while let Some((header, tail)) = rest.split_first_chunk() {
        let (length, kind) = split_header(*header);
        let Some(payload) = tail.get(..length) else { return Some(rest) };
        if !each((kind & NLA_TYPE_MASK).into(), payload, set.len() - rest.len()) {
            return Some(rest);
        }
        // It can't overflow: the payload is there.
        match tail.get(length.wrapping_add(3) & !3..) {
            Some(next) => rest = next,
            None => break,
        }
    }
    None
}

/// What a payload can look up while it is read: the message's fixed header, and the set it stands in.
///
/// Several payloads mean different things beside different neighbours: `IFLA_INFO_DATA` beside
/// `IFLA_INFO_KIND`, `IFLA_AF_SPEC` under another address family.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    /// The bytes of the message's fixed header; its first byte is the address family in rtnetlink. Empty
    /// where the set is looked at on its own.
    pub header: &'a [u8],
    /// All attributes of the set.
    pub set: Attrs<'a>,
    /// How many sets stand around this one.
    pub depth: u8,
}

impl<'a> Scope<'a> {
    /// Around a set that no other one stands around.
    #[inline]
    pub const fn new(header: &'a [u8], set: Attrs<'a>) -> Self {
        Self { header, set, depth: 0 }
    }

    /// The same around a set inside of this one.
    #[inline]
    pub fn inside(&self, set: &'a [u8]) -> Self {
        Self { header: self.header, set: Attrs::new(set), depth: self.depth.saturating_add(1) }
    }

    /// First byte of the fixed header: the address family in most protocols. 0 without a header.
    #[inline]
    pub fn family(&self) -> u8 {
        self.header.first().copied().unwrap_or_default()
    }
}

/// A type that an attribute can carry.
///
/// What `encode` writes, `decode` reads back equal.
pub trait Payload<'a>: Sized {
    /// What a getter gives: the type itself, but for one that only says how a number is written, as
    /// [`Be`](crate::Be) does.
    type Value: From<Self>;
    /// Flags on the attribute's type when written: [`NLA_F_NESTED`] for sets.
    const FLAGS: u16 = 0;
    /// Which payloads it takes: `decode` must succeed on them.
    const RULE: Rule;
    /// What tools can know about the type.
    const SHAPE: Shape;
    /// Whether it holds a key: memory that it was kept in is wiped.
    const SECRET: bool = false;

    /// Reads a payload. Must neither allocate nor panic.
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed>;

    /// Writes the payload; what can't be written is noted with [`Writer::fail`].
    fn encode(&self, out: &mut Writer);

    /// Reads one attribute of a set. For types that look at their neighbours.
    #[inline(always)]
    fn of(attr: Attr<'a>, scope: &Scope<'a>) -> Result<Self, Malformed> {
        let _ = scope;
        Self::decode(attr.payload)
    }

    /// Writes the attribute. For types of a fixed length, and for those that write several.
    #[inline]
    fn put(&self, number: u16, out: &mut Writer) {
        let start = out.open(number | Self::FLAGS);
        self.encode(out);
        out.close(start);
    }
}

/// What a setter of a `T` attribute takes: a `T`, or what stands for one (`&str` for a [`Str`](crate::Str), a
/// builder for the set it builds).
#[diagnostic::on_unimplemented(
    message = "an attribute of type `{T}` can't be set to a `{Self}`",
    note = "where it takes the index of a link, ask for that by name: `nl.call(link::get(name))?.index()`"
)]
pub trait IntoAttr<T> {
    /// The payload.
    fn into_attr(self) -> T;
}

impl<T> IntoAttr<T> for T {
    #[inline]
    fn into_attr(self) -> T {
        self
    }
}

/// Prints bytes as hexadecimal digits.
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Debug for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: [u8; 16] = *b"0123456789abcdef";
        // A text per 32 bytes: a call per byte takes ten times as long.
        self.0.chunks(32).try_for_each(|bytes| {
            let mut text = [0; 64];
            for (digits, byte) in text.chunks_exact_mut(2).zip(bytes) {
                if let ([high, low], Some(h), Some(l)) =
                    (digits, DIGITS.get(usize::from(byte >> 4)), DIGITS.get(usize::from(byte & 15)))
                {
                    (*high, *low) = (*h, *l);
                }
            }
            f.write_str(
                core::str::from_utf8(text.get(..bytes.len() * 2).unwrap_or_default()).unwrap_or_default(),
            )
        })
    }
}
