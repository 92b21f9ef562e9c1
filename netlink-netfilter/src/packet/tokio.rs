//! Sockets that receive packets, for tokio.

use netlink_core::tokio::Connection;

use super::listen::prepare;
use crate::{Error, OpenOptions, Protocol};

pub(crate) fn listening(options: &OpenOptions<'_>) -> Result<Connection, Error> {
    let mut nl = Connection::open_with(Protocol::NETFILTER, options)?;
    prepare(nl.socket())?;
    nl.listen();
    Ok(nl)
}
