//! What attributes carry: integers, text, addresses, lists.

mod addr;
mod headed;
mod int;
mod list;
mod text;

pub use addr::{HwAddr, HwAddrError};
pub use headed::Headed;
pub use int::{Be, Flag, Uint};
pub use list::{Array, Counted, Elements, Form, Indexed, List, Many, Repeated};
pub use text::{Bytes, Raw, Str};
