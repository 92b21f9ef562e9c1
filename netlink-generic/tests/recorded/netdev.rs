//! Every list of `netdev`, as several kernels gave it.

use std::fmt::Write as _;

use netlink_core::testkit::Recording;
use netlink_generic::Resolved;
use netlink_generic::ctrl;
use netlink_generic::netdev::{
    Device, Napi, Netdev, PagePool, PagePoolStats, Qstats, QstatsScope, Queue, device, napi, page_pool,
    qstats, queue,
};

/// Reads one list. What was read is written back as it came, and cut anywhere it is an error or a shorter message, and
/// no panic.
macro_rules! list {
    ($recording:ident, $family:ident, $text:ident, $message:ident, $info:ident, $request:expr) => {
        for owned in $recording.dump($family.bind($request)).unwrap().unwrap() {
            let read = owned.view().unwrap();
            writeln!($text, "{:?}", read.attrs()).unwrap();
            assert_eq!(read.clone().into_owned(), read);
            let request = read.to_request::<()>(&$message::$info, read.message_flags());
            assert_eq!(&Resolved::from_id(20).bind(request).to_bytes().unwrap()[16..], owned.bytes());
            let mut message = owned.message();
            for end in 0..owned.bytes().len() {
                message.body = &owned.bytes()[..end];
                let _ = $message::read(&message).map(|read| format!("{read:?}"));
            }
        }
    };
}

pub(crate) fn describe(recording: &mut Recording, text: &mut String) {
    let family: Resolved<Netdev> = recording.call(ctrl::resolve()).unwrap().unwrap();
    let per_queue = qstats::list().scope(QstatsScope::QUEUE);
    list!(recording, family, text, Device, DEV_GET, device::list());
    list!(recording, family, text, Queue, QUEUE_GET, queue::list());
    list!(recording, family, text, Napi, NAPI_GET, napi::list());
    list!(recording, family, text, Qstats, QSTATS_GET, qstats::list());
    list!(recording, family, text, Qstats, QSTATS_GET, per_queue);
    list!(recording, family, text, PagePool, PAGE_POOL_GET, page_pool::list());
    if family.operation(9).is_some() {
        list!(recording, family, text, PagePoolStats, PAGE_POOL_STATS_GET, page_pool::list_stats());
    }
}
