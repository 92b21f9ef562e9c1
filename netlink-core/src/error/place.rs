//! Where an attribute stands in a message.

use alloc::vec::Vec;
use core::fmt;

use crate::attr::{Attrs, MAX_DEPTH, Row, Scope, Shape, Table};
use crate::message::HEADER_LEN;
use crate::request::MessageInfo;

/// One step of a path to an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The attribute's number.
    pub number: u16,
    /// Its name, if the table has a row for it.
    pub c_name: Option<&'static str>,
}

/// Where an attribute stands in a message. Prints as `IFLA_LINKINFO.IFLA_INFO_DATA.IFLA_VXLAN_ID`.
#[derive(Clone)]
pub struct Place {
    /// From the outside in.
    pub path: Vec<Step>,
    pub(super) row: Option<&'static Row>,
    pub(super) table: Option<&'static Table>,
    pub(super) payload: core::ops::Range<usize>,
}

impl Place {
    /// Whether the innermost attribute is the one of this C name.
    pub fn is(&self, c_name: &str) -> bool {
        self.path.last().is_some_and(|step| step.c_name == Some(c_name))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.path.iter().enumerate() {
            let dot = if at == 0 { "" } else { "." };
            match step.c_name {
                Some(c_name) => write!(f, "{dot}{c_name}")?,
                None => write!(f, "{dot}{}", step.number)?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl MessageInfo {
    /// The attribute that the byte at `offset` of `message` belongs to; `message` starts with its `nlmsghdr`.
    pub fn place(&self, message: &[u8], offset: usize) -> Option<Place> {
        let start = HEADER_LEN + self.header.size.next_multiple_of(4);
        let header = message.get(HEADER_LEN..start.min(message.len()))?;
        let mut place =
            Place { path: Vec::new(), row: None, table: Some(self.table), payload: start..message.len() };
        let mut shape = Some(Shape::Set(self.table));
        while place.path.len() < MAX_DEPTH.into() {
            let set = message.get(place.payload.clone())?;
            let mut inner = place.payload.start;
            let mut attrs = Attrs::new(set);
            let scope = Scope::new(header, attrs);
            let (table, item) = match shape {
                Some(Shape::Set(table)) => (Some(table), None),
                Some(Shape::Indexed(item)) => (None, Some(*item)),
                Some(Shape::Records(table, find)) => {
                    // Skip whole records, then walk the attributes of the one that holds the offset.
                    let (first, next) = record_at(set, offset.checked_sub(inner)?, find)?;
                    attrs = Attrs::new(set.get(first..next)?);
                    inner += first;
                    (Some(table), None)
                }
                _ => (None, None),
            };
            place.table = table;
            let end = inner + attrs.rest().len();
            let hit = loop {
                let attr = attrs.next()?.ok()?;
                let after = end - attrs.rest().len();
                if offset < after {
                    break attr;
                }
                inner = after;
            };
            if offset < inner {
                return None;
            }
            place.row = table.and_then(|table| table.row(hit.number));
            place.path.push(Step { number: hit.number, c_name: place.row.map(|row| row.c_name) });
            place.payload = inner + 4..inner + 4 + hit.payload.len();
            shape = match (item, place.row) {
                (Some(item), _) => Some(item),
                (None, Some(row)) => Some(row.shape),
                (None, None) => None,
            };
            // A selecting shape looks at the set that holds the attribute, so choose before going in.
            if let Some(Shape::Select { choose, .. }) = shape {
                shape = choose(&scope).map(|content| content.shape);
            }
            place.table = match shape {
                Some(Shape::Set(table) | Shape::Records(table, _)) => Some(table),
                _ => None,
            };
            let inside = offset >= inner + 4 && place.payload.contains(&offset);
            if !inside || matches!(shape, None | Some(Shape::Value(_) | Shape::Named(_))) {
                return Some(place);
            }
        }
        None
    }
}

/// The attributes of the record that holds `offset`, as a range of `bytes`.
fn record_at(
    bytes: &[u8],
    offset: usize,
    find: fn(&[u8]) -> Option<(usize, usize)>,
) -> Option<(usize, usize)> {
    let mut start = 0;
    loop {
        let (attrs, next) = find(bytes.get(start..)?)?;
        if offset < start + next {
            return Some((start + attrs, (start + next).min(bytes.len())));
        }
        start += next.max(1);
    }
}
