//! The tables of this crate, for tools.

use netlink_core::layout::Fixed as _;
use netlink_core::spec::Spec;

use crate::{Family, Header, Subsystem, batch, conntrack, event, expect, log, queue};

/// What this crate declares; see [`Spec`].
pub const SPEC: Spec = Spec {
    messages: &[
        batch::Batch::MESSAGES,
        conntrack::Conntrack::MESSAGES,
        conntrack::CpuStats::MESSAGES,
        conntrack::Stats::MESSAGES,
        expect::Expect::MESSAGES,
        expect::ExpectStats::MESSAGES,
        queue::Packet::MESSAGES,
        queue::Config::MESSAGES,
        log::Packet::MESSAGES,
        log::Config::MESSAGES,
    ],
    tables: &[],
    layouts: &[
        Header::LAYOUT,
        conntrack::TcpFlagsMask::LAYOUT,
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
        conntrack::DccpRole::CONSTANTS,
        conntrack::DccpState::CONSTANTS,
        conntrack::FilterFlags::CONSTANTS,
        conntrack::IpProtocol::CONSTANTS,
        conntrack::PacketState::CONSTANTS,
        conntrack::SctpState::CONSTANTS,
        conntrack::Status::CONSTANTS,
        conntrack::TcpFlags::CONSTANTS,
        conntrack::TcpState::CONSTANTS,
        event::Group::CONSTANTS,
        expect::Direction::CONSTANTS,
        expect::ExpectFlags::CONSTANTS,
        queue::Command::CONSTANTS,
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
