//! Notifications: changes that the kernel reports to the multicast groups of `NETLINK_ROUTE`.

pub use netlink_core::Change;
use netlink_core::{Message, MessageFlags, events, values};

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
        /// Options of router advertisements that user space handles.
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

events! {
    /// A notification. It has the new state of the object; for a removed object, its last state.
    pub enum Event<'a> {
        /// A link as a port of its bridge. The kernel sends this in addition to the event of the link itself.
        /// It has few of the link's attributes. `Deleted` means that the port left the bridge, not that the
        /// link was removed. A new port is reported as `Changed`, sometimes twice.
        BridgePort(Link: Change) = NEW | DEL if is_of_bridges,
        /// IPv6 state of a link, reported to [`Group::IPV6_IFINFO`]. It has few of the link's attributes.
        Inet6(Link: Change) = NEW | DEL if is_of_ipv6,
        /// A link.
        Link(Link: Change) = NEW | DEL,
        /// An address.
        Address(Address: Change) = NEW | DEL,
        /// A route.
        Route(Route: Change) = NEW | DEL,
        /// The id of a namespace.
        Nsid(Nsid: Change) = NEW | DEL,
    }
}

/// The kernel puts the family of the sender first in the fixed header.
fn is_of_bridges(message: &Message<'_>) -> bool {
    message.body.first() == Some(&Family::BRIDGE.0)
}

fn is_of_ipv6(message: &Message<'_>) -> bool {
    message.body.first() == Some(&Family::INET6.0)
}

impl Link<'_> {
    /// What happened to the link, in an event. A new link has all bits of the changed flags set.
    pub fn change(&self) -> Change {
        Change::of(self.message_type().0 == Link::DEL.number, self.header().change == LinkFlags::all())
    }
}

impl Address<'_> {
    /// What happened to the address, in an event. It follows from the times: an address that was changed
    /// later has a later time of change.
    pub fn change(&self) -> Change {
        let new = self.cacheinfo().is_none_or(|info| info.created == info.updated);
        Change::of(self.message_type().0 == Address::DEL.number, new)
    }
}

impl Route<'_> {
    /// What happened to the route, in an event. An IPv6 route that gets another hop is reported with all its hops.
    pub fn change(&self) -> Change {
        let flags = self.message_flags();
        let more = flags.contains(MessageFlags::APPEND)
            && self.family() == Family::INET6
            && self.next_hops().is_some();
        let new = !flags.contains(MessageFlags::REPLACE) && !more;
        Change::of(self.message_type().0 == Route::DEL.number, new)
    }
}

impl Nsid<'_> {
    /// What happened to the id, in an event.
    pub fn change(&self) -> Change {
        Change::of(self.message_type().0 == Nsid::DEL.number, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::{self, NextHop};
    use crate::{Request, link};
    use netlink_core::{MessageType, Messages, Reply as _};

    /// The event that the kernel would send with the content of this request, with these flags.
    fn event_of<R>(request: Request<R>, kind: MessageType, flags: MessageFlags) -> Event<'static> {
        let bytes = request.with_type(kind).to_bytes().unwrap();
        let mut message = Messages::new(&bytes).next().unwrap().unwrap();
        message.header.flags = flags;
        Event::view(&message).unwrap().into_owned()
    }

    // F5.
    #[test]
    fn a_port_that_leaves_is_not_a_removed_link() {
        let of = |family| {
            let link = link::set(3).header(|header| header.family = family);
            event_of(link.into_request(), MessageType(Link::DEL.number), MessageFlags::empty())
        };
        assert!(matches!(of(Family::UNSPEC), Event::Link(Change::Deleted, _)));
        assert!(matches!(of(Family::BRIDGE), Event::BridgePort(Change::Deleted, _)));
        assert!(matches!(of(Family::INET6), Event::Inet6(Change::Deleted, _)));
    }

    #[cfg(feature = "serde")]
    #[test]
    fn an_event_says_in_json_what_happened() {
        let gone =
            event_of(link::delete(3).into_request(), MessageType(Link::DEL.number), MessageFlags::empty());
        let json = serde_json::to_value(gone).unwrap();
        assert_eq!(json["Link"]["change"], "deleted");
        assert_eq!(json["Link"]["object"]["index"], 3);
    }

    // F14.
    #[test]
    fn another_hop_of_an_ipv6_route_changes_it() {
        let hops = [NextHop::dev(3), NextHop::dev(4)];
        let change = |to: &str, flags, hops: &[NextHop]| {
            let route = route::add(to.parse().unwrap());
            let route = if hops.is_empty() { route.oif(3) } else { route.multipath(hops) };
            match event_of(route.into_request(), MessageType(Route::NEW.number), flags) {
                Event::Route(change, _) => change,
                other => panic!("{other:?}"),
            }
        };
        let append = MessageFlags::CREATE | MessageFlags::APPEND;
        assert_eq!(change("2001:db8::/32", append, &hops), Change::Changed);
        assert_eq!(change("2001:db8::/32", append, &[]), Change::New);
        assert_eq!(change("2001:db8::/32", MessageFlags::CREATE, &hops), Change::New);
        assert_eq!(change("2001:db8::/32", MessageFlags::REPLACE, &hops), Change::Changed);
        // In IPv4 the appended one is a separate route.
        assert_eq!(change("192.0.2.0/24", append, &hops), Change::New);
    }
}
