//! The frame every netlink message travels in. Kernel side: `uapi/linux/netlink.h`, `net/netlink/af_netlink.c`.

use crate::attr::{Malformed, Writer, align4};
use crate::{flags, layout, values};

values! {
    /// `nlmsg_type`. Numbers below 16 belong to netlink itself, the rest to the protocol.
    pub struct MessageType: u16 {
        /// Nothing; skip it.
        1 NLMSG_NOOP NOOP "noop",
        /// An errno, or an acknowledgement when it is zero.
        2 NLMSG_ERROR ERROR "error",
        /// The end of a dump; its payload is the dump's errno.
        3 NLMSG_DONE DONE "done",
        /// Data was lost before this message.
        4 NLMSG_OVERRUN OVERRUN "overrun",
    }
}

values! {
    /// `NETLINK_*`: the protocols, each a bus of its own.
    pub struct Protocol: i32 {
        /// Links, addresses, routes, traffic control.
        0 NETLINK_ROUTE ROUTE "route",
        /// Between processes.
        2 NETLINK_USERSOCK USERSOCK "usersock",
        /// Sockets.
        4 NETLINK_SOCK_DIAG SOCK_DIAG "sock_diag",
        /// Netfilter's old log.
        5 NETLINK_NFLOG NFLOG "nflog",
        /// IPsec.
        6 NETLINK_XFRM XFRM "xfrm",
        /// SELinux events.
        7 NETLINK_SELINUX SELINUX "selinux",
        /// iSCSI.
        8 NETLINK_ISCSI ISCSI "iscsi",
        /// Auditing.
        9 NETLINK_AUDIT AUDIT "audit",
        /// IPv4 route look-ups.
        10 NETLINK_FIB_LOOKUP FIB_LOOKUP "fib_lookup",
        /// The kernel connector.
        11 NETLINK_CONNECTOR CONNECTOR "connector",
        /// Netfilter.
        12 NETLINK_NETFILTER NETFILTER "netfilter",
        /// Device events.
        15 NETLINK_KOBJECT_UEVENT KOBJECT_UEVENT "kobject_uevent",
        /// Families by name.
        16 NETLINK_GENERIC GENERIC "generic",
        /// SCSI transports.
        18 NETLINK_SCSITRANSPORT SCSITRANSPORT "scsitransport",
        /// eCryptfs.
        19 NETLINK_ECRYPTFS ECRYPTFS "ecryptfs",
        /// RDMA.
        20 NETLINK_RDMA RDMA "rdma",
        /// The crypto API.
        21 NETLINK_CRYPTO CRYPTO "crypto",
        /// SMC sockets.
        22 NETLINK_SMC SMC "smc",
    }
}

impl Protocol {
    /// How its datagrams become messages.
    pub const fn framing(self) -> Framing {
        match self {
            Self::AUDIT => Framing::OneMessage,
            Self::CONNECTOR => Framing::DoneIsData,
            Self::KOBJECT_UEVENT => Framing::NoHeader,
            _ => Framing::Usual,
        }
    }
}

/// How a datagram of a protocol becomes messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Framing {
    /// Messages one behind the other, each with its header.
    #[default]
    Usual,
    /// The same, and what comes is of the type `NLMSG_DONE`, which ends nothing. It is read as
    /// [`MessageType::DATA`]. `cn_netlink_send_mult` in `drivers/connector/connector.c`.
    DoneIsData,
    /// One message: it ends with its datagram, as the length in its header may leave the header out.
    /// `kauditd_send_queue` in `kernel/audit.c`.
    OneMessage,
    /// Data without a header, all of the datagram. It is read as one message of the type [`MessageType::DATA`].
    /// `lib/kobject_uevent.c`.
    NoHeader,
}

impl Framing {
    /// The bytes in front of a message's body.
    #[inline]
    pub fn header_len(self) -> usize {
        match self {
            Self::NoHeader => 0,
            _ => HEADER_LEN,
        }
    }
}

impl MessageType {
    /// The type of what a protocol sends without a type of its own; see [`Framing`].
    pub const DATA: Self = Self(16);

    /// Whether it is the protocol's own, and not netlink's.
    pub const fn is_data(self) -> bool {
        self.0 >= 16
    }
}

flags! {
    /// `nlmsg_flags`. The upper byte means different things in requests and in replies: see the names.
    pub struct MessageFlags: u16 {
        /// Set on everything that is sent to the kernel.
        0x1 NLM_F_REQUEST REQUEST,
        /// Part of a run of messages that `NLMSG_DONE` ends.
        0x2 NLM_F_MULTI MULTI,
        /// Answer with an acknowledgement, also on success.
        0x4 NLM_F_ACK ACK,
        /// Send the resulting notification to the requester too.
        0x8 NLM_F_ECHO ECHO,
        /// In a reply: the listed objects changed during the dump, which may be inconsistent.
        0x10 NLM_F_DUMP_INTR DUMP_INTR,
        /// In a reply: the kernel applied the filter of the request.
        0x20 NLM_F_DUMP_FILTERED DUMP_FILTERED,
        /// GET: the whole tree.
        0x100 NLM_F_ROOT ROOT,
        /// GET: all that match.
        0x200 NLM_F_MATCH MATCH,
        /// NEW: replace what exists.
        0x100 NLM_F_REPLACE REPLACE,
        /// NEW: fail with `EEXIST` if it exists.
        0x200 NLM_F_EXCL EXCL,
        /// NEW: create it if it does not exist.
        0x400 NLM_F_CREATE CREATE,
        /// NEW: add at the end of the list.
        0x800 NLM_F_APPEND APPEND,
        /// DEL: do not delete recursively.
        0x100 NLM_F_NONREC NONREC,
        /// DEL: delete many objects at once. Linux 5.15.
        0x200 NLM_F_BULK BULK,
        /// In an error: the payload of the request is not echoed.
        0x100 NLM_F_CAPPED CAPPED,
        /// In an error or DONE: extended acknowledgement attributes follow.
        0x200 NLM_F_ACK_TLVS ACK_TLVS,
    }
}

impl MessageFlags {
    /// `NLM_F_DUMP`: list everything that matches.
    pub const DUMP: Self = Self::ROOT.union(Self::MATCH);
}

layout! {
    /// `struct nlmsghdr`.
    pub struct MessageHeader: nlmsghdr = 16 {
        /// Bytes of the message, this header included, padding excluded.
        length: u32,
        /// What follows.
        kind: MessageType,
        /// How it is meant.
        flags: MessageFlags,
        /// Chosen by the requester, repeated in every reply.
        sequence: u32,
        /// In a reply: the port of the requester. In a request: ignored by the kernel.
        port: u32,
    }
}

impl MessageHeader {
    /// Member by member from an array: through `Field::take` and its result the header goes by way of memory,
    /// where wide loads wait for narrow stores; 5 ns a message.
    #[inline(always)]
    fn of(&[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]: &[u8; HEADER_LEN]) -> Self {
        Self {
            length: u32::from_ne_bytes([a, b, c, d]),
            kind: MessageType(u16::from_ne_bytes([e, f])),
            flags: MessageFlags::from_bits_retain(u16::from_ne_bytes([g, h])),
            sequence: u32::from_ne_bytes([i, j, k, l]),
            port: u32::from_ne_bytes([m, n, o, p]),
        }
    }
}

/// Bytes of `struct nlmsghdr`.
pub const HEADER_LEN: usize = 16;

/// One message of a datagram: its header and what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The frame's header.
    pub header: MessageHeader,
    /// The protocol's fixed header and attributes.
    pub body: &'a [u8],
}

/// Who sent a datagram, and how it got here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sender {
    /// Port of the sender; the kernel is 0.
    pub port: u32,
    /// Multicast group it was sent to; 0 when it was sent to our port. Groups above 32 are only
    /// known on a socket with `NETLINK_PKTINFO`.
    pub group: u32,
    /// Id of the namespace it comes from, on a socket that listens to several
    /// (`NETLINK_LISTEN_ALL_NSID`).
    pub nsid: Option<i32>,
}

impl Sender {
    /// The kernel, answering a request.
    pub const KERNEL: Self = Self { port: 0, group: 0, nsid: None };

    /// The kernel, notifying a multicast group.
    pub const fn kernel_group(group: u32) -> Self {
        Self { port: 0, group, nsid: None }
    }

    /// A socket of a process.
    pub const fn process(port: u32) -> Self {
        Self { port, group: 0, nsid: None }
    }
}

/// Walks the messages of one datagram.
///
/// A last message without its padding is fine; fewer than 16 bytes of rest are padding, if they are zeros. A rest that
/// isn't, and a header that claims more than there is or less than itself, are errors and end the walk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Messages<'a> {
    rest: &'a [u8],
    framing: Framing,
}

impl<'a> Messages<'a> {
    /// Walks `datagram`.
    pub const fn new(datagram: &'a [u8]) -> Self {
        Self::framed(datagram, Framing::Usual)
    }

    /// Walks a datagram of a protocol with this framing.
    pub const fn framed(datagram: &'a [u8], framing: Framing) -> Self {
        Self { rest: datagram, framing }
    }

    /// The bytes not walked yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Messages<'a> {
    /// What is left where no header fits.
    #[cold]
    fn tail(&mut self) -> Option<Result<Message<'a>, Malformed>> {
        let tail = core::mem::take(&mut self.rest);
        let padding = tail.iter().all(|byte| *byte == 0);
        if padding { None } else { Some(Err(Malformed::Length { want: HEADER_LEN, got: tail.len() })) }
    }

    /// The next message of another framing than the usual one.
    #[cold]
    fn unusual(&mut self) -> Option<Result<Message<'a>, Malformed>> {
        let all = self.rest;
        match self.framing {
            Framing::Usual => return None,
            Framing::DoneIsData => {
                let mut usual = Self::new(all);
                let mut next = usual.next();
                self.rest = usual.rest;
                if let Some(Ok(Message { header, .. })) = &mut next
                    && header.kind == MessageType::DONE
                {
                    header.kind = MessageType::DATA;
                }
                return next;
            }
            Framing::OneMessage | Framing::NoHeader => self.rest = &[],
        }
        let header = match (all.first_chunk(), self.framing) {
            _ if all.is_empty() => return None,
            (_, Framing::NoHeader) => MessageHeader::default().kind(MessageType::DATA),
            (Some(header), _) => MessageHeader::of(header),
            (None, _) => return Some(Err(Malformed::Length { want: HEADER_LEN, got: all.len() })),
        };
        let body = all.get(self.framing.header_len()..).unwrap_or_default();
        Some(Ok(Message { header, body }))
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.framing != Framing::Usual {
            return self.unusual();
        }
        let Some(header) = self.rest.first_chunk() else { return self.tail() };
        let header = MessageHeader::of(header);
        let length = header.length as usize;
        let Some(body) = self.rest.get(HEADER_LEN..length) else {
            let left = self.rest.len();
            self.rest = &[];
            return Some(Err(Malformed::Message { claims: header.length, left }));
        };
        self.rest = self.rest.get(align4(length)..).unwrap_or_default();
        Some(Ok(Message { header, body }))
    }
}

/// Writes a message into a datagram: `header` with its length filled in, then what `body` writes.
pub fn write(datagram: &mut Writer, header: MessageHeader, body: impl FnOnce(&mut Writer)) {
    let start = datagram.len();
    crate::layout::Field::write(&header, datagram);
    body(datagram);
    datagram.close_message(start);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn datagram(lengths: &[(u32, usize)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (claims, body) in lengths {
            bytes.extend(claims.to_ne_bytes());
            bytes.extend([0; 12]);
            bytes.extend(core::iter::repeat_n(7, *body));
        }
        bytes
    }

    #[test]
    fn walks_padded_messages() {
        let bytes = datagram(&[(18, 4), (16, 0), (21, 5)]);
        let bodies: Vec<usize> = Messages::new(&bytes).map(|m| m.unwrap().body.len()).collect();
        assert_eq!(bodies, [2, 0, 5]);
    }

    #[test]
    fn datagrams_of_other_framings_are_walked() {
        let walk = |bytes: &[u8], framing| -> Vec<_> {
            Messages::framed(bytes, framing)
                .map(|message| message.map(|message| (message.header.kind.0, message.body.len())))
                .collect()
        };
        let framing = |protocol: Protocol| protocol.framing();
        assert_eq!(framing(Protocol::ROUTE), Framing::Usual);

        // Of a connector: the end of a list is what it sends, and refusals stay refusals.
        let mut bytes = datagram(&[(20, 4), (17, 1)]);
        bytes[4] = 3;
        assert_eq!(walk(&bytes, framing(Protocol::CONNECTOR)), [Ok((16, 4)), Ok((0, 1))]);
        bytes[4] = 2;
        assert_eq!(walk(&bytes, framing(Protocol::CONNECTOR)), [Ok((2, 4)), Ok((0, 1))]);
        let short = Malformed::Message { claims: 20, left: 19 };
        assert_eq!(walk(&bytes[..19], framing(Protocol::CONNECTOR)), [Err(short)]);

        // Of auditing: whatever its length says.
        for claims in [0, 5, 16, 21, 400] {
            assert_eq!(walk(&datagram(&[(claims, 5)]), framing(Protocol::AUDIT)), [Ok((0, 5))]);
        }
        assert_eq!(walk(&[0; 15], framing(Protocol::AUDIT)), [Err(Malformed::Length { want: 16, got: 15 })]);

        // Of uevents: text.
        assert_eq!(walk(b"add@/devices/virtual/net/lo\0", framing(Protocol::KOBJECT_UEVENT)), [Ok((16, 28))]);
        for protocol in [Protocol::ROUTE, Protocol::CONNECTOR, Protocol::AUDIT, Protocol::KOBJECT_UEVENT] {
            assert_eq!(walk(&[], framing(protocol)), []);
        }
    }

    #[test]
    fn a_lying_length_is_an_error_once() {
        for claims in [0, 15, 33, u32::MAX] {
            let bytes = datagram(&[(16, 0), (claims, 0)]);
            let walked: Vec<_> = Messages::new(&bytes).collect();
            assert_eq!(walked.len(), 2);
            assert_eq!(walked[1], Err(Malformed::Message { claims, left: 16 }));
        }
        // S-X: whatever stands behind it.
        let bytes = datagram(&[(3, 0), (16, 0), (16, 0)]);
        assert_eq!(Messages::new(&bytes).count(), 1);
    }

    /// F17
    #[test]
    fn a_short_rest_is_padding_or_an_error_once() {
        for length in 0..16 {
            let mut bytes = datagram(&[(16, 0)]);
            bytes.resize(16 + length, 0);
            assert_eq!(Messages::new(&bytes).count(), 1);
            if let Some(last) = bytes.get_mut(16..).and_then(|tail| tail.last_mut()) {
                *last = 1;
                let mut walk = Messages::new(&bytes);
                assert!(walk.next().unwrap().is_ok());
                assert_eq!(walk.next(), Some(Err(Malformed::Length { want: 16, got: length })));
                assert_eq!(walk.next(), None);
            }
        }
    }
}
