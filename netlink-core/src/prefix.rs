//! How prefixes are written: one rule for the types of all families.

use core::net::IpAddr;

/// `192.0.2.0/24`, or an address alone, which is a prefix of all its bits. `None` for anything else: a length has digits
/// only, and is at most the bits of the address.
///
/// ```
/// use netlink_core::parse_prefix;
///
/// assert_eq!(parse_prefix("192.0.2.0/24"), Some(([192, 0, 2, 0].into(), 24)));
/// assert_eq!(parse_prefix("192.0.2.1"), Some(([192, 0, 2, 1].into(), 32)));
/// assert_eq!(parse_prefix("192.0.2.0/+8"), None);
/// ```
pub fn parse_prefix(text: &str) -> Option<(IpAddr, u8)> {
    let (ip, length) = text.split_once('/').map_or((text, None), |(ip, length)| (ip, Some(length)));
    let ip: IpAddr = ip.parse().ok()?;
    let bits = if ip.is_ipv4() { 32 } else { 128 };
    match length {
        None => Some((ip, bits)),
        // `u8::from_str` takes a plus sign.
        Some(length) if length.starts_with('+') => None,
        Some(length) => length.parse().ok().filter(|length| *length <= bits).map(|length| (ip, length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// N7
    #[test]
    fn prefixes_are_digits_within_the_bits_of_their_address() {
        assert_eq!(parse_prefix("2001:db8::/32"), Some(("2001:db8::".parse().unwrap(), 32)));
        assert_eq!(parse_prefix("::/0"), Some(("::".parse().unwrap(), 0)));
        assert_eq!(parse_prefix("::1"), Some(("::1".parse().unwrap(), 128)));
        for wrong in
            ["", "/", "/8", "10/8", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.0/-8", "10.0.0.0/ 8", "10.0.0.0/33"]
        {
            assert_eq!(parse_prefix(wrong), None, "{wrong}");
        }
        for wrong in ["::/129", "::/256", "::/0/0", "::1%1/64", "host/8"] {
            assert_eq!(parse_prefix(wrong), None, "{wrong}");
        }
    }
}
