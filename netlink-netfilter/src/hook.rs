//! Functions hooked into the path of packets: chains of nftables, connection tracking, NAT and others, in the
//! order in which they run. `nft list hooks` as a library. Linux 5.14. Kernel side:
//! `uapi/linux/netfilter/nfnetlink_hook.h`, `net/netfilter/nfnetlink_hook.c`.
//!
//! ```no_run
//! use netlink_netfilter::Family;
//! use netlink_netfilter::hook::{self, InetHook, NetdevHook, Owner};
//!
//! # fn main() -> Result<(), netlink_netfilter::Error> {
//! let mut nl = netlink_netfilter::connect()?;
//! let mut hooked = nl.dump(hook::ip(Family::IPV4, InetHook::LOCAL_IN))?;
//! while let Some(function) = hooked.next()? {
//!     let chain = function.chain_info();
//!     match chain.as_ref().and_then(|info| info.owner()) {
//!         Some(Owner::Chain(chain)) => println!("{:?} {:?}", chain.table(), chain.name()),
//!         _ => println!("{:?}", function.function_name()),
//!     }
//! }
//! let ingress = hook::netdev("eth0", NetdevHook::INGRESS);
//! # Ok(())
//! # }
//! ```

use core::fmt;

use netlink_core::{Be, Dump, MessageFlags, Request, Str, attrs, choice, message, values};

use crate::{Family, Header};

values! {
    /// `NF_INET_*`: hooks of IPv4 and IPv6.
    pub struct InetHook: Be<u32> {
        /// Packets that arrived.
        0 NF_INET_PRE_ROUTING PRE_ROUTING "prerouting",
        /// Packets for this machine.
        1 NF_INET_LOCAL_IN LOCAL_IN "input",
        /// Packets to forward.
        2 NF_INET_FORWARD FORWARD "forward",
        /// Packets that this machine sends.
        3 NF_INET_LOCAL_OUT LOCAL_OUT "output",
        /// Packets that leave.
        4 NF_INET_POST_ROUTING POST_ROUTING "postrouting",
    }
}

values! {
    /// `NF_BR_*`: hooks of a bridge.
    pub struct BridgeHook: Be<u32> {
        /// Frames that arrived.
        0 NF_BR_PRE_ROUTING PRE_ROUTING "prerouting",
        /// Frames for this machine.
        1 NF_BR_LOCAL_IN LOCAL_IN "input",
        /// Frames to forward to another port.
        2 NF_BR_FORWARD FORWARD "forward",
        /// Frames that this machine sends.
        3 NF_BR_LOCAL_OUT LOCAL_OUT "output",
        /// Frames that leave.
        4 NF_BR_POST_ROUTING POST_ROUTING "postrouting",
        /// Frames before the decision whether they are bridged. Never listed: it is not such a hook.
        5 NF_BR_BROUTING BROUTING "brouting",
    }
}

values! {
    /// `NF_ARP_*`: hooks of ARP.
    pub struct ArpHook: Be<u32> {
        /// Messages that arrived.
        0 NF_ARP_IN IN "input",
        /// Messages that leave.
        1 NF_ARP_OUT OUT "output",
        /// Messages that cross a bridge.
        2 NF_ARP_FORWARD FORWARD "forward",
    }
}

values! {
    /// `NF_NETDEV_*`: hooks of a link.
    pub struct NetdevHook: Be<u32> {
        /// On reception.
        0 NF_NETDEV_INGRESS INGRESS "ingress",
        /// On sending. Linux 5.16.
        1 NF_NETDEV_EGRESS EGRESS "egress",
    }
}

values! {
    /// `NFNL_HOOK_TYPE_*`: the kind of a function's owner.
    pub struct OwnerKind: Be<u32> {
        /// A chain of nftables.
        1 NFNL_HOOK_TYPE_NFTABLES CHAIN "chain",
        /// A BPF program. Linux 6.4.
        2 NFNL_HOOK_TYPE_BPF BPF "bpf",
        /// A flow table of nftables. Linux 6.17.
        3 NFNL_HOOK_TYPE_NFT_FLOWTABLE FLOWTABLE "flowtable",
    }
}

attrs! {
    /// `NFNLA_CHAIN_*`: a chain, or a flow table.
    pub struct ChainAttrs<'a> for Chain {
        /// Name of its table.
        1 NFNLA_CHAIN_TABLE table: Str<'a>,
        /// Family of its table.
        2 NFNLA_CHAIN_FAMILY family: Family,
        /// Its name.
        3 NFNLA_CHAIN_NAME name: Str<'a>,
    }
}

attrs! {
    /// `NFNLA_HOOK_BPF_*`: a BPF program. Linux 6.4.
    pub struct BpfAttrs<'a> for Bpf {
        /// Id of the program.
        1 NFNLA_HOOK_BPF_ID id: Be<u32> as u32,
    }
}

choice! {
    /// The owner of a function.
    pub enum Owner<'a> by 2 kind: OwnerKind {
        /// A chain of nftables.
        OwnerKind::CHAIN => Chain(ChainAttrs<'a>),
        /// A BPF program. Linux 6.4.
        OwnerKind::BPF => Bpf(BpfAttrs<'a>),
        /// A flow table of nftables. Linux 6.17.
        OwnerKind::FLOWTABLE => Flowtable(ChainAttrs<'a>),
    }
}

attrs! {
    /// `NFNLA_HOOK_INFO_*`: the owner of a function.
    pub struct ChainInfoAttrs<'a> for ChainInfo {
        /// The owner.
        1 NFNLA_HOOK_INFO_DESC owner: Owner<'a>,
        /// The kind of the owner.
        2 NFNLA_HOOK_INFO_TYPE kind: OwnerKind,
    }
}

attrs! {
    /// `NFNLA_HOOK_*`: a hooked function.
    pub struct HookAttrs<'a> for HookRequest<R> {
        /// The hook: [`InetHook`], [`BridgeHook`], [`ArpHook`] or [`NetdevHook`], depending on the family.
        1 NFNLA_HOOK_HOOKNUM hooknum: Be<u32> as u32,
        /// Priority: the lowest runs first.
        2 NFNLA_HOOK_PRIORITY priority: Be<i32> as i32,
        /// Name of the link; only in requests.
        3 NFNLA_HOOK_DEV dev: Str<'a, 15>,
        /// The kernel's name of the function.
        4 NFNLA_HOOK_FUNCTION_NAME function_name: Str<'a>,
        /// The kernel module of the function; absent if it is built in.
        5 NFNLA_HOOK_MODULE_NAME module_name: Str<'a>,
        /// The owner; absent for functions of the kernel itself.
        6 NFNLA_HOOK_CHAIN_INFO chain_info: ChainInfoAttrs<'a>,
    }
}

message! {
    /// A hooked function.
    pub struct Hook<'a>(Header, HookAttrs<'a>), HookRequest {
        /// Asks for the functions. The answers have the same type.
        0xc00 NFNL_MSG_HOOK_GET GET,
    }
    on crate::PROTOCOL
}

fn request(family: Family, hooknum: u32) -> HookRequest<Dump<Hook<'static>>> {
    HookRequest::new(&Hook::GET, MessageFlags::DUMP, Header::of(family)).hooknum(hooknum)
}

/// Lists the functions of a hook of IPv4 or IPv6; `EPROTONOSUPPORT` for other families.
///
/// Chains of the family [`INET`](Family::INET) are in both lists.
pub fn ip(family: Family, place: InetHook) -> Request<Dump<Hook<'static>>> {
    request(family, place.0).into_request()
}

/// Lists the functions of a hook of bridges.
pub fn bridge(place: BridgeHook) -> Request<Dump<Hook<'static>>> {
    request(Family::BRIDGE, place.0).into_request()
}

/// Lists the functions of a hook of ARP.
pub fn arp(place: ArpHook) -> Request<Dump<Hook<'static>>> {
    request(Family::ARP, place.0).into_request()
}

/// Lists the functions of a hook of the link with this name; `ENODEV` if there is no such link.
pub fn netdev(link: &str, place: NetdevHook) -> Request<Dump<Hook<'static>>> {
    request(Family::NETDEV, place.0).dev(link).into_request()
}

impl Hook<'_> {
    /// The family of the request.
    pub fn family(&self) -> Family {
        self.header().family
    }
}

/// As a line of `nft list hooks`: priority, chain or function, module.
impl fmt::Display for Hook<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let priority = self.priority().unwrap_or_default();
        let sign = match priority {
            ..0 => '-',
            0 => ' ',
            1.. => '+',
        };
        write!(f, "{sign}{:010}", priority.unsigned_abs())?;
        let info = self.chain_info().unwrap_or_default();
        let object = |f: &mut fmt::Formatter<'_>, kind: &str, of: ChainAttrs<'_>| {
            let family = match of.family().unwrap_or_default() {
                Family::IPV4 => "ip",
                Family::IPV6 => "ip6",
                other => other.name().unwrap_or("unknown"),
            };
            let [table, name] = [of.table(), of.name()].map(Option::unwrap_or_default);
            write!(f, " {kind} {family} {table} {name}")
        };
        match info.owner() {
            Some(Owner::Chain(chain)) => object(f, "chain", chain)?,
            Some(Owner::Flowtable(table)) => object(f, "flowtable", table)?,
            _ => write!(f, " {}", self.function_name().unwrap_or_default())?,
        }
        match (info.owner(), self.module_name()) {
            (Some(Owner::Bpf(program)), _) => write!(f, " id {}", program.id().unwrap_or_default()),
            (_, Some(module)) => write!(f, " [{module}]"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use netlink_core::Messages;
    use netlink_testing::native;

    fn shown(request: HookRequest<Dump<Hook<'static>>>) -> alloc::string::String {
        let bytes = request.to_bytes().unwrap();
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        Hook::read(&message).unwrap().to_string()
    }

    fn owned(kind: OwnerKind, owner: Owner<'_>) -> HookRequest<Dump<Hook<'static>>> {
        let info = ChainInfo::new().kind(kind).owner(owner);
        request(Family::ARP, ArpHook::OUT.0)
            .priority(-300)
            .function_name("nft_do_chain_arp")
            .module_name("m")
            .chain_info(info)
    }

    #[test]
    fn a_request_has_family_and_hook() {
        let bytes = netdev("eth0", NetdevHook::EGRESS).to_bytes().unwrap();
        assert_eq!(bytes[4..8], native([0, 12, 1, 3], &[2]));
        let expected = native(
            [5, 0, 0, 0, 8, 0, 1, 0, 0, 0, 0, 1, 9, 0, 3, 0, b'e', b't', b'h', b'0', 0, 0, 0, 0],
            &[1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 2, 2, 1],
        );
        assert_eq!(bytes[16..], expected);
        assert_eq!(ip(Family::IPV6, InetHook::FORWARD).to_bytes().unwrap()[16], 10);
    }

    #[test]
    fn the_kind_selects_the_owner() {
        let chain = || Chain::new().table("t").family(Family::IPV4).name("c").attrs();
        let kinds = [
            (OwnerKind::CHAIN, Owner::Chain(chain()), "chain ip t c [m]"),
            (OwnerKind::FLOWTABLE, Owner::Flowtable(chain()), "flowtable ip t c [m]"),
            (OwnerKind::BPF, Owner::Bpf(Bpf::new().id(7).attrs()), "nft_do_chain_arp id 7"),
            (OwnerKind(9), Owner::Other(OwnerKind(9), [1, 2][..].into()), "nft_do_chain_arp [m]"),
        ];
        for (kind, owner, text) in kinds {
            let request = owned(kind, owner.clone());
            let bytes = request.to_bytes().unwrap();
            let message = Messages::new(&bytes).next().unwrap().unwrap();
            let read = Hook::read(&message).unwrap();
            assert_eq!(read.chain_info().unwrap().owner(), Some(owner));
            assert_eq!(read.to_string(), alloc::format!("-0000000300 {text}"));
        }
    }

    #[test]
    fn priorities_have_a_sign() {
        let of = |priority| shown(request(Family::ARP, ArpHook::IN.0).priority(priority).function_name("f"));
        assert_eq!(of(0), " 0000000000 f");
        assert_eq!(of(10), "+0000000010 f");
        assert_eq!(of(i32::MIN), "-2147483648 f");
    }
}
