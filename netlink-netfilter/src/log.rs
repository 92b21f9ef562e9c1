//! Logged packets: a rule such as `log group 5` sends a copy of each packet to the process that has bound the
//! group. Kernel side: `uapi/linux/netfilter/nfnetlink_log.h`, `net/netfilter/nfnetlink_log.c`.
//!
//! ```no_run
//! # #[cfg(all(feature = "std", target_os = "linux"))]
//! # fn main() -> Result<(), netlink_netfilter::Error> {
//! use netlink_netfilter::log::{self, Arrival, Log, Mode};
//!
//! // Sends each packet at once, not after a hundred packets or a second.
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
//! Kernel behaviour worth knowing:
//!
//! - A group belongs to one socket at a time. Binding a bound group fails with `EPERM`, the same error as
//!   without `CAP_NET_ADMIN`, or with `EBUSY` if the same socket bound it. The group is unbound when its
//!   socket is closed.
//! - The kernel collects packets and sends them together when there are
//!   [`threshold`](ConfigRequest::threshold) packets, when they fill the
//!   [`buffer_size`](ConfigRequest::buffer_size), or after the [`timeout`](ConfigRequest::timeout). A rule's
//!   own `queue-threshold` is used if it is smaller.
//! - A rule's `snaplen` shortens the payload that [`Mode`] copies. The original length of a shortened packet
//!   is unknown.

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
        /// The hook that logged the packet.
        hook: Hook,
        /// Padding.
        pad: Pad<1>,
    }
}

attrs! {
    /// `NFULA_VLAN_*`.
    pub struct VlanAttrs<'a> for Vlan {
        /// The tag's protocol: 0x8100 is 802.1Q, 0x88a8 802.1ad.
        1 NFULA_VLAN_PROTO protocol: Be<u16> as u16,
        /// VLAN id, priority and drop eligibility.
        2 NFULA_VLAN_TCI tci: Be<u16> as u16,
    }
}

attrs! {
    /// `NFULA_*`.
    pub struct PacketAttrs<'a> for PacketRequest<R> {
        /// Protocol and hook.
        1 NFULA_PACKET_HDR packet_header: PacketHeader,
        /// The packet's mark; absent means 0.
        2 NFULA_MARK mark: Be<u32> as u32,
        /// When the packet arrived; absent for packets that this machine sends. Older kernels, such as 6.1,
        /// send it only while some program uses packet timestamps.
        3 NFULA_TIMESTAMP timestamp: Timestamp,
        /// The link that it arrived on; the bridge, if it arrived on a port.
        4 NFULA_IFINDEX_INDEV indev: Be<u32> as u32,
        /// The link that it leaves through; the bridge, if it leaves through a port.
        5 NFULA_IFINDEX_OUTDEV outdev: Be<u32> as u32,
        /// The bridge port that it arrived on.
        6 NFULA_IFINDEX_PHYSINDEV physindev: Be<u32> as u32,
        /// The bridge port that it leaves through.
        7 NFULA_IFINDEX_PHYSOUTDEV physoutdev: Be<u32> as u32,
        /// Its link-layer source address.
        8 NFULA_HWADDR hwaddr: Source,
        /// The packet from its network header on, up to the length that the group copies.
        9 NFULA_PAYLOAD payload: Bytes<'a>,
        /// The text of the log rule.
        10 NFULA_PREFIX prefix: Str<'a>,
        /// User of the socket that sent it, in the user namespace of the listener; for packets that this
        /// machine sends.
        11 NFULA_UID uid: Be<u32> as u32,
        /// The packet's number in its group, from 0. With [`LogFlags::SEQ`].
        12 NFULA_SEQ seq: Be<u32> as u32,
        /// The packet's number among all groups of the namespace with [`LogFlags::SEQ_GLOBAL`], from 1.
        13 NFULA_SEQ_GLOBAL seq_global: Be<u32> as u32,
        /// Group of the socket that sent it, in the user namespace of the listener; for packets that this
        /// machine sends.
        14 NFULA_GID gid: Be<u32> as u32,
        /// `ARPHRD_*`: the type of the link that it arrived on.
        15 NFULA_HWTYPE hwtype: Be<u16> as u16,
        /// Its link-layer header.
        16 NFULA_HWHEADER hwheader: Bytes<'a>,
        /// Length of the link-layer header.
        17 NFULA_HWLEN hwlen: Be<u16> as u16,
        /// The packet's connection; with [`LogFlags::CONNTRACK`]. Linux 4.4.
        18 NFULA_CT ct: ConntrackAttrs<'a>,
        /// The relation of the packet to its connection. Linux 4.4.
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
        /// A packet, sent by the kernel.
        0x0400 NFULNL_MSG_PACKET PACKET [received],
    }
    on crate::PROTOCOL
}

impl Packet<'_> {
    /// The group of the packet.
    pub fn group(&self) -> u16 {
        self.header().resource.0
    }

    /// The hook that logged it.
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
        /// Unbind the group.
        2 NFULNL_CFG_CMD_UNBIND UNBIND "unbind",
        /// Make this group the default logger of a family.
        3 NFULNL_CFG_CMD_PF_BIND PF_BIND "pf-bind",
        /// Remove the default logger of a family.
        4 NFULNL_CFG_CMD_PF_UNBIND PF_UNBIND "pf-unbind",
    }
}

values! {
    /// `NFULNL_COPY_*`: the parts of a packet that the process receives.
    pub struct CopyMode: u8 {
        /// Same as `META`.
        0 NFULNL_COPY_NONE NONE "none",
        /// All but the payload.
        1 NFULNL_COPY_META META "meta",
        /// The payload too.
        2 NFULNL_COPY_PACKET PACKET "packet",
    }
}

layout! {
    /// `struct nfulnl_msg_config_mode`.
    pub struct Mode: nfulnl_msg_config_mode = 6 {
        /// Largest length of the payload, in bytes. 0 and values above 65531 mean 65531.
        copy_range: Be<u32>,
        /// The parts to copy. The kernel ignores unknown modes.
        copy_mode: CopyMode,
        /// Padding.
        pad: Pad<1>,
    }
}

impl Mode {
    /// All but the payload.
    pub const fn meta() -> Self {
        Self { copy_range: Be(0), copy_mode: CopyMode::META, pad: Pad }
    }

    /// At most this many bytes of the payload, from the network header on.
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
        /// Send the packets' connections. Linux 4.4.
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
        /// The command.
        1 NFULA_CFG_CMD command: ConfigCommand,
        /// The parts of each packet to copy. Default: everything.
        2 NFULA_CFG_MODE mode: Mode,
        /// Bytes of packets to collect. Default: 3776, the kernel's `NLMSG_GOODSIZE`. The kernel ignores
        /// smaller values, and values above 131072.
        3 NFULA_CFG_NLBUFSIZ buffer_size: Be<u32> as u32,
        /// How long to collect packets, in hundredths of a second. Default: 100.
        4 NFULA_CFG_TIMEOUT timeout: Be<u32> as u32,
        /// How many packets to collect. Default: 100.
        5 NFULA_CFG_QTHRESH threshold: Be<u32> as u32,
        /// All flags, including those that stay on. `EOPNOTSUPP` for `CONNTRACK` if the kernel lacks it.
        6 NFULA_CFG_FLAGS flags: LogFlags,
    }
}

/// `group 3`: the group, as errors show it.
fn subject(config: &Config<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "group {}", config.header().resource)
}

message! {
    /// Configuration of a group.
    pub struct Config<'a>(Header, ConfigAttrs<'a>), ConfigRequest {
        /// Binds, unbinds or configures a group.
        0x0401 NFULNL_MSG_CONFIG CONFIG,
    }
    about subject
    hint why
    on crate::PROTOCOL
}

fn why(error: &KernelError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let message = Messages::new(error.ext_ack().request()).next().and_then(Result::ok);
    let flags = message.and_then(|message| Config::read(&message).ok()?.flags());
    match error.errno() {
        Errno::EPERM => f.write_str(
            "; either CAP_NET_ADMIN is missing, or another socket has the group: \
             /proc/net/netfilter/nfnetlink_log has its port",
        ),
        Errno::EOPNOTSUPP if flags.is_some_and(|flags| flags.contains(LogFlags::CONNTRACK)) => {
            f.write_str("; the kernel may lack the flag CONNTRACK, or the module nf_conntrack_netlink")
        }
        _ => Ok(()),
    }
}

/// Binds a group to the requesting socket, with [`LogFlags::SEQ`], so that losses are counted. Later
/// [`flags`](ConfigRequest::flags) replace this flag.
///
/// ```
/// use netlink_netfilter::log::{self, LogFlags, Mode};
///
/// let request = log::bind(5, Mode::whole()).threshold(10).timeout(50).flags(LogFlags::SEQ | LogFlags::CONNTRACK);
/// ```
pub fn bind(group: u16, mode: Mode) -> ConfigRequest<()> {
    command(Command::BIND, Family::UNSPEC, group).mode(mode).flags(LogFlags::SEQ)
}

/// Unbinds a group of this socket. The kernel first sends the packets that it has collected.
pub fn unbind(group: u16) -> ConfigRequest<()> {
    command(Command::UNBIND, Family::UNSPEC, group)
}

/// Changes a group of this socket, with what the setters add. `ENODEV` if the group is not bound, `EPERM` if
/// another socket has bound it.
pub fn configure(group: u16) -> ConfigRequest<()> {
    let header = Header::of(Family::UNSPEC).resource(group);
    ConfigRequest::new(&Config::CONFIG, MessageFlags::ACK, header)
}

/// Sends messages that the kernel itself logs in a family to group 0, for example about invalid packets
/// (`net.netfilter.nf_conntrack_log_invalid`).
pub fn bind_family(family: Family) -> ConfigRequest<()> {
    command(Command::PF_BIND, family, 0)
}

/// Drops messages that the kernel itself logs in a family, regardless of their logger.
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

    /// S-X: in network byte order.
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
