//! The content of `tests/golden` in both byte orders, as this kernel sends it.

use netlink_testing::golden::Monitor;
use netlink_testing::{Result, program, seconds, suite};

use crate::golden::read;
use crate::sysctl;

suite! {
    captured: program("conntrack"), seconds(60);
}

/// `NETLINK_NETFILTER`; for conntrack the groups, and the types of new and deleted entries.
const PROTOCOL: i32 = 12;
const GROUPS: [u32; 3] = [1, 2, 3];
const NEW: u16 = 1 << 8;
const DELETE: u16 = 1 << 8 | 2;

fn captured() -> Result {
    let _ = (sysctl("acct", "1"), sysctl("timestamp", "0"), sysctl("events", "1"));
    let monitor = Monitor::new(PROTOCOL, &GROUPS)?;
    let commands = [
        (
            "ct_event_tcp",
            NEW,
            "conntrack -I -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 80 --state ESTABLISHED -t 600 \
             -u SEEN_REPLY,ASSURED",
        ),
        (
            "ct_event_udp_v6",
            NEW,
            "conntrack -I -p udp -s 2001:db8::1 -d 2001:db8::2 --sport 1000 --dport 53 -t 600 -m 7",
        ),
        (
            "ct_event_zone",
            NEW,
            "conntrack -I -p udp -s 10.0.0.1 -d 10.0.0.2 --sport 1001 --dport 53 -t 600 -w 5",
        ),
        (
            "ct_event_nat",
            NEW,
            "conntrack -I -p udp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 53 -t 600 --src-nat 192.0.2.1:4000",
        ),
        (
            "ct_event_icmp",
            NEW,
            "conntrack -I -p icmp -s 10.0.0.1 -d 10.0.0.2 --icmp-type 8 --icmp-code 0 --icmp-id 77 -t 600",
        ),
        (
            "ct_event_icmpv6",
            NEW,
            "conntrack -I -p icmpv6 -s 2001:db8::1 -d 2001:db8::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 77 -t 600",
        ),
        ("ct_event_gre", NEW, "conntrack -I -p gre -s 10.0.0.1 -d 10.0.0.2 --srckey 17 --dstkey 18 -t 600"),
        (
            "ct_event_sctp",
            NEW,
            "conntrack -I -p sctp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 53 -t 600 --state ESTABLISHED \
             --orig-vtag 1 --reply-vtag 2",
        ),
        ("ct_event_mark", NEW, "conntrack -U -p tcp -s 10.0.0.1 -m 9"),
        ("ct_event_gone", DELETE, "conntrack -D -p tcp -s 10.0.0.1"),
    ];
    for (name, kind, command) in commands {
        monitor.keep(name, kind, command, read)?;
    }
    Ok(())
}
