//! Warnings of disk quotas as kernels sent them, and bytes that nobody sent.
//!
//! `tests/golden_quota`: datagrams, and behind a line `---` what they read as. `UPDATE=1 cargo test -p netlink-generic
//! --features quota,serde,testkit --test quota` writes that anew.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fmt::Write as _;
use std::{env, fs, path};

use netlink_generic::quota::{Event, Kind, Quota, QuotaType, Warning};
use netlink_generic::testkit::from_hex;
use netlink_generic::{Message, MessageFlags, Messages, Reply as _, Resolved};

fn datagrams(recorded: &str) -> impl Iterator<Item = Vec<u8>> {
    recorded.lines().filter_map(|line| line.strip_prefix("< ")).map(|line| from_hex(line).unwrap())
}

#[test]
fn recorded_warnings() {
    let folder = path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden_quota");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = fs::read_to_string(&path).unwrap();
        let (recorded, expected) = file.split_once("---\n").unwrap_or((&file, ""));
        let mut text = String::new();
        for datagram in datagrams(recorded) {
            let message = Messages::new(&datagram).next().unwrap().unwrap();
            let Event::Warning(warning) = Event::view(&message).unwrap() else { panic!("no warning") };
            writeln!(text, "{warning}, by {}", warning.caused_id().unwrap()).unwrap();
            writeln!(text, "{}", serde_json::to_string(&warning).unwrap()).unwrap();
            assert_eq!(warning.clone().into_owned(), warning);
            let again = warning.to_request::<()>(&Warning::WARNING, MessageFlags::empty());
            assert_eq!(Resolved::<Quota>::from_id(17).bind(again).to_bytes().unwrap()[16..], datagram[16..]);
            broken(&message);
        }
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, format!("{recorded}---\n{text}")).unwrap();
        } else {
            assert_eq!(text, expected, "{}", path.display());
        }
        count += 1;
    }
    assert_eq!(count, 4);
}

/// Cut anywhere, and with any byte another one, it is an error or another warning, and no panic.
fn broken(message: &Message<'_>) {
    let read = |body: &[u8]| Event::view(&Message { body, ..*message }).map(|event| format!("{event:?}"));
    for end in 0..message.body.len() {
        let _ = read(&message.body[..end]);
    }
    for at in 0..message.body.len() {
        for byte in [0, 1, 3, 0x7f, 0x80, 0xff] {
            let mut body = message.body.to_vec();
            body[at] = byte;
            let _ = read(&body);
        }
    }
    // A kind of two bytes, in a message that is otherwise whole.
    let short = [&message.body[..4], &[6, 0, 3, 0, 1, 0, 0, 0]].concat();
    let error = Event::view(&Message { body: &short, ..*message }).unwrap_err();
    assert!(error.to_string().contains("QUOTA_NL_A_WARNING"), "{error}");
    // An attribute that ends beyond the message.
    let long = [&message.body[..4], &[60, 0, 3, 0, 1, 0, 0, 0]].concat();
    assert!(Event::view(&Message { body: &long, ..*message }).is_err());
}

#[test]
fn unknown_numbers_are_kept() {
    assert_eq!((Kind(11).to_string().as_str(), Kind(11).is_below()), ("11", false));
    assert_eq!(QuotaType(3).to_string(), "3");
    let below: Vec<u32> = (0..=11).filter(|number| Kind(*number).is_below()).collect();
    assert_eq!(below, [7, 8, 9, 10]);
}
