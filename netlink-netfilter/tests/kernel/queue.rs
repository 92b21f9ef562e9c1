//! Packets queued by real rules, and their verdicts.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::MetadataExt as _;
use std::thread;

use netlink_netfilter::conntrack::{PacketState, Status, Tuple, TupleAttrs};
use netlink_netfilter::queue::{
    self, Arrival, CopyMode, Hook, PacketInfo, Params, Queue, QueueFlags, Refused, Ticket, Verdict, Vlan,
};
use netlink_netfilter::{Errno, Error, Family};
use netlink_testing::{Result, init_namespace, ipv6, is_since, kernel, kind, program, seconds, suite};

use crate::wire::{
    BRIDGE_VLANS, BRIDGED_IPTABLES, LEFT_MAC, LONG, NFT_QUEUE, PORT, SHORT, TIED, Udp, bridged_neighbours,
    index, neighbour, neighbours_of_a_vlan, send_from, text,
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
    a_class_of_net_cls: program("ip"), program("iptables"), kernel(6, 4), init_namespace();
    large_packets_arrive_whole_or_segmented: program("ip"), program("iptables"), kind("veth"), seconds(120);
    binding_and_configuring_that_fails: program("ip");
    everything_on_a_reactor: program("ip"), program("iptables");
}

/// Queues packets that leave this namespace to [`PORT`].
pub(crate) fn queue_output(rest: &str) -> Result {
    run(&format!("iptables -w -A OUTPUT -p udp --dport {PORT} {rest} -j NFQUEUE --queue-num 0"))?;
    Ok(())
}

pub(crate) fn open(params: Params) -> Result<Queue> {
    open_with(&queue::bind(0, params))
}

pub(crate) fn open_with(config: &queue::ConfigRequest<()>) -> Result<Queue> {
    let mut queue = Queue::open(config)?;
    queue.set_timeout(Some(LONG))?;
    Ok(queue)
}

/// The next packet, and its text.
pub(crate) fn next(queue: &mut Queue) -> Result<(Ticket, String)> {
    match queue.next()? {
        Arrival::Packet { packet, missed: 0 } => {
            Ok((packet.ticket(), packet.payload().map(|payload| text(payload.0)).unwrap_or_default()))
        }
        other => Err(format!("not a packet: {other:?}").into()),
    }
}

pub(crate) fn refused(queue: &mut Queue) -> Result<Refused> {
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
    assert_eq!((packet.indev(), packet.outdev()), (None, Some(1)));
    assert_eq!((packet.mark(), packet.priority(), packet.cap_len()), (None, None, None));
    assert_eq!((packet.hwaddr(), packet.physindev(), packet.physoutdev()), (None, None, None));
    assert_eq!((packet.vlan(), packet.l2_header(), packet.secctx()), (None, None, None));
    assert_eq!((packet.ct(), packet.ct_info()), (None, None));
    // The user of this process: as a number of the initial user namespace, and in `/proc` of this one.
    assert!(packet.uid().is_some() && packet.gid().is_some());
    if fs::read_to_string("/proc/self/uid_map")?.split_whitespace().eq(["0", "0", "4294967295"]) {
        assert_eq!((packet.uid().unwrap(), packet.gid().unwrap()), (own.uid(), own.gid()));
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

    // The same again, without a payload, or with a part of it.
    queue.configure(&queue::configure(0).params(Params::meta()).off(QueueFlags::UID_GID))?;
    udp.send("third");
    let Arrival::Packet { packet, .. } = queue.next()? else { panic!("no packet") };
    assert_eq!((packet.payload(), packet.uid()), (None, None));
    let third = packet.ticket();
    queue.configure(&queue::configure(0).params(Params::first(30)))?;
    udp.send("fourth");
    let Arrival::Packet { packet, .. } = queue.next()? else { panic!("no packet") };
    assert_eq!((packet.payload().unwrap().0.len(), packet.cap_len().unwrap()), (30, 34));
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
    assert_eq!((packet.indev(), packet.outdev()), (Some(index("left")), None));
    assert_eq!(packet.mark().unwrap(), 9);
    assert_eq!(packet.hwaddr().unwrap().addr(), Some(LEFT_MAC.into()));
    assert_eq!(packet.uid(), None);
    let ticket = packet.ticket();
    queue.verdict(ticket, Verdict::ACCEPT)?;
    let mut bytes = [0; 100];
    assert_eq!(receiver.recv(&mut bytes)?, 5);
    // When a link goes down, its packets are dropped.
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
    assert_eq!((packet.indev().unwrap(), packet.outdev().unwrap()), (index("br0"), index("br0")));
    assert_eq!((packet.physindev().unwrap(), packet.physoutdev().unwrap()), (index("left"), index("right")));
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
    assert_eq!((packet.physindev().unwrap(), packet.physoutdev().unwrap()), (index("left"), index("right")));
    assert_eq!((packet.indev().unwrap(), packet.outdev().unwrap()), (index("br0"), index("br0")));
    let vlan = packet.vlan().unwrap();
    assert_eq!((vlan.protocol().unwrap(), vlan.tci().unwrap()), (0x8100, 5));
    let mut header = packet.l2_header().unwrap().0.to_vec();
    assert_eq!((header.len(), &header[6..12]), (14, &LEFT_MAC[..]));
    let mut ticket = packet.ticket();

    // A verdict changes the tag and the sender's address; a header of another length is refused.
    let tag = || Vlan::new().protocol(0x8100).tci(6);
    // Linux 6.18.15 then forgets the packet, and never releases its links.
    if is_since(7, 0) {
        queue.verdict_with(ticket, Verdict::ACCEPT, |packet| packet.vlan(tag()).l2_header(&header[..9]))?;
        let error = refused(&mut queue)?;
        assert_eq!((error.ticket, error.error.errno()), (ticket, Some(Errno::EINVAL)));
        send_from(&left, [10, 0, 0, 3], "bridged")?;
        (ticket, _) = next_bridged(&mut queue)?;
    }
    header[11] = 0x77;
    queue.verdict_with(ticket, Verdict::ACCEPT, |packet| packet.vlan(tag()).l2_header(header.as_slice()))?;
    assert_eq!(received.recv(&mut [0; 100])?, 7);
    Ok(())
}

/// The payload begins after the link-layer header there too.
fn next_bridged(queue: &mut Queue) -> Result<(Ticket, usize)> {
    match queue.next()? {
        Arrival::Packet { packet, .. } => Ok((packet.ticket(), packet.payload().unwrap().0.len())),
        other => Err(format!("not a packet: {other:?}").into()),
    }
}

/// Tracks and queues packets that leave.
pub(crate) fn queue_tracked() -> Result<(Udp, Queue)> {
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
    // It is not in the table before its first packet has left.
    assert!(!ct.status().unwrap().contains(Status::CONFIRMED));
    let ticket = packet.ticket();
    queue.verdict(ticket, Verdict::ACCEPT)?;
    assert_eq!(udp.receive(), "new");
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
    // A socket has the class of the process that made it.
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
            Ok(Arrival::Packet { packet, .. }) => packet.cgroup_classid(),
            other => panic!("not a packet: {other:?}"),
        })
        .collect();
    assert_eq!(classes, [Some(0x10_0001), None]);
    Ok(())
}

fn large_packets_arrive_whole_or_segmented() -> Result {
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
                    let info = packet.skb_info().unwrap_or_default();
                    large += u32::from(packet.payload().unwrap().0.len() > 1500);
                    marked += u32::from(info.contains(PacketInfo::GSO));
                    if !whole {
                        // The checksum of a packet is computed before it is copied.
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
        // Closing the socket would be enough, but a forked child of another test can hold it until it execs.
        queue.configure(&queue::unbind(0))?;
    }
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
    assert_eq!(configure(queue::configure(0).flag_values(QueueFlags::GSO)), Some(Errno::EINVAL));
    // An unknown flag: the queue is not bound, so the next request can bind it.
    let unknown = QueueFlags::from_bits_retain(1 << 20);
    // Since Linux 7.3 the policy checks the flags.
    let refusal = if is_since(7, 0) { Errno::EINVAL } else { Errno::EOPNOTSUPP };
    assert_eq!(configure(queue::bind(6, Params::whole()).on(unknown)), Some(refusal));
    assert_eq!(configure(queue::bind(6, Params::whole())), None);
    // With or without a security context, the result is reported.
    let secctx = configure(queue::configure(0).on(QueueFlags::SECCTX));
    assert!(matches!(secctx, None | Some(Errno::EOPNOTSUPP)), "{secctx:?}");
    // The kernel silently ignores an unknown mode, and keeps the old one.
    let odd = Params::whole().copy_mode(CopyMode(9));
    assert_eq!(configure(queue::configure(0).params(odd)), None);
    assert_eq!(configure(queue::unbind(0)), None);
    assert_eq!(configure(queue::unbind(0)), Some(Errno::ENODEV));
    drop(Queue::open(&queue::bind(0, Params::meta()))?);
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
        // A dropped future loses nothing.
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
