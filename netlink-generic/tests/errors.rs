//! Error texts where the kernel gives little information.

#![allow(clippy::unwrap_used)]

use netlink_core::testkit::{Replies, answer};
use netlink_core::{Reply, ToRequest};
use netlink_generic::wireguard::{DeviceConfig, PeerConfig};
use netlink_generic::{Resolved, ctrl, wireguard};

fn refused<Q: ToRequest>(request: Q, errno: i32) -> String
where
    Q::Answer: Reply,
{
    answer(request, &[&Replies::new().error(errno, &[])]).map(drop).unwrap_err().to_string()
}

// U4.
#[test]
fn a_refusal_names_its_object() {
    let family = Resolved::from_id(40);
    assert_eq!(
        refused(family.bind(wireguard::set("wg0").fwmark(7)), 19),
        "WG_CMD_SET_DEVICE \"wg0\": No such device (ENODEV)"
    );
    let key = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=";
    let config =
        DeviceConfig::new("wg0").peer(PeerConfig::new(key.parse().unwrap()).persistent_keepalive(25));
    let [request] = config.split().try_into().unwrap();
    assert_eq!(
        refused(family.bind(request), 99),
        format!("WG_CMD_SET_DEVICE \"wg0\" peer {key}: Cannot assign requested address (EADDRNOTAVAIL)")
    );
    assert_eq!(
        refused(ctrl::get("ethtool"), 22),
        "CTRL_CMD_GETFAMILY \"ethtool\": Invalid argument (EINVAL); sent: CTRL_ATTR_FAMILY_NAME \"ethtool\""
    );
}
