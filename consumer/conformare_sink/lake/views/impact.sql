WITH ends AS (
  SELECT r.pipeline, r.env, true AS writes, array(s.location) AS locations
  FROM runs_latest AS r
  JOIN sinks AS s
    ON s.pipeline = r.pipeline AND s.run_id = r.run_id AND s.emission_id = r.emission_id
  UNION ALL
  -- A read of several tables names them in a row.
  SELECT r.pipeline, r.env, false, array_union(array(s.location), split(s.location, ', '))
  FROM runs_latest AS r
  JOIN sources AS s
    ON s.pipeline = r.pipeline AND s.run_id = r.run_id AND s.emission_id = r.emission_id
),
spelled AS (
  SELECT
    pipeline, env, writes,
    -- Before the last slashes, if anything is.
    regexp_replace(trimmed, '(?<=[^/\\\\])[/\\\\]+$', '') AS location
  FROM (
    SELECT pipeline, env, writes, regexp_replace(one, '^[ \t\n\r]+|[ \t\n\r]+$', '') AS trimmed
    FROM ends LATERAL VIEW explode(locations) parts AS one
  )
  -- (memory) and (unknown) are no places.
  WHERE trimmed NOT LIKE '(%)'
),
taken_apart AS (
  SELECT
    *,
    lower(regexp_extract(location, '^([A-Za-z][A-Za-z0-9+.-]*):', 1)) AS scheme,
    regexp_extract(location, '^[A-Za-z][A-Za-z0-9+.-]*:(//[^/]*)', 1) AS host,
    regexp_replace(location, '^[A-Za-z][A-Za-z0-9+.-]*:(//[^/]*)?', '') AS path
  FROM spelled
),
places AS (
  SELECT DISTINCT
    pipeline, env, writes,
    CASE
      -- Names of tables, which Spark takes in any case.
      WHEN scheme = '' AND NOT location RLIKE '[/\\\\]' THEN lower(replace(location, '`', ''))
      WHEN scheme = '' THEN location
      WHEN scheme = 'file' THEN if(path = '', '/', path)
      ELSE concat(
        CASE scheme
          WHEN 's3a' THEN 's3' WHEN 's3n' THEN 's3' WHEN 'abfss' THEN 'abfs' WHEN 'wasbs' THEN 'wasb'
          ELSE scheme
        END,
        ':', lower(host), path
      )
    END AS location
  FROM taken_apart
)
SELECT
  w.pipeline AS from_pipeline, w.env AS from_env,
  location,
  r.pipeline AS to_pipeline, r.env AS to_env
FROM (SELECT * FROM places WHERE writes) AS w
JOIN (SELECT * FROM places WHERE NOT writes) AS r USING (location)
