//! The tables: what several kernels offer, merged.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::facts::{CLASSES, Facts, Offer, Rule};

/// Series, release and version, and the facts.
pub(super) type Found = (String, String, Facts);

/// A set of kernels, by their position in the list.
type Kernels = BTreeSet<usize>;

const KERNELS: &str = "# What the kernels offer

Written by `cargo xtask vm census`, which asks Debian's kernels in virtual machines.

- Families, versions, header sizes, operations and groups are those that the kernel's controller
  (`CTRL_CMD_GETFAMILY`) lists in the initial network namespace. Before that, the modules that announce a family by an
  alias are loaded, and some others that are known to have one. Families of other modules or of hardware are missing.
- Kinds are tested one by one, with a request that has only the kind: the kernel has a kind unless it answers that the
  kind is unknown. The tested kinds are those in the aliases or file names of any of these kernels' modules, and some
  more.

`6.12+` means this kernel and all newer kernels for x86-64, `all` means all kernels in the table. [policies.md](policies.md)
has the attributes that the operations accept.
";

const POLICIES: &str = "# What generic families accept

Written by `cargo xtask vm census`, which asks Debian's kernels in virtual machines for the policies of all families
(`CTRL_CMD_GETPOLICY`), see [kernels.md](kernels.md). The name of a set of attributes is the first operation that accepts
it; the name of a nested set has the attributes around it. Ranges and lengths that follow from the type are omitted, and so
are attributes that the kernel rejects. `6.12+` means this kernel and all newer kernels for x86-64, `all` means all kernels
that have the family.
";

/// The page of families and kinds.
pub(super) fn kernels(found: &[Found]) -> String {
    let mut page = KERNELS.to_owned();
    let series = found.iter().map(|(series, ..)| series.as_str());
    let _ = writeln!(page, "\n| series | package |\n| --- | --- |");
    for (series, name, _) in found {
        let _ = writeln!(page, "| {series} | {name} |");
    }
    let _ = writeln!(page, "\n## Generic families\n\nNumber of operations.\n");
    let _ = writeln!(page, "| family | {} |", series.collect::<Vec<_>>().join(" | "));
    let _ = writeln!(page, "| --- |{}", " --- |".repeat(found.len()));
    for name in families(found) {
        let cell = |(_, _, facts): &Found| {
            facts
                .families
                .get(name)
                .map_or_else(|| "-".to_owned(), |offer| offer.operations.len().to_string())
        };
        let _ = writeln!(page, "| {name} | {} |", found.iter().map(cell).collect::<Vec<_>>().join(" | "));
    }
    for (class, _) in CLASSES {
        let rows = gather(found, |facts| facts.kinds.get(class).into_iter().flatten().cloned());
        let _ = writeln!(page, "\n## Kinds: {class}\n\n| kernels | kinds |\n| --- | --- |");
        let all = (0..found.len()).collect();
        for (kernels, names) in invert(rows) {
            let _ = writeln!(page, "| {} | {} |", span(found, &all, &kernels), names.join(", "));
        }
    }
    for name in families(found) {
        page += &family(found, name);
    }
    page
}

/// A family: version, header, groups and operations.
fn family(found: &[Found], name: &str) -> String {
    let mut page = format!("\n## {name}\n\n| kernels | property | values |\n| --- | --- | --- |\n");
    let all = having(found, name);
    let mut rows = |what: &str, rows: BTreeMap<String, Kernels>| {
        for (kernels, values) in invert(rows) {
            let _ = writeln!(page, "| {} | {what} | {} |", span(found, &all, &kernels), values.join(", "));
        }
    };
    let of = |each: fn(&Offer) -> Vec<String>| {
        gather(found, |facts| facts.families.get(name).map(each).into_iter().flatten())
    };
    rows("version", of(|offer| vec![offer.version.to_string()]));
    rows("header size", of(|offer| vec![offer.header_size.to_string()]));
    rows("groups", of(|offer| offer.groups.iter().cloned().collect()));
    let operations = gather(found, |facts| {
        let offer = facts.families.get(name).into_iter();
        offer.flat_map(|offer| offer.operations.iter().map(|(command, flags)| (flags.clone(), *command)))
    });
    for ((flags, kernels), commands) in together(operations) {
        let _ = writeln!(page, "| {} | {flags} | {} |", span(found, &all, &kernels), runs(&commands));
    }
    page
}

/// The page of policies: what the operations of all families accept.
pub(super) fn policies(found: &[Found]) -> String {
    let mut page = POLICIES.to_owned();
    for name in families(found) {
        let named: Vec<_> =
            found.iter().map(|(_, _, facts)| facts.families.get(name).map(name_sets)).collect();
        let paths: BTreeSet<&Path> = named.iter().flatten().flat_map(|sets| sets.rules.keys()).collect();
        if !paths.is_empty() {
            let _ = writeln!(page, "\n## {name}");
        }
        let all = having(found, name);
        for path in paths {
            let _ = writeln!(page, "\n### {name}: {path}\n");
            page += &set(&named, path, |kernels| span(found, &all, kernels));
        }
    }
    page
}

/// A set of attributes, and the operations that accept it.
fn set(named: &[Option<Named>], path: &Path, span: impl Fn(&Kernels) -> String) -> String {
    let mut page = String::new();
    let mut taken: BTreeMap<(String, u64), Kernels> = BTreeMap::new();
    let mut rules: BTreeMap<(u64, String), Kernels> = BTreeMap::new();
    for (kernel, sets) in named.iter().enumerate() {
        let Some(sets) = sets else { continue };
        for operation in sets.taken.get(path).into_iter().flatten() {
            taken.entry(operation.clone()).or_default().insert(kernel);
        }
        for (attribute, rule) in sets.rules.get(path).into_iter().flatten() {
            rules.entry((*attribute, rule.clone())).or_default().insert(kernel);
        }
    }
    let by = together(taken)
        .into_iter()
        .map(|((asked, kernels), commands)| format!("{asked} {} ({})", runs(&commands), span(&kernels)));
    let by = by.collect::<Vec<_>>().join("; ");
    if !by.is_empty() {
        let _ = writeln!(page, "Accepted by: {by}.\n");
    }
    let _ = writeln!(page, "| attribute | accepts | kernels |\n| --- | --- | --- |");
    let mut rows: BTreeMap<(&str, &Kernels), Vec<u64>> = BTreeMap::new();
    for ((attribute, rule), kernels) in &rules {
        rows.entry((rule, kernels)).or_default().push(*attribute);
    }
    // Neighbours with the same rule are one row.
    let mut rows: Vec<_> = rows
        .iter()
        .flat_map(|(what, numbers)| numbers.chunk_by(|a, b| a + 1 == *b).map(move |run| (run, what)))
        .collect();
    rows.sort();
    for (run, (rule, kernels)) in rows {
        let _ = writeln!(page, "| {} | {rule} | {} |", runs(run), span(kernels));
    }
    page
}

/// The path to a set: the command, the kind of request, and the attributes around it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Path(u64, String, Vec<u64>);

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.1, self.0)?;
        self.2.iter().try_for_each(|attribute| write!(f, " / {attribute}"))
    }
}

/// The sets of a family in one kernel, without duplicates.
#[derive(Default)]
struct Named {
    taken: BTreeMap<Path, Vec<(String, u64)>>,
    rules: BTreeMap<Path, BTreeMap<u64, String>>,
}

fn name_sets(offer: &Offer) -> Named {
    let classes = classes(offer);
    let mut names: BTreeMap<usize, Path> = BTreeMap::new();
    let mut named = Named::default();
    let mut queue = std::collections::VecDeque::new();
    for ((command, asked), set) in &offer.takes {
        let Some(class) = classes.get(set.as_str()) else { continue };
        let path = names.entry(*class).or_insert_with(|| {
            let path = Path(*command, asked.clone(), Vec::new());
            queue.push_back((set, path.clone()));
            path
        });
        named.taken.entry(path.clone()).or_default().push((asked.clone(), *command));
    }
    while let Some((set, path)) = queue.pop_front() {
        let mut rules = BTreeMap::new();
        for (attribute, Rule { text, inside }) in offer.sets.get(set).into_iter().flatten() {
            let mut rule = plain(text).to_owned();
            if let Some((inside, class)) =
                inside.as_ref().and_then(|set| Some((set, classes.get(set.as_str())?)))
            {
                let name = names.entry(*class).or_insert_with(|| {
                    let mut below = path.clone();
                    below.2.push(*attribute);
                    queue.push_back((inside, below.clone()));
                    below
                });
                let _ = write!(rule, " of {name}");
            }
            rules.insert(*attribute, rule);
        }
        named.rules.insert(path, rules);
    }
    named
}

/// Numbers for sets: equal sets have the same number, also if they differ only in names of nested sets.
/// Classes are split until nothing changes, because some sets contain themselves.
fn classes(offer: &Offer) -> BTreeMap<&str, usize> {
    let mut classes: BTreeMap<&str, usize> = offer.sets.keys().map(|set| (set.as_str(), 0)).collect();
    let mut count = 1;
    loop {
        let mut numbers = BTreeMap::new();
        let next: BTreeMap<_, _> = offer
            .sets
            .iter()
            .map(|(set, rules)| {
                let looks: Vec<_> = rules
                    .iter()
                    .map(|(attribute, rule)| {
                        let inside = rule.inside.as_ref().map(|set| classes.get(set.as_str()));
                        (attribute, &rule.text, inside.map(Option::<&usize>::copied))
                    })
                    .collect();
                let number = numbers.len();
                (set.as_str(), *numbers.entry(looks).or_insert(number))
            })
            .collect();
        let split = numbers.len();
        drop(numbers);
        classes = next;
        if split == count {
            return classes;
        }
        count = split;
    }
}

/// A rule without the range that follows from its type.
fn plain(rule: &str) -> &str {
    const FULL: [&str; 11] = [
        "u8 0 to 255",
        "u16 0 to 65535",
        "u32 0 to 4294967295",
        "u64 0 to 18446744073709551615",
        "uint 0 to 18446744073709551615",
        "s8 -128 to 127",
        "s16 -32768 to 32767",
        "s32 -2147483648 to 2147483647",
        "s64 -9223372036854775808 to 9223372036854775807",
        "sint -9223372036854775808 to 9223372036854775807",
        "bitfield32 within the bits 0xffffffff",
    ];
    if FULL.contains(&rule) { rule.split(' ').next().unwrap_or(rule) } else { rule }
}

fn families(found: &[Found]) -> BTreeSet<&str> {
    found.iter().flat_map(|(_, _, facts)| facts.families.keys().map(String::as_str)).collect()
}

/// The kernels that have a family.
fn having(found: &[Found], family: &str) -> Kernels {
    (0..found.len())
        .filter(|at| found.get(*at).is_some_and(|found| found.2.families.contains_key(family)))
        .collect()
}

/// All values, with the kernels that have each.
fn gather<'a, T: Ord, I: IntoIterator<Item = T>>(
    found: &'a [Found],
    each: impl Fn(&'a Facts) -> I,
) -> BTreeMap<T, Kernels> {
    let mut all: BTreeMap<T, Kernels> = BTreeMap::new();
    for (kernel, (_, _, facts)) in found.iter().enumerate() {
        for item in each(facts) {
            all.entry(item).or_default().insert(kernel);
        }
    }
    all
}

/// Groups values that the same kernels have; the largest set of kernels first.
fn invert<T>(rows: BTreeMap<T, Kernels>) -> Vec<(Kernels, Vec<T>)> {
    let mut all: BTreeMap<Kernels, Vec<T>> = BTreeMap::new();
    for (item, kernels) in rows {
        all.entry(kernels).or_default().push(item);
    }
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|(kernels, _)| std::cmp::Reverse(kernels.len()));
    all
}

/// Groups commands with the same properties in the same kernels, in order of the first.
fn together(rows: BTreeMap<(String, u64), Kernels>) -> Vec<((String, Kernels), Vec<u64>)> {
    let mut all: BTreeMap<(String, Kernels), Vec<u64>> = BTreeMap::new();
    for ((what, command), kernels) in rows {
        all.entry((what, kernels)).or_default().push(command);
    }
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|(_, commands)| commands.first().copied());
    all
}

/// Kernels as text: `all`, `6.12+`, `6.1, 6.12, 6.1-s390x`.
fn span(found: &[Found], all: &Kernels, kernels: &Kernels) -> String {
    if kernels == all {
        return "all".to_owned();
    }
    let series = |at: &usize| found.get(*at).map_or("", |(series, ..)| series.as_str());
    let has = |at: &&usize| kernels.contains(at);
    // "Newer" is only used among kernels of the usual architecture.
    let (usual, others): (Vec<_>, Vec<_>) = (0..found.len()).partition(|at| !series(at).contains('-'));
    let without: Vec<_> = usual.iter().skip_while(|at| !has(at)).collect();
    let words: Vec<_> = match without[..] {
        [first, _, ..] if without.iter().all(has) => vec![format!("{}+", series(first))],
        _ => without.into_iter().filter(has).map(|at| series(at).to_owned()).collect(),
    };
    let others = others.iter().filter(has).map(|at| series(at).to_owned());
    words.into_iter().chain(others).collect::<Vec<_>>().join(", ")
}

/// Numbers in ascending order, as `1-3, 5`.
fn runs(numbers: &[u64]) -> String {
    let runs = numbers.chunk_by(|a, b| a + 1 == *b).map(|run| match run {
        [first, .., last] => format!("{first}-{last}"),
        _ => run.iter().map(u64::to_string).collect(),
    });
    runs.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(series: &str, lines: &str) -> Found {
        (series.to_owned(), format!("{series}.9"), Facts::read(lines).unwrap())
    }

    const OLD: &str = r#"{"kind":"link","name":"vlan"}
{"family":"f","version":1,"header":0}
{"family":"f","group":"g"}
{"family":"f","command":1,"flags":"call"}
{"family":"f","command":2,"flags":"call"}
{"family":"f","command":1,"asked":"call","set":"0"}
{"family":"f","command":2,"asked":"call","set":"5"}
{"family":"f","set":"0","attribute":1,"rule":"u32 0 to 4294967295"}
{"family":"f","set":"0","attribute":2,"rule":"u32 0 to 4294967295"}
{"family":"f","set":"0","attribute":4,"rule":"nested","inside":"1"}
{"family":"f","set":"1","attribute":1,"rule":"nested","inside":"1"}
{"family":"f","set":"5","attribute":1,"rule":"u32 0 to 4294967295"}
{"family":"f","set":"5","attribute":2,"rule":"u32 0 to 4294967295"}
{"family":"f","set":"5","attribute":4,"rule":"nested","inside":"6"}
{"family":"f","set":"6","attribute":1,"rule":"nested","inside":"6"}
"#;

    const NEW: &str = r#"{"kind":"link","name":"vlan"}
{"kind":"link","name":"netkit"}
{"family":"f","version":1,"header":0}
{"family":"f","command":1,"flags":"call, list"}
{"family":"f","command":1,"asked":"call","set":"9"}
{"family":"f","set":"9","attribute":1,"rule":"u32 0 to 4294967295"}
{"family":"f","set":"9","attribute":2,"rule":"u32 0 to 7"}
{"family":"e","version":3,"header":4}
"#;

    fn both() -> [Found; 2] {
        [found("6.1", OLD), found("7.3", NEW)]
    }

    #[test]
    fn kernels_are_side_by_side() {
        let page = kernels(&both());
        assert!(
            page.contains("| family | 6.1 | 7.3 |\n| --- | --- | --- |\n| e | - | 0 |\n| f | 2 | 1 |\n"),
            "{page}"
        );
        assert!(page.contains(
            "## Kinds: link\n\n| kernels | kinds |\n| --- | --- |\n| all | vlan |\n| 7.3 | netkit |\n"
        ));
        let family = "## f\n\n| kernels | property | values |\n| --- | --- | --- |\n| all | version | 1 |\n| all | header size | 0 |\n\
            | 6.1 | groups | g |\n| 6.1 | call | 1-2 |\n| 7.3 | call, list | 1 |\n";
        assert!(page.contains(family), "{page}");
    }

    #[test]
    fn equal_sets_are_shown_once_even_if_they_contain_themselves() {
        let page = policies(&both());
        let f = "## f\n\n### f: call 1\n\nAccepted by: call 1 (all); call 2 (6.1).\n\n\
            | attribute | accepts | kernels |\n| --- | --- | --- |\n| 1 | u32 | all |\n| 2 | u32 | 6.1 |\n\
            | 2 | u32 0 to 7 | 7.3 |\n| 4 | nested of call 1 / 4 | 6.1 |\n\n### f: call 1 / 4\n\n\
            | attribute | accepts | kernels |\n| --- | --- | --- |\n| 1 | nested of call 1 / 4 | 6.1 |\n";
        assert!(page.ends_with(f), "{page}");
        assert!(!page.contains("## e"));
    }

    #[test]
    fn spans_and_runs_are_short() {
        let found = ["6.1", "6.12", "7.3", "6.1-s390x"].map(|series| found(series, ""));
        let all = Kernels::from([0, 1, 2, 3]);
        let span = |kernels: &[usize]| span(&found, &all, &kernels.iter().copied().collect());
        assert_eq!(
            [span(&[0, 1, 2, 3]), span(&[1, 2]), span(&[2]), span(&[0, 2]), span(&[2, 3]), span(&[0, 1, 2])],
            ["all", "6.12+", "7.3", "6.1, 7.3", "7.3, 6.1-s390x", "6.1+"]
        );
        assert_eq!([span(&[1, 2, 3]), span(&[3])], ["6.12+, 6.1-s390x", "6.1-s390x"]);
        assert_eq!(runs(&[1, 2, 3, 5, 7, 8]), "1-3, 5, 7-8");
    }

    #[test]
    fn ranges_of_the_type_are_omitted() {
        assert_eq!(plain("u8 0 to 255"), "u8");
        assert_eq!(plain("u8 0 to 1"), "u8 0 to 1");
    }
}
