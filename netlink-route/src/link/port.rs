//! Links under a master, and their parameters there: `IFLA_INFO_SLAVE_DATA`. One module per kind of master.

pub mod bridge;

use netlink_core::{Str, choice};

choice! {
    /// The kind of the master, with the parameters of this link there.
    pub enum SlaveKind<'a> by 4 name: Str<'a> {
        /// A port of a bridge.
        b"bridge" => Bridge(bridge::BridgePortAttrs<'a>, bridge::BridgePort),
    }
}
