//! States (SAs): each is one direction of a protected connection, with its keys. Kernel side:
//! `uapi/linux/xfrm.h`, `net/xfrm/xfrm_user.c`, `net/xfrm/xfrm_state.c`.
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
//! Everyone who may list states can read their keys. [`Secret`](netlink_core::Secret) says how this crate
//! stores keys.

use core::net::IpAddr;

use netlink_core::layout::Pad;
use netlink_core::{Be, Flag, attrs, flags, layout, message, narrow, values};

mod messages;
mod request;

use self::request::algorithms;

pub use self::messages::{
    AsyncEventFlags, AsyncEventInfo, InfoHeader, MappingInfo, MigrateFlags, MigrateStateInfo, ReportInfo,
    Sad, SadAttrs, SadRequest, SadTable,
};
pub use self::request::{
    add, allocate_spi, async_event, copy_of, delete, expire, flush, get, info, list, migrate,
    set_async_event, update,
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
        /// Do not copy congestion marks to the inner header.
        0x1 XFRM_STATE_NOECN NOECN,
        /// Copy the outer header's DSCP to the inner header on reception.
        0x2 XFRM_STATE_DECAP_DSCP DECAP_DSCP,
        /// Allow fragmentation of the outer packets.
        0x4 XFRM_STATE_NOPMTUDISC NOPMTUDISC,
        /// Mobile IPv6: accept any source.
        0x8 XFRM_STATE_WILDRECV WILDRECV,
        /// Also for ICMP errors caused by these packets.
        0x10 XFRM_STATE_ICMP ICMP,
        /// In a tunnel: the selector is for both families.
        0x20 XFRM_STATE_AF_UNSPEC AF_UNSPEC,
        /// AH in IPv4: align to 4 bytes, not 8.
        0x40 XFRM_STATE_ALIGN4 ALIGN4,
        /// Sequence numbers of 64 bits; needs `XFRMA_REPLAY_ESN_VAL`, see [`StateRequest::esn`].
        0x80 XFRM_STATE_ESN ESN,
    }
}

flags! {
    /// `XFRM_SA_XFLAG_*`.
    pub struct ExtraFlags: u32 {
        /// Do not copy the inner header's DSCP to the outer header.
        0x1 XFRM_SA_XFLAG_DONT_ENCAP_DSCP DONT_ENCAP_DSCP,
        /// Allow the sequence number to wrap; only without replay protection. Linux 5.9.
        0x2 XFRM_SA_XFLAG_OSEQ_MAY_WRAP OSEQ_MAY_WRAP,
    }
}

values! {
    /// `XFRM_SA_DIR_*`: direction of a state. Linux 6.10.
    pub struct Direction: u8 {
        /// Received packets.
        1 XFRM_SA_DIR_IN IN "in",
        /// Sent packets.
        2 XFRM_SA_DIR_OUT OUT "out",
    }
}

layout! {
    /// `struct xfrm_stats`: dropped packets.
    pub struct Stats: xfrm_stats = 12 {
        /// Packets too old for the replay window.
        replay_window: u32,
        /// Packets received twice.
        replay: u32,
        /// Packets that failed authentication.
        integrity_failed: u32,
    }
}

layout! {
    /// `struct xfrm_usersa_info`: the fixed part of a state.
    pub struct StateInfo: xfrm_usersa_info = 224 | 220 then after_read {
        /// The packets that it applies to.
        sel: Selector,
        /// Destination, SPI and protocol.
        id: Id,
        /// Source.
        saddr: Address,
        /// When it expires.
        lft: Lifetime,
        /// Usage. Read-only.
        curlft: Usage,
        /// Dropped packets. Read-only.
        stats: Stats,
        /// Sequence number of the acquire that it answers.
        seq: u32,
        /// Policy templates find the state by this number.
        reqid: u32,
        /// Family of its addresses.
        family: Family,
        /// What happens to the packet's header.
        mode: Mode,
        /// Size of the replay window in packets, up to 32; 0 together with `XFRMA_REPLAY_ESN_VAL`. See
        /// [`State::replay_window`].
        replay_window: u8,
        /// Options.
        flags: StateFlags,
        /// Padding.
        pad: Pad<7, 3>,
    }
}

impl StateInfo {
    fn after_read(mut self) -> Self {
        self.id.daddr = self.id.daddr.of(self.family);
        self.saddr = self.saddr.of(self.family);
        self
    }
}

/// The identity of the state: `src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x00000100`.
impl core::fmt::Display for StateInfo {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Id { daddr, proto, spi, .. } = self.id;
        write!(f, "src {} dst {daddr} proto {proto} spi {:#010x}", self.saddr, spi.0)
    }
}

layout! {
    /// `struct xfrm_usersa_id`: identifies a state.
    pub struct StateKey: xfrm_usersa_id = 24 then after_read {
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
    /// The state with this destination, protocol and SPI.
    pub fn of(destination: impl Into<IpAddr>, proto: Proto, spi: u32) -> Self {
        let ip = destination.into();
        Self { daddr: ip.into(), spi: Be(spi), family: ip.into(), proto, ..Self::default() }
    }

    fn after_read(self) -> Self {
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

/// The identity of the state: `dst 192.0.2.2 proto esp spi 0x00000100`.
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
    /// `struct xfrm_userspi_info`: a state that needs an SPI.
    pub struct SpiInfo: xfrm_userspi_info = 232 | 228 {
        /// The state.
        info: StateInfo,
        /// Smallest SPI.
        min: u32,
        /// Largest SPI.
        max: u32,
    }
}

layout! {
    /// `struct xfrm_user_expire`: a state that reached a limit.
    pub struct ExpireInfo: xfrm_user_expire = 232 | 224 {
        /// The state.
        state: StateInfo,
        /// 0 at a soft limit. Otherwise the state was removed.
        hard: u8,
        /// Padding.
        pad: Pad<7, 3>,
    }
}

layout! {
    /// `struct xfrm_usersa_flush`.
    pub struct FlushInfo: xfrm_usersa_flush = 1 {
        /// Protocol of the states to delete.
        proto: Proto,
    }
}

layout! {
    /// `struct xfrm_address_filter`: only states between two prefixes.
    pub struct AddressFilter: xfrm_address_filter = 36 then after_read {
        /// Source.
        saddr: Address,
        /// Destination.
        daddr: Address,
        /// Family of both.
        family: Family,
        /// Prefix length of the source; 0 is any.
        splen: u8,
        /// Prefix length of the destination; 0 is any.
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

    fn after_read(self) -> Self {
        Self { daddr: self.daddr.of(self.family), saddr: self.saddr.of(self.family), ..self }
    }
}

attrs! {
    /// `XFRMA_*`: attributes of states and of messages about them.
    pub struct StateAttrs<'a> for
        StateRequest<R>, StateKeyRequest<R>, StateListRequest<R>, SpiRequest<R>, StateExpireRequest<R>,
        AsyncEventRequest<R>, MigrateStateRequest<R>
    {
        /// Authentication with the algorithm's usual truncation. The kernel sends it in addition to
        /// `XFRMA_ALG_AUTH_TRUNC`.
        1 XFRMA_ALG_AUTH alg_auth: Algo<'a>,
        /// Encryption.
        2 XFRMA_ALG_CRYPT alg_crypt: Algo<'a>,
        /// Compression.
        3 XFRMA_ALG_COMP alg_comp: Algo<'a>,
        /// ESP in UDP or TCP. See [`State::encap`].
        4 XFRMA_ENCAP encap: Encap,
        /// In the event of a removed state: the state.
        6 XFRMA_SA sa: StateInfo,
        /// Label of a security module.
        8 XFRMA_SEC_CTX sec_ctx: SecurityContext<'a>,
        /// Usage: in asynchronous events, where it can also be set.
        9 XFRMA_LTIME_VAL ltime_val: Usage,
        /// Counters, and a window of at most 32 packets.
        10 XFRMA_REPLAY_VAL replay_val: Replay,
        /// Number of packets between two asynchronous events. Default: the sysctl `net.core.xfrm_aevent_rseqth`.
        11 XFRMA_REPLAY_THRESH replay_thresh: u32,
        /// Time after which an asynchronous event is sent, if there was none. A request has ticks of the
        /// kernel's clock, a reply tenths of a second. Default: the sysctl `net.core.xfrm_aevent_etime`.
        12 XFRMA_ETIMER_THRESH etimer_thresh: u32,
        /// In a query: the source, for protocols without SPI.
        13 XFRMA_SRCADDR srcaddr: Address,
        /// Care-of address of Mobile IPv6. See [`State::coaddr`].
        14 XFRMA_COADDR coaddr: Address,
        /// Last use, in seconds since 1970. Read-only, for protocols of Mobile IPv6.
        15 XFRMA_LASTUSED lastused -> u64,
        /// Combined encryption and authentication.
        18 XFRMA_ALG_AEAD alg_aead: Aead<'a>,
        /// Authentication.
        20 XFRMA_ALG_AUTH_TRUNC alg_auth_trunc: Auth<'a>,
        /// Mark that packets must have. In a query: the mark to look up.
        21 XFRMA_MARK mark: Mark,
        /// Length in bytes that packets are padded to, against traffic analysis. ESP tunnels.
        22 XFRMA_TFCPAD tfcpad: u32,
        /// Counters of 64 bits, or a window of up to 4096 packets. See [`StateRequest::replay_window`].
        23 XFRMA_REPLAY_ESN_VAL replay_esn_val: ReplayEsn<'a>,
        /// More options.
        24 XFRMA_SA_EXTRA_FLAGS extra_flags: ExtraFlags,
        /// In a list: only states of this protocol.
        25 XFRMA_PROTO proto: Proto,
        /// In a list: only states between these addresses; see [`ListRequest::between`].
        26 XFRMA_ADDRESS_FILTER address_filter: AddressFilter,
        /// Device for an offload.
        28 XFRMA_OFFLOAD_DEV offload_dev: Offload,
        /// Mark that is set on packets. Linux 4.19.
        29 XFRMA_SET_MARK set_mark: u32,
        /// Bits of the mark to set. Default: all. Linux 4.19.
        30 XFRMA_SET_MARK_MASK set_mark_mask: u32,
        /// Id of the `xfrm` link of the state. Linux 4.19.
        31 XFRMA_IF_ID if_id: u32,
        /// Smallest number of seconds between two events about a changed mapping of the peer. Linux 5.17.
        32 XFRMA_MTIMER_THRESH mtimer_thresh: u32,
        /// Direction of the state. Linux 6.10.
        33 XFRMA_SA_DIR sa_dir: Direction,
        /// Seconds between NAT keepalives; needs `XFRMA_ENCAP` and [`Direction::OUT`]. Linux 6.11.
        34 XFRMA_NAT_KEEPALIVE_INTERVAL nat_keepalive_interval: u32,
        /// CPU whose packets use the state. Linux 6.13.
        35 XFRMA_SA_PCPU sa_pcpu: u32,
        /// IPTFS, reception: microseconds to wait for a missing packet. Linux 6.14.
        36 XFRMA_IPTFS_DROP_TIME iptfs_drop_time: u32,
        /// IPTFS, reception: size of the reorder window, in packets. Linux 6.14.
        37 XFRMA_IPTFS_REORDER_WINDOW iptfs_reorder_window: u16,
        /// IPTFS, sending: inner packets are not split. Linux 6.14.
        38 XFRMA_IPTFS_DONT_FRAG iptfs_dont_frag: Flag,
        /// IPTFS, sending: microseconds that the first packet waits for further packets. Linux 6.14.
        39 XFRMA_IPTFS_INIT_DELAY iptfs_init_delay: u32,
        /// IPTFS, sending: largest number of waiting bytes. Linux 6.14.
        40 XFRMA_IPTFS_MAX_QSIZE iptfs_max_qsize: u32,
        /// IPTFS, sending: size of the outer packet in bytes; 0 is the path MTU. Linux 6.14.
        41 XFRMA_IPTFS_PKT_SIZE iptfs_pkt_size: u32,
    }
}

message! {
    /// A state.
    pub struct State<'a>(StateInfo, StateAttrs<'a>), StateRequest {
        /// Answer and event: a state exists or was added. Request: make one.
        16 XFRM_MSG_NEWSA NEW,
        /// Event: a state changed. Request: change one, or complete one that has only an SPI.
        26 XFRM_MSG_UPDSA UPDATE,
    }
    about state
    hint algorithms
    on crate::PROTOCOL
}

message! {
    /// A key of a state: for a query, and in the event of a removed state, which has all its attributes.
    pub struct DeletedState<'a>(StateKey, StateAttrs<'a>), StateKeyRequest {
        /// Event: a state was removed. Request: delete one.
        17 XFRM_MSG_DELSA DEL,
        /// Asks for one state.
        18 XFRM_MSG_GETSA GET [sent],
    }
    about key
    on crate::PROTOCOL
}

message! {
    /// A query for all states. It has no fixed header: its filters follow the netlink header directly.
    pub struct List<'a>((), StateAttrs<'a>), StateListRequest {
        /// Asks for all states.
        18 XFRM_MSG_GETSA GET [sent],
    }
    on crate::PROTOCOL
}

narrow! {
    /// A request for one state, or to delete one. It has only the setters that the kernel uses.
    pub struct KeyRequest<R>(StateKeyRequest<R>) {
        /// The mark of the packets that find the state. Default: 0. A state for any mark is found too.
        mark: Mark,
    }
}

narrow! {
    /// A request for a list of states.
    pub struct ListRequest<R>(StateListRequest<R>) {
        /// Only states of this protocol.
        proto: Proto,
    }
}

narrow! {
    /// A request that expires one state.
    pub struct ExpireRequest<R>(StateExpireRequest<R>) {
        /// The mark of the packets that find the state. Default: 0. A state for any mark is found too.
        mark: Mark,
    }
}

message! {
    /// A request for an SPI. The answer is a [`State`].
    pub struct Spi<'a>(SpiInfo, StateAttrs<'a>), SpiRequest {
        /// Asks for an SPI.
        22 XFRM_MSG_ALLOCSPI ALLOC,
    }
    about wanted
    on crate::PROTOCOL
}

message! {
    /// A state that reached a limit.
    pub struct Expire<'a>(ExpireInfo, StateAttrs<'a>), StateExpireRequest {
        /// Event: a state reached a limit. Request: expire it.
        24 XFRM_MSG_EXPIRE EXPIRE,
    }
    about expiring
    on crate::PROTOCOL
}

message! {
    /// The removal of all states of a protocol.
    pub struct Flush<'a>(FlushInfo, StateAttrs<'a>), FlushRequest {
        /// Event: they were removed. Request: delete them.
        28 XFRM_MSG_FLUSHSA FLUSH,
    }
    on crate::PROTOCOL
}

message! {
    /// Counters, window and usage of a state: the data that a standby machine needs.
    pub struct AsyncEvent<'a>(AsyncEventInfo, StateAttrs<'a>), AsyncEventRequest {
        /// Answer and event: the current values. Request: set them.
        30 XFRM_MSG_NEWAE NEW,
        /// Asks for the values.
        31 XFRM_MSG_GETAE GET,
    }
    about counted
    on crate::PROTOCOL
}

message! {
    /// The peer's address or port changed, as ESP in UDP detected.
    pub struct Mapping<'a>(MappingInfo, StateAttrs<'a>), MappingRequest {
        /// Event: it changed. The kernel accepts no such request.
        38 XFRM_MSG_MAPPING MAPPING [received],
    }
    on crate::PROTOCOL
}

message! {
    /// A packet of Mobile IPv6 without a state.
    pub struct Report<'a>(ReportInfo, StateAttrs<'a>), ReportRequest {
        /// Event: it arrived. The kernel accepts no such request.
        32 XFRM_MSG_REPORT REPORT [received],
    }
    on crate::PROTOCOL
}

message! {
    /// New addresses for one state, with its keys and counters.
    pub struct MigrateState<'a>(MigrateStateInfo, StateAttrs<'a>), MigrateStateRequest {
        /// Event: the state has new addresses. Request: set new addresses. Linux 7.2.
        41 XFRM_MSG_MIGRATE_STATE MIGRATE,
    }
    about moving
    on crate::PROTOCOL
}

/// Getters of messages with a whole state.
macro_rules! state_getters {
    ($($message:ident |$this:ident| $info:expr;)*) => { $(
        impl $message<'_> {
            /// Destination.
            pub fn destination(&self) -> Option<IpAddr> {
                self.state_info()?.id.daddr.ip()
            }

            /// Source.
            pub fn source(&self) -> Option<IpAddr> {
                self.state_info()?.saddr.ip()
            }

            /// The fixed part of the state.
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

            /// Size of the replay window, in packets.
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
