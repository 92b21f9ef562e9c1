//! Counters and the hardware map of a link.

use netlink_core::layout;
use netlink_core::layout::Pad;

/// The fields of both counter structs.
macro_rules! stats {
    (
        $(#[$meta:meta])*
        $name:ident: $c_name:ident = $size:literal of $int:ident { $($more:tt)* }
    ) => {
        layout! {
            $(#[$meta])*
            pub struct $name: $c_name = $size {
                /// Good packets received and delivered to the network stack.
                rx_packets: $int,
                /// Packets handed to the device and sent.
                tx_packets: $int,
                /// Bytes of the packets received.
                rx_bytes: $int,
                /// Bytes of the packets sent.
                tx_bytes: $int,
                /// Bad packets received; the sum of the detailed receive errors.
                rx_errors: $int,
                /// Packets that could not be sent; the sum of the detailed send errors.
                tx_errors: $int,
                /// Packets received and dropped for lack of space, not because they were bad.
                rx_dropped: $int,
                /// Packets dropped before sending for lack of space.
                tx_dropped: $int,
                /// Multicast packets received, where the hardware counts them.
                multicast: $int,
                /// Collisions while sending, on shared media.
                collisions: $int,
                /// Packets received with a wrong length.
                rx_length_errors: $int,
                /// Packets received that are longer than the buffer.
                rx_over_errors: $int,
                /// Packets received with a wrong checksum.
                rx_crc_errors: $int,
                /// Packets received with bad framing or alignment.
                rx_frame_errors: $int,
                /// Packets lost because the device's queue was full.
                rx_fifo_errors: $int,
                /// Packets lost because the host provided no buffers in time.
                rx_missed_errors: $int,
                /// Transmissions aborted.
                tx_aborted_errors: $int,
                /// Packets lost because the carrier was lost while sending.
                tx_carrier_errors: $int,
                /// Packets lost because the device's queue ran empty while sending.
                tx_fifo_errors: $int,
                /// Missing heartbeats after sending, on old Ethernet.
                tx_heartbeat_errors: $int,
                /// Late collisions, after which a frame can't be sent again.
                tx_window_errors: $int,
                /// Compressed packets received.
                rx_compressed: $int,
                /// Compressed packets sent.
                tx_compressed: $int,
                /// Packets dropped because no protocol accepted them. Linux 4.6.
                rx_nohandler: Option<$int>,
                $($more)*
            }
        }
    };
}

stats! {
    /// `struct rtnl_link_stats`: counters of 32 bits, which wrap. [`LinkStats64`] has the same counters with 64 bits.
    LinkStats: rtnl_link_stats = 96 of u32 {}
}

stats! {
    /// `struct rtnl_link_stats64`: counters since the link was made.
    LinkStats64: rtnl_link_stats64 = 200 of u64 {
        /// Packets dropped because they were for another Ethernet address. Linux 5.19.
        rx_otherhost_dropped: Option<u64>,
    }
}

layout! {
    /// `struct rtnl_link_ifmap`: resources of the device's hardware. All zero except for old cards.
    pub struct LinkMap: rtnl_link_ifmap = 32 | 28 {
        /// Start of shared memory.
        mem_start: u64,
        /// End of shared memory.
        mem_end: u64,
        /// I/O address.
        base_addr: u64,
        /// Interrupt.
        irq: u16,
        /// DMA channel.
        dma: u8,
        /// Connector in use.
        port: u8,
        /// Padding.
        pad: Pad<4, 0>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_core::Payload;

    #[test]
    fn counters_of_older_kernels_are_shorter() {
        let bytes = [1; 184];
        let stats = LinkStats64::decode(&bytes).unwrap();
        assert_eq!(stats.tx_compressed, 0x0101_0101_0101_0101);
        assert_eq!((stats.rx_nohandler, stats.rx_otherhost_dropped), (None, None));
        let longer = LinkStats64::decode(&[1; 208]).unwrap();
        assert_eq!(longer.rx_otherhost_dropped, Some(0x0101_0101_0101_0101));
        assert!(LinkStats::decode(&[0; 91]).is_err());
        assert_eq!(LinkStats::decode(&[0; 92]).unwrap().rx_nohandler, None);
    }

    #[test]
    fn the_map_has_the_members_where_c_has_them() {
        let bytes = LinkMap::default().base_addr(0x300u64).irq(5u16).dma(3u8).port(9u8).to_bytes();
        assert_eq!(bytes[16..24], 0x300u64.to_ne_bytes());
        assert_eq!(bytes[24..28], [&5u16.to_ne_bytes()[..], &[3, 9]].concat());
    }
}
