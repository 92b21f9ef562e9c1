//! Segment routing over IPv6: the action at the end of a segment. Kernel side: `uapi/linux/seg6_local.h`,
//! `net/ipv6/seg6_local.c`.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use netlink_core::{Str, attrs, bits, values};

use super::encap::{Words, word, words};
use super::seg6::Srh;

values! {
    /// `SEG6_LOCAL_ACTION_*`: the behaviours (RFC 8986).
    pub struct LocalAction: u32 {
        /// Forwards to the next segment.
        1 SEG6_LOCAL_ACTION_END END "End",
        /// Forwards to the next segment through `nh6`.
        2 SEG6_LOCAL_ACTION_END_X END_X "End.X",
        /// Forwards to the next segment, looked up in `table`.
        3 SEG6_LOCAL_ACTION_END_T END_T "End.T",
        /// Unpacks an Ethernet frame and sends it through `oif`.
        4 SEG6_LOCAL_ACTION_END_DX2 END_DX2 "End.DX2",
        /// Unpacks an IPv6 packet and sends it to `nh6`; `::` means its own destination.
        5 SEG6_LOCAL_ACTION_END_DX6 END_DX6 "End.DX6",
        /// Unpacks an IPv4 packet and sends it to `nh4`; `0.0.0.0` means its own destination.
        6 SEG6_LOCAL_ACTION_END_DX4 END_DX4 "End.DX4",
        /// Unpacks an IPv6 packet and looks it up in `table` or `vrf_table`.
        7 SEG6_LOCAL_ACTION_END_DT6 END_DT6 "End.DT6",
        /// Unpacks an IPv4 packet and looks it up in `vrf_table`. Works since Linux 5.11.
        8 SEG6_LOCAL_ACTION_END_DT4 END_DT4 "End.DT4",
        /// Inserts the header `srh`.
        9 SEG6_LOCAL_ACTION_END_B6 END_B6 "End.B6",
        /// Puts the packet into a new packet with the header `srh`.
        10 SEG6_LOCAL_ACTION_END_B6_ENCAP END_B6_ENCAP "End.B6.Encaps",
        /// Binds to an MPLS segment; not implemented in Linux 6.12.
        11 SEG6_LOCAL_ACTION_END_BM END_BM "End.BM",
        /// Looks up in a service table; not implemented in Linux 6.12.
        12 SEG6_LOCAL_ACTION_END_S END_S "End.S",
        /// Proxy to a service that does not know segments; not implemented in Linux 6.12.
        13 SEG6_LOCAL_ACTION_END_AS END_AS "End.AS",
        /// Masquerading proxy; not implemented in Linux 6.12.
        14 SEG6_LOCAL_ACTION_END_AM END_AM "End.AM",
        /// Runs the program `bpf`. Linux 4.18.
        15 SEG6_LOCAL_ACTION_END_BPF END_BPF "End.BPF",
        /// Unpacks an IPv4 or IPv6 packet and looks it up in `vrf_table`. Linux 5.14.
        16 SEG6_LOCAL_ACTION_END_DT46 END_DT46 "End.DT46",
    }
}

values! {
    /// `SEG6_LOCAL_FLV_OP_*`: variants of an action. Linux 6.1.
    pub struct Flavor: u32 {
        /// The segment before the last removes the header. Linux 6.3.
        1 SEG6_LOCAL_FLV_OP_PSP PSP "psp",
        /// The last segment removes the header; not implemented in Linux 6.12.
        2 SEG6_LOCAL_FLV_OP_USP USP "usp",
        /// The last segment unpacks; not implemented in Linux 6.12.
        3 SEG6_LOCAL_FLV_OP_USD USD "usd",
        /// Several short segments in one address.
        4 SEG6_LOCAL_FLV_OP_NEXT_CSID NEXT_CSID "next-csid",
    }
}

bits! {
    /// A set of flavors: one bit per number.
    pub struct FlavorSet: u32 of Flavor from 0, ",";
}

attrs! {
    /// `SEG6_LOCAL_FLV_*`: flavors and their parameters. Linux 6.1.
    pub struct FlavorsAttrs<'a> for Flavors {
        /// The flavors. Required.
        1 SEG6_LOCAL_FLV_OPERATION operation: FlavorSet,
        /// Length of the block that all short segments share, in bits: a multiple of 8, from 8 to 120. Default: 32.
        2 SEG6_LOCAL_FLV_LCBLOCK_BITS block_bits: u8,
        /// Length of node and function, in bits: a multiple of 8, from 8 to 64. With the block at most 128.
        /// Default: 16.
        3 SEG6_LOCAL_FLV_LCNODE_FN_BITS node_function_bits: u8,
    }
}

impl Flavors {
    /// With these flavors.
    pub fn of(flavors: &[Flavor]) -> Self {
        Self::new().operation(flavors)
    }
}

attrs! {
    /// `SEG6_LOCAL_CNT_*`: counters of an action. Linux 5.13.
    pub struct CountersAttrs<'a> for Counters {
        /// Packets.
        2 SEG6_LOCAL_CNT_PACKETS packets: u64,
        /// Bytes.
        3 SEG6_LOCAL_CNT_BYTES bytes: u64,
        /// Packets with errors.
        4 SEG6_LOCAL_CNT_ERRORS errors: u64,
    }
}

attrs! {
    /// `SEG6_LOCAL_BPF_PROG*`: a loaded program of type `BPF_PROG_TYPE_LWT_SEG6LOCAL`. Linux 4.18.
    pub struct LocalBpfAttrs<'a> for LocalBpf {
        /// Request: its file descriptor in the requester. Reply: its id.
        1 SEG6_LOCAL_BPF_PROG program: u32,
        /// A name for people. Required in requests.
        2 SEG6_LOCAL_BPF_PROG_NAME name: Str<'a, 255>,
    }
}

attrs! {
    /// `SEG6_LOCAL_*`: an action and its parameters. The route's destination is the segment.
    pub struct Seg6LocalAttrs<'a> for Seg6Local {
        /// The action. Required. It needs some of the other attributes; the kernel refuses the rest.
        1 SEG6_LOCAL_ACTION action: LocalAction,
        /// Header to insert, for the B6 actions.
        2 SEG6_LOCAL_SRH srh: Srh<'a>,
        /// Table to look up in. The links can be in any VRF.
        3 SEG6_LOCAL_TABLE table: u32,
        /// IPv4 next hop.
        4 SEG6_LOCAL_NH4 nh4: Ipv4Addr,
        /// IPv6 next hop.
        5 SEG6_LOCAL_NH6 nh6: Ipv6Addr,
        /// Link that packets must come from.
        6 SEG6_LOCAL_IIF iif: u32,
        /// Link that packets leave through.
        7 SEG6_LOCAL_OIF oif: u32,
        /// Program to run. Linux 4.18.
        8 SEG6_LOCAL_BPF bpf: LocalBpfAttrs<'a>,
        /// Table of a VRF to look up in. A VRF link must have this table, and strict mode must be on. Linux 5.11.
        9 SEG6_LOCAL_VRFTABLE vrf_table: u32,
        /// Request: switches the counters on; needs all three, with any values. Reply: their values. Linux 5.13.
        10 SEG6_LOCAL_COUNTERS counters: CountersAttrs<'a>,
        /// Variants of the action. Linux 6.1.
        11 SEG6_LOCAL_FLAVORS flavors: FlavorsAttrs<'a>,
    }
}

impl Seg6Local {
    /// With this action.
    pub fn of(action: LocalAction) -> Self {
        Self::new().action(action)
    }

    /// Lets the kernel count packets, bytes and errors.
    pub fn count(self) -> Self {
        self.counters(Counters::new().packets(0u64).bytes(0u64).errors(0u64))
    }
}

/// `action End.DT6 table 5`
impl Words for Seg6LocalAttrs<'_> {
    fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = self.action();
        let (srh, table, vrf) = (self.srh(), self.table(), self.vrf_table());
        let (nh4, nh6) = (self.nh4(), self.nh6());
        let name = |link: u32| alloc::format!("#{link}");
        let (iif, oif) = (self.iif().map(name), self.oif().map(name));
        let bpf = self.bpf();
        let bpf = bpf.as_ref().and_then(|bpf| bpf.name());
        let fields = [
            ("action", word(&action)),
            ("srh", word(&srh)),
            ("table", word(&table)),
            ("vrftable", word(&vrf)),
            ("nh4", word(&nh4)),
            ("nh6", word(&nh6)),
            ("iif", word(&iif)),
            ("oif", word(&oif)),
            ("endpoint", word(&bpf)),
        ];
        words(f, fields)?;
        if let Some(flavors) = self.flavors() {
            write!(f, " flavors {}", flavors.operation().unwrap_or_default())?;
            if let Some(bits) = flavors.block_bits() {
                write!(f, " lblen {bits}")?;
            }
            if let Some(bits) = flavors.node_function_bits() {
                write!(f, " nflen {bits}")?;
            }
        }
        if let Some(counters) = self.counters() {
            let [packets, bytes, errors] =
                [counters.packets(), counters.bytes(), counters.errors()].map(Option::unwrap_or_default);
            write!(f, " packets {packets} bytes {bytes} errors {errors}")?;
        }
        Ok(())
    }
}
