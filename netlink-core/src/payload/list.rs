//! Lists: attributes that come more than once, sets of items, arrays.

use core::fmt;

use crate::attr::{Attr, Attrs, IntoAttr, Malformed, NLA_F_NESTED, Payload, Rule, Scope, Shape, Writer};
use crate::layout::Field;

/// Several items, written in the form `W`. What was read is walked each time. To send some, give a slice.
pub struct List<'a, T, W> {
    /// As it was read.
    wire: Option<W>,
    values: &'a [T],
}

/// All attributes of one number in a set: `IFLA_ALT_IFNAME` and its like, which come more than once.
pub type Many<'a, T> = List<'a, T, Repeated<'a>>;

/// A set whose attributes are all of one type, and whose numbers count: `CTRL_ATTR_OPS` and its like. Some families
/// count from 1, some from 0, and to some the number means something, so it comes with each item.
pub type Indexed<'a, T> = List<'a, (u16, T), Counted<'a>>;

/// A C array of fixed elements, of whatever length it comes.
pub type Array<'a, T> = List<'a, T, Elements<'a>>;

/// A form in which lists stand in messages. As a value it is a list that was read, and checked with its set.
pub trait Form<'a, T>: Copy {
    /// See [`Payload::FLAGS`].
    const FLAGS: u16 = 0;
    /// See [`Payload::RULE`].
    const RULE: Rule;
    /// See [`Payload::SHAPE`].
    const SHAPE: Shape;
    /// See [`Payload::SECRET`].
    const SECRET: bool = false;

    /// See [`Payload::decode`].
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed>;

    /// See [`Payload::of`].
    fn of(attr: Attr<'a>, scope: &Scope<'a>) -> Self;

    /// The next item, which it moves past.
    fn next(&mut self) -> Option<T>;

    /// See [`Payload::encode`].
    fn encode(read: Option<Self>, values: &[T], out: &mut Writer);

    /// See [`Payload::put`].
    fn put(read: Option<Self>, values: &[T], number: u16, out: &mut Writer) {
        let start = out.open(number | Self::FLAGS);
        Self::encode(read, values, out);
        out.close(start);
    }
}

impl<T, W: Copy> Clone for List<'_, T, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, W: Copy> Copy for List<'_, T, W> {}

impl<'a, T, W> List<'a, T, W> {
    /// To send these.
    pub const fn new(values: &'a [T]) -> Self {
        Self { wire: None, values }
    }

    const fn read(wire: W) -> Self {
        Self { wire: Some(wire), values: &[] }
    }

    /// The items, in order.
    pub fn iter(&self) -> impl Iterator<Item = T> + use<'a, T, W>
    where
        T: Clone,
        W: Form<'a, T>,
    {
        let (mut values, mut wire) = (self.values.iter(), self.wire);
        core::iter::from_fn(move || match &mut wire {
            Some(wire) => wire.next(),
            None => values.next().cloned(),
        })
    }
}

impl<'a, T, W: Form<'a, T>> Payload<'a> for List<'a, T, W> {
    type Value = Self;
    const FLAGS: u16 = W::FLAGS;
    const RULE: Rule = W::RULE;
    const SHAPE: Shape = W::SHAPE;
    const SECRET: bool = W::SECRET;

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        W::decode(payload).map(Self::read)
    }

    fn encode(&self, out: &mut Writer) {
        W::encode(self.wire, self.values, out);
    }

    #[inline]
    fn of(attr: Attr<'a>, scope: &Scope<'a>) -> Result<Self, Malformed> {
        Ok(Self::read(W::of(attr, scope)))
    }

    fn put(&self, number: u16, out: &mut Writer) {
        W::put(self.wire, self.values, number, out);
    }
}

impl<'a, T, W> IntoAttr<List<'a, T, W>> for &'a [T] {
    fn into_attr(self) -> List<'a, T, W> {
        List::new(self)
    }
}

impl<'a, T, W, const N: usize> IntoAttr<List<'a, T, W>> for &'a [T; N] {
    fn into_attr(self) -> List<'a, T, W> {
        List::new(self)
    }
}

impl<'a, T: Clone + PartialEq, W: Form<'a, T>> PartialEq for List<'a, T, W> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

crate::serialize! { @list ['a, W: Form<'a, T>, T: Clone] List<'a, T, W> }

/// The form of [`Many`]: the set, and a number.
#[derive(Clone, Copy)]
pub struct Repeated<'a>(Attrs<'a>, u16);

impl<'a> Iterator for Repeated<'a> {
    type Item = Attr<'a>;

    fn next(&mut self) -> Option<Attr<'a>> {
        { &mut self.0 }.flatten().find(|attr| attr.number == self.1)
    }
}

impl<'a, T: Payload<'a>> Form<'a, T> for Repeated<'a> {
    const RULE: Rule = T::RULE.of_each();
    const SHAPE: Shape = T::SHAPE;
    const SECRET: bool = T::SECRET;

    fn decode(_: &'a [u8]) -> Result<Self, Malformed> {
        Err(Malformed::Value("several attributes of a set, not one payload"))
    }

    #[inline]
    fn of(attr: Attr<'a>, scope: &Scope<'a>) -> Self {
        Self(scope.set, attr.number)
    }

    fn next(&mut self) -> Option<T> {
        while let Some(attr) = Iterator::next(self) {
            if let Ok(item) = T::of(attr, &Scope::default()) {
                return Some(item);
            }
        }
        None
    }

    /// It has no payload of its own.
    fn encode(_: Option<Self>, _: &[T], _: &mut Writer) {}

    fn put(read: Option<Self>, values: &[T], number: u16, out: &mut Writer) {
        for attr in read.into_iter().flatten() {
            out.put_bytes(number | attr.flags, attr.payload);
        }
        values.iter().for_each(|value| value.put(number, out));
    }
}

impl<'a, T: Payload<'a> + Clone + fmt::Debug> fmt::Debug for Many<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The form of [`Indexed`].
#[derive(Clone, Copy)]
pub struct Counted<'a>(Attrs<'a>);

impl<'a, T: Payload<'a>> Form<'a, (u16, T)> for Counted<'a> {
    const FLAGS: u16 = NLA_F_NESTED;
    const RULE: Rule = Rule::each(&T::RULE);
    const SHAPE: Shape = Shape::Indexed(&T::SHAPE);
    const SECRET: bool = T::SECRET;

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        let rule = <Self as Form<'a, (u16, T)>>::RULE;
        rule.verify(payload, &Scope::default()).map_err(|error| error.why)?;
        Ok(Self(Attrs::new(payload)))
    }

    #[inline]
    fn of(attr: Attr<'a>, _: &Scope<'a>) -> Self {
        Self(Attrs::new(attr.payload))
    }

    fn next(&mut self) -> Option<(u16, T)> {
        while let Some(Ok(attr)) = self.0.next() {
            if let Ok(item) = T::of(attr, &Scope::default()) {
                return Some((attr.number, item));
            }
        }
        None
    }

    fn encode(read: Option<Self>, values: &[(u16, T)], out: &mut Writer) {
        out.push(read.map_or(&[], |read| read.0.rest()));
        values.iter().for_each(|(number, value)| value.put(*number, out));
    }
}

impl<'a, T: Payload<'a> + Clone + fmt::Debug> fmt::Debug for Indexed<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// The form of [`Array`].
#[derive(Clone, Copy)]
pub struct Elements<'a>(&'a [u8]);

impl<'a, T: Field + fmt::Debug> Form<'a, T> for Elements<'a> {
    const RULE: Rule = Rule::elements(T::SIZE);
    const SHAPE: Shape = Shape::Value(|bytes, f| fmt::Debug::fmt(&Array::<'_, T>::read(Elements(bytes)), f));

    #[inline]
    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        if payload.len().checked_rem(T::SIZE) == Some(0) {
            return Ok(Self(payload));
        }
        Err(Malformed::Length { want: payload.len().next_multiple_of(T::SIZE.max(1)), got: payload.len() })
    }

    #[inline]
    fn of(attr: Attr<'a>, _: &Scope<'a>) -> Self {
        Self(attr.payload)
    }

    fn next(&mut self) -> Option<T> {
        let (mut item, rest) = self.0.split_at_checked(T::SIZE.max(1))?;
        self.0 = rest;
        T::take(&mut item)
    }

    fn encode(read: Option<Self>, values: &[T], out: &mut Writer) {
        out.push(read.map_or(&[], |read| read.0));
        values.iter().for_each(|value| value.write(out));
    }
}

impl<T: Field> Array<'_, T> {
    /// How many elements it has.
    pub fn len(&self) -> usize {
        let read = self.wire.and_then(|wire| wire.0.len().checked_div(T::SIZE));
        read.unwrap_or(self.values.len())
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element at `index`; `None` past the end: a kernel that doesn't have it yet.
    pub fn get(&self, index: usize) -> Option<T> {
        match self.wire {
            Some(Elements(bytes)) => T::take(&mut bytes.get(index.checked_mul(T::SIZE)?..)?),
            None => self.values.get(index).copied(),
        }
    }
}

impl<T: Field + fmt::Debug> fmt::Debug for Array<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

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
