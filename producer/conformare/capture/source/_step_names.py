"""Methods of a frame that are steps, and may stand within the call of another."""

STEPS = """
    alias filter where dropDuplicates drop_duplicates dropDuplicatesWithinWatermark distinct
    fillna dropna replace union unionAll intersect intersectAll exceptAll subtract orderBy sort
    sortWithinPartitions limit offset sample sampleBy randomSplit repartition repartitionByRange
    repartitionById coalesce hint checkpoint localCheckpoint withWatermark observe
    select selectExpr withColumn withColumns withColumnRenamed withColumnsRenamed withMetadata
    toDF to toJSON join crossJoin lateralJoin drop unionByName unpivot melt transpose describe
    summary crosstab freqItems mapInPandas mapInArrow
"""
