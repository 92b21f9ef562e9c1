//! Messages about connections and expectations as a kernel sent them: read, printed, and written back.
//!
//! A file holds comments (`#`), and per message lines of hexadecimal digits followed by lines (`=`) of what
//! they read as. `UPDATE=1` writes the latter anew. Case 40 of vishvananda's among them: TestParseRawData.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fmt::{Debug, Write as _};
use std::path::Path;
use std::{env, fs};

use netlink_core::{Message, MessageFlags, Messages, Reply as _, Request};
use netlink_netfilter::conntrack::{Conntrack, CpuStats, Stats};
use netlink_netfilter::event::Event;
use netlink_netfilter::expect::{Expect, ExpectStats};

fn from_hex(digits: &str) -> Vec<u8> {
    let digits: Vec<_> = digits.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap()).collect()
}

/// The one message of these bytes.
fn message(bytes: &[u8]) -> Message<'_> {
    let mut messages = Messages::new(bytes);
    let message = messages.next().unwrap().unwrap();
    assert!(messages.rest().is_empty());
    message
}

/// What a message reads as, in lines.
fn expectation(read: &impl Debug) -> String {
    let mut out = String::new();
    let mut line = String::from("=");
    for word in format!("{read:?}").split(' ') {
        if line.len() + word.len() > 116 {
            writeln!(out, "{line}").unwrap();
            line = "=".into();
        }
        write!(line, " {word}").unwrap();
    }
    writeln!(out, "{line}").unwrap();
    out
}

/// Reads a message and writes it back.
macro_rules! check {
    ($type:ident, $bytes:expr) => {{
        let read = $type::read(&message($bytes)).unwrap();
        let again: Request<()> = read.to_request(&$type::MESSAGES[0], MessageFlags::empty()).into_request();
        assert_eq!(again.to_bytes().unwrap()[16..], $bytes[16..]);
        assert_eq!(read.clone().into_owned(), read);
        assert_eq!(read.unknown().count(), 0);
        expectation(&read)
    }};
}

fn read(name: &str, bytes: &[u8]) -> String {
    match name {
        "ct_stats.hex" => check!(Stats, bytes),
        "ct_stats_cpu.hex" => check!(CpuStats, bytes),
        "exp_stats_cpu.hex" => check!(ExpectStats, bytes),
        name if name.starts_with("exp") => check!(Expect, bytes),
        name => {
            let text = check!(Conntrack, bytes);
            let event = Event::view(&message(bytes)).unwrap();
            let Event::Conntrack(change, entry) = event else { panic!("{event:?}") };
            let change = if name.starts_with("ct_event") { format!("{change:?} ") } else { String::new() };
            format!("= {change}{entry}\n{text}")
        }
    }
}

#[test]
fn kernel_messages_read_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut count = 0;
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if !name.starts_with("ct_") && !name.starts_with("exp_") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('=')).collect();
        let digits = lines.iter().filter(|line| !line.starts_with('#')).copied().collect::<String>();
        let out = lines.join("\n") + "\n" + &read(name, &from_hex(&digits));
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, out).unwrap();
        } else {
            assert_eq!(out, text, "{}: UPDATE=1 writes it anew", path.display());
        }
        count += 1;
    }
    assert!(count > 15);
}
