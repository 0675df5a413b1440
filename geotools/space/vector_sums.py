"""Sums of the values that lie side by side: the innermost loop of `row_kernels`.

Segments are short, so that what a loop leaves over behind its last whole vector took more time than all
before. Here the last vector is a whole one as well, of which only the first values count.
"""
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import models, register_model

from geotools.space.compiled import kernel
from geotools.space.lanes import as_double, instruction

# Values that are taken at once: the 32-bit ones of a register of AVX-512.
WIDE = 16
_NUMBERS = ir.VectorType(ir.DoubleType(), WIDE)
_INDEX = ir.IntType(32)
_LINE_BITS = 512


class PartialSumsType(types.Type):
    """Sums of every sixteenth value."""

    def __init__(self) -> None:
        super().__init__("PartialSums")


PARTIAL_SUMS = PartialSumsType()


@register_model(PartialSumsType)
class _PartialSumsModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _NUMBERS)


@instruction
def _nothing(typing: Any) -> Any:
    return PARTIAL_SUMS(), lambda context, builder, signature, arguments: ir.Constant(_NUMBERS, None)


def _add_known(
    context: Any, builder: Any, signature: Any, sums: Any, array: Any, at: Any, counted: Any = None
) -> Any:
    """Write instructions that add the values [WIDE] from `at` on that count and are not NaN; and count these."""
    kind = signature.args[1]
    data = context.make_array(kind)(context, builder, array).data
    values = ir.VectorType(context.get_data_type(kind.dtype), WIDE)
    place = builder.bitcast(builder.gep(data, [at]), values.as_pointer())
    found = builder.load(place, align=kind.dtype.bitwidth // 8)
    known = counted or ir.Constant(ir.VectorType(ir.IntType(1), WIDE), [1] * WIDE)
    if isinstance(kind.dtype, types.Float):
        known = builder.and_(known, builder.fcmp_ordered("ord", found, found))
    numbers = as_double(builder, found, kind.dtype, _NUMBERS)
    sums = builder.fadd(sums, builder.select(known, numbers, ir.Constant(_NUMBERS, None)))
    bits = builder.ctpop(builder.bitcast(known, ir.IntType(WIDE)))
    return context.make_tuple(builder, signature.return_type, [sums, builder.zext(bits, ir.IntType(64))])


_SUMS_AND_COUNT = types.Tuple((PARTIAL_SUMS, types.int64))


@instruction
def _add_all(typing: Any, sums: Any, array: Any, at: Any) -> Any:
    """Add the values [WIDE] from `at` on, but for NaN; the sums, and how many were known."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _add_known(context, builder, signature, *arguments)

    return _SUMS_AND_COUNT(PARTIAL_SUMS, array, types.int64), generate


@instruction
def _add_first(typing: Any, sums: Any, array: Any, at: Any, count: Any) -> Any:
    """As `_add_all`, for the first `count` of the values."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        sums, array, at, count = arguments
        undefined = ir.Constant(ir.VectorType(_INDEX, WIDE), ir.Undefined)
        first = builder.insert_element(undefined, builder.trunc(count, _INDEX), ir.Constant(_INDEX, 0))
        counts = builder.shuffle_vector(first, undefined, ir.Constant(undefined.type, [0] * WIDE))
        counted = builder.icmp_signed("<", ir.Constant(undefined.type, list(range(WIDE))), counts)
        return _add_known(context, builder, signature, sums, array, at, counted)

    return _SUMS_AND_COUNT(PARTIAL_SUMS, array, types.int64, types.int64), generate


@instruction
def _fetch(typing: Any, array: Any, at: Any) -> Any:
    """Begin to bring the values [WIDE] from `at` on nearer. They need not exist.

    Processors do so by themselves only within a page of memory, and a row is about as long as that.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, (array, at) = signature.args[0], arguments
        data = context.make_array(kind)(context, builder, array).data
        byte = ir.IntType(8).as_pointer()
        told = ir.FunctionType(ir.VoidType(), [byte, _INDEX, _INDEX, _INDEX])
        prefetch = builder.module.declare_intrinsic("llvm.prefetch", [byte], told)
        for first in range(0, WIDE, _LINE_BITS // kind.dtype.bitwidth):
            place = builder.gep(data, [builder.add(at, ir.Constant(at.type, first))])
            # To read, into the nearest cache, and it is data.
            builder.call(prefetch, [builder.bitcast(place, byte), _INDEX(0), _INDEX(3), _INDEX(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


@instruction
def _whole(typing: Any, sums: Any) -> Any:
    """The partial sums, added in pairs."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (part,), width = arguments, WIDE
        while width > 1:
            width //= 2
            low, high = (
                ir.Constant(ir.VectorType(_INDEX, width), list(range(start, start + width)))
                for start in (0, width)
            )
            part = builder.fadd(*(builder.shuffle_vector(part, part, half) for half in (low, high)))
        return builder.extract_element(part, ir.Constant(_INDEX, 0))

    return types.float64(PARTIAL_SUMS), generate


@kernel
def known_sum(values, at, count, ahead):
    """Sum of the values that are not NaN among `count` of them from `at` on, and how many there are.

    `values` [any] of any real type, contiguous. What is read `ahead` values further on is fetched meanwhile.
    """
    at, left, ahead = np.int64(at), np.int64(count), np.int64(ahead)
    sums, known = _nothing(), np.int64(0)
    last = values.size - WIDE
    while left > WIDE and at <= last:
        _fetch(values, at + ahead)
        sums, more = _add_all(sums, values, at)
        known += more
        at += WIDE
        left -= WIDE
    if left > 0 and at <= last:
        _fetch(values, at + ahead)
        sums, more = _add_first(sums, values, at, left)
        known += more
        at += WIDE
        left -= WIDE
    total = _whole(sums)
    # Behind the last whole vector of the array nothing may be read.
    for i in range(at, at + left):
        v = values[i]
        if v == v:
            total += np.float64(v)
            known += 1
    return total, known
