//! Notifications about destroyed sockets. Kernel side: `net/core/sock_diag.c`.

use netlink_core::values;

values! {
    /// `SKNLGRP_*`: the multicast groups.
    pub struct Group: u32 {
        /// TCP sockets of IPv4.
        1 SKNLGRP_INET_TCP_DESTROY INET_TCP_DESTROY "inet-tcp-destroy",
        /// UDP sockets of IPv4.
        2 SKNLGRP_INET_UDP_DESTROY INET_UDP_DESTROY "inet-udp-destroy",
        /// TCP sockets of IPv6.
        3 SKNLGRP_INET6_TCP_DESTROY INET6_TCP_DESTROY "inet6-tcp-destroy",
        /// UDP sockets of IPv6.
        4 SKNLGRP_INET6_UDP_DESTROY INET6_UDP_DESTROY "inet6-udp-destroy",
    }
}
