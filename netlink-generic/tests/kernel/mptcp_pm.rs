//! Multipath TCP's path manager: endpoints and limits compared with `ip mptcp`, and connections over loopback.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use netlink_core::net::WideFamily;
use netlink_generic::mptcp_pm::{self, Address, AddressFlags, Event, MptcpPm};
use netlink_generic::{Client, Errno, Events, Notice, Reply as _};
use netlink_testing::{Mptcp, Need, Result, generic, ipv6, is_since, kernel, patience, program, suite};

use crate::output;

const FAMILY: Need = generic("mptcp_pm");
const IP: Need = program("ip");

suite! {
    endpoints_are_as_ip_shows_them: FAMILY, IP, ipv6();
    objects_made_by_ip_are_read: FAMILY, IP, ipv6();
    limits_are_as_ip_shows_them: FAMILY, IP;
    flags_of_an_endpoint_change: FAMILY, kernel(5, 15);
    refusals: FAMILY;
    a_connection_is_reported_from_beginning_to_end: FAMILY, IP, kernel(6, 2);
    a_connection_over_ipv6_is_reported_with_tokio: FAMILY, IP, ipv6();
    user_space_makes_and_ends_paths: FAMILY, IP, kernel(6, 9);
    endpoints_on_a_reactor: FAMILY;
}

type Pm = Client<MptcpPm>;

fn ip(arguments: &str) -> Result<String> {
    output("ip", &arguments.split(' ').collect::<Vec<_>>())
}

fn printed(nl: &mut Pm) -> Result<String> {
    let mut text = String::new();
    let mut endpoints = nl.dump(mptcp_pm::list())?;
    while let Some(endpoint) = endpoints.next()? {
        text += &format!("{endpoint}\n");
    }
    Ok(text)
}

/// Without the space that some versions print at the end of a line.
fn as_ip_prints() -> Result<String> {
    let lines = ip("mptcp endpoint show")?;
    Ok(lines.lines().map(|line| format!("{}\n", line.trim().replace("dev lo", "dev 1"))).collect())
}

/// Our text in the form of that `ip`: on a big-endian machine it reads the family incorrectly, and prints no address.
fn as_that_ip(ours: &str) -> String {
    let line = |line: &str| match line.split_once(' ') {
        Some((address, rest)) if cfg!(target_endian = "big") => {
            format!("{}{rest}\n", if address.contains(':') { "??? " } else { "" })
        }
        _ => format!("{line}\n"),
    };
    ours.lines().map(line).collect()
}

fn endpoints_are_as_ip_shows_them() -> Result {
    let mut nl = mptcp_pm::connect()?;
    for (addr, id, flags) in [
        ("10.0.0.1", 1, AddressFlags::SIGNAL),
        ("10.0.0.2", 2, AddressFlags::SUBFLOW | AddressFlags::BACKUP),
        ("2001:db8::1", 200, AddressFlags::SUBFLOW),
    ] {
        nl.call(mptcp_pm::add(Address::of(addr.parse()?).id(id).flags(flags)))?;
    }
    ip("link set lo up")?;
    nl.call(mptcp_pm::add(Address::of("10.0.0.4".parse()?).id(4).if_idx(1).flags(AddressFlags::SUBFLOW)))?;
    let ours = printed(&mut nl)?;
    assert_eq!(ours.lines().count(), 4);
    assert_eq!(as_that_ip(&ours), as_ip_prints()?);
    let one = nl.call(mptcp_pm::get(2))?;
    assert_eq!(one.to_string(), "10.0.0.2 id 2 subflow backup");
    // NA1: the address of an endpoint, by its number in connections.
    nl.call(mptcp_pm::delete_initial("10.0.0.2".parse()?))?;
    assert!(nl.call(mptcp_pm::delete(0)).unwrap_err().to_string().contains("number 0"));
    assert_eq!(printed(&mut nl)?, ours);
    nl.call(mptcp_pm::delete(2))?;
    assert_eq!(printed(&mut nl)?.lines().count(), 3);
    nl.call(mptcp_pm::flush())?;
    assert_eq!(ip("mptcp endpoint show")?, "");
    Ok(())
}

fn objects_made_by_ip_are_read() -> Result {
    let mut nl = mptcp_pm::connect()?;
    ip("link set lo up")?;
    ip("addr add 10.0.0.9/32 dev lo")?;
    ip("mptcp endpoint add 10.0.0.9 port 5000 id 9 dev lo signal")?;
    ip("mptcp endpoint add 2001:db8::2 subflow fullmesh")?;
    let endpoint = nl.call(mptcp_pm::get(9))?;
    let address = endpoint.addr().unwrap();
    assert_eq!(address.addr(), Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 9))));
    assert_eq!(
        (address.port(), address.if_idx(), address.family()),
        (Some(5000), Some(1), Some(WideFamily::INET))
    );
    assert_eq!(address.flags(), Some(AddressFlags::SIGNAL));
    assert_eq!(as_that_ip(&printed(&mut nl)?), as_ip_prints()?);
    Ok(())
}

fn limits_are_as_ip_shows_them() -> Result {
    let mut nl = mptcp_pm::connect()?;
    nl.call(mptcp_pm::set_limits().subflows(3).rcv_add_addrs(5))?;
    assert_eq!(ip("mptcp limits show")?.trim(), "add_addr_accepted 5 subflows 3");
    ip("mptcp limits set subflow 8 add_addr_accepted 0")?;
    let limits = nl.call(mptcp_pm::limits())?;
    assert_eq!((limits.subflows(), limits.rcv_add_addrs()), (Some(8), Some(0)));
    Ok(())
}

fn flags_of_an_endpoint_change() -> Result {
    let mut nl = mptcp_pm::connect()?;
    let address = Address::of("10.0.0.1".parse()?).flags(AddressFlags::SUBFLOW);
    nl.call(mptcp_pm::add(address.clone()))?;
    nl.call(mptcp_pm::set_flags(address.clone().flags(AddressFlags::BACKUP)))?;
    let flags = nl.call(mptcp_pm::get(1))?.addr().and_then(|address| address.flags());
    assert_eq!(flags, Some(AddressFlags::SUBFLOW | AddressFlags::BACKUP));
    nl.call(mptcp_pm::set_flags(Address::new().id(1).flags(AddressFlags::empty())))?;
    let flags = nl.call(mptcp_pm::get(1))?.addr().and_then(|address| address.flags());
    assert_eq!(flags, Some(AddressFlags::SUBFLOW));
    Ok(())
}

fn refusals() -> Result {
    let mut nl = mptcp_pm::connect()?;
    let address = Address::of("10.0.0.1".parse()?).id(1).flags(AddressFlags::SIGNAL);
    nl.call(mptcp_pm::add(address.clone()))?;
    let other = Address::of("10.0.0.9".parse()?).id(1).flags(AddressFlags::SIGNAL);
    for (again, refusal) in
        [(address.clone(), Errno::EBUSY), (other, Errno::EBUSY), (address.id(2), Errno::EEXIST)]
    {
        let error = nl.call(mptcp_pm::add(again)).unwrap_err();
        let refusal = if is_since(6, 12) { refusal } else { Errno::EINVAL };
        assert_eq!(error.errno(), Some(refusal), "{error}");
        assert!(error.to_string().starts_with("MPTCP_PM_CMD_ADD_ADDR"), "{error}");
    }
    let error = nl.call(mptcp_pm::get(77)).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EINVAL), "{error}");
    let error = nl.call(mptcp_pm::set_limits().subflows(u32::MAX)).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EINVAL), "{error}");
    let both = AddressFlags::SIGNAL | AddressFlags::FULLMESH;
    let refused = nl.call(mptcp_pm::add(Address::of("10.0.0.2".parse()?).flags(both)));
    assert_eq!(refused.unwrap_err().errno(), Some(Errno::EINVAL));
    let stranger = nl.call(mptcp_pm::announce(1, Address::of("10.0.0.3".parse()?).id(3)));
    assert_eq!(stranger.unwrap_err().errno(), Some(Errno::EINVAL));
    assert_eq!(nl.dump(mptcp_pm::list())?.collect()?.len(), 1);
    Ok(())
}

/// A listener, and both ends of a connection to it, with data in both directions: then the peer has the keys.
fn connection(host: impl Into<IpAddr>) -> Result<(TcpListener, TcpStream, TcpStream)> {
    let address = SocketAddr::new(host.into(), 5000);
    let listener = Mptcp::new(address)?.listen()?;
    let mut client = Mptcp::new(address)?.connect()?;
    let (mut server, _) = listener.accept()?;
    let mut byte = [0];
    for _ in 0..2 {
        client.write_all(b"?")?;
        server.read_exact(&mut byte)?;
        server.write_all(b"!")?;
        client.read_exact(&mut byte)?;
    }
    Ok((listener, client, server))
}

fn listen() -> Result<Events<Event<'static>>> {
    let mut events = mptcp_pm::subscribe(&[MptcpPm::EVENTS])?;
    events.set_timeout(Some(Duration::from_secs(5) * patience()))?;
    Ok(events)
}

fn next(events: &mut Events<Event<'static>>) -> Result<Event<'static>> {
    match events.next()? {
        Notice::Event { event, .. } => Ok(Event::own(event)),
        Notice::Overrun => Err("events were lost".into()),
    }
}

fn a_connection_is_reported_from_beginning_to_end() -> Result {
    ip("link set lo up")?;
    let mut events = listen()?;
    let ends = connection(Ipv4Addr::LOCALHOST)?;
    let Event::ListenerCreated(listener) = next(&mut events)? else { panic!("no listener") };
    assert_eq!((listener.saddr(), listener.sport().unwrap()), (Some(Ipv4Addr::LOCALHOST.into()), 5000));
    let (mut created, mut established) = (Vec::new(), Vec::new());
    while established.len() < 2 {
        match next(&mut events)? {
            Event::Created(path) => created.push(path),
            Event::Established(path) => established.push(path),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(created.len(), 2);
    for path in &created {
        assert!(path.token().is_some_and(|token| token != 0));
        assert_eq!(
            (path.saddr(), path.daddr()),
            (Some(Ipv4Addr::LOCALHOST.into()), Some(Ipv4Addr::LOCALHOST.into()))
        );
        let server = path.server_side() == Some(true);
        let port = if server { path.sport() } else { path.dport() };
        assert_eq!(port.unwrap(), 5000);
    }
    assert_eq!(created.iter().filter(|path| path.server_side() == Some(true)).count(), 1);
    drop(ends);
    let mut closed = Vec::new();
    while closed.len() < 2 {
        if let Event::Closed(path) = next(&mut events)? {
            closed.push(path.token());
        }
    }
    closed.sort();
    let mut tokens: Vec<_> = created.iter().map(|path| path.token()).collect();
    tokens.sort();
    assert_eq!(closed, tokens);
    Ok(())
}

fn a_connection_over_ipv6_is_reported_with_tokio() -> Result {
    ip("link set lo up")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut events = mptcp_pm::tokio::subscribe(&[MptcpPm::EVENTS]).await?;
        let _ends = connection(Ipv6Addr::LOCALHOST)?;
        let mut established = 0;
        while established < 2 {
            let limit = Duration::from_secs(5) * patience();
            let Notice::Event { event, .. } = tokio::time::timeout(limit, events.next()).await?? else {
                return Err("events were lost".into());
            };
            if let Event::Created(path) | Event::Established(path) = &event {
                assert_eq!(
                    (path.family(), path.saddr4(), path.daddr4()),
                    (Some(WideFamily::INET6), None, None)
                );
                assert_eq!(path.saddr(), Some(Ipv6Addr::LOCALHOST.into()));
                assert_eq!(path.daddr(), Some(Ipv6Addr::LOCALHOST.into()));
            }
            established += usize::from(matches!(event, Event::Established(_)));
        }
        Ok(())
    })
}

fn user_space_makes_and_ends_paths() -> Result {
    fs::write("/proc/sys/net/mptcp/pm_type", "1")?;
    ip("link set lo up")?;
    ip("addr add 127.0.0.2/8 dev lo")?;
    let mut events = listen()?;
    let mut nl = mptcp_pm::connect()?;
    let _ends = connection(Ipv4Addr::LOCALHOST)?;
    let (mut client, mut server) = (None, None);
    while client.is_none() || server.is_none() {
        if let Event::Established(path) = next(&mut events)? {
            let which = if path.server_side() == Some(true) { &mut server } else { &mut client };
            *which = path.token();
        }
    }
    let (client, server) = (client.unwrap(), server.unwrap());

    let second = Address::of("127.0.0.2".parse()?).id(7);
    nl.call(mptcp_pm::announce(server, second.clone().flags(AddressFlags::SIGNAL)))?;
    let Event::Announced(announced) = next(&mut events)? else { panic!("not announced") };
    assert_eq!((announced.token(), announced.rem_id()), (Some(client), Some(7)));
    assert_eq!(announced.daddr(), Some("127.0.0.2".parse()?));
    let listed = nl.dump(mptcp_pm::list_of(server))?.collect()?;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].view()?.addr().unwrap().id(), Some(7));
    nl.call(mptcp_pm::remove(server, 7))?;
    let Event::Removed(removed) = next(&mut events)? else { panic!("not removed") };
    assert_eq!((removed.token(), removed.rem_id()), (Some(client), Some(7)));

    let theirs = Address::of("127.0.0.1".parse()?).port(5000);
    nl.call(mptcp_pm::create_subflow(client, second.clone(), theirs.clone()))?;
    let mut port = None;
    for _ in 0..2 {
        let Event::SubEstablished(path) = next(&mut events)? else { panic!("no path") };
        if path.token() == Some(client) {
            port = path.sport();
        }
    }
    let ours = second.port(port.ok_or("no path of the client")?);
    let backup = mptcp_pm::set_flags(ours.clone().flags(AddressFlags::BACKUP));
    nl.call(backup.token(client).addr_remote(theirs.clone()))?;
    let Event::SubPriority(path) = next(&mut events)? else { panic!("no other priority") };
    assert_eq!((path.token(), path.rem_id(), path.backup()), (Some(server), Some(7), Some(true)));
    nl.call(mptcp_pm::destroy_subflow(client, ours.clone(), theirs.clone()))?;
    let Event::SubClosed(path) = next(&mut events)? else { panic!("not closed") };
    assert!([Some(client), Some(server)].contains(&path.token()));
    let error = nl.call(mptcp_pm::destroy_subflow(client, ours, theirs)).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::ESRCH), "{error}");
    Ok(())
}

fn endpoints_on_a_reactor() -> Result {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut nl = mptcp_pm::tokio::connect().await?;
        nl.call(mptcp_pm::add(Address::of("10.0.0.1".parse()?).flags(AddressFlags::SIGNAL))).await?;
        assert_eq!(nl.dump(mptcp_pm::list()).await?.collect().await?.len(), 1);
        nl.call(mptcp_pm::flush()).await?;
        assert_eq!(nl.dump(mptcp_pm::list()).await?.collect().await?.len(), 0);
        Ok(())
    })
}
