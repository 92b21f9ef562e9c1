//! Messages as readable trees, with the kernel's names.

use core::fmt::{self, Write as _};

use crate::attr::{Attrs, Hex, NLA_F_NESTED, Parts, Scope, Shape, Table};
use crate::message::{Framing, HEADER_LEN, Message, MessageFlags, MessageType, Messages};
use crate::request::{MessageInfo, Numbered};

/// Whether a datagram was sent or received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// By us.
    Sent,
    /// By the socket, from the kernel or another process.
    Received,
}

/// One datagram on its way, and what it belongs to. Prints as a tree.
#[derive(Clone, Copy)]
pub struct Traffic<'a> {
    /// Which way it goes.
    pub direction: Direction,
    /// The multicast group it was sent to; 0 if it was sent to the socket alone, or by it.
    pub group: u32,
    /// Its bytes.
    pub datagram: &'a [u8],
    /// The message it asks with or answers; its siblings are known through it.
    pub info: Option<&'static MessageInfo>,
    /// `nlmsg_type` of that, where it was asked: another type is another family where messages are numbered by
    /// command.
    pub kind: Option<MessageType>,
}

impl fmt::Display for Traffic<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrow = match self.direction {
            Direction::Sent => '>',
            Direction::Received => '<',
        };
        let protocol = self.info.and_then(|info| (info.protocol)());
        let framing = match self.direction {
            Direction::Received => protocol.map_or(Framing::Usual, |info| info.protocol.framing()),
            Direction::Sent => Framing::Usual,
        };
        for message in Messages::framed(self.datagram, framing) {
            let info = match &message {
                Ok(message) => self.info.and_then(|info| self.info_of(message, info)),
                Err(_) => self.info,
            };
            let tree = Tree { info, message };
            writeln!(f, "{arrow} {tree}")?;
        }
        Ok(())
    }
}

impl Traffic<'_> {
    fn info_of(&self, message: &Message<'_>, info: &'static MessageInfo) -> Option<&'static MessageInfo> {
        let foreign = self.kind.is_some_and(|kind| kind != message.header.kind);
        match (info.numbered, self.direction) {
            (Numbered::ByCommand, _) if foreign => None,
            (_, Direction::Received) => info.answer_of(message).or(Some(info)),
            (_, Direction::Sent) => Some(info),
        }
    }
}

/// One message as a tree: a line for its header, a line per attribute, deeper ones indented.
pub struct Tree<'a> {
    message: Result<Message<'a>, crate::Malformed>,
    info: Option<&'static MessageInfo>,
}

impl<'a> Tree<'a> {
    /// The first message of `bytes`, which begin with its `nlmsghdr`.
    pub fn new(bytes: &'a [u8], info: Option<&'static MessageInfo>) -> Self {
        let nothing = crate::Malformed::Length { want: HEADER_LEN, got: bytes.len() };
        Self { message: Messages::new(bytes).next().unwrap_or(Err(nothing)), info }
    }
}

impl fmt::Debug for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = match &self.message {
            Ok(message) => message,
            Err(why) => return write!(f, "{why}"),
        };
        let header = message.header;
        let info = self.info.and_then(|info| info.of(message));
        match control_name(header.kind).or_else(|| info.map(|info| info.c_name)) {
            Some(name) => f.write_str(name)?,
            None => write!(f, "type {}", header.kind.0)?,
        }
        let flags = header.flags.bits();
        write!(f, " flags {flags:#x} seq {} port {}", header.sequence, header.port)?;
        match info {
            Some(info) if control_name(header.kind).is_none() => {
                let size = info.header.size.next_multiple_of(4).min(message.body.len());
                let (fixed, attrs) = message.body.split_at_checked(size).unwrap_or_default();
                if info.header.size > 0 {
                    write!(f, "\n    {} {}", info.header.c_name, Hex(fixed))?;
                }
                attributes(f, Parts::new(Shape::Set(info.table), Scope::new(fixed, Attrs::new(attrs))), 1)
            }
            // What is not known may be a key, and so may the request that a refusal repeats.
            None if control_name(header.kind).is_none() => write!(f, "\n    <{} bytes>", message.body.len()),
            _ if header.flags.contains(MessageFlags::CAPPED) || header.kind != MessageType::ERROR => {
                write!(f, "\n    {}", Hex(message.body))
            }
            _ => write!(f, "\n    {}", Hex(message.body.get(..4 + HEADER_LEN).unwrap_or(message.body))),
        }
    }
}

fn control_name(kind: MessageType) -> Option<&'static str> {
    MessageType::CONSTANTS.iter().find(|row| row.number == u64::from(kind.0)).map(|row| row.c_name)
}

fn indent(f: &mut fmt::Formatter<'_>, depth: u8) -> fmt::Result {
    f.write_char('\n')?;
    (0..depth).try_for_each(|_| f.write_str("    "))
}

fn attributes(f: &mut fmt::Formatter<'_>, parts: Parts<'_>, depth: u8) -> fmt::Result {
    for part in parts {
        indent(f, depth)?;
        let mut part = match part {
            Ok(part) => part,
            Err(why) => return write!(f, "{why}"),
        };
        match (part.attr, part.row) {
            (None, _) => write!(f, "- {}", Hex(part.header))?,
            (_, Some(row)) => f.write_str(row.c_name)?,
            (Some(attr), None) => write!(f, "[{}]", attr.number)?,
        }
        // Without a row, the flag is all that tells a set from bytes.
        if part.shape.is_none() && part.attr.is_some_and(|attr| attr.flags & NLA_F_NESTED != 0) {
            part.shape = Some(Shape::Set(Table::UNKNOWN));
        }
        match (part.shape, part.parts()) {
            (Some(Shape::Value(show) | Shape::Named(show)), _) => {
                f.write_str(" ")?;
                show(part.payload(), f)?;
            }
            (_, Some(parts)) => attributes(f, parts, depth + 1)?,
            _ => write!(f, " {}", Hex(part.payload()))?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MessageFlags, MessageInfo, attrs, layout, message};
    use alloc::format;

    layout! {
        /// Of the question.
        struct AskHeader: ask = 4 {
            /// A number.
            number: u32,
        }
    }
    attrs! {
        /// Of the question.
        struct AskAttrs<'a> for AskRequest<R> { 1 ASK_NAME name: u32, }
    }
    attrs! {
        /// Of the answer.
        struct AnswerAttrs<'a> for AnswerRequest<R> { 1 ANSWER_SIZE size: u32, }
    }
    message! {
        /// The question.
        struct Ask<'a>(AskHeader, AskAttrs<'a>), AskRequest { 20 BY_FAMILY ASK, }
    }
    message! {
        /// The answer, under the same number and without a fixed header.
        struct Answer<'a>((), AnswerAttrs<'a>), AnswerRequest { 20 BY_FAMILY ANSWER, }
    }
    const ASK: MessageInfo = MessageInfo { siblings: || &[Answer::MESSAGES], ..Ask::ASK };

    #[test]
    fn an_answer_may_have_the_number_of_its_question_and_another_form() {
        let shown = |direction, datagram: &[u8]| {
            format!("{}", Traffic { direction, group: 0, datagram, info: Some(&ASK), kind: None })
        };
        let ask = AskRequest::<()>::new(&ASK, MessageFlags::empty(), AskHeader::default().number(0x700_0007))
            .name(8);
        let sent = shown(Direction::Sent, &ask.to_bytes().unwrap());
        assert!(sent.ends_with("\n    ask 07000007\n    ASK_NAME 8\n"), "{sent}");
        let answer = AnswerRequest::<()>::new(&Answer::ANSWER, MessageFlags::empty(), ()).size(9);
        let received = shown(Direction::Received, &answer.to_bytes().unwrap());
        assert!(received.ends_with("port 0\n    ANSWER_SIZE 9\n"), "{received}");
    }
}
