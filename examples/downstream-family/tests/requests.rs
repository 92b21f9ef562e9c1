//! Requests and replies as bytes: no socket is involved.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use netlink_generic::Resolved;
use netlink_generic::testkit::{Recording, Replies, answer};
use netlink_testing::native;
use tcp_metrics::{TcpMetrics, delete, get, list};

/// The number of the family when the exchange below was recorded.
fn family() -> Resolved<TcpMetrics> {
    Resolved::from_id(27)
}

#[test]
fn requests() {
    let bytes = family().bind(get("192.0.2.1".parse().unwrap())).to_bytes().unwrap();
    assert_eq!(bytes[4..8], native([27, 0, 1, 0], &[2]));
    assert_eq!(bytes[16..], native([1, 1, 0, 0, 8, 0, 1, 0, 192, 0, 2, 1], &[1, 1, 2, 2, 2, 1]));
    let bytes = family().bind(delete("::1".parse().unwrap())).to_bytes().unwrap();
    assert_eq!(bytes[4..8], native([27, 0, 5, 0], &[2]));
    assert_eq!(bytes[16..24], native([2, 1, 0, 0, 20, 0, 2, 0], &[1, 1, 2]));
    assert_eq!(family().bind(list()).to_bytes().unwrap()[4..8], native([27, 0, 1, 3], &[2]));
}

/// Linux 6.18, where `ip tcp_metrics show` says
/// `127.0.0.1 age 0.048sec cwnd 15 rtt 25us rttvar 22us source 127.0.0.1`.
const RECORDED: &str = "
> 140000001b000103020000000000000001010000
< 5c0000001b000200020000006310000001010000080001007f00000108000b007f0000010c00030030000000000000002c00060008000600ca000000080001000100000008000700580000000800020001000000080004000f000000
< 1400000003000200020000006310000000000000";

/// The same bytes of a big-endian machine.
const TURNED_ROUND: &str = "
> 00000014001b0301000000020000000001010000
< 0000005c001b0002000000020000106301010000000800017f0000010008000b7f000001000c00030000000000000030002c000600080006000000ca000800010000000100080007000000580008000200000001000800040000000f
< 0000001400030002000000020000106300000000";

#[test]
fn a_recorded_list() {
    let recorded = if cfg!(target_endian = "big") { TURNED_ROUND } else { RECORDED };
    let mut recording = Recording::parse(recorded).unwrap();
    let peers = recording.dump(family().bind(list())).unwrap().unwrap();
    let peer = peers[0].view().unwrap();
    assert_eq!(peer.addr(), Some("127.0.0.1".parse().unwrap()));
    let vals = peer.vals().unwrap();
    assert_eq!((vals.rtt_us(), vals.rttvar_us()), (Some(25 * 8 + 2), Some(22 * 4)));
    assert_eq!((vals.cwnd(), vals.reordering()), (Some(15), None));
}

#[test]
fn a_peer_without_measurements_is_not_found() {
    let refused = Replies::new().error(3, &[]);
    let request = family().bind(delete("192.0.2.1".parse().unwrap()));
    assert!(answer(request, &[&refused]).unwrap_err().is_not_found());
}
