//! Lists: attributes that come more than once, sets of items, arrays.

use core::fmt;
use core::marker::PhantomData;

use crate::attr::{Attr, Attrs, IntoAttr, Malformed, NLA_F_NESTED, Payload, Rule, Scope, Shape, Writer};
use crate::layout::Field;

/// All attributes of one number in a set: `IFLA_ALT_IFNAME` and its like, which come more than once.
///
/// Read, it walks the set anew. To send some, give a slice.
pub struct Many<'a, T>(ManyFrom<'a, T>);

enum ManyFrom<'a, T> {
    Wire(Attrs<'a>, u16),
    Values(&'a [T]),
}

impl<T> Clone for Many<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Many<'_, T> {}

impl<T> Clone for ManyFrom<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ManyFrom<'_, T> {}

impl<'a, T> Many<'a, T> {
    /// To send these.
    pub const fn new(values: &'a [T]) -> Self {
        Self(ManyFrom::Values(values))
    }

    /// The items, in order.
    pub fn iter(&self) -> impl Iterator<Item = T> + use<'a, T>
    where
        T: Payload<'a> + Clone,
    {
        let (wire, number, values) = match self.0 {
            ManyFrom::Wire(set, number) => (set, number, [].as_slice()),
            ManyFrom::Values(values) => (Attrs::default(), 0, values),
        };
        let scope = Scope::new(&[], wire);
        // They were checked when the set was read.
        let wire = wire.flatten().filter(move |attr| attr.number == number);
        values.iter().cloned().chain(wire.filter_map(move |attr| T::of(attr, &scope).ok()))
    }
}

impl<'a, T: Payload<'a>> Payload<'a> for Many<'a, T> {
    type Value = Self;
    const RULE: Rule = T::RULE.of_each();
    const SHAPE: Shape = T::SHAPE;
    const SECRET: bool = T::SECRET;

    fn decode(_: &'a [u8]) -> Result<Self, Malformed> {
        Err(Malformed::Value("several attributes of a set, not one payload"))
    }

    fn encode(&self, _: &mut Writer) {}

    #[inline]
    fn of(attr: Attr<'a>, scope: &Scope<'a>) -> Result<Self, Malformed> {
        Ok(Self(ManyFrom::Wire(scope.set, attr.number)))
    }

    fn put(&self, number: u16, out: &mut Writer) {
        match self.0 {
            ManyFrom::Wire(set, from) => set
                .flatten()
                .filter(|attr| attr.number == from)
                .for_each(|attr| out.put_bytes(number | attr.flags, attr.payload)),
            ManyFrom::Values(values) => values.iter().for_each(|value| value.put(number, out)),
        }
    }
}

impl<'a, T> IntoAttr<Many<'a, T>> for &'a [T] {
    fn into_attr(self) -> Many<'a, T> {
        Many::new(self)
    }
}

impl<'a, T, const N: usize> IntoAttr<Many<'a, T>> for &'a [T; N] {
    fn into_attr(self) -> Many<'a, T> {
        Many::new(self)
    }
}

impl<'a, T: Payload<'a> + Clone + PartialEq> PartialEq for Many<'a, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'a, T: Payload<'a> + Clone + fmt::Debug> fmt::Debug for Many<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

crate::serialize! { @list ['a, T: Payload<'a> + Clone] Many<'a, T> }

/// A set whose attributes are all of one type, and whose numbers count: `CTRL_ATTR_OPS` and its like. Some families
/// count from 1, some from 0, and to some the number means something, so it comes with each item.
///
/// To send some, give a slice of numbers and items.
pub struct Indexed<'a, T>(IndexedFrom<'a, T>);

enum IndexedFrom<'a, T> {
    Wire(Attrs<'a>, PhantomData<T>),
    Values(&'a [(u16, T)]),
}

impl<T> Clone for Indexed<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Indexed<'_, T> {}

impl<T> Clone for IndexedFrom<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for IndexedFrom<'_, T> {}

impl<'a, T> Indexed<'a, T> {
    /// To send these.
    pub const fn new(values: &'a [(u16, T)]) -> Self {
        Self(IndexedFrom::Values(values))
    }

    /// The numbers and items, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u16, T)> + use<'a, T>
    where
        T: Payload<'a> + Clone,
    {
        let (wire, values) = match self.0 {
            IndexedFrom::Wire(set, _) => (set, [].as_slice()),
            IndexedFrom::Values(values) => (Attrs::default(), values),
        };
        let scope = Scope::new(&[], wire);
        // They were checked when the set was read.
        let wire = wire.flatten().filter_map(move |attr| Some((attr.number, T::of(attr, &scope).ok()?)));
        values.iter().cloned().chain(wire)
    }
}

impl<'a, T: Payload<'a>> Payload<'a> for Indexed<'a, T> {
    type Value = Self;
    const FLAGS: u16 = NLA_F_NESTED;
    const RULE: Rule = Rule::each(&T::RULE);
    const SHAPE: Shape = Shape::Indexed(&T::SHAPE);
    const SECRET: bool = T::SECRET;

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        Self::RULE.verify(payload, &Scope::default()).map_err(|error| error.why)?;
        Ok(Self(IndexedFrom::Wire(Attrs::new(payload), PhantomData)))
    }

    fn encode(&self, out: &mut Writer) {
        match self.0 {
            IndexedFrom::Wire(set, _) => out.push(set.rest()),
            IndexedFrom::Values(values) => values.iter().for_each(|(number, value)| value.put(*number, out)),
        }
    }

    #[inline]
    fn of(attr: Attr<'a>, _: &Scope<'a>) -> Result<Self, Malformed> {
        Ok(Self(IndexedFrom::Wire(Attrs::new(attr.payload), PhantomData)))
    }
}

impl<'a, T> IntoAttr<Indexed<'a, T>> for &'a [(u16, T)] {
    fn into_attr(self) -> Indexed<'a, T> {
        Indexed::new(self)
    }
}

impl<'a, T, const N: usize> IntoAttr<Indexed<'a, T>> for &'a [(u16, T); N] {
    fn into_attr(self) -> Indexed<'a, T> {
        Indexed::new(self)
    }
}

impl<'a, T: Payload<'a> + Clone + PartialEq> PartialEq for Indexed<'a, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'a, T: Payload<'a> + Clone + fmt::Debug> fmt::Debug for Indexed<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

crate::serialize! { @list ['a, T: Payload<'a> + Clone] Indexed<'a, T> }

/// A C array of fixed elements, of whatever length it comes.
pub struct Array<'a, T>(ArrayFrom<'a, T>);

enum ArrayFrom<'a, T> {
    Wire(&'a [u8], PhantomData<T>),
    Values(&'a [T]),
}

impl<T> Clone for Array<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Array<'_, T> {}

impl<T> Clone for ArrayFrom<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ArrayFrom<'_, T> {}

impl<'a, T: Field> Array<'a, T> {
    /// To send these.
    pub const fn new(values: &'a [T]) -> Self {
        Self(ArrayFrom::Values(values))
    }

    /// How many elements it has.
    pub fn len(&self) -> usize {
        match self.0 {
            ArrayFrom::Wire(bytes, _) => bytes.len().checked_div(T::SIZE).unwrap_or_default(),
            ArrayFrom::Values(values) => values.len(),
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index`; `None` past the end: a kernel that doesn't have it yet.
    pub fn get(&self, index: usize) -> Option<T> {
        match self.0 {
            ArrayFrom::Wire(bytes, _) => {
                let mut cursor = bytes.get(index.checked_mul(T::SIZE)?..)?;
                T::take(&mut cursor).ok()
            }
            ArrayFrom::Values(values) => values.get(index).copied(),
        }
    }

    /// The elements, in order.
    pub fn iter(&self) -> impl Iterator<Item = T> + use<'a, T> {
        let array = *self;
        (0..self.len()).filter_map(move |index| array.get(index))
    }
}

impl<'a, T: Field + fmt::Debug> Payload<'a> for Array<'a, T> {
    type Value = Self;
    const RULE: Rule = Rule::elements(T::SIZE);
    const SHAPE: Shape =
        Shape::Value(|bytes, f| fmt::Debug::fmt(&Array::<'_, T>(ArrayFrom::Wire(bytes, PhantomData)), f));

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        if payload.len().checked_rem(T::SIZE) == Some(0) {
            return Ok(Self(ArrayFrom::Wire(payload, PhantomData)));
        }
        Err(Malformed::Length { want: payload.len().next_multiple_of(T::SIZE.max(1)), got: payload.len() })
    }

    fn encode(&self, out: &mut Writer) {
        match self.0 {
            ArrayFrom::Wire(bytes, _) => out.push(bytes),
            ArrayFrom::Values(values) => values.iter().for_each(|value| value.write(out)),
        }
    }
}

impl<'a, T> IntoAttr<Array<'a, T>> for &'a [T] {
    fn into_attr(self) -> Array<'a, T> {
        Array(ArrayFrom::Values(self))
    }
}

impl<'a, T, const N: usize> IntoAttr<Array<'a, T>> for &'a [T; N] {
    fn into_attr(self) -> Array<'a, T> {
        Array(ArrayFrom::Values(self))
    }
}

impl<T: Field + PartialEq> PartialEq for Array<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<T: Field + fmt::Debug> fmt::Debug for Array<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

crate::serialize! { @list ['a, T: Field] Array<'a, T> }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexed_items_keep_their_numbers() {
        let mut out = Writer::new();
        Indexed::new(&[(7, 1u32), (3, 2)]).put(1, &mut out);
        let header = |length: u16, number: u16| [length, number].map(u16::to_ne_bytes).concat();
        let item = |number: u16, value: u32| [&header(8, number)[..], &value.to_ne_bytes()].concat();
        assert_eq!(out.as_slice(), [header(20, 0x8001), item(7, 1), item(3, 2)].concat());
        let read = Indexed::<'_, u32>::decode(&out.as_slice()[4..]).unwrap();
        assert!(read.iter().eq([(7, 1), (3, 2)]));
        let mut again = Writer::new();
        read.put(1, &mut again);
        assert_eq!(again.as_slice(), out.as_slice());
        assert!(Indexed::<'_, u64>::decode(&out.as_slice()[4..]).is_err());
        assert!(Indexed::<'_, u32>::decode(&out.as_slice()[4..16]).is_err());
    }

    #[test]
    fn arrays_may_be_longer_or_shorter_than_known() {
        let array = [1, 2].map(u32::to_ne_bytes).concat();
        let array = Array::<'_, u32>::decode(&array).unwrap();
        assert_eq!((array.get(1), array.get(2), array.get(usize::MAX)), (Some(2), None, None));
        assert!(Array::<'_, u32>::decode(&[0; 5]).is_err());
    }
}
