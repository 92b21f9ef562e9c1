//! The smaller parts of a connection's entry: counters, times, helper, sequence numbers, security, labels.

use core::fmt;

use netlink_core::attr::Rule;
use netlink_core::{Be, Bytes, Malformed, Payload, Shape, Str, Writer, attrs, serialize_display};

attrs! {
    /// `CTA_COUNTERS_*`: packets and bytes of one direction. There only with `net.netfilter.nf_conntrack_acct`.
    pub struct CountersAttrs<'a> for Counters {
        /// Packets.
        1 CTA_COUNTERS_PACKETS packets: Be<u64> as u64,
        /// Bytes, with the IP header.
        2 CTA_COUNTERS_BYTES bytes: Be<u64> as u64,
        /// Packets, in four bytes. No kernel of today sends it.
        3 CTA_COUNTERS32_PACKETS packets32: Be<u32> as u32,
        /// Bytes, in four bytes. No kernel of today sends it.
        4 CTA_COUNTERS32_BYTES bytes32: Be<u32> as u32,
        /// Aligns the counters.
        5 CTA_COUNTERS_PAD pad: Bytes<'a>,
    }
}

attrs! {
    /// `CTA_TIMESTAMP_*`: when the connection began and ended, in nanoseconds since 1970. There only with
    /// `net.netfilter.nf_conntrack_timestamp`.
    pub struct TimestampAttrs<'a> for Timestamp {
        /// When it began.
        1 CTA_TIMESTAMP_START start: Be<u64> as u64,
        /// When it ended; absent while it lives.
        2 CTA_TIMESTAMP_STOP stop: Be<u64> as u64,
        /// Aligns the times.
        3 CTA_TIMESTAMP_PAD pad: Bytes<'a>,
    }
}

attrs! {
    /// `CTA_HELP_*`: the helper that looks into the connection's data for others to expect.
    pub struct HelperAttrs<'a> for Helper {
        /// Its name, `ftp` for example; at most 15 bytes. In an update, an empty one takes the helper off, which Linux 7.3
        /// refuses with `EOPNOTSUPP`.
        1 CTA_HELP_NAME name: Str<'a, 15>,
        /// What it keeps, in a form of its own.
        2 CTA_HELP_INFO info: Bytes<'a>,
    }
}

impl Helper {
    /// The helper of this name.
    pub fn named(name: &str) -> Self {
        Self::new().name(name)
    }
}

attrs! {
    /// `CTA_SEQADJ_*`: by how much TCP sequence numbers of one direction are moved, because a helper changed
    /// the length of the data. All three are needed to set it.
    pub struct SeqAdjAttrs<'a> for SeqAdj {
        /// The sequence number from which the second offset counts.
        1 CTA_SEQADJ_CORRECTION_POS correction_pos: Be<u32> as u32,
        /// What is added before it.
        2 CTA_SEQADJ_OFFSET_BEFORE offset_before: Be<i32> as i32,
        /// What is added from there on.
        3 CTA_SEQADJ_OFFSET_AFTER offset_after: Be<i32> as i32,
    }
}

attrs! {
    /// `CTA_SYNPROXY_*`: what the SYN proxy keeps of a connection. Linux 4.18. All three are needed to set it.
    pub struct SynproxyAttrs<'a> for Synproxy {
        /// Initial sequence number that it chose.
        1 CTA_SYNPROXY_ISN isn: Be<u32> as u32,
        /// Initial timestamp that it sent.
        2 CTA_SYNPROXY_ITS its: Be<u32> as u32,
        /// By how much timestamps are moved.
        3 CTA_SYNPROXY_TSOFF tsoff: Be<u32> as u32,
    }
}

attrs! {
    /// `CTA_SECCTX_*`: the security context of the connection.
    pub struct SecctxAttrs<'a> for Secctx {
        /// The security module's text.
        1 CTA_SECCTX_NAME name: Str<'a>,
    }
}

/// 128 labels, each set or not. `/etc/xtables/connlabel.conf` names them.
///
/// The kernel keeps them once some rule of the namespace, in iptables or nftables, has asked for labels.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Labels {
    bytes: [u8; Self::BYTES],
}

impl Labels {
    const BYTES: usize = 16;

    /// None set.
    pub const NONE: Self = Self { bytes: [0; Self::BYTES] };

    /// Those of these numbers; what is above 127 is no label.
    pub fn of(labels: &[u8]) -> Self {
        labels.iter().fold(Self::NONE, |set, label| set.with(*label))
    }

    /// With this one set as well.
    #[must_use]
    pub fn with(mut self, label: u8) -> Self {
        if let Some(byte) = self.bytes.get_mut(Self::byte(label)) {
            *byte |= 1 << (label % 8);
        }
        self
    }

    /// Whether this one is set.
    pub fn contains(&self, label: u8) -> bool {
        self.bytes.get(Self::byte(label)).is_some_and(|byte| byte >> (label % 8) & 1 != 0)
    }

    /// The numbers of those that are set.
    pub fn iter(&self) -> impl Iterator<Item = u8> + use<> {
        let labels = *self;
        (0..128).filter(move |label| labels.contains(*label))
    }

    /// The kernel's bitmap is of its machine words.
    fn byte(label: u8) -> usize {
        let swap = if cfg!(target_endian = "big") { size_of::<usize>() - 1 } else { 0 };
        usize::from(label / 8) ^ swap
    }
}

/// Fewer bytes than 16 leave the other labels unset.
impl<'a> Payload<'a> for Labels {
    type Value = Self;
    const RULE: Rule = Rule::at_least(0);
    const SHAPE: Shape = Shape::value::<Self>();

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut labels = Self::NONE;
        labels.bytes.iter_mut().zip(payload).for_each(|(byte, there)| *byte = *there);
        Ok(labels)
    }

    fn encode(&self, out: &mut Writer) {
        out.push(&self.bytes);
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut labels = self.iter();
        if let Some(first) = labels.next() {
            write!(f, "{first}")?;
        }
        labels.try_for_each(|label| write!(f, ",{label}"))
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

serialize_display! { Labels }

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use netlink_testing::native;

    #[test]
    fn labels_are_bits() {
        let labels = Labels::of(&[0, 9, 127]);
        assert_eq!(labels.to_string(), "0,9,127");
        assert_eq!(alloc::format!("{labels:?}"), "{0, 9, 127}");
        assert!(labels.contains(9) && !labels.contains(8) && !labels.contains(255));
        assert_eq!(Labels::of(&[128, 255]), Labels::NONE);
        let mut out = Writer::new();
        labels.put(22, &mut out);
        assert_eq!(Labels::decode(&out.as_slice()[4..]).unwrap(), labels);
        assert_eq!(Labels::decode(&1_usize.to_ne_bytes()).unwrap(), Labels::of(&[0]));
    }

    #[test]
    #[cfg(all(target_endian = "little", target_pointer_width = "64"))]
    fn labels_stand_where_the_kernel_looks() {
        let mut out = Writer::new();
        Labels::of(&[1, 64]).encode(&mut out);
        assert_eq!(out.as_slice(), [2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    }

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
