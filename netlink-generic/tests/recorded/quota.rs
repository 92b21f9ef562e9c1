//! Warnings of disk quotas as kernels sent them.

use std::fmt::Write as _;

use netlink_core::{Messages, Reply as _};
use netlink_generic::quota::{Event, Warning};
use netlink_testing::golden::Read;

use super::{received, reread};

#[test]
fn recorded_warnings() {
    netlink_testing::golden::exchanges("tests/golden/quota", tell, read);
}

pub(crate) fn read(bytes: &[u8]) -> Read {
    reread!(Warning<'_>, bytes)
}

pub(crate) fn tell(_name: &str, recorded: &str) -> Result<String, String> {
    let mut text = String::new();
    for datagram in received(recorded) {
        let message = Messages::new(&datagram).next().unwrap().unwrap();
        let Event::Warning(warning) = Event::view(&message).unwrap() else { panic!("no warning") };
        writeln!(text, "{warning}, by {}", warning.caused_id().unwrap()).unwrap();
        writeln!(text, "{}", serde_json::to_string(&warning).unwrap()).unwrap();
    }
    Ok(text)
}
