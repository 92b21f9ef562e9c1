//! Every list of `netdev` from several kernels.

use std::fmt::Write as _;

use netlink_core::testkit::Recording;
use netlink_generic::Resolved;
use netlink_generic::ctrl::{self, Family};
use netlink_generic::netdev::{
    Device, Napi, Netdev, PagePool, PagePoolStats, Qstats, QstatsScope, Queue, device, napi, page_pool,
    qstats, queue,
};
use netlink_testing::golden::Read;

use super::reread;

#[test]
fn recorded_lists() {
    netlink_testing::golden::exchanges("tests/golden/netdev", tell, read);
}

/// The command identifies the object.
pub(crate) fn read(bytes: &[u8]) -> Read {
    match bytes.get(16) {
        _ if bytes.get(4..6) == Some(&16_u16.to_ne_bytes()) => reread!(Family<'_>, bytes),
        Some(1) => reread!(Device<'_>, bytes),
        Some(5) => reread!(PagePool<'_>, bytes),
        Some(9) => reread!(PagePoolStats<'_>, bytes),
        Some(10) => reread!(Queue<'_>, bytes),
        Some(11) => reread!(Napi<'_>, bytes),
        Some(12) => reread!(Qstats<'_>, bytes),
        _ => Err("nobody reads it".to_owned()),
    }
}

pub(crate) fn tell(_name: &str, recorded: &str) -> Result<String, String> {
    let mut recording = Recording::parse(recorded).ok_or("no recording")?;
    let family: Resolved<Netdev> = recording.call(ctrl::resolve()).unwrap().unwrap();
    let mut text = String::new();
    macro_rules! list {
        ($request:expr) => {
            for owned in recording.dump(family.bind($request)).unwrap().unwrap() {
                writeln!(text, "{:?}", owned.view().unwrap().attrs()).unwrap();
            }
        };
    }
    list!(device::list());
    list!(queue::list());
    list!(napi::list());
    list!(qstats::list());
    list!(qstats::list().scope(QstatsScope::QUEUE));
    list!(page_pool::list());
    if family.operation(9).is_some() {
        list!(page_pool::list_stats());
    }
    Ok(text)
}
