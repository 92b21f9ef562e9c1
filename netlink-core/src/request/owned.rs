//! Replies that are kept as their bytes.

use alloc::boxed::Box;
use core::fmt;
use core::marker::PhantomData;

use super::Reply;
use crate::attr::Wiped;
use crate::error::Error;
use crate::message::{HEADER_LEN, Message, MessageFlags, MessageHeader, MessageType};

/// A message kept in the least room: its bytes, looked at with [`view`](Self::view).
///
/// It takes 64 bytes, and an allocation only for messages of more than 54: a million routes are a million
/// of these. For a single message, `into_owned()` of the view is handier. Messages with a table in which there are keys
/// are always allocated, and wiped when they are dropped.
pub struct Owned<R> {
    kind: u16,
    flags: u16,
    body: Body,
    reply: PhantomData<fn() -> R>,
}

const INLINE: usize = 54;

#[derive(Clone)]
enum Body {
    Inline(u8, [u8; INLINE]),
    Heap(Box<[u8]>),
    Secret(Wiped),
}

impl<R: Reply> Owned<R> {
    /// Copies a message.
    #[inline]
    pub fn new(message: &Message<'_>) -> Self {
        let body = match u8::try_from(message.body.len()) {
            _ if R::SECRET => Body::Secret(message.body.into()),
            Ok(length) if message.body.len() <= INLINE => {
                let mut bytes = [0; INLINE];
                if let Some(there) = bytes.get_mut(..message.body.len()) {
                    there.copy_from_slice(message.body);
                }
                Body::Inline(length, bytes)
            }
            _ => Body::Heap(message.body.into()),
        };
        Self { kind: message.header.kind.0, flags: message.header.flags.bits(), body, reply: PhantomData }
    }

    /// Looks at it. What the kernel sent and this crate can't read is an [`Error::Decode`] with its bytes.
    #[inline]
    pub fn view(&self) -> Result<R::View<'_>, Error> {
        match R::view(&self.message()) {
            Ok(view) => Ok(view),
            Err(error) => Err(Error::decode(error, "message", self.bytes())),
        }
    }

    /// The message's payload: fixed header and attributes.
    pub fn bytes(&self) -> &[u8] {
        match &self.body {
            Body::Inline(length, bytes) => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Body::Heap(bytes) => bytes,
            Body::Secret(bytes) => bytes,
        }
    }

    /// The message; its sequence and port are forgotten.
    pub fn message(&self) -> Message<'_> {
        let body = self.bytes();
        let header = MessageHeader {
            length: u32::try_from(HEADER_LEN + body.len()).unwrap_or(u32::MAX),
            kind: MessageType(self.kind),
            flags: MessageFlags::from_bits_retain(self.flags),
            ..MessageHeader::default()
        };
        Message { header, body }
    }
}

impl<R> Clone for Owned<R> {
    fn clone(&self) -> Self {
        Self { kind: self.kind, flags: self.flags, body: self.body.clone(), reply: PhantomData }
    }
}

impl<R: Reply> PartialEq for Owned<R> {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.bytes() == other.bytes()
    }
}

impl<R: Reply> Eq for Owned<R> {}

impl<R: Reply> fmt::Debug for Owned<R>
where
    for<'a> R::View<'a>: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.view() {
            Ok(view) => view.fmt(f),
            Err(error) => write!(f, "<{error}>"),
        }
    }
}

impl<R: Reply> fmt::Display for Owned<R>
where
    for<'a> R::View<'a>: fmt::Display,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.view() {
            Ok(view) => view.fmt(f),
            Err(error) => write!(f, "<{error}>"),
        }
    }
}

#[cfg(feature = "serde")]
impl<R: Reply> serde::Serialize for Owned<R>
where
    for<'a> R::View<'a>: serde::Serialize,
{
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.view() {
            Ok(view) => view.serialize(serializer),
            Err(error) => Err(serde::ser::Error::custom(error)),
        }
    }
}
