//! Attributes: walking them, reading and writing their payloads, and the tables that describe them.

mod set;
mod table;
mod writer;

use core::fmt;

pub use set::{Fields, index_room, numbers};
pub(crate) use table::records;
pub use table::{Row, Shape, Table, debug, same};
pub use writer::{Unsendable, Writer};

/// Set on an attribute that holds attributes. Kernels since 5.2 demand it where they check strictly.
pub const NLA_F_NESTED: u16 = 1 << 15;
/// Set by a few families on integers in network byte order.
pub const NLA_F_NET_BYTEORDER: u16 = 1 << 14;
/// The bits of `nla_type` that are the attribute's number.
pub const NLA_TYPE_MASK: u16 = !(NLA_F_NESTED | NLA_F_NET_BYTEORDER);

const ATTR_HEADER: usize = 4;

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
/// Up to three bytes of rest are padding. A header that claims more than there is, or less than itself,
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

    /// The payload of the first attribute of this number, if the run holds one.
    pub fn find(mut self, number: u16) -> Option<&'a [u8]> {
        self.find_map(|attr| attr.ok().filter(|attr| attr.number == number)).map(|attr| attr.payload)
    }
}

impl<'a> Iterator for Attrs<'a> {
    type Item = Result<Attr<'a>, Malformed>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let word = u32::from_ne_bytes(*self.rest.first_chunk::<ATTR_HEADER>()?);
        let (length, kind) = split_header(word);
        let Some(payload) = self.rest.get(ATTR_HEADER..length) else {
            let left = self.rest.len();
            self.rest = &[];
            return Some(Err(Malformed::Attribute { claims: length, left }));
        };
        self.rest = self.rest.get(align4(length)..).unwrap_or_default();
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

/// Length and type of a `struct nlattr` that was loaded as one word.
#[inline(always)]
#[allow(clippy::cast_possible_truncation)]
const fn split_header(word: u32) -> (usize, u16) {
    let (low, high) = (word as u16, (word >> 16) as u16);
    if cfg!(target_endian = "little") { (low as usize, high) } else { (high as usize, low) }
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
}

impl Scope<'_> {
    /// First byte of the fixed header: the address family in most protocols. 0 without a header.
    #[inline]
    pub fn family(&self) -> u8 {
        self.header.first().copied().unwrap_or_default()
    }
}

/// Which payloads a type takes; checked once, when a set is read.
#[derive(Clone, Copy)]
pub struct Rule {
    /// A bit per length below 64 that is right without a further question: one load and one branch, whatever
    /// the type.
    lengths: u64,
    further: Further,
}

#[derive(Clone, Copy)]
enum Further {
    NoRow,
    /// So many bytes are wanted; that is right.
    AtLeast(u16),
    /// So many bytes are wanted; what is right is said by the bits.
    Exact(u16),
    Check(Check),
    Set(&'static [Rule], &'static Table),
}

/// Reads a payload for nothing but the error.
pub type Check = fn(&[u8], &Scope<'_>) -> Result<(), DecodeError>;

impl Rule {
    /// No type: the number has no row.
    pub const NO_ROW: Self = Self { lengths: 0, further: Further::NoRow };

    /// Four bytes or sixteen.
    pub const IP: Self = Self { lengths: 1 << 4 | 1 << 16, further: Further::Exact(16) };

    /// So many bytes or more: kernels make structs longer, never shorter.
    #[allow(clippy::cast_possible_truncation)]
    pub const fn at_least(bytes: usize) -> Self {
        assert!(bytes < u16::MAX as usize);
        let lengths = if bytes < 64 { u64::MAX << bytes } else { 0 };
        Self { lengths, further: Further::AtLeast(bytes as u16) }
    }

    /// Whatever the function says.
    pub const fn check(check: Check) -> Self {
        Self { lengths: 0, further: Further::Check(check) }
    }

    /// A set of attributes with these rules.
    pub const fn set(rules: &'static [Self], table: &'static Table) -> Self {
        Self { lengths: 0, further: Further::Set(rules, table) }
    }

    /// Whether the length alone settles it.
    #[inline(always)]
    fn fits(&self, length: usize) -> bool {
        length < 64 && self.lengths >> length & 1 != 0
    }

    /// What the length alone doesn't settle; `false` for a number without a row. The scope comes by value: a
    /// reference would keep the caller's in memory.
    #[inline(never)]
    fn ask(
        &self,
        payload: &[u8],
        scope: Scope<'_>,
        table: &'static Table,
        number: u16,
    ) -> Result<bool, DecodeError> {
        let got = payload.len();
        let result = match self.further {
            Further::NoRow => return Ok(false),
            Further::Check(check) => check(payload, &scope),
            Further::Set(rules, table) => set::check(payload, scope.header, rules, table),
            Further::AtLeast(want) if got >= usize::from(want) => Ok(()),
            Further::AtLeast(want) | Further::Exact(want) => {
                Err(Malformed::Length { want: usize::from(want), got }.into())
            }
        };
        match result {
            Ok(()) => Ok(true),
            Err(error) => Err(error.within(table.c_name(number))),
        }
    }
}

/// A type that an attribute can carry.
///
/// What `encode` writes, `decode` reads back equal.
pub trait Payload<'a>: Sized {
    /// Flags on the attribute's type when written: [`NLA_F_NESTED`] for sets.
    const FLAGS: u16 = 0;
    /// Which payloads it takes: `decode` must succeed on them.
    const RULE: Rule;
    /// What tools can know about the type.
    const SHAPE: Shape;

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
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
