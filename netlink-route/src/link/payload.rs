//! Payloads of link attributes.

use core::fmt;

use netlink_core::attr::Rule;
use netlink_core::{IntoAttr, Malformed, Payload, Shape, Str, Unsendable, Writer, serialize};

use super::ExtMask;

/// The text of `IFLA_IFALIAS`: at most 255 bytes. It is sent without a trailing NUL, so that the empty text
/// removes the alias.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Alias<'a>(pub Str<'a, 255>);

impl<'a> Payload<'a> for Alias<'a> {
    type Value = Self;
    const RULE: Rule = Rule::at_least(0);
    const SHAPE: Shape = Shape::Value(|bytes, f| match Str::<'_, 255>::decode(bytes) {
        Ok(text) => fmt::Debug::fmt(&text, f),
        Err(why) => fmt::Display::fmt(&why, f),
    });

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        Str::decode(payload).map(Self)
    }

    fn encode(&self, out: &mut Writer) {
        let text = self.0.as_bytes();
        if let Some(at) = text.iter().position(|byte| *byte == 0) {
            return out.fail(Unsendable::Nul { at });
        }
        if text.len() > 255 {
            return out.fail(Unsendable::TooLong { length: text.len(), max: 255 });
        }
        out.push(text);
    }
}

impl<'a> IntoAttr<Alias<'a>> for &'a str {
    fn into_attr(self) -> Alias<'a> {
        Alias(self.into())
    }
}

impl<'a> IntoAttr<Alias<'a>> for &'a alloc::string::String {
    fn into_attr(self) -> Alias<'a> {
        Alias(self.as_str().into())
    }
}

impl fmt::Debug for Alias<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Alias<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

serialize! { @value Alias<'_>, |alias| alias.0 }

/// The parts that `IFLA_EXT_MASK` requests. An empty mask is sent with one bit that changes nothing in a list
/// of links. Reason: without any bit, the kernel does not compute the size of the largest link. A list then
/// ends at the first link that does not fit into a buffer of 8 to 32 KiB, and the kernel reports success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Wanted(pub ExtMask);

impl<'a> Payload<'a> for Wanted {
    type Value = Self;
    const RULE: Rule = <ExtMask as Payload<'a>>::RULE;
    const SHAPE: Shape = <ExtMask as Payload<'a>>::SHAPE;

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        ExtMask::decode(payload).map(Self)
    }

    fn encode(&self, out: &mut Writer) {
        if self.0.is_empty() { ExtMask::MRP.encode(out) } else { self.0.encode(out) }
    }
}

impl IntoAttr<Wanted> for ExtMask {
    fn into_attr(self) -> Wanted {
        Wanted(self)
    }
}

serialize! { @value Wanted, |wanted| &wanted.0 }

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_testing::native;

    #[test]
    fn an_alias_has_no_nul_and_may_be_empty() {
        let mut out = Writer::new();
        Alias("".into()).put(20, &mut out);
        Alias("ab".into()).put(20, &mut out);
        assert_eq!(out.as_slice(), native([4, 0, 20, 0, 6, 0, 20, 0, b'a', b'b', 0, 0], &[2, 2, 2, 2, 1]));
        let long = "x".repeat(256);
        Alias(long.as_str().into()).put(20, &mut out);
        assert!(matches!(out.error(), Some((_, Unsendable::TooLong { length: 256, max: 255 }))));
    }

    // F3.
    #[test]
    fn an_empty_mask_is_not_sent_as_such() {
        let mut out = Writer::new();
        Wanted(ExtMask::empty()).put(29, &mut out);
        Wanted(ExtMask::VF).put(29, &mut out);
        assert_eq!(
            out.as_slice(),
            native([8, 0, 29, 0, 16, 0, 0, 0, 8, 0, 29, 0, 1, 0, 0, 0], &[2, 2, 4, 2, 2, 4])
        );
        assert_eq!(Wanted::decode(&[0; 4]), Ok(Wanted(ExtMask::empty())));
    }

    /// S-L8: printed text is escaped; serialized text is unchanged.
    #[cfg(feature = "serde")]
    #[test]
    fn an_alias_keeps_its_control_characters_in_json_only() {
        let alias = Alias::decode(b"a\x1b[2Jz").unwrap();
        assert_eq!(serde_json::to_string(&alias).unwrap(), r#""a\u001b[2Jz""#);
        assert_eq!(alloc::format!("{alias}"), "a\\u{1b}[2Jz");
    }
}
