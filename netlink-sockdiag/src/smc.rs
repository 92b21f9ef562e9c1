//! TCP sockets over shared memory, RDMA or ISM devices. Kernel side: `uapi/linux/smc_diag.h`, `net/smc/smc_diag.c`.
//!
//! ```
//! use netlink_sockdiag::smc::{self, SmcExtension};
//!
//! let why_tcp = smc::list().extensions(SmcExtension::LGRINFO | SmcExtension::FALLBACK);
//! ```

use netlink_core::layout::Pad;
use netlink_core::{Dump, MessageFlags, MessageInfo, attrs, bits, layout, message, values};

use crate::inet::SocketId;
use crate::{Family, NoAttrs, Octets, Shutdown};

values! {
    /// `SMC_*`: states of SMC sockets.
    pub struct SmcState: u8 {
        /// Connected.
        1 SMC_ACTIVE ACTIVE "ACTIVE",
        /// Not connected.
        2 SMC_INIT INIT "INIT",
        /// Over.
        7 SMC_CLOSED CLOSED "CLOSED",
        /// Takes connections.
        10 SMC_LISTEN LISTEN "LISTEN",
        /// Closed here; the peer still reads.
        20 SMC_PEERCLOSEWAIT1 PEERCLOSEWAIT1 "PEERCLOSEWAIT1",
        /// Closed here; the peer read everything.
        21 SMC_PEERCLOSEWAIT2 PEERCLOSEWAIT2 "PEERCLOSEWAIT2",
        /// Closed by the peer, not here.
        22 SMC_APPCLOSEWAIT1 APPCLOSEWAIT1 "APPCLOSEWAIT1",
        /// Closed by the peer and half here.
        23 SMC_APPCLOSEWAIT2 APPCLOSEWAIT2 "APPCLOSEWAIT2",
        /// Shut down by both, to be closed here.
        24 SMC_APPFINCLOSEWAIT APPFINCLOSEWAIT "APPFINCLOSEWAIT",
        /// Shut down by both, to be closed by the peer.
        25 SMC_PEERFINCLOSEWAIT PEERFINCLOSEWAIT "PEERFINCLOSEWAIT",
        /// Aborted here.
        26 SMC_PEERABORTWAIT PEERABORTWAIT "PEERABORTWAIT",
        /// Aborted by the peer.
        27 SMC_PROCESSABORT PROCESSABORT "PROCESSABORT",
    }
}

values! {
    /// `SMC_DIAG_MODE_*`: what carries the data.
    pub struct SmcMode: u8 {
        /// RDMA.
        0 SMC_DIAG_MODE_SMCR SMCR "SMCR",
        /// TCP after all.
        1 SMC_DIAG_MODE_FALLBACK_TCP FALLBACK_TCP "TCP",
        /// An ISM device.
        2 SMC_DIAG_MODE_SMCD SMCD "SMCD",
    }
}

values! {
    /// `SMC_DIAG_*`: what can be asked of a socket besides its fixed header.
    pub struct SmcExtension: u8 {
        /// [`conn_info`](SmcAttrs::conn_info).
        1 SMC_DIAG_CONNINFO CONNINFO "conninfo",
        /// [`link_group`](SmcAttrs::link_group).
        2 SMC_DIAG_LGRINFO LGRINFO "lgrinfo",
        /// [`shutdown`](SmcAttrs::shutdown), which comes unasked too.
        3 SMC_DIAG_SHUTDOWN SHUTDOWN "shutdown",
        /// [`dmb`](SmcAttrs::dmb).
        4 SMC_DIAG_DMBINFO DMBINFO "dmbinfo",
        /// [`fallback`](SmcAttrs::fallback), which comes unasked too.
        5 SMC_DIAG_FALLBACK FALLBACK "fallback",
    }
}

bits! {
    /// A set of extensions: what a query asks of each socket.
    pub struct SmcExtensions: u8 of SmcExtension from 1, " | ";
}

layout! {
    /// `struct smc_diag_req`.
    pub struct SmcQueryHeader: smc_diag_req = 52 {
        /// [`Family::SMC`].
        family: Family,
        /// Padding.
        pad: Pad<2>,
        /// What is asked of each socket.
        extensions: SmcExtensions,
        /// Not looked at.
        id: SocketId,
    }
}

layout! {
    /// `struct smc_diag_msg`.
    pub struct SmcHeader: smc_diag_msg = 64 {
        /// [`Family::SMC`].
        family: Family,
        /// Its state.
        state: SmcState,
        /// What carries the data.
        mode: SmcMode,
        /// Which directions are shut down.
        shutdown: Shutdown,
        /// The TCP socket below. Its family is not told.
        id: SocketId,
        /// Who made it.
        uid: u32,
        /// Inode of the socket.
        inode: u64,
    }
}

layout! {
    /// `struct smc_diag_cursor`: a place in a ring.
    pub struct Cursor: smc_diag_cursor = 8 {
        /// Padding.
        pad: Pad<2>,
        /// How often the end was passed.
        wrap: u16,
        /// Bytes from the beginning.
        count: u32,
    }
}

layout! {
    /// `struct smc_diag_conninfo`.
    pub struct ConnInfo: smc_diag_conninfo = 76 {
        /// The connection's number.
        token: u32,
        /// Bytes of the send buffer.
        sndbuf_size: u32,
        /// Bytes of our receive buffer.
        rmbe_size: u32,
        /// Bytes of the peer's receive buffer.
        peer_rmbe_size: u32,
        /// Up to where the peer wrote.
        rx_prod: Cursor,
        /// Up to where the peer read.
        rx_cons: Cursor,
        /// Up to where we wrote.
        tx_prod: Cursor,
        /// Up to where we read.
        tx_cons: Cursor,
        /// Flags of the peer as a writer.
        rx_prod_flags: u8,
        /// State of the peer's connection.
        rx_conn_state_flags: u8,
        /// Our flags as a writer.
        tx_prod_flags: u8,
        /// State of our connection.
        tx_conn_state_flags: u8,
        /// Up to where data is ready to send.
        tx_prep: Cursor,
        /// Up to where data is sent.
        tx_sent: Cursor,
        /// Up to where data is known to have arrived.
        tx_fin: Cursor,
    }
}

layout! {
    /// `struct smc_diag_linkinfo`.
    pub struct LinkInfo: smc_diag_linkinfo = 146 {
        /// The link's number.
        link_id: u8,
        /// Name of the RDMA device.
        device: Octets<64>,
        /// Port of the device.
        port: u8,
        /// Our global id, as text.
        gid: Octets<40>,
        /// The peer's global id, as text.
        peer_gid: Octets<40>,
    }
}

layout! {
    /// `struct smc_diag_lgrinfo`.
    pub struct LinkGroup: smc_diag_lgrinfo = 147 {
        /// Its first link.
        link: LinkInfo,
        /// 0 of a client, 1 of a server.
        role: u8,
    }
}

layout! {
    /// `struct smc_diag_fallback`: why it is TCP after all. Numbers of RFC 7609 and of the kernel, `SMC_CLC_DECL_*`.
    pub struct Fallback: smc_diag_fallback = 8 {
        /// Our reason; 0 is none.
        reason: u32,
        /// The peer's reason; 0 is none.
        peer_diagnosis: u32,
    }
}

layout! {
    /// `struct smcd_diag_dmbinfo`: of a connection through an ISM device.
    pub struct DmbInfo: smcd_diag_dmbinfo = 56 {
        /// Number of the link.
        link_id: u32,
        /// Padding.
        pad: Pad<4>,
        /// The peer's global id.
        peer_gid: u64,
        /// Our global id.
        own_gid: u64,
        /// Token of our buffer.
        token: u64,
        /// Token of the peer's buffer.
        peer_token: u64,
        /// The rest of the peer's global id. Linux 6.8.
        peer_gid_ext: Option<u64>,
        /// The rest of our global id. Linux 6.8.
        own_gid_ext: Option<u64>,
    }
}

message! {
    /// A query of SMC sockets.
    pub struct SmcQuery<'a>(SmcQueryHeader, NoAttrs<'a>), SmcRequest {
        /// Asks for all.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [sent],
    }
    on crate::PROTOCOL
}

const ASK: MessageInfo = MessageInfo { siblings: || &[SmcSocket::MESSAGES], ..SmcQuery::BY_FAMILY };

attrs! {
    /// `SMC_DIAG_*`.
    pub struct SmcAttrs<'a> for SmcReply<R> {
        /// Buffers and how far they are used.
        1 SMC_DIAG_CONNINFO conn_info: ConnInfo,
        /// The RDMA links that are used.
        2 SMC_DIAG_LGRINFO link_group: LinkGroup,
        /// Which directions are shut down.
        3 SMC_DIAG_SHUTDOWN shutdown: Shutdown,
        /// The ISM device that is used.
        4 SMC_DIAG_DMBINFO dmb: DmbInfo,
        /// Why it is TCP after all.
        5 SMC_DIAG_FALLBACK fallback: Fallback,
    }
}

message! {
    /// An SMC socket.
    pub struct SmcSocket<'a>(SmcHeader, SmcAttrs<'a>), SmcReply {
        /// A socket that was asked for.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [received],
    }
    on crate::PROTOCOL
}

/// Lists all sockets. The kernel can't be asked for one.
pub fn list() -> SmcRequest<Dump<SmcSocket<'static>>> {
    SmcRequest::new(&ASK, MessageFlags::DUMP, SmcQueryHeader::default().family(Family::SMC))
}

impl<R> SmcRequest<R> {
    /// Tell these extensions of each socket.
    pub fn extensions(self, extensions: impl Into<SmcExtensions>) -> Self {
        self.header(|header| header.extensions = extensions.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_core::Payload as _;

    #[test]
    fn requests() {
        let bytes = list().extensions(SmcExtension::CONNINFO | SmcExtension::DMBINFO).to_bytes().unwrap();
        assert_eq!(bytes[16..20], [43, 0, 0, 0b1001]);
        assert_eq!(bytes.len(), 68);
    }

    #[test]
    fn the_numbers_of_older_kernels_have_no_rest() {
        assert_eq!(DmbInfo::decode(&[1; 40]).unwrap().peer_gid_ext, None);
        assert!(DmbInfo::decode(&[1; 56]).unwrap().own_gid_ext.is_some());
    }
}
