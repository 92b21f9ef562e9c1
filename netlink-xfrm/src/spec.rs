//! The tables of this crate, for tools.

use netlink_core::spec::Spec;

/// What this crate declares; see [`Spec`].
pub const SPEC: Spec = Spec { messages: &[], tables: &[], layouts: &[], constants: &[] };
