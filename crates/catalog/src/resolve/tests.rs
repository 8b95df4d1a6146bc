//! Which evidence decides and which is disregarded, on synthetic checkpoints: for each rule a name of the typical kind,
//! none of which exists.

use super::Resolver;
use crate::gather::Gathered;
use crate::known::{Detail, Known};
use crate::observed::{Outside, Place};
use crate::tables::{ResolvedBy, Structure};

const LLAMA: &str = "LlamaForCausalLM";
const MISTRAL: &str = "MistralForCausalLM";
const MIXTRAL: &str = "MixtralForCausalLM";

fn exact(id: &str, class: &str, dimensions: [i64; 7], count: i64, day: i32) -> Known {
    Known {
        id: id.into(),
        architecture: Some(class.into()),
        uploaded: Some(day),
        structured: true,
        details: Detail {
            dimensions: dimensions.map(Some),
            parameters_total: Some(count),
            ..Detail::default()
        }
        .into(),
        ..Known::default()
    }
}

fn board(id: &str, class: &str, listed: f64, day: i32) -> Known {
    Known {
        id: id.into(),
        architecture: (!class.is_empty()).then(|| class.into()),
        listed_size: (listed > 0.0).then_some(listed),
        uploaded: Some(day),
        evaluated: true,
        measured: true,
        ..Known::default()
    }
}

fn made_from(base: &str, one: Known) -> Known {
    Known {
        base: Some(base.into()),
        ..one
    }
}

/// Resolves the checkpoints `asked` together with bases of four kinds.
fn resolved(asked: Vec<Known>) -> Vec<Structure> {
    beside_a_board(asked, &[])
}

/// As [`resolved`], with a board that counts the parameters and lists the vocabularies of some.
fn beside_a_board(asked: Vec<Known>, counts: &[(&str, f64, f64)]) -> Vec<Structure> {
    let wide = [32, 4096, 14_336, 32, 8];
    let of = |vocab: i64| {
        let [l, d, f, h, k] = wide;
        [l, d, f, h, k, vocab, 8192]
    };
    let mut known = vec![
        exact(
            "zoo/Tiger-7B",
            LLAMA,
            [32, 4096, 11_008, 32, 32, 32_000, 4096],
            6_738_415_616,
            300,
        ),
        exact("zoo/Puma-7B", MISTRAL, of(32_000), 7_241_732_096, 500),
        exact("zoo/Lion-8B", LLAMA, of(128_256), 8_030_261_248, 800),
        exact("zoo/Puma-8x7B", MIXTRAL, of(32_000), 46_702_792_704, 600),
    ];
    let first = known.len();
    known.extend(asked);
    let mut gathered = Gathered {
        sources: vec!["first.json".into(), "second.csv".into()],
        ..Gathered::default()
    };
    for &(id, parameters, vocabulary) in counts {
        let counted = Outside {
            id: id.to_owned(),
            parameters: Some(parameters),
            vocabulary: Some(vocabulary),
        };
        gathered.note_outside(&counted, Place::new(1, 7));
    }
    for one in known {
        gathered.known.push(one);
        gathered
            .index
            .add(&gathered.known, gathered.known.len() as u32 - 1);
    }
    for one in &mut gathered.known[..first] {
        one.details.dimension_places = [Place::new(1, 0); 7];
    }
    let resolver = Resolver::new(&gathered);
    (first..gathered.known.len())
        .map(|at| resolver.structure(at as u32).0)
        .collect()
}

fn one(asked: Known) -> Structure {
    resolved(vec![asked]).remove(0)
}

#[test]
fn half_or_twice_of_what_name_and_base_say_is_of_packed_weights() {
    for listed in [4.015, 16.061, 2.008] {
        let by_base = one(made_from(
            "zoo/Lion-8B",
            board("x/Cub-Doctor-8B", LLAMA, listed, 900),
        ));
        let by_name = one(board("x/Lion-8B-merged_16bit", LLAMA, listed, 900));
        for told in [by_base, by_name] {
            assert_eq!(
                (told.layers, told.vocab_size),
                (Some(32), Some(128_256)),
                "{told:?}"
            );
            assert!(
                told.size.is_some_and(|size| (size - 8.03).abs() < 0.01),
                "{told:?}"
            );
            let note = told.conflicts.unwrap_or_default();
            assert!(note.contains(&listed.to_string()), "{note}");
        }
    }
}

#[test]
fn a_listed_size_makes_no_layers() {
    // 16, 40 and 64 layers with known widths have these sizes, but no known checkpoint does.
    for listed in [4.54, 8.987, 15.01, 14.483] {
        let told = one(board("x/nameless", LLAMA, listed, 900));
        assert_eq!((told.resolved_by, told.layers), (ResolvedBy::None, None));
        let told = one(made_from("zoo/Puma-7B", board("x/cub", MISTRAL, listed, 900)));
        assert!(told.layers.is_none_or(|layers| layers == 32), "{told:?}");
    }
    let stack = one(made_from("zoo/Puma-7B", board("x/cub", MISTRAL, 8.987, 900)));
    assert_eq!(stack.resolved_by, ResolvedBy::None);
    let note = stack.conflicts.unwrap_or_default();
    assert!(note.contains("40 such layers"), "{note}");
}

#[test]
fn another_vocabulary_is_no_other_depth() {
    let told = one(made_from(
        "zoo/Lion-8B",
        board("x/Lynx-8B-Greek", LLAMA, 8.202, 900),
    ));
    assert_eq!(
        (told.layers, told.vocab_size, told.size),
        (Some(32), None, Some(8.202))
    );
    let note = told.conflicts.unwrap_or_default();
    assert!(note.contains("another vocabulary"), "{note}");
    // The base's own vocabulary, where the size equals the base's.
    let told = one(made_from("zoo/Lion-8B", board("x/Lynx-8B", LLAMA, 8.03, 900)));
    assert_eq!((told.vocab_size, told.conflicts), (Some(128_256), None));
}

#[test]
fn what_was_edited_inherits_nothing() {
    for (id, listed) in [
        ("x/Lion-8B-Minitron-4B-Depth", 4.54),
        ("x/Lion-8B-Minitron-4B-Width", 4.51),
        ("x/Lion-8B-pruned", 5.7),
        ("x/FrankenLion-8B-passthrough", 11.52),
        ("x/Lion-8B-40L", 9.78),
        ("x/Lion-8B-dpo-5.93B", 5.0),
        ("x/Lion-13B", 13.0),
    ] {
        let told = one(made_from("zoo/Lion-8B", board(id, LLAMA, listed, 900)));
        assert_eq!((told.resolved_by, told.layers), (ResolvedBy::None, None), "{id}");
    }
    // Weights within layers were changed, but not the layers: the count shows it.
    let told = one(made_from(
        "zoo/Lion-8B",
        board("x/Lion-8B-pruned-weights", LLAMA, 8.03, 900),
    ));
    assert_eq!(told.layers, Some(32));
}

#[test]
fn nothing_is_younger_than_its_checkpoint() {
    let told = one(board("x/Puma-7B-early", "", 7.0, 520));
    assert_eq!(
        (told.layers, told.vocab_size),
        (Some(32), Some(32_000)),
        "{told:?}"
    );
    let told = one(made_from("zoo/Lion-8B", board("x/cub", LLAMA, 8.03, 520)));
    assert_ne!(told.vocab_size, Some(128_256), "{told:?}");
    let note = told.conflicts.unwrap_or_default();
    assert!(note.contains("younger"), "{note}");
}

#[test]
fn a_dense_checkpoint_is_no_mixture_and_a_mixture_needs_its_size() {
    let dense = one(board("x/Puma-8x7B-into-one", MISTRAL, 7.242, 900));
    assert!(dense.size.is_some_and(|size| size < 8.0), "{dense:?}");
    let mixture = one(board("x/Puma-8x7B-tune", MIXTRAL, 46.703, 900));
    assert_eq!((mixture.layers, mixture.size), (Some(32), Some(46.703)));
    let wrong = one(board("x/Puma-8x7B-tune", MIXTRAL, 100.0, 900));
    assert_eq!(wrong.resolved_by, ResolvedBy::None);
}

#[test]
fn architecture_and_own_dimensions_veto_a_base() {
    let other = one(made_from(
        "zoo/Lion-8B",
        board("x/cub-8B", "CohereForCausalLM", 8.028, 900),
    ));
    assert_eq!(other.resolved_by, ResolvedBy::None);
    let mut shallow = made_from("zoo/Lion-8B", board("x/cub-8B", LLAMA, 8.03, 900));
    shallow.details.dimensions[0] = Some(30);
    let told = one(shallow);
    assert_eq!((told.resolved_by, told.layers), (ResolvedBy::None, Some(30)));
}

#[test]
fn of_few_known_structures_none_may_be_the_right_one() {
    let names = [
        ("bricks/great-model", "DbrxForCausalLM", 132.0),
        ("x/greesy-turbo", LLAMA, 8.5),
        ("x/smart-dan-sft", LLAMA, 0.379),
        ("x/Zebra-34b-code-instruct", "", 34.0),
        ("x/Zebra-8B-Instruct", LLAMA, 8.0),
        ("x/peft-20-merge", "", 20.318),
        ("x/Zebra-8x22B", MIXTRAL, 140.0),
    ];
    let asked = names.map(|(id, class, listed)| board(id, class, listed, 900));
    for told in resolved(asked.to_vec()) {
        assert_eq!(told.resolved_by, ResolvedBy::None, "{told:?}");
    }
}

#[test]
fn a_structure_names_the_files_its_numbers_came_from() {
    let told = one(made_from("zoo/Lion-8B", board("x/Lynx-8B", LLAMA, 8.03, 900)));
    assert_eq!(told.source.as_deref(), Some("second.csv: zoo/Lion-8B"));
    let mut own = exact("x/cub", LLAMA, [2, 64, 128, 4, 4, 100, 64], 1_000_000, 900);
    own.details.dimension_places = [1, 1, 1, 1, 0, 0, 1].map(|source| Place::new(source, 0));
    let told = one(own);
    assert_eq!(
        told.source.as_deref(),
        Some("second.csv; kv_heads, vocab_size of first.json")
    );
}

/// Dimensions of Qwen2.5-1.5B and Qwen2-7B: the small one has a tied head.
const SMALL: [i64; 7] = [28, 1536, 8960, 12, 2, 151_936, 32_768];
const QWEN: &str = "Qwen2ForCausalLM";

#[test]
fn a_count_tells_whether_the_head_is_the_embedding() {
    let counted = exact("zoo/Crane-1.5B", QWEN, SMALL, 1_543_714_304, 900);
    let mut alike = exact("x/Heron", QWEN, SMALL, 1, 900);
    alike.details.parameters_total = None;
    let told = resolved(vec![counted, alike]);
    assert_eq!(told[0].parameters_by_shape, Some(1_543_714_304));
    assert_eq!(told[0].tied_embeddings, Some(true));
    // Nothing else with the same blocks, shape and vocabulary is known.
    assert_eq!(told[1].parameters_by_shape, Some(1_543_714_304));
    assert_eq!(told[1].tied_embeddings, None);
    let apart = exact("zoo/Crane-1.8B", QWEN, SMALL, 1_777_088_000, 900);
    let told = one(apart);
    assert_eq!(told.parameters_by_shape, Some(1_777_088_000));
    assert_eq!(told.tied_embeddings, Some(false));
}

#[test]
fn layers_that_are_not_alike_have_no_formula_of_seven_dimensions() {
    let told = one(exact(
        "x/Fish-1.2B",
        "Lfm2ForCausalLM",
        [16, 2048, 8192, 32, 8, 65_536, 128_000],
        1_170_340_608,
        900,
    ));
    assert_eq!(told.parameters_by_shape, None);
}

#[test]
fn a_count_of_a_board_stands_for_what_only_a_name_tells() {
    let told = beside_a_board(
        vec![
            board("x/Yak-7b", "", 0.0, 900),
            board("x/Gnu-70b", "", 0.0, 900),
            board("x/Emu", "", 7.25, 900),
        ],
        &[
            ("x/Yak-7b", 7_536_586_752.0, 64_000.0),
            ("x/Gnu-70b", 7_000_000_000.0, 64_000.0),
            ("x/Emu", 7_536_586_752.0, 64_000.0),
        ],
    );
    let sizes: Vec<Option<f64>> = told.iter().map(|one| one.size).collect();
    // A tenth of the size in the name belongs to another checkpoint; a listed count is kept.
    assert_eq!(sizes, [Some(7.536_586_752), Some(70.0), Some(7.25)]);
}

#[test]
fn a_vocabulary_of_a_board_counts_where_its_own_count_proves_it() {
    let own = |parameters: f64, vocabulary: f64| {
        let mut one = exact("x/Ibex", LLAMA, [32, 4096, 14_336, 32, 8, 1, 8192], 1, 900);
        one.details.dimensions[5] = None;
        one.details.parameters_total = None;
        beside_a_board(vec![one], &[("x/Ibex", parameters, vocabulary)]).remove(0)
    };
    // 32 layers of 218,112,000 parameters, a norm, and two tables with 60,000 rows.
    let proved = own(7_471_108_096.0, 60_000.0);
    assert_eq!(proved.vocab_size, Some(60_000));
    assert_eq!(proved.parameters_by_shape, Some(7_471_108_096));
    assert_ne!(own(8_030_261_248.0, 60_000.0).vocab_size, Some(60_000));
}

#[test]
fn experts_are_as_many_as_the_name_says() {
    let told = resolved(vec![
        board("x/Lynx-2x7B", MIXTRAL, 12.88, 900),
        board("x/Lynx-8x7B", MIXTRAL, 46.7, 900),
    ]);
    let found: Vec<_> = told
        .iter()
        .map(|one| (one.experts, one.parameters_by_shape))
        .collect();
    // Two experts of 176,160,768 parameters per layer beside attention, norms and router, and two tables.
    assert_eq!(found[0], (Some(2), Some(12_879_138_816)));
    assert_eq!(found[1].0, Some(8));
    assert!(told[0].size.is_some_and(|size| (size - 12.88).abs() < 0.01));
}
