//! The tables of this crate, for tools.

use netlink_core::layout::Fixed as _;
use netlink_core::spec::Spec;

use crate::{Family, route};

/// What this crate declares; see [`Spec`].
pub const SPEC: Spec = Spec {
    messages: &[route::Route::MESSAGES],
    tables: &[],
    layouts: &[route::CacheInfo::LAYOUT],
    constants: &[
        Family::CONSTANTS,
        route::Protocol::CONSTANTS,
        route::RouteFlags::CONSTANTS,
        route::RouteType::CONSTANTS,
        route::Scope::CONSTANTS,
    ],
};
