// SPDX-License-Identifier: Apache-2.0
//! Community aliases: rules C1 to C4 of the controller reference, section 2.2.

use std::collections::BTreeMap;

use ferrolb_api::resource::{Community as Object, CommunityAlias};
use ferrolb_types::{Community, CommunityError, FieldPath, codes::community as code};

use super::{
    report::{Parsed, Report},
    settle::Rules,
};
use crate::resources::Kind;

/// One alias of an object.
pub(crate) struct Alias {
    name: String,
    /// The object that defines it.
    object: String,
    index: usize,
    value: Community,
}

struct Definition {
    value: Community,
    object: String,
}

/// The aliases in force.
#[derive(Default)]
pub(crate) struct CommunityRules {
    aliases: BTreeMap<String, Definition>,
}

impl CommunityRules {
    /// What the alias stands for.
    pub(crate) fn resolve(&self, alias: &str) -> Option<Community> {
        self.aliases.get(alias).map(|definition| definition.value)
    }
}

impl Rules<Object> for CommunityRules {
    type Form = Vec<Alias>;

    fn parse(&mut self, object: &Object) -> Parsed<Vec<Alias>> {
        let mut report = Report::new(object.reference());
        let mut form = Vec::new();
        for (index, alias) in object.spec.communities.iter().enumerate() {
            form.extend(parse_alias(&mut report, index, alias));
        }
        refuse_own_repeats(&mut report, object);
        Parsed { form, report }
    }

    fn conflicts(&mut self, form: &mut Vec<Alias>, report: &mut Report) {
        for alias in form {
            if let Some(other) = self.aliases.get(&alias.name) {
                let cause = format!("the older Community {} defines it already", other.object);
                refuse_name(report, alias.index, &alias.name, &cause);
            }
        }
    }

    fn enter(&mut self, form: Vec<Alias>) {
        for alias in form {
            let definition = Definition {
                value: alias.value,
                object: alias.object,
            };
            self.aliases.insert(alias.name, definition);
        }
    }
}

fn path(index: usize) -> FieldPath {
    FieldPath::spec().key("communities").index(index)
}

fn refuse_name(report: &mut Report, index: usize, name: &str, cause: &str) {
    let remedy = "define each alias once, in one Community";
    report.refuse(
        code::C004,
        path(index).key("name"),
        Some(name),
        cause,
        remedy,
    );
}

fn parse_alias(report: &mut Report, index: usize, alias: &CommunityAlias) -> Option<Alias> {
    let name = alias.name.as_deref().unwrap_or_default();
    if name.is_empty() {
        let cause = "an alias without a name cannot be referred to";
        report.refuse(
            code::C051,
            path(index).key("name"),
            None,
            cause,
            "name the alias",
        );
    }
    let text = alias.value.as_deref().unwrap_or_default();
    match text.parse() {
        Ok(value) => Some(Alias {
            name: name.to_owned(),
            object: report.object.name.clone(),
            index,
            value,
        }),
        Err(error) => {
            refuse_value(report, path(index).key("value"), text, error);
            None
        }
    }
}

fn refuse_value(report: &mut Report, path: FieldPath, text: &str, error: CommunityError) {
    let (code, remedy) = match error {
        CommunityError::Number => (code::C001, "write decimal numbers in range"),
        CommunityError::NotLarge => (code::C002, "write large:G:L1:L2"),
        CommunityError::Shape => (code::C003, "write A:B or large:G:L1:L2"),
    };
    report.refuse(code, path, Some(text), error.to_string(), remedy);
}

fn refuse_own_repeats(report: &mut Report, object: &Object) {
    let mut seen = BTreeMap::new();
    for (index, alias) in object.spec.communities.iter().enumerate() {
        let name = alias.name.as_deref().unwrap_or_default();
        let earlier = *seen.entry(name).or_insert(index);
        if earlier != index && !name.is_empty() {
            let cause = format!("{} defines it already", path(earlier));
            refuse_name(report, index, name, &cause);
        }
    }
}
