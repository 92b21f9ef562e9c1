//! Statistics of tasks as kernels sent them: exchanges, and records of tasks that ended.

use std::fmt::Write as _;

use netlink_core::Messages;
use netlink_core::testkit::Recording;
use netlink_generic::ctrl::Family;
use netlink_generic::taskstats::{self, Record, Taskstats};
use netlink_testing::golden::Read;

use super::{received, reread};

#[test]
fn recorded_statistics() {
    netlink_testing::golden::exchanges("tests/golden/taskstats", tell, read);
}

pub(crate) fn read(bytes: &[u8]) -> Read {
    if bytes.get(4..6) == Some(&16_u16.to_ne_bytes()) {
        return reread!(Family<'_>, bytes);
    }
    reread!(Record<'_>, bytes)
}

pub(crate) fn tell(_name: &str, recorded: &str) -> Result<String, String> {
    let mut recording = Recording::parse(recorded).ok_or("no recording")?;
    let family = recording.call(netlink_generic::ctrl::resolve::<Taskstats>()).unwrap().unwrap();
    let mut text = String::new();
    for request in [taskstats::task(1), taskstats::process(1)] {
        let record = recording.call(family.bind(request)).unwrap().unwrap();
        writeln!(text, "{}", serde_json::to_string(&record).unwrap()).unwrap();
    }
    let absent = recording.call(family.bind(taskstats::task(u32::MAX))).unwrap().unwrap_err();
    writeln!(text, "{absent}").unwrap();
    for datagram in received(recorded) {
        for message in Messages::new(&datagram) {
            let message = message.unwrap();
            if message.header.kind.0 == family.id() && message.header.port == 0 {
                let record = Record::read(&message).unwrap();
                writeln!(text, "{}", serde_json::to_string(&record).unwrap()).unwrap();
            }
        }
    }
    Ok(text)
}
