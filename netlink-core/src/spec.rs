//! What a crate declares, as data: for tools that hold it against the kernel's headers.

use crate::error::{ExtAckAttrs, PolicyAttrs, PolicyType};
use crate::layout::{Constant, Fixed, Layout};
use crate::{Errno, MessageFlags, MessageHeader, MessageInfo, MessageType, Protocol, Table};

/// Everything that one crate declares; each family crate has one as `SPEC`.
///
/// Sets that stand in other sets, and the fixed headers of messages, are found from the messages. The rest
/// is listed; `cargo xtask spec` reports what is declared and not found.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Messages: the `MESSAGES` of each.
    pub messages: &'static [&'static [MessageInfo]],
    /// Sets that no message leads to, such as those which [`Shape::Select`](crate::Shape::Select) chooses from.
    pub tables: &'static [&'static Table],
    /// Fixed structs that are no header of a message.
    pub layouts: &'static [&'static Layout],
    /// Enumerations and flags: the `CONSTANTS` of each.
    pub constants: &'static [&'static [Constant]],
}

/// What this crate declares.
pub const SPEC: Spec = Spec {
    messages: &[],
    tables: &[ExtAckAttrs::TABLE, PolicyAttrs::TABLE],
    layouts: &[MessageHeader::LAYOUT],
    constants: &[
        Errno::CONSTANTS,
        MessageFlags::CONSTANTS,
        MessageType::CONSTANTS,
        PolicyType::CONSTANTS,
        Protocol::CONSTANTS,
        #[cfg(all(feature = "std", target_os = "linux"))]
        crate::socket::Switch::CONSTANTS,
    ],
};
