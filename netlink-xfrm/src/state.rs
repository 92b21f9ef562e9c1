//! States (SAs): one direction of a protected connection each, with its keys. Kernel side: `uapi/linux/xfrm.h`,
//! `net/xfrm/xfrm_user.c`, `net/xfrm/xfrm_state.c`.
//!
//! ```
//! use std::net::Ipv4Addr;
//!
//! use netlink_xfrm::Key;
//! use netlink_xfrm::algo::Aead;
//! use netlink_xfrm::state::{self, AsyncEventFlags, Lifetime, Mode, Proto, StateKey};
//!
//! let (here, there) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
//! let key = Key::from(vec![7; 36]);
//! let out = state::add(here, there, Proto::ESP, 0x100)
//!     .mode(Mode::TUNNEL)
//!     .reqid(1)
//!     .alg_aead(Aead::rfc4106_gcm_aes(&key, 128))
//!     .esn(128);
//! let longer = state::update(here, there, Proto::ESP, 0x100).lifetime(Lifetime::UNLIMITED);
//! let one = state::get(there, Proto::ESP, 0x100);
//! let gone = state::delete(there, Proto::ESP, 0x100);
//! let old = state::expire(there, Proto::ESP, 0x100, true);
//! let esp = state::list().proto(Proto::ESP).between(here, there); // the kernel filters
//! let all = state::flush(Proto::IPSEC);
//! let count = state::info();
//! let counters = state::async_event(there, Proto::ESP, 0x100, AsyncEventFlags::TIMER_THRESHOLD);
//! let moved = state::migrate(StateKey::of(there, Proto::ESP, 0x100), here, Ipv4Addr::new(192, 0, 2, 3), 1);
//! ```
//!
//! Whoever may list states reads their keys; see [`Secret`](netlink_core::Secret) for what is kept of those here.

use core::net::IpAddr;

use netlink_core::layout::Pad;
use netlink_core::{Be, Flag, attrs, flags, layout, message, narrow, values};

mod request;
mod told;

use self::request::algorithms;

pub use self::request::{
    add, allocate_spi, async_event, copy_of, delete, expire, flush, get, info, list, migrate,
    set_async_event, update,
};
pub use self::told::{
    AsyncEventFlags, AsyncEventInfo, InfoHeader, MappingInfo, MigrateFlags, MigrateStateInfo, ReportInfo,
    Sad, SadAttrs, SadRequest, SadTable,
};
use crate::Family;
use crate::algo::{Aead, Algo, Auth};
use crate::common::about_header;
pub use crate::common::{
    Encap, EncapType, Id, Lifetime, Mark, Mode, Offload, OffloadFlags, Proto, SecurityAlg, SecurityContext,
    SecurityDoi, Selector, Usage, XFRM_INF,
};
use crate::ip::Address;
pub use crate::replay::{REPLAY_ESN_MAX, Replay, ReplayEsn};

flags! {
    /// `XFRM_STATE_*`.
    pub struct StateFlags: u8 {
        /// Leave the inner header's congestion marks alone.
        0x1 XFRM_STATE_NOECN NOECN,
        /// Give the inner header the outer one's DSCP on the way in.
        0x2 XFRM_STATE_DECAP_DSCP DECAP_DSCP,
        /// Let the outer packets be fragmented.
        0x4 XFRM_STATE_NOPMTUDISC NOPMTUDISC,
        /// Mobile IPv6: any source.
        0x8 XFRM_STATE_WILDRECV WILDRECV,
        /// Also for the errors that packets provoke.
        0x10 XFRM_STATE_ICMP ICMP,
        /// The selector is for both families, in a tunnel.
        0x20 XFRM_STATE_AF_UNSPEC AF_UNSPEC,
        /// AH in IPv4: align to 4 bytes, not 8.
        0x40 XFRM_STATE_ALIGN4 ALIGN4,
        /// Sequence numbers of 64 bits; wants `XFRMA_REPLAY_ESN_VAL`, see [`StateRequest::esn`].
        0x80 XFRM_STATE_ESN ESN,
    }
}

flags! {
    /// `XFRM_SA_XFLAG_*`.
    pub struct ExtraFlags: u32 {
        /// Don't copy the inner header's DSCP to the outer one.
        0x1 XFRM_SA_XFLAG_DONT_ENCAP_DSCP DONT_ENCAP_DSCP,
        /// Let the sequence number begin anew; only without protection against replays. Linux 5.9.
        0x2 XFRM_SA_XFLAG_OSEQ_MAY_WRAP OSEQ_MAY_WRAP,
    }
}

values! {
    /// `XFRM_SA_DIR_*`: the way a state is for. Linux 6.10.
    pub struct Direction: u8 {
        /// In.
        1 XFRM_SA_DIR_IN IN "in",
        /// Out.
        2 XFRM_SA_DIR_OUT OUT "out",
    }
}

layout! {
    /// `struct xfrm_stats`: what was thrown away.
    pub struct Stats: xfrm_stats = 12 {
        /// Packets too old for the window.
        replay_window: u32,
        /// Packets that came twice.
        replay: u32,
        /// Packets that were not authentic.
        integrity_failed: u32,
    }
}

layout! {
    /// `struct xfrm_usersa_info`: a state but for its attributes.
    pub struct StateInfo: xfrm_usersa_info = 224 | 220 then settle {
        /// Which packets it is for.
        sel: Selector,
        /// Destination, SPI and protocol.
        id: Id,
        /// Source.
        saddr: Address,
        /// When it expires.
        lft: Lifetime,
        /// How much it was used. Read-only.
        curlft: Usage,
        /// What was thrown away. Read-only.
        stats: Stats,
        /// Of an acquire that it answers.
        seq: u32,
        /// By which templates of policies find it.
        reqid: u32,
        /// Family of its addresses.
        family: Family,
        /// What becomes of the packet's header.
        mode: Mode,
        /// Packets of the replay window, up to 32; 0 beside `XFRMA_REPLAY_ESN_VAL`. See [`State::replay_window`].
        replay_window: u8,
        /// Options.
        flags: StateFlags,
        /// Padding.
        pad: Pad<7, 3>,
    }
}

impl StateInfo {
    fn settle(mut self) -> Self {
        self.id.daddr = self.id.daddr.of(self.family);
        self.saddr = self.saddr.of(self.family);
        self
    }
}

/// Which state: `src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x00000100`.
impl core::fmt::Display for StateInfo {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Id { daddr, proto, spi, .. } = self.id;
        write!(f, "src {} dst {daddr} proto {proto} spi {:#010x}", self.saddr, spi.0)
    }
}

layout! {
    /// `struct xfrm_usersa_id`: which state.
    pub struct StateKey: xfrm_usersa_id = 24 then settle {
        /// Destination.
        daddr: Address,
        /// Security parameter index.
        spi: Be<u32>,
        /// Family of the destination.
        family: Family,
        /// Protocol.
        proto: Proto,
        /// Padding.
        pad: Pad<1>,
    }
}

impl StateKey {
    /// The state of this destination, protocol and SPI.
    pub fn of(destination: impl Into<IpAddr>, proto: Proto, spi: u32) -> Self {
        let ip = destination.into();
        Self { daddr: ip.into(), spi: Be(spi), family: ip.into(), proto, ..Self::default() }
    }

    fn settle(self) -> Self {
        Self { daddr: self.daddr.of(self.family), ..self }
    }
}

/// By what the kernel knows a state: the key for a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StateId {
    /// Destination.
    pub destination: Address,
    /// Protocol.
    pub proto: Proto,
    /// Security parameter index; 0 of protocols without, and while a state waits for key exchange.
    pub spi: u32,
    /// Source, where there is no SPI to tell states apart.
    pub source: Option<Address>,
    /// Mark that packets must have.
    pub mark: Mark,
}

impl StateId {
    fn new(
        destination: Address,
        proto: Proto,
        spi: u32,
        source: Option<Address>,
        mark: Option<Mark>,
    ) -> Self {
        let source = source.filter(|_| spi == 0);
        Self { destination, proto, spi, source, mark: mark.unwrap_or_default() }
    }
}

impl State<'_> {
    /// By what the kernel knows it.
    pub fn key(&self) -> StateId {
        let StateInfo { id, saddr, .. } = self.header();
        StateId::new(id.daddr, id.proto, id.spi.0, Some(saddr), self.mark())
    }
}

impl DeletedState<'_> {
    /// By what the kernel knew it.
    pub fn key(&self) -> StateId {
        let StateKey { daddr, proto, spi, .. } = self.header();
        StateId::new(daddr, proto, spi.0, self.sa().map(|state| state.saddr), self.mark())
    }
}

/// Which state: `dst 192.0.2.2 proto esp spi 0x00000100`.
impl core::fmt::Display for StateKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "dst {} proto {} spi {:#010x}", self.daddr, self.proto, self.spi.0)
    }
}

about_header! {
    state: State |header| header;
    key: DeletedState |header| header;
    wanted: Spi |header| header.info;
    expiring: Expire |header| header.state;
    counted: AsyncEvent |header| header.sa_id;
    moving: MigrateState |header| header.id;
}

layout! {
    /// `struct xfrm_userspi_info`: the state that an SPI is wanted for.
    pub struct SpiInfo: xfrm_userspi_info = 232 | 228 {
        /// The state.
        info: StateInfo,
        /// Least SPI.
        min: u32,
        /// Greatest SPI.
        max: u32,
    }
}

layout! {
    /// `struct xfrm_user_expire`: a state at one of its limits.
    pub struct ExpireInfo: xfrm_user_expire = 232 | 224 {
        /// The state.
        state: StateInfo,
        /// 0 at a soft limit; else the state is gone.
        hard: u8,
        /// Padding.
        pad: Pad<7, 3>,
    }
}

layout! {
    /// `struct xfrm_usersa_flush`.
    pub struct FlushInfo: xfrm_usersa_flush = 1 {
        /// Protocol whose states go.
        proto: Proto,
    }
}

layout! {
    /// `struct xfrm_address_filter`: only states between these two.
    pub struct AddressFilter: xfrm_address_filter = 36 then settle {
        /// Source.
        saddr: Address,
        /// Destination.
        daddr: Address,
        /// Family of both.
        family: Family,
        /// Bits of the source that count; 0 for any.
        splen: u8,
        /// Bits of the destination that count; 0 for any.
        dplen: u8,
    }
}

impl AddressFilter {
    pub(crate) fn new(source: impl Into<crate::Prefix>, destination: impl Into<crate::Prefix>) -> Self {
        let (source, destination) = (source.into(), destination.into());
        Self {
            saddr: source.ip().into(),
            daddr: destination.ip().into(),
            family: destination.ip().into(),
            splen: source.prefix_len(),
            dplen: destination.prefix_len(),
        }
    }

    fn settle(self) -> Self {
        Self { daddr: self.daddr.of(self.family), saddr: self.saddr.of(self.family), ..self }
    }
}

attrs! {
    /// `XFRMA_*` of states, and of what is told about them.
    pub struct StateAttrs<'a> for
        StateRequest<R>, StateKeyRequest<R>, StateListRequest<R>, SpiRequest<R>, StateExpireRequest<R>,
        AsyncEventRequest<R>, MigrateStateRequest<R>
    {
        /// Authentication, truncated as is usual. The kernel tells it beside `XFRMA_ALG_AUTH_TRUNC`.
        1 XFRMA_ALG_AUTH alg_auth: Algo<'a>,
        /// Encryption.
        2 XFRMA_ALG_CRYPT alg_crypt: Algo<'a>,
        /// Compression.
        3 XFRMA_ALG_COMP alg_comp: Algo<'a>,
        /// ESP in UDP or TCP. See [`State::encap`].
        4 XFRMA_ENCAP encap: Encap,
        /// In the message of a deletion: the state.
        6 XFRMA_SA sa: StateInfo,
        /// Label of a security module.
        8 XFRMA_SEC_CTX sec_ctx: SecurityContext<'a>,
        /// How much it was used: in asynchronous events, where it can also be set.
        9 XFRMA_LTIME_VAL ltime_val: Usage,
        /// Counters and window of at most 32 packets.
        10 XFRMA_REPLAY_VAL replay_val: Replay,
        /// Packets between two asynchronous events. Default: the sysctl `net.core.xfrm_aevent_rseqth`.
        11 XFRMA_REPLAY_THRESH replay_thresh: u32,
        /// Time without one after which an asynchronous event comes: the kernel takes it in its clock's ticks and
        /// tells it in tenths of a second. Default: the sysctl `net.core.xfrm_aevent_etime`.
        12 XFRMA_ETIMER_THRESH etimer_thresh: u32,
        /// In a query: the source, where the protocol has no SPI.
        13 XFRMA_SRCADDR srcaddr: Address,
        /// Care-of address of Mobile IPv6. See [`State::coaddr`].
        14 XFRMA_COADDR coaddr: Address,
        /// Last use: seconds since 1970. Read-only, for Mobile IPv6's protocols.
        15 XFRMA_LASTUSED lastused -> u64,
        /// Encryption and authentication in one.
        18 XFRMA_ALG_AEAD alg_aead: Aead<'a>,
        /// Authentication.
        20 XFRMA_ALG_AUTH_TRUNC alg_auth_trunc: Auth<'a>,
        /// Mark that packets must have; in a query, what is looked up.
        21 XFRMA_MARK mark: Mark,
        /// Bytes that packets are padded to, against traffic analysis. ESP tunnels.
        22 XFRMA_TFCPAD tfcpad: u32,
        /// Counters of 64 bits, or a window of up to 4096 packets. See [`StateRequest::replay_window`].
        23 XFRMA_REPLAY_ESN_VAL replay_esn_val: ReplayEsn<'a>,
        /// More options.
        24 XFRMA_SA_EXTRA_FLAGS extra_flags: ExtraFlags,
        /// In a list: only states of this protocol.
        25 XFRMA_PROTO proto: Proto,
        /// In a list: only states between these addresses; see [`ListRequest::between`].
        26 XFRMA_ADDRESS_FILTER address_filter: AddressFilter,
        /// Device that does the work.
        28 XFRMA_OFFLOAD_DEV offload_dev: Offload,
        /// Mark that packets get. Linux 4.19.
        29 XFRMA_SET_MARK set_mark: u32,
        /// Bits of the mark that are set; default all. Linux 4.19.
        30 XFRMA_SET_MARK_MASK set_mark_mask: u32,
        /// Id of the `xfrm` link it belongs to. Linux 4.19.
        31 XFRMA_IF_ID if_id: u32,
        /// Seconds between two messages about a changed mapping of the peer. Linux 5.17.
        32 XFRMA_MTIMER_THRESH mtimer_thresh: u32,
        /// The way it is for. Linux 6.10.
        33 XFRMA_SA_DIR sa_dir: Direction,
        /// Seconds between keep-alives through a NAT; wants `XFRMA_ENCAP` and [`Direction::OUT`]. Linux 6.11.
        34 XFRMA_NAT_KEEPALIVE_INTERVAL nat_keepalive_interval: u32,
        /// CPU whose packets it is for. Linux 6.13.
        35 XFRMA_SA_PCPU sa_pcpu: u32,
        /// IPTFS, in: microseconds to wait for a missing packet. Linux 6.14.
        36 XFRMA_IPTFS_DROP_TIME iptfs_drop_time: u32,
        /// IPTFS, in: packets of the window for reordering. Linux 6.14.
        37 XFRMA_IPTFS_REORDER_WINDOW iptfs_reorder_window: u16,
        /// IPTFS, out: inner packets are not split. Linux 6.14.
        38 XFRMA_IPTFS_DONT_FRAG iptfs_dont_frag: Flag,
        /// IPTFS, out: microseconds to wait for the first packet's followers. Linux 6.14.
        39 XFRMA_IPTFS_INIT_DELAY iptfs_init_delay: u32,
        /// IPTFS, out: most bytes that wait. Linux 6.14.
        40 XFRMA_IPTFS_MAX_QSIZE iptfs_max_qsize: u32,
        /// IPTFS, out: bytes of the outer packet; 0 is what the path allows. Linux 6.14.
        41 XFRMA_IPTFS_PKT_SIZE iptfs_pkt_size: u32,
    }
}

message! {
    /// A state.
    pub struct State<'a>(StateInfo, StateAttrs<'a>), StateRequest {
        /// A state that exists or came to be; to make one.
        16 XFRM_MSG_NEWSA NEW,
        /// A state that changed; to change one, or to complete one that has nothing but an SPI.
        26 XFRM_MSG_UPDSA UPDATE,
    }
    about state
    hint algorithms
    on crate::PROTOCOL
}

message! {
    /// Which state: a query, and the message about a state that is gone, which holds all of it.
    pub struct DeletedState<'a>(StateKey, StateAttrs<'a>), StateKeyRequest {
        /// A state that is gone; to delete one.
        17 XFRM_MSG_DELSA DEL,
        /// Asks for one.
        18 XFRM_MSG_GETSA GET [sent],
    }
    about key
    on crate::PROTOCOL
}

message! {
    /// A query for all states. It has no fixed header: the kernel reads its filters at once behind the frame's.
    pub struct List<'a>((), StateAttrs<'a>), StateListRequest {
        /// Asks for all.
        18 XFRM_MSG_GETSA GET [sent],
    }
    on crate::PROTOCOL
}

narrow! {
    /// A question about one state, or the deletion of one. The kernel looks at nothing but what can be set here.
    pub struct KeyRequest<R>(StateKeyRequest<R>) {
        /// The state that packets with this mark find; without, those with mark 0. That of any mark is found, too.
        mark: Mark,
    }
}

narrow! {
    /// A list of states.
    pub struct ListRequest<R>(StateListRequest<R>) {
        /// Only states of this protocol.
        proto: Proto,
    }
}

narrow! {
    /// The end of one state.
    pub struct ExpireRequest<R>(StateExpireRequest<R>) {
        /// The state that packets with this mark find; without, those with mark 0. That of any mark is found, too.
        mark: Mark,
    }
}

message! {
    /// Asks for an SPI; the answer is a [`State`].
    pub struct Spi<'a>(SpiInfo, StateAttrs<'a>), SpiRequest {
        /// Asks for one.
        22 XFRM_MSG_ALLOCSPI ALLOC,
    }
    about wanted
    on crate::PROTOCOL
}

message! {
    /// A state at one of its limits.
    pub struct Expire<'a>(ExpireInfo, StateAttrs<'a>), StateExpireRequest {
        /// The limit is reached; to let it be.
        24 XFRM_MSG_EXPIRE EXPIRE,
    }
    about expiring
    on crate::PROTOCOL
}

message! {
    /// The end of all states of a protocol.
    pub struct Flush<'a>(FlushInfo, StateAttrs<'a>), FlushRequest {
        /// They are gone; to delete them.
        28 XFRM_MSG_FLUSHSA FLUSH,
    }
    on crate::PROTOCOL
}

message! {
    /// Counters, window and use of a state: what a second machine has to know to take over.
    pub struct AsyncEvent<'a>(AsyncEventInfo, StateAttrs<'a>), AsyncEventRequest {
        /// The values now; to set them.
        30 XFRM_MSG_NEWAE NEW,
        /// Asks for them.
        31 XFRM_MSG_GETAE GET,
    }
    about counted
    on crate::PROTOCOL
}

message! {
    /// The peer's address or port changed, seen by ESP in UDP.
    pub struct Mapping<'a>(MappingInfo, StateAttrs<'a>), MappingRequest {
        /// It changed; the kernel tells, and takes no such request.
        38 XFRM_MSG_MAPPING MAPPING [received],
    }
    on crate::PROTOCOL
}

message! {
    /// A packet of Mobile IPv6 that no state is for.
    pub struct Report<'a>(ReportInfo, StateAttrs<'a>), ReportRequest {
        /// It came; the kernel tells, and takes no such request.
        32 XFRM_MSG_REPORT REPORT [received],
    }
    on crate::PROTOCOL
}

message! {
    /// One state moves to other addresses, with its keys and counters.
    pub struct MigrateState<'a>(MigrateStateInfo, StateAttrs<'a>), MigrateStateRequest {
        /// It moved; to move it. Linux 7.2.
        41 XFRM_MSG_MIGRATE_STATE MIGRATE,
    }
    about moving
    on crate::PROTOCOL
}

/// What a message with a whole state in it tells of it.
macro_rules! state_getters {
    ($($message:ident |$this:ident| $info:expr;)*) => { $(
        impl $message<'_> {
            /// Where it is sent.
            pub fn destination(&self) -> Option<IpAddr> {
                self.state_info()?.id.daddr.ip()
            }

            /// From where.
            pub fn source(&self) -> Option<IpAddr> {
                self.state_info()?.saddr.ip()
            }

            /// The state but for its attributes.
            pub fn state_info(&self) -> Option<StateInfo> {
                let $this = self;
                $info
            }

            /// ESP in UDP or TCP.
            pub fn encap(&self) -> Option<Encap> {
                let family = self.state_info()?.family;
                self.attrs().encap().map(|encap| Encap { oa: encap.oa.of(family), ..encap })
            }

            /// The care-of address of Mobile IPv6.
            pub fn coaddr(&self) -> Option<IpAddr> {
                self.attrs().coaddr()?.of(self.state_info()?.family).ip()
            }

            /// Packets of the replay window.
            pub fn replay_window(&self) -> Option<u32> {
                let short = self.state_info()?.replay_window.into();
                Some(self.replay_esn_val().map_or(short, |replay| replay.replay_window))
            }
        }
    )* };
}

state_getters! {
    State |state| Some(state.header());
    DeletedState |state| state.sa();
    Expire |state| Some(state.header().state);
}

/// Close to the first lines of `ip xfrm state`, without keys.
impl core::fmt::Display for State<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let info = self.header();
        write!(f, "{info} reqid {} mode {}", info.reqid, info.mode)?;
        for algo in [self.alg_crypt(), self.alg_comp()].into_iter().flatten() {
            write!(f, " {algo}")?;
        }
        if let Some(auth) = self.alg_auth_trunc() {
            write!(f, " {auth}")?;
        }
        match self.alg_aead() {
            Some(aead) => write!(f, " {aead}"),
            None => Ok(()),
        }
    }
}
