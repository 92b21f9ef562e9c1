//! Statistics of tasks that no kernel sends.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::time::Duration;

use netlink_generic::taskstats::{self, Cgroup, Delay, Record, TaskStats, Taskstats, Timespec};
use netlink_generic::{IntoUnbound, Message, MessageFlags, Payload as _, Resolved, Unbound};
use netlink_testing::native_attributes;

fn bytes<Q: IntoUnbound<Family = Taskstats>>(request: Q) -> Vec<u8> {
    let unbound: Unbound<Taskstats, Q::Answer> = request.into_unbound();
    Resolved::from_id(31).bind(unbound).to_bytes().unwrap()
}

#[test]
fn requests() {
    // Lists of CPUs that are as long as a number.
    let text = |body: &[u8]| native_attributes(body, 4, &[3, 4]);
    assert_eq!(
        bytes(taskstats::task(7))[16..],
        native_attributes(&[1, 1, 0, 0, 8, 0, 1, 0, 7, 0, 0, 0], 4, &[])
    );
    assert_eq!(
        bytes(taskstats::process(7))[16..],
        native_attributes(&[1, 1, 0, 0, 8, 0, 2, 0, 7, 0, 0, 0], 4, &[])
    );
    assert_eq!(bytes(taskstats::register("0-3"))[16..], text(b"\x01\x01\0\0\x08\0\x03\x000-3\0"));
    assert_eq!(bytes(taskstats::deregister("0-3"))[16..], text(b"\x01\x01\0\0\x08\0\x04\x000-3\0"));
    assert_eq!(
        bytes(taskstats::cgroup(3))[16..],
        native_attributes(&[4, 1, 0, 0, 8, 0, 1, 0, 3, 0, 0, 0], 4, &[])
    );
}

/// A record of a task with this many bytes of the struct.
fn record(stats: &[u8]) -> Vec<u8> {
    let set = [
        &native_attributes(&[8, 0, 1, 0, 7, 0, 0, 0], 0, &[])[..],
        &u16::try_from(stats.len() + 4).unwrap().to_ne_bytes(),
        &3u16.to_ne_bytes(),
        stats,
        &[0, 0, 0][..stats.len().next_multiple_of(4) - stats.len()],
    ]
    .concat();
    let length = u16::try_from(set.len() + 4).unwrap().to_ne_bytes();
    [&[2, 1, 0, 0][..], &length, &0x8004u16.to_ne_bytes(), &set].concat()
}

#[test]
fn structs_of_any_length() {
    let full: Vec<u8> = (0..90u64).flat_map(|word| (word << 8 | 1).to_ne_bytes()).collect();
    // Lengths with their kernels or versions, and the last field in each.
    type Last = fn(&TaskStats) -> Option<u64>;
    let lengths: [(usize, Last, Last); 8] = [
        (328, |stats| Some(stats.freepages_delay_total), |stats| stats.thrashing_count),
        (344, |stats| stats.thrashing_delay_total, |stats| stats.btime64),
        (352, |stats| stats.btime64, |stats| stats.compact_count),
        (368, |stats| stats.compact_delay_total, |stats| stats.tgid.map(u64::from)),
        (400, |stats| stats.exe_inode, |stats| stats.wpcopy_count),
        (416, |stats| stats.wpcopy_delay_total, |stats| stats.irq_count),
        (432, |stats| stats.irq_delay_total, |stats| stats.cpu_delay_max),
        (560, |stats| stats.irq_delay_min, |stats| stats.cpu_delay_max_ts.map(|_| 0)),
    ];
    for (length, last, next) in lengths {
        // An incomplete field is absent.
        for odd in [0, 3] {
            let body = record(&full[..length + odd]);
            let read = Record::read(&Message { header: Default::default(), body: &body }).unwrap();
            let stats = read.stats().unwrap();
            assert_eq!(
                (last(&stats), next(&stats)),
                (Some((length as u64 / 8 - 1) << 8 | 1), None),
                "{length}"
            );
        }
    }
    let body = record(&full);
    let read = Record::read(&Message { header: Default::default(), body: &body }).unwrap();
    assert!(read.stats().unwrap().irq_delay_max_ts.is_some());
    // Longer than any known version; the bytes are kept.
    assert_eq!(bytes(read.to_request::<()>(&Record::NEW, MessageFlags::empty()))[16..], body);
    for short in [0, 2, 80, 327] {
        let body = record(&full[..short]);
        let error = Record::read(&Message { header: Default::default(), body: &body }).unwrap_err();
        assert!(
            error.to_string().ends_with(&format!("TASKSTATS_TYPE_STATS: 328 bytes wanted, {short} given")),
            "{error}"
        );
    }
}

#[test]
fn version_15_is_put_in_order() {
    // Each byte matters: a field of version 15 is where version 16 has padding.
    let full = |number: u64| number * 0x0101_0101_0101_0101;
    let ordered = TaskStats::default()
        .version(16u16)
        .cpu_count(full(1))
        .cpu_delay_total(full(2))
        .blkio_count(full(3))
        .swapin_delay_total(full(4))
        .cpu_run_real_total(full(5))
        .pid(6u32)
        .freepages_delay_total(full(7))
        .irq_delay_total(Some(full(8)))
        .thrashing_count(Some(full(9)))
        .tgid(Some(10))
        .cpu_delay_max(Some(full(11)))
        .cpu_delay_min(Some(full(12)))
        .blkio_delay_max(Some(full(13)))
        .blkio_delay_min(Some(full(14)))
        .swapin_delay_max(Some(full(15)))
        .swapin_delay_min(Some(full(16)))
        .freepages_delay_max(Some(full(17)))
        .freepages_delay_min(Some(full(18)))
        .thrashing_delay_max(Some(full(19)))
        .thrashing_delay_min(Some(full(20)))
        .compact_delay_max(Some(full(21)))
        .compact_delay_min(Some(full(22)))
        .wpcopy_delay_max(Some(full(23)))
        .wpcopy_delay_min(Some(full(24)))
        .irq_delay_max(Some(full(25)))
        .irq_delay_min(Some(full(26)));
    // As in the header of Linux 6.14: after each total, its longest and its shortest.
    let bytes = ordered.to_bytes();
    let mut theirs = Vec::new();
    let mut from = 0;
    for (number, end) in [32, 48, 64, 328, 344, 368, 416, 432].into_iter().enumerate() {
        theirs.extend(&bytes[from..end]);
        theirs.extend(&bytes[432 + 16 * number..][..16]);
        from = end;
    }
    theirs[..2].copy_from_slice(&15u16.to_ne_bytes());
    assert_eq!(theirs.len(), 560);
    let word = |at: usize| u64::from_ne_bytes(*theirs[at..].first_chunk().unwrap());
    assert_eq!([word(24), word(32), word(40), word(48), word(64)], [2, 11, 12, 3, 13].map(full));
    let read = TaskStats::decode(&theirs).unwrap();
    assert_eq!(read.cpu_delay_max_ts, None);
    assert_eq!(read.to_bytes(), bytes);
    let cpu = read.cpu();
    assert_eq!(
        (cpu.count, cpu.max, cpu.min),
        (full(1), Some(Duration::from_nanos(full(11))), Some(Duration::from_nanos(full(12))))
    );
}

#[test]
fn names_of_numbers() {
    let stats = TaskStats::default()
        .exit_code(0x0300u32)
        .cpu_count(4u64)
        .cpu_delay_total(10u64)
        .exe_dev(Some(0x1234_5678))
        .cpu_delay_max_ts(Some(Timespec::default().tv_sec(5i64).tv_nsec(6i64)));
    assert_eq!((stats.exit_status(), stats.exit_signal()), (Some(3), None));
    assert_eq!(stats.exit_code(0x8bu32).exit_signal(), Some(11));
    assert_eq!(stats.exit_code(0x8bu32).exit_status(), None);
    assert_eq!(stats.exe_device(), Some((0x456, 0x12378)));
    assert_eq!(stats.exe_dev(None).exe_device(), None);
    assert_eq!(stats.cpu().average(), Some(Duration::from_nanos(2)));
    assert_eq!(stats.cpu().max_at, Some(Duration::new(5, 6)));
    assert_eq!((stats.blkio().average(), stats.irq()), (None, None));
    assert_eq!(stats.blkio(), Delay::default());
    assert_eq!(stats.btime(9u32).began(), Duration::from_secs(9));
    assert_eq!(stats.btime(9u32).btime64(Some(1 << 33)).began(), Duration::from_secs(1 << 33));
    assert_eq!(serde_json::to_value(stats.cpu()).unwrap()["max_at"], 5.000_000_006);
    let full = taskstats::Comm([b'x'; 32]);
    assert_eq!(full.to_string(), "x".repeat(32));
}

#[test]
fn counts_of_a_cgroup() {
    let words = [1u64, 2, 3, 4, 5].map(u64::to_ne_bytes).concat();
    let body = native_attributes(&[&[5, 1, 0, 0, 44, 0, 1, 0][..], &words].concat(), 4, &[]);
    let read = Cgroup::read(&Message { header: Default::default(), body: &body }).unwrap();
    let stats = read.stats().unwrap();
    assert_eq!(
        [stats.sleeping, stats.running, stats.stopped, stats.uninterruptible, stats.io_wait],
        [1, 2, 3, 4, 5]
    );
    for end in 8..body.len() {
        assert!(Cgroup::read(&Message { header: Default::default(), body: &body[..end] }).is_err());
    }
}
