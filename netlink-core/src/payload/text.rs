//! Text, and bytes that nobody looks into.

use core::fmt;

use crate::attr::{Hex, IntoAttr, Malformed, Payload, Rule, Shape, Unsendable, Writer};
use crate::error::Escaped;

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
}
