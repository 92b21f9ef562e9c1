//! Error texts where the kernel gives little information.

#![allow(clippy::unwrap_used)]

use netlink_core::testkit::{Replies, answer};
use netlink_core::{Reply, ToRequest};
use netlink_netfilter::conntrack::{self, Tuple};
use netlink_netfilter::log::{self, Mode};
use netlink_netfilter::queue::{self, Params, QueueFlags};
use netlink_netfilter::{acct, expect};

fn refused<Q: ToRequest>(request: Q, errno: i32) -> String
where
    Q::Answer: Reply,
{
    answer(request, &[&Replies::new().error(errno, &[])]).map(drop).unwrap_err().to_string()
}

// U4.
#[test]
fn a_refusal_names_its_object() {
    let tuple = Tuple::tcp("192.0.2.1:1000".parse().unwrap(), "192.0.2.2:80".parse().unwrap());
    let missing = "No such file or directory (ENOENT)";
    let flow = "src=192.0.2.1 dst=192.0.2.2 sport=1000 dport=80";
    assert_eq!(refused(conntrack::get(&tuple), 2), format!("IPCTNL_MSG_CT_GET {flow}: {missing}"));
    assert_eq!(refused(conntrack::delete(&tuple), 2), format!("IPCTNL_MSG_CT_DELETE {flow}: {missing}"));
    assert_eq!(refused(expect::get(&tuple), 2), format!("IPCTNL_MSG_EXP_GET {flow}: {missing}"));
    assert_eq!(
        refused(acct::get("http"), 2),
        format!("NFNL_MSG_ACCT_GET: {missing}; sent: NFACCT_NAME \"http\"")
    );
    assert_eq!(refused(log::unbind(3), 19), "NFULNL_MSG_CONFIG group 3: No such device (ENODEV)");
}

// NA5: the kernel does not report which.
#[test]
fn flags_that_are_refused_are_listed() {
    let said = refused(queue::bind(5, Params::meta()).on(QueueFlags::GSO | QueueFlags::SECCTX), 95);
    assert!(
        said.starts_with(
            "NFQNL_MSG_CONFIG queue 5: Operation not supported (EOPNOTSUPP); the kernel may lack one of these flags: \
             GSO | SECCTX; sent: NFQA_CFG_CMD "
        ),
        "{said}"
    );
    assert!(
        said.ends_with("NFQA_CFG_MASK QueueFlags(GSO | SECCTX), NFQA_CFG_FLAGS QueueFlags(GSO | SECCTX)"),
        "{said}"
    );
}

// U4.
#[test]
fn a_missing_capability_is_named() {
    let takes = |object: &str, file| {
        format!(
            "{object}: Operation not permitted (EPERM); either CAP_NET_ADMIN is missing, or another socket has the {}: \
             /proc/net/netfilter/{file} has its port",
            object.split(' ').nth(1).unwrap_or_default()
        )
    };
    assert_eq!(refused(log::bind(3, Mode::whole()), 1), takes("NFULNL_MSG_CONFIG group 3", "nfnetlink_log"));
    assert_eq!(
        refused(queue::bind(5, Params::meta()), 1),
        takes("NFQNL_MSG_CONFIG queue 5", "nfnetlink_queue")
    );
}
