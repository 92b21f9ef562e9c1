//! Types that sockets of all families share.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netlink_core::attr::Hex;
use netlink_core::layout::Field;
use netlink_core::net::Family;
use netlink_core::{IntoAttr, Malformed, Payload, Rule, Shape, Writer, attrs, bits, leaf, values};

use crate::vsock::VsockRequest;

values! {
    /// `SOCK_*`: type of a socket.
    pub struct SocketType: u8 {
        /// A stream of bytes.
        1 | 2 SOCK_STREAM STREAM "stream",
        /// Messages.
        2 | 1 SOCK_DGRAM DGRAM "dgram",
        /// Packets with all their headers.
        3 SOCK_RAW RAW "raw",
        /// Messages that are not lost.
        4 SOCK_RDM RDM "rdm",
        /// Messages in order.
        5 SOCK_SEQPACKET SEQPACKET "seqpacket",
        /// Packets; the old interface.
        10 SOCK_PACKET PACKET "packet",
    }
}

values! {
    /// `TCP_*`: states of sockets. Families without connections use two or three of them.
    pub struct State: u8 {
        /// Connected.
        1 TCP_ESTABLISHED ESTABLISHED "ESTAB",
        /// Sent a SYN.
        2 TCP_SYN_SENT SYN_SENT "SYN-SENT",
        /// Received and answered a SYN.
        3 TCP_SYN_RECV SYN_RECV "SYN-RECV",
        /// Closed here; the peer has not acknowledged it.
        4 TCP_FIN_WAIT1 FIN_WAIT1 "FIN-WAIT-1",
        /// Closed here, not by the peer.
        5 TCP_FIN_WAIT2 FIN_WAIT2 "FIN-WAIT-2",
        /// Closed; kept for late segments.
        6 TCP_TIME_WAIT TIME_WAIT "TIME-WAIT",
        /// Not connected.
        7 TCP_CLOSE CLOSE "UNCONN",
        /// Closed by the peer, not here.
        8 TCP_CLOSE_WAIT CLOSE_WAIT "CLOSE-WAIT",
        /// Closed by the peer, then here; the peer has not acknowledged it.
        9 TCP_LAST_ACK LAST_ACK "LAST-ACK",
        /// Accepts connections.
        10 TCP_LISTEN LISTEN "LISTEN",
        /// Closed on both sides at the same time.
        11 TCP_CLOSING CLOSING "CLOSING",
        /// In a query: TCP sockets that have a port, but neither listen nor are connected. They are listed as
        /// [`CLOSE`](Self::CLOSE). Linux 6.8.
        13 TCP_BOUND_INACTIVE BOUND_INACTIVE "BOUND-INACTIVE",
    }
}

/// For `about` of `message!`: a query for a socket by its inode.
macro_rules! inode {
    ($query:ident) => {
        |query: &$query<'_>, f: &mut core::fmt::Formatter<'_>| write!(f, "inode {}", query.header().inode)
    };
}
pub(crate) use inode;

bits! {
    /// A set of states, for queries.
    ///
    /// ```
    /// use netlink_sockdiag::{State, States};
    ///
    /// let open = State::ESTABLISHED | State::LISTEN;
    /// assert!(open.contains(State::LISTEN));
    /// assert!(!States::ALL.contains(State(40)));
    /// ```
    pub struct States: u32 of State from 0, " | ";
}

/// Identifies a socket among all sockets since boot. In a query, it must be the cookie of the socket or
/// [`ANY`](Self::ANY).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cookie(
    /// The number.
    pub u64,
);

impl Cookie {
    /// In a query: any cookie.
    pub const ANY: Self = Self(u64::MAX);
}

impl Default for Cookie {
    fn default() -> Self {
        Self::ANY
    }
}

/// Two words. The lower word comes first on every machine.
impl Field for Cookie {
    const SIZE: usize = 8;

    #[inline]
    fn take(cursor: &mut &[u8]) -> Result<Self, Malformed> {
        let (low, high) = (u32::take(cursor)?, u32::take(cursor)?);
        Ok(Self(u64::from(low) | u64::from(high) << 32))
    }

    #[allow(clippy::cast_possible_truncation)]
    fn store(self, bytes: &mut [u8], at: usize) {
        (self.0 as u32).store(bytes, at);
        ((self.0 >> 32) as u32).store(bytes, at + 4);
    }
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

netlink_core::serialize_display! { Cookie }

/// The bytes of a C array that is too long for serde and `Default`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Octets<const N: usize>(
    /// All bytes.
    pub [u8; N],
);

impl<const N: usize> Octets<N> {
    /// The bytes before the first NUL, for arrays with a text.
    pub fn text(&self) -> &[u8] {
        self.0.split(|byte| *byte == 0).next().unwrap_or_default()
    }
}

impl<const N: usize> Default for Octets<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Field for Octets<N> {
    const SIZE: usize = N;

    fn take(cursor: &mut &[u8]) -> Result<Self, Malformed> {
        <[u8; N]>::take(cursor).map(Self)
    }

    fn store(self, bytes: &mut [u8], at: usize) {
        self.0.store(bytes, at);
    }
}

impl<const N: usize> fmt::Debug for Octets<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Printable characters, with all other bytes escaped. NULs at the end are omitted.
impl<const N: usize> fmt::Display for Octets<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.0.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        write!(f, "{}", self.0.get(..end).unwrap_or_default().escape_ascii())
    }
}

netlink_core::serialize! { @text [const N: usize] Octets<N> }

/// The sixteen bytes of an address of either family. Prints as hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct WireIp(
    /// All bytes. An IPv4 address uses the first four.
    pub [u8; 16],
);

impl WireIp {
    /// The address: IPv4 if `family` says so, else IPv6.
    #[inline]
    pub fn ip(self, family: Family) -> IpAddr {
        match (family, self.0) {
            (Family::INET, [a, b, c, d, ..]) => Ipv4Addr::new(a, b, c, d).into(),
            (_, bytes) => Ipv6Addr::from(bytes).into(),
        }
    }
}

impl From<IpAddr> for WireIp {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => {
                let [a, b, c, d] = ip.octets();
                Self([a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
            }
            IpAddr::V6(ip) => Self(ip.octets()),
        }
    }
}

impl IntoAttr<WireIp> for IpAddr {
    fn into_attr(self) -> WireIp {
        self.into()
    }
}

impl Field for WireIp {
    const SIZE: usize = 16;

    #[inline(always)]
    fn take(cursor: &mut &[u8]) -> Result<Self, Malformed> {
        <[u8; 16]>::take(cursor).map(Self)
    }

    fn store(self, bytes: &mut [u8], at: usize) {
        self.0.store(bytes, at);
    }
}

impl fmt::Debug for WireIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for WireIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Hex(&self.0), f)
    }
}

netlink_core::serialize_display! { WireIp }

/// The directions of a socket that are shut down: two bits in a byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shutdown(
    /// The bits.
    pub u8,
);

impl Shutdown {
    /// Reception is shut down.
    pub const fn receive(self) -> bool {
        self.0 & 1 != 0
    }

    /// Sending is shut down.
    pub const fn send(self) -> bool {
        self.0 & 2 != 0
    }
}

impl Field for Shutdown {
    const SIZE: usize = 1;

    fn take(cursor: &mut &[u8]) -> Result<Self, Malformed> {
        u8::take(cursor).map(Self)
    }

    fn store(self, bytes: &mut [u8], at: usize) {
        self.0.store(bytes, at);
    }
}

impl<'a> Payload<'a> for Shutdown {
    type Value = Self;
    const RULE: Rule = Rule::at_least(1);
    const SHAPE: Shape = leaf!(Self);

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        Self::take(&mut { payload })
    }

    fn encode(&self, out: &mut Writer) {
        self.0.encode(out);
    }
}

netlink_core::serialize! { impl [] for Shutdown, |shutdown, fields| {
    fields.entry("receive", &shutdown.receive())?;
    fields.entry("send", &shutdown.send())?;
} }

attrs! {
    /// No attributes: the queries of most families have only a fixed header.
    pub struct NoAttrs<'a> for VsockRequest<R> {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn sets_print_what_they_hold() {
        assert_eq!(format!("{}", State::LISTEN | State::CLOSE), "UNCONN | LISTEN");
        assert_eq!(format!("{}", States(1 << 10 | 1 << 20)), "LISTEN | 0x100000");
        assert_eq!(States::of(&[State(32)]), States(0));
        assert_eq!([State::LISTEN].into_iter().collect::<States>(), State::LISTEN.into());
        assert!((!States::from(State::LISTEN)).contains(State::CLOSE));
    }

    #[test]
    fn a_cookie_is_two_words_with_the_lower_one_first() {
        let mut bytes = [0; 8];
        Cookie(0x1_0000_0002).store(&mut bytes, 0);
        assert_eq!([2u32.to_ne_bytes(), 1u32.to_ne_bytes()].concat(), bytes);
        assert_eq!(Cookie::take(&mut bytes.as_slice()), Ok(Cookie(0x1_0000_0002)));
    }
}
