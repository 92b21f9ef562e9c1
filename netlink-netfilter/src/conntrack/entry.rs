//! Attribute sets of an entry: counters, times, helper, sequence numbers, security context.

use netlink_core::{Be, Bytes, Str, attrs};

attrs! {
    /// `CTA_COUNTERS_*`: packets and bytes of one direction. Present only with `net.netfilter.nf_conntrack_acct`.
    pub struct CountersAttrs<'a> for Counters {
        /// Packets.
        1 CTA_COUNTERS_PACKETS packets: Be<u64> as u64,
        /// Bytes, with the IP header.
        2 CTA_COUNTERS_BYTES bytes: Be<u64> as u64,
        /// Packets, as 32 bits. Kernels do not send it.
        3 CTA_COUNTERS32_PACKETS packets32: Be<u32> as u32,
        /// Bytes, as 32 bits. Kernels do not send it.
        4 CTA_COUNTERS32_BYTES bytes32: Be<u32> as u32,
        /// Aligns the counters.
        5 CTA_COUNTERS_PAD pad: Bytes<'a>,
    }
}

attrs! {
    /// `CTA_TIMESTAMP_*`: when the connection began and ended, in nanoseconds since 1970. Present only with
    /// `net.netfilter.nf_conntrack_timestamp`.
    pub struct TimestampAttrs<'a> for Timestamp {
        /// When it began.
        1 CTA_TIMESTAMP_START start: Be<u64> as u64,
        /// When it ended; absent while it exists.
        2 CTA_TIMESTAMP_STOP stop: Be<u64> as u64,
        /// Aligns the times.
        3 CTA_TIMESTAMP_PAD pad: Bytes<'a>,
    }
}

attrs! {
    /// `CTA_HELP_*`: the helper that inspects the connection's data and expects further connections.
    pub struct HelperAttrs<'a> for Helper {
        /// Its name, for example `ftp`; at most 15 bytes. In an update, the empty name removes the helper;
        /// Linux 7.3 refuses that with `EOPNOTSUPP`.
        1 CTA_HELP_NAME name: Str<'a, 15>,
        /// Data of the helper, in its own format.
        2 CTA_HELP_INFO info: Bytes<'a>,
    }
}

impl Helper {
    /// The helper with this name.
    pub fn named(name: &str) -> Self {
        Self::new().name(name)
    }
}

attrs! {
    /// `CTA_SEQADJ_*`: adjustment of TCP sequence numbers in one direction, needed because a helper changed
    /// the length of the data. To set it, give all three.
    pub struct SeqAdjAttrs<'a> for SeqAdj {
        /// The sequence number from which the second offset is used.
        1 CTA_SEQADJ_CORRECTION_POS correction_pos: Be<u32> as u32,
        /// The offset before this number.
        2 CTA_SEQADJ_OFFSET_BEFORE offset_before: Be<i32> as i32,
        /// The offset from this number on.
        3 CTA_SEQADJ_OFFSET_AFTER offset_after: Be<i32> as i32,
    }
}

attrs! {
    /// `CTA_SYNPROXY_*`: state of the SYN proxy. Linux 4.18. To set it, give all three.
    pub struct SynproxyAttrs<'a> for Synproxy {
        /// Initial sequence number that the proxy chose.
        1 CTA_SYNPROXY_ISN isn: Be<u32> as u32,
        /// Initial timestamp that the proxy sent.
        2 CTA_SYNPROXY_ITS its: Be<u32> as u32,
        /// Offset of timestamps.
        3 CTA_SYNPROXY_TSOFF tsoff: Be<u32> as u32,
    }
}

attrs! {
    /// `CTA_SECCTX_*`: the security context of the connection.
    pub struct SecctxAttrs<'a> for Secctx {
        /// The context, a text of the security module.
        1 CTA_SECCTX_NAME name: Str<'a>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_core::{Payload as _, Writer};
    use netlink_testing::native;

    #[test]
    fn offsets_have_a_sign() {
        let seq = SeqAdj::new().correction_pos(7).offset_before(0).offset_after(-6);
        let mut out = Writer::new();
        let attrs = seq.attrs();
        attrs.encode(&mut out);
        assert_eq!(out.as_slice()[16..], native([8, 0, 3, 0, 0xff, 0xff, 0xff, 0xfa], &[2, 2, 1]));
        assert_eq!(attrs.offset_after(), Some(-6));
    }
}
