//! Every message type of the families, as their specs list them: `types!` of the target `messages`.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    let mut types = String::from("types! {\n");
    for family in ["generic", "netfilter", "route", "sockdiag", "xfrm"] {
        let path = format!("../../netlink-{family}/src/spec.rs");
        println!("cargo:rerun-if-changed={path}");
        let spec = fs::read_to_string(&path).expect("the family's spec");
        // `link::Link::MESSAGES`, several on a line or each on its own.
        for name in spec.split([' ', '[', ']', ',', '\n']).filter_map(|word| word.strip_suffix("::MESSAGES"))
        {
            writeln!(types, "    netlink_{family}::{name},").expect("a String takes everything");
        }
    }
    types.push_str("}\n");
    let out = env::var_os("OUT_DIR").expect("set by cargo");
    fs::write(Path::new(&out).join("types.rs"), types).expect("the build's own folder");
}
