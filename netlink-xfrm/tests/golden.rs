//! States, policies and events that kernels sent: see `netlink_testing::golden`.

use netlink_core::{Messages, Reply as _};
use netlink_testing::golden::Read;
use netlink_testing::reread;
use netlink_xfrm::event::Event;
use netlink_xfrm::policy::{self, Spd};
use netlink_xfrm::state::{self, Sad};

#[test]
fn captured_messages() {
    netlink_testing::golden::messages("tests/golden", read);
}

macro_rules! by_event {
    ($event:expr, $bytes:expr; $($variant:ident($type:ty),)*) => {
        match $event {
            $( Event::$variant(_) => {
                let (read, again) = reread!($type, $bytes);
                Ok((format!("{read:#?}\n"), again))
            } )*
            other => Err(format!("an event that nobody reads: {other:?}")),
        }
    };
}

pub(crate) fn read(name: &str, bytes: &[u8]) -> Read {
    if name == "sad" {
        let (read, again) = reread!(Sad<'_>, bytes);
        return Ok((format!("{read:#?}\n"), again));
    }
    if name == "spd" {
        let (read, again) = reread!(Spd<'_>, bytes);
        return Ok((format!("{read:#?}\n"), again));
    }
    let message = Messages::new(bytes).next().ok_or("no message")?.map_err(|error| error.to_string())?;
    let event = Event::view(&message).map_err(|error| error.to_string())?;
    let line = match &event {
        Event::StateAdded(state) => format!("{state}\n"),
        Event::PolicyAdded(policy) | Event::PolicyUpdated(policy) => format!("{policy}\n"),
        _ => String::new(),
    };
    let read = by_event! { &event, bytes;
        StateAdded(state::State<'_>),
        StateDeleted(state::DeletedState<'_>),
        StatesFlushed(state::Flush<'_>),
        StateExpired(state::Expire<'_>),
        PolicyAdded(policy::Policy<'_>),
        PolicyUpdated(policy::Policy<'_>),
        PolicyDeleted(policy::DeletedPolicy<'_>),
        PoliciesFlushed(policy::Flush<'_>),
        PolicyExpired(policy::Expire<'_>),
        Default(policy::DefaultPolicy<'_>),
        Acquire(policy::Acquire<'_>),
        AsyncEvent(state::AsyncEvent<'_>),
        Migrate(policy::Migrate<'_>),
    };
    read.map(|(text, again)| (line + &text, again))
}
