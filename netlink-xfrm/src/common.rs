//! Types that states and policies share.

use netlink_core::layout::Pad;
use netlink_core::{Be, Bytes, Malformed, Payload, Rule, Shape, Unsendable, Writer, flags, layout, values};

use crate::ip::Address;
use crate::{Family, Prefix};

values! {
    /// The protocol of a transformation.
    pub struct Proto: u8 {
        /// In a filter: any.
        0 IPPROTO_IP ANY "any",
        /// Mobile IPv6: routing headers.
        43 IPPROTO_ROUTING ROUTE2 "route2",
        /// Encapsulating security payload.
        50 IPPROTO_ESP ESP "esp",
        /// Authentication header.
        51 IPPROTO_AH AH "ah",
        /// Mobile IPv6: home addresses in destination options.
        60 IPPROTO_DSTOPTS HAO "hao",
        /// Compression.
        108 IPPROTO_COMP COMP "comp",
        /// In a template: the protocol of the state. In a list or flush: ESP, AH and compression.
        255 IPSEC_PROTO_ANY IPSEC "255",
    }
}

values! {
    /// `XFRM_MODE_*`: what happens to the packet's header.
    pub struct Mode: u8 {
        /// The header is kept, and the payload is transformed.
        0 XFRM_MODE_TRANSPORT TRANSPORT "transport",
        /// The whole packet is transformed, and gets a new header.
        1 XFRM_MODE_TUNNEL TUNNEL "tunnel",
        /// Mobile IPv6.
        2 XFRM_MODE_ROUTEOPTIMIZATION ROUTE_OPTIMIZATION "ro",
        /// Not used.
        3 XFRM_MODE_IN_TRIGGER IN_TRIGGER "in_trigger",
        /// A tunnel with fixed inner addresses that are not sent.
        4 XFRM_MODE_BEET BEET "beet",
        /// A tunnel that aggregates and fragments packets (RFC 9347). Linux 6.14.
        5 XFRM_MODE_IPTFS IPTFS "iptfs",
    }
}

values! {
    /// `XFRM_SHARE_*`: who may share a state. The kernel stores it for templates, but does not use it.
    pub struct Share: u8 {
        /// Everyone.
        0 XFRM_SHARE_ANY ANY "any",
        /// One session.
        1 XFRM_SHARE_SESSION SESSION "session",
        /// One user.
        2 XFRM_SHARE_USER USER "user",
        /// Nobody.
        3 XFRM_SHARE_UNIQUE UNIQUE "unique",
    }
}

layout! {
    /// `struct xfrm_id`.
    pub struct Id: xfrm_id = 24 {
        /// Destination.
        daddr: Address,
        /// Security parameter index.
        spi: Be<u32>,
        /// Protocol.
        proto: Proto,
        /// Padding.
        pad: Pad<3>,
    }
}

layout! {
    /// `struct xfrm_selector`: selects packets. The default selects all packets of any family. A policy needs
    /// a family: use [`Selector::new`] with two prefixes of length 0.
    pub struct Selector: xfrm_selector = 56 then after_read {
        /// Destination.
        daddr: Address,
        /// Source.
        saddr: Address,
        /// Destination port; for ICMP the code, for GRE the lower half of the key.
        dport: Be<u16>,
        /// Bits of the destination port to compare.
        dport_mask: Be<u16>,
        /// Source port; for ICMP the type, for GRE the upper half of the key.
        sport: Be<u16>,
        /// Bits of the source port to compare.
        sport_mask: Be<u16>,
        /// Family of both addresses. Unspecified: packets of any family, only in a state. A policy without a
        /// family is `EINVAL`.
        family: Family,
        /// Prefix length of the destination.
        prefixlen_d: u8,
        /// Prefix length of the source.
        prefixlen_s: u8,
        /// Number of the upper protocol; 0 is any.
        proto: u8,
        /// Padding.
        pad: Pad<3>,
        /// Link; 0 is any.
        ifindex: i32,
        /// User id; not used.
        user: u32,
    }
    shows |selector| {
        source: selector.source(),
        destination: selector.destination(),
        saddr: Some(selector.saddr).filter(|_| selector.source().is_none()),
        daddr: Some(selector.daddr).filter(|_| selector.destination().is_none());
        prefixlen_s prefixlen_d user
    }
}

impl Selector {
    /// Packets from one prefix to the other. Both must be of one family; otherwise the request can't be sent.
    pub fn new(source: impl Into<Prefix>, destination: impl Into<Prefix>) -> Self {
        let (source, destination) = (source.into(), destination.into());
        Self {
            saddr: source.ip().into(),
            daddr: destination.ip().into(),
            prefixlen_s: source.prefix_len(),
            prefixlen_d: destination.prefix_len(),
            family: destination.ip().into(),
            ..Self::default()
        }
    }

    /// Only packets from this source port.
    #[must_use]
    pub fn source_port(self, port: u16) -> Self {
        self.sport(port).sport_mask(u16::MAX)
    }

    /// Only packets to this destination port.
    #[must_use]
    pub fn destination_port(self, port: u16) -> Self {
        self.dport(port).dport_mask(u16::MAX)
    }

    /// Source prefix; `None` for any family.
    pub fn source(&self) -> Option<Prefix> {
        Prefix::new(self.saddr.ip()?, self.prefixlen_s).ok()
    }

    /// Destination prefix; `None` for any family.
    pub fn destination(&self) -> Option<Prefix> {
        Prefix::new(self.daddr.ip()?, self.prefixlen_d).ok()
    }

    fn after_read(self) -> Self {
        Self { daddr: self.daddr.of(self.family), saddr: self.saddr.of(self.family), ..self }
    }

    pub(crate) fn check(&self, out: &mut Writer) {
        one_family(self.family, &[self.daddr, self.saddr], out);
    }
}

/// Functions for `about` of `message!`, for objects that the fixed header names.
macro_rules! about_header {
    ($($function:ident: $message:ident |$header:ident| $object:expr;)*) => { $(
        fn $function(message: &$message<'_>, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            let $header = message.header();
            core::fmt::Display::fmt(&$object, f)
        }
    )* };
}
pub(crate) use about_header;

impl core::fmt::Display for Selector {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "src {}/{} dst {}/{}", self.saddr, self.prefixlen_s, self.daddr, self.prefixlen_d)?;
        if self.proto != 0 {
            write!(f, " proto {}", self.proto)?;
        }
        for (name, port, mask) in
            [("sport", self.sport.0, self.sport_mask.0), ("dport", self.dport.0, self.dport_mask.0)]
        {
            match mask {
                0 => {}
                u16::MAX => write!(f, " {name} {port}")?,
                _ => write!(f, " {name} {port:#x}/{mask:#x}")?,
            }
        }
        if self.ifindex != 0 {
            write!(f, " dev {}", self.ifindex)?;
        }
        Ok(())
    }
}

/// Addresses of different families must not be sent under one family: the bytes would mean other addresses.
pub(crate) fn one_family(family: Family, addresses: &[Address], out: &mut Writer) {
    if addresses.iter().any(|address| ![family, Family::UNSPEC].contains(&address.family())) {
        out.fail(Unsendable::Value("an IPv4 and an IPv6 address where both must be of the same family"));
    }
}

layout! {
    /// `struct xfrm_lifetime_cfg`: when a state or policy expires. At a soft limit the kernel only sends an
    /// [`Event`](crate::event::Event). At a hard limit it also removes the object.
    pub struct Lifetime: xfrm_lifetime_cfg = 64 {
        /// Bytes, soft limit. `u64::MAX` is no limit; 0 is a limit.
        soft_byte_limit: u64,
        /// Bytes, hard limit. `u64::MAX` is no limit; 0 is a limit.
        hard_byte_limit: u64,
        /// Packets, soft limit. `u64::MAX` is no limit; 0 is a limit.
        soft_packet_limit: u64,
        /// Packets, hard limit. `u64::MAX` is no limit; 0 is a limit.
        hard_packet_limit: u64,
        /// Seconds since the object was made, soft limit; 0 is no limit.
        soft_add_expires_seconds: u64,
        /// Seconds since the object was made, hard limit; 0 is no limit.
        hard_add_expires_seconds: u64,
        /// Seconds since the first use, soft limit; 0 is no limit.
        soft_use_expires_seconds: u64,
        /// Seconds since the first use, hard limit; 0 is no limit.
        hard_use_expires_seconds: u64,
    }
}

/// No limit of bytes or packets.
pub const XFRM_INF: u64 = u64::MAX;

impl Lifetime {
    /// Never expires. The default of states and policies.
    pub const UNLIMITED: Self = Self {
        soft_byte_limit: XFRM_INF,
        hard_byte_limit: XFRM_INF,
        soft_packet_limit: XFRM_INF,
        hard_packet_limit: XFRM_INF,
        soft_add_expires_seconds: 0,
        hard_add_expires_seconds: 0,
        soft_use_expires_seconds: 0,
        hard_use_expires_seconds: 0,
    };
}

layout! {
    /// `struct xfrm_lifetime_cur`: usage of a state or policy.
    pub struct Usage: xfrm_lifetime_cur = 32 {
        /// Bytes.
        bytes: u64,
        /// Packets.
        packets: u64,
        /// When the object was made, in seconds since 1970.
        add_time: u64,
        /// When the object was first used, in seconds since 1970; 0 means not yet.
        use_time: u64,
    }
}

layout! {
    /// `struct xfrm_mark`: the value of the packets' mark in the bits of the mask.
    pub struct Mark: xfrm_mark = 8 {
        /// The value.
        v: u32,
        /// The mask.
        m: u32,
    }
}

impl Mark {
    /// This value, within this mask.
    pub const fn new(value: u32, mask: u32) -> Self {
        Self { v: value, m: mask }
    }
}

flags! {
    /// `XFRM_OFFLOAD_*`: options of the offload to a device.
    pub struct OffloadFlags: u8 {
        /// Not used.
        0x1 XFRM_OFFLOAD_IPV6 IPV6,
        /// The state is for received packets.
        0x2 XFRM_OFFLOAD_INBOUND INBOUND,
        /// The device does the whole processing, not only the cryptography. Linux 6.2.
        0x4 XFRM_OFFLOAD_PACKET PACKET,
    }
}

layout! {
    /// `struct xfrm_user_offload`: the device for an offload.
    pub struct Offload: xfrm_user_offload = 8 {
        /// The link.
        ifindex: i32,
        /// Options.
        flags: OffloadFlags,
        /// Padding.
        pad: Pad<3>,
    }
}

values! {
    /// `UDP_ENCAP_*`, `TCP_ENCAP_*`: encapsulation of ESP.
    pub struct EncapType: u16 {
        /// An early draft, with eight leading zeros; removed in Linux 6.10.
        1 UDP_ENCAP_ESPINUDP_NON_IKE ESPINUDP_NON_IKE "espinudp-nonike",
        /// In UDP (RFC 3948).
        2 UDP_ENCAP_ESPINUDP ESPINUDP "espinudp",
        /// In TCP (RFC 8229).
        7 TCP_ENCAP_ESPINTCP ESPINTCP "espintcp",
    }
}

layout! {
    /// `struct xfrm_encap_tmpl`: ESP in UDP or TCP.
    pub struct Encap: xfrm_encap_tmpl = 24 {
        /// Type of the encapsulation.
        kind: EncapType,
        /// Source port.
        sport: Be<u16>,
        /// Destination port.
        dport: Be<u16>,
        /// Padding.
        pad: Pad<2>,
        /// The peer's address before translation; the kernel only stores it.
        oa: Address,
    }
}

impl Encap {
    /// In UDP, with these ports.
    pub fn udp(source: u16, destination: u16) -> Self {
        Self::default().kind(EncapType::ESPINUDP).sport(source).dport(destination)
    }
}

values! {
    /// `XFRM_SC_ALG_*`: the security module of a security context.
    pub struct SecurityAlg: u8 {
        /// None.
        0 XFRM_SC_ALG_RESERVED RESERVED "reserved",
        /// SELinux.
        1 XFRM_SC_ALG_SELINUX SELINUX "selinux",
    }
}

values! {
    /// `XFRM_SC_DOI_*`: how to interpret a security context.
    pub struct SecurityDoi: u8 {
        /// Reserved.
        0 XFRM_SC_DOI_RESERVED RESERVED "reserved",
        /// The security module interprets it.
        1 XFRM_SC_DOI_LSM LSM "lsm",
    }
}

layout! {
    /// `struct xfrm_user_sec_ctx`.
    pub(crate) struct SecurityHeader: xfrm_user_sec_ctx = 8 {
        /// Length in bytes, with this header.
        len: u16,
        /// `XFRMA_SEC_CTX`.
        exttype: u16,
        /// The security module.
        ctx_alg: SecurityAlg,
        /// Interpretation.
        ctx_doi: SecurityDoi,
        /// Length of the context, in bytes.
        ctx_len: u16,
    }
}

/// `struct xfrm_user_sec_ctx` and the context after it: the label of a security module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecurityContext<'a> {
    /// The security module.
    pub alg: SecurityAlg,
    /// Interpretation.
    pub doi: SecurityDoi,
    /// The label, with a NUL if it was received with one.
    pub context: Bytes<'a>,
}

impl<'a> SecurityContext<'a> {
    /// A label of SELinux. A NUL is added.
    pub const fn selinux(label: &'a core::ffi::CStr) -> Self {
        let context = Bytes(label.to_bytes_with_nul());
        Self { alg: SecurityAlg::SELINUX, doi: SecurityDoi::LSM, context }
    }
}

impl<'a> Payload<'a> for SecurityContext<'a> {
    type Value = Self;
    const RULE: Rule = Rule::check(|payload, _| Ok(SecurityContext::decode(payload).map(drop)?));
    const SHAPE: Shape = Shape::Value(|bytes, f| Shape::show(f, bytes, SecurityContext::decode(bytes)));

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        let header = SecurityHeader::decode(payload)?;
        let end = 8 + usize::from(header.ctx_len);
        let short = Malformed::Length { want: end, got: payload.len() };
        let context = Bytes(payload.get(8..end).ok_or(short)?);
        Ok(Self { alg: header.ctx_alg, doi: header.ctx_doi, context })
    }

    fn encode(&self, out: &mut Writer) {
        const XFRMA_SEC_CTX: u16 = 8;
        let length = self.context.0.len();
        let (Ok(ctx_len), Ok(len)) = (u16::try_from(length), u16::try_from(length + 8)) else {
            return out.fail(Unsendable::TooLong { length, max: usize::from(u16::MAX) - 8 });
        };
        let header =
            SecurityHeader { len, exttype: XFRMA_SEC_CTX, ctx_alg: self.alg, ctx_doi: self.doi, ctx_len };
        header.encode(out);
        out.push(self.context.0);
    }
}

netlink_core::serialize! { impl ['x] for SecurityContext<'x>, |security, fields| {
    fields.entry("alg", &security.alg)?;
    fields.entry("doi", &security.doi)?;
    fields.entry("context", &security.context)?;
} }

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    /// N7
    #[test]
    fn a_selector_prints_ports_with_their_masks() {
        let selector = Selector::new(Prefix::DEFAULT_V4, Prefix::DEFAULT_V4).destination_port(80);
        assert_eq!(selector.to_string(), "src 0.0.0.0/0 dst 0.0.0.0/0 dport 80");
        let block = selector.sport(0x1000).sport_mask(0xf000).dport_mask(0);
        assert_eq!(block.to_string(), "src 0.0.0.0/0 dst 0.0.0.0/0 sport 0x1000/0xf000");
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_selector_has_its_prefixes_in_json() {
        let json = |selector: Selector| serde_json::to_string(&selector).unwrap();
        let rest = r#""dport":0,"dport_mask":0,"sport":0,"sport_mask":0,"#;
        let text =
            r#"{"source":"10.0.0.0/8","destination":"0.0.0.0/0",REST"family":"inet","proto":0,"ifindex":0}"#;
        let selector = Selector::new("10.0.0.0/8".parse::<Prefix>().unwrap(), Prefix::DEFAULT_V4);
        assert_eq!(json(selector), text.replace("REST", rest));
        let text = r#"{"saddr":"any","daddr":"any",REST"family":"any","proto":0,"ifindex":0}"#;
        assert_eq!(json(Selector::default()), text.replace("REST", rest));
    }

    #[test]
    fn a_security_context_counts_itself() {
        let context = SecurityContext::selinux(c"a:b:c");
        let mut out = Writer::new();
        context.encode(&mut out);
        assert_eq!(
            out.as_slice(),
            netlink_testing::native(*b"\x0e\0\x08\0\x01\x01\x06\0a:b:c\0", &[2, 2, 1, 1, 2, 1])
        );
        assert_eq!(SecurityContext::decode(out.as_slice()).unwrap(), context);
        assert!(SecurityContext::decode(&out.as_slice()[..13]).is_err());
    }
}
