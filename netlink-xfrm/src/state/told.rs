//! Fixed headers of what is told about states besides themselves, and how many there are.

use netlink_core::layout::Pad;
use netlink_core::{Be, attrs, flags, layout, message};

use super::{Mark, Proto, Selector, StateKey};
use crate::Family;
use crate::ip::Address;

flags! {
    /// `XFRM_AE_*`: what an asynchronous event is about, and what is asked for.
    pub struct AsyncEventFlags: u32 {
        /// The threshold of packets is in it.
        0x1 XFRM_AE_RTHR REPLAY_THRESHOLD,
        /// Counters and window are in it.
        0x2 XFRM_AE_RVAL REPLAY,
        /// The use is in it.
        0x4 XFRM_AE_LVAL USAGE,
        /// The threshold of time is in it.
        0x8 XFRM_AE_ETHR TIMER_THRESHOLD,
        /// It comes because of the threshold of packets.
        0x10 XFRM_AE_CR BY_REPLAY,
        /// It comes because of the threshold of time.
        0x20 XFRM_AE_CE BY_TIMER,
        /// It comes because somebody set the values.
        0x40 XFRM_AE_CU BY_UPDATE,
    }
}

layout! {
    /// `struct xfrm_aevent_id`.
    pub struct AsyncEventInfo: xfrm_aevent_id = 48 then settle {
        /// Which state.
        sa_id: StateKey,
        /// Its source.
        saddr: Address,
        /// What it is about.
        flags: AsyncEventFlags,
        /// Its reqid.
        reqid: u32,
    }
}

impl AsyncEventInfo {
    fn settle(self) -> Self {
        Self { saddr: self.saddr.of(self.sa_id.family), ..self }
    }
}

layout! {
    /// `struct xfrm_user_mapping`: the peer is behind another address or port.
    pub struct MappingInfo: xfrm_user_mapping = 64 then settle {
        /// Which state.
        id: StateKey,
        /// Its reqid.
        reqid: u32,
        /// The address before.
        old_saddr: Address,
        /// The address now.
        new_saddr: Address,
        /// The port before.
        old_sport: Be<u16>,
        /// The port now.
        new_sport: Be<u16>,
    }
}

impl MappingInfo {
    fn settle(self) -> Self {
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
        /// Without the device that did the work.
        0x1 XFRM_MIGRATE_STATE_CLEAR_OFFLOAD CLEAR_OFFLOAD,
        /// A selector of two hosts follows the new addresses.
        0x2 XFRM_MIGRATE_STATE_UPDATE_H2H_SEL UPDATE_HOST_SELECTOR,
    }
}

layout! {
    /// `struct xfrm_user_migrate_state`: one state's new place.
    pub struct MigrateStateInfo: xfrm_user_migrate_state = 132 then settle {
        /// Which state.
        id: StateKey,
        /// Its destination from now on.
        new_daddr: Address,
        /// Its source from now on.
        new_saddr: Address,
        /// Its mark until now.
        old_mark: Mark,
        /// Its selector from now on.
        new_sel: Selector,
        /// Its reqid from now on.
        new_reqid: u32,
        /// Options.
        flags: MigrateFlags,
        /// Family of the new addresses.
        new_family: Family,
        /// Not in use.
        reserved: u16,
    }
}

impl MigrateStateInfo {
    fn settle(self) -> Self {
        let family = self.new_family;
        Self { new_daddr: self.new_daddr.of(family), new_saddr: self.new_saddr.of(family), ..self }
    }
}

layout! {
    /// `struct xfrmu_sadhinfo`.
    pub struct SadTable: xfrmu_sadhinfo = 8 {
        /// Buckets of the hash table.
        sadhcnt: u32,
        /// Most it may get.
        sadhmcnt: u32,
    }
}

attrs! {
    /// `XFRMA_SAD_*`.
    pub struct SadAttrs<'a> for SadRequest<R> {
        /// States there are.
        1 XFRMA_SAD_CNT count: u32,
        /// Their hash table.
        2 XFRMA_SAD_HINFO table: SadTable,
    }
}

layout! {
    /// A word of flags that the kernel gives back and does not look at.
    pub struct InfoHeader: info_header = 4 {
        /// Any.
        flags: u32,
    }
}

message! {
    /// How many states there are.
    pub struct Sad<'a>(InfoHeader, SadAttrs<'a>), SadRequest {
        /// The answer.
        34 XFRM_MSG_NEWSADINFO NEW,
        /// Asks.
        35 XFRM_MSG_GETSADINFO GET,
    }
    on crate::PROTOCOL
}
