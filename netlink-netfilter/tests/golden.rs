//! Connections, packets, hooks and others that kernels sent: see `netlink_testing::golden`.

use netlink_core::{Messages, Reply as _};
use netlink_netfilter::acct::Account;
use netlink_netfilter::conntrack::{Conntrack, CpuStats, Stats};
use netlink_netfilter::event::Event;
use netlink_netfilter::expect::{Expect, ExpectStats};
use netlink_netfilter::helper::Helper;
use netlink_netfilter::hook::Hook;
use netlink_netfilter::osf::{Fingerprint, Osf};
use netlink_netfilter::timeout::Timeout;
use netlink_netfilter::{log, queue};
use netlink_testing::golden::Read;

#[test]
fn captured_messages() {
    netlink_testing::golden::messages("tests/golden", read);
}

/// Every attribute has a row.
macro_rules! reread {
    ($type:ty, $bytes:expr) => {{
        let (read, again) = netlink_testing::reread!($type, $bytes);
        assert_eq!(read.unknown().count(), 0);
        (read, again)
    }};
}

/// Prints the whole message, and then its own line if it has one.
macro_rules! read {
    ($type:ty, $bytes:expr) => {{
        let (read, again) = reread!($type, $bytes);
        Ok((format!("{read:#?}\n"), again))
    }};
    (line $type:ty, $bytes:expr) => {{
        let (read, again) = reread!($type, $bytes);
        Ok((format!("{read}\n{read:#?}\n"), again))
    }};
}

/// The first part of a file's name is the type of its content.
pub(crate) fn read(name: &str, bytes: &[u8]) -> Read {
    match (name, name.split('_').next().unwrap_or_default()) {
        ("ct_stats", _) => read!(Stats<'_>, bytes),
        ("ct_stats_cpu", _) => read!(CpuStats<'_>, bytes),
        ("exp_stats_cpu", _) => read!(ExpectStats<'_>, bytes),
        (_, "exp") => read!(Expect<'_>, bytes),
        (_, "ct") => connection(name, bytes),
        (_, "acct") => read!(line Account<'_>, bytes),
        (_, "helper") => read!(Helper<'_>, bytes),
        (_, "hook") => read!(line Hook<'_>, bytes),
        (_, "log") => read!(log::Packet<'_>, bytes),
        ("osf_add", _) => fingerprint(bytes),
        (_, "queue") => read!(queue::Packet<'_>, bytes),
        (_, "timeout") => read!(Timeout<'_>, bytes),
        _ => Err("nobody reads it".to_owned()),
    }
}

/// vishvananda 40: a connection, and in an event the change.
fn connection(name: &str, bytes: &[u8]) -> Read {
    let (read, again) = reread!(Conntrack<'_>, bytes);
    let message = Messages::new(bytes).next().ok_or("no message")?.map_err(|error| error.to_string())?;
    let event = Event::view(&message).map_err(|error| error.to_string())?;
    let Event::Conntrack(change, entry) = event else { return Err(format!("{event:?}")) };
    let change = if name.starts_with("ct_event") { format!("{change:?} ") } else { String::new() };
    Ok((format!("{change}{entry}\n{read:#?}\n"), again))
}

/// `nfnl_osf` made it from this line.
fn fingerprint(bytes: &[u8]) -> Read {
    let (read, again) = reread!(Osf<'_>, bytes);
    let line: Fingerprint =
        "S20:64:1:60:M*,S,T,N,W7:@Linux:2.6:golden:".parse().map_err(|_| "no fingerprint")?;
    if read.finger() != Some(line) {
        return Err("not what the line says".to_owned());
    }
    Ok((format!("{read:#?}\n"), again))
}
