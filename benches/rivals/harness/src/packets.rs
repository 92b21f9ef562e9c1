//! Packets for `queue`: UDP to this host, and the rule that queues it.

use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::process::Command;

use crate::{Cost, Fault, measure};

/// Number of packets that wait at the same time.
pub const ROUND: u64 = 20_000;
/// Payload of each.
const SIZE: usize = 64;
const PORT: u16 = 5000;

/// Queues packets that leave to [`PORT`].
pub fn rule() -> Result<(), Fault> {
    let words = "-w -A OUTPUT -p udp --dport 5000 -j NFQUEUE --queue-num 0";
    let output = Command::new("iptables").args(words.split(' ')).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(())
}

/// Sends packets in rounds. Each round waits in the queue until `work` processes it; only `work` is measured.
/// Returns the sum of its results.
pub fn rounds(count: u64, mut work: impl FnMut(u64) -> Result<u64, Fault>) -> Result<(Cost, u64), Fault> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(("127.0.0.1", PORT))?;
    // A queued packet still uses the send buffer.
    let room = 64i32 << 20;
    crate::raw::set_option(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, &room)?;
    let (mut total, mut sum) = (Cost::default(), 0);
    let mut left = count;
    while left > 0 {
        let round = left.min(ROUND);
        for _ in 0..round {
            socket.send(&[7; SIZE])?;
        }
        let (done, cost) = measure(|| work(round));
        sum += done?;
        total.add(&cost);
        left -= round;
    }
    Ok((total, sum))
}
