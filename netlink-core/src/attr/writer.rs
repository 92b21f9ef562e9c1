//! Where messages and attributes are written.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::{ATTR_HEADER, NLA_F_NESTED, walk};
use crate::message::Protocol;

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
    /// This kernel would not know what to do with it.
    #[error("{of} {why}")]
    Lacking {
        /// Who would have to know.
        of: &'static str,
        /// What it lacks.
        why: &'static str,
    },
    /// A number of one protocol means something else in another.
    #[error("this is a message of {spoken}, and the connection is one of {connected}")]
    Protocol {
        /// Who speaks the message.
        spoken: &'static str,
        /// What the socket is of.
        connected: Protocol,
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

/// Overwrites what may have been a secret; without the feature nothing is one.
fn wipe(bytes: &mut [u8]) {
    #[cfg(feature = "secret")]
    zeroize::Zeroize::zeroize(bytes);
    #[cfg(not(feature = "secret"))]
    let _ = bytes;
}

/// Bytes with a key in them: wiped when they are dropped.
#[derive(Clone)]
pub(crate) struct Wiped(Box<[u8]>);

impl From<&[u8]> for Wiped {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl From<Box<[u8]>> for Wiped {
    fn from(bytes: Box<[u8]>) -> Self {
        Self(bytes)
    }
}

impl core::ops::Deref for Wiped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Room for attributes that the first allocation has: most requests need no second one.
const FIRST: usize = 96;

/// The bytes in larger memory, with room for so many more.
#[cold]
#[inline(never)]
fn moved(mut old: Vec<u8>, more: usize, secret: bool) -> Vec<u8> {
    let mut larger = Vec::with_capacity((old.len() + more.max(FIRST)).next_power_of_two());
    larger.extend_from_slice(&old);
    if secret {
        wipe(&mut old);
    }
    larger
}

/// Collects encoded bytes, and remembers the first value that could not be encoded.
///
/// Lengths are patched in after what they count is written, so nothing is measured beforehand. Once a secret was
/// written, no memory is given back before it is wiped.
#[derive(Clone, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    note: Option<Box<Note>>,
}

/// What most writers have nothing of.
#[derive(Clone, Default)]
struct Note {
    error: Option<(usize, Unsendable)>,
    secret: bool,
}

impl Drop for Writer {
    /// By value, so that a writer without a note needs no address.
    #[inline(always)]
    fn drop(&mut self) {
        #[cold]
        #[inline(never)]
        fn wipe(mut bytes: Vec<u8>) {
            super::writer::wipe(&mut bytes);
        }
        if self.is_secret() {
            wipe(core::mem::take(&mut self.bytes));
        }
    }
}

/// The bytes may be a key.
impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("len", &self.len()).field("error", &self.error()).finish()
    }
}

impl Writer {
    /// An empty one.
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), note: None }
    }

    /// So many zeros, with room for attributes behind them.
    #[inline]
    pub(crate) fn zeroed(length: usize) -> Self {
        let mut bytes = Vec::with_capacity(length + FIRST);
        bytes.resize(length, 0);
        Self { bytes, note: None }
    }

    /// What was written.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// What was written, taken out. Nothing wipes it any more.
    pub fn into_bytes(mut self) -> Vec<u8> {
        core::mem::take(&mut self.bytes)
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
        self.note.as_deref().and_then(|note| note.error)
    }

    /// Itself: builders and requests have one, and their setters are the same code.
    #[doc(hidden)]
    #[inline]
    pub fn writer(&mut self) -> &mut Self {
        self
    }

    /// Forgets everything after `length` bytes, and any error; keeps the memory.
    pub fn truncate(&mut self, length: usize) {
        if let Some(note) = &mut self.note {
            note.error = None;
        }
        self.cut(length);
    }

    /// Forgets everything after `length` bytes.
    fn cut(&mut self, length: usize) {
        if self.is_secret() {
            wipe(self.tail_mut(length));
        }
        self.bytes.truncate(length);
    }

    /// Notes that the value being written cannot be sent. The first note stays.
    #[cold]
    pub fn fail(&mut self, why: Unsendable) {
        self.fail_at(self.bytes.len(), why);
    }

    /// Notes that the message can't be sent for what stands at this offset; 0 is the message itself.
    #[cold]
    pub fn fail_at(&mut self, at: usize, why: Unsendable) {
        self.note.get_or_insert_default().error.get_or_insert((at, why));
    }

    /// Appends what another writer collected, with its error.
    pub fn append(&mut self, other: &Self) {
        if let Some(note) = &other.note {
            if let Some((at, why)) = note.error {
                self.fail_at(self.bytes.len() + at, why);
            }
            self.note.get_or_insert_default().secret |= note.secret;
        }
        self.push(&other.bytes);
    }

    /// Appends bytes that are wiped before their memory is given back.
    #[cfg(feature = "secret")]
    #[cold]
    pub fn push_secret(&mut self, bytes: &[u8]) {
        self.keep_secret();
        self.push(bytes);
    }

    /// What was written is wiped before its memory is given back.
    #[cold]
    pub(super) fn keep_secret(&mut self) {
        self.note.get_or_insert_default().secret = true;
    }

    /// Whether something that was written is to be wiped.
    #[inline]
    fn is_secret(&self) -> bool {
        self.note.as_ref().is_some_and(|note| note.secret)
    }

    /// Appends raw bytes.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) {
        if self.bytes.capacity().wrapping_sub(self.bytes.len()) < bytes.len() {
            let secret = self.is_secret();
            self.bytes = moved(core::mem::take(&mut self.bytes), bytes.len(), secret);
        }
        self.bytes.extend_from_slice(bytes);
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
    /// Growing takes the bytes by value and, being `extern "C"`, doesn't unwind: so nothing here needs the writer's
    /// address, and a request that is built in one function lives in registers. Else each setter writes it to the
    /// stack and the next one waits for it.
    #[inline(always)]
    fn push_array<const N: usize>(&mut self, bytes: [u8; N]) {
        #[cold]
        #[inline(never)]
        #[allow(improper_ctypes_definitions)]
        extern "C" fn grown<const N: usize>((old, bytes): (Vec<u8>, [u8; N]), secret: bool) -> Vec<u8> {
            let mut larger = moved(old, N, secret);
            larger.extend_from_slice(&bytes);
            larger
        }
        if self.bytes.capacity().wrapping_sub(self.bytes.len()) >= N {
            self.bytes.extend_from_slice(&bytes);
        } else {
            let secret = self.is_secret();
            self.bytes = grown((core::mem::take(&mut self.bytes), bytes), secret);
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
                self.cut(start + ATTR_HEADER);
                self.fail(Unsendable::TooLong {
                    length: length - ATTR_HEADER,
                    max: usize::from(u16::MAX) - ATTR_HEADER,
                });
                #[allow(clippy::cast_possible_truncation)]
                self.patch(start, (ATTR_HEADER as u16).to_ne_bytes());
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

    /// Overwrites the payload of the last attribute of this number and length, of those that begin at `start`; `false` if
    /// there is none.
    pub fn replace(&mut self, start: usize, number: u16, payload: &[u8]) -> bool {
        let set = self.bytes.get(start..).unwrap_or_default();
        let mut place = None;
        walk(set, set, |other, there, at| {
            if other == usize::from(number) && there.len() == payload.len() {
                place = Some(start + at + ATTR_HEADER);
            }
            true
        });
        let there = place.and_then(|at| self.bytes.get_mut(at..)?.get_mut(..payload.len()));
        there.map(|there| there.copy_from_slice(payload)).is_some()
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

impl From<&[u8]> for Writer {
    fn from(bytes: &[u8]) -> Self {
        Self { bytes: bytes.into(), note: None }
    }
}

#[cfg(all(test, feature = "secret"))]
mod tests {
    use super::*;

    #[test]
    fn a_secret_stays_marked() {
        let mut inner = Writer::new();
        inner.push_secret(&[7; 4]);
        inner.push(&[8; 100]);
        let mut out = Writer::new();
        out.push(&[1; 4]);
        out.append(&inner);
        assert!(out.is_secret() && out.error().is_none());
        assert_eq!(out.as_slice()[..8], [1, 1, 1, 1, 7, 7, 7, 7]);
        out.fail(Unsendable::Value("late"));
        assert_eq!(out.error(), Some((108, Unsendable::Value("late"))));
        out.truncate(4);
        assert!(out.is_secret() && out.error().is_none());
        assert_eq!(out.into_bytes(), [1; 4]);
    }

    #[test]
    fn what_grows_keeps_its_bytes() {
        for secret in [false, true] {
            let grown = moved(alloc::vec![7; 3], 300, secret);
            assert_eq!((grown.as_slice(), grown.capacity() >= 303), (&[7; 3][..], true));
        }
    }
}
