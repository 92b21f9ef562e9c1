//! Tests against the running kernel, each in a network namespace of its own.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod captured;
mod destroy;
mod differential;
mod extensions;
#[path = "../golden.rs"]
mod golden;
mod inet;
mod others;
#[path = "../../examples/ss.rs"]
#[allow(dead_code)]
mod ss;
mod sys;
mod unix;

use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use netlink_core::{Connection, Dump, Error, Protocol, Reply, ToRequest};

fn main() -> ExitCode {
    netlink_testing::main(&[
        inet::TESTS,
        extensions::TESTS,
        destroy::TESTS,
        unix::TESTS,
        others::TESTS,
        differential::TESTS,
        captured::TESTS,
    ])
}

/// A connection in a namespace whose loopback link is up.
fn connect() -> netlink_testing::Result<Connection> {
    // RTM_NEWLINK: index 1, the flag IFF_UP.
    let mut up = [0u32; 8];
    let kind = u32::from_ne_bytes(netlink_testing::native([16, 0, 5, 0], &[2]));
    (up[0], up[1], up[5], up[6], up[7]) = (32, kind, 1, 1, 1);
    let socket = netlink_core::Socket::open(Protocol::ROUTE)?;
    socket.send(&up.map(u32::to_ne_bytes).concat())?;
    socket.receive(&mut [0; 256])?;
    Ok(netlink_sockdiag::connect()?)
}

/// Gives the loopback link the address fe80::77, and waits until connections to it work.
fn link_local() -> netlink_testing::Result {
    let added = Command::new("ip").args("-6 addr add fe80::77/64 dev lo nodad".split(' ')).status()?;
    assert!(added.success());
    reached(|| UdpSocket::bind("[::]:0")?.connect("[fe80::77%1]:9"))
}

/// Repeats an operation until the kernel has made the routes of a new address.
fn reached<T>(attempt: impl Fn() -> std::io::Result<T>) -> netlink_testing::Result<T> {
    let start = Instant::now();
    loop {
        match attempt() {
            Err(error) if start.elapsed() > Duration::from_secs(10) * netlink_testing::patience() => {
                return Err(error.into());
            }
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
            Ok(made) => return Ok(made),
        }
    }
}

/// The results of a function for each socket of a dump.
fn listed<Q, R, T>(
    nl: &mut Connection,
    request: Q,
    mut look: impl FnMut(R::View<'_>) -> T,
) -> Result<Vec<T>, Error>
where
    Q: ToRequest<Answer = Dump<R>>,
    R: Reply,
{
    let mut items = Vec::new();
    let mut listing = nl.dump(request)?;
    while let Some(item) = listing.next()? {
        items.push(look(item));
    }
    Ok(items)
}

/// All sockets of a dump.
fn all<Q, R>(nl: &mut Connection, request: Q) -> Result<Vec<R>, Error>
where
    Q: ToRequest<Answer = Dump<R>>,
    R: Reply,
{
    listed(nl, request, |item| R::own(item))
}

/// The inode of a socket's file.
fn inode(socket: &impl AsRawFd) -> u32 {
    let link = std::fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap();
    let text = link.to_string_lossy().into_owned();
    text.strip_prefix("socket:[").and_then(|text| text.strip_suffix(']')).unwrap().parse().unwrap()
}

/// The kernel's module for a list is built in or can be loaded.
macro_rules! lists {
    ($name:ident, $reason:literal, $request:expr) => {
        const $name: netlink_testing::Need = netlink_testing::when($reason, || {
            let mut nl = netlink_sockdiag::connect().unwrap();
            nl.dump($request).is_ok_and(|mut listing| listing.next().is_ok())
        });
    };
}

pub(crate) use lists;
