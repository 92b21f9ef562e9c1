//! Our own network namespace, with a veth pair.

use std::fs;
use std::io::{Error, Result};

use crate::raw::{self, Message, Socket};

const IFF_UP: u32 = 1;

/// The content of the namespace.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The index of `b0`, 10.99.0.1/24, the outgoing link of the routes.
    pub oif: u32,
}

/// Moves the process into its own network namespace. `lo` and a veth pair b0 - b1 are up. Call it before any
/// thread starts.
pub fn enter_namespace() -> Result<Place> {
    // SAFETY: plain system calls without pointers.
    let (uid, gid) = unsafe { (libc::getuid(), libc::getgid()) };
    if uid == 0 {
        unshare(libc::CLONE_NEWNET)?;
    } else {
        unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET)?;
        // The group map can be written only after this is denied.
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
        fs::write("/proc/self/gid_map", format!("0 {gid} 1"))?;
    }

    let socket = Socket::open()?;
    let mut buffer = vec![0; raw::BUFFER];
    let mut ask = |mut message: Message, seq: u32| {
        message.bytes[8..12].copy_from_slice(&seq.to_ne_bytes());
        socket.exchange(&message.bytes, seq, &mut buffer)
    };

    let flags = raw::NLM_F_ACK | raw::NLM_F_CREATE | raw::NLM_F_EXCL;
    let mut veth = Message::new(raw::RTM_NEWLINK, flags, 0, &raw::ifinfomsg(0, 0, 0));
    veth.put(raw::IFLA_IFNAME, b"b0\0");
    veth.nest(raw::IFLA_LINKINFO, |info| {
        info.put(raw::IFLA_INFO_KIND, b"veth");
        info.nest(raw::IFLA_INFO_DATA, |data| {
            data.nest(raw::VETH_INFO_PEER, |peer| {
                peer.bytes.extend_from_slice(&raw::ifinfomsg(0, 0, 0));
                peer.put(raw::IFLA_IFNAME, b"b1\0");
            });
        });
    });
    ask(veth, 1)?;

    let oif = raw::link_index("b0")?;
    for (seq, index) in [(2, 1), (3, oif), (4, raw::link_index("b1")?)] {
        let fixed = raw::ifinfomsg(index, IFF_UP, IFF_UP);
        let up = Message::new(raw::RTM_NEWLINK, raw::NLM_F_ACK, 0, &fixed);
        ask(up, seq)?;
    }

    let mut fixed = [libc::AF_INET as u8, 24, 0, 0, 0, 0, 0, 0];
    fixed[4..8].copy_from_slice(&oif.to_ne_bytes());
    let mut address = Message::new(raw::RTM_NEWADDR, flags, 0, &fixed);
    address.put(1, &[10, 99, 0, 1]);
    address.put(2, &[10, 99, 0, 1]);
    ask(address, 5)?;
    Ok(Place { oif })
}

fn unshare(flags: i32) -> Result<()> {
    // SAFETY: no pointers involved.
    if unsafe { libc::unshare(flags) } < 0 {
        return Err(Error::last_os_error());
    }
    Ok(())
}
