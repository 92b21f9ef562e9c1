//! The last datagram, and where in it one reads.

use std::ops::Range;

use super::Result;
use crate::error::Error;
use crate::message::{Framing, Message, MessageHeader, MessageType, Messages, Sender};
use crate::socket::Received;

/// Room for one datagram. The kernel fills at most 32 KiB of a dump, more only for a single object that needs
/// more. What is not filled costs addresses, and memory only where an allocator clears what it had given out before.
pub(super) const BUFFER: usize = 1 << 20;

pub(super) struct Inbox {
    pub(super) buffer: Vec<u8>,
    pub(super) framing: Framing,
    /// The part of the buffer with messages not looked at yet.
    unread: Range<usize>,
    pub(super) sender: Sender,
    /// A dump whose end was not seen yet. The kernel refuses a second one meanwhile.
    pub(super) dumping: Option<u32>,
}

/// A message that was found in the buffer: its header, and the bytes of all of it.
pub(crate) struct InBuffer {
    pub(super) header: MessageHeader,
    pub(super) bytes: Range<usize>,
}

impl Inbox {
    pub(super) fn new(framing: Framing) -> Self {
        Self { buffer: vec![0; BUFFER], framing, unread: 0..0, sender: Sender::KERNEL, dumping: None }
    }

    /// Forgets what was not looked at.
    pub(super) fn clear(&mut self) {
        self.unread = 0..0;
    }

    /// A datagram has come into the buffer. One that had no room is lost, and the next of its size has room.
    pub(super) fn accept(&mut self, received: Received) -> Result<()> {
        let room = self.buffer.len();
        if received.length > room {
            self.buffer.resize(received.length.next_power_of_two(), 0);
            return Err(Error::Truncated { length: received.length, room });
        }
        self.sender = received.sender;
        self.unread = 0..received.length;
        Ok(())
    }

    /// The next message, and where it is.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Option<Result<(Message<'_>, InBuffer)>> {
        if self.unread.is_empty() {
            return None;
        }
        let start = self.unread.start;
        let bytes = self.buffer.get(self.unread.clone())?;
        let mut messages = Messages::framed(bytes, self.framing);
        let next = messages.next()?;
        self.unread.start = self.unread.end - messages.rest().len();
        Some(match next {
            Ok(message) => {
                let header = message.header;
                if matches!(header.kind, MessageType::DONE | MessageType::ERROR) {
                    note_end(&mut self.dumping, self.sender, header.sequence);
                }
                let end = start + self.framing.header_len() + message.body.len();
                Ok((message, InBuffer { header, bytes: start..end }))
            }
            Err(why) => Err(Error::decode(why.into(), "datagram", bytes)),
        })
    }

    /// A message in the buffer.
    #[inline]
    pub(super) fn message(&self, found: &InBuffer) -> Message<'_> {
        let bytes =
            self.buffer.get(found.bytes.clone()).and_then(|bytes| bytes.get(self.framing.header_len()..));
        Message { header: found.header, body: bytes.unwrap_or_default() }
    }
}

/// A message ended an exchange: perhaps the dump.
#[cold]
fn note_end(dumping: &mut Option<u32>, sender: Sender, sequence: u32) {
    if *dumping == Some(sequence) && sender == Sender::KERNEL {
        *dumping = None;
    }
}
