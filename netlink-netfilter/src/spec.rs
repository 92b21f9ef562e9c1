//! The tables of this crate, for tools.

use netlink_core::layout::Fixed as _;
use netlink_core::spec::Spec;

use crate::{Family, Header, Subsystem, acct, batch, conntrack, event, expect, helper, hook, osf, timeout};

/// What this crate declares; see [`Spec`].
pub const SPEC: Spec = Spec {
    messages: &[
        batch::Batch::MESSAGES,
        conntrack::Conntrack::MESSAGES,
        conntrack::CpuStats::MESSAGES,
        conntrack::Stats::MESSAGES,
        expect::Expect::MESSAGES,
        expect::ExpectStats::MESSAGES,
        acct::Account::MESSAGES,
        helper::Helper::MESSAGES,
        hook::Hook::MESSAGES,
        osf::Osf::MESSAGES,
        timeout::Timeout::MESSAGES,
    ],
    tables: &[
        hook::ChainAttrs::TABLE,
        hook::BpfAttrs::TABLE,
        timeout::TcpTimeoutsAttrs::TABLE,
        timeout::UdpTimeoutsAttrs::TABLE,
        timeout::UdpliteTimeoutsAttrs::TABLE,
        timeout::IcmpTimeoutsAttrs::TABLE,
        timeout::Icmpv6TimeoutsAttrs::TABLE,
        timeout::DccpTimeoutsAttrs::TABLE,
        timeout::SctpTimeoutsAttrs::TABLE,
        timeout::GreTimeoutsAttrs::TABLE,
        timeout::GenericTimeoutsAttrs::TABLE,
    ],
    layouts: &[
        Header::LAYOUT,
        conntrack::TcpFlagsMask::LAYOUT,
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
        conntrack::IpProtocol::CONSTANTS,
        conntrack::PacketState::CONSTANTS,
        conntrack::SctpState::CONSTANTS,
        conntrack::Status::CONSTANTS,
        conntrack::TcpFlags::CONSTANTS,
        conntrack::TcpState::CONSTANTS,
        event::Group::CONSTANTS,
        expect::Direction::CONSTANTS,
        expect::ExpectFlags::CONSTANTS,
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
