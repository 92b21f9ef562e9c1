//! The kernel's refusals and warnings.

use core::fmt;

use super::errno::{Errno, ErrnoText};
use super::ext_ack::ExtAck;

/// Says more about a refusal than the kernel does: which permission the operation takes, what else an errno means
/// here. It writes behind the text of the error, and begins with `"; "` if it writes anything.
///
/// A message's own stands in its [`MessageInfo`](crate::MessageInfo), made by `hint` in
/// [`message!`](crate::message!); a request that knows more overrides
/// [`ToRequest::hint`](crate::ToRequest::hint). Most have [`net_admin`], and one that has a word on some errnos leaves
/// the others to it.
pub type Hint = fn(&KernelError, &mut fmt::Formatter<'_>) -> fmt::Result;

/// The hint of most messages: what `EPERM` lacks where the kernel asks for `CAP_NET_ADMIN` over the socket's network
/// namespace. A process that is root in a user namespace of its own has it there.
pub fn net_admin(error: &KernelError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    missing_capability(
        error,
        "CAP_NET_ADMIN in the user namespace that owns the socket's network namespace",
        f,
    )
}

/// The hint of messages for which the kernel asks for `CAP_NET_ADMIN` in the initial user namespace: root in a
/// container with user namespaces, or under `unshare -r`, lacks it.
pub fn initial_net_admin(error: &KernelError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    missing_capability(error, "CAP_NET_ADMIN in the initial user namespace", f)
}

fn missing_capability(error: &KernelError, which: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    // The kernel has other reasons for EPERM, and names those.
    if error.errno == Errno::EPERM && !error.is_explained() {
        write!(f, "; it takes {which}")
    } else {
        Ok(())
    }
}

/// What the kernel says of an algorithm or the like that it doesn't have under this name.
const NOT_FOUND_BY_NAME: &[Errno] = &[Errno::ENOSYS, Errno::ENOENT];

/// What is wrong is in the request, and not about which object it is.
const ABOUT_WHAT_WAS_SENT: &[Errno] = &[
    Errno::E2BIG,
    Errno::EINVAL,
    Errno::EDOM,
    Errno::ERANGE,
    Errno::ENAMETOOLONG,
    Errno::ENOSYS,
    Errno::EPROTO,
    Errno::EBADMSG,
    Errno::EOVERFLOW,
    Errno::EMSGSIZE,
    Errno::ENOPROTOOPT,
    Errno::EPROTONOSUPPORT,
    Errno::ESOCKTNOSUPPORT,
    Errno::EOPNOTSUPP,
    Errno::EPFNOSUPPORT,
    Errno::EAFNOSUPPORT,
    Errno::ENOTSUPP,
];

/// The kernel's refusal of a request.
#[derive(Clone)]
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

    /// Whether the kernel says why: by a text, or by pointing at an attribute.
    pub fn is_explained(&self) -> bool {
        self.ext.message().is_some() || self.ext.points()
    }

    /// What the kernel says beside it: text, attribute, policy, and the request it refused.
    pub fn ext_ack(&self) -> &ExtAck {
        &self.ext
    }
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asked = &self.ext.asked;
        let points = self.ext.points();
        f.write_str(self.ext.request_name())?;
        let named = !points && asked.subject(f)?;
        write!(f, ": {}{}", ErrnoText(self.errno), self.ext)?;
        let looked_up = !points && NOT_FOUND_BY_NAME.contains(&self.errno) && asked.names(f)?;
        (self.hint)(self, f)?;
        let unsaid = match self.errno {
            Errno::EPERM | Errno::EACCES | Errno::ENOMEM | Errno::ENOBUFS => false,
            errno => !named || ABOUT_WHAT_WAS_SENT.contains(&errno),
        };
        if unsaid && !looked_up && !self.is_explained() {
            asked.list(f)?;
        }
        Ok(())
    }
}

/// One text, the same in every run; `{:#?}` adds the request.
impl fmt::Debug for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ext.asked.debug(self, f)
    }
}

impl core::error::Error for KernelError {}

/// Something the kernel did, and wants to say a word about.
#[derive(Clone)]
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

impl fmt::Debug for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.asked.debug(self, f)
    }
}
