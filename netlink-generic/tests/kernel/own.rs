//! Two commands of `netdev`, which every link comes to: a family of the tests' own.

use netlink_generic::{Dump, Header, MessageFlags, attrs, family, message};

family! {
    /// Devices.
    pub(crate) struct Netdev(Header): "netdev" = 1 { Device }

    groups {
        /// Devices that come and go.
        "mgmt" MGMT,
    }

    /// What happens to devices. That one changes is left out.
    pub(crate) enum Event<'a> {
        /// One came.
        Added(Device) = ADD_NTF,
        /// One is gone.
        Removed(Device) = DEL_NTF,
    }
}

message! {
    /// A device.
    pub(crate) struct Device<'a>(Netdev, DeviceAttrs<'a>), DeviceRequest {
        /// Asks for one or all, and is the answer.
        1 NETDEV_CMD_DEV_GET GET,
        /// One came.
        2 NETDEV_CMD_DEV_ADD_NTF ADD_NTF,
        /// One is gone.
        3 NETDEV_CMD_DEV_DEL_NTF DEL_NTF,
    }
}

attrs! {
    /// `NETDEV_A_DEV_*`, one of them.
    pub(crate) struct DeviceAttrs<'a> for DeviceRequest<R> {
        /// Index of the link.
        1 NETDEV_A_DEV_IFINDEX ifindex: u32,
    }
}

pub(crate) fn get(ifindex: u32) -> DeviceRequest<Device<'static>> {
    DeviceRequest::new(&Device::GET, MessageFlags::empty()).ifindex(ifindex)
}

pub(crate) fn list() -> DeviceRequest<Dump<Device<'static>>> {
    DeviceRequest::new(&Device::GET, MessageFlags::DUMP)
}
