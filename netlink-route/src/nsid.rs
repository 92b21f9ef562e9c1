//! Ids of network namespaces: a namespace refers to other namespaces by these small numbers. Each namespace
//! has its own ids. Kernel side: `uapi/linux/net_namespace.h`, `net/core/net_namespace.c`.
//!
//! ```
//! use netlink_route::nsid::{self, Peer};
//!
//! let set = nsid::set(Peer::Pid(4711), 7);
//! let get = nsid::get(Peer::Pid(4711));
//! ```

use core::fmt;

use netlink_core::{Dump, MessageFlags, attrs, layout, message};

use crate::Family;

/// `NETNSA_NSID_NOT_ASSIGNED`: no id. In a request the kernel chooses the id.
pub const NETNSA_NSID_NOT_ASSIGNED: i32 = -1;

layout! {
    /// `struct rtgenmsg`.
    pub struct NsidHeader: rtgenmsg = 1 {
        /// Any family.
        family: Family,
    }
}

attrs! {
    /// `NETNSA_*`.
    pub struct NsidAttrs<'a> for NsidRequest<R> {
        /// The id in the namespace of the requester or of `target`; -1 is none.
        1 NETNSA_NSID nsid: i32,
        /// A process in the namespace.
        2 NETNSA_PID pid: u32,
        /// A file descriptor of the namespace, open in the requester, such as of `/run/netns/name`.
        3 NETNSA_FD fd: i32,
        /// Id of another namespace whose ids are requested. Linux 4.20.
        4 NETNSA_TARGET_NSID target: i32,
        /// With `target`: the id in the requester's namespace; -1 is none. Linux 4.20.
        5 NETNSA_CURRENT_NSID current_nsid: i32,
    }
}

message! {
    /// The id of a namespace.
    pub struct Nsid<'a>(NsidHeader, NsidAttrs<'a>), NsidRequest {
        /// Answer and event: an id exists or was assigned. Request: assign one.
        88 RTM_NEWNSID NEW,
        /// Event: the namespace of this id was removed. The kernel accepts no such request.
        89 RTM_DELNSID DEL,
        /// Asks for one or all.
        90 RTM_GETNSID GET,
    }
    about subject
    on crate::PROTOCOL
}

impl Nsid<'_> {
    /// The id; `None` if the namespace has none.
    pub fn id(&self) -> Option<i32> {
        self.nsid().filter(|id| *id >= 0)
    }
}

/// `pid 4711`: the namespace, as errors show it.
fn subject(nsid: &Nsid<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (nsid.pid(), nsid.fd(), nsid.nsid()) {
        (Some(pid), ..) => write!(f, "pid {pid}"),
        (_, Some(fd), _) => write!(f, "fd {fd}"),
        (_, _, Some(id)) => write!(f, "nsid {id}"),
        _ => Ok(()),
    }
}

/// The namespace that a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Peer {
    /// The namespace of a process.
    Pid(u32),
    /// The namespace of an open file.
    Fd(i32),
    /// The namespace with an id. In queries, since Linux 4.20.
    Nsid(i32),
}

impl<R> NsidRequest<R> {
    fn peer(self, peer: Peer) -> Self {
        match peer {
            Peer::Pid(pid) => self.pid(pid),
            Peer::Fd(fd) => self.fd(fd),
            Peer::Nsid(id) => self.nsid(id),
        }
    }
}

/// Assigns an id to a namespace; with -1 the kernel chooses it. `EEXIST` if the namespace has an id, or if
/// the id is taken. An id cannot be changed.
pub fn set(peer: Peer, id: i32) -> NsidRequest<()> {
    NsidRequest::new(&Nsid::NEW, MessageFlags::ACK, NsidHeader::default()).peer(peer).nsid(id)
}

/// Asks for the id of a namespace. [`Nsid::id`] of the answer is `None` if the namespace has no id.
pub fn get(peer: Peer) -> NsidRequest<Nsid<'static>> {
    NsidRequest::new(&Nsid::GET, MessageFlags::empty(), NsidHeader::default()).peer(peer)
}

/// Lists the ids that the requester's namespace has, or that of [`target`](NsidRequest::target).
pub fn list() -> NsidRequest<Dump<Nsid<'static>>> {
    NsidRequest::new(&Nsid::GET, MessageFlags::DUMP, NsidHeader::default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_core::Messages;
    use netlink_testing::native;

    #[test]
    fn requests() {
        let set = set(Peer::Fd(5), 7).to_bytes().unwrap();
        assert_eq!(set[4..8], native([88, 0, 5, 0], &[2]));
        assert_eq!(
            set[16..],
            native(
                [0, 0, 0, 0, 8, 0, 3, 0, 5, 0, 0, 0, 8, 0, 1, 0, 7, 0, 0, 0],
                &[1, 1, 1, 1, 2, 2, 4, 2, 2, 4]
            )
        );
        let get = get(Peer::Nsid(7)).target(3).to_bytes().unwrap();
        assert_eq!(get[4..8], native([90, 0, 1, 0], &[2]));
        assert_eq!(
            get[16..],
            native(
                [0, 0, 0, 0, 8, 0, 1, 0, 7, 0, 0, 0, 8, 0, 4, 0, 3, 0, 0, 0],
                &[1, 1, 1, 1, 2, 2, 4, 2, 2, 4]
            )
        );
        let list = list().to_bytes().unwrap();
        assert_eq!(
            list,
            native([20, 0, 0, 0, 90, 0, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[4, 2, 2, 4, 4, 1])
        );
    }

    #[test]
    fn no_id_reads_as_none() {
        let answer = get(Peer::Pid(1)).nsid(NETNSA_NSID_NOT_ASSIGNED).to_bytes().unwrap();
        let message = Messages::new(&answer).next().unwrap().unwrap();
        let nsid = Nsid::read(&message).unwrap();
        assert_eq!((nsid.nsid(), nsid.id(), nsid.pid()), (Some(-1), None, Some(1)));
    }
}
