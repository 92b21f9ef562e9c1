//! The header of all nfnetlink messages. Kernel side: `uapi/linux/netfilter/nfnetlink.h`,
//! `net/netfilter/nfnetlink.c`.

use netlink_core::{Be, layout, values};

values! {
    /// `NFNL_SUBSYS_*`: the upper byte of `nlmsg_type`.
    pub struct Subsystem: u8 {
        /// None; used by the messages that begin and end a batch.
        0 NFNL_SUBSYS_NONE NONE "none",
        /// Tracked connections.
        1 NFNL_SUBSYS_CTNETLINK CTNETLINK "conntrack",
        /// Expected connections.
        2 NFNL_SUBSYS_CTNETLINK_EXP CTNETLINK_EXP "expect",
        /// Packets that wait for a verdict.
        3 NFNL_SUBSYS_QUEUE QUEUE "queue",
        /// Logged packets.
        4 NFNL_SUBSYS_ULOG ULOG "log",
        /// Fingerprints of operating systems.
        5 NFNL_SUBSYS_OSF OSF "osf",
        /// IP sets.
        6 NFNL_SUBSYS_IPSET IPSET "ipset",
        /// Named counters.
        7 NFNL_SUBSYS_ACCT ACCT "acct",
        /// Timeout policies of tracked connections.
        8 NFNL_SUBSYS_CTNETLINK_TIMEOUT CTNETLINK_TIMEOUT "timeout",
        /// Connection tracking helpers in user space.
        9 NFNL_SUBSYS_CTHELPER CTHELPER "helper",
        /// nftables.
        10 NFNL_SUBSYS_NFTABLES NFTABLES "nftables",
        /// Extensions of iptables for nftables.
        11 NFNL_SUBSYS_NFT_COMPAT NFT_COMPAT "compat",
        /// Hook functions. Linux 5.14.
        12 NFNL_SUBSYS_HOOK HOOK "hook",
    }
}

values! {
    /// `NFPROTO_*`: the protocol family of a message.
    pub struct Family: u8 {
        /// Any, or none.
        0 NFPROTO_UNSPEC UNSPEC "unspec",
        /// IPv4 and IPv6.
        1 NFPROTO_INET INET "inet",
        /// IPv4.
        2 NFPROTO_IPV4 IPV4 "ipv4",
        /// ARP.
        3 NFPROTO_ARP ARP "arp",
        /// Ingress and egress of a link.
        5 NFPROTO_NETDEV NETDEV "netdev",
        /// Bridges.
        7 NFPROTO_BRIDGE BRIDGE "bridge",
        /// IPv6.
        10 NFPROTO_IPV6 IPV6 "ipv6",
    }
}

layout! {
    /// `struct nfgenmsg`.
    pub struct Header: nfgenmsg = 4 {
        /// The protocol family.
        family: Family,
        /// `NFNETLINK_V0`, the only version.
        version: u8,
        /// Depends on the message: the number of a queue or log group, or the subsystem of a batch.
        resource: Be<u16>,
    }
    shows |header| { resource: Some(header.resource).filter(|resource| resource.0 != 0); version }
}

impl Header {
    /// A header with this family and no resource.
    pub fn of(family: Family) -> Self {
        Self { family, ..Self::default() }
    }
}
