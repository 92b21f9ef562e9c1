//! Packets that are logged: a rule such as `log group 5` sends a copy of each to the process that has bound the group.
//! Kernel side: `uapi/linux/netfilter/nfnetlink_log.h`, `net/netfilter/nfnetlink_log.c`.
//!
//! ```no_run
//! # #[cfg(all(feature = "std", target_os = "linux"))]
//! # fn main() -> Result<(), netlink_netfilter::Error> {
//! use netlink_netfilter::log::{self, Arrival, Log, Mode};
//!
//! // At once, instead of a hundred packets or a second later.
//! let mut log = Log::open(&log::bind(5, Mode::first(128)).threshold(1))?;
//! loop {
//!     match log.next()? {
//!         Arrival::Packet { packet, missed } => {
//!             println!("{:?}: {:?}, {missed:?} lost", packet.prefix(), packet.payload());
//!         }
//!         Arrival::Overrun => {}
//!     }
//! }
//! # }
//! # #[cfg(not(all(feature = "std", target_os = "linux")))]
//! # fn main() {}
//! ```
//!
//! What the kernel does, where one might wonder:
//!
//! - A group belongs to one socket at a time: to bind one that is bound fails with `EPERM`, as without
//!   `CAP_NET_ADMIN`, and with `EBUSY` if it was this socket that bound it. It is gone when its socket is closed.
//! - Packets are collected and sent together, as soon as there are [`threshold`](ConfigRequest::threshold) of them, they
//!   fill the [`buffer_size`](ConfigRequest::buffer_size), or [`timeout`](ConfigRequest::timeout) is over. A rule's own
//!   `queue-threshold` counts if it is smaller.
//! - A rule's `snaplen` shortens what [`Mode`] copies. Nothing tells the length of a packet that was cut.

#[cfg(all(feature = "std", target_os = "linux"))]
mod listen;
#[cfg(all(feature = "tokio", target_os = "linux"))]
pub mod tokio;

use core::fmt;

use netlink_core::layout::Pad;
use netlink_core::{
    Be, Bytes, Errno, KernelError, MessageFlags, Messages, Str, attrs, flags, layout, message, values,
};

#[cfg(all(feature = "std", target_os = "linux"))]
pub use listen::{Arrival, Log};

use crate::conntrack::{ConntrackAttrs, PacketState};
pub use crate::packet::{Hook, Source, Timestamp};
use crate::{Family, Header};

layout! {
    /// `struct nfulnl_msg_packet_hdr`.
    pub struct PacketHeader: nfulnl_msg_packet_hdr = 4 {
        /// The network protocol, as in an Ethernet header: 0x0800 is IPv4.
        protocol: Be<u16>,
        /// Where the packet was logged.
        hook: Hook,
        /// Nothing.
        pad: Pad<1>,
    }
}

attrs! {
    /// `NFULA_VLAN_*`.
    pub struct VlanAttrs<'a> for Vlan {
        /// The tag's protocol: 0x8100 is 802.1Q, 0x88a8 802.1ad.
        1 NFULA_VLAN_PROTO protocol: Be<u16> as u16,
        /// Id, priority and drop eligibility.
        2 NFULA_VLAN_TCI tci: Be<u16> as u16,
    }
}

attrs! {
    /// `NFULA_*`.
    pub struct PacketAttrs<'a> for PacketRequest<R> {
        /// Protocol and hook.
        1 NFULA_PACKET_HDR packet_header: PacketHeader,
        /// The packet's mark; absent is 0.
        2 NFULA_MARK mark: Be<u32> as u32,
        /// When it came in; of a packet that comes from this machine, never. Older kernels, 6.1 for one, tell it only
        /// while somebody has packets timed.
        3 NFULA_TIMESTAMP timestamp: Timestamp,
        /// The link it came in through: a bridge, where it came in through a port.
        4 NFULA_IFINDEX_INDEV indev: Be<u32> as u32,
        /// The link it will go out through, likewise.
        5 NFULA_IFINDEX_OUTDEV outdev: Be<u32> as u32,
        /// The bridge port it came in through.
        6 NFULA_IFINDEX_PHYSINDEV physindev: Be<u32> as u32,
        /// The bridge port it will go out through.
        7 NFULA_IFINDEX_PHYSOUTDEV physoutdev: Be<u32> as u32,
        /// The link-layer address it came from.
        8 NFULA_HWADDR hwaddr: Source,
        /// The packet from its network header on, as far as the group copies it.
        9 NFULA_PAYLOAD payload: Bytes<'a>,
        /// The text of the rule that logged it.
        10 NFULA_PREFIX prefix: Str<'a>,
        /// User of the socket that sent it, as the user namespace of the listener numbers it; of packets of this
        /// machine.
        11 NFULA_UID uid: Be<u32> as u32,
        /// The packet's number in its group: the first one is 0. With [`LogFlags::SEQ`].
        12 NFULA_SEQ seq: Be<u32> as u32,
        /// The packet's number among those of all groups of the namespace that have [`LogFlags::SEQ_GLOBAL`]: the
        /// first one is 1.
        13 NFULA_SEQ_GLOBAL seq_global: Be<u32> as u32,
        /// Group of the socket that sent it, likewise.
        14 NFULA_GID gid: Be<u32> as u32,
        /// `ARPHRD_*`: the kind of the link it came in through.
        15 NFULA_HWTYPE hwtype: Be<u16> as u16,
        /// Its link-layer header.
        16 NFULA_HWHEADER hwheader: Bytes<'a>,
        /// Length of that.
        17 NFULA_HWLEN hwlen: Be<u16> as u16,
        /// The packet's connection; with [`LogFlags::CONNTRACK`]. Linux 4.4.
        18 NFULA_CT ct: ConntrackAttrs<'a>,
        /// What the packet is to its connection. Linux 4.4.
        19 NFULA_CT_INFO ct_info: PacketState,
        /// VLAN tag, in the families `bridge` and `netdev`. Linux 5.4.
        20 NFULA_VLAN vlan: VlanAttrs<'a>,
        /// Link-layer header, in the families `bridge` and `netdev`. Linux 5.4.
        21 NFULA_L2HDR l2_header: Bytes<'a>,
    }
}

message! {
    /// A logged packet.
    pub struct Packet<'a>(Header, PacketAttrs<'a>), PacketRequest {
        /// A packet; the kernel sends it.
        0x0400 NFULNL_MSG_PACKET PACKET [received],
    }
    on crate::PROTOCOL
}

impl Packet<'_> {
    /// The group that it was logged to.
    pub fn group(&self) -> u16 {
        self.header().resource.0
    }

    /// Where it was logged.
    pub fn hook(&self) -> Option<Hook> {
        self.packet_header().map(|header| header.hook)
    }
}

values! {
    /// `NFULNL_CFG_CMD_*`.
    pub struct Command: u8 {
        /// Nothing.
        0 NFULNL_CFG_CMD_NONE NONE "none",
        /// Bind the group.
        1 NFULNL_CFG_CMD_BIND BIND "bind",
        /// Unbind it.
        2 NFULNL_CFG_CMD_UNBIND UNBIND "unbind",
        /// Let a family's default logger be this one.
        3 NFULNL_CFG_CMD_PF_BIND PF_BIND "pf-bind",
        /// Leave a family without a default logger.
        4 NFULNL_CFG_CMD_PF_UNBIND PF_UNBIND "pf-unbind",
    }
}

values! {
    /// `NFULNL_COPY_*`: what a process sees of a packet.
    pub struct CopyMode: u8 {
        /// The same as `META`.
        0 NFULNL_COPY_NONE NONE "none",
        /// All but the payload.
        1 NFULNL_COPY_META META "meta",
        /// The payload as well.
        2 NFULNL_COPY_PACKET PACKET "packet",
    }
}

layout! {
    /// `struct nfulnl_msg_config_mode`.
    pub struct Mode: nfulnl_msg_config_mode = 6 {
        /// Most bytes of the payload; 0, and whatever is more than 65531, is 65531.
        copy_range: Be<u32>,
        /// What is copied. The kernel ignores a mode it doesn't know.
        copy_mode: CopyMode,
        /// Nothing.
        pad: Pad<1>,
    }
}

impl Mode {
    /// All but the payload.
    pub const fn meta() -> Self {
        Self { copy_range: Be(0), copy_mode: CopyMode::META, pad: Pad }
    }

    /// So many bytes of the payload, from the network header on.
    pub const fn first(bytes: u32) -> Self {
        Self { copy_range: Be(bytes), copy_mode: CopyMode::PACKET, pad: Pad }
    }

    /// The whole payload, up to 65531 bytes.
    pub const fn whole() -> Self {
        Self::first(0)
    }
}

flags! {
    /// `NFULNL_CFG_F_*`.
    pub struct LogFlags: Be<u16> {
        /// Number the packets of the group.
        1 NFULNL_CFG_F_SEQ SEQ,
        /// Number the packets of all groups.
        2 NFULNL_CFG_F_SEQ_GLOBAL SEQ_GLOBAL,
        /// Tell the packets' connections. Linux 4.4.
        4 NFULNL_CFG_F_CONNTRACK CONNTRACK,
    }
}

layout! {
    /// `struct nfulnl_msg_config_cmd`.
    pub struct ConfigCommand: nfulnl_msg_config_cmd = 1 {
        /// The command.
        command: Command,
    }
}

attrs! {
    /// `NFULA_CFG_*`.
    pub struct ConfigAttrs<'a> for ConfigRequest<R> {
        /// What is done.
        1 NFULA_CFG_CMD command: ConfigCommand,
        /// What is copied of each packet: all of it at first.
        2 NFULA_CFG_MODE mode: Mode,
        /// Bytes of packets to collect: 3776 at first, or what the kernel calls `NLMSG_GOODSIZE`. It ignores less than
        /// that, and more than 131072.
        3 NFULA_CFG_NLBUFSIZ buffer_size: Be<u32> as u32,
        /// How long to collect packets, in hundredths of a second: 100 at first.
        4 NFULA_CFG_TIMEOUT timeout: Be<u32> as u32,
        /// How many packets to collect: 100 at first.
        5 NFULA_CFG_QTHRESH threshold: Be<u32> as u32,
        /// All flags, also those that are to stay on. `EOPNOTSUPP` for `CONNTRACK` in a kernel without.
        6 NFULA_CFG_FLAGS flags: LogFlags,
    }
}

/// `group 3`: what errors call a group.
fn subject(config: &Config<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "group {}", config.header().resource)
}

message! {
    /// How a group works.
    pub struct Config<'a>(Header, ConfigAttrs<'a>), ConfigRequest {
        /// Binds, unbinds or configures one.
        0x0401 NFULNL_MSG_CONFIG CONFIG,
    }
    about subject
    hint why
    on crate::PROTOCOL
}

/// What an errno may mean here.
fn why(error: &KernelError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let message = Messages::new(error.ext_ack().request()).next().and_then(Result::ok);
    let flags = message.and_then(|message| Config::read(&message).ok()?.flags());
    match error.errno() {
        Errno::EPERM => f.write_str(
            "; either CAP_NET_ADMIN is missing, or another socket has the group: \
             /proc/net/netfilter/nfnetlink_log tells its port",
        ),
        Errno::EOPNOTSUPP if flags.is_some_and(|flags| flags.contains(LogFlags::CONNTRACK)) => {
            f.write_str("; the kernel may lack the flag CONNTRACK, or the module nf_conntrack_netlink")
        }
        _ => Ok(()),
    }
}

/// Binds a group to the socket that asks, with [`LogFlags::SEQ`], so that losses are counted. A later
/// [`flags`](ConfigRequest::flags) replaces that.
///
/// ```
/// use netlink_netfilter::log::{self, LogFlags, Mode};
///
/// let request = log::bind(5, Mode::whole()).threshold(10).timeout(50).flags(LogFlags::SEQ | LogFlags::CONNTRACK);
/// ```
pub fn bind(group: u16, mode: Mode) -> ConfigRequest<()> {
    command(Command::BIND, Family::UNSPEC, group).mode(mode).flags(LogFlags::SEQ)
}

/// Unbinds a group of this socket; packets that are collected are sent first.
pub fn unbind(group: u16) -> ConfigRequest<()> {
    command(Command::UNBIND, Family::UNSPEC, group)
}

/// Changes a group of this socket; setters say what. `ENODEV` if nobody has bound it, `EPERM` if another socket has.
pub fn configure(group: u16) -> ConfigRequest<()> {
    let header = Header::of(Family::UNSPEC).resource(group);
    ConfigRequest::new(&Config::CONFIG, MessageFlags::ACK, header)
}

/// Sends group 0 what the kernel logs of its own accord in a family, such as invalid packets of conntrack
/// (`net.netfilter.nf_conntrack_log_invalid`).
pub fn bind_family(family: Family) -> ConfigRequest<()> {
    command(Command::PF_BIND, family, 0)
}

/// Drops what the kernel logs of its own accord in a family, whichever logger it went to.
pub fn unbind_family(family: Family) -> ConfigRequest<()> {
    command(Command::PF_UNBIND, family, 0)
}

fn command(command: Command, family: Family, group: u16) -> ConfigRequest<()> {
    configure(group).header(|header| header.family = family).command(ConfigCommand { command })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;
    use netlink_core::Payload as _;
    use netlink_core::testkit::{Replies, answer};
    use netlink_testing::native;

    /// U4, NA5
    #[test]
    fn a_refusal_says_what_it_may_mean() {
        let refused = |request: &ConfigRequest<()>, errno| {
            answer(request, &[&Replies::new().error(errno, &[])]).unwrap_err().to_string()
        };
        let plain = bind(5, Mode::meta());
        assert!(refused(&plain, 1).contains("CAP_NET_ADMIN is missing, or another socket has the group"));
        assert!(!refused(&plain, 95).contains("may lack"));
        assert!(refused(&plain.flags(LogFlags::CONNTRACK), 95).contains("the flag CONNTRACK"));
    }

    #[test]
    fn configurations() {
        let sent = bind(5, Mode::first(64)).threshold(2).timeout(3).buffer_size(4096).to_bytes().unwrap();
        assert_eq!(sent[4..8], native([1, 4, 5, 0], &[2]));
        assert_eq!(sent[16..20], [0, 0, 0, 5]);
        assert_eq!(
            sent[20..40],
            native(
                [5, 0, 1, 0, 1, 0, 0, 0, 10, 0, 2, 0, 0, 0, 0, 64, 2, 0, 0, 0],
                &[2, 2, 1, 1, 1, 1, 2, 2, 1]
            )
        );
        assert_eq!(
            sent[40..56],
            native([6, 0, 6, 0, 0, 1, 0, 0, 8, 0, 5, 0, 0, 0, 0, 2], &[2, 2, 1, 1, 1, 1, 2, 2, 1])
        );
        assert_eq!(
            sent[56..],
            native([8, 0, 4, 0, 0, 0, 0, 3, 8, 0, 3, 0, 0, 0, 16, 0], &[2, 2, 1, 1, 1, 1, 2, 2, 1])
        );
        assert_eq!(unbind(5).to_bytes().unwrap()[20..], native([5, 0, 1, 0, 2, 0, 0, 0], &[2, 2, 1]));
        let family = bind_family(Family::IPV6).to_bytes().unwrap();
        assert_eq!(family[16..], native([10, 0, 0, 0, 5, 0, 1, 0, 3, 0, 0, 0], &[1, 1, 1, 1, 2, 2, 1]));
        assert_eq!(
            unbind_family(Family::IPV6).to_bytes().unwrap()[20..],
            native([5, 0, 1, 0, 4, 0, 0, 0], &[2, 2, 1])
        );
        assert_eq!((Mode::meta().to_bytes()[4], Mode::whole().to_bytes()[4]), (1, 2));
    }

    /// S-X: network byte order, which root doesn't show.
    #[test]
    fn a_user_and_a_group_other_than_root() {
        let attr = |number: u16, id: u32| {
            [&8u16.to_ne_bytes()[..], &number.to_ne_bytes(), &id.to_be_bytes()].concat()
        };
        let bytes = [attr(11, 1000), attr(14, 100)].concat();
        let set = PacketAttrs::decode(&bytes).unwrap();
        assert_eq!((set.uid(), set.gid()), (Some(1000), Some(100)));
    }
}
