//! Lists written by hand, which kernels do not send.

#![allow(clippy::unwrap_used)]

use netlink_core::testkit::{Replies, listing};
use netlink_core::{Bytes, Error, MessageFlags};
use netlink_sockdiag::inet::{
    self, BpfStorage, BpfStorages, InetHeader, InetReply, InetSocket, IpProtocol, Timer,
};
use netlink_sockdiag::{Family, State};

fn socket() -> InetReply<()> {
    let header = InetHeader::default().family(Family::INET).state(State::LISTEN);
    InetReply::new(&InetSocket::BY_FAMILY, MessageFlags::empty(), header)
}

#[test]
fn unknown_attributes_and_values_are_kept() {
    let new = socket().header(|header| (header.state, header.timer) = (State(99), Timer(98)));
    let datagram = Replies::new().part(&new.attr(900, &Bytes(&[1, 2])).congestion("new")).done(0);
    let sockets = listing(inet::list(Family::INET, IpProtocol::TCP), &[&datagram]).unwrap();
    let socket = sockets.first().unwrap().view().unwrap();
    assert_eq!((socket.state(), socket.header().timer), (State(99), Timer(98)));
    assert!(socket.congestion().unwrap() == "new");
    assert!(socket.unknown().map(|attr| (attr.number, attr.payload)).eq([(900, &[1, 2][..])]));
}

#[test]
fn a_socket_that_cannot_be_read_costs_the_list_nothing_else() {
    let broken = socket().attr(15, &Bytes(&[1, 2]));
    let datagram = Replies::new().part(&socket().mark(1)).part(&broken).part(&socket().mark(2)).done(0);
    let sockets = listing(inet::list(Family::INET, IpProtocol::TCP), &[&datagram]).unwrap();
    let marks: Vec<_> = sockets.iter().map(|socket| socket.view().map(|socket| socket.mark())).collect();
    let [Ok(Some(1)), Err(Error::Decode(error)), Ok(Some(2))] = &marks[..] else { panic!("{marks:?}") };
    assert!(error.to_string().contains("INET_DIAG_MARK"), "{error}");
}

#[test]
fn the_storage_of_bpf_programs_is_read_map_by_map() {
    let storage = |id: u32, value: &'static [u8]| BpfStorage::new().map_id(id).value(value).attrs();
    let kept = [storage(7, &[1, 2, 3, 4]), storage(8, &[])];
    let datagram = Replies::new().part(&socket().bpf_storages(BpfStorages::new().storages(&kept))).done(0);
    let sockets = listing(inet::list(Family::INET, IpProtocol::TCP), &[&datagram]).unwrap();
    let socket = sockets.first().unwrap().view().unwrap();
    let storages = socket.bpf_storages().unwrap();
    let read: Vec<_> = storages
        .storages()
        .unwrap()
        .iter()
        .map(|one| (one.map_id(), one.value().map(|value| value.0.len())))
        .collect();
    assert_eq!(read, [(Some(7), Some(4)), (Some(8), Some(0))]);
}
