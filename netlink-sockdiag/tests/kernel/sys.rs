//! Sockets of families that the standard library does not support, with plain system calls.

#![allow(unsafe_code)]

use std::io::{Error, Result};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Any socket.
pub(crate) struct Raw(pub(crate) OwnedFd);

fn checked(result: i32) -> Result<i32> {
    if result < 0 { Err(Error::last_os_error()) } else { Ok(result) }
}

impl Raw {
    /// `socket(2)`.
    pub(crate) fn open(family: i32, kind: i32, protocol: i32) -> Result<Self> {
        // SAFETY: takes and gives plain numbers.
        let fd = checked(unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, protocol) })?;
        // SAFETY: just opened, and not owned by anything else.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// `bind(2)` to the bytes of a `sockaddr`.
    pub(crate) fn bind(&self, address: &[u8]) -> Result<()> {
        // SAFETY: address and length are those of the slice.
        checked(unsafe {
            libc::bind(self.0.as_raw_fd(), address.as_ptr().cast(), address.len().try_into().unwrap())
        })?;
        Ok(())
    }

    /// `connect(2)` to the bytes of a `sockaddr`.
    pub(crate) fn connect(&self, address: &[u8]) -> Result<()> {
        // SAFETY: address and length are those of the slice.
        checked(unsafe {
            libc::connect(self.0.as_raw_fd(), address.as_ptr().cast(), address.len().try_into().unwrap())
        })?;
        Ok(())
    }

    /// `listen(2)`.
    pub(crate) fn listen(&self, backlog: i32) -> Result<()> {
        // SAFETY: takes plain numbers.
        checked(unsafe { libc::listen(self.0.as_raw_fd(), backlog) }).map(drop)
    }

    /// `accept(2)`.
    pub(crate) fn accept(&self) -> Result<Self> {
        let nobody = std::ptr::null_mut();
        // SAFETY: no address is asked for.
        let fd =
            checked(unsafe { libc::accept4(self.0.as_raw_fd(), nobody, nobody.cast(), libc::SOCK_CLOEXEC) })?;
        // SAFETY: just opened, and not owned by anything else.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }
}

/// `setsockopt(2)` with the bytes of a value.
pub(crate) fn set(socket: &impl AsRawFd, level: i32, name: i32, value: &[u8]) -> Result<()> {
    // SAFETY: value and length are those of the slice.
    checked(unsafe {
        let length = value.len().try_into().unwrap();
        libc::setsockopt(socket.as_raw_fd(), level, name, value.as_ptr().cast(), length)
    })?;
    Ok(())
}

/// `setsockopt(2)` with a number.
pub(crate) fn set_number(socket: &impl AsRawFd, level: i32, name: i32, value: i32) -> Result<()> {
    set(socket, level, name, &value.to_ne_bytes())
}

/// `struct sockaddr_in`.
pub(crate) fn ipv4(port: u16, ip: [u8; 4]) -> Vec<u8> {
    let family = u16::try_from(libc::AF_INET).unwrap();
    [&family.to_ne_bytes()[..], &port.to_be_bytes(), &ip, &[0; 8]].concat()
}

/// A `sockaddr` with words after its family.
pub(crate) fn words(family: i32, words: &[u32]) -> Vec<u8> {
    let family = u16::try_from(family).unwrap();
    let mut bytes = [family.to_ne_bytes(), [0; 2]].concat();
    words.iter().for_each(|word| bytes.extend(word.to_ne_bytes()));
    bytes
}

impl AsRawFd for Raw {
    fn as_raw_fd(&self) -> i32 {
        self.0.as_raw_fd()
    }
}
