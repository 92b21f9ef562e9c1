//! Texts that could not be parsed.

use alloc::boxed::Box;
use core::fmt;

/// Most bytes of a text that an error repeats.
const MOST: usize = 80;

/// The text that an error of `FromStr` is about: of a file with a hundred addresses it says which. Prints as
/// `"10.0.0" is `, as nothing where there was no text, and never holds more than its first 80 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quoted(Option<Box<str>>);

impl Quoted {
    /// No text: a value that was wrong already.
    pub const NONE: Self = Self(None);

    /// A text, cut where it is long.
    #[cold]
    pub fn new(text: &str) -> Self {
        let mut end = text.len().min(MOST);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Self(text.get(..end).map(Box::from))
    }

    /// The text, or its beginning.
    pub fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().map_or(Ok(()), |text| write!(f, "{text:?} is "))
    }
}
