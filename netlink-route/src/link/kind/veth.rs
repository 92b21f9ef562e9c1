//! Pairs of links, each the other's wire. Kernel side: `drivers/net/veth.c`.

use core::fmt;

use netlink_core::attr::{NLA_F_NESTED, Rule};
use netlink_core::layout::Field;
use netlink_core::{
    Attr, Attrs, DecodeError, IntoAttr, Malformed, MessageFlags, Payload, Scope, Shape, Writer, attrs,
    serialize,
};

use crate::link::{Link, LinkAttrs, LinkHeader, LinkRequest};

const HEADER: usize = <LinkHeader as Field>::SIZE;

/// The other end of a pair, as a request names it: a header and the attributes of a link.
#[derive(Clone)]
pub struct Peer<'a> {
    source: Source<'a>,
    /// How many sets stand around its own.
    depth: u8,
}

#[derive(Clone)]
enum Source<'a> {
    Wire(&'a [u8]),
    Built(Writer),
}

impl Peer<'_> {
    fn bytes(&self) -> &[u8] {
        match &self.source {
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

    /// The attributes, which are only checked here: a peer may have a peer, and so on. One inside of more than
    /// [`MAX_DEPTH`](netlink_core::attr::MAX_DEPTH) sets is an error.
    pub fn attrs(&self) -> Result<LinkAttrs<'_>, DecodeError> {
        let bytes = self.bytes();
        let set = Attrs::new(bytes.get(HEADER..).unwrap_or_default());
        LinkAttrs::read(&Scope { header: bytes, set, depth: self.depth })
    }
}

impl<'a> Payload<'a> for Peer<'a> {
    const FLAGS: u16 = NLA_F_NESTED;
    const RULE: Rule = Rule::at_least(HEADER);
    const SHAPE: Shape =
        Shape::Records(LinkAttrs::TABLE, |bytes| (bytes.len() >= HEADER).then_some((HEADER, bytes.len())));

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        if payload.len() < HEADER {
            return Err(Malformed::Length { want: HEADER, got: payload.len() });
        }
        Ok(Self { source: Source::Wire(payload), depth: 0 })
    }

    fn of(attr: Attr<'a>, scope: &Scope<'a>) -> Result<Self, Malformed> {
        Ok(Self { depth: scope.depth.saturating_add(1), ..Self::decode(attr.payload)? })
    }

    fn encode(&self, out: &mut Writer) {
        if let Source::Built(message) = &self.source
            && let Some((_, why)) = message.error()
        {
            out.fail(why);
        }
        out.push(self.bytes());
    }
}

impl<'a, R> IntoAttr<Peer<'a>> for LinkRequest<R> {
    fn into_attr(mut self) -> Peer<'a> {
        Peer { source: Source::Built(core::mem::take(self.0.writer())), depth: 0 }
    }
}

impl PartialEq for Peer<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.attrs(), other.attrs()) {
            (Ok(a), Ok(b)) => self.header() == other.header() && a == b,
            _ => self.bytes() == other.bytes(),
        }
    }
}

impl fmt::Debug for Peer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("header", &self.header()).field("attrs", &self.attrs()).finish()
    }
}

serialize! { impl ['a] for Peer<'a>, |peer, fields| {
    fields.entry("header", &peer.header())?;
    match peer.attrs() {
        Ok(attrs) => fields.entry("attrs", &attrs)?,
        Err(_) => fields.entry("attrs", &netlink_core::Bytes(peer.bytes().get(HEADER..).unwrap_or_default()))?,
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

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::link::{self, Kind, LinkFlags};
    use alloc::format;
    use alloc::vec::Vec;
    use netlink_core::Unsendable;
    use netlink_testing::native;

    #[test]
    fn both_ends_are_made_at_once() {
        let peer = peer("b").mtu(1400).net_ns_fd(5).index(9).up();
        let bytes = link::create("a").kind(Veth::new().peer(peer)).to_bytes().unwrap();
        let info = native(
            [
                64, 0, 18, 0x80, // IFLA_LINKINFO
                9, 0, 1, 0, b'v', b'e', b't', b'h', 0, 0, 0, 0, // IFLA_INFO_KIND
                48, 0, 2, 0x80, // IFLA_INFO_DATA
                44, 0, 1, 0x80, // VETH_INFO_PEER
                0, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, // struct ifinfomsg
                6, 0, 3, 0, b'b', 0, 0, 0, // IFLA_IFNAME
                8, 0, 4, 0, 0x78, 5, 0, 0, // IFLA_MTU
                8, 0, 28, 0, 5, 0, 0, 0, // IFLA_NET_NS_FD
            ],
            &[
                2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 2, 4, 4, 4, 2, 2, 1, 1, 1, 1, 2, 2, 4,
                2, 2, 4,
            ],
        );
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

    /// A link whose peer has a peer, and so on, within so many bytes.
    fn peers(room: usize) -> Vec<u8> {
        let link = |attrs: &[u8]| {
            let mut out = Writer::new();
            out.nest(18, |out| {
                out.put_bytes(1, b"veth\0");
                out.nest(2, |out| out.put_bytes(1, attrs));
            });
            [&[0; HEADER], out.as_slice()].concat()
        };
        let mut message = link(&[0; HEADER]);
        while message.len() + 24 + HEADER < room {
            message = link(&message);
        }
        message
    }

    /// S-M2
    #[test]
    fn peers_inside_of_peers_cost_no_stack() {
        let small = std::thread::Builder::new().stack_size(256 << 10);
        let looked_at = small.spawn(|| {
            let message = peers(64 << 10);
            let attrs = &message[HEADER..];
            for body in
                [message.clone(), [&message[..HEADER], &attrs.repeat((1 << 20) / attrs.len())].concat()]
            {
                let request =
                    LinkRequest::<()>::new(&Link::NEW, MessageFlags::empty(), LinkHeader::default());
                let mut bytes = request.to_bytes().unwrap();
                bytes.truncate(16);
                bytes.extend_from_slice(&body);
                let length = u32::try_from(bytes.len()).unwrap();
                bytes[..4].copy_from_slice(&length.to_ne_bytes());
                let mut other = bytes.clone();
                *other.last_mut().unwrap() ^= 1;
                let [a, b] =
                    [&bytes, &other].map(|bytes| netlink_core::Messages::new(bytes).next().unwrap().unwrap());
                let (link, other) = (Link::read(&a).unwrap(), Link::read(&b).unwrap());
                assert!(link == link.clone() && link != other);
                assert!(!format!("{link} {link:?} {link:#?}").is_empty());
                assert_eq!(link.clone().into_owned(), link);
                let tree = netlink_core::trace::Tree::new(&bytes, Some(&Link::NEW));
                assert!(format!("{tree}").contains("VETH_INFO_PEER"));
                #[cfg(feature = "serde")]
                assert!(serde_json::to_string(&link).unwrap().contains("veth"));

                // Each peer has a peer, down to the bound.
                fn depth(attrs: &LinkAttrs<'_>) -> usize {
                    let info = attrs.info();
                    match info.as_ref().and_then(|info| info.data()) {
                        Some(Kind::Veth(veth)) => {
                            let peer = veth.peer().unwrap();
                            1 + peer.attrs().map_or(0, |attrs| depth(&attrs))
                        }
                        _ => 0,
                    }
                }
                assert_eq!(depth(&link), 5);
            }
        });
        looked_at.unwrap().join().unwrap();
    }

    #[test]
    fn peers_that_are_too_deep_are_equal_if_their_bytes_are() {
        let message = peers(4096);
        let deep = |bytes| Peer { source: Source::Wire(bytes), depth: netlink_core::attr::MAX_DEPTH };
        let mut other = message.clone();
        other[HEADER + 4] ^= 1;
        assert!(deep(&message).attrs().is_err());
        assert!(deep(&message) == deep(&message) && deep(&message) != deep(&other));
        assert!(format!("{:?}", deep(&message)).contains("deeper"));
    }
}
