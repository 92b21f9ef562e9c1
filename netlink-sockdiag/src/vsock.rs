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

/// In place of a context id or a port: any.
pub const ANY: u32 = u32::MAX;

layout! {
    /// `struct vsock_diag_req`.
    pub struct VsockQueryHeader: vsock_diag_req = 24 {
        /// [`Family::VSOCK`].
        family: Family,
        /// 0.
        protocol: u8,
        /// Padding.
        pad: Pad<2>,
        /// Sockets in these states.
        states: States,
        /// 0.
        inode: u32,
        /// 0.
        show: u32,
        /// Not looked at.
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
        /// Which directions are shut down.
        shutdown: Shutdown,
        /// Context id of this side; [`ANY`] of a listener for all.
        source_cid: u32,
        /// Our port.
        source_port: u32,
        /// Context id of the peer; [`ANY`] without one.
        dest_cid: u32,
        /// The peer's port; [`ANY`] without one.
        dest_port: u32,
        /// Inode of the socket.
        inode: u32,
        /// Its cookie.
        cookie: Cookie,
    }
}

message! {
    /// A query of vsock sockets.
    pub struct VsockQuery<'a>(VsockQueryHeader, NoAttrs<'a>), VsockRequest {
        /// Asks for all.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [sent],
    }
    about (crate::common::inode!(VsockQuery))
    on crate::PROTOCOL
}

const ASK: MessageInfo = MessageInfo { siblings: || &[VsockSocket::MESSAGES], ..VsockQuery::BY_FAMILY };

attrs! {
    /// None so far: the fixed header has it all.
    pub struct VsockAttrs<'a> for VsockReply<R> {}
}

message! {
    /// A vsock socket.
    pub struct VsockSocket<'a>(VsockHeader, VsockAttrs<'a>), VsockReply {
        /// A socket that was asked for.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [received],
    }
    on crate::PROTOCOL
}

/// Lists sockets in all states. The kernel can't be asked for one.
pub fn list() -> VsockRequest<Dump<VsockSocket<'static>>> {
    let header = VsockQueryHeader::default().family(Family::VSOCK).states(States::ALL);
    VsockRequest::new(&ASK, MessageFlags::DUMP, header)
}

impl<R> VsockRequest<R> {
    /// List sockets in these states only.
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
