//! The tables of this crate, for tools.

use netlink_core::layout::Fixed as _;
use netlink_core::spec::Spec;

use crate::{Family, Header, Subsystem};

/// What this crate declares; see [`Spec`].
pub const SPEC: Spec = Spec {
    messages: &[],
    tables: &[],
    layouts: &[Header::LAYOUT],
    constants: &[Family::CONSTANTS, Subsystem::CONSTANTS],
};
