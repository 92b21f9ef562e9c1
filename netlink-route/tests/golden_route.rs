//! Captured kernel messages about routes, addresses and namespace ids: decoded, compared with the text that stands in
//! their files, and written back.
//!
//! A file of `tests/golden` holds comments, the message in hexadecimal digits, and behind a line `---` the expected
//! text. `UPDATE=1 cargo test -p netlink-route --test golden_route` writes that text anew.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::{env, fs, path};

use netlink_core::{Message, MessageFlags, Messages, ToRequest};
use netlink_route::addr::Address;
use netlink_route::nsid::Nsid;
use netlink_route::route::Route;

/// What the files of this test begin with.
const PREFIXES: [&str; 3] = ["route", "addr", "nsid"];

/// Reads a message, prints it, and checks that a request made from it reads the same.
macro_rules! check {
    ($message:expr, $type:ident) => {{
        let read = $type::read($message).map_err(|error| error.to_string())?;
        let request = read.to_request::<()>(&$type::NEW, MessageFlags::empty());
        let bytes = request.to_request().to_bytes().map_err(|error| error.to_string())?;
        let again = Messages::new(&bytes).next().unwrap().unwrap();
        assert_eq!(again.body, $message.body, "written back");
        let again = $type::read(&again).map_err(|error| error.to_string())?;
        assert_eq!((again.header(), again.attrs()), (read.header(), read.attrs()));
        assert_eq!(read.clone().into_owned(), read);
        read
    }};
}

fn describe(message: &Message<'_>) -> Result<String, String> {
    let mut text = String::new();
    match message.header.kind.0 {
        24..=26 => {
            let route = check!(message, Route);
            if let Some(encap) = route.encap() {
                assert_eq!(Some(encap.kind()), route.encap_type());
            }
            writeln!(text, "{route}\n{route:#?}").unwrap();
            for hop in route.next_hops().iter().flat_map(|hops| hops.iter()) {
                writeln!(text, "{hop:?}").unwrap();
            }
        }
        88..=90 => {
            let nsid = check!(message, Nsid);
            writeln!(text, "{nsid:#?}").unwrap();
        }
        _ => {
            let address = check!(message, Address);
            writeln!(text, "{address}\n{address:#?}").unwrap();
        }
    }
    Ok(text)
}

fn bytes(hex: &str) -> Vec<u8> {
    let lines = hex.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.flat_map(str::split_whitespace);
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("two hexadecimal digits")).collect()
}

#[test]
fn captured_messages() {
    let folder = path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names.retain(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        PREFIXES.iter().any(|prefix| name.starts_with(prefix)) && name.ends_with(".hex")
    });
    assert!(names.len() > 60, "only {} files", names.len());
    for path in names {
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
            let _ = describe_cut(&short);
        }
    }
}

fn describe_cut(message: &Message<'_>) -> Option<String> {
    match message.header.kind.0 {
        24..=26 => Route::read(message).ok().map(|route| format!("{route} {route:?}")),
        88..=90 => Nsid::read(message).ok().map(|nsid| format!("{nsid:?}")),
        _ => Address::read(message).ok().map(|address| format!("{address} {address:?}")),
    }
}
