//! The tree of sections and relations, and how it is searched.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::error::Place;

/// What one file, with the files that it includes, says.
#[derive(Clone, Debug, Default)]
pub(super) struct Section {
    relations: BTreeMap<Box<str>, Vec<Relation>>,
    sections: BTreeMap<Box<str>, Section>,
    /// Later files are not asked for what is in this section.
    is_final: bool,
}

/// One `name = value`.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub(super) value: Box<str>,
    pub(super) place: Place,
}

impl Section {
    pub(super) fn push(&mut self, name: &str, value: &str, place: Place) {
        self.relations
            .entry(name.into())
            .or_default()
            .push(Relation {
                value: value.into(),
                place,
            });
    }

    /// The subsection of the name, made where there is none: one that is written twice is one section.
    pub(super) fn enter(&mut self, name: &str) -> &mut Self {
        self.sections.entry(name.into()).or_default()
    }

    pub(super) fn set_final(&mut self) {
        self.is_final = true;
    }

    pub(super) fn at(&mut self, path: &[Box<str>]) -> &mut Self {
        path.iter().fold(self, |section, name| section.enter(name))
    }
}

/// The sections at `path` in each file, up to the first that is final.
pub(super) fn sections<'a, 'p>(
    files: &'a [Section],
    path: &'p [&'p str],
) -> impl Iterator<Item = &'a Section> + use<'a, 'p> {
    let mut ended = false;
    files
        .iter()
        .map_while(move |file| {
            if ended {
                return None;
            }
            let mut section = Some(file);
            for name in path {
                section = section.and_then(|section| section.sections.get(*name));
                ended |= section.is_some_and(|section| section.is_final);
            }
            Some(section)
        })
        .flatten()
}

/// The relations of the name in the section at `path`: of all files in order, up to a section that is final.
pub(super) fn relations<'a, 'p>(
    files: &'a [Section],
    path: &'p [&'p str],
    name: &'p str,
) -> impl Iterator<Item = &'a Relation> + use<'a, 'p> {
    sections(files, path).flat_map(move |section| {
        section
            .relations
            .get(name)
            .map(Vec::as_slice)
            .unwrap_or_default()
    })
}

/// The names of relations in the section at `path`, sorted, each once.
pub(super) fn relation_names<'a>(files: &'a [Section], path: &[&str]) -> Vec<&'a str> {
    let found = sections(files, path).flat_map(|section| section.relations.keys());
    sorted(found.map(|name| &**name).collect())
}

/// The names of sections in the section at `path`, sorted, each once.
pub(super) fn section_names<'a>(files: &'a [Section], path: &[&str]) -> Vec<&'a str> {
    let found = sections(files, path).flat_map(|section| section.sections.keys());
    sorted(found.map(|name| &**name).collect())
}

fn sorted(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    names.dedup();
    names
}
