//! Outer headers for tunnel links in external mode, set by a route. Kernel side: `net/ipv4/ip_tunnel_core.c`.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use netlink_core::{Be, Bytes, Many, attrs, flags};

use super::encap::{Words, word, words};

flags! {
    /// `TUNNEL_*`: header options of `if_tunnel.h`. In requests the kernel ignores the flags that announce
    /// options, and sets them from the options themselves.
    pub struct TunnelFlags: Be<u16> {
        /// Checksum.
        0x1 TUNNEL_CSUM CSUM,
        /// GRE source routing; not used.
        0x2 TUNNEL_ROUTING ROUTING,
        /// The id is sent as the key.
        0x4 TUNNEL_KEY KEY,
        /// Sequence numbers.
        0x8 TUNNEL_SEQ SEQ,
        /// Strict source routing; not used.
        0x10 TUNNEL_STRICT STRICT,
        /// Recursion; not used.
        0x20 TUNNEL_REC REC,
        /// GRE version; not used.
        0x40 TUNNEL_VERSION VERSION,
        /// No key.
        0x80 TUNNEL_NO_KEY NO_KEY,
        /// Never fragment.
        0x100 TUNNEL_DONT_FRAGMENT DONT_FRAGMENT,
        /// GENEVE operations packet (OAM).
        0x200 TUNNEL_OAM OAM,
        /// GENEVE options include critical ones.
        0x400 TUNNEL_CRIT_OPT CRIT_OPT,
        /// GENEVE options follow.
        0x800 TUNNEL_GENEVE_OPT GENEVE_OPT,
        /// VXLAN options follow.
        0x1000 TUNNEL_VXLAN_OPT VXLAN_OPT,
        /// The route must not be cached.
        0x2000 TUNNEL_NOCACHE NOCACHE,
        /// ERSPAN options follow.
        0x4000 TUNNEL_ERSPAN_OPT ERSPAN_OPT,
        /// GTP options follow.
        0x8000 TUNNEL_GTP_OPT GTP_OPT,
    }
}

attrs! {
    /// `LWTUNNEL_IP_OPT_GENEVE_*`: options of a GENEVE header. To send several, use one set per option. The
    /// kernel answers with all options in one set; see [`options`](Self::options).
    pub struct GeneveAttrs<'a> for Geneve {
        /// Class: the organization that defined the option.
        1 LWTUNNEL_IP_OPT_GENEVE_CLASS class: Many<'a, Be<u16>>,
        /// Number in the class. The highest bit marks a critical option.
        2 LWTUNNEL_IP_OPT_GENEVE_TYPE kind: Many<'a, u8>,
        /// Its content: a multiple of 4 bytes, at most 124.
        3 LWTUNNEL_IP_OPT_GENEVE_DATA data: Many<'a, Bytes<'a>>,
    }
}

impl GeneveAttrs<'_> {
    /// Class, type and content of each option.
    pub fn options(&self) -> impl Iterator<Item = (u16, u8, &[u8])> {
        let classes = self.class().into_iter().flat_map(|classes| classes.iter());
        let kinds = self.kind().into_iter().flat_map(|kinds| kinds.iter());
        let data = self.data().into_iter().flat_map(|data| data.iter());
        classes.zip(kinds).zip(data).map(|((class, kind), data)| (class.0, kind, data.0))
    }
}

impl Geneve {
    /// One option.
    pub fn option(class: u16, kind: u8, data: &[u8]) -> Self {
        Self::new().class(&[Be(class)]).kind(&[kind]).data(&[Bytes(data)])
    }
}

attrs! {
    /// `LWTUNNEL_IP_OPT_VXLAN_*`.
    pub struct VxlanAttrs<'a> for Vxlan {
        /// Group policy of the packet: id in the lower 16 bits, flags above them.
        1 LWTUNNEL_IP_OPT_VXLAN_GBP gbp: u32,
    }
}

attrs! {
    /// `LWTUNNEL_IP_OPT_ERSPAN_*`: options of a mirrored packet.
    pub struct ErspanAttrs<'a> for Erspan {
        /// 1 or 2. Required.
        1 LWTUNNEL_IP_OPT_ERSPAN_VER version: u8,
        /// Port index, 20 bits. Version 1.
        2 LWTUNNEL_IP_OPT_ERSPAN_INDEX index: Be<u32> as u32,
        /// 0 for received packets, 1 for sent packets. Version 2.
        3 LWTUNNEL_IP_OPT_ERSPAN_DIR direction: u8,
        /// Id of the mirroring hardware, 6 bits. Version 2.
        4 LWTUNNEL_IP_OPT_ERSPAN_HWID hwid: u8,
    }
}

attrs! {
    /// `LWTUNNEL_IP_OPTS_*`: options of one of these protocols. Linux 5.5.
    pub struct TunnelOptionsAttrs<'a> for TunnelOptions {
        /// GENEVE options. Can be set several times.
        1 LWTUNNEL_IP_OPTS_GENEVE geneve: GeneveAttrs<'a>,
        /// VXLAN options.
        2 LWTUNNEL_IP_OPTS_VXLAN vxlan: VxlanAttrs<'a>,
        /// ERSPAN options.
        3 LWTUNNEL_IP_OPTS_ERSPAN erspan: ErspanAttrs<'a>,
    }
}

attrs! {
    /// `LWTUNNEL_IP_*`: an outer IPv4 header and the tunnel header after it.
    pub struct IpAttrs<'a> for Ip {
        /// VXLAN network, GENEVE network, GRE key …
        1 LWTUNNEL_IP_ID id: Be<u64> as u64,
        /// Destination of the outer packet.
        2 LWTUNNEL_IP_DST dst: Ipv4Addr,
        /// Source of the outer packet. Default: from the route to the destination.
        3 LWTUNNEL_IP_SRC src: Ipv4Addr,
        /// TTL; 0 lets the link choose.
        4 LWTUNNEL_IP_TTL ttl: u8,
        /// Type of service.
        5 LWTUNNEL_IP_TOS tos: u8,
        /// Checksum, key and other flags.
        6 LWTUNNEL_IP_FLAGS flags: TunnelFlags,
        /// Options of the tunnel's protocol. Linux 5.5.
        8 LWTUNNEL_IP_OPTS options: TunnelOptionsAttrs<'a>,
    }
}

attrs! {
    /// `LWTUNNEL_IP6_*`: an outer IPv6 header and the tunnel header after it.
    pub struct Ip6Attrs<'a> for Ip6 {
        /// VXLAN network, GENEVE network, GRE key …
        1 LWTUNNEL_IP6_ID id: Be<u64> as u64,
        /// Destination of the outer packet.
        2 LWTUNNEL_IP6_DST dst: Ipv6Addr,
        /// Source of the outer packet. Default: from the route to the destination.
        3 LWTUNNEL_IP6_SRC src: Ipv6Addr,
        /// Hop limit; 0 lets the link choose.
        4 LWTUNNEL_IP6_HOPLIMIT hop_limit: u8,
        /// Traffic class.
        5 LWTUNNEL_IP6_TC traffic_class: u8,
        /// Checksum, key and other flags.
        6 LWTUNNEL_IP6_FLAGS flags: TunnelFlags,
        /// Options of the tunnel's protocol. Linux 5.5.
        8 LWTUNNEL_IP6_OPTS options: TunnelOptionsAttrs<'a>,
    }
}

fn tail(
    f: &mut fmt::Formatter<'_>,
    flags: Option<TunnelFlags>,
    options: Option<TunnelOptionsAttrs<'_>>,
) -> fmt::Result {
    let flags = flags.unwrap_or_default();
    for (flag, name) in [(TunnelFlags::KEY, " key"), (TunnelFlags::CSUM, " csum"), (TunnelFlags::SEQ, " seq")]
    {
        if flags.contains(flag) {
            f.write_str(name)?;
        }
    }
    let Some(options) = options else { return Ok(()) };
    if let Some(geneve) = options.geneve() {
        for (at, (class, kind, data)) in geneve.options().enumerate() {
            let before = if at == 0 { " geneve_opts " } else { "," };
            write!(f, "{before}{class:#x}:{kind}:{}", netlink_core::attr::Hex(data))?;
        }
    }
    if let Some(gbp) = options.vxlan().and_then(|vxlan| vxlan.gbp()) {
        write!(f, " vxlan_opts {gbp}")?;
    }
    if let Some(erspan) = options.erspan() {
        let version = erspan.version().unwrap_or_default();
        let index = erspan.index().unwrap_or_default();
        let (dir, hwid) = (erspan.direction().unwrap_or_default(), erspan.hwid().unwrap_or_default());
        write!(f, " erspan_opts {version}:{index}:{dir}:{hwid}")?;
    }
    Ok(())
}

/// `id 42 src 10.0.0.1 dst 10.0.0.2 ttl 64 tos 0 key`
impl Words for IpAttrs<'_> {
    fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, src, dst, ttl, tos) = (self.id(), self.src(), self.dst(), self.ttl(), self.tos());
        let fields = [
            ("id", word(&id)),
            ("src", word(&src)),
            ("dst", word(&dst)),
            ("ttl", word(&ttl)),
            ("tos", word(&tos)),
        ];
        words(f, fields)?;
        tail(f, self.flags(), self.options())
    }
}

/// `id 42 src fc00::1 dst fc00::2 hoplimit 64 tc 0 key`
impl Words for Ip6Attrs<'_> {
    fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, src, dst) = (self.id(), self.src(), self.dst());
        let (hops, class) = (self.hop_limit(), self.traffic_class());
        let fields = [
            ("id", word(&id)),
            ("src", word(&src)),
            ("dst", word(&dst)),
            ("hoplimit", word(&hops)),
            ("tc", word(&class)),
        ];
        words(f, fields)?;
        tail(f, self.flags(), self.options())
    }
}
