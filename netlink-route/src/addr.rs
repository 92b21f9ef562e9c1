//! Addresses of links. Kernel side: `uapi/linux/if_addr.h`, `net/ipv4/devinet.c`, `net/ipv6/addrconf.c`.
//!
//! ```
//! use netlink_route::addr::{self, AddressFlags};
//! use netlink_route::Family;
//!
//! let plain = addr::add(3, "169.254.169.254/32".parse()?);
//! let no_route = addr::replace(3, "2001:db8::1/64".parse()?).flags(AddressFlags::NOPREFIXROUTE).lifetime(600, 3600);
//! let of_link_3 = addr::list().link(3).family(Family::INET); // the kernel filters
//! # Ok::<(), netlink_route::AddrError>(())
//! ```

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_core::layout::Field;
use netlink_core::{
    Attrs, Check, Dump, Message, MessageFlags, MessageInfo, Payload, Str, Unsendable, attrs, flags, layout,
    message, values,
};

use crate::ip::AnyAddr;
use crate::route::Scope;
use crate::{Addr, Family};

flags! {
    /// `IFA_F_*`: state of an address, and options for it.
    pub struct AddressFlags: u32 {
        /// IPv4: the link has an older address of the same subnet.
        0x1 IFA_F_SECONDARY SECONDARY,
        /// IPv6: a privacy address. It is the same bit as `SECONDARY`.
        0x1 IFA_F_TEMPORARY TEMPORARY,
        /// IPv6: no duplicate address detection.
        0x2 IFA_F_NODAD NODAD,
        /// IPv6: usable while duplicate address detection runs.
        0x4 IFA_F_OPTIMISTIC OPTIMISTIC,
        /// IPv6: another host has this address.
        0x8 IFA_F_DADFAILED DADFAILED,
        /// Home address of Mobile IPv6.
        0x10 IFA_F_HOMEADDRESS HOMEADDRESS,
        /// The preferred lifetime is over: only old connections use the address.
        0x20 IFA_F_DEPRECATED DEPRECATED,
        /// IPv6: duplicate address detection still runs.
        0x40 IFA_F_TENTATIVE TENTATIVE,
        /// The address never expires. The kernel sets and clears this flag.
        0x80 IFA_F_PERMANENT PERMANENT,
        /// IPv6: make privacy addresses with the prefix of this address.
        0x100 IFA_F_MANAGETEMPADDR MANAGETEMPADDR,
        /// Make no route to its subnet.
        0x200 IFA_F_NOPREFIXROUTE NOPREFIXROUTE,
        /// Join the multicast group of this address on the link.
        0x400 IFA_F_MCAUTOJOIN MCAUTOJOIN,
        /// IPv6: the kernel made the address from a secret (RFC 7217).
        0x800 IFA_F_STABLE_PRIVACY STABLE_PRIVACY,
    }
}

values! {
    /// `IFAPROT_*`: who made an address. The kernel gives numbers from 4 on no meaning. Linux 5.18.
    pub struct AddressProtocol: u8 {
        /// Not given.
        0 IFAPROT_UNSPEC UNSPEC "unspec",
        /// The kernel, on the loopback link. IPv6.
        1 IFAPROT_KERNEL_LO KERNEL_LO "kernel_lo",
        /// The kernel, from a router advertisement.
        2 IFAPROT_KERNEL_RA KERNEL_RA "kernel_ra",
        /// The kernel: a link-local address.
        3 IFAPROT_KERNEL_LL KERNEL_LL "kernel_ll",
    }
}

layout! {
    /// `struct ifaddrmsg`.
    pub struct AddressHeader: ifaddrmsg = 8 {
        /// Address family.
        family: Family,
        /// Length of the subnet's prefix, in bits.
        prefix_len: u8,
        /// Lower byte of the flags. `IFA_FLAGS` has all of them.
        flags: u8,
        /// How far it is valid.
        scope: Scope,
        /// The link.
        index: u32,
    }
}

layout! {
    /// `struct ifa_cacheinfo`: lifetimes and times of change.
    pub struct CacheInfo: ifa_cacheinfo = 16 {
        /// Seconds that new connections may use the address; `u32::MAX` is forever.
        preferred: u32,
        /// Seconds until the address is deleted; `u32::MAX` is forever.
        valid: u32,
        /// When the address was made, in hundredths of a second since boot.
        created: u32,
        /// When the address was changed, in hundredths of a second since boot.
        updated: u32,
    }
}

attrs! {
    /// `IFA_*`.
    pub struct AddressAttrs<'a> for AddressRequest<R> {
        /// The address at the other end of a point-to-point link. Without a peer, the address itself.
        1 IFA_ADDRESS address: AnyAddr<'a>,
        /// The address itself. IPv6 sends it only together with a peer.
        2 IFA_LOCAL local: AnyAddr<'a>,
        /// Name for old programs: the link's name, or the link's name, a colon and more text. IPv4. Default:
        /// the link's name.
        3 IFA_LABEL label: Str<'a, 15>,
        /// Broadcast address. IPv4. Default: none; see [`AddressRequest::broadcast_auto`].
        4 IFA_BROADCAST broadcast: IpAddr,
        /// Anycast address; only in lists of anycast addresses.
        5 IFA_ANYCAST anycast: IpAddr,
        /// Lifetimes; see [`AddressRequest::lifetime`].
        6 IFA_CACHEINFO cacheinfo: CacheInfo,
        /// Multicast address; only in lists of multicast groups.
        7 IFA_MULTICAST multicast: IpAddr,
        /// Flags; they replace the flags of the fixed header.
        8 IFA_FLAGS flags: AddressFlags,
        /// Metric of the route to its subnet. Default: 0 in IPv4, 256 in IPv6. Linux 4.18.
        9 IFA_RT_PRIORITY rt_priority: u32,
        /// In a list or query: id of the namespace to look in. Linux 4.20.
        10 IFA_TARGET_NETNSID target_netnsid: i32,
        /// Who made it. Linux 5.18.
        11 IFA_PROTO protocol: AddressProtocol,
        /// Number of members of a multicast group on the link; only in lists of multicast groups. After Linux 7.1.
        12 IFA_MC_USERS mc_users: u32,
    }
}

message! {
    /// An address of a link.
    pub struct Address<'a>(AddressHeader, AddressAttrs<'a>), AddressRequest {
        /// Answer and event: an address exists or was added. Request: make or change one.
        20 RTM_NEWADDR NEW,
        /// Event: an address was removed. Request: delete one.
        21 RTM_DELADDR DEL,
        /// Asks for one or all.
        22 RTM_GETADDR GET,
        /// Event: a link joined a multicast group. Linux 6.14.
        56 RTM_NEWMULTICAST NEW_MULTICAST,
        /// Event: a link left a multicast group. Linux 6.14.
        57 RTM_DELMULTICAST DEL_MULTICAST,
        /// Asks for multicast groups. The answers have the same type.
        58 RTM_GETMULTICAST GET_MULTICAST,
        /// Event: a link got an anycast address. Linux 6.14.
        60 RTM_NEWANYCAST NEW_ANYCAST,
        /// Event: a link lost an anycast address. Linux 6.14.
        61 RTM_DELANYCAST DEL_ANYCAST,
        /// Asks for anycast addresses. The answers have the same type.
        62 RTM_GETANYCAST GET_ANYCAST,
    }
    about subject
    shows |address| {
        addr: address.addr(),
        peer: address.peer(),
        flags: Some(address.flags()),
        prefix_len: address.addr().is_none().then_some(address.header().prefix_len),
        address: address.address().filter(|addr| addr.ip().is_none()),
        local: address.local().filter(|addr| addr.ip().is_none());
        multicast anycast
    }
    on crate::PROTOCOL
}

/// What makes an address the same one to the kernel, which gives a link no second one with this: the key for a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct AddressKey {
    /// The link.
    pub index: u32,
    /// The address itself.
    pub local: IpAddr,
    /// The network that it, or its peer, is in. `None` in IPv6, where a link has an address once, whatever the prefix.
    pub network: Option<Addr>,
}

impl Address<'_> {
    /// By what the kernel knows it; `None` in families without IP addresses. Addresses, multicast groups and anycast
    /// addresses are lists of their own, and so are their keys.
    pub fn key(&self) -> Option<AddressKey> {
        let own = self.addr()?;
        let network = || self.peer().unwrap_or(own).network();
        Some(AddressKey { index: self.link(), local: own.ip(), network: own.ip().is_ipv4().then(network) })
    }

    /// Address family.
    pub fn family(&self) -> Family {
        self.header().family
    }

    /// The link.
    pub fn link(&self) -> u32 {
        self.header().index
    }

    /// How far it is valid.
    pub fn scope(&self) -> Scope {
        self.header().scope
    }

    fn with_prefix(&self, ip: IpAddr) -> Option<Addr> {
        Addr::new(ip, self.header().prefix_len).ok()
    }

    /// The address and its prefix. Multicast and anycast addresses are returned too. `None` in families
    /// without IP addresses.
    pub fn addr(&self) -> Option<Addr> {
        let own = self.local().or_else(|| self.address()).and_then(|addr| addr.ip());
        self.with_prefix(own.or_else(|| self.multicast()).or_else(|| self.anycast())?)
    }

    /// The address at the other end, if it has one.
    pub fn peer(&self) -> Option<Addr> {
        let (local, peer) = (self.local()?.ip()?, self.address()?.ip()?);
        if local == peer { None } else { self.with_prefix(peer) }
    }

    /// Flags: from the attribute, or from the fixed header where the attribute is absent.
    pub fn flags(&self) -> AddressFlags {
        let short = || AddressFlags::from_bits_retain(self.header().flags.into());
        self.attrs.flags().unwrap_or_else(short)
    }
}

/// `10.0.0.1/24 dev #3`: the address, as errors show it.
fn subject(address: &Address<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let header = address.header();
    match (address.addr(), address.peer()) {
        (Some(addr), Some(peer)) => write!(f, "{} peer {peer}", addr.ip())?,
        (Some(addr), None) => write!(f, "{addr}")?,
        (None, _) => write!(f, "{}", header.family)?,
    }
    if header.index != 0 { write!(f, " dev #{}", header.index) } else { Ok(()) }
}

/// Close to what `ip addr` prints: `inet 10.0.0.1/24 brd 10.0.0.255 scope global eth0`.
impl fmt::Display for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = self.header();
        write!(f, "{}", header.family)?;
        match (self.addr(), self.peer()) {
            (Some(addr), Some(peer)) => write!(f, " {} peer {peer}", addr.ip())?,
            (Some(addr), None) => write!(f, " {addr}")?,
            _ => {
                if let Some(addr) = self.local().or_else(|| self.address()) {
                    write!(f, " {addr}/{}", header.prefix_len)?;
                }
            }
        }
        if let Some(metric) = self.rt_priority() {
            write!(f, " metric {metric}")?;
        }
        if let Some(broadcast) = self.broadcast() {
            write!(f, " brd {broadcast}")?;
        }
        write!(f, " scope {}", header.scope)?;
        let flags = self.flags();
        let first = if header.family == Family::INET6 { " temporary" } else { " secondary" };
        let names = [
            (AddressFlags::SECONDARY, first),
            (AddressFlags::TENTATIVE, " tentative"),
            (AddressFlags::DEPRECATED, " deprecated"),
            (AddressFlags::HOMEADDRESS, " home"),
            (AddressFlags::NODAD, " nodad"),
            (AddressFlags::MANAGETEMPADDR, " mngtmpaddr"),
            (AddressFlags::NOPREFIXROUTE, " noprefixroute"),
            (AddressFlags::MCAUTOJOIN, " autojoin"),
            (AddressFlags::DADFAILED, " dadfailed"),
            (AddressFlags::OPTIMISTIC, " optimistic"),
            (AddressFlags::STABLE_PRIVACY, " stable-privacy"),
        ];
        names.iter().filter(|(flag, _)| flags.contains(*flag)).try_for_each(|(_, name)| f.write_str(name))?;
        if !flags.contains(AddressFlags::PERMANENT) && self.cacheinfo().is_some() {
            f.write_str(" dynamic")?;
        }
        if let Some(protocol) = self.protocol() {
            write!(f, " proto {protocol}")?;
        }
        if let Some(label) = self.label() {
            write!(f, " {label}")?;
        }
        match self.cacheinfo().filter(|cache| cache.valid != u32::MAX) {
            Some(CacheInfo { valid, preferred, .. }) => {
                write!(f, " valid_lft {valid}sec preferred_lft {preferred}sec")
            }
            None => Ok(()),
        }
    }
}

/// Adds an address to a link; `EEXIST` if the link has it.
///
/// The scope is global, and host for IPv4 loopback addresses. As with `ip addr add`, IPv4 addresses get no
/// broadcast address; see [`broadcast_auto`](AddressRequest::broadcast_auto).
pub fn add(link: u32, addr: Addr) -> AddressRequest<()> {
    one(&CREATION, MessageFlags::CREATE.union(MessageFlags::EXCL), link, addr)
}

/// Adds an address to a link. If the link has the address, changes its lifetimes, metric and protocol, and in
/// IPv6 also its flags.
pub fn replace(link: u32, addr: Addr) -> AddressRequest<()> {
    one(&CREATION, MessageFlags::CREATE.union(MessageFlags::REPLACE), link, addr)
}

/// Removes an address from a link; `EADDRNOTAVAIL` if the link doesn't have it.
///
/// In IPv4 the prefix must match, and the label if one is given. Removing the first address of a subnet removes the
/// secondary ones too, unless the sysctl `promote_secondaries` is on. For an address with a peer, give the
/// [`peer`](AddressRequest::peer) too. [`delete_listed`] does all this for an address that was listed.
pub fn delete(link: u32, addr: Addr) -> AddressRequest<()> {
    one(&DELETION, MessageFlags::empty(), link, addr)
}

/// Removes an address that came from a list or an event, with or without a peer. `EADDRNOTAVAIL` if the
/// address no longer exists.
pub fn delete_listed(address: &Address<'_>) -> AddressRequest<()> {
    address.to_request(&DELETION, MessageFlags::ACK)
}

const CREATION: MessageInfo = Address::NEW.guarded(here);
const DELETION: MessageInfo = Address::DEL.guarded(here);

/// The kernel looks at the id of another namespace in queries only: it makes and deletes addresses in the
/// namespace of the socket. An address that was listed in another namespace must not be deleted in this one.
fn here(asked: &Message<'_>) -> Result<(), &'static str> {
    const TARGET_NETNSID: u16 = 10;
    match Attrs::new(asked.body.get(AddressHeader::SIZE..).unwrap_or_default()).find(TARGET_NETNSID) {
        Some(_) => Err("the kernel makes and deletes addresses in the namespace of the socket only"),
        None => Ok(()),
    }
}

fn one(info: &'static MessageInfo, flags: MessageFlags, link: u32, addr: Addr) -> AddressRequest<()> {
    let loopback = matches!(addr.ip(), IpAddr::V4(ip) if ip.is_loopback());
    let header = AddressHeader::default()
        .family(addr.family())
        .prefix_len(addr.prefix_len())
        .scope(if loopback { Scope::HOST } else { Scope::UNIVERSE })
        .index(link);
    AddressRequest::new(info, flags | MessageFlags::ACK, header).address(addr.ip()).local(addr.ip())
}

/// Lists addresses of all links and families.
///
/// With strict checking the kernel filters by [`link`](AddressRequest::link) and [`family`](AddressRequest::family),
/// lists another namespace with [`target_netnsid`](AddressRequest::target_netnsid), and refuses all other conditions
/// with `EINVAL`. Without strict checking the kernel filters by family only, and only by families that it knows; this
/// crate then skips the addresses that were not requested.
pub fn list() -> AddressRequest<Dump<Address<'static>>> {
    const LIST: MessageInfo = Address::GET.filtered(filter);
    list_of(&LIST, Family::UNSPEC)
}

/// Lists the multicast groups that links are members of. IPv4 groups since Linux 6.15.
pub fn list_multicast() -> AddressRequest<Dump<Address<'static>>> {
    const LIST: MessageInfo = Address::GET_MULTICAST.filtered(filter);
    list_of(&LIST, Family::UNSPEC)
}

/// Lists the IPv6 anycast addresses of links.
pub fn list_anycast() -> AddressRequest<Dump<Address<'static>>> {
    const LIST: MessageInfo = Address::GET_ANYCAST.filtered(filter);
    list_of(&LIST, Family::INET6)
}

fn list_of(info: &'static MessageInfo, family: Family) -> AddressRequest<Dump<Address<'static>>> {
    AddressRequest::new(info, MessageFlags::DUMP, AddressHeader::default().family(family))
}

/// The kernel treats a family without such a list as no family. Both conditions are in the fixed header.
/// Checking them costs so little that it is done even where the kernel reports that it filtered.
fn filter(asked: &Message<'_>) -> Option<Check> {
    let asked = header_of(asked)?;
    let filters = asked.family != Family::UNSPEC || asked.index != 0;
    filters.then_some(|asked, reply| {
        let (Some(asked), Some(reply)) = (header_of(asked), header_of(reply)) else {
            return true;
        };
        let of_family = asked.family == Family::UNSPEC || asked.family == reply.family;
        of_family && (asked.index == 0 || asked.index == reply.index)
    })
}

fn header_of(message: &Message<'_>) -> Option<AddressHeader> {
    AddressHeader::take(&mut { message.body })
}

/// Asks for an IPv6 address on any link, or on the given [`link`](AddressRequest::link); `EADDRNOTAVAIL` if
/// no link has it. The kernel has no such query for IPv4.
pub fn get(addr: Ipv6Addr) -> AddressRequest<Address<'static>> {
    let header = AddressHeader::default().family(Family::INET6);
    AddressRequest::new(&Address::GET, MessageFlags::empty(), header).address(addr)
}

impl<R> AddressRequest<R> {
    /// The link of the addresses to list or to find.
    pub fn link(self, index: u32) -> Self {
        self.header(|header| header.index = index)
    }

    /// Lists addresses of this family only.
    pub fn family(self, family: Family) -> Self {
        self.header(|header| header.family = family)
    }

    /// How far the address is valid.
    pub fn scope(self, scope: Scope) -> Self {
        self.header(|header| header.scope = scope)
    }

    /// The address at the other end of the link. Its prefix is used instead of that of the address. Call it
    /// before a broadcast address is set; after one, the peer is refused.
    pub fn peer(mut self, peer: Addr) -> Self {
        const BROADCAST: u16 = 4;
        if self.written(BROADCAST).is_some() {
            self.0.writer().fail(Unsendable::Value("a peer after a broadcast address"));
        }
        let replaced = match (self.written(Self::LOCAL), peer.ip()) {
            (Some(IpAddr::V4(_)), IpAddr::V4(ip)) => self.replace_address(&ip.octets()),
            (Some(IpAddr::V6(_)), IpAddr::V6(ip)) => self.replace_address(&ip.octets()),
            _ => false,
        };
        if !replaced {
            self.0.writer().fail(Unsendable::Value("a peer of another family than the address"));
        }
        self.header(|header| header.prefix_len = peer.prefix_len())
    }

    /// Sets the broadcast address that follows from the address and its prefix, or from the
    /// [`peer`](Self::peer) if there is one: all host bits are set. Prefixes of more than 30 bits have none,
    /// and 0.0.0.0 is sent. IPv6 has no broadcast.
    pub fn broadcast_auto(mut self) -> Self {
        let mut prefix_len = 0;
        self.0.edit(|header: &mut AddressHeader| prefix_len = header.prefix_len);
        match self.written(Self::ADDRESS) {
            Some(IpAddr::V4(subnet)) if prefix_len <= 30 => {
                let host = u32::MAX.checked_shr(prefix_len.into()).unwrap_or_default();
                self.broadcast(Ipv4Addr::from_bits(subnet.to_bits() | host))
            }
            Some(IpAddr::V4(_)) => self.broadcast(Ipv4Addr::UNSPECIFIED),
            _ => self,
        }
    }

    /// Seconds that the address is preferred, and seconds that it is valid. The second must not be 0 or
    /// smaller than the first. `u32::MAX` is forever, the default.
    pub fn lifetime(self, preferred: u32, valid: u32) -> Self {
        self.cacheinfo(CacheInfo { preferred, valid, ..CacheInfo::default() })
    }

    /// Where the attributes of a request begin.
    const ATTRS: usize = 16 + AddressHeader::SIZE;
    /// `IFA_ADDRESS`: the peer where there is one, else the address itself.
    const ADDRESS: u16 = 1;
    /// `IFA_LOCAL`: the address itself.
    const LOCAL: u16 = 2;

    /// The payload of an address attribute in this request.
    fn written(&mut self, number: u16) -> Option<IpAddr> {
        let bytes = self.0.writer().as_slice();
        IpAddr::decode(Attrs::new(bytes.get(Self::ATTRS..)?).find(number)?).ok()
    }

    /// [`one`] wrote the address of this end.
    fn replace_address(&mut self, ip: &[u8]) -> bool {
        self.0.writer().replace(Self::ATTRS, Self::ADDRESS, ip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use netlink_core::Messages;
    use netlink_testing::native;

    fn attributes(bytes: &[u8]) -> alloc::vec::Vec<(u16, &[u8])> {
        Attrs::new(&bytes[24..]).map(|attr| attr.unwrap()).map(|attr| (attr.number, attr.payload)).collect()
    }

    fn shown(bytes: &[u8]) -> alloc::string::String {
        Address::read(&Messages::new(bytes).next().unwrap().unwrap()).unwrap().to_string()
    }

    // F4: the kernel would change the namespace of the socket.
    #[test]
    fn addresses_are_not_changed_in_another_namespace() {
        let addr = || "10.0.0.1/24".parse().unwrap();
        for request in [add(3, addr()), replace(3, addr()), delete(3, addr())] {
            assert!(request.clone().to_bytes().is_ok());
            assert!(request.target_netnsid(7).to_bytes().is_err());
        }
        let request = add(3, addr()).into_request().attr(10, &7i32);
        assert!(request.to_bytes().is_err());
        assert!(list().target_netnsid(7).to_bytes().is_ok());
    }

    // F4.
    #[test]
    fn addresses_that_were_not_requested_are_skipped() {
        let of = |link, addr: &str| add(link, addr.parse().unwrap()).to_bytes().unwrap();
        let four = of(3, "10.0.0.1/24");
        let passes = |list: AddressRequest<_>, reply: &[u8]| {
            list.passes(&Messages::new(reply).next().unwrap().unwrap())
        };
        assert!(list().check().is_none() && passes(list(), &four));
        for list in [list, list_multicast] {
            assert!(passes(list().link(3), &four) && !passes(list().link(4), &four));
            assert!(
                passes(list().family(Family::INET), &four) && !passes(list().family(Family::INET6), &four)
            );
            assert!(!passes(list().link(3).family(Family::MPLS), &four));
        }
        assert!(!passes(list_anycast(), &four) && passes(list_anycast(), &of(3, "::1/128")));
        let short = netlink_core::Message { header: Default::default(), body: &[2, 0] };
        assert!(list().link(4).passes(&short));
    }

    #[test]
    fn add_writes_the_address_twice() {
        let bytes = add(3, "10.0.0.1/24".parse().unwrap()).to_bytes().unwrap();
        assert_eq!(bytes[4..8], native([20, 0, 5, 6], &[2]));
        assert_eq!(bytes[16..24], native([2, 24, 0, 0, 3, 0, 0, 0], &[1, 1, 1, 1, 4]));
        assert_eq!(attributes(&bytes), [(1, &[10, 0, 0, 1][..]), (2, &[10, 0, 0, 1])]);
        assert_eq!(shown(&bytes), "inet 10.0.0.1/24 scope global");
        let loopback = add(1, "127.0.0.2/8".parse().unwrap()).to_bytes().unwrap();
        assert_eq!(loopback[19], 254);
        let six = replace(3, "fe80::1/64".parse().unwrap()).scope(Scope::LINK).to_bytes().unwrap();
        assert_eq!(six[4..8], native([20, 0, 5, 5], &[2]));
        assert_eq!(six[16..24], native([10, 64, 0, 253, 3, 0, 0, 0], &[1, 1, 1, 1, 4]));
        let gone = delete(3, "10.0.0.1/24".parse().unwrap()).to_bytes().unwrap();
        assert_eq!(gone[4..8], native([21, 0, 5, 0], &[2]));
    }

    #[test]
    fn a_peer_takes_the_place_of_the_address() {
        let request = add(3, "10.0.0.1/32".parse().unwrap()).peer("10.0.0.2/31".parse().unwrap());
        let bytes = request.to_bytes().unwrap();
        assert_eq!(bytes[17], 31);
        assert_eq!(attributes(&bytes), [(1, &[10, 0, 0, 2][..]), (2, &[10, 0, 0, 1])]);
        assert_eq!(shown(&bytes), "inet 10.0.0.1 peer 10.0.0.2/31 scope global");
        let six = add(3, "fc00::1/128".parse().unwrap()).peer("fc00::2/128".parse().unwrap());
        assert_eq!(shown(&six.to_bytes().unwrap()), "inet6 fc00::1 peer fc00::2/128 scope global");
        let mixed = add(3, "10.0.0.1/32".parse().unwrap()).peer("fc00::2/128".parse().unwrap());
        assert!(mixed.to_bytes().is_err());
    }

    #[test]
    fn every_setter_has_its_attribute() {
        let request = add(3, "10.0.0.1/24".parse().unwrap())
            .broadcast_auto()
            .label("b0:1")
            .flags(AddressFlags::NOPREFIXROUTE)
            .lifetime(60, 120)
            .rt_priority(7)
            .protocol(AddressProtocol(50));
        let bytes = request.to_bytes().unwrap();
        let attrs = attributes(&bytes);
        assert_eq!(attrs[2], (4, &[10, 0, 0, 255][..]));
        assert_eq!(attrs[3], (3, &b"b0:1\0"[..]));
        assert_eq!(attrs[4], (8, &native([0, 2, 0, 0], &[4])[..]));
        assert_eq!(attrs[5], (6, &native([60, 0, 0, 0, 120, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[4])[..]));
        assert_eq!(attrs[6..], [(9, &native([7, 0, 0, 0], &[4])[..]), (11, &[50])]);
        assert_eq!(
            shown(&bytes),
            "inet 10.0.0.1/24 metric 7 brd 10.0.0.255 scope global noprefixroute dynamic proto 50 b0:1 \
             valid_lft 120sec preferred_lft 60sec",
        );
        let narrow = add(3, "10.0.0.1/31".parse().unwrap()).broadcast_auto().to_bytes().unwrap();
        assert_eq!(attributes(&narrow)[2..], [(4, &[0; 4][..])]);
    }

    // F11.
    #[test]
    fn the_broadcast_address_is_that_of_the_peer_s_subnet() {
        let own = || add(3, "10.0.0.1/32".parse().unwrap());
        let (wide, one) = ("10.9.0.2/24".parse().unwrap(), "10.9.0.2/32".parse().unwrap());
        let broadcast = |request: AddressRequest<()>| {
            let bytes = request.to_bytes().unwrap();
            Address::read(&Messages::new(&bytes).next().unwrap().unwrap()).unwrap().broadcast()
        };
        assert_eq!(broadcast(own().peer(wide).broadcast_auto()), Some(Ipv4Addr::new(10, 9, 0, 255).into()));
        assert_eq!(broadcast(own().peer(one).broadcast_auto()), Some(Ipv4Addr::UNSPECIFIED.into()));
        for early in [own().broadcast_auto(), own().broadcast(Ipv4Addr::new(10, 0, 0, 255))] {
            assert!(early.peer(wide).to_bytes().is_err());
        }
    }

    #[test]
    fn lists_and_queries() {
        let list = list().link(3).family(Family::INET).to_bytes().unwrap();
        assert_eq!(list[4..8], native([22, 0, 1, 3], &[2]));
        assert_eq!(list[16..], native([2, 0, 0, 0, 3, 0, 0, 0], &[1, 1, 1, 1, 4]));
        assert_eq!(list_multicast().to_bytes().unwrap()[4..8], native([58, 0, 1, 3], &[2]));
        assert_eq!(
            list_anycast().to_bytes().unwrap()[4..17],
            native([62, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 10], &[2, 2, 4, 4, 1])
        );
        let get = get(Ipv6Addr::LOCALHOST).to_bytes().unwrap();
        assert_eq!(get[4..8], native([22, 0, 1, 0], &[2]));
        assert_eq!(get[16..24], [10, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(attributes(&get), [(1, &Ipv6Addr::LOCALHOST.octets()[..])]);
    }

    #[test]
    fn addresses_of_one_byte_are_readable() {
        let request = AddressRequest::<()>::new(
            &Address::NEW,
            MessageFlags::empty(),
            AddressHeader::default().family(Family::MCTP).index(4),
        );
        let bytes = request.local(AnyAddr::Other(&[9])).to_bytes().unwrap();
        let address = Address::read(&Messages::new(&bytes).next().unwrap().unwrap()).unwrap();
        assert_eq!((address.addr(), address.local()), (None, Some(AnyAddr::Other(&[9]))));
    }
}
