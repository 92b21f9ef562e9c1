//! Features of network cards: page pools, queues that are served, queues that are leased, counters. The card
//! is netdevsim's.

use std::fs::{self, File};
use std::os::fd::AsRawFd as _;

use netlink_generic::ctrl::{self, Policies};
use netlink_generic::netdev::{self, Event, Netdev, PagePool, QueueType, napi, page_pool, queue};
use netlink_generic::{Errno, Events, Notice};
use netlink_testing::{Need, Result, init_namespace, kernel, kind, module, program, suite};

use crate::netdev::{all, counters_equal, index, links, record, refused};
use crate::output;

const SIM: Need = module("netdevsim");
const IP: Need = program("ip");

suite! {
    page_pools_are_added_and_removed: SIM, kernel(6, 12), IP, program("mount"), init_namespace();
    page_pools_of_a_link: SIM, kernel(6, 12), IP, init_namespace();
    queues_are_served: SIM, kernel(6, 12), IP, init_namespace();
    queues_are_leased: SIM, kernel(7, 1), kind("netkit"), IP, init_namespace();
    counters_of_a_simulated_card: SIM, kernel(7, 1), IP, program("ping"), init_namespace();
}

/// A card with three queues per direction, up, in the namespace of the test.
struct Card {
    id: u32,
    index: u32,
    name: String,
}

impl Card {
    /// `id` is unique among the cards of the machine.
    fn new(id: u32) -> Result<Self> {
        let before: Vec<_> = links()?.iter().map(index).collect();
        fs::write("/sys/bus/netdevsim/new_device", format!("{id} 1 3"))?;
        let mut card = Self { id, index: 0, name: String::new() };
        let links = links()?;
        let link = links.iter().find(|link| !before.contains(&index(link))).ok_or("no link")?;
        card.index = index(link);
        link["ifname"].as_str().ok_or("no name")?.clone_into(&mut card.name);
        card.set("up")?;
        Ok(card)
    }

    fn set(&self, state: &str) -> Result {
        output("ip", &["link", "set", &self.name, state]).map(drop)
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        _ = fs::write("/sys/bus/netdevsim/del_device", self.id.to_string());
    }
}

/// The next event of a page pool.
fn next(events: &mut Events<Event<'static>>) -> Result<(&'static str, PagePool<'static>)> {
    match events.next()? {
        Notice::Event { event: Event::PagePoolAdded(pool), .. } => Ok(("came", pool.into_owned())),
        Notice::Event { event: Event::PagePoolChanged(pool), .. } => Ok(("changed", pool.into_owned())),
        Notice::Event { event: Event::PagePoolRemoved(pool), .. } => Ok(("gone", pool.into_owned())),
        other => Err(format!("{other:?}").into()),
    }
}

fn page_pools_are_added_and_removed() -> Result {
    output("mount", &["-t", "debugfs", "debugfs", "/sys/kernel/debug"])?;
    let mut events = netdev::subscribe(&[Netdev::PAGE_POOL])?;
    let card = Card::new(4711)?;
    let hold = format!("/sys/kernel/debug/netdevsim/netdevsim{}/ports/0/pp_hold", card.id);
    let mut nl = netdev::connect()?;
    let pools = all(&mut nl, page_pool::list())?;
    assert_eq!(pools.len(), 3);
    let served: Vec<_> = all(&mut nl, napi::list())?.iter().map(|napi| napi.id().map(u64::from)).collect();
    let mut told = Vec::new();
    while told.len() < pools.len() {
        if let ("came", pool) = next(&mut events)? {
            told.push(pool.id());
        }
    }
    for pool in &pools {
        assert_eq!((pool.ifindex(), pool.detach_time()), (Some(card.index), None));
        assert!(served.contains(&pool.napi_id()), "{pool:?} {served:?}");
        assert!(told.contains(&pool.id()) && pool.dmabuf().is_none() && pool.io_uring().is_none());
        let id = pool.id().unwrap() as u32;
        assert_eq!(nl.call(page_pool::get(id))?.attrs(), pool.attrs());
    }

    fs::write(&hold, "y")?;
    let out = |pool: &PagePool<'_>| pool.inflight().unwrap_or_default();
    let pools = all(&mut nl, page_pool::list())?;
    let [held] = pools.iter().filter(|pool| out(pool) > 0).collect::<Vec<_>>()[..] else {
        return Err(format!("one pool with a page: {pools:#?}").into());
    };
    // One page is in use, and others are available.
    assert_eq!(held.inflight_mem(), Some(out(held) * 4096));
    let id = held.id().unwrap() as u32;
    if nl.family().operation(9).is_some() {
        for stats in all(&mut nl, page_pool::list_stats_of(card.index))? {
            let info = stats.info().ok_or("no pool")?;
            let allocated = [stats.alloc_fast(), stats.alloc_slow()].map(|count| count.unwrap());
            assert_eq!(allocated.iter().sum::<u64>(), u64::from(info.id() == held.id()), "{stats:?}");
            let one = nl.call(page_pool::get_stats(info.id().unwrap() as u32))?;
            assert_eq!(one.attrs(), stats.attrs());
            assert_eq!((info.ifindex(), stats.recycle_ring().unwrap()), (Some(card.index), 0));
        }
        assert_eq!(all(&mut nl, page_pool::list_stats())?.len(), 3);
    } else {
        assert!(nl.call(page_pool::get_stats(id)).unwrap_err().is_unsupported());
    }

    // The driver releases the pool, but one page is in use.
    card.set("down")?;
    let left = all(&mut nl, page_pool::list())?;
    let [left] = &left[..] else { return Err(format!("one pool: {left:#?}").into()) };
    assert_eq!((left.id(), out(left)), (held.id(), 1));
    let detached = left.detach_time().ok_or("not detached")?;
    let uptime = fs::read_to_string("/proc/uptime")?;
    assert!(detached <= uptime.split('.').next().unwrap_or_default().parse()?, "{detached} {uptime}");
    fs::write(&hold, "n")?;
    let mut gone = Vec::new();
    while gone.len() < 3 {
        match next(&mut events)? {
            ("gone", pool) => gone.push(pool.id()),
            ("changed", pool) if pool.detach_time().is_some() => {
                assert_eq!((pool.id(), pool.detach_time()), (held.id(), Some(detached)));
            }
            _ => {}
        }
    }
    gone.sort_unstable();
    told.sort_unstable();
    assert_eq!(gone, told);
    assert_eq!(refused(&nl.call(page_pool::get(id)).unwrap_err()).0, Errno::ENOENT);
    Ok(())
}

fn page_pools_of_a_link() -> Result {
    let card = Card::new(4712)?;
    let mut nl = netdev::connect()?;
    let accepted = nl.connection().dump(ctrl::policy_of("netdev", 5))?.collect()?;
    let accepted = Policies::new(&accepted)?;
    let narrows = accepted.dump(5).is_some_and(|set| set.get(2).is_some());
    assert_eq!(all(&mut nl, page_pool::list_of(card.index))?.len(), 3);
    // A kernel without the filter ignores it.
    assert_eq!(all(&mut nl, page_pool::list_of(1))?.len(), if narrows { 0 } else { 3 });
    Ok(())
}

fn queues_are_served() -> Result {
    let card = Card::new(4713)?;
    let mut nl = netdev::connect()?;
    let queues = all(&mut nl, queue::list_of(card.index))?;
    let receive: Vec<_> = queues.iter().filter(|queue| queue.kind() == Some(QueueType::RX)).collect();
    assert_eq!((queues.len(), receive.len()), (6, 3));
    let mut served: Vec<_> = receive.iter().filter_map(|queue| queue.napi_id()).collect();
    let instances = all(&mut nl, napi::list_of(card.index))?;
    let mut all: Vec<_> = instances.iter().filter_map(|napi| napi.id()).collect();
    served.sort_unstable();
    all.sort_unstable();
    assert_eq!((served, all.len()), (all.clone(), 3));
    Ok(())
}

fn queues_are_leased() -> Result {
    let card = Card::new(4714)?;
    let add = "link add nk0 type netkit peer name nk1 numrxqueues 2";
    output("ip", &add.split(' ').collect::<Vec<_>>())?;
    let links = links()?;
    let peer = links.iter().find(|link| link["ifname"] == "nk1").map(index).ok_or("no nk1")?;
    let mut nl = netdev::connect()?;
    // Its own first queue.
    let made = nl.call(queue::create(peer, card.index, 2))?;
    assert_eq!(made.id(), Some(1));
    let error = nl.call(queue::create(peer, card.index, 2)).unwrap_err();
    assert_eq!(refused(&error).0, Errno::EBUSY);
    let leased = nl.call(queue::get(card.index, QueueType::RX, 2))?;
    let lease = leased.lease().ok_or("no lease")?;
    let queue = lease.queue().ok_or("no queue")?;
    assert_eq!((lease.ifindex(), lease.netns_id()), (Some(peer), None));
    assert_eq!((queue.id(), queue.kind()), (Some(1), Some(QueueType::RX)));
    assert!(nl.call(queue::get(card.index, QueueType::RX, 1))?.lease().is_none());
    record("card")?;

    output("ip", &["netns", "add", "other"])?;
    output("ip", &["link", "set", "nk1", "netns", "other"])?;
    let leased = nl.call(queue::get(card.index, QueueType::RX, 2))?;
    let other = leased.lease().and_then(|lease| lease.netns_id()).ok_or("no namespace")?;
    assert!(output("ip", &["netns", "list-id"])?.contains(&format!("nsid {other} ")), "{other}");
    output("ip", &["link", "del", "nk0"])?;
    assert!(nl.call(queue::get(card.index, QueueType::RX, 2))?.lease().is_none());
    Ok(())
}

fn counters_of_a_simulated_card() -> Result {
    let (one, two) = (Card::new(4715)?, Card::new(4716)?);
    let namespace = File::open("/proc/thread-self/ns/net")?;
    let end = |card: &Card| format!("{}:{}", namespace.as_raw_fd(), card.index);
    fs::write("/sys/bus/netdevsim/link_device", format!("{} {}", end(&one), end(&two)))?;
    output("ip", &["addr", "add", "192.0.2.1/24", "dev", &one.name])?;
    // There is no answer, but the request asks for one.
    _ = output("ping", &["-c", "1", "-W", "1", "192.0.2.2"]);
    let mut nl = netdev::connect()?;
    for (card, direction) in [(&one, "tx"), (&two, "rx")] {
        let read = |name: &str| -> Result<u64> {
            let (direction, what) = name.split_once('_').ok_or("no direction")?;
            let links = links()?;
            let link = links.iter().find(|link| index(link) == card.index).ok_or("no link")?;
            link["stats64"][direction][what].as_u64().ok_or_else(|| format!("{link}").into())
        };
        assert!(read(&format!("{direction}_packets"))? > 0);
        counters_equal(&mut nl, card.index, read)?;
    }
    Ok(())
}
