// SPDX-License-Identifier: Apache-2.0
//! The walk over a document with the schema of its kind: every fault found, every place noted, defaults
//! filled in as an API server does, and the JSON of what is right.

use ferrolb_types::{Code, FieldPath, codes::schema as codes};
use serde_json::{Map, Value as Json};

use super::{
    fault::Fault,
    scalar::{Meaning, Scalar},
    schema::{Format, Members, Schema, Shape, free},
    spans::{Collector, PathHash},
    suggest::nearest,
    tree::{Mark, Member, Node, Value},
    wording::{found, malformed, mend, not_allowed, wanted},
};

/// Faults listed of one document; beyond them nobody reads.
const MOST_FAULTS: usize = 100;

/// Where the walk is: steps as a chain, made into a [`FieldPath`] only for a fault.
#[derive(Clone, Copy)]
pub(super) struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    step: Step<'p>,
    hash: PathHash,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Root,
    Key(&'p str),
    Index(usize),
}

impl<'p> Path<'p> {
    pub const ROOT: Self = Self {
        parent: None,
        step: Step::Root,
        hash: PathHash::ROOT,
    };

    pub fn key(&'p self, key: &'p str) -> Self {
        Self {
            parent: Some(self),
            step: Step::Key(key),
            hash: self.hash.key(key),
        }
    }

    fn index(&'p self, index: usize) -> Self {
        Self {
            parent: Some(self),
            step: Step::Index(index),
            hash: self.hash.index(index),
        }
    }

    pub fn field(&self) -> FieldPath {
        let before = self.parent.map(Self::field).unwrap_or_default();
        match self.step {
            Step::Root => before,
            Step::Key(key) => before.key(key.to_owned()),
            Step::Index(index) => before.index(index),
        }
    }
}

/// Collects what the walk finds.
#[derive(Default)]
pub(super) struct Walk {
    pub faults: Vec<Fault>,
    pub places: Collector,
    /// Faults beyond those listed.
    pub unlisted: usize,
}

impl Walk {
    /// The JSON of a value; nothing where it is null or at fault.
    pub fn value(
        &mut self,
        schema: &Schema,
        node: &Node<'_>,
        at: Mark,
        path: Path<'_>,
    ) -> Option<Json> {
        let place = if matches!(node.value, Value::Scalar(_)) {
            node.at
        } else {
            at
        };
        self.places.add(path.hash, place);
        let before = self.faults.len();
        let json = match (&schema.shape, &node.value) {
            (Shape::Any, _) => Some(free(node)),
            (Shape::Object(members), Value::Mapping(given)) => {
                Some(self.object(members, given, place, path))
            }
            (Shape::Array { items, least }, Value::Sequence(given)) => {
                self.array(items, *least, given, place, path)
            }
            (_, Value::Scalar(scalar)) => self.scalar(schema, scalar, place, path),
            _ => self.wrong_type(schema, node, place, path),
        }?;
        if self.faults.len() == before {
            self.rules(schema, node, &json, place, path);
        }
        Some(json)
    }

    pub fn fault(&mut self, fault: Fault) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        } else {
            self.unlisted += 1;
        }
    }

    fn object(
        &mut self,
        members: &Members,
        given: &[Member<'_>],
        at: Mark,
        path: Path<'_>,
    ) -> Json {
        let mut json = Map::new();
        let mut present: Vec<&str> = Vec::with_capacity(members.required.len());
        for member in given.iter().filter(|member| !member.value.is_null()) {
            let schema = members
                .properties
                .get(member.key.as_ref())
                .or(members.others.as_deref());
            let Some(schema) = schema else {
                self.unknown(members, member, path);
                continue;
            };
            if members.required.iter().any(|name| **name == *member.key) {
                present.push(&member.key);
            }
            if let Some(value) = self.value(schema, &member.value, member.at, path.key(&member.key))
            {
                json.insert(member.key.to_string(), value);
            }
        }
        for name in members
            .required
            .iter()
            .filter(|name| !present.contains(&name.as_ref()))
        {
            let cause = format!("the field `{name}` is required and missing");
            let remedy = format!("add `{name}`");
            self.fault(Fault::new(codes::V002, at, cause, remedy).field(path.key(name).field()));
        }
        fill_defaults(members, &mut json);
        Json::Object(json)
    }

    fn unknown(&mut self, members: &Members, member: &Member<'_>, path: Path<'_>) {
        let known = members.properties.keys().map(AsRef::as_ref);
        let remedy = match nearest(&member.key, known) {
            Some(name) => format!("write `{name}` if that was meant, otherwise remove it"),
            None => "remove it, or check that it stands at the right depth".to_owned(),
        };
        let fault = Fault::new(
            codes::V001,
            member.at,
            "no such field is known here",
            remedy,
        );
        self.fault(fault.field(path.key(&member.key).field()));
    }

    fn array(
        &mut self,
        schema: &Schema,
        least: usize,
        given: &[Node<'_>],
        at: Mark,
        path: Path<'_>,
    ) -> Option<Json> {
        if given.len() < least {
            let cause = format!(
                "the list needs at least {least} elements and has {}",
                given.len()
            );
            self.fault(
                Fault::new(codes::V006, at, cause, "add what is missing").field(path.field()),
            );
            return None;
        }
        let mut json = Vec::with_capacity(given.len());
        for (n, node) in given.iter().enumerate() {
            let path = path.index(n);
            if node.is_null() {
                let fault = Fault::new(
                    codes::V003,
                    node.at,
                    "the element is empty",
                    "write a value or remove it",
                );
                self.fault(fault.field(path.field()));
            } else if let Some(value) = self.value(schema, node, node.at, path) {
                json.push(value);
            }
        }
        Some(Json::Array(json))
    }

    fn scalar(
        &mut self,
        schema: &Schema,
        scalar: &Scalar<'_>,
        at: Mark,
        path: Path<'_>,
    ) -> Option<Json> {
        match (&schema.shape, scalar.meaning()) {
            (Shape::Text(format), Meaning::Text(text)) => {
                self.text(schema, *format, text, at, path)
            }
            (Shape::Boolean, Meaning::Boolean(value)) => Some(value.into()),
            (Shape::Integer { minimum, maximum }, Meaning::Integer(value)) => {
                if (*minimum..=*maximum).contains(&value) {
                    return Some(value.into());
                }
                let cause = format!("the number must lie between {minimum} and {maximum}");
                self.refuse(
                    codes::V004,
                    schema,
                    scalar,
                    at,
                    path,
                    cause,
                    "write a number within the bounds",
                )
            }
            (Shape::IntegerOrText, Meaning::Integer(value)) => Some(value.into()),
            (Shape::IntegerOrText, Meaning::Text(text)) => Some(text.into()),
            (Shape::Quantity, Meaning::Integer(_) | Meaning::Number(_) | Meaning::Text(_)) => {
                Some(scalar.text().into())
            }
            (shape, _) => {
                let cause = format!("{} is needed here, not {}", wanted(shape), found(scalar));
                self.refuse(
                    codes::V003,
                    schema,
                    scalar,
                    at,
                    path,
                    cause,
                    mend(shape, scalar),
                )
            }
        }
    }

    fn text(
        &mut self,
        schema: &Schema,
        format: Option<Format>,
        text: &str,
        at: Mark,
        path: Path<'_>,
    ) -> Option<Json> {
        let fault = if !schema.allowed.is_empty()
            && !schema.allowed.iter().any(|one| **one == *text)
        {
            not_allowed(&schema.allowed, text, at)
        } else if let Some((cause, remedy)) = format.and_then(|format| malformed(format, text)) {
            Fault::new(codes::V010, at, cause, remedy)
        } else if format == Some(Format::Base64) {
            return Some(text.replace(['\r', '\n'], "").into());
        } else {
            return Some(text.into());
        };
        let fault = fault.field(path.field());
        self.fault(if schema.is_secret {
            fault
        } else {
            fault.value(text)
        });
        None
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one message")]
    fn refuse(
        &mut self,
        code: Code,
        schema: &Schema,
        scalar: &Scalar<'_>,
        at: Mark,
        path: Path<'_>,
        cause: String,
        remedy: &str,
    ) -> Option<Json> {
        let fault = Fault::new(code, at, cause, remedy).field(path.field());
        self.fault(if schema.is_secret {
            fault
        } else {
            fault.value(scalar.text())
        });
        None
    }

    fn wrong_type(
        &mut self,
        schema: &Schema,
        node: &Node<'_>,
        at: Mark,
        path: Path<'_>,
    ) -> Option<Json> {
        let given = match node.value {
            Value::Mapping(_) => "a mapping",
            _ => "a list",
        };
        let cause = format!("{} is needed here, not {given}", wanted(&schema.shape));
        let remedy = match (&schema.shape, &node.value) {
            (Shape::Array { .. }, _) => "begin each element with `- `",
            (Shape::Object(_), Value::Sequence(_)) => "remove the `- ` before its keys",
            _ => "write a single value",
        };
        self.fault(Fault::new(codes::V003, at, cause, remedy).field(path.field()));
        None
    }

    fn rules(&mut self, schema: &Schema, node: &Node<'_>, json: &Json, at: Mark, path: Path<'_>) {
        for stated in schema
            .rules
            .iter()
            .filter(|stated| !stated.rule.holds(json))
        {
            let culprit = stated.rule.culprit().and_then(|key| node.member(key));
            let mut fault = Fault::new(codes::V007, at, &*stated.message, stated.rule.remedy());
            fault.field = path.field();
            if let Some(member) = culprit {
                fault.at = member.at;
                fault.field = fault.field.key(member.key.to_string());
            }
            if let (Some(text), false) = (json.as_str(), schema.is_secret) {
                fault = fault.value(text);
            }
            self.fault(fault);
        }
    }
}

fn fill_defaults(members: &Members, json: &mut Map<String, Json>) {
    for (name, schema) in &members.properties {
        if let Some(default) = &schema.default
            && !json.contains_key(&**name)
        {
            json.insert(name.to_string(), default.clone());
        }
    }
}
