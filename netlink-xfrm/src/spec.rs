//! The tables of this crate, for tools.

use netlink_core::layout::{Constant, Fixed as _};
use netlink_core::spec::Spec;

use crate::common::SecurityHeader;
use crate::event::Group;
use crate::{algo, policy, state};

/// The declarations of this crate; see [`Spec`].
pub const SPEC: Spec = Spec {
    protocols: &[&crate::PROTOCOL],
    tables: &[],
    layouts: &[
        algo::Algo::LAYOUT,
        algo::Auth::LAYOUT,
        algo::Aead::LAYOUT,
        SecurityHeader::LAYOUT,
        state::AddressFilter::LAYOUT,
        state::Encap::LAYOUT,
        state::Id::LAYOUT,
        state::Lifetime::LAYOUT,
        state::Mark::LAYOUT,
        state::Offload::LAYOUT,
        state::Replay::LAYOUT,
        state::SadTable::LAYOUT,
        state::Selector::LAYOUT,
        state::Stats::LAYOUT,
        state::Usage::LAYOUT,
        policy::HashThresholds::LAYOUT,
        policy::KmAddress::LAYOUT,
        policy::Migration::LAYOUT,
        policy::SpdCounts::LAYOUT,
        policy::SpdTable::LAYOUT,
        policy::Template::LAYOUT,
        policy::TypeInfo::LAYOUT,
    ],
    constants: &[
        Group::CONSTANTS,
        state::AsyncEventFlags::CONSTANTS,
        state::Direction::CONSTANTS,
        state::EncapType::CONSTANTS,
        state::ExtraFlags::CONSTANTS,
        state::MigrateFlags::CONSTANTS,
        state::Mode::CONSTANTS,
        state::OffloadFlags::CONSTANTS,
        state::Proto::CONSTANTS,
        state::SecurityAlg::CONSTANTS,
        state::SecurityDoi::CONSTANTS,
        state::StateFlags::CONSTANTS,
        policy::Action::CONSTANTS,
        policy::DefaultAction::CONSTANTS,
        policy::Direction::CONSTANTS,
        policy::PolicyFlags::CONSTANTS,
        policy::PolicyType::CONSTANTS,
        policy::Share::CONSTANTS,
        &[Constant::new("XFRM_INF", "", state::XFRM_INF)],
    ],
};
