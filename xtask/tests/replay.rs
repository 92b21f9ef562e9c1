//! Replays the committed corpus through the fuzz targets.

use std::fs;
use std::path::Path;

fn replay(name: &str) {
    let (_, target) =
        netlink_fuzz_targets::TARGETS.iter().find(|(other, _)| *other == name).expect("a target");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
    let mut replayed = 0;
    for entry in fs::read_dir(&folder).expect("a corpus") {
        let path = entry.expect("a file of the corpus").path();
        // Named when the target panics: the output of a test that fails is shown.
        println!("{}", path.display());
        target(&fs::read(path).expect("a file of the corpus"));
        replayed += 1;
    }
    assert!(replayed > 0, "{} is empty", folder.display());
}

#[test]
fn datagram() {
    replay("datagram");
}

#[test]
fn messages() {
    replay("messages");
}

#[test]
fn exchange() {
    replay("exchange");
}

#[test]
fn refusal() {
    replay("refusal");
}

#[test]
fn trace() {
    replay("trace");
}

#[test]
fn every_target_is_replayed() {
    let names = netlink_fuzz_targets::TARGETS.map(|(name, _)| name);
    assert_eq!(names, ["datagram", "messages", "exchange", "refusal", "trace"]);
}
