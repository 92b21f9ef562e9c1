//! Numbers and flags of links.

use netlink_core::{flags, values};

values! {
    /// `ARPHRD_*`: what kind of hardware address a link has; the text is what `ip link` prints behind
    /// `link/`.
    pub struct LinkType: u16 {
        /// NET/ROM, amateur radio.
        0 ARPHRD_NETROM NETROM "netrom",
        /// Ethernet, and all that looks like it.
        1 ARPHRD_ETHER ETHER "ether",
        /// Experimental Ethernet, never in use.
        2 ARPHRD_EETHER EETHER "eether",
        /// AX.25, amateur radio.
        3 ARPHRD_AX25 AX25 "ax25",
        /// PROnet token ring.
        4 ARPHRD_PRONET PRONET "pronet",
        /// Chaosnet.
        5 ARPHRD_CHAOS CHAOS "chaos",
        /// IEEE 802.2, as token bus has it.
        6 ARPHRD_IEEE802 IEEE802 "ieee802",
        /// ARCnet.
        7 ARPHRD_ARCNET ARCNET "arcnet",
        /// AppleTalk.
        8 ARPHRD_APPLETLK APPLETLK "atalk",
        /// Frame relay connection.
        15 ARPHRD_DLCI DLCI "dlci",
        /// ATM.
        19 ARPHRD_ATM ATM "atm",
        /// Metricom radio.
        23 ARPHRD_METRICOM METRICOM "metricom",
        /// FireWire.
        24 ARPHRD_IEEE1394 IEEE1394 "ieee1394",
        /// Addresses of 64 bits.
        27 ARPHRD_EUI64 EUI64 "eui64",
        /// InfiniBand.
        32 ARPHRD_INFINIBAND INFINIBAND "infiniband",
        /// SLIP.
        256 ARPHRD_SLIP SLIP "slip",
        /// SLIP with smaller headers.
        257 ARPHRD_CSLIP CSLIP "cslip",
        /// SLIP with six bits per byte.
        258 ARPHRD_SLIP6 SLIP6 "slip6",
        /// Both.
        259 ARPHRD_CSLIP6 CSLIP6 "cslip6",
        /// Reserved, once for notifications.
        260 ARPHRD_RSRVD RSRVD "rsrvd",
        /// Adaptive SLIP.
        264 ARPHRD_ADAPT ADAPT "adapt",
        /// ROSE, amateur radio.
        270 ARPHRD_ROSE ROSE "rose",
        /// X.25.
        271 ARPHRD_X25 X25 "x25",
        /// X.25 boards that know the protocol.
        272 ARPHRD_HWX25 HWX25 "hwx25",
        /// CAN.
        280 ARPHRD_CAN CAN "can",
        /// MCTP. Linux 5.15.
        290 ARPHRD_MCTP MCTP "mctp",
        /// PPP.
        512 ARPHRD_PPP PPP "ppp",
        /// HDLC as Cisco does it.
        513 ARPHRD_HDLC HDLC "hdlc",
        /// LAPB.
        516 ARPHRD_LAPB LAPB "lapb",
        /// DDCMP of DEC.
        517 ARPHRD_DDCMP DDCMP "ddcmp",
        /// Raw HDLC.
        518 ARPHRD_RAWHDLC RAWHDLC "rawhdlc",
        /// Raw IP.
        519 ARPHRD_RAWIP RAWIP "rawip",
        /// IP in IPv4.
        768 ARPHRD_TUNNEL TUNNEL "ipip",
        /// IP in IPv6.
        769 ARPHRD_TUNNEL6 TUNNEL6 "tunnel6",
        /// Frame relay access.
        770 ARPHRD_FRAD FRAD "frad",
        /// SKIP encryption.
        771 ARPHRD_SKIP SKIP "skip",
        /// Loopback.
        772 ARPHRD_LOOPBACK LOOPBACK "loopback",
        /// LocalTalk.
        773 ARPHRD_LOCALTLK LOCALTLK "ltalk",
        /// FDDI, on fibre.
        774 ARPHRD_FDDI FDDI "fddi",
        /// AP1000 computer.
        775 ARPHRD_BIF BIF "bif",
        /// IPv6 in IPv4.
        776 ARPHRD_SIT SIT "sit",
        /// IP in AppleTalk.
        777 ARPHRD_IPDDP IPDDP "ip/ddp",
        /// GRE over IPv4.
        778 ARPHRD_IPGRE IPGRE "gre",
        /// PIM register.
        779 ARPHRD_PIMREG PIMREG "pimreg",
        /// HIPPI.
        780 ARPHRD_HIPPI HIPPI "hippi",
        /// Nexus 64 Mbit/s.
        781 ARPHRD_ASH ASH "ash",
        /// Acorn Econet.
        782 ARPHRD_ECONET ECONET "econet",
        /// Infrared.
        783 ARPHRD_IRDA IRDA "irda",
        /// Fibre channel, point to point.
        784 ARPHRD_FCPP FCPP "fcpp",
        /// Fibre channel, arbitrated loop.
        785 ARPHRD_FCAL FCAL "fcal",
        /// Fibre channel, public loop.
        786 ARPHRD_FCPL FCPL "fcpl",
        /// Fibre channel, fabric; up to 799 for its parts.
        787 ARPHRD_FCFABRIC FCFABRIC "fcfb0",
        /// Token ring.
        800 ARPHRD_IEEE802_TR IEEE802_TR "tr",
        /// Wireless LAN, with its own frames.
        801 ARPHRD_IEEE80211 IEEE80211 "ieee802.11",
        /// The same, with the header of Prism cards.
        802 ARPHRD_IEEE80211_PRISM IEEE80211_PRISM "ieee802.11/prism",
        /// The same, with a radiotap header.
        803 ARPHRD_IEEE80211_RADIOTAP IEEE80211_RADIOTAP "ieee802.11/radiotap",
        /// Low power radio.
        804 ARPHRD_IEEE802154 IEEE802154 "ieee802.15.4",
        /// The same, listening.
        805 ARPHRD_IEEE802154_MONITOR IEEE802154_MONITOR "ieee802.15.4/monitor",
        /// Phonet, in phones.
        820 ARPHRD_PHONET PHONET "phonet",
        /// Phonet, point to point.
        821 ARPHRD_PHONET_PIPE PHONET_PIPE "phonet_pipe",
        /// CAIF, in modems.
        822 ARPHRD_CAIF CAIF "caif",
        /// GRE over IPv6.
        823 ARPHRD_IP6GRE IP6GRE "gre6",
        /// Copies of netlink messages.
        824 ARPHRD_NETLINK NETLINK "netlink",
        /// IPv6 over low power radio.
        825 ARPHRD_6LOWPAN LOWPAN "6lowpan",
        /// Copies of vsock packets.
        826 ARPHRD_VSOCKMON VSOCKMON "vsockmon",
        /// No address at all: tun, WireGuard and other tunnels.
        65534 ARPHRD_NONE NONE "none",
        /// Unknown.
        65535 ARPHRD_VOID VOID "void",
    }
}

flags! {
    /// `IFF_*`: state of a link. UP, DEBUG, NOTRAILERS, NOARP, PROMISC, ALLMULTI, MULTICAST, PORTSEL,
    /// AUTOMEDIA and DYNAMIC can be set; the rest is read-only.
    pub struct LinkFlags: u32 {
        /// Switched on.
        0x1 IFF_UP UP,
        /// Has a broadcast address.
        0x2 IFF_BROADCAST BROADCAST,
        /// A switch for drivers.
        0x4 IFF_DEBUG DEBUG,
        /// Leads back to this host.
        0x8 IFF_LOOPBACK LOOPBACK,
        /// Has one other end.
        0x10 IFF_POINTOPOINT POINTOPOINT,
        /// Not in use.
        0x20 IFF_NOTRAILERS NOTRAILERS,
        /// Ready to carry packets.
        0x40 IFF_RUNNING RUNNING,
        /// Does not ask for link-layer addresses.
        0x80 IFF_NOARP NOARP,
        /// Receives everything, as asked for by this flag.
        0x100 IFF_PROMISC PROMISC,
        /// Receives all multicast, as asked for by this flag.
        0x200 IFF_ALLMULTI ALLMULTI,
        /// Master of a bond.
        0x400 IFF_MASTER MASTER,
        /// Slave of a bond.
        0x800 IFF_SLAVE SLAVE,
        /// Can send multicast.
        0x1000 IFF_MULTICAST MULTICAST,
        /// Can choose its connector.
        0x2000 IFF_PORTSEL PORTSEL,
        /// Chooses its connector itself.
        0x4000 IFF_AUTOMEDIA AUTOMEDIA,
        /// Loses its addresses when it goes down, says user space.
        0x8000 IFF_DYNAMIC DYNAMIC,
        /// Has a carrier.
        0x1_0000 IFF_LOWER_UP LOWER_UP,
        /// Waits for something before it carries packets.
        0x2_0000 IFF_DORMANT DORMANT,
        /// Hands its own packets back.
        0x4_0000 IFF_ECHO ECHO,
    }
}

values! {
    /// `IF_OPER_*`: state of a link as RFC 2863 has it.
    pub struct OperState: u8 {
        /// The driver does not say.
        0 IF_OPER_UNKNOWN UNKNOWN "UNKNOWN",
        /// The hardware is missing.
        1 IF_OPER_NOTPRESENT NOTPRESENT "NOTPRESENT",
        /// No carrier, or switched off.
        2 IF_OPER_DOWN DOWN "DOWN",
        /// The link below is down.
        3 IF_OPER_LOWERLAYERDOWN LOWERLAYERDOWN "LOWERLAYERDOWN",
        /// Under test.
        4 IF_OPER_TESTING TESTING "TESTING",
        /// There is a carrier, and something else is missing, such as authentication.
        5 IF_OPER_DORMANT DORMANT "DORMANT",
        /// Carries packets.
        6 IF_OPER_UP UP "UP",
    }
}

values! {
    /// `IF_LINK_MODE_*`: what becomes of the state of a link when there is a carrier.
    pub struct LinkMode: u8 {
        /// It goes up.
        0 IF_LINK_MODE_DEFAULT DEFAULT "DEFAULT",
        /// It goes dormant, until user space says up.
        1 IF_LINK_MODE_DORMANT DORMANT "DORMANT",
        /// It goes to testing. Linux 5.8.
        2 IF_LINK_MODE_TESTING TESTING "TESTING",
    }
}

values! {
    /// `IFLA_EVENT_*`: why an event was sent.
    pub struct LinkEvent: u32 {
        /// No special reason.
        0 IFLA_EVENT_NONE NONE "NONE",
        /// The device was started anew.
        1 IFLA_EVENT_REBOOT REBOOT "REBOOT",
        /// Features changed.
        2 IFLA_EVENT_FEATURES FEATURES "FEATURE CHANGE",
        /// A bond changed its active slave.
        3 IFLA_EVENT_BONDING_FAILOVER BONDING_FAILOVER "BONDING FAILOVER",
        /// Neighbours are to be told of the address anew.
        4 IFLA_EVENT_NOTIFY_PEERS NOTIFY_PEERS "NOTIFY PEERS",
        /// Multicast groups are to be joined anew.
        5 IFLA_EVENT_IGMP_RESEND IGMP_RESEND "RESEND IGMP",
        /// Options of a bond changed.
        6 IFLA_EVENT_BONDING_OPTIONS BONDING_OPTIONS "BONDING OPTION",
    }
}

flags! {
    /// `RTEXT_FILTER_*`: what a reply shall have, or leave out.
    pub struct ExtMask: u32 {
        /// Virtual functions.
        0x1 RTEXT_FILTER_VF VF,
        /// VLANs of bridge ports.
        0x2 RTEXT_FILTER_BRVLAN BRVLAN,
        /// The same, as ranges.
        0x4 RTEXT_FILTER_BRVLAN_COMPRESSED BRVLAN_COMPRESSED,
        /// No counters of IPv6 and of virtual functions.
        0x8 RTEXT_FILTER_SKIP_STATS SKIP_STATS,
        /// Media redundancy of bridges. Linux 5.9.
        0x10 RTEXT_FILTER_MRP MRP,
        /// Settings of connectivity fault management. Linux 5.11.
        0x20 RTEXT_FILTER_CFM_CONFIG CFM_CONFIG,
        /// Its state. Linux 5.11.
        0x40 RTEXT_FILTER_CFM_STATUS CFM_STATUS,
        /// Multiple spanning trees. Linux 5.18.
        0x80 RTEXT_FILTER_MST MST,
        /// Nothing but the names. Later than Linux 7.1.
        0x100 RTEXT_FILTER_NAME_ONLY NAME_ONLY,
    }
}
