#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| netlink_fuzz_targets::connection(bytes));
