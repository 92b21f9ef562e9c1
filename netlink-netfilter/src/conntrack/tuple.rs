//! Tuples: addresses, protocol and ports of packets in one direction. `CTA_TUPLE_*`, `CTA_IP_*`, `CTA_PROTO_*`.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use netlink_core::net::IpProtocol;
use netlink_core::{Be, attrs};

use crate::Family;

attrs! {
    /// `CTA_IP_*`: the addresses of a tuple.
    pub struct TupleIpAttrs<'a> for TupleIp {
        /// IPv4 source address.
        1 CTA_IP_V4_SRC v4_src: Ipv4Addr,
        /// IPv4 destination address.
        2 CTA_IP_V4_DST v4_dst: Ipv4Addr,
        /// IPv6 source address.
        3 CTA_IP_V6_SRC v6_src: Ipv6Addr,
        /// IPv6 destination address.
        4 CTA_IP_V6_DST v6_dst: Ipv6Addr,
    }
    shows |ip| { src: ip.src(), dst: ip.dst(); v4_src v4_dst v6_src v6_dst }
}

attrs! {
    /// `CTA_PROTO_*`: the protocol of a tuple, and the fields that identify a connection in it.
    pub struct TupleProtoAttrs<'a> for TupleProto {
        /// The protocol above IP. If connection tracking does not inspect the protocol, the other fields are absent.
        1 CTA_PROTO_NUM num: IpProtocol,
        /// Source port of TCP, UDP, UDP-Lite, SCTP and DCCP. For GRE the key, as PPTP uses it.
        2 CTA_PROTO_SRC_PORT src_port: Be<u16> as u16,
        /// Destination port of TCP, UDP, UDP-Lite, SCTP and DCCP. For GRE the key, as PPTP uses it.
        3 CTA_PROTO_DST_PORT dst_port: Be<u16> as u16,
        /// Identifier of an ICMP query.
        4 CTA_PROTO_ICMP_ID icmp_id: Be<u16> as u16,
        /// ICMP type.
        5 CTA_PROTO_ICMP_TYPE icmp_type: u8,
        /// ICMP code.
        6 CTA_PROTO_ICMP_CODE icmp_code: u8,
        /// Identifier of an ICMPv6 query.
        7 CTA_PROTO_ICMPV6_ID icmpv6_id: Be<u16> as u16,
        /// ICMPv6 type.
        8 CTA_PROTO_ICMPV6_TYPE icmpv6_type: u8,
        /// ICMPv6 code.
        9 CTA_PROTO_ICMPV6_CODE icmpv6_code: u8,
    }
}

attrs! {
    /// `CTA_TUPLE_*`: addresses, protocol and ports of packets in one direction.
    pub struct TupleAttrs<'a> for Tuple {
        /// The addresses.
        1 CTA_TUPLE_IP ip: TupleIpAttrs<'a>,
        /// The protocol and its fields, such as ports.
        2 CTA_TUPLE_PROTO proto: TupleProtoAttrs<'a>,
        /// Zone of this direction. Not together with a zone of the whole connection.
        3 CTA_TUPLE_ZONE zone: Be<u16> as u16,
    }
}

/// One direction of a connection, and the zone it is in: no two connections have the same one. The key for a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct TupleKey {
    /// Where packets come from.
    pub src: Option<IpAddr>,
    /// Where packets go to.
    pub dst: Option<IpAddr>,
    /// The protocol above IP.
    pub protocol: IpProtocol,
    /// Port of the sender, or identifier of an ICMP query; 0 of protocols without.
    pub src_port: u16,
    /// Port of the receiver, or ICMP type in the upper byte and code in the lower; 0 of protocols without.
    pub dst_port: u16,
    /// The zone; 0 by default.
    pub zone: u16,
}

impl TupleIpAttrs<'_> {
    /// Source address.
    #[inline]
    pub fn src(&self) -> Option<IpAddr> {
        self.v4_src().map(IpAddr::V4).or_else(|| self.v6_src().map(IpAddr::V6))
    }

    /// Destination address.
    #[inline]
    pub fn dst(&self) -> Option<IpAddr> {
        self.v4_dst().map(IpAddr::V4).or_else(|| self.v6_dst().map(IpAddr::V6))
    }
}

impl TupleIp {
    /// Source address, IPv4 or IPv6.
    pub fn src(self, addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(addr) => self.v4_src(addr),
            IpAddr::V6(addr) => self.v6_src(addr),
        }
    }

    /// Destination address, IPv4 or IPv6.
    pub fn dst(self, addr: IpAddr) -> Self {
        match addr {
            IpAddr::V4(addr) => self.v4_dst(addr),
            IpAddr::V6(addr) => self.v6_dst(addr),
        }
    }
}

impl TupleAttrs<'_> {
    /// Source address.
    pub fn src(&self) -> Option<IpAddr> {
        self.ip()?.src()
    }

    /// Destination address.
    pub fn dst(&self) -> Option<IpAddr> {
        self.ip()?.dst()
    }

    /// The protocol above IP.
    pub fn protocol(&self) -> Option<IpProtocol> {
        self.proto()?.num()
    }

    /// Source address and port, for protocols with ports.
    pub fn src_socket(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.src()?, self.proto()?.src_port()?))
    }

    /// Destination address and port, for protocols with ports.
    pub fn dst_socket(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.dst()?, self.proto()?.dst_port()?))
    }

    /// The tuple by value. `zone` is that of the whole connection, which counts where the tuple has none.
    pub fn key(&self, zone: u16) -> TupleKey {
        let proto = self.proto().unwrap_or_default();
        let kind = proto.icmp_type().or_else(|| proto.icmpv6_type()).unwrap_or_default();
        let code = proto.icmp_code().or_else(|| proto.icmpv6_code()).unwrap_or_default();
        let id = proto.icmp_id().or_else(|| proto.icmpv6_id());
        TupleKey {
            src: self.src(),
            dst: self.dst(),
            protocol: proto.num().unwrap_or_default(),
            src_port: proto.src_port().or(id).unwrap_or_default(),
            dst_port: proto.dst_port().unwrap_or_else(|| u16::from_be_bytes([kind, code])),
            zone: self.zone().unwrap_or(zone),
        }
    }

    /// The family of the addresses; [`Family::UNSPEC`] without addresses.
    pub fn family(&self) -> Family {
        match self.ip().and_then(|ip| ip.src().or_else(|| ip.dst())) {
            Some(IpAddr::V4(_)) => Family::IPV4,
            Some(IpAddr::V6(_)) => Family::IPV6,
            None => Family::UNSPEC,
        }
    }

    /// The tuple of the replies: source and destination are exchanged, and the ICMP type is that of the reply.
    ///
    /// The zone is omitted, because it belongs to one direction.
    pub fn reversed(&self) -> Tuple {
        let mut ip = TupleIp::new();
        if let Some(addr) = self.dst() {
            ip = ip.src(addr);
        }
        if let Some(addr) = self.src() {
            ip = ip.dst(addr);
        }
        let tuple = Tuple::new().ip(ip);
        let Some(from) = self.proto() else { return tuple };
        let mut proto = TupleProto::new();
        if let Some(num) = from.num() {
            proto = proto.num(num);
        }
        if let Some(port) = from.dst_port() {
            proto = proto.src_port(port);
        }
        if let Some(port) = from.src_port() {
            proto = proto.dst_port(port);
        }
        if let Some(id) = from.icmp_id() {
            proto = proto.icmp_id(id);
        }
        if let Some(kind) = from.icmp_type() {
            proto = proto.icmp_type(answering(kind, &[(8, 0), (13, 14), (15, 16), (17, 18)]));
        }
        if let Some(code) = from.icmp_code() {
            proto = proto.icmp_code(code);
        }
        if let Some(id) = from.icmpv6_id() {
            proto = proto.icmpv6_id(id);
        }
        if let Some(kind) = from.icmpv6_type() {
            proto = proto.icmpv6_type(answering(kind, &[(128, 129), (139, 140)]));
        }
        if let Some(code) = from.icmpv6_code() {
            proto = proto.icmpv6_code(code);
        }
        tuple.proto(proto)
    }
}

/// The other type of a pair; the type itself if it is in no pair.
fn answering(kind: u8, pairs: &[(u8, u8)]) -> u8 {
    let other = |&(ask, answer): &(u8, u8)| match kind {
        kind if kind == ask => Some(answer),
        kind if kind == answer => Some(ask),
        _ => None,
    };
    pairs.iter().find_map(other).unwrap_or(kind)
}

/// A copy of a received tuple, with its zone.
impl From<TupleAttrs<'_>> for Tuple {
    fn from(tuple: TupleAttrs<'_>) -> Self {
        let mut all = Self::new();
        tuple.0.encode(&mut all.0);
        all
    }
}

impl Tuple {
    /// A protocol without further fields, between two addresses.
    pub fn generic(protocol: IpProtocol, src: IpAddr, dst: IpAddr) -> Self {
        Self::between(src, dst, TupleProto::new().num(protocol))
    }

    /// TCP.
    pub fn tcp(src: SocketAddr, dst: SocketAddr) -> Self {
        Self::ports(IpProtocol::TCP, src, dst)
    }

    /// UDP.
    pub fn udp(src: SocketAddr, dst: SocketAddr) -> Self {
        Self::ports(IpProtocol::UDP, src, dst)
    }

    /// Another protocol with ports: UDP-Lite, SCTP or DCCP.
    pub fn ports(protocol: IpProtocol, src: SocketAddr, dst: SocketAddr) -> Self {
        let proto = TupleProto::new().num(protocol).src_port(src.port()).dst_port(dst.port());
        Self::between(src.ip(), dst.ip(), proto)
    }

    /// GRE with the call ids of PPTP; 0 for other kinds of GRE.
    pub fn gre(src: IpAddr, src_key: u16, dst: IpAddr, dst_key: u16) -> Self {
        let proto = TupleProto::new().num(IpProtocol::GRE).src_port(src_key).dst_port(dst_key);
        Self::between(src, dst, proto)
    }

    /// An ICMP query: type 8 is a ping, and its reply is type 0.
    pub fn icmp(src: Ipv4Addr, dst: Ipv4Addr, kind: u8, code: u8, id: u16) -> Self {
        let proto = TupleProto::new().num(IpProtocol::ICMP).icmp_id(id).icmp_type(kind).icmp_code(code);
        Self::between(src.into(), dst.into(), proto)
    }

    /// An ICMPv6 query: type 128 is a ping, and its reply is type 129.
    pub fn icmpv6(src: Ipv6Addr, dst: Ipv6Addr, kind: u8, code: u8, id: u16) -> Self {
        let proto = TupleProto::new().num(IpProtocol::ICMPV6);
        Self::between(src.into(), dst.into(), proto.icmpv6_id(id).icmpv6_type(kind).icmpv6_code(code))
    }

    fn between(src: IpAddr, dst: IpAddr, proto: TupleProto) -> Self {
        Self::new().ip(TupleIp::new().src(src).dst(dst)).proto(proto)
    }

    /// The tuple of the replies; see [`TupleAttrs::reversed`].
    pub fn reversed(&self) -> Self {
        self.clone().attrs().reversed()
    }
}

struct Hex(u16);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// As `conntrack -L` prints a direction, without its counters.
impl fmt::Display for TupleAttrs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show(f, "zone")
    }
}

impl TupleAttrs<'_> {
    pub(super) fn show(&self, f: &mut fmt::Formatter<'_>, zone: &str) -> fmt::Result {
        let mut gap = "";
        let mut field = |name: &str, value: Option<&dyn fmt::Display>| match value {
            Some(value) => write!(f, "{}{name}={value}", core::mem::replace(&mut gap, " ")),
            None => Ok(()),
        };
        field("src", self.src().as_ref().map(|addr| addr as _))?;
        field("dst", self.dst().as_ref().map(|addr| addr as _))?;
        let Some(proto) = self.proto() else { return Ok(()) };
        if proto.num() == Some(IpProtocol::GRE) {
            field("srckey", proto.src_port().map(Hex).as_ref().map(|key| key as _))?;
            field("dstkey", proto.dst_port().map(Hex).as_ref().map(|key| key as _))?;
        } else {
            field("sport", proto.src_port().as_ref().map(|port| port as _))?;
            field("dport", proto.dst_port().as_ref().map(|port| port as _))?;
        }
        field("type", proto.icmp_type().or_else(|| proto.icmpv6_type()).as_ref().map(|kind| kind as _))?;
        field("code", proto.icmp_code().or_else(|| proto.icmpv6_code()).as_ref().map(|code| code as _))?;
        field("id", proto.icmp_id().or_else(|| proto.icmpv6_id()).as_ref().map(|id| id as _))?;
        field(zone, self.zone().as_ref().map(|zone| zone as _))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use netlink_core::{Payload as _, Writer};
    use netlink_testing::native;

    fn shown(tuple: &Tuple) -> alloc::string::String {
        tuple.clone().attrs().to_string()
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_tuple_in_json_is_the_same_in_both_families() {
        for ip in ["192.0.2.1", "2001:db8::1"] {
            let ip: IpAddr = ip.parse().unwrap();
            let tuple = Tuple::tcp(SocketAddr::new(ip, 1000), SocketAddr::new(ip, 80)).attrs();
            let text = alloc::format!(
                r#"{{"ip":{{"src":"{ip}","dst":"{ip}"}},"proto":{{"num":"tcp","src_port":1000,"dst_port":80}}}}"#
            );
            assert_eq!(serde_json::to_string(&tuple).unwrap(), text);
        }
    }

    #[test]
    fn tuples_that_differ_have_keys_that_differ() {
        let [a, b]: [IpAddr; 2] = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse().unwrap());
        let at = SocketAddr::new;
        let tuples = [
            Tuple::tcp(at(a, 1), at(b, 2)),
            Tuple::tcp(at(a, 2), at(b, 2)),
            Tuple::tcp(at(a, 1), at(b, 1)),
            Tuple::tcp(at(b, 1), at(b, 2)),
            Tuple::tcp(at(a, 1), at(a, 2)),
            Tuple::udp(at(a, 1), at(b, 2)),
            Tuple::generic(IpProtocol::TCP, a, b),
            Tuple::tcp(at(a, 1), at(b, 2)).zone(3),
            Tuple::new().proto(TupleProto::new().num(IpProtocol::ICMP).icmp_type(8).icmp_code(0).icmp_id(1)),
            Tuple::new().proto(TupleProto::new().num(IpProtocol::ICMP).icmp_type(8).icmp_code(1).icmp_id(1)),
            Tuple::new().proto(TupleProto::new().num(IpProtocol::ICMP).icmp_type(0).icmp_code(0).icmp_id(1)),
            Tuple::new().proto(TupleProto::new().num(IpProtocol::ICMP).icmp_type(8).icmp_code(0).icmp_id(2)),
            Tuple::new()
                .proto(TupleProto::new().num(IpProtocol::ICMPV6).icmpv6_type(8).icmpv6_code(0).icmpv6_id(2)),
        ];
        let keys = |zone| tuples.iter().map(move |tuple| tuple.clone().attrs().key(zone));
        assert!(keys(0).eq(keys(0)));
        let distinct: alloc::collections::BTreeSet<_> = keys(0).chain(keys(3)).collect();
        // The zone of the tuple counts before that of the connection.
        assert_eq!(distinct.len(), 2 * tuples.len() - 2);
    }

    #[test]
    fn a_tuple_is_nested_sets_in_network_order() {
        let tuple = Tuple::tcp("192.0.2.1:1000".parse().unwrap(), "192.0.2.2:80".parse().unwrap());
        let mut out = Writer::new();
        tuple.attrs().put(1, &mut out);
        let expected = native(
            [
                52, 0, 1, 0x80, // CTA_TUPLE_ORIG
                20, 0, 1, 0x80, 8, 0, 1, 0, 192, 0, 2, 1, 8, 0, 2, 0, 192, 0, 2, 2, // CTA_TUPLE_IP
                28, 0, 2, 0x80, 5, 0, 1, 0, 6, 0, 0, 0, // CTA_TUPLE_PROTO
                6, 0, 2, 0, 3, 0xe8, 0, 0, 6, 0, 3, 0, 0, 80, 0, 0,
            ],
            &[
                2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 2,
                2, 1,
            ],
        );
        assert_eq!(out.as_slice(), expected);
    }

    /// NA3
    #[test]
    fn a_tuple_that_was_read_can_be_sent() {
        let tuple = Tuple::udp("[::1]:1000".parse().unwrap(), "[::2]:80".parse().unwrap()).zone(7);
        let mut out = Writer::new();
        tuple.clone().attrs().encode(&mut out);
        let read = TupleAttrs::decode(out.as_slice()).unwrap();
        assert_eq!(Tuple::from(read.clone()), tuple);
        assert_eq!(Tuple::from(read).attrs().zone(), Some(7));
    }

    #[test]
    fn the_reversed_tuple_is_that_of_the_replies() {
        let tcp = Tuple::tcp("192.0.2.1:1000".parse().unwrap(), "192.0.2.2:80".parse().unwrap());
        assert_eq!(shown(&tcp.reversed()), "src=192.0.2.2 dst=192.0.2.1 sport=80 dport=1000");
        assert_eq!(tcp.reversed().reversed(), tcp);
        let [a, b] = [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2)];
        for (asked, answered) in [(8, 0), (0, 8), (13, 14), (16, 15), (18, 17), (3, 3)] {
            let text = alloc::format!("src=192.0.2.2 dst=192.0.2.1 type={answered} code=0 id=7");
            assert_eq!(shown(&Tuple::icmp(a, b, asked, 0, 7).reversed()), text);
        }
        let six = Ipv6Addr::LOCALHOST;
        let text = "src=::1 dst=::1 type=129 code=0 id=7";
        assert_eq!(shown(&Tuple::icmpv6(six, six, 128, 0, 7).reversed()), text);
        let gre = Tuple::gre(a.into(), 1, b.into(), 2);
        assert_eq!(shown(&gre.reversed()), "src=192.0.2.2 dst=192.0.2.1 srckey=0x2 dstkey=0x1");
    }

    #[test]
    fn absent_fields_stay_absent() {
        let ports = Tuple::new().proto(TupleProto::new().num(IpProtocol::UDP).dst_port(53));
        assert_eq!(shown(&ports.reversed()), "sport=53");
        let attrs = ports.attrs();
        assert_eq!((attrs.src(), attrs.family(), attrs.dst_socket()), (None, Family::UNSPEC, None));
        assert_eq!(Tuple::new().attrs().reversed().attrs().protocol(), None);
    }
}
