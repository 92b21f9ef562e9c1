//! Next hops: gateways of any family, and several next hops in one route.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_core::attr::Hex;
use netlink_core::layout::Field;
use netlink_core::{
    DecodeError, HwAddr, IntoAttr, Malformed, Payload, Rule, Shape, Unsendable, Writer, attrs,
};

use super::encap::Encap;
use super::mpls::Labels;
use super::values::RouteFlags;
use crate::Family;
use crate::ip::AnyAddr;

/// `struct rtvia`: a gateway together with its family.
///
/// IPv4 routes use it for IPv6 gateways, MPLS routes for all gateways.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Via<'a> {
    /// An IP address.
    Ip(IpAddr),
    /// A link-layer address (`AF_PACKET`), for MPLS.
    Link(HwAddr),
    /// Number of another family, and an address of that family.
    Other(u16, &'a [u8]),
}

const AF_PACKET: u16 = 17;

impl Via<'_> {
    /// The gateway, if it is an IP address.
    pub const fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(*ip),
            _ => None,
        }
    }
}

/// An IPv4-mapped IPv6 address becomes the IPv4 address, because the kernel checks the length.
impl From<IpAddr> for Via<'_> {
    fn from(ip: IpAddr) -> Self {
        Self::Ip(ip.to_canonical())
    }
}

impl<'a> Payload<'a> for Via<'a> {
    type Value = Self;
    const RULE: Rule = Rule::at_least(2);
    const SHAPE: Shape = Shape::Value(|bytes, f| Shape::show(f, bytes, Via::decode(bytes)));

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut rest = payload;
        let family = u16::read(&mut rest)?;
        let known = match (family, rest.len()) {
            (2, 4) => Ipv4Addr::decode(rest).ok().map(|ip| Self::Ip(ip.into())),
            (2 | 10, 16) => Ipv6Addr::decode(rest).ok().map(|ip| Self::from(IpAddr::V6(ip))),
            (AF_PACKET, _) => HwAddr::new(rest).map(Self::Link),
            _ => None,
        };
        Ok(known.unwrap_or(Self::Other(family, rest)))
    }

    fn encode(&self, out: &mut Writer) {
        match self {
            Self::Ip(ip) => {
                let ip = ip.to_canonical();
                u16::from(Family::from(ip).0).encode(out);
                ip.encode(out);
            }
            Self::Link(addr) => {
                AF_PACKET.encode(out);
                addr.encode(out);
            }
            Self::Other(family, addr) => {
                family.encode(out);
                out.push(addr);
            }
        }
    }
}

impl IntoAttr<Via<'_>> for IpAddr {
    fn into_attr(self) -> Via<'static> {
        self.into()
    }
}

impl IntoAttr<Via<'_>> for Ipv4Addr {
    fn into_attr(self) -> Via<'static> {
        IpAddr::V4(self).into()
    }
}

impl IntoAttr<Via<'_>> for Ipv6Addr {
    fn into_attr(self) -> Via<'static> {
        IpAddr::V6(self).into()
    }
}

impl IntoAttr<Via<'_>> for HwAddr {
    fn into_attr(self) -> Via<'static> {
        Via::Link(self)
    }
}

/// The family's name, then the address.
impl fmt::Display for Via<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(ip) => write!(f, "{} {ip}", Family::from(*ip)),
            Self::Link(addr) => write!(f, "link {addr}"),
            Self::Other(family, addr) => write!(f, "{family} {}", Hex(addr)),
        }
    }
}

impl fmt::Debug for Via<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

netlink_core::serialize! { @text ['a] Via<'a> }

netlink_core::layout! {
    /// `struct rtnexthop`.
    pub struct HopHeader: rtnexthop = 8 {
        /// Length in bytes, with this header and the attributes.
        length: u16,
        /// Lower byte of [`RouteFlags`]: dead, onlink, offload, linkdown …
        flags: u8,
        /// Weight minus one: 0 to 255 is weight 1 to 256.
        hops: u8,
        /// Outgoing link. With 0 the kernel finds the link of the gateway.
        link: u32,
    }
}

attrs! {
    /// `RTA_*`: the attributes of a next hop in `RTA_MULTIPATH`.
    pub struct HopAttrs<'a> for HopBuilder {
        /// Gateway of the route's family.
        5 RTA_GATEWAY own_gateway: AnyAddr<'a>,
        /// Realms, as in the route. IPv4 only.
        11 RTA_FLOW flow: u32,
        /// Gateway of another family.
        18 RTA_VIA other_gateway: Via<'a>,
        /// MPLS labels to put on.
        19 RTA_NEWDST newdst: Labels<'a>,
        /// Type of the encapsulation.
        21 RTA_ENCAP_TYPE encap_type: super::encap::EncapType,
        /// Encapsulation. Setting it sets the type too.
        22 RTA_ENCAP encap: Encap<'a>,
    }
    shows |hop| {
        gateway: hop.gateway(),
        own_gateway: hop.own_gateway().filter(|addr| addr.ip().is_none()),
        other_gateway: hop.other_gateway().filter(|via| via.ip().is_none())
    }
}

/// One of several received next hops. It has the getters of its attributes too.
#[derive(Clone, PartialEq)]
pub struct Hop<'a> {
    header: HopHeader,
    attrs: HopAttrs<'a>,
}

impl HopAttrs<'_> {
    /// The gateway, of the route's own family or of another.
    pub fn gateway(&self) -> Option<IpAddr> {
        let own = self.own_gateway().and_then(|addr| addr.ip());
        own.or_else(|| self.other_gateway().and_then(|via| via.ip()))
    }
}

impl<'a> Hop<'a> {
    /// Its `struct rtnexthop`.
    pub const fn header(&self) -> HopHeader {
        self.header
    }

    /// Its attributes.
    pub const fn attrs(&self) -> &HopAttrs<'a> {
        &self.attrs
    }

    /// Outgoing link.
    pub const fn oif(&self) -> u32 {
        self.header.link
    }

    /// Weight: its share of the traffic, 1 to 256.
    pub fn weight(&self) -> u16 {
        u16::from(self.header.hops) + 1
    }

    /// Its state.
    pub fn flags(&self) -> RouteFlags {
        RouteFlags::from_bits_retain(self.header.flags.into())
    }
}

impl<'a> core::ops::Deref for Hop<'a> {
    type Target = HopAttrs<'a>;

    fn deref(&self) -> &HopAttrs<'a> {
        &self.attrs
    }
}

/// As `ip route` prints it after `nexthop`, with the link's number instead of its name.
impl fmt::Display for Hop<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(encap) = self.attrs.encap() {
            write!(f, "encap {encap} ")?;
        }
        if let Some(labels) = self.attrs.newdst() {
            write!(f, "as to {labels} ")?;
        }
        if let Some(gateway) = self.attrs.own_gateway() {
            write!(f, "via {gateway} ")?;
        }
        if let Some(via) = self.attrs.other_gateway() {
            write!(f, "via {via} ")?;
        }
        if self.header.link != 0 {
            write!(f, "dev #{} ", self.header.link)?;
        }
        write!(f, "weight {}", self.weight())?;
        super::display::flags(f, self.flags())
    }
}

impl fmt::Debug for Hop<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hop").field("header", &self.header).field("attrs", &self.attrs).finish()
    }
}

netlink_core::serialize! { impl ['a] for Hop<'a>, |hop, fields| {
    fields.entry("oif", &hop.oif())?;
    fields.entry("weight", &hop.weight())?;
    fields.entry("flags", &hop.flags())?;
    netlink_core::ser::Members::members(&hop.attrs, fields)?;
} }

/// A next hop to send.
///
/// ```
/// use std::net::{Ipv4Addr, Ipv6Addr};
///
/// use netlink_route::route::{self, NextHop};
///
/// let hops = [
///     NextHop::via(Ipv4Addr::new(10, 0, 0, 1)).oif(3).weight(2),
///     // IPv4 goes through IPv6 gateways too, since Linux 5.2.
///     NextHop::via("fe80::1".parse::<Ipv6Addr>()?).oif(4),
/// ];
/// let request = route::add("192.0.2.0/24".parse()?).multipath(&hops);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct NextHop {
    gateway: Option<IpAddr>,
    link: u32,
    weight: Option<u16>,
    flags: u8,
    attrs: HopBuilder,
}

impl NextHop {
    /// Through a gateway of any family.
    pub fn via(gateway: impl Into<IpAddr>) -> Self {
        Self { gateway: Some(gateway.into()), ..Self::default() }
    }

    /// Directly to a link.
    pub fn dev(link: u32) -> Self {
        Self { link, ..Self::default() }
    }

    /// Outgoing link. Without it the kernel finds the link of the gateway.
    pub const fn oif(mut self, link: u32) -> Self {
        self.link = link;
        self
    }

    /// Weight: its share of the traffic, 1 to 256. Default: 1.
    pub const fn weight(mut self, weight: u16) -> Self {
        self.weight = Some(weight);
        self
    }

    /// The gateway is on the link even if no route says so.
    pub const fn onlink(mut self) -> Self {
        self.flags |= 4;
        self
    }

    /// Realms, as in the route. IPv4 only.
    pub fn flow(mut self, realms: u32) -> Self {
        self.attrs = self.attrs.flow(realms);
        self
    }

    /// Adds these MPLS labels; in MPLS routes.
    pub fn newdst<'a>(mut self, labels: impl IntoAttr<Labels<'a>>) -> Self {
        self.attrs = self.attrs.newdst(labels);
        self
    }

    /// Encapsulates packets of this next hop.
    pub fn encap<'a>(mut self, encap: impl IntoAttr<Encap<'a>>) -> Self {
        self.attrs = self.attrs.encap(encap);
        self
    }

    /// Appends an attribute that has no setter.
    pub fn attr<'x>(mut self, number: u16, payload: &impl Payload<'x>) -> Self {
        self.attrs = self.attrs.attr(number, payload);
        self
    }

    fn write(&self, family: Family, out: &mut Writer) {
        let weight = self.weight.unwrap_or(1);
        let Some(hops) = weight.checked_sub(1).and_then(|hops| u8::try_from(hops).ok()) else {
            return out.fail(Unsendable::Value("a weight that is not between 1 and 256"));
        };
        let mut set = Writer::new();
        if let Some(gateway) = self.gateway {
            put_gateway(gateway, family, &mut set);
        }
        self.attrs.clone().attrs().encode(&mut set);
        let Ok(length) = u16::try_from(HopHeader::SIZE + set.len()) else {
            return out.fail(Unsendable::TooLong { length: set.len(), max: usize::from(u16::MAX) });
        };
        let header = HopHeader { length, flags: self.flags, hops, link: self.link };
        out.push(&header.to_bytes());
        out.append(&set);
    }
}

/// Writes a gateway in the format for routes of `family`.
pub(super) fn put_gateway(gateway: IpAddr, family: Family, out: &mut Writer) {
    let gateway = if family == Family::INET6 { gateway } else { gateway.to_canonical() };
    match family == Family::from(gateway) {
        true => gateway.put(5, out),
        false => Via::from(gateway).put(18, out),
    }
}

/// The next hops of a route that has several.
///
/// Reading walks the payload each time and does not allocate.
#[derive(Clone, Copy)]
pub struct NextHops<'a>(HopsFrom<'a>);

#[derive(Clone, Copy)]
enum HopsFrom<'a> {
    Wire(&'a [u8]),
    Values(Family, &'a [NextHop]),
}

impl<'a> NextHops<'a> {
    /// Next hops to send in a route of this family. [`multipath`](super::RouteRequest::multipath) sets the
    /// family itself.
    pub const fn new(family: Family, hops: &'a [NextHop]) -> Self {
        Self(HopsFrom::Values(family, hops))
    }

    /// The received next hops, in order. A value made with [`new`](Self::new) yields none.
    pub fn iter(&self) -> impl Iterator<Item = Hop<'a>> + use<'a> {
        let mut rest = match self.0 {
            HopsFrom::Wire(bytes) => bytes,
            HopsFrom::Values(..) => &[],
        };
        core::iter::from_fn(move || {
            let (start, next) = find(rest)?;
            let record = rest.get(..next).unwrap_or(rest);
            rest = rest.get(next..).unwrap_or_default();
            // `decode` checked them.
            let header = HopHeader::take(&mut { record })?;
            let attrs = HopAttrs::decode(record.get(start..)?).ok()?;
            Some(Hop { header, attrs })
        })
    }
}

/// Offset of the first next hop's attributes, and offset of the second next hop.
fn find(bytes: &[u8]) -> Option<(usize, usize)> {
    let header = HopHeader::take(&mut { bytes })?;
    let length = usize::from(header.length);
    (HopHeader::SIZE..=bytes.len()).contains(&length).then_some(())?;
    Some((HopHeader::SIZE, length.next_multiple_of(4)))
}

fn check(mut rest: &[u8], scope: &netlink_core::Scope<'_>) -> Result<(), DecodeError> {
    while !rest.is_empty() {
        let Some((start, next)) = find(rest) else {
            let header = HopHeader::read(&mut { rest })?;
            let claims = header.length.into();
            return Err(Malformed::Attribute { claims, left: rest.len() }.into());
        };
        let length = HopHeader::read(&mut { rest })?.length;
        HopAttrs::read(&scope.inside(rest.get(start..usize::from(length)).unwrap_or_default()))?;
        rest = rest.get(next..).unwrap_or_default();
    }
    Ok(())
}

impl<'a> Payload<'a> for NextHops<'a> {
    type Value = Self;
    const RULE: Rule = Rule::check(check);
    const SHAPE: Shape = Shape::Records(HopAttrs::TABLE, find);

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        let scope = netlink_core::Scope::default();
        check(payload, &scope).map(|()| Self(HopsFrom::Wire(payload))).map_err(|error| error.why)
    }

    fn encode(&self, out: &mut Writer) {
        match self.0 {
            HopsFrom::Wire(bytes) => out.push(bytes),
            HopsFrom::Values(family, hops) => hops.iter().for_each(|hop| hop.write(family, out)),
        }
    }

    #[inline]
    fn of(attr: netlink_core::Attr<'a>, _: &netlink_core::Scope<'a>) -> Result<Self, Malformed> {
        Ok(Self(HopsFrom::Wire(attr.payload)))
    }
}

impl PartialEq for NextHops<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.0, other.0) {
            (HopsFrom::Values(a, x), HopsFrom::Values(b, y)) => a == b && x == y,
            (HopsFrom::Wire(_), HopsFrom::Wire(_)) => self.iter().eq(other.iter()),
            _ => {
                let (mut a, mut b) = (Writer::new(), Writer::new());
                self.encode(&mut a);
                other.encode(&mut b);
                let (a, b) = (NextHops(HopsFrom::Wire(a.as_slice())), NextHops(HopsFrom::Wire(b.as_slice())));
                a.iter().eq(b.iter())
            }
        }
    }
}

impl fmt::Debug for NextHops<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            HopsFrom::Wire(_) => f.debug_list().entries(self.iter()).finish(),
            HopsFrom::Values(_, hops) => hops.fmt(f),
        }
    }
}

netlink_core::serialize! { @value NextHops<'_>, |hops| hops.iter().collect::<alloc::vec::Vec<_>>() }
