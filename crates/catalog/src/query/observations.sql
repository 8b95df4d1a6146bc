create view observations as
select
  scores.evaluation, scores.id, scores.leaderboard, scores.benchmark, scores.value, scores.unit,
  scores.precision, scores.shots, scores.setting, scores.date as evaluated,
  structures.size, structures.d_model, structures.d_ffn, structures.heads, structures.layers,
  structures.kv_heads, structures.vocab_size, structures.pos, structures.date, structures.resolved_by,
  evaluations.kind, evaluations.merged, evaluations.flagged, evaluations.chat_template,
  evaluations.official_provider, evaluations.listed_size, evaluations.co2, evaluations.duplicate_of,
  checkpoints.organisation, checkpoints.architecture, checkpoints.is_moe, checkpoints.is_multimodal,
  checkpoints.base, checkpoints.likes, checkpoints.downloads, checkpoints.license,
  checkpoints.parameters_total, checkpoints.parameters_active, checkpoints.training_tokens
from scores
left join evaluations on scores.evaluation = evaluations.evaluation
left join structures on scores.id = structures.id
left join checkpoints on scores.id = checkpoints.id
