"""What we use of Great Expectations, imported once and cheaply. Everything else in this package imports it from here.

Great Expectations imports altair and scipy.stats for its charts and its distribution tests only. We need neither, and
together they are a third of its import time (``tests/benchmarks/bench_expectations.py`` prints both figures), so
they are put off until somebody really asks for them.
"""

from __future__ import annotations

import logging

from pydantic.v1 import ValidationError  # Great Expectations' models are of that generation

from expectations.gx.deferred import deferred

with deferred("altair", "scipy.stats"):
    import great_expectations as gx
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.datasource.fluent.interfaces import Batch
    from great_expectations.datasource.fluent.sql_datasource import SQLDatasource
    from great_expectations.exceptions.exceptions import MetricProviderError
    from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
    from great_expectations.expectations.expectation import Expectation
    from great_expectations.expectations.metrics.map_metric_provider.column_condition_partial import (
        column_condition_partial,
    )
    from great_expectations.expectations.metrics.map_metric_provider.column_map_metric_provider import (
        ColumnMapMetricProvider,
    )
    from great_expectations.expectations.registry import (
        get_expectation_impl,
        get_metric_kwargs,
        get_metric_provider,
        list_registered_expectation_implementations,
    )
    from great_expectations.validator.metric_configuration import MetricConfiguration, MetricConfigurationID

__all__ = [
    "Batch",
    "ColumnMapMetricProvider",
    "EphemeralDataContext",
    "Expectation",
    "MetricConfiguration",
    "MetricConfigurationID",
    "MetricProviderError",
    "ProgressBarsConfig",
    "SQLDatasource",
    "SqlAlchemyExecutionEngine",
    "ValidationError",
    "column_condition_partial",
    "get_expectation_impl",
    "get_metric_kwargs",
    "get_metric_provider",
    "gx",
    "list_registered_expectation_implementations",
]

# It tells of its own temporary folders, at a level it sets itself; what it finds reaches people through results.
logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
