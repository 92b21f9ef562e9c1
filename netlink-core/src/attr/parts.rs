//! One level of a message by its tables: what errors, traces, `Debug` and equality walk.

use super::{ATTR_HEADER, Attr, Attrs, Chosen, MAX_DEPTH, Malformed, Row, Scope, Shape, Table, split};

/// What stands side by side in a payload of some shape: the attributes of a set, the items of a list, records.
pub(crate) struct Parts<'a> {
    shape: Shape,
    /// Around them; its set is the payload.
    scope: Scope<'a>,
    rest: &'a [u8],
    chosen: Chosen,
}

/// One of them.
pub(crate) struct Part<'a> {
    /// `None` for a record.
    pub(crate) attr: Option<Attr<'a>>,
    /// What stands in front of the payload: an attribute's header, or the struct of a record.
    pub(crate) header: &'a [u8],
    pub(crate) row: Option<&'static Row>,
    /// What is inside; `None` if that can't be known.
    pub(crate) shape: Option<Shape>,
    /// Around what is inside; its set is the payload.
    pub(crate) scope: Scope<'a>,
    /// Where it begins in the payload that it is a part of, and where the next one does.
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl<'a> Parts<'a> {
    /// Of the payload that is the set of `scope`.
    pub(crate) fn new(shape: Shape, scope: Scope<'a>) -> Self {
        Self { shape, scope, rest: scope.set.rest(), chosen: Chosen::default() }
    }

    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// What is no part, or was not walked yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The part that begins at `start` and is this attribute.
    pub(super) fn attr(&mut self, attr: Attr<'a>, start: usize) -> Part<'a> {
        let row = match self.shape {
            Shape::Set(table) => table.row(attr.number),
            _ => None,
        };
        let shape = match self.shape {
            Shape::Indexed(item) => Some(*item),
            _ => row.and_then(|row| self.chosen.shape(row, &self.scope)),
        };
        let all = self.scope.set.rest();
        let (inner, scope) = (start + ATTR_HEADER, self.scope.inside(attr.payload));
        let header = all.get(start..inner).unwrap_or_default();
        let end = super::align4(inner + attr.payload.len()).min(all.len());
        Part { attr: Some(attr), header, row, shape, scope, start, end }
    }

    /// The record that begins at `start` and is so long: a struct of `size` bytes, and attributes of the table.
    fn record(&self, start: usize, size: usize, table: &'static Table, length: usize) -> Part<'a> {
        let record = self.rest.get(..length).unwrap_or(self.rest);
        let (header, attrs) = record.split_at_checked(size).unwrap_or((record, &[]));
        let (end, scope) = (start + record.len(), self.scope.inside(attrs));
        Part { attr: None, header, row: None, shape: Some(Shape::Set(table)), scope, start, end }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Result<Part<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let all = self.scope.set.rest();
        let start = all.len() - self.rest.len();
        let part = match self.shape {
            Shape::Records(table, find) => {
                let (first, next) = find(self.rest).filter(|(_, next)| *next > 0)?;
                self.record(start, first, table, next)
            }
            Shape::Headed(size, table) => {
                let (header, set) = split(self.rest, size)?;
                let part = self.record(start, self.rest.len() - set.len(), table, self.rest.len());
                Part { scope: Scope { header, ..part.scope }, ..part }
            }
            _ => {
                let mut attrs = Attrs::new(self.rest);
                match attrs.next()? {
                    Ok(attr) => self.attr(attr, start),
                    Err(why) => {
                        self.rest = &[];
                        return Some(Err(why));
                    }
                }
            }
        };
        self.rest = all.get(part.end..).unwrap_or_default();
        Some(Ok(part))
    }
}

impl<'a> Part<'a> {
    /// Whether both are the attribute of a number, or records with equal structs.
    pub(super) fn is_named_as(&self, other: &Self) -> bool {
        match (self.attr, other.attr) {
            (Some(a), Some(b)) => a.number == b.number,
            _ => self.header == other.header,
        }
    }

    pub(crate) fn payload(&self) -> &'a [u8] {
        self.scope.set.rest()
    }

    /// What is inside; `None` for a value, and deeper than any table goes.
    pub(crate) fn parts(&self) -> Option<Parts<'a>> {
        match self.shape? {
            Shape::Value(_) | Shape::Named(_) => None,
            _ if self.scope.depth >= MAX_DEPTH => None,
            shape => Some(Parts::new(shape, self.scope)),
        }
    }
}
