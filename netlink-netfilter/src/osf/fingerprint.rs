//! `struct nf_osf_user_finger` and its fields.

use core::fmt;

use netlink_core::error::Quoted;
use netlink_core::layout::Field;
use netlink_core::{Str, layout, serialize, values};

values! {
    /// `OSF_WSS_*`: how the window is compared.
    pub struct WindowKind: u32 {
        /// With the number itself; 0 matches any window.
        0 OSF_WSS_PLAIN PLAIN "plain",
        /// With this multiple of the segment size.
        1 OSF_WSS_MSS MSS "mss",
        /// With this multiple of the packet size, which is the segment size plus 40.
        2 OSF_WSS_MTU MTU "mtu",
        /// Matches any multiple of the number.
        3 OSF_WSS_MODULO MODULO "modulo",
    }
}

values! {
    /// `OSFOPT_*`: the kinds of TCP options.
    pub struct OptionKind: u16 {
        /// End of options.
        0 OSFOPT_EOL EOL "eol",
        /// No operation, for alignment.
        1 OSFOPT_NOP NOP "nop",
        /// Maximum segment size.
        2 OSFOPT_MSS MSS "mss",
        /// Window scale.
        3 OSFOPT_WSO WSO "wso",
        /// Selective acknowledgements are permitted.
        4 OSFOPT_SACKP SACKP "sackp",
        /// Selective acknowledgements.
        5 OSFOPT_SACK SACK "sack",
        /// Echo.
        6 OSFOPT_ECHO ECHO "echo",
        /// Echo reply.
        7 OSFOPT_ECHOREPLY ECHOREPLY "echoreply",
        /// Timestamps.
        8 OSFOPT_TS TS "ts",
        /// Partial order connection permitted.
        9 OSFOPT_POCP POCP "pocp",
        /// Partial order service profile.
        10 OSFOPT_POSP POSP "posp",
        /// None.
        255 OSFOPT_EMPTY EMPTY "empty",
    }
}

layout! {
    /// `struct nf_osf_wc`: a number and its meaning.
    pub struct Wildcard: nf_osf_wc = 8 {
        /// The meaning.
        wc: WindowKind,
        /// The number.
        val: u32,
    }
}

layout! {
    /// `struct nf_osf_opt`: a TCP option.
    pub struct TcpOption: nf_osf_opt = 12 {
        /// Its kind.
        kind: OptionKind,
        /// Length in bytes, with the two bytes for kind and length.
        length: u16,
        /// Its value; the kernel does not compare it.
        wc: Wildcard,
    }
}

layout! {
    /// `struct nf_osf_user_finger`: the form of a connection's first packet.
    ///
    /// Parsing a line of `pf.os` makes one: `window:ttl:df:size:options:genre:version:subtype:comment`. The
    /// bytes equal those that `nfnl_osf` makes from the line.
    ///
    /// ```
    /// use netlink_netfilter::osf::{Fingerprint, Label, OptionKind, TcpOption, WindowKind};
    ///
    /// let parsed: Fingerprint = "S4:64:1:48:M*,N,N,S:Linux:2.4::Linux 2.4".parse()?;
    /// assert_eq!(parsed.wss.wc, WindowKind::MSS);
    ///
    /// let options = [(OptionKind::MSS, 4), (OptionKind::NOP, 1), (OptionKind::NOP, 1), (OptionKind::SACKP, 2)];
    /// let options = options.map(|(kind, length)| TcpOption::default().kind(kind).length(length));
    /// let built = Fingerprint::default().wss(parsed.wss).ttl(64).df(1).ss(48).genre(Label::new("Linux")?);
    /// let built = built.version(Label::new("2.4")?).options(&options)?;
    /// assert_eq!(built, parsed);
    /// # Ok::<(), netlink_netfilter::osf::FingerprintError>(())
    /// ```
    pub struct Fingerprint: nf_osf_user_finger = 592 {
        /// The window.
        wss: Wildcard,
        /// Time to live at the sender.
        ttl: u8,
        /// Whether the packet must not be fragmented: 0 or 1.
        df: u8,
        /// Length of the packet with the IP header, in bytes.
        ss: u16,
        /// Not used.
        mss: u16,
        /// Number of TCP options. Set it with [`options`](Self::options).
        opt_num: u16,
        /// The system; rules match this name.
        genre: Label,
        /// Its version.
        version: Label,
        /// Further details.
        subtype: Label,
        /// The TCP options, in order. Set them with [`options`](Self::options).
        opt: TcpOptions,
    }
}

/// A text of at most 31 bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Label([u8; 32]);

impl Label {
    /// Largest length, in bytes.
    pub const MAX: usize = 31;

    /// Makes a label of a text without NUL.
    pub fn new(text: &str) -> Result<Self, FingerprintError> {
        let mut label = Self::default();
        match label.0.get_mut(..text.len()) {
            Some(there) if text.len() <= Self::MAX && !text.contains('\0') => {
                there.copy_from_slice(text.as_bytes());
                Ok(label)
            }
            _ => Err(FingerprintError::Label(Quoted::new(text))),
        }
    }

    /// The text.
    pub fn as_str(&self) -> Str<'_, 31> {
        Str::new(self.0.split(|byte| *byte == 0).next().unwrap_or_default())
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.as_str(), f)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_str(), f)
    }
}

impl Field for Label {
    const SIZE: usize = 32;

    fn take(cursor: &mut &[u8]) -> Option<Self> {
        Field::take(cursor).map(Self)
    }

    fn store(self, bytes: &mut [u8], at: usize) {
        self.0.store(bytes, at);
    }
}

serialize! { @value Label, |label| label.as_str() }

/// Space for forty TCP options; [`opt_num`](Fingerprint::opt_num) is the number in use.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TcpOptions([TcpOption; 40]);

impl TcpOptions {
    /// Largest number of options.
    pub const MAX: usize = 40;

    /// These options, followed by unused ones.
    pub fn new(options: &[TcpOption]) -> Result<Self, FingerprintError> {
        let mut all = Self::default();
        all.0.get_mut(..options.len()).ok_or(FingerprintError::Options)?.copy_from_slice(options);
        Ok(all)
    }

    /// All forty options.
    pub fn as_slice(&self) -> &[TcpOption] {
        &self.0
    }
}

impl Default for TcpOptions {
    fn default() -> Self {
        Self([TcpOption::default(); Self::MAX])
    }
}

/// Without the unused options at the end.
impl fmt::Debug for TcpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unused = |option: &&TcpOption| **option == TcpOption::default();
        let used = Self::MAX - self.0.iter().rev().take_while(unused).count();
        f.debug_list().entries(self.0.iter().take(used)).finish()
    }
}

impl Field for TcpOptions {
    const SIZE: usize = Self::MAX * TcpOption::SIZE;

    fn take(cursor: &mut &[u8]) -> Option<Self> {
        let mut all = Self::default();
        for option in &mut all.0 {
            *option = Field::take(cursor)?;
        }
        Some(all)
    }

    fn store(self, bytes: &mut [u8], at: usize) {
        for (n, option) in self.0.into_iter().enumerate() {
            option.store(bytes, at + n * TcpOption::SIZE);
        }
    }
}

serialize! { @value TcpOptions, |options| options.as_slice() }

impl Fingerprint {
    /// Sets these options and their number.
    pub fn options(self, options: &[TcpOption]) -> Result<Self, FingerprintError> {
        let count = u16::try_from(options.len()).map_err(|_| FingerprintError::Options)?;
        Ok(self.opt(TcpOptions::new(options)?).opt_num(count))
    }
}

/// Why a text is not a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FingerprintError {
    /// A line has nine parts between colons.
    Parts(Quoted),
    /// This part is not a number, or the number is too large.
    Number(&'static str, Quoted),
    /// A text is longer than 31 bytes, or has a NUL.
    Label(Quoted),
    /// There are more than forty options.
    Options,
}

impl fmt::Display for FingerprintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parts(line) => write!(f, "{line}not a fingerprint: nine parts between colons"),
            Self::Number(part, text) => write!(f, "{text}not a number that fits the {part} of a fingerprint"),
            Self::Label(text) => write!(f, "{text}not a text of a fingerprint: at most 31 bytes, and no NUL"),
            Self::Options => f.write_str("a fingerprint has at most 40 options"),
        }
    }
}

impl core::error::Error for FingerprintError {}
