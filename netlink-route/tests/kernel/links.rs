//! Links of any kind: made, changed, read back, listed, deleted.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::process::Command;
use std::time::Duration;

use netlink_core::{
    Connection, Errno, Error, Events, MessageFlags, Namespace, Notice, OpenOptions, Protocol,
};
use netlink_route::addr;
use netlink_route::event::{Change, Event, Group};
use netlink_route::link::{
    self, Bridge, ExtMask, Kind, Link, LinkFlags, LinkRequest, Veth, Xdp,
    af_spec::{AddrGenMode, Families, Inet6},
    xdp::{XdpAttached, XdpFlags},
};
use netlink_testing::{Result, ipv6, kernel, kind, suite};
use serde_json::Value;

use crate::bridges::bridge_and_port;
use crate::connect;

suite! {
    a_requested_index_is_honoured: kind("dummy");
    a_link_is_modified: kind("dummy");
    flags_are_set_one_by_one: kind("dummy");
    offload_limits_are_set: kind("dummy"), kernel(6, 3);
    alternative_names: kind("dummy"), kernel(5, 5);
    missing_objects_are_not_found;
    counters_of_a_pair_mirror: kind("veth");
    an_invalid_program_is_refused: kind("veth");
    events_of_another_namespace: kind("veth");
    a_master_and_none: kind("bridge"), kind("dummy");
    ipv6_addresses_are_made_as_asked: kind("dummy"), ipv6();
    lists_are_filtered_by_the_kernel: kind("bridge"), kind("dummy"), kind("ifb");
    two_hundred_links_are_deleted_at_once: kind("dummy");
    a_link_that_is_made_is_the_answer: kind("bridge"), kernel(6, 2);
    selectors_of_all_links_are_refused;
    a_list_with_virtual_functions: kind("dummy");
}

pub(crate) const MAC: [u8; 6] = [2, 0, 0, 0, 0x5e, 1];

/// A kind or a set as data, read with every getter.
pub(crate) fn data(of: &impl netlink_core::serde::Serialize) -> BTreeMap<String, Value> {
    let Ok(Value::Object(map)) = serde_json::to_value(of) else { panic!("not a map") };
    map.into_iter().collect()
}

/// The parameters of a kind, without its name.
pub(crate) fn parameters(kind: &Kind<'_>) -> BTreeMap<String, Value> {
    let named = data(kind).into_iter().next();
    let Some((_, Value::Object(map))) = named else { panic!("{kind:?}") };
    map.into_iter().collect()
}

/// Whether all requested values are read back. Kernels older than a parameter ignore it: those in `newer` may
/// be absent.
pub(crate) fn check(read: &BTreeMap<String, Value>, asked: &BTreeMap<String, Value>, newer: &[&str]) {
    let wrong: Vec<_> = asked
        .iter()
        .filter(|(name, value)| match read.get(*name) {
            None => !newer.contains(&name.as_str()),
            Some(is) => is != *value,
        })
        .map(|(name, value)| format!("{name}: {value} asked for, {:?} read", read.get(name)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Makes a link and checks that its kind is read back.
pub(crate) fn makes(
    nl: &mut Connection,
    name: &str,
    request: impl Fn(LinkRequest<()>) -> LinkRequest<()>,
    kind: impl Into<Kind<'static>>,
    newer: &[&str],
) -> Result<Link<'static>> {
    let kind = kind.into();
    nl.call(request(link::create(name)).kind(kind.clone()))?;
    let link = nl.call(link::get(name))?;
    check(&parameters(&link.kind().ok_or("no kind")?), &parameters(&kind), newer);
    Ok(link)
}

pub(crate) fn dummy(nl: &mut Connection, name: &str) -> Result<u32> {
    nl.call(link::create(name).kind("dummy"))?;
    Ok(nl.call(link::get(name))?.index())
}

pub(crate) fn inside(namespace: &Namespace) -> Result<Connection> {
    Ok(Connection::open_with(Protocol::ROUTE, &OpenOptions::new().namespace(namespace))?)
}

pub(crate) fn name(link: &Link<'_>) -> String {
    link.name().unwrap_or_default().to_string()
}

/// vishvananda 1
fn a_requested_index_is_honoured() -> Result {
    let mut nl = connect()?;
    nl.call(link::create("d0").index(1000).kind("dummy"))?;
    assert_eq!(nl.call(link::get("d0"))?.index(), 1000);
    assert_eq!(name(&nl.call(link::get(1000))?), "d0");
    assert!(nl.call(link::create("d1").index(1000).kind("dummy")).unwrap_err().is_exists());
    nl.call(link::create("d%d").kind("dummy"))?;
    assert!(nl.call(link::get("d1")).is_ok());
    assert!(nl.call(link::create("d0").kind("dummy")).unwrap_err().is_exists());
    Ok(())
}

/// vishvananda 2
fn a_link_is_modified() -> Result {
    let mut nl = connect()?;
    let index = dummy(&mut nl, "d0")?;
    nl.call(link::set("d0").mtu(1400))?;
    assert_eq!(nl.call(link::get(index))?.mtu(), Some(1400));
    nl.call(link::set(index).rename("other").alias("what it is for").address(MAC).tx_queue_len(0).group(7))?;
    let read = nl.call(link::get("other"))?;
    assert_eq!(read.index(), index);
    assert_eq!(read.alias().map(|alias| alias.to_string()).as_deref(), Some("what it is for"));
    assert_eq!((read.address(), read.perm_address()), (Some(MAC.into()), None));
    assert_eq!((read.tx_queue_len(), read.group(), read.mtu()), (Some(0), Some(7), Some(1400)));
    assert!(nl.call(link::get("d0")).unwrap_err().is_not_found());
    nl.call(link::set("other").alias("").tx_queue_len(77).broadcast([0xff; 6]))?;
    let read = nl.call(link::get("other"))?;
    assert_eq!((read.alias(), read.tx_queue_len()), (None, Some(77)));
    let long = "é".repeat(127);
    nl.call(link::set("other").alias(long.as_str()))?;
    assert_eq!(nl.call(link::get("other"))?.alias().map(|alias| alias.to_string()), Some(long));
    // Changes all links of a group at once.
    let second = dummy(&mut nl, "d1")?;
    nl.call(link::set(second).group(7))?;
    nl.call(link::set_group(7).mtu(1300).up())?;
    for index in [index, second] {
        let link = nl.call(link::get(index))?;
        assert_eq!((link.mtu(), link.is_up()), (Some(1300), true));
    }
    Ok(())
}

/// vishvananda 2
fn flags_are_set_one_by_one() -> Result {
    type Change = fn(LinkRequest<()>, bool) -> LinkRequest<()>;
    let changes: [(LinkFlags, Change); 7] = [
        (LinkFlags::UP, |request, on| if on { request.up() } else { request.down() }),
        (LinkFlags::PROMISC, LinkRequest::promisc),
        (LinkFlags::ALLMULTI, LinkRequest::allmulti),
        (LinkFlags::NOARP, |request, on| request.arp(!on)),
        (LinkFlags::MULTICAST, LinkRequest::multicast),
        (LinkFlags::DYNAMIC, LinkRequest::dynamic),
        (LinkFlags::DEBUG, LinkRequest::debug),
    ];
    // These flags follow from UP.
    let driven = LinkFlags::RUNNING | LinkFlags::LOWER_UP;
    let mut nl = connect()?;
    let index = dummy(&mut nl, "d0")?;
    for (flag, change) in changes {
        for on in [true, false, true] {
            let before = nl.call(link::get(index))?.flags() - driven;
            nl.call(change(link::set(index), on))?;
            let after = nl.call(link::get(index))?.flags() - driven;
            assert_eq!(after.contains(flag), on, "{flag}");
            assert_eq!(after - flag, before - flag, "{flag}");
        }
    }
    let link = nl.call(link::get(index))?;
    assert_eq!(link.promiscuity(), Some(1));
    Ok(())
}

/// vishvananda 17
fn offload_limits_are_set() -> Result {
    let mut nl = connect()?;
    let index = dummy(&mut nl, "d0")?;
    let before = nl.call(link::get(index))?;
    assert!(before.tso_max_size() >= Some(65536), "{before:?}");
    assert!(before.tso_max_segs() >= Some(65535), "{before:?}");
    let request = link::set(index).gso_max_size(32768).gso_max_segs(1000).gro_max_size(40000);
    nl.call(request.gso_ipv4_max_size(30000).gro_ipv4_max_size(31000))?;
    let link = nl.call(link::get(index))?;
    assert_eq!((link.gso_max_size(), link.gso_max_segs()), (Some(32768), Some(1000)));
    assert_eq!(link.gro_max_size(), Some(40000));
    assert_eq!((link.gso_ipv4_max_size(), link.gro_ipv4_max_size()), (Some(30000), Some(31000)));
    let error = nl.call(link::set(index).gso_max_segs(u32::MAX)).unwrap_err();
    assert!(matches!(error.errno(), Some(Errno::EINVAL | Errno::ERANGE)), "{error}");
    Ok(())
}

fn alt_names(nl: &mut Connection, by: &str) -> Result<Vec<String>> {
    Ok(nl.call(link::get(by))?.alt_names().map(|name| name.to_string()).collect())
}

/// vishvananda 11
fn alternative_names() -> Result {
    let mut nl = connect()?;
    let index = dummy(&mut nl, "d0")?;
    let longest = "l".repeat(127);
    let names =
        ["short", "a-name-of-more-than-fifteen-bytes", "fifteen--bytes-", "sixteen--bytes--", &longest];
    nl.call(link::add_alt_names(index, &names[..3]))?;
    nl.call(link::add_alt_names("d0", &names[3..]))?;
    assert_eq!(alt_names(&mut nl, "d0")?, names);
    for name in names {
        let link = nl.call(link::get(name))?;
        assert_eq!((link.index(), self::name(&link).as_str()), (index, "d0"), "{name}");
        let mtu = 1400 + u32::try_from(name.len())?;
        match nl.call(link::set(name).mtu(mtu)) {
            // Linux 5.10 does not search this name.
            Err(error) if name.len() > 15 && error.errno() == Some(Errno::ENODEV) => {
                nl.call(link::set(link.index()).mtu(mtu))?;
            }
            changed => changed?,
        }
        assert_eq!(nl.call(link::get("d0"))?.mtu(), Some(1400 + u32::try_from(name.len())?));
    }
    let taken = nl.call(link::create("short").kind("dummy")).unwrap_err();
    assert!(taken.is_exists(), "{taken}");
    assert!(nl.call(link::add_alt_names(1, &["short"])).unwrap_err().is_exists());
    let mut left = names.to_vec();
    // The list keeps its order.
    for gone in [1, 0, 2, 0] {
        let name = left.remove(gone);
        nl.call(link::delete_alt_names("d0", &[name]))?;
        assert_eq!(alt_names(&mut nl, "d0")?, left);
        assert!(nl.call(link::get(name)).unwrap_err().is_not_found(), "{name}");
    }
    assert!(nl.call(link::delete_alt_names(index, &["short"])).is_err());
    nl.call(link::delete_alt_names(left[0], &left))?;
    assert!(alt_names(&mut nl, "d0")?.is_empty());
    let long = "x".repeat(128);
    assert!(matches!(nl.call(link::add_alt_names(index, &[&long])), Err(Error::Request(_))));
    Ok(())
}

/// vishvananda 12
fn missing_objects_are_not_found() -> Result {
    let mut nl = connect()?;
    for error in [
        nl.call(link::get("nothing")).unwrap_err(),
        nl.call(link::get("nothing-with-a-long-name")).unwrap_err(),
        nl.call(link::get(4711)).unwrap_err(),
        nl.call(link::set("nothing").up()).unwrap_err(),
        nl.call(link::set(4711).up()).unwrap_err(),
        nl.call(link::delete("nothing")).unwrap_err(),
        nl.call(link::delete(4711)).unwrap_err(),
    ] {
        assert!(error.is_not_found(), "{error}");
    }
    // U4.
    let text = nl.call(link::get("nothing")).unwrap_err().to_string();
    assert_eq!(text, "RTM_GETLINK \"nothing\": No such device (ENODEV)");
    // The new link can't be missing: a link that it needs is.
    for error in [
        nl.call(link::add_alt_names(4711, &["name"])).unwrap_err(),
        nl.call(addr::add(4711, "10.0.0.1/24".parse()?)).unwrap_err(),
    ] {
        assert!(error.errno() == Some(Errno::ENODEV) && !error.is_not_found(), "{error}");
    }
    // A link other than the intended one is a different case.
    let error = nl.call(link::set("lo").master(4711)).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EINVAL), "{error}");
    let error = nl.call(link::create("x").kind("nosuchkind")).unwrap_err();
    assert!(error.is_unsupported(), "{error}");
    Ok(())
}

/// vishvananda 13
fn counters_of_a_pair_mirror() -> Result {
    let mut nl = connect()?;
    let other = Namespace::anonymous()?;
    // Only frames of this test are sent: no ARP, no IPv6. Without ARP a frame's destination is its sender's
    // address, so the receiver gets the same one.
    let peer = link::peer("b").net_ns_fd(other.as_raw_fd()).address(MAC).arp(false);
    let no_six = || Families::new().inet6(Inet6::new().addr_gen_mode(AddrGenMode::NONE));
    nl.call(link::create("a").address(MAC).arp(false).kind(Veth::new().peer(peer)))?;
    let mut there = inside(&other)?;
    // In a kernel without IPv6 there is nothing to switch off.
    let _ = nl.call(link::set("a").af_spec(no_six()));
    let _ = there.call(link::set("b").af_spec(no_six()));
    nl.call(link::set("a").up())?;
    there.call(link::set("b").up())?;
    let (a, b) = (nl.call(link::get("a"))?.index(), there.call(link::get("b"))?.index());
    nl.call(addr::add(a, "10.77.0.1/24".parse()?))?;
    there.call(addr::add(b, "10.77.0.2/24".parse()?))?;
    let receiver = other.run(|| UdpSocket::bind("10.77.0.2:7777"))??;
    receiver.set_read_timeout(Some(Duration::from_secs(5)))?;
    let sender = UdpSocket::bind("10.77.0.1:0")?;
    let before = nl.call(link::get("a"))?.stats64().ok_or("no counters")?;
    for _ in 0..20 {
        sender.send_to(&[7; 100], "10.77.0.2:7777")?;
    }
    for _ in 0..20 {
        assert_eq!(receiver.recv(&mut [0; 200])?, 100);
    }
    let a = nl.call(link::get("a"))?;
    let b = there.call(link::get("b"))?;
    let (a64, b64) = (a.stats64().ok_or("no counters")?, b.stats64().ok_or("no counters")?);
    assert!(a64.tx_packets >= before.tx_packets + 20, "{a64:?}");
    assert!(a64.tx_bytes >= before.tx_bytes + 20 * 142, "{a64:?}");
    assert_eq!((a64.tx_packets, a64.tx_bytes), (b64.rx_packets, b64.rx_bytes));
    assert_eq!((a64.rx_packets, a64.rx_bytes), (b64.tx_packets, b64.tx_bytes));
    let narrow = a.stats().ok_or("no counters")?;
    assert_eq!(u64::from(narrow.tx_packets), a64.tx_packets);
    assert_eq!(u64::from(narrow.tx_bytes), a64.tx_bytes);
    Ok(())
}

/// vishvananda 14, as far as possible without loading a program.
fn an_invalid_program_is_refused() -> Result {
    let mut nl = connect()?;
    nl.call(link::create("a").kind(Veth::new().peer(link::peer("b"))))?;
    let attached = |nl: &mut Connection| -> Result<_> {
        let link = nl.call(link::get("a"))?;
        Ok(link.xdp().and_then(|xdp| xdp.attached()))
    };
    assert_eq!(attached(&mut nl)?, Some(XdpAttached::NONE));
    nl.call(link::set("a").xdp(Xdp::detach()))?;
    let file = std::fs::File::open("/dev/null")?;
    for mode in [XdpFlags::empty(), XdpFlags::SKB_MODE, XdpFlags::UPDATE_IF_NOEXIST] {
        let error = nl.call(link::set("a").xdp(Xdp::attach(file.as_raw_fd()).flags(mode))).unwrap_err();
        assert!(matches!(error.errno(), Some(Errno::EINVAL | Errno::EBADF)), "{error}");
    }
    assert_eq!(attached(&mut nl)?, Some(XdpAttached::NONE));
    Ok(())
}

/// vishvananda 18
fn events_of_another_namespace() -> Result {
    let mut nl = connect()?;
    let other = Namespace::anonymous()?;
    let peer = link::peer("far").net_ns_fd(other.as_raw_fd());
    nl.call(link::create("near").kind(Veth::new().peer(peer)))?;
    let options = OpenOptions::new().namespace(&other);
    let mut events = Events::<Event<'static>>::open_with(Protocol::ROUTE, &[Group::LINK.0], &options)?;
    events.set_timeout(Some(Duration::from_secs(5)))?;
    // For existing ones, use a list.
    let mut there = inside(&other)?;
    let far = there.call(link::get("far"))?;
    there.call(link::set("far").up())?;
    let next = |events: &mut Events<Event<'static>>| -> Result<(Change, u32, bool)> {
        match events.next()? {
            Notice::Event { event: Event::Link(change, link), nsid: None, .. } => {
                Ok((change, link.index(), link.is_up()))
            }
            other => Err(format!("{other:?}").into()),
        }
    };
    assert_eq!(next(&mut events)?, (Change::Changed, far.index(), true));
    nl.call(link::delete("near"))?;
    loop {
        let (change, index, _) = next(&mut events)?;
        assert_eq!(index, far.index());
        if change == Change::Deleted {
            return Ok(());
        }
    }
}

/// Runs `ip` in the namespace of the thread.
pub(crate) fn ip(arguments: &str) -> Result<String> {
    let out = Command::new("ip").args(arguments.split_whitespace()).output()?;
    if !out.status.success() {
        return Err(format!("ip {arguments}: {}", String::from_utf8_lossy(&out.stderr)).into());
    }
    Ok(String::from_utf8(out.stdout)?)
}

fn a_master_and_none() -> Result {
    let mut nl = connect()?;
    let port = bridge_and_port(&mut nl)?;
    let bridge = nl.call(link::get("br0"))?.index();
    let link = nl.call(link::get(port))?;
    assert_eq!(link.master(), Some(bridge));
    assert!(link.slave().is_some() && link.bridge_port().is_some());
    nl.call(link::set(port).no_master())?;
    let link = nl.call(link::get(port))?;
    assert_eq!((link.master(), link.slave(), link.bridge_port()), (None, None, None));
    // Immediately when it is made.
    nl.call(link::create("p1").kind("dummy").master(bridge))?;
    assert_eq!(nl.call(link::get("p1"))?.master(), Some(bridge));
    assert!(nl.call(link::set("br0").master(port)).is_err());
    Ok(())
}

fn ipv6_addresses_are_made_as_asked() -> Result {
    let mut nl = connect()?;
    dummy(&mut nl, "d0")?;
    let mode = |nl: &mut Connection| -> Result<_> {
        let link = nl.call(link::get("d0"))?;
        Ok(link.inet6().and_then(|inet6| inet6.addr_gen_mode()))
    };
    assert_eq!(mode(&mut nl)?, Some(AddrGenMode::EUI64));
    for wanted in [AddrGenMode::NONE, AddrGenMode::RANDOM, AddrGenMode::EUI64] {
        let families = Families::new().inet6(Inet6::new().addr_gen_mode(wanted));
        nl.call(link::set("d0").af_spec(families))?;
        assert_eq!(mode(&mut nl)?, Some(wanted));
    }
    let link = nl.call(link::get("d0"))?;
    assert!(link.inet_conf().is_some_and(|conf| conf.iter().count() > 20), "{link:?}");
    Ok(())
}

fn names(
    nl: &mut Connection,
    request: LinkRequest<netlink_core::Dump<Link<'static>>>,
) -> Result<Vec<String>> {
    let links = nl.dump(request)?.collect()?;
    let mut names = Vec::new();
    for link in &links {
        let filtered = link.message().header.flags.contains(MessageFlags::DUMP_FILTERED);
        assert!(filtered, "the kernel did not filter {link:?}");
        names.push(name(&link.view()?));
    }
    names.sort();
    Ok(names)
}

fn lists_are_filtered_by_the_kernel() -> Result {
    let mut nl = connect()?;
    bridge_and_port(&mut nl)?;
    let bridge = nl.call(link::get("br0"))?.index();
    nl.call(link::create("i0").kind("ifb").master(bridge))?;
    nl.call(link::create("i1").kind("ifb"))?;
    nl.call(link::create("br1").kind(Bridge::new()))?;
    assert_eq!(nl.dump(link::list())?.collect()?.len(), 6);
    assert_eq!(names(&mut nl, link::list().master(bridge))?, ["i0", "p0"]);
    assert_eq!(names(&mut nl, link::list().of_kind("bridge"))?, ["br0", "br1"]);
    assert_eq!(names(&mut nl, link::list().of_kind("ifb"))?, ["i0", "i1"]);
    assert_eq!(names(&mut nl, link::list().of_kind("ifb").master(bridge))?, ["i0"]);
    assert!(names(&mut nl, link::list().of_kind("ifb").master(4711))?.is_empty());
    Ok(())
}

fn two_hundred_links_are_deleted_at_once() -> Result {
    let mut nl = connect()?;
    let made = nl.batch((0..200).map(|n| link::create(&format!("d{n}")).group(9).kind("dummy")));
    assert!(made.iter().all(std::result::Result::is_ok));
    nl.call(link::create("stays").kind("dummy"))?;
    assert_eq!(nl.dump(link::list())?.collect()?.len(), 202);
    nl.call(link::delete_group(9))?;
    assert_eq!(nl.dump(link::list())?.collect()?.len(), 2);
    assert!(nl.call(link::delete_group(9)).unwrap_err().is_not_found());
    Ok(())
}

fn selectors_of_all_links_are_refused() -> Result {
    let mut nl = connect()?;
    for request in [link::delete(0), link::delete_group(0), link::set(0).up(), link::add_alt_names(0, &["x"])]
    {
        assert!(matches!(nl.call(request), Err(Error::Request(_))));
    }
    assert!(matches!(nl.call(link::get(0)), Err(Error::Request(_))));
    Ok(())
}

fn a_list_with_virtual_functions() -> Result {
    let mut nl = connect()?;
    dummy(&mut nl, "d0")?;
    let links = nl.dump(link::list().ext_mask(ExtMask::VF | ExtMask::SKIP_STATS))?.collect()?;
    assert_eq!(links.len(), 2);
    for link in &links {
        let link = link.view()?;
        // No hardware here has them.
        assert_eq!((link.num_vf(), link.vfs().count()), (None, 0));
        assert!(link.inet6().is_none_or(|inet6| inet6.stats().is_none()));
    }
    assert!(nl.call(link::get("d0").ext_mask(ExtMask::VF)).is_ok());
    Ok(())
}

/// F17: a later query by name is different if the kernel chose the name, or if the link was renamed.
fn a_link_that_is_made_is_the_answer() -> Result {
    let mut nl = connect()?;
    let made = nl.call(link::create("x%d").kind(Bridge::new()).echo())?;
    assert_eq!(made.name().unwrap(), "x0");
    assert_eq!(nl.call(link::get(made.index()))?.name(), made.name());
    let refused = nl.call(link::set(made.index()).up().echo());
    assert!(matches!(refused, Err(Error::Request(_))));
    assert!(nl.call(link::create("x0").kind(Bridge::new()).echo()).unwrap_err().is_exists());
    // The connection waits for no further messages.
    nl.call(link::delete(made.index()))?;
    Ok(())
}
