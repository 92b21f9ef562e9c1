//! MPLS label stacks and MPLS encapsulation. Kernel side: `net/mpls/af_mpls.c`, `net/mpls/mpls_iptunnel.c`.

use core::fmt;

use netlink_core::{IntoAttr, Malformed, Payload, Rule, Shape, Unsendable, Writer, attrs, checked, leaf};

use super::encap::Words;

/// A stack of MPLS labels, outermost first. A label is 0 to 1048575. Kernels accept up to 30 labels.
///
/// Each label is sent as a stack entry with traffic class 0 and TTL 0; the kernel refuses other values.
#[derive(Clone, Copy)]
pub struct Labels<'a>(LabelsFrom<'a>);

#[derive(Clone, Copy)]
enum LabelsFrom<'a> {
    Wire(&'a [u8]),
    Values(&'a [u32]),
}

const fn entry(label: u32, last: bool) -> [u8; 4] {
    (label << 12 | (last as u32) << 8).to_be_bytes()
}

const fn label(entry: [u8; 4]) -> u32 {
    u32::from_be_bytes(entry) >> 12
}

impl<'a> Labels<'a> {
    /// Labels to send, outermost first.
    pub const fn new(labels: &'a [u32]) -> Self {
        Self(LabelsFrom::Values(labels))
    }

    /// The labels, outermost first.
    pub fn iter(&self) -> impl Iterator<Item = u32> + use<'a> {
        let (wire, values): (&[u8], &[u32]) = match self.0 {
            LabelsFrom::Wire(bytes) => (bytes, &[]),
            LabelsFrom::Values(values) => (&[], values),
        };
        let wire = wire.chunks_exact(4).filter_map(|entry| entry.first_chunk()).map(|bytes| label(*bytes));
        values.iter().copied().chain(wire)
    }
}

impl<'a> Payload<'a> for Labels<'a> {
    type Value = Self;
    const RULE: Rule = checked!(Labels<'_>);
    const SHAPE: Shape = leaf!(Labels<'_>);

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        if !payload.len().is_multiple_of(4) {
            return Err(Malformed::Length { want: payload.len().next_multiple_of(4), got: payload.len() });
        }
        Ok(Self(LabelsFrom::Wire(payload)))
    }

    fn encode(&self, out: &mut Writer) {
        let labels = match self.0 {
            LabelsFrom::Wire(bytes) => return out.push(bytes),
            LabelsFrom::Values(labels) => labels,
        };
        for (at, label) in labels.iter().enumerate() {
            if *label >> 20 != 0 {
                out.fail(Unsendable::Value("an MPLS label of more than 20 bits"));
            }
            out.push(&entry(*label, at + 1 == labels.len()));
        }
    }
}

impl<'a> IntoAttr<Labels<'a>> for &'a [u32] {
    fn into_attr(self) -> Labels<'a> {
        Labels::new(self)
    }
}

impl<'a, const N: usize> IntoAttr<Labels<'a>> for &'a [u32; N] {
    fn into_attr(self) -> Labels<'a> {
        Labels::new(self)
    }
}

impl PartialEq for Labels<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

/// Labels separated by slashes: `100/200`.
impl fmt::Display for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().enumerate().try_for_each(|(at, label)| {
            f.write_str(if at == 0 { "" } else { "/" })?;
            fmt::Display::fmt(&label, f)
        })
    }
}

impl fmt::Debug for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

netlink_core::serialize! { @text ['a] Labels<'a> }

attrs! {
    /// `MPLS_IPTUNNEL_*`: adds MPLS labels to IP packets.
    pub struct MplsAttrs<'a> for Mpls {
        /// The labels, outermost first.
        1 MPLS_IPTUNNEL_DST dst: Labels<'a>,
        /// TTL of the labels; 0 copies the packet's TTL. Default: the sysctl `net.mpls.ip_ttl_propagate` decides.
        2 MPLS_IPTUNNEL_TTL ttl: u8,
    }
}

impl Mpls {
    /// Adds these labels.
    pub fn push(labels: &[u32]) -> Self {
        Self::new().dst(labels)
    }
}

/// `100/200 ttl 5`
impl Words for MplsAttrs<'_> {
    fn words(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(labels) = self.dst() {
            write!(f, " {labels}")?;
        }
        self.ttl().map_or(Ok(()), |ttl| write!(f, " ttl {ttl}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_stack_ends_with_its_bottom_bit() {
        let mut out = Writer::new();
        Labels::new(&[100, 200]).encode(&mut out);
        assert_eq!(out.as_slice(), [0, 6, 0x40, 0, 0, 0xc, 0x81, 0]);
        let read = Labels::decode(out.as_slice()).unwrap();
        assert_eq!(read, Labels::new(&[100, 200]));
        assert_eq!(read.to_string(), "100/200");
        assert!(Labels::decode(&[0; 5]).is_err());
        Labels::new(&[1 << 20]).encode(&mut out);
        assert!(out.error().is_some());
    }
}
