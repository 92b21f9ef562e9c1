//! What answers are read as.

use core::marker::PhantomData;

use super::MessageInfo;
use crate::attr::DecodeError;
use crate::exchange::Expect;
use crate::message::Message;

/// The answer to a request, or an event: how to look at a message, and how to keep it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a single reply",
    note = "what is answered with a `Dump` is a list: use `dump` instead of `call`"
)]
pub trait Reply: Sized {
    /// What the request waits for.
    const EXPECT: Expect;
    /// One of the messages it is read from; through it, traces of events know all of them. What no table is known of
    /// shows as a number of bytes.
    const INFO: Option<&'static MessageInfo> = None;
    /// Whether there may be a key in it: [`Owned`](super::Owned) wipes its copy then.
    const SECRET: bool = false;
    /// The message, looked at where it was received.
    type View<'a>;

    /// Reads a message.
    fn view<'a>(message: &Message<'a>) -> Result<Self::View<'a>, DecodeError>;

    /// Keeps it.
    fn own(view: Self::View<'_>) -> Self;

    /// What an acknowledgement without a reply stands for; `None` if a reply is needed.
    fn acknowledged() -> Option<Self> {
        None
    }
}

/// What borrows from a receive buffer, and can be kept.
///
/// Messages and events have a function of this name themselves; the trait is for what holds any of them.
pub trait IntoOwned {
    /// The same without a borrow.
    type Owned: 'static;

    /// Copies what is borrowed.
    fn into_owned(self) -> Self::Owned;
}

/// Only an acknowledgement.
impl Reply for () {
    const EXPECT: Expect = Expect::Ack;
    type View<'a> = ();

    fn view(_: &Message<'_>) -> Result<(), DecodeError> {
        Ok(())
    }

    fn own((): ()) {}

    fn acknowledged() -> Option<()> {
        Some(())
    }
}

/// The answer of a request that lists: any number of `R`.
#[derive(Debug)]
pub struct Dump<R>(PhantomData<R>);
