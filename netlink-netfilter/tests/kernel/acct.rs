//! Named counters, with real packets, quotas and the events about them.

use std::time::Duration;

use netlink_core::{Connection, Errno, Error, Notice};
use netlink_netfilter::acct::{self, Account, AccountFlags, AccountRequest};
use netlink_netfilter::event::{Event, Group};
use netlink_netfilter::{Header, MessageFlags, connect, subscribe};
use netlink_testing::{Result, is_since, program, suite};
use tokio::runtime::Builder;

use crate::packets::exchange_udp;
use crate::run;

suite! {
    a_counter_is_made_read_zeroed_and_deleted;
    lists_select_by_flags;
    many_are_listed_zeroed_and_flushed;
    packets_are_counted: program("iptables-nft"), program("ip");
    a_quota_is_reported_once_and_again_after_zero: program("iptables-nft"), program("ip");
    a_quota_is_reported_between_calls: program("iptables-nft"), program("ip");
    a_quota_is_reported_with_tokio: program("iptables-nft"), program("ip");
    nfacct_prints_the_same: program("nfacct");
    refusals;
}

fn counted(account: &Account<'_>) -> (u64, u64) {
    (account.packets().unwrap(), account.bytes().unwrap())
}

fn a_counter_is_made_read_zeroed_and_deleted() -> Result {
    let mut nl = connect()?;
    nl.call(acct::create("a").packets(7).bytes(u64::MAX))?;
    assert!(nl.call(acct::create("a")).unwrap_err().is_exists());
    let account = nl.call(acct::get("a"))?;
    assert_eq!((account.name().unwrap().to_string(), counted(&account)), ("a".into(), (7, u64::MAX)));
    assert_eq!((account.use_count(), account.quota(), account.quota_flags()), (Some(1), None, None));
    assert_eq!(account.unknown().count(), 0);

    assert_eq!(counted(&nl.call(acct::get_and_zero("a"))?), (7, u64::MAX));
    assert_eq!(counted(&nl.call(acct::get("a"))?), (0, 0));
    nl.call(acct::create_or_zero("b").packets(5).quota_packets(9))?;
    nl.call(acct::create_or_zero("b").quota_packets(10))?;
    let account = nl.call(acct::get("b"))?;
    assert_eq!((counted(&account), account.quota()), ((0, 0), Some(9)));

    nl.call(acct::delete("a"))?;
    assert!(nl.call(acct::get("a")).unwrap_err().is_not_found());
    assert!(nl.call(acct::delete("a")).unwrap_err().is_not_found());
    Ok(())
}

fn names(
    nl: &mut Connection,
    request: acct::ListRequest<netlink_core::Dump<Account<'static>>>,
) -> Result<String> {
    let mut listing = nl.dump(request)?;
    let mut names = Vec::new();
    while let Some(account) = listing.next()? {
        names.push(account.name().unwrap().to_string());
    }
    names.sort();
    Ok(names.join(" "))
}

fn lists_select_by_flags() -> Result {
    let mut nl = connect()?;
    nl.call(acct::create("none"))?;
    nl.call(acct::create("bytes").quota_bytes(1000))?;
    nl.call(acct::create("packets").quota_packets(10))?;
    let (packets, bytes) = (AccountFlags::QUOTA_PKTS, AccountFlags::QUOTA_BYTES);
    assert_eq!(names(&mut nl, acct::list())?, "bytes none packets");
    assert_eq!(names(&mut nl, acct::list().matching(packets, packets))?, "packets");
    assert_eq!(names(&mut nl, acct::list().matching(bytes, AccountFlags::empty()))?, "none packets");
    assert_eq!(names(&mut nl, acct::list().matching(packets | bytes, AccountFlags::empty()))?, "none");
    assert_eq!(names(&mut nl, acct::list().matching(AccountFlags::OVERQUOTA, AccountFlags::OVERQUOTA))?, "");
    Ok(())
}

fn many_are_listed_zeroed_and_flushed() -> Result {
    let mut nl = connect()?;
    let made = nl.batch((0..500).map(|n| acct::create(&format!("counter-{n}")).packets(n)));
    assert!(made.iter().all(std::result::Result::is_ok));
    let mut listing = nl.dump(acct::list_and_zero())?;
    let mut expected = 0;
    while let Some(account) = listing.next()? {
        assert_eq!(account.name().unwrap(), format!("counter-{expected}").as_str());
        assert_eq!(counted(&account), (expected, 0));
        expected += 1;
    }
    assert_eq!(expected, 500);
    let mut listing = nl.dump(acct::list())?;
    while let Some(account) = listing.next()? {
        assert_eq!(counted(&account), (0, 0));
    }
    nl.call(acct::flush())?;
    assert_eq!(names(&mut nl, acct::list())?, "");
    Ok(())
}

/// Sends this many datagrams of 32 bytes.
fn send(datagrams: usize) -> Result {
    exchange_udp(datagrams).map(drop)
}

/// A rule that counts all sent datagrams.
fn count_with(name: &str) -> Result {
    run("ip link set lo up")?;
    run(&format!("iptables-nft -A OUTPUT -p udp -m nfacct --nfacct-name {name}"))?;
    Ok(())
}

fn packets_are_counted() -> Result {
    let mut nl = connect()?;
    nl.call(acct::create("sent"))?;
    nl.call(acct::create("spare"))?;
    count_with("sent")?;
    send(5)?;
    let account = nl.call(acct::get_and_zero("sent"))?;
    assert_eq!((counted(&account), account.use_count()), ((5, 5 * 32), Some(2)));
    send(1)?;
    assert_eq!(counted(&nl.call(acct::get("sent"))?), (1, 32));

    assert_eq!(nl.call(acct::delete("sent")).unwrap_err().errno(), Some(Errno::EBUSY));
    nl.call(acct::flush())?;
    assert_eq!(names(&mut nl, acct::list())?, "sent");
    run("iptables-nft -F")?;
    nl.call(acct::delete("sent"))?;
    Ok(())
}

/// The quota of three packets was just reached.
fn assert_told(event: &Event<'_>) {
    let Event::Quota(account) = event else { panic!("{event:?}") };
    assert_eq!((account.name().unwrap().to_string(), counted(account)), ("q".into(), (3, 96)));
    assert_eq!(account.quota(), Some(3));
    assert!(account.quota_flags().unwrap().contains(AccountFlags::QUOTA_PKTS));
}

fn a_quota_is_reported_once_and_again_after_zero() -> Result {
    let mut nl = connect()?;
    nl.call(acct::create("q").quota_packets(3))?;
    count_with("q")?;
    let mut events = subscribe(&[Group::ACCT_QUOTA])?;
    for _ in 0..2 {
        send(2)?;
        assert_eq!(
            names(&mut nl, acct::list().matching(AccountFlags::OVERQUOTA, AccountFlags::OVERQUOTA))?,
            ""
        );
        send(3)?;
        match events.next()? {
            Notice::Event { event, .. } => assert_told(&event),
            other => panic!("{other:?}"),
        }
        events.set_timeout(Some(Duration::from_millis(50)))?;
        assert!(matches!(events.next(), Err(Error::Timeout(_))));
        events.set_timeout(None)?;
        assert_eq!(
            names(&mut nl, acct::list().matching(AccountFlags::OVERQUOTA, AccountFlags::OVERQUOTA))?,
            "q"
        );
        assert_eq!(counted(&nl.call(acct::get_and_zero("q"))?), (5, 160));
    }
    Ok(())
}

fn a_quota_is_reported_between_calls() -> Result {
    let mut nl = connect()?;
    nl.subscribe(&[Group::ACCT_QUOTA.0])?;
    nl.call(acct::create("q").quota_bytes(65))?;
    count_with("q")?;
    send(4)?;
    let Notice::Event { event: Event::Quota(account), .. } = nl.next_event::<Event<'static>>()? else {
        panic!("no quota")
    };
    assert_eq!((counted(&account), account.quota()), ((3, 96), Some(65)));
    assert!(account.quota_flags().unwrap().contains(AccountFlags::QUOTA_BYTES));
    assert_eq!(counted(&nl.call(acct::get("q"))?), (4, 128));
    Ok(())
}

fn a_quota_is_reported_with_tokio() -> Result {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut nl = netlink_netfilter::tokio::connect()?;
        nl.call(acct::create("q").quota_packets(3)).await?;
        count_with("q")?;
        let mut events = netlink_netfilter::tokio::subscribe(&[Group::ACCT_QUOTA])?;
        send(4)?;
        match events.next().await? {
            Notice::Event { event, .. } => assert_told(&event),
            other => panic!("{other:?}"),
        }
        let mut listing = nl.dump(acct::list_and_zero()).await?;
        assert_eq!(counted(&listing.next().await?.unwrap()), (4, 128));
        assert!(listing.next().await?.is_none());
        assert_eq!(counted(&nl.call(acct::get("q")).await?), (0, 0));
        Ok(())
    })
}

fn nfacct_prints_the_same() -> Result {
    let mut nl = connect()?;
    nl.call(acct::create("ours").packets(3).bytes(400))?;
    nl.call(acct::create("ours-bytes").quota_bytes(1 << 40))?;
    run("nfacct add theirs")?;
    run("nfacct add theirs-packets packet 17")?;
    let mut printed = String::new();
    let mut listing = nl.dump(acct::list())?;
    while let Some(account) = listing.next()? {
        printed += &format!("{account}\n");
    }
    let mut expected = printed.clone();
    if cfg!(target_endian = "big") {
        // There it does not know modes by name, not even of its own quota.
        expected =
            expected.replace("mode = byte", "mode = unknown").replace("mode = packet", "mode = unknown");
    }
    assert_eq!(run("nfacct list")?, expected);
    assert_eq!(printed.matches("mode = byte").count() + printed.matches("mode = packet").count(), 2);
    assert_eq!(printed.lines().count(), 4);
    let theirs = nl.call(acct::get("theirs-packets"))?;
    assert_eq!((theirs.quota(), theirs.quota_flags()), (Some(17), Some(AccountFlags::QUOTA_PKTS)));
    run("nfacct delete ours")?;
    nl.call(acct::delete("theirs"))?;
    assert_eq!(names(&mut nl, acct::list())?, "ours-bytes theirs-packets");
    Ok(())
}

fn refusals() -> Result {
    let mut nl = connect()?;
    let error = nl.call(acct::create(&"n".repeat(32))).unwrap_err();
    assert!(matches!(&error, Error::Request(_)) && error.to_string().contains("NFACCT_NAME"), "{error}");
    let flags = MessageFlags::CREATE | MessageFlags::EXCL;
    let raw = || AccountRequest::<()>::new(&Account::NEW, flags, Header::default()).name("q");
    let mut errno = |request: netlink_netfilter::Request<()>| nl.call(request).unwrap_err().errno().unwrap();
    assert_eq!(errno(acct::create("").into_request()), Errno::EINVAL);
    let both = AccountFlags::QUOTA_PKTS | AccountFlags::QUOTA_BYTES;
    assert_eq!(errno(raw().quota_flags(both).quota(1).into_request()), Errno::EINVAL);
    let refusal = if is_since(7, 0) { Errno::EINVAL } else { Errno::EOPNOTSUPP };
    assert_eq!(errno(raw().quota_flags(AccountFlags::OVERQUOTA).into_request()), refusal);
    let error = nl.call(acct::get("none")).unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains("NFNL_MSG_ACCT_GET"), "{error}");
    Ok(())
}
