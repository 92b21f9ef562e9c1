//! Exchanges with several kernels: the requests equal the recorded ones, and the answers read as the text of
//! the file: see `netlink_testing::golden`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[cfg(feature = "netdev")]
#[path = "recorded/netdev.rs"]
pub(crate) mod netdev;
#[cfg(all(feature = "quota", feature = "serde"))]
#[path = "recorded/quota.rs"]
pub(crate) mod quota;
#[cfg(all(feature = "taskstats", feature = "serde"))]
#[path = "recorded/taskstats.rs"]
pub(crate) mod taskstats;
#[cfg(feature = "wireguard")]
#[path = "wg/mod.rs"]
pub(crate) mod wg;
#[cfg(feature = "wireguard")]
#[path = "recorded/wireguard.rs"]
pub(crate) mod wireguard;

use std::fmt::Write as _;

use netlink_core::testkit::{Recording, from_hex};
use netlink_core::{Messages, Reply as _};
use netlink_generic::ctrl::{self, Ctrl, Event, Family, Policies};
use netlink_generic::{Dump, Resolved};
use netlink_testing::golden::Read;

#[test]
fn recorded_exchanges() {
    netlink_testing::golden::exchanges("tests/golden/ctrl", tell, read);
}

/// A message of this type, written again by any family: the kernel chooses the family's number.
macro_rules! reread {
    ($type:ty, $bytes:expr) => {{
        let bind = |request| netlink_generic::Resolved::from_id(16).bind(request);
        let (read, again) = netlink_testing::reread!($type, $bytes, bind);
        Ok((format!("{read:?}"), again))
    }};
}
pub(crate) use reread;

pub(crate) fn read(bytes: &[u8]) -> Read {
    let message = Messages::new(bytes).next().ok_or("no message")?.map_err(|error| error.to_string())?;
    let _ = Event::view(&message).map(|event| format!("{event:?}"));
    if let Ok(family) = Family::read(&message) {
        let _ = format!("{family} {:?}", Resolved::<Ctrl>::from_family(&family));
    }
    reread!(Family<'_>, bytes)
}

/// The received messages, as one of these types.
pub(crate) fn received(recorded: &str) -> Vec<Vec<u8>> {
    let received = recorded.lines().filter_map(|line| line.split_once(' '));
    let received = received.filter(|(arrow, _)| arrow.starts_with(['<', '*']));
    received.map(|(_, digits)| from_hex(digits).unwrap()).collect()
}

pub(crate) fn tell(name: &str, recorded: &str) -> Result<String, String> {
    let mut text = String::new();
    let (name, _kernel) = name.rsplit_once('_').unwrap();
    if name == "events" {
        for datagram in received(recorded) {
            for message in Messages::new(&datagram) {
                writeln!(text, "{:#?}", Event::view(&message.unwrap()).unwrap()).unwrap();
            }
        }
        return Ok(text);
    }
    let mut recording = Recording::parse(recorded).unwrap();
    match name {
        "list" => {
            for family in recording.dump(ctrl::list()).unwrap().unwrap() {
                writeln!(text, "{family}").unwrap();
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
        "policies_nlctrl" => policies(&mut recording, ctrl::policies("nlctrl"), &mut text),
        "policies_mptcp_pm" => policies(&mut recording, ctrl::policies("mptcp_pm"), &mut text),
        "policy_of_ethtool" => policies(&mut recording, ctrl::policy_of("ethtool", 3), &mut text),
        _ => return Err("nobody reads it".to_owned()),
    }
    Ok(text)
}

type PolicyDump = netlink_generic::Bound<Dump<Family<'static>>>;

fn policies(recording: &mut Recording, request: PolicyDump, text: &mut String) {
    let parts = recording.dump(request).unwrap().unwrap();
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
