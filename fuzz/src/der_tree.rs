//! A mutator that keeps DER well-formed most of the time, so that mutations land behind the length
//! checks: leaves are mutated, elements dropped, repeated, swapped and retagged, and every length
//! around them is written anew.

use crate::Seeded;

const MAX_DEPTH: usize = 24;

#[derive(Clone)]
enum Node {
    /// Bytes without a tag: the two-octet identifier in a GSS-API token.
    Raw(Vec<u8>),
    Leaf(u8, Vec<u8>),
    Branch(u8, Vec<Node>),
}

/// Mutates `bytes`; as DER where they are DER. `raw` mutates a string of octets.
pub fn mutate(
    bytes: &[u8],
    random: &mut Seeded,
    raw: &mut dyn FnMut(Vec<u8>) -> Vec<u8>,
) -> Vec<u8> {
    let Some(mut nodes) = parse(bytes, 0).filter(|nodes| !nodes.is_empty()) else {
        return raw(bytes.to_vec());
    };
    if random.below(16) == 0 {
        return raw(bytes.to_vec());
    }
    let donors = nodes.clone();
    let mut target = random.below(count(&nodes));
    edit(&mut nodes, &mut target, &donors, random, raw);
    let mut out = Vec::with_capacity(bytes.len() + 16);
    nodes.iter().for_each(|node| write(node, &mut out));
    out
}

fn parse(mut bytes: &[u8], depth: usize) -> Option<Vec<Node>> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut nodes = Vec::new();
    while let Some((&tag, rest)) = bytes.split_first() {
        let (contents, rest) = contents(rest)?;
        bytes = rest;
        // Frames of RFC 2743, and octet strings that hold DER, are opened too.
        let inside = match tag {
            0x60 => parse_frame(contents, depth + 1),
            0x04 if contents.first().is_some_and(|tag| tag & 0x20 != 0) => {
                parse(contents, depth + 1)
            }
            _ if tag & 0x20 != 0 => parse(contents, depth + 1),
            _ => None,
        };
        nodes.push(match inside {
            Some(inside) => Node::Branch(tag, inside),
            None => Node::Leaf(tag, contents.to_vec()),
        });
    }
    Some(nodes)
}

fn parse_frame(bytes: &[u8], depth: usize) -> Option<Vec<Node>> {
    let rest = bytes.strip_prefix(&[6])?;
    let (oid, rest) = contents(rest)?;
    let (id, message) = rest.split_at_checked(2)?;
    let mut nodes = vec![Node::Leaf(6, oid.to_vec()), Node::Raw(id.to_vec())];
    nodes.extend(parse(message, depth)?);
    Some(nodes)
}

/// Splits a length and that many bytes off.
fn contents(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        return rest.split_at_checked(usize::from(first));
    }
    let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
    if octets.is_empty() || octets.len() > 3 {
        return None;
    }
    let length = octets
        .iter()
        .fold(0, |length, octet| length << 8 | usize::from(*octet));
    rest.split_at_checked(length)
}

fn count(nodes: &[Node]) -> usize {
    let inside = |node: &Node| match node {
        Node::Branch(_, nodes) => count(nodes),
        _ => 0,
    };
    nodes.iter().map(|node| 1 + inside(node)).sum()
}

fn nth(nodes: &[Node], index: &mut usize) -> Option<Node> {
    for node in nodes {
        if *index == 0 {
            return Some(node.clone());
        }
        *index -= 1;
        if let Node::Branch(_, inside) = node
            && let Some(found) = nth(inside, index)
        {
            return Some(found);
        }
    }
    None
}

/// Edits the `target`th node; true once it is done.
fn edit(
    nodes: &mut Vec<Node>,
    target: &mut usize,
    donors: &[Node],
    random: &mut Seeded,
    raw: &mut dyn FnMut(Vec<u8>) -> Vec<u8>,
) -> bool {
    for index in 0..nodes.len() {
        if *target > 0 {
            *target -= 1;
            if let Node::Branch(_, inside) = &mut nodes[index]
                && edit(inside, target, donors, random, raw)
            {
                return true;
            }
            continue;
        }
        match random.below(8) {
            0 => drop(nodes.remove(index)),
            1 => nodes.insert(index, nodes[index].clone()),
            2 => {
                let other = random.below(nodes.len());
                nodes.swap(index, other);
            }
            3 => {
                if let Some(donor) = nth(donors, &mut random.below(count(donors))) {
                    nodes[index] = donor;
                }
            }
            4 => match &mut nodes[index] {
                Node::Leaf(tag, _) | Node::Branch(tag, _) => *tag ^= 1 << random.below(6),
                Node::Raw(_) => {}
            },
            _ => match &mut nodes[index] {
                Node::Leaf(_, contents) | Node::Raw(contents) => {
                    *contents = raw(core::mem::take(contents));
                }
                Node::Branch(_, inside) if inside.is_empty() => {
                    inside.extend(donors.first().cloned())
                }
                Node::Branch(_, inside) => {
                    let mut target = random.below(count(inside));
                    edit(inside, &mut target, donors, random, raw);
                }
            },
        }
        return true;
    }
    false
}

fn write(node: &Node, out: &mut Vec<u8>) {
    let (tag, contents) = match node {
        Node::Raw(contents) => return out.extend_from_slice(contents),
        Node::Leaf(tag, contents) => (*tag, contents.clone()),
        Node::Branch(tag, inside) => {
            let mut contents = Vec::new();
            inside.iter().for_each(|node| write(node, &mut contents));
            (*tag, contents)
        }
    };
    out.push(tag);
    match contents.len() {
        length @ 0..0x80 => out.push(length as u8),
        length @ 0x80..0x100 => out.extend([0x81, length as u8]),
        length => {
            let octets = (length as u32).to_be_bytes();
            let skip = octets.iter().take_while(|octet| **octet == 0).count();
            out.push(0x80 | (4 - skip) as u8);
            out.extend_from_slice(&octets[skip..]);
        }
    }
    out.extend_from_slice(&contents);
}
