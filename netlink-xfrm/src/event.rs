//! Notifications to the multicast groups of `NETLINK_XFRM`, like those of `ip xfrm monitor`.

use netlink_core::{events, values};

use crate::policy::{self, Acquire, DeletedPolicy, Migrate, Policy};
use crate::state::{self, AsyncEvent, DeletedState, Mapping, MigrateState, Report, State};

values! {
    /// `XFRMNLGRP_*`: the multicast groups.
    pub struct Group: u32 {
        /// Requests for missing states.
        1 XFRMNLGRP_ACQUIRE ACQUIRE "acquire",
        /// States and policies at a limit.
        2 XFRMNLGRP_EXPIRE EXPIRE "expire",
        /// States.
        3 XFRMNLGRP_SA STATE "sa",
        /// Policies, and the default action for packets without a policy.
        4 XFRMNLGRP_POLICY POLICY "policy",
        /// Counters of states.
        5 XFRMNLGRP_AEVENTS ASYNC_EVENT "aevent",
        /// Packets of Mobile IPv6 without a state.
        6 XFRMNLGRP_REPORT REPORT "report",
        /// States with new addresses. Linux 6.18.15 sends it only in the initial namespace, regardless of the
        /// state's namespace; 6.1.192, 6.12.117 and 7.3 do not.
        7 XFRMNLGRP_MIGRATE MIGRATE "migrate",
        /// Peers whose address or port changed.
        8 XFRMNLGRP_MAPPING MAPPING "mapping",
    }
}

impl Group {
    /// All groups.
    pub const ALL: &'static [Self] = &[
        Self::ACQUIRE,
        Self::EXPIRE,
        Self::STATE,
        Self::POLICY,
        Self::ASYNC_EVENT,
        Self::REPORT,
        Self::MIGRATE,
        Self::MAPPING,
    ];
}

events! {
    /// A notification. It has the new state of the object; for a removed object, its last state.
    pub enum Event<'a> {
        /// A state was added.
        StateAdded(State) = NEW,
        /// A state changed.
        StateUpdated(State) = UPDATE,
        /// A state was removed.
        StateDeleted(DeletedState) = DEL,
        /// All states of a protocol were removed, without one message per state.
        StatesFlushed(state::Flush) = FLUSH,
        /// A state reached a limit. At a hard limit it was removed.
        StateExpired(state::Expire) = EXPIRE,
        /// A policy was added.
        PolicyAdded(Policy) = NEW,
        /// A policy changed, or [`policy::update`] added it.
        PolicyUpdated(Policy) = UPDATE,
        /// A policy was removed.
        PolicyDeleted(DeletedPolicy) = DEL,
        /// All policies of a type were removed, without one message per policy.
        PoliciesFlushed(policy::Flush) = FLUSH,
        /// A policy reached a limit. At a hard limit it was removed.
        PolicyExpired(policy::Expire) = EXPIRE,
        /// The default action for packets without a policy changed.
        Default(policy::DefaultPolicy) = GET,
        /// A packet needs a state that does not exist.
        Acquire(Acquire) = ACQUIRE,
        /// A state reached a threshold, or its counters were set.
        AsyncEvent(AsyncEvent) = NEW,
        /// A packet of Mobile IPv6 without a state.
        Report(Report) = REPORT,
        /// The peer's address or port changed.
        Mapping(Mapping) = MAPPING,
        /// The states of a policy got new addresses.
        Migrate(Migrate) = MIGRATE,
        /// One state got new addresses.
        MigrateState(MigrateState) = MIGRATE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use core::net::IpAddr;
    use netlink_core::{AnyEvent, MessageFlags, MessageType, Messages, Reply as _, ToRequest};
    use netlink_testing::native;

    use crate::policy::{Direction, Selector, Template};
    use crate::state::{
        MappingInfo, MappingRequest, MigrateFlags, Mode, Proto, ReportInfo, ReportRequest, StateKey,
    };

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// The event that the kernel would send with the content of this request.
    fn event_of(request: &impl ToRequest) -> Event<'static> {
        let bytes = request.to_request().to_bytes().unwrap();
        Event::own(Event::view(&Messages::new(&bytes).next().unwrap().unwrap()).unwrap())
    }

    #[test]
    fn a_mapping_has_addresses_of_its_state() {
        let header = MappingInfo::default()
            .id(StateKey::of(ip("2001:db8::"), Proto::ESP, 9))
            .old_saddr(ip("2001:db8:1::"))
            .new_saddr(ip("2001:db8:2::"))
            .old_sport(4500)
            .new_sport(4501);
        let request = MappingRequest::<()>::new(&Mapping::MAPPING, MessageFlags::empty(), header);
        let Event::Mapping(mapping) = event_of(&request) else { panic!() };
        assert_eq!(mapping.header(), header);
        assert_eq!(mapping.header().new_saddr.ip(), Some(ip("2001:db8:2::")));
    }

    #[test]
    fn a_report_has_the_packet() {
        let selector = Selector::new(ip("2001:db8::1"), ip("2001:db8::2"));
        let header = ReportInfo::default().proto(Proto::HAO).sel(selector);
        let request = ReportRequest::<()>::new(&Report::REPORT, MessageFlags::empty(), header);
        let Event::Report(report) = event_of(&request.attr(14, &crate::Address::from(ip("fc00::")))) else {
            panic!()
        };
        assert_eq!((report.header(), report.message_type().0), (header, 32));
        assert!(report.coaddr().is_some());
    }

    #[test]
    fn a_moved_state_has_old_and_new_addresses() {
        let key = StateKey::of(ip("10.0.0.2"), Proto::ESP, 9);
        let request = state::migrate(key, ip("fc00::1"), ip("fc00::"), 5)
            .old_mark(state::Mark::new(1, 2))
            .new_selector(Selector::new(ip("10.0.0.1"), ip("10.0.0.3")))
            .flags(MigrateFlags::UPDATE_HOST_SELECTOR)
            .encap(state::Encap::udp(1, 2))
            .nat_keepalive_interval(0);
        let bytes = request.to_bytes().unwrap();
        assert_eq!(bytes[4..8], native([41, 0, 5, 0], &[2]));
        let Event::MigrateState(moved) = event_of(&request) else { panic!() };
        let header = moved.header();
        assert_eq!((header.id, header.new_reqid, header.new_daddr.ip()), (key, 5, Some(ip("fc00::"))));
        assert_eq!((header.old_mark, header.flags.bits()), (state::Mark::new(1, 2), 2));
        assert_eq!((moved.encap().unwrap().dport.0, moved.nat_keepalive_interval()), (2, Some(0)));
        let mixed = state::migrate(key, ip("10.0.0.1"), ip("fc00::"), 5);
        assert!(mixed.to_bytes().is_err());
    }

    #[test]
    fn attributes_of_new_kernels_are_written_and_read() {
        let request = state::add(ip("10.0.0.1"), ip("10.0.0.2"), Proto::ESP, 1)
            .mode(Mode::IPTFS)
            .sa_dir(state::Direction::OUT)
            .nat_keepalive_interval(20)
            .sa_pcpu(3)
            .iptfs_drop_time(1)
            .iptfs_reorder_window(2)
            .iptfs_dont_frag(netlink_core::Flag)
            .iptfs_init_delay(4)
            .iptfs_max_qsize(5)
            .iptfs_pkt_size(6);
        let bytes = request.to_bytes().unwrap();
        // After a struct that is shorter where `u64` is aligned to 4. `SA_DIR` has one byte, `REORDER_WINDOW`
        // two, `DONT_FRAG` none.
        let head = if align_of::<u64>() == 4 { 236 } else { 240 };
        assert_eq!(bytes[head..][..8], native([5, 0, 33, 0, 2, 0, 0, 0], &[2, 2, 1]));
        assert_eq!(bytes[head + 32..][..12], native([6, 0, 37, 0, 2, 0, 0, 0, 4, 0, 38, 0], &[2]));
        let Event::StateAdded(state) = event_of(&request) else { panic!() };
        assert_eq!((state.header().mode.to_string().as_str(), state.sa_pcpu()), ("iptfs", Some(3)));
        assert_eq!((state.nat_keepalive_interval(), state.iptfs_drop_time()), (Some(20), Some(1)));
        assert_eq!((state.iptfs_reorder_window(), state.iptfs_dont_frag().is_some()), (Some(2), true));
        assert_eq!((state.iptfs_init_delay(), state.iptfs_max_qsize()), (Some(4), Some(5)));
        assert_eq!(state.iptfs_pkt_size(), Some(6));
    }

    #[test]
    fn an_acquire_is_of_the_template_s_family() {
        let selector = Selector::new(ip("10.0.0.1"), ip("10.0.0.2"));
        let policy = crate::policy::PolicyInfo::default().sel(selector).dir(Direction::OUT);
        let header = crate::policy::AcquireInfo::default()
            .id(state::Id::default().daddr(ip("2001:db8::")).proto(Proto::ESP))
            .saddr(ip("fc00::"))
            .sel(selector)
            .policy(policy);
        let acquire = policy::AcquireRequest::<()>::new(&Acquire::ACQUIRE, MessageFlags::empty(), header);
        let template = Template::tunnel(ip("fc00::"), ip("2001:db8::"), Proto::ESP);
        let Event::Acquire(wanted) = event_of(&acquire.tmpl(&[template])) else { panic!() };
        assert_eq!((wanted.source(), wanted.destination()), (Some(ip("fc00::")), Some(ip("2001:db8::"))));
        assert_eq!(wanted.header().sel, selector);
    }

    #[test]
    fn unknown_messages_are_kept() {
        let mut message = netlink_core::Message { header: Default::default(), body: &[1, 2, 3] };
        message.header.kind = MessageType(99);
        let event = Event::own(Event::view(&message).unwrap());
        assert_eq!(event, Event::Other(AnyEvent::new(&message)));
        message.header.kind = MessageType(16);
        assert!(Event::view(&message).is_err());
    }

    #[test]
    fn the_filters_of_a_list_follow_the_netlink_header() {
        let list = state::list().proto(Proto::ESP).between(ip("10.0.0.1"), ip("10.0.0.2"));
        let bytes = list.to_bytes().unwrap();
        assert_eq!(bytes[..8], native([64, 0, 0, 0, 18, 0, 1, 3], &[4, 2]));
        assert_eq!(bytes[16..24], native([5, 0, 25, 0, 50, 0, 0, 0], &[2, 2, 1]));
        assert_eq!(bytes[24..32], native([40, 0, 26, 0, 10, 0, 0, 1], &[2, 2, 1]));
        assert_eq!(bytes[60..], native([2, 0, 32, 32], &[2, 1]));
        assert!(state::list().between(ip("10.0.0.1"), ip("::1")).to_bytes().is_err());
        let flush = policy::flush(policy::PolicyType::SUB).to_bytes().unwrap();
        assert_eq!(flush[4..8], native([29, 0, 5, 0], &[2]));
        assert_eq!(flush[16..], native([10, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0, 0], &[2, 2, 1]));
    }
}
