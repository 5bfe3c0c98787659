//! From instructions to lists of them, which is what RE2 counts.
#![expect(clippy::indexing_slicing, reason = "instructions are numbered by the compiler")]

use rustc_hash::FxHashSet;

use super::Inst;
use super::compile::Program;

/// The size of a flattened program.
pub(super) fn flat_size(mut program: Program) -> usize {
    if program.start == 0 && program.unanchored == 0 {
        return 1;
    }
    skip_idle(&mut program);
    mark_final_loops(&mut program);
    let lists = Lists::of(&program);
    lists.roots.iter().map(|root| lists.length(*root)).sum()
}

/// Where an instruction leads.
fn ways(inst: Inst) -> [Option<u32>; 2] {
    match inst {
        Inst::Fail | Inst::Match => [None, None],
        Inst::Alt(out, second) | Inst::AltMatch(out, second) => [Some(out), Some(second)],
        Inst::Byte(out, _) | Inst::Capture(out) | Inst::Look(out) | Inst::Nop(out) => [Some(out), None],
    }
}

/// Everything that can be reached from an instruction, in order.
fn reachable(insts: &[Inst], start: u32) -> Vec<u32> {
    let mut seen = FxHashSet::from_iter([start]);
    let mut order = vec![start];
    let mut at = 0;
    while let Some(id) = order.get(at).copied() {
        at += 1;
        order.extend(ways(insts[id as usize]).into_iter().flatten().filter(|next| seen.insert(*next)));
    }
    order
}

/// Leaves out instructions that do nothing.
fn skip_idle(program: &mut Program) {
    let behind = |insts: &[Inst], mut id: u32| {
        while let Inst::Nop(next) = insts[id as usize] {
            id = next;
        }
        id
    };
    for id in reachable(&program.insts, program.start) {
        let mut inst = program.insts[id as usize];
        match &mut inst {
            Inst::Alt(out, second) | Inst::AltMatch(out, second) => {
                *out = behind(&program.insts, *out);
                *second = behind(&program.insts, *second);
            }
            Inst::Byte(out, _) | Inst::Capture(out) | Inst::Look(out) | Inst::Nop(out) => {
                *out = behind(&program.insts, *out);
            }
            Inst::Fail | Inst::Match => {}
        }
        program.insts[id as usize] = inst;
    }
}

/// Marks loops over any byte before the end.
fn mark_final_loops(program: &mut Program) {
    for id in reachable(&program.insts, program.start) {
        let Inst::Alt(out, second) = program.insts[id as usize] else { continue };
        let loops = |at: u32| program.insts[at as usize] == Inst::Byte(id, true);
        let ends = |mut at: u32| loop {
            match program.insts[at as usize] {
                Inst::Match => break true,
                Inst::Capture(next) | Inst::Nop(next) => at = next,
                Inst::Fail | Inst::Alt(..) | Inst::AltMatch(..) | Inst::Byte(..) | Inst::Look(_) => break false,
            }
        };
        if (loops(out) && ends(second)) || (ends(out) && loops(second)) {
            program.insts[id as usize] = Inst::AltMatch(out, second);
        }
    }
}

/// The lists, each by its first instruction.
struct Lists<'a> {
    /// The instructions.
    insts: &'a [Inst],
    /// The first instructions.
    roots: Vec<u32>,
    /// The same, by instruction.
    is_root: Vec<bool>,
}

impl<'a> Lists<'a> {
    /// A list begins behind every byte, and wherever two lists would run together.
    fn of(program: &'a Program) -> Self {
        let insts = program.insts.as_slice();
        let mut lists = Self { insts, roots: Vec::new(), is_root: vec![false; insts.len()] };
        for root in [0, program.unanchored, program.start] {
            lists.add(root);
        }
        let mut sources: Vec<Vec<u32>> = vec![Vec::new(); insts.len()];
        for id in reachable(insts, program.unanchored) {
            match insts[id as usize] {
                Inst::Alt(out, second) | Inst::AltMatch(out, second) => {
                    sources[out as usize].push(id);
                    sources[second as usize].push(id);
                }
                Inst::Byte(out, _) | Inst::Capture(out) | Inst::Look(out) => lists.add(out),
                Inst::Nop(_) | Inst::Fail | Inst::Match => {}
            }
        }
        let mut sorted = lists.roots.clone();
        sorted.sort_unstable();
        for root in sorted.into_iter().skip(1).rev() {
            if root != program.unanchored && root != program.start {
                let own: FxHashSet<u32> = FxHashSet::from_iter(lists.walk(root).0);
                let mut shared: Vec<u32> = own.iter().copied().collect();
                shared.retain(|id| sources[*id as usize].iter().any(|source| !own.contains(source)));
                shared.sort_unstable();
                for id in shared {
                    lists.add(id);
                }
            }
        }
        lists
    }

    /// Lets a list begin at an instruction.
    fn add(&mut self, id: u32) {
        if !std::mem::replace(&mut self.is_root[id as usize], true) {
            self.roots.push(id);
        }
    }

    /// The instructions that one reaches from a root without reading, other roots included but not passed; and
    /// how many remain in the list.
    fn walk(&self, root: u32) -> (Vec<u32>, usize) {
        let mut seen = FxHashSet::default();
        let mut order = Vec::new();
        let mut open = vec![root];
        let mut length = 0;
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            order.push(id);
            if id != root && self.is_root[id as usize] {
                length += 1;
                continue;
            }
            match self.insts[id as usize] {
                Inst::Alt(out, second) => open.extend([second, out]),
                Inst::AltMatch(out, second) => {
                    length += 1;
                    open.extend([second, out]);
                }
                Inst::Nop(out) => open.push(out),
                Inst::Byte(..) | Inst::Capture(_) | Inst::Look(_) | Inst::Match | Inst::Fail => length += 1,
            }
        }
        (order, length)
    }

    /// How many instructions the list of a root has.
    fn length(&self, root: u32) -> usize {
        self.walk(root).1
    }
}
