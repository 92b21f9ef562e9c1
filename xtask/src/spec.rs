//! `cargo xtask spec`: compares our tables with the kernel's headers and with an inventory.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail, ensure};
use netlink_core::layout::{Constant, Layout};
use netlink_core::spec::Spec;
use netlink_core::{Content, Shape, Table};
use serde_json::Value;

use crate::command::{self, Scratch, root, text};

/// Compares the tables of all crates with the kernel headers of this machine, and with an inventory of a
/// newer kernel.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The inventory. Default: the environment variable `NETLINK_INVENTORY`, else
    /// `../shared/reference/spec/inventory.json`.
    #[arg(long)]
    inventory: Option<PathBuf>,
    /// Also lists missing values, in addition to missing attributes, operations and groups.
    #[arg(long)]
    all: bool,
    /// Compares with the headers of another architecture, with Debian's C compiler for it: `s390x-linux-gnu`,
    /// `i686-linux-gnu`, `mips-linux-gnu` and so on.
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
}

/// Every crate with tables, and its `SPEC`.
const CRATES: [(&str, Spec); 6] = [
    ("netlink-core", netlink_core::spec::SPEC),
    ("netlink-generic", netlink_generic::SPEC),
    ("netlink-netfilter", netlink_netfilter::SPEC),
    ("netlink-route", netlink_route::SPEC),
    ("netlink-sockdiag", netlink_sockdiag::SPEC),
    ("netlink-xfrm", netlink_xfrm::SPEC),
];

/// Headers with names that `linux/` does not have.
const OTHER_HEADERS: &[&str] = &["sys/socket.h", "errno.h", "asm/socket.h", "netinet/tcp.h"];

/// Prefixes of C names that are not in the headers of this machine, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("CTA_FILTER_F_", "net/netfilter/nf_internals.h, which is not exported"),
    ("CT_DCCP_", "linux/netfilter/nf_conntrack_dccp.h, which is not exported"),
    ("IF_RA_", "include/net/if_inet6.h, which is not exported"),
    ("IF_READY", "include/net/if_inet6.h, which is not exported"),
    ("IF_RS_SENT", "include/net/if_inet6.h, which is not exported"),
    ("info_header", "a plain __u32 in front of XFRM_MSG_GETSADINFO and its like"),
    ("SCHED_EXT", "linux/sched.h since Linux 6.12, which the inventory of netlink leaves out"),
    ("vxlanhdr", "include/net/vxlan.h, which is not exported"),
    ("SMC_ACTIVE", "net/smc/smc.h, which is not exported"),
    ("SMC_APP", "net/smc/smc.h, which is not exported"),
    ("SMC_CLOSED", "net/smc/smc.h, which is not exported"),
    ("SMC_INIT", "net/smc/smc.h, which is not exported"),
    ("SMC_LISTEN", "net/smc/smc.h, which is not exported"),
    ("SMC_PEER", "net/smc/smc.h, which is not exported"),
    ("SMC_PROCESSABORT", "net/smc/smc.h, which is not exported"),
    ("TCP_BOUND_INACTIVE", "include/net/tcp_states.h, which is not exported"),
    ("TUNNEL_", "bytes in network order in the headers, numbers here"),
];

/// Prefixes of C names whose numbers are those of the inventory; older headers have others.
const RENUMBERED: &[(&str, &str)] = &[("IPSTATS_MIB_", "sorted again for cache lines after Linux 6.1")];

/// Names in the inventory that are other names of the same thing.
const OLD_NAMES: &[(&str, &str)] = &[
    ("CTA_NAT_SEQ_", "CTA_SEQADJ_ and CTA_SEQ_ADJ_ with their old names"),
    ("IFLA_IF_NETNSID", "IFLA_TARGET_NETNSID before Linux 4.20"),
    ("NF_NETLINK_CONNTRACK_", "NFNLGRP_CONNTRACK_ as bits of the mask that bind(2) takes"),
    ("RTMGRP_", "RTNLGRP_ as bits of the mask that bind(2) takes"),
    ("XFRMGRP_", "XFRMNLGRP_ as bits of the mask that bind(2) takes"),
];

fn is_exception(list: &[(&str, &str)], name: &str) -> bool {
    list.iter().any(|(beginning, _)| name.starts_with(beginning))
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut report = Report::default();
    let mut ours = Vec::new();
    for (name, spec) in CRATES {
        let names = Names::of(name, &spec, &mut report);
        let source = root().join(name).join("src");
        report.check_source(&names, &source)?;
        ours.push(names);
    }
    let inventory = match find_inventory(arguments) {
        _ if arguments.target.is_some() => None,
        Ok(path) => {
            let file = fs::read(&path).with_context(|| path.display().to_string())?;
            Some(serde_json::from_slice(&file).with_context(|| path.display().to_string())?)
        }
        Err(reason) => {
            println!("inventory: skipped: {reason}");
            None
        }
    };
    let headers = Headers::read(arguments.target.as_deref());
    let machine = match headers {
        Ok(headers) => Some(headers.ask(&ours)?),
        Err(error) if arguments.target.is_some() => return Err(error),
        Err(error) => {
            println!("headers: skipped: {error}");
            None
        }
    };
    if let Some(machine) = &machine {
        report.compare("the headers", machine, &ours, &[EXCEPTIONS, RENUMBERED]);
    }
    if let Some(inventory) = &inventory {
        let kernel = Kernel::from_inventory(inventory);
        report.compare("the inventory", &kernel, &ours, &[]);
        topics(inventory, &ours, arguments.all);
    }
    report.unknown(&ours, machine.as_ref(), inventory.as_ref().map(Kernel::from_inventory).as_ref());
    Ok(report.conclude())
}

fn find_inventory(arguments: &Arguments) -> Result<PathBuf, String> {
    let given =
        arguments.inventory.clone().or_else(|| std::env::var_os("NETLINK_INVENTORY").map(PathBuf::from));
    if let Some(path) = given {
        return Ok(path);
    }
    let usual = root().join("../shared/reference/spec/inventory.json");
    if usual.is_file() { Ok(usual) } else { Err("no --inventory and no NETLINK_INVENTORY".to_owned()) }
}

/// The declarations of one crate.
#[derive(Default)]
struct Names {
    krate: &'static str,
    constants: BTreeMap<&'static str, u64>,
    /// Numbers that are different on MIPS.
    on_mips: BTreeMap<&'static str, u64>,
    layouts: BTreeMap<&'static str, &'static Layout>,
}

impl Names {
    /// Collects everything that is reachable from a crate's `SPEC`.
    fn of(krate: &'static str, spec: &Spec, report: &mut Report) -> Self {
        let mut names = Self { krate, ..Self::default() };
        let mut seen = BTreeSet::new();
        for message in spec.protocols.iter().flat_map(|protocol| protocol.messages) {
            report.distinct(krate, message.iter().map(|info| (u64::from(info.number), info.c_name)));
            for info in *message {
                if (info.protocol)().is_none() {
                    report.wrong(format!(
                        "{krate}: {}: `message!` does not end with `on` its protocol",
                        info.c_name
                    ));
                }
                // For netfilter the name belongs to the lower byte; the upper byte is the subsystem.
                let mask = if info.header.c_name == "nfgenmsg" { 0xff } else { u16::MAX };
                names.constant(info.c_name, (info.number & mask).into(), report);
                names.layout(info.header, report);
                names.table(info.table, &mut seen, report);
            }
        }
        for table in spec.tables {
            names.table(table, &mut seen, report);
        }
        for layout in spec.layouts {
            names.layout(layout, report);
        }
        for set in spec.constants {
            report.readable(krate, set);
        }
        for constant in spec.constants.iter().copied().flatten() {
            names.constant(constant.c_name, constant.number, report);
            if constant.on_mips != constant.number {
                names.on_mips.insert(constant.c_name, constant.on_mips);
            }
        }
        names
    }

    fn constant(&mut self, name: &'static str, number: u64, report: &mut Report) {
        if name.is_empty() {
            report.wrong(format!("{}: number {number} has an empty C name", self.krate));
        }
        if let Some(other) = self.constants.insert(name, number).filter(|other| *other != number) {
            report.wrong(format!("{}: {name} is {other} here and {number} there", self.krate));
        }
    }

    fn layout(&mut self, layout: &'static Layout, report: &mut Report) {
        if layout.size == 0 {
            return; // A message without a fixed header.
        }
        if layout.c_name.is_empty() {
            report.wrong(format!("{}: a struct of {} bytes has an empty C name", self.krate, layout.size));
        }
        self.layouts.insert(layout.c_name, layout);
    }

    fn table(
        &mut self,
        table: &'static Table,
        seen: &mut BTreeSet<(&'static str, &'static str)>,
        report: &mut Report,
    ) {
        // Sets can contain themselves, for example a nested route or a set of policies.
        let first = table.rows.first().map_or("", |row| row.c_name);
        if !seen.insert((table.name, first)) {
            return;
        }
        let rows = table.rows.iter().map(|row| (u64::from(row.number), row.c_name));
        report.distinct(&format!("{}, {}", self.krate, table.name), rows);
        for row in table.rows {
            self.constant(row.c_name, row.number.into(), report);
            let mut shape = row.shape;
            while let Shape::Indexed(item) = shape {
                shape = *item;
            }
            let chosen: &[&Content] = if let Shape::Select { all, .. } = shape { all() } else { &[] };
            for shape in chosen.iter().map(|content| content.shape).chain([shape]) {
                if let Shape::Set(inner) | Shape::Headed(_, inner) | Shape::Records(inner, _) = shape {
                    self.table(inner, seen, report);
                }
            }
        }
    }
}

/// Numbers and structs of one kernel.
struct Kernel {
    constants: BTreeMap<String, i128>,
    /// Size, and the offsets where members begin and end, without padding.
    structs: BTreeMap<String, (usize, Vec<usize>)>,
    /// Which of a layout's two sizes applies.
    size: usize,
    mips: bool,
}

impl Kernel {
    fn from_inventory(inventory: &Value) -> Self {
        let rows = |key: &str| inventory[key].as_object().into_iter().flatten();
        let number =
            |value: &Value| value.as_u64().map_or_else(|| value.as_i64().map(i128::from), |n| Some(n.into()));
        let constants = rows("consts").filter_map(|(name, row)| Some((name.clone(), number(&row[0])?)));
        let size = |value: &Value| value.as_u64().and_then(|size| usize::try_from(size).ok());
        let structs = rows("structs").filter_map(|(name, row)| {
            let members = row[3].as_array().into_iter().flatten();
            let members = members.filter(|member| !is_padding(text(&member[0])));
            let edges = members.filter_map(|member| {
                let start = size(&member[1])?;
                Some([start, start + size(&member[2])?])
            });
            Some((name.clone(), (size(&row[1])?, edges.flatten().collect())))
        });
        Self { constants: constants.collect(), structs: structs.collect(), size: 0, mips: false }
    }
}

fn is_padding(member: &str) -> bool {
    ["pad", "reserved", "unused", "resv"].iter().any(|word| member.contains(word))
}

/// The kernel headers of this machine, without comments.
struct Headers {
    compiler: String,
    /// Text by file name.
    sources: BTreeMap<String, String>,
    /// The headers that use a word.
    index: HashMap<String, BTreeSet<String>>,
}

impl Headers {
    /// The headers of this machine, or of another architecture.
    fn read(target: Option<&str>) -> Result<Self> {
        let (folder, compilers, packages) = match target {
            None => (
                "/usr/include".to_owned(),
                vec!["cc".to_owned(), "gcc".to_owned()],
                "gcc libc6-dev".to_owned(),
            ),
            Some(target) => {
                (format!("/usr/{target}/include"), vec![format!("{target}-gcc")], format!("gcc-{target}"))
            }
        };
        let folder = Path::new(&folder);
        let compiler = compilers.into_iter().find(|name| command::exists(name));
        let compiler = compiler.with_context(|| format!("no C compiler: apt-get install {packages}"))?;
        ensure!(
            folder.join("linux/netlink.h").is_file(),
            "no linux/netlink.h: apt-get install linux-libc-dev, or that of the other architecture"
        );
        let mut headers = Self { compiler, sources: BTreeMap::new(), index: HashMap::new() };
        let mut folders = vec![folder.join("linux")];
        while let Some(inner) = folders.pop() {
            for entry in fs::read_dir(inner)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(source) = fs::read_to_string(&path) {
                    let name = path.strip_prefix(folder)?.to_string_lossy().into_owned();
                    headers.add(name, without_comments(&source));
                }
            }
        }
        Ok(headers)
    }

    fn add(&mut self, name: String, source: String) {
        for word in words(&source) {
            match self.index.get_mut(word) {
                Some(headers) if headers.contains(&name) => {}
                Some(headers) => _ = headers.insert(name.clone()),
                None => _ = self.index.insert(word.to_owned(), BTreeSet::from([name.clone()])),
            }
        }
        self.sources.insert(name, source);
    }

    /// The headers that may define a name, the most likely first.
    fn with(&self, word: &str) -> Vec<&str> {
        let mut found: Vec<&str> = self.index.get(word).into_iter().flatten().map(String::as_str).collect();
        // Headers in subfolders are for netfilter and similar, and often need other headers.
        found.sort_by_key(|name| name.matches('/').count());
        found.extend(OTHER_HEADERS);
        found
    }

    /// Asks the C compiler for the values of our names. Names without a definition are omitted.
    fn ask(&self, ours: &[Names]) -> Result<Kernel> {
        let scratch = Scratch::new()?;
        let mut questions: BTreeMap<Question, std::vec::IntoIter<&str>> = BTreeMap::new();
        for name in ours.iter().flat_map(|names| names.constants.keys()) {
            questions.insert(Question::Constant((*name).to_owned()), self.with(name).into_iter());
        }
        for name in ours.iter().flat_map(|names| names.layouts.keys()) {
            let mut headers = self.with(name);
            headers.retain(|header| self.body(header, name).is_some());
            questions.insert(Question::Struct((*name).to_owned()), headers.into_iter());
        }
        let mut kernel = Kernel {
            constants: BTreeMap::new(),
            structs: BTreeMap::new(),
            size: 0,
            mips: self.compiler.starts_with("mips"),
        };
        while !questions.is_empty() {
            let mut rounds: BTreeMap<&str, Vec<Question>> = BTreeMap::new();
            questions.retain(|question, headers| {
                let header = headers.next();
                header.map(|header| rounds.entry(header).or_default().push(question.clone())).is_some()
            });
            for (header, asked) in rounds {
                for answered in self.ask_header(header, asked, &scratch, &mut kernel)? {
                    questions.remove(&answered);
                }
            }
        }
        Ok(kernel)
    }

    /// Compiles one program to assembler code that contains the answers. Names that the compiler does not
    /// know are removed.
    fn ask_header(
        &self,
        header: &str,
        mut asked: Vec<Question>,
        scratch: &Scratch,
        kernel: &mut Kernel,
    ) -> Result<Vec<Question>> {
        while !asked.is_empty() {
            // Included first: many kernel headers use their types without including them.
            let mut source = format!(
                "#include <stddef.h>\n#include <stdint.h>\n#include <sys/socket.h>\n\
                 #include <{header}>\n\
                 #define SAY(text, a, b, c) __asm__(\"\\n-> \" text :: \"i\" (a), \"i\" (b), \"i\" (c));\n\
                 struct aligned {{ char first; unsigned long long second; }};\n\
                 void answers(void) {{\n\
                 SAY(\"u %0\", offsetof(struct aligned, second), 0, 0)\n"
            );
            let line_of_first = source.lines().count() + 1;
            for question in &asked {
                match question {
                    // Unsigned values above the signed range keep their bits.
                    Question::Constant(name) => writeln!(
                        source,
                        "SAY(\"c {name} %0 %1 %2\", ({name}) > 0, (unsigned)((long long)({name}) >> 32), \
                         (unsigned)({name}))"
                    )?,
                    Question::Struct(name) => {
                        let mut line = format!("SAY(\"s {name} %0\", sizeof(struct {name}), 0, 0)");
                        for member in self.body(header, name).map(members).unwrap_or_default() {
                            write!(
                                line,
                                " SAY(\"m {name} %0 %1\", offsetof(struct {name}, {member}), \
                                 sizeof(((struct {name} *)0)->{member}), 0)"
                            )?;
                        }
                        writeln!(source, "{line}")?;
                    }
                }
            }
            source.push_str("}\n");
            let (file, answers) = (scratch.path().join("ask.c"), scratch.path().join("ask.s"));
            fs::write(&file, source)?;
            let compiled = Command::new(&self.compiler)
                // It is never run: it can be for another architecture.
                .args(["-w", "-O1", "-S", "-o"])
                .arg(&answers)
                .arg(&file)
                .env("LC_ALL", "C")
                .output()?;
            if compiled.status.success() {
                read_answers(&fs::read_to_string(answers)?, kernel)?;
                return Ok(asked);
            }
            // ask.c:LINE:COLUMN: error: …
            let errors = String::from_utf8_lossy(&compiled.stderr).into_owned();
            let lines = errors.lines().filter(|line| line.contains("error:"));
            let lines = lines.filter_map(|line| line.split_once("ask.c:")?.1.split(':').next()?.parse().ok());
            let bad: BTreeSet<usize> =
                lines.filter_map(|line: usize| line.checked_sub(line_of_first)).collect();
            if bad.is_empty() {
                // The header itself does not compile alone.
                return Ok(Vec::new());
            }
            let mut index = 0;
            asked.retain(|_| {
                index += 1;
                !bad.contains(&(index - 1))
            });
        }
        Ok(asked)
    }

    /// The text between the braces of a struct.
    fn body(&self, header: &str, name: &str) -> Option<&str> {
        let source = self.sources.get(header)?;
        let start = source.match_indices("struct").find_map(|(at, word)| {
            let rest = source[at + word.len()..].trim_start().strip_prefix(name)?;
            rest.trim_start().strip_prefix('{')
        })?;
        let mut depth = 1;
        let end = start.find(|c| {
            depth += match c {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            depth == 0
        })?;
        Some(&start[..end])
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    Constant(String),
    Struct(String),
}

fn read_answers(answers: &str, kernel: &mut Kernel) -> Result<()> {
    for line in answers.lines().filter_map(|line| line.strip_prefix("-> ")) {
        // Some assemblers put a mark before a number.
        let words: Vec<&str> = line.split(' ').map(|word| word.trim_start_matches(['$', '#'])).collect();
        match words[..] {
            ["u", at] => kernel.size = usize::from(at == "4"),
            ["c", name, positive, high, low] => {
                // The compiler decides whether halves are signed.
                let half = |text: &str| anyhow::Ok(text.parse::<i64>()? & 0xffff_ffff);
                let value = half(high)? << 32 | half(low)?;
                let unsigned = positive == "1" && value < 0;
                let value = if unsigned { i128::from(value.cast_unsigned()) } else { value.into() };
                kernel.constants.insert(name.to_owned(), value);
            }
            ["s", name, size] => {
                kernel.structs.insert(name.to_owned(), (size.parse()?, Vec::new()));
            }
            ["m", name, start, size] => {
                let start: usize = start.parse()?;
                if let Some((_, edges)) = kernel.structs.get_mut(name) {
                    edges.extend([start, start + size.parse::<usize>()?]);
                }
            }
            _ => bail!("an unexpected answer: {line}"),
        }
    }
    Ok(())
}

fn without_comments(source: &str) -> String {
    let mut out = String::new();
    let mut rest = source;
    while let Some((code, comment)) = rest.split_once("/*") {
        out.push_str(code);
        out.push(' ');
        rest = comment.split_once("*/").map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    let lines = out.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    lines.fold(String::new(), |out, line| out + line + "\n")
}

fn words(source: &str) -> impl Iterator<Item = &str> {
    source.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Names of the members that a struct declares. Padding, bit fields, and members of unnamed unions and
/// structs are omitted.
fn members(body: &str) -> Vec<String> {
    let mut depth = 0;
    let flat: String = body
        .chars()
        .filter(|c| {
            depth -= i32::from(*c == '}');
            let keep = depth == 0 && *c != '}';
            depth += i32::from(*c == '{');
            keep && *c != '{'
        })
        .collect();
    let flat: String =
        flat.lines().filter(|line| !line.trim_start().starts_with('#')).collect::<Vec<_>>().join(" ");
    let mut names = Vec::new();
    for declaration in flat.split(';').filter(|declaration| !declaration.contains([':', '('])) {
        for declarator in declaration.split(',') {
            let name = words(declarator.split('[').next().unwrap_or_default()).last();
            let is_nameless = declarator.split_whitespace().count() < 2 && !declaration.contains(',');
            // An array without a length has no size.
            let is_flexible = declarator.replace(' ', "").contains("[]");
            if let Some(name) = name.filter(|name| !is_nameless && !is_flexible && !is_padding(name)) {
                names.push(name.to_owned());
            }
        }
    }
    names
}

/// Errors, and notes.
#[derive(Default)]
struct Report {
    wrong: Vec<String>,
    notes: Vec<String>,
}

impl Report {
    fn wrong(&mut self, text: String) {
        self.wrong.push(text);
    }

    fn distinct(&mut self, place: &str, rows: impl Iterator<Item = (u64, &'static str)>) {
        let (mut numbers, mut names) = (BTreeMap::new(), BTreeSet::new());
        for (number, name) in rows {
            if let Some(other) = numbers.insert(number, name) {
                self.wrong(format!("{place}: number {number} is both {other} and {name}"));
            }
            if !names.insert(name) {
                self.wrong(format!("{place}: {name} is declared twice"));
            }
        }
    }

    /// What is written as a name is read as the same number again.
    fn readable(&mut self, krate: &str, set: &[Constant]) {
        for constant in set.iter().filter(|constant| !constant.name.is_empty()) {
            let named = set.iter().find(|other| other.name == constant.name);
            let plain = constant.name.parse().is_ok_and(|number: u64| number != constant.number);
            if plain || named.is_some_and(|other| other.number != constant.number) {
                self.wrong(format!(
                    "{krate}: {} is read from {:?} as another",
                    constant.c_name, constant.name
                ));
            }
        }
    }

    /// Every row in the source must be reachable from `SPEC`. Otherwise it would not be compared.
    fn check_source(&mut self, names: &Names, folder: &Path) -> Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                self.check_source(names, &path)?;
                continue;
            }
            if path.file_stem().is_some_and(|stem| stem == "tests") {
                continue;
            }
            let source = fs::read_to_string(&path)?;
            let source = source.split("#[cfg(test)]").next().unwrap_or_default();
            let rows =
                source.lines().map(str::trim).filter(|line| !line.starts_with("//")).filter_map(declared);
            let missing = rows.filter_map(|row| match row {
                Question::Constant(name) => (!names.constants.contains_key(&*name)).then_some(name),
                Question::Struct(name) => (!names.layouts.contains_key(&*name)).then_some(name),
            });
            let missing: Vec<String> = missing.collect();
            if !missing.is_empty() {
                let place = path.strip_prefix(root()).unwrap_or(&path).display();
                let missing = wrapped(&missing);
                self.wrong(format!("{place}: not reached from the SPEC of {}: {missing}", names.krate));
            }
        }
        Ok(())
    }

    fn compare(&mut self, with: &str, kernel: &Kernel, ours: &[Names], except: &[&[(&str, &str)]]) {
        let (mut numbers, mut structs) = (0, 0);
        for names in ours {
            for (name, number) in &names.constants {
                let number = names.on_mips.get(name).filter(|_| kernel.mips).unwrap_or(number);
                let Some(theirs) = kernel.constants.get(*name) else { continue };
                if except.iter().any(|list| is_exception(list, name)) {
                    continue;
                }
                numbers += 1;
                // A negative number has the same bits as ours.
                if *theirs != i128::from(*number) && *theirs != i128::from(number.cast_signed()) {
                    self.wrong(format!("{}: {name} is {number}, in {with} {theirs}", names.krate));
                }
            }
            for (name, layout) in &names.layouts {
                let Some((size, edges)) = kernel.structs.get(*name) else { continue };
                structs += 1;
                let krate = names.krate;
                let ours = layout.sizes[kernel.size];
                if ours > *size {
                    self.notes.push(format!("{krate}: struct {name}: ours has {ours}, {with} {size} bytes"));
                } else if ours < *size {
                    self.wrong(format!("{krate}: struct {name} has {ours} bytes, in {with} {size}"));
                }
                let own: BTreeSet<usize> =
                    layout.members.iter().map(|(_, at)| at[kernel.size]).chain([ours]).collect();
                if let Some(edge) = edges.iter().find(|edge| !own.contains(edge)) {
                    let text = format!(
                        "{krate}: struct {name}: a member begins or ends at {edge} in {with}, none of ours"
                    );
                    self.wrong(text);
                }
            }
        }
        println!("{with}: {numbers} numbers and {structs} structs compared");
    }

    /// Names that are in neither source. The inventory is of a newer kernel than this code, so a name that it
    /// lacks is misspelt. Without the inventory, a name can be newer than the headers.
    fn unknown(&mut self, ours: &[Names], headers: Option<&Kernel>, inventory: Option<&Kernel>) {
        let Some(headers) = headers else { return };
        let mut newer = Vec::new();
        for names in ours {
            let constants = names.constants.keys().filter(|name| !headers.constants.contains_key(**name));
            let structs = names.layouts.keys().filter(|name| !headers.structs.contains_key(**name));
            for name in constants.chain(structs).copied() {
                if is_exception(EXCEPTIONS, name) {
                    continue;
                }
                match inventory {
                    Some(known)
                        if !known.constants.contains_key(name) && !known.structs.contains_key(name) =>
                    {
                        self.wrong(format!("{}: no kernel has {name}", names.krate));
                    }
                    _ => newer.push(name),
                }
            }
        }
        if !newer.is_empty() {
            println!("newer than these headers: {}", wrapped(&newer));
        }
    }

    fn conclude(self) -> ExitCode {
        for text in &self.notes {
            println!("note: {text}");
        }
        for text in &self.wrong {
            println!("wrong: {text}");
        }
        println!("spec: {} wrong", self.wrong.len());
        if self.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// The declaration in a line of a table: `58 IFLA_MTU …`, or `pub struct Header: rtmsg = 12 {`.
fn declared(line: &str) -> Option<Question> {
    let mut words = line.split_whitespace();
    let first = words.next()?;
    if first.starts_with(|c: char| c.is_ascii_digit()) {
        let mut name = words.next()?;
        if name == "|" {
            // Another number on MIPS.
            name = words.nth(1)?;
        }
        // Not all names are upper case, for example `RTNLGRP_DECnet_ROUTE`.
        let is_name = name.contains('_')
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
        return (is_name && words.next().is_some()).then(|| Question::Constant(name.to_owned()));
    }
    let (head, rest) = line.split_once(": ")?;
    let (name, size) = rest.split_once(" = ")?;
    let is_layout = head.split_whitespace().any(|word| word == "struct") && size.ends_with('{');
    // Only the compiler knows the name of a struct that a macro makes.
    (is_layout && !name.starts_with('$')).then(|| Question::Struct(name.to_owned()))
}

/// For each topic of the inventory that our tables cover: how much of it they name, and what is missing.
fn topics(inventory: &Value, ours: &[Names], all: bool) {
    /// One topic and one role: the number of names, and those that our tables lack.
    type Part<'a> = (usize, Vec<&'a str>);
    let rows = inventory["consts"].as_object().into_iter().flatten();
    let mut topics: BTreeMap<&str, BTreeMap<&str, Part<'_>>> = BTreeMap::new();
    let mut served = BTreeSet::new();
    for (name, row) in rows.filter(|(name, _)| !is_exception(OLD_NAMES, name)) {
        let (topic, role) = (text(&row[1]), text(&row[2]));
        let krate = text(&inventory["topics"][topic][0]);
        let Some(of_crate) = ours.iter().find(|names| names.krate == krate) else { continue };
        let (count, missing) = topics.entry(topic).or_default().entry(role).or_default();
        *count += 1;
        let declares = |names: &Names| names.constants.contains_key(name.as_str());
        if role == "attr" && declares(of_crate) {
            served.insert(topic);
        }
        // In any topic: MPTCP's attributes of a subflow are in the inventory's `mptcp_pm`, but belong to sockets.
        if !ours.iter().any(declares) {
            missing.push(name);
        }
    }
    for (topic, roles) in topics.iter().filter(|(topic, _)| served.contains(*topic)) {
        let parts =
            roles.iter().map(|(role, (count, missing))| format!("{role} {}/{count}", count - missing.len()));
        println!("{topic}: {}", parts.collect::<Vec<_>>().join(", "));
        for (_, (_, missing)) in roles.iter().filter(|(role, _)| all || **role != "val") {
            if !missing.is_empty() {
                println!("    missing: {}", wrapped(missing));
            }
        }
    }
}

fn wrapped(names: &[impl AsRef<str>]) -> String {
    const WIDTH: usize = 100;
    let mut out = String::new();
    let mut column = 0;
    for name in names.iter().map(AsRef::as_ref) {
        if column > 0 && column + name.len() > WIDTH {
            out.push_str("\n       ");
            column = 0;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(name);
        column += name.len() + 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_a_struct() {
        let body = "__u32 a, b[4];\n struct in6_addr addr;\n __u8 pad1; union { int x; } u; __u8 f:4, g:4; int end[];";
        assert_eq!(members(body), ["a", "b", "addr", "u"]);
    }

    #[test]
    fn rows_of_a_table() {
        assert!(
            matches!(declared("58 IFLA_MTU mtu: u32,"), Some(Question::Constant(name)) if name == "IFLA_MTU")
        );
        assert!(declared("5 => Some(1),").is_none());
        assert!(
            matches!(declared("pub struct H: rtmsg = 12 {"), Some(Question::Struct(name)) if name == "rtmsg")
        );
    }

    #[test]
    fn only_comments_are_removed() {
        assert_eq!(without_comments("a /* b */ c // d\n/* e\n */ f"), "a   c \n  f\n");
    }

    #[test]
    fn every_name_is_read_as_its_own_number() {
        let mut report = Report::default();
        let row = |name, number| Constant::new("C_NAME", name, number);
        report.readable("sample", &[row("a", 1), row("7", 7), row("", 2), row("", 3)]);
        assert_eq!(report.wrong.len(), 0);
        report.readable("sample", &[row("a", 1), row("a", 2), row("8", 7)]);
        assert_eq!(report.wrong.len(), 2);
        for (name, spec) in CRATES {
            let mut report = Report::default();
            spec.constants.iter().for_each(|set| report.readable(name, set));
            assert!(report.wrong.is_empty(), "{name}: {:?}", report.wrong);
        }
    }
}
