// SPDX-License-Identifier: Apache-2.0
//! A YAML document as a tree in which every node knows its place in the text.
//!
//! Texts are borrowed from the file wherever it holds them unchanged.

use std::borrow::Cow;

use super::scalar::Scalar;

/// A place in a text: line and column from 1, the column in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub line: u32,
    pub column: u32,
}

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node<'a> {
    pub at: Mark,
    pub value: Value<'a>,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Scalar(Scalar<'a>),
    Sequence(Vec<Node<'a>>),
    Mapping(Vec<Member<'a>>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member<'a> {
    pub key: Cow<'a, str>,
    pub at: Mark,
    pub value: Node<'a>,
}

impl<'a> Node<'a> {
    /// The value of a key, where this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node<'a>> {
        self.member(key).map(|member| &member.value)
    }

    /// A key and its value.
    pub fn member(&self, key: &str) -> Option<&Member<'a>> {
        self.members().iter().find(|member| member.key == key)
    }

    /// The members, none where this is no mapping.
    pub fn members(&self) -> &[Member<'a>] {
        match &self.value {
            Value::Mapping(members) => members,
            Value::Scalar(_) | Value::Sequence(_) => &[],
        }
    }

    /// The elements, none where this is no sequence.
    pub fn items(&self) -> &[Node<'a>] {
        match &self.value {
            Value::Sequence(items) => items,
            Value::Scalar(_) | Value::Mapping(_) => &[],
        }
    }

    /// The text of a scalar as written, unless it is null.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) if !scalar.is_null() => Some(scalar.text()),
            _ => None,
        }
    }

    /// Whether the node says "nothing here".
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.is_null())
    }

    /// How many nodes it consists of, and how many levels deep it goes.
    pub fn measure(&self) -> (usize, usize) {
        let join = |(count, depth): (usize, usize), node: &Node<'_>| {
            let (more, below) = node.measure();
            (count + more, depth.max(below + 1))
        };
        match &self.value {
            Value::Scalar(_) => (1, 1),
            Value::Sequence(items) => items.iter().fold((1, 1), join),
            Value::Mapping(members) => members.iter().map(|m| &m.value).fold((1, 1), join),
        }
    }
}
