//! The columns of every table: the contract people write SQL on.

use crate::schema::table;
use crate::tables::{
    Accuracy, Checkpoint, Conflict, Duplicate, Evaluation, Intervention, Item, Reject, Score, Source,
    Structure,
};

table!(Checkpoint, "checkpoints", {
    id: Text "" "org/name, as the Hub spells it",
    revision: Text "" "commit hash of the weights",
    organisation: Text "" "the part of id before the slash",
    architecture: Text "" "class name of the config, e.g. LlamaForCausalLM",
    model_type: Text "" "model_type of the config, e.g. llama",
    created_at: Millis "UTC" "first published; the Hub's floor 2022-03-02T23:29:04Z means unknown and is null",
    last_modified: Millis "UTC" "last change of the repository",
    likes: Int "count" "likes on the Hub",
    downloads: Int "count" "downloads on the Hub in the source's window",
    license: Text "" "licence as the Hub names it",
    is_moe: Bool "" "a mixture of experts",
    is_multimodal: Bool "" "takes more than text",
    has_chat_template: Bool "" "was evaluated with, or ships, a chat template",
    merged: Bool "" "made by merging other checkpoints, by a leaderboard's flag or type, else by name",
    quantized: Bool "" "stored with fewer bits per weight, by config, tags or name",
    adapter: Bool "" "only an adapter to a base, by weight type or name",
    flagged: Bool "" "flagged by a leaderboard, itself or an ancestor",
    flagged_by: Text "" "the flagged ancestor where the flag was inherited",
    base: Text "" "the checkpoint this one was made from",
    base_relation: Text "" "finetune, merge, quantized, adapter, or declared",
    parameters_total: Int "count" "all parameters",
    parameters_active: Int "count" "parameters used for one token",
    training_tokens: Int "count" "tokens of text seen in pre-training, as other works noted it",
    training: Text "" "what made it: pretrained, continued, fine-tuned, chat, merge, surgery, quantized or adapter",
    training_by: Text "" "what that label rests on",
});

table!(Structure, "structures", {
    id: Text "" "org/name",
    size: Float "billions of parameters" "best known number of parameters",
    d_model: Int "count" "width of the residual stream",
    d_ffn: Int "count" "width of the feed-forward layer, of one expert where there are several",
    heads: Int "count" "attention heads",
    layers: Int "count" "decoder layers",
    kv_heads: Int "count" "key and value heads",
    vocab_size: Int "count" "entries of the vocabulary",
    pos: Int "tokens" "maximum input positions",
    date: Day "days since 1970-01-01" "day of publication",
    date_by: Text "" "what the date is: upload, stated, created or submitted",
    resolved_by: Text "" "exact, lineage, name, size or none",
    source: Text "" "the source, and for the indirect ways the checkpoint it was taken from",
    conflicts: Text "" "what disagreed on the way, or the candidates where it stayed ambiguous",
});

table!(Evaluation, "evaluations", {
    evaluation: Text "" "key: leaderboard, slash, row number in the source from 0",
    leaderboard: Text "" "e.g. open-llm-leaderboard-v2",
    id: Text "" "org/name",
    revision: Text "" "commit hash of the evaluated weights",
    precision: Text "" "number format of the weights in the run",
    weight_type: Text "" "Original, Adapter or Delta",
    kind: Text "" "kind of checkpoint in plain words",
    architecture: Text "" "architecture as the leaderboard prints it",
    listed_size: Float "billions of parameters" "size as the leaderboard prints it, 0 and -1 included",
    likes: Int "count" "likes when the table was made",
    merged: Bool "" "made by merging",
    moe: Bool "" "a mixture of experts",
    flagged: Bool "" "flagged",
    chat_template: Bool "" "evaluated with its chat template",
    official_provider: Bool "" "published by an official provider",
    co2: Float "kg CO2" "emissions of the run",
    license: Text "" "licence",
    uploaded: Day "days since 1970-01-01" "day the checkpoint was put on the Hub",
    submitted: Day "days since 1970-01-01" "day the evaluation was asked for",
    generation: Int "count" "steps from the base, as the leaderboard counts them",
    base: Text "" "base checkpoint as the leaderboard prints it",
    average: Float "points" "mean of the leaderboard's benchmarks, as printed",
    duplicate_of: Text "" "the evaluation this row repeats",
});

table!(Score, "scores", {
    evaluation: Text "" "the evaluation it belongs to",
    id: Text "" "org/name",
    leaderboard: Text "" "e.g. open-llm-leaderboard-v2",
    version: Text "" "version of the leaderboard's table",
    benchmark: Text "" "arc, hellaswag, mmlu_pro ...",
    value: Float "see unit" "the score",
    unit: Text "" "points (0 to 100), tokens/s, MB ...",
    metric: Text "" "what was counted: acc, acc_norm, exact_match, pass@1 ...",
    scale: Text "" "raw as the metric gives it, or normalised: 0 at chance, 100 at best",
    precision: Text "" "number format of the weights in the run",
    shots: Int "count" "few-shot examples in the prompt",
    chat_template: Bool "" "chat template applied",
    setting: Text "" "everything else of the setting that makes values comparable or not",
    date: Day "days since 1970-01-01" "day of the evaluation or submission",
    snapshot: Text "" "first 16 hexadecimal digits of the source's SHA-256",
});

table!(Item, "items", {
    id: Text "" "org/name",
    benchmark: Text "" "name of the benchmark",
    item: Text "" "the item's number or key in the benchmark",
    correct: Bool "" "answered correctly",
    score: Float "fraction" "the item's metric, 0 to 1 where it is one",
    metric: Text "" "name of that metric",
    loglikelihood: Float "nats" "log-likelihood of the target choice",
    source: Text "" "the file it was read from",
});

table!(Intervention, "interventions", {
    suite: Text "" "the suite or work: gemstones, minitron",
    pair_or_run: Text "" "the run of a suite, or the pair that is compared",
    id: Text "" "the checkpoint of that run, or the side of the pair",
    source: Text "" "where it was published",
    licence: Text "" "licence of the source",
    dimension: Text "" "what was changed: layers, d_model",
    held_fixed: Text "" "what was held fixed: params_total, params_nonembedding, flops_token, tokens, or only the parent",
    n_body: Int "count" "parameters without embeddings",
    n_embedding: Int "count" "parameters of the embeddings",
    flops_token: Float "operations" "operations of one token forwards, without attention scores",
    layers: Int "count" "decoder layers",
    d_model: Int "count" "width of the residual stream",
    d_ffn: Int "count" "width of the feed-forward layer",
    heads: Int "count" "attention heads",
    kv_heads: Int "count" "key and value heads",
    experts: Int "count" "experts of a layer",
    tokens: Int "count" "tokens seen",
    step: Int "count" "training step",
    benchmark: Text "" "name of the benchmark",
    ability: Text "" "what the benchmark asks for",
    score: Float "points" "score",
    stderr: Float "points" "its standard error over items",
});

table!(Reject, "rejects", {
    source: Text "" "path of the source under the sources folder",
    row: Int "count" "row in the source from 0",
    field: Text "" "the field at fault, empty where the whole row is",
    raw: Text "" "the value as it stood there, cut after 200 characters",
    reason: Text "" "a stated rule's name and what it found",
    whole_row: Bool "" "true where the whole row was left out, false where only the field was",
});

table!(Conflict, "conflicts", {
    id: Text "" "org/name",
    field: Text "" "the column they disagree on",
    kept: Text "" "what was kept",
    kept_source: Text "" "the source of kept",
    other: Text "" "what was not",
    other_source: Text "" "the source of other",
    rule: Text "" "the rule that decided",
});

table!(Duplicate, "duplicates", {
    evaluation: Text "" "the repeat",
    id: Text "" "its checkpoint",
    kept: Text "" "the evaluation that stands for both",
    kept_id: Text "" "that one's checkpoint",
    rule: Text "" "same_checkpoint or same_scores",
});

table!(Accuracy, "resolution", {
    scope: Text "" "whose structures were held out: evaluated, all, those of one kind; or compared with counts from outside",
    way: Text "" "lineage, name, size, or all ways together in their order",
    held_out: Int "count" "checkpoints whose own config is known, left out one at a time",
    answered: Int "count" "of those, how many this way resolved",
    right: Int "count" "of those, how many equal in layers, d_model, d_ffn and heads",
    right_layers: Int "count" "equal in layers",
    right_d_model: Int "count" "equal in d_model",
    right_d_ffn: Int "count" "equal in d_ffn",
    right_heads: Int "count" "equal in heads",
});

table!(Source, "sources", {
    path: Text "" "path under the sources folder",
    name: Text "" "what it is, e.g. open-llm-leaderboard-v2",
    address: Text "" "where it was published",
    revision: Text "" "revision, commit or date of the copy",
    sha256: Text "" "SHA-256 of the bytes, hexadecimal",
    bytes: Int "bytes" "length",
    rows_in: Int "count" "rows read",
    kept: Int "count" "rows that a table holds",
    rejected: Int "count" "rows left out whole",
    duplicates: Int "count" "rows kept but marked as repeats of another",
});
