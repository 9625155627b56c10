// SPDX-License-Identifier: Apache-2.0
//! One document: from the parser's events to a tree, within the limits of size.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use ferrolb_types::{FieldPath, codes};
use granit_parser::{Event, ScalarStyle, Span, Tag};

use super::{
    fault::Fault,
    reader::Document,
    scalar::Scalar,
    tree::{Mark, Member, Node, Value},
};

/// Levels of nesting a document may have, aliases included.
pub(super) const MAX_DEPTH: usize = 100;
/// Nodes a document may have, copies made by aliases included.
const MAX_NODES: usize = 1_000_000;
/// Nodes that aliases may copy in one document.
const MAX_COPIED: usize = 100_000;
/// Beyond this many keys, a set finds the duplicates.
const FEW_KEYS: usize = 16;

/// A collection still open.
enum Open<'a> {
    Sequence(Vec<Node<'a>>),
    Mapping(Vec<Member<'a>>, Keys, Option<(Cow<'a, str>, Mark)>),
}

/// The keys of a mapping, once there are many.
#[derive(Default)]
struct Keys(Option<HashSet<String>>);

struct Frame<'a> {
    at: Mark,
    anchor: usize,
    open: Open<'a>,
}

/// Builds the tree of one document from the parser's events.
#[derive(Default)]
pub(super) struct Builder<'a> {
    root: Option<Node<'a>>,
    frames: Vec<Frame<'a>>,
    anchors: HashMap<usize, Node<'a>>,
    nodes: usize,
    copied: usize,
    pub faults: Vec<Fault>,
}

type Step = Result<(), Box<Fault>>;

impl<'a> Builder<'a> {
    /// Takes the next event of the document. On a fault the rest of the document is lost.
    pub fn event(&mut self, event: Event<'a>, span: &Span) -> Step {
        let at = mark(span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = scalar(text, style, tag.as_deref()).ok_or_else(|| tag_fault(span))?;
                self.place(
                    Node {
                        at,
                        value: Value::Scalar(scalar),
                    },
                    anchor,
                )
            }
            Event::SequenceStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "seq", span)?;
                self.open(at, anchor, Open::Sequence(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "map", span)?;
                self.open(at, anchor, Open::Mapping(Vec::new(), Keys::default(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(id) => self.alias(id, at),
            Event::UnresolvedAlias(name) => Err(alias_fault(at, &name)),
            _ => Ok(()),
        }
    }

    fn open(&mut self, at: Mark, anchor: usize, open: Open<'a>) -> Step {
        if self.frames.len() >= MAX_DEPTH {
            return Err(too_much(at, "it is nested too deeply", "flatten it"));
        }
        self.frames.push(Frame { at, anchor, open });
        Ok(())
    }

    fn close(&mut self) -> Step {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        let value = match frame.open {
            Open::Sequence(items) => Value::Sequence(items),
            Open::Mapping(members, ..) => Value::Mapping(self.merge(members)),
        };
        self.place(
            Node {
                at: frame.at,
                value,
            },
            frame.anchor,
        )
    }

    /// Puts a complete node where it belongs: a key, a value, an element, or the root.
    fn place(&mut self, node: Node<'a>, anchor: usize) -> Step {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(too_much(
                node.at,
                "the document has too many values",
                "split it",
            ));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut frame.open {
            Open::Sequence(items) => items.push(node),
            Open::Mapping(_, _, key @ None) => *key = Some(text_key(node)?),
            Open::Mapping(members, keys, key) => {
                let Some((key, at)) = key.take() else {
                    return Ok(());
                };
                if keys.is_new(members, &key) {
                    members.push(Member {
                        key,
                        at,
                        value: node,
                    });
                } else {
                    let fault = self.duplicate(key, at);
                    self.faults.push(fault);
                }
            }
        }
        Ok(())
    }

    /// Puts a copy of an anchored node, within the limits.
    fn alias(&mut self, id: usize, at: Mark) -> Step {
        let Some(node) = self.anchors.get(&id) else {
            return Err(alias_fault(at, "an anchor around it"));
        };
        let (count, depth) = node.measure();
        self.copied = self.copied.saturating_add(count);
        self.nodes = self.nodes.saturating_add(count);
        if self.copied > MAX_COPIED || self.frames.len() + depth > MAX_DEPTH {
            return Err(too_much(
                at,
                "its aliases multiply the document beyond all bounds",
                "write the values out",
            ));
        }
        let mut copy = node.clone();
        // A fault in a plain value is best shown where it is used; one inside a collection where it stands.
        if matches!(copy.value, Value::Scalar(_)) {
            copy.at = at;
        }
        self.place(copy, 0)
    }

    /// Adds what `<<` brings in, without replacing what is there.
    fn merge(&mut self, mut members: Vec<Member<'a>>) -> Vec<Member<'a>> {
        let Some(at) = members.iter().position(|member| member.key == "<<") else {
            return members;
        };
        let merged = members.remove(at).value;
        let sources = match merged.value {
            Value::Sequence(items) => items,
            _ => vec![merged],
        };
        let mut seen: HashSet<String> = members.iter().map(|m| m.key.to_string()).collect();
        for source in sources {
            match source.value {
                Value::Mapping(more) => {
                    members.extend(more.into_iter().filter(|m| seen.insert(m.key.to_string())));
                }
                _ => self.faults.push(Fault::new(
                    codes::file::F002,
                    source.at,
                    "`<<` merges mappings, and this is none",
                    "give it the alias of a mapping",
                )),
            }
        }
        members
    }

    fn duplicate(&self, key: Cow<'a, str>, at: Mark) -> Fault {
        let path = self.path().key(key.into_owned());
        Fault::new(
            codes::file::F007,
            at,
            "the key stands in the mapping a second time",
            "keep one of the two",
        )
        .field(path)
    }

    /// The path of the innermost open collection.
    fn path(&self) -> FieldPath {
        let mut path = FieldPath::root();
        let inner = self.frames.len().saturating_sub(1);
        for frame in self.frames.iter().take(inner) {
            path = match &frame.open {
                Open::Sequence(items) => path.index(items.len()),
                Open::Mapping(_, _, Some((key, _))) => path.key(key.to_string()),
                Open::Mapping(_, _, None) => path,
            };
        }
        path
    }

    /// The document; one broken off is closed, so that its kind and name can still be told.
    pub fn finish(mut self, is_broken: bool) -> Document<'a> {
        while is_broken && !self.frames.is_empty() {
            if self.close().is_err() {
                break;
            }
        }
        Document {
            root: self.root.filter(|root| !root.is_null()),
            faults: self.faults,
            is_broken,
        }
    }
}

impl Keys {
    fn is_new(&mut self, members: &[Member<'_>], key: &str) -> bool {
        if members.len() < FEW_KEYS {
            return members.iter().all(|member| member.key != key);
        }
        let set = self.0.get_or_insert_with(|| {
            members
                .iter()
                .map(|member| member.key.to_string())
                .collect()
        });
        set.insert(key.to_owned())
    }
}

fn mark(span: &Span) -> Mark {
    at(span.start.line(), span.start.col())
}

/// A place from the parser's line, counted from 1, and column, counted from 0.
pub(super) fn at(line: usize, column: usize) -> Mark {
    Mark {
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column).map_or(u32::MAX, |column| column.saturating_add(1)),
    }
}

fn scalar<'a>(text: Cow<'a, str>, style: ScalarStyle, tag: Option<&Tag>) -> Option<Scalar<'a>> {
    let is_text = match tag {
        None => style != ScalarStyle::Plain,
        Some(tag) if tag.parts() == ("", "!") || tag.is_yaml_core_schema_tag("str") => true,
        Some(tag) => {
            let known = ["int", "bool", "float", "null"];
            if !known.iter().any(|name| tag.is_yaml_core_schema_tag(name)) {
                return None;
            }
            false
        }
    };
    Some(if is_text {
        Scalar::quoted(text)
    } else {
        Scalar::plain(text)
    })
}

fn text_key<'a>(node: Node<'a>) -> Result<(Cow<'a, str>, Mark), Box<Fault>> {
    match node.value {
        Value::Scalar(scalar) => Ok((scalar.into_text(), node.at)),
        Value::Sequence(_) | Value::Mapping(_) => Err(Box::new(Fault::new(
            codes::file::F002,
            node.at,
            "a list or a mapping stands where a key belongs",
            "write a plain word before the colon; quote text that begins with `[` or `{`",
        ))),
    }
}

/// Collections may carry the tag of what they are anyway.
fn check_tag(tag: Option<&Tag>, core: &str, span: &Span) -> Step {
    if tag.is_none_or(|tag| tag.is_yaml_core_schema_tag(core)) {
        return Ok(());
    }
    Err(tag_fault(span))
}

fn tag_fault(span: &Span) -> Box<Fault> {
    let start = span.tag_start().unwrap_or(span.start);
    Box::new(Fault::new(
        codes::file::F002,
        at(start.line(), start.col()),
        "the value carries a YAML tag that Kubernetes objects do not know",
        "remove the word that begins with `!`, or put the value in quotes",
    ))
}

fn alias_fault(at: Mark, name: &str) -> Box<Fault> {
    Box::new(
        Fault::new(
            codes::file::F002,
            at,
            "the alias refers to an anchor that is not complete before it",
            "define it with `&` further up in the same document, or quote text that begins with `*`",
        )
        .value(name),
    )
}

fn too_much(at: Mark, cause: &str, remedy: &str) -> Box<Fault> {
    Box::new(Fault::new(codes::file::F008, at, cause, remedy))
}
