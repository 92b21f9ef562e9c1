//! What can go wrong, split by whose fault it is. No text is made until somebody prints it.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};
use core::time::Duration;

use crate::attr::{Attrs, DecodeError, Payload, Row, Scope, Shape, Table, Unsendable};
use crate::message::HEADER_LEN;
use crate::payload::{Bytes, Str};
use crate::request::MessageInfo;
use crate::trace::Tree;
use crate::{attrs, values};

/// The one error of the workspace.
#[derive(Debug, thiserror::Error)]
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
        info: &'static MessageInfo,
    ) -> Self {
        let name = info.of(message).unwrap_or(info).c_name;
        Self::decode(error, name, message.body)
    }

    #[cfg(any(feature = "testkit", all(feature = "std", target_os = "linux")))]
    #[cold]
    pub(crate) fn kernel(
        errno: Errno,
        attrs: &[u8],
        (info, hint): (&'static MessageInfo, Hint),
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

    /// The object does not exist.
    pub fn is_not_found(&self) -> bool {
        self.is_one_of(&[Errno::ENOENT, Errno::ENODEV, Errno::ESRCH, Errno::ENXIO, Errno::EADDRNOTAVAIL])
    }

    /// The object exists already.
    pub fn is_exists(&self) -> bool {
        self.is_one_of(&[Errno::EEXIST])
    }

    /// The process lacks a capability in the socket's namespace.
    pub fn is_permission(&self) -> bool {
        self.is_one_of(&[Errno::EPERM, Errno::EACCES])
    }

    /// Something still uses the object.
    pub fn is_busy(&self) -> bool {
        self.is_one_of(&[Errno::EBUSY])
    }

    /// This kernel doesn't know the family, the message or the attribute.
    pub fn is_unsupported(&self) -> bool {
        let lacking = match self {
            Self::Lacking { .. } => true,
            Self::Request(error) => matches!(error.why, Unsendable::Lacking { .. }),
            _ => false,
        };
        lacking
            || self.is_one_of(&[
                Errno::EOPNOTSUPP,
                Errno::EPROTONOSUPPORT,
                Errno::EAFNOSUPPORT,
                Errno::ENOPROTOOPT,
                Errno::ESOCKTNOSUPPORT,
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

values! {
    /// An error number, positive. Names are those of `asm-generic/errno.h`; MIPS, SPARC and Alpha number
    /// those above 34 differently.
    pub struct Errno: i32 {
        /// A capability is missing.
        1 EPERM EPERM "Operation not permitted",
        /// No such object.
        2 ENOENT ENOENT "No such file or directory",
        /// No such object: routes, IPsec states.
        3 ESRCH ESRCH "No such process",
        /// A signal came first.
        4 EINTR EINTR "Interrupted system call",
        /// The device failed.
        5 EIO EIO "Input/output error",
        /// No such address or device.
        6 ENXIO ENXIO "No such device or address",
        /// Too much.
        7 E2BIG E2BIG "Argument list too long",
        /// Not an open descriptor.
        9 EBADF EBADF "Bad file descriptor",
        /// Not now.
        11 EAGAIN EAGAIN "Resource temporarily unavailable",
        /// No memory.
        12 ENOMEM ENOMEM "Cannot allocate memory",
        /// Not allowed.
        13 EACCES EACCES "Permission denied",
        /// In use.
        16 EBUSY EBUSY "Device or resource busy",
        /// Exists already.
        17 EEXIST EEXIST "File exists",
        /// Not across these.
        18 EXDEV EXDEV "Invalid cross-device link",
        /// No such link.
        19 ENODEV ENODEV "No such device",
        /// A directory is needed.
        20 ENOTDIR ENOTDIR "Not a directory",
        /// A value is wrong.
        22 EINVAL EINVAL "Invalid argument",
        /// The system's table of open files is full.
        23 ENFILE ENFILE "Too many open files in system",
        /// The process has too many open files.
        24 EMFILE EMFILE "Too many open files",
        /// The wrong kind of descriptor.
        25 ENOTTY ENOTTY "Inappropriate ioctl for device",
        /// No room.
        28 ENOSPC ENOSPC "No space left on device",
        /// Cannot be written.
        30 EROFS EROFS "Read-only file system",
        /// A number is out of range.
        34 ERANGE ERANGE "Numerical result out of range",
        /// A name is too long.
        36 ENAMETOOLONG ENAMETOOLONG "File name too long",
        /// Not in this kernel.
        38 ENOSYS ENOSYS "Function not implemented",
        /// A loop of objects.
        40 ELOOP ELOOP "Too many levels of symbolic links",
        /// No such message.
        42 ENOMSG ENOMSG "No message of desired type",
        /// Nothing there.
        61 ENODATA ENODATA "No data available",
        /// A protocol was broken.
        71 EPROTO EPROTO "Protocol error",
        /// Not a sensible message.
        74 EBADMSG EBADMSG "Bad message",
        /// A number is too large.
        75 EOVERFLOW EOVERFLOW "Value too large for defined data type",
        /// What was looked at before is another now: ask again.
        85 ERESTART ERESTART "Interrupted system call should be restarted",
        /// A message is too long.
        90 EMSGSIZE EMSGSIZE "Message too long",
        /// No such option.
        92 ENOPROTOOPT ENOPROTOOPT "Protocol not available",
        /// No such protocol.
        93 EPROTONOSUPPORT EPROTONOSUPPORT "Protocol not supported",
        /// No such socket type.
        94 ESOCKTNOSUPPORT ESOCKTNOSUPPORT "Socket type not supported",
        /// Not in this kernel, or not for this object.
        95 EOPNOTSUPP EOPNOTSUPP "Operation not supported",
        /// No such protocol family.
        96 EPFNOSUPPORT EPFNOSUPPORT "Protocol family not supported",
        /// No such address family.
        97 EAFNOSUPPORT EAFNOSUPPORT "Address family not supported by protocol",
        /// The address or port is taken.
        98 EADDRINUSE EADDRINUSE "Address already in use",
        /// No such address.
        99 EADDRNOTAVAIL EADDRNOTAVAIL "Cannot assign requested address",
        /// The link is down.
        100 ENETDOWN ENETDOWN "Network is down",
        /// No route.
        101 ENETUNREACH ENETUNREACH "Network is unreachable",
        /// The buffer is full.
        105 ENOBUFS ENOBUFS "No buffer space available",
        /// Already connected.
        106 EISCONN EISCONN "Transport endpoint is already connected",
        /// Not connected.
        107 ENOTCONN ENOTCONN "Transport endpoint is not connected",
        /// Too late.
        110 ETIMEDOUT ETIMEDOUT "Connection timed out",
        /// Nobody listens.
        111 ECONNREFUSED ECONNREFUSED "Connection refused",
        /// No route to the host.
        113 EHOSTUNREACH EHOSTUNREACH "No route to host",
        /// Already under way.
        114 EALREADY EALREADY "Operation already in progress",
        /// Begun.
        115 EINPROGRESS EINPROGRESS "Operation now in progress",
        /// It is another one by now: sockets.
        116 ESTALE ESTALE "Stale file handle",
    }
}

impl Errno {
    /// The C name, such as `EEXIST`.
    pub fn c_name(self) -> Option<&'static str> {
        let other_numbers = cfg!(any(
            target_arch = "mips",
            target_arch = "mips64",
            target_arch = "sparc",
            target_arch = "sparc64"
        ));
        let number = u64::try_from(self.0).ok().filter(|number| *number <= 34 || !other_numbers)?;
        Self::CONSTANTS.iter().find(|row| row.number == number).map(|row| row.c_name)
    }
}

/// `EEXIST (File exists)`.
struct ErrnoText(Errno);

impl fmt::Display for ErrnoText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.c_name(), self.0.name()) {
            (Some(c_name), Some(text)) => write!(f, "{text} ({c_name})"),
            _ => write!(f, "errno {}", self.0.0),
        }
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
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c.is_control() {
            true => write!(f, "{}", c.escape_default()),
            false => f.write_char(c),
        })
    }
}

attrs! {
    /// `NLMSGERR_ATTR_*`: what the kernel says beside an errno. Linux 4.12.
    pub struct ExtAckAttrs<'a> for ExtAckBuilder {
        /// A text for people.
        1 NLMSGERR_ATTR_MSG message: Str<'a>,
        /// Where the offending attribute stands in the request, from its `nlmsghdr` on.
        2 NLMSGERR_ATTR_OFFS offset: u32,
        /// What the family hands back on success, `NL80211_ATTR_COOKIE` for example.
        3 NLMSGERR_ATTR_COOKIE cookie: Bytes<'a>,
        /// What the attribute may hold. Linux 5.10.
        4 NLMSGERR_ATTR_POLICY policy: PolicyAttrs<'a>,
        /// Number of an attribute that is missing. Linux 6.1.
        5 NLMSGERR_ATTR_MISS_TYPE missing: u32,
        /// Where the set stands that misses it; absent for the outermost. Linux 6.1.
        6 NLMSGERR_ATTR_MISS_NEST missing_in: u32,
    }
}

values! {
    /// `enum netlink_attribute_type`: what the kernel's policy takes.
    pub struct PolicyType: u32 {
        /// Nothing is valid.
        0 NL_ATTR_TYPE_INVALID INVALID "invalid",
        /// No payload.
        1 NL_ATTR_TYPE_FLAG FLAG "flag",
        /// One byte.
        2 NL_ATTR_TYPE_U8 U8 "u8",
        /// Two bytes.
        3 NL_ATTR_TYPE_U16 U16 "u16",
        /// Four bytes.
        4 NL_ATTR_TYPE_U32 U32 "u32",
        /// Eight bytes.
        5 NL_ATTR_TYPE_U64 U64 "u64",
        /// One byte, signed.
        6 NL_ATTR_TYPE_S8 S8 "s8",
        /// Two bytes, signed.
        7 NL_ATTR_TYPE_S16 S16 "s16",
        /// Four bytes, signed.
        8 NL_ATTR_TYPE_S32 S32 "s32",
        /// Eight bytes, signed.
        9 NL_ATTR_TYPE_S64 S64 "s64",
        /// Bytes.
        10 NL_ATTR_TYPE_BINARY BINARY "binary",
        /// Text, with or without its NUL.
        11 NL_ATTR_TYPE_STRING STRING "string",
        /// Text with its NUL.
        12 NL_ATTR_TYPE_NUL_STRING NUL_STRING "nul-string",
        /// Attributes.
        13 NL_ATTR_TYPE_NESTED NESTED "nested",
        /// A run of sets.
        14 NL_ATTR_TYPE_NESTED_ARRAY NESTED_ARRAY "nested-array",
        /// Value and selector.
        15 NL_ATTR_TYPE_BITFIELD32 BITFIELD32 "bitfield32",
        /// Four or eight bytes, signed.
        16 NL_ATTR_TYPE_SINT SINT "sint",
        /// Four or eight bytes.
        17 NL_ATTR_TYPE_UINT UINT "uint",
    }
}

attrs! {
    /// `NL_POLICY_TYPE_ATTR_*`: what the kernel accepts for an attribute. Linux 5.10.
    pub struct PolicyAttrs<'a> for Policy {
        /// The type.
        1 NL_POLICY_TYPE_ATTR_TYPE kind: PolicyType,
        /// Least signed value.
        2 NL_POLICY_TYPE_ATTR_MIN_VALUE_S min_signed: i64,
        /// Greatest signed value.
        3 NL_POLICY_TYPE_ATTR_MAX_VALUE_S max_signed: i64,
        /// Least unsigned value.
        4 NL_POLICY_TYPE_ATTR_MIN_VALUE_U min: u64,
        /// Greatest unsigned value.
        5 NL_POLICY_TYPE_ATTR_MAX_VALUE_U max: u64,
        /// Fewest bytes.
        6 NL_POLICY_TYPE_ATTR_MIN_LENGTH min_length: u32,
        /// Most bytes.
        7 NL_POLICY_TYPE_ATTR_MAX_LENGTH max_length: u32,
        /// In a policy dump: the policy of a nested set.
        8 NL_POLICY_TYPE_ATTR_POLICY_IDX policy_index: u32,
        /// In a policy dump: greatest attribute number of the nested set.
        9 NL_POLICY_TYPE_ATTR_POLICY_MAXTYPE policy_max_type: u32,
        /// Bits that a bitfield may select.
        10 NL_POLICY_TYPE_ATTR_BITFIELD32_MASK bitfield_mask: u32,
        /// Bits that may be set.
        12 NL_POLICY_TYPE_ATTR_MASK mask: u64,
    }
}

impl fmt::Display for PolicyAttrs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind().unwrap_or_default())?;
        if let (Some(min), Some(max)) = (self.min(), self.max()) {
            write!(f, " {min} to {max}")?;
        }
        if let (Some(min), Some(max)) = (self.min_signed(), self.max_signed()) {
            write!(f, " {min} to {max}")?;
        }
        match (self.min_length(), self.max_length()) {
            (Some(min), Some(max)) if min == max => write!(f, " of {min} bytes")?,
            (Some(min), Some(max)) => write!(f, " of {min} to {max} bytes")?,
            (Some(min), None) => write!(f, " of at least {min} bytes")?,
            (None, Some(max)) => write!(f, " of at most {max} bytes")?,
            (None, None) => {}
        }
        if let Some(mask) = self.mask().or_else(|| self.bitfield_mask().map(u64::from)) {
            write!(f, " within the bits {mask:#x}")?;
        }
        Ok(())
    }
}

/// What was asked: the request's bytes and what its message is. There may be a key in it.
#[derive(Clone)]
pub(crate) struct Asked {
    info: &'static MessageInfo,
    bytes: Box<[u8]>,
}

impl Asked {
    pub(crate) fn new(info: &'static MessageInfo, bytes: &[u8]) -> Self {
        Self { info, bytes: bytes.into() }
    }
}

impl Asked {
    /// The names the kernel was given to look up.
    fn names(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attrs = HEADER_LEN + self.info.header.size.next_multiple_of(4);
        for attr in Attrs::new(self.bytes.get(attrs..).unwrap_or_default()).flatten() {
            if let Some(Row { c_name, shape: Shape::Named(show), .. }) = self.info.table.row(attr.number) {
                write!(f, "; with {c_name} = ")?;
                show(attr.payload, f)?;
            }
        }
        Ok(())
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        crate::attr::wipe(&mut self.bytes);
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Tree::new(&self.bytes, Some(self.info)), f)
    }
}

/// What the kernel says beside an errno: about a failure, or as a warning on success.
#[derive(Clone, Debug)]
pub struct ExtAck {
    asked: Asked,
    attrs: Box<[u8]>,
}

impl ExtAck {
    #[cfg(any(feature = "testkit", all(feature = "std", target_os = "linux")))]
    pub(crate) fn new(asked: Asked, attrs: &[u8]) -> Self {
        Self { asked, attrs: attrs.into() }
    }

    /// Everything it says; nothing, if that can't be read.
    pub fn attrs(&self) -> ExtAckAttrs<'_> {
        ExtAckAttrs::decode(&self.attrs).unwrap_or_default()
    }

    /// The kernel's text.
    pub fn message(&self) -> Option<&str> {
        let attrs: &[u8] = &self.attrs;
        let text = Attrs::new(attrs).find(1)?;
        Str::<'_, 65_530>::decode(text).ok()?.as_str()
    }

    /// What the family hands back.
    pub fn cookie(&self) -> Option<&[u8]> {
        let attrs: &[u8] = &self.attrs;
        Attrs::new(attrs).find(3)
    }

    /// The attribute the kernel points at.
    pub fn attribute(&self) -> Option<Place> {
        self.asked.info.place(&self.asked.bytes, usize::try_from(self.attrs().offset()?).ok()?)
    }

    /// The attribute the kernel misses.
    pub fn missing(&self) -> Option<Place> {
        let attrs = self.attrs();
        let number = u16::try_from(attrs.missing()?).ok()?;
        let mut place = match attrs.missing_in() {
            Some(offset) => self.asked.info.place(&self.asked.bytes, usize::try_from(offset).ok()?)?,
            None => Place { path: Vec::new(), row: None, table: Some(self.asked.info.table), payload: 0..0 },
        };
        place.row = place.table.and_then(|table| table.row(number));
        place.path.push(Step { number, c_name: place.row.map(|row| row.c_name) });
        Some(place)
    }

    /// The bytes of the request, its `nlmsghdr` included.
    pub fn request(&self) -> &[u8] {
        &self.asked.bytes
    }

    /// The request's message type, such as `RTM_NEWLINK`.
    pub fn request_name(&self) -> &'static str {
        self.asked.info.c_name
    }
}

impl fmt::Display for ExtAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attrs = self.attrs();
        if let Some(message) = self.message() {
            write!(f, ": {}", Escaped(message))?;
        }
        if let Some(place) = self.attribute() {
            write!(f, "; at {place}")?;
            if let Some(Row { shape: Shape::Value(show) | Shape::Named(show), .. }) = place.row {
                f.write_str(" = ")?;
                show(self.asked.bytes.get(place.payload).unwrap_or_default(), f)?;
            }
        }
        if let Some(policy) = attrs.policy() {
            write!(f, "; allowed is {policy}")?;
        }
        match self.missing() {
            Some(missing) => write!(f, "; {missing} is missing"),
            None if attrs.offset().is_none() => self.asked.names(f),
            None => Ok(()),
        }
    }
}

/// Says more about a refusal than the kernel does: which permission the operation takes, what else an errno means
/// here. It writes behind the text of the error, and begins with `"; "` if it writes anything.
pub type Hint = fn(&KernelError, &mut fmt::Formatter<'_>) -> fmt::Result;

/// The kernel's refusal of a request.
#[derive(Clone, Debug)]
pub struct KernelError {
    pub(crate) errno: Errno,
    pub(crate) ext: ExtAck,
    pub(crate) hint: Hint,
}

impl KernelError {
    /// Why.
    pub fn errno(&self) -> Errno {
        self.errno
    }

    /// What the kernel says beside it: text, attribute, policy, and the request it refused.
    pub fn ext_ack(&self) -> &ExtAck {
        &self.ext
    }
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{}", self.ext.request_name(), ErrnoText(self.errno), self.ext)?;
        (self.hint)(self, f)
    }
}

impl core::error::Error for KernelError {}

/// Something the kernel did, and wants to say a word about.
#[derive(Clone, Debug)]
pub struct Warning(pub(crate) ExtAck);

impl Warning {
    /// What it says.
    pub fn ext_ack(&self) -> &ExtAck {
        &self.0
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was done{}", self.0.request_name(), self.0)
    }
}

/// A message that could not be read.
#[derive(Clone)]
pub struct Undecoded {
    error: DecodeError,
    message: &'static str,
    bytes: Box<[u8]>,
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
#[derive(Clone, Debug)]
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

impl core::error::Error for RequestError {}

/// One step of a path to an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The attribute's number.
    pub number: u16,
    /// Its name, if the table has a row for it.
    pub c_name: Option<&'static str>,
}

/// Where an attribute stands in a message. Prints as `IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_VXLAN_ID`.
#[derive(Clone, Debug)]
pub struct Place {
    /// From the outside in.
    pub path: Vec<Step>,
    row: Option<&'static Row>,
    table: Option<&'static Table>,
    payload: core::ops::Range<usize>,
}

impl Place {
    /// Whether the innermost attribute is the one of this C name.
    pub fn is(&self, c_name: &str) -> bool {
        self.path.last().is_some_and(|step| step.c_name == Some(c_name))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.path.iter().enumerate() {
            let dot = if at == 0 { "" } else { "." };
            match step.c_name {
                Some(c_name) => write!(f, "{dot}{c_name}")?,
                None => write!(f, "{dot}{}", step.number)?,
            }
        }
        Ok(())
    }
}

/// No table nests deeper; a message that does was not made by one.
const MAX_DEPTH: usize = 16;

impl MessageInfo {
    /// The attribute that the byte at `offset` of `message` belongs to; `message` starts with its `nlmsghdr`.
    pub fn place(&self, message: &[u8], offset: usize) -> Option<Place> {
        let start = HEADER_LEN + self.header.size.next_multiple_of(4);
        let header = message.get(HEADER_LEN..start.min(message.len()))?;
        let mut place =
            Place { path: Vec::new(), row: None, table: Some(self.table), payload: start..message.len() };
        let mut shape = Some(Shape::Set(self.table));
        while place.path.len() < MAX_DEPTH {
            let set = message.get(place.payload.clone())?;
            let mut inner = place.payload.start;
            let mut attrs = Attrs::new(set);
            let scope = Scope { header, set: attrs };
            let (table, item) = match shape {
                Some(Shape::Set(table)) => (Some(table), None),
                Some(Shape::Select(select)) => (select(&scope), None),
                Some(Shape::Indexed(item)) => (None, Some(*item)),
                Some(Shape::Records(table, find)) => {
                    // Skip whole records, then walk the attributes of the one that holds the offset.
                    let (first, next) = record_at(set, offset.checked_sub(inner)?, find)?;
                    attrs = Attrs::new(set.get(first..next)?);
                    inner += first;
                    (Some(table), None)
                }
                _ => (None, None),
            };
            place.table = table;
            let end = inner + attrs.rest().len();
            let hit = loop {
                let attr = attrs.next()?.ok()?;
                let after = end - attrs.rest().len();
                if offset < after {
                    break attr;
                }
                inner = after;
            };
            if offset < inner {
                return None;
            }
            place.row = table.and_then(|table| table.row(hit.number));
            place.path.push(Step { number: hit.number, c_name: place.row.map(|row| row.c_name) });
            place.payload = inner + 4..inner + 4 + hit.payload.len();
            shape = match (item, place.row) {
                (Some(item), _) => Some(item),
                (None, Some(row)) => Some(row.shape),
                (None, None) => None,
            };
            // A selecting shape looks at the set that holds the attribute, so choose before going in.
            if let Some(Shape::Select(select)) = shape {
                shape = select(&scope).map(Shape::Set);
            }
            place.table = match shape {
                Some(Shape::Set(table) | Shape::Records(table, _)) => Some(table),
                _ => None,
            };
            let inside = offset >= inner + 4 && place.payload.contains(&offset);
            if !inside || matches!(shape, None | Some(Shape::Value(_) | Shape::Named(_))) {
                return Some(place);
            }
        }
        None
    }
}

/// The attributes of the record that holds `offset`, as a range of `bytes`.
fn record_at(
    bytes: &[u8],
    offset: usize,
    find: fn(&[u8]) -> Option<(usize, usize)>,
) -> Option<(usize, usize)> {
    let mut start = 0;
    loop {
        let (attrs, next) = find(bytes.get(start..)?)?;
        if offset < start + next {
            return Some((start + attrs, (start + next).min(bytes.len())));
        }
        start += next.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    // U4.
    #[cfg(feature = "std")]
    #[test]
    fn a_failed_call_names_its_file() {
        let error = Error::system("open", Errno::ENOENT).at("/run/netns/nope");
        assert_eq!(error.to_string(), "open /run/netns/nope: No such file or directory (ENOENT)");
        assert!(matches!(error, Error::System { errno: Errno::ENOENT, .. }));
        // S-L8.
        let error = Error::system("open", Errno::ENOENT).at("/tmp/a\x1b[2J\nb");
        assert_eq!(error.to_string(), "open /tmp/a\\u{1b}[2J\\nb: No such file or directory (ENOENT)");
        assert_eq!(Error::system("poll", Errno(4711)).to_string(), "poll: errno 4711");
        assert_eq!(Error::Stopped.at("/tmp").to_string(), "stopped");
    }

    #[test]
    fn an_error_stays_small() {
        assert!(size_of::<Error>() <= 56);
    }

    // U4.
    #[cfg(all(feature = "std", target_os = "linux"))]
    #[test]
    fn a_namespace_that_is_not_there_is_named() {
        let error = crate::Namespace::open("of nobody").unwrap_err();
        assert_eq!(error.to_string(), "open /run/netns/of nobody: No such file or directory (ENOENT)");
    }
}
