SELECT
  r.*,
  CASE
    WHEN r.status IN ('failed', 'degraded') THEN r.status
    WHEN r.ge_evaluated - r.ge_errored = 0 THEN 'unknown'
    ELSE 'healthy'
  END AS health
FROM runs AS r
JOIN (
  SELECT
    pipeline, run_id, emission_id,
    row_number() OVER (
      PARTITION BY pipeline, env ORDER BY ts DESC, run_id DESC, emission_id DESC
    ) AS place
  FROM runs
) AS n
  ON n.place = 1
  AND n.pipeline = r.pipeline AND n.run_id = r.run_id AND n.emission_id = r.emission_id
