//! Entries: made, read, changed and deleted, every attribute and every protocol.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use netlink_core::{Connection, Errno};
use netlink_netfilter::conntrack::{
    self, Conntrack, DccpInfo, DccpRole, DccpState, Helper, IpProtocol, Labels, Nat, ProtoInfo, SctpInfo,
    SctpState, SeqAdj, Status, Synproxy, TcpFlags, TcpFlagsMask, TcpInfo, TcpState, Tuple,
};
use netlink_netfilter::{Error, Family, connect};
use netlink_testing::{Need, Result, is_since, module, program, suite, when};

use crate::{flow, host, make, nft, sysctl};

suite! {
    an_entry_is_made_read_changed_and_deleted;
    an_ipv6_entry_is_made_read_changed_and_deleted;
    tuples_of_every_protocol;
    dccp_has_a_state_of_its_own: DCCP;
    sctp_has_a_state_of_its_own;
    tcp_windows_and_flags;
    a_mark_changes_under_its_mask;
    labels_change_under_their_mask: program("nft");
    status_bits_that_may_change_and_those_that_may_not;
    zones_of_both_directions_and_of_one;
    addresses_and_ports_are_translated_from_a_range;
    an_ipv6_address_is_translated_from_a_range;
    sequence_numbers_are_adjusted;
    helpers_are_set_and_named: module("nf_conntrack_ftp");
    an_expected_entry_names_its_master;
    the_syn_proxy_keeps_three_numbers: SYNPROXY;
    counters_are_read_and_zeroed: program("nft");
    timestamps_begin_when_made;
    an_id_is_of_one_entry_alone;
    a_listed_entry_is_deleted_and_no_other;
    a_thousand_in_a_batch_and_all_flushed;
    statistics_of_the_table_and_of_each_processor;
    dying_and_unconfirmed_lists_answer;
    errors_name_the_request;
    invalid_requests_are_refused_here;
}

const DCCP: Need = when("the kernel does not track DCCP", || {
    let tuple = Tuple::ports(IpProtocol::DCCP, "10.0.0.1:1".parse().unwrap(), "10.0.0.2:2".parse().unwrap());
    let info =
        ProtoInfo::new().dccp(DccpInfo::new().state(DccpState::OPEN).role(DccpRole::CLIENT).handshake_seq(1));
    let made = connect().and_then(|mut nl| {
        nl.call(make(&tuple).protoinfo(info))?;
        nl.call(conntrack::get(&tuple))
    });
    made.is_ok_and(|entry| entry.protoinfo().is_some())
});

const SYNPROXY_RULE: &str = "table ip t { chain c { type filter hook input priority 0; \
     tcp dport 80 ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm; }; }";

const SYNPROXY: Need = when("nftables has no synproxy here", || nft(SYNPROXY_RULE).is_ok());

pub(crate) fn read(nl: &mut Connection, tuple: &Tuple) -> Result<Conntrack<'static>, Error> {
    nl.call(conntrack::get(tuple))
}

/// Case 40 of vishvananda's: TestConntrackCreateV4, UpdateV4, DeleteV4.
fn an_entry_is_made_read_changed_and_deleted() -> Result {
    let mut nl = connect()?;
    let tuple = flow(1);
    let established = ProtoInfo::new().tcp(TcpInfo::new().state(TcpState::ESTABLISHED));
    nl.call(
        make(&tuple)
            .status(Status::CONFIRMED | Status::SEEN_REPLY | Status::ASSURED)
            .mark(7)
            .protoinfo(established),
    )?;
    assert!(nl.call(make(&tuple)).unwrap_err().is_exists());

    let entry = read(&mut nl, &tuple)?;
    assert_eq!((entry.family(), entry.tuple_orig()), (Family::IPV4, Some(tuple.clone().attrs())));
    assert_eq!(entry.tuple_reply(), Some(tuple.reversed().attrs()));
    assert_eq!(entry.mark(), Some(7));
    assert!((590..=600).contains(&entry.timeout().unwrap()));
    assert_eq!(entry.status(), Some(Status::SEEN_REPLY | Status::ASSURED | Status::CONFIRMED));
    assert_eq!(entry.protoinfo().unwrap().tcp().unwrap().state(), Some(TcpState::ESTABLISHED));
    assert!(entry.id().unwrap() != 0 && entry.use_count().unwrap() > 0);
    assert_eq!(entry.unknown().count(), 0);
    assert_eq!(read(&mut nl, &tuple.reversed())?.id(), entry.id());

    nl.call(conntrack::update(&tuple).timeout(1200).mark(8))?;
    let entry = read(&mut nl, &tuple)?;
    assert!(entry.timeout().unwrap() > 1190);
    assert_eq!(entry.mark(), Some(8));
    assert_eq!(entry.protoinfo().unwrap().tcp().unwrap().state(), Some(TcpState::ESTABLISHED));
    nl.call(conntrack::create_or_update(&tuple, &tuple.reversed()).timeout(60).mark(9))?;
    assert_eq!(read(&mut nl, &tuple)?.mark(), Some(9));

    nl.call(conntrack::delete(&tuple))?;
    assert!(nl.call(conntrack::delete(&tuple)).unwrap_err().is_not_found());
    assert!(read(&mut nl, &tuple).unwrap_err().is_not_found());
    assert!(nl.call(conntrack::update(&tuple).mark(1)).unwrap_err().is_not_found());
    nl.call(conntrack::create_or_update(&tuple, &tuple.reversed()).timeout(60).mark(9))?;
    nl.call(conntrack::delete(&tuple.reversed()))?;
    assert!(read(&mut nl, &tuple).unwrap_err().is_not_found());
    Ok(())
}

/// Case 40 of vishvananda's: TestConntrackCreateV6, UpdateV6, DeleteV6.
fn an_ipv6_entry_is_made_read_changed_and_deleted() -> Result {
    let mut nl = connect()?;
    let tuple = Tuple::udp("[2001:db8::1]:1000".parse()?, "[2001:db8::2]:53".parse()?);
    nl.call(make(&tuple))?;
    let entry = read(&mut nl, &tuple)?;
    assert_eq!((entry.family(), entry.tuple_orig()), (Family::IPV6, Some(tuple.clone().attrs())));
    nl.call(conntrack::update(&tuple).timeout(30))?;
    assert!(read(&mut nl, &tuple)?.timeout().unwrap() <= 30);
    nl.call(conntrack::delete(&tuple))?;
    assert!(read(&mut nl, &tuple).unwrap_err().is_not_found());
    Ok(())
}

fn tuples_of_every_protocol() -> Result {
    let mut nl = connect()?;
    let (a, b) = ("10.0.0.1:1000".parse()?, "10.0.0.2:2000".parse()?);
    let (a6, b6) = ("[2001:db8::1]:1000".parse()?, "[2001:db8::2]:2000".parse()?);
    let [v4, w4] = [Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2)];
    let [v6, w6] = ["2001:db8::1", "2001:db8::2"].map(|text| text.parse::<Ipv6Addr>().unwrap());
    // Linux 7.3 handles UDP-Lite like a protocol that it does not inspect: without ports.
    let udplite = |a: SocketAddr, b: SocketAddr| match is_since(7, 0) {
        false => Tuple::ports(IpProtocol::UDPLITE, a, b),
        true => Tuple::generic(IpProtocol::UDPLITE, a.ip(), b.ip()),
    };
    let tuples = [
        Tuple::tcp(a, b),
        Tuple::tcp(a6, b6),
        Tuple::udp(a, b),
        Tuple::udp(a6, b6),
        udplite(a, b),
        udplite(a6, b6),
        Tuple::ports(IpProtocol::SCTP, a, b),
        Tuple::gre(host(1), 11, host(2), 12),
        Tuple::icmp(v4, w4, 8, 0, 77),
        Tuple::icmp(v4, w4, 13, 0, 77),
        Tuple::icmp(v4, w4, 17, 0, 77),
        Tuple::icmpv6(v6, w6, 128, 0, 77),
        Tuple::generic(IpProtocol::ESP, host(1), host(2)),
        Tuple::generic(IpProtocol(253), v6.into(), w6.into()),
    ];
    for tuple in &tuples {
        nl.call(make(tuple)).map_err(|error| format!("{tuple:?}: {error}"))?;
        let entry = read(&mut nl, tuple)?;
        assert_eq!(entry.tuple_orig(), Some(tuple.clone().attrs()));
        assert_eq!(entry.tuple_reply(), Some(tuple.reversed().attrs()));
    }
    let mut listed = 0;
    let mut listing = nl.dump(conntrack::list())?;
    while let Some(entry) = listing.next()? {
        assert!(tuples.iter().any(|tuple| entry.tuple_orig() == Some(tuple.clone().attrs())));
        listed += 1;
    }
    assert_eq!(listed, tuples.len());
    Ok(())
}

fn dccp_has_a_state_of_its_own() -> Result {
    let mut nl = connect()?;
    let tuple = Tuple::ports(IpProtocol::DCCP, "10.0.0.1:1".parse()?, "10.0.0.2:2".parse()?);
    let info =
        DccpInfo::new().state(DccpState::OPEN).role(DccpRole::SERVER).handshake_seq(0x1234_5678_9abc_u64);
    nl.call(make(&tuple).protoinfo(ProtoInfo::new().dccp(info)))?;
    let entry = read(&mut nl, &tuple)?;
    let protoinfo = entry.protoinfo().unwrap();
    let dccp = protoinfo.dccp().unwrap();
    assert_eq!((dccp.state(), dccp.role()), (Some(DccpState::OPEN), Some(DccpRole::SERVER)));
    assert_eq!(dccp.handshake_seq(), Some(0x1234_5678_9abc));
    Ok(())
}

fn sctp_has_a_state_of_its_own() -> Result {
    let mut nl = connect()?;
    let tuple = Tuple::ports(IpProtocol::SCTP, "10.0.0.1:1".parse()?, "10.0.0.2:2".parse()?);
    let info = SctpInfo::new().state(SctpState::ESTABLISHED).vtag_original(0x1122_3344).vtag_reply(5);
    nl.call(make(&tuple).protoinfo(ProtoInfo::new().sctp(info)))?;
    let entry = read(&mut nl, &tuple)?;
    let protoinfo = entry.protoinfo().unwrap();
    let sctp = protoinfo.sctp().unwrap();
    assert_eq!(sctp.state(), Some(SctpState::ESTABLISHED));
    assert_eq!((sctp.vtag_original(), sctp.vtag_reply()), (Some(0x1122_3344), Some(5)));
    Ok(())
}

fn tcp_windows_and_flags() -> Result {
    let mut nl = connect()?;
    let tuple = flow(1);
    let all = TcpFlags::WINDOW_SCALE | TcpFlags::SACK_PERM | TcpFlags::BE_LIBERAL;
    let flags = TcpFlagsMask::default().flags(TcpFlags::WINDOW_SCALE | TcpFlags::BE_LIBERAL).mask(all);
    let info = TcpInfo::new().state(TcpState::SYN_RECV).wscale_original(7).wscale_reply(9);
    let info = info.flags_original(flags).flags_reply(flags.flags(all));
    nl.call(make(&tuple).protoinfo(ProtoInfo::new().tcp(info)))?;
    let entry = read(&mut nl, &tuple)?;
    let protoinfo = entry.protoinfo().unwrap();
    let tcp = protoinfo.tcp().unwrap();
    assert_eq!(tcp.state(), Some(TcpState::SYN_RECV));
    assert_eq!((tcp.wscale_original(), tcp.wscale_reply()), (Some(7), Some(9)));
    let flags = |read: Option<TcpFlagsMask>| read.unwrap().flags;
    assert_eq!(flags(tcp.flags_original()), TcpFlags::WINDOW_SCALE | TcpFlags::BE_LIBERAL);
    assert_eq!(flags(tcp.flags_reply()), all);
    Ok(())
}

fn a_mark_changes_under_its_mask() -> Result {
    let mut nl = connect()?;
    nl.call(make(&flow(1)).mark(0x1234))?;
    nl.call(conntrack::update(&flow(1)).mark(0xab).mark_mask(0xff))?;
    assert_eq!(read(&mut nl, &flow(1))?.mark(), Some(0x12ab));
    nl.call(conntrack::update(&flow(1)).mark(0))?;
    assert_eq!(read(&mut nl, &flow(1))?.mark(), Some(0));
    Ok(())
}

/// Case 40 of vishvananda's: TestConntrackLabels.
fn labels_change_under_their_mask() -> Result {
    let mut nl = connect()?;
    nft("table ip t { chain c { type filter hook input priority 0; ct label set 127 counter; }; }")?;
    nl.call(make(&flow(1)).labels(Labels::of(&[0, 5, 127])))?;
    assert_eq!(read(&mut nl, &flow(1))?.labels(), Some(Labels::of(&[0, 5, 127])));
    nl.call(conntrack::update(&flow(1)).labels(Labels::of(&[6])).labels_mask(Labels::of(&[5, 6])))?;
    assert_eq!(read(&mut nl, &flow(1))?.labels(), Some(Labels::of(&[0, 6, 127])));
    nl.call(conntrack::update(&flow(1)).labels(Labels::of(&[1])))?;
    assert_eq!(read(&mut nl, &flow(1))?.labels(), Some(Labels::of(&[1])));
    Ok(())
}

fn status_bits_that_may_change_and_those_that_may_not() -> Result {
    let mut nl = connect()?;
    nl.call(make(&flow(1)))?;
    let status = read(&mut nl, &flow(1))?.status().unwrap();
    assert!(!status.contains(Status::ASSURED));
    nl.call(conntrack::update(&flow(1)).status(status | Status::SEEN_REPLY | Status::ASSURED))?;
    let status = read(&mut nl, &flow(1))?.status().unwrap();
    assert!(status.contains(Status::SEEN_REPLY | Status::ASSURED));
    let refused = nl.call(conntrack::update(&flow(1)).status(status - Status::ASSURED)).unwrap_err();
    assert!(refused.is_busy(), "{refused}");
    let refused = nl.call(conntrack::update(&flow(1)).status(status - Status::CONFIRMED)).unwrap_err();
    assert!(refused.is_busy(), "{refused}");
    nl.call(conntrack::update(&flow(1)).status(status | Status::FIXED_TIMEOUT))?;
    assert!(read(&mut nl, &flow(1))?.status().unwrap().contains(Status::FIXED_TIMEOUT));
    Ok(())
}

fn zones_of_both_directions_and_of_one() -> Result {
    let mut nl = connect()?;
    let tuple = flow(1);
    nl.call(make(&tuple).mark(1))?;
    nl.call(make(&tuple).zone(5).mark(2))?;
    nl.call(make(&tuple).zone(6).mark(3))?;
    let zoned = nl.call(conntrack::get(&tuple).zone(5))?;
    assert_eq!((zoned.mark(), zoned.zone()), (Some(2), Some(5)));
    let plain = read(&mut nl, &tuple)?;
    assert_eq!((plain.mark(), plain.zone()), (Some(1), None));
    nl.call(conntrack::delete(&tuple).zone(5))?;
    assert!(nl.call(conntrack::get(&tuple).zone(5)).unwrap_err().is_not_found());
    assert_eq!(nl.call(conntrack::get(&tuple).zone(6))?.mark(), Some(3));

    let one = flow(2).zone(7);
    nl.call(conntrack::create(&one, &flow(2).reversed()).timeout(60))?;
    let entry = read(&mut nl, &one)?;
    assert_eq!(entry.tuple_orig().unwrap().zone(), Some(7));
    assert_eq!((entry.tuple_reply().unwrap().zone(), entry.zone()), (None, None));
    Ok(())
}

fn addresses_and_ports_are_translated_from_a_range() -> Result {
    let mut nl = connect()?;
    let [first, last] = [Ipv4Addr::new(192, 0, 2, 10), Ipv4Addr::new(192, 0, 2, 12)];
    let tuple = flow(1);
    nl.call(make(&tuple).nat_src(Nat::to_v4(first..=last).ports(4000..=4003)).nat_dst(Nat::to(host(9))))?;
    let entry = read(&mut nl, &tuple)?;
    let reply = entry.tuple_reply().unwrap();
    let to = reply.dst_socket().unwrap();
    assert!(to.ip() >= first && to.ip() <= last, "{to}");
    assert!((4000..=4003).contains(&to.port()), "{to}");
    assert_eq!(reply.src(), Some(host(9)));
    let nat = Status::SRC_NAT | Status::DST_NAT | Status::SRC_NAT_DONE | Status::DST_NAT_DONE;
    assert!(entry.status().unwrap().contains(nat));
    let change = nl.call(conntrack::update(&tuple).nat_src(Nat::to(host(3)))).unwrap_err();
    assert!(change.is_unsupported(), "{change}");
    Ok(())
}

fn an_ipv6_address_is_translated_from_a_range() -> Result {
    let mut nl = connect()?;
    let tuple = Tuple::tcp("[2001:db8::1]:1000".parse()?, "[2001:db8::2]:80".parse()?);
    let [first, last] = ["2001:db8::10", "2001:db8::12"].map(|text| text.parse::<Ipv6Addr>().unwrap());
    nl.call(make(&tuple).nat_src(Nat::to_v6(first..=last)))?;
    let to = read(&mut nl, &tuple)?.tuple_reply().unwrap().dst().unwrap();
    assert!(to >= first && to <= last, "{to}");
    nl.call(make(&tuple).zone(1).nat_src(Nat::to(last.into())))?;
    assert_eq!(nl.call(conntrack::get(&tuple).zone(1))?.tuple_reply().unwrap().dst(), Some(last.into()));
    Ok(())
}

fn sequence_numbers_are_adjusted() -> Result {
    let mut nl = connect()?;
    let adjust = SeqAdj::new().correction_pos(1000).offset_before(0).offset_after(-6);
    let nat = Nat::to("192.0.2.1".parse()?);
    nl.call(make(&flow(1)).nat_src(nat).seq_adj_orig(adjust.clone()).seq_adj_reply(adjust.clone()))?;
    let entry = read(&mut nl, &flow(1))?;
    assert!(entry.status().unwrap().contains(Status::SEQ_ADJUST));
    assert_eq!(entry.seq_adj_orig(), Some(adjust.clone().attrs()));
    assert_eq!(entry.seq_adj_reply().unwrap().offset_after(), Some(-6));
    Ok(())
}

fn helpers_are_set_and_named() -> Result {
    let mut nl = connect()?;
    let control = Tuple::tcp("10.0.0.1:1000".parse()?, "10.0.0.2:21".parse()?);
    nl.call(make(&control).help(Helper::named("ftp")))?;
    let entry = read(&mut nl, &control)?;
    assert_eq!(entry.help().unwrap().name(), Some("ftp".into()));
    assert!(entry.status().unwrap().contains(Status::HELPER));
    assert!(entry.to_string().contains(" helper=ftp "));
    let removed = nl.call(conntrack::update(&control).help(Helper::named("")));
    if is_since(7, 0) {
        assert!(removed.unwrap_err().is_unsupported());
    } else {
        removed?;
        assert_eq!(read(&mut nl, &control)?.help(), None);
    }
    let unknown = nl.call(make(&flow(2)).help(Helper::named("nosuch"))).unwrap_err();
    assert!(unknown.is_unsupported(), "{unknown}");
    Ok(())
}

fn an_expected_entry_names_its_master() -> Result {
    let mut nl = connect()?;
    nl.call(make(&flow(1)))?;
    nl.call(make(&flow(2)).tuple_master(flow(1)))?;
    let entry = read(&mut nl, &flow(2))?;
    assert_eq!(entry.tuple_master(), Some(flow(1).attrs()));
    assert!(entry.status().unwrap().contains(Status::EXPECTED));
    // The master is missing, not the new entry.
    let orphan = nl.call(make(&flow(3)).tuple_master(flow(9))).unwrap_err();
    assert!(orphan.errno() == Some(Errno::ENOENT) && !orphan.is_not_found(), "{orphan}");
    Ok(())
}

fn the_syn_proxy_keeps_three_numbers() -> Result {
    let mut nl = connect()?;
    nft(SYNPROXY_RULE)?;
    let numbers = Synproxy::new().isn(1).its(2).tsoff(3);
    nl.call(make(&flow(1)).synproxy(numbers.clone()))?;
    assert_eq!(read(&mut nl, &flow(1))?.synproxy(), Some(numbers.attrs()));
    Ok(())
}

fn counters_are_read_and_zeroed() -> Result {
    let mut nl = connect()?;
    sysctl("acct", "1")?;
    crate::packets::track(&mut nl)?;
    let tuple = crate::packets::exchange_udp(3)?;
    let entry = read(&mut nl, &tuple)?;
    let counters = entry.counters_orig().unwrap();
    assert_eq!((counters.packets(), counters.bytes()), (Some(3), Some(3 * (20 + 8 + 4))));
    assert_eq!(entry.counters_reply().unwrap().packets(), Some(0));
    let zeroed = nl.call(conntrack::get_and_zero(&tuple))?;
    assert_eq!(zeroed.counters_orig().unwrap().packets(), Some(3));
    assert_eq!(read(&mut nl, &tuple)?.counters_orig().unwrap().packets(), Some(0));
    let more = crate::packets::exchange_udp(2)?;
    let sum = |entries: Vec<netlink_netfilter::Owned<Conntrack<'static>>>| {
        let packets =
            entries.iter().map(|entry| entry.view().unwrap().counters_orig().unwrap().packets().unwrap());
        packets.sum::<u64>()
    };
    assert!(read(&mut nl, &more).is_ok());
    assert_eq!(sum(nl.dump(conntrack::list_and_zero())?.collect()?), 2);
    assert_eq!(sum(nl.dump(conntrack::list())?.collect()?), 0);
    Ok(())
}

fn timestamps_begin_when_made() -> Result {
    let mut nl = connect()?;
    sysctl("timestamp", "1")?;
    nl.call(make(&flow(1)))?;
    let entry = read(&mut nl, &flow(1))?;
    let start = std::time::Duration::from_nanos(entry.timestamp().unwrap().start().unwrap());
    let now = std::time::UNIX_EPOCH.elapsed()?;
    assert!(now.abs_diff(start).as_secs() < 60, "{start:?} {now:?}");
    assert_eq!(entry.timestamp().unwrap().stop(), None);
    Ok(())
}

fn an_id_is_of_one_entry_alone() -> Result {
    let mut nl = connect()?;
    nl.call(make(&flow(1)))?;
    let id = read(&mut nl, &flow(1))?.id().unwrap();
    let other = nl.call(conntrack::delete(&flow(1)).id(id ^ 1)).unwrap_err();
    assert!(other.is_not_found(), "{other}");
    nl.call(conntrack::delete(&flow(1)).id(id))?;
    Ok(())
}

/// NA3: entries that differ only in the zone, of both directions or of one.
fn a_listed_entry_is_deleted_and_no_other() -> Result {
    let mut nl = connect()?;
    nl.call(make(&flow(1)).mark(1))?;
    nl.call(make(&flow(1)).zone(5).mark(2))?;
    nl.call(conntrack::create(&flow(2).zone(7), &flow(2).reversed()).timeout(60).mark(3))?;
    let entries = nl.dump(conntrack::list())?.collect()?;
    assert_eq!(entries.len(), 3);
    for (deleted, entry) in entries.iter().enumerate() {
        let entry = entry.view()?;
        nl.call(conntrack::delete_listed(&entry))?;
        let left = nl.dump(conntrack::list())?.collect()?;
        assert_eq!(left.len(), 2 - deleted);
        assert!(left.iter().all(|other| other.view().unwrap().id() != entry.id()));
        assert!(nl.call(conntrack::delete_listed(&entry)).unwrap_err().is_not_found());
    }
    Ok(())
}

fn a_thousand_in_a_batch_and_all_flushed() -> Result {
    let mut nl = connect()?;
    let results = nl.batch((0..1000).map(|n| make(&flow(n))));
    assert!(results.len() == 1000 && results.iter().all(std::result::Result::is_ok));
    let results = nl.batch((990..1010).map(|n| make(&flow(n))));
    for (n, result) in results.iter().enumerate() {
        assert_eq!(result.as_ref().err().map(Error::is_exists), (n < 10).then_some(true), "{n}");
    }
    let entries = nl.dump(conntrack::list())?.collect()?;
    let sources = entries.iter().map(|entry| entry.view().unwrap().tuple_orig().unwrap().src());
    assert_eq!(sources.collect::<BTreeSet<_>>().len(), 1010);
    assert_eq!(nl.call(conntrack::stats())?.entries(), Some(1010));
    nl.call(conntrack::flush())?;
    assert!(nl.dump(conntrack::list())?.collect()?.is_empty());
    nl.call(conntrack::flush())?;
    Ok(())
}

fn statistics_of_the_table_and_of_each_processor() -> Result {
    let mut nl = connect()?;
    nl.call(make(&flow(1)))?;
    let stats = nl.call(conntrack::stats())?;
    assert_eq!(stats.entries(), Some(1));
    assert!(stats.max_entries().unwrap() > 100);
    let mut cpus = Vec::new();
    let mut listing = nl.dump(conntrack::cpu_stats())?;
    while let Some(stats) = listing.next()? {
        assert!(stats.found().is_some() && stats.insert().is_some() && stats.drop().is_some());
        assert_eq!(stats.unknown().count(), 0);
        cpus.push(stats.cpu());
    }
    assert_eq!(cpus, (0..cpus.len() as u16).collect::<Vec<_>>());
    assert!(!cpus.is_empty());
    Ok(())
}

fn dying_and_unconfirmed_lists_answer() -> Result {
    let mut nl = connect()?;
    nl.call(make(&flow(1)))?;
    assert!(nl.dump(conntrack::dying())?.collect()?.is_empty());
    assert!(nl.dump(conntrack::unconfirmed())?.collect()?.is_empty());
    Ok(())
}

fn errors_name_the_request() -> Result {
    let mut nl = connect()?;
    let no_timeout = nl.call(conntrack::create(&flow(1), &flow(1).reversed())).unwrap_err();
    assert_eq!(no_timeout.errno(), Some(Errno::EINVAL));
    let what =
        format!("IPCTNL_MSG_CT_NEW {}: Invalid argument (EINVAL); sent: CTA_TUPLE_ORIG {{ ", flow(1).attrs());
    assert!(no_timeout.to_string().starts_with(&what), "{no_timeout}");
    let other = Tuple::udp("10.0.0.2:1".parse()?, "10.0.0.1:2".parse()?);
    let mixed = nl.call(conntrack::create(&flow(1), &other).timeout(5)).unwrap_err();
    assert_eq!(mixed.errno(), Some(Errno::EINVAL));
    // A policy is violated: the kernel names the attribute.
    let short = nl.call(make(&flow(1)).attr(7, &1u8)).unwrap_err();
    assert_eq!(short.errno(), Some(Errno::ERANGE));
    assert!(short.to_string().contains("at CTA_TIMEOUT"), "{short}");
    assert!(nl.call(make(&flow(1))).is_ok());
    Ok(())
}

fn invalid_requests_are_refused_here() -> Result {
    let mut nl = connect()?;
    let long = nl.call(make(&flow(1)).help(Helper::named("sixteen-and-more"))).unwrap_err();
    assert!(matches!(long, Error::Request(_)), "{long}");
    assert!(long.to_string().contains("CTA_HELP_NAME"), "{long}");
    let nul = nl.call(make(&flow(1)).help(Helper::named("f\0tp"))).unwrap_err();
    assert!(matches!(nul, Error::Request(_)), "{nul}");
    assert!(read(&mut nl, &flow(1)).unwrap_err().is_not_found());
    Ok(())
}
