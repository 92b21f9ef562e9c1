//! The tables of this crate, for tools.

use netlink_core::layout::Fixed as _;
use netlink_core::spec::Spec;

use crate::{Family, Header, Subsystem, acct, conntrack, event, expect, helper, hook, log, osf, queue};

/// The declarations of this crate; see [`Spec`].
pub const SPEC: Spec = Spec {
    protocols: &[&crate::PROTOCOL],
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
        osf::Fingerprint::LAYOUT,
        osf::TcpOption::LAYOUT,
        osf::Wildcard::LAYOUT,
    ],
    constants: &[
        Family::CONSTANTS,
        Subsystem::CONSTANTS,
        conntrack::DccpRole::CONSTANTS,
        conntrack::DccpState::CONSTANTS,
        conntrack::FilterFlags::CONSTANTS,
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
        acct::AccountFlags::CONSTANTS,
        helper::CONSTANTS,
        helper::HelperStatus::CONSTANTS,
        hook::ArpHook::CONSTANTS,
        hook::BridgeHook::CONSTANTS,
        hook::InetHook::CONSTANTS,
        hook::NetdevHook::CONSTANTS,
        hook::OwnerKind::CONSTANTS,
        osf::OptionKind::CONSTANTS,
        osf::WindowKind::CONSTANTS,
    ],
};
