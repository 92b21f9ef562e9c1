//! Sockets between virtual machines and their host. Kernel side: `uapi/linux/vm_sockets_diag.h`,
//! `net/vmw_vsock/diag.c`.
//!
//! ```
//! use netlink_sockdiag::{State, vsock};
//!
//! let listeners = vsock::list().states(State::LISTEN);
//! ```

use netlink_core::layout::Pad;
use netlink_core::{Dump, MessageFlags, MessageInfo, attrs, layout, message};

use crate::{Cookie, Family, NoAttrs, Shutdown, SocketType, State, States};

/// Any context id or port.
pub const ANY: u32 = u32::MAX;

layout! {
    /// `struct vsock_diag_req`.
    pub struct VsockQueryHeader: vsock_diag_req = 24 {
        /// [`Family::VSOCK`].
        family: Family,
        /// Always 0.
        protocol: u8,
        /// Padding.
        pad: Pad<2>,
        /// Sockets in these states.
        states: States,
        /// Always 0.
        inode: u32,
        /// Always 0.
        show: u32,
        /// Not used.
        cookie: Cookie,
    }
}

layout! {
    /// `struct vsock_diag_msg`.
    pub struct VsockHeader: vsock_diag_msg = 32 {
        /// [`Family::VSOCK`].
        family: Family,
        /// Stream, datagram or sequenced packet.
        socket_type: SocketType,
        /// Its state.
        state: State,
        /// Directions that are shut down.
        shutdown: Shutdown,
        /// Local context id; [`ANY`] for a listener on all.
        source_cid: u32,
        /// Local port.
        source_port: u32,
        /// Remote context id; [`ANY`] without a peer.
        dest_cid: u32,
        /// Remote port; [`ANY`] without a peer.
        dest_port: u32,
        /// Inode of the socket.
        inode: u32,
        /// Cookie.
        cookie: Cookie,
    }
}

message! {
    /// A query for vsock sockets.
    pub struct VsockQuery<'a>(VsockQueryHeader, NoAttrs<'a>), VsockRequest {
        /// Asks for all sockets.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [sent],
    }
    about (crate::common::inode!(VsockQuery))
    on crate::PROTOCOL
}

const ASK: MessageInfo = MessageInfo { siblings: || &[VsockSocket::MESSAGES], ..VsockQuery::BY_FAMILY };

attrs! {
    /// No attributes: all data is in the fixed header.
    pub struct VsockAttrs<'a> for VsockReply<R> {}
}

message! {
    /// A vsock socket.
    pub struct VsockSocket<'a>(VsockHeader, VsockAttrs<'a>), VsockReply {
        /// A requested socket.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [received],
    }
    on crate::PROTOCOL
}

/// Lists sockets in all states. The kernel has no query for one socket.
pub fn list() -> VsockRequest<Dump<VsockSocket<'static>>> {
    let header = VsockQueryHeader::default().family(Family::VSOCK).states(States::ALL);
    VsockRequest::new(&ASK, MessageFlags::DUMP, header)
}

impl<R> VsockRequest<R> {
    /// List only sockets in these states.
    pub fn states(self, states: impl Into<States>) -> Self {
        self.header(|header| header.states = states.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        let bytes = list().states(State::LISTEN).to_bytes().unwrap();
        assert_eq!(bytes[16..20], [40, 0, 0, 0]);
        assert_eq!(bytes[20..32], [1u32 << 10, 0, 0].map(u32::to_ne_bytes).concat());
    }
}
