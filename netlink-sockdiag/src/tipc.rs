//! Sockets of clusters. Kernel side: `uapi/linux/tipc_sockets_diag.h`, `uapi/linux/tipc_netlink.h`, `net/tipc/diag.c`.
//!
//! ```no_run
//! use netlink_sockdiag::tipc;
//!
//! # fn main() -> Result<(), netlink_sockdiag::Error> {
//! let mut nl = netlink_sockdiag::connect()?;
//! let mut sockets = nl.dump(tipc::list())?;
//! while let Some(message) = sockets.next()? {
//!     if let Some(socket) = message.socket() {
//!         println!("{:?} {:?}", socket.reference(), socket.stats().and_then(|stats| stats.receive_queue()));
//!     }
//! }
//! # Ok(())
//! # }
//! ```

use netlink_core::layout::Pad;
use netlink_core::{Dump, Flag, MessageFlags, MessageInfo, attrs, layout, message};

use crate::{Family, NoAttrs, SocketType, State, States};

layout! {
    /// `struct tipc_sock_diag_req`.
    pub struct TipcQueryHeader: tipc_sock_diag_req = 8 {
        /// [`Family::TIPC`].
        family: Family,
        /// Always 0.
        protocol: u8,
        /// Padding.
        pad: Pad<2>,
        /// Sockets in these states.
        states: States,
    }
}

message! {
    /// A query for TIPC sockets.
    pub struct TipcQuery<'a>(TipcQueryHeader, NoAttrs<'a>), TipcRequest {
        /// Asks for all sockets.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [sent],
    }
    on crate::PROTOCOL
}

const ASK: MessageInfo = MessageInfo { siblings: || &[TipcSocket::MESSAGES], ..TipcQuery::BY_FAMILY };

attrs! {
    /// `TIPC_NLA_*`: the attribute of a socket.
    pub struct TipcAttrs<'a> for TipcReply<R> {
        /// The socket. Absent in a message for a socket that was not requested.
        2 TIPC_NLA_SOCK socket: TipcSocketAttrs<'a>,
    }
}

attrs! {
    /// `TIPC_NLA_SOCK_*`.
    pub struct TipcSocketAttrs<'a> for TipcSocketInfo {
        /// Address of the node.
        1 TIPC_NLA_SOCK_ADDR address: u32,
        /// Port of the socket, which identifies it in the node.
        2 TIPC_NLA_SOCK_REF reference: u32,
        /// The peer; absent without a connection.
        3 TIPC_NLA_SOCK_CON connection: TipcConnectionAttrs<'a>,
        /// The socket is bound to service addresses.
        4 TIPC_NLA_SOCK_HAS_PUBL has_publications: Flag,
        /// Statistics.
        5 TIPC_NLA_SOCK_STAT stats: TipcStatsAttrs<'a>,
        /// Type number; see [`socket_type`](Self::socket_type).
        6 TIPC_NLA_SOCK_TYPE type_number: u32,
        /// Inode of the socket.
        7 TIPC_NLA_SOCK_INO inode: u32,
        /// Owner.
        8 TIPC_NLA_SOCK_UID uid: u32,
        /// State number; see [`state`](Self::state).
        9 TIPC_NLA_SOCK_TIPC_STATE state_number: u32,
        /// Its cookie.
        10 TIPC_NLA_SOCK_COOKIE cookie: u64,
        /// Its communication group.
        12 TIPC_NLA_SOCK_GROUP group: TipcGroupAttrs<'a>,
    }
}

impl TipcSocketAttrs<'_> {
    /// Type.
    pub fn socket_type(&self) -> Option<SocketType> {
        self.type_number().and_then(|number| u8::try_from(number).ok()).map(SocketType)
    }

    /// State.
    pub fn state(&self) -> Option<State> {
        self.state_number().and_then(|number| u8::try_from(number).ok()).map(State)
    }
}

attrs! {
    /// `TIPC_NLA_CON_*`.
    pub struct TipcConnectionAttrs<'a> for TipcConnection {
        /// The connection was made with a service address, which follows.
        1 TIPC_NLA_CON_FLAG by_service: Flag,
        /// Address of the peer's node.
        2 TIPC_NLA_CON_NODE node: u32,
        /// The peer's port.
        3 TIPC_NLA_CON_SOCK socket: u32,
        /// Type of the service.
        4 TIPC_NLA_CON_TYPE service_type: u32,
        /// Instance of the service.
        5 TIPC_NLA_CON_INST service_instance: u32,
    }
}

attrs! {
    /// `TIPC_NLA_SOCK_STAT_*`.
    pub struct TipcStatsAttrs<'a> for TipcStats {
        /// Messages received and not read.
        0 TIPC_NLA_SOCK_STAT_RCVQ receive_queue: u32,
        /// Messages to be sent.
        1 TIPC_NLA_SOCK_STAT_SENDQ send_queue: u32,
        /// The socket waits for a link.
        2 TIPC_NLA_SOCK_STAT_LINK_CONG link_congested: Flag,
        /// The socket waits for the peer.
        3 TIPC_NLA_SOCK_STAT_CONN_CONG connection_congested: Flag,
        /// Messages dropped.
        4 TIPC_NLA_SOCK_STAT_DROP drops: u32,
    }
}

attrs! {
    /// `TIPC_NLA_SOCK_GROUP_*`.
    pub struct TipcGroupAttrs<'a> for TipcGroup {
        /// Type of the group's service.
        0 TIPC_NLA_SOCK_GROUP_ID id: u32,
        /// The socket takes part.
        1 TIPC_NLA_SOCK_GROUP_OPEN open: Flag,
        /// The group is limited to this node.
        2 TIPC_NLA_SOCK_GROUP_NODE_SCOPE node_scope: Flag,
        /// The group is limited to the cluster.
        3 TIPC_NLA_SOCK_GROUP_CLUSTER_SCOPE cluster_scope: Flag,
        /// Instance of the member.
        4 TIPC_NLA_SOCK_GROUP_INSTANCE instance: u32,
        /// Number of the next broadcast.
        5 TIPC_NLA_SOCK_GROUP_BC_SEND_NEXT broadcast_next: u32,
    }
}

message! {
    /// A TIPC socket. Its message has no fixed header.
    pub struct TipcSocket<'a>((), TipcAttrs<'a>), TipcReply {
        /// A requested socket.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [received],
    }
    on crate::PROTOCOL
}

/// Lists sockets in all states. The kernel has no query for one socket.
pub fn list() -> TipcRequest<Dump<TipcSocket<'static>>> {
    let header = TipcQueryHeader::default().family(Family::TIPC).states(States::ALL);
    TipcRequest::new(&ASK, MessageFlags::DUMP, header)
}

impl<R> TipcRequest<R> {
    /// List only sockets in these states. [`State::CLOSE`] means sockets without a connection. For each other
    /// socket the kernel sends a message without a [`socket`](TipcAttrs::socket).
    pub fn states(self, states: impl Into<States>) -> Self {
        self.header(|header| header.states = states.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        let bytes = list().states(State::LISTEN | State::CLOSE).to_bytes().unwrap();
        assert_eq!(bytes[16..20], [30, 0, 0, 0]);
        assert_eq!(bytes[20..], (1u32 << 10 | 1 << 7).to_ne_bytes());
    }
}
