//! Messages about links as a kernel sent them: read, printed, and written back.
//!
//! A file holds comments (`#`), and per message lines of hexadecimal digits followed by lines (`=`) of what
//! they read as. `UPDATE=1` writes the latter anew.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use netlink_core::{Message, MessageFlags, Messages};
use netlink_route::link::{Link, LinkInfo, LinkInfoAttrs, LinkRequest};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("link")).collect();
    files.sort();
    files
}

fn from_hex(line: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&line[at..at + 2], 16).unwrap();
    (0..line.len()).step_by(2).map(byte).collect()
}

/// The one message of these bytes.
fn message(bytes: &[u8]) -> Message<'_> {
    let mut messages = Messages::new(bytes);
    let message = messages.next().unwrap().unwrap();
    assert!(messages.rest().is_empty());
    message
}

/// What a message reads as: the line that `ip` would print, then everything.
fn expectation(link: &Link<'_>) -> String {
    let mut out = format!("= {link}\n");
    let mut line = String::from("=");
    for word in format!("{link:?}").split(' ') {
        if line.len() + word.len() > 116 {
            writeln!(out, "{line}").unwrap();
            line = "=".into();
        }
        write!(line, " {word}").unwrap();
    }
    writeln!(out, "{line}").unwrap();
    out
}

/// Reads a message and writes it back: as bytes, and its kind through the builder.
fn check(bytes: &[u8]) -> String {
    let message = message(bytes);
    let link = Link::read(&message).unwrap();
    let again: LinkRequest<()> = link.to_request(&Link::NEW, MessageFlags::empty());
    let again = again.to_bytes().unwrap();
    let again = Link::read(&self::message(&again)).unwrap();
    assert_eq!(again, link);
    assert_eq!(link.clone().into_owned(), link);
    if let Some(info) = link.info() {
        let mut built = LinkInfo::new();
        if let Some(kind) = info.kind() {
            assert_eq!(link.kind(), Some(kind.clone()));
            built = built.kind(kind);
        }
        if let Some(slave) = info.slave() {
            assert_eq!(link.slave(), Some(slave.clone()));
            built = built.slave(slave);
        }
        let built: LinkInfoAttrs<'_> = built.attrs();
        assert_eq!((built.kind(), built.slave()), (info.kind(), info.slave()));
    }
    expectation(&link)
}

#[test]
fn kernel_messages_read_as_expected() {
    for path in files() {
        let text = fs::read_to_string(&path).unwrap();
        let (mut out, mut bytes, mut count) = (String::new(), Vec::new(), 0);
        for line in text.lines().chain([""]) {
            if line.starts_with('=') {
                continue;
            }
            if line.is_empty() || line.starts_with('#') {
                if !bytes.is_empty() {
                    out += &check(&bytes);
                    bytes.clear();
                    count += 1;
                }
            } else {
                bytes.extend(from_hex(line));
            }
            out += line;
            out.push('\n');
        }
        out.truncate(out.trim_end().len());
        out.push('\n');
        assert!(count > 0, "{}", path.display());
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, out).unwrap();
        } else {
            assert_eq!(out, text, "{}: UPDATE=1 writes it anew", path.display());
        }
    }
}
