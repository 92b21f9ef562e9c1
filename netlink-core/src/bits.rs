//! Sets of the values of an enumeration.

/// Declares a set of the values of an enumeration, a bit for each.
///
/// ```
/// use netlink_core::{bits, values};
///
/// values! {
///     /// What a socket can be asked for.
///     pub struct Extension: u16 {
///         /// Its memory.
///         1 INET_DIAG_MEMINFO MEMORY "meminfo",
///         /// What TCP knows.
///         2 INET_DIAG_INFO INFO "info",
///     }
/// }
/// bits! {
///     /// Several of them: the lowest bit is that of the first.
///     pub struct Extensions: u8 of Extension from 1, " | ";
/// }
///
/// let both = Extension::MEMORY | Extension::INFO;
/// assert_eq!((both.0, both.to_string().as_str()), (3, "meminfo | info"));
/// assert_eq!((!both).to_string(), "0xfc");
/// ```
///
/// Behind the enumeration, which [`values!`](crate::values!) made, stands the number of the lowest bit, and the text
/// between two names. The result is a newtype over the integer, a [`Payload`](crate::Payload) and a
/// [`Field`](crate::layout::Field). It keeps bits without a name and prints them, and an empty set, as a number.
#[macro_export]
macro_rules! bits {
    ($(#[$meta:meta])* $vis:vis struct $set:ident: $int:ident of $item:ident from $first:literal, $between:literal;) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis struct $set(
            /// The bits, named or not.
            pub $int,
        );

        #[allow(unreachable_pub, dead_code)]
        impl $set {
            /// Every one, known or not.
            pub const ALL: Self = Self($int::MAX);

            /// A set of these; what has no bit is left out.
            pub const fn of(mut items: &[$item]) -> Self {
                let mut bits = 0;
                while let [item, rest @ ..] = items {
                    let bit = (item.0 as u32).wrapping_sub($first);
                    bits |= if bit < $int::BITS { 1 << bit } else { 0 };
                    items = rest;
                }
                Self(bits)
            }

            /// Whether the bit of `item` is set.
            pub const fn contains(self, item: $item) -> bool {
                self.0 & Self::of(&[item]).0 != 0
            }

            /// What is in it, in the order of the numbers.
            pub fn iter(self) -> impl Iterator<Item = $item> {
                ($first..).take($int::BITS as usize).map($item).filter(move |item| self.contains(*item))
            }
        }

        $crate::bits! { @from $set
            [] $int, |bits| Self(bits);
            [] $item, |item| Self::of(&[item]);
            [] &[$item], |items| Self::of(items);
            [const N: usize] &[$item; N], |items| Self::of(items);
        }

        impl ::core::ops::BitOr<$item> for $item {
            type Output = $set;

            fn bitor(self, other: Self) -> $set {
                $set::of(&[self, other])
            }
        }

        impl<T: Into<Self>> ::core::ops::BitOr<T> for $set {
            type Output = Self;

            fn bitor(self, other: T) -> Self {
                Self(self.0 | other.into().0)
            }
        }

        impl ::core::ops::Not for $set {
            type Output = Self;

            fn not(self) -> Self {
                Self(!self.0)
            }
        }

        impl FromIterator<$item> for $set {
            fn from_iter<I: IntoIterator<Item = $item>>(items: I) -> Self {
                items.into_iter().fold(Self(0), |set, item| set | item)
            }
        }

        impl $set {
            fn named(self) -> impl Iterator<Item = $item> {
                self.iter().filter(|item| item.name().is_some())
            }

            /// The bits without a name.
            fn rest(self) -> $int {
                self.named().fold(self.0, |rest, item| rest & !Self::of(&[item]).0)
            }
        }

        impl ::core::fmt::Display for $set {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                let mut between = "";
                for item in self.named() {
                    write!(f, "{between}{item}")?;
                    between = $between;
                }
                let rest = self.rest();
                if rest != 0 || self.0 == 0 { write!(f, "{between}{rest:#x}") } else { Ok(()) }
            }
        }

        impl ::core::fmt::Debug for $set {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(self, f)
            }
        }

        $crate::__wrapper! { $set, $int, |set| set.0, |bits| $set(bits) }
        $crate::serialize! {
            @set $set, |set| set.named(), set.rest(),
            |text| $item::from_name(text).map(|item| Self::of(&[item])).filter(|set| set.0 != 0), $set
        }
    };
    (@from $set:ident $([$($generic:tt)*] $from:ty, |$value:ident| $make:expr;)+) => { $(
        impl<$($generic)*> From<$from> for $set {
            fn from($value: $from) -> Self {
                $make
            }
        }

        impl<$($generic)*> $crate::IntoAttr<$set> for $from {
            fn into_attr(self) -> $set {
                self.into()
            }
        }
    )+ };
}

#[cfg(test)]
mod tests {
    use crate::{Payload, Writer, values};
    use alloc::string::ToString;

    values! {
        /// Some, of which the first has bit 0.
        struct Item: u16 { 1 I_ONE ONE "one", 2 I_TWO TWO "two", 9 I_NINE NINE "nine", }
    }
    bits! {
        /// Of these.
        struct Items: u8 of Item from 1, "+";
    }

    #[test]
    fn a_set_keeps_the_bits_that_it_has_no_name_for() {
        let mut out = Writer::new();
        (Items(0x41) | Item::TWO).encode(&mut out);
        let read = Items::decode(out.as_slice()).unwrap();
        assert_eq!((read, read.to_string().as_str()), (Items(0x43), "one+two+0x40"));
        assert!(read.iter().eq([Item::ONE, Item::TWO, Item(7)]));
        assert_eq!((Items(0).to_string(), Items(4).to_string()), ("0x0".into(), "0x4".into()));
        assert!(Items::decode(&[]).is_err());
    }

    #[test]
    fn what_has_no_bit_is_in_no_set() {
        for item in [Item(0), Item::NINE, Item(32), Item(33), Item(u16::MAX)] {
            assert_eq!(Items::of(&[Item::TWO, item]), Items(2), "{item}");
            assert!(!Items::ALL.contains(item), "{item}");
        }
        assert_eq!(Items::of(&[Item(8), Item(1)]), Items(0x81));
        assert_eq!(!Items::from(&[Item::ONE, Item::TWO]), Items(0xfc));
    }
}
