//! Page pools, queues that are served, and counters of netdevsim: a network card that is none.

use std::fs;

use netlink_generic::netdev::{
    self, Event, Netdev, QstatsScope, QueueType, dmabuf, napi, page_pool, qstats, queue,
};
use netlink_generic::{Client, Errno, Error, Notice};
use netlink_testing::{Need, Result, init_namespace, kernel, module, program, suite};

use crate::netdev::{all, index, links};
use crate::output;

const SIM: Need = module("netdevsim");
const IP: Need = program("ip");

suite! {
    page_pools_come_and_go: SIM, kernel(6, 12), IP, init_namespace();
    queues_are_served: SIM, kernel(6, 12), IP, init_namespace();
    counters_of_a_simulated_card: SIM, kernel(6, 12), IP, init_namespace();
}

/// A card with three queues each way, in the namespace of the test.
struct Card {
    id: u32,
    index: u32,
}

impl Card {
    fn new(id: u32) -> Result<Self> {
        fs::write("/sys/bus/netdevsim/new_device", format!("{id} 1 3"))?;
        let mut card = Self { id, index: 0 };
        let links = links()?;
        let link = links.last().ok_or("no link")?;
        card.index = index(link);
        output("ip", &["link", "set", link["ifname"].as_str().unwrap_or_default(), "up"])?;
        Ok(card)
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        _ = fs::write("/sys/bus/netdevsim/del_device", self.id.to_string());
    }
}

fn page_pools_come_and_go() -> Result {
    let mut events = netdev::subscribe(&[Netdev::PAGE_POOL])?;
    let card = Card::new(4711)?;
    let mut nl = netdev::connect()?;
    let pools = all(&mut nl, page_pool::list())?;
    println!("{pools:#?}");
    println!("{:#?}", all(&mut nl, queue::list())?);
    println!("{:#?}", all(&mut nl, napi::list())?);
    println!("{:#?}", all(&mut nl, qstats::list())?);
    println!("{:#?}", all(&mut nl, qstats::list().scope(QstatsScope::QUEUE))?);
    println!("{:#?}", all(&mut nl, page_pool::list_stats()));
    println!("{:#?}", all(&mut nl, page_pool::list_stats_of(card.index)));
    println!("{:#?}", all(&mut nl, page_pool::list().ifindex(card.index)));
    println!("{:#?}", nl.call(dmabuf::bind_rx(card.index, 0, &[0])));
    println!("{:#?}", nl.call(dmabuf::bind_tx(card.index, 0)));
    output("ip", &["link", "set", "dev", "eth0", "down"])?;
    println!("{:#?}", all(&mut nl, page_pool::list())?);
    for _ in 0..6 { println!("{:#?}", events.next()?); }
    Err("look".into())
}

fn queues_are_served() -> Result {
    let card = Card::new(4712)?;
    println!("{}", output("ip", &["link", "add", "nk0", "numrxqueues", "4", "type", "netkit", "peer", "name", "nk1", "numrxqueues", "4"])?);
    println!("{}", output("ip", &["-d", "link"])?);
    let mut nl = netdev::connect()?;
    for link in links()? {
        if link["ifname"].as_str().unwrap().starts_with("nk") {
            println!("{:?}", nl.call(queue::create(index(&link), card.index, 1)));
        }
    }
    println!("{:#?}", all(&mut nl, queue::list())?);
    Err("look".into())
}

fn counters_of_a_simulated_card() -> Result {
    Ok(())
}
