//! Named counters of packets and bytes, optionally with a quota: the functions of `nfacct` as a library.
//! Kernel side: `uapi/linux/netfilter/nfnetlink_acct.h`, `net/netfilter/nfnetlink_acct.c`.
//!
//! ```no_run
//! use netlink_netfilter::acct::{self, AccountFlags};
//!
//! # fn main() -> Result<(), netlink_netfilter::Error> {
//! let mut nl = netlink_netfilter::connect()?;
//! nl.call(acct::create("web"))?;
//! nl.call(acct::create("mail").quota_bytes(1 << 30))?;
//! // iptables -A INPUT -p tcp --dport 80 -m nfacct --nfacct-name web
//!
//! let counted = nl.call(acct::get_and_zero("web"))?;
//! println!("{:?} packets, {:?} bytes", counted.packets(), counted.bytes());
//!
//! let mut full = nl.dump(acct::list().matching(AccountFlags::OVERQUOTA, AccountFlags::OVERQUOTA))?;
//! while let Some(counter) = full.next()? {
//!     println!("{counter}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Rules of iptables count with `-m nfacct`. If the counter has a quota, the match reports whether it is used
//! up, and the kernel sends one event to [`Group::ACCT_QUOTA`](crate::event::Group::ACCT_QUOTA). Rules of
//! nftables have their own counters and quotas, as objects of a table.

use core::fmt;

use netlink_core::{Be, Bytes, Dump, MessageFlags, MessageInfo, Request, Str, attrs, flags, message, narrow};

use crate::Header;

flags! {
    /// `NFACCT_F_*`: unit of the quota, and whether it is used up.
    pub struct AccountFlags: Be<u32> {
        /// The quota counts packets.
        1 NFACCT_F_QUOTA_PKTS QUOTA_PKTS,
        /// The quota counts bytes.
        2 NFACCT_F_QUOTA_BYTES QUOTA_BYTES,
        /// The quota was reached. The kernel sets this flag, and clears it when the counter is reset to zero.
        4 NFACCT_F_OVERQUOTA OVERQUOTA,
    }
}

attrs! {
    /// `NFACCT_FILTER_*`: filter for a list. Both attributes are required.
    pub struct AccountFilterAttrs<'a> for AccountFilter {
        /// The flags to compare.
        1 NFACCT_FILTER_MASK mask: AccountFlags,
        /// The required values of these flags.
        2 NFACCT_FILTER_VALUE value: AccountFlags,
    }
}

attrs! {
    /// `NFACCT_*`: a counter.
    pub struct AccountAttrs<'a> for AccountRequest<R> {
        /// Name: 1 to 31 bytes.
        1 NFACCT_NAME name: Str<'a, 31>,
        /// Packets.
        2 NFACCT_PKTS packets: Be<u64> as u64,
        /// Bytes, with the IP header.
        3 NFACCT_BYTES bytes: Be<u64> as u64,
        /// Number of references in the kernel: one, and one or two for each rule that uses the counter.
        4 NFACCT_USE use_count: Be<u32> as u32,
        /// Flags of the quota. Absent without a quota. Set them with [`CreateRequest::quota_packets`] or
        /// [`CreateRequest::quota_bytes`].
        5 NFACCT_FLAGS quota_flags: AccountFlags,
        /// Limit in packets or bytes. Absent without a quota. Set it with [`CreateRequest::quota_packets`] or
        /// [`CreateRequest::quota_bytes`].
        6 NFACCT_QUOTA quota: Be<u64> as u64,
        /// Filter for a list. Set it with [`ListRequest::matching`].
        7 NFACCT_FILTER filter: AccountFilterAttrs<'a>,
        /// Aligns the counters.
        8 NFACCT_PAD pad: Bytes<'a>,
    }
}

message! {
    /// A counter.
    pub struct Account<'a>(Header, AccountAttrs<'a>), AccountRequest {
        /// Request: makes a counter or resets it to zero. Answer: a counter. Event: a counter reached its quota.
        0x700 NFNL_MSG_ACCT_NEW NEW,
        /// Asks for one counter or all.
        0x701 NFNL_MSG_ACCT_GET GET,
        /// Asks for one counter or all, and resets them to zero.
        0x702 NFNL_MSG_ACCT_GET_CTRZERO GET_CTRZERO,
        /// Deletes a counter.
        0x703 NFNL_MSG_ACCT_DEL DEL,
        /// No kernel sends it: events have the number of [`NEW`](Self::NEW).
        0x704 NFNL_MSG_ACCT_OVERQUOTA OVERQUOTA,
    }
    on crate::PROTOCOL
}

narrow! {
    /// A request for a new counter.
    pub struct CreateRequest<R>(AccountRequest<R>) {
        /// Initial number of packets.
        packets: Be<u64>,
        /// Initial number of bytes.
        bytes: Be<u64>,
    }
}

narrow! {
    /// A request for a list of counters.
    pub struct ListRequest<R>(AccountRequest<R>) {}
}

fn request<R>(info: &'static MessageInfo, flags: MessageFlags) -> AccountRequest<R> {
    AccountRequest::new(info, flags, Header::default())
}

/// Makes a counter; `EEXIST` if there is one of this name.
pub fn create(name: &str) -> CreateRequest<()> {
    request(&Account::NEW, MessageFlags::CREATE | MessageFlags::EXCL).name(name).into()
}

/// Resets the counter of this name and its quota; makes the counter if there is none.
///
/// A quota in the request is used only for a new counter. The quota of an existing counter can't be changed.
pub fn create_or_zero(name: &str) -> CreateRequest<()> {
    request(&Account::NEW, MessageFlags::CREATE | MessageFlags::REPLACE).name(name).into()
}

/// Asks for the counter of this name.
pub fn get(name: &str) -> Request<Account<'static>> {
    request(&Account::GET, MessageFlags::empty()).name(name).into_request()
}

/// Asks for the counter of this name, and resets it to zero. No packet is lost in between.
pub fn get_and_zero(name: &str) -> Request<Account<'static>> {
    request(&Account::GET_CTRZERO, MessageFlags::empty()).name(name).into_request()
}

/// Lists the counters of the namespace.
pub fn list() -> ListRequest<Dump<Account<'static>>> {
    request(&Account::GET, MessageFlags::DUMP).into()
}

/// Lists the counters, and resets them to zero.
pub fn list_and_zero() -> ListRequest<Dump<Account<'static>>> {
    request(&Account::GET_CTRZERO, MessageFlags::DUMP).into()
}

/// Deletes the counter of this name; `EBUSY` while a rule uses it.
pub fn delete(name: &str) -> Request<()> {
    request(&Account::DEL, MessageFlags::empty()).name(name).into_request()
}

/// Deletes all counters of the namespace that no rule uses.
pub fn flush() -> Request<()> {
    request(&Account::DEL, MessageFlags::empty()).into_request()
}

impl<R> CreateRequest<R> {
    /// Sets a quota of packets.
    pub fn quota_packets(self, packets: u64) -> Self {
        Self(self.0.quota_flags(AccountFlags::QUOTA_PKTS).quota(packets))
    }

    /// Sets a quota of bytes.
    pub fn quota_bytes(self, bytes: u64) -> Self {
        Self(self.0.quota_flags(AccountFlags::QUOTA_BYTES).quota(bytes))
    }
}

impl<R> ListRequest<R> {
    /// Lists only counters whose flags in `mask` have these values. Linux 3.16.
    pub fn matching(self, mask: AccountFlags, value: AccountFlags) -> Self {
        Self(self.0.filter(AccountFilter::new().mask(mask).value(value)))
    }
}

/// As `nfacct list` prints it.
impl fmt::Display for Account<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |value: Option<u64>| value.unwrap_or_default();
        write!(f, "{{ pkts = {:020}, bytes = {:020}", number(self.packets()), number(self.bytes()))?;
        if let Some(quota) = self.quota() {
            let flags = self.quota_flags().unwrap_or_default();
            let mode = if flags.contains(AccountFlags::QUOTA_PKTS) { "packet" } else { "byte" };
            let over = if flags.contains(AccountFlags::OVERQUOTA) { "yes" } else { "no" };
            write!(f, ", quota = {quota:020}, mode = {mode}, overquota = {over}")?;
        }
        write!(f, " }} = {};", self.name().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use netlink_core::{Error, Messages};
    use netlink_testing::native;

    #[test]
    fn a_quota_has_its_unit_with_it() {
        let bytes = create("a").packets(7).quota_bytes(1000).to_bytes().unwrap();
        assert_eq!(bytes[4..8], native([0, 7, 1, 6], &[2]));
        let expected = native(
            [
                6, 0, 1, 0, b'a', 0, 0, 0, 12, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0,
                7, // NFACCT_NAME, NFACCT_PKTS
                8, 0, 5, 0, 0, 0, 0, 2, 12, 0, 6, 0, 0, 0, 0, 0, 0, 0, 3,
                0xe8, // NFACCT_FLAGS, NFACCT_QUOTA
            ],
            &[2, 2, 1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 2, 2, 1],
        );
        assert_eq!(bytes[20..], expected);
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        let text = "{ pkts = 00000000000000000007, bytes = 00000000000000000000, \
                    quota = 00000000000000001000, mode = byte, overquota = no } = a;";
        assert_eq!(Account::read(&message).unwrap().to_string(), text);
    }

    #[test]
    fn names_that_the_kernel_would_cut_are_refused() {
        assert!(create(&"n".repeat(31)).to_bytes().is_ok());
        for name in ["n".repeat(32).as_str(), "a\0b"] {
            assert!(matches!(get(name).to_bytes(), Err(Error::Request(_))), "{name:?}");
        }
    }

    #[test]
    fn a_list_selects_by_flags() {
        let both = AccountFlags::QUOTA_PKTS | AccountFlags::OVERQUOTA;
        let bytes = list().matching(both, AccountFlags::QUOTA_PKTS).to_bytes().unwrap();
        assert_eq!(
            bytes[20..],
            native(
                [20, 0, 7, 0x80, 8, 0, 1, 0, 0, 0, 0, 5, 8, 0, 2, 0, 0, 0, 0, 1],
                &[2, 2, 2, 2, 1, 1, 1, 1, 2, 2, 1]
            )
        );
    }
}
