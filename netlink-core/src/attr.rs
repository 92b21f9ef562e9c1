//! Attributes: walking them, reading and writing their payloads, and the tables that describe them.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

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

/// Why a value could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsendable {
    /// The kernel takes less; a `u16` counts the bytes of an attribute.
    #[error("{length} bytes where at most {max} are allowed")]
    TooLong {
        /// What was given.
        length: usize,
        /// What would be allowed.
        max: usize,
    },
    /// Strings end at the first NUL, so the kernel would read another text.
    #[error("a NUL at byte {at}")]
    Nul {
        /// Where it stands.
        at: usize,
    },
    /// A prefix longer than its address.
    #[error("prefix length {length} where at most {max} is allowed")]
    Prefix {
        /// What was given.
        length: u8,
        /// Bits of the address.
        max: u8,
    },
    /// Whatever else the type forbids.
    #[error("{0}")]
    Value(&'static str),
}

/// `struct nlattr`, as one word: a store in pieces would stall the load that copies it.
#[inline]
const fn attr_header(length: u16, number: u16) -> [u8; ATTR_HEADER] {
    let (low, high) = if cfg!(target_endian = "little") { (length, number) } else { (number, length) };
    (low as u32 | (high as u32) << 16).to_ne_bytes()
}

/// Length and type of a `struct nlattr` that was loaded as one word.
#[inline(always)]
#[allow(clippy::cast_possible_truncation)]
const fn split_header(word: u32) -> (usize, u16) {
    let (low, high) = (word as u16, (word >> 16) as u16);
    if cfg!(target_endian = "little") { (low as usize, high) } else { (high as usize, low) }
}

/// A header and its payload, padded to `M` bytes.
#[inline(always)]
fn framed<const N: usize, const M: usize>(header: [u8; ATTR_HEADER], payload: [u8; N]) -> [u8; M] {
    let mut whole = [0; M];
    if let Some((head, rest)) = whole.split_first_chunk_mut() {
        *head = header;
        if let Some(there) = rest.first_chunk_mut() {
            *there = payload;
        }
    }
    whole
}

/// Collects encoded bytes, and remembers the first value that could not be encoded.
///
/// Lengths are patched in after what they count is written, so nothing is measured beforehand.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    error: Option<Box<(usize, Unsendable)>>,
}

impl Writer {
    /// An empty one.
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), error: None }
    }

    /// What was written.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// What was written, taken out.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Bytes written.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The first failure, and the offset of the attribute's payload it happened in.
    pub fn error(&self) -> Option<(usize, Unsendable)> {
        self.error.as_deref().copied()
    }

    /// Itself: builders and requests have one, and their setters are the same code.
    #[doc(hidden)]
    #[inline]
    pub fn writer(&mut self) -> &mut Self {
        self
    }

    /// Forgets everything after `length` bytes, and any error; keeps the memory.
    pub fn truncate(&mut self, length: usize) {
        self.bytes.truncate(length);
        self.error = None;
    }

    /// Notes that the value being written cannot be sent. The first note stays.
    #[cold]
    pub fn fail(&mut self, why: Unsendable) {
        let at = self.bytes.len();
        self.error.get_or_insert_with(|| Box::new((at, why)));
    }

    /// Appends what another writer collected, with its error.
    pub fn append(&mut self, other: &Self) {
        if let Some((at, why)) = other.error() {
            let at = self.bytes.len() + at;
            self.error.get_or_insert_with(|| Box::new((at, why)));
        }
        self.push(&other.bytes);
    }

    /// Appends raw bytes.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) {
        #[cold]
        #[inline(never)]
        #[allow(improper_ctypes_definitions)]
        extern "C" fn grown(mut vec: Vec<u8>, bytes: &[u8]) -> Vec<u8> {
            vec.extend_from_slice(bytes);
            vec
        }
        if self.bytes.capacity().wrapping_sub(self.bytes.len()) >= bytes.len() {
            self.bytes.extend_from_slice(bytes);
        } else {
            self.bytes = grown(core::mem::take(&mut self.bytes), bytes);
        }
    }

    /// Appends an attribute whose payload has a length known when compiling.
    #[inline]
    pub fn put_array<const N: usize>(&mut self, number: u16, payload: [u8; N]) {
        #[allow(clippy::cast_possible_truncation)]
        let length = (ATTR_HEADER + N) as u16;
        let header = attr_header(length, number);
        // The usual lengths in one piece, so that there is one question for room and one store.
        match N {
            1..=4 => self.push_array::<8>(framed(header, payload)),
            5..=8 => self.push_array::<12>(framed(header, payload)),
            13..=16 => self.push_array::<20>(framed(header, payload)),
            _ => {
                self.push(&header);
                self.push(&payload);
                self.pad();
            }
        }
    }

    /// [`push`](Self::push) for lengths known when compiling.
    ///
    /// Growing takes the bytes by value and, being `extern "C"`, doesn't unwind: so nothing here needs the
    /// writer's address, and a request that is built in one function lives in registers. Else each setter writes
    /// it to the stack and the next one waits for it, and encoding a route add takes 16 ns and not 5.
    #[inline(always)]
    fn push_array<const N: usize>(&mut self, bytes: [u8; N]) {
        #[cold]
        #[inline(never)]
        #[allow(improper_ctypes_definitions)]
        extern "C" fn grown<const N: usize>((mut vec, bytes): (Vec<u8>, [u8; N])) -> Vec<u8> {
            vec.extend_from_slice(&bytes);
            vec
        }
        if self.bytes.capacity().wrapping_sub(self.bytes.len()) >= N {
            self.bytes.extend_from_slice(&bytes);
        } else {
            self.bytes = grown((core::mem::take(&mut self.bytes), bytes));
        }
    }

    /// Appends an attribute of any length.
    #[inline]
    pub fn put_bytes(&mut self, number: u16, payload: &[u8]) {
        let start = self.open(number);
        self.push(payload);
        self.close(start);
    }

    /// Starts an attribute; give the result to [`close`](Self::close) once its payload is written.
    #[inline]
    pub fn open(&mut self, number: u16) -> usize {
        let start = self.bytes.len();
        self.push(&attr_header(0, number));
        start
    }

    /// Ends the attribute that began at `start`: fills in its length and pads it.
    #[inline]
    pub fn close(&mut self, start: usize) {
        let length = self.bytes.len().saturating_sub(start);
        match u16::try_from(length) {
            Ok(length) => self.patch(start, length.to_ne_bytes()),
            Err(_) => {
                self.bytes.truncate(start + ATTR_HEADER);
                self.fail(Unsendable::TooLong {
                    length: length - ATTR_HEADER,
                    max: usize::from(u16::MAX) - ATTR_HEADER,
                });
                self.patch(start, [4, 0]);
            }
        }
        self.pad();
    }

    /// Writes an attribute that holds what `body` writes.
    pub fn nest(&mut self, number: u16, body: impl FnOnce(&mut Self)) {
        let start = self.open(number | NLA_F_NESTED);
        body(self);
        self.close(start);
    }

    pub(crate) fn close_message(&mut self, start: usize) {
        match u32::try_from(self.bytes.len().saturating_sub(start)) {
            Ok(length) => self.patch(start, length.to_ne_bytes()),
            Err(_) => self.fail(Unsendable::Value("a message of 4 GiB")),
        }
        self.pad();
    }

    /// Overwrites bytes written before.
    #[inline]
    pub(crate) fn patch<const N: usize>(&mut self, at: usize, bytes: [u8; N]) {
        if let Some(there) = self.bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<N>()) {
            *there = bytes;
        }
    }

    /// The bytes from `at` on, for headers that change after they were written.
    pub(crate) fn tail_mut(&mut self, at: usize) -> &mut [u8] {
        self.bytes.get_mut(at..).unwrap_or_default()
    }

    #[inline]
    fn pad(&mut self) {
        const ZEROS: [u8; 3] = [0; 3];
        let missing = self.bytes.len().wrapping_neg() & 3;
        self.push(ZEROS.get(..missing).unwrap_or_default());
    }
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

/// Rows of one attribute set, as data.
#[derive(Debug)]
pub struct Table {
    /// Rust name of the set.
    pub name: &'static str,
    /// One row per attribute.
    pub rows: &'static [Row],
}

/// One attribute, as data.
#[derive(Debug)]
pub struct Row {
    /// The attribute's number.
    pub number: u16,
    /// The kernel's name for it.
    pub c_name: &'static str,
    /// The field it fills.
    pub field: &'static str,
    /// What it carries.
    pub shape: Shape,
}

impl Table {
    /// The C name of this number; empty without a row.
    pub fn c_name(&self, number: u16) -> &'static str {
        self.row(number).map_or("", |row| row.c_name)
    }

    /// The row of this number.
    pub fn row(&self, number: u16) -> Option<&'static Row> {
        self.rows.iter().find(|row| row.number == number)
    }
}

/// What an attribute carries, as far as tools care: error paths, traces and the comparison with headers.
#[derive(Clone, Copy)]
pub enum Shape {
    /// A value; the function prints it.
    Value(fn(&[u8], &mut fmt::Formatter<'_>) -> fmt::Result),
    /// Attributes.
    Set(&'static Table),
    /// Attributes whose table depends on the neighbours.
    Select(fn(&Scope<'_>) -> Option<&'static Table>),
    /// A run of attributes numbered as an index, each of this shape.
    Indexed(&'static Self),
    /// Attribute sets behind fixed headers of their own; the function tells where the attributes of the
    /// first one begin and where the next one starts.
    Records(&'static Table, fn(&[u8]) -> Option<(usize, usize)>),
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(_) => f.write_str("Value"),
            Self::Set(table) => write!(f, "Set({})", table.name),
            Self::Select(_) => f.write_str("Select"),
            Self::Indexed(shape) => write!(f, "Indexed({shape:?})"),
            Self::Records(table, _) => write!(f, "Records({})", table.name),
        }
    }
}

/// A set of attributes: its bytes, and where each attribute of the table stands in them.
///
/// This is what every `attrs!` type is inside. Nothing is unpacked before it is asked for, and nothing is
/// lost: attributes without a row stay in the bytes.
#[derive(Clone)]
pub struct Fields<'a, const N: usize> {
    wire: &'a [u8],
    built: Built,
    /// Of a small table: where its attributes stand.
    few: Few,
    /// Of a large one, likewise: one more than the attribute's offset in words of four bytes; 0 is absent.
    index: [u16; N],
    /// What [`Scope::family`] was: some payloads mean another thing in another family.
    family: u8,
}

/// One more than the largest number of a table.
#[doc(hidden)]
pub const fn numbers(mut rows: &[usize]) -> usize {
    let mut numbers = 1;
    while let [number, rest @ ..] = rows {
        if *number >= numbers {
            numbers = *number + 1;
        }
        rows = rest;
    }
    numbers
}

/// The room a table needs in [`Fields`], by one more than its largest number.
#[doc(hidden)]
pub const fn index_room(numbers: usize) -> usize {
    if numbers <= Few::NUMBERS { 0 } else { numbers }
}

/// What a builder wrote. Its destructor is one test where nothing was built, so a set read from the wire can
/// live in registers.
#[derive(Clone)]
struct Built(Option<Box<Writer>>);

impl Drop for Built {
    #[inline(always)]
    fn drop(&mut self) {
        #[cold]
        #[inline(never)]
        fn free(writer: Box<Writer>) {
            drop(writer);
        }
        if let Some(writer) = self.0.take() {
            free(writer);
        }
    }
}

impl<'a, const N: usize> Fields<'a, N> {
    /// An empty set.
    pub const EMPTY: Self = Self::new(&[]);

    /// A set of which nothing is known yet; see [`fill`](Self::fill).
    #[inline(always)]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { wire: bytes, built: Built(None), few: Few::NONE, index: [0; N], family: 0 }
    }

    /// Notes where an attribute stands.
    #[inline(always)]
    fn note(&mut self, number: u16, at: usize) {
        if N == 0 {
            self.few.push(number, at);
        } else if let Some(slot) = self.index.get_mut(usize::from(number)) {
            // No message is long enough for more words than that; such a set reads as absent.
            *slot = u16::try_from(at / 4 + 1).unwrap_or_default();
        }
    }

    /// Finds and checks the attributes, also inside of nested sets.
    ///
    /// Inlined with all that it calls on the way of a sound message, so that a set that is looked at where it
    /// is read needs no memory.
    ///
    /// `CHECKED`: this was done before, as part of the set around it, and is not done again. What came from
    /// elsewhere all the same is found out by whoever asks for the attribute.
    #[inline(always)]
    pub fn fill<const CHECKED: bool>(
        &mut self,
        scope: &Scope<'a>,
        rules: &'static [Rule],
        table: &'static Table,
    ) -> Result<(), DecodeError> {
        self.family = scope.family();
        let whole = scope.set.rest();
        let mut rest = whole;
        while let Some(word) = rest.first_chunk() {
            let (length, kind) = split_header(u32::from_ne_bytes(*word));
            let Some(payload) = rest.get(ATTR_HEADER..length) else {
                return Err(broken(length, rest.len()));
            };
            let number = kind & NLA_TYPE_MASK;
            if let Some(rule) = rules.get(usize::from(number)) {
                let good = CHECKED || rule.fits(payload.len()) || rule.ask(payload, *scope, table, number)?;
                if good {
                    self.note(number, whole.len() - rest.len());
                }
            }
            match rest.get(align4(length)..) {
                Some(next) => rest = next,
                None => break,
            }
        }
        if N == 0 {
            self.few.close(whole.len());
        }
        Ok(())
    }

    /// Takes over what a builder wrote, for a table with so many numbers.
    pub fn built(writer: Writer, numbers: usize) -> Self {
        let mut fields = Self::EMPTY;
        let mut attrs = Attrs::new(&writer.bytes);
        loop {
            let at = writer.bytes.len() - attrs.rest().len();
            let Some(Ok(attr)) = attrs.next() else { break };
            if usize::from(attr.number) < numbers {
                fields.note(attr.number, at);
            }
        }
        fields.few.close(writer.len());
        Self { built: Built(Some(Box::new(writer))), ..fields }
    }

    /// The bytes of all attributes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        match &self.built.0 {
            None => self.wire,
            Some(writer) => writer.as_slice(),
        }
    }

    /// All attributes, in the order they stand.
    pub fn attrs(&self) -> Attrs<'_> {
        Attrs::new(self.bytes())
    }

    /// The address family of the message it was read from; 0 when it is not known.
    pub fn family(&self) -> u8 {
        self.family
    }

    /// The attribute of this number; the last one where there are several, as in the kernel.
    #[inline(always)]
    pub fn get<'s, T: Payload<'s>>(&'s self, number: u16) -> Option<T> {
        let bytes = self.bytes();
        let attr = if N == 0 {
            let at = self.few.find(number, bytes)?;
            Attrs::new(bytes.get(at..)?).next()?.ok()?
        } else {
            let word = self.index.get(usize::from(number)).copied().filter(|word| *word != 0)?;
            Attrs::new(bytes.get((usize::from(word) - 1) * 4..)?).next()?.ok()?
        };
        T::of(attr, &Scope { header: family_header(self.family), set: Attrs::new(bytes) }).ok()
    }

    /// The same set without a borrow.
    pub fn into_owned(mut self) -> Fields<'static, N> {
        let writer = self.built.0.take();
        let writer = writer.unwrap_or_else(|| Box::new(Writer { bytes: self.wire.into(), error: None }));
        Fields {
            wire: &[],
            built: Built(Some(writer)),
            few: self.few,
            index: self.index,
            family: self.family,
        }
    }

    /// Writes all attributes.
    pub fn encode(&self, out: &mut Writer) {
        match &self.built.0 {
            None => out.push(self.wire),
            Some(writer) => out.append(writer),
        }
    }
}

#[cold]
#[inline(never)]
fn broken(claims: usize, left: usize) -> DecodeError {
    Malformed::Attribute { claims, left }.into()
}

/// Where the attributes of a small table stand, in three words.
///
/// They stay in registers. A slot per number has to be in memory, and is written two bytes at a time: whoever
/// copies the set next in wider pieces waits for those stores. A route read and every attribute looked at took
/// 39 ns that way and takes 26 this way, read and copied 32 and 14.
#[derive(Clone, Copy)]
struct Few {
    /// A bit per number; the highest if there are too many attributes for the rest.
    present: u64,
    /// The numbers of the attributes, each plus one, in a byte each: the last attribute's is the lowest.
    numbers: u64,
    /// Their offsets in words of four bytes, likewise.
    words: u64,
}

impl Few {
    const NONE: Self = Self { present: 0, numbers: 0, words: 0 };
    /// What a table's numbers must be below.
    const NUMBERS: usize = 63;
    const TOO_MANY: u64 = 1 << 63;
    const EACH: u64 = u64::from_ne_bytes([1; 8]);

    #[inline(always)]
    fn push(&mut self, number: u16, at: usize) {
        self.present |= 1 << (number % 64);
        self.numbers = (self.numbers << 8) | u64::from(number + 1);
        self.words = (self.words << 8) | (at as u64 / 4);
    }

    /// After the last one, of a set this long.
    #[inline(always)]
    fn close(&mut self, length: usize) {
        if self.numbers >> 56 != 0 || length > 1024 {
            self.present |= Self::TOO_MANY;
        }
    }

    /// Offset of the last attribute of this number in `bytes`.
    #[inline(always)]
    fn find(&self, number: u16, bytes: &[u8]) -> Option<usize> {
        if self.present >> (number % 64) & 1 == 0 {
            return None;
        }
        if self.present & Self::TOO_MANY != 0 {
            return search(bytes, number);
        }
        // Of the bytes that equal the number, all but the lowest may be missed: none has its highest bit, and
        // the lowest zero is the first to borrow it.
        let differences = self.numbers ^ Self::EACH.wrapping_mul(u64::from(number + 1));
        let equal = differences.wrapping_sub(Self::EACH) & Self::EACH << 7;
        Some((self.words >> (equal.trailing_zeros() & 0x38) & 0xff) as usize * 4)
    }
}

/// Offset of the last attribute of this number, by looking at all of them.
#[cold]
#[inline(never)]
fn search(bytes: &[u8], number: u16) -> Option<usize> {
    let mut attrs = Attrs::new(bytes);
    let mut found = None;
    loop {
        let at = bytes.len() - attrs.rest().len();
        match attrs.next() {
            Some(Ok(attr)) if attr.number == number => found = Some(at),
            Some(Ok(_)) => {}
            _ => return found,
        }
    }
}

/// A fixed header of nothing but the family. It is static so that a set gives out no pointer into itself,
/// which would keep it in memory.
#[inline(always)]
fn family_header(family: u8) -> &'static [u8] {
    static FAMILIES: [u8; 256] = {
        let mut families = [0u8; 256];
        let mut rest: &mut [u8] = &mut families;
        let mut next = 0u8;
        while let [family, others @ ..] = rest {
            *family = next;
            next = next.wrapping_add(1);
            rest = others;
        }
        families
    };
    FAMILIES.get(usize::from(family)).map_or(&[], core::slice::from_ref)
}

/// Whether two sets hold the same: every attribute with the same payload, in any order.
#[doc(hidden)]
pub fn same(family: u8, table: Option<&'static Table>, a: Attrs<'_>, b: Attrs<'_>) -> bool {
    // What can't be walked to its end is the same only byte by byte.
    if a == b || a.chain(b).any(|attr| attr.is_err()) {
        return a == b;
    }
    if a.count() != b.count() {
        return false;
    }
    fn of(set: Attrs<'_>, number: u16) -> impl Iterator<Item = Attr<'_>> {
        set.flatten().filter(move |attr| attr.number == number)
    }
    a.flatten().all(|attr| {
        let shape = table.and_then(|table| table.row(attr.number)).map(|row| row.shape);
        let inner = match shape {
            Some(Shape::Set(inner)) => Some(inner),
            Some(Shape::Select(select)) => select(&Scope { header: &[family], set: a }),
            _ => None,
        };
        let mut pairs = of(a, attr.number).zip(of(b, attr.number));
        of(a, attr.number).count() == of(b, attr.number).count()
            && pairs.all(|(x, y)| match inner {
                Some(_) => same(family, inner, Attrs::new(x.payload), Attrs::new(y.payload)),
                None => x.payload == y.payload,
            })
    })
}

/// Prints a set by its table: field names, then values, in the order they stand.
#[doc(hidden)]
pub fn debug(f: &mut fmt::Formatter<'_>, family: u8, table: &'static Table, set: Attrs<'_>) -> fmt::Result {
    let mut out = f.debug_struct(table.name);
    for attr in set.flatten() {
        match table.row(attr.number) {
            Some(row) => {
                out.field(row.field, &Shown { family, shape: row.shape, payload: attr.payload, set })
            }
            None => out.field("unknown", &format_args!("{}: {}", attr.number, Hex(attr.payload))),
        };
    }
    out.finish()
}

struct Shown<'a> {
    family: u8,
    shape: Shape,
    payload: &'a [u8],
    set: Attrs<'a>,
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = match self.shape {
            Shape::Value(show) => return show(self.payload, f),
            Shape::Set(table) => Some(table),
            Shape::Select(select) => select(&Scope { header: &[self.family], set: self.set }),
            Shape::Indexed(item) => {
                let items = Attrs::new(self.payload).flatten().map(|attr| attr.payload);
                let items = items.map(|payload| Shown { shape: *item, payload, ..*self });
                return f.debug_list().entries(items).finish();
            }
            Shape::Records(table, find) => {
                let records = records(self.payload, find);
                let sets =
                    records.map(|(_, attrs)| Shown { shape: Shape::Set(table), payload: attrs, ..*self });
                return f.debug_list().entries(sets).finish();
            }
        };
        match table {
            Some(table) => debug(f, self.family, table, Attrs::new(self.payload)),
            None => fmt::Display::fmt(&Hex(self.payload), f),
        }
    }
}

/// The records of a [`Shape::Records`] payload: fixed header and attributes of each.
pub(crate) fn records(
    mut bytes: &[u8],
    find: fn(&[u8]) -> Option<(usize, usize)>,
) -> impl Iterator<Item = (&[u8], &[u8])> {
    core::iter::from_fn(move || {
        let (start, next) = find(bytes).filter(|(_, next)| *next > 0)?;
        let record = bytes.get(..next).unwrap_or(bytes);
        bytes = bytes.get(next..).unwrap_or_default();
        Some(record.split_at_checked(start).unwrap_or((record, &[])))
    })
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

/// Declares a set of attributes: one row per attribute.
///
/// ```
/// use netlink_core::{Payload, Str, attrs};
///
/// attrs! {
///     /// `IFLA_*`, two of them.
///     pub struct LinkAttrs<'a> for Link {
///         /// The name: at most 15 bytes.
///         3 IFLA_IFNAME name: Str<'a, 15>,
///         /// Largest packet, in bytes.
///         4 IFLA_MTU mtu: u32,
///     }
/// }
///
/// let link = LinkAttrs::decode(&[8, 0, 4, 0, 0xdc, 5, 0, 0])?;
/// assert_eq!(link.mtu(), Some(1500));
/// assert_eq!(link.name(), None);
/// assert_eq!(Link::new().mtu(1500).attrs(), link);
/// # Ok::<(), netlink_core::Malformed>(())
/// ```
///
/// A row is `number C_NAME field: Type,` under its doc comment, and `Type` is a
/// [`Payload`](crate::Payload). It makes a getter on the set, a setter of the same name on its builder, the
/// check of its payload, its debug output, and an entry in the set's [`Table`](crate::Table).
///
/// With `struct Name<'a> for NameRequest<R>`, the setters stand on the request that
/// [`message!`](crate::message!) declares under that name, and append to its message at once.
#[macro_export]
macro_rules! attrs {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident<$a:lifetime> for $builder:ident { $($rows:tt)* }
    ) => {
        $crate::__attr_set! { [$(#[$meta])*] $vis $name $a $($rows)* }
        $crate::__attr_setters! { $builder [] $($rows)* }

        $(#[$meta])*
        ///
        /// This builds a set; each setter appends its attribute.
        #[derive(Clone, Default)]
        #[must_use]
        $vis struct $builder($crate::Writer);

        #[allow(unreachable_pub, dead_code)]
        impl $builder {
            /// An empty set.
            pub const fn new() -> Self {
                Self($crate::Writer::new())
            }

            /// Appends any attribute; for those without a setter.
            pub fn attr<'x>(mut self, number: u16, payload: &impl $crate::Payload<'x>) -> Self {
                payload.put(number, &mut self.0);
                self
            }

            /// What was built, to look at.
            pub fn attrs(self) -> $name<'static> {
                $name($crate::attr::Fields::built(self.0, $name::RULES.len()))
            }
        }

        impl<'x> $crate::IntoAttr<$name<'x>> for $builder {
            fn into_attr(self) -> $name<'x> {
                self.attrs()
            }
        }

        impl ::core::fmt::Debug for $builder {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::attr::debug(f, 0, $name::TABLE, $crate::Attrs::new(self.0.as_slice()))
            }
        }

        impl PartialEq for $builder {
            fn eq(&self, other: &Self) -> bool {
                let attrs = |set: &Self| $crate::Attrs::new(set.0.as_slice()).rest().len();
                attrs(self) == attrs(other)
                    && $crate::attr::same(
                        0,
                        Some($name::TABLE),
                        $crate::Attrs::new(self.0.as_slice()),
                        $crate::Attrs::new(other.0.as_slice()),
                    )
            }
        }
    };
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident<$a:lifetime> for $request:ident<$r:ident> { $($rows:tt)* }
    ) => {
        $crate::__attr_set! { [$(#[$meta])*] $vis $name $a $($rows)* }
        $crate::__attr_setters! { $request [$r] $($rows)* }
    };
}

/// The reading side of [`attrs!`](crate::attrs).
#[macro_export]
#[doc(hidden)]
macro_rules! __attr_set {
    (
        [$(#[$meta:meta])*] $vis:vis $name:ident $a:lifetime
        $( $(#[$row:meta])* $number:literal $c_name:ident $field:ident: $type:ty, )*
    ) => {
        $(#[$meta])*
        #[derive(Clone)]
        $vis struct $name<$a>(
            $crate::attr::Fields<$a, {
                $crate::attr::index_room($crate::attr::numbers(&[$( $number, )*]))
            }>,
        );

        #[allow(unreachable_pub, dead_code)]
        impl $name<'_> {
            $(
                $(#[$row])*
                #[doc = concat!("\n\n`", stringify!($c_name), "`, ", stringify!($number), ".")]
                #[inline(always)]
                pub fn $field<$a>(&$a self) -> ::core::option::Option<$type> {
                    self.0.get::<$type>($number)
                }
            )*
        }

        #[allow(unreachable_pub, dead_code)]
        impl<$a> $name<$a> {
            /// The rows as data.
            pub const TABLE: &'static $crate::Table = &$crate::Table {
                name: stringify!($name),
                rows: &[$( $crate::Row {
                    number: $number,
                    c_name: stringify!($c_name),
                    field: stringify!($field),
                    shape: <$type as $crate::Payload<$a>>::SHAPE,
                }, )*],
            };

            const RULES: &'static [$crate::attr::Rule] = &{
                let mut rules = [$crate::attr::Rule::NO_ROW; $crate::attr::numbers(&[$( $number, )*])];
                $( rules[$number] = <$type as $crate::Payload<$a>>::RULE; )*
                rules
            };

            /// A set without attributes.
            pub const EMPTY: Self = Self($crate::attr::Fields::EMPTY);

            /// Finds and checks the attributes of a set, also inside of nested sets.
            pub fn read(scope: &$crate::Scope<$a>) -> ::core::result::Result<Self, $crate::DecodeError> {
                let mut set = Self::unread(scope.set.rest());
                set.fill(scope)?;
                Ok(set)
            }

            #[doc(hidden)]
            #[inline(always)]
            pub const fn unread(bytes: &$a [u8]) -> Self {
                Self($crate::attr::Fields::new(bytes))
            }

            #[doc(hidden)]
            #[inline(always)]
            pub fn fill(&mut self, scope: &$crate::Scope<$a>) -> ::core::result::Result<(), $crate::DecodeError> {
                self.0.fill::<false>(scope, Self::RULES, Self::TABLE)
            }

            /// All attributes as they came, with and without a row.
            pub fn iter(&self) -> $crate::Attrs<'_> {
                self.0.attrs()
            }

            /// The attributes this table has no row for: newer than this crate, kept and written back.
            pub fn unknown(&self) -> impl Iterator<Item = $crate::Attr<'_>> {
                self.iter().flatten().filter(|attr| Self::TABLE.row(attr.number).is_none())
            }

            /// The same set without a borrow.
            pub fn into_owned(self) -> $name<'static> {
                $name(self.0.into_owned())
            }
        }

        impl<$a> $crate::Payload<$a> for $name<$a> {
            const FLAGS: u16 = $crate::attr::NLA_F_NESTED;
            const RULE: $crate::attr::Rule = $crate::attr::Rule::check(|payload, scope| {
                let set = $crate::Attrs::new(payload);
                $name::read(&$crate::Scope { header: scope.header, set }).map(|_| ())
            });
            const SHAPE: $crate::Shape = $crate::Shape::Set(Self::TABLE);

            #[inline]
            fn decode(payload: &$a [u8]) -> ::core::result::Result<Self, $crate::Malformed> {
                let set = $crate::Attrs::new(payload);
                Self::read(&$crate::Scope { header: &[], set }).map_err(|error| error.why)
            }

            fn encode(&self, out: &mut $crate::Writer) {
                self.0.encode(out);
            }

            fn of(attr: $crate::Attr<$a>, scope: &$crate::Scope<$a>) -> ::core::result::Result<Self, $crate::Malformed> {
                let mut set = Self::unread(attr.payload);
                let scope = $crate::Scope { header: scope.header, set: $crate::Attrs::new(attr.payload) };
                set.0.fill::<true>(&scope, Self::RULES, Self::TABLE).map_err(|error| error.why)?;
                Ok(set)
            }
        }

        impl PartialEq for $name<'_> {
            fn eq(&self, other: &Self) -> bool {
                $crate::attr::same(self.0.family(), Some(Self::TABLE), self.0.attrs(), other.0.attrs())
            }
        }

        impl Default for $name<'_> {
            fn default() -> Self {
                Self::EMPTY
            }
        }

        impl ::core::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::attr::debug(f, self.0.family(), Self::TABLE, self.0.attrs())
            }
        }

        $crate::serialize! { impl ['x] for $name<'x>, |set, fields| {
            $( if let Some(value) = set.$field() {
                fields.entry(stringify!($field), &value)?;
            } )*
            for attr in set.unknown() {
                fields.unknown(&attr)?;
            }
        } }
    };
}

/// The writing side of [`attrs!`](crate::attrs).
#[macro_export]
#[doc(hidden)]
macro_rules! __attr_setters {
    (
        $builder:ident [$($r:ident)?]
        $( $(#[$row:meta])* $number:literal $c_name:ident $field:ident: $type:ty, )*
    ) => {
        #[allow(unreachable_pub, dead_code, clippy::extra_unused_lifetimes, single_use_lifetimes)]
        impl $(<$r>)? $builder $(<$r>)? {
            $(
                $(#[$row])*
                #[doc = concat!("\n\nAppends `", stringify!($c_name), "`.")]
                #[inline]
                pub fn $field<'a>(mut self, value: impl $crate::IntoAttr<$type>) -> Self {
                    <$type as $crate::Payload<'a>>::put(&value.into_attr(), $number, self.0.writer());
                    self
                }
            )*
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Many, Str};

    attrs! {
        /// Inner.
        struct InnerAttrs<'a> for Inner { 1 I_ONE one: u32, 7 I_NAMES names: Many<'a, Str<'a>>, }
    }
    attrs! {
        /// Outer.
        struct OuterAttrs<'a> for Outer { 2 O_INNER inner: InnerAttrs<'a>, 5 O_TEXT text: Str<'a>, }
    }

    #[test]
    fn a_set_reads_what_its_builder_wrote() {
        let names = [Str::from("a"), Str::from("bcd")];
        let built = Outer::new().text("hello").inner(Inner::new().one(7).names(&names)).attrs();
        let mut out = Writer::new();
        built.encode(&mut out);
        assert!(out.error().is_none());
        let read = OuterAttrs::decode(out.as_slice()).unwrap();
        let inner = read.inner().unwrap();
        assert_eq!(inner.one(), Some(7));
        assert!(inner.names().unwrap().iter().eq(names));
        assert_eq!(read, built);
        let other_order = Outer::new().inner(Inner::new().names(&names).one(7)).text("hello");
        assert_eq!(other_order.attrs(), read);
        let less = Outer::new().inner(Inner::new().names(&names[..1]).one(7)).text("hello");
        assert_ne!(less.attrs(), read);
        assert_eq!(read.clone().into_owned(), read);
    }

    #[test]
    fn unknown_attributes_are_kept_counted_and_written_back() {
        let mut out = Writer::new();
        out.put_array(9 | NLA_F_NET_BYTEORDER, [1, 2]);
        Str::<'_, 15>::from("x").put(5, &mut out);
        out.put_array(3, [3]);
        let read = OuterAttrs::decode(out.as_slice()).unwrap();
        assert!(read.unknown().map(|attr| attr.payload).eq([&[1, 2][..], &[3]]));
        let mut again = Writer::new();
        read.encode(&mut again);
        assert_eq!(again.as_slice(), out.as_slice());
    }

    #[test]
    fn the_innermost_place_is_named() {
        let mut out = Writer::new();
        out.nest(2, |out| out.put_array(1, [1, 2]));
        let scope = Scope { header: &[], set: Attrs::new(out.as_slice()) };
        let error = OuterAttrs::read(&scope).unwrap_err();
        assert_eq!(error, DecodeError { at: "I_ONE", why: Malformed::Length { want: 4, got: 2 } });
    }

    attrs! {
        /// A small table.
        struct SmallAttrs<'a> for Small { 0 S_ZERO zero: u8, 1 S_ONE one: u8, 62 S_LAST last: u8, }
    }
    attrs! {
        /// A table too large for three words.
        struct LargeAttrs<'a> for Large { 0 L_ZERO zero: u8, 1 L_ONE one: u8, 63 L_LAST last: u8, }
    }

    #[test]
    fn the_last_attribute_of_a_number_is_found_among_few_and_many() {
        // Every sequence of up to nine attributes of four numbers that begins anywhere, some far apart.
        for start in 0..4usize {
            for step in 0..4 {
                for (count, room) in [(0, 1), (1, 1), (3, 1), (7, 1), (8, 1), (9, 1), (20, 1), (3, 600)] {
                    let mut out = Writer::new();
                    let mut last = [None; 4];
                    for value in 0..count {
                        let which = (start + usize::from(value) * step) % 4;
                        last[which] = Some(value);
                        let mut payload = [0; 600];
                        payload[0] = value;
                        out.put_bytes([0, 1, 62, 63][which], &payload[..room]);
                    }
                    let small = SmallAttrs::decode(out.as_slice()).unwrap();
                    assert_eq!([small.zero(), small.one(), small.last()], last[..3]);
                    let large = LargeAttrs::decode(out.as_slice()).unwrap();
                    assert_eq!([large.zero(), large.one(), large.last()], [last[0], last[1], last[3]]);
                    let owned = small.into_owned();
                    assert_eq!([owned.zero(), owned.one(), owned.last()], last[..3]);
                }
            }
        }
        assert_eq!(Small::new().one(1).last(2).one(3).attrs().one(), Some(3));
    }

    #[test]
    fn attributes_of_any_fixed_length_are_padded() {
        fn check<const N: usize>() {
            let mut out = Writer::new();
            out.put_array(7, [0xee; N]);
            let mut bytes = Writer::new();
            bytes.put_bytes(7, &[0xee; N]);
            assert_eq!(out.as_slice(), bytes.as_slice());
        }
        check::<0>();
        check::<1>();
        check::<4>();
        check::<6>();
        check::<8>();
        check::<9>();
        check::<12>();
        check::<14>();
        check::<16>();
        check::<17>();
        check::<100>();
    }

    #[test]
    fn a_lying_length_is_an_error_and_no_panic() {
        for length in [0u16, 1, 3, 9, 0xffff] {
            let mut bytes = [0, 0, 5, 0, b'a', 0, 0, 0];
            bytes[..2].copy_from_slice(&length.to_ne_bytes());
            let error = OuterAttrs::decode(&bytes).unwrap_err();
            assert_eq!(error, Malformed::Attribute { claims: usize::from(length), left: 8 });
        }
    }

    #[test]
    fn an_oversize_attribute_is_an_error_and_leaves_a_sound_buffer() {
        let mut out = Writer::new();
        out.put_bytes(5, &[0; 65_532]);
        assert!(matches!(out.error(), Some((_, Unsendable::TooLong { length: 65_532, max: 65_531 }))));
        assert_eq!(Attrs::new(out.as_slice()).filter(Result::is_ok).count(), 1);
        let mut fits = Writer::new();
        fits.put_bytes(5, &[0; 65_531]);
        assert!(fits.error().is_none());
    }

    #[test]
    fn an_error_deep_in_a_builder_reaches_the_outermost_writer() {
        let built = Outer::new().inner(Inner::new().names(&[Str::from("a\0b")])).attrs();
        let mut out = Writer::new();
        built.put(1, &mut out);
        assert!(matches!(out.error(), Some((_, Unsendable::Nul { at: 1 }))));
    }
}
