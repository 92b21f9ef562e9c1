//! Helpers in user space: programs that inspect connections and expect further ones, like the kernel's helper
//! for FTP. Kernel side: `uapi/linux/netfilter/nfnetlink_cthelper.h`, `net/netfilter/nfnetlink_cthelper.c`.
//!
//! ```no_run
//! use netlink_netfilter::Family;
//! use netlink_netfilter::conntrack::IpProtocol;
//! use netlink_netfilter::helper::{self, HelperStatus, Policy};
//!
//! # fn main() -> Result<(), netlink_netfilter::Error> {
//! let mut nl = netlink_netfilter::connect()?;
//! let data = Policy::new().name("data").expect_max(4).expect_timeout(30);
//! let request = helper::create("rpc", Family::IPV4, IpProtocol::TCP, &[data]);
//! nl.call(request.priv_data_len(0).queue_num(7).status(HelperStatus::ENABLED))?;
//! // nft add ct helper inet filter rpc '{ type "rpc" protocol tcp; l3proto ip; }'
//!
//! nl.call(helper::update("rpc", Family::IPV4, IpProtocol::TCP).status(HelperStatus::DISABLED))?;
//! let mut helpers = nl.dump(helper::list())?;
//! while let Some(helper) = helpers.next()? {
//!     println!("{:?} {:?}", helper.name(), helper.status());
//! }
//! nl.call(helper::delete("rpc", Family::IPV4, IpProtocol::TCP))?;
//! # Ok(())
//! # }
//! ```
//!
//! A rule assigns the helper to connections, and their packets arrive in its queue. The program then makes
//! [expectations](crate::expect). Helpers belong to the machine, not to a namespace. They need
//! `CAP_NET_ADMIN` in the initial user namespace.

use netlink_core::layout::Constant;
use netlink_core::{
    Be, Dump, MessageFlags, MessageInfo, Payload as _, Request, Str, Unsendable, attrs, message, narrow,
    values,
};

use crate::conntrack::IpProtocol;
use crate::{Family, Header};

values! {
    /// `NFCT_HELPER_STATUS_*`: whether packets are queued.
    pub struct HelperStatus: Be<u32> {
        /// Packets are not queued.
        0 NFCT_HELPER_STATUS_DISABLED DISABLED "disabled",
        /// Packets are queued. If no program has bound the queue, they pass, but newer kernels do not keep
        /// the connection then.
        1 NFCT_HELPER_STATUS_ENABLED ENABLED "enabled",
    }
}

attrs! {
    /// `NFCTH_TUPLE_*`: the connections that the helper is for.
    pub struct HelperTupleAttrs<'a> for HelperTuple {
        /// The protocol family: [`family`](Self::family) as a number.
        1 NFCTH_TUPLE_L3PROTONUM l3proto: Be<u16> as u16,
        /// The protocol above IP.
        2 NFCTH_TUPLE_L4PROTONUM l4proto: IpProtocol,
    }
}

impl HelperTupleAttrs<'_> {
    /// The protocol family.
    pub fn family(&self) -> Option<Family> {
        self.l3proto().and_then(|number| u8::try_from(number).ok()).map(Family)
    }
}

attrs! {
    /// `NFCTH_POLICY_*`: limits of one class of expectations. All three are required.
    pub struct PolicyAttrs<'a> for Policy {
        /// Name of the class; at most 15 bytes.
        1 NFCTH_POLICY_NAME name: Str<'a, 15>,
        /// Largest number of expectations per connection: 0 to 255, where 0 is no limit. One more replaces
        /// the oldest.
        2 NFCTH_POLICY_EXPECT_MAX expect_max: Be<u32> as u32,
        /// Seconds until an expectation is removed.
        3 NFCTH_POLICY_EXPECT_TIMEOUT expect_timeout: Be<u32> as u32,
    }
}

attrs! {
    /// `NFCTH_POLICY_SET_*`: the classes of expectations, one to four.
    pub struct PolicySetAttrs<'a> for PolicySet {
        /// Number of classes.
        1 NFCTH_POLICY_SET_NUM num: Be<u32> as u32,
        /// The first class: class 0 of an expectation.
        2 NFCTH_POLICY_SET1 set1: PolicyAttrs<'a>,
        /// The second class.
        3 NFCTH_POLICY_SET2 set2: PolicyAttrs<'a>,
        /// The third class.
        4 NFCTH_POLICY_SET3 set3: PolicyAttrs<'a>,
        /// The fourth class.
        5 NFCTH_POLICY_SET4 set4: PolicyAttrs<'a>,
    }
}

/// The header has two names for the first class.
pub(crate) const CONSTANTS: &[Constant] = &[Constant::new("NFCTH_POLICY_SET", "", 2)];

impl PolicySetAttrs<'_> {
    /// The classes, in order.
    pub fn policies(&self) -> impl Iterator<Item = PolicyAttrs<'_>> {
        [self.set1(), self.set2(), self.set3(), self.set4()].into_iter().flatten()
    }
}

impl PolicySet {
    const MAX: usize = 4;

    /// These classes, in order. More than four are refused when the request is sent.
    pub fn of(policies: &[Policy]) -> Self {
        let count = u16::try_from(policies.len()).unwrap_or(u16::MAX);
        let mut set = Self::new().num(u32::from(count));
        if policies.len() > Self::MAX {
            set.0.fail(Unsendable::TooLong { length: policies.len(), max: Self::MAX });
        }
        for (number, policy) in (2..).zip(policies) {
            policy.clone().attrs().put(number, &mut set.0);
        }
        set
    }
}

attrs! {
    /// `NFCTH_*`: a helper.
    pub struct HelperAttrs<'a> for HelperRequest<R> {
        /// Name; at most 15 bytes. Helpers for other connections may have the same name.
        1 NFCTH_NAME name: Str<'a, 15>,
        /// The connections that it is for.
        2 NFCTH_TUPLE tuple: HelperTupleAttrs<'a>,
        /// The queue of its packets; 0 by default.
        3 NFCTH_QUEUE_NUM queue_num: Be<u32> as u32,
        /// Its classes of expectations. Set them with [`PolicySet::of`].
        4 NFCTH_POLICY policy: PolicySetAttrs<'a>,
        /// Size in bytes of its data in each connection, [`HelperAttrs::info`](crate::conntrack::HelperAttrs::info);
        /// at most 32. Required to create a helper; can't be changed.
        5 NFCTH_PRIV_DATA_LEN priv_data_len: Be<u32> as u32,
        /// Whether packets are queued. Default: not queued.
        6 NFCTH_STATUS status: HelperStatus,
    }
}

message! {
    /// A helper in user space.
    pub struct Helper<'a>(Header, HelperAttrs<'a>), HelperRequest {
        /// Request: makes or changes a helper. Answer: a helper.
        0x900 NFNL_MSG_CTHELPER_NEW NEW,
        /// Asks for one helper or all.
        0x901 NFNL_MSG_CTHELPER_GET GET,
        /// Deletes helpers.
        0x902 NFNL_MSG_CTHELPER_DEL DEL,
    }
    on crate::PROTOCOL
}

fn request<R>(info: &'static MessageInfo, flags: MessageFlags) -> HelperRequest<R> {
    HelperRequest::new(info, flags, Header::default())
}

fn named<R>(
    info: &'static MessageInfo,
    flags: MessageFlags,
    name: &str,
    family: Family,
    protocol: IpProtocol,
) -> HelperRequest<R> {
    let tuple = HelperTuple::new().l3proto(u16::from(family.0)).l4proto(protocol);
    request(info, flags).name(name).tuple(tuple)
}

/// Makes a helper; `EEXIST` if there is one with this name for the same connections, also if it is one of the
/// kernel's.
///
/// A [`priv_data_len`](HelperRequest::priv_data_len) is required too.
pub fn create(name: &str, family: Family, protocol: IpProtocol, policies: &[Policy]) -> HelperRequest<()> {
    let flags = MessageFlags::CREATE | MessageFlags::EXCL;
    named(&Helper::NEW, flags, name, family, protocol).policy(PolicySet::of(policies))
}

/// Changes the given settings of a helper: queue, status, and numbers of its policies.
///
/// Give all policies or none, with their existing names. `EBUSY` if the number of policies, a name or the
/// [`priv_data_len`](HelperRequest::priv_data_len) differs. If there is no such helper, the kernel reads the
/// request as an incomplete request to make one: `EINVAL`.
pub fn update(name: &str, family: Family, protocol: IpProtocol) -> HelperRequest<()> {
    named(&Helper::NEW, MessageFlags::empty(), name, family, protocol)
}

/// Asks for the helper with this name for these connections; [`Error::NoReply`](crate::Error::NoReply) if
/// there is none.
pub fn get(name: &str, family: Family, protocol: IpProtocol) -> Request<Helper<'static>> {
    // If there is no such helper, the kernel answers with an acknowledgement only.
    named(&Helper::GET, MessageFlags::ACK, name, family, protocol).into_request()
}

/// Lists the helpers in user space of the machine.
pub fn list() -> Request<Dump<Helper<'static>>> {
    request(&Helper::GET, MessageFlags::DUMP).into_request()
}

/// Deletes the helper with this name for these connections. Connections that use it continue without it.
/// `EBUSY` while a rule uses it, except in Linux 7.3, which deletes it.
pub fn delete(name: &str, family: Family, protocol: IpProtocol) -> Request<()> {
    named(&Helper::DEL, MessageFlags::empty(), name, family, protocol).into_request()
}

narrow! {
    /// A request to delete many helpers.
    pub struct FlushRequest<R>(HelperRequest<R>) {
        /// Only helpers with this name.
        name: Str<'a, 15>,
        /// Only helpers for these connections; both fields are required.
        tuple: HelperTupleAttrs<'a>,
    }
}

/// Deletes the helpers in user space of the machine that match all set conditions; without conditions, all.
pub fn flush() -> FlushRequest<()> {
    request(&Helper::DEL, MessageFlags::empty()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use netlink_core::{Error, Messages};
    use netlink_testing::native;

    fn policy(name: &str) -> Policy {
        Policy::new().name(name).expect_max(4).expect_timeout(30)
    }

    #[test]
    fn policies_are_counted_and_numbered() {
        let request = create("rpc", Family::IPV4, IpProtocol::TCP, &[policy("a"), policy("b")]);
        let bytes = request.priv_data_len(0).to_bytes().unwrap();
        assert_eq!(bytes[4..8], native([0, 9, 1, 6], &[2]));
        let head = native(
            [
                8, 0, 1, 0, b'r', b'p', b'c', 0, // NFCTH_NAME
                20, 0, 2, 0x80, 6, 0, 1, 0, 0, 2, 0, 0, 5, 0, 2, 0, 6, 0, 0, 0, // NFCTH_TUPLE
                68, 0, 4, 0x80, 8, 0, 1, 0, 0, 0, 0, 2, // NFCTH_POLICY, NFCTH_POLICY_SET_NUM
                28, 0, 2, 0x80, 6, 0, 1, 0, b'a', 0, 0, 0, 8, 0, 2, 0, 0, 0, 0, 4, 8, 0, 3, 0, 0, 0, 0, 30,
            ],
            &[
                2, 2, 1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1, 1, 2, 2, 2,
                2, 1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 2, 2, 1,
            ],
        );
        assert_eq!(bytes[20..20 + head.len()], head);
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        let read = Helper::read(&message).unwrap();
        assert_eq!(read.tuple().unwrap().family(), Some(Family::IPV4));
        let set = read.policy().unwrap();
        let policies: Vec<_> = set.policies().collect();
        assert_eq!(policies, [policy("a").attrs(), policy("b").attrs()]);
    }

    #[test]
    fn five_policies_are_refused() {
        let policies: Vec<_> = ["a", "b", "c", "d", "e"].map(policy).into();
        for (count, sendable) in [(4, true), (5, false)] {
            let request = create("rpc", Family::IPV4, IpProtocol::UDP, &policies[..count]);
            assert_eq!(request.to_bytes().is_ok(), sendable);
        }
        let request = create("sixteen-is-a-lot", Family::IPV4, IpProtocol::UDP, &[]);
        assert!(matches!(request.to_bytes(), Err(Error::Request(_))));
    }
}
