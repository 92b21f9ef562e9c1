//! The tables of this crate, for tools.

use netlink_core::spec::Spec;

use crate::ctrl;
#[cfg(feature = "netdev")]
use crate::netdev;
#[cfg(feature = "wireguard")]
use crate::wireguard;

/// What this crate declares; see [`Spec`].
pub const SPEC: Spec = Spec {
    messages: &[
        ctrl::Family::MESSAGES,
        #[cfg(feature = "netdev")]
        netdev::Device::MESSAGES,
        #[cfg(feature = "netdev")]
        netdev::PagePool::MESSAGES,
        #[cfg(feature = "netdev")]
        netdev::PagePoolStats::MESSAGES,
        #[cfg(feature = "netdev")]
        netdev::Queue::MESSAGES,
        #[cfg(feature = "netdev")]
        netdev::Napi::MESSAGES,
        #[cfg(feature = "netdev")]
        netdev::Qstats::MESSAGES,
        #[cfg(feature = "netdev")]
        netdev::Dmabuf::MESSAGES,
        #[cfg(feature = "wireguard")]
        wireguard::DeviceMessage::MESSAGES,
    ],
    tables: &[],
    layouts: &[
        #[cfg(feature = "wireguard")]
        <wireguard::Timespec as netlink_core::layout::Fixed>::LAYOUT,
    ],
    constants: &[
        ctrl::OperationFlags::CONSTANTS,
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
        #[cfg(feature = "wireguard")]
        wireguard::DeviceFlags::CONSTANTS,
        #[cfg(feature = "wireguard")]
        wireguard::PeerFlags::CONSTANTS,
        #[cfg(feature = "wireguard")]
        wireguard::AllowedIpFlags::CONSTANTS,
    ],
};
