"""Users, groups, locations, trunks: read from a site file, asked at run time, changed by administrators."""
