//! Requests about routes.

use core::net::IpAddr;

use netlink_core::layout::Field;
use netlink_core::{Attrs, Check, Dump, Message, MessageFlags, MessageInfo};

use super::hop::put_gateway;
use super::{
    AnyAddr, NextHop, NextHops, Protocol, Route, RouteFlags, RouteHeader, RouteRequest, RouteType, Scope,
};
use crate::{Addr, Family};

/// Makes a route; `EEXIST` if there is one with the same destination, metric and type of service.
///
/// The route is unicast, in the main table, with the protocol [`Protocol::BOOT`], like a route of `ip route add`.
#[inline]
pub fn add(to: Addr) -> RouteRequest<()> {
    new_route(to, MessageFlags::CREATE.union(MessageFlags::EXCL))
}

/// Makes a route after the existing ones with the same metric. In IPv6 it becomes another next hop of them.
pub fn append(to: Addr) -> RouteRequest<()> {
    new_route(to, MessageFlags::CREATE.union(MessageFlags::APPEND))
}

/// Makes a route. It replaces the first route with the same destination, metric and type of service, if there is one.
pub fn replace(to: Addr) -> RouteRequest<()> {
    new_route(to, MessageFlags::CREATE.union(MessageFlags::REPLACE))
}

/// Replaces the first route with the same destination, metric and type of service; `ENOENT` if there is none.
pub fn change(to: Addr) -> RouteRequest<()> {
    new_route(to, MessageFlags::REPLACE)
}

/// Deletes the first route to this destination that matches the request; properties that the request does not
/// mention can have any value. `ESRCH` if no route matches. The table is main unless
/// [`table`](RouteRequest::table) sets another.
///
/// For IPv6 routes the kernel compares table, metric ([`priority`](RouteRequest::priority)), protocol, hops, next hop
/// object and, if supported, source prefix ([`from`](RouteRequest::from)). It ignores all else, such as type and
/// metrics, and would delete a route that differs in them. So a request with them is refused before it is sent.
pub fn delete(to: Addr) -> RouteRequest<()> {
    let header =
        RouteHeader::default().family(to.family()).dst_len(to.prefix_len()).table(254).scope(Scope::NOWHERE);
    with_dst(RouteRequest::new(&DELETION, MessageFlags::ACK, header), to)
}

const DELETION: MessageInfo = Route::DEL.guarded(guard);

fn guard(asked: &Message<'_>) -> Result<(), &'static str> {
    // DST, SRC, OIF, GATEWAY, PRIORITY, MULTIPATH, TABLE, VIA, NH_ID
    const SEEN: [u16; 9] = [1, 2, 4, 5, 6, 9, 15, 18, 30];
    let Ok(header) = RouteHeader::take(&mut { asked.body }) else {
        return Ok(());
    };
    if header.family != Family::INET6 {
        return Ok(());
    }
    if header.kind != RouteType::default() {
        return Err("the kernel ignores the type when it deletes an IPv6 route");
    }
    let mut attrs = Attrs::new(asked.body.get(RouteHeader::SIZE..).unwrap_or_default()).flatten();
    match attrs.all(|attr| SEEN.contains(&attr.number)) {
        true => Ok(()),
        false => Err("the kernel ignores this when it deletes an IPv6 route"),
    }
}

#[inline]
fn new_route(to: Addr, flags: MessageFlags) -> RouteRequest<()> {
    let family = to.family();
    let scope = if family == Family::INET { Scope::LINK } else { Scope::UNIVERSE };
    let header = RouteHeader::default()
        .family(family)
        .dst_len(to.prefix_len())
        .table(254)
        .protocol(Protocol::BOOT)
        .scope(scope)
        .kind(RouteType::UNICAST);
    with_dst(RouteRequest::new(&Route::NEW, flags | MessageFlags::ACK, header), to)
}

/// Appends the destination, except for a default route.
#[inline]
fn with_dst<R>(request: RouteRequest<R>, to: Addr) -> RouteRequest<R> {
    if to.prefix_len() == 0 { request } else { request.dst(to.ip()) }
}

/// Asks which route a packet to this address takes; `ENETUNREACH` if there is none. A route that drops the
/// packet answers with its errno: `EHOSTUNREACH` for unreachable, `EACCES` for prohibit, `EINVAL` for
/// blackhole. (If an IPv6 answer has such a route instead, the errno is in
/// [`cacheinfo`](super::RouteAttrs::cacheinfo).) With [`fib_match`](RouteRequest::fib_match), a route that
/// does not fit into a message (2,000 hops or more) is the error `EMSGSIZE`.
///
/// Setters describe the packet: [`from`](RouteRequest::from), [`iif`](RouteRequest::iif) for a packet to
/// forward, [`oif`](RouteRequest::oif) for a packet that must leave through this link (a VRF link selects its
/// table), [`mark`](RouteRequest::mark), [`uid`](RouteRequest::uid), [`tos`](RouteRequest::tos),
/// [`ip_proto`](RouteRequest::ip_proto), [`sport`](RouteRequest::sport), [`dport`](RouteRequest::dport),
/// [`flowlabel`](RouteRequest::flowlabel). [`fib_match`](RouteRequest::fib_match) and
/// [`lookup_table`](RouteRequest::lookup_table) change the answer. With strict checking the kernel refuses
/// all others.
pub fn get(to: impl Into<IpAddr>) -> RouteRequest<Route<'static>> {
    let to = Addr::from(to.into());
    let header = RouteHeader::default().family(to.family()).dst_len(to.prefix_len());
    RouteRequest::new(&Route::GET, MessageFlags::empty(), header).dst(to.ip())
}

/// Lists routes of all tables and families.
///
/// With strict checking the kernel filters by [`table`](RouteRequest::table), [`oif`](RouteRequest::oif),
/// [`protocol`](RouteRequest::protocol), [`kind`](RouteRequest::kind) and [`family`](RouteRequest::family).
/// With [`cached`](RouteRequest::cached) it lists cached exceptions instead. It refuses all other conditions
/// with `EINVAL`. Without strict checking it filters by family only, and only by families that it knows; this
/// crate then skips the routes that were not requested.
///
/// A route that does not fit into a message (about 2,000 next hops in IPv4, 1,100 in IPv6) ends a list of its
/// [`family`](RouteRequest::family) without an error; neither the kernel nor this crate reports it. A list of
/// all families then fails with `EMSGSIZE`.
pub fn list() -> RouteRequest<Dump<Route<'static>>> {
    const LIST: MessageInfo = Route::GET.filtered(filter);
    RouteRequest::new(&LIST, MessageFlags::DUMP, RouteHeader::default())
}

/// The kernel treats a family without routes as no family, even if it reports that it filtered by the rest.
fn filter(asked: &Message<'_>) -> Option<Check> {
    let asked = Route::read(asked).ok()?;
    let header = asked.header();
    let only_family = RouteHeader::default().family(header.family);
    if header != only_family || asked.table() != 0 || asked.oif().is_some() {
        return Some(|asked, reply| {
            of_family(asked, reply)
                && (reply.header.flags.contains(MessageFlags::DUMP_FILTERED) || passes(asked, reply))
        });
    }
    (header.family != Family::UNSPEC).then_some(of_family)
}

fn of_family(asked: &Message<'_>, reply: &Message<'_>) -> bool {
    let asked = asked.body.first().filter(|family| **family != 0);
    asked.is_none() || reply.body.is_empty() || asked == reply.body.first()
}

fn passes(asked: &Message<'_>, reply: &Message<'_>) -> bool {
    let (Ok(asked), Ok(route)) = (Route::read(asked), Route::read(reply)) else {
        return true;
    };
    let (wanted, header) = (asked.header(), route.header());
    let leaves_by = |link| match (route.oif(), route.next_hops()) {
        (Some(oif), _) => oif == link,
        (None, Some(hops)) => hops.iter().any(|hop| hop.oif() == link),
        // Only the next hop object knows the links.
        (None, None) => route.nh_id().is_some(),
    };
    let cached = |header: &RouteHeader| header.flags.contains(RouteFlags::CLONED);
    (asked.table() == 0 || asked.table() == route.table())
        && (wanted.protocol == Protocol::default() || wanted.protocol == header.protocol)
        && (wanted.kind == RouteType::default() || wanted.kind == header.kind)
        && (!cached(&wanted) || cached(&header))
        && asked.oif().is_none_or(leaves_by)
}

/// Makes an MPLS route for packets that arrive with this label; `EEXIST` if there is one.
///
/// Set the next hop with [`gateway`](RouteRequest::gateway) and [`oif`](RouteRequest::oif), and the new
/// labels with [`newdst`](RouteRequest::newdst). Without new labels the label is removed.
pub fn add_label(label: u32) -> RouteRequest<()> {
    label_route(label, MessageFlags::CREATE.union(MessageFlags::EXCL))
}

/// Makes an MPLS route, or replaces the route of this label.
pub fn replace_label(label: u32) -> RouteRequest<()> {
    label_route(label, MessageFlags::CREATE.union(MessageFlags::REPLACE))
}

/// Deletes the MPLS route of a label. If there is none, the kernel reports success.
pub fn delete_label(label: u32) -> RouteRequest<()> {
    let request = RouteRequest::new(&Route::DEL, MessageFlags::ACK, label_header().table(254));
    with_label(request.header(|header| header.kind = RouteType::UNICAST), label)
}

/// Asks for the MPLS route of a label.
pub fn get_label(label: u32) -> RouteRequest<Route<'static>> {
    with_label(RouteRequest::new(&Route::GET, MessageFlags::empty(), label_header()), label)
}

fn label_header() -> RouteHeader {
    RouteHeader::default().family(Family::MPLS).dst_len(20u8)
}

fn label_route(label: u32, flags: MessageFlags) -> RouteRequest<()> {
    let header = label_header().table(254).protocol(Protocol::BOOT).kind(RouteType::UNICAST);
    with_label(RouteRequest::new(&Route::NEW, flags | MessageFlags::ACK, header), label)
}

fn with_label<R>(request: RouteRequest<R>, label: u32) -> RouteRequest<R> {
    request.dst(AnyAddr::Label(label))
}

impl<R> RouteRequest<R> {
    fn fixed(&mut self) -> RouteHeader {
        let mut fixed = RouteHeader::default();
        self.0.edit(|header: &mut RouteHeader| fixed = *header);
        fixed
    }

    /// A route with a next hop is not limited to the link.
    #[inline]
    fn beyond_link(self) -> Self {
        self.header(|header| {
            if header.kind == RouteType::UNICAST && header.scope == Scope::LINK {
                header.scope = Scope::UNIVERSE;
            }
        })
    }

    /// Sets the gateway, of the route's family or of another. IPv4 routes accept IPv6 gateways since Linux
    /// 5.2. An IPv4-mapped IPv6 address is sent as the IPv4 address.
    #[inline]
    pub fn gateway(mut self, gateway: impl Into<IpAddr>) -> Self {
        let family = self.fixed().family;
        put_gateway(gateway.into(), family, self.0.writer());
        self.beyond_link()
    }

    /// Sets several next hops.
    pub fn multipath(mut self, hops: &[NextHop]) -> Self {
        let family = self.fixed().family;
        self.next_hops(NextHops::new(family, hops)).beyond_link()
    }

    /// Sets the next hop object with this id. Linux 5.3.
    pub fn nexthop(self, id: u32) -> Self {
        self.nh_id(id).beyond_link()
    }

    /// What the route does with packets. In a list: only such routes.
    ///
    /// As with `ip route`, local, broadcast and anycast routes go into the local table, and the scope is set
    /// to fit the type.
    pub fn kind(self, kind: RouteType) -> Self {
        let new = self.info().number == Route::NEW.number;
        let delete = self.info().number == Route::DEL.number;
        self.header(|header| {
            header.kind = kind;
            let here = [RouteType::LOCAL, RouteType::BROADCAST, RouteType::NAT, RouteType::ANYCAST];
            if (new || delete) && here.contains(&kind) {
                header.table = 255;
            }
            if new && header.family == Family::INET {
                header.scope = match kind {
                    RouteType::LOCAL | RouteType::NAT => Scope::HOST,
                    RouteType::BROADCAST | RouteType::MULTICAST | RouteType::ANYCAST => Scope::LINK,
                    RouteType::UNICAST => header.scope,
                    _ => Scope::UNIVERSE,
                };
            }
        })
    }

    /// Who makes the route. In a deletion or a list: only routes with this protocol.
    pub fn protocol(self, protocol: Protocol) -> Self {
        self.header(|header| header.protocol = protocol)
    }

    /// Distance of the destination. Call it after all setters that choose a scope: [`gateway`](Self::gateway),
    /// [`multipath`](Self::multipath), [`nexthop`](Self::nexthop), [`kind`](Self::kind).
    pub fn scope(self, scope: Scope) -> Self {
        self.header(|header| header.scope = scope)
    }

    /// Type of service that packets must have. In a query: that of the packet. IPv4 only.
    pub fn tos(self, tos: u8) -> Self {
        self.header(|header| header.tos = tos)
    }

    /// Only for packets with a source in this prefix. In a query: the packet's source.
    pub fn from(self, source: Addr) -> Self {
        self.header(|header| header.src_len = source.prefix_len()).src(source.ip())
    }

    /// The gateway is on the link even if no route says so. Set the link with [`oif`](Self::oif) too.
    pub fn onlink(self) -> Self {
        self.route_flags(RouteFlags::ONLINK)
    }

    /// Adds flags to the fixed header.
    pub fn route_flags(self, flags: RouteFlags) -> Self {
        self.header(|header| header.flags |= flags)
    }

    /// Answer a query with the table entry that matched: with its prefix, metrics and all next hops.
    pub fn fib_match(self) -> Self {
        self.route_flags(RouteFlags::FIB_MATCH)
    }

    /// Answer a query with the table of the route, instead of main. This flag is set for IPv4 only: other
    /// families always answer so, and refuse the flag with strict checking.
    pub fn lookup_table(self) -> Self {
        self.header(|header| {
            if header.family == Family::INET {
                header.flags |= RouteFlags::LOOKUP_TABLE;
            }
        })
    }

    /// Lists cached exceptions (path MTU, redirects) instead of routes.
    pub fn cached(self) -> Self {
        self.route_flags(RouteFlags::CLONED)
    }

    /// Lists routes of this family only. For a family that the kernel doesn't know, it lists all routes.
    pub fn family(self, family: Family) -> Self {
        self.header(|header| header.family = family)
    }
}

#[cfg(test)]
mod tests {
    use super::super::encap::{EncapType, Ila, Ioam6, Ip, Mpls, Rpl, TraceHeader, TunnelFlags, Xfrm};
    use super::super::{Encap, Features, Metric, Metrics};
    use super::*;
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;
    use netlink_core::{Attrs, Be, Messages};
    use netlink_testing::native;

    fn to(text: &str) -> Addr {
        text.parse().unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn bytes<R>(request: &RouteRequest<R>) -> Vec<u8> {
        request.to_bytes().unwrap()
    }

    fn attributes(bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
        Attrs::new(&bytes[28..])
            .map(|attr| attr.unwrap())
            .map(|attr| (attr.number, attr.payload.into()))
            .collect()
    }

    fn read(bytes: &[u8]) -> Route<'_> {
        Route::read(&Messages::new(bytes).next().unwrap().unwrap()).unwrap()
    }

    fn shown<R>(request: &RouteRequest<R>) -> String {
        read(&bytes(request)).to_string()
    }

    #[test]
    fn every_function_has_its_type_and_flags() {
        let net = to("192.0.2.0/24");
        for (request, kind, flags) in [
            (add(net), 24, [5, 6]),
            (append(net), 24, [5, 12]),
            (replace(net), 24, [5, 5]),
            (change(net), 24, [5, 1]),
            (delete(net), 25, [5, 0]),
            (add_label(100), 24, [5, 6]),
            (replace_label(100), 24, [5, 5]),
            (delete_label(100), 25, [5, 0]),
        ] {
            assert_eq!(bytes(&request)[4..8], native([kind, 0, flags[0], flags[1]], &[2]));
        }
        assert_eq!(bytes(&list())[4..8], native([26, 0, 1, 3], &[2]));
        assert_eq!(bytes(&get(ip("::1")))[4..8], native([26, 0, 1, 0], &[2]));
        assert_eq!(bytes(&get_label(100))[4..8], native([26, 0, 1, 0], &[2]));
    }

    // F4: the kernel ignores such a condition, and would delete another route.
    #[test]
    fn what_the_kernel_overlooks_in_a_deletion_is_refused() {
        let (four, six) = (|| delete(to("192.0.2.0/24")), || delete(to("2001:db8::/32")));
        let seen = six().table(100).priority(5).oif(3).gateway(ip("fe80::1")).protocol(Protocol::STATIC);
        assert!(seen.to_bytes().is_ok());
        assert!(six().multipath(&[NextHop::dev(3)]).to_bytes().is_ok());
        let metrics = || Metrics::new().mtu(1400);
        assert!(six().kind(RouteType::BLACKHOLE).to_bytes().is_err());
        assert!(six().metrics(metrics()).to_bytes().is_err());
        assert!(six().prefsrc(ip("::1")).to_bytes().is_err());
        assert!(four().kind(RouteType::BLACKHOLE).metrics(metrics()).to_bytes().is_ok());
    }

    #[test]
    fn the_scope_is_what_ip_route_would_choose() {
        let scope = |request: RouteRequest<()>| bytes(&request)[22];
        let net = to("192.0.2.0/24");
        assert_eq!(scope(add(net).oif(3)), 253);
        assert_eq!(scope(add(net).gateway(ip("10.0.0.1"))), 0);
        assert_eq!(scope(add(net).oif(3).nexthop(1)), 0);
        assert_eq!(scope(add(net).multipath(&[NextHop::dev(3)])), 0);
        assert_eq!(scope(add(net).kind(RouteType::LOCAL)), 254);
        assert_eq!(scope(add(net).kind(RouteType::BROADCAST)), 253);
        assert_eq!(scope(add(net).kind(RouteType::BLACKHOLE)), 0);
        assert_eq!(scope(add(net).gateway(ip("10.0.0.1")).scope(Scope::SITE)), 200);
        assert_eq!(scope(add(to("2001:db8::/32")).oif(3)), 0);
        assert_eq!(scope(delete(net)), 255);
        assert_eq!(scope(delete(net).gateway(ip("10.0.0.1"))), 255);
        assert_eq!(bytes(&add(net).kind(RouteType::LOCAL))[20], 255);
        assert_eq!(bytes(&list().kind(RouteType::LOCAL))[20..24], [0, 0, 0, 2]);
    }

    #[test]
    fn default_routes_have_no_destination() {
        let request =
            add(Addr::DEFAULT_V4).gateway(ip("10.0.0.1")).oif(3).protocol(Protocol::STATIC).priority(100);
        let wire = bytes(&request);
        assert_eq!(wire[16..28], [2, 0, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0]);
        assert_eq!(attributes(&wire)[0], (5, [10, 0, 0, 1].to_vec()));
        let route = read(&wire);
        assert_eq!(route.destination(), Some(Addr::DEFAULT_V4));
        assert_eq!(route.to_string(), "default via 10.0.0.1 dev #3 proto static metric 100");
        assert_eq!((route.table(), route.gateway()), (254, Some(ip("10.0.0.1"))));
        let six = add(Addr::DEFAULT_V6).oif(3).table(1000);
        assert_eq!(read(&bytes(&six)).destination(), Some(Addr::DEFAULT_V6));
        assert_eq!(shown(&six), "default dev #3 table 1000 proto boot");
    }

    #[test]
    fn gateways_of_another_family_travel_with_it() {
        let net = to("192.0.2.0/24");
        let request = add(net).gateway(ip("fe80::1")).oif(3);
        assert_eq!(attributes(&bytes(&request))[1].0, 18);
        assert_eq!(shown(&request), "192.0.2.0/24 via inet6 fe80::1 dev #3 proto boot");
        let clothed = add(net).gateway(ip("::ffff:10.0.0.1"));
        assert_eq!(attributes(&bytes(&clothed))[1], (5, [10, 0, 0, 1].to_vec()));
        let hops = [
            NextHop::via(ip("::ffff:10.0.0.1")).oif(3).weight(2),
            NextHop::via(ip("fe80::1")).oif(4).onlink(),
        ];
        let request = add(net).multipath(&hops);
        let mut expected =
            native([16, 0, 0, 1, 3, 0, 0, 0, 8, 0, 5, 0, 10, 0, 0, 1], &[2, 1, 1, 4, 2, 2, 1]).to_vec();
        expected.extend(native(
            [32, 0, 4, 0, 4, 0, 0, 0, 22, 0, 18, 0, 10, 0, 0xfe, 0x80],
            &[2, 1, 1, 4, 2, 2, 2, 1],
        ));
        expected.extend([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(attributes(&bytes(&request))[1], (9, expected));
        assert_eq!(
            shown(&request),
            "192.0.2.0/24 proto boot nexthop via 10.0.0.1 dev #3 weight 2 \
             nexthop via inet6 fe80::1 dev #4 weight 1 onlink",
        );
        assert!(add(net).multipath(&[NextHop::dev(3).weight(0)]).to_bytes().is_err());
        assert!(add(net).multipath(&[NextHop::dev(3).weight(257)]).to_bytes().is_err());
    }

    #[test]
    fn queries_say_more_of_the_packet() {
        let request = get(ip("192.0.2.1"))
            .from(to("10.0.0.1"))
            .iif(3)
            .oif(4)
            .mark(5)
            .uid(6)
            .ip_proto(17)
            .sport(1000)
            .dport(53)
            .tos(0x10)
            .fib_match()
            .lookup_table();
        let wire = bytes(&request);
        assert_eq!(
            wire[16..28],
            native([2, 32, 32, 0x10, 0, 0, 0, 0, 0, 0x30, 0, 0], &[1, 1, 1, 1, 1, 1, 1, 1, 4])
        );
        let expected = [
            (1, [192, 0, 2, 1].to_vec()),
            (2, [10, 0, 0, 1].to_vec()),
            (3, native([3, 0, 0, 0], &[4]).to_vec()),
            (4, native([4, 0, 0, 0], &[4]).to_vec()),
            (16, native([5, 0, 0, 0], &[4]).to_vec()),
            (25, native([6, 0, 0, 0], &[4]).to_vec()),
            (27, [17].to_vec()),
            (28, [3, 0xe8].to_vec()),
            (29, [0, 53].to_vec()),
        ];
        assert_eq!(attributes(&wire), expected);
        let six = get(ip("2001:db8::1")).flowlabel(0x12345);
        assert_eq!(attributes(&bytes(&six))[1], (31, [0, 1, 0x23, 0x45].to_vec()));
        assert_eq!(bytes(&six.lookup_table())[24..28], [0; 4]);
    }

    #[test]
    fn list_filters_are_those_of_the_kernel() {
        let request =
            list().family(Family::INET6).protocol(Protocol::RA).kind(RouteType::UNICAST).table(1000).oif(3);
        let wire = bytes(&request);
        assert_eq!(wire[16..28], [10, 0, 0, 0, 0, 9, 0, 1, 0, 0, 0, 0]);
        assert_eq!(
            attributes(&wire),
            [(15, native([0xe8, 3, 0, 0], &[4]).to_vec()), (4, native([3, 0, 0, 0], &[4]).to_vec())]
        );
        assert_eq!(bytes(&list().cached())[24..28], native([0, 2, 0, 0], &[4]));
    }

    // F4.
    #[test]
    fn routes_that_were_not_requested_are_skipped() {
        let net = || add(to("192.0.2.0/24")).oif(3).table(100).protocol(Protocol::STATIC);
        let reply = |route: RouteRequest<()>, filtered: bool| {
            let flags = if filtered { MessageFlags::DUMP_FILTERED } else { MessageFlags::empty() };
            route.into_request().with_flags(flags).to_bytes().unwrap()
        };
        let passes = |list: &RouteRequest<_>, reply: &[u8]| {
            list.passes(&Messages::new(reply).next().unwrap().unwrap())
        };
        assert!(list().check().is_none());
        for (fitting, other) in [
            (list().table(100), list().table(254)),
            (list().table(100), list().table(1000)),
            (list().oif(3), list().oif(4)),
            (list().protocol(Protocol::STATIC), list().protocol(Protocol::BOOT)),
            (list().kind(RouteType::UNICAST), list().kind(RouteType::LOCAL)),
            (list().table(100).oif(3), list().cached()),
        ] {
            assert!(passes(&fitting, &reply(net(), false)), "{fitting:?}");
            assert!(!passes(&other, &reply(net(), false)), "{other:?}");
            assert!(passes(&other, &reply(net(), true)), "{other:?}");
        }
        // The family is not among the conditions that the flag covers.
        for filtered in [false, true] {
            assert!(passes(&list().family(Family::INET), &reply(net(), filtered)));
            assert!(!passes(&list().family(Family(99)), &reply(net(), filtered)));
            assert!(!passes(&list().family(Family::INET6).table(100), &reply(net(), filtered)));
        }
        let hops = add(to("192.0.2.0/24")).multipath(&[NextHop::dev(3), NextHop::dev(4)]);
        let (hops, object) = (reply(hops, false), reply(add(to("192.0.2.0/24")).nexthop(7), false));
        assert!(passes(&list().oif(4), &hops) && !passes(&list().oif(5), &hops));
        assert!(passes(&list().oif(4), &object));
        assert!(!passes(&list().oif(4), &reply(add(to("192.0.2.0/24")).kind(RouteType::BLACKHOLE), false)));
    }

    #[test]
    fn mpls_routes() {
        let request = add_label(100).gateway(ip("10.0.0.1")).oif(3).newdst(&[200, 300]).ttl_propagate(true);
        let wire = bytes(&request);
        assert_eq!(wire[16..28], [28, 20, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0]);
        assert_eq!(
            attributes(&wire),
            [
                (1, [0, 6, 0x41, 0].to_vec()),
                (18, native([2, 0, 10, 0, 0, 1], &[2, 1]).to_vec()),
                (4, native([3, 0, 0, 0], &[4]).to_vec()),
                (19, [0, 0xc, 0x80, 0, 0, 0x12, 0xc1, 0].to_vec()),
                (26, [1].to_vec()),
            ],
        );
        let route = read(&wire);
        assert_eq!((route.label(), route.destination()), (Some(100), None));
        assert_eq!(
            route.to_string(),
            "100 as to 200/300 via inet 10.0.0.1 dev #3 proto boot ttl-propagate enabled",
        );
        assert_eq!(bytes(&get_label(100))[16..28], [28, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert!(add_label(1 << 20).to_bytes().is_err());
    }

    /// Sends an encapsulation and reads it back.
    fn encap(request: RouteRequest<()>) -> (u16, Vec<u8>, String) {
        let wire = bytes(&request);
        let attrs = attributes(&wire);
        assert_eq!((attrs[1].0, attrs[2].0), (21, 22));
        let kind = u16::from_ne_bytes(attrs[1].1[..].try_into().unwrap());
        let route = read(&wire);
        let encap = route.encap().unwrap();
        assert_eq!(encap.kind().0, kind);
        let again = bytes(&add(to("2001:db8::/32")).encap(encap.clone()));
        assert_eq!(attributes(&again), attrs);
        (kind, attrs[2].1.clone(), encap.to_string())
    }

    #[test]
    fn encapsulations_set_type_and_content() {
        let net = || add(to("2001:db8::/32"));
        let labels = encap(net().encap(Mpls::push(&[100]).ttl(64)));
        assert_eq!(
            labels.1,
            native([8, 0, 1, 0, 0, 6, 0x41, 0, 5, 0, 2, 0, 64, 0, 0, 0], &[2, 2, 1, 1, 1, 1, 2, 2, 1])
        );
        assert_eq!((labels.0, &*labels.2), (1, "mpls 100 ttl 64"));

        let tunnel = Ip::new().id(42).dst(core::net::Ipv4Addr::new(10, 0, 0, 2)).flags(TunnelFlags::KEY);
        let tunnel = encap(net().encap(tunnel));
        assert_eq!(
            tunnel.1,
            native(
                [12, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 42, 8, 0, 2, 0, 10, 0, 0, 2, 6, 0, 6, 0, 0, 4, 0, 0],
                &[2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 2, 2, 1]
            ),
        );
        assert_eq!((tunnel.0, &*tunnel.2), (2, "ip id 42 dst 10.0.0.2 key"));

        let ila = encap(net().encap(Ila::new().locator(0x2001_0db8_0000_0001_u64)));
        assert_eq!(ila.1, native([12, 0, 1, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 1], &[2, 2, 1]));
        assert_eq!((ila.0, &*ila.2), (3, "ila 2001:db8:0:1"));

        let segments = ["fc00::1".parse().unwrap()];
        let rpl = encap(net().encap(Rpl::through(&segments)));
        assert_eq!(rpl.1[..12], native([28, 0, 1, 0, 0, 2, 3, 1, 0, 0, 0, 0], &[2, 2, 1]));
        assert_eq!((rpl.0, &*rpl.2), (8, "rpl segs 1 [ fc00::1 ]"));

        let trace = TraceHeader::default().namespace(1u16).remaining(3).kinds(Be(0x80_0000 << 8));
        let ioam = encap(net().encap(Ioam6::new().trace(trace).frequency(1, 2)));
        assert_eq!(ioam.1[..12], native([12, 0, 3, 0, 0, 1, 0, 3, 0x80, 0, 0, 0], &[2, 2, 1]));
        let text = "ioam6 freq 1/2 trace prealloc type 0x800000 ns 1 size 12";
        assert_eq!((ioam.0, &*ioam.2), (9, text));

        let xfrm = encap(net().encap(Xfrm::new().if_id(16).link(3)));
        assert_eq!(xfrm.1, native([8, 0, 1, 0, 16, 0, 0, 0, 8, 0, 2, 0, 3, 0, 0, 0], &[2, 2, 4, 2, 2, 4]));
        assert_eq!((xfrm.0, &*xfrm.2), (10, "xfrm if_id 0x10 link_dev #3"));

        let unknown = Encap::Other(EncapType(99), [8, 0, 1, 0, 1, 2, 3, 4][..].into());
        assert_eq!(encap(net().encap(unknown)).1, [8, 0, 1, 0, 1, 2, 3, 4]);
    }

    #[test]
    fn next_hops_have_encapsulations_and_labels_of_their_own() {
        let hops = [NextHop::dev(3).encap(Mpls::push(&[100])), NextHop::dev(4).newdst(&[200])];
        let wire = bytes(&add(to("192.0.2.0/24")).multipath(&hops));
        let route = read(&wire);
        let hops: Vec<_> = route.next_hops().unwrap().iter().collect();
        assert_eq!(hops[0].encap().unwrap().to_string(), "mpls 100");
        assert_eq!(hops[1].newdst().unwrap().to_string(), "200");
        assert_eq!((hops[0].oif(), hops[1].oif(), hops[1].weight()), (3, 4, 1));
    }

    #[test]
    fn wrong_lengths_of_next_hops_are_errors() {
        for length in [0u16, 7, 9, 11, 17, 0xffff] {
            let mut record =
                native([16, 0, 0, 0, 3, 0, 0, 0, 8, 0, 5, 0, 10, 0, 0, 1], &[2, 1, 1, 4, 2, 2, 1]);
            record[..2].copy_from_slice(&length.to_ne_bytes());
            let request = add(to("192.0.2.0/24")).attr(9, &netlink_core::Bytes(&record));
            let wire = bytes(&request);
            let message = Messages::new(&wire).next().unwrap().unwrap();
            assert!(Route::read(&message).is_err(), "{length}");
        }
    }

    #[test]
    fn metrics_and_the_rest() {
        let metrics = Metrics::new().lock(Metric::MTU).mtu(1400).features(Features::ECN);
        let request = replace(to("192.0.2.0/24")).oif(3).metrics(metrics).expires(60).from(to("10.0.0.0/8"));
        let text = "192.0.2.0/24 from 10.0.0.0/8 dev #3 proto boot scope link mtu lock 1400 features 1";
        assert_eq!(shown(&request), text);
        let expected = native(
            [8, 0, 1, 0, 4, 0, 0, 0, 8, 0, 2, 0, 0x78, 5, 0, 0, 8, 0, 12, 0, 1, 0, 0, 0],
            &[2, 2, 4, 2, 2, 4, 2, 2, 4],
        );
        assert_eq!(attributes(&bytes(&request))[2], (8, expected.to_vec()));
    }
}
