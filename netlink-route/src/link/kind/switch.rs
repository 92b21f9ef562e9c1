//! A switch with a wire format of some kinds.

use netlink_core::attr::Rule;
use netlink_core::{IntoAttr, Malformed, Payload, Shape, Writer, leaf, serialize};

/// A switch that the kernel reads as an attribute without payload and sends as a byte.
///
/// `true` is written as the empty attribute. For `false` nothing is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Switch(pub bool);

impl<'a> Payload<'a> for Switch {
    type Value = Self;
    const RULE: Rule = Rule::at_least(0);
    const SHAPE: Shape = leaf!(Self);

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        Ok(Self(payload.first().is_none_or(|byte| *byte != 0)))
    }

    fn encode(&self, _: &mut Writer) {}

    fn put(&self, number: u16, out: &mut Writer) {
        if self.0 {
            out.put_array(number, []);
        }
    }
}

impl IntoAttr<Switch> for bool {
    fn into_attr(self) -> Switch {
        Switch(self)
    }
}

serialize! { @value Switch, |switch| switch.0 }

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_testing::native;

    #[test]
    fn a_switch_is_bare_or_a_byte() {
        assert_eq!(Switch::decode(&[]), Ok(Switch(true)));
        assert_eq!(Switch::decode(&[0]), Ok(Switch(false)));
        let mut out = Writer::new();
        Switch(false).put(1, &mut out);
        Switch(true).put(2, &mut out);
        assert_eq!(out.as_slice(), native([4, 0, 2, 0], &[2]));
    }
}
