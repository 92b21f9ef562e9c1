//! Captured messages about timeout policies, helpers, counters, fingerprints and hooks: decoded, compared with the text
//! that stands in their files, and written back.
//!
//! A file of `tests/golden` holds comments, the message in hexadecimal digits, and behind a line `---` the expected
//! text. `UPDATE=1 cargo test -p netlink-netfilter --test golden_objects` writes that text anew.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::{env, fs, path};

use netlink_core::{Message, MessageFlags, Messages};
use netlink_netfilter::acct::Account;
use netlink_netfilter::helper::Helper;
use netlink_netfilter::hook::Hook;
use netlink_netfilter::osf::{Fingerprint, Osf};
use netlink_netfilter::timeout::Timeout;

/// What the files of this test begin with.
const PREFIXES: [&str; 5] = ["timeout", "helper", "acct", "osf", "hook"];

/// Reads a message, and checks that a request made from it is the same.
macro_rules! check {
    ($message:expr, $type:ident) => {{
        let read = $type::read($message).map_err(|error| error.to_string())?;
        let request = read.to_request::<()>(&$type::MESSAGES[0], MessageFlags::empty());
        let bytes = request.to_bytes().map_err(|error| error.to_string())?;
        let again = Messages::new(&bytes).next().unwrap().unwrap();
        assert_eq!(again.body, $message.body, "written back");
        assert_eq!(read.clone().into_owned(), read);
        assert_eq!(read.unknown().count(), 0);
        read
    }};
}

fn describe(message: &Message<'_>) -> Result<String, String> {
    Ok(match message.header.kind.0 >> 8 {
        5 => format!("{:#?}\n", check!(message, Osf)),
        7 => {
            let account = check!(message, Account);
            format!("{account}\n{account:#?}\n")
        }
        8 => format!("{:#?}\n", check!(message, Timeout)),
        9 => format!("{:#?}\n", check!(message, Helper)),
        _ => {
            let hook = check!(message, Hook);
            format!("{hook}\n{hook:#?}\n")
        }
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    let lines = hex.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.flat_map(str::split_whitespace);
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("two hexadecimal digits")).collect()
}

fn read(path: &path::Path) -> (String, Vec<u8>) {
    let file = fs::read_to_string(path).unwrap();
    let bytes = bytes(file.split("---\n").next().unwrap_or_default());
    (file, bytes)
}

#[test]
fn captured_messages() {
    let folder = path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names.retain(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        PREFIXES.iter().any(|prefix| name.starts_with(prefix)) && name.ends_with(".hex")
    });
    assert!(names.len() > 15, "only {} files", names.len());
    for path in names {
        let (file, bytes) = read(&path);
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        let text = describe(&message).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let (hex, expected) = file.split_once("---\n").unwrap_or((&file, ""));
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, format!("{hex}---\n{text}")).unwrap();
        } else {
            assert_eq!(text, expected, "{}", path.display());
        }
        // Cut anywhere, it is an error or a shorter message, and no panic.
        for end in 16..bytes.len() {
            let short = Message { header: message.header, body: &bytes[16..end] };
            let _ = match message.header.kind.0 >> 8 {
                5 => Osf::read(&short).map(|read| format!("{read:?}")),
                7 => Account::read(&short).map(|read| format!("{read} {read:?}")),
                8 => Timeout::read(&short).map(|read| format!("{read:?}")),
                9 => Helper::read(&short).map(|read| format!("{read:?}")),
                _ => Hook::read(&short).map(|read| format!("{read} {read:?}")),
            };
        }
    }
}

#[test]
fn a_line_is_what_nfnl_osf_sends() {
    let path = path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/osf_add.hex");
    let (_, bytes) = read(&path);
    let message = Messages::new(&bytes).next().unwrap().unwrap();
    let parsed: Fingerprint = "S20:64:1:60:M*,S,T,N,W7:@Linux:2.6:golden:".parse().unwrap();
    assert_eq!(Osf::read(&message).unwrap().finger(), Some(parsed));
}
