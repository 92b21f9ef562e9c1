//! Notifications: what changes, as the kernel tells it to the multicast groups of `NETLINK_ROUTE`.

use alloc::borrow::Cow;

use netlink_core::{DecodeError, Expect, Message, MessageFlags, MessageInfo, MessageType, Reply, values};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// It is there now and was not before.
    New,
    /// It was there and is another now.
    Changed,
    /// It is gone.
    Deleted,
}

/// A notification, with the object as it is now, or as it was before it went.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // It borrows, lives shortly and must not allocate.
pub enum Event<'a> {
    /// A link. Bridge ports are told apart: they come a second time with the family
    /// [`BRIDGE`](crate::Family::BRIDGE).
    Link(Change, Link<'a>),
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
                Event::Link(Self::change(kind, Link::DEL.number, new), link)
            }
            number if number == Address::NEW.number || number == Address::DEL.number => {
                let address = Address::read(message)?;
                // Nothing else tells: an address that was changed later has another time of change.
                let new = address.cacheinfo().is_none_or(|info| info.created == info.updated);
                Event::Address(Self::change(kind, Address::DEL.number, new), address)
            }
            number if number == Route::NEW.number || number == Route::DEL.number => {
                let route = Route::read(message)?;
                let new = !message.header.flags.contains(MessageFlags::REPLACE);
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
            Event::Address(change, address) => Event::Address(change, address.into_owned()),
            Event::Route(change, route) => Event::Route(change, route.into_owned()),
            Event::Nsid(change, nsid) => Event::Nsid(change, nsid.into_owned()),
            Event::Other { kind, body } => Event::Other { kind, body: Cow::Owned(body.into_owned()) },
        }
    }
}

netlink_core::__into_owned!(Event);
