//! In-situ operations, administration and maintenance in IPv6: packets collect measurements on their way.
//! Kernel side: `uapi/linux/ioam6.h`, `ioam6_iptunnel.h`, `net/ipv6/ioam6_iptunnel.c`. Linux 5.15.

use core::fmt;
use core::net::Ipv6Addr;

use netlink_core::{Be, attrs, layout, values};

use super::encap::{Words, word, words};

values! {
    /// `IOAM6_IPTUNNEL_MODE_*`: where the trace is inserted.
    pub struct Ioam6Mode: u8 {
        /// Into packets that this host sends. The default.
        1 IOAM6_IPTUNNEL_MODE_INLINE INLINE "inline",
        /// Into an IPv6 header around the packet.
        2 IOAM6_IPTUNNEL_MODE_ENCAP ENCAP "encap",
        /// Inline for packets that this host sends, with a new header for packets that it forwards.
        3 IOAM6_IPTUNNEL_MODE_AUTO AUTO "auto",
    }
}

layout! {
    /// `struct ioam6_trace_hdr`: the data that a trace collects, and the space for it.
    pub struct TraceHeader: ioam6_trace_hdr = 8 {
        /// Id of the IOAM namespace.
        namespace: Be<u16>,
        /// The upper five bits are the length of each node's data in words of four bytes, which the kernel
        /// sets. Then follows the overflow bit.
        node: u8,
        /// Remaining space in words of four bytes, 1 to 61: `size` of `ip route` divided by 4.
        remaining: u8,
        /// The data that nodes write. Bit 0 of the standard is the highest bit here. The lowest eight bits
        /// are reserved.
        kinds: Be<u32>,
    }
}

attrs! {
    /// `IOAM6_IPTUNNEL_*`: inserts a pre-allocated trace into packets.
    pub struct Ioam6Attrs<'a> for Ioam6 {
        /// Where the trace is inserted. Linux 5.16.
        1 IOAM6_IPTUNNEL_MODE mode: Ioam6Mode,
        /// Destination of the new header. Required except in inline mode. Linux 5.16.
        2 IOAM6_IPTUNNEL_DST dst: Ipv6Addr,
        /// The trace. Required.
        3 IOAM6_IPTUNNEL_TRACE trace: TraceHeader,
        /// Number of packets that get the trace, out of each `freq_n` packets: 1 to 1000000. Default: 1. Linux 5.18.
        4 IOAM6_IPTUNNEL_FREQ_K freq_k: u32,
        /// Size of a group of packets, of which `freq_k` get the trace; at least `freq_k`. Default: 1. Linux 5.18.
        5 IOAM6_IPTUNNEL_FREQ_N freq_n: u32,
        /// Source of the new header; not in inline mode. Default: an address of the outgoing link. Linux 6.12.
        6 IOAM6_IPTUNNEL_SRC src: Ipv6Addr,
    }
}

impl Ioam6 {
    /// Inserts the trace into `k` of each `n` packets.
    pub fn frequency(self, k: u32, n: u32) -> Self {
        self.freq_k(k).freq_n(n)
    }
}

/// `freq 1/2 mode encap tundst fc00::1 trace prealloc type 0x800000 ns 1 size 12`
impl Words for Ioam6Attrs<'_> {
    fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(k), Some(n)) = (self.freq_k(), self.freq_n()) {
            write!(f, " freq {k}/{n}")?;
        }
        let (mode, src, dst) = (self.mode(), self.src(), self.dst());
        words(f, [("mode", word(&mode)), ("tunsrc", word(&src)), ("tundst", word(&dst))])?;
        let Some(trace) = self.trace() else { return Ok(()) };
        let (kinds, size) = (trace.kinds.0 >> 8, u16::from(trace.remaining) * 4);
        write!(f, " trace prealloc type {kinds:#08x} ns {} size {size}", trace.namespace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_core::{Payload, Writer};

    /// S-X: the kernel reads both with `nla_get_u32`.
    #[test]
    fn a_frequency_is_in_the_byte_order_of_the_machine() {
        let mut out = Writer::new();
        Ioam6::new().frequency(3, 1000).attrs().encode(&mut out);
        let attr = |number: u16, value: u32| {
            [&8u16.to_ne_bytes()[..], &number.to_ne_bytes(), &value.to_ne_bytes()].concat()
        };
        assert_eq!(out.as_slice(), [attr(4, 3), attr(5, 1000)].concat());
        let read = Ioam6Attrs::decode(out.as_slice()).unwrap();
        assert_eq!((read.freq_k(), read.freq_n()), (Some(3), Some(1000)));
    }
}
