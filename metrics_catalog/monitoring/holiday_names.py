"""Chinese names of holidays that the calendar package names only in other languages."""

from __future__ import annotations

_NAMES = {
    "New Year's Day": "元旦",
    "New Year's Eve": "新年前夜",
    "Martin Luther King Jr. Day": "马丁·路德·金纪念日",
    "Washington's Birthday": "总统日",
    "Good Friday": "耶稣受难日",
    "Easter Monday": "复活节星期一",
    "Easter Sunday": "复活节",
    "May Day": "五月银行假日",
    "Labour Day": "劳动节",
    "Spring Bank Holiday": "春季银行假日",
    "Summer Bank Holiday": "夏季银行假日",
    "Late Summer Bank Holiday": "夏季银行假日",
    "Memorial Day": "阵亡将士纪念日",
    "Juneteenth National Independence Day": "六月节",
    "Independence Day": "独立日",
    "Labor Day": "劳动节",
    "Columbus Day": "哥伦布日",
    "Veterans Day": "退伍军人节",
    "Thanksgiving": "感恩节",
    "Thanksgiving Day": "感恩节",
    "Christmas Eve": "平安夜",
    "Christmas Day": "圣诞节",
    "Boxing Day": "节礼日",
}
_OBSERVED = " (observed)"


def chinese(name: str) -> str:
    """The Chinese name; one that is not known stays as it is."""
    plain = name.removesuffix(_OBSERVED)
    found = "、".join(_NAMES.get(one, one) for one in plain.split("; "))
    return f"{found}（补假）" if name.endswith(_OBSERVED) else found
