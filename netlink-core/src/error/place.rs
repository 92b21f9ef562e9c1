//! Where an attribute stands in a message.

use alloc::vec::Vec;
use core::fmt;

use crate::attr::{Attrs, Parts, Row, Scope, Shape, Table};
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
        let set = Attrs::new(message.get(start..)?);
        let mut place =
            Place { path: Vec::new(), row: None, table: Some(self.table), payload: start..message.len() };
        let mut parts = Parts::new(Shape::Set(self.table), Scope::new(header, set));
        loop {
            let around = place.payload.start;
            let part = loop {
                let part = parts.next()?.ok()?;
                if offset < around + part.end {
                    break part;
                }
            };
            if offset < around + part.start {
                return None;
            }
            if let Some(attr) = part.attr {
                place.row = part.row;
                place.path.push(Step { number: attr.number, c_name: part.row.map(|row| row.c_name) });
            }
            place.table = match part.shape {
                Some(Shape::Set(table) | Shape::Headed(_, table) | Shape::Records(table, _)) => Some(table),
                _ => None,
            };
            let payload = around + part.start + part.header.len();
            place.payload = payload..payload + part.payload().len();
            let is_value = matches!(part.shape, None | Some(Shape::Value(_) | Shape::Named(_)));
            if is_value || !place.payload.contains(&offset) {
                return Some(place);
            }
            parts = part.parts()?;
        }
    }
}
