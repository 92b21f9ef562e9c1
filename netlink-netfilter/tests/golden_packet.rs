//! Captured packets of queues and logs: decoded, compared with the text that stands in their files, and written back.
//!
//! A file of `tests/golden` holds comments, the message in hexadecimal digits, and behind a line `---` the expected
//! text. `UPDATE=1 cargo test -p netlink-netfilter --test golden_packet` writes that text anew.

#![allow(clippy::unwrap_used)]

use std::{env, fs, path};

use netlink_core::{Message, MessageFlags, Messages};
use netlink_netfilter::{log, queue};

/// Reads a message, prints it, and checks that a request made from it reads the same.
macro_rules! describe {
    ($family:ident, $message:expr) => {{
        let read = $family::Packet::read($message).map_err(|error| error.to_string())?;
        let request = read.to_request::<()>(&$family::Packet::PACKET, MessageFlags::empty());
        let bytes = request.to_bytes().unwrap();
        let again = Messages::new(&bytes).next().unwrap().unwrap();
        assert_eq!(again.body, $message.body, "written back");
        let again = $family::Packet::read(&again).unwrap();
        assert_eq!((again.header(), again.attrs()), (read.header(), read.attrs()));
        assert_eq!(read.clone().into_owned(), read);
        assert_eq!(read.unknown().count(), 0);
        Ok(format!("{read:#?}\n"))
    }};
}

fn describe(message: &Message<'_>) -> Result<String, String> {
    if message.header.kind.0 == queue::Packet::PACKET.number {
        describe!(queue, message)
    } else {
        describe!(log, message)
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let lines = hex.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.flat_map(str::split_whitespace);
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("two hexadecimal digits")).collect()
}

#[test]
fn captured_packets() {
    let folder = path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names.retain(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("queue_") || name.starts_with("log_")
    });
    assert!(names.len() >= 14, "only {} files", names.len());
    for path in names {
        let file = fs::read_to_string(&path).unwrap();
        let (hex, expected) = file.split_once("---\n").unwrap_or((&file, ""));
        let bytes = bytes(hex);
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        let text = describe(&message).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, format!("{hex}---\n{text}")).unwrap();
        } else {
            assert_eq!(text, expected, "{}", path.display());
        }
        // Cut anywhere, it is an error or a shorter message, and no panic.
        for end in 16..bytes.len() {
            let _ = describe(&Message { header: message.header, body: &bytes[16..end] });
        }
    }
}
