//! Transactions: the kernel executes all messages of a transaction or none. `NFNL_MSG_BATCH_*`. Kernel side:
//! `nfnetlink_rcv_batch` in `net/netfilter/nfnetlink.c`.
//!
//! Only nftables has transactions. The other subsystems execute message by message; `Connection::batch` sends
//! many of these at once.
//!
//! ```no_run
//! use netlink_netfilter::batch::Transaction;
//! use netlink_netfilter::{Request, Subsystem};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let requests: Vec<Request<()>> = Vec::new();
//! let mut nl = netlink_netfilter::connect()?;
//! let mut transaction = Transaction::new(Subsystem::NFTABLES);
//! for request in requests {
//!     transaction.push(request);
//! }
//! if let Err(aborted) = transaction.commit(&mut nl) {
//!     for (position, error) in aborted.refused() {
//!         println!("{position}: {error}");
//!     }
//! }
//! # Ok(())
//! # }
//! ```

use alloc::vec::Vec;
use core::fmt;

use netlink_core::{Be, Errno, Error, MessageFlags, Request, ToRequest, attrs, message};

use crate::{Family, Header, Subsystem};

attrs! {
    /// `NFNL_BATCH_*`: condition of a transaction.
    pub struct BatchAttrs<'a> for BatchRequest<R> {
        /// The expected generation of the rules. If the rules have another one, the transaction is refused
        /// with `ERESTART`. Linux 4.16.
        1 NFNL_BATCH_GENID genid: Be<u32> as u32,
    }
}

message! {
    /// The begin or the end of a transaction.
    pub struct Batch<'a>(Header, BatchAttrs<'a>), BatchRequest {
        /// Begins a transaction.
        16 NFNL_MSG_BATCH_BEGIN BEGIN,
        /// Ends the transaction, and so executes it.
        17 NFNL_MSG_BATCH_END END,
    }
    on crate::PROTOCOL
}

/// Messages of one subsystem. The kernel executes all of them or none.
#[derive(Clone, Debug)]
pub struct Transaction {
    begin: BatchRequest<()>,
    messages: Vec<Request<()>>,
    end: BatchRequest<()>,
}

impl Transaction {
    /// An empty transaction.
    pub fn new(subsystem: Subsystem) -> Self {
        let header = Header::of(Family::UNSPEC).resource(u16::from(subsystem.0));
        let [begin, end] =
            [&Batch::BEGIN, &Batch::END].map(|info| BatchRequest::new(info, MessageFlags::empty(), header));
        Self { begin, messages: Vec::new(), end }
    }

    /// Sets the expected generation of the rules. If the rules have another one, the transaction is refused,
    /// and [`is_outdated`](Aborted::is_outdated).
    #[must_use]
    pub fn genid(mut self, genid: u32) -> Self {
        self.begin = self.begin.genid(genid);
        self
    }

    /// Adds a message.
    pub fn push(&mut self, request: impl ToRequest<Answer = ()>) {
        self.messages.push(request.to_request().clone());
    }

    /// Number of messages.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there are no messages, so that there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// All messages of the transaction, with its begin and its end, to send in one datagram.
    pub fn requests(&self) -> Vec<&Request<()>> {
        let mut requests = Vec::with_capacity(self.messages.len() + 2);
        requests.push(self.begin.to_request());
        requests.extend(&self.messages);
        requests.push(self.end.to_request());
        requests
    }

    /// Sends the transaction and waits for the result.
    #[cfg(all(feature = "std", target_os = "linux"))]
    pub fn commit(&self, connection: &mut crate::Connection) -> Result<(), Aborted> {
        if self.is_empty() {
            return Ok(());
        }
        Aborted::of(connection.envelope(&self.requests()))
    }
}

/// Transactions with tokio.
#[cfg(all(feature = "tokio", target_os = "linux"))]
pub mod tokio {
    use super::{Aborted, Transaction};
    use crate::tokio::Connection;

    /// Sends the transaction and waits for the result; see the blocking [`Transaction::commit`].
    pub async fn commit(transaction: &Transaction, connection: &mut Connection) -> Result<(), Aborted> {
        if transaction.is_empty() {
            return Ok(());
        }
        Aborted::of(connection.envelope(&transaction.requests()).await)
    }
}

/// The error of a transaction that was not executed, or whose answer was lost.
#[derive(Debug)]
#[non_exhaustive]
pub struct Aborted {
    /// Why the whole transaction was refused; or the error of the connection, after which the result is unknown.
    pub whole: Option<Error>,
    /// One result per message. `None`: the message was not refused itself, and is undone with the others.
    ///
    /// Some errors, such as a loop of chains, occur only after all messages were accepted. The kernel reports
    /// them for the first message.
    pub messages: Vec<Option<Error>>,
}

impl Aborted {
    /// Makes the result from the errors of all sent messages.
    pub fn of(refusals: Result<Vec<Option<Error>>, Error>) -> Result<(), Self> {
        let mut messages = match refusals {
            Ok(refusals) if refusals.iter().all(Option::is_none) => return Ok(()),
            Ok(refusals) => refusals,
            Err(error) => return Err(Self { whole: Some(error), messages: Vec::new() }),
        };
        let end = messages.pop().flatten();
        let begin = if messages.is_empty() { None } else { messages.remove(0) };
        Err(Self { whole: begin.or(end), messages })
    }

    /// The refused messages: position, from 0, and error.
    pub fn refused(&self) -> impl Iterator<Item = (usize, &Error)> {
        self.messages.iter().enumerate().filter_map(|(at, error)| Some((at, error.as_ref()?)))
    }

    /// Whether the rules have another generation than [`Transaction::genid`]. If so, read the rules again and retry.
    pub fn is_outdated(&self) -> bool {
        self.whole.as_ref().and_then(Error::errno) == Some(Errno::ERESTART)
    }
}

impl fmt::Display for Aborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = &self.whole {
            return error.fmt(f);
        }
        let mut gap = "";
        self.refused().try_for_each(|(at, error)| {
            write!(
                f,
                "{}message {at} of {}: {error}",
                core::mem::replace(&mut gap, "; "),
                self.messages.len()
            )
        })
    }
}

impl core::error::Error for Aborted {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack;
    use alloc::string::ToString as _;
    use netlink_testing::native;

    fn refused(errno: Errno) -> Option<Error> {
        Some(Error::system("test", errno))
    }

    #[test]
    fn messages_are_between_begin_and_end() {
        let mut transaction = Transaction::new(Subsystem::NFTABLES).genid(7);
        assert!(transaction.is_empty());
        transaction.push(conntrack::flush());
        assert_eq!(transaction.len(), 1);
        let requests = transaction.requests();
        let bytes: Vec<_> = requests.iter().map(|request| request.to_bytes().unwrap()).collect();
        let begin = native(
            [
                28, 0, 0, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, // nlmsghdr
                0, 0, 0, 10, 8, 0, 1, 0, 0, 0, 0, 7,
            ],
            &[4, 2, 2, 4, 4, 1, 1, 1, 1, 2, 2, 1],
        );
        assert_eq!(bytes[0], begin);
        assert_eq!(bytes[1], conntrack::flush().to_bytes().unwrap());
        assert_eq!(
            bytes[2],
            native([20, 0, 0, 0, 17, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10], &[4, 2, 2, 4, 4, 1])
        );
    }

    #[test]
    fn refusals_have_the_positions_of_the_messages() {
        assert!(Aborted::of(Ok(Vec::from([None, None, None, None]))).is_ok());
        let answers = Vec::from([None, None, refused(Errno::EEXIST), None, refused(Errno::ENOENT), None]);
        let aborted = Aborted::of(Ok(answers)).unwrap_err();
        assert!(aborted.whole.is_none() && !aborted.is_outdated());
        assert_eq!(aborted.refused().map(|(at, _)| at).collect::<Vec<_>>(), [1, 3]);
        let text = "message 1 of 4: test: File exists (EEXIST); message 3 of 4: test: No such file or directory (ENOENT)";
        assert_eq!(aborted.to_string(), text);
    }

    #[test]
    fn an_error_of_the_begin_is_of_all() {
        let answers = Vec::from([refused(Errno::ERESTART), None, None]);
        let aborted = Aborted::of(Ok(answers)).unwrap_err();
        assert!(aborted.is_outdated() && aborted.refused().next().is_none());
        assert_eq!(aborted.messages.len(), 1);
        let lost = Aborted::of(Err(Error::Overrun)).unwrap_err();
        assert!(matches!(lost.whole, Some(Error::Overrun)));
    }
}
