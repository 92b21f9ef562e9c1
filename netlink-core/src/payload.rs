//! What attributes carry: integers, text, addresses, lists.

mod headed;

use core::fmt;
use core::marker::PhantomData;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

use byteorder::{BigEndian, ByteOrder};

use crate::attr::{
    Attr, Attrs, Hex, IntoAttr, Malformed, NLA_F_NESTED, Payload, Rule, Scope, Shape, Unsendable, Writer,
};
use crate::error::{Escaped, Quoted};
use crate::layout::Field;

pub use headed::Headed;

macro_rules! integers {
    ($($int:ty)*) => { $(
        impl<'a> Payload<'a> for $int {
            type Value = Self;
            const RULE: Rule = Rule::at_least(size_of::<$int>());
            const SHAPE: Shape = crate::leaf!(Self);

            #[inline(always)]
            fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
                Self::take(&mut { payload })
            }

            #[inline]
            fn encode(&self, out: &mut Writer) {
                out.push(&self.to_ne_bytes());
            }

            #[inline]
            fn put(&self, number: u16, out: &mut Writer) {
                out.put_array(number, self.to_ne_bytes());
            }
        }
    )* };
}

integers! { u8 u16 u32 u64 i8 i16 i32 i64 }

/// An integer in network byte order. The value inside is in the machine's own.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Be<T>(pub T);

impl<T: fmt::Debug> fmt::Debug for Be<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: fmt::Display> fmt::Display for Be<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! big_endian {
    ($($int:ty, $read:ident, $write:ident;)*) => { $(
        impl Field for Be<$int> {
            const SIZE: usize = size_of::<$int>();

            #[inline(always)]
            fn take(cursor: &mut &[u8]) -> Result<Self, Malformed> {
                <[u8; size_of::<$int>()]>::take(cursor).map(|bytes| Self(BigEndian::$read(&bytes)))
            }

            #[inline(always)]
            fn store(self, bytes: &mut [u8], at: usize) {
                let mut wire = [0; size_of::<$int>()];
                BigEndian::$write(&mut wire, self.0);
                wire.store(bytes, at);
            }
        }

        impl<'a> Payload<'a> for Be<$int> {
            type Value = $int;
            const RULE: Rule = Rule::at_least(size_of::<$int>());
            const SHAPE: Shape = crate::leaf!(Self);

            #[inline]
            fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
                Self::take(&mut { payload })
            }

            fn encode(&self, out: &mut Writer) {
                out.push(&self.0.to_be_bytes());
            }

            #[inline]
            fn put(&self, number: u16, out: &mut Writer) {
                out.put_array(number, self.0.to_be_bytes());
            }
        }

        impl From<Be<$int>> for $int {
            #[inline(always)]
            fn from(value: Be<$int>) -> Self {
                value.0
            }
        }

        impl IntoAttr<Be<$int>> for $int {
            fn into_attr(self) -> Be<$int> {
                Be(self)
            }
        }

        crate::serialize! { @value Be<$int>, |value| value.0 }
    )* };
}

big_endian! {
    u16, read_u16, write_u16;
    u32, read_u32, write_u32;
    u64, read_u64, write_u64;
    i32, read_i32, write_i32;
}

/// `NLA_UINT`: an unsigned integer of four bytes where it fits and of eight where it does not.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uint(pub u64);

impl<'a> Payload<'a> for Uint {
    type Value = u64;
    const RULE: Rule = Rule::lengths(&[4, 8]);
    const SHAPE: Shape = crate::leaf!(Self);

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        match payload.len() {
            4 => u32::decode(payload).map(|value| Self(value.into())),
            8 => u64::decode(payload).map(Self),
            got => Err(Malformed::Length { want: 8, got }),
        }
    }

    fn encode(&self, out: &mut Writer) {
        match u32::try_from(self.0) {
            Ok(value) => value.encode(out),
            Err(_) => self.0.encode(out),
        }
    }
}

impl From<Uint> for u64 {
    #[inline]
    fn from(value: Uint) -> Self {
        value.0
    }
}

impl IntoAttr<Uint> for u64 {
    fn into_attr(self) -> Uint {
        Uint(self)
    }
}

impl fmt::Display for Uint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Uint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

crate::serialize! { @value Uint, |value| value.0 }

/// A byte that is 0 or not.
impl<'a> Payload<'a> for bool {
    type Value = Self;
    const RULE: Rule = Rule::at_least(1);
    const SHAPE: Shape = crate::leaf!(Self);

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        u8::decode(payload).map(|byte| byte != 0)
    }

    fn encode(&self, out: &mut Writer) {
        out.push(&[u8::from(*self)]);
    }
}

/// An attribute without a payload: being there is its meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag;

impl<'a> Payload<'a> for Flag {
    type Value = Self;
    const RULE: Rule = Rule::at_least(0);
    const SHAPE: Shape = crate::leaf!(Self);

    fn decode(_: &'a [u8]) -> Result<Self, Malformed> {
        Ok(Self)
    }

    fn encode(&self, _: &mut Writer) {}
}

crate::serialize! { @value Flag, |_value| true }

/// Text of at most `MAX` bytes, ended by a NUL on the wire.
///
/// The kernel promises no encoding: interface names are bytes. [`as_bytes`](Self::as_bytes) has them as they
/// are; printing escapes control characters, which a terminal or a log would obey, and replaces what is not UTF-8.
/// Serialized, it keeps them.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Str<'a, const MAX: usize = 65_530>(&'a [u8]);

impl<'a, const MAX: usize> Str<'a, MAX> {
    /// From the bytes of a text; a NUL or too many bytes are refused when the request is sent.
    pub const fn new(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// The text, without its NUL.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// The text, if it is UTF-8.
    pub fn as_str(&self) -> Option<&'a str> {
        core::str::from_utf8(self.0).ok()
    }
}

impl<'a, const MAX: usize> Payload<'a> for Str<'a, MAX> {
    type Value = Self;
    const RULE: Rule = Rule::at_least(0);
    const SHAPE: Shape = Shape::Value(|bytes, f| match Str::<'_, MAX>::decode(bytes) {
        Ok(text) => fmt::Debug::fmt(&text, f),
        Err(why) => fmt::Display::fmt(&why, f),
    });

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        let end = payload.iter().position(|byte| *byte == 0).unwrap_or(payload.len());
        Ok(Self(payload.get(..end).unwrap_or_default()))
    }

    fn encode(&self, out: &mut Writer) {
        if let Some(at) = self.0.iter().position(|byte| *byte == 0) {
            return out.fail(Unsendable::Nul { at });
        }
        if self.0.len() > MAX {
            return out.fail(Unsendable::TooLong { length: self.0.len(), max: MAX });
        }
        out.push(self.0);
        out.push(&[0]);
    }
}

impl<'a, const MAX: usize> From<&'a str> for Str<'a, MAX> {
    fn from(text: &'a str) -> Self {
        Self(text.as_bytes())
    }
}

impl<'a, const MAX: usize> IntoAttr<Str<'a, MAX>> for &'a str {
    fn into_attr(self) -> Str<'a, MAX> {
        self.into()
    }
}

impl<'a, const MAX: usize> IntoAttr<Str<'a, MAX>> for &'a alloc::string::String {
    fn into_attr(self) -> Str<'a, MAX> {
        self.as_str().into()
    }
}

impl<const MAX: usize> PartialEq<str> for Str<'_, MAX> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl<const MAX: usize> PartialEq<&str> for Str<'_, MAX> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl<const MAX: usize> fmt::Display for Str<'_, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.as_str().filter(|text| !text.contains(char::is_control)) {
            return f.pad(text);
        }
        self.0.utf8_chunks().try_for_each(|chunk| {
            write!(f, "{}", Escaped(chunk.valid()))?;
            if chunk.invalid().is_empty() { Ok(()) } else { f.write_str("\u{fffd}") }
        })
    }
}

impl<const MAX: usize> fmt::Debug for Str<'_, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

crate::serialize! { @with ['a, const MAX: usize] Str<'a, MAX>, |text, serializer| {
    serializer.serialize_str(&alloc::string::String::from_utf8_lossy(text.0))
} }

/// Bytes that mean what their family says.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Payload<'a> for Bytes<'a> {
    type Value = Self;
    const RULE: Rule = Rule::at_least(0);
    const SHAPE: Shape = Shape::Value(|bytes, f| fmt::Display::fmt(&Hex(bytes), f));

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        Ok(Self(payload))
    }

    fn encode(&self, out: &mut Writer) {
        out.push(self.0);
    }
}

impl<'a> IntoAttr<Bytes<'a>> for &'a [u8] {
    fn into_attr(self) -> Bytes<'a> {
        Bytes(self)
    }
}

impl<'a, const N: usize> IntoAttr<Bytes<'a>> for &'a [u8; N] {
    fn into_attr(self) -> Bytes<'a> {
        Bytes(self)
    }
}

impl fmt::Debug for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(self.0).fmt(f)
    }
}

impl fmt::Display for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(self.0).fmt(f)
    }
}

crate::serialize! { @text ['a] Bytes<'a> }

/// Bytes that nothing here describes, as they came or as a builder wrote them.
#[derive(Clone)]
pub struct Raw<'a>(RawFrom<'a>);

#[derive(Clone)]
enum RawFrom<'a> {
    Wire(&'a [u8]),
    Built(Writer),
}

impl Raw<'_> {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            RawFrom::Wire(bytes) => bytes,
            RawFrom::Built(writer) => writer.as_slice(),
        }
    }
}

impl<'a> Payload<'a> for Raw<'a> {
    type Value = Self;
    const RULE: Rule = <Bytes<'_> as Payload<'_>>::RULE;
    const SHAPE: Shape = <Bytes<'_> as Payload<'_>>::SHAPE;

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        Ok(payload.into())
    }

    fn encode(&self, out: &mut Writer) {
        match &self.0 {
            RawFrom::Wire(bytes) => out.push(bytes),
            RawFrom::Built(writer) => out.append(writer),
        }
    }
}

impl<'a> From<&'a [u8]> for Raw<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(RawFrom::Wire(bytes))
    }
}

impl From<Writer> for Raw<'_> {
    fn from(writer: Writer) -> Self {
        Self(RawFrom::Built(writer))
    }
}

impl Default for Raw<'_> {
    fn default() -> Self {
        Self(RawFrom::Wire(&[]))
    }
}

impl PartialEq for Raw<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(self.as_bytes()).fmt(f)
    }
}

impl fmt::Display for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Hex(self.as_bytes()).fmt(f)
    }
}

crate::serialize! { @text ['a] Raw<'a> }

/// Four or sixteen bytes.
impl<'a> Payload<'a> for IpAddr {
    type Value = Self;
    const RULE: Rule = Rule::IP;
    const SHAPE: Shape = crate::leaf!(Self);

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        match payload.len() {
            4 => Ipv4Addr::decode(payload).map(Self::V4),
            16 => Ipv6Addr::decode(payload).map(Self::V6),
            got => Err(Malformed::Length { want: 16, got }),
        }
    }

    fn encode(&self, out: &mut Writer) {
        match self {
            Self::V4(addr) => addr.encode(out),
            Self::V6(addr) => addr.encode(out),
        }
    }

    #[inline]
    fn put(&self, number: u16, out: &mut Writer) {
        match self {
            Self::V4(addr) => out.put_array(number, addr.octets()),
            Self::V6(addr) => out.put_array(number, addr.octets()),
        }
    }
}

macro_rules! addresses {
    ($($addr:ty, $bytes:literal;)*) => { $(
        impl Field for $addr {
            const SIZE: usize = $bytes;

            #[inline]
            fn take(cursor: &mut &[u8]) -> Result<Self, Malformed> {
                <[u8; $bytes]>::take(cursor).map(Self::from)
            }

            fn store(self, bytes: &mut [u8], at: usize) {
                self.octets().store(bytes, at);
            }
        }

        impl<'a> Payload<'a> for $addr {
            type Value = Self;
            const RULE: Rule = Rule::at_least($bytes);
            const SHAPE: Shape = crate::leaf!(Self);

            #[inline]
            fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
                Self::take(&mut { payload })
            }

            fn encode(&self, out: &mut Writer) {
                out.push(&self.octets());
            }
        }

        impl IntoAttr<IpAddr> for $addr {
            #[inline]
            fn into_attr(self) -> IpAddr {
                self.into()
            }
        }
    )* };
}

addresses! { Ipv4Addr, 4; Ipv6Addr, 16; }

/// A link-layer address: six bytes on Ethernet, twenty on InfiniBand, four on an IPv4 tunnel.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HwAddr {
    length: u8,
    bytes: [u8; Self::MAX],
}

impl HwAddr {
    /// The kernel's `MAX_ADDR_LEN`.
    pub const MAX: usize = 32;

    /// From up to 32 bytes.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut addr = Self { length: u8::try_from(bytes.len()).ok()?, bytes: [0; Self::MAX] };
        addr.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(addr)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl<'a> Payload<'a> for HwAddr {
    type Value = Self;
    const RULE: Rule = Rule::at_most(Self::MAX);
    const SHAPE: Shape = crate::leaf!(Self);

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        if let Ok(mac) = <[u8; 6]>::try_from(payload) {
            return Ok(mac.into());
        }
        Self::new(payload).ok_or(Malformed::Length { want: Self::MAX, got: payload.len() })
    }

    fn encode(&self, out: &mut Writer) {
        out.push(self.as_bytes());
    }
}

impl From<[u8; 6]> for HwAddr {
    #[inline]
    fn from([a, b, c, d, e, f]: [u8; 6]) -> Self {
        let mut bytes = [0; Self::MAX];
        if let Some(mac) = bytes.first_chunk_mut() {
            *mac = [a, b, c, d, e, f];
        }
        Self { length: 6, bytes }
    }
}

impl IntoAttr<HwAddr> for [u8; 6] {
    fn into_attr(self) -> HwAddr {
        self.into()
    }
}

impl fmt::Display for HwAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.as_bytes().iter().enumerate() {
            write!(f, "{}{byte:02x}", if at == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for HwAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Not a link-layer address: pairs of hexadecimal digits between colons, at most 32.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}not a link-layer address: at most 32 pairs of hexadecimal digits between colons")]
pub struct HwAddrError(Quoted);

impl FromStr for HwAddr {
    type Err = HwAddrError;

    fn from_str(text: &str) -> Result<Self, HwAddrError> {
        let parse = || {
            let mut bytes = [0; Self::MAX];
            let mut length = 0;
            for pair in text.split(':') {
                let valid = pair.len() == 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit());
                let byte = u8::from_str_radix(pair, 16).ok().filter(|_| valid)?;
                *bytes.get_mut(length)? = byte;
                length += 1;
            }
            Self::new(bytes.get(..length)?)
        };
        parse().ok_or_else(|| HwAddrError(Quoted::new(text)))
    }
}

crate::serialize_display! { HwAddr }

/// All attributes of one number in a set: `IFLA_ALT_IFNAME` and its like, which come more than once.
///
/// Read, it walks the set anew. To send some, give a slice.
pub struct Many<'a, T>(ManyFrom<'a, T>);

enum ManyFrom<'a, T> {
    Wire(Attrs<'a>, u16),
    Values(&'a [T]),
}

impl<T> Clone for Many<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Many<'_, T> {}

impl<T> Clone for ManyFrom<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ManyFrom<'_, T> {}

impl<'a, T> Many<'a, T> {
    /// To send these.
    pub const fn new(values: &'a [T]) -> Self {
        Self(ManyFrom::Values(values))
    }

    /// The items, in order.
    pub fn iter(&self) -> impl Iterator<Item = T> + use<'a, T>
    where
        T: Payload<'a> + Clone,
    {
        let (wire, number, values) = match self.0 {
            ManyFrom::Wire(set, number) => (set, number, [].as_slice()),
            ManyFrom::Values(values) => (Attrs::default(), 0, values),
        };
        let scope = Scope::new(&[], wire);
        // They were checked when the set was read.
        let wire = wire.flatten().filter(move |attr| attr.number == number);
        values.iter().cloned().chain(wire.filter_map(move |attr| T::of(attr, &scope).ok()))
    }
}

impl<'a, T: Payload<'a>> Payload<'a> for Many<'a, T> {
    type Value = Self;
    const RULE: Rule = T::RULE.of_each();
    const SHAPE: Shape = T::SHAPE;
    const SECRET: bool = T::SECRET;

    fn decode(_: &'a [u8]) -> Result<Self, Malformed> {
        Err(Malformed::Value("several attributes of a set, not one payload"))
    }

    fn encode(&self, _: &mut Writer) {}

    #[inline]
    fn of(attr: Attr<'a>, scope: &Scope<'a>) -> Result<Self, Malformed> {
        Ok(Self(ManyFrom::Wire(scope.set, attr.number)))
    }

    fn put(&self, number: u16, out: &mut Writer) {
        match self.0 {
            ManyFrom::Wire(set, from) => set
                .flatten()
                .filter(|attr| attr.number == from)
                .for_each(|attr| out.put_bytes(number | attr.flags, attr.payload)),
            ManyFrom::Values(values) => values.iter().for_each(|value| value.put(number, out)),
        }
    }
}

impl<'a, T> IntoAttr<Many<'a, T>> for &'a [T] {
    fn into_attr(self) -> Many<'a, T> {
        Many::new(self)
    }
}

impl<'a, T, const N: usize> IntoAttr<Many<'a, T>> for &'a [T; N] {
    fn into_attr(self) -> Many<'a, T> {
        Many::new(self)
    }
}

impl<'a, T: Payload<'a> + Clone + PartialEq> PartialEq for Many<'a, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'a, T: Payload<'a> + Clone + fmt::Debug> fmt::Debug for Many<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

crate::serialize! { @list ['a, T: Payload<'a> + Clone] Many<'a, T> }

/// A set whose attributes are all of one type, and whose numbers count: `CTRL_ATTR_OPS` and its like. Some families
/// count from 1, some from 0, and to some the number means something, so it comes with each item.
///
/// To send some, give a slice of numbers and items.
pub struct Indexed<'a, T>(IndexedFrom<'a, T>);

enum IndexedFrom<'a, T> {
    Wire(Attrs<'a>, PhantomData<T>),
    Values(&'a [(u16, T)]),
}

impl<T> Clone for Indexed<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Indexed<'_, T> {}

impl<T> Clone for IndexedFrom<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for IndexedFrom<'_, T> {}

impl<'a, T> Indexed<'a, T> {
    /// To send these.
    pub const fn new(values: &'a [(u16, T)]) -> Self {
        Self(IndexedFrom::Values(values))
    }

    /// The numbers and items, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u16, T)> + use<'a, T>
    where
        T: Payload<'a> + Clone,
    {
        let (wire, values) = match self.0 {
            IndexedFrom::Wire(set, _) => (set, [].as_slice()),
            IndexedFrom::Values(values) => (Attrs::default(), values),
        };
        let scope = Scope::new(&[], wire);
        // They were checked when the set was read.
        let wire = wire.flatten().filter_map(move |attr| Some((attr.number, T::of(attr, &scope).ok()?)));
        values.iter().cloned().chain(wire)
    }
}

impl<'a, T: Payload<'a>> Payload<'a> for Indexed<'a, T> {
    type Value = Self;
    const FLAGS: u16 = NLA_F_NESTED;
    const RULE: Rule = Rule::each(&T::RULE);
    const SHAPE: Shape = Shape::Indexed(&T::SHAPE);
    const SECRET: bool = T::SECRET;

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        Self::RULE.verify(payload, &Scope::default()).map_err(|error| error.why)?;
        Ok(Self(IndexedFrom::Wire(Attrs::new(payload), PhantomData)))
    }

    fn encode(&self, out: &mut Writer) {
        match self.0 {
            IndexedFrom::Wire(set, _) => out.push(set.rest()),
            IndexedFrom::Values(values) => values.iter().for_each(|(number, value)| value.put(*number, out)),
        }
    }

    #[inline]
    fn of(attr: Attr<'a>, _: &Scope<'a>) -> Result<Self, Malformed> {
        Ok(Self(IndexedFrom::Wire(Attrs::new(attr.payload), PhantomData)))
    }
}

impl<'a, T> IntoAttr<Indexed<'a, T>> for &'a [(u16, T)] {
    fn into_attr(self) -> Indexed<'a, T> {
        Indexed::new(self)
    }
}

impl<'a, T, const N: usize> IntoAttr<Indexed<'a, T>> for &'a [(u16, T); N] {
    fn into_attr(self) -> Indexed<'a, T> {
        Indexed::new(self)
    }
}

impl<'a, T: Payload<'a> + Clone + PartialEq> PartialEq for Indexed<'a, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'a, T: Payload<'a> + Clone + fmt::Debug> fmt::Debug for Indexed<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

crate::serialize! { @list ['a, T: Payload<'a> + Clone] Indexed<'a, T> }

/// A C array of fixed elements, of whatever length it comes.
pub struct Array<'a, T>(ArrayFrom<'a, T>);

enum ArrayFrom<'a, T> {
    Wire(&'a [u8], PhantomData<T>),
    Values(&'a [T]),
}

impl<T> Clone for Array<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Array<'_, T> {}

impl<T> Clone for ArrayFrom<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ArrayFrom<'_, T> {}

impl<'a, T: Field> Array<'a, T> {
    /// To send these.
    pub const fn new(values: &'a [T]) -> Self {
        Self(ArrayFrom::Values(values))
    }

    /// How many elements it has.
    pub fn len(&self) -> usize {
        match self.0 {
            ArrayFrom::Wire(bytes, _) => bytes.len().checked_div(T::SIZE).unwrap_or_default(),
            ArrayFrom::Values(values) => values.len(),
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index`; `None` past the end: a kernel that doesn't have it yet.
    pub fn get(&self, index: usize) -> Option<T> {
        match self.0 {
            ArrayFrom::Wire(bytes, _) => {
                let mut cursor = bytes.get(index.checked_mul(T::SIZE)?..)?;
                T::take(&mut cursor).ok()
            }
            ArrayFrom::Values(values) => values.get(index).copied(),
        }
    }

    /// The elements, in order.
    pub fn iter(&self) -> impl Iterator<Item = T> + use<'a, T> {
        let array = *self;
        (0..self.len()).filter_map(move |index| array.get(index))
    }
}

impl<'a, T: Field + fmt::Debug> Payload<'a> for Array<'a, T> {
    type Value = Self;
    const RULE: Rule = Rule::elements(T::SIZE);
    const SHAPE: Shape =
        Shape::Value(|bytes, f| fmt::Debug::fmt(&Array::<'_, T>(ArrayFrom::Wire(bytes, PhantomData)), f));

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        if payload.len().checked_rem(T::SIZE) == Some(0) {
            return Ok(Self(ArrayFrom::Wire(payload, PhantomData)));
        }
        Err(Malformed::Length { want: payload.len().next_multiple_of(T::SIZE.max(1)), got: payload.len() })
    }

    fn encode(&self, out: &mut Writer) {
        match self.0 {
            ArrayFrom::Wire(bytes, _) => out.push(bytes),
            ArrayFrom::Values(values) => values.iter().for_each(|value| value.write(out)),
        }
    }
}

impl<'a, T> IntoAttr<Array<'a, T>> for &'a [T] {
    fn into_attr(self) -> Array<'a, T> {
        Array(ArrayFrom::Values(self))
    }
}

impl<'a, T, const N: usize> IntoAttr<Array<'a, T>> for &'a [T; N] {
    fn into_attr(self) -> Array<'a, T> {
        Array(ArrayFrom::Values(self))
    }
}

impl<T: Field + PartialEq> PartialEq for Array<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<T: Field + fmt::Debug> fmt::Debug for Array<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

crate::serialize! { @list ['a, T: Field] Array<'a, T> }

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn text_ends_at_its_nul_and_refuses_another() {
        assert_eq!(Str::<'_, 15>::decode(b"eth0\0\0junk").unwrap(), "eth0");
        assert_eq!(Str::<'_, 15>::decode(b"").unwrap(), "");
        let mut out = Writer::new();
        Str::<'_, 15>::from("a\0b").put(3, &mut out);
        assert!(matches!(out.error(), Some((4, Unsendable::Nul { at: 1 }))));
        let mut out = Writer::new();
        Str::<'_, 15>::from("sixteen-is-a-lot").put(3, &mut out);
        assert!(matches!(out.error(), Some((4, Unsendable::TooLong { length: 16, max: 15 }))));
        assert_eq!(Str::<'_, 15>::new(b"a\xffb").to_string(), "a\u{fffd}b");
    }

    /// S-L8
    #[test]
    fn control_characters_are_escaped() {
        let shown = |text: &[u8]| Str::<'_, 15>::new(text).to_string();
        assert_eq!(shown(b"a\x1b[2J\n\x7fz"), "a\\u{1b}[2J\\n\\u{7f}z");
        assert_eq!(shown("\u{9b}31m\u{e9}\\".as_bytes()), "\\u{9b}31m\u{e9}\\");
        assert_eq!(shown(b"\xff\x1b\xff\t"), "\u{fffd}\\u{1b}\u{fffd}\\t");
        assert_eq!(
            alloc::format!("{:>6}|{:<4}|", Str::<'_, 15>::from("eth0"), Str::<'_, 15>::from("lo")),
            "  eth0|lo  |"
        );
        assert_eq!(alloc::format!("{:?}", Str::<'_, 15>::new(b"\x1b\n")), r#""\x1b\n""#);
    }

    #[test]
    fn a_uint_is_as_short_as_it_can_be() {
        for (value, length) in [(0, 8), (u32::MAX.into(), 8), (1 << 32, 12), (u64::MAX, 12)] {
            let mut out = Writer::new();
            Uint(value).put(66, &mut out);
            assert_eq!(out.len(), length);
            assert_eq!(Uint::decode(&out.as_slice()[4..]), Ok(Uint(value)));
        }
        assert_eq!(Uint::decode(&7u64.to_ne_bytes()), Ok(Uint(7)));
        for length in [0, 2, 3, 5, 7, 9, 16] {
            assert_eq!(Uint::decode(&[0; 16][..length]), Err(Malformed::Length { want: 8, got: length }));
        }
    }

    #[test]
    fn addresses_have_four_or_sixteen_bytes() {
        assert_eq!(IpAddr::decode(&[127, 0, 0, 1]).unwrap().to_string(), "127.0.0.1");
        for length in [0, 1, 3, 5, 15, 17] {
            assert!(IpAddr::decode(&[0; 20][..length]).is_err());
        }
    }

    #[test]
    fn hardware_addresses_parse_and_print() {
        let mac: HwAddr = "02:00:5e:10:00:ff".parse().unwrap();
        assert_eq!(mac.to_string(), "02:00:5e:10:00:ff");
        assert_eq!(mac, HwAddr::from([2, 0, 0x5e, 0x10, 0, 0xff]));
        for wrong in ["", "2:0:5e:10:0:f", "02:00:5e:10:00:+f", "0200", "zz"] {
            assert!(wrong.parse::<HwAddr>().is_err(), "{wrong}");
        }
        assert!(HwAddr::new(&[0; 33]).is_none());
    }

    #[test]
    fn indexed_items_keep_their_numbers() {
        let mut out = Writer::new();
        Indexed::new(&[(7, 1u32), (3, 2)]).put(1, &mut out);
        let header = |length: u16, number: u16| [length, number].map(u16::to_ne_bytes).concat();
        let item = |number: u16, value: u32| [&header(8, number)[..], &value.to_ne_bytes()].concat();
        assert_eq!(out.as_slice(), [header(20, 0x8001), item(7, 1), item(3, 2)].concat());
        let read = Indexed::<'_, u32>::decode(&out.as_slice()[4..]).unwrap();
        assert!(read.iter().eq([(7, 1), (3, 2)]));
        let mut again = Writer::new();
        read.put(1, &mut again);
        assert_eq!(again.as_slice(), out.as_slice());
        assert!(Indexed::<'_, u64>::decode(&out.as_slice()[4..]).is_err());
        assert!(Indexed::<'_, u32>::decode(&out.as_slice()[4..16]).is_err());
    }

    crate::attrs! {
        /// Numbers that are written in other ways than as integers of the machine.
        struct OrdersAttrs<'a> for Orders {
            1 O_PORT port: Be<u16> as u16, 2 O_OFFSET offset: Be<i32> as i32, 3 O_COUNT count: Uint as u64, 4 O_PORTS ports: Many<'a, Be<u16>>,
        }
    }

    #[test]
    fn getters_and_setters_have_plain_integers() {
        let set = Orders::new().port(0x1234).offset(-2).count(1 << 40).ports(&[Be(80)]).attrs();
        let (port, offset, count): (Option<u16>, Option<i32>, Option<u64>) =
            (set.port(), set.offset(), set.count());
        assert_eq!((port, offset, count), (Some(0x1234), Some(-2), Some(1 << 40)));
        assert_eq!(set.find(1), Some(&[0x12, 0x34][..]));
        assert_eq!(set.ports().map(|ports| ports.iter().collect()), Some(alloc::vec![Be(80)]));
    }

    #[test]
    fn arrays_may_be_longer_or_shorter_than_known() {
        let array = [1, 2].map(u32::to_ne_bytes).concat();
        let array = Array::<'_, u32>::decode(&array).unwrap();
        assert_eq!((array.get(1), array.get(2), array.get(usize::MAX)), (Some(2), None, None));
        assert!(Array::<'_, u32>::decode(&[0; 5]).is_err());
    }
}
