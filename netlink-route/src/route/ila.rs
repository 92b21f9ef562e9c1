//! Identifier locator addressing. Kernel side: `uapi/linux/ila.h`, `net/ipv6/ila/ila_lwt.c`.

use core::fmt;

use netlink_core::{Be, attrs, values};

use super::encap::{Words, word, words};

values! {
    /// `ILA_CSUM_*`: how transport checksums stay correct.
    pub struct IlaChecksum: u8 {
        /// Corrects the checksum in the transport header.
        0 ILA_CSUM_ADJUST_TRANSPORT ADJUST_TRANSPORT "adj-transport",
        /// Changes the identifier so that the checksum stays correct, and sets a bit in it as a mark.
        1 ILA_CSUM_NEUTRAL_MAP NEUTRAL_MAP "neutral-map",
        /// Does nothing. The default.
        2 ILA_CSUM_NO_ACTION NO_ACTION "no-action",
        /// Like neutral map, without the mark.
        3 ILA_CSUM_NEUTRAL_MAP_AUTO NEUTRAL_MAP_AUTO "neutral-map-auto",
    }
}

values! {
    /// `ILA_ATYPE_*`: the type of an identifier. Kernels accept `LUID` and `USE_FORMAT`.
    pub struct IlaIdentifier: u8 {
        /// Interface identifier.
        0 ILA_ATYPE_IID IID "iid",
        /// Locally unique.
        1 ILA_ATYPE_LUID LUID "luid",
        /// Virtual network, IPv4.
        2 ILA_ATYPE_VIRT_V4 VIRT_V4 "virt-v4",
        /// Virtual network, IPv6 unicast.
        3 ILA_ATYPE_VIRT_UNI_V6 VIRT_UNI_V6 "virt-uni-v6",
        /// Virtual network, IPv6 multicast.
        4 ILA_ATYPE_VIRT_MULTI_V6 VIRT_MULTI_V6 "virt-multi-v6",
        /// Address that is not local.
        5 ILA_ATYPE_NONLOCAL_ADDR NONLOCAL_ADDR "nonlocal-addr",
        /// Reserved.
        6 ILA_ATYPE_RSVD_1 RESERVED_1 "rsvd-1",
        /// Reserved.
        7 ILA_ATYPE_RSVD_2 RESERVED_2 "rsvd-2",
        /// The identifier itself has the type. The default.
        32 ILA_ATYPE_USE_FORMAT USE_FORMAT "use-format",
    }
}

values! {
    /// `ILA_HOOK_*`: when addresses are translated.
    pub struct IlaHook: u8 {
        /// When a packet leaves. The default.
        0 ILA_HOOK_ROUTE_OUTPUT OUTPUT "output",
        /// When a packet comes in.
        1 ILA_HOOK_ROUTE_INPUT INPUT "input",
    }
}

attrs! {
    /// `ILA_ATTR_*`: the attributes of routes.
    pub struct IlaAttrs<'a> for Ila {
        /// The new upper half of the destination. Required.
        1 ILA_ATTR_LOCATOR locator: Be<u64> as u64,
        /// How transport checksums stay correct.
        7 ILA_ATTR_CSUM_MODE csum_mode: IlaChecksum,
        /// Type of the identifier.
        8 ILA_ATTR_IDENT_TYPE ident_type: IlaIdentifier,
        /// When addresses are translated.
        9 ILA_ATTR_HOOK_TYPE hook_type: IlaHook,
    }
}

/// `2001:db8:0:1 csum-mode no-action ident-type luid hook-type output`
impl Words for IlaAttrs<'_> {
    fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(locator) = self.locator() {
            let [a, b, c, d] = [48, 32, 16, 0].map(|shift| locator >> shift & 0xffff);
            write!(f, " {a:x}:{b:x}:{c:x}:{d:x}")?;
        }
        let (csum, ident, hook) = (self.csum_mode(), self.ident_type(), self.hook_type());
        words(f, [("csum-mode", word(&csum)), ("ident-type", word(&ident)), ("hook-type", word(&hook))])
    }
}
