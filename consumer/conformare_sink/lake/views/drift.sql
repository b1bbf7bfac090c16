WITH prints AS (
  SELECT
    r.pipeline, r.env, c.context_label, r.ts, r.run_id, r.emission_id, r.git_sha,
    array_join(array_sort(collect_set(c.impl_hash)), '+') AS impl_hash,
    array_join(array_sort(collect_set(c.risk_hash)), '+') AS risk_hash,
    bool_or(c.has_risks) AS has_risks,
    array_sort(array_distinct(flatten(collect_list(c.risk_ids)))) AS risk_ids
  FROM runs AS r
  JOIN contexts AS c
    ON c.pipeline = r.pipeline AND c.run_id = r.run_id AND c.emission_id = r.emission_id
  GROUP BY r.pipeline, r.env, c.context_label, r.ts, r.run_id, r.emission_id, r.git_sha
),
steps AS (
  SELECT
    *,
    lag(run_id) OVER history AS from_run,
    lag(ts) OVER history AS from_ts,
    lag(impl_hash) OVER history AS from_impl_hash,
    lag(risk_hash) OVER history AS from_risk_hash
  FROM prints
  WINDOW history AS (
    PARTITION BY pipeline, env, context_label ORDER BY ts, run_id, emission_id
  )
),
reviews AS (
  SELECT
    *,
    count_if(risk_hash <> from_risk_hash) OVER (
      PARTITION BY pipeline, env, context_label ORDER BY ts, run_id, emission_id
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS risk_changes,
    count_if(risk_hash <> from_risk_hash) OVER (
      PARTITION BY pipeline, env, context_label
    ) AS all_risk_changes
  FROM steps
),
drifts AS (
  SELECT * FROM reviews WHERE impl_hash <> from_impl_hash AND risk_hash = from_risk_hash
)
SELECT
  d.pipeline, d.env, d.context_label,
  d.from_run, d.run_id AS to_run, d.from_ts, d.ts AS to_ts,
  d.from_impl_hash, d.impl_hash AS to_impl_hash,
  d.risk_hash, d.has_risks, d.risk_ids, d.git_sha,
  array_sort(collect_set(o.owner)) AS owners,
  d.risk_changes = d.all_risk_changes AND count(a.run_id) = 0 AS open
FROM drifts AS d
LEFT JOIN owners AS o
  ON o.pipeline = d.pipeline AND o.run_id = d.run_id AND o.emission_id = d.emission_id
  AND o.scope = 'context' AND o.ref = d.context_label
LEFT JOIN acknowledgements AS a
  ON a.pipeline = d.pipeline AND a.run_id = d.run_id AND a.context_label = d.context_label
GROUP BY
  d.pipeline, d.env, d.context_label, d.from_run, d.run_id, d.from_ts, d.ts, d.from_impl_hash,
  d.impl_hash, d.risk_hash, d.has_risks, d.risk_ids, d.git_sha, d.risk_changes, d.all_risk_changes,
  d.emission_id
