from .along_line import prepare_line
from .generic import crop, prepare, write_netcdf, write_zarr
from .tidy import tidy_table

__all__ = ["crop", "prepare", "prepare_line", "tidy_table", "write_netcdf", "write_zarr"]
