//! Typed messages: a message that decodes can be printed, serialized, copied, compared, and written again.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use netlink_core::message::HEADER_LEN;
use netlink_core::testkit::Rewrite as _;
use netlink_core::{
    Attrs, Message, MessageFlags, MessageHeader, MessageInfo, MessageType, Messages, Numbered, Owned, Scope,
    Shape, Writer,
};

/// One message type: its infos, and the checks of a body.
pub struct Typed {
    /// All its infos.
    pub infos: &'static [MessageInfo],
    check: fn(&Message<'_>, Options),
}

/// Expensive checks are made with few inputs only.
#[derive(Clone, Copy)]
struct Options(u8);

impl Options {
    fn pretty(self) -> bool {
        self.0 % 16 == 1
    }

    fn json(self) -> bool {
        self.0 % 16 < 2
    }

    fn text(self) -> bool {
        self.0 % 8 < 2
    }

    /// The message to compare with: the same in another order, or with a changed byte.
    fn other(self, body: &[u8], header: usize) -> Vec<u8> {
        let mut other = body.to_vec();
        match self.0 / 16 {
            0 => {
                let set = body.get(header..).unwrap_or_default();
                let attrs: Vec<&[u8]> = pieces(set);
                other.truncate(header);
                other.extend(attrs.into_iter().rev().flatten());
            }
            _ => {
                let at = usize::from(self.0 / 16) * body.len() / 16;
                if let Some(byte) = other.get_mut(at) {
                    *byte ^= 1 << (self.0 % 8);
                }
            }
        }
        other
    }
}

/// The attributes of a set with their headers and padding; one piece if it can't be walked.
fn pieces(set: &[u8]) -> Vec<&[u8]> {
    let mut walk = Attrs::new(set);
    let (mut pieces, mut rest) = (Vec::new(), set);
    while let Some(attr) = walk.next() {
        if attr.is_err() || walk.rest().len() % 4 != 0 {
            return vec![set];
        }
        pieces.push(&rest[..rest.len() - walk.rest().len()]);
        rest = walk.rest();
    }
    if rest.is_empty() { pieces } else { vec![set] }
}

/// The parts that are equal in equal payloads. For a set: the payloads of each number in order. For lists and
/// records: the content of each, and the rest. For a payload that can't be walked: its bytes.
#[derive(PartialEq)]
enum Canon {
    Bytes(Vec<u8>),
    Set(BTreeMap<u16, Vec<Self>>),
    List(Vec<(u16, Self)>, Vec<u8>),
    Records(Vec<(Vec<u8>, Self)>, Vec<u8>),
}

impl Canon {
    /// `None`: deeper than any real nesting.
    fn of(header: &[u8], shape: Option<Shape>, payload: &[u8], depth: usize) -> Option<Self> {
        let attrs = Attrs::new(payload);
        let bytes = || Some(Self::Bytes(payload.to_vec()));
        let sound = !attrs.clone().any(|attr| attr.is_err());
        let depth = match shape {
            Some(Shape::Set(_) | Shape::Indexed(_)) if !sound => return bytes(),
            None | Some(Shape::Value(_) | Shape::Named(_) | Shape::Select { .. }) => return bytes(),
            _ => depth.checked_sub(1)?,
        };
        Some(match shape? {
            Shape::Set(table) => {
                // A choice reads the set.
                let mut chosen: BTreeMap<u16, Option<Shape>> = BTreeMap::new();
                let mut canon: BTreeMap<u16, Vec<Self>> = BTreeMap::new();
                for attr in attrs.clone().flatten() {
                    let inner =
                        *chosen.entry(attr.number).or_insert_with(|| match table.row(attr.number)?.shape {
                            Shape::Select { choose, .. } => {
                                choose(&Scope::new(header, attrs.clone())).map(|content| content.shape)
                            }
                            shape => Some(shape),
                        });
                    canon.entry(attr.number).or_default().push(Self::of(header, inner, attr.payload, depth)?);
                }
                Self::Set(canon)
            }
            Shape::Indexed(item) => {
                let mut items = Vec::new();
                let mut walk = attrs;
                while let Some(Ok(attr)) = walk.next() {
                    items.push((attr.number, Self::of(header, Some(*item), attr.payload, depth)?));
                }
                Self::List(items, walk.rest().to_vec())
            }
            Shape::Headed(size, table) => match payload.split_at_checked(size) {
                None => Self::Bytes(payload.to_vec()),
                Some((header, _)) => {
                    let (front, set) = payload.split_at(size.next_multiple_of(4).min(payload.len()));
                    let set = Self::of(header, Some(Shape::Set(table)), set, depth)?;
                    Self::Records(vec![(front.to_vec(), set)], Vec::new())
                }
            },
            Shape::Records(table, find) => {
                let (mut records, mut rest) = (Vec::new(), payload);
                while let Some((first, next)) = find(rest).filter(|(_, next)| *next > 0) {
                    let (record, others) = rest.split_at(next.min(rest.len()));
                    let (front, set) = record.split_at(first.min(record.len()));
                    records.push((front.to_vec(), Self::of(header, Some(Shape::Set(table)), set, depth)?));
                    rest = others;
                }
                Self::Records(records, rest.to_vec())
            }
            Shape::Value(_) | Shape::Named(_) | Shape::Select { .. } => return None,
        })
    }
}

/// A writer that drops all text.
struct Nowhere;

impl fmt::Write for Nowhere {
    fn write_str(&mut self, _: &str) -> fmt::Result {
        Ok(())
    }
}

/// Prints values that have a `Display`: of these traits, the first that fits needs one reference less.
struct Shown<'v, T>(&'v T);

trait Displayed {
    fn show(&self);
}

impl<T: fmt::Display> Displayed for Shown<'_, T> {
    fn show(&self) {
        write!(Nowhere, "{}", self.0).expect("a value prints");
    }
}

trait Undisplayed {
    fn show(&self);
}

impl<T> Undisplayed for &Shown<'_, T> {
    fn show(&self) {}
}

macro_rules! types {
    ($($type:ty),* $(,)?) => {
        /// Every message type of the families.
        pub const TYPES: &[Typed] = &[$(Typed { infos: <$type>::MESSAGES, check: {
            fn check(message: &Message<'_>, options: Options) {
                let Ok(read) = <$type>::read(message) else { return };
                if options.pretty() {
                    write!(Nowhere, "{read:#?}").expect("a value prints");
                }
                if options.text() {
                    write!(Nowhere, "{read:?}").expect("a value prints");
                    (&Shown(&read)).show();
                }
                if options.json() {
                    serde_json::to_writer(std::io::sink(), &read).expect("every value serializes");
                }

                // A copy is equal.
                assert!(read == read, "not equal to itself");
                let kept = read.clone().into_owned();
                assert!(kept == read && read == kept, "kept");
                assert_eq!(kept.message_flags(), read.message_flags());
                let owned = Owned::<$type>::new(message);
                assert_eq!(owned.bytes(), message.body);
                assert!(owned.view().expect("what was read reads again") == read, "kept in the least room");
                assert!(owned == owned.clone());

                let info = &<$type>::MESSAGES[0];
                let same_header = |other: &[u8]| other.get(..info.header.size) == message.body.get(..info.header.size);
                let header_len = info.header.size.next_multiple_of(4).min(message.body.len());
                let (header, set) = message.body.split_at(header_len);
                let family = header.first().copied().unwrap_or_default();

                // Written with the types of its rows, it is unchanged.
                let mut out = Writer::new();
                read.attrs().rewrite(&mut out);
                if out.error().is_none() {
                    let body = [header, out.as_slice()].concat();
                    let rewritten = Message { header: message.header, body: &body };
                    let again = <$type>::read(&rewritten).expect("what was written reads");
                    let field = read.attrs().difference(again.attrs());
                    assert!(field.is_none(), "{} is another one when it is written", field.unwrap_or_default());
                    let mut twice = Writer::new();
                    again.attrs().rewrite(&mut twice);
                    let body = [header, twice.as_slice()].concat();
                    let twice = <$type>::read(&Message { header: message.header, body: &body });
                    let twice = twice.expect("what was written twice reads");
                    let field = again.attrs().difference(twice.attrs());
                    assert!(field.is_none(), "{} is another one when written twice", field.unwrap_or_default());
                }

                // Equality compares the attributes in any order.
                let body = options.other(message.body, header_len);
                let other = Message { header: message.header, body: &body };
                if let Ok(other) = <$type>::read(&other) {
                    let canon = |set| Canon::of(&[family], Some(Shape::Set(info.table)), set, 12);
                    let equal = read == other;
                    assert_eq!(equal, other == read, "equality has a direction");
                    assert_eq!(equal, read.clone().into_owned() == other.clone().into_owned(), "equality of what is kept");
                    let canons = (canon(set), canon(body.get(header_len..).unwrap_or_default()));
                    if let (Some(a), Some(b)) = canons {
                        // Padding of the fixed header is compared.
                        assert_eq!(equal, a == b && same_header(&body), "equal: {read:?} {other:?}");
                    }
                }
            }
            check
        } }),*];
    };
}

include!(concat!(env!("OUT_DIR"), "/types.rs"));

/// Input: a type, the checks, flags, and a body; one message of the type.
pub fn messages(bytes: &[u8]) {
    let Some((&[number, options, flags], body)) = bytes.split_first_chunk() else { return };
    let Some(typed) = TYPES.get(usize::from(number) % TYPES.len()) else { return };
    let Some(info) = typed.infos.first() else { return };
    let length = u32::try_from(HEADER_LEN + body.len()).unwrap_or(u32::MAX);
    let header = MessageHeader::default().length(length).flags(MessageFlags::from_bits_retain(flags.into()));
    let message = Message { header: header.kind(MessageType(info.number)), body };
    (typed.check)(&message, Options(options));
}

/// The seeds of [`messages`]: the messages of these datagrams, as each type with their number; and for each
/// type, one of the size of a datagram.
pub(crate) fn seeds(datagrams: &[(std::path::PathBuf, Vec<u8>)]) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut seeds = Vec::new();
    let number = |index: usize| u8::try_from(index).expect("fewer than 256 types");
    for (path, datagram) in datagrams {
        for message in Messages::new(datagram).flatten() {
            for (index, typed) in TYPES.iter().enumerate() {
                let is_it = typed.infos.iter().any(|info| match info.numbered {
                    Numbered::ByType => info.number == message.header.kind.0,
                    Numbered::ByCommand => {
                        message.body.first().is_some_and(|command| u16::from(*command) == info.number)
                    }
                });
                if is_it {
                    // Different options for each, so that all options are used.
                    let options = number(seeds.len() % 256);
                    seeds.push((path.clone(), [&[number(index), options, 0], message.body].concat()));
                }
            }
        }
    }
    for (index, typed) in TYPES.iter().enumerate() {
        let Some(info) = typed.infos.first() else { continue };
        for row in info.table.rows {
            if matches!(row.shape, Shape::Value(_) | Shape::Named(_)) {
                continue;
            }
            let mut body = vec![0; info.header.size.next_multiple_of(4)];
            // Repeated until the message is full: empty, and with content.
            for inside in (0..).map(|number: u16| [&4u16.to_ne_bytes()[..], &number.to_ne_bytes()].concat()) {
                let inside = if body.len() % 8 == 0 { inside.as_slice() } else { &[] };
                let length = u16::try_from(4 + inside.len()).expect("a few bytes");
                body.extend(length.to_ne_bytes());
                body.extend(row.number.to_ne_bytes());
                body.extend(inside);
                if body.len() > 60_000 {
                    break;
                }
            }
            seeds.push((typed.infos[0].c_name.into(), [&[number(index), 2, 0], body.as_slice()].concat()));
        }
    }
    seeds
}
