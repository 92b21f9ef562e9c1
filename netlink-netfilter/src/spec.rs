//! The tables of this crate, for tools.

use netlink_core::layout::Fixed as _;
use netlink_core::spec::Spec;

use crate::{Family, Header, Subsystem, batch, conntrack, event, expect};

/// What this crate declares; see [`Spec`].
pub const SPEC: Spec = Spec {
    messages: &[
        batch::Batch::MESSAGES,
        conntrack::Conntrack::MESSAGES,
        conntrack::CpuStats::MESSAGES,
        conntrack::Stats::MESSAGES,
        expect::Expect::MESSAGES,
        expect::ExpectStats::MESSAGES,
    ],
    tables: &[],
    layouts: &[Header::LAYOUT, conntrack::TcpFlagsMask::LAYOUT],
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
    ],
};
