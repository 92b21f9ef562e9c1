//! Lists: they are complete, and have only requested objects.

use netlink_core::{Connection, Dump, Error, Owned, Reply, ToRequest};
use netlink_route::link::{self, Bridge, ExtMask, LinkRequest, Veth};
use netlink_route::route::{Protocol, Route, RouteHeader, RouteRequest, RouteType};
use netlink_route::{Family, Switch, addr, route};
use netlink_testing::{Result, ipv6, kernel, kind, suite};

use crate::{LO, connect, host};

suite! {
    a_link_larger_than_a_dump_does_not_end_the_list: kind("veth"), kernel(5, 5);
    links_of_a_kind_without_a_module: kind("bridge");
    a_kernel_that_does_not_filter_by_itself: kind("bridge"), ipv6();
    a_deletion_deletes_nothing_else: kind("bridge"), ipv6();
}

/// A list, filtered again. A connection does that itself; a list that it filtered does not change.
fn listed<Q, R>(nl: &mut Connection, list: Q) -> Result<Vec<Owned<R>>>
where
    Q: ToRequest<Answer = Dump<R>>,
    R: Reply + 'static,
{
    Ok(nl.dump(&list)?.collect()?)
}

/// F3: without a mask the kernel reports the end of the list at the first link that does not fit.
fn a_link_larger_than_a_dump_does_not_end_the_list() -> Result {
    let mut nl = connect()?;
    nl.call(link::create("v0").kind(Veth::new().peer(link::peer("v1"))))?;
    // It comes after `v0`, and so would be lost too.
    nl.call(link::create("v2").kind(Veth::new().peer(link::peer("v3"))))?;
    for part in 0..15 {
        let names: Vec<String> = (0..20).map(|n| format!("{:0>120}", part * 20 + n)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        nl.call(link::add_alt_names("v0", &names))?;
    }
    let names = |nl: &mut Connection, list: LinkRequest<Dump<link::Link<'static>>>| -> Result<Vec<String>> {
        let links = nl.dump(list)?.collect()?;
        let mut names = Vec::new();
        for link in &links {
            names.push(link.view()?.name().ok_or("no name")?.to_string());
        }
        names.sort();
        Ok(names)
    };
    let all = ["lo", "v0", "v1", "v2", "v3"];
    assert_eq!(names(&mut nl, link::list())?, all);
    assert_eq!(names(&mut nl, link::list().ext_mask(ExtMask::empty()))?, all);
    assert_eq!(names(&mut nl, link::list().ext_mask(ExtMask::SKIP_STATS))?, all);
    assert_eq!(names(&mut nl, link::list().of_kind("veth"))?, all[1..]);
    Ok(())
}

/// F4: the kernel lists all links then, and a loop that deletes the listed links would delete all.
fn links_of_a_kind_without_a_module() -> Result {
    let mut nl = connect()?;
    for name in ["keep0", "keep1"] {
        nl.call(link::create(name).kind(Bridge::new()))?;
    }
    let bridge = nl.call(link::get("keep0"))?.index();
    assert_eq!(listed(&mut nl, link::list().of_kind("nosuchkind"))?.len(), 0);
    assert_eq!(listed(&mut nl, link::list().of_kind("nosuchkind").master(bridge))?.len(), 0);
    assert_eq!(listed(&mut nl, link::list().of_kind("bridge"))?.len(), 2);
    assert_eq!(listed(&mut nl, link::list())?.len(), 3);
    Ok(())
}

/// F4: without strict checking the kernel uses few filters, and never a family that it does not know.
fn a_kernel_that_does_not_filter_by_itself() -> Result {
    let mut nl = connect()?;
    nl.call(link::create("br0").kind(Bridge::new()).up())?;
    let bridge = nl.call(link::get("br0"))?.index();
    nl.call(addr::add(LO, host(1)))?;
    nl.call(addr::add(bridge, host(2)))?;
    nl.call(route::add(host(3)).oif(LO).table(100).protocol(Protocol::STATIC))?;
    nl.call(route::add(host(4)).oif(bridge))?;
    for strict in [true, false] {
        let set = nl.socket().set(Switch::STRICT_CHECK, strict);
        assert!(!strict || set.is_ok());
        let v4 = || addr::list().family(Family::INET);
        assert_eq!(listed(&mut nl, v4().link(bridge))?.len(), 1);
        if !strict {
            assert_eq!(listed(&mut nl, v4().link(4711))?.len(), 0);
        }
        assert_eq!(listed(&mut nl, v4())?.len(), 3);
        assert_eq!(listed(&mut nl, addr::list().family(Family(99)))?.len(), 0);
        assert_eq!(listed(&mut nl, route::list().table(100))?.len(), 1);
        assert_eq!(listed(&mut nl, route::list().family(Family::INET).table(100))?.len(), 1);
        assert_eq!(listed(&mut nl, route::list().protocol(Protocol::STATIC))?.len(), 1);
        assert_eq!(listed(&mut nl, route::list().table(254).family(Family::INET).oif(bridge))?.len(), 1);
        assert_eq!(listed(&mut nl, route::list().family(Family(99)))?.len(), 0);
        assert_eq!(listed(&mut nl, route::list().family(Family(99)).table(100))?.len(), 0);
        for route in &listed(&mut nl, route::list().family(Family::INET6))? {
            assert_eq!(route.view()?.family(), Family::INET6);
        }
    }
    Ok(())
}

/// F4: the kernel ignores these conditions, and would delete links that do not match.
fn a_deletion_deletes_nothing_else() -> Result {
    let mut nl = connect()?;
    nl.call(link::create("br0").kind(Bridge::new()).group(7))?;
    let net: netlink_route::Addr = "2001:db8:5::/48".parse()?;
    nl.call(route::add(net).oif(LO).table(100))?;
    let blackhole = route::delete(net).table(100).kind(RouteType::BLACKHOLE);
    assert!(matches!(nl.call(&blackhole), Err(Error::Request(_))));
    assert!(matches!(nl.call(link::delete_group(7).of_kind("veth")), Err(Error::Request(_))));
    assert_eq!(nl.dump(route::list().table(100))?.collect()?.len(), 1);
    assert!(nl.call(link::get("br0")).is_ok());
    // The kernel ignores the type.
    let header = RouteHeader::default().family(Family::INET6).dst_len(48u8).table(100u8);
    let flags = netlink_route::MessageFlags::ACK;
    let plain = RouteRequest::<()>::new(&Route::DEL, flags, header.kind(RouteType::BLACKHOLE));
    nl.call(plain.dst(net.ip()))?;
    assert_eq!(nl.dump(route::list().table(100))?.collect()?.len(), 0);
    Ok(())
}
