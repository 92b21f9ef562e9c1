//! Pairs of connected links. Kernel side: `drivers/net/veth.c`.

use netlink_core::attr::Fields;
use netlink_core::layout::Field;
use netlink_core::message::HEADER_LEN;
use netlink_core::{Headed, IntoAttr, MessageFlags, Writer, attrs};

use crate::link::{Link, LinkAttrs, LinkHeader, LinkRequest};

/// The other end of a pair in a request: its index, its flags and its attributes.
pub type Peer<'a> = Headed<LinkHeader, LinkAttrs<'a>>;

impl<'a, R> IntoAttr<Peer<'a>> for LinkRequest<R> {
    fn into_attr(mut self) -> Peer<'a> {
        let message = core::mem::take(self.0.writer());
        let mut body = message.as_slice().get(HEADER_LEN..).unwrap_or_default();
        let header = LinkHeader::take(&mut body).unwrap_or_default();
        let mut set = Writer::from(body);
        if let Some((_, why)) = message.error() {
            set.fail(why);
        }
        (header, LinkAttrs(Fields::built(set, LinkAttrs::TABLE))).into_attr()
    }
}

attrs! {
    /// `VETH_INFO_*`: parameters of a new pair. Replies do not have them: there, `IFLA_LINK` is the peer and
    /// `IFLA_LINK_NETNSID` its namespace.
    pub struct VethAttrs<'a> for Veth {
        /// The other end, from [`peer`] or any other link request. Without it the kernel chooses the name and
        /// gives the peer the attributes of the first end, including the namespace.
        1 VETH_INFO_PEER peer: Peer<'a>,
    }
}

/// The other end of a pair. All attributes of a link, including the namespace, can be set, but not
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
/// The kernel uses its [`index`](LinkRequest::index) only if the first end has one too. It cannot be created
/// up: the kernel would switch it on before it connects both ends, and fails with `ENOTCONN`.
pub fn peer(name: &str) -> LinkRequest<()> {
    LinkRequest::new(&Link::NEW, MessageFlags::empty(), LinkHeader::default()).name(name)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::Family;
    use crate::link::af_spec::{AfSpec, FamiliesAttrs};
    use crate::link::{self, Kind, LinkFlags};
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use netlink_core::{DecodeError, Messages, Payload, Raw, Unsendable};
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
        assert_eq!(read_peer.header.flags, LinkFlags::UP);
        assert_eq!((read_peer.mtu(), read_peer.net_ns_fd()), (Some(1400), Some(5)));
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

    /// A link with a chain of nested peers. The innermost peer has these attributes.
    fn peers(count: usize, innermost: &[u8]) -> Vec<u8> {
        let header = [0; LinkHeader::SIZE];
        let mut link = [&header[..], innermost].concat();
        for _ in 0..count {
            let mut out = Writer::new();
            out.nest(18, |out| {
                out.put_bytes(1, b"veth\0");
                out.nest(2, |out| out.put_bytes(1, &link));
            });
            link = [&header[..], out.as_slice()].concat();
        }
        link
    }

    /// A message with this body.
    fn message(body: &[u8]) -> Vec<u8> {
        let request = LinkRequest::<()>::new(&Link::NEW, MessageFlags::empty(), LinkHeader::default());
        let mut bytes = request.to_bytes().unwrap();
        bytes.truncate(HEADER_LEN);
        bytes.extend_from_slice(body);
        let length = u32::try_from(bytes.len()).unwrap();
        bytes[..4].copy_from_slice(&length.to_ne_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Link<'_>, DecodeError> {
        Link::read(&Messages::new(bytes).next().unwrap().unwrap())
    }

    /// Depth of the chain of peers.
    fn depth(attrs: &LinkAttrs<'_>) -> usize {
        match attrs.info().as_ref().and_then(|info| info.data()) {
            Some(Kind::Veth(veth)) => veth.peer().map_or(0, |peer| 1 + depth(&peer)),
            _ => 0,
        }
    }

    /// S-M2: peers are read down to the limit, and refused below it.
    #[test]
    fn nested_peers_do_not_overflow_the_stack() {
        let small = std::thread::Builder::new().stack_size(256 << 10);
        let looked_at = small.spawn(|| {
            let name = |name: u8| native([6, 0, 3, 0, name, 0, 0, 0], &[2, 2, 1]);
            let [bytes, other] = [b'a', b'b'].map(|last| message(&peers(5, &name(last))));
            let (link, other) = (read(&bytes).unwrap(), read(&other).unwrap());
            assert_eq!(depth(link.attrs()), 5);
            assert!(link == link.clone() && link != other);
            assert!(format!("{link} {link:?} {link:#?}").contains("VethAttrs"));
            assert_eq!(link.clone().into_owned(), link);
            let tree = netlink_core::trace::Tree::new(&bytes, Some(&Link::NEW));
            assert!(format!("{tree}").contains("VETH_INFO_PEER"));
            #[cfg(feature = "serde")]
            assert!(serde_json::to_string(&link).unwrap().contains("\"name\":\"a\""));

            for deep in [peers(6, &[]), peers(1000, &[])] {
                let attrs = &deep[LinkHeader::SIZE..];
                let many = [&deep[..LinkHeader::SIZE], &attrs.repeat((1 << 20) / attrs.len())].concat();
                for body in [deep.clone(), many] {
                    let bytes = message(&body);
                    let error = read(&bytes).unwrap_err();
                    assert!(error.to_string().contains("deeper"), "{error}");
                    let tree = netlink_core::trace::Tree::new(&bytes, Some(&Link::NEW));
                    assert!(format!("{tree}").contains("VETH_INFO_PEER"));
                }
            }
        });
        looked_at.unwrap().join().unwrap();
    }

    #[test]
    fn what_a_peer_looks_up_by_family_is_in_its_own_header() {
        // `IFLA_AF_SPEC` of a bridge port, with two bytes that are not an attribute. The link itself has no family.
        let spec = native([6, 0, 26, 0, 1, 0, 0, 0], &[2, 2, 2]);
        let mut bytes = message(&peers(1, &spec));
        assert!(matches!(peer_spec(&bytes), AfSpec::Families(_)));
        let at = bytes.len() - spec.len() - LinkHeader::SIZE;
        bytes[at] = Family::BRIDGE.0;
        assert!(matches!(peer_spec(&bytes), AfSpec::Other(Family::BRIDGE, _)));

        fn peer_spec(bytes: &[u8]) -> AfSpec<'static> {
            let link = read(bytes).unwrap();
            let Some(Kind::Veth(veth)) = link.kind() else { panic!("{link:?}") };
            match veth.peer().unwrap().af_spec().unwrap() {
                AfSpec::Families(_) => AfSpec::Families(FamiliesAttrs::EMPTY),
                AfSpec::Other(family, _) => AfSpec::Other(family, Raw::default()),
                other => panic!("{other:?}"),
            }
        }
    }
}
