//! The tables of this crate, for tools.

use netlink_core::layout::Fixed as _;
use netlink_core::spec::Spec;

use crate::{Family, Header, Subsystem, log, queue};

/// What this crate declares; see [`Spec`].
pub const SPEC: Spec = Spec {
    messages: &[
        queue::Packet::MESSAGES,
        queue::Config::MESSAGES,
        log::Packet::MESSAGES,
        log::Config::MESSAGES,
    ],
    tables: &[],
    layouts: &[
        Header::LAYOUT,
        queue::ConfigCommand::LAYOUT,
        queue::PacketHeader::LAYOUT,
        queue::Params::LAYOUT,
        queue::Source::LAYOUT,
        queue::Timestamp::LAYOUT,
        queue::VerdictHeader::LAYOUT,
        log::ConfigCommand::LAYOUT,
        log::Mode::LAYOUT,
        log::PacketHeader::LAYOUT,
    ],
    constants: &[
        Family::CONSTANTS,
        Subsystem::CONSTANTS,
        queue::Command::CONSTANTS,
        queue::ConntrackInfo::CONSTANTS,
        queue::CopyMode::CONSTANTS,
        queue::Hook::CONSTANTS,
        queue::PacketInfo::CONSTANTS,
        queue::QueueFlags::CONSTANTS,
        queue::Verdict::CONSTANTS,
        log::Command::CONSTANTS,
        log::CopyMode::CONSTANTS,
        log::LogFlags::CONSTANTS,
    ],
};
