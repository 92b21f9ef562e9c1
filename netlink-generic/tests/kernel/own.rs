//! Two commands of `netdev` that work for every link: a family declared in the tests.

use netlink_generic::{Dump, Header, MessageFlags, attrs, family, message};

family! {
    /// Devices.
    pub(crate) struct Netdev(Header): "netdev" = 1 { Device }

    groups {
        /// Devices that are added and removed.
        "mgmt" MGMT,
    }

    /// Events of devices. The event for changes is not declared.
    pub(crate) enum Event<'a> {
        /// A device was added.
        Added(Device) = ADD_NTF,
        /// A device was removed.
        Removed(Device) = DEL_NTF,
    }
}

message! {
    /// A device.
    pub(crate) struct Device<'a>(Netdev, DeviceAttrs<'a>), DeviceRequest {
        /// Asks for one device or all. The answers have the same type.
        1 NETDEV_CMD_DEV_GET GET,
        /// A device was added.
        2 NETDEV_CMD_DEV_ADD_NTF ADD_NTF,
        /// A device was removed.
        3 NETDEV_CMD_DEV_DEL_NTF DEL_NTF,
    }
}

attrs! {
    /// `NETDEV_A_DEV_*`.
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
