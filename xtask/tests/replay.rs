//! Replays the corpus and the goldens through the fuzz targets.

use std::path::{Path, PathBuf};

fn replay(name: &str) {
    let target = netlink_fuzz_targets::target(name).expect("a target");
    let seeds = netlink_fuzz_targets::seeds(&root(), name).expect("the corpus");
    assert!(seeds.len() > 5, "the corpus is gone");
    // Large numbers of seeds take no longer than small ones.
    let tries = (20_000 / seeds.len()).clamp(2, 64);
    for (path, bytes) in seeds {
        // Shows the target of a panic: the output of a failing test is shown.
        println!("{}", path.display());
        target(&bytes);
        // Seeds are valid; most faults show with truncated and inconsistent ones.
        let tries = if bytes.len() > 8192 { 2 } else { tries };
        let step = bytes.len() / tries + 1;
        for at in (0..bytes.len()).step_by(step) {
            target(&bytes[..at]);
            let mut changed = bytes.clone();
            changed[at] = changed[at].wrapping_add(0x81);
            target(&changed);
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
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
fn text() {
    replay("text");
}

#[test]
fn connection() {
    replay("connection");
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
    let here = ["datagram", "messages", "text", "exchange", "connection", "refusal", "trace"];
    assert_eq!(names, here, "a #[test] above");
    let tried: Vec<&str> = netlink_fuzz_targets::types().map(|info| info.c_name).collect();
    for info in netlink_fuzz_targets::infos() {
        assert!(tried.contains(&info.c_name), "the target `messages` has no {}", info.c_name);
    }
}

#[test]
fn every_type_that_is_read_from_text_is_tried() {
    let mut found = 0;
    for entry in std::fs::read_dir(root()).expect("the workspace") {
        found += parsers_below(&entry.expect("an entry").path().join("src"));
    }
    assert_eq!(
        found,
        netlink_fuzz_targets::PARSERS.len(),
        "a `FromStr` that `text` of the fuzz targets doesn't know"
    );
}

fn parsers_below(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let of = |path: PathBuf| {
        let is_source = path.extension().is_some_and(|extension| extension == "rs");
        let text = if is_source { std::fs::read_to_string(&path).expect("a source") } else { String::new() };
        text.matches("FromStr for ").count() + parsers_below(&path)
    };
    paths.map(of).sum()
}
