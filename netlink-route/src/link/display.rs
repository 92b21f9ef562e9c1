//! Getters and text output of links.

use core::fmt;

use netlink_core::{Attrs, DecodeError, OneOf, Payload, Scope, Str};

use super::af_spec::{Inet4Conf, Inet6Attrs, PortVlan};
use super::kind::Kind;
use super::port::SlaveKind;
use super::port::bridge::BridgePortAttrs;
use super::values::{LinkFlags, LinkType, OperState};
use super::vf::VfInfoAttrs;
use super::{Link, LinkAttrs};
use crate::Family;

/// Finds the attributes with this number in all sets at this path.
fn below<'a>(set: Attrs<'a>, path: &[u16], number: u16) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let set = path.iter().try_fold(set, |set, number| set.find(*number).map(Attrs::new));
    let found = set.unwrap_or_default().flatten().filter(move |attr| attr.number == number);
    found.map(|attr| attr.payload)
}

impl Link<'_> {
    /// Index, by which the kernel knows the link: the key for a map of links.
    pub fn index(&self) -> u32 {
        self.header().index
    }

    /// Type of the hardware address.
    pub fn link_type(&self) -> LinkType {
        self.header().kind
    }

    /// State.
    pub fn flags(&self) -> LinkFlags {
        self.header().flags
    }

    /// Whether the link is switched on. [`oper_state`](LinkAttrs::oper_state) says whether it can carry packets.
    pub fn is_up(&self) -> bool {
        self.flags().contains(LinkFlags::UP)
    }

    /// Its kind with the parameters; `None` for hardware.
    pub fn kind(&self) -> Option<Kind<'_>> {
        Kind::find(2, &self.info_scope())
    }

    /// The parameters of its kind, read as `K`, which can be declared in another crate: see
    /// [`kind`](super::kind). `None` if the link is of another kind.
    pub fn kind_as<K: OneOf<Kind<'static>>>(&self) -> Result<Option<K::Reader<'_>>, DecodeError> {
        Kind::read_as::<K>(2, &self.info_scope())
    }

    /// The kind of its master, with this link's parameters there. `None` without a master, or if the master
    /// has no such kind.
    pub fn slave(&self) -> Option<SlaveKind<'_>> {
        SlaveKind::find(5, &self.info_scope())
    }

    /// This link's parameters under its master, read as `K`; `None` if the master is of another kind.
    pub fn slave_as<K: OneOf<SlaveKind<'static>>>(&self) -> Result<Option<K::Reader<'_>>, DecodeError> {
        SlaveKind::read_as::<K>(5, &self.info_scope())
    }

    /// The surroundings of the attributes in `IFLA_LINKINFO`.
    fn info_scope(&self) -> Scope<'_> {
        Scope::default().inside(self.iter().find(18).unwrap_or_default())
    }

    /// Its parameters as a bridge port; also from messages of the family `AF_BRIDGE`.
    pub fn bridge_port(&self) -> Option<BridgePortAttrs<'_>> {
        match self.slave() {
            Some(SlaveKind::Bridge(port)) => Some(port),
            _ if self.header().family == Family::BRIDGE => {
                BridgePortAttrs::decode(self.iter().find(12)?).ok()
            }
            _ => None,
        }
    }

    /// Its VLANs as a bridge port; only in messages of the family `AF_BRIDGE`.
    pub fn port_vlans(&self) -> impl Iterator<Item = PortVlan> {
        let bridge = self.header().family == Family::BRIDGE;
        let set = if bridge { self.iter() } else { Attrs::default() };
        below(set, &[26], 2).filter_map(|payload| PortVlan::decode(payload).ok())
    }

    /// Its alternative names.
    pub fn alt_names(&self) -> impl Iterator<Item = Str<'_, 127>> {
        below(self.iter(), &[52], 53).filter_map(|payload| Str::decode(payload).ok())
    }

    /// Its virtual functions; only if the request set [`ExtMask::VF`](super::ExtMask::VF).
    pub fn vfs(&self) -> impl Iterator<Item = VfInfoAttrs<'_>> {
        below(self.iter(), &[22], 1).filter_map(|payload| VfInfoAttrs::decode(payload).ok())
    }

    fn family_set(&self, family: Family) -> Option<&[u8]> {
        let spec = self.iter().find(26).filter(|_| self.header().family == Family::UNSPEC)?;
        Attrs::new(spec).find(family.0.into())
    }

    /// IPv4 settings of the link.
    pub fn inet_conf(&self) -> Option<Inet4Conf<'_>> {
        Inet4Conf::decode(Attrs::new(self.family_set(Family::INET)?).find(1)?).ok()
    }

    /// IPv6 state of the link; also from messages of the family `AF_INET6`.
    pub fn inet6(&self) -> Option<Inet6Attrs<'_>> {
        let set = match self.header().family {
            Family::INET6 => self.iter().find(12),
            _ => self.family_set(Family::INET6),
        };
        Inet6Attrs::decode(set?).ok()
    }
}

/// Flags in the order of iproute2.
const SHOWN: [(LinkFlags, &str); 18] = [
    (LinkFlags::LOOPBACK, "LOOPBACK"),
    (LinkFlags::BROADCAST, "BROADCAST"),
    (LinkFlags::POINTOPOINT, "POINTOPOINT"),
    (LinkFlags::MULTICAST, "MULTICAST"),
    (LinkFlags::NOARP, "NOARP"),
    (LinkFlags::ALLMULTI, "ALLMULTI"),
    (LinkFlags::PROMISC, "PROMISC"),
    (LinkFlags::MASTER, "MASTER"),
    (LinkFlags::SLAVE, "SLAVE"),
    (LinkFlags::DEBUG, "DEBUG"),
    (LinkFlags::DYNAMIC, "DYNAMIC"),
    (LinkFlags::AUTOMEDIA, "AUTOMEDIA"),
    (LinkFlags::PORTSEL, "PORTSEL"),
    (LinkFlags::NOTRAILERS, "NOTRAILERS"),
    (LinkFlags::UP, "UP"),
    (LinkFlags::LOWER_UP, "LOWER_UP"),
    (LinkFlags::DORMANT, "DORMANT"),
    (LinkFlags::ECHO, "ECHO"),
];

fn fmt_flags(flags: LinkFlags, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut between = "<";
    let no_carrier = flags.contains(LinkFlags::UP) && !flags.contains(LinkFlags::RUNNING);
    let shown = SHOWN.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, name)| *name);
    for name in no_carrier.then_some("NO-CARRIER").into_iter().chain(shown) {
        write!(f, "{between}{name}")?;
        between = ",";
    }
    f.write_str(if between == "<" { "<>" } else { ">" })
}

/// `"c", veth, peer "b"`: the link, as errors show it.
pub(super) fn subject(link: &Link<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let alternative = || link.alt_name().map(|name| Str::new(name.as_bytes()));
    match (link.name().or_else(alternative), link.index()) {
        (Some(name), 0) => write!(f, "{name:?}")?,
        (Some(name), index) => write!(f, "index {index}, {name:?}")?,
        (None, 0) => {}
        (None, index) => write!(f, "index {index}")?,
    }
    let Some(kind) = link.kind() else { return Ok(()) };
    write!(f, ", {}", kind.name())?;
    if let Kind::Veth(veth) = kind
        && let Some(peer) = veth.peer()
        && let Some(name) = peer.name()
    {
        write!(f, ", peer {name:?}")?;
    }
    Ok(())
}

/// Like the first line of `ip link`, with numbers instead of names for other links and for the group.
impl fmt::Display for Link<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attrs: &LinkAttrs<'_> = self.attrs();
        write!(f, "{}: {}", self.index(), attrs.name().unwrap_or_default())?;
        match attrs.link() {
            Some(0) => f.write_str("@NONE")?,
            Some(link) => write!(f, "@if{link}")?,
            None => {}
        }
        f.write_str(": ")?;
        fmt_flags(self.flags(), f)?;
        if let Some(mtu) = attrs.mtu() {
            write!(f, " mtu {mtu}")?;
        }
        if let Some(qdisc) = attrs.qdisc() {
            write!(f, " qdisc {qdisc}")?;
        }
        if let Some(master) = attrs.master() {
            write!(f, " master {master}")?;
        }
        if let Some(OperState(state)) = attrs.oper_state() {
            write!(f, " state {}", OperState(state))?;
        }
        if let Some(mode) = attrs.link_mode() {
            write!(f, " mode {mode}")?;
        }
        match attrs.group() {
            Some(0) => f.write_str(" group default")?,
            Some(group) => write!(f, " group {group}")?,
            None => {}
        }
        if let Some(length) = attrs.tx_queue_len().filter(|length| *length != 0) {
            write!(f, " qlen {length}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::link::{self, BridgePort, Link, LinkFlags, LinkMode, OperState, PropList};
    use alloc::string::ToString;
    use netlink_core::{Message, Messages, Str};

    fn read(bytes: &[u8]) -> Link<'_> {
        let message: Message<'_> = Messages::new(bytes).next().unwrap().unwrap();
        Link::read(&message).unwrap()
    }

    #[test]
    fn prints_like_ip() {
        let flags = LinkFlags::BROADCAST | LinkFlags::MULTICAST | LinkFlags::UP | LinkFlags::LOWER_UP;
        let request = link::create("eth0")
            .index(3)
            .set_flags(flags | LinkFlags::RUNNING, true)
            .link(2)
            .mtu(1500)
            .attr(6, &Str::<16>::from("noqueue"))
            .master(5)
            .oper_state(OperState::UP)
            .link_mode(LinkMode::DEFAULT)
            .group(0)
            .tx_queue_len(1000);
        let line = "3: eth0@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master 5 state UP \
                    mode DEFAULT group default qlen 1000";
        assert_eq!(read(&request.to_bytes().unwrap()).to_string(), line);
        let request = link::create("d").link(0).up();
        assert_eq!(read(&request.to_bytes().unwrap()).to_string(), "0: d@NONE: <NO-CARRIER,UP>");
        assert_eq!(read(&link::create("d").to_bytes().unwrap()).to_string(), "0: d: <>");
    }

    #[test]
    fn what_is_nested_is_at_hand() {
        let names = [Str::from("one"), Str::from("two")];
        let request = link::set(3)
            .prop_list(PropList::new().alt_names(&names))
            .slave(BridgePort::new().cost(7))
            .af_spec(
                link::af_spec::Families::new()
                    .inet6(link::af_spec::Inet6::new().token(core::net::Ipv6Addr::LOCALHOST)),
            );
        let bytes = request.to_bytes().unwrap();
        let link = read(&bytes);
        assert!(link.alt_names().eq(names));
        assert_eq!(link.bridge_port().unwrap().cost(), Some(7));
        assert_eq!(link.inet6().unwrap().token(), Some(core::net::Ipv6Addr::LOCALHOST));
        assert_eq!((link.kind(), link.inet_conf(), link.vfs().count()), (None, None, 0));
        assert!(!link.is_up());
    }
}
