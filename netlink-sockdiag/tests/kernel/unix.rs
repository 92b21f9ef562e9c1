//! Local sockets.

use std::io::Write as _;
use std::os::linux::fs::MetadataExt as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};

use netlink_core::{Connection, Errno};
use netlink_sockdiag::unix::{self, UnixShow, UnixSocket};
use netlink_sockdiag::{Cookie, MemoryCounter, SocketType, State};
use netlink_testing::{Result, suite};

use crate::{all, connect, inode, listed};

suite! {
    names_are_paths_or_abstract_or_missing;
    both_ends_name_each_other;
    a_listener_shows_its_waiting_connections;
    the_output_equals_the_request;
    a_socket_is_found_by_inode_and_cookie;
}

/// A path that only this test uses.
fn path(name: &str) -> String {
    format!("{}/sockdiag-{}-{name}", std::env::temp_dir().display(), std::process::id())
}

fn told(nl: &mut Connection, inode: u32) -> Result<UnixSocket<'static>> {
    let sockets = all(nl, unix::list())?;
    Ok(sockets.into_iter().find(|socket| socket.header().inode == inode).ok_or("not listed")?)
}

fn names_are_paths_or_abstract_or_missing() -> Result {
    let mut nl = connect()?;
    let path = path("name");
    let (with_path, plain) = (UnixListener::bind(&path)?, UnixDatagram::unbound()?);
    let with_name = UnixListener::bind_addr(&SocketAddr::from_abstract_name(b"a\0b")?)?;
    let file = std::fs::symlink_metadata(&path)?;
    let socket = told(&mut nl, inode(&with_path));
    std::fs::remove_file(&path)?;
    let socket = socket?;
    assert_eq!(socket.name().unwrap().path(), Some(path.as_bytes()));
    let vfs = socket.file().unwrap();
    assert_eq!(u64::from(vfs.inode), file.st_ino());
    assert_eq!(vfs.device(), (libc::major(file.st_dev()), libc::minor(file.st_dev())));
    let socket = told(&mut nl, inode(&with_name))?;
    assert_eq!(socket.name().unwrap().abstract_name(), Some(b"a\0b".as_slice()));
    assert_eq!(socket.file(), None);
    let socket = told(&mut nl, inode(&plain))?;
    assert_eq!((socket.name(), socket.header().socket_type), (None, SocketType::DGRAM));
    Ok(())
}

fn both_ends_name_each_other() -> Result {
    let mut nl = connect()?;
    let (one, mut two) = UnixStream::pair()?;
    two.write_all(b"hello")?;
    let (first, second) = (told(&mut nl, inode(&one))?, told(&mut nl, inode(&two))?);
    assert_eq!((first.peer(), second.peer()), (Some(inode(&two)), Some(inode(&one))));
    assert_eq!(first.queue_lengths().unwrap().receive, 5);
    assert!(second.queue_lengths().unwrap().send > 0);
    assert!(second.memory().unwrap().get(MemoryCounter::WMEM_ALLOC).unwrap() > 0);
    one.shutdown(std::net::Shutdown::Read)?;
    let (first, second) = (told(&mut nl, inode(&one))?, told(&mut nl, inode(&two))?);
    let ways = |socket: &UnixSocket<'_>| socket.shutdown().map(|ways| (ways.receive(), ways.send()));
    assert_eq!((ways(&first), ways(&second)), (Some((true, false)), Some((false, true))));
    Ok(())
}

fn a_listener_shows_its_waiting_connections() -> Result {
    let mut nl = connect()?;
    let address = SocketAddr::from_abstract_name(format!("waits-{}", std::process::id()))?;
    let listener = UnixListener::bind_addr(&address)?;
    let clients = [UnixStream::connect_addr(&address)?, UnixStream::connect_addr(&address)?];
    let socket = told(&mut nl, inode(&listener))?;
    assert_eq!(socket.header().state, State::LISTEN);
    let mut waiting: Vec<u32> = socket.waiting().unwrap().iter().collect();
    let mut wanted = clients.map(|client| inode(&client)).to_vec();
    waiting.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(waiting, wanted);
    assert_eq!(socket.queue_lengths().unwrap().receive, 2);
    Ok(())
}

fn the_output_equals_the_request() -> Result {
    let mut nl = connect()?;
    let _pair = UnixStream::pair()?;
    let request = unix::list().show(UnixShow::UID).states(State::ESTABLISHED);
    let sockets = all(&mut nl, request)?;
    assert_eq!(sockets.len(), 2);
    for socket in sockets {
        assert!(socket.uid().is_some() && socket.peer().is_none() && socket.memory().is_none());
    }
    assert!(listed(&mut nl, unix::list().states(State::LISTEN), |_| ())?.is_empty());
    Ok(())
}

fn a_socket_is_found_by_inode_and_cookie() -> Result {
    let mut nl = connect()?;
    let (one, _two) = UnixStream::pair()?;
    let found = nl.call(unix::get(inode(&one)))?;
    let cookie = found.header().cookie;
    assert_eq!(nl.call(unix::get(inode(&one)).cookie(cookie))?.header(), found.header());
    let other = nl.call(unix::get(inode(&one)).cookie(Cookie(cookie.0 + 1))).unwrap_err();
    assert_eq!(other.errno(), Some(Errno::ESTALE));
    assert!(nl.call(unix::get(u32::MAX)).unwrap_err().is_not_found());
    Ok(())
}
