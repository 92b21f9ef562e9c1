//! Source routes of RPL networks (RFC 6554). Kernel side: `uapi/linux/rpl.h`, `net/ipv6/rpl_iptunnel.c`. Linux 5.7.

use core::fmt;
use core::net::Ipv6Addr;

use netlink_core::layout::Field;
use netlink_core::{
    IntoAttr, Malformed, Payload, Rule, Shape, Unsendable, Writer, attrs, checked, layout, leaf,
};

use super::encap::Words;

layout! {
    /// `struct ipv6_rpl_sr_hdr`: an IPv6 routing header of type 3.
    pub struct RplHeader: ipv6_rpl_sr_hdr = 8 {
        /// Set by the kernel when it sends.
        next_header: u8,
        /// Length after this header in words of eight bytes: two per segment.
        header_len: u8,
        /// Always 3.
        kind: u8,
        /// Number of segments still to visit. In a route: all of them.
        segments_left: u8,
        /// Number of bytes omitted from each segment, and from the last. 0 in a route: the kernel compresses.
        compression: u8,
        /// Padding at the end, in the upper half; 0 in a route.
        padding: u8,
        /// Always zero.
        reserved: u16,
    }
}

/// The header and its segments, in the order of the path.
#[derive(Clone, Copy)]
pub struct RplSrh<'a> {
    header: RplHeader,
    segments: Segments<'a>,
}

#[derive(Clone, Copy)]
enum Segments<'a> {
    Wire(&'a [u8]),
    Values(&'a [Ipv6Addr]),
}

impl<'a> RplSrh<'a> {
    /// A source route over these segments, at most 127.
    #[allow(clippy::cast_possible_truncation)]
    pub const fn new(segments: &'a [Ipv6Addr]) -> Self {
        let count = if segments.len() < 128 { segments.len() as u8 } else { u8::MAX };
        let header = RplHeader {
            next_header: 0,
            header_len: count.saturating_mul(2),
            kind: 3,
            segments_left: count,
            compression: 0,
            padding: 0,
            reserved: 0,
        };
        Self { header, segments: Segments::Values(segments) }
    }

    /// The header.
    pub const fn header(&self) -> RplHeader {
        self.header
    }

    /// The segments in the order of the path.
    pub fn segments(&self) -> impl Iterator<Item = Ipv6Addr> + use<'a> {
        let (wire, values): (&[u8], &[Ipv6Addr]) = match self.segments {
            Segments::Wire(bytes) => (bytes, &[]),
            Segments::Values(values) => (&[], values),
        };
        values.iter().copied().chain(wire.chunks_exact(16).filter_map(|bytes| Ipv6Addr::decode(bytes).ok()))
    }
}

impl<'a> Payload<'a> for RplSrh<'a> {
    type Value = Self;
    const RULE: Rule = checked!(RplSrh<'_>);
    const SHAPE: Shape = leaf!(RplSrh<'_>);

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut rest = payload;
        let header = RplHeader::take(&mut rest)?;
        let want = usize::from(header.segments_left) * 16;
        let segments = rest.get(..want).ok_or(Malformed::Length { want: want + 8, got: payload.len() })?;
        Ok(Self { header, segments: Segments::Wire(segments) })
    }

    fn encode(&self, out: &mut Writer) {
        if matches!(self.segments, Segments::Values(segments) if segments.len() > 127) {
            return out.fail(Unsendable::Value("more than 127 segments"));
        }
        out.push(&self.header.to_bytes());
        self.segments().for_each(|segment| segment.encode(out));
    }
}

impl<'a> IntoAttr<RplSrh<'a>> for &'a [Ipv6Addr] {
    fn into_attr(self) -> RplSrh<'a> {
        RplSrh::new(self)
    }
}

impl PartialEq for RplSrh<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.header == other.header && self.segments().eq(other.segments())
    }
}

impl fmt::Debug for RplSrh<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.segments()).finish()
    }
}

netlink_core::serialize! { @value RplSrh<'_>, |srh| srh.segments().collect::<alloc::vec::Vec<_>>() }

attrs! {
    /// `RPL_IPTUNNEL_*`: inserts a source route into packets.
    pub struct RplAttrs<'a> for Rpl {
        /// The source route. Required.
        1 RPL_IPTUNNEL_SRH srh: RplSrh<'a>,
    }
}

impl Rpl {
    /// Routes packets over these segments, in this order.
    pub fn through(segments: &[Ipv6Addr]) -> Self {
        Self::new().srh(segments)
    }
}

/// `segs 2 [ fc00::1 fc00::2 ]`
impl Words for RplAttrs<'_> {
    fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(srh) = self.srh() else { return Ok(()) };
        write!(f, " segs {} [ ", srh.segments().count())?;
        srh.segments().try_for_each(|segment| write!(f, "{segment} "))?;
        f.write_str("]")
    }
}
