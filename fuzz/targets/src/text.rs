//! Types that can be parsed from text.

use std::fmt::Debug;
use std::str::FromStr;

use netlink_generic::wireguard::{PresharedKey, PrivateKey, PublicKey};
use netlink_netfilter::osf::Fingerprint;

/// Parses a text.
pub type Parser = fn(&str);

/// A parsed value can be printed. If its text can be parsed, the value is equal.
fn printed<T: FromStr + ToString + PartialEq + Debug>(text: &str)
where
    T::Err: Debug + ToString,
{
    match text.parse::<T>() {
        Ok(value) => {
            let again = value.to_string();
            assert_eq!(again.parse::<T>().as_ref().ok(), Some(&value), "{text:?} prints as {again:?}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// For types that do not print their value.
fn parsed<T: FromStr>(text: &str)
where
    T::Err: ToString,
{
    if let Err(error) = text.parse::<T>() {
        assert!(!error.to_string().is_empty());
    }
}

/// Every type that has a `FromStr`.
pub const PARSERS: [Parser; 5] = [
    printed::<netlink_core::HwAddr>,
    printed::<netlink_core::Prefix>,
    printed::<PublicKey>,
    |text| {
        parsed::<PrivateKey>(text);
        parsed::<PresharedKey>(text);
    },
    parsed::<Fingerprint>,
];

/// A type, and a text.
pub fn text(bytes: &[u8]) {
    let Some((number, text)) = bytes.split_first() else { return };
    let Ok(text) = str::from_utf8(text) else { return };
    PARSERS[usize::from(*number) % PARSERS.len()](text);
}

/// One valid text for each type, and some invalid ones.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "02:00:00:00:00:01",
        "10.0.0.1/24",
        "fe80::1/64",
        "10.0.0.0/+8",
        "::ffff:10.0.0.1",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "8192:32:1:48:*:Opera::Windows",
        "S4:64:1:60:M*,S,T,N,W0:Linux:2.4:Linux 2.4",
    ];
    let numbers = 0..u8::try_from(PARSERS.len()).expect("a few types");
    numbers.flat_map(|number| texts.map(|text| [&[number], text.as_bytes()].concat())).collect()
}
