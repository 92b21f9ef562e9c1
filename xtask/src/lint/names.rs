//! Each name of the core in a public signature of a family must be available from that family.
//!
//! Rustdoc provides the signatures, because it knows the items that macros make.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{CORE, CORE_LIBRARY};
use crate::command::{cargo, root, text};

/// Rustdoc's description of one crate, as JSON.
pub(super) struct Docs(Value);

/// Runs rustdoc. Its JSON is unstable, so an option must enable it.
pub(super) fn of(package: &str) -> Result<Docs> {
    let mut rustdoc = cargo(&["rustdoc", "--quiet", "--lib", "--all-features", "-p", package]);
    rustdoc.args(["--", "-Zunstable-options", "--output-format=json"]).env("RUSTC_BOOTSTRAP", "1");
    let output = rustdoc.output()?;
    ensure!(output.status.success(), "rustdoc: {}", String::from_utf8_lossy(&output.stderr));
    let name = if package == CORE { CORE_LIBRARY.to_owned() } else { package.replace('-', "_") };
    let file = root().join("target/doc").join(name).with_extension("json");
    let json = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    Ok(Docs(serde_json::from_str(&json)?))
}

/// Checks that all names in the signatures of a family are among its names, and that those of the core are
/// among the core's.
pub(super) fn named(package: &str, docs: &Docs, core: &Docs) -> Result<()> {
    let wanted = docs.mentioned(CORE_LIBRARY);
    // Every crate uses this name. If it is missing, the format of the JSON has changed.
    ensure!(wanted.contains("Error"), "no names in the JSON of rustdoc");
    let known = if package == CORE {
        core.names(core.root(), true)
    } else {
        let uses = docs.items(docs.root()).map(|(_, item)| text(&item["inner"]["use"]["source"]).to_owned());
        let uses: BTreeSet<String> = uses.collect();
        ensure!(uses.contains(CORE_LIBRARY), "lacks `pub use netlink_core`");
        let mut known = docs.names(docs.root(), true);
        if uses.contains("netlink_core::family") {
            let family = core.items(core.root()).find(|(_, item)| item["name"] == "family");
            known.extend(core.names(family.context("no module family in the core")?.0, false));
        }
        known
    };
    let missing: Vec<&String> = wanted.difference(&known).collect();
    ensure!(missing.is_empty(), "used in signatures, but not available: {missing:?}");
    Ok(())
}

impl Docs {
    fn root(&self) -> u64 {
        self.0["root"].as_u64().unwrap_or_default()
    }

    fn item(&self, id: u64) -> &Value {
        &self.0["index"][id.to_string()]
    }

    /// The items of a module.
    fn items(&self, module: u64) -> impl Iterator<Item = (u64, &Value)> {
        let ids = self.item(module)["inner"]["module"]["items"].as_array().into_iter().flatten();
        ids.filter_map(Value::as_u64).map(|id| (id, self.item(id)))
    }

    /// The names in a module, and optionally in those below it.
    fn names(&self, module: u64, below: bool) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for (id, item) in self.items(module) {
            let used = &item["inner"]["use"];
            names.extend([&item["name"], &used["name"]].map(|name| text(name).to_owned()));
            match used["id"].as_u64() {
                Some(of) if used["is_glob"] == true => names.extend(self.names(of, below)),
                _ if below => names.extend(self.names(id, below)),
                _ => {}
            }
        }
        names
    }

    /// The names of another crate, or of this one, in public signatures.
    fn mentioned(&self, library: &str) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let mut open = vec![self.root()];
        let mut names = BTreeSet::new();
        while let Some(id) = open.pop() {
            let item = self.item(id);
            let is_public = matches!(text(&item["visibility"]), "public" | "default");
            let of_trait = !item["inner"]["impl"]["trait"].is_null();
            if seen.insert(id) && is_public && !of_trait {
                self.walk(&item["inner"], library, &mut names, &mut open);
            }
        }
        names
    }

    /// Finds the parts of a declaration: types and traits have a path, inner items are listed by number.
    fn walk(&self, part: &Value, package: &str, names: &mut BTreeSet<String>, inside: &mut Vec<u64>) {
        match part {
            Value::Array(parts) => {
                inside.extend(parts.iter().filter_map(Value::as_u64));
                parts.iter().for_each(|part| self.walk(part, package, names, inside));
            }
            Value::Object(parts) => {
                if let Some(id) = part["id"].as_u64() {
                    let path = self.0["paths"][id.to_string()]["path"].as_array();
                    if let Some([of, .., name]) = path.map(Vec::as_slice).filter(|_| part["path"].is_string())
                        && text(of) == package
                    {
                        names.insert(text(name).to_owned());
                    }
                    // Items of a private module are public where they are used.
                    inside.extend(part["is_glob"].is_boolean().then_some(id));
                }
                parts.values().for_each(|part| self.walk(part, package, names, inside));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn core() -> Docs {
        let module = |items: &[u64]| json!({ "module": { "items": items } });
        Docs(json!({
            "root": 0,
            "index": {
                "0": { "name": "netlink_core", "visibility": "public", "inner": module(&[1, 2]) },
                "1": { "name": "family", "visibility": "public", "inner": module(&[3]) },
                "2": { "name": null, "visibility": "public", "inner":
                    { "use": { "source": "family", "name": "family", "id": 1, "is_glob": true } } },
                "3": { "name": null, "visibility": "public", "inner":
                    { "use": { "source": "request::Request", "name": "Request", "id": 9, "is_glob": false } } },
            },
        }))
    }

    /// A family with one function, and the names at its root.
    fn family(output: u64, uses: &[&str]) -> Docs {
        let mut index = json!({
            "0": { "visibility": "public", "inner": { "module": { "items": [1, 2, 3, 4] } } },
            "1": { "name": "list", "visibility": "public", "inner": { "function": { "sig": {
                "inputs": [["error", { "resolved_path": { "path": "Error", "id": 8 } }]],
                "output": { "resolved_path": { "path": "netlink_core::Any", "id": output,
                    "args": { "angle_bracketed": { "args": [
                        { "type": { "resolved_path": { "path": "Request", "id": 9 } } },
                    ] } } } },
            } } } },
        });
        for (id, source) in (2..).zip(uses) {
            let name = source.rsplit("::").next();
            let used = json!({ "source": source, "name": name, "id": 99, "is_glob": name == Some("family") });
            index[id.to_string()] = json!({ "visibility": "public", "inner": { "use": used } });
        }
        let path = |name: &str| json!({ "path": ["netlink_core", "any", name] });
        let paths = json!({ "7": path("Stop"), "8": path("Error"), "9": path("Request") });
        Docs(json!({ "root": 0, "index": index, "paths": paths }))
    }

    // U3.
    #[test]
    fn a_missing_name_is_reported() {
        let check = |docs: &Docs| named("netlink-route", docs, &core()).map_err(|error| error.to_string());
        let all = ["netlink_core", "netlink_core::family", "netlink_core::Error"];
        assert_eq!(check(&family(9, &all)), Ok(()));
        let missing = r#"used in signatures, but not available: ["Stop"]"#;
        assert_eq!(check(&family(7, &all)), Err(missing.into()));
        let missing = r#"used in signatures, but not available: ["Request"]"#;
        assert_eq!(check(&family(9, &["netlink_core", "netlink_core::Error"])), Err(missing.into()));
        assert_eq!(check(&family(9, &all[1..])), Err("lacks `pub use netlink_core`".into()));
    }

    #[test]
    fn an_unknown_format_of_the_json_is_an_error() {
        let docs = Docs(json!({ "root": 0, "index": {} }));
        assert!(named("netlink-route", &docs, &core()).is_err());
    }
}
