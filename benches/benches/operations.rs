//! Times every operation. One of them: `cargo bench -p countersign-benches -- accept/aes256`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn operations(criterion: &mut Criterion) {
    for prepared in countersign_benches::operations() {
        let (group, what) = prepared
            .name
            .split_once('/')
            .unwrap_or(("", &prepared.name));
        let mut group = criterion.benchmark_group(group);
        group.bench_function(what, |bencher| match prepared.operation() {
            Ok(mut operation) => bencher.iter(|| (operation.run)()),
            Err(problem) => eprintln!("{}: {problem}", prepared.name),
        });
        if prepared.name.contains("wrap") {
            group.throughput(Throughput::Elements(1));
        }
        group.finish();
    }
}

criterion_group!(benches, operations);
criterion_main!(benches);
