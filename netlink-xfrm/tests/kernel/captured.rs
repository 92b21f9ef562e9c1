//! The content of `tests/golden` in both byte orders, as this kernel sends it.

use netlink_testing::golden::Monitor;
use netlink_testing::{Result, module, program, seconds, suite};

use crate::golden::read;

suite! {
    captured: program("ip"), module("esp4"), module("esp6"), module("ah4"), seconds(60);
}

/// `NETLINK_XFRM`, with the types and groups of its messages.
const PROTOCOL: i32 = 6;
const GROUPS: [u32; 6] = [1, 2, 3, 4, 5, 7];
const NEWSA: u16 = 16;
const DELSA: u16 = 17;
const NEWPOLICY: u16 = 19;
const DELPOLICY: u16 = 20;
const EXPIRE: u16 = 24;
const UPDPOLICY: u16 = 25;
const POLEXPIRE: u16 = 27;
const FLUSHSA: u16 = 28;
const FLUSHPOLICY: u16 = 29;

fn captured() -> Result {
    let monitor = Monitor::new(PROTOCOL, &GROUPS)?;
    let commands = [
        (
            "state-made-aead",
            NEWSA,
            "ip xfrm state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001 reqid 7 mode tunnel replay-window 128 flag esn \
             mark 0x1 mask 0xff output-mark 0x4 mask 0xf if_id 0x9 \
             aead 'rfc4106(gcm(aes))' 0x5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a 128 encap espinudp 4500 4501 192.0.2.9 \
             sel src 10.1.0.0/16 dst 10.2.0.0/16 proto udp dport 53",
        ),
        (
            "state-made-ah",
            NEWSA,
            "ip xfrm state add src 10.0.0.1 dst 10.0.0.2 proto ah spi 0x12 \
             auth 'hmac(sha1)' 0x1111111111111111111111111111111111111111",
        ),
        (
            "state-made-auth",
            NEWSA,
            "ip xfrm state add src 2001:db8:: dst fc00:: proto esp spi 0x77 replay-window 32 \
             enc 'cbc(aes)' 0xcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd \
             auth-trunc 'hmac(sha256)' 0xabababababababababababababababababababababababababababababababab 128 \
             limit packet-hard 9",
        ),
        (
            "state-deleted",
            DELSA,
            "ip xfrm state delete src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001 mark 0x1 mask 0xff",
        ),
        (
            "state-made-expired",
            EXPIRE,
            "ip xfrm state add src 10.0.0.3 dst 10.0.0.2 proto ah spi 0x13 \
             auth 'hmac(sha1)' 0x1111111111111111111111111111111111111111 limit time-soft 1",
        ),
        ("state-flushed", FLUSHSA, "ip xfrm state flush proto esp"),
        (
            "policy-templates",
            NEWPOLICY,
            "ip xfrm policy add src 10.1.0.0/16 dst 10.2.0.0/16 dir out priority 5 mark 0x7 mask 0xf if_id 0x9 flag icmp \
             tmpl src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x44 mode tunnel reqid 3 tmpl proto ah mode transport",
        ),
        ("policy-updated", UPDPOLICY, "ip xfrm policy update src 2001:db8::/32 dst ::/0 dir in action block"),
        ("policy-deleted", DELPOLICY, "ip xfrm policy delete src 2001:db8::/32 dst ::/0 dir in"),
        (
            "policy-expired",
            POLEXPIRE,
            "ip xfrm policy add src 10.1.0.0/16 dst 10.2.0.0/16 dir out limit time-soft 1",
        ),
        ("policies-flushed", FLUSHPOLICY, "ip xfrm policy flush"),
    ];
    for (name, kind, command) in commands {
        monitor.keep(name, kind, command, read)?;
    }
    Ok(())
}
