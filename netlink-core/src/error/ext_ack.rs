//! The extended acknowledgement: what the kernel says beside an errno.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::Escaped;
use super::asked::Asked;
use super::place::{Place, Step};
use crate::attr::{Attrs, Payload, Row, Shape};
use crate::payload::{Bytes, Str};
use crate::{attrs, values};

attrs! {
    /// `NLMSGERR_ATTR_*`: what the kernel says beside an errno. Linux 4.12.
    pub struct ExtAckAttrs<'a> for ExtAckBuilder {
        /// A text for people.
        1 NLMSGERR_ATTR_MSG message: Str<'a>,
        /// Where the offending attribute stands in the request, from its `nlmsghdr` on.
        2 NLMSGERR_ATTR_OFFS offset: u32,
        /// What the family hands back on success, `NL80211_ATTR_COOKIE` for example.
        3 NLMSGERR_ATTR_COOKIE cookie: Bytes<'a>,
        /// What the attribute may hold. Linux 5.10.
        4 NLMSGERR_ATTR_POLICY policy: PolicyAttrs<'a>,
        /// Number of an attribute that is missing. Linux 6.1.
        5 NLMSGERR_ATTR_MISS_TYPE missing: u32,
        /// Where the set stands that misses it; absent for the outermost. Linux 6.1.
        6 NLMSGERR_ATTR_MISS_NEST missing_in: u32,
    }
}

values! {
    /// `enum netlink_attribute_type`: what the kernel's policy takes.
    pub struct PolicyType: u32 {
        /// Nothing is valid.
        0 NL_ATTR_TYPE_INVALID INVALID "invalid",
        /// No payload.
        1 NL_ATTR_TYPE_FLAG FLAG "flag",
        /// One byte.
        2 NL_ATTR_TYPE_U8 U8 "u8",
        /// Two bytes.
        3 NL_ATTR_TYPE_U16 U16 "u16",
        /// Four bytes.
        4 NL_ATTR_TYPE_U32 U32 "u32",
        /// Eight bytes.
        5 NL_ATTR_TYPE_U64 U64 "u64",
        /// One byte, signed.
        6 NL_ATTR_TYPE_S8 S8 "s8",
        /// Two bytes, signed.
        7 NL_ATTR_TYPE_S16 S16 "s16",
        /// Four bytes, signed.
        8 NL_ATTR_TYPE_S32 S32 "s32",
        /// Eight bytes, signed.
        9 NL_ATTR_TYPE_S64 S64 "s64",
        /// Bytes.
        10 NL_ATTR_TYPE_BINARY BINARY "binary",
        /// Text, with or without its NUL.
        11 NL_ATTR_TYPE_STRING STRING "string",
        /// Text with its NUL.
        12 NL_ATTR_TYPE_NUL_STRING NUL_STRING "nul-string",
        /// Attributes.
        13 NL_ATTR_TYPE_NESTED NESTED "nested",
        /// A run of sets.
        14 NL_ATTR_TYPE_NESTED_ARRAY NESTED_ARRAY "nested-array",
        /// Value and selector.
        15 NL_ATTR_TYPE_BITFIELD32 BITFIELD32 "bitfield32",
        /// Four or eight bytes, signed.
        16 NL_ATTR_TYPE_SINT SINT "sint",
        /// Four or eight bytes.
        17 NL_ATTR_TYPE_UINT UINT "uint",
    }
}

attrs! {
    /// `NL_POLICY_TYPE_ATTR_*`: what the kernel accepts for an attribute. Linux 5.10.
    pub struct PolicyAttrs<'a> for Policy {
        /// The type.
        1 NL_POLICY_TYPE_ATTR_TYPE kind: PolicyType,
        /// Least signed value.
        2 NL_POLICY_TYPE_ATTR_MIN_VALUE_S min_signed: i64,
        /// Greatest signed value.
        3 NL_POLICY_TYPE_ATTR_MAX_VALUE_S max_signed: i64,
        /// Least unsigned value.
        4 NL_POLICY_TYPE_ATTR_MIN_VALUE_U min: u64,
        /// Greatest unsigned value.
        5 NL_POLICY_TYPE_ATTR_MAX_VALUE_U max: u64,
        /// Fewest bytes.
        6 NL_POLICY_TYPE_ATTR_MIN_LENGTH min_length: u32,
        /// Most bytes.
        7 NL_POLICY_TYPE_ATTR_MAX_LENGTH max_length: u32,
        /// In a policy dump: the policy of a nested set.
        8 NL_POLICY_TYPE_ATTR_POLICY_IDX policy_index: u32,
        /// In a policy dump: greatest attribute number of the nested set.
        9 NL_POLICY_TYPE_ATTR_POLICY_MAXTYPE policy_max_type: u32,
        /// Bits that a bitfield may select.
        10 NL_POLICY_TYPE_ATTR_BITFIELD32_MASK bitfield_mask: u32,
        /// Bits that may be set.
        12 NL_POLICY_TYPE_ATTR_MASK mask: u64,
    }
}

impl fmt::Display for PolicyAttrs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind().unwrap_or_default())?;
        if let (Some(min), Some(max)) = (self.min(), self.max()) {
            write!(f, " {min} to {max}")?;
        }
        if let (Some(min), Some(max)) = (self.min_signed(), self.max_signed()) {
            write!(f, " {min} to {max}")?;
        }
        match (self.min_length(), self.max_length()) {
            (Some(min), Some(max)) if min == max => write!(f, " of {min} bytes")?,
            (Some(min), Some(max)) => write!(f, " of {min} to {max} bytes")?,
            (Some(min), None) => write!(f, " of at least {min} bytes")?,
            (None, Some(max)) => write!(f, " of at most {max} bytes")?,
            (None, None) => {}
        }
        if let Some(mask) = self.mask().or_else(|| self.bitfield_mask().map(u64::from)) {
            write!(f, " within the bits {mask:#x}")?;
        }
        Ok(())
    }
}

/// What the kernel says beside an errno: about a failure, or as a warning on success.
#[derive(Clone)]
pub struct ExtAck {
    pub(super) asked: Asked,
    attrs: Box<[u8]>,
}

impl ExtAck {
    #[cfg(any(feature = "testkit", all(feature = "std", target_os = "linux")))]
    pub(crate) fn new(asked: Asked, attrs: &[u8]) -> Self {
        Self { asked, attrs: attrs.into() }
    }

    /// Everything it says; nothing, if that can't be read.
    pub fn attrs(&self) -> ExtAckAttrs<'_> {
        ExtAckAttrs::decode(&self.attrs).unwrap_or_default()
    }

    /// The kernel's text.
    pub fn message(&self) -> Option<&str> {
        let attrs: &[u8] = &self.attrs;
        let text = Attrs::new(attrs).find(1)?;
        Str::<'_, 65_530>::decode(text).ok()?.as_str()
    }

    /// What the family hands back.
    pub fn cookie(&self) -> Option<&[u8]> {
        let attrs: &[u8] = &self.attrs;
        Attrs::new(attrs).find(3)
    }

    /// The attribute the kernel points at.
    pub fn attribute(&self) -> Option<Place> {
        self.asked.info.place(&self.asked.bytes, usize::try_from(self.attrs().offset()?).ok()?)
    }

    /// The attribute the kernel misses.
    pub fn missing(&self) -> Option<Place> {
        let attrs = self.attrs();
        let number = u16::try_from(attrs.missing()?).ok()?;
        let mut place = match attrs.missing_in() {
            Some(offset) => self.asked.info.place(&self.asked.bytes, usize::try_from(offset).ok()?)?,
            None => Place { path: Vec::new(), row: None, table: Some(self.asked.info.table), payload: 0..0 },
        };
        place.row = place.table.and_then(|table| table.row(number));
        place.path.push(Step { number, c_name: place.row.map(|row| row.c_name) });
        Some(place)
    }

    /// Whether it points at an attribute: there, or missing.
    pub(super) fn points(&self) -> bool {
        self.attribute().is_some() || self.missing().is_some()
    }

    /// The bytes of the request, its `nlmsghdr` included.
    pub fn request(&self) -> &[u8] {
        &self.asked.bytes
    }

    /// The request's message type, such as `RTM_NEWLINK`.
    pub fn request_name(&self) -> &'static str {
        self.asked.info.c_name
    }
}

/// What it says behind an errno: `: a text; at IFLA_MTU = 1; allowed is u32 68 to 65535`.
impl fmt::Display for ExtAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(message) = self.message() {
            write!(f, ": {}", Escaped(message))?;
        }
        if let Some(place) = self.attribute() {
            write!(f, "; at {place}")?;
            if let Some(Row { shape: Shape::Value(show) | Shape::Named(show), .. }) = place.row {
                f.write_str(" = ")?;
                show(self.asked.bytes.get(place.payload).unwrap_or_default(), f)?;
            }
        }
        if let Some(policy) = self.attrs().policy() {
            write!(f, "; allowed is {policy}")?;
        }
        match self.missing() {
            Some(missing) => write!(f, "; {missing} is missing"),
            None => Ok(()),
        }
    }
}

/// The name of the request, and what it says.
impl fmt::Debug for ExtAck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.asked.debug(&format_args!("{}{self}", self.request_name()), f)
    }
}
