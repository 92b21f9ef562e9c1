//! Pairs of links, each the other's wire. Kernel side: `drivers/net/veth.c`.

use core::fmt;

use netlink_core::attr::{NLA_F_NESTED, Rule};
use netlink_core::layout::Field;
use netlink_core::{
    Attrs, DecodeError, IntoAttr, Malformed, MessageFlags, Payload, Scope, Shape, Writer, attrs, serialize,
};

use super::info::Kind;
use super::{Link, LinkAttrs, LinkHeader, LinkRequest};

const HEADER: usize = <LinkHeader as Field>::SIZE;

/// Longest peer that tools look into: it bounds how deep peers inside of peers can go.
const SHOWN: usize = 1024;

/// The other end of a pair, as a request names it: a header and the attributes of a link.
#[derive(Clone)]
pub struct Peer<'a>(Source<'a>);

#[derive(Clone)]
enum Source<'a> {
    Wire(&'a [u8]),
    Built(Writer),
}

impl Peer<'_> {
    fn bytes(&self) -> &[u8] {
        match &self.0 {
            Source::Wire(bytes) => bytes,
            Source::Built(message) => {
                message.as_slice().get(netlink_core::message::HEADER_LEN..).unwrap_or_default()
            }
        }
    }

    /// The header: index and flags that the peer shall have.
    pub fn header(&self) -> LinkHeader {
        LinkHeader::take(&mut self.bytes()).unwrap_or_default()
    }

    /// The attributes, which are only checked here: a peer may have a peer, and so on.
    pub fn attrs(&self) -> Result<LinkAttrs<'_>, DecodeError> {
        let bytes = self.bytes();
        let set = Attrs::new(bytes.get(HEADER..).unwrap_or_default());
        LinkAttrs::read(&Scope { header: bytes, set })
    }
}

impl<'a> Payload<'a> for Peer<'a> {
    const FLAGS: u16 = NLA_F_NESTED;
    const RULE: Rule = Rule::at_least(HEADER);
    const SHAPE: Shape = Shape::Records(LinkAttrs::TABLE, |bytes| {
        (HEADER..=SHOWN).contains(&bytes.len()).then_some((HEADER, bytes.len()))
    });

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        if payload.len() < HEADER {
            return Err(Malformed::Length { want: HEADER, got: payload.len() });
        }
        Ok(Self(Source::Wire(payload)))
    }

    fn encode(&self, out: &mut Writer) {
        if let Source::Built(message) = &self.0
            && let Some((_, why)) = message.error()
        {
            out.fail(why);
        }
        out.push(self.bytes());
    }
}

impl<'a, R> IntoAttr<Peer<'a>> for LinkRequest<R> {
    fn into_attr(mut self) -> Peer<'a> {
        Peer(Source::Built(core::mem::take(self.0.writer())))
    }
}

impl PartialEq for Peer<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.header() == other.header() && self.attrs() == other.attrs()
    }
}

impl fmt::Debug for Peer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("header", &self.header()).field("attrs", &self.attrs()).finish()
    }
}

serialize! { impl ['a] for Peer<'a>, |peer, fields| {
    fields.entry("header", &peer.header())?;
    if let Ok(attrs) = peer.attrs() {
        fields.entry("attrs", &attrs)?;
    }
} }

attrs! {
    /// `VETH_INFO_*`: a pair, as it is made. Replies do not have it: they tell the peer by `IFLA_LINK`, and
    /// its namespace by `IFLA_LINK_NETNSID`.
    pub struct VethAttrs<'a> for Veth {
        /// The other end, from [`peer`] or any other link request. Without it the kernel names the peer and
        /// gives it the attributes of the first end, its namespace included.
        1 VETH_INFO_PEER peer: Peer<'a>,
    }
}

/// The other end of a pair: every attribute of a link can be set on it, also its namespace, but not
/// [`up`](LinkRequest::up).
///
/// ```
/// use netlink_route::link::{self, Veth};
///
/// let peer = link::peer("eth0").mtu(1400).net_ns_pid(4711).num_rx_queues(4);
/// let request = link::create("host0").kind(Veth::new().peer(peer));
/// # assert!(request.to_bytes().is_ok());
/// ```
///
/// An [`index`](LinkRequest::index) of its own counts only if the first end has one too. It can't be made up:
/// the kernel switches it on before it knows its other end, and fails with `ENOTCONN`.
pub fn peer(name: &str) -> LinkRequest<()> {
    LinkRequest::new(&Link::NEW, MessageFlags::empty(), LinkHeader::default()).name(name)
}

impl From<Veth> for Kind<'static> {
    fn from(veth: Veth) -> Self {
        Self::Veth(veth.attrs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{self, LinkFlags};
    use alloc::format;
    use netlink_core::Unsendable;

    #[test]
    fn both_ends_are_made_at_once() {
        let peer = peer("b").mtu(1400).net_ns_fd(5).index(9).up();
        let bytes = link::create("a").kind(Veth::new().peer(peer)).to_bytes().unwrap();
        let info = [
            64, 0, 18, 0x80, // IFLA_LINKINFO
            9, 0, 1, 0, b'v', b'e', b't', b'h', 0, 0, 0, 0, // IFLA_INFO_KIND
            48, 0, 2, 0x80, // IFLA_INFO_DATA
            44, 0, 1, 0x80, // VETH_INFO_PEER
            0, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, // struct ifinfomsg
            6, 0, 3, 0, b'b', 0, 0, 0, // IFLA_IFNAME
            8, 0, 4, 0, 0x78, 5, 0, 0, // IFLA_MTU
            8, 0, 28, 0, 5, 0, 0, 0, // IFLA_NET_NS_FD
        ];
        assert_eq!(bytes[40..], info);
        let read = VethAttrs::decode(&info[20..]).unwrap();
        let read_peer = read.peer().unwrap();
        assert_eq!(read_peer.header().flags, LinkFlags::UP);
        let attrs = read_peer.attrs().unwrap();
        assert_eq!((attrs.mtu(), attrs.net_ns_fd()), (Some(1400), Some(5)));
        assert!(format!("{read:?}").contains("name: \"b\""));
    }

    #[test]
    fn a_short_peer_is_an_error_and_a_bad_one_is_not_sent() {
        assert!(VethAttrs::decode(&[8, 0, 1, 0, 0, 0, 0, 0]).is_err());
        let built = Veth::new().peer(peer("sixteen-is-a-lot")).attrs();
        let mut out = Writer::new();
        built.put(2, &mut out);
        assert!(matches!(out.error(), Some((_, Unsendable::TooLong { length: 16, max: 15 }))));
    }

    #[test]
    fn peers_inside_of_peers_cost_no_stack() {
        let mut payload = [0; HEADER].to_vec();
        for _ in 0..1000 {
            let mut out = Writer::new();
            out.push(&[0; HEADER]);
            out.nest(18, |out| {
                out.put_bytes(1, b"veth\0");
                out.nest(2, |out| out.put_bytes(1, &payload));
            });
            payload = out.into_bytes();
        }
        let peer = Peer::decode(&payload).unwrap();
        assert!(peer.attrs().is_ok());
        assert!(!format!("{peer:?}").is_empty());
        let short = format!("{:?}", Peer::decode(&payload[payload.len() - SHOWN..]).unwrap().attrs());
        assert!(!short.is_empty());
    }
}
