//! Notifications: what changes, as the kernel tells it to the multicast groups of `NETLINK_ROUTE`.

use alloc::borrow::Cow;

use netlink_core::{DecodeError, Expect, Message, MessageFlags, MessageInfo, MessageType, Reply, values};

use crate::Family;
use crate::addr::Address;
use crate::link::{Link, LinkFlags};
use crate::nsid::Nsid;
use crate::route::Route;

values! {
    /// `RTNLGRP_*`: the multicast groups.
    pub struct Group: u32 {
        /// Links.
        1 RTNLGRP_LINK LINK "link",
        /// IPv4 and IPv6 neighbours, and bridge forwarding entries.
        3 RTNLGRP_NEIGH NEIGH "neigh",
        /// Traffic control.
        4 RTNLGRP_TC TC "tc",
        /// IPv4 addresses.
        5 RTNLGRP_IPV4_IFADDR IPV4_ADDR "ipv4-ifaddr",
        /// IPv4 multicast routes.
        6 RTNLGRP_IPV4_MROUTE IPV4_MROUTE "ipv4-mroute",
        /// IPv4 routes.
        7 RTNLGRP_IPV4_ROUTE IPV4_ROUTE "ipv4-route",
        /// IPv4 rules.
        8 RTNLGRP_IPV4_RULE IPV4_RULE "ipv4-rule",
        /// IPv6 addresses.
        9 RTNLGRP_IPV6_IFADDR IPV6_ADDR "ipv6-ifaddr",
        /// IPv6 multicast routes.
        10 RTNLGRP_IPV6_MROUTE IPV6_MROUTE "ipv6-mroute",
        /// IPv6 routes.
        11 RTNLGRP_IPV6_ROUTE IPV6_ROUTE "ipv6-route",
        /// IPv6 settings of links.
        12 RTNLGRP_IPV6_IFINFO IPV6_IFINFO "ipv6-ifinfo",
        /// Prefixes of router advertisements.
        18 RTNLGRP_IPV6_PREFIX IPV6_PREFIX "ipv6-prefix",
        /// IPv6 rules.
        19 RTNLGRP_IPV6_RULE IPV6_RULE "ipv6-rule",
        /// Options of router advertisements for user space.
        20 RTNLGRP_ND_USEROPT ND_USEROPT "nd-useropt",
        /// Data center bridging.
        23 RTNLGRP_DCB DCB "dcb",
        /// IPv4 settings of links.
        24 RTNLGRP_IPV4_NETCONF IPV4_NETCONF "ipv4-netconf",
        /// IPv6 settings of links.
        25 RTNLGRP_IPV6_NETCONF IPV6_NETCONF "ipv6-netconf",
        /// Bridge multicast groups.
        26 RTNLGRP_MDB MDB "mdb",
        /// MPLS routes.
        27 RTNLGRP_MPLS_ROUTE MPLS_ROUTE "mpls-route",
        /// Ids of network namespaces.
        28 RTNLGRP_NSID NSID "nsid",
        /// MPLS settings of links.
        29 RTNLGRP_MPLS_NETCONF MPLS_NETCONF "mpls-netconf",
        /// Next-hop objects. Linux 5.3.
        32 RTNLGRP_NEXTHOP NEXTHOP "nexthop",
        /// Bridge VLANs. Linux 5.6.
        33 RTNLGRP_BRVLAN BRIDGE_VLAN "brvlan",
        /// MCTP addresses. Linux 5.17.
        34 RTNLGRP_MCTP_IFADDR MCTP_ADDR "mctp-ifaddr",
        /// Tunnel ids. Linux 5.18.
        35 RTNLGRP_TUNNEL TUNNEL "tunnel",
        /// Statistics. Linux 5.18.
        36 RTNLGRP_STATS STATS "stats",
        /// IPv4 multicast memberships. Linux 6.14.
        37 RTNLGRP_IPV4_MCADDR IPV4_MULTICAST "ipv4-mcaddr",
        /// IPv6 multicast memberships. Linux 6.14.
        38 RTNLGRP_IPV6_MCADDR IPV6_MULTICAST "ipv6-mcaddr",
        /// IPv6 anycast addresses. Linux 6.14.
        39 RTNLGRP_IPV6_ACADDR IPV6_ANYCAST "ipv6-acaddr",
    }
}

impl Group {
    /// The plain numbers, as a socket takes them.
    #[cfg(all(feature = "std", target_os = "linux"))]
    pub(crate) fn numbers(groups: &[Self]) -> alloc::vec::Vec<u32> {
        groups.iter().map(|group| group.0).collect()
    }
}

/// What happened to an object.
///
/// The kernel does not tell all. IPv4 routes vanish without an event when their link goes down or away; so who keeps
/// routes watches links too, and lists the routes anew then. Of an IPv6 route with several next hops, `Deleted` may be
/// about one hop: the others are left, and a list shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// It is there now and was not before.
    New,
    /// It was there and is another now. An event may also tell what was known: the kernel sends it whenever somebody
    /// set something, to what it was or not.
    Changed,
    /// It is gone. What that is about stands at the event's variant.
    Deleted,
}

/// A notification, with the object as it is now, or as it was before it went.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // It borrows, lives shortly and must not allocate.
pub enum Event<'a> {
    /// A link.
    Link(Change, Link<'a>),
    /// A link as a port of its bridge, beside the event of the link itself. It has little of the link, and `Deleted`
    /// means that it left the bridge: the link is there as before. A port that comes is `Changed`, which may come
    /// twice.
    BridgePort(Change, Link<'a>),
    /// What IPv6 knows of a link, told to [`Group::IPV6_IFINFO`]. It has little of the link itself.
    Inet6(Change, Link<'a>),
    /// An address.
    Address(Change, Address<'a>),
    /// A route.
    Route(Change, Route<'a>),
    /// The id of a namespace.
    Nsid(Change, Nsid<'a>),
    /// A message of another type, as it came.
    Other {
        /// Its type.
        kind: MessageType,
        /// What followed the frame's header.
        body: Cow<'a, [u8]>,
    },
}

impl Event<'_> {
    fn change(kind: MessageType, deleted: u16, new: bool) -> Change {
        match (kind.0 == deleted, new) {
            (true, _) => Change::Deleted,
            (false, true) => Change::New,
            (false, false) => Change::Changed,
        }
    }
}

/// Through it, traces know every message that comes as an event.
const ANY: MessageInfo = MessageInfo {
    siblings: || &[Link::MESSAGES, Address::MESSAGES, Route::MESSAGES, Nsid::MESSAGES],
    ..Link::NEW
};

impl<'own> Reply for Event<'own> {
    const EXPECT: Expect = Expect::Reply;
    const INFO: Option<&'static MessageInfo> = Some(&ANY);
    type View<'a> = Event<'a>;

    fn view<'a>(message: &Message<'a>) -> Result<Event<'a>, DecodeError> {
        let kind = message.header.kind;
        Ok(match kind.0 {
            number if number == Link::NEW.number || number == Link::DEL.number => {
                let link = Link::read(message)?;
                // A link that appears comes with every bit of its flags marked as changed.
                let new = link.header().change == LinkFlags::all();
                let change = Self::change(kind, Link::DEL.number, new);
                match link.header().family {
                    Family::BRIDGE => Event::BridgePort(change, link),
                    Family::INET6 => Event::Inet6(change, link),
                    _ => Event::Link(change, link),
                }
            }
            number if number == Address::NEW.number || number == Address::DEL.number => {
                let address = Address::read(message)?;
                // Nothing else tells: an address that was changed later has another time of change.
                let new = address.cacheinfo().is_none_or(|info| info.created == info.updated);
                Event::Address(Self::change(kind, Address::DEL.number, new), address)
            }
            number if number == Route::NEW.number || number == Route::DEL.number => {
                let route = Route::read(message)?;
                let flags = message.header.flags;
                // An IPv6 route that gets another hop comes with all of its hops.
                let more = flags.contains(MessageFlags::APPEND)
                    && route.family() == Family::INET6
                    && route.next_hops().is_some();
                let new = !flags.contains(MessageFlags::REPLACE) && !more;
                Event::Route(Self::change(kind, Route::DEL.number, new), route)
            }
            number if number == Nsid::NEW.number || number == Nsid::DEL.number => {
                Event::Nsid(Self::change(kind, Nsid::DEL.number, true), Nsid::read(message)?)
            }
            _ => Event::Other { kind, body: Cow::Borrowed(message.body) },
        })
    }

    fn own(view: Event<'_>) -> Self {
        view.into_owned()
    }
}

impl Event<'_> {
    /// The event without a borrow.
    pub fn into_owned(self) -> Event<'static> {
        match self {
            Event::Link(change, link) => Event::Link(change, link.into_owned()),
            Event::BridgePort(change, link) => Event::BridgePort(change, link.into_owned()),
            Event::Inet6(change, link) => Event::Inet6(change, link.into_owned()),
            Event::Address(change, address) => Event::Address(change, address.into_owned()),
            Event::Route(change, route) => Event::Route(change, route.into_owned()),
            Event::Nsid(change, nsid) => Event::Nsid(change, nsid.into_owned()),
            Event::Other { kind, body } => Event::Other { kind, body: Cow::Owned(body.into_owned()) },
        }
    }
}

netlink_core::__into_owned!(Event);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::{self, NextHop};
    use crate::{Request, link};
    use netlink_core::Messages;

    /// What a request would be if the kernel told it, with these flags.
    fn told<R>(request: Request<R>, kind: MessageType, flags: MessageFlags) -> Event<'static> {
        let bytes = request.with_type(kind).to_bytes().unwrap();
        let mut message = Messages::new(&bytes).next().unwrap().unwrap();
        message.header.flags = flags;
        Event::view(&message).unwrap().into_owned()
    }

    // F5.
    #[test]
    fn a_port_that_leaves_is_no_link_that_goes() {
        let of = |family| {
            let link = link::set(3).header(|header| header.family = family);
            told(link.into_request(), MessageType(Link::DEL.number), MessageFlags::empty())
        };
        assert!(matches!(of(Family::UNSPEC), Event::Link(Change::Deleted, _)));
        assert!(matches!(of(Family::BRIDGE), Event::BridgePort(Change::Deleted, _)));
        assert!(matches!(of(Family::INET6), Event::Inet6(Change::Deleted, _)));
    }

    // F14.
    #[test]
    fn another_hop_of_an_ipv6_route_changes_it() {
        let hops = [NextHop::dev(3), NextHop::dev(4)];
        let change = |to: &str, flags, hops: &[NextHop]| {
            let route = route::add(to.parse().unwrap());
            let route = if hops.is_empty() { route.oif(3) } else { route.multipath(hops) };
            match told(route.into_request(), MessageType(Route::NEW.number), flags) {
                Event::Route(change, _) => change,
                other => panic!("{other:?}"),
            }
        };
        let append = MessageFlags::CREATE | MessageFlags::APPEND;
        assert_eq!(change("2001:db8::/32", append, &hops), Change::Changed);
        assert_eq!(change("2001:db8::/32", append, &[]), Change::New);
        assert_eq!(change("2001:db8::/32", MessageFlags::CREATE, &hops), Change::New);
        assert_eq!(change("2001:db8::/32", MessageFlags::REPLACE, &hops), Change::Changed);
        // In IPv4 it is a route of its own.
        assert_eq!(change("192.0.2.0/24", append, &hops), Change::New);
    }
}
