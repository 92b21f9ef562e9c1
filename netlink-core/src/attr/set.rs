//! Sets of attributes, and the macro that declares them.

use alloc::boxed::Box;

use super::{
    ATTR_HEADER, Attrs, DecodeError, Malformed, NLA_TYPE_MASK, Payload, Rule, Scope, Table, Writer, align4,
    split_header,
};

/// A set of attributes: its bytes, and where each attribute of the table stands in them.
///
/// This is what every `attrs!` type is inside. Nothing is unpacked before it is asked for, and nothing is
/// lost: attributes without a row stay in the bytes.
#[derive(Clone)]
pub struct Fields<'a, const N: usize> {
    wire: &'a [u8],
    built: Built,
    /// Of a small table: where its attributes stand.
    few: Few,
    /// Of a large one, likewise: one more than the attribute's offset in words of four bytes; 0 is absent.
    index: [u16; N],
    /// What [`Scope::family`] was: some payloads mean another thing in another family.
    family: u8,
}

/// One more than the largest number of a table.
#[doc(hidden)]
pub const fn numbers(mut rows: &[usize]) -> usize {
    let mut numbers = 1;
    while let [number, rest @ ..] = rows {
        if *number >= numbers {
            numbers = *number + 1;
        }
        rows = rest;
    }
    numbers
}

/// The room a table needs in [`Fields`], by one more than its largest number.
#[doc(hidden)]
pub const fn index_room(numbers: usize) -> usize {
    if numbers <= Few::NUMBERS { 0 } else { numbers }
}

/// What a builder wrote. Its destructor is one test where nothing was built, so a set read from the wire can
/// live in registers.
#[derive(Clone)]
struct Built(Option<Box<Writer>>);

impl Drop for Built {
    #[inline(always)]
    fn drop(&mut self) {
        #[cold]
        #[inline(never)]
        fn free(writer: Box<Writer>) {
            drop(writer);
        }
        if let Some(writer) = self.0.take() {
            free(writer);
        }
    }
}

impl<'a, const N: usize> Fields<'a, N> {
    /// An empty set.
    pub const EMPTY: Self = Self::new(&[]);

    /// A set of which nothing is known yet; see [`fill`](Self::fill).
    #[inline(always)]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { wire: bytes, built: Built(None), few: Few::NONE, index: [0; N], family: 0 }
    }

    /// Notes where an attribute stands.
    #[inline(always)]
    fn note(&mut self, number: u16, at: usize) {
        if N == 0 {
            self.few.push(number, at);
        } else if let Some(slot) = self.index.get_mut(usize::from(number)) {
            // No message is long enough for more words than that; such a set reads as absent.
            *slot = u16::try_from(at / 4 + 1).unwrap_or_default();
        }
    }

    /// Finds and checks the attributes, also inside of nested sets.
    ///
    /// Inlined with all that it calls on the way of a sound message, so that a set that is looked at where it
    /// is read needs no memory.
    ///
    /// `CHECKED`: this was done before, as part of the set around it, and is not done again. What came from
    /// elsewhere all the same is found out by whoever asks for the attribute.
    #[inline(always)]
    pub fn fill<const CHECKED: bool>(
        &mut self,
        scope: &Scope<'a>,
        rules: &'static [Rule],
        table: &'static Table,
    ) -> Result<(), DecodeError> {
        self.family = scope.family();
        let whole = scope.set.rest();
        let mut rest = whole;
        while let Some(word) = rest.first_chunk() {
            let (length, kind) = split_header(u32::from_ne_bytes(*word));
            let Some(payload) = rest.get(ATTR_HEADER..length) else {
                return Err(broken(length, rest.len()));
            };
            let number = kind & NLA_TYPE_MASK;
            if let Some(rule) = rules.get(usize::from(number)) {
                let good = CHECKED || rule.fits(payload.len()) || rule.ask(payload, *scope, table, number)?;
                if good {
                    self.note(number, whole.len() - rest.len());
                }
            }
            match rest.get(align4(length)..) {
                Some(next) => rest = next,
                None => break,
            }
        }
        if N == 0 {
            self.few.close(whole, rules.len());
        }
        Ok(())
    }

    /// Takes over what a builder wrote, for a table with so many numbers.
    pub fn built(writer: Writer, numbers: usize) -> Self {
        let mut fields = Self::EMPTY;
        let mut attrs = Attrs::new(writer.as_slice());
        loop {
            let at = writer.len() - attrs.rest().len();
            let Some(Ok(attr)) = attrs.next() else { break };
            if usize::from(attr.number) < numbers {
                fields.note(attr.number, at);
            }
        }
        fields.few.close(writer.as_slice(), numbers);
        Self { built: Built(Some(Box::new(writer))), ..fields }
    }

    /// The bytes of all attributes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        match &self.built.0 {
            None => self.wire,
            Some(writer) => writer.as_slice(),
        }
    }

    /// All attributes, in the order they stand.
    pub fn attrs(&self) -> Attrs<'_> {
        Attrs::new(self.bytes())
    }

    /// The address family of the message it was read from; 0 when it is not known.
    pub fn family(&self) -> u8 {
        self.family
    }

    /// The attribute of this number; the last one where there are several, as in the kernel.
    #[inline(always)]
    pub fn get<'s, T: Payload<'s>>(&'s self, number: u16) -> Option<T> {
        let bytes = self.bytes();
        let attr = if N == 0 {
            let at = self.few.find(number, bytes)?;
            Attrs::new(bytes.get(at..)?).next()?.ok()?
        } else {
            let word = self.index.get(usize::from(number)).copied().filter(|word| *word != 0)?;
            Attrs::new(bytes.get((usize::from(word) - 1) * 4..)?).next()?.ok()?
        };
        T::of(attr, &Scope { header: family_header(self.family), set: Attrs::new(bytes) }).ok()
    }

    /// The same set without a borrow.
    pub fn into_owned(mut self) -> Fields<'static, N> {
        let writer = self.built.0.take();
        let writer = writer.unwrap_or_else(|| Box::new(Writer::from(self.wire)));
        Fields {
            wire: &[],
            built: Built(Some(writer)),
            few: self.few,
            index: self.index,
            family: self.family,
        }
    }

    /// Writes all attributes.
    pub fn encode(&self, out: &mut Writer) {
        match &self.built.0 {
            None => out.push(self.wire),
            Some(writer) => out.append(writer),
        }
    }
}

/// Checks a set, also inside of nested sets, without noting where its attributes stand.
pub(super) fn check(
    bytes: &[u8],
    header: &[u8],
    rules: &'static [Rule],
    table: &'static Table,
) -> Result<(), DecodeError> {
    let scope = Scope { header, set: Attrs::new(bytes) };
    let mut rest = bytes;
    while let Some(word) = rest.first_chunk() {
        let (length, kind) = split_header(u32::from_ne_bytes(*word));
        let Some(payload) = rest.get(ATTR_HEADER..length) else {
            return Err(broken(length, rest.len()));
        };
        let number = kind & NLA_TYPE_MASK;
        if let Some(rule) = rules.get(usize::from(number))
            && !rule.fits(payload.len())
        {
            rule.ask(payload, scope, table, number)?;
        }
        rest = rest.get(align4(length)..).unwrap_or_default();
    }
    Ok(())
}

#[cold]
#[inline(never)]
fn broken(claims: usize, left: usize) -> DecodeError {
    Malformed::Attribute { claims, left }.into()
}

/// Where the attributes of a small table stand, in a few words.
///
/// They stay in registers. A slot per number has to be in memory, and is written two bytes at a time: whoever
/// copies the set next in wider pieces waits for those stores. A route read and every attribute looked at took
/// 39 ns that way and takes 26 this way, read and copied 32 and 14.
#[derive(Clone, Copy)]
struct Few {
    /// A bit per number; the highest if there are more attributes than `late` holds.
    present: u64,
    /// The last attributes.
    late: Eight,
    /// Those before; none if there are still more, or the set is long.
    early: Eight,
}

/// Up to eight attributes: the last one is in the lowest bytes.
#[derive(Clone, Copy)]
struct Eight {
    /// Their numbers, each plus one, in a byte each.
    numbers: u64,
    /// Their offsets in words of four bytes, likewise.
    words: u64,
}

impl Few {
    const NONE: Self = Self { present: 0, late: Eight::NONE, early: Eight::NONE };
    /// What a table's numbers must be below.
    const NUMBERS: usize = 63;
    const MANY: u64 = 1 << 63;

    #[inline(always)]
    fn push(&mut self, number: u16, at: usize) {
        self.present |= 1 << (number % 64);
        self.late.push(number, at);
    }

    /// After the last one of the set.
    #[inline(always)]
    fn close(&mut self, bytes: &[u8], numbers: usize) {
        if self.late.is_full() || bytes.len() > 1024 {
            let two = two(bytes, numbers);
            if two.is_none_or(|(_, early)| early.numbers != 0) {
                self.present |= Self::MANY;
            }
            (self.late, self.early) = two.unwrap_or((Eight::NONE, Eight::NONE));
        }
    }

    /// Offset of the last attribute of this number in `bytes`.
    #[inline(always)]
    fn find(&self, number: u16, bytes: &[u8]) -> Option<usize> {
        if self.present >> (number % 64) & 1 == 0 {
            return None;
        }
        if self.present & Self::MANY == 0 {
            return Some(self.late.find(number));
        }
        if self.early.numbers == 0 {
            return search(bytes, number);
        }
        Some(if self.late.has(number) { self.late.find(number) } else { self.early.find(number) })
    }
}

impl Eight {
    const NONE: Self = Self { numbers: 0, words: 0 };
    const EACH: u64 = u64::from_ne_bytes([1; 8]);

    #[inline(always)]
    fn push(&mut self, number: u16, at: usize) {
        self.numbers = (self.numbers << 8) | u64::from(number + 1);
        self.words = (self.words << 8) | (at as u64 / 4);
    }

    /// Whether an attribute more would push out the first one, or has done so.
    #[inline(always)]
    const fn is_full(&self) -> bool {
        self.numbers >> 56 != 0
    }

    /// The highest bit of the bytes that equal the number. All but the lowest may be missed: none has its highest bit,
    /// and the lowest zero is the first to borrow it.
    #[inline(always)]
    fn equal(&self, number: u16) -> u64 {
        let differences = self.numbers ^ Self::EACH.wrapping_mul(u64::from(number + 1));
        differences.wrapping_sub(Self::EACH) & Self::EACH << 7
    }

    #[inline(always)]
    fn has(&self, number: u16) -> bool {
        self.equal(number) != 0
    }

    /// Offset of the last attribute of this number, which must be among them.
    #[inline(always)]
    fn find(&self, number: u16) -> usize {
        (self.words >> (self.equal(number).trailing_zeros() & 0x38) & 0xff) as usize * 4
    }
}

/// The last eight attributes of a set, and those before; `None` if it is too long or has more than sixteen.
#[cold]
#[inline(never)]
fn two(bytes: &[u8], numbers: usize) -> Option<(Eight, Eight)> {
    if bytes.len() > 1024 {
        return None;
    }
    let (mut late, mut early) = (Eight::NONE, Eight::NONE);
    let mut attrs = Attrs::new(bytes);
    loop {
        let at = bytes.len() - attrs.rest().len();
        let Some(Ok(attr)) = attrs.next() else { return Some((late, early)) };
        if usize::from(attr.number) >= numbers {
            continue;
        }
        if late.is_full() {
            if early.is_full() {
                return None;
            }
            early = core::mem::replace(&mut late, Eight::NONE);
        }
        late.push(attr.number, at);
    }
}

/// Offset of the last attribute of this number, by looking at all of them.
#[cold]
#[inline(never)]
fn search(bytes: &[u8], number: u16) -> Option<usize> {
    let mut attrs = Attrs::new(bytes);
    let mut found = None;
    loop {
        let at = bytes.len() - attrs.rest().len();
        match attrs.next() {
            Some(Ok(attr)) if attr.number == number => found = Some(at),
            Some(Ok(_)) => {}
            _ => return found,
        }
    }
}

/// A fixed header of nothing but the family. It is static so that a set gives out no pointer into itself,
/// which would keep it in memory.
#[inline(always)]
fn family_header(family: u8) -> &'static [u8] {
    static FAMILIES: [u8; 256] = {
        let mut families = [0u8; 256];
        let mut rest: &mut [u8] = &mut families;
        let mut next = 0u8;
        while let [family, others @ ..] = rest {
            *family = next;
            next = next.wrapping_add(1);
            rest = others;
        }
        families
    };
    FAMILIES.get(usize::from(family)).map_or(&[], core::slice::from_ref)
}

/// Declares a set of attributes: one row per attribute.
///
/// ```
/// use netlink_core::{Payload, Str, attrs};
///
/// attrs! {
///     /// `IFLA_*`, two of them.
///     pub struct LinkAttrs<'a> for Link {
///         /// The name: at most 15 bytes.
///         3 IFLA_IFNAME name: Str<'a, 15>,
///         /// Largest packet, in bytes.
///         4 IFLA_MTU mtu: u32,
///     }
/// }
///
/// let link = LinkAttrs::decode(&[8, 0, 4, 0, 0xdc, 5, 0, 0])?;
/// assert_eq!(link.mtu(), Some(1500));
/// assert_eq!(link.name(), None);
/// assert_eq!(Link::new().mtu(1500).attrs(), link);
/// # Ok::<(), netlink_core::Malformed>(())
/// ```
///
/// A row is `number C_NAME field: Type,` under its doc comment, and `Type` is a
/// [`Payload`](crate::Payload). It makes a getter on the set, a setter of the same name on its builder, the
/// check of its payload, its debug output, and an entry in the set's [`Table`](crate::Table).
///
/// With `struct Name<'a> for NameRequest<R>`, the setters stand on the request that
/// [`message!`](crate::message!) declares under that name, and append to its message at once. With
/// `for NameRequest<R>, NameSet` there is a builder too, for a message's set that stands in others as well.
#[macro_export]
macro_rules! attrs {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident<$a:lifetime> for $builder:ident { $($rows:tt)* }
    ) => {
        $crate::__attr_set! { [$(#[$meta])*] $vis $name $a $($rows)* }
        $crate::__attr_builder! { [$(#[$meta])*] $vis $builder $name $($rows)* }
    };
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident<$a:lifetime> for $request:ident<$r:ident> { $($rows:tt)* }
    ) => {
        $crate::__attr_set! { [$(#[$meta])*] $vis $name $a $($rows)* }
        $crate::__attr_setters! { $request [$r] $($rows)* }
    };
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident<$a:lifetime> for $request:ident<$r:ident>, $builder:ident { $($rows:tt)* }
    ) => {
        $crate::__attr_set! { [$(#[$meta])*] $vis $name $a $($rows)* }
        $crate::__attr_setters! { $request [$r] $($rows)* }
        $crate::__attr_builder! { [$(#[$meta])*] $vis $builder $name $($rows)* }
    };
}

/// The builder of a set that stands in others.
#[macro_export]
#[doc(hidden)]
macro_rules! __attr_builder {
    ([$(#[$meta:meta])*] $vis:vis $builder:ident $name:ident $($rows:tt)*) => {
        $crate::__attr_setters! { $builder [] $($rows)* }

        $(#[$meta])*
        ///
        /// This builds a set; each setter appends its attribute.
        #[derive(Clone, Default)]
        #[must_use]
        $vis struct $builder($crate::Writer);

        #[allow(unreachable_pub, dead_code)]
        impl $builder {
            /// An empty set.
            pub const fn new() -> Self {
                Self($crate::Writer::new())
            }

            /// Appends any attribute; for those without a setter.
            pub fn attr<'x>(mut self, number: u16, payload: &impl $crate::Payload<'x>) -> Self {
                payload.put(number, &mut self.0);
                self
            }

            /// What was built, to look at.
            pub fn attrs(self) -> $name<'static> {
                $name($crate::attr::Fields::built(self.0, $name::RULES.len()))
            }
        }

        impl<'x> $crate::IntoAttr<$name<'x>> for $builder {
            fn into_attr(self) -> $name<'x> {
                self.attrs()
            }
        }

        impl ::core::fmt::Debug for $builder {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::attr::debug(f, 0, $name::TABLE, $crate::Attrs::new(self.0.as_slice()))
            }
        }

        impl PartialEq for $builder {
            fn eq(&self, other: &Self) -> bool {
                let attrs = |set: &Self| $crate::Attrs::new(set.0.as_slice()).rest().len();
                attrs(self) == attrs(other)
                    && $crate::attr::same(
                        0,
                        Some($name::TABLE),
                        $crate::Attrs::new(self.0.as_slice()),
                        $crate::Attrs::new(other.0.as_slice()),
                    )
            }
        }
    };
}

/// The reading side of [`attrs!`](crate::attrs).
#[macro_export]
#[doc(hidden)]
macro_rules! __attr_set {
    (
        [$(#[$meta:meta])*] $vis:vis $name:ident $a:lifetime
        $( $(#[$row:meta])* $number:literal $c_name:ident $field:ident: $type:ty, )*
    ) => {
        $(#[$meta])*
        #[derive(Clone)]
        $vis struct $name<$a>(
            $crate::attr::Fields<$a, {
                $crate::attr::index_room($crate::attr::numbers(&[$( $number, )*]))
            }>,
        );

        #[allow(unreachable_pub, dead_code)]
        impl $name<'_> {
            $(
                $(#[$row])*
                #[doc = concat!("\n\n`", stringify!($c_name), "`, ", stringify!($number), ".")]
                #[inline(always)]
                pub fn $field<$a>(&$a self) -> ::core::option::Option<$type> {
                    self.0.get::<$type>($number)
                }
            )*
        }

        #[allow(unreachable_pub, dead_code)]
        impl<$a> $name<$a> {
            /// The rows as data.
            pub const TABLE: &'static $crate::Table = &$crate::Table {
                name: stringify!($name),
                rows: &[$( $crate::Row {
                    number: $number,
                    c_name: stringify!($c_name),
                    field: stringify!($field),
                    shape: <$type as $crate::Payload<$a>>::SHAPE,
                }, )*],
            };

            const RULES: &'static [$crate::attr::Rule] = &{
                let mut rules = [$crate::attr::Rule::NO_ROW; $crate::attr::numbers(&[$( $number, )*])];
                $( rules[$number] = <$type as $crate::Payload<$a>>::RULE; )*
                rules
            };

            /// A set without attributes.
            pub const EMPTY: Self = Self($crate::attr::Fields::EMPTY);

            /// Finds and checks the attributes of a set, also inside of nested sets.
            pub fn read(scope: &$crate::Scope<$a>) -> ::core::result::Result<Self, $crate::DecodeError> {
                let mut set = Self::unread(scope.set.rest());
                set.fill(scope)?;
                Ok(set)
            }

            #[doc(hidden)]
            #[inline(always)]
            pub const fn unread(bytes: &$a [u8]) -> Self {
                Self($crate::attr::Fields::new(bytes))
            }

            #[doc(hidden)]
            #[inline(always)]
            pub fn fill(&mut self, scope: &$crate::Scope<$a>) -> ::core::result::Result<(), $crate::DecodeError> {
                self.0.fill::<false>(scope, Self::RULES, Self::TABLE)
            }

            /// All attributes as they came, with and without a row.
            pub fn iter(&self) -> $crate::Attrs<'_> {
                self.0.attrs()
            }

            /// The attributes this table has no row for: newer than this crate, kept and written back.
            pub fn unknown(&self) -> impl Iterator<Item = $crate::Attr<'_>> {
                self.iter().flatten().filter(|attr| Self::TABLE.row(attr.number).is_none())
            }

            /// The same set without a borrow.
            pub fn into_owned(self) -> $name<'static> {
                $name(self.0.into_owned())
            }
        }

        impl<$a> $crate::Payload<$a> for $name<$a> {
            const FLAGS: u16 = $crate::attr::NLA_F_NESTED;
            const RULE: $crate::attr::Rule = $crate::attr::Rule::set(Self::RULES, Self::TABLE);
            const SHAPE: $crate::Shape = $crate::Shape::Set(Self::TABLE);

            #[inline]
            fn decode(payload: &$a [u8]) -> ::core::result::Result<Self, $crate::Malformed> {
                let set = $crate::Attrs::new(payload);
                Self::read(&$crate::Scope { header: &[], set }).map_err(|error| error.why)
            }

            fn encode(&self, out: &mut $crate::Writer) {
                self.0.encode(out);
            }

            #[inline]
            fn of(attr: $crate::Attr<$a>, scope: &$crate::Scope<$a>) -> ::core::result::Result<Self, $crate::Malformed> {
                let mut set = Self::unread(attr.payload);
                let scope = $crate::Scope { header: scope.header, set: $crate::Attrs::new(attr.payload) };
                set.0.fill::<true>(&scope, Self::RULES, Self::TABLE).map_err(|error| error.why)?;
                Ok(set)
            }
        }

        impl PartialEq for $name<'_> {
            fn eq(&self, other: &Self) -> bool {
                $crate::attr::same(self.0.family(), Some(Self::TABLE), self.0.attrs(), other.0.attrs())
            }
        }

        impl Default for $name<'_> {
            fn default() -> Self {
                Self::EMPTY
            }
        }

        impl ::core::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::attr::debug(f, self.0.family(), Self::TABLE, self.0.attrs())
            }
        }

        $crate::serialize! { impl ['x] for $name<'x>, |set, fields| {
            $( if let Some(value) = set.$field() {
                fields.entry(stringify!($field), &value)?;
            } )*
            for attr in set.unknown() {
                fields.unknown(&attr)?;
            }
        } }
    };
}

/// The writing side of [`attrs!`](crate::attrs).
#[macro_export]
#[doc(hidden)]
macro_rules! __attr_setters {
    (
        $builder:ident [$($r:ident)?]
        $( $(#[$row:meta])* $number:literal $c_name:ident $field:ident: $type:ty, )*
    ) => {
        #[allow(unreachable_pub, dead_code, clippy::extra_unused_lifetimes, single_use_lifetimes)]
        impl $(<$r>)? $builder $(<$r>)? {
            $(
                $(#[$row])*
                #[doc = concat!("\n\nAppends `", stringify!($c_name), "`.")]
                #[inline]
                pub fn $field<'a>(mut self, value: impl $crate::IntoAttr<$type>) -> Self {
                    <$type as $crate::Payload<'a>>::put(&value.into_attr(), $number, self.0.writer());
                    self
                }
            )*
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attr::{NLA_F_NET_BYTEORDER, Unsendable};
    use crate::{Many, Str, layout, message};
    use alloc::vec::Vec;

    attrs! {
        /// Inner.
        struct InnerAttrs<'a> for Inner { 1 I_ONE one: u32, 7 I_NAMES names: Many<'a, Str<'a>>, }
    }
    attrs! {
        /// Outer.
        struct OuterAttrs<'a> for Outer { 2 O_INNER inner: InnerAttrs<'a>, 5 O_TEXT text: Str<'a>, }
    }

    #[test]
    fn a_set_reads_what_its_builder_wrote() {
        let names = [Str::from("a"), Str::from("bcd")];
        let built = Outer::new().text("hello").inner(Inner::new().one(7).names(&names)).attrs();
        let mut out = Writer::new();
        built.encode(&mut out);
        assert!(out.error().is_none());
        let read = OuterAttrs::decode(out.as_slice()).unwrap();
        let inner = read.inner().unwrap();
        assert_eq!(inner.one(), Some(7));
        assert!(inner.names().unwrap().iter().eq(names));
        assert_eq!(read, built);
        let other_order = Outer::new().inner(Inner::new().names(&names).one(7)).text("hello");
        assert_eq!(other_order.attrs(), read);
        let less = Outer::new().inner(Inner::new().names(&names[..1]).one(7)).text("hello");
        assert_ne!(less.attrs(), read);
        assert_eq!(read.clone().into_owned(), read);
    }

    #[test]
    fn unknown_attributes_are_kept_counted_and_written_back() {
        let mut out = Writer::new();
        out.put_array(9 | NLA_F_NET_BYTEORDER, [1, 2]);
        Str::<'_, 15>::from("x").put(5, &mut out);
        out.put_array(3, [3]);
        let read = OuterAttrs::decode(out.as_slice()).unwrap();
        assert!(read.unknown().map(|attr| attr.payload).eq([&[1, 2][..], &[3]]));
        let mut again = Writer::new();
        read.encode(&mut again);
        assert_eq!(again.as_slice(), out.as_slice());
    }

    layout! {
        /// Header.
        struct Header: both = 4 {
            /// A number.
            number: u32,
        }
    }
    attrs! {
        /// Of a message, and of others' sets.
        struct BothAttrs<'a> for BothRequest<R>, BothSet { 3 B_NUMBER number: u16, }
    }
    message! {
        /// A message.
        struct Both<'a>(Header, BothAttrs<'a>), BothRequest {
            /// Made.
            16 B_NEW NEW,
        }
    }

    #[test]
    fn attributes_are_found_however_many_there_are() {
        for count in [1u16, 7, 8, 9, 15, 16, 17, 18, 40] {
            let (mut few, mut bytes) = (Few::NONE, Writer::new());
            let numbers: Vec<u16> = (0..count).map(|n| n * 7 % 19).collect();
            for number in &numbers {
                few.push(*number, bytes.len());
                bytes.put_array(*number, [0; 4]);
            }
            few.close(bytes.as_slice(), 19);
            for number in 0..19 {
                let last = numbers.iter().rposition(|there| *there == number).map(|at| at * 8);
                assert_eq!(few.find(number, bytes.as_slice()), last, "{number} of {count}");
            }
        }
    }

    #[test]
    fn one_table_serves_a_request_and_a_nested_set() {
        let flags = crate::MessageFlags::empty();
        let request = BothRequest::<()>::new(&Both::NEW, flags, Header::default()).number(7);
        let mut set = Writer::new();
        BothSet::new().number(7).attrs().encode(&mut set);
        assert_eq!(request.to_bytes().unwrap()[20..], *set.as_slice());
    }

    #[test]
    fn the_innermost_place_is_named() {
        let mut out = Writer::new();
        out.nest(2, |out| out.put_array(1, [1, 2]));
        let scope = Scope { header: &[], set: Attrs::new(out.as_slice()) };
        let error = OuterAttrs::read(&scope).unwrap_err();
        assert_eq!(error, DecodeError { at: "I_ONE", why: Malformed::Length { want: 4, got: 2 } });
    }

    attrs! {
        /// A small table.
        struct SmallAttrs<'a> for Small { 0 S_ZERO zero: u8, 1 S_ONE one: u8, 62 S_LAST last: u8, }
    }
    attrs! {
        /// A table too large for three words.
        struct LargeAttrs<'a> for Large { 0 L_ZERO zero: u8, 1 L_ONE one: u8, 63 L_LAST last: u8, }
    }

    #[test]
    fn the_last_attribute_of_a_number_is_found_among_few_and_many() {
        // Every sequence of up to nine attributes of four numbers that begins anywhere, some far apart.
        for start in 0..4usize {
            for step in 0..4 {
                for (count, room) in [(0, 1), (1, 1), (3, 1), (7, 1), (8, 1), (9, 1), (20, 1), (3, 600)] {
                    let mut out = Writer::new();
                    let mut last = [None; 4];
                    for value in 0..count {
                        let which = (start + usize::from(value) * step) % 4;
                        last[which] = Some(value);
                        let mut payload = [0; 600];
                        payload[0] = value;
                        out.put_bytes([0, 1, 62, 63][which], &payload[..room]);
                    }
                    let small = SmallAttrs::decode(out.as_slice()).unwrap();
                    assert_eq!([small.zero(), small.one(), small.last()], last[..3]);
                    let large = LargeAttrs::decode(out.as_slice()).unwrap();
                    assert_eq!([large.zero(), large.one(), large.last()], [last[0], last[1], last[3]]);
                    let owned = small.into_owned();
                    assert_eq!([owned.zero(), owned.one(), owned.last()], last[..3]);
                }
            }
        }
        assert_eq!(Small::new().one(1).last(2).one(3).attrs().one(), Some(3));
    }

    #[test]
    fn attributes_of_any_fixed_length_are_padded() {
        fn check<const N: usize>() {
            let mut out = Writer::new();
            out.put_array(7, [0xee; N]);
            let mut bytes = Writer::new();
            bytes.put_bytes(7, &[0xee; N]);
            assert_eq!(out.as_slice(), bytes.as_slice());
        }
        check::<0>();
        check::<1>();
        check::<4>();
        check::<6>();
        check::<8>();
        check::<9>();
        check::<12>();
        check::<14>();
        check::<16>();
        check::<17>();
        check::<100>();
    }

    #[test]
    fn a_lying_length_is_an_error_and_no_panic() {
        for length in [0u16, 1, 3, 9, 0xffff] {
            let mut bytes = [0, 0, 5, 0, b'a', 0, 0, 0];
            bytes[..2].copy_from_slice(&length.to_ne_bytes());
            let error = OuterAttrs::decode(&bytes).unwrap_err();
            assert_eq!(error, Malformed::Attribute { claims: usize::from(length), left: 8 });
        }
    }

    #[test]
    fn an_oversize_attribute_is_an_error_and_leaves_a_sound_buffer() {
        let mut out = Writer::new();
        out.put_bytes(5, &[0; 65_532]);
        assert!(matches!(out.error(), Some((_, Unsendable::TooLong { length: 65_532, max: 65_531 }))));
        assert_eq!(Attrs::new(out.as_slice()).filter(Result::is_ok).count(), 1);
        let mut fits = Writer::new();
        fits.put_bytes(5, &[0; 65_531]);
        assert!(fits.error().is_none());
    }

    #[test]
    fn an_error_deep_in_a_builder_reaches_the_outermost_writer() {
        let built = Outer::new().inner(Inner::new().names(&[Str::from("a\0b")])).attrs();
        let mut out = Writer::new();
        built.put(1, &mut out);
        assert!(matches!(out.error(), Some((_, Unsendable::Nul { at: 1 }))));
    }
}
