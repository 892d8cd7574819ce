"""The SLA calculator."""

from typing import Any

from flask import request

from contracts.clock import calculation
from contracts.clock.calculation import CalculationInvalid
from msp.api.blueprint import bp
from msp.api.schemas.calculations import EXAMPLE, CalculationIn, CalculationOut
from msp.web.access import require
from tenants.foundation.errors import InvalidMany
from tenants.foundation.permissions import Permission


@bp.post("/sla/calculations")
@require(Permission.CALCULATE_SLA)
@bp.input(CalculationIn, location="json", validation=False, example=EXAMPLE)
@bp.output(CalculationOut)
@bp.doc(tags=["SLA"])
def calculate_sla(json_data: Any) -> Any:
    """Calculate a clock: what counted, what is due, met or missed. Pure: stores nothing."""
    try:
        return calculation.answer(calculation.parse(request.get_json()))
    except CalculationInvalid as wrong:
        raise InvalidMany(wrong.errors) from wrong
