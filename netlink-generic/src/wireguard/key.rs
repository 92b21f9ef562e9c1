//! Keys and their text format.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;
use core::str::FromStr;

use base64ct::{Base64, Encoding};
use netlink_core::{IntoAttr, Key, Malformed, Payload, Rule, Secret, Shape, Writer, serialize};

const LENGTH: usize = 32;
const TEXT_LENGTH: usize = 44;

/// The error for a text that is not a key: not 44 characters of base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyError;

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key is 32 bytes, written as 44 characters of base64")
    }
}

impl core::error::Error for KeyError {}

/// Base64 in constant time.
fn encode<'t>(key: &[u8; LENGTH], text: &'t mut [u8; TEXT_LENGTH]) -> &'t str {
    Base64::encode(key, text).unwrap_or_default()
}

fn decode(text: &str) -> Result<[u8; LENGTH], KeyError> {
    let mut key = [0; LENGTH];
    match Base64::decode(text, &mut key) {
        Ok(read) if read.len() == LENGTH => Ok(key),
        _ => Err(KeyError),
    }
}

/// A public key, which identifies a peer.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey([u8; LENGTH]);

impl PublicKey {
    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }
}

impl<'a> Payload<'a> for PublicKey {
    type Value = Self;
    const RULE: Rule = Rule::lengths(&[LENGTH]);
    const SHAPE: Shape = Shape::value::<Self>();

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        exact(payload).map(|key| Self(*key))
    }

    fn encode(&self, out: &mut Writer) {
        out.push(&self.0);
    }
}

impl From<[u8; LENGTH]> for PublicKey {
    fn from(key: [u8; LENGTH]) -> Self {
        Self(key)
    }
}

impl IntoAttr<PublicKey> for [u8; LENGTH] {
    fn into_attr(self) -> PublicKey {
        PublicKey(self)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        decode(text).map(Self)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(encode(&self.0, &mut [0; TEXT_LENGTH]))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

serialize! { @parsed PublicKey, |text| text.parse() }

fn exact(payload: &[u8]) -> Result<&[u8; LENGTH], Malformed> {
    payload.try_into().map_err(|_| Malformed::Length { want: LENGTH, got: payload.len() })
}

/// A secret key in a message. It does not print.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretKey<'a>(&'a [u8; LENGTH]);

impl<'a> SecretKey<'a> {
    /// The bytes. Keep them secret.
    pub const fn expose(&self) -> &'a [u8; LENGTH] {
        self.0
    }

    /// Whether it is all zeros. In a reply this means no key; in a request it removes the key.
    pub fn is_none(&self) -> bool {
        self.0.iter().fold(0, |all, byte| all | byte) == 0
    }
}

impl<'a> Payload<'a> for SecretKey<'a> {
    type Value = Self;
    const RULE: Rule = Rule::lengths(&[LENGTH]);
    const SHAPE: Shape = Secret::SHAPE;
    const SECRET: bool = true;

    fn decode(payload: &'a [u8]) -> Result<Self, Malformed> {
        exact(payload).map(Self)
    }

    fn encode(&self, out: &mut Writer) {
        out.push_secret(self.0);
    }
}

impl<'a> IntoAttr<SecretKey<'a>> for &'a [u8; LENGTH] {
    fn into_attr(self) -> SecretKey<'a> {
        SecretKey(self)
    }
}

impl fmt::Display for SecretKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Secret::from(self.0).fmt(f)
    }
}

impl fmt::Debug for SecretKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

serialize! { @text ['a] SecretKey<'a> }

macro_rules! secret_keys {
    ($($(#[$meta:meta])* $name:ident;)*) => { $(
        $(#[$meta])*
        ///
        /// It does not print, and its memory is wiped when it is dropped.
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(Key);

        impl $name {
            /// The bytes. Keep them secret.
            pub fn expose(&self) -> &[u8; LENGTH] {
                Secret::from(&self.0).expose().first_chunk().unwrap_or(&[0; LENGTH])
            }

            /// The key as text, for a file that only the owner can read.
            pub fn expose_base64(&self) -> String {
                encode(self.expose(), &mut [0; TEXT_LENGTH]).to_owned()
            }
        }

        impl From<[u8; LENGTH]> for $name {
            fn from(key: [u8; LENGTH]) -> Self {
                Self(Key::from(key.to_vec()))
            }
        }

        impl From<SecretKey<'_>> for $name {
            fn from(key: SecretKey<'_>) -> Self {
                Self(Key::from(key.0.to_vec()))
            }
        }

        impl FromStr for $name {
            type Err = KeyError;

            fn from_str(text: &str) -> Result<Self, KeyError> {
                decode(text).map(Self::from)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl<'a> IntoAttr<SecretKey<'a>> for &'a $name {
            fn into_attr(self) -> SecretKey<'a> {
                SecretKey(self.expose())
            }
        }

        serialize! { @value $name, |key| key.0 }
    )* };
}

secret_keys! {
    /// The private key of a device.
    PrivateKey;
    /// A preshared key of two peers: extra protection in case the other keys can be broken in the future.
    PresharedKey;
}

#[cfg(feature = "wireguard-keys")]
impl PrivateKey {
    /// Generates a key from the system's random numbers.
    ///
    /// ```
    /// use netlink_generic::wireguard::{PresharedKey, PrivateKey};
    ///
    /// let key = PrivateKey::generate()?;
    /// println!("public key: {}", key.public_key());
    /// let shared = PresharedKey::generate()?;
    /// assert_eq!(format!("{key:?} {shared:?}"), "<32 bytes> <32 bytes>");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn generate() -> std::io::Result<Self> {
        let mut key = random()?;
        // The kernel clamps the key. Clamping it here makes the key that is read back equal.
        let [first, .., last] = &mut key;
        *first &= 0xf8;
        *last = *last & 0x7f | 0x40;
        Ok(key.into())
    }

    /// The public key of this private key.
    pub fn public_key(&self) -> PublicKey {
        let secret = x25519_dalek::StaticSecret::from(*self.expose());
        PublicKey(x25519_dalek::PublicKey::from(&secret).to_bytes())
    }
}

#[cfg(feature = "wireguard-keys")]
impl PresharedKey {
    /// Generates a key from the system's random numbers.
    pub fn generate() -> std::io::Result<Self> {
        random().map(Self::from)
    }
}

#[cfg(feature = "wireguard-keys")]
fn random() -> std::io::Result<[u8; LENGTH]> {
    let mut key = [0; LENGTH];
    getrandom::fill(&mut key)?;
    Ok(key)
}
