//! Tables as data: what error paths, traces, `Debug` and tools read.

use core::fmt;

use super::{Attr, Attrs, Hex, Malformed, Rule, Scope};

/// Rows of one attribute set, as data.
#[derive(Debug)]
pub struct Table {
    /// Rust name of the set.
    pub name: &'static str,
    /// One row per attribute.
    pub rows: &'static [Row],
    /// Which payloads each number takes.
    pub rules: &'static [Rule],
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
    /// The C name of this number; empty without a row.
    pub fn c_name(&self, number: u16) -> &'static str {
        self.row(number).map_or("", |row| row.c_name)
    }

    /// The row of this number.
    pub fn row(&self, number: u16) -> Option<&'static Row> {
        self.rows.iter().find(|row| row.number == number)
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
    /// Attributes whose table depends on the neighbours.
    Select(fn(&Scope<'_>) -> Option<&'static Table>),
    /// A run of attributes numbered as an index, each of this shape.
    Indexed(&'static Self),
    /// Attribute sets behind fixed headers of their own; the function tells where the attributes of the
    /// first one begin and where the next one starts.
    Records(&'static Table, fn(&[u8]) -> Option<(usize, usize)>),
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(_) => f.write_str("Value"),
            Self::Named(_) => f.write_str("Named"),
            Self::Set(table) => write!(f, "Set({})", table.name),
            Self::Select(_) => f.write_str("Select"),
            Self::Indexed(shape) => write!(f, "Indexed({shape:?})"),
            Self::Records(table, _) => write!(f, "Records({})", table.name),
        }
    }
}

/// Whether two sets hold the same: every attribute with the same payload, in any order.
#[doc(hidden)]
pub fn same(family: u8, table: Option<&'static Table>, a: Attrs<'_>, b: Attrs<'_>) -> bool {
    // What can't be walked to its end is the same only byte by byte.
    if a == b || a.chain(b).any(|attr| attr.is_err()) {
        return a == b;
    }
    if a.count() != b.count() {
        return false;
    }
    fn of(set: Attrs<'_>, number: u16) -> impl Iterator<Item = Attr<'_>> {
        set.flatten().filter(move |attr| attr.number == number)
    }
    a.flatten().all(|attr| {
        let shape = table.and_then(|table| table.row(attr.number)).map(|row| row.shape);
        let inner = match shape {
            Some(Shape::Set(inner)) => Some(inner),
            Some(Shape::Select(select)) => select(&Scope { header: &[family], set: a }),
            _ => None,
        };
        let mut pairs = of(a, attr.number).zip(of(b, attr.number));
        of(a, attr.number).count() == of(b, attr.number).count()
            && pairs.all(|(x, y)| match inner {
                Some(_) => same(family, inner, Attrs::new(x.payload), Attrs::new(y.payload)),
                None => x.payload == y.payload,
            })
    })
}

/// Prints a set by its table: field names, then values, in the order they stand.
#[doc(hidden)]
pub fn debug(f: &mut fmt::Formatter<'_>, family: u8, table: &'static Table, set: Attrs<'_>) -> fmt::Result {
    let mut out = f.debug_struct(table.name);
    for attr in set.flatten() {
        match table.row(attr.number) {
            Some(row) => {
                out.field(row.field, &Shown { family, shape: row.shape, payload: attr.payload, set })
            }
            None => out.field("unknown", &format_args!("{}: {}", attr.number, Hex(attr.payload))),
        };
    }
    out.finish()
}

/// Prints a payload that is no value of its type.
#[doc(hidden)]
#[cold]
pub fn debug_wrong(f: &mut fmt::Formatter<'_>, payload: &[u8], why: Malformed) -> fmt::Result {
    write!(f, "{} ({why})", Hex(payload))
}

struct Shown<'a> {
    family: u8,
    shape: Shape,
    payload: &'a [u8],
    set: Attrs<'a>,
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = match self.shape {
            Shape::Value(show) | Shape::Named(show) => return show(self.payload, f),
            Shape::Set(table) => Some(table),
            Shape::Select(select) => select(&Scope { header: &[self.family], set: self.set }),
            Shape::Indexed(item) => {
                let items = Attrs::new(self.payload).flatten().map(|attr| attr.payload);
                let items = items.map(|payload| Shown { shape: *item, payload, ..*self });
                return f.debug_list().entries(items).finish();
            }
            Shape::Records(table, find) => {
                let records = records(self.payload, find);
                let sets =
                    records.map(|(_, attrs)| Shown { shape: Shape::Set(table), payload: attrs, ..*self });
                return f.debug_list().entries(sets).finish();
            }
        };
        match table {
            Some(table) => debug(f, self.family, table, Attrs::new(self.payload)),
            None => fmt::Display::fmt(&Hex(self.payload), f),
        }
    }
}

/// The records of a [`Shape::Records`] payload: fixed header and attributes of each.
pub(crate) fn records(
    mut bytes: &[u8],
    find: fn(&[u8]) -> Option<(usize, usize)>,
) -> impl Iterator<Item = (&[u8], &[u8])> {
    core::iter::from_fn(move || {
        let (start, next) = find(bytes).filter(|(_, next)| *next > 0)?;
        let record = bytes.get(..next).unwrap_or(bytes);
        bytes = bytes.get(next..).unwrap_or_default();
        Some(record.split_at_checked(start).unwrap_or((record, &[])))
    })
}
