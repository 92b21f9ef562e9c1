//! Sockets that receive packets.

use std::time::Duration;

use netlink_core::socket::Switch;

use crate::{Connection, Error, OpenOptions, Protocol, Socket, ToRequest};

const BUFFER: usize = 64 << 20;

/// Prepares a connection for packets: packets that do not fit are dropped, and the others are still received.
///
/// Otherwise the kernel would report `ENOBUFS` and drop all packets until the socket is read empty. The
/// numbers of the packets show exactly how many were lost.
pub(super) fn prepare(socket: &Socket) -> Result<(), Error> {
    socket.set(Switch::NO_ENOBUFS, true)?;
    // With a smaller buffer more packets are lost, which is reported.
    let _ = socket.set_receive_buffer(BUFFER);
    Ok(())
}

pub(crate) fn listening(options: &OpenOptions<'_>) -> Result<Connection, Error> {
    let mut nl = Connection::open_with(Protocol::NETFILTER, options)?;
    prepare(nl.socket())?;
    nl.listen();
    Ok(nl)
}

/// Sends a request with a time limit, then restores the limit for packets.
pub(crate) fn configure(
    nl: &mut Connection,
    config: impl ToRequest<Answer = ()>,
    timeout: Option<Duration>,
) -> Result<(), Error> {
    nl.set_timeout(Some(Duration::from_secs(60)))?;
    let done = nl.call(config);
    nl.set_timeout(timeout)?;
    done
}

/// The next expected number of each queue or group, to find gaps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gaps(Vec<(u16, u32)>);

impl Gaps {
    /// How many numbers are missing before this one. `first` is the first number of all.
    #[inline]
    pub(crate) fn missed(&mut self, place: u16, number: u32, first: u32) -> u32 {
        let next = number.wrapping_add(1);
        let expected = match self.0.iter_mut().find(|(known, _)| *known == place) {
            Some((_, expected)) => core::mem::replace(expected, next),
            None => {
                self.0.push((place, next));
                first
            }
        };
        let missing = number.wrapping_sub(expected);
        // A step back: the queue or group was bound again.
        if missing > u32::MAX / 2 { number.wrapping_sub(first) } else { missing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_counted_per_queue_and_across_the_wrap() {
        let mut gaps = Gaps::default();
        assert_eq!(gaps.missed(7, 1, 1), 0);
        assert_eq!(gaps.missed(8, 4, 1), 3);
        assert_eq!(gaps.missed(7, 2, 1), 0);
        assert_eq!(gaps.missed(7, 5, 1), 2);
        assert_eq!(gaps.missed(9, u32::MAX, u32::MAX), 0);
        assert_eq!(gaps.missed(9, 1, u32::MAX), 1);
        assert_eq!(gaps.missed(8, 5, 1), 0);
    }

    #[test]
    fn a_new_binding_counts_from_the_start() {
        let mut gaps = Gaps::default();
        assert_eq!(gaps.missed(7, 40, 1), 39);
        assert_eq!(gaps.missed(7, 1, 1), 0);
        assert_eq!(gaps.missed(7, 41, 1), 39);
        assert_eq!(gaps.missed(7, 3, 1), 2);
    }
}
