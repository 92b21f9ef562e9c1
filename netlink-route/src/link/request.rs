//! Requests about links.

use netlink_core::layout::Field;
use netlink_core::{
    Attrs, Check, Dump, IntoAttr, Message, MessageFlags, MessageInfo, Payload, Str, Unsendable,
};

use super::kind::{Kind, LinkInfo};
use super::port::SlaveKind;
use super::values::LinkFlags;
use super::vf::Vf;
use super::{ExtMask, Link, LinkHeader, LinkRequest};

/// The link that a request is about.
///
/// ```
/// use netlink_route::link::{self, LinkRef};
///
/// assert_eq!(LinkRef::from(2), LinkRef::Index(2));
/// let by_index = link::get(2);
/// let by_name = link::get("eth0");
/// let by_alternative_name = link::get("the-link-with-a-long-name");
/// # for request in [by_index, by_name, by_alternative_name] { assert!(request.to_bytes().is_ok()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkRef<'a> {
    /// By index. The index 0 is refused before the request is sent.
    Index(u32),
    /// By name or alternative name. The kernel searches both, in whichever attribute the name is sent. A name
    /// of up to 15 bytes is sent as `IFLA_IFNAME`, a longer one as `IFLA_ALT_IFNAME`, which needs Linux 5.5.
    Name(&'a str),
}

impl From<u32> for LinkRef<'_> {
    fn from(index: u32) -> Self {
        Self::Index(index)
    }
}

impl<'a> From<&'a str> for LinkRef<'a> {
    fn from(name: &'a str) -> Self {
        Self::Name(name)
    }
}

impl<'a> From<&'a alloc::string::String> for LinkRef<'a> {
    fn from(name: &'a alloc::string::String) -> Self {
        Self::Name(name)
    }
}

/// Makes a link; `EEXIST` if the name is taken.
///
/// Set the kind with [`kind`](LinkRequest::kind). A kind without parameters is given by its name:
/// `kind("dummy")`. By default the kernel chooses the [`index`](LinkRequest::index) and makes the link in the
/// namespace of the connection. For other namespaces see [`net_ns_fd`](LinkRequest::net_ns_fd),
/// [`net_ns_pid`](LinkRequest::net_ns_pid) and [`target_netnsid`](LinkRequest::target_netnsid);
/// [`link_netnsid`](LinkRequest::link_netnsid) is the namespace of the link below.
///
/// With [`echo`](LinkRequest::echo) the kernel answers with the new link: with its index, and with the name
/// that the kernel chose for `x%d`.
pub fn create(name: &str) -> LinkRequest<()> {
    let flags = MessageFlags::CREATE | MessageFlags::EXCL | MessageFlags::ACK;
    LinkRequest::new(&Link::NEW, flags, LinkHeader::default()).name(name)
}

/// Asks for one link; `ENODEV` if there is none.
///
/// With strict checking the kernel accepts only [`ext_mask`](LinkRequest::ext_mask) and
/// [`target_netnsid`](LinkRequest::target_netnsid).
pub fn get<'a>(by: impl Into<LinkRef<'a>>) -> LinkRequest<Link<'static>> {
    LinkRequest::new(&Link::GET, MessageFlags::empty(), LinkHeader::default()).select_link(by.into())
}

/// Lists links.
///
/// The kernel filters by [`master`](LinkRequest::master) and [`of_kind`](LinkRequest::of_kind). Where it does not,
/// this crate skips the links that were not requested. With strict checking the kernel also accepts
/// [`ext_mask`](LinkRequest::ext_mask) and [`target_netnsid`](LinkRequest::target_netnsid), and refuses the rest.
pub fn list() -> LinkRequest<Dump<Link<'static>>> {
    const LIST: MessageInfo = Link::GET.filtered(filter);
    LinkRequest::new(&LIST, MessageFlags::DUMP, LinkHeader::default()).ext_mask(ExtMask::empty())
}

/// A kernel that does not know the kind ignores this filter. If it filtered by the master, it reports that it
/// filtered, even then.
fn filter(asked: &Message<'_>) -> Option<Check> {
    let asked = Link::read(asked).ok()?;
    match (asked.master().is_some_and(|master| master != 0), asked.info().is_some()) {
        (false, false) => None,
        (true, true) => Some(passes),
        _ => Some(|asked, reply| {
            reply.header.flags.contains(MessageFlags::DUMP_FILTERED) || passes(asked, reply)
        }),
    }
}

fn passes(asked: &Message<'_>, reply: &Message<'_>) -> bool {
    let (Ok(asked), Ok(link)) = (Link::read(asked), Link::read(reply)) else {
        return true;
    };
    let of_master = match asked.master() {
        None | Some(0) => true,
        // Links without a master. Linux 5.16.
        Some(u32::MAX) => link.master().is_none(),
        master => link.master() == master,
    };
    let (wanted, info) = (asked.info(), link.info());
    let wanted = wanted.as_ref().and_then(|wanted| wanted.kind_name());
    of_master && (wanted.is_none() || wanted == info.as_ref().and_then(|info| info.kind_name()))
}

/// Changes a link; `ENODEV` if there is none.
///
/// Old kernels, such as 5.10, also answer `ENODEV` to an alternative name of more than 15 bytes. [`get`]
/// works there: ask for the link and change it by its index.
///
/// The request is `RTM_NEWLINK` without the create flag. `RTM_SETLINK` is not used because it silently
/// ignores the parameters of the kind and of the master's kind.
pub fn set<'a>(by: impl Into<LinkRef<'a>>) -> LinkRequest<()> {
    LinkRequest::new(&Link::NEW, MessageFlags::ACK, LinkHeader::default()).select_link(by.into())
}

/// Changes all links of a group. The kernel stops at the first link that can't be changed.
pub fn set_group(group: u32) -> LinkRequest<()> {
    LinkRequest::new(&Link::NEW, MessageFlags::ACK, LinkHeader::default()).group(group)
}

/// Deletes a link; `ENODEV` if there is none, `EOPNOTSUPP` if it is hardware.
///
/// The kernel ignores all other attributes in the request, such as the kind. So they are refused before the
/// request is sent.
pub fn delete<'a>(by: impl Into<LinkRef<'a>>) -> LinkRequest<()> {
    deletion().select_link(by.into())
}

fn deletion() -> LinkRequest<()> {
    const DELETION: MessageInfo = Link::DEL.guarded(|asked| {
        // IFNAME, GROUP, TARGET_NETNSID, ALT_IFNAME
        const SEEN: [u16; 4] = [3, 27, 46, 53];
        let mut attrs = Attrs::new(asked.body.get(LinkHeader::SIZE..).unwrap_or_default()).flatten();
        match attrs.all(|attr| SEEN.contains(&attr.number)) {
            true => Ok(()),
            false => Err("the kernel ignores this when it deletes links"),
        }
    });
    LinkRequest::new(&DELETION, MessageFlags::ACK, LinkHeader::default())
}

/// Deletes all links of a group, or none if one can't be deleted. Group 0 has all links without a group, and
/// is refused before the request is sent.
pub fn delete_group(group: u32) -> LinkRequest<()> {
    let mut request = deletion();
    if group == 0 {
        request.0.writer().fail(Unsendable::Value("group 0 has all links without a group"));
    }
    request.group(group)
}

/// Adds alternative names of up to 127 bytes each; `EEXIST` if one is taken. Linux 5.5.
pub fn add_alt_names<'a>(by: impl Into<LinkRef<'a>>, names: &[&str]) -> LinkRequest<()> {
    let flags = MessageFlags::ACK | MessageFlags::CREATE | MessageFlags::EXCL | MessageFlags::APPEND;
    LinkRequest::new(&Link::NEWPROP, flags, LinkHeader::default()).select_link(by.into()).props(names)
}

/// Removes alternative names; `ENOENT` if the link does not have one of them. Linux 5.5.
pub fn delete_alt_names<'a>(by: impl Into<LinkRef<'a>>, names: &[&str]) -> LinkRequest<()> {
    LinkRequest::new(&Link::DELPROP, MessageFlags::ACK, LinkHeader::default())
        .select_link(by.into())
        .props(names)
}

impl LinkRequest<()> {
    /// For [`create`]: the kernel answers with the new link instead of an acknowledgement. Linux 6.2. An
    /// older kernel makes the link without an answer, which is [`Error::NoReply`](crate::Error::NoReply).
    /// Other requests have no such answer, and are refused before they are sent.
    ///
    /// ```no_run
    /// use netlink_route::link;
    ///
    /// let mut nl = netlink_route::connect()?;
    /// let made = nl.call(link::create("tap%d").kind("ifb").echo())?;
    /// nl.call(link::set(made.index()).up())?;
    /// # Ok::<(), netlink_route::Error>(())
    /// ```
    pub fn echo(mut self) -> LinkRequest<Link<'static>> {
        if !self.flags().contains(MessageFlags::CREATE) || self.0.info().number != Link::NEW.number {
            self.0.writer().fail(Unsendable::Value("only a new link is sent as an answer"));
        }
        LinkRequest(self.0.with_flags(MessageFlags::ECHO).expecting())
    }
}

impl<R> LinkRequest<R> {
    fn select_link(mut self, by: LinkRef<'_>) -> Self {
        match by {
            LinkRef::Index(0) => {
                // Without an index the kernel would use the group, and change all of its links.
                self.0.writer().fail(Unsendable::Value("0 is not a link index"));
                self
            }
            LinkRef::Index(index) => self.index(index),
            LinkRef::Name(name) if name.len() <= 15 => self.name(name),
            LinkRef::Name(name) => self.alt_name(name),
        }
    }

    fn props(mut self, names: &[&str]) -> Self {
        self.0
            .writer()
            .nest(52, |out| names.iter().for_each(|name| Str::<'_, 127>::from(*name).put(53, out)));
        self
    }

    /// Index of the new link, or of the peer of a pair. If it is taken: `EEXIST` for a new link, `EBUSY` for
    /// a peer. The other functions set the index from their argument.
    pub fn index(mut self, index: u32) -> Self {
        self.0.edit(|header: &mut LinkHeader| header.index = index);
        self
    }

    /// The kind of a new link, with its parameters. For an existing link: the parameters to change, of the
    /// kind that it has.
    ///
    /// It writes `IFLA_LINKINFO`, and so does [`slave`](Self::slave). To set both in one request, give
    /// [`info`](Self::info) a [`LinkInfo`].
    pub fn kind<'x>(self, kind: impl IntoAttr<Kind<'x>>) -> Self {
        self.info(LinkInfo::new().kind(kind))
    }

    /// Parameters under its master. They must be of the master's kind.
    pub fn slave<'x>(self, kind: impl IntoAttr<SlaveKind<'x>>) -> Self {
        self.info(LinkInfo::new().slave(kind))
    }

    /// For [`list`]: only links of this kind. The list is empty if the kernel does not know the kind, for
    /// example because its module is not loaded.
    pub fn of_kind(self, kind: &str) -> Self {
        self.info(LinkInfo::new().kind_name(kind))
    }

    /// Changes one virtual function. For several, give [`vf_list`](Self::vf_list) a [`VfList`](super::vf::VfList).
    pub fn vf(self, vf: Vf) -> Self {
        self.vf_list(vf)
    }

    /// Sets or clears flags. The other flags do not change.
    pub fn set_flags(mut self, flags: LinkFlags, on: bool) -> Self {
        self.0.edit(|header: &mut LinkHeader| {
            header.flags.set(flags, on);
            header.change |= flags;
        });
        self
    }

    /// Switches the link on.
    pub fn up(self) -> Self {
        self.set_flags(LinkFlags::UP, true)
    }

    /// Switches the link off.
    pub fn down(self) -> Self {
        self.set_flags(LinkFlags::UP, false)
    }

    /// Moves the link into this network namespace, or makes it there: [`net_ns_fd`](Self::net_ns_fd) of an open
    /// namespace. The request has only the descriptor number, so keep the namespace open until the request is sent.
    #[cfg(all(feature = "std", target_os = "linux"))]
    pub fn net_ns(self, namespace: &crate::Namespace) -> Self {
        self.net_ns_fd(std::os::fd::AsRawFd::as_raw_fd(namespace))
    }

    /// Requests promiscuous mode, or withdraws the request. Requests of other users are independent of it.
    pub fn promisc(self, on: bool) -> Self {
        self.set_flags(LinkFlags::PROMISC, on)
    }

    /// Requests all multicast, or withdraws the request. Requests of other users are independent of it.
    pub fn allmulti(self, on: bool) -> Self {
        self.set_flags(LinkFlags::ALLMULTI, on)
    }

    /// Whether the link uses ARP to find link-layer addresses.
    pub fn arp(self, on: bool) -> Self {
        self.set_flags(LinkFlags::NOARP, !on)
    }

    /// Whether it can send multicast.
    pub fn multicast(self, on: bool) -> Self {
        self.set_flags(LinkFlags::MULTICAST, on)
    }

    /// Marks that the link loses its addresses when it goes down. The mark is for user space.
    pub fn dynamic(self, on: bool) -> Self {
        self.set_flags(LinkFlags::DYNAMIC, on)
    }

    /// Whether the driver may write more to the kernel log.
    pub fn debug(self, on: bool) -> Self {
        self.set_flags(LinkFlags::DEBUG, on)
    }

    /// Renames the link. Give the link by its index: with a name, the kernel would search the new name.
    /// Before Linux 6.2 the link must be down.
    pub fn rename(mut self, name: &str) -> Self {
        let mut index = 0;
        self.0.edit(|header: &mut LinkHeader| index = header.index);
        if index == 0 {
            self.0.writer().fail(Unsendable::Value("a link is renamed by index only"));
        }
        self.name(name)
    }

    /// Removes the link from its bridge, bond or VRF.
    pub fn no_master(self) -> Self {
        self.master(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{Bridge, BridgePort};
    use alloc::vec::Vec;
    use netlink_core::Error;
    use netlink_testing::native;

    /// The message without length, sequence and port, which all messages have.
    fn bytes<R>(request: &LinkRequest<R>) -> Vec<u8> {
        let bytes = request.to_bytes().unwrap();
        assert_eq!(bytes[..4], u32::try_from(bytes.len()).unwrap().to_ne_bytes());
        [&bytes[4..8], &bytes[16..]].concat()
    }

    /// Type, flags, index, flags, change.
    fn head(kind: u8, flags: u16, index: u8, up: u8, change: u8) -> [u8; 20] {
        let [low, high] = flags.to_le_bytes();
        native([kind, 0, low, high, 0, 0, 0, 0, index, 0, 0, 0, up, 0, 0, 0, change, 0, 0, 0], &[2, 2, 4])
    }

    #[test]
    fn links_are_made() {
        // Like `ip link add name d index 7 up type dummy`, except for the nested flags.
        let made = bytes(&create("d").index(7).up().kind("dummy"));
        assert_eq!(made[..20], head(16, 0x605, 7, 1, 1));
        let attrs = native(
            [6, 0, 3, 0, b'd', 0, 0, 0, 16, 0, 18, 0x80, 10, 0, 1, 0, b'd', b'u', b'm', b'm', b'y', 0],
            &[2, 2, 1, 1, 1, 1, 2, 2, 2, 2, 1],
        );
        assert_eq!(made[20..], [&attrs[..], &[0, 0]].concat());
        let elsewhere = bytes(&create("d").link(2).link_netnsid(3).net_ns_pid(4).net_ns_fd(5));
        let attrs = native(
            [
                8, 0, 5, 0, 2, 0, 0, 0, 8, 0, 37, 0, 3, 0, 0, 0, 8, 0, 19, 0, 4, 0, 0, 0, 8, 0, 28, 0, 5, 0,
                0, 0,
            ],
            &[2, 2, 4, 2, 2, 4, 2, 2, 4, 2, 2, 4],
        );
        assert_eq!(elsewhere[28..], attrs);
    }

    #[test]
    fn links_are_found_by_index_name_and_long_name() {
        assert_eq!(bytes(&get(9)), head(18, 1, 9, 0, 0));
        let named = [&head(18, 1, 0, 0, 0)[..], &native([7, 0, 3, 0, b'l', b'o', 0, 0], &[2, 2, 1])].concat();
        assert_eq!(bytes(&get("lo")), named);
        let long = bytes(&get("sixteen-is-a-lot"));
        assert_eq!(long[20..24], native([21, 0, 53, 0], &[2]));
        assert!(matches!(get(0).to_bytes(), Err(Error::Request(_))));
        assert!(matches!(delete(0).to_bytes(), Err(Error::Request(_))));
        assert!(matches!(get(&"x".repeat(128)).to_bytes(), Err(Error::Request(_))));
    }

    #[test]
    fn lists_are_filtered_by_the_kernel() {
        let all = bytes(&list());
        // F3: only with a mask does the kernel compute the size of links.
        let mask = native([8, 0, 29, 0, 16, 0, 0, 0], &[2, 2, 4]);
        assert_eq!(all, [&head(18, 0x301, 0, 0, 0)[..], &mask].concat());
        assert_eq!(bytes(&list().ext_mask(ExtMask::empty()))[20..], [mask, mask].concat());
        let some = bytes(&list().master(4).of_kind("veth").ext_mask(ExtMask::VF | ExtMask::SKIP_STATS));
        let attrs = native(
            [
                8, 0, 10, 0, 4, 0, 0, 0, // IFLA_MASTER
                16, 0, 18, 0x80, 9, 0, 1, 0, b'v', b'e', b't', b'h', 0, 0, 0,
                0, // IFLA_LINKINFO, IFLA_INFO_KIND
                8, 0, 29, 0, 9, 0, 0, 0, // IFLA_EXT_MASK
            ],
            &[2, 2, 4, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 4],
        );
        assert_eq!(some[28..], attrs);
        assert_eq!(
            bytes(&list().target_netnsid(-2))[28..],
            native([8, 0, 46, 0, 0xfe, 0xff, 0xff, 0xff], &[2, 2, 4])
        );
    }

    // F4.
    #[test]
    fn links_that_were_not_requested_are_skipped() {
        let reply = |link: LinkRequest<()>, filtered: bool| {
            let flags = if filtered { MessageFlags::DUMP_FILTERED } else { MessageFlags::empty() };
            link.into_request().with_flags(flags).to_bytes().unwrap()
        };
        let veth = || create("v").kind("veth").master(4);
        let passes = |list: LinkRequest<_>, reply: &[u8]| {
            list.passes(&netlink_core::Messages::new(reply).next().unwrap().unwrap())
        };
        for (list, unfiltered, filtered) in [
            (list(), true, true),
            (list().of_kind("veth"), true, true),
            // A kernel that reports filtering is trusted, but it may have used only one of both filters.
            (list().of_kind("dummy"), false, true),
            (list().of_kind("dummy").master(4), false, false),
            (list().of_kind("veth").master(4), true, true),
            (list().master(5), false, true),
            (list().master(0), true, true),
            (list().master(u32::MAX), false, true),
        ] {
            assert_eq!(passes(list.clone(), &reply(veth(), false)), unfiltered, "{list:?}");
            assert_eq!(passes(list.clone(), &reply(veth(), true)), filtered, "{list:?}");
        }
        assert!(!passes(list().of_kind("veth"), &reply(create("l"), false)));
        assert!(passes(list().master(u32::MAX), &reply(create("l"), false)));
        assert!(list().check().is_none() && get("l").of_kind("veth").check().is_none());
        // An unreadable link is reported, not skipped.
        let broken = reply(create("l").attr(10, &netlink_core::Bytes(&[1])), false);
        assert!(passes(list().of_kind("veth"), &broken));
    }

    #[test]
    fn links_are_changed() {
        assert_eq!(bytes(&set(3).up()), head(16, 5, 3, 1, 1));
        assert_eq!(bytes(&set(3).down()), head(16, 5, 3, 0, 1));
        assert_eq!(bytes(&set(3).arp(true).up()), head(16, 5, 3, 1, 0x81));
        assert_eq!(
            bytes(&set(3).promisc(true).allmulti(true))[12..20],
            native([0, 3, 0, 0, 0, 3, 0, 0], &[4])
        );
        assert_eq!(
            bytes(&set(3).multicast(false).dynamic(true).debug(true))[12..20],
            native([4, 0x80, 0, 0, 4, 0x90, 0, 0], &[4])
        );
        assert_eq!(bytes(&set(3).no_master())[20..], native([8, 0, 10, 0, 0, 0, 0, 0], &[2, 2, 4]));
        assert_eq!(bytes(&set(3).rename("n"))[20..], native([6, 0, 3, 0, b'n', 0, 0, 0], &[2, 2, 1]));
        assert!(matches!(set("o").rename("n").to_bytes(), Err(Error::Request(_))));
        assert_eq!(bytes(&set(3).alias(""))[20..], native([4, 0, 20, 0], &[2]));
        let group = [&head(16, 5, 0, 1, 1)[..], &native([8, 0, 27, 0, 6, 0, 0, 0], &[2, 2, 4])].concat();
        assert_eq!(bytes(&set_group(6).up()), group);
        let both =
            set(3).info(LinkInfo::new().kind(Bridge::new().priority(1)).slave(BridgePort::new().cost(2)));
        assert_eq!(bytes(&both).len(), 20 + 4 + 12 + 12 + 12 + 12);
    }

    #[test]
    fn links_are_deleted() {
        assert_eq!(bytes(&delete(3)), head(17, 5, 3, 0, 0));
        let group = [&head(17, 5, 0, 0, 0)[..], &native([8, 0, 27, 0, 6, 0, 0, 0], &[2, 2, 4])].concat();
        assert_eq!(bytes(&delete_group(6)), group);
        assert!(matches!(delete_group(0).to_bytes(), Err(Error::Request(_))));
        // F4: the kernel would delete them regardless of kind and master.
        for request in
            [delete("v0").of_kind("veth"), delete_group(6).of_kind("veth"), delete_group(6).master(3)]
        {
            assert!(matches!(request.to_bytes(), Err(Error::Request(_))));
        }
        assert!(delete("v0").target_netnsid(1).to_bytes().is_ok());
    }

    #[test]
    fn alternative_names_come_and_go() {
        let props = native(
            [20, 0, 52, 0x80, 6, 0, 53, 0, b'a', 0, 0, 0, 7, 0, 53, 0, b'b', b'c', 0, 0],
            &[2, 2, 2, 2, 1, 1, 1, 1, 2, 2, 1],
        );
        assert_eq!(bytes(&add_alt_names(3, &["a", "bc"])), [&head(108, 0xe05, 3, 0, 0)[..], &props].concat());
        assert_eq!(bytes(&delete_alt_names(3, &["a", "bc"])), [&head(109, 5, 3, 0, 0)[..], &props].concat());
    }
}
