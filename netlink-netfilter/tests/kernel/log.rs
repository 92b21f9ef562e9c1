//! Packets logged by real rules.

use std::fs;
use std::net::UdpSocket;
use std::process::{Command, Stdio};

use netlink_core::Payload as _;
use netlink_core::socket::Switch;
use netlink_netfilter::conntrack::{PacketState, Status};
use netlink_netfilter::log::{self, Arrival, Hook, Log, LogFlags, Mode, Packet, PacketAttrs};
use netlink_netfilter::{Errno, Error, Family};
use netlink_testing::{Result, file, init_namespace, kind, program, seconds, suite};

use crate::wire::{
    BRIDGE_VLANS, LEFT_MAC, LONG, NFT_NETDEV, PORT, SHORT, TIED, Udp, index, neighbour, neighbours_of_a_vlan,
    send_from, text,
};
use crate::{nft, run};

suite! {
    a_packet_is_logged: program("ip"), program("iptables");
    a_packet_from_a_neighbour: program("ip"), program("iptables"), kind("veth");
    a_packet_in_the_bridge_family: program("ip"), program("nft"), kind("veth"), kind("bridge"), kind("vlan"),
        BRIDGE_VLANS;
    a_packet_at_the_ingress_of_a_link: program("ip"), program("nft"), kind("veth"), NFT_NETDEV;
    a_packet_brings_its_connection: program("ip"), program("iptables"), TIED;
    packets_are_collected: program("ip"), program("iptables");
    groups_on_one_socket: program("ip"), program("iptables");
    binding_and_configuring_that_fails: program("ip");
    gaps_are_counted: program("ip"), program("iptables"), seconds(120);
    an_overflow_is_reported_if_the_socket_reports_it: program("ip"), program("iptables");
    the_same_as_tcpdump: program("ip"), program("iptables"), program("tcpdump"), init_namespace();
    a_family_is_bound: file("/proc/sys/net/netfilter/nf_log");
    everything_on_a_reactor: program("ip"), program("iptables");
}

/// Logs packets that leave this namespace to [`PORT`].
fn log_output(rest: &str) -> Result {
    run(&format!("iptables -w -A OUTPUT -p udp --dport {PORT} -j NFLOG {rest}"))?;
    Ok(())
}

fn open(config: &log::ConfigRequest<()>) -> Result<Log> {
    let mut log = Log::open(config)?;
    log.set_timeout(Some(LONG))?;
    Ok(log)
}

/// The next packet, without a gap before it.
fn next(log: &mut Log) -> Result<Packet<'_>> {
    match log.next()? {
        Arrival::Packet { packet, missed: Some(0) } => Ok(packet),
        other => Err(format!("not a packet: {other:?}").into()),
    }
}

fn a_packet_is_logged() -> Result {
    let udp = Udp::loopback()?;
    run(&format!(
        "iptables -w -A OUTPUT -p udp --dport {PORT} -m conntrack --ctstate NEW -j MARK --set-mark 4"
    ))?;
    log_output("--nflog-group 5 --nflog-prefix heard:")?;
    let flags = LogFlags::SEQ | LogFlags::SEQ_GLOBAL;
    let mut log = open(&log::bind(5, Mode::whole()).threshold(1).flags(flags))?;
    udp.send("first");
    assert_eq!(udp.receive(), "first");
    let packet = next(&mut log)?;
    assert_eq!((packet.header().family, packet.group()), (Family::IPV4, 5));
    assert_eq!((packet.hook(), packet.packet_header().unwrap().protocol.0), (Some(Hook::LOCAL_OUT), 0x0800));
    assert_eq!(packet.prefix().unwrap(), "heard:");
    assert_eq!(text(packet.payload().unwrap().0), "first");
    assert_eq!((packet.indev(), packet.outdev()), (None, Some(1)));
    assert_eq!((packet.seq().unwrap(), packet.seq_global().unwrap()), (0, 1));
    assert_eq!((packet.mark().unwrap(), packet.ct_info()), (4, None));
    // The number in the listener's user namespace, where the test is root.
    assert_eq!((packet.uid().unwrap(), packet.gid().unwrap()), (0, 0));
    assert_eq!((packet.timestamp(), packet.hwaddr(), packet.hwtype()), (None, None, None));
    udp.send("second");
    let packet = next(&mut log)?;
    assert_eq!((packet.seq().unwrap(), packet.seq_global().unwrap()), (1, 2));
    // Without numbers, losses are unknown.
    log.configure(&log::configure(5).mode(Mode::first(22)).flags(LogFlags::empty()))?;
    udp.send("third");
    let Arrival::Packet { packet, missed: None } = log.next()? else { panic!("no packet") };
    assert_eq!((packet.seq(), packet.seq_global(), packet.ct_info()), (None, None, None));
    assert_eq!(packet.payload().unwrap().0.len(), 22);
    log.configure(&log::configure(5).mode(Mode::meta()))?;
    udp.send("fourth");
    let Arrival::Packet { packet, .. } = log.next()? else { panic!("no packet") };
    assert_eq!(packet.payload(), None);
    Ok(())
}

fn a_packet_from_a_neighbour() -> Result {
    let left = neighbour()?;
    run(&format!("iptables -w -t mangle -A PREROUTING -p udp --dport {PORT} -j NFLOG --nflog-group 5"))?;
    let receiver = UdpSocket::bind(("10.0.0.2", PORT))?;
    receiver.set_read_timeout(Some(LONG))?;
    let mut log = open(&log::bind(5, Mode::whole()).threshold(1))?;
    let before = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    send_from(&left, [10, 0, 0, 2], "hello")?;
    let left_index = index("left");
    let packet = next(&mut log)?;
    assert_eq!(packet.hook(), Some(Hook::PRE_ROUTING));
    assert_eq!((packet.indev(), packet.outdev()), (Some(left_index), None));
    assert_eq!(packet.hwaddr().unwrap().addr(), Some(LEFT_MAC.into()));
    assert_eq!((packet.hwtype().unwrap(), packet.hwlen().unwrap()), (1, 14));
    let header = packet.hwheader().unwrap().0;
    assert_eq!((header.len(), &header[6..12], &header[12..]), (14, &LEFT_MAC[..], &[8, 0][..]));
    // Linux 6.1 sends it only if another program needs timestamps.
    if let Some(time) = packet.timestamp() {
        let time = time.since_epoch();
        assert!(time + SHORT > before && time < before + LONG, "{time:?} {before:?}");
    }
    assert_eq!(text(packet.payload().unwrap().0), "hello");
    assert_eq!(receiver.recv(&mut [0; 100])?, 5);
    Ok(())
}

fn a_packet_in_the_bridge_family() -> Result {
    let (left, _right) = neighbours_of_a_vlan()?;
    nft(
        "table bridge t { chain c { type filter hook forward priority 0; meta protocol ip log group 5; }; }",
    )?;
    let mut log = open(&log::bind(5, Mode::whole()).threshold(1))?;
    send_from(&left, [10, 0, 0, 3], "bridged")?;
    let ports = (index("left"), index("right"));
    let bridge = index("br0");
    let packet = next(&mut log)?;
    assert_eq!((packet.header().family, packet.hook()), (Family::BRIDGE, Some(Hook::FORWARD)));
    assert_eq!((packet.physindev().unwrap(), packet.physoutdev().unwrap()), ports);
    assert_eq!((packet.indev().unwrap(), packet.outdev().unwrap()), (bridge, bridge));
    let vlan = packet.vlan().unwrap();
    assert_eq!((vlan.protocol().unwrap(), vlan.tci().unwrap()), (0x8100, 5));
    let header = packet.l2_header().unwrap().0;
    assert_eq!((header.len(), &header[6..12]), (14, &LEFT_MAC[..]));
    Ok(())
}

fn a_packet_at_the_ingress_of_a_link() -> Result {
    let left = neighbour()?;
    nft(
        "table netdev t { chain c { type filter hook ingress device \"left\" priority 0; ip daddr 10.0.0.2 log group 5; }; }",
    )?;
    let mut log = open(&log::bind(5, Mode::whole()).threshold(1))?;
    send_from(&left, [10, 0, 0, 2], "early")?;
    let packet = next(&mut log)?;
    assert_eq!((packet.header().family, packet.hook()), (Family::NETDEV, Some(Hook::NETDEV_INGRESS)));
    assert_eq!(&packet.l2_header().unwrap().0[6..12], &LEFT_MAC[..]);
    Ok(())
}

fn a_packet_brings_its_connection() -> Result {
    let udp = Udp::loopback()?;
    log_output("--nflog-group 5 -m conntrack --ctstate NEW,ESTABLISHED")?;
    let flags = LogFlags::SEQ | LogFlags::CONNTRACK;
    let mut log = open(&log::bind(5, Mode::whole()).threshold(1).flags(flags))?;
    for confirmed in [false, true] {
        udp.send("x");
        let packet = next(&mut log)?;
        assert_eq!(packet.ct_info(), Some(PacketState::NEW));
        let ct = packet.ct().unwrap();
        assert_eq!(ct.tuple_orig().unwrap().src_socket(), Some(udp.source()));
        assert_eq!(ct.status().unwrap().contains(Status::CONFIRMED), confirmed);
    }
    Ok(())
}

fn packets_are_collected() -> Result {
    let udp = Udp::loopback()?;
    log_output("--nflog-group 5 --nflog-threshold 100")?;
    // After three packets, or after ten minutes.
    let mut log = open(&log::bind(5, Mode::whole()).threshold(3).timeout(60_000).buffer_size(65_536))?;
    udp.send("0");
    udp.send("1");
    log.set_timeout(Some(SHORT))?;
    assert!(matches!(log.next(), Err(Error::Timeout(_))));
    log.set_timeout(Some(LONG))?;
    udp.send("2");
    for number in 0..3 {
        assert_eq!(text(next(&mut log)?.payload().unwrap().0), number.to_string());
    }
    // Collected packets are sent before the group is unbound.
    udp.send("3");
    log.configure(&log::unbind(5))?;
    assert_eq!(text(next(&mut log)?.payload().unwrap().0), "3");
    // And after the timeout that was set.
    log.configure(&log::bind(5, Mode::whole()).timeout(1))?;
    udp.send("4");
    assert_eq!(text(next(&mut log)?.payload().unwrap().0), "4");
    Ok(())
}

fn groups_on_one_socket() -> Result {
    let udp = Udp::loopback()?;
    log_output("--nflog-group 5")?;
    log_output("--nflog-group 6")?;
    let mut log = open(&log::bind(5, Mode::meta()).threshold(1))?;
    log.configure(&log::bind(6, Mode::meta()).threshold(1))?;
    for number in 0..3 {
        udp.send("x");
        for group in [5, 6] {
            let packet = next(&mut log)?;
            assert_eq!((packet.group(), packet.seq().unwrap()), (group, number));
        }
    }
    Ok(())
}

fn binding_and_configuring_that_fails() -> Result {
    let errno = |result: Result<Log, Error>| result.err().and_then(|error| error.errno());
    let mut log = Log::open(&log::bind(5, Mode::whole()))?;
    assert_eq!(errno(Log::open(&log::bind(5, Mode::whole()))), Some(Errno::EPERM));
    assert_eq!(errno(Log::open(&log::configure(6))), Some(Errno::ENODEV));
    let mut configure = |config| log.configure(&config).err().and_then(|error| error.errno());
    assert_eq!(configure(log::bind(5, Mode::whole())), Some(Errno::EBUSY));
    assert_eq!(configure(log::unbind(6)), Some(Errno::ENODEV));
    // Sizes out of range are silently ignored.
    assert_eq!(configure(log::configure(5).buffer_size(1)), None);
    assert_eq!(configure(log::unbind(5)), None);
    drop(Log::open(&log::bind(5, Mode::whole()))?);
    Ok(())
}

fn gaps_are_counted() -> Result {
    const PACKETS: u32 = 3000;
    let udp = Udp::loopback()?;
    log_output("--nflog-group 5")?;
    let mut log = open(&log::bind(5, Mode::whole()).threshold(1))?;
    log.connection().socket().set_receive_buffer(4096)?;
    let mut counted = 0;
    for round in 0..3 {
        for _ in 0..PACKETS / 3 {
            udp.send(&round.to_string());
        }
        log.set_timeout(Some(SHORT))?;
        loop {
            match log.next() {
                Ok(Arrival::Packet { packet, missed: Some(missed) }) => {
                    counted += missed + 1;
                    assert_eq!(packet.seq().unwrap() + 1, counted);
                }
                Err(Error::Timeout(_)) => break,
                other => panic!("{other:?}"),
            }
        }
    }
    udp.send("last");
    let Arrival::Packet { packet, missed: Some(missed) } = log.next()? else { panic!("no packet") };
    assert_eq!(packet.seq().unwrap(), PACKETS);
    assert_eq!(counted + missed, PACKETS);
    assert!(missed > 0);
    Ok(())
}

fn an_overflow_is_reported_if_the_socket_reports_it() -> Result {
    let udp = Udp::loopback()?;
    log_output("--nflog-group 5")?;
    let mut log = open(&log::bind(5, Mode::whole()).threshold(1).flags(LogFlags::empty()))?;
    log.connection().socket_mut().set(Switch::NO_ENOBUFS, false)?;
    log.connection().socket().set_receive_buffer(4096)?;
    for _ in 0..1000 {
        udp.send("x");
    }
    let mut logged = 0;
    while let Arrival::Packet { missed: None, .. } = log.next()? {
        logged += 1;
    }
    assert!(logged > 0 && logged < 1000, "{logged}");
    log.configure(&log::configure(5).threshold(2))?;
    Ok(())
}

/// The packets of a file of tcpdump: nfgenmsg and attributes of each.
fn records(file: &[u8]) -> Vec<&[u8]> {
    const DLT_NFLOG: u32 = 239;
    let word = |at: usize| u32::from_ne_bytes(file[at..at + 4].try_into().unwrap());
    assert_eq!((word(0), word(20)), (0xa1b2_c3d4, DLT_NFLOG));
    let mut records = Vec::new();
    let mut at = 24;
    while at < file.len() {
        let length = word(at + 8) as usize;
        records.push(&file[at + 16..at + 16 + length]);
        at += 16 + length;
    }
    records
}

fn the_same_as_tcpdump() -> Result {
    let udp = Udp::loopback()?;
    log_output("--nflog-group 5 --nflog-prefix both")?;
    log_output("--nflog-group 6 --nflog-prefix both")?;
    let file = "/run/netns/log.pcap";
    // tcpdump always changes its user, which root of another user namespace can't.
    let mut words = Command::new("tcpdump");
    words.args(["-i", "nflog:6", "-U", "-Z", "root", "-c", "3", "-w", file]);
    let mut tcpdump = words.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let mut log = open(&log::bind(5, Mode::whole()).threshold(1))?;
    // tcpdump is ready when it has bound its group.
    let bound = || fs::read_to_string("/proc/thread-self/net/netfilter/nfnetlink_log").unwrap();
    while !bound().lines().any(|line| line.split_whitespace().next() == Some("6")) {
        assert_eq!(tcpdump.try_wait()?, None, "tcpdump ended early");
        std::thread::sleep(SHORT);
    }
    let mut ours = Vec::new();
    for number in 0..3 {
        udp.send(&format!("packet {number}"));
        ours.push(next(&mut log)?.into_owned());
    }
    assert!(tcpdump.wait()?.success());
    let file = fs::read(file)?;
    let theirs = records(&file);
    assert_eq!(theirs.len(), 3);
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!(theirs[..4], [Family::IPV4.0, 0, 0, 6]);
        let theirs = PacketAttrs::decode(&theirs[4..])?;
        assert_eq!(theirs.payload(), ours.payload());
        assert_eq!(theirs.prefix(), ours.prefix());
        assert_eq!(theirs.packet_header(), ours.packet_header());
        assert_eq!((theirs.uid(), theirs.gid()), (ours.uid(), ours.gid()));
        assert_eq!((theirs.outdev(), theirs.mark()), (ours.outdev(), ours.mark()));
    }
    Ok(())
}

fn a_family_is_bound() -> Result {
    let mut nl = netlink_netfilter::connect()?;
    let logger = || fs::read_to_string("/proc/sys/net/netfilter/nf_log/2").unwrap();
    nl.call(log::bind_family(Family::IPV4))?;
    assert_eq!(logger().trim(), "nfnetlink_log");
    nl.call(log::unbind_family(Family::IPV4))?;
    assert_eq!(logger().trim(), "NONE");
    let error = nl.call(log::bind_family(Family(200))).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EINVAL));
    Ok(())
}

fn everything_on_a_reactor() -> Result {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let udp = Udp::loopback()?;
    log_output("--nflog-group 5")?;
    runtime.block_on(async {
        use netlink_netfilter::log::tokio::Log;
        let mut log = Log::open(&log::bind(5, Mode::whole()).threshold(1)).await?;
        assert!(Log::open(&log::bind(5, Mode::whole())).await.unwrap_err().is_permission());
        assert!(tokio::time::timeout(SHORT, log.next()).await.is_err());
        udp.send("one");
        udp.send("two");
        log.configure(&log::configure(5).threshold(1)).await?;
        for (number, want) in [(0, "one"), (1, "two")] {
            let Arrival::Packet { packet, missed: Some(0) } = log.next().await? else { panic!("no packet") };
            assert_eq!(packet.seq().unwrap(), number);
            assert_eq!(text(packet.payload().unwrap().0), want);
        }
        assert!(log.connection().socket().port() > 0);
        Ok(())
    })
}
