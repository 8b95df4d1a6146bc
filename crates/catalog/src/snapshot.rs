//! The tables compiled into the program, made by [`crate::build()`].

macro_rules! snapshot {
    ($($file:literal),*) => {
        /// The compiled-in snapshot: file names and bytes. One copy of it: a constant is written into each crate that reads it.
        pub(crate) static SNAPSHOT: &[(&str, &[u8])] =
            &[$(($file, include_bytes!(concat!("../snapshot/", $file)))),*];
    };
}
snapshot!(
    "manifest.json",
    "checkpoints.parquet",
    "structures.parquet",
    "provenance.parquet",
    "evaluations.parquet",
    "scores.parquet",
    "items.parquet",
    "interventions.parquet",
    "rejects.parquet",
    "conflicts.parquet",
    "duplicates.parquet",
    "resolution.parquet"
);
