//! What kind of link it is, and the parameters of that kind: `IFLA_LINKINFO`.

use netlink_core::attr::{NLA_F_NESTED, Rule};
use netlink_core::{Attr, Bytes, Malformed, Payload, Scope, Shape, Str, Table, Writer, attrs, serialize};

use super::bridge::BridgeAttrs;
use super::bridge_port::BridgePortAttrs;
use super::macvlan::MacvlanAttrs;
use super::tun::TunAttrs;
use super::veth::VethAttrs;
use super::vlan::VlanAttrs;
use super::vxlan::VxlanAttrs;

attrs! {
    /// The parameters of a kind that has none.
    pub struct PlainAttrs<'a> for Plain {}
}

/// Declares the kinds that one attribute of a set names and the next one has the parameters of.
///
/// A row is `"name" Variant(Attrs),` under its doc comment. A further kind is a file with its `attrs!` and a
/// row here.
macro_rules! kinds {
    (
        $(#[$meta:meta])*
        pub enum $kind:ident<'a> named by $by:literal {
            $( $(#[$vmeta:meta])* $name:literal $variant:ident($attrs:ident), )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        #[allow(clippy::large_enum_variant)] // It borrows, lives shortly and must not allocate.
        pub enum $kind<'a> {
            $( $(#[$vmeta])* $variant($attrs<'a>), )*
            /// A kind without a table here.
            Other {
                /// Its name.
                name: Str<'a>,
                /// Its parameters as they came.
                data: Bytes<'a>,
            },
        }

        impl<'a> $kind<'a> {
            /// The kernel's name of it.
            pub fn name(&self) -> Str<'a> {
                match self {
                    $( Self::$variant(_) => Str::from($name), )*
                    Self::Other { name, .. } => *name,
                }
            }

            /// The kind of this name with its parameters, which were checked with the link.
            pub(super) fn read(name: Str<'a>, data: Attr<'a>, scope: &Scope<'a>) -> Result<Self, Malformed> {
                $( if name == $name {
                    return $attrs::of(data, scope).map(Self::$variant);
                } )*
                Ok(Self::Other { name, data: Bytes(data.payload) })
            }

            /// The kind of this name, without parameters.
            pub(super) fn named(name: Str<'a>) -> Self {
                $( if name == $name {
                    return Self::$variant($attrs::EMPTY);
                } )*
                Self::Other { name, data: Bytes(&[]) }
            }

            /// Writes its name and, where it has some, its parameters.
            pub(super) fn write(&self, out: &mut Writer) {
                self.name().put($by, out);
                let before = out.len();
                self.put($by + 1, out);
                if out.len() == before + 4 && out.error().is_none() {
                    out.truncate(before);
                }
            }

            fn table(scope: &Scope<'_>) -> Option<&'static Table> {
                let name: Str<'_> = Str::decode(scope.set.find($by)?).ok()?;
                $( if name == $name {
                    return Some($attrs::TABLE);
                } )*
                None
            }
        }

        impl<'a> Payload<'a> for $kind<'a> {
            const FLAGS: u16 = NLA_F_NESTED;
            const RULE: Rule = Rule::select(Self::table);
            const SHAPE: Shape = Shape::Select(Self::table);

            fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
                Ok(Self::Other { name: Str::default(), data: Bytes(payload) })
            }

            fn of(attr: Attr<'a>, scope: &Scope<'a>) -> Result<Self, Malformed> {
                let name = scope.set.find($by).map(Str::decode).transpose()?.unwrap_or_default();
                Self::read(name, attr, scope)
            }

            fn encode(&self, out: &mut Writer) {
                match self {
                    $( Self::$variant(attrs) => attrs.encode(out), )*
                    Self::Other { data, .. } => data.encode(out),
                }
            }
        }

        /// The kind of this name, without parameters.
        impl<'a> From<&'a str> for $kind<'a> {
            fn from(name: &'a str) -> Self {
                Self::named(name.into())
            }
        }

        serialize! { impl ['a] for $kind<'a>, |kind, fields| {
            match kind {
                $( Self::$variant(attrs) => fields.entry($name, attrs)?, )*
                Self::Other { data, .. } => fields.entry("other", data)?,
            }
        } }
    };
}

kinds! {
    /// What kind of link it is, with its parameters.
    ///
    /// To make a link, give a builder such as [`Bridge`](super::Bridge), or just the name: `"dummy"`.
    pub enum Kind<'a> named by 1 {
        /// A bridge.
        "bridge" Bridge(BridgeAttrs),
        /// Sends nowhere, and receives nothing.
        "dummy" Dummy(PlainAttrs),
        /// Takes what other links redirect to it.
        "ifb" Ifb(PlainAttrs),
        /// A link on a link, with a hardware address of its own.
        "macvlan" Macvlan(MacvlanAttrs),
        /// The same, ending in a character device.
        "macvtap" Macvtap(MacvlanAttrs),
        /// A link that ends in a file descriptor.
        "tun" Tun(TunAttrs),
        /// One end of a pair.
        "veth" Veth(VethAttrs),
        /// A VLAN on a link.
        "vlan" Vlan(VlanAttrs),
        /// Ethernet in UDP.
        "vxlan" Vxlan(VxlanAttrs),
    }
}

kinds! {
    /// What kind of link its master is, with the parameters of this link under it.
    pub enum SlaveKind<'a> named by 4 {
        /// A port of a bridge.
        "bridge" Bridge(BridgePortAttrs),
    }
}

attrs! {
    /// `IFLA_INFO_*`: the kind of a link, and that of its master.
    pub struct LinkInfoAttrs<'a> for LinkInfo {
        /// Name of the kind. Absent on hardware.
        1 IFLA_INFO_KIND kind_name: Str<'a>,
        /// Parameters of the kind. Set them with [`kind`](Self::kind), which names the kind too.
        2 IFLA_INFO_DATA data: Kind<'a>,
        /// Counters that only the kind has. Read-only.
        3 IFLA_INFO_XSTATS xstats: Bytes<'a>,
        /// Name of the master's kind.
        4 IFLA_INFO_SLAVE_KIND slave_kind_name: Str<'a>,
        /// Parameters under the master. Set them with [`slave`](Self::slave), which names the kind too.
        5 IFLA_INFO_SLAVE_DATA slave_data: SlaveKind<'a>,
    }
}

impl LinkInfoAttrs<'_> {
    /// The kind with its parameters; also for kinds that have none.
    pub fn kind(&self) -> Option<Kind<'_>> {
        self.data().or_else(|| self.kind_name().map(Kind::named))
    }

    /// The master's kind with the parameters under it.
    pub fn slave(&self) -> Option<SlaveKind<'_>> {
        self.slave_data().or_else(|| self.slave_kind_name().map(SlaveKind::named))
    }
}

impl LinkInfo {
    /// Name and parameters of the kind.
    pub fn kind<'x>(mut self, kind: impl Into<Kind<'x>>) -> Self {
        kind.into().write(&mut self.0);
        self
    }

    /// Name of the master's kind, and the parameters under it.
    pub fn slave<'x>(mut self, kind: impl Into<SlaveKind<'x>>) -> Self {
        kind.into().write(&mut self.0);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{self, Bridge, BridgePort};
    use alloc::format;
    use netlink_core::Attrs;
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
        assert_eq!(kind, Kind::Other { name: "new".into(), data: Bytes(&[1, 2, 3, 4]) });
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
