//! Tables as data: what error paths, traces, `Debug` and tools read.

use alloc::vec::Vec;
use core::fmt;

use super::set::family_header;
use super::{Attr, Attrs, Hex, Malformed, Part, Parts, Payload, Places, Rule, Scope, walk};

/// Rows of one attribute set, as data.
#[derive(Debug)]
pub struct Table {
    /// Rust name of the set.
    pub name: &'static str,
    /// One row per attribute.
    pub rows: &'static [Row],
    /// Which payloads each number takes, by its place.
    pub(super) rules: &'static [Rule],
    /// The place of each number.
    pub(super) places: Places,
}

/// One attribute, as data.
#[derive(Debug)]
pub struct Row {
    /// The attribute's number.
    pub number: u16,
    /// The kernel's name for it.
    pub c_name: &'static str,
    /// The field it fills.
    pub field: &'static str,
    /// What it carries.
    pub shape: Shape,
}

impl Table {
    /// Without rows.
    pub(crate) const UNKNOWN: &'static Self = &Self::new("", &[], &[], Places::new(&[]));

    /// Of these rows.
    #[doc(hidden)]
    pub const fn new(
        name: &'static str,
        rows: &'static [Row],
        rules: &'static [Rule],
        places: Places,
    ) -> Self {
        let (mut rest, mut selecting) = (rows, 0);
        while let [row, others @ ..] = rest {
            if matches!(row.shape, Shape::Select { .. }) {
                selecting += 1;
            }
            rest = others;
        }
        assert!(selecting <= SELECTED, "neighbours select more attributes than are kept in mind");
        Self { name, rows, rules, places }
    }

    /// The C name of this number; empty without a row.
    pub fn c_name(&self, number: u16) -> &'static str {
        self.row(number).map_or("", |row| row.c_name)
    }

    /// The row of this number.
    pub fn row(&self, number: u16) -> Option<&'static Row> {
        // Most numbers without a row are larger than all that have one.
        let known = self.places.of(number.into()) < self.rules.len();
        if known { self.rows.iter().find(|row| row.number == number) } else { None }
    }
}

/// What an attribute carries, as far as tools care: error paths, traces and the comparison with headers.
#[derive(Clone, Copy)]
pub enum Shape {
    /// A value; the function prints it.
    Value(fn(&[u8], &mut fmt::Formatter<'_>) -> fmt::Result),
    /// The same, with a name in it that the kernel looks up: a refusal that points at no attribute shows it.
    Named(fn(&[u8], &mut fmt::Formatter<'_>) -> fmt::Result),
    /// Attributes.
    Set(&'static Table),
    /// What the neighbours choose: see [`choice!`](macro@crate::choice).
    Select {
        /// The choice beside these neighbours; `None` where they choose nothing that is known.
        choose: Choose,
        /// All that can be chosen.
        all: fn() -> &'static [&'static Content],
    },
    /// A run of attributes numbered as an index, each of this shape.
    Indexed(&'static Self),
    /// Attributes behind a struct of so many bytes, padded to four; what they look up in a message's fixed header they
    /// find in the struct.
    Headed(usize, &'static Table),
    /// Attribute sets behind fixed headers of their own; the function tells where the attributes of the
    /// first one begin and where the next one starts.
    Records(&'static Table, fn(&[u8]) -> Option<(usize, usize)>),
}

impl Shape {
    /// One value of a type that borrows nothing.
    pub const fn value<T: for<'a> Payload<'a> + fmt::Debug>() -> Self {
        fn show<T: for<'a> Payload<'a> + fmt::Debug>(
            bytes: &[u8],
            f: &mut fmt::Formatter<'_>,
        ) -> fmt::Result {
            Shape::show(f, bytes, T::decode(bytes))
        }
        Self::Value(show::<T>)
    }

    /// Prints what was decoded from these bytes: for a [`Value`](Self::Value) whose type borrows.
    pub fn show<T: fmt::Debug>(
        f: &mut fmt::Formatter<'_>,
        bytes: &[u8],
        value: Result<T, Malformed>,
    ) -> fmt::Result {
        #[cold]
        fn wrong(f: &mut fmt::Formatter<'_>, bytes: &[u8], why: Malformed) -> fmt::Result {
            write!(f, "{} ({why})", Hex(bytes))
        }
        match value {
            Ok(value) => value.fmt(f),
            Err(why) => wrong(f, bytes, why),
        }
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(_) => f.write_str("Value"),
            Self::Named(_) => f.write_str("Named"),
            Self::Set(table) => write!(f, "Set({})", table.name),
            Self::Select { .. } => f.write_str("Select"),
            Self::Indexed(shape) => write!(f, "Indexed({shape:?})"),
            Self::Headed(_, table) => write!(f, "Headed({})", table.name),
            Self::Records(table, _) => write!(f, "Records({})", table.name),
        }
    }
}

/// What a payload holds: which ones are right, and what tools see in them.
#[derive(Debug)]
pub struct Content {
    /// Which payloads are right.
    pub rule: Rule,
    /// What is inside.
    pub shape: Shape,
}

impl Content {
    /// That of a type.
    pub const fn of<'a, T: Payload<'a>>() -> Self {
        Self { rule: T::RULE, shape: T::SHAPE }
    }
}

/// Chooses what a payload holds by what stands around it.
pub type Choose = fn(&Scope<'_>) -> Option<&'static Content>;

/// Rows of one table that neighbours may select.
const SELECTED: usize = 2;

/// What the neighbours in one set select for the attributes beside them: a choice walks the set, and is made once.
///
/// One inside of the other, so that of a set without a choice a single word is written.
#[derive(Default)]
pub(crate) struct Chosen(Option<(Choice, Option<Choice>)>);

struct Choice {
    number: usize,
    content: Option<&'static Content>,
}

impl Chosen {
    pub(super) fn content(
        &mut self,
        number: usize,
        choose: Choose,
        scope: &Scope<'_>,
    ) -> Option<&'static Content> {
        match &mut self.0 {
            Some((first, _)) if first.number == number => return first.content,
            Some((_, Some(second))) if second.number == number => return second.content,
            _ => {}
        }
        let content = choose(scope);
        let choice = Choice { number, content };
        match &mut self.0 {
            None => self.0 = Some((choice, None)),
            Some((_, second)) => *second = Some(choice),
        }
        content
    }

    /// What an attribute of this row holds in the set of `scope`; `None` if that can't be known.
    pub(crate) fn shape(&mut self, row: &Row, scope: &Scope<'_>) -> Option<Shape> {
        match row.shape {
            Shape::Select { choose, .. } => {
                self.content(row.number.into(), choose, scope).map(|content| content.shape)
            }
            shape => Some(shape),
        }
    }
}

/// Whether two sets hold the same: every attribute with the same payload, in any order, also in the sets inside.
#[doc(hidden)]
pub fn same(family: u8, table: Option<&'static Table>, a: Attrs<'_>, b: Attrs<'_>) -> bool {
    let shape = Shape::Set(table.unwrap_or(Table::UNKNOWN));
    alike(shape, &Scope::new(family_header(family), a), b.rest())
}

fn alike(shape: Shape, scope: &Scope<'_>, b: &[u8]) -> bool {
    /// The number of attributes; `None` for what can't be walked to its end, which is the same only byte by byte.
    fn count(mut set: Attrs<'_>) -> Option<usize> {
        set.try_fold(0, |count, attr| attr.ok().map(|_| count + 1))
    }
    /// By number; those of one number in the order they stand.
    fn sorted(bytes: &[u8]) -> impl Iterator<Item = (Attr<'_>, usize)> {
        let mut places = Vec::new();
        walk(bytes, bytes, |number, _, at| {
            places.push((number as u64) << 48 | at as u64);
            true
        });
        places.sort_unstable();
        let at = |place: u64| usize::try_from(place << 16 >> 16).ok();
        places.into_iter().filter_map(move |place| {
            let at = at(place)?;
            Some((Attrs::new(bytes.get(at..)?).next()?.ok()?, at))
        })
    }
    fn holds(part: &Part<'_>, payload: &[u8]) -> bool {
        part.payload() == payload
            || part.parts().is_some_and(|parts| alike(parts.shape(), &part.scope, payload))
    }

    let (a, mut parts) = (scope.set.rest(), Parts::new(shape, *scope));
    if a == b {
        return true;
    }
    let Shape::Set(_) = shape else {
        let mut others = Parts::new(shape, Scope { set: Attrs::new(b), ..*scope });
        return loop {
            match (parts.next(), others.next()) {
                (None, None) => break parts.rest() == others.rest(),
                (Some(Ok(x)), Some(Ok(y))) if x.is_named_as(&y) && holds(&x, y.payload()) => {}
                _ => break false,
            }
        };
    };
    let attrs = count(scope.set);
    if attrs.is_none() || attrs != count(Attrs::new(b)) {
        return false;
    }
    sorted(a).zip(sorted(b)).all(|((x, at), (y, _))| {
        x.number == y.number && (x.payload == y.payload || holds(&parts.attr(x, at), y.payload))
    })
}

/// Prints a set by its table: field names, then values, in the order they stand.
#[doc(hidden)]
pub fn debug(
    f: &mut fmt::Formatter<'_>,
    family: u8,
    depth: u8,
    table: &'static Table,
    set: Attrs<'_>,
) -> fmt::Result {
    let scope = Scope { header: family_header(family), set, depth };
    show(f, Parts::new(Shape::Set(table), scope))
}

fn show(f: &mut fmt::Formatter<'_>, parts: Parts<'_>) -> fmt::Result {
    let Shape::Set(table) = parts.shape() else {
        return f.debug_list().entries(parts.flatten()).finish();
    };
    let mut out = f.debug_struct(table.name);
    for part in parts.flatten() {
        match (part.row, part.attr) {
            (Some(row), _) => out.field(row.field, &part),
            (None, Some(Attr { number, payload, .. })) => {
                out.field("unknown", &format_args!("{number}: {}", Hex(payload)))
            }
            (None, None) => &mut out,
        };
    }
    out.finish()
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.shape, self.parts()) {
            (Some(Shape::Value(print) | Shape::Named(print)), _) => print(self.payload(), f),
            (_, Some(parts)) => show(f, parts),
            _ => fmt::Display::fmt(&Hex(self.payload()), f),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use alloc::format;
    use alloc::string::String;
    use core::cell::Cell;
    use core::fmt::Write as _;

    use super::*;
    use crate::attr::{MAX_DEPTH, NLA_F_NESTED};
    use crate::trace::Tree;
    use crate::{Bytes, DecodeError, Indexed, MessageFlags, Str, Writer, attrs, message};

    std::thread_local! {
        /// How often a neighbour was looked up.
        static CHOICES: Cell<usize> = const { Cell::new(0) };
    }

    /// Attributes like those around it, if a 1 stands beside it.
    #[derive(Clone, Debug, PartialEq)]
    struct Below<'a>(Bytes<'a>);

    impl Below<'_> {
        fn choose(scope: &Scope<'_>) -> Option<&'static Content> {
            CHOICES.set(CHOICES.get() + 1);
            (scope.set.find(1)? == [1]).then_some(&const { Content::of::<DeepAttrs<'_>>() })
        }
    }

    impl<'a> Payload<'a> for Below<'a> {
        type Value = Self;
        const FLAGS: u16 = NLA_F_NESTED;
        const RULE: Rule = Rule::select(Self::choose);
        const SHAPE: Shape = Shape::Select { choose: Self::choose, all: || &[] };

        fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
            Ok(Self(Bytes(payload)))
        }

        fn encode(&self, out: &mut Writer) {
            self.0.encode(out);
        }
    }

    crate::serialize! { @value Below<'_>, |below| below.0 }

    /// Sets behind a byte of length and seven of nothing.
    #[derive(Clone, Debug, PartialEq)]
    struct Records<'a>(Bytes<'a>);

    fn record(bytes: &[u8]) -> Option<(usize, usize)> {
        Some((8, usize::from(*bytes.first()?)))
    }

    impl<'a> Payload<'a> for Records<'a> {
        type Value = Self;
        const RULE: Rule = Rule::at_least(0);
        const SHAPE: Shape = Shape::Records(RecordAttrs::TABLE, record);

        fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
            Ok(Self(Bytes(payload)))
        }

        fn encode(&self, out: &mut Writer) {
            self.0.encode(out);
        }
    }

    crate::serialize! { @value Records<'_>, |records| records.0 }

    attrs! {
        /// Attributes of a record.
        struct RecordAttrs<'a> for RecordBuilder { 1 R_KIND kind: u8, 3 R_NAME name: Str<'a>, }
    }
    attrs! {
        /// A table inside of itself.
        struct DeepAttrs<'a> for DeepRequest<R> {
            1 D_KIND kind: u8,
            2 D_BELOW below: Below<'a>,
            3 D_NAME name: Str<'a>,
            4 D_OTHER other: Below<'a>,
            5 D_RECORDS records: Records<'a>,
            6 D_LIST list: Indexed<'a, RecordAttrs<'a>>,
            7 D_LISTS lists: Indexed<'a, Indexed<'a, RecordAttrs<'a>>>,
        }
    }
    message! {
        /// A message of it.
        struct Deep<'a>((), DeepAttrs<'a>), DeepRequest {
            /// Made.
            16 D_NEW NEW,
        }
    }

    fn set(body: impl FnOnce(&mut Writer)) -> alloc::vec::Vec<u8> {
        let mut out = Writer::new();
        body(&mut out);
        out.into_bytes()
    }

    /// The header of an attribute that claims so many bytes.
    fn header(claims: u16, number: u16) -> alloc::vec::Vec<u8> {
        [claims, number].map(u16::to_ne_bytes).concat()
    }

    fn message(attrs: &[u8]) -> alloc::vec::Vec<u8> {
        let request = DeepRequest::<()>::new(&Deep::NEW, MessageFlags::empty(), ());
        let mut bytes = request.to_bytes().unwrap();
        bytes.extend_from_slice(attrs);
        let length = u32::try_from(bytes.len()).unwrap();
        bytes[..4].copy_from_slice(&length.to_ne_bytes());
        bytes
    }

    fn compare(a: &[u8], b: &[u8]) -> bool {
        same(0, Some(DeepAttrs::TABLE), Attrs::new(a), Attrs::new(b))
    }

    fn choices(work: impl FnOnce()) -> usize {
        CHOICES.set(0);
        work();
        CHOICES.get()
    }

    /// S-M3
    #[test]
    fn neighbours_are_looked_up_once_for_a_set() {
        let beside = |count| {
            set(|out| {
                for _ in 0..count {
                    out.put_bytes(2, &set(|out| out.put_bytes(3, b"x")));
                    out.put_bytes(4, &[]);
                }
                out.put_bytes(1, &[1]);
            })
        };
        let other = |count| {
            set(|out| {
                out.put_bytes(1, &[1]);
                for _ in 0..count {
                    out.put_bytes(4, &[]);
                    out.put_bytes(
                        2,
                        &[set(|out| out.put_bytes(9, &[])), set(|out| out.put_bytes(3, b"x"))].concat(),
                    );
                }
            })
        };
        let work = |count| {
            let (a, b) = (beside(count), other(count));
            let asked = message(&a);
            let read = choices(|| assert!(DeepAttrs::decode(&a).is_ok()));
            let mut fill = DeepAttrs::unread(&a);
            let filled = choices(|| assert!(fill.fill(&Scope::new(&[], Attrs::new(&a))).is_ok()));
            let debug = choices(|| assert!(!format!("{fill:?}").is_empty()));
            let compared = choices(|| assert!(!compare(&a, &b)));
            let traced =
                choices(|| assert!(format!("{}", Tree::new(&asked, Some(&Deep::NEW))).len() > count));
            [read, filled, debug, compared, traced]
        };
        assert_eq!(work(10), work(1000));
        assert!(work(10).iter().all(|choices| (1..=2).contains(choices)), "{:?}", work(10));
    }

    /// The last neighbour counts, as in the getters and the kernel.
    #[test]
    fn the_last_neighbour_chooses() {
        let bytes = |first, last| {
            set(|out| {
                out.put_bytes(1, &[first]);
                out.put_bytes(2, &header(5, 1));
                out.put_bytes(1, &[last]);
            })
        };
        assert!(DeepAttrs::decode(&bytes(1, 0)).is_ok());
        let wrong = bytes(0, 1);
        let error = DeepAttrs::read(&Scope::new(&[], Attrs::new(&wrong))).unwrap_err();
        assert_eq!(error, DecodeError { at: "D_BELOW", why: Malformed::Attribute { claims: 5, left: 4 } });
    }

    /// So many sets inside of one another, the flag for sets on those without a row.
    fn nested(number: u16, depth: usize, innermost: &[u8]) -> alloc::vec::Vec<u8> {
        let mut bytes = innermost.to_vec();
        for _ in 0..depth {
            bytes = set(|out| {
                out.put_bytes(1, &[1]);
                out.nest(number, |out| out.push(&bytes));
            });
        }
        bytes
    }

    /// S-M2
    #[test]
    fn nothing_goes_deeper_than_a_bound() {
        let depth = usize::from(MAX_DEPTH);
        let deepest = nested(2, depth - 1, &set(|out| out.put_bytes(3, b"x")));
        assert!(DeepAttrs::decode(&deepest).is_ok());
        assert!(format!("{:?}", DeepAttrs::unread(&deepest)).contains("name: \"x\""));
        let too_deep = nested(2, depth, &[]);
        let error = DeepAttrs::read(&Scope::new(&[], Attrs::new(&too_deep))).unwrap_err();
        assert_eq!(error.at, "D_BELOW");
        assert!(format!("{error}").contains("deeper"), "{error}");

        let small = std::thread::Builder::new().stack_size(256 << 10);
        let checked = small.spawn(move || {
            // As deep as one attribute can hold, and a megabyte of them.
            let x = [5, 0, 3, 0, b'x', 0, 0, 0];
            let (known, unknown) = (nested(2, 5000, &x), nested(9, 5000, &x));
            for bytes in [&known, &unknown] {
                let bytes: alloc::vec::Vec<u8> = bytes.repeat((1 << 20) / bytes.len());
                let mut other = bytes.clone();
                let end = other.len() - 4;
                other[end] = b'y';
                let known = bytes.get(8..12) == known.get(8..12);
                assert_eq!(DeepAttrs::decode(&bytes).is_err(), known);
                assert!(!format!("{:?}", DeepAttrs::unread(&bytes)).is_empty());
                assert!(!compare(&bytes, &other));
                let request = message(&bytes);
                let mut text = String::new();
                write!(text, "{}", Tree::new(&request, Some(&Deep::NEW))).unwrap();
                let indented = text.lines().map(|line| line.len() - line.trim_start().len());
                assert_eq!(indented.max(), Some(4 * depth));
                let place = Deep::NEW.place(&request, request.len() - bytes.len() + 20_000);
                assert_eq!(place.map(|place| place.path.len()), if known { None } else { Some(1) });
            }
        });
        checked.unwrap().join().unwrap();
    }

    /// S-M3
    #[test]
    fn sets_are_compared_in_any_order_and_by_their_counts() {
        let one = |out: &mut Writer| out.put_bytes(3, b"one\0");
        let two = |out: &mut Writer| out.put_bytes(3, b"two\0");
        let mtu = |out: &mut Writer| out.put_bytes(9, &[9]);
        let all = set(|out| (one(out), two(out), mtu(out)).2);
        assert!(compare(&all, &set(|out| (mtu(out), one(out), two(out)).2)));
        assert!(compare(&all, &set(|out| (one(out), mtu(out), two(out)).2)));
        // Those of one number have an order.
        assert!(!compare(&all, &set(|out| (two(out), one(out), mtu(out)).2)));
        // More, fewer, and as many of other numbers.
        for other in [
            set(|out| (one(out), mtu(out)).1),
            set(|out| (one(out), two(out)).1),
            set(|out| (one(out), two(out), mtu(out), mtu(out)).3),
            set(|out| (mtu(out), one(out), two(out), two(out)).3),
            set(|out| (one(out), mtu(out), mtu(out)).2),
            set(|_| {}),
        ] {
            assert!(!compare(&all, &other) && !compare(&other, &all), "{other:?}");
        }
        // Nested, in another order, and of another count there.
        let around = |body: &dyn Fn(&mut Writer)| {
            set(|out| {
                out.put_bytes(1, &[1]);
                out.nest(2, body);
            })
        };
        let inner = around(&|out| (one(out), mtu(out)).1);
        assert!(compare(&inner, &around(&|out| (mtu(out), one(out)).1)));
        assert!(!compare(&inner, &around(&one)));
        // Where nothing tells that it is a set, bytes count.
        let unknown = |first: &dyn Fn(&mut Writer), last: &dyn Fn(&mut Writer)| {
            set(|out| out.nest(2, |out| (first(out), last(out)).1))
        };
        assert!(!compare(&unknown(&one, &mtu), &unknown(&mtu, &one)));
    }

    #[test]
    fn sets_in_lists_and_records_are_compared_in_any_order_too() {
        let kind = |out: &mut Writer| out.put_bytes(1, &[1]);
        let name = |out: &mut Writer| out.put_bytes(3, b"abc\0");
        let both = |swapped: bool| {
            set(|out| if swapped { (name(out), kind(out)).1 } else { (kind(out), name(out)).1 })
        };
        let list = |number, first: &[u8], second: &[u8]| {
            set(|out| {
                out.nest(number, |out| {
                    out.put_bytes(1, first);
                    out.put_bytes(2, second);
                });
            })
        };
        let (a, b, other) = (both(false), both(true), set(kind));
        let inside = |set: &[u8]| list(1, set, &[]).split_off(4);
        for (number, [a, b, other]) in
            [(6, [a.clone(), b.clone(), other.clone()]), (7, [&a, &b, &other].map(|set| inside(set)))]
        {
            assert!(compare(&list(number, &a, &b), &list(number, &b, &a)));
            assert!(!compare(&list(number, &a, &b), &list(number, &b, &other)));
            assert!(!compare(&list(number, &a, &other), &list(number, &other, &b)));
        }
        assert!(!compare(&set(|out| out.nest(6, |out| out.put_bytes(1, &a))), &list(6, &b, &[])));
        let record = |mark, attrs: &[u8]| {
            set(|out| {
                out.put_bytes(
                    5,
                    &[&[u8::try_from(attrs.len() + 8).unwrap(), 0, 0, mark, 0, 0, 0, 0], attrs].concat(),
                )
            })
        };
        assert!(compare(&record(0, &a), &record(0, &b)));
        assert!(!compare(&record(0, &a), &record(1, &b)));
        assert!(!compare(&record(0, &a), &record(0, &other)));
    }

    #[test]
    fn what_is_wrong_in_a_list_is_named_and_a_list_counts_as_a_level() {
        let short = set(|out| out.put_bytes(1, &[]));
        let wrong = set(|out| out.nest(7, |out| out.nest(0, |out| out.nest(0, |out| out.push(&short)))));
        let read = |bytes: &[u8], depth| {
            let scope = Scope { depth, ..Scope::new(&[], Attrs::new(bytes)) };
            DeepAttrs::read(&scope).map(|set| set.lists().is_some())
        };
        assert_eq!(read(&wrong, 0).unwrap_err().at, "R_KIND");
        let right = set(|out| out.nest(7, |out| out.nest(0, |out| out.nest(0, |_| {}))));
        assert_eq!(read(&right, MAX_DEPTH - 4), Ok(true));
        assert_eq!(read(&right, MAX_DEPTH - 1).unwrap_err().at, "D_LISTS");
    }

    #[test]
    fn what_can_not_be_walked_is_the_same_byte_by_byte_only() {
        let sound = set(|out| out.put_bytes(9, &[9]));
        let broken = |claims| [&sound[..], &header(claims, 3)].concat();
        assert!(compare(&broken(9), &broken(9)));
        assert!(!compare(&broken(9), &broken(8)));
        assert!(!compare(&broken(9), &sound) && !compare(&sound, &broken(9)));
    }

    /// S-M3
    #[test]
    fn sixty_thousand_names_in_another_order_are_compared_at_once() {
        let patience = std::env::var("NETLINK_TEST_PATIENCE").ok().and_then(|text| text.parse().ok());
        // Each with each takes minutes; of a fifth of them too, where the processor is emulated.
        let patience: u32 = patience.unwrap_or(1);
        let names = |swapped: bool| {
            set(|out| {
                for n in 0..60_000 / patience {
                    let mut pair = [(3, n), (9 + (n % 2) as u16, 0)];
                    if swapped {
                        pair.reverse();
                    }
                    pair.iter().for_each(|(number, value)| out.put_bytes(*number, &value.to_ne_bytes()));
                }
            })
        };
        let start = std::time::Instant::now();
        assert!(compare(&names(false), &names(true)));
        assert!(start.elapsed().as_secs() < 20 * u64::from(patience), "{:?}", start.elapsed());
    }

    #[test]
    fn places_are_found_inside_of_records_and_on_headers() {
        let attrs = set(|out| {
            out.put_bytes(1, &[1]);
            let start = out.open(5);
            out.push(&[16, 0, 0, 0, 0, 0, 0, 0]);
            out.put_bytes(3, b"abc\0");
            out.push(&[24, 0, 0, 0, 0, 0, 0, 0]);
            out.put_bytes(1, &[1]);
            out.put_bytes(3, b"def\0");
            out.close(start);
        });
        let bytes = message(&attrs);
        // Behind the frame and D_KIND: the header of D_RECORDS at 24, the first record at 28, the second at 44.
        let place = |offset| Deep::NEW.place(&bytes, offset).map(|place| format!("{place}"));
        for (offset, at) in [
            (16, Some("D_KIND")),
            (20, Some("D_KIND")),
            (24, Some("D_RECORDS")),
            (27, Some("D_RECORDS")),
            (28, Some("D_RECORDS")),
            (35, Some("D_RECORDS")),
            (51, Some("D_RECORDS")),
            (36, Some("D_RECORDS.R_NAME")),
            (43, Some("D_RECORDS.R_NAME")),
            (52, Some("D_RECORDS.R_KIND")),
            (60, Some("D_RECORDS.R_NAME")),
            (67, Some("D_RECORDS.R_NAME")),
            (68, None),
            (0, None),
            (15, None),
        ] {
            assert_eq!(place(offset).as_deref(), at, "{offset}");
        }
    }
}
