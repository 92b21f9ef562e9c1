//! Fixed C structs, open enumerations and flags.

use core::fmt;

use crate::attr::{Malformed, Writer};

/// A member of a fixed struct: so many bytes, in the machine's byte order unless its type says otherwise.
pub trait Field: Sized + Copy {
    /// Bytes on the wire.
    const SIZE: usize;
    /// The same where a C struct aligns a `u64` to 8 bytes, and where to 4, as i386 does.
    const SIZES: [usize; 2] = [Self::SIZE; 2];
    /// Bytes without which the struct can't be read: 0 for members that older kernels don't have.
    const REQUIRED: usize = Self::SIZE;

    /// Takes it off the front; `None` if the bytes end before.
    fn take(cursor: &mut &[u8]) -> Option<Self>;

    /// Takes it off the front, or says what is missing.
    #[inline(always)]
    fn read(cursor: &mut &[u8]) -> Result<Self, Malformed> {
        let got = cursor.len();
        Self::take(cursor).ok_or(Malformed::Length { want: Self::REQUIRED, got })
    }

    /// Writes it over the bytes at `at`.
    fn store(self, bytes: &mut [u8], at: usize);

    /// Whether it is something to show: neither padding nor absent.
    fn is_data(&self) -> bool {
        true
    }

    /// Appends it.
    #[inline]
    fn write(&self, out: &mut Writer) {
        let start = out.len();
        for _ in 0..Self::SIZE {
            out.push(&[0]);
        }
        self.store(out.tail_mut(start), 0);
    }
}

/// Of two sizes, the one on this architecture: C aligns a `u64` in a struct as Rust does.
pub const fn here(sizes: [usize; 2]) -> usize {
    let [wide, narrow] = sizes;
    if align_of::<u64>() == 4 { narrow } else { wide }
}

#[inline(always)]
fn take_array<const N: usize>(cursor: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = cursor.split_first_chunk::<N>()?;
    *cursor = rest;
    Some(*head)
}

#[inline(always)]
fn store_array<const N: usize>(value: [u8; N], bytes: &mut [u8], at: usize) {
    if let Some(there) = bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<N>()) {
        *there = value;
    }
}

macro_rules! integer_fields {
    ($($int:ty)*) => { $(
        impl Field for $int {
            const SIZE: usize = size_of::<$int>();

            #[inline(always)]
            fn take(cursor: &mut &[u8]) -> Option<Self> {
                take_array(cursor).map(Self::from_ne_bytes)
            }

            #[inline(always)]
            fn store(self, bytes: &mut [u8], at: usize) {
                store_array(self.to_ne_bytes(), bytes, at);
            }
        }
    )* };
}

integer_fields! { u8 u16 u32 u64 i8 i16 i32 i64 }

impl<const N: usize> Field for [u8; N] {
    const SIZE: usize = N;

    #[inline(always)]
    fn take(cursor: &mut &[u8]) -> Option<Self> {
        take_array(cursor)
    }

    #[inline(always)]
    fn store(self, bytes: &mut [u8], at: usize) {
        store_array(self, bytes, at);
    }
}

/// A member that older kernels don't send: `None` where the struct ends before it.
impl<T: Field> Field for Option<T> {
    const SIZE: usize = T::SIZE;
    const SIZES: [usize; 2] = T::SIZES;
    const REQUIRED: usize = 0;

    #[inline(always)]
    fn take(cursor: &mut &[u8]) -> Option<Self> {
        if cursor.len() < T::SIZE {
            *cursor = &[];
            return Some(None);
        }
        T::take(cursor).map(Some)
    }

    #[inline(always)]
    fn store(self, bytes: &mut [u8], at: usize) {
        if let Some(value) = self {
            value.store(bytes, at);
        }
    }

    fn is_data(&self) -> bool {
        self.as_ref().is_some_and(T::is_data)
    }
}

/// Padding of a fixed struct: anything when read, zeros when written. What only aligns a `u64` has `M` bytes where
/// that is to 4 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pad<const N: usize, const M: usize = N>;

impl<const N: usize, const M: usize> Field for Pad<N, M> {
    const SIZE: usize = here(Self::SIZES);
    const SIZES: [usize; 2] = [N, M];

    #[inline(always)]
    fn take(cursor: &mut &[u8]) -> Option<Self> {
        *cursor = cursor.get(Self::SIZE..)?;
        Some(Self)
    }

    #[inline(always)]
    fn store(self, bytes: &mut [u8], at: usize) {
        if let Some(there) = bytes.get_mut(at..).and_then(|rest| rest.get_mut(..Self::SIZE)) {
            there.fill(0);
        }
    }

    fn is_data(&self) -> bool {
        false
    }
}

crate::serialize! { @with [const N: usize, const M: usize] Pad<N, M>, |_pad, serializer| serializer.serialize_unit() }

/// A fixed struct as data: what `cargo xtask spec` holds against the kernel's headers.
#[derive(Debug)]
pub struct Layout {
    /// The kernel's name of the struct.
    pub c_name: &'static str,
    /// Bytes on this architecture.
    pub size: usize,
    /// Bytes where a `u64` is aligned to 8, and where to 4.
    pub sizes: [usize; 2],
    /// Name and offset of each member, padding included; the offsets in the order of the sizes.
    pub members: &'static [(&'static str, [usize; 2])],
}

/// A fixed struct, made by [`layout!`](crate::layout!).
pub trait Fixed: Field {
    /// The struct as data.
    const LAYOUT: &'static Layout;
}

/// No bytes: the fixed header of messages that have none.
impl Field for () {
    const SIZE: usize = 0;

    #[inline(always)]
    fn take(_: &mut &[u8]) -> Option<Self> {
        Some(())
    }

    #[inline(always)]
    fn store(self, _: &mut [u8], _: usize) {}
}

impl Fixed for () {
    const LAYOUT: &'static Layout = &Layout { c_name: "", size: 0, sizes: [0; 2], members: &[] };
}

/// Declares a fixed C struct.
///
/// ```
/// use netlink_core::{Payload, layout};
///
/// layout! {
///     /// `struct ifa_cacheinfo`.
///     pub struct CacheInfo: ifa_cacheinfo = 16 {
///         /// Seconds left; `u32::MAX` is forever.
///         preferred: u32,
///         /// Seconds left.
///         valid: u32,
///         /// Hundredths of a second since boot.
///         created: u32,
///         /// The same.
///         updated: Option<u32>,
///     }
/// }
///
/// assert_eq!(CacheInfo::decode(&[1; 12])?.updated, None); // from a kernel that doesn't have it
/// assert_eq!(CacheInfo::decode(&[1; 40])?.valid, 0x01010101); // from a kernel that has more
/// # Ok::<(), netlink_core::Malformed>(())
/// ```
///
/// After the kernel's name comes its size, which the members must add up to. Members are
/// [`Field`](crate::layout::Field)s. Where the struct ends with padding that aligns a `u64`, `= 24 | 20` are its sizes
/// where that is to 8 bytes, and where to 4, and the padding is a `Pad<4, 0>`. It makes a struct of public members with a setter each; the struct is a
/// [`Payload`](crate::Payload) and a `Field` itself.
///
/// `shows |value| { … }` behind the braces says what `Serialize` shows of it; see [`message!`](crate::message!).
///
/// Where one member says what another means, `= 12 then settle {` calls the method `settle(self) -> Self` on what was
/// read; `then settle(bytes)` gives it the bytes as well, where one says that they are another struct's.
#[macro_export]
macro_rules! layout {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident: $c_name:ident = $size:literal $(then $settle:ident $(($bytes:ident))?)? {
            $( $(#[$fmeta:meta])* $field:ident: $type:ty, )*
        }
        $(shows |$this:ident| $shows:tt)?
    ) => { $crate::layout! {
        $(#[$meta])*
        $vis struct $name: $c_name = $size | $size $(then $settle $(($bytes))?)? {
            $( $(#[$fmeta])* $field: $type, )*
        }
        $(shows |$this| $shows)?
    } };
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident: $c_name:ident = $wide:literal | $narrow:literal $(then $settle:ident $(($bytes:ident))?)? {
            $( $(#[$fmeta:meta])* $field:ident: $type:ty, )*
        }
        $(shows |$this:ident| $shows:tt)?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        $vis struct $name {
            $( $(#[$fmeta])* pub $field: $type, )*
        }

        #[allow(unreachable_pub, dead_code)]
        impl $name {
            $(
                $(#[$fmeta])*
                #[must_use]
                #[inline]
                pub fn $field(mut self, value: impl $crate::IntoAttr<$type>) -> Self {
                    self.$field = value.into_attr();
                    self
                }
            )*

            /// The bytes of the struct.
            #[inline]
            pub fn to_bytes(self) -> [u8; $crate::layout::here([$wide, $narrow])] {
                let mut bytes = [0; $crate::layout::here([$wide, $narrow])];
                $crate::layout::Field::store(self, &mut bytes, 0);
                bytes
            }
        }

        const _: () = assert!(
            0 $( + <$type as $crate::layout::Field>::SIZES[0] )* == $wide
                && 0 $( + <$type as $crate::layout::Field>::SIZES[1] )* == $narrow,
            concat!("the members of ", stringify!($name), " do not add up to its size"),
        );

        impl $crate::layout::Fixed for $name {
            const LAYOUT: &'static $crate::layout::Layout = &$crate::layout::Layout {
                c_name: stringify!($c_name),
                size: $crate::layout::here([$wide, $narrow]),
                sizes: [$wide, $narrow],
                members: &{
                    let mut _end = [0; 2];
                    [$( (stringify!($field), {
                        let at = _end;
                        let [wide, narrow] = <$type as $crate::layout::Field>::SIZES;
                        _end = [at[0] + wide, at[1] + narrow];
                        at
                    }), )*]
                },
            };
        }

        impl $crate::layout::Field for $name {
            const SIZE: usize = $crate::layout::here([$wide, $narrow]);
            const SIZES: [usize; 2] = [$wide, $narrow];
            const REQUIRED: usize = 0 $( + <$type as $crate::layout::Field>::REQUIRED )*;

            #[inline(always)]
            fn take(cursor: &mut &[u8]) -> ::core::option::Option<Self> {
                if cursor.len() < Self::REQUIRED {
                    return ::core::option::Option::None;
                }
                $( $( let $bytes = *cursor; )? )?
                let read = Self { $( $field: <$type as $crate::layout::Field>::take(cursor)?, )* };
                $( let read = read.$settle($($bytes)?); )?
                ::core::option::Option::Some(read)
            }

            #[inline(always)]
            fn store(self, bytes: &mut [u8], at: usize) {
                // One question for room, not one per member.
                let room = bytes.get_mut(at..);
                let room = room.and_then(|rest| {
                    rest.first_chunk_mut::<{ $crate::layout::here([$wide, $narrow]) }>()
                });
                let Some(bytes) = room else { return };
                let mut _at = 0;
                $(
                    $crate::layout::Field::store(self.$field, bytes, _at);
                    _at += <$type as $crate::layout::Field>::SIZE;
                )*
            }
        }

        impl<'a> $crate::Payload<'a> for $name {
            type Value = Self;
            const RULE: $crate::attr::Rule = $crate::attr::Rule::at_least(<Self as $crate::layout::Field>::REQUIRED);
            const SHAPE: $crate::Shape = $crate::Shape::value::<Self>();

            #[inline]
            fn decode(payload: &'a [u8]) -> ::core::result::Result<Self, $crate::Malformed> {
                <Self as $crate::layout::Field>::read(&mut { payload })
            }

            fn encode(&self, out: &mut $crate::Writer) {
                out.push(&self.to_bytes());
            }

            #[inline]
            fn put(&self, number: u16, out: &mut $crate::Writer) {
                out.put_array(number, self.to_bytes());
            }
        }

        $crate::serialize! { impl [] for $name, |set, fields| {
            let hidden = $crate::__shown!(set fields $($this $shows)?);
            fields.without(|name| hidden.contains(&name), |fields| {
                $( fields.member(stringify!($field), &set.$field)?; )*
                Ok(())
            })?;
        } }
    };
}

/// One named number of an enumeration or one bit of a flag word, as data.
#[derive(Debug)]
pub struct Constant {
    /// The kernel's name.
    pub c_name: &'static str,
    /// The text it is read from and written as; empty where it has none.
    pub name: &'static str,
    /// The number on this architecture.
    pub number: u64,
    /// The number on MIPS.
    pub on_mips: u64,
}

/// The number on MIPS: the last of those that a row has.
#[doc(hidden)]
pub const fn last(numbers: &[u64]) -> u64 {
    match numbers {
        [.., last] => *last,
        [] => 0,
    }
}

impl Constant {
    /// One that is the same everywhere.
    pub const fn new(c_name: &'static str, name: &'static str, number: u64) -> Self {
        Self { c_name, name, number, on_mips: number }
    }
}

/// A number, which MIPS may have otherwise.
#[cfg(not(any(
    target_arch = "mips",
    target_arch = "mips32r6",
    target_arch = "mips64",
    target_arch = "mips64r6"
)))]
#[doc(hidden)]
#[macro_export]
macro_rules! __number {
    ($number:literal $($mips:literal)?) => {
        $number
    };
}

#[cfg(any(target_arch = "mips", target_arch = "mips32r6", target_arch = "mips64", target_arch = "mips64r6"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __number {
    ($number:literal) => {
        $number
    };
    ($number:literal $mips:literal) => {
        $mips
    };
}

/// Declares an enumeration that keeps numbers it has no name for.
///
/// ```
/// use netlink_core::values;
///
/// values! {
///     /// What a route does with a packet.
///     pub struct RouteType: u8 {
///         /// Sends it on.
///         1 RTN_UNICAST UNICAST "unicast",
///         /// Drops it without a word.
///         6 RTN_BLACKHOLE BLACKHOLE "blackhole",
///     }
/// }
///
/// assert_eq!(RouteType::BLACKHOLE.to_string(), "blackhole");
/// assert_eq!(RouteType(200).to_string(), "200");
/// assert_eq!(RouteType::from_name("unicast"), Some(RouteType(1)));
/// ```
///
/// A row is `number C_NAME NAME "text",`, or `number | number …` where MIPS has another one; the text is what iproute2
/// prints. The result is a newtype over the
/// integer with a constant per row, a [`Payload`](crate::Payload) and a [`Field`](crate::layout::Field). The
/// integer may be a [`Be`](crate::Be).
#[macro_export]
macro_rules! values {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident: $int:ident $(<$inner:ident>)? {
            $( $(#[$vmeta:meta])* $number:literal $(| $mips:literal)? $c_name:ident $value:ident $text:literal, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis struct $name(
            /// The number, named or not.
            pub $crate::__plain!($int $($inner)?),
        );

        #[allow(unreachable_pub, dead_code)]
        impl $name {
            $(
                $(#[$vmeta])*
                #[doc = concat!("\n\n`", stringify!($c_name), "`")]
                pub const $value: Self = Self($crate::__number!($number $($mips)?));
            )*

            /// The rows as data.
            pub const CONSTANTS: &'static [$crate::layout::Constant] = &[
                $( $crate::layout::Constant {
                    c_name: stringify!($c_name),
                    name: $text,
                    number: $crate::__number!($number $($mips)?) as u64,
                    on_mips: $crate::layout::last(&[$number as u64 $(, $mips as u64)?]),
                }, )*
            ];

            /// The name iproute2 uses, for numbers that have one.
            #[allow(unreachable_patterns)]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $( $crate::__number!($number $($mips)?) => Some($text), )*
                    _ => None,
                }
            }

            /// The value of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                $crate::layout::named(&[$( ($text, $crate::__number!($number $($mips)?)), )*], name).map(Self)
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match self.name() {
                    Some(name) => f.pad(name),
                    None => ::core::fmt::Display::fmt(&self.0, f),
                }
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(self, f)
            }
        }

        $crate::__wrapper! { $name, $int $(<$inner>)?, |value| value.0, |number| $name(number) }
        $crate::serialize! { @parsed $name, |text| {
            let value = $name::from_name(text).or_else(|| $crate::ser::number(text).map($name));
            value.ok_or_else(|| $crate::ser::wrong(text, stringify!($name)))
        } }
    };
}

/// The number of a name.
#[doc(hidden)]
pub fn named<T: Copy>(names: &[(&str, T)], name: &str) -> Option<T> {
    names.iter().find(|(text, _)| *text == name).map(|(_, number)| *number)
}

/// Prints the names of the bits that are set, and the rest as a number. Here for all words of flags: the parser of
/// `bitflags` would be compiled once for each.
#[doc(hidden)]
pub fn show_flags(bits: u64, constants: &[Constant], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (mut left, mut between) = (bits, "");
    for Constant { name, number, .. } in constants {
        if bits & number == *number && left & number != 0 {
            write!(f, "{between}{name}")?;
            (left, between) = (left & !number, " | ");
        }
    }
    if left == 0 { Ok(()) } else { write!(f, "{between}{left:#x}") }
}

/// Declares a word of flags that keeps bits it has no name for. See [`values!`](crate::values) for the rows,
/// here without a text; the result is a `bitflags` type.
#[macro_export]
macro_rules! flags {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident: $int:ident $(<$inner:ident>)? {
            $( $(#[$($vmeta:tt)*])* $number:literal $c_name:ident $value:ident, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
        $vis struct $name($crate::__plain!($int $($inner)?));

        $crate::bitflags::bitflags! {
            impl $name: $crate::__plain!($int $($inner)?) {
                $(
                    $(#[$($vmeta)*])*
                    #[doc = concat!("\n\n`", stringify!($c_name), "`")]
                    const $value = $number;
                )*
                const _ = !0;
            }
        }

        #[allow(unreachable_pub, dead_code)]
        impl $name {
            /// The rows as data.
            pub const CONSTANTS: &'static [$crate::layout::Constant] = &[
                $( $crate::layout::Constant::new(stringify!($c_name), stringify!($value), $number), )*
            ];
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::layout::show_flags(self.bits().into(), Self::CONSTANTS, f)
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                let text: &dyn ::core::fmt::Display = if self.is_empty() { &"0x0" } else { self };
                f.debug_tuple(stringify!($name)).field(&::core::format_args!("{text}")).finish()
            }
        }

        $crate::__wrapper! {
            $name, $int $(<$inner>)?, |value| value.bits(), |number| $name::from_bits_retain(number)
        }
        $crate::serialize! {
            @set $name, |flags| flags.iter_names().map(|(name, _)| name), {
                let mut names = flags.iter_names();
                names.by_ref().for_each(drop);
                names.remaining().bits()
            },
            |text| $name::from_name(text), $name::from_bits_retain
        }
    };
}

/// The integer inside `u32` or `Be<u32>`.
#[macro_export]
#[doc(hidden)]
macro_rules! __plain {
    ($int:ident) => {
        $int
    };
    ($int:ident $inner:ident) => {
        $inner
    };
}

/// Makes a newtype travel as the integer it wraps.
#[macro_export]
#[doc(hidden)]
macro_rules! __wrapper {
    (@to $int:ident, $value:expr) => { $value };
    (@to $int:ident<$inner:ident>, $value:expr) => { $crate::$int($value) };
    (@from $int:ident, $value:expr) => { $value };
    (@from $int:ident<$inner:ident>, $value:expr) => { $value.0 };
    ($name:ident, $int:ident $(<$inner:ident>)?, |$value:ident| $get:expr, |$number:ident| $make:expr) => {
        impl $crate::layout::Field for $name {
            const SIZE: usize = ::core::mem::size_of::<Self>();

            #[inline(always)]
            fn take(cursor: &mut &[u8]) -> ::core::option::Option<Self> {
                let wire = <$int $(<$inner>)? as $crate::layout::Field>::take(cursor)?;
                let $number = $crate::__wrapper!(@from $int $(<$inner>)?, wire);
                ::core::option::Option::Some($make)
            }

            #[inline(always)]
            fn store(self, bytes: &mut [u8], at: usize) {
                let $value = self;
                $crate::layout::Field::store($crate::__wrapper!(@to $int $(<$inner>)?, $get), bytes, at);
            }
        }

        impl<'a> $crate::Payload<'a> for $name {
            type Value = Self;
            const RULE: $crate::attr::Rule = $crate::attr::Rule::at_least(<Self as $crate::layout::Field>::REQUIRED);
            const SHAPE: $crate::Shape = $crate::Shape::value::<Self>();

            #[inline(always)]
            fn decode(payload: &'a [u8]) -> ::core::result::Result<Self, $crate::Malformed> {
                <Self as $crate::layout::Field>::read(&mut { payload })
            }

            #[inline]
            fn encode(&self, out: &mut $crate::Writer) {
                let $value = *self;
                $crate::Payload::encode(&$crate::__wrapper!(@to $int $(<$inner>)?, $get), out);
            }

            #[inline]
            fn put(&self, number: u16, out: &mut $crate::Writer) {
                let $value = *self;
                $crate::Payload::put(&$crate::__wrapper!(@to $int $(<$inner>)?, $get), number, out);
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::layout::Field as _;
    use crate::{Be, Malformed, Payload, Writer};

    values! {
        /// In network byte order.
        struct Port: Be<u16> { 80 P_HTTP HTTP "http", 443 P_HTTPS HTTPS "https", }
    }
    flags! {
        /// Some bits.
        struct Bits: u32 { 1 B_ONE ONE, 4 B_FOUR FOUR, }
    }
    layout! {
        /// With a member of later kernels.
        struct Sample: sample = 12 {
            /// A port.
            port: Port,
            /// Nothing.
            pad: crate::layout::Pad<2>,
            /// Bits.
            bits: Bits,
            /// New.
            late: Option<u32>,
        }
    }

    layout! {
        /// Whose second member is a multiple of the first.
        struct Scaled: scaled = 2 then settle {
            /// The unit.
            unit: u8,
            /// So many.
            count: u8,
        }
    }

    impl Scaled {
        fn settle(self) -> Self {
            Self { count: self.count.saturating_mul(self.unit), ..self }
        }
    }

    layout! {
        /// Which has grown twice.
        struct Grown: grown = 7 {
            /// Of the first kernels.
            first: u8,
            /// New.
            second: Option<u32>,
            /// Newer.
            third: Option<Port>,
        }
    }

    // S-X.
    #[test]
    fn half_a_member_is_not_the_next_one() {
        let cut = Grown::decode(&[1, 2, 2, 2]).unwrap();
        assert_eq!((cut.first, cut.second, cut.third), (1, None, None));
        let whole = Grown::decode(&[1, 2, 2, 2, 2, 0, 80]).unwrap();
        assert_eq!((whole.second, whole.third), (Some(0x0202_0202), Some(Port::HTTP)));
    }

    // S-X.
    #[test]
    fn padding_is_stored_as_zeros() {
        let mut bytes = [0xff; 14];
        Sample::default().late(Some(1)).store(&mut bytes, 1);
        assert_eq!(bytes[..9], [0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!((&bytes[9..13], bytes[13]), (1u32.to_ne_bytes().as_slice(), 0xff));
    }

    // S-X.
    #[test]
    fn a_name_is_the_whole_name_and_pads_like_text() {
        assert_eq!(Port::from_name("https"), Some(Port::HTTPS));
        assert_eq!(Port::from_name("http"), Some(Port::HTTP));
        assert_eq!((Port::from_name("httpx"), Port::from_name("")), (None, None));
        assert_eq!(alloc::format!("{:>6}|{:<6}|", Port::HTTP, Port::HTTPS), "  http|https |");
    }

    #[test]
    fn members_settle_when_they_are_read() {
        assert_eq!(Scaled::decode(&[3, 4]).unwrap().count, 12);
        assert_eq!(Scaled::default().unit(3).count(4).to_bytes(), [3, 4]);
    }

    #[test]
    fn short_reads_as_absent_and_long_is_fine() {
        let full = Sample::default().port(Port::HTTP).bits(Bits::FOUR).late(Some(9));
        let bytes = full.to_bytes();
        assert_eq!(bytes[..4], [0, 80, 0, 0]);
        assert_eq!(Sample::decode(&bytes).unwrap(), full);
        let mut longer = bytes.to_vec();
        longer.extend([1, 2, 3]);
        assert_eq!(Sample::decode(&longer).unwrap(), full);
        assert_eq!(Sample::decode(&bytes[..8]).unwrap().late, None);
        assert_eq!(Sample::decode(&bytes[..11]).unwrap().late, None);
        assert_eq!(Sample::decode(&bytes[..7]), Err(Malformed::Length { want: 8, got: 7 }));
        let layout = <Sample as super::Fixed>::LAYOUT;
        assert_eq!(layout.members, [("port", [0; 2]), ("pad", [2; 2]), ("bits", [4; 2]), ("late", [8; 2])]);
    }

    layout! {
        /// Whose end depends on what a `u64` is aligned to.
        struct Wide: wide = 16 | 12 {
            /// A long one.
            long: u64,
            /// A short one.
            short: u8,
            /// Aligns the next struct.
            pad: crate::layout::Pad<7, 3>,
        }
    }
    layout! {
        /// Behind one of those.
        struct Outer: outer = 24 | 16 {
            /// Of either size.
            wide: Wide,
            /// Behind it.
            next: u32,
            /// Aligns the next struct.
            pad: crate::layout::Pad<4, 0>,
        }
    }

    #[test]
    fn a_struct_ends_where_c_ends_it_on_each_architecture() {
        #[repr(C)]
        struct InC(u64, u8);
        assert_eq!(<Wide as super::Field>::SIZE, size_of::<InC>());
        let layout = <Outer as super::Fixed>::LAYOUT;
        assert_eq!(layout.sizes, [24, 16]);
        assert_eq!(layout.members, [("wide", [0; 2]), ("next", [16, 12]), ("pad", [20, 16])]);
        let bytes = Outer::default().wide(Wide::default().long(1_u64).short(2)).next(3_u32).to_bytes();
        assert_eq!(bytes.len(), layout.size);
        assert_eq!(bytes[<Wide as super::Field>::SIZE..][..4], 3_u32.to_ne_bytes());
        assert_eq!(Outer::decode(&bytes).unwrap().next, 3);
        assert!(Outer::decode(&bytes[1..]).is_err());
    }

    #[test]
    fn unknown_numbers_and_bits_are_kept() {
        let mut out = Writer::new();
        Port(81).put(1, &mut out);
        assert_eq!(Port::decode(&out.as_slice()[4..]).unwrap(), Port(81));
        assert_eq!(alloc::format!("{} {:?}", Port::HTTP, Port(81)), "http 81");
        let bits = Bits::decode(&0x85_u32.to_ne_bytes()).unwrap();
        assert!(bits.contains(Bits::FOUR));
        assert_eq!(bits.bits(), 0x85);
        assert_eq!(alloc::format!("{bits}"), "ONE | FOUR | 0x80");
    }
}
