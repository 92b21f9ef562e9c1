//! The kind of a link and the parameters of the kind: `IFLA_LINKINFO`. A module per kind has its values and
//! its reader. The builders are in [`link`](super) too.
//!
//! Another crate can declare a kind that is not here, as a row of the same table:
//!
//! ```
//! use netlink_route::link::{self, Kind};
//! use netlink_route::netlink_core::{attrs, choice};
//!
//! attrs! {
//!     /// `IFLA_VRF_*`: a VRF.
//!     pub struct VrfAttrs<'a> for Vrf {
//!         /// Its routing table.
//!         1 IFLA_VRF_TABLE table: u32,
//!     }
//! }
//!
//! choice! {
//!     for Kind<'a> { b"vrf" => Other(VrfAttrs<'a>, Vrf), }
//! }
//!
//! let request = link::create("red").kind(Vrf::new().table(10));
//! # assert!(request.to_bytes().is_ok());
//! let table = |link: &link::Link<'_>| Ok::<_, netlink_route::DecodeError>(match link.kind_as::<Vrf>()? {
//!     Some(vrf) => vrf.table(),
//!     None => None,
//! });
//! ```

pub mod bridge;
pub mod macvlan;
mod switch;
pub mod tun;
pub mod veth;
pub mod vlan;
pub mod vxlan;

use netlink_core::{Bytes, IntoAttr, Str, attrs, choice};

use super::port::SlaveKind;

pub use switch::Switch;

attrs! {
    /// The parameters of a kind without parameters.
    pub struct PlainAttrs<'a> for Plain {}
}

choice! {
    /// The kind of a link, with its parameters.
    ///
    /// To make a link, give a builder such as [`Bridge`](bridge::Bridge), or only the name of the kind: `"dummy"`.
    pub enum Kind<'a> by 1 name: Str<'a> {
        /// A bridge.
        b"bridge" => Bridge(bridge::BridgeAttrs<'a>, bridge::Bridge),
        /// Drops all packets that are sent, and receives none.
        b"dummy" => Dummy(PlainAttrs<'a>),
        /// Receives packets that other links redirect to it.
        b"ifb" => Ifb(PlainAttrs<'a>),
        /// A link on top of another link, with its own hardware address.
        b"macvlan" => Macvlan(macvlan::MacvlanAttrs<'a>, macvlan::Macvlan),
        /// Like `Macvlan`, but with a character device.
        b"macvtap" => Macvtap(macvlan::MacvlanAttrs<'a>),
        /// A link that ends in a file descriptor.
        b"tun" => Tun(tun::TunAttrs<'a>, tun::Tun),
        /// One end of a pair.
        b"veth" => Veth(veth::VethAttrs<'a>, veth::Veth),
        /// A VLAN on top of a link.
        b"vlan" => Vlan(vlan::VlanAttrs<'a>, vlan::Vlan),
        /// Ethernet in UDP.
        b"vxlan" => Vxlan(vxlan::VxlanAttrs<'a>, vxlan::Vxlan),
    }
}

attrs! {
    /// `IFLA_INFO_*`: the kind of a link, and of its master.
    pub struct LinkInfoAttrs<'a> for LinkInfo {
        /// Name of the kind. Absent for hardware.
        1 IFLA_INFO_KIND kind_name: Str<'a>,
        /// Parameters of the kind. Absent if it has none. Setting them sets the name of the kind too.
        2 IFLA_INFO_DATA data: Kind<'a>,
        /// Counters of the kind. Read-only.
        3 IFLA_INFO_XSTATS xstats -> Bytes<'a>,
        /// Name of the master's kind.
        4 IFLA_INFO_SLAVE_KIND slave_kind_name: Str<'a>,
        /// Parameters under the master. Absent if there are none. Setting them sets the name of the master's
        /// kind too.
        5 IFLA_INFO_SLAVE_DATA slave_data: SlaveKind<'a>,
    }
}

impl LinkInfoAttrs<'_> {
    /// The kind with its parameters. Kinds without parameters are returned too.
    pub fn kind(&self) -> Option<Kind<'_>> {
        self.data().or_else(|| self.kind_name().map(Kind::named))
    }

    /// The master's kind, with the link's parameters there.
    pub fn slave(&self) -> Option<SlaveKind<'_>> {
        self.slave_data().or_else(|| self.slave_kind_name().map(SlaveKind::named))
    }
}

impl LinkInfo {
    /// Name and parameters of the kind.
    pub fn kind<'x>(self, kind: impl IntoAttr<Kind<'x>>) -> Self {
        self.data(kind)
    }

    /// Name of the master's kind, and the parameters under it.
    pub fn slave<'x>(self, kind: impl IntoAttr<SlaveKind<'x>>) -> Self {
        self.slave_data(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{self, Bridge, BridgePort};
    use alloc::format;
    use netlink_core::{Attrs, Payload, Scope, Writer};
    use netlink_testing::native;

    #[test]
    fn a_kind_without_parameters_has_a_name_only() {
        let bytes = link::create("d").kind("dummy").to_bytes().unwrap();
        let info =
            native([20, 0, 18, 0x80, 10, 0, 1, 0, b'd', b'u', b'm', b'm', b'y', 0, 0, 0], &[2, 2, 2, 2, 1]);
        assert_eq!(bytes[40..], [&native([16, 0, 18, 0x80], &[2])[..], &info[4..]].concat());
        let read = LinkInfoAttrs::decode(&bytes[44..]).unwrap();
        assert_eq!(read.kind(), Some(Kind::Dummy(PlainAttrs::EMPTY)));
        assert_eq!(read.data(), None);
        assert_eq!(LinkInfo::new().kind(Bridge::new()).kind_name("x").attrs().iter().count(), 2);
    }

    #[test]
    fn unknown_kinds_are_kept_and_written_back() {
        let bytes = native(
            [8, 0, 1, 0, b'n', b'e', b'w', 0, 8, 0, 2, 0x80, 1, 2, 3, 4],
            &[2, 2, 1, 1, 1, 1, 2, 2, 1],
        );
        let info = LinkInfoAttrs::decode(&bytes).unwrap();
        let kind = info.kind().unwrap();
        assert_eq!(kind, Kind::Other("new".into(), [1, 2, 3, 4][..].into()));
        assert_eq!(format!("{info:?}"), "LinkInfoAttrs { kind_name: \"new\", data: 01020304 }");
        let again = LinkInfo::new().kind(kind);
        let mut out = Writer::new();
        again.attrs().encode(&mut out);
        assert_eq!(out.as_slice(), bytes);
    }

    #[test]
    fn a_bad_parameter_is_named() {
        let bytes = native(
            [
                11, 0, 1, 0, b'b', b'r', b'i', b'd', b'g', b'e', 0, 0, // IFLA_INFO_KIND
                12, 0, 2, 0, 6, 0, 1, 0, 0, 0, 0, 0, // IFLA_INFO_DATA, IFLA_BR_FORWARD_DELAY
            ],
            &[2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2],
        );
        let scope = Scope::new(&[], Attrs::new(&bytes));
        let error = LinkInfoAttrs::read(&scope).unwrap_err();
        assert_eq!(error.at, "IFLA_BR_FORWARD_DELAY");
    }

    #[test]
    fn kind_and_slave_go_together() {
        let info = LinkInfo::new().kind(Bridge::new().priority(1)).slave(BridgePort::new().cost(9)).attrs();
        assert_eq!(info.kind(), Some(Bridge::new().priority(1).into()));
        assert_eq!(info.slave(), Some(BridgePort::new().cost(9).into()));
        assert_ne!(info.slave(), Some(BridgePort::new().cost(8).into()));
    }
}
