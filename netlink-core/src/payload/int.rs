//! Integers, in the order of the machine and of the network, and what is no more than one bit.

use core::fmt;

use byteorder::{BigEndian, ByteOrder};

use crate::attr::{IntoAttr, Malformed, Payload, Rule, Shape, Writer};
use crate::layout::Field;

macro_rules! integers {
    ($($int:ty)*) => { $(
        impl<'a> Payload<'a> for $int {
            type Value = Self;
            const RULE: Rule = Rule::at_least(size_of::<$int>());
            const SHAPE: Shape = crate::Shape::value::<Self>();

            #[inline(always)]
            fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
                Self::read(&mut { payload })
            }

            #[inline]
            fn encode(&self, out: &mut Writer) {
                out.push(&self.to_ne_bytes());
            }

            #[inline]
            fn put(&self, number: u16, out: &mut Writer) {
                out.put_array(number, self.to_ne_bytes());
            }
        }
    )* };
}

integers! { u8 u16 u32 u64 i8 i16 i32 i64 }

/// An integer in network byte order. The value inside is in the machine's own.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Be<T>(pub T);

impl<T: fmt::Debug> fmt::Debug for Be<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: fmt::Display> fmt::Display for Be<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! big_endian {
    ($($int:ty, $read:ident, $write:ident;)*) => { $(
        impl Field for Be<$int> {
            const SIZE: usize = size_of::<$int>();

            #[inline(always)]
            fn take(cursor: &mut &[u8]) -> Option<Self> {
                <[u8; size_of::<$int>()]>::take(cursor).map(|bytes| Self(BigEndian::$read(&bytes)))
            }

            #[inline(always)]
            fn store(self, bytes: &mut [u8], at: usize) {
                let mut wire = [0; size_of::<$int>()];
                BigEndian::$write(&mut wire, self.0);
                wire.store(bytes, at);
            }
        }

        impl<'a> Payload<'a> for Be<$int> {
            type Value = $int;
            const RULE: Rule = Rule::at_least(size_of::<$int>());
            const SHAPE: Shape = crate::Shape::value::<Self>();

            #[inline]
            fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
                Self::read(&mut { payload })
            }

            fn encode(&self, out: &mut Writer) {
                out.push(&self.0.to_be_bytes());
            }

            #[inline]
            fn put(&self, number: u16, out: &mut Writer) {
                out.put_array(number, self.0.to_be_bytes());
            }
        }

        impl From<Be<$int>> for $int {
            #[inline(always)]
            fn from(value: Be<$int>) -> Self {
                value.0
            }
        }

        impl IntoAttr<Be<$int>> for $int {
            fn into_attr(self) -> Be<$int> {
                Be(self)
            }
        }

        crate::serialize! { @value Be<$int>, |value| value.0 }
    )* };
}

big_endian! {
    u16, read_u16, write_u16;
    u32, read_u32, write_u32;
    u64, read_u64, write_u64;
    i32, read_i32, write_i32;
}

/// `NLA_UINT`: an unsigned integer of four bytes where it fits and of eight where it does not.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uint(pub u64);

impl<'a> Payload<'a> for Uint {
    type Value = u64;
    const RULE: Rule = Rule::lengths(&[4, 8]);
    const SHAPE: Shape = crate::Shape::value::<Self>();

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        match payload.len() {
            4 => u32::decode(payload).map(|value| Self(value.into())),
            8 => u64::decode(payload).map(Self),
            got => Err(Malformed::Length { want: 8, got }),
        }
    }

    fn encode(&self, out: &mut Writer) {
        match u32::try_from(self.0) {
            Ok(value) => value.encode(out),
            Err(_) => self.0.encode(out),
        }
    }
}

impl From<Uint> for u64 {
    #[inline]
    fn from(value: Uint) -> Self {
        value.0
    }
}

impl IntoAttr<Uint> for u64 {
    fn into_attr(self) -> Uint {
        Uint(self)
    }
}

impl fmt::Display for Uint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Uint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

crate::serialize! { @value Uint, |value| value.0 }

/// A byte that is 0 or not.
impl<'a> Payload<'a> for bool {
    type Value = Self;
    const RULE: Rule = Rule::at_least(1);
    const SHAPE: Shape = crate::Shape::value::<Self>();

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        u8::decode(payload).map(|byte| byte != 0)
    }

    fn encode(&self, out: &mut Writer) {
        out.push(&[u8::from(*self)]);
    }
}

/// An attribute without a payload: being there is its meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag;

impl<'a> Payload<'a> for Flag {
    type Value = Self;
    const RULE: Rule = Rule::at_least(0);
    const SHAPE: Shape = crate::Shape::value::<Self>();

    fn decode(_: &'a [u8]) -> Result<Self, Malformed> {
        Ok(Self)
    }

    fn encode(&self, _: &mut Writer) {}
}

crate::serialize! { @value Flag, |_value| true }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Many;

    #[test]
    fn a_uint_is_as_short_as_it_can_be() {
        for (value, length) in [(0, 8), (u32::MAX.into(), 8), (1 << 32, 12), (u64::MAX, 12)] {
            let mut out = Writer::new();
            Uint(value).put(66, &mut out);
            assert_eq!(out.len(), length);
            assert_eq!(Uint::decode(&out.as_slice()[4..]), Ok(Uint(value)));
        }
        assert_eq!(Uint::decode(&7u64.to_ne_bytes()), Ok(Uint(7)));
        for length in [0, 2, 3, 5, 7, 9, 16] {
            assert_eq!(Uint::decode(&[0; 16][..length]), Err(Malformed::Length { want: 8, got: length }));
        }
    }

    crate::attrs! {
        /// Numbers that are written in other ways than as integers of the machine.
        struct OrdersAttrs<'a> for Orders {
            1 O_PORT port: Be<u16> as u16, 2 O_OFFSET offset: Be<i32> as i32, 3 O_COUNT count: Uint as u64, 4 O_PORTS ports: Many<'a, Be<u16>>,
        }
    }

    #[test]
    fn getters_and_setters_have_plain_integers() {
        let set = Orders::new().port(0x1234).offset(-2).count(1 << 40).ports(&[Be(80)]).attrs();
        let (port, offset, count): (Option<u16>, Option<i32>, Option<u64>) =
            (set.port(), set.offset(), set.count());
        assert_eq!((port, offset, count), (Some(0x1234), Some(-2), Some(1 << 40)));
        assert_eq!(set.find(1), Some(&[0x12, 0x34][..]));
        assert_eq!(set.ports().map(|ports| ports.iter().collect()), Some(alloc::vec![Be(80)]));
    }
}
