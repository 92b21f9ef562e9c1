//! The sockets that packets come to.

use std::time::Duration;

use netlink_core::socket::Switch;

use crate::{Connection, Error, OpenOptions, Protocol, Socket, ToRequest};

/// The receive buffer a queue or log asks for.
const BUFFER: usize = 64 << 20;

/// Makes a connection take packets, drop what there is no room for, and go on.
///
/// Otherwise the kernel would report `ENOBUFS` and drop everything until the socket has been read empty. The packets'
/// numbers say what was lost, and exactly.
pub(super) fn prepare(socket: &Socket) -> Result<(), Error> {
    socket.set(Switch::NO_ENOBUFS, true)?;
    // A smaller buffer loses more, and says so.
    let _ = socket.set_receive_buffer(BUFFER);
    Ok(())
}

/// A connection that takes packets.
pub(crate) fn listening(options: &OpenOptions<'_>) -> Result<Connection, Error> {
    let mut nl = Connection::open_with(Protocol::NETFILTER, options)?;
    prepare(nl.socket())?;
    nl.listen();
    Ok(nl)
}

/// Asks with a limit, and goes back to the wait for packets.
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

/// The number that is next in each queue or group: for the gaps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gaps(Vec<(u16, u32)>);

impl Gaps {
    /// How many numbers are missing before this one, where the first of all is `first`.
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
        // A step back: it was bound anew.
        if missing > u32::MAX / 2 { number.wrapping_sub(first) } else { missing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_counted_per_place_and_across_the_wrap() {
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
    fn what_is_bound_anew_counts_anew() {
        let mut gaps = Gaps::default();
        assert_eq!(gaps.missed(7, 40, 1), 39);
        assert_eq!(gaps.missed(7, 1, 1), 0);
        assert_eq!(gaps.missed(7, 41, 1), 39);
        assert_eq!(gaps.missed(7, 3, 1), 2);
    }
}
