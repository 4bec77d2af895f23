from __future__ import annotations

from orchestration.transform.lineage import column_lineage

PARENTS = {("staging", "lines"): "model.lines", ("clean", "商品"): "source.products"}
COLUMNS = {
    ("staging", "lines"): {
        "line_id": "BIGINT",
        "product_id": "BIGINT",
        "amount": "DECIMAL(18,2)",
        "discount": "DECIMAL(18,2)",
    },
    ("clean", "商品"): {"product_id": "BIGINT", "品名": "VARCHAR"},
}


def test_columns_are_followed_through_ctes_joins_and_stars() -> None:
    sql = """
        with lines as (select * from "w"."staging"."lines"),
        named as (select product_id, "品名" as product_name from "w"."clean"."商品"),
        final as (
            select lines.*, named.product_name, amount + discount as gross, 1 as one
            from lines left join named using (product_id)
        )
        select line_id, product_name, gross, one from final
    """
    assert column_lineage(sql, PARENTS, COLUMNS) == {
        "line_id": (("model.lines", "line_id"),),
        "product_name": (("source.products", "品名"),),
        "gross": (("model.lines", "amount"), ("model.lines", "discount")),
        "one": (),
    }


def test_sql_it_cannot_follow_has_no_lineage() -> None:
    assert column_lineage("select ((", PARENTS, COLUMNS) == {}
    assert column_lineage("copy x to 'y'", PARENTS, COLUMNS) == {}
