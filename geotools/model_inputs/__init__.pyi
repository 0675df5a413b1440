from .generic import crop, prepare, write_netcdf, write_zarr

__all__ = ["crop", "prepare", "write_netcdf", "write_zarr"]
