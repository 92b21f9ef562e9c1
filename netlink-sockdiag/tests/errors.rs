//! Error texts where the kernel gives little information.

#![allow(clippy::unwrap_used)]

use netlink_core::testkit::{Replies, answer};
use netlink_core::{MessageFlags, Messages, Reply, Request, ToRequest};
use netlink_sockdiag::inet::{self, IpProtocol};
use netlink_sockdiag::{PROTOCOL, unix};

fn refused<Q: ToRequest>(request: Q, errno: i32) -> String
where
    Q::Answer: Reply,
{
    answer(request, &[&Replies::new().error(errno, &[])]).map(drop).unwrap_err().to_string()
}

// U4.
#[test]
fn a_refusal_names_its_socket() {
    let (ours, peer) = ("10.0.0.1:4242".parse().unwrap(), "[2001:db8::1]:443".parse().unwrap());
    let v4 = "192.0.2.1:443".parse().unwrap();
    assert_eq!(
        refused(inet::get(IpProtocol::TCP, ours, v4), 2),
        "SOCK_DIAG_BY_FAMILY tcp 10.0.0.1:4242 192.0.2.1:443: No such file or directory (ENOENT)"
    );
    assert_eq!(
        refused(inet::destroy(IpProtocol::MPTCP, "[::1]:1".parse().unwrap(), peer), 1),
        "SOCK_DESTROY mptcp [::1]:1 [2001:db8::1]:443: Operation not permitted (EPERM); it takes CAP_NET_ADMIN in the \
         user namespace that owns the socket's network namespace"
    );
    assert_eq!(
        refused(unix::get(4711), 2),
        "SOCK_DIAG_BY_FAMILY inode 4711: No such file or directory (ENOENT)"
    );
}

// R7: all queries and answers have the same number.
#[test]
fn an_answer_is_shown_as_the_message_that_belongs_to_its_query() {
    for [query, answer] in PROTOCOL.messages.as_chunks().0 {
        let [asked, answer] = [query, answer].map(|message| message.first().unwrap());
        let bytes = Request::<()>::new(answer, MessageFlags::empty(), ()).to_bytes().unwrap();
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        let found = asked.answer_of(&message).unwrap();
        assert_eq!((found.header.c_name, found.table.name), (answer.header.c_name, answer.table.name));
        assert!(std::ptr::eq(found.table, answer.table) && found.quirks.received);
    }
}

// U4.
#[test]
fn an_invalid_prefix_is_quoted() {
    let wrong = "10.0.0.0/33".parse::<netlink_sockdiag::Prefix>().unwrap_err();
    assert_eq!(wrong.to_string(), "\"33\" is not a prefix length between 0 and 32");
}
