from __future__ import annotations

import duckdb
import sqlalchemy as sa

from expectations.gx.engine import opened, whole_numbers


def test_it_reads_times_as_the_pipeline_does() -> None:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'Asia/Shanghai'")
        with opened(con) as datasource, datasource.get_engine().connect() as connection:
            assert connection.execute(sa.text("SELECT current_setting('TimeZone')")).scalar() == "Asia/Shanghai"


def test_the_connection_is_released(tmp_path: object) -> None:
    path = f"{tmp_path}/warehouse.duckdb"
    con = duckdb.connect(path)
    with opened(con) as datasource:
        datasource.get_execution_engine().execute_query(sa.text("SELECT 1"))
    con.close()
    # Another configuration is refused as long as any connection of the process is open.
    duckdb.connect(path, config={"memory_limit": "100MB"}).close()


def test_whole_numbers_stay_whole() -> None:
    assert [repr(value) for value in whole_numbers([1.0, 0.5, "1.0", True, None, 3])] == [
        "1", "0.5", "'1.0'", "True", "None", "3",
    ]  # fmt: skip
