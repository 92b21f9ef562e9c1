//! XDP programs on the receive path of a link: `IFLA_XDP`.

use netlink_core::{attrs, flags, values};

values! {
    /// `XDP_ATTACHED_*`: where a program runs.
    pub struct XdpAttached: u8 {
        /// No program is attached.
        0 XDP_ATTACHED_NONE NONE "none",
        /// In the driver, before a packet buffer is made.
        1 XDP_ATTACHED_DRV DRV "drv",
        /// In the network stack, with any driver.
        2 XDP_ATTACHED_SKB SKB "skb",
        /// In the device.
        3 XDP_ATTACHED_HW HW "hw",
        /// In several places at once. Linux 4.19.
        4 XDP_ATTACHED_MULTI MULTI "multi",
    }
}

flags! {
    /// `XDP_FLAGS_*`: how to attach. At most one of the three modes.
    pub struct XdpFlags: u32 {
        /// Fail with `EBUSY` if a program is attached.
        0x1 XDP_FLAGS_UPDATE_IF_NOEXIST UPDATE_IF_NOEXIST,
        /// Run in the network stack.
        0x2 XDP_FLAGS_SKB_MODE SKB_MODE,
        /// Run in the driver, or fail.
        0x4 XDP_FLAGS_DRV_MODE DRV_MODE,
        /// Run in the device, or fail.
        0x8 XDP_FLAGS_HW_MODE HW_MODE,
        /// Replace only the program that `IFLA_XDP_EXPECTED_FD` names. Linux 5.7.
        0x10 XDP_FLAGS_REPLACE REPLACE,
    }
}

attrs! {
    /// `IFLA_XDP_*`: the program on the receive path of a link.
    pub struct XdpAttrs<'a> for Xdp {
        /// Descriptor of the program to attach, or -1 to detach. Never in a reply.
        1 IFLA_XDP_FD fd: i32,
        /// Where a program runs. Read-only.
        2 IFLA_XDP_ATTACHED attached -> XdpAttached,
        /// How to attach. Never in a reply.
        3 IFLA_XDP_FLAGS flags: XdpFlags,
        /// Id of the program, if there is only one. Read-only.
        4 IFLA_XDP_PROG_ID prog_id -> u32,
        /// Id of the program in the driver. Read-only. Linux 4.19.
        5 IFLA_XDP_DRV_PROG_ID drv_prog_id -> u32,
        /// Id of the program in the stack. Read-only. Linux 4.19.
        6 IFLA_XDP_SKB_PROG_ID skb_prog_id -> u32,
        /// Id of the program in the device. Read-only. Linux 4.19.
        7 IFLA_XDP_HW_PROG_ID hw_prog_id -> u32,
        /// Descriptor of the program that must be attached, or -1 for none; needs [`XdpFlags::REPLACE`]. Linux 5.7.
        8 IFLA_XDP_EXPECTED_FD expected_fd: i32,
    }
}

impl Xdp {
    /// Attaches the program of this descriptor, and replaces an attached one. The kernel chooses the mode
    /// unless [`flags`](Self::flags) has one.
    pub fn attach(fd: i32) -> Self {
        Self::new().fd(fd)
    }

    /// Detaches the program. If it was attached with a mode, set the same mode with [`flags`](Self::flags).
    pub fn detach() -> Self {
        Self::attach(-1)
    }

    /// Attaches `fd` only if `expected` is attached (-1: nothing is attached), and fails with `EEXIST`
    /// otherwise. Linux 5.7.
    pub fn replace(expected: i32, fd: i32, mode: XdpFlags) -> Self {
        Self::attach(fd).flags(mode | XdpFlags::REPLACE).expected_fd(expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link;
    use netlink_testing::native;

    #[test]
    fn attaches_replaces_and_detaches() {
        let bytes = link::set(3).xdp(Xdp::attach(7).flags(XdpFlags::SKB_MODE)).to_bytes().unwrap();
        // The set, then descriptor and flags.
        let set = native(
            [20, 0, 43, 0x80, 8, 0, 1, 0, 7, 0, 0, 0, 8, 0, 3, 0, 2, 0, 0, 0],
            &[2, 2, 2, 2, 4, 2, 2, 4],
        );
        assert_eq!(bytes[32..], set);
        let bytes = link::set(3).xdp(Xdp::detach()).to_bytes().unwrap();
        assert_eq!(
            bytes[32..],
            native([12, 0, 43, 0x80, 8, 0, 1, 0, 0xff, 0xff, 0xff, 0xff], &[2, 2, 2, 2, 4])
        );
        let replace = Xdp::replace(5, 6, XdpFlags::DRV_MODE).attrs();
        assert_eq!(replace.flags(), Some(XdpFlags::DRV_MODE | XdpFlags::REPLACE));
        assert_eq!((replace.expected_fd(), replace.fd()), (Some(5), Some(6)));
    }
}
