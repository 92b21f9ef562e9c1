//! Requests about states.

use core::net::IpAddr;
use core::ops::RangeInclusive;

use netlink_core::{Be, Dump, MessageFlags, MessageInfo};

use super::{
    AddressFilter, AsyncEvent, AsyncEventFlags, AsyncEventInfo, AsyncEventRequest, DeletedState, Expire,
    ExpireInfo, ExpireRequest, Flush, FlushInfo, FlushRequest, Id, InfoHeader, Lifetime, List, ListRequest,
    MigrateFlags, MigrateState, MigrateStateInfo, MigrateStateRequest, Mode, Proto, ReplayEsn, Sad,
    SadRequest, Selector, Spi, SpiInfo, SpiRequest, State, StateFlags, StateInfo, StateKey, StateKeyRequest,
    StateRequest,
};
use crate::common::one_family;
use crate::{Address, Prefix};

fn info_of(source: Address, destination: IpAddr, proto: Proto, spi: u32) -> StateInfo {
    StateInfo {
        id: Id { daddr: destination.into(), spi: Be(spi), proto, ..Id::default() },
        saddr: source,
        family: destination.into(),
        lft: Lifetime::UNLIMITED,
        ..StateInfo::default()
    }
}

fn make(info: &'static MessageInfo, header: StateInfo) -> StateRequest<()> {
    let mut request = StateRequest::new(info, MessageFlags::ACK, header);
    one_family(header.family, &[header.saddr], request.0.writer());
    request
}

/// Makes a state; `EEXIST` if there is one of this destination, protocol and SPI. It wants its algorithms, and has
/// no limits, no window and the mode [`TRANSPORT`](Mode::TRANSPORT) unless told otherwise.
pub fn add(
    source: impl Into<IpAddr>,
    destination: impl Into<IpAddr>,
    proto: Proto,
    spi: u32,
) -> StateRequest<()> {
    make(&State::NEW, info_of(source.into().into(), destination.into(), proto, spi))
}

/// Gives a state with an SPI from [`allocate_spi`] its algorithms, or an existing one other lifetimes,
/// encapsulation, marks and care-of address; `ESRCH` if there is none. Keys of a state in use stay.
pub fn update(
    source: impl Into<IpAddr>,
    destination: impl Into<IpAddr>,
    proto: Proto,
    spi: u32,
) -> StateRequest<()> {
    make(&State::UPDATE, info_of(source.into().into(), destination.into(), proto, spi))
}

fn query<R>(info: &'static MessageInfo, flags: MessageFlags, key: StateKey) -> StateKeyRequest<R> {
    StateKeyRequest::new(info, flags, key)
}

/// Asks for a state; `ESRCH` if there is none. Mobile IPv6's protocols have no SPI: there it is 0, and
/// [`srcaddr`](StateKeyRequest::srcaddr) must be told.
pub fn get(destination: impl Into<IpAddr>, proto: Proto, spi: u32) -> StateKeyRequest<State<'static>> {
    query(&DeletedState::GET, MessageFlags::empty(), StateKey::of(destination, proto, spi))
}

/// Deletes a state; `ESRCH` if there is none. It is named as in [`get`].
pub fn delete(destination: impl Into<IpAddr>, proto: Proto, spi: u32) -> StateKeyRequest<()> {
    query(&DeletedState::DEL, MessageFlags::ACK, StateKey::of(destination, proto, spi))
}

/// Lists states. The kernel filters by [`proto`](ListRequest::proto) and [`between`](ListRequest::between).
pub fn list() -> ListRequest<Dump<State<'static>>> {
    ListRequest::new(&List::GET, MessageFlags::DUMP, ())
}

/// Deletes all states of a protocol; [`Proto::IPSEC`] is ESP, AH and compression, [`Proto::ANY`] everything.
pub fn flush(proto: Proto) -> FlushRequest<()> {
    FlushRequest::new(&Flush::FLUSH, MessageFlags::ACK, FlushInfo::default().proto(proto))
}

/// Asks for a free SPI within a range; the answer is a state with nothing else, which [`update`] completes. It is
/// gone after the seconds of the sysctl `net.core.xfrm_acq_expires`.
///
/// `ENOENT` if all are taken. Those of compression have 16 bits.
///
/// ```
/// use netlink_xfrm::state::{self, Mode, Proto};
/// use std::net::Ipv4Addr;
///
/// let (from, to) = (Ipv4Addr::new(192, 0, 2, 2), Ipv4Addr::new(192, 0, 2, 1));
/// let wanted = state::allocate_spi(from, to, Proto::ESP, 0x100..=0xffff).mode(Mode::TUNNEL).reqid(1);
/// ```
pub fn allocate_spi(
    source: impl Into<IpAddr>,
    destination: impl Into<IpAddr>,
    proto: Proto,
    range: RangeInclusive<u32>,
) -> SpiRequest<State<'static>> {
    let info = info_of(source.into().into(), destination.into(), proto, 0);
    let header = SpiInfo { info, min: *range.start(), max: *range.end() };
    let mut request = SpiRequest::new(&Spi::ALLOC, MessageFlags::empty(), header);
    one_family(info.family, &[info.saddr], request.0.writer());
    request
}

/// Lets a state reach its soft limit now, or its hard one, where it is deleted.
pub fn expire(destination: impl Into<IpAddr>, proto: Proto, spi: u32, hard: bool) -> ExpireRequest<()> {
    let state = info_of(Address::default(), destination.into(), proto, spi);
    let header = ExpireInfo { state, hard: hard.into(), ..ExpireInfo::default() };
    ExpireRequest::new(&Expire::EXPIRE, MessageFlags::ACK, header)
}

/// How many states there are.
pub fn info() -> SadRequest<Sad<'static>> {
    SadRequest::new(&Sad::GET, MessageFlags::empty(), InfoHeader::default())
}

/// Asks for the counters, the window and the use of a state, and for its thresholds where the flags have
/// [`REPLAY_THRESHOLD`](AsyncEventFlags::REPLAY_THRESHOLD) or [`TIMER_THRESHOLD`](AsyncEventFlags::TIMER_THRESHOLD).
pub fn async_event(
    destination: impl Into<IpAddr>,
    proto: Proto,
    spi: u32,
    flags: AsyncEventFlags,
) -> AsyncEventRequest<AsyncEvent<'static>> {
    let sa_id = StateKey::of(destination, proto, spi);
    let header = AsyncEventInfo { sa_id, flags, ..AsyncEventInfo::default() };
    AsyncEventRequest::new(&AsyncEvent::GET, MessageFlags::empty(), header)
}

/// Sets what the request has of [`replay_val`](AsyncEventRequest::replay_val),
/// [`replay_esn_val`](AsyncEventRequest::replay_esn_val), [`ltime_val`](AsyncEventRequest::ltime_val),
/// [`replay_thresh`](AsyncEventRequest::replay_thresh) and [`etimer_thresh`](AsyncEventRequest::etimer_thresh);
/// `EINVAL` if that is nothing.
///
/// ```
/// use netlink_xfrm::state::{self, Proto, Replay};
/// use std::net::Ipv4Addr;
///
/// let taken_over = state::set_async_event(Ipv4Addr::new(192, 0, 2, 1), Proto::ESP, 0x100)
///     .replay_val(Replay::default().oseq(1000));
/// ```
pub fn set_async_event(destination: impl Into<IpAddr>, proto: Proto, spi: u32) -> AsyncEventRequest<()> {
    let sa_id = StateKey::of(destination, proto, spi);
    let header = AsyncEventInfo { sa_id, ..AsyncEventInfo::default() };
    AsyncEventRequest::new(&AsyncEvent::NEW, MessageFlags::ACK | MessageFlags::REPLACE, header)
}

/// Moves one state to other addresses, with its keys and counters. Linux 7.2, `ENOPROTOOPT` without
/// `CONFIG_XFRM_MIGRATE`.
///
/// What is set by attributes is inherited unless told; the reqid and the selector are as told here. Block the traffic
/// with a policy meanwhile.
pub fn migrate(
    key: StateKey,
    source: impl Into<IpAddr>,
    destination: impl Into<IpAddr>,
    reqid: u32,
) -> MigrateStateRequest<()> {
    let (source, destination) = (source.into(), destination.into());
    let header = MigrateStateInfo {
        id: key,
        new_daddr: destination.into(),
        new_saddr: source.into(),
        new_reqid: reqid,
        new_family: destination.into(),
        ..MigrateStateInfo::default()
    };
    let mut request = MigrateStateRequest::new(&MigrateState::MIGRATE, MessageFlags::ACK, header);
    one_family(header.new_family, &[header.new_saddr], request.0.writer());
    request
}

impl<R> ListRequest<R> {
    /// Only states from one prefix to the other. Both must be of one family, or the request can't be sent.
    pub fn between(mut self, source: impl Into<Prefix>, destination: impl Into<Prefix>) -> Self {
        let filter = AddressFilter::new(source, destination);
        one_family(filter.family, &[filter.saddr], self.0.writer());
        self.address_filter(filter)
    }
}

impl<R> MigrateStateRequest<R> {
    /// The mark the state has until now.
    pub fn old_mark(self, mark: super::Mark) -> Self {
        self.header(|header| header.old_mark = mark)
    }

    /// The selector it has from now on.
    pub fn new_selector(mut self, selector: Selector) -> Self {
        selector.check(self.0.writer());
        self.header(|header| header.new_sel = selector)
    }

    /// Options.
    pub fn flags(self, flags: MigrateFlags) -> Self {
        self.header(|header| header.flags = flags)
    }
}

impl<R> StateRequest<R> {
    /// What becomes of the packet's header.
    pub fn mode(self, mode: Mode) -> Self {
        self.header(|header| header.mode = mode)
    }

    /// By which templates of policies find it.
    pub fn reqid(self, reqid: u32) -> Self {
        self.header(|header| header.reqid = reqid)
    }

    /// Of the acquire that it answers.
    pub fn seq(self, seq: u32) -> Self {
        self.header(|header| header.seq = seq)
    }

    /// Which packets it is for; all by default.
    pub fn selector(mut self, selector: Selector) -> Self {
        selector.check(self.0.writer());
        self.header(|header| header.sel = selector)
    }

    /// When it expires.
    pub fn lifetime(self, lifetime: Lifetime) -> Self {
        self.header(|header| header.lft = lifetime)
    }

    /// Adds options.
    pub fn flags(self, flags: StateFlags) -> Self {
        self.header(|header| header.flags |= flags)
    }

    /// Packets of the replay window: up to 32 in the fixed header, up to 4096 in `XFRMA_REPLAY_ESN_VAL`.
    pub fn replay_window(self, packets: u32) -> Self {
        match u8::try_from(packets) {
            Ok(window @ 0..=32) => self.header(|header| header.replay_window = window),
            _ => self.replay_esn_val(ReplayEsn::new(packets)),
        }
    }

    /// Sequence numbers of 64 bits, and a replay window of so many packets, up to 4096. The kernel wants at least 1
    /// where packets come in.
    pub fn esn(self, window: u32) -> Self {
        self.flags(StateFlags::ESN).replay_esn_val(ReplayEsn::new(window))
    }
}

impl<R> SpiRequest<R> {
    /// What becomes of the packet's header.
    pub fn mode(self, mode: Mode) -> Self {
        self.header(|header| header.info.mode = mode)
    }

    /// By which templates of policies find the state.
    pub fn reqid(self, reqid: u32) -> Self {
        self.header(|header| header.info.reqid = reqid)
    }

    /// Of the acquire that it answers.
    pub fn seq(self, seq: u32) -> Self {
        self.header(|header| header.info.seq = seq)
    }
}
