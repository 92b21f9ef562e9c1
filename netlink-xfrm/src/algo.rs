//! Algorithms and their keys.
//!
//! ```
//! use netlink_xfrm::Key;
//! use netlink_xfrm::algo::{Aead, Algo, Auth};
//!
//! let key = Key::from(vec![7; 20]); // 16 bytes of AES-128 and 4 of salt
//! let aead = Aead::rfc4106_gcm_aes(&key, 128);
//! assert_eq!(aead.to_string(), "rfc4106(gcm(aes)) <20 bytes> 128");
//! let (crypt, auth) = (Algo::cbc_aes(&[7; 16]), Auth::hmac_sha256(&[7; 32], 128));
//! let other = Algo::new("cbc(camellia)", &[7; 16]);
//! ```
//!
//! The kernel knows the names (`/proc/crypto`, `net/xfrm/xfrm_algo.c`) and the lengths of keys. It refuses
//! unknown names with `ENOSYS`, and a key of wrong length with `EINVAL`. The error shows name and length.

use core::fmt;

use netlink_core::layout::Layout;
use netlink_core::{Malformed, Payload, Rule, Secret, Shape, Str, Writer, checked};

/// Length of a name with its NUL, in bytes.
const NAME: usize = 64;

/// Name, length of the key in bits, and the bytes after them.
fn head(payload: &[u8]) -> Option<(Str<'_, 63>, u32, &[u8])> {
    let (name, rest) = payload.split_first_chunk::<NAME>()?;
    let (bits, rest) = rest.split_first_chunk()?;
    Some((Str::decode(name).ok()?, u32::from_ne_bytes(*bits), rest))
}

/// The key: the bytes for its length in bits, or all bytes if there are fewer. For compression the kernel
/// sends the length of the key, but not the key.
fn key(bytes: &[u8], bits: u32) -> Secret<'_> {
    let length = usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX);
    Secret::new(bytes.get(..length).unwrap_or(bytes))
}

fn write_head(out: &mut Writer, name: &Str<'_, 63>, bits: u32) {
    let start = out.len();
    name.encode(out);
    if let Some(missing) = [0; NAME].get(out.len() - start..) {
        out.push(missing);
    }
    out.push(&bits.to_ne_bytes());
}

fn bits(key: &Secret<'_>) -> u32 {
    u32::try_from(key.len() * 8).unwrap_or(u32::MAX)
}

macro_rules! algorithms {
    ($(
        $(#[$meta:meta])*
        $name:ident: $c_name:ident = $size:literal {
            $( $(#[$fmeta:meta])* $c_field:ident $field:ident, )?
        }
    )*) => {
        $(
            impl $name<'_> {
                /// The struct as data.
                pub(crate) const LAYOUT: &'static Layout = &Layout {
                    c_name: stringify!($c_name),
                    size: $size,
                    sizes: [$size; 2],
                    members: &[
                        ("alg_name", [0; 2]),
                        ("alg_key_len", [NAME; 2]),
                        $( (stringify!($c_field), [NAME + 4; 2]), )?
                    ],
                };
            }

            $(#[$meta])*
            #[derive(Clone, Copy, PartialEq, Eq)]
            #[non_exhaustive]
            pub struct $name<'a> {
                /// The kernel's name of the algorithm.
                pub name: Str<'a, 63>,
                /// Its key.
                pub key: Secret<'a>,
                /// Length of the key in bits: eight per byte.
                pub key_bits: u32,
                $( $(#[$fmeta])* pub $field: u32, )?
            }

            impl<'a> $name<'a> {
                /// Any algorithm, by its name.
                pub fn new(
                    name: impl Into<Str<'a, 63>>,
                    key: impl Into<Secret<'a>>
                    $(, $field: u32)?
                ) -> Self {
                    let key = key.into();
                    Self { name: name.into(), key, key_bits: bits(&key) $(, $field)? }
                }
            }

            impl<'a> Payload<'a> for $name<'a> {
                type Value = Self;
                const RULE: Rule = checked!($name<'_>);
                const SHAPE: Shape = Shape::Value(|bytes, f| match $name::decode(bytes) {
                    Ok(value) => fmt::Display::fmt(&value, f),
                    Err(why) => write!(f, "{} ({why})", Secret::new(bytes)),
                });
                const SECRET: bool = true;

                fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
                    let short = Malformed::Length { want: $size, got: payload.len() };
                    let (name, key_bits, rest) = head(payload).ok_or(short)?;
                    $(
                        let (number, rest) = rest.split_first_chunk().ok_or(short)?;
                        let $field = u32::from_ne_bytes(*number);
                    )?
                    Ok(Self { name, key: key(rest, key_bits), key_bits $(, $field)? })
                }

                fn encode(&self, out: &mut Writer) {
                    write_head(out, &self.name, self.key_bits);
                    $( out.push(&self.$field.to_ne_bytes()); )?
                    out.push_secret(self.key.expose());
                }
            }

            /// The name with escaped unprintable characters, the length of the key, and the lengths in bits.
            impl fmt::Display for $name<'_> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, "{} {}", self.name.as_bytes().escape_ascii(), self.key)?;
                    $( write!(f, " {}", self.$field)?; )?
                    Ok(())
                }
            }

            impl fmt::Debug for $name<'_> {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    fmt::Display::fmt(self, f)
                }
            }

            netlink_core::serialize! { impl ['x] for $name<'x>, |algo, fields| {
                fields.entry("name", &algo.name)?;
                fields.entry("key", &algo.key)?;
                $( fields.entry(stringify!($field), &algo.$field)?; )?
            } }
        )*
    };
}

algorithms! {
    /// `struct xfrm_algo`: encryption, compression, or authentication with the algorithm's usual truncation.
    Algo: xfrm_algo = 68 {}
    /// `struct xfrm_algo_auth`: authentication.
    Auth: xfrm_algo_auth = 72 {
        /// Length of the sent check value, in bits.
        alg_trunc_len trunc_bits,
    }
    /// `struct xfrm_algo_aead`: combined encryption and authentication.
    Aead: xfrm_algo_aead = 72 {
        /// Length of the check value, in bits.
        alg_icv_len icv_bits,
    }
}

impl<'a> Algo<'a> {
    /// AES in CBC mode: a key of 16, 24 or 32 bytes.
    pub fn cbc_aes(key: impl Into<Secret<'a>>) -> Self {
        Self::new("cbc(aes)", key)
    }

    /// AES in counter mode: a key of 16, 24 or 32 bytes, and 4 of nonce.
    pub fn rfc3686_ctr_aes(key: impl Into<Secret<'a>>) -> Self {
        Self::new("rfc3686(ctr(aes))", key)
    }

    /// No encryption.
    pub fn null() -> Self {
        Self::new("ecb(cipher_null)", &[])
    }

    /// Compression with deflate.
    pub fn deflate() -> Self {
        Self::new("deflate", &[])
    }
}

impl<'a> Auth<'a> {
    /// HMAC with SHA-1: a key of 20 bytes; usually 96 bits are sent.
    pub fn hmac_sha1(key: impl Into<Secret<'a>>, trunc_bits: u32) -> Self {
        Self::new("hmac(sha1)", key, trunc_bits)
    }

    /// HMAC with SHA-256: a key of 32 bytes. By the standard 128 bits are sent; the kernel's default is 96.
    pub fn hmac_sha256(key: impl Into<Secret<'a>>, trunc_bits: u32) -> Self {
        Self::new("hmac(sha256)", key, trunc_bits)
    }

    /// HMAC with SHA-384: a key of 48 bytes; 192 bits are sent.
    pub fn hmac_sha384(key: impl Into<Secret<'a>>, trunc_bits: u32) -> Self {
        Self::new("hmac(sha384)", key, trunc_bits)
    }

    /// HMAC with SHA-512: a key of 64 bytes; 256 bits are sent.
    pub fn hmac_sha512(key: impl Into<Secret<'a>>, trunc_bits: u32) -> Self {
        Self::new("hmac(sha512)", key, trunc_bits)
    }
}

impl<'a> Aead<'a> {
    /// AES in Galois/counter mode: a key of 16, 24 or 32 bytes, and 4 of salt; a check value of 64, 96 or 128 bits.
    pub fn rfc4106_gcm_aes(key: impl Into<Secret<'a>>, icv_bits: u32) -> Self {
        Self::new("rfc4106(gcm(aes))", key, icv_bits)
    }

    /// AES in CCM mode: a key of 16, 24 or 32 bytes, and 3 of salt; a check value of 64, 96 or 128 bits.
    pub fn rfc4309_ccm_aes(key: impl Into<Secret<'a>>, icv_bits: u32) -> Self {
        Self::new("rfc4309(ccm(aes))", key, icv_bits)
    }

    /// AES-GMAC, which encrypts nothing: a key of 16, 24 or 32 bytes, and 4 of salt; a check value of 128 bits.
    pub fn rfc4543_gcm_aes(key: impl Into<Secret<'a>>) -> Self {
        Self::new("rfc4543(gcm(aes))", key, 128)
    }

    /// ChaCha20 and Poly1305: a key of 32 bytes, and 4 of salt.
    pub fn rfc7539esp_chacha20_poly1305(key: impl Into<Secret<'a>>) -> Self {
        Self::new("rfc7539esp(chacha20,poly1305)", key, 128)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use netlink_core::Unsendable;
    use netlink_testing::native;

    /// S-L11: memory that held keys is wiped.
    #[test]
    fn messages_with_keys_are_secret() {
        use netlink_core::Reply;
        const { assert!(<crate::state::State<'_> as Reply>::SECRET) };
        const { assert!(<crate::event::Event<'_> as Reply>::SECRET) };
        const { assert!(!<crate::policy::Policy<'_> as Reply>::SECRET) };
    }

    #[test]
    fn names_are_padded_and_keys_are_counted_in_bits() {
        let mut out = Writer::new();
        let aead = Aead::rfc4106_gcm_aes(&[9; 20], 96);
        aead.encode(&mut out);
        let bytes = out.as_slice();
        assert_eq!(bytes.len(), 72 + 20);
        assert_eq!((&bytes[..18], bytes[63]), (&b"rfc4106(gcm(aes))\0"[..], 0));
        assert_eq!(bytes[64..72], native([160, 0, 0, 0, 96, 0, 0, 0], &[4]));
        assert_eq!(bytes[72..], [9; 20]);
        assert_eq!(Aead::decode(bytes).unwrap(), aead);
        assert_eq!(format!("{aead:?}"), "rfc4106(gcm(aes)) <20 bytes> 96");
        for end in 0..72 {
            assert!(Aead::decode(&bytes[..end]).is_err());
        }
        assert_eq!(Aead::decode(&bytes[..80]).unwrap().key.len(), 8);
        let mut out = Writer::new();
        Auth::hmac_sha256(&[1; 32], 128).encode(&mut out);
        assert_eq!(Auth::decode(out.as_slice()).unwrap().trunc_bits, 128);
        let mut out = Writer::new();
        Algo::deflate().encode(&mut out);
        assert_eq!((out.len(), Algo::decode(out.as_slice()).unwrap()), (68, Algo::deflate()));
    }

    /// S-L8
    #[test]
    fn control_bytes_of_names_are_escaped() {
        let algo = Algo::new("a\x1b[2J\nb\u{e9}", &[7; 16]);
        assert_eq!(format!("{algo}"), "a\\x1b[2J\\nb\\xc3\\xa9 <16 bytes>");
        assert_eq!(format!("{:?}", Auth::new("\r", &[7; 1], 96)), "\\r <1 bytes> 96");
    }

    #[test]
    fn a_name_that_does_not_fit_is_refused() {
        let long = "x".repeat(64);
        let mut out = Writer::new();
        Algo::new(long.as_str(), &[]).encode(&mut out);
        assert_eq!(out.error().unwrap().1, Unsendable::TooLong { length: 64, max: 63 });
        let mut out = Writer::new();
        Algo::new("a\0b", &[]).encode(&mut out);
        assert_eq!(out.error().unwrap().1, Unsendable::Nul { at: 1 });
        let mut out = Writer::new();
        Algo::new(&long[..63], &[]).encode(&mut out);
        assert!(out.error().is_none() && out.len() == 68);
    }
}
