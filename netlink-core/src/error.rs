//! What can go wrong, split by whose fault it is. No text is made until somebody prints it.

mod asked;
mod errno;
mod ext_ack;
mod kernel;
mod place;
mod quoted;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use core::fmt::{self, Write as _};
use core::time::Duration;

use crate::attr::{DecodeError, Unsendable, Wiped};
use crate::message::MessageFlags;

pub(crate) use asked::Asked;
pub use errno::Errno;
use errno::ErrnoText;
pub use ext_ack::{ExtAck, ExtAckAttrs, ExtAckBuilder, Policy, PolicyAttrs, PolicyType};
pub use kernel::{Hint, KernelError, Warning, initial_net_admin, net_admin};
pub use place::{Place, Step};
pub use quoted::Quoted;

/// The one error of the workspace.
///
/// `{}` and `{:?}` print the same line, which is what `main` shows of an error that it returns; `{:#?}` adds the
/// request that was refused, as a tree.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A system call failed. Prints as `open /run/netns/nope: No such file or directory (ENOENT)`.
    #[error("{call}{}: {}", About(self), ErrnoText(*errno))]
    #[non_exhaustive]
    System {
        /// The call, and what it was for.
        call: &'static str,
        /// What it answered.
        errno: Errno,
        /// The file it was about, if it was about one.
        #[cfg(feature = "std")]
        path: Option<Box<std::path::Path>>,
    },
    /// The kernel refused the request.
    #[error(transparent)]
    Kernel(Box<KernelError>),
    /// A message could not be read. It comes with its bytes; the next one can be asked for.
    #[error(transparent)]
    Decode(Box<Undecoded>),
    /// A value in the request cannot be sent. Nothing was sent.
    #[error(transparent)]
    Request(Box<RequestError>),
    /// The listed objects changed while they were listed: entries may be missing, doubled or out of date
    /// (`NLM_F_DUMP_INTR`). Ask again.
    #[error("the kernel's tables changed during the dump, which may be inconsistent; ask again")]
    Interrupted,
    /// The socket's receive buffer was full and the kernel dropped messages (`ENOBUFS`, `NLMSG_OVERRUN`).
    #[error("the receive buffer overflowed and messages were lost")]
    Overrun,
    /// A datagram was longer than the buffer; its end is lost. The buffer has grown, ask again.
    #[error("a datagram of {length} bytes did not fit a buffer of {room}")]
    Truncated {
        /// Its length.
        length: usize,
        /// What there was room for.
        room: usize,
    },
    /// Nothing came for so long. What was asked may still be done.
    #[error("no answer for {0:?}")]
    Timeout(Duration),
    /// The exchange ended without the reply that was asked for.
    #[error("{0} ended without a reply")]
    NoReply(&'static str),
    /// Something that goes by a name is not in this kernel.
    #[error("{of} has no {what} {name} in this kernel")]
    Lacking {
        /// Whose it would be.
        of: &'static str,
        /// What kind of thing it is.
        what: &'static str,
        /// Its name.
        name: &'static str,
    },
    /// A request of a batch that was not sent, because one before it failed to go out or come back.
    #[error("not sent: the batch ended early")]
    NotSent,
    /// A request of a batch that was sent, and whose answer was lost with the connection's. It may be done.
    #[error("sent, but the answer was lost")]
    Unanswered,
    /// Somebody called [`Stop::stop`](crate::Stop::stop).
    #[error("stopped")]
    Stopped,
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel(error) => fmt::Debug::fmt(error, f),
            Self::Request(error) => fmt::Debug::fmt(error, f),
            error => write!(f, "{error}"),
        }
    }
}

impl Error {
    /// A system call that failed: the call, or what it was for, and what it answered.
    #[cold]
    pub const fn system(call: &'static str, errno: Errno) -> Self {
        Self::System {
            call,
            errno,
            #[cfg(feature = "std")]
            path: None,
        }
    }

    /// The same of an error of the standard library; [`Errno::EIO`] where that has no errno.
    #[cfg(feature = "std")]
    #[cold]
    pub fn io(call: &'static str, error: &std::io::Error) -> Self {
        Self::system(call, error.raw_os_error().map_or(Errno::EIO, Errno))
    }

    /// Names the file that the system call was about. Other errors stay as they are.
    #[cfg(feature = "std")]
    #[cold]
    #[must_use]
    pub fn at(mut self, file: impl AsRef<std::path::Path>) -> Self {
        if let Self::System { path, .. } = &mut self {
            *path = Some(file.as_ref().into());
        }
        self
    }

    #[cold]
    pub(crate) fn decode(error: DecodeError, message: &'static str, bytes: &[u8]) -> Self {
        Self::Decode(Box::new(Undecoded { error, message, bytes: bytes.into() }))
    }

    #[cfg(any(feature = "testkit", all(feature = "std", target_os = "linux")))]
    #[cold]
    pub(crate) fn undecoded(
        error: DecodeError,
        message: &crate::Message<'_>,
        info: &'static crate::MessageInfo,
    ) -> Self {
        let name = info.answer_of(message).unwrap_or(info).c_name;
        Self::decode(error, name, message.body)
    }

    #[cfg(any(feature = "testkit", all(feature = "std", target_os = "linux")))]
    #[cold]
    pub(crate) fn kernel(
        errno: Errno,
        attrs: &[u8],
        (info, hint): (&'static crate::MessageInfo, Hint),
        asked: &[u8],
    ) -> Self {
        let ext = ExtAck::new(Asked::new(info, asked), attrs);
        Self::Kernel(Box::new(KernelError { errno, ext, hint }))
    }

    /// The errno, if the kernel or a system call gave one.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::System { errno, .. } => Some(*errno),
            Self::Kernel(error) => Some(error.errno),
            _ => None,
        }
    }

    #[cfg(all(feature = "std", target_os = "linux"))]
    pub(crate) fn last(call: &'static str) -> Self {
        Self::io(call, &std::io::Error::last_os_error())
    }

    fn is_one_of(&self, list: &[Errno]) -> bool {
        self.errno().is_some_and(|errno| list.contains(&errno))
    }

    /// The object does not exist. In the words of the kernel:
    ///
    /// - `ENODEV`: no such link. `ENOENT`: no such object, such as a route's table, a namespace, a rule, a connection.
    ///   `ESRCH`: no such route, IPsec state or process. `ENXIO`: no such address or device.
    /// - `EADDRNOTAVAIL`: the link hasn't the address that was to be deleted; but a hardware address that a link can't
    ///   have is answered with this, too.
    ///
    /// A request that may create its object (`NLM_F_CREATE`) can't miss it: there these mean something that the object
    /// needs, such as a route's link, and this is false.
    pub fn is_not_found(&self) -> bool {
        let list = [Errno::ENOENT, Errno::ENODEV, Errno::ESRCH, Errno::ENXIO, Errno::EADDRNOTAVAIL];
        let creates = matches!(self, Self::Kernel(error) if error.ext_ack().asked.has(MessageFlags::CREATE));
        self.is_one_of(&list) && !creates
    }

    /// The object exists already, or its name does: `EEXIST`.
    pub fn is_exists(&self) -> bool {
        self.is_one_of(&[Errno::EEXIST])
    }

    /// The process lacks a capability: `EPERM`, and `EACCES` where a request is about another namespace than the
    /// socket's. Packet queues say `EPERM` also where another process has the queue, and a query for a route says
    /// `EACCES` where a `prohibit` route is the answer.
    pub fn is_permission(&self) -> bool {
        self.is_one_of(&[Errno::EPERM, Errno::EACCES])
    }

    /// Something still uses the object: `EBUSY`.
    pub fn is_busy(&self) -> bool {
        self.is_one_of(&[Errno::EBUSY])
    }

    /// This kernel doesn't know the family, the message or the attribute, or can't do it for this object:
    /// `EOPNOTSUPP`, `ENOTSUPP`, `EPROTONOSUPPORT`, `ESOCKTNOSUPPORT`, `EPFNOSUPPORT`, `EAFNOSUPPORT`,
    /// `ENOPROTOOPT`.
    pub fn is_unsupported(&self) -> bool {
        let lacking = match self {
            Self::Lacking { .. } => true,
            Self::Request(error) => matches!(error.why, Unsendable::Lacking { .. }),
            _ => false,
        };
        lacking
            || self.is_one_of(&[
                Errno::EOPNOTSUPP,
                Errno::ENOTSUPP,
                Errno::EPROTONOSUPPORT,
                Errno::ESOCKTNOSUPPORT,
                Errno::EPFNOSUPPORT,
                Errno::EAFNOSUPPORT,
                Errno::ENOPROTOOPT,
            ])
    }

    /// The same call can work a moment later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Interrupted | Self::Overrun | Self::Truncated { .. } | Self::Timeout(_))
            || self.is_one_of(&[Errno::EAGAIN, Errno::EINTR, Errno::EBUSY, Errno::ENOBUFS, Errno::ENOMEM])
    }
}

#[cfg(feature = "std")]
impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.errno() {
            Some(errno) => Self::from_raw_os_error(errno.0).kind(),
            None if matches!(error, Error::Timeout(_)) => std::io::ErrorKind::TimedOut,
            None => std::io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// The file of [`Error::System`], behind a space.
struct About<'a>(&'a Error);

impl fmt::Display for About<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path: Option<Cow<'_, str>> = match self.0 {
            #[cfg(feature = "std")]
            Error::System { path, .. } => path.as_deref().map(std::path::Path::to_string_lossy),
            _ => None,
        };
        path.map_or(Ok(()), |path| write!(f, " {}", Escaped(&path)))
    }
}

/// A text on one line: what a terminal would act on is escaped.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c.is_control() {
            true => write!(f, "{}", c.escape_default()),
            false => f.write_char(c),
        })
    }
}

/// A message that could not be read.
#[derive(Clone)]
pub struct Undecoded {
    error: DecodeError,
    message: &'static str,
    bytes: Wiped,
}

impl Undecoded {
    /// What is wrong, and with which attribute.
    pub fn error(&self) -> DecodeError {
        self.error
    }

    /// The message's payload.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Without the bytes, which may be a key.
impl fmt::Debug for Undecoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Undecoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {} of {} bytes can't be read: {}", self.message, self.bytes.len(), self.error)
    }
}

impl core::error::Error for Undecoded {}

/// A request that holds a value which can't be sent.
#[derive(Clone)]
pub struct RequestError {
    pub(crate) asked: Asked,
    pub(crate) offset: usize,
    pub(crate) why: Unsendable,
}

impl RequestError {
    /// What is wrong with the value.
    pub fn why(&self) -> Unsendable {
        self.why
    }

    /// The attribute.
    pub fn attribute(&self) -> Option<Place> {
        // The failure is noted while the payload is written: its header stands before.
        self.asked.info.place(&self.asked.bytes, self.offset.saturating_sub(1))
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} can't be sent: {}", self.asked.info.c_name, self.why)?;
        if let Some(place) = self.attribute() {
            write!(f, "; at {place}")?;
        }
        Ok(())
    }
}

/// One text; `{:#?}` adds the request.
impl fmt::Debug for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.asked.debug(self, f)
    }
}

impl core::error::Error for RequestError {}

#[cfg(test)]
pub(crate) mod tests;
