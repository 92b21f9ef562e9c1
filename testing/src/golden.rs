//! Captured bytes and their text: the files of `tests/golden`.
//!
//! A file `NAME.hex` has comments (`#`), the hexadecimal digits of one or more messages, and after a line
//! `---` the text that they read as. In a file of exchanges each line of digits is a datagram: after `>` a
//! sent one, after `<` a received one, and after `*7` one received from multicast group 7.
//!
//! These bytes are of a little-endian machine. `NAME.be.hex` has the same content from a big-endian kernel.
//! `NAME.i386.hex` is from a kernel that aligns the `u64` of a struct to 4 bytes, so that the struct ends
//! earlier. The text is shared. After the `---` of the other file are only the lines in which a clock or a
//! counter had another number, each after its line number: `12: created: 3310,`. A machine reads the files of
//! its own kind. On all machines, the two files must agree word by word.
//!
//! A file that no kernel of this kind sends has a line `# not on i386: REASON`. On that machine it must be an error.
//!
//! - `UPDATE=1` writes the texts instead of comparing them.
//! - `NETLINK_GOLDEN=FOLDER`: kernel tests write the messages that they [`keep`] there, as files of this
//!   machine's kind.

use std::fmt::Write as _;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use std::{env, fs, io};

use crate::sys;

/// The text of a message, and the same message written again by the family; or the error.
pub type Read = Result<(String, Vec<u8>), String>;

const BIG: bool = cfg!(target_endian = "big");

/// The kind of machine that a file is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Usual,
    Big,
    /// A `u64` in a struct is aligned to 4.
    I386,
}

/// The kind of this machine.
const HERE: Kind = match (BIG, align_of::<u64>()) {
    (true, _) => Kind::Big,
    (false, 4) => Kind::I386,
    (false, _) => Kind::Usual,
};

impl Kind {
    const fn ending(self) -> &'static str {
        match self {
            Self::Usual => ".hex",
            Self::Big => ".be.hex",
            Self::I386 => ".i386.hex",
        }
    }

    /// The name without the ending, and the kind of the ending.
    fn of(file: &str) -> Option<(&str, Self)> {
        let mut kinds = [Self::Big, Self::I386, Self::Usual].into_iter();
        kinds.find_map(|kind| Some((file.strip_suffix(kind.ending())?, kind)))
    }
}

/// Size of `struct nlmsghdr`.
const HEADER: usize = 16;
const NLMSG_ERROR: u8 = 2;
/// Smaller types belong to netlink itself.
const NLMSG_MIN_TYPE: u16 = 16;

/// Compares the messages of each file in a folder with their text, and [`check`]s each. `read` gets the file
/// name without its ending.
///
/// # Panics
///
/// If a file is invalid.
pub fn messages(folder: &str, read: impl Fn(&str, &[u8]) -> Read) {
    files(folder, |name, recorded| {
        let mut text = String::new();
        for datagram in datagrams(recorded)? {
            for message in split(&datagram.bytes, BIG)? {
                text += &check(message, |bytes| read(name, bytes))?;
            }
        }
        Ok(text)
    })
}

/// The same for files of exchanges. `tell` makes the text of the name and the datagrams of the file. Each
/// received message, except control messages of netlink, is [`check`]ed with `read`.
///
/// # Panics
///
/// If a file is invalid.
pub fn exchanges(
    folder: &str,
    tell: impl Fn(&str, &str) -> Result<String, String>,
    read: impl Fn(&[u8]) -> Read,
) {
    files(folder, |name, recorded| {
        check_received(recorded, &read)?;
        tell(name, recorded)
    })
}

fn check_received(recorded: &str, read: impl Fn(&[u8]) -> Read) -> Result<(), String> {
    for datagram in datagrams(recorded)?.iter().filter(|datagram| !datagram.sent) {
        for message in split(&datagram.bytes, BIG)? {
            let kind = message.get(4..6).and_then(|kind| kind.first_chunk());
            if kind.is_some_and(|kind| u16::from_ne_bytes(*kind) >= NLMSG_MIN_TYPE) {
                check(message, &read)?;
            }
        }
    }
    Ok(())
}

/// Every file of a folder.
fn files(folder: &str, read: impl Fn(&str, &str) -> Result<String, String>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    assert!(!names.is_empty(), "{folder}: no files");
    for file in &names {
        // Shows the file of a panic: the output of a failing test is shown.
        println!("{file}");
        one(Path::new(folder), file, &read).unwrap_or_else(|error| panic!("{folder}/{file}: {error}"));
    }
}

/// One file: read if it is of this machine's kind, and always compared with the little-endian file.
fn one(folder: &Path, file: &str, read: impl Fn(&str, &str) -> Result<String, String>) -> Result<(), String> {
    let (name, kind) = Kind::of(file).ok_or("not a file of captured bytes")?;
    let whole = open(&folder.join(file))?;
    let (recorded, own) = whole.split_once("---\n").unwrap_or((&whole, ""));
    // i386 also reads files without an i386 version, because most bytes are the same there.
    let is_ours = match (kind, HERE) {
        (Kind::Usual, Kind::I386) => !folder.join(format!("{name}{}", HERE.ending())).exists(),
        (kind, here) => kind == here,
    };
    let text = if is_ours { Some(read(name, recorded)) } else { None };
    if is_ours && kind != HERE && recorded.lines().any(|line| line.starts_with("# not on i386: ")) {
        let readable = text.is_some_and(|text| text.is_ok_and(|text| text == own));
        return if readable {
            Err("is readable here, but the file says that it is not".to_owned())
        } else {
            Ok(())
        };
    }
    let text = text.transpose()?;
    let update = env::var_os("UPDATE").is_some();
    let expected = if kind == Kind::Usual {
        own.to_owned()
    } else {
        let usual = open(&folder.join(format!("{name}{}", Kind::Usual.ending())))?;
        let (other, shared) = usual.split_once("---\n").ok_or("no text in the usual file")?;
        if let Some(text) = text.as_ref().filter(|_| update) {
            return write(
                &folder.join(file),
                kind,
                recorded,
                &differences(shared, text).ok_or("the texts differ")?,
            );
        }
        agree(kind, other, recorded, own.lines().count())?;
        replaced(shared, own)?
    };
    let Some(text) = text else { return Ok(()) };
    if update {
        write(&folder.join(file), kind, recorded, &text)?;
    } else if text != expected {
        return Err(format!("reads as\n{text}instead of\n{expected}UPDATE=1 writes this into the file"));
    }
    Ok(())
}

/// Checks the laws of a message. Writing it again gives the same bytes. Cut at any length (with [`patience`],
/// at some lengths) it is an error or another message, without a panic. Returns the text.
///
/// [`patience`]: crate::patience
pub fn check(message: &[u8], read: impl Fn(&[u8]) -> Read) -> Result<String, String> {
    let (text, again) = read(message)?;
    if again.get(HEADER..) != message.get(HEADER..) {
        return Err(format!("{}\nis written again as\n{}", hex(message), hex(&again)));
    }
    for end in (0..message.len()).step_by(step()) {
        let mut cut = message.get(..end).unwrap_or_default().to_vec();
        if let (Some(length), Ok(end)) = (cut.get_mut(..4), u32::try_from(end)) {
            length.copy_from_slice(&end.to_ne_bytes());
        }
        let _ = read(&cut);
    }
    Ok(text)
}

fn step() -> usize {
    usize::try_from(crate::patience()).unwrap_or(1)
}

/// A message that this kernel sent in a kernel test: [`check`]ed, and written to the folder of
/// `NETLINK_GOLDEN`. `how` says why the kernel sent it.
pub fn keep(name: &str, how: &str, message: &[u8], read: impl Fn(&str, &[u8]) -> Read) -> Result<(), String> {
    let mut message = message.to_vec();
    // Sequence number and port of the request that it answers.
    message.iter_mut().take(HEADER).skip(8).for_each(|byte| *byte = 0);
    let text = check(&message, |bytes| read(name, bytes)).map_err(|error| format!("{name}: {error}"))?;
    store(name, how, &hex(&message), &text)
}

/// The same for a recorded exchange and its text.
pub fn keep_exchange(
    name: &str,
    how: &str,
    recorded: &str,
    text: &str,
    read: impl Fn(&[u8]) -> Read,
) -> Result<(), String> {
    check_received(recorded, read).map_err(|error| format!("{name}: {error}"))?;
    store(name, how, recorded, text)
}

fn store(name: &str, how: &str, recorded: &str, text: &str) -> Result<(), String> {
    let Some(folder) = env::var_os("NETLINK_GOLDEN") else { return Ok(()) };
    let release = open(Path::new("/proc/sys/kernel/osrelease"))?;
    let recorded = format!("# Linux {}, {}\n# {how}\n{recorded}", release.trim(), env::consts::ARCH);
    let usual = Path::new("tests/golden").join(format!("{name}{}", Kind::Usual.ending()));
    let usual = open(&usual).unwrap_or_default();
    let shared = usual.split_once("---\n").map(|(_, shared)| shared);
    // Readers of the file refuse a text of its own, so both texts must be equal.
    let own = shared.filter(|_| HERE != Kind::Usual).and_then(|shared| differences(shared, text));
    let path = Path::new(&folder).join(format!("{name}{}", HERE.ending()));
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(|error| error.to_string())?;
    write(&path, HERE, &recorded, own.as_deref().unwrap_or(text))
}

/// A socket that receives the kernel's notifications about commands.
#[derive(Debug)]
pub struct Monitor(OwnedFd);

impl Monitor {
    /// Joins these groups of a protocol, `NETLINK_*` and `RTNLGRP_*` or similar, up to the 32nd.
    pub fn new(protocol: i32, groups: &[u32]) -> io::Result<Self> {
        let socket = sys::netlink_socket(protocol)?;
        sys::bind(&socket, groups.iter().fold(0, |bits, group| bits | 1 << (group - 1)))?;
        Ok(Self(socket))
    }

    /// Runs a shell command, and [`keep`]s the first message of this type that the kernel sends because of it.
    pub fn keep(
        &self,
        name: &str,
        kind: u16,
        command: &str,
        read: impl Fn(&str, &[u8]) -> Read,
    ) -> Result<(), String> {
        let message = self.heard(kind, command).map_err(|error| format!("{command}: {error}"))?;
        keep(name, command, &message, read)
    }

    fn heard(&self, kind: u16, command: &str) -> Result<Vec<u8>, String> {
        let receive = |limit| sys::receive(&self.0, limit).map_err(|error| error.to_string());
        // Notifications about earlier commands.
        while receive(Duration::ZERO)?.is_some() {}
        let output = Command::new("sh").args(["-c", command]).output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        loop {
            let limit = Duration::from_secs(10) * crate::patience();
            let datagram = receive(limit)?.ok_or_else(|| format!("no message of type {kind}"))?;
            let messages = split(&datagram, BIG)?;
            if let Some(message) =
                messages.iter().find(|message| message.get(4..6) == Some(&kind.to_ne_bytes()))
            {
                return Ok(message.to_vec());
            }
        }
    }
}

/// The kernel's release up to the second number.
pub fn series() -> io::Result<String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    Ok(release.split(['.', '-']).take(2).collect::<Vec<_>>().join("."))
}

/// A message with this type and body, in the format for [`keep`].
pub fn framed(kind: u16, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX);
    [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), &[0; 10], body].concat()
}

fn open(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, kind: Kind, recorded: &str, text: &str) -> Result<(), String> {
    let end = if text.is_empty() && kind != Kind::Usual { "" } else { "---\n" };
    fs::write(path, format!("{recorded}{end}{text}")).map_err(|error| format!("{}: {error}", path.display()))
}

/// 32 bytes per line.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for line in bytes.chunks(32) {
        line.iter().for_each(|byte| {
            let _ = write!(text, "{byte:02x}");
        });
        text.push('\n');
    }
    text
}

struct Datagram {
    sent: bool,
    bytes: Vec<u8>,
}

/// The datagrams above the line `---`: an arrow begins a datagram. Without arrows there is one datagram.
fn datagrams(recorded: &str) -> Result<Vec<Datagram>, String> {
    let mut datagrams: Vec<Datagram> = Vec::new();
    for line in recorded.lines().filter(|line| !line.starts_with('#')) {
        let digits = match line.strip_prefix('*') {
            Some(event) => event.trim_start_matches(|c: char| c.is_ascii_digit()),
            None => line.trim_start_matches(['<', '>']),
        };
        let bytes = bytes(digits).ok_or_else(|| format!("not hexadecimal digits: {line}"))?;
        match datagrams.last_mut().filter(|_| digits.len() == line.len()) {
            Some(datagram) => datagram.bytes.extend(bytes),
            None => datagrams.push(Datagram { sent: line.starts_with('>'), bytes }),
        }
    }
    Ok(datagrams)
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.chars().filter(|digit| !digit.is_whitespace()).map(|digit| digit.to_digit(16));
    let digits = digits.collect::<Option<Vec<u32>>>()?;
    digits.chunks(2).map(|pair| u8::try_from(pair.first()? << 4 | pair.get(1)?).ok()).collect()
}

/// The messages of a datagram.
fn split(mut bytes: &[u8], big: bool) -> Result<Vec<&[u8]>, String> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let length = bytes.first_chunk().ok_or("less than a length behind the messages")?;
        let length = if big { u32::from_be_bytes(*length) } else { u32::from_le_bytes(*length) } as usize;
        let message = bytes.get(..length).filter(|message| message.len() >= HEADER);
        messages
            .push(message.ok_or_else(|| format!("a message of {length} bytes where {} are", bytes.len()))?);
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(messages)
}

/// Compares the bytes of a file of another kind with the little-endian file. Both have the same number of messages
/// with the same types. Words are byte-swapped, or some padding is missing. `own` lines of the text allow as many
/// different words. In an exchange one more word per message may differ, because the kernel numbers the family.
fn agree(kind: Kind, usual: &str, other: &str, own: usize) -> Result<(), String> {
    let exchange = usual.lines().any(|line| line.starts_with(['<', '>', '*']));
    let (usual, other) = (datagrams(usual)?, datagrams(other)?);
    let (mut odd, mut may) = (0, if kind == Kind::Big { own * 2 } else { own });
    let mut messages = |usual: &[u8], other: &[u8]| {
        let (usual, other) = (split(usual, false)?, split(other, kind == Kind::Big)?);
        let lengths = |messages: &[&[u8]]| messages.iter().map(|message| message.len()).collect::<Vec<_>>();
        let [ours, theirs] = [&usual, &other].map(|messages| lengths(messages));
        let fit = match kind {
            // An equal file is unnecessary.
            Kind::I386 => {
                ours.len() == theirs.len() && ours.iter().zip(&theirs).all(|(our, their)| their < our)
            }
            Kind::Usual | Kind::Big => ours == theirs,
        };
        if !fit {
            return Err(format!("messages of {ours:?} bytes, and {theirs:?} in the other file"));
        }
        may += if exchange { usual.len() } else { 0 };
        let unequal = if kind == Kind::I386 { unequal_but_padding } else { unequal };
        odd += usual.iter().zip(&other).map(|(usual, other)| unequal(usual, other)).sum::<usize>();
        Ok(())
    };
    usual.iter().zip(&other).try_for_each(|(usual, other)| messages(&usual.bytes, &other.bytes))?;
    if usual.len() != other.len() || odd > may {
        return Err(format!("{odd} words and {own} lines of the text differ from the other file"));
    }
    Ok(())
}

/// How many words of a message are not the byte-swapped words of the other. Sequence numbers and ports, and
/// their copies in errors, are not counted.
fn unequal(little: &[u8], big: &[u8]) -> usize {
    let sorted = |bytes: &[u8], from: usize, to: usize| {
        let mut bytes = bytes.get(from..to.min(bytes.len())).unwrap_or_default().to_vec();
        bytes.sort_unstable();
        bytes
    };
    let same = |from, to| sorted(little, from, to) == sorted(big, from, to);
    let mut odd = usize::from(!same(4, 6));
    let mut at = if sorted(little, 4, 6) == [0, NLMSG_ERROR] { little.len() } else { HEADER };
    while at < little.len() {
        let length = [4, 8].into_iter().find(|length| same(at, at + length));
        odd += usize::from(length.is_none());
        at += length.unwrap_or(4);
    }
    odd
}

/// How many words of a message differ. Zeros that the other lacks, and lengths of attributes around them, are
/// not counted.
fn unequal_but_padding(usual: &[u8], other: &[u8]) -> usize {
    let words = |bytes| <[u8]>::chunks(bytes, 4).skip(HEADER / 4);
    let is_shorter = |usual: &[u8], other: &[u8]| match (usual, other) {
        ([a, b, kind @ ..], [c, d, other @ ..]) => kind == other && [d, c] < [b, a],
        _ => false,
    };
    let mut odd = usize::from(usual.get(4..6) != other.get(4..6));
    let mut other = words(other).peekable();
    for word in words(usual) {
        if other.next_if(|other| *other == word).is_none() && word != [0; 4] {
            odd += usize::from(other.next().is_none_or(|other| !is_shorter(word, other)));
        }
    }
    odd + other.count()
}

/// The lines that differ from the shared text; `None` unless they differ only in numbers.
fn differences(shared: &str, text: &str) -> Option<String> {
    let mut out = String::new();
    for (number, (shared, line)) in (1..).zip(shared.lines().zip(text.lines())) {
        if shared != line {
            let _ = writeln!(out, "{number}: {}", line.trim_start());
        }
    }
    (replaced(shared, &out).as_deref() == Ok(text)).then_some(out)
}

/// The shared text with these lines replaced.
fn replaced(shared: &str, own: &str) -> Result<String, String> {
    let mut lines: Vec<String> = shared.lines().map(str::to_owned).collect();
    for own in own.lines() {
        let place =
            own.split_once(": ").and_then(|(number, line)| Some((number.parse::<usize>().ok()?, line)));
        let (line, new) = place
            .and_then(|(number, new)| Some((lines.get_mut(number.checked_sub(1)?)?, new)))
            .ok_or_else(|| format!("no line of the text: {own}"))?;
        if words(line.trim_start()) != words(new) {
            return Err(format!("differs not only in numbers: {own}"));
        }
        let indent = line.len() - line.trim_start().len();
        line.replace_range(indent.., new);
    }
    Ok(lines.iter().fold(String::new(), |text, line| text + line + "\n"))
}

/// A line with all numbers replaced by the same number.
fn words(line: &str) -> String {
    let is_end = |letter: char| !letter.is_alphanumeric();
    let words = line.split_inclusive(is_end).map(|word| {
        let bare = word.trim_end_matches(is_end);
        let number = bare.starts_with(|letter: char| letter.is_ascii_digit())
            || !bare.is_empty() && bare.chars().all(|letter| letter.is_ascii_hexdigit());
        if number { word.replace(bare, "0") } else { word.to_owned() }
    });
    words.collect()
}

/// Reads a message in a family's golden test: the bytes of one message become a value of a type that
/// `message!` made, and the request that is made from it.
///
/// `$bind` gets a request that must be bound before it is sent. Use the macro in a function that returns a
/// [`Read`](crate::golden::Read), in a crate that has `netlink_core`.
#[macro_export]
macro_rules! reread {
    ($type:ty, $bytes:expr $(, $bind:expr)?) => {{
        let message = ::netlink_core::Messages::new($bytes).next().ok_or("no message")?;
        let message = message.map_err(|error| error.to_string())?;
        let read = <$type>::read(&message).map_err(|error| error.to_string())?;
        assert_eq!(read.clone().into_owned(), read);
        // The number is the message type, or for a generic family the first byte.
        let numbers = [message.header.kind.0, message.body.first().copied().unwrap_or_default().into()];
        let known = |number| <$type>::MESSAGES.iter().find(|info| info.number == number);
        // Some messages are sent with the number of another one: `ctnetlink_exp_stat_cpu`.
        let info = numbers.into_iter().find_map(known).unwrap_or(&<$type>::MESSAGES[0]);
        let request = read.to_request::<()>(info, message.header.flags);
        $( let request = $bind(request); )?
        let again = ::netlink_core::ToRequest::to_request(&request).to_bytes();
        (read, again.map_err(|error| error.to_string())?)
    }};
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_may_name_its_group() {
        let digits = hex(&message(false, 5));
        let [event, plain] = &datagrams(&format!("*17 {digits}\n< {digits}")).unwrap()[..] else {
            panic!("two datagrams")
        };
        assert!(!event.sent && event.bytes == plain.bytes);
    }

    /// A message with a word, two half words and a double word, in either byte order.
    fn message(big: bool, last: u64) -> Vec<u8> {
        let mut members: Vec<Vec<u8>> =
            vec![32_u32.to_le_bytes().into(), 20_u16.to_le_bytes().into(), vec![0; 10]];
        members.extend([7_u32.to_le_bytes().to_vec(), vec![1, 0], vec![2, 0], last.to_le_bytes().into()]);
        if big {
            members.iter_mut().for_each(|member| member.reverse());
        }
        members.concat()
    }

    fn turned(little: &str, big: &str, own: usize) -> Result<(), String> {
        agree(Kind::Big, little, big, own)
    }

    fn agreed(last: u64, own: usize) -> Result<(), String> {
        turned(&hex(&message(false, 5)), &hex(&message(true, last)), own)
    }

    #[test]
    fn files_of_two_orders_agree_word_by_word() {
        assert_eq!(agreed(5, 0), Ok(()));
        assert!(agreed(1 << 32 | 6, 0).unwrap_err().starts_with("2 words"));
        assert_eq!(agreed(1 << 32 | 6, 1), Ok(()));
        // Each message of an exchange has its own sequence number.
        let little = format!("< {}", hex(&message(false, 5)));
        let big = |last| format!("< {}", hex(&message(true, last)).replacen("00000007", "00000008", 1));
        assert_eq!(turned(&little, &big(5), 0), Ok(()));
        assert!(turned(&little, &big(6), 0).is_err());
        assert!(turned(&little[2..], &big(5)[2..], 0).is_err());
        // Another type, another length, and twice the same byte order.
        let other = hex(&message(true, 5)).replacen("0014", "0015", 1);
        assert!(turned(&hex(&message(false, 5)), &other, 0).unwrap_err().starts_with("1 words"));
        let two = hex(&[message(true, 5), message(true, 5)].concat());
        assert!(turned(&hex(&message(false, 5)), &two, 9).unwrap_err().contains("[32, 32]"));
        assert!(turned(&hex(&message(false, 5)), &hex(&message(false, 5)), 9).is_err());
    }

    #[test]
    fn a_struct_that_ends_earlier_agrees_except_for_padding() {
        // A word, an attribute with two words and padding, and a counter.
        let message = |kind: u32, padding: &[u32], counter: u32| {
            let length = if padding.is_empty() { 12 } else { 16 };
            let header = [if padding.is_empty() { 36 } else { 40 }, kind, 0, 0];
            let words = [&header[..], &[7, 0x0001_0000 | length, 1, 2], padding, &[counter]].concat();
            hex(&words.into_iter().flat_map(u32::to_le_bytes).collect::<Vec<_>>())
        };
        let usual = message(20, &[0], 5);
        let held = |other: &str, own| agree(Kind::I386, &usual, other, own);
        let shorter = message(20, &[], 5);
        assert_eq!(held(&shorter, 0), Ok(()));
        assert!(held(&message(20, &[], 6), 0).unwrap_err().starts_with("1 words"));
        assert_eq!(held(&message(20, &[], 6), 1), Ok(()));
        // Another type, an equal length, and twice the same file.
        assert!(held(&message(21, &[], 6), 0).unwrap_err().starts_with("2 words"));
        assert!(held(&usual, 9).is_err());
        assert!(held(&(shorter.clone() + &shorter), 9).is_err());
        // The missing bytes are zeros.
        let padded = message(20, &[3], 5);
        assert!(agree(Kind::I386, &padded, &shorter, 0).is_err());
    }

    #[test]
    fn texts_of_two_orders_differ_in_numbers_only() {
        let shared = "Address {\n    label: \"b0\",\n    created: 2447,\n}\n";
        let text = shared.replace("2447", "33");
        assert_eq!(differences(shared, &text).as_deref(), Some("3: created: 33,\n"));
        assert_eq!(replaced(shared, "3: created: 33,\n"), Ok(text));
        assert_eq!(differences(shared, shared).as_deref(), Some(""));
        assert_eq!(words("cookie: a7, v4: 0x1f, lable: b"), "cookie: 0, v4: 0, lable: 0");
        for text in
            [shared.replace("label", "lable"), format!("{shared}}}\n"), shared.replace("    c", "  c")]
        {
            assert_eq!(differences(shared, &text), None);
        }
        for own in ["3: updated: 33,", "0: Address {", "5: }", "created: 33,"] {
            assert!(replaced(shared, own).is_err(), "{own}");
        }
    }

    #[test]
    fn a_message_is_written_again_and_cut() {
        let whole = message(BIG, 5);
        let lengths = std::cell::RefCell::new(Vec::new());
        let read = |bytes: &[u8]| {
            lengths.borrow_mut().push((bytes.len(), split(bytes, BIG).is_ok()));
            Ok(("read".to_owned(), whole.clone()))
        };
        assert_eq!(check(&whole, read).as_deref(), Ok("read"));
        let expected = [32]
            .into_iter()
            .chain((0..32).step_by(step()))
            .map(|length| (length, !(1..16).contains(&length)));
        assert!(lengths.into_inner().into_iter().eq(expected));
        assert!(
            check(&whole, |_| Ok((String::new(), message(BIG, 6)))).unwrap_err().contains("written again")
        );
        assert!(
            check(&whole, |bytes| Ok((String::new(), bytes.get(..28).unwrap_or_default().into()))).is_err()
        );
    }

    #[test]
    fn the_ending_of_a_file_name_is_its_kind() {
        for (file, of) in [("a.hex", Kind::Usual), ("a.be.hex", Kind::Big), ("a.i386.hex", Kind::I386)] {
            assert_eq!(Kind::of(file), Some(("a", of)));
            assert_eq!(format!("a{}", of.ending()), file);
        }
        assert_eq!(Kind::of("a.text"), None);
    }

    #[test]
    fn an_arrow_begins_a_datagram() {
        let read = datagrams("# Linux\n> 01 02\n03\n< 04\n").unwrap_or_default();
        let read: Vec<_> = read.iter().map(|datagram| (datagram.sent, &datagram.bytes[..])).collect();
        assert_eq!(read, [(true, &[1, 2, 3][..]), (false, &[4])]);
        for text in ["0", "0g", "? 00"] {
            assert!(datagrams(text).is_err(), "{text}");
        }
    }
}
