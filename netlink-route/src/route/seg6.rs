//! Segment routing over IPv6: the header, and encapsulation with it. Kernel side: `uapi/linux/seg6.h`,
//! `seg6_iptunnel.h`, `net/ipv6/seg6_iptunnel.c`.

use core::fmt;
use core::net::Ipv6Addr;

use netlink_core::attr::Hex;
use netlink_core::layout::Field;
use netlink_core::{
    Be, IntoAttr, Malformed, Payload, Rule, Shape, Unsendable, Writer, attrs, checked, flags, layout, leaf,
    values,
};

use super::encap::Words;

flags! {
    /// `SR6_FLAG1_*`.
    pub struct SrhFlags: u8 {
        /// An HMAC follows the segments.
        0x08 SR6_FLAG1_HMAC HMAC,
        /// Routers must examine the packet.
        0x10 SR6_FLAG1_ALERT ALERT,
        /// Operations packet.
        0x20 SR6_FLAG1_OAM OAM,
        /// Rerouted around a failure.
        0x40 SR6_FLAG1_PROTECTED PROTECTED,
    }
}

layout! {
    /// `struct ipv6_sr_hdr`: an IPv6 routing header of type 4 (RFC 8754).
    pub struct SrhHeader: ipv6_sr_hdr = 8 {
        /// Set by the kernel when it sends.
        next_header: u8,
        /// Length after the first eight bytes, in words of eight bytes: two per segment, then the TLVs.
        header_len: u8,
        /// Always 4.
        kind: u8,
        /// Index of the next segment to visit. The segments are in reverse order.
        segments_left: u8,
        /// Index of the segment that is visited first: the number of segments minus one.
        first_segment: u8,
        /// Flags, such as "an HMAC follows".
        flags: SrhFlags,
        /// Free to use, for example to mark packets.
        tag: Be<u16>,
    }
}

/// Type of the TLV with an HMAC: `SR6_TLV_HMAC`. Its content: two zero bytes, the key's id (32 bits, big
/// endian), and 32 bytes for the HMAC, which the kernel sets when it sends.
pub const TLV_HMAC: u8 = 5;

/// A segment routing header with its segments. TLVs are bytes.
#[derive(Clone, Copy)]
pub struct Srh<'a> {
    header: SrhHeader,
    segments: Segments<'a>,
    tlvs: &'a [u8],
}

#[derive(Clone, Copy)]
enum Segments<'a> {
    /// In reverse order, as on the wire.
    Wire(&'a [u8]),
    /// In the order of the path. The flag says whether a free entry for the packet's own destination follows.
    Values(&'a [Ipv6Addr], bool),
}

impl<'a> Srh<'a> {
    /// A header with these segments in the order of the path, at most 126.
    pub const fn new(segments: &'a [Ipv6Addr]) -> Self {
        Self::with_room(segments, false)
    }

    /// The same, with a free entry at the end. The kernel puts the packet's own destination there. For
    /// [`Seg6Mode::INLINE`].
    pub const fn inline(segments: &'a [Ipv6Addr]) -> Self {
        Self::with_room(segments, true)
    }

    #[allow(clippy::cast_possible_truncation)]
    const fn with_room(segments: &'a [Ipv6Addr], room: bool) -> Self {
        let count = segments.len() + room as usize;
        let count = if count < 127 { count as u8 } else { 127 };
        let header = SrhHeader {
            next_header: 0,
            header_len: count * 2,
            kind: 4,
            segments_left: count.saturating_sub(1),
            first_segment: count.saturating_sub(1),
            flags: SrhFlags::empty(),
            tag: Be(0),
        };
        Self { header, segments: Segments::Values(segments, room), tlvs: &[] }
    }

    /// The fixed part.
    pub const fn header(&self) -> SrhHeader {
        self.header
    }

    /// Sets the tag, a mark for packets.
    #[must_use]
    pub const fn tag(mut self, tag: u16) -> Self {
        self.header.tag = Be(tag);
        self
    }

    /// Adds TLVs, a multiple of eight bytes, and the flags that announce them. See [`TLV_HMAC`].
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub const fn tlvs(mut self, tlvs: &'a [u8], flags: SrhFlags) -> Self {
        let words = tlvs.len() / 8;
        let words = if words < 256 { words as u8 } else { u8::MAX };
        self.header.header_len = self.header.header_len.saturating_add(words);
        self.header.flags = flags;
        self.tlvs = tlvs;
        self
    }

    /// The segments in the order of the path.
    pub fn segments(&self) -> impl Iterator<Item = Ipv6Addr> + use<'a> {
        let (wire, values, room): (&[u8], &[Ipv6Addr], _) = match self.segments {
            Segments::Wire(bytes) => (bytes, &[], false),
            Segments::Values(values, room) => (&[], values, room),
        };
        let wire = wire.rchunks_exact(16).filter_map(|bytes| Ipv6Addr::decode(bytes).ok());
        values.iter().copied().chain(room.then_some(Ipv6Addr::UNSPECIFIED)).chain(wire)
    }

    /// The TLVs after the segments, as bytes.
    pub const fn tlv_bytes(&self) -> &'a [u8] {
        self.tlvs
    }
}

impl<'a> Payload<'a> for Srh<'a> {
    type Value = Self;
    const RULE: Rule = checked!(Srh<'_>);
    const SHAPE: Shape = leaf!(Srh<'_>);

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut rest = payload;
        let header = SrhHeader::take(&mut rest)?;
        let segments = (usize::from(header.first_segment) + 1) * 16;
        let whole = usize::from(header.header_len) * 8;
        let short = Malformed::Length { want: 8 + whole.max(segments), got: payload.len() };
        let (segments, rest) = rest.split_at_checked(segments).ok_or(short)?;
        let tlvs = whole.checked_sub(segments.len()).and_then(|tlvs| rest.get(..tlvs)).ok_or(short)?;
        Ok(Self { header, segments: Segments::Wire(segments), tlvs })
    }

    fn encode(&self, out: &mut Writer) {
        let count = match self.segments {
            Segments::Wire(_) => 1,
            Segments::Values(segments, room) => segments.len() + usize::from(room),
        };
        if !(1..=126).contains(&count) {
            return out.fail(Unsendable::Value("no segment, or more than 126"));
        }
        if !self.tlvs.len().is_multiple_of(8) {
            return out.fail(Unsendable::Value("TLVs whose length is not a multiple of 8"));
        }
        out.push(&self.header.to_bytes());
        match self.segments {
            Segments::Wire(bytes) => out.push(bytes),
            Segments::Values(segments, room) => {
                let last = room.then_some(&Ipv6Addr::UNSPECIFIED);
                last.into_iter().chain(segments.iter().rev()).for_each(|segment| segment.encode(out));
            }
        }
        out.push(self.tlvs);
    }
}

impl<'a> IntoAttr<Srh<'a>> for &'a [Ipv6Addr] {
    fn into_attr(self) -> Srh<'a> {
        Srh::new(self)
    }
}

impl<'a, const N: usize> IntoAttr<Srh<'a>> for &'a [Ipv6Addr; N] {
    fn into_attr(self) -> Srh<'a> {
        Srh::new(self)
    }
}

impl PartialEq for Srh<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.header == other.header && self.tlvs == other.tlvs && self.segments().eq(other.segments())
    }
}

/// `segs 2 [ fc00::1 fc00::2 ]`
impl fmt::Display for Srh<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "segs {} [ ", self.segments().count())?;
        self.segments().try_for_each(|segment| write!(f, "{segment} "))?;
        f.write_str("]")?;
        if self.tlvs.is_empty() { Ok(()) } else { write!(f, " tlvs {}", Hex(self.tlvs)) }
    }
}

impl fmt::Debug for Srh<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

netlink_core::serialize! { impl ['a] for Srh<'a>, |srh, fields| {
    fields.entry("header", &srh.header)?;
    fields.entry("segments", &srh.segments().collect::<alloc::vec::Vec<_>>())?;
    fields.entry("tlvs", &netlink_core::Bytes(srh.tlvs))?;
} }

values! {
    /// `SEG6_IPTUN_MODE_*`: where the header is inserted.
    pub struct Seg6Mode: u32 {
        /// Into the IPv6 packet itself.
        0 SEG6_IPTUN_MODE_INLINE INLINE "inline",
        /// After a new IPv6 header in front of an IPv4 or IPv6 packet.
        1 SEG6_IPTUN_MODE_ENCAP ENCAP "encap",
        /// After a new IPv6 header in front of an Ethernet frame.
        2 SEG6_IPTUN_MODE_L2ENCAP L2ENCAP "l2encap",
        /// Like encap, without the first segment: it is the destination of the new header. Linux 6.0.
        3 SEG6_IPTUN_MODE_ENCAP_RED ENCAP_RED "encap.red",
        /// Like l2encap, without the first segment. Linux 6.0.
        4 SEG6_IPTUN_MODE_L2ENCAP_RED L2ENCAP_RED "l2encap.red",
    }
}

/// `struct seg6_iptunnel_encap`: the mode, then a header.
#[derive(Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Seg6Tunnel<'a> {
    /// Where the header is inserted.
    pub mode: Seg6Mode,
    /// The header. In the reduced modes it is complete, too.
    pub srh: Srh<'a>,
}

impl<'a> Seg6Tunnel<'a> {
    /// A header and the mode in which it is sent.
    pub const fn new(mode: Seg6Mode, srh: Srh<'a>) -> Self {
        Self { mode, srh }
    }
}

impl<'a> Payload<'a> for Seg6Tunnel<'a> {
    type Value = Self;
    const RULE: Rule = checked!(Seg6Tunnel<'_>);
    const SHAPE: Shape = leaf!(Seg6Tunnel<'_>);

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut rest = payload;
        let mode = Seg6Mode::take(&mut rest)?;
        Ok(Self { mode, srh: Srh::decode(rest)? })
    }

    fn encode(&self, out: &mut Writer) {
        self.mode.encode(out);
        self.srh.encode(out);
    }
}

/// `mode encap segs 2 [ fc00::1 fc00::2 ]`
impl fmt::Display for Seg6Tunnel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mode {} {}", self.mode, self.srh)
    }
}

impl fmt::Debug for Seg6Tunnel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

netlink_core::serialize! { impl ['a] for Seg6Tunnel<'a>, |tunnel, fields| {
    fields.entry("mode", &tunnel.mode)?;
    fields.entry("srh", &tunnel.srh)?;
} }

attrs! {
    /// `SEG6_IPTUNNEL_*`: adds a segment routing header to packets.
    pub struct Seg6Attrs<'a> for Seg6 {
        /// Mode and header. Required.
        1 SEG6_IPTUNNEL_SRH tunnel: Seg6Tunnel<'a>,
        /// Source of the new IPv6 header. Default: the namespace's setting, else an address of the outgoing
        /// link. Linux 7.1.
        2 SEG6_IPTUNNEL_SRC src: Ipv6Addr,
        /// Table for the lookup of the first segment. After Linux 7.1.
        3 SEG6_IPTUNNEL_TABLE table: u32,
    }
}

impl Seg6 {
    /// Inserts a header with these segments into the packet. The packet's own destination comes last.
    pub fn inline(segments: &[Ipv6Addr]) -> Self {
        Self::new().tunnel(Seg6Tunnel::new(Seg6Mode::INLINE, Srh::inline(segments)))
    }

    /// Puts the packet into a new IPv6 packet that travels over these segments.
    pub fn encap(segments: &[Ipv6Addr]) -> Self {
        Self::with_mode(Seg6Mode::ENCAP, segments)
    }

    /// Sends packets over these segments, in any mode except [`inline`](Self::inline).
    pub fn with_mode(mode: Seg6Mode, segments: &[Ipv6Addr]) -> Self {
        Self::new().tunnel(Seg6Tunnel::new(mode, Srh::new(segments)))
    }
}

/// `mode encap segs 2 [ fc00::1 fc00::2 ]`
impl Words for Seg6Attrs<'_> {
    fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(tunnel) = self.tunnel() {
            write!(f, " {tunnel}")?;
        }
        self.src().map_or(Ok(()), |src| write!(f, " tunsrc {src}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_travel_in_reverse() {
        let segments = ["fc00::1".parse().unwrap(), "fc00::2".parse().unwrap()];
        let mut out = Writer::new();
        Srh::inline(&segments).tag(7).encode(&mut out);
        let bytes = out.as_slice();
        assert_eq!(bytes.len(), 8 + 3 * 16);
        assert_eq!(bytes[..8], [0, 6, 4, 2, 2, 0, 0, 7]);
        assert_eq!((bytes[8 + 15], bytes[24 + 15], bytes[40 + 15]), (0, 2, 1));
        let read = Srh::decode(bytes).unwrap();
        assert_eq!(read, Srh::inline(&segments).tag(7));
        assert_eq!(alloc::format!("{read}"), "segs 3 [ fc00::1 fc00::2 :: ]");
        for length in 0..bytes.len() {
            assert!(Srh::decode(&bytes[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn tlvs_are_kept_and_counted() {
        let hmac = [&[TLV_HMAC, 38][..], &[0; 38]].concat();
        let segments = ["fc00::1".parse().unwrap()];
        let mut out = Writer::new();
        let srh = Srh::new(&segments).tlvs(&hmac, SrhFlags::HMAC);
        srh.encode(&mut out);
        assert_eq!(out.as_slice()[..6], [0, 2 + 5, 4, 0, 0, 8]);
        assert_eq!(Srh::decode(out.as_slice()).unwrap(), srh);
        assert_eq!(Srh::decode(out.as_slice()).unwrap().tlv_bytes(), hmac);
    }

    #[test]
    fn too_few_and_too_many_segments_are_refused() {
        for count in [0, 127, 300] {
            let mut out = Writer::new();
            Srh::new(&alloc::vec![Ipv6Addr::LOCALHOST; count]).encode(&mut out);
            assert!(out.error().is_some(), "{count}");
        }
    }
}
