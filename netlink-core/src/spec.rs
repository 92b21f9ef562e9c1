//! What a crate declares, as data: for tools that hold it against the kernel's headers.

use crate::error::{ExtAckAttrs, PolicyAttrs, PolicyType};
use crate::layout::{Constant, Fixed, Layout};
use crate::{
    Errno, MessageFlags, MessageHeader, MessageInfo, MessageType, Protocol, ProtocolInfo, Table, net,
};

/// Everything that one crate declares; each family crate has one as `SPEC`.
///
/// Sets that stand in other sets, and the fixed headers of messages, are found from the messages. The rest
/// is listed; `cargo xtask spec` reports what is declared and not found.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Protocols, or families, with their messages.
    pub protocols: &'static [&'static ProtocolInfo],
    /// Sets that no message leads to, such as those which [`Shape::Select`](crate::Shape::Select) chooses from.
    pub tables: &'static [&'static Table],
    /// Fixed structs that are no header of a message.
    pub layouts: &'static [&'static Layout],
    /// Enumerations and flags: the `CONSTANTS` of each.
    pub constants: &'static [&'static [Constant]],
}

impl Spec {
    /// All messages.
    pub fn messages(self) -> impl Iterator<Item = &'static MessageInfo> {
        self.protocols.iter().flat_map(|protocol| protocol.messages).copied().flatten()
    }
}

/// What this crate declares.
pub const SPEC: Spec = Spec {
    protocols: &[],
    tables: &[ExtAckAttrs::TABLE, PolicyAttrs::TABLE],
    layouts: &[MessageHeader::LAYOUT, net::Timespec::LAYOUT],
    constants: &[
        Errno::CONSTANTS,
        MessageFlags::CONSTANTS,
        MessageType::CONSTANTS,
        PolicyType::CONSTANTS,
        net::Family::CONSTANTS,
        net::WideIpProtocol::CONSTANTS,
        Protocol::CONSTANTS,
        #[cfg(all(feature = "std", target_os = "linux"))]
        crate::socket::Switch::CONSTANTS,
    ],
};
