"""Records of single stations, boreholes and sites: fixed-width daily files, tables of thaw depth, borehole CSV."""
