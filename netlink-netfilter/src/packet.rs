//! Parts that packets of queues and of logs share.

#[cfg(all(feature = "std", target_os = "linux"))]
mod listen;
#[cfg(all(feature = "tokio", target_os = "linux"))]
pub(crate) mod tokio;

use core::time::Duration;

use netlink_core::layout::Pad;
use netlink_core::{Be, HwAddr, layout, values};

#[cfg(all(feature = "std", target_os = "linux"))]
pub(crate) use listen::{Gaps, configure, listening};

values! {
    /// `NF_INET_*`: the hook that a packet is in.
    ///
    /// The families `netdev`, `arp` and `bridge` number their hooks differently: see the constants.
    pub struct Hook: u8 {
        /// Received, not yet routed.
        0 NF_INET_PRE_ROUTING PRE_ROUTING "prerouting",
        /// For this machine.
        1 NF_INET_LOCAL_IN LOCAL_IN "input",
        /// For another machine.
        2 NF_INET_FORWARD FORWARD "forward",
        /// From this machine.
        3 NF_INET_LOCAL_OUT LOCAL_OUT "output",
        /// About to leave.
        4 NF_INET_POST_ROUTING POST_ROUTING "postrouting",
        /// On a link, before all other hooks. Linux 5.10.
        5 NF_INET_INGRESS INGRESS "ingress",
    }
}

impl Hook {
    /// Received, in the family `arp`; `NF_ARP_IN`.
    pub const ARP_IN: Self = Self(0);
    /// From this machine, in the family `arp`; `NF_ARP_OUT`.
    pub const ARP_OUT: Self = Self(1);
    /// Received, in the family `netdev`; `NF_NETDEV_INGRESS`.
    pub const NETDEV_INGRESS: Self = Self(0);
    /// About to leave, in the family `netdev`; `NF_NETDEV_EGRESS`. Linux 5.16.
    pub const NETDEV_EGRESS: Self = Self(1);
}

layout! {
    /// `struct nfqnl_msg_packet_hw` and `struct nfulnl_msg_packet_hw`: the link-layer source address of a packet.
    pub struct Source: nfqnl_msg_packet_hw = 12 {
        /// Length of the address, in bytes.
        length: Be<u16>,
        /// Padding.
        pad: Pad<2>,
        /// The address, followed by zeros. See [`addr`](Self::addr).
        bytes: [u8; 8],
    }
    shows |source| { addr: source.addr(); bytes length }
}

impl Source {
    /// The address.
    pub fn addr(&self) -> Option<HwAddr> {
        HwAddr::new(self.bytes.get(..self.length.0.into())?)
    }
}

layout! {
    /// `struct nfqnl_msg_packet_timestamp` and `struct nfulnl_msg_packet_timestamp`: when a packet arrived, in UTC.
    pub struct Timestamp: nfqnl_msg_packet_timestamp = 16 {
        /// Seconds since 1970.
        seconds: Be<u64>,
        /// Microseconds.
        micros: Be<u64>,
    }
}

impl Timestamp {
    /// The time since the start of 1970.
    pub fn since_epoch(&self) -> Duration {
        Duration::from_secs(self.seconds.0).saturating_add(Duration::from_micros(self.micros.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_at_most_eight_bytes() {
        let source = Source::default().length(6).bytes([2, 0, 0, 0, 0, 1, 9, 9]);
        assert_eq!(source.addr(), Some([2, 0, 0, 0, 0, 1].into()));
        assert_eq!(source.length(9).addr(), None);
    }

    #[test]
    fn a_time_is_seconds_and_micros() {
        let time = Timestamp::default().seconds(3).micros(u64::MAX);
        assert_eq!(time.since_epoch(), Duration::new(18_446_744_073_712, 551_615_000));
    }
}
