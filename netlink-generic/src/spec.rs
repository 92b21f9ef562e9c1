//! The tables of this crate, for tools.

#[cfg(feature = "taskstats")]
use netlink_core::layout::Fixed as _;
use netlink_core::spec::Spec;

#[cfg(feature = "mptcp_pm")]
use crate::mptcp_pm;
#[cfg(feature = "netdev")]
use crate::netdev;
#[cfg(feature = "quota")]
use crate::quota;
#[cfg(feature = "taskstats")]
use crate::taskstats;
#[cfg(feature = "wireguard")]
use crate::wireguard;
use crate::{Declared, ctrl};

/// The declarations of this crate; see [`Spec`].
pub const SPEC: Spec = Spec {
    protocols: &[
        <ctrl::Ctrl as Declared>::INFO,
        #[cfg(feature = "mptcp_pm")]
        <mptcp_pm::MptcpPm as Declared>::INFO,
        #[cfg(feature = "netdev")]
        <netdev::Netdev as Declared>::INFO,
        #[cfg(feature = "quota")]
        <quota::Quota as Declared>::INFO,
        #[cfg(feature = "taskstats")]
        <taskstats::Taskstats as Declared>::INFO,
        #[cfg(feature = "wireguard")]
        <wireguard::Wireguard as Declared>::INFO,
    ],
    tables: &[],
    layouts: &[
        #[cfg(feature = "taskstats")]
        taskstats::TaskStats::LAYOUT,
        #[cfg(feature = "taskstats")]
        taskstats::CgroupStats::LAYOUT,
    ],
    constants: &[
        ctrl::OperationFlags::CONSTANTS,
        #[cfg(feature = "mptcp_pm")]
        mptcp_pm::AddressFlags::CONSTANTS,
        #[cfg(feature = "mptcp_pm")]
        mptcp_pm::EventFlags::CONSTANTS,
        #[cfg(feature = "mptcp_pm")]
        mptcp_pm::ResetReason::CONSTANTS,
        #[cfg(feature = "netdev")]
        netdev::XdpAct::CONSTANTS,
        #[cfg(feature = "netdev")]
        netdev::XdpRxMetadata::CONSTANTS,
        #[cfg(feature = "netdev")]
        netdev::XskFlags::CONSTANTS,
        #[cfg(feature = "netdev")]
        netdev::QueueType::CONSTANTS,
        #[cfg(feature = "netdev")]
        netdev::NapiThreaded::CONSTANTS,
        #[cfg(feature = "netdev")]
        netdev::QstatsScope::CONSTANTS,
        #[cfg(feature = "quota")]
        quota::Kind::CONSTANTS,
        #[cfg(feature = "quota")]
        quota::QuotaType::CONSTANTS,
        #[cfg(feature = "taskstats")]
        taskstats::AccountFlags::CONSTANTS,
        #[cfg(feature = "taskstats")]
        taskstats::Policy::CONSTANTS,
        #[cfg(feature = "wireguard")]
        wireguard::DeviceFlags::CONSTANTS,
        #[cfg(feature = "wireguard")]
        wireguard::PeerFlags::CONSTANTS,
        #[cfg(feature = "wireguard")]
        wireguard::AllowedIpFlags::CONSTANTS,
    ],
};
