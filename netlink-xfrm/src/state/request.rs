//! Requests about states.

use core::fmt;
use core::net::IpAddr;
use core::ops::RangeInclusive;

use netlink_core::{
    Attr, Be, Bytes, Dump, KernelError, MessageFlags, MessageInfo, Messages, Request, Unsendable,
};

use super::{
    AddressFilter, AsyncEvent, AsyncEventFlags, AsyncEventInfo, AsyncEventRequest, DeletedState, Expire,
    ExpireInfo, ExpireRequest, Flush, FlushInfo, FlushRequest, Id, InfoHeader, KeyRequest, Lifetime, List,
    ListRequest, MigrateFlags, MigrateState, MigrateStateInfo, MigrateStateRequest, Mode, Proto, ReplayEsn,
    Sad, SadRequest, Selector, Spi, SpiInfo, SpiRequest, State, StateExpireRequest, StateFlags, StateInfo,
    StateKey, StateKeyRequest, StateListRequest, StateRequest, Stats, Usage,
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

/// Makes a state; `EEXIST` if there is one with this destination, protocol and SPI. It needs algorithms.
/// Default: no limits, no window, and the mode [`TRANSPORT`](Mode::TRANSPORT).
pub fn add(
    source: impl Into<IpAddr>,
    destination: impl Into<IpAddr>,
    proto: Proto,
    spi: u32,
) -> StateRequest<()> {
    make(&State::NEW, info_of(source.into().into(), destination.into(), proto, spi))
}

/// Sets the algorithms of a state with an SPI from [`allocate_spi`]. For an existing state, changes lifetimes,
/// encapsulation, marks and care-of address. `ESRCH` if there is none. The keys of a state in use do not change.
pub fn update(
    source: impl Into<IpAddr>,
    destination: impl Into<IpAddr>,
    proto: Proto,
    spi: u32,
) -> StateRequest<()> {
    make(&State::UPDATE, info_of(source.into().into(), destination.into(), proto, spi))
}

/// Makes a copy of a state that was read, with all properties that can be set: keys, selector, lifetimes, marks, and
/// **its sequence numbers and window**, so that the copy continues where the original stopped. Setters change the
/// copy: for another machine (a standby) nothing, for new addresses (MOBIKE) [`between`](StateRequest::between).
///
/// The copy omits the usage and the acquire that the state answered. With kernel lockdown for
/// confidentiality, keys are read as zeros.
///
/// ```no_run
/// use std::net::Ipv4Addr;
///
/// use netlink_xfrm::state::{self, Proto};
///
/// # fn main() -> Result<(), netlink_xfrm::Error> {
/// let (here, there, moved) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2), Ipv4Addr::new(192, 0, 2, 3));
/// let mut nl = netlink_xfrm::connect()?;
/// let old = nl.call(state::get(there, Proto::ESP, 0x100))?;
/// nl.call(state::delete(there, Proto::ESP, 0x100))?;
/// nl.call(state::copy_of(&old).between(here, moved))?;
/// # Ok(())
/// # }
/// ```
pub fn copy_of(state: &State<'_>) -> StateRequest<()> {
    let header = StateInfo { curlft: Usage::default(), stats: Stats::default(), seq: 0, ..state.header() };
    let mut request = make(&State::NEW, header);
    // The attributes have keys, so the whole message is wiped when it is dropped.
    request.0.writer().push_secret(&[]);
    let settable = |attr: &Attr<'_>| attr.number != XFRMA_LASTUSED;
    state
        .attrs()
        .0
        .attrs()
        .flatten()
        .filter(settable)
        .fold(request, |request, attr| request.attr(attr.number, &Bytes(attr.payload)))
}

/// `XFRMA_LASTUSED` is read-only.
const XFRMA_LASTUSED: u16 = 15;

fn query<R>(info: &'static MessageInfo, flags: MessageFlags, key: StateKey) -> KeyRequest<R> {
    let mut request = StateKeyRequest::new(info, flags, key);
    if key.spi.0 != 0 && !has_spi(key.proto) {
        request.0.writer().fail(Unsendable::Value("an SPI, which the kernel ignores in this protocol"));
    }
    request.into()
}

fn has_spi(proto: Proto) -> bool {
    [Proto::ESP, Proto::AH, Proto::COMP].contains(&proto)
}

/// Adds the algorithms of the request to an error. The kernel names no attribute for errors about algorithms,
/// and its text, if there is one, has no name.
pub(super) fn algorithms(error: &KernelError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    netlink_core::error::net_admin(error, f)?;
    const ABOUT: [&str; 6] = ["lgorithm", "AEAD", "AUTH", "CRYPT", "crypt", "key"];
    let refused = error.ext_ack();
    // Without a text, all algorithms of the request are listed.
    let meant = refused.message().is_some_and(|text| ABOUT.iter().any(|word| text.contains(word)));
    if !meant || refused.attribute().is_some() {
        return Ok(());
    }
    let message = Messages::new(refused.request()).next().and_then(Result::ok);
    let Some(asked) = message.and_then(|message| State::read(&message).ok()) else { return Ok(()) };
    let mut with = |c_name: &str, algo: Option<&dyn fmt::Display>| match algo {
        Some(algo) => write!(f, "; with {c_name} = {algo}"),
        None => Ok(()),
    };
    with("XFRMA_ALG_AUTH", asked.alg_auth().as_ref().map(|algo| algo as _))?;
    with("XFRMA_ALG_CRYPT", asked.alg_crypt().as_ref().map(|algo| algo as _))?;
    with("XFRMA_ALG_COMP", asked.alg_comp().as_ref().map(|algo| algo as _))?;
    with("XFRMA_ALG_AEAD", asked.alg_aead().as_ref().map(|algo| algo as _))?;
    with("XFRMA_ALG_AUTH_TRUNC", asked.alg_auth_trunc().as_ref().map(|algo| algo as _))
}

/// Asks for a state; `ESRCH` if there is none. Protocols of Mobile IPv6 have no SPI: use 0, and set
/// [`srcaddr`](KeyRequest::srcaddr).
pub fn get(destination: impl Into<IpAddr>, proto: Proto, spi: u32) -> KeyRequest<State<'static>> {
    query(&DeletedState::GET, MessageFlags::empty(), StateKey::of(destination, proto, spi))
}

/// Deletes a state; `ESRCH` if there is none. It is identified as in [`get`].
pub fn delete(destination: impl Into<IpAddr>, proto: Proto, spi: u32) -> KeyRequest<()> {
    query(&DeletedState::DEL, MessageFlags::ACK, StateKey::of(destination, proto, spi))
}

/// Lists the states that match all set conditions.
pub fn list() -> ListRequest<Dump<State<'static>>> {
    StateListRequest::new(&List::GET, MessageFlags::DUMP, ()).into()
}

/// Deletes all states of a protocol. [`Proto::IPSEC`] is ESP, AH and compression, [`Proto::ANY`] all protocols.
pub fn flush(proto: Proto) -> Request<()> {
    FlushRequest::new(&Flush::FLUSH, MessageFlags::ACK, FlushInfo::default().proto(proto)).into_request()
}

/// Asks for a free SPI in a range. The answer is a state with only an SPI; complete it with [`update`].
/// Otherwise it is removed after the number of seconds in the sysctl `net.core.xfrm_acq_expires`.
///
/// `ENOENT` if all SPIs are taken. SPIs of compression have 16 bits.
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

/// Expires a state now: at its soft limit, or at its hard limit, which deletes it.
pub fn expire(destination: impl Into<IpAddr>, proto: Proto, spi: u32, hard: bool) -> ExpireRequest<()> {
    let state = info_of(Address::default(), destination.into(), proto, spi);
    let header = ExpireInfo { state, hard: hard.into(), ..ExpireInfo::default() };
    StateExpireRequest::new(&Expire::EXPIRE, MessageFlags::ACK, header).into()
}

/// Asks for the number of states.
pub fn info() -> SadRequest<Sad<'static>> {
    SadRequest::new(&Sad::GET, MessageFlags::empty(), InfoHeader::default())
}

/// Asks for the counters, the window and the usage of a state. With the flags
/// [`REPLAY_THRESHOLD`](AsyncEventFlags::REPLAY_THRESHOLD) and
/// [`TIMER_THRESHOLD`](AsyncEventFlags::TIMER_THRESHOLD), also for its thresholds.
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

/// Sets the given values: [`replay_val`](AsyncEventRequest::replay_val),
/// [`replay_esn_val`](AsyncEventRequest::replay_esn_val), [`ltime_val`](AsyncEventRequest::ltime_val),
/// [`replay_thresh`](AsyncEventRequest::replay_thresh) and
/// [`etimer_thresh`](AsyncEventRequest::etimer_thresh); `EINVAL` without any.
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

/// Sets new addresses for one state, with its keys and counters. Linux 7.2; `ENOPROTOOPT` without
/// `CONFIG_XFRM_MIGRATE`.
///
/// Attributes that are not set are inherited. Reqid and selector are those of this request. Block the traffic
/// with a policy during the change.
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

impl<R> KeyRequest<R> {
    /// The source of the state, for protocols of Mobile IPv6, which have no SPI. With an SPI the kernel would
    /// ignore the source, so the request is refused before it is sent.
    pub fn srcaddr(mut self, source: impl Into<IpAddr>) -> Self {
        let mut has = false;
        self.0.0.edit(|key: &mut StateKey| has = has_spi(key.proto));
        if has {
            let why = "a source, which the kernel ignores in a protocol with SPIs";
            self.0.0.writer().fail(Unsendable::Value(why));
        }
        Self(self.0.srcaddr(Address::from(source.into())))
    }
}

impl<R> ListRequest<R> {
    /// Only states from one prefix to the other. Both must be of one family; otherwise the request can't be sent.
    pub fn between(mut self, source: impl Into<Prefix>, destination: impl Into<Prefix>) -> Self {
        let filter = AddressFilter::new(source, destination);
        one_family(filter.family, &[filter.saddr], self.0.0.writer());
        Self(self.0.address_filter(filter))
    }
}

impl<R> MigrateStateRequest<R> {
    /// The current mark of the state.
    pub fn old_mark(self, mark: super::Mark) -> Self {
        self.header(|header| header.old_mark = mark)
    }

    /// The new selector.
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
    /// Source and destination, in place of the addresses given before. Both must be of one family; otherwise
    /// the request can't be sent.
    pub fn between(mut self, source: impl Into<IpAddr>, destination: impl Into<IpAddr>) -> Self {
        let (source, destination) = (Address::from(source.into()), destination.into());
        one_family(destination.into(), &[source], self.0.writer());
        self.header(|header| {
            header.saddr = source;
            header.id.daddr = destination.into();
            header.family = destination.into();
        })
    }

    /// The SPI, in place of the one given before.
    pub fn spi(self, spi: u32) -> Self {
        self.header(|header| header.id.spi = Be(spi))
    }

    /// What happens to the packet's header.
    pub fn mode(self, mode: Mode) -> Self {
        self.header(|header| header.mode = mode)
    }

    /// Policy templates find the state by this number.
    pub fn reqid(self, reqid: u32) -> Self {
        self.header(|header| header.reqid = reqid)
    }

    /// Sequence number of the acquire that it answers.
    pub fn seq(self, seq: u32) -> Self {
        self.header(|header| header.seq = seq)
    }

    /// The packets that it applies to. Default: all.
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

    /// Size of the replay window in packets: up to 32 in the fixed header, up to 4096 in `XFRMA_REPLAY_ESN_VAL`.
    pub fn replay_window(self, packets: u32) -> Self {
        match u8::try_from(packets) {
            Ok(window @ 0..=32) => self.header(|header| header.replay_window = window),
            _ => self.replay_esn_val(ReplayEsn::new(packets)),
        }
    }

    /// Sequence numbers of 64 bits, and a replay window of this many packets, up to 4096. The kernel requires
    /// at least 1 for a state that receives.
    pub fn esn(self, window: u32) -> Self {
        self.flags(StateFlags::ESN).replay_esn_val(ReplayEsn::new(window))
    }
}

impl<R> SpiRequest<R> {
    /// What happens to the packet's header.
    pub fn mode(self, mode: Mode) -> Self {
        self.header(|header| header.info.mode = mode)
    }

    /// Policy templates find the state by this number.
    pub fn reqid(self, reqid: u32) -> Self {
        self.header(|header| header.info.reqid = reqid)
    }

    /// Sequence number of the acquire that it answers.
    pub fn seq(self, seq: u32) -> Self {
        self.header(|header| header.info.seq = seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algo::{Aead, Algo, Auth};
    use crate::state::{Encap, Mark};
    use alloc::string::{String, ToString as _};
    use core::net::Ipv4Addr;
    use netlink_core::testkit::{Replies, answer};
    use netlink_core::{Payload as _, Str, Writer};

    const ENDS: (Ipv4Addr, Ipv4Addr) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));

    fn esp() -> StateRequest<()> {
        add(ENDS.0, ENDS.1, Proto::ESP, 7).alg_aead(Aead::rfc4106_gcm_aes(&[9; 20], 128))
    }

    fn refused(errno: i32, text: Option<&str>) -> String {
        let mut ext = Writer::new();
        if let Some(text) = text {
            Str::<'_, 80>::from(text).put(1, &mut ext);
        }
        answer(esp(), &[&Replies::new().error(errno, ext.as_slice())]).unwrap_err().to_string()
    }

    #[test]
    fn a_state_has_the_key_that_the_message_of_its_end_has() {
        use crate::state::{StateId, StateKeyRequest};

        fn read<T>(request: &Request<()>, with: impl FnOnce(&netlink_core::Message<'_>) -> T) -> T {
            let bytes = request.to_bytes().unwrap();
            with(&netlink_core::message::Messages::new(&bytes).next().unwrap().unwrap())
        }
        let key = |source: u8, destination: u8, proto, spi, mark: Mark| -> StateId {
            let [source, destination] = [source, destination].map(|last| Ipv4Addr::new(192, 0, 2, last));
            let added = add(source, destination, proto, spi).mark(mark);
            let (key, info) = read(&added, |message| {
                let state = State::read(message).unwrap();
                (state.key(), state.header())
            });
            let header = StateKey::of(destination, proto, spi);
            let deleted = StateKeyRequest::<()>::new(&DeletedState::DEL, MessageFlags::empty(), header);
            let deleted = deleted.sa(info).mark(mark).into_request();
            assert_eq!(read(&deleted, |message| DeletedState::read(message).unwrap().key()), key);
            key
        };
        let (esp, none) = (key(1, 2, Proto::ESP, 7, Mark::default()), Mark::default());
        let others = [
            key(1, 3, Proto::ESP, 7, none),
            key(1, 2, Proto::AH, 7, none),
            key(1, 2, Proto::ESP, 8, none),
            key(1, 2, Proto::ESP, 7, Mark::new(1, 1)),
        ];
        assert!(!others.contains(&esp));
        // The SPI decides, and where there is none the source.
        assert_eq!(key(9, 2, Proto::ESP, 7, none), esp);
        assert_ne!(key(1, 2, Proto::HAO, 0, none), key(9, 2, Proto::HAO, 0, none));
    }

    /// NA4
    #[test]
    fn errors_that_can_be_about_algorithms_name_them() {
        let named = "; with XFRMA_ALG_AEAD = rfc4106(gcm(aes)) <20 bytes> 128";
        let about = [
            (38, Some("Requested AEAD algorithm not found")),
            (22, Some("Kernel was unable to initialize cryptographic operations")),
        ];
        for (errno, text) in about {
            assert!(refused(errno, text).contains(named), "{}", refused(errno, text));
        }
        let others = [
            (17, None),
            (22, None),
            (38, None),
            (22, Some("Replay window too large")),
            (22, Some("CPU number is out of range")),
        ];
        for (errno, text) in others {
            assert!(!refused(errno, text).contains("; with XFRMA_ALG"), "{}", refused(errno, text));
        }
    }

    /// NA3
    #[test]
    fn a_copy_has_all_that_can_be_set() {
        let request = esp()
            .encap(Encap::udp(4500, 4501))
            .mark(Mark::new(1, 3))
            .alg_crypt(Algo::cbc_aes(&[7; 16]))
            .alg_auth_trunc(Auth::hmac_sha256(&[8; 32], 128))
            .esn(64)
            .reqid(5);
        let used = Usage::default().bytes(100).add_time(1_700_000_000);
        let told = request.clone().header(|header| {
            (header.curlft, header.stats, header.seq) = (used, Stats::default().replay(1), 9);
        });
        let bytes =
            told.attr(XFRMA_LASTUSED, &1_700_000_000u64).attr(900, &Bytes(&[1, 2])).to_bytes().unwrap();
        let state = State::read(&Messages::new(&bytes).next().unwrap().unwrap()).unwrap();
        let expected = request.attr(900, &Bytes(&[1, 2]));
        assert_eq!(copy_of(&state).to_bytes().unwrap(), expected.to_bytes().unwrap());
        let moved = copy_of(&state).between(ENDS.1, Ipv4Addr::LOCALHOST).spi(8).to_bytes().unwrap();
        let moved = State::read(&Messages::new(&moved).next().unwrap().unwrap()).unwrap();
        assert_eq!((moved.source(), moved.destination()), (Some(ENDS.1.into()), Some([127, 0, 0, 1].into())));
        assert_eq!((moved.header().id.spi.0, moved.alg_aead()), (8, state.alg_aead()));
    }

    /// N3: the kernel would ignore them, and delete a state with another source or SPI.
    #[test]
    fn conditions_that_kernels_ignore_cannot_be_sent() {
        let there = ENDS.1;
        assert!(delete(there, Proto::ESP, 1).srcaddr(ENDS.0).to_bytes().is_err());
        assert!(delete(there, Proto::ROUTE2, 1).srcaddr(ENDS.0).to_bytes().is_err());
        assert!(delete(there, Proto::ROUTE2, 0).srcaddr(ENDS.0).to_bytes().is_ok());
        assert!(delete(there, Proto::ESP, 1).mark(Mark::new(1, 1)).to_bytes().is_ok());
    }
}
