//! Links that end in a file descriptor: tun and tap. Kernel side: `drivers/net/tun.c`.

use netlink_core::{attrs, values};

values! {
    /// What a tun link transports.
    pub struct TunType: u8 {
        /// IP packets.
        1 IFF_TUN TUN "tun",
        /// Ethernet frames.
        2 IFF_TAP TAP "tap",
    }
}

attrs! {
    /// `IFLA_TUN_*`: a tun or tap link. Read-only. Linux 4.17. Programs make such links by opening
    /// `/dev/net/tun`; a request for one fails with `EOPNOTSUPP`.
    pub struct TunAttrs<'a> for Tun {
        /// User that may attach to the link. Absent: everyone with the capability.
        1 IFLA_TUN_OWNER owner: u32,
        /// Group that may attach to the link.
        2 IFLA_TUN_GROUP group: u32,
        /// Packets or frames.
        3 IFLA_TUN_TYPE kind: TunType,
        /// Whether each packet begins with flags and protocol.
        4 IFLA_TUN_PI pi: bool,
        /// Whether each packet begins with an offload header.
        5 IFLA_TUN_VNET_HDR vnet_hdr: bool,
        /// Whether the link stays when its last descriptor is closed.
        6 IFLA_TUN_PERSIST persist: bool,
        /// Whether the link can have several queues.
        7 IFLA_TUN_MULTI_QUEUE multi_queue: bool,
        /// Number of active queues. Absent without several queues.
        8 IFLA_TUN_NUM_QUEUES num_queues: u32,
        /// Number of attached but disabled queues. Absent without several queues.
        9 IFLA_TUN_NUM_DISABLED_QUEUES num_disabled_queues: u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_core::Payload;
    use netlink_testing::native;

    #[test]
    fn what_a_kernel_sends_is_read() {
        let bytes = native(
            [
                5, 0, 3, 0, 2, 0, 0, 0, // IFLA_TUN_TYPE
                8, 0, 1, 0, 0xe8, 3, 0, 0, // IFLA_TUN_OWNER
                5, 0, 4, 0, 0, 0, 0, 0, // IFLA_TUN_PI
                5, 0, 6, 0, 1, 0, 0, 0, // IFLA_TUN_PERSIST
            ],
            &[2, 2, 1, 1, 1, 1, 2, 2, 4, 2, 2, 1, 1, 1, 1, 2, 2, 1],
        );
        let tun = TunAttrs::decode(&bytes).unwrap();
        assert_eq!((tun.kind(), tun.owner(), tun.group()), (Some(TunType::TAP), Some(1000), None));
        assert_eq!((tun.pi(), tun.persist(), tun.num_queues()), (Some(false), Some(true), None));
    }
}
