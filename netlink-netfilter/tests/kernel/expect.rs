//! Expectations: made, read, deleted, their events, and a connection that matches.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use netlink_core::{Connection, Errno, Notice};
use netlink_netfilter::conntrack::{self, Helper, Nat, Status, Tuple};
use netlink_netfilter::event::{Change, Event, Group};
use netlink_netfilter::expect::{self, Direction, ExpectFlags, ExpectNat};
use netlink_netfilter::{Family, connect, subscribe};
use netlink_testing::{Result, module, program, suite};

use crate::conntrack::read;
use crate::{make, nft, sysctl};

suite! {
    an_expectation_is_made_read_and_deleted: module("nf_conntrack_ftp");
    a_timeout_is_the_helpers_until_it_is_changed: module("nf_conntrack_ftp");
    a_zone_distinguishes_expectations: module("nf_conntrack_ftp");
    expectations_are_flushed_by_helper: module("nf_conntrack_ftp");
    an_expectation_with_flags_class_and_translation: module("nf_conntrack_ftp");
    expectations_of_one_connection: module("nf_conntrack_ftp");
    a_master_without_a_helper_expects_nothing: module("nf_conntrack_ftp");
    events_of_expectations: module("nf_conntrack_ftp");
    statistics_count_new_expectations: module("nf_conntrack_ftp");
    ftp_data_meets_its_expectation: module("nf_conntrack_ftp"), program("nft"), program("ip");
}

fn control() -> Tuple {
    Tuple::tcp("10.0.0.1:1000".parse().unwrap(), "10.0.0.2:21".parse().unwrap())
}

/// Data from the server to a port of the client.
fn data(port: u16) -> Tuple {
    Tuple::tcp("10.0.0.2:0".parse().unwrap(), ([10, 0, 0, 1], port).into())
}

fn mask() -> Tuple {
    Tuple::tcp("255.255.255.255:0".parse().unwrap(), "255.255.255.255:65535".parse().unwrap())
}

/// A connection with a master that exists.
fn connect_with_master() -> Result<Connection> {
    let mut nl = connect()?;
    nl.call(make(&control()).help(Helper::named("ftp")))?;
    Ok(nl)
}

fn an_expectation_is_made_read_and_deleted() -> Result {
    let mut nl = connect_with_master()?;
    nl.call(expect::create(&control(), &data(2000), &mask()).timeout(300))?;
    assert!(nl.call(expect::create(&control(), &data(2000), &mask()).timeout(300)).unwrap_err().is_exists());
    let read = nl.call(expect::get(&data(2000)))?;
    assert_eq!(read.header().family, Family::IPV4);
    assert_eq!((read.tuple(), read.master()), (Some(data(2000).attrs()), Some(control().attrs())));
    assert_eq!(read.mask().unwrap().src(), Some("255.255.255.255".parse()?));
    assert_eq!(read.mask().unwrap().proto().unwrap().src_port(), Some(0));
    assert!((290..=300).contains(&read.timeout().unwrap()));
    assert_eq!(read.help_name(), Some("ftp".into()));
    assert_eq!((read.expect_flags(), read.class()), (Some(ExpectFlags::empty()), Some(0)));
    assert_eq!((read.nat(), read.function(), read.unknown().count()), (None, None, 0));
    let id = read.id().unwrap();
    assert!(nl.call(expect::delete(&data(2000)).id(id ^ 1)).unwrap_err().is_not_found());
    nl.call(expect::delete(&data(2000)).id(id))?;
    assert!(nl.call(expect::get(&data(2000))).unwrap_err().is_not_found());
    assert!(nl.call(expect::delete(&data(2000))).unwrap_err().is_not_found());
    let no_master = expect::create(&crate::flow(7), &data(2000), &mask()).timeout(5);
    let error = nl.call(no_master).unwrap_err();
    // The master is missing, not the new expectation.
    assert!(error.errno() == Some(Errno::ENOENT) && !error.is_not_found(), "{error}");
    Ok(())
}

/// N7
fn a_timeout_is_the_helpers_until_it_is_changed() -> Result {
    let mut nl = connect_with_master()?;
    nl.call(expect::create(&control(), &data(2000), &mask()).timeout(100))?;
    let left = nl.call(expect::get(&data(2000)))?.timeout().unwrap();
    assert!((280..=300).contains(&left), "{left}");
    nl.call(expect::update(&data(2000)).timeout(100))?;
    let left = nl.call(expect::get(&data(2000)))?.timeout().unwrap();
    assert!((80..=100).contains(&left), "{left}");
    assert!(nl.call(expect::update(&data(2001)).timeout(100)).unwrap_err().is_not_found());
    Ok(())
}

fn a_zone_distinguishes_expectations() -> Result {
    let mut nl = connect_with_master()?;
    nl.call(make(&control()).zone(5).help(Helper::named("ftp")))?;
    nl.call(expect::create(&control(), &data(2000), &mask()).zone(5))?;
    assert!(nl.call(expect::get(&data(2000))).unwrap_err().is_not_found());
    assert_eq!(nl.call(expect::get(&data(2000)).zone(5))?.tuple(), Some(data(2000).attrs()));
    assert_eq!(nl.dump(expect::list_of(&control()))?.collect()?.len(), 0);
    assert_eq!(nl.dump(expect::list_of(&control()).zone(5))?.collect()?.len(), 1);
    nl.call(expect::update(&data(2000)).zone(5).timeout(100))?;
    assert!(nl.call(expect::delete(&data(2000))).unwrap_err().is_not_found());
    nl.call(expect::delete(&data(2000)).zone(5))?;
    Ok(())
}

fn expectations_are_flushed_by_helper() -> Result {
    let mut nl = connect_with_master()?;
    nl.call(expect::create(&control(), &data(2000), &mask()).timeout(300))?;
    nl.call(expect::flush().help_name("irc"))?;
    assert_eq!(nl.dump(expect::list())?.collect()?.len(), 1);
    nl.call(expect::flush().help_name("ftp"))?;
    assert_eq!(nl.dump(expect::list())?.collect()?.len(), 0);
    nl.call(expect::create(&control(), &data(2000), &mask()).timeout(300))?;
    nl.call(expect::flush())?;
    assert_eq!(nl.dump(expect::list())?.collect()?.len(), 0);
    Ok(())
}

fn an_expectation_with_flags_class_and_translation() -> Result {
    let mut nl = connect()?;
    let nat = Nat::to("192.0.2.1".parse()?);
    nl.call(make(&control()).help(Helper::named("ftp")).nat_src(nat))?;
    let saved = Tuple::tcp("10.0.0.2:20".parse()?, "0.0.0.0:0".parse()?);
    let translation = ExpectNat::new().dir(Direction::REPLY).tuple(saved);
    let request = expect::create(&control(), &data(2000), &mask()).timeout(300);
    let request =
        request.expect_flags(ExpectFlags::PERMANENT | ExpectFlags::INACTIVE).class(0).help_name("ftp");
    nl.call(request.nat(translation).function("nat-follow-master"))?;
    let read = nl.call(expect::get(&data(2000)))?;
    assert_eq!(read.expect_flags(), Some(ExpectFlags::PERMANENT | ExpectFlags::INACTIVE));
    assert_eq!(read.function(), Some("nat-follow-master".into()));
    let nat = read.nat().unwrap();
    assert_eq!(nat.dir(), Some(Direction::REPLY));
    assert_eq!(nat.tuple().unwrap().src_socket(), Some("10.0.0.2:20".parse()?));
    Ok(())
}

fn expectations_of_one_connection() -> Result {
    let mut nl = connect_with_master()?;
    let other = Tuple::tcp("10.0.0.3:1000".parse()?, "10.0.0.2:21".parse()?);
    nl.call(make(&other).help(Helper::named("ftp")))?;
    nl.call(expect::create(&control(), &data(2000), &mask()).timeout(300))?;
    nl.call(expect::create(&other, &data(3000), &mask()).timeout(300))?;
    assert_eq!(nl.dump(expect::list())?.collect()?.len(), 2);
    assert_eq!(nl.dump(expect::list().family(Family::IPV6))?.collect()?.len(), 0);
    let of_one = nl.dump(expect::list_of(&other))?.collect()?;
    assert_eq!(of_one.len(), 1);
    assert_eq!(of_one[0].view()?.tuple(), Some(data(3000).attrs()));
    let missing = nl.dump(expect::list_of(&crate::flow(7)))?.collect().unwrap_err();
    assert!(missing.error.is_not_found());
    Ok(())
}

fn a_master_without_a_helper_expects_nothing() -> Result {
    let mut nl = connect()?;
    nl.call(make(&control()))?;
    let refused = nl.call(expect::create(&control(), &data(2000), &mask()).timeout(5)).unwrap_err();
    assert!(refused.is_unsupported(), "{refused}");
    // The kernel sends only an acknowledgement, and no list.
    assert_eq!(nl.dump(expect::list_of(&control()))?.collect()?.len(), 0);
    assert_eq!(nl.dump(conntrack::list())?.collect()?.len(), 1);
    Ok(())
}

fn events_of_expectations() -> Result {
    sysctl("events", "1")?;
    let mut nl = connect_with_master()?;
    let mut events = subscribe(&Group::EXPECT)?;
    events.set_timeout(Some(Duration::from_secs(10)))?;
    nl.call(expect::create(&control(), &data(2000), &mask()).timeout(300))?;
    nl.call(expect::delete(&data(2000)))?;
    for (expected, expected_group) in
        [(Change::New, Group::EXPECT_NEW), (Change::Deleted, Group::EXPECT_DESTROY)]
    {
        match events.next()? {
            Notice::Event { event: Event::Expect(change, event), group, .. } => {
                assert_eq!((change, group), (expected, expected_group.0));
                assert_eq!(event.tuple(), Some(data(2000).attrs()));
            }
            other => panic!("{other:?}"),
        }
    }
    Ok(())
}

fn created(nl: &mut Connection) -> Result<u32> {
    let mut sum = 0;
    let mut listing = nl.dump(expect::stats())?;
    let mut cpus = Vec::new();
    while let Some(stats) = listing.next()? {
        sum += stats.create().unwrap();
        assert!(stats.new_connections().is_some() && stats.delete().is_some());
        cpus.push(stats.cpu());
    }
    assert_eq!(cpus, (0..cpus.len() as u16).collect::<Vec<_>>());
    Ok(sum)
}

fn statistics_count_new_expectations() -> Result {
    let mut nl = connect_with_master()?;
    let before = created(&mut nl)?;
    nl.call(expect::create(&control(), &data(2000), &mask()).timeout(300))?;
    assert_eq!(created(&mut nl)?, before + 1);
    Ok(())
}

/// The helper reads `PORT` and expects the data connection, which is then opened.
fn ftp_data_meets_its_expectation() -> Result {
    let mut nl = connect()?;
    crate::packets::track(&mut nl)?;
    let control = TcpListener::bind("127.0.0.1:0")?;
    let port = control.local_addr()?.port();
    nft(&format!(
        "table ip h {{
            ct helper ftp-any {{ type \"ftp\" protocol tcp; }}
            chain c {{ type filter hook output priority 0; tcp dport {port} ct helper set \"ftp-any\"; }}
        }}"
    ))?;
    let mut client = TcpStream::connect(control.local_addr()?)?;
    let (mut server, _) = control.accept()?;
    let data = TcpListener::bind("127.0.0.1:0")?;
    let to = data.local_addr()?;
    // The helper starts after the first line whose end it sees.
    client.write_all(b"NOOP\r\n")?;
    server.read_exact(&mut [0; 6])?;
    write!(client, "PORT 127,0,0,1,{},{}\r\n", to.port() >> 8, to.port() & 255)?;
    server.read_exact(&mut [0; 8])?;

    let master = Tuple::tcp(client.local_addr()?, control.local_addr()?);
    let expected = nl.dump(expect::list())?.collect()?;
    assert_eq!(expected.len(), 1);
    assert_eq!(expected[0].view()?.tuple().unwrap().dst_socket(), Some(to));
    assert_eq!(expected[0].view()?.master(), Some(master.clone().attrs()));

    let sender = TcpStream::connect(to)?;
    data.accept()?;
    assert!(nl.dump(expect::list())?.collect()?.is_empty());
    let entry = read(&mut nl, &Tuple::tcp(sender.local_addr()?, to))?;
    assert!(entry.status().unwrap().contains(Status::EXPECTED));
    assert_eq!(entry.tuple_master(), Some(master.attrs()));
    Ok(())
}
