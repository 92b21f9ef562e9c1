//! What a family crate offers beside its own, with `pub use netlink_core::family::*`: every name that its users meet in
//! a signature, so that they depend on the family alone. The core has all of it at its root.

pub use crate::attr::{
    Attr, Attrs, Content, DecodeError, IntoAttr, Malformed, Payload, Row, Rule, Scope, Shape, Table,
    Unsendable, Writer,
};
pub use crate::choice::OneOf;
pub use crate::error::{Errno, Error, ExtAck, Hint, KernelError, Place, Quoted, Undecoded, Warning};
pub use crate::exchange::{Exchange, Expect, Quirks};
pub use crate::layout::{Constant, Fixed, Pad};
pub use crate::message::{Message, MessageFlags, MessageHeader, MessageType, Messages, Protocol, Sender};
pub use crate::net::{Prefix, PrefixError, WideFamily, WideIpProtocol};
pub use crate::payload::{
    Array, Be, Bytes, Counted, Elements, Flag, Form, Headed, HwAddr, HwAddrError, Indexed, List, Many, Raw,
    Repeated, Str, Uint,
};
pub use crate::protocol::{AnyEvent, Change, ProtocolInfo};
pub use crate::request::{
    Check, Dump, Filter, Guard, IntoOwned, MessageInfo, Numbered, Owned, Reply, Request, ToRequest,
};
#[cfg(feature = "secret")]
pub use crate::secret::{Key, Secret};
pub use crate::spec::Spec;
pub use crate::trace::Traffic;

#[cfg(all(feature = "std", target_os = "linux"))]
pub use crate::{
    blocking::{Connection, Events, Listing},
    connection::{Notice, Partial, Tracer},
    netns::Namespace,
    socket::{BpfInstruction, OpenOptions, Socket, Stop, Switch},
};
