//! Socket storage of BPF programs.

use netlink_core::{Bytes, Many, attrs};

attrs! {
    /// `SK_DIAG_BPF_STORAGE_REQ_*`.
    pub struct BpfStorageQueryAttrs<'a> for BpfStorageQuery {
        /// File descriptors of the requested maps.
        1 SK_DIAG_BPF_STORAGE_REQ_MAP_FD map_fds: Many<'a, u32>,
    }
}

attrs! {
    /// `SK_DIAG_BPF_STORAGE`, one per map.
    pub struct BpfStoragesAttrs<'a> for BpfStorages {
        /// The value of a map for this socket.
        1 SK_DIAG_BPF_STORAGE storages: Many<'a, BpfStorageAttrs<'a>>,
    }
}

attrs! {
    /// `SK_DIAG_BPF_STORAGE_*`.
    pub struct BpfStorageAttrs<'a> for BpfStorage {
        /// Id of the map.
        2 SK_DIAG_BPF_STORAGE_MAP_ID map_id: u32,
        /// The value.
        3 SK_DIAG_BPF_STORAGE_MAP_VALUE value: Bytes<'a>,
    }
}
