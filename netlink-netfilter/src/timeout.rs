//! Timeout policies: timeouts of one protocol's connections, which a rule assigns to some of them. Kernel
//! side: `uapi/linux/netfilter/nfnetlink_cttimeout.h`, `net/netfilter/nfnetlink_cttimeout.c`.
//!
//! ```no_run
//! use netlink_netfilter::Family;
//! use netlink_netfilter::conntrack::IpProtocol;
//! use netlink_netfilter::timeout::{self, TcpTimeouts, Timeouts, UdpTimeouts};
//!
//! # fn main() -> Result<(), netlink_netfilter::Error> {
//! let mut nl = netlink_netfilter::connect()?;
//! nl.call(timeout::create("web", Family::IPV4, TcpTimeouts::new().established(600).close_wait(10)))?;
//! // iptables -t raw -A PREROUTING -p tcp --dport 80 -j CT --timeout web
//!
//! let policy = nl.call(timeout::get("web"))?;
//! if let Some(Timeouts::Tcp(tcp)) = policy.timeouts() {
//!     println!("{:?} seconds", tcp.established());
//! }
//!
//! // The timeouts of all other connections: the values below /proc/sys/net/netfilter.
//! nl.call(timeout::set_default(Family::IPV4, UdpTimeouts::new().unreplied(10)))?;
//! println!("{:?}", nl.call(timeout::default(Family::IPV4, IpProtocol::UDP))?.timeouts());
//! # Ok(())
//! # }
//! ```
//!
//! All times are in seconds. Rules of nftables have their own timeout policies, as objects of a table. The
//! policies of this module are for the `CT` target of iptables.

use netlink_core::{Be, Dump, IntoAttr, MessageFlags, MessageInfo, Request, Str, attrs, message};

use crate::conntrack::IpProtocol;
use crate::{Family, Header};

mod protocols;

pub use protocols::{
    DccpTimeouts, DccpTimeoutsAttrs, GENERIC, GenericTimeouts, GenericTimeoutsAttrs, GreTimeouts,
    GreTimeoutsAttrs, IcmpTimeouts, IcmpTimeoutsAttrs, Icmpv6Timeouts, Icmpv6TimeoutsAttrs, SctpTimeouts,
    SctpTimeoutsAttrs, TcpTimeouts, TcpTimeoutsAttrs, Timeouts, UdpTimeouts, UdpTimeoutsAttrs,
    UdpliteTimeouts, UdpliteTimeoutsAttrs,
};

attrs! {
    /// `CTA_TIMEOUT_*`: a timeout policy.
    pub struct TimeoutAttrs<'a> for TimeoutRequest<R> {
        /// Name; at most 31 bytes. Absent for the defaults.
        1 CTA_TIMEOUT_NAME name: Str<'a, 31>,
        /// The protocol family of its connections: [`family`](Self::family) as a number.
        2 CTA_TIMEOUT_L3PROTO l3proto: Be<u16> as u16,
        /// The protocol above IP. Setting the times sets it too.
        3 CTA_TIMEOUT_L4PROTO l4proto: IpProtocol,
        /// The times.
        4 CTA_TIMEOUT_DATA timeouts: Timeouts<'a>,
        /// Number of references in the kernel: one, and one or two for each rule that uses the policy.
        5 CTA_TIMEOUT_USE use_count: Be<u32> as u32,
    }
}

message! {
    /// A timeout policy, or the defaults of a protocol.
    pub struct Timeout<'a>(Header, TimeoutAttrs<'a>), TimeoutRequest {
        /// Request: makes or replaces a policy. Answer: a policy.
        0x800 IPCTNL_MSG_TIMEOUT_NEW NEW,
        /// Asks for one policy or all.
        0x801 IPCTNL_MSG_TIMEOUT_GET GET,
        /// Deletes policies.
        0x802 IPCTNL_MSG_TIMEOUT_DELETE DELETE,
        /// Request: sets the defaults. Answer: the defaults.
        0x803 IPCTNL_MSG_TIMEOUT_DEFAULT_SET DEFAULT_SET,
        /// Asks for the defaults.
        0x804 IPCTNL_MSG_TIMEOUT_DEFAULT_GET DEFAULT_GET,
    }
    on crate::PROTOCOL
}

impl TimeoutAttrs<'_> {
    /// The protocol family of its connections.
    pub fn family(&self) -> Option<Family> {
        self.l3proto().and_then(|number| u8::try_from(number).ok()).map(Family)
    }
}

fn request<R>(info: &'static MessageInfo, flags: MessageFlags) -> TimeoutRequest<R> {
    TimeoutRequest::new(info, flags, Header::default())
}

impl<R> TimeoutRequest<R> {
    fn of(self, family: Family, protocol: IpProtocol) -> Self {
        self.l3proto(u16::from(family.0)).l4proto(protocol)
    }

    fn with<'a>(self, family: Family, timeouts: impl IntoAttr<Timeouts<'a>>) -> Self {
        self.l3proto(u16::from(family.0)).timeouts(timeouts)
    }
}

/// Makes a policy; `EEXIST` if there is one with this name, `EOPNOTSUPP` if the kernel does not track the protocol.
///
/// The type of the times sets the protocol. Times that are not given are copied from the current defaults.
///
/// ```
/// use netlink_netfilter::Family;
/// use netlink_netfilter::timeout::{self, IcmpTimeouts, SctpTimeouts};
///
/// let request = timeout::create("ping", Family::IPV4, IcmpTimeouts::new().timeout(5));
/// let request = timeout::create("sctp", Family::IPV6, SctpTimeouts::new().established(3600));
/// ```
pub fn create<'a>(name: &str, family: Family, timeouts: impl IntoAttr<Timeouts<'a>>) -> TimeoutRequest<()> {
    request(&Timeout::NEW, MessageFlags::CREATE | MessageFlags::EXCL).name(name).with(family, timeouts)
}

/// Makes a policy, or replaces the policy with this name; `EINVAL` if that is of another family or protocol.
///
/// Times that are not given are copied from the current defaults, not from the old policy. Connections that
/// have the policy get the new times with their next packet.
pub fn create_or_replace<'a>(
    name: &str,
    family: Family,
    timeouts: impl IntoAttr<Timeouts<'a>>,
) -> TimeoutRequest<()> {
    request(&Timeout::NEW, MessageFlags::CREATE | MessageFlags::REPLACE).name(name).with(family, timeouts)
}

/// Asks for the policy with this name.
pub fn get(name: &str) -> Request<Timeout<'static>> {
    request(&Timeout::GET, MessageFlags::empty()).name(name).into_request()
}

/// Lists the policies of the namespace.
pub fn list() -> Request<Dump<Timeout<'static>>> {
    request(&Timeout::GET, MessageFlags::DUMP).into_request()
}

/// Deletes the policy with this name. Its connections continue with the defaults.
///
/// `EBUSY` while a rule uses it, in Linux 6.18; 6.1, 6.12 and 7.3 delete it nevertheless.
pub fn delete(name: &str) -> Request<()> {
    request(&Timeout::DELETE, MessageFlags::empty()).name(name).into_request()
}

/// Deletes all policies of the namespace. For policies in use see [`delete`].
pub fn flush() -> Request<()> {
    request(&Timeout::DELETE, MessageFlags::empty()).into_request()
}

/// Asks for the times of connections without a policy.
///
/// The defaults are the same for both families. The kernel only returns the family.
pub fn default(family: Family, protocol: IpProtocol) -> Request<Timeout<'static>> {
    request(&Timeout::DEFAULT_GET, MessageFlags::empty()).of(family, protocol).into_request()
}

/// Sets the times of connections without a policy. Times that are not given do not change.
pub fn set_default<'a>(family: Family, timeouts: impl IntoAttr<Timeouts<'a>>) -> TimeoutRequest<()> {
    request(&Timeout::DEFAULT_SET, MessageFlags::empty()).with(family, timeouts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_core::{Messages, Payload as _};
    use netlink_testing::native;

    #[test]
    fn the_times_set_the_protocol() {
        let request = create("web", Family::IPV6, TcpTimeouts::new().established(600));
        let bytes = request.to_bytes().unwrap();
        assert_eq!(bytes[4..8], native([0, 8, 1, 6], &[2]));
        let expected = native(
            [
                8, 0, 1, 0, b'w', b'e', b'b', 0, 6, 0, 2, 0, 0, 10, 0, 0, 5, 0, 3, 0, 6, 0, 0,
                0, // name, protocols
                12, 0, 4, 0x80, 8, 0, 3, 0, 0, 0, 2, 0x58, // CTA_TIMEOUT_DATA
            ],
            &[2, 2, 1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 2, 2, 2, 2, 1],
        );
        assert_eq!(bytes[20..], expected);
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        let read = Timeout::read(&message).unwrap();
        assert_eq!(read.family(), Some(Family::IPV6));
        assert_eq!(read.timeouts(), Some(TcpTimeouts::new().established(600).into()));
    }

    #[test]
    fn defaults_of_any_other_protocol() {
        let bytes = set_default(Family::IPV4, GenericTimeouts::new().timeout(7)).to_bytes().unwrap();
        assert_eq!(
            bytes[28..],
            native(
                [5, 0, 3, 0, 255, 0, 0, 0, 12, 0, 4, 0x80, 8, 0, 1, 0, 0, 0, 0, 7],
                &[2, 2, 1, 1, 1, 1, 2, 2, 2, 2, 1]
            )
        );
    }

    #[test]
    fn times_of_a_protocol_without_a_table_are_kept() {
        let bytes = native(
            [5, 0, 3, 0, 200, 0, 0, 0, 12, 0, 4, 0x80, 8, 0, 1, 0, 0, 0, 0, 7],
            &[2, 2, 1, 1, 1, 1, 2, 2, 2, 2, 1],
        );
        let set = TimeoutAttrs::decode(&bytes).unwrap();
        assert_eq!(set.timeouts(), Some(Timeouts::Other(IpProtocol(200), bytes[12..].into())));
        let again = create("x", Family::IPV4, set.timeouts().unwrap()).to_bytes().unwrap();
        assert_eq!(again[36..], bytes);
    }

    #[test]
    fn the_error_names_a_short_time() {
        let bytes = native(
            [5, 0, 3, 0, 6, 0, 0, 0, 10, 0, 4, 0x80, 6, 0, 3, 0, 0, 7],
            &[2, 2, 1, 1, 1, 1, 2, 2, 2, 2, 1],
        );
        let scope = netlink_core::Scope::new(&[], netlink_core::Attrs::new(&bytes));
        assert_eq!(TimeoutAttrs::read(&scope).unwrap_err().at, "CTA_TIMEOUT_TCP_ESTABLISHED");
        assert!(create(&"n".repeat(32), Family::IPV4, TcpTimeouts::new()).to_bytes().is_err());
    }
}
