//! Encapsulations of routes: each is read back as it was sent.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::process::Command;

use netlink_core::{Attrs, Connection, Errno, IntoAttr, Messages};
use netlink_route::route::encap::{
    Encap, Flavor, Flavors, Ila, IlaChecksum, IlaHook, IlaIdentifier, Ioam6, Ioam6Mode, Ip, Ip6, LocalAction,
    Mpls, Rpl, Seg6, Seg6Local, Seg6Mode, Seg6Tunnel, Srh, TraceHeader, TunnelFlags, Xfrm,
};
use netlink_route::route::{self, Labels, NextHop, Route};
use netlink_route::{Family, link};
use netlink_testing::{Result, file, ipv6, kernel, kind, module, program, skip, suite};

use crate::LO;
use crate::addresses::{D0, D1, a, ip};
use crate::routes::{FOUR, SIX, connect_with_nets, find, list, run_ip};

suite! {
    mpls_encapsulation: kind("dummy"), module("mpls_router");
    seg6_encapsulation: kind("dummy"), ipv6();
    seg6local_behaviours: kind("dummy"), ipv6();
    seg6local_behaviours_of_a_vrf: kind("vrf"), kind("dummy"), ipv6(), program("ip"), kernel(5, 14),
        file("/proc/sys/net/vrf/strict_mode");
    seg6local_counters_and_flavors: kind("dummy"), ipv6(), kernel(6, 3);
    ip_encapsulation: kind("dummy");
    ip6_encapsulation: kind("dummy"), ipv6();
    ila_encapsulation: kind("dummy"), ipv6(), module("ila");
    rpl_encapsulation: kind("dummy"), ipv6(), kernel(5, 7);
    ioam6_encapsulation: kind("dummy"), ipv6(), kernel(5, 18), program("ip"), program("strace");
    xfrm_encapsulation: kind("dummy"), kind("xfrm"), ipv6(), kernel(6, 1);
    next_hops_have_encapsulations_of_their_own: kind("dummy"), ipv6();
    labels_are_routed: kind("dummy"), ipv6(), module("mpls_router");
}

/// vishvananda 34: makes a route with an encapsulation and checks that it is read back unchanged, that a
/// request made from the result makes it again, and that it works in one of several next hops.
fn round_trip<'a>(nl: &mut Connection, to: &str, encap: impl IntoAttr<Encap<'a>>) -> Result {
    let encap = encap.into_attr();
    match nl.call(route::add(a(to)).oif(D0).encap(encap.clone())) {
        Err(error) if error.is_unsupported() => skip(format!("{} encapsulation: {error}", encap.kind())),
        result => result?,
    }
    let made = find(nl, to)?;
    assert_eq!(made.encap_type(), Some(encap.kind()));
    assert_eq!(made.encap().as_ref(), Some(&encap), "{to}");
    assert_eq!(made.encap().unwrap().to_string(), encap.to_string());
    nl.call(route::delete(a(to)))?;
    nl.call(route::add(a(to)).oif(D0).encap(made.encap().unwrap()))?;
    assert_eq!(find(nl, to)?, made);
    nl.call(route::delete(a(to)))?;
    Ok(())
}

fn mpls_encapsulation() -> Result {
    let mut nl = connect_with_nets()?;
    round_trip(&mut nl, FOUR, Mpls::push(&[100]))?;
    round_trip(&mut nl, FOUR, Mpls::push(&[100, 200, 1_048_575]).ttl(5))?;
    round_trip(&mut nl, FOUR, Mpls::push(&[100]).ttl(0))?;
    let error = nl.call(route::add(a(FOUR)).oif(D0).encap(Mpls::push(&[3]))).unwrap_err();
    // Label 3 is never sent.
    assert_eq!(error.errno(), Some(Errno::EINVAL), "{error}");
    Ok(())
}

fn segments(count: u16) -> Vec<Ipv6Addr> {
    (1..=count).map(|n| Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, n)).collect()
}

fn seg6_encapsulation() -> Result {
    let mut nl = connect_with_nets()?;
    for count in [1, 2, 16] {
        round_trip(&mut nl, SIX, Seg6::encap(&segments(count)))?;
        round_trip(&mut nl, SIX, Seg6::inline(&segments(count)))?;
        round_trip(&mut nl, SIX, Seg6::with_mode(Seg6Mode::L2ENCAP, &segments(count)))?;
        round_trip(&mut nl, FOUR, Seg6::encap(&segments(count)))?;
    }
    let way = segments(2);
    round_trip(&mut nl, SIX, Seg6::new().tunnel(Seg6Tunnel::new(Seg6Mode::ENCAP, Srh::new(&way).tag(77))))?;
    for mode in [Seg6Mode::ENCAP_RED, Seg6Mode::L2ENCAP_RED] {
        // The reduced modes exist since Linux 6.0.
        match nl.call(route::add(a(SIX)).oif(D0).encap(Seg6::with_mode(mode, &way))) {
            Err(error) => assert_eq!(error.errno(), Some(Errno::EINVAL), "{error}"),
            Ok(()) => {
                nl.call(route::delete(a(SIX)))?;
                round_trip(&mut nl, SIX, Seg6::with_mode(mode, &way))?;
                round_trip(&mut nl, FOUR, Seg6::with_mode(mode, &way))?;
            }
        }
    }
    // An IPv4 packet has no space for a routing header.
    let error = nl.call(route::add(a(FOUR)).oif(D0).encap(Seg6::inline(&way))).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EINVAL), "{error}");
    Ok(())
}

fn seg6local_behaviours() -> Result {
    let mut nl = connect_with_nets()?;
    let six: Ipv6Addr = "2001:db8::2".parse()?;
    let way = segments(2);
    for local in [
        Seg6Local::of(LocalAction::END),
        Seg6Local::of(LocalAction::END_X).nh6(six),
        Seg6Local::of(LocalAction::END_T).table(100),
        Seg6Local::of(LocalAction::END_DX2).oif(D1),
        Seg6Local::of(LocalAction::END_DX6).nh6(six),
        Seg6Local::of(LocalAction::END_DX6).nh6(Ipv6Addr::UNSPECIFIED),
        Seg6Local::of(LocalAction::END_DX4).nh4(Ipv4Addr::new(10, 0, 0, 2)),
        Seg6Local::of(LocalAction::END_DT6).table(254),
        Seg6Local::of(LocalAction::END_B6).srh(&way[..]),
        Seg6Local::of(LocalAction::END_B6_ENCAP).srh(&way[..]),
    ] {
        round_trip(&mut nl, "fc01::1/128", local)?;
    }
    let missing =
        nl.call(route::add(a("fc01::1/128")).oif(D0).encap(Seg6Local::of(LocalAction::END_X))).unwrap_err();
    assert_eq!(missing.errno(), Some(Errno::EINVAL), "{missing}");
    Ok(())
}

fn seg6local_behaviours_of_a_vrf() -> Result {
    let mut nl = connect_with_nets()?;
    run_ip("link add vrf0 type vrf table 100")?;
    run_ip("link set vrf0 up")?;
    std::fs::write("/proc/sys/net/vrf/strict_mode", "1")?;
    for action in [LocalAction::END_DT4, LocalAction::END_DT6, LocalAction::END_DT46] {
        round_trip(&mut nl, "fc01::1/128", Seg6Local::of(action).vrf_table(100))?;
    }
    Ok(())
}

fn seg6local_counters_and_flavors() -> Result {
    let mut nl = connect_with_nets()?;
    for local in [
        Seg6Local::of(LocalAction::END).count(),
        Seg6Local::of(LocalAction::END_DT6).table(254).count(),
        Seg6Local::of(LocalAction::END).flavors(Flavors::of(&[Flavor::PSP])),
        Seg6Local::of(LocalAction::END)
            .flavors(Flavors::of(&[Flavor::NEXT_CSID]).block_bits(48).node_function_bits(16)),
    ] {
        round_trip(&mut nl, "fc01::1/128", local)?;
    }
    Ok(())
}

/// These tests omit options of GENEVE, VXLAN and ERSPAN: some kernels crash when they are read back.
fn ip_encapsulation() -> Result {
    let mut nl = connect_with_nets()?;
    let full = Ip::new()
        .id(42)
        .dst(Ipv4Addr::new(10, 0, 0, 2))
        .src(Ipv4Addr::new(10, 0, 0, 1))
        .ttl(64)
        .tos(4)
        .flags(TunnelFlags::KEY | TunnelFlags::CSUM | TunnelFlags::SEQ);
    round_trip(&mut nl, FOUR, full)?;
    round_trip(
        &mut nl,
        SIX,
        Ip::new()
            .id(1 << 40)
            .dst(Ipv4Addr::new(10, 0, 0, 2))
            .src(Ipv4Addr::UNSPECIFIED)
            .ttl(0)
            .tos(0)
            .flags(TunnelFlags::empty()),
    )?;
    // Missing values are 0 in the answer.
    nl.call(route::add(a(FOUR)).oif(D0).encap(Ip::new().dst(Ipv4Addr::new(10, 0, 0, 2))))?;
    let made = find(&mut nl, FOUR)?;
    let Some(Encap::Ip(tunnel)) = made.encap() else { panic!("{made}") };
    assert_eq!((tunnel.id(), tunnel.ttl()), (Some(0), Some(0)));
    assert_eq!(tunnel.dst(), Some(Ipv4Addr::new(10, 0, 0, 2)));
    Ok(())
}

fn ip6_encapsulation() -> Result {
    let mut nl = connect_with_nets()?;
    let full = Ip6::new()
        .id(42)
        .dst("2001:db8::2".parse::<Ipv6Addr>()?)
        .src("2001:db8::1".parse::<Ipv6Addr>()?)
        .hop_limit(64)
        .traffic_class(4)
        .flags(TunnelFlags::KEY);
    round_trip(&mut nl, SIX, full.clone())?;
    round_trip(&mut nl, FOUR, full)
}

fn ila_encapsulation() -> Result {
    let mut nl = connect_with_nets()?;
    for (csum, hook) in [
        (IlaChecksum::NO_ACTION, IlaHook::OUTPUT),
        (IlaChecksum::ADJUST_TRANSPORT, IlaHook::OUTPUT),
        (IlaChecksum::NEUTRAL_MAP_AUTO, IlaHook::INPUT),
    ] {
        let ila = Ila::new()
            .locator(0x2001_0db8_0000_0001)
            .csum_mode(csum)
            .ident_type(IlaIdentifier::LUID)
            .hook_type(hook);
        // The route covers the locator and the type bits of the identifier.
        round_trip(&mut nl, "3333:0:0:1:2000::/100", ila)?;
    }
    Ok(())
}

fn rpl_encapsulation() -> Result {
    let mut nl = connect_with_nets()?;
    round_trip(&mut nl, SIX, Rpl::through(&segments(1)))?;
    round_trip(&mut nl, SIX, Rpl::through(&segments(3)))
}

/// The attributes of the encapsulation in the request of `ip` for a route, in the order of their numbers.
fn sent_by_ip(words: &str) -> Result<Vec<(u16, Vec<u8>)>> {
    let mut command = Command::new("strace");
    command.args([
        "-qq",
        "-e",
        "trace=sendmsg",
        "-e",
        "write=all",
        "-e",
        "signal=none",
        "ip",
        "-6",
        "route",
        "add",
    ]);
    let output = command.args(words.split_whitespace()).output()?;
    let text = String::from_utf8(output.stderr)?;
    // Lines of the last message sent, such as ` | 00010  0a 40 00 00 fe 03 00 01  00 00 00 00 14 00 01 00 .@..`.
    let (_, dump) =
        text.rsplit_once(" bytes in buffer 0\n").ok_or_else(|| format!("no message in {text}"))?;
    let lines = dump.lines().filter_map(|line| line.strip_prefix(" | ")?.get(7..56));
    let bytes: Vec<u8> = lines
        .flat_map(str::split_whitespace)
        .map(|digits| u8::from_str_radix(digits, 16))
        .collect::<Result<_, _>>()?;
    encap_attributes(&bytes)
}

fn encap_attributes(request: &[u8]) -> Result<Vec<(u16, Vec<u8>)>> {
    const RTA_ENCAP: u16 = 22;
    let message = Messages::new(request).next().ok_or("no message")??;
    let route = Route::read(&message)?;
    let encap = Attrs::new(route.iter().find(RTA_ENCAP).ok_or("no encapsulation")?);
    let mut attributes: Vec<_> = encap.flatten().map(|attr| (attr.number, attr.payload.to_vec())).collect();
    attributes.sort();
    Ok(attributes)
}

/// No kernel of Debian has it. Without it, the request is compared with that of `ip`.
fn ioam6_encapsulation() -> Result {
    let mut nl = connect_with_nets()?;
    let trace = TraceHeader::default().namespace(123).remaining(3).kinds(0x80_0000 << 8);
    let end: Ipv6Addr = "fc00::1".parse()?;
    let tail = "trace prealloc type 0x800000 ns 123 size 12";
    for (words, encap) in [
        ("freq 1/2 mode inline", Ioam6::new().mode(Ioam6Mode::INLINE).frequency(1, 2)),
        ("freq 1/1 mode encap tundst fc00::1", Ioam6::new().mode(Ioam6Mode::ENCAP).dst(end).frequency(1, 1)),
        (
            "freq 3/1000 mode auto tundst fc00::1",
            Ioam6::new().mode(Ioam6Mode::AUTO).dst(end).frequency(3, 1000),
        ),
    ] {
        let encap = encap.trace(trace);
        let request = route::add(a(SIX)).oif(D0).encap(encap.clone());
        let ours = encap_attributes(&request.to_bytes()?)?;
        match nl.call(request) {
            Err(error) if error.is_unsupported() => {
                assert_eq!(ours, sent_by_ip(&format!("{SIX} encap ioam6 {words} {tail} dev d0"))?, "{words}");
            }
            result => {
                result?;
                nl.call(route::delete(a(SIX)))?;
                round_trip(&mut nl, SIX, encap)?;
            }
        }
    }
    Ok(())
}

fn xfrm_encapsulation() -> Result {
    let mut nl = connect_with_nets()?;
    round_trip(&mut nl, FOUR, Xfrm::new().if_id(16))?;
    round_trip(&mut nl, SIX, Xfrm::new().if_id(16).link(D1))?;
    let error = nl.call(route::add(a(FOUR)).oif(D0).encap(Xfrm::new().if_id(0))).unwrap_err();
    assert!(matches!(error.errno(), Some(Errno::EINVAL | Errno::ERANGE)), "{error}");
    Ok(())
}

fn next_hops_have_encapsulations_of_their_own() -> Result {
    let mut nl = connect_with_nets()?;
    let (first, second) = (Seg6::encap(&segments(2)), Ip::new().id(7).dst(Ipv4Addr::new(10, 0, 0, 9)));
    for (to, one, two) in [(FOUR, "10.0.0.2", "10.0.1.2"), (SIX, "2001:db8::2", "2001:db8:1::2")] {
        let hops = [
            NextHop::via(ip(one)).encap(first.clone()).weight(2),
            NextHop::via(ip(two)).encap(second.clone()),
        ];
        match nl.call(route::add(a(to)).multipath(&hops)) {
            Err(error) if error.is_unsupported() => skip(error.to_string()),
            result => result?,
        }
        let made = find(&mut nl, to)?;
        assert_eq!(made.encap(), None);
        let hops: Vec<_> = made.next_hops().unwrap().iter().collect();
        assert_eq!(hops[0].encap(), Some(first.clone().into_attr()));
        assert_eq!((hops[0].weight(), hops[0].gateway()), (2, Some(ip(one))));
        let Some(Encap::Ip(tunnel)) = hops[1].encap() else { panic!("{made}") };
        assert_eq!((tunnel.id(), tunnel.dst()), (Some(7), Some(Ipv4Addr::new(10, 0, 0, 9))));
    }
    Ok(())
}

/// vishvananda 34
fn labels_are_routed() -> Result {
    let mut nl = connect_with_nets()?;
    // No label is routed until the table has a size.
    let error = nl.call(route::add_label(100).gateway(ip("10.0.0.2")).oif(D0)).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EINVAL), "{error}");
    std::fs::write("/proc/sys/net/mpls/platform_labels", "1000")?;
    nl.call(route::add_label(100).gateway(ip("10.0.0.2")).oif(D0).newdst(&[200, 300]).ttl_propagate(true))?;
    assert!(nl.call(route::add_label(100).gateway(ip("10.0.0.2")).oif(D0)).unwrap_err().is_exists());
    nl.call(route::add_label(101).gateway(ip("2001:db8::2")).oif(D0))?;
    let hops = [
        NextHop::via(ip("10.0.0.2")).oif(D0).newdst(&[201]),
        NextHop::via(ip("2001:db8:1::2")).oif(D1).newdst(&[202, 203]),
    ];
    nl.call(route::add_label(102).multipath(&hops))?;

    let all = list(&mut nl, route::list().family(Family::MPLS))?;
    let labels: Vec<_> = all.iter().filter_map(Route::label).collect();
    // Kernels make routes for the reserved labels 0 and 2 if IPv4 and IPv6 exist.
    assert!([100, 101, 102].iter().all(|label| labels.contains(label)), "{labels:?}");
    let of = |label| all.iter().find(|one| one.label() == Some(label)).unwrap();
    let made = of(100);
    assert_eq!((made.gateway(), made.oif(), made.destination()), (Some(ip("10.0.0.2")), Some(D0), None));
    assert_eq!((made.newdst(), made.ttl_propagate()), (Some(Labels::new(&[200, 300])), Some(true)));
    assert_eq!((of(101).gateway(), of(101).newdst()), (Some(ip("2001:db8::2")), None));
    let hops: Vec<_> = of(102).next_hops().unwrap().iter().collect();
    assert_eq!((hops[0].gateway(), hops[0].newdst()), (Some(ip("10.0.0.2")), Some(Labels::new(&[201]))));
    assert_eq!((hops[1].oif(), hops[1].newdst()), (D1, Some(Labels::new(&[202, 203]))));

    let found = nl.call(route::get_label(100).fib_match())?;
    assert_eq!((found.label(), found.newdst()), (Some(100), Some(Labels::new(&[200, 300]))));
    nl.call(route::replace_label(100).gateway(ip("10.0.1.2")).oif(D1))?;
    let found = nl.call(route::get_label(100).fib_match())?;
    assert_eq!((found.gateway(), found.newdst()), (Some(ip("10.0.1.2")), None));
    assert_eq!(list(&mut nl, route::list().family(Family::MPLS).oif(D1))?.len(), 2);
    nl.call(route::delete_label(100))?;
    // Deleting a missing route is not an error here.
    nl.call(route::delete_label(100))?;
    assert!(nl.call(route::get_label(100)).is_err());
    assert_eq!(nl.call(link::get(LO))?.index(), LO);
    Ok(())
}
