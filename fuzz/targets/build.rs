//! Every message type of the families, as they declare them: `types!` of the target `messages`.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    let mut types = String::from("types! {\n");
    for family in ["netfilter", "route", "sockdiag", "xfrm"] {
        declared(
            &mut types,
            &format!("netlink-{family}/src/lib.rs"),
            "pub static PROTOCOL: ",
            &format!("netlink_{family}"),
        );
    }
    for family in ["ctrl", "mptcp_pm", "netdev", "quota", "taskstats", "wireguard"] {
        let file = format!("netlink-generic/src/{family}.rs");
        declared(&mut types, &file, "(Header): ", &format!("netlink_generic::{family}"));
    }
    types.push_str("}\n");
    let out = env::var_os("OUT_DIR").expect("set by cargo");
    fs::write(Path::new(&out).join("types.rs"), types).expect("the build's own folder");
}

/// The messages in the braces behind this text: of `protocol!`, or of `family!`.
fn declared(types: &mut String, file: &str, text: &str, path: &str) {
    let file = format!("../../{file}");
    println!("cargo:rerun-if-changed={file}");
    let source = fs::read_to_string(&file).expect("the family's source");
    let behind =
        source.split_once(text).and_then(|(_, behind)| behind.split_once('{')).expect("a declaration").1;
    let messages = behind.split_once('}').expect("its end").0;
    for name in messages.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        writeln!(types, "    {path}::{name},").expect("a String takes everything");
    }
}
