//! Routes through an xfrm link in external mode. Kernel side: `net/xfrm/xfrm_interface_core.c`. Linux 6.1.

use core::fmt;

use netlink_core::attrs;

use super::encap::Words;

attrs! {
    /// `LWT_XFRM_*`: parameters of the IPsec policy lookup.
    pub struct XfrmAttrs<'a> for Xfrm {
        /// Id of the xfrm interface, 1 or more. Required.
        1 LWT_XFRM_IF_ID if_id: u32,
        /// The link that packets leave through, 1 or more; the policy lookup uses it.
        2 LWT_XFRM_LINK link: u32,
    }
}

/// `if_id 0x10 link_dev #3`
impl Words for XfrmAttrs<'_> {
    fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(id) = self.if_id() {
            write!(f, " if_id {id:#x}")?;
        }
        self.link().map_or(Ok(()), |link| write!(f, " link_dev #{link}"))
    }
}
