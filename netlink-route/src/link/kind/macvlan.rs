//! Links with their own hardware address on top of another link: macvlan and macvtap. Kernel side:
//! `drivers/net/macvlan.c`.

use netlink_core::{HwAddr, Many, attrs, flags, values};

use super::Kind;

values! {
    /// `MACVLAN_MODE_*`: the traffic between links on the same lower link.
    pub struct MacvlanMode: u32 {
        /// No traffic.
        1 MACVLAN_MODE_PRIVATE PRIVATE "private",
        /// All traffic, through the external switch. The default.
        2 MACVLAN_MODE_VEPA VEPA "vepa",
        /// All traffic, directly.
        4 MACVLAN_MODE_BRIDGE BRIDGE "bridge",
        /// This link uses the lower link alone.
        8 MACVLAN_MODE_PASSTHRU PASSTHRU "passthru",
        /// The link receives only from a list of source addresses.
        16 MACVLAN_MODE_SOURCE SOURCE "source",
    }
}

flags! {
    /// `MACVLAN_FLAG_*`.
    pub struct MacvlanFlags: u16 {
        /// Do not put the lower link into promiscuous mode; only with [`MacvlanMode::PASSTHRU`].
        0x1 MACVLAN_FLAG_NOPROMISC NOPROMISC,
        /// A frame that is received because of its source goes to no other link. Linux 5.13.
        0x2 MACVLAN_FLAG_NODST NODST,
    }
}

values! {
    /// `MACVLAN_MACADDR_*`: how to change the list of source addresses.
    pub struct MacvlanAddrChange: u32 {
        /// Add one.
        0 MACVLAN_MACADDR_ADD ADD "add",
        /// Remove one.
        1 MACVLAN_MACADDR_DEL DEL "del",
        /// Remove all.
        2 MACVLAN_MACADDR_FLUSH FLUSH "flush",
        /// Replace the list.
        3 MACVLAN_MACADDR_SET SET "set",
    }
}

attrs! {
    /// A list of source addresses.
    pub struct MacListAttrs<'a> for MacList {
        /// The addresses.
        4 IFLA_MACVLAN_MACADDR addresses: Many<'a, HwAddr>,
    }
}

attrs! {
    /// `IFLA_MACVLAN_*`: a macvlan or macvtap on the link that `IFLA_LINK` names.
    pub struct MacvlanAttrs<'a> for Macvlan {
        /// Mode.
        1 IFLA_MACVLAN_MODE mode: MacvlanMode,
        /// Options.
        2 IFLA_MACVLAN_FLAGS flags: MacvlanFlags,
        /// How to change the source addresses; needs [`MacvlanMode::SOURCE`]. Never in a reply.
        3 IFLA_MACVLAN_MACADDR_MODE addr_change: MacvlanAddrChange,
        /// The address to add or to remove. Never in a reply.
        4 IFLA_MACVLAN_MACADDR addr: HwAddr,
        /// The source addresses.
        5 IFLA_MACVLAN_MACADDR_DATA addrs: MacListAttrs<'a>,
        /// Number of source addresses. Read-only.
        6 IFLA_MACVLAN_MACADDR_COUNT addr_count -> u32,
        /// Length of the lower link's queue for broadcasts, as requested for this link. Default 1000. Linux 5.11.
        7 IFLA_MACVLAN_BC_QUEUE_LEN bc_queue_len: u32,
        /// The largest length that any link on the lower link requested. Read-only. Linux 5.11.
        8 IFLA_MACVLAN_BC_QUEUE_LEN_USED bc_queue_len_used -> u32,
        /// A multicast to more links than this waits in the queue; -1 means never. Default 1. Linux 6.4.
        9 IFLA_MACVLAN_BC_CUTOFF bc_cutoff: i32,
    }
}

impl Macvlan {
    /// Adds a source address.
    pub fn add_addr(self, addr: impl Into<HwAddr>) -> Self {
        self.addr_change(MacvlanAddrChange::ADD).addr(addr.into())
    }

    /// Removes a source address.
    pub fn delete_addr(self, addr: impl Into<HwAddr>) -> Self {
        self.addr_change(MacvlanAddrChange::DEL).addr(addr.into())
    }

    /// Removes all source addresses.
    pub fn flush_addrs(self) -> Self {
        self.addr_change(MacvlanAddrChange::FLUSH)
    }

    /// Replaces the source addresses.
    pub fn set_addrs(self, addrs: &[HwAddr]) -> Self {
        self.addr_change(MacvlanAddrChange::SET).addrs(MacList::new().addresses(addrs))
    }

    /// The same parameters for a macvtap. A macvtap has a character device `/dev/tapN` instead of the host's
    /// network stack.
    pub fn tap(self) -> Kind<'static> {
        Kind::Macvtap(self.attrs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link;
    use netlink_testing::native;

    const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];

    #[test]
    fn a_macvtap_is_made() {
        let kind = Macvlan::new().mode(MacvlanMode::BRIDGE).flags(MacvlanFlags::NODST).tap();
        let bytes = link::create("m").link(2).kind(kind).to_bytes().unwrap();
        let info = native(
            [
                36, 0, 18, 0x80, // IFLA_LINKINFO
                12, 0, 1, 0, b'm', b'a', b'c', b'v', b't', b'a', b'p', 0, // IFLA_INFO_KIND
                20, 0, 2, 0x80, // IFLA_INFO_DATA
                8, 0, 1, 0, 4, 0, 0, 0, // IFLA_MACVLAN_MODE
                6, 0, 2, 0, 2, 0, 0, 0, // IFLA_MACVLAN_FLAGS
            ],
            &[2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 2],
        );
        assert_eq!(bytes[48..], info);
    }

    #[test]
    fn source_addresses_are_changed() {
        let set = Macvlan::new().set_addrs(&[MAC.into(), MAC.into()]).attrs();
        let list = set.addrs().unwrap();
        assert!(list.addresses().unwrap().iter().eq([MAC.into(), MAC.into()]));
        assert_eq!(set.addr_change(), Some(MacvlanAddrChange::SET));
        let bytes = link::set(5).kind(Macvlan::new().add_addr(MAC)).to_bytes().unwrap();
        let data = native(
            [
                24, 0, 2, 0x80, 8, 0, 3, 0, 0, 0, 0, 0, // IFLA_MACVLAN_MACADDR_MODE
                10, 0, 4, 0, 2, 0, 0, 0, 0, 1, 0, 0, // IFLA_MACVLAN_MACADDR
            ],
            &[2, 2, 2, 2, 4, 2, 2, 1],
        );
        assert_eq!(bytes[48..], data);
    }
}
