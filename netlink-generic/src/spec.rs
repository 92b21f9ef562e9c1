//! The tables of this crate, for tools.

use netlink_core::spec::Spec;

use crate::ctrl;

/// What this crate declares; see [`Spec`].
pub const SPEC: Spec = Spec {
    messages: &[ctrl::Family::MESSAGES],
    tables: &[],
    layouts: &[],
    constants: &[ctrl::OperationFlags::CONSTANTS],
};
