//! Links, addresses, routes and namespace ids that kernels sent: see `netlink_testing::golden`.

use netlink_route::addr::Address;
use netlink_route::link::{Link, LinkInfo, LinkInfoAttrs};
use netlink_route::nsid::Nsid;
use netlink_route::route::Route;
use netlink_testing::golden::Read;
use netlink_testing::reread;

#[test]
fn captured_messages() {
    netlink_testing::golden::messages("tests/golden", read);
}

/// The first part of a file's name is the type of its content.
pub(crate) fn read(name: &str, bytes: &[u8]) -> Read {
    match name.split('_').next() {
        Some("link") => {
            let (link, again) = reread!(Link<'_>, bytes);
            built(&link);
            Ok((format!("{link}\n{link:#?}\n"), again))
        }
        Some("addr") => {
            let (address, again) = reread!(Address<'_>, bytes);
            Ok((format!("{address}\n{address:#?}\n"), again))
        }
        Some("nsid") => {
            let (nsid, again) = reread!(Nsid<'_>, bytes);
            Ok((format!("{nsid:#?}\n"), again))
        }
        Some("route") => {
            let (route, again) = reread!(Route<'_>, bytes);
            let mut text = format!("{route}\n{route:#?}\n");
            for hop in route.next_hops().iter().flat_map(|hops| hops.iter()) {
                text += &format!("{hop:?}\n");
            }
            Ok((text, again))
        }
        _ => Err("nobody reads it".to_owned()),
    }
}

/// The kind of a link is written by its builder.
fn built(link: &Link<'_>) {
    let Some(info) = link.info() else { return };
    let mut built = LinkInfo::new();
    if let Some(kind) = info.kind() {
        assert_eq!(link.kind(), Some(kind.clone()));
        built = built.kind(kind);
    }
    if let Some(slave) = info.slave() {
        assert_eq!(link.slave(), Some(slave.clone()));
        built = built.slave(slave);
    }
    let built: LinkInfoAttrs<'_> = built.attrs();
    assert_eq!((built.kind(), built.slave()), (info.kind(), info.slave()));
}
