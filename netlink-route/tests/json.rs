//! What `Serialize` writes of values, structs and messages, and `Deserialize` reads.
#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used)]

use std::fmt::Debug;

use netlink_core::layout::Pad;
use netlink_core::net::{IpProtocol, WideFamily, WideIpProtocol};
use netlink_core::serde::{Deserialize, Serialize};
use netlink_core::{
    HwAddr, Message, MessageFlags, Prefix, ToRequest, attrs, bits, flags, layout, message, values,
};
use netlink_route::Family;
use netlink_route::addr::{self, AddressFlags};
use netlink_route::link::{self, Link, LinkFlags, LinkType};
use netlink_route::route::{self, NextHop, Route, RouteFlags, RouteTable, RouteType, Scope};
use serde_json::{Value, json};

fn is_read<T: Serialize + for<'de> Deserialize<'de> + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value, "{text}");
}

fn is_refused<T: for<'de> Deserialize<'de> + Debug>(value: Value) {
    let text = value.to_string();
    assert!(serde_json::from_value::<T>(value).is_err(), "{text}");
}

macro_rules! each_is_read {
    ($($type:ty: |$number:ident| $make:expr;)*) => { $(
        for $number in <$type>::CONSTANTS.iter().map(|constant| constant.number).chain(0..=255) {
            is_read::<$type>(&$make);
        }
    )* };
}

#[test]
fn what_is_written_is_read() {
    each_is_read! {
        Family: |number| Family(number.try_into().unwrap());
        WideFamily: |number| WideFamily(number.try_into().unwrap());
        IpProtocol: |number| IpProtocol(number.try_into().unwrap());
        WideIpProtocol: |number| WideIpProtocol(number.try_into().unwrap());
        LinkType: |number| LinkType(number.try_into().unwrap());
        RouteTable: |number| RouteTable(number.try_into().unwrap());
        RouteType: |number| RouteType(number.try_into().unwrap());
        Scope: |number| Scope(number.try_into().unwrap());
        LinkFlags: |number| LinkFlags::from_bits_retain(number.try_into().unwrap());
        AddressFlags: |number| AddressFlags::from_bits_retain(number.try_into().unwrap());
        RouteFlags: |number| RouteFlags::from_bits_retain(number.try_into().unwrap());
    }
    for text in ["192.0.2.1/24", "::/0", "2001:db8::1/128"] {
        is_read::<Prefix>(&text.parse().unwrap());
    }
    for length in 0..=HwAddr::MAX {
        is_read(&HwAddr::new(&[0x5e; HwAddr::MAX][..length.max(1)]).unwrap());
    }
}

#[test]
fn sets_are_lists_of_names() {
    let flags = LinkFlags::UP | LinkFlags::LOWER_UP | LinkFlags::from_bits_retain(0x8000_0000);
    assert_eq!(serde_json::to_value(flags).unwrap(), json!(["UP", "LOWER_UP", "0x80000000"]));
    assert_eq!(serde_json::to_value(LinkFlags::empty()).unwrap(), json!([]));
    for wrong in [
        json!("UP"),
        json!(["up"]),
        json!(["UP | LOWER_UP"]),
        json!(["0x+1"]),
        json!(["0x100000000"]),
        json!([1]),
    ] {
        is_refused::<LinkFlags>(wrong);
    }
    let set = Items::of(&[Item::TWO, Item(7)]);
    assert_eq!(serde_json::to_value(set).unwrap(), json!(["two", "0x40"]));
    (0..=u8::MAX).for_each(|bits| is_read(&Items(bits)));
    // It has no bit.
    is_refused::<Items>(json!(["nine"]));
}

#[test]
fn a_value_is_its_name_or_its_number() {
    assert_eq!(serde_json::to_value(RouteType::BLACKHOLE).unwrap(), json!("blackhole"));
    assert_eq!(serde_json::to_value(RouteType(200)).unwrap(), json!("200"));
    // What had no name when it was written.
    assert_eq!(serde_json::from_value::<RouteType>(json!("6")).unwrap(), RouteType::BLACKHOLE);
    for wrong in [json!("hole"), json!("+6"), json!("256"), json!(""), json!(6)] {
        is_refused::<RouteType>(wrong);
    }
    let error = serde_json::from_value::<RouteType>(json!("hole")).unwrap_err();
    assert_eq!(error.to_string(), r#""hole" is not a RouteType"#);
    let error = serde_json::from_value::<Prefix>(json!("10.0.0.0/33")).unwrap_err();
    assert_eq!(error.to_string(), r#""33" is not a prefix length between 0 and 32"#);
    is_refused::<HwAddr>(json!("5e:5"));
}

values! {
    /// Some, of which the first has bit 0.
    struct Item: u16 { 1 I_ONE ONE "one", 2 I_TWO TWO "two", 9 I_NINE NINE "nine", }
}
bits! {
    /// Of these.
    struct Items: u8 of Item from 1, "+";
}
flags! {
    /// Bits.
    struct Bits: u8 { 1 B_ONE ONE, }
}
layout! {
    /// Half of it is only for the kernel.
    struct Head: head = 12 {
        /// What the attribute replaces.
        number: u8,
        /// Two halves.
        halves: [u8; 2],
        /// Bits.
        bits: Bits,
        /// Nothing.
        pad: Pad<4>,
        /// Of newer kernels.
        late: Option<u32>,
    }
    shows |head| { low: Some(head.halves[0]), high: Some(head.halves[1]).filter(|high| *high != 0); halves }
}
attrs! {
    /// Beside it.
    struct SampleAttrs<'a> for SampleRequest<R> {
        /// The same, longer.
        1 S_NUMBER number: u32,
        /// One.
        2 S_ONE one: u32,
        /// Two.
        3 S_TWO two: u32,
    }
    shows |set| { sum: set.one().zip(set.two()).map(|(one, two)| one + two); two }
}
message! {
    /// Of both.
    struct Sample<'a>(Head, SampleAttrs<'a>), SampleRequest {
        /// Made.
        16 S_NEW NEW,
    }
    shows |sample| { double: sample.one().map(|one| 2 * one); one }
}

fn read<T>(request: &impl ToRequest, with: impl FnOnce(&Message<'_>) -> T) -> T {
    let bytes = request.to_request().to_bytes().unwrap();
    let message = netlink_core::message::Messages::new(&bytes).next().unwrap().unwrap();
    with(&message)
}

#[test]
fn a_message_is_one_flat_object() {
    let json = |request: &SampleRequest<()>| {
        let text = read(request, |message| serde_json::to_string(&Sample::read(message).unwrap()).unwrap());
        let all: Value = serde_json::from_str(&text).unwrap();
        // No name stands twice.
        assert_eq!(all.to_string().len(), text.len(), "{text}");
        all
    };
    let head = Head::default().number(7).halves([5, 0]).bits(Bits::ONE).late(Some(9));
    let request = SampleRequest::new(&Sample::NEW, MessageFlags::empty(), head);
    assert_eq!(json(&request), json!({"low": 5, "number": 7, "bits": ["ONE"], "late": 9}));
    let request = request.one(1).two(2).number(300).attr(77, &0x0102_0304_u32.to_be());
    let all = json!({
        "low": 5, "bits": ["ONE"], "late": 9, "number": 300, "sum": 3, "double": 2, "77": "01020304",
    });
    assert_eq!(json(&request), all);
    // Neither is there anything else where a kernel is older.
    let older = serde_json::to_string(&Head::default()).unwrap();
    assert_eq!(older, r#"{"low":0,"number":0,"bits":[]}"#);
}

#[test]
fn a_link_is_in_the_words_of_ip() {
    let request =
        link::create("br0").kind(link::Bridge::new().vlan_filtering(true)).address([2, 0, 0, 0, 0, 1]).up();
    let link = read(&request, |message| serde_json::to_value(Link::read(message).unwrap()).unwrap());
    let all = json!({
        "index": 0, "link_type": "netrom", "flags": ["UP"], "name": "br0", "address": "02:00:00:00:00:01",
        "info": {"kind_name": "bridge", "data": {"bridge": {"vlan_filtering": true}}},
    });
    assert_eq!(link, all);
}

#[test]
fn an_address_has_its_prefix() {
    let json = |request: &addr::AddressRequest<()>| {
        read(request, |message| serde_json::to_value(addr::Address::read(message).unwrap()).unwrap())
    };
    let request = addr::add(3, "192.0.2.1/24".parse().unwrap());
    let all = json!({"family": "inet", "addr": "192.0.2.1/24", "scope": "global", "index": 3, "flags": []});
    assert_eq!(json(&request), all);
    let request = request.peer("192.0.2.9/32".parse().unwrap()).flags(AddressFlags::NOPREFIXROUTE);
    let all = json!({
        "family": "inet", "addr": "192.0.2.1/32", "peer": "192.0.2.9/32", "scope": "global", "index": 3,
        "flags": ["NOPREFIXROUTE"],
    });
    assert_eq!(json(&request), all);
}

#[test]
fn a_route_has_its_destination() {
    let json = |request: &route::RouteRequest<()>| {
        read(request, |message| serde_json::to_value(Route::read(message).unwrap()).unwrap())
    };
    let dst = |text: &str| json(&route::add(text.parse().unwrap()))["dst"].clone();
    assert_eq!(["0.0.0.0/0", "::/0"].map(dst), [json!("default"), json!("default")]);
    assert_eq!(["10.0.0.0/8", "10.0.0.1/32"].map(dst), [json!("10.0.0.0/8"), json!("10.0.0.1")]);
    let gateway: std::net::Ipv4Addr = "10.0.0.9".parse().unwrap();
    let hops = [NextHop::via(gateway).oif(3).weight(2), NextHop::dev(4)];
    let route = json(&route::add("10.0.0.0/8".parse().unwrap()).table(300).priority(7).multipath(&hops));
    let all = json!({
        "family": "inet", "dst": "10.0.0.0/8", "table": "300", "protocol": "boot", "scope": "global",
        "route_type": "unicast", "flags": [], "priority": 7,
        "next_hops": [{"oif": 3, "weight": 2, "flags": [], "gateway": "10.0.0.9"}, {"oif": 4, "weight": 1, "flags": []}],
    });
    assert_eq!(route, all);
}
