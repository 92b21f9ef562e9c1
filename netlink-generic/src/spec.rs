//! The tables of this crate, for tools.

use netlink_core::spec::Spec;

use crate::ctrl;
#[cfg(feature = "wireguard")]
use crate::wireguard;

/// What this crate declares; see [`Spec`].
pub const SPEC: Spec = Spec {
    messages: &[
        ctrl::Family::MESSAGES,
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
        #[cfg(feature = "wireguard")]
        wireguard::DeviceFlags::CONSTANTS,
        #[cfg(feature = "wireguard")]
        wireguard::PeerFlags::CONSTANTS,
        #[cfg(feature = "wireguard")]
        wireguard::AllowedIpFlags::CONSTANTS,
    ],
};
