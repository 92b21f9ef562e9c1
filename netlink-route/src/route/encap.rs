//! Light-weight tunnels: a route or a next hop changes packets before it sends them. Kernel side:
//! `uapi/linux/lwtunnel.h`, `net/core/lwtunnel.c`.
//!
//! Give a builder to [`RouteRequest::encap`](super::RouteRequest::encap), which sets both type and content:
//!
//! ```
//! use netlink_route::route::{self, encap::Seg6};
//!
//! let encap = Seg6::encap(&["fc00::1".parse()?, "fc00::2".parse()?]);
//! let request = route::add("2001:db8::/32".parse()?).oif(3).encap(encap);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

use core::fmt;

use netlink_core::choice::Neighbour;
use netlink_core::{Payload, Scope, Writer, choice, values};

pub(super) use netlink_core::choice::Words;

pub use super::ila::{Ila, IlaAttrs, IlaChecksum, IlaHook, IlaIdentifier};
pub use super::ioam6::{Ioam6, Ioam6Attrs, Ioam6Mode, TraceHeader};
pub use super::ip_tunnel::{
    Erspan, ErspanAttrs, Geneve, GeneveAttrs, Ip, Ip6, Ip6Attrs, IpAttrs, TunnelFlags, TunnelOptions,
    TunnelOptionsAttrs, Vxlan, VxlanAttrs,
};
pub use super::lwt_bpf::{Bpf, BpfAttrs, BpfProgram, BpfProgramAttrs};
pub use super::mpls::{Labels, Mpls, MplsAttrs};
pub use super::rpl::{Rpl, RplAttrs, RplHeader, RplSrh};
pub use super::seg6::{Seg6, Seg6Attrs, Seg6Mode, Seg6Tunnel, Srh, SrhFlags, SrhHeader, TLV_HMAC};
pub use super::seg6_local::{
    Counters, CountersAttrs, Flavor, FlavorSet, Flavors, FlavorsAttrs, LocalAction, LocalBpf, LocalBpfAttrs,
    Seg6Local, Seg6LocalAttrs,
};
pub use super::xfrm::{Xfrm, XfrmAttrs};

values! {
    /// `LWTUNNEL_ENCAP_*`: the kinds of encapsulation.
    pub struct EncapType: u16 {
        /// None.
        0 LWTUNNEL_ENCAP_NONE NONE "none",
        /// MPLS labels in front of the packet.
        1 LWTUNNEL_ENCAP_MPLS MPLS "mpls",
        /// Header for an IPv4 tunnel link in external mode (VXLAN, GENEVE, GRE …).
        2 LWTUNNEL_ENCAP_IP IP "ip",
        /// Identifier locator addressing: rewrites the upper half of an IPv6 destination.
        3 LWTUNNEL_ENCAP_ILA ILA "ila",
        /// Header for an IPv6 tunnel link in external mode.
        4 LWTUNNEL_ENCAP_IP6 IP6 "ip6",
        /// Segment routing: adds a segment routing header (SRH).
        5 LWTUNNEL_ENCAP_SEG6 SEG6 "seg6",
        /// BPF programs.
        6 LWTUNNEL_ENCAP_BPF BPF "bpf",
        /// Segment routing: the action at the end of a segment.
        7 LWTUNNEL_ENCAP_SEG6_LOCAL SEG6_LOCAL "seg6local",
        /// Source routes of RPL networks (RFC 6554). Linux 5.7.
        8 LWTUNNEL_ENCAP_RPL RPL "rpl",
        /// In-situ measurements in IPv6 (RFC 9486). Linux 5.15.
        9 LWTUNNEL_ENCAP_IOAM6 IOAM6 "ioam6",
        /// An xfrm link in external mode. Linux 6.1.
        10 LWTUNNEL_ENCAP_XFRM XFRM "xfrm",
    }
}

/// `RTA_ENCAP_TYPE` next to `RTA_ENCAP` in routes, `NHA_ENCAP_TYPE` next to `NHA_ENCAP` in next hop objects.
struct TypeBeside;

impl Neighbour<'_, EncapType> for TypeBeside {
    fn find(scope: &Scope<'_>) -> Option<EncapType> {
        // In a route, attribute 7 is an address, which has another length.
        let of_hop = || scope.set.find(7).filter(|payload| payload.len() == 2);
        EncapType::decode(scope.set.find(21).or_else(of_hop)?).ok()
    }

    fn put(kind: EncapType, number: u16, out: &mut Writer) {
        kind.put(number.saturating_sub(1), out);
    }
}

choice! {
    /// The encapsulation: one variant per type.
    pub enum Encap<'a>: Display by TypeBeside kind: EncapType {
        /// MPLS labels in front of the packet.
        EncapType::MPLS => Mpls(MplsAttrs<'a>, Mpls),
        /// Header for an IPv4 tunnel link in external mode (VXLAN, GENEVE, GRE …).
        EncapType::IP => Ip(IpAttrs<'a>, Ip),
        /// Identifier locator addressing: rewrites the upper half of an IPv6 destination.
        EncapType::ILA => Ila(IlaAttrs<'a>, Ila),
        /// Header for an IPv6 tunnel link in external mode.
        EncapType::IP6 => Ip6(Ip6Attrs<'a>, Ip6),
        /// Segment routing: adds a segment routing header (SRH).
        EncapType::SEG6 => Seg6(Seg6Attrs<'a>, Seg6),
        /// BPF programs.
        EncapType::BPF => Bpf(BpfAttrs<'a>, Bpf),
        /// Segment routing: the action at the end of a segment.
        EncapType::SEG6_LOCAL => Seg6Local(Seg6LocalAttrs<'a>, Seg6Local),
        /// Source routes of RPL networks (RFC 6554). Linux 5.7.
        EncapType::RPL => Rpl(RplAttrs<'a>, Rpl),
        /// In-situ measurements in IPv6 (RFC 9486). Linux 5.15.
        EncapType::IOAM6 => Ioam6(Ioam6Attrs<'a>, Ioam6),
        /// An xfrm link in external mode. Linux 6.1.
        EncapType::XFRM => Xfrm(XfrmAttrs<'a>, Xfrm),
    }
}

/// Writes ` name value` for each value that is present.
pub(super) fn words<const N: usize>(
    f: &mut fmt::Formatter<'_>,
    words: [(&str, Option<&dyn fmt::Display>); N],
) -> fmt::Result {
    words.iter().try_for_each(|(name, value)| match value {
        Some(value) => write!(f, " {name} {value}"),
        None => Ok(()),
    })
}

/// An optional value as an argument of [`words`].
pub(super) fn word<T: fmt::Display>(value: &Option<T>) -> Option<&dyn fmt::Display> {
    value.as_ref().map(|value| value as &dyn fmt::Display)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::route::hop::NextHops;
    use crate::route::{Route, RouteHeader, RouteRequest};
    use alloc::format;
    use alloc::vec::Vec;
    use netlink_core::attr::NLA_F_NESTED;
    use netlink_core::{MessageFlags, Messages};
    use netlink_testing::native;

    fn message(attrs: &[u8]) -> Vec<u8> {
        let header = RouteHeader::default().family(crate::Family::INET);
        let request = RouteRequest::<()>::new(&Route::NEW, MessageFlags::empty(), header);
        let mut bytes = request.to_bytes().unwrap();
        bytes.extend_from_slice(attrs);
        let length = u32::try_from(bytes.len()).unwrap();
        bytes[..4].copy_from_slice(&length.to_ne_bytes());
        bytes
    }

    fn sets(count: usize) -> Vec<u8> {
        let mut out = Writer::new();
        (0..count).for_each(|_| out.put_bytes(22 | NLA_F_NESTED, &[]));
        out.into_bytes()
    }

    /// Kernels read the first two bytes of the type and ignore the rest.
    #[test]
    fn a_longer_type_chooses_too() {
        let mut out = Writer::new();
        out.put_array(21, native([3, 0, 0, 0], &[2, 2]));
        out.nest(22, |_| {});
        let bytes = message(out.as_slice());
        let route = Route::read(&Messages::new(&bytes).next().unwrap().unwrap()).unwrap();
        assert!(matches!(route.encap(), Some(Encap::Ila(_))), "{route:?}");
    }

    /// S-M3: with one walk per encapsulation, this would take hours.
    #[test]
    fn a_megabyte_of_encapsulations_takes_a_moment() {
        let start = std::time::Instant::now();
        let mut hop = Writer::new();
        hop.push(&65_008u16.to_ne_bytes());
        hop.push(&[0, 0, 1, 0, 0, 0]);
        hop.push(&sets(16_250));
        let mut hops = Writer::new();
        (0..16).for_each(|_| hops.put_bytes(9, hop.as_slice()));
        for attrs in [sets(1 << 18), hops.into_bytes()] {
            let bytes = message(&attrs);
            let other = message(&[&attrs[..], &native([4, 0, 22, 0], &[2])].concat());
            let [a, b] = [&bytes, &other].map(|bytes| Messages::new(bytes).next().unwrap().unwrap());
            let (a, b) = (Route::read(&a).unwrap(), Route::read(&b).unwrap());
            assert!(a == a.clone() && a != b);
            assert!(format!("{a} {a:?}").contains("encap"));
            assert!(
                format!("{}", netlink_core::trace::Tree::new(&bytes, Some(&Route::NEW)))
                    .contains("RTA_ENCAP")
            );
            #[cfg(feature = "serde")]
            assert!(serde_json::to_string(&a).unwrap().contains("encap"));
        }
        assert_eq!(NextHops::decode(hop.as_slice()).unwrap().iter().count(), 1);
        let limit = 60 * u64::from(netlink_testing::patience());
        assert!(start.elapsed().as_secs() < limit, "{:?}", start.elapsed());
    }

    #[test]
    fn the_last_type_counts() {
        let bytes = native([6, 0, 21, 0, 5, 0, 0, 0, 6, 0, 21, 0, 2, 0, 0, 0, 4, 0, 22, 0x80], &[2]);
        let scope = Scope::new(&[], netlink_core::Attrs::new(&bytes));
        assert_eq!(TypeBeside::find(&scope), Some(EncapType::IP));
    }
}
