//! Local sockets. Kernel side: `uapi/linux/unix_diag.h`, `net/unix/diag.c`.
//!
//! ```no_run
//! use netlink_sockdiag::State;
//! use netlink_sockdiag::unix::{self, UnixShow};
//!
//! # fn main() -> Result<(), netlink_sockdiag::Error> {
//! let mut nl = netlink_sockdiag::connect()?;
//! let listeners = unix::list().states(State::LISTEN).show(UnixShow::NAME | UnixShow::RQLEN);
//! let mut sockets = nl.dump(listeners)?;
//! while let Some(socket) = sockets.next()? {
//!     println!("{:?}: {:?} wait", socket.name(), socket.queue_lengths().map(|queues| queues.receive));
//! }
//! # Ok(())
//! # }
//! ```

use core::fmt;

use netlink_core::layout::Pad;
use netlink_core::{
    Array, Dump, Malformed, MessageFlags, MessageInfo, Payload, Rule, Shape, Writer, attrs, flags, layout,
    leaf, message, narrow,
};

use crate::{Cookie, Family, Memory, NoAttrs, Shutdown, SocketType, State, States};

flags! {
    /// `UDIAG_SHOW_*`: attributes to send.
    pub struct UnixShow: u32 {
        /// [`name`](UnixAttrs::name).
        0x1 UDIAG_SHOW_NAME NAME,
        /// [`file`](UnixAttrs::file).
        0x2 UDIAG_SHOW_VFS VFS,
        /// [`peer`](UnixAttrs::peer).
        0x4 UDIAG_SHOW_PEER PEER,
        /// [`waiting`](UnixAttrs::waiting).
        0x8 UDIAG_SHOW_ICONS ICONS,
        /// [`queue_lengths`](UnixAttrs::queue_lengths).
        0x10 UDIAG_SHOW_RQLEN RQLEN,
        /// [`memory`](UnixAttrs::memory).
        0x20 UDIAG_SHOW_MEMINFO MEMINFO,
        /// [`uid`](UnixAttrs::uid). Linux 5.3.
        0x40 UDIAG_SHOW_UID UID,
    }
}

layout! {
    /// `struct unix_diag_req`.
    pub struct UnixQueryHeader: unix_diag_req = 24 {
        /// [`Family::UNIX`].
        family: Family,
        /// Always 0.
        protocol: u8,
        /// Padding.
        pad: Pad<2>,
        /// Sockets in these states.
        states: States,
        /// To find one socket: its inode.
        inode: u32,
        /// Attributes to send.
        show: UnixShow,
        /// To find one socket: its cookie.
        cookie: Cookie,
    }
}

layout! {
    /// `struct unix_diag_msg`.
    pub struct UnixHeader: unix_diag_msg = 16 {
        /// [`Family::UNIX`].
        family: Family,
        /// Stream, datagram or sequenced packet.
        socket_type: SocketType,
        /// Its state.
        state: State,
        /// Padding.
        pad: Pad<1>,
        /// Inode of the socket, not of its file.
        inode: u32,
        /// Cookie.
        cookie: Cookie,
    }
}

layout! {
    /// `struct unix_diag_vfs`: the file that the socket is bound to.
    pub struct UnixFile: unix_diag_vfs = 8 {
        /// Inode.
        inode: u32,
        /// Device; see [`device`](Self::device).
        dev: u32,
    }
}

impl UnixFile {
    /// The device's major and minor number.
    pub const fn device(&self) -> (u32, u32) {
        (self.dev >> 20, self.dev & 0xf_ffff)
    }
}

layout! {
    /// `struct unix_diag_rqlen`.
    pub struct QueueLengths: unix_diag_rqlen = 8 {
        /// For a listener: connections that wait to be accepted. Otherwise: bytes received and not read.
        receive: u32,
        /// For a listener: largest number of connections that can wait. Otherwise: bytes sent and not yet
        /// read, with overhead.
        send: u32,
    }
}

/// The address that a socket is bound to, as the kernel sends it: an abstract name begins with a NUL, a path
/// may end with one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UnixName<'a>(
    /// The bytes.
    pub &'a [u8],
);

impl<'a> UnixName<'a> {
    /// The path; `None` if the name is abstract.
    pub fn path(&self) -> Option<&'a [u8]> {
        match self.0 {
            [] | [0, ..] => None,
            bytes => bytes.split(|byte| *byte == 0).next(),
        }
    }

    /// The abstract name without the leading NUL. Other NULs are part of the name. `None` if the name is a path.
    pub fn abstract_name(&self) -> Option<&'a [u8]> {
        self.0.strip_prefix(&[0])
    }
}

impl<'a> Payload<'a> for UnixName<'a> {
    type Value = Self;
    const RULE: Rule = Rule::at_least(0);
    const SHAPE: Shape = leaf!(UnixName<'_>);

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        Ok(Self(payload))
    }

    fn encode(&self, out: &mut Writer) {
        out.push(self.0);
    }
}

impl fmt::Debug for UnixName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The path, or `@` and the abstract name, with escaped unprintable characters.
impl fmt::Display for UnixName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.abstract_name() {
            Some(name) => write!(f, "@{}", name.escape_ascii()),
            None => write!(f, "{}", self.path().unwrap_or_default().escape_ascii()),
        }
    }
}

netlink_core::serialize! { @text ['a] UnixName<'a> }

message! {
    /// A query for local sockets.
    pub struct UnixQuery<'a>(UnixQueryHeader, NoAttrs<'a>), UnixRequest {
        /// Asks for one socket or all.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [sent],
    }
    about (crate::common::inode!(UnixQuery))
    on crate::PROTOCOL
}

const ASK: MessageInfo = MessageInfo { siblings: || &[UnixSocket::MESSAGES], ..UnixQuery::BY_FAMILY };

attrs! {
    /// `UNIX_DIAG_*`.
    pub struct UnixAttrs<'a> for UnixReply<R> {
        /// The address that it is bound to.
        0 UNIX_DIAG_NAME name: UnixName<'a>,
        /// The file that it is bound to.
        1 UNIX_DIAG_VFS file: UnixFile,
        /// Inode of the peer.
        2 UNIX_DIAG_PEER peer: u32,
        /// For a listener: inodes of the connecting sockets that wait; 0 for a socket that was closed.
        3 UNIX_DIAG_ICONS waiting: Array<'a, u32>,
        /// Lengths of its queues.
        4 UNIX_DIAG_RQLEN queue_lengths: QueueLengths,
        /// Memory.
        5 UNIX_DIAG_MEMINFO memory: Memory<'a>,
        /// Directions that are shut down.
        6 UNIX_DIAG_SHUTDOWN shutdown: Shutdown,
        /// Owner. Linux 5.3.
        7 UNIX_DIAG_UID uid: u32,
    }
}

message! {
    /// A local socket.
    pub struct UnixSocket<'a>(UnixHeader, UnixAttrs<'a>), UnixReply {
        /// A requested socket.
        20 SOCK_DIAG_BY_FAMILY BY_FAMILY [received],
    }
    on crate::PROTOCOL
}

fn query<R>(flags: MessageFlags) -> UnixRequest<R> {
    let header = UnixQueryHeader::default().family(Family::UNIX).states(States::ALL).show(UnixShow::all());
    UnixRequest::new(&ASK, flags, header)
}

/// Lists sockets in all states with all attributes.
pub fn list() -> ListRequest<Dump<UnixSocket<'static>>> {
    query(MessageFlags::DUMP).into()
}

/// Asks for the socket with this inode; `ENOENT` if there is none.
pub fn get(inode: u32) -> GetRequest<UnixSocket<'static>> {
    query(MessageFlags::empty()).header(|header| header.inode = inode).into()
}

narrow! {
    /// A request for a list of sockets.
    pub struct ListRequest<R>(UnixRequest<R>) {}
}

narrow! {
    /// A request for one socket.
    pub struct GetRequest<R>(UnixRequest<R>) {}
}

impl<R> ListRequest<R> {
    /// List only sockets in these states.
    pub fn states(self, states: impl Into<States>) -> Self {
        Self(self.0.header(|header| header.states = states.into()))
    }

    /// Send only these attributes of each socket.
    pub fn show(self, show: UnixShow) -> Self {
        Self(self.0.header(|header| header.show = show))
    }
}

impl<R> GetRequest<R> {
    /// Send only these attributes.
    pub fn show(self, show: UnixShow) -> Self {
        Self(self.0.header(|header| header.show = show))
    }

    /// The cookie of the socket; `ESTALE` if the inode belongs to another socket.
    pub fn cookie(self, cookie: Cookie) -> Self {
        Self(self.0.header(|header| header.cookie = cookie))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn requests() {
        let bytes = get(7).show(UnixShow::NAME).cookie(Cookie(9)).to_bytes().unwrap();
        let fixed: [u32; 6] = [u32::from_ne_bytes([1, 0, 0, 0]), u32::MAX, 7, 1, 9, 0];
        assert_eq!(bytes[16..], fixed.map(u32::to_ne_bytes).concat());
        assert_eq!(bytes[4..8], netlink_testing::native([20, 0, 1, 0], &[2]));
    }

    #[test]
    fn names_are_paths_or_abstract() {
        let path = UnixName(b"/run/a\0");
        assert_eq!((path.path(), path.abstract_name()), (Some(b"/run/a".as_slice()), None));
        let name = UnixName(b"\0a\0b");
        assert_eq!((name.path(), name.abstract_name()), (None, Some(b"a\0b".as_slice())));
        assert_eq!((path.to_string().as_str(), name.to_string().as_str()), ("/run/a", "@a\\x00b"));
        assert_eq!((UnixName(b"").path(), UnixName(b"").abstract_name()), (None, None));
    }

    #[test]
    fn devices() {
        assert_eq!(UnixFile::default().dev(0x0010_0002).device(), (1, 2));
    }

    /// S-X: in the machine's byte order.
    #[test]
    fn a_user_other_than_root() {
        let attr = [8u16.to_ne_bytes(), 7u16.to_ne_bytes()].concat();
        let read = UnixAttrs::decode(&[attr, 1000u32.to_ne_bytes().to_vec()].concat()).map(|set| set.uid());
        assert_eq!(read, Ok(Some(1000)));
    }
}
