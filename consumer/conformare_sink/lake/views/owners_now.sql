SELECT o.owner, r.pipeline, r.env, o.scope, o.ref, o.role
FROM runs_latest AS r
JOIN owners AS o
  ON o.pipeline = r.pipeline AND o.run_id = r.run_id AND o.emission_id = r.emission_id
