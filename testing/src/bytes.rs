//! Bytes in the machine's byte order.

/// Converts the bytes of a struct from little-endian order to the machine's. `members` has the size of each field;
/// the last size is repeated for the rest. Bytes with the same order on all machines are fields of size 1.
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

/// Converts attributes from little-endian order to the machine's. The first `head` bytes are not changed: 4
/// for the header of a generic family. Attribute headers and number-sized values are converted. Values of the
/// types in `kept`, such as addresses and ports, and structs are not.
///
/// ```
/// let body = netlink_testing::native_attributes(&[1, 1, 0, 0, 8, 0, 3, 0, 10, 0, 0, 1, 6, 0, 1, 0, 2, 0, 0, 0], 4, &[3]);
/// assert_eq!(body[4..6], 8_u16.to_ne_bytes());
/// assert_eq!(body[8..12], [10, 0, 0, 1]);
/// assert_eq!(body[16..18], 2_u16.to_ne_bytes());
/// ```
pub fn native_attributes(bytes: &[u8], head: usize, kept: &[u16]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if cfg!(target_endian = "big") {
        reverse_attributes(bytes.get_mut(head..).unwrap_or_default(), kept);
    }
    bytes
}

/// Reverses headers and numbers, also in nested sets. Truncated numbers are not changed.
fn reverse_attributes(mut bytes: &mut [u8], kept: &[u16]) {
    const NESTED: u16 = 0x8000;
    while let Some(([a, b, c, d], rest)) = bytes.split_first_chunk_mut() {
        let (length, kind) = (usize::from(u16::from_le_bytes([*a, *b])), u16::from_le_bytes([*c, *d]));
        (*a, *b, *c, *d) = (*b, *a, *d, *c);
        let length = length.saturating_sub(4);
        let (padded, next) = rest.split_at_mut(length.next_multiple_of(4).min(rest.len()));
        match padded.get_mut(..length) {
            _ if kind & NESTED != 0 => reverse_attributes(padded, kept),
            Some(value) if matches!(length, 2 | 4 | 8) && !kept.contains(&kind) => value.reverse(),
            _ => {}
        }
        bytes = next;
    }
}

/// Reverses the bytes of each field.
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
    fn fields_are_reversed_and_the_last_size_is_repeated() {
        let mut bytes = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        reverse(&mut bytes, &[4, 1, 2]);
        assert_eq!(bytes, [4, 3, 2, 1, 5, 7, 6, 9, 8]);
        reverse(&mut bytes, &[]);
        assert_eq!(bytes, [4, 3, 2, 1, 5, 7, 6, 9, 8]);
        let header = native([16, 0, 0, 0, 2, 0], &[4, 2]);
        assert_eq!(header[..], [&16_u32.to_ne_bytes()[..], &2_u16.to_ne_bytes()].concat());
    }

    #[test]
    fn numbers_in_attributes_are_reversed() {
        let mut bytes = [
            20, 0, 1, 0x80, 6, 0, 1, 0, 2, 9, 0, 0, 8, 0, 3, 0, 10, 0, 0,
            1, // a number and an address, nested
            7, 0, 2, 0, b'a', b'b', 0, 0, 12, 0, 4, 0, 1, 2, 3, 4, 5, 6, 7, 8, 40, 0, 5, 0, 1,
        ];
        reverse_attributes(&mut bytes, &[3]);
        let expected = [
            0, 20, 0x80, 1, 0, 6, 0, 1, 9, 2, 0, 0, 0, 8, 0, 3, 10, 0, 0, 1, //
            0, 7, 0, 2, b'a', b'b', 0, 0, 0, 12, 0, 4, 8, 7, 6, 5, 4, 3, 2, 1, 0, 40, 0, 5, 1,
        ];
        assert_eq!(bytes, expected);
        assert_eq!(native_attributes(&[1], 4, &[]), [1]);
    }
}
