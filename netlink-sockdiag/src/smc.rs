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
        /// Closed.
        7 SMC_CLOSED CLOSED "CLOSED",
        /// Accepts connections.
        10 SMC_LISTEN LISTEN "LISTEN",
        /// Closed here; the peer still reads data.
        20 SMC_PEERCLOSEWAIT1 PEERCLOSEWAIT1 "PEERCLOSEWAIT1",
        /// Closed here; the peer read all data.
        21 SMC_PEERCLOSEWAIT2 PEERCLOSEWAIT2 "PEERCLOSEWAIT2",
        /// Closed by the peer, not here.
        22 SMC_APPCLOSEWAIT1 APPCLOSEWAIT1 "APPCLOSEWAIT1",
        /// Closed by the peer and half closed here.
        23 SMC_APPCLOSEWAIT2 APPCLOSEWAIT2 "APPCLOSEWAIT2",
        /// Shut down by both sides; this side must close it.
        24 SMC_APPFINCLOSEWAIT APPFINCLOSEWAIT "APPFINCLOSEWAIT",
        /// Shut down by both sides; the peer must close it.
        25 SMC_PEERFINCLOSEWAIT PEERFINCLOSEWAIT "PEERFINCLOSEWAIT",
        /// Aborted here.
        26 SMC_PEERABORTWAIT PEERABORTWAIT "PEERABORTWAIT",
        /// Aborted by the peer.
        27 SMC_PROCESSABORT PROCESSABORT "PROCESSABORT",
    }
}

values! {
    /// `SMC_DIAG_MODE_*`: transport of the data.
    pub struct SmcMode: u8 {
        /// RDMA.
        0 SMC_DIAG_MODE_SMCR SMCR "SMCR",
        /// TCP, as a fallback.
        1 SMC_DIAG_MODE_FALLBACK_TCP FALLBACK_TCP "TCP",
        /// An ISM device.
        2 SMC_DIAG_MODE_SMCD SMCD "SMCD",
    }
}

values! {
    /// `SMC_DIAG_*`: optional attributes of a socket.
    pub struct SmcExtension: u8 {
        /// [`conn_info`](SmcAttrs::conn_info).
        1 SMC_DIAG_CONNINFO CONNINFO "conninfo",
        /// [`link_group`](SmcAttrs::link_group).
        2 SMC_DIAG_LGRINFO LGRINFO "lgrinfo",
        /// [`shutdown`](SmcAttrs::shutdown), which is always sent.
        3 SMC_DIAG_SHUTDOWN SHUTDOWN "shutdown",
        /// [`dmb`](SmcAttrs::dmb).
        4 SMC_DIAG_DMBINFO DMBINFO "dmbinfo",
        /// [`fallback`](SmcAttrs::fallback), which is always sent.
        5 SMC_DIAG_FALLBACK FALLBACK "fallback",
    }
}

bits! {
    /// A set of extensions, for queries.
    pub struct SmcExtensions: u8 of SmcExtension from 1, " | ";
}

layout! {
    /// `struct smc_diag_req`.
    pub struct SmcQueryHeader: smc_diag_req = 52 {
        /// [`Family::SMC`].
        family: Family,
        /// Padding.
        pad: Pad<2>,
        /// Optional attributes to send.
        extensions: SmcExtensions,
        /// Not used.
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
        /// Transport of the data.
        mode: SmcMode,
        /// Directions that are shut down.
        shutdown: Shutdown,
        /// The underlying TCP socket. Its family is not sent.
        id: SocketId,
        /// Owner.
        uid: u32,
        /// Inode of the socket.
        inode: u64,
    }
}

layout! {
    /// `struct smc_diag_cursor`: a position in a ring.
    pub struct Cursor: smc_diag_cursor = 8 {
        /// Padding.
        pad: Pad<2>,
        /// How often the position wrapped.
        wrap: u16,
        /// Offset from the beginning, in bytes.
        count: u32,
    }
}

layout! {
    /// `struct smc_diag_conninfo`.
    pub struct ConnInfo: smc_diag_conninfo = 76 {
        /// Number of the connection.
        token: u32,
        /// Size of the send buffer, in bytes.
        sndbuf_size: u32,
        /// Size of the local receive buffer, in bytes.
        rmbe_size: u32,
        /// Size of the peer's receive buffer, in bytes.
        peer_rmbe_size: u32,
        /// Position up to which the peer wrote.
        rx_prod: Cursor,
        /// Position up to which the peer read.
        rx_cons: Cursor,
        /// Position up to which this side wrote.
        tx_prod: Cursor,
        /// Position up to which this side read.
        tx_cons: Cursor,
        /// Producer flags of the peer.
        rx_prod_flags: u8,
        /// State of the peer's connection.
        rx_conn_state_flags: u8,
        /// Producer flags of this side.
        tx_prod_flags: u8,
        /// State of this side's connection.
        tx_conn_state_flags: u8,
        /// Position up to which data is ready to send.
        tx_prep: Cursor,
        /// Position up to which data was sent.
        tx_sent: Cursor,
        /// Position up to which data is known to have arrived.
        tx_fin: Cursor,
    }
}

layout! {
    /// `struct smc_diag_linkinfo`.
    pub struct LinkInfo: smc_diag_linkinfo = 146 {
        /// Number of the link.
        link_id: u8,
        /// Name of the RDMA device.
        device: Octets<64>,
        /// Port of the device.
        port: u8,
        /// Local global id, as text.
        gid: Octets<40>,
        /// The peer's global id, as text.
        peer_gid: Octets<40>,
    }
}

layout! {
    /// `struct smc_diag_lgrinfo`.
    pub struct LinkGroup: smc_diag_lgrinfo = 147 {
        /// First link.
        link: LinkInfo,
        /// 0 for a client, 1 for a server.
        role: u8,
    }
}

layout! {
    /// `struct smc_diag_fallback`: why the connection fell back to TCP. Numbers of RFC 7609 and of the
    /// kernel, `SMC_CLC_DECL_*`.
    pub struct Fallback: smc_diag_fallback = 8 {
        /// Reason of this side; 0 is none.
        reason: u32,
        /// Reason of the peer; 0 is none.
        peer_diagnosis: u32,
    }
}

layout! {
    /// `struct smcd_diag_dmbinfo`: data of a connection through an ISM device.
    pub struct DmbInfo: smcd_diag_dmbinfo = 56 {
        /// Number of the link.
        link_id: u32,
        /// Padding.
        pad: Pad<4>,
        /// The peer's global id.
        peer_gid: u64,
        /// Local global id.
        own_gid: u64,
        /// Token of the local buffer.
        token: u64,
        /// Token of the peer's buffer.
        peer_token: u64,
        /// The rest of the peer's global id. Linux 6.8.
        peer_gid_ext: Option<u64>,
        /// The rest of the local global id. Linux 6.8.
        own_gid_ext: Option<u64>,
    }
}

message! {
    /// A query for SMC sockets.
    pub struct SmcQuery<'a>(SmcQueryHeader, NoAttrs<'a>), SmcRequest {
        /// Asks for all sockets.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [sent],
    }
    on crate::PROTOCOL
}

const ASK: MessageInfo = MessageInfo { siblings: || &[SmcSocket::MESSAGES], ..SmcQuery::BY_FAMILY };

attrs! {
    /// `SMC_DIAG_*`.
    pub struct SmcAttrs<'a> for SmcReply<R> {
        /// Buffers and positions in them.
        1 SMC_DIAG_CONNINFO conn_info: ConnInfo,
        /// The RDMA links in use.
        2 SMC_DIAG_LGRINFO link_group: LinkGroup,
        /// Directions that are shut down.
        3 SMC_DIAG_SHUTDOWN shutdown: Shutdown,
        /// The ISM device in use.
        4 SMC_DIAG_DMBINFO dmb: DmbInfo,
        /// Why the connection fell back to TCP.
        5 SMC_DIAG_FALLBACK fallback: Fallback,
    }
}

message! {
    /// An SMC socket.
    pub struct SmcSocket<'a>(SmcHeader, SmcAttrs<'a>), SmcReply {
        /// A requested socket.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [received],
    }
    on crate::PROTOCOL
}

/// Lists all sockets. The kernel has no query for one socket.
pub fn list() -> SmcRequest<Dump<SmcSocket<'static>>> {
    SmcRequest::new(&ASK, MessageFlags::DUMP, SmcQueryHeader::default().family(Family::SMC))
}

impl<R> SmcRequest<R> {
    /// Send these optional attributes of each socket.
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
