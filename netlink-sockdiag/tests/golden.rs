//! Sockets that kernels reported, and queries of `ss`: see `netlink_testing::golden`.

use netlink_sockdiag::inet::{InetQuery, InetSocket};
use netlink_sockdiag::netlink::{NetlinkQuery, NetlinkSocket};
use netlink_sockdiag::packet::{PacketQuery, PacketSocket};
use netlink_sockdiag::smc::{SmcQuery, SmcSocket};
use netlink_sockdiag::tipc::{TipcQuery, TipcSocket};
use netlink_sockdiag::unix::{UnixQuery, UnixSocket};
use netlink_sockdiag::vsock::{VsockQuery, VsockSocket};
use netlink_sockdiag::xdp::{XdpQuery, XdpSocket};
use netlink_testing::golden::Read;
use netlink_testing::reread;

#[test]
fn captured_messages() {
    netlink_testing::golden::messages("tests/golden", read);
}

/// The first part of a file's name is the type of its content.
pub(crate) fn read(name: &str, bytes: &[u8]) -> Read {
    macro_rules! read {
        ($($family:literal $query:ident $socket:ident,)*) => {
            match name.split_once('_') {
                $(
                    Some(($family, rest)) if rest.starts_with("query") => {
                        let (query, again) = reread!($query<'_>, bytes);
                        Ok((format!("{query:#?}\n"), again))
                    }
                    Some(($family, _)) => {
                        let (socket, again) = reread!($socket<'_>, bytes);
                        Ok((format!("{socket:#?}\n"), again))
                    }
                )*
                _ => Err("nobody reads it".to_owned()),
            }
        };
    }
    read! {
        "inet" InetQuery InetSocket,
        "unix" UnixQuery UnixSocket,
        "packet" PacketQuery PacketSocket,
        "netlink" NetlinkQuery NetlinkSocket,
        "vsock" VsockQuery VsockSocket,
        "xdp" XdpQuery XdpSocket,
        "smc" SmcQuery SmcSocket,
        "tipc" TipcQuery TipcSocket,
    }
}
