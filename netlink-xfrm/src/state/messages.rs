//! Fixed headers of other messages about states, and the number of states.

use netlink_core::layout::Pad;
use netlink_core::{Be, attrs, flags, layout, message};

use super::{Mark, Proto, Selector, StateKey};
use crate::Family;
use crate::ip::Address;

flags! {
    /// `XFRM_AE_*`: content and cause of an asynchronous event; in a query, the wanted content.
    pub struct AsyncEventFlags: u32 {
        /// It has the threshold of packets.
        0x1 XFRM_AE_RTHR REPLAY_THRESHOLD,
        /// It has counters and window.
        0x2 XFRM_AE_RVAL REPLAY,
        /// It has the usage.
        0x4 XFRM_AE_LVAL USAGE,
        /// It has the threshold of time.
        0x8 XFRM_AE_ETHR TIMER_THRESHOLD,
        /// Cause: the threshold of packets.
        0x10 XFRM_AE_CR BY_REPLAY,
        /// Cause: the threshold of time.
        0x20 XFRM_AE_CE BY_TIMER,
        /// Cause: the values were set.
        0x40 XFRM_AE_CU BY_UPDATE,
    }
}

layout! {
    /// `struct xfrm_aevent_id`.
    pub struct AsyncEventInfo: xfrm_aevent_id = 48 then after_read {
        /// The state.
        sa_id: StateKey,
        /// Its source.
        saddr: Address,
        /// Content and cause.
        flags: AsyncEventFlags,
        /// Its reqid.
        reqid: u32,
    }
}

impl AsyncEventInfo {
    fn after_read(self) -> Self {
        Self { saddr: self.saddr.of(self.sa_id.family), ..self }
    }
}

layout! {
    /// `struct xfrm_user_mapping`: the peer's new address or port.
    pub struct MappingInfo: xfrm_user_mapping = 64 then after_read {
        /// The state.
        id: StateKey,
        /// Its reqid.
        reqid: u32,
        /// The old address.
        old_saddr: Address,
        /// The new address.
        new_saddr: Address,
        /// The old port.
        old_sport: Be<u16>,
        /// The new port.
        new_sport: Be<u16>,
    }
}

impl MappingInfo {
    fn after_read(self) -> Self {
        let family = self.id.family;
        Self { old_saddr: self.old_saddr.of(family), new_saddr: self.new_saddr.of(family), ..self }
    }
}

layout! {
    /// `struct xfrm_user_report`.
    pub struct ReportInfo: xfrm_user_report = 60 {
        /// Protocol of Mobile IPv6.
        proto: Proto,
        /// Padding.
        pad: Pad<3>,
        /// The packet.
        sel: Selector,
    }
}

flags! {
    /// `XFRM_MIGRATE_STATE_*`.
    pub struct MigrateFlags: u32 {
        /// Do not use the offload device any longer.
        0x1 XFRM_MIGRATE_STATE_CLEAR_OFFLOAD CLEAR_OFFLOAD,
        /// Change a selector of two hosts to the new addresses.
        0x2 XFRM_MIGRATE_STATE_UPDATE_H2H_SEL UPDATE_HOST_SELECTOR,
    }
}

layout! {
    /// `struct xfrm_user_migrate_state`: new addresses of one state.
    pub struct MigrateStateInfo: xfrm_user_migrate_state = 132 then after_read {
        /// The state.
        id: StateKey,
        /// New destination.
        new_daddr: Address,
        /// New source.
        new_saddr: Address,
        /// Current mark.
        old_mark: Mark,
        /// New selector.
        new_sel: Selector,
        /// New reqid.
        new_reqid: u32,
        /// Options.
        flags: MigrateFlags,
        /// Family of the new addresses.
        new_family: Family,
        /// Not used.
        reserved: u16,
    }
}

impl MigrateStateInfo {
    fn after_read(self) -> Self {
        let family = self.new_family;
        Self { new_daddr: self.new_daddr.of(family), new_saddr: self.new_saddr.of(family), ..self }
    }
}

layout! {
    /// `struct xfrmu_sadhinfo`.
    pub struct SadTable: xfrmu_sadhinfo = 8 {
        /// Number of buckets in the hash table.
        sadhcnt: u32,
        /// Largest number of buckets.
        sadhmcnt: u32,
    }
}

attrs! {
    /// `XFRMA_SAD_*`.
    pub struct SadAttrs<'a> for SadRequest<R> {
        /// Number of states.
        1 XFRMA_SAD_CNT count: u32,
        /// Hash table of states.
        2 XFRMA_SAD_HINFO table: SadTable,
    }
}

layout! {
    /// A word of flags. The kernel returns it without using it.
    pub struct InfoHeader: info_header = 4 {
        /// Any value.
        flags: u32,
    }
}

message! {
    /// The number of states.
    pub struct Sad<'a>(InfoHeader, SadAttrs<'a>), SadRequest {
        /// The answer.
        34 XFRM_MSG_NEWSADINFO NEW,
        /// Asks for it.
        35 XFRM_MSG_GETSADINFO GET,
    }
    on crate::PROTOCOL
}
