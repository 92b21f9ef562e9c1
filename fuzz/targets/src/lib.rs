//! The targets of the fuzzer, as plain functions: each accepts any bytes and panics if something is wrong.
//!
//! `cargo xtask fuzz` runs them in the fuzzer; `cargo xtask test` replays the corpus with a stable compiler.

mod connection;
mod messages;
mod text;

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use netlink_core::exchange::{Exchange, Expect, Meaning, Run};
use netlink_core::message::HEADER_LEN;
use netlink_core::spec::Spec;
use netlink_core::testkit::{self, answer};
use netlink_core::trace::{Direction, Traffic, Tree};
use netlink_core::{Attrs, MessageFlags, MessageInfo, Messages, Sender, ToRequest as _};
use netlink_route::route;

pub use connection::connection;
pub use messages::messages;
pub use text::{PARSERS, text};

/// A target: any bytes, and no panic.
pub type Target = fn(&[u8]);

/// Every target with its name.
pub const TARGETS: [(&str, Target); 7] = [
    ("datagram", datagram),
    ("messages", messages),
    ("text", text),
    ("exchange", exchange),
    ("connection", connection),
    ("refusal", refusal),
    ("trace", trace),
];

/// Every message type of the families.
pub fn infos() -> impl Iterator<Item = &'static MessageInfo> {
    let families = [
        netlink_generic::SPEC,
        netlink_netfilter::SPEC,
        netlink_route::SPEC,
        netlink_sockdiag::SPEC,
        netlink_xfrm::SPEC,
    ];
    families.into_iter().flat_map(Spec::messages)
}

/// Every message type that [`messages()`] tries.
pub fn types() -> impl Iterator<Item = &'static MessageInfo> {
    messages::TYPES.iter().flat_map(|typed| typed.infos)
}

/// One message type of each form: types with the same header and attributes are read in the same way.
fn forms() -> impl Iterator<Item = &'static MessageInfo> {
    let mut seen = HashSet::new();
    infos().filter(move |info| seen.insert((info.header.c_name, info.table.name)))
}

/// The walk over messages and attributes ends, in order, within the datagram.
pub fn datagram(bytes: &[u8]) {
    let mut walk = Messages::new(bytes);
    let mut left = bytes.len() + 1;
    while let Some(message) = walk.next() {
        assert!(walk.rest().len() < left, "the walk over messages stands still");
        left = walk.rest().len();
        let Ok(message) = message else {
            assert!(walk.next().is_none(), "the walk goes on behind an error");
            return;
        };
        assert_eq!(message.body.len() + HEADER_LEN, message.header.length as usize);
        attributes(message.body, 0);
    }
    assert!(walk.rest().len() < HEADER_LEN, "messages are left over");
}

fn attributes(bytes: &[u8], depth: usize) {
    let mut walk = Attrs::new(bytes);
    let mut left = bytes.len() + 1;
    while let Some(attr) = walk.next() {
        assert!(walk.rest().len() < left, "the walk over attributes stands still");
        left = walk.rest().len();
        let Ok(attr) = attr else { return };
        if depth < 8 {
            attributes(attr.payload, depth + 1);
        }
    }
}

/// A finished exchange accepts no more messages, and every request of a run has one answer.
pub fn exchange(bytes: &[u8]) {
    let [how, count, datagrams @ ..] = bytes else { return };
    let expect = [Expect::Ack, Expect::Reply, Expect::Dump][usize::from(how % 3)];
    let flags = if how & 0x80 == 0 { MessageFlags::empty() } else { MessageFlags::ACK };
    let first = Messages::new(datagrams).flatten().next().map_or(0, |message| message.header.sequence);
    let port = Messages::new(datagrams).flatten().next().map_or(0, |message| message.header.port);
    let sender = match how >> 4 & 3 {
        0 | 1 => Sender::KERNEL,
        2 => Sender::kernel_group(1),
        _ => Sender::process(4242),
    };

    let mut exchange = Exchange::new(expect, flags, first, port);
    for message in Messages::new(datagrams).flatten() {
        let was_over = exchange.is_over();
        let meaning = exchange.feed(sender, &message);
        match meaning {
            Meaning::Reply(_) => assert!(!was_over && exchange.has_reply()),
            Meaning::Done(_) | Meaning::Failed(..) => assert!(!was_over && exchange.is_over()),
            Meaning::Overrun => assert!(exchange.is_over()),
            Meaning::Stale | Meaning::Event => assert_eq!(exchange.is_over(), was_over),
        }
        assert!(sender == Sender::KERNEL || matches!(meaning, Meaning::Stale | Meaning::Event));
    }

    let mut run = Run::new(expect, first, usize::from(*count), port);
    for message in Messages::new(datagrams).flatten() {
        let (index, _) = run.feed(sender, &message);
        assert!(index.is_none_or(|index| index < usize::from(*count)));
    }
    assert_eq!(run.into_answers().len(), usize::from(*count));
}

/// An error with any extended acknowledgement, for any request and any offset, can be printed.
pub fn refusal(bytes: &[u8]) {
    let Some((offset, message)) = bytes.split_first_chunk::<2>() else { return };
    let offset = usize::from(u16::from_ne_bytes(*offset));
    for info in forms() {
        if let Some(place) = info.place(message, offset) {
            let _ = format!("{place} {place:?}");
        }
    }
    let request = route::list();
    for refused in [testkit::Replies::new().error(22, message), testkit::Replies::new().error(0, message)] {
        if let Err(error) = answer(request.to_request().clone().expecting::<()>(), &[&refused]) {
            let _ = format!("{error} {error:?}");
        }
    }
    if let Err(error) = answer(request.to_request().clone().expecting::<()>(), &[&message]) {
        let _ = format!("{error} {error:?}");
    }
}

/// Any datagram can be printed, as any protocol.
pub fn trace(bytes: &[u8]) {
    for info in forms().map(Some).chain([None]) {
        let _ = format!("{}", Tree::new(bytes, info));
        for direction in [Direction::Sent, Direction::Received] {
            let _ = format!("{}", Traffic { direction, group: 0, datagram: bytes, info, kind: None });
        }
    }
}

/// The target of this name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().find(|(other, _)| *other == name).map(|(_, target)| *target)
}

/// The initial inputs of the fuzzer, which tests replay, for the target of this name; each with its origin.
/// `root` is the folder of the workspace.
pub fn seeds(root: &Path, target: &str) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let made = |seeds: Vec<Vec<u8>>| seeds.into_iter().map(|bytes| (PathBuf::from(target), bytes));
    let mut seeds = match target {
        "messages" => messages::seeds(&datagrams(root)?),
        "text" => made(text::seeds()).collect(),
        "connection" => made(connection::seeds()).collect(),
        _ => return datagrams(root),
    };
    for path in files(&root.join("fuzz/corpus").join(target))? {
        let bytes = fs::read(&path)?;
        seeds.push((path, bytes));
    }
    Ok(seeds)
}

/// The goldens, and the corpus except for inputs of a single target.
fn datagrams(root: &Path) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut seeds = Vec::new();
    for entry in fs::read_dir(root)? {
        let golden = entry?.path().join("tests/golden");
        for path in files(&golden)? {
            let text = fs::read_to_string(&path)?;
            seeds.extend(golden_bytes(&text).into_iter().map(|bytes| (path.clone(), bytes)));
        }
    }
    let own = ["messages", "text", "connection"].map(|target| root.join("fuzz/corpus").join(target));
    for path in files(&root.join("fuzz/corpus"))? {
        if !own.iter().any(|folder| path.starts_with(folder)) {
            let bytes = fs::read(&path)?;
            seeds.push((path, bytes));
        }
    }
    Ok(seeds)
}

/// The files below a folder, none if there is no such folder.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if !folder.is_dir() {
        return Ok(files);
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(self::files(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The byte runs of a text with hexadecimal digits: lines of anything else end a run.
fn golden_bytes(text: &str) -> Vec<Vec<u8>> {
    let mut runs = vec![Vec::new()];
    for line in text.lines() {
        let line = line.trim_start_matches(['<', '>', ' ']);
        match testkit::from_hex(line).filter(|bytes| !bytes.is_empty()) {
            Some(bytes) => runs.last_mut().expect("never empty").extend(bytes),
            None => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}
