//! The process's own memory, as Linux shows it (proc_pid_maps(5), proc_pid_mem(5)).

use std::fs::File;
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;

/// A mapping that a secret may be in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapping {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) name: String,
}

/// All mappings that can be written to, and those that no file stands behind.
pub(crate) fn mappings() -> Vec<Mapping> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().filter_map(mapping).collect()
}

/// `start-end rwxp offset device inode name`
fn mapping(line: &str) -> Option<Mapping> {
    let mut fields = line.split_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let permissions = fields.next()?;
    let (_offset, _device) = (fields.next()?, fields.next()?);
    let (inode, name) = (fields.next()?, fields.next().unwrap_or("anonymous"));
    let kernels = name.starts_with("[v");
    let ours = permissions.contains('w') || inode == "0";
    let address = |text| u64::from_str_radix(text, 16).unwrap();
    (permissions.starts_with('r') && ours && !kernels).then(|| Mapping {
        start: address(start),
        end: address(end),
        name: name.to_owned(),
    })
}

/// The memory and a buffer for it, which is the one place that is not looked at.
pub(crate) struct Memory {
    file: File,
    buffer: Vec<u8>,
}

/// How far pieces overlap: what lies across the end of one is whole in the next.
const OVERLAP: usize = 7;

impl Memory {
    pub(crate) fn open() -> Self {
        Self {
            file: File::open("/proc/self/mem").unwrap(),
            buffer: vec![0; 1 << 20],
        }
    }

    /// Calls `look` with the address of every word that lies in a mapping, at every byte, and the word, until it
    /// breaks.
    pub(crate) fn each_word(
        &mut self,
        mapping: &Mapping,
        mut look: impl FnMut(u64, [u8; 8]) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let own = self.buffer.as_ptr().addr() as u64;
        let own = own..own + self.buffer.len() as u64;
        let mut at = mapping.start;
        while at < mapping.end {
            let room = usize::try_from(mapping.end - at).unwrap();
            let room = room.min(self.buffer.len());
            let Ok(read) = self.file.read_at(&mut self.buffer[..room], at) else {
                // A page that the kernel keeps to itself.
                at += 4096;
                continue;
            };
            if read <= OVERLAP {
                break;
            }
            for (offset, word) in self.buffer[..read].windows(8).enumerate() {
                let address = at + offset as u64;
                if !own.contains(&address) {
                    look(address, word.try_into().unwrap())?;
                }
            }
            at += (read - OVERLAP) as u64;
        }
        ControlFlow::Continue(())
    }
}
