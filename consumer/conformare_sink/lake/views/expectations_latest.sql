SELECT r.env, e.*
FROM runs_latest AS r
JOIN expectations AS e
  ON e.pipeline = r.pipeline AND e.run_id = r.run_id AND e.emission_id = r.emission_id
