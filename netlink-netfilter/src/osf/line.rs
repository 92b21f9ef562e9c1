//! Fingerprints as lines of `pf.os`.

use core::str::FromStr;

use netlink_core::error::Quoted;

use super::{Fingerprint, FingerprintError, Label, OptionKind, TcpOption, TcpOptions, Wildcard, WindowKind};

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(line: &str) -> Result<Self, FingerprintError> {
        let mut parts = line.trim_end_matches(['\r', '\n']).split(':').map(str::trim_start);
        let nine: [_; 9] = core::array::from_fn(|_| parts.next());
        let [
            Some(window),
            Some(ttl),
            Some(df),
            Some(size),
            Some(options),
            Some(genre),
            Some(version),
            Some(subtype),
            Some(_),
        ] = nine
        else {
            return Err(FingerprintError::Parts(Quoted::new(line)));
        };
        if parts.next().is_some() {
            return Err(FingerprintError::Parts(Quoted::new(line)));
        }
        let genre = genre.strip_prefix(['@', '*']).unwrap_or(genre);
        let fingerprint = Self::default()
            .wss(wildcard(window, "window")?)
            .ttl(number::<u8>(ttl, "time to live")?)
            .df(number::<u8>(df, "don't-fragment bit")?)
            .ss(number::<u16>(size, "size")?)
            .genre(Label::new(genre)?)
            .version(Label::new(version)?)
            .subtype(Label::new(subtype)?);
        let mut list = [TcpOption::default(); TcpOptions::MAX];
        let mut count = 0;
        for text in options.split(',').map(str::trim_start) {
            if let Some(option) = option(text)? {
                *list.get_mut(count).ok_or(FingerprintError::Options)? = option;
                count += 1;
            }
        }
        fingerprint.options(list.get(..count).unwrap_or_default())
    }
}

fn number<T: FromStr>(text: &str, part: &'static str) -> Result<T, FingerprintError> {
    text.trim().parse().map_err(|_| FingerprintError::Number(part, Quoted::new(text)))
}

/// A number after a prefix for its kind. A star is 0.
fn wildcard(text: &str, part: &'static str) -> Result<Wildcard, FingerprintError> {
    let (kind, rest) = match text.as_bytes().first() {
        Some(b'S') => (WindowKind::MSS, text.get(1..)),
        Some(b'T') => (WindowKind::MTU, text.get(1..)),
        Some(b'%') => (WindowKind::MODULO, text.get(1..)),
        _ => (WindowKind::PLAIN, Some(text)),
    };
    let rest = rest.unwrap_or_default();
    let rest = rest.strip_prefix('%').unwrap_or(rest);
    let val = if rest.trim_end() == "*" { 0 } else { number::<u32>(rest, part)? };
    Ok(Wildcard::default().wc(kind).val(val))
}

/// The option for a letter. Unknown letters, which other programs use, are ignored.
fn option(text: &str) -> Result<Option<TcpOption>, FingerprintError> {
    let (kind, length) = match text.as_bytes().first() {
        Some(b'E') => (OptionKind::EOL, 1),
        Some(b'N') => (OptionKind::NOP, 1),
        Some(b'M') => (OptionKind::MSS, 4),
        Some(b'W') => (OptionKind::WSO, 3),
        Some(b'S') => (OptionKind::SACKP, 2),
        Some(b'T') => (OptionKind::TS, 10),
        _ => return Ok(None),
    };
    let value = text.get(1..).unwrap_or_default();
    let wc = match kind {
        OptionKind::MSS | OptionKind::WSO => wildcard(value, "option")?,
        _ => Wildcard::default(),
    };
    Ok(Some(TcpOption::default().kind(kind).length(length).wc(wc)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_core::layout::Field as _;

    fn options(options: &str) -> Result<Fingerprint, FingerprintError> {
        alloc::format!("*:64:1:60:{options}:Linux:3.x::").parse()
    }

    #[test]
    fn a_line_is_the_kernels_struct() {
        let line = "T22:64:1:60:M%2,S, T0,N,W7:\t@Linux:2.6:sub: and a comment\n";
        let read: Fingerprint = line.parse().unwrap();
        assert_eq!((read.wss.wc, read.wss.val), (WindowKind::MTU, 22));
        assert_eq!((read.ttl, read.df, read.ss, read.opt_num), (64, 1, 60, 5));
        assert_eq!(
            [read.genre, read.version, read.subtype],
            ["Linux", "2.6", "sub"].map(|t| Label::new(t).unwrap())
        );
        let option = |at: usize| read.opt.as_slice()[at];
        assert_eq!(option(0).wc, Wildcard::default().wc(WindowKind::MODULO).val(2));
        assert_eq!((option(2).kind, option(2).length, option(2).wc.val), (OptionKind::TS, 10, 0));
        assert_eq!((option(4).kind, option(4).wc.val), (OptionKind::WSO, 7));
        assert_eq!(option(5), TcpOption::default());
        let bytes = read.to_bytes();
        assert_eq!(
            (&bytes[16..22], &bytes[48..52], &bytes[80..84]),
            (&b"Linux\0"[..], &b"2.6\0"[..], &b"sub\0"[..])
        );
        assert_eq!(Fingerprint::take(&mut bytes.as_slice()).unwrap(), read);
    }

    #[test]
    fn windows() {
        let window = |text| wildcard(text, "window").map(|wss| (wss.wc, wss.val));
        for (text, kind, number) in [
            ("*", WindowKind::PLAIN, 0),
            ("65535", WindowKind::PLAIN, 65535),
            ("S4", WindowKind::MSS, 4),
            ("S%5", WindowKind::MSS, 5),
            ("T*", WindowKind::MTU, 0),
            ("%8192", WindowKind::MODULO, 8192),
        ] {
            assert_eq!(window(text), Ok((kind, number)), "{text}");
        }
        for text in ["", "S", "%", "x", "4294967296", "-1"] {
            assert!(matches!(window(text), Err(FingerprintError::Number("window", _))), "{text}");
        }
    }

    #[test]
    fn values_that_do_not_fit_are_refused() {
        assert_eq!(options(".").unwrap().opt_num, 0);
        assert_eq!(options(&["N"; 40].join(",")).unwrap().opt_num, 40);
        assert_eq!(options(&["N"; 41].join(",")), Err(FingerprintError::Options));
        assert_eq!(options("Wx"), Err(FingerprintError::Number("option", Quoted::new("x"))));
        let line =
            |ttl: &str, genre: &str| alloc::format!("*:{ttl}:1:60:.:{genre}:::").parse::<Fingerprint>();
        assert!(line("255", &"g".repeat(31)).is_ok());
        assert_eq!(line("255", &"g".repeat(32)), Err(FingerprintError::Label(Quoted::new(&"g".repeat(32)))));
        assert_eq!(line("255", "a\0b"), Err(FingerprintError::Label(Quoted::new("a\0b"))));
        assert_eq!(line("256", "g"), Err(FingerprintError::Number("time to live", Quoted::new("256"))));
        for wrong in ["", "# comment", "*:64:1:60:.:g::", "*:64:1:60:.:g:::comment: with a colon"] {
            assert_eq!(
                wrong.parse::<Fingerprint>(),
                Err(FingerprintError::Parts(Quoted::new(wrong))),
                "{wrong}"
            );
        }
    }
}
