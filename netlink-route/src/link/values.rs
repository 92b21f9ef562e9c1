//! Numbers and flags of links.

use netlink_core::{flags, values};

values! {
    /// `ARPHRD_*`: the type of a link's hardware address. The text is what `ip link` prints after `link/`.
    pub struct LinkType: u16 {
        /// NET/ROM, amateur radio.
        0 ARPHRD_NETROM NETROM "netrom",
        /// Ethernet, and links that look like Ethernet.
        1 ARPHRD_ETHER ETHER "ether",
        /// Experimental Ethernet, never used.
        2 ARPHRD_EETHER EETHER "eether",
        /// AX.25, amateur radio.
        3 ARPHRD_AX25 AX25 "ax25",
        /// PROnet token ring.
        4 ARPHRD_PRONET PRONET "pronet",
        /// Chaosnet.
        5 ARPHRD_CHAOS CHAOS "chaos",
        /// IEEE 802.2 token bus.
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
        /// SLIP with compressed headers.
        257 ARPHRD_CSLIP CSLIP "cslip",
        /// SLIP with six bits per byte.
        258 ARPHRD_SLIP6 SLIP6 "slip6",
        /// SLIP with compressed headers and six bits per byte.
        259 ARPHRD_CSLIP6 CSLIP6 "cslip6",
        /// Reserved.
        260 ARPHRD_RSRVD RSRVD "rsrvd",
        /// Adaptive SLIP.
        264 ARPHRD_ADAPT ADAPT "adapt",
        /// ROSE, amateur radio.
        270 ARPHRD_ROSE ROSE "rose",
        /// X.25.
        271 ARPHRD_X25 X25 "x25",
        /// X.25 hardware that implements the protocol.
        272 ARPHRD_HWX25 HWX25 "hwx25",
        /// CAN.
        280 ARPHRD_CAN CAN "can",
        /// MCTP. Linux 5.15.
        290 ARPHRD_MCTP MCTP "mctp",
        /// PPP.
        512 ARPHRD_PPP PPP "ppp",
        /// Cisco HDLC.
        513 ARPHRD_HDLC HDLC "hdlc",
        /// LAPB.
        516 ARPHRD_LAPB LAPB "lapb",
        /// DEC DDCMP.
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
        /// Wireless LAN, with 802.11 frames.
        801 ARPHRD_IEEE80211 IEEE80211 "ieee802.11",
        /// Wireless LAN, with the header of Prism cards.
        802 ARPHRD_IEEE80211_PRISM IEEE80211_PRISM "ieee802.11/prism",
        /// Wireless LAN, with a radiotap header.
        803 ARPHRD_IEEE80211_RADIOTAP IEEE80211_RADIOTAP "ieee802.11/radiotap",
        /// Low power radio.
        804 ARPHRD_IEEE802154 IEEE802154 "ieee802.15.4",
        /// Low power radio, in monitor mode.
        805 ARPHRD_IEEE802154_MONITOR IEEE802154_MONITOR "ieee802.15.4/monitor",
        /// Phonet, of phones.
        820 ARPHRD_PHONET PHONET "phonet",
        /// Phonet, point to point.
        821 ARPHRD_PHONET_PIPE PHONET_PIPE "phonet_pipe",
        /// CAIF, of modems.
        822 ARPHRD_CAIF CAIF "caif",
        /// GRE over IPv6.
        823 ARPHRD_IP6GRE IP6GRE "gre6",
        /// Copies of netlink messages.
        824 ARPHRD_NETLINK NETLINK "netlink",
        /// IPv6 over low power radio.
        825 ARPHRD_6LOWPAN LOWPAN "6lowpan",
        /// Copies of vsock packets.
        826 ARPHRD_VSOCKMON VSOCKMON "vsockmon",
        /// No hardware address: tun, WireGuard and other tunnels.
        65534 ARPHRD_NONE NONE "none",
        /// Unknown.
        65535 ARPHRD_VOID VOID "void",
    }
}

flags! {
    /// `IFF_*`: state of a link. UP, DEBUG, NOTRAILERS, NOARP, PROMISC, ALLMULTI, MULTICAST, PORTSEL,
    /// AUTOMEDIA and DYNAMIC can be set; the rest is read-only.
    pub struct LinkFlags: u32 {
        /// The link is switched on.
        0x1 IFF_UP UP,
        /// The link has a broadcast address.
        0x2 IFF_BROADCAST BROADCAST,
        /// A debug switch for drivers.
        0x4 IFF_DEBUG DEBUG,
        /// The link is a loopback to this host.
        0x8 IFF_LOOPBACK LOOPBACK,
        /// The link has exactly one peer.
        0x10 IFF_POINTOPOINT POINTOPOINT,
        /// Not used.
        0x20 IFF_NOTRAILERS NOTRAILERS,
        /// The link is ready to carry packets.
        0x40 IFF_RUNNING RUNNING,
        /// The link does not use ARP to find link-layer addresses.
        0x80 IFF_NOARP NOARP,
        /// Promiscuous mode was requested with this flag.
        0x100 IFF_PROMISC PROMISC,
        /// All multicast was requested with this flag.
        0x200 IFF_ALLMULTI ALLMULTI,
        /// Master of a bond.
        0x400 IFF_MASTER MASTER,
        /// Slave of a bond.
        0x800 IFF_SLAVE SLAVE,
        /// The link can send multicast.
        0x1000 IFF_MULTICAST MULTICAST,
        /// The link can select its connector.
        0x2000 IFF_PORTSEL PORTSEL,
        /// The link selects its connector automatically.
        0x4000 IFF_AUTOMEDIA AUTOMEDIA,
        /// The link loses its addresses when it goes down. A mark of user space.
        0x8000 IFF_DYNAMIC DYNAMIC,
        /// The link has a carrier.
        0x1_0000 IFF_LOWER_UP LOWER_UP,
        /// The link waits for something before it carries packets.
        0x2_0000 IFF_DORMANT DORMANT,
        /// The link returns the packets that it sends.
        0x4_0000 IFF_ECHO ECHO,
    }
}

values! {
    /// `IF_OPER_*`: state of a link (RFC 2863).
    pub struct OperState: u8 {
        /// The driver does not report it.
        0 IF_OPER_UNKNOWN UNKNOWN "UNKNOWN",
        /// The hardware is missing.
        1 IF_OPER_NOTPRESENT NOTPRESENT "NOTPRESENT",
        /// No carrier, or switched off.
        2 IF_OPER_DOWN DOWN "DOWN",
        /// The link below is down.
        3 IF_OPER_LOWERLAYERDOWN LOWERLAYERDOWN "LOWERLAYERDOWN",
        /// Under test.
        4 IF_OPER_TESTING TESTING "TESTING",
        /// There is a carrier, but something else is missing, such as authentication.
        5 IF_OPER_DORMANT DORMANT "DORMANT",
        /// The link carries packets.
        6 IF_OPER_UP UP "UP",
    }
}

values! {
    /// `IF_LINK_MODE_*`: the state that a link gets when there is a carrier.
    pub struct LinkMode: u8 {
        /// Up.
        0 IF_LINK_MODE_DEFAULT DEFAULT "DEFAULT",
        /// Dormant, until user space sets it to up.
        1 IF_LINK_MODE_DORMANT DORMANT "DORMANT",
        /// Testing. Linux 5.8.
        2 IF_LINK_MODE_TESTING TESTING "TESTING",
    }
}

values! {
    /// `IFLA_EVENT_*`: the cause of an event.
    pub struct LinkEvent: u32 {
        /// No special cause.
        0 IFLA_EVENT_NONE NONE "NONE",
        /// The device was restarted.
        1 IFLA_EVENT_REBOOT REBOOT "REBOOT",
        /// Features changed.
        2 IFLA_EVENT_FEATURES FEATURES "FEATURE CHANGE",
        /// A bond changed its active slave.
        3 IFLA_EVENT_BONDING_FAILOVER BONDING_FAILOVER "BONDING FAILOVER",
        /// Neighbours must be notified of the address again.
        4 IFLA_EVENT_NOTIFY_PEERS NOTIFY_PEERS "NOTIFY PEERS",
        /// Multicast groups must be joined again.
        5 IFLA_EVENT_IGMP_RESEND IGMP_RESEND "RESEND IGMP",
        /// Options of a bond changed.
        6 IFLA_EVENT_BONDING_OPTIONS BONDING_OPTIONS "BONDING OPTION",
    }
}

flags! {
    /// `RTEXT_FILTER_*`: parts that a reply includes or omits.
    pub struct ExtMask: u32 {
        /// Virtual functions.
        0x1 RTEXT_FILTER_VF VF,
        /// VLANs of bridge ports.
        0x2 RTEXT_FILTER_BRVLAN BRVLAN,
        /// VLANs of bridge ports, as ranges.
        0x4 RTEXT_FILTER_BRVLAN_COMPRESSED BRVLAN_COMPRESSED,
        /// Omit the counters of IPv6 and of virtual functions.
        0x8 RTEXT_FILTER_SKIP_STATS SKIP_STATS,
        /// Media redundancy of bridges. Linux 5.9.
        0x10 RTEXT_FILTER_MRP MRP,
        /// Settings of connectivity fault management. Linux 5.11.
        0x20 RTEXT_FILTER_CFM_CONFIG CFM_CONFIG,
        /// State of connectivity fault management. Linux 5.11.
        0x40 RTEXT_FILTER_CFM_STATUS CFM_STATUS,
        /// Multiple spanning trees. Linux 5.18.
        0x80 RTEXT_FILTER_MST MST,
        /// Only the names. After Linux 7.1.
        0x100 RTEXT_FILTER_NAME_ONLY NAME_ONLY,
    }
}
