from .generic import prepare, write_netcdf, write_zarr

__all__ = ["prepare", "write_netcdf", "write_zarr"]
