//! Attributes behind a struct.

use core::ops::Deref;

use crate::attr::{
    Attr, Attrs, IntoAttr, Malformed, NLA_F_NESTED, Payload, Rule, Scope, Shape, Table, Writer, split,
};
use crate::layout::Field;

/// A fixed struct, and attributes behind it: the peer of a veth link is a `struct ifinfomsg` with the attributes of a
/// link. The getters of the attributes are on it, too.
///
/// What looks up the address family in the attributes finds the first byte of the struct, as in a message. Keys don't
/// belong in the attributes: their memory is not wiped.
///
/// To send one, give a pair of struct and attributes.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Headed<H, A> {
    /// The struct.
    pub header: H,
    /// The attributes.
    pub attrs: A,
}

impl<'a, H: Field, A: Payload<'a>> Headed<H, A> {
    const TABLE: &'static Table = match A::SHAPE {
        Shape::Set(table) => table,
        _ => panic!("something else than attributes behind a struct"),
    };
}

impl<'a, H: Field, A: Payload<'a>> Payload<'a> for Headed<H, A> {
    type Value = Self;
    const FLAGS: u16 = NLA_F_NESTED;
    const RULE: Rule = Rule::headed(H::SIZE, Self::TABLE);
    const SHAPE: Shape = Shape::Headed(H::SIZE, Self::TABLE);

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        let scope = Scope::default();
        Self::RULE.verify(payload, &scope).map_err(|error| error.why)?;
        Self::of(Attr { number: 0, flags: 0, payload }, &scope)
    }

    fn of(attr: Attr<'a>, around: &Scope<'a>) -> Result<Self, Malformed> {
        let short = Malformed::Length { want: H::SIZE, got: attr.payload.len() };
        let (header, payload) = split(attr.payload, H::SIZE).ok_or(short)?;
        let scope = Scope { header, set: Attrs::default(), depth: around.depth };
        Ok(Self { header: H::read(&mut { header })?, attrs: A::of(Attr { payload, ..attr }, &scope)? })
    }

    fn encode(&self, out: &mut Writer) {
        self.header.write(out);
        out.push([0; 3].get(..H::SIZE.wrapping_neg() & 3).unwrap_or_default());
        self.attrs.encode(out);
    }
}

impl<H, A, B: IntoAttr<A>> IntoAttr<Headed<H, A>> for (H, B) {
    fn into_attr(self) -> Headed<H, A> {
        Headed { header: self.0, attrs: self.1.into_attr() }
    }
}

impl<H, A> Deref for Headed<H, A> {
    type Target = A;

    fn deref(&self) -> &A {
        &self.attrs
    }
}

crate::serialize! { impl [H: crate::ser::Members, A: crate::ser::Members] for Headed<H, A>, |headed, fields| {
    headed.header.members(fields)?;
    headed.attrs.members(fields)?;
} }

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::attr::{DecodeError, MAX_DEPTH};
    use crate::{Str, attrs, choice, layout};

    layout! {
        /// A struct that is padded.
        struct Head: head = 6 {
            /// A number.
            number: u32,
            /// Another.
            other: u16,
        }
    }
    attrs! {
        /// Behind it.
        struct TailAttrs<'a> for Tail { 1 T_SIZE size: u32, 2 T_NAME name: Str<'a, 3>, }
    }
    attrs! {
        /// Around both.
        struct AroundAttrs<'a> for Around { 7 A_BOTH both: Headed<Head, TailAttrs<'a>>, }
    }

    fn read(bytes: &[u8]) -> Result<AroundAttrs<'_>, DecodeError> {
        AroundAttrs::read(&Scope::new(&[], Attrs::new(bytes)))
    }

    #[test]
    fn it_reads_what_it_wrote() {
        let head = Head::default().number(0x0101_0101).other(0x0202);
        let built = Around::new().both((head, Tail::new().size(u32::MAX))).attrs();
        let mut out = Writer::new();
        built.encode(&mut out);
        let attr = |length: u16, number: u16| [length, number].map(u16::to_ne_bytes).concat();
        let expected = [&attr(20, 0x8007)[..], &[1, 1, 1, 1, 2, 2, 0, 0], &attr(8, 1), &[0xff; 4]].concat();
        assert_eq!(out.as_slice(), expected);
        let around = read(out.as_slice()).unwrap();
        let both = around.both().unwrap();
        assert_eq!((both.header, both.size(), both.name()), (head, Some(u32::MAX), None));
        assert_eq!(Headed::decode(&expected[4..]), Ok(both));
        // The struct alone, without its padding too.
        let alone = [&attr(10, 7)[..], &[1, 1, 1, 1, 2, 2, 0, 0]].concat();
        assert_eq!(read(&alone).unwrap().both().unwrap(), Headed { header: head, attrs: TailAttrs::EMPTY });
    }

    #[test]
    fn what_is_wrong_is_named() {
        let mut out = Writer::new();
        out.put_array(7, [0; 5]);
        let wrong = Malformed::Length { want: 6, got: 5 };
        assert_eq!(read(out.as_slice()).unwrap_err(), DecodeError { at: "A_BOTH", why: wrong });
        let mut out = Writer::new();
        out.nest(7, |out| {
            out.push(&[0; 8]);
            out.put_array(1, [0; 3]);
        });
        assert_eq!(read(out.as_slice()).unwrap_err().at, "T_SIZE");
        let built = Around::new().both((Head::default(), Tail::new().name("long"))).attrs();
        let mut out = Writer::new();
        built.encode(&mut out);
        assert!(out.error().is_some());
    }

    const DEEPER: u8 = 1;

    choice! {
        /// Chosen or not.
        enum Below<'a> by 1 kind: u8 {
            /// The same again, behind a struct.
            DEEPER => Deeper(Headed<Head, DeepAttrs<'a>>),
        }
    }
    attrs! {
        /// A table inside of itself.
        struct DeepAttrs<'a> for Deep { 1 D_KIND kind: u8, 2 D_BELOW below: Below<'a>, }
    }

    struct FirstByte;

    impl<'a> crate::choice::Neighbour<'a, u8> for FirstByte {
        fn find(scope: &Scope<'a>) -> Option<u8> {
            scope.header.first().copied()
        }

        fn put(_: u8, _: u16, _: &mut Writer) {}
    }

    choice! {
        /// Chosen by the first byte of the struct.
        enum First<'a> by FirstByte family: u8 {
            /// A number.
            DEEPER => Number(u32),
        }
    }
    attrs! {
        /// Of what its struct says.
        struct FirstAttrs<'a> for FirstSet { 1 F_FIRST first: First<'a>, }
    }
    attrs! {
        /// Around it.
        struct AroundFirstAttrs<'a> for AroundFirst { 7 A_FIRST first: Headed<Head, FirstAttrs<'a>>, }
    }

    #[test]
    fn what_is_chosen_by_the_struct_shows_so() {
        let mut out = Writer::new();
        out.nest(7, |out| {
            out.push(&[DEEPER, 0, 0, 0, 0, 0, 0, 0]);
            out.put_array(1, 5u32.to_ne_bytes());
        });
        let set = AroundFirstAttrs::decode(out.as_slice()).unwrap();
        assert_eq!(alloc::format!("{set:?}"), "AroundFirstAttrs { first: [FirstAttrs { first: 5 }] }");
    }

    /// What is read is found in full, and what is too deep to be found is not read.
    #[test]
    fn nothing_goes_deeper_than_a_bound() {
        fn depth(set: &DeepAttrs<'_>) -> u8 {
            match set.below() {
                Some(Below::Deeper(inside)) => 1 + depth(&inside),
                _ => 0,
            }
        }
        let mut out = Writer::new();
        for count in 0..MAX_DEPTH + 30 {
            let read = DeepAttrs::read(&Scope::new(&[], Attrs::new(out.as_slice())));
            match count < MAX_DEPTH {
                true => assert_eq!(depth(&read.unwrap()), count),
                false => assert!(read.unwrap_err().to_string().starts_with("D_BELOW: attributes inside")),
            }
            let inside = out;
            out = Writer::new();
            out.put_array(1, [DEEPER]);
            out.nest(2, |out| {
                Head::default().write(out);
                out.push(&[0; 2]);
                out.append(&inside);
            });
        }
    }
}
