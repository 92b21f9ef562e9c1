//! What the kernel selects by when it lists or deletes: `CTA_FILTER`.

use netlink_core::{attrs, flags};

use super::tuple::TupleAttrs;

flags! {
    /// `CTA_FILTER_F_*`: the fields of a tuple that must be equal.
    pub struct FilterFlags: u32 {
        /// Where packets come from.
        0x001 CTA_FILTER_F_CTA_IP_SRC SRC,
        /// Where packets go to.
        0x002 CTA_FILTER_F_CTA_IP_DST DST,
        /// Zone of the direction.
        0x004 CTA_FILTER_F_CTA_TUPLE_ZONE ZONE,
        /// The protocol; all that follow need it.
        0x008 CTA_FILTER_F_CTA_PROTO_NUM PROTOCOL,
        /// Port of the sender. TCP and UDP; other protocols match whatever theirs is.
        0x010 CTA_FILTER_F_CTA_PROTO_SRC_PORT SRC_PORT,
        /// Port of the receiver, likewise.
        0x020 CTA_FILTER_F_CTA_PROTO_DST_PORT DST_PORT,
        /// ICMP type.
        0x040 CTA_FILTER_F_CTA_PROTO_ICMP_TYPE ICMP_TYPE,
        /// ICMP code.
        0x080 CTA_FILTER_F_CTA_PROTO_ICMP_CODE ICMP_CODE,
        /// Identifier of an ICMP query.
        0x100 CTA_FILTER_F_CTA_PROTO_ICMP_ID ICMP_ID,
        /// ICMPv6 type.
        0x200 CTA_FILTER_F_CTA_PROTO_ICMPV6_TYPE ICMPV6_TYPE,
        /// ICMPv6 code.
        0x400 CTA_FILTER_F_CTA_PROTO_ICMPV6_CODE ICMPV6_CODE,
        /// Identifier of an ICMPv6 query.
        0x800 CTA_FILTER_F_CTA_PROTO_ICMPV6_ID ICMPV6_ID,
    }
}

attrs! {
    /// `CTA_FILTER_*`: which fields of the tuples beside it count.
    pub struct FilterAttrs<'a> for Filter {
        /// Fields of the original direction.
        1 CTA_FILTER_ORIG_FLAGS orig_flags: FilterFlags,
        /// Fields of the reply direction.
        2 CTA_FILTER_REPLY_FLAGS reply_flags: FilterFlags,
    }
}

impl FilterFlags {
    /// The fields that this tuple has.
    pub(super) fn of(tuple: &TupleAttrs<'_>) -> Self {
        let proto = tuple.proto().unwrap_or_default();
        let present = [
            (tuple.src().is_some(), Self::SRC),
            (tuple.dst().is_some(), Self::DST),
            (tuple.zone().is_some(), Self::ZONE),
            (proto.num().is_some(), Self::PROTOCOL),
            (proto.src_port().is_some(), Self::SRC_PORT),
            (proto.dst_port().is_some(), Self::DST_PORT),
            (proto.icmp_type().is_some(), Self::ICMP_TYPE),
            (proto.icmp_code().is_some(), Self::ICMP_CODE),
            (proto.icmp_id().is_some(), Self::ICMP_ID),
            (proto.icmpv6_type().is_some(), Self::ICMPV6_TYPE),
            (proto.icmpv6_code().is_some(), Self::ICMPV6_CODE),
            (proto.icmpv6_id().is_some(), Self::ICMPV6_ID),
        ];
        present.into_iter().filter(|(there, _)| *there).fold(Self::empty(), |all, (_, flag)| all | flag)
    }
}
