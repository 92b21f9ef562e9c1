//! Bytes in the order of the machine.

/// The bytes of a struct on this machine, from those on a little-endian one. Its members have so many bytes each, the
/// last number being that of all the rest; bytes that have the same order everywhere are members of one.
///
/// ```
/// let header = netlink_testing::native([16, 0, 0, 0, 2, 0, 127, 0, 0, 1], &[4, 2, 1]);
/// assert_eq!(header, [&16_u32.to_ne_bytes()[..], &2_u16.to_ne_bytes(), &[127, 0, 0, 1]].concat()[..]);
/// ```
pub fn native<const N: usize>(mut bytes: [u8; N], members: &[usize]) -> [u8; N] {
    if cfg!(target_endian = "big") {
        reverse(&mut bytes, members);
    }
    bytes
}

/// Turns each member round.
fn reverse(mut bytes: &mut [u8], members: &[usize]) {
    let last = members.last().copied().unwrap_or(1).max(1);
    let mut members = members.iter().copied().chain(std::iter::repeat(last));
    while let Some(length) = members.next().filter(|_| !bytes.is_empty()) {
        let (member, rest) = bytes.split_at_mut(length.min(bytes.len()));
        member.reverse();
        bytes = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_turn_round_and_the_last_length_goes_on() {
        let mut bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        reverse(&mut bytes, &[4, 1, 2]);
        assert_eq!(bytes, [4, 3, 2, 1, 5, 7, 6, 9, 8]);
        reverse(&mut bytes, &[]);
        assert_eq!(bytes, [4, 3, 2, 1, 5, 7, 6, 9, 8]);
        let header = native([16, 0, 0, 0, 2, 0], &[4, 2]);
        assert_eq!(header[..], [&16_u32.to_ne_bytes()[..], &2_u16.to_ne_bytes()].concat());
    }
}
