//! Error texts where the kernel gives little information.

#![allow(clippy::unwrap_used)]

use std::net::Ipv4Addr;

use netlink_core::testkit::{Replies, answer};
use netlink_core::{Error, Reply, ToRequest};
use netlink_xfrm::Prefix;
use netlink_xfrm::algo::Aead;
use netlink_xfrm::policy::{self, Direction, Selector};
use netlink_xfrm::state::{self, Proto};

const FROM: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const TO: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

fn refused<Q: ToRequest>(request: Q, errno: i32, ext: &[u8]) -> Error
where
    Q::Answer: Reply,
{
    answer(request, &[&Replies::new().error(errno, ext)]).map(drop).unwrap_err()
}

/// `NLMSGERR_ATTR_MSG`.
fn text(message: &str) -> Vec<u8> {
    let length = u16::try_from(4 + message.len() + 1).unwrap();
    let mut bytes = [length.to_ne_bytes(), 1u16.to_ne_bytes()].concat();
    bytes.extend(message.as_bytes());
    bytes.resize(usize::from(length).next_multiple_of(4), 0);
    bytes
}

// U4.
#[test]
fn a_refusal_names_its_object() {
    let said = refused(state::get(TO, Proto::ESP, 0x100), 3, &[]).to_string();
    assert_eq!(said, "XFRM_MSG_GETSA dst 192.0.2.2 proto esp spi 0x00000100: No such process (ESRCH)");
    let said = refused(state::add(FROM, TO, Proto::ESP, 0x100), 17, &[]).to_string();
    assert_eq!(
        said,
        "XFRM_MSG_NEWSA src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x00000100: File exists (EEXIST)"
    );
    let said = refused(policy::delete_by_index(9, Direction::OUT), 2, &[]).to_string();
    assert_eq!(said, "XFRM_MSG_DELPOLICY index 9 dir out: No such file or directory (ENOENT)");
    let selector = Selector::new(
        "192.0.2.0/24".parse::<Prefix>().unwrap(),
        "198.51.100.0/24".parse::<Prefix>().unwrap(),
    );
    let said = refused(policy::get(selector, Direction::IN), 2, &[]).to_string();
    assert_eq!(
        said,
        "XFRM_MSG_GETPOLICY src 192.0.2.0/24 dst 198.51.100.0/24 dir in: No such file or directory (ENOENT)"
    );
}

// NA4.
#[test]
fn an_error_names_an_unknown_algorithm_and_never_its_key() {
    let key = [7; 36];
    let request = state::add(FROM, TO, Proto::ESP, 0x100).alg_aead(Aead::new("rfc4106(gcm(aes))", &key, 128));
    let state = "XFRM_MSG_NEWSA src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x00000100";
    let algorithm = "XFRMA_ALG_AEAD = rfc4106(gcm(aes)) <36 bytes> 128";
    let said = |errno, ext: &[u8]| refused(&request, errno, ext).to_string();
    assert_eq!(
        said(38, &text("Requested AEAD algorithm not found")),
        format!(
            "{state}: Function not implemented (ENOSYS): Requested AEAD algorithm not found; with {algorithm}"
        )
    );
    assert_eq!(
        said(38, &[]),
        format!("{state}: Function not implemented (ENOSYS); sent: {}", algorithm.replace(" = ", " "))
    );
    assert_eq!(
        said(22, &text("Replay window too large")),
        format!("{state}: Invalid argument (EINVAL): Replay window too large")
    );
    assert_eq!(said(17, &[]), format!("{state}: File exists (EEXIST)"));
    assert_eq!(
        said(22, &[]),
        format!("{state}: Invalid argument (EINVAL); sent: XFRMA_ALG_AEAD rfc4106(gcm(aes)) <36 bytes> 128")
    );
    // U5.
    let full = format!("{:#?}", refused(&request, 22, &[]));
    assert!(full.contains("\n    XFRMA_ALG_AEAD rfc4106(gcm(aes)) <36 bytes> 128"), "{full}");
    assert!(!full.contains("0707"), "{full}");
}

// U4.
#[test]
fn an_invalid_prefix_is_quoted() {
    let wrong = |text: &str| text.parse::<netlink_xfrm::Prefix>().unwrap_err().to_string();
    assert_eq!(wrong("10.0.0.0/33"), "\"33\" is not a prefix length between 0 and 32");
    assert_eq!(wrong("10.0.0"), "\"10.0.0\" is not an IP address");
}
