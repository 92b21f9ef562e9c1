//! Error numbers.

use core::fmt;

use crate::values;

/// A row is `number NAME "text",`; what a number means in netlink beyond its text stands above.
macro_rules! errnos {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident { $( $(#[$doc:meta])* $number:literal $(| $mips:literal)? $c_name:ident $text:literal, )* }
    ) => {
        values! {
            $(#[$meta])*
            $vis struct $name: i32 {
                $( #[doc = concat!($text, ".")] #[doc = ""] $(#[$doc])* $number $(| $mips)? $c_name $c_name $text, )*
            }
        }
    };
}

errnos! {
    /// An error number, positive. Names and numbers are those of `asm-generic/errno.h`, and on MIPS its own; SPARC and
    /// Alpha number those above 34 in other ways again.
    pub struct Errno {
        /// A capability is missing.
        1 EPERM "Operation not permitted",
        /// No such object.
        2 ENOENT "No such file or directory",
        /// No such object: routes, IPsec states.
        3 ESRCH "No such process",
        /// A signal came first.
        4 EINTR "Interrupted system call",
        /// The device failed.
        5 EIO "Input/output error",
        /// No such address or device.
        6 ENXIO "No such device or address",
        /// Too much.
        7 E2BIG "Argument list too long",
        8 ENOEXEC "Exec format error",
        /// Not an open descriptor.
        9 EBADF "Bad file descriptor",
        10 ECHILD "No child processes",
        /// Not now.
        11 EAGAIN "Resource temporarily unavailable",
        /// No memory.
        12 ENOMEM "Cannot allocate memory",
        /// Not allowed.
        13 EACCES "Permission denied",
        14 EFAULT "Bad address",
        15 ENOTBLK "Block device required",
        /// In use.
        16 EBUSY "Device or resource busy",
        /// Exists already.
        17 EEXIST "File exists",
        /// Not across these.
        18 EXDEV "Invalid cross-device link",
        /// No such link.
        19 ENODEV "No such device",
        /// A directory is needed.
        20 ENOTDIR "Not a directory",
        21 EISDIR "Is a directory",
        /// A value is wrong.
        22 EINVAL "Invalid argument",
        /// The system's table of open files is full.
        23 ENFILE "Too many open files in system",
        /// The process has too many open files.
        24 EMFILE "Too many open files",
        /// The wrong kind of descriptor.
        25 ENOTTY "Inappropriate ioctl for device",
        26 ETXTBSY "Text file busy",
        27 EFBIG "File too large",
        /// No room.
        28 ENOSPC "No space left on device",
        29 ESPIPE "Illegal seek",
        /// Cannot be written.
        30 EROFS "Read-only file system",
        31 EMLINK "Too many links",
        32 EPIPE "Broken pipe",
        33 EDOM "Numerical argument out of domain",
        /// A number is out of range.
        34 ERANGE "Numerical result out of range",
        35 | 45 EDEADLK "Resource deadlock avoided",
        /// A name is too long.
        36 | 78 ENAMETOOLONG "File name too long",
        37 | 46 ENOLCK "No locks available",
        /// Not in this kernel.
        38 | 89 ENOSYS "Function not implemented",
        39 | 93 ENOTEMPTY "Directory not empty",
        /// A loop of objects.
        40 | 90 ELOOP "Too many levels of symbolic links",
        /// No such message.
        42 | 35 ENOMSG "No message of desired type",
        43 | 36 EIDRM "Identifier removed",
        44 | 37 ECHRNG "Channel number out of range",
        45 | 38 EL2NSYNC "Level 2 not synchronized",
        46 | 39 EL3HLT "Level 3 halted",
        47 | 40 EL3RST "Level 3 reset",
        48 | 41 ELNRNG "Link number out of range",
        49 | 42 EUNATCH "Protocol driver not attached",
        50 | 43 ENOCSI "No CSI structure available",
        51 | 44 EL2HLT "Level 2 halted",
        52 | 50 EBADE "Invalid exchange",
        53 | 51 EBADR "Invalid request descriptor",
        54 | 52 EXFULL "Exchange full",
        55 | 53 ENOANO "No anode",
        56 | 54 EBADRQC "Invalid request code",
        57 | 55 EBADSLT "Invalid slot",
        59 EBFONT "Bad font file format",
        60 ENOSTR "Device not a stream",
        /// Nothing there.
        61 ENODATA "No data available",
        62 ETIME "Timer expired",
        63 ENOSR "Out of streams resources",
        64 ENONET "Machine is not on the network",
        65 ENOPKG "Package not installed",
        66 EREMOTE "Object is remote",
        67 ENOLINK "Link has been severed",
        68 EADV "Advertise error",
        69 ESRMNT "Srmount error",
        70 ECOMM "Communication error on send",
        /// A protocol was broken.
        71 EPROTO "Protocol error",
        72 | 74 EMULTIHOP "Multihop attempted",
        73 EDOTDOT "RFS specific error",
        /// Not a sensible message.
        74 | 77 EBADMSG "Bad message",
        /// A number is too large.
        75 | 79 EOVERFLOW "Value too large for defined data type",
        76 | 80 ENOTUNIQ "Name not unique on network",
        77 | 81 EBADFD "File descriptor in bad state",
        78 | 82 EREMCHG "Remote address changed",
        79 | 83 ELIBACC "Can not access a needed shared library",
        80 | 84 ELIBBAD "Accessing a corrupted shared library",
        81 | 85 ELIBSCN ".lib section in a.out corrupted",
        82 | 86 ELIBMAX "Attempting to link in too many shared libraries",
        83 | 87 ELIBEXEC "Cannot exec a shared library directly",
        84 | 88 EILSEQ "Invalid or incomplete multibyte or wide character",
        /// The object changed since it was read: read it again.
        85 | 91 ERESTART "Interrupted system call should be restarted",
        86 | 92 ESTRPIPE "Streams pipe error",
        87 | 94 EUSERS "Too many users",
        88 | 95 ENOTSOCK "Socket operation on non-socket",
        89 | 96 EDESTADDRREQ "Destination address required",
        /// A message is too long.
        90 | 97 EMSGSIZE "Message too long",
        91 | 98 EPROTOTYPE "Protocol wrong type for socket",
        /// No such option.
        92 | 99 ENOPROTOOPT "Protocol not available",
        /// No such protocol.
        93 | 120 EPROTONOSUPPORT "Protocol not supported",
        /// No such socket type.
        94 | 121 ESOCKTNOSUPPORT "Socket type not supported",
        /// Not in this kernel, or not for this object.
        95 | 122 EOPNOTSUPP "Operation not supported",
        /// No such protocol family.
        96 | 123 EPFNOSUPPORT "Protocol family not supported",
        /// No such address family.
        97 | 124 EAFNOSUPPORT "Address family not supported by protocol",
        /// The address or port is taken.
        98 | 125 EADDRINUSE "Address already in use",
        /// No such address.
        99 | 126 EADDRNOTAVAIL "Cannot assign requested address",
        /// The link is down.
        100 | 127 ENETDOWN "Network is down",
        /// No route.
        101 | 128 ENETUNREACH "Network is unreachable",
        102 | 129 ENETRESET "Network dropped connection on reset",
        103 | 130 ECONNABORTED "Software caused connection abort",
        104 | 131 ECONNRESET "Connection reset by peer",
        /// The buffer is full.
        105 | 132 ENOBUFS "No buffer space available",
        /// Already connected.
        106 | 133 EISCONN "Transport endpoint is already connected",
        /// Not connected.
        107 | 134 ENOTCONN "Transport endpoint is not connected",
        108 | 143 ESHUTDOWN "Cannot send after transport endpoint shutdown",
        109 | 144 ETOOMANYREFS "Too many references: cannot splice",
        /// Too late.
        110 | 145 ETIMEDOUT "Connection timed out",
        /// Nobody listens.
        111 | 146 ECONNREFUSED "Connection refused",
        112 | 147 EHOSTDOWN "Host is down",
        /// No route to the host.
        113 | 148 EHOSTUNREACH "No route to host",
        /// Already under way.
        114 | 149 EALREADY "Operation already in progress",
        /// Begun.
        115 | 150 EINPROGRESS "Operation now in progress",
        /// It is another one by now: sockets.
        116 | 151 ESTALE "Stale file handle",
        117 | 135 EUCLEAN "Structure needs cleaning",
        118 | 137 ENOTNAM "Not a XENIX named type file",
        119 | 138 ENAVAIL "No XENIX semaphores available",
        120 | 139 EISNAM "Is a named type file",
        121 | 140 EREMOTEIO "Remote I/O error",
        122 | 1133 EDQUOT "Disk quota exceeded",
        123 | 159 ENOMEDIUM "No medium found",
        124 | 160 EMEDIUMTYPE "Wrong medium type",
        125 | 158 ECANCELED "Operation canceled",
        126 | 161 ENOKEY "Required key not available",
        127 | 162 EKEYEXPIRED "Key has expired",
        128 | 163 EKEYREVOKED "Key has been revoked",
        129 | 164 EKEYREJECTED "Key was rejected by service",
        130 | 165 EOWNERDEAD "Owner died",
        131 | 166 ENOTRECOVERABLE "State not recoverable",
        132 | 167 ERFKILL "Operation not possible due to RF-kill",
        133 | 168 EHWPOISON "Memory page has hardware error",
    }
}

/// Numbers of `linux/errno.h`, which no program should see: a family that answers with one does so by mistake.
const INTERNAL: &[(Errno, &str, &str)] = &[
    (Errno(512), "ERESTARTSYS", "Interrupted system call, to be restarted"),
    (Errno(513), "ERESTARTNOINTR", "Interrupted system call, always to be restarted"),
    (Errno(514), "ERESTARTNOHAND", "Interrupted system call, to be restarted without a handler"),
    (Errno(515), "ENOIOCTLCMD", "No such ioctl command"),
    (Errno(516), "ERESTART_RESTARTBLOCK", "Interrupted system call, to be restarted by another"),
    (Errno(517), "EPROBE_DEFER", "The driver asks to be probed again later"),
    (Errno(518), "EOPENSTALE", "The opened file is stale"),
    (Errno(519), "ENOPARAM", "No such parameter"),
    (Errno(521), "EBADHANDLE", "Illegal NFS file handle"),
    (Errno(522), "ENOTSYNC", "Update synchronization mismatch"),
    (Errno(523), "EBADCOOKIE", "Stale cookie"),
    (Errno::ENOTSUPP, "ENOTSUPP", "Not supported"),
];

impl Errno {
    /// The kernel's own word for "not supported", number 524. It gets out from crypto statistics, from seg6 without
    /// HMAC, and from some drivers.
    pub const ENOTSUPP: Self = Self(524);

    /// The C name, such as `EEXIST`.
    pub fn c_name(self) -> Option<&'static str> {
        let other_numbers = cfg!(any(target_arch = "sparc", target_arch = "sparc64"));
        let number = u64::try_from(self.0).ok().filter(|number| *number <= 34 || !other_numbers);
        let row = Self::CONSTANTS.iter().find(|row| Some(row.number) == number);
        row.map(|row| row.c_name).or_else(|| self.internal().map(|(c_name, _)| c_name))
    }

    /// Name and text of one that is the kernel's own; those numbers are the same in all architectures.
    fn internal(self) -> Option<(&'static str, &'static str)> {
        INTERNAL.iter().find(|(errno, ..)| *errno == self).map(|(_, c_name, text)| (*c_name, *text))
    }
}

/// `File exists (EEXIST)`; with the number where no manual has the name.
pub(super) struct ErrnoText(pub(super) Errno);

impl fmt::Display for ErrnoText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((c_name, text)) = self.0.internal() {
            return write!(f, "{text} ({}, {c_name})", self.0.0);
        }
        match (self.0.c_name(), self.0.name()) {
            (Some(c_name), Some(text)) => write!(f, "{text} ({c_name})"),
            _ => write!(f, "errno {}", self.0.0),
        }
    }
}
