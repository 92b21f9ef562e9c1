//! Packets queued by real rules, and what becomes of them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::MetadataExt as _;
use std::thread;

use netlink_core::socket::Switch;
use netlink_netfilter::conntrack::{ConntrackSet, PacketState, Status, Tuple, TupleAttrs};
use netlink_netfilter::expect::{self, ExpectSet};
use netlink_netfilter::queue::{
    self, Arrival, CopyMode, Hook, PacketInfo, Params, Queue, QueueFlags, Refused, Ticket, Verdict, Vlan,
};
use netlink_netfilter::{Errno, Error, Family};
use netlink_testing::{Result, init_namespace, ipv6, kernel, kind, module, program, seconds, suite};

use crate::wire::{
    BRIDGE_VLANS, BRIDGED_IPTABLES, LEFT_MAC, LONG, NFT_QUEUE, PORT, SHORT, TIED, Udp, bridged_neighbours,
    index, neighbour, neighbours_of_a_vlan, send_from, text, with_text,
};
use crate::{nft, run};

suite! {
    a_packet_waits_for_its_verdict: program("ip"), program("iptables");
    a_packet_of_ipv6: program("ip"), program("ip6tables"), ipv6();
    a_packet_from_a_neighbour: program("ip"), program("iptables"), kind("veth");
    a_packet_through_a_bridge_that_iptables_sees: program("ip"), program("iptables"), kind("veth"), kind("bridge"),
        BRIDGED_IPTABLES;
    a_packet_in_the_bridge_family: program("ip"), program("nft"), kind("veth"), kind("bridge"), kind("vlan"),
        BRIDGE_VLANS, NFT_QUEUE;
    a_packet_brings_its_connection: program("ip"), program("iptables"), TIED;
    a_verdict_changes_the_connection: program("ip"), program("iptables"), TIED;
    a_verdict_expects_a_connection: program("ip"), program("nft"), module("nf_conntrack_tftp"), NFT_QUEUE, TIED;
    a_class_of_net_cls: program("ip"), program("iptables"), kernel(6, 4), init_namespace();
    large_packets_come_whole_or_cut: program("ip"), program("iptables"), kind("veth"), seconds(120);
    a_verdict_changes_mark_and_payload: program("ip"), program("iptables");
    a_verdict_changes_the_priority: program("ip"), program("iptables"), kernel(6, 1);
    a_repeated_packet_meets_its_mark: program("ip"), program("iptables");
    a_packet_goes_to_another_queue: program("ip"), program("iptables");
    one_verdict_for_many: program("ip"), program("iptables");
    refusals_name_their_packet: program("ip"), program("iptables");
    binding_and_configuring_that_fails: program("ip");
    a_full_queue_drops_or_lets_pass: program("ip"), program("iptables");
    a_packet_without_a_verdict_waits_until_the_socket_is_closed: program("ip"), program("iptables");
    configuration_loses_no_packet: program("ip"), program("iptables"), seconds(120);
    losses_are_counted: program("ip"), program("iptables"), seconds(120);
    an_overflow_is_told_where_the_socket_says_so: program("ip"), program("iptables");
    other_threads_give_verdicts: program("ip"), program("iptables");
    many_packets_without_a_loss: program("ip"), program("iptables"), seconds(300);
    everything_on_a_reactor: program("ip"), program("iptables");
}

/// Queues what comes out of this namespace for [`PORT`].
fn queue_output(rest: &str) -> Result {
    run(&format!("iptables -w -A OUTPUT -p udp --dport {PORT} {rest} -j NFQUEUE --queue-num 0"))?;
    Ok(())
}

fn open(params: Params) -> Result<Queue> {
    open_with(&queue::bind(0, params))
}

fn open_with(config: &queue::ConfigRequest<()>) -> Result<Queue> {
    let mut queue = Queue::open(config)?;
    queue.set_timeout(Some(LONG))?;
    Ok(queue)
}

/// The next packet, and the text in it.
fn next(queue: &mut Queue) -> Result<(Ticket, String)> {
    match queue.next()? {
        Arrival::Packet { packet, missed: 0 } => {
            Ok((packet.ticket(), packet.payload().map(|payload| text(payload.0)).unwrap_or_default()))
        }
        other => Err(format!("not a packet: {other:?}").into()),
    }
}

fn refused(queue: &mut Queue) -> Result<Refused> {
    match queue.next()? {
        Arrival::Refused(refused) => Ok(refused),
        other => Err(format!("not a refusal: {other:?}").into()),
    }
}

fn a_packet_waits_for_its_verdict() -> Result {
    let udp = Udp::loopback()?;
    queue_output("")?;
    let mut queue = open_with(&queue::bind(0, Params::whole()).on(QueueFlags::UID_GID))?;
    udp.send("first");
    let Arrival::Packet { packet, missed: 0 } = queue.next()? else { panic!("no packet") };
    let own = fs::metadata("/proc/thread-self")?;
    assert_eq!(packet.header().family, Family::IPV4);
    assert_eq!(packet.ticket(), Ticket { queue: 0, id: 1 });
    assert_eq!(packet.hook(), Some(Hook::LOCAL_OUT));
    assert_eq!(packet.packet_header().unwrap().protocol.0, 0x0800);
    assert_eq!((packet.indev(), packet.outdev().map(|index| index.0)), (None, Some(1)));
    assert_eq!((packet.mark(), packet.priority(), packet.cap_len()), (None, None, None));
    assert_eq!((packet.hwaddr(), packet.physindev(), packet.physoutdev()), (None, None, None));
    assert_eq!((packet.vlan(), packet.l2_header(), packet.secctx()), (None, None, None));
    assert_eq!((packet.ct(), packet.ct_info()), (None, None));
    // Whoever runs this: numbered as the initial user namespace does, and `/proc` as this one.
    assert!(packet.uid().is_some() && packet.gid().is_some());
    if fs::read_to_string("/proc/self/uid_map")?.split_whitespace().eq(["0", "0", "4294967295"]) {
        assert_eq!((packet.uid().unwrap().0, packet.gid().unwrap().0), (own.uid(), own.gid()));
    }
    let payload = packet.payload().unwrap().0;
    assert_eq!(text(payload), "first");
    assert_eq!(payload[20..22], udp.source().port().to_be_bytes());
    let first = packet.ticket();

    udp.send("second");
    let (second, second_text) = next(&mut queue)?;
    assert_eq!((second.id, second_text.as_str()), (2, "second"));
    assert_eq!(udp.receive_within(SHORT), None);
    queue.verdict(first, Verdict::DROP)?;
    queue.verdict(second, Verdict::ACCEPT)?;
    assert_eq!(udp.receive(), "second");

    // The same once more, without a payload, or with a little of it.
    queue.configure(&queue::configure(0).params(Params::meta()).off(QueueFlags::UID_GID))?;
    udp.send("third");
    let Arrival::Packet { packet, .. } = queue.next()? else { panic!("no packet") };
    assert_eq!((packet.payload(), packet.uid()), (None, None));
    let third = packet.ticket();
    queue.configure(&queue::configure(0).params(Params::first(30)))?;
    udp.send("fourth");
    let Arrival::Packet { packet, .. } = queue.next()? else { panic!("no packet") };
    assert_eq!((packet.payload().unwrap().0.len(), packet.cap_len().unwrap().0), (30, 34));
    let fourth = packet.ticket();
    queue.verdict(fourth, Verdict::STOP)?;
    queue.verdict(third, Verdict::ACCEPT)?;
    assert_eq!((udp.receive(), udp.receive()), ("fourth".into(), "third".into()));
    Ok(())
}

fn a_packet_of_ipv6() -> Result {
    run("ip link set lo up")?;
    let udp = Udp::between(Ipv6Addr::LOCALHOST.into());
    run(&format!("ip6tables -w -A OUTPUT -p udp --dport {PORT} -j NFQUEUE --queue-num 0"))?;
    let mut queue = open(Params::whole())?;
    udp.send("six");
    let Arrival::Packet { packet, .. } = queue.next()? else { panic!("no packet") };
    assert_eq!(packet.header().family, Family::IPV6);
    assert_eq!(packet.packet_header().unwrap().protocol.0, 0x86dd);
    assert_eq!(text(packet.payload().unwrap().0), "six");
    let ticket = packet.ticket();
    queue.verdict(ticket, Verdict::ACCEPT)?;
    assert_eq!(udp.receive(), "six");
    Ok(())
}

fn a_packet_from_a_neighbour() -> Result {
    let left = neighbour()?;
    run(&format!("iptables -w -t mangle -A PREROUTING -p udp --dport {PORT} -j MARK --set-mark 9"))?;
    run(&format!("iptables -w -A INPUT -p udp --dport {PORT} -j NFQUEUE --queue-num 0"))?;
    let receiver = UdpSocket::bind(("10.0.0.2", PORT))?;
    receiver.set_read_timeout(Some(LONG))?;
    let mut queue = open(Params::whole())?;
    send_from(&left, [10, 0, 0, 2], "hello")?;
    let Arrival::Packet { packet, .. } = queue.next()? else { panic!("no packet") };
    assert_eq!(packet.hook(), Some(Hook::LOCAL_IN));
    assert_eq!((packet.indev().map(|index| index.0), packet.outdev()), (Some(index("left")), None));
    assert_eq!(packet.mark().unwrap().0, 9);
    assert_eq!(packet.hwaddr().unwrap().addr(), Some(LEFT_MAC.into()));
    assert_eq!(packet.uid(), None);
    let ticket = packet.ticket();
    queue.verdict(ticket, Verdict::ACCEPT)?;
    let mut bytes = [0; 100];
    assert_eq!(receiver.recv(&mut bytes)?, 5);
    // A link that goes down takes its packets with it.
    send_from(&left, [10, 0, 0, 2], "again")?;
    let (ticket, _) = next(&mut queue)?;
    run("ip link set left down")?;
    queue.verdict(ticket, Verdict::ACCEPT)?;
    let refused = refused(&mut queue)?;
    assert_eq!((refused.ticket, refused.error.errno()), (ticket, Some(Errno::ENOENT)));
    Ok(())
}

fn a_packet_through_a_bridge_that_iptables_sees() -> Result {
    let (left, right) = bridged_neighbours()?;
    run("sysctl -q -w net.bridge.bridge-nf-call-iptables=1")?;
    run(&format!("iptables -w -A FORWARD -p udp --dport {PORT} -j NFQUEUE --queue-num 0"))?;
    let mut queue = open(Params::whole())?;
    let received = right.run(|| UdpSocket::bind(("10.0.0.3", PORT)))??;
    received.set_read_timeout(Some(LONG))?;
    send_from(&left, [10, 0, 0, 3], "through")?;
    let Arrival::Packet { packet, .. } = queue.next()? else { panic!("no packet") };
    assert_eq!((packet.header().family, packet.hook()), (Family::IPV4, Some(Hook::FORWARD)));
    assert_eq!((packet.indev().unwrap().0, packet.outdev().unwrap().0), (index("br0"), index("br0")));
    assert_eq!(
        (packet.physindev().unwrap().0, packet.physoutdev().unwrap().0),
        (index("left"), index("right"))
    );
    let ticket = packet.ticket();
    queue.verdict(ticket, Verdict::ACCEPT)?;
    assert_eq!(received.recv(&mut [0; 100])?, 7);
    Ok(())
}

fn a_packet_in_the_bridge_family() -> Result {
    let (left, right) = neighbours_of_a_vlan()?;
    nft(
        "table bridge t { chain c { type filter hook forward priority 0; meta protocol ip queue num 4; }; }",
    )?;
    let mut queue = open_with(&queue::bind(4, Params::whole()))?;
    let received = right.run(|| UdpSocket::bind(("10.0.0.3", PORT)))??;
    received.set_read_timeout(Some(LONG))?;
    send_from(&left, [10, 0, 0, 3], "bridged")?;
    let Arrival::Packet { packet, .. } = queue.next()? else { panic!("no packet") };
    assert_eq!((packet.header().family, packet.hook()), (Family::BRIDGE, Some(Hook::FORWARD)));
    assert_eq!(
        (packet.physindev().unwrap().0, packet.physoutdev().unwrap().0),
        (index("left"), index("right"))
    );
    assert_eq!((packet.indev().unwrap().0, packet.outdev().unwrap().0), (index("br0"), index("br0")));
    let vlan = packet.vlan().unwrap();
    assert_eq!((vlan.protocol().unwrap().0, vlan.tci().unwrap().0), (0x8100, 5));
    let mut header = packet.l2_header().unwrap().0.to_vec();
    assert_eq!((header.len(), &header[6..12]), (14, &LEFT_MAC[..]));
    let ticket = packet.ticket();

    // A verdict changes the tag and the sender's address; a header of another length is refused.
    let tag = || Vlan::new().protocol(0x8100).tci(6);
    queue.verdict_with(ticket, Verdict::ACCEPT, |packet| packet.vlan(tag()).l2_header(&header[..9]))?;
    let error = refused(&mut queue)?;
    assert_eq!((error.ticket, error.error.errno()), (ticket, Some(Errno::EINVAL)));
    send_from(&left, [10, 0, 0, 3], "bridged")?;
    let (ticket, _) = next_bridged(&mut queue)?;
    header[11] = 0x77;
    queue.verdict_with(ticket, Verdict::ACCEPT, |packet| packet.vlan(tag()).l2_header(header.as_slice()))?;
    assert_eq!(received.recv(&mut [0; 100])?, 7);
    Ok(())
}

/// The payload begins behind the link-layer header there as well.
fn next_bridged(queue: &mut Queue) -> Result<(Ticket, usize)> {
    match queue.next()? {
        Arrival::Packet { packet, .. } => Ok((packet.ticket(), packet.payload().unwrap().0.len())),
        other => Err(format!("not a packet: {other:?}").into()),
    }
}

/// Tracks what goes out, and queues it.
fn queue_tracked() -> Result<(Udp, Queue)> {
    let udp = Udp::loopback()?;
    queue_output("-m conntrack --ctstate NEW,ESTABLISHED")?;
    let queue = open_with(&queue::bind(0, Params::whole()).on(QueueFlags::CONNTRACK))?;
    Ok((udp, queue))
}

fn a_packet_brings_its_connection() -> Result {
    let (udp, mut queue) = queue_tracked()?;
    udp.send("new");
    let Arrival::Packet { packet, .. } = queue.next()? else { panic!("no packet") };
    assert_eq!(packet.ct_info(), Some(PacketState::NEW));
    let ct = packet.ct().unwrap();
    let ends = Tuple::udp(udp.source(), SocketAddr::from(([127, 0, 0, 1], PORT)));
    let read = |tuple: Option<TupleAttrs<'_>>| tuple.map(|tuple| (tuple.src_socket(), tuple.dst_socket()));
    assert_eq!(read(ct.tuple_orig()), Some((Some(udp.source()), ends.clone().attrs().dst_socket())));
    assert_eq!(read(ct.tuple_reply()), read(Some(ends.reversed().attrs())));
    // It isn't in the table before its first packet has left.
    assert!(!ct.status().unwrap().contains(Status::CONFIRMED));
    let ticket = packet.ticket();
    queue.verdict(ticket, Verdict::ACCEPT)?;
    assert_eq!(udp.receive(), "new");
    Ok(())
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
    assert_eq!(ct.mark().unwrap().0, 0x77);
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
    // The expectation is that of a connection in the table: of the second packet.
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

fn a_class_of_net_cls() -> Result {
    let root = "/run/netns/net_cls";
    fs::create_dir_all(root)?;
    let mut mount = std::process::Command::new("mount");
    if !mount.args(["-t", "cgroup", "-o", "net_cls", "none", root]).status()?.success() {
        netlink_testing::skip("no net_cls controller");
    }
    let udp = Udp::loopback()?;
    queue_output("")?;
    let mut queue = open(Params::meta())?;
    let group = format!("{root}/netlink-test-{}", std::process::id());
    fs::create_dir(&group)?;
    fs::write(format!("{group}/net_cls.classid"), "0x100001")?;
    // A socket takes the class of whoever made it.
    fs::write(format!("{group}/tasks"), "0")?;
    let sender = UdpSocket::bind("127.0.0.1:0");
    let back = fs::write(format!("{root}/tasks"), "0");
    let removed = fs::remove_dir(&group);
    run(&format!("umount {root}"))?;
    back?;
    removed?;
    sender?.send_to(b"classy", ("127.0.0.1", PORT))?;
    udp.send("plain");
    let classes: Vec<_> = (0..2)
        .map(|_| match queue.next() {
            Ok(Arrival::Packet { packet, .. }) => packet.cgroup_classid().map(|class| class.0),
            other => panic!("not a packet: {other:?}"),
        })
        .collect();
    assert_eq!(classes, [Some(0x10_0001), None]);
    Ok(())
}

fn large_packets_come_whole_or_cut() -> Result {
    let left = neighbour()?;
    let listener = left.run(|| TcpListener::bind(("10.0.0.1", PORT)))??;
    run(&format!("iptables -w -A OUTPUT -p tcp --dport {PORT} -j NFQUEUE --queue-num 0"))?;
    for whole in [true, false] {
        let config = queue::bind(0, Params::whole());
        let config = if whole { config.on(QueueFlags::GSO) } else { config };
        let mut queue = Queue::open(&config)?;
        queue.set_timeout(Some(LONG))?;
        let writer = thread::spawn({
            let here = netlink_netfilter::Namespace::current()?;
            move || {
                let stream = here.run(|| TcpStream::connect(("10.0.0.1", PORT))).unwrap();
                stream.unwrap().write_all(&[b'x'; 60_000]).unwrap();
            }
        });
        let reader = thread::spawn({
            let listener = listener.try_clone()?;
            move || {
                let mut bytes = Vec::new();
                listener.accept().unwrap().0.read_to_end(&mut bytes).unwrap();
                bytes.len()
            }
        });
        let (mut large, mut marked) = (0, 0);
        while !reader.is_finished() {
            queue.set_timeout(Some(SHORT))?;
            let ticket = match queue.next() {
                Ok(Arrival::Packet { packet, .. }) => {
                    let info = packet.info().unwrap_or_default();
                    large += u32::from(packet.payload().unwrap().0.len() > 1500);
                    marked += u32::from(info.contains(PacketInfo::GSO));
                    if !whole {
                        // A packet that is copied gets its checksum first.
                        assert!(!info.contains(PacketInfo::CHECKSUM_NOT_READY), "{info}");
                    }
                    packet.ticket()
                }
                Err(Error::Timeout(_)) => continue,
                other => panic!("{other:?}"),
            };
            queue.verdict(ticket, Verdict::ACCEPT)?;
        }
        assert_eq!(reader.join().unwrap(), 60_000);
        writer.join().unwrap();
        assert_eq!(large > 0, whole, "{large} large ones");
        assert_eq!(marked, large);
    }
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
    // One that is kept may be answered from its own copy.
    udp.send("marked");
    let Arrival::Packet { packet, .. } = queue.next()? else { panic!("no packet") };
    let packet = packet.into_owned();
    let marked = queue::verdict(packet.ticket(), Verdict::ACCEPT).mark(3).payload(packet.payload().unwrap());
    queue.send(&marked)?;
    udp.send("unmarked");
    let (ticket, _) = next(&mut queue)?;
    queue.verdict(ticket, Verdict::ACCEPT)?;
    assert_eq!(udp.receive(), "unmarked");

    // What doesn't fit an attribute is an error before it is sent, and the packet still waits.
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
    assert_eq!((packet.priority().unwrap().0, packet.mark().unwrap().0), (6, 2));
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
    // Nobody is at 9.
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
    // A packet and a configuration in between change nothing.
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
    assert_eq!(texts[0], "packet 77 of queue 0: NFQNL_MSG_VERDICT: No such file or directory (ENOENT)");
    assert!(texts[4].contains("NFQNL_MSG_VERDICT_BATCH"), "{}", texts[4]);
    queue.verdict(packets[0], Verdict::ACCEPT)?;
    assert_eq!([udp.receive(), udp.receive()], ["one", "two"]);
    Ok(())
}

fn binding_and_configuring_that_fails() -> Result {
    run("ip link set lo up")?;
    let errno = |result: Result<Queue, Error>| result.err().and_then(|error| error.errno());
    let mut queue = Queue::open(&queue::bind(0, Params::whole()))?;
    assert_eq!(errno(Queue::open(&queue::bind(0, Params::whole()))), Some(Errno::EPERM));
    assert_eq!(errno(Queue::open(&queue::configure(1))), Some(Errno::ENODEV));
    assert_eq!(errno(Queue::open(&queue::unbind(0))), Some(Errno::EPERM));
    let mut configure = |config| queue.configure(&config).err().and_then(|error| error.errno());
    assert_eq!(configure(queue::bind(0, Params::whole())), Some(Errno::EBUSY));
    assert_eq!(configure(queue::unbind(5)), Some(Errno::ENODEV));
    assert_eq!(configure(queue::configure(0).flags(QueueFlags::GSO)), Some(Errno::EINVAL));
    // A flag nobody has yet: nothing is bound, so the next one may.
    let unknown = QueueFlags::from_bits_retain(1 << 20);
    assert_eq!(configure(queue::bind(6, Params::whole()).on(unknown)), Some(Errno::EOPNOTSUPP));
    assert_eq!(configure(queue::bind(6, Params::whole())), None);
    // A security context is there or isn't; either is said.
    let secctx = configure(queue::configure(0).on(QueueFlags::SECCTX));
    assert!(matches!(secctx, None | Some(Errno::EOPNOTSUPP)), "{secctx:?}");
    // The kernel says nothing about a mode it doesn't know, and leaves the old one.
    let odd = Params::whole().copy_mode(CopyMode(9));
    assert_eq!(configure(queue::configure(0).params(odd)), None);
    assert_eq!(configure(queue::unbind(0)), None);
    assert_eq!(configure(queue::unbind(0)), Some(Errno::ENODEV));
    drop(Queue::open(&queue::bind(0, Params::meta()))?);
    Ok(())
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
    // What found no place had no number either.
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
    // Nobody is there, and then somebody else.
    udp.send("nobody");
    let mut queue = open(Params::whole())?;
    udp.send("later");
    let (ticket, later) = next(&mut queue)?;
    assert_eq!((ticket.id, later.as_str()), (1, "later"));
    queue.verdict(ticket, Verdict::ACCEPT)?;
    assert_eq!(udp.receive(), "later");
    // Unbound and bound again, it counts from 1 without a gap.
    queue.configure(&queue::unbind(0))?;
    queue.configure(&queue::bind(0, Params::whole()))?;
    udp.send("anew");
    assert_eq!(next(&mut queue)?.0.id, 1);
    Ok(())
}

fn configuration_loses_no_packet() -> Result {
    const PACKETS: u32 = 2000;
    let udp = Udp::loopback()?;
    queue_output("")?;
    let mut queue = open_with(&queue::bind(0, Params::whole()).max_length(PACKETS))?;
    let sender = udp.sender();
    let sending = thread::spawn(move || {
        for number in 0..PACKETS {
            sender.send(number.to_string().as_bytes()).unwrap();
        }
    });
    for number in 0..PACKETS {
        if number % 5 == 0 {
            queue.configure(&queue::configure(0).max_length(PACKETS + number))?;
        }
        let (ticket, got) = next(&mut queue)?;
        assert_eq!((ticket.id, got), (number + 1, number.to_string()));
        queue.verdict(ticket, Verdict::ACCEPT)?;
        assert_eq!(udp.receive(), number.to_string());
    }
    sending.join().unwrap();
    Ok(())
}

/// Sends packets until more have come than the smallest receive buffer takes, and reads those that it took.
fn losses_are_counted() -> Result {
    const PACKETS: u32 = 3000;
    let udp = Udp::loopback()?;
    queue_output("")?;
    let mut queue = open_with(&queue::bind(0, Params::whole()).max_length(2 * PACKETS))?;
    queue.connection().socket().set_receive_buffer(4096)?;
    let mut counted = 0;
    let mut gaps = 0;
    // The last one finds room again: its number tells how many before it did not.
    for round in 0..3 {
        for _ in 0..PACKETS / 3 {
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
    assert_eq!(packet.ticket().id, PACKETS + 1);
    assert_eq!(counted + missed, PACKETS);
    assert!(gaps == 2 && missed > 0, "{gaps} gaps, then {missed}");
    Ok(())
}

fn an_overflow_is_told_where_the_socket_says_so() -> Result {
    let udp = Udp::loopback()?;
    queue_output("")?;
    let mut queue = open_with(&queue::bind(0, Params::whole()).max_length(4000).on(QueueFlags::FAIL_OPEN))?;
    queue.connection().socket_mut().set(Switch::NO_ENOBUFS, false)?;
    queue.connection().socket().set_receive_buffer(4096)?;
    for _ in 0..1000 {
        udp.send("x");
    }
    // Those that were lost passed.
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
    // An answer finds room again, and so does a packet.
    queue.set_timeout(Some(LONG))?;
    queue.configure(&queue::configure(0).max_length(4001))?;
    udp.send("y");
    let Arrival::Packet { missed, .. } = queue.next()? else { panic!("no packet") };
    assert_eq!(missed, 1000 - queued);
    queue.send(&queue::verdict_up_to(last, Verdict::DROP))?;
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
    // Whoever waits can be stopped.
    let stop = queue.connection().stop_handle()?;
    let stopper = thread::spawn(move || stop.stop());
    assert!(matches!(queue.next(), Err(Error::Stopped)));
    stopper.join().unwrap();
    Ok(())
}

fn many_packets_without_a_loss() -> Result {
    const PACKETS: u32 = 20_000;
    let udp = Udp::loopback()?;
    queue_output("")?;
    let mut queue = open_with(&queue::bind(0, Params::whole()).max_length(PACKETS))?;
    if queue.connection().socket().receive_buffer()? < 64 << 20 {
        netlink_testing::skip("the receive buffer may not be large enough here");
    }
    let sender = udp.sender();
    let sending = thread::spawn(move || {
        for number in 0..PACKETS {
            sender.send(&number.to_ne_bytes()).unwrap();
        }
    });
    let mut ids = BTreeMap::new();
    while ids.len() < PACKETS as usize {
        let Arrival::Packet { packet, missed: 0 } = queue.next()? else { panic!("a loss") };
        let payload = packet.payload().unwrap().0;
        ids.insert(packet.ticket().id, u32::from_ne_bytes(payload[28..32].try_into()?));
        let ticket = packet.ticket();
        queue.verdict(ticket, Verdict::DROP)?;
    }
    sending.join().unwrap();
    assert!(ids.into_iter().eq((0..PACKETS).map(|number| (number + 1, number))));
    queue.set_timeout(Some(SHORT))?;
    assert!(matches!(queue.next(), Err(Error::Timeout(_))), "no refusal");
    Ok(())
}

fn everything_on_a_reactor() -> Result {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let udp = Udp::loopback()?;
    queue_output("")?;
    runtime.block_on(async {
        use netlink_netfilter::queue::tokio::Queue;
        let mut queue = Queue::open(&queue::bind(0, Params::whole())).await?;
        let taken = Queue::open(&queue::bind(0, Params::whole())).await.unwrap_err();
        assert!(taken.is_permission());
        // A future that is dropped loses nothing.
        assert!(tokio::time::timeout(SHORT, queue.next()).await.is_err());
        udp.send("one");
        udp.send("two");
        queue.configure(&queue::configure(0).max_length(100)).await?;
        for (id, want) in [(1, "one"), (2, "two")] {
            let Arrival::Packet { packet, missed: 0 } = queue.next().await? else { panic!("no packet") };
            assert_eq!(packet.ticket(), Ticket { queue: 0, id });
            assert_eq!(text(packet.payload().unwrap().0), want);
        }
        queue.verdict(Ticket { queue: 0, id: 7 }, Verdict::ACCEPT)?;
        let Arrival::Refused(refused) = queue.next().await? else { panic!("not refused") };
        assert_eq!((refused.ticket.id, refused.error.errno()), (7, Some(Errno::ENOENT)));
        queue.verdict_with(Ticket { queue: 0, id: 1 }, Verdict::ACCEPT, |packet| packet.mark(1))?;
        queue.send(&queue::verdict_up_to(Ticket { queue: 0, id: 2 }, Verdict::DROP))?;
        assert_eq!(udp.receive(), "one");
        udp.send("three");
        let verdicts = queue.verdicts()?;
        let Arrival::Packet { packet, .. } = queue.next().await? else { panic!("no packet") };
        let ticket = packet.ticket();
        tokio::task::spawn_blocking(move || verdicts.send(&queue::verdict(ticket, Verdict::ACCEPT)))
            .await??;
        assert_eq!(udp.receive(), "three");
        queue.configure(&queue::unbind(0)).await?;
        assert!(queue.connection().socket().port() > 0);
        Ok(())
    })
}
