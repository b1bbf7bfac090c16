# Databricks notebook source
# MAGIC %pip install conformare-stream

# COMMAND ----------
import conformare as cf

cf.configure_store()  # environment variables of the cluster
cf.store.clear()  # the process outlives the notebook's runs
cf.reset_context()
cf.trackSpark()

# COMMAND ----------
folder = dbutils.widgets.get("folder")
with cf.describe("Orders per day", definition_owner="Sales"):
    orders = spark.read.csv(f"{folder}/orders.csv", header=True)
    daily = orders.groupBy("day").count()
    daily.write.mode("overwrite").parquet(f"{folder}/daily")

# COMMAND ----------
cf.record_run(
    "daily_orders",
    # A job passes {{job.run_id}} and {{task.execution_count}}; by hand, each run is a new one.
    run_id=dbutils.widgets.get("run_id"),
    tags={"notebook": "daily_orders"},
)
cf.flush(60)
