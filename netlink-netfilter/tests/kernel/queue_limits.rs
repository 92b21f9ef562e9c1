//! Full queues, full receive buffers, and losses.

use std::collections::BTreeMap;
use std::thread;
use std::time::Instant;

use netlink_core::socket::Switch;
use netlink_netfilter::Error;
use netlink_netfilter::queue::{self, Arrival, Params, Queue, QueueFlags, Ticket, Verdict};
use netlink_testing::{Result, patience, program, seconds, suite};

use crate::queue::{next, open, open_with, queue_output};
use crate::wire::{LONG, SHORT, Udp};

suite! {
    a_full_queue_drops_or_lets_pass: program("ip"), program("iptables");
    a_packet_without_a_verdict_waits_until_the_socket_is_closed: program("ip"), program("iptables");
    configuration_loses_no_packet: program("ip"), program("iptables"), seconds(120);
    losses_are_counted: program("ip"), program("iptables"), seconds(120);
    an_overflow_is_reported_if_the_socket_reports_it: program("ip"), program("iptables");
    many_packets_without_a_loss: program("ip"), program("iptables"), seconds(300);
}

fn a_full_queue_drops_or_lets_pass() -> Result {
    let udp = Udp::loopback()?;
    queue_output("")?;
    let mut queue = open_with(&queue::bind(0, Params::whole()).max_length(2))?;
    for number in 0..4 {
        udp.send(&number.to_string());
    }
    let (first, _) = next(&mut queue)?;
    let (second, _) = next(&mut queue)?;
    queue.verdict(second, Verdict::ACCEPT)?;
    assert_eq!(udp.receive(), "1");
    // Packets without a place had no number either.
    udp.send("4");
    assert_eq!(next(&mut queue)?.0.id, 3);
    queue.configure(&queue::configure(0).on(QueueFlags::FAIL_OPEN))?;
    udp.send("5");
    assert_eq!(udp.receive(), "5");
    queue.verdict(first, Verdict::ACCEPT)?;
    assert_eq!(udp.receive(), "0");
    Ok(())
}

fn a_packet_without_a_verdict_waits_until_the_socket_is_closed() -> Result {
    let udp = Udp::loopback()?;
    queue_output("")?;
    let mut queue = open(Params::whole())?;
    udp.send("waits");
    let (ticket, _) = next(&mut queue)?;
    let other = queue.verdicts()?;
    drop(queue);
    // The other handle keeps the socket open.
    other.send(&queue::verdict(ticket, Verdict::ACCEPT))?;
    assert_eq!(udp.receive(), "waits");
    udp.send("dropped");
    drop(other);
    // No process has bound it; then another one does.
    udp.send("nobody");
    let mut queue = open_when_closed()?;
    udp.send("later");
    let (ticket, later) = next(&mut queue)?;
    assert_eq!((ticket.id, later.as_str()), (1, "later"));
    queue.verdict(ticket, Verdict::ACCEPT)?;
    assert_eq!(udp.receive(), "later");
    // Bound again, it counts from 1 without a gap.
    queue.configure(&queue::unbind(0))?;
    queue.configure(&queue::bind(0, Params::whole()))?;
    udp.send("anew");
    assert_eq!(next(&mut queue)?.0.id, 1);
    Ok(())
}

/// Binds a queue whose socket was just closed. A program that another test starts has the socket too, from
/// its fork to its exec.
fn open_when_closed() -> Result<Queue> {
    let start = Instant::now();
    loop {
        match Queue::open(&queue::bind(0, Params::whole())) {
            Err(error) if error.is_permission() && start.elapsed() < LONG => thread::yield_now(),
            opened => {
                let mut queue = opened?;
                queue.set_timeout(Some(LONG))?;
                return Ok(queue);
            }
        }
    }
}

fn configuration_loses_no_packet() -> Result {
    let packets = 2000 / patience();
    let udp = Udp::loopback()?;
    queue_output("")?;
    let mut queue = open_with(&queue::bind(0, Params::whole()).max_length(packets))?;
    let sender = udp.sender();
    let sending = thread::spawn(move || {
        for number in 0..packets {
            sender.send(number.to_string().as_bytes()).unwrap();
        }
    });
    for number in 0..packets {
        if number % 5 == 0 {
            queue.configure(&queue::configure(0).max_length(packets + number))?;
        }
        let (ticket, got) = next(&mut queue)?;
        assert_eq!((ticket.id, got), (number + 1, number.to_string()));
        queue.verdict(ticket, Verdict::ACCEPT)?;
        assert_eq!(udp.receive(), number.to_string());
    }
    sending.join().unwrap();
    Ok(())
}

/// Sends more packets than the smallest receive buffer holds, and reads those that fit.
fn losses_are_counted() -> Result {
    let packets = 3000 / patience();
    let udp = Udp::loopback()?;
    queue_output("")?;
    let mut queue = open_with(&queue::bind(0, Params::whole()).max_length(2 * packets))?;
    queue.connection().socket().set_receive_buffer(4096)?;
    let mut counted = 0;
    let mut gaps = 0;
    // The last packet fits again: its number shows how many before it did not.
    for round in 0..3 {
        for _ in 0..packets / 3 {
            udp.send(&round.to_string());
        }
        queue.set_timeout(Some(SHORT))?;
        loop {
            match queue.next() {
                Ok(Arrival::Packet { packet, missed }) => {
                    counted += missed + 1;
                    gaps += u32::from(missed > 0);
                    assert_eq!(packet.ticket().id, counted);
                }
                Err(Error::Timeout(_)) => break,
                other => panic!("{other:?}"),
            }
        }
    }
    udp.send("last");
    let Arrival::Packet { packet, missed } = queue.next()? else { panic!("no packet") };
    assert_eq!(packet.ticket().id, packets + 1);
    assert_eq!(counted + missed, packets);
    assert!(gaps == 2 && missed > 0, "{gaps} gaps, then {missed}");
    Ok(())
}

fn an_overflow_is_reported_if_the_socket_reports_it() -> Result {
    let udp = Udp::loopback()?;
    queue_output("")?;
    let mut queue = open_with(&queue::bind(0, Params::whole()).max_length(4000).on(QueueFlags::FAIL_OPEN))?;
    queue.connection().socket_mut().set(Switch::NO_ENOBUFS, false)?;
    queue.connection().socket().set_receive_buffer(4096)?;
    for _ in 0..1000 {
        udp.send("x");
    }
    // The lost packets passed.
    assert_eq!(udp.receive(), "x");
    let mut queued = 0;
    let mut last = Ticket::default();
    while let Arrival::Packet { packet, missed: 0 } = queue.next()? {
        queued += 1;
        last = packet.ticket();
    }
    assert!(queued > 0);
    assert_eq!(last.id, queued);
    queue.set_timeout(Some(SHORT))?;
    assert!(matches!(queue.next(), Err(Error::Timeout(_))));
    // An answer fits again, and so does a packet.
    queue.set_timeout(Some(LONG))?;
    queue.configure(&queue::configure(0).max_length(4001))?;
    udp.send("y");
    let Arrival::Packet { missed, .. } = queue.next()? else { panic!("no packet") };
    assert_eq!(missed, 1000 - queued);
    queue.send(&queue::verdict_up_to(last, Verdict::DROP))?;
    Ok(())
}

fn many_packets_without_a_loss() -> Result {
    let packets = 20_000 / patience();
    let udp = Udp::loopback()?;
    queue_output("")?;
    let mut queue = open_with(&queue::bind(0, Params::whole()).max_length(packets))?;
    if queue.connection().socket().receive_buffer()? < 64 << 20 {
        netlink_testing::skip("the receive buffer may not be large enough here");
    }
    let sender = udp.sender();
    let sending = thread::spawn(move || {
        for number in 0..packets {
            sender.send(&number.to_ne_bytes()).unwrap();
        }
    });
    let mut ids = BTreeMap::new();
    while ids.len() < packets as usize {
        let Arrival::Packet { packet, missed: 0 } = queue.next()? else { panic!("a loss") };
        let payload = packet.payload().unwrap().0;
        ids.insert(packet.ticket().id, u32::from_ne_bytes(payload[28..32].try_into()?));
        let ticket = packet.ticket();
        queue.verdict(ticket, Verdict::DROP)?;
    }
    sending.join().unwrap();
    assert!(ids.into_iter().eq((0..packets).map(|number| (number + 1, number))));
    queue.set_timeout(Some(SHORT))?;
    assert!(matches!(queue.next(), Err(Error::Timeout(_))), "no refusal");
    Ok(())
}
