//! Warnings of disk quotas that no kernel sends.

#![allow(clippy::unwrap_used)]

use netlink_generic::quota::{Event, Kind, QuotaType};
use netlink_generic::{Message, Reply as _};

#[test]
fn broken_warnings_are_errors() {
    let error = |attribute: [u8; 8]| {
        let body = [&[1, 1, 0, 0][..], &attribute].concat();
        Event::view(&Message { header: Default::default(), body: &body }).unwrap_err().to_string()
    };
    // A kind of two bytes, in an otherwise valid message.
    let short = error(netlink_testing::native([6, 0, 3, 0, 1, 0, 0, 0], &[2]));
    assert!(short.contains("QUOTA_NL_A_WARNING"), "{short}");
    // An attribute that ends beyond the message.
    let long = error(netlink_testing::native([60, 0, 3, 0, 1, 0, 0, 0], &[2]));
    assert!(long.contains("60"), "{long}");
}

#[test]
fn unknown_numbers_are_kept() {
    assert_eq!((Kind(11).to_string().as_str(), Kind(11).is_below()), ("11", false));
    assert_eq!(QuotaType(3).to_string(), "3");
    let below: Vec<u32> = (0..=11).filter(|number| Kind(*number).is_below()).collect();
    assert_eq!(below, [7, 8, 9, 10]);
}
