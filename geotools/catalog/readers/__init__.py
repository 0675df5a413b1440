"""One small module per file layout; each turns a file into an xarray Dataset, GeoDataFrame or DataFrame."""
