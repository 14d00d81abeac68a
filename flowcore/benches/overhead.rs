//! What a tracked run costs beside the bare thing: `cargo bench -p flowcore --bench overhead`.
//!
//! Each group has its baseline in the same process: tokio's spawn and await for async runs, rayon's spawn with a oneshot channel
//! for sync ones. Compare medians within a group; a machine's noise moves all of them.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use tokio::runtime::Runtime;

fn main() {
    // What the engine costs, without a record of it.
    let mut settings = flowcore::Settings::from_env();
    settings.database_url.get_or_insert_with(|| "none:".to_owned());
    settings.install().unwrap();
    divan::main();
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// 10,000 async leaves started, then awaited.
#[divan::bench_group(sample_count = 40, sample_size = 1)]
mod fan_out {
    use super::{Bencher, ItemsCount, black_box, runtime};
    use flowcore::prelude::*;

    const N: u64 = 10_000;

    #[task]
    async fn leaf(x: u64) -> u64 {
        x + 1
    }

    #[flow]
    async fn all() -> flowcore::Result<u64> {
        let runs: Vec<_> = (0..N).map(|x| leaf.submit(x)).collect();
        let mut sum = 0;
        for run in runs {
            sum += run.await?;
        }
        Ok(sum)
    }

    async fn bare_leaf(x: u64) -> u64 {
        x + 1
    }

    #[divan::bench]
    fn bare_tokio(bencher: Bencher<'_, '_>) {
        let runtime = runtime();
        bencher.counter(ItemsCount::new(N)).bench(|| {
            runtime.block_on(async {
                let body = tokio::spawn(async {
                    let runs: Vec<_> = (0..N).map(|x| tokio::spawn(bare_leaf(black_box(x)))).collect();
                    let mut sum = 0;
                    for run in runs {
                        sum += run.await.unwrap();
                    }
                    sum
                });
                body.await.unwrap()
            })
        });
    }

    #[divan::bench]
    fn flowcore(bencher: Bencher<'_, '_>) {
        let runtime = runtime();
        bencher
            .counter(ItemsCount::new(N))
            .bench(|| runtime.block_on(async { all().await.unwrap() }));
    }
}

/// A binary tree of async runs, each awaiting its two children.
#[divan::bench_group(sample_count = 40, sample_size = 1)]
mod tree {
    use std::future::Future;
    use std::pin::Pin;

    use super::{Bencher, ItemsCount, runtime};
    use flowcore::prelude::*;

    const DEPTH: u32 = 13;
    const N: u64 = (1 << (DEPTH + 1)) - 1;

    #[flow]
    async fn node(depth: u32) -> flowcore::Result<u64> {
        if depth == 0 {
            return Ok(1);
        }
        let (left, right) = (node.submit(depth - 1), node.submit(depth - 1));
        Ok(left.await? + right.await? + 1)
    }

    fn bare(depth: u32) -> Pin<Box<dyn Future<Output = u64> + Send>> {
        Box::pin(async move {
            if depth == 0 {
                return 1;
            }
            let (left, right) = (tokio::spawn(bare(depth - 1)), tokio::spawn(bare(depth - 1)));
            left.await.unwrap() + right.await.unwrap() + 1
        })
    }

    #[divan::bench]
    fn bare_tokio(bencher: Bencher<'_, '_>) {
        let runtime = runtime();
        bencher
            .counter(ItemsCount::new(N))
            .bench(|| runtime.block_on(async { tokio::spawn(bare(DEPTH)).await.unwrap() }));
    }

    #[divan::bench]
    fn flowcore(bencher: Bencher<'_, '_>) {
        let runtime = runtime();
        bencher
            .counter(ItemsCount::new(N))
            .bench(|| runtime.block_on(async { node(DEPTH).await.unwrap() }));
    }
}

/// 10,000 sync leaves started, then waited for.
#[divan::bench_group(sample_count = 40, sample_size = 1)]
mod sync_tasks {
    use super::{Bencher, ItemsCount, black_box};
    use flowcore::prelude::*;
    use tokio::sync::oneshot;

    const N: u64 = 10_000;

    #[task]
    fn leaf(x: u64) -> u64 {
        x + 1
    }

    #[flow]
    fn all() -> flowcore::Result<u64> {
        let runs: Vec<_> = (0..N).map(|x| leaf.submit(x)).collect();
        let mut sum = 0;
        for run in runs {
            sum += run.result()?;
        }
        Ok(sum)
    }

    #[divan::bench]
    fn bare_rayon(bencher: Bencher<'_, '_>) {
        bencher.counter(ItemsCount::new(N)).bench(|| {
            let runs: Vec<_> = (0..N)
                .map(|x| {
                    let (sender, receiver) = oneshot::channel();
                    rayon::spawn(move || {
                        let _ = sender.send(black_box(x) + 1);
                    });
                    receiver
                })
                .collect();
            let mut sum = 0;
            for run in runs {
                sum += run.blocking_recv().unwrap();
            }
            sum
        });
    }

    #[divan::bench]
    fn flowcore(bencher: Bencher<'_, '_>) {
        bencher.counter(ItemsCount::new(N)).bench(|| all().unwrap());
    }
}

/// One run after the other, each a direct call.
#[divan::bench_group(sample_count = 40, sample_size = 1)]
mod direct_calls {
    use super::{Bencher, ItemsCount, black_box, runtime};
    use flowcore::prelude::*;

    const N: u64 = 10_000;

    #[task]
    fn sync_leaf(x: u64) -> u64 {
        x + 1
    }

    #[task]
    async fn async_leaf(x: u64) -> u64 {
        x + 1
    }

    #[flow]
    fn all_sync() -> flowcore::Result<u64> {
        let mut sum = 0;
        for x in 0..N {
            sum += sync_leaf(x)?;
        }
        Ok(sum)
    }

    #[flow]
    async fn all_async() -> flowcore::Result<u64> {
        let mut sum = 0;
        for x in 0..N {
            sum += async_leaf(x).await?;
        }
        Ok(sum)
    }

    #[divan::bench]
    fn bare_tokio(bencher: Bencher<'_, '_>) {
        let runtime = runtime();
        bencher.counter(ItemsCount::new(N)).bench(|| {
            runtime.block_on(async {
                let body = tokio::spawn(async {
                    let mut sum = 0;
                    for x in 0..N {
                        sum += tokio::spawn(async move { black_box(x) + 1 }).await.unwrap();
                    }
                    sum
                });
                body.await.unwrap()
            })
        });
    }

    #[divan::bench]
    fn flowcore_sync(bencher: Bencher<'_, '_>) {
        bencher.counter(ItemsCount::new(N)).bench(|| all_sync().unwrap());
    }

    #[divan::bench]
    fn flowcore_async(bencher: Bencher<'_, '_>) {
        let runtime = runtime();
        bencher
            .counter(ItemsCount::new(N))
            .bench(|| runtime.block_on(async { all_async().await.unwrap() }));
    }
}
