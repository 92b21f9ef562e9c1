//! Entries compared with `conntrack`: those made here equal its output, and those that it makes are read here.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use netlink_core::Connection;
use netlink_netfilter::conntrack::{
    self, Conntrack, CountersAttrs, Helper, IpProtocol, Nat, ProtoInfo, SctpInfo, SctpState, Status,
    TcpFlags, TcpFlagsMask, TcpInfo, TcpState, Tuple, TupleAttrs,
};
use netlink_netfilter::{connect, expect};
use netlink_testing::{Result, is_since, module, program, suite};

use crate::{flow, host, make, packets, run, sysctl};

suite! {
    conntrack_prints_the_entries_made_here: program("conntrack");
    entries_made_by_conntrack_are_those_made_here: program("conntrack");
    entries_of_packets_are_the_same_to_both: program("conntrack"), program("nft"), program("ip");
    deletions_are_seen_on_both_sides: program("conntrack");
    both_count_the_same: program("conntrack");
    conntrack_prints_the_expectations_made_here: program("conntrack"), module("nf_conntrack_ftp");
}

/// Removes values that change within a moment.
fn settled(line: &str) -> String {
    let mut out = line.to_owned();
    for [begin, end] in [["<timeout>", "</timeout>"], ["<use>", "</use>"], ["<deltatime>", "</deltatime>"]] {
        if let (Some(from), Some(to)) = (out.find(begin), out.find(end)) {
            out.replace_range(from..to + end.len(), "");
        }
    }
    out
}

fn theirs() -> Result<BTreeSet<String>> {
    let xml = run("conntrack -L -o xml,id,ktimestamp")?;
    Ok(xml.lines().filter(|line| line.starts_with("<flow>")).map(settled).collect())
}

fn ours(nl: &mut Connection) -> Result<BTreeSet<String>> {
    let mut lines = BTreeSet::new();
    let mut listing = nl.dump(conntrack::list())?;
    while let Some(entry) = listing.next()? {
        lines.insert(settled(&xml(&entry)?));
    }
    Ok(lines)
}

/// An entry in the words of `conntrack -o xml,id,ktimestamp`.
fn xml(entry: &Conntrack<'_>) -> Result<String> {
    let mut out = String::from("<flow>");
    let (orig, reply) = (entry.tuple_orig().unwrap(), entry.tuple_reply().unwrap());
    direction(&mut out, "original", &orig, entry.counters_orig())?;
    direction(&mut out, "reply", &reply, entry.counters_reply())?;
    write!(out, "<meta direction=\"independent\">")?;
    let protoinfo = entry.protoinfo();
    // It names states of SCTP like states of TCP.
    let sctp = protoinfo.as_ref().and_then(|info| Some(TcpState(info.sctp()?.state()?.0)));
    let tcp = protoinfo.as_ref().and_then(|info| info.tcp()?.state());
    if let Some(state) = tcp.or(sctp) {
        write!(out, "<state>{state}</state>")?;
    }
    if let Some(mark) = entry.mark() {
        write!(out, "<mark>{mark}</mark>")?;
    }
    if let Some(zone) = entry.zone() {
        write!(out, "<zone>{zone}</zone>")?;
    }
    write!(out, "<id>{}</id>", entry.id().unwrap())?;
    let status = entry.status().unwrap();
    if status.contains(Status::ASSURED) {
        write!(out, "<assured/>")?;
    }
    if !status.contains(Status::SEEN_REPLY) {
        write!(out, "<unreplied/>")?;
    }
    write!(out, "</meta>")?;
    if let Some(helper) = entry.help() {
        write!(out, "<helper>{}</helper>", helper.name().unwrap())?;
    }
    write!(out, "</flow>")?;
    Ok(out)
}

fn direction(
    out: &mut String,
    name: &str,
    tuple: &TupleAttrs<'_>,
    counters: Option<CountersAttrs<'_>>,
) -> Result {
    let (src, dst) = (tuple.src().unwrap(), tuple.dst().unwrap());
    let family = if src.is_ipv4() {
        "protonum=\"2\" protoname=\"ipv4\""
    } else {
        "protonum=\"10\" protoname=\"ipv6\""
    };
    let proto = tuple.proto().unwrap();
    let protocol = proto.num().unwrap();
    // The table of names in libnetfilter_conntrack is shorter than the kernel's list.
    let text = match protocol {
        IpProtocol::ESP => "unknown",
        protocol => protocol.name().unwrap_or("unknown"),
    };
    write!(out, "<meta direction=\"{name}\"><layer3 {family}><src>{src}</src><dst>{dst}</dst></layer3>")?;
    write!(out, "<layer4 protonum=\"{}\" protoname=\"{text}\">", protocol.0)?;
    let [from, to] = if protocol == IpProtocol::GRE { ["srckey", "dstkey"] } else { ["sport", "dport"] };
    let port = |port: u16| if protocol == IpProtocol::GRE { format!("{port:#x}") } else { port.to_string() };
    if let (Some(src), Some(dst)) = (proto.src_port(), proto.dst_port()) {
        write!(out, "<{from}>{}</{from}><{to}>{}</{to}>", port(src), port(dst))?;
    }
    write!(out, "</layer4>")?;
    if let Some(zone) = tuple.zone() {
        write!(out, "<zone>{zone}</zone>")?;
    }
    if let Some(counters) = counters {
        let (packets, bytes) = (counters.packets().unwrap(), counters.bytes().unwrap());
        write!(out, "<counters><packets>{packets}</packets><bytes>{bytes}</bytes></counters>")?;
    }
    write!(out, "</meta>")?;
    Ok(())
}

/// The text output of `conntrack -L`, and of our entries.
fn texts_agree(nl: &mut Connection) -> Result {
    let settled = |line: &str| {
        let words = line.split_whitespace();
        let words = words.filter(|word| !word.starts_with("use=")).enumerate();
        // Name and number of the protocol, then the timeout.
        words.filter(|(at, _)| *at != 2).map(|(_, word)| word).collect::<Vec<_>>().join(" ")
    };
    let theirs: BTreeSet<_> = run("conntrack -L")?.lines().map(settled).collect();
    let mut ours = BTreeSet::new();
    let mut listing = nl.dump(conntrack::list())?;
    while let Some(entry) = listing.next()? {
        ours.insert(settled(&entry.to_string()));
    }
    assert_eq!(ours, theirs);
    Ok(())
}

fn agree(nl: &mut Connection, count: usize) -> Result {
    let (ours, theirs) = (ours(nl)?, theirs()?);
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), count);
    texts_agree(nl)
}

fn ports(protocol: IpProtocol) -> Tuple {
    Tuple::ports(protocol, "10.0.0.1:1000".parse().unwrap(), "10.0.0.2:2000".parse().unwrap())
}

fn conntrack_prints_the_entries_made_here() -> Result {
    let mut nl = connect()?;
    sysctl("acct", "1")?;
    let established = ProtoInfo::new().tcp(TcpInfo::new().state(TcpState::ESTABLISHED));
    let assured = Status::CONFIRMED | Status::SEEN_REPLY | Status::ASSURED;
    let six = Tuple::udp("[2001:db8::1]:1000".parse()?, "[2001:db8::2]:53".parse()?);
    let associated = SctpInfo::new().state(SctpState::ESTABLISHED).vtag_original(1).vtag_reply(2);
    let mut requests = vec![
        make(&flow(1)).protoinfo(established.clone()).status(assured).mark(7),
        make(&flow(2)).protoinfo(ProtoInfo::new().tcp(TcpInfo::new().state(TcpState::TIME_WAIT))).zone(5),
        make(&flow(3)).protoinfo(established).nat_src(Nat::to("192.0.2.1".parse()?).ports(4000..=4000)),
        conntrack::create(&flow(4).zone(9), &flow(4).reversed()).timeout(600),
        make(&Tuple::tcp("10.0.0.1:1000".parse()?, "10.0.0.2:21".parse()?)).help(Helper::named("ftp")),
        make(&six).status(assured).mark(u32::MAX),
        make(&ports(IpProtocol::UDP)),
        make(&ports(IpProtocol::SCTP)).protoinfo(ProtoInfo::new().sctp(associated)).status(assured),
        make(&Tuple::gre(host(1), 0x11, host(2), 0x12)),
        make(&Tuple::generic(IpProtocol(253), host(1), host(2))),
    ];
    // Linux 7.3 has no ports for UDP-Lite, and conntrack 1.4.8 then prints ports 0.
    if !is_since(7, 0) {
        requests.push(make(&ports(IpProtocol::UDPLITE)));
    }
    let count = requests.len();
    nl.batch(requests).into_iter().collect::<std::result::Result<(), _>>()?;
    agree(&mut nl, count)?;
    Ok(())
}

fn entries_made_by_conntrack_are_those_made_here() -> Result {
    let mut nl = connect()?;
    // Values that it sets by default.
    let flags = TcpFlags::SACK_PERM | TcpFlags::BE_LIBERAL;
    let flags = TcpFlagsMask::default().flags(flags).mask(flags);
    let established = TcpInfo::new().state(TcpState::ESTABLISHED).flags_original(flags).flags_reply(flags);
    let pairs = [
        (
            "-p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 80 --state ESTABLISHED -t 600 -w 3 \
             -u SEEN_REPLY,ASSURED",
            make(&Tuple::tcp("10.0.0.1:1000".parse()?, "10.0.0.2:80".parse()?))
                .protoinfo(ProtoInfo::new().tcp(established))
                .status(Status::CONFIRMED | Status::SEEN_REPLY | Status::ASSURED)
                .zone(3),
        ),
        (
            "-p udp -s 2001:db8::1 -d 2001:db8::2 --sport 1000 --dport 53 -t 600 -m 7",
            make(&Tuple::udp("[2001:db8::1]:1000".parse()?, "[2001:db8::2]:53".parse()?)).mark(7),
        ),
        (
            "-p udp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 53 -t 600 --src-nat 192.0.2.1:4000",
            make(&Tuple::udp("10.0.0.1:1000".parse()?, "10.0.0.2:53".parse()?))
                .nat_src(Nat::to("192.0.2.1".parse()?).ports(4000..=4000)),
        ),
        (
            "-p sctp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 53 -t 600 --state ESTABLISHED \
             --orig-vtag 16843009 --reply-vtag 33686018",
            make(&Tuple::ports(IpProtocol::SCTP, "10.0.0.1:1000".parse()?, "10.0.0.2:53".parse()?))
                .protoinfo(
                    ProtoInfo::new().sctp(
                        SctpInfo::new()
                            .state(SctpState::ESTABLISHED)
                            .vtag_original(0x0101_0101)
                            .vtag_reply(0x0202_0202),
                    ),
                ),
        ),
        (
            "-p icmp -s 10.0.0.1 -d 10.0.0.2 --icmp-type 8 --icmp-code 0 --icmp-id 77 -t 600",
            make(&Tuple::icmp("10.0.0.1".parse()?, "10.0.0.2".parse()?, 8, 0, 77)),
        ),
        (
            "-p icmpv6 -s 2001:db8::1 -d 2001:db8::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 77 -t 600",
            make(&Tuple::icmpv6("2001:db8::1".parse()?, "2001:db8::2".parse()?, 128, 0, 77)),
        ),
        (
            "-p gre -s 10.0.0.1 -d 10.0.0.2 --srckey 17 --dstkey 18 -t 600",
            make(&Tuple::gre(host(1), 17, host(2), 18)),
        ),
    ];
    for (words, request) in pairs {
        run(&format!("conntrack -I {words}"))?;
        let mut entries = nl.dump(conntrack::list())?.collect()?;
        assert_eq!(entries.len(), 1, "{words}");
        let theirs = text(&entries.remove(0).view()?);
        nl.call(conntrack::flush())?;
        nl.call(request)?;
        let entries = nl.dump(conntrack::list())?.collect()?;
        assert_eq!(text(&entries[0].view()?), theirs, "{words}");
        nl.call(conntrack::flush())?;
    }
    Ok(())
}

/// All values of an entry, except its id and timeout.
fn text(entry: &Conntrack<'_>) -> String {
    let text = format!("{entry:?}");
    let words = text.split(", ");
    words
        .filter(|word| !word.starts_with("id:") && !word.starts_with("timeout:"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn entries_of_packets_are_the_same_to_both() -> Result {
    let mut nl = connect()?;
    sysctl("acct", "1")?;
    packets::track(&mut nl)?;
    for datagrams in 1..4 {
        drop(packets::exchange_udp(datagrams)?);
    }
    agree(&mut nl, 3)
}

fn deletions_are_seen_on_both_sides() -> Result {
    let mut nl = connect()?;
    nl.call(make(&flow(1)))?;
    nl.call(make(&flow(2)))?;
    run("conntrack -D -s 10.0.0.2")?;
    assert!(nl.call(conntrack::get(&flow(1))).unwrap_err().is_not_found());
    run("conntrack -U -s 10.0.0.3 -m 5")?;
    assert_eq!(nl.call(conntrack::get(&flow(2)))?.mark(), Some(5));
    nl.call(conntrack::flush().mark(5))?;
    assert!(theirs()?.is_empty());
    Ok(())
}

fn both_count_the_same() -> Result {
    let mut nl = connect()?;
    nl.batch((0..37).map(|n| make(&flow(n)))).into_iter().collect::<std::result::Result<(), _>>()?;
    assert_eq!(run("conntrack -C")?.trim(), "37");
    assert_eq!(nl.call(conntrack::stats())?.entries(), Some(37));
    // cpu=0 found=0 invalid=0 …
    let theirs = run("conntrack -S")?;
    let mut theirs = theirs.lines();
    let mut listing = nl.dump(conntrack::cpu_stats())?;
    while let Some(stats) = listing.next()? {
        let line = theirs.next().unwrap();
        let mut words = line.split_whitespace();
        assert_eq!(words.next(), Some(format!("cpu={}", stats.cpu()).as_str()));
        let values = [
            ("searched", stats.searched()),
            ("found", stats.found()),
            ("new", stats.new_entries()),
            ("invalid", stats.invalid()),
            ("ignore", stats.ignore()),
            ("delete", stats.delete()),
            ("delete_list", stats.delete_list()),
            ("insert", stats.insert()),
            ("insert_failed", stats.insert_failed()),
            ("drop", stats.drop()),
            ("early_drop", stats.early_drop()),
            ("error", stats.error()),
            ("search_restart", stats.search_restart()),
            ("clash_resolve", stats.clash_resolve()),
            ("chaintoolong", stats.chain_toolong()),
        ];
        let ours = values.iter().filter_map(|(name, value)| Some(format!("{name}={}", (*value)?)));
        assert_eq!(ours.collect::<Vec<_>>(), words.collect::<Vec<_>>());
    }
    assert_eq!(theirs.next(), None);
    Ok(())
}

fn conntrack_prints_the_expectations_made_here() -> Result {
    let mut nl = connect()?;
    let control = Tuple::tcp("10.0.0.1:1000".parse()?, "10.0.0.2:21".parse()?);
    nl.call(make(&control).help(Helper::named("ftp")))?;
    let data = Tuple::tcp("10.0.0.2:0".parse()?, "10.0.0.1:2000".parse()?);
    let mask = Tuple::tcp("255.255.255.255:0".parse()?, "255.255.255.255:65535".parse()?);
    nl.call(expect::create(&control, &data, &mask).timeout(300))?;
    let printed = run("conntrack -L expect")?;
    for part in [
        "proto=6 src=10.0.0.2 dst=10.0.0.1 sport=0 dport=2000",
        "mask-src=255.255.255.255 mask-dst=255.255.255.255 sport=0 dport=65535",
        "master-src=10.0.0.1 master-dst=10.0.0.2 sport=1000 dport=21 class=0 helper=ftp",
    ] {
        assert!(printed.contains(part), "{printed}");
    }
    nl.call(expect::flush())?;
    run(
        "conntrack -I expect --orig-src 10.0.0.1 --orig-dst 10.0.0.2 -p tcp --orig-port-src 1000 --orig-port-dst 21 \
         --tuple-src 10.0.0.2 --tuple-dst 10.0.0.1 --tuple-port-src 0 --tuple-port-dst 2000 \
         --mask-src 255.255.255.255 --mask-dst 255.255.255.255 --mask-port-src 0 --mask-port-dst 65535 -t 300",
    )?;
    let listed = nl.dump(expect::list())?.collect()?;
    let read = listed[0].view()?;
    assert_eq!((listed.len(), read.master()), (1, Some(control.attrs())));
    // Version 1.4.7 sends another protocol than the given one, so the ports are not compared.
    assert_eq!(read.tuple().unwrap().ip(), data.attrs().ip());
    assert_eq!(read.mask().unwrap().ip(), mask.attrs().ip());
    Ok(())
}
