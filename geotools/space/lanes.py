"""Several columns of ground, or steps of a field, in one vector: a type for kernels, of eight numbers.

Columns of ground do not touch each other, nor do steps, so that a kernel may work on eight at once. Loops over a short
last axis were not compiled to vector instructions, since the compiler cannot know that the arrays of a kernel do not
overlap. A value of this type is one vector from the start: what reads like arithmetic of one column is that of
eight, on whatever vector registers the processor has.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, overload, register_model

# One register of AVX-512, two of AVX2. Wider vectors let more columns wait for the slowest of them.
WIDTH = 8
_VECTOR = ir.VectorType(ir.DoubleType(), WIDTH)
_MASK = ir.VectorType(ir.IntType(1), WIDTH)
# Products and sums may be fused; nothing is reordered, and NaN and infinity keep their meaning.
_FLAGS = ("contract",)


class LanesType(types.Type):
    """One number of each of the columns."""

    def __init__(self) -> None:
        super().__init__("Lanes")


class MaskType(types.Type):
    """One truth value of each of the columns."""

    def __init__(self) -> None:
        super().__init__("LanesMask")


LANES, MASK = LanesType(), MaskType()


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)  # type: ignore[no-untyped-call]


@register_model(MaskType)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _MASK)  # type: ignore[no-untyped-call]


def instruction(function: Callable[..., Any]) -> Any:
    """A function that writes instructions of its own, for kernels to call."""
    return intrinsic(function)


def _row(context: Any, builder: Any, kind: Any, array: Any, row: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    at = builder.gep(data, [builder.mul(row, ir.Constant(row.type, WIDTH))])
    return builder.bitcast(at, _VECTOR.as_pointer())


def _splat(builder: Any, number: Any) -> Any:
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(first, undefined, zeros)


def as_double(builder: Any, value: Any, kind: Any, vector: Any = None) -> Any:
    """A number, or a vector of them, as float64; `kind` is the type of the numbers in Numba."""
    wanted = vector or ir.DoubleType()
    if isinstance(kind, types.Float):
        return value if kind.bitwidth == 64 else builder.fpext(value, wanted)
    return (builder.sitofp if kind.signed else builder.uitofp)(value, wanted)


@instruction
def load(typing: Any, array: Any, row: Any) -> Any:
    """Row of a C-contiguous array [rows, WIDTH], or of one [rows] that holds for every column."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if signature.args[0].ndim == 1:
            data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
            return _splat(builder, builder.load(builder.gep(data, [arguments[1]])))
        at = _row(context, builder, signature.args[0], arguments[0], arguments[1])
        return builder.load(at, align=8)

    return LANES(array, types.intp), generate


@instruction
def across(typing: Any, array: Any, at: Any, stride: Any, count: Any) -> Any:
    """Up to `WIDTH` numbers of a contiguous array [any], of any real type, `stride` apart from the index `at` on.

    Behind the first `count` the last of them is repeated.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, (array, at, stride, count) = signature.args[0], arguments
        data = context.make_array(kind)(context, builder, array).data
        last = builder.sub(count, ir.Constant(count.type, 1))
        out = ir.Constant(_VECTOR, ir.Undefined)
        for lane in range(WIDTH):
            number = ir.Constant(count.type, lane)
            step = builder.select(builder.icmp_signed("<", number, count), number, last)
            found = builder.load(builder.gep(data, [builder.add(at, builder.mul(step, stride))]))
            out = builder.insert_element(
                out, as_double(builder, found, kind.dtype), ir.Constant(ir.IntType(32), lane)
            )
        return out

    return LANES(array, types.intp, types.intp, types.intp), generate


@instruction
def element(typing: Any, array: Any, row: Any, lane: Any) -> Any:
    """One number of what `load` gives."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, (array, row, lane) = signature.args[0], arguments
        data = context.make_array(kind)(context, builder, array).data
        at = row if kind.ndim == 1 else builder.add(builder.mul(row, ir.Constant(row.type, WIDTH)), lane)
        return builder.load(builder.gep(data, [at]))

    return types.float64(array, types.intp, types.intp), generate


@instruction
def store(typing: Any, array: Any, row: Any, value: Any) -> Any:
    """Write a row of a C-contiguous array [rows, WIDTH]."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        at = _row(context, builder, signature.args[0], arguments[0], arguments[1])
        builder.store(arguments[2], at, align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, LANES), generate


@instruction
def fill(typing: Any, number: Any) -> Any:
    """The same number for every column."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _splat(builder, arguments[0])

    return LANES(types.float64), generate


@instruction
def less(typing: Any, a: Any, b: Any) -> Any:
    """Mask of the columns where a is below b; false for NaN."""
    return MASK(LANES, LANES), lambda context, builder, signature, v: builder.fcmp_ordered("<", v[0], v[1])


@instruction
def reaches(typing: Any, a: Any, b: Any) -> Any:
    """Mask of the columns where a is at or above b; false for NaN."""
    return MASK(LANES, LANES), lambda context, builder, signature, v: builder.fcmp_ordered(">=", v[0], v[1])


@instruction
def choose(typing: Any, mask: Any, a: Any, b: Any) -> Any:
    """Column by column a where the mask is true, else b."""
    return LANES(MASK, LANES, LANES), lambda context, builder, signature, v: builder.select(*v)


@instruction
def either(typing: Any, a: Any, b: Any) -> Any:
    """Mask of the columns where one of two masks is true."""
    return MASK(MASK, MASK), lambda context, builder, signature, v: builder.or_(*v)


@instruction
def both(typing: Any, a: Any, b: Any) -> Any:
    """Mask of the columns where both masks are true."""
    return MASK(MASK, MASK), lambda context, builder, signature, v: builder.and_(*v)


@instruction
def any_of(typing: Any, mask: Any) -> Any:
    """Whether the mask is true for any column."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        bits = builder.bitcast(arguments[0], ir.IntType(WIDTH))
        return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    return types.boolean(MASK), generate


@instruction
def add_product(typing: Any, total: Any, a: Any, b: Any) -> Any:
    """`total` + a b, rounded twice as the same with plain numbers is: never fused."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        total, a, b = arguments
        return builder.fadd(total, builder.fmul(a, _splat(builder, b)))

    return LANES(LANES, LANES, types.float64), generate


def _arithmetic(symbol: Callable[..., Any], name: str) -> None:
    @instruction
    def apply(typing: Any, a: Any, b: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return getattr(builder, name)(*arguments, flags=_FLAGS)

        return LANES(LANES, LANES), generate

    def choose_overload(a: Any, b: Any) -> Any:
        vectors = isinstance(a, LanesType), isinstance(b, LanesType)
        if all(vectors):
            return lambda a, b: apply(a, b)
        if vectors[0] and isinstance(b, types.Float):
            return lambda a, b: apply(a, fill(b))
        if vectors[1] and isinstance(a, types.Float):
            return lambda a, b: apply(fill(a), b)
        return None

    # Not strict: annotations would have to be the same on both, and a lambda has none.
    overload(symbol, strict=False)(choose_overload)


_arithmetic(operator.add, "fadd")
_arithmetic(operator.sub, "fsub")
_arithmetic(operator.mul, "fmul")
_arithmetic(operator.truediv, "fdiv")
