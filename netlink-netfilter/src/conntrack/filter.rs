//! Conditions of lists and deletions.

use netlink_core::request::Check;
use netlink_core::{Message, Messages, Unsendable, attrs, flags, narrow};

use super::IpProtocol;
use super::tuple::{Tuple, TupleAttrs};
use super::{Conntrack, ConntrackAttrs, ConntrackRequest, Status};
use crate::Family;

flags! {
    /// `CTA_FILTER_F_*`: the fields of a tuple to compare.
    pub struct FilterFlags: u32 {
        /// Source address.
        0x001 CTA_FILTER_F_CTA_IP_SRC SRC,
        /// Destination address.
        0x002 CTA_FILTER_F_CTA_IP_DST DST,
        /// Zone of the direction. Kernels accept it, but do not compare it.
        0x004 CTA_FILTER_F_CTA_TUPLE_ZONE ZONE,
        /// Protocol; all fields below need it.
        0x008 CTA_FILTER_F_CTA_PROTO_NUM PROTOCOL,
        /// Source port of TCP and UDP. For other protocols every port matches.
        0x010 CTA_FILTER_F_CTA_PROTO_SRC_PORT SRC_PORT,
        /// Destination port of TCP and UDP. For other protocols every port matches.
        0x020 CTA_FILTER_F_CTA_PROTO_DST_PORT DST_PORT,
        /// ICMP type.
        0x040 CTA_FILTER_F_CTA_PROTO_ICMP_TYPE ICMP_TYPE,
        /// ICMP code.
        0x080 CTA_FILTER_F_CTA_PROTO_ICMP_CODE ICMP_CODE,
        /// Identifier of an ICMP query.
        0x100 CTA_FILTER_F_CTA_PROTO_ICMP_ID ICMP_ID,
        /// ICMPv6 type.
        0x200 CTA_FILTER_F_CTA_PROTO_ICMPV6_TYPE ICMPV6_TYPE,
        /// ICMPv6 code.
        0x400 CTA_FILTER_F_CTA_PROTO_ICMPV6_CODE ICMPV6_CODE,
        /// Identifier of an ICMPv6 query.
        0x800 CTA_FILTER_F_CTA_PROTO_ICMPV6_ID ICMPV6_ID,
    }
}

attrs! {
    /// `CTA_FILTER_*`: the fields of the request's tuples to compare.
    pub struct FilterAttrs<'a> for Filter {
        /// Fields of the original direction.
        1 CTA_FILTER_ORIG_FLAGS orig_flags: FilterFlags,
        /// Fields of the reply direction.
        2 CTA_FILTER_REPLY_FLAGS reply_flags: FilterFlags,
    }
}

impl FilterFlags {
    pub(super) fn of(tuple: &TupleAttrs<'_>) -> Self {
        let proto = tuple.proto().unwrap_or_default();
        let present = [
            (tuple.src().is_some(), Self::SRC),
            (tuple.dst().is_some(), Self::DST),
            (tuple.zone().is_some(), Self::ZONE),
            (proto.num().is_some(), Self::PROTOCOL),
            (proto.src_port().is_some(), Self::SRC_PORT),
            (proto.dst_port().is_some(), Self::DST_PORT),
            (proto.icmp_type().is_some(), Self::ICMP_TYPE),
            (proto.icmp_code().is_some(), Self::ICMP_CODE),
            (proto.icmp_id().is_some(), Self::ICMP_ID),
            (proto.icmpv6_type().is_some(), Self::ICMPV6_TYPE),
            (proto.icmpv6_code().is_some(), Self::ICMPV6_CODE),
            (proto.icmpv6_id().is_some(), Self::ICMPV6_ID),
        ];
        present.into_iter().filter(|(there, _)| *there).fold(Self::empty(), |all, (_, flag)| all | flag)
    }
}

narrow! {
    /// A list or a deletion of all entries that match all set conditions.
    pub struct FilterRequest<R>(ConntrackRequest<R>) {}
}

impl<R> FilterRequest<R> {
    /// Only entries of this family.
    pub fn family(self, family: Family) -> Self {
        Self(self.0.header(|header| header.family = family))
    }

    /// Only entries with this mark.
    pub fn mark(self, mark: u32) -> Self {
        Self(self.0.mark(mark)).guarded(false)
    }

    /// Only entries whose mark, in the bits of `mask`, has this value.
    pub fn mark_masked(self, mark: u32, mask: u32) -> Self {
        Self(self.0.mark(mark).mark_mask(mask)).guarded(false)
    }

    /// Only entries with all of these bits. Linux 5.15, in [`flush`](super::flush) 6.10.
    pub fn status(self, bits: Status) -> Self {
        Self(self.0.status(bits)).guarded(true)
    }

    /// Only entries whose status, in the bits of `mask`, has this value. Linux 5.15, in [`flush`](super::flush) 6.10.
    pub fn status_masked(self, bits: Status, mask: Status) -> Self {
        Self(self.0.status(bits).status_mask(mask)).guarded(true)
    }

    /// Only entries in this zone, in both directions or in one; 0 means entries without a zone. Linux 6.8, in
    /// [`flush`](super::flush) 6.10.
    pub fn zone(self, zone: u16) -> Self {
        Self(self.0.zone(zone)).guarded(true)
    }

    /// Only entries whose tuples equal these tuples in all fields that these have: addresses, protocol, ports
    /// and others. Linux 5.9, in [`flush`](super::flush) 6.10.
    ///
    /// The kernel needs the family too. It is set from the addresses; without addresses set it with
    /// [`family`](Self::family). Ports and ICMP fields need the protocol.
    ///
    /// Kernels accept all fields, but compare only some. A field that would not be compared is refused before
    /// it is sent: ports of other protocols than TCP and UDP, a zone (see [`zone`](Self::zone)), tuples
    /// without any field, and **IPv6 addresses**: kernels up to at least 6.18 select the entries with a
    /// *different* address. In a deletion, a complete original tuple can't be combined with another
    /// condition: kernels before 6.10 ignore the other condition.
    ///
    /// ```
    /// use netlink_netfilter::Family;
    /// use netlink_netfilter::conntrack::{self, IpProtocol, Tuple, TupleIp, TupleProto};
    ///
    /// let from = Tuple::new().ip(TupleIp::new().src("192.0.2.1".parse()?));
    /// let request = conntrack::list().matching(&from, &Tuple::new());
    /// let web = Tuple::new().proto(TupleProto::new().num(IpProtocol::TCP).dst_port(80));
    /// let request = conntrack::flush().family(Family::IPV6).matching(&web, &Tuple::new());
    /// # Ok::<(), core::net::AddrParseError>(())
    /// ```
    pub fn matching(self, orig: &Tuple, reply: &Tuple) -> Self {
        let [orig, reply] = [orig, reply].map(|tuple| tuple.clone().attrs());
        let flags = [&orig, &reply].map(FilterFlags::of);
        let family = [orig.family(), reply.family()].into_iter().find(|family| *family != Family::UNSPEC);
        let mut request = match family {
            Some(family) => self.family(family),
            None => self,
        };
        let nothing = flags == [FilterFlags::empty(); 2];
        let ignored = nothing.then_some("tuples without a field match every entry");
        if let Some(why) = ignored.or_else(|| ignored_in(&orig)).or_else(|| ignored_in(&reply)) {
            request.0.0.writer().fail(Unsendable::Value(why));
        }
        let filter = Filter::new().orig_flags(flags[0]).reply_flags(flags[1]);
        Self(request.0.tuple_orig(orig).tuple_reply(reply).filter(filter)).guarded(true)
    }

    /// Whether an entry matches all set conditions, like in a kernel that knows all of them. Use it for
    /// events, which are not filtered, and for lists of older kernels.
    pub fn selects(&self, entry: &Conntrack<'_>) -> bool {
        let bytes = self.to_bytes().unwrap_or_default();
        let asked = Messages::new(&bytes).next().and_then(|message| Conntrack::read(&message.ok()?).ok());
        asked.is_some_and(|asked| selects(&asked, entry))
    }

    /// Makes a deletion that kernels which ignore its conditions refuse.
    ///
    /// Before Linux 6.10 a deletion with a tuple deletes the entry of that tuple, and ignores `CTA_FILTER`.
    /// An incomplete tuple is `EINVAL`.
    fn guarded(mut self, ignored: bool) -> Self {
        if self.info().number != Conntrack::DELETE.number {
            return self;
        }
        let Ok(bytes) = self.to_bytes() else { return self };
        let message = Messages::new(&bytes).next().and_then(Result::ok);
        let Some(asked) = message.and_then(|message| Conntrack::read(&message).ok()) else { return self };
        let Some(filter) = asked.filter() else {
            let nothing = Filter::new().orig_flags(FilterFlags::empty());
            return if ignored { Self(self.0.tuple_orig(Tuple::new()).filter(nothing)) } else { self };
        };
        let others = asked.mark().is_some()
            || asked.status().is_some()
            || asked.zone().is_some()
            || filter.reply_flags().is_some_and(|flags| !flags.is_empty());
        if others && asked.tuple_orig().is_some_and(|tuple| names_an_entry(&tuple)) {
            let why = "kernels before 6.10 ignore all other conditions if the tuple is complete";
            self.0.0.writer().fail(Unsendable::Value(why));
        }
        self
    }
}

/// Why kernels would ignore a part of a tuple, if they would. Up to Linux 7.3 they compare addresses, the
/// protocol, and these fields of these protocols.
fn ignored_in(tuple: &TupleAttrs<'_>) -> Option<&'static str> {
    let flags = FilterFlags::of(tuple);
    let protocol = tuple.protocol();
    let only = |fields: FilterFlags, of: &[IpProtocol]| {
        !flags.intersects(fields) || protocol.is_some_and(|protocol| of.contains(&protocol))
    };
    let ports = FilterFlags::SRC_PORT | FilterFlags::DST_PORT;
    let icmp = FilterFlags::ICMP_TYPE | FilterFlags::ICMP_CODE | FilterFlags::ICMP_ID;
    let icmpv6 = FilterFlags::ICMPV6_TYPE | FilterFlags::ICMPV6_CODE | FilterFlags::ICMPV6_ID;
    if tuple.family() == Family::IPV6 {
        Some("kernels select the entries with a different IPv6 address")
    } else if flags.contains(FilterFlags::ZONE) {
        Some("kernels don't compare the zone of a tuple")
    } else if !only(ports, &[IpProtocol::TCP, IpProtocol::UDP]) {
        Some("kernels compare the ports of TCP and UDP only")
    } else if !only(icmp, &[IpProtocol::ICMP]) || !only(icmpv6, &[IpProtocol::ICMPV6]) {
        Some("kernels compare the fields of ICMP and ICMPv6 only in their own protocol")
    } else {
        None
    }
}

/// Whether a tuple can be complete, so that it identifies an entry. The fields for this depend on the
/// protocol, and on whether the kernel inspects it.
fn names_an_entry(tuple: &TupleAttrs<'_>) -> bool {
    let flags = FilterFlags::of(tuple);
    let rest = match tuple.protocol() {
        Some(IpProtocol::TCP | IpProtocol::UDP) => FilterFlags::SRC_PORT | FilterFlags::DST_PORT,
        Some(IpProtocol::ICMP) => FilterFlags::ICMP_TYPE | FilterFlags::ICMP_CODE | FilterFlags::ICMP_ID,
        Some(IpProtocol::ICMPV6) => {
            FilterFlags::ICMPV6_TYPE | FilterFlags::ICMPV6_CODE | FilterFlags::ICMPV6_ID
        }
        _ => FilterFlags::empty(),
    };
    flags.contains(FilterFlags::SRC | FilterFlags::DST | FilterFlags::PROTOCOL | rest)
}

/// A list by status, zone or tuples is filtered again: kernels before 5.15, 6.8 and 5.9 list all entries.
pub(super) fn refilter(asked: &Message<'_>) -> Option<Check> {
    let asked = Conntrack::read(asked).ok()?;
    let some = asked.status().is_some() || asked.zone().is_some() || asked.filter().is_some();
    some.then_some(|asked, entry| match (Conntrack::read(asked), Conntrack::read(entry)) {
        (Ok(asked), Ok(entry)) => selects(&asked, &entry),
        _ => true,
    })
}

/// Whether an entry matches the conditions of a request.
fn selects(asked: &Conntrack<'_>, entry: &Conntrack<'_>) -> bool {
    let under = |value: u32, mask: u32, found: u32| found & mask == value;
    let mark = asked.mark().is_none_or(|mark| {
        let mask = asked.mark_mask().unwrap_or(u32::MAX);
        under(mark, mask, entry.mark().unwrap_or_default())
    });
    let status = asked.status().is_none_or(|status| {
        let mask = asked.status_mask().unwrap_or(status);
        under(status.bits(), mask.bits(), entry.status().unwrap_or_default().bits())
    });
    let family = [Family::UNSPEC, entry.family()].contains(&asked.family());
    family && mark && status && zone(asked, entry) && tuples(asked, entry)
}

/// A zone of one direction counts as the zone of the entry.
fn zone(asked: &ConntrackAttrs<'_>, entry: &ConntrackAttrs<'_>) -> bool {
    let of = |tuple: Option<TupleAttrs<'_>>| tuple.and_then(|tuple| tuple.zone());
    let found = entry.zone().or_else(|| of(entry.tuple_orig())).or_else(|| of(entry.tuple_reply()));
    asked.zone().is_none_or(|zone| zone == found.unwrap_or_default())
}

fn tuples(asked: &ConntrackAttrs<'_>, entry: &ConntrackAttrs<'_>) -> bool {
    let filter = asked.filter().unwrap_or_default();
    let directions = [
        (filter.orig_flags(), asked.tuple_orig(), entry.tuple_orig()),
        (filter.reply_flags(), asked.tuple_reply(), entry.tuple_reply()),
    ];
    directions.into_iter().all(|(flags, asked, entry)| {
        let [asked, entry] = [asked, entry].map(Option::unwrap_or_default);
        let [a, e] = [&asked, &entry].map(|tuple| tuple.proto().unwrap_or_default());
        let equal = [
            (FilterFlags::SRC, asked.src() == entry.src()),
            (FilterFlags::DST, asked.dst() == entry.dst()),
            (FilterFlags::PROTOCOL, a.num() == e.num()),
            (FilterFlags::SRC_PORT, a.src_port() == e.src_port()),
            (FilterFlags::DST_PORT, a.dst_port() == e.dst_port()),
            (FilterFlags::ICMP_TYPE, a.icmp_type() == e.icmp_type()),
            (FilterFlags::ICMP_CODE, a.icmp_code() == e.icmp_code()),
            (FilterFlags::ICMP_ID, a.icmp_id() == e.icmp_id()),
            (FilterFlags::ICMPV6_TYPE, a.icmpv6_type() == e.icmpv6_type()),
            (FilterFlags::ICMPV6_CODE, a.icmpv6_code() == e.icmpv6_code()),
            (FilterFlags::ICMPV6_ID, a.icmpv6_id() == e.icmpv6_id()),
        ];
        let flags = flags.unwrap_or_default();
        equal.into_iter().all(|(flag, equal)| equal || !flags.contains(flag))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::{TupleProto, flush, list};
    use alloc::string::ToString as _;
    use netlink_core::testkit::{Replies, answer, listing};
    use netlink_testing::native;

    /// N3: entries that an older kernel lists without filtering are skipped.
    #[test]
    fn a_list_is_filtered_again() {
        let of = |mark: u32, zone: u16| {
            let tuple = Tuple::generic(IpProtocol::ESP, [10, 0, 0, 1].into(), [10, 0, 0, 2].into());
            crate::conntrack::create(&tuple, &tuple.reversed()).mark(mark).zone(zone)
        };
        let listed = |request: FilterRequest<netlink_core::Dump<Conntrack<'static>>>| {
            let datagram = Replies::new().part(&of(1, 3)).part(&of(2, 4)).done(0);
            let entries = listing::<_, Conntrack<'static>>(request, &[&datagram]).unwrap();
            entries.iter().map(|entry| entry.view().unwrap().mark().unwrap()).collect::<alloc::vec::Vec<_>>()
        };
        assert_eq!(listed(list().zone(4)), [2]);
        assert_eq!(listed(list()), [1, 2]);
    }

    #[test]
    fn the_error_of_an_older_kernel_says_what_to_do() {
        let refused = |request: FilterRequest<()>| {
            answer(request, &[&Replies::new().error(22, &[])]).unwrap_err().to_string()
        };
        assert!(refused(flush().zone(3)).contains("list the entries, and delete each"));
        assert!(!refused(flush().mark(3)).contains("list the entries"));
    }

    /// N3: a kernel before 6.10 refuses the empty tuple because it can't read it.
    #[test]
    fn older_kernels_refuse_a_deletion_by_conditions_that_they_ignore() {
        let zone = native([6, 0, 18, 0, 0, 3, 0, 0], &[2, 2, 1]);
        let status = native([8, 0, 3, 0, 0, 0, 0, 4], &[2, 2, 1]);
        let guard = native([4, 0, 1, 0x80, 12, 0, 25, 0x80, 8, 0, 1, 0, 0, 0, 0, 0], &[2, 2, 2, 2, 2, 2, 1]);
        let attrs = |request: FilterRequest<()>| request.to_bytes().unwrap().split_off(20);
        assert_eq!(attrs(flush().zone(3)), [&zone[..], &guard].concat());
        assert_eq!(attrs(flush().status(Status::ASSURED)), [&status[..], &guard].concat());
        let both = flush().status(Status::ASSURED).zone(3);
        assert_eq!(attrs(both), [&status[..], &guard, &zone].concat());
        assert_eq!(attrs(flush().mark(7)), native([8, 0, 8, 0, 0, 0, 0, 7], &[2, 2, 1]));
        assert_eq!(attrs(flush().family(Family::IPV4)), [0; 0]);
        assert_eq!(list().zone(3).to_bytes().unwrap()[20..], zone);
        let udp = Tuple::new().proto(TupleProto::new().num(IpProtocol::UDP));
        let tuples = attrs(flush().family(Family::IPV4).matching(&udp, &Tuple::new()));
        assert_eq!(
            attrs(flush().family(Family::IPV4).matching(&udp, &Tuple::new()).zone(3)),
            [tuples, zone.into()].concat()
        );
    }
}
