//! Links under a master, and their parameters there: `IFLA_INFO_SLAVE_DATA`. A module per kind of master.

pub mod bridge;

use netlink_core::{Str, choice};

choice! {
    /// What kind of link its master is, with the parameters of this link under it.
    pub enum SlaveKind<'a> by 4 name: Str<'a> {
        /// A port of a bridge.
        b"bridge" => Bridge(bridge::BridgePortAttrs<'a>, bridge::BridgePort),
    }
}
