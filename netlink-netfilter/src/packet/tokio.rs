//! The same on a tokio reactor.

use netlink_core::tokio::Connection;

use super::listen::{BUFFER, open};
use crate::{Error, OpenOptions};

/// A connection that takes packets.
pub(crate) fn listening(options: &OpenOptions<'_>) -> Result<Connection, Error> {
    let mut nl = Connection::from_socket(open(&options.nonblocking())?)?;
    nl.listen();
    // A smaller buffer loses more, and says so.
    let _ = nl.socket().set_receive_buffer(BUFFER);
    Ok(nl)
}
