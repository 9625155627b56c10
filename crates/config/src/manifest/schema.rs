// SPDX-License-Identifier: Apache-2.0
//! A schema in the form the walk over a document wants it: looked up by name, bounds and rules parsed.
//!
//! Read once per process from the CRDs we ship and from `core.yaml`.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{
    rules::Rule,
    scalar::Meaning,
    tree::{Node, Value},
};

/// What a value may be.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Schema {
    pub shape: Shape,
    /// Values of an enumeration; empty means any.
    pub allowed: Vec<Box<str>>,
    pub default: Option<Json>,
    pub rules: Vec<StatedRule>,
    /// Whether a value may hold a secret, so that none is ever shown.
    pub is_secret: bool,
}

/// The type of a value with what belongs to that type.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Shape {
    Object(Members),
    Array {
        items: Box<Schema>,
        least: usize,
    },
    Text(Option<Format>),
    Integer {
        minimum: i64,
        maximum: i64,
    },
    Boolean,
    IntegerOrText,
    /// A number of resources; kept as text.
    Quantity,
    #[default]
    Any,
}

/// What a mapping may hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Members {
    pub properties: BTreeMap<Box<str>, Schema>,
    pub required: Vec<Box<str>>,
    /// What any other key may hold; absent means there may be no other.
    pub others: Option<Box<Schema>>,
}

/// The form of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Base64,
    DateTime,
}

/// A CEL rule and how the CRD words it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StatedRule {
    pub rule: Rule,
    pub message: Box<str>,
}

impl Schema {
    /// Compiles an `openAPIV3Schema`.
    pub fn compile(node: &Node<'_>) -> Self {
        Self {
            shape: shape(node),
            allowed: texts(node.get("enum")),
            default: node.get("default").map(free),
            rules: rules(node),
            is_secret: false,
        }
    }

    /// The schema of a property of an object.
    pub fn property_mut(&mut self, name: &str) -> Option<&mut Self> {
        match &mut self.shape {
            Shape::Object(members) => members.properties.get_mut(name),
            _ => None,
        }
    }

    /// Marks this and everything in it as secret.
    pub fn hide(&mut self) {
        self.is_secret = true;
        match &mut self.shape {
            Shape::Object(members) => {
                members.properties.values_mut().for_each(Self::hide);
                members.others.iter_mut().for_each(|other| other.hide());
            }
            Shape::Array { items, .. } => items.hide(),
            _ => {}
        }
    }
}

fn shape(node: &Node<'_>) -> Shape {
    let format = node.get("format").and_then(Node::text);
    if is_true(node, "x-kubernetes-int-or-string") {
        return match format {
            Some("quantity") => Shape::Quantity,
            _ => Shape::IntegerOrText,
        };
    }
    match node.get("type").and_then(Node::text) {
        Some("object") => Shape::Object(members(node)),
        Some("array") => Shape::Array {
            items: Box::new(node.get("items").map(Schema::compile).unwrap_or_default()),
            least: integer(node, "minItems")
                .and_then(|n| n.try_into().ok())
                .unwrap_or(0),
        },
        Some("string") => Shape::Text(match format {
            Some("byte") => Some(Format::Base64),
            Some("date-time") => Some(Format::DateTime),
            _ => None,
        }),
        Some("integer") => bounds(node, format),
        Some("boolean") => Shape::Boolean,
        _ => Shape::Any,
    }
}

fn members(node: &Node<'_>) -> Members {
    let properties = node
        .get("properties")
        .map(Node::members)
        .unwrap_or_default();
    let open = is_true(node, "x-kubernetes-preserve-unknown-fields");
    Members {
        properties: properties
            .iter()
            .map(|member| (member.key.as_ref().into(), Schema::compile(&member.value)))
            .collect(),
        required: texts(node.get("required")),
        others: match node.get("additionalProperties") {
            Some(other) => Some(Box::new(Schema::compile(other))),
            None => open.then(Box::default),
        },
    }
}

fn bounds(node: &Node<'_>, format: Option<&str>) -> Shape {
    let (low, high) = match format {
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN, i64::MAX),
    };
    Shape::Integer {
        minimum: integer(node, "minimum").unwrap_or(low).max(low),
        maximum: integer(node, "maximum").unwrap_or(high).min(high),
    }
}

fn rules(node: &Node<'_>) -> Vec<StatedRule> {
    let listed = node
        .get("x-kubernetes-validations")
        .map(Node::items)
        .unwrap_or_default();
    let stated = listed.iter().filter_map(|entry| {
        let rule = Rule::find(entry.get("rule")?.text()?)?;
        let message = entry
            .get("message")
            .and_then(Node::text)
            .unwrap_or_default();
        Some(StatedRule {
            rule,
            message: message.into(),
        })
    });
    stated.collect()
}

fn is_true(node: &Node<'_>, key: &str) -> bool {
    node.get(key)
        .is_some_and(|value| free(value) == Json::Bool(true))
}

fn integer(node: &Node<'_>, key: &str) -> Option<i64> {
    node.get(key).and_then(|value| free(value).as_i64())
}

fn texts(node: Option<&Node<'_>>) -> Vec<Box<str>> {
    let items = node.map(Node::items).unwrap_or_default();
    items.iter().filter_map(Node::text).map(Box::from).collect()
}

/// A value of which nothing is demanded.
pub(crate) fn free(node: &Node<'_>) -> Json {
    match &node.value {
        Value::Scalar(scalar) => match scalar.meaning() {
            Meaning::Null => Json::Null,
            Meaning::Boolean(value) => value.into(),
            Meaning::Integer(value) => value.into(),
            Meaning::Number(value) => value.into(),
            Meaning::Text(text) => text.into(),
        },
        Value::Sequence(items) => items.iter().map(free).collect(),
        Value::Mapping(members) => members
            .iter()
            .map(|member| (member.key.to_string(), free(&member.value)))
            .collect(),
    }
}
