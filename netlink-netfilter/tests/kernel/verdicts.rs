//! Verdicts about queued packets.

use std::net::SocketAddr;
use std::thread;

use netlink_netfilter::conntrack::{ConntrackSet, Status, Tuple};
use netlink_netfilter::expect::{self, ExpectSet};
use netlink_netfilter::queue::{self, Arrival, Hook, Params, QueueFlags, Ticket, Verdict};
use netlink_netfilter::{Errno, Error};
use netlink_testing::{Result, kernel, module, program, suite};

use crate::queue::{next, open, open_with, queue_output, queue_tracked, refused};
use crate::wire::{LONG, NFT_QUEUE, PORT, SHORT, TIED, Udp, with_text};
use crate::{nft, run};

suite! {
    a_verdict_changes_mark_and_payload: program("ip"), program("iptables");
    a_verdict_changes_the_priority: program("ip"), program("iptables"), kernel(6, 1);
    a_repeated_packet_meets_its_mark: program("ip"), program("iptables");
    a_packet_goes_to_another_queue: program("ip"), program("iptables");
    one_verdict_for_many: program("ip"), program("iptables");
    refusals_name_their_packet: program("ip"), program("iptables");
    a_verdict_changes_the_connection: program("ip"), program("iptables"), TIED;
    a_verdict_expects_a_connection: program("ip"), program("nft"), module("nf_conntrack_tftp"), NFT_QUEUE, TIED;
    other_threads_give_verdicts: program("ip"), program("iptables");
}

fn a_verdict_changes_the_connection() -> Result {
    let (udp, mut queue) = queue_tracked()?;
    udp.send("marks");
    let (ticket, _) = next(&mut queue)?;
    let changes = || ConntrackSet::new().mark(0x77).timeout(1234);
    queue.verdict_with(ticket, Verdict::ACCEPT, |packet| packet.ct(changes()))?;
    assert_eq!(udp.receive(), "marks");
    udp.send("marked");
    let Arrival::Packet { packet, .. } = queue.next()? else { panic!("no packet") };
    let ct = packet.ct().unwrap();
    assert_eq!(ct.mark().unwrap(), 0x77);
    assert!(ct.status().unwrap().contains(Status::CONFIRMED));
    Ok(())
}

fn a_verdict_expects_a_connection() -> Result {
    let udp = Udp::loopback()?;
    nft(&format!(
        "table ip t {{
            ct helper tftp-any {{ type \"tftp\" protocol udp; }}
            chain a {{ type filter hook output priority 0; udp dport {PORT} ct helper set \"tftp-any\"; }}
            chain b {{ type filter hook output priority 10; udp dport {PORT} queue num 0; }}
        }}"
    ))?;
    let mut queue = open_with(&queue::bind(0, Params::whole()).on(QueueFlags::CONNTRACK))?;
    let end = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let expected = Tuple::udp(end(7000), end(7001));
    let mask = Tuple::udp(SocketAddr::from(([255; 4], 0xffff)), SocketAddr::from(([255; 4], 0xffff)));
    udp.send("expect");
    let (ticket, _) = next(&mut queue)?;
    // The expectation belongs to a connection in the table: that of the second packet.
    queue.verdict(ticket, Verdict::ACCEPT)?;
    udp.send("expect");
    let (ticket, _) = next(&mut queue)?;
    let exp = || ExpectSet::new().tuple(expected.clone()).mask(mask.clone()).timeout(60).class(0);
    queue
        .verdict_with(ticket, Verdict::ACCEPT, |packet| packet.ct(ConntrackSet::new().mark(1)).exp(exp()))?;
    assert_eq!((udp.receive(), udp.receive()), ("expect".into(), "expect".into()));
    let there = netlink_netfilter::connect()?.call(expect::get(&expected))?;
    assert_eq!(there.tuple().unwrap().dst_socket(), Some(end(7001)));
    Ok(())
}

fn a_verdict_changes_mark_and_payload() -> Result {
    let udp = Udp::loopback()?;
    queue_output("")?;
    run(&format!("iptables -w -A INPUT -p udp --dport {PORT} -m mark --mark 3 -j DROP"))?;
    let mut queue = open(Params::whole())?;
    for (sent, changed) in [("same", "size"), ("shorter", "less"), ("longer", "very much longer than before")]
    {
        udp.send(sent);
        let Arrival::Packet { packet, .. } = queue.next()? else { panic!("no packet") };
        let payload = with_text(packet.payload().unwrap().0, changed);
        let ticket = packet.ticket();
        queue.verdict_with(ticket, Verdict::ACCEPT, |packet| packet.payload(payload.as_slice()))?;
        assert_eq!(udp.receive(), changed);
    }
    // A copied packet can be answered from the copy.
    udp.send("marked");
    let Arrival::Packet { packet, .. } = queue.next()? else { panic!("no packet") };
    let packet = packet.into_owned();
    let marked = queue::verdict(packet.ticket(), Verdict::ACCEPT).mark(3).payload(packet.payload().unwrap());
    queue.send(&marked)?;
    udp.send("unmarked");
    let (ticket, _) = next(&mut queue)?;
    queue.verdict(ticket, Verdict::ACCEPT)?;
    assert_eq!(udp.receive(), "unmarked");

    // A value that does not fit is an error before it is sent, and the packet still waits.
    udp.send("waits");
    let (ticket, _) = next(&mut queue)?;
    let huge = vec![0; 65_532];
    let error = queue.verdict_with(ticket, Verdict::ACCEPT, |packet| packet.payload(huge.as_slice()));
    assert!(matches!(error, Err(Error::Request(_))), "{error:?}");
    queue.verdict(ticket, Verdict::ACCEPT)?;
    assert_eq!(udp.receive(), "waits");
    Ok(())
}

fn a_verdict_changes_the_priority() -> Result {
    let udp = Udp::loopback()?;
    queue_output("")?;
    run(&format!("iptables -w -t mangle -A POSTROUTING -p udp --dport {PORT} -j NFQUEUE --queue-num 1"))?;
    let mut queue = open(Params::meta())?;
    queue.configure(&queue::bind(1, Params::meta()))?;
    udp.send("first");
    let (ticket, _) = next(&mut queue)?;
    assert_eq!(ticket.queue, 0);
    queue.verdict_with(ticket, Verdict::ACCEPT, |packet| packet.priority(6).mark(2))?;
    let Arrival::Packet { packet, .. } = queue.next()? else { panic!("no packet") };
    assert_eq!(packet.ticket(), Ticket { queue: 1, id: 1 });
    assert_eq!(packet.hook(), Some(Hook::POST_ROUTING));
    assert_eq!((packet.priority().unwrap(), packet.mark().unwrap()), (6, 2));
    let ticket = packet.ticket();
    queue.send(&queue::verdict_up_to(ticket, Verdict::ACCEPT).priority(1))?;
    assert_eq!(udp.receive(), "first");
    Ok(())
}

fn a_repeated_packet_meets_its_mark() -> Result {
    let udp = Udp::loopback()?;
    queue_output("-m mark ! --mark 7")?;
    let mut queue = open(Params::whole())?;
    udp.send("twice");
    let (first, _) = next(&mut queue)?;
    queue.verdict(first, Verdict::REPEAT)?;
    let (second, second_text) = next(&mut queue)?;
    assert_eq!((second.id, second_text.as_str()), (2, "twice"));
    queue.verdict_with(second, Verdict::REPEAT, |packet| packet.mark(7))?;
    assert_eq!(udp.receive(), "twice");
    Ok(())
}

fn a_packet_goes_to_another_queue() -> Result {
    let udp = Udp::loopback()?;
    queue_output("")?;
    let mut queue = open(Params::whole())?;
    let mut other = open_with(&queue::bind(65_535, Params::whole()))?;
    udp.send("there");
    let (ticket, _) = next(&mut queue)?;
    queue.verdict(ticket, Verdict::queue(65_535))?;
    let (there, there_text) = next(&mut other)?;
    assert_eq!((there, there_text.as_str()), (Ticket { queue: 65_535, id: 1 }, "there"));
    other.verdict(there, Verdict::ACCEPT)?;
    assert_eq!(udp.receive(), "there");
    // Queue 9 is not bound.
    for (verdict, arrives) in [(Verdict::queue(9), None), (Verdict::queue(9).bypass(), Some("nobody"))] {
        udp.send("nobody");
        let (ticket, _) = next(&mut queue)?;
        queue.verdict(ticket, verdict)?;
        let timeout = if arrives.is_some() { LONG } else { SHORT };
        assert_eq!(udp.receive_within(timeout).as_deref(), arrives);
    }
    Ok(())
}

fn one_verdict_for_many() -> Result {
    let udp = Udp::loopback()?;
    queue_output("")?;
    let mut queue = open(Params::whole())?;
    let tickets: Vec<Ticket> = (0..5)
        .map(|number| {
            udp.send(&number.to_string());
            Ok(next(&mut queue)?.0)
        })
        .collect::<Result<_>>()?;
    queue.send(&queue::verdict_up_to(tickets[2], Verdict::ACCEPT))?;
    assert_eq!([udp.receive(), udp.receive(), udp.receive()], ["0", "1", "2"]);
    assert_eq!(udp.receive_within(SHORT), None);
    // As a call, with an answer.
    queue.connection().call(queue::verdict_up_to(tickets[3], Verdict::DROP).mark(1))?;
    queue.connection().call(queue::verdict(tickets[4], Verdict::ACCEPT))?;
    assert_eq!(udp.receive(), "4");
    let error = queue.connection().call(queue::verdict_up_to(tickets[4], Verdict::ACCEPT)).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ENOENT));
    Ok(())
}

fn refusals_name_their_packet() -> Result {
    let udp = Udp::loopback()?;
    queue_output("")?;
    let mut queue = open(Params::whole())?;
    let _other = open_with(&queue::bind(1, Params::whole()))?;
    udp.send("one");
    let (one, _) = next(&mut queue)?;
    let nobody = |queue, id| Ticket { queue, id };
    queue.verdict(nobody(0, 77), Verdict::ACCEPT)?;
    queue.verdict(nobody(1, 1), Verdict::DROP)?;
    queue.verdict(nobody(2, 1), Verdict::DROP)?;
    queue.verdict(one, Verdict::STOLEN)?;
    // Another packet and a configuration in between change nothing.
    udp.send("two");
    queue.configure(&queue::configure(0).max_length(2000))?;
    queue.send(&queue::verdict_up_to(nobody(0, 0), Verdict::ACCEPT))?;
    queue.verdict(one, Verdict::ACCEPT)?;
    queue.verdict(one, Verdict::ACCEPT)?;

    let mut refusals = Vec::new();
    let mut texts = Vec::new();
    let mut packets = Vec::new();
    for _ in 0..7 {
        match queue.next()? {
            Arrival::Refused(refused) => {
                refusals.push((refused.ticket, refused.error.errno().unwrap()));
                texts.push(refused.to_string());
            }
            Arrival::Packet { packet, missed: 0 } => packets.push(packet.ticket()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        refusals,
        [
            (nobody(0, 77), Errno::ENOENT),
            (nobody(1, 1), Errno::EPERM),
            (nobody(2, 1), Errno::ENODEV),
            (one, Errno::EINVAL),
            (nobody(0, 0), Errno::ENOENT),
            (one, Errno::ENOENT),
        ]
    );
    assert_eq!(packets, [Ticket { queue: 0, id: 2 }]);
    assert_eq!(
        texts[0],
        "packet 77 of queue 0: NFQNL_MSG_VERDICT: No such file or directory (ENOENT); sent: NFQA_VERDICT_HDR \
         VerdictHeader { verdict: accept, id: 77 }"
    );
    assert!(texts[4].contains("NFQNL_MSG_VERDICT_BATCH"), "{}", texts[4]);
    queue.verdict(packets[0], Verdict::ACCEPT)?;
    assert_eq!([udp.receive(), udp.receive()], ["one", "two"]);
    Ok(())
}

fn other_threads_give_verdicts() -> Result {
    let udp = Udp::loopback()?;
    queue_output("")?;
    let mut queue = open(Params::whole())?;
    let verdicts = queue.verdicts()?;
    let (give, take) = std::sync::mpsc::channel::<Ticket>();
    let worker = thread::spawn(move || {
        for ticket in take {
            verdicts.send(&queue::verdict(ticket, Verdict::ACCEPT)).unwrap();
        }
        verdicts.send(&queue::verdict(Ticket { queue: 0, id: 99 }, Verdict::DROP)).unwrap();
    });
    for number in 0..20 {
        udp.send(&number.to_string());
        give.send(next(&mut queue)?.0)?;
        assert_eq!(udp.receive(), number.to_string());
    }
    drop(give);
    worker.join().unwrap();
    assert_eq!(refused(&mut queue)?.ticket, Ticket { queue: 0, id: 99 });
    // A waiting call can be stopped.
    let stop = queue.connection().stop_handle()?;
    let stopper = thread::spawn(move || stop.stop());
    assert!(matches!(queue.next(), Err(Error::Stopped)));
    stopper.join().unwrap();
    Ok(())
}
