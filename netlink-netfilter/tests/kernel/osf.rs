//! Fingerprints: added, removed, and recognised in real packets. They belong to the machine: each test uses
//! its own systems.

use std::fs;
use std::net::{TcpListener, TcpStream};

use netlink_core::{Connection, Errno};
use netlink_netfilter::connect;
use netlink_netfilter::osf::{self, Fingerprint, FingerprintError};
use netlink_testing::{Result, file, init_namespace, program, suite};
use tokio::runtime::Builder;

use crate::{nft, run};

suite! {
    a_fingerprint_is_added_once_and_removed: init_namespace();
    fingerprints_on_a_reactor: init_namespace();
    a_connection_is_recognised: init_namespace(), program("nft"), program("ip");
    nfnl_osf_makes_the_same_of_every_line: init_namespace(), program("nfnl_osf"), file(PF_OS);
    user_namespaces_have_none;
}

const PF_OS: &str = "/usr/share/doc/nftables/examples/pf.os";

/// Fingerprints that are removed after the test.
struct Added<'nl> {
    nl: &'nl mut Connection,
    all: Vec<Fingerprint>,
}

impl Drop for Added<'_> {
    fn drop(&mut self) {
        for fingerprint in &self.all {
            let _ = self.nl.call(osf::remove(fingerprint));
        }
    }
}

fn a_fingerprint_is_added_once_and_removed() -> Result {
    let mut nl = connect()?;
    let ours: Fingerprint = "S4:64:1:60:M*,S,T,N,W0:Added once:1:a:comment".parse()?;
    let other: Fingerprint = "S4:64:1:60:M*,S,T,N,W1:Added once:1:a:comment".parse()?;
    let added = Added { nl: &mut nl, all: vec![ours, other] };
    added.nl.call(osf::add(&ours))?;
    assert!(added.nl.call(osf::add(&ours)).unwrap_err().is_exists());
    added.nl.call(osf::add_unless_there(&ours))?;
    assert!(added.nl.call(osf::remove(&other)).unwrap_err().is_not_found());
    added.nl.call(osf::add(&other))?;
    added.nl.call(osf::remove(&ours))?;
    let error = added.nl.call(osf::remove(&ours)).unwrap_err();
    assert!(error.is_not_found() && error.to_string().contains("OSF_MSG_REMOVE"), "{error}");
    added.nl.call(osf::remove(&other))?;
    Ok(())
}

fn fingerprints_on_a_reactor() -> Result {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut nl = netlink_netfilter::tokio::connect()?;
        let ours: Fingerprint = "%8192:128:0:48:M*,N,N,S:On a reactor:1::".parse()?;
        nl.call(osf::add(&ours)).await?;
        let again = nl.call(osf::add(&ours)).await;
        nl.call(osf::remove(&ours)).await?;
        assert!(again.unwrap_err().is_exists());
        Ok(())
    })
}

/// Packets of the rule with this number; rules are listed in order.
fn packets(rule: usize) -> Result<u32> {
    let listed = run("nft list chain ip t c")?;
    let mut counts = listed.split("counter packets ").skip(1);
    Ok(counts.nth(rule).unwrap().split(' ').next().unwrap().parse()?)
}

fn a_connection_is_recognised() -> Result {
    let mut nl = connect()?;
    run("ip link set lo up")?;
    // Only this fingerprint has it: the kernel stops at the first match.
    fs::write("/proc/sys/net/ipv4/ip_default_ttl", "77")?;
    let ours: Fingerprint = "*:77:1:60:M*,S,T,N,W*:Recognised:1::what Linux sends".parse()?;
    let connection = || -> Result {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        TcpStream::connect(listener.local_addr()?)?;
        Ok(())
    };
    let added = Added { nl: &mut nl, all: vec![ours] };
    added.nl.call(osf::add(&ours))?;
    nft("table ip t { chain c { type filter hook input priority 0; \
            osf name \"Recognised\" counter; osf name \"unknown\" counter; }; }")?;
    connection()?;
    // The SYN, and its answer.
    assert_eq!((packets(0)?, packets(1)?), (2, 0));
    added.nl.call(osf::remove(&ours))?;
    connection()?;
    assert_eq!((packets(0)?, packets(1)?), (2, 2));
    Ok(())
}

fn nfnl_osf_makes_the_same_of_every_line() -> Result {
    let mut nl = connect()?;
    // The systems get names that are in no rule.
    let renamed = |line: &str| {
        let mut parts: Vec<_> = line.split(':').map(str::to_owned).collect();
        parts[5] = format!("\tT {}", parts[5].trim_start().trim_start_matches(['@', '*']));
        parts.join(":")
    };
    let mut lines: Vec<_> = fs::read_to_string(PF_OS)?
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .filter(|line| line.matches(':').count() == 8)
        .map(renamed)
        .collect();
    assert!(lines.len() > 200);
    lines.extend(
        ["S%3", "T%4", "T*", "%8"].map(|window| format!("{window}:1:0:40:E,M%9,WS1,WT2,?:T other:*:*x:")),
    );
    let path = std::env::temp_dir().join(format!("netlink-osf-{}", std::process::id()));
    fs::write(&path, lines.join("\n") + "\n")?;
    let all: Vec<Fingerprint> =
        lines.iter().map(|line| line.parse()).collect::<Result<_, FingerprintError>>()?;
    let added = Added { nl: &mut nl, all };

    run(&format!("nfnl_osf -f {}", path.display()))?;
    for fingerprint in &added.all {
        let error = added.nl.call(osf::add(fingerprint)).err().and_then(|error| error.errno());
        assert_eq!(error, Some(Errno::EEXIST), "{fingerprint:?}");
    }
    for fingerprint in &added.all {
        // Two lines can have the same fingerprint.
        let _ = added.nl.call(osf::remove(fingerprint));
        assert!(added.nl.call(osf::remove(fingerprint)).unwrap_err().is_not_found());
    }
    for fingerprint in &added.all {
        added.nl.call(osf::add_unless_there(fingerprint))?;
    }
    run(&format!("nfnl_osf -d -f {}", path.display()))?;
    for fingerprint in &added.all {
        assert!(added.nl.call(osf::remove(fingerprint)).unwrap_err().is_not_found());
    }
    fs::remove_file(path)?;
    Ok(())
}

/// Root of a user namespace owns its network, but not the machine's fingerprints.
fn user_namespaces_have_none() -> Result {
    let ours: Fingerprint = "*:64:1:60:.:In a user namespace:1::".parse()?;
    let initial =
        fs::read_to_string("/proc/thread-self/uid_map")?.split_whitespace().eq(["0", "0", "4294967295"]);
    let mut nl = connect()?;
    match nl.call(osf::add(&ours)) {
        Ok(()) if initial => nl.call(osf::remove(&ours))?,
        Err(error) if !initial => assert_eq!(error.errno(), Some(Errno::EPERM)),
        other => panic!("{other:?}"),
    }
    Ok(())
}
