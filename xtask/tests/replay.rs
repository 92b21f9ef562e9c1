//! Replays the corpus and the goldens through the fuzz targets.

use std::path::Path;

fn replay(name: &str) {
    let target = netlink_fuzz_targets::TARGETS.iter().find(|(other, _)| *other == name);
    let (_, target) = target.expect("a target");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let seeds = netlink_fuzz_targets::seeds(root).expect("the corpus");
    assert!(seeds.len() > 40, "the corpus is gone");
    for (path, bytes) in seeds {
        // Names the file when the target panics: a failing test's output is shown.
        println!("{}", path.display());
        target(&bytes);
        // Seeds are sound; most mistakes hide behind cut and lying ones.
        let step = bytes.len() / 64 + 1;
        for at in (0..bytes.len()).step_by(step) {
            target(&bytes[..at]);
            let mut changed = bytes.clone();
            changed[at] = changed[at].wrapping_add(0x81);
            target(&changed);
        }
    }
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
fn nothing_is_left_out() {
    let names = netlink_fuzz_targets::TARGETS.map(|(name, _)| name);
    assert_eq!(names, ["datagram", "messages", "exchange", "refusal", "trace"], "a #[test] above");
    let tried = netlink_fuzz_targets::tried();
    for info in netlink_fuzz_targets::infos() {
        assert!(tried.contains(&info.c_name), "{} is not in round_trips! of fuzz/targets", info.c_name);
    }
}
