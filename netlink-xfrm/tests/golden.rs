//! Captured kernel messages: decoded, compared with the text that stands in their files, and written back.
//!
//! A file of `tests/golden` holds comments, the message in hexadecimal digits, and behind a line `---` the expected
//! text. `UPDATE=1 cargo test -p netlink-xfrm --test golden` writes that text anew.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fmt::Write as _;
use std::{env, fs, path};

use netlink_core::{Message, MessageFlags, Messages, Reply as _};
use netlink_xfrm::event::Event;
use netlink_xfrm::policy::Spd;
use netlink_xfrm::state::Sad;

/// Writes what was read into a request, which must read the same.
macro_rules! again {
    ($read:expr, $message:expr, $type:ty) => {{
        let read = $read;
        let request = read.to_request::<()>(&<$type>::MESSAGES[0], MessageFlags::empty());
        let bytes = request.to_bytes().map_err(|error| error.to_string())?;
        let again = Messages::new(&bytes).next().unwrap().unwrap();
        assert_eq!(again.body, $message.body, "written back");
        assert_eq!(<$type>::read(&again).unwrap().header(), read.header());
        assert_eq!(read.clone().into_owned(), *read);
        format!("{read:#?}")
    }};
}

macro_rules! describe {
    ($message:expr, $event:expr; $($variant:ident($type:ty),)*) => {
        match $event {
            $( Event::$variant(read) => again!(read, $message, $type), )*
            other => format!("{other:#?}"),
        }
    };
}

fn describe(message: &Message<'_>) -> Result<String, String> {
    use netlink_xfrm::{policy, state};
    let text = |error: netlink_core::DecodeError| error.to_string();
    if message.header.kind.0 == Sad::NEW.number {
        return Ok(again!(&Sad::read(message).map_err(text)?, message, Sad<'_>));
    }
    if message.header.kind.0 == Spd::NEW.number {
        return Ok(again!(&Spd::read(message).map_err(text)?, message, Spd<'_>));
    }
    let event = Event::view(message).map_err(text)?;
    let mut out = match &event {
        Event::StateAdded(state) => format!("{state}\n"),
        Event::PolicyAdded(policy) | Event::PolicyUpdated(policy) => format!("{policy}\n"),
        _ => String::new(),
    };
    let debug = describe! { message, &event;
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
    writeln!(out, "{debug}").unwrap();
    Ok(out)
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<char> = hex.lines().filter(|line| !line.starts_with('#')).flat_map(str::chars).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16);
    digits.chunks(2).map(|pair| byte(pair).expect("two hexadecimal digits")).collect()
}

#[test]
fn captured_messages() {
    let folder = path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 17, "only {} files", paths.len());
    for path in paths {
        let file = fs::read_to_string(&path).unwrap();
        let (hex, expected) = file.split_once("---\n").unwrap_or((&file, ""));
        let bytes = bytes(hex);
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        let text = describe(&message).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, format!("{hex}---\n{text}")).unwrap();
        } else {
            assert_eq!(text, expected, "{}", path.display());
        }
        // Cut anywhere, it is an error or a shorter message, and no panic.
        for end in 16..bytes.len() {
            let short = Message { header: message.header, body: &bytes[16..end] };
            if let Ok(event) = Event::view(&short) {
                let _ = format!("{event:?}");
            }
        }
    }
}
