//! The labels of a connection.

use core::fmt;

use netlink_core::attr::Rule;
use netlink_core::{Malformed, Payload, Shape, Writer, leaf, serialize_display};

/// A set of 128 labels. `/etc/xtables/connlabel.conf` has names for them.
///
/// The kernel stores labels only after a rule of the namespace, in iptables or nftables, used labels.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Labels {
    bytes: [u8; Self::BYTES],
}

impl Labels {
    const BYTES: usize = 16;

    /// The empty set.
    pub const NONE: Self = Self { bytes: [0; Self::BYTES] };

    /// A set with these numbers. Numbers above 127 are ignored.
    pub fn of(labels: &[u8]) -> Self {
        labels.iter().fold(Self::NONE, |set, label| set.with(*label))
    }

    /// The set with this label too.
    #[must_use]
    pub fn with(mut self, label: u8) -> Self {
        if let Some(byte) = self.bytes.get_mut(Self::byte(label)) {
            *byte |= 1 << (label % 8);
        }
        self
    }

    /// Whether this label is set.
    pub fn contains(&self, label: u8) -> bool {
        self.bytes.get(Self::byte(label)).is_some_and(|byte| byte >> (label % 8) & 1 != 0)
    }

    /// The numbers of the set labels.
    pub fn iter(&self) -> impl Iterator<Item = u8> + use<> {
        let labels = *self;
        (0..128).filter(move |label| labels.contains(*label))
    }

    /// The kernel's bitmap consists of machine words.
    fn byte(label: u8) -> usize {
        let swap = if cfg!(target_endian = "big") { size_of::<usize>() - 1 } else { 0 };
        usize::from(label / 8) ^ swap
    }
}

/// In a payload of fewer than 16 bytes, the missing labels are not set.
impl<'a> Payload<'a> for Labels {
    type Value = Self;
    const RULE: Rule = Rule::at_least(0);
    const SHAPE: Shape = leaf!(Self);

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        let mut labels = Self::NONE;
        labels.bytes.iter_mut().zip(payload).for_each(|(byte, there)| *byte = *there);
        Ok(labels)
    }

    fn encode(&self, out: &mut Writer) {
        out.push(&self.bytes);
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut labels = self.iter();
        if let Some(first) = labels.next() {
            write!(f, "{first}")?;
        }
        labels.try_for_each(|label| write!(f, ",{label}"))
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

serialize_display! { Labels }

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn labels_are_bits() {
        let labels = Labels::of(&[0, 9, 127]);
        assert_eq!(labels.to_string(), "0,9,127");
        assert_eq!(alloc::format!("{labels:?}"), "{0, 9, 127}");
        assert!(labels.contains(9) && !labels.contains(8) && !labels.contains(255));
        assert_eq!(Labels::of(&[128, 255]), Labels::NONE);
        let mut out = Writer::new();
        labels.put(22, &mut out);
        assert_eq!(Labels::decode(&out.as_slice()[4..]).unwrap(), labels);
        assert_eq!(Labels::decode(&1_usize.to_ne_bytes()).unwrap(), Labels::of(&[0]));
    }

    #[test]
    #[cfg(all(target_endian = "little", target_pointer_width = "64"))]
    fn labels_are_where_the_kernel_looks() {
        let mut out = Writer::new();
        Labels::of(&[1, 64]).encode(&mut out);
        assert_eq!(out.as_slice(), [2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    }
}
