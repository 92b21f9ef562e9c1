//! Bytes that don't print and don't stay behind: keys.
//!
//! A [`Secret`] attribute shows as `<16 bytes>` wherever attributes are shown: `Debug`, traces, errors, serde. The
//! request that holds one wipes its memory, and so do the connection that sent it, before its next request, and the
//! error that keeps it. Of what the kernel tells, copies are wiped that [`Owned`](crate::Owned) and `into_owned` of a set
//! or message make, if their own table has such an attribute or a set with one.
//!
//! Not wiped are: the receive buffer, until it is written over; bytes that were taken out, by
//! [`Request::to_bytes`](crate::Request::to_bytes), `Writer::into_bytes` or a clone of a slice; texts, as serde writes
//! none; and what the kernel itself keeps.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use crate::attr::{IntoAttr, Malformed, Payload, Rule, Shape, Writer};

/// Bytes of a key, looked at where they are.
///
/// Comparing two takes a time that depends on them.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Secret<'a>(&'a [u8]);

impl<'a> Secret<'a> {
    /// Of these bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes themselves.
    pub const fn expose(&self) -> &'a [u8] {
        self.0
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Payload<'a> for Secret<'a> {
    type Value = Self;
    const RULE: Rule = Rule::at_least(0);
    const SHAPE: Shape = Shape::Value(|bytes, f| fmt::Display::fmt(&Secret(bytes), f));
    const SECRET: bool = true;

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        Ok(Self(payload))
    }

    fn encode(&self, out: &mut Writer) {
        out.push_secret(self.0);
    }
}

impl fmt::Display for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} bytes>", self.0.len())
    }
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

crate::serialize! { @text ['a] Secret<'a> }

impl<'a> From<&'a [u8]> for Secret<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Secret<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self(bytes)
    }
}

impl<'a> From<&'a Key> for Secret<'a> {
    fn from(key: &'a Key) -> Self {
        Self(&key.0)
    }
}

impl<'a> IntoAttr<Secret<'a>> for &'a [u8] {
    fn into_attr(self) -> Secret<'a> {
        self.into()
    }
}

impl<'a, const N: usize> IntoAttr<Secret<'a>> for &'a [u8; N] {
    fn into_attr(self) -> Secret<'a> {
        self.into()
    }
}

impl<'a> IntoAttr<Secret<'a>> for &'a Key {
    fn into_attr(self) -> Secret<'a> {
        self.into()
    }
}

/// A key of our own: it doesn't print, and is wiped when it is dropped.
///
/// ```
/// use netlink_core::{Key, Secret};
///
/// let key = Key::from(vec![0x5a; 16]);
/// assert_eq!(format!("{key:?}"), "<16 bytes>");
/// assert_eq!(Secret::from(&key).expose(), [0x5a; 16]);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Zeroizing<Vec<u8>>);

/// Takes the memory over, and wipes it in the end.
impl From<Vec<u8>> for Key {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl From<Secret<'_>> for Key {
    fn from(secret: Secret<'_>) -> Self {
        secret.0.to_vec().into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Secret::from(self).fmt(f)
    }
}

crate::serialize! { @value Key, |key| Secret::from(key) }

#[cfg(test)]
#[cfg(feature = "testkit")]
mod tests {
    use super::*;
    use crate::testkit::{Replies, answer};
    use crate::trace::{Direction, Traffic, Tree};
    use crate::{MessageFlags, attrs, layout, message};
    use alloc::format;

    layout! {
        /// Header.
        struct Header: sample = 4 {
            /// A number.
            number: u32,
        }
    }
    attrs! {
        /// Attributes.
        struct SampleAttrs<'a> for SampleRequest<R> {
            /// A key.
            1 S_KEY key: Secret<'a>,
        }
    }
    message! {
        /// A sample.
        struct Sample<'a>(Header, SampleAttrs<'a>), SampleRequest {
            /// Made.
            16 S_NEW NEW,
        }
    }

    const KEY: [u8; 32] = [0x5a; 32];

    fn request() -> SampleRequest<()> {
        SampleRequest::new(&Sample::NEW, MessageFlags::empty(), Header::default()).key(&KEY)
    }

    fn hides(text: &str) {
        assert!(!text.contains("5a5a") && !text.contains("90, 90"), "{text}");
    }

    #[test]
    fn nothing_prints_it() {
        let bytes = request().to_bytes().unwrap();
        for info in [Some(&Sample::NEW), None] {
            hides(&format!("{}", Tree::new(&bytes, info)));
            hides(&format!(
                "{}",
                Traffic { direction: Direction::Sent, group: 0, datagram: &bytes, info, kind: None }
            ));
        }
        assert!(format!("{:?}", request()).contains("S_KEY <32 bytes>"));
        let message = crate::Messages::new(&bytes).next().unwrap().unwrap();
        let read = Sample::read(&message).unwrap();
        assert_eq!(read.key().unwrap().expose(), KEY);
        hides(&format!("{read:?}"));

        // NLMSGERR_ATTR_OFFS 20: the key's attribute.
        let refused = Replies::new().error(22, &crate::error::tests::at_first());
        let error = answer(request(), &[&refused]).unwrap_err();
        assert_eq!(format!("{error}"), "S_NEW: Invalid argument (EINVAL); at S_KEY = <32 bytes>");
        hides(&format!("{error:?}"));
        let unsendable = request().attr(2, &crate::Str::<'_, 1>::from("ab")).to_bytes().unwrap_err();
        hides(&format!("{unsendable} {unsendable:?}"));
        // A refusal that echoes the request, as without NETLINK_CAP_ACK.
        let mut echo = (-22_i32).to_ne_bytes().to_vec();
        echo.extend(&bytes);
        let echo = Replies::new().raw(2, MessageFlags::empty(), &echo);
        hides(&format!("{}", Tree::new(echo.as_bytes(), Some(&Sample::NEW))));
        let undecoded = crate::Owned::<Sample<'static>>::new(&crate::Message { body: &KEY[..3], ..message });
        hides(&format!("{:?}", undecoded.view()));
    }
}
