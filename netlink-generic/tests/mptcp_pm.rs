//! mptcp_pm without a kernel: the bytes of requests, the content of answers and events, and broken messages.
//!
//! The answers and events are those of Linux 6.18 to `ip mptcp endpoint add 10.0.0.9 port 5000 id 9 dev lo signal`,
//! `ip mptcp limits show`, and a connection over loopback.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use netlink_generic::mptcp_pm::{
    self, Address, AddressFlags, Endpoint, Event, EventFlags, Limits, MptcpPm, PathEvent, ResetReason,
};
use netlink_generic::testkit::from_hex;
use netlink_generic::{IntoUnbound, Message, MessageFlags, Reply as _, Resolved};
use netlink_testing::native_attributes;

/// Attributes of a little-endian machine, converted for this one: addresses are always in network order.
fn native(bytes: &[u8], head: usize) -> Vec<u8> {
    // MPTCP_PM_ADDR_ATTR_ADDR4.
    native_attributes(bytes, head, &[3])
}

/// The body of an event, in which addresses have other numbers.
fn native_event(bytes: &[u8]) -> Vec<u8> {
    // MPTCP_ATTR_SADDR4, _DADDR4, _SPORT and _DPORT.
    native_attributes(bytes, 4, &[5, 7, 9, 10])
}

fn family() -> Resolved<MptcpPm> {
    Resolved::from_id(27)
}

/// The bytes after `nlmsghdr`.
fn bytes<Q: IntoUnbound<Family = MptcpPm>>(request: Q) -> Vec<u8> {
    family().bind(request).to_bytes().unwrap().split_off(16)
}

#[test]
fn requests_have_these_bytes() {
    let v4 = || Address::of("10.0.0.1".parse().unwrap());
    let nested = native(&[20, 0, 1, 0x80, 6, 0, 1, 0, 2, 0, 0, 0, 8, 0, 3, 0, 10, 0, 0, 1], 0);
    assert_eq!(bytes(mptcp_pm::add(v4())), [&[1, 1, 0, 0], &nested[..]].concat());
    let by_id = native(&[12, 0, 1, 0x80, 5, 0, 2, 0, 7, 0, 0, 0], 0);
    assert_eq!(bytes(mptcp_pm::delete(7)), [&[2, 1, 0, 0], &by_id[..]].concat());
    // NA1: for an address with a number, the kernel uses only the number, and many addresses have number 0.
    let zero = [
        2, 1, 0, 0, 28, 0, 1, 0x80, 6, 0, 1, 0, 2, 0, 0, 0, 8, 0, 3, 0, 192, 0, 2, 1, 5, 0, 2, 0, 0, 0, 0, 0,
    ];
    assert_eq!(bytes(mptcp_pm::delete_initial("192.0.2.1".parse().unwrap())), native(&zero, 4));
    assert!(family().bind(mptcp_pm::delete(0)).to_bytes().is_err());
    assert_eq!(bytes(mptcp_pm::get(7)), [&[3, 1, 0, 0], &by_id[..]].concat());
    assert_eq!(bytes(mptcp_pm::list()), [3, 1, 0, 0]);
    assert_eq!(bytes(mptcp_pm::list_of(5)), native(&[3, 1, 0, 0, 8, 0, 4, 0, 5, 0, 0, 0], 4));
    assert_eq!(bytes(mptcp_pm::flush()), [4, 1, 0, 0]);
    let limits = [5, 1, 0, 0, 8, 0, 3, 0, 4, 0, 0, 0, 8, 0, 2, 0, 1, 0, 0, 0];
    assert_eq!(
        bytes(mptcp_pm::set_limits().subflows(4).rcv_add_addrs(1)),
        native_attributes(&limits, 4, &[])
    );
    assert_eq!(bytes(mptcp_pm::limits()), [6, 1, 0, 0]);
    let flags = [7, 1, 0, 0, 20, 0, 1, 0x80, 5, 0, 2, 0, 7, 0, 0, 0, 8, 0, 6, 0, 4, 0, 0, 0];
    assert_eq!(
        bytes(mptcp_pm::set_flags(Address::new().id(7).flags(AddressFlags::BACKUP))),
        native(&flags, 4)
    );
    let token = native(&[8, 0, 4, 0, 5, 0, 0, 0], 0);
    assert_eq!(bytes(mptcp_pm::announce(5, v4())), [&[8, 1, 0, 0], &token[..], &nested].concat());
    assert_eq!(
        bytes(mptcp_pm::remove(5, 7)),
        native(&[9, 1, 0, 0, 8, 0, 4, 0, 5, 0, 0, 0, 5, 0, 5, 0, 7, 0, 0, 0], 4)
    );
    let six = "2001:db8::1".parse().unwrap();
    let remote = native(
        &[
            40, 0, 6, 0x80, 6, 0, 1, 0, 10, 0, 0, 0, 20, 0, 4, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 1, 6, 0, 5, 0, 0xbb, 1, 0, 0,
        ],
        0,
    );
    let create = mptcp_pm::create_subflow(5, v4(), Address::of(six).port(443));
    assert_eq!(bytes(create), [&[10, 1, 0, 0], &token[..], &nested, &remote].concat());
    let destroy = mptcp_pm::destroy_subflow(5, v4(), Address::of(six).port(443));
    assert_eq!(bytes(destroy), [&[11, 1, 0, 0], &token[..], &nested, &remote].concat());
}

const ENDPOINT: &str = "030100003400018006000100020000000600050088130000050002000900000008000600010000000800070001000000080003000a000009";
const CREATED: &str = "010100000800010020f79e75050012000100000006000d00020000000600020002000000080005007f000001\
                       080007007f000001060009001388000006000a009632000005000300000000000500040000000000";
const SUB_CLOSED: &str = "0b01000008000100\
                          9c5c52da0600020002000000080005007f000002080007007f00000106000900a069000006000a0013880000\
                          0500030007000000050004000000000005000b0000000000";

fn message(body: &[u8]) -> Message<'_> {
    Message { header: netlink_core::MessageHeader::default(), body }
}

#[test]
fn an_endpoint_is_read_and_written_back() {
    let body = native(&from_hex(ENDPOINT).unwrap(), 4);
    let endpoint = Endpoint::read(&message(&body)).unwrap();
    assert_eq!(endpoint.to_string(), "10.0.0.9 port 5000 id 9 signal dev 1");
    assert_eq!(bytes(endpoint.to_request::<()>(&Endpoint::GET_ADDR, MessageFlags::empty())), body);
    let empty = Endpoint::read(&message(&body[..4])).unwrap();
    assert_eq!(empty.to_string(), "no address");
    let limits = native_attributes(&[6, 1, 0, 0, 8, 0, 2, 0, 0, 0, 0, 0, 8, 0, 3, 0, 2, 0, 0, 0], 4, &[]);
    let limits = Limits::read(&message(&limits)).unwrap();
    assert_eq!((limits.rcv_add_addrs(), limits.subflows()), (Some(0), Some(2)));
}

#[test]
fn events_are_distinguished_by_their_command() {
    let body = native_event(&from_hex(CREATED).unwrap());
    let Event::Created(path) = Event::view(&message(&body)).unwrap() else { panic!("not created") };
    assert_eq!((path.token(), path.server_side()), (Some(1_973_352_224), Some(true)));
    assert_eq!(path.flags(), Some(EventFlags::SERVER_SIDE));
    assert_eq!((path.saddr(), path.sport().unwrap()), (Some("127.0.0.1".parse().unwrap()), 5000));
    assert_eq!((path.daddr(), path.dport().unwrap()), (Some("127.0.0.1".parse().unwrap()), 38_450));
    assert_eq!(bytes(path.to_request::<()>(&PathEvent::CREATED, MessageFlags::empty())), body);
    let body = native_event(&from_hex(SUB_CLOSED).unwrap());
    let Event::SubClosed(path) = Event::view(&message(&body)).unwrap() else { panic!("not closed") };
    assert_eq!((path.loc_id(), path.rem_id(), path.backup()), (Some(7), Some(0), Some(false)));
    // The reset reason, after the attributes of this kernel: written by hand.
    let reset = [&body[..], &native(&[8, 0, 16, 0, 3, 0, 0, 0, 8, 0, 17, 0, 1, 0, 0, 0], 0)].concat();
    let Event::SubClosed(path) = Event::view(&message(&reset)).unwrap() else { panic!("not closed") };
    assert_eq!((path.reset_reason(), path.reset_flags()), (Some(ResetReason::PROHIBITED), Some(1)));
    // An unknown number of an event is kept, not refused.
    let unknown = [&[99], &body[1..]].concat();
    assert!(format!("{:?}", Event::view(&message(&unknown)).unwrap()).contains("Other"));
}

/// Truncated anywhere, or with a changed byte, it is an error or another message, without a panic.
#[test]
fn broken_messages_are_errors() {
    for hex in [ENDPOINT, CREATED, SUB_CLOSED] {
        let whole = native_event(&from_hex(hex).unwrap());
        let read = |body: &[u8]| {
            let _ = Endpoint::read(&message(body)).map(|endpoint| format!("{endpoint} {endpoint:?}"));
            let _ = Event::view(&message(body)).map(|event| format!("{event:?}"));
        };
        for end in 0..whole.len() {
            read(&whole[..end]);
        }
        for at in 0..whole.len() {
            for byte in [0, 1, 3, 0x7f, 0x80, 0xff] {
                let mut body = whole.clone();
                body[at] = byte;
                read(&body);
            }
        }
    }
    let short = native(&[3, 1, 0, 0, 12, 0, 1, 0x80, 6, 0, 3, 0, 10, 0, 0, 0], 4);
    let error = Endpoint::read(&message(&short)).unwrap_err();
    assert!(error.to_string().contains("MPTCP_PM_ADDR_ATTR_ADDR4"), "{error}");
}
