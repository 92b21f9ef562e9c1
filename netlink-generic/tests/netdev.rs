//! netdev without a kernel: the bytes of requests, the content of answers and events, and broken messages.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use netlink_core::MessageHeader;
use netlink_core::testkit::{Replies, answer};
use netlink_generic::netdev::{
    Device, DeviceRequest, Dmabuf, Event, Lease, Napi, NapiThreaded, Netdev, PagePool, PagePoolInfo,
    PagePoolRequest, PagePoolStats, PagePoolStatsRequest, QstatsScope, Queue, QueueId, QueueRequest,
    QueueType, Xsk, device, dmabuf, napi, page_pool, qstats, queue,
};
use netlink_generic::{IntoUnbound, Message, MessageFlags, Reply as _, Resolved};

fn family() -> Resolved<Netdev> {
    Resolved::from_id(20)
}

/// The bytes after `nlmsghdr`.
fn bytes<Q: IntoUnbound<Family = Netdev>>(request: Q) -> Vec<u8> {
    family().bind(request).to_bytes().unwrap().split_off(16)
}

/// A body of a little-endian machine, converted for this one.
fn native(body: &[u8]) -> Vec<u8> {
    netlink_testing::native_attributes(body, 4, &[])
}

fn message(body: &[u8]) -> Message<'_> {
    Message { header: MessageHeader::default(), body }
}

#[test]
fn requests_have_these_bytes() {
    assert_eq!(bytes(device::get(2)), native(&[1, 1, 0, 0, 8, 0, 1, 0, 2, 0, 0, 0]));
    assert_eq!(bytes(device::list()), [1, 1, 0, 0]);
    assert_eq!(bytes(page_pool::get(7)), native(&[5, 1, 0, 0, 8, 0, 1, 0, 7, 0, 0, 0]));
    let stats = native(&[9, 1, 0, 0, 12, 0, 1, 0x80, 8, 0, 1, 0, 7, 0, 0, 0]);
    assert_eq!(bytes(page_pool::get_stats(7)), stats);
    let stats = native(&[9, 1, 0, 0, 12, 0, 1, 0x80, 8, 0, 2, 0, 7, 0, 0, 0]);
    assert_eq!(bytes(page_pool::list_stats_of(7)), stats);
    let get = native(&[10, 1, 0, 0, 8, 0, 2, 0, 5, 0, 0, 0, 8, 0, 3, 0, 1, 0, 0, 0, 8, 0, 1, 0, 3, 0, 0, 0]);
    assert_eq!(bytes(queue::get(5, QueueType::TX, 3)), get);
    assert_eq!(bytes(napi::get(9)), native(&[11, 1, 0, 0, 8, 0, 2, 0, 9, 0, 0, 0]));
    let stats = native(&[12, 1, 0, 0, 8, 0, 4, 0, 1, 0, 0, 0, 8, 0, 1, 0, 2, 0, 0, 0]);
    assert_eq!(bytes(qstats::list().scope(QstatsScope::QUEUE).ifindex(2)), stats);
    let set = napi::set(9).threaded(NapiThreaded::BUSY_POLL).gro_flush_timeout(1 << 32);
    let expected = native(&[
        14, 1, 0, 0, 8, 0, 2, 0, 9, 0, 0, 0, 8, 0, 8, 0, 2, 0, 0, 0, 12, 0, 6, 0, 0, 0, 0, 0, 1, 0, 0, 0,
    ]);
    assert_eq!(bytes(set), expected);
    let rx = native(&[
        13, 1, 0, 0, 8, 0, 1, 0, 2, 0, 0, 0, 8, 0, 3, 0, 4, 0, 0, 0, 20, 0, 2, 0x80, 8, 0, 1, 0, 14, 0, 0, 0,
        8, 0, 3, 0, 0, 0, 0, 0, 20, 0, 2, 0x80, 8, 0, 1, 0, 15, 0, 0, 0, 8, 0, 3, 0, 0, 0, 0, 0,
    ]);
    assert_eq!(bytes(dmabuf::bind_rx(2, 4, &[14, 15])), rx);
    let tx = native(&[15, 1, 0, 0, 8, 0, 1, 0, 2, 0, 0, 0, 8, 0, 3, 0, 4, 0, 0, 0]);
    assert_eq!(bytes(dmabuf::bind_tx(2, 4)), tx);
    let create = native(&[
        16, 1, 0, 0, 8, 0, 2, 0, 8, 0, 0, 0, 8, 0, 3, 0, 0, 0, 0, 0, 32, 0, 8, 0x80, 8, 0, 1, 0, 4, 0, 0, 0,
        20, 0, 2, 0x80, 8, 0, 1, 0, 15, 0, 0, 0, 8, 0, 3, 0, 0, 0, 0, 0,
    ]);
    assert_eq!(bytes(queue::create(8, 4, 15)), create);
}

/// A queue with all attributes.
fn full() -> Vec<u8> {
    let id = QueueId::new().id(1u32).kind(QueueType::RX).attrs();
    let lease = Lease::new().ifindex(3u32).queue(id).netns_id(0).attrs();
    let request = QueueRequest::<()>::new(&Queue::QUEUE_GET, MessageFlags::empty());
    let request = request.ifindex(2u32).id(5u32).kind(QueueType(7)).dmabuf(6u32);
    bytes(request.xsk(Xsk::new().attrs()).lease(lease))
}

#[test]
fn received_messages_serialize() {
    let body = full();
    let queue = Queue::read(&message(&body)).unwrap();
    assert_eq!((queue.kind(), queue.napi_id()), (Some(QueueType(7)), None));
    assert!(queue.xsk().is_some() && queue.io_uring().is_none());
    let json = &serde_json::to_value(&queue).unwrap();
    assert_eq!(json["lease"]["queue"]["kind"], "rx");
    assert_eq!((json["ifindex"].as_u64(), json["dmabuf"].as_u64()), (Some(2), Some(6)));
}

#[test]
fn events_are_distinguished_by_command() {
    let device = |info| bytes(DeviceRequest::<()>::new(info, MessageFlags::empty()).ifindex(2u32));
    let pool = |info| bytes(PagePoolRequest::<()>::new(info, MessageFlags::empty()).id(1u64 << 40));
    let [added, removed] = [&Device::DEV_ADD_NTF, &Device::DEV_DEL_NTF].map(device);
    let changed = device(&Device::DEV_CHANGE_NTF);
    assert!(matches!(Event::view(&message(&added)), Ok(Event::DeviceAdded(_))));
    assert!(matches!(Event::view(&message(&removed)), Ok(Event::DeviceRemoved(_))));
    let Ok(Event::DeviceChanged(told)) = Event::view(&message(&changed)) else { panic!("{changed:?}") };
    assert_eq!((told.ifindex(), told.xdp_features()), (Some(2), None));
    let [added, removed] = [&PagePool::PAGE_POOL_ADD_NTF, &PagePool::PAGE_POOL_DEL_NTF].map(pool);
    let changed = pool(&PagePool::PAGE_POOL_CHANGE_NTF);
    assert!(matches!(Event::view(&message(&added)), Ok(Event::PagePoolAdded(_))));
    assert!(matches!(Event::view(&message(&removed)), Ok(Event::PagePoolRemoved(_))));
    let Ok(Event::PagePoolChanged(told)) = Event::view(&message(&changed)) else { panic!("{changed:?}") };
    assert_eq!((told.id(), told.ifindex()), (Some(1 << 40), None));
    // From a later kernel.
    assert!(
        matches!(Event::view(&message(&[99, 1, 0, 0])), Ok(Event::Other(other)) if other.message().body[0] == 99)
    );
}

/// The number of no family, or of a removed one: the kernel knows no such message.
#[test]
fn a_removed_family() {
    let refused = Replies::new().error(2, &[]);
    let error = answer(family().bind(napi::get(1)), &[&refused]).unwrap_err();
    assert!(error.is_not_found());
    assert!(error.to_string().contains("the family netdev is: unloaded since it was resolved"), "{error}");
}

#[test]
fn lengths_that_lie_are_errors() {
    for (body, why) in [
        // An attribute beyond the end, one shorter than its header, integers of three and of six bytes.
        (&[11, 1, 0, 0, 9, 0, 2, 0, 1, 0, 0, 0][..], None),
        (&[11, 1, 0, 0, 3, 0, 2, 0, 1, 0, 0, 0], None),
        (&[11, 1, 0, 0, 7, 0, 2, 0, 1, 0, 0, 0], Some("NETDEV_A_NAPI_ID: 4 bytes wanted, 3 given")),
        (&[11, 1, 0, 0, 10, 0, 6, 0, 1, 0, 0, 0, 0, 0, 0, 0], Some("NETDEV_A_NAPI_GRO_FLUSH_TIMEOUT: ")),
    ] {
        let error = Napi::read(&message(&native(body))).unwrap_err().to_string();
        assert!(why.is_none_or(|why| error.starts_with(why)), "{error}");
    }
    // In a set in a set.
    let head = |length: u16| [length, 3].map(u16::to_ne_bytes).concat();
    let mut body = full();
    let mut heads = (0..body.len()).filter(|at| body[*at..].starts_with(&head(8)));
    let at = heads.nth(1).unwrap();
    body[at..at + 4].copy_from_slice(&head(6));
    let error = Queue::read(&message(&body)).unwrap_err().to_string();
    assert!(error.starts_with("NETDEV_A_QUEUE_TYPE: "), "{error}");
    assert_eq!(Napi::read(&message(&[11])).unwrap_err().to_string(), "genlmsghdr: 4 bytes wanted, 1 given");
}

/// Truncated anywhere, or with changed bytes, it is an error or another message, without a panic.
#[test]
fn broken_messages() {
    let info = PagePoolInfo::new().id(1u64 << 40).ifindex(2u32).attrs();
    let none = MessageFlags::empty();
    let stats = PagePoolStatsRequest::<()>::new(&PagePoolStats::PAGE_POOL_STATS_GET, none);
    let pools = PagePoolRequest::<()>::new(&PagePool::PAGE_POOL_GET, none);
    let bodies = [
        full(),
        bytes(stats.info(info).alloc_fast(1u64 << 33).recycle_ring(0u64)),
        bytes(dmabuf::bind_rx(2, 4, &[14, 15]).rx_page_size(4096u32)),
        bytes(napi::set(1).gro_flush_timeout(u64::MAX).threaded(NapiThreaded::ENABLED).pid(1u32)),
        bytes(pools.ifindex(1u32).inflight(7u64)),
    ];
    let try_body = |body: &[u8]| {
        let message = message(body);
        let read = [
            Queue::read(&message).map(|read| format!("{read:?}")),
            PagePoolStats::read(&message).map(|read| format!("{read:?}")),
            Dmabuf::read(&message).map(|read| format!("{read:?}")),
            Napi::read(&message).map(|read| format!("{read:?}")),
            PagePool::read(&message).map(|read| format!("{read:?}")),
            Event::view(&message).map(|event| format!("{event:?}")),
        ];
        read.iter().filter(|read| read.is_ok()).count()
    };
    let mut random = 1u64;
    let (mut sound, mut broken) = (0, 0);
    for body in bodies {
        assert!(try_body(&body) > 0);
        for end in 0..body.len() {
            try_body(&body[..end]);
        }
        for _ in 0..5_000 / netlink_testing::patience() {
            let mut body = body.clone();
            for _ in 0..3 {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (random >> 33) as usize % body.len();
                body[at] = random.to_le_bytes()[3];
            }
            let read = try_body(&body);
            sound += read;
            broken += 6 - read;
        }
    }
    assert!(sound > 1000 && broken > 1000, "{sound} {broken}");
}
