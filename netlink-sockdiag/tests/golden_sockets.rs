//! Captured messages, from the kernel and to it: decoded, compared with the text that stands in their files, and
//! written back.
//!
//! A file of `tests/golden` holds comments, the message in hexadecimal digits, and behind a line `---` the expected
//! text. `UPDATE=1 cargo test -p netlink-sockdiag --test golden_sockets` writes that text anew. What a message is, is
//! said by the beginning of the file's name.

#![allow(clippy::unwrap_used)]

use std::{env, fs, path};

use netlink_core::{Message, MessageFlags, Messages, ToRequest};
use netlink_sockdiag::inet::{InetQuery, InetSocket};
use netlink_sockdiag::netlink::{NetlinkQuery, NetlinkSocket};
use netlink_sockdiag::packet::{PacketQuery, PacketSocket};
use netlink_sockdiag::smc::{SmcQuery, SmcSocket};
use netlink_sockdiag::tipc::{TipcQuery, TipcSocket};
use netlink_sockdiag::unix::{UnixQuery, UnixSocket};
use netlink_sockdiag::vsock::{VsockQuery, VsockSocket};
use netlink_sockdiag::xdp::{XdpQuery, XdpSocket};

/// Reads a message, checks that a request made from it reads the same, and prints it.
macro_rules! describe {
    ($message:expr, $type:ident) => {{
        let read = $type::read($message).map_err(|error| error.to_string())?;
        let request = read.to_request::<()>(&$type::BY_FAMILY, MessageFlags::empty());
        let bytes = request.to_request().to_bytes().map_err(|error| error.to_string())?;
        let again = Messages::new(&bytes).next().unwrap().unwrap();
        assert_eq!(again.body, $message.body, "written back");
        assert_eq!(read.clone().into_owned(), read);
        Ok(format!("{read:#?}\n"))
    }};
}

fn describe(name: &str, message: &Message<'_>) -> Result<String, String> {
    let (family, rest) = name.split_once('_').unwrap();
    match (family, rest.starts_with("query")) {
        ("inet", true) => describe!(message, InetQuery),
        ("inet", false) => describe!(message, InetSocket),
        ("unix", true) => describe!(message, UnixQuery),
        ("unix", false) => describe!(message, UnixSocket),
        ("packet", true) => describe!(message, PacketQuery),
        ("packet", false) => describe!(message, PacketSocket),
        ("netlink", true) => describe!(message, NetlinkQuery),
        ("netlink", false) => describe!(message, NetlinkSocket),
        ("vsock", true) => describe!(message, VsockQuery),
        ("vsock", false) => describe!(message, VsockSocket),
        ("xdp", true) => describe!(message, XdpQuery),
        ("xdp", false) => describe!(message, XdpSocket),
        ("smc", true) => describe!(message, SmcQuery),
        ("smc", false) => describe!(message, SmcSocket),
        ("tipc", true) => describe!(message, TipcQuery),
        ("tipc", false) => describe!(message, TipcSocket),
        _ => panic!("no family begins with {family}"),
    }
}

#[test]
fn captured_messages() {
    let folder = path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() > 40, "only {} files", paths.len());
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let file = fs::read_to_string(&path).unwrap();
        let (hex, expected) = file.split_once("---\n").unwrap();
        let digits: String = hex.lines().filter(|line| !line.starts_with('#')).collect();
        let bytes = netlink_core::testkit::from_hex(&digits).unwrap();
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        let text = describe(&name, &message).unwrap_or_else(|error| panic!("{name}: {error}"));
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, format!("{hex}---\n{text}")).unwrap();
        } else {
            assert_eq!(text, expected, "{name}");
        }
        // Cut anywhere, it is an error or a shorter message, and no panic.
        for end in 16..bytes.len() {
            let _ = describe(&name, &Message { header: message.header, body: bytes.get(16..end).unwrap() });
        }
    }
}
