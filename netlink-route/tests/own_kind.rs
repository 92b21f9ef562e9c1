//! Kinds of links that are declared outside of the crate.

#![allow(clippy::unwrap_used)]

use netlink_route::link::{self, Bridge, Kind, Link, SlaveKind};
use netlink_route::netlink_core::{attrs, choice, layout};
use netlink_route::{IntoAttr, Message, Messages};

attrs! {
    /// `IFLA_VRF_*`: a VRF.
    struct VrfAttrs<'a> for Vrf {
        /// Its routing table.
        1 IFLA_VRF_TABLE table: u32,
    }
}

layout! {
    /// Parameters that are not attributes.
    struct Plain: plain = 4 {
        /// A number.
        number: u32,
    }
}

attrs! {
    /// `IFLA_VRF_PORT_*`: a link in a VRF.
    struct VrfPortAttrs<'a> for VrfPort {
        /// The routing table.
        1 IFLA_VRF_PORT_TABLE table: u32,
    }
}

choice! {
    for Kind<'a> {
        b"vrf" => Other(VrfAttrs<'a>, Vrf),
        b"plain" => Other(Plain, Plain),
    }
}

choice! {
    for SlaveKind<'a> { b"vrf" => Other(VrfPortAttrs<'a>, VrfPort), }
}

fn bytes<'x>(kind: impl IntoAttr<Kind<'x>>) -> Vec<u8> {
    link::create("x").kind(kind).to_bytes().unwrap()
}

fn message(bytes: &[u8]) -> Message<'_> {
    Messages::new(bytes).next().unwrap().unwrap()
}

#[test]
fn it_is_written_and_read_like_one_of_the_crate() {
    let bytes = bytes(Vrf::new().table(10));
    let link = Link::read(&message(&bytes)).unwrap();
    assert_eq!(link.kind_as::<Vrf>().unwrap().unwrap().table(), Some(10));
    assert!(link.kind_as::<Bridge>().unwrap().is_none() && link.kind_as::<Plain>().unwrap().is_none());
    // For the crate it is a kind without a row: the written bytes are read back, kept, and sent again.
    let kind = link.kind().unwrap();
    assert_eq!((kind.name(), &kind), ("vrf".into(), &Vrf::new().table(10).into()));
    assert_eq!(link::create("x").kind(kind).to_bytes().unwrap(), bytes);
    // Under its master too.
    let port = link::set("x").slave(VrfPort::new().table(11)).to_bytes().unwrap();
    let link = Link::read(&message(&port)).unwrap();
    assert_eq!(link.slave_as::<VrfPort>().unwrap().unwrap().table(), Some(11));
    assert!(link.kind_as::<Vrf>().unwrap().is_none());
}

#[test]
fn kinds_of_the_crate_are_read_by_their_builders_as_well() {
    let bytes = bytes(Bridge::new().ageing_time(7));
    let link = Link::read(&message(&bytes)).unwrap();
    assert_eq!(link.kind_as::<Bridge>().unwrap().unwrap().ageing_time(), Some(7));
    assert!(link.kind_as::<Vrf>().unwrap().is_none());
}

#[test]
fn parameters_may_be_a_struct_and_are_checked_when_they_are_read() {
    let good = bytes(Plain::default().number(7));
    let link = Link::read(&message(&good)).unwrap();
    assert_eq!(link.kind_as::<Plain>().unwrap(), Some(Plain { number: 7 }));
    // They were not checked with the message: for the crate they are bytes.
    let short = bytes(Kind::Other("plain".into(), [1, 2][..].into()));
    let link = Link::read(&message(&short)).unwrap();
    assert!(link.kind_as::<Plain>().is_err());
    let short = [6_u16.to_ne_bytes(), 1_u16.to_ne_bytes(), [7, 0]].concat();
    let wrong = bytes(Kind::Other("vrf".into(), short[..].into()));
    let link = Link::read(&message(&wrong)).unwrap();
    assert_eq!(link.kind_as::<Vrf>().unwrap_err().at, "IFLA_VRF_TABLE");
}

/// The JSON has the name of the kind, unless the family of the message selects it.
#[cfg(feature = "serde")]
#[test]
fn json_is_named_by_the_key() {
    use netlink_route::link::af_spec::{AfSpec, Families, Inet6};
    use netlink_route::route::encap::{Encap, EncapType, Mpls};

    let kind = Kind::from(Bridge::new().ageing_time(7));
    assert_eq!(serde_json::to_string(&kind).unwrap(), r#"{"bridge":{"ageing_time":7}}"#);
    let kind = Kind::Other("new".into(), [1, 2][..].into());
    assert_eq!(serde_json::to_string(&kind).unwrap(), r#"{"other":"0102"}"#);
    let spec = AfSpec::from(Families::new().inet6(Inet6::new().attr(9, &1300_u32)));
    assert_eq!(serde_json::to_string(&spec).unwrap(), r#"{"inet6":{"ra_mtu":1300}}"#);
    let encap = Encap::from(Mpls::new().ttl(9));
    assert_eq!(serde_json::to_string(&encap).unwrap(), r#"{"mpls":{"ttl":9}}"#);
    let encap = Encap::Other(EncapType(99), [1][..].into());
    assert_eq!(serde_json::to_string(&encap).unwrap(), r#"{"other":"01"}"#);
}
