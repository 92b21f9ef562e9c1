//! Timeout policies of every protocol, their defaults, and the connections that get them.

use std::collections::BTreeMap;
use std::fs;
use std::net::UdpSocket;

use netlink_core::{Connection, Errno, Error};
use netlink_netfilter::conntrack::{IpProtocol, Tuple};
use netlink_netfilter::timeout::{
    self, DccpTimeouts, GENERIC, GenericTimeouts, GreTimeouts, IcmpTimeouts, Icmpv6Timeouts, SctpTimeouts,
    TcpTimeouts, Timeout, Timeouts, UdpTimeouts, UdpliteTimeouts,
};
use netlink_netfilter::{Family, connect};
use netlink_testing::{Need, Result, is_since, kernel, program, suite, when};
use serde_json::Value;
use tokio::runtime::Builder;

use crate::conntrack::read;
use crate::run;

suite! {
    policies_of_every_protocol;
    a_policy_of_dccp: DCCP;
    a_policy_of_udplite: UDPLITE;
    missing_values_are_defaults;
    a_name_is_taken_once;
    defaults_equal_the_sysctls;
    many_are_listed_and_flushed;
    a_rule_gives_it_to_connections: program("iptables-nft"), program("ip");
    an_object_in_use_is_kept_or_deleted: kernel(6, 18), program("iptables-nft"), program("ip");
    nfct_shows_what_was_made_here: program("nfct");
    objects_made_by_nfct_are_read: program("nfct");
    policies_on_a_reactor;
    refusals;
}

const DCCP: Need = when("the kernel does not track DCCP", || known(IpProtocol::DCCP));
const UDPLITE: Need = when("the kernel does not track UDP-Lite", || known(IpProtocol::UDPLITE));

fn known(protocol: IpProtocol) -> bool {
    connect().and_then(|mut nl| nl.call(timeout::default(Family::IPV4, protocol))).is_ok()
}

fn tcp() -> TcpTimeouts {
    let opening = TcpTimeouts::new().syn_sent(1).syn_recv(2).established(3).syn_sent2(9);
    opening.fin_wait(4).close_wait(5).last_ack(6).time_wait(7).close(8).retrans(10).unack(11)
}

fn sctp() -> SctpTimeouts {
    let opening = SctpTimeouts::new().closed(1).cookie_wait(2).cookie_echoed(3).established(4);
    opening.shutdown_sent(5).shutdown_recd(6).shutdown_ack_sent(7).heartbeat_sent(8)
}

fn dccp() -> DccpTimeouts {
    DccpTimeouts::new().request(1).respond(2).partopen(3).open(4).closereq(5).closing(6).timewait(7)
}

fn every() -> [(&'static str, Timeouts<'static>); 7] {
    [
        ("tcp", tcp().into()),
        ("udp", UdpTimeouts::new().unreplied(1).replied(2).into()),
        ("icmp", IcmpTimeouts::new().timeout(1).into()),
        ("icmpv6", Icmpv6Timeouts::new().timeout(1).into()),
        ("sctp", sctp().into()),
        ("gre", GreTimeouts::new().unreplied(1).replied(2).into()),
        ("generic", GenericTimeouts::new().timeout(1).into()),
    ]
}

/// Its times by name.
fn times(timeouts: &Timeouts<'_>) -> BTreeMap<String, Value> {
    let Ok(Value::Object(map)) = serde_json::to_value(timeouts) else { panic!("{timeouts:?}") };
    let Some((_, Value::Object(times))) = map.into_iter().next() else { panic!("{timeouts:?}") };
    times.into_iter().collect()
}

fn assert_has(read: &Timeout<'_>, family: Family, asked: &Timeouts<'_>) {
    assert_eq!((read.family(), read.l4proto()), (Some(family), Some(asked.protocol())));
    let there = times(&read.timeouts().unwrap());
    for (name, time) in times(asked) {
        assert_eq!(there.get(&name), Some(&time), "{name}");
    }
    assert_eq!(read.unknown().count(), 0);
}

fn check(nl: &mut Connection, name: &str, timeouts: &Timeouts<'_>) -> Result {
    for family in [Family::IPV4, Family::IPV6] {
        nl.call(timeout::create(name, family, timeouts.clone()))?;
        let policy = nl.call(timeout::get(name))?;
        assert_eq!(policy.name().unwrap(), name);
        assert_eq!(policy.use_count(), Some(1));
        assert_has(&policy, family, timeouts);
        nl.call(timeout::delete(name))?;
        assert!(nl.call(timeout::get(name)).unwrap_err().is_not_found());
        let default = nl.call(timeout::default(family, timeouts.protocol()))?;
        let names = |timeouts: &_| times(timeouts).into_keys().collect::<Vec<_>>();
        let all = names(&default.timeouts().unwrap());
        assert!(names(timeouts).iter().all(|name| all.contains(name)), "{all:?}");
    }
    Ok(())
}

fn policies_of_every_protocol() -> Result {
    let mut nl = connect()?;
    every().iter().try_for_each(|(name, timeouts)| check(&mut nl, name, timeouts))
}

fn a_policy_of_dccp() -> Result {
    check(&mut connect()?, "dccp", &dccp().into())
}

fn a_policy_of_udplite() -> Result {
    check(&mut connect()?, "udplite", &UdpliteTimeouts::new().unreplied(1).replied(2).into())
}

fn missing_values_are_defaults() -> Result {
    let mut nl = connect()?;
    let default = nl.call(timeout::default(Family::IPV4, IpProtocol::TCP))?;
    let mut expected = times(&default.timeouts().unwrap());
    nl.call(timeout::create("p", Family::IPV4, tcp()))?;
    nl.call(timeout::create_or_replace("p", Family::IPV4, TcpTimeouts::new().close(99)))?;
    expected.insert("close".into(), 99.into());
    assert_eq!(times(&nl.call(timeout::get("p"))?.timeouts().unwrap()), expected);
    nl.call(timeout::create_or_replace("new", Family::IPV4, TcpTimeouts::new()))?;
    nl.call(timeout::get("new"))?;
    Ok(())
}

fn a_name_is_taken_once() -> Result {
    let mut nl = connect()?;
    nl.call(timeout::create("p", Family::IPV4, tcp()))?;
    assert!(nl.call(timeout::create("p", Family::IPV4, tcp())).unwrap_err().is_exists());
    let others: [(Family, Timeouts<'_>); 2] =
        [(Family::IPV6, tcp().into()), (Family::IPV4, IcmpTimeouts::new().timeout(1).into())];
    for (family, other) in others {
        let error = nl.call(timeout::create_or_replace("p", family, other)).unwrap_err();
        assert_eq!(error.errno(), Some(Errno::EINVAL));
    }
    assert_has(&nl.call(timeout::get("p"))?, Family::IPV4, &tcp().into());
    Ok(())
}

fn defaults_equal_the_sysctls() -> Result {
    let mut nl = connect()?;
    let sysctl = |name: &str| fs::read_to_string(format!("/proc/sys/net/netfilter/nf_conntrack_{name}"));
    let shown = |name: &str| -> Result<u32> { Ok(sysctl(name)?.trim().parse()?) };
    nl.call(timeout::set_default(Family::IPV4, UdpTimeouts::new().unreplied(11)))?;
    let default = nl.call(timeout::default(Family::IPV6, IpProtocol::UDP))?;
    let Some(Timeouts::Udp(udp)) = default.timeouts() else { panic!("{default:?}") };
    assert_eq!(udp.unreplied(), Some(11));
    assert_eq!(udp.unreplied(), Some(shown("udp_timeout")?));
    assert_eq!(udp.replied(), Some(shown("udp_timeout_stream")?));

    let replied = udp.replied();
    nl.call(timeout::set_default(Family::IPV4, UdpTimeouts::new().replied(12)))?;
    assert_ne!(replied, Some(12));
    assert_eq!((shown("udp_timeout")?, shown("udp_timeout_stream")?), (11, 12));
    nl.call(timeout::set_default(Family::IPV4, GenericTimeouts::new().timeout(13)))?;
    assert_eq!(shown("generic_timeout")?, 13);
    let generic = nl.call(timeout::default(Family::IPV4, GENERIC))?;
    assert_has(&generic, Family::IPV4, &GenericTimeouts::new().timeout(13).into());
    assert_eq!(generic.name(), None);
    Ok(())
}

fn many_are_listed_and_flushed() -> Result {
    let mut nl = connect()?;
    let names: Vec<_> = (0..500).map(|n| format!("policy-{n}")).collect();
    let made = nl.batch(names.iter().map(|name| timeout::create(name, Family::IPV4, tcp())));
    assert!(made.iter().all(std::result::Result::is_ok));
    let mut listed = Vec::new();
    let mut listing = nl.dump(timeout::list())?;
    while let Some(policy) = listing.next()? {
        assert_eq!(policy.timeouts(), Some(tcp().into()));
        listed.push(policy.name().unwrap().to_string());
    }
    assert_eq!(listed, names);
    nl.call(timeout::flush())?;
    assert_eq!(nl.dump(timeout::list())?.collect()?.len(), 0);
    Ok(())
}

/// A policy for datagrams, and a rule that uses it.
fn used(nl: &mut Connection) -> Result {
    run("ip link set lo up")?;
    nl.call(timeout::create("used", Family::IPV4, UdpTimeouts::new().unreplied(3000)))?;
    run("iptables-nft -t raw -A OUTPUT -p udp -j CT --timeout used")?;
    assert!(nl.call(timeout::get("used"))?.use_count() > Some(1));
    Ok(())
}

fn a_rule_gives_it_to_connections() -> Result {
    let mut nl = connect()?;
    used(&mut nl)?;
    let (server, client) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    let flow = Tuple::udp(client.local_addr()?, server.local_addr()?);
    client.send_to(b"data", server.local_addr()?)?;
    assert!((2900..=3000).contains(&read(&mut nl, &flow)?.timeout().unwrap()));
    // Connections with the policy get new times with their next packet.
    nl.call(timeout::create_or_replace("used", Family::IPV4, UdpTimeouts::new().unreplied(5000)))?;
    client.send_to(b"data", server.local_addr()?)?;
    assert!((4900..=5000).contains(&read(&mut nl, &flow)?.timeout().unwrap()));
    // The connection continues without the policy.
    run("iptables-nft -t raw -F")?;
    nl.call(timeout::delete("used"))?;
    assert!(read(&mut nl, &flow)?.timeout().unwrap() > 4000);
    Ok(())
}

fn an_object_in_use_is_kept_or_deleted() -> Result {
    let mut nl = connect()?;
    used(&mut nl)?;
    nl.call(timeout::create("spare", Family::IPV4, UdpTimeouts::new()))?;
    if is_since(7, 0) {
        nl.call(timeout::delete("used"))?;
        assert!(nl.call(timeout::get("used")).unwrap_err().is_not_found());
        return Ok(());
    }
    assert_eq!(nl.call(timeout::delete("used")).unwrap_err().errno(), Some(Errno::EBUSY));
    nl.call(timeout::flush())?;
    assert!(nl.call(timeout::get("spare")).unwrap_err().is_not_found());
    nl.call(timeout::get("used"))?;
    run("iptables-nft -t raw -F")?;
    nl.call(timeout::delete("used"))?;
    Ok(())
}

/// The output of `nfct list timeout` for a policy.
fn as_nfct(name: &str, family: Family, timeouts: &Timeouts<'_>) -> String {
    let name_of = |name: String| match name.as_str() {
        "UNACK" => "UNACKNOWLEDGED".to_owned(),
        _ => name,
    };
    let shown = serde_json::to_string(timeouts).unwrap();
    let mut times: Vec<_> = times(timeouts).into_iter().collect();
    // In the order of the attributes.
    times.sort_by_key(|(name, _)| shown.find(&format!("\"{name}\":")));
    let times: String = times
        .into_iter()
        .map(|(name, time)| format!("\t\t.{} = {time},\n", name_of(name.to_uppercase())))
        .collect();
    let (l3, l4) = (family.0, timeouts.protocol().0);
    format!(".{name} = {{\n\t.l3proto = {l3},\n\t.l4proto = {l4},\n\t.policy = {{\n{times}\t}},\n}};\n")
}

fn nfct_shows_what_was_made_here() -> Result {
    let mut nl = connect()?;
    for (name, timeouts) in every() {
        // nfct 1.4.7 has its own names for the states of SCTP, and omits some.
        if !matches!(timeouts, Timeouts::Sctp(_)) {
            nl.call(timeout::create(name, Family::IPV4, timeouts.clone()))?;
            assert_eq!(run(&format!("nfct get timeout {name}"))?, as_nfct(name, Family::IPV4, &timeouts));
        }
    }
    Ok(())
}

fn objects_made_by_nfct_are_read() -> Result {
    let mut nl = connect()?;
    let made: [(&str, Family, Timeouts<'_>); 6] = [
        (
            "inet tcp syn_sent 1 syn_recv 2 established 3 fin_wait 4 close_wait 5 last_ack 6 time_wait 7 close 8 \
             syn_sent2 9 retrans 10 unacknowledged 11",
            Family::IPV4,
            tcp().into(),
        ),
        ("inet6 udp unreplied 1 replied 2", Family::IPV6, UdpTimeouts::new().unreplied(1).replied(2).into()),
        ("inet icmp timeout 1", Family::IPV4, IcmpTimeouts::new().timeout(1).into()),
        ("inet6 icmpv6 timeout 1", Family::IPV6, Icmpv6Timeouts::new().timeout(1).into()),
        ("inet gre unreplied 1 replied 2", Family::IPV4, GreTimeouts::new().unreplied(1).replied(2).into()),
        ("inet generic timeout 1", Family::IPV4, GenericTimeouts::new().timeout(1).into()),
    ];
    for (words, family, timeouts) in made {
        run(&format!("nfct add timeout p {words}"))?;
        assert_has(&nl.call(timeout::get("p"))?, family, &timeouts);
        nl.call(timeout::delete("p"))?;
    }
    run("nfct default-set timeout inet udp unreplied 77")?;
    let default = nl.call(timeout::default(Family::IPV4, IpProtocol::UDP))?;
    assert_has(&default, Family::IPV4, &UdpTimeouts::new().unreplied(77).into());
    Ok(())
}

fn policies_on_a_reactor() -> Result {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut nl = netlink_netfilter::tokio::connect()?;
        for (name, timeouts) in every() {
            nl.call(timeout::create(name, Family::IPV4, timeouts)).await?;
        }
        nl.call(timeout::delete("gre")).await?;
        let mut listing = nl.dump(timeout::list()).await?;
        let mut count = 0;
        while let Some(policy) = listing.next().await? {
            let (_, asked) = every().into_iter().find(|(name, _)| policy.name().unwrap() == *name).unwrap();
            assert_has(&policy, Family::IPV4, &asked);
            count += 1;
        }
        assert_eq!(count, every().len() - 1);
        nl.call(timeout::set_default(Family::IPV4, UdpTimeouts::new().unreplied(3))).await?;
        let default = nl.call(timeout::default(Family::IPV4, IpProtocol::UDP)).await?;
        assert_has(&default, Family::IPV4, &UdpTimeouts::new().unreplied(3).into());
        Ok(())
    })
}

fn refusals() -> Result {
    let mut nl = connect()?;
    let long = "n".repeat(32);
    for name in [long.as_str(), "a\0b"] {
        let error = nl.call(timeout::create(name, Family::IPV4, tcp())).unwrap_err();
        assert!(
            matches!(&error, Error::Request(_)) && error.to_string().contains("CTA_TIMEOUT_NAME"),
            "{error}"
        );
    }
    nl.call(timeout::create(&long[1..], Family::IPV4, tcp()))?;
    let mut errno = |request: netlink_netfilter::Request<()>| nl.call(request).unwrap_err().errno().unwrap();
    assert_eq!(errno(timeout::delete("none")), Errno::ENOENT);
    let esp = Timeouts::Other(IpProtocol::ESP, Default::default());
    assert_eq!(errno(timeout::create("p", Family::IPV4, esp.clone()).into_request()), Errno::EOPNOTSUPP);
    assert_eq!(errno(timeout::set_default(Family::IPV4, esp).into_request()), Errno::EOPNOTSUPP);
    let error = nl.call(timeout::default(Family::IPV4, IpProtocol::ESP)).unwrap_err();
    assert_eq!(error.errno(), Some(Errno::EOPNOTSUPP));
    Ok(())
}
