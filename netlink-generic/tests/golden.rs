//! Exchanges with several kernels: our requests are those that were recorded, and their answers
//! read as the text that stands in the file.
//!
//! A file of `tests/golden` holds what was asked and of which kernel, the datagrams as `testkit::Recording` writes them,
//! and behind a line `---` the expected text. `UPDATE=1 cargo test -p netlink-generic --test golden` writes that text
//! anew.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[cfg(feature = "netdev")]
#[path = "recorded/netdev.rs"]
mod netdev;

use std::fmt::Write as _;
use std::{env, fs, path};

use netlink_core::testkit::Recording;
use netlink_core::{Messages, Reply};
use netlink_generic::ctrl::{self, Ctrl, Event, Family, Policies};
use netlink_generic::{Dump, Owned, Resolved};

fn describe(name: &str, recording: &mut Recording, text: &mut String) {
    match name {
        "list" => {
            for family in recording.dump(ctrl::list()).unwrap().unwrap() {
                writeln!(text, "{family}").unwrap();
                check(&family);
            }
        }
        "get" => {
            let family = recording.call(ctrl::get("tcp_metrics")).unwrap().unwrap();
            writeln!(text, "{family}\n{family:#?}").unwrap();
        }
        "get_id" => {
            let family = recording.call(ctrl::get_id(16)).unwrap().unwrap();
            let resolved = Resolved::<Ctrl>::from_family(&family).unwrap();
            writeln!(text, "{family}\n{resolved:?}").unwrap();
        }
        "absent" => {
            let error = recording.call(ctrl::get("absent")).unwrap().unwrap_err();
            assert!(error.is_not_found());
            writeln!(text, "{error}").unwrap();
        }
        "policies_nlctrl" => policies(recording, ctrl::policies("nlctrl"), text),
        "policies_mptcp_pm" => policies(recording, ctrl::policies("mptcp_pm"), text),
        "policy_of_ethtool" => policies(recording, ctrl::policy_of("ethtool", 3), text),
        _ => panic!("a file that nobody reads: {name}"),
    }
}

type PolicyDump = netlink_generic::Bound<Dump<Family<'static>>>;

fn policies(recording: &mut Recording, request: PolicyDump, text: &mut String) {
    let parts = recording.dump(request).unwrap().unwrap();
    parts.iter().for_each(check);
    let policies = Policies::new(&parts).unwrap();
    for operation in policies.operations() {
        let set =
            |index: Option<u32>| index.map_or_else(|| "anything".to_owned(), |set| format!("set {set}"));
        let (call, dump) = (set(operation.call), set(operation.dump));
        writeln!(text, "command {}: call {call}, dump {dump}", operation.command).unwrap();
    }
    for set in policies.sets() {
        for attribute in set.attributes() {
            writeln!(text, "set {}, {attribute}", set.index()).unwrap();
            assert_eq!(attribute.nested().is_some(), attribute.rule().policy_index().is_some());
        }
    }
}

/// What was read is written back as it came, and cut anywhere it is an error or a shorter message, and no panic.
fn check(owned: &Owned<Family<'static>>) {
    let read = owned.view().unwrap();
    assert_eq!(read.clone().into_owned(), read);
    let info = Family::MESSAGES.iter().find(|info| info.number == u16::from(read.header().command)).unwrap();
    let request = read.to_request::<()>(info, read.message_flags());
    let bytes = Resolved::<Ctrl>::from_id(16).bind(request).to_bytes().unwrap();
    assert_eq!(&bytes[16..], owned.bytes());
    let mut message = owned.message();
    for end in 0..owned.bytes().len() {
        message.body = &owned.bytes()[..end];
        if let Ok(family) = Family::read(&message) {
            let _ = format!("{family} {family:?} {:?}", Resolved::<Ctrl>::from_family(&family));
        }
        let _ = Event::view(&message).map(|event| format!("{event:?}"));
    }
}

fn events(datagrams: &str) -> String {
    let mut text = String::new();
    for line in datagrams.lines().filter_map(|line| line.strip_prefix("< ")) {
        let bytes = netlink_core::testkit::from_hex(line).unwrap();
        for message in Messages::new(&bytes) {
            writeln!(text, "{:#?}", Event::view(&message.unwrap()).unwrap()).unwrap();
        }
    }
    text
}

#[test]
fn recorded_exchanges() {
    let folder = path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert_eq!(paths.len(), 27);
    for path in paths {
        let file = fs::read_to_string(&path).unwrap();
        let (recorded, expected) = file.split_once("---\n").unwrap_or((&file, ""));
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let (family, name) = name.split_once('_').unwrap();
        let (name, _kernel) = name.rsplit_once('_').unwrap();
        let mut text = String::new();
        match (family, name) {
            #[cfg(feature = "netdev")]
            ("netdev", _) => netdev::describe(&mut Recording::parse(recorded).unwrap(), &mut text),
            #[cfg(not(feature = "netdev"))]
            ("netdev", _) => continue,
            (_, "events") => text = events(recorded),
            _ => describe(name, &mut Recording::parse(recorded).unwrap(), &mut text),
        }
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, format!("{recorded}---\n{text}")).unwrap();
        } else {
            assert_eq!(text, expected, "{}", path.display());
        }
    }
}
