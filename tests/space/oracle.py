"""Shares of cells by exactextract, in the index plane, to compare the walker with."""

import numpy as np
import shapely
from exactextract import exact_extract
from exactextract.feature import Feature, FeatureSource
from exactextract.raster import NumPyRasterSource


class WKBFeature(Feature):
    def __init__(self, wkb):
        super().__init__()
        self.wkb = wkb

    def geometry(self):
        return self.wkb

    def fields(self):
        return []


class Pieces(FeatureSource):
    """Shapes in the orientation of exactextract, whose rows are numbered downwards."""

    def __init__(self, shapes):
        super().__init__()
        self.wkb = shapely.to_wkb(shapely.transform(shapes, lambda c: c * [1.0, -1.0]))

    def count(self):
        return len(self.wkb)

    def __iter__(self):
        return iter([WKBFeature(w) for w in self.wkb])

    def srs_wkt(self):
        return None


def exactextract_shares(pieces, shape):
    """Dense shares [piece, y, x] of the unit squares that each piece covers."""
    rows, columns = shape
    raster = NumPyRasterSource(np.zeros(shape, "float32"), xmin=0, ymin=-rows, xmax=columns, ymax=0)
    out = np.zeros((len(pieces), rows * columns))
    for row, found in zip(out, exact_extract(raster, Pieces(pieces), ["cell_id", "coverage"]), strict=True):
        row[np.asarray(found["properties"]["cell_id"], dtype="int64")] = found["properties"]["coverage"]
    return out.reshape(-1, *shape)
