"""Carbon budgets, permafrost transects and trade-embodied emissions of the Lena and Amur basins."""
